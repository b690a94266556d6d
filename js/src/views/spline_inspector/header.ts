/** Header and tools: which φ it is, and what can be done with it. */

import { wholeOf } from "../../phi/entries.ts";
import { formatCount } from "../../phi/format.ts";
import { offersObserving } from "../../phi/inputs.ts";
import { observeButton } from "../../shell/controls.ts";
import { element, listen, putAttributes, putStyle, putWords } from "../../shell/element.ts";
import type { Shell } from "../../shell/mount.ts";
import { createOptions, type Option } from "../../shell/options.ts";
import { samePlace } from "../../wire/protocol.ts";
import type { Command, LayerLayout, Selection, Store } from "../../wire/types.ts";
import type { Movement } from "./editing.ts";
import { isOpen, placeIn } from "./scene.ts";
import type { Settings } from "./settings.ts";

function stateOf(store: Store, at: Selection | null, { editable, pins }: Settings, move: Movement) {
  const layers = store.current()?.layout.layers ?? [];
  return {
    layers,
    layer: layers.find(({ name }) => name === at?.layer) ?? null,
    at,
    editable,
    /** Whether Python is there to take an edit. */
    open: isOpen(store),
    edits: store.edits(),
    pinned: pins.some((pin) => samePlace(pin, at)),
    range: move.shown(),
    seen: at !== null && store.observed(at.layer) !== null,
    canObserve: at !== null && offersObserving(store, at.layer),
    first: store.initial()?.step ?? 0,
  };
}

type State = ReturnType<typeof stateOf>;

interface Actions {
  layer(name: string): void;
  select(at: Selection): void;
  neighbour(step: number): void;
  pin(): void;
  command(kind: Command): void;
}

const FORM = "Set this function to the formula a·f(b·x + c) + d most like it over the inputs seen";
const UNSEEN = "Observe a batch first: a formula is fitted to the inputs of the function";
const COMMANDS: [kind: Command, label: string, title: string][] = [
  ["undo", "↶ undo", "Undo the last edit"],
  ["redo", "↷ redo", "Redo the edit that was undone last"],
  ["reset", "step 0", "Set this function to what it was at the first step"],
  ["straighten", "straight line", "Set this function to the straight line that fits it best"],
  ["form", "formula", FORM],
  ["zero", "zero", "Set this function to zero everywhere: prune it"],
];

const INDEX = ["output", "input", "row", "column"] as const;

const OPTIONS: readonly Option<State>[] = [
  {
    trait: "range",
    label: "Which part of x is shown",
    title: "",
    as: "segments",
    options: ({ seen }) => [
      {
        value: "fit",
        label: seen ? "inputs" : "grid",
        title: `Show x ${seen ? "where the inputs are" : "from end to end of the grid"}, and y as it fits (key: 0, or double-click)`,
      },
      {
        value: "all",
        label: "all",
        title: "Show every basis function from end to end, also where there are no inputs",
      },
    ],
    value: ({ range }) => range,
  },
];

export function createHeader(shell: Shell, movement: Movement, actions: Actions) {
  const { document, signal } = shell;
  const choose = (_: string, value: unknown) => movement.range(String(value));
  const options = createOptions(shell, OPTIONS, choose);
  const { kit } = options;
  const [range] = options.boxes;
  const layers = kit.layers(actions.layer);
  const root = element(document, "div", "kw-header");
  const walk = element(document, "span", "kw-walk");
  const step = (text: string, title: string, by: number) =>
    kit.button(text, title, "kw-button kw-step", () => actions.neighbour(by));
  const back = step("‹", "Previous function of the layer (key: [)", -1);
  const on = step("›", "Next function of the layer (key: ])", 1);
  const fields = createFields(document, select, signal);
  walk.append(back, ...fields.labels, on);
  root.append(...layers.boxes, walk);

  const tools = element(document, "div", "kw-options", root);
  putAttributes(tools, { role: "group", "aria-label": "View and edit" });
  const zoom = element(document, "span", "kw-option");
  element(document, "span", "kw-option-label", zoom).textContent = "zoom to";
  zoom.append(range);
  const pin = kit.button(
    "keep curve for comparison",
    "Keep the curve of this function in the plot while you go on to others; press again to remove it",
    "kw-button",
    () => actions.pin(),
  );
  const observe = observeButton(kit, shell.store, "show where its inputs are");
  const editing = element(document, "span", "kw-editing");
  const commands = COMMANDS.map(([kind, text, title]) => {
    const made = kit.button(text, title, "kw-button", () => actions.command(kind));
    if (kind === "reset") element(document, "span", "kw-set-to", editing).textContent = "set to";
    editing.append(made);
    return { kind, made };
  });
  // What comes and goes is the last: nothing moves aside for it.
  tools.append(zoom, pin, editing, observe);
  let shown: State | null = null;

  function select() {
    if (!shown?.layer) return;
    const { layer } = shown;
    const [out, input, row, column] = fields.values(layer);
    actions.select({ layer: layer.name, out, in: input, row, column });
    show(shown);
  }

  function show(state: State) {
    shown = state;
    options.show(state);
    const { layer, at } = state;
    layers.show(state.layers, layer?.name ?? "", shell.root.clientWidth);
    walk.hidden = !layer;
    if (layer && at) {
      fields.show(layer, at);
      back.disabled = on.disabled = layer.count < 2;
    }
    putAttributes(pin, { "aria-pressed": String(state.pinned) });
    editing.hidden = !state.editable;
    observe.hidden = !state.canObserve;
    for (const { kind: what, made } of commands) {
      const isUnseen = what === "form" && !state.seen;
      if (what === "form") made.title = isUnseen ? UNSEEN : FORM;
      if (what === "reset") putWords(made, `step ${formatCount(state.first)}`);
      const impossible =
        what === "undo" || what === "redo" ? state.edits[what] === 0 : !!layer?.locked;
      made.disabled = !state.open || impossible || isUnseen;
    }
  }

  return {
    element: root,
    show(settings: Settings) {
      const store = shell.store();
      if (store) show(stateOf(store, placeIn(store, shell.get), settings, movement));
    },
  };
}

function createFields(document: Document, choose: () => void, signal: AbortSignal) {
  const typing = new Set<HTMLInputElement>();
  const fields = INDEX.map((name) => {
    const label = element(document, "label", "kw-field");
    label.append(name);
    const input = element(document, "input", "kw-index", label);
    Object.assign(input, { type: "number", min: "0", step: "1" });
    putAttributes(input, { "aria-label": name });
    const done = () => typing.delete(input) && choose();
    listen(input, signal, {
      input: () => typing.add(input),
      change: done,
      blur: done,
      keydown: (event) => event.stopPropagation(),
    });
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
      putStyle(input, { "--kw-digits": `${String(size - 1).length}ch` });
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
