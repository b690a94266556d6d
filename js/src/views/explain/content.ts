/** What Python sends of an explanation, and what follows from it. No DOM. */

import { formatCount, number } from "../../phi/format.ts";
import type { Selection } from "../../wire/types.ts";

/** Numbers as Python's traits hold them: little-endian float32. */
export type Bytes = DataView | ArrayBuffer | Uint8Array;

/** The shares of one layer. A number is row·columns + column; functions of the last layer are one row. */
export interface WirePart {
  layer: string;
  kind: "functions" | "kernels";
  rows: number;
  columns: number;
  values: Bytes;
  /** To be compared with: what is usual, or the fall when one kernel alone is put out; NaN where not known. */
  beside: Bytes | null;
  besideLabel: string;
  /** Rows and columns of a kernel. */
  kernel: [number, number];
  /** Kernels are applied to each channel by themselves: a column is a channel, not an input. */
  shared: boolean;
  /** Channels, height and width that the columns of functions are laid out from. */
  places: [number, number, number] | null;
  /** Numbers whose maps were sent, and the maps: maps[(k·height + row)·width + column]. */
  mapped: number[];
  maps: Bytes | null;
  /** Height and width of a map. */
  mapShape: [number, number] | null;
  /** The sum of all maps. */
  total: Bytes | null;
  /** How it adds up, and by which method. */
  sentence: string;
}

export interface WireContent {
  step: number;
  target: number;
  predicted: number;
  /** null where they are not finite. */
  scores: (number | null)[];
  image: { shape: number[]; data: Bytes };
  parts: WirePart[];
  notes: string[];
}

export interface Traits {
  stream: string;
  content: Partial<WireContent>;
  message: string;
  layer: string;
  target: number | null;
  top: number;
  theme: "auto" | "light" | "dark";
  [name: string]: unknown;
}

export interface MapOf {
  height: number;
  width: number;
  data: Float32Array;
}

export interface Part extends Omit<WirePart, "values" | "beside" | "maps" | "total"> {
  values: Float32Array;
  beside: Float32Array | null;
  /** From the largest |value| to the smallest. */
  order: number[];
  sum: number;
  total: MapOf | null;
  maps: Float32Array | null;
}

export interface Content extends Omit<WireContent, "image" | "parts" | "scores"> {
  scores: number[];
  /** Channels, height, width; null where the input is no image. */
  image: (MapOf & { channels: number }) | null;
  parts: Part[];
}

function floats(bytes: Bytes): Float32Array {
  const view = ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
  return new Float32Array(new Uint8Array(view).buffer);
}

/** Reads what Python sent; null where nothing has been explained yet. */
export function readContent(wire: Partial<WireContent>): Content | null {
  if (!wire.parts || !wire.image) return null;
  const { shape, data } = wire.image;
  const [channels, height, width] = shape;
  return {
    ...(wire as WireContent),
    scores: (wire.scores ?? []).map((score) => score ?? Number.NaN),
    image: shape.length === 3 ? { channels, height, width, data: floats(data) } : null,
    parts: wire.parts.map(readPart),
  };
}

function readPart(wire: WirePart): Part {
  const values = floats(wire.values);
  const order = Array.from(values, (_, k) => k).sort(
    (a, b) => Math.abs(values[b]) - Math.abs(values[a]) || a - b,
  );
  const [height, width] = wire.mapShape ?? [0, 0];
  return {
    ...wire,
    values,
    order,
    sum: values.reduce((sum, v) => sum + v, 0),
    beside: wire.beside && floats(wire.beside),
    total: wire.total && { height, width, data: floats(wire.total) },
    maps: wire.maps && floats(wire.maps),
  };
}

export function partOf(content: Content, layer: string): Part {
  return content.parts.find((part) => part.layer === layer) ?? content.parts[0];
}

/** "channel 3 · row 2 · column 1", "input 7", "output 4 · input 2". */
export function nameOf(part: Part, k: number): string {
  const [row, column] = [Math.floor(k / part.columns), k % part.columns];
  if (part.kind === "kernels")
    return `output ${row} · ${part.shared ? "channel" : "input"} ${column}`;
  if (!part.places) return `input ${column}`;
  const [, height, width] = part.places;
  const place = column % (height * width);
  const channel = Math.floor(column / (height * width));
  return `channel ${channel} · row ${Math.floor(place / width)} · column ${place % width}`;
}

/** The function to select for a share: of a kernel the one in its middle. */
export function selectionFor(part: Part, k: number, target: number): Selection {
  const [row, column] = [Math.floor(k / part.columns), k % part.columns];
  const { layer, kernel } = part;
  if (part.kind === "functions") return { layer, out: target, in: column, row: 0, column: 0 };
  const middle = { row: kernel[0] >> 1, column: kernel[1] >> 1 };
  return { layer, out: row, in: part.shared ? 0 : column, ...middle };
}

/**
 * The share that a selected function belongs to; −1 for none. Where kernels are shared it is the one chosen here before,
 * if it is of this kernel, or else the largest over the channels.
 */
export function numberFor(
  part: Part,
  selection: Selection | null,
  target: number,
  before = -1,
): number {
  if (!selection || selection.layer !== part.layer) return -1;
  const { out, in: input } = selection;
  if (part.kind === "functions") return out === target && input < part.columns ? input : -1;
  if (out >= part.rows) return -1;
  if (!part.shared) return input < part.columns ? out * part.columns + input : -1;
  if (before >= 0 && Math.floor(before / part.columns) === out) return before;
  return part.order.find((k) => Math.floor(k / part.columns) === out) ?? -1;
}

export interface Tile {
  title: string;
  /** The share to select. */
  number: number;
  map: MapOf;
  value: number;
}

/** The largest maps of a part: of its kernels, or of the channels that its functions come from. */
export function tilesOf(part: Part, most: number): Tile[] {
  if (part.kind === "kernels") {
    return part.order.slice(0, most).flatMap((k) => {
      const map = mapOf(part, k);
      return map ? [{ title: nameOf(part, k), number: k, map, value: part.values[k] }] : [];
    });
  }
  if (!part.places) return [];
  const [channels, height, width] = part.places;
  const size = height * width;
  const tiles = Array.from({ length: channels }, (_, c) => {
    const data = part.values.subarray(c * size, (c + 1) * size);
    const number = part.order.find((k) => Math.floor(k / size) === c) ?? c * size;
    const value = data.reduce((sum, v) => sum + v, 0);
    return { title: `channel ${c}`, number, map: { height, width, data }, value };
  });
  return tiles.sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, most);
}

/** The map of a share: of a kernel its own, of a function that of its channel; the whole for −1. */
export function mapOf(part: Part, k: number): MapOf | null {
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
export function cellOf(part: Part, k: number) {
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

/** What the map is of, in words. */
export function mapTitle(part: Part, k: number): string {
  if (k < 0) return part.kind === "kernels" ? "all kernels" : "all channels";
  if (part.kind === "kernels") return nameOf(part, k);
  return nameOf(part, k).split(" · ")[0];
}

export interface Bar {
  number: number;
  name: string;
  value: number;
  /** NaN where there is nothing to compare with. */
  beside: number;
}

/** The largest shares; the selected one is added at the end where it is not among them. */
export function barsOf(part: Part, top: number, selected: number): Bar[] {
  const shown = part.order.slice(0, top);
  if (selected >= 0 && !shown.includes(selected)) shown.push(selected);
  return shown.map((k) => ({
    number: k,
    name: nameOf(part, k),
    value: part.values[k],
    beside: part.beside ? part.beside[k] : Number.NaN,
  }));
}

export interface Group {
  /** What groups are made by. */
  by: "channel" | "output" | "direction";
  name: string;
  count: number;
  value: number;
  /** The largest share of it. */
  number: number;
}

/** A tenth of what has no bar may stay without a row, and no more than a tenth of the whole sum. */
const ACCOUNTED = 0.9;

/**
 * What shares without a bar come to, by the channel or the output that they belong to; where there is one, or it takes
 * more than `most` rows, by whether they raise the score or lower it.
 */
export function groupsOf(part: Part, bars: readonly Bar[], most: number): Group[] {
  const shown = new Set(bars.map(({ number }) => number));
  const others = part.order.filter((k) => !shown.has(k));
  const owners = gathered(part, others, part.kind === "kernels" ? "output" : "channel");
  if (owners.length >= others.length) return [];
  if (owners.length > 1) {
    const enough = mostly(owners, part.sum);
    if (enough.length <= most) return enough;
  }
  const directions = gathered(part, others, "direction");
  return directions.length < others.length ? directions : [];
}

function gathered(part: Part, others: readonly number[], by: Group["by"]): Group[] {
  const groupOf = grouping(part, by);
  if (!groupOf) return [];
  const groups = new Map<number, Group>();
  for (const k of others) {
    const [id, name] = groupOf(k);
    const group = groups.get(id) ?? { by, name, count: 0, value: 0, number: k };
    group.count++;
    group.value += part.values[k];
    groups.set(id, group);
  }
  return [...groups.values()];
}

/** The largest groups, as many as nine tenths of all take, and of the sum that shares divide. */
function mostly(groups: readonly Group[], sum: number): Group[] {
  const sorted = [...groups].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const whole = sorted.reduce((sum, { value }) => sum + Math.abs(value), 0);
  let listed = 0;
  let missing = sorted.reduce((rest, { value }) => rest + value, 0);
  const enough = sorted.findIndex(({ value }) => {
    listed += Math.abs(value);
    missing -= value;
    return listed >= ACCOUNTED * whole && Math.abs(missing) <= (1 - ACCOUNTED) * Math.abs(sum);
  });
  return enough < 0 ? sorted : sorted.slice(0, enough + 1);
}

/** The group of a share: its number and its name; null where shares have none. */
function grouping(part: Part, by: Group["by"]): ((k: number) => [number, string]) | null {
  if (by === "direction") {
    return (k) => (part.values[k] < 0 ? [1, "lowering the score"] : [0, "raising the score"]);
  }
  if (part.kind === "kernels") {
    return (k) => [Math.floor(k / part.columns), `output ${Math.floor(k / part.columns)}`];
  }
  if (!part.places) return null;
  const size = part.places[1] * part.places[2];
  return (k) => [Math.floor(k / size), `channel ${Math.floor(k / size)}`];
}

/** What has no row: "370 others together +0.31"; empty where all has one. */
export function restText(part: Part, bars: readonly Bar[], groups: readonly Group[] = []): string {
  const grouped = groups.reduce((sum, { count }) => sum + count, 0);
  const count = part.values.length - bars.length - grouped;
  if (count <= 0) return "";
  const listed = [...bars, ...groups].reduce((sum, { value }) => sum + value, 0);
  return `${formatCount(count)} ${count === 1 ? "other" : "others together"} ${signed(part.sum - listed)}`;
}

export function signed(value: number): string {
  return value > 0 ? `+${number(value)}` : number(value);
}

/** What belongs to a value in words, such as "usually 0.12". */
export function besideText(part: Part, { beside }: Bar): string {
  return Number.isNaN(beside) ? "" : `${part.besideLabel} ${signed(beside)}`;
}

/** The largest |value|, 0 if there is none. */
export function mostOf(values: ArrayLike<number>): number {
  let most = 0;
  for (let k = 0; k < values.length; k++) {
    const size = Math.abs(values[k]);
    if (size > most) most = size;
  }
  return most;
}
