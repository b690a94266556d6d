/** The header: layer, way of looking and options. */

import { numberedName } from "../../phi/entries.ts";
import { DIRECTIONS } from "../../phi/ramp.ts";
import { type Choice, createKit, type Entry } from "../../shell/controls.ts";
import { element } from "../../shell/element.ts";
import type { LayerLayout } from "../../wire/types.ts";
import { ARTICLE, type Input, MODES, SCALES, type Settings } from "./settings.ts";

/** What the header shows; nothing changes in the page where nothing differs. */
export interface State {
  settings: Settings;
  layer: string;
  layers: readonly LayerLayout[];
  width: number;
  /** What the response can be to, and what it is to; null in other modes, and where there is none. */
  inputs: { choices: readonly Input[]; input: Input } | null;
  /** How many outputs the response has. */
  outputs: number;
  /** The kernel has seen a batch, and nobody has looked at what reaches this layer yet. */
  canObserve: boolean;
  /** Which entry of the pair the next click sets. */
  axis: Axis;
}

export type Axis = "x" | "y";

export interface Header {
  element: HTMLElement;
  show(state: State): void;
}

/** What is done with what was chosen. */
export interface Acts {
  choose(trait: string, value: unknown): void;
  setAxis(axis: Axis): void;
  clear(): void;
  observe(): void;
}

const MODE_WORDS: Record<(typeof MODES)[number], [label: string, title: string]> = {
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
  ramp: ["ramp", "An image whose values rise evenly from one end to the other"],
};
/** What the ramp goes over; the first is also how the trait says so. */
const [GRID, WIDE] = ["grid", "article"];

/** "" where the limits are others. */
function overWhat({ onGrid, limits }: Settings): string {
  if (onGrid) return GRID;
  return limits.every((end, k) => end === ARTICLE[k]) ? WIDE : "";
}

const RESOLUTIONS = [8, 16, 32, 64, 128];
const MOST_OUTPUTS = 4096;

/** Fills a choice only where it has other entries than before: a menu that is open would close. */
function filler(choice: Pick<Choice, "fill">) {
  let listed = "";
  return (entries: readonly (Entry & { title?: string })[]) => {
    const list = JSON.stringify(entries);
    if (list === listed) return;
    listed = list;
    choice.fill(entries);
  };
}

const entries = (values: readonly (string | number)[]) =>
  values.map((value) => ({ value: String(value), label: String(value) }));

export function createHeader(document: Document, acts: Acts, signal: AbortSignal): Header {
  const { choose } = acts;
  const kit = createKit(document, signal);
  const root = element(document, "div", "kw-header");
  const layerChoice = kit.layers((name) => choose("layer", name));
  const modes = kit.segments("What is drawn", (value) => choose("mode", value));
  modes.fill(
    MODES.map((value) => ({ value, label: MODE_WORDS[value][0], title: MODE_WORDS[value][1] })),
  );

  const axes = kit.segments("Which entry the next click on the kernel sets", (value) =>
    acts.setAxis(value as Axis),
  );
  axes.fill(
    (["x", "y"] as const).map((value) => ({
      value,
      label: `set ${value}`,
      title: `The next click on the kernel sets the entry along ${value}`,
    })),
  );
  const inputs = kit.segments("Input", (value) => choose("input", value));
  inputs.box.classList.add("kw-inputs");
  const clear = kit.button("clear", "Clear the drawing", "kw-button", acts.clear);
  const observe = kit.button(
    "observe a batch",
    "Run the last batch of the training through the model once, without changing anything, and show what reaches each layer",
    "kw-button",
    acts.observe,
  );
  const output = kit.select("output", "Which output channel is shown", (value) =>
    choose("output", Number(value)),
  );
  const direction = kit.select("ramp", "In which direction the values rise", (value) =>
    choose("direction", value),
  );
  direction.fill(entries(DIRECTIONS));
  const limits = createLimits(document, (range) => choose("limits", range), signal);
  const over = kit.segments("Which values the ramp goes over", (value) =>
    choose("limits", value === GRID ? GRID : [...ARTICLE]),
  );
  over.fill([
    { value: GRID, label: "grid", title: "The values go over the layer's grid" },
    { value: WIDE, label: "−2 … 2", title: "The values go from −2 to 2, as in the article" },
  ]);
  const resolution = kit.select("points", "How many points the ramp has along each side", (value) =>
    choose("resolution", Number(value)),
  );
  const scale = kit.select("scale", "Which maps share one colour scale", (value) =>
    choose("scale", value),
  );

  root.append(...layerChoice.boxes, modes.box, observe);
  const options = element(document, "div", "kw-options", root);
  options.append(axes.box, inputs.box, clear, output.box);
  options.append(direction.box, over.box, limits.box, resolution.box, scale.box);

  const [fillInputs, fillOutputs] = [filler(inputs), filler(output)];
  const [fillResolutions, fillScales] = [filler(resolution), filler(scale)];

  function showResponse({ settings, inputs: from, outputs, layer, layers }: State) {
    inputs.box.hidden = from === null;
    clear.hidden = from?.input !== "drawn";
    output.box.hidden = from === null || outputs < 2;
    if (!from) return;
    fillInputs(
      from.choices.map((value) => {
        const [label, title] = INPUT_WORDS[value];
        return { value, label, title };
      }),
    );
    inputs.set(from.input);
    const single = Array.from({ length: Math.min(outputs, MOST_OUTPUTS) }, (_, k) => k);
    const shown = layers.find(({ name }) => name === layer);
    const named = single.map((k) => ({ value: String(k), label: numberedName(shown ?? {}, k) }));
    fillOutputs([{ value: "-1", label: "all" }, ...named]);
    output.set(String(settings.output < outputs ? settings.output : -1));
  }

  return {
    element: root,
    show(state) {
      const { settings, layers, layer, width } = state;
      const { mode } = settings;
      observe.hidden = !state.canObserve;
      layerChoice.show(layers, layer, width);
      modes.set(mode);
      axes.box.hidden = mode !== "pair";
      axes.set(state.axis);
      showResponse(state);
      const ramp = mode === "ramp" || (mode === "response" && state.inputs?.input === "ramp");
      for (const { box } of [direction, over, limits, resolution]) box.hidden = !ramp;
      over.set(overWhat(settings));
      scale.box.hidden = mode === "pair";
      if (mode === "response") {
        fillScales([
          { value: "layer", label: "all maps" },
          { value: "function", label: "each map" },
        ]);
      } else fillScales(entries(SCALES));
      scale.set(mode === "response" && settings.scale === "kernel" ? "function" : settings.scale);
      const points = [...new Set([...RESOLUTIONS, settings.resolution])].sort((a, b) => a - b);
      fillResolutions(entries(points));
      direction.set(settings.direction);
      limits.set(settings.limits);
      resolution.set(String(settings.resolution));
    },
  };
}

/** Two numbers, the first below the second; what is neither is taken back. */
function createLimits(
  document: Document,
  choose: (range: [number, number]) => void,
  signal: AbortSignal,
) {
  const box = element(document, "span", "kw-option kw-limits");
  let shown: [number, number] = [-2, 2];
  const ends = (["from", "to"] as const).map((word) => {
    const holder = element(document, "label", "kw-limit", box);
    element(document, "span", "kw-option-label", holder).textContent = word;
    const input = element(document, "input", "kw-number", holder);
    input.type = "number";
    input.step = "any";
    input.title = `Where the ramp ${word === "from" ? "begins" : "ends"}`;
    input.setAttribute("aria-label", `ramp ${word}`);
    input.addEventListener("change", read, { signal });
    return input;
  });
  function read() {
    const [lo, hi] = ends.map((input) => Number.parseFloat(input.value));
    if (Number.isFinite(lo) && Number.isFinite(hi) && lo < hi) choose([lo, hi]);
    else write(shown);
  }
  function write(limits: readonly [number, number]) {
    ends.forEach((input, k) => {
      if (Number.parseFloat(input.value) !== limits[k]) input.value = String(limits[k]);
    });
  }
  return {
    box,
    set(limits: [number, number]) {
      if (limits[0] === shown[0] && limits[1] === shown[1] && ends[0].value !== "") return;
      shown = limits;
      write(limits);
    },
  };
}
