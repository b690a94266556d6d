/** The lines of words around a drawing: what is said over it, why there is none, what is read in it, what is said aloud. */

import type { Remark, Swatch } from "../scene/marks.ts";
import { widthOf } from "../scene/text.ts";
import { element, put, putStyle } from "./element.ts";

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

/** The line of words over a drawing: the scene's own remarks, as elements. */
export function createCaption(document: Document) {
  const root = element(document, "span", "kw-facts");
  let shown = "";
  const partOf = ({ tone = "muted", strong, swatch }: Remark) => {
    const part = element(document, "span", `kw-remark kw-tone-${tone}`);
    part.toggleAttribute("data-strong", strong === true);
    if (swatch) element(document, "span", `kw-swatch kw-swatch-${swatch.kind}`, part);
    element(document, "span", "kw-remark-text", part);
    return part;
  };
  return {
    element: root,
    show(remarks: readonly Remark[]) {
      const shapes = remarks.map(({ tone, strong, swatch }) => `${tone} ${strong} ${swatch?.kind}`);
      const shape = shapes.join("|");
      if (shape !== shown) root.replaceChildren(...remarks.map(partOf));
      shown = shape;
      remarks.forEach(({ text, swatch, title = "" }, k) => {
        const part = root.children[k] as HTMLElement;
        if (part.title !== title) part.title = title;
        put(part.lastElementChild as HTMLElement, text);
        if (swatch) colour(part.firstElementChild as HTMLElement, swatch);
      });
    },
  };
}

function colour(mark: HTMLElement, { kind, colours }: Swatch): void {
  const stops = kind === "ramp" ? `linear-gradient(to right, ${colours.join(", ")})` : "";
  if (mark.style.backgroundImage !== stops) mark.style.backgroundImage = stops;
  if (kind !== "ramp") putStyle(mark, { "--kw-swatch": colours[0] });
}

/**
 * Keeps what is below a line of words in its place: longer numbers may wrap onto another line once; shorter ones then do
 * not pull the drawing up again. Another `key` lets go. To ask for a height has the whole page laid out: only where words
 * are longer than any before.
 */
export function holdHeight(element: HTMLElement): (key: string) => void {
  let held = "";
  let longest = -1;
  return (key) => {
    if (key !== held) {
      held = key;
      longest = -1;
      element.style.minHeight = "";
    }
    const length = widthOf(element.textContent ?? "", 12);
    if (length <= longest) return;
    longest = length;
    const height = `${element.offsetHeight}px`;
    if (element.style.minHeight !== height) element.style.minHeight = height;
  };
}
