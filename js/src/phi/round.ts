/** Round numbers, at or above others. */

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
