/** What the view is drawn from, as plain data, and the words that its three ways of looking share. No DOM. */

import { number } from "../../phi/format.ts";
import { mapsOf, type RawArray } from "../../phi/images.ts";
import { paletteOf } from "../../phi/palette.ts";
import { DIRECTIONS, type Rise } from "../../phi/ramp.ts";
import type { Reach } from "../../phi/ranges.ts";
import { oneOf } from "../../scene/drawing.ts";
import { rampOf } from "../../scene/heat.ts";
import { keyed, type Remark } from "../../scene/marks.ts";
import type { ThemeName } from "../../scene/theme.ts";
import type { Frame, LayerLayout, Observed } from "../../wire/types.ts";

export const MODES = ["ramp", "pair", "response"] as const;
export const SCALES = ["layer", "kernel", "function"] as const;
export const INPUTS = ["images", "observed", "drawn", "ramp"] as const;

export type Mode = (typeof MODES)[number];
export type Scale = (typeof SCALES)[number];
export type Input = (typeof INPUTS)[number];

export interface Settings {
  mode: Mode;
  /** Of the ramp. */
  limits: [number, number];
  /** Whether these are the ends of the layer's grid. */
  onGrid: boolean;
  direction: Rise;
  scale: Scale;
  /** How many points the ramp has along each side. */
  resolution: number;
  input: Input;
  /** Which of the images. */
  sample: number;
  /** Output channel; -1: all. */
  output: number;
  /** The second entry of the pair, within its kernel; -1: chosen here. */
  other: number;
}

/** Where the ramps of the article begin and end. */
export const ARTICLE: readonly [number, number] = [-2, 2];

export function settingsOf(
  get: (trait: string) => unknown,
  layer: LayerLayout | null,
  observed: Observed | null = null,
): Settings {
  const given = get("limits");
  // Else those of the layer's grid.
  const limits = Array.isArray(given) ? (given as [number, number]) : null;
  const mode = get("mode") as Mode;
  return {
    mode: MODES.includes(mode) ? mode : usualMode(get, layer, observed),
    limits: limits ?? [...(layer?.domain ?? ARTICLE)],
    onGrid: limits === null,
    direction: oneOf(DIRECTIONS, get("direction")),
    scale: oneOf(SCALES, get("scale")),
    resolution: Number(get("resolution") ?? 32),
    input: oneOf(INPUTS, get("input")),
    sample: Number(get("sample") ?? 0),
    output: Number(get("output") ?? -1),
    other: Number(get("other") ?? -1),
  };
}

/**
 * Whether the layer's input is the image itself: as observed; else that is known only where the layer is the whole
 * model, which then is named after its type. A model may normalise an image before its first layer.
 */
export function takesImage(layer: LayerLayout, observed: Observed | null): boolean | null {
  if (observed) return observed.isImage;
  return layer.name === layer.type && layer.variable === "x" ? true : null;
}

/** What is drawn where nothing was chosen: the response as soon as it is known what reaches the layer. */
function usualMode(
  get: (trait: string) => unknown,
  layer: LayerLayout | null,
  observed: Observed | null,
): Mode {
  if (layer?.kind !== "conv") return "ramp";
  if (observed) return observed.isImage || mapsOf(observed) ? "response" : "ramp";
  const images = get("images") as RawArray | null;
  return takesImage(layer, null) && images?.given ? "response" : "ramp";
}

/** All that a drawing is made from, beside what every view is given. */
export interface Shown {
  frame: Frame;
  layer: LayerLayout;
  settings: Settings;
}

export interface Scales {
  smallest: number;
  largest: number;
}

/** The colours with the numbers at their ends, and what the values really reach. */
export function colourRemarks(
  what: string,
  scales: Scales,
  reach: Pick<Reach, "low" | "high"> | null,
  theme: { name: ThemeName },
): Remark[] {
  const { smallest, largest } = scales;
  const text =
    smallest === largest
      ? `${what} ${number(-largest)} … ${number(largest)}`
      : `${what}, own scales ±${number(smallest)} … ±${number(largest)}`;
  const remarks = [keyed(text, "ramp", rampOf(paletteOf(theme.name)))];
  if (reach) remarks.push({ text: `${what} reaches ${number(reach.low)} … ${number(reach.high)}` });
  return remarks;
}

export function finite(value: number): string {
  return Number.isFinite(value) ? number(value) : "not finite";
}
