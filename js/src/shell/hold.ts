/** Keeps what is below a line of words in its place. */

/**
 * Longer numbers may wrap onto another line once; shorter ones then do not pull the drawing up again. Another `key` lets
 * go.
 */
export function holdHeight(element: HTMLElement): (key: string) => void {
  let held = "";
  return (key) => {
    if (key !== held) {
      held = key;
      element.style.minHeight = "";
    }
    const height = `${element.offsetHeight}px`;
    if (element.style.minHeight !== height) element.style.minHeight = height;
  };
}
