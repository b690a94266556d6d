/** When a view draws: at its pace while it is on the screen, and once it is there again if something came meanwhile. */

import { createPace } from "./pace.ts";
import { watchSight } from "./watch.ts";

export interface Turns {
  now(): void;
  /** For a frame of the training. */
  soon(): void;
}

export function createTurns(root: HTMLElement, draw: () => void, signal: AbortSignal): Turns {
  const pace = createPace(root.ownerDocument.defaultView as Window, draw);
  let seen = true;
  let waiting = false;

  const turn = (take: () => void) => () => {
    if (seen) take();
    waiting = !seen;
  };
  const now = turn(pace.now);
  watchSight(
    root,
    (onScreen) => {
      seen = onScreen;
      if (seen && waiting) now();
    },
    signal,
  );
  signal.addEventListener("abort", pace.stop, { once: true });
  return { now, soon: turn(pace.soon) };
}
