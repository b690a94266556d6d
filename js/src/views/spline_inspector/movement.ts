/** Moving along x in the plane: zooming, panning, reading. y fits what is seen. */

import { formatNumber } from "../../phi/format.ts";
import type { Ends } from "../../phi/inputs.ts";
import type { Point } from "../../scene/marks.ts";
import type { Drag } from "../../shell/drag.ts";
import type { Shell } from "../../shell/mount.ts";
import { chosenX, type InspectorScene, kindOf, type Touch } from "./scene.ts";
import { dataRange, type Phi, readPhi, tableRange, wholeRange } from "./terms.ts";
import { fromX, shiftedWithin, wheelFactor, zoomedWithin } from "./window.ts";

export type Movement = ReturnType<typeof createMovement>;

export function createMovement(
  touch: Touch,
  scene: () => InspectorScene | null,
  { schedule, speak, store }: Pick<Shell, "schedule" | "speak" | "store">,
) {
  function choose(phi: Phi, x: Ends | null) {
    touch.chosen = x && { of: kindOf(phi), x };
    schedule();
  }

  /** As it will be drawn: keys may come faster than drawings. */
  const across = (phi: Phi): Ends =>
    chosenX(touch, phi) ?? dataRange(phi, store()?.observed(phi.layer.name) ?? null);

  const shift = (phi: Phi, x: Ends, by: number) =>
    choose(phi, shiftedWithin(x, by, tableRange(phi)));

  /** What zooming by a factor does; null where there is nothing to zoom. */
  function zoom({ picture: { phi } }: InspectorScene, factor: number, at: number) {
    const next = zoomedWithin(across(phi), at, factor, tableRange(phi));
    return next && (() => choose(phi, next));
  }

  function fit() {
    const now = scene();
    if (now) choose(now.picture.phi, null);
  }

  /** Moves the reading along x; at the edge of what was chosen, that moves along. */
  function read({ key, shiftKey }: KeyboardEvent, phi: Phi) {
    const [low, high] = across(phi);
    const step = ((high - low) / (shiftKey ? 20 : 100)) * (key === "ArrowLeft" ? -1 : 1);
    const to = touch.reading === null ? (low + high) / 2 : touch.reading + step;
    const chosen = chosenX(touch, phi);
    if (chosen && (to < low || to > high)) shift(phi, chosen, step);
    const [least, most] = chosenX(touch, phi) ?? [low, high];
    touch.reading = Math.max(least, Math.min(most, to));
    const at = readPhi(phi, touch.reading);
    if (at)
      speak(`x ${formatNumber(at.x)}, φ ${formatNumber(at.phi)}, slope ${formatNumber(at.slope)}`);
  }

  return {
    /** Shows x where the inputs are again. */
    fit,
    /** Shows all of x, or fits again. */
    range(which: string) {
      const now = scene();
      if (now && which === "all") choose(now.picture.phi, wholeRange(now.picture.phi));
      else fit();
    },
    /** Which of these is shown; "" where the plane was moved. */
    shown(): "fit" | "all" | "" {
      const now = scene();
      if (!now) return "fit";
      const { phi, x } = now.picture;
      if (!chosenX(touch, phi)) return "fit";
      const [low, high] = wholeRange(phi);
      return x[0] <= low && x[1] >= high ? "all" : "";
    },
    /** What a turn of the wheel would do; null for nothing. */
    turn(event: WheelEvent, at: Point): (() => void) | null {
      const now = scene();
      if (!now || touch.held) return null;
      return zoom(now, wheelFactor(event), fromX(now.picture.x, now.places.plot, at.x));
    },
    pan(start: Point): Drag | null {
      const now = scene();
      if (!now) return null;
      const { phi, x } = now.picture;
      return {
        move(at) {
          const by = start.x - at.x;
          if (Math.abs(by) > 2) shift(phi, x, (by / now.places.plot.width) * (x[1] - x[0]));
        },
        end() {},
      };
    },
    /** A key of the plane; true where it was used. */
    key(event: KeyboardEvent): boolean {
      const now = scene();
      if (!now) return false;
      const { phi } = now.picture;
      const { key } = event;
      const [low, high] = across(phi);
      const middle = touch.reading ?? (low + high) / 2;
      if (key === "ArrowLeft" || key === "ArrowRight") read(event, phi);
      else if (key === "+" || key === "=" || key === "ArrowUp") zoom(now, 0.8, middle)?.();
      else if (key === "-" || key === "ArrowDown") zoom(now, 1.25, middle)?.();
      else if (key === "0") fit();
      else if (key === "Escape") touch.reading = null;
      else return false;
      return true;
    },
  };
}
