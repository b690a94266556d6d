/** What the stream is doing, with a dot that beats while frames come in. */

import { counted } from "../phi/entries.ts";
import { formatCount } from "../phi/format.ts";
import { stateWord } from "../phi/states.ts";
import type { Status, Store } from "../wire/types.ts";
import { element, put } from "./element.ts";

/** Milliseconds for which a frame counts as arriving. */
const FRESH = 1000;

/** What is known beside the stream's status. */
export interface Known {
  /** How the training stands: `Store.training()`. */
  training?: string;
  /** `Store.alone()` */
  alone?: boolean;
}

export interface StatusLine {
  element: HTMLElement;
  show(store: Store): void;
  stop(): void;
}

export function statusText(
  step: number | null,
  cursor: number,
  status: Status,
  known: Known = {},
  stateFirst = false,
): string {
  if (status.state === "fault") return status.message || "the binding stopped on a fault";
  const at = step === null ? [] : [`step ${formatCount(step)}`];
  const how = stateText(cursor, status, known);
  return (stateFirst ? [how, ...at] : [...at, how]).join(" · ");
}

function stateText(
  cursor: number,
  { state }: Status,
  { training = "", alone = false }: Known,
): string {
  if (cursor >= 0) return "looking back";
  if (state === "closed") return "closed: the model this showed is gone";
  if (state === "saved") return stateWord(state);
  return alone ? "no kernel" : stateWord(moodOf(state, training));
}

/** A recording says that it is one; of a training that goes on, or did, what is known of it comes before whether frames come in. */
function moodOf(state: string, training: string): string {
  return state === "recorded" ? state : training || state;
}

/** What can be done, where that does not go without saying. */
function hintText({ state }: Status, { alone = false }: Known): string {
  if (state === "closed") return `${ENDED} Bind a model again, and show it in a new view.`;
  return alone && state !== "saved"
    ? `${ENDED} In a notebook, running the cell of this view again connects it.`
    : "";
}

const ENDED = "What was shown last stays, and its history; nothing more comes.";

/** `stateFirst`: it is the headline of several views. Where it is not `timed` it says what is not shown, alone. `again` is called when the newest frame is no longer fresh. */
export function createStatus(
  document: Document,
  again: () => void,
  timed: boolean,
  stateFirst = false,
): StatusLine {
  const root = element(document, "span", "kw-status");
  const dot = element(document, "span", "kw-dot", root);
  const said = element(document, "span", "kw-status-text", root);
  const missing = element(document, "span", "kw-left-out", root);
  dot.hidden = !timed;
  said.hidden = !timed;
  let calm: ReturnType<typeof setTimeout> | undefined;
  return {
    element: root,
    show(store) {
      const known = { training: store.training(), alone: store.alone() };
      const status = store.status();
      const age = performance.now() - store.lastArrival();
      const arriving = store.lastArrival() > 0 && age < FRESH;
      const step = store.current()?.step ?? null;
      put(said, statusText(step, store.cursor(), status, known, stateFirst));
      const hint = hintText(status, known);
      if (said.title !== hint) said.title = hint;
      showMissing(missing, store.leftOut(), timed ? " · " : "");
      const ended = ["closed", "fault", "saved"].includes(status.state);
      const state = ended ? status.state : moodOf(status.state, known.training) || "idle";
      if (root.dataset.state !== state) root.dataset.state = state;
      dot.classList.toggle("kw-arriving", arriving);
      if (!arriving) return;
      clearTimeout(calm);
      calm = setTimeout(again, FRESH - age + 50);
    },
    stop() {
      clearTimeout(calm);
    },
  };
}

/** Names of parts that are not shown and why, in a title; beyond that, how many more there are. */
const NAMED = 12;

function showMissing(place: HTMLElement, left: readonly string[], before: string) {
  const are = left.length === 1 ? "is" : "are";
  put(place, left.length > 0 ? `${before}${counted(left.length, "layer")} ${are} not shown` : "");
  const more = left.length > NAMED ? [`and ${left.length - NAMED} more`] : [];
  const title = [...left.slice(0, NAMED), ...more].join("\n");
  if (place.title !== title) place.title = title;
}
