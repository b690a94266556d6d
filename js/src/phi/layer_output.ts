/** What a layer makes of one input: the sums of its functions, and its bias. No DOM. */

import { product } from "../wire/checks.ts";
import type { ConvSettings, Frame, LayerLayout } from "../wire/types.ts";
import { expandAt } from "./expansion.ts";
import type { Images } from "./images.ts";
import { extraOf, type Given, type Operation, wholes } from "./operations.ts";
import { channelsOf, outputSize, refusal, respond, sweep } from "./response.ts";

/** The shape of its output; a sentence where the layer cannot take in what comes. */
export function layerShape(layer: LayerLayout, { shapes }: Given): readonly number[] | string {
  const [from] = shapes;
  const [outputs, inputs] = layer.shape;
  const name = layer.name || layer.type;
  if (shapes.length !== 1) return `${name} takes in one input, and gets ${shapes.length}.`;
  const gets = `gets ${from.join(" × ") || "one number"}.`;
  if (layer.kind === "linear") {
    if (from.at(-1) === inputs) return [...from.slice(0, -1), outputs];
    return `${name} takes in ${inputs} numbers, and ${gets}`;
  }
  if (from.length !== 3) return `${name} takes in channels of maps, and ${gets}`;
  const image = imageOf(new Float32Array(0), from);
  const refused = refusal(layer, image);
  if (refused) return refused;
  const needed = channelsOf(layer) ?? image.channels;
  if (image.channels !== needed) return `${name} takes in ${needed} channels, and ${gets}`;
  const conv = layer.conv as ConvSettings;
  const { width, height } = outputSize(layer, conv, image);
  return [conv.shared ? outputs * needed : outputs, height, width];
}

/** Needs a shape. */
export function layerOutput(
  layer: LayerLayout,
  frame: Frame,
  given: Given,
  x: Float32Array,
): Float32Array {
  const [from] = given.shapes;
  const maps = layer.kind === "conv";
  const sums = maps ? convolved(layer, frame, imageOf(x, from)) : linear(layer, frame, x);
  if (!given.extra("bias")) return sums;
  const [outputs] = layer.shape;
  const channels = layer.conv?.shared ? outputs * from[0] : outputs;
  const bias = extraOf(given, "bias", channels, outputs);
  const area = maps ? sums.length / channels : 1;
  return sums.map((sum, k) => sum + bias[Math.floor(k / area) % bias.length]);
}

/** φ_{o,i}(x_i) of a linear layer, by o and i. */
export function termsOf(
  layer: LayerLayout,
  frame: Frame,
  x: Float32Array,
): (o: number, i: number) => number {
  const { nb, offset, tableOf } = layer;
  const { data } = frame;
  const [, inputs] = layer.shape;
  // The tables of one output are mostly those of all.
  const tables = Uint32Array.from({ length: inputs }, (_, i) => (tableOf ? tableOf[i] : 0));
  const beta = new Float64Array(inputs * nb);
  for (let i = 0; i < inputs; i++) {
    expandAt(layer, tables[i], x[i], beta.subarray(i * nb, (i + 1) * nb));
  }
  const own = new Float64Array(nb);
  return (o, i) => {
    const f = o * inputs + i;
    const isOther = tableOf !== null && tableOf[f] !== tables[i];
    if (isOther) expandAt(layer, tableOf[f], x[i], own);
    const values = isOther ? own : beta;
    let sum = 0;
    for (let b = 0, c = offset + f * nb, v = isOther ? 0 : i * nb; b < nb; b++, c++, v++) {
      sum += data[c] * values[v];
    }
    return sum;
  };
}

/** Row by row of numbers. */
function linear(layer: LayerLayout, frame: Frame, x: Float32Array): Float32Array {
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

function convolved(layer: LayerLayout, frame: Frame, image: Images): Float32Array {
  const swept = sweep(layer, image);
  const area = swept.width * swept.height;
  const out = new Float32Array(swept.outputs * area);
  for (let o = 0; o < swept.outputs; o++) out.set(respond(frame, swept, o).data, o * area);
  return out;
}

/** A map of channels; needs a shape of three sizes. */
export function imageOf(data: Float32Array, shape: readonly number[]): Images {
  const [channels, height, width] = shape;
  return { count: 1, channels, height, width, data };
}

const LINE = { x: Float32Array.of(-1, 1), values: Float32Array.of(-1, 1) };
const RANGE: LayerLayout["bases"][number] = { domain: [-1, 1], extent: [-1, 1], knots: [] };

/** A layer of straight lines, w·x: the weights are its coefficients. */
function straight(
  kind: LayerLayout["kind"],
  shape: LayerLayout["shape"],
  conv: ConvSettings | null,
): LayerLayout {
  return {
    name: kind === "conv" ? "Conv2d" : "Linear",
    kind,
    type: "",
    shape,
    nb: 1,
    offset: 0,
    labels: ["x"],
    isBase: [true],
    ...RANGE,
    variable: "x",
    note: "",
    conv,
    locked: "",
    tables: [LINE],
    bases: [RANGE],
    tableOf: null,
    count: product(shape),
  };
}

/** Of a layer whose weights are not in the frame. */
function plain(layer: (given: Given) => LayerLayout): Operation["run"] {
  return (given, [x]) => {
    const made = layer(given);
    const data = extraOf(given, "weight", made.count);
    return layerOutput(made, { step: 0, layout: { version: 0, layers: [made] }, data }, given, x);
  };
}

const linearOperation: Operation = {
  needs: ["weight"],
  shape: ({ shapes, shape }) =>
    shapes.length === 1 && shape.length > 0 && shape.length === shapes[0].length ? shape : null,
  run: plain(({ shapes: [from], shape }) =>
    straight("linear", [shape[shape.length - 1], from[from.length - 1], 1, 1], null),
  ),
};

const convOperation: Operation = {
  needs: ["weight"],
  shape(given) {
    const { shapes, shape } = given;
    const conv = convOf(given);
    if (!conv || shapes.length !== 1 || shapes[0].length !== 3 || shape.length !== 3) return null;
    return shapes[0][0] % conv.groups === 0 && shape[0] % conv.groups === 0 ? shape : null;
  },
  run: plain((given) => {
    const { shapes, shape, compute } = given;
    const conv = convOf(given) as ConvSettings;
    const inputs = shapes[0][0] / conv.groups;
    // Without its sizes a kernel is square.
    const side = Math.sqrt((given.extra("weight")?.length ?? 0) / (shape[0] * inputs));
    const [kh, kw] = wholes(compute.kernel, 2) ?? [side, side];
    const layer = straight("conv", [shape[0], inputs, kh, kw], conv);
    const { width, height } = outputSize(layer, conv, imageOf(new Float32Array(0), shapes[0]));
    if (height === shape[1] && width === shape[2]) return layer;
    throw new Error(`A kernel of ${kh} × ${kw} gives ${height} × ${width} numbers, not ${shape}.`);
  }),
};

function convOf({ compute }: Given): ConvSettings | null {
  const stride = wholes(compute.stride, 2);
  const padding = wholes(compute.padding, 4);
  const dilation = wholes(compute.dilation, 2);
  const groups = compute.groups ?? 1;
  if (!stride || !padding || !dilation || !Number.isSafeInteger(groups)) return null;
  return {
    stride: stride as ConvSettings["stride"],
    padding: padding as ConvSettings["padding"],
    dilation: dilation as ConvSettings["dilation"],
    paddingMode: "zeros",
    groups: groups as number,
    shared: false,
  };
}

export const PLAIN: Readonly<Record<string, Operation>> = {
  linear: linearOperation,
  conv2d: convOperation,
};
