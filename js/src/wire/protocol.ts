/**
 * The wire: what the kernel sends, turned into layouts and frames.
 *
 * Both sides come in one package and name their protocol; what is checked beside that are bytes. All numbers are
 * little-endian, as in the memory of every machine that runs a browser today. Bytes are always copied out of the
 * message: that takes care of alignment, and a kept frame never holds on to the message it came in.
 */
import {
  describe,
  filled,
  float32,
  numbered,
  product,
  record,
  same,
  uint32,
  WireError,
} from "./checks.ts";
import { readActivations, type WireActivations } from "./network.ts";
import type {
  Activations,
  BasisRange,
  Batch,
  ConvSettings,
  Edits,
  Frame,
  LayerLayout,
  Layout,
  Observed,
  Selection,
  Status,
  Summary,
  Table,
} from "./types.ts";

const PROTOCOL = 1;

/** The kernel speaks another protocol. */
export class ProtocolMismatch extends WireError {
  override name = "ProtocolMismatch";

  constructor(sent: unknown) {
    super(
      `This page's kan_widgets JavaScript speaks protocol ${PROTOCOL}, the kernel sent ${describe(sent)}. ` +
        "Reload the page; if this stays, restart the kernel and run the cells again, " +
        "so that page and kernel use the same kan_widgets.",
    );
  }
}

/** A frame whose layout is not known yet. */
export interface RawFrame {
  layout: number;
  step: number;
  bytes: unknown;
  rough?: true;
}

export type Message =
  | { kind: "layout"; layout: Layout }
  /** The number is for the kernel to hear that it has come; left out where it does not ask. */
  | { kind: "frame"; frame: RawFrame; number?: number }
  | { kind: "history"; frames: RawFrame[] }
  | { kind: "observed"; observed: Observed }
  /** Past: an answer to what was asked, and not of this moment. */
  | { kind: "activations"; activations: Activations; past: boolean }
  /**
   * A new binding took over the stream, or it is the same and looks elsewhere: "moved". If a version is given, the
   * layouts from now on have that one or a higher one.
   */
  | { kind: "reset"; version: number | null; moved?: true }
  /** From a newer kernel; not for us. */
  | { kind: "unknown" };

/** Reads a custom message; throws WireError. */
export function readMessage(content: unknown, buffers: readonly unknown[]): Message {
  const message = record(content, "a message");
  switch (message.kind) {
    case "layout":
      return { kind: "layout", layout: readLayout(message.layout, (n) => numbered(buffers, n)) };
    case "frame":
      return {
        kind: "frame",
        frame: rawFrame(message, numbered(buffers, 0)),
        ...(typeof message.number === "number" && { number: message.number }),
      };
    case "history": {
      const entries = message.frames as Record<string, unknown>[];
      return {
        kind: "history",
        frames: entries.map((one, n) => rawFrame(one, numbered(buffers, n))),
      };
    }
    case "observed":
      return {
        kind: "observed",
        observed: readObserved(message as unknown as WireObserved, buffers),
      };
    case "activations": {
      const raw = message as unknown as WireActivations;
      const activations = readActivations(raw, numbered(buffers, 0), numbered(buffers, 1));
      return { kind: "activations", activations, past: message.past === true };
    }
    case "reset":
      return {
        kind: "reset",
        version: (message.version ?? null) as number | null,
        ...(message.moved === true && { moved: true as const }),
      };
    default:
      return { kind: "unknown" };
  }
}

/** Reads a frame as a trait holds it; null for {} and nothing. */
export function readFrameTrait(value: unknown): RawFrame | null {
  const raw = filled<Record<string, unknown>>(value, "a frame");
  return raw && rawFrame(raw, raw.data);
}

function rawFrame(raw: Record<string, unknown>, bytes: unknown): RawFrame {
  const { layout, step } = raw as { layout: number; step: number };
  for (const number of [layout, step]) {
    if (Number.isSafeInteger(number)) continue;
    throw new WireError(`Got ${describe(number)} for the layout or the step of a frame.`);
  }
  return { layout, step, bytes, ...(raw.rough === true && { rough: true as const }) };
}

/** Completes a frame with its layout; throws WireError if the lengths disagree. */
export function readFrame(raw: RawFrame, layout: Layout): Frame {
  const data = float32(raw.bytes, `the frame of step ${raw.step}`);
  const more = Array.from(layout.beside?.values() ?? [], ({ offset, size }) => offset + size);
  const expected = Math.max(coefficientsOf(layout.layers), ...more);
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

interface WireTable extends Partial<BasisRange> {
  x: unknown;
  values: unknown;
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
  tables: WireTable[];
  table_of: unknown;
  input_names?: string[];
}

/** Reads a layout; `bytes` finds the bytes of a table entry, by default the entry itself. */
export function readLayout(
  value: unknown,
  bytes: (entry: unknown) => unknown = (entry) => entry,
): Layout {
  const raw = record(value, "a layout");
  if (raw.protocol !== PROTOCOL) throw new ProtocolMismatch(raw.protocol);
  const layers = (raw.layers as WireLayer[]).map((layer) => readLayer(layer, bytes));
  const beside = new Map<string, { offset: number; size: number }>();
  let offset = coefficientsOf(layers);
  for (const { name, size } of (raw.beside ?? []) as { name: string; size: number }[]) {
    beside.set(name, { offset, size });
    offset += size;
  }
  return { version: raw.version as number, layers, beside };
}

function readLayer(raw: WireLayer, bytes: (entry: unknown) => unknown): LayerLayout {
  const { is_base, conv, tables, table_of, input_names, ...plain } = raw;
  const what = `of layer "${raw.name}"`;
  const count = product(raw.shape);
  const tableOf = table_of == null ? null : uint32(bytes(table_of), `the table numbers ${what}`);
  if (tableOf) same(tableOf.length, count, `the table numbers ${what}`);
  return {
    ...plain,
    isBase: is_base,
    conv: conv && convOf(conv),
    tables: tables.map(({ x, values }): Table => {
      const table = {
        x: float32(bytes(x), `a table ${what}`),
        values: float32(bytes(values), `a table ${what}`),
      };
      same(table.values.length, table.x.length * raw.nb, `a table ${what}`);
      return table;
    }),
    // What a table does not say of itself, its layer says.
    bases: tables.map(({ domain = raw.domain, extent = raw.extent, knots = raw.knots }) => {
      return { domain, extent, knots };
    }),
    tableOf,
    count,
    ...(input_names && { inputNames: input_names }),
  };
}

function convOf({
  padding_mode,
  pads_basis,
  ...conv
}: NonNullable<WireLayer["conv"]>): ConvSettings {
  return { ...conv, paddingMode: padding_mode, padsBasis: pads_basis === true };
}

/** A summary as Python writes it: summary_dict in kan_widgets/widgets/wire.py. */
interface WireSummary extends Omit<Summary, "rows" | "columns" | "reach" | "change"> {
  shape: [number, number];
  reach: unknown;
  change: unknown;
}

/** Reads the trait of summaries. */
export function readSummaries(value: unknown): Summary[] {
  return ((value ?? []) as WireSummary[]).map(({ shape: [rows, columns], ...raw }) => {
    const floats = (bytes: unknown) => {
      const all = float32(bytes, "a summary");
      same(all.length, rows * columns, "a summary");
      return all;
    };
    const change = raw.change == null ? null : floats(raw.change);
    return { ...raw, rows, columns, reach: floats(raw.reach), change };
  });
}

/** An observation as Python writes it, its arrays by the numbers of their buffers. */
interface WireObserved extends Pick<Observed, "layer" | "samples" | "step" | "fold"> {
  is_image: boolean;
  arrays: Record<string, number | null>;
  shapes: Record<string, number[]>;
}

function readObserved(raw: WireObserved, buffers: readonly unknown[]): Observed {
  const { layer, samples, step, fold, is_image, arrays, shapes } = raw;
  const array = (name: string) => {
    const what = `the ${name} observed at layer "${layer}"`;
    const data = float32(numbered(buffers, arrays[name]), what);
    same(data.length, product(shapes[name]), what);
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

/** Reads the edits trait. */
export function readEdits(value: unknown): Edits {
  return { undo: 0, redo: 0, message: "", ...(value as Partial<Edits>) };
}

/** Reads what can be observed; nothing where the kernel says nothing. */
export function readBatch(value: unknown): Batch {
  return { seen: false, message: "", ...(value as Partial<Batch>) };
}

/** Reads the selection trait; null for {} and for anything that is not a selection. */
export function readSelection(value: unknown): Selection | null {
  const raw = (value ?? {}) as Record<string, unknown>;
  const { layer, out, in: input, row, column } = raw;
  if (typeof layer !== "string") return null;
  const numbers = [out, input, row, column];
  if (!numbers.every((n) => Number.isInteger(n) && (n as number) >= 0)) return null;
  const [o, i, r, c] = numbers as number[];
  return { layer, out: o, in: i, row: r, column: c };
}

/** Reads the status trait; idle without a message where there is none. */
export function readStatus(value: unknown): Status {
  return { state: "idle", message: "", ...(value as Partial<Status>) };
}
