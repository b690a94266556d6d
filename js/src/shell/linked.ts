/** What a view shares with others through the models: its layer, and the stream's selection and time. */

import type { AnyModel, Host } from "@anywidget/types";
import { hear } from "../wire/hear.ts";
import { readSelection } from "../wire/protocol.ts";
import type { Store } from "../wire/types.ts";

/** Whether a view shows its layer together with others. */
export function isLinked(model: AnyModel): boolean {
  return refs(model).length > 0;
}

/** Writes the layer that was chosen in one view into the models of those linked to it, on the page or not. */
export function chooseInLinked(model: AnyModel, host: Host | undefined, layer: string): void {
  for (const ref of refs(model)) {
    host
      ?.getModel(ref)
      .then((other) => {
        if (other.get("layer") === layer) return;
        other.set("layer", layer);
        other.save_changes();
      })
      .catch((error) => console.warn("kan_widgets: a linked view cannot be reached", error));
  }
}

function refs(model: AnyModel): string[] {
  const found: unknown = model.get("linked");
  return Array.isArray(found) ? found : [];
}

/** Keeps selection and cursor of a view's model and of the stream, which alone saves them to Python, equal while the signal lasts. */
export function shareWithModel(model: AnyModel, store: Store, signal: AbortSignal): void {
  const toModel = {
    selection: () => model.set("selection", store.selection()),
    cursor: () => model.set("cursor", store.cursor()),
  };
  for (const tell of Object.values(toModel)) tell();
  store.subscribe((what) => {
    if (what === "selection" || what === "cursor") toModel[what]();
  }, signal);
  const toStore = {
    "change:selection": () => store.select(readSelection(model.get("selection"))),
    "change:cursor": () => store.setCursor(Number(model.get("cursor"))),
  };
  hear(model, toStore, signal);
}
