/** The line of words over a drawing: the scene's own remarks, as elements. */

import type { Remark, Swatch } from "../scene/marks.ts";
import { element, put } from "./element.ts";

export interface Caption {
  element: HTMLElement;
  show(remarks: readonly Remark[]): void;
}

export function createCaption(document: Document): Caption {
  const root = element(document, "span", "kw-facts");
  let shown = "";
  return {
    element: root,
    show(remarks) {
      const shape = remarks
        .map(({ tone, strong, swatch }) => `${tone} ${strong} ${swatch?.kind}`)
        .join("|");
      if (shape !== shown) {
        shown = shape;
        root.replaceChildren(
          ...remarks.map(({ tone = "muted", strong, swatch }) => {
            const part = element(document, "span", `kw-remark kw-tone-${tone}`);
            part.toggleAttribute("data-strong", strong === true);
            if (swatch) element(document, "span", `kw-swatch kw-swatch-${swatch.kind}`, part);
            element(document, "span", "kw-remark-text", part);
            return part;
          }),
        );
      }
      remarks.forEach(({ text, swatch, title = "" }, k) => {
        const part = root.children[k] as HTMLElement;
        if (part.title !== title) part.title = title;
        put(part.lastElementChild as HTMLElement, text);
        if (swatch) colour(part.firstElementChild as HTMLElement, swatch);
      });
    },
  };
}

function colour(mark: HTMLElement, { kind, colours }: Swatch): void {
  const stops = kind === "ramp" ? `linear-gradient(to right, ${colours.join(", ")})` : "";
  if (mark.style.backgroundImage !== stops) mark.style.backgroundImage = stops;
  if (kind !== "ramp") mark.style.setProperty("--kw-swatch", colours[0]);
}
