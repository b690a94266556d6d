/** Places in rising numbers, and round numbers. */

import { bisectRight } from "d3-array";

/** The last of some rising numbers that is not above x; the first where all are. */
export function rowBefore(xs: ArrayLike<number>, x: number, most = xs.length - 1): number {
  return Math.max(0, Math.min(most, bisectRight(xs, x) - 1));
}

/** Smallest of 1, 2 or 5 · 10^k that is at least `least`, but for rounding; 1 for what is no length. */
export function roundStep(least: number): number {
  if (!(least > 0) || !Number.isFinite(least)) return 1;
  for (let decade = Math.floor(Math.log10(least)); ; decade++) {
    for (const digit of [1, 2, 5]) {
      const step = Number(`${digit}e${decade}`);
      if (step >= least * (1 - 1e-9)) return step;
    }
  }
}
