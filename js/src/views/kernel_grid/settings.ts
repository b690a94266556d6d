/** The view's own traits, as plain data, and what grids that are compared have in common. */

import { oneOf } from "../../scene/drawing.ts";
import type { LayerLayout } from "../../wire/types.ts";

export const GRID_MODES = ["curves", "overview", "pattern", "change"] as const;
/** The last is for grids beside each other; a grid alone has that of its layer then. */
export const SCALES = ["layer", "function", "all models"] as const;
export const SORTS = ["position", "range", "change"] as const;

export type GridMode = (typeof GRID_MODES)[number];

export type Settings = ReturnType<typeof settingsOf>;

/** More curves than this are too many to look at one by one: such a layer opens in the overview. */
export const OVERVIEW_BEYOND = 3000;
/** Of grids beside each other, so that none is cut. */
const COMPARED_BEYOND = 400;

export function settingsOf(get: (trait: string) => unknown, layer: LayerLayout | null = null) {
  const mode = get("mode");
  const scores = scoreNames(get);
  const isAuto = !GRID_MODES.includes(mode as GridMode);
  const most = togetherOf(get) ? COMPARED_BEYOND : OVERVIEW_BEYOND;
  return {
    mode: isAuto && layer && layer.count > most ? "overview" : oneOf(GRID_MODES, mode),
    binarise: Boolean(get("binarise")),
    scale: oneOf(SCALES, get("scale")),
    ghost: get("ghost") !== false,
    /** One of `SORTS`, or the name of a score. */
    sort: oneOf<string>([...SORTS, ...scores], get("sort")),
    /** The name of the score that tints the cells; empty for none. */
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

interface Peak {
  f: number;
  size: number;
}

/** How a grid is one of several: the host gives it as the trait "together". */
export interface Together {
  /** Changes with the range. */
  version(): number;
  /** Tells how far φ reaches in this grid, and gives how far in all; each has the x of its own inputs. */
  y(own: number): number;
  /** Tells the largest function of a layer of this shape, and gives the largest one in all grids of such a layer. */
  largest(shape: string, own: Peak): Peak;
}

/** A grid among others is as tall as it is. */
export const TALLEST = 6000;

export function togetherOf(get: (trait: string) => unknown): Together | null {
  return (get("together") as Together | undefined) ?? null;
}

/** The range that `count` grids have in common; `changed` is called when it is another for all but the grid that is drawn. */
export function agreement(count: number, changed = (_drawn: number) => {}) {
  const ys: number[] = Array(count).fill(0);
  const peaks: (Peak & { shape: string })[] = [];
  let lastState = "";
  let version = 0;
  const best = (shape: string): Peak =>
    peaks
      .filter((peak) => peak.shape === shape)
      .reduce((best, one) => (one.size > best.size ? one : best));
  function agree(grid: number) {
    const now = JSON.stringify([Math.max(...ys), peaks.map(({ shape }) => best(shape).f)]);
    if (now === lastState) return;
    lastState = now;
    version++;
    changed(grid);
  }
  return (grid: number): Together => ({
    version: () => version,
    y(own) {
      ys[grid] = own;
      agree(grid);
      return Math.max(...ys);
    },
    largest(shape, own) {
      peaks[grid] = { ...own, shape };
      agree(grid);
      return best(shape);
    },
  });
}
