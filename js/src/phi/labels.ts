/** Where the labels of rows and columns stand around an arrangement, and stay in view. No DOM. */

import { shortened } from "./entries.ts";
import {
  type Arrangement,
  BAND_GAP,
  blockAt,
  COL_LABEL,
  columnText,
  GROUP,
  LABEL_CHARACTER,
  PAD,
  type Rect,
} from "./geometry.ts";

/** `y` is a baseline for column and corner labels, the middle for row labels. */
export interface Label {
  text: string;
  x: number;
  y: number;
}

export function columnLabels(a: Arrangement): Label[] {
  const labels: Label[] = [];
  for (let column = 0; column < a.columns; column++) {
    const band = Math.floor(column / a.perBand);
    const first = column % a.perBand === 0 && a.perBand < a.labelStep;
    if (column % a.labelStep !== 0 && !first) continue;
    const text = columnText(a, column);
    const half = (LABEL_CHARACTER / 2) * text.length;
    const left = blockAt(a, 0, column).x;
    let x = left + a.blockWidth / 2;
    // Beside what the corner says a wide label begins at its kernel, not before it.
    if (!a.flowing || hasCorner(a)) x = Math.max(x, left + half);
    else x = Math.max(x, half);
    if (x + half > a.width) continue;
    labels.push({ text, x, y: PAD + band * a.bandHeight + COL_LABEL - 5 });
  }
  return labels;
}

/** Pixels of the width that columns and their labels take; the rest is blank. */
export function widthTaken(a: Arrangement): number {
  const columns = a.left + a.perBand * (a.blockWidth + a.gap) - a.gap + PAD;
  const end = ({ text, x }: Label) => x + (LABEL_CHARACTER / 2) * text.length;
  return columnLabels(a).reduce((most, label) => Math.max(most, end(label)), columns);
}

function hasCorner(a: Arrangement): boolean {
  return a.order !== null && a.in > 1;
}

/** How far the labels of a column are moved down to stay in view, and which band they belong to. */
export interface StuckHead {
  band: number;
  /** The strip that the labels lie in; what is under it cannot be seen. */
  strip: Rect;
  /** To be added to the y of the band's column and corner labels. */
  shift: number;
}

/** The labels of the band that the top of the view cuts: they stay in view until the band's end pushes them out. */
export function stuckHead(a: Arrangement, view: Rect): StuckHead | null {
  const band = Math.floor((view.y - PAD) / a.bandHeight);
  if (view.y <= PAD || band < 0 || band >= a.bands) return null;
  const top = PAD + band * a.bandHeight;
  const end = top + a.bandHeight - BAND_GAP;
  const y = Math.min(view.y, end - COL_LABEL);
  if (y + COL_LABEL <= view.y || y <= top) return null;
  return { band, strip: { x: view.x, y, width: view.width, height: COL_LABEL }, shift: y - top };
}

/** Those of the labels that belong to the band, where they stay in view. */
export function inStuckBand(a: Arrangement, head: StuckHead, labels: readonly Label[]): Label[] {
  return labels
    .filter(({ y }) => Math.floor((y - PAD) / a.bandHeight) === head.band)
    .map((label) => ({ ...label, y: label.y + head.shift }));
}

/** Whether a place of the page lies under labels that stay in view. */
export function underHead(a: Arrangement, view: Rect, y: number): boolean {
  const head = stuckHead(a, view);
  return head !== null && y < head.strip.y + head.strip.height;
}

export function rowLabels(a: Arrangement): Label[] {
  const labels: Label[] = [];
  if (a.flowing || a.column === GROUP) return labels;
  for (let band = 0; band < a.bands; band++) {
    for (let row = 0; row < a.rows; row += a.rowStep) {
      const block = blockAt(a, row, band * a.perBand);
      const out = (a.corner?.[0] ?? 0) + row;
      const room = Math.floor((a.left - PAD) / LABEL_CHARACTER);
      labels.push({
        text: shortened(a.names?.[out] || String(out), room),
        x: a.left - 6,
        y: block.y + block.height / 2,
      });
    }
  }
  return labels;
}

/** What the numbers beside the rows count, or, where kernels are sorted, what "o,i" above one means. */
export function cornerLabels(a: Arrangement): Label[] {
  if ((a.flowing && !hasCorner(a)) || a.column === GROUP) return [];
  return Array.from({ length: a.bands }, (_, band) => ({
    text: a.flowing ? "out,in" : "output",
    x: a.left - 6,
    y: PAD + band * a.bandHeight + COL_LABEL - 5,
  }));
}
