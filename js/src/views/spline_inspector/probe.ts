/** What tests and other tools may ask of a view, as `element.kwView`. */

import type { Stage } from "../../shell/stage.ts";
import { heightOf } from "./handles.ts";
import type { InspectorScene } from "./scene.ts";
import { toX, toY } from "./window.ts";

export interface InspectorElement extends HTMLElement {
  kwView: ReturnType<typeof probe>;
}

export function probe(
  scene: () => InspectorScene | null,
  stage: Stage,
  drawn: { frames: number; milliseconds: number },
) {
  /** A place of the plane in client pixels. */
  const placed = ({ picture, y: up, places: { plot } }: InspectorScene, x: number, y: number) => {
    const at = { x: toX(picture.x, plot, x), y: toY(up, plot, y), width: 0, height: 0 };
    const { x: left, y: top } = stage.clientRect(at);
    return { x: left, y: top };
  };
  return {
    step: () => scene()?.picture.frame.step ?? null,
    selection: () => scene()?.picture.at ?? null,
    /** A curve as drawn: "phi", "base", "spline", "ghost", "stack", "pin0", "overlay0", or a basis function's label. */
    curve(name: string) {
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
      const { reading, picture } = scene() ?? {};
      if (!reading || !picture) return null;
      const terms = picture.phi.layer.labels.map((label, b) => [label, reading.terms[b]] as const);
      return { ...reading, terms: Object.fromEntries(terms) as Record<string, number> };
    },
    window() {
      const now = scene();
      return now && { x: now.picture.x, y: now.y };
    },
    /** Where a point of the plane lies, in client pixels. */
    place(x: number, y: number) {
      const now = scene();
      return now && placed(now, x, y);
    },
    coefficients: () => Array.from(scene()?.picture.phi.coefficients ?? []),
    rows: () => scene()?.legend.rows.map(({ row }) => row) ?? [],
    /** Where a site lies, in client pixels: "row:base", "remove:pin:0", "point:3", "score". */
    site: (id: string) => stage.clientBox(id),
    plot() {
      const plot = scene()?.places.plot;
      return plot ? stage.clientRect(plot) : null;
    },
    words: (id: string) => scene()?.sites.words(id) ?? "",
    drawn: () => ({ ...drawn }),
  };
}
