/** A view takes no room until it can be drawn as it will stay: what is below it moves once. */

/** Milliseconds after which it shows as it is: without its font, or with words in place of a drawing. */
const PATIENCE = 400;

export interface Birth {
  /** Whether the font has come, or was waited for long enough. */
  ready(): boolean;
  /** It has been drawn, or never will be: show it. */
  show(): void;
}

export function createBirth(
  root: HTMLElement,
  font: Promise<void>,
  draw: () => void,
  signal: AbortSignal,
): Birth {
  let ready = false;
  root.dataset.kwUnborn = "";

  function goOn() {
    if (ready) return;
    ready = true;
    draw();
  }
  function show() {
    delete root.dataset.kwUnborn;
  }
  void font.then(goOn);
  const timer = setTimeout(() => {
    goOn();
    show();
  }, PATIENCE);
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  return { ready: () => ready, show };
}
