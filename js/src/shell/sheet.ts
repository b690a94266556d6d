/** The style sheet and the font of all views, given to a page once. */

import regular from "../../font/kan-widgets-400.woff2";
import semibold from "../../font/kan-widgets-600.woff2";
import { FAMILY } from "../scene/text.ts";
import { decodedBase64 } from "../wire/protocol.ts";
import css from "./view.css";

const SHEET: unique symbol = Symbol.for("kan_widgets.sheet");

/** A sheet of ours, with its text. */
type KwSheet = CSSStyleSheet & { [SHEET]?: string };

export function putSheet(element: Element, own: readonly string[]): void {
  const text = [css, ...own].join("\n");
  const root = element.getRootNode();
  const place = root instanceof ShadowRoot ? root : element.ownerDocument;
  const window = element.ownerDocument.defaultView as (Window & typeof globalThis) | null;
  if (!window) return;
  const sheets: KwSheet[] = place.adoptedStyleSheets;
  let sheet = sheets.find((each) => each[SHEET] !== undefined);
  if (!sheet) {
    sheet = new window.CSSStyleSheet() as KwSheet;
    place.adoptedStyleSheets = [...place.adoptedStyleSheets, sheet];
  }
  if (sheet[SHEET] !== text) sheet.replaceSync(text);
  sheet[SHEET] = text;
}

const LOADED: unique symbol = Symbol.for("kan_widgets.font");

/** Resolves once the font is loaded; where it cannot be, the page's own font stands in. */
export function loadFont(document: Document): Promise<void> {
  const page = document as Document & { [LOADED]?: Promise<void> };
  page[LOADED] ??= load(document).catch(() => {});
  return page[LOADED];
}

async function load(document: Document): Promise<void> {
  const window = document.defaultView as (Window & typeof globalThis) | null;
  if (!window?.FontFace || !document.fonts) return;
  const weights = [
    ["400", regular],
    ["600", semibold],
  ];
  await Promise.all(
    weights.map(async ([weight, base64]) => {
      document.fonts.add(
        await new window.FontFace(FAMILY, decodedBase64(base64), { weight }).load(),
      );
    }),
  );
}
