/** When to draw: at once for a person, and for frames only as often as leaves the page time to take in more of them. */

export interface Pace {
  /** Draw in the next animation frame. */
  now(): void;
  /** Draw soon, for a frame of the training: after a pause at least half as long as the last drawing took. */
  soon(): void;
  stop(): void;
}

/**
 * Each frame would else be drawn before the next message is read, and a page that is slower than the training would
 * fall behind ever more. So messages get a third of the time at least; of those that have come, the newest is drawn.
 */
export function createPace(window: Window, draw: () => void): Pace {
  let request = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = Number.NEGATIVE_INFINITY;
  let took = 0;

  function run() {
    request = 0;
    clearTimeout(timer);
    timer = undefined;
    const start = performance.now();
    try {
      draw();
    } finally {
      ended = performance.now();
      took = ended - start;
    }
  }

  function now() {
    if (!request) request = window.requestAnimationFrame(run);
  }

  return {
    now,
    soon() {
      if (request || timer !== undefined) return;
      const wait = ended + took / 2 - performance.now();
      if (wait <= 0) now();
      else timer = setTimeout(now, wait);
    },
    stop() {
      window.cancelAnimationFrame(request);
      clearTimeout(timer);
    },
  };
}
