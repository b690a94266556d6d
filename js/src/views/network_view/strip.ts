/** Below the diagram: the examples to choose from, and the place of the close-up. No DOM. */

import { type Images, imageAt, rangeOf } from "../../phi/images.ts";
import type { Given } from "../../scene/drawing.ts";
import { greyOf } from "../../scene/heat.ts";
import type { Mark, Pixels, Rect } from "../../scene/marks.ts";
import type { Theme } from "../../scene/theme.ts";
import type { Probe } from "../../wire/types.ts";
import type { Settings } from "./settings.ts";

export interface Strip {
  sites: { id: string; box: Rect; words: string }[];
  /** Room for the close-up. */
  close: Rect;
  marks(theme: Theme): Mark[];
}

const TILE = 34;
const GAP = 6;
const LEFT = 10;

const made = new WeakMap<Probe, Pixels[]>();

/** Small pictures of the examples; empty where they are no images. */
function picturesOf(probe: Probe): Pixels[] {
  const known = made.get(probe);
  if (known) return known;
  const [count, ...shape] = probe.shape;
  let pictures: Pixels[] = [];
  if (shape.length === 3) {
    const [channels, height, width] = shape;
    const images: Images = { count, channels, height, width, data: probe.inputs };
    pictures = Array.from({ length: count }, (_, k) => {
      const values = imageAt(images, k).data.subarray(0, height * width);
      return greyOf(values, width, rangeOf(values));
    });
  }
  made.set(probe, pictures);
  return pictures;
}

export function canDraw(probe: Probe | null): boolean {
  return probe !== null && probe.shape.length === 4 && probe.shape[1] === 1;
}

export function stripOf(
  { store, width, still }: Given,
  { example, picker, compared }: Settings,
  { y, narrow, height }: { y: number; width: number; narrow: boolean; height: number },
): Strip {
  // Of several diagrams that are narrow each has them: so what is below is as high in all of them.
  const probe = picker || narrow ? store.probe() : null;
  const count = probe ? probe.shape[0] : 0;
  const draws = canDraw(probe) && !still;
  const pictures = probe ? picturesOf(probe) : [];
  const top = y + (narrow ? 20 : 24);
  const rows = narrow ? 1 : Math.max(1, Math.floor((y + height - top) / (TILE + GAP)));
  const column = narrow ? 100 : Math.max(1, Math.min(6, Math.ceil((count + 1) / rows)));
  const boxes = Array.from({ length: count + (draws ? 1 : 0) }, (_, k) => ({
    x: LEFT + (k % column) * (TILE + GAP),
    y: top + Math.floor(k / column) * (TILE + GAP),
    width: TILE,
    height: TILE,
  })).filter((box) => box.x + TILE < width);
  const used = narrow || count === 0 ? 0 : LEFT + column * (TILE + GAP) + 10;
  const close =
    narrow && count > 0
      ? { x: LEFT, y: y + 62, width: width - 2 * LEFT, height: height - 66 }
      : { x: used + LEFT, y: y + 4, width: width - used - 2 * LEFT, height: height - 8 };
  const idOf = (k: number) => (k < count ? `x:${k}` : "x:-1");
  const wordsOf = (k: number) =>
    k < count
      ? `Example ${k} of ${count}: click to send it through the network`
      : "Draw an example of your own on the input";
  return {
    close,
    sites: boxes.map((box, k) => ({ id: idOf(k), box, words: wordsOf(k) })),
    marks({ colours }) {
      if (count === 0) return [];
      const marks: Mark[] = [
        label(LEFT, y + 15, compared ? "examples, for all" : "examples", colours.muted),
      ];
      boxes.forEach((box, k) => {
        const picture = pictures[k];
        const flat = [box.x, box.y, box.width, box.height];
        const chosen = k < count ? k === example : example < 0;
        if (k < count && picture) marks.push({ kind: "image", box, pixels: picture });
        else {
          marks.push({ kind: "rects", boxes: flat, fill: colours.cell, radius: 3 });
          const text = k < count ? String(k) : "draw";
          const [x, middle] = [box.x + TILE / 2, box.y + TILE / 2];
          const place = { x, y: middle, anchor: "middle", middle: true } as const;
          marks.push({ kind: "text", ...place, text, fill: colours.ink, size: 11 });
        }
        if (!chosen) return;
        const around = [box.x - 2, box.y - 2, TILE + 4, TILE + 4];
        marks.push({ kind: "rects", boxes: around, stroke: colours.accent, width: 2, radius: 4 });
      });
      return marks;
    },
  };
}

function label(x: number, y: number, text: string, fill: string): Mark {
  return { kind: "text", x, y, text, fill, size: 11 };
}
