/** What `evaluate` gave before and after the last edit. */

import { element, put } from "../../shell/element.ts";
import type { Evaluation } from "./settings.ts";
import { evaluationText } from "./words.ts";

const WAITING: Record<string, string> = {
  waiting: "evaluated when the training rests",
  running: "evaluating…",
};

export interface Score {
  element: HTMLElement;
  show(evaluation: Evaluation): void;
}

export function createScore(document: Document): Score {
  const root = element(document, "div", "kw-score");
  root.setAttribute("role", "status");
  return {
    element: root,
    show({ state, before, after }) {
      root.hidden = state === "";
      if (!state) return;
      const text = `held out  ${evaluationText(before)} → ${evaluationText(after)}`;
      put(root, WAITING[state] ?? text);
      const better = after !== null && before !== null ? Math.sign(after - before) : 0;
      root.dataset.change = state === "done" ? ["worse", "same", "better"][better + 1] : "same";
    },
  };
}
