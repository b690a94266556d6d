/** The view's own traits, as plain data. */

import { oneOf } from "../../scene/drawing.ts";
import type { LayerLayout } from "../../wire/types.ts";
import { togetherOf } from "./together.ts";

export const MODES = ["curves", "overview", "pattern", "preferred", "change"] as const;
export const SCALES = ["layer", "kernel", "function"] as const;
export const X_RANGES = ["inputs", "domain", "wide"] as const;
export const BOUNDS = ["domain", "observed"] as const;
export const SORTS = ["position", "range", "change"] as const;

export type Mode = (typeof MODES)[number];
export type Scale = (typeof SCALES)[number];
export type XRange = (typeof X_RANGES)[number];
/** One of those, or the name of a score. */
export type Sort = string;

export interface Settings {
  mode: Mode;
  binarise: boolean;
  suppressed: boolean;
  bounds: (typeof BOUNDS)[number];
  scale: Scale;
  ghost: boolean;
  xRange: XRange;
  sort: Sort;
  /** The name of the score that tints the cells; empty for none. */
  shade: string;
}

/** More curves than this are too many to look at one by one: such a layer opens in the overview. */
export const MOST_CURVES = 3000;

export function settingsOf(
  get: (trait: string) => unknown,
  layer: LayerLayout | null = null,
): Settings {
  const scores = Object.keys((get("scores") as object | null) ?? {});
  const mode = get("mode");
  const isAuto = !MODES.includes(mode as Mode);
  const most = togetherOf(get)?.most ?? MOST_CURVES;
  return {
    mode: isAuto && layer && layer.count > most ? "overview" : oneOf(MODES, mode),
    binarise: Boolean(get("binarise")),
    suppressed: Boolean(get("suppressed")),
    bounds: oneOf(BOUNDS, get("bounds")),
    scale: oneOf(SCALES, get("scale")),
    ghost: get("ghost") !== false,
    xRange: oneOf(X_RANGES, get("x_range")),
    sort: oneOf([...SORTS, ...scores], get("sort")),
    shade: oneOf(["", ...scores], get("shade")),
  };
}

/** Whether a cell is one colour rather than a curve. */
export function isFlat(settings: Settings): boolean {
  return settings.mode === "overview" || isGrey(settings);
}

/** Whether that colour is a grey. */
export function isGrey({ mode }: Settings): boolean {
  return mode === "pattern" || mode === "preferred";
}
