/** Which image a layer is shown, what it makes of it, the patch that is looked at, and where all of it lies. No DOM. */

import { maxIndex, range } from "d3-array";
import { number } from "../../phi/format.ts";
import type { Rect } from "../../phi/geometry.ts";
import { type Images, imageAt, mapsOf, rangeOf } from "../../phi/images.ts";
import type { Patch } from "../../phi/patch.ts";
import { makeRamp, rampImage } from "../../phi/ramp.ts";
import type { Reach } from "../../phi/ranges.ts";
import { type Grid, type Swept, sourcesOf } from "../../phi/response.ts";
import type { LayerLayout, Observed, Selection, Store } from "../../wire/types.ts";
import { finite, type Input, type Scales, type Settings, takesImage } from "./settings.ts";

export interface Source {
  /** What can be chosen for this layer, the usual one first. */
  choices: Input[];
  input: Input;
  /** Null where there is none yet; `missing` then says why. */
  image: Images | null;
  missing: string;
  /** How many images there are to choose from, and which is shown. */
  count: number;
  sample: number;
  /** The images to choose from. */
  images: Images | null;
  /** Black and white of the picture. */
  range: [number, number];
  /** What the reader must know about the input. */
  note: string;
}

/** The size of a blank to draw on: that of the images the layer gets. */
export interface Blank {
  width: number;
  height: number;
  ground: number;
  ink: number;
}

export function blankFor(images: Images | null, range: readonly [number, number]): Blank {
  const { width, height } = images ?? { width: 28, height: 28 };
  return { width, height, ground: range[0], ink: range[1] };
}

function unseen(name: string, direct: boolean | null): string {
  return direct === null
    ? `Whether ${name} gets the image itself or something computed from it is not known yet.`
    : `The input of ${name} is not the image itself.`;
}

/** What can be said where there is no kernel to ask. */
export const NOT_OBSERVED = "What reaches this layer was not observed before this was saved.";

/** Whether a click can show what reaches a layer: a kernel has a batch, and nobody has looked yet. */
export function offersObserving(store: Store | null, layer: string): boolean {
  return store?.batch().seen === true && !store.alone() && store.observed(layer) === null;
}

/** How to see the response of a layer that was not observed; where there is no kernel, that it was not. */
export function howToObserve(store: Store, layer: string): string {
  if (store.alone()) return NOT_OBSERVED;
  const { message } = store.batch();
  const how = offersObserving(store, layer)
    ? "Press “observe a batch” to see the response to the last batch of the training."
    : "Call live.observe(batch) to see the response to a batch.";
  return message ? `${how} (${message})` : how;
}

const OTHERWISE = "“draw” and “ramp” above take an input of your own.";

export function sourceOf(
  layer: LayerLayout,
  observed: Observed | null,
  given: Images | null,
  drawing: Images,
  blank: Blank,
  settings: Settings,
  how = "Call live.observe(batch) to see the response to a batch.",
): Source {
  const maps = mapsOf(observed);
  const name = layer.name || layer.type;
  const direct = takesImage(layer, observed);
  const choices: Input[] = direct ? ["images", "drawn", "ramp"] : ["observed", "drawn", "ramp"];
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
  else if (direct === null)
    notes.push(
      how === NOT_OBSERVED
        ? `what reaches ${name} in the model was not observed`
        : `what reaches ${name} in the model is not known without live.observe(batch)`,
    );
  if (input === "ramp") {
    image = rampImage(makeRamp(settings.direction, settings.limits, settings.resolution));
    range = settings.limits;
  } else if (input === "drawn") image = drawing;
  else if (images) {
    image = imageAt(images, sample);
    range = rangeOf(image.data);
  } else {
    missing =
      input === "observed"
        ? `${how} ${OTHERWISE} ${unseen(name, direct)}`
        : how === NOT_OBSERVED
          ? `There are no images here. ${OTHERWISE}`
          : "There are no images: give some with images=...";
  }
  const channels = layer.conv && !layer.conv.shared ? layer.shape[1] * layer.conv.groups : 1;
  if (image && image.channels === 1 && channels > 1)
    notes.push(`the same image in all ${channels} channels`);
  return {
    choices,
    input,
    image,
    missing,
    count,
    sample,
    images,
    range,
    note: notes.join(" · "),
  };
}

/** One pixel of a response. */
export interface Place {
  output: number;
  row: number;
  column: number;
}

/** Everything that the pictures of a response are made from. */
export interface Response {
  source: Source;
  image: Images;
  swept: Swept;
  /** The outputs that are drawn. */
  outputs: number[];
  grids: Map<number, Grid>;
  reach: Reach;
  scaleOf(output: number): number;
  scales: Scales;
  selection: Selection | null;
  /** The pixel whose patch is drawn, and how it came to be that. */
  place: Place;
  by: "pointer" | "click" | "itself";
  /** Which kernel and channel the patch is of. */
  kernel: { out: number; in: number; channel: number };
  patch: Patch;
}

export function patchWords({ patch, swept, place, grids }: Response): string[] {
  const part = patch.values?.reduce((a, b) => a + b, 0) ?? 0;
  const total = grids.get(place.output)?.data[place.row * swept.width + place.column] ?? Number.NaN;
  const several = sourcesOf(swept, place.output).length > 1;
  const all = several ? ` · all channels ${finite(total)}` : "";
  const [lo, hi] = patch.range;
  return [
    `row ${place.row}, column ${place.column}: Σ φ = ${finite(part)}, the sum of the dots${all}`,
    `each curve: ${swept.layer.variable} from ${number(lo)} to ${number(hi)}, φ from ${number(-patch.most)} to ${number(patch.most)}`,
  ];
}

/** The largest side of the input and of the patch. */
const LARGEST = 260;
const PAD = 8;
const GAP = 20;
/** The height of a title, and of a label above a map. */
export const TITLE = 22;
const LABEL = 15;
const BETWEEN = 8;
const SMALLEST_MAP = 44;
const LITTLE = 300;
/** Below these widths the responses need the room more than the input does. */
const [TIGHT, ROOMY] = [480, 1100];
const THUMBNAIL = 22;
/** Pixels of a line of the words below the patch, and of all of them in one line. */
const LINE = 15;
const FOOT = 680;

export interface ResponseLayout {
  image: Rect;
  /** The images to choose from, in small; side by side in rows of so many. */
  thumbnails: { box: Rect; rows: number; columns: number; gap: number } | null;
  maps: Map<number, Rect>;
  /** Whether each map has its name above it. */
  labelled: boolean;
  /** The kernel's cells. */
  cells: Rect;
  /** Left ends and baselines of the titles, and the width below the patch. */
  titles: { input: Point; response: Point; patch: Point };
  foot: { x: number; y: number; width: number };
  width: number;
  height: number;
}

type Point = [x: number, y: number];

/** Side by side where there is room. `images` is how many thumbnails there are. */
export function layOutResponse(
  width: number,
  most: number,
  outputs: readonly number[],
  swept: Swept,
  image: { width: number; height: number },
  images: number,
): ResponseLayout {
  const inner = width - 2 * PAD;
  // Where there is little height, all stand side by side from a lesser width on.
  const columns = inner >= (most < LITTLE ? 340 : 560) ? 3 : inner >= 340 ? 2 : 1;
  const tallest = Math.max(96, Math.min(LARGEST, most - 60));
  const column = Math.floor((inner - (columns - 1) * GAP) / columns);
  // In two columns the patch stands below the input, and both are to be seen at once.
  const half = Math.max(120, Math.floor((most - 176) / 2));
  const side = Math.min(
    tallest,
    columns === 3
      ? Math.min(column, inner < TIGHT ? 96 : inner < ROOMY ? 176 : 210)
      : columns === 2
        ? half
        : column,
  );
  const room =
    columns === 3 ? inner - 2 * side - 2 * GAP : columns === 2 ? inner - side - GAP : inner;

  const top = TITLE + 2;
  const scale = side / Math.max(image.width, image.height, 1);
  const picture = {
    x: PAD,
    y: top,
    width: Math.round(image.width * scale),
    height: Math.round(image.height * scale),
  };
  const thumbnails = images > 1 ? strip(PAD, picture.y + picture.height + 6, side, images) : null;
  const under = thumbnails ? bottomOf(thumbnails.box) : bottomOf(picture);

  const [, , kh, kw] = swept.layer.shape;
  const below = columns < 3;
  const left = PAD + (columns === 1 ? 0 : side + GAP);
  const start = columns === 1 ? under + TITLE + 4 : top;
  const tall = Math.max(LARGEST, most - (columns === 2 ? 20 : 80));
  const maps = placeMaps(outputs, swept, room, tall, left, start);
  const mapsEnd = Math.max(...[...maps.values()].map(bottomOf));

  const mapsRight = Math.max(...[...maps.values()].map(({ x, width }) => x + width));
  const cellX = columns === 3 ? mapsRight + GAP : PAD;
  const cellY = columns === 3 ? top : (columns === 1 ? mapsEnd : under) + TITLE + 4;
  const cell = Math.max(18, Math.floor((Math.min(side, 240) + 3) / Math.max(kh, kw)) - 3);
  const cells = { x: cellX, y: cellY, width: kw * (cell + 3) - 3, height: kh * (cell + 3) - 3 };
  const foot = { x: cellX, y: bottomOf(cells) + 16, width: Math.max(side, cells.width) };
  return {
    image: picture,
    thumbnails,
    maps,
    labelled: outputs.length > 1,
    cells,
    titles: {
      input: [PAD, 14],
      response: [left, columns === 1 ? start - 10 : 14],
      patch: [cellX, below ? cellY - 10 : 14],
    },
    foot,
    width,
    height: Math.ceil(
      Math.max(under, mapsEnd, foot.y + LINE * Math.ceil(FOOT / foot.width) - 7) + PAD,
    ),
  };
}

function bottomOf({ y, height }: Rect): number {
  return y + height;
}

function strip(x: number, y: number, room: number, count: number) {
  const gap = 3;
  const columns = Math.min(count, Math.max(1, Math.floor((room + gap) / (THUMBNAIL + gap))));
  const rows = Math.ceil(count / columns);
  const box = {
    x,
    y,
    width: columns * (THUMBNAIL + gap) - gap,
    height: rows * (THUMBNAIL + gap) - gap,
  };
  return { box, rows, columns, gap };
}

/** The maps of these outputs, one after another, as large as fits the height; small ones go on below it. */
function placeMaps(
  outputs: readonly number[],
  swept: Swept,
  room: number,
  tallest: number,
  left: number,
  top: number,
): Map<number, Rect> {
  const shape = swept.height / swept.width;
  const count = outputs.length;
  const label = count > 1 ? LABEL : 0;
  const { across, size } = bestMaps(count, shape, room, tallest, label);
  const pitch = Math.round(size * shape) + label + 4;
  return new Map(
    outputs.map((output, k) => [
      output,
      {
        x: left + (k % across) * (size + BETWEEN),
        y: top + Math.floor(k / across) * pitch + label,
        width: size,
        height: Math.round(size * shape),
      },
    ]),
  );
}

function bestMaps(count: number, shape: number, room: number, tallest: number, label: number) {
  const wideFor = (across: number) => Math.floor((room - (across - 1) * BETWEEN) / across);
  const sizeFor = (across: number) =>
    Math.min(
      wideFor(across),
      Math.floor((tallest / Math.ceil(count / across) - label - 4) / shape),
    );
  const best = 1 + maxIndex(range(1, count + 1), sizeFor);
  if (sizeFor(best) >= SMALLEST_MAP) return { across: best, size: sizeFor(best) };
  const across = Math.max(1, Math.floor((room + BETWEEN) / (SMALLEST_MAP + 12 + BETWEEN)));
  return { across, size: wideFor(across) };
}
