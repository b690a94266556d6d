/** The view's own traits, as plain data. */

import type { Evaluation } from "../../phi/evaluation.ts";
import { memory } from "../../phi/memory.ts";
import { float32 } from "../../wire/checks.ts";
import type { Selection } from "../../wire/types.ts";

/** What can be drawn, in the order of the legend. */
export const PARTS = [
  "phi",
  "base",
  "spline",
  "basis",
  "ghost",
  "points",
  "knots",
  "density",
] as const;

export type Part = (typeof PARTS)[number];

/** A curve that Python has laid over one function, as the trait carries it. */
export interface WireOverlay extends Selection {
  label: string;
  /** The ends of the even x that the samples are at. */
  low: number;
  high: number;
  /** float32; NaN where the curve is not defined. */
  samples: DataView | ArrayBuffer;
  shown?: boolean;
}

export interface Overlay {
  at: Selection;
  label: string;
  x: Float64Array;
  y: Float32Array;
  shown: boolean;
}

export interface Settings {
  editable: boolean;
  show: ReadonlySet<Part>;
  /** Labels of basis functions that are switched off. */
  hidden: ReadonlySet<string>;
  stacked: boolean;
  pins: readonly Selection[];
  overlays: readonly Overlay[];
  evaluation: Evaluation;
  notice: string;
}

export const TRAITS = [
  "layer",
  "editable",
  "show",
  "hidden",
  "stacked",
  "height",
  "pins",
  "overlays",
  "evaluation",
  "notice",
] as const;

/** Reads the traits; the same ones give the same settings. */
export function settingsReader() {
  const keep = memory();
  return (get: (trait: string) => unknown): Settings =>
    keep(
      "settings",
      TRAITS.map((trait) => get(trait)),
      () => settingsOf(get),
    );
}

function settingsOf(get: (trait: string) => unknown): Settings {
  const list = <T>(value: unknown) => (Array.isArray(value) ? (value as T[]) : []);
  const shown = list<string>(get("show") ?? PARTS);
  const evaluation = (get("evaluation") ?? {}) as Partial<Evaluation>;
  return {
    editable: get("editable") === true,
    show: new Set(PARTS.filter((part) => shown.includes(part))),
    hidden: new Set(list<string>(get("hidden"))),
    stacked: get("stacked") === true,
    pins: list<Selection>(get("pins")),
    overlays: list<WireOverlay>(get("overlays")).map(readOverlay),
    evaluation: {
      state: evaluation.state ?? "",
      before: evaluation.before ?? null,
      after: evaluation.after ?? null,
    },
    notice: String(get("notice") ?? ""),
  };
}

function readOverlay(wire: WireOverlay): Overlay {
  const { label, low, high, shown, samples, ...at } = wire;
  const y = float32(samples, `overlay ${label}`);
  const last = Math.max(1, y.length - 1);
  const x = Float64Array.from(y, (_, p) => low + ((high - low) * p) / last);
  return { at, label, x, y, shown: shown !== false };
}

/** The curve at x, straight between its samples; null beyond them or where it is not defined. */
export function overlayAt({ x, y }: Pick<Overlay, "x" | "y">, at: number): number | null {
  const last = x.length - 1;
  const place = ((at - x[0]) / (x[last] - x[0])) * last;
  if (!(place >= 0 && place <= last)) return null;
  const left = Math.min(last - 1, Math.floor(place));
  const share = place - left;
  const value = share === 0 ? y[left] : y[left] + share * (y[left + 1] - y[left]);
  return Number.isFinite(value) ? value : null;
}

export function samePlace(a: Selection | null, b: Selection | null): boolean {
  if (!a || !b) return a === b;
  return (["layer", "out", "in", "row", "column"] as const).every((part) => a[part] === b[part]);
}
