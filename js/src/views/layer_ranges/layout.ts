/** Where the parts of LayerRanges lie, in CSS pixels. */

import { sum } from "d3-array";
import { layerTitle } from "../../phi/entries.ts";
import { PAD } from "../../phi/geometry.ts";
import type { Rect } from "../../scene/marks.ts";
import { fittedApart, widthOf } from "../../scene/text.ts";
import type { RangesContent } from "./content.ts";
import { aside, type NumberColumn, numberColumns } from "./words.ts";

/** Heights within a row: the strip of dots, and below it the box. Of a few layers the rows are higher: there is room. */
const ROOMY_ROW = { dots: [23, 43], box: 54, height: 64 };
const CLOSE_ROW = { dots: [20, 30], box: 38, height: 45 };
const FEW_LAYERS = 8;
/** Of a line of numbers with their names under the plots. */
export const BAND_HEIGHT = 38;
const HEAD_HEIGHT = 52;
export const TITLE = 12;
export const NAME = 12.5;
export const BELOW = 11;
export const CELL = 12;
const COLUMN_GAP = 10;
/** Room at the right of the curves for the ends of their axis. */
const AXIS_ENDS_WIDTH = 42;
/** From one line of a head to the next. */
export const HEAD_LINE = 15;
/** Where the plots would have less than this, the numbers stand below them. */
const LEAST_PAIR = 380;

export type RangesLayout = ReturnType<typeof rangesLayout>;

export function rangesLayout(content: RangesContent, width: number) {
  const inside = width - 2 * PAD;
  const head = 4;
  const heights = content.rows.length > FEW_LAYERS ? CLOSE_ROW : ROOMY_ROW;

  const columns = numberColumns(content);
  const widths = columns.map((column) => widthOfColumn(column, content));
  const table = sum(widths);
  // Where there is more room than words need, a little of it goes to the columns.
  const spare = Math.max(0, Math.min(26 * columns.length, 0.35 * (inside - table - 560)));
  const below = inside - table - spare < LEAST_PAIR;
  const left = below ? inside : inside - table - spare;
  const own = 0.6 * left - COLUMN_GAP;
  const plot = { x: PAD, width: own };
  const times = {
    x: PAD + own + COLUMN_GAP,
    width: left - own - (below ? 1 : 2) * COLUMN_GAP - AXIS_ENDS_WIDTH,
  };
  const all = columns.length;
  const abreast = !below || all * Math.max(...widths) <= inside ? all : 2;
  const bands = below ? Math.ceil(all / abreast) : 0;
  const warned = bands > 0 && content.rows.some(aside) ? HEAD_LINE : 0;
  const rowHeight = heights.height + bands * BAND_HEIGHT + warned;
  const top = head + HEAD_HEIGHT;
  const cells = columns.map((column, k) => {
    const width = below ? inside / abreast : widths[k] + spare / all;
    const before = below ? (k % abreast) * width : left + sum(widths.slice(0, k));
    /** Where its words end. */
    const right = PAD + before + (k * spare) / all + width;
    return { column, right, width, band: Math.floor(k / abreast) };
  });
  return {
    width,
    height: top + rowHeight * content.rows.length + PAD,
    /** Top of the head, and of the first row. */
    head,
    top,
    rowHeight,
    rows: content.rows.length,
    heights,
    /** From left to right of the ranges and of the curves over the steps. */
    plot,
    times,
    cells,
    /** Lines of numbers under the plots of a row; 0 where they are columns beside them. */
    bands,
    names: fittedApart(content.rows.map(layerTitle), plot.width, NAME),
  };
}

function widthOfColumn({ title, below, lines }: NumberColumn, { rows }: RangesContent): number {
  const texts = rows.flatMap(({ numbers }) => lines(numbers));
  const cells = texts.map((text) => widthOf(text, CELL, 600));
  return (
    Math.ceil(Math.max(widthOf(title, TITLE, 600), widthOf(below, BELOW), ...cells)) + COLUMN_GAP
  );
}

export const rowTop = ({ top, rowHeight }: RangesLayout, k: number) => top + k * rowHeight;

/** The row at a height, or -1. */
export function rowAt({ top, rowHeight, rows }: RangesLayout, y: number): number {
  const k = Math.floor((y - top) / rowHeight);
  return k >= 0 && k < rows ? k : -1;
}

/** Numbers of the first row that is seen, and of the first one after. */
export function rowsWithin(layout: RangesLayout, view: Rect): [from: number, to: number] {
  const at = (y: number) => (y - layout.top) / layout.rowHeight;
  const from = Math.max(0, Math.floor(at(view.y)));
  return [from, Math.min(layout.rows, Math.max(from, Math.ceil(at(view.y + view.height))))];
}

/** Where the head is: at its place, or at the top of what is seen. */
export function headAt({ head }: RangesLayout, view: Rect): number {
  return Math.max(head, view.y);
}

export const headHeight = ({ head, top }: RangesLayout) => top - head;
