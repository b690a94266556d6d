/** Puts the parts of the drawing of one layer together. No DOM. */

import type { Mark } from "../../scene/marks.ts";
import type { Region } from "../../scene/regions.ts";
import { wrapped } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import { listBlock, planOf } from "./bars.ts";
import { type Block, GAP, LINE, line, PAD, SIZE } from "./block.ts";
import { classesBlock } from "./classes.ts";
import { type Content, mapOf, mostOf, type Part } from "./content.ts";
import { boxIn, imageBlock, mapBlock, type Plate } from "./pictures.ts";
import { type List, listsOf } from "./rows.ts";
import { fitting, verdictTexts } from "./words.ts";

/** From this width on the lists stand beside the pictures. */
const BESIDE = 620;
/** Share of the width for the pictures, and how large each of the two may be. */
const PICTURES = 0.42;
const [LEAST, LARGEST] = [110, 260];
const COLUMN_GAP = 28;
/** Without pictures the scores of the classes are a column of this width. */
const SCORES = 260;
/** So wide, two lists stand beside each other; else the second comes under the pictures that are so wide. */
const TWO_LISTS = 660;
const UNDER = 330;
/** Channels or outputs that have a row. */
const GROUPS = 25;
/** What is said first is the largest. */
const VERDICT = 17;
const HEAD = VERDICT + 9;
/** In an overview of all layers pictures are no larger than this, and a layer has so many rows. */
const SMALL = 140;
const BRIEF_ROWS = 6;

export interface Section {
  marks: Mark[];
  regions: Region[];
  lists: readonly List[];
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

function sideOf(plate: Plate, width: number, largest: number): number {
  const narrow = width < BESIDE;
  const share = ((narrow ? width - 2 * PAD : PICTURES * width) - GAP) / 2;
  const side = Math.max(narrow ? 16 : LEAST, Math.min(largest, share));
  const box = boxIn(plate.image, Math.floor(side));
  return Math.max(box.width, box.height);
}

/** The largest size on any map of the layer: all have one scale. */
function mostOn({ part, plate, selected }: Shown, lists: readonly List[]): number {
  if (!plate) return 0;
  const maps = [part.total, mapOf(part, selected)];
  for (const { rows } of lists) maps.push(...rows.map(({ map }) => map));
  return Math.max(0, ...maps.map((map) => (map ? mostOf(map.data) : 0)));
}

/** One layer with all there is to say of it. */
export function sectionOf(shown: Shown): Section {
  const { part, plate, selected, top, width, theme } = shown;
  const narrow = width < BESIDE;
  const whole = width - 2 * PAD;
  const lists = listsOf(part, top, GROUPS, selected);
  const most = mostOn(shown, lists);
  const blocks = [verdictBlock(part, 4, whole, theme)];
  const y = 4 + HEAD;
  let left = narrow ? whole : SCORES;
  let under = y;
  if (plate) {
    const side = sideOf(plate, width, LARGEST);
    left = narrow ? whole : 2 * side + GAP;
    const second = narrow ? PAD + (whole + GAP) / 2 : PAD + side + GAP;
    const map = mapBlock(plate, part, selected, most, [second, y], side, theme);
    blocks.push(imageBlock(plate, [PAD, y], side, theme), ...(map ? [map] : []));
    under = Math.max(...blocks.map(({ bottom }) => bottom)) + 12;
  }
  const classes = classesBlock(part, [PAD, under], left, theme);
  if (classes) blocks.push(classes);
  const drawn = plate !== null || classes !== null;
  const beside = drawn && !narrow;
  under = drawn ? Math.max(...blocks.map(({ bottom }) => bottom)) + GAP : y;
  const at: [number, number] = beside ? [PAD + left + COLUMN_GAP, y] : [PAD, under];
  const room = width - PAD - at[0];
  const place = (list: List, [x, from]: [number, number], wide: number) => {
    const plan = planOf(lists, wide, plate);
    blocks.push(listBlock(part, list, plan, selected, [x, from], plate, most, theme));
    return blocks[blocks.length - 1].bottom + GAP;
  };
  const [first, second] = lists;
  const across = second && beside && room >= TWO_LISTS;
  const wide = across ? (room - COLUMN_GAP) / 2 : room;
  const below = place(first, at, wide);
  if (across) place(second, [at[0] + wide + COLUMN_GAP, y], wide);
  else if (second && beside && left >= UNDER) place(second, [PAD, under], left);
  else if (second) place(second, [at[0], below], wide);
  return together(blocks, lists);
}

function verdictBlock(part: Part, y: number, width: number, { colours }: Theme): Block {
  const how = { size: VERDICT, weight: 600 } as const;
  const text = fitting(verdictTexts(part), width, VERDICT, 600);
  const mark: Mark = { kind: "text", x: PAD, y: y + VERDICT - 1, text, fill: colours.ink, ...how };
  return { marks: [mark], regions: [], top: y, bottom: y + HEAD - 4 };
}

/** One of several layers below each other: a heading, two pictures, and the list that adds up. */
export function briefOf(shown: Shown, y: number, first: boolean, step: string): Section {
  const { part, plate, selected, width, theme } = shown;
  const { colours } = theme;
  const whole = width - 2 * PAD;
  const blocks = first ? [verdictBlock(part, y, whole, theme)] : [];
  let at = first ? y + HEAD : y;
  const name = step ? `${part.layer} · ${step}` : part.layer;
  const marks: Mark[] = [line(PAD, at, name, colours.ink, { weight: 600, size: SIZE + 1 })];
  at += LINE + 2;
  for (const words of wrapped(part.sentence, whole, SIZE)) {
    marks.push(line(PAD, at, words, colours.ink));
    at += LINE;
  }
  at += 4;
  const lists = listsOf(part, BRIEF_ROWS, BRIEF_ROWS, selected).slice(0, 1);
  const most = mostOn(shown, lists);
  const side = plate ? sideOf(plate, width, SMALL) : SCORES;
  let right = PAD;
  const add = (block: Block | null) => {
    if (!block) return;
    blocks.push(block);
    right += side + GAP;
  };
  if (plate) {
    if (first) add(imageBlock(plate, [right, at], side, theme));
    add(mapBlock(plate, part, selected, most, [right, at], side, theme));
  } else if (first) add(classesBlock(part, [right, at], side, theme));
  const under = Math.max(at, ...blocks.map(({ bottom }) => bottom));
  const beside = right > PAD && width >= BESIDE;
  const from: [number, number] = beside
    ? [right + COLUMN_GAP - GAP, at]
    : [PAD, right > PAD ? under + GAP : at];
  const plan = planOf(lists, width - PAD - from[0], plate);
  blocks.push(listBlock(part, lists[0], plan, selected, from, plate, most, theme));
  const section = together(blocks, lists);
  return { ...section, marks: [...marks, ...section.marks] };
}

function together(blocks: Block[], lists: readonly List[]): Section {
  const bottom = Math.max(...blocks.map((block) => block.bottom)) + PAD;
  return {
    marks: blocks.flatMap((block) => block.marks),
    regions: blocks.flatMap((block) => block.regions),
    lists,
    bottom,
    cuts: [...cutsOf(blocks), bottom],
  };
}

/** Air under each row. */
const AIR = 1;

/** Heights that lie in no row and in no picture of any block. */
function cutsOf(blocks: readonly Block[]): number[] {
  const spans = blocks.flatMap(({ regions: [region], top, bottom }) => {
    if (!region || region.name === "image" || region.name === "map") return [[top, bottom]];
    const { box, rows } = region;
    const pitch = box.height / rows;
    return Array.from({ length: rows }, (_, k) => {
      const end = box.y + (k + 1) * pitch - AIR;
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
