/** MeshgridView's response: what a layer makes of an image, and the patch that is looked at. No DOM. */

import { number } from "../../phi/format.ts";
import type { Images } from "../../phi/images.ts";
import type { Patch } from "../../phi/patch.ts";
import type { Reach } from "../../phi/ranges.ts";
import { type Grid, type Swept, sourcesOf } from "../../phi/response.ts";
import type { Selection } from "../../wire/types.ts";
import { finite, type Scales } from "./shown.ts";
import type { Source } from "./source.ts";

/** One pixel of a response. */
export interface Place {
  output: number;
  row: number;
  column: number;
}

/** Everything that the pictures of a response are made from. */
export interface Response {
  source: Source;
  image: Images;
  swept: Swept;
  /** The outputs that are drawn. */
  outputs: number[];
  grids: Map<number, Grid>;
  reaches: Map<number, Reach>;
  scaleOf(output: number): number;
  scales: Scales;
  selection: Selection | null;
  /** The pixel whose patch is drawn, and how it came to be that. */
  place: Place;
  by: "pointer" | "click" | "itself";
  /** Which kernel and channel the patch is of. */
  kernel: { out: number; in: number; channel: number };
  patch: Patch;
}

export function patchWords({ patch, swept, place, grids }: Response): string[] {
  const part = patch.values?.reduce((a, b) => a + b, 0) ?? 0;
  const total = grids.get(place.output)?.data[place.row * swept.width + place.column] ?? Number.NaN;
  const several = sourcesOf(swept, place.output).length > 1;
  const all = several ? ` · all channels ${finite(total)}` : "";
  const [lo, hi] = patch.range;
  return [
    `row ${place.row}, column ${place.column}: Σ φ = ${finite(part)}, the sum of the dots${all}`,
    `each curve: ${swept.layer.variable} from ${number(lo)} to ${number(hi)}, φ from ${number(-patch.most)} to ${number(patch.most)}`,
  ];
}
