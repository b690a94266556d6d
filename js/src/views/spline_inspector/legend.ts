/** The legend beside or below the plot: where its rows lie, their marks and their sites. */

import { formatNumber } from "../../phi/format.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { dot, line, rect, rects, words } from "../../scene/shapes.ts";
import { fitted, widthOf, wrapped } from "../../scene/text.ts";
import type { Colours } from "../../scene/theme.ts";
import type { KeyRow } from "./rows.ts";
import type { PhiReading } from "./terms.ts";

/** Pixels from one row to the next, and of their words. */
const ROW = 18;
const SIZE = 12;
const READING_HEIGHT = 22;
const HEAD_HEIGHT = 19;
const LEAST_COLUMN = 224;
const COLUMN_GAP = 16;
const PAD = 4;
const SWATCH_WIDTH = 16;
const NUMBER_WIDTH = 66;
const REMOVE_WIDTH = 18;

/** Beside a plot that has the more of the room. */
export function legendWidth(width: number): number {
  return Math.round(Math.max(228, Math.min(256, 0.36 * width)));
}

export type Legend = ReturnType<typeof legendIn>;

export const NO_LEGEND: Legend = {
  box: { x: 0, y: 0, width: 0, height: 0 },
  columns: [],
  rows: [],
};

/** One column beside a plot of some height, with all weights if it can; null where the rows do not fit there. */
export function legendBeside(
  rows: readonly KeyRow[],
  { x, width }: Pick<Rect, "x" | "width">,
  height: number,
): Legend | null {
  const legends = [1, 0].map((parts) => legendIn({ x, y: 0, width }, rows, 1, parts));
  return legends.find(({ box }) => box.height <= height) ?? null;
}

/** As many columns as there is room for. */
export function legendBelow(rows: readonly KeyRow[], y: number, width: number): Legend {
  const inner = width - 2 * PAD;
  const columns = Math.max(1, Math.floor((inner + COLUMN_GAP) / (LEAST_COLUMN + COLUMN_GAP)));
  const most = Math.ceil(rows.length / 4);
  return legendIn({ x: PAD, y, width: inner }, rows, Math.min(columns, most, 6), 2);
}

function legendIn(
  { x, y, width }: { x: number; y: number; width: number },
  rows: readonly KeyRow[],
  count: number,
  abreast: number,
) {
  const wide = (width - COLUMN_GAP * (count - 1)) / count;
  const top = y + READING_HEIGHT + HEAD_HEIGHT;
  const down = Math.ceil(rows.length / count);
  const foots = Array<number>(count).fill(top);
  const placed = rows.map((row, k) => {
    const column = Math.floor(k / down);
    // A label without a weight beside it may be longer; the values' place is kept free.
    const numbers = (row.coefficient ? 2 : 1) * NUMBER_WIDTH + (row.removable ? REMOVE_WIDTH : 0);
    const room = wide - 2 * PAD - SWATCH_WIDTH - 4 - numbers;
    const lines = row.wraps ? wrapped(row.label, room, SIZE) : [fitted(row.label, room, SIZE)];
    const parts = abreast > 0 ? row.parts : [];
    const height = ROW + 15 * (lines.length - 1 + Math.ceil(parts.length / abreast || 0));
    const box = { x: x + column * (wide + COLUMN_GAP), y: foots[column], width: wide, height };
    foots[column] += height;
    const remove = row.removable
      ? { x: box.x + wide - REMOVE_WIDTH, y: box.y, width: REMOVE_WIDTH, height: ROW }
      : null;
    /** `abreast`: how many of its parts stand in a line. */
    return { row, box, lines, parts, abreast, remove };
  });
  const used = foots.slice(0, Math.ceil(rows.length / Math.max(1, down)));
  const columns = used.map((_, k) => ({ x: x + k * (wide + COLUMN_GAP), width: wide }));
  const height = Math.max(...foots) - y;
  return { box: { x, y, width, height }, columns, rows: placed };
}

interface Said {
  reading: PhiReading | null;
  variable: string;
  /** Where nothing is read: what φ is made of. */
  sum: string;
  /** Id of the site that is pointed at. */
  lit: string;
}

export function legendMarks(legend: Legend, shown: Said, colours: Colours): Mark[] {
  const { columns, rows } = legend;
  if (columns.length === 0) return [];
  const marks = readingLine(legend, shown, colours);
  const y = legend.box.y + READING_HEIGHT;
  const head = (x: number, text: string, anchor: "start" | "end") =>
    words(x, y + 13, text, colours.muted, { anchor });
  for (const { x, width } of columns) {
    const end = x + width - PAD;
    // A column of what is no term has no numbers to name.
    if (rows.some(({ row, box }) => box.x === x && row.coefficient))
      marks.push(head(x + PAD, "term", "start"), head(end - NUMBER_WIDTH, "weight", "end"));
    if (shown.reading) marks.push(head(end, `at ${shown.variable}`, "end"));
    const rule = y + HEAD_HEIGHT - 1.5;
    marks.push(line([x, rule, x + width, rule], colours.line));
  }
  for (const placed of rows) marks.push(...rowMarks(placed, shown.lit, colours));
  return marks;
}

function readingLine({ box, columns }: Legend, line: Said, { ink, muted }: Colours): Mark[] {
  const { reading, variable, sum } = line;
  const [x, y] = [columns[0].x + PAD, box.y + 15];
  const room = columns[0].width - 2 * PAD;
  if (!reading) return sum ? [words(x, y, fitted(sum, room, SIZE), muted, { size: SIZE })] : [];
  const at = `${variable} ${formatNumber(reading.x)}`;
  // At fixed thirds, so that nothing moves with the digits; a long name of x takes what it needs.
  const first = Math.max(room / 3, widthOf(at, SIZE) + 8);
  const step = (room - first) / 2;
  return [
    words(x, y, at, ink, { size: SIZE }),
    words(x + first, y, `φ ${formatNumber(reading.phi)}`, ink, { size: SIZE, weight: 600 }),
    words(x + first + step, y, `φ′ ${formatNumber(reading.slope)}`, ink, { size: SIZE }),
  ];
}

function rowMarks(
  { row, box, lines, parts, abreast, remove }: Legend["rows"][number],
  lit: string,
  colours: Colours,
): Mark[] {
  const marks: Mark[] = [];
  const fill = row.on ? colours.ink : colours.muted;
  if (lit === `row:${row.key}`) marks.push(rect(box, { radius: 4, fill: colours.hover }));
  const left = box.x + PAD;
  const first = remove ? remove.height : box.height;
  const middle = box.y + (box.height > ROW ? 8 : first / 2);
  const swatch = swatchMarks(row, left, middle);
  marks.push({ kind: "group", opacity: row.on ? 1 : 0.25, marks: swatch });
  const at = left + SWATCH_WIDTH + 4;
  const end = box.x + box.width - PAD - (remove ? REMOVE_WIDTH : 0);
  lines.forEach((text, k) => {
    marks.push(words(at, middle + 15 * k, text, fill, { size: SIZE, middle: true }));
  });
  // The longest, "−0.000123", leaves a gap.
  const look = { anchor: "end", middle: true } as const;
  const down = Math.ceil(parts.length / abreast);
  const wide = (end - at) / abreast;
  parts.forEach(({ label, weight }, k) => {
    const y = middle + 15 * (lines.length + (k % down));
    const from = at + Math.floor(k / down) * wide;
    const to = abreast > 1 ? from + wide - COLUMN_GAP : end - NUMBER_WIDTH;
    marks.push(words(from, y, label, colours.muted, { middle: true }));
    marks.push(words(to, y, weight, colours.muted, look));
  });
  if (row.coefficient) marks.push(words(end - NUMBER_WIDTH, middle, row.coefficient, fill, look));
  marks.push(words(end, middle, row.on ? row.value : "off", fill, look));
  if (remove) {
    const tone = lit === `remove:${row.key}` ? colours.ink : colours.muted;
    const cross = { size: 13, anchor: "middle", middle: true } as const;
    marks.push(words(remove.x + remove.width / 2, middle, "×", tone, cross));
  }
  return marks;
}

function swatchMarks({ look, colours }: KeyRow, x: number, y: number): Mark[] {
  const across = [x, y, x + SWATCH_WIDTH, y];
  const [colour] = colours;
  switch (look) {
    case "ramp": {
      const each = SWATCH_WIDTH / colours.length;
      return [
        rects(
          colours.flatMap((_, k) => [x + k * each, y - 2, each, 4]),
          { fills: colours },
        ),
      ];
    }
    case "line":
      return [line(across, colour, { width: 2.5 })];
    case "dashes":
      return [line(across, colour, { width: 2, dash: [4, 2] })];
    // Round as those of B, square as those of other terms.
    case "point": {
      const own = { stroke: colour, width: 1.5 };
      return [dot(x + 4, y, 3, own), rect({ x: x + 10, y: y - 2.5, width: 5, height: 5 }, own)];
    }
    case "knot":
      return [line([x + 8.5, y - 5, x + 8.5, y + 5], colour)];
    case "bars": {
      const bar = (share: number, k: number) => [x + 2 + 4 * k, y + 5 - 10 * share, 3, 10 * share];
      return [rects([0.4, 1, 0.65].flatMap(bar), { fill: colour })];
    }
  }
}

/** What of the legend can be pointed at, the topmost last. */
export function legendSites({ rows }: Legend) {
  return rows.flatMap(({ row, box, remove }) => {
    const own = { id: `row:${row.key}`, box, words: row.title };
    if (!remove) return [own];
    const away = `Remove ${row.label} from the plot`;
    return [own, { id: `remove:${row.key}`, box: remove, words: away }];
  });
}
