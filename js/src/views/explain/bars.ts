/** Lists of shares, drawn: a small map, a name, a bar from zero, a number. All bars of a layer have one scale. No DOM. */

import type { Mark } from "../../scene/marks.ts";
import { fitted, widthOf, wrapped } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import { type Block, LINE, line, SIZE } from "./block.ts";
import type { Part } from "./content.ts";
import { boxIn, mapMarks, type Plate } from "./pictures.ts";
import type { List, Row } from "./rows.ts";
import { fitting } from "./words.ts";

/** Below this width of a list names and numbers stand above their bars. */
const NARROW = 300;
const [ROW, TALL, MAPPED] = [18, 32, 22];
/** Pixels of a small map, and of the room that it takes. */
const MAP = 19;
const MAP_ROOM = MAP + 7;
/** Between a heading and what stands on its line. */
const APART = 14;

/** How all rows of a layer stand. */
export interface Plan {
  width: number;
  /** Names stand over their bars. */
  tall: boolean;
  /** Where names and maps end. */
  names: number;
  /** Where a value lies. */
  place(value: number): number;
}

export function planOf(lists: readonly List[], width: number, plate: Plate | null): Plan {
  const rows = lists.flatMap((list) => list.rows);
  const tall = width < NARROW;
  const widest = (texts: string[]) => Math.max(0, ...texts.map((text) => widthOf(text, SIZE, 600)));
  const values = widest(rows.map(({ text }) => text));
  const ends = lists.map(
    (list) => indentOf(list, plate) + widest(list.rows.map(({ name }) => name)),
  );
  const names = tall ? width - values - 8 : Math.min(Math.ceil(Math.max(...ends)), width / 2);
  const [from, to] = tall
    ? [indentOf(lists[0], plate) + 1, width - 1]
    : [names + 10, width - values - 10];
  const drawn = rows.filter(({ kind }) => kind !== "total");
  const all = [0, ...drawn.flatMap(({ value, beside }) => [value, beside])].filter(Number.isFinite);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const unit = (to - from) / (high - low || 1);
  return { width, tall, names, place: (value) => from + (value - low) * unit };
}

/** Where the names of a list begin: behind the maps that its rows have. */
function indentOf({ rows }: List, plate: Plate | null): number {
  return plate !== null && rows.some(({ map }) => map !== null) ? MAP_ROOM : 0;
}

export function listBlock(
  part: Part,
  list: List,
  plan: Plan,
  selected: number,
  [x, y]: readonly [number, number],
  plate: Plate | null,
  most: number,
  theme: Theme,
): Block {
  const { colours } = theme;
  const { width } = plan;
  const indent = indentOf(list, plate);
  const height = plan.tall ? TALL : indent ? MAPPED : ROW;
  const { rows } = list;
  const label = rows.some(({ beside }) => !Number.isNaN(beside)) ? part.besideLabel : "";
  const room = width - (label ? APART + 8 + widthOf(label, SIZE) : 0);
  const short = list.headings.find((text) => widthOf(text, SIZE) <= room);
  const heading = short ?? fitting(list.headings, width);
  const marks: Mark[] = [line(x, y, heading, colours.muted)];
  let top = y + LINE + 2;
  if (label) {
    // The key stands behind the heading where it fits.
    const left = short ? x + widthOf(heading, SIZE) + APART : x;
    const down = short ? y : y + LINE;
    marks.push({ kind: "rects", boxes: [left, down + 2, 2, 11], fill: colours.ink });
    const words = wrapped(label, x + width - left - 8, SIZE);
    marks.push(...words.map((text, k) => line(left + 8, down + k * LINE, text, colours.muted)));
    top = down + words.length * LINE + 2;
  }
  marks.push(...barMarks(rows, plan, height, [x, top], theme));
  rows.forEach((row, k) => {
    const at: [number, number] = [x, top + k * height];
    marks.push(...rowMarks(row, plan, height, indent, selected, at, theme));
    if (!plate || !row.map) return;
    const size = boxIn(plate.image, MAP);
    const box = { x, y: at[1] + (height - size.height) / 2, ...size };
    marks.push(...mapMarks({ ...plate, edges: [] }, row.map, most, box, theme));
  });
  const box = { x, y: top, width, height: rows.length * height };
  const { name } = list;
  const words = (row: number) => rows[row]?.words ?? "";
  return {
    marks,
    regions: [{ name, box, rows: rows.length, columns: 1, count: rows.length, words }],
    top: y,
    bottom: box.y + box.height,
  };
}

/** Where words and bar of a row begin. */
function linesOf({ tall }: Plan, height: number, top: number): { words: number; bar: number } {
  const middle = top + height / 2;
  return tall ? { words: top + 2, bar: top + LINE } : { words: middle - 7, bar: middle - 5 };
}

/** Name and number of a row. */
function rowMarks(
  row: Row,
  plan: Plan,
  height: number,
  indent: number,
  selected: number,
  [x, top]: readonly [number, number],
  { colours }: Theme,
): Mark[] {
  const { names, width } = plan;
  const { words } = linesOf(plan, height, top);
  const whole = row.kind === "total";
  const weight = whole || row.has(selected) ? 600 : 400;
  const fill = row.kind === "others" ? colours.muted : colours.ink;
  const marks: Mark[] = [
    line(x + indent, words, fitted(row.name, names - indent, SIZE, weight), fill, { weight }),
    line(x + width, words, row.text, fill, { weight, anchor: "end" }),
  ];
  if (whole)
    marks.push({ kind: "lines", xy: [x, top, x + width, top], ends: [2], stroke: colours.line });
  return marks;
}

/** The bars; those of several shares together are hollow. */
function barMarks(
  rows: readonly Row[],
  plan: Plan,
  height: number,
  [x, y]: readonly [number, number],
  { colours }: Theme,
): Mark[] {
  const [more, less, hollowMore, hollowLess]: number[][] = [[], [], [], []];
  const [strokes, zeros]: [number[], number[]] = [[], []];
  const zero = x + plan.place(0);
  rows.forEach(({ kind, value, beside }, k) => {
    if (kind === "total") return;
    const { bar } = linesOf(plan, height, y + k * height);
    zeros.push(zero, bar - 4, zero, bar + 14);
    if (Number.isFinite(value)) {
      const long = Math.abs(plan.place(value) - plan.place(0));
      const left = value < 0 ? zero - long : zero;
      if (kind !== "others") (value < 0 ? less : more).push(left, bar, long, 10);
      else if (long >= 1) {
        (value < 0 ? hollowLess : hollowMore).push(left + 0.5, bar + 0.5, long - 1, 9);
      }
    }
    if (Number.isFinite(beside)) strokes.push(x + plan.place(beside) - 1, bar - 1, 2, 12);
  });
  const ends = Array.from({ length: zeros.length / 4 }, (_, k) => 2 * k + 2);
  return [
    { kind: "lines", xy: zeros, ends, stroke: colours.zero },
    { kind: "rects", boxes: more, fill: colours.more },
    { kind: "rects", boxes: less, fill: colours.less },
    { kind: "rects", boxes: hollowMore, stroke: colours.more },
    { kind: "rects", boxes: hollowLess, stroke: colours.less },
    { kind: "rects", boxes: strokes, fill: colours.ink },
  ];
}
