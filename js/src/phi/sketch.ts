/** An image that is drawn by hand. */

import type { Images } from "./images.ts";
import { allSame } from "./memory.ts";

type XYPoint = readonly [x: number, y: number];

export type Sketch = ReturnType<typeof createSketch>;

export function createSketch() {
  let drawing: Images = { count: 1, channels: 1, height: 0, width: 0, data: new Float32Array(0) };
  let version = 0;
  let copy: Images | null = null;
  let ends: XYPoint = [-1, 1];
  let isHeld = false;

  function keep(): Images {
    isHeld = false;
    copy = { ...drawing, data: drawing.data.slice() };
    return copy;
  }

  return {
    image: () => drawing,
    /** Another number whenever the image has changed. */
    version: () => version,
    /** The image's values of ground and ink. */
    ends: () => ends,
    /** Begins with a blank of another size, or the drawing kept in that size; `ground` and `full` are the values of its ends. */
    fit(width: number, height: number, ground: number, full: number) {
      ends = [ground, full];
      if (drawing.width === width && drawing.height === height) return;
      const data = new Float32Array(width * height).fill(ground);
      if (copy && copy.width === width && copy.height === height) data.set(copy.data);
      drawing = { count: 1, channels: 1, height, width, data };
      version++;
    },
    /** Draws a line, in pixels of the image, and holds the pen there until `lift`. */
    line(from: XYPoint, to: XYPoint, erase: boolean) {
      isHeld = true;
      const [ground, full] = ends;
      const radius = brushRadius(drawing.width, drawing.height);
      if (erase) stroke(drawing, from, to, 1.6 * radius, full, ground);
      else stroke(drawing, from, to, radius, ground, full);
      version++;
    },
    /** The end of a stroke; returns the drawing. */
    lift: keep,
    /** Clears the drawing, and returns it. */
    clear() {
      drawing.data.fill(ends[0]);
      version++;
      return keep();
    },
    /** Takes a drawing that was kept, or made in another copy of the view. */
    take(images: Images | null) {
      if (!images || isHeld) return;
      const { width, height, data } = images;
      if (copy?.width === width && copy.height === height && allSame(copy.data, data)) return;
      copy = images;
      if (width !== drawing.width || height !== drawing.height) return;
      drawing = { ...drawing, data: data.slice(0, width * height) };
      version++;
    },
  };
}

/** Half the width of a stroke for an image this large: about that of MNIST's digits. */
export function brushRadius(width: number, height: number): number {
  return Math.max(0.7, (1.15 * Math.min(width, height)) / 28);
}

/**
 * Draws from one point to another, in pixels with the middle of the first at (0.5, 0.5). Ink only adds: a pixel goes
 * towards `target` as far as the stroke covers it, and never back.
 */
export function stroke(
  image: { width: number; height: number; data: Float32Array },
  from: readonly [number, number],
  to: readonly [number, number],
  radius: number,
  ground: number,
  target: number,
): void {
  const { width, height, data } = image;
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const square = dx * dx + dy * dy;
  const reach = radius + 0.5;
  const first = (a: number, b: number) => Math.max(0, Math.floor(Math.min(a, b) - reach));
  const last = (a: number, b: number, size: number) =>
    Math.min(size - 1, Math.ceil(Math.max(a, b) + reach));
  for (let row = first(from[1], to[1]); row <= last(from[1], to[1], height); row++) {
    for (let column = first(from[0], to[0]); column <= last(from[0], to[0], width); column++) {
      const [x, y] = [column + 0.5 - from[0], row + 0.5 - from[1]];
      const along = square > 0 ? Math.max(0, Math.min(1, (x * dx + y * dy) / square)) : 0;
      const distance = Math.hypot(x - along * dx, y - along * dy);
      const cover = Math.max(0, Math.min(1, reach - distance));
      const value = ground + (target - ground) * cover;
      const at = row * width + column;
      if (target >= ground ? value > data[at] : value < data[at]) data[at] = value;
    }
  }
}
