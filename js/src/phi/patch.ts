/** The patch under a pixel: its inputs on the φ of its kernel, entry by entry. */

import { extent } from "d3-array";
import type { Frame, LayerLayout } from "../wire/types.ts";
import { expandAt } from "./expansion.ts";
import { mostOf, niceCeil, reachOf } from "./ranges.ts";

export type Patch = ReturnType<typeof patchOf>;

/** `border`: an input that is NaN lies on padding, where the basis itself is 0, and adds nothing. */
export function patchOf(
  frame: Frame,
  layer: LayerLayout,
  kernel: { out: number; in: number },
  inputs: ArrayLike<number> | null,
  border: boolean,
  points: number,
) {
  const [, channels, kh, kw] = layer.shape;
  const [lo, hi] = extent([...layer.domain, ...Array.from(inputs ?? [])]) as [number, number];
  const beta = new Float64Array(layer.nb);
  const phi = (f: number, x: number) => {
    expandAt(layer, layer.tableOf ? layer.tableOf[f] : 0, x, beta);
    let value = 0;
    for (let b = 0; b < layer.nb; b++)
      value += frame.data[layer.offset + f * layer.nb + b] * beta[b];
    return value;
  };
  const first = (kernel.out * channels + kernel.in) * kh * kw;
  const curves = Array.from({ length: kh * kw }, (_, e) =>
    Float64Array.from({ length: points }, (_, k) =>
      phi(first + e, lo + ((hi - lo) * k) / (points - 1)),
    ),
  );
  const values =
    inputs && Array.from(inputs, (x, e) => (border && Number.isNaN(x) ? 0 : phi(first + e, x)));
  const reach = reachOf([...curves.flatMap((curve) => Array.from(curve)), ...(values ?? [])]);
  return {
    /** The x that every cell spans. */
    range: [lo, hi] as const,
    /** Each entry's φ at evenly spaced x. */
    curves,
    inputs,
    /** φ of each entry's input. */
    values,
    /** Half the height of a cell's axis. */
    most: niceCeil(mostOf(reach)),
  };
}
