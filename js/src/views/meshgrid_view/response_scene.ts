/** The response: kernels swept over an image; the image, the maps, and the patch under one pixel on its φ. */

import {
  counted,
  entryText,
  functionOf,
  inputName,
  layerInWords,
  layerTitle,
  outputName,
} from "../../phi/entries.ts";
import { formatNumber, momentText } from "../../phi/format.ts";
import { type Images, imagesOf, mapsOf, type RawArray, rangeOf } from "../../phi/images.ts";
import { seenThen } from "../../phi/inputs.ts";
import { memory } from "../../phi/memory.ts";
import { refusal } from "../../phi/response.ts";
import { createSketch } from "../../phi/sketch.ts";
import type { Given } from "../../scene/drawing.ts";
import type { Remark, Scene } from "../../scene/marks.ts";
import { cellOf, type Region, regionSites } from "../../scene/regions.ts";
import { inputMarks, mapMarks, patchKernelMarks } from "./response_marks.ts";
import {
  howToObserve,
  layOutResponse,
  MOST_THUMBNAILS,
  type OutputPixel,
  type Response,
  type ResponseLayout,
  responseOf,
  type Source,
  sourceOf,
} from "./response_picture.ts";
import { blankFor, finite, type MeshGiven } from "./settings.ts";

export type ResponseScene = Scene & ReturnType<typeof sceneOf>;
export type ResponseDrawing = ReturnType<typeof responseDrawing>;

export function responseDrawing() {
  const keep = memory();
  const sketch = createSketch();
  let chosen: Source | null = null;

  function sourceFor({ store, get }: Given, { layer, settings }: MeshGiven): Source {
    const raw = get("images") as RawArray;
    const images = keep("images", [raw], () => imagesOf(raw));
    const observed = store.observed(layer.name);
    const usual = observed && !observed.isImage ? mapsOf(observed) : images;
    const ends = keep("range", [usual], () => rangeOf(usual?.data ?? []));
    const kept = get("drawing") as RawArray;
    keep("drawing", [kept], () => sketch.take(imagesOf(kept)));
    const blank = blankFor(usual, ends);
    sketch.fit(blank.width, blank.height, blank.ground, blank.ink);
    const drawing = sketch.image();
    const { input, sample } = settings;
    const how = howToObserve(store, layer.name);
    const from = [layer, observed, images, drawing, sketch.version(), how];
    return keep("source", [...from, input, sample], () =>
      sourceOf(layer, observed, images, drawing, blank, settings, how),
    );
  }

  const drawing = {
    /** What was chosen for the layer, also where nothing can be drawn. */
    source: () => chosen,
    sketch,
    /** The pixel kept by a click. */
    pinned: null as OutputPixel | null,
    draw(given: Given, shown: MeshGiven): ResponseScene | string {
      chosen = null;
      const { layer } = shown;
      const refused = refusal(layer, null);
      if (refused) return refused;
      const source = sourceFor(given, shown);
      chosen = source;
      if (!source.image) return source.missing;
      const problem = refusal(layer, source.image);
      if (problem) return problem;
      const asked = { source, image: source.image, pinned: drawing.pinned };
      return sceneOf(given, shown, responseOf(given, shown, asked, keep));
    },
  };
  return drawing;
}

function sceneOf(given: Given, shown: MeshGiven, response: Response) {
  const { width, height, theme, pointed } = given;
  const { layer, frame } = shown;
  const { source, image, swept, outputs, place, by, selection } = response;
  const { input, sample } = source;
  const thumbnails = Math.min(source.count, MOST_THUMBNAILS);
  const layout = layOutResponse(width, height, outputs, swept, image, {
    count: thumbnails,
    sample,
  });
  const maps = [...layout.maps].map(([output, box]) => mapRegion(response, output, box));
  const [, , kh, kw] = layer.shape;
  const cells: Region = {
    name: "cell",
    box: layout.cells,
    rows: kh,
    columns: kw,
    gap: 3,
    words: (row, column) => {
      const { inputs, values } = response.patch;
      const place = `row ${row}, column ${column}`;
      if (!inputs || !values) return place;
      const [x, y] = [inputs, values].map((of) => finite(of[row * kw + column]));
      return `${place}, ${layer.variable} ${x}, φ ${y}`;
    },
  };
  const at = cellOf(pointed.id);
  const hovered = at?.name === "cell" ? at.row * kw + at.column : -1;
  const keyboard = cellOf(pointed.keyboard);
  const isOfMany = swept.layer.shape[1] > 1 || swept.channels > 1;
  const channel = isOfMany ? `, ${inputName(swept.layer, response.kernel.channel, "channel")}` : "";
  const whose = `${outputName(swept.layer, place.output, "map")}${channel}`;
  const chosen = selection ? `Selected: ${entryText(layer, functionOf(layer, selection))}. ` : "";
  const { low, high } = response.reach;
  const inputs = inputRegions(source, image, layout);
  // The keyboard begins at the maps.
  const start = inputs.length + Math.max(0, outputs.indexOf(place.output));
  const pen = input === "drawn" && keyboard?.name === "input" ? keyboard : null;
  const kept = by === "itself" ? "" : `${pixelText(response)}. `;
  return {
    mode: "response" as const,
    ...shown,
    response,
    layout,
    width: layout.width,
    height: layout.height,
    title: `MeshgridView · ${layerTitle(layer)}`,
    moment: momentText(frame),
    words:
      `Response of ${layerInWords(layer)}, ${counted(outputs.length, "map")}, ` +
      `from ${formatNumber(low)} to ${formatNumber(high)}, to ${inputWords(source)}. ` +
      `${kept}Beside it the functions of the kernel ${whose}, φ ±${formatNumber(response.patch.most)}, ` +
      `with the inputs of the patch. ${chosen}` +
      "Arrow keys move between pixels and from map to map, Page Up and Page Down go from one map alone to the next; Enter keeps a pixel and selects its kernel." +
      (input === "drawn" ? " On the input Space draws and Backspace erases." : ""),
    about: JSON.stringify([layer.name, outputs.length, input, sample, place, selection]),
    caption: captionOf(given, shown, response),
    sheets: [
      { marks: () => inputMarks(response, layout, pen, theme) },
      { marks: () => mapMarks(response, layout, theme) },
      { marks: () => patchKernelMarks(response, layout, { hovered, keyboard, whose }, theme) },
    ],
    sites: regionSites([...inputs, ...maps, cells], start),
  };
}

function mapRegion(response: Response, output: number, box: Region["box"]): Region {
  const { swept, place, by } = response;
  const here = by === "click" && place.output === output;
  return {
    name: `map/${output}`,
    box,
    rows: swept.height,
    columns: swept.width,
    home: here ? [place.row, place.column] : [swept.height >> 1, swept.width >> 1],
    words: (row, column) => pixelText(response, { output, row, column }),
  };
}

function inputRegions(source: Source, image: Images, layout: ResponseLayout): Region[] {
  const regions: Region[] = [];
  if (source.input === "drawn") {
    regions.push({
      name: "input",
      box: layout.image,
      rows: image.height,
      columns: image.width,
      words: (row, column) => `row ${row}, column ${column}`,
    });
  }
  const { thumbnails } = layout;
  if (thumbnails) {
    const { columns, first } = thumbnails;
    const own = source.sample - first;
    regions.push({
      name: "image",
      ...thumbnails,
      count: Math.min(source.count, MOST_THUMBNAILS) - first,
      home: [Math.floor(own / columns), own % columns],
      words: (row, column) => `image ${first + row * columns + column + 1}`,
    });
  }
  return regions;
}

function captionOf({ store, room }: Given, { layer, frame }: MeshGiven, response: Response) {
  const { source, swept, outputs } = response;
  const then = source.input === "observed" ? seenThen(store.observed(layer.name), frame.step) : "";
  const { low, high, broken } = response.reach;
  const [black, white] = source.range;
  const caption: Remark[] = [
    {
      text: `The map${outputs.length > 1 ? "s" : ""} that ${layerTitle(layer)} makes of ${inputWords(source)}${then && ` (as seen${then})`}`,
      tone: "ink",
      strong: true,
    },
    ...(low < high
      ? [{ text: `response from ${formatNumber(low)} to ${formatNumber(high)}` }]
      : []),
    { text: `input ${formatNumber(black)} (black) … ${formatNumber(white)} (white)` },
  ];
  if (outputs.length > 1 && outputs.length < swept.outputs) {
    caption.push({ text: `the first ${outputs.length} of ${swept.outputs} maps` });
  }
  if (broken > 0) {
    caption.push({ text: `${counted(broken, "pixel")} not finite (grey)`, tone: "warn" });
  }
  for (const text of [source.note, layer.note]) if (text) caption.push({ text });
  if (room === undefined) return caption;
  // In a host the titles of its parts say what it is: there is only room for what goes wrong.
  return caption.filter(({ tone }) => tone === "warn");
}

function inputWords({ input, sample, count }: Source): string {
  if (input === "drawn") return "the drawing";
  const kind = input === "observed" ? "input" : "image";
  return count > 1 ? `${kind} ${sample + 1} of ${count}` : `the ${kind}`;
}

/** A pixel and its response. */
export function pixelText({ grids, swept, place: own }: Response, place = own): string {
  const value = grids.get(place.output)?.data[place.row * swept.width + place.column];
  const text = value === undefined ? "not drawn" : finite(value);
  return `${outputName(swept.layer, place.output, "map")} · row ${place.row}, column ${place.column} · response ${text}`;
}
