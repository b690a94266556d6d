/** φ over an input matrix that rises from one limit to the other. No DOM. */
import type { LayerLayout } from "../wire/types.ts";
import type { Curves, Plan } from "./curves.ts";
import { expandAll } from "./expansion.ts";
import type { Images } from "./images.ts";
import { kernelRanges, layerRange, mostOf, niceCeil, reachOf } from "./ranges.ts";

export const DIRECTIONS = ["horizontal", "vertical", "diagonal", "radial"] as const;

export type Rise = (typeof DIRECTIONS)[number];

/** A matrix of n × n inputs, by its distinct values: φ is evaluated once for each of them. */
export interface Ramp {
  direction: Rise;
  limits: [number, number];
  n: number;
  /** The distinct inputs, rising. */
  values: Float64Array;
  /** The smallest picture that shows the matrix when it is stretched: 1 high, 1 wide, or n × n. */
  width: number;
  height: number;
  /** index[row·width + column] is a place in `values`. */
  index: Uint16Array;
}

export function makeRamp(direction: Rise, limits: [number, number], n: number): Ramp {
  const [lo, hi] = limits;
  const made = (shares: number[], width: number, height: number, index: ArrayLike<number>) => ({
    direction,
    limits,
    n,
    values: Float64Array.from(shares, (share) => lo + (hi - lo) * share),
    width,
    height,
    index: Uint16Array.from(index),
  });
  const line = Array.from({ length: n }, (_, k) => k);
  if (direction === "horizontal" || direction === "vertical") {
    const shares = line.map((k) => k / (n - 1));
    return direction === "horizontal" ? made(shares, n, 1, line) : made(shares, 1, n, line);
  }
  const cells = line.flatMap((row) => line.map((column) => [row, column]));
  if (direction === "diagonal") {
    const shares = Array.from({ length: 2 * n - 1 }, (_, k) => k / (2 * n - 2));
    return made(
      shares,
      n,
      n,
      cells.map(([row, column]) => row + column),
    );
  }
  // Squares of twice the distances are whole numbers, so equal distances are found to be equal.
  const squares = cells.map(([row, column]) => (2 * row - n + 1) ** 2 + (2 * column - n + 1) ** 2);
  const distinct = [...new Set(squares)].sort((a, b) => a - b);
  const [first, last] = [Math.sqrt(distinct[0]), Math.sqrt(distinct[distinct.length - 1])];
  const place = new Map(distinct.map((square, k) => [square, k]));
  const shares = distinct.map((d) => (last > first ? (Math.sqrt(d) - first) / (last - first) : 0));
  return made(
    shares,
    n,
    n,
    squares.map((square) => place.get(square) ?? 0),
  );
}

/** The place in `values` of the input at a point of the matrix, by shares of its width and height. */
export function placeIn(ramp: Ramp, across: number, down: number): number {
  const within = (share: number, size: number) =>
    Math.max(0, Math.min(size - 1, Math.floor(share * size)));
  return ramp.index[within(down, ramp.height) * ramp.width + within(across, ramp.width)];
}

/** The ramp's inputs in the basis of each table of a layer. */
export function planOf(layer: LayerLayout, ramp: Ramp): Plan {
  const tables = layer.tables.map((_, t) => expandAll(layer, t, ramp.values));
  return { tables, points: ramp.values.length };
}

/** The whole n × n matrix of what the distinct inputs give. */
function spreadOut({ n, width, height, index }: Ramp, of: (place: number) => number): Float32Array {
  return Float32Array.from({ length: n * n }, (_, k) => {
    const at = (height === 1 ? 0 : Math.floor(k / n) * width) + (width === 1 ? 0 : k % n);
    return of(index[at]);
  });
}

export function matrixOf(ramp: Ramp, { y, points }: Curves, f: number): Float32Array {
  return spreadOut(ramp, (place) => y[f * points + place]);
}

export function rampImage(ramp: Ramp): Images {
  const data = spreadOut(ramp, (place) => ramp.values[place]);
  return { count: 1, channels: 1, height: ramp.n, width: ramp.n, data };
}

export type Spread = ReturnType<typeof spreadOf>;

/** How far the functions reach over the ramp, from what is finite of them. */
export function spreadOf(layer: LayerLayout, { y, points }: Curves) {
  const most = new Float32Array(layer.count);
  let broken = 0;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let f = 0; f < layer.count; f++) {
    const reach = reachOf(y.subarray(f * points, (f + 1) * points));
    if (reach.broken > 0) broken++;
    most[f] = reach.broken < points ? mostOf(reach) : Number.NaN;
    if (reach.broken === points) continue;
    if (reach.low < low) low = reach.low;
    if (reach.high > high) high = reach.high;
  }
  /** `most`: per function, the largest distance from zero, NaN where nothing is finite; `broken` have values that are not. */
  return { most, broken, low, high };
}

/** Half the range of the colours of each function, where a layer, a kernel or nothing shares one. */
export function scalesOf(
  layer: LayerLayout,
  most: Float32Array,
  scale: "layer" | "kernel" | "function",
) {
  const size = layer.shape[2] * layer.shape[3];
  if (scale === "layer") {
    const all = niceCeil(layerRange(most));
    return { of: (_: number) => all, smallest: all, largest: all };
  }
  const own = Array.from(scale === "kernel" ? kernelRanges(layer, most) : most, niceCeil);
  const known = own.filter((_, k) => scale === "kernel" || !Number.isNaN(most[k]));
  const step = scale === "kernel" ? size : 1;
  return {
    of: (f: number) => own[Math.floor(f / step)],
    smallest: known.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    largest: known.reduce((a, b) => Math.max(a, b), 0),
  };
}
