/** The drawing: a 2D context and plain data. */

import type { Range } from "./terms.ts";
import { type Box, ticks, tickTexts, toX, toY } from "./window.ts";

export const COLOURS = [
  "surface",
  "ink",
  "muted",
  "line",
  "cell",
  "outside",
  "zero",
  "ghost",
  "accent",
  "warn",
  "base",
  "spline",
  "density",
] as const;

export type Colours = Record<(typeof COLOURS)[number], string>;

export interface Line {
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  colour: string;
  width: number;
  dash?: number[];
  alpha?: number;
  /** Where the area that belongs to the line ends, if it has one. */
  from?: ArrayLike<number>;
  fill?: number;
}

export interface Density {
  edges: ArrayLike<number>;
  counts: ArrayLike<number>;
}

export interface Scene {
  x: Range;
  y: Range;
  variable: string;
  domain: Range;
  knots: readonly number[];
  lines: readonly Line[];
  /** Corners of the control polygon. */
  polygon: readonly { x: number; y: number }[];
  /** null: nothing observed; undefined: no strip. */
  density: Density | null | undefined;
  hint: string;
  /** The input that another view points at, with φ there. */
  mark: { x: number; y: number } | null;
  /** Where it is read, and the marks on the lines there. */
  reading: { x: number; marks: readonly { y: number; colour: string }[] } | null;
}

export interface Places {
  plot: Box;
  strip: Box | null;
}

const LEFT = 58;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 34;
const STRIP = 34;
const GAP = 3;

/** Where plot and strip lie in a canvas of the given size. */
export function placesIn(width: number, height: number, strip: boolean): Places {
  const foot = BOTTOM + (strip ? STRIP + GAP : 0);
  const plot = {
    x: LEFT,
    y: TOP,
    width: Math.max(40, width - LEFT - RIGHT),
    height: Math.max(40, height - TOP - foot),
  };
  const below = { ...plot, y: plot.y + plot.height + GAP, height: STRIP };
  return { plot, strip: strip ? below : null };
}

export function paint(
  context: CanvasRenderingContext2D,
  scene: Scene,
  places: Places,
  paper: { width: number; height: number; ratio: number; font: string; colours: Colours },
): void {
  const { colours, ratio, width, height } = paper;
  const { plot, strip } = places;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = paper.font;
  context.lineJoin = "round";

  ground(context, scene, plot, colours);
  context.save();
  context.beginPath();
  context.rect(plot.x, plot.y, plot.width, plot.height);
  context.clip();
  for (const line of scene.lines) area(context, scene, plot, line);
  for (const line of scene.lines) stroke(context, scene, plot, line);
  polygon(context, scene, plot, colours);
  if (scene.mark) mark(context, scene, plot, scene.mark, colours);
  if (scene.reading) reading(context, scene, plot, scene.reading, colours);
  context.restore();
  if (strip) density(context, scene, strip, colours);
  axes(context, scene, places, colours);
}

function ground(
  context: CanvasRenderingContext2D,
  { x, y, domain, knots }: Scene,
  plot: Box,
  colours: Colours,
): void {
  context.fillStyle = colours.outside;
  context.fillRect(plot.x, plot.y, plot.width, plot.height);
  const left = Math.max(plot.x, toX(x, plot, domain[0]));
  const right = Math.min(plot.x + plot.width, toX(x, plot, domain[1]));
  context.fillStyle = colours.cell;
  if (right > left) context.fillRect(left, plot.y, right - left, plot.height);
  context.strokeStyle = colours.zero;
  context.lineWidth = 1;
  context.globalAlpha = 0.6;
  context.beginPath();
  for (const knot of knots) {
    if (knot < x[0] || knot > x[1]) continue;
    const at = half(toX(x, plot, knot));
    context.moveTo(at, plot.y);
    context.lineTo(at, plot.y + plot.height);
  }
  context.stroke();
  context.globalAlpha = 1;
  if (y[0] <= 0 && y[1] >= 0) {
    const zero = half(toY(y, plot, 0));
    context.beginPath();
    context.moveTo(plot.x, zero);
    context.lineTo(plot.x + plot.width, zero);
    context.strokeStyle = colours.ghost;
    context.stroke();
  }
}

function area(context: CanvasRenderingContext2D, { x, y }: Scene, plot: Box, line: Line): void {
  if (!line.fill || !line.from) return;
  context.beginPath();
  let open = false;
  const n = line.x.length;
  for (let p = 0; p < n; p++) {
    if (!Number.isFinite(line.y[p])) return;
    const [px, py] = [toX(x, plot, line.x[p]), toY(y, plot, line.y[p])];
    if (open) context.lineTo(px, py);
    else context.moveTo(px, py);
    open = true;
  }
  for (let p = n - 1; p >= 0; p--) {
    context.lineTo(toX(x, plot, line.x[p]), toY(y, plot, line.from[p]));
  }
  context.closePath();
  context.globalAlpha = line.fill;
  context.fillStyle = line.colour;
  context.fill();
  context.globalAlpha = 1;
}

function stroke(context: CanvasRenderingContext2D, { x, y }: Scene, plot: Box, line: Line): void {
  context.beginPath();
  let open = false;
  for (let p = 0; p < line.x.length; p++) {
    // A term that adds nothing here leaves no line on the axis.
    if (!Number.isFinite(line.y[p]) || !adds(line, p)) {
      open = false;
      continue;
    }
    const [px, py] = [toX(x, plot, line.x[p]), toY(y, plot, line.y[p])];
    if (open) context.lineTo(px, py);
    else context.moveTo(px, py);
    open = true;
  }
  context.globalAlpha = line.alpha ?? 1;
  context.strokeStyle = line.colour;
  context.lineWidth = line.width;
  context.setLineDash(line.dash ?? []);
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
}

/** Whether a term that is drawn from somewhere is more than that at, or beside, a point. */
function adds({ y, from }: Line, p: number): boolean {
  if (!from) return true;
  for (let k = Math.max(0, p - 1); k <= Math.min(y.length - 1, p + 1); k++) {
    if (y[k] !== from[k]) return true;
  }
  return false;
}

function polygon(
  context: CanvasRenderingContext2D,
  { x, y, polygon: corners }: Scene,
  plot: Box,
  colours: Colours,
): void {
  if (corners.length < 2) return;
  context.beginPath();
  corners.forEach((corner, k) => {
    const [px, py] = [toX(x, plot, corner.x), toY(y, plot, corner.y)];
    if (k === 0) context.moveTo(px, py);
    else context.lineTo(px, py);
  });
  context.strokeStyle = colours.spline;
  context.globalAlpha = 0.45;
  context.lineWidth = 1;
  context.setLineDash([1.5, 3]);
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
}

function reading(
  context: CanvasRenderingContext2D,
  { x, y }: Scene,
  plot: Box,
  at: NonNullable<Scene["reading"]>,
  colours: Colours,
): void {
  const px = half(toX(x, plot, at.x));
  context.beginPath();
  context.moveTo(px, plot.y);
  context.lineTo(px, plot.y + plot.height);
  context.strokeStyle = colours.muted;
  context.lineWidth = 1;
  context.stroke();
  for (const mark of at.marks) {
    if (!Number.isFinite(mark.y)) continue;
    context.beginPath();
    context.arc(px, toY(y, plot, mark.y), 3, 0, 2 * Math.PI);
    context.fillStyle = mark.colour;
    context.fill();
    context.strokeStyle = colours.surface;
    context.stroke();
  }
}

/** A diamond on φ, with a line down to the axis. */
function mark(
  context: CanvasRenderingContext2D,
  { x, y }: Scene,
  plot: Box,
  at: { x: number; y: number },
  colours: Colours,
): void {
  if (!Number.isFinite(at.y)) return;
  const px = toX(x, plot, at.x);
  const py = toY(y, plot, at.y);
  context.beginPath();
  context.moveTo(half(px), py);
  context.lineTo(half(px), plot.y + plot.height);
  context.strokeStyle = colours.accent;
  context.lineWidth = 1;
  context.setLineDash([2, 2]);
  context.stroke();
  context.setLineDash([]);
  context.beginPath();
  context.moveTo(px, py - 6);
  context.lineTo(px + 6, py);
  context.lineTo(px, py + 6);
  context.lineTo(px - 6, py);
  context.closePath();
  context.fillStyle = colours.accent;
  context.fill();
  context.strokeStyle = colours.surface;
  context.stroke();
}

function density(
  context: CanvasRenderingContext2D,
  { x, domain, density: inputs, hint, reading: at }: Scene,
  strip: Box,
  colours: Colours,
): void {
  const floor = strip.y + strip.height;
  context.fillStyle = colours.outside;
  context.fillRect(strip.x, floor, strip.width, 1);
  if (!inputs) {
    context.fillStyle = colours.muted;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(hint, strip.x + strip.width / 2, strip.y + strip.height / 2, strip.width);
    return;
  }
  const { edges, counts } = inputs;
  // Bins are equally wide: a count is a height.
  let most = 0;
  for (let k = 0; k < counts.length; k++) if (counts[k] > most) most = counts[k];
  if (most === 0) return;
  context.save();
  context.beginPath();
  context.rect(strip.x, strip.y, strip.width, strip.height + 1);
  context.clip();
  context.fillStyle = colours.density;
  for (let k = 0; k < counts.length; k++) {
    if (counts[k] === 0) continue;
    const left = toX(x, strip, edges[k]);
    const right = toX(x, strip, edges[k + 1]);
    const tall = Math.max(1, (counts[k] / most) * (strip.height - 2));
    const middle = (edges[k] + edges[k + 1]) / 2;
    context.globalAlpha = middle < domain[0] || middle > domain[1] ? 0.5 : 1;
    context.fillRect(left, floor - tall, Math.max(0.5, right - left - 0.5), tall);
  }
  context.globalAlpha = 1;
  if (at) {
    const px = half(toX(x, strip, at.x));
    context.beginPath();
    context.moveTo(px, strip.y);
    context.lineTo(px, floor);
    context.strokeStyle = colours.muted;
    context.lineWidth = 1;
    context.stroke();
  }
  context.restore();
}

function axes(
  context: CanvasRenderingContext2D,
  scene: Scene,
  { plot, strip }: Places,
  colours: Colours,
): void {
  const { x, y, variable, knots, domain } = scene;
  context.fillStyle = colours.muted;
  context.strokeStyle = colours.line;
  context.lineWidth = 1;

  const across = ticks(x, Math.max(2, Math.min(10, plot.width / 70)));
  const down = ticks(y, Math.max(2, Math.min(9, plot.height / 40)));
  context.textAlign = "right";
  context.textBaseline = "middle";
  tickTexts(down).forEach((text, k) => {
    const at = toY(y, plot, down[k]);
    if (at < plot.y - 1 || at > plot.y + plot.height + 1) return;
    context.fillText(text, plot.x - 8, at, LEFT - 10);
    context.beginPath();
    context.moveTo(plot.x - 5, half(at));
    context.lineTo(plot.x, half(at));
    context.stroke();
  });

  const floor = (strip ? strip.y + strip.height : plot.y + plot.height) + 1;
  context.textAlign = "center";
  context.textBaseline = "top";
  tickTexts(across).forEach((text, k) => {
    const at = toX(x, plot, across[k]);
    context.fillText(text, at, floor + 6);
    context.beginPath();
    context.moveTo(half(at), floor);
    context.lineTo(half(at), floor + 4);
    context.stroke();
  });
  context.textAlign = "center";
  context.fillText(variable, plot.x + plot.width / 2, floor + 19);

  // Knots stand on the axis; the two ends of the grid are longer.
  context.strokeStyle = colours.ink;
  const base = plot.y + plot.height;
  for (const knot of knots) {
    if (knot < x[0] - 1e-9 || knot > x[1] + 1e-9) continue;
    const at = half(toX(x, plot, knot));
    const end = Math.abs(knot - domain[0]) < 1e-6 || Math.abs(knot - domain[1]) < 1e-6;
    context.beginPath();
    context.moveTo(at, base);
    context.lineTo(at, base - (end ? 9 : 5));
    context.stroke();
  }
}

const half = (at: number) => Math.round(at - 0.5) + 0.5;
