/** The lines of words around a drawing: why there is none, what is read in it, what is said aloud. */

import { element, put } from "./element.ts";

export function createWords(document: Document) {
  const message = element(document, "div", "kw-message");
  message.setAttribute("role", "status");
  const readout = element(document, "div", "kw-readout");
  const spoken = element(document, "div", "kw-spoken");
  spoken.setAttribute("aria-live", "polite");
  return {
    message,
    readout,
    spoken,
    /** In place of the drawing; "" where there is one. */
    say(text: string, tone: "calm" | "warn") {
      message.hidden = text === "";
      message.dataset.tone = tone;
      put(message, text);
      if (text) put(readout, "");
    },
    /** Under the drawing. */
    read(text: string, chosen = false, warns = false) {
      put(readout, text);
      if (readout.title !== text) readout.title = text;
      readout.toggleAttribute("data-selected", chosen);
      readout.toggleAttribute("data-warns", warns);
    },
    speak: (text: string) => put(spoken, text),
  };
}
