/** Draws the numbers at the end of the network as bars. No DOM. */

import { outputName } from "../../phi/entries.ts";
import { number, percent } from "../../phi/format.ts";
import type { Mark } from "../../scene/marks.ts";
import { rects, WORDS, words } from "../../scene/shapes.ts";
import { fitted, widthOf } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import { type Diagram, labelOf } from "./diagram.ts";
import { isStale, lastLayer } from "./flow.ts";
import { HEAD, WORD } from "./layout.ts";

/** How long the bar of a certain class is, in every network; where that has no room beside its number, below it. */
const CERTAIN = 60;
/** Units that stand so far apart have room for a bar below the number. */
const APART = 26;
const BELOW = { by: 4, tall: 5 };

/** The bars beside the last units. */
export function scoreMarks(diagram: Diagram, { colours }: Theme): Mark[] {
  const { parts, graph, flow, frame, scores } = diagram;
  const { units, bars, barsAt } = parts[parts.length - 1];
  if (bars === 0 || !scores) return [];
  const { raw, probabilities, best } = scores;
  const shown = probabilities ?? raw;
  const label = labelOf(diagram);
  const mark = label === best ? "✓" : "(true)";
  const layer = lastLayer(graph);
  const widest = (texts: string[]) => Math.max(...texts.map((text) => widthOf(text, WORDS, 600)));
  const own = (unit: number) => fitted(outputName(layer, unit, "").trim(), bars / 3, WORDS, 600);
  const marked = (unit: number, sign: string) =>
    unit === label ? `${own(unit)} ${sign}` : own(unit);
  const saidOf = (unit: number) => (probabilities ? toATenth(shown[unit]) : number(shown[unit]));
  // As wide whatever the example, so that nothing jumps: the longer mark and the longest number count.
  const names = widest(units.map(({ unit }) => marked(unit, "(true)"))) + 8;
  const said = probabilities ? [percent(1 - 1e-6)] : units.map(({ unit }) => saidOf(unit));
  const texts = widest(said) + 4;
  const beside = Math.max(0, bars - names - texts - 4);
  const least = Math.min(0, ...shown);
  const most = probabilities ? 1 : Math.max(1e-9, ...shown, -least);
  const [first] = units;
  const pitch = units.length > 1 ? units[1].y - first.y : 2 * APART;
  const isBelow = probabilities !== null && beside < CERTAIN && pitch >= APART;
  const room = probabilities ? Math.min(CERTAIN, isBelow ? bars - names : beside) : beside;
  const made: Mark[] = [];
  const left = barsAt + names;
  if (probabilities && first.y - HEAD >= WORD) {
    const text = widthOf("probability", WORDS) <= bars - names ? "probability" : "prob.";
    made.push(words(left, first.y - (isBelow ? 2 * BELOW.by : 4), text, colours.muted));
  }
  const zero = least < 0 ? left + room / 2 : left;
  for (const { unit, y, height } of units) {
    const length = ((least < 0 ? room / 2 : room) * shown[unit]) / most;
    const middle = y + height / 2;
    const tall = isBelow ? BELOW.tall : Math.min(12, height);
    const top = isBelow ? middle + BELOW.by : middle - tall / 2;
    // Those of long ago are pale.
    const isBest = unit === best && raw.length > 1 && !isStale(flow, frame);
    const isRight = unit === label && label === best;
    const weight = isBest || unit === label ? 600 : 400;
    const ink = isRight ? colours.live : colours.ink;
    made.push(words(barsAt, middle, marked(unit, mark), ink, { middle: true, weight }));
    if (isBelow) made.push(rects([left, top, room, tall], { fill: colours.cell }));
    const bar = [Math.min(zero, zero + length), top, Math.max(1, Math.abs(length)), tall];
    const fill = isBest ? colours.ink : colours.ghost;
    made.push(rects(bar, { fill, radius: isBelow ? 1 : 2 }));
    const end = isBelow ? left : Math.max(zero, zero + length) + 4;
    const how = { middle: true, weight: isBest ? 600 : 400 } as const;
    made.push(words(end, isBelow ? middle - BELOW.by : middle, saidOf(unit), colours.muted, how));
  }
  return made;
}

/** As many digits for all: "10.0 %" beside "9.8 %". */
function toATenth(share: number): string {
  return share > 0 && share < 1 ? percent(share).replace(/^(\d+) %$/, "$1.0 %") : percent(share);
}
