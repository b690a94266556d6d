/** Puts the parts of the drawing of one layer together. No DOM. */

import type { Mark } from "../../scene/marks.ts";
import type { Region } from "../../scene/regions.ts";
import { wrapped } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import { barsBlock, fewRows, type Row, rowsIn, rowsOf, type Stand, standOf } from "./bars.ts";
import { type Block, GAP, LINE, line, PAD, SIZE } from "./block.ts";
import { classesBlock } from "./classes.ts";
import type { Content, Part } from "./content.ts";
import { boxIn, imageBlock, mapBlock, type Plate, tilesBlock } from "./pictures.ts";

/** From this width on the bars stand beside the pictures. */
const BESIDE = 620;
/** Share of the width for the pictures, and how large each of the two may be. */
const PICTURES = 0.45;
const [LEAST, LARGEST] = [110, 260];
/** Columns narrower than this have no room for words and bars. */
const TIGHT = 150;
const COLUMN_GAP = 28;
/** Without pictures the scores of the classes are a column of this width. */
const SCORES = 220;
/** Height for small maps where the bars come below them. */
const TWO_ROWS = 230;
/** In an overview of all layers pictures are no larger than this, and one layer takes at least this height. */
const SMALL = 140;
const SHORT = 150;
const BRIEF_BESIDE = 560;

export interface Section {
  marks: Mark[];
  regions: Region[];
  rows: Row[];
  stand: Stand;
  bottom: number;
  /** Heights at which nothing is cut. */
  cuts: number[];
}

/** What a section is drawn from. */
export interface Shown {
  content: Content;
  part: Part;
  /** null where the input is no image. */
  plate: Plate | null;
  selected: number;
  top: number;
  width: number;
  theme: Theme;
}

/** Makes a block at a place, so wide. */
type Maker = (at: readonly [number, number], width: number) => Block | null;

function sideOf(plate: Plate, width: number, largest: number): number {
  const narrow = width < BESIDE;
  const share = ((narrow ? width - 2 * PAD : PICTURES * width) - GAP) / 2;
  const side = Math.max(narrow ? 16 : LEAST, Math.min(largest, share));
  const box = boxIn(plate.image, Math.floor(side));
  return Math.max(box.width, box.height);
}

/** One layer with all there is to say of it. */
export function sectionOf(shown: Shown): Section {
  const { content, part, plate, selected, top, width, theme } = shown;
  const narrow = width < BESIDE;
  const whole = width - 2 * PAD;
  const side = plate ? sideOf(plate, width, LARGEST) : narrow ? whole : SCORES;
  // Two columns under the pictures, or all in one where those would be too small to read.
  const tight = plate !== null && narrow && side < TIGHT;
  const left: Block[] = [];
  const y = 4;
  let [under, right] = [y, PAD];
  /** Stacks blocks below each other, and returns where the next one would come. */
  const stack = (x: number, from: number, wide: number, ...makers: (Maker | null)[]) => {
    let at = from;
    for (const make of makers) {
      const block = make?.([x, at], wide);
      if (!block) continue;
      left.push(block);
      under = Math.max(under, block.bottom);
      at = block.bottom + 12;
      right = x + wide;
    }
  };
  const classes: Maker = (at, wide) => classesBlock(content, at, wide, theme);
  const image: Maker | null = plate && ((at, wide) => imageBlock(plate, at, wide, theme));
  const map: Maker | null =
    plate && ((at, wide) => mapBlock(plate, part, selected, at, wide, theme));
  const room = narrow ? TWO_ROWS : Number.POSITIVE_INFINITY;
  const tiles: Maker | null =
    plate && ((at, wide) => tilesBlock(plate, part, at, wide, room, theme));
  const second = PAD + side + GAP;
  stack(PAD, y, side, image, tight ? null : classes);
  stack(second, y, side, map, tight ? null : tiles);
  if (tight) stack(PAD, under + 12, whole, classes, tiles);
  const rows = rowsOf(part, top, selected);
  const beside = right > PAD && !narrow;
  const from: [number, number] = beside
    ? [right + COLUMN_GAP, y]
    : [PAD, right > PAD ? under + GAP : y];
  const rest = width - PAD - from[0];
  return together([...left, barsBlock(part, rows, selected, from, rest, theme)], rows, rest);
}

/** One of several layers below each other: a heading, two pictures, and the bars that fit beside them. */
export function briefOf(shown: Shown, y: number, first: boolean): Section {
  const { content, part, plate, selected, top, width, theme } = shown;
  const { colours } = theme;
  const marks: Mark[] = [line(PAD, y, part.layer, colours.ink, { weight: 600, size: SIZE + 1 })];
  let at = y + LINE + 2;
  for (const words of wrapped(part.sentence, width - 2 * PAD, SIZE)) {
    marks.push(line(PAD, at, words, colours.ink));
    at += LINE;
  }
  at += 4;
  const narrow = width < BRIEF_BESIDE;
  const side = plate ? sideOf(plate, width, SMALL) : SCORES;
  const blocks: Block[] = [];
  let [under, right] = [at, PAD];
  const add = (block: Block | null) => {
    if (!block) return;
    blocks.push(block);
    under = Math.max(under, block.bottom);
    right += side + GAP;
  };
  if (plate) {
    if (first) add(imageBlock(plate, [right, at], side, theme));
    add(mapBlock(plate, part, selected, [right, at], side, theme));
    if (!first && right > PAD) add(tilesBlock(plate, part, [right, at], side, under - at, theme));
  } else if (first) add(classesBlock(content, [right, at], side, theme));
  const beside = right > PAD && !narrow;
  const from: [number, number] = beside
    ? [right + COLUMN_GAP - GAP, at]
    : [PAD, right > PAD ? under + GAP : at];
  const room = width - PAD - from[0];
  const height = beside ? Math.max(SHORT, under - at) : SHORT;
  const rows = fewRows(part, top, selected, rowsIn(height, room));
  const bars = barsBlock(part, rows, selected, from, room, theme);
  const section = together([...blocks, bars], rows, room);
  return { ...section, marks: [...marks, ...section.marks] };
}

function together(blocks: Block[], rows: Row[], room: number): Section {
  const bottom = Math.max(...blocks.map((block) => block.bottom)) + PAD;
  return {
    marks: blocks.flatMap((block) => block.marks),
    regions: blocks.flatMap((block) => block.regions),
    rows,
    stand: standOf(rows.length, room),
    bottom,
    cuts: [...cutsOf(blocks), bottom],
  };
}

/** Air under each row. */
const AIR = 1;

/** Heights that lie in no row and in no picture of any block. */
function cutsOf(blocks: readonly Block[]): number[] {
  const spans = blocks.flatMap(({ regions: [region], top, bottom }) => {
    const { name, box, rows, gap = 0 } = region;
    if (name === "image" || name === "map") return [[top, bottom]];
    const pitch = (box.height + gap) / rows;
    return Array.from({ length: rows }, (_, k) => {
      const end = box.y + (k + 1) * pitch - Math.max(gap, AIR);
      // The heading belongs to the first row, and words below to the last.
      return [
        k === 0 ? top : box.y + k * pitch,
        k === rows - 1 ? Math.max(end, bottom - AIR) : end,
      ];
    });
  });
  const ends = spans.map(([, end]) => end).sort((a, b) => a - b);
  return ends.filter((end) => spans.every(([from, to]) => end <= from || end >= to));
}
