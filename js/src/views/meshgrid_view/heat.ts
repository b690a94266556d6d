/** Puts small pictures of coloured squares on a canvas. */

import type { Rect } from "../../phi/geometry.ts";

/** Pictures of one size, drawn together: one transfer of pixels for all of them. */
export interface Atlas {
  /** Readies `count` pictures of width × height pixels; `fill` writes those of one. */
  load(
    count: number,
    width: number,
    height: number,
    fill: (index: number, pixels: Uint32Array) => void,
  ): void;
  /** Draws one of them, with hard edges between its pixels unless it is to be smooth. */
  draw(context: CanvasRenderingContext2D, index: number, to: Rect, smooth?: boolean): void;
}

/** The widest sheet: well within what browsers allow. */
const WIDEST = 4096;

export function createAtlas(document: Document): Atlas {
  const canvas = document.createElement("canvas");
  let across = 1;
  let [w, h] = [1, 1];
  let image: ImageData | null = null;
  return {
    load(count, width, height, fill) {
      [w, h] = [width, height];
      across = Math.max(1, Math.min(count, Math.floor(WIDEST / width)));
      const down = Math.max(1, Math.ceil(count / across));
      const context = canvas.getContext("2d");
      if (!context) return;
      if (canvas.width !== across * w || canvas.height !== down * h || !image) {
        canvas.width = across * w;
        canvas.height = down * h;
        image = context.createImageData(canvas.width, canvas.height);
      }
      if (!image?.data) return;
      const sheet = new Uint32Array(image.data.buffer);
      const one = new Uint32Array(w * h);
      for (let k = 0; k < count; k++) {
        fill(k, one);
        const corner = Math.floor(k / across) * h * canvas.width + (k % across) * w;
        for (let row = 0; row < h; row++) {
          sheet.set(one.subarray(row * w, (row + 1) * w), corner + row * canvas.width);
        }
      }
      context.putImageData(image, 0, 0);
    },
    draw(context, index, to, smooth = false) {
      const [x, y] = [(index % across) * w, Math.floor(index / across) * h];
      context.imageSmoothingEnabled = smooth;
      context.drawImage(canvas, x, y, w, h, to.x, to.y, to.width, to.height);
    },
  };
}
