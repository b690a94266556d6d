/** NetworkView in words. No DOM. */

import { mean, sum } from "d3-array";
import { counted, isPlain, layerTitle, numberedName, outputName } from "../../phi/entries.ts";
import { type Evaluation, scoreText } from "../../phi/evaluation.ts";
import { formatCount, number, percent } from "../../phi/format.ts";
import { paletteOf } from "../../phi/palette.ts";
import { rampOf } from "../../scene/heat.ts";
import { keyed, type Remark } from "../../scene/marks.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import type { Edits, Station } from "../../wire/types.ts";
import { type Diagram, labelOf, type Part, weightOf } from "./diagram.ts";
import { isStale, lastLayer, lossOf, unitValues } from "./flow.ts";
import { hasGhosts, hasSquares } from "./functions.ts";
import { inputNamed } from "./graph.ts";

/** Stations that compute something else while they are trained. */
const DIFFERS = /batch ?norm|dropout/i;
const ROOT = "the root of the sum of squares";

/** `legs`: how many links the strongest path has; 0 where none is lit. */
export function captionOf(diagram: Diagram, said: string, legs: number, theme: Theme): Remark[] {
  const { graph, parts, flow, frame, inputsAt } = diagram;
  const { colours } = theme;
  const remarks: Remark[] = [];
  // What is long past is not read as what is.
  if (isStale(flow, frame) && said) remarks.push({ text: said });
  else if (said) remarks.push({ text: said, tone: "ink", strong: true });
  remarks.push(...keyOf(diagram, legs > 0 ? "grey links" : "links", colours));
  if (legs > 1) remarks.push(keyed("strongest path", "thick", colours.ink, PATH));
  if (legs > 0) {
    remarks.push(keyed("adds to the score", "line", colours.more, LIT));
    remarks.push(keyed("takes from it", "line", colours.less));
  }
  if (flow) {
    const isMaps = graph.columns.some(({ map, kind }) => map && kind !== "input");
    const what = isMaps ? "maps" : "circles";
    const title = `The ${what} of each layer are on a scale of their own`;
    const ramp = rampOf(paletteOf(theme.name));
    remarks.push(keyed(`${what}: below 0 … above 0`, "ramp", ramp, title));
  }
  const all = sum(parts, ({ bundles }) => bundles.length);
  const links = sum(parts, ({ links: own }) => own.length);
  if (links < all) {
    const { top } = diagram.settings;
    const which = top > 0 ? ` (the ${top} strongest to each unit)` : "";
    const part = `${percent(shareShown(parts))} of their strength`;
    const text = `${formatCount(links)} of ${counted(all, "link")}, ${part}${which}`;
    const title = "The strongest links are shown: the share is the mean over the layers";
    remarks.push({ text, title });
  }
  if (inputsAt) remarks.push({ text: `links by the inputs seen${inputsAt}` });
  // That nothing runs through it yet is no fault.
  if (graph.note) remarks.push({ text: graph.note, tone: flow ? "warn" : "muted" });
  return remarks;
}

const PATH =
  "Back from the score along the link that adds most to each number for this example; between maps, along the one whose φ vary most";
const LIT =
  "Coloured links: what this example adds to the score, or takes from it, the wider the more, as in the bars below";
const LINES = "Every layer of this network is a plain one: on each link its input is multiplied";
const PLOTS =
  "On each link stands the function that is applied there, over the inputs that reach it";
const BLOCKS =
  "Where functions have no room for their curves: φ at the largest input less φ at the least. Zoom in to see the curves";

/** What stands on the links. */
function keyOf({ parts, layout, ghost }: Diagram, links: string, { ink }: Colours): Remark[] {
  const layers = parts.flatMap(({ column }) => column.layer ?? []);
  const squares = hasSquares(parts);
  if (layers.length > 0 && layers.every(isPlain)) {
    const text = squares
      ? "colour blocks on links: weights w, above 0 (orange) or below 0 (blue)"
      : "small plots: straight lines w·x";
    const title = `The spread of w·x over the inputs observed; of several weights ${ROOT}`;
    const strength = keyed(`${links}: bolder where w·x varies more`, "line", ink, title);
    const hasPlots = parts.some(({ thumbs }) => thumbs.size > 0);
    return hasPlots ? [{ text, tone: "ink", title: LINES }, strength] : [strength];
  }
  const isPale = ghost && hasGhosts(layout);
  const before = isPale ? ` (pale: at step ${formatCount(ghost.step)})` : "";
  const spread = `The spread of φ over the inputs observed (before that, over its grid); of several functions ${ROOT}`;
  const text = "colour blocks on links: φ rises (orange) or falls (blue)";
  return [
    { text: `small plots: learned functions φ${before}`, tone: "ink", title: PLOTS },
    keyed(`${links}: bolder where their φ vary more`, "line", ink, spread),
    ...(squares ? [{ text, title: BLOCKS }] : []),
  ];
}

/** Of the strengths of all links of a layer the part that is drawn, as the mean over the layers. */
function shareShown(parts: readonly Part[]): number {
  return (
    mean(parts, ({ relevance, links }) => {
      if (!relevance) return undefined;
      const all = sum(relevance.sizes);
      return all > 0 ? sum(links, (n) => relevance.sizes[n]) / all : 1;
    }) ?? 0
  );
}

/** What there is to say of the last edit, and whether something went wrong. */
export function editWords(
  { message, said }: Edits,
  get: (trait: string) => unknown,
): { text: string; warns: boolean } {
  const notice = String(get("notice") ?? "");
  if (message || notice) return { text: message || notice, warns: true };
  const { state, before, after } = (get("evaluation") ?? {}) as Partial<Evaluation>;
  const score = state ? scoreText({ state, before: before ?? null, after: after ?? null }) : "";
  return { text: [said, score].filter(Boolean).join(" · "), warns: false };
}

/** What the network says of the example, and whether that is right. */
export function verdictOf(diagram: Diagram): string {
  const { graph, flow, scores, probe, settings } = diagram;
  if (flow?.blank) return "nothing is drawn yet: draw something on the input";
  // Whether what leaves the network scores classes only labels tell, where it ends in no softmax.
  if (!scores || scores.raw.length < 2 || !(scores.probabilities || probe?.labels)) return "";
  const { best, probabilities } = scores;
  const { example } = settings;
  const which = example < 0 ? "your drawing" : `example ${example}`;
  const label = labelOf(diagram);
  const named = (k: number) => outputName(lastLayer(graph), k, "").trim();
  const right = label === best ? ", correct" : `, wrong: it is ${named(label ?? 0)}`;
  const about = flow?.frame?.rough ? "about " : "";
  const what = probabilities
    ? `predicted ${named(best)} (${about}${percent(probabilities[best])})`
    : `highest score ${named(best)}`;
  const said = `${which}: ${what}${label === null ? "" : right}`;
  const late = asOf(diagram) && ` (${asOf(diagram)})`;
  const loss = lossOf(scores, label);
  if (loss === null) return said + late;
  // The losses that are logged are those of batches, with the statistics of a batch and with dropout.
  const differs = graph.stations.some((station) => DIFFERS.test(station.label));
  const mode = differs ? " in evaluation mode" : "";
  return `${said} · loss of this example${mode} ${twoDigits(loss)}${late}`;
}

/** Of when the numbers of the example are, where that is not the step drawn. */
export function asOf({ flow, frame }: Diagram): string {
  return flow && flow.step !== frame.step ? `as of step ${formatCount(flow.step)}` : "";
}

/** "0.20", not "0.2". */
function twoDigits(loss: number): string {
  return loss >= 0.001 && loss < 10 ? loss.toPrecision(2) : number(Number(loss.toPrecision(2)));
}

export function stationWords({ label, name, shape }: Station): string {
  const size = shape.length > 0 ? `: gives ${shape.join(" × ")}` : "";
  return name && name !== label ? `${label} (${name})${size}` : `${label}${size}`;
}

export function thumbWords(
  { column: { layer }, before, bundles, relevance }: Part,
  n: number,
): string {
  const { from, to, count } = bundles[n];
  const start = numberedName(before?.column.layer ?? {}, from);
  const end = numberedName(layer ?? {}, to);
  const one = layer?.kind === "conv" ? "kernel" : counted(count, "function");
  const what = count === 1 ? "function" : one;
  const strength = `${percent(weightOf(relevance, n))} of the strongest`;
  return `${layer ? layerTitle(layer) : ""} · ${what} from ${start} to ${end} · ${strength}. Click to select it.`;
}

export function unitWords(diagram: Diagram, { column, number: k }: Part, unit: number): string {
  const { graph, flow, scores, parts } = diagram;
  const isInput = column.kind === "input";
  const late = !isInput && asOf(diagram) ? `, ${asOf(diagram)}` : "";
  const input = column.maps ? "input channel" : "input";
  const own = outputName(column.layer ?? {}, unit, isInput ? input : "output");
  const name = (isInput && inputNamed(graph, unit)) || own;
  const what = isInput ? name : `${column.name} · ${name}`;
  if (k === parts.length - 1 && scores) {
    const { probabilities, raw } = scores;
    return `${what}: ${probabilities ? percent(probabilities[unit]) : number(raw[unit])}${late}`;
  }
  const values = flow ? unitValues(flow, column.station, unit) : null;
  if (!values) return what;
  const average = values.reduce((total, value) => total + value, 0) / values.length;
  return `${what}: ${values.length > 1 ? "mean " : ""}${number(average)}${late}`;
}

export function description(diagram: Diagram): string {
  const { graph, frame, scores, probe, settings } = diagram;
  const sizes = graph.columns.map(({ name, units, map, maps }) => {
    const size = map ? ` of ${map.join(" by ")}` : "";
    return `${name}: ${counted(units, maps ? "map" : "number")}${size}`;
  });
  const moment = `The network from input to output at step ${formatCount(frame.step)}`;
  const all = `${moment}. ${sizes.join(", ")}.`;
  if (!probe || !scores || scores.raw.length < 2) return all;
  const which = settings.example < 0 ? "the drawing" : `example ${settings.example}`;
  const late = asOf(diagram) && ` ${asOf(diagram)}`;
  const best = numberedName(lastLayer(graph), scores.best);
  return `${all} For ${which} the largest score is number ${best}${late}.`;
}
