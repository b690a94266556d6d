/** What the stream is doing, with a dot that beats while frames come in. */

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
  let calm: ReturnType<typeof setTimeout> | undefined;
  return {
    element: root,
    show(store) {
      const status = store.status();
      const age = performance.now() - store.lastArrival();
      const arriving = store.lastArrival() > 0 && age < FRESH;
      put(said, statusText(store.current()?.step ?? null, store.cursor(), status));
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
