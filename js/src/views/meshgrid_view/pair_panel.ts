/** The surface φ_i(x) + φ_j(y) of two entries, chosen on a small map of their kernel beside it. */

import { layerTitle } from "../../phi/entries.ts";
import { number } from "../../phi/format.ts";
import type { Rect } from "../../phi/geometry.ts";
import { exactAt } from "../../phi/interpolate.ts";
import { memory } from "../../phi/memory.ts";
import { ARM, colourise, colourOf } from "../../phi/palette.ts";
import { niceCeil } from "../../phi/ranges.ts";
import { describe, hasKeyboard } from "../../shell/alternative.ts";
import { radioName } from "../../shell/controls.ts";
import { element } from "../../shell/element.ts";
import { DIRECTIONS, plainKey, used } from "../../shell/keys.ts";
import type { Frame, LayerLayout } from "../../wire/types.ts";
import { levelsOf } from "./contours.ts";
import { createAtlas } from "./heat.ts";
import {
  type Density,
  densityOf,
  domainOf,
  entryIn,
  functionIn,
  type Group,
  groupOf,
  observedEntry,
  partnerOf,
  type Surface,
  selectionIn,
  surfaceOf,
} from "./pair.ts";
import { badge, drawAxes, drawContours, drawDensity } from "./pair_drawing.ts";
import {
  activeCanvas,
  type Desk,
  type Facts,
  followPointer,
  inside,
  MOVES,
  NO_FACTS,
  outline,
  type Panel,
  placeOf,
  prepare,
  type Scene,
} from "./panel.ts";
import { mostOf, reachOf } from "./ramp.ts";
import { percent } from "./words.ts";

export interface PairPanel extends Panel {
  /** The surface as it is drawn; y rises with the rows. */
  pair(): {
    i: number;
    j: number;
    x: number[];
    y: number[];
    values: number[];
    levels: number[];
    density: { most: number; outside: number } | null;
  } | null;
  /** Client pixels of an entry on the map. */
  entryRect(entry: number): Rect | null;
  /** Client pixels of the surface. */
  plotRect(): Rect | null;
}

/** Points of the surface per axis. */
const POINTS = 65;
const BINS = 24;
const LEFT = 46;
const BOTTOM = 34;
const TOP = 8;
const RIGHT = 12;
const LARGEST = 460;
const NARROW = 520;

interface Drawn {
  group: Group;
  i: number;
  j: number;
  surface: Surface;
  levels: number[];
  density: Density | null;
  plot: Rect;
  cells: Rect[];
}

export function createPairPanel(desk: Desk): PairPanel {
  const { document, signal } = desk;
  const root = element(document, "div", "kw-pair");
  const side = element(document, "div", "kw-side", root);
  const axes = element(document, "div", "kw-axes-choice", side);
  axes.setAttribute("role", "radiogroup");
  axes.setAttribute("aria-label", "Which entry the next click on the kernel sets");
  const name = radioName();
  const radios = (["x", "y"] as const).map((axis) => {
    const holder = element(document, "label", "kw-axis", axes);
    const radio = element(document, "input", "kw-radio", holder);
    radio.type = "radio";
    radio.name = name;
    radio.value = axis;
    radio.title = `The next click on the kernel sets the entry along ${axis}`;
    radio.setAttribute("aria-label", `entry along ${axis}`);
    radio.checked = axis === "x";
    const text = element(document, "span", "kw-axis-text", holder);
    return { radio, text };
  });
  const mapCanvas = activeCanvas(document, "kw-kernel-map");
  side.append(mapCanvas);
  const hint = element(document, "div", "kw-hint", side);
  hint.textContent = "Click two entries: the first is x, the second y.";
  const plotCanvas = activeCanvas(document, "kw-surface-plot");
  root.append(plotCanvas);
  const atlas = createAtlas(document);
  const mapPointer = followPointer(mapCanvas, desk);
  const plotPointer = followPointer(plotCanvas, desk);
  const keep = memory();

  let scene: Scene | null = null;
  let drawn: Drawn | null = null;
  /** The keyboard's place on the map, and on the surface as shares. */
  let cursor = -1;
  let reading: [number, number] | null = null;

  function draw(next: Scene): Facts {
    scene = next;
    const { store, frame, layer, settings, look, width } = next;
    const { colours, palette, ratio } = look;
    const selection = store.selection();
    const group = groupOf(layer, selection);
    const entryX = entryIn(layer, group, selection);
    const entryY = partnerOf(group, entryX, settings.other);
    const i = functionIn(layer, group, entryX);
    const j = functionIn(layer, group, entryY);
    const surface = keep("surface", [frame, layer, i, j], () =>
      surfaceOf(frame, layer, i, j, POINTS),
    );
    const reach = keep("reach", [surface], () => reachOf(surface.values));
    const finite = reach.broken < surface.values.length;
    const most = niceCeil(mostOf(reach));
    const levels = keep("levels", [reach], () => levelsOf(reach.low, reach.high));
    const observed = store.observed(layer.name);
    const [placeX, placeY] = [entryX, entryY].map((e) =>
      observedEntry(layer, selectionIn(layer, group, e)),
    );
    const [rangeX, rangeY] = [domainOf(layer, i), domainOf(layer, j)];
    const density = keep("density", [observed, layer, placeX, placeY], () =>
      observed ? densityOf(observed, placeX, placeY, rangeX, rangeY, BINS) : null,
    );

    // The map of the kernel: a row beside the surface where there is room, above it otherwise.
    const narrow = width < NARROW;
    root.toggleAttribute("data-narrow", narrow);
    const rows = Math.ceil(group.count / group.columns);
    const room = narrow ? Math.min(150, width - 32) : 150;
    const cell = Math.max(4, Math.min(44, Math.floor((room - 4) / group.columns)));
    const gap = cell >= 16 ? 2 : 1;
    const cells = Array.from({ length: group.count }, (_, e) => ({
      x: 3 + (e % group.columns) * cell,
      y: 3 + Math.floor(e / group.columns) * cell,
      width: cell - gap,
      height: cell - gap,
    }));
    const whole = { width: group.columns * cell + 6, height: rows * cell + 6 };
    const sideWidth = narrow ? 0 : 176;
    const size = Math.max(
      120,
      Math.min(LARGEST, settings.height - TOP - BOTTOM, width - sideWidth - LEFT - RIGHT - 24),
    );
    const plot = { x: LEFT, y: TOP, width: size, height: size };
    drawn = { group, i, j, surface, levels, density, plot, cells };

    const names = [entryX, entryY].map((e) => entryName(group, e));
    radios.forEach(({ text }, k) => {
      const words = `${"xy"[k]}: ${names[k]}`;
      if (text.textContent !== words) text.textContent = words;
    });
    drawMap(next, drawn, whole, entryX, entryY);

    const context = prepare(plotCanvas, LEFT + size + RIGHT, TOP + size + BOTTOM, ratio);
    if (!context) return NO_FACTS;
    atlas.load(1, POINTS, POINTS, (_, pixels) => {
      // The picture's rows run down, y runs up.
      const turned = new Float64Array(POINTS * POINTS);
      for (let row = 0; row < POINTS; row++) {
        const from = (POINTS - 1 - row) * POINTS;
        turned.set(surface.values.subarray(from, from + POINTS), row * POINTS);
      }
      colourise(turned, most, palette, pixels, POINTS);
    });
    // Each value fills a square around its point; half a square at every edge lies outside.
    const half = size / (POINTS - 1) / 2;
    context.save();
    context.beginPath();
    context.rect(plot.x, plot.y, size, size);
    context.clip();
    const ground = {
      x: plot.x - half,
      y: plot.y - half,
      width: size + 2 * half,
      height: size + 2 * half,
    };
    atlas.draw(context, 0, ground, reach.broken === 0);
    if (density) drawDensity(context, next, density, plot);
    drawContours(context, next, surface, levels, plot, most);
    context.restore();
    drawAxes(context, next, plot, rangeX, rangeY, names);

    const place = readingPlace(plot);
    if (place) {
      const [across, up] = place;
      const x = rangeX[0] + (rangeX[1] - rangeX[0]) * across;
      const y = rangeY[0] + (rangeY[1] - rangeY[0]) * up;
      const [cx, cy] = [plot.x + across * size, plot.y + (1 - up) * size];
      context.strokeStyle = colours.ink;
      context.lineWidth = 1;
      context.globalAlpha = 0.6;
      context.beginPath();
      context.moveTo(cx, plot.y);
      context.lineTo(cx, plot.y + size);
      context.moveTo(plot.x, cy);
      context.lineTo(plot.x + size, cy);
      context.stroke();
      context.globalAlpha = 1;
      const box = plotCanvas.getBoundingClientRect();
      const lines = readOut(frame, layer, i, j, x, y, density);
      desk.showTip(`${names[0]} and ${names[1]}`, lines, {
        x: box.left + cx - 4,
        y: box.top + cy - 4,
        width: 8,
        height: 8,
      });
    }
    plotCanvas.style.cursor = "crosshair";

    const title = `${layerTitle(layer)} · ${groupName(group)}`;
    describe(
      plotCanvas,
      `Sum of two functions of ${title}: φ of ${names[0]} over x, φ of ${names[1]} over y, ` +
        `from ${number(reach.low)} to ${number(reach.high)}. Arrow keys read the surface.`,
      JSON.stringify([layer.name, i, j]),
    );
    describe(
      mapCanvas,
      `The entries of ${title}. x is ${names[0]}, y is ${names[1]}. ` +
        "Arrow keys move between entries; x or y sets one, Enter the next.",
      JSON.stringify([layer.name, i, j]),
    );
    const noted = [density ? densityWords(density) : "", layer.note].filter((text) => text);
    if (!observed) noted.unshift("live.observe(batch) adds the real inputs");
    return {
      ...NO_FACTS,
      what: "φ + φ",
      scales: { smallest: most, largest: most },
      reach: finite ? { low: reach.low, high: reach.high } : null,
      axis: `${layer.variable} ${number(rangeX[0])} … ${number(rangeX[1])}`,
      warned: reach.broken > 0 ? "not finite where grey" : "",
      noted: noted.join(" · "),
      readout: `${title} · φ(${names[0]}) over x + φ(${names[1]}) over y`,
      selected: selection?.layer === layer.name,
      label: title,
    };
  }

  function drawMap(
    { frame, layer, look }: Scene,
    { group, cells }: Drawn,
    whole: { width: number; height: number },
    entryX: number,
    entryY: number,
  ) {
    const { colours, palette, ratio } = look;
    const context = prepare(mapCanvas, whole.width, whole.height, ratio);
    if (!context) return;
    const hovered = mapPointer.at
      ? cells.findIndex((r) => inside(r, mapPointer.at as { x: number; y: number }))
      : -1;
    const [lo, hi] = layer.domain;
    // Every entry as its own φ from the low end of the grid to the high one, on the kernel's own scale.
    const columns = Math.max(4, Math.min(20, Math.floor(cells[0]?.width ?? 4)));
    const values = keep("map", [frame, layer, group.out, group.in, columns], () =>
      cells.map((_, e) => {
        const f = functionIn(layer, group, e);
        return Float64Array.from({ length: columns }, (_, k) => {
          const x = lo + ((hi - lo) * (k + 0.5)) / columns;
          return exactAt(layer, f, frame, x).phi;
        });
      }),
    );
    const most = Math.max(...values.map((row) => mostOf(reachOf(row))));
    cells.forEach((r, e) => {
      values[e].forEach((phi, k) => {
        const at = 3 * (Number.isFinite(phi) ? colourOf(phi, most) : ARM);
        const [red, green, blue] = palette.bytes.subarray(at, at + 3);
        context.fillStyle = `rgb(${red} ${green} ${blue})`;
        const left = r.x + Math.round((k * r.width) / columns);
        const right = r.x + Math.round(((k + 1) * r.width) / columns);
        context.fillRect(left, r.y, right - left, r.height);
      });
    });
    if (hovered >= 0) outline(context, cells[hovered], colours.ink, 1, 0.5);
    context.font = look.font(10);
    context.textAlign = "center";
    context.textBaseline = "middle";
    [
      { entry: entryY, text: "y", colour: colours.ink },
      { entry: entryX, text: "x", colour: colours.accent },
    ].forEach(({ entry, text, colour }) => {
      const r = cells[entry];
      outline(context, r, colours.surface, 4, 1);
      outline(context, r, colour, 2, 1);
      if (r.width >= 14) badge(context, text, r, colour, colours.surface, text === "x");
    });
    if (cursor >= 0 && cursor < cells.length && hasKeyboard(mapCanvas)) {
      context.setLineDash([3, 2]);
      outline(context, cells[cursor], colours.ink, 1.5, -2);
      context.setLineDash([]);
    }
    mapCanvas.style.cursor = hovered >= 0 ? "pointer" : "";
  }

  /** Where the surface is read, as shares of its width and height from the bottom left. */
  function readingPlace(plot: Rect): [number, number] | null {
    const at = plotPointer.at;
    if (at) {
      if (!inside(plot, at)) return null;
      return [(at.x - plot.x) / plot.width, 1 - (at.y - plot.y) / plot.height];
    }
    return hasKeyboard(plotCanvas) ? reading : null;
  }

  function readOut(
    frame: Frame,
    layer: LayerLayout,
    i: number,
    j: number,
    x: number,
    y: number,
    density: Density | null,
  ) {
    const [a, b] = [exactAt(layer, i, frame, x).phi, exactAt(layer, j, frame, y).phi];
    const print = (value: number) => (Number.isFinite(value) ? number(value) : "not finite");
    const lines = [
      { label: "x", value: number(x) },
      { label: "y", value: number(y) },
      { label: "φ(x)", value: print(a) },
      { label: "φ(y)", value: print(b) },
      { label: "sum", value: print(a + b) },
    ];
    if (density) {
      const bin = (value: number, f: number) => {
        const [lo, hi] = domainOf(layer, f);
        return Math.max(0, Math.min(BINS - 1, Math.floor(((value - lo) / (hi - lo)) * BINS)));
      };
      const share = density.shares[bin(y, j) * BINS + bin(x, i)];
      lines.push({ label: "inputs", value: share > 0 ? percent(share) : "none" });
    }
    return lines;
  }

  function setEntry(axis: "x" | "y", entry: number) {
    if (!scene || !drawn || entry < 0) return;
    const { layer, store, settings } = scene;
    const { group } = drawn;
    if (axis === "x") {
      // The other one stays where it is, also where it was only the opposite of the first.
      const before = entryIn(layer, group, store.selection());
      const partner = partnerOf(group, before, settings.other);
      if (settings.other < 0) desk.choose("other", partner === entry ? before : partner);
      store.select(selectionIn(layer, group, entry));
    } else {
      desk.choose("other", entry);
      if (store.selection()?.layer !== layer.name) {
        store.select(selectionIn(layer, group, entryIn(layer, group, null)));
      }
    }
    const next = axis === "x" ? 1 : 0;
    radios[next].radio.checked = true;
    desk.say(`${axis} is ${entryName(group, entry)}`);
    desk.schedule();
  }

  const active = () => (radios[0].radio.checked ? "x" : "y");

  mapCanvas.addEventListener(
    "click",
    (event) => {
      const at = placeOf(event, mapCanvas);
      const entry = drawn?.cells.findIndex((r) => inside(r, at)) ?? -1;
      cursor = entry;
      setEntry(active(), entry);
    },
    { signal },
  );
  mapCanvas.addEventListener(
    "keydown",
    (event) => {
      if (!scene || !drawn || !plainKey(event)) return;
      const { group } = drawn;
      const direction = DIRECTIONS[event.key];
      if (direction) {
        const from = cursor >= 0 ? cursor : entryIn(scene.layer, group, scene.store.selection());
        const [across, down] = MOVES[direction];
        const column = (from % group.columns) + across;
        const to = from + across + down * group.columns;
        if (column >= 0 && column < group.columns && to >= 0 && to < group.count) cursor = to;
        else cursor = from;
        desk.say(entryName(group, cursor));
      } else if (event.key === "Enter" || event.key === " ") setEntry(active(), cursor);
      else if (event.key === "x" || event.key === "y") setEntry(event.key, cursor);
      else return;
      used(event);
      desk.schedule();
    },
    { signal },
  );
  plotCanvas.addEventListener(
    "keydown",
    (event) => {
      const direction = DIRECTIONS[event.key];
      if (!scene || !drawn || !direction || !plainKey(event)) return;
      const step = event.shiftKey ? 0.1 : 0.025;
      const [across, down] = MOVES[direction];
      const [x, y] = reading ?? [0.5, 0.5];
      const within = (v: number) => Math.max(0, Math.min(1, v));
      reading = [within(x + step * across), within(y - step * down)];
      const { i, j } = drawn;
      const at = (f: number, share: number) => {
        const [lo, hi] = domainOf((scene as Scene).layer, f);
        return lo + (hi - lo) * share;
      };
      const lines = readOut(
        scene.frame,
        scene.layer,
        i,
        j,
        at(i, reading[0]),
        at(j, reading[1]),
        drawn.density,
      );
      desk.say(lines.map(({ label, value }) => `${label} ${value}`).join(", "));
      plotPointer.at = null;
      used(event);
      desk.schedule();
    },
    { signal },
  );
  for (const canvas of [mapCanvas, plotCanvas]) {
    for (const event of ["focus", "blur"]) {
      canvas.addEventListener(event, desk.schedule, { signal });
    }
  }

  const client = (canvas: HTMLCanvasElement, r: Rect | undefined): Rect | null => {
    if (!r) return null;
    const box = canvas.getBoundingClientRect();
    return { ...r, x: box.left + r.x, y: box.top + r.y };
  };
  return {
    element: root,
    draw,
    pair() {
      if (!drawn) return null;
      const { i, j, surface, levels, density } = drawn;
      return {
        i,
        j,
        x: Array.from(surface.x),
        y: Array.from(surface.y),
        values: Array.from(surface.values),
        levels,
        density: density && { most: density.most, outside: density.outside },
      };
    },
    entryRect: (entry) => client(mapCanvas, drawn?.cells[entry]),
    plotRect: () => client(plotCanvas, drawn?.plot),
  };
}

function entryName(group: Group, entry: number): string {
  if (group.byInput) return `input ${entry}`;
  return `row ${Math.floor(entry / group.columns)}, column ${entry % group.columns}`;
}

function groupName(group: Group): string {
  return group.byInput ? `out ${group.out}` : `out ${group.out} · in ${group.in}`;
}

function densityWords(density: Density): string {
  const out = density.outside > 0 ? `, ${percent(density.outside)} lie outside` : "";
  return `dots: real inputs, the largest ${percent(density.most)}${out}`;
}
