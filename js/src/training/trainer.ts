/** Training steps by AdamW on data that a page holds, and the network's score. */

import type { Weight } from "./between_layers.ts";
import { type Machine, Random } from "./machine.ts";
import { type Description, Network } from "./network.ts";
import type { ObservedMessage } from "./observed.ts";

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

/** Examples one after the other. Images have whole numbers 0…255, which become −1…1. */
interface Examples {
  inputs: Float32Array | Uint8Array;
  /** The classes of a classifier, or the numbers to be met. */
  targets: Float32Array | Uint8Array;
}

export interface Data {
  train: Examples;
  test: Examples;
  /** Training images are moved at random by up to this many pixels, up or down and left or right. */
  shift: number;
}

export interface TrainingSettings {
  batch: number;
  /** The highest rate: the schedule rises to it and falls again over all epochs. */
  rate: number;
  epochs: number;
  seed: number;
}

/** Examples of which it is told what reaches the functions: at most this many, and so many numbers. */
const OBSERVED = 200;
const OBSERVED_NUMBERS = 25_000;

export class Trainer {
  readonly network: Network;
  /** Steps made. */
  step = 0;
  loss = Number.NaN;
  /** The rate that the reader chose, in place of the schedule. */
  rate: number | null = null;
  readonly #optimizer: AdamW;
  readonly #random: Random;
  #order: Uint32Array;
  #position = 0;

  constructor(
    readonly machine: Machine,
    description: Description,
    frame: Float32Array,
    readonly data: Data,
    readonly settings: TrainingSettings,
  ) {
    this.network = new Network(machine, description, settings.batch);
    this.network.read(frame, true);
    this.#optimizer = new AdamW(machine, this.network.weights);
    this.#random = new Random(settings.seed);
    this.#order = this.#random.order(this.count(data.train));
  }

  count({ inputs }: Examples): number {
    return inputs.length / this.network.input.size;
  }

  /** Steps of all epochs; the last batch of each may be smaller. */
  get steps(): number {
    return Math.ceil(this.#order.length / this.settings.batch) * this.settings.epochs;
  }

  /** The rate of the next step. */
  get nextRate(): number {
    const { rate } = this.settings;
    return this.rate ?? oneCycle(Math.min(this.step, this.steps - 1), this.steps, rate);
  }

  /** Makes one step; false where a number was not finite: then no weight was changed. */
  advance(): boolean {
    const { train, shift } = this.data;
    const indices = this.#order.subarray(this.#position, this.#position + this.settings.batch);
    this.#loadInputs(train, indices, shift);
    const n = indices.length;
    if (!this.network.forward(n, true)) return false;
    this.loss = this.#computeLoss(train, indices);
    if (!Number.isFinite(this.loss) || !this.network.backward(n)) return false;
    this.#optimizer.step(this.nextRate);
    this.step++;
    this.#position += n;
    if (this.#position >= this.#order.length) {
      this.#position = 0;
      this.#order = this.#random.order(this.#order.length);
    }
    return true;
  }

  /** The share of examples that are right, or the root of the mean squared error, over `most` of them, spread evenly. */
  score(examples: Examples, most = Number.POSITIVE_INFINITY): number {
    const total = this.count(examples);
    const count = Math.min(most, total);
    const { output, isClassifier, maxBatch } = this.network;
    let sum = 0;
    for (let from = 0; from < count; from += maxBatch) {
      const indices = Uint32Array.from({ length: Math.min(maxBatch, count - from) }, (_, k) =>
        Math.floor(((from + k) * total) / count),
      );
      this.#loadInputs(examples, indices, 0);
      if (!this.network.forward(indices.length, false)) return Number.NaN;
      const y = this.machine.floats(output.at, indices.length * output.size);
      for (const [k, index] of indices.entries()) {
        const row = y.subarray(k * output.size, (k + 1) * output.size);
        if (isClassifier) sum += row.indexOf(Math.max(...row)) === examples.targets[index] ? 1 : 0;
        else
          row.forEach((value, o) => {
            sum += (value - examples.targets[index * output.size + o]) ** 2 / output.size;
          });
      }
    }
    return isClassifier ? sum / count : Math.sqrt(sum / count);
  }

  /** What reaches the network's functions from some of the examples. */
  observe(examples: Examples): ObservedMessage[] {
    const { maxBatch, input } = this.network;
    const few = Math.min(OBSERVED, Math.ceil(OBSERVED_NUMBERS / input.size));
    const n = Math.min(few, this.count(examples), maxBatch);
    const indices = Uint32Array.from({ length: n }, (_, k) => k);
    this.#loadInputs(examples, indices, 0);
    return this.network.forward(n, false) ? this.network.observe(n, this.step) : [];
  }

  /** Puts examples where the network reads them, channels last. */
  #loadInputs({ inputs }: Examples, indices: Uint32Array, shift: number): void {
    const { size, shape, at } = this.network.input;
    const x = this.machine.floats(at, indices.length * size);
    const [channels, height, width] = shape.length === 3 ? shape : [size, 1, 1];
    const isWhole = inputs instanceof Uint8Array;
    const blank = isWhole ? -1 : 0;
    for (const [k, index] of indices.entries()) {
      const down = shift ? this.#random.below(2 * shift + 1) - shift : 0;
      const right = shift ? this.#random.below(2 * shift + 1) - shift : 0;
      for (let c = 0; c < channels; c++)
        for (let row = 0; row < height; row++)
          for (let column = 0; column < width; column++) {
            const [h, w] = [row - down, column - right];
            const to = k * size + (row * width + column) * channels + c;
            if (h < 0 || h >= height || w < 0 || w >= width) x[to] = blank;
            else {
              const value = inputs[index * size + (c * height + h) * width + w];
              x[to] = isWhole ? value / 127.5 - 1 : value;
            }
          }
    }
  }

  /** The loss of the output, whose gradient it writes: the mean negative log-likelihood, or squared error. */
  #computeLoss({ targets }: Examples, indices: Uint32Array): number {
    const { output, isClassifier } = this.network;
    const { size } = output;
    const n = indices.length;
    const y = this.machine.floats(output.at, n * size);
    const grad = this.machine.floats(output.grad, n * size).fill(0);
    let sum = 0;
    for (const [k, index] of indices.entries())
      if (isClassifier) {
        const at = k * size + targets[index];
        sum -= y[at] / n;
        grad[at] = -1 / n;
      } else
        for (let o = 0; o < size; o++) {
          const error = y[k * size + o] - targets[index * size + o];
          sum += error ** 2 / (n * size);
          grad[k * size + o] = (2 * error) / (n * size);
        }
    return sum;
  }
}
