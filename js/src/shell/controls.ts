/** The controls of the headers. Native ones throughout, so that keyboard and names come with them. */

import { layerSize, layerTitle } from "../phi/entries.ts";
import { ENDED } from "../wire/standing.ts";
import type { LayerLayout, Store } from "../wire/types.ts";
import { element, hasKeyboard, listen, putAttributes, putWords } from "./element.ts";

export interface Item {
  value: string;
  label: string;
}

interface Control<T> {
  box: HTMLElement;
  set(value: T): void;
}

interface Choice extends Control<string> {
  /** `title` is what the pointer is told about an entry; only segments have one for each. */
  fill(entries: readonly (Item & { title?: string })[]): void;
}

const ICONS = {
  pause: "M4 2h3v12H4zM9 2h3v12H9z",
  play: "M4 2l9 6-9 6z",
  step: "M3 2l7 6-7 6zM11 2h2v12h-2z",
  stop: "M3 3h10v10H3z",
};

/** The share of a view's width that tabs may take. */
export const TABS = 0.45;

/** An input behind its label, and the box that holds both. */
function labelled<K extends "select" | "input">(
  document: Document,
  tag: K,
  [label, title]: readonly [string, string],
  className: string,
) {
  const box = element(document, "label", "kw-option");
  putWords(element(document, "span", "kw-option-label", box), label);
  const input = element(document, tag, className, box);
  input.title = title;
  putAttributes(input, { "aria-label": label || title });
  return { box, input };
}

export function createKit(document: Document, signal: AbortSignal) {
  /** A row of which one is chosen. */
  function segments(name: string, choose: (value: string) => void): Choice {
    const box = element(document, "div", "kw-segments");
    putAttributes(box, { role: "radiogroup", "aria-label": name });
    // Each widget of a page has its own copy of this module: a counter would repeat.
    const group = `kw-${Math.random().toString(36).slice(2)}`;
    let inputs: HTMLInputElement[] = [];
    listen(box, signal, { change: ({ target }) => choose((target as HTMLInputElement).value) });
    return {
      box,
      fill(entries) {
        box.replaceChildren();
        inputs = entries.map(({ value, label, title = "" }) => {
          const holder = element(document, "label", "kw-segment", box);
          holder.title = title;
          const input = element(document, "input", "kw-hidden", holder);
          Object.assign(input, { type: "radio", name: group, value, title });
          putAttributes(input, { "aria-label": label });
          putWords(element(document, "span", "kw-segment-text", holder), label);
          return input;
        });
      },
      set(value) {
        for (const input of inputs) input.checked = input.value === value;
      },
    };
  }

  /** A menu behind its label. */
  function select(label: string, title: string, choose: (value: string) => void): Choice {
    const { box, input } = labelled(document, "select", [label, title], "kw-select");
    listen(input, signal, { change: () => choose(input.value) });
    return {
      box,
      fill(entries) {
        const options = entries.map(({ value, label: words }) => {
          const option = document.createElement("option");
          option.value = value;
          option.textContent = words;
          return option;
        });
        input.replaceChildren(...options);
      },
      set(value) {
        if (input.value !== value) input.value = value;
      },
    };
  }

  function check(label: string, title: string, choose: (value: boolean) => void): Control<boolean> {
    const { box, input } = labelled(document, "input", [label, title], "kw-checkbox");
    box.classList.add("kw-check");
    box.title = title;
    box.prepend(input);
    input.type = "checkbox";
    listen(input, signal, { change: () => choose(input.checked) });
    return {
      box,
      set(value) {
        input.checked = value;
      },
    };
  }

  /** A field behind its label; where `read` finds no number, the last one is put back. */
  function number(
    label: string,
    title: string,
    read: (text: string) => number | null,
    choose: (value: number) => void,
  ): Control<number> {
    const { box, input } = labelled(document, "input", [label, title], "kw-number");
    input.inputMode = "decimal";
    let last: number | null = null;
    // Fired by Enter too.
    function change() {
      const value = read(input.value);
      if (value === null) input.value = String(last ?? "");
      else if (value !== last) choose(value);
    }
    listen(input, signal, { change });
    return {
      box,
      set(value) {
        last = value;
        if (!hasKeyboard(input)) input.value = String(value);
      },
    };
  }

  function button(text: string, title: string, className: string, act: () => void) {
    const control = element(document, "button", className);
    control.type = "button";
    control.textContent = text;
    control.title = title;
    // The name that is read aloud holds the words that are seen; a sign alone has none.
    if (!/[a-z]{2}/i.test(text)) putAttributes(control, { "aria-label": title });
    listen(control, signal, { click: act });
    return control;
  }

  return {
    segments,
    select,
    check,
    number,
    button,
    /** Tabs for a few layers, a menu for many. */
    layers(choose: (name: string) => void) {
      const menu = select("layer", "Which layer is drawn", choose);
      return layerChoice(segments("Layer", choose), menu);
    },
  };
}

/** The button that has Python look at what reaches the layers; `shows`: what is seen then. */
export function observeButton(
  { button }: ReturnType<typeof createKit>,
  store: () => Store | null,
  shows: string,
) {
  const run =
    "Run the last batch of the training through the model once, without changing anything";
  const look = () => store()?.command("observe");
  return button("observe a batch", `${run}, and ${shows}`, "kw-button", look);
}

/** A button with an icon; `show` changes the icon and the name. */
export function iconButton({ button }: ReturnType<typeof createKit>, act: () => void) {
  const control = button("", "", "kw-button kw-icon", act);
  const make = (tag: string) =>
    control.ownerDocument.createElementNS("http://www.w3.org/2000/svg", tag);
  const [svg, path] = [make("svg"), make("path")];
  putAttributes(svg, { viewBox: "0 0 16 16", "aria-hidden": "true" });
  svg.append(path);
  control.append(svg);
  const show = (icon: keyof typeof ICONS, name: string, title: string) => {
    putAttributes(path, { d: ICONS[icon] });
    putAttributes(control, { title, "aria-label": name, "data-icon": icon });
  };
  return { button: control, show };
}

/** A menu of rarely used controls behind one button: closed by a click elsewhere and by Escape. */
export function createMenu(document: Document, title: string, signal: AbortSignal) {
  const box = element(document, "details", "kw-menu");
  const summary = element(document, "summary", "kw-button", box);
  summary.textContent = "⋯";
  putAttributes(summary, { title, "aria-label": title });
  const inside = element(document, "div", "kw-menu-inside", box);
  listen(document, signal, {
    pointerdown: (event) => event.composedPath().includes(box) || box.removeAttribute("open"),
  });
  listen(box, signal, {
    keydown(event) {
      if (event.key !== "Escape" || !box.open) return;
      box.open = false;
      summary.focus();
    },
  });
  return { box, inside };
}

function layerChoice(tabs: Choice, menu: Choice) {
  tabs.box.classList.add("kw-tabs");
  menu.box.classList.add("kw-layer-menu");
  // Until the width is known, so is not which of the two is shown.
  tabs.box.hidden = menu.box.hidden = true;
  let listed = "";
  const widthOf = ({ length }: string) => 6.6 * length + 22;
  /** Offers layers that the stream need not have, each with its title; in a menu that is narrow without their sizes. */
  function list(entries: readonly (Item & { title: string })[], chosen: string, width: number) {
    const room = Math.max(160, TABS * width);
    const isShort = width !== 0 && entries.some(({ title }) => widthOf(title) > room);
    const text = JSON.stringify([entries, isShort]);
    if (text !== listed) {
      listed = text;
      tabs.fill(entries);
      menu.fill(isShort ? entries : entries.map((one) => ({ ...one, label: one.title })));
    }
    const taken = entries.reduce((sum, { label }) => sum + widthOf(label), 0);
    const asTabs = entries.length <= 4 && taken <= room;
    tabs.box.hidden = !asTabs;
    menu.box.hidden = asTabs;
    tabs.set(chosen);
    menu.set(chosen);
  }
  function show(all: readonly LayerLayout[], chosen: string, width: number) {
    const entries = all.map((layer) => {
      const title = layerTitle(layer);
      const label = /^\d+$/.test(layer.name) ? `${title} · ${layer.kind}` : title;
      return { value: layer.name, label, title: `${title} — ${layerSize(layer)}` };
    });
    list(entries, chosen, width);
  }
  return { boxes: [tabs.box, menu.box], list, show };
}

/** How a run stands where it can be held, and where it is. */
const STEERED: readonly string[] = ["ready", "running", "paused", "still"];
const OVER: readonly string[] = [...ENDED, "saved", "closed"];
const HELD: readonly string[] = ["ready", "paused"];

/** `say` is given words where a click is not obeyed, "" where all are. */
export function createSteering(
  document: Document,
  store: () => Store | null,
  say: (words: string) => void,
  signal: AbortSignal,
) {
  const kit = createKit(document, signal);
  const stateNow = () => store()?.standing().state ?? "";
  const send = (kind: "pause" | "resume") => store()?.steering.send({ kind });
  /** Whether the run is held, or will be once the last click is heard. */
  const isHeld = () => {
    const wanted = store()?.steering.wantedState();
    return wanted ? wanted === "paused" : HELD.includes(stateNow());
  };
  const hold = iconButton(kit, () => send(isHeld() ? "resume" : "pause"));
  const step = iconButton(kit, () => store()?.steering.send({ kind: "step", steps: 1 }));
  step.show("step", "One step", "Take one optimizer step, then pause");
  const begin = kit.button("▶ Train", "Begin to train", "kw-train", () => send("resume"));
  let lastWords = "";
  return {
    boxes: [hold.button, step.button],
    /** `over`: where the one large button of a run that waits to begin is laid. */
    show(over?: HTMLElement) {
      const state = stateNow();
      if (state !== "ready") begin.remove();
      else if (over && begin.parentElement !== over) over.append(begin);
      hold.button.hidden = step.button.hidden = OVER.includes(state);
      if (!isHeld()) hold.show("pause", "Pause", "Pause training after the current step");
      else if (state === "ready") hold.show("play", "Train", "Begin to train");
      else hold.show("play", "Resume", "Resume training");
      hold.button.disabled = step.button.disabled = !STEERED.includes(state);
      const words = store()?.steering.words() ?? "";
      if (words !== lastWords) say(words);
      lastWords = words;
    },
  };
}
