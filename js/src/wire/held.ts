/** What the store holds just as it came from the kernel. */

import { type Standing, UNKNOWN } from "./standing.ts";
import type { Batch, Change, Edits, Probe, Status, Structure, Summary } from "./types.ts";

export interface Held {
  edits: Edits;
  batch: Batch;
  leftOut: readonly string[];
  summaries: ReadonlyMap<string, Summary>;
  structure: Structure | null;
  probe: Probe | null;
  status: Status;
  training: Standing;
  /** A kernel is behind the stream; milliseconds without a sign of it, 0 where all is well. */
  connected: boolean;
  silent: number;
  protocolError: string | null;
}

/** Before anything has come. */
export const NOTHING: Held = {
  edits: { undo: 0, redo: 0, message: "" },
  batch: { seen: false, message: "" },
  leftOut: [],
  summaries: new Map(),
  structure: null,
  probe: null,
  status: { state: "idle", message: "" },
  training: UNKNOWN,
  connected: true,
  silent: 0,
  protocolError: null,
};

/** As what a change of it is told. */
export const TELLS: Record<keyof Held, Change> = {
  edits: "edits",
  batch: "observed",
  leftOut: "status",
  summaries: "observed",
  structure: "network",
  probe: "network",
  status: "status",
  training: "status",
  connected: "status",
  silent: "status",
  protocolError: "status",
};
