/** The words above the figures: what the signs mean, which layer reaches least, and the options. */

import { type Bar, MEASURES, thresholdOf } from "./content.ts";

export interface BarView {
  element: HTMLElement;
  /** Its last row, for what else belongs there. */
  foot: HTMLElement;
  draw(bar: Partial<Bar>): void;
  options(threshold: number, overTime: string): void;
  message(text: string): void;
}

export interface BarActions {
  threshold(value: number): void;
  overTime(measure: string): void;
}

export function createBar(document: Document, actions: BarActions): BarView {
  const make = (tag: string, className: string, text = "") => {
    const element = document.createElement(tag);
    element.className = className;
    element.textContent = text;
    return element;
  };
  const element = make("div", "kw-ranges-bar");
  const line = make("div", "kw-header");
  const step = make("span", "kw-step");
  const legend = make("div", "kw-legend");
  const start = make("span", "kw-sign kw-sign-start");
  const seen = make("span", "kw-sign kw-sign-seen");
  const unseen = make("span", "kw-hint");
  unseen.append("inputs seen: call ", make("code", "", "live.observe(batch)"));
  legend.append(
    make("span", "kw-sign kw-sign-dot", "one φ"),
    make("span", "kw-sign kw-sign-box", "quartiles on the grid"),
    seen,
    unseen,
    start,
    make("span", "kw-sign kw-sign-base", "base"),
    make("span", "kw-sign kw-sign-spline", "splines"),
  );
  seen.textContent = "over the inputs seen";

  const measure = document.createElement("select");
  measure.className = "kw-select";
  measure.setAttribute("aria-label", "over time");
  for (const [value, words] of MEASURES) {
    const option = document.createElement("option");
    option.value = value;
    option.textContent = words;
    measure.append(option);
  }
  measure.addEventListener("change", () => actions.overTime(measure.value));
  const threshold = document.createElement("input");
  threshold.className = "kw-number";
  threshold.inputMode = "decimal";
  threshold.setAttribute("aria-label", "R² from which a function counts as SiLU-shaped");
  let last = 0.95;
  const take = () => {
    const value = thresholdOf(threshold.value);
    if (value === null) threshold.value = String(last);
    else if (value !== last) actions.threshold(value);
  };
  threshold.addEventListener("change", take);
  threshold.addEventListener("keydown", (event) => {
    // The notebook would take what is typed for its own shortcuts.
    event.stopPropagation();
    if (event.key === "Enter") take();
  });
  measure.addEventListener("keydown", (event) => event.stopPropagation());
  const options = make("div", "kw-options");
  const time = make("label", "kw-option", "over time ");
  time.append(measure);
  const shaped = make("label", "kw-option", "SiLU-shaped: R² ≥ ");
  shaped.append(threshold);
  options.append(time, shaped);

  line.append(make("b", "kw-title", "Ranges of functions"), step, options);
  const verdict = make("div", "kw-verdict");
  const note = make("div", "kw-status");
  note.hidden = true;
  element.append(line, verdict, legend, note);

  return {
    element,
    foot: legend,
    draw(bar) {
      step.textContent = bar.step === undefined ? "" : `step ${bar.step.toLocaleString("en")}`;
      verdict.textContent = bar.verdict ?? "";
      start.textContent = `median at step ${(bar.start ?? 0).toLocaleString("en")}`;
      seen.hidden = bar.observed !== true;
      unseen.hidden = bar.observed === true;
    },
    options(value, overTime) {
      last = value;
      if (!threshold.matches(":focus")) threshold.value = String(value);
      measure.value = overTime;
    },
    message(text) {
      note.textContent = text;
      note.hidden = text === "";
    },
  };
}
