/** MeshgridView: the header, the tooltip and the hands on its scenes. */

import type { RenderProps } from "@anywidget/types";
import { entryText, layerNamed, layerTitle, selectionOf } from "../../phi/entries.ts";
import { number } from "../../phi/format.ts";
import type { Rect } from "../../scene/marks.ts";
import { cellOf } from "../../scene/regions.ts";
import { followSelection } from "../../shell/follow.ts";
import { type Kind, mountView, type Parts, type Shell } from "../../shell/mount.ts";
import { createStage } from "../../shell/stage.ts";
import type { Line } from "../../shell/tip.ts";
import type { Frame } from "../../wire/types.ts";
import { createHeader } from "./controls.ts";
import { createPairHands } from "./pair_hands.ts";
import { pairText } from "./pair_scene.ts";
import { type MeshElement, probeFor } from "./probe.ts";
import type { RampScene } from "./ramp_scene.ts";
import { createResponseHands } from "./response_hands.ts";
import { placeText, type ResponseScene } from "./response_scene.ts";
import { drawing, type MeshScene } from "./scene.ts";
import { settingsOf, TRAITS } from "./settings.ts";
import css from "./style.css";
import { finite } from "./words.ts";

export { css, drawing };

const KIND: Kind = { name: "meshgrid_view", label: "Meshgrid view", traits: TRAITS, drawing };

/** Sites that are read place by place, or drawn on. */
const READ = /^(map|plot|input)\//;

export function render(props: RenderProps): void {
  mountView(KIND, props, build);
}

function build(shell: Shell): Parts {
  const { document, signal, tip, root } = shell;
  const draw = drawing();
  let scene: MeshScene | null = null;
  let drawnFrame: Frame | null = null;
  let frames = 0;
  let milliseconds = 0;
  const response = () => (scene?.mode === "response" ? scene : null);
  const stage = createStage(
    document,
    {
      moved: shell.schedule,
      press,
      arrived: (id) => shell.speak(scene?.sites.words(id) ?? ""),
      key,
      cursor: (id) => (READ.test(id) ? "crosshair" : id ? "pointer" : ""),
    },
    signal,
  );
  const pairHands = createPairHands(shell, () => stage);
  const responseHands = createResponseHands(shell, () => stage, draw.response, response);
  const { clear } = responseHands;
  const acts = { choose: shell.choose, setAxis: pairHands.setAxis, clear };
  const header = createHeader(document, acts, signal);

  function press(id: string, event: MouseEvent | KeyboardEvent) {
    if (scene?.mode === "pair") pairHands.press(scene, id);
    else if (scene?.mode === "response") responseHands.press(scene, id, event);
    else if (scene && id !== "") {
      shell.store()?.select(selectionOf(scene.layer, Number(id)));
      if (event.type === "keydown") shell.speak(`selected: ${entryText(scene.layer, Number(id))}`);
    }
  }

  function key(event: KeyboardEvent, id: string): boolean {
    if (scene?.mode === "pair") return pairHands.key(scene, event, id);
    if (scene?.mode === "response") return responseHands.key(scene, event, id);
    const store = shell.store();
    if (event.key !== "Escape" || !store?.selection()) return false;
    store.select(null);
    shell.speak("selection cleared");
    return true;
  }

  function showHeader(frame: Frame | null) {
    const settings = settingsOf(shell.get);
    const source = settings.mode === "response" ? draw.response.source() : null;
    header.show({
      settings,
      layer: layerNamed(frame, shell.get("layer"))?.name ?? "",
      layers: frame?.layout.layers ?? [],
      width: root.clientWidth,
      inputs: source,
      outputs: response()?.response.swept.outputs ?? 0,
      axis: pairHands.axis(),
    });
    root.dataset.mode = settings.mode;
    root.toggleAttribute("data-draws", source?.input === "drawn");
  }

  function showTip(shown: MeshScene) {
    const told = tipOf(shown, stage.pointed().id);
    if (!told) {
      tip.hide();
      return;
    }
    const { element } = stage;
    const seen = stage.view();
    const { box } = told;
    tip.show(
      told.title,
      told.lines,
      { ...box, x: box.x - seen.x + element.offsetLeft, y: box.y - seen.y + element.offsetTop },
      { width: root.clientWidth, height: element.offsetTop + element.offsetHeight },
    );
  }

  (root as unknown as MeshElement).kwView = probeFor({
    root,
    stage,
    scene: () => scene,
    step: () => drawnFrame?.step ?? null,
    mode: () => settingsOf(shell.get).mode,
    drawLine: responseHands.drawLine,
    drawn: () => ({ frames, milliseconds }),
  });

  return {
    header: header.element,
    body: stage.element,
    width: stage.width,
    fileName: () =>
      `meshgrid-view ${scene?.mode ?? ""} ${scene?.layer.name ?? ""} step ${drawnFrame?.step ?? ""}`,
    still: (given) => draw(given),
    changed(what) {
      if (what === "selection") {
        followSelection(shell);
        const shown = response();
        if (shown) responseHands.follow(shown);
      }
      if (what === "layer" || what === "mode") {
        stage.scrollToTop();
        stage.keyboardAt("");
      }
      if (what === "stream") {
        drawnFrame = null;
        responseHands.leave();
      }
    },
    cleared() {
      scene = null;
      responseHands.leave();
    },
    draw(given) {
      const start = performance.now();
      const { store, height, ratio } = given;
      const pointed = stage.pointed();
      const shown = stage.show((width) => draw({ ...given, width, pointed }), height, ratio);
      scene = typeof shown === "string" ? null : shown;
      const frame = store.current();
      const layer = layerNamed(frame, given.get("layer"));
      if (layer && root.dataset.layer !== layer.name) root.dataset.layer = layer.name;
      if (frame !== drawnFrame) {
        drawnFrame = frame;
        frames++;
      }
      showHeader(frame);
      if (typeof shown === "string") return shown;
      showTip(shown);
      const told = readoutOf(shown);
      shell.read(told.words, told.chosen);
      if (shown.mode === "response") responseHands.drawn(shown, store);
      else responseHands.leave();
      milliseconds = performance.now() - start;
      return shown;
    },
  };
}

interface Told {
  title: string;
  lines: Line[];
  /** In the scene. */
  box: Rect;
}

/** What the tooltip says of the site that is pointed at. */
function tipOf(scene: MeshScene, id: string): Told | null {
  const box = scene.sites.box(id);
  if (!box) return null;
  if (scene.mode === "ramp") return { ...rampTip(scene), box };
  if (scene.mode === "response") return cellTip(scene, id, box);
  const { reading, pair, layout } = scene;
  if (!reading) return null;
  const [x, y] = [layout.axes[0].scale(reading.x), layout.axes[1].scale(reading.y)];
  const { lines } = reading;
  const at = { x: x - 4, y: y - 4, width: 8, height: 8 };
  return { title: `${pair.names[0]} and ${pair.names[1]}`, lines, box: at };
}

function rampTip({ layer, hovered, x, ramp, curves, scaleOf }: RampScene) {
  const phi = curves.y[hovered * curves.points + ramp.values.indexOf(x)];
  const v = layer.variable;
  return {
    title: `${layerTitle(layer)} · ${entryText(layer, hovered)}`,
    lines: [
      { label: v, value: number(x) },
      { label: `φ(${v})`, value: finite(phi) },
      { label: "colours", value: `±${number(scaleOf(hovered))}` },
    ],
  };
}

function cellTip({ layer, response }: ResponseScene, id: string, box: Rect): Told | null {
  const cell = cellOf(id);
  if (cell?.name !== "cell") return null;
  const { patch, kernel } = response;
  const entry = cell.row * layer.shape[3] + cell.column;
  return {
    title: `out ${kernel.out} · in ${kernel.in} · row ${cell.row} · column ${cell.column}`,
    lines: [
      { label: layer.variable, value: finite(patch.inputs?.[entry] ?? Number.NaN) },
      { label: "φ", value: finite(patch.values?.[entry] ?? Number.NaN) },
    ],
    box,
  };
}

/** The line below the drawing. */
function readoutOf(scene: MeshScene): { words: string; chosen: boolean } {
  if (scene.mode === "pair") {
    const hint = "Click two entries of the kernel: the first is x, the second y.";
    return { words: scene.chosen ? pairText(scene) : hint, chosen: scene.chosen };
  }
  if (scene.mode === "ramp") {
    const { selected, sites } = scene;
    const hint = "Click a function to select it, or use the arrow keys and Enter.";
    return { words: selected >= 0 ? sites.words(String(selected)) : hint, chosen: selected >= 0 };
  }
  const { response, layer } = scene;
  if (response.by === "itself") {
    const draws = response.source.input === "drawn" ? "Draw with the mouse; Shift erases. " : "";
    return { words: `${draws}Point at a pixel of a response; click to keep it.`, chosen: false };
  }
  const kept = response.by === "click";
  const words = `${layerTitle(layer)} · ${placeText(response)}${kept ? " · kept" : ""}`;
  return { words, chosen: kept };
}
