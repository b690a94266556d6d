/** NetworkView in words. */

import { sum } from "d3-array";
import { counted, isPlain, numberedName, outputName } from "../../phi/entries.ts";
import { formatCount, momentText, percent, roughPercent, toATenth } from "../../phi/format.ts";
import { seenThen, WITHOUT, waitsForBatch } from "../../phi/inputs.ts";
import { largestDifference, widestText } from "../../phi/interpolate.ts";
import { paletteOf } from "../../phi/palette.ts";
import type { Given } from "../../scene/drawing.ts";
import { rampOf } from "../../scene/heat.ts";
import { bandKey, keyed, type Remark } from "../../scene/marks.ts";
import { isUnderWay } from "../../wire/standing.ts";
import type { LayerLayout, Store } from "../../wire/types.ts";
import { pointOf, sumText, unitCloseUp } from "./close_up.ts";
import { boldness, type Diagram, type Part, weightOf } from "./diagram.ts";
import { lastLayer, unitValues } from "./flow.ts";
import { hasAxes, hasSquares, hasValues } from "./functions.ts";
import { sourceName, unitName } from "./graph.ts";

const SPREAD =
  "A link is the bolder, the more its φ vary over the inputs seen (before that, over the grid)";
const ALIVE =
  "A link is the bolder, the more networks have its φ (the path of the example apart): there it varies at least a twentieth as much as the one of its layer that varies most";
const PATH = `Back from the result, each time along the link that adds most toward the sum, which is not always the largest number: what goes against the sum does not count, unless all nearly cancel out. Of a map it is the sum at its largest pixel. While it trains, a link that leads stays until another one is half as strong again for eight steps on end: meanwhile it need not be the strongest.`;
const SIGNS =
  "Links and bars: what this example adds to the result, or subtracts from it, the wider the more. Points: whether φ is below 0 or above it. Maps: blue below 0, orange above it, each layer on a scale of its own";
const SQUARES =
  "Where functions have no room for their curves: φ at the largest input less φ at the least. Zoom in to see the curves";

/** The right class of the example that is shown, where it is known. */
export function labelOf({ probe, settings: { example } }: Diagram): number | null {
  return example < 0 ? null : (probe?.labels?.[example] ?? null);
}

/** Writes shares, of a frame whose numbers were rounded in as few digits. */
export const shareIn = ({ flow }: Diagram) => (flow?.frame?.rough ? roughPercent : toATenth);

/** The step that the numbers of the example belong to, if it is not the step drawn. */
function asOf({ flow, frame }: Diagram): string {
  return flow && flow.step !== frame.step ? `as of step ${formatCount(flow.step)}` : "";
}

export function networkCaption(
  diagram: Diagram,
  verdict: string,
  { colouring, looked }: { colouring: LayerLayout | null; looked: string | null },
  given: Given,
): Remark[] {
  const { store, get, still, film, theme } = given;
  const { name, colours } = theme;
  const { graph, parts, legs, ghost, frame, isTold, hasPlot } = diagram;
  // Through what is not drawn yet nothing runs.
  const flow = diagram.flow?.blank ? null : diagram.flow;
  const remarks: Remark[] = [];
  const headline = verdict || largestDifference(frame.layout.layers)?.text;
  if (headline) remarks.push({ text: headline, tone: "ink", strong: true, alone: true });
  // Since when, the status says.
  const isLost = store.current() !== null && store.current() !== frame;
  if (isLost) {
    const lost = "φ is no longer a number, the last step before is shown";
    const text = `${lost}: train again with a lower learning rate`;
    const title = `Shown is step ${formatCount(frame.step)}`;
    remarks.push({ text, title, tone: "warn", strong: true });
  }
  const isPlainAll = parts.every(({ column: { layer } }) => !layer || isPlain(layer));
  const squares = hasSquares(parts);
  const isCurved = parts.some(({ kernels, stand }) => kernels.size > 0 || stand !== null);
  const hasCurves = hasPlot || (!squares && (isCurved || diagram.layout.shelf > 0));
  if (!isPlainAll && ghost && (film || ghost !== frame) && hasCurves) {
    const halves = [colours.fall, colours.rise].flatMap((colour) => Array(9).fill(colour));
    remarks.push(keyed(`fell / rose since step ${formatCount(ghost.step)}`, "ramp", halves));
  }
  if (squares) {
    const isImage = graph.columns[0].map !== null && graph.columns.length === 2;
    const pair = isImage ? "white pixel, against a black one" : "high input, against a low one";
    const text = isPlainAll ? "tiles: weights w" : `tiles: effect of a ${pair}`;
    remarks.push({ text, title: SQUARES });
  }
  if (flow) remarks.push(keyed("negative / positive", "ramp", rampOf(paletteOf(name)), SIGNS));
  const seen = parts.map(({ column: { layer } }) => layer && store.observed(layer.name));
  const then = seen.map((one) => seenThen(one, frame.step)).find(Boolean);
  // Where pictures follow each other it is said on hovering: it comes with the second, and would move the others.
  if (still && !film && then) remarks.push({ text: `inputs seen${then}` });
  const { band } = parts.find(({ column: { layer } }) => layer?.band)?.column.layer ?? {};
  if (hasCurves) remarks.push(...bandKey(band, colours));
  if (band) {
    const isInAll = parts.every((part) => part.links.every((n) => boldness(part, n) === 1));
    const text = `links: bolder in more of ${band.count} networks`;
    if (!isInAll) remarks.push({ text, title: ALIVE });
  }
  const spread = `${band ? ALIVE : SPREAD}${then ? `; inputs were seen${then}` : ""}`;
  const isChosen = legs.some(({ column }) => parts[column].bundles.length > 1);
  const { path } = diagram.settings;
  // While something is looked at no path is drawn.
  if (looked)
    remarks.push(keyed(looked, "thick", looked === "pointed at" ? colours.ink : colours.accent));
  else if (path) remarks.push(keyed(path.words, "thick", colours.ink, path.title));
  else if (isChosen && isTold) {
    const [text, title] = flow ? ["strong path", `${PATH} ${spread}`] : ["varies most", spread];
    remarks.push(keyed(text, "thick", colours.ink, title));
  }
  const all = sum(parts, ({ bundles }) => bundles.length);
  const links = sum(parts, ({ links: own }) => own.length);
  if (links < all && parts.every(({ units, column }) => units.length === column.units)) {
    const text = `the strongest ${formatCount(links)} of ${counted(all, "link")}`;
    remarks.push({ text, title: spread });
  }
  const isBeyond = parts.some(({ kernels, bundles, picture, column: { layer } }) => {
    const [[n, box] = []] = kernels;
    // At rest the plot is of the layer whose links have colours.
    const isPlotted = hasPlot && (!flow || layer === colouring);
    const hasAxis = isPlotted || (n !== undefined && box && hasAxes({ bundle: bundles[n], box }));
    const [[from, to], [low, high]] = [picture?.x ?? [0, 0], layer?.domain ?? [0, 0]];
    // A band that is hardly a pixel wide is not seen.
    return hasAxis && Math.max(low - from, to - high) > 0.01 * (to - from);
  });
  if (isBeyond) remarks.push(keyed("outside grid", "fill", colours.outside));
  const absence = flow || get("ensemble") ? "" : absenceOf(store, graph.traced);
  // While a batch may come it stands where what the network says of one will.
  const tone = store.alone() ? "muted" : "ink";
  if (absence) remarks.push({ text: absence, title: graph.note, tone });
  else if (graph.note && !get("ensemble")) remarks.push({ text: graph.note });
  return remarks;
}

/** Why no example runs through it, and what to do. */
function absenceOf(store: Store, isTraced: boolean): string {
  if (store.alone()) return isTraced ? "" : "no batch has run through it";
  const step = store.latest()?.step ?? 0;
  if (isUnderWay(store.standing()) && step > 0 && step < WITHOUT)
    return "the first batch is on its way";
  if (!waitsForBatch(store)) return "no example yet: live.probe(inputs) runs some through it";
  const how = store.standing().state === "ready" ? "press Train" : "run the training loop";
  return `waiting for the first batch: ${how}, and watch it flow through the functions φ on the links`;
}

/** Which example it is: "image 1 of 8". */
function exampleName({ probe, graph, settings: { example } }: Diagram): string {
  if (example < 0) return "your drawing";
  const of = probe ? ` of ${probe.shape[0]}` : "";
  const isImage = probe?.shape.length === 4 && !graph.columns[0].isRow;
  return `${isImage ? "image" : "example"} ${example + 1}${of}`;
}

/** What is added up to the only output, in words, where no list of bars has it. */
export function outputSum({ graph, parts, flow, hasPlot }: Diagram): string | null {
  const last = parts[parts.length - 1];
  if (hasPlot || last.column.units > 1 || !flow?.frame || flow.blank) return null;
  const summed = unitCloseUp(graph, parts.length - 1, flow, flow.frame, 0);
  return summed && sumText(summed, last.print);
}

/** What the network says of the example, and whether that is right. */
export function exampleVerdict(diagram: Diagram): string {
  const { graph, flow, scores, probe, parts } = diagram;
  if (flow?.blank) return "nothing is drawn yet";
  const late = asOf(diagram) && ` (${asOf(diagram)})`;
  if (!scores) return late && `${exampleName(diagram)}${late}`;
  const { best, raw, probabilities } = scores;
  const label = labelOf(diagram);
  const named = (k: number) => outputName(lastLayer(graph), k, "").trim();
  const right = label === best ? ", correct" : `, not ${named(label ?? 0)}`;
  const { print } = parts[parts.length - 1];
  // Of several the bars have the numbers. Without a softmax at the end only labels tell whether they score classes.
  const isClass = probabilities !== null || Boolean(probe?.labels);
  const largest = `${isClass ? "predicted" : "the largest output is"} ${named(best)}`;
  const what = raw.length > 1 ? largest : `output ${outputSum(diagram) ?? print(raw[best])}`;
  return `${exampleName(diagram)}: ${what}${label === null ? "" : right}${late}`;
}

export function linkWords(diagram: Diagram, part: Part, n: number): string {
  const { graph } = diagram;
  const { column, relevance } = part;
  const band = column.layer?.band;
  const { from, to, first, count } = part.bundles[n];
  const start = sourceName(graph, column, from);
  // Where it is shown closely, or has its value beside it, that is not said again.
  const isSaid = diagram.hasPlot || hasValues(part);
  const point = isSaid ? null : pointOf(diagram, part, n);
  const given = point ? `: φ(${part.before?.print(point.x)}) = ${part.print(point.value)}` : "";
  const share = weightOf(relevance, n);
  const weaker = `varies ${roughPercent(share)} as much as the one that varies most`;
  const strength = share === 1 ? "varies most in its layer" : weaker;
  const having = band ? Math.round(band.count * boldness(part, n)) : 0;
  const spread = band && count === 1 ? widestText(column.layer as LayerLayout, first) : strength;
  const seeds = band ? `${spread} · in ${having} of ${band.count} networks` : strength;
  const many = count > 1 && column.layer?.kind !== "conv" ? ` · ${count} functions` : "";
  return `${column.name} · ${start} to ${unitName(graph, column, to)}${given} · ${seeds}${many}`;
}

export function unitWords(diagram: Diagram, part: Part, unit: number): string {
  const { column, number: k, print } = part;
  const { graph, flow, scores, parts } = diagram;
  const isInput = column.kind === "input";
  const late = !isInput && asOf(diagram) ? `, ${asOf(diagram)}` : "";
  const name = unitName(graph, column, unit);
  const after = column.after.map((station) => graph.stations[station].label);
  const then = after.length > 0 ? `; then ${after.join(", ")}` : "";
  const title = isInput ? name : `${column.name} · ${name}`;
  if (k === parts.length - 1 && scores) {
    const { probabilities, raw } = scores;
    return `${title}: ${probabilities ? percent(probabilities[unit]) : print(raw[unit])}${late}`;
  }
  const values = flow ? unitValues(flow, column.station, unit) : null;
  if (!values) return title + then;
  const average = values.reduce((total, value) => total + value, 0) / values.length;
  return `${title}: ${values.length > 1 ? "mean " : ""}${print(average)}${late}${then}`;
}

export function description(diagram: Diagram): string {
  const { graph, frame, scores, probe } = diagram;
  const sizes = graph.columns.map(({ name, units, map, maps }) => {
    const size = map ? ` of ${map.join(" by ")}` : "";
    return `${name}: ${counted(units, maps ? "map" : "number")}${size}`;
  });
  const moment = `The network from input to output, ${momentText(frame)}`;
  const all = `${moment}. ${sizes.join(", ")}.`;
  if (!probe || !scores || scores.raw.length < 2) return all;
  const late = asOf(diagram) && ` ${asOf(diagram)}`;
  const best = numberedName(lastLayer(graph), scores.best);
  return `${all} For ${exampleName(diagram)} the largest score is number ${best}${late}.`;
}
