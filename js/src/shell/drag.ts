/** Drags: from where a pointer goes down on a canvas to where it goes up. */

import type { Point } from "../scene/marks.ts";
import { listen } from "./element.ts";

/** Places are those of the scene. */
export interface Drag {
  move(at: Point, event: PointerEvent): void;
  /** The pointer is up, or was taken away. */
  end(): void;
  /** The element that gets the keyboard; the canvas by default. */
  focus?: HTMLElement | undefined;
}

export interface Grip {
  /** The pointer went down on a site: the drag returned is told of its moves until it is up. A drag that moved is no press. */
  grab?(id: string, at: Point, event: PointerEvent): Drag | null;
  /** Whether a finger that goes down on a site drags that and not the page. */
  holds?(id: string): boolean;
}

/** Pixels that a hand moves without meaning it. */
const TREMOR = 2;

/** A finger that goes down where `holds` says so does not scroll the page. */
export function holdFingers(
  canvas: HTMLCanvasElement,
  holds: (finger: Touch) => boolean,
  signal: AbortSignal,
) {
  const touchstart = (event: TouchEvent) => {
    const [finger] = event.touches;
    if (finger && event.cancelable && holds(finger)) event.preventDefault();
  };
  listen(canvas, signal, { touchstart }, { passive: false });
}

/** `at` is where in the scene something happened, `siteAt` what lies there. */
export function createDrags(
  canvas: HTMLCanvasElement,
  at: (event: Pick<MouseEvent, "clientX" | "clientY">) => Point,
  siteAt: (at: Point) => string,
  grip: Grip,
  signal: AbortSignal,
) {
  let drag: Drag | null = null;
  let start: Point = { x: 0, y: 0 };
  let moved = false;

  function end() {
    drag?.end();
    drag = null;
  }

  listen(canvas, signal, {
    pointerdown(event) {
      moved = false;
      if (event.button !== 0 || !grip.grab) return;
      start = at(event);
      drag = grip.grab(siteAt(start), start, event);
      if (drag) canvas.setPointerCapture?.(event.pointerId);
    },
    pointerup: end,
    pointercancel: end,
    mousedown(event) {
      if (!drag) return;
      // So that no text is marked on the way; the keyboard comes here all the same.
      event.preventDefault();
      (drag.focus ?? canvas).focus({ preventScroll: true });
    },
  });
  holdFingers(canvas, (finger) => grip.holds?.(siteAt(at(finger))) === true, signal);

  return {
    /** Passes a move on to the drag that goes on, if one does. */
    move(event: PointerEvent) {
      if (!drag) return;
      const here = at(event);
      moved ||= Math.abs(here.x - start.x) + Math.abs(here.y - start.y) > TREMOR;
      drag.move(here, event);
    },
    /** Whether the click that comes now only ends a drag. */
    tookClick() {
      const took = moved;
      moved = false;
      return took;
    },
  };
}
