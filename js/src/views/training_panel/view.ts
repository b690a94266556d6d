/** TrainingPanel: the switch of a training, its numbers and its curves. */

import { counted } from "../../phi/entries.ts";
import { type ChartControl, createChartBar, createChartHands } from "../../shell/chart_hands.ts";
import { createKit, iconButton } from "../../shell/controls.ts";
import { element, listen, putAttributes, putWords } from "../../shell/element.ts";
import { type Kind, type Parts, type Shell, type ViewElement, viewOf } from "../../shell/mount.ts";
import { createViewStage } from "../../shell/stage.ts";
import { ENDED, hintText, type Standing, type SteeringCommand } from "../../wire/standing.ts";
import { drawing, type PanelScene, shareDone } from "./scene.ts";
import { type RunStatus, statusIn } from "./status.ts";
import css from "./style.css";

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
      const active = !alone && (now.state === "running" || now.state === "paused");
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

/** What alarms of one cause have in common: a loss or coefficients that grow beyond all bounds, else what mends them. */
const remedyOf = ({ kind, button, call }: RunStatus["alarms"][number]) =>
  ["loss", "not finite", "exploding"].includes(kind) ? "diverges" : button || call;

export function createAlarms(document: Document, send: Send, signal: AbortSignal) {
  const kit = createKit(document, signal);
  const root = element(document, "div", "kw-alarms");
  putAttributes(root, { role: "group", "aria-label": "Alarms", "aria-live": "polite" });
  let shown = "";
  const add = (line: HTMLElement, text: string, title: string, act: () => void) =>
    line.append(" ", kit.button(text, title, "kw-button kw-words", act));

  function rebuild({ alarms, cured }: RunStatus) {
    root.replaceChildren();
    // What one remedy mends is one alarm, whatever it shows in.
    const remedies = new Set(alarms.map(remedyOf));
    for (const remedy of remedies) {
      const found = alarms.filter((one) => remedyOf(one) === remedy);
      // What no training brings back goes before what a lower rate would mend.
      const worst = found.find(({ button }) => !button) ?? found[0];
      const { id, more, call, button: cure } = worst;
      // When it began is said first: a loss is seen at each step, functions now and then.
      const [{ text }] = found;
      const others = found.slice(1);
      const line = element(document, "div", "kw-note kw-alarm", root);
      element(document, "strong", "", line).textContent = text;
      const also = others.length > 0 ? ` (and ${counted(others.length, "more alarm")})` : "";
      const words = element(document, "span", "", line);
      words.textContent = `${also} ${more}`;
      line.title = [`${text} ${more}`, ...others.map((one) => one.text)].join("\n");
      element(document, "span", "kw-call", line).textContent = call ? ` ${call}` : "";
      if (!cure) continue;
      const title = `${call} It is done between two steps, and can be undone`;
      add(line, cure, title, () => send({ kind: "cure", alarm: id }));
    }
    if (!cured) return;
    const done = element(document, "div", "kw-note kw-cured", root);
    element(document, "span", "", done).textContent = cured.text;
    if (!cured.undo) return;
    add(done, "undo", "Undo it, between two steps", () => send({ kind: "uncure" }));
  }

  return {
    element: root,
    /** `steered`: what is clicked reaches the training; `saved`: who reads it can call nothing. */
    show(status: RunStatus, steered: boolean, saved: boolean) {
      const now = JSON.stringify([status.alarms, status.cured]);
      if (now !== shown) rebuild(status);
      shown = now;
      for (const act of root.querySelectorAll("button")) act.hidden = !steered;
      for (const call of root.querySelectorAll<HTMLElement>(".kw-call")) call.hidden = saved;
      root.hidden = status.alarms.length === 0 && status.cured === null;
    },
  };
}

export function createNotes(document: Document) {
  const root = element(document, "div", "kw-side-notes");
  const words = element(document, "div", "kw-notes", root);
  words.setAttribute("aria-live", "polite");
  const trace = folded("traceback", "Where it went wrong");
  const output = folded("output", "What the training printed");

  function folded(name: string, title: string) {
    const box = element(document, "details", `kw-${name}`, root);
    const summary = element(document, "summary", "kw-summary", box);
    summary.textContent = name;
    summary.title = title;
    const text = element(document, "pre", "kw-text", box);
    text.tabIndex = 0;
    text.setAttribute("aria-label", name);
    return (content: string) => {
      box.hidden = content === "";
      const before = text.textContent ?? "";
      if (before === content) return;
      if (before === "") box.open = true;
      const atEnd = text.scrollHeight - text.scrollTop - text.clientHeight < 4;
      text.textContent = content;
      if (atEnd) text.scrollTop = text.scrollHeight;
    };
  }

  return {
    element: root,
    /** `alone`: there is no Python that could hear. */
    show(status: RunStatus, alone: boolean, standing: Standing) {
      const notes: [text: string, tone: string][] = [];
      const warn = (text: string) => text && notes.push([text, "warn"]);
      if (status.recording) notes.push([status.recording, "calm"]);
      if (alone) notes.push([hintText(standing), "calm"]);
      else if (standing.state === "unheard") warn(hintText(standing));
      for (const text of status.reports) warn(text);
      words.hidden = notes.length === 0;
      while (words.children.length > notes.length) words.lastChild?.remove();
      notes.forEach(([text, tone], k) => {
        const line =
          (words.children[k] as HTMLElement) ?? element(document, "div", "kw-note", words);
        line.dataset.tone = tone;
        putWords(line, text);
      });
      trace(status.traceback);
      output(status.output);
    },
  };
}

export type PanelElement = ViewElement<PanelScene, ReturnType<ChartControl["forTests"]>>;

const KIND: Kind = {
  name: "training_panel",
  label: "Training panel",
  timeless: true,
  drawing,
};

export { css, drawing };

export const render = viewOf(KIND, build);

function build(shell: Shell<PanelScene>): Parts<PanelScene> {
  const { document, signal, scene } = shell;
  const draw = drawing();
  const send: Send = (command) => shell.store()?.steering.send(command);
  const controls = createControls(shell, send);
  const alarms = createAlarms(document, send, signal);
  const notes = createNotes(document);
  const hands = createChartHands(shell, scene, draw);
  const bar = createChartBar(shell, hands);
  let lastState = "";

  const stage = createViewStage(shell, {
    ...hands.on(() => stage.pointed().at),
    cursor: () => "crosshair",
  });
  const progress = element(document, "div", "kw-progress", stage.page);
  putAttributes(progress, { role: "progressbar", "aria-label": "Progress" });
  const body = element(document, "div", "kw-body");
  body.append(alarms.element, notes.element, stage.element);
  const header = element(document, "div", "kw-header");
  header.append(controls.element, bar.element);

  /** Says how far it is, and in which state when that changes, to those who listen. */
  function tell({ status, standing: { words: state } }: PanelScene) {
    const share = shareDone(status);
    progress.hidden = share === null;
    progress.setAttribute("aria-valuenow", String(Math.round(100 * (share ?? 0))));
    if (lastState && state !== lastState) shell.speak(state);
    lastState = state;
  }

  listen(shell.root, signal, { keydown: controls.key });

  return {
    forTests: hands.forTests(stage),
    header,
    stage,
    body,
    fileName: () => `training-panel step ${scene()?.status.step ?? ""}`,
    draw(given) {
      const { store } = given;
      const status = statusIn(given.get);
      const alone = store.alone();
      controls.show(status, alone);
      const saved = store.status().state === "saved";
      alarms.show(status, !alone && !status.closed && status.steered, saved);
      shell.root.toggleAttribute("data-kw-past", store.cursor() >= 0);
      // On a page of its own nobody expects to steer a training.
      notes.show(status, alone && !saved, store.standing());
      bar.show(given.get);
      const shown = stage.show(given, draw);
      if (typeof shown === "string") return shown;
      bar.element.hidden = shown.chart.panels.length === 0;
      tell(shown);
      shell.read("");
      return shown;
    },
  };
}
