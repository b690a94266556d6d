/** The offer to have a batch observed, so that it is known what reaches a layer. No DOM. */

import type { Store } from "../../wire/types.ts";

/** Whether a click can show what reaches a layer: the kernel has a batch, and nobody has looked yet. */
export function offersObserving(store: Store | null, layer: string): boolean {
  return store?.batch().seen === true && store.observed(layer) === null;
}

/** How to see what reaches a layer that was not observed. */
export function howToObserve(store: Store, layer: string): string {
  const { message } = store.batch();
  const how = offersObserving(store, layer)
    ? "Press “observe a batch” to see what reaches it in the last batch of the training."
    : "Call live.observe(batch) to see what reaches it.";
  return message ? `${how} (${message})` : how;
}
