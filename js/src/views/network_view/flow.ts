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
}

/** Milliseconds that the page may compute for a frame while more of them come in. */
const SHORT = 16;

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
    const from = [structure, probe, taken, frame, example, drawn, modelled];
    if ((flow || asks) && from.every((part, k) => part === made[k])) return { flow, asks };
    const input = drawn ?? (probe ? exampleOf(probe, example) : null);
    const hurried = !drawn && taken !== null && cost > SHORT && store.status().state === "live";
    const extras = taken?.extras ?? new Map();
    const computes = input !== null && obstacle(structure, frame.layout, extras) === "";
    made = from;
    asks = drawn !== null && !computes;
    if (computes && !hurried) {
      const start = performance.now();
      flow = computed(structure, frame, taken, input);
      cost = performance.now() - start;
    } else if (drawn) flow = modelled ? received(structure, modelled, 0, drawn) : null;
    else flow = taken ? received(structure, taken, example, input) : null;
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
  const values = forward(structure, frame, taken?.extras ?? new Map(), input);
  const shapes = structure.stations.map(({ shape }) => shape);
  return { values, shapes, exact: true, step: frame.step };
}

function received(
  { stations }: Structure,
  { step, values: taken }: Activations,
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
  return { values, shapes, exact: false, step };
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
