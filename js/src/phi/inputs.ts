/** Where the inputs of functions lie, as a batch has shown it. */

import type { Observed, Store } from "../wire/types.ts";
import { formatCount } from "./format.ts";
import { memoryOf } from "./memory.ts";
import { roundStep } from "./ranges.ts";

export type Ends = readonly [low: number, high: number];

/** When inputs were seen: " at step 40", or "" where that is a `step` that is given, or makes no difference. */
export function seenThen(observed: Observed | null, step?: number): string {
  // The examples themselves are the same, whatever the model is.
  if (!observed || observed.isImage || (observed.step ?? step) === step) return "";
  return ` at step ${formatCount(observed.step as number)}`;
}

/** After this many steps without a batch, or without a value, none is expected any more. */
export const WITHOUT = 50;

/** Whether nothing has run through a network yet, and something still may. */
export const waitsForBatch = (store: Pick<Store, "probe" | "alone" | "latest"> | null): boolean =>
  store !== null && store.probe() === null && !store.alone() && !store.latest()?.step;

/** This share of the inputs lies below their ends, and as much above. */
const TAIL_SHARE = 0.005;

/** Inputs that vary over less than this share of the grid do not say which part of x to show. */
const NARROW_SHARE = 0.05;

/** Values that are sorted for the ends of a whole layer: more give the same ends, later. */
const MOST_SORTED = 20_000;

/** The ends of what each entry got, but for the outermost 0.5 % on either side; null where it got nothing. */
export function inputEnds(observed: Observed): readonly (Ends | null)[] {
  const { patches, patchCount, entries } = observed;
  const endOf = (entry: number) =>
    endsOf(Float64Array.from({ length: patchCount }, (_, p) => patches[p * entries + entry]));
  return memoryOf(observed)("ends", [], () =>
    Array.from({ length: entries }, (_, entry) => endOf(entry)),
  );
}

function endsOf(values: Float64Array): Ends | null {
  const finite = values.filter(Number.isFinite).sort();
  if (finite.length === 0) return null;
  const last = finite.length - 1;
  return [finite[Math.floor(TAIL_SHARE * last)], finite[Math.ceil((1 - TAIL_SHARE) * last)]];
}

/** The ends of all inputs of a layer together, from as many patches as tell them; null where it got nothing. */
export function allInputEnds({ patches, patchCount, entries }: Observed): Ends | null {
  const every = Math.ceil((patchCount * entries) / MOST_SORTED);
  const values: number[] = [];
  for (let p = 0; p < patchCount; p += every) {
    for (let k = p * entries; k < (p + 1) * entries; k++) values.push(patches[k]);
  }
  return endsOf(Float64Array.from(values));
}

/** Where to look at a function: at its inputs, or at its grid where none were seen or where they hardly vary. */
export function endsOrGrid(ends: Ends | null, grid: Ends): Ends {
  return ends && ends[1] - ends[0] > NARROW_SHARE * (grid[1] - grid[0]) ? ends : grid;
}

/** Ends are rounded outwards to a multiple of a step, of which at most this many fit between them. */
const STEPS_BETWEEN_ENDS = 10;

export function roundedOut([from, to]: Ends): [number, number] {
  const step = roundStep((to - from) / STEPS_BETWEEN_ENDS);
  const out = (value: number, end: (v: number) => number) =>
    Number((end(Number((value / step).toPrecision(6))) * step).toPrecision(6));
  return [out(from, Math.floor), out(to, Math.ceil)];
}

/** Whether a click can show what reaches a layer: Python has a batch, and nobody has looked yet. */
export function offersObserving(store: Store | null, layer: string): boolean {
  return store?.batch().seen === true && !store.alone() && store.observed(layer) === null;
}
