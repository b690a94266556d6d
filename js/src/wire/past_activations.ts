/** Activations by rising step, within a budget of bytes. */

import { countUntil, thinned } from "./thinning.ts";
import type { Activations } from "./types.ts";

export const ACTIVATION_BYTES = 16 * 2 ** 20;

export class PastActivations {
  readonly #maxBytes: number;
  #all: Activations[] = [];
  /** Since the last thinning: see Thinned. */
  #gap = 0;

  constructor(maxBytes = ACTIVATION_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** The nearest at or before a step; null before the first. */
  at(step: number): Activations | null {
    return this.#all[countUntil(this.#all, step) - 1] ?? null;
  }

  /** The step of the first; null where there are none. */
  first(): number | null {
    return this.#all[0]?.step ?? null;
  }

  /** Takes those of this moment: what was kept of the same step or a later one is not their past. */
  takeLive(activations: Activations): void {
    this.cutAfter(activations.step - 1);
    const [previous, newest] = this.#all.slice(-2);
    if (newest && newest.step - previous.step < this.#gap) this.#all.pop();
    this.#all.push(activations);
    this.#thin();
  }

  /** Takes those of a past step, unless that step is here already; returns whether it was not. */
  takePast(activations: Activations): boolean {
    const at = countUntil(this.#all, activations.step);
    if (this.#all[at - 1]?.step === activations.step) return false;
    this.#all.splice(at, 0, activations);
    this.#thin();
    return true;
  }

  /** Drops those after a step; returns whether there were any. */
  cutAfter(step: number): boolean {
    const before = this.#all.length;
    this.#all.length = countUntil(this.#all, step);
    return this.#all.length < before;
  }

  clear(): void {
    this.#all = [];
    this.#gap = 0;
  }

  #thin(): void {
    const result = thinned(this.#all, bytesOf, this.#maxBytes);
    if (!result) return;
    this.#all = result.kept;
    this.#gap = result.gap || this.#gap;
  }
}

function bytesOf({ values, extras }: Activations): number {
  let bytes = 0;
  for (const { data, low, high } of values.values()) {
    bytes += data.byteLength + low.byteLength + high.byteLength;
  }
  for (const named of extras.values())
    for (const extra of named.values()) bytes += extra.byteLength;
  return bytes;
}
