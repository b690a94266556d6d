/** A KAN layer in training: its parameters, and how the compiled kernels are called. A plain layer is one whose functions are w·x. */

import type { ConvSettings, LayerLayout } from "../wire/types.ts";
import { DIFFERENTIABLE, Operation, type Values, type Weight } from "./between_layers.ts";
import type { KernelBasis, Machine, Sizes } from "./machine.ts";

/** The parts of a layer that its layout does not tell. */
export interface LayerRecipe {
  /** Undefined for a plain layer. */
  basis?: KernelBasis;
  /** The base function's name: one of `DIFFERENTIABLE`. */
  base: string;
  /** A factor of each function's splines, which is trained, too. */
  scaler?: Float32Array;
}

/** Splines that stay 0: what the compiled kernels are given for a plain layer. */
const NO_SPLINES: KernelBasis = { order: 1, functions: 2, family: 0, shift: -1, factor: 0.5 };

export class KanLayer extends Operation {
  readonly base: Weight;
  readonly spline: Weight | null;
  readonly scaler: Weight | null;
  readonly #basis: KernelBasis;
  /** The base function, null for SiLU: the compiled kernels have that themselves. */
  readonly #activation: (typeof DIFFERENTIABLE)[string] | null;
  /** How many channels use each kernel. */
  readonly #copies: number;
  /** The weights that the compiled kernels read: the parameters, or scaled copies of them for each channel. */
  readonly #operands: { base: Weight; spline: Weight };
  readonly #activations: { base: number; slope: number };
  readonly #sizes = new Map<number, Sizes>();

  constructor(
    machine: Machine,
    readonly layer: LayerLayout,
    recipe: LayerRecipe,
    from: Values,
    to: Values,
    readonly bias: Weight | null,
    maxBatch: number,
  ) {
    super(machine, from, to);
    const { count, conv } = layer;
    this.#basis = recipe.basis ?? NO_SPLINES;
    this.#activation = recipe.base === "silu" ? null : DIFFERENTIABLE[recipe.base];
    this.#copies = conv?.shared ? from.shape[0] : 1;
    const { functions } = this.#basis;
    const weight = (size: number): Weight => {
      return { at: machine.take(size), grad: machine.take(size), count: size };
    };
    this.base = weight(count);
    this.spline = recipe.basis ? weight(count * functions) : null;
    this.scaler = recipe.scaler ? weight(count) : null;
    const isDirect = this.#copies === 1;
    this.#operands = {
      base: isDirect ? this.base : weight(count * this.#copies),
      spline:
        isDirect && this.spline && !this.scaler
          ? this.spline
          : weight(count * functions * this.#copies),
    };
    const takeRoom = () => (this.#activation ? machine.take(maxBatch * from.size) : 0);
    this.#activations = { base: takeRoom(), slope: takeRoom() };
  }

  forward(n: number): boolean {
    this.#copyOperands();
    this.#activate(n);
    if (!this.machine.forward(this.#call(n))) return false;
    if (this.bias) {
      const bias = this.machine.floats(this.bias.at, this.bias.count);
      const [, y] = this.values(n);
      for (let k = 0; k < y.length; k += bias.length)
        for (let c = 0; c < bias.length; c++) y[k + c] += bias[c];
    }
    return true;
  }

  backward(n: number): boolean {
    const done = this.machine.backward(this.#call(n), {
      y: this.to.grad,
      x: this.from.grad,
      baseWeight: this.#operands.base.grad,
      splineWeight: this.#operands.spline.grad,
    });
    if (!done) return false;
    if (this.bias) {
      const sums = this.machine.floats(this.bias.grad, this.bias.count).fill(0);
      const [, gradOutput] = this.gradients(n);
      for (let k = 0; k < gradOutput.length; k += sums.length)
        for (let c = 0; c < sums.length; c++) sums[c] += gradOutput[k + c];
    }
    this.#sumGradients();
    return true;
  }

  /** Sets the parameters from a frame's coefficients; a scaler that is not given keeps its value. */
  read(frame: Float32Array, scaler?: Float32Array): void {
    if (this.scaler && scaler) this.machine.floats(this.scaler.at, this.scaler.count).set(scaler);
    this.#visit((at, values, k, scale) => {
      values[k] = scale === 0 ? 0 : frame[at] / scale;
    });
  }

  /** Writes the layer's coefficients to a frame. */
  write(frame: Float32Array): void {
    this.#visit((at, values, k, scale) => {
      frame[at] = values[k] * scale;
    });
  }

  /** Calls with the place of each coefficient in a frame, the parameters that it is one of, its place there, and what scales it. */
  #visit(act: (at: number, values: Float32Array, k: number, scale: number) => void): void {
    const { layer, machine, spline } = this;
    const base = machine.floats(this.base.at, this.base.count);
    const { functions } = this.#basis;
    const splines = spline && machine.floats(spline.at, spline.count);
    const scales = this.scaler && machine.floats(this.scaler.at, this.scaler.count);
    for (let f = 0; f < layer.count; f++) {
      let k = 0;
      for (let b = 0; b < layer.nb; b++) {
        const at = layer.offset + f * layer.nb + b;
        if (layer.isBase[b]) act(at, base, f, 1);
        else if (splines) act(at, splines, f * functions + k++, scales ? scales[f] : 1);
      }
    }
  }

  /** Copies the parameters, scaled and for each channel, to where the compiled kernels read them. */
  #copyOperands(): void {
    const { machine, spline, scaler } = this;
    const { base: toBase, spline: toSpline } = this.#operands;
    if (toBase !== this.base) {
      const base = machine.floats(this.base.at, this.base.count);
      const to = machine.floats(toBase.at, toBase.count);
      for (let k = 0; k < to.length; k++) to[k] = base[k % base.length];
    }
    if (!spline || toSpline === spline) return;
    const splines = machine.floats(spline.at, spline.count);
    const scales = scaler && machine.floats(scaler.at, scaler.count);
    const to = machine.floats(toSpline.at, toSpline.count);
    const { functions } = this.#basis;
    for (let k = 0; k < to.length; k++) {
      const source = k % splines.length;
      to[k] = splines[source] * (scales ? scales[Math.floor(source / functions)] : 1);
    }
  }

  /** Sums the gradients of the parameters from those of the copies. */
  #sumGradients(): void {
    const { machine, spline, scaler } = this;
    const { base: fromBase, spline: fromSpline } = this.#operands;
    if (fromBase !== this.base) {
      const gradients = machine.floats(fromBase.grad, fromBase.count);
      const sums = machine.floats(this.base.grad, this.base.count).fill(0);
      for (let k = 0; k < gradients.length; k++) sums[k % sums.length] += gradients[k];
    }
    if (!spline || fromSpline === spline) return;
    const gradients = machine.floats(fromSpline.grad, fromSpline.count);
    const sums = machine.floats(spline.grad, spline.count).fill(0);
    for (let k = 0; k < gradients.length; k++) sums[k % sums.length] += gradients[k];
    if (!scaler) return;
    const { functions } = this.#basis;
    const splines = machine.floats(spline.at, spline.count);
    const scales = machine.floats(scaler.at, scaler.count);
    const toScales = machine.floats(scaler.grad, scaler.count).fill(0);
    for (let k = 0; k < sums.length; k++) {
      const f = Math.floor(k / functions);
      toScales[f] += sums[k] * splines[k];
      sums[k] *= scales[f];
    }
  }

  /** The base function of the input and its derivative, where the kernels have none of their own. */
  #activate(n: number): void {
    if (!this.#activation) return;
    const [f, slope] = this.#activation;
    const [x] = this.values(n);
    const base = this.machine.floats(this.#activations.base, x.length);
    const slopes = this.machine.floats(this.#activations.slope, x.length);
    for (let k = 0; k < x.length; k++) {
      base[k] = f(x[k]);
      slopes[k] = slope(x[k]);
    }
  }

  #call(n: number) {
    let sizes = this.#sizes.get(n);
    if (!sizes) {
      sizes = sizesOf(this.layer, this.from, this.to, n);
      this.#sizes.set(n, sizes);
    }
    const { base, spline } = this.#operands;
    return {
      sizes,
      basis: this.#basis,
      x: this.from.at,
      ...this.#activations,
      baseWeight: base.at,
      splineWeight: spline.at,
      y: this.to.at,
    };
  }
}

function sizesOf(layer: LayerLayout, from: Values, to: Values, n: number): Sizes {
  const conv = layer.conv;
  if (!conv) return denseSizes(n, layer.shape[1], layer.shape[0]);
  const [channels, height, width] = from.shape;
  const [out, outHeight, outWidth] = to.shape;
  const [left, right, top, bottom] = conv.padding;
  return {
    ...{ n, height: height + top + bottom, width: width + left + right, channels, out },
    groups: groupsOf(conv, channels),
    ...{ kernel: [layer.shape[2], layer.shape[3]], stride: conv.stride, dilation: conv.dilation },
    ...{ outHeight, outWidth, innerHeight: height, innerWidth: width, top, left },
    xStrides: [from.size, width * channels, channels, 1],
    yStrides: [to.size, outWidth * out, out, 1],
  };
}

/** Sizes of a dense layer: a batch of `n` is the rows of one image with one column. */
export function denseSizes(n: number, features: number, out: number): Sizes {
  return {
    ...{ n: 1, height: n, width: 1, channels: features, out, groups: 1 },
    ...{ kernel: [1, 1], stride: [1, 1], dilation: [1, 1] },
    ...{ outHeight: n, outWidth: 1, innerHeight: n, innerWidth: 1, top: 0, left: 0 },
    ...{ xStrides: [0, features, 0, 1], yStrides: [0, out, 0, 1] },
  };
}

/** A kernel that goes over each channel by itself is one of as many groups. */
const groupsOf = ({ shared, groups }: ConvSettings, channels: number) =>
  shared ? channels : groups;
