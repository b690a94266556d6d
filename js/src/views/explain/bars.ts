/** Bars: the lists of shares, each on a scale of its own, and the score of every class. */

import { chance, formatAlike, formatCount } from "../../phi/format.ts";
import { softmax } from "../../phi/operations.ts";
import type { Mark } from "../../scene/marks.ts";
import { line, rects, segments } from "../../scene/shapes.ts";
import { fitted, fitting, widthOf, wrapped } from "../../scene/text.ts";
import type { Colours } from "../../scene/theme.ts";
import { type Block, type BlockStyle, type Corner, LEADING, SIZE, wordsAt } from "./block.ts";
import { className, type LayerShares } from "./content.ts";
import type { List, Row } from "./rows.ts";

/** Below this width of a list names and numbers stand above their bars. */
const NARROW_LIST = 260;
const [ROW_HEIGHT, TWO_LINE_HEIGHT] = [18, 32];
/** Pixels between a bar's end and a tick that says more than it. */
const APART = 2;
/** Between a heading and what stands on its line. */
const KEY_GAP = 14;

/** How all rows of a layer stand. */
type Plan = ReturnType<typeof planOf>;

export function planOf({ rows }: List, width: number) {
  const tall = width < NARROW_LIST;
  const widest = (texts: string[]) => Math.max(0, ...texts.map((text) => widthOf(text, SIZE, 600)));
  const values = widest(rows.map(({ text }) => text));
  const single = rows.filter(isSingle);
  const named = Math.ceil(widest(single.map(({ name }) => name)));
  const whole = width - values - 8;
  const names = tall ? whole : Math.min(named, 0.6 * width);
  const [from, to] = tall ? [1, width - 1] : [names + 10, width - values - 10];
  return {
    width,
    /** Names stand over their bars. */
    tall,
    /** Where names end, and those of rows without a bar. */
    ...{ names, whole },
    /** Where a value lies. */
    place: placer(
      single.flatMap(({ value, beside }) => [value, beside]),
      from,
      to,
    ),
  };
}

/** What many shares add together is a number without a bar: the bars of single ones would be short beside it. */
const isSingle = ({ kind }: Row) => kind !== "total" && kind !== "others";

/** Where values lie between two ends, zero among them. */
function placer(values: readonly number[], from: number, to: number): (value: number) => number {
  const all = [0, ...values].filter(Number.isFinite);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const unit = (to - from) / (high - low || 1);
  return (value) => from + (value - low) * unit;
}

export function listBlock(
  { part, selected, theme }: BlockStyle,
  list: List,
  plan: Plan,
  [x, y]: Corner,
): Block {
  const { colours } = theme;
  const { width, names, whole, tall } = plan;
  const height = tall ? TWO_LINE_HEIGHT : ROW_HEIGHT;
  const { rows } = list;
  const label = rows.some((row) => isApart(row, plan)) ? part.besideLabel : "";
  const room = width - (label ? KEY_GAP + 8 + widthOf(label, SIZE) : 0);
  const short = list.headings.find((text) => widthOf(text, SIZE) <= room);
  const heading = short ?? fitting(list.headings, width, SIZE);
  const marks: Mark[] = [wordsAt(x, y, heading, colours.muted)];
  let top = y + LEADING + 2;
  if (label) {
    // The key stands behind the heading where it fits.
    const left = short ? x + widthOf(heading, SIZE) + KEY_GAP : x;
    const down = short ? y : y + LEADING;
    marks.push(rects([left, down + 2, 2, 11], { fill: colours.ink }));
    const words = wrapped(label, x + width - left - 8, SIZE);
    marks.push(
      ...words.map((text, k) => wordsAt(left + 8, down + k * LEADING, text, colours.muted)),
    );
    top = down + words.length * LEADING + 2;
  }
  const tops = rows.map((_, k) => top + k * height);
  const bars = tops.map((at) => (tall ? at + LEADING : at + height / 2 - 5));
  marks.push(...barMarks(rows, plan, x, bars, colours));
  rows.forEach((row, k) => {
    // Name and number of a row, under a line where that is the whole.
    const at = tall ? tops[k] + 2 : tops[k] + height / 2 - 7;
    const isTotal = row.kind === "total";
    const weight = isTotal || row.has(selected) ? 600 : 400;
    const fill = row.kind === "others" ? colours.muted : colours.ink;
    const name = fitted(row.name, isSingle(row) ? names : whole, SIZE, weight);
    marks.push(wordsAt(x, at, name, fill, { weight }));
    marks.push(wordsAt(x + width, at, row.text, fill, { weight, anchor: "end" }));
    if (isTotal) marks.push(line([x, tops[k], x + width, tops[k]], colours.line));
  });
  const box = { x, y: top, width, height: rows.length * height };
  const words = (row: number) => rows[row]?.words ?? "";
  const region = { name: list.name, box, rows: rows.length, columns: 1, count: rows.length, words };
  return { marks, region, top: y, bottom: box.y + box.height };
}

/** Whether what a share is compared with is seen to be another value. */
const isApart = ({ value, beside }: Row, { place }: Plan) =>
  Math.abs(place(beside) - place(value)) >= APART;

function barMarks(
  rows: readonly Row[],
  plan: Plan,
  x: number,
  tops: readonly number[],
  { more, less, ink, zero: axis }: Colours,
): Mark[] {
  const { place } = plan;
  const [raise, lower, strokes, zeros, ways]: number[][] = [[], [], [], [], []];
  const zero = x + place(0);
  rows.forEach((row, k) => {
    const { value, beside } = row;
    if (!isSingle(row)) return;
    zeros.push(zero, tops[k] - 4, zero, tops[k] + 14);
    if (Number.isFinite(value)) {
      const long = Math.abs(place(value) - place(0));
      (value < 0 ? lower : raise).push(value < 0 ? zero - long : zero, tops[k], long, 10);
    }
    if (!isApart(row, plan)) return;
    strokes.push(x + place(beside) - 1, tops[k] - 1, 2, 12);
    // From the bar's end: a stroke by itself would be read as nobody's.
    ways.push(x + place(beside), tops[k] + 5, x + place(value), tops[k] + 5);
  });
  return [
    segments(zeros, axis),
    segments(ways, axis),
    rects(raise, { fill: more }),
    rects(lower, { fill: less }),
    rects(strokes, { fill: ink }),
  ];
}

/** More classes than this are those of the highest scores, and the one explained. */
const MOST_CLASSES = 12;
const CLASS_HEIGHT = 16;
/** Pixels of the bar of a probability of 1, and of a block that has such bars. */
const CHANCE_BAR = 44;
const WIDTH_FOR_BARS = 240;
const HEADINGS = [
  "all classes: score and probability",
  "class: score, probability",
  "score, probability",
];

/** The classes that have a row, in their order. */
export function classesShown({ scores, target }: LayerShares): number[] {
  const all = scores.map((_, k) => k);
  if (all.length <= MOST_CLASSES) return all;
  const highest = all.sort((a, b) => scores[b] - scores[a]).slice(0, MOST_CLASSES - 1);
  return highest.includes(target) ? highest : [...highest, target];
}

export function classesBlock({ part, theme }: BlockStyle, [x, y]: Corner, width: number) {
  const { scores, target, predicted } = part;
  if (scores.length < 2) return null;
  const { colours } = theme;
  const shares = softmax(scores);
  const alike = formatAlike(scores);
  const rows = classesShown(part).map((k) => ({
    k,
    name: fitted(className(part, k), width / 3, SIZE, 600),
    score: alike(scores[k]),
    share: chance(shares[k]),
  }));
  const widest = (what: "name" | "score" | "share") =>
    Math.max(...rows.map((row) => widthOf(row[what], SIZE, 600)));
  const values = widest("score");
  // Where there is room, probabilities have bars too.
  const hasBars = width >= WIDTH_FOR_BARS;
  const from = x + widest("name") + 8;
  const to = x + width - values - widest("share") - (hasBars ? CHANCE_BAR + 8 : 0) - 16;
  const place = placer(
    rows.map(({ k }) => scores[k]),
    from,
    to,
  );
  const top = y + LEADING;
  const zero = place(0);
  const boxes: number[] = [];
  const fills: string[] = [];
  const words: Mark[] = [];
  rows.forEach(({ k, name, score, share }, row) => {
    const at = top + row * CLASS_HEIGHT;
    const bar = (left: number, long: number) => {
      boxes.push(left, at + 3, long, 10);
      fills.push(k === target ? colours.ink : colours.ghost);
    };
    const end = place(scores[k]);
    if (Number.isFinite(scores[k])) bar(Math.min(zero, end), Math.abs(end - zero));
    const weight = k === target ? 600 : 400;
    const ink = k === target || k === predicted ? colours.ink : colours.muted;
    words.push(wordsAt(x, at + 1, name, ink, { weight }));
    words.push(wordsAt(to + 8 + values, at + 1, score, ink, { weight, anchor: "end" }));
    words.push(wordsAt(x + width, at + 1, share, ink, { weight, anchor: "end" }));
    if (hasBars && shares[k] > 0) bar(to + 16 + values, Math.max(1, CHANCE_BAR * shares[k]));
  });
  const box = { x, y: top, width, height: rows.length * CLASS_HEIGHT };
  const bottom = top + box.height;
  const left = scores.length - rows.length;
  if (left > 0) words.push(wordsAt(x, bottom + 1, `${formatCount(left)} lower`, colours.muted));
  return {
    marks: [
      wordsAt(x, y, fitting(HEADINGS, width, SIZE), colours.muted),
      line([zero, top, zero, bottom], colours.zero),
      rects(boxes, { fills }),
      ...words,
    ],
    region: {
      ...{ name: "classes", box, rows: rows.length, columns: 1, count: rows.length },
      words(row: number) {
        const { name, score, share } = rows[row];
        return `class ${name} · score ${score} · probability ${share}`;
      },
    },
    top: y,
    bottom: bottom + (left > 0 ? CLASS_HEIGHT : 0),
  };
}
