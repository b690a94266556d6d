/** Draws a response: the image, the maps and the patch. */

import { layerTitle, outputName } from "../../phi/entries.ts";
import { formatNumber } from "../../phi/format.ts";
import { channelOf } from "../../phi/images.ts";
import { paletteOf } from "../../phi/palette.ts";
import { comesFrom, type Grid, patchRect, sourcesOf } from "../../phi/response.ts";
import { colourKey, greyPixels, heatOf, thumbnailsOf } from "../../scene/heat.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { patchMarks } from "../../scene/patch.ts";
import { type Cell, cellBox } from "../../scene/regions.ts";
import { cursorMark, framed, grown, outline, WORDS, words } from "../../scene/shapes.ts";
import { fitting, widthOf, wrapped } from "../../scene/text.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import type { ResponseLayout, Source } from "./response_picture.ts";
import { MOST_THUMBNAILS, type Response } from "./response_picture.ts";
import { finite } from "./settings.ts";

function title(text: string, [x, y]: readonly [number, number], { colours }: Theme): Mark {
  return words(x, y, text, colours.ink, { weight: 600 });
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
  const pixels = greyPixels(channelOf(image, 0, channel), image.width, source.range);
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
    { kind: "group", clip: grown(box, 1), marks: spot(patch, colours) },
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
  const kind = { images: "image", observed: "input", drawn: "drawing" }[input];
  const which = count > 1 ? ` ${sample + 1}` : "";
  const of = channels > 1 ? ` · channel ${channel}` : "";
  return fitting(
    [`${kind}${which && `${which} of ${count}`}${of}`, `${kind}${which}${of}`, `${kind}${which}`],
    room,
    WORDS,
    600,
  );
}

/** The images to choose from: each on its own scale, its first channel. */
function thumbnailMarks(
  { images, sample, count }: Source,
  { thumbnails }: ResponseLayout,
  colours: Colours,
): Mark[] {
  if (!images || !thumbnails) return [];
  const { rows, columns, first } = thumbnails;
  const pictures = thumbnailsOf(images, Math.min(count, MOST_THUMBNAILS));
  const region = { name: "image", ...thumbnails };
  return pictures.slice(first, first + rows * columns).flatMap((pixels, k): Mark[] => {
    const box = cellBox(region, Math.floor(k / columns), k % columns);
    const isShown = first + k === sample;
    const picture: Mark = { kind: "image", box, pixels, opacity: isShown ? 1 : 0.75 };
    return isShown ? [picture, ...framed(box, colours.accent, colours)] : [picture];
  });
}

export function mapMarks(response: Response, layout: ResponseLayout, theme: Theme): Mark[] {
  const { outputs, grids, swept, most, selection, place, by } = response;
  const { colours } = theme;
  const palette = paletteOf(theme.name);
  const only = outputName(swept.layer, outputs[0], "map");
  const one = swept.outputs > 1 ? [`response: ${only}`, only] : ["response"];
  // A row stands in a host, where no line over it says whose they are.
  const whose = layout.isRow ? [`maps that ${layerTitle(swept.layer)} makes`] : [];
  const heads = outputs.length > 1 ? [...whose, "responses"] : one;
  const room = layout.titles.patch[0] - layout.titles.response[0] - 8;
  const head = fitting(heads, room > 0 ? room : layout.width, WORDS, 600);
  const meaning = { most, below: ["below 0"], above: ["response above 0", "above 0"] };
  const marks: Mark[] = [
    title(head, layout.titles.response, theme),
    ...colourKey(layout.key, meaning, theme),
  ];
  const over: Mark[] = [];
  for (const output of outputs) {
    const box = layout.maps.get(output) as Rect;
    const { data, width, height } = grids.get(output) as Grid;
    const pixels = heatOf(data, width, most, palette);
    marks.push({ kind: "image", box, pixels }, outline(box, colours.line));
    if (layout.labelled) {
      const chosen = selection !== null && comesFrom(swept, output, selection);
      const fill = chosen ? colours.accent : colours.muted;
      const name = outputName(swept.layer, output, "map");
      const text = widthOf(name, WORDS) <= box.width ? name : String(output);
      marks.push(words(box.x, box.y - 4, text, fill));
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

/** The inputs of the patch on the φ of its kernel, entry by entry. */
export function patchKernelMarks(
  response: Response,
  layout: ResponseLayout,
  { hovered, keyboard, whose }: { hovered: number; keyboard: Cell | null; whose: string },
  theme: Theme,
): Mark[] {
  const { patch, swept, selection, kernel } = response;
  const { colours } = theme;
  const [, , kh, kw] = swept.layer.shape;
  const region = { name: "cell", box: layout.cells, rows: kh, columns: kw, gap: 3 };
  const box = (entry: number) => cellBox(region, Math.floor(entry / kw), entry % kw);
  const cells = patch.curves.map((_, entry) => box(entry));
  const room = layout.width - layout.titles.patch[0];
  const titles = [`one pixel of ${whose}, taken apart`, `one pixel: ${whose}`, "one pixel"];
  const marks: Mark[] = [
    title(fitting(titles, room, WORDS, 600), layout.titles.patch, theme),
    ...patchMarks(patch, cells, colours),
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
  const lines = patchWords(response).flatMap((texts) =>
    layout.isRow ? fitting(texts, width, WORDS) : wrapped(texts[0], width, WORDS),
  );
  return [...marks, ...lines.map((text, k) => words(x, y + 15 * k, text, colours.muted))];
}

/** What the patch adds up to, and its axes: each as long as there is room for, the longest first. */
function patchWords({ patch, swept, place, grids }: Response): string[][] {
  const part = patch.values?.reduce((a, b) => a + b, 0) ?? 0;
  const total = grids.get(place.output)?.data[place.row * swept.width + place.column] ?? Number.NaN;
  const several = sourcesOf(swept, place.output).length > 1;
  const all = several ? ` · all channels ${finite(total)}` : "";
  const { variable } = swept.layer;
  const [lo, hi] = patch.range.map(formatNumber);
  const most = formatNumber(patch.most);
  const where = `row ${place.row}, column ${place.column}: `;
  const added = `the dots add up to ${finite(part)}`;
  return [
    [`${where}${added}${all}`, `${where}${added}`, added, `sum ${finite(part)}`],
    [
      `${variable} from ${lo} to ${hi}, φ from ${formatNumber(-patch.most)} to ${most}`,
      `${variable} ${lo} to ${hi}, φ ±${most}`,
    ],
  ];
}
