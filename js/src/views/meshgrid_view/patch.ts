/** The patch under a pixel: its inputs on the φ of its kernel, entry by entry. */

import { expandAt } from "../../phi/expansion.ts";
import type { Rect } from "../../phi/geometry.ts";
import { niceCeil } from "../../phi/ranges.ts";
import type { Frame, LayerLayout } from "../../wire/types.ts";
import type { Colours } from "./panel.ts";

export interface Patch {
  /** The x that every cell spans. */
  range: [number, number];
  /** Each entry's φ at evenly spaced x. */
  curves: Float64Array[];
  inputs: ArrayLike<number> | null;
  /** φ of each entry's input. */
  values: number[] | null;
  /** Half the height of a cell's axis. */
  most: number;
}

/** Where the cells of a kernel's entries lie within a side of so many pixels. */
export function patchCells(
  rows: number,
  columns: number,
  side: number,
): { cells: Rect[]; width: number; height: number } {
  const size = Math.max(18, Math.floor((Math.min(side, 240) - 8) / Math.max(rows, columns)) - 3);
  const pitch = size + 3;
  const cells = Array.from({ length: rows * columns }, (_, e) => ({
    x: 4 + (e % columns) * pitch,
    y: 4 + Math.floor(e / columns) * pitch,
    width: size,
    height: size,
  }));
  return { cells, width: columns * pitch + 6, height: rows * pitch + 6 };
}

/** `border`: an input that is NaN lies on padding where the basis itself is 0, and adds nothing. */
export function patchOf(
  frame: Frame,
  layer: LayerLayout,
  kernel: { out: number; in: number },
  inputs: ArrayLike<number> | null,
  border: boolean,
  points: number,
): Patch {
  const [, channels, kh, kw] = layer.shape;
  let [lo, hi] = layer.domain;
  for (const value of Array.from(inputs ?? [])) {
    if (value < lo) lo = value;
    if (value > hi) hi = value;
  }
  const beta = new Float64Array(layer.nb);
  const phi = (f: number, x: number) => {
    expandAt(layer, layer.tableOf ? layer.tableOf[f] : 0, x, beta);
    let value = 0;
    for (let b = 0; b < layer.nb; b++)
      value += frame.data[layer.offset + f * layer.nb + b] * beta[b];
    return value;
  };
  const first = (kernel.out * channels + kernel.in) * kh * kw;
  const curves = Array.from({ length: kh * kw }, (_, e) =>
    Float64Array.from({ length: points }, (_, k) =>
      phi(first + e, lo + ((hi - lo) * k) / (points - 1)),
    ),
  );
  const values =
    inputs && Array.from(inputs, (x, e) => (border && Number.isNaN(x) ? 0 : phi(first + e, x)));
  let most = 0;
  for (const value of [...curves.flatMap((curve) => Array.from(curve)), ...(values ?? [])]) {
    if (Math.abs(value) > most && Number.isFinite(value)) most = Math.abs(value);
  }
  return { range: [lo, hi], curves, inputs, values, most: niceCeil(most) };
}

export function paintPatch(
  context: CanvasRenderingContext2D,
  { range: [lo, hi], curves, inputs, values, most }: Patch,
  cells: readonly Rect[],
  colours: Colours,
): void {
  cells.forEach((r, e) => {
    context.fillStyle = colours.cell;
    context.fillRect(r.x, r.y, r.width, r.height);
    const middle = r.y + r.height / 2;
    const toX = (x: number) => r.x + 2 + ((r.width - 4) * (x - lo)) / (hi - lo);
    const toY = (y: number) => middle - ((r.height / 2 - 3) * y) / most;
    context.strokeStyle = colours.zero;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(r.x, Math.round(middle) + 0.5);
    context.lineTo(r.x + r.width, Math.round(middle) + 0.5);
    context.stroke();
    context.strokeStyle = colours.ink;
    context.lineWidth = 1.3;
    context.beginPath();
    let pen = false;
    curves[e].forEach((y, k) => {
      if (!Number.isFinite(y)) {
        pen = false;
        return;
      }
      const x = toX(lo + ((hi - lo) * k) / (curves[e].length - 1));
      if (pen) context.lineTo(x, toY(y));
      else context.moveTo(x, toY(y));
      pen = true;
    });
    context.stroke();
    if (inputs && values && Number.isFinite(inputs[e]) && Number.isFinite(values[e])) {
      const [cx, cy] = [toX(inputs[e]), toY(values[e])];
      context.strokeStyle = colours.accent;
      context.globalAlpha = 0.5;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(cx, r.y);
      context.lineTo(cx, r.y + r.height);
      context.stroke();
      context.globalAlpha = 1;
      context.fillStyle = colours.accent;
      context.beginPath();
      context.arc(cx, cy, 3, 0, 2 * Math.PI);
      context.fill();
    }
  });
}
