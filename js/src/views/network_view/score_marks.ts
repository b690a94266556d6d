/** Draws the numbers at the end of the network as bars. No DOM. */

import { outputName } from "../../phi/entries.ts";
import { number } from "../../phi/format.ts";
import type { Mark } from "../../scene/marks.ts";
import { fitted, widthOf } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import type { Diagram } from "./diagram.ts";
import { HEAD, WORD } from "./layout.ts";
import { lastLayer, percent, type Scores } from "./scores.ts";

/** How long the bar of a certain class is, in every network; where that has no room beside its number, below it. */
const CERTAIN = 60;
/** Units that stand so far apart have room for a bar below the number. */
const APART = 26;
const BELOW = { by: 4, tall: 5 };

/** The bars beside the last units; `label` is the right class. Those of long ago are pale. */
export function scoreMarks(
  { layout, graph }: Diagram,
  { raw, probabilities, best }: Scores,
  label: number | null,
  stale: boolean,
  { colours }: Theme,
): Mark[] {
  const shown = probabilities ?? raw;
  const mark = label === best ? "✓" : "(true)";
  const { units, bars, barsAt } = layout.columns[layout.columns.length - 1];
  const layer = lastLayer(graph);
  const own = (unit: number) => fitted(outputName(layer, unit, "").trim(), bars / 3, 11, 600);
  const nameOf = (unit: number) => (unit === label ? `${own(unit)} ${mark}` : own(unit));
  if (bars === 0) return [];
  const made: Mark[] = [];
  const least = Math.min(0, ...shown);
  const most = probabilities ? 1 : Math.max(1e-9, ...shown, -least);
  // As wide whatever the example, so that nothing jumps: the longer mark and the longest number count.
  const longest = (unit: number) => (unit === label ? `${own(unit)} (true)` : own(unit));
  const names = Math.max(...units.map(({ unit }) => widthOf(longest(unit), 11, 600))) + 8;
  const saidOf = (unit: number) => (probabilities ? toATenth(shown[unit]) : number(shown[unit]));
  const said = probabilities ? [percent(1 - 1e-6)] : units.map(({ unit }) => saidOf(unit));
  const texts = Math.max(...said.map((text) => widthOf(text, 11, 600))) + 4;
  const [first] = units;
  const beside = Math.max(0, bars - names - texts - 4);
  const pitch = units.length > 1 ? units[1].y - first.y : 2 * APART;
  const isBelow = probabilities !== null && beside < CERTAIN && pitch >= APART;
  const free = isBelow ? bars - names : beside;
  const room = probabilities ? Math.min(CERTAIN, free) : beside;
  if (probabilities && first.y - HEAD >= WORD) {
    const fits = widthOf("probability", 11) <= bars - names;
    const text = fits ? "probability" : "prob.";
    const place = { x: barsAt + names, y: first.y - (isBelow ? 2 * BELOW.by : 4) };
    made.push({ kind: "text", ...place, text, size: 11, fill: colours.muted });
  }
  for (const { unit, y, height } of units) {
    const left = barsAt + names;
    const zero = least < 0 ? left + room / 2 : left;
    const length = ((least < 0 ? room / 2 : room) * shown[unit]) / most;
    const middle = y + height / 2;
    const tall = isBelow ? BELOW.tall : Math.min(12, height);
    const top = isBelow ? middle + BELOW.by : middle - tall / 2;
    const isBest = unit === best && raw.length > 1 && !stale;
    const fill = isBest ? colours.ink : colours.ghost;
    const from = Math.min(zero, zero + length);
    const boxes = [from, top, Math.max(1, Math.abs(length)), tall];
    const text = { kind: "text", y: middle, size: 11, middle: true } as const;
    const weight = isBest || unit === label ? 600 : 400;
    made.push({
      ...text,
      x: barsAt,
      text: nameOf(unit),
      weight,
      fill: unit === label && label === best ? colours.live : colours.ink,
    });
    if (isBelow) made.push({ kind: "rects", boxes: [left, top, room, tall], fill: colours.cell });
    made.push({ kind: "rects", boxes, fill, radius: isBelow ? 1 : 2 });
    made.push({
      ...text,
      x: isBelow ? left : Math.max(zero, zero + length) + 4,
      y: isBelow ? middle - BELOW.by : middle,
      text: saidOf(unit),
      weight: isBest ? 600 : 400,
      fill: colours.muted,
    });
  }
  return made;
}

/** As many digits for all: "10.0 %" beside "9.8 %". */
function toATenth(share: number): string {
  return share > 0 && share < 1 ? percent(share).replace(/^(\d+) %$/, "$1.0 %") : percent(share);
}
