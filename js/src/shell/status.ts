/** What the stream is doing, with a dot that beats while frames come in. */

import { counted } from "../phi/entries.ts";
import { formatCount } from "../phi/format.ts";
import type { Status, Store } from "../wire/types.ts";
import { element, put } from "./element.ts";

/** Milliseconds for which a frame counts as arriving. */
const FRESH = 1000;

export interface StatusLine {
  element: HTMLElement;
  show(store: Store): void;
  stop(): void;
}

export function statusText(step: number | null, cursor: number, status: Status): string {
  if (status.state === "fault") return status.message || "the binding stopped on a fault";
  const at = step === null ? "" : `step ${formatCount(step)} · `;
  return at + (cursor >= 0 ? "looking back" : status.state || "idle");
}

/** `again` is called when the newest frame is no longer fresh. */
export function createStatus(document: Document, again: () => void): StatusLine {
  const root = element(document, "span", "kw-status");
  const dot = element(document, "span", "kw-dot", root);
  const said = element(document, "span", "kw-status-text", root);
  const missing = element(document, "span", "kw-left-out", root);
  let calm: ReturnType<typeof setTimeout> | undefined;
  return {
    element: root,
    show(store) {
      const status = store.status();
      const age = performance.now() - store.lastArrival();
      const arriving = store.lastArrival() > 0 && age < FRESH;
      put(said, statusText(store.current()?.step ?? null, store.cursor(), status));
      showMissing(missing, store.leftOut());
      const state = status.state || "idle";
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

function showMissing(place: HTMLElement, left: readonly string[]) {
  const are = left.length === 1 ? "is" : "are";
  put(place, left.length > 0 ? ` · ${counted(left.length, "layer")} ${are} not shown` : "");
  const more = left.length > NAMED ? [`and ${left.length - NAMED} more`] : [];
  const title = [...left.slice(0, NAMED), ...more].join("\n");
  if (place.title !== title) place.title = title;
}
