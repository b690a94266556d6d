/** What one number of the network is made of: the functions, their inputs, and what each adds. No DOM. */

import { maxIndex } from "d3-array";
import { layerTitle, outputName } from "../../phi/entries.ts";
import { contributions } from "../../phi/forward.ts";
import { type Images, rangeOf } from "../../phi/images.ts";
import { type Patch, patchOf } from "../../phi/patch.ts";
import { patchAt, refusal, type Swept, sourcesOf, sweep } from "../../phi/response.ts";
import type { Pointed } from "../../scene/drawing.ts";
import type { Frame, LayerLayout } from "../../wire/types.ts";
import { type Diagram, type Focus, inDiagram, strongestInto, strongestOf } from "./diagram.ts";
import { type Flow, unitValues } from "./flow.ts";
import type { Graph } from "./graph.ts";

interface Of {
  column: number;
  unit: number;
  layer: LayerLayout;
}

/** A pixel of a map: the patch under it on the functions of one kernel. */
export interface PixelCloseUp extends Of {
  kind: "pixel";
  row: number;
  at: number;
  /** The input channel whose kernel is shown, of so many that are summed. */
  channel: number;
  channels: number;
  patch: Patch;
  /** The least and the largest number of the channel, where it is an image given to the network: drawn in greys. */
  greys: readonly [number, number] | null;
  /** What this kernel adds, and what all of them make together. */
  part: number;
  total: number;
}

/** A number: what each unit before adds to it. */
export interface UnitCloseUp extends Of {
  kind: "unit";
  /** What units before are called. */
  source: "map" | "channel" | "input" | "unit";
  before: string;
  parts: { from: number; value: number }[];
  /** Of the unit that adds most, or takes most away, the function that does: its number among those of the link, its input, and what it adds. */
  strongest: { from: number; entry: number; x: number; value: number };
  /** What the module adds to their sum. */
  bias: number;
  total: number;
}

/** The functions of one bundle, where no example is known: those of a kernel, or the strongest one. */
export interface FunctionsCloseUp extends Of {
  kind: "functions";
  from: number;
  patch: Patch;
}

export type CloseUp = PixelCloseUp | UnitCloseUp | FunctionsCloseUp;

/** What is looked at closely: what is pointed at or selected, else what the network says. */
export function closeUpOf(diagram: Diagram, focus: Focus | null, pointed: Pointed): CloseUp | null {
  const { graph, flow, parts, scores } = diagram;
  const then = flow?.frame;
  const last = { column: parts.length - 1, unit: scores?.best ?? 0, bundle: -1, entry: null };
  const { column: number, unit, bundle } = focus ?? last;
  const { column, byUnit, bundles } = parts[number];
  const { layer, map } = column;
  if (!flow || !then || !layer || layer.window) return functionsCloseUp(diagram, focus);
  if (layer.kind === "linear") return unitCloseUp(graph, number, flow, then, unit);
  if (!map) return functionsCloseUp(diagram, focus);
  const [rows, columns] = map;
  const values = unitValues(flow, column.station, unit);
  const best = values ? largest(values) : 0;
  let [row, at] = [Math.floor(best / columns), best % columns];
  const box = byUnit.get(unit);
  if (box && pointed.at && pointed.id.startsWith("u:")) {
    const { x, y } = inDiagram(diagram, pointed.at);
    row = within(((y - box.y) / box.height) * rows, rows);
    at = within(((x - box.x) / box.width) * columns, columns);
  }
  const [, inputs, kh, kw] = layer.shape;
  const wanted = bundle < 0 ? -1 : Math.floor(bundles[bundle].first / (kh * kw)) % inputs;
  return pixelCloseUp(graph, number, flow, then, { unit, row, at, wanted });
}

function within(value: number, count: number): number {
  return Math.max(0, Math.min(count - 1, Math.floor(value)));
}

/** The place of the number with the largest size, the first of equal ones; what is not a number has none. */
function largest(values: Iterable<number>): number {
  return Math.max(
    0,
    maxIndex(values, (value) => (Number.isFinite(value) ? Math.abs(value) : -1)),
  );
}

/** What a column's layer takes in; null where it is not known. */
function inputOf({ stations, columns }: Graph, number: number, flow: Flow) {
  const source = Math.max(-1, ...stations[columns[number].station].sources);
  const [values, shape] = [flow.values[source], flow.shapes[source] ?? []];
  const whole = shape.reduce((product, side) => product * side, 1);
  return values?.length === whole ? { values, shape } : null;
}

const swepts = new WeakMap<Float32Array, Swept>();

function sweptOf(layer: LayerLayout, values: Float32Array, shape: number[]): Swept | null {
  const known = swepts.get(values);
  if (known?.layer === layer) return known;
  const [channels, height, width] = shape;
  const image: Images = { count: 1, channels, height, width, data: values };
  if (shape.length !== 3 || refusal(layer, image) !== "") return null;
  const made = sweep(layer, image);
  swepts.set(values, made);
  return made;
}

/** The output before whatever the module adds to the sum of its functions; `wanted` is an input, −1 for the strongest. */
function pixelCloseUp(
  graph: Graph,
  number: number,
  flow: Flow,
  frame: Frame,
  { unit, row, at, wanted }: { unit: number; row: number; at: number; wanted: number },
): PixelCloseUp | null {
  const { layer, from } = graph.columns[number];
  const given = inputOf(graph, number, flow);
  if (!layer?.conv || !given) return null;
  const swept = sweptOf(layer, given.values, given.shape);
  if (!swept || row >= swept.height || at >= swept.width) return null;
  const border = layer.conv.padsBasis === true;
  const patches = sourcesOf(swept, unit).map((source) => {
    const inputs = patchAt(swept, row, at, source.channel);
    const patch = patchOf(frame, layer, source, inputs, border, 33);
    const values = patch.values ?? [];
    return { source, patch, part: values.reduce((sum, value) => sum + value, 0) };
  });
  if (patches.length === 0) return null;
  const strongest = patches.reduce((a, b) => (Math.abs(b.part) > Math.abs(a.part) ? b : a));
  const { source, patch, part } = patches.find(({ source }) => source.in === wanted) ?? strongest;
  const { channel } = source;
  const each = given.shape[1] * given.shape[2];
  const image = given.values.subarray(channel * each, (channel + 1) * each);
  return {
    kind: "pixel",
    ...{ column: number, unit, row, at, layer, channel, patch, part },
    channels: patches.length,
    greys: graph.columns[from[0]]?.kind === "input" ? rangeOf(image) : null,
    total: patches.reduce((sum, each) => sum + each.part, 0),
  };
}

export function unitCloseUp(
  graph: Graph,
  number: number,
  flow: Flow,
  frame: Frame,
  unit: number,
): UnitCloseUp | null {
  const column = graph.columns[number];
  const { layer } = column;
  const given = inputOf(graph, number, flow);
  if (layer?.kind !== "linear" || !given || given.values.length !== layer.shape[1]) return null;
  const { channels } = contributions(layer, frame, given.values, given.shape, unit);
  const all = channels.flatMap((values) => Array.from(values));
  const group = column.fold[0] * column.fold[1];
  const parts: UnitCloseUp["parts"] = [];
  for (let from = 0; from * group < all.length; from++) {
    const own = all.slice(from * group, (from + 1) * group);
    parts.push({ from, value: own.reduce((sum, value) => sum + value, 0) });
  }
  const from = largest(parts.map(({ value }) => value));
  const entry = largest(all.slice(from * group, (from + 1) * group));
  const input = from * group + entry;
  const bias = flow.extras.get(column.station)?.get("bias")?.[unit] ?? 0;
  const before = graph.columns[column.from[0]];
  const isInput = before?.kind === "input";
  const [image, numbers] = isInput ? (["channel", "input"] as const) : (["map", "unit"] as const);
  return {
    kind: "unit",
    ...{ column: number, unit, layer, parts, bias },
    source: before?.map ? image : numbers,
    before: before?.name ?? "",
    strongest: { from, entry, x: given.values[input], value: all[input] },
    total: parts.reduce((sum, { value }) => sum + value, bias),
  };
}

/** Of the unit or the link that is looked at, by itself of the strongest link of the first layer. */
function functionsCloseUp({ parts, frame }: Diagram, focus: Focus | null): FunctionsCloseUp | null {
  const at = focus && parts[focus.column].column.layer ? focus : null;
  const part = at ? parts[at.column] : parts.find(({ column }) => column.layer !== null);
  const layer = part?.column.layer;
  if (!part || !layer) return null;
  const n = at && at.bundle >= 0 ? at.bundle : strongestInto(part, at ? at.unit : null);
  const bundle = part.bundles[n];
  if (!bundle) return null;
  const [, inputs, kh, kw] = layer.shape;
  const entry = layer.kind === "linear" ? strongestOf(part, bundle) : 0;
  const kernel = Math.floor((bundle.first + entry) / (kh * kw));
  const place = { out: Math.floor(kernel / inputs), in: kernel % inputs };
  const patch = patchOf(frame, layer, place, null, false, 49);
  return {
    kind: "functions",
    column: part.number,
    unit: bundle.to,
    from: bundle.from,
    layer,
    patch,
  };
}

/** The longest first. */
export function closeUpTitles({ parts, scores }: Diagram, closeUp: CloseUp): string[] {
  const { layer, unit, column } = closeUp;
  if (closeUp.kind === "functions") {
    const what = closeUp.patch.curves.length > 1 ? "The kernel" : "The function";
    const end = outputName(layer, unit, "unit");
    return [`${what} of ${layerTitle(layer)} from unit ${closeUp.from} to ${end}`];
  }
  if (closeUp.kind === "pixel") {
    const { row, at, channel, channels } = closeUp;
    const of = channels > 1 ? `, from channel ${channel}` : "";
    const map = `${layerTitle(layer)}, ${outputName(layer, unit)}`;
    return [`One pixel of ${map}: row ${row}, column ${at}${of}`];
  }
  const isLast = column === parts.length - 1;
  const own = parts[column].column.name;
  const score = scores?.probabilities ? "the score of" : "output";
  const named = outputName(layer, unit, isLast ? score : own);
  const name = isLast || !layer.names ? named : `${own} ${named}`;
  const { source, before } = closeUp;
  return [
    `What each ${source} of ${before} adds to ${name}`,
    `What each ${source} adds to ${name}`,
  ];
}
