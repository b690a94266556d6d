/** Each entry from black to white, by φ at one end of its grid against φ at the other. */

import { extent } from "d3-array";
import { basisOf } from "../../phi/entries.ts";
import { formatNumber } from "../../phi/format.ts";
import type { LayerLayout, Observed } from "../../wire/types.ts";
import type { Subject } from "./subject.ts";

/** How near the darkest pixel has to be to −1, and none beyond ±1. */
const PIXEL_TOLERANCE = 1e-3;

export interface Pattern {
  /** φ(high) − φ(low) per function; NaN where not finite. */
  contrast: Float32Array;
  /** Whether the ends are dark and bright pixels. */
  pixels: boolean;
}

/** φ(high) − φ(low) of every function. */
export function contrastOf(subject: Subject, layer: LayerLayout): Float32Array {
  return Float32Array.from({ length: layer.count }, (_, f) => {
    const [low, high] = basisOf(layer, f).domain;
    const v = subject.at(f, high) - subject.at(f, low);
    return Math.abs(v) <= Number.MAX_VALUE ? v : Number.NaN;
  });
}

/** 0 black … 1 white. */
export function contrastGrey(contrast: number, most: number, binarise: boolean): number {
  if (Number.isNaN(contrast)) return contrast;
  if (binarise) return contrast < 0 ? 0 : 1;
  return most > 0 ? 0.5 + (0.5 * contrast) / most : 0.5;
}

/** Whether x is known to be the pixels of images with −1 for dark and +1 for bright. */
export function seesPixels(layer: LayerLayout, observed: Observed | null): boolean {
  const whole = layer.bases.every(({ domain: [low, high] }) => low === -1 && high === 1);
  if (!whole || layer.kind !== "conv" || layer.variable !== "x") return false;
  if (!observed?.isImage || !observed.maps) return false;
  const [least = 0, most = 0] = extent(observed.maps);
  return Math.abs(least + 1) <= PIXEL_TOLERANCE && most <= 1 + PIXEL_TOLERANCE;
}

/** What black and white stand for. */
export function patternText({ variable, bases }: LayerLayout, pixels: boolean): string {
  const lows = bases.map(({ domain }) => domain[0]);
  const highs = bases.map(({ domain }) => domain[1]);
  const alike = new Set(lows).size === 1 && new Set(highs).size === 1;
  const [low, high] = [spread(lows), spread(highs)];
  if (!alike)
    return `black: φ is larger at the low end, ${variable} = ${low} · white: at the high end, ${high}`;
  if (pixels) return "black: φ is larger for dark pixels (x = −1) · white: for bright (x = 1)";
  return `black: φ is larger at ${variable} = ${low} · white: at ${variable} = ${high}`;
}

/** The least of some numbers and the largest, or the one that all are. */
function spread(values: Iterable<number>): string {
  const [least = Number.NaN, most = Number.NaN] = extent(values);
  return least === most ? formatNumber(least) : `${formatNumber(least)} … ${formatNumber(most)}`;
}
