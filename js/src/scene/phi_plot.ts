/** One function with axes: what it is, what it was, and what it makes of an example. */

import { extent } from "d3-array";
import { basisOf } from "../phi/entries.ts";
import { expandAll } from "../phi/expansion.ts";
import type { Ends } from "../phi/inputs.ts";
import { bandOver } from "../phi/interpolate.ts";
import type { Frame, LayerLayout } from "../wire/types.ts";
import { curvesPlot, type Points, type Range } from "./axes.ts";
import type { Mark, Rect } from "./marks.ts";
import { dot, line } from "./shapes.ts";
import type { Colours } from "./theme.ts";

const POINTS = 80;
/** Share of what is drawn that stays free at the ends of either axis. */
const AIR = 0.08;
const OPACITY = 0.5;
/** A lower plot has no numbers along x: what stands over it says them. */
export const LOW = 70;

/** A curve, what it was, and where both are drawn. */
export interface Changed {
  now: Points;
  was: Points;
  toX(value: number): number;
  toY(value: number): number;
}

/** The space between curves and what they were, in one colour where they rose and in another where they fell. */
export function changeMarks(curves: readonly Changed[], colours: Colours, opacity = OPACITY) {
  return [Math.max, Math.min].map((side, k): Mark => {
    const [xy, ends]: number[][] = [[], []];
    for (const { now, was, toX, toY } of curves) {
      const count = Math.min(now.x.length, was.x.length);
      const isKnown = (p: number) => Number.isFinite(now.y[p] + was.y[p]);
      for (let p = 0; p < count; p++) if (isKnown(p)) xy.push(toX(was.x[p]), toY(was.y[p]));
      for (let p = count - 1; p >= 0; p--) {
        if (isKnown(p)) xy.push(toX(now.x[p]), toY(side(now.y[p], was.y[p])));
      }
      if (xy.length / 2 > (ends.at(-1) ?? 0)) ends.push(xy.length / 2);
    }
    const fill = k === 0 ? colours.rise : colours.fall;
    return { kind: "lines", xy, ends, closed: true, fill, opacity };
  });
}

/** Also beyond the table, where the example may lie; without what is not known there. */
function curveBeyondTable(frame: Frame, layer: LayerLayout, f: number, { from, to }: Range) {
  const { nb, offset, tableOf } = layer;
  const x = Array.from({ length: POINTS }, (_, k) => from + ((to - from) * k) / (POINTS - 1));
  const { values } = expandAll(layer, tableOf?.[f] ?? 0, x);
  const own = frame.data.subarray(offset + f * nb, offset + (f + 1) * nb);
  const y = x.map((_, p) => own.reduce((sum, c, b) => sum + c * values[p * nb + b], 0));
  const isKnown = (_: number, p: number) => Number.isFinite(y[p]);
  return { x: x.filter(isKnown), y: y.filter(isKnown) };
}

/** The input of an example, and what a function adds. */
export function exampleMarks(
  [x, zero, y]: readonly [number, number, number],
  value: number,
  r: number,
  { more, less, surface }: Colours,
): Mark[] {
  const fill = value < 0 ? less : more;
  const at = dot(x, y, r, { fill, stroke: surface, width: 1 });
  return [line([x, zero, x, y], fill, { width: r < 4 ? 2 : 2.5 }), at];
}

interface Plotted {
  frame: Frame;
  layer: LayerLayout;
  f: number;
  x: Ends;
  /** What it was, in the same layout. */
  ghost: Frame | null;
  /** What its axis reaches to at least: that of the functions beside it. */
  y?: Ends | undefined;
  /** Keeps by its name how far an axis reaches beyond `x`, or from 0; else it reaches as far as it need. */
  held?(name: string, wanted: number): number;
}

/** The plot in a box, with the example on it where its input and what the function makes of that are known. */
export function phiPlot(
  { frame, layer, f, x: [low, high], ghost, y: ends, held = (_, wanted) => wanted }: Plotted,
  point: { x: number; value: number } | null | undefined,
  box: Rect,
  colours: Colours,
): { plot: Rect; marks: Mark[] } {
  const edge = AIR * (high - low);
  const example = point && Number.isFinite(point.x + point.value) ? point : null;
  const at = example?.x ?? low;
  const from = low - held(`left of ${f}`, at < low ? low - at + edge : 0);
  const to = high + held(`right of ${f}`, at > high ? at - high + edge : 0);
  const along = { from, to };
  const now = curveBeyondTable(frame, layer, f, along);
  const was = ghost && ghost !== frame ? curveBeyondTable(ghost, layer, f, along) : null;
  const reached = [0, ...now.y, ...(was?.y ?? []), example?.value ?? 0, ...(ends ?? [])];
  const [least = 0, most = 0] = extent(reached.filter(Number.isFinite));
  const lines = [
    ...(was ? [{ points: was, stroke: colours.ghost, paint: { width: 1.25 } }] : []),
    { points: now, stroke: colours.ink, paint: { round: true, width: layer.band ? 1.25 : 2 } },
  ];
  const { plot, x, y, marks } = curvesPlot(box, along, lines, colours, {
    most: {
      x: box.height < LOW ? 0 : box.width < 170 ? 3 : 5,
      y: box.height < LOW ? 3 : 5,
    },
    // Ends that several have in common are round.
    air: ends ? 0 : AIR,
    values: [-held(`below 0 of ${f}`, -least), held(`above 0 of ${f}`, most)],
    within: basisOf(layer, f).domain,
    band: bandOver(layer, f, [from, to]),
    under: ({ scale: toX }, { scale: toY }) =>
      was ? changeMarks([{ now, was, toX, toY }], colours) : [],
  });
  if (!example) return { plot, marks };
  const place = [x.scale(example.x), y.scale(0), y.scale(example.value)] as const;
  return { plot, marks: [...marks, ...exampleMarks(place, example.value, 4.5, colours)] };
}
