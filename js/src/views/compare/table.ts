/** The numbers of all models, the ones that decide first. No DOM. */

import { colourOf } from "../../scene/chart.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { snapped } from "../../scene/snap.ts";
import { fitted, widthOf } from "../../scene/text.ts";
import type { Colours } from "../../scene/theme.ts";
import { colourOfModel } from "./columns.ts";
import type { Row, Shown } from "./shown.ts";

/** Pixels of the names, of the numbers that decide, and of the others. */
const NAME = 13;
const LEAD = 15;
const TEXT = 11;
const HEAD = 26;
const TALL = 28;
const LOW = 18;
const GAP = 14;
/** Where a label stands over its numbers: its own height, and the room between two numbers. */
const OVER = 15;
const APART = 6;
const SWATCH = 10;
/** A column of numbers is no wider: the eye has to come across. */
const WIDEST = 120;

export interface Table {
  height: number;
  width: number;
  /** Right end of each model's column, and the room in it. */
  ends: number[];
  room: number;
  /** Room of a label. */
  label: number;
  /** Labels stand over their numbers: there is no room beside them. */
  over: boolean;
  rows: { row: Row; box: Rect }[];
}

const sizeOf = ({ lead }: Row) => (lead ? LEAD : TEXT);

/** `stretch`: how much more room its rows have than they need. */
export function tableOf(
  { rows, models }: Shown,
  at: { x: number; y: number },
  width: number,
  stretch = 1,
): Table {
  const count = Math.max(1, models.length);
  const labels = rows.map(({ label }) => widthOf(label, TEXT));
  const numbers = rows.flatMap((row) => row.values.map((v) => widthOf(v, sizeOf(row), 600)));
  const names = models.map((name) => widthOf(name, NAME, 600) + SWATCH + 5);
  const beside = Math.max(0, ...labels) + GAP;
  const widest = Math.max(0, ...numbers, ...names.map((name) => Math.min(name, 90)));
  const over = beside + count * (widest + GAP) > width;
  // Each model's name is read whole where there is room for it.
  const wide = Math.max(WIDEST, ...names.map((name) => name + GAP));
  const column = over ? width / count : Math.min(wide, (width - beside) / count);
  const left = at.x + (over ? 0 : beside);
  const whole = (over ? 0 : beside) + column * models.length;
  let y = at.y + HEAD;
  const placed = rows.map((row) => {
    const height = Math.round(stretch * ((row.lead ? TALL : LOW) + (over ? OVER : 0)));
    const box = { x: at.x, y, width: whole, height };
    y += height;
    return { row, box };
  });
  return {
    height: y - at.y,
    width: whole,
    ends: models.map((_, k) => left + column * (k + 1)),
    room: column - (over ? APART : GAP),
    label: over ? width : beside - GAP / 2,
    over,
    rows: placed,
  };
}

/** A model's name behind its colour, ending or beginning at x. */
export function nameMarks(
  name: string,
  number: number,
  at: { x: number; y: number; room: number; anchor?: "end" },
  colours: Colours,
): Mark[] {
  const text = fitted(name, at.room - SWATCH - 5, NAME, 600);
  const whole = widthOf(text, NAME, 600) + SWATCH + 5;
  const x = at.anchor === "end" ? at.x - whole : at.x;
  const box = [x, at.y - SWATCH + 0.5, SWATCH, SWATCH];
  const fill = colourOf(colours, colourOfModel(number));
  return [
    { kind: "rects", boxes: box, fill, radius: 2 },
    { kind: "text", x: x + SWATCH + 5, y: at.y, text, fill: colours.ink, size: NAME, weight: 600 },
  ];
}

export function tableMarks(
  table: Table,
  { models }: Shown,
  pointed: string,
  colours: Colours,
  ratio: number,
): Mark[] {
  const first = table.rows[0]?.box;
  if (!first) return [];
  const marks = models.flatMap((name, k) =>
    nameMarks(
      name,
      k,
      { x: table.ends[k], y: first.y - 8, room: table.room, anchor: "end" },
      colours,
    ),
  );
  const lines: number[] = [];
  for (const { row, box } of table.rows) {
    if (pointed === idOf(row)) {
      marks.push({
        kind: "rects",
        boxes: [box.x, box.y, box.width, box.height],
        fill: colours.hover,
      });
    }
    const top = snapped(box.y, ratio);
    lines.push(box.x, top, box.x + box.width, top);
    const middle = box.y + box.height / 2;
    const numbers = table.over ? middle + OVER / 2 - 1 : middle;
    marks.push({
      kind: "text",
      x: box.x,
      y: table.over ? box.y + OVER / 2 + 2 : middle,
      text: fitted(row.label, table.label, TEXT),
      fill: row.lead ? colours.ink : colours.muted,
      size: TEXT,
      middle: true,
    });
    marks.push(...valueMarks(row, table, numbers, colours));
  }
  const ends = table.rows.map((_, k) => 2 * k + 2);
  return [{ kind: "lines", xy: lines, ends, stroke: colours.line }, ...marks];
}

function valueMarks(row: Row, table: Table, y: number, colours: Colours): Mark[] {
  const size = sizeOf(row);
  return row.values.map((value, k) => {
    const weight = row.best.includes(k) ? 600 : 400;
    const text = fitted(value, table.room, size, weight);
    const fill = row.lead && row.best.length > 0 && weight === 400 ? colours.muted : colours.ink;
    return {
      kind: "text",
      x: table.ends[k],
      y,
      text,
      fill,
      size,
      weight,
      anchor: "end",
      middle: true,
    };
  });
}

export const idOf = ({ key }: Row) => `row ${key}`;
