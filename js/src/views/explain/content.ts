/** What Python sends of an explanation, what follows from it, and both in words. */

import { counted, inputName, layerInWords, outputName, wholeOf } from "../../phi/entries.ts";
import { chance, formatAlike, formatCount, formatNumber, momentText } from "../../phi/format.ts";
import { bandOver } from "../../phi/interpolate.ts";
import { softmax } from "../../phi/operations.ts";
import { reachOf } from "../../phi/ranges.ts";
import { float32 } from "../../wire/protocol.ts";
import type { LayerLayout, Layout, Selection } from "../../wire/types.ts";

/** Numbers as Python's traits hold them: little-endian float32. */
type Bytes = DataView | ArrayBuffer | Uint8Array;

/** The shares of one layer. A number is row·columns + column; functions of the last layer are one row. */
interface WirePart {
  layer: string;
  kind: "functions" | "kernels";
  rows: number;
  columns: number;
  values: Bytes;
  /** To be compared with: what is usual, or the fall when one kernel alone is put out; NaN where not known. */
  beside: Bytes | null;
  kernel: [number, number];
  /** Kernels are applied to each channel by themselves: a column is a channel, not an input. */
  shared: boolean;
  /** Channels, height and width that the columns of functions are laid out from. */
  places: [number, number, number] | null;
  /** Numbers whose maps were sent, and the maps: maps[(k·height + row)·width + column]. */
  mapped: number[];
  maps: Bytes | null;
  mapShape: [number, number] | null;
  total: Bytes | null;
  /** Some of the functions: those of a share, or of a shared kernel, in the order of `which`; `at` is the input of each. */
  curves: { which: number[]; domain: [number, number]; at: Bytes; x: Bytes; y: Bytes };
  /** The step at which this was found: layers are not all found at one step. */
  step: number;
  target: number;
  /** What the model said then. */
  predicted: number;
  /** null where they are not finite. */
  scores: (number | null)[];
  /** Images that means are over, if any. */
  samples: number | null;
  /** Of functions the bias, the rounding and the other functions; of kernels the score with each at its usual response, and what is left over. */
  sums: Partial<Record<"bias" | "error" | "others" | "baseline" | "missing", number | null>>;
  /** What the classes are called, and the outputs of this layer; empty where they only have numbers. */
  classes?: string[];
  names?: string[];
  inputNames?: string[];
  notes: string[];
}

export interface WireContent {
  image: { shape: number[]; data: Bytes };
  parts: WirePart[];
}

export interface MapOf {
  height: number;
  width: number;
  data: Float32Array;
}

export type LayerShares = ReturnType<typeof readPart>;

/** The functions of a share: one, or those of a kernel. */
export interface ShareCurves {
  x: Float32Array;
  ys: Float32Array[];
  /** Where the networks of an ensemble have each. */
  bands: ReturnType<typeof bandOver>[];
  /** The input that the function has here; NaN for a kernel, which moves over many. */
  at: number;
  /** The grid. */
  domain: readonly [number, number];
}

export type Explanation = NonNullable<ReturnType<typeof readContent>>;

const floats = (bytes: Bytes) => float32(bytes, "an explanation");

/** Reads what Python sent; null where nothing has been explained yet. */
export function readContent(wire: Partial<WireContent>, layout?: Layout) {
  if (!wire.parts || !wire.image) return null;
  const { shape, data } = wire.image;
  const [channels, height, width] = shape;
  return {
    /** Channels, height, width; null where the input is no image. */
    image: shape.length === 3 ? { channels, height, width, data: floats(data) } : null,
    /** The numbers of an input that is none: "0.5, −0.2". */
    input: shape.length === 3 ? "" : inputText(floats(data), layout?.layers[0]),
    parts: wire.parts.map((part) => readPart(part, layout)),
  };
}

/** Of more numbers than these only the count is written. */
const MOST_NUMBERS = 6;

/** "0.5, −0.2", "width 0.5, height −0.2", "of 13 numbers". */
function inputText(values: Float32Array, first?: LayerLayout): string {
  if (values.length > MOST_NUMBERS) return `of ${counted(values.length, "number")}`;
  const name = (k: number) => (first?.inputNames?.[k] ? `${first.inputNames[k]} ` : "");
  return Array.from(values, (value, k) => name(k) + formatNumber(value)).join(", ");
}

function readPart(wire: WirePart, layout?: Layout) {
  const layers = layout?.layers ?? [];
  const at = layers.findIndex(({ name }) => name === wire.layer);
  const values = floats(wire.values);
  const order = Array.from(values, (_, k) => k).sort(
    (a, b) => Math.abs(values[b]) - Math.abs(values[a]) || a - b,
  );
  const [height, width] = wire.mapShape ?? [0, 0];
  const usual = wire.beside ? `mean of ${samplesIn(wire)}` : "";
  const sum = values.reduce((whole, v) => whole + v, 0);
  return {
    ...wire,
    inputNames: wire.inputNames?.length ? wire.inputNames : hiddenNames(wire, layers[at - 1]),
    besideLabel: wire.kind === "kernels" ? "drop of the score without it" : usual,
    sentence: sentenceOf(wire, className(wire, wire.target), sum),
    method: methodOf(wire),
    scores: wire.scores.map((score) => score ?? Number.NaN),
    values,
    /** From the largest |value| to the smallest. */
    order,
    sum,
    beside: wire.beside && floats(wire.beside),
    total: wire.total && { height, width, data: floats(wire.total) },
    maps: wire.maps && floats(wire.maps),
    /** By the number of a share, or of a shared kernel. */
    curves: readCurves(wire, layers[at]),
    /** When this was so: a step, or of how many networks. */
    moment: momentText({ step: wire.step, layout }),
    band: layers[at]?.band,
  };
}

/** What inputs are that the dense layer before makes: "output 3 of layer 0". */
function hiddenNames({ kind, columns, places }: WirePart, before?: LayerLayout): string[] {
  const isDense = before?.kind === "linear" && wholeOf(before)[0] === columns;
  if (!isDense || kind !== "functions" || places) return [];
  const of = layerInWords(before);
  return Array.from({ length: columns }, (_, k) => `${outputName(before, k)} of ${of}`);
}

function readCurves(part: WirePart, layer?: LayerLayout): ReadonlyMap<number, ShareCurves> {
  const { which, domain, ...wire } = part.curves;
  const before = part.kind === "functions" ? part.target * part.columns : 0;
  const [x, y, at] = [wire.x, wire.y, wire.at].map(floats);
  const [points, entries] = [x.length / which.length, y.length / x.length];
  const one = (all: Float32Array, n: number) => all.subarray(n * points, (n + 1) * points);
  return new Map(
    which.map((k, n) => {
      const ys = Array.from({ length: entries }, (_, e) => one(y, n * entries + e));
      const own = one(x, n);
      const bands = ys.map((_, e) => {
        return layer
          ? bandOver(layer, (before + k) * entries + e, [own[0], own[points - 1]])
          : null;
      });
      return [k, { x: own, ys, bands, at: at[n], domain }];
    }),
  );
}

export function partOf(content: Explanation, layer: string): LayerShares {
  return content.parts.find((part) => part.layer === layer) ?? content.parts[0];
}

/** What a class is called: its name, or its number. */
export function className({ classes }: Pick<WirePart, "classes">, k: number): string {
  return classes?.[k] || String(k);
}

/** "map 3 · row 2 · column 1", "input 7"; of kernels "kernel 4", "kernel 4 · channel 2" where shared, else "kernel 2 → 4". */
export function shareName(part: LayerShares, k: number): string {
  const [row, column] = [Math.floor(k / part.columns), k % part.columns];
  if (part.kind === "kernels") {
    const own = outputName(part, row, "kernel");
    if (part.columns === 1) return own;
    if (part.shared) return `${own} · ${inputName(part, column, "channel")}`;
    return `kernel ${part.inputNames?.[column] || column} → ${part.names?.[row] || row}`;
  }
  if (!part.places || part.inputNames?.[column]) return inputName(part, column);
  const [channels, height, width] = part.places;
  const place = column % (height * width);
  const map = channels > 1 ? `map ${Math.floor(column / (height * width))} · ` : "";
  return `${map}row ${Math.floor(place / width)} · column ${place % width}`;
}

/** The function to select for a share: of a kernel the one in its middle. */
export function selectionFor(part: LayerShares, k: number): Selection {
  const [row, column] = [Math.floor(k / part.columns), k % part.columns];
  const { layer, kernel, target } = part;
  if (part.kind === "functions") return { layer, out: target, in: column, row: 0, column: 0 };
  const middle = { row: kernel[0] >> 1, column: kernel[1] >> 1 };
  return { layer, out: row, in: part.shared ? 0 : column, ...middle };
}

/**
 * The share that a selected function belongs to; −1 for none. Where kernels are shared it is the one chosen here before,
 * if it is of this kernel, or else the largest over the channels.
 */
export function numberFor(part: LayerShares, selection: Selection | null, before = -1): number {
  if (!selection || selection.layer !== part.layer) return -1;
  const { out, in: input } = selection;
  if (part.kind === "functions") return out === part.target && input < part.columns ? input : -1;
  if (out >= part.rows) return -1;
  if (!part.shared) return input < part.columns ? out * part.columns + input : -1;
  if (before >= 0 && Math.floor(before / part.columns) === out) return before;
  return part.order.find((k) => Math.floor(k / part.columns) === out) ?? -1;
}

/** The map of a share: of a kernel its own, of a function that of its channel; the whole for −1. */
export function shareMap(part: LayerShares, k: number): MapOf | null {
  if (k < 0) return part.total;
  if (part.kind === "functions") {
    if (!part.places) return null;
    const [, height, width] = part.places;
    const size = height * width;
    const channel = Math.floor(k / size);
    return { height, width, data: part.values.subarray(channel * size, (channel + 1) * size) };
  }
  const place = part.mapped.indexOf(k);
  if (place < 0 || !part.maps || !part.mapShape) return null;
  const [height, width] = part.mapShape;
  const size = height * width;
  return { height, width, data: part.maps.subarray(place * size, (place + 1) * size) };
}

/** Where in its map a function lies, as shares of the sides; null for a kernel. */
export function functionCell(part: LayerShares, k: number) {
  if (k < 0 || part.kind !== "functions" || !part.places) return null;
  const [, height, width] = part.places;
  const place = k % (height * width);
  return {
    left: (place % width) / width,
    top: Math.floor(place / width) / height,
    width: 1 / width,
    height: 1 / height,
  };
}

export function mapTitle(part: LayerShares, k: number): string {
  const [channels] = part.places ?? [0];
  if (k < 0)
    return part.kind === "kernels" ? "all kernels" : channels > 1 ? "all maps" : "all functions";
  if (part.kind === "kernels") return shareName(part, k);
  if (channels === 1) return "all functions";
  return shareName(part, k).split(" · ")[0];
}

export function signed(value: number): string {
  return value > 0 ? `+${formatNumber(value)}` : formatNumber(value);
}

/** All with as many decimals: so a column of them adds up as it is read. `small`: digits below 1. */
export function signedAlike(values: readonly number[], small = 2): (value: number) => string {
  const text = formatAlike(values, small);
  return (value) => (value > 0 && Number(text(value)) !== 0 ? `+${text(value)}` : text(value));
}

/** A part of a score so small is not worth a word. */
const SMALL_SHARE = 0.005;

/** How it adds up, for whoever looks once. `name`: of the class; `sum`: of all shares. */
function sentenceOf(part: WirePart, name: string, sum: number): string {
  const { rows, columns, kind, sums } = part;
  const score = part.scores[part.target] ?? null;
  const what = part.scores.length < 2 ? "output" : `score of ${name}`;
  if (score === null) return `The ${what} is not finite: there is nothing to divide.`;
  const count = rows * columns;
  if (kind === "functions") {
    const { bias, others = null } = sums;
    const pieces = count > 1 ? `${formatCount(count)} functions` : "one function";
    let terms = bias || others !== null ? `${formatNumber(sum)} from ${pieces}` : pieces;
    if (others !== null) terms += `${added(others)} from the other functions`;
    if (bias) terms += `${added(bias)} bias`;
    if (part.scores.length < 2) return `${formatNumber(score)} is the sum of ${terms}.`;
    return `Class ${name} scores ${formatNumber(score)}, the sum of ${terms}.`;
  }
  const { baseline, missing } = sums;
  const left = known(missing);
  const isLeft = Math.abs(left) >= SMALL_SHARE * Math.abs(score);
  const rest = isLeft ? `; ${formatNumber(left)} is left over` : "";
  return (
    `Class ${name} scores ${formatNumber(score)}. With ${each(count)} of this layer at its mean ${mean(part)} it ` +
    `would score ${formatNumber(known(baseline))}; what ${count > 1 ? "they make" : "it makes"} of this image ${sum < 0 ? "subtracts" : "adds"} ${formatNumber(Math.abs(sum))}${rest}.`
  );
}

/** How that is computed, and what it leaves out. */
function methodOf(part: WirePart): string {
  const { kind, rows, columns, sums } = part;
  if (kind === "functions") {
    return `The last layer adds up its functions φ(x): these are its own terms, exact but for ${formatNumber(known(sums.error))} of rounding.`;
  }
  return (
    `The usual response is the mean ${mean(part)}: with ${each(rows * columns)} at it the score would be ` +
    `${formatNumber(known(sums.baseline))}. What differs is shared out by integrated gradients, which depend on that ` +
    `mean, and ${formatNumber(known(sums.missing))} is left over. The drop is how far the score falls where that kernel ` +
    "alone responds as usual."
  );
}

const known = (value: number | null | undefined) => value ?? Number.NaN;
const each = (count: number) => (count > 1 ? "each kernel" : "the kernel");
const mean = (part: WirePart) => (part.samples ? `over ${samplesIn(part)}` : "over this image");

const samplesIn = ({ samples }: WirePart) => `${formatCount(samples ?? 0)} examples`;

/** A term of a sum with its sign. */
function added(value: number): string {
  return ` ${value < 0 ? "−" : "+"} ${formatNumber(Math.abs(value))}`;
}

/** The selected share in one line; what to do where there is none. */
export function shareText(part: LayerShares, selected: number, isSaved = false): string {
  if (selected < 0 && part.scores.length < 2) return "Click a row to select its function.";
  const classes = isSaved ? "" : ", or a class to explain it";
  if (selected < 0) return `Click a row or the map to select a function${classes}.`;
  return `${part.layer} · ${shareName(part, selected)} · ${signed(part.values[selected])}`;
}

/** What the network says of the image. */
export function verdict(part: LayerShares, input = ""): string {
  const { scores, target, predicted } = part;
  const the = input ? `For the input ${input} the` : "The";
  if (!scores.every(Number.isFinite)) return "Some scores are not finite: no verdict";
  if (scores.length < 2) return `${the} output is ${formatNumber(scores[0])}`;
  const shares = softmax(scores);
  const named = (k: number) => `${className(part, k)} (${chance(shares[k])})`;
  if (target !== predicted) {
    return `${the} network says ${named(predicted)}; explained here: ${named(target)}`;
  }
  const others = scores.map((_, k) => k).filter((k) => k !== predicted);
  const next = others.reduce((a, b) => (scores[b] > scores[a] ? b : a));
  const then = shares[next] < SMALL_CHANCE ? className(part, next) : named(next);
  return `${the} network says ${named(predicted)}, then ${then}`;
}

/** A smaller probability is not worth a number. */
const SMALL_CHANCE = 0.001;

export interface Chosen {
  content: Explanation;
  part: LayerShares;
  selected: number;
  /** The share whose map is the large one; −1 for all together. */
  shown: number;
}

export function description({ content, part, selected, shown }: Chosen, bars: number): string {
  const own = shareMap(part, shown);
  const map = content.image ? (own ?? part.total) : null;
  const chosen = selected >= 0 ? `Selected: ${shareText(part, selected)}. ` : "";
  return (
    `Explanation, ${part.moment}. ${verdict(part, content.input)}. ${part.sentence} ` +
    (map ? `${mapText(part, own ? shown : -1, map)}. ` : "") +
    `${counted(bars, "row")} of shares. ${chosen}` +
    "Arrow keys move between rows, classes and the places of the map; Enter selects, Escape clears."
  );
}

function mapText(part: LayerShares, k: number, map: MapOf): string {
  const { low, high } = reachOf(map.data);
  const size = `${map.height} × ${map.width}`;
  return `Map of layer ${part.layer}, ${mapTitle(part, k)}, ${size}, from ${signed(low)} to ${signed(high)}`;
}
