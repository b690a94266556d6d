/** Elements, made in one line. */

export function element<K extends keyof HTMLElementTagNameMap>(
  document: Document,
  tag: K,
  className: string,
  parent?: HTMLElement,
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.className = className;
  parent?.append(made);
  return made;
}

/** Touches the page only where the words are others. */
export function put(element: HTMLElement, words: string): void {
  if (element.textContent !== words) element.textContent = words;
}

/** Likewise; without words there is no gap either. */
export function putOrHide(element: HTMLElement, words: string): void {
  put(element, words);
  element.hidden = words === "";
}
