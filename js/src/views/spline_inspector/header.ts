/** Header and tools: which φ it is, and what can be done with it. */

import { layerTitle, wholeOf } from "../../phi/entries.ts";
import { formatCount } from "../../phi/format.ts";
import { createKit } from "../../shell/controls.ts";
import { element, put } from "../../shell/element.ts";
import type { Command, Edits, LayerLayout, Selection } from "../../wire/types.ts";

export interface HeaderState {
  layers: readonly LayerLayout[];
  layer: LayerLayout | null;
  at: Selection | null;
  stacked: boolean;
  editable: boolean;
  locked: string;
  /** Whether the kernel is there to take an edit. */
  open: boolean;
  edits: Edits;
  pinned: boolean;
  moved: boolean;
  /** Whether all of x is shown. */
  all: boolean;
  /** Whether inputs were seen. */
  seen: boolean;
  /** The first step that is known. */
  first: number;
}

export interface Actions {
  layer(name: string): void;
  select(at: Selection): void;
  neighbour(step: number): void;
  stacked(value: boolean): void;
  fit(): void;
  all(): void;
  pin(): void;
  command(kind: Command): void;
}

export interface Header {
  element: HTMLElement;
  show(state: HeaderState): void;
}

const COMMANDS: [kind: Command, label: string, title: string][] = [
  ["undo", "↶ undo", "Take the last edit back"],
  ["redo", "↷ redo", "Do the last undone edit again"],
  ["reset", "step 0", "Set this function to what it was at the first step"],
  ["straighten", "straight line", "Set this function to the straight line that fits it best"],
  ["zero", "zero", "Set this function to zero everywhere: prune it"],
];

const INDEX = ["output", "input", "row", "column"] as const;

export function createHeader(document: Document, actions: Actions, signal: AbortSignal): Header {
  const kit = createKit(document, signal);
  const root = element(document, "div", "kw-header");
  const layers = kit.select("layer", "Which layer the function is from", actions.layer);
  layers.box.classList.add("kw-layer-menu");
  const type = element(document, "span", "kw-type");
  const walk = element(document, "span", "kw-walk");
  const back = kit.button("‹", "Previous function of the layer (key: [)", "kw-button kw-step", () =>
    actions.neighbour(-1),
  );
  const on = kit.button("›", "Next function of the layer (key: ])", "kw-button kw-step", () =>
    actions.neighbour(1),
  );
  const fields = createFields(document, choose, signal);
  walk.append(back, ...fields.labels, on);
  root.append(layers.box, type, walk);

  const tools = element(document, "div", "kw-options", root);
  tools.setAttribute("role", "group");
  tools.setAttribute("aria-label", "View and edit");
  const way = kit.segments("How the terms are drawn", (value) =>
    actions.stacked(value === "stacked"),
  );
  way.fill([
    { value: "overlay", label: "overlay", title: "Draw every term from zero" },
    {
      value: "stacked",
      label: "stacked",
      title: "Draw every term on top of those before it: the last edge is φ",
    },
  ]);
  const zoom = element(document, "span", "kw-option");
  element(document, "span", "kw-option-label", zoom).textContent = "zoom to";
  const range = kit.segments("What of x is shown", (value) =>
    value === "all" ? actions.all() : actions.fit(),
  );
  zoom.append(range.box);
  const pin = kit.button(
    "keep curve",
    "Keep the curve of this function in the plot while you go on to others; press again to remove it",
    "kw-button",
    () => actions.pin(),
  );
  const editing = element(document, "span", "kw-editing");
  const commands = COMMANDS.map(([kind, text, title]) => {
    const made = kit.button(text, title, "kw-button", () => actions.command(kind));
    if (kind === "reset")
      editing.appendChild(element(document, "span", "kw-set-to")).textContent = "set to";
    editing.append(made);
    return { kind, made };
  });
  tools.append(way.box, zoom, pin, editing);

  let listed = "";
  let rangeSeen: boolean | null = null;
  let shown: HeaderState | null = null;

  function choose() {
    if (!shown?.layer) return;
    const { layer } = shown;
    const [out, input, row, column] = fields.values(layer);
    actions.select({ layer: layer.name, out, in: input, row, column });
    show(shown);
  }

  function show(state: HeaderState) {
    shown = state;
    const list = JSON.stringify(state.layers.map(({ name, type: kind }) => [name, kind]));
    if (list !== listed) {
      listed = list;
      layers.fill(state.layers.map((one) => ({ value: one.name, label: layerTitle(one) })));
    }
    const { layer, at } = state;
    if (layer) layers.set(layer.name);
    const kind = layer?.name ? layer.type : "";
    put(type, kind);
    layers.box.title = kind;
    walk.hidden = !layer;
    if (layer && at) {
      fields.show(layer, at);
      back.disabled = layer.count < 2;
      on.disabled = layer.count < 2;
    }
    if (rangeSeen !== state.seen) range.fill(rangesOf(state.seen));
    rangeSeen = state.seen;
    range.set(!state.moved ? "fit" : state.all ? "all" : "");
    way.set(state.stacked ? "stacked" : "overlay");
    const pressed = String(state.pinned);
    if (pin.getAttribute("aria-pressed") !== pressed) pin.setAttribute("aria-pressed", pressed);
    editing.hidden = !state.editable;
    for (const { kind: what, made } of commands) {
      if (what === "reset") put(made, `step ${formatCount(state.first)}`);
      const history = what === "undo" || what === "redo";
      const none = history && state.edits[what as "undo" | "redo"] === 0;
      made.disabled = !state.open || none || (!history && state.locked !== "");
    }
  }

  return {
    element: root,
    show,
  };
}

/** What of x can be shown at once. */
function rangesOf(seen: boolean) {
  const where = seen ? "where the inputs are" : "from end to end of the grid";
  const title = `Show x ${where}, and y as it fits (key: 0, or double-click)`;
  const every = "Show every basis function as far as it reaches, also where no inputs are";
  return [
    { value: "fit", label: seen ? "inputs" : "grid", title },
    { value: "all", label: "all", title: every },
  ];
}

/** One field for each number of a function's place. */
function createFields(document: Document, choose: () => void, signal: AbortSignal) {
  const typing = new Set<HTMLInputElement>();
  const fields = INDEX.map((name) => {
    const label = element(document, "label", "kw-field");
    label.append(name);
    const input = element(document, "input", "kw-index");
    input.type = "number";
    input.min = "0";
    input.step = "1";
    input.setAttribute("aria-label", name);
    input.addEventListener("input", () => typing.add(input), { signal });
    for (const done of ["change", "blur"]) {
      input.addEventListener(
        done,
        () => {
          if (typing.delete(input)) choose();
        },
        { signal },
      );
    }
    input.addEventListener("keydown", (event) => event.stopPropagation(), { signal });
    label.append(input);
    return { label, input };
  });

  function show(layer: LayerLayout, at: Selection) {
    const values = [at.out, at.in, at.row, at.column];
    fields.forEach(({ label, input }, k) => {
      label.hidden = layer.kind !== "conv" && k > 1;
      const size = wholeOf(layer)[k];
      input.max = String(size - 1);
      input.title = `${INDEX[k]}: 0 to ${size - 1}`;
      input.disabled = size === 1;
      const digits = `${Math.max(1, String(size - 1).length)}ch`;
      if (input.style.getPropertyValue("--kw-digits") !== digits) {
        input.style.setProperty("--kw-digits", digits);
      }
      // What is being typed stays until it is done.
      const text = String(values[k]);
      if (!typing.has(input) && input.value !== text) input.value = text;
    });
  }

  return {
    labels: fields.map(({ label }) => label),
    show,
    /** What is written in them, as near as the layer has it. */
    values: (layer: LayerLayout) =>
      fields.map(({ input }, k) => {
        const value = Math.round(Number(input.value));
        return Number.isFinite(value) ? Math.max(0, Math.min(wholeOf(layer)[k] - 1, value)) : 0;
      }),
  };
}
