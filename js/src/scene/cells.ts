/** What drawings of functions in an arrangement of cells share: labels, sites, marks of some cells. No DOM. */

import { functionOf } from "../phi/entries.ts";
import {
  type Arrangement,
  cellAt,
  kernelsWithin,
  neighbour,
  type Rect,
  rectOf,
} from "../phi/geometry.ts";
import {
  columnLabels,
  cornerLabels,
  inStuckBand,
  type Label,
  rowLabels,
  stuckHead,
  underHead,
} from "../phi/labels.ts";
import type { LayerLayout } from "../wire/types.ts";
import type { Given } from "./drawing.ts";
import type { Mark, Sites, TextMark } from "./marks.ts";
import { flat, rect, segments, words } from "./shapes.ts";
import { cursorMark, framed, outline } from "./strokes.ts";
import type { Colours } from "./theme.ts";

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
  const [columns, corners] = [columnLabels(arrangement), cornerLabels(arrangement)].map((labels) =>
    inStuckBand(arrangement, head, labels),
  );
  return [
    rect(head.strip, { fill: colours.surface }),
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
export interface Unit {
  /** Functions of a cell. */
  size: number;
  functionAt(cell: number): number;
}

/** Each cell is a site, by the number of its function. */
export function cellSites(
  arrangement: Arrangement,
  count: number,
  say: (f: number) => string,
  { size, functionAt }: Unit = { size: 1, functionAt: (cell) => cell },
): Sites {
  const known = (id: string) => id !== "" && Number(id) < count;
  return {
    at(x, y, view) {
      if (underHead(arrangement, view, y)) return "";
      const cell = cellAt(arrangement, x, y);
      return cell < 0 ? "" : String(functionAt(cell));
    },
    box: (id) => (known(id) ? rectOf(arrangement, Math.floor(Number(id) / size)) : null),
    words: (id) => (known(id) ? say(Number(id)) : ""),
    next(id, direction) {
      if (direction === "last") return String(count - 1);
      if (direction === "first" || !known(id)) return "0";
      const cell = Math.floor(Number(id) / size);
      return String(functionAt(neighbour(arrangement, cell, direction)));
    },
  };
}

/** Numbers of functions, −1 for none. */
export interface Marked {
  hovered: number;
  selected: number;
  /** The keyboard's place. */
  cursor: number;
}

export function markedIn(layer: LayerLayout, { store, pointed }: Given): Marked {
  const numberOf = (id: string) => (id === "" ? -1 : Number(id));
  const [hovered, cursor] = [pointed.id, pointed.keyboard].map(numberOf);
  return { hovered, selected: functionOf(layer, store.selection()), cursor };
}

/** Frames of what is pointed at, selected, and where the keyboard is. */
export function markedMarks(
  { hovered, selected, cursor }: Marked,
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

/** The boxes of cells, one after another. */
export function cellBoxes(arrangement: Arrangement, functions: readonly number[]): number[] {
  return functions.flatMap((f) => flat(rectOf(arrangement, f)));
}
