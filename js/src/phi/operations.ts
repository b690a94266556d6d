/** The operations between the layers of a network, as torch computes them for one example in eval mode. */

import type { Compute } from "../wire/types.ts";
import { FUNCTIONS } from "./expansion.ts";

/** An operation at its place in a network. */
export interface OpNode {
  compute: Compute;
  /** Of the operation's inputs, one for each source. */
  shapes: readonly (readonly number[])[];
  /** Of the operation's output, as the model has it. */
  shape: readonly number[];
  /** Numbers of the model beside its functions: biases, scales. */
  extra: (name: string) => Float32Array | undefined;
}

type Operation = (node: OpNode, inputs: readonly Float32Array[]) => Float32Array;

/** An extra of one of `lengths`; throws where it has another length. */
export function extraOf(node: OpNode, name: string, ...lengths: number[]): Float32Array {
  const numbers = node.extra(name);
  if (numbers && lengths.includes(numbers.length)) return numbers;
  throw new Error(
    `Got ${numbers?.length ?? "no"} numbers for “${name}” of ${node.compute.op}; needed: ${lengths.join(" or ")}.`,
  );
}

function elementwise({ compute }: OpNode, [x]: readonly Float32Array[]): Float32Array {
  const f = FUNCTIONS[compute.function as string];
  return x.map((value) => f(value, (compute.parameter ?? null) as number | null));
}

/** By channel: a number of the settings or of the model, else `fallback`. */
function perChannel(node: OpNode, name: string, fallback?: number): (channel: number) => number {
  const { [name]: setting = fallback } = node.compute;
  if (setting !== undefined && !node.extra(name)) return () => setting as number;
  const numbers = extraOf(node, name, node.shapes[0][0] ?? 1, 1);
  return (channel) => numbers[numbers.length > 1 ? channel : 0];
}

function byChannel(
  { shapes }: OpNode,
  x: Float32Array,
  f: (value: number, channel: number) => number,
): Float32Array {
  const area = x.length / (shapes[0][0] ?? 1);
  return x.map((value, k) => f(value, Math.floor(k / area)));
}

const prelu: Operation = (node, [x]) => {
  const slope = perChannel(node, "slope");
  return byChannel(node, x, (value, c) => (value > 0 ? value : slope(c) * value));
};

const affine: Operation = (node, [x]) => {
  const [scale, divisor, factor] = ["scale", "divisor", "factor"].map((name) =>
    perChannel(node, name, 1),
  );
  const shift = perChannel(node, "shift", 0);
  return byChannel(node, x, (value, c) => (scale(c) * value) / divisor(c) + factor(c) * shift(c));
};

const batchNorm: Operation = (node, [x]) => {
  const [mean, variance] = [perChannel(node, "mean"), perChannel(node, "variance")];
  const [scale, shift] = [perChannel(node, "scale", 1), perChannel(node, "shift", 0)];
  const eps = Number(node.compute.eps ?? 1e-5);
  const normal = (value: number, c: number) => (value - mean(c)) / Math.sqrt(variance(c) + eps);
  return byChannel(node, x, (value, c) => normal(value, c) * scale(c) + shift(c));
};

const layerNorm: Operation = (node, [x]) => {
  const size = node.compute.size as number;
  const [scale, shift] = [node.extra("scale"), node.extra("shift")];
  const out = new Float32Array(x.length);
  for (let start = 0; start < x.length; start += size) {
    const part = Float64Array.from(x.subarray(start, start + size));
    const middle = mean(part, size);
    const squares = part.map((value) => (value - middle) ** 2);
    const root = Math.sqrt(mean(squares, size) + Number(node.compute.eps ?? 1e-5));
    part.forEach((value, k) => {
      out[start + k] = ((value - middle) / root) * (scale?.[k] ?? 1) + (shift?.[k] ?? 0);
    });
  }
  return out;
};

/** Of each window, the pixels that lie on the map, and the window's size. */
function pool(fold: (values: Float64Array, area: number, node: OpNode) => number): Operation {
  return (node, [x]) => {
    const { kernel, stride, padding } = node.compute as unknown as Record<string, number[]>;
    const [, height, width] = node.shapes[0];
    const [channels, rows, columns] = node.shape;
    const out = new Float32Array(channels * rows * columns);
    const values = new Float64Array(kernel[0] * kernel[1]);
    for (let channel = 0, o = 0; channel < channels; channel++) {
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++, o++) {
          let n = 0;
          const [y0, x0] = [row * stride[0] - padding[0], column * stride[1] - padding[1]];
          for (let y = Math.max(0, y0); y < Math.min(height, y0 + kernel[0]); y++) {
            const line = (channel * height + y) * width;
            for (let c = Math.max(0, x0); c < Math.min(width, x0 + kernel[1]); c++) {
              values[n++] = x[line + c];
            }
          }
          out[o] = fold(values.subarray(0, n), values.length, node);
        }
      }
    }
    return out;
  };
}

function mean(values: ArrayLike<number>, count: number): number {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k];
  return sum / count;
}

const globalAverage: Operation = ({ shapes: [[channels]] }, [x]) => {
  const area = x.length / channels;
  return Float32Array.from({ length: channels }, (_, channel) =>
    mean(x.subarray(channel * area, (channel + 1) * area), area),
  );
};

/** Numbers stay in their order. */
const reshape: Operation = (_, [x]) => x;

/** Combines sources of one shape, number by number. */
function pairwise(combine: (a: number, b: number) => number): Operation {
  return (_, [first, ...others]) =>
    others.reduce((all, other) => all.map((value, k) => combine(value, other[k])), first);
}

/** pykan's nodes: each the product of some numbers of the source. */
const products: Operation = ({ compute }, [x]) =>
  Float32Array.from(compute.factors as number[][], (row) => row.reduce((all, k) => all * x[k], 1));

/** Joins the sources along the first axis. */
const join: Operation = (_, inputs) =>
  Float32Array.from(inputs.flatMap((input) => Array.from(input)));

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  elementwise,
  prelu,
  affine,
  batch_norm: batchNorm,
  layer_norm: layerNorm,
  softmax: (_, [x]) => Float32Array.from(softmax(x)),
  log_softmax: (_, [x]) => Float32Array.from(logSoftmax(x)),
  max_pool: pool((values) =>
    // NaN propagates, as in torch.
    values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY),
  ),
  avg_pool: pool((values, area, { compute }) =>
    mean(values, compute.count_padding === false ? values.length : area),
  ),
  global_avg_pool: globalAverage,
  flatten: reshape,
  reshape,
  add: pairwise((a, b) => a + b),
  multiply: pairwise((a, b) => a * b),
  products,
  join,
};

/** The extras without which an operation cannot be computed. */
export const NEEDED: Readonly<Record<string, readonly string[]>> = {
  prelu: ["slope"],
  batch_norm: ["mean", "variance"],
  linear: ["weight"],
  conv2d: ["weight"],
};

/** Whether the page can compute the operation that a station names. */
export function isKnown({ op, function: name }: Compute): boolean {
  if (op === "elementwise") return Object.hasOwn(FUNCTIONS, String(name));
  return Object.hasOwn(OPERATIONS, op);
}

/** Logarithms of the probabilities of scores; of log-probabilities they are the same. */
function logSoftmax(scores: ArrayLike<number>): number[] {
  const all = Array.from(scores);
  const most = all.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const sum = all.reduce((total, score) => total + Math.exp(score - most), 0);
  return all.map((score) => score - most - Math.log(sum));
}

export function softmax(scores: ArrayLike<number>): number[] {
  return logSoftmax(scores).map(Math.exp);
}
