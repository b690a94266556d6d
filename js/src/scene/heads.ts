/** The labels of rows and columns around an arrangement, as marks. No DOM. */

import {
  type Arrangement,
  columnLabels,
  cornerLabels,
  inStuckBand,
  type Label,
  type Rect,
  rowLabels,
  stuckHead,
} from "../phi/geometry.ts";
import type { Mark, TextMark } from "./marks.ts";
import type { Colours } from "./theme.ts";

const SIZE = 11;

export function labelMarks(arrangement: Arrangement, view: Rect, { muted }: Colours): Mark[] {
  return [
    ...headMarks(columnLabels(arrangement), cornerLabels(arrangement), view, muted),
    ...write(rowLabels(arrangement), view, muted, { anchor: "end", middle: true }),
  ];
}

/** The labels of the band whose own have gone out of view; over all else. */
export function stuckHeadMarks(arrangement: Arrangement, view: Rect, colours: Colours): Mark[] {
  const head = stuckHead(arrangement, view);
  if (!head) return [];
  const { x, y, width, height } = head.strip;
  const [columns, corners] = [columnLabels(arrangement), cornerLabels(arrangement)].map((labels) =>
    inStuckBand(arrangement, head, labels),
  );
  return [
    { kind: "rects", boxes: [x, y, width, height], fill: colours.surface },
    ...headMarks(columns, corners, view, colours.muted),
  ];
}

function headMarks(
  columns: readonly Label[],
  corners: readonly Label[],
  view: Rect,
  fill: string,
): Mark[] {
  return [
    ...write(columns, view, fill, { anchor: "middle" }),
    ...write(corners, view, fill, { anchor: "end" }),
  ];
}

function write(labels: readonly Label[], view: Rect, fill: string, how: Partial<TextMark>): Mark[] {
  return labels
    .filter(({ y }) => y > view.y - 20 && y < view.y + view.height + 20)
    .map(({ text, x, y }) => ({ kind: "text", x, y, text, fill, size: SIZE, ...how }));
}
