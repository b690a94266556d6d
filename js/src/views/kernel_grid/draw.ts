/** Draws a picture on a 2D context. Coordinates are the arrangement's pixels. */

import type { Plan } from "../../phi/curves.ts";
import { kernelsWithin, type Rect, rectOf } from "../../phi/geometry.ts";
import type { Palette } from "../../phi/palette.ts";
import { paintLabels, paintStuckHead } from "../../scene/heads.ts";
import type { Picture } from "./picture.ts";
import { tintOf } from "./scores.ts";
import { isGrey } from "./settings.ts";
import type { Points, Subject } from "./subject.ts";

export const COLOURS = [
  "ink",
  "ghost",
  "zero",
  "cell",
  "outside",
  "muted",
  "accent",
  "surface",
  "warn",
  "rise",
  "fall",
] as const;

export type Colours = Record<(typeof COLOURS)[number], string>;

/** Free pixels between a curve and the edge of its cell. */
export const INSET = 2;

/**
 * Without a graphics card a line of one pixel or less is drawn some 30 times as fast as a wider one: a thousand curves
 * in 2 ms. Wider lines are for a few, and those go one by one, because crowded paths take longer still.
 */
const FEW_CURVES = 150;
const PATH_CURVES = 64;

export interface Marks {
  /** Function numbers, -1 for none. */
  hovered: number;
  selected: number;
  /** The keyboard's place. */
  cursor: number;
  /** Where on the hovered curve the pointer is. */
  x: number | null;
}

export interface Page {
  /** The visible part of the arrangement. */
  view: Rect;
  /** Device pixels per pixel. */
  ratio: number;
  font: string;
  colours: Colours;
  palette: Palette;
}

/** What lies under the curves and seldom changes: labels, cells, zero lines, the ghost. Drawn once, then copied. */
export interface Ground {
  canvas: HTMLCanvasElement;
  /** What it was drawn from. */
  key: string;
  from: readonly unknown[];
}

export function createGround(document: Document): Ground {
  return { canvas: document.createElement("canvas"), key: "", from: [] };
}

export function paint(
  context: CanvasRenderingContext2D,
  picture: Picture,
  marks: Marks,
  page: Page,
  ground: Ground,
): void {
  const { view, colours } = page;
  const visible = functionsWithin(picture, view);
  if (!copyGround(context, picture, visible, page, ground)) {
    paintGround(context, picture, visible, page);
  }
  if (isGrey(picture.settings)) paintGreys(context, picture, visible, colours);
  else paintCurves(context, picture, visible, page);
  paintMarks(context, picture, marks, colours);
  paintStuckHead(context, picture.arrangement, page);
}

/** Returns false where each function has a scale of its own: a ghost drawn by those changes with every frame. */
function copyGround(
  context: CanvasRenderingContext2D,
  picture: Picture,
  visible: readonly number[],
  page: Page,
  ground: Ground,
): boolean {
  const { arrangement, layer, initial, ghost, settings, scales, shade, xRange } = picture;
  if (ghost && settings.scale !== "layer") return false;
  const { canvas } = ground;
  const { view, ratio, font, colours, palette } = page;
  const from = [arrangement, layer, initial?.frame, shade, palette];
  const key = JSON.stringify([settings, ghost && scales, xRange, view, ratio, font, colours]);
  if (key !== ground.key || from.some((part, k) => part !== ground.from[k])) {
    const under = canvas.getContext("2d");
    if (!under) return false;
    canvas.width = context.canvas.width;
    canvas.height = context.canvas.height;
    paintGround(under, picture, visible, page);
    ground.key = key;
    ground.from = from;
  }
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.drawImage(canvas, 0, 0);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.translate(-view.x, -view.y);
  return true;
}

function paintGround(
  context: CanvasRenderingContext2D,
  picture: Picture,
  visible: readonly number[],
  page: Page,
): void {
  const { view, ratio } = page;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, view.width, view.height);
  context.translate(-view.x, -view.y);
  paintLabels(context, picture.arrangement, page);
  if (!isGrey(picture.settings)) paintCells(context, picture, visible, page);
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

function paintGreys(
  context: CanvasRenderingContext2D,
  picture: Picture,
  visible: readonly number[],
  colours: Colours,
): void {
  const { arrangement, greys } = picture;
  for (const f of visible) {
    const { x, y, width, height } = rectOf(arrangement, f);
    if (Number.isNaN(greys[f])) {
      context.fillStyle = colours.cell;
      context.fillRect(x, y, width, height);
      continue;
    }
    const level = Math.round(255 * greys[f]);
    context.fillStyle = `rgb(${level},${level},${level})`;
    context.fillRect(x, y, width, height);
  }
  // A hairline keeps white cells apart from a white page and black ones from a black page.
  context.strokeStyle = colours.zero;
  context.lineWidth = 1;
  context.beginPath();
  for (const f of visible) {
    const { x, y, width, height } = rectOf(arrangement, f);
    context.rect(x + 0.5, y + 0.5, width - 1, height - 1);
  }
  context.stroke();
  paintBroken(context, picture, visible, (f) => Number.isNaN(greys[f]), colours);
}

function paintCells(
  context: CanvasRenderingContext2D,
  picture: Picture,
  visible: readonly number[],
  page: Page,
): void {
  const { arrangement, layer, xRange, ghost, shade } = picture;
  const { colours, palette, ratio } = page;
  const rects = visible.map((f) => rectOf(arrangement, f));
  const toX = xMapping(picture);

  // The cell; where x runs beyond the grid's range, a fainter ground there.
  const [lo, hi] = [Math.max(layer.domain[0], xRange[0]), Math.min(layer.domain[1], xRange[1])];
  const wide = lo > xRange[0] || hi < xRange[1];
  context.fillStyle = wide ? colours.outside : colours.cell;
  context.beginPath();
  for (const { x, y, width, height } of rects) context.rect(x, y, width, height);
  context.fill();
  if (wide && lo < hi) {
    context.fillStyle = colours.cell;
    context.beginPath();
    for (const { x, y, height } of rects) {
      context.rect(x + toX(lo), y, toX(hi) - toX(lo), height);
    }
    context.fill();
  }

  if (shade?.values) {
    const [from, to] = wide ? [toX(lo), toX(hi)] : [0, arrangement.cell];
    visible.forEach((f, k) => {
      const tint = tintOf(shade, f, palette);
      if (tint === null || from >= to) return;
      context.fillStyle = tint;
      context.fillRect(rects[k].x + from, rects[k].y, to - from, rects[k].height);
    });
  }

  context.strokeStyle = colours.zero;
  context.lineWidth = 1;
  context.beginPath();
  for (const { x, y, width, height } of rects) {
    const zero = (Math.floor((y + height / 2) * ratio) + 0.5) / ratio;
    context.moveTo(x, zero);
    context.lineTo(x + width, zero);
  }
  context.stroke();

  if (ghost) {
    context.lineJoin = "round";
    context.lineCap = "butt";
    context.strokeStyle = colours.ghost;
    context.lineWidth = 1;
    context.setLineDash(arrangement.cell < 28 ? [2, 2] : [3, 2.5]);
    strokeAll(context, picture, ghost.subject, ghost.plan, visible);
    context.setLineDash([]);
  }
}

function paintCurves(
  context: CanvasRenderingContext2D,
  picture: Picture,
  visible: readonly number[],
  { colours }: Page,
): void {
  const { arrangement, ranges, settings } = picture;
  context.lineJoin = "round";
  context.lineCap = "butt";
  if (settings.mode === "change") fillToZero(context, picture, visible, colours);
  context.strokeStyle = colours.ink;
  context.lineWidth = arrangement.cell < 28 || visible.length > FEW_CURVES ? 1 : 1.35;
  const flat = strokeAll(context, picture, picture.subject, picture.plan, visible);

  // A constant function gets a small mark, so that it is not taken for one that is merely small.
  context.fillStyle = colours.muted;
  for (const f of flat) {
    const { x, y, width } = rectOf(arrangement, f);
    context.fillRect(x + width - 5, y + 2, 3, 3);
  }
  paintBroken(context, picture, visible, (f) => Number.isNaN(ranges[f]), colours);
}

/** Strokes the finite functions and returns the constant ones among them. */
function strokeAll(
  context: CanvasRenderingContext2D,
  picture: Picture,
  subject: Subject,
  plan: Plan,
  visible: readonly number[],
): number[] {
  const { arrangement } = picture;
  const points = pointsFor(plan);
  const toX = xMapping(picture);
  const half = arrangement.cell / 2;
  const flat: number[] = [];
  const together = context.lineWidth > 1 ? 1 : PATH_CURVES;
  let pending = 0;
  context.beginPath();
  for (const f of visible) {
    const n = subject.curve(f, plan, points);
    const { x, y } = rectOf(arrangement, f);
    const middle = y + half;
    const scale = (half - INSET) / axisOf(picture, f);
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
    context.moveTo(x + toX(points.x[0]), middle - scale * points.y[0]);
    for (let p = 1; p < n; p++) context.lineTo(x + toX(points.x[p]), middle - scale * points.y[p]);
    if (++pending === together) {
      context.stroke();
      context.beginPath();
      pending = 0;
    }
  }
  context.stroke();
  return flat;
}

/** Colours the area between a change and zero: one colour where φ rose, one where it fell. */
function fillToZero(
  context: CanvasRenderingContext2D,
  picture: Picture,
  visible: readonly number[],
  colours: Colours,
): void {
  const { arrangement, subject, plan } = picture;
  const points = pointsFor(plan);
  const toX = xMapping(picture);
  const half = arrangement.cell / 2;
  for (const sign of [1, -1]) {
    context.fillStyle = sign > 0 ? colours.rise : colours.fall;
    let pending = 0;
    context.beginPath();
    for (const f of visible) {
      if (Number.isNaN(picture.ranges[f])) continue;
      const n = subject.curve(f, plan, points);
      if (n < 2) continue;
      const { x, y } = rectOf(arrangement, f);
      const middle = y + half;
      const scale = (half - INSET) / axisOf(picture, f);
      context.moveTo(x + toX(points.x[0]), middle);
      for (let p = 0; p < n; p++) {
        const value = points.y[p];
        const before = p > 0 ? points.y[p - 1] : value;
        if (value * before < 0) {
          const share = before / (before - value);
          const zero = points.x[p - 1] + share * (points.x[p] - points.x[p - 1]);
          context.lineTo(x + toX(zero), middle);
        }
        context.lineTo(x + toX(points.x[p]), middle - scale * Math.max(0, sign * value) * sign);
      }
      context.lineTo(x + toX(points.x[n - 1]), middle);
      context.closePath();
      if (++pending === PATH_CURVES) {
        context.fill();
        context.beginPath();
        pending = 0;
      }
    }
    context.fill();
  }
}

function paintBroken(
  context: CanvasRenderingContext2D,
  picture: Picture,
  visible: readonly number[],
  broken: (f: number) => boolean,
  colours: Colours,
): void {
  if (picture.broken === 0) return;
  const arm = Math.min(5, picture.arrangement.cell / 5);
  context.strokeStyle = colours.warn;
  context.lineWidth = 1.5;
  context.beginPath();
  for (const f of visible) {
    if (!broken(f)) continue;
    const { x, y, width, height } = rectOf(picture.arrangement, f);
    const [cx, cy] = [x + width / 2, y + height / 2];
    context.moveTo(cx - arm, cy - arm);
    context.lineTo(cx + arm, cy + arm);
    context.moveTo(cx - arm, cy + arm);
    context.lineTo(cx + arm, cy - arm);
  }
  context.stroke();
}

function paintMarks(
  context: CanvasRenderingContext2D,
  picture: Picture,
  marks: Marks,
  colours: Colours,
): void {
  const outline = (f: number, colour: string, width: number, outset: number) => {
    const r = rectOf(picture.arrangement, f);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.strokeRect(r.x - outset, r.y - outset, r.width + 2 * outset, r.height + 2 * outset);
  };
  const { hovered, selected, cursor, x } = marks;
  if (hovered >= 0 && hovered !== selected && hovered !== cursor)
    outline(hovered, colours.muted, 1, 0.5);
  if (selected >= 0) {
    outline(selected, colours.surface, 4, 1);
    outline(selected, colours.accent, 2, 1);
  }
  if (cursor >= 0) {
    context.setLineDash([3, 2]);
    outline(cursor, colours.ink, 1.5, cursor === selected ? 3.5 : 1);
    context.setLineDash([]);
  }
  if (hovered >= 0 && x !== null && !isGrey(picture.settings)) {
    const r = rectOf(picture.arrangement, hovered);
    const value = picture.subject.at(hovered, x);
    if (!Number.isFinite(value)) return;
    const [cx, cy] = placeOf(picture, hovered, x, value);
    context.strokeStyle = colours.accent;
    context.lineWidth = 1;
    context.globalAlpha = 0.45;
    context.beginPath();
    context.moveTo(cx, r.y);
    context.lineTo(cx, r.y + r.height);
    context.stroke();
    context.globalAlpha = 1;
    context.fillStyle = colours.accent;
    context.beginPath();
    context.arc(cx, cy, 2.75, 0, 2 * Math.PI);
    context.fill();
  }
}

/** Where a point of function f is drawn, in the arrangement's pixels. */
export function placeOf(picture: Picture, f: number, x: number, value: number): [number, number] {
  const r = rectOf(picture.arrangement, f);
  const scale = (r.height / 2 - INSET) / axisOf(picture, f);
  return [r.x + xMapping(picture)(x), r.y + r.height / 2 - scale * value];
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

function pointsFor(plan: Plan): Points {
  return { x: new Float32Array(plan.points), y: new Float32Array(plan.points) };
}
