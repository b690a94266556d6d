/** Every φ of a layer over one input matrix, as small heat maps where the kernels have them. */

import type { Curves } from "../../phi/curves.ts";
import {
  counted,
  entryText,
  functionOf,
  layerSize,
  layerTitle,
  selectionOf,
} from "../../phi/entries.ts";
import { number } from "../../phi/format.ts";
import {
  type Arrangement,
  arrange,
  blockOf,
  cellAt,
  kernelsWithin,
  neighbour,
  type Rect,
  rectOf,
  underHead,
} from "../../phi/geometry.ts";
import { exactAt } from "../../phi/interpolate.ts";
import { memory } from "../../phi/memory.ts";
import { colourise } from "../../phi/palette.ts";
import { kernelRanges, layerRange, niceCeil } from "../../phi/ranges.ts";
import { describe } from "../../shell/alternative.ts";
import { element } from "../../shell/element.ts";
import { DIRECTIONS, plainKey, used } from "../../shell/keys.ts";
import type { Line } from "../../shell/tip.ts";
import type { LayerLayout } from "../../wire/types.ts";
import { paintLabels, paintStuckHead } from "./heads.ts";
import { createAtlas } from "./heat.ts";
import {
  activeCanvas,
  type Desk,
  type Facts,
  followPointer,
  frameSelected,
  NO_FACTS,
  outline,
  type Panel,
  placeOf,
  prepare,
  type Scene,
} from "./panel.ts";
import { evaluateRamp, makeRamp, matrixOf, placeIn, planOf, type Ramp } from "./ramp.ts";
import type { Direction, Scale } from "./settings.ts";

export interface RampPanel extends Panel {
  /** The n × n values of function f. */
  heat(f: number): { width: number; height: number; data: number[] } | null;
  /** The cell of function f in client pixels. */
  rectOf(f: number): { x: number; y: number; width: number; height: number } | null;
  scaleOf(f: number): number;
  hovered(): number;
  forget(): void;
}

export interface Spread {
  /** Per function, the largest distance from zero; NaN where nothing is finite. */
  most: Float32Array;
  /** Functions with values that are not finite, in part or as a whole. */
  broken: number;
  low: number;
  high: number;
}

/** How far the functions reach over the ramp, from what is finite of them. */
export function spreadOf(layer: LayerLayout, { y, points }: Curves): Spread {
  const most = new Float32Array(layer.count);
  let broken = 0;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let f = 0; f < layer.count; f++) {
    let least = Number.POSITIVE_INFINITY;
    let largest = Number.NEGATIVE_INFINITY;
    let whole = true;
    for (let p = f * points; p < (f + 1) * points; p++) {
      const value = y[p];
      if (!(Math.abs(value) <= Number.MAX_VALUE)) whole = false;
      else {
        if (value < least) least = value;
        if (value > largest) largest = value;
      }
    }
    if (!whole) broken++;
    most[f] = least <= largest ? Math.max(-least, largest) : Number.NaN;
    if (least < low) low = least;
    if (largest > high) high = largest;
  }
  return { most, broken, low, high };
}

/** Half the range of the colours of each function. */
export function scalesOf(layer: LayerLayout, most: Float32Array, scale: Scale) {
  const size = layer.shape[2] * layer.shape[3];
  if (scale === "layer") {
    const all = niceCeil(layerRange(most));
    return { of: (_: number) => all, smallest: all, largest: all };
  }
  const own = Array.from(scale === "kernel" ? kernelRanges(layer, most) : most, niceCeil);
  const finite = own.filter((_, k) => scale === "kernel" || !Number.isNaN(most[k]));
  const step = scale === "kernel" ? size : 1;
  return {
    of: (f: number) => own[Math.floor(f / step)],
    smallest: finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    largest: finite.reduce((a, b) => Math.max(a, b), 0),
  };
}

const WORDS: Record<Direction, string> = {
  horizontal: "from left to right",
  vertical: "from top to bottom",
  diagonal: "from the top left to the bottom right",
  radial: "from the middle to the corners",
};

export function createRampPanel(desk: Desk): RampPanel {
  const { document, signal } = desk;
  const viewport = element(document, "div", "kw-viewport");
  const page = element(document, "div", "kw-page", viewport);
  const canvas = activeCanvas(document, "kw-ramp");
  page.append(canvas);
  const atlas = createAtlas(document);
  const pointer = followPointer(canvas, desk);
  const keep = memory();

  let scene: Scene | null = null;
  let arrangement: Arrangement | null = null;
  let ramp: Ramp | null = null;
  let curves: Curves | null = null;
  let scaleOf: (f: number) => number = () => 1;
  let hovered = -1;
  let cursor = -1;
  let keyboard = false;

  function draw(next: Scene): Facts {
    scene = next;
    const { store, frame, layer, settings, look } = next;
    const { colours, palette, ratio } = look;
    const [out, inputs, kh, kw] = layer.shape;
    const shape = { kind: layer.kind, out, in: inputs, kh, kw };
    const width = layOut(shape, settings.height);
    if (width <= 0) return NO_FACTS;
    const places = keep("places", [layer, width], () => arrange(shape, width));
    arrangement = places;
    const [lo, hi] = settings.limits;
    const matrix = keep("ramp", [settings.direction, lo, hi, settings.resolution], () =>
      makeRamp(settings.direction, [lo, hi], settings.resolution),
    );
    ramp = matrix;
    const plan = keep("plan", [layer, matrix], () => planOf(layer, matrix));
    const values = keep<Curves>("curves", [frame, plan], (last) =>
      evaluateRamp(frame, layer, plan, last),
    );
    curves = values;
    const spread = keep("spread", [frame, plan], () => spreadOf(layer, values));
    const scales = keep("scales", [spread, settings.scale], () =>
      scalesOf(layer, spread.most, settings.scale),
    );
    scaleOf = scales.of;

    const view = viewOf();
    const context = prepare(canvas, view.width, view.height, ratio);
    if (!context) return NO_FACTS;
    context.translate(-view.x, -view.y);

    const heads = { view, font: look.font(10), colours };
    paintLabels(context, places, heads);

    const size = kh * kw;
    const shown = kernelsWithin(places, view);
    const visible = shown.flatMap((kernel) =>
      Array.from({ length: size }, (_, entry) => kernel * size + entry),
    );
    const { width: w, height: h, index } = matrix;
    const one = new Float32Array(w * h);
    atlas.load(visible.length, w, h, (k, pixels) => {
      const start = visible[k] * values.points;
      for (let p = 0; p < index.length; p++) one[p] = values.y[start + index[p]];
      colourise(one, scales.of(visible[k]), palette, pixels, w);
    });
    visible.forEach((f, k) => {
      atlas.draw(context, k, rectOf(places, f));
    });
    // A hairline keeps what is near zero apart from the page.
    for (const kernel of shown) outline(context, blockOf(places, kernel), colours.line, 1, 0.5);
    markDomain(context, next, places, visible);
    markBroken(context, places, visible, spread.most, colours.warn);

    // What the pointer or the keyboard is at.
    const spot = pointer.at && { x: pointer.at.x + view.x, y: pointer.at.y + view.y };
    const byKey = keyboard && !spot && cursor < layer.count;
    const covered = spot !== null && underHead(places, view, spot.y);
    hovered = spot && !covered ? cellAt(places, spot.x, spot.y) : byKey ? cursor : -1;
    const selected = functionOf(layer, store.selection());
    if (hovered >= 0 && hovered !== selected) {
      outline(context, rectOf(places, hovered), colours.ink, 1, 0.5);
    }
    if (selected >= 0) frameSelected(context, rectOf(places, selected), colours);
    if (byKey && cursor >= 0) {
      context.setLineDash([3, 2]);
      outline(context, rectOf(places, cursor), colours.ink, 1.5, cursor === selected ? 3.5 : 1);
      context.setLineDash([]);
    }
    paintStuckHead(context, places, heads);
    canvas.style.cursor = hovered >= 0 ? "pointer" : "";
    if (hovered >= 0) {
      const cell = rectOf(places, hovered);
      const at = spot ?? { x: cell.x + cell.width / 2, y: cell.y + cell.height / 2 };
      const place = placeIn(matrix, (at.x - cell.x) / cell.width, (at.y - cell.y) / cell.height);
      const box = canvas.getBoundingClientRect();
      desk.showTip(
        `${layerTitle(layer)} · ${entryText(layer, hovered)}`,
        tipLines(layer, hovered, matrix.values[place]),
        { ...cell, x: cell.x - view.x + box.left, y: cell.y - view.y + box.top },
      );
    }

    const axis = `${layer.variable} ${number(lo)} … ${number(hi)} ${WORDS[settings.direction]}`;
    const chosen = selected >= 0 ? `Selected: ${selectionText(next, selected)}. ` : "";
    describe(
      canvas,
      `Heat maps of layer ${layerTitle(layer)}, ${layerSize(layer)}: each function over inputs ${axis}, ` +
        `colours ±${number(scales.largest)}. ` +
        `${chosen}Arrow keys move between functions; Enter selects, Escape clears.`,
      JSON.stringify([layer.name, layer.shape, selected, axis, settings.scale]),
    );
    return {
      ...NO_FACTS,
      scales,
      reach: spread.low <= spread.high ? { low: spread.low, high: spread.high } : null,
      axis,
      warned: spread.broken > 0 ? `${counted(spread.broken, "function")} not finite (×, grey)` : "",
      noted: [sticksOut(next, places) ? "ticks: the grid's range" : "", layer.note]
        .filter((text) => text)
        .join(" · "),
      readout: selected >= 0 ? selectionText(next, selected) : "",
      selected: selected >= 0,
      label: axis,
    };
  }

  /** The visible part of the arrangement. */
  function viewOf(): Rect {
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = viewport;
    return { x: scrollLeft, y: scrollTop, width: clientWidth, height: clientHeight };
  }

  /** Sizes viewport and page; returns the width that is left for the arrangement. */
  function layOut(shape: Parameters<typeof arrange>[0], most: number): number {
    const scrolls = arrange(shape, viewport.offsetWidth).height > most;
    viewport.style.overflowY = scrolls ? "scroll" : "hidden";
    viewport.toggleAttribute("data-scrolls", scrolls);
    const width = viewport.clientWidth;
    const places = arrange(shape, width);
    viewport.style.overflowX = places.width > width ? "auto" : "hidden";
    viewport.style.height = `${Math.min(places.height, most)}px`;
    page.style.height = `${places.height}px`;
    page.style.width = `${places.width}px`;
    return width;
  }

  function tipLines(layer: LayerLayout, f: number, x: number): Line[] {
    if (!scene || !curves || !ramp) return [];
    const place = ramp.values.indexOf(x);
    const phi = curves.y[f * curves.points + place];
    const v = layer.variable;
    return [
      { label: v, value: number(x) },
      { label: `φ(${v})`, value: Number.isFinite(phi) ? number(phi) : "not finite" },
      { label: "colours", value: `±${number(scaleOf(f))}` },
    ];
  }

  function selectionText({ layer, frame, settings }: Scene, f: number): string {
    const [lo, hi] = settings.limits;
    const ends = (lo < 0 && hi > 0 ? [lo, 0, hi] : [lo, hi]).map((x) => {
      const place = ramp?.values.indexOf(x) ?? -1;
      const phi =
        place >= 0 && curves
          ? curves.y[f * curves.points + place]
          : exactAt(layer, f, frame, x).phi;
      return `φ(${number(x)}) ${number(phi)}`;
    });
    return `${layerTitle(layer)} · ${entryText(layer, f)} · ${ends.join(" · ")}`;
  }

  function select(f: number) {
    if (!scene || f < 0) return;
    cursor = f;
    scene.store.select(selectionOf(scene.layer, f));
    desk.schedule();
  }

  function onKey(event: KeyboardEvent) {
    if (!scene || !arrangement || !plainKey(event)) return;
    const { layer, store } = scene;
    const direction = DIRECTIONS[event.key];
    if (direction || event.key === "Home" || event.key === "End") {
      const from =
        cursor >= 0 && cursor < layer.count ? cursor : functionOf(layer, store.selection());
      if (event.key === "Home") cursor = 0;
      else if (event.key === "End") cursor = layer.count - 1;
      else if (!direction || from < 0) cursor = Math.max(0, from);
      else cursor = neighbour(arrangement, from, direction);
      keyboard = true;
      reveal(arrangement, cursor);
      desk.say(selectionText(scene, cursor));
    } else if ((event.key === "Enter" || event.key === " ") && cursor >= 0) {
      select(cursor);
      desk.say(`selected: ${entryText(layer, cursor)}`);
    } else if (event.key === "Escape" && store.selection()) {
      store.select(null);
      desk.say("selection cleared");
    } else return;
    pointer.at = null;
    used(event);
    desk.schedule();
  }

  function reveal(places: Arrangement, f: number) {
    const r = rectOf(places, f);
    const margin = 24;
    const { scrollTop, clientHeight, scrollLeft, clientWidth } = viewport;
    if (r.y - margin < scrollTop) viewport.scrollTop = r.y - margin;
    else if (r.y + r.height + margin > scrollTop + clientHeight) {
      viewport.scrollTop = r.y + r.height + margin - clientHeight;
    }
    if (r.x - margin < scrollLeft) viewport.scrollLeft = r.x - margin;
    else if (r.x + r.width + margin > scrollLeft + clientWidth) {
      viewport.scrollLeft = r.x + r.width + margin - clientWidth;
    }
  }

  canvas.addEventListener(
    "click",
    (event) => {
      const at = placeOf(event, canvas);
      keyboard = false;
      const [x, y] = [at.x + viewport.scrollLeft, at.y + viewport.scrollTop];
      if (!arrangement || underHead(arrangement, viewOf(), y)) return;
      select(cellAt(arrangement, x, y));
    },
    { signal },
  );
  canvas.addEventListener("keydown", onKey, { signal });
  canvas.addEventListener(
    "blur",
    () => {
      keyboard = false;
      desk.schedule();
    },
    { signal },
  );
  viewport.addEventListener("scroll", desk.schedule, { signal, passive: true });

  return {
    element: viewport,
    draw,
    heat(f) {
      if (!ramp || !curves) return null;
      return { width: ramp.n, height: ramp.n, data: Array.from(matrixOf(ramp, curves, f)) };
    },
    rectOf(f) {
      if (!arrangement) return null;
      const box = canvas.getBoundingClientRect();
      const r = rectOf(arrangement, f);
      return {
        ...r,
        x: box.left + r.x - viewport.scrollLeft,
        y: box.top + r.y - viewport.scrollTop,
      };
    },
    scaleOf: (f) => scaleOf(f),
    hovered: () => hovered,
    forget() {
      viewport.scrollTop = 0;
      cursor = -1;
    },
  };
}

/** Whether the ramp runs beyond the grid and the ticks that say so can be drawn. */
function sticksOut({ layer, settings }: Scene, places: Arrangement): boolean {
  const { limits, direction } = settings;
  if (places.cell < 28) return false;
  const straight = direction === "horizontal" || direction === "vertical";
  return straight && (limits[0] < layer.domain[0] || limits[1] > layer.domain[1]);
}

/** Small ticks at the edges of the cells where the grid's range ends. */
function markDomain(
  context: CanvasRenderingContext2D,
  scene: Scene,
  places: Arrangement,
  visible: readonly number[],
): void {
  if (!sticksOut(scene, places)) return;
  const { layer, settings, look } = scene;
  const [lo, hi] = settings.limits;
  const along = settings.direction === "horizontal";
  context.fillStyle = look.colours.ink;
  for (const f of visible) {
    const { x, y, width, height } = rectOf(places, f);
    const range = layer.bases[layer.tableOf ? layer.tableOf[f] : 0]?.domain ?? layer.domain;
    for (const end of range) {
      if (!(end > lo && end < hi)) continue;
      const at = Math.round(((end - lo) / (hi - lo)) * (along ? width : height)) - 0.5;
      for (const edge of [0, (along ? height : width) - 3]) {
        if (along) context.fillRect(x + at, y + edge, 1, 3);
        else context.fillRect(x + edge, y + at, 3, 1);
      }
    }
  }
}

function markBroken(
  context: CanvasRenderingContext2D,
  places: Arrangement,
  visible: readonly number[],
  most: Float32Array,
  colour: string,
): void {
  const arm = Math.min(5, places.cell / 5);
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.beginPath();
  for (const f of visible) {
    if (!Number.isNaN(most[f])) continue;
    const { x, y, width, height } = rectOf(places, f);
    const [cx, cy] = [x + width / 2, y + height / 2];
    context.moveTo(cx - arm, cy - arm);
    context.lineTo(cx + arm, cy + arm);
    context.moveTo(cx - arm, cy + arm);
    context.lineTo(cx + arm, cy - arm);
  }
  context.stroke();
}
