/** What Python sends to the two parts of LayerRanges. */

import type { Selection } from "../../wire/types.ts";

export interface Row {
  /** Name of the layer, as the stream knows it. */
  layer: string;
  title: string;
  type: string;
  /** What is to be said of functions that count nowhere else; or empty. */
  aside: string;
  /** The function that is selected with the layer. */
  typical: Selection;
  /** For each column its lines. */
  cells: [string, string][];
  /** The splines' share of base and splines, 0 to 1; null where it is not known. */
  splines: number | null;
}

export interface Table {
  heads: [string, string][];
  rows: Row[];
  /** Pixels of a row and of the head: those of the figures beside. */
  row: number;
  head: number;
}

export interface Bar {
  step: number;
  verdict: string;
  observed: boolean;
  /** Step of the first frame. */
  start: number;
}

export interface Traits {
  stream: string;
  part: "bar" | "table";
  content: Partial<Table & Bar>;
  threshold: number;
  over_time: string;
  theme: "auto" | "light" | "dark";
  [name: string]: unknown;
}

/** What the curves over the steps can show, in the order of the list, with the words for it. */
export const MEASURES: readonly [string, string][] = [
  ["range", "range"],
  ["splines", "splines’ share"],
  ["silu", "SiLU-shaped on the grid"],
  ["change", "change"],
  ["gradient", "gradient"],
  ["update", "update"],
];

/** A threshold as typed, or null if it is no R². */
export function thresholdOf(text: string): number | null {
  const value = text.trim() === "" ? Number.NaN : Number(text.replace(",", "."));
  return value >= 0 && value <= 1 ? value : null;
}

/** The row of a selected function, -1 where it is in none. */
export function rowOf(rows: readonly Row[], selection: Selection | null): number {
  return selection === null ? -1 : rows.findIndex((row) => row.layer === selection.layer);
}
