/** The text alternative of a drawing, kept up to date without talking. */

const keys = new WeakMap<Element, string>();

/**
 * Names a drawing. While it has the keyboard, its name changes only when `key` does (another
 * selection, another layer): a screen reader says the name of what has the keyboard whenever that
 * changes, and would never stop if it came with every frame.
 */
export function describe(element: Element, text: string, key: string): void {
  if (keys.get(element) === key && hasKeyboard(element)) return;
  keys.set(element, key);
  if (element.getAttribute("aria-label") !== text) element.setAttribute("aria-label", text);
}

/** Whether the keyboard is here; also inside a shadow root, where the document only knows the host. */
export function hasKeyboard(element: Element): boolean {
  return element.matches(":focus");
}
