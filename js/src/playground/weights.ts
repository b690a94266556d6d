/** A trained network for Python: its numbers as .npz, and the lines that read them. */

import { strToU8, zipSync } from "fflate";
import { type BasisSpec, FAMILIES } from "./bases.ts";
import type { Made } from "./network.ts";
import type { State } from "./state.ts";

type Npy = { shape: readonly number[]; values: Float32Array | BigInt64Array };
type Arrays = Map<string, Npy>;

/** The arrays of the network's state_dict, as kan_widgets.nn names them. */
export function arraysOf({ layout, kept }: Made, frame: Float32Array): Arrays {
  const arrays: Arrays = new Map();
  let end = 0;
  for (const { name, kind, shape, nb, offset } of layout.layers) {
    const count = shape.reduce((all, size) => all * size);
    const own = kind === "conv" ? shape : shape.slice(0, 2);
    const { isScaled = false, basis } = kept.get(name) ?? {};
    const base = new Float32Array(count);
    const splines = new Float32Array(count * (nb - 1));
    for (let f = 0; f < count; f++) {
      base[f] = frame[offset + f * nb];
      splines.set(frame.subarray(offset + f * nb + 1, offset + (f + 1) * nb), f * (nb - 1));
    }
    arrays.set(`${name}.base_weight`, { shape: own, values: base });
    arrays.set(`${name}.spline_weight`, { shape: [...own, nb - 1], values: splines });
    // The splines have their scale in them.
    const ones = new Float32Array(count).fill(1);
    if (isScaled) arrays.set(`${name}.spline_scaler`, { shape: own, values: ones });
    const knots = basis ? knotsOf(basis) : [];
    if (knots.length > 0)
      arrays.set(`${name}.knots`, { shape: [knots.length], values: Float32Array.from(knots) });
    end = offset + count * nb;
  }
  for (const { name, size } of layout.beside) {
    arrays.set(name, { shape: [size], values: frame.slice(end, end + size) });
    if (name.endsWith("running_mean")) {
      const batches = name.replace("running_mean", "num_batches_tracked");
      arrays.set(batches, { shape: [], values: new BigInt64Array(1) });
    }
    end += size;
  }
  return arrays;
}

/** The knots of splines; of waves, by which Python tells their order, the frequency of each. */
function knotsOf({ knots, kernel: { family, order, functions } }: BasisSpec): readonly number[] {
  const isWaves = order === 0 && FAMILIES[family] === "fourier";
  return isWaves ? Array.from({ length: functions }, (_, b) => (b + 1) >> 1) : knots;
}

/** The network as the bytes of an .npz file: a ZIP archive of .npy files, stored as they are. */
export function archiveOf(made: Made, frame: Float32Array) {
  const files = Array.from(arraysOf(made, frame), ([name, array]) => [`${name}.npy`, npyOf(array)]);
  return zipSync(Object.fromEntries(files), { level: 0 });
}

/** An array as NumPy writes it, format 1.0. */
function npyOf({ shape, values }: Npy): Uint8Array {
  const kind = values instanceof Float32Array ? "<f4" : "<i8";
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const words = `{'descr': '${kind}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const length = Math.ceil((10 + words.length + 1) / 64) * 64 - 10;
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0];
  const header = strToU8(`${words.padEnd(length - 1)}\n`);
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return Uint8Array.from([...magic, length & 255, length >> 8, ...header, ...bytes]);
}

/** Python that makes the network and reads its numbers. */
export function codeOf(state: State, { layout, structure }: Made): string {
  const { grid, order, basis, base } = state;
  const settings = [
    grid !== 5 && `grid_size=${grid}`,
    order !== 3 && `spline_order=${order}`,
    basis !== "bspline" && `basis="${basis}"`,
    base !== "silu" && `base_activation="${base}"`,
  ].filter(Boolean);
  const call = (name: string, ...own: (string | number)[]) =>
    `${name}(${[...own, ...settings].join(", ")})`;
  const heading = [
    "import numpy as np, torch, kan_widgets as kw",
    "",
    'weights = dict(np.load("kan.npz"))',
  ];
  const reading =
    "model.load_state_dict({name: torch.from_numpy(weights[name]) for name in weights})";
  if (state.network !== "dense") {
    const widths = state.widths.join(", ");
    const own = `channels=(${widths}${state.widths.length === 1 ? "," : ""})`;
    const isArticle = state.network === "article";
    const model = isArticle ? "kw.nn.KANCNN.article()" : call("kw.nn.KANCNN", own);
    return [...heading, `model = ${model}`, reading, "model.eval()"].join("\n");
  }
  const isFlat = structure.stations.some(({ kind }) => kind === "reshape");
  const isClassifier = structure.stations.at(-1)?.name === "log_softmax";
  const layers = layout.layers.map(({ name, shape }) => {
    return `    ("${name}", ${call("kw.nn.KANLinear", shape[1], shape[0])}),`;
  });
  return [
    "from collections import OrderedDict",
    ...heading,
    "model = torch.nn.Sequential(OrderedDict([",
    ...(isFlat ? ['    ("flatten", torch.nn.Flatten()),'] : []),
    ...layers,
    ...(isClassifier ? ['    ("log_softmax", torch.nn.LogSoftmax(-1)),'] : []),
    "]))",
    reading,
    "model.eval()",
  ].join("\n");
}
