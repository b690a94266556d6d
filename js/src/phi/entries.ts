/** The functions of a layer: their numbers, their places, and both in words. */

import type { BasisRange, Frame, LayerLayout, Observed, Selection } from "../wire/types.ts";
import { formatCount } from "./format.ts";

/** A layer whose outputs may have names. */
type NamedLayer = Pick<LayerLayout, "names">;

/** "1 kernel", "45 functions". */
export function counted(n: number, noun: string): string {
  return `${formatCount(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** The layer that a view draws: the one named, or else the first. */
export function layerNamed(frame: Frame | null, name: unknown): LayerLayout | null {
  const all = frame?.layout.layers ?? [];
  return all.find((layer) => layer.name === name) ?? all[0] ?? null;
}

/** A layer's name as a title: in a Sequential it is a number, which alone says nothing. */
export function titleOf(name: string): string {
  return /^\d+$/.test(name) ? `layer ${name}` : name;
}

/** The title of a layer; one without a path is the model itself. */
export function layerTitle(layer: Pick<LayerLayout, "name" | "type">): string {
  return titleOf(layer.name) || layer.type;
}

/** In a sentence: "layer convs.0", "layer 0". */
export function layerInWords(layer: Pick<LayerLayout, "name" | "type">): string {
  return `layer ${layer.name || layer.type}`;
}

/** Out, in, kh, kw of the whole layer, of which the page may have a window. */
export function wholeOf({ shape, window }: Pick<LayerLayout, "shape" | "window">) {
  return window?.whole ?? shape;
}

/** Which part of a layer the page has: "outputs 0 to 55 of 256, inputs 0 to 54 of 256"; empty for all of it. */
export function windowText({ shape, window }: Pick<LayerLayout, "shape" | "window">): string {
  if (!window) return "";
  const span = (first: number, count: number, total: number) =>
    `${formatCount(first)} to ${formatCount(first + count - 1)} of ${formatCount(total)}`;
  const [out, inputs] = window.whole;
  return `outputs ${span(window.out, shape[0], out)}, inputs ${span(window.in, shape[1], inputs)}`;
}

export function layerSize(layer: LayerLayout): string {
  const [out, inputs, kh, kw] = wholeOf(layer);
  if (layer.window) {
    const all = formatCount(out * inputs * kh * kw);
    return `${formatCount(layer.count)} of ${all} functions: ${windowText(layer)}`;
  }
  const noun = isPlain(layer) ? "weight" : "function";
  const functions = counted(layer.count, noun);
  if (layer.kind === "linear")
    return `${functions}: ${counted(out, "output")} × ${counted(inputs, "input")}`;
  if (layer.kind === "elementwise") {
    return `learned activation: ${inputs === 1 ? "one function" : `${functions}, one for each group of channels`}`;
  }
  return `${counted(out * inputs, "kernel")} of ${kh} × ${kw} ${noun}s`;
}

/** Whether the functions of a layer are the straight lines w·x of a plain layer. */
export function isPlain({ labels }: Pick<LayerLayout, "labels">): boolean {
  return labels.length === 1 && labels[0] === "x";
}

/** Grid range, support and knots of one function's basis. */
export function basisOf(layer: LayerLayout, f: number): BasisRange {
  return layer.bases[layer.tableOf ? layer.tableOf[f] : 0] ?? layer;
}

/** Where in the whole layer function f is. */
export function selectionOf(layer: Pick<LayerLayout, "name" | "shape" | "window">, f: number) {
  const [, inputs, kh, kw] = layer.shape;
  const kernel = Math.floor(f / (kh * kw));
  const entry = f - kernel * kh * kw;
  return {
    layer: layer.name,
    out: Math.floor(kernel / inputs) + (layer.window?.out ?? 0),
    in: (kernel % inputs) + (layer.window?.in ?? 0),
    row: Math.floor(entry / kw),
    column: entry % kw,
  };
}

/** The number of the function a selection names, or -1 where this layer has none such. */
export function functionOf(
  layer: Pick<LayerLayout, "name" | "shape" | "window">,
  selection: Selection | null,
): number {
  if (!selection || selection.layer !== layer.name) return -1;
  const [out, inputs, kh, kw] = layer.shape;
  const { row, column } = selection;
  const [o, i] = [selection.out - (layer.window?.out ?? 0), selection.in - (layer.window?.in ?? 0)];
  const inside = (n: number, size: number) => Number.isInteger(n) && n >= 0 && n < size;
  if (!inside(o, out) || !inside(i, inputs) || !inside(row, kh) || !inside(column, kw)) return -1;
  return ((o * inputs + i) * kh + row) * kw + column;
}

/** Which entry of the observed patches a function takes in: shared kernels all have those of one channel. */
export function observedEntry(
  { shape: [out, inputs, kh, kw], conv }: Pick<LayerLayout, "shape" | "conv">,
  f: number,
): number {
  if (conv?.shared) return f % (kh * kw);
  const perOutput = inputs * kh * kw;
  const group = Math.floor(Math.floor(f / perOutput) / (out / (conv?.groups ?? 1)));
  return group * perOutput + (f % perOutput);
}

/** What an output is called: "cat", or "output 3" where it has no name. */
export function outputName(layer: NamedLayer, out: number, what = "output"): string {
  return layer.names?.[out] || `${what} ${out}`;
}

/** What an input is called: "age", or "input 3" where it has no name. */
export function inputName(layer: Pick<LayerLayout, "inputNames">, input: number, what = "input") {
  return layer.inputNames?.[input] || `${what} ${input}`;
}

/** A name with its number, where there is room for both: "3 cat"; else the number. */
export function numberedName(layer: NamedLayer, out: number): string {
  const name = layer.names?.[out];
  return name ? `${out} ${name}` : String(out);
}

/** A name, cut where it has more than `most` characters. */
export function shortened(name: string, most: number): string {
  return name.length <= most ? name : `${name.slice(0, Math.max(1, most - 1))}…`;
}

export function entryText(layer: LayerLayout, f: number): string {
  return placeText(layer, selectionOf(layer, f));
}

/** Which function it is; where the inputs are a map of channels, height and width, also where in that. */
export function functionText(layer: LayerLayout, f: number, fold: readonly number[]): string {
  const [maps, height, width] = fold;
  const [text, size] = [entryText(layer, f), height * width];
  if (layer.kind !== "linear" || size < 2 || maps * size !== layer.shape[1]) return text;
  const input = f % layer.shape[1];
  const map = maps > 1 ? `map ${Math.floor(input / size)}, ` : "";
  return `${text} (${map}row ${Math.floor((input % size) / width)}, column ${input % width})`;
}

/** Names the input where there are several; with a single input, an output of a convolution is called a kernel. */
export function placeText(
  layer: Pick<LayerLayout, "kind" | "shape" | "window" | "names" | "inputNames">,
  place: Selection,
): string {
  const { kind } = layer;
  if (kind === "elementwise") return `group ${place.in}`;
  if (kind === "linear") return `${outputName(layer, place.out)} · ${inputName(layer, place.in)}`;
  const entry = `row ${place.row}, column ${place.column}`;
  const hasSeveral = wholeOf(layer)[1] > 1;
  return hasSeveral
    ? `${outputName(layer, place.out)} · ${inputName(layer, place.in)} · ${entry}`
    : `${outputName(layer, place.out, "kernel")} · ${entry}`;
}

/** What is said of a layer beside its size; that kernels are shared where several channels were seen. */
export function noteOf({ note, conv }: LayerLayout, observed: Observed | null): string {
  const channels = (conv?.shared && observed?.mapShape?.[1]) || 1;
  const shared = channels > 1 ? `Each kernel is used on all ${channels} input channels.` : "";
  return [note, shared].filter(Boolean).join(" ");
}

export type Fold = readonly [number, number, number];

/** The shape of a dense layer whose inputs are a map of channels, height and width; the layer's own without one. */
export function foldedShape({ kind, shape }: LayerLayout, fold: Fold | null): LayerLayout["shape"] {
  if (kind !== "linear" || !fold || fold[0] * fold[1] * fold[2] !== shape[1]) return shape;
  return [shape[0], ...fold];
}
