/** When a view draws: first when it can be drawn as it will stay, then at its pace while on the screen, and again if it could not be drawn. */

import { atEnd } from "./element.ts";
import { createPace } from "./pace.ts";

/** Milliseconds without news after which a view out of sight is drawn, too, so that no old number stays. */
const QUIET = 1000;

/** Draws a view at its pace while it is on the screen, and otherwise once it is there again, or once nothing more comes. */
export function createTurns(root: HTMLElement, draw: () => void, signal: AbortSignal) {
  const pace = createPace(root.ownerDocument.defaultView as Window, draw);
  let isSeen = true;
  let isWaiting = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const turn = (act: () => void) => () => {
    clearTimeout(timer);
    if (isSeen) act();
    else timer = setTimeout(pace.now, QUIET);
    isWaiting = !isSeen;
  };
  const now = turn(pace.now);
  const observer = new IntersectionObserver(
    (entries) => {
      isSeen = entries[entries.length - 1].isIntersecting;
      if (isSeen && isWaiting) now();
    },
    { rootMargin: "200px" },
  );
  observer.observe(root);
  atEnd(signal, () => {
    observer.disconnect();
    clearTimeout(timer);
    pace.stop();
  });
  /** `soon`: for a frame of the training. */
  return { now, soon: turn(pace.soon) };
}

/** Milliseconds after which a view shows as it is: without its font, or with words in place of a drawing. */
const LONGEST_WAIT = 400;

/** A view takes no room until it can be drawn as it will stay: what is below it moves once. */
export function createBirth(
  root: HTMLElement,
  font: Promise<void>,
  draw: () => void,
  signal: AbortSignal,
) {
  let ready = false;
  root.dataset.kwUnborn = "";

  function goOn() {
    if (ready) return;
    ready = true;
    draw();
  }
  /** The view has been drawn, or never will be. */
  function show() {
    delete root.dataset.kwUnborn;
  }
  void font.then(goOn);
  const timer = setTimeout(() => {
    goOn();
    show();
  }, LONGEST_WAIT);
  atEnd(signal, () => clearTimeout(timer));
  /** `ready`: whether the font has come, or was waited for long enough. */
  return { ready: () => ready, show };
}

/** Milliseconds between two tries to draw what has no width, and how many there are. */
export const PAUSE = 100;
const TRIES = 30;

/** Draws again what had no width. An observer tells when it gets one, but not when JupyterLab hides its page for a change of theme. */
export function createUnseen(draw: () => void) {
  let tries = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => clearTimeout(timer);
  return {
    /** There is no width: try again soon, for a while. */
    hidden() {
      stop();
      if (++tries < TRIES) timer = setTimeout(draw, PAUSE);
    },
    /** There is a width. */
    shown() {
      stop();
      tries = 0;
    },
    stop,
  };
}
