/** The font of all pictures, given to the page once. */

import regular from "../../font/kan-widgets-400.woff2";
import semibold from "../../font/kan-widgets-600.woff2";
import { FAMILY } from "../scene/text.ts";

const LOADED: unique symbol = Symbol.for("kan_widgets.font");

/** Resolves once words are drawn in it; where that cannot be, the page's own font stands in. */
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
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      document.fonts.add(await new window.FontFace(FAMILY, bytes, { weight }).load());
    }),
  );
}
