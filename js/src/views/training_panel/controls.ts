/** The buttons and fields of the panel. */

import { element } from "../../shell/element.ts";
import type { Commands } from "./commands.ts";
import { createRate } from "./rate.ts";
import type { Status } from "./status.ts";

const ICONS = {
  pause: "M4 2h3v12H4zM9 2h3v12H9z",
  play: "M4 2l9 6-9 6z",
  step: "M3 2l7 6-7 6zM11 2h2v12h-2z",
  stop: "M3 3h10v10H3z",
};
/** What pausing does while nothing trains. */
const BEFORE = "Pauses the next run after its first step";
type Icon = keyof typeof ICONS;

export interface Controls {
  element: HTMLElement;
  show(status: Status, alone: boolean): void;
  /** Uses the keys p and s. */
  key(event: KeyboardEvent): void;
}

/** `known` is what the kernel has said last: it may be later than what is drawn. */
export function createControls(
  document: Document,
  commands: Commands,
  known: () => Status,
  signal: AbortSignal,
): Controls {
  const root = element(document, "span", "kw-steer");
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "Training");
  const buttons = element(document, "span", "kw-buttons", root);

  const hold = iconButton("pause", "", "", () => {
    const paused = (commands.wanted() ?? known().control) === "paused";
    commands.send({ kind: paused ? "resume" : "pause" });
  });
  const one = iconButton("step", "One step", "Take one optimizer step, then pause (key: s)", () =>
    commands.send({ kind: "advance", steps: 1 }),
  );
  const many = element(document, "span", "kw-many", buttons);
  const count = field("number of steps", "How many steps to take", "10", many);
  const several = element(document, "button", "kw-button kw-words", many);
  several.type = "button";
  several.textContent = "steps";
  label(several, "Several steps", "Take this many optimizer steps, then pause");
  several.addEventListener("click", advance, { signal });
  count.addEventListener("keydown", (event) => event.key === "Enter" && advance(), { signal });
  const end = iconButton("stop", "Stop", "End the training after the current step", () =>
    commands.send({ kind: "stop" }),
  );
  const rate = createRate(
    document,
    (value, group) => commands.send({ kind: "rate", value, group }),
    signal,
  );
  const everyBox = element(document, "label", "kw-option");
  element(document, "span", "kw-option-label", everyBox).textContent = "draw every";
  const every = field(
    "draw every this many steps",
    "How many training steps pass from one frame to the next",
    "1",
    everyBox,
  );
  element(document, "span", "kw-option-label", everyBox).textContent = "steps";
  every.addEventListener(
    "change",
    () => {
      const value = whole(every);
      if (value === null) every.value = String(known().every);
      else commands.send({ kind: "every", value });
    },
    { signal },
  );
  root.append(rate.element, everyBox);

  function iconButton(icon: Icon, name: string, title: string, act: () => void) {
    const made = element(document, "button", "kw-button", buttons);
    made.type = "button";
    draw(made, icon);
    label(made, name, title);
    made.addEventListener("click", act, { signal });
    return made;
  }

  function draw(on: HTMLElement, icon: Icon) {
    if (on.dataset.icon === icon) return;
    on.dataset.icon = icon;
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 16 16");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", ICONS[icon]);
    svg.append(path);
    on.replaceChildren(svg);
  }

  function label(on: HTMLElement, name: string, title: string) {
    if (on.title !== title) on.title = title;
    if (on.getAttribute("aria-label") !== name) on.setAttribute("aria-label", name);
  }

  function field(name: string, title: string, value: string, parent: HTMLElement) {
    const input = element(document, "input", "kw-number", parent);
    input.type = "number";
    input.min = "1";
    input.step = "1";
    input.value = value;
    label(input, name, title);
    return input;
  }

  function advance() {
    const steps = whole(count);
    if (steps === null) count.value = "10";
    else commands.send({ kind: "advance", steps });
  }

  return {
    element: root,
    show(now, alone) {
      const wanted = commands.wanted();
      const paused = (wanted ?? now.control) === "paused";
      const active = now.state === "running" || now.state === "paused";
      draw(hold, paused ? "play" : "pause");
      if (paused) label(hold, "Resume", "Resume training (key: p)");
      else {
        const what = active ? "Pause after the current step" : BEFORE;
        label(hold, "Pause", `${what} (key: p)`);
      }
      // Nothing is there to pause: it can be pressed, but does not ask for it.
      hold.toggleAttribute("data-idle", !active && !paused);
      hold.toggleAttribute("data-waiting", wanted !== null && commands.hearing() !== "well");
      const steered = !alone && !now.closed && now.steered;
      for (const part of [hold, one, several, count, every]) part.disabled = !steered;
      end.disabled = !steered || !active;
      rate.show(alone ? [] : now.rates, !steered);
      buttons.hidden = everyBox.hidden = alone || !now.steered;
      if (!every.matches(":focus") && every.value !== String(now.every)) {
        every.value = String(now.every);
      }
    },
    key(event) {
      const typing = (event.target as HTMLElement).closest("input, select, pre");
      if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "p") hold.click();
      else if (event.key === "s") one.click();
      else return;
      event.preventDefault();
    },
  };
}

function whole(input: HTMLInputElement): number | null {
  const value = Number(input.value);
  return Number.isInteger(value) && value >= 1 ? value : null;
}
