/** One function of the grid as a plot with axes, for what is pointed at. No DOM. */

import { samplePlan } from "../../phi/curves.ts";
import { basisOf } from "../../phi/entries.ts";
import { axesMarks, fittedAxes, type Scale } from "../../scene/axes.ts";
import type { Mark, Paint, Rect } from "../../scene/marks.ts";
import { dot, line, rect, rects } from "../../scene/shapes.ts";
import type { Theme } from "../../scene/theme.ts";
import type { Picture } from "./picture.ts";
import { isGrey } from "./settings.ts";
import type { Points, Subject } from "./subject.ts";

export const WIDTH = 230;
export const HEIGHT = 150;
const POINTS = 200;
/** Share of the height that stays free above and below. */
const AIR = 0.06;

/** The plot of function f, with a dot at x and other functions faint behind; null where it cannot be drawn. */
export function magnifiedMarks(
  picture: Picture,
  f: number,
  x: number,
  { colours }: Theme,
  { width, height } = { width: WIDTH, height: HEIGHT },
  others: readonly number[] = [],
): Mark[] | null {
  const { layer, xRange, subject, settings, ghost, initial } = picture;
  if (isGrey(settings) || Number.isNaN(picture.ranges[f])) return null;
  const now = curveOf(subject, layer, f, xRange);
  const before = ghost && initial ? curveOf(ghost.subject, initial.layer, f, xRange) : null;
  const beside = others
    .filter((other) => other !== f && !Number.isNaN(picture.ranges[other]))
    .map((other) => curveOf(subject, layer, other, xRange));
  const shown = [now, ...(before ? [before] : []), ...beside];
  const what = settings.mode === "change" ? "change of φ" : `φ(${layer.variable})`;
  const axes = fittedAxes(
    { x: 0, y: 6, width, height: height - 6 },
    { from: xRange[0], to: xRange[1] },
    shown.flatMap((curve) => [...curve.y]),
    { titles: { x: layer.variable, y: what }, most: { x: 6, y: 5 }, air: AIR },
  );
  const { plot, y } = axes;
  const across = axes.x.scale;
  const drawn = (points: Points, stroke: string, paint: Paint) =>
    line(
      Array.from(points.x).flatMap((at, p) => [across(at), y.scale(points.y[p])]),
      stroke,
      paint,
    );
  const zero = y.scale(0);
  const value = subject.at(f, x);
  return [
    rect(plot, { fill: colours.plot }),
    rects(beyond(picture, f, plot, across), { fill: colours.outside }),
    ...axesMarks(plot, axes.x, y, colours),
    line([plot.x, zero, plot.x + plot.width, zero], colours.muted),
    ...beside.map((points) => drawn(points, colours.zero, { width: 1 })),
    ...(before ? [drawn(before, colours.ghost, { width: 1.5, dash: [3, 2.5] })] : []),
    drawn(now, colours.ink, { width: 1.75 }),
    ...(Number.isFinite(value)
      ? [dot(across(x), y.scale(value), 3.5, { fill: colours.accent })]
      : []),
  ];
}

/** What of a plot lies beyond the grid of a function. */
function beyond({ layer, xRange }: Picture, f: number, plot: Rect, across: Scale): number[] {
  const [low, high] = basisOf(layer, f).domain;
  const part = (from: number, to: number) =>
    from < to ? [across(from), plot.y, across(to) - across(from), plot.height] : [];
  return [
    ...part(xRange[0], Math.min(xRange[1], low)),
    ...part(Math.max(xRange[0], high), xRange[1]),
  ];
}

function curveOf(
  subject: Subject,
  layer: Picture["layer"],
  f: number,
  xRange: readonly [number, number],
): Points {
  const plan = samplePlan(layer, xRange, POINTS);
  const out = { x: new Float32Array(plan.points), y: new Float32Array(plan.points) };
  const n = subject.curve(f, plan, out);
  return { x: out.x.subarray(0, n), y: out.y.subarray(0, n) };
}
