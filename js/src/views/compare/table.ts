/** Several models side by side, in words that Python has written. */

import { element, put, putOrHide } from "../../shell/element.ts";

export interface Model {
  name: string;
  /** Its colour on a light and on a dark ground. */
  colours: [string, string];
}

export interface Row {
  key: string;
  label: string;
  /** What it means; shown when pointed at. */
  meaning: string;
  /** One for each model. */
  values: string[];
}

export interface Layer {
  name: string;
  type: string;
  formula: string;
  parameters: string;
}

export interface Shown {
  /** Why the models cannot be compared as they are; mostly none. */
  hints: string[];
  /** What they are trained on. */
  note: string;
  models: Model[];
  rows: Row[];
  /** Of each model: how its parameters grow in one line, and its layers. */
  growth: { summary: string; layers: Layer[] }[];
}

export interface Table {
  element: HTMLElement;
  /** The last row, for what else belongs there. */
  foot: HTMLElement;
  show(shown: Shown): void;
}

/** What a picture is called: "compare KAN CNN step 60"; several steps where the models differ. */
export function nameOf({ models = [], rows = [] }: Partial<Shown>): string {
  const steps = rows.find(({ key }) => key === "steps")?.values ?? [];
  const numbers = new Set(steps.map((text) => text.replace(/\D/g, "")));
  return ["compare", ...models.map(({ name }) => name), "step", ...numbers].join(" ");
}

export function createTable(document: Document): Table {
  const make = <K extends keyof HTMLElementTagNameMap>(
    tag: K,
    name: string,
    parent?: HTMLElement,
  ) => element(document, tag, name, parent);
  const root = make("div", "kw-view kw-comparison");
  const hints = make("div", "kw-hints", root);
  const spoken = make("div", "kw-spoken", root);
  spoken.setAttribute("aria-live", "polite");
  let said = "";
  const halves = make("div", "kw-halves", root);
  const left = make("div", "kw-half", halves);
  const scroll = make("div", "kw-scroll", left);
  const note = make("p", "kw-note", left);
  const details = make("details", "kw-half", halves);
  details.open = true;
  const title = make("summary", "kw-growth-title", details);
  title.textContent = "Parameters by layer";
  const cards = make("div", "kw-cards", details);
  const foot = make("div", "kw-foot", root);
  let built = "";
  let cells: HTMLElement[][] = [];

  function named(parent: HTMLElement, { name, colours }: Model) {
    const label = make("span", "kw-model-name", parent);
    label.style.setProperty("--kw-on-light", colours[0]);
    label.style.setProperty("--kw-on-dark", colours[1]);
    label.textContent = name;
  }

  function buildRows({ models, rows }: Shown) {
    const table = make("table", "kw-numbers");
    const head = make("tr", "", make("thead", "", table));
    make("td", "", head);
    for (const model of models) {
      const cell = make("th", "", head);
      cell.scope = "col";
      named(cell, model);
    }
    const body = make("tbody", "", table);
    cells = rows.map(({ key, label, meaning, values }) => {
      const row = make("tr", "", body);
      row.dataset.key = key;
      const name = make("th", "", row);
      name.scope = "row";
      name.textContent = label;
      name.title = meaning;
      return values.map(() => make("td", "", row));
    });
    scroll.replaceChildren(table);
  }

  function buildGrowth({ models, growth }: Shown) {
    cards.replaceChildren();
    growth.forEach(({ summary, layers }, k) => {
      const card = make("section", "kw-card", cards);
      named(make("h4", "kw-card-title", card), models[k]);
      make("p", "kw-card-summary", card).textContent = summary;
      const body = make("tbody", "", make("table", "kw-layers", card));
      for (const { name, type, formula, parameters } of layers) {
        const row = make("tr", "", body);
        row.title = type;
        const label = make("th", "", row);
        label.scope = "row";
        label.textContent = name;
        make("td", "kw-formula", row).textContent = formula;
        make("td", "", row).textContent = parameters;
      }
    });
    details.hidden = growth.length === 0;
  }

  function show(shown: Shown) {
    if (!shown.models) return;
    const { models, rows, growth } = shown;
    const shape = JSON.stringify([models, rows.map(({ values, ...row }) => row), growth]);
    if (shape !== built) {
      built = shape;
      buildRows(shown);
      buildGrowth(shown);
    }
    rows.forEach(({ values }, r) => {
      values.forEach((value, c) => {
        put(cells[r][c], value);
      });
    });
    const wanted = shown.hints.join("\n");
    if (hints.dataset.words !== wanted) {
      hints.dataset.words = wanted;
      hints.replaceChildren();
      for (const hint of shown.hints) make("p", "kw-hint", hints).textContent = hint;
      // Hints name steps, which change with every frame: another hint is said, another number is not.
      const kind = wanted.replace(/\d[\d,.]*/g, "");
      if (kind !== said) spoken.textContent = wanted;
      said = kind;
    }
    putOrHide(note, shown.note);
    hints.hidden = shown.hints.length === 0;
  }

  return { element: root, foot, show };
}
