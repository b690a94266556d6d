/** Series of steps that are thinned to a budget of bytes. */

import { bisector, sum } from "d3-array";
import type { Activations } from "./types.ts";

interface Stepped {
  step: number;
}

/** The first, the last and the pinned entry, and between them those at least `gap` steps after the one kept before. */
function spaced<T extends Stepped>(series: readonly T[], gap: number, pinned: number): T[] {
  const entries = [series[0]];
  for (const entry of series.slice(1, -1)) {
    const far = entry.step - entries[entries.length - 1].step >= gap;
    if (far || entry.step === pinned) entries.push(entry);
  }
  entries.push(series[series.length - 1]);
  return entries;
}

const byStep = bisector((entry: Stepped) => entry.step);

/** How many entries of a series by rising steps are at or before a step. */
const countUntil = (all: readonly Stepped[], step: number): number => byStep.right(all, step);

/** A series by rising steps within a budget of bytes; of two entries at one step the later is the newer one. */
export class KeptSeries<T extends Stepped> {
  all: T[] = [];
  /** The least distance in steps between entries at the last thinning, but for the newest. */
  #gap = 0;

  constructor(
    readonly bytesOf: (entry: T) => number,
    readonly maxBytes: number,
  ) {}

  /** The nearest entry at or before a step; null before the first. */
  at(step: number): T | null {
    return this.all[countUntil(this.all, step) - 1] ?? null;
  }

  /** Adds the newest entry; drops the last one if that was too near its own predecessor. */
  append(entry: T, pinned = -1): void {
    const [previous, newest] = this.all.slice(-2);
    const isTight = newest && newest.step - previous.step < this.#gap;
    if (isTight && newest.step !== pinned) this.all.pop();
    this.all.push(entry);
  }

  /** Beyond the budget, thins to half of it, evenly over the steps. First, newest and pinned entry always stay. */
  thin(pinned = -1): void {
    const { all } = this;
    const bytes = () => sum(this.all, this.bytesOf);
    if (bytes() <= this.maxBytes) return;
    // Twice the mean distance drops every other one of an even series.
    const steps = all[all.length - 1].step - all[0].step;
    let gap = Math.max(1, Math.ceil((2 * steps) / all.length));
    for (; this.all.length > 2 && bytes() > this.maxBytes / 2; gap *= 2) {
      this.all = spaced(all, gap, pinned);
      this.#gap = gap;
    }
  }

  /** Drops the entries after a step; returns whether there were any. */
  cutAfter(step: number): boolean {
    const before = this.all.length;
    this.all.length = countUntil(this.all, step);
    return this.all.length < before;
  }

  clear(): void {
    this.all = [];
    this.#gap = 0;
  }
}

/** As Python keeps of them: `ActivationHistory`. */
const ACTIVATION_BYTES = 16_000_000;

export class PastActivations extends KeptSeries<Activations> {
  constructor(maxBytes = ACTIVATION_BYTES) {
    super(sizeInBytes, maxBytes);
  }

  /** Adds the newest activations; drops those of the same step or later, which are not their past. */
  takeLive(activations: Activations): void {
    this.cutAfter(activations.step - 1);
    this.append(activations);
    this.thin();
  }

  /** Adds the activations of a past step unless that step is kept already; returns whether they were added. */
  takePast(activations: Activations): boolean {
    const at = countUntil(this.all, activations.step);
    if (this.all[at - 1]?.step === activations.step) return false;
    this.all.splice(at, 0, activations);
    this.thin();
    return true;
  }
}

function sizeInBytes({ values, extras }: Activations): number {
  const numbers = [...values.values()].flatMap(({ data, low, high }) => [data, low, high]);
  const more = [...extras.values()].flatMap((named) => [...named.values()]);
  return sum([...numbers, ...more], ({ byteLength }) => byteLength);
}
