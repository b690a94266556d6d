/** How many stand beside each other, and in which colours. No DOM. */

import { CURVE_COLOURS } from "../../scene/chart.ts";

/** Blue and orange are less and more in what is drawn of a model: the models have the colours after these. */
const AFTER = 2;

/** The number of a model's colour among those of curves. */
export function colourOfModel(number: number): number {
  return (number + AFTER) % CURVE_COLOURS;
}

/** As many as there is room for, in rows that are about equally long. */
export function evenColumns(count: number, width: number, narrowest: number, gap: number): number {
  const most = Math.max(1, Math.floor((width + gap) / (narrowest + gap)));
  const rows = Math.max(1, Math.ceil(count / most));
  return Math.max(1, Math.ceil(count / rows));
}
