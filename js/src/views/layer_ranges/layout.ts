/** Where the parts of LayerRanges lie, in CSS pixels. */

import { layerTitle } from "../../phi/entries.ts";
import { PAD } from "../../phi/geometry.ts";
import type { Rect } from "../../scene/marks.ts";
import { fittedApart, widthOf } from "../../scene/text.ts";
import type { RangesContent } from "./content.ts";
import { type NumberColumn, numberColumns } from "./words.ts";

/** Heights within a row: the strip of dots, and below it the box. */
interface Plot {
  dots: readonly [number, number];
  box: number;
  height: number;
}

/** Of a few layers the rows are higher: there is room. */
const ROOMY_ROW: Plot = { dots: [23, 43], box: 54, height: 64 };
const CLOSE_ROW: Plot = { dots: [20, 30], box: 38, height: 45 };
const FEW_LAYERS = 8;
/** One line of columns, and the curves where they lie under the plot. */
const BAND_HEIGHT = 34;
const CURVES_HEIGHT = 44;
const HEAD_HEIGHT = 38;
const CURVES_HEAD_HEIGHT = 52;
export const TITLE = 12;
export const NAME = 12.5;
export const BELOW = 11;
export const CELL = 12;
const COLUMN_GAP = 10;
/** Room at the right of the curves for the ends of their axis. */
const AXIS_ENDS_WIDTH = 42;
/** From one line of a head to the next. */
export const HEAD_LINE = 15;
/** Less than this is no plot, and no room for two of them side by side. */
const LEAST_PLOT = 172;
const LEAST_PAIR = 270;

export type RangesLayout = ReturnType<typeof rangesLayout>;

export function rangesLayout(content: RangesContent, width: number) {
  const inside = width - 2 * PAD;
  const head = 4;
  const heights = content.rows.length > FEW_LAYERS ? CLOSE_ROW : ROOMY_ROW;

  const columns = numberColumns(content);
  const widths = columns.map((column) => widthOfColumn(column, content));
  // All columns in one line, or as many as leave room for a plot.
  const inBand = [columns.length, 2].find((n) => inside - tableWidth(widths, n) >= LEAST_PLOT) ?? 1;
  const bands = Math.ceil(columns.length / inBand);
  // Where there is more room than words need, a little of it goes to the columns.
  const table = tableWidth(widths, inBand);
  const spare = Math.max(0, Math.min(26 * inBand, 0.35 * (inside - table - 560)));
  const left = inside - table - spare;
  const narrow = left < LEAST_PAIR;
  const own = (narrow ? left : 0.6 * left) - COLUMN_GAP;
  const plot = { x: PAD, width: own };
  const times = narrow
    ? { ...plot, width: own - AXIS_ENDS_WIDTH }
    : { x: PAD + own + COLUMN_GAP, width: left - own - 2 * COLUMN_GAP - AXIS_ENDS_WIDTH };
  const rowHeight = Math.max(
    heights.height + (narrow ? CURVES_HEIGHT : 0),
    bands > 1 ? bands * BAND_HEIGHT + 6 : 0,
  );
  const heads = (narrow ? HEAD_HEIGHT : 0) + CURVES_HEAD_HEIGHT;
  const top = head + heads;
  const cells = columns.map((column, k) => {
    const place = k % inBand;
    const before = columnWidths(widths, inBand).slice(0, place + 1);
    /** Where its words end. */
    const right = PAD + left + before.reduce((sum, w) => sum + w + spare / inBand, 0);
    const wide = columnWidths(widths, inBand)[place] + spare / inBand;
    return { column, right, width: wide, band: Math.floor(k / inBand) };
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
    /** Pixels of the head over the ranges, where the curves have theirs below it. */
    upperHead: narrow ? HEAD_HEIGHT : heads,
    /** Within a row, where the curves begin and how high they are. */
    timesTop: narrow ? heights.height : 0,
    timesHeight: narrow ? CURVES_HEIGHT : rowHeight,
    cells,
    bands,
    names: fittedApart(content.rows.map(layerTitle), plot.width, NAME, 600),
  };
}

function widthOfColumn({ title, below, lines }: NumberColumn, { rows }: RangesContent): number {
  const texts = rows.flatMap(({ numbers }) => lines(numbers));
  const cells = texts.map((text) => widthOf(text, CELL, 600));
  return (
    Math.ceil(Math.max(widthOf(title, TITLE, 600), widthOf(below, BELOW), ...cells)) + COLUMN_GAP
  );
}

/** Widths of the columns where so many stand in a line: those of the lines stand under each other. */
function columnWidths(widths: readonly number[], each: number): number[] {
  return Array.from({ length: each }, (_, place) =>
    Math.max(...widths.filter((_, k) => k % each === place)),
  );
}

function tableWidth(widths: readonly number[], each: number): number {
  return columnWidths(widths, each).reduce((sum, width) => sum + width, 0);
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
