/** Draws again what could not be drawn for want of a width. */

export interface Unseen {
  /** There is no width: try again soon, for a while. */
  hidden(): void;
  /** There is one. */
  shown(): void;
  stop(): void;
}

/** Milliseconds between two tries, and how many there are. */
export const PAUSE = 100;
const TRIES = 30;

/**
 * A resize observer tells when a view gets a width. But JupyterLab hides its page for the moment in which it changes its
 * theme, too short for an observer to see, and what is drawn then would keep the colours of before.
 */
export function createUnseen(draw: () => void): Unseen {
  let tries = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    hidden() {
      clearTimeout(timer);
      if (++tries < TRIES) timer = setTimeout(draw, PAUSE);
    },
    shown() {
      clearTimeout(timer);
      tries = 0;
    },
    stop() {
      clearTimeout(timer);
    },
  };
}
