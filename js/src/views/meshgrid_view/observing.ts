/** Whether it is known what reaches a layer, and the offer to have a batch observed. No DOM. */

import type { LayerLayout, Observed, Store } from "../../wire/types.ts";

/** What can be said where there is no kernel to ask. */
export const NOT_OBSERVED = "What reaches this layer was not observed before this was saved.";

/**
 * Whether the layer's input is the image itself: as observed; else that is known only where the layer is the whole
 * model, which then is named after its type. A model may normalise an image before its first layer.
 */
export function takesImage(layer: LayerLayout, observed: Observed | null): boolean | null {
  if (observed) return observed.isImage;
  return layer.name === layer.type && layer.variable === "x" ? true : null;
}

/** Whether a click can show what reaches a layer: a kernel has a batch, and nobody has looked yet. */
export function offersObserving(store: Store | null, layer: string): boolean {
  return store?.batch().seen === true && !store.alone() && store.observed(layer) === null;
}

/** How to see the response of a layer that was not observed; where there is no kernel, that it was not. */
export function howToObserve(store: Store, layer: string): string {
  if (store.alone()) return NOT_OBSERVED;
  const { message } = store.batch();
  const how = offersObserving(store, layer)
    ? "Press “observe a batch” to see the response to the last batch of the training."
    : "Call live.observe(batch) to see the response to a batch.";
  return message ? `${how} (${message})` : how;
}
