/** Parts that all drawings of functions in cells share: labels, sites, marks of some cells. */

import { functionOf, shortened } from "../phi/entries.ts";
import { formatNumber } from "../phi/format.ts";
import {
  type Arrangement,
  BAND_GAP,
  blockAt,
  COL_LABEL,
  cellAt,
  columnText,
  GROUP,
  isScattered,
  kernelsWithin,
  LABEL_CHARACTER,
  neighbour,
  PAD,
  type Rect,
  rectOf,
} from "../phi/geometry.ts";
import type { LayerLayout } from "../wire/types.ts";
import type { Given } from "./drawing.ts";
import type { Mark, Sites, TextMark } from "./marks.ts";
import { cursorMark, flat, framed, outline, rect, segments, WORDS, words } from "./shapes.ts";
import { widthOf } from "./text.ts";
import type { Colours } from "./theme.ts";

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
    // Beside the corner's label a wide label begins at its kernel, not before it.
    x = Math.max(x, a.flowing && !isScattered(a) ? half : left + half);
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

/** How far the labels of a column are moved down to stay in view, and which band they belong to. */
interface StuckHead {
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

/** The labels that belong to the stuck band, at the places where they stay in view. */
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

/** What the numbers beside the rows count, or the numbers over each kernel where kernels are sorted. */
export function cornerLabels(a: Arrangement): Label[] {
  if ((a.flowing && !isScattered(a)) || a.column === GROUP) return [];
  return Array.from({ length: a.bands }, (_, band) => ({
    text: a.flowing ? "out,in" : "output",
    x: a.left - 6,
    y: PAD + band * a.bandHeight + COL_LABEL - 5,
  }));
}

export function labelMarks(arrangement: Arrangement, view: Rect, { muted }: Colours): Mark[] {
  return [
    ...topLabelMarks(columnLabels(arrangement), cornerLabels(arrangement), view, muted),
    ...texts(rowLabels(arrangement), view, muted, { anchor: "end", middle: true }),
  ];
}

/** The labels that stay in view, over all else. */
export function stuckHeadMarks(arrangement: Arrangement, view: Rect, colours: Colours): Mark[] {
  const head = stuckHead(arrangement, view);
  if (!head) return [];
  const [columns, corners] = [columnLabels(arrangement), cornerLabels(arrangement)].map((labels) =>
    inStuckBand(arrangement, head, labels),
  );
  return [
    rect(head.strip, { fill: colours.surface }),
    ...topLabelMarks(columns, corners, view, colours.muted),
  ];
}

function topLabelMarks(
  columns: readonly Label[],
  corners: readonly Label[],
  view: Rect,
  fill: string,
): Mark[] {
  return [
    ...texts(columns, view, fill, { anchor: "middle" }),
    ...texts(corners, view, fill, { anchor: "end" }),
  ];
}

function texts(labels: readonly Label[], view: Rect, fill: string, how: Partial<TextMark>): Mark[] {
  return labels
    .filter(({ y }) => y > view.y - 20 && y < view.y + view.height + 20)
    .map(({ text, x, y }) => words(x, y, text, fill, how));
}

/** The functions whose cells may be seen. */
export function functionsWithin(arrangement: Arrangement, view: Rect): number[] {
  const size = arrangement.kh * arrangement.kw;
  return kernelsWithin(arrangement, view).flatMap((kernel) =>
    Array.from({ length: size }, (_, entry) => kernel * size + entry),
  );
}

/** What cells stand for: each one function, or a kernel, for which its largest function answers. */
interface CellUnit {
  /** Functions of a cell. */
  size: number;
  functionAt(cell: number): number;
}

/** Each cell is a site, by the number of its function. */
export function cellSites(
  arrangement: Arrangement,
  count: number,
  say: (f: number) => string,
  { size, functionAt }: CellUnit = { size: 1, functionAt: (cell) => cell },
): Sites {
  const isCell = (id: string) => id !== "" && Number(id) < count;
  return {
    at(x, y, view) {
      if (underHead(arrangement, view, y)) return "";
      const cell = cellAt(arrangement, x, y);
      return cell < 0 ? "" : String(functionAt(cell));
    },
    box: (id) => (isCell(id) ? rectOf(arrangement, Math.floor(Number(id) / size)) : null),
    words: (id) => (isCell(id) ? say(Number(id)) : ""),
    next(id, direction) {
      if (direction === "last") return String(count - 1);
      if (direction === "first" || !isCell(id)) return "0";
      const cell = Math.floor(Number(id) / size);
      return String(functionAt(neighbour(arrangement, cell, direction)));
    },
  };
}

/** Numbers of functions, −1 for none. */
export interface MarkedCells {
  hovered: number;
  selected: number;
  /** The keyboard's place. */
  cursor: number;
}

export function markedIn(layer: LayerLayout, { store, pointed }: Given): MarkedCells {
  const numberOf = (id: string) => (id === "" ? -1 : Number(id));
  const [hovered, cursor] = [pointed.id, pointed.keyboard].map(numberOf);
  return { hovered, selected: functionOf(layer, store.selection()), cursor };
}

/** Frames of what is pointed at, selected, and where the keyboard is. */
export function cellFrames(
  { hovered, selected, cursor }: MarkedCells,
  boxOf: (f: number) => Rect,
  pointed: string,
  colours: Colours,
): Mark[] {
  const marks: Mark[] = [];
  if (hovered >= 0 && hovered !== selected && hovered !== cursor) {
    marks.push(outline(boxOf(hovered), pointed));
  }
  if (selected >= 0) marks.push(...framed(boxOf(selected), colours.accent, colours));
  if (cursor >= 0) marks.push(cursorMark(boxOf(cursor), colours, cursor === selected ? 3.5 : 1));
  return marks;
}

/** Crosses in the cells of functions that are not finite. */
export function brokenMarks(
  arrangement: Arrangement,
  broken: readonly number[],
  stroke: string,
): Mark[] {
  const arm = Math.min(5, arrangement.cell / 5);
  const xy = broken.flatMap((f) => {
    const { x, y, width, height } = rectOf(arrangement, f);
    const [cx, cy] = [x + width / 2, y + height / 2];
    return [cx - arm, cy - arm, cx + arm, cy + arm, cx - arm, cy + arm, cx + arm, cy - arm];
  });
  return xy.length > 0 ? [segments(xy, stroke, { width: 1.5 })] : [];
}

/** Pixels of the smallest cell that has room for numbers under it, and at its side. */
const LEAST_WITH_AXIS = 28;
const LEAST_WITH_SIDE = 70;
/** Pixels below the last row of cells, for the numbers of an axis. */
export const AXIS_HEIGHT = 14;

/** The axis of all cells, under the lowest one at the left: its ends, and its name between them; in a large one also the ends of ±y. */
export function axisMarks(
  a: Arrangement,
  [low, high]: readonly [number, number],
  name: string,
  { muted }: Colours,
  yEnd?: number,
): Mark[] {
  if (a.cell < LEAST_WITH_AXIS) return [];
  const { x, y, height } = blockAt(a, a.rows - 1, (a.bands - 1) * a.perBand);
  const at = [low, high].map((end, k) => ({ text: formatNumber(end), x: x + k * a.across }));
  const [left, right] = at.map(({ text }) => widthOf(text, WORDS));
  const room = a.across - left - right;
  const base = y + height + AXIS_HEIGHT - 2;
  const sides = yEnd && a.cell >= LEAST_WITH_SIDE ? [yEnd, -yEnd] : [];
  return [
    ...sides.map((end, k) => words(x + 3, k ? y + height - 4 : y + 11, formatNumber(end), muted)),
    ...at.map(({ text, x }, k) => words(x, base, text, muted, { anchor: k ? "end" : "start" })),
    ...(room > widthOf(name, WORDS) + 6
      ? [words(x + left + room / 2, base, name, muted, { anchor: "middle" })]
      : []),
  ];
}

/** The boxes of cells, one after another. */
export function cellBoxes(arrangement: Arrangement, functions: readonly number[]): number[] {
  return functions.flatMap((f) => flat(rectOf(arrangement, f)));
}
