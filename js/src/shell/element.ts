/** Elements: made, listened to, and touched only where something changes. */

export function element<K extends keyof HTMLElementTagNameMap>(
  document: Document,
  tag: K,
  className: string,
  parent?: HTMLElement,
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  node.className = className;
  parent?.append(node);
  return node;
}

type Handlers = {
  [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void;
};

/** Listens while the signal lasts. */
export function listen(
  target: EventTarget,
  signal: AbortSignal,
  handlers: Handlers,
  how: AddEventListenerOptions = {},
): void {
  for (const [kind, act] of Object.entries(handlers)) {
    target.addEventListener(kind, act as (event: Event) => void, { ...how, signal });
  }
}

export function atEnd(signal: AbortSignal, end: () => void): void {
  signal.addEventListener("abort", end, { once: true });
}

/** Sets the words of an element, only where they differ. */
export function putWords(element: HTMLElement, words: string): void {
  if (element.textContent !== words) element.textContent = words;
}

export function putAttributes(element: Element, attributes: Record<string, string>): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }
}

/** Sets styles other than those set last: browsers round values, and to set one again has the page laid out. */
export function putStyle(element: HTMLElement, styles: Record<string, string>): void {
  const lastStyles = stylesPut.get(element) ?? {};
  for (const [name, value] of Object.entries(styles)) {
    if (lastStyles[name] !== value) element.style.setProperty(name, value);
  }
  stylesPut.set(element, { ...lastStyles, ...styles });
}

const stylesPut = new WeakMap<Element, Record<string, string>>();

/** Whether the keyboard is here; also inside a shadow root, where the document only knows the host. */
export function hasKeyboard(element: Element): boolean {
  return element.matches(":focus");
}

/** Saves bytes as a file of the reader's. */
export function download(document: Document, blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const keys = new WeakMap<Element, string>();

/** Names a drawing. With the keyboard in it, its name changes only when `key` does: a screen reader says each change. */
export function describe(element: Element, text: string, key: string): void {
  if (keys.get(element) === key && hasKeyboard(element)) return;
  keys.set(element, key);
  putAttributes(element, { "aria-label": text });
}
