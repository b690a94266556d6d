/** Curves that are not finite from some step on to their end. */

import { mean, range } from "d3-array";
import { formatCount } from "../phi/format.ts";
import type { Points, Scale } from "./axes.ts";
import type { Mark, Rect } from "./marks.ts";
import { rect, words } from "./shapes.ts";
import { fitting, widthOf } from "./text.ts";
import type { Colours } from "./theme.ts";

const TEXT_SIZE = 11;
/** How much longer the axis is than the steps with values where no number follows them, as a share of those steps. */
const LOST = 0.25;

/** The place of the first value from which on none is finite; the length where the last value is. */
function lostAt({ y }: Points): number {
  let count = y.length;
  while (count > 0 && !Number.isFinite(y[count - 1])) count--;
  return count;
}

/** Where an axis of steps ends so that an area without numbers is not most of it; Infinity where no panel has lost all curves. */
export function cutAt(panels: readonly { curves: readonly Points[] }[], first: number): number {
  const lost = panels.map(({ curves }) => {
    const withSteps = curves.filter(({ x }) => x.length > 0);
    return Math.max(...withSteps.map((one) => one.x[lostAt(one)] ?? Number.POSITIVE_INFINITY));
  });
  return Math.min(
    ...lost.filter((step) => step > first).map((step) => Math.ceil(step + LOST * (step - first))),
  );
}

/** Marks from when on a curve is not finite to its end; none where its last value is. */
export function lostMarks(
  curve: Points & { name: string },
  isNamed: boolean,
  plot: Rect,
  [toX, toY]: readonly [Scale, Scale],
  colours: Colours,
): Mark[] {
  const { name, x, y } = curve;
  const at = lostAt(curve);
  if (at === x.length) return [];
  const [from, to] = [toX(x[at]), toX(x[x.length - 1])];
  const short = `not a number since step ${formatCount(x[at])}`;
  const texts = [isNamed ? `${name} is ${short}` : short, short, "not a number", "NaN"];
  const text = fitting(texts, plot.width, TEXT_SIZE);
  const room = plot.x + plot.width - from - 6;
  const textWidth = widthOf(text, TEXT_SIZE);
  const style = { size: TEXT_SIZE, ...(textWidth > room && { anchor: "end" as const }) };
  // Beside the area the text stands where the curve leaves more room, above or below.
  const beside = mean(
    range(at).filter((k) => toX(x[k]) > from - 6 - textWidth),
    (k) => toY(y[k]),
  );
  const isLow = (beside ?? 0) > plot.y + plot.height / 2;
  const [across, down] = style.anchor
    ? [Math.max(from - 6, plot.x + textWidth), isLow ? 12 : plot.height - 8]
    : [from + 6, 16];
  return [
    rect({ ...plot, x: from, width: Math.max(1, to - from) }, { fill: colours.outside }),
    words(across, plot.y + down, text, colours.warn, style),
  ];
}
