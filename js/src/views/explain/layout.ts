/** Puts the parts of the drawing of one layer together. */

import { PAD } from "../../phi/geometry.ts";
import { classesBlock, listBlock, planOf } from "./bars.ts";
import { type Block, type BlockStyle, boxIn, GAP, type Plate, type Span, spanOf } from "./block.ts";
import { type Chosen, type LayerShares, shareMap } from "./content.ts";
import { curvesBlock, imageBlock, mapBlock, mapsBlock } from "./pictures.ts";
import { type List, listsOf, type Row } from "./rows.ts";

/** From this width on things stand beside the pictures. */
const WIDTH_BESIDE = 620;
/** Share of the width for the pictures, and how large each of the two may be. */
const PICTURES_SHARE = 0.5;
const [SMALLEST_SIDE, LARGEST_SIDE] = [110, 196];
const COLUMN_GAP = 28;
/** Pixels of a picture, and of scores beside two of them, where all else stands below. */
const SMALL_SIDE = 150;
const LEAST_SCORES = 160;
/** Width of the scores of the classes where they are a column. */
const SCORES_WIDTH = 260;
/** So wide, two lists stand beside each other. */
const WIDTH_OF_TWO_LISTS = 660;
/** So wide, scores stand beside bars, over five functions; pictures leave that room. */
const ROOM_FOR_SCORES = 448;
/** Rows of the first list whose maps stand beside each other. */
const MOST_MAPS = 5;
/** Channels or outputs that have a row: all is to be seen in a laptop's window. */
const [MOST_GROUPS, FEW_GROUPS] = [8, 6];
const TOP = 4;

export type Section = ReturnType<typeof together>;

export interface Shown extends Chosen, Omit<BlockStyle, "span"> {
  /** Whether another layer, with the image and the classes, stands above it. */
  below: boolean;
  top: number;
  width: number;
}

function sideOf(plate: Plate, { part, width }: Shown): number {
  const narrow = width < WIDTH_BESIDE;
  const inside = width - 2 * PAD;
  const isSmall = narrow && inside >= 2 * (SMALL_SIDE + GAP) + LEAST_SCORES;
  const left = inside - COLUMN_GAP - ROOM_FOR_SCORES;
  const isOver = part.kind === "functions" && left >= 2 * SMALLEST_SIDE + GAP;
  const share = isOver ? left : PICTURES_SHARE * width;
  const most = isSmall ? SMALL_SIDE : ((narrow ? inside : share) - GAP) / 2;
  const side = Math.max(narrow ? 16 : SMALLEST_SIDE, Math.min(LARGEST_SIDE, most));
  const box = boxIn(plate.image, Math.floor(side));
  return Math.max(box.width, box.height);
}

/** The one scale of a layer's maps, that of the large one; cut where any of them goes beyond it. */
function spanFor(part: LayerShares, shown: number, lists: readonly List[]): Span {
  const large = shareMap(part, shown) ?? part.total;
  if (!large) return spanOf([]);
  const span = spanOf([large]);
  const beyond = ({ map }: Row) => map?.data.some((value) => Math.abs(value) > span.most) ?? false;
  return { ...span, cut: span.cut || lists.some(({ rows }) => rows.some(beyond)) };
}

/** One layer with all there is to say of it. */
export function sectionOf(shown: Shown): Section {
  const { part, top, selected, width } = shown;
  const most = width < WIDTH_BESIDE ? FEW_GROUPS : MOST_GROUPS;
  const lists = listsOf(part, top, most, selected);
  const page = pageOf(shown, lists);
  if (width < WIDTH_BESIDE) narrow(page);
  else columns(page);
  return together(page.blocks, [...lists, { name: "maps", headings: [], rows: page.mapped }]);
}

/** What the blocks of a section are placed with; each returns the y below it. */
function pageOf(shown: Shown, lists: readonly List[]) {
  const { part, plate, width, theme, below } = shown;
  const drawn: BlockStyle = { ...shown, span: spanFor(shown.part, shown.shown, lists) };
  const blocks: Block[] = [];
  const side = plate ? sideOf(plate, shown) : 0;
  const pictures = (below ? 1 : 2) * (side + GAP) - GAP;
  // Kernels that are shared are those of the first list.
  const own = part.kind === "kernels" && !part.shared ? lists[lists.length - 1] : lists[0];
  const rows = own.rows.filter(({ map }) => map !== null);
  const mapped = plate && rows.length > 1 ? rows.slice(0, MOST_MAPS) : [];
  const left = rows.length - mapped.length;
  const add = (block: Block | null, y: number) => {
    if (block) blocks.push(block);
    return block ? block.bottom + GAP : y;
  };
  return {
    width,
    plate,
    blocks,
    lists,
    mapped,
    /** The image and the large map, in a box so wide; nothing where there is no image. */
    pictures(y: number, wide = pictures) {
      if (!plate) return y;
      const second = below ? PAD : PAD + (wide + GAP) / 2;
      const image = below ? y : add(imageBlock(plate, [PAD, y], side, theme), y);
      return Math.max(image, add(mapBlock(drawn, shown.shown, [second, y], side), y));
    },
    /** Pixels of what stands at the left. */
    left: plate ? pictures : below || part.scores.length < 2 ? 0 : SCORES_WIDTH,
    scores: (x: number, y: number, wide: number) =>
      below ? y : add(classesBlock(drawn, [x, y], wide), y),
    list(list: List, x: number, y: number, wide: number) {
      if (list.name === "curves") return add(curvesBlock(drawn, list, [x, y], wide), y);
      return add(listBlock(drawn, list, planOf(list, wide), [x, y]), y);
    },
    maps(x: number, y: number, wide: number) {
      if (!plate || mapped.length === 0) return y;
      return add(mapsBlock(drawn, plate, mapped, left, [x, y], wide), y);
    },
  };
}

type Page = ReturnType<typeof pageOf>;

/** Under the pictures the functions, then the bars and the scores, unless these have room beside the pictures; the maps last. */
function narrow(page: Page) {
  const { left, lists, width } = page;
  const wide = width - 2 * PAD;
  const room = wide - left - GAP;
  const isBeside = left > 0 && room >= LEAST_SCORES;
  let y = page.pictures(TOP, isBeside ? undefined : wide);
  if (isBeside) y = Math.max(y, page.scores(PAD + left + GAP, TOP, room));
  const functions = lists.filter(({ name }) => name === "curves");
  for (const list of new Set([...functions, ...lists])) y = page.list(list, PAD, y, wide);
  if (!isBeside) y = page.scores(PAD, y, wide);
  page.maps(PAD, y, wide);
}

/** The pictures over the scores, and the lists beside them. */
function columns(page: Page) {
  const { width, lists, plate, left } = page;
  const [first, second] = lists;
  const x = PAD + left + (left > 0 ? COLUMN_GAP : 0);
  const room = width - PAD - x;
  const hasFunctions = second?.name === "curves";
  if (plate && hasFunctions && room >= ROOM_FOR_SCORES) return overFunctions(page, x, room);
  const under = page.scores(PAD, page.pictures(TOP), left);
  const isWide = second && !hasFunctions && room >= WIDTH_OF_TWO_LISTS;
  const wide = isWide ? (room - COLUMN_GAP) / 2 : room;
  const below = page.list(first, x, TOP, wide);
  const [next, from] = isWide ? [x + wide + COLUMN_GAP, TOP] : [x, below];
  const end = second ? Math.max(below, page.list(second, next, from, wide)) : below;
  // The maps stand where there is more room.
  if (plate && !isWide && under < end) page.maps(PAD, under, left);
  else page.maps(x, end, room);
}

/** The pictures over the maps, and beside them bars and scores over two long rows of functions. */
function overFunctions(page: Page, x: number, room: number) {
  const [bars, functions] = page.lists;
  const scored = Math.max(LEAST_SCORES, Math.min(SCORES_WIDTH, room / 3));
  const end = page.scores(x + room - scored, TOP, scored);
  const below = page.list(bars, x, TOP, end > TOP ? room - COLUMN_GAP - scored : room);
  page.list(functions, x, Math.max(end, below), room);
  page.maps(PAD, page.pictures(TOP), page.left);
}

/** `lists`: the maps that stand beside each other are one, too. */
function together(blocks: Block[], lists: readonly List[]) {
  const bottom = Math.max(...blocks.map((block) => block.bottom)) + PAD;
  return {
    marks: blocks.flatMap((block) => block.marks),
    regions: blocks.map((block) => block.region),
    lists,
    bottom,
    /** Heights at which nothing is cut. */
    cuts: [...cutsOf(blocks), bottom],
  };
}

/** Regions that can be cut between their rows. */
const ROWS = new Set(["groups", "bars", "classes", "curves"]);
/** Air under each row. */
const AIR_UNDER_ROW = 1;

/** Heights that lie in no row and in no picture of any block. */
function cutsOf(blocks: readonly Block[]): number[] {
  const spans = blocks.flatMap(({ region, top, bottom }) => {
    if (!ROWS.has(region.name)) return [[top, bottom]];
    const { box, rows, gap = 0 } = region;
    const pitch = (box.height + gap) / rows;
    return Array.from({ length: rows }, (_, k) => {
      const end = box.y + (k + 1) * pitch - Math.max(gap, AIR_UNDER_ROW);
      // The heading belongs to the first row, and words below to the last.
      return [
        k === 0 ? top : box.y + k * pitch,
        k === rows - 1 ? Math.max(end, bottom - AIR_UNDER_ROW) : end,
      ];
    });
  });
  const ends = spans.map(([, end]) => end).sort((a, b) => a - b);
  return ends.filter((end) => spans.every(([from, to]) => end <= from || end >= to));
}
