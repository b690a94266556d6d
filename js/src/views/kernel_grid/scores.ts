/** Numbers of the functions of a layer, scores that were given or the weights of a plain one, and the tints that show them. */

import { max } from "d3-array";
import { selectionOf, wholeOf } from "../../phi/entries.ts";
import { colourOf, type Palette } from "../../phi/palette.ts";
import { cssOf } from "../../scene/heat.ts";
import { float32 } from "../../wire/protocol.ts";
import type { Frame, LayerLayout } from "../../wire/types.ts";

/** Share of the palette's arms that is used: lines must stand out on the strongest. */
const TINT = 0.5;

interface Score {
  /** Whether the scale has two sides, with zero in the middle. */
  signed: boolean;
  units: string;
  /** By layer: one number per function, NaN where nothing is known. */
  layers: Map<string, Float32Array>;
}

export type Scores = ReadonlyMap<string, Score>;

/** The numbers of one layer on their scale, which runs from 0, or from −most where it is signed, to most. */
export interface Shade {
  name: string;
  units: string;
  signed: boolean;
  /** Null where the layer has no such numbers. */
  values: Float32Array | null;
  most: number;
  unknown: number;
}

export function scoresOf(value: unknown): Scores {
  const raw = (value ?? {}) as Record<string, Omit<Score, "layers"> & { layers: object }>;
  return new Map(
    Object.entries(raw).map(([name, { signed, units, layers }]) => {
      const read = Object.entries(layers).map(
        ([layer, bytes]) => [layer, float32(bytes, `the ${name} of layer "${layer}"`)] as const,
      );
      return [name, { signed, units, layers: new Map(read) }];
    }),
  );
}

/** The numbers of a layer, or of the window that is here; null where it has none that fit. */
export function layerScores(scores: Scores, name: string, layer: LayerLayout): Float32Array | null {
  const values = scores.get(name)?.layers.get(layer.name);
  const [out, inputs, kh, kw] = wholeOf(layer);
  if (values?.length !== out * inputs * kh * kw) return null;
  if (!layer.window) return values;
  return Float32Array.from({ length: layer.count }, (_, f) => {
    const at = selectionOf(layer, f);
    return values[((at.out * inputs + at.in) * kh + at.row) * kw + at.column];
  });
}

/** What is shaded by; null where nothing is. */
export function shadeOf(scores: Scores, name: string, layer: LayerLayout): Shade | null {
  const score = scores.get(name);
  if (!score) return null;
  const values = layerScores(scores, name, layer);
  const unknown = values?.filter(Number.isNaN).length ?? 0;
  const most = max(values ?? [], Math.abs) ?? 0;
  return { name, units: score.units, signed: score.signed, values, most, unknown };
}

/** The weights w of φ(x) = w·x, which are a plain layer's coefficients; `most` is the end of their scale. */
export function weightsOf({ data }: Frame, { offset, count }: LayerLayout, most: number): Shade {
  const values = data.subarray(offset, offset + count);
  return { name: "weight w", units: "", signed: true, values, most, unknown: 0 };
}

/** The tint of function f; null where it has no number, or one that is not finite. */
export function tintOf({ values, most }: Shade, f: number, palette: Palette): string | null {
  const value = values?.[f] ?? Number.NaN;
  return Number.isFinite(value) ? tint(most > 0 ? value / most : 0, palette) : null;
}

/** The tint for a share of the scale, −1 to 1. */
const tint = (share: number, { bytes }: Palette) => cssOf(bytes, colourOf(TINT * share, 1));

/** The scale's colours from left to right. */
export function tintRamp({ signed }: Shade, palette: Palette): string[] {
  return Array.from({ length: 17 }, (_, k) => tint(signed ? k / 8 - 1 : k / 16, palette));
}
