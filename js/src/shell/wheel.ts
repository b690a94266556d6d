/** The wheel belongs to the page, unless Ctrl or ⌘ is held or one has clicked into the plot. */

import { atEnd, element, listen, putWords } from "./element.ts";

/** Milliseconds that the hint stays. */
const HINT_TIME = 2500;

/** Zooms by the wheel where `zoom` says so, else the page scrolls. A click `within` the plot gives it the wheel, until Escape or a blur; a hint says so. */
export function takeWheel(
  plot: HTMLElement,
  zoom: (event: WheelEvent) => (() => void) | null,
  signal: AbortSignal,
  within: (event: MouseEvent) => boolean = () => true,
): void {
  const document = plot.ownerDocument;
  const hint = element(document, "div", "kw-wheel-hint", plot);
  hint.hidden = true;
  hint.setAttribute("aria-hidden", "true");
  const key = /mac/i.test(document.defaultView?.navigator.platform ?? "") ? "⌘" : "Ctrl";
  let isOurs = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function say(text: string) {
    clearTimeout(timer);
    putWords(hint, text);
    hint.hidden = text === "";
    if (text) timer = setTimeout(() => say(""), HINT_TIME);
  }

  function setOurs(now: boolean) {
    if (isOurs === now) return;
    isOurs = now;
    plot.toggleAttribute("data-wheel", now);
    say(now ? "The wheel zooms. Press Escape to scroll the page again." : "");
  }

  function wheel(event: WheelEvent) {
    const hasKey = event.ctrlKey || event.metaKey;
    const turn = zoom(event);
    if (!hasKey && !isOurs) {
      if (turn) say(`Use ${key} + wheel to zoom, or click the plot first.`);
      return;
    }
    // With the key held the browser would zoom the whole page.
    if (!turn && !hasKey) return;
    event.preventDefault();
    event.stopPropagation();
    turn?.();
  }

  listen(plot, signal, { wheel }, { passive: false });
  listen(plot, signal, {
    pointerdown: (event) => event.button === 0 && within(event) && setOurs(true),
    focusout: (event) => plot.contains(event.relatedTarget as Node | null) || setOurs(false),
  });
  // Before the plot itself has used the key.
  const keydown = (event: KeyboardEvent) => event.key === "Escape" && setOurs(false);
  listen(plot, signal, { keydown }, { capture: true });
  atEnd(signal, () => clearTimeout(timer));
}
