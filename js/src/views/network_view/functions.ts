/** The functions of a layer as small pictures: where they are drawn, how high, which way they go. No DOM. */

import { evaluate, evaluateAll, type Plan, rangesAt, samplePlan } from "../../phi/curves.ts";
import { allInputEnds, type Ends, endsOrGrid } from "../../phi/inputs.ts";
import { colourOf, type Palette, paletteOf } from "../../phi/palette.ts";
import { niceCeil, sizeWithin } from "../../phi/ranges.ts";
import { cssOf } from "../../scene/heat.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { flat, grown, rect, rects, segments } from "../../scene/shapes.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import type { Frame, LayerLayout, Observed } from "../../wire/types.ts";
import type { Bundle, Column } from "./graph.ts";
import type { NetworkLayout } from "./layout.ts";

const POINTS = 24;
/** A function of a kernel smaller than this is drawn as a stroke from end to end, one smaller than that as a square of colour. */
const CURVES_FROM = 24;
const STROKES_FROM = 4.5;
/** In a smaller cell what a function was cannot be told from what it is. */
const GHOST_FROM = 10;

export interface LayerPicture {
  layer: LayerLayout;
  frame: Frame;
  /** What the functions were before, drawn pale; null where that is not known, or is this frame. */
  ghost: Frame | null;
  x: Ends;
  importance: Float32Array;
  /** What most functions stay within. */
  scale(): number;
  /** φ at the upper end of x less φ at the lower one, and what most of these stay within. */
  rises(): { values: Float32Array; most: number };
  plan: Plan;
}

export function pictureOf(
  frame: Frame,
  layer: LayerLayout,
  observed: Observed | null,
  importance: Float32Array,
  ghost: Frame | null,
): LayerPicture {
  const ends = observed ? allInputEnds(observed) : null;
  const x = known(layer, endsOrGrid(ends, layer.domain));
  return {
    layer,
    frame,
    // Of another layout it would be other functions.
    ghost: ghost && ghost !== frame && ghost.layout === frame.layout ? ghost : null,
    x,
    importance,
    scale: once(() =>
      niceCeil(sizeWithin(rangesAt(frame, layer, samplePlan(layer, [x[0], x[1]], 8)), MOST)),
    ),
    rises: once(() => {
      const { y, points } = evaluateAll(frame, layer, samplePlan(layer, [x[0], x[1]], 2));
      const values = new Float32Array(layer.count);
      for (let f = 0; f < layer.count; f++) values[f] = y[f * points + 1] - y[f * points];
      return { values, most: sizeWithin(values, MOST) };
    }),
    plan: samplePlan(layer, [x[0], x[1]], POINTS),
  };
}

/** The part of a range over which the functions of a layer are known; all of it where that is none. */
function known({ tables }: LayerLayout, [low, high]: Ends): Ends {
  const from = Math.max(low, Math.min(...tables.map(({ x }) => x[0])));
  const to = Math.min(high, Math.max(...tables.map(({ x }) => x[x.length - 1])));
  return from < to ? [from, to] : [low, high];
}

/** Made when it is asked for first. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** All but a fiftieth stay within the scale. */
const MOST = 0.98;

/** A frame around what is drawn of a unit or a link. */
export function outline(box: Rect, stroke: string, width: number): Mark {
  return rect(grown(box, 1.5), { stroke, width, radius: 3 });
}

/** How many rows and columns of functions a bundle is drawn as. */
export function gridOf({ layer, fold }: Column): [number, number] {
  if (!layer) return [1, 1];
  return layer.kind === "conv" ? [layer.shape[2], layer.shape[3]] : fold;
}

/** Where function n of a bundle lies in its picture. */
export function cellOf(box: Rect, [rows, columns]: readonly [number, number], n: number): Rect {
  const [w, h] = [box.width / columns, box.height / rows];
  return {
    x: box.x + (n % columns) * w,
    y: box.y + Math.floor(n / columns) * h,
    width: w,
    height: h,
  };
}

/** What the picture of a bundle has room for: its curves; strokes, as steep as a function rises or falls; else squares of colour. */
function styleOf(
  column: Column,
  { count }: Bundle,
  width: number,
): "curves" | "strokes" | "squares" {
  const [rows, columns] = gridOf(column);
  if (count === 1 || (rows * columns <= 49 && width >= CURVES_FROM)) return "curves";
  return width / columns >= STROKES_FROM ? "strokes" : "squares";
}

/** Whether some functions are drawn as squares of colour. */
export function hasSquares(
  parts: readonly {
    column: Column;
    bundles: readonly Bundle[];
    thumbs: ReadonlyMap<number, Rect>;
  }[],
): boolean {
  return parts.some(({ column, thumbs, bundles }) => {
    const [first] = thumbs;
    return first !== undefined && styleOf(column, bundles[first[0]], first[1].width) === "squares";
  });
}

/** Whether there is room in any picture of a function to show what it was, too. */
export function hasGhosts({ columns }: NetworkLayout): boolean {
  return columns.some(({ column, thumbs }) => {
    const [first] = thumbs.values();
    return first !== undefined && isRoomy(first, gridOf(column));
  });
}

function isRoomy({ width }: Rect, [, columns]: readonly [number, number]): boolean {
  return width / columns >= GHOST_FROM;
}

interface Thumb {
  bundle: Bundle;
  box: Rect;
}

/** The pictures of bundles that lead to a column. */
export function thumbMarks(
  { picture, column }: { picture: LayerPicture | null; column: Column },
  list: readonly Thumb[],
  { name, colours }: Theme,
): Mark[] {
  if (!picture || list.length === 0) return [];
  const boxes = list.flatMap(({ box }) => flat(box));
  const [{ bundle, box }] = list;
  const style = styleOf(column, bundle, box.width);
  const inside =
    style === "curves"
      ? curveMarks(picture, gridOf(column), list, colours)
      : [
          riseMarks(
            picture,
            gridOf(column),
            list,
            style === "strokes" ? colours.ink : paletteOf(name),
          ),
        ];
  return [
    rects(boxes, { fill: colours.surface, radius: 3 }),
    ...inside,
    rects(boxes, { stroke: colours.box, radius: 3 }),
  ];
}

function curveMarks(
  { frame, layer, plan, x: [lo, hi], ghost, ...picture }: LayerPicture,
  grid: [number, number],
  list: readonly Thumb[],
  colours: Colours,
): Mark[] {
  const points = { x: new Float32Array(plan.points), y: new Float32Array(plan.points) };
  const scale = picture.scale();
  const [zeros, boxes]: number[][] = [[], []];
  const [now, then] = [frame, ghost].map((of) => ({
    of,
    xy: [] as number[],
    ends: [] as number[],
  }));
  const lines = ghost && isRoomy(list[0].box, grid) ? [then, now] : [now];
  for (const { bundle, box } of list) {
    for (let n = 0; n < bundle.count; n++) {
      const cell = cellOf(box, grid, n);
      const [w, h] = [cell.width - 2, cell.height - 2];
      const middle = cell.y + cell.height / 2;
      if (bundle.count > 1) boxes.push(cell.x + 0.75, cell.y + 0.75, w + 0.5, h + 0.5);
      zeros.push(cell.x + 1, middle, cell.x + 1 + w, middle);
      for (const { of, xy, ends } of lines) {
        const count = of ? evaluate(of, layer, bundle.first + n, plan, points) : 0;
        for (let p = 0; p < count; p++) {
          const share = Math.max(-1, Math.min(1, points.y[p] / scale));
          if (Number.isFinite(share))
            xy.push(cell.x + 1 + (w * (points.x[p] - lo)) / (hi - lo), middle - (h / 2) * share);
          else if (xy.length / 2 > (ends.at(-1) ?? 0)) ends.push(xy.length / 2);
        }
        if (xy.length / 2 > (ends.at(-1) ?? 0)) ends.push(xy.length / 2);
      }
    }
  }
  const width = now.ends.length > 150 ? 1 : 1.3;
  const pale = { stroke: colours.muted, width: 1.25, round: true, opacity: 0.6 };
  return [
    rects(boxes, { fill: colours.cell }),
    segments(zeros, colours.zero),
    { kind: "lines", xy: then.xy, ends: then.ends, ...pale },
    { kind: "lines", xy: now.xy, ends: now.ends, stroke: colours.ink, width, round: true },
  ];
}

/** How far each function rises: a stroke as steep, of one ink, or a square of a palette's colour. */
function riseMarks(
  { rises }: LayerPicture,
  grid: [number, number],
  list: readonly Thumb[],
  how: string | Palette,
): Mark {
  const { values, most } = rises();
  const [xy, boxes]: number[][] = [[], []];
  const fills: string[] = [];
  for (const { bundle, box } of list) {
    for (let n = 0; n < bundle.count; n++) {
      const value = values[bundle.first + n];
      if (typeof how === "string") {
        const { x, y, width, height } = cellOf(box, grid, n);
        const share = Math.max(-1, Math.min(1, value / (most || 1)));
        if (!Number.isFinite(share)) continue;
        const [middle, up] = [y + height / 2, share * (height / 2 - 1)];
        xy.push(x + 1, middle + up, x + width - 1, middle - up);
      } else {
        boxes.push(...flat(cellOf(grown(box, -1), grid, n)));
        fills.push(cssOf(how.bytes, colourOf(value, most)));
      }
    }
  }
  return typeof how === "string" ? segments(xy, how, { width: 1 }) : rects(boxes, { fills });
}
