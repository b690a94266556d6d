/** The functions of a layer as small pictures: where they are drawn, how high, how far learning has moved them. */

import { extent } from "d3-array";
import { curveOf, type Plan, risesAt, samplePlan, sizesAt } from "../../phi/curves.ts";
import { formatAlike } from "../../phi/format.ts";
import { allInputEnds, type Ends, endsOrGrid } from "../../phi/inputs.ts";
import { bandOver } from "../../phi/interpolate.ts";
import { memoryOf } from "../../phi/memory.ts";
import { colourOf, type Palette, paletteOf } from "../../phi/palette.ts";
import { niceCeil, sizeWithin } from "../../phi/ranges.ts";
import { cssOf } from "../../scene/heat.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { type Changed, changeMarks, exampleMarks, phiPlot } from "../../scene/phi_plot.ts";
import {
  bandMarks,
  flat,
  framed,
  grown,
  interrupted,
  rect,
  rects,
  segments,
} from "../../scene/shapes.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import type { Frame, LayerLayout, Observed } from "../../wire/types.ts";
import type { Bundle, Column } from "./graph.ts";
import { MOST_CURVES, type Rails, type ShownColumn } from "./rails.ts";

const POINTS = 24;
/** Up to this many functions are drawn so large that they get more points. */
export const FINE = { most: 32, points: 80 };
/** The scale of layers with more functions is computed at fewer points. */
const ROUGH = { above: 1000, points: 8 };
/** In a smaller cell what a function was cannot be told from what it is. */
const CHANGE_FROM = 8;
/** A single function in a box as large as this has axes. */
export const AXES_FROM = { width: 140, height: 58 };
/** Around its axes. */
export const AROUND = 5;
/** All but a fiftieth of many functions stay within the scale. */
const WITHIN = 0.98;
/** A scale is kept while functions fill this share of it; where it grows it gets so much more, for those to come. */
const FILLED = 0.4;
const SPARE = 1.1;

/** To a tenth of a scale. */
const toTenths = ([low, high]: Ends, scale: number): Ends => [
  (Math.floor((10 * low) / scale) * scale) / 10,
  (Math.ceil((10 * high) / scale) * scale) / 10,
];

/** The ends there were, while what is wanted stays within them and fills a share of them; one that is too near is moved beyond, and further than it need. */
function steadyEnds(last: Ends | null, wanted: Ends, filled: number, spare: number): Ends {
  const [low, high] = wanted;
  if (!last || high - low < filled * (last[1] - last[0])) return wanted;
  const beyond = spare * (Math.max(high, last[1]) - Math.min(low, last[0]));
  if (!Number.isFinite(beyond) || (low >= last[0] && high <= last[1])) return last;
  return [low < last[0] ? low - beyond : last[0], high > last[1] ? high + beyond : last[1]];
}

/** How far functions reach on their scale, from frame to frame: those of a layer, and by name others beside them. */
export interface ScaleReach {
  most: number;
  ends: Ends | null;
  large: Map<string, ScaleReach>;
}

/** A scale that begins, or for a film that begins: what has a name stays on the scale of the newest step. */
export function newReach(before: ScaleReach | null = null): ScaleReach {
  const named = [...(before?.large ?? [])].filter(([name]) => /^[a-z]/.test(name));
  return { most: 0, ends: null, large: new Map(named) };
}

/** A scale that is kept while functions stay within it, and fill it. */
function steadied(reach: ScaleReach, wanted: number): number {
  if (wanted > reach.most) reach.most = niceCeil((reach.most > 0 ? SPARE : 1) * wanted);
  else if (wanted < FILLED * reach.most) reach.most = wanted > 0 ? niceCeil(wanted) : 0;
  return reach.most;
}

/** Likewise the least and the most of them. */
function steadiedEnds(reach: ScaleReach, [low, high]: Ends, scale: number): Ends {
  const next = steadyEnds(reach.ends, [low, high], FILLED, SPARE - 1);
  reach.ends = next === reach.ends ? next : toTenths(next, scale);
  return reach.ends;
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
  /** The same on a scale of their own for the functions of a link that is drawn large. */
  closer(bundle: Pick<Bundle, "first" | "count">): LayerPicture;
  /** A scale by its name, kept like that of functions: for what they add, or where the axes of one end. */
  held(name: string, wanted: number): number;
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
  film: readonly Frame[],
): LayerPicture {
  const x = known(layer, inputs);
  // In another layout these would be other functions.
  const ghost = before && before !== frame && before.layout === frame.layout ? before : null;
  const points = layer.count > ROUGH.above ? ROUGH.points : POINTS;
  const frames = [frame, ghost, ...film].flatMap((of) => of ?? []);
  // Of a frame it is worked out once, whichever is shown beside it.
  const most = (of: Frame) =>
    memoryOf(of)(`most of ${layer.name}`, [layer, ...x, points], () =>
      sizeWithin(sizesAt(of, layer, samplePlan(layer, [x[0], x[1]], points)), WITHIN),
    );
  const scale = once(() => {
    const spread = layer.band ? sizeWithin(layer.band.sizes, WITHIN) : 0;
    return steadied(reach, Math.max(spread, ...frames.map(most)));
  });
  // Of few functions far from 0 what is near it has two digits, too.
  const textOf = once(() => formatAlike([Math.max(Math.min(scale(), 9), scale() / 10)]));
  const plan = samplePlan(layer, [x[0], x[1]], layer.count > FINE.most ? POINTS : FINE.points);
  const extentIn = (of: Frame, first: number, count: number) =>
    memoryOf(of)(`extent of ${layer.name} ${first} ${count}`, [layer, ...x], () => {
      const drawn = Array.from({ length: count }, (_, n) => [
        ...curveOf(of, layer, first + n, plan).y,
        ...(bandOver(layer, first + n, x)?.range.y ?? []),
      ]);
      return extent(drawn.flat().filter(Number.isFinite));
    });
  const extentOf = (first: number, count: number): Ends => {
    const reached = frames.flatMap((of) => extentIn(of, first, count)).map((far) => far ?? 0);
    return [Math.min(0, ...reached), Math.max(0, ...reached)];
  };
  const held = (name: string, wanted: number) => {
    const own = reach.large.get(name) ?? newReach();
    reach.large.set(name, own);
    return steadied(own, film.length > 0 ? Math.max(own.most, wanted) : wanted);
  };
  const picture: LayerPicture = {
    layer,
    frame,
    ghost,
    x,
    importance,
    scale,
    ends: once(() => steadiedEnds(reach, extentOf(0, layer.count), scale())),
    closer({ first, count }) {
      const far = extentOf(first, count);
      const name = `${first} ${count}`;
      const reached = held(name, Math.max(-far[0], far[1]));
      const ends = steadiedEnds(reach.large.get(name) as ScaleReach, far, reached);
      return { ...picture, scale: () => reached, ends: () => ends };
    },
    held,
    print: (value) => textOf()(value),
    rises: once(() => {
      const ends = samplePlan(layer, [x[0], x[1]], 2);
      const all = [frame, ...film.slice(-1)].map((of) => risesAt(of, layer, ends));
      return { values: all[0], most: Math.max(...all.map((own) => sizeWithin(own, WITHIN))) };
    }),
    plan,
  };
  return picture;
}

/** Where the inputs of a layer lie: as a batch has shown it, and as an example does by now. */
export interface Inputs {
  ends: Ends;
  isSeen: boolean;
}

/** Ends that inputs leave are moved this far beyond them, and are kept while inputs fill a share of what is between. */
const BEYOND = 0.15;
const SEEN = 0.6;

/** What is within the grid moves no end beyond the grid's. */
function steadyInputs(last: Ends | null, wanted: Ends, filled: number, [from, to]: Ends): Ends {
  const ends = steadyEnds(last, wanted, filled, BEYOND);
  if (ends === last) return last;
  const start = wanted[0] < from ? ends[0] : Math.max(from, ends[0]);
  return [start, wanted[1] > to ? ends[1] : Math.min(to, ends[1])];
}

/** What was observed last may lie a little elsewhere: the ends stay as long as they can, but for those of the grid. */
export function layerInputs(
  { domain }: LayerLayout,
  observed: Observed | null,
  last: Inputs | null,
): Inputs {
  const ends = endsOrGrid(observed ? allInputEnds(observed) : null, domain);
  const isSeen = observed !== null;
  const before = isSeen === last?.isSeen ? last.ends : null;
  return { ends: steadyInputs(before, ends, SEEN, domain), isSeen };
}

export function widenInputs(inputs: Inputs, { domain }: LayerLayout, values: Iterable<number>) {
  const [low, high] = inputs.ends;
  const [least = low, most = high] = extent(values);
  const wanted: Ends = [Math.min(low, least), Math.max(high, most)];
  inputs.ends = steadyInputs(inputs.ends, wanted, 0, domain);
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
  const [width, height] = [box.width / columns, box.height / rows];
  const [row, column] = [Math.floor(n / columns), n % columns];
  return { x: box.x + column * width, y: box.y + row * height, width, height };
}

/** A frame around one function of a bundle, or one pixel of a map: large enough to be found, its edge is seen on colours like its own. */
export function cellFrame(
  box: Rect,
  grid: readonly [number, number],
  n: number,
  stroke: string,
  colours: Colours,
): Mark[] {
  const cell = bundleCell(box, grid, n);
  const by = Math.max(-2, (4 - Math.min(cell.width, cell.height)) / 2);
  return framed(grown(cell, by), stroke, colours);
}

/** Whether functions are drawn as squares of colour somewhere. */
export function hasSquares(
  parts: readonly (Pick<ShownColumn, "bundles"> & Rails & { large: number })[],
): boolean {
  return parts.some(({ kernels, bundles, large }) =>
    [...kernels.keys(), large].some((n) => bundles[n]?.count > MOST_CURVES),
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

/** Whether what each function adds stands beside it: of those in a row, and those with axes. */
export function hasValues({ rows, kernels, bundles }: Rails & Pick<ShownColumn, "bundles">) {
  if (rows.size > 0) return true;
  const [[n, box] = []] = kernels;
  return (
    n !== undefined && box !== undefined && kernels.size > 1 && hasAxes({ bundle: bundles[n], box })
  );
}

/** The pictures of bundles that lead to a column. */
export function bundleMarks(
  { picture, column }: { picture: LayerPicture | null; column: Column },
  list: readonly Pictured[],
  { name, colours }: Theme,
): Mark[] {
  if (!picture || list.length === 0) return [];
  const boxes = list.flatMap(({ box }) => flat(box));
  const [{ bundle }] = list;
  const isOne = bundle.count === 1;
  if (hasAxes(list[0])) {
    return list.flatMap(({ bundle: { first: f }, box, point }) => {
      const inside = { ...grown(box, -AROUND), width: box.width - 9 };
      const ground = rect(box, { fill: colours.surface, stroke: colours.box, radius: 3 });
      const y = picture.layer.count > 1 ? picture.ends() : undefined;
      const plotted = { ...picture, f, y };
      return [ground, ...phiPlot(plotted, point, inside, colours).marks];
    });
  }
  const grid: [number, number] = isOne ? [1, 1] : gridOf(column);
  const inside =
    bundle.count <= MOST_CURVES
      ? curveMarks(picture, grid, list, colours)
      : [riseMarks(picture, grid, list, paletteOf(name))];
  return [
    rects(boxes, { fill: colours.surface, radius: 3 }),
    ...inside,
    rects(boxes, { stroke: colours.box, radius: 3 }),
  ];
}

/** What the frames of functions reach from and to: those of single ones are none half empty, with room for a dot at an end. */
function endsFor({ scale, ends }: Pick<LayerPicture, "scale" | "ends">, { count }: Bundle): Ends {
  const [low, high] = count > 1 ? [0, 0] : ends();
  const air = 0.06 * (high - low);
  return air > 0 ? [low - air, high + air] : [-scale(), scale()];
}

function curveMarks(
  { frame, layer, plan, x: [lo, hi], ghost, ...picture }: LayerPicture,
  grid: [number, number],
  list: readonly Pictured[],
  colours: Colours,
): Mark[] {
  const [low, high] = endsFor(picture, list[0].bundle);
  const [zeros, boxes]: number[][] = [[], []];
  const curves = { xy: [] as number[], ends: [] as number[] };
  const changed: Changed[] = [];
  const bands: Parameters<typeof bandMarks>[0][number][] = [];
  const before = list[0].box.width / grid[1] >= CHANGE_FROM ? ghost : null;
  const examples: Mark[] = [];
  for (const { bundle, box, point } of list) {
    for (let n = 0; n < bundle.count; n++) {
      const cell = grown(bundleCell(box, grid, n), -1);
      const [w, h] = [cell.width, cell.height];
      if (bundle.count > 1) boxes.push(cell.x - 0.25, cell.y - 0.25, w + 0.5, h + 0.5);
      const toX = (x: number) => cell.x + (w * (x - lo)) / (hi - lo);
      const toY = (y: number) => cell.y + (h * Math.max(0, high - Math.max(y, low))) / (high - low);
      zeros.push(cell.x, toY(0), cell.x + w, toY(0));
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
      if (!point || !Number.isFinite(point.x + point.value)) continue;
      const x = toX(Math.max(lo, Math.min(hi, point.x)));
      examples.push(...exampleMarks([x, toY(0), toY(point.value)], point.value, 3, colours));
    }
  }
  const width = curves.ends.length > 150 ? 1 : 1.3;
  return [
    rects(boxes, { fill: colours.cell }),
    segments(zeros, colours.zero),
    ...changeMarks(changed, colours),
    ...bandMarks(bands, colours),
    { kind: "lines", ...curves, stroke: colours.ink, width, round: true },
    ...examples,
  ];
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
