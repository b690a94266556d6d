/** AdamW, and how the learning rate rises and falls. */

import type { Weight } from "./between_layers.ts";
import type { Machine } from "./machine.ts";

const BETA_1 = 0.9;
const BETA_2 = 0.999;
const EPS = 1e-8;

/** torch.optim.AdamW with its default settings but for the rate. */
export class AdamW {
  #step = 0;
  readonly #moments: { mean: Float32Array; square: Float32Array }[];

  constructor(
    readonly machine: Machine,
    readonly weights: readonly Weight[],
    readonly decay = 0.01,
  ) {
    this.#moments = weights.map(({ count }) => {
      return { mean: new Float32Array(count), square: new Float32Array(count) };
    });
  }

  step(rate: number): void {
    this.#step++;
    const size = rate / (1 - BETA_1 ** this.#step);
    const correction = Math.sqrt(1 - BETA_2 ** this.#step);
    for (const [k, { at, grad, count }] of this.weights.entries()) {
      const { mean, square } = this.#moments[k];
      const w = this.machine.floats(at, count);
      const g = this.machine.floats(grad, count);
      for (let j = 0; j < count; j++) {
        mean[j] += (1 - BETA_1) * (g[j] - mean[j]);
        square[j] = BETA_2 * square[j] + (1 - BETA_2) * g[j] * g[j];
        const root = Math.sqrt(square[j]) / correction + EPS;
        w[j] = w[j] * (1 - rate * this.decay) - (size * mean[j]) / root;
      }
    }
  }
}

/** The rate at one of `steps` steps: it rises over the first 30 % and falls to nothing, each along half a cosine. */
export function oneCycle(step: number, steps: number, most: number): number {
  const rise = 0.3 * steps - 1;
  const [from, to, share] =
    step <= rise
      ? [most / 25, most, step / rise]
      : [most, most / 25e4, Math.min(1, (step - rise) / (steps - 1 - rise))];
  return to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));
}
