/** What the compiled kernels compute, where a browser cannot run them. */

import type { Call, Gradients, KernelBasis, Machine, Sizes } from "./machine.ts";

export class PlainMachine implements Machine {
  readonly name = "TypeScript";
  #memory = new Float32Array(1 << 20);
  #used = 16;

  take(numbers: number): number {
    const at = this.#used;
    this.#used += Math.ceil(numbers / 16) * 16;
    if (this.#used > this.#memory.length) {
      const more = new Float32Array(2 * this.#used);
      more.set(this.#memory);
      this.#memory = more;
    }
    return 4 * at;
  }

  floats(at: number, numbers: number): Float32Array {
    return this.#memory.subarray(at / 4, at / 4 + numbers);
  }

  forward({ sizes, basis, x, base, baseWeight, splineWeight, y }: Call): boolean {
    const m = this.#memory;
    const { functions } = basis;
    const values = new Float64Array(functions);
    const [each, step] = [stepOf(sizes), sizes.yStrides[3]];
    const [bases, splines, sums] = [baseWeight / 4, splineWeight / 4, y / 4];
    let finite = true;
    eachOutput(sizes, (to) => {
      m[sums + to] = 0;
    });
    eachInput(sizes, (from, taps) => {
      const value = from < 0 ? 0 : m[x / 4 + from];
      finite &&= Number.isFinite(value);
      const [begin, end] = expand(basis, value, values);
      const own = base && from >= 0 ? m[base / 4 + from] : value / (1 + Math.exp(-value));
      taps((first, outs, place) => {
        for (
          let o = 0, weight = first, to = sums + place;
          o < outs;
          o++, weight += each, to += step
        ) {
          let sum = own * m[bases + weight];
          const at = splines + weight * functions;
          for (let b = begin; b < end; b++) sum += values[b] * m[at + b];
          m[to] += sum;
        }
      });
    });
    return finite && this.#areFinite(sizes, y);
  }

  backward(call: Call, gradients: Gradients): boolean {
    const { sizes, basis, x, base, slope, baseWeight, splineWeight } = call;
    const m = this.#memory;
    const { functions } = basis;
    const [values, slopes] = [new Float64Array(functions), new Float64Array(functions)];
    const [each, step] = [stepOf(sizes), sizes.yStrides[3]];
    const [bases, splines, given] = [baseWeight / 4, splineWeight / 4, gradients.y / 4];
    const [toBases, toSplines] = [gradients.baseWeight / 4, gradients.splineWeight / 4];
    const count = each * sizes.out;
    this.floats(gradients.baseWeight, count).fill(0);
    this.floats(gradients.splineWeight, count * functions).fill(0);
    if (!this.#areFinite(sizes, gradients.y)) return false;
    eachInput(sizes, (from, taps) => {
      const value = from < 0 ? 0 : m[x / 4 + from];
      const [begin, end] = expand(basis, value, values, slopes);
      const gate = 1 / (1 + Math.exp(-value));
      const own = base && from >= 0 ? m[base / 4 + from] : value * gate;
      const rise = slope && from >= 0 ? m[slope / 4 + from] : gate * (1 + value * (1 - gate));
      let sum = 0;
      taps((first, outs, place) => {
        for (
          let o = 0, weight = first, to = given + place;
          o < outs;
          o++, weight += each, to += step
        ) {
          const one = m[to];
          sum += one * rise * m[bases + weight];
          m[toBases + weight] += one * own;
          const at = weight * functions;
          for (let b = begin; b < end; b++) {
            sum += one * slopes[b] * m[splines + at + b];
            m[toSplines + at + b] += one * values[b];
          }
        }
      });
      if (from >= 0) m[gradients.x / 4 + from] = sum;
    });
    return true;
  }

  #areFinite(sizes: Sizes, at: number): boolean {
    let finite = true;
    eachOutput(sizes, (to) => {
      finite &&= Number.isFinite(this.#memory[at / 4 + to]);
    });
    return finite;
  }
}

/** From the weights of one output to those of the next. */
const stepOf = ({ channels, groups, kernel }: Sizes) => (channels / groups) * kernel[0] * kernel[1];

function eachOutput(sizes: Sizes, f: (to: number) => void): void {
  const [image, row, column, channel] = sizes.yStrides;
  for (let n = 0; n < sizes.n; n++)
    for (let h = 0; h < sizes.outHeight; h++)
      for (let w = 0; w < sizes.outWidth; w++)
        for (let o = 0; o < sizes.out; o++) f(n * image + h * row + w * column + o * channel);
}

/** Calls with the first function that sees an input, how many outputs have one, and the place of the first of these. */
type Taps = (g: (weight: number, outs: number, to: number) => void) => void;

/** Calls `f` with the place of each number of the padded input, −1 for the padding, which is 0, and what goes over all that see it. */
function eachInput(sizes: Sizes, f: (from: number, taps: Taps) => void): void {
  const { channels, groups, top, left, innerHeight, innerWidth, xStrides, yStrides } = sizes;
  const [area, perGroup] = [sizes.kernel[0] * sizes.kernel[1], channels / groups];
  const outs = sizes.out / groups;
  for (let image = 0; image < sizes.n; image++)
    for (let row = 0; row < sizes.height; row++)
      for (let column = 0; column < sizes.width; column++) {
        const [h, w] = [row - top, column - left];
        const inside = h >= 0 && h < innerHeight && w >= 0 && w < innerWidth;
        const place = image * xStrides[0] + h * xStrides[1] + w * xStrides[2];
        for (let c = 0; c < channels; c++) {
          const o = Math.floor(c / perGroup) * outs;
          const weight = (o * perGroup + (c % perGroup)) * area;
          f(inside ? place + c * xStrides[3] : -1, (g) => {
            eachTap(sizes, image, row, column, (tap, to) => {
              g(weight + tap, outs, to + o * yStrides[3]);
            });
          });
        }
      }
}

/** The entries of a kernel that see a place, and the place of the output that each adds to. */
function eachTap(
  { kernel, stride, dilation, outHeight, outWidth, yStrides }: Sizes,
  image: number,
  row: number,
  column: number,
  f: (tap: number, to: number) => void,
): void {
  for (let kh = 0; kh < kernel[0]; kh++) {
    const h = (row - kh * dilation[0]) / stride[0];
    if (h < 0 || h >= outHeight || h % 1 !== 0) continue;
    for (let kw = 0; kw < kernel[1]; kw++) {
      const w = (column - kw * dilation[1]) / stride[1];
      if (w < 0 || w >= outWidth || w % 1 !== 0) continue;
      f(kh * kernel[1] + kw, image * yStrides[0] + h * yStrides[1] + w * yStrides[2]);
    }
  }
}

/** All functions of a basis at x, and their derivatives; gives between which of them others than 0 lie. */
function expand(
  basis: KernelBasis,
  x: number,
  values: Float64Array,
  slopes?: Float64Array,
): [begin: number, end: number] {
  if (basis.order > 0) return splines(basis, x, values, slopes);
  FAMILIES[basis.family](basis, (x - basis.shift) * basis.factor, values, slopes);
  return [0, basis.functions];
}

/** By Cox and de Boor's recursion, on the interval between knots in which x lies. */
function splines(
  { order, functions, shift, factor, knots }: KernelBasis,
  x: number,
  values: Float64Array,
  slopes?: Float64Array,
): [begin: number, end: number] {
  const t = (i: number) => knots?.[i] ?? shift + (i - order) / factor;
  let cell = knots
    ? knots.filter((knot) => knot <= x).length - 1
    : Math.floor((x - shift) * factor) + order;
  if (!knots) cell += x >= t(cell + 1) ? 1 : x < t(cell) ? -1 : 0;
  if (!(cell >= 0 && cell < functions + order)) return [0, 0];
  // Function cell − degree + m is the m-th that is not 0 there.
  const b = new Float64Array(order + 1);
  b[0] = 1;
  const [begin, end] = [Math.max(0, cell - order), Math.min(functions, cell + 1)];
  for (let degree = 1; degree <= order; degree++) {
    let shared = 0;
    for (let m = 0; m <= degree; m++) {
      const i = cell - degree + m;
      const width = t(i + degree + 1) - t(i + 1);
      const next = m < degree && width > 0 ? b[m] / width : 0;
      if (slopes && degree === order && i >= begin && i < end) slopes[i] = order * (shared - next);
      b[m] = (x - t(i)) * shared + (t(i + degree + 1) - x) * next;
      shared = next;
    }
  }
  for (let i = begin; i < end; i++) values[i] = b[i - cell + order];
  return [begin, end];
}

type Family = (basis: KernelBasis, u: number, values: Float64Array, slopes?: Float64Array) => void;

/** Radial functions, Chebyshev polynomials of tanh, waves: in the order of kan_widgets/nn/kernels/local.cpp. */
const FAMILIES: readonly Family[] = [
  ({ functions, factor }, u, values, slopes) => {
    for (let b = 0; b < functions; b++) {
      values[b] = Math.exp(-((u - b) ** 2));
      if (slopes) slopes[b] = -2 * (u - b) * factor * values[b];
    }
  },
  ({ functions, factor }, u, values, slopes) => {
    const [angle, sine] = [Math.acos(Math.tanh(u)), 1 / Math.cosh(u)];
    for (let b = 0; b < functions; b++) {
      values[b] = Math.cos(b * angle);
      if (slopes) slopes[b] = Math.sin(b * angle) * b * sine * factor;
    }
  },
  ({ functions, factor }, u, values, slopes) => {
    const constant = functions % 2;
    for (let b = 0; b < functions; b++) {
      const n = Math.floor((b + 2 - constant) / 2);
      const isSine = (b - constant) % 2 === 1;
      const [angle, rate] = [2 * Math.PI * u * n, 2 * Math.PI * factor * n];
      values[b] = isSine ? Math.sin(angle) : Math.cos(angle);
      if (slopes) slopes[b] = rate * (isSine ? Math.cos(angle) : -Math.sin(angle));
    }
  },
];
