/** The wire: what Python sends, checked and turned into layouts and frames. Numbers are little-endian; bytes are copied: aligned, and no frame holds on to its message. */

import type {
  Activations,
  Band,
  BasisRange,
  ConvSettings,
  Frame,
  LayerLayout,
  Layout,
  Observed,
  Probe,
  Selection,
  StationValues,
  Summary,
  Table,
} from "./types.ts";

/** Thrown where what arrived cannot be read. The message is for people. */
export class WireError extends Error {
  override name = "WireError";
}

/** Copies bytes into an array of their own. */
export function float32(bytes: unknown, what: string): Float32Array<ArrayBuffer> {
  return new Float32Array(copy(bytes, what));
}

export function uint32(bytes: unknown, what: string): Uint32Array {
  return new Uint32Array(copy(bytes, what));
}

export function uint8(bytes: unknown, what: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytesOf(bytes, what));
}

function copy(bytes: unknown, what: string): ArrayBuffer {
  const view = bytesOf(bytes, what);
  if (view.byteLength % 4 !== 0) {
    throw new WireError(`Got ${view.byteLength} bytes for ${what}; needed: a multiple of 4.`);
  }
  return new Uint8Array(view).buffer;
}

function bytesOf(bytes: unknown, what: string): Uint8Array {
  if (ArrayBuffer.isView(bytes)) {
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes);
  throw new WireError(`Got ${valueWords(bytes)} for ${what}; needed: bytes.`);
}

/** Decodes by the engine's own method where it has one, as Python's engine has. */
export function decodedBase64(text: string): DataView<ArrayBuffer> {
  type Decode = (text: string) => Uint8Array<ArrayBuffer>;
  const { fromBase64 } = Uint8Array as unknown as { fromBase64?: Decode };
  const { buffer, byteOffset, byteLength } =
    fromBase64?.call(Uint8Array, text) ??
    Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new DataView(buffer, byteOffset, byteLength);
}

export type Path = readonly (string | number)[];

/** Puts bytes at their path in a value. */
export function putBytes(into: unknown, path: Path, bytes: unknown): void {
  // biome-ignore lint/suspicious/noExplicitAny: a path may lead anywhere
  const holder = path.slice(0, -1).reduce((inside: any, key) => inside[key], into as any);
  holder[path[path.length - 1]] = bytes;
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new WireError(`Got ${valueWords(value)} for ${what}; needed: an object.`);
}

/** The object that a trait holds; null for {} and nothing. */
export function nonEmpty<Wire>(value: unknown, what: string): Wire | null {
  if (value == null) return null;
  const raw = record(value, what);
  return Object.keys(raw).length === 0 ? null : (raw as Wire);
}

function checkCount(got: number, needed: number, what: string): void {
  if (got !== needed) throw new WireError(`Got ${got} entries in ${what}; needed: ${needed}.`);
}

export function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}

function valueWords(value: unknown): string {
  if (value === null || ["undefined", "number", "boolean", "bigint"].includes(typeof value)) {
    return String(value);
  }
  return typeof value === "string" ? `"${value.slice(0, 40)}"` : typeof value;
}

export const PROTOCOL = 2;

/** Python speaks another protocol. */
export class ProtocolMismatch extends WireError {
  override name = "ProtocolMismatch";

  constructor(sent: unknown) {
    super(
      `This page's kan_widgets JavaScript speaks protocol ${PROTOCOL}, Python sent ${valueWords(sent)}. ` +
        "Reload the page; if this stays, restart the notebook kernel and run the cells again, " +
        "so that page and Python use the same kan_widgets.",
    );
  }
}

/** A frame whose layout is not known yet. */
export type RawFrame = ReturnType<typeof rawFrame>;

/** Puts the buffers of a message at the paths that its `bytes` name; throws WireError for what is no message. */
export function putBuffers(content: unknown, buffers: readonly unknown[] = []) {
  const message = record(content, "a message");
  ((message.bytes ?? []) as Path[]).forEach((path, n) => {
    putBytes(message, path, buffers[n]);
  });
  return message;
}

/** Reads a frame as a trait holds it; null for {} and nothing. */
export function readFrameTrait(value: unknown): RawFrame | null {
  const raw = nonEmpty<Record<string, unknown>>(value, "a frame");
  return raw && rawFrame(raw);
}

export function rawFrame(raw: Record<string, unknown>) {
  const { layout, step, data: bytes } = raw as { layout: number; step: number; data: unknown };
  for (const number of [layout, step]) {
    if (Number.isSafeInteger(number)) continue;
    throw new WireError(`Got ${valueWords(number)} for the layout or the step of a frame.`);
  }
  return { layout, step, bytes, ...(raw.rough === true && { rough: true as const }) };
}

/** Completes a frame with its layout; throws WireError if the lengths disagree. */
export function readFrame(raw: RawFrame, layout: Layout): Frame {
  const data = float32(raw.bytes, `the frame of step ${raw.step}`);
  const vectorEnds = Array.from(layout.beside?.values() ?? [], ({ offset, size }) => offset + size);
  const expected = Math.max(coefficientsOf(layout.layers), ...vectorEnds);
  if (data.length !== expected) {
    throw new WireError(
      `The frame of step ${raw.step} has ${data.length} numbers; layout ${layout.version} needs ${expected}.`,
    );
  }
  return { step: raw.step, layout, data, ...(raw.rough && { rough: true as const }) };
}

function coefficientsOf(layers: readonly LayerLayout[]): number {
  return Math.max(0, ...layers.map((layer) => layer.offset + layer.count * layer.nb));
}

/** A layer as Python writes it: layer_dict in kan_widgets/live/frames/layout.py. */
interface WireLayer
  extends Omit<LayerLayout, "isBase" | "conv" | "tables" | "bases" | "tableOf" | "inputNames"> {
  is_base: boolean[];
  conv:
    | (Omit<ConvSettings, "paddingMode" | "padsBasis"> & {
        padding_mode: ConvSettings["paddingMode"];
        pads_basis?: boolean;
      })
    | null;
  tables: (Partial<BasisRange> & Record<keyof Table, unknown>)[];
  table_of: unknown;
  input_names?: string[];
}

/** With what the stream's ensemble has of its layers. */
export function readLayout(value: unknown, ensemble?: unknown): Layout {
  const raw = record(value, "a layout");
  if (raw.protocol !== PROTOCOL) throw new ProtocolMismatch(raw.protocol);
  const layers = (raw.layers as WireLayer[]).map((layer) => readLayer(layer, ensemble));
  const beside = new Map<string, { offset: number; size: number }>();
  let offset = coefficientsOf(layers);
  for (const { name, size } of (raw.beside ?? []) as { name: string; size: number }[]) {
    beside.set(name, { offset, size });
    offset += size;
  }
  return { version: raw.version as number, layers, beside };
}

function readLayer(raw: WireLayer, ensemble: unknown): LayerLayout {
  const { is_base, conv, tables, table_of, input_names, ...others } = raw;
  const ofLayer = `of layer "${raw.name}"`;
  const count = product(raw.shape);
  const tableOf = table_of == null ? null : uint32(table_of, `the table numbers ${ofLayer}`);
  if (tableOf) checkCount(tableOf.length, count, `the table numbers ${ofLayer}`);
  return {
    ...others,
    isBase: is_base,
    conv: conv && convOf(conv),
    tables: tables.map(({ x, values }): Table => {
      const table = {
        x: float32(x, `a table ${ofLayer}`),
        values: float32(values, `a table ${ofLayer}`),
      };
      checkCount(table.values.length, table.x.length * raw.nb, `a table ${ofLayer}`);
      return table;
    }),
    // A table has from its layer what it does not state itself.
    bases: tables.map(({ domain = raw.domain, extent = raw.extent, knots = raw.knots }) => {
      return { domain, extent, knots };
    }),
    tableOf,
    count,
    band: raw.window ? null : readBand(ensemble, raw),
    ...(input_names && { inputNames: input_names }),
  };
}

/** As `ensemble_dict` in kan_widgets/widgets/wire/messages.py writes it. */
function readBand(ensemble: unknown, { name, shape }: WireLayer): Band | null {
  const all = (ensemble ?? {}) as { count: number; layers?: Record<string, object> };
  const own = Object.entries(all.layers?.[name] ?? {});
  if (own.length === 0) return null;
  const read = own.map(([part, bytes]) => [part, float32(bytes, `the networks' ${part}`)]);
  const parts = Object.fromEntries(read) as Omit<Band, "count" | "points">;
  checkCount(parts.alive.length, product(shape), `the networks of layer "${name}"`);
  return { ...parts, count: all.count, points: parts.x.length / shape[1] };
}

function convOf({ padding_mode, pads_basis, ...conv }: NonNullable<WireLayer["conv"]>) {
  return { ...conv, paddingMode: padding_mode, padsBasis: pads_basis === true };
}

/** A summary as Python writes it: summary_dict in kan_widgets/widgets/wire/messages.py. */
interface WireSummary extends Omit<Summary, "rows" | "columns" | "reach"> {
  shape: [number, number];
  reach: unknown;
}

/** Reads the trait of summaries, by their layers. */
export function readSummaries(value: unknown): Map<string, Summary> {
  const read = ((value ?? []) as WireSummary[]).map(({ shape: [rows, columns], ...raw }) => {
    const reach = float32(raw.reach, "a summary");
    checkCount(reach.length, rows * columns, "a summary");
    return [raw.layer, { ...raw, rows, columns, reach }] as const;
  });
  return new Map(read);
}

/** An observation as Python writes it. */
interface WireObserved extends Pick<Observed, "layer" | "samples" | "step" | "fold"> {
  is_image: boolean;
  arrays: Record<string, unknown>;
  shapes: Record<string, number[]>;
}

export function readObserved(raw: object): Observed {
  const { layer, samples, step, fold, is_image, arrays, shapes } = raw as WireObserved;
  const array = (name: string) => {
    const what = `the ${name} observed at layer "${layer}"`;
    const data = float32(arrays[name], what);
    checkCount(data.length, product(shapes[name]), what);
    return data;
  };
  const [entries, bins] = shapes.counts;
  const hasMaps = arrays.maps != null;
  return {
    layer,
    samples,
    ...(step == null ? {} : { step }),
    isImage: is_image === true,
    fold: fold ?? null,
    edges: array("edges"),
    counts: array("counts"),
    outsideDomain: array("outside_domain"),
    outsideExtent: array("outside_extent"),
    entries,
    bins,
    patches: array("patches"),
    patchCount: shapes.patches[0],
    maps: hasMaps ? array("maps") : null,
    mapShape: hasMaps ? (shapes.maps as Observed["mapShape"]) : null,
  };
}

/** Reads the selection trait; null for {} and for anything that is not a selection. */
export function readSelection(value: unknown): Selection | null {
  const raw = (value ?? {}) as Record<string, unknown>;
  const { layer, out, in: input, row, column } = raw;
  if (typeof layer !== "string") return null;
  const numbers = [out, input, row, column];
  if (!numbers.every((n) => Number.isInteger(n) && (n as number) >= 0)) return null;
  const [o, i, r, c] = numbers as number[];
  return { layer, out: o, in: i, row: r, column: c, ...(raw.looks === true && { looks: true }) };
}

export function samePlace(a: Selection | null, b: Selection | null): boolean {
  if (!a || !b) return a === b;
  return (["layer", "out", "in", "row", "column"] as const).every((part) => a[part] === b[part]);
}

/** Reads the examples; null for {} and nothing. */
export function readProbe(value: unknown): Probe | null {
  const raw = nonEmpty<Omit<Probe, "inputs"> & { inputs: unknown }>(value, "the examples");
  if (!raw) return null;
  const { shape, labels } = raw;
  const inputs = float32(raw.inputs, "the examples");
  checkCount(inputs.length, product(shape), "the examples");
  return { shape, inputs, labels: labels ?? null };
}

/** Activations as Python writes them; JSON has no NaN: null stands for it. */
interface WireActivations {
  step: number;
  /** All values one after another, then all extras. */
  data: unknown;
  values: { station: number; shape: number[]; low: (number | null)[]; high: (number | null)[] }[];
  extras: { station: number; name: string; shape: number[] }[];
}

/** Reads activations as a trait holds them; null for {} and nothing. */
export function readActivationsTrait(value: unknown): Activations | null {
  const raw = nonEmpty<WireActivations>(value, "the activations");
  return raw && readActivations(raw);
}

export function readActivations(raw: object): Activations {
  const { step, values, extras, data } = raw as WireActivations;
  const bytes = uint8(data, `the activations at step ${step}`);
  const valueBytes = values.reduce((sum, { shape }) => sum + product(shape), 0);
  const floats = float32(bytes.subarray(valueBytes), `the extras at step ${step}`);
  const byStation = new Map<number, StationValues>();
  let offset = 0;
  for (const { station, shape, low, high } of values) {
    const size = product(shape);
    const part = bytes.subarray(offset, offset + size);
    byStation.set(station, { shape, data: part, low: withNaN(low), high: withNaN(high) });
    offset += size;
  }
  const extrasByStation: Activations["extras"] = new Map();
  offset = 0;
  for (const { station, name, shape } of extras) {
    const size = product(shape);
    const byName = extrasByStation.get(station) ?? new Map<string, Float32Array>();
    extrasByStation.set(station, byName.set(name, floats.subarray(offset, offset + size)));
    offset += size;
  }
  checkCount(bytes.length, valueBytes + 4 * offset, `the activations at step ${step}`);
  return { step, values: byStation, extras: extrasByStation };
}

const withNaN = (all: readonly (number | null)[]) =>
  Float32Array.from(all, (end) => end ?? Number.NaN);
