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
        .map(({ tone, strong, swatch, title }) => `${tone} ${strong} ${swatch?.kind} ${title}`)
        .join("|");
      if (shape !== shown) {
        shown = shape;
        root.replaceChildren(
          ...remarks.map(({ tone = "muted", strong, swatch, title }) => {
            const part = element(document, "span", `kw-remark kw-tone-${tone}`);
            part.toggleAttribute("data-strong", strong === true);
            if (title) part.title = title;
            if (swatch) element(document, "span", `kw-swatch kw-swatch-${swatch.kind}`, part);
            element(document, "span", "kw-remark-text", part);
            return part;
          }),
        );
      }
      remarks.forEach(({ text, swatch }, k) => {
        const part = root.children[k] as HTMLElement;
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
