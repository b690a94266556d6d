/** How far functions reach from zero, and round numbers: the scales of the drawings. */

import { max, quickselect } from "d3-array";
import type { Frame, Store } from "../wire/types.ts";

/** The largest of the finite numbers; 0 where there is none. */
export function largestFinite(numbers: Float32Array): number {
  return max(numbers.filter(Number.isFinite)) ?? 0;
}

/** The size that a share of the finite values stays within: the one at place share · (n − 1), rounded up; 0 where there is none. */
export function sizeWithin(values: Float32Array, share: number): number {
  const sizes = values.map(Math.abs).filter(Number.isFinite);
  if (sizes.length === 0) return 0;
  return atPlace(sizes, Math.ceil(share * (sizes.length - 1)));
}

/** The number at a place of the sorted order; changes the order of `numbers`. */
export function atPlace(numbers: Float32Array | Float64Array, place: number): number {
  return quickselect(numbers, place)[place];
}

export type Reach = ReturnType<typeof reachOf>;

/** Smallest and largest finite value, and how many are not finite. */
export function reachOf(values: ArrayLike<number>) {
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

export function mostOf({ low, high }: Reach): number {
  return Math.max(Math.abs(low), Math.abs(high));
}

/** The frame to draw, or the last one before it whose numbers are all finite; the first where there is none. */
export function lastFinite(store: Pick<Store, "current" | "at" | "initial">): Frame | null {
  let frame = store.current();
  while (frame && !frame.data.every(Number.isFinite)) frame = store.at(frame.step - 1);
  return frame ?? store.initial();
}

/** At most so many functions are cut: those that reach more than this many times as far as all others. */
const CUT_SHARE = 0.1;
const READABLE = 1.25;

/** How far the largest of many functions reaches, but not much further than all but a tenth, lest it press them flat. */
export function readableSize(sizes: Float32Array): number {
  const [others, most] = [sizeWithin(sizes, 1 - CUT_SHARE), largestFinite(sizes)];
  return others > 0 ? Math.min(most, READABLE * others) : most;
}

function roundUp(least: number, digits: readonly number[]): number {
  if (!(least > 0) || !Number.isFinite(least)) return 1;
  // One decade early: log10 may round up just below a power of ten.
  for (let decade = Math.floor(Math.log10(least)) - 1; ; decade++) {
    for (const digit of digits) {
      const round = Number(`${digit}e${decade}`); // parsed, so that 3e-3 is 0.003 and not 3 · 0.001
      if (round >= least) return round;
    }
  }
}

/** The end of a scale: the smallest of {1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8} · 10^k that is at least m; 1 for 0, NaN and infinity. */
export function niceCeil(m: number): number {
  return roundUp(m, [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8]);
}

/** A step: the smallest of 1, 2 or 5 · 10^k that is at least `least`, but for rounding; 1 for what is no length. */
export function roundStep(least: number): number {
  return roundUp(least * (1 - 1e-9), [1, 2, 5]);
}
