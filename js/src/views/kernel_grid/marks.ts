/** Draws a picture of the grid as marks. Coordinates are the arrangement's pixels. */

import { maxIndex } from "d3-array";
import type { Plan } from "../../phi/curves.ts";
import { isPlain } from "../../phi/entries.ts";
import { type Rect, rectOf } from "../../phi/geometry.ts";
import { bandOver } from "../../phi/interpolate.ts";
import { paletteOf } from "../../phi/palette.ts";
import {
  brokenMarks,
  cellBoxes,
  cellFrames,
  functionsWithin,
  labelMarks,
  type MarkedCells,
} from "../../scene/cells.ts";
import type { Mark, Paint } from "../../scene/marks.ts";
import { changeMarks } from "../../scene/phi_plot.ts";
import { bandMarks, dot, flat, grown, line, rects, segments, snapped } from "../../scene/shapes.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import { boxOf, cellsMarks } from "./overview.ts";
import type { Picture } from "./picture.ts";
import { tintOf } from "./scores.ts";
import { isFlat, isGrey } from "./settings.ts";
import { pointsOf, roomOf, type Subject } from "./subject.ts";

/** Free pixels between a curve and the edge of its cell. */
const INSET = 2;

/** Pixels of the triangle where a curve is cut. */
const TRIANGLE = 3;

/** More curves than this are drawn thin: see shell/canvas.ts. */
const FEW_CURVES = 150;

interface Marked extends MarkedCells {
  /** Where on the hovered curve the pointer is. */
  x: number | null;
}

/** What lies under the curves and seldom changes: labels, cells, zero lines, and the ghost where its scale is fixed. */
export function cellGroundMarks(picture: Picture, view: Rect, theme: Theme, ratio: number): Mark[] {
  const { arrangement, settings, ghost } = picture;
  const { colours } = theme;
  const marks = labelMarks(arrangement, view, colours);
  if (isFlat(settings)) return marks;
  const visible = functionsWithin(arrangement, view);
  marks.push(...cellMarks(picture, visible, theme, ratio));
  const bands = settings.mode === "curves" && picture.layer.band ? visible : [];
  const placed = bands.map((f) => {
    const band = bandOver(picture.layer, f, picture.xRange);
    return band && { ...band, at: (x: number, y: number) => pointPlace(picture, f, x, y) };
  });
  marks.push(...bandMarks(placed, colours));
  if (ghost) {
    const dash = arrangement.cell < 28 ? [2, 2] : [3, 2.5];
    marks.push(...curves(picture, ghost, visible, { stroke: colours.ghost, dash }));
  }
  return marks;
}

/** What changes with every frame. */
export function functionMarks(picture: Picture, view: Rect, theme: Theme): Mark[] {
  const { arrangement, sizes, settings } = picture;
  const { colours } = theme;
  const { mode } = settings;
  // Cells without a line between them are too many for one rectangle each.
  if (mode === "overview" || (isFlat(settings) && arrangement.cellGap === 0)) {
    return cellsMarks(picture, view, theme);
  }
  const visible = functionsWithin(arrangement, view);
  if (isGrey(settings)) return greyMarks(picture, visible, colours);
  const marks = mode === "change" ? fillMarks(picture, visible, colours) : [];
  const width = arrangement.cell < 28 || visible.length > FEW_CURVES ? 1 : 1.35;
  marks.push(...curves(picture, picture, visible, { stroke: colours.ink, width }));
  if (picture.cut > 0) marks.push(triangleMark(picture, visible, colours));
  const broken = visible.filter((f) => Number.isNaN(sizes[f]));
  return [...marks, ...brokenMarks(arrangement, broken, colours.warn)];
}

function greyMarks({ arrangement, greys }: Picture, visible: number[], colours: Colours): Mark[] {
  const edges = visible.flatMap((f) => flat(grown(rectOf(arrangement, f), -0.5)));
  const fills = visible.map((f) => {
    const level = Math.round(255 * greys[f]);
    return Number.isNaN(greys[f]) ? colours.cell : `rgb(${level},${level},${level})`;
  });
  const broken = visible.filter((f) => Number.isNaN(greys[f]));
  return [
    rects(cellBoxes(arrangement, visible), { fills }),
    // A hairline keeps white cells apart from a white page and black ones from a black page.
    rects(edges, { stroke: colours.zero }),
    ...brokenMarks(arrangement, broken, colours.warn),
  ];
}

export function beyondGrid({ layer, xRange: [from, to] }: Picture): boolean {
  // A line w·x has no grid.
  return !isPlain(layer) && (layer.domain[0] > from || layer.domain[1] < to);
}

function cellMarks(
  picture: Picture,
  visible: readonly number[],
  { name, colours }: Theme,
  ratio: number,
): Mark[] {
  const { arrangement, layer, xRange, shade } = picture;
  const places = visible.map((f) => rectOf(arrangement, f));
  const { toX } = mappingOf(picture);
  const within = (from: number, to: number) =>
    places.flatMap(({ x, y, height }) => [x + from, y, to - from, height]);

  // The cell; where x runs beyond the grid's range, a fainter ground there.
  const [lo, hi] = [Math.max(layer.domain[0], xRange[0]), Math.min(layer.domain[1], xRange[1])];
  const wide = beyondGrid(picture);
  const fill = wide ? colours.outside : colours.cell;
  const marks: Mark[] = [rects(within(0, arrangement.across), { fill })];
  const [from, to] = wide ? [toX(lo), toX(hi)] : [0, arrangement.across];
  if (wide && lo < hi) marks.push(rects(within(from, to), { fill: colours.cell }));
  if (shade?.values && from < to) {
    const palette = paletteOf(name);
    const tints = visible.map((f) => tintOf(shade, f, palette));
    const boxes = within(from, to).filter((_, k) => tints[k >> 2] !== null);
    marks.push(rects(boxes, { fills: tints.filter((tint) => tint !== null) }));
  }
  const zeros = places.flatMap(({ x, y, width, height }) => {
    const zero = snapped(y + height / 2, ratio);
    return [x, zero, x + width, zero];
  });
  return [...marks, segments(zeros, colours.zero)];
}

/** The x at which a cell begins, pixels for each x beyond it, and where in the cell an x lies. */
function mappingOf({ xRange: [from, to], arrangement }: Picture) {
  const slope = (arrangement.across - 2 * INSET) / (to - from);
  return { from, slope, toX: (x: number) => INSET + (x - from) * slope };
}

/** Where in the drawing the points of a function lie. */
function placesOf(picture: Picture, f: number) {
  const { toX } = mappingOf(picture);
  const [cell, axis] = [rectOf(picture.arrangement, f), axisOf(picture, f)];
  const half = cell.height / 2;
  return {
    toX: (x: number) => cell.x + toX(x),
    toY: (y: number) => cell.y + half - ((half - INSET) / axis) * y,
  };
}

/** The finite functions: those within their scale as one batch, each other one cut off by its cell. */
function curves(
  picture: Picture,
  drawn: { subject: Subject; plan: Plan },
  visible: readonly number[],
  paint: Paint,
): Mark[] {
  const xy = new Float32Array(2 * drawn.plan.points * visible.length);
  const [ends, far]: [number[], Mark[]] = [[], []];
  let at = 0;
  const half = picture.arrangement.cell / 2;
  const { from, slope } = mappingOf(picture);
  const points = roomOf(drawn.plan);
  for (const f of visible) {
    const n = drawn.subject.curve(f, drawn.plan, points);
    const [cell, axis] = [rectOf(picture.arrangement, f), axisOf(picture, f)];
    const start = at;
    let reach = 0;
    let sum = 0;
    // The inner loop of a frame: without calls it takes two thirds of the time.
    const scale = (half - INSET) / axis;
    const [left, middle] = [cell.x + INSET, cell.y + half];
    for (let p = 0; p < n; p++, at += 2) {
      const value = points.y[p];
      sum += value;
      if (value > reach || -value > reach) reach = Math.abs(value);
      xy[at] = left + (points.x[p] - from) * slope;
      xy[at + 1] = middle - scale * value;
    }
    const isKnown = n > 0 && Number.isFinite(sum);
    if (isKnown && reach <= axis) {
      ends.push(at / 2);
      continue;
    }
    const own = line(xy.slice(start, at), paint.stroke ?? "", paint);
    if (isKnown) far.push({ kind: "group", clip: cell, marks: [own] });
    at = start;
  }
  return [{ kind: "lines", xy: xy.subarray(0, at), ends, ...paint }, ...far];
}

/** Where a function reaches furthest beyond its scale, a triangle points out of its cell. */
function triangleMark(picture: Picture, visible: readonly number[], { muted }: Colours): Mark {
  const far = visible.filter((f) => picture.sizes[f] > axisOf(picture, f));
  const xy = far.flatMap((f) => {
    const points = pointsOf(picture.subject, picture.plan, f);
    const furthest = maxIndex(points.y, Math.abs);
    const { x, y, width, height } = rectOf(picture.arrangement, f);
    const size = Math.min(TRIANGLE, width / 4);
    const at = x + mappingOf(picture).toX(points.x[furthest]);
    const middle = Math.max(x + size, Math.min(x + width - size, at));
    const [tip, foot] = points.y[furthest] > 0 ? [y, y + size] : [y + height, y + height - size];
    return [middle, tip, middle - size, foot, middle + size, foot];
  });
  const ends = far.map((_, k) => 3 * k + 3);
  return { kind: "lines", xy, ends, closed: true, fill: muted };
}

/** The area between a change and zero, cut where its cell ends. */
function fillMarks(picture: Picture, visible: readonly number[], colours: Colours): Mark[] {
  const known = visible.filter((f) => !Number.isNaN(picture.sizes[f]));
  const changed = known.map((f) => {
    const axis = axisOf(picture, f);
    const { x, y } = pointsOf(picture.subject, picture.plan, f);
    const now = { x, y: y.map((value) => Math.max(-axis, Math.min(axis, value))) };
    const was = { x, y: new Float32Array(x.length) };
    return { now, was, ...placesOf(picture, f) };
  });
  return changeMarks(changed, colours, 1);
}

/** What is pointed at and what is selected. */
export function markedMarks(picture: Picture, marked: Marked, { colours }: Theme): Mark[] {
  const { hovered, x } = marked;
  const marks = cellFrames(marked, (f) => boxOf(picture, f), colours.muted, colours);
  if (hovered < 0 || x === null || isFlat(picture.settings)) return marks;
  const { y: top, height } = rectOf(picture.arrangement, hovered);
  const value = picture.subject.at(hovered, x);
  if (!Number.isFinite(value)) return marks;
  const [cx, cy] = pointPlace(picture, hovered, x, value);
  return [
    ...marks,
    line([cx, top, cx, top + height], colours.accent, { opacity: 0.45 }),
    dot(cx, cy, 2.75, { fill: colours.accent }),
  ];
}

/** Where a point of function f is drawn, in the arrangement's pixels; at the edge of its cell where it is cut. */
export function pointPlace(picture: Picture, f: number, x: number, value: number) {
  const axis = axisOf(picture, f);
  const { toX, toY } = placesOf(picture, f);
  return [toX(x), toY(Math.max(-axis, Math.min(axis, value)))] as const;
}

/** The x under a horizontal place inside a cell, kept within the drawn range. */
export function xAt(picture: Picture, insideX: number): number {
  const [lo, hi] = picture.xRange;
  const { from, slope } = mappingOf(picture);
  return Math.max(lo, Math.min(hi, from + (insideX - INSET) / slope));
}

const axisOf = (picture: Picture, f: number) => picture.scaleOf(f) || 1;
