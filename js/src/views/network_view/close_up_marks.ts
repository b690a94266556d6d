/** Draws what one number is made of: functions with the inputs on them, and what each adds as a bar. No DOM. */

import { formatAlike, number, percent } from "../../phi/format.ts";
import { paletteOf } from "../../phi/palette.ts";
import { greyOf, heatOf } from "../../scene/heat.ts";
import type { Mark, Pixels, Rect } from "../../scene/marks.ts";
import { patchMarks } from "../../scene/patch.ts";
import { flat, line, rect, rects, WORDS, words } from "../../scene/shapes.ts";
import { fitted, fitting, widthOf, wrapped } from "../../scene/text.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import {
  type CloseUp,
  closeUpTitles,
  type FunctionsCloseUp,
  type PixelCloseUp,
  type UnitCloseUp,
} from "./close_up.ts";
import type { Diagram } from "./diagram.ts";
import { cellOf } from "./functions.ts";
import { inputNamed } from "./graph.ts";
import { mapOf } from "./marks.ts";
import { FRAMED, gridMarks, plotMarks, roomsOf, strongestLink } from "./strongest.ts";
import { asOf } from "./words.ts";

const HINT = "live.probe(images) sends examples through the network while it trains.";
const SMALL = 10;

/** `alone`: nobody is there who could follow examples. */
export function closeUpMarks(
  diagram: Diagram,
  closeUp: CloseUp | null,
  box: Rect,
  alone: boolean,
  theme: Theme,
): Mark[] {
  const { colours } = theme;
  const hint = diagram.flow || alone ? "" : HINT;
  if (!closeUp) {
    const lines = wrapped(hint, box.width, WORDS);
    return lines.map((text, k) => words(box.x, box.y + 15 + 16 * k, text, colours.muted));
  }
  // Of when it is, where that is not the step drawn.
  const late = closeUp.kind === "functions" ? "" : asOf(diagram);
  const titles = closeUpTitles(diagram, closeUp).map((text) => (late ? `${text} (${late})` : text));
  const heading = (room: number) => {
    const text = fitting(titles, room, WORDS, 600);
    return words(box.x, box.y + 13, text, colours.ink, { weight: 600 });
  };
  const inside = { ...box, y: box.y + 22, height: box.height - 24 };
  if (closeUp.kind === "pixel") return [heading(box.width), ...pixelMarks(closeUp, inside, theme)];
  if (closeUp.kind === "functions")
    return [heading(box.width), ...functionMarks(closeUp, inside, hint, colours)];
  const link = strongestLink(diagram, closeUp);
  const rooms = link && roomsOf(link, inside);
  const pictures = mapsBefore(diagram, closeUp, theme);
  const framed = link && pictures ? link.bundle.from : -1;
  const over = { ...box, width: rooms?.heading ?? box.width };
  const sum = sumMarks(diagram, closeUp, widthOf(titles[0], WORDS, 600), over, colours);
  return [
    heading(sum.room),
    ...sum.marks,
    ...unitMarks(diagram, closeUp, rooms?.bars ?? inside, pictures, framed, colours),
    ...(link && rooms?.grid && !late ? gridMarks(link, rooms.grid, theme) : []),
    ...(link && rooms ? plotMarks(link, rooms.plot, theme) : []),
  ];
}

/** The inputs of a patch, its functions with these on them, and what each adds. */
function pixelMarks(
  { patch, layer, part, total, channels, greys }: PixelCloseUp,
  box: Rect,
  { name, colours }: Theme,
): Mark[] {
  const [, , kh, kw] = layer.shape;
  const side = Math.min(66, box.height - 26, 0.16 * box.width);
  const inputs = Float32Array.from(patch.inputs ?? []);
  const ink = Math.max(...Array.from(inputs, Math.abs).filter(Number.isFinite), 1e-9);
  const at = { x: box.x, y: box.y + 12, width: side, height: (side * kh) / kw };
  const pixels = greys ? greyOf(inputs, kw, greys) : heatOf(inputs, kw, ink, paletteOf(name));
  // White cells next to each other are still seen one by one.
  const cells = Array.from(inputs, (_, k) => flat(cellOf(at, [kh, kw], k))).flat();
  const start = box.x + side + 26;
  const step = Math.min(0.1 * box.width, (box.width - side - 26 - 84) / (kh * kw));
  const cell = Math.max(14, step - 8);
  const tall = Math.min(cell, box.height * 0.42);
  const plots = patch.curves.map((_, e) => {
    return { x: start + e * step, y: at.y, width: cell, height: tall };
  });
  const middle = at.y + tall / 2;
  const values = patch.values ?? [];
  const most = Math.max(0, ...values);
  const least = Math.max(0, ...values.map((value) => -value));
  const scale = Math.max(8, box.height - tall - 40) / Math.max(1e-9, most + least);
  const zero = at.y + tall + 14 + scale * most;
  const said = formatAlike(values);
  const small = { size: SMALL } as const;
  const bars = plots.map(({ x }, e): Bar => {
    return { middle: x + cell / 2, width: Math.min(16, cell), length: scale * values[e] };
  });
  const texts = bars.flatMap(({ middle: x, length }, e): Mark[] => {
    const text = said(values[e]);
    if (widthOf(text, SMALL) + 1 > step) return [];
    const y = length >= 0 ? zero - length - 4 : zero - length + 11;
    return [words(x, y, text, colours.muted, { anchor: "middle", ...small })];
  });
  const end = start + kh * kw * step;
  const room = box.x + box.width - end - 2;
  const all = fitted(`all ${channels} channels: ${said(total)}`, room, SMALL);
  const arrow = `M${at.x + side + 5} ${middle}h12m-4 -4l4 4l-4 4`;
  return [
    words(at.x, box.y + 8, "inputs", colours.muted, small),
    { kind: "image", box: at, pixels },
    rects(cells, { stroke: colours.outline, width: 0.75 }),
    { kind: "path", d: arrow, stroke: colours.muted, width: 1.25, round: true },
    ...texts,
    ...patchMarks(patch, plots, colours, { inset: [0, 2] }),
    line([start, zero, end - 8, zero], colours.zero),
    ...barMarks(bars, zero, colours),
    words(end + 2, zero + 4, `Σ = ${said(part)}`, colours.ink, { size: 12, weight: 600 }),
    ...(channels > 1 ? [words(end + 2, zero + 18, all, colours.muted, small)] : []),
  ];
}

/** The functions of a kernel side by side, without inputs on them. */
function functionMarks(
  { patch }: FunctionsCloseUp,
  box: Rect,
  hint: string,
  colours: Colours,
): Mark[] {
  const { curves, range, most } = patch;
  const step = Math.min(150, box.width / curves.length);
  const tall = box.height - (hint ? 34 : 16) - 2;
  const cells = curves.map((_, e) => {
    return { x: box.x + e * step, y: box.y, width: step - 6, height: tall };
  });
  const said = `each: x from ${number(range[0])} to ${number(range[1])}, φ ±${number(most)}`;
  return [
    ...patchMarks(patch, cells, colours, { inset: [0, 0] }),
    words(box.x, box.y + tall + 14, said, colours.muted, { size: SMALL }),
    words(box.x, box.y + tall + 31, hint, colours.muted),
  ];
}

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

interface Bar {
  middle: number;
  width: number;
  /** How far it goes up. */
  length: number;
}

function barBox({ middle, width, length }: Bar, zero: number): number[] {
  const top = Math.min(zero, zero - length);
  return [middle - width / 2, top, width, Math.max(0.75, Math.abs(length))];
}

/** Bars from a line of zero up and down, of a colour each way. */
function barMarks(bars: readonly Bar[], zero: number, { more, less }: Colours): Mark[] {
  return [more, less].map((fill) => {
    const own = bars.filter(({ length }) => (length >= 0 ? more : less) === fill);
    return rects(
      own.flatMap((bar) => barBox(bar, zero)),
      { fill, radius: 1 },
    );
  });
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
  const marks: Mark[] = [];
  const drawn: (Bar & { text: string; isRest: boolean })[] = [];
  const end = box.x + step * count + tail * (bars.length - count);
  bars.forEach(({ names, value }, k) => {
    const isRest = k >= count;
    const room = isRest ? tail : step;
    const middle = box.x + step * Math.min(k, count) + tail * Math.max(0, k - count) + room / 2;
    const length = scale * value;
    const width = Math.min(24, Math.max(0.55 * room, Math.min(9, room - 4)));
    // Many together, and the bias, are no bars among the others, and may reach further than there is room.
    const reach = isRest ? Math.max(-scale * least, Math.min(scale * most, length)) : length;
    const bar = { middle, width, length: reach };
    if (isRest) marks.push(...restMarks(barBox(bar, zero), reach !== length, colours));
    drawn.push({ ...bar, isRest, text: told(value) });
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
    const name = fitting(names, room - 0.5, size);
    const how = { anchor: "middle", size } as const;
    marks.push(words(middle, box.y + box.height - 2, name, colours.muted, how));
  });
  return [
    line([box.x, zero, end, zero], colours.zero),
    ...barMarks(
      drawn.filter(({ isRest }) => !isRest),
      zero,
      colours,
    ),
    ...marks,
    ...numberMarks(drawn, zero, [box.x, end], colours),
  ];
}

/** The numbers over bars, and under those that go down, of the longest first: where they lie on no other and on no bar. */
function numberMarks(
  bars: readonly (Bar & { text: string })[],
  zero: number,
  [left, right]: [number, number],
  { ink }: Colours,
): Mark[] {
  const placed: { from: number; to: number; y: number }[] = [];
  const order = bars.filter(({ text }) => /[1-9]/.test(text));
  order.sort((a, b) => Math.abs(b.length) - Math.abs(a.length));
  return order.flatMap(({ middle, width, length, text }): Mark[] => {
    const long = widthOf(text, 10);
    const y = zero - length + (length >= 0 ? -4 : 12);
    const isTaller = (bar: Bar) => bar.length * Math.sign(length || 1) > Math.abs(length) + 1;
    const isFree = (from: number) => {
      const meets = (a: number, b: number) => from - 1 < b && a < from + long + 1;
      const isUnder = (bar: Bar) => meets(bar.middle - bar.width / 2, bar.middle + bar.width / 2);
      return (
        !bars.some((bar) => isUnder(bar) && isTaller(bar)) &&
        !placed.some((one) => meets(one.from, one.to) && Math.abs(one.y - y) < 12)
      );
    };
    const ways = [middle - long / 2, middle - width / 2, middle + width / 2 - long];
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
  theme: Theme,
): ((unit: number) => Pixels | null) | null {
  const column = parts[number].before?.column;
  if (!flow || !column?.map || column.kind === "input") return null;
  return (unit) => mapOf(column, flow, unit, theme);
}
