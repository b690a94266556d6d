/** The buttons that save what is on screen as a PNG or an SVG. */

import { createKit } from "./controls.ts";
import { element } from "./element.ts";
import { type Drawn, shapesOf } from "./page_shapes.ts";
import { record, type Shape } from "./record.ts";
import { svgOf } from "./svg.ts";

/** What a view tells about itself when it is saved. */
export interface Saved {
  /** All that is saved; a box of several views for those that are one of its parts. */
  root(): HTMLElement;
  /** "kernel-grid convs.0 step 60": the file's name without its ending. */
  name(): string;
  /** Draws all canvases anew, at once. */
  redraw(): void;
}

/** What tests may ask of the buttons, as `element.kwSave`. */
export interface SaveElement extends HTMLElement {
  kwSave: { svg(): string; png(): Promise<Blob | null>; redraw(): void };
}

export function createSave(document: Document, saved: Saved, signal: AbortSignal): HTMLElement {
  const window = document.defaultView as Window & typeof globalThis;
  const kit = createKit(document, signal);
  const box = element(document, "span", "kw-save") as unknown as SaveElement;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Save what is shown");
  // The views in a box have buttons of their own, and draw themselves.
  const redraw = () => {
    const parts = saved.root().querySelectorAll<SaveElement>(".kw-save");
    for (const { kwSave } of parts) kwSave.redraw();
  };
  const svg = () => {
    const drawn = shapesOf(saved.root(), record(window, redraw));
    return svgOf(drawn.shapes, { ...drawn, title: saved.name() });
  };
  const png = () => pngOf(document, shapesOf(saved.root(), new Map()));
  box.append(
    kit.button("PNG", "Save what is shown as a PNG", "kw-save-button", async () => {
      const blob = await png();
      if (blob) download(document, blob, `${fileName(saved.name())}.png`);
    }),
    kit.button("SVG", "Save what is shown as an SVG", "kw-save-button", () => {
      const blob = new Blob([svg()], { type: "image/svg+xml" });
      download(document, blob, `${fileName(saved.name())}.svg`);
    }),
  );
  box.kwSave = { svg, png, redraw: () => saved.redraw() };
  return box;
}

/** A name that every file system takes. */
export function fileName(name: string): string {
  return (
    name
      .normalize("NFC")
      .replace(/[^\p{L}\p{N}._-]+/gu, "-")
      .replace(/^[-.]+|[-.]+$/g, "")
      .slice(0, 100) || "kan-widgets"
  );
}

function download(document: Document, blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Draws shapes at the screen's own pixels; of a canvas its pixels as they are. */
function pngOf(document: Document, drawn: Drawn): Promise<Blob | null> {
  const ratio = document.defaultView?.devicePixelRatio || 1;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(drawn.width * ratio);
  canvas.height = Math.round(drawn.height * ratio);
  const context = canvas.getContext("2d");
  if (!context) return Promise.resolve(null);
  context.scale(ratio, ratio);
  context.fillStyle = drawn.ground;
  context.fillRect(0, 0, drawn.width, drawn.height);
  let next = 0;
  drawn.shapes.forEach((shape, k) => {
    const taken = drawn.canvases[next];
    if (taken && k === taken.before + taken.count - 1 && taken.count > 0) {
      const { x, y, width, height } = taken.box;
      context.save();
      if (shape.clip) context.clip(new Path2D(shape.clip));
      context.globalAlpha = shape.opacity;
      context.imageSmoothingEnabled = false;
      context.drawImage(taken.canvas, x, y, width, height);
      context.restore();
      next++;
    } else if (!taken || k < taken.before) paint(context, shape);
  });
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

function paint(context: CanvasRenderingContext2D, shape: Shape): void {
  context.save();
  if (shape.clip) context.clip(new Path2D(shape.clip));
  context.globalAlpha = shape.opacity;
  if (shape.kind === "path") {
    if (shape.matrix) context.transform(...shape.matrix);
    const path = new Path2D(shape.d);
    if (shape.fill !== undefined) {
      context.fillStyle = shape.fill;
      context.fill(path);
    }
    if (shape.stroke !== undefined) {
      context.strokeStyle = shape.stroke;
      context.lineWidth = shape.width ?? 1;
      context.setLineDash([...(shape.dash ?? [])]);
      context.lineJoin = (shape.join ?? "miter") as CanvasLineJoin;
      context.lineCap = (shape.cap ?? "butt") as CanvasLineCap;
      context.miterLimit = 4; // as in SVG
      context.stroke(path);
    }
  } else if (shape.kind === "text") {
    context.transform(...shape.matrix);
    context.font = shape.font;
    context.fillStyle = shape.fill;
    context.textAlign = shape.align === "middle" ? "center" : shape.align;
    context.fillText(shape.text, shape.x, shape.y);
  }
  context.restore();
}
