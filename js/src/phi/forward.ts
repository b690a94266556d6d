/** The forward pass of a network whose stations the page can compute itself. */

import { product } from "../wire/protocol.ts";
import type {
  Activations,
  ConvSettings,
  Frame,
  LayerLayout,
  Layout,
  Station,
  Structure,
} from "../wire/types.ts";
import { expandAt } from "./expansion.ts";
import type { Images } from "./images.ts";
import { extraOf, isKnown, NEEDED, OPERATIONS, type OpNode } from "./operations.ts";
import { channelsOf, outputSize, refusal, respond, sweep } from "./response.ts";

type Extras = Activations["extras"];

/** The extra with a station's exact numbers, where they are few: many are rounded to 8 bits. */
const EXACT = "values";

/** What the model made of an example at a station; null where that was not sent. */
export function numbersTaken({ values, extras }: Activations, station: number, example: number) {
  const output = values.get(station);
  if (!output || example >= output.shape[0]) return null;
  const { shape, data, low, high } = output;
  const size = product(shape.slice(1));
  const [from, to] = [example * size, (example + 1) * size];
  const exact = extras.get(station)?.get(EXACT);
  if (exact) return exact.subarray(from, to);
  const scale = (high[example] - low[example]) / 255;
  return Float32Array.from(data.subarray(from, to), (value) => low[example] + scale * value);
}

/**
 * What a network computes with beside its functions, all as of a frame's step: the vectors in the frame, and the extras
 * that were sent for that very step. Null where one is missing.
 */
export function extrasAt(
  { stations }: Structure,
  { step, layout, data }: Frame,
  activations: Activations | null,
): Extras | null {
  const sentExtras = activations?.step === step ? activations.extras : null;
  const needed: Extras = new Map(sentExtras);
  for (const [number, { beside }] of stations.entries()) {
    // Older recordings do not say what is needed.
    if (!beside && !sentExtras && activations?.extras.size !== 0) return null;
    for (const [name, path] of Object.entries(beside ?? {})) {
      const place = path === null ? undefined : layout.beside?.get(path);
      const numbers = place
        ? data.subarray(place.offset, place.offset + place.size)
        : sentExtras?.get(number)?.get(name);
      if (!numbers) return null;
      needed.set(number, new Map(needed.get(number)).set(name, numbers));
    }
  }
  return needed;
}

function nodeAt(structure: Structure, number: number, extras?: Extras): OpNode {
  const { compute, sources, shape } = structure.stations[number];
  return {
    compute: compute ?? { op: "" },
    shapes: sources.map((source) => structure.stations[source].shape),
    shape,
    extra: (name) => extras?.get(number)?.get(name),
  };
}

/** The layer of the frame that a station is; null for a station that is none, or has weights of its own. */
function layerAt({ layer, compute }: Station, { layers }: Layout): LayerLayout | null {
  if (layer === null || !["kan", "linear", "conv2d"].includes(compute?.op ?? "")) return null;
  return layers.find(({ name }) => name === layer) ?? null;
}

/**
 * Whether the page can compute the network with these extras. Where a basis is not known beyond its table, and an input
 * lies there, outputs are NaN all the same.
 */
export function isComputable(structure: Structure, layout: Layout, extras: Extras): boolean {
  const { stations, traced } = structure;
  const isWhole = !layout.layers.some(({ window }) => window);
  const hasOneInput =
    stations.length > 0 && stations.every(({ kind }, n) => (kind === "input") === (n === 0));
  return (
    traced &&
    isWhole &&
    hasOneInput &&
    stations[0].shape.length > 0 &&
    stations.every(
      (station, n) => n === 0 || isKnownAt(station, nodeAt(structure, n, extras), layout),
    )
  );
}

function isKnownAt(station: Station, node: OpNode, layout: Layout): boolean {
  if (!station.compute || station.sums === false) return false;
  const { op } = station.compute;
  const layer = layerAt(station, layout);
  if (layer) return layer.variable === "x" && takesIn(layer, node.shapes[0]);
  // The page has no functions of this layer.
  if (station.layer !== null && (op === "kan" || op in NEEDED)) return false;
  const hasAll = (NEEDED[op] ?? []).every((name) => node.extra(name));
  return hasAll && (isKnown(station.compute) || op === "linear" || op === "conv2d");
}

/** Whether a layer can take in numbers of a shape. */
function takesIn(layer: LayerLayout, shape: readonly number[]): boolean {
  if (layer.kind === "linear") return shape.at(-1) === layer.shape[1];
  const needed = channelsOf(layer) ?? shape[0];
  const isMaps = shape.length === 3 && shape[0] === needed;
  return isMaps && refusal(layer, imageOf(new Float32Array(0), shape)) === "";
}

/**
 * The output of every station for one input, which has the input station's shape, row by row. Needs a network that is
 * computable.
 */
export function forward(structure: Structure, frame: Frame, extras: Extras, input: Float32Array) {
  if (!isComputable(structure, frame.layout, extras))
    throw new Error("Only the model can compute this network.");
  const needed = product(structure.stations[0].shape);
  if (input.length !== needed)
    throw new Error(`Got ${input.length} numbers for the input; needed: ${needed}.`);
  const outputs = [input];
  for (const [n, station] of structure.stations.entries()) {
    if (n === 0) continue;
    const node = nodeAt(structure, n, extras);
    const inputs = station.sources.map((source) => outputs[source]);
    const layer = layerAt(station, frame.layout);
    if (layer) outputs.push(layerOutput(layer, frame, node, inputs[0]));
    else if (isKnown(node.compute)) outputs.push(OPERATIONS[node.compute.op](node, inputs));
    else outputs.push(plainOutput(node, inputs[0]));
  }
  return outputs;
}

/** What each input of a linear layer adds to one of its outputs, before bias: φ_{o,i}(x_i). */
export function contributions(layer: LayerLayout, frame: Frame, x: Float32Array, out: number) {
  const phi = termsOf(layer, frame, x);
  return Float32Array.from({ length: layer.shape[1] }, (_, i) => phi(out, i));
}

/** A layer's output for one input: the sums of its functions, and its bias. */
function layerOutput(layer: LayerLayout, frame: Frame, node: OpNode, x: Float32Array) {
  const [shape] = node.shapes;
  const isConv = layer.kind === "conv";
  const sums = isConv ? convOutput(layer, frame, imageOf(x, shape)) : linearOutput(layer, frame, x);
  if (!node.extra("bias")) return sums;
  const [outputs] = layer.shape;
  const channels = layer.conv?.shared ? outputs * shape[0] : outputs;
  const bias = extraOf(node, "bias", channels, outputs);
  const area = isConv ? sums.length / channels : 1;
  return sums.map((sum, k) => sum + bias[Math.floor(k / area) % bias.length]);
}

/** φ_{o,i}(x_i) of a linear layer, by o and i. */
function termsOf(layer: LayerLayout, frame: Frame, x: Float32Array) {
  const { nb, offset, tableOf } = layer;
  const { data } = frame;
  const [, inputs] = layer.shape;
  // The tables of one output are mostly those of all.
  const tables = Uint32Array.from({ length: inputs }, (_, i) => (tableOf ? tableOf[i] : 0));
  const beta = new Float64Array(inputs * nb);
  for (let i = 0; i < inputs; i++) {
    expandAt(layer, tables[i], x[i], beta.subarray(i * nb, (i + 1) * nb));
  }
  const otherBeta = new Float64Array(nb);
  return (o: number, i: number) => {
    const f = o * inputs + i;
    const isOther = tableOf !== null && tableOf[f] !== tables[i];
    if (isOther) expandAt(layer, tableOf[f], x[i], otherBeta);
    const values = isOther ? otherBeta : beta;
    let sum = 0;
    for (let b = 0, c = offset + f * nb, v = isOther ? 0 : i * nb; b < nb; b++, c++, v++) {
      sum += data[c] * values[v];
    }
    return sum;
  };
}

/** The sums of a linear layer, for each row of x. */
function linearOutput(layer: LayerLayout, frame: Frame, x: Float32Array): Float32Array {
  const [outputs, inputs] = layer.shape;
  const rows = x.length / inputs;
  const out = new Float32Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    const phi = termsOf(layer, frame, x.subarray(row * inputs, (row + 1) * inputs));
    for (let o = 0; o < outputs; o++) {
      let sum = 0;
      for (let i = 0; i < inputs; i++) sum += phi(o, i);
      out[row * outputs + o] = sum;
    }
  }
  return out;
}

function convOutput(layer: LayerLayout, frame: Frame, image: Images): Float32Array {
  const swept = sweep(layer, image);
  const area = swept.width * swept.height;
  const out = new Float32Array(swept.outputs * area);
  for (let o = 0; o < swept.outputs; o++) out.set(respond(frame, swept, o).data, o * area);
  return out;
}

/** A map of channels; needs a shape of three sizes. */
function imageOf(data: Float32Array, shape: readonly number[]): Images {
  const [channels, height, width] = shape;
  return { count: 1, channels, height, width, data };
}

const STRAIGHT_TABLE = { x: Float32Array.of(-1, 1), values: Float32Array.of(-1, 1) };
const STRAIGHT_RANGE: LayerLayout["bases"][number] = {
  domain: [-1, 1],
  extent: [-1, 1],
  knots: [],
};
/** A layer of straight lines, w·x: the weights are its coefficients. */
const STRAIGHT_LAYER = {
  type: "",
  nb: 1,
  offset: 0,
  labels: ["x"],
  isBase: [true],
  ...STRAIGHT_RANGE,
  variable: "x",
  note: "",
  locked: "",
  tables: [STRAIGHT_TABLE],
  bases: [STRAIGHT_RANGE],
  tableOf: null,
};

/** The output of a plain layer whose weights are not in the frame. */
function plainOutput(node: OpNode, x: Float32Array): Float32Array {
  const { compute, shape } = node;
  const [inputShape] = node.shapes;
  const count = node.extra("weight")?.length ?? 0;
  const straight = { ...STRAIGHT_LAYER, count };
  let layer: LayerLayout;
  if (compute.op === "linear") {
    const sizes: LayerLayout["shape"] = [shape.at(-1) ?? 1, inputShape.at(-1) ?? 1, 1, 1];
    layer = { ...straight, name: "Linear", kind: "linear", shape: sizes, conv: null };
  } else {
    const settings = compute as unknown as ConvSettings & { kernel?: [number, number] };
    const conv: ConvSettings = { ...settings, paddingMode: "zeros", shared: false };
    const inputs = inputShape[0] / conv.groups;
    // Without its sizes a kernel is square.
    const side = Math.sqrt(count / (shape[0] * inputs));
    const [kh, kw] = settings.kernel ?? [side, side];
    const sizes: LayerLayout["shape"] = [shape[0], inputs, kh, kw];
    layer = { ...straight, name: "Conv2d", kind: "conv", shape: sizes, conv };
    const { width, height } = outputSize(layer, conv, imageOf(x, inputShape));
    if (height !== shape[1] || width !== shape[2])
      throw new Error(
        `A kernel of ${kh} × ${kw} gives ${height} × ${width} numbers, not ${shape}.`,
      );
  }
  const data = extraOf(node, "weight", product(layer.shape));
  return layerOutput(layer, { step: 0, layout: { version: 0, layers: [layer] }, data }, node, x);
}
