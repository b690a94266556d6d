/** The header: which links are shown, which example, how large, and what is done to the selected function. */

import { element } from "../../shell/element.ts";
import type { Shell } from "../../shell/mount.ts";
import { createOptions, type Option } from "../../shell/options.ts";
import type { NetworkScene } from "./scene.ts";
import { type Settings, settingsOf } from "./settings.ts";

/** Buttons, left to right: what they do, what stands on them, and what that means. */
const BUTTONS = [
  [
    "follow",
    "send examples through",
    "Run a few inputs of the last batch of the training through the network, without changing anything, and show what each layer makes of them",
  ],
  ["clear", "clear drawing", "Begin the drawing anew"],
  ["zero", "remove", "Set the selected function to 0 in the model"],
  [
    "form",
    "set to a formula",
    "Set the selected function to the formula a·f(b·x + c) + d that is most like it over the inputs seen",
  ],
  ["reset", "put back", "Give the selected function what it had before it was changed"],
  ["undo", "undo", "Take the last change by hand back"],
  ["farther", "−", "Show more of the network (−)"],
  ["closer", "+", "Look closer (+); Ctrl + wheel zooms at the pointer"],
  ["whole", "whole network", "Show the whole network again"],
] as const;

export type Act = (typeof BUTTONS)[number][0];

const KEPT = [0.95, 0.9, 0.8, 0.5, 0.25];

/** `omits`: not all links are shown. */
const LINKS: Option<Settings & { omits: boolean }> = {
  trait: "relevance",
  label: "links",
  title: "Show the strongest links only, until they make up this share of the total of each layer",
  options({ top, relevance, omits }) {
    const own = top > 0 ? `${top} to each unit` : omits ? "up to 800 a layer" : "all";
    return [
      { value: "auto", label: own },
      ...(omits || relevance === 1 ? [{ value: "1", label: "all" }] : []),
      ...KEPT.map((share) => ({ value: String(share), label: `strongest ${100 * share} %` })),
    ];
  },
  value: ({ relevance }) => (relevance === null ? "auto" : String(nearest(relevance))),
  chosen: (value) => (value === "auto" ? value : Number(value)),
};

/** `show` is given what was drawn, or the words in its place. */
export function createHeader(
  { document, signal, choose, store, get }: Shell,
  act: (what: Act) => void,
) {
  const links = createOptions(document, [LINKS], choose, signal);
  const root = element(document, "div", "kw-header");
  const buttons = Object.fromEntries(
    BUTTONS.map(([what, text, title]) => [
      what,
      links.kit.button(text, title, "kw-button", () => act(what)),
    ]),
  ) as Record<Act, HTMLButtonElement>;
  const { follow, clear, zero, form, reset, undo, farther, closer, whole } = buttons;
  const edit = element(document, "span", "kw-tools");
  element(document, "span", "kw-option-label", edit).textContent = "selected φ";
  edit.append(zero, form, reset, undo);
  const zoom = element(document, "span", "kw-tools");
  zoom.append(farther, closer, whole);
  root.append(...links.boxes, follow, clear, edit, zoom);

  function show(shown: NetworkScene | string, zoomed: boolean) {
    const from = store();
    if (!from) return;
    const settings = settingsOf(get);
    const omits = typeof shown !== "string" && shown.omits;
    links.show({ ...settings, omits });
    const { state } = from.status();
    const name = from.selection()?.layer;
    const layer = from.current()?.layout.layers.find((one) => one.name === name);
    const canEdit = layer && layer.locked === "" && !settings.compared;
    edit.hidden = state === "saved" || state === "recorded" || !canEdit;
    undo.hidden = reset.hidden = from.edits().undo === 0;
    follow.hidden = from.probe() !== null || !from.batch().seen;
    clear.hidden = settings.example >= 0;
    whole.hidden = !zoomed;
  }
  return { element: root, show };
}

function nearest(share: number): number {
  const closer = (a: number, b: number) => (Math.abs(b - share) < Math.abs(a - share) ? b : a);
  return [1, ...KEPT].reduce(closer);
}
