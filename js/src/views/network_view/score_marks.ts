/** Draws the numbers at the end of the network as bars. No DOM. */

import { outputName } from "../../phi/entries.ts";
import { number } from "../../phi/format.ts";
import type { Mark } from "../../scene/marks.ts";
import { fitted, widthOf } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import type { Diagram } from "./diagram.ts";
import { HEAD, WORD } from "./layout.ts";
import { lastLayer, percent, type Scores } from "./scores.ts";

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
  if (probabilities && first.y - HEAD >= WORD) {
    const text = fitted("probability", bars - names, 11);
    const place = { x: barsAt + names, y: first.y - 4 };
    made.push({ kind: "text", ...place, text, size: 11, fill: colours.muted });
  }
  for (const { unit, y, height } of units) {
    const left = barsAt + names;
    const room = Math.max(0, bars - names - texts - 4);
    const zero = least < 0 ? left + room / 2 : left;
    const length = ((least < 0 ? room / 2 : room) * shown[unit]) / most;
    const middle = y + height / 2;
    const tall = Math.min(12, height);
    const isBest = unit === best && raw.length > 1 && !stale;
    const fill = isBest ? colours.ink : colours.ghost;
    const from = Math.min(zero, zero + length);
    const boxes = [from, middle - tall / 2, Math.max(1, Math.abs(length)), tall];
    const text = { kind: "text", y: middle, size: 11, middle: true } as const;
    const weight = isBest || unit === label ? 600 : 400;
    made.push({
      ...text,
      x: barsAt,
      text: nameOf(unit),
      weight,
      fill: unit === label && label === best ? colours.live : colours.ink,
    });
    made.push({ kind: "rects", boxes, fill, radius: 2 });
    const at = Math.max(zero, zero + length) + 4;
    made.push({
      ...text,
      x: at,
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
