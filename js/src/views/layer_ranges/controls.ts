/** The header: what the curves show, from when a function counts as SiLU-shaped, and the other columns. */

import { createKit } from "../../shell/controls.ts";
import { element } from "../../shell/element.ts";
import { MEASURED, MEASURES, type Measure, thresholdOf } from "./content.ts";

export interface Choices {
  overTime: Measure;
  threshold: number;
  more: boolean;
}

export interface Header {
  element: HTMLElement;
  /** `alone`: there is no kernel that could measure with another threshold. */
  show(choices: Choices, alone: boolean): void;
}

export function createHeader(
  document: Document,
  choose: (trait: string, value: string | number | boolean) => void,
  signal: AbortSignal,
): Header {
  const kit = createKit(document, signal);
  const root = element(document, "div", "kw-header");
  const overTime = kit.select(
    "over time",
    "What the curves over the steps show, one plot in each row",
    (value) => choose("over_time", value),
  );
  overTime.fill(MEASURES.map((value) => ({ value, label: MEASURED[value].words })));
  const threshold = kit.number(
    "SiLU-shaped: R² ≥",
    "A function counts as SiLU-shaped from this R² with the best a·SiLU + c on, 0 to 1",
    thresholdOf,
    (value) => choose("threshold", value),
  );
  const more = kit.check("more", "Show columns for change, gradient and update too", (value) =>
    choose("more", value),
  );
  root.append(overTime.box, threshold.box, more.box);
  return {
    element: root,
    show(choices, alone) {
      overTime.set(choices.overTime);
      threshold.set(choices.threshold);
      threshold.box.hidden = alone;
      more.set(choices.more);
    },
  };
}
