/** What the stream is doing, with a dot that beats while frames come in. */

import { counted } from "../phi/entries.ts";
import { formatCount } from "../phi/format.ts";
import { hintText, type Standing, standingText } from "../wire/standing.ts";
import type { Store } from "../wire/types.ts";
import { element, put } from "./element.ts";

/** Milliseconds for which a frame counts as arriving. */
const FRESH = 1000;

/** "step 1,240 · training"; with the line that mends it, where one does. */
export function statusText(
  step: number | null,
  cursor: number,
  standing: Standing,
  stateFirst = false,
): string {
  if (standing.state === "fault") return standingText(standing);
  const at = step === null ? [] : [`step ${formatCount(step)}`];
  const how = cursor >= 0 ? "looking back" : standingText(standing);
  return (stateFirst ? [how, ...at] : [...at, how]).join(" · ");
}

/** `stateFirst`: it is the headline of several views. Where it is not `timed` it says what is not shown, alone. `again` is called when the newest frame is no longer fresh. */
export function createStatus(
  document: Document,
  again: () => void,
  timed: boolean,
  stateFirst = false,
) {
  const root = element(document, "span", "kw-status");
  const dot = element(document, "span", "kw-dot", root);
  const said = element(document, "span", "kw-status-text", root);
  const missing = element(document, "span", "kw-left-out", root);
  dot.hidden = !timed;
  said.hidden = !timed;
  let calm: ReturnType<typeof setTimeout> | undefined;
  return {
    element: root,
    show(store: Store) {
      const standing = store.standing();
      const age = performance.now() - store.lastArrival();
      const arriving = store.lastArrival() > 0 && age < FRESH;
      const step = store.current()?.step ?? null;
      put(said, statusText(step, store.cursor(), standing, stateFirst));
      const hint = hintText(standing);
      if (said.title !== hint) said.title = hint;
      showMissing(missing, store.leftOut(), timed ? " · " : "");
      const { state } = standing;
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
