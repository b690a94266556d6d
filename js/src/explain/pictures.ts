/** The image, the map over it, and small maps of the largest shares. */

import { element, put, putOrHide } from "../shared/element.ts";
import { number } from "../shared/format.ts";
import { gradient, paletteOf } from "../shared/palette.ts";
import type { Theme } from "../shared/theme.ts";
import {
  type Content,
  cellOf,
  type MapOf,
  mapOf,
  mapTitle,
  mostOf,
  type Part,
  signed,
  tilesOf,
} from "./content.ts";
import { imagePixels, overlayPixels, type Pixels } from "./pixels.ts";

const TILES = 12;

export interface Pictures {
  element: HTMLElement;
  show(content: Content, part: Part, selected: number, theme: Theme): void;
}

interface Picture {
  element: HTMLElement;
  canvas: HTMLCanvasElement;
  title: HTMLElement;
}

export function createPictures(
  document: Document,
  choose: (number: number) => void,
  point: (words: string) => void,
  signal: AbortSignal,
): Pictures {
  const root = element(document, "div", "kw-pictures");
  const pair = element(document, "div", "kw-pair", root);
  const image = createPicture(document, "kw-image", pair);
  const map = createPicture(document, "kw-map", pair);
  const frame = map.canvas.parentElement as HTMLElement;
  const cell = element(document, "div", "kw-place", frame);
  const scale = element(document, "div", "kw-scale", root);
  const low = element(document, "span", "kw-scale-low", scale);
  const colours = element(document, "span", "kw-scale-colours", scale);
  const high = element(document, "span", "kw-scale-high", scale);
  const head = element(document, "div", "kw-tiles-title", root);
  const tiles = element(document, "div", "kw-tiles", root);
  let drawn: readonly unknown[] = [];
  let pointed: MapOf | null = null;

  frame.addEventListener(
    "pointermove",
    (event) => {
      if (!pointed) return;
      const box = map.canvas.getBoundingClientRect();
      const place = (at: number, size: number, count: number) =>
        Math.max(0, Math.min(count - 1, Math.floor((at / size) * count)));
      const row = place(event.clientY - box.top, box.height, pointed.height);
      const column = place(event.clientX - box.left, box.width, pointed.width);
      const value = pointed.data[row * pointed.width + column];
      point(`row ${row} · column ${column} of the map: ${signed(value)}`);
    },
    { signal },
  );
  frame.addEventListener("pointerleave", () => point(""), { signal });
  tiles.addEventListener(
    "click",
    (event) => {
      const tile = (event.target as Element).closest<HTMLElement>(".kw-tile");
      if (tile) choose(Number(tile.dataset.number));
    },
    { signal },
  );

  function buildTiles(content: Content, part: Part, theme: Theme) {
    const shown = tilesOf(part, TILES);
    const most = mostOf(shown.flatMap((tile) => mostOf(tile.map.data)));
    const kernels = part.shared ? "kernels (out, channel)" : "kernels (out, in)";
    const kind = part.kind === "kernels" ? kernels : "channels";
    putOrHide(head, shown.length > 0 ? `largest ${kind}, all at ±${number(most)}` : "");
    tiles.replaceChildren(
      ...shown.map(({ title, number: k, map: its, value }) => {
        const tile = element(document, "button", "kw-tile");
        tile.type = "button";
        tile.dataset.number = String(k);
        tile.title = `${title}: ${signed(value)}`;
        const canvas = element(document, "canvas", "kw-tile-map", tile);
        if (content.image) {
          const { image: under } = content;
          paint(canvas, under, overlayPixels(under, its, most, paletteOf(theme), theme));
        }
        element(document, "span", "kw-tile-name", tile).textContent = short(title);
        element(document, "span", "kw-tile-value", tile).textContent = signed(value);
        return tile;
      }),
    );
  }

  return {
    element: root,
    show(content, part, selected, theme) {
      const { image: picture } = content;
      root.hidden = !picture;
      if (!picture) return;
      const from = [content, part, theme];
      const again = from.some((value, k) => value !== drawn[k]);
      drawn = from;
      const whole = mapOf(part, selected);
      const shown = whole ?? part.total;
      const most = shown ? mostOf(shown.data) : 0;
      pointed = shown;
      if (again) {
        paint(image.canvas, picture, imagePixels(picture));
        buildTiles(content, part, theme);
        colours.style.backgroundImage = gradient(paletteOf(theme));
      }
      put(image.title, `image · ${picture.height} × ${picture.width}`);
      map.element.hidden = !shown;
      scale.hidden = !shown;
      if (shown) {
        put(map.title, mapTitle(part, whole ? selected : -1));
        const pixels = overlayPixels(picture, shown, most, paletteOf(theme), theme);
        paint(map.canvas, picture, pixels);
        put(low, number(-most));
        put(high, `+${number(most)}`);
      }
      const at = whole && cellOf(part, selected);
      cell.hidden = !at;
      if (at) {
        for (const side of ["left", "top", "width", "height"] as const) {
          cell.style[side] = `${100 * at[side]}%`;
        }
      }
      for (const tile of tiles.querySelectorAll<HTMLElement>(".kw-tile")) {
        const number = Number(tile.dataset.number);
        const chosen = selected >= 0 && mapTitle(part, number) === mapTitle(part, selected);
        tile.classList.toggle("kw-chosen", chosen);
        tile.setAttribute("aria-pressed", String(chosen));
      }
    },
  };
}

/** "out 3 · in 2" becomes "3, 2" and "channel 4" becomes "4": tiles are narrow, and their heading says what they are. */
function short(title: string): string {
  return title.replace(/[a-z]+ /g, "").replace(" ·", ",");
}

function createPicture(document: Document, name: string, parent: HTMLElement): Picture {
  const root = element(document, "figure", `kw-picture ${name}`, parent);
  const title = element(document, "figcaption", "kw-picture-title", root);
  const frame = element(document, "div", "kw-picture-frame", root);
  return { element: root, canvas: element(document, "canvas", "kw-pixels", frame), title };
}

function paint(
  canvas: HTMLCanvasElement,
  { width, height }: { width: number; height: number },
  pixels: Pixels,
): void {
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d")?.putImageData?.(new ImageData(pixels, width, height), 0, 0);
}
