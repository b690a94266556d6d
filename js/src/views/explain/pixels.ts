/** Pixels of the image, and of a map over it. No DOM. */

import { ARM, colourOf, type Palette } from "../../phi/palette.ts";
import type { Theme } from "../../shell/theme.ts";
import type { Content, MapOf } from "./content.ts";

type Image = NonNullable<Content["image"]>;
export type Pixels = Uint8ClampedArray<ArrayBuffer>;

/** How far the greys of an image under a map stand out from the page, 0 to 1. */
const FAINT = 0.3;
const GROUND = { light: 255, dark: 32 } as const;

/** The image as it is: three channels are red, green and blue, of others the first is shown. */
export function imagePixels(image: Image): Pixels {
  const { channels, height, width, data } = image;
  const size = height * width;
  const [low, high] = ends(data);
  const out = new Uint8ClampedArray(4 * size);
  for (let p = 0; p < size; p++) {
    for (let c = 0; c < 3; c++) {
      const value = data[(channels === 3 ? c : 0) * size + p];
      out[4 * p + c] = Math.round((255 * (value - low)) / (high - low));
    }
    out[4 * p + 3] = 255;
  }
  return out;
}

/** A map over the image, which shows through faintly where the map is near zero. */
export function overlayPixels(
  image: Image,
  map: MapOf,
  most: number,
  palette: Palette,
  theme: Theme,
): Pixels {
  const { height, width } = image;
  const plain = imagePixels(image);
  const out = new Uint8ClampedArray(4 * height * width);
  for (let row = 0; row < height; row++) {
    const r = Math.floor((row * map.height) / height);
    for (let column = 0; column < width; column++) {
      const value = map.data[r * map.width + Math.floor((column * map.width) / width)];
      const p = 4 * (row * width + column);
      const colour = colourOf(value, most);
      const share = Math.min(1, Math.abs(colour - ARM) / ARM) ** 0.6;
      for (let c = 0; c < 3; c++) {
        const ground = GROUND[theme] * (1 - FAINT) + plain[p + c] * FAINT;
        out[p + c] = ground * (1 - share) + palette.bytes[3 * colour + c] * share;
      }
      out[p + 3] = 255;
    }
  }
  return out;
}

function ends(data: Float32Array): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of data) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low < high ? [low, high] : [low - 1, low + 1];
}
