/** β at any x: by the table, and beyond it by what is known of the basis. */

import type { LayerLayout } from "../wire/types.ts";
import type { TablePlan } from "./curves.ts";
import { basisAt } from "./interpolate.ts";

/** Base terms and activations by name, as functions of x and of the parameter in the settings. */
export const FUNCTIONS: Record<string, (x: number, parameter: number | null) => number> = {
  relu: (x) => Math.max(x, 0),
  silu: (x) => x / (1 + Math.exp(-x)),
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  elu: (x, alpha) => (x > 0 ? x : (alpha ?? 1) * Math.expm1(x)),
  leaky_relu: (x, slope) => (x > 0 ? x : (slope ?? 0.01) * x),
  softplus: (x, parameter) => {
    const beta = parameter ?? 1;
    // As in torch: a straight line where softplus is one to the last digit.
    return beta * x > 20 ? x : Math.log1p(Math.exp(beta * x)) / beta;
  },
  hardtanh: (x) => Math.min(1, Math.max(-1, x)),
  identity: (x) => x,
  x: (x) => x,
};

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
  const isZero = knots.length > 0 && (x <= extent[0] || x >= extent[1]);
  for (let b = 0; b < layer.nb; b++) {
    if (layer.isBase[b])
      out[b] = FUNCTIONS[layer.labels[b]?.toLowerCase()]?.(x, null) ?? Number.NaN;
    else out[b] = isZero ? 0 : Number.NaN;
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
