/** Moving in the plane: zooming, panning, reading along x. */

import { number } from "../../phi/format.ts";
import type { Point } from "../../scene/marks.ts";
import type { Drag } from "../../shell/drag.ts";
import type { Shell } from "../../shell/mount.ts";
import { chosenOf, type InspectorScene, kindOf, type Touch, yRange } from "./scene.ts";
import { dataRange, type Phi, type Range, readAt, tableRange, wholeRange } from "./terms.ts";
import {
  fromX,
  fromY,
  inSight,
  roomy,
  shifted,
  wheelFactor,
  within,
  zoomed,
  zoomedWithin,
} from "./window.ts";

/** How far y is zoomed at most, in and out, as a share of all that is drawn. */
const CLOSEST = 1e-4;
const FURTHEST = 20;

export type Movement = ReturnType<typeof createMovement>;

export function createMovement(
  touch: Touch,
  scene: () => InspectorScene | null,
  { schedule, speak, store }: Pick<Shell, "schedule" | "speak" | "store">,
) {
  const { choose, show, across, acrossBy, upBy } = createPlane(touch, scene, schedule, store);
  const fit = () => choose({ x: null, y: null });

  /** Moves the reading along x; at the edge of what was chosen, that moves along. */
  function read({ key, shiftKey }: KeyboardEvent, { picture }: InspectorScene) {
    const { phi } = picture;
    const { x } = chosenOf(touch, phi);
    const [low, high] = across(phi);
    const step = ((high - low) / (shiftKey ? 20 : 100)) * (key === "ArrowLeft" ? -1 : 1);
    const to = touch.reading === null ? (low + high) / 2 : touch.reading + step;
    if (x && (to < low || to > high)) show(shifted(x, step), null);
    const [least, most] = chosenOf(touch, phi).x ?? [low, high];
    touch.reading = Math.max(least, Math.min(most, to));
    const at = readAt(phi, touch.reading);
    if (at) speak(`x ${number(at.x)}, φ ${number(at.phi)}, slope ${number(at.slope)}`);
  }

  return {
    /** Shows x where the inputs are again, and y as it fits. */
    fit,
    /** Shows all of x, or fits again. */
    range(which: string) {
      const now = scene();
      if (now && which === "all") choose({ x: wholeRange(now.picture.phi), y: null });
      else fit();
    },
    /** Which of these is shown; "" where the plane was moved. */
    shown(): "fit" | "all" | "" {
      const now = scene();
      if (!now) return "fit";
      const { phi, x } = now.picture;
      const chosen = chosenOf(touch, phi);
      if (chosen.x === null && chosen.y === null) return "fit";
      const [low, high] = wholeRange(phi);
      return x[0] <= low && x[1] >= high ? "all" : "";
    },
    /** What a turn of the wheel would do; null for nothing. */
    turn(event: WheelEvent, at: Point): (() => void) | null {
      const now = scene();
      if (!now || touch.held) return null;
      const factor = wheelFactor(event);
      const { plot } = now.places;
      // Over the axis of y, y alone.
      if (at.x < plot.x) return upBy(factor, fromY(now.y, plot, at.y));
      return acrossBy(factor, fromX(now.picture.x, plot, at.x));
    },
    pan(start: Point): Drag | null {
      const now = scene();
      if (!now) return null;
      const { y, picture, places } = now;
      const { plot } = places;
      return {
        move(at) {
          const [dx, dy] = [at.x - start.x, at.y - start.y];
          if (Math.abs(dx) + Math.abs(dy) <= 2) return;
          const by = (-dx / plot.width) * (picture.x[1] - picture.x[0]);
          show(shifted(picture.x, by), shifted(y, (dy / plot.height) * (y[1] - y[0])));
        },
        end() {},
      };
    },
    /** A key of the plane; true where it was used. */
    key(event: KeyboardEvent): boolean {
      const now = scene();
      if (!now) return false;
      const { picture } = now;
      const { key } = event;
      // As it will be drawn: keys may come faster than drawings.
      const chosen = chosenOf(touch, picture.phi);
      const [low, high] = across(picture.phi);
      const middle = touch.reading ?? (low + high) / 2;
      if (key === "ArrowLeft" || key === "ArrowRight") read(event, now);
      else if (key === "ArrowUp" || key === "ArrowDown") {
        const y = yRange(picture, chosen);
        const step = (y[1] - y[0]) * (event.shiftKey ? 0.25 : 0.05);
        show(null, shifted(y, key === "ArrowUp" ? step : -step));
      } else if (key === "+" || key === "=") acrossBy(0.8, middle)?.();
      else if (key === "-") acrossBy(1.25, middle)?.();
      else if (key === "0") fit();
      else if (key === "Escape") touch.reading = null;
      else return false;
      return true;
    },
  };
}

/** What of the plane is shown, and what zooming would show. */
function createPlane(
  touch: Touch,
  scene: () => InspectorScene | null,
  schedule: () => void,
  store: Shell["store"],
) {
  function choose(change: Partial<Touch["chosen"]>) {
    const now = scene();
    if (!now) return;
    const { phi } = now.picture;
    touch.chosen = { ...chosenOf(touch, phi), ...change, of: kindOf(phi) };
    schedule();
  }

  function show(x: Range | null, y: Range | null) {
    const now = scene();
    if (!now) return;
    const { phi, reaches } = now.picture;
    choose({
      ...(x && { x: within(x, tableRange(phi)) }),
      ...(y && { y: inSight(y, reaches) }),
    });
  }

  const across = (phi: Phi): Range =>
    chosenOf(touch, phi).x ?? dataRange(phi, store()?.observed(phi.layer.name) ?? null);

  /** What zooming x by a factor does; y then fits what is seen. Null where there is nothing to zoom. */
  function acrossBy(factor: number, at: number): (() => void) | null {
    const now = scene();
    if (!now) return null;
    const { phi } = now.picture;
    const x = across(phi);
    const next = zoomedWithin(x, at, factor, tableRange(phi));
    return next && (() => choose({ x: next, y: null }));
  }

  /** Likewise for y alone. */
  function upBy(factor: number, at: number): (() => void) | null {
    const now = scene();
    if (!now) return null;
    const [low, high] = roomy(now.picture.held);
    const share = (now.y[1] - now.y[0]) / (high - low);
    if (factor < 1 ? share <= CLOSEST : share >= FURTHEST) return null;
    const next = zoomed(now.y, at, factor);
    return () => show(null, next);
  }

  return { choose, show, across, acrossBy, upBy };
}
