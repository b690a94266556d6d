/** The mean of a curve around each of its points. No DOM. */

import { median } from "d3-array";

/** Points of a curve; of each the number of values that it stands for, in part, and their sum. */
interface Summed {
  x: ArrayLike<number>;
  count: ArrayLike<number>;
  sum: ArrayLike<number>;
}

/**
 * The mean of the values within half of `over` steps, at each point that stands for finite ones; near an end, where
 * values are on one side only, the straight line that fits them best: so a trend is neither behind nor ahead.
 *
 * Steps are counted at the curve's usual pace, so that it goes on over a jump as if there were none. Values further
 * apart than that are left as they are.
 */
export function smoothed({ x, count, sum }: Summed, over: number) {
  const known = Array.from(x, (_, k) => k).filter((k) => count[k] > 0 && Number.isFinite(sum[k]));
  let before = 0;
  const runs = known.map((k) => {
    before += count[k];
    return { x: x[k], weight: count[k], at: before - count[k] / 2, mean: sum[k] / count[k] };
  });
  const paces = runs.slice(1).map((run, k) => (run.x - runs[k].x) / (run.at - runs[k].at));
  const pace = median(paces.filter((each) => each > 0)) ?? 1;
  const reach = over / 2 / pace + 1e-9;
  let [first, end] = [0, 0];
  const y = runs.map(({ at }) => {
    while (runs[first].at < at - reach) first++;
    while (end < runs.length && runs[end].at <= at + reach) end++;
    return fitted(runs.slice(first, end), at);
  });
  return { x: runs.map((run) => run.x), y };
}

function fitted(runs: readonly { weight: number; at: number; mean: number }[], at: number): number {
  let [weight, place, mean] = [0, 0, 0];
  for (const run of runs) {
    weight += run.weight;
    place += run.weight * (run.at - at);
    mean += run.weight * run.mean;
  }
  [place, mean] = [place / weight, mean / weight];
  let [spread, rise] = [0, 0];
  for (const run of runs) {
    const away = run.at - at - place;
    spread += run.weight * away * away;
    rise += run.weight * away * (run.mean - mean);
  }
  return spread > 0 ? mean - (place * rise) / spread : mean;
}
