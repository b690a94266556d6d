/** How all views pick a function, and clear the selection by Escape. */

import { entryText, selectionOf } from "../phi/entries.ts";
import type { LayerLayout } from "../wire/types.ts";
import type { Shell } from "./mount.ts";

/** Selects the function whose number the site is. */
export function pressFunction(
  shell: Shell,
  layer: LayerLayout,
  id: string,
  event: MouseEvent | KeyboardEvent,
): void {
  if (id === "") return;
  shell.store()?.select(selectionOf(layer, Number(id)));
  if (event.type === "keydown") shell.speak(`selected: ${entryText(layer, Number(id))}`);
}

/** Escape clears the selection; false where it was another key, or nothing was selected. */
export function clearedBy({ key }: KeyboardEvent, shell: Shell): boolean {
  const store = shell.store();
  if (key !== "Escape" || !store?.selection()) return false;
  store.select(null);
  shell.speak("selection cleared");
  return true;
}
