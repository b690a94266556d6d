/** The score of every class with its probability, as bars. No DOM. */

import { chance, formatCount, number } from "../../phi/format.ts";
import { softmax } from "../../phi/softmax.ts";
import type { Mark } from "../../scene/marks.ts";
import { line as across, rects } from "../../scene/shapes.ts";
import { fitted, fitting, widthOf } from "../../scene/text.ts";
import { type Block, type Drawn, LINE, line, type Place, SIZE } from "./block.ts";
import { className, type Part } from "./content.ts";

/** More classes than this are those of the highest scores, and the one explained. */
const MOST = 12;
const ROW = 16;
/** Pixels of the bar of a probability of 1, and of a block that has such bars. */
const BAR = 44;
const ROOMY = 240;
const HEADINGS = [
  "all classes: score and probability",
  "class: score, probability",
  "score, probability",
];

/** The classes that have a row, in their order. */
export function classesShown({ scores, target }: Part): number[] {
  const all = scores.map((_, k) => k);
  if (all.length <= MOST) return all;
  const highest = all.sort((a, b) => scores[b] - scores[a]).slice(0, MOST - 1);
  return highest.includes(target) ? highest : [...highest, target];
}

export function classesBlock({ part, theme }: Drawn, [x, y]: Place, width: number): Block | null {
  const { scores, target, predicted } = part;
  if (scores.length < 2) return null;
  const { colours } = theme;
  const shares = softmax(scores);
  const rows = classesShown(part).map((k) => ({
    k,
    name: fitted(className(part, k), width / 3, SIZE, 600),
    score: number(scores[k]),
    share: chance(shares[k]),
  }));
  const widest = (what: "name" | "score" | "share") =>
    Math.max(...rows.map((row) => widthOf(row[what], SIZE, 600)));
  const values = widest("score");
  // Where there is room, probabilities have bars too.
  const hasBars = width >= ROOMY;
  const from = x + widest("name") + 8;
  const to = x + width - values - widest("share") - (hasBars ? BAR + 8 : 0) - 16;
  const all = [0, ...rows.map(({ k }) => scores[k])].filter(Number.isFinite);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const place = (score: number) => from + ((score - low) * (to - from)) / (high - low || 1);

  const top = y + LINE;
  const zero = place(0);
  const boxes: number[] = [];
  const fills: string[] = [];
  const words: Mark[] = [];
  rows.forEach(({ k, name, score, share }, row) => {
    const at = top + row * ROW;
    const bar = (left: number, long: number) => {
      boxes.push(left, at + 3, long, 10);
      fills.push(k === target ? colours.ink : colours.ghost);
    };
    const end = place(scores[k]);
    if (Number.isFinite(scores[k])) bar(Math.min(zero, end), Math.abs(end - zero));
    const weight = k === target ? 600 : 400;
    const ink = k === target || k === predicted ? colours.ink : colours.muted;
    words.push(line(x, at + 1, name, ink, { weight }));
    words.push(line(to + 8 + values, at + 1, score, ink, { weight, anchor: "end" }));
    words.push(line(x + width, at + 1, share, ink, { weight, anchor: "end" }));
    if (hasBars && shares[k] > 0) bar(to + 16 + values, Math.max(1, BAR * shares[k]));
  });
  const box = { x, y: top, width, height: rows.length * ROW };
  const bottom = top + box.height;
  const left = scores.length - rows.length;
  if (left > 0) words.push(line(x, bottom + 1, `${formatCount(left)} lower`, colours.muted));
  return {
    marks: [
      line(x, y, fitting(HEADINGS, width, SIZE), colours.muted),
      across([zero, top, zero, bottom], colours.zero),
      rects(boxes, { fills }),
      ...words,
    ],
    region: {
      ...{ name: "classes", box, rows: rows.length, columns: 1, count: rows.length },
      words(row) {
        const { name, score, share } = rows[row];
        return `class ${name} · score ${score} · probability ${share}`;
      },
    },
    top: y,
    bottom: bottom + (left > 0 ? ROW : 0),
  };
}
