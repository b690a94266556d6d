/** Draws a picture of the grid as marks. Coordinates are the arrangement's pixels. No DOM. */

import type { Plan } from "../../phi/curves.ts";
import { kernelsWithin, type Rect, rectOf } from "../../phi/geometry.ts";
import { paletteOf } from "../../phi/palette.ts";
import { labelMarks } from "../../scene/heads.ts";
import type { Mark, Paint } from "../../scene/marks.ts";
import { snapped } from "../../scene/snap.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import { boxOf, cellsMarks } from "./overview.ts";
import type { Picture } from "./picture.ts";
import { tintOf } from "./scores.ts";
import { isFlat, isGrey } from "./settings.ts";
import type { Points, Subject } from "./subject.ts";

/** Free pixels between a curve and the edge of its cell. */
export const INSET = 2;

/** Pixels of the triangle where a curve is cut. */
const TRIANGLE = 4;

/** More curves than this are drawn thin: see shell/canvas.ts. */
const FEW_CURVES = 150;

/** Function numbers, −1 for none. */
export interface Marked {
  hovered: number;
  selected: number;
  /** The keyboard's place. */
  cursor: number;
  /** Where on the hovered curve the pointer is. */
  x: number | null;
}

/** The functions whose cells may be seen. */
export function functionsWithin(picture: Picture, view: Rect): number[] {
  const size = picture.arrangement.kh * picture.arrangement.kw;
  const functions: number[] = [];
  for (const kernel of kernelsWithin(picture.arrangement, view)) {
    for (let entry = 0; entry < size; entry++) functions.push(kernel * size + entry);
  }
  return functions;
}

/** What lies under the curves and seldom changes: labels, cells, zero lines, and the ghost where its scale is fixed. */
export function groundMarks(picture: Picture, view: Rect, theme: Theme, ratio: number): Mark[] {
  const { colours } = theme;
  const marks = labelMarks(picture.arrangement, view, colours);
  if (isFlat(picture.settings)) return marks;
  const visible = functionsWithin(picture, view);
  marks.push(...cellMarks(picture, visible, theme, ratio));
  if (picture.ghost) {
    const { subject, plan } = picture.ghost;
    const dash = picture.arrangement.cell < 28 ? [2, 2] : [3, 2.5];
    marks.push(curves(picture, subject, plan, visible, { stroke: colours.ghost, dash }).mark);
  }
  return marks;
}

/** What changes with every frame. */
export function functionMarks(picture: Picture, view: Rect, theme: Theme): Mark[] {
  const { colours } = theme;
  // Cells without a line between them are too many for one rectangle each.
  const { mode } = picture.settings;
  if (mode === "overview" || (isFlat(picture.settings) && picture.arrangement.cellGap === 0)) {
    return cellsMarks(picture, view, theme);
  }
  const visible = functionsWithin(picture, view);
  if (isGrey(picture.settings)) return greyMarks(picture, visible, colours);
  const { arrangement, ranges, settings } = picture;
  const marks = settings.mode === "change" ? fillMarks(picture, visible, colours) : [];
  const width = arrangement.cell < 28 || visible.length > FEW_CURVES ? 1 : 1.35;
  const drawn = curves(picture, picture.subject, picture.plan, visible, {
    stroke: colours.ink,
    width,
  });
  marks.push(drawn.mark);
  if (picture.cut > 0) marks.push(triangleMark(picture, visible, colours));
  // A constant function gets a small mark, so that it is not taken for one that is merely small.
  const boxes = drawn.flat.flatMap((f) => {
    const { x, y, width: w } = rectOf(arrangement, f);
    return [x + w - 5, y + 2, 3, 3];
  });
  if (boxes.length > 0) marks.push({ kind: "rects", boxes, fill: colours.muted });
  marks.push(...brokenMarks(picture, visible, (f) => Number.isNaN(ranges[f]), colours));
  return marks;
}

function greyMarks(picture: Picture, visible: readonly number[], colours: Colours): Mark[] {
  const { arrangement, greys } = picture;
  const boxes: number[] = [];
  const edges: number[] = [];
  const fills: string[] = [];
  for (const f of visible) {
    const { x, y, width, height } = rectOf(arrangement, f);
    boxes.push(x, y, width, height);
    edges.push(x + 0.5, y + 0.5, width - 1, height - 1);
    const level = Math.round(255 * greys[f]);
    fills.push(Number.isNaN(greys[f]) ? colours.cell : `rgb(${level},${level},${level})`);
  }
  return [
    { kind: "rects", boxes, fills },
    // A hairline keeps white cells apart from a white page and black ones from a black page.
    { kind: "rects", boxes: edges, stroke: colours.zero },
    ...brokenMarks(picture, visible, (f) => Number.isNaN(greys[f]), colours),
  ];
}

/** Whether x runs beyond the grid's range. */
export function beyondGrid({ layer: { domain }, xRange }: Picture): boolean {
  return domain[0] > xRange[0] || domain[1] < xRange[1];
}

function cellMarks(
  picture: Picture,
  visible: readonly number[],
  theme: Theme,
  ratio: number,
): Mark[] {
  const { arrangement, layer, xRange, shade } = picture;
  const { colours } = theme;
  const rects = visible.map((f) => rectOf(arrangement, f));
  const toX = xMapping(picture);
  const within = (from: number, to: number) =>
    rects.flatMap(({ x, y, height }) => [x + from, y, to - from, height]);

  // The cell; where x runs beyond the grid's range, a fainter ground there.
  const [lo, hi] = [Math.max(layer.domain[0], xRange[0]), Math.min(layer.domain[1], xRange[1])];
  const wide = beyondGrid(picture);
  const ground = wide ? colours.outside : colours.cell;
  const marks: Mark[] = [{ kind: "rects", boxes: within(0, arrangement.cell), fill: ground }];
  const [from, to] = wide ? [toX(lo), toX(hi)] : [0, arrangement.cell];
  if (wide && lo < hi) marks.push({ kind: "rects", boxes: within(from, to), fill: colours.cell });
  if (shade?.values && from < to) {
    const palette = paletteOf(theme.name);
    const boxes: number[] = [];
    const fills: string[] = [];
    visible.forEach((f, k) => {
      const tint = tintOf(shade, f, palette);
      if (tint === null) return;
      boxes.push(rects[k].x + from, rects[k].y, to - from, rects[k].height);
      fills.push(tint);
    });
    marks.push({ kind: "rects", boxes, fills });
  }
  const zeros = rects.flatMap(({ x, y, width, height }) => {
    const zero = snapped(y + height / 2, ratio);
    return [x, zero, x + width, zero];
  });
  const ends = rects.map((_, k) => 2 * k + 2);
  marks.push({ kind: "lines", xy: zeros, ends, stroke: colours.zero });
  return marks;
}

/** The finite functions as one batch, and the constant ones among them. */
function curves(
  picture: Picture,
  subject: Subject,
  plan: Plan,
  visible: readonly number[],
  paint: Paint,
): { mark: Mark; flat: number[] } {
  const { arrangement } = picture;
  const points = { x: new Float32Array(plan.points), y: new Float32Array(plan.points) };
  const toX = xMapping(picture);
  const half = arrangement.cell / 2;
  const flat: number[] = [];
  const xy = new Float32Array(2 * plan.points * visible.length);
  const ends: number[] = [];
  const parts: number[] = [];
  const partEnds: number[] = [];
  let at = 0;
  for (const f of visible) {
    const n = subject.curve(f, plan, points);
    const { x, y } = rectOf(arrangement, f);
    const middle = y + half;
    const axis = axisOf(picture, f);
    const scale = (half - INSET) / axis;
    let least = points.y[0];
    let most = least;
    let sum = 0;
    for (let p = 0; p < n; p++) {
      const value = points.y[p];
      sum += value;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    if (n === 0 || !Number.isFinite(sum)) continue;
    if (most - least <= 1e-6 * Math.max(Math.abs(least), Math.abs(most))) flat.push(f);
    if (most > axis || least < -axis) {
      for (const part of partsWithin(points, n, axis)) {
        for (const [px, py] of part) parts.push(x + toX(px), middle - scale * py);
        partEnds.push(parts.length / 2);
      }
      continue;
    }
    for (let p = 0; p < n; p++, at += 2) {
      xy[at] = x + toX(points.x[p]);
      xy[at + 1] = middle - scale * points.y[p];
    }
    ends.push(at / 2);
  }
  if (parts.length === 0) {
    return { mark: { kind: "lines", xy: xy.subarray(0, at), ends, ...paint }, flat };
  }
  const all = new Float32Array(at + parts.length);
  all.set(xy.subarray(0, at));
  all.set(parts, at);
  for (const end of partEnds) ends.push(at / 2 + end);
  return { mark: { kind: "lines", xy: all, ends, ...paint }, flat };
}

/** The parts of a curve between −axis and axis, which end where it crosses them. */
function partsWithin({ x, y }: Points, n: number, axis: number): [number, number][][] {
  const parts: [number, number][][] = [];
  let part: [number, number][] = [];
  const end = () => {
    if (part.length > 1) parts.push(part);
    part = [];
  };
  for (let p = 0; p < n; p++) {
    const inside = Math.abs(y[p]) <= axis;
    if (p > 0) {
      const crossings = [-axis, axis]
        .map((level) => ({ level, share: (level - y[p - 1]) / (y[p] - y[p - 1]) }))
        .filter(({ share }) => share > 0 && share < 1)
        .sort((a, b) => a.share - b.share);
      for (const { level, share } of crossings) {
        const open = part.length > 0;
        part.push([x[p - 1] + share * (x[p] - x[p - 1]), level]);
        if (open) end();
      }
    }
    if (inside) part.push([x[p], y[p]]);
    else end();
  }
  end();
  return parts;
}

/** Where a function reaches furthest beyond its scale, a triangle points out of its cell. */
function triangleMark(picture: Picture, visible: readonly number[], colours: Colours): Mark {
  const { arrangement, subject, plan, ranges } = picture;
  const points = { x: new Float32Array(plan.points), y: new Float32Array(plan.points) };
  const toX = xMapping(picture);
  const xy: number[] = [];
  const ends: number[] = [];
  for (const f of visible) {
    if (!(ranges[f] > axisOf(picture, f))) continue;
    const n = subject.curve(f, plan, points);
    let furthest = 0;
    for (let p = 1; p < n; p++) {
      if (Math.abs(points.y[p]) > Math.abs(points.y[furthest])) furthest = p;
    }
    const { x, y, width, height } = rectOf(arrangement, f);
    const size = Math.min(TRIANGLE, width / 4);
    const middle = Math.max(size, Math.min(width - size, toX(points.x[furthest])));
    const [tip, foot] = points.y[furthest] > 0 ? [y, y + size] : [y + height, y + height - size];
    xy.push(x + middle, tip, x + middle - size, foot, x + middle + size, foot);
    ends.push(xy.length / 2);
  }
  return { kind: "lines", xy, ends, closed: true, fill: colours.ink };
}

/** The area between a change and zero: one colour where φ rose, one where it fell. */
function fillMarks(picture: Picture, visible: readonly number[], colours: Colours): Mark[] {
  const { arrangement, subject, plan } = picture;
  const points = { x: new Float32Array(plan.points), y: new Float32Array(plan.points) };
  const toX = xMapping(picture);
  const half = arrangement.cell / 2;
  return [1, -1].map((sign): Mark => {
    const xy: number[] = [];
    const ends: number[] = [];
    for (const f of visible) {
      if (Number.isNaN(picture.ranges[f])) continue;
      const n = subject.curve(f, plan, points);
      if (n < 2) continue;
      const { x, y } = rectOf(arrangement, f);
      const middle = y + half;
      const axis = axisOf(picture, f);
      const scale = (half - INSET) / axis;
      xy.push(x + toX(points.x[0]), middle);
      for (let p = 0; p < n; p++) {
        const value = points.y[p];
        const before = p > 0 ? points.y[p - 1] : value;
        if (value * before < 0) {
          const share = before / (before - value);
          xy.push(x + toX(points.x[p - 1] + share * (points.x[p] - points.x[p - 1])), middle);
        }
        const size = Math.min(axis, Math.max(0, sign * value));
        xy.push(x + toX(points.x[p]), middle - scale * size * sign);
      }
      xy.push(x + toX(points.x[n - 1]), middle);
      ends.push(xy.length / 2);
    }
    const fill = sign > 0 ? colours.rise : colours.fall;
    return { kind: "lines", xy, ends, closed: true, fill };
  });
}

function brokenMarks(
  picture: Picture,
  visible: readonly number[],
  broken: (f: number) => boolean,
  colours: Colours,
): Mark[] {
  if (picture.broken === 0) return [];
  const arm = Math.min(5, picture.arrangement.cell / 5);
  const xy: number[] = [];
  for (const f of visible) {
    if (!broken(f)) continue;
    const { x, y, width, height } = rectOf(picture.arrangement, f);
    const [cx, cy] = [x + width / 2, y + height / 2];
    xy.push(cx - arm, cy - arm, cx + arm, cy + arm, cx - arm, cy + arm, cx + arm, cy - arm);
  }
  const ends = Array.from({ length: xy.length / 4 }, (_, k) => 2 * k + 2);
  return [{ kind: "lines", xy, ends, stroke: colours.warn, width: 1.5 }];
}

/** What is pointed at and what is selected. */
export function markedMarks(picture: Picture, marked: Marked, { colours }: Theme): Mark[] {
  const marks: Mark[] = [];
  const outline = (f: number, stroke: string, width: number, outset: number, dash?: number[]) => {
    const r = boxOf(picture, f);
    const boxes = [r.x - outset, r.y - outset, r.width + 2 * outset, r.height + 2 * outset];
    marks.push({ kind: "rects", boxes, stroke, width, dash });
  };
  const { hovered, selected, cursor, x } = marked;
  if (hovered >= 0 && hovered !== selected && hovered !== cursor) {
    outline(hovered, colours.muted, 1, 0.5);
  }
  if (selected >= 0) {
    outline(selected, colours.surface, 4, 1);
    outline(selected, colours.accent, 2, 1);
  }
  if (cursor >= 0) outline(cursor, colours.ink, 1.5, cursor === selected ? 3.5 : 1, [3, 2]);
  if (hovered >= 0 && x !== null && !isFlat(picture.settings)) {
    const r = rectOf(picture.arrangement, hovered);
    const value = picture.subject.at(hovered, x);
    if (!Number.isFinite(value)) return marks;
    const [cx, cy] = placeOf(picture, hovered, x, value);
    const line = [cx, r.y, cx, r.y + r.height];
    marks.push({ kind: "lines", xy: line, ends: [2], stroke: colours.accent, opacity: 0.45 });
    marks.push({ kind: "dots", xy: [cx, cy], r: 2.75, fill: colours.accent });
  }
  return marks;
}

/** Where a point of function f is drawn, in the arrangement's pixels; at the edge of its cell where it is cut. */
export function placeOf(picture: Picture, f: number, x: number, value: number): [number, number] {
  const r = rectOf(picture.arrangement, f);
  const share = Math.max(-1, Math.min(1, value / axisOf(picture, f)));
  return [r.x + xMapping(picture)(x), r.y + r.height / 2 - (r.height / 2 - INSET) * share];
}

/** The x under a horizontal place inside a cell, kept within the drawn range. */
export function xAt(picture: Picture, insideX: number): number {
  const [lo, hi] = picture.xRange;
  const share = (insideX - INSET) / (picture.arrangement.cell - 2 * INSET);
  return lo + (hi - lo) * Math.max(0, Math.min(1, share));
}

function xMapping(picture: Picture): (x: number) => number {
  const [lo, hi] = picture.xRange;
  const slope = (picture.arrangement.cell - 2 * INSET) / (hi - lo);
  return (x) => INSET + (x - lo) * slope;
}

function axisOf(picture: Picture, f: number): number {
  const scale = picture.scaleOf(f);
  return scale > 0 ? scale : 1;
}
