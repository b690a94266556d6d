/** The numbers at the end of the network: probabilities where they are scores of classes. No DOM. */

import { softmax } from "../../phi/softmax.ts";
import type { LayerLayout } from "../../wire/types.ts";
import type { Flow } from "./flow.ts";
import { endsInSoftmax, type Graph } from "./graph.ts";

export interface Scores {
  /** What leaves the network. */
  raw: number[];
  /** Where the network has classes. */
  probabilities: number[] | null;
  /** The unit with the largest one. */
  best: number;
}

export function scoresOf(graph: Graph, flow: Flow | null): Scores | null {
  const column = graph.columns[graph.columns.length - 1];
  const end = column.after[column.after.length - 1] ?? column.station;
  const values = flow?.values[end] ?? flow?.values[column.station];
  if (!values || column.map || values.length !== column.units) return null;
  const raw = Array.from(values);
  const probabilities = endsInSoftmax(graph, column) && raw.length > 1 ? fromEnd(raw) : null;
  const shown = probabilities ?? raw;
  const best = shown.reduce((most, value, k) => (value > shown[most] ? k : most), 0);
  return { raw, probabilities, best };
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

/** Cross-entropy of one example, in nats. */
export function lossOf({ probabilities }: Scores, label: number | null): number | null {
  if (!probabilities || label === null || !(label in probabilities)) return null;
  return -Math.log(probabilities[label]);
}
