/**
 * The one style sheet of all views, given to where a view is: its document, or its shadow root. Not as an element, which
 * the policy of a page may forbid.
 */

import css from "./view.css";

const SHEET: unique symbol = Symbol.for("kan_widgets.sheet");

/** A sheet of ours, with its text. */
type Sheet = CSSStyleSheet & { [SHEET]?: string };

export function putSheet(element: Element, own: readonly string[]): void {
  const text = [css, ...own].join("\n");
  const root = element.getRootNode();
  const place = root instanceof ShadowRoot ? root : element.ownerDocument;
  const window = element.ownerDocument.defaultView as (Window & typeof globalThis) | null;
  if (!window) return;
  const sheets: Sheet[] = place.adoptedStyleSheets;
  let sheet = sheets.find((each) => each[SHEET] !== undefined);
  if (!sheet) {
    sheet = new window.CSSStyleSheet() as Sheet;
    place.adoptedStyleSheets = [...place.adoptedStyleSheets, sheet];
  }
  if (sheet[SHEET] !== text) sheet.replaceSync(text);
  sheet[SHEET] = text;
}
