/** Frames around places, and lines that are interrupted. */

import type { Mark, Rect } from "./marks.ts";
import { grown, rect } from "./shapes.ts";
import type { Colours } from "./theme.ts";

/** Frames a box. */
export function outline(
  box: Rect,
  stroke: string,
  width = 1,
  outset = 0.5,
  dash?: readonly number[],
): Mark {
  return rect(grown(box, outset), { stroke, width, dash });
}

/** Frames what is chosen so that it stands out on any ground. */
export function framed(box: Rect, stroke: string, { surface }: Pick<Colours, "surface">): Mark[] {
  return [outline(box, surface, 4, 1), outline(box, stroke, 2, 1)];
}

/** The frame around the place where the keyboard is. */
export function cursorMark(box: Rect, { ink }: Pick<Colours, "ink">, outset = 1): Mark {
  return outline(box, ink, 1.5, outset, [3, 2]);
}

/** The points 0 to `count` − 1 as lines, which are interrupted where a point is not finite. */
export function interrupted(count: number, toX: (k: number) => number, toY: (k: number) => number) {
  const xy: number[] = [];
  const ends: number[] = [];
  let last = 0;
  for (let k = 0; k <= count; k++) {
    const y = k < count ? toY(k) : Number.NaN;
    const x = Number.isFinite(y) ? toX(k) : Number.NaN;
    if (Number.isFinite(x + y)) xy.push(x, y);
    else if (xy.length > last) {
      last = xy.length;
      ends.push(last / 2);
    }
  }
  return { kind: "lines", xy, ends } as const;
}
