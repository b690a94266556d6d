/** The image, and the map of shares beside it with its scale. No DOM. */

import { number } from "../../phi/format.ts";
import { ARM, paletteOf } from "../../phi/palette.ts";
import { heatOf } from "../../scene/heat.ts";
import type { Mark, Pixels, Rect } from "../../scene/marks.ts";
import { fitted, widthOf } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import { type Block, framed, GAP, LINE, line, SIZE } from "./block.ts";
import { type MapOf, mapOf, type Part, type Span } from "./content.ts";
import { type Image, imagePixels, outlineOf } from "./pixels.ts";
import { mapHeading, placeText } from "./words.ts";

const SCALE = 9;

/** What all pictures of one image share. */
export interface Plate {
  image: Image;
  pixels: Pixels;
  /** See outlineOf. */
  edges: number[];
}

export function plateOf(image: Image): Plate {
  const pixels = imagePixels(image);
  return { image, pixels, edges: outlineOf(pixels) };
}

/** The largest box of the image's shape in a square; a whole number of pixels for each of its own where that is near. */
export function boxIn({ width, height }: Image, side: number): { width: number; height: number } {
  const longest = Math.max(width, height);
  const whole = Math.floor(side / longest) * longest;
  const scale = (whole >= 0.9 * side ? whole : side) / longest;
  return { width: scale * width, height: scale * height };
}

export function imageBlock(
  { image, pixels }: Plate,
  [x, y]: readonly [number, number],
  side: number,
  theme: Theme,
): Block {
  const { colours } = theme;
  const box = { x, y: y + LINE, ...boxIn(image, side) };
  const title = `the image, ${image.height} × ${image.width}`;
  return {
    marks: [
      line(x, y, fitted(title, side, SIZE), colours.muted),
      { kind: "image", box, pixels },
      framed(box, colours.line),
    ],
    regions: [
      {
        name: "image",
        box,
        rows: 1,
        columns: 1,
        cursor: "",
        words: () => `the image, ${image.height} × ${image.width} pixels`,
      },
    ],
    top: y,
    bottom: box.y + box.height,
  };
}

/** The map of a share, or else of all together, on a scale that stands under it: the same call for the palette's colours. */
export function mapBlock(
  plate: Plate,
  part: Part,
  shown: number,
  span: Span,
  [x, y]: readonly [number, number],
  side: number,
  theme: Theme,
): Block | null {
  const own = mapOf(part, shown);
  const map = own ?? part.total;
  if (!map) return null;
  const { colours } = theme;
  const box = { x, y: y + LINE, ...boxIn(plate.image, side) };
  const scale = scaleMarks(box.x, box.y + box.height + 6, box.width, span, theme);
  const marks: Mark[] = [
    line(x, y, mapHeading(part, own ? shown : -1, side), colours.muted),
    ...mapMarks(plate, map, span.most, box, theme),
    ...scale,
  ];
  return {
    marks,
    regions: [
      {
        name: "map",
        box,
        rows: map.height,
        columns: map.width,
        home: [map.height >> 1, map.width >> 1],
        cursor: part.kind === "functions" ? "pointer" : "crosshair",
        words: (row, column) => placeText(map, row, column),
      },
    ],
    top: y,
    bottom: box.y + box.height + 6 + SCALE + 2 * LINE,
  };
}

/** A map with its frame, and the outline of the image over it. */
export function mapMarks(plate: Plate, map: MapOf, most: number, box: Rect, theme: Theme): Mark[] {
  const pixels = heatOf(map.data, map.width, most, paletteOf(theme.name));
  const marks: Mark[] = [{ kind: "image", box, pixels }];
  if (plate.edges.length > 0) {
    const unit = box.width / plate.image.width;
    const xy = plate.edges.map((place, k) => (k % 2 ? box.y : box.x) + unit * place);
    const ends = Array.from({ length: xy.length / 4 }, (_, k) => 2 * k + 2);
    marks.push({ kind: "lines", xy, ends, stroke: theme.colours.outline });
  }
  marks.push(framed(box, theme.colours.line));
  return marks;
}

/** From −most to +most in the colours of the map, with its ends, its zero, and what they mean. */
function scaleMarks(
  x: number,
  y: number,
  width: number,
  { most, cut }: Span,
  theme: Theme,
): Mark[] {
  const { colours } = theme;
  const steps = 2 * ARM + 1;
  const values = Float64Array.from({ length: steps }, (_, k) => (most * (k - ARM)) / ARM);
  const box = { x, y, width, height: SCALE };
  const pixels = heatOf(values, steps, most, paletteOf(theme.name));
  const under = y + SCALE + 2;
  const long = widthOf("lowers the score", SIZE) + widthOf("raises it", SIZE) + GAP <= width;
  const ends = { end: "end", middle: "middle" } as const;
  const said = (text: string, at: number, down: number, anchor?: "end" | "middle") =>
    line(at, under + down, text, colours.muted, { anchor });
  return [
    { kind: "image", box, pixels, smooth: true },
    framed(box, colours.line),
    said(`${cut ? "≤ " : ""}${number(-most)}`, x, 0),
    said("0", x + width / 2, 0, ends.middle),
    said(`${cut ? "≥ " : ""}+${number(most)}`, x + width, 0, ends.end),
    said(long ? "lowers the score" : "lowers", x, LINE - 3),
    said(long ? "raises it" : "raises", x + width, LINE - 3, ends.end),
  ];
}
