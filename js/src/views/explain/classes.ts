/** The score of every class with its probability, as bars. No DOM. */

import { chance, formatCount, number } from "../../phi/format.ts";
import type { Mark } from "../../scene/marks.ts";
import { fitted, widthOf } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import { type Block, LINE, line, SIZE } from "./block.ts";
import { className, type Part } from "./content.ts";
import { fitting, probabilities } from "./words.ts";

/** More classes than this are those of the highest scores, and the one explained. */
const MOST = 12;
const ROW = 16;
/** Pixels of the bar of a probability of 1, and of a block that has such bars. */
const BAR = 44;
const ROOMY = 240;

/** The classes that have a row, in their order. */
export function classesShown({ scores, target }: Part): number[] {
  const all = scores.map((_, k) => k);
  if (all.length <= MOST) return all;
  const highest = all.sort((a, b) => scores[b] - scores[a]).slice(0, MOST - 1);
  return highest.includes(target) ? highest : [...highest, target];
}

export function classesBlock(
  part: Part,
  [x, y]: readonly [number, number],
  width: number,
  theme: Theme,
): Block | null {
  const { scores, target, predicted } = part;
  if (scores.length < 2) return null;
  const { colours } = theme;
  const shown = classesShown(part);
  const shares = probabilities(scores);
  const rows = shown.map((k) => ({
    k,
    name: fitted(className(part, k), width / 3, SIZE, 600),
    score: number(scores[k]),
    share: chance(shares[k]),
  }));
  const widest = (texts: string[]) => Math.max(...texts.map((text) => widthOf(text, SIZE, 600)));
  const names = widest(rows.map(({ name }) => name));
  const values = widest(rows.map(({ score }) => score));
  const percents = widest(rows.map(({ share }) => share));
  // Where there is room, probabilities have bars too.
  const bars = width >= ROOMY ? BAR + 8 : 0;
  const [from, to] = [x + names + 8, x + width - values - percents - bars - 16];
  const all = [0, ...shown.map((k) => scores[k])].filter(Number.isFinite);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const place = (score: number) => from + ((score - low) * (to - from)) / (high - low || 1);

  const top = y + LINE;
  const boxes: number[] = [];
  const fills: string[] = [];
  const words: Mark[] = [];
  rows.forEach(({ k, name, score, share }, row) => {
    const at = top + row * ROW;
    if (Number.isFinite(scores[k])) {
      const ends = [place(0), place(scores[k])];
      boxes.push(Math.min(...ends), at + 3, Math.abs(ends[1] - ends[0]), 10);
      fills.push(k === target ? colours.ink : colours.ghost);
    }
    const how = { weight: k === target ? 600 : 400 } as const;
    const ink = k === target || k === predicted ? colours.ink : colours.muted;
    words.push(line(x, at + 1, name, ink, how));
    words.push(line(to + 8 + values, at + 1, score, ink, { ...how, anchor: "end" }));
    words.push(line(x + width, at + 1, share, ink, { ...how, anchor: "end" }));
    if (bars > 0 && shares[k] > 0) {
      boxes.push(to + 16 + values, at + 3, Math.max(1, BAR * shares[k]), 10);
      fills.push(k === target ? colours.ink : colours.ghost);
    }
  });
  const left = scores.length - shown.length;
  if (left > 0) {
    words.push(line(x, top + rows.length * ROW + 1, `${formatCount(left)} lower`, colours.muted));
  }
  const zero = place(0);
  const box = { x, y: top, width, height: rows.length * ROW };
  const heading = fitting(
    ["all classes: score and probability", "class: score, probability", "score, probability"],
    width,
  );
  return {
    marks: [
      line(x, y, heading, colours.muted),
      { kind: "lines", xy: [zero, top, zero, top + box.height], ends: [2], stroke: colours.zero },
      { kind: "rects", boxes, fills },
      ...words,
    ],
    regions: [
      {
        name: "classes",
        box,
        rows: rows.length,
        columns: 1,
        count: rows.length,
        words(row) {
          const { name, score, share } = rows[row];
          return `class ${name} · score ${score} · probability ${share}`;
        },
      },
    ],
    top: y,
    bottom: box.y + box.height + (left > 0 ? ROW : 0),
  };
}
