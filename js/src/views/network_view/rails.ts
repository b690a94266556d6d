/** Where the pictures of functions stand between two columns: below each other, or in a row for each unit. */

import { group } from "d3-array";
import { isPlain } from "../../phi/entries.ts";
import type { Rect } from "../../scene/marks.ts";
import type { Bundle, Column, Graph } from "./graph.ts";

/** Sides of what stands on a link: a kernel, in which nine functions can be told apart, and a single function. */
const KERNEL = { least: 44, most: 84, share: 0.56 };
const FUNCTION = { least: 24, most: 400, share: 0.6, flat: 0.55, flattest: 0.36, tall: 0.85 };
/** So few functions of a layer, for which the picture is, take more of the width and the height that there is. */
const FEW = { most: 4, share: 0.8, tall: 1.25 };
/** More functions than this are drawn as a picture instead of curves. */
export const MOST_CURVES = 49;
/** Between the functions of one unit that stand in a row, and around them; under them, for what each adds; their width at least, and that of the row, of a column's room. They do where below each other they would be smaller than this. */
export const ROW = {
  ...{ beside: 14, around: 6, below: 13, apart: 7 },
  ...{ least: 27, share: 1.3, smaller: 58 },
};
/** The stand of a gap, in which the path's kernel is drawn large: sides at most, of the height, of a column's room, and at least; the share kept of that. All kernels stand below each other where these have such a share of it, up to a size. */
const STAND = {
  ...{ kernel: 112, function: 130 },
  flat: 0.55,
  share: 0.42,
  room: 0.55,
  least: 36,
  ...{ kept: 0.8, all: 0.7, most: 150 },
};
/** Below this share of a column's room wide gaps are not asked for. */
export const ROOMY_FROM = 0.5;

export interface ShownColumn {
  bundles: readonly Bundle[];
  /** Numbers of those that are drawn. */
  links: readonly number[];
  /** The units of the column that are drawn, in their places. */
  units: readonly number[];
}

/** The functions on the links that lead to a column. */
export interface Rails {
  /** Kernels of the bundles that lead to it, by their numbers, those of a shared kernel in one place; empty where there are too many. */
  kernels: Map<number, Rect>;
  /** Around the functions of each unit, by its number, where these stand in a row as what is added up. */
  rows: Map<number, Rect>;
}

/** What there is to stand in: the height of a column, that of one of its units, and the width between columns. */
interface RailRoom {
  height: number;
  pitch: number;
  width: number;
  scale: number;
  /** How wide each function is where all have room for axes; else null. */
  plot: number | null;
}

/** How large the functions on links are, and how many stand side by side. */
export function railOf({ links, units, bundles }: ShownColumn, room: RailRoom) {
  const { height, pitch, width, scale, plot } = room;
  const count = bundles[0]?.count ?? 1;
  const isOne = count === 1;
  const kind = isOne ? FUNCTION : KERNEL;
  const list = picturedOf(links, bundles);
  const fills = isOne && list.length <= FEW.most ? FEW : FUNCTION;
  const largest = Math.min(kind.most * scale, (isOne ? fills : kind).share * width);
  const flat = isOne ? FUNCTION.flat : 1;
  const free = height / Math.max(1, list.length);
  const high = free - Math.min(8, 0.15 * free);
  const below = Math.min(largest, high / flat);
  // The functions of one unit stand in a row where below each other they would be small: one sees whose they are.
  const most = list.length / units.length;
  const low = pitch - ROW.below - ROW.apart;
  const beside = Math.min(ROW.beside, Math.max(9, (0.1 * width) / most));
  const broad = Math.min(largest, (ROW.share * width) / most - beside, low / FUNCTION.flattest);
  const isLow = units.length > 1 && below < Math.min(largest, ROW.smaller * scale);
  const isRow = plot
    ? units.length > 1 && most > 1
    : isOne && most > 1 && Number.isInteger(most) && isLow && broad >= ROW.least;
  const upright = isRow ? Math.min(broad, low / flat) : below;
  // From circle to circle, with a link on either side; of several functions flatter ones, where that makes them wider.
  const flatter = (upright * FUNCTION.flat) / FUNCTION.flattest;
  const wide = isRow ? broad : Math.min(largest, flatter);
  const kernel = even(isOne ? (plot ?? wide) : upright);
  const plotted = height / (isRow ? units.length : list.length) - ROW.below - ROW.apart;
  // Few functions take the height there is.
  const single = Math.max(flat * upright, Math.min(isRow ? low : high, fills.tall * kernel));
  const fits = links.length > 0 && count <= MOST_CURVES && kernel >= kind.least;
  const whole = isRow ? most * (kernel + beside) - beside + 2 * ROW.around : kernel;
  return {
    kernel: fits ? kernel : 0,
    tall: even(plot ? plotted : isOne ? single : upright),
    /** Whether those of one unit stand side by side, and how far apart. */
    ...{ isRow, beside },
    rail: fits ? whole : 0,
  };
}

/** Rounds pixels down to sixteenths, whose sums are exact. */
export function even(pixels: number): number {
  return Math.floor(16 * pixels) / 16;
}

/** Kernels one below the other, in the order of the units after and before; beside its unit where each has one. */
export function placeKernels(
  placed: Rails & { byUnit: ReadonlyMap<number, Rect> },
  { bundles, links, units }: ShownColumn,
  { kernel, tall: height, isRow, beside, rail }: ReturnType<typeof railOf>,
  { top, height: lane, across }: { top: number; height: number; across: number },
  middle: number,
) {
  if (kernel === 0) return;
  const order = picturedOf(links, bundles).sort(
    (a, b) => bundles[a].to - bundles[b].to || bundles[a].from - bundles[b].from,
  );
  const isOneEach = new Set(order.map((k) => bundles[k].to)).size === order.length;
  const isBeside = order.length === units.length && isOneEach && across === 1;
  const places = new Map<number, Rect>();
  // Shared kernels stand apart: links from all units to each of them pass between.
  const apart = order.length < links.length ? 60 : 0.6 * kernel + 10;
  const step = Math.min(lane / order.length, kernel + apart);
  const start = top + (lane - step * order.length) / 2;
  const left = middle - rail / 2;
  order.forEach((k, n) => {
    const { to, first } = bundles[k];
    const unit = isBeside || isRow ? placed.byUnit.get(to) : undefined;
    const middleY = unit ? unit.y + unit.height / 2 : start + step * (n + 0.5);
    const y = middleY - height / 2 - (isRow ? ROW.below / 2 : 0);
    const nth = n - order.findIndex((other) => bundles[other].to === to);
    const x = isRow ? left + ROW.around + nth * (kernel + beside) : left;
    places.set(first, { x, y, width: kernel, height });
    const row = { x: left, y, width: rail, height: height + ROW.below };
    if (isRow) placed.rows.set(to, row);
  });
  for (const k of links) placed.kernels.set(k, places.get(bundles[k].first) as Rect);
}

const firstOfEach = <T>(all: Iterable<T>, by: (one: T) => unknown): T[] =>
  Array.from(group(all, by).values(), ([first]) => first);

/** The links that have a picture of their own: of those with the same functions, a shared kernel, the first. */
const picturedOf = (links: readonly number[], bundles: readonly Bundle[]) =>
  firstOfEach(links, (k) => bundles[k].first);

/** Kernels with the number of a bundle each, every one once. */
export const kernelsOnce = ({ kernels }: Rails) => firstOfEach(kernels, ([, box]) => box);

/** How many functions a link that leads to a column has; 0 where these are none, say no more than lines, or are more than can be curves. */
export function curvesOn({ bundles, links }: ShownColumn, { layer }: Column, most = MOST_CURVES) {
  const count = layer && !isPlain(layer) && links.length > 0 ? bundles[links[0]].count : 0;
  return count > most ? 0 : count;
}

/** What there is for it: the height and the width of a column, and the share of them that is used. */
interface StandRoom {
  height: number;
  whole: number;
  share: number;
  scale: number;
  isCrowded: boolean;
}

/** How large the path's kernel is drawn where no kernels stand in its gap. */
export function standIn(shown: ShownColumn, column: Column, kernel: number, lane: StandRoom) {
  const { scale, height, whole, share, isCrowded } = lane;
  const count = curvesOn(shown, column, Number.POSITIVE_INFINITY);
  const none = { stand: 0, standTall: 0 };
  if (count === 0 || isCrowded || (count === 1 && kernel > 0)) return none;
  const largest = (count === 1 ? STAND.function : STAND.kernel) * scale;
  const most = Math.min(largest, STAND.share * height, STAND.room * whole);
  const kept = Math.max(share, STAND.kept * Math.min(1, share / ROOMY_FROM));
  const stand = even(kept * most);
  if (stand < STAND.least || kernel >= STAND.all * Math.min(STAND.most, stand)) return none;
  return { stand, standTall: count === 1 ? even(STAND.flat * stand) : stand, kernel: 0, rail: 0 };
}

/** Before each unit, or over it, the picture of what leads to it. */
export function placePictures(
  { kernels, byUnit }: Rails & { byUnit: ReadonlyMap<number, Rect & { port: number }> },
  shown: ShownColumn,
  { lead, tile }: { lead: number; tile: number },
) {
  for (const n of shown.links) {
    const { x, port } = byUnit.get(shown.bundles[n].to) as Rect & { port: number };
    kernels.set(n, { x: x - lead, y: port - tile / 2, width: tile, height: tile });
  }
}

/** Where units stand by an order for some layers; a shared kernel has one for each unit before. */
export function ranksOf({ columns }: Pick<Graph, "columns">, order: Record<string, number[]>) {
  const ranks: number[][] = [];
  for (const { layer, from, units } of columns) {
    const [own, before] = [layer && order[layer.name], ranks[from[0]] ?? [0]];
    const each = own?.length ?? (layer || units % before.length ? units : units / before.length);
    const within = (unit: number) => own?.indexOf(unit % each) ?? unit % each;
    const rank = (_: unknown, n: number) => before[Math.floor(n / each)] * each + within(n);
    ranks.push(Array.from({ length: units }, rank));
  }
  return ranks;
}
