/** The network as columns of units, the bundles of functions between them, and which of these matter. */

import { max, sum } from "d3-array";
import { inputName, layerTitle, titleOf, wholeOf } from "../../phi/entries.ts";
import { type Steady, steadyChoice } from "../../phi/memory.ts";
import type { LayerLayout, Layout, Probe, Station, Structure } from "../../wire/types.ts";

/** Channels or features that come from one station. */
export interface Column {
  /** Number of the station in the structure; of a made-up structure where none is known. */
  station: number;
  kind: "input" | "layer" | "other";
  /** Whose functions lead to it; null for others, and for layers that are not in the frame. */
  layer: LayerLayout | null;
  name: string;
  units: number;
  /** Rows and columns of the map of each unit; null where a unit is one number. */
  map: [number, number] | null;
  /** It is given to the network as one row of numbers. */
  isRow: boolean;
  /** Each unit is a map, also where its size is not known. */
  maps: boolean;
  /** Columns that lead to it, the one it is drawn from first; empty for an input. */
  from: number[];
  /** Inputs of the layer for each unit before it, as rows and columns; [1, 1] for one each. */
  fold: [number, number];
  /** Stations after it, up to the next column. */
  after: number[];
  /** The bundles that lead to it. */
  bundles: Bundle[];
  depth: number;
}

export interface Graph {
  columns: Column[];
  /** A station that takes in more than one: where the others come from. */
  skips: { station: number; column: number; from: number }[];
  stations: readonly Station[];
  traced: boolean;
  note: string;
  depths: number;
}

/** All functions from one unit to another: those of a kernel, or of the inputs that a map was flattened to. */
export interface Bundle {
  /** Unit before, and unit after. */
  from: number;
  to: number;
  /** Its functions are first … first + count − 1 of the layer. */
  first: number;
  count: number;
}

/** The name of an input of the network, where it has one. */
export function inputNamed({ columns }: Graph, unit: number): string | undefined {
  const isFed = ({ layer, from }: Column) => layer !== null && columns[from[0]]?.kind === "input";
  return columns.find(isFed)?.layer?.inputNames?.[unit];
}

/** What a unit of a column is called: "map 3", "output 3", of the input "age", "input 3", "channel 0", "the image"; with the number of a class its name. */
export function unitName(graph: Graph, { kind, maps, units, layer }: Column, unit: number): string {
  if (kind !== "input") {
    const name = layer?.names?.[unit];
    return name ? `${unit} ${name}` : `${maps ? "map" : "output"} ${unit}`;
  }
  if (maps) return units === 1 ? "the image" : `channel ${unit}`;
  return inputNamed(graph, unit) ?? `input ${unit}`;
}

/** What a link comes from, as its layer has it: "input 3", "age"; where units are maps, "map 3", "the image". */
export function sourceName(graph: Graph, { from, fold, layer }: Column, unit: number): string {
  const before = graph.columns[from[0]];
  const isOneEach = layer?.kind === "linear" && fold[0] * fold[1] === 1;
  return isOneEach || !before ? inputName(layer ?? {}, unit) : unitName(graph, before, unit);
}

/** Channels, or features; of rows of features, as of words, the features; 0 where no shape is known. */
const unitsOf = (shape: readonly number[]): number => shape[shape.length === 2 ? 1 : 0] ?? 0;

/** The structure where none is known: the layers one after another. */
function inOrder({ layers }: Layout): Structure {
  const input: Station = {
    kind: "input",
    name: "input",
    label: "input",
    layer: null,
    sources: [],
    shape: [],
    compute: null,
    sums: null,
  };
  const stations = layers.map((layer, k): Station => {
    const shape = [wholeOf(layer)[0]];
    const sources = [k];
    const name = layerTitle(layer);
    const { name: own } = layer;
    return { ...input, kind: "kan", name, label: layer.type, layer: own, sources, shape };
  });
  return { stations: [input, ...stations], traced: false, note: "" };
}

/** Rows of numbers that look like flattened pictures are drawn as these. */
export function asDrawn(structure: Structure, probe: Probe | null): Structure {
  const [first, ...others] = structure.stations;
  const [, ...shape] = probe?.shape ?? [];
  if (first?.shape.length !== 1 || shape.length !== 3) return structure;
  return { ...structure, stations: [{ ...first, shape, label: ROW }, ...others] };
}

const ROW = "row of numbers";

export function graphOf(known: Structure | null, layout: Layout): Graph {
  const structure = known && known.stations.length > 1 ? known : inOrder(layout);
  const { stations, traced, note } = structure;
  const layerOf = new Map(layout.layers.map((layer) => [layer.name, layer]));
  const graph: Graph = { columns: [], skips: [], stations, traced, note, depths: 0 };
  const { columns, skips } = graph;
  /** The column whose units a station gives on. */
  const home: number[] = [];

  stations.forEach((station, k) => {
    const sources = station.sources.filter((source) => source < k);
    const main = sources.length > 0 ? Math.max(...sources) : -1;
    const layer = station.layer === null ? null : (layerOf.get(station.layer) ?? null);
    const before = main < 0 ? -1 : home[main];
    if (before >= 0 && !makesUnits(station, layer, columns[before])) {
      home[k] = before;
      columns[before].after.push(k);
    } else {
      home[k] = columns.length;
      const input = before < 0 ? null : columns[before];
      // An input of unknown shape has its units from the layer that takes it.
      if (input?.kind === "input" && layer && stations[input.station].shape.length === 0) {
        input.units = layer.conv?.shared ? 1 : wholeOf(layer)[1] * (layer.conv?.groups ?? 1);
        input.maps = layer.kind === "conv";
      }
      columns.push(columnOf(station, k, layer, before < 0 ? null : columns[before], before));
      if (before >= 0) fold(columns[home[k]], columns[before], stations[main]);
    }
    for (const source of new Set(sources)) {
      if (home[source] !== before) skips.push({ station: k, column: home[k], from: home[source] });
    }
  });
  for (const column of columns) {
    const before = columns[column.from[0]];
    if (column.layer && before) column.bundles = bundlesBetween(column.layer, column, before.units);
  }
  graph.depths = 1 + Math.max(0, ...columns.map(({ depth }) => depth));
  return graph;
}

function makesUnits({ kind, shape }: Station, layer: LayerLayout | null, before: Column): boolean {
  if (layer || ["input", "kan", "plain"].includes(kind)) return true;
  if (kind === "reshape") return false;
  const units = unitsOf(shape);
  // Its numbers may be those of the maps before it, one after another.
  const isFlattened = shape.length === 1 && units % before.units === 0;
  return units > 0 && units !== before.units && !isFlattened;
}

function columnOf(
  station: Station,
  number: number,
  layer: LayerLayout | null,
  before: Column | null,
  from: number,
): Column {
  const { shape } = station;
  let units = unitsOf(shape);
  if (layer && (units === 0 || shape.length === 1)) {
    const [out] = wholeOf(layer);
    units = layer.conv?.shared ? out * (before?.units ?? 1) : out;
  }
  return {
    station: number,
    kind: station.kind === "input" ? "input" : layer ? "layer" : "other",
    layer,
    name: titleOf(station.name || station.label),
    units: Math.max(1, units),
    map: shape.length === 3 ? [shape[1], shape[2]] : null,
    isRow: station.label === ROW,
    maps: shape.length === 3 || (layer?.kind === "conv" && shape.length < 2),
    from: from < 0 ? [] : [from],
    fold: [1, 1],
    after: [],
    bundles: [],
    depth: before ? before.depth + 1 : 0,
  };
}

/** How many inputs of the layer belong to each unit before it. */
function fold(column: Column, before: Column, { shape }: Station) {
  const { layer } = column;
  if (layer?.kind !== "linear") return;
  const group = wholeOf(layer)[1] / before.units;
  if (!Number.isInteger(group) || group <= 1) return;
  const map = shape.length === 3 ? [shape[1], shape[2]] : before.map;
  const square = Math.sqrt(group);
  if (map && map[0] * map[1] === group) column.fold = [map[0], map[1]];
  else column.fold = Number.isInteger(square) ? [square, square] : [1, group];
}

/** The bundles that lead to a column, by unit after and unit before; none where they are not known. */
function bundlesBetween(layer: LayerLayout, column: Column, before: number): Bundle[] {
  const [out, all, kh, kw] = wholeOf(layer);
  const size = kh * kw;
  const { conv } = layer;
  const bundles: Bundle[] = [];
  // If only a part of the layer is here, only bundles that are whole.
  const [outs, inputs] = layer.shape;
  const corner = layer.window ?? { out: 0, in: 0 };
  if (conv?.shared) {
    for (let to = 0; to < column.units && !layer.window; to++) {
      bundles.push({ from: Math.floor(to / out), to, first: (to % out) * size, count: size });
    }
    return bundles.filter(({ from }) => from < before);
  }
  const group = layer.kind === "linear" ? column.fold[0] * column.fold[1] : 1;
  const groups = conv?.groups ?? 1;
  const each = all / group;
  if (!Number.isInteger(each) || each * groups !== before) return [];
  const firstUnit = Math.ceil(corner.in / group);
  const endUnit = Math.floor((corner.in + inputs) / group);
  for (let to = corner.out; to < corner.out + outs; to++) {
    const start = Math.floor(to / (out / groups)) * each;
    for (let i = firstUnit; i < endUnit; i++) {
      const first = ((to - corner.out) * inputs + i * group - corner.in) * size;
      bundles.push({ from: start + i, to, first, count: group * size });
    }
  }
  return bundles;
}

/** Most links of one layer that are drawn: each can still be seen. */
export const MOST_LINKS = 800;

export type Relevance = ReturnType<typeof relevanceOf>;

export function relevanceOf(
  bundles: readonly Bundle[],
  perFunction: Float32Array,
  room = MOST_LINKS,
) {
  /** Strength of each bundle: the root of the sum of squares over its functions. */
  const sizes = Float64Array.from(bundles, ({ first, count }) => {
    const own = perFunction.subarray(first, first + count);
    return Math.sqrt(sum(own, (size) => (Number.isFinite(size) ? size ** 2 : 0)));
  });
  const order = Array.from(bundles.keys());
  if (order.length > room) order.sort((a, b) => sizes[b] - sizes[a] || a - b);
  /** Numbers of the bundles that are shown: the strongest. */
  const shown = order.slice(0, room).sort((a, b) => a - b);
  return { sizes, most: max(sizes) ?? 0, shown };
}

/** A unit that is not shown takes the place of one that is if it has so many times its weight for so many steps on end, and at once if it is on the path. */
const RIVAL = { atOnce: 1e9, times: 2, steps: 50, least: 1 };

/** The units of a column that are shown, and how they keep their places from frame to frame. */
export type HeldUnits = { units: readonly number[] | null; steady: Steady };

export const noUnits = (): HeldUnits => ({ units: null, steady: steadyChoice(RIVAL) });

/** The units with the most weight, in their order; those that were shown keep their places. */
export function chosenUnits(
  weight: Float64Array,
  room: number,
  { units, steady }: HeldUnits,
  step: number,
) {
  if (weight.length <= room) return [...weight.keys()];
  const order = Array.from(weight.keys()).sort((a, b) => weight[b] - weight[a] || a - b);
  const chosen = [...(units ?? order.slice(0, room).sort((a, b) => a - b))];
  for (const place of [...chosen.keys()].sort((a, b) => weight[chosen[a]] - weight[chosen[b]])) {
    const own = chosen[place];
    const best = order.find((unit) => unit === own || !chosen.includes(unit)) ?? own;
    chosen[place] = steady(place, { best, sizeOf: (unit) => weight[unit] }, step);
  }
  return chosen;
}

/** How many kernels make `count` maps, each of all maps before; 0 for other maps, and where some are left out. */
export function sharedKernels({ layer, units }: Column, count: number): number {
  const kernels = layer?.conv?.shared === true && count === units ? layer.shape[0] : 0;
  return count > kernels ? kernels : 0;
}
