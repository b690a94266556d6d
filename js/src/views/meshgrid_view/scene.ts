/** MeshgridView's scene, in one of its three ways of looking. No DOM. */

import { layerNamed, windowText } from "../../phi/entries.ts";
import type { Drawing } from "../../scene/drawing.ts";
import { type PairScene, pairDrawing } from "./pair_scene.ts";
import { type RampScene, rampDrawing } from "./ramp_scene.ts";
import { type ResponseDrawing, type ResponseScene, responseDrawing } from "./response_scene.ts";
import { settingsOf } from "./settings.ts";

export type MeshScene = RampScene | PairScene | ResponseScene;

export interface MeshDrawing extends Drawing<MeshScene> {
  response: ResponseDrawing;
}

export function drawing(): MeshDrawing {
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
