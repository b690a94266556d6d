/** Where the parts of a network lie. The larger the room, the more of it is seen. No DOM. */

import { sum } from "d3-array";
import { isPlain } from "../../phi/entries.ts";
import type { Rect } from "../../scene/marks.ts";
import type { Bundle, Column, Graph } from "./graph.ts";

/** Pixels of the heads over the columns. */
export const HEAD = 34;
/** Room over the last units for the word that says what their bars are. */
export const WORD = 12;
const SIDE = 10;
const SLIM = 13;
const SLIM_GAP = 7;
/** Sides of the picture of a unit, and of what stands on a link. */
const UNIT = { least: 7, most: 84, gap: 5 };
/** Where a column has less width than this, fewer units are shown, and larger: of many small ones nothing could be read. */
const CROWDED = { below: 90, unit: 16, dot: 8, input: 34, slimGap: 4, bars: 98, gap: 7.5 };
/** Maps smaller than this stand in two ranks, where that makes them so much larger; and the gap between these. */
const RANKS = { below: 30, gain: 1.3, gap: 6, apart: 3 };
const INPUT = 132;
const DOT = { least: 4, most: 22, gap: 2 };
/** A single function is the larger, the fewer there are. */
const THUMB = { least: 10, line: 24, most: 84, function: 120, flat: 0.76 };
/** What is too low for its curves, or its image, stands in so many rows at most, one beside the other. */
const STAGGER = { most: 4, curves: 36, image: 20, gap: 5 };
/** Beside the last units: their names and bars. */
const BARS = { least: 112, most: 190 };
const LOOSE = 170;
const TIGHT = 12;
/** A gap of links alone is so many times as wide as one beside thumbnails. */
const FAN = 2.6;
/** Of a column's room so much is used for what stands in it; the stations of a gap stand apart down to the second. */
const SHARES = [1, 0.85, 0.7, 0.55, 0.4, 0.28, 0.2];
const APART = 0.7;
/** A gap in which links can be followed, in a narrow page less; below this share of a column's room it is not asked for. */
const ROOMY = { gap: 21, narrow: 11, below: 560 };
const SMALL = 0.5;

export interface UnitBox extends Rect {
  unit: number;
}

export interface PlacedColumn {
  column: Column;
  /** Units that are shown, from above. */
  units: UnitBox[];
  byUnit: Map<number, UnitBox>;
  /** From the first unit to the last. */
  box: Rect;
  /** What stands after it, a bar for each station; or one for all of them, where there is little room. */
  slim: { stations: number[]; box: Rect }[];
  /** Where links leave it: right of what stands after it. */
  out: number;
  /** A row for each unit at its right, of this width; 0 where it is not the last one. */
  bars: number;
  barsAt: number;
  /** Thumbnails of the bundles that lead to it, by their numbers, those of a shared kernel in one place; empty where there are too many. */
  thumbs: Map<number, Rect>;
}

export interface NetworkLayout {
  columns: PlacedColumn[];
  width: number;
  height: number;
}

export interface Shown {
  bundles: readonly Bundle[];
  /** Numbers of those that are drawn. */
  links: readonly number[];
  /** The units of the column that are drawn, rising. */
  units: readonly number[];
}

/** How many units of a column find room in a height, where each column has a width. */
export function roomFor(column: Column, height: number, each: number): number {
  const [unit, dot] = each < CROWDED.below ? [CROWDED.unit, CROWDED.dot] : [UNIT.least, DOT.least];
  const least = column.map ? unit + 2 : dot + DOT.gap;
  return Math.max(3, Math.floor((height - HEAD - 8) / least));
}

/** How a diagram is laid out: how much of a column's room its parts take; the stations of a gap may stand in one bar. */
interface Way {
  share: number;
  joined: boolean;
}

/** Parts are made smaller until they fit, and the stations of a gap then stand in one bar; of many columns some lie outside all the same. */
export function layoutOf(
  graph: Graph,
  shown: readonly Shown[],
  width: number,
  height: number,
  hasBars: boolean,
): NetworkLayout {
  const ways: Way[] = [
    ...SHARES.filter((share) => share >= APART).map((share) => ({ share, joined: false })),
    ...SHARES.map((share) => ({ share, joined: true })),
  ];
  const roomy = width < ROOMY.below ? ROOMY.narrow : ROOMY.gap;
  let [fits, made]: (Made | null)[] = [null, null];
  for (const way of ways) {
    made = laidOut(graph, shown, { width, height, hasBars }, way);
    const isIn = made.width <= width;
    // Links need room to be followed: parts are rather smaller, but not for that as small as can be.
    if (isIn && made.gap >= roomy) return made;
    if (isIn) fits ??= made;
    if (fits && way.share < SMALL) return fits;
  }
  return fits ?? (made as Made);
}

interface Made extends NetworkLayout {
  /** Pixels between what stands side by side. */
  gap: number;
}

function laidOut(
  { columns, depths }: Graph,
  shown: readonly Shown[],
  { width, height, hasBars }: { width: number; height: number; hasBars: boolean },
  { share, joined }: Way,
): Made {
  const at = Array.from({ length: depths }, (_, depth) =>
    columns.flatMap((column, k) => (column.depth === depth ? [k] : [])),
  );
  const whole = (width - 2 * SIDE) / depths;
  const crowded = width / depths < CROWDED.below;
  const isNarrow = crowded || width < ROOMY.below;
  const apart = isNarrow ? CROWDED.slimGap : SLIM_GAP;
  const lanes = columns.map((column, k) => {
    const ends = hasBars && k === columns.length - 1;
    const word = ends ? WORD : 0;
    const all = (height - HEAD - 8) / at[column.depth].length;
    const top = HEAD + at[column.depth].indexOf(k) * (all - word) + word;
    const lane = { top, height: all - word, whole, share, crowded, hasBars: ends };
    return { ...lane, sizes: sizesOf(column, shown[k], lane) };
  });
  const widest = (part: (k: number) => number) => at.map((own) => Math.max(0, ...own.map(part)));
  const unitWidths = widest((k) => lanes[k].sizes.width);
  const barWidths = widest((k) => lanes[k].sizes.bars);
  const railWidths = widest((k) => lanes[k].sizes.rail);
  const slimWidths = widest((k) => slimWidth(barsOf(columns[k], joined).length, apart));
  const natural = sum([...unitWidths, ...barWidths, ...railWidths, ...slimWidths]);
  // A rail has a gap on either side.
  const gaps = sum(railWidths.slice(1), (rail) => (rail > 0 ? 2 : FAN));
  const least = isNarrow ? CROWDED.gap : TIGHT;
  const gap = Math.max(least, Math.min(LOOSE, (width - 2 * SIDE - natural) / Math.max(1, gaps)));
  let x = Math.max(SIDE, (width - natural - gaps * gap) / 2);
  const placed: PlacedColumn[] = [];
  at.forEach((own, depth) => {
    const middle = (depth > 0 ? x + gap : x) + railWidths[depth] / 2;
    if (depth > 0) x += railWidths[depth] > 0 ? railWidths[depth] + 2 * gap : FAN * gap;
    for (const k of own) {
      const left = x + (unitWidths[depth] - lanes[k].sizes.width) / 2;
      placed[k] = placedAt(columns[k], shown[k], lanes[k], left);
      placeThumbs(placed[k], shown[k], lanes[k], middle);
    }
    x += unitWidths[depth];
    for (const k of own) placeSlim(placed[k], joined, apart);
    x += slimWidths[depth];
    for (const k of own) placed[k].out = Math.max(placed[k].out, x - (slimWidths[depth] ? 2 : 0));
    x += barWidths[depth];
  });
  return { columns: placed, width: x + SIDE > width + 0.5 ? x + SIDE : width, height, gap };
}

/** The stations after a column, those of a bar together. */
function barsOf({ after }: Column, joined: boolean): number[][] {
  return joined && after.length > 0 ? [after] : after.map((station) => [station]);
}

function slimWidth(count: number, apart: number): number {
  return count > 0 ? count * (SLIM + 3) + 2 * apart : 0;
}

interface Lane {
  top: number;
  height: number;
  /** The width of a column, of which a share is used. */
  whole: number;
  share: number;
  crowded: boolean;
  /** Bars stand at its right. */
  hasBars: boolean;
}

interface Sizes {
  pitch: number;
  side: number;
  /** Units stand in two ranks, by turns, where else they were small. */
  ranks: 1 | 2;
  thumb: number;
  /** So many thumbnails stand side by side, each at its own height. */
  stagger: number;
  width: number;
  rail: number;
  bars: number;
}

type Sized = Lane & { sizes: Sizes };

function sizesOf(
  column: Column,
  { links, units, bundles }: Shown,
  { height: lane, whole, share, crowded, hasBars }: Lane,
): Sizes {
  const each = share * whole;
  const isInput = column.kind === "input";
  const pitch = Math.min(lane / Math.max(1, units.length), 96);
  let side = Math.max(DOT.least, Math.min(DOT.most, 0.75 * pitch, 0.12 * whole));
  let ranks: 1 | 2 = 1;
  if (column.map) {
    const [top, own] = isInput ? [INPUT, CROWDED.input] : [UNIT.most, CROWDED.unit];
    const most = Math.min(top, Math.max(crowded ? own : 0, 0.5 * each));
    const room = isInput ? lane / units.length : pitch;
    side = Math.max(UNIT.least, Math.min(most, room - Math.min(UNIT.gap, 0.2 * pitch)));
    const two = Math.min(most / 2, sideOfTwo(lane, units.length));
    if (side < RANKS.below && two > RANKS.gain * side) [side, ranks] = [two, 2];
  }
  const one = bundles.length > 0 && bundles[0].count === 1;
  const pictured = picturedOf(links, bundles).length;
  const room = lane / Math.max(1, pictured);
  const largest = Math.min(one ? THUMB.function : THUMB.most, 0.4 * each);
  // Side by side they reach from end to end of the lane: see placeThumbs.
  const steps = Math.max(1, pictured - 1);
  const fitting = (rows: number) =>
    rows === 1
      ? Math.min(largest, (room - Math.min(3, 0.15 * room)) / (one ? THUMB.flat + 0.12 : 1))
      : Math.min(largest, ((rows * lane) / steps - STAGGER.gap) / (1 + rows / steps));
  const [cells] = bundles.map(({ count }) => count);
  const wanted = cells <= 49 ? STAGGER.curves : STAGGER.image;
  const stagger = one ? 1 : staggerOf(fitting, wanted, 0.56 * each);
  const thumb = fitting(stagger);
  // A straight line says nothing that its link does not say, unless it is read with its numbers.
  const least = one && column.layer && isPlain(column.layer) ? THUMB.line : THUMB.least;
  const fits = links.length > 0 && thumb >= least;
  const leastBars = crowded ? CROWDED.bars : BARS.least;
  const bars = hasBars && !column.map ? Math.max(leastBars, Math.min(BARS.most, 0.75 * whole)) : 0;
  return {
    pitch: isInput ? Math.max(pitch, side + UNIT.gap) : pitch,
    side,
    ranks,
    thumb: fits ? thumb : 0,
    stagger,
    width: ranks * side + (ranks - 1) * RANKS.gap,
    rail: fits ? stagger * (thumb + STAGGER.gap) - STAGGER.gap : 0,
    bars,
  };
}

/** The side of units in two ranks, so that a line passes between those of the other rank. */
function sideOfTwo(lane: number, units: number): number {
  const steps = Math.max(1, units - 1);
  return ((2 * lane) / steps - RANKS.apart) / (1 + 2 / steps);
}

/** How many thumbnails side by side make them as large as wanted, or else clearly larger. */
function staggerOf(fitting: (rows: number) => number, wanted: number, room: number): number {
  let best = 1;
  for (let rows = 1; rows <= STAGGER.most; rows++) {
    const thumb = fitting(rows);
    if (rows * (thumb + STAGGER.gap) - STAGGER.gap > room && rows > 1) return best;
    if (thumb >= wanted) return rows;
    if (thumb > RANKS.gain * fitting(best)) best = rows;
  }
  return best;
}

function placedAt(
  column: Column,
  { units }: Shown,
  { sizes: { pitch, side, ranks, width, bars }, top, height }: Sized,
  x: number,
): PlacedColumn {
  const used = Math.min(height, pitch * units.length);
  const start = top + (height - used) / 2;
  const step = used / Math.max(1, units.length);
  const [rows, across] = column.map ?? [1, 1];
  const [w, h] = rows > across ? [(side * across) / rows, side] : [side, (side * rows) / across];
  const middle = (n: number) =>
    ranks === 1
      ? start + step * (n + 0.5)
      : top + side / 2 + (n * (height - side)) / Math.max(1, units.length - 1);
  const boxes = units.map((unit, n) => ({
    unit,
    x: x + (side - w) / 2 + (n % ranks) * (side + RANKS.gap),
    y: middle(n) - h / 2,
    width: w,
    height: h,
  }));
  const y = boxes[0]?.y ?? start;
  const end = boxes.at(-1);
  return {
    column,
    units: boxes,
    byUnit: new Map(boxes.map((unit) => [unit.unit, unit])),
    box: { x, y, width, height: end ? end.y + end.height - y : 0 },
    slim: [],
    out: x + width,
    bars,
    barsAt: x + width + 5,
    thumbs: new Map(),
  };
}

/** What stands after a column: bars as high as the units. */
function placeSlim(placed: PlacedColumn, joined: boolean, apart: number) {
  const { column, box } = placed;
  if (column.after.length === 0) return;
  const height = Math.max(box.height, 74);
  const y = Math.max(HEAD, box.y + box.height / 2 - height / 2);
  let x = box.x + box.width + apart;
  for (const stations of barsOf(column, joined)) {
    placed.slim.push({ stations, box: { x, y, width: SLIM, height } });
    x += SLIM + 3;
  }
  placed.out = x;
  placed.barsAt = x + 2;
}

/** Thumbnails one below the other, in the order of the units after and before; beside its unit where each has one. */
function placeThumbs(
  placed: PlacedColumn,
  { bundles, links, units }: Shown,
  { sizes: { thumb, stagger, rail }, top, height: lane }: Sized,
  middle: number,
) {
  if (thumb === 0) return;
  const height = bundles[0].count === 1 ? THUMB.flat * thumb : thumb;
  const order = picturedOf(links, bundles).sort(
    (a, b) => bundles[a].to - bundles[b].to || bundles[a].from - bundles[b].from,
  );
  const isOneEach = new Set(order.map((k) => bundles[k].to)).size === order.length;
  const beside = order.length === units.length && isOneEach;
  const places = new Map<number, Rect>();
  // Shared kernels stand apart: links from all units to each of them pass between.
  const apart = order.length < links.length ? 60 : 10;
  const step = Math.min(lane / order.length, 1.6 * thumb + apart);
  const start = top + (lane - step * order.length) / 2;
  order.forEach((k, n) => {
    const unit = beside ? placed.byUnit.get(bundles[k].to) : undefined;
    let y = unit ? unit.y + unit.height / 2 : start + step * (n + 0.5);
    if (stagger > 1) y = top + height / 2 + (n * (lane - height)) / (order.length - 1);
    const x = middle - rail / 2 + (n % stagger) * (thumb + STAGGER.gap);
    places.set(bundles[k].first, { x, y: y - height / 2, width: thumb, height });
  });
  for (const k of links) placed.thumbs.set(k, places.get(bundles[k].first) as Rect);
}

/** The links that have a picture of their own: of those with the same functions, a shared kernel, the first. */
function picturedOf(links: readonly number[], bundles: readonly Bundle[]): number[] {
  const known = new Map<number, number>();
  for (const k of links) if (!known.has(bundles[k].first)) known.set(bundles[k].first, k);
  return [...known.values()];
}

/** Thumbnails with the number of a bundle each, every one once. */
export function thumbsOnce({ thumbs }: PlacedColumn): [number, Rect][] {
  const known = new Map<Rect, number>();
  for (const [n, box] of thumbs) if (!known.has(box)) known.set(box, n);
  return [...known].map(([box, n]) => [n, box]);
}
