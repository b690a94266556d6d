/** NetworkView in words. No DOM. */

import { counted, isPlain, layerTitle, numberedName, outputName } from "../../phi/entries.ts";
import { type Evaluation, scoreText } from "../../phi/evaluation.ts";
import { formatCount, number } from "../../phi/format.ts";
import { paletteOf } from "../../phi/palette.ts";
import { rampOf } from "../../scene/heat.ts";
import type { Remark } from "../../scene/marks.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import type { Edits, Probe, Station } from "../../wire/types.ts";
import type { Diagram } from "./diagram.ts";
import { isStale, unitValues } from "./flow.ts";
import { hasGhosts, hasSquares } from "./functions.ts";
import { type Graph, inputNamed } from "./graph.ts";
import { lastLayer, lossOf, percent, type Scores } from "./scores.ts";
import type { Settings } from "./settings.ts";

/** Stations that compute something else while they are trained. */
const DIFFERS = /batch ?norm|dropout/i;
const ROOT = "the root of the sum of squares";

export function captionOf(
  diagram: Diagram,
  said: string,
  settings: Settings,
  /** How many links the strongest path has; 0 where none is lit. */
  legs: number,
  theme: Theme,
): Remark[] {
  const { graph, shown, flow, frame } = diagram;
  const { colours } = theme;
  const ramp = rampOf(paletteOf(theme.name));
  const all = shown.reduce((sum, { bundles }) => sum + bundles.length, 0);
  const links = shown.reduce((sum, { links: own }) => sum + own.length, 0);
  const share = shareShown(diagram);
  const stale = isStale(flow, frame);
  const remarks: Remark[] = [
    ...(said ? [verdictRemark(said, stale)] : []),
    ...keyOf(diagram, legs > 0 ? "grey links" : "links", colours),
  ];
  if (legs > 1) {
    remarks.push({
      text: "strongest path",
      swatch: { kind: "thick", colours: [colours.ink] },
      title:
        "Back from the score along the link that adds most to each number for this example; between maps, along the one whose φ vary most",
    });
  }
  if (legs > 0) {
    remarks.push({
      text: "adds to the score",
      swatch: { kind: "line", colours: [colours.more] },
      title:
        "Coloured links: what this example adds to the score, or takes from it, the wider the more, as in the bars below",
    });
    remarks.push({ text: "takes from it", swatch: { kind: "line", colours: [colours.less] } });
  }
  if (flow) remarks.push(signsRemark(graph, ramp));
  if (links < all) {
    const which = settings.top > 0 ? ` (the ${settings.top} strongest to each unit)` : "";
    const part = `${percent(share)} of their strength`;
    const text = `${formatCount(links)} of ${counted(all, "link")}, ${part}${which}`;
    const title = "The strongest links are shown: the share is the mean over the layers";
    remarks.push({ text, title });
  }
  if (diagram.inputsAt) remarks.push({ text: `links by the inputs seen${diagram.inputsAt}` });
  // That nothing runs through it yet is no fault.
  if (graph.note) remarks.push({ text: graph.note, tone: flow ? "warn" : "muted" });
  return remarks;
}

function signsRemark({ columns }: Graph, ramp: string[]): Remark {
  const what = columns.some(({ map, kind }) => map && kind !== "input") ? "maps" : "circles";
  return {
    text: `${what}: below 0 … above 0`,
    swatch: { kind: "ramp", colours: ramp },
    title: `The ${what} of each layer are on a scale of their own`,
  };
}

/** What is long past is not read as what is. */
function verdictRemark(text: string, stale: boolean): Remark {
  return stale ? { text } : { text, tone: "ink", strong: true };
}

/** What stands on the links. */
function keyOf(diagram: Diagram, links: string, { ink }: Colours): Remark[] {
  const layers = diagram.graph.columns.flatMap(({ layer }) => layer ?? []);
  const line = { kind: "line", colours: [ink] } as const;
  const squares = hasSquares(diagram);
  const plots = diagram.layout.columns.some(({ thumbs }) => thumbs.size > 0);
  if (layers.length > 0 && layers.every(isPlain)) {
    const drawn: Remark[] = [
      {
        text: squares
          ? "colour blocks on links: weights w, above 0 (orange) or below 0 (blue)"
          : "small plots: straight lines w·x",
        tone: "ink",
        title: "Every layer of this network is a plain one: on each link its input is multiplied",
      },
    ];
    return [
      ...(plots ? drawn : []),
      {
        text: `${links}: bolder where w·x varies more`,
        swatch: line,
        title: `The spread of w·x over the inputs observed; of several weights ${ROOT}`,
      },
    ];
  }
  const { ghost } = diagram;
  const before =
    ghost && hasGhosts(diagram.layout) ? ` (pale: at step ${formatCount(ghost.step)})` : "";
  const remarks: Remark[] = [
    {
      text: `small plots: learned functions φ${before}`,
      tone: "ink",
      title:
        "On each link stands the function that is applied there, over the inputs that reach it",
    },
    {
      text: `${links}: bolder where their φ vary more`,
      swatch: line,
      title: `The spread of φ over the inputs observed (before that, over its grid); of several functions ${ROOT}`,
    },
  ];
  if (squares) {
    remarks.push({
      text: "colour blocks on links: φ rises (orange) or falls (blue)",
      title:
        "Where functions have no room for their curves: φ at the largest input less φ at the least. Zoom in to see the curves",
    });
  }
  return remarks;
}

/** Of the strengths of all links of a layer the part that is drawn, as the mean over the layers. */
function shareShown({ relevances, shown }: Diagram): number {
  const shares = relevances.flatMap((relevance, k) => {
    if (!relevance) return [];
    const all = relevance.sizes.reduce((sum, size) => sum + size, 0);
    const drawn = shown[k].links.reduce((sum, n) => sum + relevance.sizes[n], 0);
    return [all > 0 ? drawn / all : 1];
  });
  return shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length);
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
export function verdictOf(
  diagram: Diagram,
  scores: Scores | null,
  probe: Probe | null,
  { example }: Settings,
): string {
  const { graph, flow } = diagram;
  if (flow?.blank) return "nothing is drawn yet: draw something on the input";
  if (!scores || scores.raw.length < 2) return "";
  const late = asOf(diagram) && ` (${asOf(diagram)})`;
  const about = flow?.frame?.rough ? "about " : "";
  const which = example < 0 ? "your drawing" : `example ${example}`;
  const label = example < 0 ? null : (probe?.labels?.[example] ?? null);
  const loss = lossOf(scores, label);
  // Whether what leaves the network scores classes only labels tell, where it ends in no softmax.
  if (!scores.probabilities && !probe?.labels) return "";
  const named = (k: number) => outputName(lastLayer(graph), k, "").trim();
  const truth =
    label === null ? "" : label === scores.best ? ", correct" : `, wrong: it is ${named(label)}`;
  const said = scores.probabilities
    ? `${which}: predicted ${named(scores.best)} (${about}${percent(scores.probabilities[scores.best])})${truth}`
    : `${which}: highest score ${named(scores.best)}${truth}`;
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

export function thumbWords({ graph, shown, relevances }: Diagram, k: number, n: number): string {
  const { layer } = graph.columns[k];
  const { from, to, count } = shown[k].bundles[n];
  const before = graph.columns[graph.columns[k].from[0]]?.layer;
  const [start, end] = [numberedName(before ?? {}, from), numberedName(layer ?? {}, to)];
  const relevance = relevances[k];
  const what =
    count === 1 ? "function" : layer?.kind === "conv" ? "kernel" : counted(count, "function");
  const share = relevance ? relevance.sizes[n] / (relevance.most || 1) : 0;
  const strength = `${percent(share)} of the strongest`;
  return `${layer ? layerTitle(layer) : ""} · ${what} from ${start} to ${end} · ${strength}. Click to select it.`;
}

export function unitWords(
  diagram: Diagram,
  k: number,
  unit: number,
  scores: Scores | null,
): string {
  const { graph, flow } = diagram;
  const late = asOf(diagram) && `, ${asOf(diagram)}`;
  const column = graph.columns[k];
  const input = column.maps ? "input channel" : "input";
  const isInput = column.kind === "input";
  const name =
    (isInput && inputNamed(graph, unit)) ||
    outputName(column.layer ?? {}, unit, isInput ? input : "output");
  const what = isInput ? name : `${column.name} · ${name}`;
  const isLast = k === graph.columns.length - 1;
  if (isLast && scores) {
    const { probabilities, raw } = scores;
    const said = probabilities ? percent(probabilities[unit]) : number(raw[unit]);
    return `${what}: ${said}${late}`;
  }
  const values = flow ? unitValues(flow, column.station, unit) : null;
  if (!values) return what;
  if (values.length === 1) return `${what}: ${number(values[0])}${isInput ? "" : late}`;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return `${what}: mean ${number(mean)}${isInput ? "" : late}`;
}

export function description(
  diagram: Diagram,
  scores: Scores | null,
  probe: Probe | null,
  { example }: Settings,
): string {
  const { graph, frame } = diagram;
  const late = asOf(diagram) && ` ${asOf(diagram)}`;
  const sizes = graph.columns.map(({ name, units, map, maps }) => {
    const size = map ? ` of ${map.join(" by ")}` : "";
    return `${name}: ${counted(units, maps ? "map" : "number")}${size}`;
  });
  const which = example < 0 ? "the drawing" : `example ${example}`;
  const said =
    probe && scores && scores.raw.length > 1
      ? ` For ${which} the largest score is number ${numberedName(lastLayer(graph), scores.best)}${late}.`
      : "";
  return `The network from input to output at step ${formatCount(frame.step)}. ${sizes.join(", ")}.${said}`;
}
