/** The response of a layer to an image: each kernel swept over the image, φ by φ, before bias and normalisation. */

import { extent } from "d3-array";
import type { ConvSettings, Frame, LayerLayout, Selection } from "../wire/types.ts";
import { combine, type TablePlan } from "./curves.ts";
import { layerTitle } from "./entries.ts";
import { expandAll, expandAt } from "./expansion.ts";
import type { Images } from "./images.ts";
import { tableNumber } from "./interpolate.ts";
import { mostOf, niceCeil, reachOf } from "./ranges.ts";

export type Grid = ReturnType<typeof respond>;

/** An image made ready for a layer: padded, and its values in the basis of each table in use. */
export type Swept = ReturnType<typeof sweep>;

/** The channels a layer takes; any number where kernels are shared. */
export function channelsOf(layer: LayerLayout): number | null {
  if (!layer.conv || layer.conv.shared) return null;
  return layer.shape[1] * layer.conv.groups;
}

/** Multiplications and additions that one response costs. */
export function workPerOutput({ layer, width, height, levels }: Swept): number {
  const [, inputs, kh, kw] = layer.shape;
  const most = Math.max(...levels.map(({ values }) => values.length));
  return inputs * kh * kw * (most * layer.nb + width * height);
}

/** Why a layer has no response map to this image, in words; empty where it has one. */
export function refusal(layer: LayerLayout, image: Images | null): string {
  const { conv } = layer;
  const name = layerTitle(layer);
  if (layer.kind === "linear") {
    return `${name} is a linear layer: its inputs have no positions, so it has no response map.`;
  }
  if (layer.kind === "elementwise") {
    return `${name} is applied to each value by itself, so it has no response map.`;
  }
  if (!conv) return `The stride and padding of ${name} are not known, so it has no response map.`;
  if (!image) return "";
  const channels = channelsOf(layer);
  if (channels !== null && image.channels !== channels && image.channels !== 1) {
    return `The image has ${image.channels} channels, ${name} takes ${channels}.`;
  }
  const [left, right, top, bottom] = conv.padding;
  const tooFar =
    (conv.paddingMode === "reflect" &&
      (Math.max(left, right) >= image.width || Math.max(top, bottom) >= image.height)) ||
    (conv.paddingMode === "circular" &&
      (Math.max(left, right) > image.width || Math.max(top, bottom) > image.height));
  const { width, height } = outputSize(layer, conv, image);
  if (width < 1 || height < 1 || tooFar) {
    return `The image, ${image.height} × ${image.width}, is too small for the kernels of ${name}.`;
  }
  return "";
}

export function outputSize(layer: LayerLayout, conv: ConvSettings, image: Images) {
  const [, , kh, kw] = layer.shape;
  const [left, right, top, bottom] = conv.padding;
  const size = (length: number, kernel: number, dilation: number, stride: number) =>
    Math.floor((length - dilation * (kernel - 1) - 1) / stride) + 1;
  return {
    width: size(image.width + left + right, kw, conv.dilation[1], conv.stride[1]),
    height: size(image.height + top + bottom, kh, conv.dilation[0], conv.stride[0]),
  };
}

/** The row or column of the image at one of the padded image; -1 for a zero. */
function imageIndex(position: number, size: number, mode: ConvSettings["paddingMode"]): number {
  if (position >= 0 && position < size) return position;
  switch (mode) {
    case "zeros":
      return -1;
    case "replicate":
      return position < 0 ? 0 : size - 1;
    case "circular":
      return ((position % size) + size) % size;
    case "reflect":
      return position < 0 ? -position : 2 * (size - 1) - position;
  }
}

/** Pads an image for a layer; a single channel goes to every channel. Needs an image for which `refusal` is empty. */
export function sweep(layer: LayerLayout, image: Images) {
  const conv = layer.conv;
  if (!conv) throw new Error(refusal(layer, image));
  const channels = channelsOf(layer) ?? image.channels;
  const [left, right, top, bottom] = conv.padding;
  const padded = { width: image.width + left + right, height: image.height + top + bottom };
  const area = padded.width * padded.height;
  const pixels = new Float32Array(channels * area);
  const border = conv.padsBasis ? new Uint8Array(pixels.length).fill(1) : null;
  if (border) pixels.fill(Number.NaN);
  for (let row = 0; row < padded.height; row++) {
    const fromRow = imageIndex(row - top, image.height, conv.paddingMode);
    for (let column = 0; column < padded.width; column++) {
      const fromColumn = imageIndex(column - left, image.width, conv.paddingMode);
      if (fromRow < 0 || fromColumn < 0) continue;
      for (let channel = 0; channel < channels; channel++) {
        const fromChannel = image.channels === 1 ? 0 : channel;
        const at = channel * area + row * padded.width + column;
        pixels[at] = image.data[(fromChannel * image.height + fromRow) * image.width + fromColumn];
        if (border) border[at] = 0;
      }
    }
  }
  const out = layer.shape[0];
  return {
    layer,
    conv,
    channels,
    /** Size of the padded image, and of a response. */
    padded,
    ...outputSize(layer, conv, image),
    outputs: conv.shared ? out * channels : out,
    /** The padded image; NaN where the basis is padded and not the image. */
    pixels,
    /** 1 for pixels over which no function adds anything; null where there are none. */
    border,
    levels: Array.from({ length: channels }, (_, channel) =>
      channelLevels(
        pixels.subarray(channel * area, (channel + 1) * area),
        border?.subarray(channel * area, (channel + 1) * area) ?? null,
      ),
    ),
  };
}

/** The distinct values of a channel: φ is evaluated once for each of them. */
function channelLevels(pixels: Float32Array, border: Uint8Array | null) {
  const levelOf = new Map<number, number>();
  /** The place of each pixel's value among these; one beyond the last where no function adds anything. */
  const index = new Uint32Array(pixels.length);
  for (let p = 0; p < pixels.length; p++) {
    if (border?.[p]) continue;
    let level = levelOf.get(pixels[p]);
    if (level === undefined) {
      level = levelOf.size;
      levelOf.set(pixels[p], level);
    }
    index[p] = level;
  }
  for (let p = 0; p < pixels.length; p++) if (border?.[p]) index[p] = levelOf.size;
  /** The values in the basis of each table that is in use. */
  const beta: (TablePlan | undefined)[] = [];
  return { values: Float32Array.from(levelOf.keys()), index, beta };
}

/** The kernels that an output channel sums, and the image's channel that each goes over. */
export function sourcesOf(swept: Pick<Swept, "layer" | "conv">, output: number) {
  const [out, inputs] = swept.layer.shape;
  const { shared, groups } = swept.conv;
  if (shared) return [{ out: output % out, in: 0, channel: Math.floor(output / out) }];
  const first = Math.floor(output / (out / groups)) * inputs;
  return Array.from({ length: inputs }, (_, i) => ({ out: output, in: i, channel: first + i }));
}

export function respond(frame: Frame, swept: Swept, output: number) {
  const { width, height } = swept;
  const sums = new Float64Array(width * height);
  for (const source of sourcesOf(swept, output)) addResponse(frame, swept, source, sums);
  return { width, height, data: Float32Array.from(sums) };
}

/** Adds the response of one kernel to one channel, pixel by pixel of the output. */
function addResponse(
  frame: Frame,
  swept: Swept,
  source: { out: number; in: number; channel: number },
  sums: Float64Array,
): void {
  const { layer, conv, padded, width, height } = swept;
  const [, inputs, kh, kw] = layer.shape;
  const { nb } = layer;
  const [down, across] = conv.stride;
  const levels = swept.levels[source.channel];
  const { index } = levels;
  // One more for pixels over which nothing is added.
  const phi = new Float32Array(levels.values.length + 1);
  const kernel = (source.out * inputs + source.in) * kh * kw;
  for (let entry = 0; entry < kh * kw; entry++) {
    const f = kernel + entry;
    const start = layer.offset + f * nb;
    const table = tableNumber(layer, f);
    levels.beta[table] ??= expandAll(layer, table, levels.values);
    combine(new Float64Array(frame.data.subarray(start, start + nb)), levels.beta[table], phi, 0);
    const row0 = Math.floor(entry / kw) * conv.dilation[0];
    const column0 = (entry % kw) * conv.dilation[1];
    for (let y = 0, o = 0; y < height; y++) {
      let at = (y * down + row0) * padded.width + column0;
      for (let x = 0; x < width; x++, o++, at += across) sums[o] += phi[index[at]];
    }
  }
}

/** The output of a selected kernel; where kernels are shared, the one on the channel of output `like`. */
export function outputOf(swept: Swept, selection: Selection | null, like = 0): number {
  if (!selection) return Math.min(like, swept.outputs - 1);
  const [out] = swept.layer.shape;
  return swept.conv.shared ? Math.floor(like / out) * out + selection.out : selection.out;
}

/** Whether an output comes from the selected kernel. */
export function comesFrom(swept: Swept, output: number, selection: Selection): boolean {
  const [out] = swept.layer.shape;
  return (swept.conv.shared ? output % out : output) === selection.out;
}

/**
 * The inputs of a patch in one channel, row by row, for the output pixel at (row, column); NaN over a border where
 * functions add nothing.
 */
export function patchAt(swept: Swept, row: number, column: number, channel: number): Float32Array {
  const { layer, conv, padded, pixels } = swept;
  const [, , kh, kw] = layer.shape;
  return Float32Array.from({ length: kh * kw }, (_, entry) => {
    const y = row * conv.stride[0] + Math.floor(entry / kw) * conv.dilation[0];
    const x = column * conv.stride[1] + (entry % kw) * conv.dilation[1];
    return pixels[(channel * padded.height + y) * padded.width + x];
  });
}

/** Where a patch lies on the image that is not padded: its first row and column and its size. */
export function patchRect(swept: Swept, row: number, column: number) {
  const { layer, conv } = swept;
  const [, , kh, kw] = layer.shape;
  return {
    row: row * conv.stride[0] - conv.padding[2],
    column: column * conv.stride[1] - conv.padding[0],
    height: conv.dilation[0] * (kh - 1) + 1,
    width: conv.dilation[1] * (kw - 1) + 1,
  };
}

/** The input that one function gets at an output pixel; null where the pixel is not of that function. */
export function inputOf(
  swept: Swept,
  output: number,
  row: number,
  column: number,
  { out, in: input, row: r, column: c }: Selection,
): number | null {
  const [outs] = swept.layer.shape;
  // All kernels over one channel get the same patch, whichever output is pointed at.
  const like = swept.conv.shared ? Math.floor(output / outs) * outs + out : out;
  const source = sourcesOf(swept, like).find((s) => s.in === input);
  if (!source || source.channel >= swept.channels) return null;
  const value = patchAt(swept, row, column, source.channel)[r * swept.layer.shape[3] + c];
  return Number.isFinite(value) ? value : null;
}

/** `border`: an input that is NaN lies on padding, where the basis itself is 0, and adds nothing. */
export function patchOf(
  frame: Frame,
  layer: LayerLayout,
  kernel: { out: number; in: number },
  inputs: ArrayLike<number> | null,
  border: boolean,
  points: number,
) {
  const [, channels, kh, kw] = layer.shape;
  const [lo, hi] = extent([...layer.domain, ...Array.from(inputs ?? [])]) as [number, number];
  const beta = new Float64Array(layer.nb);
  const phi = (f: number, x: number) => {
    expandAt(layer, layer.tableOf ? layer.tableOf[f] : 0, x, beta);
    let value = 0;
    for (let b = 0; b < layer.nb; b++)
      value += frame.data[layer.offset + f * layer.nb + b] * beta[b];
    return value;
  };
  const first = (kernel.out * channels + kernel.in) * kh * kw;
  const curves = Array.from({ length: kh * kw }, (_, e) =>
    Float64Array.from({ length: points }, (_, k) =>
      phi(first + e, lo + ((hi - lo) * k) / (points - 1)),
    ),
  );
  const values =
    inputs && Array.from(inputs, (x, e) => (border && Number.isNaN(x) ? 0 : phi(first + e, x)));
  const reach = reachOf([...curves.flatMap((curve) => Array.from(curve)), ...(values ?? [])]);
  return {
    /** The x that every cell spans. */
    range: [lo, hi] as const,
    /** Each entry's φ at evenly spaced x. */
    curves,
    inputs,
    /** φ of each entry's input. */
    values,
    /** Half the height of a cell's axis. */
    most: niceCeil(mostOf(reach)),
  };
}
