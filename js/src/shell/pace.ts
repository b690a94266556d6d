/** When to draw: at once for a person, and for frames only as often as leaves the page time to take in more of them. */

/** Milliseconds of an animation frame: a drawing may begin so much before it is due. */
const EARLY = 16;
/** The most milliseconds that count of one drawing: in the middle of it a computer may have slept, or a starved page. */
const LONGEST = 1000;
/** When the next frame may be drawn in a window: all its views share one time. */
const freeFrom = new WeakMap<Window, number>();

/** Messages get a third of the time at least, and of the frames that have come the newest is drawn: else a slow page would fall behind. A pause ends with an animation frame; what it has more or less, the next makes up for. */
export function createPace(window: Window, draw: () => void) {
  let request = 0;
  let isUrgent = false;

  function run() {
    const start = performance.now();
    const due = freeFrom.get(window) ?? Number.NEGATIVE_INFINITY;
    if (!isUrgent && start < due - EARLY) {
      request = window.requestAnimationFrame(run);
      return;
    }
    request = 0;
    const wasUrgent = isUrgent;
    isUrgent = false;
    try {
      draw();
    } finally {
      const ended = performance.now();
      const took = Math.min(ended - start, LONGEST);
      const next = Math.max(due, start) + 1.5 * took;
      // Drawings that a person asks for add to no debt.
      freeFrom.set(window, wasUrgent ? Math.max(due, Math.min(next, ended + took)) : next);
    }
  }

  function soon() {
    if (!request) request = window.requestAnimationFrame(run);
  }

  return {
    /** Draw in the next animation frame. */
    now() {
      isUrgent = true;
      soon();
    },
    /** Draw soon, for a frame of the training: so that of the time a third at least is left. */
    soon,
    stop() {
      window.cancelAnimationFrame(request);
    },
  };
}
