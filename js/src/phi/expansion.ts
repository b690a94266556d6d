/** β at any x: by the table, and beyond it by what is known of the basis. */

import type { LayerLayout } from "../wire/types.ts";
import type { TablePlan } from "./curves.ts";
import { FUNCTIONS } from "./functions.ts";
import { basisAt } from "./interpolate.ts";

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
