/** Curves as traits carry them (kan_widgets/widgets/curves.py), as plain data. No DOM. */

import type { Points, Range } from "./axes.ts";
import { type Chart, CURVE_COLOURS, type Curve, hasLine, type Panel, saidOf } from "./chart.ts";

/** A curve as the trait carries it: little-endian float64. */
interface WireCurve {
  panel: string;
  name: string;
  /** Curves of one kind have one colour. */
  kind: string;
  x: DataView;
  y: DataView;
  mean: { x: DataView; y: DataView } | null;
  /** One number, or none. */
  latest: DataView;
  /** Whether its panel has a logarithmic axis of values, where the scale is left to Python. */
  log: boolean;
}

type Get = (trait: string) => unknown;

/** What is drawn; the same trait gives the same curves. `first`: the kinds with the first colours, from a number on. */
export function chartReader(
  first: (get: Get) => { kinds: readonly string[]; colour: number } = () => FROM_ZERO,
): (get: Get) => Chart {
  let read: readonly unknown[] = [];
  let [panels, drawn]: Panel[][] = [[], []];
  let said: string[] = [];
  return (get) => {
    const [wire, scale] = [get("curves"), get("scale")];
    if (wire !== read[0] || scale !== read[1]) {
      read = [wire, scale];
      panels = panelsOf((wire ?? []) as WireCurve[], scale, first(get));
      drawn = panels.filter(hasLine);
      said = panels.filter((panel) => !hasLine(panel)).map(saidOf);
    }
    const marks = (get("marks") ?? []) as [number, string][];
    const over = Number(get("smoothing")) || 0;
    const zoom = zoomOf(get("zoom"));
    // Of some steps a panel may have one value that has more.
    const lines = zoom ? panels : drawn;
    return { panels: lines, said: zoom ? [] : said, zoom, marks, over };
  };
}

const FROM_ZERO = { kinds: [], colour: 0 };

/** Of each curve its quantity, kind and latest value; null where there is none. */
export function logged(wire: unknown) {
  return ((wire ?? []) as WireCurve[]).map(({ panel, kind, latest }) => {
    return { panel, kind, latest: numbers(latest)[0] ?? null };
  });
}

/** The latest value of a series, and its step; null where there is none. */
export function latestOf(wire: unknown, name: string): { value: number; at: number } | null {
  const found = ((wire ?? []) as WireCurve[]).find((curve) => curve.name === name);
  const [value] = found ? numbers(found.latest) : [];
  return found && value !== undefined ? { value, at: numbers(found.x).at(-1) ?? 0 } : null;
}

export function zoomOf(value: unknown): Range | null {
  const [from, to] = (value ?? []) as number[];
  return from < to ? { from, to } : null;
}

function panelsOf(
  wire: readonly WireCurve[],
  scale: unknown,
  { kinds, colour }: { kinds: readonly string[]; colour: number },
): Panel[] {
  const known = [...new Set([...kinds, ...wire.map(({ kind }) => kind)])];
  return [...new Set(wire.map(({ panel }) => panel))].map((panel) => {
    const inside = wire.filter((one) => one.panel === panel);
    const curves = inside.map((one): Curve => {
      const { name, x, y, mean, latest } = one;
      return {
        name,
        colour: (colour + known.indexOf(one.kind)) % CURVE_COLOURS,
        ...pointsOf(x, y),
        mean: mean && pointsOf(mean.x, mean.y),
        latest: numbers(latest)[0] ?? null,
      };
    });
    const log = scale === "auto" ? inside.some((one) => one.log) : scale === "log";
    return { title: panel.replaceAll("_", " "), curves, log };
  });
}

function pointsOf(x: DataView, y: DataView): Points {
  return { x: numbers(x), y: numbers(y) };
}

function numbers(bytes: DataView): Float64Array {
  return Float64Array.from({ length: bytes.byteLength / 8 }, (_, k) =>
    bytes.getFloat64(8 * k, true),
  );
}
