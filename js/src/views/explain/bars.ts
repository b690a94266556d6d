/** The largest shares, sorted: a name, a bar from zero, a number; and what all others come to. No DOM. */

import { counted } from "../../phi/entries.ts";
import type { Mark } from "../../scene/marks.ts";
import { fitted, widthOf, wrapped } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import { type Block, GAP, LINE, line, SIZE } from "./block.ts";
import {
  type Bar,
  barsOf,
  besideText,
  type Group,
  groupsOf,
  type Part,
  restText,
  signed,
} from "./content.ts";

export interface Row {
  kind: "bar" | "group" | "words";
  name: string;
  value: number;
  /** NaN where there is nothing to compare with. */
  beside: number;
  /** The share to select; −1 for none. */
  number: number;
  words: string;
}

/** From this width on the rows stand in two columns. */
const TWO_COLUMNS = 720;
const FEW = 8;
/** Below this width of a column names and numbers stand above their bars. */
const NARROW = 330;
const ROW = 18;
const TALL = 32;

/** How the rows stand. */
export interface Stand {
  columns: number;
  /** Rows of a column. */
  length: number;
  /** Of a row. */
  height: number;
}

export function standOf(rows: number, width: number): Stand {
  const columns = width >= TWO_COLUMNS && rows > FEW ? 2 : 1;
  const height = width / columns < NARROW ? TALL : ROW;
  return { columns, length: Math.ceil(rows / columns), height };
}

/** How many rows there is height for. */
export function rowsIn(height: number, width: number): number {
  const { columns, height: row } = standOf(FEW + 1, width);
  return columns * Math.floor((height - LINE) / row);
}

/** All rows: the largest shares, then the others by what they belong to, then what is left. */
export function rowsOf(part: Part, top: number, selected: number): Row[] {
  const bars = barsOf(part, top, selected);
  const groups = groupsOf(part, bars, top);
  const rows = bars.map((bar) => barRow(part, bar));
  if (groups.length > 0) {
    const { by } = groups[0];
    const heading = by === "direction" ? "all others together" : `all others, by ${by}`;
    rows.push(wordsRow(heading), ...groups.map((group) => groupRow(part, group)));
  }
  const rest = restText(part, bars, groups);
  if (rest) rows.push(wordsRow(rest));
  return rows;
}

/** As many bars as fit into so many rows, with a line for the rest; the selected one takes the last's place. */
export function fewRows(part: Part, top: number, selected: number, count: number): Row[] {
  const whole = part.values.length <= Math.min(top, count);
  let most = whole ? part.values.length : Math.max(1, Math.min(top, count - 1));
  if (selected >= 0 && !part.order.slice(0, most).includes(selected)) most--;
  const bars = barsOf(part, most, selected);
  const rest = restText(part, bars);
  return [...bars.map((bar) => barRow(part, bar)), ...(rest ? [wordsRow(rest)] : [])];
}

function barRow(part: Part, bar: Bar): Row {
  const beside = besideText(part, bar);
  const words = `${part.layer} · ${bar.name} · ${signed(bar.value)}${beside && ` · ${beside}`}`;
  return { kind: "bar", ...bar, words };
}

function groupRow(part: Part, { name, count, value, number }: Group): Row {
  const own = `${name}, ${counted(count, "other")}`;
  const words = `${part.layer} · ${own} together · ${signed(value)}`;
  return { kind: "group", name: own, value, beside: Number.NaN, number, words };
}

function wordsRow(words: string): Row {
  return { kind: "words", name: words, value: Number.NaN, beside: Number.NaN, number: -1, words };
}

/** The index of the row in a cell of the region. */
export function rowAt({ length }: Stand, row: number, column: number): number {
  return column * length + row;
}

export function barsBlock(
  part: Part,
  rows: readonly Row[],
  selected: number,
  [x, y]: readonly [number, number],
  width: number,
  theme: Theme,
): Block {
  const { colours } = theme;
  const stand = standOf(rows.length, width);
  const { columns, length, height } = stand;
  const marks: Mark[] = [];
  const heading = "largest shares of the score";
  marks.push(line(x, y, fitted(heading, width, SIZE), colours.muted));
  let top = y + LINE + 2;
  if (rows.some(({ beside }) => !Number.isNaN(beside))) {
    // The key stands behind the heading where it fits.
    const after = widthOf(heading, SIZE) + GAP;
    const fits = after + 8 + widthOf(part.besideLabel, SIZE) <= width;
    const [left, down] = fits ? [x + after, y] : [x, y + LINE];
    marks.push({ kind: "rects", boxes: [left, down + 2, 2, 11], fill: colours.ink });
    const words = wrapped(part.besideLabel, x + width - left - 8, SIZE);
    marks.push(...words.map((text, k) => line(left + 8, down + k * LINE, text, colours.muted)));
    top = down + words.length * LINE + 2;
  }
  const pitch = width / columns;
  const plan = planOf(rows, pitch - (columns > 1 ? GAP : 0), height === TALL);
  for (let column = 0; column < columns; column++) {
    const own = rows.slice(column * length, (column + 1) * length);
    marks.push(...columnMarks(own, selected, [x + column * pitch, top], plan, theme));
  }
  const box = { x, y: top, width, height: length * height };
  return {
    marks,
    regions: [
      {
        name: "bars",
        box,
        rows: length,
        columns,
        count: rows.length,
        words: (row, column) => rows[rowAt(stand, row, column)]?.words ?? "",
      },
    ],
    top: y,
    bottom: box.y + box.height,
  };
}

interface Plan {
  tall: boolean;
  width: number;
  nameRoom: number;
  /** Start and end of the bars. */
  track: [number, number];
  /** Where a value lies. */
  place(value: number): number;
}

function planOf(rows: readonly Row[], width: number, tall: boolean): Plan {
  const bars = rows.filter(({ kind }) => kind !== "words");
  const widest = (texts: string[], weight: 400 | 600) =>
    Math.max(0, ...texts.map((text) => widthOf(text, SIZE, weight)));
  const values = widest(
    bars.map(({ value }) => signed(value)),
    600,
  );
  const names = widest(
    bars.map(({ name }) => name),
    600,
  );
  const nameRoom = tall ? width - values - 8 : Math.min(Math.ceil(names), width / 2);
  const track: [number, number] = tall ? [1, width - 1] : [nameRoom + 10, width - values - 10];
  const all = [0, ...bars.flatMap(({ value, beside }) => [value, beside])].filter(Number.isFinite);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const unit = (track[1] - track[0]) / (high - low || 1);
  return { tall, width, nameRoom, track, place: (value) => track[0] + (value - low) * unit };
}

/** Bars of one column; those of groups are hollow. */
function columnMarks(
  rows: readonly Row[],
  selected: number,
  [x, y]: readonly [number, number],
  plan: Plan,
  { colours }: Theme,
): Mark[] {
  const height = plan.tall ? TALL : ROW;
  const solid: Record<"more" | "less", number[]> = { more: [], less: [] };
  const hollow: Record<"more" | "less", number[]> = { more: [], less: [] };
  const [strokes, zeros]: [number[], number[]] = [[], []];
  const words: Mark[] = [];
  rows.forEach(({ kind, name, value, beside, number }, k) => {
    const top = y + k * height;
    if (kind === "words") {
      words.push(line(x, top + 2, fitted(name, plan.width, SIZE), colours.muted));
      return;
    }
    const weight = number === selected && kind === "bar" ? 600 : 400;
    const at = top + (plan.tall ? LINE : 4);
    const zero = x + plan.place(0);
    zeros.push(zero, at - 4, zero, at + 14);
    if (Number.isFinite(value)) {
      const sign = value < 0 ? "less" : "more";
      const long = Math.abs(plan.place(value) - plan.place(0));
      const left = value < 0 ? zero - long : zero;
      if (kind === "bar") solid[sign].push(left, at, long, 10);
      else if (long >= 1) hollow[sign].push(left + 0.5, at + 0.5, long - 1, 9);
    }
    if (Number.isFinite(beside)) strokes.push(x + plan.place(beside) - 1, at - 1, 2, 12);
    const fill = kind === "bar" ? colours.ink : colours.muted;
    words.push(line(x, top + 2, fitted(name, plan.nameRoom, SIZE, weight), fill, { weight }));
    words.push(line(x + plan.width, top + 2, signed(value), fill, { weight, anchor: "end" }));
  });
  const ends = Array.from({ length: zeros.length / 4 }, (_, k) => 2 * k + 2);
  return [
    { kind: "lines", xy: zeros, ends, stroke: colours.zero },
    { kind: "rects", boxes: solid.more, fill: colours.more },
    { kind: "rects", boxes: solid.less, fill: colours.less },
    { kind: "rects", boxes: hollow.more, stroke: colours.more },
    { kind: "rects", boxes: hollow.less, stroke: colours.less },
    { kind: "rects", boxes: strokes, fill: colours.ink },
    ...words,
  ];
}
