/** What goes wrong in the training, each with what can be done about it. */

import { element } from "../../shell/element.ts";
import type { Commands } from "./commands.ts";
import type { Status } from "./status.ts";

export interface Alarms {
  element: HTMLElement;
  /** `steered`: what is clicked reaches the training. */
  show(status: Status, steered: boolean): void;
}

export function createAlarms(document: Document, commands: Commands, signal: AbortSignal): Alarms {
  const root = element(document, "div", "kw-alarms");
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "Alarms");
  root.setAttribute("aria-live", "polite");
  let shown = "";

  function button(parent: HTMLElement, act: () => void) {
    const made = element(document, "button", "kw-button kw-words", parent);
    made.type = "button";
    made.addEventListener("click", act, { signal });
    return made;
  }

  function rebuild({ alarms, cured }: Status) {
    root.replaceChildren();
    for (const { id, text, more, button: cure } of alarms) {
      const line = element(document, "div", "kw-note kw-alarm", root);
      element(document, "strong", "", line).textContent = text;
      element(document, "span", "", line).textContent = ` ${more}`;
      if (!cure) continue;
      const act = button(line, () => commands.send({ kind: "cure", alarm: id }));
      act.textContent = cure;
      act.title = "Done between two steps; it can be undone";
    }
    if (!cured) return;
    const done = element(document, "div", "kw-note kw-cured", root);
    element(document, "span", "", done).textContent = cured.text;
    if (!cured.undo) return;
    const undo = button(done, () => commands.send({ kind: "uncure" }));
    undo.textContent = "undo";
    undo.title = "Take back what was done, between two steps";
  }

  return {
    element: root,
    show(status, steered) {
      const now = JSON.stringify([status.alarms, status.cured]);
      if (now !== shown) rebuild(status);
      shown = now;
      for (const act of root.querySelectorAll("button")) act.hidden = !steered;
      root.hidden = status.alarms.length === 0 && status.cured === null;
    },
  };
}
