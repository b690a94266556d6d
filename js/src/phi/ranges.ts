/** How far functions reach from zero: the scales of the drawings. */

import type { LayerLayout } from "../wire/types.ts";
import type { Curves } from "./curves.ts";

const STEPS = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8];

/** The smallest of {1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8} · 10^k that is at least m; 1 for 0, NaN and infinity. */
export function niceCeil(m: number): number {
  if (!(m > 0) || !Number.isFinite(m)) return 1;
  // One decade early: log10 may round up just below a power of ten.
  for (let k = Math.floor(Math.log10(m)) - 1; ; k++) {
    for (const step of STEPS) {
      const nice = Number(`${step}e${k}`); // parsed, so that 3e-3 is 0.003 and not 3 · 0.001
      if (nice >= m) return nice;
    }
  }
}

/**
 * max |φ_f| over the points of each function; NaN for a function with a value that is not finite, which is how the
 * views know that it cannot be drawn.
 */
export function functionRanges(layer: LayerLayout, curves: Curves): Float32Array {
  const { x, y, points } = curves;
  const ranges = new Float32Array(layer.count);
  for (let f = 0; f < layer.count; f++) {
    const start = f * points;
    const stop = start + x[layer.tableOf ? layer.tableOf[f] : 0].length;
    let largest = 0;
    let sum = 0;
    for (let i = start; i < stop; i++) {
      const size = Math.abs(y[i]);
      if (size > largest) largest = size;
      sum += size;
    }
    ranges[f] = Number.isFinite(sum) ? largest : Number.NaN;
  }
  return ranges;
}

/** The largest range within each kernel o·in + i; NaN where none of its functions is finite. */
export function kernelRanges(
  layer: { shape: readonly [number, number, number, number] },
  perFunction: Float32Array,
): Float32Array {
  const [out, inputs, kh, kw] = layer.shape;
  const size = kh * kw;
  const ranges = new Float32Array(out * inputs);
  for (let kernel = 0; kernel < ranges.length; kernel++) {
    ranges[kernel] = largest(perFunction.subarray(kernel * size, (kernel + 1) * size));
  }
  return ranges;
}

/** The largest range in a layer; 0 where no function is finite. */
export function layerRange(perFunction: Float32Array): number {
  const range = largest(perFunction);
  return Number.isNaN(range) ? 0 : range;
}

function largest(ranges: Float32Array): number {
  let most = Number.NaN;
  for (const range of ranges) if (Number.isFinite(range) && !(range <= most)) most = range;
  return most;
}
