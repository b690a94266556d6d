/** A part of the drawing that takes its place in a column, what it is drawn with, and how its words are written. */

import { rangeOf } from "../../phi/images.ts";
import type { Mark, Pixels, TextMark } from "../../scene/marks.ts";
import type { Region } from "../../scene/regions.ts";
import { WORDS, words } from "../../scene/shapes.ts";
import type { Theme } from "../../scene/theme.ts";
import type { Explanation, LayerShares, MapOf } from "./content.ts";

export interface Block {
  marks: Mark[];
  /** What can be pointed at. */
  region: Region;
  /** Where its heading begins. */
  top: number;
  /** The y at which the next block may start. */
  bottom: number;
}

/** A scale of ±most; `cut`: a few values lie beyond it. */
export type Span = ReturnType<typeof spanOf>;

/** This share of the sizes that can be seen at all lies on the scale of a map; a few large ones would make it empty. */
const SHARE_ON_SCALE = 0.98;
const SEEN_SHARE = 0.01;

export function spanOf(maps: readonly MapOf[]) {
  const sizes = maps.flatMap(({ data }) => Array.from(data, Math.abs).filter(Number.isFinite));
  const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
  const seen = sizes.filter((size) => size > SEEN_SHARE * largest).sort((a, b) => a - b);
  const most = seen[Math.ceil(SHARE_ON_SCALE * seen.length) - 1] ?? 0;
  return { most, cut: most < largest };
}

/** What all blocks of a layer are drawn with. */
export interface BlockStyle {
  part: LayerShares;
  /** null where the input is no image. */
  plate: Plate | null;
  span: Span;
  selected: number;
  theme: Theme;
}

export type Corner = readonly [x: number, y: number];

/** Size of all words in the drawing. */
export const SIZE = WORDS;
/** Height of a line of words. */
export const LEADING = 16;
export const GAP = 16;

/** Words on the line whose top is `y`. */
export function wordsAt(
  x: number,
  y: number,
  text: string,
  fill: string,
  how: Partial<TextMark> = {},
): TextMark {
  return words(x, y + 11, text, fill, how);
}

type Image = NonNullable<Explanation["image"]>;

export type Plate = ReturnType<typeof plateOf>;

/** An image with more edges than this, as a share of all there could be, has no outline that says anything. */
const BUSY_SHARE = 0.25;

export function plateOf(image: Image) {
  const pixels = imagePixels(image);
  return { image, pixels, edges: outlineOf(pixels) };
}

/** The largest box of the image's shape in a square; a whole number of pixels for each of its own where that is near. */
export function boxIn({ width, height }: Image, side: number): { width: number; height: number } {
  const longest = Math.max(width, height);
  const whole = Math.floor(side / longest) * longest;
  const scale = (whole >= 0.9 * side ? whole : side) / longest;
  return { width: scale * width, height: scale * height };
}

/** The image as it is: three channels are red, green and blue, of others the first is shown. */
function imagePixels({ channels, height, width, data }: Image): Pixels {
  const size = height * width;
  const [low, high] = rangeOf(data);
  const rgba = new Uint8ClampedArray(4 * size).fill(255);
  for (let p = 0; p < size; p++) {
    for (let c = 0; c < 3; c++) {
      const value = data[(channels === 3 ? c : 0) * size + p];
      rgba[4 * p + c] = Math.round((255 * (value - low)) / (high - low));
    }
  }
  return { width, height, rgba };
}

/**
 * Where the image crosses its middle brightness, as edges between pixels: x0, y0, x1, y1 of each, in pixels of the image.
 * Empty where there would be too many.
 */
export function outlineOf({ width, height, rgba }: Pixels): number[] {
  const bright = (row: number, column: number) => {
    const p = 4 * (row * width + column);
    return rgba[p] + rgba[p + 1] + rgba[p + 2] > 382;
  };
  const edges: number[] = [];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const here = bright(row, column);
      if (column > 0 && here !== bright(row, column - 1)) edges.push(column, row, column, row + 1);
      if (row > 0 && here !== bright(row - 1, column)) edges.push(column, row, column + 1, row);
    }
  }
  return edges.length / 4 > BUSY_SHARE * 2 * width * height ? [] : edges;
}
