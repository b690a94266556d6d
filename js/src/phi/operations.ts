/** What stands between the layers of a network, as torch computes it for one example in eval mode. No DOM. */

import { product } from "../wire/checks.ts";
import type { Compute } from "../wire/types.ts";
import { gelu, silu } from "./expansion.ts";

/** An operation at its place in a network. */
export interface Given {
  compute: Compute;
  /** Of what it takes in, one for each source. */
  shapes: readonly (readonly number[])[];
  /** Of its output, as the model has it; [] where that is not known. */
  shape: readonly number[];
  /** Numbers of the model beside its functions: biases, scales. */
  extra: (name: string) => Float32Array | undefined;
}

export interface Operation {
  /** The extras that it cannot do without. */
  needs: readonly string[];
  /** The shape of its output; null where it cannot be computed from such sources. */
  shape(given: Given): readonly number[] | null;
  run(given: Given, inputs: readonly Float32Array[]): Float32Array;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, k) => size === b[k]);
}

/** So many whole numbers of a setting; null where it has others. */
export function wholes(value: unknown, count: number): number[] | null {
  const fits = Array.isArray(value) && value.length === count && value.every(Number.isSafeInteger);
  return fits ? value : null;
}

/** An extra of one of some lengths; throws where it has another. */
export function extraOf(given: Given, name: string, ...lengths: number[]): Float32Array {
  const found = given.extra(name);
  if (found && lengths.includes(found.length)) return found;
  throw new Error(
    `Got ${found?.length ?? "no"} numbers for “${name}” of ${given.compute.op}; needed: ${lengths.join(" or ")}.`,
  );
}

const one = (given: Given) => (given.shapes.length === 1 ? given.shapes[0] : null);

/** Keeps the shape of its one source. */
function pointwise(
  needs: readonly string[],
  run: Operation["run"],
  fits: (given: Given) => boolean = () => true,
): Operation {
  return { needs, shape: (given) => (fits(given) ? one(given) : null), run };
}

/** Of x and the setting's parameter. */
const FUNCTIONS: Record<string, (x: number, parameter: number | null) => number> = {
  relu: (x) => Math.max(x, 0),
  silu,
  gelu,
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  elu: (x, alpha) => (x > 0 ? x : (alpha ?? 1) * Math.expm1(x)),
  leaky_relu: (x, slope) => (x > 0 ? x : (slope ?? 0.01) * x),
  softplus: (x, parameter) => {
    const beta = parameter ?? 1;
    // As torch: straight where it is so to the last digit.
    return beta * x > 20 ? x : Math.log1p(Math.exp(beta * x)) / beta;
  },
  hardtanh: (x) => Math.min(1, Math.max(-1, x)),
  identity: (x) => x,
};

const elementwise = pointwise(
  [],
  ({ compute }, [x]) => {
    const f = FUNCTIONS[compute.function as string];
    const parameter = typeof compute.parameter === "number" ? compute.parameter : null;
    return x.map((value) => f(value, parameter));
  },
  ({ compute }) => Object.hasOwn(FUNCTIONS, String(compute.function)),
);

const prelu = pointwise(["slope"], (given, [x]) => {
  const channels = given.shapes[0][0] ?? 1;
  const slope = extraOf(given, "slope", channels, 1);
  const area = x.length / slope.length;
  return x.map((value, k) => (value > 0 ? value : slope[Math.floor(k / area)] * value));
});

/** By channel: a number of the settings or of the model; what it is without, where it can be. */
function perChannel(given: Given, name: string, otherwise?: number): (channel: number) => number {
  const { [name]: setting = otherwise } = given.compute;
  if (setting !== undefined && !given.extra(name)) return () => setting as number;
  const own = extraOf(given, name, given.shapes[0][0] ?? 1, 1);
  return (channel) => own[own.length > 1 ? channel : 0];
}

function byChannel(
  { shapes }: Given,
  x: Float32Array,
  f: (value: number, channel: number) => number,
): Float32Array {
  const area = x.length / (shapes[0][0] ?? 1);
  return x.map((value, k) => f(value, Math.floor(k / area)));
}

const affine = pointwise([], (given, [x]) => {
  const [scale, divisor, factor] = ["scale", "divisor", "factor"].map((name) =>
    perChannel(given, name, 1),
  );
  const shift = perChannel(given, "shift", 0);
  return byChannel(given, x, (value, c) => (scale(c) * value) / divisor(c) + factor(c) * shift(c));
});

/** In eval. */
const batchNorm = pointwise(["mean", "variance"], (given, [x]) => {
  const [mean, variance] = [perChannel(given, "mean"), perChannel(given, "variance")];
  const [scale, shift] = [perChannel(given, "scale", 1), perChannel(given, "shift", 0)];
  const eps = Number(given.compute.eps ?? 1e-5);
  return byChannel(
    given,
    x,
    (value, c) => ((value - mean(c)) / Math.sqrt(variance(c) + eps)) * scale(c) + shift(c),
  );
});

const layerNorm = pointwise(
  [],
  (given, [x]) => {
    const size = given.compute.size as number;
    const scale = given.extra("scale") && extraOf(given, "scale", size);
    const shift = given.extra("shift") && extraOf(given, "shift", size);
    const out = new Float32Array(x.length);
    for (let start = 0; start < x.length; start += size) {
      const part = Float64Array.from(x.subarray(start, start + size));
      const mean = part.reduce((sum, value) => sum + value, 0) / size;
      const variance = part.reduce((sum, value) => sum + (value - mean) ** 2, 0) / size;
      const root = Math.sqrt(variance + Number(given.compute.eps ?? 1e-5));
      part.forEach((value, k) => {
        out[start + k] = ((value - mean) / root) * (scale?.[k] ?? 1) + (shift?.[k] ?? 0);
      });
    }
    return out;
  },
  ({ compute: { size }, shapes }) =>
    Number.isSafeInteger(size) &&
    (size as number) > 0 &&
    product(shapes[0] ?? []) % (size as number) === 0,
);

function softmax(log: boolean): Operation {
  return pointwise(
    [],
    (_, [x]) => {
      const most = x.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      const sum = x.reduce((all, value) => all + Math.exp(value - most), 0);
      return x.map((value) => (log ? value - most - Math.log(sum) : Math.exp(value - most) / sum));
    },
    ({ shapes }) => shapes[0]?.length === 1,
  );
}

interface Windows {
  kernel: number[];
  stride: number[];
  padding: number[];
  channels: number;
  from: readonly number[];
  to: number[];
}

function windowsOf({ compute, shapes }: Given): Windows | null {
  const [kernel, stride, padding] = ["kernel", "stride", "padding"].map((name) =>
    wholes(compute[name], 2),
  );
  if (!kernel || !stride || !padding || shapes.length !== 1 || shapes[0].length !== 3) return null;
  const [channels, ...from] = shapes[0];
  const to = from.map((size, k) => Math.floor((size + 2 * padding[k] - kernel[k]) / stride[k]) + 1);
  return to.every((size) => size > 0) ? { kernel, stride, padding, channels, from, to } : null;
}

/** Of each window, the pixels that lie on the map, and the window's size. */
function pool(fold: (given: Given) => (values: Float64Array, area: number) => number): Operation {
  return {
    needs: [],
    shape(given) {
      const windows = windowsOf(given);
      return windows && [windows.channels, ...windows.to];
    },
    run(given, [x]) {
      const { kernel, stride, padding, channels, from, to } = windowsOf(given) as Windows;
      const folded = fold(given);
      const out = new Float32Array(channels * to[0] * to[1]);
      const values = new Float64Array(kernel[0] * kernel[1]);
      for (let channel = 0, o = 0; channel < channels; channel++) {
        for (let row = 0; row < to[0]; row++) {
          for (let column = 0; column < to[1]; column++, o++) {
            let n = 0;
            const [y0, x0] = [row * stride[0] - padding[0], column * stride[1] - padding[1]];
            for (let y = Math.max(0, y0); y < Math.min(from[0], y0 + kernel[0]); y++) {
              const line = (channel * from[0] + y) * from[1];
              for (let c = Math.max(0, x0); c < Math.min(from[1], x0 + kernel[1]); c++) {
                values[n++] = x[line + c];
              }
            }
            out[o] = folded(values.subarray(0, n), kernel[0] * kernel[1]);
          }
        }
      }
      return out;
    },
  };
}

function mean(values: ArrayLike<number>, count: number): number {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k];
  return sum / count;
}

const globalAverage: Operation = {
  needs: [],
  shape(given) {
    const from = one(given);
    if (from?.length !== 3) return null;
    const to = [from[0], 1, 1];
    // Some networks take the mean without keeping its two axes.
    return sameShape(given.shape, [from[0]]) ? given.shape : to;
  },
  run: ({ shapes: [[channels]] }, [x]) => {
    const area = x.length / channels;
    return Float32Array.from({ length: channels }, (_, channel) =>
      mean(x.subarray(channel * area, (channel + 1) * area), area),
    );
  },
};

/** Numbers stay in their order. */
const reshape: Operation = {
  needs: [],
  shape(given) {
    const size = product(one(given) ?? [Number.NaN]);
    const wanted = given.shape.length > 0 ? given.shape : given.compute.shape;
    if (!Array.isArray(wanted)) return Number.isNaN(size) ? null : [size];
    return product(wanted) === size ? wanted : null;
  },
  run: (_, [x]) => x,
};

/** Number by number, of sources of one shape. */
function together(join: (a: number, b: number) => number): Operation {
  return {
    needs: [],
    shape: ({ shapes }) =>
      shapes.length > 0 && shapes.every((shape) => sameShape(shape, shapes[0])) ? shapes[0] : null,
    run: (_, [first, ...others]) =>
      others.reduce((all, other) => all.map((value, k) => join(value, other[k])), first),
  };
}

/** pykan's nodes: each the product of some numbers of the source. */
const products: Operation = {
  needs: [],
  shape(given) {
    const { factors } = given.compute;
    const from = one(given);
    if (from?.length !== 1 || !Array.isArray(factors)) return null;
    const isThere = (k: number) => Number.isSafeInteger(k) && k >= 0 && k < from[0];
    const fits = factors.every((own) => Array.isArray(own) && own.every(isThere));
    return fits ? [factors.length] : null;
  },
  run: ({ compute }, [x]) =>
    Float32Array.from(compute.factors as number[][], (own) =>
      own.reduce((all, k) => all * x[k], 1),
    ),
};

/** Along the first axis. */
const join: Operation = {
  needs: [],
  shape({ shapes }) {
    const rest = shapes[0]?.slice(1);
    if (!rest || shapes.some((shape) => shape.length === 0 || !sameShape(shape.slice(1), rest))) {
      return null;
    }
    return [shapes.reduce((sum, [channels]) => sum + channels, 0), ...rest];
  },
  run: (_, inputs) => {
    const out = new Float32Array(inputs.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const input of inputs) {
      out.set(input, at);
      at += input.length;
    }
    return out;
  },
};

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  elementwise,
  prelu,
  affine,
  batch_norm: batchNorm,
  layer_norm: layerNorm,
  softmax: softmax(false),
  log_softmax: softmax(true),
  max_pool: pool(() => (values) => {
    let most = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < values.length; k++) {
      if (Number.isNaN(values[k])) return Number.NaN;
      if (values[k] > most) most = values[k];
    }
    return most;
  }),
  avg_pool: pool(
    ({ compute }) =>
      (values, area) =>
        mean(values, compute.count_padding === false ? values.length : area),
  ),
  global_avg_pool: globalAverage,
  flatten: reshape,
  reshape,
  add: together((a, b) => a + b),
  multiply: together((a, b) => a * b),
  products,
  join,
};
