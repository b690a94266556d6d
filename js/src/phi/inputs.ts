/** Where the inputs of functions lie, as a batch has shown it. No DOM. */

import type { Observed } from "../wire/types.ts";

export type Ends = readonly [low: number, high: number];

/** So much of the inputs of an entry lies below its ends, and so much above. */
const TAIL = 0.005;

/** Inputs that vary over less than this share of the grid do not say which part of x to show. */
const NARROW = 0.05;

const known = new WeakMap<Observed, readonly (Ends | null)[]>();

/** The ends of what each entry got, but for the outermost 0.5 % on either side; null where it got nothing. */
export function inputEnds(observed: Observed): readonly (Ends | null)[] {
  const found = known.get(observed);
  if (found) return found;
  const { patches, entries } = observed;
  const ends = Array.from({ length: entries }, (_, entry) =>
    tailsOf(patches, TAIL, entry, entries),
  );
  known.set(observed, ends);
  return ends;
}

/** The ends of every `step`-th value, but for a share of the finite ones on either side; null where none is finite. */
export function tailsOf(values: ArrayLike<number>, share: number, from = 0, step = 1): Ends | null {
  let count = 0;
  for (let k = from; k < values.length; k += step) if (Number.isFinite(values[k])) count++;
  if (count === 0) return null;
  const many = Math.floor(share * (count - 1)) + 1;
  return [
    lastOfLeast(values, many, 1, from, step),
    -lastOfLeast(values, many, -1, from, step),
  ];
}

/** The largest of so many smallest numbers, which takes a fraction of the time of sorting. */
function lastOfLeast(
  values: ArrayLike<number>,
  many: number,
  sign: 1 | -1,
  from: number,
  step: number,
): number {
  const least = new Float64Array(many).fill(Number.POSITIVE_INFINITY);
  for (let k = from; k < values.length; k += step) {
    const value = sign * values[k];
    if (!(value < least[many - 1]) || value === Number.NEGATIVE_INFINITY) continue;
    let place = many - 1;
    for (; place > 0 && least[place - 1] > value; place--) least[place] = least[place - 1];
    least[place] = value;
  }
  return least[many - 1];
}

/** The ends of all entries together; null where none got anything. */
export function allInputEnds(observed: Observed): Ends | null {
  const ends = inputEnds(observed).filter((own) => own !== null);
  if (ends.length === 0) return null;
  const low = ends.reduce((least, [own]) => Math.min(least, own), Number.POSITIVE_INFINITY);
  const high = ends.reduce((most, [, own]) => Math.max(most, own), Number.NEGATIVE_INFINITY);
  return [low, high];
}

/** Where to look at a function: at its inputs, or at its grid where none were seen or where they hardly vary. */
export function endsOrGrid(ends: Ends | null, grid: Ends): Ends {
  return ends && ends[1] - ends[0] > NARROW * (grid[1] - grid[0]) ? ends : grid;
}

/** Ends are rounded out to a round number, of which at most so many lie between them. */
const ROUND = 10;

export function roundedOut([from, to]: Ends): [number, number] {
  const step = roundStep((to - from) / ROUND);
  const out = (value: number, end: (v: number) => number) =>
    Number((end(Number((value / step).toPrecision(6))) * step).toPrecision(6));
  return [out(from, Math.floor), out(to, Math.ceil)];
}

/** Smallest of 1, 2 or 5 · 10^k that is at least `least`. */
function roundStep(least: number): number {
  for (let decade = Math.floor(Math.log10(least)); ; decade++) {
    for (const n of [1, 2, 5])
      if (Number(`${n}e${decade}`) >= least) return Number(`${n}e${decade}`);
  }
}
