/** How far marks reach. No DOM. */

import type { Mark, Rect } from "./marks.ts";
import { MIDDLE, widthOf } from "./text.ts";

/** Left, top, right, bottom. */
type Edges = readonly [number, number, number, number];

const NONE: Edges = [Infinity, Infinity, -Infinity, -Infinity];
const ALL: Edges = [-Infinity, -Infinity, Infinity, Infinity];

/** What of its size a font's letters reach at most below their line. */
const DESCENT = 0.3;

/**
 * True if a box holds all of a mark but for half the width of its lines, and of its dots; false also where only drawing
 * would tell.
 */
export function holds(box: Rect, mark: Mark): boolean {
  const [left, top, right, bottom] = edgesOf(mark);
  return (
    left >= box.x && top >= box.y && right <= box.x + box.width && bottom <= box.y + box.height
  );
}

function edgesOf(mark: Mark): Edges {
  switch (mark.kind) {
    case "path":
      // Curves stay within the points that shape them; arcs do not.
      return /^[\sMLCQZ\d.,e-]*$/.test(mark.d)
        ? around(mark.d.match(/-?[\d.]+(?:e-?\d+)?/g)?.map(Number) ?? [])
        : ALL;
    case "lines":
    case "dots":
      return around(mark.xy);
    case "image":
      return boxed([mark.box.x, mark.box.y, mark.box.width, mark.box.height]);
    case "rects":
    case "tiles":
      return boxed(mark.boxes);
    case "text": {
      const { x, text, size, weight, anchor, turn } = mark;
      const y = mark.y + (mark.middle ? MIDDLE * size : 0);
      const width = widthOf(text, size, weight);
      const before = anchor === "end" ? width : anchor === "middle" ? width / 2 : 0;
      const [from, to] = [-before, width - before];
      if (turn === -90) return [x - size, y - to, x + DESCENT * size, y - from];
      if (turn) return around([x, y], width + size);
      return [x + from, y - size, x + to, y + DESCENT * size];
    }
    case "group": {
      const [left, top, right, bottom] = mark.marks.map(edgesOf).reduce(joined, NONE);
      const { clip, at: [dx, dy] = [0, 0] } = mark;
      return [
        Math.max(left, clip?.x ?? -Infinity) + dx,
        Math.max(top, clip?.y ?? -Infinity) + dy,
        Math.min(right, clip ? clip.x + clip.width : Infinity) + dx,
        Math.min(bottom, clip ? clip.y + clip.height : Infinity) + dy,
      ];
    }
  }
}

function joined(one: Edges, other: Edges): Edges {
  return [
    Math.min(one[0], other[0]),
    Math.min(one[1], other[1]),
    Math.max(one[2], other[2]),
    Math.max(one[3], other[3]),
  ];
}

function around(xy: ArrayLike<number>, reach = 0): Edges {
  let [left, top, right, bottom] = NONE;
  for (let k = 0; k + 1 < xy.length; k += 2) {
    if (xy[k] < left) left = xy[k];
    if (xy[k] > right) right = xy[k];
    if (xy[k + 1] < top) top = xy[k + 1];
    if (xy[k + 1] > bottom) bottom = xy[k + 1];
  }
  return [left - reach, top - reach, right + reach, bottom + reach];
}

function boxed(boxes: ArrayLike<number>): Edges {
  const corners: number[] = [];
  for (let k = 0; k < boxes.length; k += 4) {
    const [x, y] = [boxes[k], boxes[k + 1]];
    corners.push(x, y, x + boxes[k + 2], y + boxes[k + 3]);
  }
  return around(corners);
}
