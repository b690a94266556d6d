/** The line under the header: the colour bar with its range, the axis, remarks, and the status. */

import { element, type Facts } from "./panel.ts";
import { barText, reachText } from "./words.ts";

export interface Caption {
  element: HTMLElement;
  show(facts: Facts, gradient: string, held: string): void;
  /** Nothing is drawn: only the status stays. */
  clear(): void;
  status(text: string, state: string, arriving: boolean): void;
}

export function createCaption(document: Document): Caption {
  const root = element(document, "div", "kw-caption");
  const facts = element(document, "span", "kw-facts", root);
  const bar = element(document, "span", "kw-bar", facts);
  bar.setAttribute("role", "img");
  const low = element(document, "span", "kw-bar-end", bar);
  const colours = element(document, "span", "kw-bar-colours", bar);
  const reached = element(document, "span", "kw-bar-reach", colours);
  const high = element(document, "span", "kw-bar-end", bar);
  const own = element(document, "span", "kw-own", facts);
  const reach = element(document, "span", "kw-reach", facts);
  const axis = element(document, "span", "kw-axis-words", facts);
  const warning = element(document, "span", "kw-warning", facts);
  const note = element(document, "span", "kw-note", facts);
  const status = element(document, "span", "kw-status", root);
  const dot = element(document, "span", "kw-dot", status);
  const said = element(document, "span", "kw-status-text", status);
  let heldFor = "";

  /** Longer numbers may wrap onto another line once; shorter ones then do not pull the drawing up again. */
  function holdHeight(key: string) {
    if (key !== heldFor) {
      heldFor = key;
      facts.style.minHeight = "";
    }
    const height = `${facts.offsetHeight}px`;
    if (facts.style.minHeight !== height) facts.style.minHeight = height;
  }

  return {
    element: root,
    show(what, gradient, held) {
      facts.hidden = false;
      bar.hidden = !what.scales;
      const words = barText(what);
      write(low, words.low);
      write(high, words.high);
      write(own, words.own);
      write(reach, reachText(what));
      write(axis, what.axis);
      write(warning, what.warned);
      write(note, what.noted);
      if (colours.style.backgroundImage !== gradient) colours.style.backgroundImage = gradient;
      const label = `colours of ${what.what} from ${words.low} to ${words.high}`;
      if (bar.getAttribute("aria-label") !== label) bar.setAttribute("aria-label", label);
      const { scales, reach: real } = what;
      const shared = scales !== null && scales.smallest === scales.largest && scales.largest > 0;
      reached.hidden = !shared || !real;
      if (shared && real) {
        const place = (value: number) => 50 + (50 * value) / scales.largest;
        reached.style.left = `${place(real.low)}%`;
        reached.style.right = `${100 - place(real.high)}%`;
      }
      holdHeight(held);
    },
    clear() {
      facts.hidden = true;
    },
    status(words, state, arriving) {
      write(said, words);
      if (status.dataset.state !== state) status.dataset.state = state;
      dot.classList.toggle("kw-arriving", arriving);
    },
  };
}

/** Touches the page only where the words are others. */
function write(span: HTMLElement, words: string): void {
  if (span.textContent !== words) span.textContent = words;
  span.hidden = words === "";
}
