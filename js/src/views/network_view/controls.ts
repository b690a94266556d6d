/** The header: a drawing is begun again, and how large the diagram is. */

import { createKit } from "../../shell/controls.ts";
import { element } from "../../shell/element.ts";
import type { Shell } from "../../shell/mount.ts";
import { settingsOf } from "./settings.ts";

/** Buttons, left to right: what they do, what stands on them, and what that means. */
const BUTTONS = [
  ["clear", "clear drawing", "Start the drawing over"],
  ["farther", "−", "Show more of the network (−)"],
  ["closer", "+", "Look closer (+); Ctrl + wheel zooms at the pointer"],
  ["whole", "whole network", "Show the whole network again"],
] as const;

export type Act = (typeof BUTTONS)[number][0];

export function createHeader({ document, signal, get }: Shell, act: (what: Act) => void) {
  const kit = createKit(document, signal);
  const root = element(document, "div", "kw-header");
  const [clear, ...zoom] = BUTTONS.map(([what, text, title]) =>
    kit.button(text, title, "kw-button", () => act(what)),
  );
  root.append(clear, ...zoom);

  function show(zoomed: boolean) {
    clear.hidden = settingsOf(get).example >= 0;
    for (const button of zoom) button.hidden = !zoomed;
    root.hidden = clear.hidden && !zoomed;
  }
  return { element: root, show };
}
