/** Goes through the history by itself, and by steps. It needs no kernel. */

import type { Timed } from "./timed.ts";

/** A whole history plays in about this long, in milliseconds, unless that were more than one frame a time. */
const PLAY_TIME = 10_000;
/** The least time between two steps of a playing history. */
const BEAT = 40;

export function createPlayer(store: Timed, started: () => void, stopped: () => void) {
  let timer: ReturnType<typeof setInterval> | undefined;
  let steps: number[] = [];

  /** The place in `steps` of the frame shown. */
  function index(): number {
    const step = store.current()?.step ?? 0;
    const at = steps.indexOf(step);
    return at >= 0 ? at : steps.filter((kept) => kept < step).length - 1;
  }

  /** Shows the kept step that is so many further. */
  function move(by: number) {
    steps = store.steps();
    if (steps.length === 0) return;
    store.setCursor(steps[Math.max(0, Math.min(steps.length - 1, index() + by))]);
  }

  function stop() {
    clearInterval(timer);
    timer = undefined;
    stopped();
  }

  return {
    playing: () => timer !== undefined,
    stop,
    move,
    start() {
      steps = store.steps();
      if (store.cursor() < 0 || index() >= steps.length - 1) store.setCursor(steps[0]);
      const stride = Math.max(1, Math.ceil((steps.length * BEAT) / PLAY_TIME));
      const beat = Math.max(BEAT, Math.min(250, PLAY_TIME / Math.max(1, steps.length)));
      timer = setInterval(() => {
        if (store.cursor() < 0) stop();
        else move(stride);
        if (index() >= steps.length - 1) stop();
      }, beat);
      started();
    },
  };
}
