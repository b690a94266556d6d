/** Keeps what is below a line of words in its place. */

import { widthOf } from "../scene/text.ts";

/**
 * Longer numbers may wrap onto another line once; shorter ones then do not pull the drawing up again. Another `key` lets
 * go. To ask for a height has the whole page laid out: only where words are longer than any before.
 */
export function holdHeight(element: HTMLElement): (key: string) => void {
  let held = "";
  let longest = -1;
  return (key) => {
    if (key !== held) {
      held = key;
      longest = -1;
      element.style.minHeight = "";
    }
    const length = widthOf(element.textContent ?? "", 12);
    if (length <= longest) return;
    longest = length;
    const height = `${element.offsetHeight}px`;
    if (element.style.minHeight !== height) element.style.minHeight = height;
  };
}
