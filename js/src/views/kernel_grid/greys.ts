/** Each entry from black to white: by φ at one end of its grid against φ at the other, or by the x at which φ is largest. No DOM. */

import { bisectLeft, bisectRight, extent, quantile } from "d3-array";
import { basisOf, observedEntry } from "../../phi/entries.ts";
import { expandAll } from "../../phi/expansion.ts";
import { formatRange, number } from "../../phi/format.ts";
import type { Frame, LayerLayout, Observed } from "../../wire/types.ts";
import type { Subject } from "./subject.ts";

/** How near the darkest pixel has to be to −1, and none beyond ±1. */
const NEAR = 1e-3;

export interface Pattern {
  /** φ(high) − φ(low) per function; NaN where not finite. */
  contrast: Float32Array;
  /** Whether the ends are dark and bright pixels. */
  pixels: boolean;
}

/** φ(high) − φ(low) of every function. */
export function contrastOf(subject: Subject, layer: LayerLayout): Float32Array {
  const contrast = new Float32Array(layer.count);
  for (let f = 0; f < layer.count; f++) {
    const [low, high] = basisOf(layer, f).domain;
    const v = subject.at(f, high) - subject.at(f, low);
    contrast[f] = Math.abs(v) <= Number.MAX_VALUE ? v : Number.NaN;
  }
  return contrast;
}

/** 0 black … 1 white. */
export function greyOf(contrast: number, most: number, binarise: boolean): number {
  if (Number.isNaN(contrast)) return contrast;
  if (binarise) return contrast < 0 ? 0 : 1;
  return most > 0 ? 0.5 + (0.5 * contrast) / most : 0.5;
}

/** Whether x is known to be the pixels of images with −1 for dark and +1 for bright. */
export function seesPixels(layer: LayerLayout, observed: Observed | null): boolean {
  const whole = layer.bases.every(({ domain: [low, high] }) => low === -1 && high === 1);
  if (!whole || layer.kind !== "conv" || layer.variable !== "x") return false;
  if (!observed?.isImage || !observed.maps) return false;
  const [least = 0, most = 0] = extent(observed.maps);
  return Math.abs(least + 1) <= NEAR && most <= 1 + NEAR;
}

/** What black and white stand for, and how far apart φ is where they are full. */
export function patternText(
  layer: LayerLayout,
  pixels: boolean,
  largest: number,
  binarise: boolean,
): string {
  const { variable, bases } = layer;
  const lows = bases.map(({ domain }) => domain[0]);
  const highs = bases.map(({ domain }) => domain[1]);
  const alike = new Set(lows).size === 1 && new Set(highs).size === 1;
  const [low, high] = [spread(lows), spread(highs)];
  let words = `black: φ is larger at ${variable} = ${low} · white: at ${variable} = ${high}`;
  if (pixels) words = "black: prefers dark (−1) · white: prefers bright (+1)";
  if (!alike) {
    words = `black: φ is larger at the low end, ${variable} = ${low} · white: at the high end, ${high}`;
  }
  if (binarise) return words;
  const difference = alike ? `φ(${high}) − φ(${low}) = ` : "a difference of ";
  return `${words} · full at ${difference}${formatRange(largest)}`;
}

/** The least of some numbers and the largest, or the one that all are. */
export function spread(values: Iterable<number>): string {
  const [least = Number.NaN, most = Number.NaN] = extent(values);
  return least === most ? number(least) : `${number(least)} … ${number(most)}`;
}

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
  const { count } = layer;
  const low = new Float64Array(count);
  const high = new Float64Array(count);
  const entries = (layer.conv?.groups ?? 1) * (count / layer.shape[0]);
  const seen = observed && observed.patchCount > 0 && entries === observed.entries;
  const ends = seen
    ? Array.from({ length: entries }, (_, entry) => quantiles(observed, entry))
    : null;
  for (let f = 0; f < count; f++) {
    [low[f], high[f]] = ends ? ends[observedEntry(layer, f)] : basisOf(layer, f).domain;
  }
  return { low, high, samples: seen ? observed.samples : 0 };
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
  x: number[];
  /** values[p·nb + b] = β_b(x[p]) */
  values: Float64Array;
}

function windowOf(layer: LayerLayout, table: number, low: number, high: number): Window {
  const rows = layer.tables[table].x;
  const [from, to] = [rows[0], rows[rows.length - 1]];
  const x = [low, high];
  for (let k = 1; k <= BEYOND; k++) {
    const share = k / (BEYOND + 1);
    if (low < from) x.push(low + (Math.min(from, high) - low) * share);
    if (high > to) x.push(Math.max(to, low) + (high - Math.max(to, low)) * share);
  }
  const first = bisectRight(rows, low);
  const stop = Math.max(first, bisectLeft(rows, high));
  return { first, stop, x, values: expandAll(layer, table, x).values };
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
