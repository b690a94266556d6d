/** The kernels swept over an image: the image, the response, and the patch under one pixel on its φ. */

import { describe, hasKeyboard } from "../shared/alternative.ts";
import { createKit } from "../shared/controls.ts";
import { element } from "../shared/element.ts";
import { counted, entryText, functionOf, layerTitle } from "../shared/entries.ts";
import { number } from "../shared/format.ts";
import type { Rect } from "../shared/geometry.ts";
import { DIRECTIONS, plainKey, used } from "../shared/keys.ts";
import { memory } from "../shared/memory.ts";
import { colourise } from "../shared/palette.ts";
import { probeOf } from "../shared/probe.ts";
import { niceCeil } from "../shared/ranges.ts";
import type { LayerLayout, Selection, Store } from "../shared/types.ts";
import { greyPixel } from "./grey.ts";
import { createAtlas } from "./heat.ts";
import {
  activeCanvas,
  type Desk,
  type Facts,
  followPointer,
  frameSelected,
  inside,
  MOVES,
  NO_FACTS,
  outline,
  type Panel,
  placeOf,
  prepare,
  type Scene,
} from "./panel.ts";
import { paintPatch, patchCells, patchOf } from "./patch.ts";
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
import { layOutResponse, type MapsLayout, placeMaps } from "./response_layout.ts";
import type { Images, Input, RawArray } from "./settings.ts";
import { createSketch } from "./sketch.ts";
import { blankFor, mapsOf, rangeOf, type Source, sourceOf } from "./source.ts";
import { createThumbnails } from "./thumbnails.ts";

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

  const kit = createKit(document, signal);
  const kinds = kit.segments("Input", (value) => desk.choose("input", value));
  kinds.box.classList.add("kw-small");
  given.head.append(kinds.box);
  const strip = createThumbnails(desk);
  given.foot.append(strip.element);
  const clear = kit.button("clear", "Clear the drawing", "kw-button", () => sketch.clear());
  given.foot.append(clear);
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
  const sketch = createSketch(
    desk,
    given.canvas,
    () => drawn?.source.input === "drawn",
    () => drawn?.image ?? null,
    keepDrawing,
  );

  let drawn: Drawn | null = null;
  let scene: Scene | null = null;
  let pinned: Place | null = null;
  let published: string | null = null;
  let cellCursor = -1;
  /** The input and φ of an entry of the patch, in words; empty without a pixel. */
  let readEntry: (entry: number) => string = () => "";
  let listedKinds = "";
  let listedOutputs = "";

  function draw(next: Scene): Facts {
    scene = next;
    const { store, frame, layer, settings, images } = next;
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
    sketch.fit(blank.width, blank.height, blank.ground, blank.ink);
    const drawing = sketch.image();
    const source = keep(
      "source",
      [
        ...[layer, observed, images, drawing, sketch.version()],
        ...[settings.input, settings.sample, ...settings.limits],
        ...[settings.direction, settings.resolution],
      ],
      () => sourceOf(layer, observed, images, drawing, blank, settings),
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

    const wide = layOutResponse(next.width, settings.height, outputs.length, swept, sketch.image());
    root.dataset.columns = String(wide.columns);
    root.style.gridTemplateColumns = wide.template;
    const rects = placeMaps(outputs, swept, wide.maps);
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
    strip.show(source);
    clear.hidden = source.input !== "drawn";
    brushHint.hidden = source.input !== "drawn";

    drawImage(next, drawn, place);
    const most = drawMaps(next, drawn, reaches, place, selection, wide.maps, problem);
    drawPatch(next, drawn, place, selection, wide.patch);

    const low = Math.min(...[...reaches.values()].map((r) => r.low));
    const high = Math.max(...[...reaches.values()].map((r) => r.high));
    const broken = [...reaches.values()].reduce((n, r) => n + r.broken, 0);
    const title = `${layerTitle(layer)} · out ${output}`;
    describe(
      made.canvas,
      `Response of layer ${layerTitle(layer)}, ${counted(outputs.length, "output")}` +
        `${swept ? `, from ${number(low)} to ${number(high)}` : ""}. ${place ? `${readoutOf(drawn, place, `out ${output}`)}. ` : ""}` +
        `${selection ? `Selected: ${entryText(layer, functionOf(layer, selection))}. ` : ""}` +
        "Arrow keys move between pixels, Page Up and Page Down between outputs; Enter selects the kernel.",
      JSON.stringify([layer.name, outputs.length, place, selection]),
    );
    describe(
      given.canvas,
      source.input === "drawn"
        ? "The drawing. Draw with the mouse; with the keyboard, arrows move the pen, Space draws, Backspace erases."
        : `The input, ${source.input}${source.count > 1 ? ` ${source.sample} of ${source.count}` : ""}.`,
      JSON.stringify([layer.name, source.input, source.sample]),
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
    const key = place && swept ? JSON.stringify([place, sketch.version(), layer.name]) : null;
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
        pixels[p] = greyPixel(image.data[start + p], lo, hi);
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
    if (source.input === "drawn" && sketch.pen() && hasKeyboard(given.canvas)) {
      const [x, y] = sketch.pen() ?? [0, 0];
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
    { labels }: MapsLayout,
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
    const laid = patchCells(kh, kw, side);
    const { cells } = laid;
    now.cells = cells;
    const context = prepare(close.canvas, laid.width, laid.height, ratio);
    if (!context) return;
    const given = place && swept ? patchAt(swept, place.row, place.column, kernel.channel) : null;
    const points = Math.max(12, Math.min(48, cells[0].width));
    const patch = patchOf(frame, layer, kernel, given, Boolean(swept?.border), points);
    const hovered = overPatch.at
      ? cells.findIndex((r) => inside(r, overPatch.at as { x: number; y: number }))
      : -1;
    readEntry = (entry) =>
      patch.inputs && patch.values
        ? `, ${layer.variable} ${number(patch.inputs[entry])}, φ ${number(patch.values[entry])}`
        : "";
    paintPatch(context, patch, cells, colours);
    if (hovered >= 0) outline(context, now.cells[hovered], colours.muted, 1, 0.5);
    const same = selection?.out === kernel.out && selection.in === kernel.in;
    if (selection && same)
      frameSelected(context, now.cells[selection.row * kw + selection.column], colours);
    if (cellCursor >= 0 && cellCursor < kh * kw && hasKeyboard(close.canvas)) {
      context.setLineDash([3, 2]);
      outline(context, now.cells[cellCursor], colours.ink, 1.5, -1);
      context.setLineDash([]);
    }
    close.canvas.style.cursor = hovered >= 0 ? "pointer" : "";
    const name = inputs > 1 || (swept?.channels ?? 1) > 1;
    const which = `out ${output}${name ? `, channel ${kernel.channel}` : ""}`;
    const part = patch.values?.reduce((a, b) => a + b, 0) ?? 0;
    const total = place
      ? grids.get(place.output)?.data[place.row * (swept?.width ?? 0) + place.column]
      : undefined;
    const more =
      swept && sourcesOf(swept, output).length > 1 ? `; all channels ${number(total ?? 0)}` : "";
    const words = place
      ? `${which}: Σ φ = ${Number.isFinite(part) ? number(part) : "not finite"}${more} · φ ±${number(patch.most)}`
      : `${which}: point at a pixel · φ ±${number(patch.most)}`;
    if (sum.textContent !== words) sum.textContent = words;
    describe(
      close.canvas,
      `The functions of the kernel ${which} of layer ${layerTitle(layer)}, φ ±${number(patch.most)}` +
        `${place ? ", with the inputs of the patch" : ""}. ` +
        `${selection && same ? `Selected: row ${selection.row}, column ${selection.column}. ` : ""}` +
        "Arrow keys move between entries; Enter selects.",
      JSON.stringify([layer.name, which, place, selection]),
    );
    if (hovered >= 0) {
      const box = close.canvas.getBoundingClientRect();
      const r = now.cells[hovered];
      const lines =
        patch.inputs && patch.values
          ? [
              { label: layer.variable, value: number(patch.inputs[hovered]) },
              {
                label: "φ",
                value: Number.isFinite(patch.values[hovered])
                  ? number(patch.values[hovered])
                  : "not finite",
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
      kinds.fill(
        source.choices.map((value) => {
          const [label, title] = INPUT_WORDS[value];
          return { value, label, title };
        }),
      );
    }
    kinds.set(source.input);
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
        const place = `row ${Math.floor(cellCursor / kw)}, column ${cellCursor % kw}`;
        desk.say(place + readEntry(cellCursor));
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
    drawLine: sketch.drawLine,
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
    takeDrawing: sketch.take,
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
