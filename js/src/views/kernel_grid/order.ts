/** In which order the kernels lie. No DOM. */

import { ALL_POINTS, samplePlan } from "../../phi/curves.ts";
import { kernelRanges } from "../../phi/ranges.ts";
import type { Frame, LayerLayout } from "../../wire/types.ts";
import type { Sort } from "./settings.ts";
import { startOf, subjectOf } from "./subject.ts";

/** Out, in, kh, kw. */
type Shape = readonly [number, number, number, number];

/** Kernels from the largest to the smallest of their functions' values; ties stay in place. */
export function orderBy({ shape }: { shape: Shape }, perFunction: Float32Array): number[] {
  const keys = kernelRanges({ shape }, perFunction).map((value) =>
    Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value,
  );
  return Array.from(keys, (_, kernel) => kernel).sort((a, b) =>
    keys[a] === keys[b] ? a - b : keys[b] - keys[a],
  );
}

/**
 * The order of kernels that a sort asks for at this frame; null keeps their positions. `scored` are the numbers of the
 * score that is sorted by.
 */
export function sortedOrder(
  { frame, layer, initial = null }: { frame: Frame; layer: LayerLayout; initial?: Frame | null },
  sort: Sort,
  xRange: readonly [number, number],
  shape: Shape = layer.shape,
  scored: Float32Array | null = null,
): number[] | null {
  if (sort !== "range" && sort !== "change") return scored && orderBy({ shape }, scored);
  const start = startOf(initial, layer);
  if (sort === "change" && !start) return orderBy({ shape }, new Float32Array(layer.count));
  const subject = subjectOf(frame, layer, sort === "change" ? start : null);
  return orderBy({ shape }, subject.ranges(samplePlan(layer, xRange, ALL_POINTS)));
}
