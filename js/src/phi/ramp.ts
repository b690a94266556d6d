/** φ over inputs that rise evenly from one limit to the other. */
import { range } from "d3-array";
import type { LayerLayout } from "../wire/types.ts";
import type { Curves, Plan } from "./curves.ts";
import { expandAll } from "./expansion.ts";
import { mostOf, type Reach, reachOf } from "./ranges.ts";

/** How many inputs a ramp has. */
export const RAMP_POINTS = 64;

/** The rising inputs in the basis of each table of a layer. */
export function rampPlan(layer: LayerLayout, [low, high]: readonly [number, number]): Plan {
  const step = (high - low) / (RAMP_POINTS - 1);
  const inputs = range(RAMP_POINTS).map((k) => low + k * step);
  const tables = layer.tables.map((_, table) => expandAll(layer, table, inputs));
  return { tables, points: RAMP_POINTS };
}

/** The number of the input at a share of the way from the first to the last. */
export function rampPlace(share: number): number {
  return Math.max(0, Math.min(RAMP_POINTS - 1, Math.floor(share * RAMP_POINTS)));
}

export interface RampReach extends Reach {
  /** Per function the largest distance from zero; NaN where nothing is finite. */
  most: Float32Array;
}

/** How far the functions reach, from what is finite of them; `broken` counts functions with values that are not. */
export function rampReach(layer: LayerLayout, { y, points }: Curves): RampReach {
  const ranges = range(layer.count).map((f) => reachOf(y.subarray(f * points, (f + 1) * points)));
  const finite = ranges.filter(({ broken }) => broken < points);
  return {
    most: Float32Array.from(ranges, (reach) =>
      reach.broken < points ? mostOf(reach) : Number.NaN,
    ),
    broken: ranges.filter(({ broken }) => broken > 0).length,
    low: finite.reduce((least, { low }) => Math.min(least, low), Number.POSITIVE_INFINITY),
    high: finite.reduce((most, { high }) => Math.max(most, high), Number.NEGATIVE_INFINITY),
  };
}
