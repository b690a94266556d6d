/** A part of the drawing that takes its place in a column, what it is drawn with, and how its words are written. No DOM. */

import type { Mark, TextMark } from "../../scene/marks.ts";
import type { Region } from "../../scene/regions.ts";
import { grown, rect, WORDS, words } from "../../scene/shapes.ts";
import type { Theme } from "../../scene/theme.ts";
import type { Part, Span } from "./content.ts";
import type { Plate } from "./pixels.ts";

export interface Block {
  marks: Mark[];
  /** What can be pointed at. */
  region: Region;
  /** Where its heading begins. */
  top: number;
  /** The y at which the next block may start. */
  bottom: number;
}

/** What all blocks of a layer are drawn with. */
export interface Drawn {
  part: Part;
  /** null where the input is no image. */
  plate: Plate | null;
  /** The scale of its maps. */
  span: Span;
  selected: number;
  theme: Theme;
}

export type Place = readonly [x: number, y: number];

/** Size of all words in the drawing. */
export const SIZE = WORDS;
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
  return words(x, y + 11, text, fill, how);
}

/** A frame around a box, of whole pixels of the screen. */
export function framed(
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
  stroke: string,
  wide = 1,
): Mark {
  return rect(grown({ x, y, width, height }, wide / 2), { stroke, width: wide });
}
