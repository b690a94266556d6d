/** The curves over the steps, one plot in each row, all on the same axes. */

import { extent, pairs } from "d3-array";
import { formatCount, formatNumber, roughPercent } from "../../phi/format.ts";
import {
  linear,
  logTicks,
  numbersAlong,
  scaleOf,
  stepExtent,
  ticks,
  valueExtent,
} from "../../scene/axes.ts";
import { nearestPoint } from "../../scene/chart.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { line, segments, snapped, words } from "../../scene/shapes.ts";
import { fitting } from "../../scene/text.ts";
import type { Colours } from "../../scene/theme.ts";
import { MEASURED, type Measure, type pastOf, type Series } from "./content.ts";
import { BELOW, HEAD_LINE, type RangesLayout, rowsWithin, rowTop } from "./layout.ts";
import { headText, type RangesDrawing } from "./marks.ts";

type Scale = RangesDrawing["toX"];

const PLOT_EDGE = 7;
/** Pixels between points from which on each can be told. */
const APART = 6;
/** Height of a label of an axis with the air around it. */
const LABEL = 16;

/** What is drawn over the steps. */
export type Times = ReturnType<typeof timesOf>;

export function timesOf(past: ReturnType<typeof pastOf>, measure: Measure) {
  const rows = past.map((layer) => layer(measure));
  const { log, words } = MEASURED[measure];
  const all = rows.flatMap(({ first, splines, band }) => [first, splines, ...(band ?? [])]);
  const held = all.flatMap(({ values }) => Array.from(values));
  const [low = 0, high = low] = extent(all.flatMap(({ steps }) => Array.from(steps)));
  return {
    measure,
    words,
    rows,
    values: log ? valueExtent(held, true) : { from: 0, to: 1 },
    steps: low < high ? stepExtent(low, high) : { from: low, to: low + 1 },
  };
}

function scales(times: Times, layout: RangesLayout): { toX: Scale; toY: (top: number) => Scale } {
  const { times: place, heights } = layout;
  const { log } = MEASURED[times.measure];
  return {
    toX: linear(times.steps, place.x, place.x + place.width),
    toY(top) {
      return scaleOf(times.values, log, top + heights.height - PLOT_EDGE, top + PLOT_EDGE);
    },
  };
}

export function timesMarks(times: Times, drawn: RangesDrawing, view: Rect, now: number): Mark[] {
  const { layout, colours, ratio } = drawn;
  const [from, to] = rowsWithin(layout, view);
  const { toX, toY } = scales(times, layout);
  const { times: place, heights } = layout;
  const plain = ["range", "silu", "change"].includes(times.measure);
  const { log } = MEASURED[times.measure];
  const most = Math.ceil((heights.height - 2 * PLOT_EDGE) / LABEL);
  const rungs = log ? logTicks(times.values, most) : [0, 1];
  const marks: Mark[] = [];
  for (let k = from; k < to; k++) {
    const lines = times.rows[k];
    if (!lines) continue;
    const top = rowTop(layout, k);
    const y = toY(top);
    const right = place.x + place.width;
    for (const rung of rungs) {
      const at = snapped(y(rung), ratio);
      const text = log ? formatNumber(rung) : roughPercent(rung);
      const look = { size: BELOW, middle: true } as const;
      marks.push(segments([place.x, at, right, at], colours.grid));
      marks.push(words(right + 5, at, text, colours.muted, look));
    }
    if (lines.band) marks.push(...bandMarks(lines.band, toX, y, colours));
    marks.push(...curveMarks(lines.first, toX, y, plain ? colours.ink : colours.base));
    marks.push(...curveMarks(lines.splines, toX, y, colours.spline));
    if (now >= times.steps.from && now <= times.steps.to) {
      const x = snapped(toX(now), ratio);
      const ends = [x, top + 2, x, top + heights.height - 2];
      marks.push(line(ends, colours.accent));
    }
  }
  return marks;
}

/** The pieces of a curve between steps that were not measured. */
function piecesOf({ steps, values }: Series, toX: Scale, toY: Scale): number[][] {
  const pieces: number[][] = [[]];
  for (let k = 0; k < steps.length; k++) {
    const y = toY(values[k]);
    if (Number.isFinite(y)) pieces[pieces.length - 1].push(toX(steps[k]), y);
    else if (pieces[pieces.length - 1].length > 0) pieces.push([]);
  }
  return pieces.filter(({ length }) => length > 0);
}

/** Whether the steps measured lie apart: then each has a dot, for between them nothing is known. */
function areFew(pieces: readonly number[][]): boolean {
  const xy = pieces.flat();
  return pieces.length > 1 || xy[xy.length - 2] - xy[0] >= APART * (xy.length / 2 - 1);
}

function curveMarks(series: Series, toX: Scale, toY: Scale, stroke: string): Mark[] {
  const pieces = piecesOf(series, toX, toY);
  const curves = pieces.filter(({ length }) => length > 2);
  const gaps = pairs(pieces, (a, b) => [...a.slice(-2), ...b.slice(0, 2)]);
  return [
    ...gaps.map((xy) => line(xy, stroke, { dash: [2, 3] })),
    ...curves.map((xy) => line(xy, stroke, { width: 2 })),
    ...(areFew(pieces) ? [{ kind: "dots", xy: pieces.flat(), r: 2, fill: stroke } as const] : []),
  ];
}

/** A band between two curves, where they were measured. */
function bandMarks([low, high]: [Series, Series], toX: Scale, toY: Scale, { box }: Colours) {
  const upper = piecesOf(high, toX, toY);
  return piecesOf(low, toX, toY).map((under, k): Mark => {
    const over = upper[k] ?? [];
    const back = over.map((_, n) => over[over.length - 2 - n + 2 * (n % 2)]);
    const xy = [...under, ...back];
    return { kind: "lines", xy, ends: [xy.length / 2], closed: true, fill: box, opacity: 0.55 };
  });
}

/** What the axes of the curves are; they stay where rows scroll. */
export function timesHead(times: Times, drawn: RangesDrawing, bottom: number): Mark[] {
  const { layout, colours } = drawn;
  const { x, width } = layout.times;
  const { log } = MEASURED[times.measure];
  const { words: measured } = times;
  const { toX } = scales(times, layout);
  const short = measured.replace(/ on the grid$| \(median\)$/, "");
  const band = times.measure === "range" ? "band: middle half" : "";
  const scale = log ? "log scale" : "";
  const all = times.rows.flatMap(({ first, splines }) => [first, splines]);
  const toY = scaleOf(times.values, log, 1, 0);
  const pieces = all.map((series) => piecesOf(series, toX, toY));
  const dotted = pieces.some(areFew) ? "dots: steps measured" : "";
  const dashed = pieces.some(({ length }) => length > 1) ? "dashed: none measured" : "";
  const said = [scale, dotted, dashed, band].filter(Boolean);
  const texts = said.map((_, k) => said.slice(0, said.length - k).join(", "));
  const inside = ticks(times.steps, Math.max(2, Math.floor(width / 60))).filter(Number.isInteger);
  // Of few numbers the ends say most.
  const steps = inside.length > 2 ? inside : [times.steps.from, times.steps.to];
  const numbers = steps.map((step) => ({ x: toX(step), text: formatCount(step) }));
  return [
    headText([measured, short], x, bottom - 6 - 2 * HEAD_LINE, width, colours.ink),
    words(x, bottom - 6 - HEAD_LINE, fitting([...texts, ""], width, BELOW), colours.muted),
    ...numbersAlong(numbers, layout.times, bottom - 6, colours.muted, 8),
    words(x + width + 8, bottom - 6, "step", colours.muted),
  ];
}

/** The step under a place, where that is in the curves. */
export function stepAt(times: Times, layout: RangesLayout, x: number, y: number): number | null {
  const { times: place, top, rowHeight, heights } = layout;
  if (x < place.x || x > place.x + place.width || y < top) return null;
  if ((y - top) % rowHeight > heights.height) return null;
  return linear({ from: place.x, to: place.x + place.width }, times.steps.from, times.steps.to)(x);
}

/** The points of a curve that are known. */
function measuredOf({ steps, values }: Series) {
  const known = Array.from(steps, (_, k) => k).filter((k) => Number.isFinite(values[k]));
  return { x: known.map((k) => steps[k]), y: known.map((k) => values[k]) };
}

/** The numbers of a row at a step, and marks of them. */
export function readRow(
  times: Times,
  { layout, colours, ratio }: RangesDrawing,
  k: number,
  step: number,
): { words: string; marks: Mark[] } {
  const { toX, toY } = scales(times, layout);
  const y = toY(rowTop(layout, k));
  const { log } = MEASURED[times.measure];
  const points = [times.rows[k]?.first, times.rows[k]?.splines].flatMap((series, n) => {
    const point = series && nearestPoint(measuredOf(series), step);
    const name = ["base ", "splines "][n];
    return point && Number.isFinite(point.value) ? [{ ...point, name }] : [];
  });
  if (points.length === 0) return { words: "", marks: [] };
  const text = (value: number) => (log ? formatNumber(value) : roughPercent(value));
  const isOne = points.length === 1;
  const parts = points.map(({ name, value }) => `${isOne ? "" : name}${text(value)}`);
  const x = snapped(toX(points[0].step), ratio);
  const at = rowTop(layout, k);
  const spots = points
    .map((point) => [toX(point.step), y(point.value)])
    .filter(([, height]) => Number.isFinite(height));
  return {
    words: `step ${formatCount(points[0].step)}: ${times.words} ${parts.join(", ")}`,
    marks: [
      line([x, at + 2, x, at + layout.heights.height - 2], colours.muted),
      { kind: "dots", xy: spots.flat(), r: 2.5, fill: colours.accent },
    ],
  };
}
