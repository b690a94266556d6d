/** Where the pictures of functions stand between two columns: below each other, staggered, or in a row for each unit. */

import type { Rect } from "../../scene/marks.ts";
import type { Bundle } from "./graph.ts";

/** Sides of what stands on a link: a kernel, a single function, and the many functions of an image. */
const KERNEL = { least: 24, wanted: 24, most: 84, abreast: 1, share: 0.56, room: 0.56 };
const FUNCTION = {
  ...{ least: 24, wanted: 64, most: 400, abreast: 3, share: 0.6, room: 0.8 },
  ...{ flat: 0.55, flattest: 0.36 },
};
const PICTURE = { least: 20, wanted: 96, most: 120, abreast: 5, share: 0.6, room: 1 };
/** More functions than this are drawn as a picture instead of curves. */
export const MOST_CURVES = 49;
/** Kernels too low for their curves, or their picture, are laid out in several columns. */
const STAGGER = { gap: 5, beside: 14, gain: 1.1, around: 0 };
/** Between the functions of one unit that stand in a row, and around them; under them, for what each adds; their width at least, and that of the row, of a column's room. */
export const ROW = { beside: 14, around: 6, below: 13, apart: 7, least: 42, share: 1.3 };

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

type Rail = ReturnType<typeof railOf>;

/** How large the functions on links are, and how many stand side by side. */
export function railOf({ links, units, bundles }: ShownColumn, room: RailRoom) {
  const { height, pitch, width, scale, plot } = room;
  const count = bundles[0]?.count ?? 1;
  const isOne = count === 1;
  const kind = isOne ? FUNCTION : count > MOST_CURVES ? PICTURE : KERNEL;
  const list = picturedOf(links, bundles);
  const largest = Math.min(kind.most * scale, kind.share * width);
  const wanted = Math.min(largest, kind.wanted * scale);
  const flat = isOne ? FUNCTION.flat : 1;
  // Side by side they reach from end to end of the lane: see placeKernels.
  const steps = Math.max(1, list.length - 1);
  const fitting = (rows: number) => {
    const free = height / Math.max(1, list.length);
    if (rows === 1) return Math.min(largest, (free - Math.min(8, 0.15 * free)) / flat);
    const tall = ((rows * height) / steps - STAGGER.gap) / (1 + rows / steps) / flat;
    return Math.min(largest, tall, (kind.room * width) / rows - STAGGER.beside);
  };
  // The functions of one unit stand in a row where below each other they would be small: one sees whose they are.
  const most = list.length / units.length;
  const low = pitch - ROW.below - ROW.apart;
  const broad = Math.min(largest, (ROW.share * width) / most - ROW.beside, low / FUNCTION.flattest);
  const isLow = units.length > 1 && STAGGER.gain * fitting(1) < wanted;
  const isRow = plot
    ? units.length > 1 && most > 1
    : isOne && most > 1 && Number.isInteger(most) && isLow && broad >= ROW.least;
  const abreast = isRow ? most : plot ? 1 : staggerOf(fitting, wanted, kind.abreast);
  const upright = isRow ? Math.min(broad, low / flat) : fitting(abreast);
  // From circle to circle, with a link on either side; of several functions flatter ones, where that makes them wider.
  const flatter = (upright * FUNCTION.flat) / FUNCTION.flattest;
  const wide = isRow ? broad : Math.min(abreast > 1 ? upright : largest, flatter);
  const kernel = even(isOne ? (plot ?? wide) : upright);
  const plotted = height / (isRow ? units.length : list.length) - ROW.below - ROW.apart;
  const fits = links.length > 0 && kernel >= kind.least;
  const { beside, around } = isRow ? ROW : STAGGER;
  return {
    kernel: fits ? kernel : 0,
    tall: even(plot ? plotted : flat * upright),
    /** How many stand side by side, each at its own height; in a row all at that of their unit. */
    ...{ abreast, isRow },
    rail: fits ? abreast * (kernel + beside) - beside + 2 * around : 0,
  };
}

/** Rounds pixels down to sixteenths, whose sums are exact. */
export function even(pixels: number): number {
  return Math.floor(16 * pixels) / 16;
}

/** How many kernels side by side make them as large as wanted, or else clearly larger. */
function staggerOf(fitting: (rows: number) => number, wanted: number, most: number): number {
  let best = 1;
  for (let rows = 1; rows <= most; rows++) {
    if (fitting(rows) > STAGGER.gain * fitting(best)) best = rows;
    if (fitting(best) >= wanted) return best;
  }
  return best;
}

/** Kernels one below the other, in the order of the units after and before; beside its unit where each has one. */
export function placeKernels(
  placed: Rails & { byUnit: ReadonlyMap<number, Rect> },
  { bundles, links, units }: ShownColumn,
  { kernel, tall: height, abreast, isRow, rail }: Rail,
  { top, height: lane, across }: { top: number; height: number; across: number },
  middle: number,
) {
  if (kernel === 0) return;
  const order = picturedOf(links, bundles).sort(
    (a, b) => bundles[a].to - bundles[b].to || bundles[a].from - bundles[b].from,
  );
  const isOneEach = new Set(order.map((k) => bundles[k].to)).size === order.length;
  const isBeside = abreast === 1 && order.length === units.length && isOneEach && across === 1;
  const places = new Map<number, Rect>();
  // Shared kernels stand apart: links from all units to each of them pass between.
  const apart = order.length < links.length ? 60 : 0.6 * kernel + 10;
  const step = Math.min(lane / order.length, kernel + apart);
  const start = top + (lane - step * order.length) / 2;
  const { beside, around } = isRow ? ROW : STAGGER;
  const left = middle - rail / 2;
  order.forEach((k, n) => {
    const { to, first } = bundles[k];
    const unit = isBeside || isRow ? placed.byUnit.get(to) : undefined;
    let middleY = unit ? unit.y + unit.height / 2 : start + step * (n + 0.5);
    if (isRow) middleY -= ROW.below / 2;
    else if (abreast > 1) middleY = top + height / 2 + (n * (lane - height)) / (order.length - 1);
    const nth = isRow ? n - order.findIndex((other) => bundles[other].to === to) : n % abreast;
    const y = middleY - height / 2;
    const x = left + around + nth * (kernel + beside);
    places.set(first, { x, y, width: kernel, height });
    const row = { x: left, y, width: rail, height: height + ROW.below };
    if (isRow) placed.rows.set(to, row);
  });
  for (const k of links) placed.kernels.set(k, places.get(bundles[k].first) as Rect);
}

/** The links that have a picture of their own: of those with the same functions, a shared kernel, the first. */
function picturedOf(links: readonly number[], bundles: readonly Bundle[]): number[] {
  const known = new Map<number, number>();
  for (const k of links) if (!known.has(bundles[k].first)) known.set(bundles[k].first, k);
  return [...known.values()];
}

/** Kernels with the number of a bundle each, every one once. */
export function kernelsOnce({ kernels }: Rails): [number, Rect][] {
  const known = new Map<Rect, number>();
  for (const [n, box] of kernels) if (!known.has(box)) known.set(box, n);
  return [...known].map(([box, n]) => [n, box]);
}
