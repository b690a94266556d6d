/** The bases of kan_widgets.nn, tabulated by the compiled kernels that train with them: a layer whose coefficients are 0 and 1. */

import { denseSizes } from "../training/layer.ts";
import type { KernelBasis, Machine } from "../training/machine.ts";
import type { State } from "./state.ts";

type Ends = readonly [low: number, high: number];

export interface BasisSpec {
  labels: string[];
  domain: Ends;
  extent: Ends;
  knots: number[];
  kernel: KernelBasis;
  /** How many samples draw functions without knots well. */
  points: number;
  gridSize: number;
}

/** Samples that draw any function well. */
const FEWEST_POINTS = 128;
const manyEnough = (points: number) => Math.max(FEWEST_POINTS, points);

/** Families other than splines, as the kernels number them. */
export const FAMILIES = ["rbf", "chebyshev", "fourier"];

/** The basis that kan_widgets.nn makes of the same settings. */
export function makeBasis(basis: State["basis"], grid: number, order: number, domain: Ends) {
  const [low, high] = domain;
  const length = high - low;
  const numbered = (letter: string, count: number) =>
    Array.from({ length: count }, (_, b) => `${letter}${b}`);
  const own = { domain, knots: [], gridSize: grid, points: FEWEST_POINTS };
  const wider = (share: number): Ends => [low - share * length, high + share * length];
  const family = FAMILIES.indexOf(basis);
  const count = grid + order;
  const centre = (low + high) / 2;
  const centred = { order: 0, functions: count, family, shift: centre };
  if (basis === "rbf") {
    const width = length / (count - 1);
    const labels = numbered("R", count);
    const kernel = { ...centred, shift: low, factor: 1 / width };
    const extent: Ends = [low - 2 * width, high + 2 * width];
    return { ...own, labels, extent, kernel, points: manyEnough(16 * (count + 3)) };
  }
  if (basis === "chebyshev") {
    const factor = 4 / length;
    const labels = numbered("T", count).map(
      (name) => `${name}(tanh ${Number(factor.toPrecision(3))}x)`,
    );
    const kernel = { ...centred, factor };
    return { ...own, labels, extent: wider(1 / 2), kernel, points: manyEnough(64 * (count - 1)) };
  }
  if (basis === "fourier") {
    const frequencies = Math.floor(count / 2);
    const argument = length === 2 ? "π·x" : `π·x/${Number((length / 2).toPrecision(3))}`;
    const waves = Array.from({ length: frequencies }, (_, k) => (k ? k + 1 : ""));
    const labels = ["1", ...waves.flatMap((n) => [`cos ${n}${argument}`, `sin ${n}${argument}`])];
    const kernel = { ...centred, functions: labels.length, factor: 1 / length };
    return { ...own, labels, extent: wider(1 / 4), kernel, points: manyEnough(64 * frequencies) };
  }
  const knots = Array.from(
    { length: grid + 2 * order + 1 },
    (_, k) => low + ((k - order) * length) / grid,
  );
  const kernel = { order, functions: count, family: 0, shift: low, factor: grid / length };
  const extent = [knots[0], knots[knots.length - 1]] as const;
  return { ...own, labels: numbered("B", count), extent, knots, kernel };
}

/** β at points, row by row: points.length × functions. */
export function expand(machine: Machine, { kernel }: BasisSpec, points: ArrayLike<number>) {
  const [n, functions] = [points.length, kernel.functions];
  const [x, base] = [machine.take(n), machine.take(functions)];
  const splines = machine.take(functions * functions);
  const y = machine.take(n * functions);
  machine.floats(x, n).set(points);
  const identity = machine.floats(splines, functions * functions);
  for (let b = 0; b < functions; b++) identity[b * (functions + 1)] = 1;
  const sizes = denseSizes(n, 1, functions);
  const weights = { baseWeight: base, splineWeight: splines };
  machine.forward({ sizes, basis: kernel, x, base: 0, slope: 0, ...weights, y });
  return machine.floats(y, n * functions).slice();
}

const PER_INTERVAL = 16;
const MOST_POINTS = 400;

/** Where a basis is tabulated: as sample_points in kan_widgets/live/frames/layout.py. */
export function samplePoints({ extent, domain, knots, kernel, points }: BasisSpec): Float32Array {
  const [low, high] = extent;
  const inside = knots.filter((knot) => knot >= low && knot <= high);
  const sorted = [low, high, -1, 0, 1, ...domain, ...inside].map(Math.fround).sort((a, b) => a - b);
  const nearest = 1e-6 * (sorted[sorted.length - 1] - sorted[0]);
  const edges = sorted.filter((edge, k) => k === 0 || edge - sorted[k - 1] > nearest);
  const [first, last] = [edges[0], edges[edges.length - 1]];
  const fewest = Math.max(3, Math.min(kernel.order, 5));
  const even = Math.min(PER_INTERVAL, Math.floor(MOST_POINTS / (edges.length - 1)));
  const sampled = edges.slice(1).flatMap((edge, k) => {
    const width = edge - edges[k];
    const share = Math.round((points * width) / (last - first));
    const divisions = knots.length > 0 ? Math.max(fewest, even) : Math.max(2, share);
    return Array.from({ length: divisions }, (_, d) => edges[k] + (width / divisions) * d);
  });
  return Float32Array.from(new Set([...sampled, last].map(Math.fround)));
}

/**
 * The coefficients by which splines pass through numbers at the points of their grid, the smallest that do so:
 * (grid + 1) × functions, B⁺ transposed, as kan_widgets.nn begins.
 */
export function throughGrid(machine: Machine, basis: BasisSpec): Float64Array[] {
  const [low, high] = basis.domain;
  const size = basis.gridSize + 1;
  const grid = Array.from({ length: size }, (_, k) => low + ((high - low) * k) / basis.gridSize);
  const flat = expand(machine, basis, grid);
  const functions = basis.kernel.functions;
  const b = grid.map((_, k) =>
    Float64Array.from(flat.subarray(k * functions, (k + 1) * functions)),
  );
  const dot = (one: Float64Array, other: Float64Array) =>
    one.reduce((sum, value, k) => sum + value * other[k], 0);
  // Solves (B Bᵀ) P = B by elimination; B Bᵀ is positive definite, so no pivot is looked for.
  const squares = b.map((row) => Float64Array.from(b, (other) => dot(row, other)));
  const solved = b.map((row) => row.slice());
  for (let k = 0; k < size; k++)
    for (let other = 0; other < size; other++) {
      const factor = other === k ? 1 - 1 / squares[k][k] : squares[other][k] / squares[k][k];
      const [from, to] = [squares[k].slice(), solved[k].slice()];
      squares[other].forEach((_, c) => {
        squares[other][c] -= factor * from[c];
      });
      solved[other].forEach((_, c) => {
        solved[other][c] -= factor * to[c];
      });
    }
  return solved;
}
