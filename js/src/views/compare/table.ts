/** The numbers of all models, the ones that decide first. No DOM. */

import { colourOf } from "../../scene/chart.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { snapped } from "../../scene/snap.ts";
import { fitted, widthOf } from "../../scene/text.ts";
import type { Colours } from "../../scene/theme.ts";
import type { Row, Shown } from "./shown.ts";

/** Pixels of the names, of the numbers that decide, and of the others. */
const NAME = 13;
const LEAD = 15;
const TEXT = 11;
const HEAD = 26;
const TALL = 28;
const LOW = 18;
const GAP = 14;
const SWATCH = 10;
/** A column of numbers is no wider: the eye has to come across. */
const WIDEST = 190;

export interface Table {
  height: number;
  width: number;
  /** Right end of each model's column, and the room in it. */
  ends: number[];
  room: number;
  label: number;
  rows: { row: Row; box: Rect }[];
}

export function tableOf(
  { rows, models }: Shown,
  at: { x: number; y: number },
  width: number,
): Table {
  const labels = rows.map(({ label }) => widthOf(label, TEXT));
  const label = Math.min(Math.max(0, ...labels) + GAP, width / 3);
  const column = Math.min(WIDEST, (width - label) / Math.max(1, models.length));
  let y = at.y + HEAD;
  const placed = rows.map((row) => {
    const height = row.lead ? TALL : LOW;
    const box = { x: at.x, y, width: label + column * models.length, height };
    y += height;
    return { row, box };
  });
  return {
    height: y - at.y,
    width: label + column * models.length,
    ends: models.map((_, k) => at.x + label + column * (k + 1)),
    room: column - GAP,
    label: label - GAP / 2,
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
  const fill = colourOf(colours, number);
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
    marks.push({
      kind: "text",
      x: box.x,
      y: middle,
      text: fitted(row.label, table.label, TEXT),
      fill: row.lead ? colours.ink : colours.muted,
      size: TEXT,
      middle: true,
    });
    marks.push(...valueMarks(row, table, middle, colours));
  }
  const ends = table.rows.map((_, k) => 2 * k + 2);
  return [{ kind: "lines", xy: lines, ends, stroke: colours.line }, ...marks];
}

function valueMarks(row: Row, table: Table, y: number, colours: Colours): Mark[] {
  const size = row.lead ? LEAD : TEXT;
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
