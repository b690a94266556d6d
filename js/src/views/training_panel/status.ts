/** What Python says of a training, and its words and numbers. */

import { formatCount, formatNumber } from "../../phi/format.ts";
import { ENDED, type Standing } from "../../wire/standing.ts";

interface Alarm {
  id: string;
  /** What is wrong, for a machine: "loss", "not finite", "exploding", … */
  kind: string;
  /** What, where and since when. */
  text: string;
  /** The likely cause. */
  more: string;
  /** What to call, said where there is no button for it. */
  call: string;
  /** What can be done about it from here; may be empty. */
  button: string;
}

type State = "idle" | "running" | "paused" | "finished" | "stopped" | "interrupted" | "failed";

/** A status before Python has said any. */
const EMPTY = {
  state: "idle" as State,
  /** The binding is closed or has failed. */
  closed: false,
  /** What is said of a recording; empty for a training. */
  recording: "",
  /** What begins it, where that is no loop in Python. */
  begins: "",
  /** Whether what is clicked reaches the training. */
  steered: false,
  step: 0,
  epoch: null as number | null,
  epochs: null as number | null,
  /** Batches done, and how many there are, where that is known. */
  done: 0,
  total: null as number | null,
  /** Steps a second: of late, and over all steps. */
  rate: 0,
  mean_rate: 0,
  /** Times as they are written: the training time, what remains of it, and what it was asked to be; "" where one is not known. */
  elapsed: "",
  remaining: "",
  paced: "",
  share: 0,
  source: "",
  message: "",
  traceback: "",
  output: "",
  every: 1,
  rates: [] as readonly number[],
  reports: [] as readonly string[],
  alarms: [] as readonly Alarm[],
  /** What was done last against one, and whether that can be undone. */
  cured: null as { text: string; undo: boolean } | null,
};

export type RunStatus = typeof EMPTY;

export const statusIn = (get: (trait: string) => unknown): RunStatus => {
  return { ...EMPTY, ...(get("status") as Partial<RunStatus>) };
};

/** How a run stands where it may make no steps. */
const UNSURE: readonly string[] = ["unheard", "silent", "uncounted", "still", "alone", "diverged"];
/** A smaller share of the training time for what is shown is not worth a word. */
const MUCH = 0.05;
/** Seconds of training from which on it is: most of the first ones is the first batch, looked at once. */
const SETTLED = 10;

/** How the run stands at the step that the numbers are of: they come by themselves, perhaps after word of its end. */
export function standingAt({ state }: RunStatus, heard: Standing): Standing {
  const goesOn = state === "running" || state === "paused";
  if (!goesOn || !ENDED.includes(heard.state)) return heard;
  return { ...heard, state, words: state === "paused" ? "paused" : "training" };
}

/** Label, which may be empty, and value of each number that is known. How fast it is goes without saying where nothing says that it makes steps. */
export function numbers(status: RunStatus, standing: string) {
  const rows: [string, string, string][] = [
    ["step", formatCount(status.step), "Optimizer steps since the model was bound"],
  ];
  if (status.epoch !== null) {
    const of = status.epochs ? ` of ${status.epochs}` : "";
    rows.push(["epoch", `${status.epoch}${of}`, "The current pass over the data"]);
  }
  const ended = ENDED.some((end) => end === status.state || end === standing);
  const isUnderWay = !ended && standing !== "saved" && !UNSURE.includes(standing);
  if (isUnderWay && status.rate > 0) {
    const lately = "Over the last few seconds, pauses not counted";
    rows.push(["", `${formatNumber(status.rate)} steps/s`, lately]);
  }
  if (status.elapsed) {
    const mean = status.mean_rate;
    const each = mean > 0 ? `; while steps were made, ${formatNumber(mean)} a second` : "";
    const paced = status.paced && ` (paced: ${status.paced} in all)`;
    const waits = paced && ". It was asked to take so long: it waits between batches";
    rows.push([
      "training time",
      `${status.elapsed}${paced}`,
      `Wall-clock time from the first step to the last, pauses not counted${each}${waits}`,
    ]);
  }
  const seconds = status.mean_rate > 0 ? status.step / status.mean_rate : 0;
  if (status.share >= MUCH && seconds >= SETTLED) {
    rows.push([
      "drawing",
      `${Math.round(100 * status.share)} % of the time`,
      "The part of the training time in which kan_widgets read the model and drew; a larger “draw every” makes it smaller",
    ]);
  }
  if (status.source) rows.push(["data", status.source, "What the model is trained on"]);
  // Last: it comes after a while, and moves none of the others.
  if (isUnderWay && status.remaining)
    rows.push(["remaining", status.remaining, "At the present rate"]);
  return rows;
}
