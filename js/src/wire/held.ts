/** What the store holds just as it came from the kernel. */

import { UNKNOWN } from "./standing.ts";
import type { Batch, Change, Edits, Probe, Status, Structure, Summary } from "./types.ts";

/** Before anything has come. */
export const NOTHING = {
  edits: { undo: 0, redo: 0, message: "" } as Edits,
  batch: { seen: false, message: "" } as Batch,
  leftOut: [] as readonly string[],
  summaries: new Map() as ReadonlyMap<string, Summary>,
  structure: null as Structure | null,
  probe: null as Probe | null,
  status: { state: "idle", message: "" } as Status,
  training: UNKNOWN,
  /** A kernel is behind the stream; milliseconds without a sign of it, 0 where all is well. */
  connected: true,
  silent: 0,
  protocolError: null as string | null,
};

export type Held = typeof NOTHING;

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
