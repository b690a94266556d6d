/** The header: layer, way of looking and options. Native controls, so that keyboard and names come with them. */

import { layerSize, layerTitle } from "../kernel_grid/words.ts";
import type { LayerLayout } from "../shared/types.ts";
import { element } from "./panel.ts";
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

let groups = 0;

/** `choose` is told the trait and its new value. */
export function createHeader(
  document: Document,
  choose: (trait: string, value: unknown) => void,
  signal: AbortSignal,
): Header {
  const root = element(document, "div", "kw-header");
  root.setAttribute("role", "toolbar");
  root.setAttribute("aria-label", "Meshgrid view");

  const tabs = segments("layer", "Layer");
  tabs.box.classList.add("kw-tabs");
  const menu = select("layer", "layer", "Which layer is drawn", String);
  menu.box.classList.add("kw-layer-menu");
  const modes = segments("mode", "What is drawn");
  modes.fill(MODES.map((value) => ({ value, label: value, title: MODE_TITLES[value] })));
  const direction = select("direction", "ramp", "Which way the input matrix rises", String);
  direction.fill(DIRECTIONS.map((value) => ({ value, label: value })));
  const limits = range();
  const scale = select("scale", "scale", "What shares one colour scale", String);
  const resolution = select("resolution", "points", "Points of the ramp from end to end", Number);

  root.append(tabs.box, menu.box, modes.box, direction.box, limits.box, resolution.box, scale.box);

  let listed = "";
  let scaleWords = "";
  let resolutions = "";
  return {
    element: root,
    show(settings, layer, layers, width) {
      const entries = layers.map((one) => ({
        value: one.name,
        label: layerTitle(one),
        title: `${layerTitle(one)} — ${layerSize(one)}`,
      }));
      const list = JSON.stringify(entries);
      if (list !== listed) {
        listed = list;
        tabs.fill(entries);
        menu.fill(entries.map(({ value, title }) => ({ value, label: title })));
      }
      const room = entries.reduce((sum, { label }) => sum + 7 * label.length + 22, 0);
      const asTabs = entries.length <= 4 && room <= Math.max(160, 0.45 * width);
      tabs.box.hidden = !asTabs;
      menu.box.hidden = asTabs;
      tabs.set(layer);
      menu.set(layer);
      const { mode, input } = settings;
      modes.set(mode);
      const ramp = mode === "ramp" || (mode === "response" && input === "ramp");
      direction.box.hidden = !ramp;
      limits.box.hidden = !ramp;
      resolution.box.hidden = !ramp;
      scale.box.hidden = mode === "pair";
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

  function segments(trait: string, name: string) {
    const box = element(document, "div", "kw-segments");
    box.setAttribute("role", "radiogroup");
    box.setAttribute("aria-label", name);
    const group = `kw-mesh-${trait}-${++groups}`;
    let inputs: HTMLInputElement[] = [];
    box.addEventListener(
      "change",
      (event) => choose(trait, (event.target as HTMLInputElement).value),
      { signal },
    );
    return {
      box,
      fill(entries: readonly { value: string; label: string; title: string }[]) {
        box.replaceChildren();
        inputs = entries.map(({ value, label, title }) => {
          const holder = element(document, "label", "kw-segment", box);
          holder.title = title;
          const input = element(document, "input", "kw-hidden", holder);
          input.type = "radio";
          input.name = group;
          input.value = value;
          input.title = title;
          input.setAttribute("aria-label", label);
          element(document, "span", "kw-segment-text", holder).textContent = label;
          return input;
        });
      },
      set(value: string) {
        for (const input of inputs) input.checked = input.value === value;
      },
    };
  }

  function select(
    trait: string,
    label: string,
    title: string,
    read: (value: string) => string | number,
  ) {
    const box = element(document, "label", "kw-option");
    element(document, "span", "kw-option-label", box).textContent = label;
    const input = element(document, "select", "kw-select", box);
    input.title = title;
    input.setAttribute("aria-label", label);
    input.addEventListener("change", () => choose(trait, read(input.value)), { signal });
    return {
      box,
      fill(entries: readonly { value: string; label: string }[]) {
        input.replaceChildren(
          ...entries.map(({ value, label: words }) => {
            const option = document.createElement("option");
            option.value = value;
            option.textContent = words;
            return option;
          }),
        );
      },
      set(value: string) {
        if (input.value !== value) input.value = value;
      },
    };
  }

  function range() {
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
      if (Number.isFinite(lo) && Number.isFinite(hi) && lo < hi) choose("limits", [lo, hi]);
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
}
