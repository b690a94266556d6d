/** What Python sends to LayerRanges (kan_widgets/widgets/numbers/layer_numbers.py), and what it means. */

import { memory } from "../../phi/memory.ts";
import { float32, uint32 } from "../../wire/protocol.ts";
import type { LayerLayout } from "../../wire/types.ts";

/** Of one layer, as `LayerRanges.table` gives them in Python; null is not known. */
export interface Numbers {
  functions: number;
  /** How many of them were measured; counts are of these. */
  measured: number;
  constant: number;
  not_finite: number;
  range: number | null;
  spread?: string;
  observed_range: number | null;
  spline_share: number | null;
  outside_grid: number | null;
  silu_shaped: number | null;
  observed_silu_shaped: number | null;
  base: string;
  base_shaped: number | null;
  observed_base_shaped: number | null;
  change: number | null;
}

/** Quantiles over the functions of a layer: 5, 25, 50, 75 and 95 %. */
export type Quantiles = [low: number, lower: number, median: number, upper: number, high: number];

interface WireRow
  extends Pick<LayerLayout, "name" | "type" | "kind" | "shape" | "names" | "inputNames"> {
  numbers: Numbers;
  grid: Quantiles | null;
  seen: Quantiles | null;
  typical: number;
  dots: DataView;
  functions: DataView;
}

export interface RangesRow extends Omit<WireRow, "dots" | "functions"> {
  /** Ranges of some functions, rising. */
  dots: Float32Array;
  /** The number of the function behind each dot. */
  functions: Uint32Array;
}

export interface RangesContent {
  step: number;
  /** R² from which a function counts as SiLU-shaped. */
  threshold: number;
  /** Whether a batch was observed; and after how many steps, where that is known. */
  observed: boolean;
  observed_step?: number | null;
  /** Whether the model was another then. */
  old?: boolean;
  rows: RangesRow[];
}

/** Values over the steps; NaN where they are not known, or were not measured. */
export interface Series {
  steps: ArrayLike<number>;
  values: ArrayLike<number>;
}

interface Lines {
  /** The base's, or that of all. */
  first: Series;
  splines: Series;
  band: [Series, Series] | null;
}

interface WirePast extends Record<string, unknown> {
  steps: DataView;
  sizes: Record<string, DataView>;
}

export const MEASURES = ["range", "splines", "silu", "change", "gradient", "update"] as const;
export type Measure = (typeof MEASURES)[number];

/** What the curves over the steps can show: the words for it, and whether it has a logarithmic axis. */
export const MEASURED: Record<Measure, { words: string; log: boolean }> = {
  range: { words: "grid range (median)", log: true },
  splines: { words: "splines’ share", log: false },
  silu: { words: "SiLU-shaped on the grid", log: false },
  change: { words: "change of φ on the grid", log: true },
  gradient: { words: "gradient", log: true },
  update: { words: "update", log: true },
};

/** The traits as arrays; the same traits give the same arrays. */
export function contentReader() {
  const keep = memory();
  return (get: (trait: string) => unknown) => {
    const [content, past] = [get("content"), get("past")];
    return keep("made", [content, past], () => {
      return { content: contentOf(content), past: pastOf(past) };
    });
  };
}

function contentOf(value: unknown): RangesContent | null {
  const wire = value as (Omit<RangesContent, "rows"> & { rows?: WireRow[] }) | undefined;
  if (!wire?.rows) return null;
  const rows = wire.rows.map((row) => ({
    ...row,
    dots: floats(row.dots),
    functions: integers(row.functions),
  }));
  return { ...wire, rows };
}

const NONE: Series = { steps: [], values: [] };

/** The curves of each row. */
export function pastOf(value: unknown) {
  return ((value ?? []) as WirePast[]).map((wire) => {
    const steps = integers(wire.steps);
    const measured = integers(wire.sizes.steps);
    const of = (name: string): Series => ({ steps, values: floats(wire[name]) });
    const size = (name: string): Series => ({ steps: measured, values: floats(wire.sizes[name]) });
    return (measure: Measure): Lines => {
      const none = { first: NONE, splines: NONE, band: null };
      switch (measure) {
        case "range":
          return { ...none, first: of("range"), band: [of("lower"), of("upper")] };
        case "splines":
          return { ...none, splines: of("splines") };
        case "silu":
        case "change":
          return { ...none, first: of(measure) };
        default:
          return { ...none, first: size(`${measure}_base`), splines: size(`${measure}_splines`) };
      }
    };
  });
}

const floats = (bytes: unknown) => float32(bytes, "the ranges");
const integers = (bytes: unknown) => uint32(bytes, "the ranges");
