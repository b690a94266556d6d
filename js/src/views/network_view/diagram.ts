/** The diagram: the graph, what of it is shown, where it lies, and what an example makes of it. No DOM. */

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

export interface Diagram {
  frame: Frame;
  graph: Graph;
  /** By column; null where no functions lead to it. */
  pictures: (LayerPicture | null)[];
  relevances: (Relevance | null)[];
  shown: Shown[];
  layout: NetworkLayout;
  flow: Flow | null;
  room: Rect;
  window: Window;
}

/** A unit that is looked at; `bundle` is one that leads to it, or −1. */
export interface Focus {
  column: number;
  unit: number;
  bundle: number;
}

/** The wish for units is made anew only where a hidden one is so much stronger. */
const CLEARLY = 1.5;

function picturesOf(graph: Graph, frame: Frame, given: Given, keep: Keep) {
  return graph.columns.map((column, k): LayerPicture | null => {
    const { layer } = column;
    if (!layer) return null;
    const observed = given.store.observed(layer.name);
    return keep<LayerPicture>(`picture ${k}`, [frame, layer, observed], () =>
      pictureOf(frame, layer, observed),
    );
  });
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
  const pictures = picturesOf(graph, frame, given, keep);
  const { relevance: share, top } = settings;
  const relevances = graph.columns.map((column, k): Relevance | null => {
    const picture = pictures[k];
    if (!picture) return null;
    return keep<Relevance>(`relevance ${k}`, [picture, share, top, graph], () =>
      relevanceOf(
        bundlesOf(graph, column),
        picture.importance,
        share,
        top > 0 ? top : Number.POSITIVE_INFINITY,
      ),
    );
  });
  const height = Math.round(room.height * window.scale);
  const shown = graph.columns.map((column, k): Shown => {
    const name = `${k} of ${graph.columns.length} at ${height}`;
    const most = roomFor(column, height);
    const own = chosenUnits(graph, k, relevances, most, units.get(name));
    units.set(name, own);
    return { bundles: bundlesOf(graph, column), links: [], units: own };
  });
  shown.forEach((own, k) => {
    const before = shown[graph.columns[k].from[0]];
    if (!before || !relevances[k]) return;
    const [sources, targets] = [new Set(before.units), new Set(own.units)];
    const all = own.bundles.length;
    const whole = sources.size * targets.size >= all;
    own.links = (relevances[k] as Relevance).shown.filter(
      (n) => whole || (sources.has(own.bundles[n].from) && targets.has(own.bundles[n].to)),
    );
  });
  const key = shown.map(({ links, units: own }) => `${links.join()};${own.join()}`).join("|");
  const hasBars = scoresOf(graph, flow) !== null;
  const from = [graph, room.width, height, window.scale, key, hasBars];
  const layout = keep<NetworkLayout>("layout", from, () =>
    layoutOf(graph, shown, room.width * window.scale, height, hasBars),
  );
  return { frame, graph, pictures, relevances, shown, layout, flow, room, window };
}
