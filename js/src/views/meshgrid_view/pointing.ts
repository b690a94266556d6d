/** Tells the other views of a stream which pixel of a response is pointed at. */

import { inputOf, type Swept } from "../../phi/response.ts";
import { probeOf } from "../../shell/probe.ts";
import type { Store } from "../../wire/types.ts";
import type { ResponseScene } from "./response_scene.ts";

export function createPointing(signal: AbortSignal) {
  const owner = {};
  let told: { store: Store; swept: Swept; key: string } | null = null;

  function stop() {
    if (told) probeOf(told.store).point(owner, null);
    told = null;
  }

  signal.addEventListener("abort", stop, { once: true });
  return {
    /** Something else is drawn. */
    stop,
    /** After a drawing. */
    tell({ response, layer }: ResponseScene, store: Store) {
      const { place, swept, by } = response;
      if (by === "itself" || (told && told.store !== store)) stop();
      if (by === "itself") return;
      const key = JSON.stringify([place, layer.name]);
      if (told?.swept === swept && told.key === key) return;
      told = { store, swept, key };
      const { output, row, column } = place;
      probeOf(store).point(owner, {
        layer: layer.name,
        output,
        row,
        column,
        valueFor: (selection) =>
          selection.layer === layer.name ? inputOf(swept, output, row, column, selection) : null,
      });
    },
  };
}
