/** The lines of words around a drawing: how the stream stands, what is said over it, read in it, and aloud. */

import { counted } from "../phi/entries.ts";
import { formatCount } from "../phi/format.ts";
import type { Remark, Swatch } from "../scene/marks.ts";
import { widthOf } from "../scene/text.ts";
import { hintText, lookOf, type Standing, standingText } from "../wire/standing.ts";
import type { Store } from "../wire/types.ts";
import { element, putStyle, putWords } from "./element.ts";

/** "step 1,240 · training"; with the line that mends it, where one does. */
export function statusText(step: number | null, standing: Standing, stateFirst = false): string {
  if (standing.state === "fault") return standingText(standing);
  const at = step === null ? [] : [`step ${formatCount(step)}`];
  const how = standingText(standing);
  return (stateFirst ? [how, ...at] : [...at, how]).join(" · ");
}

/** `stateFirst`: the status is the headline of several views. Where it is not `timed` it names only what is not shown. */
export function createStatus(document: Document, timed: boolean, stateFirst = false) {
  const root = element(document, "span", "kw-status");
  const dot = element(document, "span", "kw-dot", root);
  const statusLine = element(document, "span", "kw-status-text", root);
  const missing = element(document, "span", "kw-left-out", root);
  dot.hidden = !timed;
  return {
    element: root,
    show(store: Store, ensemble = "") {
      const step = store.current()?.step ?? null;
      const standing = standingOf(store, step);
      // Whoever chose the newest step does not look back.
      const isBack = step !== null && step < (store.latest()?.step ?? step);
      // The line of the time has the step, where there is one.
      const at = store.steps().length < 2 ? step : null;
      const isEarlier = isBack && !(step >= (standing.diverged ?? Number.POSITIVE_INFINITY));
      const words = isEarlier ? "earlier" : statusText(at, standing, stateFirst);
      // Networks that are trained have no steps here; which of them is drawn the key says.
      putWords(statusLine, ensemble.split(",")[0] || words);
      statusLine.hidden = !timed && !ensemble;
      const hint = ensemble || hintText(standing);
      if (statusLine.title !== hint) statusLine.title = hint;
      showMissing(missing, store.leftOut(), timed ? " · " : "");
      const state = isEarlier && lookOf(standing) === "diverged" ? "idle" : lookOf(standing);
      if (root.dataset.state !== state) root.dataset.state = state;
    },
  };
}

/** How a run stands; where functions were changed by hand since its last step, that. */
function standingOf(store: Store, step: number | null): Standing {
  const standing = store.standing();
  const isEdited = step !== null && store.edits().step === step && standing.state !== "running";
  return isEdited ? { ...standing, words: `edited since step ${formatCount(step)}` } : standing;
}

/** Says how many parts are not shown, and which, with the reason. */
function showMissing(place: HTMLElement, leftOut: readonly string[], separator: string) {
  const verb = leftOut.length === 1 ? "is" : "are";
  const words = `${separator}${counted(leftOut.length, "layer")} ${verb} not shown`;
  putWords(place, leftOut.length > 0 ? words : "");
  const title = leftOut.join("\n");
  if (place.title !== title) place.title = title;
}

export function createWords(document: Document) {
  const message = element(document, "div", "kw-message");
  message.setAttribute("role", "status");
  const readout = element(document, "div", "kw-readout");
  const spoken = element(document, "div", "kw-spoken");
  spoken.setAttribute("aria-live", "polite");
  let [warning, lastRead] = ["", ""];
  const read = (text: string, chosen = false, warns = false) => {
    lastRead = warning || text;
    putWords(readout, lastRead);
    if (readout.title !== lastRead) readout.title = lastRead;
    readout.toggleAttribute("data-selected", chosen && !warning);
    readout.toggleAttribute("data-warns", warns || warning !== "");
  };
  return {
    message,
    readout,
    spoken,
    /** Says words in place of the drawing; "" where there is one. */
    say(text: string, tone: "calm" | "warn") {
      message.hidden = text === "";
      message.dataset.tone = tone;
      putWords(message, text);
      if (text) putWords(readout, "");
    },
    /** Puts words under the drawing. */
    read,
    /** Says what could not be done, in place of what is read, until "" clears it. */
    warn(text: string) {
      const last = warning ? "" : lastRead;
      warning = text;
      read(last);
    },
    speak: (text: string) => putWords(spoken, text),
  };
}

/** The line of words over a drawing: the scene's own remarks. Its key is a line of its own where that stands below the drawing. */
export function createCaption(document: Document, keyBelow = false) {
  const root = element(document, "span", "kw-facts");
  const key = element(document, "div", "kw-facts kw-key");
  const [said, keyed] = [createRemarks(document, root), createRemarks(document, key)];
  const isKey = ({ tone = "muted" }: Remark) => keyBelow && tone === "muted";
  key.hidden = !keyBelow;
  return {
    element: root,
    key,
    show(remarks: readonly Remark[]) {
      said(remarks.filter((remark) => !isKey(remark)));
      keyed(remarks.filter(isKey));
    },
  };
}

/** Remarks as elements, which are made anew only where others come. */
function createRemarks(document: Document, root: HTMLElement) {
  let lastShape = "";
  const partOf = ({ tone = "muted", strong, swatch }: Remark) => {
    const part = element(document, "span", `kw-remark kw-tone-${tone}`);
    part.toggleAttribute("data-strong", strong === true);
    if (swatch) element(document, "span", `kw-swatch kw-swatch-${swatch.kind}`, part);
    element(document, "span", "kw-remark-text", part);
    return part;
  };
  return (remarks: readonly Remark[]) => {
    const shapes = remarks.map(({ tone, strong, swatch }) => `${tone} ${strong} ${swatch?.kind}`);
    const shape = shapes.join("|");
    if (shape !== lastShape) root.replaceChildren(...remarks.map(partOf));
    lastShape = shape;
    remarks.forEach(({ text, swatch, title = "" }, k) => {
      const part = root.children[k] as HTMLElement;
      if (part.title !== title) part.title = title;
      putWords(part.lastElementChild as HTMLElement, text);
      if (swatch) colour(part.firstElementChild as HTMLElement, swatch);
    });
  };
}

function colour(mark: HTMLElement, { kind, colours, heights = [] }: Swatch): void {
  const stops = kind === "ramp" ? `linear-gradient(to right, ${colours.join(", ")})` : "";
  if (mark.style.backgroundImage !== stops) mark.style.backgroundImage = stops;
  if (kind !== "ramp") putStyle(mark, { "--kw-swatch": colours[0] });
  const corners = heights.map((height, k) => {
    return `${(100 * k) / (heights.length - 1)}% ${90 - 90 * height}%`;
  });
  if (kind === "spark") mark.style.clipPath = `polygon(0 100%, ${corners.join()}, 100% 100%)`;
}

/** Words may wrap onto another line once, and do not give it up again, until another `key`, or other words at rest: so what is below stays. Only longer words are measured. */
export function holdHeight(element: HTMLElement): (key: string, atRest?: string) => void {
  let held = { key: "", atRest: "" };
  let longest = -1;
  return (key, atRest = held.atRest) => {
    if (key !== held.key || atRest !== held.atRest) {
      held = { key, atRest };
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
