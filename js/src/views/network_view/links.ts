/** The links of a network as lines. */

import type { LinesMark, Mark, Point, Rect } from "../../scene/marks.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import { boldness, type Diagram, type Part, weightOf } from "./diagram.ts";
import { COLUMN_HEAD, type UnitBox } from "./layout.ts";

/** Pieces of a line. */
const PIECES = 18;
const LEVELS = 10;
/** Lines in a gap narrower than this run into each other. */
const NARROW_GAP = 60;
/** More lines than this are drawn thin: see shell/canvas.ts. */
const THIN_ABOVE = 120;
/** Links through shared kernels, each from all units and to many: not so bold that they hide where they go. */
const SHARED = { strong: 0.45, wide: 1.1 };
/** Others are no bolder than that the path stands out. */
const OTHERS = { strong: 0.6, wide: 1.8 };
/** Before anything has run through the network, when strengths of links mean nothing yet. */
export const UNTOLD = { faint: 0.24, strong: 0.24, wide: 1 };
/** Room of the bend from a gutter to a picture, and between a large kernel and the links that pass it. */
const [BEND, PASSING] = [10, 7];
/** A link is pointed at within this many pixels; among several the stronger one is preferred. */
const REACH = { pixels: 6, stronger: 2 };

/** Where a link begins, where it ends, and what it runs through: a gutter between pictures; where the path's kernel is large, its own, or the row in which that stands; over or under a large one that is not its own. */
interface Way {
  from: Point;
  stops: Rect[];
  to: Point;
}

interface Line {
  way: Way;
  /** 0 to 1: how strong it is drawn. */
  weight: number;
}

/** The way of bundle `n` that leads to a column; null where its units are not drawn. Those of all but one pass what stands large in the gap. */
export function wayOf(part: Part, n: number, leg = part.leg): Way | null {
  const { before, byUnit, bundles, box, kernels, rows, stand, pitch, under } = part;
  const { from, to } = bundles[n];
  const [source, target] = [before?.byUnit.get(from), byUnit.get(to)];
  if (!before || !source || !target) return null;
  // It begins at its own map, and runs level behind the others of the row.
  const isCovered = before.units.some(({ x, y }) => y === source.y && x > source.x);
  const leave = { x: source.x + source.width + 1, y: source.port };
  const own = rows.get(to) ?? kernels.get(n);
  const stops: (Rect | null | undefined)[] = [own];
  if (stand) stops.unshift(n === leg ? stand : besideOf(stand, part, before, source, target));
  const over = target.port + (under - pitch) / 2;
  if (pitch > 0 && own) stops.unshift(gutter(box.x, own.x - BEND, over));
  const ending = pitch > 0 && own ? Math.max(own.x + own.width, target.x - 2) : box.x - 2;
  const [end, bend] = [before.box.x + before.box.width, before.pitch > 0 ? BEND : 0];
  if (isCovered) stops.unshift(gutter(leave.x + bend, end, source.port + before.pitch / 2));
  return {
    from: leave,
    stops: stops.flatMap((stop) => stop ?? []),
    to: { x: ending, y: target.port },
  };
}

/** Between the rows of a grid, from one end to the other, if that is any way. */
const gutter = (x: number, end: number, y: number): Rect | null =>
  end > x ? { x, y, width: end - x, height: 0 } : null;

/** Where a link passes a large kernel that is not its own: over it or under it, so that it is seen on its whole way. */
function besideOf(stand: Rect, part: Part, before: Part, source: UnitBox, target: UnitBox): Rect {
  const ends = [before.box, part.box].flatMap(({ y, height }) => [y, y + height]);
  const middle = stand.y + stand.height / 2;
  const half = stand.height / 2 + PASSING;
  const off = (source.port + target.port) / 2 - middle || source.port - middle;
  const far = off < 0 ? middle - Math.min(...ends) : Math.max(...ends) - middle;
  const away = half + (Math.max(0, far - half) * Math.abs(off)) / Math.max(1, far);
  return { x: stand.x, y: middle + Math.sign(off || 1) * away, width: stand.width, height: 0 };
}

export function linesOf(
  part: Part,
  bundles: readonly number[],
  weight: (n: number) => number,
): Line[] {
  return bundles.flatMap((n): Line[] => {
    const way = wayOf(part, n, part.isPassed ? -1 : part.leg);
    return way ? [{ way, weight: weight(n) }] : [];
  });
}

/** The bends of a way: smooth from left to right, level at their ends; between pictures and past them a link is seen, in its own it is not. */
function bendsOf({ from, stops, to }: Way): [Point, Point][] {
  let last = from;
  const bends = stops.flatMap(({ x, y, width, height }): [Point, Point][] => {
    const [start, end] = [x, x + width].map((at) => ({ x: at, y: y + height / 2 }));
    const bend: [Point, Point] = [last, start];
    last = end;
    return height === 0 ? [bend, [start, end]] : [bend];
  });
  return [...bends, [last, to]];
}

/** The cubic with both control points half way: how far it is along x and along y, at t of 0 to 1. */
const alongX = (t: number) => t * (1.5 - 1.5 * t + t * t);
const alongY = (t: number) => t * t * (3 - 2 * t);

interface Batch {
  xy: number[];
  ends: number[];
}

function addWay(way: Way, { xy, ends }: Batch) {
  for (const [a, b] of bendsOf(way)) {
    const count = Math.abs(b.y - a.y) < 0.5 ? 1 : PIECES;
    for (let k = 0; k <= count; k++) {
      const t = k / count;
      xy.push(a.x + (b.x - a.x) * alongX(t), a.y + (b.y - a.y) * alongY(t));
    }
    ends.push(xy.length / 2);
  }
}

/** How high a link runs at an x, and how steeply; null where it does not. */
export function heightAt(way: Way, x: number): { y: number; slope: number } | null {
  for (const [a, b] of bendsOf(way)) {
    if (x < a.x || x > b.x || b.x <= a.x) continue;
    // Where alongX(t) is that share of the way.
    const t = 0.5 + Math.sinh(Math.asinh((4 * (x - a.x)) / (b.x - a.x) - 2) / 3);
    const slope = ((b.y - a.y) * 6 * t * (1 - t)) / ((b.x - a.x) * (1.5 - 3 * t + 3 * t * t));
    return { y: a.y + (b.y - a.y) * alongY(t), slope };
  }
  return null;
}

/** The link at a place of the diagram: the number of its column and of its bundle; null where there is none. */
export function linkAt({ parts }: Diagram, at: Point): { column: number; bundle: number } | null {
  let nearest: { column: number; bundle: number } | null = null;
  let least: number = REACH.pixels;
  for (const part of parts) {
    if (at.x > part.box.x + part.box.width) continue;
    for (const n of part.links) {
      const way = wayOf(part, n);
      const there = way && heightAt(way, at.x);
      // Across the link.
      const away = there ? Math.abs(there.y - at.y) / Math.hypot(1, there.slope) : Infinity;
      if (away > REACH.pixels) continue;
      const far = away - REACH.stronger * weightOf(part.relevance, n);
      if (far < least) [least, nearest] = [far, { column: part.number, bundle: n }];
    }
  }
  return nearest;
}

/** Lines in a few strengths, the weak ones below; `among` is how many there are of which these are some. */
export function lineMarks(
  lines: readonly Line[],
  stroke: string,
  { faint = 0.05, strong = 0.9, wide = 2.4, among = lines.length } = {},
): Mark[] {
  const groups = Array.from({ length: LEVELS }, (): Batch => ({ xy: [], ends: [] }));
  for (const { way, weight } of lines) {
    const level = Math.min(LEVELS - 1, Math.floor(LEVELS * Math.max(0, weight)));
    addWay(way, groups[level]);
  }
  const thin = among > THIN_ABOVE;
  return groups.flatMap(({ xy, ends }, level): LinesMark[] => {
    if (ends.length === 0) return [];
    const share = level / (LEVELS - 1);
    // Many on top of each other are dark however faint each is, the more so in a narrow gap.
    const [{ way }] = lines;
    const gap = Math.min(1, Math.max(0.3, (way.to.x - way.from.x) / NARROW_GAP));
    const fade = Math.min(1, Math.sqrt((30 * gap) / among));
    const opacity = Math.max(0.03, (faint + (strong - faint) * share ** 1.5) * fade);
    const width = thin ? 1 : 0.8 + (wide - 0.8) * share * fade;
    return [{ kind: "lines", xy, ends, stroke, opacity, width }];
  });
}

/** All links; those into `pale` are as a ground for those that are lit there. */
export function linkMarks(
  diagram: Diagram,
  { colours }: Theme,
  opacity: number,
  pale: number,
): Mark[] {
  const marks = diagram.parts.flatMap((part): Mark[] => {
    const { before, relevance, links, column, number } = part;
    if (!before) return [];
    if (!relevance || links.length === 0) return slab(before, part, colours);
    const lines = linesOf(part, links, (n) => boldness(part, n));
    const how = column.layer?.conv?.shared ? SHARED : OTHERS;
    const isTold = diagram.isTold || part.column.layer?.band;
    const own = lineMarks(lines, colours.ink, isTold ? how : UNTOLD);
    return number === pale ? [{ kind: "group", marks: own, opacity: 0.45 }] : own;
  });
  marks.push(...skipMarks(diagram, colours));
  return opacity < 1 ? [{ kind: "group", marks, opacity }] : marks;
}

/** Where the links are not known one by one: all of them as a field. */
function slab(before: Part, after: Part, { ink }: Colours): Mark[] {
  const [a, b] = [before.box, after.box];
  const [x0, x1] = [a.x + a.width + 2, b.x - 3];
  const d = `M${x0} ${a.y}L${x1} ${b.y}V${b.y + b.height}L${x0} ${a.y + a.height}Z`;
  return [{ kind: "path", d, fill: ink, opacity: 0.07 }];
}

/** What passes by some stations: an arc over them. */
function skipMarks({ graph, parts }: Diagram, { muted }: Colours): Mark[] {
  return graph.skips.map(({ column, from }): Mark => {
    const [source, target] = [parts[from].box, parts[column].box];
    const [x0, y0] = [source.x + source.width - 4, source.y - 3];
    const [x1, y1] = [target.x + target.width / 2, target.y - 2];
    const top = Math.max(COLUMN_HEAD - 6, Math.min(y0, y1) - 26);
    const d = `M${x0} ${y0}C${x0 + 14} ${top} ${x1 - 14} ${top} ${x1} ${y1}`;
    return { kind: "path", d, stroke: muted, width: 1.5, dash: [5, 3], opacity: 0.8 };
  });
}
