/** The response: kernels swept over an image; the image, the maps, and the patch under one pixel on its φ. No DOM. */

import { maxIndex, range, sum } from "d3-array";
import {
  counted,
  entryText,
  functionOf,
  inputName,
  layerTitle,
  outputName,
} from "../../phi/entries.ts";
import { formatCount, number } from "../../phi/format.ts";
import { type Images, imagesOf, mapsOf, type RawArray, rangeOf } from "../../phi/images.ts";
import { seenThen } from "../../phi/inputs.ts";
import { memory } from "../../phi/memory.ts";
import { patchOf } from "../../phi/patch.ts";
import { mostOf, niceCeil, type Reach, reachOf } from "../../phi/ranges.ts";
import {
  type Grid,
  outputOf,
  patchAt,
  refusal,
  respond,
  type Swept,
  sourcesOf,
  sweep,
  workPerOutput,
} from "../../phi/response.ts";
import { createSketch, type Sketch } from "../../phi/sketch.ts";
import type { Given } from "../../scene/drawing.ts";
import type { Remark, Scene } from "../../scene/marks.ts";
import { cellOf, type Region, regionSites } from "../../scene/regions.ts";
import type { Place, Response } from "./response.ts";
import {
  blankFor,
  howToObserve,
  layOutResponse,
  type ResponseLayout,
  type Source,
  sourceOf,
} from "./response.ts";
import { inputMarks, kernelMarks, mapMarks } from "./response_marks.ts";
import { colourRemarks, finite, type Shown } from "./settings.ts";

export interface ResponseScene extends Scene, Shown {
  mode: "response";
  response: Response;
  layout: ResponseLayout;
}

export interface ResponseDrawing {
  draw(given: Given, shown: Shown): ResponseScene | string;
  /** What was chosen for the layer, also where nothing can be drawn. */
  source(): Source | null;
  sketch: Sketch;
  /** The pixel kept by a click. */
  pinned: Place | null;
}

/** Additions and multiplications that all maps of one frame may take together; beyond, fewer maps are drawn. */
const BUDGET = 3e7;
const MOST_THUMBNAILS = 64;

export function responseDrawing(): ResponseDrawing {
  const keep = memory();
  const sketch = createSketch();
  let chosen: Source | null = null;

  function sourceFor({ store, get }: Given, { layer, settings }: Shown): Source {
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
    const { input, sample, limits, direction, resolution } = settings;
    const how = howToObserve(store, layer.name);
    const from = [layer, observed, images, drawing, sketch.version(), how];
    return keep("source", [...from, input, sample, ...limits, direction, resolution], () =>
      sourceOf(layer, observed, images, drawing, blank, settings, how),
    );
  }

  function mapsFor({ frame, settings }: Shown, swept: Swept) {
    // All that the budget allows, or one.
    const limit = Math.max(1, Math.floor(BUDGET / Math.max(1, workPerOutput(swept))));
    const single = settings.output >= 0 && settings.output < swept.outputs ? settings.output : -1;
    const outputs = single >= 0 ? [single] : range(Math.min(swept.outputs, limit));
    const [grids, reaches] = keep("grids", [frame, swept, single], () => {
      const made = outputs.map((k): [number, Grid] => [k, respond(frame, swept, k)]);
      return [new Map(made), made.map(([, { data }]) => reachOf(data))] as const;
    });
    const own = reaches.map((reach) => niceCeil(mostOf(reach)));
    const shared = Math.max(...own);
    const scaleOf = (k: number) =>
      settings.scale === "layer" ? shared : (own[outputs.indexOf(k)] ?? shared);
    const all = outputs.map(scaleOf);
    const scales = { smallest: Math.min(...all), largest: Math.max(...all) };
    const reach: Reach = {
      low: Math.min(...reaches.map(({ low }) => low)),
      high: Math.max(...reaches.map(({ high }) => high)),
      broken: sum(reaches, ({ broken }) => broken),
    };
    return { outputs, grids, reach, scaleOf, scales, single };
  }

  /** The pixel pointed at; else the one that was kept; else one that this layer answers to most. */
  function placeFor(given: Given, swept: Swept, grids: Map<number, Grid>, like: number) {
    const cell = cellOf(given.pointed.id);
    const output = Number(cell?.name.match(/^map\/(\d+)$/)?.[1] ?? -1);
    if (cell && grids.has(output)) {
      return { place: { output, row: cell.row, column: cell.column }, by: "pointer" } as const;
    }
    const { pinned } = drawing;
    const { width, height, outputs } = swept;
    if (pinned && pinned.row < height && pinned.column < width && pinned.output < outputs) {
      return { place: pinned, by: "click" } as const;
    }
    // Found once, so that it does not jump while training.
    const place = keep("strongest", [swept, like], () => strongest(grids.get(like), like));
    return { place, by: "itself" } as const;
  }

  function responseOf(given: Given, shown: Shown, source: Source, image: Images): Response {
    const { frame, layer } = shown;
    const swept = keep("swept", [layer, source], () => sweep(layer, image));
    const { single, ...maps } = mapsFor(shown, swept);
    const now = given.store.selection();
    const selection = now?.layer === layer.name ? now : null;
    const like = single >= 0 ? single : outputOf(swept, selection);
    const { place, by } = placeFor(given, swept, maps.grids, like);
    const kernels = sourcesOf(swept, place.output);
    const kernel = kernels.find((one) => one.in === selection?.in) ?? kernels[0];
    const inputs = patchAt(swept, place.row, place.column, kernel.channel);
    const patch = patchOf(frame, layer, kernel, inputs, swept.border !== null, 48);
    return { source, image, swept, ...maps, selection, place, by, kernel, patch };
  }

  const drawing: ResponseDrawing = {
    source: () => chosen,
    sketch,
    pinned: null,
    draw(given, shown) {
      chosen = null;
      const { layer } = shown;
      const refused = refusal(layer, null);
      if (refused) return refused;
      const source = sourceFor(given, shown);
      chosen = source;
      if (!source.image) return source.missing;
      const problem = refusal(layer, source.image);
      if (problem) return problem;
      return sceneOf(given, shown, responseOf(given, shown, source, source.image));
    },
  };
  return drawing;
}

/** The pixel at which a response is farthest from zero. */
function strongest(grid: Grid | undefined, output: number): Place {
  const { width, data } = grid ?? { width: 1, data: [] };
  const best = Math.max(
    0,
    maxIndex(data, (value) => (Number.isFinite(value) ? Math.abs(value) : undefined)),
  );
  return { output, row: Math.floor(best / width), column: best % width };
}

function sceneOf(given: Given, shown: Shown, response: Response): ResponseScene {
  const { width, height, theme, pointed } = given;
  const { layer, frame } = shown;
  const { source, image, swept, outputs, place, by, selection } = response;
  const thumbnails = Math.min(source.count, MOST_THUMBNAILS);
  const layout = layOutResponse(width, height, outputs, swept, image, thumbnails);
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
  const which = kernelWords(response);
  const chosen = selection ? `Selected: ${entryText(layer, functionOf(layer, selection))}. ` : "";
  const { low, high } = response.reach;
  const inputs = inputRegions(source, image, layout);
  // The keyboard begins at the maps.
  const start = inputs.length + Math.max(0, outputs.indexOf(place.output));
  const pen = source.input === "drawn" && keyboard?.name === "input" ? keyboard : null;
  const kept = by === "itself" ? "" : `${placeText(response)}. `;
  return {
    mode: "response",
    ...shown,
    response,
    layout,
    width: layout.width,
    height: layout.height,
    title: `MeshgridView · ${layerTitle(layer)}`,
    moment: `step ${formatCount(frame.step)}`,
    words:
      `Response of layer ${layerTitle(layer)}, ${counted(outputs.length, "output")}, ` +
      `from ${number(low)} to ${number(high)}, to ${inputWords(source)}. ` +
      `${kept}Beside it the functions of the kernel ${which}, φ ±${number(response.patch.most)}, ` +
      `with the inputs of the patch. ${chosen}` +
      "Arrow keys move between pixels and from map to map, Page Up and Page Down between outputs; Enter keeps a pixel and selects its kernel." +
      (source.input === "drawn" ? " On the input Space draws and Backspace erases." : ""),
    about: JSON.stringify([
      layer.name,
      outputs.length,
      source.input,
      source.sample,
      place,
      selection,
    ]),
    caption: captionOf(given, shown, response),
    sheets: [
      { marks: () => inputMarks(response, layout, pen, theme) },
      { marks: () => mapMarks(response, layout, theme) },
      { marks: () => kernelMarks(response, layout, { hovered, keyboard, which }, theme) },
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
    words: (row, column) => placeText(response, { output, row, column }),
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
    const { columns } = thumbnails;
    regions.push({
      name: "image",
      ...thumbnails,
      count: Math.min(source.count, MOST_THUMBNAILS),
      home: [Math.floor(source.sample / columns), source.sample % columns],
      words: (row, column) => `image ${row * columns + column + 1}`,
    });
  }
  return regions;
}

function captionOf(
  { store, theme, room }: Given,
  { layer, frame }: Shown,
  response: Response,
): Remark[] {
  const { source, scales, swept, outputs } = response;
  const then = source.input === "observed" ? seenThen(store.observed(layer.name), frame.step) : "";
  const { low, high, broken } = response.reach;
  const [black, white] = source.range;
  const caption: Remark[] = [
    {
      text: `what layer ${layerTitle(layer)} answers to ${inputWords(source)}${then && `, as seen${then}`}`,
      tone: "ink",
    },
    ...colourRemarks("response", scales, { low, high }, theme),
    { text: `input ${number(black)} (black) … ${number(white)} (white)` },
  ];
  if (outputs.length > 1 && outputs.length < swept.outputs) {
    caption.push({ text: `the first ${outputs.length} of ${swept.outputs} outputs` });
  }
  if (broken > 0) {
    caption.push({ text: `${counted(broken, "pixel")} not finite (grey)`, tone: "warn" });
  }
  for (const text of [source.note, layer.note]) if (text) caption.push({ text });
  if (room === undefined) return caption;
  // In a host there is room for what is needed to read it; the rest is said on hovering.
  const short = caption.filter(({ tone, swatch }) => tone || swatch);
  const rest = caption.filter((one) => !short.includes(one)).map(({ text }) => text);
  short[0].title = rest.join(". ");
  return short;
}

function inputWords({ input, sample, count }: Source): string {
  if (input === "drawn") return "the drawing";
  if (input === "ramp") return "a ramp";
  const kind = input === "observed" ? "observed input" : "image";
  return count > 1 ? `${kind} ${sample + 1} of ${count}` : `the ${kind}`;
}

/** The kernel whose functions are drawn. */
export function kernelWords({ swept, place, kernel }: Response): string {
  const several = swept.layer.shape[1] > 1 || swept.channels > 1;
  return `${outputName(swept.layer, place.output)}${several ? `, ${inputName(swept.layer, kernel.channel, "channel")}` : ""}`;
}

/** A pixel and its response. */
export function placeText({ grids, swept, place: own }: Response, place = own): string {
  const value = grids.get(place.output)?.data[place.row * swept.width + place.column];
  const text = value === undefined ? "not drawn" : finite(value);
  return `${outputName(swept.layer, place.output)} · row ${place.row}, column ${place.column} · response ${text}`;
}
