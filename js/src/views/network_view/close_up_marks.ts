/** Draws what one number is made of: functions with the inputs on them, and what each adds as a bar. */

import { sum } from "d3-array";
import { formatAlike, formatNumber } from "../../phi/format.ts";
import { memoryOf } from "../../phi/memory.ts";
import { paletteOf } from "../../phi/palette.ts";
import { greyPixels, heatOf } from "../../scene/heat.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { flat, inMiddle, line, rect, rects, SMALL, WORDS, words } from "../../scene/shapes.ts";
import { fitting, widthOf } from "../../scene/text.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import {
  type CloseUp,
  closeUpTitles,
  type FunctionsCloseUp,
  finer,
  type PixelCloseUp,
  pictureIn,
  type ShownFunction,
  type UnitCloseUp,
} from "./close_up.ts";
import type { Diagram } from "./diagram.ts";
import { magnifiedMarks } from "./focus.ts";
import { bundleCell, bundleMarks, cellFrame, gridOf, rounded } from "./functions.ts";
import { inputNamed } from "./graph.ts";
import { largestValue, unitMap } from "./marks.ts";
import { FRAMED } from "./strongest.ts";

/** The plot of the one function: at the right, of this share of the width, so many times as wide as high; beside bars it may be small, beside a patch the inputs of that give way to it. */
const PLOT = {
  ...{ least: 256, most: 340, share: 0.3, small: 112, flat: 4, gap: 22 },
  ...{ beside: 0.57, patch: 350, bars: 150, clear: 198, half: 0.52 },
};
/** What a function in a cell adds: its size and row, and the height of a cell that has room for both. */
const NUMBER = { size: 9, row: 11, least: 28 };
/** Room for the sum of what a kernel adds. */
const SUM = 84;
/** Least distance between the title of the bars and the gap to the plot. */
const TITLE_GAP = 6;
/** A sum as long as most are. */
const LONG_SUM = "−0.000";
/** The height of a row at least and at most, its width, of which the bar has some 40 pixels at least, and the gap between two columns of rows. */
const BAR = { row: 16, high: 22, least: 136, most: 240, gap: 16 };
/** Share of the longest bar that is kept free for bars that go the other way. */
const DOWN = 0.2;
/** Without bars to a side its scale has an end all the same. */
const LEAST_REACH = 1e-9;

/** What is taken apart in a diagram: with the function that is shown with axes, and the unit whose picture has a frame, −1 for none. */
interface Closely {
  diagram: Diagram;
  shown: ShownFunction | null;
  framed: number;
  theme: Theme;
}

/** What it is made of, and the one function with axes. */
export function closeUpMarks(about: Closely, closeUp: CloseUp | null, box: Rect) {
  const { diagram, shown, theme } = about;
  if (!closeUp) return null;
  // Where a number is made by one function that says all of it.
  const isAlone =
    closeUp.kind === "functions"
      ? closeUp.count === 1
      : closeUp.kind === "unit" && closeUp.added.length === 1 && closeUp.bias === 0;
  if (shown && isAlone)
    return { parts: [], axes: magnifiedMarks(diagram, closeUp, shown, box, theme), picture: null };
  const { colours } = theme;
  const titles = closeUpTitles(diagram, closeUp);
  // A picture of what each pixel adds is no wider than it is high.
  const isPicture = isPictured(closeUp);
  const share = isPicture ? PLOT.beside : PLOT.share;
  // What few bars leave is the plot's.
  const print = printOf(diagram, closeUp);
  // A score that has a bar is not said again.
  const isScore = closeUp.column === diagram.parts.length - 1 && !diagram.scores?.probabilities;
  const total = closeUp.kind === "unit" && !isScore ? closeUp.total : Number.NaN;
  const amount = print(total);
  const sums = titles.map((title) => `${title}: ${amount} in all`);
  const short = `${titles.at(-1)}: ${amount}`;
  const headings = Number.isFinite(total) ? [...sums, short, ...titles] : titles;
  // It keeps its form, whatever the sum is.
  const longer = amount.length > LONG_SUM.length ? amount : LONG_SUM;
  const wideIn = (text: string) => TITLE_GAP + widthOf(text.replace(amount, longer), WORDS, 600);
  const tall = closeUp.kind === "unit" ? closeUp.parts.length * BAR.row : Number.POSITIVE_INFINITY;
  const bars = BAR.most * Math.ceil(tall / box.height);
  const taken = Math.max(bars, wideIn(headings[0]));
  const free = Math.min(box.width - taken - PLOT.gap, PLOT.flat * box.height);
  const most = Math.max(free, Math.min(PLOT.most, Math.max(share * box.width, PLOT.least)));
  const left = box.width - (closeUp.kind === "pixel" ? PLOT.patch : PLOT.bars + PLOT.gap);
  const isTight = closeUp.kind === "pixel" && left < PLOT.clear;
  const beside = isPicture ? left : PLOT.beside * box.width;
  const usual = Math.max(PLOT.small, Math.min(most, left, beside));
  const wide = isTight ? PLOT.half * box.width : usual;
  const width = shown ? box.width - wide - PLOT.gap : box.width;
  const plot = { ...box, x: box.x + box.width - wide, width: wide };
  const inside = { ...box, width, y: box.y + 22, height: box.height - 24 };
  const heading = headings.find((text) => wideIn(text) <= width) ?? "";
  const parts = [
    words(box.x, box.y + 13, heading, colours.ink, { weight: 600 }),
    ...(closeUp.kind === "pixel" ? pixelMarks(about, closeUp, inside) : []),
    ...(closeUp.kind === "functions" ? functionMarks(about, closeUp, inside) : []),
    ...(closeUp.kind === "unit" ? barMarks(about, closeUp, inside) : []),
  ];
  const axes = shown ? magnifiedMarks(diagram, closeUp, shown, plot, theme) : [];
  return { parts, axes, picture: isPicture ? pictureIn(diagram, closeUp, inside) : null };
}

/** The inputs of a patch, and in the same places the functions with these on them, and what each adds. */
function pixelMarks(about: Closely, closeUp: PixelCloseUp, box: Rect): Mark[] {
  const { diagram, theme } = about;
  const { layer, part, total, channels, values } = closeUp;
  const { colours } = theme;
  const [, , kh, kw] = layer.shape;
  // Where the plot would have no room the inputs are seen on the map alone, and the sum stands below.
  const isTight = box.width < PLOT.patch - PLOT.gap;
  const tall = box.height - (isTight ? 30 : 14);
  const side = isTight ? 0 : Math.min((tall * kw) / kh, 0.25 * box.width);
  const at = { x: box.x, y: box.y + 12, width: side, height: (side * kh) / kw };
  const start = isTight ? box.x : box.x + side + 26;
  const room = Math.min(box.x + box.width - start - (isTight ? -4 : SUM), (3 * tall * kw) / kh);
  const plots = cellsOf({ x: start, y: at.y, width: room, height: tall }, [kh, kw], values.length);
  const print = printOf(diagram, closeUp);
  // Where all digits have no room, two say how large they are.
  const isWide = values.some((value) => widthOf(print(value), NUMBER.size) > plots[0].width + 2);
  const brief = (value: number) => formatNumber(Number(value.toPrecision(2)));
  const small = { size: SMALL } as const;
  const own = `sum ${print(part)}`;
  const end = isTight ? box.x : start + room + 8;
  const middle = at.y + (isTight ? tall + 12 : tall / 2);
  const [x, y] = isTight ? [end + widthOf(own, 12, 600) + 10, middle] : [end, middle + 14];
  const sums = [`all ${channels} maps`, "all"].map((name) => `${name}: ${print(total)}`);
  const all = fitting([...sums, ""], Math.max(1, box.x + box.width - x), SMALL);
  return [
    ...(isTight ? [] : inputMarks(diagram, closeUp, at, theme)),
    words(start, box.y + 8, "what each adds", colours.muted, small),
    ...cellMarks(about, closeUp, plots, values.map(isWide ? brief : print)),
    words(end, middle, own, colours.ink, { size: 12, weight: 600 }),
    ...(channels > 1 ? [words(x, y, all, colours.muted, small)] : []),
  ];
}

/** In the colours that these inputs have on the map they are of. */
function inputMarks(
  diagram: Diagram,
  { layer, column, greys, inputs }: PixelCloseUp,
  at: Rect,
  { name, colours }: Theme,
): Mark[] {
  const [, , kh, kw] = layer.shape;
  const { columns } = diagram.graph;
  const ink = largestValue(diagram, columns[columns[column].from[0]]) || 1;
  const pixels = greys ? greyPixels(inputs, kw, greys) : heatOf(inputs, kw, ink, paletteOf(name));
  const arrow = `M${at.x + at.width + 5} ${at.y + at.height / 2}h12m-4 -4l4 4l-4 4`;
  const around = { ...at, width: at.width + 4, height: at.height + 4 };
  const cells = cellsOf(around, [kh, kw], inputs.length);
  const numbers = Array.from(inputs);
  return [
    words(at.x, at.y - 4, "inputs", colours.muted, { size: SMALL }),
    { kind: "image", box: at, pixels },
    // White cells next to each other are still seen one by one.
    rects(cells.flatMap(flat), { stroke: colours.outline, width: 0.75 }),
    ...cornerMarks(cells, numbers.map(formatAlike(numbers)), colours),
    { kind: "path", d: arrow, stroke: colours.muted, width: 1.25, round: true },
  ];
}

/** The functions of a kernel, without inputs on them. */
function functionMarks(about: Closely, closeUp: FunctionsCloseUp, box: Rect): Mark[] {
  const grid = gridOf(about.diagram.parts[closeUp.column].column);
  const width = Math.min(box.width, (3 * box.height * grid[1]) / grid[0]);
  return cellMarks(about, closeUp, cellsOf({ ...box, width }, grid, closeUp.count));
}

/** Places as in a kernel, with a gap between them. */
const cellsOf = (box: Rect, grid: readonly [number, number], count: number): Rect[] =>
  Array.from({ length: count }, (_, e) => {
    const cell = bundleCell(box, grid, e);
    return { ...cell, width: cell.width - 4, height: cell.height - 4 };
  });

/** Numbers in the corners of cells that have room for them. */
function cornerMarks(cells: readonly Rect[], texts: string[], colours: Colours) {
  const size = NUMBER.size;
  return cells.flatMap(({ x, y, width, height }, e): Mark[] => {
    const wide = widthOf(texts[e], size) + 4;
    if (wide > width - 2 || height < 2 * size) return [];
    const box = {
      x: x + width - wide - 1,
      y: y + height - size - 4,
      width: wide,
      height: size + 3,
    };
    const ground = rects(flat(box), { fill: colours.surface, radius: 2 });
    return [ground, inMiddle(box, texts[e], colours.ink, { size })];
  });
}

/** The functions of a kernel in cells of their own, with their inputs on them where these are known; what each adds stands below it, where all of that has room. */
function cellMarks(
  { diagram: { parts }, shown, theme }: Closely,
  closeUp: PixelCloseUp | FunctionsCloseUp,
  cells: readonly Rect[],
  texts: string[] = [],
): Mark[] {
  const { size, row, least } = NUMBER;
  const wide = Math.max(0, ...texts.map((text) => widthOf(text, size)));
  const isNumbered = texts.length > 0 && wide <= cells[0].width + 2 && cells[0].height >= least;
  const list = cells.map((cell, e) => {
    const bundle = { from: -1, to: closeUp.unit, first: closeUp.first + e, count: 1 };
    const point =
      closeUp.kind === "pixel" ? { x: closeUp.inputs[e], value: closeUp.values[e] } : null;
    return { bundle, box: isNumbered ? { ...cell, height: cell.height - row } : cell, point };
  });
  const charted = list.find(({ bundle }) => bundle.first === shown?.f);
  const { picture, column } = parts[closeUp.column];
  const own = picture?.closer({ first: closeUp.first, count: cells.length });
  const numbers = cells.map(({ x, y, width, height }, e) =>
    words(x + width / 2, y + height, texts[e], theme.colours.ink, { size, anchor: "middle" }),
  );
  return [
    ...bundleMarks({ picture: own ?? null, column }, list, theme),
    ...(charted ? [rounded(charted.box, theme.colours.ink, FRAMED)] : []),
    ...(isNumbered ? numbers : []),
  ];
}

/** All parts, or the strongest and those that have no room together; and the bias: a row each with picture, name, bar and number, in as many columns as that takes. */
function barMarks(about: Closely, closeUp: UnitCloseUp, box: Rect): Mark[] {
  if (isPictured(closeUp)) return addedPicture(about, closeUp, box);
  const { diagram, framed, theme } = about;
  const { colours } = theme;
  const before = diagram.parts[closeUp.column].before?.column;
  const isFed = before?.kind === "input";
  const nameOf = (unit: number) => (isFed && inputNamed(diagram.graph, unit)) || String(unit);
  const maps = before?.map && !isFed ? before : null;
  const print = printOf(diagram, closeUp);
  const rows = Math.max(2, Math.floor(box.height / BAR.row));
  const across = Math.max(1, Math.floor(box.width / BAR.least));
  const place = `rows of ${closeUp.column} ${closeUp.unit}`;
  const chosen = (kept: readonly number[]) =>
    chosenParts(closeUp, rows * across, print, framed, kept);
  // A film has those of its end.
  const kept = memoryOf(diagram.graph)<number[]>(place, [closeUp, rows * across], (last) =>
    diagram.isFilm && last ? last : chosen([]).map(({ from }) => from),
  );
  const all = chosen(diagram.isFilm ? kept : []);
  const blocks = Math.ceil(all.length / rows);
  const depth = Math.ceil(all.length / blocks);
  const wide = Math.min(BAR.most, box.width / blocks);
  const step = Math.min(BAR.high, box.height / depth);
  const side = maps ? step - 2 : 0;
  const texts = all.map(({ value }) => print(value));
  const called = all.map(({ from, name }) => name ?? (from < 0 ? "" : nameOf(from)));
  const widest = (own: string[]) => Math.max(...own.map((text) => widthOf(text, SMALL)));
  const [start, end] = [side + 8 + widest(called), wide - BAR.gap - widest(texts) - 4];
  const { most, least } = reachOf(diagram, closeUp, all);
  const scale = Math.max(0, end - start) / Math.max(1e-9, least + most);
  return all.flatMap(({ from, value, others }, k): Mark[] => {
    const x = box.x + wide * Math.floor(k / depth);
    const middle = box.y + step * ((k % depth) + 0.5);
    const zero = x + start + scale * least;
    const place = { x, y: middle - side / 2, width: side, height: side };
    const [left, long] = [zero + scale * Math.min(0, value), scale * Math.abs(value)];
    const bar = [left, middle - step / 4, Math.max(0.75, long), step / 2];
    const how = { size: SMALL, anchor: "end", middle: true } as const;
    const last = [`${others} others together`, `${others} others`];
    const text = others ? fitting(last, end, SMALL) : called[k];
    const [anchor, at] = others ? (["start", x] as const) : (["end", x + start - 4] as const);
    const fill = value < 0 ? colours.less : colours.more;
    const pixels = maps && side > 0 && from >= 0 ? unitMap(diagram, maps, from, theme) : null;
    const isFramed = pixels && from === framed;
    return [
      ...(pixels ? [{ kind: "image", box: place, pixels } as const] : []),
      // What is weak on a dark ground is still seen to be a map.
      ...(pixels ? [rect(place, { stroke: colours.outline, width: 0.75 })] : []),
      ...(isFramed ? [rect(place, { stroke: colours.ink, width: FRAMED })] : []),
      words(at, middle, text, colours.muted, { ...how, anchor }),
      // Many together may reach further than there is room: they are words alone, below a line.
      others
        ? line([x, middle - step / 2, x + wide - BAR.gap, middle - step / 2], colours.line)
        : rects(bar, { fill, radius: 1 }),
      words(x + wide - BAR.gap, middle, texts[k], colours.ink, how),
    ];
  });
}

/** Writes what is added up. */
function printOf({ parts }: Diagram, closeUp: CloseUp): Print {
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

/** What each pixel adds, as a picture: framed is the one whose function is shown, and beside it stands how far its colours go. */
function addedPicture(
  { diagram, shown, theme: { name, colours } }: Closely,
  closeUp: UnitCloseUp,
  box: Rect,
): Mark[] {
  const { added, unit } = closeUp;
  const { box: at, grid } = pictureIn(diagram, closeUp, box);
  const most = Math.max(...Array.from(added, Math.abs).filter(Number.isFinite), 1e-9);
  const pixels = heatOf(added, grid[1], most, paletteOf(name));
  const [x, range] = [at.x + at.width + 8, `±${formatNumber(most)}`];
  const text = fitting([range, ""], Math.max(1, box.x + box.width - x), SMALL);
  return [
    { kind: "image", box: at, pixels },
    rect(at, { stroke: colours.outline, width: 0.75 }),
    ...(shown ? cellFrame(at, grid, shown.f - unit * added.length, colours.ink, colours) : []),
    words(x, at.y + at.height - 3, text, colours.muted, { size: SMALL }),
  ];
}

interface Drawn {
  /** The unit before, or −1. */
  from: number;
  value: number;
  /** Name of a bar that stands for no unit. */
  name?: string;
  /** So many are added up that have no bar of their own. */
  others?: number;
}

type Print = (value: number) => string;

/** What has a bar: the units, or those kept or the strongest of them, and all others together, with those that are 0 as printed; and the bias. At most so many. */
function chosenParts(
  { parts, bias }: UnitCloseUp,
  most: number,
  print: Print,
  framed: number,
  kept: readonly number[],
) {
  const fits = most - (bias === 0 ? 0 : 1);
  const isWhole = parts.length <= fits;
  const sizeOf = ({ from, value }: Drawn) => (from === framed ? Infinity : Math.abs(value));
  const order = [...parts].sort((a, b) => sizeOf(b) - sizeOf(a));
  const seen = order.filter((one) => /[1-9]/.test(print(one.value)) || !(sizeOf(one) < Infinity));
  // In the order of the units: sorted by size they would change places while it trains.
  const isKept = ({ from }: Drawn) => kept.includes(from) || from === framed;
  const chosen = kept.length > 0 ? order.filter(isKept) : seen;
  const shown = isWhole ? parts : chosen.slice(0, fits - 1).sort((a, b) => a.from - b.from);
  const all: Drawn[] = bias === 0 ? shown : [...shown, { from: -1, value: bias, name: "bias" }];
  const rest = parts.filter((part) => !shown.includes(part));
  if (rest.length === 0) return all;
  return [...all, { from: -1, value: sum(rest, ({ value }) => value), others: rest.length }];
}

/** How far bars reach to either side: of several diagrams those of all, of several steps what holds those of the same number. */
function reachOf(
  { settings: { compared }, parts }: Diagram,
  { column, unit }: UnitCloseUp,
  all: readonly Drawn[],
) {
  const values = all.map(({ value, others }) => (others ? 0 : value));
  const own = { most: Math.max(0, ...values), least: -Math.min(0, ...values) };
  compared?.reaches.set(compared.number, own);
  const reaches = compared ? [...compared.reaches.values()] : [own];
  const held = (name: string, wanted: readonly number[]) =>
    parts[column].picture?.held(name, Math.max(...wanted)) ?? Math.max(...wanted);
  const [above, below] = [reaches.map(({ most }) => most), reaches.map(({ least }) => least)];
  const most = held(`bars above ${unit}`, [LEAST_REACH, ...above]);
  return { most, least: held(`bars below ${unit}`, [LEAST_REACH, DOWN * most, ...below]) };
}
