/** The buttons that save what is on screen as a PNG or an SVG. */

import { createKit } from "./controls.ts";
import { element } from "./element.ts";
import { type Drawn, shapesOf } from "./page_shapes.ts";
import { record, type Shape } from "./record.ts";
import { svgOf } from "./svg.ts";

/** What a view tells about itself when it is saved. */
export interface Saved {
  /** "kernel-grid convs.0 step 60": the file's name without its ending. */
  name(): string;
  /** Draws all of it anew, at once. */
  redraw(): void;
}

/** What tests may ask of the buttons, as `element.kwSave`. */
export interface SaveElement extends HTMLElement {
  kwSave: { svg(): string; png(): Promise<Blob | null> };
}

export function createSave(
  document: Document,
  root: HTMLElement,
  saved: Saved,
  signal: AbortSignal,
): HTMLElement {
  const window = document.defaultView as Window & typeof globalThis;
  const kit = createKit(document, signal);
  const box = element(document, "span", "kw-save") as unknown as SaveElement;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Save what is shown");
  const svg = () => {
    const drawn = shapesOf(
      root,
      record(window, () => saved.redraw()),
    );
    return svgOf(drawn.shapes, { ...drawn, title: saved.name() });
  };
  const png = () => pngOf(document, shapesOf(root, new Map()));
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
  box.kwSave = { svg, png };
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
    const path = new Path2D(shape.d);
    if (shape.fill !== undefined) {
      context.fillStyle = shape.fill;
      context.fill(path);
    }
    if (shape.stroke !== undefined) {
      context.strokeStyle = shape.stroke;
      context.lineWidth = shape.width ?? 1;
      context.setLineDash([...(shape.dash ?? [])]);
      context.stroke(path);
    }
  } else if (shape.kind === "text") {
    context.transform(...shape.matrix);
    context.font = shape.font;
    context.fillStyle = shape.fill;
    context.fillText(shape.text, shape.x, shape.y);
  }
  context.restore();
}
