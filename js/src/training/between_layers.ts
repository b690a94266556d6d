/** The operations between the KAN layers of a network in training: forward, and backward. Maps are laid out channels last. */

import { product } from "../wire/protocol.ts";
import type { Machine } from "./machine.ts";

/** An operation of a network: it takes in `from`, and gives `to`. */
export abstract class Operation {
  constructor(
    readonly machine: Machine,
    readonly from: Values,
    readonly to: Values,
  ) {}

  /** Writes the output for n examples; false where a number is not finite. */
  abstract forward(n: number, training: boolean): boolean;
  /** Writes the gradient of the input; false where a number is not finite. */
  abstract backward(n: number): boolean;

  /** Input and output of n examples. */
  protected values(n: number): [x: Float32Array, y: Float32Array] {
    return this.#both(n, this.from.at, this.to.at);
  }

  /** The gradients of the input and of the output. */
  protected gradients(n: number): [taken: Float32Array, given: Float32Array] {
    return this.#both(n, this.from.grad, this.to.grad);
  }

  #both(n: number, from: number, to: number): [Float32Array, Float32Array] {
    const { machine } = this;
    return [machine.floats(from, n * this.from.size), machine.floats(to, n * this.to.size)];
  }
}

/** Numbers of a batch, one example after the other, and their gradient; of maps, the channel is innermost. */
export type Values = ReturnType<typeof takeValues>;

/** `shape`: of one example channels, height, width; a single size where the values are no maps. */
export function takeValues(machine: Machine, maxBatch: number, shape: readonly number[]) {
  const size = product(shape);
  return { at: machine.take(maxBatch * size), grad: machine.take(maxBatch * size), shape, size };
}

/** Parameters of the network: where they and their gradients lie, and how many there are. */
export interface Weight {
  at: number;
  grad: number;
  count: number;
}

const MOMENTUM = 0.1;

/** torch's batch norm: by the batch in training, which moves the running mean and variance; else by those. */
export class BatchNorm extends Operation {
  /** Of the last batch, by channel: means, and 1 / √(variance + eps). */
  readonly #means: Float64Array;
  readonly #inverses: Float64Array;

  constructor(
    machine: Machine,
    from: Values,
    to: Values,
    readonly stats: { mean: number; variance: number },
    readonly scale: Weight | null,
    readonly shift: Weight | null,
    readonly eps: number,
  ) {
    super(machine, from, to);
    this.#means = new Float64Array(from.shape[0]);
    this.#inverses = new Float64Array(from.shape[0]);
  }

  forward(n: number, training: boolean): boolean {
    const { machine, from } = this;
    const channels = from.shape[0];
    const [x, y] = this.values(n);
    const [means, inverses] = [this.#means, this.#inverses];
    const stats = [this.stats.mean, this.stats.variance].map((at) => machine.floats(at, channels));
    if (training) this.#measure(x, channels, stats);
    else {
      means.set(stats[0]);
      inverses.set(stats[1].map((variance) => 1 / Math.sqrt(variance + this.eps)));
    }
    const scale = this.scale && machine.floats(this.scale.at, channels);
    const shift = this.shift && machine.floats(this.shift.at, channels);
    const factors = inverses.map((inverse, c) => inverse * (scale ? scale[c] : 1));
    const terms = factors.map((factor, c) => (shift ? shift[c] : 0) - means[c] * factor);
    for (let k = 0; k < x.length; k += channels)
      for (let c = 0; c < channels; c++) y[k + c] = x[k + c] * factors[c] + terms[c];
    return true;
  }

  #measure(x: Float32Array, channels: number, [mean, variance]: Float32Array[]): void {
    const count = x.length / channels;
    const means = this.#means.fill(0);
    const inverses = this.#inverses.fill(0);
    for (let k = 0; k < x.length; k += channels)
      for (let c = 0; c < channels; c++) means[c] += x[k + c];
    for (let c = 0; c < channels; c++) means[c] /= count;
    for (let k = 0; k < x.length; k += channels)
      for (let c = 0; c < channels; c++) inverses[c] += (x[k + c] - means[c]) ** 2;
    for (let c = 0; c < channels; c++) {
      const batchVariance = inverses[c] / count;
      mean[c] += MOMENTUM * (means[c] - mean[c]);
      variance[c] += MOMENTUM * ((batchVariance * count) / Math.max(1, count - 1) - variance[c]);
      inverses[c] = 1 / Math.sqrt(batchVariance + this.eps);
    }
  }

  backward(n: number): boolean {
    const { machine, from } = this;
    const channels = from.shape[0];
    const [x] = this.values(n);
    const [gradInput, gradOutput] = this.gradients(n);
    const scale = this.scale && machine.floats(this.scale.at, channels);
    const sums = new Float64Array(channels);
    const products = new Float64Array(channels);
    const [means, inverses] = [this.#means, this.#inverses];
    for (let k = 0; k < x.length; k += channels)
      for (let c = 0; c < channels; c++) {
        sums[c] += gradOutput[k + c];
        products[c] += gradOutput[k + c] * (x[k + c] - means[c]) * inverses[c];
      }
    if (this.scale) machine.floats(this.scale.grad, channels).set(products);
    if (this.shift) machine.floats(this.shift.grad, channels).set(sums);
    // The gradient of each number is a line in it and in the gradient that is given.
    const count = x.length / channels;
    const factors = inverses.map((inverse, c) => inverse * (scale ? scale[c] : 1));
    const slopes = factors.map((factor, c) => (-factor * inverses[c] * products[c]) / count);
    const terms = factors.map((factor, c) => (-factor * sums[c]) / count - slopes[c] * means[c]);
    for (let k = 0; k < x.length; k += channels)
      for (let c = 0; c < channels; c++)
        gradInput[k + c] = gradOutput[k + c] * factors[c] + x[k + c] * slopes[c] + terms[c];
    return true;
  }
}

/** The largest of windows, without padding. */
export class MaxPool extends Operation {
  /** Where the largest number of each window came from. */
  #sources = new Int32Array(0);

  constructor(
    machine: Machine,
    from: Values,
    to: Values,
    readonly kernel: readonly [number, number],
    readonly stride: readonly [number, number],
  ) {
    super(machine, from, to);
  }

  forward(n: number): boolean {
    const { from, to } = this;
    const [channels, height, width] = from.shape;
    const [, outHeight, outWidth] = to.shape;
    const [x, y] = this.values(n);
    if (this.#sources.length < y.length) this.#sources = new Int32Array(y.length);
    const sources = this.#sources;
    const [[rows, columns], [down, right]] = [this.kernel, this.stride];
    for (let image = 0, k = 0; image < n; image++)
      for (let row = 0; row < outHeight; row++)
        for (let column = 0; column < outWidth; column++) {
          const corner = ((image * height + row * down) * width + column * right) * channels;
          for (let c = 0; c < channels; c++, k++) {
            let best = corner + c;
            let most = x[best];
            for (let h = 0; h < rows; h++)
              for (let w = 0; w < columns; w++) {
                const at = corner + (h * width + w) * channels + c;
                if (x[at] > most) {
                  most = x[at];
                  best = at;
                }
              }
            y[k] = most;
            sources[k] = best;
          }
        }
    return true;
  }

  backward(n: number): boolean {
    const [gradInput, gradOutput] = this.gradients(n);
    gradInput.fill(0);
    const sources = this.#sources;
    for (let k = 0; k < gradOutput.length; k++) gradInput[sources[k]] += gradOutput[k];
    return true;
  }
}

/** Maps as one row of numbers, channel after channel, as torch has them. */
export class Flatten extends Operation {
  forward(n: number): boolean {
    this.#move(n, this.from.at, this.to.at, false);
    return true;
  }

  backward(n: number): boolean {
    this.#move(n, this.to.grad, this.from.grad, true);
    return true;
  }

  #move(n: number, source: number, target: number, back: boolean): void {
    const { size } = this.from;
    const [channels] = this.from.shape;
    const area = size / channels;
    const x = this.machine.floats(source, n * size);
    const y = this.machine.floats(target, n * size);
    for (let image = 0; image < n * size; image += size)
      for (let place = 0; place < area; place++)
        for (let c = 0; c < channels; c++) {
          const [inner, outer] = [image + place * channels + c, image + c * area + place];
          if (back) y[inner] = x[outer];
          else y[outer] = x[inner];
        }
  }
}

/** Functions of one number by their names, and their derivatives. */
export const DIFFERENTIABLE: Record<
  string,
  [f: (x: number) => number, slope: (x: number) => number]
> = {
  identity: [(x) => x, () => 1],
  relu: [(x) => Math.max(x, 0), (x) => (x > 0 ? 1 : 0)],
  tanh: [Math.tanh, (x) => 1 - Math.tanh(x) ** 2],
  silu: [
    (x) => x / (1 + Math.exp(-x)),
    (x) => {
      const gate = 1 / (1 + Math.exp(-x));
      return gate * (1 + x * (1 - gate));
    },
  ],
};

/** A function of each number, with its derivative. */
export class Elementwise extends Operation {
  constructor(
    machine: Machine,
    from: Values,
    to: Values,
    readonly f: (x: number) => number,
    readonly slope: (x: number) => number,
  ) {
    super(machine, from, to);
  }

  forward(n: number): boolean {
    const [x, y] = this.values(n);
    const { f } = this;
    for (let k = 0; k < x.length; k++) y[k] = f(x[k]);
    return true;
  }

  backward(n: number): boolean {
    const [x] = this.values(n);
    const [gradInput, gradOutput] = this.gradients(n);
    const { slope } = this;
    for (let k = 0; k < x.length; k++) gradInput[k] = gradOutput[k] * slope(x[k]);
    return true;
  }
}

/** log(softmax) of each row. */
export class LogSoftmax extends Operation {
  forward(n: number): boolean {
    const { size } = this.from;
    const [x, y] = this.values(n);
    for (let row = 0; row < n * size; row += size) {
      let most = Number.NEGATIVE_INFINITY;
      for (let k = row; k < row + size; k++) most = Math.max(most, x[k]);
      let sum = 0;
      for (let k = row; k < row + size; k++) sum += Math.exp(x[k] - most);
      const log = most + Math.log(sum);
      for (let k = row; k < row + size; k++) y[k] = x[k] - log;
    }
    return true;
  }

  backward(n: number): boolean {
    const { size } = this.from;
    const [, y] = this.values(n);
    const [gradInput, gradOutput] = this.gradients(n);
    for (let row = 0; row < n * size; row += size) {
      let sum = 0;
      for (let k = row; k < row + size; k++) sum += gradOutput[k];
      for (let k = row; k < row + size; k++) gradInput[k] = gradOutput[k] - Math.exp(y[k]) * sum;
    }
    return true;
  }
}
