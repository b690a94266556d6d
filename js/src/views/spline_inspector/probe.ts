/** What tests and other tools may ask of a view, as `element.kwView`. */

import type { Stage } from "../../shell/stage.ts";
import { heightOf } from "./handles.ts";
import type { InspectorScene } from "./scene.ts";
import { toX, toY } from "./window.ts";

export function probe({
  scene,
  stage,
  drawn,
}: {
  scene: () => InspectorScene | null;
  stage: Stage;
  drawn: { frames: number; milliseconds: number };
}) {
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
    /** A curve as drawn: "phi", "base", "spline", "ghost", "stack", "pin0", "overlay0", or a basis function's label. */
    curve(name: string) {
      const found = scene()?.picture.curves.find((one) => one.name === name);
      return found ? { x: Array.from(found.x), y: Array.from(found.y) } : null;
    },
    /** The middles of the control points, in client pixels. */
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
        terms: Object.fromEntries(labels.map((label, b) => [label, terms[b]])) as Record<
          string,
          number
        >,
      };
    },
    /** The part of the plane that is shown. */
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
      return plot ? { ...plot, ...client(plot.x, plot.y) } : null;
    },
    words: (id: string) => scene()?.sites.words(id) ?? "",
    drawn: () => ({ ...drawn }),
  };
}

export interface InspectorElement extends HTMLElement {
  kwView: ReturnType<typeof probe>;
}
