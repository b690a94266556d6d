/** β at any x: by the table, and beyond it by what is known of the basis. */

import type { LayerLayout } from "../wire/types.ts";
import type { TablePlan } from "./curves.ts";
import { basisAt } from "./interpolate.ts";

/** The base activations by their names. */
const ACTIVATIONS: Record<string, (x: number) => number> = {
  silu,
  gelu,
  relu: (x) => Math.max(x, 0),
  tanh: Math.tanh,
  identity: (x) => x,
  x: (x) => x,
};

export function silu(x: number): number {
  return x / (1 + Math.exp(-x));
}

export function gelu(x: number): number {
  return 0.5 * x * (1 + erf(x / Math.SQRT2));
}

/** Abramowitz and Stegun, formula 7.1.26: to 1.5e-7. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const series =
    t *
    (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - series * Math.exp(-x * x));
}

/**
 * Writes β(x) of one table to out. Beyond the table a spline is 0 and a base term of a known name goes on; what is not
 * known there is NaN.
 */
export function expandAt(layer: LayerLayout, table: number, x: number, out: Float64Array): void {
  basisAt(layer, table, x, out);
  const xs = layer.tables[table].x;
  const rounded = Math.fround(x);
  if ((rounded >= xs[0] && rounded <= xs[xs.length - 1]) || !Number.isFinite(x)) return;
  const { knots, extent } = layer.bases[table];
  const gone = knots.length > 0 && (x <= extent[0] || x >= extent[1]);
  for (let b = 0; b < layer.nb; b++) {
    if (layer.isBase[b]) out[b] = ACTIVATIONS[layer.labels[b]?.toLowerCase()]?.(x) ?? Number.NaN;
    else out[b] = gone ? 0 : Number.NaN;
  }
}

/** The basis of one table at many points, in the form that curves.ts combines. */
export function expandAll(layer: LayerLayout, table: number, points: ArrayLike<number>): TablePlan {
  const { nb } = layer;
  const x = Float32Array.from(points);
  const values = new Float64Array(x.length * nb);
  for (let p = 0; p < x.length; p++) {
    expandAt(layer, table, points[p], values.subarray(p * nb, (p + 1) * nb));
  }
  return { x, values };
}
