/** What the kernel sends and what the views read. φ_f(x) = Σ_b data[offset + f·nb + b] · β_b(x). */

/** The basis functions of one group of φ, at P rising sample points: values[p·nb + b] = β_b(x[p]). */
export interface Table {
  x: Float32Array;
  values: Float32Array;
}

/** Where one group's basis lives: grid range, support, knots. */
export interface BasisRange {
  domain: [number, number];
  extent: [number, number];
  knots: number[];
}

export interface LayerLayout {
  name: string;
  kind: "conv" | "linear";
  /** Class name of the module. */
  type: string;
  /** out, in, kh, kw; a linear layer has kh = kw = 1. */
  shape: [number, number, number, number];
  /** Number of basis functions. */
  nb: number;
  /** Where the layer's coefficients start in a frame, in floats. */
  offset: number;
  labels: string[];
  /** Which basis functions make up the base term; the others are the spline term. */
  isBase: boolean[];
  /** The grid's range. */
  domain: [number, number];
  /** The support: beyond it only the base moves. */
  extent: [number, number];
  knots: number[];
  /** What x is, e.g. "x" or "tanh x". */
  variable: string;
  note: string;
  /** How a convolution is applied; null where that is not known, and for linear layers. */
  conv: ConvSettings | null;
  /** Why the functions cannot be edited; empty if they can. */
  locked: string;
  tables: Table[];
  /** One for each table. */
  bases: BasisRange[];
  /** Table of each function; null: all use tables[0]. */
  tableOf: Uint32Array | null;
  /** Number of functions, out·in·kh·kw; function f = ((o·in + i)·kh + row)·kw + column. */
  count: number;
}

/** As in torch; padding is left, right, top, bottom. Shared: each kernel goes over each input channel by itself. */
export interface ConvSettings {
  stride: [number, number];
  padding: [number, number, number, number];
  dilation: [number, number];
  paddingMode: "zeros" | "reflect" | "replicate" | "circular";
  groups: number;
  shared: boolean;
}

export interface Layout {
  version: number;
  layers: LayerLayout[];
}

/** The coefficients of all bound layers at one training step. */
export interface Frame {
  step: number;
  layout: Layout;
  data: Float32Array;
}

/** One φ. */
export interface Selection {
  layer: string;
  out: number;
  in: number;
  row: number;
  column: number;
}

/**
 * What changed in a store:
 * frame      a newer frame is there; or all frames are gone, after the binding was replaced
 * layout     the newest frame has another layout than the one before it (always followed by "frame")
 * history    frames were added to, or taken from, the past
 * selection, cursor, status   as named; "status" also when protocolError appears or goes
 */
export type Change = "frame" | "layout" | "selection" | "cursor" | "status" | "history";

export interface Status {
  /** "live", "idle", "closed" or "fault". */
  state: string;
  message: string;
}

/** What the stream exports to the views of one page. */
export interface Store {
  /** Text to show instead of a drawing when kernel and page speak different protocols. */
  readonly protocolError: string | null;
  /** The first frame of the binding; always kept, whatever was drawn over its step later. */
  initial(): Frame | null;
  /** The newest frame. */
  latest(): Frame | null;
  /** The frame to draw: the newest, or the one at the time cursor. */
  current(): Frame | null;
  /** Steps of the kept frames, rising. */
  steps(): number[];
  /** The nearest kept frame at or before a step; null before the first. */
  at(step: number): Frame | null;
  selection(): Selection | null;
  /** Sets the selection for all views of the stream and for Python. */
  select(selection: Selection | null): void;
  /** -1: live; otherwise the step looked at. */
  cursor(): number;
  setCursor(step: number): void;
  status(): Status;
  /** performance.now() when the last frame came in live; 0 when the page only has saved ones. */
  lastArrival(): number;
  /** Calls fn at once on every change until the signal aborts; views gather the calls of one animation frame. */
  subscribe(fn: (what: Change) => void, signal: AbortSignal): void;
}
