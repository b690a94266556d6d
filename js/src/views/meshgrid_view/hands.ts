/** The hands on a pair and on a response, and which pixel other views are told of. */

import { functionOf } from "../../phi/entries.ts";
import { groupAt, selectionIn } from "../../phi/pair.ts";
import { inputOf, outputOf, type Swept, sourcesOf } from "../../phi/response.ts";
import { cellOf } from "../../scene/regions.ts";
import type { Shell } from "../../shell/mount.ts";
import type { Pen } from "../../shell/pen.ts";
import { pointedPixelOf } from "../../shell/pointed_pixel.ts";
import type { Selection, Store } from "../../wire/types.ts";
import { entryName } from "./pair_picture.ts";
import type { PairScene } from "./pair_scene.ts";
import type { OutputPixel } from "./response_picture.ts";
import { pixelText, type ResponseDrawing, type ResponseScene } from "./response_scene.ts";

export function createPairHands(shell: Shell) {
  let axis: "x" | "y" = "x";

  function entryAt({ pair }: PairScene, id: string): number {
    const cell = cellOf(id);
    return cell?.name === "kernel" ? cell.row * pair.group.columns + cell.column : -1;
  }

  function setEntry({ layer, pair }: PairScene, side: typeof axis, entry: number) {
    const store = shell.store();
    if (!store || entry < 0) return;
    const [before, partner] = pair.entries;
    // The other one stays where it is, also where it was not chosen by hand.
    const other = partner === entry ? before : partner;
    shell.choose("other", side === "x" ? other : entry);
    const first = side === "x" ? entry : before;
    const isNone = store.selection()?.layer !== layer.name;
    if (side === "x" || isNone) store.select(selectionIn(layer, pair.group, first));
    axis = side === "x" ? "y" : "x";
    shell.speak(`${side} is ${entryName(layer, pair.group, entry)}`);
    shell.schedule();
  }

  /** The same place in another kernel, or the same input of another output. */
  function turn({ layer, pair }: PairScene, number: number) {
    shell.store()?.select(selectionIn(layer, groupAt(layer, number), pair.entries[0]));
  }

  return {
    turn,
    press: (scene: PairScene, id: string) => setEntry(scene, axis, entryAt(scene, id)),
    key(scene: PairScene, event: KeyboardEvent, id: string): boolean {
      if (event.key !== "x" && event.key !== "y") return false;
      setEntry(scene, event.key, entryAt(scene, id));
      return true;
    },
  };
}

export function createResponseHands(shell: Shell, drawing: ResponseDrawing, pen: Pen) {
  let own = false;

  function select(scene: ResponseScene, place: Omit<Selection, "layer">) {
    own = true;
    shell.store()?.select({ layer: scene.layer.name, ...place });
    own = false;
  }

  /** Keeps a pixel and selects the kernel of its output, at the entry that is selected already. */
  function keep(scene: ResponseScene, place: OutputPixel) {
    drawing.pinned = place;
    const { swept, selection } = scene.response;
    const kernels = sourcesOf(swept, place.output);
    const kernel = kernels.find((one) => one.in === selection?.in) ?? kernels[0];
    const [row, column] = [selection?.row ?? 0, selection?.column ?? 0];
    select(scene, { out: kernel.out, in: kernel.in, row, column });
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
        const { columns, first } = scene.layout.thumbnails ?? { columns: 1, first: 0 };
        shell.choose("sample", first + row * columns + column);
      } else if (name === "input") {
        if (byKey) pen.dot(row, column, false);
      } else {
        const place = { output: Number(name.split("/")[1]), row, column };
        const { pinned } = drawing;
        const isSame = pinned?.output === place.output && pinned.row === row;
        if (isSame && pinned.column === column && !byKey) drawing.pinned = null;
        else keep(scene, place);
        if (byKey) shell.speak(`kept: ${pixelText(scene.response, place)}`);
      }
      shell.schedule();
    },

    key(event: KeyboardEvent, id: string): boolean {
      const cell = cellOf(id);
      const store = shell.store();
      if (event.key === "Backspace" && cell?.name === "input") pen.dot(cell.row, cell.column, true);
      else if (event.key === "Escape" && drawing.pinned) drawing.pinned = null;
      else if (event.key === "Escape" && store?.selection()) store.select(null);
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

export function createPointing(signal: AbortSignal) {
  const owner = {};
  let lastPointed: { store: Store; swept: Swept; key: string } | null = null;

  function stop() {
    if (lastPointed) pointedPixelOf(lastPointed.store).point(owner, null);
    lastPointed = null;
  }

  signal.addEventListener("abort", stop, { once: true });
  return {
    /** Something else is drawn. */
    stop,
    /** After a drawing. */
    tell({ response, layer }: ResponseScene, store: Store) {
      const { place, swept, by } = response;
      if (by === "itself" || (lastPointed && lastPointed.store !== store)) stop();
      if (by === "itself") return;
      const key = JSON.stringify([place, layer.name]);
      if (lastPointed?.swept === swept && lastPointed.key === key) return;
      lastPointed = { store, swept, key };
      const { output, row, column } = place;
      pointedPixelOf(store).point(owner, {
        layer: layer.name,
        valueFor: (selection) =>
          selection.layer === layer.name ? inputOf(swept, output, row, column, selection) : null,
      });
    },
  };
}
