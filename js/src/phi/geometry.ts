/**
 * Where the kernels of a layer lie on a page of a given width.
 *
 * A layer is a matrix of blocks (rows: outputs, columns: inputs), each block a
 * kernel of kh×kw square cells. A matrix too wide for the page is cut into
 * bands of columns, stacked; where that does not fit the page, each row by
 * itself, so that an output is seen whole. With one input channel, or in a
 * sorted order, there is no matrix to keep: the kernels flow like words.
 */
import { sort } from "d3-array";
import { shortened } from "./entries.ts";
import { roundStep } from "./ranges.ts";

export const PAD = 8;
const CELL_GAP = 1;
const ROW_LABEL = 34;
export const COL_LABEL = 16;
const BAND_GAP = 10;

const SPACING = {
  conv: { gap: 12, min: 24, max: 56, legible: 36 },
  linear: { gap: 2, min: 16, max: 48, legible: 16 },
  elementwise: { gap: 2, min: 16, max: 48, legible: 16 },
} as const;

/** More bands make a view taller: they must make cells larger by this factor. */
const GAIN_OF_BANDS = 1.5;
/** Rows are cut into so many strips at most, and their cells made so low that those of one output fit the page. */
const [MOST_CUTS, LEAST_CUT] = [12, 24];
/** The most places that may stay blank in bands, as a share of the columns. */
const BLANK_SHARE = 1 / 4;

/** Pixels that are enough for a cell of one colour. */
const LARGEST_TINY = 15;
/** Pixels of the smallest cells: still smaller ones could not be told apart, nor be pointed at. */
const CELLS_BELOW_A_PIXEL = [0.9, 0.8, 0.7, 0.6, 0.5];

/** Gaps between kernels of tiny cells, by the size of a cell: the first that fits is taken. */
const KERNEL_GAPS = [[1], [1], [2, 1], [4, 3, 2], [4, 3]];

/** A kernel of at least this many cells is looked at as a picture; the cells of smaller ones may be so many times as wide as high. */
const [IMAGE_CELLS, BROADEST_FINE] = [100, 2];

const LABEL_HEIGHT = 13;

/** What columns are called where there is one row alone, without an output. */
export const GROUP = "group";

/** Estimated advance of one character of a 10 px label. */
export const LABEL_CHARACTER = 6;

/** Characters of a name over a column at least. */
const NAME_CHARACTERS = 6;

export interface Shape {
  kind: keyof typeof SPACING;
  out: number;
  in: number;
  kh: number;
  kw: number;
  /** Of a layer of which the page has a part: the numbers of the first output and the first input. */
  corner?: readonly [number, number] | undefined;
  /** Names of the outputs, by their numbers in the whole layer. */
  names?: readonly string[] | undefined;
  /** Names of the inputs. */
  inputNames?: readonly string[] | undefined;
  /** What columns are called, if not "input". */
  column?: string | undefined;
  /** What the functions of one output are called where there is one input, if not by the kind. */
  output?: string | undefined;
  /** Which kernel (o·in + i) is at each place, where they are sorted. */
  order?: readonly number[] | undefined;
  /** Free pixels between cells that are not of one colour: each is seen as a plot of its own. */
  apart?: number | undefined;
  /** Pixels of the smallest cell, if not the usual ones. */
  least?: number | undefined;
  /** How many times as wide as high the cell of a single function may be, where the page is wide; 1 by default. */
  widest?: number | undefined;
  /** How many times as high as wide the cells of a kernel may be, where the page is high; 1 by default. */
  tallest?: number | undefined;
  /** How many times as wide as high the cells of a kernel may be; 1 by default. */
  broadest?: number | undefined;
}

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export type Arrangement = ReturnType<typeof arrange>;

/**
 * The arrangement of a layer on `width` pixels. A layer that is small for a
 * page `room` high has larger cells, and more bands where those make the cells
 * larger still and are full. `tiny` cells show no more than a colour: they
 * shrink until all of them fit in the room.
 */
export function arrange(shape: Shape, width: number, room = 0, tiny = false) {
  const { kind, kh, kw } = shape;
  const { max } = SPACING[kind];
  const [min, legible] = [shape.least ?? SPACING[kind].min, shape.least ?? SPACING[kind].legible];
  let cellGap = shape.apart ?? CELL_GAP;
  // Cells of one kernel stay closer than kernels.
  let gap =
    shape.kh * shape.kw > 1
      ? SPACING[kind].gap + 2 * (cellGap - CELL_GAP)
      : Math.max(SPACING[kind].gap, cellGap);
  const { order } = shape;
  const flowing = order !== undefined || shape.in === 1;
  const rows = flowing ? 1 : shape.out;
  const columns = flowing ? shape.out * shape.in : shape.in;
  const wideOf = (cell: number) => kw * cell + (kw - 1) * cellGap;
  const down = (cell: number) => kh * cell + (kh - 1) * cellGap;
  // Beside the rows as many as their names take, up to a fifth of the width.
  const longest = Math.max(0, ...(shape.names ?? []).map((name) => name.length));
  const label = Math.max(ROW_LABEL, Math.min(LABEL_CHARACTER * longest + PAD, width / 5));
  const left = shape.in === 1 ? PAD : PAD + label;
  const available = width - left - PAD;
  const fit = (n: number) =>
    Math.floor((available - (n - 1) * gap - n * (kw - 1) * cellGap) / (n * kw));

  let perBand = columns;
  if (fit(columns) < min) {
    const most = Math.max(1, Math.floor((available + gap) / (wideOf(min) + gap)));
    perBand = Math.ceil(columns / Math.ceil(columns / most));
  }
  let bands = Math.ceil(columns / perBand);
  let cell = Math.max(min, Math.min(max, fit(perBand)));
  const tallest = (n: number) => {
    const between = n * (COL_LABEL + rows * (kh - 1) * cellGap + (rows - 1) * gap + BAND_GAP);
    return Math.floor((room - 2 * PAD + BAND_GAP - between) / (n * rows * kh));
  };
  // Smaller cells, where that makes all of them fit the page.
  if (room > 0 && tallest(bands) >= min) cell = Math.min(cell, tallest(bands));
  // A larger cell shows no more of φ. The few cells of a small layer grow, lest a page be blank.
  const count = shape.out * shape.in * kh * kw;
  const largest = count > 4 ? 220 : count > 1 ? 260 : 420;
  for (let n = bands; n <= columns && tallest(n) > cell; n++) {
    const bandColumns = Math.ceil(columns / n);
    if (n > bands && bandColumns * n - columns > BLANK_SHARE * columns) continue;
    const size = Math.min(largest, fit(bandColumns), tallest(n));
    if (size > (n > bands ? GAIN_OF_BANDS : 1) * cell)
      [cell, perBand, bands] = [size, bandColumns, Math.ceil(columns / bandColumns)];
  }
  const heightOf = (n: number, block: number, between: number) =>
    2 * PAD - BAND_GAP + n * (COL_LABEL + rows * (block + between) - between + BAND_GAP);
  if (tiny && heightOf(bands, down(cell), gap) > room) {
    const fits = (size: number, between: number) => {
      const most = Math.floor((available + between) / (kw * size + between));
      const n = Math.ceil(columns / most);
      return most > 0 && heightOf(n, kh * size, between) <= room;
    };
    [cell, gap] = tinyCell(kh * kw, fits);
    cellGap = 0;
    bands = Math.ceil(columns / Math.max(1, Math.floor((available + gap) / (kw * cell + gap))));
    perBand = Math.ceil(columns / bands);
  }
  // Cells without gaps use the width: each function of a layer is to be seen, and hit.
  const isFine = cellGap === 0 && kh * kw < IMAGE_CELLS;
  const most = (kh * kw === 1 ? shape.widest : shape.broadest) ?? (isFine ? BROADEST_FINE : 1);
  const across = Math.max(cell, Math.min(most * cell, fit(perBand)));
  if (shape.tallest && !tiny && kh * kw > 1) {
    const fits = heightOf(bands, down(cell), gap) <= room;
    cell = Math.floor(
      Math.max(min, Math.min(shape.tallest * cell, fits ? tallest(bands) : Infinity)),
    );
  }
  const blockWidth = kw * across + (kw - 1) * cellGap;
  const isHigh = room > 0 && heightOf(bands, down(cell), gap) > room;
  const rowsCut = isHigh && !!shape.tallest && !tiny && !flowing && bands <= MOST_CUTS;
  // Of a page that scrolls as many outputs are seen whole as are legible, or one, where that is possible.
  const around = COL_LABEL + BAND_GAP + (kh - 1) * cellGap;
  const outputs = Math.max(1, Math.floor((room - 2 * PAD) / (bands * (around + kh * legible))));
  const fitting = (room - 2 * PAD) / (outputs * bands) - around;
  const areWhole = rowsCut && fitting >= LEAST_CUT * kh;
  const unit = areWhole ? bands : 1;
  // Else of one strip.
  const tall = areWhole ? fitting : room - 2 * PAD - around;
  if (rowsCut && tall >= LEAST_CUT * kh) cell = Math.min(cell, Math.floor(tall / kh));
  const blockHeight = down(cell);
  const bandHeight = COL_LABEL + (rowsCut ? 1 : rows) * (blockHeight + gap) - gap + BAND_GAP;
  const strips = (rowsCut ? rows : 1) * bands;

  const arrangement = {
    ...shape,
    /** Where the kernels begin: beside the labels of rows, where there are any. */
    left,
    /** No matrix: kernels one after another, R = 1. */
    flowing,
    rows,
    columns,
    /** Pixels of a cell down, and across. */
    cell,
    across,
    /** Free pixels between cells of a kernel, and between kernels. */
    cellGap,
    gap,
    perBand,
    bands,
    /** Each strip of columns has its labels over it: one for each band, or for each band of each row where rows are cut. */
    strips,
    rowsCut,
    /** Strips that are seen together: all of an output, where that is possible. */
    unit,
    bandHeight,
    /** From a row to the next one. */
    pitch: rowsCut ? bands * bandHeight : blockHeight + gap,
    blockWidth,
    blockHeight,
    width: Math.max(width, left + perBand * (blockWidth + gap) - gap + PAD),
    height: PAD + strips * bandHeight - BAND_GAP + PAD,
    labelStep: 1,
    rowStep: stepOf(LABEL_HEIGHT / (blockHeight + gap)),
    /** The place of each kernel, where kernels are sorted; else null. */
    position: order ? sort(order.keys(), (place) => order[place]) : null,
  };
  const labelled = LABEL_CHARACTER * longestColumnText(arrangement).length + LABEL_CHARACTER;
  arrangement.labelStep = stepOf(labelled / (blockWidth + gap));
  return arrangement;
}

/** The largest cell, and the gap between kernels of several cells, for which all fits; else the smallest. */
function tinyCell(size: number, fits: (cell: number, gap: number) => boolean): [number, number] {
  // In smaller cells a kernel that is a picture shows nothing: scrolling is better.
  const least = size >= IMAGE_CELLS ? 2 : 1;
  const gapsOf = (cell: number) =>
    size > 1 ? KERNEL_GAPS[Math.min(cell, KERNEL_GAPS.length - 1)] : [0];
  for (let cell = LARGEST_TINY; cell >= least; cell--) {
    for (const gap of gapsOf(cell)) if (fits(cell, gap)) return [cell, gap];
  }
  if (least > 1) return [least, 2];
  for (const cell of CELLS_BELOW_A_PIXEL) if (fits(cell, 0)) return [cell, 0];
  return [1, size > 1 ? 1 : 0];
}

/** One label in how many is written. */
const stepOf = (least: number) => roundStep(Math.max(1, least));

/** Characters of a name that stands over a column. */
function nameRoom(a: Arrangement): number {
  return Math.max(NAME_CHARACTERS, Math.floor((a.blockWidth + a.gap) / LABEL_CHARACTER) - 1);
}

/** What columns are called, the number of the first, and their names, if they have any. */
function columnsOf(a: Arrangement) {
  const [out, input] = a.corner ?? [0, 0];
  const output = a.output ?? (a.kind === "conv" ? "kernel" : "output");
  return a.in === 1
    ? { one: output, first: out, names: a.names }
    : { one: a.column ?? "input", first: input, names: a.inputNames };
}

/** Whether kernels lie where neither their output nor their input is seen: both stand over each. */
export function isScattered({ order, in: inputs, column }: Arrangement): boolean {
  return order !== undefined && inputs > 1 && column !== GROUP;
}

function outputAndInput({ corner = [0, 0], in: inputs }: Arrangement, kernel: number): string {
  return `${corner[0] + Math.floor(kernel / inputs)},${corner[1] + (kernel % inputs)}`;
}

export function columnText(a: Arrangement, column: number): string {
  const kernel = kernelAt(a, 0, column);
  if (isScattered(a)) return outputAndInput(a, kernel);
  const { one, first, names } = columnsOf(a);
  const name = names?.[first + kernel];
  return name ? shortened(name, nameRoom(a)) : `${one} ${first + kernel}`;
}

function longestColumnText(a: Arrangement): string {
  if (isScattered(a)) return outputAndInput(a, a.out * a.in - 1);
  const { one, first, names } = columnsOf(a);
  if (!names?.length) return `${one} ${first + a.columns - 1}`;
  return "m".repeat(Math.min(nameRoom(a), Math.max(...names.map((name) => name.length))));
}

/** Where kernel o·in + i is in the matrix. */
export function placeOf(a: Arrangement, kernel: number): { row: number; column: number } {
  const place = a.position ? a.position[kernel] : kernel;
  return { row: Math.floor(place / a.columns), column: place % a.columns };
}

export function blockOf(a: Arrangement, kernel: number): Rect {
  const { row, column } = placeOf(a, kernel);
  return blockAt(a, row, column);
}

export function blockAt(a: Arrangement, row: number, column: number): Rect {
  const band = Math.floor(column / a.perBand);
  const k = column - band * a.perBand;
  return {
    x: a.left + k * (a.blockWidth + a.gap),
    y: PAD + band * a.bandHeight + COL_LABEL + row * a.pitch,
    width: a.blockWidth,
    height: a.blockHeight,
  };
}

/** The row and the first column of a line of kernels in a strip. */
export function stripAt({ rowsCut, bands, perBand }: Arrangement, strip: number, line = 0) {
  return rowsCut
    ? { row: Math.floor(strip / bands), column: (strip % bands) * perBand }
    : { row: line, column: strip * perBand };
}

export function kernelAt(a: Arrangement, row: number, column: number): number {
  const place = row * a.columns + column;
  return a.order ? a.order[place] : place;
}

/** The rectangle of function f = ((o·in + i)·kh + row)·kw + column. */
export function rectOf(a: Arrangement, f: number): Rect {
  const kernel = Math.floor(f / (a.kh * a.kw));
  const { x, y } = blockOf(a, kernel);
  const [row, column] = [Math.floor(f / a.kw) - kernel * a.kh, f % a.kw];
  const [right, down] = [a.across + a.cellGap, a.cell + a.cellGap];
  return { x: x + column * right, y: y + row * down, width: a.across, height: a.cell };
}

/** The function whose cell holds the point, or -1 between cells. */
export function cellAt(a: Arrangement, x: number, y: number): number {
  const strip = Math.floor((y - PAD) / a.bandHeight);
  if (strip < 0 || strip >= a.strips) return -1;
  const inX = x - a.left;
  const inY = y - PAD - strip * a.bandHeight - COL_LABEL;
  if (inX < 0 || inY < 0) return -1;
  const k = Math.floor(inX / (a.blockWidth + a.gap));
  const line = Math.floor(inY / (a.blockHeight + a.gap));
  const { row: r, column: first } = stripAt(a, strip, line);
  const column = first + k;
  if (k >= a.perBand || column >= a.columns || r >= a.rows) return -1;
  const dx = inX - k * (a.blockWidth + a.gap);
  const dy = inY - line * (a.blockHeight + a.gap);
  if (dx >= a.blockWidth || dy >= a.blockHeight) return -1;
  const [right, down] = [a.across + a.cellGap, a.cell + a.cellGap];
  const [col, row] = [Math.floor(dx / right), Math.floor(dy / down)];
  if (dx - col * right >= a.across || dy - row * down >= a.cell) return -1;
  return (kernelAt(a, r, column) * a.kh + row) * a.kw + col;
}

/** The kernels with a part inside the rectangle, in reading order. */
export function kernelsWithin(a: Arrangement, view: Rect): number[] {
  const kernels: number[] = [];
  const clamp = (v: number, hi: number) => Math.max(0, Math.min(hi, v));
  const pitchX = a.blockWidth + a.gap;
  const pitchY = a.blockHeight + a.gap;
  const left = view.x - a.left;
  const k0 = clamp(Math.floor(left / pitchX), a.perBand);
  const k1 = clamp(Math.ceil((left + view.width) / pitchX), a.perBand);
  const s0 = clamp(Math.floor((view.y - PAD) / a.bandHeight), a.strips);
  const s1 = clamp(Math.ceil((view.y + view.height - PAD) / a.bandHeight), a.strips);
  const lines = a.rowsCut ? 1 : a.rows;
  for (let strip = s0; strip < s1; strip++) {
    const top = view.y - PAD - strip * a.bandHeight - COL_LABEL;
    const r0 = clamp(Math.floor(top / pitchY), lines);
    const r1 = clamp(Math.ceil((top + view.height) / pitchY), lines);
    for (let r = r0; r < r1; r++) {
      const { row, column: first } = stripAt(a, strip, r);
      for (let column = first + k0; column < Math.min(first + k1, a.columns); column++) {
        kernels.push(kernelAt(a, row, column));
      }
    }
  }
  return kernels;
}

export type Direction = "left" | "right" | "up" | "down";

/** The step that each direction makes. */
export const STEPS: Record<Direction, [across: number, down: number]> = {
  left: [-1, 0],
  right: [1, 0],
  up: [0, -1],
  down: [0, 1],
};

export function indexWithin(place: number, count: number): number {
  return Math.max(0, Math.min(count - 1, Math.floor(place)));
}
