/** Draws the labels of rows and columns around an arrangement. */

import {
  type Arrangement,
  columnLabels,
  cornerLabels,
  inStuckBand,
  type Label,
  type Rect,
  rowLabels,
  stuckHead,
} from "../../phi/geometry.ts";

export interface HeadsPage {
  /** The visible part of the arrangement. */
  view: Rect;
  font: string;
  colours: { muted: string; surface: string };
}

export function paintLabels(
  context: CanvasRenderingContext2D,
  arrangement: Arrangement,
  { view, font, colours }: HeadsPage,
): void {
  context.font = font;
  context.fillStyle = colours.muted;
  paintHeads(context, columnLabels(arrangement), cornerLabels(arrangement), view);
  context.textBaseline = "middle";
  write(context, rowLabels(arrangement), view);
}

/** The labels of the band whose own have gone out of view; over all else. */
export function paintStuckHead(
  context: CanvasRenderingContext2D,
  arrangement: Arrangement,
  { view, font, colours }: HeadsPage,
): void {
  const head = stuckHead(arrangement, view);
  if (!head) return;
  const { strip } = head;
  context.fillStyle = colours.surface;
  context.fillRect(strip.x, strip.y, strip.width, strip.height);
  context.font = font;
  context.fillStyle = colours.muted;
  const [columns, corners] = [columnLabels(arrangement), cornerLabels(arrangement)].map((labels) =>
    inStuckBand(arrangement, head, labels),
  );
  paintHeads(context, columns, corners, view);
}

function paintHeads(
  context: CanvasRenderingContext2D,
  columns: readonly Label[],
  corners: readonly Label[],
  view: Rect,
): void {
  context.textBaseline = "alphabetic";
  context.textAlign = "center";
  write(context, columns, view);
  context.textAlign = "right";
  write(context, corners, view);
}

function write(context: CanvasRenderingContext2D, labels: readonly Label[], view: Rect): void {
  for (const { text, x, y } of labels) {
    if (y > view.y - 20 && y < view.y + view.height + 20) context.fillText(text, x, y);
  }
}
