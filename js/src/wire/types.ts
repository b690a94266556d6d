/** The data that Python sends and the views read. φ_f(x) = Σ_b data[offset + f·nb + b] · β_b(x). */

import type { RenderProps } from "@anywidget/types";
import type { Commands, Standing } from "./standing.ts";

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

/** The part of a large layer that the page has: some outputs of some inputs. */
interface LayerWindow {
  /** out, in, kh, kw of the whole layer. */
  whole: [number, number, number, number];
  /** The first output, and the first input. */
  out: number;
  in: number;
}

/** How far the functions of a whole layer reach from zero, where the page has only a window of the layer. */
export interface Summary {
  layer: string;
  step: number;
  rows: number;
  columns: number;
  /** Outputs and inputs of a block. */
  block: [number, number];
  /** Only the functions of every n-th input were evaluated, n being this. */
  every: number;
  /** How many of the evaluated functions are not finite. */
  broken: number;
  /** reach[row·columns + column]: the largest |φ| of the block; NaN where none is finite. */
  reach: Float32Array;
}

/** Where the networks of an ensemble have the functions of a layer: the least, median and largest value at `points` rising places of x, which are those of its input. And in how many networks a function is alive, and its largest |value|. */
export interface Band
  extends Record<"x" | "low" | "middle" | "high" | "alive" | "sizes", Float32Array> {
  count: number;
  points: number;
}

export interface LayerLayout {
  name: string;
  /** Elementwise is a learned activation, with one output and an input for each group of channels. */
  kind: "conv" | "linear" | "elementwise";
  type: string;
  /** out, in, kh, kw; a linear layer has kh = kw = 1. */
  shape: [number, number, number, number];
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
  /** Names of the whole layer's outputs, by their numbers; undefined where they have none. */
  names?: readonly string[];
  /** Names of the whole layer's inputs. */
  inputNames?: readonly string[];
  tables: Table[];
  /** One for each table. */
  bases: BasisRange[];
  /** Table of each function; null: all use tables[0]. */
  tableOf: Uint32Array | null;
  /** Where the page has only a part of the layer: shape, count and the numbers f are those of the part. */
  window?: LayerWindow | null;
  /** Of an ensemble. */
  band?: Band | null;
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
  /** β is padded with zeros, not x: a function adds nothing over the border. */
  padsBasis?: boolean;
}

export interface Layout {
  version: number;
  layers: LayerLayout[];
  /** Where vectors of the model stand beside the coefficients, by their paths in the model: biases, and scales and statistics of norms. */
  beside?: ReadonlyMap<string, { offset: number; size: number }>;
}

/** The coefficients of all bound layers at one training step, and what there is beside them. */
export interface Frame {
  step: number;
  layout: Layout;
  data: Float32Array;
  /** The coefficients were rounded for a page that must be small: good enough to be drawn. */
  rough?: boolean;
}

/** One φ. */
export interface Selection {
  layer: string;
  out: number;
  in: number;
  row: number;
  column: number;
  /** Whoever selected it wants it looked at closely, where a selection is only marked. */
  looks?: boolean;
}

/** What reaches the functions of one layer, for a batch. An entry is what one takes in: (channel·kh + row)·kw + column of a convolution, where channel counts over all groups (of shared kernels there is one); feature i of a linear layer. */
export interface Observed {
  layer: string;
  samples: number;
  /** Steps made before the batch was observed; undefined where that is not known. */
  step?: number;
  /** Whether the layer's input is the model's input. */
  isImage: boolean;
  /** Channels, height and width of the map that a dense layer's inputs are, flattened; null where that is not known. */
  fold: [number, number, number] | null;
  /** bins + 1 rising ends of the bins, the same for all entries. */
  edges: Float32Array;
  /** counts[entry·bins + bin]. */
  counts: Float32Array;
  /** Per entry, the share of inputs outside the grid's range, and outside the support. */
  outsideDomain: Float32Array;
  outsideExtent: Float32Array;
  entries: number;
  bins: number;
  /** patches[patch·entries + entry]: inputs that came together. */
  patches: Float32Array;
  patchCount: number;
  /** maps[((image·c + channel)·h + row)·w + column] into a convolution; null for a linear layer. */
  maps: Float32Array | null;
  /** Images, channels, height, width. */
  mapShape: [number, number, number, number] | null;
}

/** What a station is: a bound layer, a plain layer, or an operation between layers. */
type StationKind =
  | "input"
  | "kan"
  | "plain"
  | "norm"
  | "pool"
  | "activation"
  | "reshape"
  | "add"
  | "multiply"
  | "join"
  | "block"
  | "other";

/** How a station's output is computed from its sources: an operation's name and its settings. */
export interface Compute {
  op: string;
  [setting: string]: unknown;
}

/** A layer or an operation of a network; stations are in the order in which they run. */
export interface Station {
  kind: StationKind;
  /** Path of the module, or the name of the function. */
  name: string;
  /** The name for people: "max pool 2×2". */
  label: string;
  /** The name in frames of the layer that the station is; null for others. */
  layer: string | null;
  /** The stations whose outputs this one takes in. */
  sources: number[];
  /** Shape of its output for one example: [C, H, W], [F], …; [] where that is not known. */
  shape: number[];
  /** Null where only the model can compute it. */
  compute: Compute | null;
  /** Whether its output is the sum of its φ (and a bias); null where it has no φ. */
  sums: boolean | null;
  /** The station's extras by name: the path in the layout of one that every frame has, else null. Undefined in older recordings. */
  beside?: Readonly<Record<string, string | null>>;
}

export interface Structure {
  stations: Station[];
  /** Whether an example was traced through the model; else the layers stand in the order of the modules. */
  traced: boolean;
  /** A sentence for people; empty where all is as it should be. */
  note: string;
}

/** The examples that are traced through the network. */
export interface Probe {
  /** Number of examples, and the shape of each. */
  shape: number[];
  inputs: Float32Array;
  /** The right class of each, where known. */
  labels: number[] | null;
}

/** One station's outputs for all examples: value = low + data/255·(high − low), example by example. */
export interface StationValues {
  /** Number of examples, and the shape of each; maps may be smaller than the station's, and channels fewer. */
  shape: number[];
  data: Uint8Array;
  low: Float32Array;
  high: Float32Array;
}

/** What the network made of the examples at one step. */
export interface Activations {
  step: number;
  /** The outputs by station. */
  values: Map<number, StationValues>;
  /** Numbers that `compute` needs and frames lack, by station and name: they hold at this step alone. */
  extras: Map<number, Map<string, Float32Array>>;
}

/** How many edits can be undone and redone, the step of the last one, and what was refused last, in words. */
export interface Edits {
  undo: number;
  redo: number;
  step?: number;
  message: string;
}

/** Whether Python saw a batch that it could observe when asked, and why it could not. */
export interface Batch {
  seen: boolean;
  message: string;
}

/** Commands on a function; on the list of edits; on the last batch. */
export type Command = ("zero" | "reset" | "straighten" | "form") | ("undo" | "redo") | "observe";

/**
 * What changed in a store:
 * frame      a newer frame is there; or all frames are gone, after the binding was replaced
 * layout     the newest frame has another layout than the one before it (always followed by "frame")
 * history    frames were added to, or taken from, the past
 * ghost      another step is pinned as the ghost, or its frame came or went
 * network    the structure, the examples or what the network made of them changed
 * selection, cursor, status, observed, edits   as named; "observed" also for batch and summaries, "status" for standing and leftOut, and when protocolError appears or goes
 */
export type Change =
  | "frame"
  | "layout"
  | "selection"
  | "cursor"
  | "status"
  | "history"
  | "ghost"
  | "observed"
  | "network"
  | "edits";

export interface Status {
  /** "live", "idle", "closed", "fault", "recorded" or "saved". */
  state: string;
  message: string;
}

/** What the stream exports to the views of one page. */
export interface Store {
  /** Text to show instead of a drawing when Python and page speak different protocols. */
  readonly protocolError: string | null;
  /** The first frame of the binding; always kept, even where a newer frame of its step has come. */
  initial(): Frame | null;
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
  /** What views have chosen by themselves under a name: it stays, also when the page is loaded again. */
  held(name: string): readonly number[] | null;
  hold(name: string, choice: readonly number[]): void;
  /** -1: live; otherwise the step looked at. */
  cursor(): number;
  setCursor(step: number): void;
  /** -1: the initial frame is the ghost; otherwise the step pinned. */
  ghostStep(): number;
  setGhostStep(step: number): void;
  /** The frame to draw behind the current one: the one at the pinned step, or the initial one. */
  ghost(): Frame | null;
  /** What reaches a layer, once a batch was observed; the first call asks Python for it. */
  observed(layer: string): Observed | null;
  /** Whether Python was asked for observations and has sent none; it sends nothing where it has none. */
  awaitsObserved(): boolean;
  batch(): Batch;
  /** Summary of a layer of which the page has a window; null for others, and until it has come. */
  summary(layer: string): Summary | null;
  /** Moves the window of a layer to the functions from an input to an output. */
  lookAt(layer: string, out: number, input: number): void;
  structure(): Structure | null;
  probe(): Probe | null;
  /** Activations at a frame, by default the one drawn, or the nearest before it; null where there are none. */
  activations(frame?: Frame | null): Activations | null;
  edits(): Edits;
  /** Sets the coefficients of one function in the model; final when the pointer lets go. */
  edit(selection: Selection, coefficients: readonly number[], final: boolean): void;
  command(kind: Command, selection?: Selection): void;
  /** The commands that steer the training. */
  readonly steering: Commands;
  status(): Status;
  /** Whether Python hears no commands: in a saved page, and where Python has gone. */
  alone(): boolean;
  /** How the run stands: all that views say of it, and what colours and controls go by. */
  standing(): Standing;
  /** Parts of the model that have no functions to show: "name (type): why". */
  leftOut(): readonly string[];
  /** Calls fn at once on every change until the signal aborts; views gather the calls of one animation frame. */
  subscribe(fn: (what: Change) => void, signal: AbortSignal): void;
}

/** What a stream's bundle gives to the views of the page: its frames, and the code that draws each kind of view. */
export interface StreamExports extends Store {
  render(kind: string, props: RenderProps): void;
}
