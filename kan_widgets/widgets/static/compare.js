// src/shared/theme.ts
var ATTRIBUTES = ["class", "theme", "data-theme", "data-jp-theme-light", "data-jp-theme-name"];
var LIGHT = ["light", "vscode-light", "vscode-high-contrast-light"];
var DARK = ["dark", "vscode-dark", "vscode-high-contrast"];
var DARK_QUERY = "(prefers-color-scheme: dark)";
function inJupyter(document) {
  return document.body?.dataset.jpThemeLight !== void 0;
}
function themeAround(element2) {
  const { body, documentElement, defaultView } = element2.ownerDocument;
  const lab = body?.dataset.jpThemeLight;
  if (lab !== void 0) return lab === "false" ? "dark" : "light";
  for (let node = element2; node; node = parentOf(node)) {
    const stated = node.getAttribute("data-theme") ?? node.getAttribute("theme");
    if (stated && /dark/i.test(stated)) return "dark";
    if (stated && /light/i.test(stated)) return "light";
    if (LIGHT.some((name) => node?.classList.contains(name))) return "light";
    if (DARK.some((name) => node?.classList.contains(name))) return "dark";
    if (node === documentElement) break;
  }
  return defaultView?.matchMedia?.(DARK_QUERY).matches ? "dark" : "light";
}
function parentOf(element2) {
  if (element2.parentElement) return element2.parentElement;
  const root = element2.getRootNode();
  return root instanceof ShadowRoot ? root.host : null;
}
function watchTheme(element2, changed, signal) {
  const { body, documentElement, defaultView } = element2.ownerDocument;
  const observer = new MutationObserver(changed);
  for (const node of [documentElement, body]) {
    if (node) observer.observe(node, { attributes: true, attributeFilter: ATTRIBUTES });
  }
  signal.addEventListener("abort", () => observer.disconnect(), { once: true });
  defaultView?.matchMedia?.(DARK_QUERY).addEventListener?.("change", changed, { signal });
}

// src/shared/element.ts
function element(document, tag, className, parent) {
  const made = document.createElement(tag);
  made.className = className;
  parent?.append(made);
  return made;
}
function put(element2, words) {
  if (element2.textContent !== words) element2.textContent = words;
}
function putOrHide(element2, words) {
  put(element2, words);
  element2.hidden = words === "";
}

// src/compare/table.ts
function createTable(document) {
  const make = (tag, name, parent) => element(document, tag, name, parent);
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
  let built = "";
  let cells = [];
  function named(parent, { name, colours }) {
    const label = make("span", "kw-model-name", parent);
    label.style.setProperty("--kw-on-light", colours[0]);
    label.style.setProperty("--kw-on-dark", colours[1]);
    label.textContent = name;
  }
  function buildRows({ models, rows }) {
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
  function buildGrowth({ models, growth }) {
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
  function show(shown) {
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
      const kind = wanted.replace(/\d[\d,.]*/g, "");
      if (kind !== said) spoken.textContent = wanted;
      said = kind;
    }
    putOrHide(note, shown.note);
    hints.hidden = shown.hints.length === 0;
  }
  return { element: root, show };
}

// src/compare/index.ts
var TRIES = 100;
function render({ model, el, signal }) {
  const table = createTable(el.ownerDocument);
  el.append(table.element);
  const show = () => table.show(model.get("shown"));
  let tries = 0;
  function dress() {
    const chosen = model.get("theme");
    const theme = chosen === "light" || chosen === "dark" ? chosen : themeAround(el);
    const box = el.closest(".kw-compare");
    for (const element2 of [table.element, box]) {
      if (!element2) continue;
      element2.dataset.kwTheme = theme;
      if (chosen === "auto" && inJupyter(el.ownerDocument)) element2.dataset.kwHost = "jupyter";
      else delete element2.dataset.kwHost;
    }
    if (!box && !signal.aborted && tries++ < TRIES) requestAnimationFrame(dress);
  }
  model.on("change:shown", show);
  model.on("change:theme", dress);
  signal.addEventListener(
    "abort",
    () => {
      model.off("change:shown", show);
      model.off("change:theme", dress);
    },
    { once: true }
  );
  watchTheme(el, dress, signal);
  dress();
  show();
}
var compare_default = { render };
export {
  compare_default as default
};
