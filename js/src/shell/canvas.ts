/** Draws scenes on a canvas. */

import { allSame } from "../phi/memory.ts";
import type {
  ImageMark,
  LinesMark,
  Mark,
  Paint,
  Pixels,
  Rect,
  Scene,
  Sheet,
  TextMark,
  TilesMark,
} from "../scene/marks.ts";
import type { Encode } from "../scene/svg.ts";
import { FALLBACK, MIDDLE } from "../scene/text.ts";
import { putStyle } from "./element.ts";

/** Without a graphics card thin lines are drawn some 30 times as fast as wide ones, and short paths faster than a crowded one. */
const LINES_PER_PATH = 64;

type Context = CanvasRenderingContext2D;

interface Copy {
  canvas: HTMLCanvasElement | null;
  from: readonly unknown[];
  /** Whether the canvas holds what is drawn from these. */
  isDrawn: boolean;
  /** How many times the sheet was drawn from these, after the first time. */
  again: number;
}

export function createPainter(canvas: HTMLCanvasElement) {
  const context = canvas.getContext("2d");
  const copies: (Copy | undefined)[] = [];

  /** A copy of a sheet that is drawn from the same again and again; null for one that changes with every frame. */
  function copied(sheet: Sheet, place: number, view: Rect, ratio: number) {
    if (!sheet.from) return null;
    const { x, y, width, height } = view;
    const from = [...sheet.from, x, y, width, height, ratio];
    copies[place] ??= { canvas: null, from: [], isDrawn: false, again: 0 };
    const copy = copies[place];
    if (allSame(copy.from, from)) copy.again += 1;
    else {
      const wasSteady = copy.again > 0;
      Object.assign(copy, { from, isDrawn: false, again: 0 });
      if (!wasSteady) return null;
    }
    if (!copy.isDrawn) drawCopy(copy, sheet, view, ratio);
    return copy.isDrawn ? copy.canvas : null;
  }

  function drawCopy(copy: Copy, sheet: Sheet, view: Rect, ratio: number) {
    copy.canvas ??= canvas.ownerDocument.createElement("canvas");
    const target = copy.canvas.getContext("2d");
    if (!target) return;
    fit(copy.canvas, canvas.width, canvas.height);
    clear(target);
    drawSheet(target, sheet, view, ratio);
    copy.isDrawn = true;
  }

  return {
    /** Draws the part of a scene that lies in `view` over the whole canvas. */
    paint(scene: Pick<Scene, "sheets">, view: Rect, ratio: number) {
      if (!context) return;
      fit(canvas, Math.round(view.width * ratio), Math.round(view.height * ratio));
      putStyle(canvas, { width: `${view.width}px`, height: `${view.height}px` });
      clear(context);
      scene.sheets.forEach((sheet, place) => {
        const copy = copied(sheet, place, view, ratio);
        if (copy) {
          context.setTransform(1, 0, 0, 1, 0, 0);
          context.drawImage(copy, 0, 0);
        } else drawSheet(context, sheet, view, ratio);
      });
    },
  };
}

function fit(canvas: HTMLCanvasElement, width: number, height: number) {
  if (canvas.width === width && canvas.height === height) return;
  canvas.width = width;
  canvas.height = height;
}

function clear(context: Context) {
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
}

function drawSheet(context: Context, sheet: Sheet, view: Rect, ratio: number) {
  context.setTransform(ratio, 0, 0, ratio, -view.x * ratio, -view.y * ratio);
  drawMarks(context, sheet.marks(view));
}

function drawMarks(context: Context, marks: readonly Mark[]): void {
  for (const mark of marks) {
    if (mark.opacity === 0) continue;
    const before = context.globalAlpha;
    if (mark.opacity !== undefined) context.globalAlpha = before * mark.opacity;
    drawMark(context, mark);
    context.globalAlpha = before;
  }
}

function drawMark(context: Context, mark: Mark) {
  switch (mark.kind) {
    case "path":
      return finish(context, mark, new Path2D(mark.d));
    case "lines":
      return drawLines(context, mark);
    case "rects":
      return drawRects(context, mark);
    case "dots":
      context.beginPath();
      for (let k = 0; k < mark.xy.length; k += 2) {
        const r = typeof mark.r === "number" ? mark.r : mark.r[k / 2];
        context.moveTo(mark.xy[k] + r, mark.xy[k + 1]);
        context.arc(mark.xy[k], mark.xy[k + 1], r, 0, 2 * Math.PI);
      }
      return finish(context, mark);
    case "image":
      return drawImage(context, mark);
    case "tiles":
      return drawTiles(context, mark);
    case "text":
      return drawText(context, mark);
    case "group":
      context.save();
      if (mark.at) context.translate(mark.at[0], mark.at[1]);
      if (mark.clip) {
        const { x, y, width, height } = mark.clip;
        context.beginPath();
        context.rect(x, y, width, height);
        context.clip();
      }
      drawMarks(context, mark.marks);
      context.restore();
  }
}

/** Sets how lines are drawn; false where there are none. */
function setStroke(context: Context, { stroke, width = 1, dash, round }: Paint): boolean {
  if (!stroke) return false;
  context.strokeStyle = stroke;
  context.lineWidth = width;
  context.lineJoin = "round";
  context.lineCap = round ? "round" : "butt";
  context.setLineDash(dash ? [...dash] : []);
  return true;
}

/** Fills and strokes a path, by default the one that was begun. */
function finish(context: Context, paint: Paint, path?: Path2D): void {
  const { fill } = paint;
  if (fill && fill !== "none") {
    context.fillStyle = fill;
    if (path) context.fill(path);
    else context.fill();
  }
  if (!setStroke(context, paint)) return;
  if (path) context.stroke(path);
  else context.stroke();
}

function drawLines(context: Context, mark: LinesMark): void {
  const { xy, ends, closed } = mark;
  // Wider lines are few, and are stroked one by one.
  const perPath = (mark.width ?? 1) > 1 && mark.stroke ? 1 : LINES_PER_PATH;
  let p = 0;
  let pending = 0;
  context.beginPath();
  for (let line = 0; line < ends.length; line++) {
    const end = ends[line];
    if (p < end) {
      context.moveTo(xy[2 * p], xy[2 * p + 1]);
      for (p++; p < end; p++) context.lineTo(xy[2 * p], xy[2 * p + 1]);
      if (closed) context.closePath();
    }
    if (++pending >= perPath) {
      finish(context, mark);
      context.beginPath();
      pending = 0;
    }
  }
  if (pending > 0) finish(context, mark);
}

function drawRects(context: Context, mark: Mark & { kind: "rects" }): void {
  const { boxes, fills, radius } = mark;
  const path = (k: number) => {
    const [x, y, w, h] = [boxes[4 * k], boxes[4 * k + 1], boxes[4 * k + 2], boxes[4 * k + 3]];
    if (radius) context.roundRect(x, y, w, h, radius);
    else context.rect(x, y, w, h);
  };
  const count = boxes.length / 4;
  if (fills) {
    for (let k = 0; k < count; k++) {
      context.fillStyle = fills[k];
      if (radius) {
        context.beginPath();
        path(k);
        context.fill();
      } else {
        context.fillRect(boxes[4 * k], boxes[4 * k + 1], boxes[4 * k + 2], boxes[4 * k + 3]);
      }
    }
    if (!mark.stroke) return;
  }
  context.beginPath();
  for (let k = 0; k < count; k++) path(k);
  finish(context, fills ? { ...mark, fill: undefined } : mark);
}

/** By size, canvases through which pixels go to another one: to make one for each image takes longer than all the rest. */
const carriers = new Map<string, { context: Context; data: ImageData }>();
const MOST_CARRIERS = 32;

function carrierOf(document: Document, { width, height, rgba }: Pixels): HTMLCanvasElement | null {
  if (width === 0 || height === 0) return null;
  const size = `${width} ${height}`;
  let carrier = carriers.get(size);
  if (!carrier) {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    // Kept in memory, where the pixels are, and not on a graphics card.
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const data = context?.createImageData(width, height) as ImageData | null | undefined;
    if (!context || !data) return null;
    if (carriers.size >= MOST_CARRIERS) carriers.clear();
    carrier = { context, data };
    carriers.set(size, carrier);
  }
  carrier.data.data.set(rgba);
  carrier.context.putImageData(carrier.data, 0, 0);
  return carrier.context.canvas;
}

/** How a page writes the pixels of an SVG. */
export const encoderOf =
  (document: Document): Encode =>
  (pixels) =>
    carrierOf(document, pixels)?.toDataURL() ?? "";

function drawImage(context: Context, { box, pixels, smooth }: ImageMark): void {
  const canvas = carrierOf(context.canvas.ownerDocument, pixels);
  if (!canvas) return;
  context.imageSmoothingEnabled = smooth ?? false;
  context.drawImage(canvas, box.x, box.y, box.width, box.height);
}

function drawTiles(context: Context, { boxes, sheet, across, size: [w, h] }: TilesMark): void {
  const canvas = carrierOf(context.canvas.ownerDocument, sheet);
  if (!canvas) return;
  context.imageSmoothingEnabled = false;
  for (let k = 0, b = 0; b < boxes.length; k++, b += 4) {
    const [left, top] = [(k % across) * w, Math.floor(k / across) * h];
    context.drawImage(
      ...([canvas, left, top, w, h] as const),
      ...([boxes[b], boxes[b + 1], boxes[b + 2], boxes[b + 3]] as const),
    );
  }
}

function drawText(context: Context, mark: TextMark): void {
  const { text, size, weight = 400, anchor = "start", turn } = mark;
  context.font = `${weight} ${size}px ${FALLBACK}`;
  context.fillStyle = mark.fill;
  context.textAlign = anchor === "middle" ? "center" : anchor;
  context.textBaseline = "alphabetic";
  const drop = mark.middle ? MIDDLE * size : 0;
  if (!turn) {
    context.fillText(text, mark.x, mark.y + drop);
    return;
  }
  context.save();
  context.translate(mark.x, mark.y);
  context.rotate((turn * Math.PI) / 180);
  context.fillText(text, 0, drop);
  context.restore();
}
