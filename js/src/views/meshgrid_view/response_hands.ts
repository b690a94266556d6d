/** The hands on a response: pixels kept by a click, the patch, and the images to choose from. */

import { functionOf } from "../../phi/entries.ts";
import { outputOf, sourcesOf } from "../../phi/response.ts";
import { cellOf, idOf } from "../../scene/regions.ts";
import type { Shell } from "../../shell/mount.ts";
import type { Pen } from "../../shell/pen.ts";
import type { Stage } from "../../shell/stage.ts";
import type { Selection } from "../../wire/types.ts";
import type { Place } from "./response.ts";
import { placeText, type ResponseDrawing, type ResponseScene } from "./response_scene.ts";

export function createResponseHands(
  shell: Shell,
  stage: Stage,
  drawing: ResponseDrawing,
  pen: Pen,
) {
  let own = false;

  function select(scene: ResponseScene, place: Omit<Selection, "layer">) {
    own = true;
    shell.store()?.select({ layer: scene.layer.name, ...place });
    own = false;
  }

  /** Keeps a pixel and selects the kernel of its output, at the entry that is selected already. */
  function keep(scene: ResponseScene, place: Place) {
    drawing.pinned = place;
    const { swept, selection } = scene.response;
    const kernels = sourcesOf(swept, place.output);
    const kernel = kernels.find((one) => one.in === selection?.in) ?? kernels[0];
    const [row, column] = [selection?.row ?? 0, selection?.column ?? 0];
    select(scene, { out: kernel.out, in: kernel.in, row, column });
  }

  function isPinned({ output, row, column }: Place): boolean {
    const { pinned } = drawing;
    return pinned?.output === output && pinned.row === row && pinned.column === column;
  }

  /** To the same pixel of the output before or after. */
  function turn(scene: ResponseScene, id: string, by: number): boolean {
    const cell = cellOf(id);
    if (!cell?.name.startsWith("map/")) return false;
    const { outputs } = scene.response;
    const to = outputs.indexOf(Number(cell.name.split("/")[1])) + by;
    const output = outputs[Math.max(0, Math.min(outputs.length - 1, to))];
    const next = idOf({ ...cell, name: `map/${output}` });
    stage.keyboardAt(next);
    stage.reveal(next);
    shell.speak(scene.sites.words(next));
    return true;
  }

  return {
    press(scene: ResponseScene, id: string, event: MouseEvent | KeyboardEvent) {
      const cell = cellOf(id);
      if (!cell) return;
      const { name, row, column } = cell;
      const byKey = event.type === "keydown";
      if (name === "cell") {
        const { kernel } = scene.response;
        select(scene, { out: kernel.out, in: kernel.in, row, column });
        if (byKey) shell.speak(`selected: row ${row}, column ${column}`);
      } else if (name === "image") {
        const { columns } = scene.layout.thumbnails ?? { columns: 1 };
        shell.choose("sample", row * columns + column);
      } else if (name === "input") {
        if (byKey) pen.dot(row, column, false);
      } else {
        const place = { output: Number(name.split("/")[1]), row, column };
        if (isPinned(place) && !byKey) drawing.pinned = null;
        else keep(scene, place);
        if (byKey) shell.speak(`kept: ${placeText(scene.response, place)}`);
      }
      shell.schedule();
    },

    key(scene: ResponseScene, event: KeyboardEvent, id: string): boolean {
      const cell = cellOf(id);
      const store = shell.store();
      if (event.key === "Backspace" && cell?.name === "input") pen.dot(cell.row, cell.column, true);
      else if (event.key === "Escape" && drawing.pinned) drawing.pinned = null;
      else if (event.key === "Escape" && store?.selection()) store.select(null);
      else if (event.key === "PageDown") return turn(scene, id, 1);
      else if (event.key === "PageUp") return turn(scene, id, -1);
      else return false;
      return true;
    },

    /** Shows the output of the new selection. */
    selectionChanged({ response, layer, settings }: ResponseScene) {
      const selection = shell.store()?.selection();
      if (own || !selection || functionOf(layer, selection) < 0) return;
      const output = outputOf(response.swept, selection, response.place.output);
      if (drawing.pinned) drawing.pinned = { ...drawing.pinned, output };
      if (settings.output >= 0 && settings.output !== output) shell.choose("output", output);
    },
  };
}
