/** Draws what one number is made of: functions with the inputs on them, and what each adds as a bar. */

import { paletteOf } from "../../phi/palette.ts";
import { greyPixels, heatOf } from "../../scene/heat.ts";
import type { Mark, Pixels, Rect } from "../../scene/marks.ts";
import { flat, line, rect, rects, WORDS, words } from "../../scene/shapes.ts";
import { fitted, fitting, widthOf } from "../../scene/text.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import {
  type CloseUp,
  closeUpTitles,
  type FunctionsCloseUp,
  finer,
  type PixelCloseUp,
  type ShownFunction,
  sumText,
  type UnitCloseUp,
} from "./close_up.ts";
import { asOf, type Diagram } from "./diagram.ts";
import { magnifiedMarks } from "./focus.ts";
import { bundleCell, bundleMarks, gridOf } from "./functions.ts";
import { inputNamed } from "./graph.ts";
import { rowedBars, unitMap } from "./marks.ts";
import { FRAMED } from "./strongest.ts";

const SMALL = 10;
/** The plot of the one function: at the right, of this share of the width, so many times as wide as high; beside the pixels of a patch it may be small. */
const PLOT = {
  least: 250,
  most: 340,
  share: 0.3,
  beside: 0.56,
  gap: 22,
  patch: 350,
  small: 112,
  flat: 4,
};
/** Room that each function of a kernel needs to stand side by side; with less they stand as in the kernel. */
const ROOMY = 64;
/** The side of what a unit shows of the example, under its bar. */
const PICTURE = 22;
/** Least distance between the titles of the bars and of the plot. */
const TITLE_GAP = 12;
/** Room for "16 more:" and what these add, or for a name. */
const TAIL = 52;
/** Size of the names under bars, and where bars stand close. */
const NAMES = { size: 10, small: 9, below: 16 };
/** The place of a bar at most, and how many there are at most; and the height of a row, where they lie below each other. */
const BAR = { widest: 72, most: 40, row: 16 };
/** Share of the highest bar that is kept free below for bars that go down. */
const DOWN = 0.2;

/** What it is made of, and the one function with axes. `framed` is the unit whose picture has a frame, −1 for none. */
export function closeUpMarks(
  diagram: Diagram,
  closeUp: CloseUp | null,
  shown: ShownFunction | null,
  framed: number,
  box: Rect,
  theme: Theme,
): { parts: Mark[]; axes: Mark[] } {
  if (!closeUp) return { parts: [], axes: [] };
  // Where a number is made by one function that says all of it.
  const isAlone =
    closeUp.kind === "functions"
      ? closeUp.count === 1
      : closeUp.kind === "unit" && closeUp.added.length === 1 && closeUp.bias === 0;
  if (shown && isAlone) {
    return { parts: [], axes: magnifiedMarks(diagram, closeUp, shown, box, theme) };
  }
  const { colours } = theme;
  // The step of the numbers, if it is not the step drawn.
  const late = closeUp.kind === "functions" ? "" : asOf(diagram);
  const titles = closeUpTitles(diagram, closeUp).map((text) => (late ? `${text} (${late})` : text));
  // A picture of what each pixel adds is no wider than it is high.
  const isPicture = isPictured(closeUp);
  const share = isPicture ? PLOT.beside : PLOT.share;
  // What few bars leave is the plot's.
  const print = printOf(diagram, closeUp);
  const sums = closeUp.kind === "unit" ? [sumText(closeUp, print), sumText(closeUp, print, 0)] : [];
  // What is added up in words needs no other title.
  const summed = sums.flatMap((sum) =>
    (sum.includes(" in all") ? titles : titles.slice(-1)).map((title) => `${title}: ${sum}`),
  );
  const bars = closeUp.kind === "unit" ? BAR.widest * closeUp.parts.length + TAIL : box.width;
  const taken = Math.max(bars, widthOf(summed[0] ?? "", WORDS, 600) + TITLE_GAP);
  const free = Math.min(box.width - taken - PLOT.gap, PLOT.flat * box.height);
  const own = Math.min(isPicture ? box.width : PLOT.most, Math.max(share * box.width, PLOT.least));
  const most = Math.max(free, own);
  const left = closeUp.kind === "pixel" ? box.width - PLOT.patch : PLOT.beside * box.width;
  const wide = Math.max(PLOT.small, Math.min(most, left));
  const width = shown ? box.width - wide - PLOT.gap : box.width;
  const plot = { ...box, x: box.x + box.width - wide, width: wide };
  const inside = { ...box, width, y: box.y + 22, height: box.height - 24 };
  const heading = fitting([...summed, ...titles, ""], width - TITLE_GAP, WORDS, 600);
  const parts = [
    words(box.x, box.y + 13, heading, colours.ink, { weight: 600 }),
    ...(closeUp.kind === "pixel" ? pixelMarks(diagram, closeUp, inside, theme) : []),
    ...(closeUp.kind === "functions" ? functionMarks(diagram, closeUp, inside, theme) : []),
    ...(closeUp.kind === "unit" ? barMarks(diagram, closeUp, inside, framed, theme) : []),
  ];
  return { parts, axes: shown ? magnifiedMarks(diagram, closeUp, shown, plot, theme) : [] };
}

/** The inputs of a patch, its functions with these on them, and what each adds. */
function pixelMarks(diagram: Diagram, closeUp: PixelCloseUp, box: Rect, theme: Theme): Mark[] {
  const { layer, part, total, channels, greys, values } = closeUp;
  const { name, colours } = theme;
  const [, , kh, kw] = layer.shape;
  const side = Math.min(66, box.height - 26, 0.16 * box.width);
  const inputs = Float32Array.from(closeUp.inputs);
  const ink = Math.max(...Array.from(inputs, Math.abs).filter(Number.isFinite), 1e-9);
  const at = { x: box.x, y: box.y + 12, width: side, height: (side * kh) / kw };
  const pixels = greys ? greyPixels(inputs, kw, greys) : heatOf(inputs, kw, ink, paletteOf(name));
  // White cells next to each other are still seen one by one.
  const cells = Array.from(inputs, (_, k) => flat(bundleCell(at, [kh, kw], k))).flat();
  const start = box.x + side + 26;
  const step = Math.min(0.1 * box.width, (box.width - side - 26 - 84) / (kh * kw));
  const cell = Math.max(14, step - 8);
  const tall = Math.min(cell, box.height * 0.42);
  const plots = values.map((_, e) => {
    return { x: start + e * step, y: at.y, width: cell, height: tall };
  });
  const middle = at.y + tall / 2;
  const most = Math.max(0, ...values);
  const least = Math.max(0, ...values.map((value) => -value));
  const scale = Math.max(8, box.height - tall - 40) / Math.max(1e-9, most + least);
  const zero = at.y + tall + 14 + scale * most;
  const print = printOf(diagram, closeUp);
  const small = { size: SMALL } as const;
  const bars = plots.map(({ x }, e): Bar => {
    const length = scale * values[e];
    return { middle: x + cell / 2, width: Math.min(16, cell), length, text: print(values[e]) };
  });
  const end = start + kh * kw * step;
  const room = box.x + box.width - end - 2;
  const all = fitted(`all ${channels} maps: ${print(total)}`, room, SMALL);
  const arrow = `M${at.x + side + 5} ${middle}h12m-4 -4l4 4l-4 4`;
  return [
    words(at.x, box.y + 8, "inputs", colours.muted, small),
    { kind: "image", box: at, pixels },
    rects(cells, { stroke: colours.outline, width: 0.75 }),
    { kind: "path", d: arrow, stroke: colours.muted, width: 1.25, round: true },
    ...cellMarks(diagram, closeUp, plots, theme),
    line([start, zero, end - 8, zero], colours.zero),
    ...signedBars(bars, zero, colours),
    ...numberMarks(bars, zero, colours),
    words(end + 2, zero + 4, `sum ${print(part)}`, colours.ink, { size: 12, weight: 600 }),
    ...(channels > 1 ? [words(end + 2, zero + 18, all, colours.muted, small)] : []),
  ];
}

/** The functions of a kernel, without inputs on them. */
function functionMarks(
  diagram: Diagram,
  closeUp: FunctionsCloseUp,
  box: Rect,
  theme: Theme,
): Mark[] {
  const { count, column } = closeUp;
  const isRow = box.width / count >= ROOMY;
  const grid = isRow ? ([1, count] as const) : gridOf(diagram.parts[column].column);
  const width = Math.min(box.width, isRow ? 150 * count : (box.height * grid[1]) / grid[0]);
  const cells = Array.from({ length: count }, (_, e) => {
    const cell = bundleCell({ ...box, width }, grid, e);
    const height = isRow ? Math.min(box.height, 2 * cell.width) : cell.height - 6;
    return { ...cell, width: cell.width - 6, height };
  });
  return cellMarks(diagram, closeUp, cells, theme);
}

/** The functions of a kernel in cells of their own, with their inputs on them where these are known. */
function cellMarks(
  { parts }: Diagram,
  closeUp: PixelCloseUp | FunctionsCloseUp,
  cells: readonly Rect[],
  theme: Theme,
): Mark[] {
  const list = cells.map((box, e) => {
    const bundle = { from: -1, to: closeUp.unit, first: closeUp.first + e, count: 1 };
    const point =
      closeUp.kind === "pixel" ? { x: closeUp.inputs[e], value: closeUp.values[e] } : null;
    return { bundle, box, point };
  });
  return bundleMarks(parts[closeUp.column], list, theme);
}

interface Bar {
  middle: number;
  width: number;
  /** How far it goes up. */
  length: number;
  text: string;
}

/** Bars from a line of zero up and down, of a colour each way. */
function signedBars(bars: readonly Bar[], zero: number, { more, less }: Colours): Mark[] {
  return [more, less].map((fill) => {
    const own = bars.filter(({ length }) => (length >= 0 ? more : less) === fill);
    const boxes = own.flatMap(({ middle, width, length }) => {
      const top = Math.min(zero, zero - length);
      return [middle - width / 2, top, width, Math.max(0.75, Math.abs(length))];
    });
    return rects(boxes, { fill, radius: 1 });
  });
}

/** The numbers over bars, and under those that go down: of the longest first, of others where they meet none. */
function numberMarks(bars: readonly Bar[], zero: number, { muted }: Colours): Mark[] {
  const order = bars
    .filter(({ text }) => text)
    .sort((a, b) => Math.abs(b.length) - Math.abs(a.length));
  const placed: Bar[] = [];
  return order.flatMap((bar): Mark[] => {
    const { middle, length, text } = bar;
    const wide = widthOf(text, SMALL);
    const meets = (others: readonly Bar[], widthFor: (other: Bar) => number) =>
      others.some((other) => Math.abs(other.middle - middle) < (wide + widthFor(other)) / 2);
    const taller = bars.filter((other) =>
      length < 0 ? other.length < length : other.length > length,
    );
    const beside = placed.filter((other) => other.length < 0 === length < 0);
    if (meets(beside, (other) => widthOf(other.text, SMALL) + 4)) return [];
    if (meets(taller, ({ width }) => width)) return [];
    placed.push(bar);
    const y = zero - length + (length >= 0 ? -4 : 11);
    return [words(middle, y, text, muted, { anchor: "middle", size: SMALL })];
  });
}

/** All parts, or the strongest first and those that have no room together; and the bias. */
function barMarks(
  diagram: Diagram,
  closeUp: UnitCloseUp,
  box: Rect,
  framed: number,
  theme: Theme,
): Mark[] {
  const { colours } = theme;
  const { parts, bias } = closeUp;
  if (isPictured(closeUp)) return addedPicture(diagram, closeUp, box, theme);
  const { columns } = diagram.graph;
  const isFed = columns[columns[closeUp.column].from[0]]?.kind === "input";
  const nameOf = (unit: number) => (isFed && inputNamed(diagram.graph, unit)) || String(unit);
  const pictureOf = mapsBefore(diagram, closeUp, theme);
  const print = printOf(diagram, closeUp);
  const widest = (texts: string[]) => Math.max(...texts.map((text) => widthOf(text, SMALL))) + 5;
  const across = (wide: number) => (tails: number) => {
    const most = Math.floor((box.width - TAIL * tails) / Math.min(TAIL, wide));
    return Math.max(2, Math.min(BAR.most, most));
  };
  const names = widest(parts.map(({ from }) => nameOf(from)));
  const numbers = widest(parts.map(({ value }) => print(Math.abs(value))));
  const [named, read] = [across(names), across(Math.max(names, numbers))];
  const down = (tails: number) => Math.floor(box.height / BAR.row) - tails;
  const isWhole = parts.length <= named(bias === 0 ? 0 : 1);
  // Of some that stand for all each can be read.
  const isRows = !isWhole && read(2) < Math.min(parts.length, down(2));
  const all = chosenParts(closeUp, isRows ? down : isWhole ? named : read);
  const { most, least } = reachOf(
    diagram,
    all.filter(({ isRest }) => !isRest),
  );
  if (isRows) {
    const drawn = all.map((own) => {
      const name = own.name ?? nameOf(own.from);
      return {
        ...own,
        name,
        text: print(own.value),
        pixels: (own.from >= 0 && pictureOf?.(own.from)) || null,
      };
    });
    return rowedBars(drawn, [least, most], framed, box, colours);
  }
  const shown = all.filter(({ from }) => from >= 0).length;
  const step = Math.min(BAR.widest, (box.width - TAIL * (all.length - shown)) / shown);
  const middleOf = (k: number) =>
    step * Math.min(k + 0.5, shown) + TAIL * Math.max(0, k - shown + 0.5);
  const end = middleOf(all.length - (all.at(-1)?.isRest ? 2 : 1)) + (bias === 0 ? step : TAIL) / 2;
  // A number stands over or under each bar, the pictures and the names below all of them.
  const side = pictureOf && box.height >= 4 * PICTURE ? Math.min(PICTURE, step - 2) : 0;
  const foot = box.height - 18 - (side > 0 ? side + 6 : 0);
  const over = most > 0 ? 14 : 10;
  const scale = (foot - over - (least > 0 ? 14 : 0)) / Math.max(1e-9, most + least);
  const zero = box.y + over + scale * most;
  const bars = all.map(({ value, isRest = false }, k): Bar => {
    const width = Math.min(24, Math.max(0.55 * step, Math.min(9, step - 4)));
    // Many together may reach further than there is room: they are words alone.
    const [length, text] = isRest ? [0, ""] : [scale * value, print(value)];
    return { middle: box.x + middleOf(k), width, length, text };
  });
  const size = step < NAMES.below ? NAMES.small : NAMES.size;
  const below = all.flatMap(({ from, name, value, isRest }, k): Mark[] => {
    const { middle } = bars[k];
    const pixels = side > 0 && from >= 0 ? pictureOf?.(from) : null;
    const names = name ? [name] : [nameOf(from), String(from)];
    const text = fitting(names, (name ? TAIL : step) - 0.5, size);
    const [bottom, how] = [box.y + box.height - 2, { anchor: "middle", size } as const];
    const label = words(middle, bottom - (isRest ? SMALL + 2 : 0), text, colours.muted, how);
    const sum = `${value > 0 ? "+" : ""}${print(value)}`;
    if (isRest) return [label, words(middle, bottom, sum, colours.ink, how)];
    if (!pixels) return [label];
    const place = { x: middle - side / 2, y: box.y + foot + 3, width: side, height: side };
    const frame =
      from === framed
        ? { stroke: colours.ink, width: FRAMED, radius: 2 }
        : { stroke: colours.outline, width: 0.75 };
    return [{ kind: "image", box: place, pixels }, rect(place, frame), label];
  });
  return [
    line([box.x, zero, box.x + end, zero], colours.zero),
    ...signedBars(bars.slice(0, all.at(-1)?.isRest ? -1 : undefined), zero, colours),
    ...below,
    ...numberMarks(bars, zero, colours),
  ];
}

/** Writes what is added up. */
function printOf({ parts }: Diagram, closeUp: CloseUp): (value: number) => string {
  const { print } = parts[closeUp.column];
  if (closeUp.kind === "unit")
    return finer(
      print,
      closeUp.parts.map(({ value }) => value),
    );
  return closeUp.kind === "pixel" ? finer(print, closeUp.values) : print;
}

/** Whether the contributions of pixels are drawn as a picture: if there is one unit before. */
const isPictured = (closeUp: CloseUp): boolean =>
  closeUp.kind === "unit" && closeUp.parts.length === 1 && closeUp.group > 1;

/** What each pixel adds, as a picture. */
function addedPicture(
  { parts }: Diagram,
  { added, column }: UnitCloseUp,
  box: Rect,
  { name, colours }: Theme,
): Mark[] {
  const [rows, across] = parts[column].column.fold;
  const height = Math.min(box.height, (box.width * rows) / across);
  const at = { ...box, width: (height * across) / rows, height };
  const most = Math.max(...Array.from(added, Math.abs).filter(Number.isFinite), 1e-9);
  const pixels = heatOf(added, across, most, paletteOf(name));
  return [{ kind: "image", box: at, pixels }, rect(at, { stroke: colours.outline, width: 0.75 })];
}

interface Drawn {
  /** The unit before, or −1. */
  from: number;
  value: number;
  /** Name of a bar that stands for no unit. */
  name?: string;
  /** It stands for all that have no bar of their own. */
  isRest?: boolean;
}

/** What has a bar: the units, or the strongest of them and all others together; and the bias. `fitsBeside` so many others. */
function chosenParts({ parts, bias }: UnitCloseUp, fitsBeside: (others: number) => number) {
  const tailed = bias === 0 ? 0 : 1;
  const isWhole = parts.length <= fitsBeside(tailed);
  const fits = fitsBeside(tailed + 1);
  const order = [...parts].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  // In the order of the units, as above: sorted by size they would change places while it trains.
  const all: Drawn[] = isWhole ? [...parts] : order.slice(0, fits).sort((a, b) => a.from - b.from);
  if (bias !== 0) all.push({ from: -1, value: bias, name: "bias" });
  if (isWhole) return all;
  const rest = order.slice(fits);
  const value = rest.reduce((sum, part) => sum + part.value, 0);
  return [...all, { from: -1, value, name: `${rest.length} more:`, isRest: true }];
}

/** How far bars reach up and down: of several diagrams those of all. */
function reachOf({ settings: { compared } }: Diagram, shown: readonly { value: number }[]) {
  const own = {
    most: Math.max(0, ...shown.map(({ value }) => value)),
    least: Math.max(0, ...shown.map(({ value }) => -value)),
  };
  compared?.reaches.set(compared.number, own);
  const all = compared ? [...compared.reaches.values()] : [own];
  const most = Math.max(...all.map((reach) => reach.most));
  return { most, least: Math.max(DOWN * most, ...all.map((reach) => reach.least)) };
}

/** The maps of the units before, as they are in the diagram; null where they have none. */
function mapsBefore(
  { parts, flow }: Diagram,
  { column: number }: UnitCloseUp,
  theme: Theme,
): ((unit: number) => Pixels | null) | null {
  const column = parts[number].before?.column;
  if (!flow || !column?.map || column.kind === "input") return null;
  return (unit) => unitMap(column, flow, unit, theme);
}
