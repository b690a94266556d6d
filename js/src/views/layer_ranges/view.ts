/** LayerRanges: the header and the hands on its scene. Selecting works without Python. */

import { functionOf, selectionOf } from "../../phi/entries.ts";
import { type Given, oneOf } from "../../scene/drawing.ts";
import { observeButton } from "../../shell/controls.ts";
import { element, putWords } from "../../shell/element.ts";
import { clearedBy } from "../../shell/layer_view.ts";
import { type Kind, type Parts, type Shell, type ViewElement, viewOf } from "../../shell/mount.ts";
import { createOptions, type Option } from "../../shell/options.ts";
import { createViewStage } from "../../shell/stage.ts";
import { MEASURED, MEASURES } from "./content.ts";
import { drawing, type RangesScene, siteOf, typicalDot } from "./scene.ts";
import css from "./style.css";
import { dotWords, rowHint } from "./words.ts";

export type RangesElement = ViewElement<RangesScene>;

const KIND: Kind = {
  name: "layer_ranges",
  label: "Layer ranges",
  drawing,
};
const HINT = "Click a dot to select its function, a layer to select a typical one.";

export { css, drawing };

export const render = viewOf(KIND, build);

function build(shell: Shell<RangesScene>): Parts<RangesScene> {
  const { scene } = shell;
  const draw = drawing();
  const header = createHeader(shell);
  const stage = createViewStage(shell, {
    press: (id, event) => press(id, event.type === "keydown"),
    arrived,
    key: (event) => clearedBy(event, shell),
    cursor: (id) => (id.startsWith("c") ? "help" : id ? "pointer" : ""),
    title: (id) => scene()?.reading || (scene()?.sites.words(id) ?? ""),
  });

  function select(row: number, f: number) {
    const layer = scene()?.content.rows[row];
    if (layer) shell.store()?.select(selectionOf(layer, f));
  }

  /** A dot selects its function; a row its typical one, unless one of it is selected already. */
  function press(id: string, spoken: boolean) {
    const { row, dot } = siteOf(id);
    const shown = scene();
    const layer = shown?.content.rows[row];
    if (!shown || !layer) return;
    if (dot >= 0) select(row, layer.functions[dot]);
    else if (shown.chosen !== row) select(row, layer.typical);
    const which = dot >= 0 ? dot : typicalDot(layer);
    if (spoken) shell.speak(`selected: ${dotWords(layer, which, shown.content)}`);
  }

  /** Left and right arrow select one function after another. */
  function arrived(id: string, words: string) {
    const { dot } = siteOf(id);
    if (dot >= 0) press(id, true);
    else shell.speak(words);
  }

  /** Moves the keyboard to the selected function: the arrow keys go on from there. */
  function moveKeyboard() {
    const chosen = shell.store()?.selection();
    const at = siteOf(stage.pointed().keyboard);
    const layer = scene()?.content.rows[at.row];
    if (!chosen || !layer || at.dot >= 0) return;
    const dot = layer.functions.indexOf(functionOf(layer, chosen));
    if (dot >= 0) stage.keyboardAt(`${at.row}.${dot}`);
  }

  return {
    header: header.element,
    stage,
    fileName: () => `layer-ranges step ${scene()?.content.step ?? ""}`,
    changed(what) {
      if (what === "selection") moveKeyboard();
    },
    draw(given) {
      const pointed = stage.pointed();
      const shown = stage.show(given, draw, given.height);
      header.show(given, typeof shown === "string" ? null : shown);
      if (typeof shown === "string") return shown;
      const { row, dot } = siteOf(pointed.id);
      const over = dot < 0 ? shown.content.rows[row] : undefined;
      shell.read(shown.reading || (over ? rowHint(over) : shown.sites.words(pointed.id)) || HINT);
      return shown;
    },
  };
}

const OVER_TIME: Option<Given> = {
  trait: "over_time",
  label: "lines show",
  title: "What the curves show: how it changed with the steps, a plot in each row",
  options: MEASURES.map((value) => ({ value, label: MEASURED[value].words })),
  value: ({ get }) => oneOf(MEASURES, get("over_time")),
};

function createHeader(shell: Shell) {
  const options = createOptions(shell, [OVER_TIME]);
  const root = element(shell.document, "div", "kw-header");
  const shows = "measure over what reaches each layer";
  const look = observeButton(options.kit, shell.store, shows);
  root.append(...options.boxes, look);
  return {
    element: root,
    show(given: Given, shown: RangesScene | null) {
      options.show(given);
      look.hidden = given.store.alone() || !given.store.batch().seen;
      putWords(look, shown?.content.observed ? "observe again" : "observe a batch");
    },
  };
}
