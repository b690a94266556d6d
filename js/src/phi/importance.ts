/** How much a function matters: how far its values spread over the inputs that it gets. */

import type { Frame, LayerLayout, Observed } from "../wire/types.ts";
import { type Plan, rangesAt, samplePlan } from "./curves.ts";
import { expandAll } from "./expansion.ts";

/** Points at which a function is evaluated where no inputs were seen. */
const GRID_POINTS = 64;

/**
 * The standard deviation of each φ over the inputs that were observed at its entry, as far as they lie in
 * the histogram's bins; where none do, that of values spread evenly between its least and its largest on its grid,
 * (max − min) / √12. 0 for a function that is not finite.
 */
export function importance(frame: Frame, layer: LayerLayout, observed: Observed | null) {
  // NaN: its inputs were not seen.
  const result = new Float32Array(layer.count).fill(Number.NaN);
  const entries = entriesOf(layer);
  if (observed?.entries === entries.length) fillSpreads(frame, layer, observed, entries, result);
  if (!result.some(Number.isNaN)) return result;
  const ranges = rangesAt(frame, layer, gridPlan(layer));
  return result.map((spread, f) =>
    Number.isNaN(spread) ? orZero(ranges[f] / Math.sqrt(12)) : spread,
  );
}

function orZero(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

/** An entry's functions are every `step`-th from the first on. As in Observed, channels count over all groups, and there is one only where kernels are shared. */
function entriesOf({ shape: [out, inputs, kh, kw], conv }: LayerLayout) {
  const groups = conv?.groups ?? 1;
  const area = kh * kw;
  const step = inputs * area;
  const count = out / groups;
  return Array.from({ length: groups * step }, (_, entry) => ({
    first: Math.floor(entry / step) * count * step + (entry % step),
    step,
    count,
  }));
}

/** Each table over its own grid. */
function gridPlan(layer: LayerLayout): Plan {
  const tables = layer.tables.map((table, number) => {
    const { domain } = layer.bases[number];
    return samplePlan({ ...layer, tables: [table] }, domain, GRID_POINTS).tables[0];
  });
  return { tables, points: Math.max(...tables.map(({ x }) => x.length)) };
}

/** Writes the standard deviations of functions whose inputs were seen: √(cᵀ·C·c), with C the covariance of the basis functions. */
function fillSpreads(
  frame: Frame,
  layer: LayerLayout,
  observed: Observed,
  entries: ReturnType<typeof entriesOf>,
  result: Float32Array,
): void {
  const { nb, offset, tableOf } = layer;
  const { edges, counts, bins } = observed;
  const { data } = frame;
  const c = new Float64Array(nb);
  const middles = Float64Array.from({ length: bins }, (_, k) => (edges[k] + edges[k + 1]) / 2);
  const beta = layer.tables.map((_, table) => expandAll(layer, table, middles).values);
  const covariance = new Float64Array(nb * nb);
  entries.forEach(({ first, step, count }, entry) => {
    const histogram = counts.subarray(entry * bins, (entry + 1) * bins);
    let last = -1;
    let isSeen = false;
    for (let n = 0, f = first; n < count; n++, f += step) {
      const table = tableOf ? tableOf[f] : 0;
      if (table !== last) isSeen = covary(histogram, beta[table], nb, covariance);
      last = table;
      if (!isSeen) continue;
      for (let b = 0; b < nb; b++) c[b] = data[offset + f * nb + b];
      let variance = 0;
      for (let a = 0; a < nb; a++) {
        // The covariance is symmetric: above the diagonal each stands for two.
        let sum = 0;
        for (let b = a + 1, v = a * nb + a + 1; b < nb; b++, v++) sum += covariance[v] * c[b];
        variance += c[a] * (covariance[a * nb + a] * c[a] + 2 * sum);
      }
      result[f] = orZero(Math.sqrt(Math.max(0, variance)));
    }
  });
}

/** Sets the covariances of nb basis functions, on and above the diagonal; returns whether any input lies in bins where those are known. */
function covary(counts: Float32Array, beta: Float64Array, nb: number, covariance: Float64Array) {
  const isCovered = (bin: number) => {
    for (let b = 0; b < nb; b++) if (!Number.isFinite(beta[bin * nb + b])) return false;
    return true;
  };
  const bins: number[] = [];
  let total = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    if (!(counts[bin] > 0) || !isCovered(bin)) continue;
    bins.push(bin);
    total += counts[bin];
  }
  covariance.fill(0);
  if (total === 0) return false;
  const mean = new Float64Array(nb);
  for (const bin of bins) {
    for (let b = 0; b < nb; b++) mean[b] += (counts[bin] / total) * beta[bin * nb + b];
  }
  const deviation = new Float64Array(nb);
  for (const bin of bins) {
    const share = counts[bin] / total;
    for (let b = 0; b < nb; b++) deviation[b] = beta[bin * nb + b] - mean[b];
    for (let a = 0; a < nb; a++) {
      const weighted = share * deviation[a];
      for (let b = a, v = a * nb + a; b < nb; b++, v++) covariance[v] += weighted * deviation[b];
    }
  }
  return true;
}
