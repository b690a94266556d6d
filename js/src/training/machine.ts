/** Where the numbers of a network in training lie, and what computes its KAN layers. */

/** Sizes of a call, as the struct `Problem` of kan_widgets/nn/compiled/local.cpp has them. */
export interface Sizes {
  n: number;
  /** Size of the padded input. */
  height: number;
  width: number;
  channels: number;
  out: number;
  groups: number;
  kernel: readonly [number, number];
  stride: readonly [number, number];
  dilation: readonly [number, number];
  outHeight: number;
  outWidth: number;
  innerHeight: number;
  innerWidth: number;
  top: number;
  left: number;
  /** Numbers from one image, row, column, channel of the input to the next; and of the output. */
  xStrides: readonly [number, number, number, number];
  yStrides: readonly [number, number, number, number];
}

/** The basis of a layer, as the kernels know it. */
export interface KernelBasis {
  /** The order of splines; 0 for other bases. */
  order: number;
  functions: number;
  /** The family of a basis other than splines: 0 radial, 1 Chebyshev, 2 Fourier. */
  family: number;
  shift: number;
  factor: number;
  /** The knots, where they are not evenly spaced. */
  knots?: readonly number[];
}

/** Addresses of what a layer computes with; 0 where there is none. Without a base the kernels use SiLU. */
interface Call {
  sizes: Sizes;
  basis: KernelBasis;
  x: number;
  base: number;
  slope: number;
  baseWeight: number;
  splineWeight: number;
  y: number;
}

type Gradients = Pick<Call, "y" | "x" | "baseWeight" | "splineWeight">;

type Run = (...addresses: number[]) => number;

/** What compiled kernels export, as WebAssembly or translated to JavaScript. */
type Exports = Record<string, unknown> & { memory: { buffer: ArrayBuffer } };

/** What a page has where its browser refuses WebAssembly: js/translate.mjs. */
interface Scope {
  kanKernels?: { default: () => Exports };
}

/** Whole numbers of a problem, which come before two of 64 bits. */
const WHOLE = 37;

/** The kernels of kan_widgets/nn/compiled, compiled for pages: for every order of splines, and for other bases. */
export class Machine {
  readonly #exports: Record<string, Run>;
  readonly #memory: { buffer: ArrayBuffer };
  readonly #problems = new WeakMap<Sizes, number>();

  /** Throws where the page's browser cannot run it. */
  static async from(code: BufferSource): Promise<Machine> {
    const { kanKernels } = globalThis as Scope;
    if (kanKernels) return new Machine(kanKernels.default());
    const { instance } = await WebAssembly.instantiate(code);
    return new Machine(instance.exports as Exports);
  }

  private constructor(exports: Exports) {
    this.#exports = exports as unknown as Record<string, Run>;
    this.#memory = exports.memory;
  }

  /** The address of `numbers` new numbers, all 0. */
  take(numbers: number): number {
    const at = this.#exports.kan_take_some(4 * numbers);
    if (at === 0) throw new Error("This page has no more memory: a smaller network needs less.");
    this.floats(at, numbers).fill(0);
    return at;
  }

  /** Numbers at an address, until more memory is taken or something is computed. */
  floats(at: number, numbers: number): Float32Array {
    return new Float32Array(this.#memory.buffer, at, numbers);
  }

  /** Computes y from x; false where a number is not finite: then y means nothing. */
  forward(call: Call): boolean {
    const { x, base, baseWeight, splineWeight, y, basis } = call;
    const problem = this.#problem(call);
    const run = this.#exports[`kan_forward_wasm_${basis.order}`];
    const knots = this.#knots(basis);
    return this.#succeeded(run(problem, knots, x, base, baseWeight, splineWeight, y));
  }

  /** Writes the gradients of what has an address in `gradients`; false as for `forward`. */
  backward(call: Call, gradients: Gradients): boolean {
    const { x, base, slope, baseWeight, splineWeight, basis } = call;
    const run = this.#exports[`kan_backward_wasm_${basis.order}`];
    const inputs = [x, base, slope, baseWeight, splineWeight, gradients.y];
    const outputs = [gradients.x, 0, gradients.baseWeight, gradients.splineWeight];
    return this.#succeeded(run(this.#problem(call), this.#knots(basis), ...inputs, ...outputs));
  }

  #succeeded(status: number): boolean {
    if (status > 0) throw new Error(`This page has no ${status} bytes more of memory.`);
    return status === 0;
  }

  /** The address of a call's struct in memory, which is written once. */
  #problem({ sizes, basis }: Call): number {
    const known = this.#problems.get(sizes);
    if (known) return known;
    const after = WHOLE + (WHOLE % 2);
    const address = this.take(after + 4);
    const { kernel, stride, dilation, xStrides, yStrides } = sizes;
    const { n, height, width, channels, out, groups } = sizes;
    const { outHeight, outWidth, innerHeight, innerWidth, top, left } = sizes;
    const numbers = [n, height, width, channels, out, groups, ...kernel, ...stride, ...dilation];
    numbers.push(outHeight, outWidth, innerHeight, innerWidth, top, left);
    numbers.push(...xStrides, ...xStrides, ...xStrides, ...yStrides);
    numbers.push(basis.functions, 1, basis.family);
    new Int32Array(this.#memory.buffer, address, WHOLE).set(numbers);
    const last = new Float64Array(this.#memory.buffer, address + 4 * after, 2);
    last.set([basis.shift, basis.factor]);
    this.#problems.set(sizes, address);
    return address;
  }

  readonly #knotAddresses = new WeakMap<readonly number[], number>();

  #knots({ knots }: KernelBasis): number {
    if (!knots) return 0;
    const at = this.#knotAddresses.get(knots) ?? this.take(2 * knots.length);
    new Float64Array(this.#memory.buffer, at, knots.length).set(knots);
    this.#knotAddresses.set(knots, at);
    return at;
  }
}

export class Random {
  readonly #state: [number, number, number, number];

  constructor(seed: number) {
    this.#state = [seed | 0, 0x9e3779b9, 0x243f6a88, 1];
    for (let k = 0; k < 15; k++) this.#next();
  }

  #next(): number {
    let [a, b, c, d] = this.#state;
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    this.#state.splice(0, 4, a, b, c, d);
    return t >>> 0;
  }

  /** A number from 0 to just below 1. */
  uniform(): number {
    return this.#next() / 2 ** 32;
  }

  /** A whole number below another. */
  below(limit: number): number {
    return Math.floor(this.uniform() * limit);
  }

  /** The numbers 0 … count − 1 in random order. */
  order(count: number): Uint32Array {
    const all = Uint32Array.from({ length: count }, (_, k) => k);
    for (let k = count - 1; k > 0; k--) {
      const other = this.below(k + 1);
      [all[k], all[other]] = [all[other], all[k]];
    }
    return all;
  }
}
