/** What the panel has to say beside its numbers: alarms with their cures, warnings, the traceback, what the training printed. */

import { counted } from "../../phi/entries.ts";
import { createKit } from "../../shell/controls.ts";
import { element, putAttributes, putWords } from "../../shell/element.ts";
import { hintText, type Standing } from "../../wire/standing.ts";
import type { Send } from "./controls.ts";
import type { RunStatus } from "./status.ts";

/** What alarms of one cause have in common: a loss or coefficients that grow beyond all bounds, else what mends them. */
const remedyOf = ({ kind, button, call }: RunStatus["alarms"][number]) =>
  ["loss", "not finite", "exploding"].includes(kind) ? "diverges" : button || call;

export function createAlarms(document: Document, send: Send, signal: AbortSignal) {
  const kit = createKit(document, signal);
  const root = element(document, "div", "kw-alarms");
  putAttributes(root, { role: "group", "aria-label": "Alarms", "aria-live": "polite" });
  let shown = "";
  const button = (text: string, title: string, act: () => void) =>
    kit.button(text, title, "kw-button kw-words", act);

  function rebuild({ alarms, cured }: RunStatus) {
    root.replaceChildren();
    // What one remedy mends is one alarm, whatever it shows in.
    const remedies = new Set(alarms.map(remedyOf));
    for (const remedy of remedies) {
      const found = alarms.filter((one) => remedyOf(one) === remedy);
      // What no training brings back goes before what a lower rate would mend.
      const worst = found.find(({ button }) => !button) ?? found[0];
      const { id, more, call, button: cure } = worst;
      // When it began is said first: a loss is seen at each step, functions now and then.
      const [{ text }] = found;
      const others = found.slice(1);
      const line = element(document, "div", "kw-note kw-alarm", root);
      element(document, "strong", "", line).textContent = text;
      const also = others.length > 0 ? ` (and ${counted(others.length, "other sign")})` : "";
      const words = element(document, "span", "", line);
      words.textContent = `${also} ${more}`;
      words.title = others.map((one) => one.text).join("\n");
      element(document, "span", "kw-call", line).textContent = call ? ` ${call}` : "";
      if (!cure) continue;
      const title = `${call} It is done between two steps, and can be undone`;
      line.append(button(cure, title, () => send({ kind: "cure", alarm: id })));
    }
    if (!cured) return;
    const done = element(document, "div", "kw-note kw-cured", root);
    element(document, "span", "", done).textContent = cured.text;
    if (!cured.undo) return;
    const title = "Undo it, between two steps";
    done.append(button("undo", title, () => send({ kind: "uncure" })));
  }

  return {
    element: root,
    /** `steered`: what is clicked reaches the training; `saved`: who reads it can call nothing. */
    show(status: RunStatus, steered: boolean, saved: boolean) {
      const now = JSON.stringify([status.alarms, status.cured]);
      if (now !== shown) rebuild(status);
      shown = now;
      for (const act of root.querySelectorAll("button")) act.hidden = !steered;
      for (const call of root.querySelectorAll<HTMLElement>(".kw-call")) call.hidden = saved;
      root.hidden = status.alarms.length === 0 && status.cured === null;
    },
  };
}

export function createNotes(document: Document) {
  const root = element(document, "div", "kw-side-notes");
  const words = element(document, "div", "kw-notes", root);
  words.setAttribute("aria-live", "polite");
  const trace = folded("traceback", "Where it went wrong");
  const output = folded("output", "What the training printed");

  function folded(name: string, title: string) {
    const box = element(document, "details", `kw-${name}`, root);
    const summary = element(document, "summary", "kw-summary", box);
    summary.textContent = name;
    summary.title = title;
    const text = element(document, "pre", "kw-text", box);
    text.tabIndex = 0;
    text.setAttribute("aria-label", name);
    return (content: string) => {
      box.hidden = content === "";
      const before = text.textContent ?? "";
      if (before === content) return;
      if (before === "") box.open = true;
      const atEnd = text.scrollHeight - text.scrollTop - text.clientHeight < 4;
      text.textContent = content;
      if (atEnd) text.scrollTop = text.scrollHeight;
    };
  }

  return {
    element: root,
    /** `alone`: there is no Python that could hear. */
    show(status: RunStatus, alone: boolean, standing: Standing) {
      const notes: [text: string, tone: string][] = [];
      const warn = (text: string) => text && notes.push([text, "warn"]);
      if (status.recording) notes.push([status.recording, "calm"]);
      if (alone) notes.push([hintText(standing), "calm"]);
      else if (standing.state === "unheard") warn(hintText(standing));
      for (const text of status.reports) warn(text);
      words.hidden = notes.length === 0;
      while (words.children.length > notes.length) words.lastChild?.remove();
      notes.forEach(([text, tone], k) => {
        const line =
          (words.children[k] as HTMLElement) ?? element(document, "div", "kw-note", words);
        line.dataset.tone = tone;
        putWords(line, text);
      });
      trace(status.traceback);
      output(status.output);
    },
  };
}
