/** What `evaluate` gave before and after an edit, in words. No DOM. */

import { number } from "./format.ts";

export interface Evaluation {
  state: "" | "waiting" | "running" | "done";
  before: number | null;
  after: number | null;
}

const WAITING: Record<string, string> = {
  waiting: "evaluated when training is idle",
  running: "evaluating…",
};

/** What `evaluate` gave before and after the last edit. */
export function scoreText({ state, before, after }: Evaluation): string {
  return WAITING[state] ?? `held out ${evaluationText(before)} → ${evaluationText(after)}`;
}

export function evaluationText(value: number | null): string {
  if (value === null) return "…";
  const text = value.toFixed(4);
  return Math.abs(value) <= 100 && Number(text) !== 0 ? text.replace("-", "−") : number(value);
}
