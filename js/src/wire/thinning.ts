/** What is kept of a series of steps within a budget of bytes. */

interface Stepped {
  step: number;
}

export interface Thinned<T> {
  kept: T[];
  /** The least distance in steps between what is kept, the newest excepted. */
  gap: number;
}

/**
 * Thins a series to half the budget, evenly over its rising steps; null where it is within the budget. The first, the
 * newest and the pinned one always stay.
 */
export function thinned<T extends Stepped>(
  all: readonly T[],
  bytesOf: (one: T) => number,
  maxBytes: number,
  pinned = -1,
): Thinned<T> | null {
  const bytes = (some: readonly T[]) => some.reduce((sum, one) => sum + bytesOf(one), 0);
  if (all.length === 0 || bytes(all) <= maxBytes) return null;
  // Twice the mean distance drops every other one of an even series.
  const steps = all[all.length - 1].step - all[0].step;
  let kept = [...all];
  let gap = 0;
  for (
    let next = Math.max(1, Math.ceil((2 * steps) / all.length));
    kept.length > 2 && bytes(kept) > maxBytes / 2;
    next *= 2
  ) {
    kept = spaced(all, next, pinned);
    gap = next;
  }
  return { kept, gap };
}

/** The first, the last, the one pinned, and between them those at least `gap` steps after the one kept before. */
function spaced<T extends Stepped>(all: readonly T[], gap: number, pinned: number): T[] {
  const kept = [all[0]];
  for (const one of all.slice(1, -1)) {
    const far = one.step - kept[kept.length - 1].step >= gap;
    if (far || one.step === pinned) kept.push(one);
  }
  kept.push(all[all.length - 1]);
  return kept;
}

/** How many of a series by rising steps are at or before a step. */
export function countUntil(all: readonly Stepped[], step: number): number {
  let low = 0;
  let high = all.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (all[middle].step <= step) low = middle + 1;
    else high = middle;
  }
  return low;
}
