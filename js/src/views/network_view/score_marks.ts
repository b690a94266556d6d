/** Bars that lie below each other: the numbers at the end of the network, and what one number is made of. */

import { outputName } from "../../phi/entries.ts";
import { percent, toATenth } from "../../phi/format.ts";
import type { Mark, Pixels, Rect } from "../../scene/marks.ts";
import { rect, rects, WORDS, words } from "../../scene/shapes.ts";
import { fitted, widthOf } from "../../scene/text.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import { finer } from "./close_up.ts";
import { type Diagram, labelOf } from "./diagram.ts";
import { lastLayer } from "./flow.ts";

/** Bars with less room than this stand below their numbers, where units stand so far apart. */
const LEAST_BAR = 60;
const FAR_APART = 16;
const BELOW = { by: 3, tall: 4 };
const BESIDE_TALL = 14;
/** Words stand no closer below each other. */
const LINE = 11;

/** The bars beside the last units. */
export function scoreMarks(diagram: Diagram, { colours }: Theme): Mark[] {
  const { parts, graph, scores } = diagram;
  const { units, bars, box, print } = parts[parts.length - 1];
  if (bars === 0 || !scores) return [];
  const { raw, probabilities, best } = scores;
  const shown = probabilities ?? raw;
  const label = labelOf(diagram);
  const layer = lastLayer(graph);
  const start = box.x + box.width + 6;
  const widest = (texts: string[]) => Math.max(...texts.map((text) => widthOf(text, WORDS, 600)));
  const own = (unit: number) => fitted(outputName(layer, unit, "").trim(), bars / 3, WORDS, 600);
  const marked = (unit: number, sign: string) =>
    unit === label ? `${own(unit)} ${sign}` : own(unit);
  const text = finer(print, raw);
  const saidOf = (unit: number) => (probabilities ? toATenth(shown[unit]) : text(shown[unit]));
  // The same width for every example, so that nothing jumps: that of the longer mark and the longest number.
  const names = widest(units.map(({ unit }) => marked(unit, "(true)"))) + 8;
  const said = probabilities ? [percent(1 - 1e-6)] : units.map(({ unit }) => saidOf(unit));
  const beside = Math.max(0, bars - names - widest(said) - 10);
  const least = Math.min(0, ...shown);
  const most = probabilities ? 1 : Math.max(1e-9, ...shown, -least);
  const [first] = units;
  const pitch = units.length > 1 ? units[1].y - first.y : 2 * FAR_APART;
  const isBelow = probabilities !== null && beside < LEAST_BAR && pitch >= FAR_APART;
  const room = isBelow ? Math.min(LEAST_BAR, bars - names) : beside;
  const left = start + names;
  const zero = least < 0 ? left + room / 2 : left;
  const marks: Mark[] = [];
  const what = probabilities ? "probability" : label === null ? "output" : "score";
  const over = isBelow ? first.y + first.height / 2 - 18 : first.y - 3;
  const last = box.x + box.width + bars - widthOf(what, WORDS);
  marks.push(words(Math.min(left, last), over, what, colours.muted));
  const labelled = units.filter(({ unit }) => unit === best || unit === label).map(({ y }) => y);
  for (const { unit, y, height } of units) {
    const length = ((least < 0 ? room / 2 : room) * shown[unit]) / most;
    const middle = y + height / 2;
    const tall = isBelow ? BELOW.tall : Math.min(BESIDE_TALL, height);
    const top = isBelow ? middle + BELOW.by : middle - tall / 2;
    const isBest = unit === best && raw.length > 1;
    const isRight = unit === label && label === best;
    const weight = isBest || unit === label ? 600 : 400;
    const name = marked(unit, label === best ? "✓" : "(true)");
    const ink = isRight ? colours.live : colours.ink;
    // Of many that are close together some are named: the best, the right one, and others as far as they have room.
    const isNamed = labelled.includes(y) || labelled.every((other) => Math.abs(other - y) >= LINE);
    if (isNamed) labelled.push(y);
    if (isNamed) marks.push(words(start, middle, name, ink, { middle: true, weight }));
    if (isBelow) marks.push(rects([left, top, room, tall], { fill: colours.cell }));
    const bar = [Math.min(zero, zero + length), top, Math.max(1, Math.abs(length)), tall];
    marks.push(rects(bar, { fill: isBest ? colours.ink : colours.ghost, radius: 1 }));
    const end = isBelow ? left : Math.max(zero, zero + length) + 4;
    const how = { middle: true, weight: isBest ? 600 : 400 } as const;
    const at = isBelow ? middle - BELOW.by : middle;
    if (isNamed) marks.push(words(end, at, saidOf(unit), colours.muted, how));
  }
  return marks;
}

interface RowedBar {
  /** The unit before, or −1. */
  from: number;
  value: number;
  name: string;
  text: string;
  pixels: Pixels | null;
  isRest?: boolean;
}

/** What is added up, a row each: picture, name, bar and number. `reach` is how far bars go to the left and to the right. */
export function rowedBars(
  rows: readonly RowedBar[],
  [least, most]: readonly [number, number],
  framed: number,
  { x, y, width, height }: Rect,
  colours: Colours,
): Mark[] {
  const size = 10;
  const step = Math.min(22, height / rows.length);
  const side = rows.some(({ pixels }) => pixels) ? step - 2 : 0;
  const widest = (texts: string[]) => Math.max(...texts.map((text) => widthOf(text, size)));
  const names = x + side + 4 + widest(rows.map(({ name }) => name));
  const end = x + width - widest(rows.map(({ text }) => text)) - 4;
  const scale = Math.max(0, end - names - 4) / Math.max(1e-9, least + most);
  const zero = names + 4 + scale * least;
  return rows.flatMap(({ from, value, name, text, pixels, isRest }, k): Mark[] => {
    const middle = y + step * (k + 0.5);
    const place = { x, y: middle - side / 2, width: side, height: side };
    const isFramed = from >= 0 && from === framed;
    const [left, long] = [Math.min(zero, zero + scale * value), Math.abs(scale * value)];
    const bar = [left, middle - step / 4, Math.max(0.75, long), step / 2];
    const how = { size, anchor: "end", middle: true } as const;
    return [
      ...(pixels ? [{ kind: "image", box: place, pixels } as const] : []),
      ...(isFramed && side > 0 ? [rect(place, { stroke: colours.ink, width: 1.75 })] : []),
      words(names, middle, name, colours.muted, how),
      ...(isRest ? [] : [rects(bar, { fill: value < 0 ? colours.less : colours.more, radius: 1 })]),
      words(x + width, middle, text, colours.ink, how),
    ];
  });
}
