/** What one number of the network is made of: the functions, their inputs, and what each adds. */

import { maxIndex, sum } from "d3-array";
import { isPlain, outputName } from "../../phi/entries.ts";
import { formatAlike } from "../../phi/format.ts";
import { contributions } from "../../phi/forward.ts";
import { indexWithin } from "../../phi/geometry.ts";
import { type Images, rangeOf } from "../../phi/images.ts";
import { memoryOf } from "../../phi/memory.ts";
import {
  patchAt,
  patchOf,
  patchRect,
  refusal,
  type Swept,
  sourcesOf,
  sweep,
} from "../../phi/response.ts";
import type { Pointed } from "../../scene/drawing.ts";
import type { Rect } from "../../scene/marks.ts";
import type { Frame, LayerLayout } from "../../wire/types.ts";
import {
  type Diagram,
  type Focus,
  inDiagram,
  type Part,
  strongestInto,
  strongestOf,
} from "./diagram.ts";
import { columnInput, type Flow, unitValues } from "./flow.ts";
import { type Graph, sourceName } from "./graph.ts";

export type PixelCloseUp = NonNullable<ReturnType<typeof pixelCloseUp>>;
export type UnitCloseUp = NonNullable<ReturnType<typeof unitCloseUp>>;
export type FunctionsCloseUp = NonNullable<ReturnType<typeof functionsCloseUp>>;
export type CloseUp = PixelCloseUp | UnitCloseUp | FunctionsCloseUp;

/** A pixel is left for the largest of its map when it is less than this share of it. */
const LOST = 0.5;

/** What is looked at closely: what is pointed at or selected, else what the network says. A pixel that was clicked stays, one that was `shown` until it is clearly not the largest any more. */
export function closeUpOf(
  diagram: Diagram,
  focus: Focus | null,
  pointed: Pointed,
  clicked: CloseUp | null,
  shown: CloseUp | null,
): CloseUp | null {
  const { graph, flow, parts, legs } = diagram;
  const then = flow?.frame;
  const end = parts.length - 1;
  const answer = parts[end].bundles[legs[0]?.bundle ?? -1]?.to ?? 0;
  const last = { column: end, unit: answer, bundle: -1, entry: null };
  const { column: number, unit, bundle } = focus ?? last;
  const { column, byUnit, bundles } = parts[number];
  const { layer, map } = column;
  if (!flow || !then || !layer || layer.window) return functionsCloseUp(diagram, focus);
  if (layer.kind === "linear") return unitCloseUp(graph, number, flow, then, unit);
  if (!map) return functionsCloseUp(diagram, focus);
  const [rows, columns] = map;
  const values = unitValues(flow, column.station, unit);
  const best = values ? largest(values) : 0;
  let [row, at] = [Math.floor(best / columns), best % columns];
  for (const kept of [shown, clicked]) {
    if (kept?.kind !== "pixel" || kept.column !== number || kept.unit !== unit) continue;
    const size = Math.abs(values?.[kept.row * columns + kept.at] ?? 0);
    const isLost = size < LOST * Math.abs(values?.[best] ?? 0);
    if (kept === clicked || !isLost) ({ row, at } = kept);
  }
  const box = byUnit.get(unit);
  if (box && pointed.at && pointed.id.startsWith("u:")) {
    const { x, y } = inDiagram(diagram, pointed.at);
    row = indexWithin(((y - box.y) / box.height) * rows, rows);
    at = indexWithin(((x - box.x) / box.width) * columns, columns);
  }
  const [, inputs, kh, kw] = layer.shape;
  const wanted = bundle < 0 ? -1 : Math.floor(bundles[bundle].first / (kh * kw)) % inputs;
  return pixelCloseUp(graph, number, flow, then, { unit, row, at, wanted });
}

/** The one function of a close-up that is shown with axes, and its link: the one that is looked at, else that of the path, else the one that adds most. */
export function closelyOf(diagram: Diagram, closeUp: CloseUp | null, focus: Focus | null) {
  if (!closeUp) return { shown: null, bundle: -1 };
  const { bundles } = diagram.parts[closeUp.column];
  const own = focus && focus.bundle >= 0 ? focus : null;
  const onPath = diagram.legs.find(({ column }) => column === closeUp.column)?.bundle ?? -1;
  let bundle = own?.column === closeUp.column ? own.bundle : onPath;
  const from = sourceOf(closeUp);
  if (closeUp.kind === "pixel" || bundles[bundle]?.to !== closeUp.unit)
    bundle = bundles.findIndex((one) => one.to === closeUp.unit && one.from === from);
  return { shown: shownFunction(diagram, closeUp, focus, bundle), bundle };
}

/** The unit before that a close-up is about: of a number the one that adds most. */
function sourceOf(closeUp: CloseUp): number {
  if (closeUp.kind === "pixel") return closeUp.channel;
  if (closeUp.kind === "functions") return closeUp.from;
  return closeUp.parts[leading(closeUp.parts.map(({ value }) => value))].from;
}

/** The place of the number with the largest size, the first of equal ones; NaN is passed over. */
function largest(values: Iterable<number>): number {
  return Math.max(
    0,
    maxIndex(values, (value) => (Number.isFinite(value) ? Math.abs(value) : -1)),
  );
}

/** The numbers, positive where they pull towards their sum; NaN adds nothing. Where they nearly cancel out, their sizes. */
export function towardsSum(values: Iterable<number>): number[] {
  const known = Array.from(values, (value) => (Number.isFinite(value) ? value : 0));
  const total = sum(known);
  if (Math.abs(total) < CANCELLED * sum(known, Math.abs)) return known.map(Math.abs);
  return known.map((value) => Math.sign(total) * value);
}

/** A smaller share of what is added up than this has no direction worth the name. */
const CANCELLED = 0.1;

/** The place of the number that counts most for their sum. */
const leading = (values: Iterable<number>): number => Math.max(0, maxIndex(towardsSum(values)));

function sweptOf(layer: LayerLayout, values: Float32Array, shape: number[]): Swept | null {
  const [channels, height, width] = shape;
  const image: Images = { count: 1, channels, height, width, data: values };
  if (shape.length !== 3 || refusal(layer, image) !== "") return null;
  return memoryOf(values)<Swept>("swept", [layer], () => sweep(layer, image));
}

/** Contribution of each input channel to a pixel of a map, without what the module adds itself; null if unknown. */
function patchesOf(
  graph: Graph,
  number: number,
  flow: Flow,
  frame: Frame,
  { unit, row, at }: { unit: number; row: number; at: number },
) {
  const { layer } = graph.columns[number];
  const given = columnInput(graph, number, flow);
  if (!layer?.conv || !given) return null;
  const swept = sweptOf(layer, given.values, given.shape);
  if (!swept || row >= swept.height || at >= swept.width) return null;
  const border = layer.conv.padsBasis === true;
  const patches = sourcesOf(swept, unit).map((source) => {
    const inputs = patchAt(swept, row, at, source.channel);
    const values = patchOf(frame, layer, source, inputs, border, 0).values ?? [];
    return { source, inputs, values, part: values.reduce((sum, value) => sum + value, 0) };
  });
  return patches.length > 0 ? { layer, given, swept, patches } : null;
}

/** Contribution of each unit before to a number, or to the largest pixel of a map, for the example; null if unknown. */
export function partsInto(graph: Graph, number: number, flow: Flow, frame: Frame, unit: number) {
  const { map, station } = graph.columns[number];
  const values = map && unitValues(flow, station, unit);
  if (!map || !values) return unitCloseUp(graph, number, flow, frame, unit)?.parts ?? null;
  const best = largest(values);
  const place = { unit, row: Math.floor(best / map[1]), at: best % map[1] };
  const made = patchesOf(graph, number, flow, frame, place);
  return made?.patches.map(({ source, part }) => ({ from: source.channel, value: part })) ?? null;
}

/** A pixel of a map: the patch under it on the functions of one kernel. `wanted` is its input, −1 for the strongest. */
function pixelCloseUp(
  graph: Graph,
  number: number,
  flow: Flow,
  frame: Frame,
  { wanted, ...place }: { unit: number; row: number; at: number; wanted: number },
) {
  const { from } = graph.columns[number];
  const made = patchesOf(graph, number, flow, frame, place);
  if (!made) return null;
  const { layer, given, swept, patches } = made;
  const { unit, row, at } = place;
  const { source, inputs, values, part } =
    patches.find(({ source }) => source.in === wanted) ??
    patches[leading(patches.map((each) => each.part))];
  const { channel } = source;
  const pixels = given.shape[1] * given.shape[2];
  const image = given.values.subarray(channel * pixels, (channel + 1) * pixels);
  const [, before, kh, kw] = layer.shape;
  return {
    kind: "pixel" as const,
    ...{ column: number, unit, row, at, layer },
    /** The input channel whose kernel is shown, of so many that are summed; what its functions are given, and make of that. */
    ...{ channel, channels: patches.length, inputs, values },
    /** Where the patch lies on the channel. */
    patch: patchRect(swept, row, at),
    first: (source.out * before + source.in) * kh * kw,
    /** Range of the channel if it is an image given to the network, which is drawn in greys. */
    greys: graph.columns[from[0]]?.kind === "input" ? rangeOf(image) : null,
    /** Contribution of this kernel, and the sum of all. */
    part,
    total: patches.reduce((sum, each) => sum + each.part, 0),
  };
}

/** A number: what each unit before adds to it. */
export function unitCloseUp(graph: Graph, number: number, flow: Flow, frame: Frame, unit: number) {
  const column = graph.columns[number];
  const { layer } = column;
  const given = columnInput(graph, number, flow);
  if (layer?.kind !== "linear" || !given || given.values.length !== layer.shape[1]) return null;
  const added = contributions(layer, frame, given.values, unit);
  const group = column.fold[0] * column.fold[1];
  const parts: { from: number; value: number }[] = [];
  for (let from = 0; from * group < added.length; from++) {
    const own = added.subarray(from * group, (from + 1) * group);
    parts.push({ from, value: own.reduce((sum, value) => sum + value, 0) });
  }
  const bias = flow.extras.get(column.station)?.get("bias")?.[unit] ?? 0;
  const before = graph.columns[column.from[0]];
  const image = before?.kind === "input" ? ("channel" as const) : ("map" as const);
  return {
    kind: "unit" as const,
    ...{ column: number, unit, layer, parts },
    /** The inputs of the layer, what each adds, how many of them belong to a unit before, and what the module adds to their sum. */
    ...{ inputs: given.values, added, group, bias },
    /** What units before are called. */
    source: before?.map ? image : ("input" as const),
    total: parts.reduce((sum, { value }) => sum + value, bias),
  };
}

/** The input that the example gives a function alone on its link, and the value of the function there. */
export function pointOf({ graph, flow }: Diagram, { bundles, number }: Part, n: number) {
  const { from, to, count } = bundles[n];
  const own = flow?.frame && count === 1 && unitCloseUp(graph, number, flow, flow.frame, to);
  return own ? { x: own.inputs[from], value: own.added[from] } : null;
}

/** Where no example is known the functions of a kernel, or the strongest of a link: of what is looked at, by itself of the beginning of the path. */
function functionsCloseUp({ parts, legs }: Diagram, focus: Focus | null) {
  const at = focus && parts[focus.column].column.layer ? focus : null;
  const part = at ? parts[at.column] : parts.find(({ column }) => column.layer !== null);
  const layer = part?.column.layer;
  if (!part || !layer) return null;
  const own = at ?? legs.find(({ column }) => column === part.number);
  const n = own && own.bundle >= 0 ? own.bundle : strongestInto(part, at ? at.unit : null);
  const bundle = part.bundles[n];
  if (!bundle) return null;
  const isOne = layer.kind === "linear";
  return {
    kind: "functions" as const,
    ...{ column: part.number, unit: bundle.to, from: bundle.from, layer },
    first: bundle.first + (isOne ? (at?.entry ?? strongestOf(part, bundle)) : 0),
    count: isOne ? 1 : bundle.count,
  };
}

/** The function of a close-up that is shown with axes: its number, its input, and what it adds. */
export interface ShownFunction {
  f: number;
  x: number;
  value: number;
  /** "linear · map 13 to output 7". */
  name: string;
  /** Where it stands in a map or a kernel, "row 0, column 1"; "" where that is in the name, or it stands alone. And all that it is one of, "the map's 25 pixels". */
  place: string;
  whole: string;
}

/** The one that is looked at, else the one that adds most; null in a plain layer, whose lines say no more than their links. */
function shownFunction(
  { graph, parts }: Diagram,
  closeUp: CloseUp,
  focus: Focus | null,
  strongest: number,
): ShownFunction | null {
  const { column, unit, layer } = closeUp;
  if (isPlain(layer)) return null;
  const part = parts[column];
  const own = focus?.column === column ? focus : null;
  const to = outputName(layer, unit, layer.kind === "conv" ? "map" : "output");
  const named = (from: string) => `${part.column.name} · ${from} to ${to}`;
  if (closeUp.kind === "unit") {
    const bundle = part.bundles[strongest];
    if (!bundle) return null;
    const { added, inputs, group, source } = closeUp;
    const first = bundle.from * group;
    const entry = own?.entry ?? leading(added.subarray(first, first + group));
    const across = part.column.fold[1];
    const pixel = `row ${Math.floor(entry / across)}, column ${entry % across}`;
    const isPixel = source === "channel" && group > 1;
    const before = sourceName(graph, part.column, bundle.from);
    const name = named(isPixel ? pixel : before);
    const place = isPixel || group === 1 ? "" : pixel;
    const whole = place && `the map's ${group} pixels`;
    const [x, value] = [inputs[first + entry], added[first + entry]];
    return { f: bundle.first + entry, name, place, whole, x, value };
  }
  const isPixel = closeUp.kind === "pixel";
  const { first } = closeUp;
  const among = isPixel ? closeUp.values.length : closeUp.count;
  const strong = isPixel ? leading(closeUp.values) : strongestOf(part, { first, count: among });
  const at = among > 1 ? Math.min(own?.entry ?? strong, among - 1) : 0;
  const from = isPixel ? closeUp.channel : closeUp.from;
  const source = sourceName(graph, part.column, from);
  const [x, value] = isPixel ? [closeUp.inputs[at], closeUp.values[at]] : [Number.NaN, Number.NaN];
  const across = layer.shape[3];
  const place = among > 1 ? `row ${Math.floor(at / across)}, column ${at % across}` : "";
  const whole = place && `the kernel's ${among} functions`;
  const which = { f: first + at, name: named(source), place, whole };
  return { ...which, x, value };
}

/** Writes numbers of a layer that are all small with as many decimals as they need. */
export function finer(print: (value: number) => string, values: readonly number[]) {
  const most = Math.max(...values.map(Math.abs));
  return most < 0.1 ? formatAlike([most]) : print;
}

/** So few numbers are added up in words. */
const SUMMANDS = 6;

/** How a number comes about where a few numbers are added up; null of more, and of one. */
export function sumText(
  { parts, bias, total }: Pick<UnitCloseUp, "parts" | "bias" | "total">,
  print: (value: number) => string,
): string | null {
  const all = [...parts.map(({ value }) => value), ...(bias === 0 ? [] : [bias])];
  if (all.length > SUMMANDS || all.length < 2 || !Number.isFinite(total)) return null;
  const summed = all.map((value, k) => {
    const size = print(Math.abs(value));
    return k === 0 ? print(value) : `${value < 0 ? "−" : "+"} ${size}`;
  });
  // Rounded as printed, they may not add up to the printed sum.
  const printed = (value: number) => Number(print(value).replaceAll("−", "-"));
  const isExact = Object.is(printed(sum(all, printed)), printed(total));
  return `${summed.join(" ")} ${isExact ? "=" : "≈"} ${print(total)}`;
}

/** The picture of a link's functions in a box, and the site of the link. */
export function pictureIn({ parts }: Diagram, { column, unit }: CloseUp, box: Rect) {
  const { column: own, bundles } = parts[column];
  const [rows, across] = own.fold;
  const height = Math.min(box.height, (box.width * rows) / across);
  const id = `e:${column}:${bundles.findIndex(({ to }) => to === unit)}`;
  return { box: { ...box, width: (height * across) / rows, height }, grid: own.fold, id };
}

export type PictureIn = ReturnType<typeof pictureIn> | null;

/** The longest first. */
export function closeUpTitles({ parts, scores }: Diagram, closeUp: CloseUp): string[] {
  const { layer, unit, column } = closeUp;
  const own = parts[column].column.name;
  if (closeUp.kind === "functions") {
    const what = closeUp.count > 1 ? "The kernel" : "The function";
    const end = outputName(layer, unit, layer.kind === "conv" ? "map" : "output");
    return [`${what} of ${own} that leads to ${end}`];
  }
  if (closeUp.kind === "pixel") {
    const { row, at, channel, channels } = closeUp;
    const of = channels > 1 ? `, from map ${channel}` : "";
    const short = `One pixel of ${own}`;
    return [`${short}, map ${unit}: row ${row}, column ${at}${of}`, short, "One pixel"];
  }
  const isLast = column === parts.length - 1;
  const what = isLast && scores?.probabilities ? "the score of" : "output";
  const named = outputName(layer, unit, what);
  const name = isLast ? named : `${named} of ${own}`;
  const { source, parts: all, group } = closeUp;
  const short = name.charAt(0).toUpperCase() + name.slice(1);
  const count = all.length > 1 ? all.length : group;
  const each = all.length > 1 ? source : "pixel";
  if (count === 1) return [`What the ${source} adds to ${name}`, short];
  const adds = `What each ${each} adds`;
  return [`What each of the ${count} ${each}s adds to ${name}`, `${adds} to ${name}`, adds, short];
}
