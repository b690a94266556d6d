/** Views that show one layer together, such as those of a dashboard. Works while the kernel is busy. */

import type { AnyModel, Host } from "@anywidget/types";

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
