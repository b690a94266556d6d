/** What an example makes of the network: the numbers of every station. No DOM. */

import { forward, obstacle } from "../../phi/forward.ts";
import type { Activations, Frame, Store, Structure, Taken } from "../../wire/types.ts";

export interface Flow {
  /** By station; null where it is not known. */
  values: (Float32Array | null)[];
  /** Shape of each; maps may be smaller than the station's, and channels fewer, where they came from the kernel. */
  shapes: number[][];
  /** They are those of the frame that is drawn, computed here; else they are of `step`, to 8 bits. */
  exact: boolean;
  step: number;
  /** Of the model beside its functions, by station and name. */
  extras: Activations["extras"];
}

/** While frames come in the page computes for each of them what takes no more milliseconds; what takes more, in at most a share of the time. */
const SHORT = 16;
const SHARE = 0.1;

const STALE = { steps: 20, share: 0.2 };

/** Whether so many steps have been made since the example was sent through that it may be otherwise by now. */
export function isStale(flow: Flow | null, { step }: Frame): boolean {
  return flow !== null && step - flow.step > Math.max(STALE.steps, STALE.share * step);
}

export interface Found {
  flow: Flow | null;
  /** The page cannot compute what was drawn: only the model can. */
  asks: boolean;
}

/**
 * Keeps the last one: a function of the frame, the example, the drawing, and what the model made of the drawing where
 * the page cannot compute it.
 */
export function createFlow() {
  let made: readonly unknown[] = [];
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
    const taken = store.activations();
    if (!structure || structure.stations.length < 2) return { flow: null, asks: false };
    const isLive = store.status().state === "live";
    const from = [structure, probe, taken, frame, example, drawn, modelled, isLive];
    if ((flow || asks) && from.every((part, k) => part === made[k])) return { flow, asks };
    const input = drawn ?? (probe ? exampleOf(probe, example) : null);
    const rests = cost > SHORT && performance.now() < ended + cost / SHARE;
    const hurried = !drawn && taken !== null && isLive && rests;
    const extras = taken?.extras ?? new Map();
    const computes = input !== null && obstacle(structure, frame.layout, extras) === "";
    made = from;
    asks = drawn !== null && !computes;
    if (computes && !hurried) {
      const start = performance.now();
      flow = computed(structure, frame, taken, input);
      own = { flow, of: [structure, probe, example, frame.layout] };
      ended = performance.now();
      cost = ended - start;
    } else if (drawn) flow = modelled ? received(structure, modelled, 0, drawn) : null;
    else {
      const known = [structure, probe, example, frame.layout];
      const mine = own?.of.every((part, k) => part === known[k]) ? own.flow : null;
      // Of the time before, as the model has taken it or as it was computed here: whichever is later.
      const isMine = mine !== null && mine.step <= frame.step && mine.step >= (taken?.step ?? 0);
      if (isMine) flow = mine;
      else flow = taken ? received(structure, taken, example, input) : null;
    }
    return { flow, asks };
  };
}

export function exampleOf(
  { shape, inputs }: { shape: readonly number[]; inputs: Float32Array },
  example: number,
): Float32Array {
  const size = shape.slice(1).reduce((product, side) => product * side, 1);
  const at = Math.max(0, Math.min(shape[0] - 1, example)) * size;
  return inputs.subarray(at, at + size);
}

function computed(
  structure: Structure,
  frame: Frame,
  taken: Activations | null,
  input: Float32Array,
): Flow {
  const extras: Activations["extras"] = taken?.extras ?? new Map();
  const values = forward(structure, frame, extras, input);
  const shapes = structure.stations.map(({ shape }) => shape);
  return { values, shapes, exact: true, step: frame.step, extras };
}

function received(
  { stations }: Structure,
  { step, values: taken, extras }: Activations,
  example: number,
  input: Float32Array | null,
): Flow {
  const values: (Float32Array | null)[] = [];
  const shapes: number[][] = [];
  stations.forEach((station, k) => {
    const own = taken.get(k);
    if (station.kind === "input") {
      values[k] = input;
      shapes[k] = station.shape;
    } else {
      values[k] = own ? read(own, example) : null;
      shapes[k] = own ? own.shape.slice(1) : station.shape;
    }
  });
  return { values, shapes, exact: false, step, extras };
}

function read({ shape, data, low, high }: Taken, example: number): Float32Array | null {
  if (example >= shape[0]) return null;
  const size = shape.slice(1).reduce((product, side) => product * side, 1);
  const scale = (high[example] - low[example]) / 255;
  const out = new Float32Array(size);
  for (let k = 0; k < size; k++) out[k] = low[example] + scale * data[example * size + k];
  return out;
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

/** Probabilities of scores; of log-probabilities they are the same. */
export function softmax(scores: ArrayLike<number>): number[] {
  const all = Array.from(scores);
  const most = Math.max(...all);
  const parts = all.map((score) => Math.exp(score - most));
  const sum = parts.reduce((total, part) => total + part, 0);
  return parts.map((part) => part / sum);
}
