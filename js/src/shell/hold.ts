/** Keeps what is below a line of words in its place. */

/**
 * Longer numbers may wrap onto another line once; shorter ones then do not pull the drawing up again. Another `key` lets
 * go. To ask for the height has the whole page laid out: only for other words.
 */
export function holdHeight(element: HTMLElement): (key: string) => void {
  let held = "";
  let measured: string | null = null;
  return (key) => {
    if (key !== held) {
      held = key;
      measured = null;
      element.style.minHeight = "";
    }
    if (element.textContent === measured) return;
    measured = element.textContent;
    const height = `${element.offsetHeight}px`;
    if (element.style.minHeight !== height) element.style.minHeight = height;
  };
}
