/** What one number of the network is made of: the functions, their inputs, and what each adds. No DOM. */

import { layerTitle, outputName } from "../../phi/entries.ts";
import { contributions } from "../../phi/forward.ts";
import { type Images, rangeOf } from "../../phi/images.ts";
import { type Patch, patchOf } from "../../phi/patch.ts";
import { patchAt, refusal, type Swept, sourcesOf, sweep } from "../../phi/response.ts";
import type { Frame, LayerLayout } from "../../wire/types.ts";
import type { Flow } from "./flow.ts";
import type { Bundle, Column, Graph } from "./graph.ts";

/** A pixel of a map: the patch under it on the functions of one kernel. */
export interface PixelCloseUp {
  kind: "pixel";
  column: number;
  unit: number;
  row: number;
  at: number;
  layer: LayerLayout;
  /** The input channel whose kernel is shown, of so many that are summed. */
  channel: number;
  channels: number;
  kernel: { out: number; in: number };
  patch: Patch;
  /** The least and the largest number of the channel, where it is an image given to the network: drawn in greys. */
  greys: readonly [number, number] | null;
  /** What this kernel adds, and what all of them make together. */
  part: number;
  total: number;
}

/** A number: what each unit before adds to it. */
export interface UnitCloseUp {
  kind: "unit";
  column: number;
  unit: number;
  layer: LayerLayout;
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
export interface FunctionsCloseUp {
  kind: "functions";
  column: number;
  unit: number;
  from: number;
  layer: LayerLayout;
  patch: Patch;
}

export type CloseUp = PixelCloseUp | UnitCloseUp | FunctionsCloseUp;

/** The station whose output a column's layer takes in, and that output. */
export function inputOf(graph: Graph, column: Column, flow: Flow) {
  const { sources } = graph.stations[column.station];
  const source = sources.length > 0 ? Math.max(...sources) : -1;
  const values = source < 0 ? null : flow.values[source];
  const shape = source < 0 ? [] : flow.shapes[source];
  const whole = shape.reduce((product, side) => product * side, 1);
  return values && values.length === whole ? { values, shape } : null;
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

/** The output before whatever the module adds to the sum of its functions. */
export function pixelCloseUp(
  graph: Graph,
  number: number,
  flow: Flow,
  frame: Frame,
  unit: number,
  row: number,
  at: number,
  wanted: number,
): PixelCloseUp | null {
  const column = graph.columns[number];
  const { layer } = column;
  const given = inputOf(graph, column, flow);
  if (!layer?.conv || !given) return null;
  const swept = sweptOf(layer, given.values, given.shape);
  if (!swept || row >= swept.height || at >= swept.width) return null;
  const sources = sourcesOf(swept, unit);
  const border = layer.conv.padsBasis === true;
  const patches = sources.map((source) => {
    const inputs = patchAt(swept, row, at, source.channel);
    const patch = patchOf(frame, layer, source, inputs, border, 33);
    const values = patch.values ?? [];
    return { source, patch, part: values.reduce((sum, value) => sum + value, 0) };
  });
  if (patches.length === 0) return null;
  const strongest = patches.reduce((a, b) => (Math.abs(b.part) > Math.abs(a.part) ? b : a));
  const { source, patch, part } = patches.find(({ source }) => source.in === wanted) ?? strongest;
  return {
    kind: "pixel",
    column: number,
    unit,
    row,
    at,
    layer,
    channel: source.channel,
    channels: patches.length,
    kernel: { out: source.out, in: source.in },
    patch,
    greys: greysOf(graph, column, given, source.channel),
    part,
    total: patches.reduce((sum, each) => sum + each.part, 0),
  };
}

function greysOf(
  graph: Graph,
  column: Column,
  { values, shape }: { values: Float32Array; shape: number[] },
  channel: number,
): readonly [number, number] | null {
  if (graph.columns[column.from[0]]?.kind !== "input") return null;
  const each = shape[1] * shape[2];
  return rangeOf(values.subarray(channel * each, (channel + 1) * each));
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
  const given = inputOf(graph, column, flow);
  if (layer?.kind !== "linear" || !given || given.values.length !== layer.shape[1]) return null;
  const { channels } = contributions(layer, frame, given.values, given.shape, unit);
  const all = channels.flatMap((values) => Array.from(values));
  const group = column.fold[0] * column.fold[1];
  const parts: UnitCloseUp["parts"] = [];
  for (let from = 0; from * group < all.length; from++) {
    let value = 0;
    for (let k = from * group; k < (from + 1) * group; k++) value += all[k];
    parts.push({ from, value });
  }
  const from = largest(parts.map(({ value }) => value));
  const entry = largest(all.slice(from * group, (from + 1) * group));
  const input = from * group + entry;
  const strongest = { from, entry, x: given.values[input], value: all[input] };
  const bias = flow.extras.get(column.station)?.get("bias")?.[unit] ?? 0;
  const total = parts.reduce((sum, { value }) => sum + value, bias);
  const before = graph.columns[column.from[0]];
  const [image, numbers] =
    before?.kind === "input" ? (["channel", "input"] as const) : (["map", "unit"] as const);
  const source = before?.map ? image : numbers;
  return {
    kind: "unit",
    column: number,
    unit,
    layer,
    source,
    before: before?.name ?? "",
    parts,
    strongest,
    bias,
    total,
  };
}

/** The place of the number with the largest size; what is not a number has none. */
function largest(values: readonly number[]): number {
  const sizes = values.map((value) => (Number.isFinite(value) ? Math.abs(value) : -1));
  return sizes.indexOf(Math.max(...sizes));
}

/** `entry` is the function of a bundle that is more than a kernel. */
export function functionsCloseUp(
  column: number,
  layer: LayerLayout,
  { from, to, first }: Bundle,
  entry: number,
  frame: Frame,
): FunctionsCloseUp {
  const [, inputs, kh, kw] = layer.shape;
  const kernel = Math.floor((first + (layer.kind === "linear" ? entry : 0)) / (kh * kw));
  const at = { out: Math.floor(kernel / inputs), in: kernel % inputs };
  const patch = patchOf(frame, layer, at, null, false, 49);
  return { kind: "functions", column, unit: to, from, layer, patch };
}

/** The longest first. */
export function closeUpTitles(closeUp: CloseUp, name: string): string[] {
  const { layer, unit } = closeUp;
  if (closeUp.kind === "functions") {
    const what = closeUp.patch.curves.length > 1 ? "The kernel" : "The function";
    return [
      `${what} of ${layerTitle(layer)} from unit ${closeUp.from} to ${outputName(layer, unit, "unit")}`,
    ];
  }
  if (closeUp.kind === "unit")
    return [
      `What each ${closeUp.source} of ${closeUp.before} adds to ${name}`,
      `What each ${closeUp.source} adds to ${name}`,
    ];
  const { row, at, channel, channels } = closeUp;
  const of = channels > 1 ? `, from channel ${channel}` : "";
  return [
    `One pixel of ${layerTitle(layer)}, ${outputName(layer, unit)}: row ${row}, column ${at}${of}`,
  ];
}
