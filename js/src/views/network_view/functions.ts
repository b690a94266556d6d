/** The functions of a layer as small pictures: where they are drawn, how high, how far learning has moved them. */

import { extent } from "d3-array";
import { curveOf, evaluateAll, type Plan, samplePlan, sizesAt } from "../../phi/curves.ts";
import { formatAlike } from "../../phi/format.ts";
import { allInputEnds, type Ends, endsOrGrid } from "../../phi/inputs.ts";
import { bandOver } from "../../phi/interpolate.ts";
import { colourOf, type Palette, paletteOf } from "../../phi/palette.ts";
import { niceCeil, sizeWithin } from "../../phi/ranges.ts";
import { cssOf } from "../../scene/heat.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { type Changed, changeMarks, exampleMarks, phiPlot } from "../../scene/phi_plot.ts";
import { bandMarks, flat, grown, interrupted, rect, rects, segments } from "../../scene/shapes.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import type { Frame, LayerLayout, Observed } from "../../wire/types.ts";
import type { Bundle, Column } from "./graph.ts";
import { MOST_CURVES, type Rails, type ShownColumn } from "./rails.ts";

const POINTS = 24;
/** Up to this many functions are drawn so large that they get more points. */
const FINE = { most: 32, points: 80 };
/** The scale of layers with more functions is computed at fewer points. */
const ROUGH = { above: 1000, points: 8 };
/** The functions of a smaller kernel are squares of colour. */
const CURVES_FROM = 24;
/** In a smaller cell what a function was cannot be told from what it is. */
const CHANGE_FROM = 8;
/** A single function in a box as large as this has axes. */
export const AXES_FROM = { width: 150, height: 58 };
/** Around its axes. */
export const AROUND = 5;
/** All but a fiftieth of many functions stay within the scale. */
const WITHIN = 0.98;
/** A scale is kept while functions fill this share of it. */
const FILLED = 0.4;

/** How far the functions of a layer reach on its scale, from frame to frame. */
export interface ScaleReach {
  most: number;
}

export interface LayerPicture {
  layer: LayerLayout;
  frame: Frame;
  /** What the functions were before; null where that is not known, or is this frame. */
  ghost: Frame | null;
  x: Ends;
  importance: Float32Array;
  /** What functions stay within. */
  scale(): number;
  /** The least and the most of them, to a tenth of that: where they have an axis none is half empty. */
  ends(): Ends;
  /** Writes what functions add, and their sums: all numbers of a layer with as many decimals. */
  print(value: number): string;
  /** φ at the upper end of x less φ at the lower one, and what most of these stay within. */
  rises(): { values: Float32Array; most: number };
  plan: Plan;
}

export function layerPicture(
  frame: Frame,
  layer: LayerLayout,
  inputs: Ends,
  importance: Float32Array,
  before: Frame | null,
  reach: ScaleReach,
): LayerPicture {
  const x = known(layer, inputs);
  // In another layout these would be other functions.
  const ghost = before && before !== frame && before.layout === frame.layout ? before : null;
  const points = layer.count > ROUGH.above ? ROUGH.points : POINTS;
  const most = (of: Frame | null) =>
    of ? sizeWithin(sizesAt(of, layer, samplePlan(layer, [x[0], x[1]], points)), WITHIN) : 0;
  const scale = once(() => {
    const spread = layer.band ? sizeWithin(layer.band.sizes, WITHIN) : 0;
    const wanted = Math.max(most(frame), most(ghost), spread);
    if (wanted > reach.most || wanted < FILLED * reach.most) reach.most = niceCeil(wanted);
    return reach.most;
  });
  const textOf = once(() => formatAlike([scale()]));
  return {
    layer,
    frame,
    ghost,
    x,
    importance,
    scale,
    ends: once(() => {
      const tenth = scale() / 10;
      const plan = samplePlan(layer, [x[0], x[1]], POINTS);
      const all = [frame, ghost].flatMap((of) => (of ? [...evaluateAll(of, layer, plan).y] : []));
      const [low = 0, high = 0] = extent(all.filter(Number.isFinite));
      const [below, above] = [-low, high].map((far) => Math.ceil(Math.max(0, far) / tenth));
      return [-tenth * below, tenth * above];
    }),
    print: (value) => textOf()(value),
    rises: once(() => {
      const { y, points } = evaluateAll(frame, layer, samplePlan(layer, [x[0], x[1]], 2));
      const values = new Float32Array(layer.count);
      for (let f = 0; f < layer.count; f++) values[f] = y[f * points + 1] - y[f * points];
      return { values, most: sizeWithin(values, WITHIN) };
    }),
    plan: samplePlan(layer, [x[0], x[1]], layer.count > FINE.most ? POINTS : FINE.points),
  };
}

/** Where the inputs of a layer lie: as a batch has shown it, and as an example does by now. */
export interface Inputs {
  ends: Ends;
}

export function layerInputs(layer: LayerLayout, observed: Observed | null): Inputs {
  return { ends: endsOrGrid(observed ? allInputEnds(observed) : null, layer.domain) };
}

/** Ends are moved this far beyond what lies outside them, so that they do not move with each frame. */
const BEYOND = 0.1;

export function widenInputs(inputs: Inputs, values: Iterable<number>) {
  const [low, high] = inputs.ends;
  const [least = low, most = high] = extent(values);
  const beyond = BEYOND * (Math.max(high, most) - Math.min(low, least));
  if (!Number.isFinite(beyond) || (least >= low && most <= high)) return;
  inputs.ends = [least < low ? least - beyond : low, most > high ? most + beyond : high];
}

/** The part of a range over which the functions of a layer are known; all of it where that is none. */
function known({ tables }: LayerLayout, [low, high]: Ends): Ends {
  const from = Math.max(low, Math.min(...tables.map(({ x }) => x[0])));
  const to = Math.min(high, Math.max(...tables.map(({ x }) => x[x.length - 1])));
  return from < to ? [from, to] : [low, high];
}

/** Made when first asked for. */
export function once<T>(make: () => T): () => T {
  let made: { value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** A frame around what is drawn of a unit or a link. */
export function rounded(box: Rect, stroke: string, width: number): Mark {
  return rect(grown(box, 1.5), { stroke, width, radius: 3 });
}

/** How many rows and columns of functions a bundle is drawn as. */
export function gridOf({ layer, fold }: Column): [number, number] {
  if (!layer) return [1, 1];
  return layer.kind === "conv" ? [layer.shape[2], layer.shape[3]] : fold;
}

/** Where function n of a bundle lies in its picture. */
export function bundleCell(box: Rect, [rows, columns]: readonly [number, number], n: number): Rect {
  const [w, h] = [box.width / columns, box.height / rows];
  return {
    x: box.x + (n % columns) * w,
    y: box.y + Math.floor(n / columns) * h,
    width: w,
    height: h,
  };
}

/** Whether the picture of a bundle has room for its curves; else they are squares of colour. */
function hasCurves(column: Column, { count }: Bundle, width: number): boolean {
  const [rows, columns] = gridOf(column);
  return count === 1 || (rows * columns <= MOST_CURVES && width >= CURVES_FROM);
}

/** Whether functions are drawn as squares of colour somewhere. */
export function hasSquares(
  parts: readonly ({ column: Column } & Pick<ShownColumn, "bundles"> & Rails)[],
): boolean {
  return parts.some(({ column, kernels, bundles }) =>
    [...kernels].slice(0, 1).some(([n, { width }]) => !hasCurves(column, bundles[n], width)),
  );
}

export interface Pictured {
  bundle: Bundle;
  box: Rect;
  /** Of a single function: the input that the example gives it, and what it makes of that. */
  point?: { x: number; value: number } | null | undefined;
}

/** Whether a link has a single function, and room for its axes. */
export function hasAxes({ bundle, box }: Pictured): boolean {
  return bundle.count === 1 && box.width >= AXES_FROM.width && box.height >= AXES_FROM.height;
}

/** The pictures of bundles that lead to a column. */
export function bundleMarks(
  { picture, column }: { picture: LayerPicture | null; column: Column },
  list: readonly Pictured[],
  { name, colours }: Theme,
): Mark[] {
  if (!picture || list.length === 0) return [];
  const boxes = list.flatMap(({ box }) => flat(box));
  const [{ bundle, box }] = list;
  const isOne = bundle.count === 1;
  if (hasAxes(list[0])) {
    return list.flatMap(({ bundle: { first: f }, box, point }, k) => {
      const inside = { ...grown(box, -AROUND), width: box.width - 9 };
      const ground = rect(box, { fill: colours.surface, stroke: colours.box, radius: 3 });
      const y: Ends = picture.layer.count > 1 ? picture.ends() : [0, 0];
      const plotted = { ...picture, f, y, isFirst: k === 0 };
      return [ground, ...phiPlot(plotted, point, inside, colours).marks];
    });
  }
  const grid: [number, number] = isOne ? [1, 1] : gridOf(column);
  const inside = hasCurves(column, bundle, box.width)
    ? curveMarks(picture, grid, list, colours)
    : [riseMarks(picture, grid, list, paletteOf(name))];
  return [
    rects(boxes, { fill: colours.surface, radius: 3 }),
    ...inside,
    rects(boxes, { stroke: colours.box, radius: 3 }),
    ...(isOne ? list.flatMap((one) => readingMarks(picture, one, colours)) : []),
  ];
}

function curveMarks(
  { frame, layer, plan, x: [lo, hi], ghost, ...picture }: LayerPicture,
  grid: [number, number],
  list: readonly Pictured[],
  colours: Colours,
): Mark[] {
  const scale = picture.scale();
  const [zeros, boxes]: number[][] = [[], []];
  const curves = { xy: [] as number[], ends: [] as number[] };
  const changed: Changed[] = [];
  const bands: Parameters<typeof bandMarks>[0][number][] = [];
  const before = list[0].box.width / grid[1] >= CHANGE_FROM ? ghost : null;
  for (const { bundle, box } of list) {
    for (let n = 0; n < bundle.count; n++) {
      const cell = grown(bundleCell(box, grid, n), -1);
      const [w, h] = [cell.width, cell.height];
      const middle = cell.y + h / 2;
      if (bundle.count > 1) boxes.push(cell.x - 0.25, cell.y - 0.25, w + 0.5, h + 0.5);
      zeros.push(cell.x, middle, cell.x + w, middle);
      const toX = (x: number) => cell.x + (w * (x - lo)) / (hi - lo);
      const toY = (y: number) => middle - (h / 2) * Math.max(-1, Math.min(1, y / scale));
      const f = bundle.first + n;
      const now = curveOf(frame, layer, f, plan);
      const band = bandOver(layer, f, [lo, hi]);
      bands.push(band && { ...band, at: (x, y) => [toX(x), toY(y)] });
      const drawn = interrupted(
        now.x.length,
        (p) => toX(now.x[p]),
        (p) => toY(now.y[p]),
      );
      curves.ends.push(...drawn.ends.map((end) => end + curves.xy.length / 2));
      curves.xy.push(...drawn.xy);
      if (before) changed.push({ now, was: curveOf(before, layer, f, plan), toX, toY });
    }
  }
  const width = curves.ends.length > 150 ? 1 : 1.3;
  return [
    rects(boxes, { fill: colours.cell }),
    segments(zeros, colours.zero),
    ...changeMarks(changed, colours),
    ...bandMarks(bands, colours),
    { kind: "lines", ...curves, stroke: colours.ink, width, round: true },
  ];
}

/** Where the example lies on a function. */
function readingMarks(
  { x: [lo, hi], ...picture }: LayerPicture,
  { box, point }: Pictured,
  colours: Colours,
): Mark[] {
  if (!point || !Number.isFinite(point.x + point.value)) return [];
  const share = Math.max(-1, Math.min(1, point.value / picture.scale()));
  const along = Math.max(0, Math.min(1, (point.x - lo) / (hi - lo)));
  const { x, y, width, height } = grown(box, -1);
  const [cx, zero] = [x + width * along, y + height / 2];
  return exampleMarks([cx, zero, zero - (height / 2) * share], point.value, 3, colours);
}

/** How far each function rises, as a square of colour. */
function riseMarks(
  { rises }: LayerPicture,
  grid: [number, number],
  list: readonly Pictured[],
  { bytes }: Palette,
): Mark {
  const { values, most } = rises();
  const boxes: number[] = [];
  const fills: string[] = [];
  for (const { bundle, box } of list) {
    for (let n = 0; n < bundle.count; n++) {
      boxes.push(...flat(bundleCell(grown(box, -1), grid, n)));
      fills.push(cssOf(bytes, colourOf(values[bundle.first + n], most)));
    }
  }
  return rects(boxes, { fills });
}
