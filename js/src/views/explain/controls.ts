/** The header: the layer, the class, the step that is explained, and explaining again where that does not come by itself. */

import { formatCount, number } from "../../phi/format.ts";
import { createKit } from "../../shell/controls.ts";
import { element, put } from "../../shell/element.ts";
import type { Store } from "../../wire/types.ts";
import { type Content, className, type Part } from "./content.ts";

/** What the step that is explained means, by the state of the stream. */
const TITLES: Record<string, string> = {
  idle: "The step of the model that is explained: the newest, as soon as the training rests",
  live: "The step of the model that is explained; while it trains the layer shown is explained again as often as takes 1 % of the time, and all layers when it rests",
  saved: "The step of the model that is explained",
};

export interface Header {
  element: HTMLElement;
  show(content: Content, part: Part, store: Store, width: number): void;
}

export function createHeader(
  document: Document,
  choose: (trait: string, value: string | number) => void,
  again: () => void,
  explain: (how: boolean) => void,
  signal: AbortSignal,
): Header {
  const kit = createKit(document, signal);
  const root = element(document, "div", "kw-header");
  const layers = kit.layers((name) => choose("layer", name));
  const classes = kit.select("class", "The class whose score is explained", (value) =>
    choose("target", Number(value)),
  );
  const repeat = kit.button(
    "explain now",
    "Explain with the model as it is now",
    "kw-plain kw-again",
    again,
  );
  const options = element(document, "div", "kw-options");
  const step = element(document, "span", "kw-explained");
  const how = kit.button(
    "how this is computed",
    "Say how the shares are computed, and what they leave out",
    "kw-plain",
    () => {
      const said = how.getAttribute("aria-pressed") !== "true";
      how.setAttribute("aria-pressed", String(said));
      explain(said);
    },
  );
  how.setAttribute("aria-pressed", "false");
  options.append(classes.box, step, repeat, how);
  root.append(...layers.boxes, options);
  let filled = "";

  return {
    element: root,
    show(content, part, store, width) {
      const titles = content.parts.map(({ layer, kind }) => ({
        value: layer,
        label: layer,
        title: `${layer} — ${kind === "kernels" ? "shares of the kernels" : "contributions of the functions"}`,
      }));
      layers.list(titles, part.layer, width);
      const scores = part.scores.map((score, k) => ({
        value: String(k),
        label: `${className(part, k)}: ${number(score)}${k === part.predicted ? " (highest)" : ""}`,
      }));
      const list = JSON.stringify(scores);
      if (list !== filled) {
        filled = list;
        classes.fill(scores);
      }
      classes.set(String(part.target));
      const newest = store.latest()?.step ?? part.step;
      const { state } = store.status();
      const behind = newest > part.step;
      const now = state === "live" && behind ? `, the training is at ${formatCount(newest)}` : "";
      put(step, `explained at step ${formatCount(part.step)}${now}`);
      step.title = TITLES[state] ?? TITLES.idle;
      // At rest the view follows by itself, soon: what stays behind longer is asked for (see style.css).
      repeat.hidden = !(behind && state === "idle");
      // In a page saved for itself no model is there to explain again.
      const saved = state === "saved";
      for (const choice of classes.box.querySelectorAll("select")) choice.disabled = saved;
    },
  };
}
