/** The buttons and fields of the panel. */

import { formatNumber } from "../../phi/format.ts";
import { createKit } from "../../shell/controls.ts";
import { element, hasKeyboard, listen, put, putAttributes } from "../../shell/element.ts";
import type { Commands } from "./commands.ts";
import { rateAt, rateRange, type Status } from "./status.ts";

const ICONS = {
  pause: "M4 2h3v12H4zM9 2h3v12H9z",
  play: "M4 2l9 6-9 6z",
  step: "M3 2l7 6-7 6zM11 2h2v12h-2z",
  stop: "M3 3h10v10H3z",
};
/** What pausing does while nothing trains. */
const BEFORE = "Pauses the next run after its first step";

/** `known` is what the kernel has said last: it may be later than what is drawn. */
export function createControls(
  document: Document,
  commands: Commands,
  known: () => Status,
  signal: AbortSignal,
) {
  const kit = createKit(document, signal);
  const root = element(document, "span", "kw-steer");
  putAttributes(root, { role: "group", "aria-label": "Training" });
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
  const take = "Take this many optimizer steps, then pause";
  const several = kit.button("steps", take, "kw-button kw-words", advance);
  several.setAttribute("aria-label", "Several steps");
  many.append(several);
  listen(count, signal, { keydown: ({ key }) => key === "Enter" && advance() });
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
  const passing = "How many training steps pass from one frame to the next";
  const every = field("draw every this many steps", passing, "1", everyBox);
  element(document, "span", "kw-option-label", everyBox).textContent = "steps";
  listen(every, signal, {
    change() {
      const value = whole(every);
      if (value === null) every.value = String(known().every);
      else commands.send({ kind: "every", value });
    },
  });
  root.append(rate.element, everyBox);

  function iconButton(icon: keyof typeof ICONS, name: string, title: string, act: () => void) {
    const made = kit.button("", title, "kw-button", act);
    draw(made, icon);
    label(made, name, title);
    buttons.append(made);
    return made;
  }

  function draw(on: HTMLElement, icon: keyof typeof ICONS) {
    if (on.dataset.icon === icon) return;
    on.dataset.icon = icon;
    const make = (name: string) => document.createElementNS("http://www.w3.org/2000/svg", name);
    const [svg, path] = [make("svg"), make("path")];
    putAttributes(svg, { viewBox: "0 0 16 16", "aria-hidden": "true" });
    putAttributes(path, { d: ICONS[icon] });
    svg.append(path);
    on.replaceChildren(svg);
  }

  function label(on: HTMLElement, name: string, title: string) {
    putAttributes(on, { title, "aria-label": name });
  }

  function field(name: string, title: string, value: string, parent: HTMLElement) {
    const input = element(document, "input", "kw-number", parent);
    Object.assign(input, { type: "number", min: "1", step: "1", value });
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
    show(now: Status, alone: boolean) {
      const wanted = commands.wanted();
      const paused = (wanted ?? now.control) === "paused";
      const active = now.state === "running" || now.state === "paused";
      draw(hold, paused ? "play" : "pause");
      if (paused) label(hold, "Resume", "Resume training (key: p)");
      else label(hold, "Pause", `${active ? "Pause after the current step" : BEFORE} (key: p)`);
      // Nothing is there to pause: it can be pressed, but does not ask for it.
      hold.toggleAttribute("data-idle", !active && !paused);
      hold.toggleAttribute("data-waiting", wanted !== null && commands.hearing() !== "well");
      const steered = !alone && !now.closed && now.steered;
      for (const part of [hold, one, several, count, every]) part.disabled = !steered;
      end.disabled = !steered || !active;
      rate.show(alone ? [] : now.rates, !steered);
      buttons.hidden = everyBox.hidden = alone || !now.steered;
      const text = String(now.every);
      if (!hasKeyboard(every) && every.value !== text) every.value = text;
    },
    /** Uses the keys p and s. */
    key(event: KeyboardEvent) {
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

/** The learning rate: a slider over powers of ten, between the rates at its ends, and a field for the number. */
function createRate(
  document: Document,
  set: (value: number, group: number | null) => void,
  signal: AbortSignal,
) {
  const root = element(document, "span", "kw-option kw-rate");
  element(document, "span", "kw-option-label", root).textContent = "learning rate";
  const groups = element(document, "select", "kw-select", root);
  groups.title = "Which parameter group to set; “all groups” keeps their proportions";
  groups.setAttribute("aria-label", "parameter group");
  const least = element(document, "span", "kw-rate-end", root);
  const slider = element(document, "input", "kw-slider", root);
  const drag =
    "Drag to change the learning rate, from a tenth to ten times what it is; it counts from the next step on";
  Object.assign(slider, { type: "range", step: "0.01", title: drag });
  slider.setAttribute("aria-label", "learning rate");
  const most = element(document, "span", "kw-rate-end", root);
  const text = element(document, "input", "kw-number kw-rate-text", root);
  const typed = "The learning rate now; type another one, which counts from the next step on";
  Object.assign(text, { type: "text", inputMode: "decimal", title: typed });
  text.setAttribute("aria-label", "learning rate as a number");
  const undo = createKit(document, signal).button("undo", "", "kw-button kw-rate-undo", takeBack);
  root.append(undo);

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

  function takeBack() {
    const last = before.pop() ?? [];
    last.forEach((value, k) => {
      set(value, last.length > 1 ? k : null);
    });
    writeUndo();
  }

  function writeUndo() {
    const last = before.at(-1);
    undo.hidden = !last;
    const title = `Set the learning rate back to ${(last ?? []).map(formatNumber).join(", ")}`;
    putAttributes(undo, { title });
  }

  listen(slider, signal, {
    input() {
      dragging = true;
      text.value = formatNumber(rateAt(Number(slider.value)));
      slider.setAttribute("aria-valuetext", text.value);
    },
    change() {
      dragging = false;
      change(rateAt(Number(slider.value)));
    },
  });
  listen(text, signal, {
    change() {
      const value = Number(text.value.replace(",", "."));
      if (text.value.trim() !== "" && Number.isFinite(value) && value >= 0) change(value);
      else text.value = formatNumber(current());
    },
  });
  listen(groups, signal, { change: write });

  function write() {
    if (dragging) return;
    const rate = current();
    const [low, high] = rateRange(rate);
    slider.min = low.toFixed(2);
    slider.max = high.toFixed(2);
    put(least, formatNumber(rateAt(low)));
    put(most, formatNumber(rateAt(high)));
    const value = String(rate > 0 ? Number(Math.log10(rate).toFixed(2)) : low);
    if (slider.value !== value) slider.value = value;
    slider.setAttribute("aria-valuetext", formatNumber(rate));
    if (!hasKeyboard(text)) text.value = formatNumber(rate);
  }

  return {
    element: root,
    show(now: readonly number[], disabled: boolean) {
      if (now.length !== rates.length) {
        before.length = 0;
        const names = ["all groups", ...now.keys()].map((name, k) => {
          const option = document.createElement("option");
          option.value = k === 0 ? "all" : String(name);
          option.textContent = k === 0 ? String(name) : `group ${name}`;
          return option;
        });
        groups.replaceChildren(...names);
      }
      rates = now;
      root.hidden = now.length === 0;
      groups.hidden = now.length < 2;
      for (const input of [groups, slider, text, undo]) input.disabled = disabled;
      write();
      writeUndo();
    },
  };
}
