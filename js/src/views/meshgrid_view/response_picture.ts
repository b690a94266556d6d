/** Which image a layer is shown, what it makes of it, the patch that is looked at, and where all of it lies. */

import { maxIndex, range, sum } from "d3-array";
import { firstShown } from "../../phi/curves.ts";
import { selectionOf } from "../../phi/entries.ts";
import type { Rect } from "../../phi/geometry.ts";
import { type Images, imageAt, mapsOf, rangeOf } from "../../phi/images.ts";
import { offersObserving } from "../../phi/inputs.ts";
import { heldScale, type Keep } from "../../phi/memory.ts";
import { mostOf, niceCeil, type Reach, reachOf } from "../../phi/ranges.ts";
import {
  type Grid,
  outputOf,
  patchAt,
  patchOf,
  respond,
  type Swept,
  sourcesOf,
  sweep,
  workPerOutput,
} from "../../phi/response.ts";
import type { Given } from "../../scene/drawing.ts";
import { KEY_HEIGHT } from "../../scene/heat.ts";
import { cellOf } from "../../scene/regions.ts";
import type { LayerLayout, Observed, Store } from "../../wire/types.ts";
import { type Input, type MeshGiven, type Settings, takesImage } from "./settings.ts";

export type Source = ReturnType<typeof sourceOf>;
export type Response = ReturnType<typeof responseOf>;
export type ResponseLayout = ReturnType<typeof layOutResponse>;

/** What can be said where there is no Python to ask. */
const NOT_OBSERVED = "What reaches this layer was not observed before this was saved.";

/** How to see the response of a layer that was not observed; where there is no Python, that it was not. */
export function howToObserve(store: Store, layer: string): string {
  if (store.alone()) return NOT_OBSERVED;
  const { message } = store.batch();
  const how = offersObserving(store, layer)
    ? "Press “observe a batch” to see the response to the last batch of the training."
    : "Call live.observe(batch) to see the response to a batch.";
  return message ? `${how} (${message})` : how;
}

const OTHERWISE = "“draw” above takes an input of your own.";

export function sourceOf(
  layer: LayerLayout,
  observed: Observed | null,
  given: Images | null,
  drawing: Images,
  blank: { ground: number; ink: number },
  settings: Settings,
  how = "Call live.observe(batch) to see the response to a batch.",
) {
  const maps = mapsOf(observed);
  const name = layer.name || layer.type;
  const direct = takesImage(layer, observed);
  const choices: Input[] = direct ? ["images", "drawn"] : ["observed", "drawn"];
  if (direct && maps) choices.splice(1, 0, "observed");
  const input = choices.includes(settings.input) ? settings.input : choices[0];
  const images = input === "images" ? given : input === "observed" ? maps : null;
  const count = images?.count ?? 0;
  const sample = Math.min(settings.sample, Math.max(0, count - 1));
  const notes: string[] = [];
  let missing = "";
  let image: Images | null = null;
  let range: [number, number] = [blank.ground, blank.ink];
  if (direct === false)
    notes.push(`the input of ${name} is not the image but what the model computes from it`);
  else if (direct === null) notes.push(`what reaches ${name} in the model was not observed`);
  if (input === "drawn") image = drawing;
  else if (images) {
    image = imageAt(images, sample);
    range = rangeOf(image.data);
  } else {
    const unseen =
      direct === null
        ? `Whether ${name} gets the image itself or something computed from it is not known yet.`
        : `The input of ${name} is not the image itself.`;
    missing =
      input === "observed"
        ? `${how} ${OTHERWISE} ${unseen}`
        : how === NOT_OBSERVED
          ? `There are no images here. ${OTHERWISE}`
          : "There are no images: give some with images=...";
  }
  const channels = layer.conv && !layer.conv.shared ? layer.shape[1] * layer.conv.groups : 1;
  if (image && image.channels === 1 && channels > 1)
    notes.push(`the same image in all ${channels} channels`);
  return {
    /** What can be chosen for this layer, the usual one first; and what is. */
    ...{ choices, input },
    /** Null where there is none yet; `missing` then says why. */
    ...{ image, missing },
    /** The images to choose from, how many, and which is shown. */
    ...{ images, count, sample },
    /** Black and white of the picture. */
    range,
    /** What the reader must know about the input. */
    note: notes.join(" · "),
  };
}

export const MOST_THUMBNAILS = 64;

/** One pixel of a response. */
export interface OutputPixel {
  output: number;
  row: number;
  column: number;
}

/** Additions and multiplications that all maps of one frame may take together; beyond, fewer maps are drawn. */
const BUDGET = 3e7;
/** Beside other views more maps are too small: one is drawn there, that of the function shown. */
const MOST_BESIDE = 8;

function mapsFor({ frame, settings }: MeshGiven, swept: Swept, alone: number, keep: Keep) {
  // All that the budget allows, or one.
  const limit = Math.max(1, Math.floor(BUDGET / Math.max(1, workPerOutput(swept))));
  const { output } = settings;
  const single = output >= 0 && output < swept.outputs ? output : alone;
  const outputs = single >= 0 ? [single] : range(Math.min(swept.outputs, limit));
  const [grids, reaches] = keep("grids", [frame, swept, single], () => {
    const made = outputs.map((k): [number, Grid] => [k, respond(frame, swept, k)]);
    return [new Map(made), made.map(([, { data }]) => reachOf(data))] as const;
  });
  const reach: Reach = {
    low: Math.min(...reaches.map(({ low }) => low)),
    high: Math.max(...reaches.map(({ high }) => high)),
    broken: sum(reaches, ({ broken }) => broken),
  };
  return { outputs, grids, reach, single };
}

interface Sought {
  source: Source;
  swept: Swept;
  grids: Map<number, Grid>;
  /** The output that is looked at by itself. */
  like: number;
  pinned: OutputPixel | null;
}

/** The pixel pointed at; else the one that was kept; else one that this layer answers to most. */
function placeFor(given: Given, { source, swept, grids, like, pinned }: Sought, keep: Keep) {
  const cell = cellOf(given.pointed.id);
  const output = Number(cell?.name.match(/^map\/(\d+)$/)?.[1] ?? -1);
  if (cell && grids.has(output)) {
    return { place: { output, row: cell.row, column: cell.column }, by: "pointer" } as const;
  }
  const { width, height, outputs } = swept;
  if (pinned && pinned.row < height && pinned.column < width && pinned.output < outputs) {
    return { place: pinned, by: "click" } as const;
  }
  const find = () => strongest(grids.get(like), like);
  if (source.input === "drawn")
    return { place: keep("strongest", [swept, like], find), by: "itself" } as const;
  // Found once for an image, so that it does not jump while training, nor when the page is loaded again.
  const name = `pixel of ${swept.layer.name}, output ${like}`;
  // Other images may come in their place; inputs observed are others with every step.
  const which = source.input === "images" ? sum(source.image?.data ?? []) : 0;
  const of = [source.sample, width, height, which];
  const held = given.store.held(name);
  if (held && of.every((part, k) => part === held[k]))
    return { place: { output: like, row: held[4], column: held[5] }, by: "itself" } as const;
  const place = find();
  given.store.hold(name, [...of, place.row, place.column]);
  return { place, by: "itself" } as const;
}

/** Everything that the pictures of a response are made from. */
export function responseOf(
  given: Given,
  drawn: MeshGiven,
  { source, image, pinned }: { source: Source; image: Images; pinned: OutputPixel | null },
  keep: Keep,
) {
  const [{ frame, layer }, { store }] = [drawn, given];
  const swept = keep("swept", [layer, source], () => sweep(layer, image));
  const selection = store.selection()?.layer === layer.name ? store.selection() : null;
  // Where nothing is selected, that of the function which the views beside it show.
  const shown = selection ?? selectionOf({ ...layer, window: null }, firstShown(store, layer).f);
  const own = outputOf(swept, shown);
  const isCrowded = given.room !== undefined && swept.outputs > MOST_BESIDE;
  const { single, ...maps } = mapsFor(drawn, swept, isCrowded ? own : -1, keep);
  const sought = { source, swept, ...maps, like: single >= 0 ? single : own, pinned };
  const { place, by } = placeFor(given, sought, keep);
  const kernels = sourcesOf(swept, place.output);
  const kernel = kernels.find((one) => one.in === shown.in) ?? kernels[0];
  const inputs = patchAt(swept, place.row, place.column, kernel.channel);
  const patch = patchOf(frame, layer, kernel, inputs, swept.border !== null, 48);
  const scale = (name: string, of: number, reached: number) =>
    heldScale(keep, name, [layer, of], store.cursor() >= 0, reached);
  const most = scale("colours", single, niceCeil(mostOf(maps.reach)));
  patch.most = scale("functions", kernel.in, patch.most);
  return { source, image, swept, ...maps, most, selection, place, by, kernel, patch };
}

/** The pixel at which a response is farthest from zero. */
function strongest(grid: Grid | undefined, output: number): OutputPixel {
  const { width, data } = grid ?? { width: 1, data: [] };
  const best = Math.max(
    0,
    maxIndex(data, (value) => (Number.isFinite(value) ? Math.abs(value) : undefined)),
  );
  return { output, row: Math.floor(best / width), column: best % width };
}

/** The largest side of the input and of the patch. */
const LARGEST_SIDE = 260;
const PAD = 8;
const COLUMN_GAP = 20;
/** The height of a title, and of a label above a map. */
const TITLE = 22;
const LABEL_HEIGHT = 15;
const MAP_GAP = 8;
/** Smaller maps go on below what is seen, but for those in a row, where all is seen at once. */
const SMALLEST_MAP = { usual: 36, row: 20 };
const LOW_HEIGHT = 330;
/** Of a wide page the functions of the kernel have at least this share, and no more than these pixels. */
const PATCH = { share: 0.27, most: 400 };
/** Below these widths the responses need the room more than the input does, which is so large. */
const [SMALL_WIDTH, TIGHT_WIDTH, ROOMY_WIDTH] = [340, 560, 1100];
/** Pixels across of one of the images to choose from, and of the smallest where all are to stand in a row. */
const THUMBNAIL = { usual: 22, least: 16, gap: 3 };
/** Width of the key of colours beside the words. */
const ROW_KEY = 110;
/** Pixels of a line of the words below the patch, and of all of them in one line. */
const LINE_HEIGHT = 15;
const FOOT_WIDTH = 680;

/** Side by side where there is room. `images` is how many thumbnails there are. */
export function layOutResponse(
  width: number,
  most: number,
  outputs: readonly number[],
  swept: Swept,
  image: { width: number; height: number },
  { count: images, sample }: { count: number; sample: number },
) {
  const inner = width - 2 * PAD;
  // Where there is little height, all stand side by side from a lesser width on.
  const isLow = most < LOW_HEIGHT;
  const columns = inner >= (isLow ? 240 : 440) ? 3 : 2;
  const isSmall = columns === 3 && inner < SMALL_WIDTH;
  const usual = inner < TIGHT_WIDTH ? 97 : inner < ROOMY_WIDTH ? 176 : LARGEST_SIDE;
  const [gap, input] = isSmall ? [12, 84] : [COLUMN_GAP, usual];
  const top = TITLE + 2;
  const spared = top + 10 + KEY_HEIGHT + PAD;
  // In a small row the words stand under the images, too.
  const listed = images > 1 ? THUMBNAIL.usual + 6 : 0;
  const taken = isSmall ? spared + listed : isLow && columns < 3 ? 70 + KEY_HEIGHT : 60;
  const tallest = Math.max(isSmall ? 56 : 72, Math.min(LARGEST_SIDE, most - taken));
  const column = Math.floor((inner - (columns - 1) * gap) / columns);
  const half = Math.min(column, Math.max(120, Math.floor((most - 120) / 3)));
  const side = Math.min(tallest, columns === 2 ? half : Math.min(column, input));
  const share = Math.min(PATCH.most, Math.round(PATCH.share * inner));
  // Under a row stand the key of colours and, beside it, two lines of words.
  const footX = isSmall ? PAD : PAD + side + gap;
  const footed = PAD + inner - footX - ROW_KEY - gap;
  const larger = Math.max(isLow ? Math.min(side, 240) : side, share);
  const patched = isLow ? Math.min(larger, most - spared) : larger;
  const beside = inner - side - gap;
  const room = columns < 3 ? inner : beside - patched - gap;
  const scale = side / Math.max(image.width, image.height, 1);
  const [wide, high] = [image.width, image.height].map((size) => Math.round(size * scale));
  const picture = { x: PAD, y: top, width: wide, height: high };
  const thumbnails = images > 1 ? strip(picture, side, images, sample, isLow) : null;
  const pictured = thumbnails ? bottomOf(thumbnails.box) : bottomOf(picture);
  const isRow = columns === 3 && isLow;
  const under = pictured + (isRow ? 0 : 10 + KEY_HEIGHT);

  const [, , kh, kw] = swept.layer.shape;
  // In two columns the patch and its words stand beside the input, and the maps, which are looked at, above both.
  const worded = top + side + 16 + LINE_HEIGHT * Math.ceil(FOOT_WIDTH / column) - 7;
  const left = PAD + (columns < 3 ? 0 : side + gap);
  const lowerRow = columns < 3 ? Math.max(under, worded) : 0;
  const spare = isRow ? spared : columns === 2 ? lowerRow + top + 2 * PAD : isLow ? 28 : 80;
  const tall = Math.max(isLow || columns === 2 ? 0 : LARGEST_SIDE, most - spare);
  const maps = placeMaps(outputs, swept, room, tall, {
    left,
    top,
    least: isRow ? SMALLEST_MAP.row : SMALLEST_MAP.usual,
  });
  const mapsEnd = Math.max(...[...maps.values()].map(bottomOf));
  const down = columns < 3 ? mapsEnd + 8 : 0;
  const lower = (box: Rect) => ({ ...box, y: box.y + down });

  const mapsRight = Math.max(...[...maps.values()].map(({ x, width }) => x + width));
  const cellX = columns === 3 ? mapsRight + gap : PAD + column + gap;
  // What maps leave free makes the functions larger, as far down as the maps reach.
  const free = Math.min(PATCH.most, PAD + inner - cellX, mapsEnd - top - 2 * LINE_HEIGHT - 16);
  const whole = columns < 3 ? Math.min(side, 240) : isLow ? patched : Math.max(patched, free);
  const cell = Math.max(18, Math.floor((whole + 3) / Math.max(kh, kw)) - 3);
  const cells = {
    x: cellX,
    y: top + down,
    width: kw * (cell + 3) - 3,
    height: kh * (cell + 3) - 3,
  };
  // One row of maps leaves room under all for the words, which a narrow patch has not.
  const end = Math.max(mapsEnd, bottomOf(cells), isSmall ? pictured : 0);
  const foot = isRow
    ? { x: footX, y: end + 18, width: footed }
    : {
        x: cellX,
        y: bottomOf(cells) + 16,
        width: Math.max(columns < 3 ? column : side, cells.width),
      };
  return {
    image: lower(picture),
    thumbnails: thumbnails && { ...thumbnails, box: lower(thumbnails.box) },
    /** Left end, top and width of the key of colours. */
    key: isRow
      ? ([PAD + inner - ROW_KEY, foot.y - 8, ROW_KEY] as const)
      : ([PAD, pictured + 10 + down, side] as const),
    maps,
    /** Whether each map has its name above it. */
    labelled: outputs.length > 1,
    /** The kernel's cells. */
    cells,
    /** Whether each of the words has one line, and is no longer. */
    isRow,
    /** Left ends and baselines of the titles, and the width below the patch. */
    titles: {
      input: [PAD, 14 + down] as const,
      response: [left, 14] as const,
      patch: [cellX, 14 + down] as const,
    },
    foot,
    width,
    height: Math.ceil(
      PAD +
        (isRow
          ? Math.max(pictured, foot.y - 8 + KEY_HEIGHT)
          : Math.max(
              under + down,
              mapsEnd,
              foot.y + LINE_HEIGHT * Math.ceil(FOOT_WIDTH / foot.width) - 7,
            )),
    ),
  };
}

function bottomOf({ y, height }: Rect): number {
  return y + height;
}

/** The images to choose from, under the one shown: in rows alike, or in low room those around it in one row. */
function strip(picture: Rect, room: number, count: number, sample: number, isLow: boolean) {
  const { usual, least, gap } = THUMBNAIL;
  const across = (size: number) => Math.max(1, Math.floor((room + gap) / (size + gap)));
  const lines = isLow || count <= across(least) ? 1 : Math.ceil(count / across(usual));
  const columns = Math.min(Math.ceil(count / lines), across(lines > 1 ? usual : least));
  const size = Math.min(usual, Math.floor((room + gap) / columns) - gap);
  const [width, height] = [columns, lines].map((n) => n * (size + gap) - gap);
  const box = { x: PAD, y: bottomOf(picture) + 6, width, height };
  const middle = sample - Math.floor(columns / 2);
  /** The number of the first: all that there is no room for are left out. */
  const first = lines > 1 ? 0 : Math.max(0, Math.min(count - columns, middle));
  return { box, rows: lines, columns, gap, first };
}

/** The maps of these outputs, one after another, as large as fits the height; small ones go on below it. */
function placeMaps(
  outputs: readonly number[],
  swept: Swept,
  room: number,
  tallest: number,
  { left, top, least }: { left: number; top: number; least: number },
): Map<number, Rect> {
  const shape = swept.height / swept.width;
  const count = outputs.length;
  const label = count > 1 ? LABEL_HEIGHT : 0;
  const { across, size } = bestMaps(count, shape, { room, tallest, label, least });
  const height = Math.round(size * shape);
  const placed = outputs.map((output, k): [number, Rect] => {
    const x = left + (k % across) * (size + MAP_GAP);
    const y = top + Math.floor(k / across) * (height + label + 4) + label;
    return [output, { x, y, width: size, height }];
  });
  return new Map(placed);
}

function bestMaps(
  count: number,
  shape: number,
  { room, tallest, label, least }: { room: number; tallest: number; label: number; least: number },
) {
  const wideFor = (across: number) => Math.floor((room - (across - 1) * MAP_GAP) / across);
  const highFor = (across: number) => tallest / Math.ceil(count / across) - label - 4;
  const sizeFor = (across: number) =>
    Math.min(wideFor(across), Math.floor(highFor(across) / shape));
  const best = 1 + maxIndex(range(1, count + 1), sizeFor);
  if (sizeFor(best) >= least) return { across: best, size: sizeFor(best) };
  const across = Math.max(1, Math.floor((room + MAP_GAP) / (SMALLEST_MAP.usual + 20 + MAP_GAP)));
  return { across, size: wideFor(across) };
}
