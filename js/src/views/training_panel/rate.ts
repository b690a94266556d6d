/** The learning rate: a slider over powers of ten, between the rates at its ends, and a field for the number. */

import { put } from "../../shell/element.ts";
import { rateAt, rateRange, rateText } from "./words.ts";

export interface Rate {
  element: HTMLElement;
  show(rates: readonly number[], disabled: boolean): void;
}

export function createRate(
  document: Document,
  set: (value: number, group: number | null) => void,
  signal: AbortSignal,
): Rate {
  const make = <K extends keyof HTMLElementTagNameMap>(tag: K, name: string, parent?: Node) => {
    const element = document.createElement(tag);
    element.className = name;
    parent?.appendChild(element);
    return element;
  };
  const element = make("span", "kw-option kw-rate");
  make("span", "kw-option-label", element).textContent = "learning rate";
  const groups = make("select", "kw-select", element);
  groups.title = "Which parameter group to set; “all groups” keeps their proportions";
  groups.setAttribute("aria-label", "parameter group");
  const least = make("span", "kw-rate-end", element);
  const slider = make("input", "kw-slider", element);
  slider.type = "range";
  slider.step = "0.01";
  slider.title =
    "Drag to change the learning rate, from a tenth to ten times what it is; it counts from the next step on";
  slider.setAttribute("aria-label", "learning rate");
  const most = make("span", "kw-rate-end", element);
  const text = make("input", "kw-number kw-rate-text", element);
  text.type = "text";
  text.inputMode = "decimal";
  text.title = "The learning rate now; type another one, which counts from the next step on";
  text.setAttribute("aria-label", "learning rate as a number");

  const undo = make("button", "kw-button kw-rate-undo", element);
  undo.type = "button";
  undo.textContent = "undo";

  let rates: readonly number[] = [];
  /** What the rates were before each change made here. */
  const before: (readonly number[])[] = [];
  let dragging = false;
  const group = () => (rates.length > 1 && groups.value !== "all" ? Number(groups.value) : null);
  const current = () => rates[group() ?? 0] ?? 0;

  function change(value: number) {
    before.push(rates);
    set(value, group());
    writeUndo();
  }

  function writeUndo() {
    const last = before.at(-1);
    undo.hidden = !last;
    const title = `Set the learning rate back to ${(last ?? []).map(rateText).join(", ")}`;
    if (undo.title !== title) undo.title = title;
  }

  undo.addEventListener(
    "click",
    () => {
      const last = before.pop() ?? [];
      last.forEach((value, k) => {
        set(value, last.length > 1 ? k : null);
      });
      writeUndo();
    },
    { signal },
  );
  slider.addEventListener(
    "input",
    () => {
      dragging = true;
      text.value = rateText(rateAt(Number(slider.value)));
      slider.setAttribute("aria-valuetext", text.value);
    },
    { signal },
  );
  slider.addEventListener(
    "change",
    () => {
      dragging = false;
      change(rateAt(Number(slider.value)));
    },
    { signal },
  );
  text.addEventListener(
    "change",
    () => {
      const value = Number(text.value.replace(",", "."));
      if (text.value.trim() !== "" && Number.isFinite(value) && value >= 0) change(value);
      else text.value = rateText(current());
    },
    { signal },
  );
  groups.addEventListener("change", write, { signal });

  function write() {
    const rate = current();
    const [low, high] = rateRange(rate);
    if (!dragging) {
      slider.min = low.toFixed(2);
      slider.max = high.toFixed(2);
      put(least, rateText(rateAt(low)));
      put(most, rateText(rateAt(high)));
      const value = String(rate > 0 ? Number(Math.log10(rate).toFixed(2)) : low);
      if (slider.value !== value) slider.value = value;
      slider.setAttribute("aria-valuetext", rateText(rate));
      if (!text.matches(":focus")) text.value = rateText(rate);
    }
  }

  return {
    element,
    show(now, disabled) {
      if (now.length !== rates.length) {
        before.length = 0;
        groups.replaceChildren(
          ...["all", ...now.keys()].map((value) => {
            const option = document.createElement("option");
            option.value = String(value);
            option.textContent = value === "all" ? "all groups" : `group ${value}`;
            return option;
          }),
        );
      }
      rates = now;
      element.hidden = now.length === 0;
      groups.hidden = now.length < 2;
      for (const input of [groups, slider, text, undo]) input.disabled = disabled;
      write();
      writeUndo();
    },
  };
}
