/** What an example makes of the network: the numbers of every station, all of one step, and the scores at its end. */

import { maxIndex } from "d3-array";

import { extrasAt, forward, isComputable, numbersTaken } from "../../phi/forward.ts";
import { softmax } from "../../phi/operations.ts";
import type { Activations, Frame, LayerLayout, Store, Structure } from "../../wire/types.ts";
import { asDrawn, type Graph } from "./graph.ts";

export interface Flow {
  /** By station; null where it is not known. */
  values: (Float32Array | null)[];
  /** Shape of each; maps may be smaller than the station's, and channels fewer, where they came from Python. */
  shapes: number[][];
  step: number;
  /** The functions at that step, as the frame drawn has them in its layout; null where they are not here. */
  frame: Frame | null;
  /** Of the model beside its functions at that step, by station and name. */
  extras: Activations["extras"];
  /** There is a pad, and nothing on it. */
  blank?: true;
}

/** While frames come in the page computes for each of them what takes no more milliseconds; what takes more, in at most a share of the time. */
const SHORT = 16;
const SHARE = 0.1;

interface Found {
  flow: Flow | null;
  /** The page cannot compute what was drawn: only the model can. */
  asks: boolean;
}

/** Keeps the last one, made of frame, example and drawing, and of what the model made of a drawing that the page cannot compute. */
export function createFlow() {
  let madeFrom: readonly unknown[] = [];
  let flow: Flow | null = null;
  let asks = false;
  let cost = 0;
  let ended = Number.NEGATIVE_INFINITY;
  /** What the page has computed last, and what for. */
  let own: { flow: Flow; of: readonly unknown[] } | null = null;

  return (
    store: Store,
    frame: Frame,
    example: number,
    drawn: Float32Array | null,
    modelled: Activations | null,
  ): Found => {
    const structure = store.structure();
    const probe = store.probe();
    const taken = store.activations(frame);
    if (!structure || structure.stations.length < 2) return { flow: null, asks: false };
    const isLive = store.status().state === "live";
    const from = [structure, probe, taken, frame, example, drawn, modelled, isLive];
    if ((flow || asks) && from.every((part, k) => part === madeFrom[k])) return { flow, asks };
    const input = drawn ?? (probe ? exampleOf(probe, example) : null);
    const rests = cost > SHORT && performance.now() < ended + cost / SHARE;
    const hurried = !drawn && taken !== null && isLive && rests;
    const isBlank = drawn?.every((value) => value === drawn[0]);
    // Rounded functions will do, which is said: so all steps of a saved page are shown alike.
    const computable = input && stateAt(structure, frame, taken);
    const kept = (step: number) => {
      const at = store.at(step);
      return at?.step === step && at.layout === frame.layout ? at : null;
    };
    madeFrom = from;
    asks = drawn !== null && !computable && !isBlank;
    const shapes = asDrawn(structure, probe).stations.map(({ shape }) => shape);
    if (drawn && isBlank) {
      // Nothing is computed from it.
      const [values, { step }] = [shapes.map((_, k) => (k === 0 ? drawn : null)), frame];
      flow = { values, shapes, step, frame: null, extras: new Map(), blank: true };
    } else if (computable && !hurried) {
      const start = performance.now();
      flow = computed(structure, computable, input, shapes);
      own = { flow, of: [structure, probe, example, frame.layout] };
      ended = performance.now();
      cost = ended - start;
    } else if (drawn && !modelled) {
      // Nobody else can compute it: the page does, with the last state of the model that is known whole.
      const then = taken && kept(taken.step);
      const earlier = then && stateAt(structure, then, taken);
      flow = earlier && computed(structure, earlier, drawn, shapes);
    } else if (drawn) flow = modelled && received(structure, modelled, 0, drawn, kept, shapes);
    else {
      const known = [structure, probe, example, frame.layout];
      const mine = own?.of.every((part, k) => part === known[k]) ? own.flow : null;
      // An earlier state: the model's or the page's own, whichever is later.
      const isMine = mine !== null && mine.step <= frame.step && mine.step >= (taken?.step ?? 0);
      flow = isMine ? mine : taken && received(structure, taken, example, input, kept, shapes);
    }
    return { flow, asks };
  };
}

function exampleOf(
  { shape, inputs }: { shape: readonly number[]; inputs: Float32Array },
  example: number,
): Float32Array {
  const size = shape.slice(1).reduce((product, side) => product * side, 1);
  const at = Math.max(0, Math.min(shape[0] - 1, example)) * size;
  return inputs.subarray(at, at + size);
}

/** A frame and all that the page computes the network with, as of its step. */
type State = Pick<Flow, "extras"> & { frame: Frame };

/** Null where the page cannot compute it. */
function stateAt(structure: Structure, frame: Frame, taken: Activations | null): State | null {
  const extras = extrasAt(structure, frame, taken);
  return extras && isComputable(structure, frame.layout, extras) ? { frame, extras } : null;
}

function computed(
  structure: Structure,
  { frame, extras }: State,
  input: Float32Array,
  shapes: number[][],
): Flow {
  const values = forward(structure, frame, extras, input);
  return { values, shapes, step: frame.step, frame, extras };
}

function received(
  structure: Structure,
  activations: Activations,
  example: number,
  input: Float32Array | null,
  kept: (step: number) => Frame | null,
  drawn: number[][],
): Flow {
  const { stations } = structure;
  const { step, values: taken } = activations;
  const values = stations.map(({ kind }, k) => {
    return kind === "input" ? input : numbersTaken(activations, k, example);
  });
  const shapes = drawn.map((shape, k) => {
    return (stations[k].kind === "input" ? null : taken.get(k)?.shape.slice(1)) ?? shape;
  });
  const then = kept(step);
  const extras = then && !then.rough && extrasAt(structure, then, activations);
  // Without the functions of that step there are no contributions to show.
  return { values, shapes, step, frame: extras ? then : null, extras: extras || new Map() };
}

/** The numbers of one unit of a station: of a map all, else one, or those of all places of a sequence. */
export function unitValues(flow: Flow, station: number, unit: number): Float32Array | null {
  const values = flow.values[station];
  const shape = flow.shapes[station];
  if (!values || shape.length === 0) return null;
  if (shape.length === 2) {
    const [places, features] = shape;
    if (unit >= features) return null;
    return Float32Array.from({ length: places }, (_, p) => values[p * features + unit]);
  }
  const each = values.length / shape[0];
  return unit < shape[0] ? values.subarray(unit * each, (unit + 1) * each) : null;
}

/** What a column's layer takes in; null where it is not known. */
export function columnInput({ stations, columns }: Graph, number: number, flow: Flow) {
  const source = Math.max(-1, ...stations[columns[number].station].sources);
  const [values, shape] = [flow.values[source], flow.shapes[source] ?? []];
  const whole = shape.reduce((product, side) => product * side, 1);
  return values?.length === whole ? { values, shape } : null;
}

export interface ClassScores {
  /** What leaves the network. */
  raw: number[];
  /** Where the network has classes. */
  probabilities: number[] | null;
  /** The unit with the largest one. */
  best: number;
}

export function classScores(graph: Graph, flow: Flow | null): ClassScores | null {
  const column = graph.columns[graph.columns.length - 1];
  const end = column.after[column.after.length - 1] ?? column.station;
  const values = flow?.values[end] ?? flow?.values[column.station];
  const raw = Array.from(values ?? []);
  if (column.map || raw.length !== column.units || !raw.every(Number.isFinite)) return null;
  const areClasses = column.after.some((k) => graph.stations[k].label.includes("softmax"));
  const probabilities = areClasses && raw.length > 1 ? fromEnd(raw) : null;
  return { raw, probabilities, best: Math.max(0, maxIndex(probabilities ?? raw)) };
}

/** The layer whose outputs the scores are; without names where none is known. */
export function lastLayer({ columns }: Graph): Pick<LayerLayout, "names"> {
  return columns[columns.length - 1].layer ?? {};
}

/** Of log-probabilities and of scores alike; what are probabilities already stay as they are. */
function fromEnd(raw: number[]): number[] {
  const sum = raw.reduce((total, value) => total + value, 0);
  const done = raw.every((value) => value >= 0) && Math.abs(sum - 1) < 1e-3;
  return done ? raw : softmax(raw);
}
