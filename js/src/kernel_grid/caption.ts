/** The line under the header: axes in print, size, remarks, the key of the lines, and the status. */

import { formatCount } from "../shared/format.ts";
import type { Picture } from "./picture.ts";
import { axesText, layerSize, remarks } from "./words.ts";

export interface Caption {
  element: HTMLElement;
  /** The cursor is the step looked back at, or −1. */
  show(picture: Picture, cursor: number): void;
  /** Nothing is drawn: only the status stays. */
  clear(): void;
  status(text: string, state: string, arriving: boolean): void;
}

/** `choose` is told when the functions at the start are switched on or off, in the key itself. */
export function createCaption(
  document: Document,
  choose: (trait: "ghost", value: boolean) => void,
  signal: AbortSignal,
): Caption {
  const element = document.createElement("div");
  element.className = "kw-caption";
  const text = (className: string, parent: HTMLElement = element) => {
    const span = parent.appendChild(document.createElement("span"));
    span.className = className;
    return span;
  };
  const facts = text("kw-facts");
  const axes = text("kw-axes", facts);
  const key = text("kw-key", facts);
  const size = text("kw-size", facts);
  const warning = text("kw-warning", facts);
  const note = text("kw-note", facts);
  const now = text("kw-key-ink", key);
  const ghost = key.appendChild(document.createElement("label"));
  ghost.className = "kw-check";
  ghost.title = "Draw the functions of this step behind, dashed";
  const box = ghost.appendChild(document.createElement("input"));
  box.type = "checkbox";
  box.className = "kw-checkbox";
  box.title = ghost.title;
  box.setAttribute("aria-label", "functions at the start");
  box.addEventListener("change", () => choose("ghost", box.checked), { signal });
  const first = text("kw-key-ghost", ghost);
  const rose = text("kw-key-rise", key);
  const fell = text("kw-key-fall", key);
  const status = text("kw-status");
  const dot = text("kw-dot", status);
  const said = text("kw-status-text", status);
  rose.textContent = "rose";
  fell.textContent = "fell";
  let held = "";

  /** Longer numbers may wrap onto another line once; shorter ones then do not pull the drawing up again. */
  function holdHeight(key: string) {
    if (key !== held) {
      held = key;
      facts.style.minHeight = "";
    }
    const height = `${facts.offsetHeight}px`;
    if (facts.style.minHeight !== height) facts.style.minHeight = height;
  }

  return {
    element,
    show(picture, cursor) {
      const { settings, initial, layer, frame } = picture;
      const { warned, noted } = remarks(picture);
      const step = initial ? `step ${formatCount(initial.frame.step)}` : "";
      facts.hidden = false;
      write(axes, axesText(picture));
      write(size, settings.mode === "pattern" ? "" : layerSize(layer));
      write(warning, warned);
      write(note, noted);
      write(first, step);
      write(now, cursor < 0 ? "now" : `step ${formatCount(frame.step)}`);
      box.checked = settings.ghost;
      const curves = settings.mode === "curves";
      key.hidden = !initial || settings.mode === "pattern";
      now.hidden = !curves;
      ghost.hidden = !curves;
      rose.hidden = curves;
      fell.hidden = curves;
      holdHeight(JSON.stringify([layer.name, settings, picture.arrangement.width]));
    },
    clear() {
      facts.hidden = true;
    },
    status(words, state, arriving) {
      write(said, words);
      if (status.dataset.state !== state) status.dataset.state = state;
      dot.classList.toggle("kw-arriving", arriving);
    },
  };
}

/** Touches the page only where the words are others. */
function write(span: HTMLElement, words: string): void {
  if (span.textContent !== words) span.textContent = words;
  span.hidden = words === "";
}
