/** Which part of the diagram is seen: closer, farther, moved. */

import type { Point } from "../../scene/marks.ts";
import type { Window } from "./diagram.ts";
import { CLOSEST, type NetworkDrawing, type NetworkScene } from "./scene.ts";

export function createCamera(
  draw: NetworkDrawing,
  seen: () => NetworkScene | null,
  schedule: () => void,
) {
  /** Makes the diagram larger around a place of the scene, by default the middle of what is seen. */
  function zoom(factor: number, place: Point | null) {
    const scene = seen();
    if (!scene) return;
    const { room } = scene;
    const { scale, x, y } = draw.window;
    const next = zoomedTo(scale * factor);
    const by = next / scale;
    const at = place ?? { x: room.x + room.width / 2, y: room.y + room.height / 2 };
    const [dx, dy] = [at.x - room.x, at.y - room.y];
    moveTo({ scale: next, x: (x + dx) * by - dx, y: (y + dy) * by - dy });
  }

  function moveTo(window: Window) {
    const scene = seen();
    if (!scene) return;
    const { room } = scene;
    const most = (size: number) => Math.max(0, size * window.scale - size);
    const wide = Math.max(scene.diagram.layout.width, room.width * window.scale);
    draw.window = {
      scale: window.scale,
      x: Math.max(0, Math.min(wide - room.width, window.x)),
      y: Math.max(0, Math.min(most(room.height), window.y)),
    };
    schedule();
  }

  function drag(from: Point) {
    const { scale, x, y } = draw.window;
    return {
      move: (to: Point) => moveTo({ scale, x: x - (to.x - from.x), y: y - (to.y - from.y) }),
      end() {},
    };
  }

  /** What a turn of the wheel does; null where nothing is closer, or farther. */
  function turn(event: WheelEvent, at: Point): (() => void) | null {
    const factor = Math.exp(-Math.max(-240, Math.min(240, event.deltaY)) / 360);
    const next = zoomedTo(draw.window.scale * factor);
    return next === draw.window.scale ? null : () => zoom(factor, at);
  }

  return { zoom, turn, moveTo, drag };
}

function zoomedTo(scale: number): number {
  const next = Math.max(1, Math.min(CLOSEST, scale));
  return next < 1.02 ? 1 : next;
}
