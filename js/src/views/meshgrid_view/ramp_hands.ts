/** The hands on a ramp: a click selects a function. */

import { entryText, selectionOf } from "../../phi/entries.ts";
import type { Shell } from "../../shell/mount.ts";
import type { RampScene } from "./ramp_scene.ts";

export interface RampHands {
  press(scene: RampScene, id: string, event: MouseEvent | KeyboardEvent): void;
  key(event: KeyboardEvent): boolean;
}

export function createRampHands(shell: Shell): RampHands {
  return {
    press({ layer }, id, event) {
      if (id === "") return;
      shell.store()?.select(selectionOf(layer, Number(id)));
      if (event.type === "keydown") shell.speak(`selected: ${entryText(layer, Number(id))}`);
    },
    key(event) {
      const store = shell.store();
      if (event.key !== "Escape" || !store?.selection()) return false;
      store.select(null);
      shell.speak("selection cleared");
      return true;
    },
  };
}
