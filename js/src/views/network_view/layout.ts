/** Where the parts of a network lie. The larger the room, the more of it is seen. */

import { sum } from "d3-array";
import { isPlain } from "../../phi/entries.ts";
import type { Rect } from "../../scene/marks.ts";
import { AXES_FROM } from "./functions.ts";
import { type Column, type Graph, sharedKernels } from "./graph.ts";
import {
  curvesOn,
  even,
  MOST_CURVES,
  placeKernels,
  placePictures,
  type Rails,
  ROOMY_FROM,
  ROW,
  railOf,
  type ShownColumn,
  standIn,
} from "./rails.ts";

/** Pixels of the heads over the columns. */
export const COLUMN_HEAD = 34;
/** Room over the last units for the word that says what their bars are. */
const BAR_WORD = 15;
const MARGIN = 10;
/** Sides of maps, of the input and of circles. */
const MAP = { least: 7, readable: 13, most: 84, gap: 5 };
const INPUT = { most: 132, share: 0.14 };
/** So few circles are large enough for their numbers, also where a column is narrow. */
const CIRCLE = { least: 8, most: 36, gap: 2, few: 8, numbered: 28 };
/** Where a column has less width than this, fewer units are shown, and larger: of many small ones nothing could be read. */
const CROWDED = { below: 90, map: 16, share: 0.42, input: 46, bars: 98, gap: 7.5 };
/** Where a column has less width than this, so few maps of each are shown that the functions between them can be read; of shared kernels, whose maps stand side by side, below the second, or the third beside another network. */
const FEW = { below: 130, shared: 165, compared: 195, maps: 6 };
/** Maps smaller than this stand side by side, where that makes them so much larger. */
const ABREAST = { below: 24, gain: 1.3, most: 3, share: 0.8, square: 4 };
/** Units stand no further apart. */
const FARTHEST = 96;
/** Beside the last units: their names and bars. */
const BARS = { least: 112, most: 240 };
const GAP = { least: 12, most: 170 };
/** Where columns stand too close for a kernel between them, those of the path stand side by side under the diagram, if it is so high; at most so large, of its height. */
export const SHELF = { below: 110, most: 104, share: 0.36, apart: 8, elbow: 22, from: 200 };
/** A gap of links alone is this many times as wide as one beside kernels. */
const FAN = 1.8;
/** Pictures of all functions of a unit, each before its unit or, where that makes them larger, over it, in a grid: their sides, the room before the unit or for it, between rows and columns, in which links run, and how much of a column's room the grid takes. */
const CELL = {
  ...{ least: 24, most: 120, across: 6, share: 1.2, last: 1.64 },
  ...{ link: 8, under: 32, gutter: 10, gap: 14, bars: 46 },
};
/** The share of a column's room that is used for what stands in it, in steps from 1 down to this. */
const LEAST_SHARE = 0.18;
const SHARE_STEP = 0.05;
/** A gap in which links can be followed, in a narrow page less, and least where those of a unit come together before it. */
const ROOMY = { gap: 42, narrow: 16, row: 10, crowded: 11, below: 700 };
const roomyIn = (width: number, hasRows = false) =>
  width >= ROOMY.below ? ROOMY.gap : hasRows ? ROOMY.row : ROOMY.narrow;

export interface UnitBox extends Rect {
  unit: number;
  /** The height at which its links come and go. */
  port: number;
}

export interface PlacedColumn extends Rails {
  column: Column;
  /** Units that are shown, in their order. */
  units: UnitBox[];
  byUnit: Map<number, UnitBox>;
  /** Around all units. */
  box: Rect;
  /** A row for each unit at its right, of this width; 0 where it is not the last one. */
  bars: number;
  /** Pixels between the rows of a grid in which each unit stands behind its picture, or under it in so many; else 0. */
  pitch: number;
  under: number;
  /** The middle between it and the column before. */
  between: number;
  /** In the middle of the gap before it, where the path's kernel is drawn large and its link runs through; null where there is no room. */
  stand: Rect | null;
}

export interface NetworkLayout {
  columns: PlacedColumn[];
  width: number;
  height: number;
  /** Sides of the kernels under the diagram; 0 where none stand there. */
  shelf: number;
}

/** How many units of a column find room in a height, where each column has a width: no more than it has. */
export function roomFor(column: Column, height: number, each: number, compared: boolean): number {
  const isCrowded = each < CROWDED.below;
  const least = column.map ? (isCrowded ? CROWDED.map : MAP.least) + 2 : CIRCLE.least + CIRCLE.gap;
  const isShared = sharedKernels(column, column.units) > 0;
  const roomy = compared ? FEW.compared : FEW.shared;
  if (column.map && each < (isShared ? roomy : FEW.below)) return Math.min(FEW.maps, column.units);
  const rowsOf = (pitch: number) => Math.floor((height - COLUMN_HEAD - 8) / pitch);
  const rows = column.map && !isCrowded ? rowsOf(CROWDED.map + 2) : 0;
  const whole = rows * sharedKernels(column, column.units) >= column.units ? column.units : 0;
  return Math.min(column.units, Math.max(3, rowsOf(least), ABREAST.most * rows, whole));
}

/** The room of a diagram: `scale` times as large as what is seen of it, and what is drawn may be as much larger. */
interface Room {
  width: number;
  height: number;
  scale: number;
  /** The last units have bars. */
  hasBars: boolean;
  /** What a gap has at most. */
  mostGap?: number;
}

interface Made extends NetworkLayout {
  /** Pixels between what stands side by side. */
  gap: number;
  /** There is room for a large kernel in each layer. */
  isReadable: boolean;
}

/** Parts are made smaller until they fit; of many columns some lie outside all the same. */
export function layoutOf(graph: Graph, shown: readonly ShownColumn[], room: Room): Made {
  const { width, height, scale } = room;
  const far = { ...room, width: width / scale, height: height / scale, scale: 1 };
  // Drawn larger, gaps grow no more than what stands between them.
  const mostGap = scale > 1 ? scale * layoutOf(graph, shown, far).gap : GAP.most;
  let [fits, readable, laid]: (Made | null)[] = [null, null, null];
  const hasMaps = graph.columns.some(({ map, kind }) => map && kind !== "input");
  for (let share = 1; share > LEAST_SHARE; share -= SHARE_STEP) {
    laid = laidOut(graph, shown, { ...room, mostGap }, share);
    if (laid.width > width) continue;
    // Links need room to be followed: parts are made smaller for that, though not as small as can be.
    const hasRows = laid.columns.some(({ rows, pitch }) => rows.size > 0 || pitch > 0);
    const close = hasMaps ? FEW.below : CROWDED.below;
    const roomy = width / graph.depths < close ? ROOMY.crowded : roomyIn(width, hasRows);
    if (laid.isReadable && laid.gap >= roomy) return laid;
    fits ??= laid;
    // Functions are large before their links are long; kernels and maps stay what they are when smaller.
    const isBetter = !readable || (hasMaps && laid.gap > readable.gap);
    if (laid.isReadable && isBetter) readable = laid;
    if (share < ROOMY_FROM) break;
  }
  return readable ?? fits ?? (laid as Made);
}

/** How wide each function is in a network of few functions, where all have room for axes; else null. */
export function plotsIn({ columns, depths }: Graph, { width, height, hasBars }: Room) {
  const fed = columns.slice(1);
  const isSmall = fed.every(({ layer, map, bundles }) => {
    return layer && !map && !isPlain(layer) && bundles[0]?.count === 1;
  });
  if (!isSmall || columns.length !== depths || columns[0].map) return null;
  // Those of one unit stand below each other, those of several in a row for each.
  const across = fed.map(({ units, bundles }) => (units > 1 ? bundles.length / units : 1));
  const rows = fed.map(({ units, bundles }) => (units > 1 ? units : bundles.length));
  const free =
    width -
    2 * MARGIN -
    depths * CIRCLE.most -
    (hasBars ? BARS.least : 0) -
    2 * fed.length * roomyIn(width) -
    sum(across, (n) => (n > 1 ? 2 * ROW.around + (n - 1) * ROW.beside : 1));
  const wide = even(free / sum(across));
  const tall = (height - COLUMN_HEAD - 8) / Math.max(...rows) - ROW.below - ROW.apart;
  return wide >= AXES_FROM.width && tall >= AXES_FROM.height ? wide : null;
}

interface Lane extends Room {
  top: number;
  /** The width of a column, of which a share is used. */
  whole: number;
  share: number;
  isCrowded: boolean;
  /** How wide each function is where all have room for axes; else null. */
  plot: number | null;
  /** Its kernels stand under the diagram. */
  hasShelf: boolean;
}

type Sizes = ReturnType<typeof sizesOf>;
type Sized = Lane & { sizes: Sizes };

function laidOut(graph: Graph, shown: readonly ShownColumn[], room: Room, share: number): Made {
  const { columns, depths } = graph;
  const { width, height, hasBars } = room;
  const plot = plotsIn(graph, room);
  const at = Array.from({ length: depths }, (_, depth) =>
    columns.flatMap((column, k) => (column.depth === depth ? [k] : [])),
  );
  const isCrowded = width / depths < CROWDED.below;
  const whole = (width - 2 * MARGIN) / depths;
  const isClose = width / depths < SHELF.below && height >= SHELF.from;
  const hasShelf = isClose && columns.some((column, k) => curvesOn(shown[k], column) > 1);
  const most = Math.min(SHELF.most, SHELF.share * height);
  const shelf = hasShelf ? even(Math.min(most, width / (depths - 1) - SHELF.apart)) : 0;
  const below = hasShelf ? shelf + SHELF.elbow : 0;
  const lanes = columns.map((column, k): Sized => {
    const ends = hasBars && k === columns.length - 1;
    const word = ends ? BAR_WORD : 0;
    const all = (height - COLUMN_HEAD - 8 - below) / at[column.depth].length;
    const lane: Lane = {
      ...room,
      top: COLUMN_HEAD + at[column.depth].indexOf(k) * (all - word) + word,
      height: all - word,
      whole,
      share,
      isCrowded,
      plot,
      hasShelf: hasShelf && curvesOn(shown[k], column) > 1,
      hasBars: ends,
    };
    return { ...lane, sizes: sizesOf(column, shown[k], lane) };
  });
  const widest = (part: (sizes: Sizes) => number) =>
    at.map((own) => Math.max(0, ...own.map((k) => part(lanes[k].sizes))));
  const units = widest((sizes) => sizes.width);
  const bars = widest((sizes) => sizes.beyond);
  const rails = widest((sizes) => sizes.rail);
  const stands = widest((sizes) => sizes.stand);
  const natural = sum([...units, ...bars, ...rails, ...stands]);
  const least = isCrowded || width < ROOMY.below ? CROWDED.gap : GAP.least;
  // A rail and a stand have a gap on either side.
  const parts = rails.map((rail, depth) => {
    const inside = Number(rail > 0) + Number(stands[depth] > 0);
    return depth === 0 ? 0 : inside > 0 ? inside + 1 : FAN;
  });
  const shared = (width - 2 * MARGIN - natural) / Math.max(1, sum(parts));
  const gap = even(Math.max(least, Math.min(room.mostGap ?? GAP.most, shared)));
  const gaps = parts.map((part, depth) => part * gap + stands[depth]);
  const isReadable = lanes.every(({ sizes }, k) => !columns[k].map || sizes.side >= MAP.readable);
  let x = Math.max(MARGIN, (width - natural - sum(parts) * gap) / 2);
  const placed: PlacedColumn[] = [];
  at.forEach((own, depth) => {
    const wide = rails[depth] + gaps[depth];
    x += wide;
    for (const k of own) {
      const left = x + (units[depth] - lanes[k].sizes.width) / 2;
      placed[k] = placedAt(columns[k], shown[k], lanes[k], left);
      const { sizes, top, height: tall } = lanes[k];
      const { stand: width, standTall: height } = sizes;
      const stand = { x: x - wide + gap, y: top + (tall - height) / 2, width, height };
      Object.assign(placed[k], { between: x - wide / 2, stand: width > 0 ? stand : null });
      const lane = { top, height: tall, across: sizes.across };
      if (sizes.tile > 0) placePictures(placed[k], shown[k], sizes);
      else placeKernels(placed[k], shown[k], sizes, lane, x - gap - rails[depth] / 2);
    }
    x += units[depth] + bars[depth];
  });
  return {
    ...{ columns: placed, height, gap, isReadable, shelf },
    width: x + MARGIN > width + 0.5 ? x + MARGIN : width,
  };
}

function sizesOf(column: Column, shown: ShownColumn, lane: Lane) {
  const { height, whole, share, isCrowded, plot, hasBars, scale } = lane;
  const { length: count } = shown.units;
  const leastBars = isCrowded || lane.width < ROOMY.below ? CROWDED.bars : BARS.least;
  const widest = Math.max(leastBars, Math.min(BARS.most, 0.75 * whole));
  const cells = cellsIn(shown, lane);
  const { side: largest, across } = column.map
    ? mapsIn(column, count, lane)
    : (cells ?? { side: circleIn(count, lane), across: 1 });
  const side = even(largest);
  const [tile, under] = cells ? [even(cells.tile), cells.under] : [0, 0];
  const lead = cells && under === 0 ? tile + CELL.link : 0;
  const beside = under > 0 ? tile - side : CELL.bars;
  const bars = !hasBars || column.map ? 0 : cells ? beside : even(widest);
  const apart = cells ? CELL.gap : MAP.gap;
  const step = cells ? Math.max(tile, lead + side + bars) + apart : side + apart;
  const pitch = pitchIn(count, lane);
  const standing = lane.hasShelf ? { ...shown, links: [] } : shown;
  const rail = railOf(standing, { height, pitch, width: share * whole, scale, plot });
  return {
    side,
    /** How many units stand side by side, how far apart, and the room before each for its picture. */
    ...{ across, step, lead, tile, under },
    width: across * step - apart,
    ...rail,
    // What each unit has a picture of is not drawn twice.
    ...(tile > 0 ? { stand: 0, standTall: 0 } : standIn(standing, column, rail.kernel, lane)),
    /** The room of the bars: in a grid that is within it. */
    bars,
    beyond: cells ? 0 : bars,
  };
}

/** The largest pictures, each of all functions of one unit, with which a grid of the units has room; null where units have no such. */
function cellsIn({ bundles, links, units }: ShownColumn, lane: Lane) {
  const targets = new Set(links.map((n) => bundles[n].to));
  const isOneEach = links.length === units.length && targets.size === units.length;
  if (!isOneEach || bundles[0].count <= MOST_CURVES) return null;
  const side = Math.min(CIRCLE.numbered * 0.6 * lane.scale, circleIn(units.length, lane));
  const beside = side + CELL.link + CELL.gap + (lane.hasBars ? CELL.bars : 0);
  const room = lane.share * lane.whole * (lane.hasBars ? CELL.last : CELL.share);
  const most = CELL.most * lane.scale;
  const all = [0, CELL.under].flatMap((under) =>
    Array.from({ length: Math.min(CELL.across, units.length) }, (_, k) => {
      const tall = lane.height / Math.ceil(units.length / (k + 1)) - CELL.gutter - under;
      const wide = room / (k + 1) - (under > 0 ? CELL.gap : beside);
      return { across: k + 1, side, under, tile: Math.min(most, tall, wide) };
    }),
  );
  const best = all.reduce((one, other) => (other.tile > one.tile ? other : one));
  return best.tile >= CELL.least ? best : null;
}

function pitchIn(rows: number, { height, scale, plot }: Lane, side = 0): number {
  if (plot) return height / rows;
  return Math.min(height / Math.max(1, rows), Math.max(FARTHEST * scale, side + MAP.gap));
}

function circleIn(count: number, { height, whole, isCrowded, scale }: Lane): number {
  const pitch = height / Math.max(1, count);
  const isFew = count <= CIRCLE.few && !isCrowded;
  const wide = Math.max(0.12 * whole, isFew ? CIRCLE.numbered : 0);
  return Math.max(CIRCLE.least, Math.min(CIRCLE.most * scale, (isFew ? 0.76 : 0.66) * pitch, wide));
}

/** How large maps are, and how many stand side by side: of shared kernels what all of them make of one map. */
function mapsIn(column: Column, count: number, lane: Lane) {
  const { height, width, whole, share, isCrowded, scale } = lane;
  // Many side by side are each small enough.
  const broad = Math.max(share, ABREAST.share * Math.min(1, share / ROOMY_FROM)) * whole;
  const isInput = column.kind === "input";
  const largest = Math.max(
    isCrowded ? (isInput ? CROWDED.input : Math.max(CROWDED.map, CROWDED.share * whole)) : 0,
    isInput
      ? Math.min(INPUT.most * scale, 0.25 * (1 + share) * whole, INPUT.share * width)
      : Math.min(MAP.most * scale, 0.52 * share * whole),
  );
  const sideOf = (across: number) => {
    const pitch = height / Math.ceil(count / across);
    const wide = (largest + MAP.gap) / across - MAP.gap;
    const most =
      across > 1 ? Math.max(wide, Math.min(broad / across, 40 * scale) - MAP.gap) : largest;
    return Math.max(MAP.least, Math.min(most, pitch - Math.min(MAP.gap, 0.2 * pitch)));
  };
  const kernels = sharedKernels(column, count);
  if (kernels > 0) return { side: sideOf(kernels), across: kernels };
  let across = 1;
  for (let wider = 2; wider <= ABREAST.most; wider++) {
    const isSmall = whole >= FEW.below && sideOf(across) < ABREAST.below * scale;
    if (isSmall && sideOf(wider) > ABREAST.gain * sideOf(across)) across = wider;
  }
  // Sixteen stand in a square: of three in a row one would be left over.
  if (across === ABREAST.most && count === ABREAST.square ** 2) across = ABREAST.square;
  return { side: sideOf(across), across };
}

function placedAt(
  column: Column,
  { units }: ShownColumn,
  { sizes: { side, across, step: apart, lead, tile, under, width, bars }, ...lane }: Sized,
  x: number,
): PlacedColumn {
  const rows = Math.ceil(units.length / across);
  const step = pitchIn(rows, lane, tile > 0 ? tile + under + CELL.gutter : side);
  const start = lane.top + (lane.height - step * rows) / 2;
  const [tall, wide] = column.map ?? [1, 1];
  const [w, h] = tall > wide ? [(side * wide) / tall, side] : [side, (side * tall) / wide];
  const lower = under > 0 ? tile / 2 : 0;
  const boxes = units.map((unit, n) => {
    const [row, place] = [Math.floor(n / across), n % across];
    const middle = start + step * (row + 0.5);
    const y = middle - h / 2 + lower;
    const left = x + place * apart + lead + (side - w) / 2;
    const port = tile > 0 ? middle - under / 2 : y + (h * (place + 0.5)) / across;
    return { unit, x: left, y, width: w, height: h, port };
  });
  const around = Math.max(0, tile + under - side) / 2;
  const y = Math.min(...boxes.map((box) => box.y)) - around - lower;
  const end = Math.max(...boxes.map((box) => box.y + box.height)) + around - lower;
  return {
    column,
    units: boxes,
    byUnit: new Map(boxes.map((unit) => [unit.unit, unit])),
    box: { x, y, width, height: end - y },
    ...{ bars, under, pitch: tile > 0 ? step : 0 },
    kernels: new Map(),
    rows: new Map(),
    between: x,
    stand: null,
  };
}
