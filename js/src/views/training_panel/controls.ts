/** The buttons and fields of the panel: those that every view has, and more. */

import { formatNumber } from "../../phi/format.ts";
import { createKit, iconButton } from "../../shell/controls.ts";
import { element, hasKeyboard, listen, putAttributes } from "../../shell/element.ts";
import type { Shell } from "../../shell/mount.ts";
import type { SteeringCommand } from "../../wire/commands.ts";
import { ENDED, rateAt, rateRange, type Status } from "./status.ts";

export type Send = (command: SteeringCommand) => void;

export function createControls({ document, signal, steering }: Shell, send: Send) {
  const kit = createKit(document, signal);
  const root = element(document, "span", "kw-steer");
  putAttributes(root, { role: "group", "aria-label": "Training" });
  const buttons = element(document, "span", "kw-buttons", root);
  const [hold, one] = steering.boxes;
  const many = element(document, "span", "kw-many");
  const count = element(document, "input", "kw-number", many);
  Object.assign(count, { type: "number", min: "1", step: "1", value: "10" });
  const wanted = { title: "How many steps to take", "aria-label": "number of steps" };
  putAttributes(count, wanted);
  const take = "Take this many optimizer steps, then pause";
  const several = kit.button("steps", take, "kw-button kw-words", advance);
  several.setAttribute("aria-label", "Several steps");
  many.append(several);
  listen(count, signal, { keydown: ({ key }) => key === "Enter" && advance() });
  const end = iconButton(kit, () => send({ kind: "stop" }));
  end.show("stop", "Stop", "End the training after the current step");
  buttons.append(hold, one, many, end.button);
  const rate = createRate(document, (value) => send({ kind: "rate", value, group: null }), signal);
  const passing = "How many training steps pass from one frame to the next";
  const every = kit.number("draw every", passing, whole, (value) => send({ kind: "every", value }));
  const field = every.box.querySelector("input") as HTMLInputElement;
  element(document, "span", "kw-option-label", every.box).textContent = "steps";
  root.append(rate.element, every.box);

  function advance() {
    const steps = whole(count.value);
    if (steps === null) count.value = "10";
    else send({ kind: "advance", steps });
  }

  return {
    element: root,
    show(now: Status, alone: boolean) {
      const active = now.state === "running" || now.state === "paused";
      const steered = !alone && !now.closed && now.steered;
      const goesOn = steered && !ENDED.includes(now.state);
      field.disabled = !steered;
      for (const part of [several, count]) part.disabled = !goesOn;
      end.button.disabled = !steered || !active;
      rate.show(alone ? [] : now.rates, !goesOn);
      buttons.hidden = every.box.hidden = alone || !now.steered;
      every.set(now.every);
    },
    /** Uses the keys p and s. */
    key(event: KeyboardEvent) {
      const typing = (event.target as HTMLElement).closest("input, select, pre");
      if (buttons.hidden || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "p") hold.click();
      else if (event.key === "s") one.click();
      else return;
      event.preventDefault();
    },
  };
}

function whole(text: string): number | null {
  const value = Number(text);
  return Number.isInteger(value) && value >= 1 ? value : null;
}

const DRAG =
  "Drag to change the learning rate, from a tenth to ten times what it is; it takes effect with the next step. Parameter groups keep their proportions";
const TYPE = "The learning rate now; type another one, which takes effect with the next step";

/** The learning rate: a slider over powers of ten, and a field for the number. */
function createRate(document: Document, set: (value: number) => void, signal: AbortSignal) {
  const root = element(document, "span", "kw-option kw-rate");
  element(document, "span", "kw-option-label", root).textContent = "learning rate";
  const slider = element(document, "input", "kw-slider");
  Object.assign(slider, { type: "range", step: "0.01", title: DRAG });
  putAttributes(slider, { "aria-label": "learning rate" });
  const text = element(document, "input", "kw-number kw-rate-text");
  Object.assign(text, { type: "text", inputMode: "decimal", title: TYPE });
  putAttributes(text, { "aria-label": "learning rate as a number" });
  root.append(slider, text);

  let rate = 0;
  let dragging = false;

  listen(slider, signal, {
    input() {
      dragging = true;
      text.value = formatNumber(rateAt(Number(slider.value)));
      putAttributes(slider, { "aria-valuetext": text.value });
    },
    change() {
      dragging = false;
      set(rateAt(Number(slider.value)));
    },
  });
  listen(text, signal, {
    change() {
      const value = Number(text.value.replace(",", "."));
      if (text.value.trim() !== "" && Number.isFinite(value) && value >= 0) set(value);
      else text.value = formatNumber(rate);
    },
  });

  function write() {
    if (dragging) return;
    const [low, high] = rateRange(rate);
    slider.min = low.toFixed(2);
    slider.max = high.toFixed(2);
    const value = String(rate > 0 ? Number(Math.log10(rate).toFixed(2)) : low);
    if (slider.value !== value) slider.value = value;
    putAttributes(slider, { "aria-valuetext": formatNumber(rate) });
    if (!hasKeyboard(text)) text.value = formatNumber(rate);
  }

  return {
    element: root,
    show(now: readonly number[], disabled: boolean) {
      rate = now[0] ?? 0;
      root.hidden = now.length === 0;
      for (const input of [slider, text]) input.disabled = disabled;
      write();
    },
  };
}
