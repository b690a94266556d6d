/** Numbers that somebody gave the functions of some layers, and the tints that show them. No DOM. */

import { max } from "d3-array";
import { selectionOf, wholeOf } from "../../phi/entries.ts";
import { memory } from "../../phi/memory.ts";
import { colourOf, type Palette } from "../../phi/palette.ts";
import { cssOf } from "../../scene/heat.ts";
import { float32 } from "../../wire/checks.ts";
import type { Frame, LayerLayout } from "../../wire/types.ts";

/** Share of the palette's arms that is used: curves must stand out on the strongest. */
export const TINT = 0.5;

export interface Score {
  /** Whether the scale has two sides, with zero in the middle. */
  signed: boolean;
  units: string;
  /** By layer: one number per function, NaN where nothing is known. */
  layers: Map<string, Float32Array>;
}

export type Scores = Map<string, Score>;

/** The numbers of one layer on their scale, which runs from 0, or from −most where it is signed, to most. */
export interface Shade {
  name: string;
  units: string;
  signed: boolean;
  /** Null where the layer has no such numbers. */
  values: Float32Array | null;
  most: number;
  /** Functions without a number. */
  unknown: number;
}

interface RawScore {
  signed?: unknown;
  units?: unknown;
  layers?: Record<string, unknown>;
}

/** Reads the trait; the same value gives the same scores. */
export function scoresReader(): (value: unknown) => Scores {
  const keep = memory();
  return (value) => keep("scores", [value], () => scoresOf(value));
}

function scoresOf(value: unknown): Scores {
  const raw = Object.entries((value ?? {}) as Record<string, RawScore>);
  return new Map(
    raw.map(([name, { signed, units, layers }]) => {
      const read = Object.entries(layers ?? {}).map(
        ([layer, bytes]) => [layer, float32(bytes, `the ${name} of layer "${layer}"`)] as const,
      );
      const text = typeof units === "string" ? units : "";
      return [name, { signed: Boolean(signed), units: text, layers: new Map(read) }];
    }),
  );
}

/** Of the numbers of a whole layer those of the window that is here. */
const parts = new WeakMap<Float32Array, { layer: LayerLayout; part: Float32Array }>();

/** The numbers of a layer, or null where it has none that fit. */
export function valuesOf(scores: Scores, name: string, layer: LayerLayout): Float32Array | null {
  const values = scores.get(name)?.layers.get(layer.name);
  if (!values || !layer.window) return values?.length === layer.count ? values : null;
  const [out, inputs, kh, kw] = wholeOf(layer);
  if (values.length !== out * inputs * kh * kw) return null;
  const known = parts.get(values);
  if (known?.layer === layer) return known.part;
  const part = Float32Array.from({ length: layer.count }, (_, f) => {
    const at = selectionOf(layer, f);
    return values[((at.out * inputs + at.in) * kh + at.row) * kw + at.column];
  });
  parts.set(values, { layer, part });
  return part;
}

/** What is shaded by; null where nothing is. */
export function shadeOf(scores: Scores, name: string, layer: LayerLayout): Shade | null {
  const score = scores.get(name);
  if (!score) return null;
  const values = valuesOf(scores, name, layer);
  const unknown = values?.filter(Number.isNaN).length ?? 0;
  const most = max(values ?? [], Math.abs) ?? 0;
  return { name, units: score.units, signed: score.signed, values, most, unknown };
}

/** The weights of a plain layer, which are its coefficients; `most` is the end of their scale. */
export function weightsOf(frame: Frame, layer: LayerLayout, most: number): Shade {
  const values = frame.data.subarray(layer.offset, layer.offset + layer.count);
  const known = values.map((value) => (Number.isFinite(value) ? value : Number.NaN));
  return { name: "weight w", units: "", signed: true, values: known, most, unknown: 0 };
}

/** The tint of function f; null where it has no number. */
export function tintOf({ values, most }: Shade, f: number, palette: Palette): string | null {
  const value = values ? values[f] : Number.NaN;
  return Number.isNaN(value) ? null : tint(most > 0 ? value / most : 0, palette);
}

/** The tint for a share of the scale, −1 to 1. */
const tint = (share: number, { bytes }: Palette) => cssOf(bytes, colourOf(TINT * share, 1));

/** The scale's colours from left to right. */
export function rampOf({ signed }: Shade, palette: Palette): string[] {
  return Array.from({ length: 17 }, (_, k) => tint(signed ? k / 8 - 1 : k / 16, palette));
}
