/** What the view is drawn from, as plain data, and the words that its three ways of looking share. */

import { formatNumber } from "../../phi/format.ts";
import { type Images, mapsOf, type RawArray } from "../../phi/images.ts";
import { oneOf } from "../../scene/drawing.ts";
import type { Frame, LayerLayout, Observed } from "../../wire/types.ts";

export const MESH_MODES = ["ramp", "pair", "response"] as const;
const INPUTS = ["images", "observed", "drawn"] as const;

export type MeshMode = (typeof MESH_MODES)[number];
export type Input = (typeof INPUTS)[number];

export type Settings = ReturnType<typeof settingsOf>;

export function settingsOf(
  get: (trait: string) => unknown,
  layer: LayerLayout | null,
  observed: Observed | null = null,
) {
  const given = get("limits");
  // Else those of the layer's grid.
  const limits = (Array.isArray(given) ? given : (layer?.domain ?? [-2, 2])) as [number, number];
  const mode = get("mode") as MeshMode;
  return {
    mode: MESH_MODES.includes(mode) ? mode : usualMode(get, layer, observed),
    limits,
    input: oneOf(INPUTS, get("input")),
    sample: Number(get("sample") ?? 0),
    /** -1: all. */
    output: Number(get("output") ?? -1),
    /** The second entry of the pair, within its kernel; -1: chosen here. */
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
): MeshMode {
  if (layer?.kind !== "conv") return "ramp";
  if (observed) return observed.isImage || mapsOf(observed) ? "response" : "ramp";
  const images = get("images") as RawArray | null;
  return takesImage(layer, null) && images?.given ? "response" : "ramp";
}

/** All that a drawing is made from, beside what every view is given. */
export interface MeshGiven {
  frame: Frame;
  layer: LayerLayout;
  settings: Settings;
}

/** Which map, output or kernel is shown, by its number, and what each is called. */
export interface Choice {
  chosen: number;
  names: readonly (readonly [value: number, name: string])[];
}

export function finite(value: number): string {
  return Number.isFinite(value) ? formatNumber(value) : "not finite";
}

/** The size of a blank to draw on: that of the images the layer gets. */
export function blankFor(images: Images | null, range: readonly [number, number]) {
  const { width, height } = images ?? { width: 28, height: 28 };
  return { width, height, ground: range[0], ink: range[1] };
}
