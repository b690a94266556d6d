/** The line under the header: the colour bar with its range, the axis, remarks, and the status. */

import { element, putOrHide } from "../../shell/element.ts";
import { holdHeight } from "../../shell/hold.ts";
import type { Facts } from "./panel.ts";
import { barText, reachText } from "./words.ts";

export interface Caption {
  element: HTMLElement;
  show(facts: Facts, gradient: string, held: string): void;
  /** Nothing is drawn: only the status stays. */
  clear(): void;
}

export function createCaption(document: Document, status: HTMLElement): Caption {
  const root = element(document, "div", "kw-caption");
  root.append(status);
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
  const hold = holdHeight(facts);

  return {
    element: root,
    show(what, gradient, held) {
      facts.hidden = false;
      bar.hidden = !what.scales;
      const words = barText(what);
      putOrHide(low, words.low);
      putOrHide(high, words.high);
      putOrHide(own, words.own);
      putOrHide(reach, reachText(what));
      putOrHide(axis, what.axis);
      putOrHide(warning, what.warned);
      putOrHide(note, what.noted);
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
      hold(held);
    },
    clear() {
      facts.hidden = true;
    },
  };
}
