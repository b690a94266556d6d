/** KernelGrid, for tests and other tools that ask what is drawn. */

import { functionOf } from "../../phi/entries.ts";
import type { Rect } from "../../phi/geometry.ts";
import type { Store } from "../../wire/types.ts";
import type { Picture } from "./picture.ts";
import type { GridScene } from "./scene.ts";
import type { Subject } from "./subject.ts";

/** What tests and other tools may ask of a view, as `element.kwGrid`. */
export function probeOf(
  scene: () => GridScene | null,
  store: () => Store | null,
  rectOf: (id: string) => Rect | null,
  drawn: () => { step: number | null; frames: number; milliseconds: number },
) {
  const picture = (): Picture | null => scene()?.picture ?? null;
  return {
    step: () => drawn().step,
    layer: () => picture()?.layer.name ?? null,
    arrangement: () => picture()?.arrangement ?? null,
    /** The points of function f as they are drawn. */
    curve(f: number) {
      const from = picture();
      return from && points(from.subject, from.plan, f);
    },
    /** The points of function f as they are drawn behind it; null where nothing is. */
    ghost(f: number) {
      const from = picture();
      if (!from?.ghost || !from.initial) return null;
      const { subject, plan } = from.ghost;
      return { step: from.initial.frame.step, ...points(subject, plan, f) };
    },
    /** The cell of function f in client pixels. */
    rectOf: (f: number) => rectOf(String(f)),
    /** Half the height of the axis of function f. */
    yScale: (f = 0) => picture()?.scaleOf(f) ?? null,
    /** Where function f is largest, or smallest, and φ there; null in other modes. */
    preferred(f: number) {
      const from = picture();
      if (!from?.preferred) return null;
      const { x, value } = from.preferred;
      return { x: x[f], value: value[f], grey: from.greys[f] };
    },
    hovered: () => scene()?.marked.hovered ?? -1,
    selected: () => {
      const from = picture();
      return from ? functionOf(from.layer, store()?.selection() ?? null) : -1;
    },
    /** How often a frame has been drawn and how long the last drawing took. */
    drawn() {
      const { frames, milliseconds } = drawn();
      return { frames, milliseconds };
    },
  };
}

export interface GridElement extends HTMLElement {
  kwGrid: ReturnType<typeof probeOf>;
}

function points(subject: Subject, plan: Picture["plan"], f: number) {
  const out = { x: new Float32Array(plan.points), y: new Float32Array(plan.points) };
  const n = subject.curve(f, plan, out);
  return { x: Array.from(out.x.subarray(0, n)), y: Array.from(out.y.subarray(0, n)) };
}
