/** The header: the layer, the class, and explaining again. */

import { formatCount, number } from "../../phi/format.ts";
import { createKit } from "../../shell/controls.ts";
import { element, put } from "../../shell/element.ts";
import type { Store } from "../../wire/types.ts";
import type { Content, Part } from "./content.ts";

export interface Header {
  element: HTMLElement;
  show(content: Content, part: Part, store: Store, width: number): void;
}

export function createHeader(
  document: Document,
  choose: (trait: string, value: string | number) => void,
  again: () => void,
  signal: AbortSignal,
): Header {
  const kit = createKit(document, signal);
  const root = element(document, "div", "kw-header");
  const layers = kit.layers((name) => choose("layer", name));
  const classes = kit.select("class", "The class whose score is explained", (value) =>
    choose("target", Number(value)),
  );
  const repeat = kit.button("↻", "Explain with the model as it is now", "kw-again", again);
  const options = element(document, "div", "kw-options");
  const step = element(document, "span", "kw-explained");
  options.append(classes.box, step, repeat);
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
      const scores = content.scores.map((score, k) => ({
        value: String(k),
        label: `${k}: ${number(score)}${k === content.predicted ? " (highest)" : ""}`,
      }));
      const list = JSON.stringify(scores);
      if (list !== filled) {
        filled = list;
        classes.fill(scores);
      }
      classes.set(String(content.target));
      put(step, `explained at step ${formatCount(content.step)}`);
      const newest = store.latest()?.step;
      const stale = newest !== undefined && newest !== content.step;
      put(repeat, stale ? `↻ explain step ${formatCount(newest)}` : "↻");
      // In a page saved for itself no model is there to explain again.
      const saved = store.status().state === "saved";
      repeat.hidden = saved;
      for (const choice of classes.box.querySelectorAll("select")) choice.disabled = saved;
    },
  };
}
