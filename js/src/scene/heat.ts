/** Numbers as small pictures of coloured or grey squares. */

import { formatNumber } from "../phi/format.ts";
import { channelOf, type Images, rangeOf } from "../phi/images.ts";
import type { Ends } from "../phi/inputs.ts";
import { memoryOf } from "../phi/memory.ts";
import { ARM, colourise, type Palette, paletteOf } from "../phi/palette.ts";
import type { Mark, Pixels } from "./marks.ts";
import { outline, WORDS, words } from "./shapes.ts";
import { widthOf } from "./text.ts";
import type { Theme } from "./theme.ts";

/** The widest sheet of tiles: well within what browsers allow. */
const WIDEST = 4096;

/** Values row by row on a scale of ±most; a chequered grey where they are not finite. */
export function heatOf(values: ArrayLike<number>, width: number, most: number, palette: Palette) {
  const out = new Uint32Array(values.length);
  colourise(values, most, palette, out, width);
  return pixelsOf(out, width);
}

/** Values row by row from black at `low` to white at `high`; a middle grey where they are not finite. */
export function greyPixels(values: ArrayLike<number>, width: number, [low, high]: Ends): Pixels {
  const rgba = new Uint8ClampedArray(4 * values.length).fill(255);
  for (let k = 0; k < values.length; k++) {
    const share = (values[k] - low) / (high - low);
    const level = Number.isFinite(share) ? Math.round(255 * Math.max(0, Math.min(1, share))) : 128;
    rgba.fill(level, 4 * k, 4 * k + 3);
  }
  return { width, height: values.length / width, rgba };
}

/** The first channel of each image in greys, each on a scale of its own. */
export function thumbnailsOf(images: Images, most = images.count): Pixels[] {
  return memoryOf(images.data)("thumbnails", [], () =>
    Array.from({ length: Math.min(images.count, most) }, (_, k) => {
      const values = channelOf(images, k, 0);
      return greyPixels(values, images.width, rangeOf(values));
    }),
  );
}

/** A sheet of `count` pictures of width × height: `fill` writes the pixels of one. */
export function sheetOf(
  count: number,
  width: number,
  height: number,
  fill: (index: number, pixels: Uint32Array) => void,
): { sheet: Pixels; across: number; size: [number, number] } {
  const across = Math.max(1, Math.min(count, Math.floor(WIDEST / width)));
  const sheetWidth = across * width;
  const out = new Uint32Array(sheetWidth * Math.max(1, Math.ceil(count / across)) * height);
  const tile = new Uint32Array(width * height);
  for (let k = 0; k < count; k++) {
    fill(k, tile);
    const corner = Math.floor(k / across) * height * sheetWidth + (k % across) * width;
    for (let row = 0; row < height; row++) {
      out.set(tile.subarray(row * width, (row + 1) * width), corner + row * sheetWidth);
    }
  }
  return { sheet: pixelsOf(out, sheetWidth), across, size: [width, height] };
}

function pixelsOf(values: Uint32Array, width: number): Pixels {
  const rgba = new Uint8ClampedArray(values.buffer);
  return { width, height: values.length / width, rgba };
}

/** The colours of a palette from the lowest value to the highest, for a swatch. */
export function rampOf({ bytes }: Palette): string[] {
  return Array.from({ length: 31 }, (_, k) => cssOf(bytes, (k * ARM) / 15));
}

/** Colour number `at` of a palette. */
export function cssOf(bytes: Palette["bytes"], at: number): string {
  const [red, green, blue] = bytes.subarray(3 * at, 3 * at + 3);
  return `rgb(${red},${green},${blue})`;
}

const BAR = 9;
const KEY_LINE = 16;
/** Height of a colour key: the bar and two lines of words. */
export const KEY_HEIGHT = BAR + 2 * KEY_LINE;

/** A key to the colours of a map from −most to +most, with its ends, its zero, and what they mean: the longer words where they fit. */
export function colourKey(
  [x, y, width]: readonly [number, number, number],
  {
    most,
    cut = false,
    below,
    above,
  }: { most: number; cut?: boolean; below: readonly string[]; above: readonly string[] },
  { name, colours: { muted, line } }: Theme,
): Mark[] {
  const steps = 2 * ARM + 1;
  const values = Float64Array.from({ length: steps }, (_, k) => (most * (k - ARM)) / ARM);
  const box = { x, y, width, height: BAR };
  const [first, second] = [y + BAR + 13, y + BAR + KEY_LINE + 10];
  const long = widthOf(below[0], WORDS) + widthOf(above[0], WORDS) + KEY_LINE <= width ? 0 : 1;
  const end = { anchor: "end" } as const;
  return [
    { kind: "image", box, pixels: heatOf(values, steps, most, paletteOf(name)), smooth: true },
    outline(box, line),
    words(x, first, `${cut ? "≤ " : ""}${formatNumber(-most)}`, muted),
    words(x + width / 2, first, "0", muted, { anchor: "middle" }),
    words(x + width, first, `${cut ? "≥ " : ""}+${formatNumber(most)}`, muted, end),
    words(x, second, below[long] ?? below[0], muted),
    words(x + width, second, above[long] ?? above[0], muted, end),
  ];
}
