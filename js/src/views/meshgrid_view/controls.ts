/** The header: layer, way of looking and options. */

import { createKit } from "../../shell/controls.ts";
import { element } from "../../shell/element.ts";
import type { LayerLayout } from "../../wire/types.ts";
import { DIRECTIONS, MODES, SCALES, type Settings } from "./settings.ts";

export interface Header {
  element: HTMLElement;
  /** Shows the state of the traits; nothing changes in the page where nothing differs. */
  show(settings: Settings, layer: string, layers: readonly LayerLayout[], width: number): void;
}

const MODE_TITLES: Record<(typeof MODES)[number], string> = {
  ramp: "Every φ over an input matrix that rises from one limit to the other",
  pair: "The sum of two φ of one kernel over both their inputs",
  response: "The kernels swept over an image",
};

const RESOLUTIONS = [8, 16, 32, 64, 128];

/** `choose` is told the trait and its new value. */
export function createHeader(
  document: Document,
  choose: (trait: string, value: unknown) => void,
  signal: AbortSignal,
): Header {
  const kit = createKit(document, signal);
  const root = element(document, "div", "kw-header");
  root.setAttribute("role", "toolbar");
  root.setAttribute("aria-label", "Meshgrid view");

  const layerChoice = kit.layers((name) => choose("layer", name));
  const modes = kit.segments("What is drawn", (value) => choose("mode", value));
  modes.fill(MODES.map((value) => ({ value, label: value, title: MODE_TITLES[value] })));
  const direction = kit.select("ramp", "Which way the input matrix rises", (value) =>
    choose("direction", value),
  );
  direction.fill(DIRECTIONS.map((value) => ({ value, label: value })));
  const limits = createLimits(document, (range) => choose("limits", range), signal);
  const scale = kit.select("scale", "What shares one colour scale", (value) =>
    choose("scale", value),
  );
  const resolution = kit.select("points", "Points of the ramp from end to end", (value) =>
    choose("resolution", Number(value)),
  );

  root.append(...layerChoice.boxes, modes.box);
  const options = element(document, "div", "kw-options", root);
  options.append(direction.box, limits.box, resolution.box, scale.box);

  let scaleWords = "";
  let resolutions = "";
  return {
    element: root,
    show(settings, layer, layers, width) {
      layerChoice.show(layers, layer, width);
      const { mode, input } = settings;
      modes.set(mode);
      const ramp = mode === "ramp" || (mode === "response" && input === "ramp");
      direction.box.hidden = !ramp;
      limits.box.hidden = !ramp;
      resolution.box.hidden = !ramp;
      scale.box.hidden = mode === "pair";
      options.hidden = mode === "pair";
      const words = mode === "response" ? "maps" : "functions";
      if (words !== scaleWords) {
        scaleWords = words;
        const values = mode === "response" ? (["layer", "function"] as const) : SCALES;
        const label = (value: string) =>
          mode === "response" ? (value === "layer" ? "all maps" : "each map") : value;
        scale.fill(values.map((value) => ({ value, label: label(value) })));
      }
      scale.set(mode === "response" && settings.scale === "kernel" ? "function" : settings.scale);
      const values = [...new Set([...RESOLUTIONS, settings.resolution])].sort((a, b) => a - b);
      if (values.join() !== resolutions) {
        resolutions = values.join();
        resolution.fill(values.map((n) => ({ value: String(n), label: String(n) })));
      }
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
