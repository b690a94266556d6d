/** Bars of what each unit before adds to a number. No DOM. */

import { formatAlike, percent } from "../../phi/format.ts";
import type { Palette } from "../../phi/palette.ts";
import type { Mark, Pixels, Rect } from "../../scene/marks.ts";
import { line, rect, rects, WORDS, words } from "../../scene/shapes.ts";
import { fitted, widthOf } from "../../scene/text.ts";
import type { Colours } from "../../scene/theme.ts";
import type { UnitCloseUp } from "./close_up.ts";
import type { Diagram } from "./diagram.ts";
import { inputNamed } from "./graph.ts";
import { mapOf } from "./marks.ts";
import { FRAMED } from "./strongest_link.ts";

/** The side of what a unit shows of the example, under its bar. */
const PICTURE = 22;
/** Between a heading and the sum behind it. */
const APART = 22;
/** Room for "16 more", or a name. */
const TAIL = 42;
/** How large the names under bars are, and where these stand close. */
const NAMES = { size: 10, small: 9, below: 16 };
/** The place of a bar: with its number beside the next one's, and at least; and how many there are at most. */
const WIDE = 72;
const NARROW = 13;
const MOST = 40;
/** Below the bars there is room for others that go down, of this share of the highest. */
const DOWN = 0.2;

/** Bars from a line of zero up and down, of a colour each way. */
export class Bars {
  readonly #more: number[] = [];
  readonly #less: number[] = [];
  readonly #zero: number;

  constructor(zero: number) {
    this.#zero = zero;
  }

  box(middle: number, width: number, length: number): number[] {
    const top = Math.min(this.#zero, this.#zero - length);
    return [middle - width / 2, top, width, Math.max(0.75, Math.abs(length))];
  }

  add(middle: number, width: number, length: number): void {
    (length >= 0 ? this.#more : this.#less).push(...this.box(middle, width, length));
  }

  marks({ more, less }: Colours): Mark[] {
    return [
      rects(this.#more, { fill: more, radius: 1 }),
      rects(this.#less, { fill: less, radius: 1 }),
    ];
  }
}

/** What all parts make together, behind a heading that asks for room; and the room that this leaves. */
export function sumMarks(
  { scores, parts: { length: columns } }: Diagram,
  { parts, total, column, unit }: UnitCloseUp,
  asked: number,
  { x, y, width }: Rect,
  { ink, muted }: Colours,
): { marks: Mark[]; room: number } {
  // Where it is the score of a class: how probable that is.
  const share = column < columns - 1 ? undefined : scores?.probabilities?.[unit];
  const told = formatAlike(parts.map(({ value }) => value));
  const sum = `${share === undefined ? "Σ" : "score"} = ${told(total)}`;
  const said = share === undefined ? "" : `probability ${percent(share)}`;
  const own = widthOf(sum, WORDS, 600);
  const more = asked + own + widthOf(said, WORDS) + 20 <= width ? said : "";
  const other = more ? widthOf(more, WORDS) + 8 : 0;
  const start = x + Math.min(asked + APART, width - own - other);
  const marks: Mark[] = [words(start, y + 13, sum, ink, { weight: 600 })];
  if (more) marks.push(words(start + own + 8, y + 13, more, muted));
  return { marks, room: width - own - other - 12 };
}

interface Drawn {
  x: number;
  width: number;
  /** How far it goes up. */
  reach: number;
  text: string;
}

/** All parts, or the strongest first and those that have no room together; and the bias. `framed` is the unit whose picture has a frame. */
export function unitMarks(
  { graph, settings: { compared } }: Diagram,
  { column, parts, bias }: UnitCloseUp,
  box: Rect,
  pictures: ((unit: number) => Pixels | null) | null,
  framed: number,
  colours: Colours,
): Mark[] {
  const isFed = graph.columns[graph.columns[column].from[0]]?.kind === "input";
  const nameOf = (unit: number) => (isFed && inputNamed(graph, unit)) || String(unit);
  const told = formatAlike(parts.map(({ value }) => value));
  const order = [...parts].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const isNamed = parts.some(({ from }) => nameOf(from) !== String(from));
  const widest = Math.max(...parts.map(({ from }) => widthOf(String(from), NAMES.small)));
  const narrowest = Math.max(NARROW, isNamed ? TAIL : widest + 1);
  const { count, step, tail } = spread(parts.length, narrowest, bias !== 0, box.width);
  const rest = order.slice(count);
  // All of them stand as they do in the diagram: while it trains none changes its place.
  const shown = rest.length === 0 ? parts : order.slice(0, count);
  const bars = shown.map(({ from, value }) => ({ names: [nameOf(from), String(from)], value }));
  if (rest.length > 0) {
    const value = rest.reduce((sum, part) => sum + part.value, 0);
    bars.push({ names: [`${rest.length} more`], value });
  }
  if (bias !== 0) bars.push({ names: ["bias"], value: bias });
  const own = {
    most: Math.max(0, ...shown.map(({ value }) => value)),
    least: Math.max(0, ...shown.map(({ value }) => -value)),
  };
  compared?.reaches.set(compared.number, own);
  const all = compared ? [...compared.reaches.values()] : [own];
  const most = Math.max(...all.map((reach) => reach.most));
  const least = Math.max(DOWN * most, ...all.map((reach) => reach.least));
  // A number stands over or under each bar, the pictures and the names below all of them.
  const side = pictures && box.height >= 4 * PICTURE ? Math.min(PICTURE, step - 2) : 0;
  const foot = box.height - 18 - (side > 0 ? side + 6 : 0);
  const over = most > 0 ? 14 : 10;
  const scale = (foot - over - (least > 0 ? 14 : 0)) / Math.max(1e-9, most + least);
  const zero = box.y + over + scale * most;
  const parted = new Bars(zero);
  const marks: Mark[] = [];
  const drawn: Drawn[] = [];
  const end = box.x + step * count + tail * (bars.length - count);
  bars.forEach(({ names, value }, k) => {
    const isRest = k >= count;
    const room = isRest ? tail : step;
    const middle = box.x + step * Math.min(k, count) + tail * Math.max(0, k - count) + room / 2;
    const length = scale * value;
    const width = Math.min(24, Math.max(0.55 * room, Math.min(9, room - 4)));
    // Many together, and the bias, are no bars among the others, and may reach further than there is room.
    const reach = isRest ? Math.max(-scale * least, Math.min(scale * most, length)) : length;
    if (!isRest) parted.add(middle, width, reach);
    else marks.push(...restMarks(parted.box(middle, width, reach), reach !== length, colours));
    drawn.push({ x: middle - width / 2, width, reach, text: told(value) });
    const pixels = side > 0 && !isRest ? pictures?.(shown[k].from) : null;
    if (pixels) {
      const place = { x: middle - side / 2, y: box.y + foot + 3, width: side, height: side };
      const isFramed = shown[k].from === framed;
      const frame = isFramed
        ? { stroke: colours.ink, width: FRAMED, radius: 2 }
        : { stroke: colours.outline, width: 0.75 };
      marks.push({ kind: "image", box: place, pixels }, rect(place, frame));
    }
    const size = room < NAMES.below ? NAMES.small : NAMES.size;
    const fits = names.find((name) => widthOf(name, size) <= room - 0.5);
    const name = fits ?? fitted(names[0], room - 0.5, size);
    const how = { anchor: "middle", size } as const;
    marks.push(words(middle, box.y + box.height - 2, name, colours.muted, how));
  });
  return [
    line([box.x, zero, end, zero], colours.zero),
    ...parted.marks(colours),
    ...marks,
    ...numberMarks(drawn, zero, [box.x, end], colours),
  ];
}

/** The numbers over bars, and under those that go down, of the longest first: where they lie on no other and on no bar. */
function numberMarks(
  bars: readonly Drawn[],
  zero: number,
  [left, right]: [number, number],
  { ink }: Colours,
): Mark[] {
  const placed: { from: number; to: number; y: number }[] = [];
  const order = bars.filter(({ text }) => /[1-9]/.test(text));
  order.sort((a, b) => Math.abs(b.reach) - Math.abs(a.reach));
  return order.flatMap(({ x, width, reach, text }): Mark[] => {
    const long = widthOf(text, 10);
    const y = zero - reach + (reach >= 0 ? -4 : 12);
    const isTaller = (bar: Drawn) => bar.reach * Math.sign(reach || 1) > Math.abs(reach) + 1;
    const isFree = (from: number) => {
      const meets = (a: number, b: number) => from - 1 < b && a < from + long + 1;
      return (
        !bars.some((bar) => meets(bar.x, bar.x + bar.width) && isTaller(bar)) &&
        !placed.some((one) => meets(one.from, one.to) && Math.abs(one.y - y) < 12)
      );
    };
    const ways = [x + (width - long) / 2, x, x + width - long];
    const inside = ways.map((from) => Math.max(left, Math.min(right - long, from)));
    const from = inside.find(isFree);
    if (from === undefined) return [];
    placed.push({ from, to: from + long, y });
    return [words(from, y, text, ink, { size: 10 })];
  });
}

/** How many of the parts have a bar, how wide each one's place is, and that of all others together, and of the bias. */
function spread(parts: number, least: number, hasBias: boolean, room: number) {
  const fits = (tails: number) => Math.max(2, Math.floor((room - tails * TAIL) / least));
  const bias = hasBias ? 1 : 0;
  const all = parts <= Math.min(MOST, fits(bias));
  const count = all ? parts : Math.min(MOST, fits(bias + 1));
  const tails = bias + (all ? 0 : 1);
  const alike = Math.min(WIDE, room / (count + tails));
  if (alike >= TAIL) return { count, step: alike, tail: alike };
  return { count, step: (room - tails * TAIL) / count, tail: TAIL };
}

/** A pale bar; a gap across it says that it is cut. */
function restMarks(bar: number[], isCut: boolean, { ghost, surface }: Colours): Mark[] {
  const [x, y, width, height] = bar;
  const pale = rects(bar, { fill: ghost, opacity: 0.6, radius: 1 });
  const at = y + Math.min(8, height / 2);
  const gap = line([x - 2, at + 3, x + width + 2, at - 3], surface, { width: 3 });
  return isCut ? [pale, gap] : [pale];
}

/** The maps of the units before, as they are in the diagram; null where they have none. */
export function mapsBefore(
  { parts, flow }: Diagram,
  { column: number }: UnitCloseUp,
  palette: Palette,
): ((unit: number) => Pixels | null) | null {
  const column = parts[number].before?.column;
  if (!flow || !column?.map || column.kind === "input") return null;
  return (unit) => mapOf(column, flow, unit, palette);
}
