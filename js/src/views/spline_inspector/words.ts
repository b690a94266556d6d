/** What the inspector says in words. */

import { layerInWords, observedEntry, placeText } from "../../phi/entries.ts";
import { formatCount, formatNumber, percent, spanText } from "../../phi/format.ts";
import { type Ends, offersObserving, seenThen } from "../../phi/inputs.ts";
import type { LayerLayout, Observed, Store } from "../../wire/types.ts";
import type { PlotPicture } from "./picture.ts";
import type { Settings } from "./settings.ts";
import type { Phi } from "./terms.ts";

export const UNREAD = "Point at the curve to read it; click a term to hide it. Ctrl + wheel zooms.";

/** The line under the drawing: what is wrong, what is waited for, or what can be done. */
export function footText(
  { editable }: Settings,
  locked: string,
  store: Store,
  late: boolean,
): { text: string; warns: boolean } {
  const warning = store.edits().message;
  if (warning) return { text: warning, warns: true };
  const back = store.cursor() >= 0 ? "This is an earlier step: press “newest” to edit." : "";
  const help = "Drag a point to change its weight. Ctrl + wheel zooms.";
  const calm = late ? "waiting for the model…" : editable ? locked || back || help : "";
  return { text: calm, warns: false };
}

/** The least turn that is spoken of, as a share of φ's range. */
const LEAST_TURN = 0.02;

export function rangeText(range: Ends | null): string {
  return range
    ? `φ from ${formatNumber(range[0])} to ${formatNumber(range[1])}`
    : "φ is not finite";
}

/** What φ does over the x shown, by its values along them: "φ falls from 0.37 to −0.279, then rises to 0.47". */
export function courseText(range: Ends | null, values: ArrayLike<number>): string {
  if (!range) return rangeText(range);
  const [low, high] = range.map(formatNumber);
  const [a, b] = [values[0], values[values.length - 1]].map(formatNumber);
  if (low === high) return `φ is ${low} everywhere`;
  const { turns, rises } = turnsOf(values, LEAST_TURN * (range[1] - range[0]));
  const [first, second, end] = rises ? ["rises", "falls", high] : ["falls", "rises", low];
  if (turns === 0) return `φ ${first} from ${a} to ${b}`;
  if (turns === 1) return `φ ${first} from ${a} to ${end}, then ${second} to ${b}`;
  const often = turns === 2 ? "twice" : `${turns} times`;
  return `φ turns ${often}, between ${low} and ${high}`;
}

/** How often values turn by more than `least`, and whether they rise at first. */
function turnsOf(values: ArrayLike<number>, least: number) {
  let [way, best, turns] = [0, values[0], 0];
  for (const value of Array.from(values)) {
    const isBack = way * (best - value) > least;
    const isOn = way === 0 ? Math.abs(value - best) > least : way * (value - best) > 0;
    if (isBack) turns++;
    if (isBack || isOn) [way, best] = [Math.sign(value - best), value];
  }
  return { turns, rises: turns % 2 === 0 ? way > 0 : way < 0 };
}

const X = /(?<![A-Za-z])x\b/;
const COUNTED = /^([A-Z])\d+(\(.*\))?$/;

/** φ as what it is made of, where it has several terms: "φ(x) = w·silu(x) + Σ c·B(x)". */
export function formula({
  labels,
  isBase,
  variable,
}: Pick<LayerLayout, "labels" | "isBase" | "variable">): string {
  if (labels.length < 2) return "";
  // A long name of x would be there again and again.
  const x = variable.length > 2 ? "" : `(${variable})`;
  const of = (label: string) => (X.test(label) ? label.replace(X, variable) : `${label}${x}`);
  const bases = labels.filter((_, b) => isBase[b]);
  const others = labels.filter((_, b) => !isBase[b]);
  const parts: string[] = [];
  if (bases.length === 1) parts.push(`w·${of(bases[0])}`);
  if (bases.length > 1) parts.push(`base${x}`);
  if (others.length === 1) parts.push(`c·${of(others[0])}`);
  if (others.length > 1) {
    const names = new Set(others.map((label) => label.replace(COUNTED, "$1$2")));
    const [name] = names.size === 1 ? names : ["β"];
    parts.push(`Σ c·${of(name)}`);
  }
  return `φ${x} = ${parts.join(" + ")}`;
}

/** What was observed of the inputs of a function. */
export function phiInputsText(phi: Phi, observed: Observed | null, store?: Store): string {
  // The plot says that there are none; whoever has an ensemble, or a saved page, has no `live`.
  const isSaid = phi.layer.band || store?.alone() || offersObserving(store ?? null, phi.layer.name);
  if (!observed) return isSaid ? "" : "live.observe(batch) shows its inputs";
  const entry = observedEntry(phi.layer, phi.f);
  if (entry >= observed.entries) return "";
  const grid = observed.outsideDomain[entry];
  const support = observed.outsideExtent[entry];
  const then = seenThen(observed, phi.step);
  const seen = `inputs seen${then} (${formatCount(observed.samples)} samples)`;
  if (!(grid > 0)) return `all ${seen} lie on the grid`;
  const beyond = support > 0 ? `, ${percent(support)} beyond every basis function` : "";
  return `${percent(grid)} of the ${seen} lie outside the grid${beyond}`;
}

export function description({ phi, at, range, x }: PlotPicture): string {
  const { layer } = phi;
  return (
    `Function of ${layerInWords(layer)}, ${placeText(layer, at)}. ` +
    `${rangeText(range)}, ${spanText(layer.variable, x)}. ` +
    "Left and right arrow read it out, and move the view at its edge, up and down arrow zoom, " +
    "0 shows the inputs again, " +
    "square brackets go to the previous and the next function."
  );
}
