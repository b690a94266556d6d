/** What reaches the functions of a network in training: as kan_widgets/live/model/observe.py tells it. */

import { product } from "../wire/protocol.ts";
import type { LayerLayout, Structure } from "../wire/types.ts";
import type { Values } from "./between_layers.ts";
import type { Machine } from "./machine.ts";

const BINS = 64;
const MOST_PATCH_NUMBERS = 20_000;
const MOST_MAPS = 8;

/** A message as the page gets it from Python. */
export type ObservedMessage = object;

/** Tells of a layer whose input has been computed for `n` examples. */
export function observe(
  machine: Machine,
  { stations }: Structure,
  layer: LayerLayout,
  from: Values,
  n: number,
  step: number,
): ObservedMessage {
  const x = machine.floats(from.at, n * from.size);
  const { columns, maps, mapShape } = layer.conv
    ? unfolded(layer, x, from.shape, n)
    : flat(x, from);
  const entries = columns.length;
  const [low, high] = layer.extent;
  const edges = Float32Array.from({ length: BINS + 1 }, (_, k) => low + ((high - low) * k) / BINS);
  const counts = new Float32Array(entries * BINS);
  const outside = ([from, to]: readonly [number, number]) =>
    Float32Array.from(columns, (column) => {
      return column.filter((value) => value < from || value > to).length / column.length;
    });
  for (const [entry, column] of columns.entries())
    for (const value of column)
      if (value >= low && value <= high) {
        const bin = Math.floor((BINS * (value - low)) / (high - low));
        counts[entry * BINS + Math.min(BINS - 1, bin)]++;
      }
  const rows = columns[0].length;
  const patchCount = Math.min(rows, Math.max(1, Math.floor(MOST_PATCH_NUMBERS / entries)));
  const patches = new Float32Array(patchCount * entries);
  for (let k = 0; k < patchCount; k++)
    for (let entry = 0; entry < entries; entry++)
      patches[k * entries + entry] = columns[entry][Math.floor((k * rows) / patchCount)];
  const number = stations.findIndex((station) => station.layer === layer.name);
  const arrays = {
    ...{ edges, counts, outside_domain: outside(layer.domain) },
    ...{ outside_extent: outside(layer.extent), patches, ...(maps && { maps }) },
  };
  return {
    ...{ kind: "observed", layer: layer.name, samples: n, step },
    ...{ is_image: stations[number].sources[0] === 0, fold: foldOf(stations, number) },
    shapes: {
      ...{ edges: [BINS + 1], counts: [entries, BINS], outside_domain: [entries] },
      ...{ outside_extent: [entries], patches: [patchCount, entries] },
      ...(mapShape && { maps: mapShape }),
    },
    arrays: Object.fromEntries(
      Object.entries(arrays).map(([name, { buffer }]) => [name, new DataView(buffer)]),
    ),
  };
}

/** The map that a dense layer's inputs are, flattened; null where they are none. */
function foldOf(stations: Structure["stations"], number: number): readonly number[] | null {
  let [at] = stations[number].sources;
  while (stations[at].kind === "norm") [at] = stations[at].sources;
  if (stations[at].kind !== "reshape") return null;
  const { shape } = stations[stations[at].sources[0]];
  return shape.length === 3 ? shape : null;
}

/** The inputs of a dense layer, a column for each. */
function flat(x: Float32Array, { size }: Values) {
  const column = (entry: number) =>
    Float32Array.from({ length: x.length / size }, (_, k) => x[k * size + entry]);
  const columns = Array.from({ length: size }, (_, entry) => column(entry));
  return { columns, maps: null, mapShape: null };
}

/** What each place of a kernel takes in, and the first maps; x is row by row, channels last. */
function unfolded(layer: LayerLayout, x: Float32Array, shape: readonly number[], n: number) {
  const [channels, height, width] = shape;
  const [, , kh, kw] = layer.shape;
  const { padding, stride, dilation, shared } = layer.conv as NonNullable<LayerLayout["conv"]>;
  const [left, right, top, bottom] = padding;
  const rows = Math.floor((height + top + bottom - dilation[0] * (kh - 1) - 1) / stride[0]) + 1;
  const across = Math.floor((width + left + right - dilation[1] * (kw - 1) - 1) / stride[1]) + 1;
  const at = (image: number, channel: number, row: number, column: number) =>
    row < 0 || row >= height || column < 0 || column >= width
      ? 0
      : x[((image * height + row) * width + column) * channels + channel];
  const group = shared ? channels : 1;
  const places = n * group * rows * across;
  const columns = Array.from({ length: (channels / group) * kh * kw }, (_, entry) => {
    const [own, a, b] = [Math.floor(entry / kh / kw), Math.floor(entry / kw) % kh, entry % kw];
    return Float32Array.from({ length: places }, (_, k) => {
      const [image, place] = [Math.floor(k / rows / across), k % (rows * across)];
      const row = Math.floor(place / across) * stride[0] + a * dilation[0] - top;
      const column = (place % across) * stride[1] + b * dilation[1] - left;
      return at(Math.floor(image / group), shared ? image % group : own, row, column);
    });
  });
  const mapShape = [Math.min(n, MOST_MAPS), channels, height, width];
  const area = height * width;
  const maps = Float32Array.from({ length: product(mapShape) }, (_, k) => {
    const [image, place] = [Math.floor(k / area / channels), k % area];
    return at(image, Math.floor(k / area) % channels, Math.floor(place / width), place % width);
  });
  return { columns, maps, mapShape };
}
