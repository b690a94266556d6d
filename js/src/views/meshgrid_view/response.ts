/** What a layer makes of an image: each kernel swept over it, φ by φ, before bias and normalisation. No DOM. */

import { expandAt } from "../../phi/expansion.ts";
import type { ConvSettings, Frame, LayerLayout, Selection } from "../../wire/types.ts";
import type { Images } from "./settings.ts";

export interface Grid {
  width: number;
  height: number;
  data: Float32Array;
}

/** An image made ready for a layer: padded, and each pixel in the basis of each table in use. */
export interface Swept {
  layer: LayerLayout;
  conv: ConvSettings;
  channels: number;
  /** Size of the padded image, and of a response. */
  padded: { width: number; height: number };
  width: number;
  height: number;
  /** Number of output channels. */
  outputs: number;
  /** The padded image; NaN where the basis is padded and not the image. */
  pixels: Float32Array;
  /** 1 for pixels over which no function adds anything; null where there are none. */
  border: Uint8Array | null;
  /** beta[table][((channel·height + row)·width + column)·nb + b]. */
  beta: (Float64Array | undefined)[];
}

/** The channels a layer takes; any number where kernels are shared. */
export function channelsOf(layer: LayerLayout): number | null {
  if (!layer.conv || layer.conv.shared) return null;
  return layer.shape[1] * layer.conv.groups;
}

/** Multiplications that one response costs. */
export function workPerOutput(swept: Swept): number {
  const [, inputs, kh, kw] = swept.layer.shape;
  return swept.width * swept.height * inputs * kh * kw * swept.layer.nb;
}

/** Why a layer has no response map to this image, in words; empty where it has one. */
export function refusal(layer: LayerLayout, image: Images | null): string {
  const { conv } = layer;
  const name = layer.name || layer.type;
  if (layer.kind === "linear") {
    return `${name} is a linear layer: its inputs have no places, so it has no response map.`;
  }
  if (!conv) {
    return `How ${name} moves its kernels is not known here, so it has no response map.`;
  }
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

function outputSize(layer: LayerLayout, conv: ConvSettings, image: Images) {
  const [, , kh, kw] = layer.shape;
  const [left, right, top, bottom] = conv.padding;
  const size = (length: number, kernel: number, dilation: number, stride: number) =>
    Math.floor((length - dilation * (kernel - 1) - 1) / stride) + 1;
  return {
    width: size(image.width + left + right, kw, conv.dilation[1], conv.stride[1]),
    height: size(image.height + top + bottom, kh, conv.dilation[0], conv.stride[0]),
  };
}

/** The row or column of the image that a padded one shows; -1 for a zero. */
function sourceOf(at: number, size: number, mode: ConvSettings["paddingMode"]): number {
  if (at >= 0 && at < size) return at;
  switch (mode) {
    case "zeros":
      return -1;
    case "replicate":
      return at < 0 ? 0 : size - 1;
    case "circular":
      return ((at % size) + size) % size;
    case "reflect":
      return at < 0 ? -at : 2 * (size - 1) - at;
  }
}

/** Pads an image for a layer; one of a single channel goes to every channel. Needs an empty refusal. */
export function sweep(layer: LayerLayout, image: Images): Swept {
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
    const fromRow = sourceOf(row - top, image.height, conv.paddingMode);
    for (let column = 0; column < padded.width; column++) {
      const fromColumn = sourceOf(column - left, image.width, conv.paddingMode);
      if (fromRow < 0 || fromColumn < 0) continue;
      for (let channel = 0; channel < channels; channel++) {
        const from = image.channels === 1 ? 0 : channel;
        const at = channel * area + row * padded.width + column;
        pixels[at] = image.data[(from * image.height + fromRow) * image.width + fromColumn];
        if (border) border[at] = 0;
      }
    }
  }
  const out = layer.shape[0];
  return {
    layer,
    conv,
    channels,
    padded,
    ...outputSize(layer, conv, image),
    outputs: conv.shared ? out * channels : out,
    pixels,
    border,
    beta: [],
  };
}

function betaOf(swept: Swept, table: number): Float64Array {
  const known = swept.beta[table];
  if (known) return known;
  const { layer, pixels, border } = swept;
  const { nb } = layer;
  const beta = new Float64Array(pixels.length * nb);
  const seen = new Map<number, number>();
  for (let p = 0; p < pixels.length; p++) {
    if (border?.[p]) continue;
    const before = seen.get(pixels[p]);
    if (before !== undefined) beta.copyWithin(p * nb, before * nb, (before + 1) * nb);
    else {
      expandAt(layer, table, pixels[p], beta.subarray(p * nb, (p + 1) * nb));
      seen.set(pixels[p], p);
    }
  }
  swept.beta[table] = beta;
  return beta;
}

/** The kernels that an output channel sums, and the image's channel that each goes over. */
export function sourcesOf(
  swept: Pick<Swept, "layer" | "conv">,
  output: number,
): { out: number; in: number; channel: number }[] {
  const [out, inputs] = swept.layer.shape;
  const { shared, groups } = swept.conv;
  if (shared) return [{ out: output % out, in: 0, channel: Math.floor(output / out) }];
  const first = Math.floor(output / (out / groups)) * inputs;
  return Array.from({ length: inputs }, (_, i) => ({ out: output, in: i, channel: first + i }));
}

/** The response of one output channel. */
export function respond(frame: Frame, swept: Swept, output: number): Grid {
  const { layer, conv, padded, width, height } = swept;
  const [, inputs, kh, kw] = layer.shape;
  const { nb } = layer;
  const [down, across] = conv.stride;
  const sums = new Float64Array(width * height);
  const c = new Float64Array(nb);
  for (const source of sourcesOf(swept, output)) {
    const kernel = (source.out * inputs + source.in) * kh * kw;
    for (let entry = 0; entry < kh * kw; entry++) {
      const f = kernel + entry;
      const at = layer.offset + f * nb;
      for (let b = 0; b < nb; b++) c[b] = frame.data[at + b];
      const beta = betaOf(swept, layer.tableOf ? layer.tableOf[f] : 0);
      const row0 = Math.floor(entry / kw) * conv.dilation[0];
      const column0 = (entry % kw) * conv.dilation[1];
      for (let y = 0, o = 0; y < height; y++) {
        const line = (source.channel * padded.height + y * down + row0) * padded.width + column0;
        for (let x = 0, v = line * nb; x < width; x++, o++, v += across * nb) {
          let sum = 0;
          for (let b = 0; b < nb; b++) sum += c[b] * beta[v + b];
          sums[o] += sum;
        }
      }
    }
  }
  return { width, height, data: Float32Array.from(sums) };
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

/** A ramp as an image: from low on the left to high on the right, and so on by direction. */
export function rampImage(ramp: {
  n: number;
  width: number;
  height: number;
  index: Uint16Array;
  values: Float64Array;
}): Images {
  const { n, width, height, index, values } = ramp;
  const data = new Float32Array(n * n);
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < n; column++) {
      const at = (height === 1 ? 0 : row * width) + (width === 1 ? 0 : column);
      data[row * n + column] = values[index[at]];
    }
  }
  return { count: 1, channels: 1, height: n, width: n, data };
}
