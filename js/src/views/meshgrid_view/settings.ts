/** The view's own traits, as plain data. */

export const MODES = ["ramp", "pair", "response"] as const;
export const DIRECTIONS = ["horizontal", "vertical", "diagonal", "radial"] as const;
export const SCALES = ["layer", "kernel", "function"] as const;
export const INPUTS = ["images", "observed", "drawn", "ramp"] as const;

export type Mode = (typeof MODES)[number];
export type Direction = (typeof DIRECTIONS)[number];
export type Scale = (typeof SCALES)[number];
export type Input = (typeof INPUTS)[number];

export interface Settings {
  mode: Mode;
  limits: [number, number];
  direction: Direction;
  scale: Scale;
  /** Points of the ramp from end to end. */
  resolution: number;
  input: Input;
  /** Which of the images. */
  sample: number;
  /** Output channel; -1: all. */
  output: number;
  /** The second entry of the pair, within its kernel; -1: chosen here. */
  other: number;
  height: number;
}

/** Numbers as Python sends them: row-major float32. */
export interface RawArray {
  shape?: number[];
  data?: DataView | ArrayBuffer;
}

/** The traits of the Python class, as the model of this view carries them. */
export interface Traits {
  stream: string;
  layer: string;
  mode: Mode;
  limits: [number, number];
  direction: Direction;
  scale: Scale;
  resolution: number;
  input: Input;
  sample: number;
  output: number;
  other: number;
  height: number;
  theme: "auto" | "light" | "dark";
  images: RawArray;
  drawing: RawArray;
  [name: string]: unknown;
}

export const TRAITS = [
  "layer",
  "mode",
  "limits",
  "direction",
  "scale",
  "resolution",
  "input",
  "sample",
  "output",
  "other",
  "height",
  "theme",
  "images",
  "drawing",
] as const;

const oneOf = <T extends string>(allowed: readonly T[], value: unknown): T =>
  allowed.includes(value as T) ? (value as T) : (allowed[0] as T);

const whole = (value: unknown, otherwise: number, lo: number, hi: number): number =>
  Number.isInteger(value) ? Math.max(lo, Math.min(hi, value as number)) : otherwise;

export function settingsOf(get: <K extends keyof Traits>(name: K) => Traits[K]): Settings {
  return {
    mode: oneOf(MODES, get("mode")),
    limits: limitsOf(get("limits")),
    direction: oneOf(DIRECTIONS, get("direction")),
    scale: oneOf(SCALES, get("scale")),
    resolution: whole(get("resolution"), 32, 2, 256),
    input: oneOf(INPUTS, get("input")),
    sample: whole(get("sample"), 0, 0, 1e9),
    output: whole(get("output"), -1, -1, 1e9),
    other: whole(get("other"), -1, -1, 1e9),
    height: whole(get("height"), 480, 96, 1e5),
  };
}

function limitsOf(value: unknown): [number, number] {
  const [lo, hi] = Array.isArray(value) ? value.map(Number) : [];
  return Number.isFinite(lo) && Number.isFinite(hi) && lo < hi ? [lo, hi] : [-2, 2];
}

/** Images or maps: data[((image·channels + channel)·height + row)·width + column]. */
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

/** One image of several. */
export function imageAt(images: Images, index: number): Images {
  const size = images.channels * images.height * images.width;
  const at = Math.min(index, images.count - 1) * size;
  return { ...images, count: 1, data: images.data.subarray(at, at + size) };
}
