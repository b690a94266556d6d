/** The image as pixels, its outline, and the box that it has in a square. Maps are scene/heat.ts's. No DOM. */

import type { Pixels } from "../../scene/marks.ts";
import type { Content } from "./content.ts";

type Image = NonNullable<Content["image"]>;

/** What all pictures of one image share. */
export interface Plate {
  image: Image;
  pixels: Pixels;
  /** See outlineOf. */
  edges: number[];
}

/** An image with more edges than this, as a share of all there could be, has no outline that says anything. */
const BUSY = 0.25;

export function plateOf(image: Image): Plate {
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
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of data) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (!(low < high)) [low, high] = [low - 1, low + 1];
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
  return edges.length / 4 > BUSY * 2 * width * height ? [] : edges;
}
