/** A part of the drawing that takes its place in a column, and how its words are written. No DOM. */

import type { Mark, TextMark } from "../../scene/marks.ts";
import type { Region } from "../../scene/regions.ts";

export interface Block {
  marks: Mark[];
  /** What can be pointed at. */
  regions: Region[];
  /** Where its heading begins. */
  top: number;
  /** The y at which the next block may start. */
  bottom: number;
}

/** Size of all words in the drawing. */
export const SIZE = 11;
/** Height of a line of words. */
export const LINE = 16;
export const GAP = 16;
export const PAD = 8;

/** Words on the line whose top is `y`. */
export function line(
  x: number,
  y: number,
  text: string,
  fill: string,
  how: Partial<TextMark> = {},
): TextMark {
  return { kind: "text", x, y: y + 11, text, fill, size: SIZE, ...how };
}

/** Rectangles with a frame of whole pixels of the screen. */
export function framed(
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
  stroke: string,
  width_ = 1,
): Mark {
  const inset = width_ / 2;
  const boxes = [x - inset, y - inset, width + width_, height + width_];
  return { kind: "rects", boxes, stroke, width: width_ };
}
