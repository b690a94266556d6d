/** Round ends for axes, which stand still while what they hold moves little. */

import { extent } from "d3-array";
import { roundStep } from "../phi/ranges.ts";
import type { Range } from "./axes.ts";

/** Ends for values that are finite, on a logarithmic axis positive; over values from 0 to 1, as of an accuracy, there is no room above 1. */
export function valueExtent(values: Iterable<number>, log: boolean): Range {
  const isShown = (value: number) => Number.isFinite(value) && !(log && value <= 0);
  let [low, high] = extent(values, (value) => (isShown(value) ? value : undefined));
  if (low === undefined || high === undefined) return { from: log ? 0.1 : 0, to: 1 };
  const most = low >= 0 && high <= 1 ? 1 : Number.POSITIVE_INFINITY;
  if (log) {
    let [first, last] = [Math.floor(4 * Math.log10(low)), Math.ceil(4 * Math.log10(high))];
    if (last - first < 2) [first, last] = [first - 1, last + 1];
    return { from: 10 ** (first / 4), to: Math.min(most, 10 ** (last / 4)) };
  }
  let span = high - low;
  if (span <= 1e-12 * Math.max(Math.abs(low), Math.abs(high))) {
    const room = 0.5 * Math.abs(high) || 0.5;
    [low, high, span] = [low - room, high + room, 2 * room];
  }
  if (low >= 0 && low < 0.3 * high) [low, span] = [0, high];
  const step = roundStep(span / 12);
  const round = (value: number) => Number(value.toPrecision(12));
  return {
    from: round(Math.floor(low / step + 1e-9) * step),
    to: Math.min(most, round(Math.ceil(high / step - 1e-9) * step)),
  };
}

/** Ends for training steps, a little ahead of the last one. */
export function stepExtent(first: number, last: number): Range {
  if (!(last > first)) return { from: first - 1, to: first + 1 };
  const low = first >= 0 && first < 0.1 * last ? 0 : first;
  const step = Math.max(1, roundStep((last - low) / 20));
  return { from: low, to: Math.max(last, Math.ceil(last / step - 1e-9) * step) };
}
