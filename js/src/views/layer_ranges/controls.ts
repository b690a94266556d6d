/** The header: what the curves show, from when a function counts as SiLU-shaped, and the other columns. */

import { createKit } from "../../shell/controls.ts";
import { element, put } from "../../shell/element.ts";
import { MEASURED, MEASURES, type Measure, thresholdOf } from "./content.ts";

export interface Choices {
  overTime: Measure;
  threshold: number;
  more: boolean;
  /** Whether there is room for the curves. */
  timed: boolean;
  /** Whether the kernel has a batch that it could observe, and has observed one. */
  batch: boolean;
  observed: boolean;
}

export interface Header {
  element: HTMLElement;
  /** `alone`: there is no kernel that could measure with another threshold. */
  show(choices: Choices, alone: boolean): void;
}

export function createHeader(
  document: Document,
  choose: (trait: string, value: string | number | boolean) => void,
  observe: () => void,
  signal: AbortSignal,
): Header {
  const kit = createKit(document, signal);
  const root = element(document, "div", "kw-header");
  const overTime = kit.select(
    "over time",
    "What the curves show: how it changed with the steps, a plot in each row",
    (value) => choose("over_time", value),
  );
  overTime.fill(MEASURES.map((value) => ({ value, label: MEASURED[value].words })));
  const threshold = kit.number(
    "SiLU-shaped from R²",
    "A function counts as SiLU-shaped where the best a·SiLU + c has at least this R², 0 to 1",
    thresholdOf,
    (value) => choose("threshold", value),
  );
  const more = kit.check(
    "more columns",
    "Show what is so on the grid beside what is so over the inputs; the columns change, gradient and update too; and what counts as SiLU-shaped",
    (value) => choose("more", value),
  );
  const look = kit.button(
    "observe a batch",
    "Run the last batch of the training through the model once, without changing anything, and measure over what reaches each layer",
    "kw-button",
    observe,
  );
  root.append(overTime.box, more.box, threshold.box, look);
  return {
    element: root,
    show(choices, alone) {
      overTime.set(choices.overTime);
      threshold.set(choices.threshold);
      overTime.box.hidden = !choices.timed;
      threshold.box.hidden = alone || !choices.more;
      more.set(choices.more);
      look.hidden = alone || !choices.batch;
      put(look, choices.observed ? "observe again" : "observe a batch");
    },
  };
}
