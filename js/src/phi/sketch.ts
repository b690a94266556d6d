/** The image that is drawn by hand. No DOM. */

import { brushRadius, stroke } from "./brush.ts";
import type { Images } from "./images.ts";

type Point = readonly [x: number, y: number];

export interface Sketch {
  image(): Images;
  /** Another number whenever the image has changed. */
  version(): number;
  /** Its values of ground and of ink. */
  ends(): Point;
  /** Begins with a blank of another size, or with what was kept in that size; `ground` and `full` are its values. */
  fit(width: number, height: number, ground: number, full: number): void;
  /** Draws a line, in pixels of the image, and holds the pen there until `lift`. */
  line(from: Point, to: Point, erase: boolean): void;
  /** The end of a stroke; gives what stands. */
  lift(): Images;
  /** A blank again; gives it. */
  clear(): Images;
  /** A drawing that was kept, or made in another copy of the view. */
  take(images: Images | null): void;
}

export function createSketch(): Sketch {
  let drawing: Images = { count: 1, channels: 1, height: 0, width: 0, data: new Float32Array(0) };
  let version = 0;
  let kept: Images | null = null;
  let ink: Point = [-1, 1];
  let held = false;

  function keep(): Images {
    held = false;
    kept = { ...drawing, data: drawing.data.slice() };
    return kept;
  }

  return {
    image: () => drawing,
    version: () => version,
    ends: () => ink,
    fit(width, height, ground, full) {
      ink = [ground, full];
      if (drawing.width === width && drawing.height === height) return;
      const data = new Float32Array(width * height).fill(ground);
      if (kept && kept.width === width && kept.height === height) data.set(kept.data);
      drawing = { count: 1, channels: 1, height, width, data };
      version++;
    },
    line(from, to, erase) {
      held = true;
      const [ground, full] = ink;
      const radius = brushRadius(drawing.width, drawing.height);
      if (erase) stroke(drawing, from, to, 1.6 * radius, full, ground);
      else stroke(drawing, from, to, radius, ground, full);
      version++;
    },
    lift: keep,
    clear() {
      drawing.data.fill(ink[0]);
      version++;
      return keep();
    },
    take(images) {
      if (!images || held) return;
      if (kept && same(kept, images)) return;
      kept = images;
      if (images.width !== drawing.width || images.height !== drawing.height) return;
      drawing = { ...drawing, data: images.data.slice(0, images.width * images.height) };
      version++;
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
