/** The functions of a layer as small pictures: where they are drawn, how high, which way they go. No DOM. */

import { evaluate, evaluateAll, type Plan, rangesAt, samplePlan } from "../../phi/curves.ts";
import { allInputEnds, type Ends, endsOrGrid } from "../../phi/inputs.ts";
import { colourOf, type Palette } from "../../phi/palette.ts";
import { niceCeil } from "../../phi/ranges.ts";
import { cssOf } from "../../scene/heat.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import type { Theme } from "../../scene/theme.ts";
import type { Frame, LayerLayout, Observed } from "../../wire/types.ts";
import type { Bundle, Column } from "./graph.ts";
import type { NetworkLayout, Shown } from "./layout.ts";

const POINTS = 24;
/** A kernel smaller than this is drawn as squares of colour. */
const CURVES_FROM = 24;

export interface LayerPicture {
  layer: LayerLayout;
  frame: Frame;
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
): LayerPicture {
  const ends = observed ? allInputEnds(observed) : null;
  const x = endsOrGrid(ends, layer.domain);
  return {
    layer,
    frame,
    x,
    importance,
    scale: once(() =>
      niceCeil(largest(rangesAt(frame, layer, samplePlan(layer, [x[0], x[1]], 8)))),
    ),
    rises: once(() => {
      const { y, points } = evaluateAll(frame, layer, samplePlan(layer, [x[0], x[1]], 2));
      const values = new Float32Array(layer.count);
      for (let f = 0; f < layer.count; f++) values[f] = y[f * points + 1] - y[f * points];
      return { values, most: largest(values) };
    }),
    plan: samplePlan(layer, [x[0], x[1]], POINTS),
  };
}

/** Made when it is asked for first. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** The size that all but a fiftieth stay within. */
function largest(values: Float32Array): number {
  const sizes = values.map(Math.abs).filter(Number.isFinite).sort();
  return sizes.length > 0 ? sizes[Math.ceil(0.98 * (sizes.length - 1))] : 0;
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

/** Whether there is room for the curves of a bundle. */
function hasCurves(column: Column, { count }: Bundle, width: number): boolean {
  const [rows, columns] = gridOf(column);
  return count === 1 || (rows * columns <= 49 && width >= CURVES_FROM);
}

/** Whether some functions are drawn as squares of colour. */
export function hasSquares({
  layout,
  shown,
}: {
  layout: NetworkLayout;
  shown: readonly Shown[];
}): boolean {
  return layout.columns.some(({ column, thumbs }, k) => {
    const [first] = thumbs;
    return first !== undefined && !hasCurves(column, shown[k].bundles[first[0]], first[1].width);
  });
}

/** The pictures of bundles of one column. */
export function thumbMarks(
  picture: LayerPicture,
  column: Column,
  list: readonly { bundle: Bundle; box: Rect }[],
  theme: Theme,
  palette: Palette,
): Mark[] {
  if (list.length === 0) return [];
  const grid = gridOf(column);
  const { colours } = theme;
  const frames = list.flatMap(({ box: { x, y, width, height } }) => [x, y, width, height]);
  const marks: Mark[] = [{ kind: "rects", boxes: frames, fill: colours.surface, radius: 3 }];
  if (hasCurves(column, list[0].bundle, list[0].box.width)) {
    marks.push(...curveMarks(picture, grid, list, theme));
  } else marks.push(squareMarks(picture, grid, list, palette));
  marks.push({ kind: "rects", boxes: frames, stroke: colours.box, radius: 3 });
  return marks;
}

function curveMarks(
  { frame, layer, plan, x: [lo, hi], ...picture }: LayerPicture,
  grid: [number, number],
  list: readonly { bundle: Bundle; box: Rect }[],
  { colours }: Theme,
): Mark[] {
  const points = { x: new Float32Array(plan.points), y: new Float32Array(plan.points) };
  const scale = picture.scale();
  const [xy, ends, zeros, boxes]: number[][] = [[], [], [], []];
  for (const { bundle, box } of list) {
    for (let n = 0; n < bundle.count; n++) {
      const cell = cellOf(box, grid, n);
      const [w, h] = [cell.width - 2, cell.height - 2];
      const middle = cell.y + cell.height / 2;
      if (bundle.count > 1) boxes.push(cell.x + 0.75, cell.y + 0.75, w + 0.5, h + 0.5);
      zeros.push(cell.x + 1, middle, cell.x + 1 + w, middle);
      const count = evaluate(frame, layer, bundle.first + n, plan, points);
      for (let p = 0; p < count; p++) {
        const share = Math.max(-1, Math.min(1, points.y[p] / scale));
        if (!Number.isFinite(share)) continue;
        xy.push(cell.x + 1 + (w * (points.x[p] - lo)) / (hi - lo), middle - (h / 2) * share);
      }
      if (xy.length / 2 > (ends.at(-1) ?? 0)) ends.push(xy.length / 2);
    }
  }
  const zeroEnds = Array.from({ length: zeros.length / 4 }, (_, k) => 2 * k + 2);
  const width = ends.length > 150 ? 1 : 1.3;
  return [
    { kind: "rects", boxes, fill: colours.cell },
    { kind: "lines", xy: zeros, ends: zeroEnds, stroke: colours.zero },
    { kind: "lines", xy, ends, stroke: colours.ink, width, round: true },
  ];
}

function squareMarks(
  { rises }: LayerPicture,
  grid: [number, number],
  list: readonly { bundle: Bundle; box: Rect }[],
  { bytes }: Palette,
): Mark {
  const { values, most } = rises();
  const boxes: number[] = [];
  const fills: string[] = [];
  for (const { bundle, box } of list) {
    const inner = { x: box.x + 1, y: box.y + 1, width: box.width - 2, height: box.height - 2 };
    for (let n = 0; n < bundle.count; n++) {
      const cell = cellOf(inner, grid, n);
      boxes.push(cell.x, cell.y, cell.width, cell.height);
      fills.push(cssOf(bytes, colourOf(values[bundle.first + n], most)));
    }
  }
  return { kind: "rects", boxes, fills };
}
