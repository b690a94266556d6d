/** When to draw: at once for a person, and for frames only as often as leaves the page time to take in more of them. */

interface Pace {
  /** Draw in the next animation frame. */
  now(): void;
  /** Draw soon, for a frame of the training: so that of the time a third at least is left. */
  soon(): void;
  stop(): void;
}

/** Milliseconds of an animation frame: so much before its time a drawing may begin. */
const SLACK = 16;
/** The most milliseconds that count of one drawing: in the middle of it a computer may have slept, or a starved page. */
const LONGEST = 1000;
/** From when on frames may be drawn in a window: its views have one time together. */
const free = new WeakMap<Window, number>();

/**
 * Each frame would else be drawn before the next message is read, and a page that is slower than the training would
 * fall behind ever more. So messages get a third of the time at least, however many views there are; of those that have
 * come, the newest is drawn.
 * The pause is waited for from one animation frame to the next: after a timer it would be the one after. What it is
 * shorter or longer by than whole animation frames, the next one makes up for.
 */
export function createPace(window: Window, draw: () => void): Pace {
  let request = 0;
  let isUrgent = false;

  function run() {
    const start = performance.now();
    const due = free.get(window) ?? Number.NEGATIVE_INFINITY;
    if (!isUrgent && start < due - SLACK) {
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
      // What a person asked for meanwhile is no debt that grows.
      free.set(window, wasUrgent ? Math.max(due, Math.min(next, ended + took)) : next);
    }
  }

  function soon() {
    if (!request) request = window.requestAnimationFrame(run);
  }

  return {
    now() {
      isUrgent = true;
      soon();
    },
    soon,
    stop() {
      window.cancelAnimationFrame(request);
    },
  };
}
