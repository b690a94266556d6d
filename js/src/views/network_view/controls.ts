/** The header: which links are shown, which example, how large, and what is done to the selected function. */

import { createKit } from "../../shell/controls.ts";
import { element } from "../../shell/element.ts";
import type { Store } from "../../wire/types.ts";
import type { Settings } from "./settings.ts";

export interface Header {
  element: HTMLElement;
  /** `omits`: not all links are shown. */
  show(settings: Settings, store: Store, zoomed: boolean, omits: boolean): void;
}

export interface Acts {
  choose(trait: string, value: number | string): void;
  zoom(factor: number): void;
  whole(): void;
  clear(): void;
}

const KEPT = [0.95, 0.9, 0.8, 0.5, 0.25];

export function createHeader(document: Document, acts: Acts, signal: AbortSignal): Header {
  const kit = createKit(document, signal);
  const root = element(document, "div", "kw-header");
  let current: Store | null = null;
  const relevance = kit.select(
    "links",
    "Show the strongest links only, until they make up this share of the total of each layer",
    (value) => acts.choose("relevance", value === "auto" ? value : Number(value)),
  );
  const zoom = element(document, "span", "kw-tools");
  const button = (text: string, title: string, act: () => void) =>
    kit.button(text, title, "kw-button", act);
  const whole = button("whole network", "Show the whole network again", acts.whole);
  zoom.append(
    button("−", "Show more of the network (−)", () => acts.zoom(1 / 1.5)),
    button("+", "Look closer (+); Ctrl + wheel zooms at the pointer", () => acts.zoom(1.5)),
    whole,
  );
  const edit = element(document, "span", "kw-tools");
  const told = (kind: "zero" | "form" | "reset" | "undo", withFunction = true) => {
    const selection = current?.selection();
    if (!current) return;
    if (!withFunction) current.command(kind);
    else if (selection) current.command(kind, selection);
  };
  const remove = button("remove", "Set the selected function to 0 in the model", () =>
    told("zero"),
  );
  const back = button(
    "put back",
    "Give the selected function what it had before it was changed",
    () => told("reset"),
  );
  const form = button(
    "set to a formula",
    "Set the selected function to the formula a·f(b·x + c) + d that is most like it over the inputs seen",
    () => told("form"),
  );
  const undo = button("undo", "Take the last change by hand back", () => told("undo", false));
  element(document, "span", "kw-option-label", edit).textContent = "selected φ";
  edit.append(remove, form, back, undo);
  const follow = button(
    "send examples through",
    "Run a few inputs of the last batch of the training through the network, without changing anything, and show what each layer makes of them",
    () => current?.command("follow"),
  );
  const clear = button("clear drawing", "Begin the drawing anew", acts.clear);
  root.append(relevance.box, follow, clear, edit, zoom);
  return {
    element: root,
    show(settings, store, zoomed, omits) {
      const { top } = settings;
      current = store;
      relevance.fill([
        {
          value: "auto",
          label: top > 0 ? `${top} to each unit` : omits ? "up to 800 a layer" : "all",
        },
        ...(omits || settings.relevance === 1 ? [{ value: "1", label: "all" }] : []),
        ...KEPT.map((share) => ({ value: String(share), label: `strongest ${100 * share} %` })),
      ]);
      relevance.set(settings.relevance === null ? "auto" : String(nearest(settings.relevance)));
      const { state } = store.status();
      const selection = store.selection();
      const layer = store.current()?.layout.layers.find(({ name }) => name === selection?.layer);
      const canEdit = layer && layer.locked === "" && !settings.compared;
      edit.hidden = state === "saved" || state === "recorded" || !canEdit;
      undo.hidden = back.hidden = store.edits().undo === 0;
      follow.hidden = store.probe() !== null || !store.batch().seen;
      clear.hidden = settings.example >= 0;
      whole.hidden = !zoomed;
    },
  };
}

function nearest(share: number): number {
  const closer = (a: number, b: number) => (Math.abs(b - share) < Math.abs(a - share) ? b : a);
  return [1, ...KEPT].reduce(closer);
}
