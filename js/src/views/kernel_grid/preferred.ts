/**
 * The x within bounds at which each function is largest, or smallest: entry by entry the patch that a kernel prefers most,
 * or least. No DOM.
 */

import { quantile } from "d3-array";
import { observedEntry } from "../../phi/entries.ts";
import { expandAt } from "../../phi/expansion.ts";
import type { Frame, LayerLayout, Observed } from "../../wire/types.ts";

/** Of the inputs seen by an entry so much lies below the bounds, and so much above. */
export const TAIL = 0.005;
/** Points on either side of a table, where the bounds reach beyond it. */
const BEYOND = 64;
/** Products of a coefficient and a β for one frame; beyond that, rows are taken with gaps, then those around the best. */
const PRODUCTS = 12_000_000;
/** A function that moves less than this share of its size is constant. */
const FLAT = 1e-6;

export interface Bounds {
  /** Per function. */
  low: Float64Array;
  high: Float64Array;
  /** Images they were seen with; 0: the grid's range. */
  samples: number;
}

export interface Preferred {
  bounds: Bounds;
  /** Per function; the middle of the bounds where it is constant, NaN where it is not finite. */
  x: Float64Array;
  /** φ there. */
  value: Float64Array;
}

/** The grid's range of each function, or what was seen of its inputs but for the outermost 0.5 % at either end. */
export function boundsOf(layer: LayerLayout, observed: Observed | null): Bounds {
  const { count, tableOf, bases } = layer;
  const low = new Float64Array(count);
  const high = new Float64Array(count);
  const entries = (layer.conv?.groups ?? 1) * (count / layer.shape[0]);
  const seen = observed && observed.patchCount > 0 && entries === observed.entries;
  if (!seen) {
    for (let f = 0; f < count; f++) {
      [low[f], high[f]] = bases[tableOf ? tableOf[f] : 0].domain;
    }
    return { low, high, samples: 0 };
  }
  const ends = Array.from({ length: observed.entries }, (_, entry) => quantiles(observed, entry));
  for (let f = 0; f < count; f++) [low[f], high[f]] = ends[observedEntry(layer, f)];
  return { low, high, samples: observed.samples };
}

/** The inputs of an entry but for the outermost at either end, as numpy.quantile has it. */
function quantiles({ patches, patchCount, entries }: Observed, entry: number): [number, number] {
  const values = Float64Array.from({ length: patchCount }, (_, p) => patches[p * entries + entry]);
  return [quantile(values, TAIL) ?? Number.NaN, quantile(values, 1 - TAIL) ?? Number.NaN];
}

/** Where one interval lies in a table: rows first to stop − 1 inside it, and β at its ends and beyond the table. */
interface Window {
  first: number;
  stop: number;
  x: Float64Array;
  /** values[p·nb + b] = β_b(x[p]) */
  values: Float64Array;
}

function windowOf(layer: LayerLayout, table: number, low: number, high: number): Window {
  const { nb, tables } = layer;
  const rows = tables[table].x;
  const [from, to] = [rows[0], rows[rows.length - 1]];
  const x = [low, high];
  for (let k = 1; k <= BEYOND; k++) {
    const share = k / (BEYOND + 1);
    if (low < from) x.push(low + (Math.min(from, high) - low) * share);
    if (high > to) x.push(Math.max(to, low) + (high - Math.max(to, low)) * share);
  }
  const values = new Float64Array(x.length * nb);
  x.forEach((at, p) => {
    expandAt(layer, table, at, values.subarray(p * nb, (p + 1) * nb));
  });
  let first = 0;
  while (first < rows.length && rows[first] <= low) first++;
  let stop = first;
  while (stop < rows.length && rows[stop] < high) stop++;
  return { first, stop, x: Float64Array.from(x), values };
}

/** Finds where every function of a layer is largest within its bounds, or smallest. */
export function preferredOf(
  frame: Frame,
  layer: LayerLayout,
  bounds: Bounds,
  suppressed: boolean,
): Preferred {
  const { count, nb, offset, tableOf, tables } = layer;
  const sign = suppressed ? -1 : 1;
  const x = new Float64Array(count);
  const value = new Float64Array(count);
  const windows = new Map<string, Window>();
  const c = new Float64Array(nb);
  const sum = (values: ArrayLike<number>, row: number) => {
    let total = 0;
    for (let b = 0, v = row * nb; b < nb; b++, v++) total += c[b] * values[v];
    return total;
  };
  for (let f = 0; f < count; f++) {
    const table = tableOf ? tableOf[f] : 0;
    const [low, high] = [bounds.low[f], bounds.high[f]];
    const key = `${table}|${low}|${high}`;
    const window = windows.get(key) ?? windowOf(layer, table, low, high);
    windows.set(key, window);
    for (let b = 0; b < nb; b++) c[b] = frame.data[offset + f * nb + b];

    let [best, worst, at, total] = [-Infinity, Infinity, Number.NaN, 0];
    const take = (y: number, where: number) => {
      total += y;
      if (sign * y > best) [best, at] = [sign * y, where];
      if (sign * y < worst) worst = sign * y;
    };
    for (let p = 0; p < window.x.length; p++) take(sum(window.values, p), window.x[p]);
    const { x: rows, values } = tables[table];
    const { first, stop } = window;
    const gap = Math.max(1, Math.ceil(((stop - first) * count * nb) / PRODUCTS));
    let near = -1;
    for (let row = first; row < stop; row += gap) {
      const before = best;
      take(sum(values, row), rows[row]);
      if (best > before) near = row;
    }
    if (near >= 0 && gap > 1) {
      const end = Math.min(stop, near + gap);
      for (let row = Math.max(first, near - gap + 1); row < end; row++) {
        take(sum(values, row), rows[row]);
      }
    }
    const finite = Math.abs(total) <= Number.MAX_VALUE;
    const constant = best - worst <= FLAT * Math.max(Math.abs(best), Math.abs(worst));
    x[f] = !finite ? Number.NaN : constant ? (low + high) / 2 : at;
    value[f] = finite ? sign * best : Number.NaN;
  }
  return { bounds, x, value };
}

/** 0 black at the low end of the bounds … 1 white at the high end; NaN where φ is not finite. */
export function greysOf({ bounds: { low, high }, x }: Preferred): Float32Array {
  return Float32Array.from(x, (at, f) =>
    high[f] > low[f] ? (at - low[f]) / (high[f] - low[f]) : at * 0 + 0.5,
  );
}

/** Σφ over all functions of the output that function f belongs to, at the patch found; NaN where one is not finite. */
export function reached({ shape: [, inputs, kh, kw] }: LayerLayout, found: Preferred, f: number) {
  const entries = inputs * kh * kw;
  const output = Math.floor(f / entries);
  let sum = 0;
  for (let e = output * entries; e < (output + 1) * entries; e++) sum += found.value[e];
  return { output, entries, sum };
}
