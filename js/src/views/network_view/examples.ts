/** The examples to choose from, under the diagram, and the room that they leave for the close-up. */

import type { Given } from "../../scene/drawing.ts";
import { thumbnailsOf } from "../../scene/heat.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { grown, inMiddle, rect, words } from "../../scene/shapes.ts";
import type { Probe } from "../../wire/types.ts";
import type { Settings } from "./diagram.ts";
import type { Site } from "./focus.ts";

const TILE = 34;
const LEAST_TILE = 28;
const TILE_GAP = 6;
const LEFT = 10;
/** Pixels of one row of them, which needs no heading. */
export const EXAMPLES_ROW = 42;

export function canDraw(probe: Probe | null): boolean {
  return probe !== null && probe.shape.length === 4 && probe.shape[1] === 1;
}

/** `close` is the room for the close-up. */
export function stripOf(
  { store, width, still, theme: { colours } }: Given,
  { example, picker }: Settings,
  { y, isRow, height }: { y: number; isRow: boolean; height: number },
): { sites: Site[]; close: Rect; marks(): Mark[] } {
  const probe = picker ? store.probe() : null;
  const count = probe ? probe.shape[0] : 0;
  const draws = canDraw(probe) && !still;
  const noun = probe?.shape.length === 4 ? "Image" : "Example";
  const top = y + (isRow ? 5 : 24);
  const rows = isRow ? 1 : Math.max(1, Math.floor((y + height - top) / (TILE + TILE_GAP)));
  const across = isRow ? 100 : Math.max(1, Math.min(6, Math.ceil((count + 1) / rows)));
  const more = draws ? 1 : 0;
  // In a row they are a little smaller before one of them has no place; the tile to draw on has one.
  const room = Math.floor((width - LEFT) / (count + more)) - TILE_GAP;
  const side = isRow ? Math.max(LEAST_TILE, Math.min(TILE, room)) : TILE;
  const fits = isRow ? Math.floor((width - LEFT) / (side + TILE_GAP)) : count + 1;
  const drawn = Math.min(count, fits - more);
  const tiles = Array.from({ length: drawn + more }, (_, k) => ({
    number: k < drawn ? k : -1,
    box: {
      x: LEFT + (k % across) * (side + TILE_GAP),
      y: top + Math.floor(k / across) * (side + TILE_GAP),
      width: side,
      height: side,
    },
  }));
  const used = isRow || count === 0 ? 0 : LEFT + across * (TILE + TILE_GAP) + 10;
  const close =
    isRow && count > 0
      ? { x: LEFT, y: y + EXAMPLES_ROW, width: width - 2 * LEFT, height: height - EXAMPLES_ROW - 4 }
      : { x: used + LEFT, y: y + 4, width: width - used - 2 * LEFT, height: height - 8 };
  return {
    close,
    sites: tiles.map(({ number, box }) => ({
      id: `x:${number}`,
      box,
      words:
        number < 0
          ? "Draw an example of your own on the input"
          : `${noun} ${number + 1} of ${count}: ${number === example ? "it runs" : "click to send it"} through the network`,
    })),
    marks() {
      if (!probe || count === 0) return [];
      const [images, channels, height, width] = probe.shape;
      const all = { count: images, channels, height, width, data: probe.inputs };
      const pictures = probe.shape.length === 4 ? thumbnailsOf(all) : [];
      const marks: Mark[] = [words(LEFT, y + 15, isRow ? "" : "examples", colours.muted)];
      for (const { number, box } of tiles) {
        const pixels = pictures[number];
        if (pixels) marks.push({ kind: "image", box, pixels });
        else {
          const text = number < 0 ? "draw" : String(number + 1);
          marks.push(rect(box, { fill: colours.cell, radius: 3 }));
          marks.push(inMiddle(box, text, colours.ink));
        }
        if (number < 0 ? example >= 0 : number !== example) continue;
        marks.push(rect(grown(box, 2), { stroke: colours.accent, width: 2, radius: 4 }));
      }
      return marks;
    },
  };
}
