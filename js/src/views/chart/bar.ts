/** The bar above the panels: scale, smoothing, zoom. */

import { formatCount } from "../../phi/format.ts";

export interface Bar {
  element: HTMLElement;
  show(state: { scale: string; smoothing: number; connected: boolean; zoomed: boolean }): void;
}

const SMOOTHINGS = [0, 10, 30, 100, 300, 1000];

const SMOOTH =
  "Draw the mean over so many steps around each step as a thin line; the values stay behind it";
const ALONE = "The kernel draws this, and there is none behind these curves any more";

export interface Asked {
  scale(value: string): void;
  smoothing(steps: number): void;
  zoom(factor: number): void;
  all(): void;
}

let groups = 0;

export function createBar(document: Document, ask: Asked, signal: AbortSignal): Bar {
  const make = <K extends keyof HTMLElementTagNameMap>(tag: K, name: string, parent?: Node) => {
    const element = document.createElement(tag);
    element.className = name;
    parent?.appendChild(element);
    return element;
  };
  const element = make("div", "kw-header");
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", "Curves");

  const scales = make("div", "kw-segments", element);
  scales.setAttribute("role", "radiogroup");
  scales.setAttribute("aria-label", "Scale of the values");
  const group = `kw-chart-scale-${++groups}-${Math.random().toString(36).slice(2)}`;
  const inputs = (["linear", "log"] as const).map((value) => {
    const holder = make("label", "kw-segment", scales);
    const input = make("input", "kw-hidden", holder);
    input.type = "radio";
    input.name = group;
    input.value = value;
    input.setAttribute("aria-label", value);
    make("span", "kw-segment-text", holder).textContent = value;
    input.addEventListener("change", () => ask.scale(value), { signal });
    return input;
  });

  const smooth = make("label", "kw-option", element);
  make("span", "kw-option-label", smooth).textContent = "smooth";
  const select = make("select", "kw-select", smooth);
  select.setAttribute("aria-label", "smooth");
  select.addEventListener("change", () => ask.smoothing(Number(select.value)), { signal });
  let listed = "";

  const zoom = make("span", "kw-zoom", element);
  const button = (text: string, label: string, title: string, act: () => void) => {
    const made = make("button", "kw-again", zoom);
    made.type = "button";
    made.textContent = text;
    made.title = title;
    made.setAttribute("aria-label", label);
    made.addEventListener("click", act, { signal });
    return made;
  };
  button("+", "Zoom in", "Show half as many steps; or drag over the steps to see", () =>
    ask.zoom(0.5),
  );
  const out = button("−", "Zoom out", "Show twice as many steps", () => ask.zoom(2));
  const all = button("all steps", "Show all steps", "Show all steps; or double-click", ask.all);

  return {
    element,
    show({ scale, smoothing, connected, zoomed }) {
      for (const input of inputs) {
        input.checked = input.value === scale;
        input.disabled = !connected;
        const title = `Draw the values on a ${input.value === "log" ? "logarithmic" : "linear"} scale`;
        input.title = connected ? title : ALONE;
        if (input.parentElement) input.parentElement.title = input.title;
      }
      select.disabled = !connected;
      select.title = connected ? SMOOTH : ALONE;
      const values = [...new Set([...SMOOTHINGS, smoothing])].sort((a, b) => a - b);
      if (values.join() !== listed) {
        listed = values.join();
        select.replaceChildren(
          ...values.map((steps) => {
            const option = document.createElement("option");
            option.value = String(steps);
            option.textContent = steps > 1 ? `${formatCount(steps)} steps` : "off";
            return option;
          }),
        );
      }
      if (select.value !== String(smoothing)) select.value = String(smoothing);
      out.disabled = all.disabled = !zoomed;
    },
  };
}
