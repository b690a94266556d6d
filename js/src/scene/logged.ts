/** Curves as traits carry them (kan_widgets/widgets/shell/curves_view.py), as plain data. */

import { bisectRight, cumsum, extent, median, pairs } from "d3-array";
import type { Range } from "./axes.ts";
import { type Chart, CURVE_COLOURS, FEW, hasLine, type Panel, singleValues } from "./chart.ts";

/** A curve as the trait carries it: little-endian float64. */
interface WireCurve {
  panel: string;
  name: string;
  /** Curves of one kind have one colour. */
  kind: string;
  x: DataView;
  y: DataView;
  /** How many values each point stands for, their sum, and the sum of their logarithms; null where each stands for one. */
  sums: { count: DataView; sum: DataView; log: DataView } | null;
}

type Get = (trait: string) => unknown;

/** Reads the chart to draw; the same traits give the same curves. `first`: the kinds that have the first colours, from a number on. */
export function chartReader(
  first: (get: Get) => { kinds: readonly string[]; colour: number } = () => FROM_ZERO,
): (get: Get) => Chart {
  let last: readonly unknown[] = [];
  let [panels, withLines]: Panel[][] = [[], []];
  let singles: string[] = [];
  return (get) => {
    const over = Number(get("smoothing")) || 0;
    const zoom = zoomOf(get("zoom"));
    const from = [get("curves"), get("scale"), over, get("zoom")];
    if (from.some((value, k) => value !== last[k])) {
      last = from;
      panels = panelsOf((from[0] ?? []) as WireCurve[], { scale: from[1], over, zoom }, first(get));
      withLines = panels.filter(hasLine);
      singles = panels.filter((panel) => !hasLine(panel)).map(singleValues);
    }
    const marks = (get("marks") ?? []) as [number, string][];
    // Zoomed in, a panel may show a single value of a curve that has more.
    const lines = zoom ? panels : withLines;
    return { panels: lines, said: zoom ? [] : singles, zoom, marks, over };
  };
}

const FROM_ZERO = { kinds: [], colour: 0 };

/** Quantity, kind and latest value of each curve; null where it has no value. */
export function logged(wire: unknown) {
  return ((wire ?? []) as WireCurve[]).map(({ panel, kind, y }) => {
    return { panel, kind, latest: float64(y).at(-1) ?? null };
  });
}

/** Points of a curve that is drawn beside its name; with fewer it would be made up for the most part. */
const SPARK = 32;

/** The latest value of a series up to a step, its step, and the heights of its curve from 0 to 1 over even steps; null where there is none. */
export function latestOf(wire: unknown, name: string, until: number) {
  const found = ((wire ?? []) as WireCurve[]).find((curve) => curve.name === name);
  if (!found) return null;
  const [x, y] = [float64(found.x), float64(found.y)];
  const last = bisectRight(x, until) - 1;
  if (last < 0) return null;
  const [value, at] = [y[last], x[last]];
  if (y.length < SPARK) return { value, at, heights: [] };
  const steps = Array.from({ length: SPARK }, (_, k) => x[0] + (k * (at - x[0])) / (SPARK - 1));
  const picked = steps.map((step) => y[Math.max(0, bisectRight(x, step) - 1)]);
  const sizes = picked.map(picked.every((each) => each > 0) ? Math.log : Number);
  const [least = 0, most = 0] = extent(sizes.filter(Number.isFinite));
  const heights = sizes.map((size) => (size - least) / (most - least));
  return { value, at, heights: heights.every(Number.isFinite) ? heights : [] };
}

export function zoomOf(value: unknown): Range | null {
  const [from, to] = (value ?? []) as number[];
  return from < to ? { from, to } : null;
}

function panelsOf(
  wire: readonly WireCurve[],
  { scale, over, zoom }: { scale: unknown; over: number; zoom: Range | null },
  { kinds, colour }: { kinds: readonly string[]; colour: number },
): Panel[] {
  const allKinds = [...new Set([...kinds, ...wire.map(({ kind }) => kind)])];
  return [...new Set(wire.map(({ panel }) => panel))].map((panel) => {
    const series = wire.filter((one) => one.panel === panel).map(readCurve);
    const positive = series.every(({ count, logs }) =>
      logs.every((sum, k) => count[k] === 0 || Number.isFinite(sum)),
    );
    const log = scale === "log" || (scale === "auto" && /loss|error/.test(panel) && positive);
    // A panel all of whose curves are short needs no means.
    const hasMeans = over > 1 && series.some(({ count }) => count.reduce((a, b) => a + b, 0) > FEW);
    const curves = series.map(({ name, kind, x, y, count, sum, logs }) => {
      const mean = hasMeans ? smoothed({ x, count, sum: log ? logs : sum }, over) : null;
      if (mean && log) mean.y = mean.y.map(Math.exp);
      const colourNumber = (colour + allKinds.indexOf(kind)) % CURVE_COLOURS;
      const isSeen = (step: number) => !zoom || (step >= zoom.from && step <= zoom.to);
      const whole = count.every((n, k) => n === 0 || n === 1 || !isSeen(x[k]));
      return { name, colour: colourNumber, x, y, mean, whole };
    });
    return { title: panel.replaceAll("_", " "), curves, log };
  });
}

function readCurve({ name, kind, sums, ...wire }: WireCurve) {
  const [x, y] = [float64(wire.x), float64(wire.y)];
  const own = { name, kind, x, y };
  if (sums) {
    return { ...own, count: float64(sums.count), sum: float64(sums.sum), logs: float64(sums.log) };
  }
  const count = y.map((value) => (Number.isFinite(value) ? 1 : 0));
  return { ...own, count, sum: y, logs: y.map(Math.log) };
}

function float64(bytes: DataView): Float64Array {
  return Float64Array.from({ length: bytes.byteLength / 8 }, (_, k) =>
    bytes.getFloat64(8 * k, true),
  );
}

/** Points of a curve; of each, how many values it stands for (not always a whole number), and their sum. */
type SummedCurve = Record<"x" | "count" | "sum", ArrayLike<number>>;

/**
 * The straight line that fits the values within half of `over` steps best, at each point that stands for finite ones, and
 * never beyond these values: so a trend is neither behind nor ahead, and no accuracy is above 1. At the end it is the line
 * that fits all of the last `over`: half of them would bend with the last few. Steps are counted at the curve's usual pace, over a jump as if there were none. Values further apart than half of `over` stay as they are.
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
  const lastWhole = reach < 1 ? Infinity : middles[middles.length - 1] - 2 * reach;
  let [first, end] = [0, 0];
  const y = steps.map((_, k) => {
    const from = Math.min(middles[k] - reach, lastWhole);
    while (middles[first] < from) first++;
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
