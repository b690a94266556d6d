/** The diagram: the graph, what of it is shown, where it lies, and what an example makes of it. No DOM. */

import { importance } from "../../phi/importance.ts";
import { seenThen } from "../../phi/inputs.ts";
import type { Keep } from "../../phi/memory.ts";
import type { Given } from "../../scene/drawing.ts";
import type { Rect } from "../../scene/marks.ts";
import type { Frame } from "../../wire/types.ts";
import type { Flow } from "./flow.ts";
import { type LayerPicture, pictureOf } from "./functions.ts";
import { bundlesOf, type Graph, graphOf } from "./graph.ts";
import { layoutOf, type NetworkLayout, roomFor, type Shown } from "./layout.ts";
import { type Relevance, relevanceOf } from "./relevance.ts";
import { scoresOf } from "./scores.ts";
import type { Settings } from "./settings.ts";

/** Which part of the diagram is seen: it is `scale` times as large as its room, and moved. */
export interface Window {
  scale: number;
  x: number;
  y: number;
}

export const WHOLE: Window = { scale: 1, x: 0, y: 0 };

/** One and the same for all, so that what is made from it is kept. */
const NONE: number[] = [];

export interface Diagram {
  frame: Frame;
  graph: Graph;
  /** By column; null where no functions lead to it. */
  pictures: (LayerPicture | null)[];
  relevances: (Relevance | null)[];
  shown: Shown[];
  layout: NetworkLayout;
  flow: Flow | null;
  /** What pale curves show: the functions of a frame before; null where none are drawn. */
  ghost: Frame | null;
  room: Rect;
  window: Window;
  /** How strong links are is that of a frame before: milliseconds until it can be found again; else 0. */
  late: number;
  /** Of when the inputs are that it goes by, " at step 40", where the model was another then. */
  inputsAt: string;
}

/** A unit that is looked at; `bundle` is one that leads to it, or −1. */
export interface Focus {
  column: number;
  unit: number;
  bundle: number;
  /** Number of the selected function in its bundle; null where none is. */
  entry: number | null;
}

/** The wish for units is made anew only where a hidden one is so much stronger. */
const CLEARLY = 1.5;

/**
 * While frames come in, how strong the links are is found again in at most this share of the time; where there are more
 * of them than FEW, which are slow to draw, not before so many milliseconds.
 */
const SHARE = 0.1;
const FEW = 1000;
const REST = 250;

interface Pace {
  /** When that was done last, how many milliseconds it took, and for which frame. */
  at: number;
  took: number;
  frame: Frame | null;
}

/** Milliseconds until it may be done again; 0 where it may be now. */
function waits({ at, took, frame: last }: Pace, frame: Frame, { store }: Given): number {
  const isLive = store.status().state === "live" && store.cursor() < 0;
  if (!isLive || last === null || last === frame) return 0;
  const rest = last.layout.layers.reduce((n, { count }) => n + count, 0) > FEW ? REST : 0;
  return Math.max(0, at + Math.max(rest, took / SHARE) - performance.now());
}

function picturesOf(graph: Graph, frame: Frame, given: Given, keep: Keep) {
  const pace = keep<Pace>("pace", [graph], () => ({ at: 0, took: 0, frame: null }));
  const late = waits(pace, frame, given);
  const start = performance.now();
  const pictures = graph.columns.map((column, k): LayerPicture | null => {
    const { layer } = column;
    if (!layer) return null;
    const observed = given.store.observed(layer.name);
    const of = late > 0 ? pace.frame : frame;
    const strengths = keep<Float32Array>(`strengths ${k}`, [of, layer, observed], () =>
      importance(frame, layer, observed),
    );
    const ghost = given.store.ghost();
    return keep<LayerPicture>(`picture ${k}`, [frame, layer, strengths, ghost], () =>
      pictureOf(frame, layer, observed, strengths, ghost),
    );
  });
  if (late === 0 && pace.frame !== frame) {
    const now = performance.now();
    Object.assign(pace, { at: now, took: now - start, frame });
  }
  return { pictures, late };
}

/** Units with the most to give and take, in their order; those shown before stay unless others are clearly stronger. */
function chosenUnits(
  graph: Graph,
  number: number,
  relevances: readonly (Relevance | null)[],
  room: number,
  before: number[] | undefined,
): number[] {
  const column = graph.columns[number];
  if (column.units <= room) return Array.from({ length: column.units }, (_, unit) => unit);
  const weight = new Float64Array(column.units);
  graph.columns.forEach((other, k) => {
    const relevance = relevances[k];
    if (!relevance || (k !== number && other.from[0] !== number)) return;
    bundlesOf(graph, other).forEach(({ from, to }, n) => {
      weight[k === number ? to : from] += relevance.sizes[n] / (relevance.most || 1);
    });
  });
  const order = Array.from(weight.keys()).sort((a, b) => weight[b] - weight[a] || a - b);
  const best = order.slice(0, room);
  if (before?.length === room) {
    const least = Math.min(...before.map((unit) => weight[unit]));
    const missed = best.filter((unit) => !before.includes(unit));
    if (missed.every((unit) => weight[unit] < CLEARLY * least)) return before;
  }
  return best.sort((a, b) => a - b);
}

export function graphIn({ store }: Given, frame: Frame, keep: Keep): Graph {
  const structure = store.structure();
  return keep<Graph>("graph", [structure, frame.layout], () => graphOf(structure, frame.layout));
}

export function diagramOf(
  given: Given,
  frame: Frame,
  settings: Settings,
  flow: Flow | null,
  room: Rect,
  window: Window,
  keep: Keep,
  units: Map<string, number[]>,
): Diagram {
  const graph = graphIn(given, frame, keep);
  const { pictures, late } = picturesOf(graph, frame, given, keep);
  const { relevance: share, top } = settings;
  const relevances = graph.columns.map((column, k): Relevance | null => {
    const picture = pictures[k];
    if (!picture) return null;
    const { importance: strengths } = picture;
    return keep<Relevance>(`relevance ${k}`, [strengths, share, top, graph], () =>
      relevanceOf(
        bundlesOf(graph, column),
        strengths,
        share,
        top > 0 ? top : Number.POSITIVE_INFINITY,
      ),
    );
  });
  const height = Math.round(room.height * window.scale);
  const each = (room.width * window.scale) / graph.depths;
  const shown = graph.columns.map((column, k): Shown => {
    const name = `${k} of ${graph.columns.length} at ${height}`;
    const most = roomFor(column, height, each);
    const before = units.get(name);
    const own = chosenUnits(graph, k, relevances, most, before);
    units.set(name, before && isSame(own, before) ? before : own);
    return { bundles: bundlesOf(graph, column), links: NONE, units: units.get(name) as number[] };
  });
  shown.forEach((own, k) => {
    const before = shown[graph.columns[k].from[0]];
    const relevance = relevances[k];
    if (!before || !relevance) return;
    own.links = keep<number[]>(`links ${k}`, [relevance, before.units, own.units], (last) => {
      const links = linksOf(own, before, relevance);
      return last && isSame(links, last) ? last : links;
    });
  });
  const hasBars = scoresOf(graph, flow) !== null;
  const drawn = shown.flatMap(({ links, units: own }) => [links, own]);
  const from = [graph, room.width, height, window.scale, hasBars, ...drawn];
  const layout = keep<NetworkLayout>("layout", from, () =>
    layoutOf(graph, shown, room.width * window.scale, height, hasBars),
  );
  const before = given.store.ghost();
  const ghost = before?.layout === frame.layout ? before : null;
  const inputsAt = graph.columns.map(
    ({ layer }) => layer && seenThen(given.store.observed(layer.name), frame.step),
  );
  return {
    frame,
    graph,
    pictures,
    relevances,
    shown,
    layout,
    flow,
    ghost,
    room,
    window,
    late,
    inputsAt: inputsAt.find((text) => text) ?? "",
  };
}

/** Those that matter, between units that are drawn. */
function linksOf({ bundles, units }: Shown, before: Shown, relevance: Relevance): number[] {
  const [sources, targets] = [new Set(before.units), new Set(units)];
  if (sources.size * targets.size >= bundles.length) return relevance.shown;
  return relevance.shown.filter((n) => sources.has(bundles[n].from) && targets.has(bundles[n].to));
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a === b || (a.length === b.length && a.every((value, k) => value === b[k]));
}
