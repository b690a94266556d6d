/** How far marks reach. */

import type { Mark, Rect, TextMark } from "./marks.ts";
import { flat } from "./shapes.ts";
import { MIDDLE, widthOf } from "./text.ts";

/** How far letters reach below their line at most, as a share of their size. */
const DESCENT = 0.3;

/** True if a box holds all of a mark but for half the width of its lines, and of its dots; false where only drawing would tell. */
export function holds(box: Rect, mark: Mark): boolean {
  if (mark.kind === "group") {
    const { clip, marks, at: [dx, dy] = [0, 0] } = mark;
    const inside = { ...box, x: box.x - dx, y: box.y - dy };
    const isClipped = clip !== undefined && lieIn(inside, corners(flat(clip)));
    return isClipped || marks.every((one) => holds(inside, one));
  }
  const xy = hullOf(mark);
  return xy !== null && lieIn(box, xy);
}

function lieIn({ x, y, width, height }: Rect, xy: ArrayLike<number>): boolean {
  const [right, bottom] = [x + width, y + height];
  for (let k = 0; k + 1 < xy.length; k += 2) {
    if (xy[k] < x || xy[k] > right || xy[k + 1] < y || xy[k + 1] > bottom) return false;
  }
  return true;
}

/** Points between which a mark lies: x0, y0, x1, y1, …; null where they are not known. */
function hullOf(mark: Exclude<Mark, { kind: "group" }>): ArrayLike<number> | null {
  switch (mark.kind) {
    case "path":
      // Curves stay within the points that shape them; arcs do not.
      return /^[\sMLCQZ\d.,e-]*$/.test(mark.d)
        ? (mark.d.match(/-?[\d.]+(?:e-?\d+)?/g)?.map(Number) ?? [])
        : null;
    case "lines":
    case "dots":
      return mark.xy;
    case "image":
      return corners(flat(mark.box));
    case "rects":
    case "tiles":
      return corners(mark.boxes);
    case "text":
      return cornersOf(mark);
  }
}

function cornersOf({ x, y, text, size, weight, anchor, turn, middle }: TextMark): number[] {
  const width = widthOf(text, size, weight);
  const line = y + (middle ? MIDDLE * size : 0);
  const from = anchor === "end" ? -width : anchor === "middle" ? -width / 2 : 0;
  const [up, down] = [size, DESCENT * size];
  if (turn === -90) return [x - up, line - from - width, x + down, line - from];
  const far = width + size;
  if (turn) return [x - far, line - far, x + far, line + far];
  return [x + from, line - up, x + from + width, line + down];
}

function corners(boxes: ArrayLike<number>): number[] {
  const xy: number[] = [];
  for (let k = 0; k < boxes.length; k += 4) {
    const [x, y] = [boxes[k], boxes[k + 1]];
    xy.push(x, y, x + boxes[k + 2], y + boxes[k + 3]);
  }
  return xy;
}
