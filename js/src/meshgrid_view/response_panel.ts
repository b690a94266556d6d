/** The kernels swept over an image: the image, the response, and the patch under one pixel on its φ. */

import { layerTitle } from "../kernel_grid/words.ts";
import type { Rect } from "../shared/geometry.ts";
import { probeOf } from "../shared/probe.ts";
import { niceCeil } from "../shared/ranges.ts";
import type { LayerLayout, Selection, Store } from "../shared/types.ts";
import { brushRadius, stroke } from "./brush.ts";
import { expandAt } from "./expansion.ts";
import { createAtlas } from "./heat.ts";
import { memory } from "./memory.ts";
import { colourise } from "./palette.ts";
import {
  activeCanvas,
  type Desk,
  DIRECTIONS,
  describe,
  element,
  type Facts,
  followPointer,
  frameSelected,
  inside,
  MOVES,
  NO_FACTS,
  outline,
  type Panel,
  placeOf,
  plainKey,
  prepare,
  type Scene,
  used,
} from "./panel.ts";
import { mostOf, type Reach, reachOf } from "./ramp.ts";
import {
  type Grid,
  inputOf,
  patchAt,
  patchRect,
  refusal,
  respond,
  type Swept,
  sourcesOf,
  sweep,
  workPerOutput,
} from "./response.ts";
import { type Images, type Input, imagesOf, type RawArray } from "./settings.ts";
import { blankFor, mapsOf, rangeOf, type Source, sourceOf } from "./source.ts";
import { counted, number } from "./words.ts";

export interface ResponsePanel extends Panel {
  response(output: number): { width: number; height: number; data: number[] } | null;
  input(): { channels: number; height: number; width: number; data: number[] } | null;
  /** Draws a line through points in pixels of the image, as the mouse does. */
  drawLine(points: readonly [number, number][]): void;
  probe(): { output: number; row: number; column: number; patch: number[]; value: number } | null;
  inputRect(): Rect | null;
  /** Client pixels of one output's map. */
  mapRect(output: number): Rect | null;
  patchCell(entry: number): Rect | null;
  /** A drawing that was kept, or made in another copy of the view. */
  takeDrawing(raw: RawArray | null | undefined): void;
  /** Another selection than before. */
  follow(): void;
  leave(): void;
}

/** Multiplications that all maps of one frame may take together; beyond, fewer maps are drawn. */
const BUDGET = 6e7;
const LARGEST = 260;
const GAP = 20;
const LABEL = 15;

const INPUT_WORDS: Record<Input, [label: string, title: string]> = {
  images: ["images", "One of the images given to the view"],
  observed: ["observed", "What really reached this layer, from live.observe(batch)"],
  drawn: ["draw", "Draw with the mouse"],
  ramp: ["ramp", "The ramp between the limits"],
};

interface Place {
  output: number;
  row: number;
  column: number;
}

interface Drawn {
  store: Store;
  layer: LayerLayout;
  source: Source;
  swept: Swept | null;
  outputs: number[];
  grids: Map<number, Grid>;
  rects: Map<number, Rect>;
  image: Rect;
  cells: Rect[];
  /** Which output, kernel and channel the patch is of. */
  output: number;
  kernel: { out: number; in: number; channel: number };
}

let groups = 0;

export function createResponsePanel(
  desk: Desk,
  keepDrawing: (images: Images) => void,
): ResponsePanel {
  const { document, signal } = desk;
  const root = element(document, "div", "kw-response");
  const figure = (name: string, title: string) => {
    const box = element(document, "figure", `kw-figure kw-figure-${name}`, root);
    const head = element(document, "figcaption", "kw-figure-head", box);
    element(document, "span", "kw-figure-title", head).textContent = title;
    const canvas = activeCanvas(document, `kw-${name}-canvas`);
    box.append(canvas);
    const foot = element(document, "div", "kw-figure-foot", box);
    return { box, head, canvas, foot };
  };
  const given = figure("input", "input");
  const made = figure("map", "response");
  const close = figure("patch", "patch");

  const kinds = element(document, "div", "kw-segments kw-small", given.head);
  kinds.setAttribute("role", "radiogroup");
  kinds.setAttribute("aria-label", "Input");
  const group = `kw-input-${++groups}`;
  kinds.addEventListener(
    "change",
    (event) => desk.choose("input", (event.target as HTMLInputElement).value),
    { signal },
  );
  const strip = element(document, "div", "kw-strip", given.foot);
  strip.setAttribute("role", "group");
  strip.setAttribute("aria-label", "Images");
  const clear = element(document, "button", "kw-button", given.foot);
  clear.type = "button";
  clear.textContent = "clear";
  clear.title = "Begin with a blank";
  clear.setAttribute("aria-label", "Clear the drawing");
  const brushHint = element(document, "span", "kw-hint", given.foot);
  brushHint.textContent = "Draw with the mouse; Shift erases.";
  const choice = element(document, "select", "kw-select kw-output", made.head);
  choice.title = "Which output channel is shown";
  choice.setAttribute("aria-label", "Output channel");
  choice.addEventListener("change", () => desk.choose("output", Number(choice.value)), { signal });
  const sum = element(document, "div", "kw-sum", close.foot);
  const mapFoot = element(document, "div", "kw-hint", made.foot);

  const atlas = createAtlas(document);
  const picture = createAtlas(document);
  const overMap = followPointer(made.canvas, desk);
  const overPatch = followPointer(close.canvas, desk);
  const keep = memory();
  const owner = {};

  let drawing: Images = { count: 1, channels: 1, height: 0, width: 0, data: new Float32Array(0) };
  let drawingVersion = 0;
  let kept: Images | null = null;
  let ink: [number, number] = [-1, 1];
  let pen: { at: [number, number]; erase: boolean } | null = null;
  let drawn: Drawn | null = null;
  let scene: Scene | null = null;
  let pinned: Place | null = null;
  let published: string | null = null;
  let penCursor: [number, number] | null = null;
  let cellCursor = -1;
  let listedKinds = "";
  let listedOutputs = "";
  let listedImages: unknown[] = [];

  function draw(next: Scene): Facts {
    scene = next;
    const { store, frame, layer, first, settings, look, images } = next;
    const observed = store.observed(layer.name);
    const refused = refusal(layer, null);
    if (refused) {
      leave();
      drawn = null;
      return { ...NO_FACTS, message: refused };
    }
    const usual = observed && !observed.isImage ? mapsOf(observed) : images;
    const usualRange = keep("range", [usual], () => rangeOf(usual));
    const blank = blankFor(usual, usualRange);
    ink = [blank.ground, blank.ink];
    fitDrawing(blank.width, blank.height, blank.ground);
    const source = keep(
      "source",
      [
        ...[layer, first, observed, images, drawing, drawingVersion],
        ...[settings.input, settings.sample, ...settings.limits],
        ...[settings.direction, settings.resolution],
      ],
      () => sourceOf(layer, first, observed, images, drawing, blank, settings),
    );
    const { image } = source;
    const problem = image ? refusal(layer, image) : source.missing;
    const swept = keep("swept", [layer, source], () =>
      image && !problem ? sweep(layer, image) : null,
    );
    const selection = store.selection()?.layer === layer.name ? store.selection() : null;

    // Which outputs: all that the budget allows, or one.
    const total = swept?.outputs ?? 0;
    const limit = swept ? Math.max(1, Math.floor(BUDGET / Math.max(1, workPerOutput(swept)))) : 0;
    const single = settings.output >= 0 && settings.output < total ? settings.output : -1;
    const outputs =
      single >= 0 ? [single] : Array.from({ length: Math.min(total, limit) }, (_, k) => k);
    const grids = keep(
      "grids",
      [frame, swept, single],
      () => new Map(swept ? outputs.map((k) => [k, respond(frame, swept, k)]) : []),
    );
    const reaches = keep(
      "reaches",
      [grids],
      () => new Map(outputs.map((k) => [k, reachOf(grids.get(k)?.data ?? [])])),
    );

    const wide = layOut(next.width, settings.height, outputs.length, swept);
    const rects = placeMaps(outputs, swept, wide.map);
    const place = placeNow(rects, swept);
    const output = place?.output ?? (single >= 0 ? single : outputOf(swept, selection));
    const kernels = swept ? sourcesOf(swept, output) : [{ out: 0, in: 0, channel: 0 }];
    const kernel = kernels.find((k) => k.in === selection?.in) ?? kernels[0];
    drawn = {
      store,
      layer,
      source,
      swept,
      outputs,
      grids,
      rects,
      image: wide.image,
      cells: [],
      output,
      kernel,
    };
    publish(place);

    showKinds(source);
    showOutputs(layer, total, single);
    showImages(source, look.ratio);
    strip.hidden = source.input !== "images" && source.input !== "observed";
    clear.hidden = source.input !== "drawn";
    brushHint.hidden = source.input !== "drawn";

    drawImage(next, drawn, place);
    const most = drawMaps(next, drawn, reaches, place, selection, wide.map, problem);
    drawPatch(next, drawn, place, selection, wide.patch);

    const low = Math.min(...[...reaches.values()].map((r) => r.low));
    const high = Math.max(...[...reaches.values()].map((r) => r.high));
    const broken = [...reaches.values()].reduce((n, r) => n + r.broken, 0);
    const title = `${layerTitle(layer)} · out ${output}`;
    describe(
      made.canvas,
      `Response of layer ${layerTitle(layer)}, ${counted(outputs.length, "output")}. ` +
        "Arrow keys move between pixels, Page Up and Page Down between outputs; Enter selects the kernel.",
    );
    describe(
      given.canvas,
      source.input === "drawn"
        ? "The drawing. Draw with the mouse; with the keyboard, arrows move the pen, Space draws, Backspace erases."
        : `The input, ${source.input}${source.count > 1 ? ` ${source.sample} of ${source.count}` : ""}.`,
    );
    const cut = total > outputs.length && single < 0;
    mapFoot.textContent = cut
      ? `The first ${outputs.length} of ${total} outputs; choose another above.`
      : "";
    return {
      ...NO_FACTS,
      what: "response",
      scales: swept ? most : null,
      reach: swept ? { low, high } : null,
      axis: image
        ? `input ${number(source.range[0])} (black) … ${number(source.range[1])} (white)`
        : "",
      warned: broken > 0 ? `${counted(broken, "pixel")} not finite (grey)` : "",
      noted: [source.note, layer.note].filter((text) => text).join(" · "),
      readout: readoutOf(drawn, place, title),
      selected: pinned !== null && place !== null,
      label: title,
    };
  }

  /** Widths of the three figures: side by side where there is room. */
  function layOut(width: number, most: number, count: number, swept: Swept | null) {
    const inner = width - 16;
    const across = inner >= 560 ? 3 : inner >= 400 ? 2 : 1;
    root.dataset.columns = String(across);
    const tallest = Math.max(96, Math.min(LARGEST, most - 60));
    const column = Math.floor((inner - (across - 1) * GAP) / across);
    const small = Math.min(tallest, across === 3 ? Math.min(column, 210) : column);
    const map = across === 3 ? inner - 2 * small - 2 * GAP : column;
    const { image } = sizeOf(swept, small);
    root.style.gridTemplateColumns =
      across === 3 ? `${small}px ${map}px ${small}px` : `repeat(${across}, ${column}px)`;
    const best = bestMaps(count, swept, across === 1 ? inner : map, most);
    return { image, patch: small, map: best };
  }

  function sizeOf(swept: Swept | null, side: number): { image: Rect } {
    const conv = swept?.conv.padding ?? [0, 0, 0, 0];
    const w = swept ? swept.padded.width - conv[0] - conv[1] : drawing.width;
    const h = swept ? swept.padded.height - conv[2] - conv[3] : drawing.height;
    const scale = side / Math.max(w, h, 1);
    return { image: { x: 0, y: 0, width: Math.round(w * scale), height: Math.round(h * scale) } };
  }

  /** The size of one map and how many lie side by side, so that the maps are as large as they can be. */
  function bestMaps(count: number, swept: Swept | null, width: number, most: number) {
    const shape = swept ? swept.height / swept.width : 1;
    const labels = count > 1 ? LABEL : 0;
    if (count <= 1) {
      const size = Math.min(width, LARGEST, Math.floor((most - 60) / Math.max(shape, 0.2)));
      return { across: 1, size, pitchX: size, pitchY: size * shape, labels };
    }
    let best = { across: 1, size: 0 };
    const tallest = Math.max(LARGEST, most - 80);
    for (let across = 1; across <= count; across++) {
      const size = Math.min(LARGEST * 0.6, Math.floor((width - (across - 1) * 8) / across));
      const rows = Math.ceil(count / across);
      const fits = rows * (size * shape + labels + 4) <= tallest;
      if (size < 44) {
        if (best.size === 0) best = { across: Math.max(1, across - 1), size: 44 };
        break;
      }
      if (fits && size > best.size) best = { across, size };
      else if (!fits) best = best.size > 0 ? best : { across, size: 0 };
    }
    if (best.size === 0) {
      const across = Math.max(1, Math.floor((width + 8) / 56));
      best = { across, size: Math.floor((width - (across - 1) * 8) / across) };
    }
    const { across, size } = best;
    return {
      across,
      size,
      pitchX: size + 8,
      pitchY: Math.round(size * shape) + labels + 4,
      labels,
    };
  }

  function placeMaps(
    outputs: readonly number[],
    swept: Swept | null,
    { across, size, pitchX, pitchY, labels }: ReturnType<typeof bestMaps>,
  ): Map<number, Rect> {
    const shape = swept ? swept.height / swept.width : 1;
    return new Map(
      outputs.map((output, k) => [
        output,
        {
          x: 3 + (k % across) * pitchX,
          y: 3 + Math.floor(k / across) * pitchY + labels,
          width: size - 6,
          height: Math.round((size - 6) * shape),
        },
      ]),
    );
  }

  /** The pixel under the mouse, over a map or over the image; else the one that was pinned. */
  function placeNow(rects: Map<number, Rect>, swept: Swept | null): Place | null {
    if (!swept) return null;
    const { at } = overMap;
    if (at) {
      for (const [output, r] of rects) {
        if (inside(r, at)) {
          const column = Math.floor(((at.x - r.x) / r.width) * swept.width);
          const row = Math.floor(((at.y - r.y) / r.height) * swept.height);
          return { output, row, column };
        }
      }
    }
    if (pinned && pinned.row < swept.height && pinned.column < swept.width) {
      if (pinned.output < swept.outputs) return pinned;
    }
    return null;
  }

  /** Lets the other views of the stream mark the inputs of the pixel. */
  function publish(place: Place | null) {
    if (!drawn) return;
    const { store, swept, layer } = drawn;
    const key = place && swept ? JSON.stringify([place, drawingVersion, layer.name]) : null;
    const probe = probeOf(store);
    if (place && swept) {
      if (key === published && probe.current()?.layer === layer.name) {
        // The same pixel of a new sweep.
        if (lastSwept === swept) return;
      }
      lastSwept = swept;
      published = key;
      const { output, row, column } = place;
      probe.point(owner, {
        layer: layer.name,
        output,
        row,
        column,
        valueFor: (selection: Selection) =>
          selection.layer === layer.name ? inputOf(swept, output, row, column, selection) : null,
      });
    } else if (published !== null) {
      published = null;
      probe.point(owner, null);
    }
  }
  let lastSwept: Swept | null = null;

  function leave() {
    if (drawn && published !== null) probeOf(drawn.store).point(owner, null);
    published = null;
  }

  function drawImage({ look }: Scene, now: Drawn, place: Place | null) {
    const { source, swept, image: box, kernel } = now;
    const { colours, ratio } = look;
    const margin = 1;
    const context = prepare(given.canvas, box.width + 2 * margin, box.height + 2 * margin, ratio);
    const { image } = source;
    if (!context) return;
    const to = { x: margin, y: margin, width: box.width, height: box.height };
    if (!image) {
      context.strokeStyle = colours.line;
      context.strokeRect(0.5, 0.5, box.width + 1, box.height + 1);
      return;
    }
    const channel = Math.min(image.channels - 1, image.channels === 1 ? 0 : kernel.channel);
    const [lo, hi] = source.range;
    picture.load(1, image.width, image.height, (_, pixels) => {
      const start = channel * image.width * image.height;
      for (let p = 0; p < pixels.length; p++) {
        const share = (image.data[start + p] - lo) / (hi - lo);
        const level = Math.round(255 * Math.max(0, Math.min(1, share)));
        pixels[p] = greys[Number.isFinite(share) ? level : 128];
      }
    });
    picture.draw(context, 0, to);
    outline(context, to, colours.line, 1, 0.5);
    if (place && swept) {
      const r = patchRect(swept, place.row, place.column);
      const [sx, sy] = [box.width / image.width, box.height / image.height];
      context.save();
      context.beginPath();
      context.rect(0, 0, box.width + 2, box.height + 2);
      context.clip();
      const at = {
        x: margin + r.column * sx,
        y: margin + r.row * sy,
        width: r.width * sx,
        height: r.height * sy,
      };
      outline(context, at, "#000000", 3, 0);
      outline(context, at, colours.accent, 1.5, 0);
      context.restore();
    }
    if (source.input === "drawn" && penCursor && document.activeElement === given.canvas) {
      const [x, y] = penCursor;
      const [sx, sy] = [box.width / image.width, box.height / image.height];
      const at = { x: margin + x * sx, y: margin + y * sy, width: sx, height: sy };
      outline(context, at, "#000000", 3, 0);
      outline(context, at, colours.accent, 1.5, 0);
    }
    given.canvas.style.cursor = source.input === "drawn" ? "crosshair" : "";
  }

  function drawMaps(
    { look, settings }: Scene,
    now: Drawn,
    reaches: Map<number, Reach>,
    place: Place | null,
    selection: Selection | null,
    { labels }: ReturnType<typeof bestMaps>,
    problem: string,
  ): { smallest: number; largest: number } {
    const { outputs, grids, rects, swept } = now;
    const { colours, palette, ratio } = look;
    let [right, bottom] = [0, 0];
    for (const r of rects.values()) {
      right = Math.max(right, r.x + r.width + 4);
      bottom = Math.max(bottom, r.y + r.height + 4);
    }
    made.box.toggleAttribute("data-empty", !swept);
    if (!swept) {
      mapMessage(problem);
      return { smallest: 1, largest: 1 };
    }
    mapMessage("");
    const context = prepare(made.canvas, right, bottom, ratio);
    const own = new Map(outputs.map((k) => [k, mostOf(reaches.get(k) as Reach)]));
    const shared = niceCeil(Math.max(...own.values()));
    const scaleOf = (k: number) =>
      settings.scale === "layer" ? shared : niceCeil(own.get(k) as number);
    const scales = outputs.map(scaleOf);
    const range = { smallest: Math.min(...scales), largest: Math.max(...scales) };
    if (!context) return range;
    const { width, height } = swept;
    atlas.load(outputs.length, width, height, (k, pixels) => {
      const values = grids.get(outputs[k])?.data ?? [];
      colourise(values, scaleOf(outputs[k]), palette, pixels, width);
    });
    context.font = look.font(10);
    context.textAlign = "left";
    context.textBaseline = "alphabetic";
    const chosen = selection ? likeSelection(swept, selection) : () => false;
    outputs.forEach((output, k) => {
      const r = rects.get(output) as Rect;
      atlas.draw(context, k, r);
      outline(context, r, colours.line, 1, 0.5);
      if (labels > 0) {
        context.fillStyle = chosen(output) ? colours.accent : colours.muted;
        context.fillText(`out ${output}`, r.x, r.y - 4);
        if (chosen(output)) frameSelected(context, r, colours);
      }
      if (place) {
        // The same pixel in all maps; the one that is read has the stronger mark.
        const at = {
          x: r.x + (place.column * r.width) / width,
          y: r.y + (place.row * r.height) / height,
          width: Math.max(3, r.width / width),
          height: Math.max(3, r.height / height),
        };
        const mine = output === place.output;
        if (mine) outline(context, at, colours.surface, 3, 0.5);
        outline(context, at, mine ? colours.ink : colours.muted, mine ? 1.5 : 1, 0.5);
      }
    });
    made.canvas.style.cursor = "crosshair";
    return range;
  }

  const mapNote = element(document, "div", "kw-figure-message", made.box);
  mapNote.setAttribute("role", "status");
  function mapMessage(text: string) {
    if (mapNote.textContent !== text) mapNote.textContent = text;
    mapNote.hidden = text === "";
    made.canvas.hidden = text !== "";
  }

  /** The patch's inputs on the φ of its kernel, entry by entry. */
  function drawPatch(
    { frame, layer, look }: Scene,
    now: Drawn,
    place: Place | null,
    selection: Selection | null,
    side: number,
  ) {
    const { swept, kernel, output, grids } = now;
    const [, inputs, kh, kw] = layer.shape;
    const { colours, ratio } = look;
    const size = Math.max(18, Math.floor((Math.min(side, 240) - 8) / Math.max(kh, kw)) - 3);
    const pitch = size + 3;
    const context = prepare(close.canvas, kw * pitch + 6, kh * pitch + 6, ratio);
    now.cells = Array.from({ length: kh * kw }, (_, e) => ({
      x: 4 + (e % kw) * pitch,
      y: 4 + Math.floor(e / kw) * pitch,
      width: size,
      height: size,
    }));
    if (!context) return;
    const patch = place && swept ? patchAt(swept, place.row, place.column, kernel.channel) : null;
    let [lo, hi] = layer.domain;
    for (const value of patch ?? []) {
      if (value < lo) lo = value;
      if (value > hi) hi = value;
    }
    const points = Math.max(12, Math.min(48, size));
    const beta = new Float64Array(layer.nb);
    const phi = (f: number, x: number) => {
      expandAt(layer, layer.tableOf ? layer.tableOf[f] : 0, x, beta);
      let value = 0;
      for (let b = 0; b < layer.nb; b++)
        value += frame.data[layer.offset + f * layer.nb + b] * beta[b];
      return value;
    };
    const first = (kernel.out * inputs + kernel.in) * kh * kw;
    const curves = now.cells.map((_, e) =>
      Float64Array.from({ length: points }, (_, k) =>
        phi(first + e, lo + ((hi - lo) * k) / (points - 1)),
      ),
    );
    // Over a border of padded basis functions there is nothing to add.
    const nothing = (x: number) => Boolean(swept?.border) && Number.isNaN(x);
    const marks = patch && Array.from(patch, (x, e) => (nothing(x) ? 0 : phi(first + e, x)));
    let most = 0;
    for (const value of [...curves.flatMap((c) => Array.from(c)), ...(marks ?? [])]) {
      if (Math.abs(value) > most && Number.isFinite(value)) most = Math.abs(value);
    }
    const m = niceCeil(most);
    const hovered = overPatch.at
      ? now.cells.findIndex((r) => inside(r, overPatch.at as { x: number; y: number }))
      : -1;
    now.cells.forEach((r, e) => {
      context.fillStyle = colours.cell;
      context.fillRect(r.x, r.y, r.width, r.height);
      const middle = r.y + r.height / 2;
      const toX = (x: number) => r.x + 2 + ((r.width - 4) * (x - lo)) / (hi - lo);
      const toY = (y: number) => middle - ((r.height / 2 - 3) * y) / m;
      context.strokeStyle = colours.zero;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(r.x, Math.round(middle) + 0.5);
      context.lineTo(r.x + r.width, Math.round(middle) + 0.5);
      context.stroke();
      context.strokeStyle = colours.ink;
      context.lineWidth = 1.3;
      context.beginPath();
      let pen = false;
      curves[e].forEach((y, k) => {
        if (!Number.isFinite(y)) {
          pen = false;
          return;
        }
        const x = toX(lo + ((hi - lo) * k) / (points - 1));
        if (pen) context.lineTo(x, toY(y));
        else context.moveTo(x, toY(y));
        pen = true;
      });
      context.stroke();
      if (patch && marks && Number.isFinite(patch[e]) && Number.isFinite(marks[e])) {
        const [cx, cy] = [toX(patch[e]), toY(marks[e])];
        context.strokeStyle = colours.accent;
        context.globalAlpha = 0.5;
        context.lineWidth = 1;
        context.beginPath();
        context.moveTo(cx, r.y);
        context.lineTo(cx, r.y + r.height);
        context.stroke();
        context.globalAlpha = 1;
        context.fillStyle = colours.accent;
        context.beginPath();
        context.arc(cx, cy, 3, 0, 2 * Math.PI);
        context.fill();
      }
    });
    if (hovered >= 0) outline(context, now.cells[hovered], colours.muted, 1, 0.5);
    const same = selection?.out === kernel.out && selection.in === kernel.in;
    if (selection && same)
      frameSelected(context, now.cells[selection.row * kw + selection.column], colours);
    if (cellCursor >= 0 && cellCursor < kh * kw && document.activeElement === close.canvas) {
      context.setLineDash([3, 2]);
      outline(context, now.cells[cellCursor], colours.ink, 1.5, -1);
      context.setLineDash([]);
    }
    close.canvas.style.cursor = hovered >= 0 ? "pointer" : "";
    const name = inputs > 1 || (swept?.channels ?? 1) > 1;
    const which = `out ${output}${name ? `, channel ${kernel.channel}` : ""}`;
    const part = marks?.reduce((a, b) => a + b, 0) ?? 0;
    const total = place
      ? grids.get(place.output)?.data[place.row * (swept?.width ?? 0) + place.column]
      : undefined;
    const more =
      swept && sourcesOf(swept, output).length > 1 ? `; all channels ${number(total ?? 0)}` : "";
    const words = place
      ? `${which}: Σ φ = ${Number.isFinite(part) ? number(part) : "not finite"}${more} · φ ±${number(m)}`
      : `${which}: point at a pixel · φ ±${number(m)}`;
    if (sum.textContent !== words) sum.textContent = words;
    describe(
      close.canvas,
      `The functions of the kernel ${which}${place ? " with the inputs of the patch" : ""}. ` +
        "Arrow keys move between entries; Enter selects.",
    );
    if (hovered >= 0) {
      const box = close.canvas.getBoundingClientRect();
      const r = now.cells[hovered];
      const lines =
        patch && marks
          ? [
              { label: layer.variable, value: number(patch[hovered]) },
              {
                label: "φ",
                value: Number.isFinite(marks[hovered]) ? number(marks[hovered]) : "not finite",
              },
            ]
          : [{ label: "φ", value: "point at a pixel of the response" }];
      desk.showTip(
        `out ${kernel.out} · in ${kernel.in} · row ${Math.floor(hovered / kw)} · column ${hovered % kw}`,
        lines,
        { ...r, x: box.left + r.x, y: box.top + r.y },
      );
    }
  }

  function readoutOf({ grids, swept, source }: Drawn, place: Place | null, title: string): string {
    if (!place || !swept) {
      return source.image ? "Point at a pixel of a response; click to keep it." : "";
    }
    const value = grids.get(place.output)?.data[place.row * swept.width + place.column];
    const text = value !== undefined && Number.isFinite(value) ? number(value) : "not finite";
    const keeps = pinned === place ? " · kept" : "";
    return `${title} · row ${place.row} · column ${place.column} · response ${text}${keeps}`;
  }

  // ---- controls inside the figures

  function showKinds(source: Source) {
    const list = source.choices.join();
    if (list !== listedKinds) {
      listedKinds = list;
      kinds.replaceChildren(
        ...source.choices.map((value) => {
          const [label, title] = INPUT_WORDS[value];
          const holder = element(document, "label", "kw-segment");
          holder.title = title;
          const input = element(document, "input", "kw-hidden", holder);
          input.type = "radio";
          input.name = group;
          input.value = value;
          input.title = title;
          input.setAttribute("aria-label", label);
          element(document, "span", "kw-segment-text", holder).textContent = label;
          return holder;
        }),
      );
    }
    for (const input of kinds.querySelectorAll("input"))
      input.checked = input.value === source.input;
  }

  function showOutputs(layer: LayerLayout, total: number, single: number) {
    const list = `${layer.name}|${total}`;
    if (list !== listedOutputs) {
      listedOutputs = list;
      const options = [-1, ...Array.from({ length: Math.min(total, 4096) }, (_, k) => k)];
      choice.replaceChildren(
        ...options.map((value) => {
          const option = document.createElement("option");
          option.value = String(value);
          option.textContent = value < 0 ? "all outputs" : `out ${value}`;
          return option;
        }),
      );
    }
    choice.hidden = total < 2;
    if (choice.value !== String(single)) choice.value = String(single);
  }

  function showImages(source: Source, ratio: number) {
    const { images, sample, input } = source;
    const count = Math.min(images?.count ?? 0, 64);
    const key = [images, count, ratio];
    if (key.some((part, k) => part !== listedImages[k])) {
      listedImages = key;
      strip.replaceChildren(
        ...Array.from({ length: count }, (_, k) => {
          const button = element(document, "button", "kw-thumbnail");
          button.type = "button";
          button.title = `Image ${k}`;
          button.setAttribute("aria-label", `image ${k}`);
          button.addEventListener("click", () => desk.choose("sample", k), { signal });
          const canvas = element(document, "canvas", "kw-thumbnail-canvas", button);
          thumbnail(canvas, images as Images, k);
          return button;
        }),
      );
    }
    strip.querySelectorAll("button").forEach((button, k) => {
      button.setAttribute("aria-pressed", String(k === sample && input !== "drawn"));
    });
  }

  function thumbnail(canvas: HTMLCanvasElement, images: Images, index: number) {
    const { channels, width, height, data } = images;
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    const image = context?.createImageData(width, height);
    if (!context || !image?.data) return;
    const pixels = new Uint32Array(image.data.buffer);
    const start = index * channels * width * height;
    const values = data.subarray(start, start + width * height);
    const [lo, hi] = rangeOf({ ...images, count: 1, channels: 1, data: values });
    values.forEach((value, p) => {
      const share = (value - lo) / (hi - lo);
      pixels[p] = greys[Number.isFinite(share) ? Math.round(255 * share) : 128];
    });
    context.putImageData(image, 0, 0);
  }

  // ---- drawing

  function fitDrawing(width: number, height: number, ground: number) {
    if (drawing.width === width && drawing.height === height) return;
    const data = new Float32Array(width * height).fill(ground);
    if (kept && kept.width === width && kept.height === height) data.set(kept.data);
    drawing = { count: 1, channels: 1, height, width, data };
    drawingVersion++;
  }

  function line(from: [number, number], to: [number, number], erase: boolean) {
    const [ground, full] = ink;
    const radius = brushRadius(drawing.width, drawing.height);
    if (erase) stroke(drawing, from, to, 1.6 * radius, full, ground);
    else stroke(drawing, from, to, radius, ground, full);
    drawingVersion++;
    desk.schedule();
  }

  function finish() {
    kept = { ...drawing, data: drawing.data.slice() };
    keepDrawing(kept);
  }

  /** The place of the mouse in pixels of the image. */
  function onImage(event: MouseEvent): [number, number] {
    const at = placeOf(event, given.canvas);
    const box = drawn?.image ?? { width: 1, height: 1 };
    return [((at.x - 1) / box.width) * drawing.width, ((at.y - 1) / box.height) * drawing.height];
  }

  given.canvas.addEventListener(
    "pointerdown",
    (event) => {
      if (drawn?.source.input !== "drawn" || (event.button !== 0 && event.button !== 2)) return;
      const at = onImage(event);
      pen = { at, erase: event.shiftKey || event.button === 2 };
      given.canvas.setPointerCapture?.(event.pointerId);
      line(at, at, pen.erase);
      event.preventDefault();
      given.canvas.focus({ preventScroll: true });
    },
    { signal },
  );
  given.canvas.addEventListener(
    "pointermove",
    (event) => {
      if (!pen) return;
      // A fast hand: the browser keeps the places between two animation frames.
      const moves = event.getCoalescedEvents?.() ?? [];
      for (const move of moves.length > 0 ? moves : [event]) {
        const to = onImage(move);
        line(pen.at, to, pen.erase);
        pen.at = to;
      }
    },
    { signal },
  );
  for (const end of ["pointerup", "pointercancel"] as const) {
    given.canvas.addEventListener(
      end,
      () => {
        if (!pen) return;
        pen = null;
        finish();
      },
      { signal },
    );
  }
  given.canvas.addEventListener(
    "contextmenu",
    (event) => {
      if (drawn?.source.input === "drawn") event.preventDefault();
    },
    { signal },
  );
  given.canvas.addEventListener(
    "keydown",
    (event) => {
      if (drawn?.source.input !== "drawn" || !plainKey(event)) return;
      const direction = DIRECTIONS[event.key];
      const [x, y] = penCursor ?? [drawing.width >> 1, drawing.height >> 1];
      penCursor = [x, y];
      if (direction) {
        const [across, down] = MOVES[direction];
        penCursor = [
          Math.max(0, Math.min(drawing.width - 1, x + across)),
          Math.max(0, Math.min(drawing.height - 1, y + down)),
        ];
        desk.say(`row ${penCursor[1]}, column ${penCursor[0]}`);
      } else if (event.key === " " || event.key === "Enter" || event.key === "Backspace") {
        const at: [number, number] = [x + 0.5, y + 0.5];
        line(at, at, event.key === "Backspace");
        finish();
      } else return;
      used(event);
      desk.schedule();
    },
    { signal },
  );
  clear.addEventListener(
    "click",
    () => {
      drawing.data.fill(ink[0]);
      drawingVersion++;
      finish();
      desk.schedule();
    },
    { signal },
  );

  // ---- the response

  made.canvas.addEventListener(
    "click",
    (event) => {
      if (!drawn?.swept) return;
      overMap.at = placeOf(event, made.canvas);
      const place = placeNow(drawn.rects, drawn.swept);
      const again =
        pinned &&
        place &&
        pinned.row === place.row &&
        pinned.column === place.column &&
        pinned.output === place.output;
      pinned = again ? null : place;
      if (place && !again) selectKernel(place.output);
      desk.schedule();
    },
    { signal },
  );
  made.canvas.addEventListener(
    "keydown",
    (event) => {
      if (!drawn?.swept || !plainKey(event)) return;
      const { swept, outputs } = drawn;
      const direction = DIRECTIONS[event.key];
      const at = pinned ?? {
        output: drawn.output,
        row: swept.height >> 1,
        column: swept.width >> 1,
      };
      const index = Math.max(0, outputs.indexOf(at.output));
      if (direction) {
        const [across, down] = MOVES[direction];
        pinned = {
          output: outputs[index] ?? 0,
          row: Math.max(0, Math.min(swept.height - 1, at.row + (pinned ? down : 0))),
          column: Math.max(0, Math.min(swept.width - 1, at.column + (pinned ? across : 0))),
        };
      } else if (event.key === "PageDown" || event.key === "PageUp") {
        const to = index + (event.key === "PageDown" ? 1 : -1);
        pinned = { ...at, output: outputs[Math.max(0, Math.min(outputs.length - 1, to))] };
      } else if (event.key === "Enter" || event.key === " ") {
        pinned = at;
        selectKernel(at.output);
      } else if (event.key === "Escape" && pinned) pinned = null;
      else return;
      overMap.at = null;
      if (pinned) desk.say(readoutOf(drawn, pinned, `out ${pinned.output}`));
      used(event);
      desk.schedule();
    },
    { signal },
  );

  /** Selects the kernel of an output, at the entry that is selected already. */
  function selectKernel(output: number) {
    if (!drawn?.swept) return;
    const { store, layer, swept } = drawn;
    const before = store.selection();
    const mine = before?.layer === layer.name ? before : null;
    const kernels = sourcesOf(swept, output);
    const kernel = kernels.find((k) => k.in === mine?.in) ?? kernels[0];
    const [row, column] = [mine?.row ?? 0, mine?.column ?? 0];
    ownSelection = true;
    store.select({ layer: layer.name, out: kernel.out, in: kernel.in, row, column });
    ownSelection = false;
  }
  let ownSelection = false;

  function selectEntry(entry: number) {
    if (!drawn || entry < 0) return;
    const { store, layer, kernel } = drawn;
    const kw = layer.shape[3];
    const row = Math.floor(entry / kw);
    ownSelection = true;
    store.select({
      layer: layer.name,
      out: kernel.out,
      in: kernel.in,
      row,
      column: entry - row * kw,
    });
    ownSelection = false;
    desk.schedule();
  }

  close.canvas.addEventListener(
    "click",
    (event) => {
      const at = placeOf(event, close.canvas);
      selectEntry(drawn?.cells.findIndex((r) => inside(r, at)) ?? -1);
    },
    { signal },
  );
  close.canvas.addEventListener(
    "keydown",
    (event) => {
      if (!drawn || !plainKey(event)) return;
      const [, , kh, kw] = drawn.layer.shape;
      const direction = DIRECTIONS[event.key];
      const from = Math.max(0, cellCursor);
      if (direction) {
        const [across, down] = MOVES[direction];
        const column = Math.max(0, Math.min(kw - 1, (from % kw) + (cellCursor < 0 ? 0 : across)));
        const row = Math.floor(from / kw) + (cellCursor < 0 ? 0 : down);
        cellCursor = Math.max(0, Math.min(kh - 1, row)) * kw + column;
        desk.say(`row ${Math.floor(cellCursor / kw)}, column ${cellCursor % kw}`);
      } else if ((event.key === "Enter" || event.key === " ") && cellCursor >= 0) {
        selectEntry(cellCursor);
      } else return;
      used(event);
      desk.schedule();
    },
    { signal },
  );
  for (const canvas of [given.canvas, made.canvas, close.canvas]) {
    for (const event of ["focus", "blur"])
      canvas.addEventListener(event, desk.schedule, { signal });
  }
  signal.addEventListener("abort", leave, { once: true });

  const client = (canvas: HTMLCanvasElement, r: Rect | undefined): Rect | null => {
    if (!r) return null;
    const box = canvas.getBoundingClientRect();
    return { ...r, x: box.left + r.x, y: box.top + r.y };
  };
  return {
    element: root,
    draw,
    leave,
    response(output) {
      if (!drawn?.swept || !scene || output >= drawn.swept.outputs) return null;
      const grid = drawn.grids.get(output) ?? respond(scene.frame, drawn.swept, output);
      return { width: grid.width, height: grid.height, data: Array.from(grid.data) };
    },
    input() {
      const image = drawn?.source.image;
      if (!image) return null;
      const { channels, height, width, data } = image;
      return { channels, height, width, data: Array.from(data) };
    },
    drawLine(points) {
      points.forEach((to, k) => {
        line(points[Math.max(0, k - 1)], to, false);
      });
      finish();
    },
    probe() {
      if (!drawn?.swept) return null;
      const place = placeNow(drawn.rects, drawn.swept);
      const grid = place && drawn.grids.get(place.output);
      if (!place || !grid) return null;
      const patch = patchAt(drawn.swept, place.row, place.column, drawn.kernel.channel);
      const value = grid.data[place.row * grid.width + place.column];
      return { ...place, patch: Array.from(patch), value };
    },
    inputRect: () => client(given.canvas, drawn ? { ...drawn.image, x: 1, y: 1 } : undefined),
    mapRect: (output) => client(made.canvas, drawn?.rects.get(output)),
    patchCell: (entry) => client(close.canvas, drawn?.cells[entry]),
    takeDrawing(raw) {
      const images = imagesOf(raw);
      if (!images || pen) return;
      if (kept && same(kept, images)) return;
      kept = images;
      if (images.width !== drawing.width || images.height !== drawing.height) return;
      drawing = { ...drawing, data: images.data.slice(0, images.width * images.height) };
      drawingVersion++;
      desk.schedule();
    },
    follow() {
      if (ownSelection || !drawn?.swept || !scene) return;
      const selection = drawn.store.selection();
      if (selection?.layer !== drawn.layer.name) return;
      const output = outputOf(drawn.swept, selection, drawn.output);
      if (pinned) pinned = { ...pinned, output };
      if (scene.settings.output >= 0 && scene.settings.output !== output) {
        desk.choose("output", output);
      }
    },
  };
}

/** The output of a selected kernel; where kernels are shared, on the channel of another output. */
function outputOf(swept: Swept | null, selection: Selection | null, like = 0): number {
  if (!swept || !selection) return Math.min(like, Math.max(0, (swept?.outputs ?? 1) - 1));
  const [out] = swept.layer.shape;
  return swept.conv.shared ? Math.floor(like / out) * out + selection.out : selection.out;
}

/** Whether an output comes from the selected kernel. */
function likeSelection(swept: Swept, selection: Selection): (output: number) => boolean {
  const [out] = swept.layer.shape;
  return (output) => (swept.conv.shared ? output % out : output) === selection.out;
}

function same(a: Images, b: Images): boolean {
  return (
    a.width === b.width &&
    a.height === b.height &&
    a.data.length === b.data.length &&
    a.data.every((value, k) => Object.is(value, b.data[k]))
  );
}

const littleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
const greys = Uint32Array.from({ length: 256 }, (_, v) =>
  littleEndian ? (255 << 24) | (v << 16) | (v << 8) | v : (v << 24) | (v << 16) | (v << 8) | 255,
);
