/** Header and tools: which φ it is, and what can be done with it. Native controls throughout. */

import type { Command, Edits, LayerLayout, Selection } from "../shared/types.ts";

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
}

export interface Actions {
  layer(name: string): void;
  select(at: Selection): void;
  neighbour(step: number): void;
  stacked(value: boolean): void;
  fit(): void;
  pin(): void;
  command(kind: Command): void;
}

export interface Header {
  element: HTMLElement;
  tools: HTMLElement;
  show(state: HeaderState): void;
  status(text: string, state: string, arriving: boolean): void;
}

const COMMANDS: [kind: Command, label: string, title: string][] = [
  ["undo", "↶ undo", "Take the last edit back"],
  ["redo", "↷ redo", "Do the last undone edit again"],
  ["reset", "initial", "Set this function to what it was in the first frame"],
  ["straighten", "line", "Set this function to the straight line that fits it best"],
  ["zero", "zero", "Set this function to zero everywhere: prune it"],
];

const INDEX = ["out", "in", "row", "column"] as const;

let views = 0;

export function createHeader(document: Document, actions: Actions, signal: AbortSignal): Header {
  const make = <K extends keyof HTMLElementTagNameMap>(tag: K, className: string) => {
    const made = document.createElement(tag);
    made.className = className;
    return made;
  };
  const button = (text: string, title: string, className: string, act: () => void) => {
    const made = make("button", className);
    made.type = "button";
    made.textContent = text;
    made.title = title;
    made.setAttribute("aria-label", title);
    made.addEventListener("click", act, { signal });
    return made;
  };

  const element = make("div", "kw-header");
  element.setAttribute("role", "toolbar");
  element.setAttribute("aria-label", "Which function");
  const layers = make("select", "kw-select kw-layer");
  layers.title = "Which layer";
  layers.setAttribute("aria-label", "layer");
  layers.addEventListener("change", () => actions.layer(layers.value), { signal });
  const type = make("span", "kw-type");
  const walk = make("span", "kw-walk");
  const back = button("‹", "Previous function of the layer ( [ )", "kw-button kw-step", () =>
    actions.neighbour(-1),
  );
  const on = button("›", "Next function of the layer ( ] )", "kw-button kw-step", () =>
    actions.neighbour(1),
  );
  const typing = new Set<HTMLInputElement>();
  const fields = INDEX.map((name) => {
    const label = make("label", "kw-field");
    label.append(name);
    const input = make("input", "kw-index");
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
  walk.append(back, ...fields.map(({ label }) => label), on);
  const status = make("span", "kw-status");
  const dot = status.appendChild(make("span", "kw-dot"));
  const said = status.appendChild(make("span", "kw-status-text"));
  element.append(layers, type, walk, status);

  const tools = make("div", "kw-tools");
  tools.setAttribute("role", "toolbar");
  tools.setAttribute("aria-label", "View and edit");
  const way = make("div", "kw-segments");
  way.setAttribute("role", "radiogroup");
  way.setAttribute("aria-label", "How the terms are drawn");
  const group = `kw-inspector-${++views}`;
  const ways = (
    [
      ["overlay", "Draw every term from zero"],
      ["stacked", "Draw every term on top of those before it: the last edge is φ"],
    ] as const
  ).map(([text, title], k) => {
    const label = way.appendChild(make("label", "kw-segment"));
    label.title = title;
    const input = label.appendChild(make("input", "kw-hidden"));
    input.type = "radio";
    input.name = group;
    input.value = text;
    input.title = title;
    input.setAttribute("aria-label", text);
    input.addEventListener("change", () => actions.stacked(k === 1), { signal });
    label.appendChild(make("span", "kw-segment-text")).textContent = text;
    return input;
  });
  const fit = button("fit", "Show all of it again ( 0, or a double click )", "kw-button", () =>
    actions.fit(),
  );
  const pin = button("pin", "Keep this function in the drawing to compare", "kw-button", () =>
    actions.pin(),
  );
  const editing = make("span", "kw-editing");
  const commands = COMMANDS.map(([kind, text, title]) => {
    const made = button(text, title, "kw-button", () => actions.command(kind));
    if (kind === "reset") editing.appendChild(make("span", "kw-set-to")).textContent = "set to";
    editing.append(made);
    return { kind, made };
  });
  tools.append(way, fit, pin, editing);

  let listed = "";
  let shown: HeaderState | null = null;

  function choose() {
    if (!shown?.layer) return;
    const { layer } = shown;
    const [out, input, row, column] = fields.map(({ input: field }, k) => {
      const value = Math.round(Number(field.value));
      return Number.isFinite(value) ? Math.max(0, Math.min(layer.shape[k] - 1, value)) : 0;
    });
    actions.select({ layer: layer.name, out, in: input, row, column });
    show(shown);
  }

  function show(state: HeaderState) {
    shown = state;
    const list = JSON.stringify(state.layers.map(({ name, type: kind }) => [name, kind]));
    if (list !== listed) {
      listed = list;
      layers.replaceChildren(
        ...state.layers.map((layer) => {
          const option = document.createElement("option");
          option.value = layer.name;
          option.textContent = layer.name || layer.type;
          return option;
        }),
      );
    }
    const { layer, at } = state;
    if (layer && layers.value !== layer.name) layers.value = layer.name;
    const kind = layer?.name ? layer.type : "";
    if (type.textContent !== kind) type.textContent = kind;
    walk.hidden = !layer;
    if (layer && at) {
      const values = [at.out, at.in, at.row, at.column];
      fields.forEach(({ label, input }, k) => {
        label.hidden = layer.kind === "linear" && k > 1;
        input.max = String(layer.shape[k] - 1);
        input.title = `${INDEX[k]}: 0 to ${layer.shape[k] - 1}`;
        input.disabled = layer.shape[k] === 1;
        const digits = `${Math.max(1, String(layer.shape[k] - 1).length)}ch`;
        if (input.style.getPropertyValue("--kw-digits") !== digits) {
          input.style.setProperty("--kw-digits", digits);
        }
        // What is being typed stays until it is done.
        const text = String(values[k]);
        if (!typing.has(input) && input.value !== text) input.value = text;
      });
      back.disabled = layer.count < 2;
      on.disabled = layer.count < 2;
    }
    ways[0].checked = !state.stacked;
    ways[1].checked = state.stacked;
    fit.disabled = !state.moved;
    const pressed = String(state.pinned);
    if (pin.getAttribute("aria-pressed") !== pressed) pin.setAttribute("aria-pressed", pressed);
    editing.hidden = !state.editable;
    for (const { kind: what, made } of commands) {
      const history = what === "undo" || what === "redo";
      const none = history && state.edits[what as "undo" | "redo"] === 0;
      made.disabled = !state.open || none || (!history && state.locked !== "");
    }
  }

  return {
    element,
    tools,
    show,
    status(words, state, arriving) {
      if (said.textContent !== words) said.textContent = words;
      if (status.dataset.state !== state) status.dataset.state = state;
      dot.classList.toggle("kw-arriving", arriving);
    },
  };
}
