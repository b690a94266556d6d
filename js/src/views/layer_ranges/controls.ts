/** The header: what the curves show, from when a function counts as SiLU-shaped, and the other columns. */

import { element, put } from "../../shell/element.ts";
import { createOptions, type Option } from "../../shell/options.ts";
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

const OPTIONS: readonly Option<Choices>[] = [
  {
    trait: "over_time",
    label: "over time",
    title: "What the curves show: how it changed with the steps, a plot in each row",
    options: MEASURES.map((value) => ({ value, label: MEASURED[value].words })),
    value: ({ overTime }) => overTime,
    shown: ({ timed }) => timed,
  },
  {
    trait: "more",
    label: "more columns",
    title:
      "Show what is so on the grid beside what is so over the inputs; the columns change, gradient and update too; and what counts as SiLU-shaped",
    value: ({ more }) => more,
  },
];

export function createHeader(
  document: Document,
  choose: (trait: string, value: unknown) => void,
  observe: () => void,
  signal: AbortSignal,
) {
  const options = createOptions(document, OPTIONS, choose, signal);
  const root = element(document, "div", "kw-header");
  const threshold = options.kit.number(
    "SiLU-shaped from R²",
    "A function counts as SiLU-shaped where the best a·SiLU + c has at least this R², 0 to 1",
    thresholdOf,
    (value) => choose("threshold", value),
  );
  const look = options.kit.button(
    "observe a batch",
    "Run the last batch of the training through the model once, without changing anything, and measure over what reaches each layer",
    "kw-button",
    observe,
  );
  root.append(...options.boxes, threshold.box, look);
  return {
    element: root,
    /** `alone`: there is no kernel that could measure with another threshold. */
    show(choices: Choices, alone: boolean) {
      options.show(choices);
      threshold.set(choices.threshold);
      threshold.box.hidden = alone || !choices.more;
      look.hidden = alone || !choices.batch;
      put(look, choices.observed ? "observe again" : "observe a batch");
    },
  };
}
