/** The view's own traits, as plain data. */

import { oneOf } from "../../scene/drawing.ts";
import type { LayerLayout } from "../../wire/types.ts";
import { togetherOf } from "./shared_scale.ts";

export const GRID_MODES = ["curves", "overview", "pattern", "change"] as const;
export const SCALES = ["layer", "function"] as const;
export const SORTS = ["position", "range", "change"] as const;

export type GridMode = (typeof GRID_MODES)[number];

export interface Settings {
  mode: GridMode;
  binarise: boolean;
  scale: (typeof SCALES)[number];
  ghost: boolean;
  /** One of `SORTS`, or the name of a score. */
  sort: string;
  /** The name of the score that tints the cells; empty for none. */
  shade: string;
}

/** More curves than this are too many to look at one by one: such a layer opens in the overview. */
export const OVERVIEW_BEYOND = 3000;

export function settingsOf(
  get: (trait: string) => unknown,
  layer: LayerLayout | null = null,
): Settings {
  const mode = get("mode");
  const scores = scoreNames(get);
  const isAuto = !GRID_MODES.includes(mode as GridMode);
  const most = togetherOf(get)?.most ?? OVERVIEW_BEYOND;
  return {
    mode: isAuto && layer && layer.count > most ? "overview" : oneOf(GRID_MODES, mode),
    binarise: Boolean(get("binarise")),
    scale: oneOf(SCALES, get("scale")),
    ghost: get("ghost") !== false,
    sort: oneOf([...SORTS, ...scores], get("sort")),
    shade: oneOf(["", ...scores], get("shade")),
  };
}

export function scoreNames(get: (trait: string) => unknown): string[] {
  return Object.keys((get("scores") as object | null) ?? {});
}

/** Whether a cell is one colour rather than a curve. */
export function isFlat(settings: Settings): boolean {
  return settings.mode === "overview" || isGrey(settings);
}

/** Whether that colour is a grey. */
export function isGrey({ mode }: Settings): boolean {
  return mode === "pattern";
}
