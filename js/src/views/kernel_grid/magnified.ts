/** One function of the grid as a plot with axes, for what is pointed at. No DOM. */

import { samplePlan } from "../../phi/curves.ts";
import { axesMarks, fittedAxes, type Scale } from "../../scene/axes.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
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
  theme: Theme,
  { width, height } = { width: WIDTH, height: HEIGHT },
  others: readonly number[] = [],
): Mark[] | null {
  const { layer, xRange, subject, settings, ghost, initial } = picture;
  if (isGrey(settings) || Number.isNaN(picture.ranges[f])) return null;
  const { colours } = theme;
  const now = curveOf(subject, layer, f, xRange);
  const before = ghost && initial ? curveOf(ghost.subject, initial.layer, f, xRange) : null;
  const beside = others
    .filter((other) => other !== f && !Number.isNaN(picture.ranges[other]))
    .map((other) => curveOf(subject, layer, other, xRange));
  const shown = [now, ...(before ? [before] : []), ...beside];
  const what = settings.mode === "change" ? "change of φ" : `φ(${layer.variable})`;
  const {
    plot,
    x: below,
    y,
  } = fittedAxes(
    { x: 0, y: 6, width, height: height - 6 },
    { from: xRange[0], to: xRange[1] },
    shown.flatMap((curve) => [...curve.y]),
    { titles: { x: layer.variable, y: what }, most: { x: 6, y: 5 }, air: AIR },
  );
  const across = below.scale;
  const line = (points: Points) =>
    Array.from(points.x).flatMap((at, p) => [across(at), y.scale(points.y[p])]);
  const zero = y.scale(0);
  const drawn: Mark[] = [
    { kind: "rects", boxes: [plot.x, plot.y, plot.width, plot.height], fill: colours.plot },
    { kind: "rects", boxes: beyond(picture, f, plot, across), fill: colours.outside },
    ...axesMarks(plot, below, y, colours),
    {
      kind: "lines",
      xy: [plot.x, zero, plot.x + plot.width, zero],
      ends: [2],
      stroke: colours.muted,
    },
  ];
  for (const points of beside) {
    drawn.push({
      kind: "lines",
      xy: line(points),
      ends: [points.x.length],
      stroke: colours.zero,
      width: 1,
    });
  }
  if (before) {
    const paint = { stroke: colours.ghost, width: 1.5, dash: [3, 2.5] };
    drawn.push({ kind: "lines", xy: line(before), ends: [before.x.length], ...paint });
  }
  drawn.push({
    kind: "lines",
    xy: line(now),
    ends: [now.x.length],
    stroke: colours.ink,
    width: 1.75,
  });
  const value = subject.at(f, x);
  if (Number.isFinite(value)) {
    drawn.push({ kind: "dots", xy: [across(x), y.scale(value)], r: 3.5, fill: colours.accent });
  }
  return drawn;
}

/** What of a plot lies beyond the grid of a function. */
function beyond({ layer, xRange }: Picture, f: number, plot: Rect, across: Scale): number[] {
  const [low, high] = layer.bases[layer.tableOf?.[f] ?? 0]?.domain ?? layer.domain;
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
