/** Draws on an image: with mouse, finger or pen, by the keyboard, and for tests. */

import type { Images } from "../phi/images.ts";
import type { Sketch } from "../phi/sketch.ts";
import type { Rect } from "../scene/marks.ts";
import { holdFingers } from "./drag.ts";
import { listen } from "./element.ts";
import type { Shell } from "./mount.ts";
import type { Stage } from "./stage.ts";

type Pixel = [x: number, y: number];

export type Pen = ReturnType<typeof createPen>;

/** `place` is where in the scene one draws, null where one cannot; the drawing goes to Python whenever the pen is lifted. */
export function createPen(
  shell: Shell,
  { canvas, at: placeAt }: Pick<Stage, "canvas" | "at">,
  sketch: Sketch,
  place: () => Rect | null,
) {
  const { signal } = shell;
  let penStroke: { at: Pixel; erase: boolean } | null = null;

  function keep({ data, width, height }: Images) {
    const bytes = new DataView(data.slice().buffer);
    shell.choose("drawing", { shape: [1, 1, height, width], data: bytes });
  }

  /** The place of the mouse in pixels of the image; null where nothing can be drawn. */
  function onImage(event: Pick<MouseEvent, "clientX" | "clientY">, anywhere = false): Pixel | null {
    const box = place();
    if (!box) return null;
    const here = placeAt(event);
    const [x, y] = [here.x - box.x, here.y - box.y];
    const inside = x >= 0 && y >= 0 && x <= box.width && y <= box.height;
    if (!inside && !anywhere) return null;
    const { width, height } = sketch.image();
    return [(x / box.width) * width, (y / box.height) * height];
  }

  function up() {
    if (!penStroke) return;
    penStroke = null;
    keep(sketch.lift());
  }

  listen(canvas, signal, {
    pointerdown(event) {
      const at = onImage(event);
      if (!at || (event.button !== 0 && event.button !== 2)) return;
      penStroke = { at, erase: event.shiftKey || event.button === 2 };
      canvas.setPointerCapture?.(event.pointerId);
      sketch.line(at, at, penStroke.erase);
      event.preventDefault();
      canvas.focus({ preventScroll: true });
      shell.schedule();
    },
    pointermove(event) {
      if (!penStroke) return;
      // A fast hand: the browser keeps the places between two animation frames.
      const moves = event.getCoalescedEvents?.() ?? [];
      for (const move of moves.length > 0 ? moves : [event]) {
        const to = onImage(move, true);
        if (!to) continue;
        sketch.line(penStroke.at, to, penStroke.erase);
        penStroke.at = to;
      }
      shell.schedule();
    },
    pointerup: up,
    pointercancel: up,
    contextmenu: (event) => onImage(event) && event.preventDefault(),
  });
  holdFingers(canvas, (finger) => onImage(finger) !== null, signal);

  return {
    /** One dot, at a pixel. */
    dot(row: number, column: number, erase: boolean) {
      const at: Pixel = [column + 0.5, row + 0.5];
      sketch.line(at, at, erase);
      keep(sketch.lift());
    },
    /** A line through points in pixels of the image. */
    through(points: readonly Pixel[]) {
      points.forEach((to, k) => {
        sketch.line(points[Math.max(0, k - 1)], to, false);
      });
      keep(sketch.lift());
    },
    clear: () => keep(sketch.clear()),
  };
}
