/** Curves as traits carry them (kan_widgets/widgets/drawn_curves.py), as plain data. No DOM. */

import type { Range } from "./axes.ts";
import type { Chart, Curve, Panel, Points } from "./chart.ts";

/** A curve as the trait carries it: little-endian float64. */
interface WireCurve {
  panel: string;
  name: string;
  colour: number;
  x: DataView;
  y: DataView;
  mean: { x: DataView; y: DataView } | null;
  /** One number, or none. */
  latest: DataView;
  /** Whether its panel has a logarithmic axis of values, where the scale is left to Python. */
  log: boolean;
}

type Get = (trait: string) => unknown;

/** What is drawn; the same trait gives the same curves. */
export function chartReader(): (get: Get) => Chart {
  let read: readonly unknown[] = [];
  let panels: Panel[] = [];
  return (get) => {
    const [wire, scale] = [get("curves"), get("scale")];
    if (wire !== read[0] || scale !== read[1]) {
      read = [wire, scale];
      panels = panelsOf((wire ?? []) as WireCurve[], scale);
    }
    const marks = (get("marks") ?? []) as [number, string][];
    const over = Number(get("smoothing")) || 0;
    return { panels, zoom: zoomOf(get("zoom")), marks, over };
  };
}

/** The latest value of a series; null where there is none. */
export function latestOf(wire: unknown, name: string): number | null {
  const found = ((wire ?? []) as WireCurve[]).find((curve) => curve.name === name);
  return found ? (numbers(found.latest)[0] ?? null) : null;
}

export function zoomOf(value: unknown): Range | null {
  const [from, to] = (value ?? []) as number[];
  return from < to ? { from, to } : null;
}

function panelsOf(wire: readonly WireCurve[], scale: unknown): Panel[] {
  const titles = [...new Set(wire.map(({ panel }) => panel))];
  return titles.map((title) => {
    const inside = wire.filter(({ panel }) => panel === title);
    const log = scale === "auto" ? inside.some((curve) => curve.log) : scale === "log";
    return { title, curves: inside.map(curveOf), log };
  });
}

function curveOf({ name, colour, x, y, mean, latest }: WireCurve): Curve {
  return {
    name,
    colour,
    ...pointsOf(x, y),
    mean: mean && pointsOf(mean.x, mean.y),
    latest: numbers(latest)[0] ?? null,
  };
}

function pointsOf(x: DataView, y: DataView): Points {
  return { x: numbers(x), y: numbers(y) };
}

function numbers(bytes: DataView): Float64Array {
  return Float64Array.from({ length: bytes.byteLength / 8 }, (_, k) =>
    bytes.getFloat64(8 * k, true),
  );
}
