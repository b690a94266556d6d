/** Draws a response: the image, the maps and the patch. No DOM. */

import { outputName } from "../../phi/entries.ts";
import { channelOf, rangeOf } from "../../phi/images.ts";
import type { Patch } from "../../phi/patch.ts";
import { comesFrom, patchRect } from "../../phi/response.ts";
import { greyOf, heatOf } from "../../scene/heat.ts";
import type { Mark, Pixels, Rect } from "../../scene/marks.ts";
import { type Cell, cellBox } from "../../scene/regions.ts";
import { fitted, widthOf, wrapped } from "../../scene/text.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import { patchWords, type Response } from "./response.ts";
import type { ResponseLayout } from "./response_layout.ts";
import { cursorMark, framed, outline, paletteIn } from "./shown.ts";
import type { Source } from "./source.ts";

const WORDS = 11;
const LABEL = 11;

function title(text: string, [x, y]: readonly [number, number], { colours }: Theme): Mark {
  return { kind: "text", x, y, text, fill: colours.ink, size: WORDS, weight: 600 };
}

export function inputMarks(
  { source, image, swept, kernel, place }: Response,
  layout: ResponseLayout,
  pen: Cell | null,
  theme: Theme,
): Mark[] {
  const { image: box } = layout;
  const { colours } = theme;
  const channel = image.channels === 1 ? 0 : Math.min(image.channels - 1, kernel.channel);
  const pixels = greyOf(channelOf(image, 0, channel), image.width, source.range);
  const [sx, sy] = [box.width / image.width, box.height / image.height];
  const on = (r: { row: number; column: number; width: number; height: number }): Rect => ({
    x: box.x + r.column * sx,
    y: box.y + r.row * sy,
    width: r.width * sx,
    height: r.height * sy,
  });
  const patch = on(patchRect(swept, place.row, place.column));
  const marks: Mark[] = [
    title(inputTitle(source, image.channels, channel, box.width + 12), layout.titles.input, theme),
    { kind: "image", box, pixels },
    outline(box, colours.line),
    {
      kind: "group",
      clip: { x: box.x - 1, y: box.y - 1, width: box.width + 2, height: box.height + 2 },
      marks: spot(patch, colours),
    },
  ];
  if (pen) marks.push(...spot(on({ ...pen, width: 1, height: 1 }), colours));
  return [...marks, ...thumbnailMarks(source, layout, colours)];
}

/** A frame that is seen on black and on white. */
function spot(box: Rect, { accent }: Colours): Mark[] {
  return [
    outline(box, "#000000", 3, 0),
    outline(box, "#ffffff", 2, 0),
    outline(box, accent, 1.5, 0),
  ];
}

/** As much of what the input is as fits above it. */
function inputTitle(
  { input, count, sample }: Source,
  channels: number,
  channel: number,
  room: number,
): string {
  const kind = { images: "image", observed: "observed", drawn: "drawing", ramp: "ramp" }[input];
  const which = count > 1 ? ` ${sample + 1}` : "";
  const of = channels > 1 ? ` · channel ${channel}` : "";
  const long = `input: ${kind}${which && `${which} of ${count}`}${of && `${of} of ${channels}`}`;
  const texts = [long, `input: ${kind}${which}${of}`, `${kind}${which}${of}`];
  const fits = (text: string) => widthOf(text, WORDS, 600) <= room;
  return texts.find(fits) ?? fitted(texts[2], room, WORDS, 600);
}

const small = new WeakMap<object, Pixels[]>();

/** The images to choose from: each on its own scale, its first channel. */
function thumbnailMarks(
  { images, sample, count }: Source,
  { thumbnails }: ResponseLayout,
  colours: Colours,
): Mark[] {
  if (!images || !thumbnails) return [];
  const { rows, columns } = thumbnails;
  const shown = Math.min(count, rows * columns);
  let pictures = small.get(images);
  if (!pictures) {
    pictures = Array.from({ length: shown }, (_, k) => {
      const values = channelOf(images, k, 0);
      return greyOf(values, images.width, rangeOf(values));
    });
    small.set(images, pictures);
  }
  const region = { name: "image", words: () => "", ...thumbnails };
  return pictures.flatMap((pixels, k): Mark[] => {
    const box = cellBox(region, Math.floor(k / columns), k % columns);
    const picture: Mark = { kind: "image", box, pixels, opacity: k === sample ? 1 : 0.75 };
    return k === sample ? [picture, ...framed(box, colours.accent, colours)] : [picture];
  });
}

export function mapMarks(response: Response, layout: ResponseLayout, theme: Theme): Mark[] {
  const { outputs, grids, swept, scaleOf, selection, place, by } = response;
  const { colours } = theme;
  const palette = paletteIn(theme);
  const right = Math.max(...Array.from(layout.maps.values(), ({ x, width }) => x + width));
  const words = mapsTitle(response, right - layout.titles.response[0]);
  const marks: Mark[] = [title(words, layout.titles.response, theme)];
  const over: Mark[] = [];
  for (const output of outputs) {
    const box = layout.maps.get(output) as Rect;
    const { data, width, height } = grids.get(output) as {
      data: Float32Array;
      width: number;
      height: number;
    };
    const pixels = heatOf(data, width, scaleOf(output), palette);
    marks.push({ kind: "image", box, pixels }, outline(box, colours.line));
    if (layout.labelled) {
      const chosen = selection !== null && comesFrom(swept, output, selection);
      const fill = chosen ? colours.accent : colours.muted;
      const name = outputName(swept.layer, output);
      const text = widthOf(name, LABEL) <= box.width ? name : String(output);
      marks.push({ kind: "text", x: box.x, y: box.y - 4, text, fill, size: LABEL });
      if (chosen) marks.push(...framed(box, colours.accent, colours));
    }
    // The same pixel in all maps; the one that is read has the stronger mark.
    const mine = output === place.output;
    if (!mine && by === "itself") continue;
    const at = {
      x: box.x + (place.column * box.width) / width,
      y: box.y + (place.row * box.height) / height,
      width: Math.max(3, box.width / width),
      height: Math.max(3, box.height / height),
    };
    if (mine) over.push(outline(at, colours.surface, 3), outline(at, colours.ink, 1.5));
    else over.push(outline(at, colours.muted));
  }
  return [...marks, ...over];
}

function mapsTitle({ outputs, swept }: Response, room: number): string {
  const each = "response of each output";
  if (outputs.length > 1) return widthOf(each, WORDS, 600) <= room ? each : "responses";
  if (swept.outputs === 1) return "response";
  return `response: ${outputName(swept.layer, outputs[0])}`;
}

/** The inputs of the patch on the φ of its kernel, entry by entry. */
export function patchMarks(
  response: Response,
  layout: ResponseLayout,
  { hovered, keyboard, which }: { hovered: number; keyboard: Cell | null; which: string },
  theme: Theme,
): Mark[] {
  const { patch, swept, selection, kernel } = response;
  const { colours } = theme;
  const [, , kh, kw] = swept.layer.shape;
  const region = {
    name: "cell",
    box: layout.cells,
    rows: kh,
    columns: kw,
    gap: 3,
    words: () => "",
  };
  const box = (entry: number) => cellBox(region, Math.floor(entry / kw), entry % kw);
  const cells = patch.curves.map((_, entry) => box(entry));
  const marks: Mark[] = [
    title(`patch: ${which}`, layout.titles.patch, theme),
    ...functionMarks(patch, cells, colours),
  ];
  if (hovered >= 0) marks.push(outline(box(hovered), colours.muted));
  if (selection && selection.out === kernel.out && selection.in === kernel.in) {
    const chosen = box(selection.row * kw + selection.column);
    marks.push(...framed(chosen, colours.accent, colours));
  }
  if (keyboard?.name === "cell") {
    marks.push(cursorMark(box(keyboard.row * kw + keyboard.column), colours, -1));
  }
  const { x, y, width } = layout.foot;
  const lines = patchWords(response).flatMap((words) => wrapped(words, width, WORDS));
  lines.forEach((text, k) => {
    marks.push({ kind: "text", x, y: y + 15 * k, text, fill: colours.muted, size: WORDS });
  });
  return marks;
}

function functionMarks(
  { range: [lo, hi], curves, inputs, values, most }: Patch,
  cells: readonly Rect[],
  colours: Colours,
): Mark[] {
  const boxes = cells.flatMap(({ x, y, width, height }) => [x, y, width, height]);
  const zeros = cells.flatMap(({ x, y, width, height }) => {
    const middle = Math.round(y + height / 2) + 0.5;
    return [x, middle, x + width, middle];
  });
  const line = { xy: [] as number[], ends: [] as number[] };
  const at = { xy: [] as number[], ends: [] as number[] };
  const dots: number[] = [];
  cells.forEach((r, e) => {
    const middle = r.y + r.height / 2;
    const toX = (x: number) => r.x + 2 + ((r.width - 4) * (x - lo)) / (hi - lo);
    const toY = (y: number) => middle - ((r.height / 2 - 3) * y) / most;
    const end = () => {
      const here = line.xy.length / 2;
      if (here > (line.ends.at(-1) ?? 0)) line.ends.push(here);
    };
    curves[e].forEach((y, k) => {
      if (Number.isFinite(y))
        line.xy.push(toX(lo + ((hi - lo) * k) / (curves[e].length - 1)), toY(y));
      else end();
    });
    end();
    if (inputs && values && Number.isFinite(inputs[e]) && Number.isFinite(values[e])) {
      const [cx, cy] = [toX(inputs[e]), toY(values[e])];
      at.xy.push(cx, r.y, cx, r.y + r.height);
      at.ends.push(at.xy.length / 2);
      dots.push(cx, cy);
    }
  });
  return [
    { kind: "rects", boxes, fill: colours.cell },
    { kind: "lines", xy: zeros, ends: cells.map((_, k) => 2 * k + 2), stroke: colours.zero },
    { kind: "lines", ...line, stroke: colours.ink, width: 1.3 },
    { kind: "lines", ...at, stroke: colours.accent, opacity: 0.5 },
    { kind: "dots", xy: dots, r: 3, fill: colours.accent },
  ];
}
