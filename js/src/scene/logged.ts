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
}

type Get = (trait: string) => unknown;

/** What is drawn; the same trait gives the same curves. */
export function chartReader(): (get: Get) => Chart {
  let read: unknown;
  let panels: Panel[] = [];
  return (get) => {
    const wire = get("curves");
    if (wire !== read) {
      read = wire;
      panels = panelsOf((wire ?? []) as WireCurve[]);
    }
    const marks = (get("marks") ?? []) as [number, string][];
    return { panels, log: get("scale") === "log", zoom: zoomOf(get("zoom")), marks };
  };
}

export function zoomOf(value: unknown): Range | null {
  const [from, to] = (value ?? []) as number[];
  return from < to ? { from, to } : null;
}

function panelsOf(wire: readonly WireCurve[]): Panel[] {
  const titles = [...new Set(wire.map(({ panel }) => panel))];
  return titles.map((title) => ({
    title,
    curves: wire.filter(({ panel }) => panel === title).map(curveOf),
  }));
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
