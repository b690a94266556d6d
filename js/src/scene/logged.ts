/** Curves as traits carry them (kan_widgets/widgets/shell/curves_view.py), as plain data. */

import { smoothed } from "../phi/smooth.ts";
import type { Range } from "./axes.ts";
import { type Chart, CURVE_COLOURS, FEW, hasLine, type Panel, saidOf } from "./chart.ts";

/** A curve as the trait carries it: little-endian float64. */
interface WireCurve {
  panel: string;
  name: string;
  /** Curves of one kind have one colour. */
  kind: string;
  x: DataView;
  y: DataView;
  /** Of each point how many values it stands for, their sum and that of their logarithms; null where each is one. */
  sums: { count: DataView; sum: DataView; log: DataView } | null;
}

type Get = (trait: string) => unknown;

/** Reads the chart to draw; the same traits give the same curves. `first`: the kinds that have the first colours, from a number on. */
export function chartReader(
  first: (get: Get) => { kinds: readonly string[]; colour: number } = () => FROM_ZERO,
): (get: Get) => Chart {
  let read: readonly unknown[] = [];
  let [panels, drawn]: Panel[][] = [[], []];
  let said: string[] = [];
  return (get) => {
    const over = Number(get("smoothing")) || 0;
    const zoom = zoomOf(get("zoom"));
    const now = [get("curves"), get("scale"), over, get("zoom")];
    if (now.some((value, k) => value !== read[k])) {
      read = now;
      panels = panelsOf((now[0] ?? []) as WireCurve[], { scale: now[1], over, zoom }, first(get));
      drawn = panels.filter(hasLine);
      said = panels.filter((panel) => !hasLine(panel)).map(saidOf);
    }
    const marks = (get("marks") ?? []) as [number, string][];
    // Zoomed in, a panel may show a single value of a curve that has more.
    const lines = zoom ? panels : drawn;
    return { panels: lines, said: zoom ? [] : said, zoom, marks, over };
  };
}

const FROM_ZERO = { kinds: [], colour: 0 };

/** Quantity, kind and latest value of each curve; null where it has no value. */
export function logged(wire: unknown) {
  return ((wire ?? []) as WireCurve[]).map(({ panel, kind, y }) => {
    return { panel, kind, latest: numbers(y).at(-1) ?? null };
  });
}

/** The latest value of a series, and its step; null where there is none. */
export function latestOf(wire: unknown, name: string): { value: number; at: number } | null {
  const found = ((wire ?? []) as WireCurve[]).find((curve) => curve.name === name);
  const [value, at] = found ? [found.y, found.x].map((bytes) => numbers(bytes).at(-1)) : [];
  return value === undefined || at === undefined ? null : { value, at };
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
  const known = [...new Set([...kinds, ...wire.map(({ kind }) => kind)])];
  return [...new Set(wire.map(({ panel }) => panel))].map((panel) => {
    const inside = wire.filter((one) => one.panel === panel).map(read);
    const positive = inside.every(({ count, logs }) =>
      logs.every((sum, k) => count[k] === 0 || Number.isFinite(sum)),
    );
    const log = scale === "log" || (scale === "auto" && /loss|error/.test(panel) && positive);
    // A panel all of whose curves are short needs no means.
    const many = over > 1 && inside.some(({ count }) => count.reduce((a, b) => a + b, 0) > FEW);
    const curves = inside.map(({ name, kind, x, y, count, sum, logs }) => {
      const mean = many ? smoothed({ x, count, sum: log ? logs : sum }, over) : null;
      if (mean && log) mean.y = mean.y.map(Math.exp);
      const number = (colour + known.indexOf(kind)) % CURVE_COLOURS;
      const isSeen = (step: number) => !zoom || (step >= zoom.from && step <= zoom.to);
      const whole = count.every((n, k) => n === 0 || n === 1 || !isSeen(x[k]));
      return { name, colour: number, x, y, mean, whole };
    });
    return { title: panel.replaceAll("_", " "), curves, log };
  });
}

function read({ name, kind, sums, ...wire }: WireCurve) {
  const [x, y] = [numbers(wire.x), numbers(wire.y)];
  const own = { name, kind, x, y };
  if (sums) {
    return { ...own, count: numbers(sums.count), sum: numbers(sums.sum), logs: numbers(sums.log) };
  }
  const count = y.map((value) => (Number.isFinite(value) ? 1 : 0));
  return { ...own, count, sum: y, logs: y.map(Math.log) };
}

function numbers(bytes: DataView): Float64Array {
  return Float64Array.from({ length: bytes.byteLength / 8 }, (_, k) =>
    bytes.getFloat64(8 * k, true),
  );
}
