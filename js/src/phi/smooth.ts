/** The mean of a curve around each of its points. */

import { cumsum, median, pairs } from "d3-array";

/** Points of a curve; of each, how many values it stands for (not always a whole number), and their sum. */
interface SummedCurve {
  x: ArrayLike<number>;
  count: ArrayLike<number>;
  sum: ArrayLike<number>;
}

/**
 * The straight line that fits the values within half of `over` steps best, at each point that stands for finite ones, and
 * never beyond these values: so a trend is neither behind nor ahead, and no accuracy is above 1. Steps are counted at the
 * curve's usual pace, over a jump as if there were none. Values further apart than half of `over` stay as they are.
 */
export function smoothed({ x, count, sum }: SummedCurve, over: number) {
  const finite = Array.from(x, (_, k) => k).filter((k) => count[k] > 0 && Number.isFinite(sum[k]));
  const steps = finite.map((k) => x[k]);
  const runs = {
    weights: Float64Array.from(finite, (k) => count[k]),
    means: Float64Array.from(finite, (k) => sum[k] / count[k]),
    /** The middle of each run, in values from the first on. */
    middles: Float64Array.from(
      cumsum(finite, (k) => count[k]),
      (end, n) => end - count[finite[n]] / 2,
    ),
  };
  const { middles } = runs;
  const paces = pairs(steps, (a, b) => b - a).map((far, k) => far / (middles[k + 1] - middles[k]));
  const pace = median(paces.filter((pace) => pace > 0)) ?? 1;
  const reach = over / 2 / pace + 1e-9;
  let [first, end] = [0, 0];
  const y = steps.map((_, k) => {
    while (middles[first] < middles[k] - reach) first++;
    while (end < middles.length && middles[end] <= middles[k] + reach) end++;
    return lineAt(runs, first, end, middles[k]);
  });
  return { x: steps, y };
}

/** The value at a place of the straight line that fits some runs best. */
function lineAt(
  { weights, means, middles }: Record<"weights" | "means" | "middles", Float64Array>,
  first: number,
  end: number,
  place: number,
): number {
  let [weight, middle, mean] = [0, 0, 0];
  for (let k = first; k < end; k++) {
    weight += weights[k];
    middle += weights[k] * (middles[k] - place);
    mean += weights[k] * means[k];
  }
  [middle, mean] = [middle / weight, mean / weight];
  let [spread, rise] = [0, 0];
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let k = first; k < end; k++) {
    [least, most] = [Math.min(least, means[k]), Math.max(most, means[k])];
    const offset = middles[k] - place - middle;
    spread += weights[k] * offset * offset;
    rise += weights[k] * offset * (means[k] - mean);
  }
  return Math.max(least, Math.min(most, spread > 0 ? mean - (middle * rise) / spread : mean));
}
