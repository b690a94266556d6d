/** What the three ways of looking have in common: what they are given, and what they report back. */

import { element } from "../shared/element.ts";
import type { Direction, Rect } from "../shared/geometry.ts";
import type { Palette } from "../shared/palette.ts";
import type { Line } from "../shared/tip.ts";
import type { Frame, LayerLayout, Store } from "../shared/types.ts";
import type { Images, Settings } from "./settings.ts";

export const COLOURS = [
  "ink",
  "muted",
  "line",
  "zero",
  "cell",
  "surface",
  "accent",
  "warn",
  "ghost",
] as const;

export type Colours = Record<(typeof COLOURS)[number], string>;

export interface Look {
  /** Device pixels per pixel. */
  ratio: number;
  font: (size: number) => string;
  colours: Colours;
  palette: Palette;
  dark: boolean;
}

/** All that a drawing is made from. */
export interface Scene {
  store: Store;
  frame: Frame;
  layer: LayerLayout;
  settings: Settings;
  look: Look;
  width: number;
  images: Images | null;
}

/** What a drawing says beside its pixels. */
export interface Facts {
  /** What the colours stand for: "φ", "response". */
  what: string;
  /** The smallest and the largest scale in use; equal where all share one; null without colours. */
  scales: { smallest: number; largest: number } | null;
  /** What the values really reach. */
  reach: { low: number; high: number } | null;
  axis: string;
  warned: string;
  noted: string;
  readout: string;
  selected: boolean;
  /** Text alternative. */
  label: string;
  /** Text in place of a drawing. */
  message: string;
}

/** What a panel may ask of the view around it. */
export interface Desk {
  document: Document;
  signal: AbortSignal;
  schedule(): void;
  choose(trait: string, value: unknown): void;
  /** Tells a screen reader. */
  say(text: string): void;
  /** `cell` in client pixels. */
  showTip(title: string, lines: Line[], cell: Rect): void;
}

export interface Panel {
  element: HTMLElement;
  draw(scene: Scene): Facts;
}

export const NO_FACTS: Facts = {
  what: "φ",
  scales: null,
  reach: null,
  axis: "",
  warned: "",
  noted: "",
  readout: "",
  selected: false,
  label: "",
  message: "",
};

/** How far an arrow key goes: [columns, rows]. */
export const MOVES: Record<Direction, [number, number]> = {
  left: [-1, 0],
  right: [1, 0],
  up: [0, -1],
  down: [0, 1],
};

export interface Pointer {
  /** In pixels of the canvas; null while the mouse is elsewhere. */
  at: { x: number; y: number } | null;
}

/** Follows the mouse over a canvas. */
export function followPointer(canvas: HTMLCanvasElement, desk: Desk): Pointer {
  const pointer: Pointer = { at: null };
  canvas.addEventListener(
    "pointermove",
    (event) => {
      pointer.at = event.pointerType === "touch" ? null : placeOf(event, canvas);
      desk.schedule();
    },
    { signal: desk.signal },
  );
  canvas.addEventListener(
    "pointerleave",
    () => {
      pointer.at = null;
      desk.schedule();
    },
    { signal: desk.signal },
  );
  return pointer;
}

export function placeOf(event: MouseEvent, canvas: HTMLCanvasElement): { x: number; y: number } {
  const box = canvas.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

/** A canvas that takes the keyboard. */
export function activeCanvas(document: Document, className: string): HTMLCanvasElement {
  const canvas = element(document, "canvas", `kw-canvas ${className}`);
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  return canvas;
}

/** Sizes a canvas where it has another size, empties it, and gives its context in pixels of the page. */
export function prepare(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  ratio: number,
): CanvasRenderingContext2D | null {
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  context?.clearRect(0, 0, width, height);
  return context;
}

/** Frames a cell. */
export function outline(
  context: CanvasRenderingContext2D,
  r: Rect,
  colour: string,
  width: number,
  outset: number,
): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.strokeRect(r.x - outset, r.y - outset, r.width + 2 * outset, r.height + 2 * outset);
}

/** Frames the selected cell so that it stands out on any ground. */
export function frameSelected(
  context: CanvasRenderingContext2D,
  r: Rect,
  { surface, accent }: Colours,
): void {
  outline(context, r, surface, 4, 1);
  outline(context, r, accent, 2, 1);
}

export function inside({ x, y, width, height }: Rect, at: { x: number; y: number }): boolean {
  return at.x >= x && at.x < x + width && at.y >= y && at.y < y + height;
}
