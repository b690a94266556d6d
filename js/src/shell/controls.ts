/** The controls of the headers. Native ones throughout, so that keyboard and names come with them. */

import { layerSize, layerTitle } from "../phi/entries.ts";
import type { LayerLayout } from "../wire/types.ts";
import { hasKeyboard } from "./alternative.ts";
import { element } from "./element.ts";

export interface Entry {
  value: string;
  label: string;
}

export interface Control<T> {
  box: HTMLElement;
  set(value: T): void;
}

export interface Choice extends Control<string> {
  /** `title` is what the pointer is told about an entry; only segments have one for each. */
  fill(entries: readonly (Entry & { title?: string })[]): void;
}

export interface Kit {
  /** A row of which one is chosen. */
  segments(name: string, choose: (value: string) => void): Choice;
  /** A menu behind its label. */
  select(label: string, title: string, choose: (value: string) => void): Choice;
  check(label: string, title: string, choose: (value: boolean) => void): Control<boolean>;
  /** A field behind its label; what `read` finds no number in is put back. */
  number(
    label: string,
    title: string,
    read: (text: string) => number | null,
    choose: (value: number) => void,
  ): Control<number>;
  button(text: string, title: string, className: string, act: () => void): HTMLButtonElement;
  /** Tabs for a few layers, a menu for many. */
  layers(choose: (name: string) => void): LayerChoice;
}

export interface LayerChoice {
  boxes: [tabs: HTMLElement, menu: HTMLElement];
  show(layers: readonly LayerLayout[], chosen: string, width: number): void;
  /** Likewise for layers that the stream may not have, with what each title says. */
  list(entries: readonly Titled[], chosen: string, width: number): void;
}

export interface Titled extends Entry {
  title: string;
}

/** Of a view's width so much may be taken by tabs. */
export const TABS = 0.45;

/** A name that no other group of radio buttons has. Each widget of a page has its own copy of this module: a counter would repeat. */
export function radioName(): string {
  return `kw-${Math.random().toString(36).slice(2)}`;
}

export function createKit(document: Document, signal: AbortSignal): Kit {
  const kit: Kit = {
    segments: (name, choose) => createSegments(document, name, choose, signal),

    select(label, title, choose) {
      const box = element(document, "label", "kw-option");
      element(document, "span", "kw-option-label", box).textContent = label;
      const input = element(document, "select", "kw-select", box);
      input.title = title;
      input.setAttribute("aria-label", label);
      input.addEventListener("change", () => choose(input.value), { signal });
      return {
        box,
        fill(entries) {
          input.replaceChildren(
            ...entries.map(({ value, label: words }) => {
              const option = document.createElement("option");
              option.value = value;
              option.textContent = words;
              return option;
            }),
          );
        },
        set(value) {
          if (input.value !== value) input.value = value;
        },
      };
    },

    check(label, title, choose) {
      const box = element(document, "label", "kw-option kw-check");
      box.title = title;
      const input = element(document, "input", "kw-checkbox", box);
      input.type = "checkbox";
      input.title = title;
      input.setAttribute("aria-label", label);
      input.addEventListener("change", () => choose(input.checked), { signal });
      element(document, "span", "kw-option-label", box).textContent = label;
      return {
        box,
        set(value) {
          input.checked = value;
        },
      };
    },

    number(label, title, read, choose) {
      const box = element(document, "label", "kw-option");
      element(document, "span", "kw-option-label", box).textContent = label;
      const input = element(document, "input", "kw-number", box);
      input.inputMode = "decimal";
      input.title = title;
      input.setAttribute("aria-label", label);
      let last: number | null = null;
      // Fired by Enter too.
      input.addEventListener(
        "change",
        () => {
          const value = read(input.value);
          if (value === null) input.value = String(last ?? "");
          else if (value !== last) choose(value);
        },
        { signal },
      );
      return {
        box,
        set(value) {
          last = value;
          if (!hasKeyboard(input)) input.value = String(value);
        },
      };
    },

    button(text, title, className, act) {
      const made = element(document, "button", className);
      made.type = "button";
      made.textContent = text;
      made.title = title;
      // What is read aloud holds what is seen; a sign alone has no words.
      if (!/[a-z]{2}/i.test(text)) made.setAttribute("aria-label", title);
      made.addEventListener("click", act, { signal });
      return made;
    },

    layers(choose) {
      const tabs = kit.segments("Layer", choose);
      tabs.box.classList.add("kw-tabs");
      const menu = kit.select("layer", "Which layer is drawn", choose);
      menu.box.classList.add("kw-layer-menu");
      let listed = "";
      const list = (entries: readonly Titled[], chosen: string, width: number) => {
        const text = JSON.stringify(entries);
        if (text !== listed) {
          listed = text;
          tabs.fill(entries);
          menu.fill(entries.map(({ value, title }) => ({ value, label: title })));
        }
        const room = entries.reduce((sum, { label }) => sum + 7 * label.length + 22, 0);
        const asTabs = entries.length <= 4 && room <= Math.max(160, TABS * width);
        tabs.box.hidden = !asTabs;
        menu.box.hidden = asTabs;
        tabs.set(chosen);
        menu.set(chosen);
      };
      return {
        boxes: [tabs.box, menu.box],
        list,
        show(layers, chosen, width) {
          const entries = layers.map((layer) => ({
            value: layer.name,
            label: layerTitle(layer),
            title: `${layerTitle(layer)} — ${layerSize(layer)}`,
          }));
          list(entries, chosen, width);
        },
      };
    },
  };
  return kit;
}

function createSegments(
  document: Document,
  name: string,
  choose: (value: string) => void,
  signal: AbortSignal,
): Choice {
  const box = element(document, "div", "kw-segments");
  box.setAttribute("role", "radiogroup");
  box.setAttribute("aria-label", name);
  const group = radioName();
  let inputs: HTMLInputElement[] = [];
  box.addEventListener("change", (event) => choose((event.target as HTMLInputElement).value), {
    signal,
  });
  return {
    box,
    fill(entries) {
      box.replaceChildren();
      inputs = entries.map(({ value, label, title = "" }) => {
        const holder = element(document, "label", "kw-segment", box);
        holder.title = title;
        const input = element(document, "input", "kw-hidden", holder);
        input.type = "radio";
        input.name = group;
        input.value = value;
        input.title = title;
        input.setAttribute("aria-label", label);
        element(document, "span", "kw-segment-text", holder).textContent = label;
        return input;
      });
    },
    set(value) {
      for (const input of inputs) input.checked = input.value === value;
    },
  };
}
