/** Marks that are drawn often: shapes, frames around places, and lines that are interrupted. */

import type { Spread } from "../phi/interpolate.ts";
import type { DotsMark, LinesMark, Mark, Paint, Rect, RectsMark, TextMark } from "./marks.ts";
import type { Colours } from "./theme.ts";

/** Sizes of words in a drawing. */
export const WORDS = 11;
export const SMALL = 10;

type RectPaint = Paint & Pick<RectsMark, "radius" | "fills">;

export const flat = ({ x, y, width, height }: Rect): number[] => [x, y, width, height];

export function rects(boxes: readonly number[], paint: RectPaint): RectsMark {
  return { kind: "rects", boxes, ...paint };
}

export function rect(box: Rect, paint: RectPaint): RectsMark {
  return rects(flat(box), paint);
}

/** A box with `by` more pixels at each side. */
export function grown({ x, y, width, height }: Rect, by: number): Rect {
  return { x: x - by, y: y - by, width: width + 2 * by, height: height + 2 * by };
}

/** A line through points: x0, y0, x1, y1, … */
export function line(xy: ArrayLike<number>, stroke: string, paint: Paint = {}): LinesMark {
  return { kind: "lines", xy, ends: [xy.length / 2], stroke, ...paint };
}

/** Lines of two points each. */
export function segments(xy: readonly number[], stroke: string, paint: Paint = {}): LinesMark {
  const ends = Array.from({ length: xy.length / 4 }, (_, k) => 2 * k + 2);
  return { kind: "lines", xy, ends, stroke, ...paint };
}

export function dot(x: number, y: number, r: number, paint: Paint): DotsMark {
  return { kind: "dots", xy: [x, y], r, ...paint };
}

/** Words whose baseline begins at (x, y). */
export function words(
  x: number,
  y: number,
  text: string,
  fill: string,
  how: Partial<TextMark> = {},
): TextMark {
  return { kind: "text", x, y, text, fill, size: WORDS, ...how };
}

/** Words in the middle of a box. */
export function inMiddle(
  { x, y, width, height }: Rect,
  text: string,
  fill: string,
  how: Partial<TextMark> = {},
): TextMark {
  const middle = { anchor: "middle", middle: true } as const;
  return words(x + width / 2, y + height / 2, text, fill, { ...middle, ...how });
}

/** Where a hairline lies so that it covers whole pixels: the middle of the device pixel that holds `value`. */
export function snapped(value: number, ratio: number): number {
  return (Math.floor(value * ratio) + 0.5) / ratio;
}

/** A band, and where its points are drawn. */
interface PlacedBand extends Spread {
  at(x: number, y: number): readonly [number, number];
}

/** The look of bands in all views: the range of an ensemble's networks as an area, their median as a line. */
export function bandMarks(
  all: readonly (PlacedBand | null | undefined)[],
  { range, median }: Colours,
): LinesMark[] {
  const bands = all.filter((band) => band != null);
  const batch = (part: keyof Spread, paint: Partial<LinesMark>): LinesMark => {
    const ends: number[] = [];
    const xy = bands.flatMap(({ at, [part]: { x, y } }) => {
      ends.push((ends.at(-1) ?? 0) + x.length);
      return x.flatMap((from, p) => at(from, y[p]));
    });
    return { kind: "lines", xy, ends, ...paint };
  };
  if (bands.length === 0) return [];
  const area = batch("range", { closed: true, fill: range });
  return [area, batch("median", { stroke: median, width: 1.25 })];
}

/** Frames a box. */
export function outline(box: Rect, stroke: string, width = 1, outset = 0.5, dash?: number[]) {
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
