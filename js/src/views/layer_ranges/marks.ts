/** Draws rows, columns and heads of LayerRanges as marks. */

import { bisectLeft } from "d3-array";
import { layerTitle } from "../../phi/entries.ts";
import { formatCount, formatNumber } from "../../phi/format.ts";
import { PAD } from "../../phi/geometry.ts";
import { logTicks, numbersAlong, type Range, type Scale, valueExtent } from "../../scene/axes.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { line, rects, segments, snapped, words } from "../../scene/shapes.ts";
import { fitting, widthOf } from "../../scene/text.ts";
import type { Colours } from "../../scene/theme.ts";
import type { Quantiles, RangesContent, RangesRow } from "./content.ts";
import {
  BAND_HEIGHT,
  BELOW,
  CELL,
  HEAD_LINE,
  headAt,
  headHeight,
  NAME,
  type RangesLayout,
  rowsWithin,
  rowTop,
  TITLE,
} from "./layout.ts";
import { anySeen, aside, drawnNotes, inputsText, roughly, where } from "./words.ts";

export interface RangesDrawing {
  content: RangesContent;
  layout: RangesLayout;
  axis: Range;
  /** Of ranges, from left to right. */
  toX: Scale;
  colours: Colours;
  ratio: number;
}

const BASELINE = 12;
const DOT_LANES = 5;

/** The axis that holds most ranges of all layers. */
export function rangeAxis(rows: readonly RangesRow[]): Range {
  const held = rows.flatMap(({ grid, seen, dots }) => {
    const spreads = [grid, seen].filter((spread) => spread !== null);
    // Single functions that hardly vary would squeeze all others.
    const ends = dots.length > 0 ? [dots[Math.floor(0.02 * dots.length)], dots.at(-1) ?? 0] : [];
    return [
      ...spreads.flatMap(([low, lower, median, , high]) => [low, lower, median, high]),
      ...ends,
    ];
  });
  return valueExtent(held, true);
}

/** From left to right; what lies beyond an end is put there. */
export function rangeScale({ from, to }: Range, { plot }: RangesLayout): Scale {
  const per = plot.width / Math.log(to / from);
  return (value) => plot.x + Math.max(0, Math.min(plot.width, Math.log(value / from) * per));
}

/** Heights from 0 to 1 that keep dots apart which lie together. */
export function strip(across: ArrayLike<number>, apart: number): number[] {
  const lanes = new Array<number>(DOT_LANES).fill(Number.NEGATIVE_INFINITY);
  const order = [2, 1, 3, 0, 4];
  return Array.from(across, (x) => {
    const free = order.find((lane) => x - lanes[lane] > apart);
    const lane = free ?? lanes.indexOf(Math.min(...lanes));
    lanes[lane] = x;
    return lane / (DOT_LANES - 1);
  });
}

/** The places of the dots of row `k`: x0, y0, x1, y1, … */
export function dotPlaces({ content, layout, toX }: RangesDrawing, k: number): number[] {
  const [upper, lower] = layout.heights.dots;
  const top = rowTop(layout, k);
  const across = Array.from(content.rows[k].dots, toX);
  const lanes = strip(across, 5);
  return across.flatMap((x, n) => [x, top + upper + (lower - upper) * lanes[n]]);
}

/** Stripes, grid lines, and under them what is chosen and pointed at. */
export function groundMarks(
  drawn: RangesDrawing,
  view: Rect,
  chosen: number,
  hovered: number,
): Mark[] {
  const { layout, toX, colours, ratio } = drawn;
  const [from, to] = rowsWithin(layout, view);
  const marks: Mark[] = [];
  const bar = (k: number, fill: string) =>
    marks.push(rects([0, rowTop(layout, k), layout.width, layout.rowHeight], { fill }));
  for (let k = from; k < to; k++) {
    if (k === chosen) bar(k, colours.chosen);
    else if (k === hovered) bar(k, colours.hover);
    else if (k % 2 === 1) bar(k, colours.row);
  }
  const lines: number[] = [];
  for (const tick of rangeTicks(drawn)) {
    const x = snapped(toX(tick), ratio);
    for (let k = from; k < to; k++) {
      const y = rowTop(layout, k);
      lines.push(x, y + 16, x, y + layout.heights.height);
    }
  }
  return [...marks, segments(lines, colours.grid)];
}

export function rowMarks(drawn: RangesDrawing, view: Rect): Mark[] {
  const [from, to] = rowsWithin(drawn.layout, view);
  return Array.from({ length: to - from }, (_, n) => from + n).flatMap((k) => [
    ...nameMarks(drawn, k),
    ...plotMarks(drawn, k),
    ...cellMarks(drawn, k),
  ]);
}

function nameMarks({ content, layout, colours }: RangesDrawing, k: number): Mark[] {
  const { plot, width, rowHeight } = layout;
  const [row, name, top] = [content.rows[k], layout.names[k], rowTop(layout, k)];
  const warns = aside(row);
  const y = top + BASELINE;
  const room = plot.width - widthOf(layerTitle(row), NAME, 600) - 10;
  const note = drawnNotes(row).find((text) => widthOf(text, BELOW) <= room);
  const title = words(plot.x, y, name, colours.ink, { size: NAME, weight: 600 });
  if (note) {
    const x = plot.x + widthOf(name, NAME, 600) + 8;
    return [title, words(x, y, note, warns ? colours.warn : colours.muted)];
  }
  if (!warns) return [title];
  // What is wrong is said in any case: under the numbers, where it has no room beside the name.
  const foot = top + rowHeight - 4;
  return [title, words(width - PAD, foot, warns, colours.warn, { anchor: "end" })];
}

function plotMarks(drawn: RangesDrawing, k: number): Mark[] {
  const { content, layout, toX, colours } = drawn;
  const [row, top] = [content.rows[k], rowTop(layout, k)];
  const { seen } = row;
  const y = top + layout.heights.box;
  const [fill, ink] = seen ? [colours["seen-box"], colours.seen] : [colours.box, colours.ink];
  const dots = seen ? colours.seen : colours.dot;
  const places = dotPlaces(drawn, k);
  const small = bisectLeft(row.dots, drawn.axis.from);
  return [
    ...boxMarks(seen ?? row.grid, toX, y, fill, ink),
    { kind: "dots", xy: places.slice(2 * small), r: 2, fill: dots },
    ...arrows(places.slice(0, 2 * small), dots),
  ];
}

/** In place of dots that lie further left than the axis goes. */
function arrows(xy: readonly number[], fill: string): Mark[] {
  const corners = Array.from({ length: xy.length / 2 }, (_, n) => {
    const [x, y] = xy.slice(2 * n);
    return [x - 3, y, x + 3, y - 3, x + 3, y + 3];
  });
  const ends = corners.map((_, n) => 3 * n + 3);
  return ends.length > 0 ? [{ kind: "lines", xy: corners.flat(), ends, closed: true, fill }] : [];
}

function boxMarks(
  quantiles: Quantiles | null,
  toX: Scale,
  y: number,
  fill: string,
  stroke: string,
): Mark[] {
  if (!quantiles || !(quantiles[4] > 0)) return [];
  // A logarithmic axis has no place for zero: it lies at the left end.
  const [low, lower, median, upper, high] = quantiles.map((value) => toX(Math.max(value, 1e-300)));
  const middle = quantiles[2] > 0 ? [rects([median - 1.2, y - 5, 2.4, 10], { fill: stroke })] : [];
  return [
    rects([lower, y - 3.5, Math.max(1, upper - lower), 7], { fill }),
    line([low, y, high, y], stroke),
    ...middle,
  ];
}

function cellMarks({ content, layout, colours }: RangesDrawing, k: number): Mark[] {
  const { bands, heights } = layout;
  const [{ numbers }, top] = [content.rows[k], rowTop(layout, k)];
  return layout.cells.flatMap(({ column, right, width, band }): Mark[] => {
    const [first, second] = column.lines(numbers);
    const isNamed = bands > 0;
    const y = top + (isNamed ? heights.height + 5 + band * BAND_HEIGHT : heights.height / 2 - 14);
    const names = [`${column.title} ${column.below}`, column.title];
    const under = isNamed ? fitting(names, width - 8, BELOW) : second;
    const [x, anchor] = isNamed ? [right - width, "start" as const] : [right, "end" as const];
    const value = isNamed && second ? `${first}, ${second}` : first;
    const text = [
      words(x, y + 11, value, colours.ink, { size: CELL, anchor, weight: 600 }),
      words(x, y + 25, under, colours.muted, { size: isNamed ? BELOW : CELL, anchor }),
    ];
    const share = column.splineBar?.(numbers) ?? null;
    if (share === null) return text;
    const from = isNamed ? x + widthOf(value, CELL, 600) + 8 : right - width + 14;
    const to = isNamed ? x + width - 14 : right;
    const base = (to - from) * (1 - share);
    const at = y + (isNamed ? 4 : 18);
    return [
      ...text,
      rects([from, at, base, 6], { fill: colours.base }),
      rects([from + base, at, to - from - base, 6], { fill: colours.spline }),
    ];
  });
}

/** Heads of plot and columns; they stay where rows scroll. `times` is the head of the curves. */
export function headMarks(
  drawn: RangesDrawing,
  view: Rect,
  times: (bottom: number) => Mark[],
): Mark[] {
  const { content, layout, toX, colours } = drawn;
  const { plot, width, cells, bands } = layout;
  const seen = anySeen(content);
  // While it trains the slider is ahead of what is measured.
  const on = seen ? inputsText(content) : `${where(false)} at step ${formatCount(content.step)}`;
  const titles = [`range of φ ${on}`, `range of φ ${where(seen)}`, "range of φ"];
  const hasArrows = content.rows.some(({ dots }) => dots[0] < drawn.axis.from);
  const beyond = hasArrows ? `, arrows: below ${roughly(drawn.axis.from)}` : "";
  const belows = [
    "a dot for each function: max − min, log scale",
    "max − min, log scale",
    "log scale",
  ];
  const hints = belows.map((text) => text + beyond);
  const [top, height] = [headAt(layout, view), headHeight(layout)];
  const bottom = top + height;
  const line = bottom - 6 - HEAD_LINE;
  const ticks = rangeTicks(drawn).map((tick) => ({ x: toX(tick), text: formatNumber(tick) }));
  return [
    rects([0, top, width, height], { fill: colours.surface }),
    rects([PAD, bottom - 1, width - 2 * PAD, 1], { fill: colours.line }),
    headText(titles, plot.x, line - HEAD_LINE, plot.width, colours.ink),
    words(plot.x, line, fitting(hints, plot.width, BELOW), colours.muted),
    ...numbersAlong(ticks, plot, bottom - 6, colours.muted, 6),
    // Below the plots each number has its name in its row.
    ...(bands > 0 ? [] : cells).flatMap(({ column, right }) => {
      const y = bottom - 6;
      const strong = { anchor: "end", size: TITLE, weight: 600 } as const;
      return [
        words(right, y - HEAD_LINE, column.title, colours.ink, strong),
        words(right, y, column.below, colours.muted, { anchor: "end" }),
      ];
    }),
    ...times(bottom),
  ];
}

/** The longest of some words that there is room for. */
export function headText(
  texts: readonly string[],
  x: number,
  y: number,
  room: number,
  fill: string,
): Mark {
  return words(x, y, fitting(texts, room, TITLE, 600), fill, { size: TITLE, weight: 600 });
}

function rangeTicks({ axis, layout }: RangesDrawing): number[] {
  return logTicks(axis, Math.max(4, Math.floor(layout.plot.width / 44)));
}
