/** The header: layer, mode and options. */

import { element } from "../../shell/element.ts";
import { createOptions, entries, type Option } from "../../shell/options.ts";
import type { LayerLayout } from "../../wire/types.ts";
import {
  BOUNDS,
  isFlat,
  isGrey,
  MODES,
  type Mode,
  SCALES,
  type Settings,
  SORTS,
} from "./settings.ts";

interface State extends Settings {
  /** Names of the scores there are. */
  scores: readonly string[];
}

const MODE_TITLES: Record<Mode, string> = {
  curves: "Draw every function φ(x) as a curve",
  overview:
    "Draw every function as one coloured cell, by how far it reaches from zero; what is pointed at is drawn as a curve",
  pattern:
    "Shade each entry from black to white: is φ larger at the lower or at the upper end of its grid?",
  preferred:
    "Shade each entry from black to white by the input at which φ is largest: together, the patch that a kernel prefers most",
  change: "Draw how far every function has moved since the first frame: φ now − φ at the start",
};

export const OPTIONS: readonly Option<State>[] = [
  {
    trait: "mode",
    label: "What is drawn",
    title: "",
    as: "segments",
    options: MODES.map((value) => ({ value, label: value, title: MODE_TITLES[value] })),
  },
  {
    trait: "scale",
    label: "scale",
    title:
      "Which functions have the same y axis: all of the layer, those of a kernel, or each has its own",
    options: entries(SCALES),
    shown: (state) => !isFlat(state),
  },
  {
    trait: "x_range",
    label: "x",
    title:
      "Over which x φ is drawn: where 98 % of the observed inputs fall, the grid's range, or as far as the splines reach",
    options: [
      { value: "inputs", label: "inputs" },
      { value: "domain", label: "grid" },
      { value: "wide", label: "whole support" },
    ],
    value: ({ xRange }) => xRange,
    shown: (state) => !isGrey(state),
  },
  {
    trait: "binarise",
    label: "binarise",
    title: "Show only black and white: at which end of its grid is φ larger?",
    shown: ({ mode }) => mode === "pattern",
  },
  {
    trait: "bounds",
    label: "within",
    title:
      "Where the largest φ is sought: over the grid's range, or over the inputs observed at each entry, from 0.5 % to 99.5 %",
    options: entries(BOUNDS),
    shown: ({ mode }) => mode === "preferred",
  },
  {
    trait: "suppressed",
    label: "suppressed",
    title:
      "Show the patch that suppresses a kernel most: the inputs at which φ is smallest, instead of largest",
    shown: ({ mode }) => mode === "preferred",
  },
  {
    trait: "ghost",
    label: "show start",
    title:
      "Draw φ as it was at the start, or at the step kept for comparison, dashed behind the curves",
    shown: ({ mode }) => mode === "curves" || mode === "overview",
  },
  {
    trait: "sort",
    label: "sort",
    title:
      "In which order the kernels are drawn; found once, so that nothing jumps during training",
    options: ({ scores }) => entries([...SORTS, ...scores]),
  },
  {
    trait: "shade",
    label: "shade",
    title: "Which of the scores given with grid.score tint the background of the curves",
    options: ({ scores }) => [{ value: "", label: "none" }, ...entries(scores)],
    shown: (state) => state.scores.length > 0 && !isFlat(state),
  },
];

/** `again` sorts anew by the chosen measure. */
export function createHeader(
  document: Document,
  choose: (trait: string, value: unknown) => void,
  again: () => void,
  signal: AbortSignal,
) {
  const options = createOptions(document, OPTIONS, choose, signal);
  const { kit } = options;
  const root = element(document, "div", "kw-header");
  const layers = kit.layers((name) => choose("layer", name));
  const repeat = kit.button("↻", "Sort again, by the functions as they are now", "kw-again", again);
  options.box("sort")?.append(repeat);
  const [modes, ...others] = options.boxes;
  root.append(...layers.boxes, modes);
  element(document, "div", "kw-options", root).append(...others);
  return {
    element: root,
    show(state: State, all: readonly LayerLayout[], layer: string, width: number) {
      layers.show(all, layer, width);
      options.show(state);
      repeat.hidden = state.sort !== "range" && state.sort !== "change";
    },
  };
}
