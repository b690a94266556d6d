/** How far functions reach from zero: the scales of the drawings. */

import { max, quickselect } from "d3-array";

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

/** The largest range within each kernel o·in + i; NaN where none of its functions is finite. */
export function kernelRanges(
  layer: { shape: readonly [number, number, number, number] },
  perFunction: Float32Array,
): Float32Array {
  const [out, inputs, kh, kw] = layer.shape;
  const size = kh * kw;
  const ranges = new Float32Array(out * inputs);
  for (let kernel = 0; kernel < ranges.length; kernel++) {
    let most = Number.NaN;
    for (let f = kernel * size; f < (kernel + 1) * size; f++) {
      const range = perFunction[f];
      if (Number.isFinite(range) && !(range <= most)) most = range;
    }
    ranges[kernel] = most;
  }
  return ranges;
}

/** The largest range in a layer; 0 where no function is finite. */
export function layerRange(perFunction: Float32Array): number {
  return max(perFunction.filter(Number.isFinite)) ?? 0;
}

/** The size that a share of the finite values stays within: the one at place share · (n − 1), rounded up; 0 of none. */
export function sizeWithin(values: Float32Array, share: number): number {
  const sizes = values.map(Math.abs).filter(Number.isFinite);
  if (sizes.length === 0) return 0;
  return atPlace(sizes, Math.ceil(share * (sizes.length - 1)));
}

/** The number that would be at a place if they were sorted; puts them into another order. */
export function atPlace(numbers: Float32Array | Float64Array, place: number): number {
  return quickselect(numbers, place)[place];
}

/** Smallest and largest finite value, and how many are not finite. */
export interface Reach {
  low: number;
  high: number;
  broken: number;
}

export function reachOf(values: ArrayLike<number>): Reach {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let broken = 0;
  for (let k = 0; k < values.length; k++) {
    const value = values[k];
    if (!(Math.abs(value) <= Number.MAX_VALUE)) broken++;
    else {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? { low, high, broken } : { low: 0, high: 0, broken };
}

/** The largest distance from zero. */
export function mostOf({ low, high }: Reach): number {
  return Math.max(Math.abs(low), Math.abs(high));
}
