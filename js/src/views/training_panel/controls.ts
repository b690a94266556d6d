/** The buttons and fields of the panel: those that every view has, and more. */

import { createKit, iconButton } from "../../shell/controls.ts";
import { element, listen, putAttributes } from "../../shell/element.ts";
import type { Shell } from "../../shell/mount.ts";
import type { SteeringCommand } from "../../wire/commands.ts";
import { ENDED, type RunStatus } from "./status.ts";

const RATE =
  "The learning rate now; another one takes effect with the next step. Parameter groups keep their proportions";

export type Send = (command: SteeringCommand) => void;

export function createControls({ document, signal, steering }: Shell, send: Send) {
  const kit = createKit(document, signal);
  const root = element(document, "span", "kw-steer");
  putAttributes(root, { role: "group", "aria-label": "Training" });
  const buttons = element(document, "span", "kw-buttons", root);
  const [hold, stepButton] = steering.boxes;
  const many = element(document, "span", "kw-many");
  const count = element(document, "input", "kw-number", many);
  Object.assign(count, { type: "number", min: "1", step: "1", value: "10" });
  const wanted = { title: "How many steps to take", "aria-label": "number of steps" };
  putAttributes(count, wanted);
  const take = "Take this many optimizer steps, then pause";
  const several = kit.button("steps", take, "kw-button kw-words", makeSteps);
  several.setAttribute("aria-label", "Several steps");
  many.append(several);
  listen(count, signal, { keydown: ({ key }) => key === "Enter" && makeSteps() });
  const end = iconButton(kit, () => send({ kind: "stop" }));
  end.show("stop", "Stop", "End the training after the current step");
  buttons.append(hold, stepButton, many, end.button);
  const rate = kit.number("learning rate", RATE, rateIn, (value) => {
    send({ kind: "rate", value, group: null });
  });
  rate.box.classList.add("kw-rate");
  const passing = "How many training steps pass from one frame to the next";
  const every = kit.number("draw every", passing, whole, (value) => send({ kind: "every", value }));
  const [rateField, field] = [rate, every].map(({ box }) => box.querySelector("input"));
  element(document, "span", "kw-option-label", every.box).textContent = "steps";
  root.append(rate.box, every.box);

  function makeSteps() {
    const steps = whole(count.value);
    if (steps === null) count.value = "10";
    else send({ kind: "step", steps });
  }

  return {
    element: root,
    show(now: RunStatus, alone: boolean) {
      const active = now.state === "running" || now.state === "paused";
      const steered = !alone && !now.closed && now.steered;
      const goesOn = steered && !ENDED.includes(now.state);
      root.toggleAttribute("data-idle", !goesOn && !active);
      if (field) field.disabled = !steered;
      if (rateField) rateField.disabled = !goesOn;
      for (const part of [several, count]) part.disabled = !goesOn;
      end.button.disabled = !steered || !active;
      const [first] = now.rates;
      rate.box.hidden = alone || first === undefined;
      if (first !== undefined) rate.set(Number(first.toPrecision(4)));
      buttons.hidden = every.box.hidden = alone || !now.steered;
      every.set(now.every);
    },
    /** Uses the keys p and s. */
    key(event: KeyboardEvent) {
      const typing = (event.target as HTMLElement).closest("input, select, pre");
      if (buttons.hidden || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "p") hold.click();
      else if (event.key === "s") stepButton.click();
      else return;
      event.preventDefault();
    },
  };
}

function whole(text: string): number | null {
  const value = Number(text);
  return Number.isInteger(value) && value >= 1 ? value : null;
}

/** A rate as it is typed, with a point or a comma. */
function rateIn(text: string): number | null {
  const value = Number(text.replace(",", "."));
  return text.trim() !== "" && Number.isFinite(value) && value >= 0 ? value : null;
}
