/** Selection and time are those of the stream: the view's model, by which others link them, has the same. */

import type { AnyModel } from "@anywidget/types";
import { hear } from "../wire/hear.ts";
import { readSelection } from "../wire/protocol.ts";
import type { Store } from "../wire/types.ts";

/**
 * Keeps the two equal while the signal lasts. Nothing of it is saved to the kernel: there the stream, which is, tells
 * the views.
 */
export function shareWithModel(model: AnyModel, store: Store, signal: AbortSignal): void {
  const told = {
    selection: () => model.set("selection", store.selection()),
    cursor: () => model.set("cursor", store.cursor()),
  };
  for (const tell of Object.values(told)) tell();
  store.subscribe((what) => {
    if (what === "selection" || what === "cursor") told[what]();
  }, signal);
  const taken = {
    "change:selection": () => store.select(readSelection(model.get("selection"))),
    "change:cursor": () => store.setCursor(Number(model.get("cursor"))),
  };
  hear(model, taken, signal);
}
