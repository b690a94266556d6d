/** The images to choose from, in small. */

import { element } from "../../shell/element.ts";
import { greyPixel } from "./grey.ts";
import type { Desk } from "./panel.ts";
import type { Images } from "./settings.ts";
import { rangeOf, type Source } from "./source.ts";

const MOST = 64;

export interface Thumbnails {
  element: HTMLElement;
  show(source: Source): void;
}

export function createThumbnails(desk: Desk): Thumbnails {
  const { document, signal } = desk;
  const strip = element(document, "div", "kw-strip");
  strip.setAttribute("role", "group");
  strip.setAttribute("aria-label", "Images");
  let listed: Images | null = null;

  return {
    element: strip,
    show({ images, sample, input }) {
      strip.hidden = input !== "images" && input !== "observed";
      if (images !== listed) {
        listed = images;
        const count = Math.min(images?.count ?? 0, MOST);
        strip.replaceChildren(
          ...Array.from({ length: count }, (_, k) => {
            const button = element(document, "button", "kw-thumbnail");
            button.type = "button";
            button.title = `Image ${k}`;
            button.setAttribute("aria-label", `image ${k}`);
            button.addEventListener("click", () => desk.choose("sample", k), { signal });
            paint(element(document, "canvas", "kw-thumbnail-canvas", button), images as Images, k);
            return button;
          }),
        );
      }
      strip.querySelectorAll("button").forEach((button, k) => {
        button.setAttribute("aria-pressed", String(k === sample && input !== "drawn"));
      });
    },
  };
}

/** Each image on its own scale, its first channel. */
function paint(canvas: HTMLCanvasElement, images: Images, index: number): void {
  const { channels, width, height, data } = images;
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context?.createImageData(width, height);
  if (!context || !image?.data) return;
  const pixels = new Uint32Array(image.data.buffer);
  const start = index * channels * width * height;
  const values = data.subarray(start, start + width * height);
  const [low, high] = rangeOf({ ...images, count: 1, channels: 1, data: values });
  values.forEach((value, p) => {
    pixels[p] = greyPixel(value, low, high);
  });
  context.putImageData(image, 0, 0);
}
