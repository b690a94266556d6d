/** What a view of one layer does whatever it draws: it goes with the selection, has a tooltip, and counts its drawings. */

import type { Given } from "../scene/drawing.ts";
import type { Rect, Scene } from "../scene/marks.ts";
import type { Frame, LayerLayout } from "../wire/types.ts";
import type { Shell } from "./mount.ts";
import { showSelectedLayer } from "./selected_layer.ts";
import type { Stage } from "./stage.ts";
import type { Line } from "./tip.ts";

/** What the tooltip says of a place of the scene. */
export interface Told {
  title: string;
  lines: readonly Line[];
  box: Rect;
}

export function createLayerView(shell: Shell, stage: Stage) {
  const { root, tip } = shell;
  let frame: Frame | null = null;
  let frames = 0;
  let milliseconds = 0;
  return {
    step: () => frame?.step ?? null,
    /** How often a frame has been drawn and how long the last drawing took. */
    drawn: () => ({ frames, milliseconds }),
    changed(what: string) {
      if (what === "selection") showSelectedLayer(shell);
      if (what === "stream") frame = null;
      if (what !== "layer" && what !== "mode") return;
      stage.scrollToTop();
      stage.keyboardAt("");
    },
    /** Draws what `make` gives, with what is pointed at; what is taller than `most` scrolls. */
    show<S extends Scene>(
      given: Given,
      layer: LayerLayout | null,
      most: number,
      make: (given: Given) => S | string,
    ): S | string {
      const start = performance.now();
      if (layer && root.dataset.layer !== layer.name) root.dataset.layer = layer.name;
      const pointed = stage.pointed();
      const shown = stage.show((width) => make({ ...given, width, pointed }), most, given.ratio);
      const now = given.store.current();
      if (now !== frame) frames++;
      frame = now;
      milliseconds = performance.now() - start;
      return shown;
    },
    tell(told: Told | null) {
      if (!told) {
        tip.hide();
        return;
      }
      const { title, lines, box } = told;
      const { offsetLeft, offsetTop, offsetHeight } = stage.element;
      const seen = stage.view();
      tip.show(
        title,
        lines,
        { ...box, x: box.x - seen.x + offsetLeft, y: box.y - seen.y + offsetTop },
        { width: root.clientWidth, height: offsetTop + offsetHeight },
      );
    },
  };
}
