/** The parts common to views of one layer: a view picks functions, goes with the selection, has a tooltip, and counts its drawings. */

import { entryText, layerNamed, selectionOf } from "../phi/entries.ts";
import { isLinked } from "../scene/cells.ts";
import type { Given } from "../scene/drawing.ts";
import type { Rect, Scene } from "../scene/marks.ts";
import type { Frame, LayerLayout } from "../wire/types.ts";
import type { Shell } from "./mount.ts";
import type { Stage } from "./stage.ts";
import type { TipLine } from "./tip.ts";

/** What the tooltip says of a place of the scene. */
export interface TipWords {
  title: string;
  lines: readonly TipLine[];
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
      if (what === "selection") {
        showSelectedLayer(shell);
        stage.follow();
      }
      if (what === "stream") frame = null;
      if (what !== "layer" && what !== "mode") return;
      stage.follow(true);
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
      const shown = stage.show(given, make, most);
      const now = given.store.current();
      if (now !== frame) frames++;
      frame = now;
      milliseconds = performance.now() - start;
      return shown;
    },
    tell(told: TipWords | null) {
      if (!told) {
        tip.hide();
        return;
      }
      const { title, lines, box } = told;
      const { offsetLeft: x, offsetTop: y, offsetHeight: height } = stage.element;
      const seen = stage.view();
      const cell = { ...box, x: box.x - seen.x, y: box.y - seen.y };
      const room = { width: root.clientWidth - x, height };
      tip.show(title, lines, cell, room, { x, y });
    },
  };
}

/** Shows the layer of the selection, unless another view of this kind and stream does. Linked views go together. */
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
  if (shown && !isLinked((trait) => shell.model.get(trait))) return;
  shell.model.set("layer", layer);
  // Python hears of the selection first: a layer that has none would get another one there.
  Promise.resolve().then(() => shell.choose("layer", layer));
}

/** Selects the function whose number the site is. */
export function pressFunction(shell: Shell, layer: LayerLayout, id: string, event: Event): void {
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
