/** Images and feature maps as the views get them. */

import type { Observed } from "../wire/types.ts";
import { reachOf } from "./ranges.ts";

/** Numbers as Python sends them: row-major float32. */
export interface RawArray {
  shape?: number[];
  data?: DataView | ArrayBuffer;
  /** Whether the images are the reader's own. */
  given?: boolean;
}

/** data[((image·channels + channel)·height + row)·width + column]. */
export interface Images {
  count: number;
  channels: number;
  height: number;
  width: number;
  data: Float32Array;
}

/** Reads an array of four dimensions; null where it holds no image or not what its shape says. */
export function imagesOf(raw: RawArray | null | undefined): Images | null {
  const shape = raw?.shape;
  const data = raw?.data;
  if (!Array.isArray(shape) || shape.length !== 4 || !data) return null;
  const [count, channels, height, width] = shape;
  const bytes = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
  const size = count * channels * height * width;
  if (!(size > 0) || bytes.byteLength !== 4 * size) return null;
  return { count, channels, height, width, data: new Float32Array(new Uint8Array(bytes).buffer) };
}

export function imageAt(images: Images, index: number): Images {
  const size = images.channels * images.height * images.width;
  const at = Math.min(index, images.count - 1) * size;
  return { ...images, count: 1, data: images.data.subarray(at, at + size) };
}

export function channelOf(images: Images, index: number, channel: number): Float32Array {
  const size = images.height * images.width;
  const at = (index * images.channels + channel) * size;
  return images.data.subarray(at, at + size);
}

/** The observed inputs of a layer as images. */
export function mapsOf(observed: Observed | null): Images | null {
  if (!observed?.maps || !observed.mapShape) return null;
  const [count, channels, height, width] = observed.mapShape;
  return count > 0 ? { count, channels, height, width, data: observed.maps } : null;
}

/** The range of the finite values, from what is drawn black to what is drawn white. */
export function rangeOf(values: ArrayLike<number>): [number, number] {
  const { low, high } = reachOf(values);
  return low < high ? [low, high] : [-1, 1];
}
