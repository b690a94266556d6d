/** The numbers of all models, the ones that decide first. */

import { CURVE_COLOURS, curveColour } from "../../scene/chart.ts";
import type { Mark } from "../../scene/marks.ts";
import { rect, rects, segments, snapped, words } from "../../scene/shapes.ts";
import { fitted, widthOf } from "../../scene/text.ts";
import type { Colours } from "../../scene/theme.ts";
import type { ShownModels, TableRow } from "./verdict.ts";

/** Pixels of the names, of the numbers that decide, and of the others. */
const NAME_SIZE = 13;
const LEAD_SIZE = 15;
const TEXT_SIZE = 11;
const HEAD_HEIGHT = 22;
const LEAD_HEIGHT = 21;
const ROW_HEIGHT = 15;
const LABEL_GAP = 14;
/** Where a label stands over its numbers: its own height, and the room between two numbers. */
const LABEL_HEIGHT = 15;
const NUMBER_GAP = 6;
const SWATCH = 10;
/** A column of numbers is no wider: the eye has to come across. */
const WIDEST_COLUMN = 104;

type ComparisonTable = ReturnType<typeof tableOf>;

const sizeOf = ({ lead }: TableRow) => (lead ? LEAD_SIZE : TEXT_SIZE);

export function tableOf(
  { rows, models }: ShownModels,
  at: { x: number; y: number },
  width: number,
) {
  const count = Math.max(1, models.length);
  const labels = rows.map(({ label }) => widthOf(label, TEXT_SIZE));
  const numbers = rows.flatMap((row) => row.values.map((v) => widthOf(v, sizeOf(row), 600)));
  const names = models.map((name) => widthOf(name, NAME_SIZE, 600) + SWATCH + 5);
  const beside = Math.max(0, ...labels) + LABEL_GAP;
  const widest = Math.max(0, ...numbers, ...names.map((name) => Math.min(name, 90)));
  const over = beside + count * (widest + LABEL_GAP) > width;
  // Each model's name is read whole where there is room for it.
  const wide = Math.max(WIDEST_COLUMN, ...names.map((name) => name + LABEL_GAP));
  const column = over ? width / count : Math.min(wide, (width - beside) / count);
  const left = at.x + (over ? 0 : beside);
  const whole = (over ? 0 : beside) + column * models.length;
  let y = at.y + HEAD_HEIGHT;
  const placed = rows.map((row) => {
    const height = (row.lead ? LEAD_HEIGHT : ROW_HEIGHT) + (over ? LABEL_HEIGHT : 0);
    const box = { x: at.x, y, width: whole, height };
    y += height;
    return { row, box };
  });
  return {
    height: y - at.y,
    width: whole,
    /** Right end of each model's column, and the room in it. */
    ends: models.map((_, k) => left + column * (k + 1)),
    room: column - (over ? NUMBER_GAP : LABEL_GAP),
    /** Room of a label. */
    label: over ? width : beside - LABEL_GAP / 2,
    /** Labels stand over their numbers: there is no room beside them. */
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
  const text = fitted(name, at.room - SWATCH - 5, NAME_SIZE, 600);
  const whole = widthOf(text, NAME_SIZE, 600) + SWATCH + 5;
  const x = at.anchor === "end" ? at.x - whole : at.x;
  const box = [x, at.y - SWATCH + 0.5, SWATCH, SWATCH];
  const fill = curveColour(colours, colourOfModel(number));
  return [
    rects(box, { fill, radius: 2 }),
    words(x + SWATCH + 5, at.y, text, colours.ink, { size: NAME_SIZE, weight: 600 }),
  ];
}

export function tableMarks(
  table: ComparisonTable,
  { models }: ShownModels,
  pointed: string,
  colours: Colours,
  ratio: number,
): Mark[] {
  const first = table.rows[0]?.box;
  if (!first) return [];
  const marks = models.flatMap((name, k) => {
    const at = { x: table.ends[k], y: first.y - 8, room: table.room, anchor: "end" } as const;
    return nameMarks(name, k, at, colours);
  });
  const lines: number[] = [];
  for (const { row, box } of table.rows) {
    if (pointed === rowId(row)) marks.push(rect(box, { fill: colours.hover }));
    const top = snapped(box.y, ratio);
    lines.push(box.x, top, box.x + box.width, top);
    const middle = box.y + box.height / 2;
    const label = fitted(row.label, table.label, TEXT_SIZE);
    const at = table.over ? box.y + LABEL_HEIGHT / 2 + 2 : middle;
    const fill = row.lead ? colours.ink : colours.muted;
    marks.push(words(box.x, at, label, fill, { size: TEXT_SIZE, middle: true }));
    const y = table.over ? middle + LABEL_HEIGHT / 2 - 1 : middle;
    marks.push(...valueMarks(row, table, y, colours));
  }
  return [segments(lines, colours.line), ...marks];
}

function valueMarks(row: TableRow, table: ComparisonTable, y: number, colours: Colours): Mark[] {
  const size = sizeOf(row);
  return row.values.map((value, k) => {
    const weight = row.best.includes(k) ? 600 : 400;
    const text = fitted(value, table.room, size, weight);
    const fill = row.lead && row.best.length > 0 && weight === 400 ? colours.muted : colours.ink;
    const look = { size, weight, anchor: "end", middle: true } as const;
    return words(table.ends[k], y, text, fill, look);
  });
}

export const rowId = ({ key }: TableRow) => `row ${key}`;

/** The first two are of what is logged of one model. */
const FIRST_MODEL_COLOUR = 2;

/** The number of a model's colour among those of curves. */
export function colourOfModel(number: number): number {
  return (number + FIRST_MODEL_COLOUR) % CURVE_COLOURS;
}
