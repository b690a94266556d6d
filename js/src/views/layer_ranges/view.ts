/** LayerRanges: the header and the hands on its scene. Selecting works without the kernel. */

import type { RenderProps } from "@anywidget/types";
import { functionOf, selectionOf } from "../../phi/entries.ts";
import type { Rect } from "../../scene/marks.ts";
import { type Kind, mountView, type Parts, type Shell } from "../../shell/mount.ts";
import { clearedBy } from "../../shell/picking.ts";
import { createStage } from "../../shell/stage.ts";
import { measureOf } from "./content.ts";
import { createHeader } from "./controls.ts";
import { drawing, type RangesScene } from "./scene.ts";
import { siteOf, typicalDot } from "./sites.ts";
import css from "./style.css";
import { dotWords, rowHint } from "./words.ts";

/** What tests may ask of a view, as `element.kwRanges`. */
export interface RangesElement extends HTMLElement {
  kwRanges: {
    scene(): RangesScene | null;
    step(): number | null;
    /** The words in the columns of a row. */
    cells(row: number): string[][];
    /** Where a site lies, in client pixels. */
    place(id: string): Rect | null;
    /** What is seen of the scene. */
    seen(): Rect;
    /** The row whose layer is selected, or -1. */
    chosen(): number;
  };
}

const KIND: Kind = {
  name: "layer_ranges",
  label: "Layer ranges",
  traits: ["content", "past", "over_time", "threshold", "more", "height"],
  drawing,
};
const HINT = "Click a dot to select its function, a layer to select a typical one.";

export { css, drawing };

export function render(props: RenderProps): void {
  mountView(KIND, props, build);
}

function build(shell: Shell): Parts {
  const { document, signal } = shell;
  const draw = drawing();
  let scene: RangesScene | null = null;
  const header = createHeader(
    document,
    shell.choose,
    () => shell.store()?.command("observe"),
    signal,
  );
  const stage = createStage(
    document,
    {
      moved: shell.schedule,
      press: (id, event) => press(id, event.type === "keydown"),
      arrived,
      key: (event) => clearedBy(event, shell),
      cursor: (id) => (id.startsWith("c") ? "help" : id ? "pointer" : ""),
      title: (id) => scene?.reading || (scene?.sites.words(id) ?? ""),
    },
    signal,
  );

  function select(row: number, f: number) {
    const layer = scene?.content.rows[row];
    if (layer) shell.store()?.select(selectionOf(layer, f));
  }

  /** A dot selects its function; a row its typical one, unless one of it is selected already. */
  function press(id: string, spoken: boolean) {
    const { row, dot } = siteOf(id);
    const layer = scene?.content.rows[row];
    if (!scene || !layer) return;
    if (dot >= 0) select(row, layer.functions[dot]);
    else if (scene.chosen !== row) select(row, layer.typical);
    const which = dot >= 0 ? dot : typicalDot(layer);
    if (spoken) shell.speak(`selected: ${dotWords(layer, which, scene.content)}`);
  }

  /** Left and right arrow select one function after another. */
  function arrived(id: string) {
    const { dot } = siteOf(id);
    if (dot >= 0) press(id, true);
    else shell.speak(scene?.sites.words(id) ?? "");
  }

  /** Moves the keyboard to the selected function: the arrow keys go on from there. */
  function moveKeyboard() {
    const chosen = shell.store()?.selection();
    const at = siteOf(stage.pointed().keyboard);
    const layer = scene?.content.rows[at.row];
    if (!chosen || !layer || at.dot >= 0) return;
    const dot = layer.functions.indexOf(functionOf(layer, chosen));
    if (dot >= 0) stage.keyboardAt(`${at.row}.${dot}`);
  }

  (shell.root as unknown as RangesElement).kwRanges = {
    scene: () => scene,
    step: () => scene?.content.step ?? null,
    cells: (row) =>
      scene?.layout.cells.map(({ column }) =>
        column.lines((scene as RangesScene).content.rows[row].numbers),
      ) ?? [],
    place: (id) => stage.clientBox(id),
    seen: () => stage.view(),
    chosen: () => scene?.chosen ?? -1,
  };

  return {
    header: header.element,
    body: stage.element,
    width: stage.width,
    fileName: () => `layer-ranges step ${scene?.content.step ?? ""}`,
    changed(what) {
      if (what === "selection") moveKeyboard();
    },
    cleared() {
      scene = null;
    },
    draw(given) {
      const pointed = stage.pointed();
      const make = (width: number) => draw({ ...given, width, pointed });
      const shown = stage.show(make, given.height, given.ratio);
      const choices = {
        overTime: measureOf(given.get("over_time")),
        threshold: Number(given.get("threshold")),
        more: given.get("more") === true,
        timed: typeof shown === "string" || shown.layout.timed,
        batch: given.store.batch().seen,
        observed: typeof shown !== "string" && shown.content.observed,
      };
      header.show(choices, given.store.alone());
      if (typeof shown === "string") return shown;
      scene = shown;
      const { row, dot } = siteOf(pointed.id);
      const over = dot < 0 ? shown.content.rows[row] : undefined;
      shell.read(shown.reading || (over ? rowHint(over) : shown.sites.words(pointed.id)) || HINT);
      return shown;
    },
  };
}
