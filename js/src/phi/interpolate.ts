/**
 * β and φ between the rows of a table, for numbers that are read out: polynomials through six neighbouring rows that no
 * knot parts. Exact for B-splines up to order 5 but for the rounding of the table; smooth bases to about 1e-7.
 */

import { bisectRight, greatest, maxIndex } from "d3-array";
import type { Frame, LayerLayout, Table } from "../wire/types.ts";
import { between, furthestApart, place } from "./curves.ts";
import { entryText, layerInWords, selectionOf } from "./entries.ts";
import { formatNumber } from "./format.ts";

/** Rows that a polynomial goes through. */
const ROWS_OF_A_POLYNOMIAL = 6;

/** The rows that may be interpolated together: of the interval after each row, the first and the last row of its piece. */
type Pieces = Record<"first" | "last", Uint32Array>;

const piecesOfTable = new WeakMap<Table, Pieces>();
const weights = new Float64Array(ROWS_OF_A_POLYNOMIAL);

/**
 * β_b(x) of one table, by its number, into out; NaN outside the table. Returns out. `bySlopes` they are β_b′(x), at a bend
 * the slope to its right.
 */
export function basisAt<Out extends Float64Array | number[]>(
  layer: LayerLayout,
  number: number,
  x: number,
  out: Out,
  weigh = lagrange,
): Out {
  const { nb } = layer;
  const table = layer.tables[number];
  const { x: xs, values } = table;
  const end = xs.length - 1;
  const rounded = Math.fround(x);
  if (!(rounded >= xs[0] && rounded <= xs[end])) {
    for (let b = 0; b < nb; b++) out[b] = Number.NaN;
    return out;
  }
  const inside = Math.max(xs[0], Math.min(xs[end], x));
  const row = bisectRight(xs, inside, 1, xs.length - 1) - 1;
  const { first, last } = piecesOf(layer, number);
  const n = Math.min(ROWS_OF_A_POLYNOMIAL, last[row] - first[row] + 1);
  const start = Math.max(first[row], Math.min(row - (n >> 1) + 1, last[row] - n + 1));
  weigh(xs, start, n, inside);
  for (let b = 0; b < nb; b++) {
    let sum = 0;
    for (let i = 0, v = start * nb + b; i < n; i++, v += nb) sum += weights[i] * values[v];
    out[b] = sum;
  }
  return out;
}

/** φ_f and its two terms at x, the sums over the basis functions that are the base and over the others; NaN outside the table. */
export function phiAt(layer: LayerLayout, f: number, frame: Frame, x: number) {
  const { nb, offset, isBase } = layer;
  const beta = basisAt(layer, tableNumber(layer, f), x, scratch(nb));
  let base = 0;
  let spline = 0;
  for (let b = 0; b < nb; b++) {
    const term = frame.data[offset + f * nb + b] * beta[b];
    if (isBase[b]) base += term;
    else spline += term;
  }
  return { phi: base + spline, base, spline };
}

export type Spread = NonNullable<ReturnType<typeof bandOver>>;

/** Where the networks of an ensemble have φ_f over a part of x, as an outline and a line; null where that is not known. */
export function bandOver(
  { band, shape: [, inputs, kh, kw] }: LayerLayout,
  f: number,
  [from, to]: readonly [number, number],
) {
  if (!band) return null;
  const { points } = band;
  const first = (Math.floor(f / (kh * kw)) % inputs) * points;
  const xs = band.x.subarray(first, first + points);
  const [lo, hi] = [Math.max(from, xs[0]), Math.min(to, xs[points - 1])];
  if (!(lo <= hi)) return null;
  const x = [lo, ...xs.filter((at) => at > lo && at < hi), hi];
  const [low, median, high] = [band.low, band.middle, band.high].map((values) =>
    x.map((at) => curveAt(xs, values.subarray(f * points), at)),
  );
  const range = { x: [...x, ...[...x].reverse()], y: [...high, ...low.reverse()] };
  return { range, median: { x, y: median } };
}

/** The band at an x, for tips: "median of 5 networks" and "0.31 (0.27 to 0.34)". */
export function bandLines(layer: LayerLayout, f: number, at: number) {
  const band = bandOver(layer, f, [at, at]);
  if (!band) return [];
  const [high, , , low] = band.range.y.map(formatNumber);
  const label = `median of ${layer.band?.count} networks`;
  return [{ label, value: `${formatNumber(band.median.y[0])} (${low} to ${high})` }];
}

/** The band of a function where it is widest, in words. */
export function widestText(layer: LayerLayout, f: number): string {
  const band = bandOver(layer, f, [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
  if (!band) return "";
  const [{ x, y: median }, { y }] = [band.median, band.range];
  const k = maxIndex(x, (_, n) => y[n] - y[y.length - 1 - n]);
  const [at, low, high, middle] = [x[k], y[y.length - 1 - k], y[k], median[k]].map(formatNumber);
  return `furthest apart at x = ${at}: ${low} to ${high}, median ${middle}`;
}

/** The function in which the networks of an ensemble are furthest apart, and that in words; null without one. */
export function largestDifference(layers: readonly LayerLayout[]) {
  const all = layers.flatMap((layer) => {
    if (!layer.band) return [];
    const { f, by } = furthestApart(layer.band);
    const where = `${layerInWords(layer)}, ${entryText(layer, f)}`;
    const text = `${layer.band.count} networks: they differ most in ${where}, by up to ${formatNumber(by)}`;
    return [{ text, by, selection: selectionOf(layer, f) }];
  });
  return greatest(all, ({ by }) => by) ?? null;
}

/** A curve at x between its ends, straight between its points. */
export function curveAt(xs: ArrayLike<number>, y: ArrayLike<number>, x: number): number {
  const row = place(xs, x);
  return between(y[Math.floor(row)], y[Math.floor(row) + 1], row % 1);
}

/** The table of function f, by its number. */
export function tableNumber(layer: LayerLayout, f: number): number {
  return layer.tableOf ? layer.tableOf[f] : 0;
}

let scratchSpace = new Float64Array(16);

function scratch(length: number): Float64Array {
  if (scratchSpace.length < length) scratchSpace = new Float64Array(length);
  return scratchSpace;
}

/**
 * A piece ends where φ may bend, at a knot or 0, and also where two rows lie next to each other in float32: they are
 * the two sides of a jump. Between the two there is nothing to interpolate: the lower row is a piece by itself.
 */
function piecesOf(layer: LayerLayout, number: number): Pieces {
  const table = layer.tables[number];
  const cached = piecesOfTable.get(table);
  if (cached) return cached;
  const { x } = table;
  const rows = x.length;
  const near = 1e-6 * (x[rows - 1] - x[0]);
  const knots = layer.bases[number]?.knots ?? layer.knots;
  const bends = [...knots, 0].sort((a, b) => a - b);
  const bendsAt = new Uint8Array(rows);
  for (let row = 0, k = 0; row < rows; row++) {
    while (k < bends.length && bends[k] < x[row] - near) k++;
    if (k < bends.length && bends[k] <= x[row] + near) bendsAt[row] = 1;
  }
  const first = new Uint32Array(rows);
  const last = new Uint32Array(rows);
  const jumps = (row: number) => x[row + 1] - x[row] <= near;
  for (let row = 0; row + 1 < rows; ) {
    let end = row + 1;
    if (jumps(row)) {
      first[row] = last[row] = row;
    } else {
      while (end + 1 < rows && !bendsAt[end] && !jumps(end)) end++;
      first.fill(row, row, end);
      last.fill(end, row, end);
    }
    row = end;
  }
  first[rows - 1] = last[rows - 1] = rows - 1;
  const pieces = { first, last };
  piecesOfTable.set(table, pieces);
  return pieces;
}

/** Sets the weights with which n rows add up to the value at x. */
function lagrange(xs: Float32Array, first: number, n: number, x: number): void {
  for (let i = 0; i < n; i++) {
    let weight = 1;
    for (let k = 0; k < n; k++) {
      if (k !== i) weight *= (x - xs[first + k]) / (xs[first + i] - xs[first + k]);
    }
    weights[i] = weight;
  }
}

/** Sets the weights with which n rows add up to the slope at x. */
export function bySlopes(xs: Float32Array, first: number, n: number, x: number): void {
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let j = 0; j < n; j++) {
      if (j === i) continue;
      let product = 1 / (xs[first + i] - xs[first + j]);
      for (let k = 0; k < n; k++) {
        if (k !== i && k !== j) product *= (x - xs[first + k]) / (xs[first + i] - xs[first + k]);
      }
      sum += product;
    }
    weights[i] = sum;
  }
}
