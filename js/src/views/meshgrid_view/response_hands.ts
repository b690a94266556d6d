/** The hands on a response: pixels kept by a click, the patch, the drawing, and what other views are told of it. */

import { functionOf } from "../../phi/entries.ts";
import type { Images } from "../../phi/images.ts";
import { inputOf, outputOf, type Swept, sourcesOf } from "../../phi/response.ts";
import { cellOf, idOf } from "../../scene/regions.ts";
import type { Shell } from "../../shell/mount.ts";
import { probeOf } from "../../shell/probe.ts";
import type { Stage } from "../../shell/stage.ts";
import type { Selection, Store } from "../../wire/types.ts";
import { placeText, type ResponseDrawing, type ResponseScene } from "./response_scene.ts";

type Point = [x: number, y: number];

export interface ResponseHands {
  press(scene: ResponseScene, id: string, event: MouseEvent | KeyboardEvent): void;
  key(scene: ResponseScene, event: KeyboardEvent, id: string): boolean;
  /** After a drawing: lets the other views of the stream mark the inputs of the pixel. */
  drawn(scene: ResponseScene, store: Store): void;
  /** Something else is drawn. */
  leave(): void;
  /** Another selection than before. */
  follow(scene: ResponseScene): void;
  /** Draws through points in pixels of the image, as the mouse does. */
  drawLine(points: readonly Point[]): void;
  clear(): void;
}

export function createResponseHands(
  shell: Shell,
  stage: () => Stage,
  drawing: ResponseDrawing,
  current: () => ResponseScene | null,
): ResponseHands {
  const { signal } = shell;
  const { sketch } = drawing;
  const owner = {};
  let told: { store: Store; swept: Swept; key: string } | null = null;
  let own = false;
  /** Where the pen is down. */
  let held: { at: Point; erase: boolean } | null = null;

  function select(scene: ResponseScene, place: Omit<Selection, "layer">) {
    own = true;
    shell.store()?.select({ layer: scene.layer.name, ...place });
    own = false;
  }

  /** Selects the kernel of an output, at the entry that is selected already. */
  function selectKernel(scene: ResponseScene, output: number) {
    const { swept, selection } = scene.response;
    const kernels = sourcesOf(swept, output);
    const kernel = kernels.find((one) => one.in === selection?.in) ?? kernels[0];
    const [row, column] = [selection?.row ?? 0, selection?.column ?? 0];
    select(scene, { out: kernel.out, in: kernel.in, row, column });
  }

  function keepDrawing({ data, width, height }: Images) {
    const bytes = new DataView(data.slice().buffer);
    shell.choose("drawing", { shape: [1, 1, height, width], data: bytes });
  }

  function dot(row: number, column: number, erase: boolean) {
    const at: Point = [column + 0.5, row + 0.5];
    sketch.line(at, at, erase);
    keepDrawing(sketch.lift());
  }

  function leave() {
    if (told) probeOf(told.store).point(owner, null);
    told = null;
  }

  watchPen();
  signal.addEventListener("abort", leave, { once: true });

  return {
    press(scene, id, event) {
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
        if (byKey) dot(row, column, false);
      } else {
        const output = Number(name.split("/")[1]);
        const { pinned } = drawing;
        const again = pinned?.output === output && pinned.row === row && pinned.column === column;
        drawing.pinned = again && !byKey ? null : { output, row, column };
        if (drawing.pinned) selectKernel(scene, output);
        if (byKey) shell.speak(`kept: ${placeText(scene.response, { output, row, column })}`);
      }
      shell.schedule();
    },

    key(scene, event, id) {
      const store = shell.store();
      const cell = cellOf(id);
      if (event.key === "Backspace" && cell?.name === "input") {
        dot(cell.row, cell.column, true);
        return true;
      }
      if (event.key === "Escape" && (drawing.pinned || store?.selection())) {
        if (drawing.pinned) drawing.pinned = null;
        else store?.select(null);
        return true;
      }
      if (event.key !== "PageDown" && event.key !== "PageUp") return false;
      if (!cell?.name.startsWith("map/")) return false;
      const { outputs } = scene.response;
      const index = outputs.indexOf(Number(cell.name.split("/")[1]));
      const to = index + (event.key === "PageDown" ? 1 : -1);
      const output = outputs[Math.max(0, Math.min(outputs.length - 1, to))];
      const next = idOf({ ...cell, name: `map/${output}` });
      stage().keyboardAt(next);
      stage().reveal(next);
      shell.speak(scene.sites.words(next));
      return true;
    },

    drawn({ response, layer }, store) {
      const { place, swept, by } = response;
      if (by === "itself") {
        leave();
        return;
      }
      const key = JSON.stringify([place, layer.name]);
      if (told?.store === store && told.swept === swept && told.key === key) return;
      if (told && told.store !== store) leave();
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

    leave,

    follow({ response, layer, settings }) {
      const selection = shell.store()?.selection();
      if (own || selection?.layer !== layer.name) return;
      if (functionOf(layer, selection) < 0) return;
      const output = outputOf(response.swept, selection, response.place.output);
      if (drawing.pinned) drawing.pinned = { ...drawing.pinned, output };
      if (settings.output >= 0 && settings.output !== output) shell.choose("output", output);
    },

    drawLine(points) {
      points.forEach((to, k) => {
        sketch.line(points[Math.max(0, k - 1)], to, false);
      });
      keepDrawing(sketch.lift());
    },

    clear() {
      keepDrawing(sketch.clear());
    },
  };

  /** The mouse draws where the scene has a drawing. */
  function watchPen() {
    const { canvas } = stage();

    /** The place of the mouse in pixels of the image; null where nothing can be drawn. */
    function onImage(event: MouseEvent, anywhere: boolean): Point | null {
      const scene = current();
      if (scene?.response.source.input !== "drawn") return null;
      const { image: box } = scene.layout;
      const corner = canvas.getBoundingClientRect();
      const seen = stage().view();
      const x = event.clientX - corner.left + seen.x - box.x;
      const y = event.clientY - corner.top + seen.y - box.y;
      const inside = x >= 0 && y >= 0 && x <= box.width && y <= box.height;
      if (!inside && !anywhere) return null;
      const { width, height } = sketch.image();
      return [(x / box.width) * width, (y / box.height) * height];
    }

    const on = (kind: "pointerdown" | "pointermove" | "pointerup" | "pointercancel") => {
      return (act: (event: PointerEvent) => void) => canvas.addEventListener(kind, act, { signal });
    };
    on("pointerdown")((event) => {
      const at = onImage(event, false);
      if (!at || (event.button !== 0 && event.button !== 2)) return;
      held = { at, erase: event.shiftKey || event.button === 2 };
      canvas.setPointerCapture?.(event.pointerId);
      sketch.line(at, at, held.erase);
      event.preventDefault();
      canvas.focus({ preventScroll: true });
      shell.schedule();
    });
    on("pointermove")((event) => {
      if (!held) return;
      // A fast hand: the browser keeps the places between two animation frames.
      const moves = event.getCoalescedEvents?.() ?? [];
      for (const move of moves.length > 0 ? moves : [event]) {
        const to = onImage(move, true);
        if (!to) continue;
        sketch.line(held.at, to, held.erase);
        held.at = to;
      }
      shell.schedule();
    });
    for (const end of ["pointerup", "pointercancel"] as const) {
      on(end)(() => {
        if (!held) return;
        held = null;
        keepDrawing(sketch.lift());
      });
    }
    canvas.addEventListener(
      "contextmenu",
      (event) => {
        if (onImage(event, false)) event.preventDefault();
      },
      { signal },
    );
  }
}
