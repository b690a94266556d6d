/** The header: layer, mode and options. Native controls, so that keyboard and names come with them. */

import type { LayerLayout } from "../shared/types.ts";
import { MODES, SCALES, type Settings, SORTS, X_RANGES } from "./settings.ts";
import { layerSize, layerTitle } from "./words.ts";

export interface Choices extends Settings {
  layer: string;
}

export interface Header {
  element: HTMLElement;
  /** Shows the state of the traits; nothing changes in the page where nothing differs. */
  show(choices: Choices, layers: readonly LayerLayout[], width: number): void;
}

const WORDS: Record<string, [label: string, title: string]> = {
  curves: ["curves", "Draw every function φ(x) as a curve"],
  pattern: [
    "pattern",
    "Each entry from black to white: does φ prefer dark (−1) or bright (+1) input?",
  ],
  change: [
    "change",
    "Draw how far every function moved since the first frame: φ now − φ at the start",
  ],
};

/** `choose` is told the trait and its new value; `again` sorts anew by the chosen measure. */
export function createHeader(
  document: Document,
  choose: (trait: string, value: string | boolean) => void,
  again: () => void,
  signal: AbortSignal,
): Header {
  const make = <K extends keyof HTMLElementTagNameMap>(tag: K, className: string) => {
    const element = document.createElement(tag);
    element.className = className;
    return element;
  };

  const element = make("div", "kw-header");
  element.setAttribute("role", "toolbar");
  element.setAttribute("aria-label", "Kernel grid");

  const tabs = segments("layer", "Layer");
  tabs.box.classList.add("kw-tabs");
  const menu = select("layer", "layer", "Which layer is drawn", "kw-layer-menu");
  const modes = segments("mode", "What is drawn");
  modes.fill(MODES.map((value) => ({ value, label: WORDS[value][0], title: WORDS[value][1] })));
  const scale = select("scale", "scale", "Which functions share one y scale");
  scale.fill(SCALES.map((value) => ({ value, label: value })));
  const xRange = select(
    "x_range",
    "x",
    "How far x runs: over the grid's range, or as far as the splines reach",
  );
  xRange.fill(X_RANGES.map((value) => ({ value, label: value })));
  const binarise = check(
    "binarise",
    "binarise",
    "Only black and white, by the sign of φ(1) − φ(−1)",
  );
  const sort = select(
    "sort",
    "sort",
    "The order of the kernels; it is found once, so that nothing jumps while training",
  );
  sort.fill(SORTS.map((value) => ({ value, label: value })));
  const repeat = make("button", "kw-again");
  repeat.type = "button";
  repeat.textContent = "↻";
  repeat.title = "Sort again, by the functions as they are now";
  repeat.setAttribute("aria-label", "Sort again");
  repeat.addEventListener("click", again, { signal });
  sort.box.append(repeat);

  element.append(tabs.box, menu.box, modes.box, scale.box, xRange.box, binarise.box, sort.box);

  let listed = "";
  return {
    element,
    show(choices, layers, width) {
      const entries = layers.map((layer) => ({
        value: layer.name,
        label: layerTitle(layer),
        title: `${layerTitle(layer)} — ${layerSize(layer)}`,
      }));
      const list = JSON.stringify(entries);
      if (list !== listed) {
        listed = list;
        tabs.fill(entries);
        menu.fill(entries.map(({ value, title }) => ({ value, label: title })));
      }
      const room = entries.reduce((sum, { label }) => sum + 7 * label.length + 22, 0);
      const asTabs = entries.length <= 4 && room <= Math.max(160, 0.45 * width);
      tabs.box.hidden = !asTabs;
      menu.box.hidden = asTabs;
      tabs.set(choices.layer);
      menu.set(choices.layer);
      modes.set(choices.mode);
      scale.set(choices.scale);
      xRange.set(choices.xRange);
      binarise.set(choices.binarise);
      sort.set(choices.sort);
      const pattern = choices.mode === "pattern";
      scale.box.hidden = pattern;
      xRange.box.hidden = pattern;
      binarise.box.hidden = !pattern;
      repeat.hidden = choices.sort === "position";
    },
  };

  function segments(trait: string, name: string) {
    const box = make("div", "kw-segments");
    box.setAttribute("role", "radiogroup");
    box.setAttribute("aria-label", name);
    // Each widget of a page has its own copy of this module: a counter would repeat.
    const group = `kw-${trait}-${Math.random().toString(36).slice(2)}`;
    let inputs: HTMLInputElement[] = [];
    box.addEventListener(
      "change",
      (event) => choose(trait, (event.target as HTMLInputElement).value),
      { signal },
    );
    return {
      box,
      fill(entries: readonly { value: string; label: string; title: string }[]) {
        inputs = entries.map(({ value }) => {
          const input = make("input", "kw-hidden");
          input.type = "radio";
          input.name = group;
          input.value = value;
          return input;
        });
        box.replaceChildren(
          ...entries.map(({ label, title }, k) => {
            const holder = make("label", "kw-segment");
            const text = make("span", "kw-segment-text");
            text.textContent = label;
            holder.title = title;
            inputs[k].title = title;
            inputs[k].setAttribute("aria-label", label);
            holder.append(inputs[k], text);
            return holder;
          }),
        );
      },
      set(value: string) {
        for (const input of inputs) input.checked = input.value === value;
      },
    };
  }

  function select(trait: string, label: string, title: string, className = "") {
    const box = make("label", `kw-option ${className}`);
    const text = make("span", "kw-option-label");
    text.textContent = label;
    const input = make("select", "kw-select");
    input.title = title;
    input.setAttribute("aria-label", label);
    input.addEventListener("change", () => choose(trait, input.value), { signal });
    box.append(text, input);
    return {
      box,
      fill(entries: readonly { value: string; label: string }[]) {
        input.replaceChildren(
          ...entries.map(({ value, label: words }) => {
            const option = document.createElement("option");
            option.value = value;
            option.textContent = words;
            return option;
          }),
        );
      },
      set(value: string) {
        if (input.value !== value) input.value = value;
      },
    };
  }

  function check(trait: string, label: string, title: string) {
    const box = make("label", "kw-option kw-check");
    const input = make("input", "kw-checkbox");
    input.type = "checkbox";
    input.title = title;
    input.setAttribute("aria-label", label);
    box.title = title;
    input.addEventListener("change", () => choose(trait, input.checked), { signal });
    const text = make("span", "kw-option-label");
    text.textContent = label;
    box.append(input, text);
    return {
      box,
      set(value: boolean) {
        input.checked = value;
      },
    };
  }
}
