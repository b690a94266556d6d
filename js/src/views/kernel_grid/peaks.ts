/** How far the functions reach over all steps that the page has, so that a scale stays while they grow. */

import { memory } from "../../phi/memory.ts";
import { atPlace } from "../../phi/ranges.ts";
import type { Frame, LayerLayout } from "../../wire/types.ts";
import { type Start, startOf } from "./subject.ts";

/** About this many values of φ are computed for one picture; frames beyond them wait for the next picture. */
const VALUES_OF_A_PICTURE = 600_000;
/** A layer with more is measured only at the steps that are drawn. */
const MOST_VALUES = 3_000_000;
/** Fewer functions than these, or steps, have no outliers among them. */
const FEWEST_WITH_OUTLIERS = 10;
/** An outlier reaches this many times as far as all but this share. */
const OUTLIER_FACTOR = 2;
const OUTLIER_SHARE = 0.02;

export interface Peaks {
  step: number;
  /** max |value| per function, NaN where not finite. */
  sizes: Float32Array;
  /** How far a scale goes for them. */
  most: number;
}

/** The largest size that is at most twice as large as those of the other 98 %; 0 where none is finite. */
export function withoutOutliers(sizes: ArrayLike<number>): number {
  // Once a frame, of all functions: loops, as calls for each would take five times as long.
  const finite = new Float64Array(sizes.length);
  let count = 0;
  for (let f = 0; f < sizes.length; f++) if (Number.isFinite(sizes[f])) finite[count++] = sizes[f];
  const place = count - 1 - Math.max(1, Math.floor(OUTLIER_SHARE * count));
  const others = atPlace(finite.subarray(0, count), place);
  const hasOutliers = count >= FEWEST_WITH_OUTLIERS && others > 0;
  const most = hasOutliers ? OUTLIER_FACTOR * others : Number.POSITIVE_INFINITY;
  let best = 0;
  for (let k = 0; k < count; k++) if (finite[k] <= most && finite[k] > best) best = finite[k];
  return best;
}

/** How functions are measured: once `made` is another, all are measured anew. */
interface Measure {
  /** How many values of φ are computed for one frame. */
  valuesOfOne: number;
  made: readonly unknown[];
  measure(frame: Frame, layer: LayerLayout): Float32Array;
  scaleFor(sizes: Float32Array): number;
}

/** Remembers the peaks of frames that it has seen, and measures some of those that it has not. */
export function peaksReader() {
  const keep = memory();
  return (
    frames: readonly Frame[],
    frame: Frame,
    layer: LayerLayout,
    { valuesOfOne, made, measure, scaleFor }: Measure,
  ): { now: Peaks; all: Peaks[] } => {
    const from = [layer.name, layer.shape.join(), scaleFor, ...made];
    const peaksAt = keep("peaks", from, () => new WeakMap<Frame, Peaks>());
    const peaksOf = (one: Start) => {
      const sizes = measure(one.frame, one.layer);
      const peaks = { step: one.frame.step, sizes, most: scaleFor(sizes) };
      peaksAt.set(one.frame, peaks);
      return peaks;
    };
    const before = peaksAt.get(frame);
    const now = before ?? peaksOf({ frame, layer });
    const waiting = frames.flatMap((one) => (peaksAt.has(one) ? null : startOf(one, layer)) ?? []);
    // Evenly over the steps: what is left out has been nearly as far.
    const rest = before ? VALUES_OF_A_PICTURE : VALUES_OF_A_PICTURE - valuesOfOne;
    const least = before && valuesOfOne <= MOST_VALUES ? 1 : 0;
    const turns = Math.min(waiting.length, Math.max(least, Math.floor(rest / valuesOfOne)));
    for (let k = 0; k < turns; k++) {
      peaksOf(waiting[Math.floor(((k + 1) * waiting.length) / turns) - 1]);
    }
    return { now, all: frames.flatMap((one) => peaksAt.get(one) ?? []) };
  };
}

/** The largest |φ| of each function over all steps; NaN where it is not finite now. */
export function functionPeaks(now: Peaks, all: readonly Peaks[]): Float32Array {
  const most = now.sizes.slice();
  for (const { sizes } of all) {
    for (let f = 0; f < most.length; f++) if (sizes[f] > most[f]) most[f] = sizes[f];
  }
  return most;
}
