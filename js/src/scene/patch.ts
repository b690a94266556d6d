/** The functions of a kernel in cells of their own, with the inputs of a patch on them. */

import type { patchOf } from "../phi/response.ts";
import { linear } from "./axes.ts";
import type { Mark, Rect } from "./marks.ts";
import { flat, interrupted, rects, segments } from "./shapes.ts";
import type { Colours } from "./theme.ts";

/** Free pixels around the curve of a cell of this size: dots at its ends are whole. */
const insetIn = (size: number) => Math.max(2, Math.min(6, size / 10));

/** A line through each cell shows where its input is. */
export function patchMarks(
  { range: [lo, hi], curves, inputs, values, most }: ReturnType<typeof patchOf>,
  cells: readonly Rect[],
  colours: Colours,
): Mark[] {
  const zeros = cells.flatMap(({ x, y, width, height }) => {
    const middle = Math.round(y + height / 2) + 0.5;
    return [x, middle, x + width, middle];
  });
  const places = cells.map(({ x, y, width, height }) => ({
    toX: linear({ from: lo, to: hi }, x + insetIn(width), x + width - insetIn(width)),
    toY: linear({ from: 0, to: most }, y + height / 2, y + 1 + insetIn(height)),
  }));
  // One batch of lines: between two curves there is a point of none.
  const points = curves[0].length + 1;
  const drawn = interrupted(
    curves.length * points,
    (k) => places[Math.floor(k / points)].toX(lo + ((hi - lo) * (k % points)) / (points - 2)),
    (k) => places[Math.floor(k / points)].toY(curves[Math.floor(k / points)][k % points]),
  );
  const lines: number[] = [];
  const [above, below]: number[][] = [[], []];
  cells.forEach(({ y, height }, e) => {
    if (!inputs || !values || !Number.isFinite(inputs[e]) || !Number.isFinite(values[e])) return;
    const [cx, cy] = [places[e].toX(inputs[e]), places[e].toY(values[e])];
    lines.push(cx, y, cx, y + height);
    (values[e] < 0 ? below : above).push(cx, cy);
  });
  const r = Math.max(3, Math.min(4.5, (cells[0]?.width ?? 0) / 24));
  return [
    rects(cells.flatMap(flat), { fill: colours.cell }),
    segments(zeros, colours.zero),
    { ...drawn, stroke: colours.ink, width: r / 2.3, round: true },
    segments(lines, colours.accent, { opacity: 0.5 }),
    { kind: "dots", xy: above, r, fill: colours.more },
    { kind: "dots", xy: below, r, fill: colours.less },
  ];
}
