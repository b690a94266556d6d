/** The image that is drawn by hand: with the mouse, or with a pen that the arrow keys move. */

import type { Rect } from "../../phi/geometry.ts";
import { DIRECTIONS, plainKey, used } from "../../shell/keys.ts";
import { brushRadius, stroke } from "./brush.ts";
import { type Desk, MOVES, placeOf } from "./panel.ts";
import { type Images, imagesOf, type RawArray } from "./settings.ts";

export interface Sketch {
  image(): Images;
  /** Another number whenever the image has changed. */
  version(): number;
  /** The pixel under the keyboard's pen; null until a key moved it. */
  pen(): [number, number] | null;
  /** Begins with a blank of another size, or with what was kept in that size; `ground` and `full` are its values. */
  fit(width: number, height: number, ground: number, full: number): void;
  /** Draws a line through points in pixels of the image, as the mouse does. */
  drawLine(points: readonly [number, number][]): void;
  clear(): void;
  /** A drawing that was kept, or made in another copy of the view. */
  take(raw: RawArray | null | undefined): void;
}

/** `active` tells whether the canvas shows the sketch, `box` where on it; `keep` is given what stands after a stroke. */
export function createSketch(
  desk: Desk,
  canvas: HTMLCanvasElement,
  active: () => boolean,
  box: () => Rect | null,
  keep: (images: Images) => void,
): Sketch {
  const { signal } = desk;
  let drawing: Images = { count: 1, channels: 1, height: 0, width: 0, data: new Float32Array(0) };
  let version = 0;
  let kept: Images | null = null;
  let ink: [number, number] = [-1, 1];
  let held: { at: [number, number]; erase: boolean } | null = null;
  let pen: [number, number] | null = null;

  function line(from: [number, number], to: [number, number], erase: boolean) {
    const [ground, full] = ink;
    const radius = brushRadius(drawing.width, drawing.height);
    if (erase) stroke(drawing, from, to, 1.6 * radius, full, ground);
    else stroke(drawing, from, to, radius, ground, full);
    version++;
    desk.schedule();
  }

  function finish() {
    kept = { ...drawing, data: drawing.data.slice() };
    keep(kept);
  }

  /** The place of the mouse in pixels of the image. */
  function onImage(event: MouseEvent): [number, number] {
    const at = placeOf(event, canvas);
    const { width, height } = box() ?? { width: 1, height: 1 };
    return [((at.x - 1) / width) * drawing.width, ((at.y - 1) / height) * drawing.height];
  }

  canvas.addEventListener(
    "pointerdown",
    (event) => {
      if (!active() || (event.button !== 0 && event.button !== 2)) return;
      const at = onImage(event);
      held = { at, erase: event.shiftKey || event.button === 2 };
      canvas.setPointerCapture?.(event.pointerId);
      line(at, at, held.erase);
      event.preventDefault();
      canvas.focus({ preventScroll: true });
    },
    { signal },
  );
  canvas.addEventListener(
    "pointermove",
    (event) => {
      if (!held) return;
      // A fast hand: the browser keeps the places between two animation frames.
      const moves = event.getCoalescedEvents?.() ?? [];
      for (const move of moves.length > 0 ? moves : [event]) {
        const to = onImage(move);
        line(held.at, to, held.erase);
        held.at = to;
      }
    },
    { signal },
  );
  for (const end of ["pointerup", "pointercancel"] as const) {
    canvas.addEventListener(
      end,
      () => {
        if (!held) return;
        held = null;
        finish();
      },
      { signal },
    );
  }
  canvas.addEventListener(
    "contextmenu",
    (event) => {
      if (active()) event.preventDefault();
    },
    { signal },
  );
  canvas.addEventListener(
    "keydown",
    (event) => {
      if (!active() || !plainKey(event)) return;
      const direction = DIRECTIONS[event.key];
      const [x, y] = pen ?? [drawing.width >> 1, drawing.height >> 1];
      pen = [x, y];
      if (direction) {
        const [across, down] = MOVES[direction];
        pen = [
          Math.max(0, Math.min(drawing.width - 1, x + across)),
          Math.max(0, Math.min(drawing.height - 1, y + down)),
        ];
        desk.say(`row ${pen[1]}, column ${pen[0]}`);
      } else if (event.key === " " || event.key === "Enter" || event.key === "Backspace") {
        const at: [number, number] = [x + 0.5, y + 0.5];
        line(at, at, event.key === "Backspace");
        finish();
      } else return;
      used(event);
      desk.schedule();
    },
    { signal },
  );

  return {
    image: () => drawing,
    version: () => version,
    pen: () => pen,
    fit(width, height, ground, full) {
      ink = [ground, full];
      if (drawing.width === width && drawing.height === height) return;
      const data = new Float32Array(width * height).fill(ground);
      if (kept && kept.width === width && kept.height === height) data.set(kept.data);
      drawing = { count: 1, channels: 1, height, width, data };
      version++;
    },
    drawLine(points) {
      points.forEach((to, k) => {
        line(points[Math.max(0, k - 1)], to, false);
      });
      finish();
    },
    clear() {
      drawing.data.fill(ink[0]);
      version++;
      finish();
      desk.schedule();
    },
    take(raw) {
      const images = imagesOf(raw);
      if (!images || held) return;
      if (kept && same(kept, images)) return;
      kept = images;
      if (images.width !== drawing.width || images.height !== drawing.height) return;
      drawing = { ...drawing, data: images.data.slice(0, images.width * images.height) };
      version++;
      desk.schedule();
    },
  };
}

function same(a: Images, b: Images): boolean {
  return (
    a.width === b.width &&
    a.height === b.height &&
    a.data.length === b.data.length &&
    a.data.every((value, k) => Object.is(value, b.data[k]))
  );
}
