/** φ from coefficients and the basis table: y = Σ_b C_b · β_b(x), with straight lines between sample points. */
import { bisectRight, maxIndex, range } from "d3-array";
import type { Band, Frame, LayerLayout, Store, Table } from "../wire/types.ts";
import { functionOf, selectionOf } from "./entries.ts";
import { formatCount } from "./format.ts";
import { allInputEnds, type Ends, endsOrGrid } from "./inputs.ts";
import { memoryOf } from "./memory.ts";

/** The points at which the functions of one table are drawn. */
export interface TablePlan {
  /** Rising; the first and last are the ends of the visible part of the table. Empty: nothing visible. */
  x: Float32Array;
  /** values[p·nb + b] = β_b(x[p]); doubles, because the inner loop runs faster without conversions. */
  values: Float64Array;
}

export interface Plan {
  tables: TablePlan[];
  points: number;
}

export interface Curves {
  /** Points of each table; function f uses x[tableOf[f]], or x[0]. */
  x: Float32Array[];
  /** φ_f at point p is y[f·points + p]; places beyond the table's own number of points are 0. */
  y: Float32Array;
  points: number;
}

/** Enough points to keep every row of a table. */
export const ALL_POINTS = 1 << 20;

/**
 * Chooses at most maxPoints (never fewer than 2) points per table within xRange.
 *
 * The ends of the range are always there, interpolated in the table where they fall between rows. Then come the
 * knots and 0, where φ may bend sharply, as far as room allows; then rows evenly among the others, which lie closest where
 * φ bends.
 */
export function samplePlan(layer: LayerLayout, xRange: Ends, maxPoints: number): Plan {
  const tables = layer.tables.map((table) => tablePlan(layer, table, xRange, maxPoints));
  return { tables, points: Math.max(0, ...tables.map((table) => table.x.length)) };
}

function tablePlan({ nb, knots }: LayerLayout, table: Table, [from, to]: Ends, maxPoints: number) {
  const last = table.x.length - 1;
  const lo = Math.max(Math.fround(from), table.x[0]);
  const hi = Math.min(Math.fround(to), table.x[last]);
  if (!(lo <= hi)) return { x: new Float32Array(0), values: new Float64Array(0) };
  if (lo === hi) return planAt(table, nb, [place(table.x, lo)]);

  const start = place(table.x, lo);
  const end = place(table.x, hi);
  const first = Math.floor(start) + 1;
  const stop = Math.ceil(end); // rows first .. stop - 1 lie between the ends
  const room = Math.max(0, Math.floor(maxPoints) - 2);
  const rows =
    stop - first <= room
      ? range(first, stop)
      : chooseRows(table.x, first, stop, room, [...knots, 0]);
  return planAt(table, nb, [start, ...rows, end]);
}

/** Where x lies in a rising table: row + share of the way to the next row; exact on a row. Needs x inside. */
export function place(xs: ArrayLike<number>, x: number): number {
  const row = bisectRight(xs, x) - 1;
  if (xs[row] === x || row === xs.length - 1) return row;
  return row + (x - xs[row]) / (xs[row + 1] - xs[row]);
}

function planAt(table: Table, nb: number, places: number[]): TablePlan {
  const x = new Float32Array(places.length);
  const values = new Float64Array(places.length * nb);
  places.forEach((at, p) => {
    const row = Math.floor(at);
    const share = at - row;
    x[p] = between(table.x[row], table.x[row + 1], share);
    for (let b = 0; b < nb; b++) {
      const v = row * nb + b;
      values[p * nb + b] = between(table.values[v], table.values[v + nb], share);
    }
  });
  return { x, values };
}

export function between(a: number, b: number, share: number): number {
  return share === 0 ? a : a * (1 - share) + b * share;
}

/** Picks `room` of the rows first .. stop - 1. */
function chooseRows(xs: Float32Array, first: number, stop: number, room: number, bends: number[]) {
  if (room === 0) return [];
  // A jump may have a row on either side of it.
  const near = 1e-6 * (xs[xs.length - 1] - xs[0]);
  const isBend = (row: number) => bends.some((bend) => Math.abs(xs[row] - bend) <= near);
  const bendRows = range(first, stop).filter(isBend);
  if (bendRows.length >= room) return spread(bendRows, room);

  const otherRows = range(first, stop).filter((row) => !bendRows.includes(row));
  return [...bendRows, ...spread(otherRows, room - bendRows.length)].sort((a, b) => a - b);
}

function spread(rows: number[], n: number): number[] {
  return range(n).map((k) => rows[Math.floor(((k + 0.5) * rows.length) / n)]);
}

/** Writes the points of φ_f to out and returns their number; out must have room for plan.points. */
export function evaluate(
  frame: Frame,
  layer: LayerLayout,
  f: number,
  plan: Plan,
  out: { x: Float32Array; y: Float32Array },
): number {
  const { nb, offset, tableOf } = layer;
  const table = plan.tables[tableOf ? tableOf[f] : 0];
  const start = offset + f * nb;
  const coefficients = new Float64Array(frame.data.subarray(start, start + nb));
  out.x.set(table.x);
  combine(coefficients, table, out.y, 0);
  return table.x.length;
}

/** The points of φ_f. */
export function curveOf(frame: Frame, layer: LayerLayout, f: number, plan: Plan) {
  const points = { x: new Float32Array(plan.points), y: new Float32Array(plan.points) };
  const count = evaluate(frame, layer, f, plan, points);
  return { x: points.x.subarray(0, count), y: points.y.subarray(0, count) };
}

/** Evaluates every function of a layer. Give the result of the last frame as `reuse` to write into its memory. */
export function evaluateAll(frame: Frame, layer: LayerLayout, plan: Plan, reuse?: Curves): Curves {
  const { nb, count, tableOf, offset } = layer;
  const { points, tables } = plan;
  const size = count * points;
  const y = reuse?.y.length === size ? reuse.y : new Float32Array(size);
  const coefficients = new Float64Array(nb);
  for (let f = 0, c = offset; f < count; f++) {
    for (let b = 0; b < nb; b++, c++) coefficients[b] = frame.data[c];
    const table = tables[tableOf ? tableOf[f] : 0];
    combine(coefficients, table, y, f * points);
    if (table.x.length < points) y.fill(0, f * points + table.x.length, (f + 1) * points);
  }
  return { x: tables.map((table) => table.x), y, points };
}

/**
 * max |φ_f| over the points of each function; NaN for a function with a value that is not finite, which is how the
 * views know that it cannot be drawn. The curves are not kept: there may be millions.
 */
export function sizesAt(frame: Frame, layer: LayerLayout, plan: Plan): Float32Array {
  return measureAll(frame, layer, plan, (low, high) => Math.max(-low, high, 0));
}

/** What is asked of a store for the function that views begin with. */
type Begun = Pick<Store, "initial" | "latest" | "current" | "held" | "hold" | "observed">;

/** The function of a layer that views begin with, and what is said of it: the one that varies most when this is asked first, which then stays. Of an ensemble the one in which the networks differ most. */
export function firstShown(store: Begun, layer: LayerLayout): { f: number; why: string } {
  if (layer.band) return { f: furthestApart(layer.band).f, why: "where the networks differ most" };
  const name = `function of ${layer.name}`;
  const [out, input, row, column, at] = store.held(name) ?? [-1];
  const f = functionOf(layer, { layer: layer.name, out, in: input, row, column });
  if (f >= 0) {
    const then = at === store.current()?.step ? "" : ` at step ${formatCount(at)}`;
    return { f, why: `largest φ range${then}` };
  }
  const own = mostVaried(store, layer);
  if (!own) return { f: 0, why: "" };
  const most = selectionOf(layer, own.f);
  store.hold(name, [most.out, most.in, most.row, most.column, own.at]);
  return { f: own.f, why: "largest φ range" };
}

/** The function that varies most over the inputs seen, or over the grid, and the step at which it does. */
function mostVaried(store: Begun, { name, count }: LayerLayout) {
  const [start, now] = [store.initial(), store.latest()];
  const layer = start?.layout.layers.find((one) => one.name === name && one.count === count);
  if (!start || !now || !layer) return null;
  const frame = now.layout === start.layout ? now : start;
  const seen = store.observed(name);
  const x = endsOrGrid(seen && allInputEnds(seen), layer.domain);
  const varied = rangesAt(frame, layer, samplePlan(layer, [x[0], x[1]], 16));
  return { f: Math.max(0, maxIndex(varied)), at: frame.step };
}

/** The function of a layer in which the networks of an ensemble are furthest apart, and by how much. */
export function furthestApart({ high, low, points }: Band) {
  const k = maxIndex(high, (value, at) => value - low[at]);
  return { f: Math.max(0, Math.floor(k / points)), by: high[k] - low[k] };
}

/** max φ_f − min φ_f, in the manner of sizesAt. */
export function rangesAt(frame: Frame, layer: LayerLayout, plan: Plan): Float32Array {
  return measureAll(frame, layer, plan, (low, high) => high - low);
}

/** φ_f at its last point less φ_f at its first: whether it rises or falls from end to end. */
export function risesAt(
  frame: Frame,
  { nb, count, tableOf, offset }: LayerLayout,
  { tables }: Plan,
): Float32Array {
  const rises = tables.map(({ x, values }) => {
    const last = (x.length - 1) * nb;
    return Float64Array.from({ length: nb }, (_, b) => values[last + b] - values[b]);
  });
  return Float32Array.from({ length: count }, (_, f) => {
    const rise = rises[tableOf ? tableOf[f] : 0];
    let sum = 0;
    for (let b = 0, k = offset + f * nb; b < nb; b++, k++) sum += frame.data[k] * rise[b];
    return sum;
  });
}

function measureAll(
  frame: Frame,
  layer: LayerLayout,
  plan: Plan,
  measure: (low: number, high: number) => number,
): Float32Array {
  const { nb, count, tableOf, offset } = layer;
  const results = new Float32Array(count);
  const coefficients = new Float64Array(nb);
  const ends = new Float64Array(2);
  // A plan serves many frames.
  const tables = plan.tables.map((table) =>
    memoryOf(table)("blocks", [], () => blocksOf(table, nb)),
  );
  for (let f = 0, k = offset; f < count; f++) {
    let sum = 0;
    for (let b = 0; b < nb; b++, k++) {
      coefficients[b] = frame.data[k];
      sum += coefficients[b];
    }
    const table = tables[tableOf ? tableOf[f] : 0];
    if (table.ends.length === 0) continue;
    findEnds(coefficients, table, ends);
    const [low, high] = ends;
    // A coefficient that is not finite shows in the sum, even if no point lies where its function is not zero.
    const most = Math.fround(Math.max(-low, high)) + sum;
    results[f] = Number.isFinite(most) && table.isFinite ? measure(low, high) : Number.NaN;
  }
  return results;
}

/** Four points at a time, the last four filled up with the last point: the basis functions that are not zero there. */
type Blocks = ReturnType<typeof blocksOf>;

function blocksOf({ x, values }: TablePlan, nb: number) {
  const ends: number[] = [];
  const bases: number[] = [];
  const nonzero: number[] = [];
  for (let p = 0; p < x.length; p += 4) {
    for (let b = 0; b < nb; b++) {
      const four = [0, 1, 2, 3].map((k) => values[Math.min(p + k, x.length - 1) * nb + b]);
      if (four.every((value) => value === 0)) continue;
      bases.push(b);
      nonzero.push(...four);
    }
    ends.push(bases.length);
  }
  return {
    /** For each four points, how many entries of `bases` there are up to their end. */
    ends: Int32Array.from(ends),
    bases: Int32Array.from(bases),
    /** Four values for each entry of `bases`. */
    values: Float64Array.from(nonzero),
    isFinite: values.every(Number.isFinite),
  };
}

/** Writes the smallest and the largest value of one function to out: short, because engines optimise such code soonest. */
function findEnds(coefficients: Float64Array, { ends, bases, values }: Blocks, out: Float64Array) {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let block = 0, i = 0, v = 0; block < ends.length; block++) {
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (const end = ends[block]; i < end; i++, v += 4) {
      const coefficient = coefficients[bases[i]];
      a += coefficient * values[v];
      b += coefficient * values[v + 1];
      c += coefficient * values[v + 2];
      d += coefficient * values[v + 3];
    }
    if (a < low) low = a;
    if (a > high) high = a;
    if (b < low) low = b;
    if (b > high) high = b;
    if (c < low) low = c;
    if (c > high) high = c;
    if (d < low) low = d;
    if (d > high) high = d;
  }
  out[0] = low;
  out[1] = high;
}

/** y[start + p] = Σ_b coefficients[b] · values[p·nb + b], four points at a time, which takes half the time of single ones. */
export function combine(
  coefficients: Float64Array,
  { x, values }: TablePlan,
  y: Float32Array,
  start: number,
): void {
  const nb = coefficients.length;
  const points = x.length;
  let p = 0;
  for (; p + 4 <= points; p += 4) {
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let i = 0, v = p * nb; i < nb; i++, v++) {
      const coefficient = coefficients[i];
      a += coefficient * values[v];
      b += coefficient * values[v + nb];
      c += coefficient * values[v + 2 * nb];
      d += coefficient * values[v + 3 * nb];
    }
    y[start + p] = a;
    y[start + p + 1] = b;
    y[start + p + 2] = c;
    y[start + p + 3] = d;
  }
  for (; p < points; p++) {
    let sum = 0;
    for (let i = 0, v = p * nb; i < nb; i++, v++) sum += coefficients[i] * values[v];
    y[start + p] = sum;
  }
}
