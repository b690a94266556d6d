/** The view: buttons, numbers and words. */

import type { AnyModel } from "@anywidget/types";
import { watchKernel } from "../shared/kernel.ts";
import { keepKeys } from "../shared/keys.ts";
import { createSave } from "../shared/save.ts";
import { inJupyter, themeAround, watchTheme } from "../shared/theme.ts";
import { type Command, createCommands } from "./commands.ts";
import { createRate } from "./rate.ts";
import { type Status, statusOf, type Traits } from "./status.ts";
import { ALONE, deafWords, numbers, stateWord } from "./words.ts";

const ICONS = {
  pause: "M4 2h3v12H4zM9 2h3v12H9z",
  play: "M4 2l9 6-9 6z",
  step: "M3 2l7 6-7 6zM11 2h2v12h-2z",
  stop: "M3 3h10v10H3z",
};

export function createView(model: AnyModel<Traits>, el: HTMLElement, signal: AbortSignal): void {
  const document = el.ownerDocument;
  const make = <K extends keyof HTMLElementTagNameMap>(tag: K, name: string, parent?: Node) => {
    const element = document.createElement(tag);
    element.className = name;
    parent?.appendChild(element);
    return element;
  };
  const commands = createCommands((content) => model.send(content), show);
  let status = statusOf(model.get("status"));
  /** Whether there is a kernel that could hear what is clicked. */
  let connected = true;

  const root = make("div", "kw-training");
  keepKeys(root, signal);
  const header = make("div", "kw-header", root);
  header.setAttribute("role", "group");
  header.setAttribute("aria-label", "Training");

  const state = make("span", "kw-status", header);
  state.setAttribute("role", "status");
  make("span", "kw-dot", state);
  const word = make("span", "kw-state", state);

  const buttons = make("span", "kw-buttons", header);
  const hold = button("pause", "", "", () => {
    const paused = (commands.wanted() ?? status.control) === "paused";
    commands.send({ kind: paused ? "resume" : "pause" });
  });
  const one = button("step", "One step", "One optimizer step, then hold (key: s)", () =>
    commands.send({ kind: "advance", steps: 1 }),
  );
  const many = make("span", "kw-many", buttons);
  const count = field("number of steps", "How many steps", "10", many);
  const several = make("button", "kw-button kw-words", many);
  several.type = "button";
  several.textContent = "steps";
  label(several, "Several steps", "So many optimizer steps, then hold");
  several.addEventListener("click", advance, { signal });
  count.addEventListener(
    "keydown",
    (event) => {
      if (event.key === "Enter") advance();
    },
    { signal },
  );
  const end = button("stop", "Stop", "End the training after the step that is going on", () =>
    commands.send({ kind: "stop" }),
  );

  const rate = createRate(document, (value, group) => send({ kind: "rate", value, group }), signal);
  header.append(rate.element);
  const everyBox = make("label", "kw-option", header);
  make("span", "kw-option-label", everyBox).textContent = "draw every";
  const every = field("draw every so many steps", "Steps between two frames", "1", everyBox);
  make("span", "kw-option-label", everyBox).textContent = "steps";
  every.addEventListener(
    "change",
    () => {
      const value = whole(every);
      if (value === null) every.value = String(status.every);
      else send({ kind: "every", value });
    },
    { signal },
  );

  const row = make("div", "kw-facts-row", root);
  const facts = make("dl", "kw-facts", row);
  row.append(
    createSave(
      document,
      {
        // With the curves, which are beside it in ipywidgets' box.
        root: () => el.closest<HTMLElement>(".kw-panel") ?? root,
        name: () => `training-panel step ${status.step}`,
        redraw() {},
      },
      signal,
    ),
  );
  const bar = make("div", "kw-bar", root);
  const done = make("div", "kw-done", bar);
  bar.setAttribute("role", "progressbar");
  bar.setAttribute("aria-label", "Progress");
  const words = make("div", "kw-notes", root);
  words.setAttribute("aria-live", "polite");
  const trace = folded("traceback", "Where it went wrong");
  const output = folded("output", "What the training printed");
  el.append(root);

  function button(icon: keyof typeof ICONS, name: string, title: string, act: () => void) {
    const made = make("button", "kw-button", buttons);
    made.type = "button";
    made.dataset.icon = icon;
    draw(made, icon);
    label(made, name, title);
    made.addEventListener("click", act, { signal });
    return made;
  }

  function draw(on: HTMLElement, icon: keyof typeof ICONS) {
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

  function field(name: string, title: string, value: string, parent: Node) {
    const input = make("input", "kw-number", parent);
    input.type = "number";
    input.min = "1";
    input.step = "1";
    input.value = value;
    label(input, name, title);
    return input;
  }

  function folded(name: string, title: string) {
    const box = make("details", `kw-${name}`, root);
    const summary = make("summary", "kw-summary", box);
    summary.textContent = name;
    summary.title = title;
    const text = make("pre", "kw-text", box);
    text.tabIndex = 0;
    text.setAttribute("aria-label", name);
    return {
      show(content: string) {
        box.hidden = content === "";
        if (text.textContent === content) return;
        const atEnd = text.scrollHeight - text.scrollTop - text.clientHeight < 4;
        text.textContent = content;
        if (atEnd) text.scrollTop = text.scrollHeight;
      },
      open: () => {
        box.open = true;
      },
    };
  }

  function whole(input: HTMLInputElement): number | null {
    const value = Number(input.value);
    return Number.isInteger(value) && value >= 1 ? value : null;
  }

  function send(command: Command) {
    commands.send(command);
  }

  function advance() {
    const steps = whole(count);
    if (steps === null) count.value = "10";
    else send({ kind: "advance", steps });
  }

  function show() {
    const theme = model.get("theme");
    root.dataset.kwTheme = theme === "light" || theme === "dark" ? theme : themeAround(el);
    if (theme === "auto" && inJupyter(document)) root.dataset.kwHost = "jupyter";
    else delete root.dataset.kwHost;

    const hearing = commands.hearing();
    const wanted = commands.wanted();
    const paused = (wanted ?? status.control) === "paused";
    const active = status.state === "running" || status.state === "paused";
    state.dataset.state = status.fault ? "fault" : status.state;
    write(word, stateWord(status));
    const icon = paused ? "play" : "pause";
    if (hold.dataset.icon !== icon) {
      hold.dataset.icon = icon;
      draw(hold, icon);
    }
    if (paused) label(hold, "Resume", "Let the training go on (key: p)");
    else {
      const when = active ? "the step that is going on" : "the first step of the next training";
      label(hold, "Pause", `Hold after ${when} (key: p)`);
    }
    hold.toggleAttribute("data-waiting", wanted !== null && hearing !== "well");
    const steered = connected && !status.closed && status.recording === "";
    for (const element of [hold, one, several, count, every]) element.disabled = !steered;
    end.disabled = !steered || !active;
    rate.show(connected ? status.rates : [], !steered);
    buttons.hidden = everyBox.hidden = !connected || status.recording !== "";
    if (!every.matches(":focus") && every.value !== String(status.every)) {
      every.value = String(status.every);
    }
    showFacts(status);
    showNotes(hearing);
    trace.show(status.traceback);
    output.show(status.output);
  }

  function showFacts(now: Status) {
    const wanted = numbers(now);
    while (facts.children.length > wanted.length) facts.lastChild?.remove();
    wanted.forEach(([name, value, title], k) => {
      let item = facts.children[k] as HTMLElement | undefined;
      if (!item) {
        item = make("div", "kw-fact", facts);
        make("dt", "", item);
        make("dd", "", item);
      }
      if (item.title !== title) item.title = title;
      item.dataset.name = name;
      write(item.children[0], name);
      write(item.children[1], value);
    });
    bar.hidden = now.total === null;
    if (now.total) {
      const share = Math.min(1, now.done / now.total);
      done.style.width = `${100 * share}%`;
      bar.setAttribute("aria-valuenow", String(Math.round(100 * share)));
      bar.title = `${now.done} of ${now.total} batches`;
    }
  }

  function showNotes(hearing: "well" | "silent" | "deaf") {
    const notes: [text: string, tone: string][] = [];
    if (status.recording) notes.push([status.recording, "calm"]);
    if (!connected) notes.push([ALONE, "calm"]);
    else if (hearing !== "well")
      notes.push([deafWords(hearing === "deaf", commands.waiting()), "warn"]);
    if (commands.refused()) notes.push([commands.refused(), "warn"]);
    if (status.message) notes.push([status.message, "warn"]);
    if (status.fault) notes.push([status.fault, "warn"]);
    for (const report of status.reports) notes.push([report, "warn"]);
    words.hidden = notes.length === 0;
    while (words.children.length > notes.length) words.lastChild?.remove();
    notes.forEach(([text, tone], k) => {
      const line = (words.children[k] as HTMLElement) ?? make("div", "kw-note", words);
      line.dataset.tone = tone;
      write(line, text);
    });
  }

  function write(element: Element, text: string) {
    if (element.textContent !== text) element.textContent = text;
  }

  root.addEventListener(
    "keydown",
    (event) => {
      const typing = (event.target as HTMLElement).closest("input, select, pre");
      if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "p") hold.click();
      else if (event.key === "s") one.click();
      else return;
      event.preventDefault();
    },
    { signal },
  );

  const updated = () => {
    const before = status;
    status = statusOf(model.get("status"));
    commands.news();
    if (status.traceback && !before.traceback) trace.open();
    if (status.output && !before.output) output.open();
    show();
  };
  const heard = (content: unknown) => {
    const answered = commands.take(content);
    if (answered) status = answered;
    show();
  };
  model.on("change:status", updated);
  model.on("change:theme", show);
  model.on("msg:custom", heard);
  watchTheme(el, show, signal);
  signal.addEventListener(
    "abort",
    () => {
      model.off("change:status", updated);
      model.off("change:theme", show);
      model.off("msg:custom", heard);
      commands.stop();
    },
    { once: true },
  );
  if (status.output) output.open();
  show();
  commands.send({ kind: "hello" });
  const meet = (there: boolean) => {
    connected = there;
    show();
  };
  void watchKernel(model, model.get("own"), meet, signal);
}
