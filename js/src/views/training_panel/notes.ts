/** What the panel has to say beside its numbers: warnings, the traceback, what the training printed. */

import { element, put } from "../../shell/element.ts";
import { hintText, type Standing } from "../../wire/standing.ts";
import type { Commands } from "./commands.ts";
import type { Status } from "./status.ts";
import { ALONE, deafWords } from "./words.ts";

export interface Notes {
  element: HTMLElement;
  /** `alone`: there is no kernel that could hear. */
  show(status: Status, alone: boolean, standing: Standing): void;
}

export function createNotes(document: Document, commands: Commands): Notes {
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
    show(status, alone, standing) {
      const hearing = commands.hearing();
      const notes: [text: string, tone: string][] = [];
      if (status.recording) notes.push([status.recording, "calm"]);
      if (alone) notes.push([ALONE, "calm"]);
      else if (standing.state === "unheard") notes.push([hintText(standing), "warn"]);
      else if (hearing !== "well")
        notes.push([deafWords(hearing === "deaf", commands.waiting()), "warn"]);
      if (commands.refused()) notes.push([commands.refused(), "warn"]);
      for (const report of status.reports) notes.push([report, "warn"]);
      words.hidden = notes.length === 0;
      while (words.children.length > notes.length) words.lastChild?.remove();
      notes.forEach(([text, tone], k) => {
        const line =
          (words.children[k] as HTMLElement) ?? element(document, "div", "kw-note", words);
        line.dataset.tone = tone;
        put(line, text);
      });
      trace(status.traceback);
      output(status.output);
    },
  };
}
