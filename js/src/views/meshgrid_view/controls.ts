/** The header: layer, way of looking and options. */

import { observeButton } from "../../shell/controls.ts";
import { element } from "../../shell/element.ts";
import type { Shell } from "../../shell/mount.ts";
import { createOptions, type Option } from "../../shell/options.ts";
import type { LayerLayout } from "../../wire/types.ts";
import { type Choice, type Input, MESH_MODES, type Settings } from "./settings.ts";

/** What the header shows. */
interface State extends Settings {
  layer: string;
  layers: readonly LayerLayout[];
  width: number;
  /** What the response can be to, and what it is to; null in other modes, and where there is none. */
  inputs: { choices: readonly Input[]; input: Input } | null;
  choice: Choice | null;
  /** Python has seen a batch, and nobody has looked at what reaches this layer yet. */
  canObserve: boolean;
}

/** What is done with what was chosen. */
interface Acts {
  choose(trait: string, value: unknown): void;
  clear(): void;
}

const MODE_WORDS: Record<(typeof MESH_MODES)[number], [label: string, title: string]> = {
  ramp: [
    "each function",
    "Show each φ as a heat map over inputs that rise from one value to another",
  ],
  pair: [
    "sum of two",
    "Show the sum of two functions of a kernel as a heat map over their two inputs",
  ],
  response: ["response", "Show the response of each output as its kernels sweep over an image"],
};

const INPUT_WORDS: Record<Input, [label: string, title: string]> = {
  images: ["images", "One of the images given to the view"],
  observed: ["observed", "The observed inputs of this layer"],
  drawn: ["draw", "Draw with the mouse"],
};

function titled<Value extends string>(
  values: readonly Value[],
  said: Record<Value, [label: string, title: string]>,
) {
  return values.map((value) => ({ value, label: said[value][0], title: said[value][1] }));
}

const OPTIONS: readonly Option<State>[] = [
  {
    trait: "mode",
    label: "What is drawn",
    title: "",
    as: "segments",
    options: titled(MESH_MODES, MODE_WORDS),
  },
  {
    trait: "input",
    label: "Input",
    title: "",
    as: "segments",
    options: ({ inputs }) => titled(inputs?.choices ?? [], INPUT_WORDS),
    value: ({ inputs }) => inputs?.input ?? "",
    shown: ({ inputs }) => inputs !== null,
  },
  {
    trait: "output",
    label: "show",
    title: "Which map, output or kernel is shown",
    options: ({ choice }) =>
      (choice?.names ?? []).map(([value, label]) => ({ value: String(value), label })),
    value: ({ choice }) => String(choice?.chosen),
    shown: ({ choice }) => choice !== null,
    chosen: Number,
  },
];

export function createHeader(shell: Shell, acts: Acts) {
  const controls = createOptions(shell, OPTIONS, acts.choose);
  const { kit } = controls;
  const root = element(shell.document, "div", "kw-header");
  const layers = kit.layers((name) => acts.choose("layer", name));
  controls.box("input")?.classList.add("kw-inputs");
  const clear = kit.button("clear", "Clear the drawing", "kw-button", acts.clear);
  const observe = observeButton(kit, shell.store, "show what reaches each layer");
  const [modes, ...others] = controls.boxes;
  root.append(...layers.boxes, modes, observe);
  element(document, "div", "kw-options", root).append(...others);
  controls.box("input")?.after(clear);
  return {
    element: root,
    show(state: State) {
      observe.hidden = !state.canObserve;
      layers.show(state.layers, state.layer, state.width);
      controls.show(state);
      clear.hidden = state.inputs?.input !== "drawn";
    },
  };
}
