/** What the inspector says in words. No DOM. */

import { formatCount, number } from "../../phi/format.ts";
import type { LayerLayout, Observed, Selection } from "../../wire/types.ts";
import { entryOf, limits, type Phi, type Range } from "./terms.ts";
import { inFull } from "./window.ts";

export const UNSEEN = "live.observe(batch) shows the inputs";

/** A function among those of all layers: "conv1 · 0,0 · 1,2". */
export function pinText(layer: Pick<LayerLayout, "kind" | "name" | "type">, at: Selection): string {
  const entry = layer.kind === "conv" ? ` · ${at.row},${at.column}` : "";
  return `${layer.name || layer.type} · ${at.out},${at.in}${entry}`;
}

/** The range of φ over what is shown, in full. */
export function rangeText(values: Float64Array): string {
  const found = values.every(Number.isFinite) ? limits(values) : null;
  return found ? `φ from ${inFull(found[0])} to ${inFull(found[1])}` : "φ is not finite";
}

export function windowText(variable: string, [low, high]: Range): string {
  return `${variable} from ${number(low)} to ${number(high)}`;
}

function percent(share: number): string {
  if (!(share > 0)) return "none";
  if (share < 0.001) return "under 0.1 %";
  if (share >= 0.9995) return "all";
  return `${number(100 * share)
    .split("e")
    .join("·10^")
    .replace(/(\.\d)\d+$/, "$1")} %`;
}

/** What was observed of the inputs of a function. */
export function inputsText(phi: Phi, observed: Observed | null): string {
  if (!observed) return "";
  const entry = entryOf(phi.layer, phi.f);
  if (entry >= observed.entries) return "";
  const grid = observed.outsideDomain[entry];
  const support = observed.outsideExtent[entry];
  const of = `of the inputs (${formatCount(observed.samples)} samples)`;
  return `${percent(grid)} ${of} outside the grid, ${percent(support)} outside the support`;
}

export function evaluationText(value: number | null): string {
  if (value === null) return "…";
  const text = value.toFixed(4);
  return Math.abs(value) <= 100 && Number(text) !== 0 ? text.replace("-", "−") : number(value);
}
