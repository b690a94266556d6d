/**
 * The wire: what the kernel sends, checked and turned into layouts and frames.
 *
 * All numbers are little-endian, as in the memory of every machine that runs a browser today. Bytes are always copied
 * out of the message: that takes care of alignment, and a kept frame never holds on to the message it came in.
 */
import {
  describe,
  filled,
  finite,
  float32,
  interval,
  list,
  numbered,
  numbers,
  positive,
  product,
  record,
  same,
  shapeOf,
  text,
  uint32,
  WireError,
  whole,
} from "./checks.ts";
import { readActivations } from "./network.ts";
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
  Window,
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
      const entries = list(message.frames, "the frames of a history");
      const frames = entries.map((entry, n) =>
        rawFrame(record(entry, `frame ${n} of a history`), numbered(buffers, n)),
      );
      return { kind: "history", frames };
    }
    case "observed":
      return { kind: "observed", observed: readObserved(message, buffers) };
    case "activations": {
      const activations = readActivations(message, numbered(buffers, 0), numbered(buffers, 1));
      return { kind: "activations", activations, past: message.past === true };
    }
    case "reset": {
      const { version } = message;
      return {
        kind: "reset",
        version: version == null ? null : whole(version, "the version"),
        ...(message.moved === true && { moved: true as const }),
      };
    }
    default:
      return { kind: "unknown" };
  }
}

/** Reads a frame as a trait holds it; null for {} and nothing. */
export function readFrameTrait(value: unknown): RawFrame | null {
  const raw = filled(value, "a frame");
  return raw && rawFrame(raw, raw.data);
}

function rawFrame(raw: Record<string, unknown>, bytes: unknown): RawFrame {
  return {
    layout: whole(raw.layout, "the layout version of a frame"),
    step: whole(raw.step, "the step of a frame"),
    bytes,
    ...(raw.rough === true && { rough: true as const }),
  };
}

/** Completes a frame with its layout; throws WireError if the lengths disagree. */
export function readFrame(raw: RawFrame, layout: Layout): Frame {
  const data = float32(raw.bytes, `the frame of step ${raw.step}`);
  const expected = frameLength(layout);
  if (data.length !== expected) {
    throw new WireError(
      `The frame of step ${raw.step} has ${data.length} numbers; layout ${layout.version} needs ${expected}.`,
    );
  }
  return { step: raw.step, layout, data, ...(raw.rough && { rough: true as const }) };
}

/** How many numbers a frame has. */
function frameLength({ layers, beside }: Layout): number {
  const more = Array.from(beside?.values() ?? [], ({ offset, size }) => offset + size);
  return Math.max(coefficientsOf(layers), ...more);
}

function coefficientsOf(layers: readonly LayerLayout[]): number {
  return Math.max(0, ...layers.map((layer) => layer.offset + layer.count * layer.nb));
}

/** Reads a layout; `bytes` finds the bytes of a table entry, by default the entry itself. */
export function readLayout(
  value: unknown,
  bytes: (entry: unknown) => unknown = (entry) => entry,
): Layout {
  const raw = record(value, "a layout");
  if (raw.protocol !== PROTOCOL) throw new ProtocolMismatch(raw.protocol);
  const layers = list(raw.layers, "the layers of a layout").map((layer) =>
    readLayer(record(layer, "a layer"), bytes),
  );
  const beside = new Map<string, { offset: number; size: number }>();
  let offset = coefficientsOf(layers);
  for (const entry of list(raw.beside ?? [], "what is beside the layers")) {
    const vector = record(entry, "a vector");
    const size = positive(vector.size, "the size of a vector");
    beside.set(text(vector.name), { offset, size });
    offset += size;
  }
  return { version: whole(raw.version, "the version of a layout"), layers, beside };
}

function readLayer(raw: Record<string, unknown>, bytes: (entry: unknown) => unknown): LayerLayout {
  const name = text(raw.name);
  const of = (what: string) => `the ${what} of layer "${name}"`;
  const shape = numbers(raw.shape, of("shape"), positive);
  if (shape.length !== 4) {
    throw new WireError(`Got ${shape.length} sizes in ${of("shape")}; needed: out, in, kh, kw.`);
  }
  const nb = positive(raw.nb, of("number of basis functions"));
  const labels = list(raw.labels, of("labels")).map(text);
  const isBase = list(raw.is_base, of("base marks")).map(Boolean);
  same(labels.length, nb, of("labels"));
  same(isBase.length, nb, of("base marks"));
  const rawTables = list(raw.tables, of("tables")).map((table) => record(table, of("table")));
  const tables = rawTables.map((table) => readTable(table, nb, bytes, of("table")));
  if (tables.length === 0)
    throw new WireError(`Got no table in ${of("tables")}; needed: one or more.`);
  const count = product(shape);
  const tableOf = raw.table_of == null ? null : uint32(bytes(raw.table_of), of("table numbers"));
  if (tableOf) {
    same(tableOf.length, count, of("table numbers"));
    const wrong = tableOf.find((table) => table >= tables.length);
    if (wrong !== undefined) {
      throw new WireError(
        `Got table ${wrong} in ${of("table numbers")}; there are ${tables.length}.`,
      );
    }
  }
  return {
    name,
    kind: raw.kind === "linear" || raw.kind === "elementwise" ? raw.kind : "conv",
    type: text(raw.type),
    shape: shape as [number, number, number, number],
    nb,
    offset: whole(raw.offset, of("offset")),
    labels,
    isBase,
    ...readRange(raw, of),
    variable: text(raw.variable),
    note: text(raw.note),
    conv: raw.conv == null ? null : readConv(record(raw.conv, of("convolution")), of),
    locked: text(raw.locked),
    tables,
    // What a table does not say of itself, its layer says.
    bases: rawTables.map((table) => readRange({ ...raw, ...table }, of)),
    tableOf,
    count,
    ...(raw.names == null ? {} : { names: list(raw.names, of("names")).map(text) }),
    ...(raw.input_names == null
      ? {}
      : { inputNames: list(raw.input_names, of("names of inputs")).map(text) }),
    ...(raw.window == null ? {} : { window: readWindow(record(raw.window, of("window")), of) }),
  };
}

function readWindow(raw: Record<string, unknown>, of: (what: string) => string): Window {
  const sizes = numbers(raw.whole, of("window"), positive, 4);
  const [out, input] = [raw.out, raw.in].map((first) => whole(first, of("window")));
  return { whole: sizes as Window["whole"], out, in: input };
}

/** Reads the trait of summaries. */
export function readSummaries(value: unknown): Summary[] {
  return (Array.isArray(value) ? value : []).map((entry) => {
    const raw = record(entry, "a summary");
    const pair = (name: string) => numbers(raw[name], `the ${name} of a summary`, positive);
    const [rows, columns] = pair("shape");
    const [down, across] = pair("block");
    const reach = float32(raw.reach, "a summary");
    same(reach.length, rows * columns, "a summary");
    const change = raw.change == null ? null : float32(raw.change, "a summary");
    if (change) same(change.length, rows * columns, "a summary");
    return {
      layer: text(raw.layer),
      step: whole(raw.step, "the step of a summary"),
      rows,
      columns,
      block: [down, across],
      every: positive(raw.every, "what a summary leaves out"),
      broken: whole(raw.broken, "functions that are not finite"),
      reach,
      change,
      since: whole(raw.since ?? 0, "the first step of a summary"),
    };
  });
}

function readTable(
  raw: Record<string, unknown>,
  nb: number,
  bytes: (entry: unknown) => unknown,
  what: string,
): Table {
  const x = float32(bytes(raw.x), what);
  const values = float32(bytes(raw.values), what);
  if (x.length < 2)
    throw new WireError(`Got ${x.length} sample points in ${what}; needed: 2 or more.`);
  same(values.length, x.length * nb, what);
  if (!x.every((point, p) => Number.isFinite(point) && (p === 0 || point >= x[p - 1]))) {
    throw new WireError(`The sample points in ${what} do not rise.`);
  }
  return { x, values };
}

function readRange(raw: Record<string, unknown>, of: (what: string) => string): BasisRange {
  return {
    domain: interval(raw.domain, of("domain")),
    extent: interval(raw.extent, of("extent")),
    knots: numbers(raw.knots, of("knots"), finite),
  };
}

function readConv(raw: Record<string, unknown>, of: (what: string) => string): ConvSettings {
  const sizes = (what: string, count: number) => numbers(raw[what], of(what), whole, count);
  const mode = text(raw.padding_mode);
  if (!["zeros", "reflect", "replicate", "circular"].includes(mode)) {
    throw new WireError(`Got ${describe(mode)} for ${of("padding mode")}.`);
  }
  return {
    stride: sizes("stride", 2) as ConvSettings["stride"],
    padding: sizes("padding", 4) as ConvSettings["padding"],
    dilation: sizes("dilation", 2) as ConvSettings["dilation"],
    paddingMode: mode as ConvSettings["paddingMode"],
    groups: positive(raw.groups, of("groups")),
    shared: Boolean(raw.shared),
    padsBasis: Boolean(raw.pads_basis),
  };
}

/** Channels, height and width of so many inputs. */
function readFold(raw: unknown, entries: number): Observed["fold"] {
  if (!Array.isArray(raw) || raw.length !== 3) return null;
  const [channels, height, width] = raw.map((size) => whole(size, "a side of the fold"));
  return channels * height * width === entries ? [channels, height, width] : null;
}

function readObserved(raw: Record<string, unknown>, buffers: readonly unknown[]): Observed {
  const layer = text(raw.layer);
  const of = (what: string) => `the ${what} observed at layer "${layer}"`;
  const arrays = record(raw.arrays, of("arrays"));
  const shapes = record(raw.shapes, of("shapes"));
  const array = (name: string, dimensions: number) => {
    const shape = shapeOf(shapes[name], of(name));
    same(shape.length, dimensions, of(`shape of the ${name}`));
    const data = float32(numbered(buffers, arrays[name]), of(name));
    same(data.length, product(shape), of(name));
    return { data, shape };
  };
  const counts = array("counts", 2);
  const [entries, bins] = counts.shape;
  const edges = array("edges", 1).data;
  same(edges.length, bins + 1, of("edges"));
  const share = (name: string) => {
    const { data } = array(name, 1);
    same(data.length, entries, of(name));
    return data;
  };
  const patches = array("patches", 2);
  same(patches.shape[1], entries, of("entries of the patches"));
  const maps = arrays.maps == null ? null : array("maps", 4);
  return {
    layer,
    samples: whole(raw.samples, of("number of samples")),
    ...(raw.step == null ? {} : { step: whole(raw.step, of("step of what was")) }),
    isImage: Boolean(raw.is_image),
    fold: readFold(raw.fold, entries),
    edges,
    counts: counts.data,
    outsideDomain: share("outside_domain"),
    outsideExtent: share("outside_extent"),
    entries,
    bins,
    patches: patches.data,
    patchCount: patches.shape[0],
    maps: maps ? maps.data : null,
    mapShape: maps ? (maps.shape as [number, number, number, number]) : null,
  };
}

/** Reads the edits trait. */
export function readEdits(value: unknown): Edits {
  const { undo, redo, message, said } = (value ?? {}) as Record<string, unknown>;
  const count = (n: unknown) => (Number.isSafeInteger(n) && (n as number) > 0 ? (n as number) : 0);
  const words = text(said);
  const all = { undo: count(undo), redo: count(redo), message: text(message) };
  return words ? { ...all, said: words } : all;
}

/** Reads what can be observed; nothing where the kernel says nothing. */
export function readBatch(value: unknown): Batch {
  const { seen, message } = (value ?? {}) as Record<string, unknown>;
  return { seen: seen === true, message: text(message) };
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
  const { state, message } = (value ?? {}) as Record<string, unknown>;
  return { state: typeof state === "string" ? state : "idle", message: text(message) };
}

/** Reads a list of words; what is none is left out. */
export function readWords(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((word) => typeof word === "string") : [];
}
