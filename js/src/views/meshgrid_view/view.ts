/** MeshgridView: the header, the tooltip and the hands on its scenes. */

import { layerNamed } from "../../phi/entries.ts";
import { offersObserving } from "../../phi/inputs.ts";
import { clearedBy, createLayerView, pressFunction } from "../../shell/layer_view.ts";
import { type Kind, type Parts, type Shell, type ViewElement, viewOf } from "../../shell/mount.ts";
import { createPen } from "../../shell/pen.ts";
import { createViewStage } from "../../shell/stage.ts";
import type { Frame, LayerLayout } from "../../wire/types.ts";
import { createHeader } from "./controls.ts";
import { createPairHands, createPointing, createResponseHands } from "./hands.ts";
import { choiceOf, drawing, type MeshScene, readoutOf, tipOf } from "./scene.ts";
import { type MeshMode, settingsOf } from "./settings.ts";
import css from "./style.css";

export { css, drawing };

const KIND: Kind = {
  name: "meshgrid_view",
  label: "Meshgrid view",
  fits: true,
  drawing,
};
/** Sites that are read place by place, or drawn on. */
const READ = /^(map|plot|input)\//;

export const render = viewOf(KIND, build);

function build(shell: Shell): Parts {
  const { signal, root } = shell;
  const draw = drawing();
  let scene: MeshScene | null = null;
  const response = () => (scene?.mode === "response" ? scene : null);
  const stage = createViewStage(shell, {
    press,
    key,
    cursor: (id) => (READ.test(id) ? "crosshair" : id ? "pointer" : ""),
  });
  const pair = createPairHands(shell);
  const paper = () => {
    const shown = response();
    return shown?.response.source.input === "drawn" ? shown.layout.image : null;
  };
  const pen = createPen(shell, stage, draw.response.sketch, paper);
  const hands = createResponseHands(shell, draw.response, pen);
  const pointing = createPointing(signal);
  const header = createHeader(shell, { choose, clear: pen.clear });

  function press(id: string, event: MouseEvent | KeyboardEvent) {
    if (scene?.mode === "ramp") pressFunction(shell, scene.layer, id, event);
    else if (scene?.mode === "pair") pair.press(scene, id);
    else if (scene) hands.press(scene, id, event);
  }

  function choose(trait: string, value: unknown) {
    if (trait === "output" && scene?.mode === "pair") pair.turn(scene, Number(value));
    else shell.choose(trait, value);
  }

  function key(event: KeyboardEvent, id: string): boolean {
    if (scene?.mode === "pair" && pair.key(scene, event, id)) return true;
    if (scene?.mode === "response" && hands.key(event, id)) return true;
    const choice = scene && choiceOf(scene);
    const by = { PageDown: 1, PageUp: -1 }[event.key];
    if (!choice || !by) return clearedBy(event, shell);
    const at = choice.names.findIndex(([value]) => value === choice.chosen);
    const [value, name] = choice.names[at + by] ?? choice.names[at];
    choose("output", value);
    // To the same pixel of the other map.
    if (value >= 0) stage.keyboardAt(id.replace(/^map\/\d+/, `map/${value}`));
    shell.speak(name);
    return true;
  }

  function showHeader(frame: Frame | null) {
    const layer = layerNamed(frame, shell.get("layer"));
    const settings = settingsFor(shell, layer);
    const source = settings.mode === "response" ? draw.response.source() : null;
    header.show({
      ...settings,
      layer: layer?.name ?? "",
      layers: frame?.layout.layers ?? [],
      width: root.clientWidth,
      inputs: source,
      choice: scene && choiceOf(scene),
      canObserve: layer !== null && offersObserving(shell.store(), layer.name),
    });
    root.dataset.mode = settings.mode;
    root.toggleAttribute("data-draws", source?.input === "drawn");
  }

  const view = createLayerView(shell, stage);

  return {
    forTests: forTests(root, view, pen.through),
    header: header.element,
    stage,
    fileName: () =>
      `meshgrid-view ${scene?.mode ?? ""} ${scene?.layer.name ?? ""} step ${view.step() ?? ""}`,
    still: (given) => draw(given),
    changed(what) {
      view.changed(what);
      const shown = response();
      if (what === "selection" && shown) hands.selectionChanged(shown);
      if (what === "stream") pointing.stop();
    },
    cleared() {
      scene = null;
      pointing.stop();
    },
    draw(given) {
      const { store, height } = given;
      // Much more is shown whole: what scrolls inside a page that scrolls is hard to use.
      const layer = layerNamed(store.current(), given.get("layer"));
      const inside = settingsFor(shell, layer).mode === "ramp" ? height : 3 * height;
      const most = Math.min(inside, (given.room && given.seen) || inside);
      const shown = view.show(given, layer, most, draw);
      scene = typeof shown === "string" ? null : shown;
      showHeader(store.current());
      if (typeof shown === "string") return shown;
      view.tell(tipOf(shown, stage.pointed().id));
      const readout = readoutOf(shown);
      shell.read(readout.words, readout.chosen);
      if (shown.mode === "response") pointing.tell(shown, store);
      else pointing.stop();
      return shown;
    },
  };
}

function settingsFor(shell: Shell, layer: LayerLayout | null) {
  const observed = layer && (shell.store()?.observed(layer.name) ?? null);
  return settingsOf(shell.get, layer, observed);
}

/** What tests and other tools may ask of it. */
export type MeshElement = ViewElement<MeshScene, ReturnType<typeof forTests>>;

function forTests(
  root: HTMLElement,
  { step, drawn }: ReturnType<typeof createLayerView>,
  draw: ReturnType<typeof createPen>["through"],
) {
  return {
    ...{ step, drawn, draw },
    mode: () => root.dataset.mode as MeshMode,
    layer: () => root.dataset.layer ?? null,
  };
}
