/** Views of one layer show the layer of a selection made elsewhere. */

import { layerNamed } from "../phi/entries.ts";
import { isLinked } from "./linked.ts";
import type { Shell } from "./mount.ts";

/**
 * Shows the layer of the selection, unless another view of this kind and stream shows it already. Views that are linked
 * go together.
 */
export function showSelectedLayer(shell: Shell): void {
  const frame = shell.store()?.current() ?? null;
  const layer = shell.store()?.selection()?.layer;
  if (!frame || layer === undefined || layer === layerNamed(frame, shell.get("layer"))?.name)
    return;
  if (!frame.layout.layers.some(({ name }) => name === layer)) return;
  const kind = `.${shell.root.className.split(" ").join(".")}`;
  const shown = Array.from(shell.document.querySelectorAll<HTMLElement>(kind)).some(
    ({ dataset }) => dataset.stream === shell.stream() && dataset.layer === layer,
  );
  if (!shown || isLinked(shell.model)) shell.choose("layer", layer);
}
