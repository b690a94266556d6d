/** Parts that all drawings of functions in cells share: labels, sites, marks of some cells. */

import { firstShown } from "../phi/curves.ts";
import { functionOf, shortened } from "../phi/entries.ts";
import { formatNumber } from "../phi/format.ts";
import {
  type Arrangement,
  blockAt,
  COL_LABEL,
  cellAt,
  columnText,
  type Direction,
  GROUP,
  isScattered,
  kernelAt,
  kernelsWithin,
  LABEL_CHARACTER,
  PAD,
  placeOf,
  type Rect,
  rectOf,
  STEPS,
  stripAt,
} from "../phi/geometry.ts";
import type { LayerLayout } from "../wire/types.ts";
import type { Given } from "./drawing.ts";
import type { Mark, Sites, TextMark } from "./marks.ts";
import { cursorMark, flat, framed, outline, segments, WORDS, words } from "./shapes.ts";
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
  for (let strip = 0; strip < a.strips; strip++) {
    const { row, column: from } = stripAt(a, strip);
    for (let column = from; column < Math.min(from + a.perBand, a.columns); column++) {
      const first = column === from && a.perBand < a.labelStep;
      if (column % a.labelStep !== 0 && !first) continue;
      const text = columnText(a, column);
      const half = (LABEL_CHARACTER / 2) * text.length;
      const { x: left } = blockAt(a, row, column);
      let x = left + a.blockWidth / 2;
      // Beside the corner's label a wide label begins at its kernel, not before it.
      x = Math.max(x, a.flowing && !isScattered(a) ? half : left + half);
      if (x + half > a.width) continue;
      labels.push({ text, x, y: PAD + strip * a.bandHeight + COL_LABEL - 5 });
    }
  }
  return labels;
}

/** Heights below each row of kernels, at which a picture can end. */
export function rowEnds(a: Arrangement): number[] {
  const lines = a.rowsCut ? a.strips / a.unit : a.rows * a.bands;
  const top = (k: number) =>
    a.rowsCut
      ? PAD + COL_LABEL + ((k + 1) * a.unit - 1) * a.bandHeight
      : blockAt(a, k % a.rows, Math.floor(k / a.rows) * a.perBand).y;
  // The frame of a selected cell reaches so far below it.
  return Array.from({ length: lines }, (_, k) => top(k) + a.blockHeight + 2);
}

/** Pixels of the width that columns and their labels take; the rest is blank. */
export function widthTaken(a: Arrangement): number {
  const columns = a.left + a.perBand * (a.blockWidth + a.gap) - a.gap + PAD;
  const end = ({ text, x }: Label) => x + (LABEL_CHARACTER / 2) * text.length;
  return columnLabels(a).reduce((most, label) => Math.max(most, end(label)), columns);
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
  return Array.from({ length: a.strips }, (_, strip) => ({
    text: a.flowing ? "out,in" : "output",
    x: a.left - 6,
    y: PAD + strip * a.bandHeight + COL_LABEL - 5,
  }));
}

export function labelMarks(a: Arrangement, view: Rect, { muted }: Colours): Mark[] {
  return [
    ...texts(columnLabels(a), view, muted, { anchor: "middle" }),
    ...texts(cornerLabels(a), view, muted, { anchor: "end" }),
    ...texts(rowLabels(a), view, muted, { anchor: "end", middle: true }),
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
  /** The function of the first cell, if not 0. */
  first?: number;
}

/**
 * The next function in a direction on the page, or `f` at an edge. Moving is
 * by cells; between kernels and bands it goes to the neighbouring one.
 */
export function neighbour(a: Arrangement, f: number, direction: Direction): number {
  const size = a.kh * a.kw;
  const { row, column } = placeOf(a, Math.floor(f / size));
  const entry = f % size;
  const [across, down] = STEPS[direction];
  const x = column * a.kw + (entry % a.kw) + across;
  const band = Math.floor(column / a.perBand);
  // Of all lines of cells from the top.
  const lines = (a.rowsCut ? 1 : a.rows) * a.kh;
  const strip = a.rowsCut ? row * a.bands + band : band;
  const line = strip * lines + (a.rowsCut ? 0 : row * a.kh) + Math.floor(entry / a.kw) + down;
  if (x < 0 || x >= a.columns * a.kw || line < 0 || line >= a.strips * lines) return f;
  const to = stripAt(a, Math.floor(line / lines), Math.floor((line % lines) / a.kh));
  // The last band may be shorter than the one above it.
  const next = Math.floor(x / a.kw) + to.column - band * a.perBand;
  const kernel = kernelAt(a, to.row, Math.min(a.columns - 1, next));
  return (kernel * a.kh + (line % a.kh)) * a.kw + (x % a.kw);
}

/** Each cell is a site, by the number of its function. */
export function cellSites(
  arrangement: Arrangement,
  count: number,
  say: (f: number) => string,
  { size, functionAt, first = 0 }: CellUnit = { size: 1, functionAt: (cell) => cell },
): Sites {
  const isCell = (id: string) => id !== "" && Number(id) >= first && Number(id) < first + count;
  const cellOf = (id: string) => Math.floor((Number(id) - first) / size);
  const idOf = (cell: number) => String(first + functionAt(cell));
  return {
    at(x, y) {
      const cell = cellAt(arrangement, x, y);
      return cell < 0 ? "" : idOf(cell);
    },
    box: (id) => (isCell(id) ? rectOf(arrangement, cellOf(id)) : null),
    words: (id) => (isCell(id) ? say(Number(id)) : ""),
    next(id, direction) {
      if (direction === "last") return String(first + count - 1);
      if (direction === "first" || !isCell(id)) return String(first);
      return idOf(neighbour(arrangement, cellOf(id), direction));
    },
  };
}

export type MarkedCells = ReturnType<typeof markedIn>;

/** Numbers of the functions pointed at, selected, and where the keyboard is; −1 for none. */
export function markedIn(layer: LayerLayout, { store, pointed }: Given) {
  const numberOf = (id: string) => (id === "" ? -1 : Number(id));
  const [hovered, cursor] = [pointed.id, pointed.keyboard].map(numberOf);
  return { hovered, selected: functionOf(layer, store.selection()), cursor };
}

/** Whether a view shows its layer together with others. */
export const isLinked = (get: Given["get"]) => ((get("linked") ?? []) as string[]).length > 0;

/** The function that linked views show where none is selected: see the inspector's scene; −1 for none. */
export function besideIn(layer: LayerLayout, { get, store }: Given): number {
  return isLinked(get) && store.selection() === null ? firstShown(store, layer).f : -1;
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
export function brokenMarks(arrangement: Arrangement, broken: readonly number[], stroke: string) {
  const arm = Math.min(5, arrangement.cell / 5);
  const xy = broken.flatMap((f) => {
    const { x, y, width, height } = rectOf(arrangement, f);
    const [cx, cy] = [x + width / 2, y + height / 2];
    return [cx - arm, cy - arm, cx + arm, cy + arm, cx - arm, cy + arm, cx + arm, cy - arm];
  });
  return xy.length > 0 ? [segments(xy, stroke, { width: 1.5 })] : [];
}

/** Pixels of the smallest cell that has room for numbers under it, and at its side. */
const LEAST_WITH_AXIS = 24;
const LEAST_WITH_SIDE = 70;
/** Pixels below the last row of cells, for the numbers of an axis. */
export const AXIS_HEIGHT = 14;
/** Free pixels around a name between two numbers: closer, the three would be read as a product. */
const CLEAR = 24;

/** The axis of all cells, under the lowest one at the left: its ends, and its name between them or beside the rows; in a large one also the ends of ±y. Where the name has no such place, and of narrow cells, it is said in words. */
export function axisMarks(
  a: Arrangement,
  [low, high]: readonly [number, number],
  name: string,
  { muted }: Colours,
  yEnd?: number,
): Mark[] {
  if (a.cell < LEAST_WITH_AXIS) return [];
  const { x, y, height } = blockAt(a, a.rows - 1, (a.bands - 1) * a.perBand);
  const texts = [low, high].map(formatNumber);
  const [left, right] = texts.map((text) => widthOf(text, WORDS));
  const base = y + height + AXIS_HEIGHT - 2;
  const isBetween = left + widthOf(name, WORDS) + right + 2 * CLEAR <= a.across;
  // Numbers that are closer would be read as one.
  const hasEnds = isBetween || (a.left > PAD && left + 6 + right <= a.across);
  const at = isBetween ? x + (left + a.across - right) / 2 : a.left - 6;
  const anchor = isBetween ? "middle" : "end";
  const sides = yEnd && a.cell >= LEAST_WITH_SIDE ? [yEnd, -yEnd] : [];
  return [
    ...sides.map((end, k) => words(x + 3, k ? y + height - 4 : y + 11, formatNumber(end), muted)),
    ...(hasEnds
      ? [
          words(x, base, texts[0], muted),
          words(x + a.across, base, texts[1], muted, { anchor: "end" }),
          words(at, base, name, muted, { anchor }),
        ]
      : [words(x, base, `${name}: ${texts.join(" … ")}`, muted)]),
  ];
}

/** The boxes of cells, one after another. */
export function cellBoxes(arrangement: Arrangement, functions: readonly number[]): number[] {
  return functions.flatMap((f) => flat(rectOf(arrangement, f)));
}
