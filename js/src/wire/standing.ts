/** How a run stands: as Python says (kan_widgets/live/frames/progress.py), unless the page hears nothing of Python. */

import type { AnyModel } from "@anywidget/types";
import { hear } from "./hear.ts";

export interface Standing {
  /** "running", "paused", "failed", …: what controls go by. */
  state: string;
  /** The state in words. */
  words: string;
  /** The line of Python that would mend this; mostly "". */
  mend: string;
  /** Whether Python gives a sign every few seconds: after SILENT milliseconds without a sign it counts as gone. */
  beats: boolean;
  /** Name, latest value and step of the loss that was logged, as Python writes a number; left out where none was. */
  loss?: readonly [name: string, value: string, at?: number] | undefined;
  /** Steps that were marked, by the loop or by hand, with their words. */
  marks?: readonly (readonly [step: number, text: string])[] | undefined;
  /** The state by which colours go, where it is another: "diverged" for a run that goes on. */
  look?: string;
  /** The step from which on the loss was far above its first value; left out where it is not. */
  diverged?: number | undefined;
  /** The class of the model, where it is known; the store adds it to every standing. */
  model?: string | undefined;
}

/** Several beats long (_BEAT_SECONDS in kan_widgets/widgets/wire/broadcast.py), so that a busy page misses none. */
export const SILENT = 10_000;

const SIGN_EVENTS = ["msg:custom", "change:training", "change:status", "change:frame"] as const;

/** States in which nothing more comes by itself. */
export const ENDED: readonly string[] = ["finished", "stopped", "interrupted", "failed"];

/** States of a run that trains or will go on: "still" is one of several models that a thread trains in turns. */
const UNDER_WAY = ["running", "paused", "stopping", "still"];

export const isUnderWay = ({ state }: Standing): boolean => UNDER_WAY.includes(state);

export const UNKNOWN: Standing = { state: "idle", words: "not training", mend: "", beats: false };
export const ALONE: Standing = { state: "alone", words: "not connected", mend: "", beats: false };

export const lookOf = ({ state, look = state }: Standing): string => look;

/** The standing in a saved page: how a run has ended stays true there. */
export function savedAs({ state, words, beats, loss, marks, model, diverged }: Standing): Standing {
  const ended = !beats && state !== "idle";
  const known = words.startsWith("recorded") ? words : `saved: ${words}`;
  const said = { loss, marks, model, diverged };
  return { ...UNKNOWN, state: "saved", words: ended ? known : "saved", ...said };
}

/** The standing of a run that goes on, but has given no sign for so many milliseconds. */
export function silence(milliseconds: number): Standing {
  const seconds = Math.floor(milliseconds / 1000);
  const time = seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
  return { ...UNKNOWN, state: "unheard", words: `no sign from Python for ${time}` };
}

/** Tells for how many milliseconds nothing was heard, each second from SILENT on; 0 as soon as there is a sign. */
export function watchSilence(
  model: AnyModel,
  beats: () => boolean,
  tell: (milliseconds: number) => void,
  signal: AbortSignal,
): void {
  // Without a page, in Python's engine, there is no clock, and nothing is waited for.
  if (!("setInterval" in globalThis)) return;
  let heardAt = performance.now();
  const checkSilence = () => {
    const silent = performance.now() - heardAt;
    tell(beats() && silent > SILENT ? silent : 0);
  };
  const sign = () => {
    heardAt = performance.now();
    tell(0);
  };
  const timer = setInterval(checkSilence, 1000);
  hear(model, Object.fromEntries(SIGN_EVENTS.map((event) => [event, sign])), signal);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}

/** The words, with the line that would mend the run. */
export function standingText({ words, mend }: Standing): string {
  return mend ? `${words}: ${mend}` : words;
}

/** Name, value and step of the loss, null where none was logged. Python writes it as text, since JSON has no inf or nan. */
export function latestLoss({ loss }: Standing) {
  if (!loss) return null;
  const [name, text, at] = loss;
  return { name, at, value: Number(text.replace("inf", "Infinity")) };
}

const ENDED_HINT = "What was shown last stays, and its history; nothing more comes.";
const HINTS: Readonly<Record<string, string>> = {
  closed: `${ENDED_HINT} Bind a model again, and show it in a new view.`,
  diverged:
    "The loss grew far beyond what it was at first: begin again, with a lower learning rate.",
  alone: `${ENDED_HINT} In a notebook, running the cell of this view again connects it.`,
  unheard:
    "Python has died, is cut off from this page, or is in one long computation that lets nothing else run. If it has died: restart the notebook kernel, and run the cells again.",
  uncounted: "Steps are counted from then on. live.train_with(optimizer) keeps history and curves.",
};

/** What the reader can do about a standing, where that is not obvious. */
export function hintText(standing: Standing): string {
  return HINTS[lookOf(standing)] ?? "";
}

export type SteeringCommand =
  | { kind: "pause" | "resume" | "stop" | "uncure" }
  | { kind: "step"; steps: number }
  | { kind: "every"; value: number }
  | { kind: "rate"; value: number; group: number | null }
  | { kind: "cure"; alarm: string };

/** Milliseconds after which an answer is late. */
export const PATIENCE = 2000;
const DEAF = "Python does not answer: clicks take effect when the running cell ends.";

export type Commands = ReturnType<typeof createCommands>;

export function createCommands(
  post: (message: SteeringCommand & { id: string }) => void,
  changed: () => void,
) {
  const sender = Math.random().toString(36).slice(2);
  let count = 0;
  let pending: { id: string; kind: SteeringCommand["kind"] }[] = [];
  let late = false;
  let refusal = "";
  let timer: ReturnType<typeof setTimeout> | undefined;

  function overdue() {
    timer = undefined;
    late = pending.length > 0;
    changed();
  }

  return {
    send(command: SteeringCommand) {
      const id = `${sender}:${++count}`;
      pending.push({ id, kind: command.kind });
      refusal = "";
      post({ ...command, id });
      if (timer === undefined && !late) timer = setTimeout(overdue, PATIENCE);
      changed();
    },
    take(answer: { id?: unknown; refused?: unknown }) {
      const index = pending.findIndex(({ id }) => id === answer.id);
      // Another page of the same run sent the command.
      if (index < 0) return;
      pending = pending.slice(index + 1);
      refusal = String(answer.refused ?? "");
      late = false;
      clearTimeout(timer);
      timer = pending.length > 0 ? setTimeout(overdue, PATIENCE) : undefined;
      changed();
    },
    /** How the run will stand by the last command that is not answered yet; null where that is none. */
    wantedState(): "paused" | "running" | null {
      const kinds = pending.map(({ kind }) => kind);
      const last = kinds.filter((kind) => ["pause", "step", "resume"].includes(kind)).at(-1);
      return last === undefined ? null : last === "resume" ? "running" : "paused";
    },
    /** Why the last command is not obeyed; "" where it is. */
    words: () => (late ? DEAF : refusal),
    stop: () => clearTimeout(timer),
  };
}
