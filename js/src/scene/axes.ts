/** Axes of plots: scales, ticks, and their marks. */

import { ticks as evenTicks, extent, nice } from "d3-array";
import { formatNumber } from "../phi/format.ts";
import type { Spread } from "../phi/interpolate.ts";
import { roundStep } from "../phi/ranges.ts";
import type { Mark, Paint, Rect } from "./marks.ts";
import { bandMarks, line, rect, rects, segments, snapped, WORDS, words } from "./shapes.ts";
import { widthOf } from "./text.ts";
import type { Colours } from "./theme.ts";

export type Scale = (value: number) => number;

export interface Range {
  from: number;
  to: number;
}

/** The straight map of [from, to] onto [start, end]. */
export function linear({ from, to }: Range, start: number, end: number): Scale {
  const slope = to > from ? (end - start) / (to - from) : 0;
  return (value) => start + (value - from) * slope;
}

/** The map of [from, to] onto [start, end] for a logarithmic axis, or for a straight one. */
export function scaleOf({ from, to }: Range, log: boolean, start: number, end: number): Scale {
  if (!log) return linear({ from, to }, start, end);
  const scale = linear({ from: Math.log10(from), to: Math.log10(to) }, start, end);
  return (value) => scale(Math.log10(value));
}

/** Multiples of 1, 2 or 5 · 10^k inside the range, at most `most` of them. */
export function ticks({ from, to }: Range, most: number): number[] {
  if (!(to > from) || !Number.isFinite(to - from) || most < 1) return [];
  for (let wanted = most; ; wanted *= 0.9) {
    const found = evenTicks(from, to, wanted);
    if (found.length <= most) return found;
  }
}

/** Powers of ten inside a positive range; over few decades also 2 and 5 or 3 times those, and even ticks within less than one. */
export function logTicks({ from, to }: Range, most: number): number[] {
  if (!(from > 0) || !(to > from)) return [];
  const low = Math.floor(Math.log10(from));
  const decades = Math.ceil(Math.log10(to)) - low;
  const inside = (digits: readonly number[], step: number) =>
    Array.from({ length: decades + 1 }, (_, k) => digits.map((n) => Number(`${n}e${low + k}`)))
      .filter((_, k) => k % step === 0)
      .flat()
      .filter((value) => value >= from && value <= to);
  const fine = [
    [1, 2, 5],
    [1, 3],
  ].map((digits) => inside(digits, 1));
  const found = fine.find(({ length }) => length <= most) ?? inside([1], Math.ceil(decades / most));
  const few = found.length < 3 && to < 10 * from ? ticks({ from, to }, most) : found;
  // One alone says nothing of the scale.
  const all = fine[0].length > 1 ? fine[0] : ticks({ from, to }, 5);
  return few.length === 1 ? [all[0], all[all.length - 1]] : few;
}

/** Labels for ticks, all with the same number of decimals. */
export function evenLabels(values: readonly number[]): (value: number) => string {
  const largest = Math.max(0, ...values.map(Math.abs));
  if (largest >= 1e5 || (largest > 0 && largest < 1e-4)) return formatNumber;
  const step = values.length > 1 ? values[1] - values[0] : largest || 1;
  const places = Math.max(0, Math.min(12, -Math.floor(Math.log10(step) + 1e-9)));
  return (value) => value.toFixed(places).replace("-", "−");
}

export interface Axis {
  scale: Scale;
  ticks: readonly number[];
  title: string;
  label?: ((value: number) => string) | undefined;
}

/** Room that an axis at the left needs for its labels and title. */
export function leftRoom({ ticks: values, title, label = formatNumber }: Axis, size = 10): number {
  const widest = Math.max(0, ...values.map((value) => widthOf(label(value), size)));
  return Math.ceil(widest) + 8 + (title ? size + 6 : 0);
}

/** Room that an axis below needs for its labels and title. */
export function bottomRoom({ title }: Pick<Axis, "title">, size = 10): number {
  return size + 8 + (title ? size + 5 : 0);
}

export interface Points {
  x: ArrayLike<number>;
  y: ArrayLike<number>;
}

/** A curve and how it is drawn. */
export interface StrokedCurve {
  points: Points;
  stroke: string;
  paint?: Paint;
}

/** Grid lines, labels and titles around a plot's box; what lies inside comes over them. */
export function axesMarks(
  plot: Rect,
  x: Axis,
  y: Axis,
  { muted, grid: stroke }: Pick<Colours, "muted" | "grid">,
  { size = 10, ratio = 2, grid = true }: { size?: number; ratio?: number; grid?: boolean } = {},
): Mark[] {
  const lines: number[] = [];
  const marks: Mark[] = [];
  const [right, bottom] = [plot.x + plot.width, plot.y + plot.height];
  for (const value of y.ticks) {
    const at = snapped(y.scale(value), ratio);
    lines.push(plot.x, at, right, at);
    const look = { size, anchor: "end", middle: true } as const;
    // At the corner two numbers would touch.
    const up = x.ticks.length > 0 ? Math.min(at, bottom - 4) : at;
    marks.push(words(plot.x - 5, up, (y.label ?? formatNumber)(value), muted, look));
  }
  const centred = { size, anchor: "middle" } as const;
  let lastEnd = Number.NEGATIVE_INFINITY;
  for (const value of x.ticks) {
    const at = snapped(x.scale(value), ratio);
    lines.push(at, plot.y, at, bottom);
    const text = (x.label ?? formatNumber)(value);
    const half = widthOf(text, size) / 2;
    if (at - half < lastEnd + 6) continue;
    lastEnd = at + half;
    marks.push(words(at, bottom + size + 3, text, muted, centred));
  }
  if (grid) marks.unshift(segments(lines, stroke, { width: 1 }));
  const [across, down] = [plot.x + plot.width / 2, plot.y + plot.height / 2];
  if (x.title) marks.push(words(across, bottom + 2 * size + 7, x.title, muted, centred));
  if (y.title) {
    const left = plot.x - leftRoom(y, size) + size - 1;
    marks.push(words(left, down, y.title, muted, { ...centred, turn: -90 }));
  }
  return marks;
}

interface PlotOptions {
  titles?: { x: string; y: string };
  /** How many ticks at most. */
  most: { x: number; y: number };
  /** Share of the height that stays free above and below. */
  air: number;
  /** Further values that the plot has room for. */
  values?: readonly number[];
  /** Beyond this range of x the plot has another ground. */
  within?: readonly [number, number];
  /** Where the networks of an ensemble have the function that is drawn. */
  band?: Spread | null;
  /** Marks under the curves. */
  under?: (x: Axis, y: Axis) => Mark[];
}

/** Curves over a range in a plot with axes, as high as they and 0 need. */
export function curvesPlot(
  box: Rect,
  xRange: Range,
  lines: readonly StrokedCurve[],
  colours: Colours,
  { titles = { x: "", y: "" }, most, air, values = [], within, band, under }: PlotOptions,
): { plot: Rect; x: Axis; y: Axis; marks: Mark[] } {
  const drawn = lines.flatMap(({ points }) => Array.from(points.y));
  const heights = [0, ...values, ...(band?.range.y ?? []), ...drawn];
  const [least = 0, largest = 0] = extent(heights.filter(Number.isFinite));
  const margin = largest > least ? air * (largest - least) : 1;
  // Round ends stand still while what is between them moves a little.
  const [from, to] = nice(least - margin, largest + margin, 8);
  const yRange = { from, to };
  const yTicks = ticks(yRange, most.y);
  const y: Axis = { scale: () => 0, ticks: yTicks, title: titles.y, label: evenLabels(yTicks) };
  const left = leftRoom(y);
  const plot: Rect = {
    x: box.x + left,
    y: box.y,
    // The last label may stand at the very end.
    width: box.width - left - 12,
    height: box.height - (most.x > 0 ? bottomRoom({ title: titles.x }) : 0),
  };
  y.scale = linear(yRange, plot.y + plot.height, plot.y);
  const xTicks = ticks(xRange, most.x);
  const scale = linear(xRange, plot.x, plot.x + plot.width);
  const x: Axis = { scale, ticks: xTicks, title: titles.x, label: evenLabels(xTicks) };
  const [low, high] = within ?? [xRange.from, xRange.to];
  const beyond = [
    [xRange.from, Math.min(xRange.to, low)],
    [Math.max(xRange.from, high), xRange.to],
  ].flatMap(([from, to]) =>
    from < to ? [scale(from), plot.y, scale(to) - scale(from), plot.height] : [],
  );
  const zero = y.scale(0);
  const marks: Mark[] = [
    rect(plot, { fill: colours.plot }),
    rects(beyond, { fill: colours.outside }),
    ...axesMarks(plot, x, y, colours),
    line([plot.x, zero, plot.x + plot.width, zero], colours.muted),
    ...bandMarks([band && { ...band, at: (at, up) => [scale(at), y.scale(up)] }], colours),
    ...(under?.(x, y) ?? []),
    ...lines.map(({ points, stroke, paint }) => {
      const xy = Array.from(points.x).flatMap((at, p) => [scale(at), y.scale(points.y[p])]);
      return line(xy, stroke, paint);
    }),
  ];
  return { plot, x, y, marks };
}

/** Ends for values that are finite, on a logarithmic axis positive; over values from 0 to 1, as of an accuracy, there is no room above 1. */
export function valueExtent(values: Iterable<number>, log: boolean): Range {
  const isShown = (value: number) => Number.isFinite(value) && !(log && value <= 0);
  let [low, high] = extent(values, (value) => (isShown(value) ? value : undefined));
  if (low === undefined || high === undefined) return { from: log ? 0.1 : 0, to: 1 };
  const most = low >= 0 && high <= 1 ? 1 : Number.POSITIVE_INFINITY;
  if (log) {
    let [first, last] = [Math.floor(4 * Math.log10(low)), Math.ceil(4 * Math.log10(high))];
    if (last - first < 2) [first, last] = [first - 1, last + 1];
    return { from: 10 ** (first / 4), to: Math.min(most, 10 ** (last / 4)) };
  }
  let span = high - low;
  if (span <= 1e-12 * Math.max(Math.abs(low), Math.abs(high))) {
    const room = 0.5 * Math.abs(high) || 0.5;
    [low, high, span] = [low - room, high + room, 2 * room];
  }
  if (low >= 0 && low < 0.3 * high) [low, span] = [0, high];
  const step = roundStep(span / 12);
  const round = (value: number) => Number(value.toPrecision(12));
  return {
    from: round(Math.floor(low / step + 1e-9) * step),
    to: Math.min(most, round(Math.ceil(high / step - 1e-9) * step)),
  };
}

/** Ends for training steps, a little ahead of the last one. */
export function stepExtent(first: number, last: number): Range {
  if (!(last > first)) return { from: first - 1, to: first + 1 };
  const low = first >= 0 && first < 0.1 * last ? 0 : first;
  const step = Math.max(1, roundStep((last - low) / 20));
  return { from: low, to: Math.max(last, Math.ceil(last / step - 1e-9) * step) };
}

/** Numbers along an axis, kept within its ends; those that would touch the one before are left out. */
export function numbersAlong(
  at: readonly { x: number; text: string }[],
  { x: start, width }: { x: number; width: number },
  y: number,
  fill: string,
  apart: number,
): Mark[] {
  let free = Number.NEGATIVE_INFINITY;
  return at.flatMap(({ x: wanted, text }) => {
    const half = widthOf(text, WORDS) / 2;
    const x = Math.max(start + half, Math.min(start + width - half, wanted));
    if (x - half < free) return [];
    free = x + half + apart;
    return [words(x, y, text, fill, { anchor: "middle" })];
  });
}
