/** Curves over training steps, one panel for each quantity, all over the same steps. */

import { bisectRight } from "d3-array";
import { formatCount, formatNumber, percent } from "../phi/format.ts";
import {
  axesMarks,
  bottomRoom,
  leftRoom,
  linear,
  logTicks,
  type Points,
  type Range,
  type Scale,
  scaleOf,
  stepExtent,
  ticks,
  valueExtent,
} from "./axes.ts";
import type { Mark, Rect } from "./marks.ts";
import { cutAt, lostMarks } from "./not_finite.ts";
import { interrupted, line, rect, rects, snapped, words } from "./shapes.ts";
import { fitted, widthOf } from "./text.ts";
import type { ColourName, Colours } from "./theme.ts";

interface Curve extends Points {
  name: string;
  /** Number of its colour, 0 to 6: see theme.ts. */
  colour: number;
  /** The mean around each step, drawn thin over the values; null where there is none. */
  mean: Points | null;
  /** Whether each value that was logged at the steps shown is a point. */
  whole: boolean;
}

export interface Panel {
  title: string;
  curves: readonly Curve[];
  /** Whether values have a logarithmic axis. */
  log: boolean;
}

export interface Chart {
  panels: readonly Panel[];
  /** Values that have no curve yet, in words: "accuracy 97 % at step 938". */
  said: readonly string[];
  /** The steps shown; null for all. */
  zoom: Range | null;
  /** Steps with a short text each. */
  marks: readonly (readonly [number, string])[];
  /** How many steps a mean is over. */
  over: number;
}

/** What pointer and keyboard are doing on a chart. */
export interface ChartHands {
  /** The step that is read. */
  step: number | null;
  /** Steps between which a zoom is being dragged. */
  band: readonly [number, number] | null;
}

export type ChartLayout = ReturnType<typeof chartLayout>;

const HEAD_HEIGHT = 20;
const PANEL_GAP = 16;
const SIZE = 11;
const STEP = "step";
/** Widths of lines: what was logged, faint where there is a mean, and the mean. */
const LOGGED = 1.25;
const FAINT = 0.4;
const MEAN = 1.5;
/** Pixels of a line in the legend. */
const SAMPLE = 14;
/** Up to this many values are dots, too, and need no mean: they would hardly be a line. */
export const FEW = 12;
/** Pixels free over the highest value of an axis and under its lowest. */
const AIR = 6;
/** How far beyond a curve's end a step may lie for that end to be read, as a share of the span of steps. */
const SLACK = 0.02;

/** How many colours curves have. */
export const CURVE_COLOURS = 7;

export const curveColour = (colours: Colours, number: number): string =>
  colours[`curve-${number % CURVE_COLOURS}` as ColourName];

/** Whether there is a line to draw: a single value is said instead. */
export const hasLine = ({ curves }: Panel): boolean =>
  curves.some(({ y }) => Array.from(y).filter(Number.isFinite).length > 1);

/** The only value of each curve, with its step; or that none is a number. */
export function singleValues(panel: Panel): string {
  const format = valueFormat(panel);
  const texts = panel.curves.map(({ name, x, y }) => {
    const of = name === panel.title ? "" : `${name} `;
    const k = Array.from(y).findIndex(Number.isFinite);
    const when = k < 0 && x.length > 1 ? "since" : "at";
    return `${of}${format(y[Math.max(0, k)])} ${when} step ${formatCount(x[Math.max(0, k)])}`;
  });
  return `${panel.title} ${texts.join(", ")}`;
}

/** All steps that have values, but for most of those after which a panel has no finite value. */
function stepsOf({ panels, zoom }: Pick<Chart, "panels" | "zoom">): Range {
  if (zoom) return zoom;
  const drawn = panels.flatMap(({ curves }) => curves.filter(({ x }) => x.length > 0));
  if (drawn.length === 0) return { from: 0, to: 1 };
  const first = Math.min(...drawn.map(({ x }) => x[0]));
  const last = Math.max(...drawn.map(({ x }) => x[x.length - 1]));
  const cut = cutAt(panels, first);
  return cut < last ? { from: stepExtent(first, cut).from, to: cut } : stepExtent(first, last);
}

/** `count` panels in even rows, none narrower than `narrowest` where there is room: rows, columns and a panel's width. */
export function tabulated(count: number, width: number, narrowest = 280) {
  const most = Math.max(1, Math.floor((width + PANEL_GAP) / (narrowest + PANEL_GAP)));
  // As many rows as it takes, and then about as many panels in each: four are never three and one.
  const rows = Math.ceil(count / most);
  const columns = Math.max(1, Math.ceil(count / Math.max(1, rows)));
  const between = Math.max(0, rows - 1) * PANEL_GAP;
  return { rows, columns, between, width: (width - (columns - 1) * PANEL_GAP) / columns };
}

/** Panels of one height in even rows. */
export function chartLayout(
  chart: Chart,
  at: { x: number; y: number; width: number },
  panelHeight: number,
  narrowest = 280,
) {
  const { rows, columns, between, width } = tabulated(chart.panels.length, at.width, narrowest);
  const foot = bottomRoom({ title: STEP }, SIZE);
  const tall = Math.max(20, panelHeight - HEAD_HEIGHT - foot);
  const axes = chart.panels.map((panel) => valueAxis(panel, chart, tall));
  // Of a loss that falls the numbers become longer: the plot stays where it is.
  const longest = axes.some(({ title }) => title) ? [0.001] : [];
  const left = Math.max(
    28,
    ...axes.map((axis) =>
      leftRoom({ ...axis, ticks: [...axis.ticks, ...longest], scale: () => 0 }, SIZE),
    ),
  );
  const steps = stepsOf(chart);
  // The last step's number stands whole under its tick.
  const right = Math.max(6, Math.ceil(widthOf(formatCount(Math.floor(steps.to)), SIZE) / 2));
  /** Place of each panel, and of the plot in it. */
  const places = chart.panels.map((_, k) => {
    const x = at.x + (k % columns) * (width + PANEL_GAP);
    const y = at.y + Math.floor(k / columns) * (panelHeight + PANEL_GAP);
    const plot = {
      x: x + left,
      y: y + HEAD_HEIGHT,
      width: Math.max(20, width - left - right),
      height: tall,
    };
    return { box: { x, y, width, height: panelHeight }, plot };
  });
  return { height: rows * panelHeight + between, places, steps };
}

/** The axis of values, of how many are right of a few with room for ten of them at least; its title says only that it is logarithmic, since the panel's head names the quantity. */
function valueAxis(panel: Panel, chart: Chart, height: number) {
  const most = Math.max(2, Math.min(5, Math.floor(height / (2 * SIZE))));
  const { from, to } = stepsOf(chart);
  const values = panel.curves.flatMap(({ x, y }) =>
    Array.from(y).filter((_, k) => x[k] >= from && x[k] <= to),
  );
  const of = Number(/right of (\d+)$/.exec(panel.title)?.[1]);
  if (of > 0) values.push(Math.min(1, Math.min(...values) + 10 / of));
  const range = valueExtent(values, panel.log);
  const [ticksIn, title] = panel.log ? [logTicks, "log scale"] : [ticks, ""];
  // A number is written in one way, however far the axis comes to go, and as in the head.
  return { range, ticks: ticksIn(range, most), title, label: valueFormat(panel) };
}

/** How values are written: an accuracy that was logged as a share is one of 100 %. */
function valueFormat({ title, curves }: Panel): (value: number) => string {
  const share = ({ y }: Curve) => Array.from(y).every((value) => !(value < 0 || value > 1));
  const areShares = /accuracy$|right( of \d+)?$/.test(title) && curves.every(share);
  const finite = areShares ? percent : formatNumber;
  return (value) => (Number.isNaN(value) ? "not a number" : finite(value));
}

/** Axes, curves and heads. */
export function chartMarks(chart: Chart, layout: ChartLayout, colours: Colours, ratio: number) {
  return chart.panels.flatMap((panel, k) => {
    const { plot } = layout.places[k];
    const toX = linear(layout.steps, plot.x, plot.x + plot.width);
    const { range, ...up } = valueAxis(panel, chart, plot.height);
    const toY = scaleOf(range, panel.log, plot.y + plot.height - AIR, plot.y + AIR);
    const across = stepTicks(layout.steps, Math.floor(plot.width / 60));
    const x = { scale: toX, ticks: across, title: "", label: formatCount };
    // Turned words that are longer than the axis would run into what is beside it.
    if (widthOf(up.title, SIZE) > plot.height) up.title = "";
    const axes = axesMarks(plot, x, { scale: toY, ...up }, colours, { size: SIZE, ratio });
    return [
      ...axes,
      ...footMarks(panel, chart.over, plot, colours),
      stepMarks(chart, layout.steps, plot, colours, ratio),
      curveLines(panel, plot, toX, toY, colours),
    ];
  });
}

/** About `most` ticks at whole steps; two at least, since one says nothing of the scale. */
function stepTicks(steps: Range, most: number): number[] {
  for (let count = Math.max(2, most); ; count++) {
    const found = ticks(steps, count).filter(Number.isInteger);
    if (found.length > 1 || count > most + 5) return found;
  }
}

function curveLines({ curves }: Panel, plot: Rect, toX: Scale, toY: Scale, colours: Colours): Mark {
  const marks: Mark[] = [];
  for (const curve of curves) {
    const stroke = curveColour(colours, curve.colour);
    const faint = curve.mean !== null;
    const logged = lineOf(curve, toX, toY);
    marks.push({ ...logged, stroke, width: LOGGED, opacity: faint ? FAINT : 1 });
    if (curve.x.length <= FEW) marks.push({ kind: "dots", xy: logged.xy, r: 2, fill: stroke });
    if (curve.mean) marks.push({ ...lineOf(curve.mean, toX, toY), stroke, width: MEAN });
    marks.push(...lostMarks(curve, curves.length > 1, plot, [toX, toY], colours));
  }
  return { kind: "group", clip: plot, marks };
}

/** Below the plot the title of its x axis, and where there is room a key to the logged lines and the means of all. */
function footMarks({ curves }: Panel, over: number, plot: Rect, colours: Colours): Mark[] {
  const { muted } = colours;
  const y = plot.y + plot.height + 2 * SIZE + 7;
  const step = words(plot.x, y, STEP, muted);
  const smoothed = curves.find(({ mean }) => mean !== null);
  if (!smoothed) return [step];
  const stroke = curves.length > 1 ? muted : curveColour(colours, smoothed.colour);
  const right = plot.x + plot.width;
  const wide = (text: string) => 2 * SAMPLE + 14 + widthOf("logged", SIZE) + widthOf(text, SIZE);
  const room = plot.width - widthOf(STEP, SIZE) - 24;
  const steps = `${smoothed.whole ? "" : "at least "}${formatCount(over)} steps`;
  const texts = [`trend, a line fitted to ${steps}`, `trend over ${steps}`, "trend"];
  const text = texts.find((text) => wide(text) <= room);
  if (text === undefined) return [step];
  const start = right - wide(text);
  const next = start + SAMPLE + 3 + widthOf("logged", SIZE) + 8;
  const sample = (x: number) => [x, y - 3.5, x + SAMPLE, y - 3.5];
  return [
    step,
    line(sample(start), stroke, { width: LOGGED, opacity: FAINT }),
    words(start + SAMPLE + 3, y, "logged", muted),
    line(sample(next), stroke, { width: MEAN }),
    words(right, y, text, muted, { anchor: "end" }),
  ];
}

function lineOf({ x, y }: Points, toX: Scale, toY: Scale) {
  const across = (k: number) => toX(x[k]);
  return interrupted(x.length, across, (k) => toY(y[k]));
}

/** Lines at the steps that are marked, each with its text where that fits. */
function stepMarks(
  { marks: marked }: Chart,
  { from, to }: Range,
  plot: Rect,
  colours: Colours,
  ratio: number,
): Mark {
  const toX = linear({ from, to }, plot.x, plot.x + plot.width);
  const marks: Mark[] = [];
  let freeFrom = Number.NEGATIVE_INFINITY;
  for (const [step, text] of marked) {
    if (step < from || step > to) continue;
    const at = snapped(toX(step), ratio);
    marks.push(line([at, plot.y, at, plot.y + plot.height], colours.ghost, { dash: [2, 2] }));
    const textWidth = widthOf(text, SIZE);
    if (at + 3 < freeFrom || at + 3 + textWidth > plot.x + plot.width) continue;
    marks.push(words(at + 3, plot.y + 9, text, colours.muted));
    freeFrom = at + 3 + textWidth + 6;
  }
  return { kind: "group", clip: plot, marks };
}

type Reading = ReturnType<typeof legendEntries>[number];

/** The readings over a panel: the latest values, or those at the step that is read. */
export function legendEntries(panel: Panel, steps: Range, step: number | null) {
  const slack = SLACK * (steps.to - steps.from);
  const format = valueFormat(panel);
  return panel.curves.map((curve) => {
    const point = step === null ? null : nearestPoint(curve, step, slack);
    const value = step === null ? curve.y[curve.y.length - 1] : point?.value;
    const at = step ?? curve.x[curve.x.length - 1];
    const meanPoint = curve.mean && nearestPoint(curve.mean, at, slack);
    return {
      name: curve.name === panel.title ? "" : curve.name,
      colour: curve.colour,
      /** The value's line is faint behind that of the mean. */
      faint: curve.mean !== null,
      value: value === undefined ? "–" : format(value),
      /** The mean at the same step; "" where there is none. */
      mean: meanPoint ? format(meanPoint.value) : "",
      /** The step that the value is of; null for the latest. */
      step: point?.step ?? null,
    };
  });
}

/** The point of a curve that is nearest to a step; null before its first and beyond its last, give or take `slack`. */
export function nearestPoint({ x, y }: Points, step: number, slack = 0) {
  const last = x.length - 1;
  if (last < 0 || step < x[0] - slack || step > x[last] + slack) return null;
  const low = bisectRight(x, step, 1) - 1;
  const high = Math.min(last, low + 1);
  const k = step - x[low] <= x[high] - step ? low : high;
  return { step: x[k], value: y[k] };
}

/** The heads with their numbers, the latest ones only if `tellsLatest`, and what the hands do. */
export function handsMarks(
  chart: Chart,
  layout: ChartLayout,
  { step, band }: ChartHands,
  colours: Colours,
  ratio: number,
  tellsLatest = true,
): Mark[] {
  return chart.panels.flatMap((panel, k) => {
    const { box, plot } = layout.places[k];
    const toX = linear(layout.steps, plot.x, plot.x + plot.width);
    const entries = legendEntries(panel, layout.steps, step);
    if (step === null && !tellsLatest) for (const entry of entries) entry.value = entry.mean = "";
    const marks = topMarks(panel, entries, box, colours);
    const readStep = entries.find((entry) => entry.step !== null)?.step ?? null;
    if (readStep !== null) {
      const at = snapped(toX(readStep), ratio);
      marks.push(line([at, plot.y, at, plot.y + plot.height], colours.muted));
    }
    if (band) {
      const [a, b] = band.map(toX).sort((p, q) => p - q);
      marks.push(rect({ ...plot, x: a, width: b - a }, { fill: colours.band }));
    }
    return marks;
  });
}

function topMarks(panel: Panel, entries: readonly Reading[], box: Rect, colours: Colours): Mark[] {
  const { ink, muted } = colours;
  const [y, end, size] = [box.y + 12, box.x + box.width, SIZE + 1];
  const title = fitted(panel.title, box.width / 2, size, 600);
  const marks: Mark[] = [words(box.x, y, title, ink, { size, weight: 600 })];
  const start = box.x + widthOf(title, size, 600) + 10;
  const parts = entries.map(({ name, value, mean, colour, faint }) => {
    const also = mean ? ` (trend ${mean})` : "";
    return { word: name ? `${name} ` : "", also, value, fill: curveColour(colours, colour), faint };
  });
  const partWidth = ({ word, value, also }: (typeof parts)[0]) =>
    12 + widthOf(word + also, SIZE) + widthOf(value, SIZE, 600);
  const room = end - start - 12 * (parts.length - 1);
  // Where there is no room for all of it, first the means are left out, then the names: colours stand for them.
  for (const left of ["also", "word"] as const) {
    if (parts.reduce((sum, part) => sum + partWidth(part), 0) <= room) break;
    for (const part of parts) part[left] = "";
  }
  let x = start;
  for (const part of parts) {
    if (x + partWidth(part) > end) break;
    const { word, value, also, fill, faint } = part;
    marks.push(
      // As faint as the line of the value, where one is told.
      rects([x, y - 5, 9, 2.5], { fill, opacity: faint && value ? FAINT : 1 }),
      words(x + 12, y, word, muted),
      words(x + 12 + widthOf(word, SIZE), y, value, ink, { weight: 600 }),
    );
    if (also) marks.push(words(x + partWidth(part), y, also, muted, { anchor: "end" }));
    x += partWidth(part) + 12;
  }
  const last = Math.max(...panel.curves.map(({ x }) => x[x.length - 1] ?? 0));
  const readStep = entries.find((entry) => entry.step !== null)?.step ?? last;
  const where = `step ${formatCount(Math.round(readStep))}`;
  if (entries.some(({ value }) => value) && x + widthOf(where, SIZE) <= end) {
    marks.push(words(end, y, where, muted, { anchor: "end" }));
  }
  return marks;
}
