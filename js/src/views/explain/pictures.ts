/** The image, the map over it, and small maps of the largest shares. */

import { number } from "../../phi/format.ts";
import { gradient, paletteOf } from "../../phi/palette.ts";
import { describe, hasKeyboard } from "../../shell/alternative.ts";
import { element, put, putOrHide } from "../../shell/element.ts";
import { DIRECTIONS, plainKey, used } from "../../shell/keys.ts";
import type { Theme } from "../../shell/theme.ts";
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
  point: (words: string, byKey: boolean) => void,
  signal: AbortSignal,
): Pictures {
  const root = element(document, "div", "kw-pictures");
  const pair = element(document, "div", "kw-pair", root);
  const image = createPicture(document, "kw-image", pair);
  const map = createPicture(document, "kw-map", pair);
  const frame = map.canvas.parentElement as HTMLElement;
  const cell = element(document, "div", "kw-place", frame);
  const spot = element(document, "div", "kw-place kw-spot", frame);
  spot.hidden = true;
  image.canvas.setAttribute("role", "img");
  map.canvas.setAttribute("role", "application");
  map.canvas.tabIndex = 0;
  const scale = element(document, "div", "kw-scale", root);
  const low = element(document, "span", "kw-scale-low", scale);
  const colours = element(document, "span", "kw-scale-colours", scale);
  const high = element(document, "span", "kw-scale-high", scale);
  const head = element(document, "div", "kw-tiles-title", root);
  const tiles = element(document, "div", "kw-tiles", root);
  let drawn: readonly unknown[] = [];
  let pointed: MapOf | null = null;
  /** Where the keyboard reads the map. */
  let place: [row: number, column: number] | null = null;

  frame.addEventListener(
    "pointermove",
    (event) => {
      if (!pointed) return;
      const box = map.canvas.getBoundingClientRect();
      const at = (place: number, size: number, count: number) =>
        clamp(Math.floor((place / size) * count), count);
      const row = at(event.clientY - box.top, box.height, pointed.height);
      const column = at(event.clientX - box.left, box.width, pointed.width);
      point(valueText(pointed, row, column), false);
    },
    { signal },
  );
  frame.addEventListener("pointerleave", () => point("", false), { signal });
  map.canvas.addEventListener(
    "keydown",
    (event) => {
      const direction = DIRECTIONS[event.key];
      if (!pointed || !direction || !plainKey(event)) return;
      const across = { left: -1, right: 1, up: 0, down: 0 }[direction];
      const down = { left: 0, right: 0, up: -1, down: 1 }[direction];
      const { width, height } = pointed;
      const [row, column] = place ?? [(height >> 1) - down, (width >> 1) - across];
      place = [clamp(row + down, height), clamp(column + across, width)];
      point(valueText(pointed, ...place), true);
      markSpot();
      used(event);
    },
    { signal },
  );
  for (const event of ["focus", "blur"]) map.canvas.addEventListener(event, markSpot, { signal });

  function markSpot() {
    spot.hidden = !pointed || !place || !hasKeyboard(map.canvas);
    if (!pointed || !place) return;
    const { width, height } = pointed;
    const [row, column] = [clamp(place[0], height), clamp(place[1], width)];
    spot.style.left = `${(100 * column) / width}%`;
    spot.style.top = `${(100 * row) / height}%`;
    spot.style.width = `${100 / width}%`;
    spot.style.height = `${100 / height}%`;
  }

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
        tile.setAttribute("aria-label", tile.title);
        const canvas = element(document, "canvas", "kw-tile-map", tile);
        canvas.setAttribute("aria-hidden", "true");
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
      describe(
        image.canvas,
        `The image explained, ${picture.height} × ${picture.width} pixels; class ${content.target}`,
        "",
      );
      map.element.hidden = !shown;
      scale.hidden = !shown;
      if (shown) {
        put(map.title, mapTitle(part, whole ? selected : -1));
        const pixels = overlayPixels(picture, shown, most, paletteOf(theme), theme);
        paint(map.canvas, picture, pixels);
        put(low, number(-most));
        put(high, `+${number(most)}`);
        const title = mapTitle(part, whole ? selected : -1);
        const ends = extent(shown.data);
        describe(
          map.canvas,
          `Map of layer ${part.layer}, ${title}, ${shown.height} × ${shown.width}, ` +
            `from ${signed(ends[0])} to ${signed(ends[1])}. Arrow keys read it out.`,
          `${part.layer} ${title}`,
        );
      }
      markSpot();
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

function clamp(place: number, count: number): number {
  return Math.max(0, Math.min(count - 1, place));
}

function valueText(map: MapOf, row: number, column: number): string {
  return `row ${row} · column ${column} of the map: ${signed(map.data[row * map.width + column])}`;
}

function extent(values: ArrayLike<number>): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let k = 0; k < values.length; k++) {
    low = Math.min(low, values[k]);
    high = Math.max(high, values[k]);
  }
  return [low, high];
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
