/** What tests and other tools may ask of a view, as `element.kwView`. */

import type { Rect } from "../../scene/marks.ts";
import type { Stage } from "../../shell/stage.ts";
import type { Selection } from "../../wire/types.ts";
import { heightOf } from "./handles.ts";
import type { Row } from "./rows.ts";
import type { InspectorScene } from "./scene.ts";
import type { Range, Reading } from "./terms.ts";
import { toX, toY } from "./window.ts";

export interface InspectorProbe {
  step(): number | null;
  selection(): Selection | null;
  /** A curve as drawn: "phi", "base", "spline", "ghost", "stack", "pin0", "overlay0", or a basis function's label. */
  curve(name: string): { x: number[]; y: number[] } | null;
  /** The middles of the control points, in client pixels. */
  controlPoints(): { label: string; x: number; y: number; value: number }[];
  readout(): (Omit<Reading, "terms"> & { terms: Record<string, number> }) | null;
  /** The part of the plane that is shown. */
  window(): { x: Range; y: Range } | null;
  /** Where a point of the plane lies, in client pixels. */
  place(x: number, y: number): { x: number; y: number } | null;
  coefficients(): number[] | null;
  /** The rows of the legend. */
  rows(): readonly Row[];
  /** Where a site lies, in client pixels: "row:base", "remove:pin:0", "point:3", "score". */
  site(id: string): Rect | null;
  /** Likewise for the plot without its axes. */
  plot(): Rect | null;
  /** The words of a site. */
  words(id: string): string;
  drawn(): { frames: number; milliseconds: number };
}

export interface InspectorElement extends HTMLElement {
  kwView: InspectorProbe;
}

export function probe({
  scene,
  stage,
  drawn,
}: {
  scene: () => InspectorScene | null;
  stage: Stage;
  drawn: { frames: number; milliseconds: number };
}): InspectorProbe {
  /** A place of the scene in client pixels. */
  const client = (x: number, y: number) => {
    const { left, top } = stage.canvas.getBoundingClientRect();
    const seen = stage.view();
    return { x: left + x - seen.x, y: top + y - seen.y };
  };
  const placed = (now: InspectorScene, x: number, y: number) => {
    const { plot } = now.places;
    return client(toX(now.picture.x, plot, x), toY(now.y, plot, y));
  };
  return {
    step: () => scene()?.picture.frame.step ?? null,
    selection: () => scene()?.picture.at ?? null,
    curve(name) {
      const found = scene()?.picture.curves.find((one) => one.name === name);
      return found ? { x: Array.from(found.x), y: Array.from(found.y) } : null;
    },
    controlPoints() {
      const now = scene();
      if (!now) return [];
      const { coefficients } = now.picture.phi;
      return now.picture.handles.map((handle) => ({
        label: handle.label,
        ...placed(now, handle.x, heightOf(handle, coefficients)),
        value: coefficients[handle.b],
      }));
    },
    readout() {
      const now = scene();
      if (!now?.reading) return null;
      const { labels } = now.picture.phi.layer;
      const { terms } = now.reading;
      return {
        ...now.reading,
        terms: Object.fromEntries(labels.map((label, b) => [label, terms[b]])),
      };
    },
    window() {
      const now = scene();
      return now && { x: now.picture.x, y: now.y };
    },
    place(x, y) {
      const now = scene();
      return now && placed(now, x, y);
    },
    coefficients: () => Array.from(scene()?.picture.phi.coefficients ?? []),
    rows: () => scene()?.legend.rows.map(({ row }) => row) ?? [],
    site: (id) => stage.clientBox(id),
    plot() {
      const plot = scene()?.places.plot;
      return plot ? { ...plot, ...client(plot.x, plot.y) } : null;
    },
    words: (id) => scene()?.sites.words(id) ?? "",
    drawn: () => ({ ...drawn }),
  };
}
