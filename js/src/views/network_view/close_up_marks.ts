/** Draws what one number is made of: functions with the inputs on them, and what each adds as a bar. No DOM. */

import { formatAlike, number } from "../../phi/format.ts";
import type { Palette } from "../../phi/palette.ts";
import { greyOf, heatOf } from "../../scene/heat.ts";
import type { Mark, Pixels, Rect } from "../../scene/marks.ts";
import { fitted, widthOf, wrapped } from "../../scene/text.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import type { CloseUp, FunctionsCloseUp, PixelCloseUp, UnitCloseUp } from "./close_up.ts";
import type { Diagram } from "./diagram.ts";
import { unitValues } from "./flow.ts";
import { inputNamed } from "./graph.ts";
import { mostOf } from "./marks.ts";
import { percent, scoresOf } from "./scores.ts";
import type { Compared } from "./settings.ts";
import { FRAMED, gridMarks, plotMarks, roomsOf, strongestLink } from "./strongest_link.ts";

const WORDS = 11;
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
const HINT = "live.probe(images) sends examples through the network while it trains.";

interface Named {
  parts: { from: number; name: string; value: number }[];
  bias: number;
  total: number;
}

export function closeUpMarks(
  closeUp: CloseUp | null,
  /** The longest first. */
  titles: readonly string[],
  box: Rect,
  theme: Theme,
  palette: Palette,
  diagram: Diagram,
  /** Of when it is, where that is not the step drawn. */
  late: string,
  isAlone: boolean,
  compared: Compared | null,
): Mark[] {
  const { colours } = theme;
  const hint = diagram.flow || isAlone ? "" : HINT;
  if (!closeUp) {
    const lines = wrapped(hint, box.width, WORDS);
    return lines.map((text, k) => {
      const place = { x: box.x, y: box.y + 15 + 16 * k };
      return { kind: "text", ...place, text, fill: colours.muted, size: WORDS } as const;
    });
  }
  const all = titles.map((title) => (late ? `${title} (${late})` : title));
  const heading = (room: number) =>
    ({
      kind: "text",
      x: box.x,
      y: box.y + 13,
      text: all.find((one) => widthOf(one, WORDS, 600) <= room) ?? fitted(all[0], room, WORDS, 600),
      fill: colours.ink,
      size: WORDS,
      weight: 600,
    }) as const;
  const inside = { ...box, y: box.y + 22, height: box.height - 24 };
  if (closeUp.kind === "pixel")
    return [heading(box.width), ...pixelMarks(closeUp, inside, theme, palette)];
  if (closeUp.kind === "functions")
    return [heading(box.width), ...functionMarks(closeUp, inside, hint, colours)];
  const pictures = mapsBefore(closeUp, diagram, palette);
  const named = namedIn(closeUp, diagram);
  const link = strongestLink(diagram, closeUp);
  const rooms = link && roomsOf(link, inside);
  const bars = rooms?.bars ?? inside;
  const sum = sumMarks(
    named,
    shareOf(closeUp, diagram),
    widthOf(all[0], WORDS, 600),
    { ...box, width: rooms?.heading ?? box.width },
    colours,
  );
  const framed = link && pictures ? link.bundle.from : -1;
  return [
    heading(sum.room),
    ...sum.marks,
    ...unitMarks(named, bars, colours, compared, pictures, framed),
    ...(link && rooms?.grid && !late ? gridMarks(link, rooms.grid, theme, palette) : []),
    ...(link && rooms ? plotMarks(link, rooms.plot, theme) : []),
  ];
}

/** What all parts make together, behind a heading that asks for room; and the room that this leaves. */
function sumMarks(
  { parts, total }: Named,
  share: number | null,
  asked: number,
  { x, y, width }: Rect,
  { ink, muted }: Colours,
): { marks: Mark[]; room: number } {
  const words = formatAlike(parts.map(({ value }) => value));
  const sum = `${share === null ? "Σ" : "score"} = ${words(total)}`;
  const said = share === null ? "" : `probability ${percent(share)}`;
  const more = asked + widthOf(sum, WORDS, 600) + widthOf(said, WORDS) + 20 <= width ? said : "";
  const at = { kind: "text", y: y + 13, size: WORDS } as const;
  const [own, other] = [widthOf(sum, WORDS, 600), more ? widthOf(more, WORDS) + 8 : 0];
  const start = x + Math.min(asked + APART, width - own - other);
  const marks: Mark[] = [{ ...at, x: start, text: sum, fill: ink, weight: 600 }];
  if (more) marks.push({ ...at, x: start + own + 8, text: more, fill: muted });
  return { marks, room: width - own - other - 12 };
}

/** What units before add, by the names of these where they have some. */
function namedIn(closeUp: UnitCloseUp, { graph }: Diagram): Named {
  const before = graph.columns[graph.columns[closeUp.column].from[0]];
  const nameOf = (unit: number) =>
    (before?.kind === "input" && inputNamed(graph, unit)) || String(unit);
  return {
    bias: closeUp.bias,
    total: closeUp.total,
    parts: closeUp.parts.map((part) => ({ ...part, name: nameOf(part.from) })),
  };
}

/** Where it is the score of a class: how probable that is. */
function shareOf({ column, unit }: UnitCloseUp, { graph, flow }: Diagram): number | null {
  if (column < graph.columns.length - 1) return null;
  return scoresOf(graph, flow)?.probabilities?.[unit] ?? null;
}

function pixelMarks(
  { patch, layer, part, total, channels, greys }: PixelCloseUp,
  box: Rect,
  { colours }: Theme,
  palette: Palette,
): Mark[] {
  const [, , kh, kw] = layer.shape;
  const side = Math.min(66, box.height - 26, 0.16 * box.width);
  const inputs = Float32Array.from(patch.inputs ?? []);
  const ink = Math.max(...Array.from(inputs, Math.abs).filter(Number.isFinite), 1e-9);
  const at = { x: box.x, y: box.y + 12, width: side, height: (side * kh) / kw };
  const small = { size: 10, fill: colours.muted } as const;
  const marks: Mark[] = [
    { kind: "text", x: at.x, y: box.y + 8, text: "inputs", ...small },
    {
      kind: "image",
      box: at,
      pixels: greys ? greyOf(inputs, kw, greys) : heatOf(inputs, kw, ink, palette),
    },
    { kind: "rects", boxes: cellsOf(at, kh, kw), stroke: colours.outline, width: 0.75 },
  ];
  const count = kh * kw;
  const sumRoom = 84;
  const start = box.x + side + 26;
  const step = Math.min(0.1 * box.width, (box.width - side - 26 - sumRoom) / count);
  const cell = Math.max(14, step - 8);
  const tall = Math.min(cell, box.height * 0.42);
  const [lo, hi] = patch.range;
  const values = patch.values ?? [];
  const base = box.y + 12 + tall;
  const most = Math.max(0, ...values);
  const least = Math.max(0, ...values.map((value) => -value));
  const barRoom = Math.max(8, box.height - tall - 40);
  const scale = barRoom / Math.max(1e-9, most + least);
  const said = formatAlike(values);
  const zero = base + 14 + scale * most;
  marks.push(arrow(at.x + side + 5, box.y + 12 + tall / 2, colours));
  const line = { xy: [] as number[], ends: [] as number[] };
  const boxes: number[] = [];
  const zeros: number[] = [];
  const dots: number[] = [];
  const bars: Record<"more" | "less", number[]> = { more: [], less: [] };
  for (let e = 0; e < count; e++) {
    const x0 = start + e * step;
    const middle = box.y + 12 + tall / 2;
    boxes.push(x0, box.y + 12, cell, tall);
    zeros.push(x0, middle, x0 + cell, middle);
    const toX = (x: number) => x0 + (cell * (x - lo)) / (hi - lo);
    const toY = (y: number) => middle - ((tall / 2 - 2) * y) / patch.most;
    patch.curves[e].forEach((y, k) => {
      if (Number.isFinite(y))
        line.xy.push(toX(lo + ((hi - lo) * k) / (patch.curves[e].length - 1)), toY(y));
    });
    line.ends.push(line.xy.length / 2);
    if (Number.isFinite(inputs[e])) dots.push(toX(inputs[e]), toY(values[e]));
    const length = scale * values[e];
    const w = Math.min(16, cell);
    bars[length >= 0 ? "more" : "less"].push(
      x0 + cell / 2 - w / 2,
      Math.min(zero, zero - length),
      w,
      Math.max(0.75, Math.abs(length)),
    );
    const text = said(values[e]);
    if (widthOf(text, small.size) + 1 <= step) {
      const y = length >= 0 ? zero - length - 4 : zero - length + 11;
      marks.push({ kind: "text", x: x0 + cell / 2, y, text, anchor: "middle", ...small });
    }
  }
  const end = start + count * step;
  marks.push(
    { kind: "rects", boxes, fill: colours.cell },
    {
      kind: "lines",
      xy: zeros,
      ends: boxes.flatMap((_, k) => (k % 4 === 0 ? [k / 2 + 2] : [])),
      stroke: colours.zero,
    },
    { kind: "lines", ...line, stroke: colours.ink, width: 1.3, round: true },
    { kind: "dots", xy: dots, r: 3, fill: colours.accent },
    { kind: "lines", xy: [start, zero, end - 8, zero], ends: [2], stroke: colours.zero },
    { kind: "rects", boxes: bars.more, fill: colours.more, radius: 1 },
    { kind: "rects", boxes: bars.less, fill: colours.less, radius: 1 },
    {
      kind: "text",
      x: end + 2,
      y: zero + 4,
      text: `Σ = ${said(part)}`,
      fill: colours.ink,
      size: 12,
      weight: 600,
    },
  );
  if (channels > 1) {
    const text = fitted(
      `all ${channels} channels: ${said(total)}`,
      box.x + box.width - end - 2,
      10,
    );
    marks.push({ kind: "text", x: end + 2, y: zero + 18, text, ...small });
  }
  return marks;
}

/** The cells of a box, flat: white ones next to each other are still seen one by one. */
function cellsOf({ x, y, width, height }: Rect, rows: number, columns: number): number[] {
  const [w, h] = [width / columns, height / rows];
  return Array.from({ length: rows * columns }, (_, k) => [
    x + (k % columns) * w,
    y + Math.floor(k / columns) * h,
    w,
    h,
  ]).flat();
}

/** The functions of a kernel side by side, without inputs on them. */
function functionMarks(
  { patch: { curves, range, most } }: FunctionsCloseUp,
  box: Rect,
  hint: string,
  colours: Colours,
): Mark[] {
  const foot = hint ? 34 : 16;
  const step = Math.min(150, box.width / curves.length);
  const [cell, tall] = [step - 6, box.height - foot - 2];
  const boxes: number[] = [];
  const zeros: number[] = [];
  const line = { xy: [] as number[], ends: [] as number[] };
  curves.forEach((curve, e) => {
    const [x, y] = [box.x + e * step, box.y];
    boxes.push(x, y, cell, tall);
    zeros.push(x, y + tall / 2, x + cell, y + tall / 2);
    curve.forEach((value, k) => {
      if (!Number.isFinite(value)) return;
      line.xy.push(x + (cell * k) / (curve.length - 1), y + (tall / 2) * (1 - value / most));
    });
    line.ends.push(line.xy.length / 2);
  });
  const small = { size: 10, fill: colours.muted } as const;
  const said = `each: x from ${number(range[0])} to ${number(range[1])}, φ ±${number(most)}`;
  const ends = curves.map((_, k) => 2 * k + 2);
  return [
    { kind: "rects", boxes, fill: colours.cell },
    { kind: "lines", xy: zeros, ends, stroke: colours.zero },
    { kind: "lines", ...line, stroke: colours.ink, width: 1.4, round: true },
    { kind: "text", x: box.x, y: box.y + tall + 14, text: said, ...small },
    { kind: "text", x: box.x, y: box.y + tall + 31, text: hint, ...small, size: WORDS },
  ];
}

function arrow(x: number, y: number, { muted }: Colours): Mark {
  return {
    kind: "path",
    d: `M${x} ${y}h12m-4 -4l4 4l-4 4`,
    stroke: muted,
    width: 1.25,
    round: true,
  };
}

/** What units before add: all, or the strongest first and those that have no room together; and the bias. */
function unitMarks(
  { parts, bias }: Named,
  box: Rect,
  colours: Colours,
  compared: Compared | null,
  pictures: ((unit: number) => Pixels | null) | null,
  framed: number,
): Mark[] {
  const words = formatAlike(parts.map(({ value }) => value));
  const order = [...parts].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const { count, step, tail } = spread(order, bias !== 0, box.width);
  const rest = order.slice(count);
  // All of them stand as they do in the diagram: while it trains none changes its place.
  const shown = rest.length === 0 ? parts : order.slice(0, count);
  const columns = shown.map(({ from, name, value }) => ({ names: [name, String(from)], value }));
  if (rest.length > 0) {
    const value = rest.reduce((sum, part) => sum + part.value, 0);
    columns.push({ names: [`${rest.length} more`], value });
  }
  if (bias !== 0) columns.push({ names: ["bias"], value: bias });
  const own = {
    most: Math.max(0, ...shown.map(({ value }) => value)),
    least: Math.max(0, ...shown.map(({ value }) => -value)),
  };
  compared?.reaches.set(compared.number, own);
  const all = compared ? [...compared.reaches.values()] : [own];
  const most = Math.max(...all.map((reach) => reach.most));
  const least = Math.max(DOWN * most, ...all.map((reach) => reach.least));
  // A number stands over or under each bar, the pictures and the names below all of them.
  const square = pictures && box.height >= 4 * PICTURE ? Math.min(PICTURE, step - 2) : 0;
  const foot = box.height - 18 - (square > 0 ? square + 6 : 0);
  const room = foot - (most > 0 ? 14 : 10) - (least > 0 ? 14 : 0);
  const scale = room / Math.max(1e-9, most + least);
  const zero = box.y + (most > 0 ? 14 : 10) + scale * most;
  const marks: Mark[] = [];
  const bars: Record<"more" | "less", number[]> = { more: [], less: [] };
  const drawn: Bar[] = [];
  const end = box.x + step * count + tail * (columns.length - count);
  columns.forEach(({ names, value }, k) => {
    const isRest = k >= count;
    const own = isRest ? tail : step;
    const middle = box.x + step * Math.min(k, count) + tail * Math.max(0, k - count) + own / 2;
    const length = scale * value;
    const w = Math.min(24, Math.max(0.55 * own, Math.min(9, own - 4)));
    const text = words(value);
    // Many together, and the bias, are no bars among the others, and may reach further than there is room.
    const reach = isRest ? Math.max(-scale * least, Math.min(scale * most, length)) : length;
    const bar = [middle - w / 2, Math.min(zero, zero - reach), w, Math.max(0.75, Math.abs(reach))];
    if (isRest) marks.push(...restMarks(bar, reach !== length, colours));
    else bars[value >= 0 ? "more" : "less"].push(...bar);
    drawn.push({ x: bar[0], width: w, reach, text });
    const pixels = square > 0 && !isRest ? pictures?.(shown[k].from) : null;
    if (pixels) {
      const isFramed = shown[k].from === framed;
      marks.push(...pictureMarks(pixels, middle, box.y + foot + 3, square, isFramed, colours));
    }
    const size = own < NAMES.below ? NAMES.small : NAMES.size;
    const short =
      names.find((name) => widthOf(name, size) <= own - 0.5) ?? fitted(names[0], own - 0.5, size);
    const place = { x: middle, y: box.y + box.height - 2, anchor: "middle", size } as const;
    marks.push({ kind: "text", ...place, text: short, fill: colours.muted });
  });
  return [
    { kind: "lines", xy: [box.x, zero, end, zero], ends: [2], stroke: colours.zero },
    { kind: "rects", boxes: bars.more, fill: colours.more, radius: 1 },
    { kind: "rects", boxes: bars.less, fill: colours.less, radius: 1 },
    ...marks,
    ...numberMarks(drawn, zero, [box.x, end], colours),
  ];
}

interface Bar {
  x: number;
  width: number;
  /** How far it goes up. */
  reach: number;
  text: string;
}

/** The numbers over bars, and under those that go down, of the longest first: where they lie on no other and on no bar. */
function numberMarks(
  bars: readonly Bar[],
  zero: number,
  [left, right]: [number, number],
  { ink: fill }: Colours,
): Mark[] {
  const placed: { from: number; to: number; y: number }[] = [];
  const order = bars.filter(({ text }) => /[1-9]/.test(text));
  order.sort((a, b) => Math.abs(b.reach) - Math.abs(a.reach));
  return order.flatMap(({ x, width, reach, text }): Mark[] => {
    const long = widthOf(text, 10);
    const y = reach >= 0 ? zero - reach - 4 : zero - reach + 12;
    const isFree = (from: number) => {
      const meets = (a: number, b: number) => from - 1 < b && a < from + long + 1;
      const taller = bars.some(
        (bar) =>
          meets(bar.x, bar.x + bar.width) &&
          bar.reach * Math.sign(reach || 1) > Math.abs(reach) + 1,
      );
      return !taller && !placed.some((one) => meets(one.from, one.to) && Math.abs(one.y - y) < 12);
    };
    const ways = [x + (width - long) / 2, x, x + width - long];
    const inside = ways.map((from) => Math.max(left, Math.min(right - long, from)));
    const from = inside.find(isFree);
    if (from === undefined) return [];
    placed.push({ from, to: from + long, y });
    return [{ kind: "text", x: from, y, text, size: 10, fill }];
  });
}

/** How many of the parts have a bar, how wide each one's place is, and that of all others together, and of the bias. */
function spread(parts: Named["parts"], hasBias: boolean, room: number) {
  const isNamed = parts.some(({ from, name }) => name !== String(from));
  const widest = Math.max(...parts.map(({ from }) => widthOf(String(from), NAMES.small)));
  const least = Math.max(NARROW, isNamed ? TAIL : widest + 1);
  const fitting = (tails: number) => Math.max(2, Math.floor((room - tails * TAIL) / least));
  const bias = hasBias ? 1 : 0;
  const all = parts.length <= Math.min(MOST, fitting(bias));
  const count = all ? parts.length : Math.min(MOST, fitting(bias + 1));
  const tails = bias + (all ? 0 : 1);
  const alike = room / (count + tails);
  if (alike >= TAIL) return { count, step: Math.min(WIDE, alike), tail: Math.min(WIDE, alike) };
  return { count, step: (room - tails * TAIL) / count, tail: TAIL };
}

/** A pale bar; a gap across it says that it is cut. */
function restMarks(bar: number[], isCut: boolean, { ghost, surface }: Colours): Mark[] {
  const [x, y, width, height] = bar;
  const marks: Mark[] = [{ kind: "rects", boxes: bar, fill: ghost, opacity: 0.6, radius: 1 }];
  if (!isCut) return marks;
  const at = y + Math.min(8, height / 2);
  const xy = [x - 2, at + 3, x + width + 2, at - 3];
  return [...marks, { kind: "lines", xy, ends: [2], stroke: surface, width: 3 }];
}

function pictureMarks(
  pixels: Pixels,
  middle: number,
  y: number,
  side: number,
  isFramed: boolean,
  { outline, ink }: Colours,
): Mark[] {
  const box = { x: middle - side / 2, y, width: side, height: side };
  const boxes = [box.x, box.y, side, side];
  return [
    { kind: "image", box, pixels },
    isFramed
      ? { kind: "rects", boxes, stroke: ink, width: FRAMED, radius: 2 }
      : { kind: "rects", boxes, stroke: outline, width: 0.75 },
  ];
}

/** The maps of the units before, as they are in the diagram; null where they have none. */
function mapsBefore(
  { column: number }: UnitCloseUp,
  { graph, flow }: Diagram,
  palette: Palette,
): ((unit: number) => Pixels | null) | null {
  const column = graph.columns[graph.columns[number].from[0]];
  if (!flow || !column?.map || column.kind === "input") return null;
  const most = mostOf(column, flow);
  const shape = flow.shapes[column.station];
  return (unit) => {
    const values = unitValues(flow, column.station, unit);
    return values && heatOf(values, shape[shape.length - 1] || 1, most, palette);
  };
}
