/** The header: layer, mode and options. */

import { createKit } from "../../shell/controls.ts";
import { element } from "../../shell/element.ts";
import type { LayerLayout } from "../../wire/types.ts";
import {
  BOUNDS,
  isFlat,
  isGrey,
  MODES,
  SCALES,
  type Settings,
  SORTS,
  X_RANGES,
} from "./settings.ts";

export interface Choices extends Settings {
  layer: string;
}

export interface Header {
  element: HTMLElement;
  /** Shows the state of the traits; nothing changes in the page where nothing differs. */
  show(
    choices: Choices,
    layers: readonly LayerLayout[],
    width: number,
    /** Names of the scores there are. */
    scores: readonly string[],
  ): void;
}

const MODE_TITLES: Record<(typeof MODES)[number], string> = {
  curves: "Draw every function φ(x) as a curve",
  overview:
    "Draw every function as one coloured cell, by how far it reaches from zero; what is pointed at is drawn as a curve",
  pattern:
    "Shade each entry from black to white: is φ larger at the lower or at the upper end of its grid?",
  preferred:
    "Shade each entry from black to white by the input at which φ is largest: together, the patch that a kernel prefers most",
  change: "Draw how far every function has moved since the first frame: φ now − φ at the start",
};

const X_LABELS: Record<(typeof X_RANGES)[number], string> = {
  inputs: "inputs",
  domain: "grid",
  wide: "whole support",
};

const entries = (values: readonly string[]) => values.map((value) => ({ value, label: value }));

/** `choose` is told the trait and its new value; `again` sorts anew by the chosen measure. */
export function createHeader(
  document: Document,
  choose: (trait: string, value: string | boolean) => void,
  again: () => void,
  signal: AbortSignal,
): Header {
  const kit = createKit(document, signal);
  const root = element(document, "div", "kw-header");
  root.setAttribute("role", "toolbar");
  root.setAttribute("aria-label", "Kernel grid");

  const layerChoice = kit.layers((name) => choose("layer", name));
  const modes = kit.segments("What is drawn", (value) => choose("mode", value));
  modes.fill(MODES.map((value) => ({ value, label: value, title: MODE_TITLES[value] })));
  const scale = kit.select(
    "scale",
    "Which functions have the same y axis: all of the layer, those of a kernel, or each has its own",
    (value) => choose("scale", value),
  );
  scale.fill(entries(SCALES));
  const xRange = kit.select(
    "x",
    "Over which x φ is drawn: where 98 % of the observed inputs fall, the grid's range, or as far as the splines reach",
    (value) => choose("x_range", value),
  );
  xRange.fill(X_RANGES.map((value) => ({ value, label: X_LABELS[value] })));
  const binarise = kit.check(
    "binarise",
    "Show only black and white: at which end of its grid is φ larger?",
    (value) => choose("binarise", value),
  );
  const bounds = kit.select(
    "within",
    "Where the largest φ is sought: over the grid's range, or over the inputs observed at each entry, from 0.5 % to 99.5 %",
    (value) => choose("bounds", value),
  );
  bounds.fill(entries(BOUNDS));
  const suppressed = kit.check(
    "suppressed",
    "Show the patch that suppresses a kernel most: the inputs at which φ is smallest, instead of largest",
    (value) => choose("suppressed", value),
  );
  const ghost = kit.check(
    "show start",
    "Draw φ as it was at the start, or at the step kept for comparison, dashed behind the curves",
    (value) => choose("ghost", value),
  );
  const sort = kit.select(
    "sort",
    "In which order the kernels are drawn; found once, so that nothing jumps during training",
    (value) => choose("sort", value),
  );
  const shade = kit.select(
    "shade",
    "Which of the scores given with grid.score tint the background of the curves",
    (value) => choose("shade", value),
  );
  let named = "";
  const repeat = kit.button("↻", "Sort again, by the functions as they are now", "kw-again", again);
  sort.box.append(repeat);

  root.append(...layerChoice.boxes, modes.box);
  const options = element(document, "div", "kw-options", root);
  options.append(
    scale.box,
    xRange.box,
    binarise.box,
    bounds.box,
    suppressed.box,
    ghost.box,
    sort.box,
    shade.box,
  );

  return {
    element: root,
    show(choices, layers, width, scores) {
      // Filled anew only when there are others: a menu that is open would close.
      const names = JSON.stringify(scores);
      if (names !== named) {
        named = names;
        sort.fill(entries([...SORTS, ...scores]));
        shade.fill([{ value: "", label: "none" }, ...entries(scores)]);
      }
      layerChoice.show(layers, choices.layer, width);
      modes.set(choices.mode);
      scale.set(choices.scale);
      xRange.set(choices.xRange);
      binarise.set(choices.binarise);
      ghost.set(choices.ghost);
      ghost.box.hidden = choices.mode !== "curves" && choices.mode !== "overview";
      sort.set(choices.sort);
      shade.set(choices.shade);
      shade.box.hidden = scores.length === 0 || isFlat(choices);
      bounds.set(choices.bounds);
      suppressed.set(choices.suppressed);
      scale.box.hidden = isFlat(choices);
      xRange.box.hidden = isGrey(choices);
      binarise.box.hidden = choices.mode !== "pattern";
      bounds.box.hidden = choices.mode !== "preferred";
      suppressed.box.hidden = choices.mode !== "preferred";
      repeat.hidden = choices.sort !== "range" && choices.sort !== "change";
    },
  };
}
