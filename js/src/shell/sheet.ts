/** The one style sheet of all views, put where a view is: into its document, or into its shadow root. */

import css from "./view.css";

const NAME = "kw-sheet";

export function putSheet(element: Element, own: readonly string[]): void {
  const text = [css, ...own].join("\n");
  const root = element.getRootNode();
  const place = root instanceof ShadowRoot ? root : element.ownerDocument.head;
  let sheet = place.querySelector<HTMLStyleElement>(`style.${NAME}`);
  if (!sheet) {
    sheet = element.ownerDocument.createElement("style");
    sheet.className = NAME;
    place.append(sheet);
  }
  if (sheet.textContent !== text) sheet.textContent = text;
}
