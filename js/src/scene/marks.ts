/** The parts of a scene: shapes in CSS pixels, and the places in it that can be pointed at. */

import { least } from "d3-array";
import type { Direction, Rect } from "../phi/geometry.ts";
import type { Band } from "../wire/types.ts";
import type { Colours } from "./theme.ts";

export type { Direction, Rect };

export interface Point {
  x: number;
  y: number;
}

/** How a shape is drawn; what is left out is not drawn. Colours are CSS colours. */
export interface Paint {
  fill?: string | undefined;
  stroke?: string | undefined;
  /** Width of the stroke, 1 by default. */
  width?: number | undefined;
  dash?: readonly number[] | undefined;
  opacity?: number | undefined;
  /** Round ends of lines. */
  round?: boolean | undefined;
}

/** One shape, as the `d` of an SVG path. */
interface PathMark extends Paint {
  kind: "path";
  d: string;
}

/** A batch of curves: many lines with one paint, which a canvas strokes in one go. */
export interface LinesMark extends Paint {
  kind: "lines";
  /** x0, y0, x1, y1, … of all lines one after another. */
  xy: ArrayLike<number>;
  /** For each line the number of points up to its end. */
  ends: ArrayLike<number>;
  closed?: boolean | undefined;
}

/** Many rectangles with one paint, or with a fill for each. */
export interface RectsMark extends Paint {
  kind: "rects";
  /** x, y, width, height of each. */
  boxes: ArrayLike<number>;
  fills?: readonly string[] | undefined;
  radius?: number | undefined;
}

/** Many dots with one paint, of one radius or each of its own. */
export interface DotsMark extends Paint {
  kind: "dots";
  xy: ArrayLike<number>;
  r: number | ArrayLike<number>;
}

export interface Pixels {
  width: number;
  height: number;
  /** Red, green, blue and opacity of each, row by row. */
  rgba: Uint8ClampedArray;
}

/** A picture made of pixels, stretched over a box. */
export interface ImageMark {
  kind: "image";
  box: Rect;
  pixels: Pixels;
  smooth?: boolean | undefined;
  opacity?: number | undefined;
}

/** Many small pictures of one size, each stretched over a box of its own with hard edges between its pixels. */
export interface TilesMark {
  kind: "tiles";
  /** x, y, width, height of each. */
  boxes: ArrayLike<number>;
  /** All pictures on one sheet, in rows of `across` side by side. */
  sheet: Pixels;
  across: number;
  /** Pixels of one picture: width and height. */
  size: readonly [number, number];
  opacity?: number | undefined;
}

export interface TextMark {
  kind: "text";
  x: number;
  /** The baseline, or the middle of small letters and digits where `middle` is set. */
  y: number;
  text: string;
  fill: string;
  /** Pixels. */
  size: number;
  weight?: 400 | 600 | undefined;
  anchor?: "start" | "middle" | "end" | undefined;
  middle?: boolean | undefined;
  /** Degrees clockwise around (x, y). */
  turn?: number | undefined;
  opacity?: number | undefined;
}

/** Marks moved together, and cut off by a box in their own coordinates. */
export interface GroupMark {
  kind: "group";
  marks: readonly Mark[];
  at?: readonly [number, number] | undefined;
  clip?: Rect | undefined;
  opacity?: number | undefined;
}

export type Mark =
  | PathMark
  | LinesMark
  | RectsMark
  | DotsMark
  | ImageMark
  | TilesMark
  | TextMark
  | GroupMark;

/** Marks that change together. */
export interface Sheet {
  /** What the sheet is drawn from; while all of that stays the same a canvas keeps a copy. Left out: drawn each time. */
  from?: readonly unknown[] | undefined;
  /** The marks that are seen within the box. */
  marks(view: Rect): readonly Mark[];
}

/** The places of a scene that can be pointed at, by their ids. */
export interface Sites {
  /** The id of the site at a place; "" between sites. `view` is the part of the scene that is seen. */
  at(x: number, y: number, view: Rect): string;
  box(id: string): Rect | null;
  /** The site in words, for those who cannot see it. */
  words(id: string): string;
  /** The site to which an arrow key leads from another; from "" the first one. */
  next(id: string, direction: Direction | "first" | "last"): string;
  /** The CSS cursor over a site; left out: a hand over all sites. */
  cursor?(id: string): string;
}

/** A part of the line of words over a drawing; a swatch shows what the words name. */
export interface Remark {
  text: string;
  tone?: "ink" | "muted" | "warn" | undefined;
  /** To be read first. */
  strong?: boolean | undefined;
  /** It has a line to itself. */
  alone?: boolean | undefined;
  swatch?: Swatch | undefined;
  /** Said on hovering. */
  title?: string | undefined;
  /** Where several views stand together the remark is shown once for all, above them. */
  shared?: boolean | undefined;
  /** Shown only where several views stand together: a view by itself says it in its header. */
  inside?: boolean | undefined;
}

export interface Swatch {
  kind: "line" | "thick" | "dash" | "fill" | "ramp" | "dot" | "ring" | "spark";
  /** One colour; of a ramp all, from left to right. */
  colours: readonly string[];
  /** Of a spark, a curve as a field of colour below it: how high it is, from 0 to 1. */
  heights?: readonly number[];
}

/** A remark behind a swatch of one colour, or of a ramp. */
export function keyed(
  text: string,
  kind: Swatch["kind"],
  colours: string | readonly string[],
  title?: string,
): Remark {
  return { text, title, swatch: { kind, colours: [colours].flat() } };
}

/** What is what in a drawing with the band of an ensemble, in the words of all views. */
export function bandKey(band: Band | null | undefined, { ink, range, median }: Colours): Remark[] {
  if (!band) return [];
  const where = "Over the inputs x at which they were compared";
  const all = keyed(`range of all ${band.count} networks`, "fill", range, where);
  const typical = keyed("the most typical network", "line", ink);
  return [typical, all, keyed("their median", "line", median)];
}

/** A whole picture. Renderers draw it on a canvas (shell/canvas.ts) or write it as SVG (scene/svg.ts). */
export interface Scene {
  width: number;
  height: number;
  /** What the scene shows: "KernelGrid · conv1". */
  title: string;
  /** When that was: "step 60"; "" where the caption says so. */
  moment: string;
  /** The text alternative, and what it is about: while that stays the same it need not be said again. */
  words: string;
  about: string;
  caption: readonly Remark[];
  /** Heights at which a picture can end without cutting through anything; left out: anywhere. */
  cuts?: readonly number[] | undefined;
  /** Pixels at the top that stay in view where the scene scrolls. */
  stuck?: number | undefined;
  /** Pixels at the bottom that stay in view where it scrolls; what is seen above ends at a cut. */
  foot?: number | undefined;
  /** How far it is scrolled to see what it tells of, as long as nobody has scrolled elsewhere; given what is seen now. */
  opened?: ((view: Rect) => number) | undefined;
  /** The sheets from the lowest to the topmost. */
  sheets: readonly Sheet[];
  sites: Sites;
}

export const NOWHERE: Sites = { at: () => "", box: () => null, words: () => "", next: () => "" };

/** Sites of a few boxes; the arrow keys lead to the nearest one in their direction. */
export function sitesOf(list: readonly { id: string; box: Rect; words: string }[]): Sites {
  const siteOf = (id: string) => list.find((site) => site.id === id);
  const middle = ({ x, y, width, height }: Rect) => [x + width / 2, y + height / 2] as const;
  return {
    at(x, y) {
      // The last one lies on top.
      for (let k = list.length - 1; k >= 0; k--) {
        const { id, box } = list[k];
        if (x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height) return id;
      }
      return "";
    },
    box: (id) => siteOf(id)?.box ?? null,
    words: (id) => siteOf(id)?.words ?? "",
    next(id, direction) {
      const from = siteOf(id);
      if (direction === "last") return list[list.length - 1]?.id ?? "";
      if (!from || direction === "first") return list[0]?.id ?? "";
      const [fx, fy] = middle(from.box);
      const distanceTo = ({ box }: { box: Rect }) => {
        const [x, y] = middle(box);
        const [dx, dy] = [x - fx, y - fy];
        const ahead = { left: -dx, right: dx, up: -dy, down: dy }[direction];
        const aside = Math.abs(direction === "left" || direction === "right" ? dy : dx);
        return ahead > 0.5 ? ahead + 2 * aside : undefined;
      };
      return least(list, distanceTo)?.id ?? id;
    },
  };
}
