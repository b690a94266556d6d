/** MeshgridView's scene in one of its three ways of looking, and what is read of it beside the drawing. */

import { range } from "d3-array";
import {
  entryText,
  layerNamed,
  layerTitle,
  outputName,
  placeText,
  windowText,
} from "../../phi/entries.ts";
import { formatNumber } from "../../phi/format.ts";
import { bandLines, phiAt } from "../../phi/interpolate.ts";
import { groupAt } from "../../phi/pair.ts";
import type { Drawing } from "../../scene/drawing.ts";
import type { Rect } from "../../scene/marks.ts";
import { cellOf } from "../../scene/regions.ts";
import type { TipWords } from "../../shell/layer_view.ts";
import { groupName } from "./pair_picture.ts";
import { type PairScene, pairDrawing, pairText } from "./pair_scene.ts";
import { type RampScene, rampDrawing } from "./ramp_scene.ts";
import {
  pixelText,
  type ResponseDrawing,
  type ResponseScene,
  responseDrawing,
} from "./response_scene.ts";
import { type Choice, finite, settingsOf } from "./settings.ts";

export type MeshScene = RampScene | PairScene | ResponseScene;

export function drawing(): Drawing<MeshScene> & { response: ResponseDrawing } {
  const ramp = rampDrawing();
  const pair = pairDrawing();
  const response = responseDrawing();
  const draw: Drawing<MeshScene> = (given) => {
    const frame = given.store.current();
    if (!frame) return "waiting for the first frame…";
    const layer = layerNamed(frame, given.get("layer"));
    if (!layer) return "no layer to draw";
    const observed = given.store.observed(layer.name);
    const shown = { frame, layer, settings: settingsOf(given.get, layer, observed) };
    switch (shown.settings.mode) {
      case "ramp":
        return ramp(given, shown);
      case "pair":
        return pair(given, shown);
      case "response":
        if (layer.window) {
          return `Of this layer the page has ${windowText(layer)}: a response needs all of its functions`;
        }
        return response.draw(given, shown);
    }
  };
  return Object.assign(draw, { response });
}

const MOST_CHOICES = 4096;

/** What is shown of several: a map of a response, an output of a layer too large to show them all, the kernel of a pair. */
export function choiceOf(scene: MeshScene): Choice | null {
  const { layer, settings } = scene;
  const among = (chosen: number, count: number, name: (k: number) => string, all?: string) => {
    const one = range(Math.min(count, MOST_CHOICES)).map((k) => [k, name(k)] as const);
    const names = all ? ([[-1, all], ...one] as const) : one;
    return count > 1 ? { chosen: chosen < count ? chosen : -1, names } : null;
  };
  if (scene.mode === "pair") {
    const { number, groups } = scene.pair.group;
    return among(number, groups, (k) => groupName(layer, groupAt(layer, k)));
  }
  const name = (what: string) => (k: number) => outputName(layer, k, what);
  if (scene.mode === "response") {
    const { outputs, swept } = scene.response;
    return among(outputs.length > 1 ? -1 : outputs[0], swept.outputs, name("map"), "all maps");
  }
  const count = scene.output < 0 ? 0 : layer.shape[0];
  return among(settings.output, count, name("output"), "the selected function’s output");
}

/** What the tooltip says of the site that is pointed at. */
export function tipOf(scene: MeshScene, id: string): TipWords | null {
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

function rampTip({ layer, frame, hovered, input, most }: RampScene) {
  const v = layer.variable;
  return {
    title: `${layerTitle(layer)} · ${entryText(layer, hovered)}`,
    lines: [
      { label: v, value: formatNumber(input) },
      { label: `φ(${v})`, value: finite(phiAt(layer, hovered, frame, input).phi) },
      ...bandLines(layer, hovered, input),
      { label: "colours", value: `±${formatNumber(most)}` },
    ],
  };
}

function cellTip({ layer, response }: ResponseScene, id: string, box: Rect): TipWords | null {
  const cell = cellOf(id);
  if (cell?.name !== "cell") return null;
  const { patch, kernel } = response;
  const entry = cell.row * layer.shape[3] + cell.column;
  return {
    title: placeText(layer, { ...kernel, layer: layer.name, row: cell.row, column: cell.column }),
    lines: [
      { label: layer.variable, value: finite(patch.inputs?.[entry] ?? Number.NaN) },
      { label: "φ", value: finite(patch.values?.[entry] ?? Number.NaN) },
    ],
    box,
  };
}

/** The line below the drawing. */
export function readoutOf(scene: MeshScene): { words: string; chosen: boolean } {
  if (scene.mode === "pair") {
    const hint = "Click two functions: the first takes x, the second y.";
    return { words: scene.chosen ? pairText(scene) : hint, chosen: scene.chosen };
  }
  if (scene.mode === "ramp") {
    const { selected, sites } = scene;
    const hint = "Click a function to select it.";
    return { words: selected >= 0 ? sites.words(String(selected)) : hint, chosen: selected >= 0 };
  }
  const { response, layer } = scene;
  if (response.by === "itself") {
    const draws = response.source.input === "drawn" ? "Draw with the mouse; Shift erases. " : "";
    return { words: `${draws}Point at a pixel of a response; click to keep it.`, chosen: false };
  }
  const kept = response.by === "click";
  const words = `${layerTitle(layer)} · ${pixelText(response)}${kept ? " · kept" : ""}`;
  return { words, chosen: kept };
}
