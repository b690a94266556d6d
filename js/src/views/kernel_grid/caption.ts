/** The line under the header: axes in print, size, remarks, the key of the lines, and the status. */

import { layerSize } from "../../phi/entries.ts";
import { formatCount } from "../../phi/format.ts";
import type { Palette } from "../../phi/palette.ts";
import { element, put, putOrHide } from "../../shell/element.ts";
import { holdHeight } from "../../shell/hold.ts";
import type { Picture } from "./picture.ts";
import { scaleOf } from "./scores.ts";
import { isGrey } from "./settings.ts";
import { axesText, reachText, remarks, shadeText } from "./words.ts";

export interface Caption {
  element: HTMLElement;
  /** The cursor is the step looked back at, or −1; so is the number of the selected function. */
  show(picture: Picture, cursor: number, selected: number, palette: Palette): void;
  /** Nothing is drawn: only the status stays. */
  clear(): void;
}

/** `choose` is told when the functions at the start are switched on or off, in the key itself. */
export function createCaption(
  document: Document,
  status: HTMLElement,
  choose: (trait: "ghost", value: boolean) => void,
  signal: AbortSignal,
): Caption {
  const root = element(document, "div", "kw-caption");
  root.append(status);
  const facts = element(document, "span", "kw-facts", root);
  const axes = element(document, "span", "kw-axes", facts);
  const key = element(document, "span", "kw-key", facts);
  const shading = element(document, "span", "kw-shade", facts);
  const scale = element(document, "span", "kw-shade-scale", shading);
  const shaded = element(document, "span", "kw-shade-text", shading);
  const size = element(document, "span", "kw-size", facts);
  const warning = element(document, "span", "kw-warning", facts);
  const note = element(document, "span", "kw-note", facts);
  const now = element(document, "span", "kw-key-ink", key);
  const ghost = element(document, "label", "kw-check", key);
  ghost.title = "Draw the functions of this step behind, dashed";
  const box = element(document, "input", "kw-checkbox", ghost);
  box.type = "checkbox";
  box.title = ghost.title;
  box.setAttribute("aria-label", "functions at the start");
  box.addEventListener("change", () => choose("ghost", box.checked), { signal });
  const first = element(document, "span", "kw-key-ghost", ghost);
  element(document, "span", "kw-key-rise", key).textContent = "rose";
  element(document, "span", "kw-key-fall", key).textContent = "fell";
  const [rose, fell] = key.querySelectorAll<HTMLElement>(".kw-key-rise, .kw-key-fall");
  const hold = holdHeight(facts);
  let ramp = "";

  return {
    element: root,
    show(picture, cursor, selected, palette) {
      const { settings, initial, layer, frame, shade } = picture;
      const { warned, noted } = remarks(picture);
      const step = initial ? `step ${formatCount(initial.frame.step)}` : "";
      facts.hidden = false;
      putOrHide(axes, axesText(picture));
      putOrHide(size, isGrey(settings) ? reachText(picture, selected) : layerSize(layer));
      shading.hidden = !shade;
      scale.hidden = !shade?.values;
      if (shade) {
        put(shaded, shadeText(shade));
        const next = scaleOf(shade, palette);
        if (next !== ramp) scale.style.backgroundImage = ramp = next;
      }
      putOrHide(warning, warned);
      putOrHide(note, noted);
      putOrHide(first, step);
      putOrHide(now, cursor < 0 ? "now" : `step ${formatCount(frame.step)}`);
      box.checked = settings.ghost;
      const curves = settings.mode === "curves";
      key.hidden = !initial || isGrey(settings);
      now.hidden = !curves;
      ghost.hidden = !curves;
      rose.hidden = curves;
      fell.hidden = curves;
      hold(JSON.stringify([layer.name, settings, picture.arrangement.width]));
    },
    clear() {
      facts.hidden = true;
    },
  };
}
