// src/shared/alternative.ts
var keys = /* @__PURE__ */ new WeakMap();
function describe(element, text, key) {
  if (keys.get(element) === key && hasKeyboard(element)) return;
  keys.set(element, key);
  if (element.getAttribute("aria-label") !== text) element.setAttribute("aria-label", text);
}
function hasKeyboard(element) {
  return element.matches(":focus");
}

// src/shared/keys.ts
function plainKey(event) {
  return !event.ctrlKey && !event.metaKey && !event.altKey;
}
function used(event) {
  event.preventDefault();
  event.stopPropagation();
}
function keepKeys(root, signal) {
  root.addEventListener(
    "keydown",
    (event) => {
      const runs = event.key === "Enter" && event.shiftKey;
      const leaves = event.key === "Tab" || event.key === "Escape";
      if (plainKey(event) && !runs && !leaves) event.stopPropagation();
    },
    { signal }
  );
}

// src/shared/theme.ts
var ATTRIBUTES = ["class", "theme", "data-theme", "data-jp-theme-light", "data-jp-theme-name"];
var LIGHT = ["light", "vscode-light", "vscode-high-contrast-light"];
var DARK = ["dark", "vscode-dark", "vscode-high-contrast"];
var DARK_QUERY = "(prefers-color-scheme: dark)";
function inJupyter(document) {
  return document.body?.dataset.jpThemeLight !== void 0;
}
function themeAround(element) {
  const { body, documentElement, defaultView } = element.ownerDocument;
  const lab = body?.dataset.jpThemeLight;
  if (lab !== void 0) return lab === "false" ? "dark" : "light";
  for (let node = element; node; node = parentOf(node)) {
    const stated = node.getAttribute("data-theme") ?? node.getAttribute("theme");
    if (stated && /dark/i.test(stated)) return "dark";
    if (stated && /light/i.test(stated)) return "light";
    if (LIGHT.some((name) => node?.classList.contains(name))) return "light";
    if (DARK.some((name) => node?.classList.contains(name))) return "dark";
    if (node === documentElement) break;
  }
  return defaultView?.matchMedia?.(DARK_QUERY).matches ? "dark" : "light";
}
function parentOf(element) {
  if (element.parentElement) return element.parentElement;
  const root = element.getRootNode();
  return root instanceof ShadowRoot ? root.host : null;
}
function watchTheme(element, changed, signal) {
  const { body, documentElement, defaultView } = element.ownerDocument;
  const observer = new MutationObserver(changed);
  for (const node of [documentElement, body]) {
    if (node) observer.observe(node, { attributes: true, attributeFilter: ATTRIBUTES });
  }
  signal.addEventListener("abort", () => observer.disconnect(), { once: true });
  defaultView?.matchMedia?.(DARK_QUERY).addEventListener?.("change", changed, { signal });
}

// src/layer_ranges/content.ts
var MEASURES = [
  ["range", "range"],
  ["splines", "splines’ share"],
  ["silu", "SiLU-shaped"],
  ["change", "change"],
  ["gradient", "gradient"],
  ["update", "update"]
];
function thresholdOf(text) {
  const value = text.trim() === "" ? Number.NaN : Number(text.replace(",", "."));
  return value >= 0 && value <= 1 ? value : null;
}
function rowOf(rows, selection) {
  return selection === null ? -1 : rows.findIndex((row) => row.layer === selection.layer);
}

// src/layer_ranges/bar.ts
function createBar(document, actions) {
  const make = (tag, className, text = "") => {
    const element2 = document.createElement(tag);
    element2.className = className;
    element2.textContent = text;
    return element2;
  };
  const element = make("div", "kw-ranges-bar");
  const line = make("div", "kw-header");
  const step = make("span", "kw-step");
  const legend = make("div", "kw-legend");
  const start = make("span", "kw-sign kw-sign-start");
  const seen = make("span", "kw-sign kw-sign-seen");
  const unseen = make("span", "kw-hint");
  unseen.append("inputs seen: call ", make("code", "", "live.observe(batch)"));
  legend.append(
    make("span", "kw-sign kw-sign-dot", "one φ"),
    make("span", "kw-sign kw-sign-box", "quartiles on the grid"),
    seen,
    unseen,
    start,
    make("span", "kw-sign kw-sign-base", "base"),
    make("span", "kw-sign kw-sign-spline", "splines")
  );
  seen.textContent = "over the inputs seen";
  const measure = document.createElement("select");
  measure.className = "kw-select";
  measure.setAttribute("aria-label", "over time");
  for (const [value, words] of MEASURES) {
    const option = document.createElement("option");
    option.value = value;
    option.textContent = words;
    measure.append(option);
  }
  measure.addEventListener("change", () => actions.overTime(measure.value));
  const threshold = document.createElement("input");
  threshold.className = "kw-number";
  threshold.inputMode = "decimal";
  threshold.setAttribute("aria-label", "R² from which a function counts as SiLU-shaped");
  let last = 0.95;
  const take = () => {
    const value = thresholdOf(threshold.value);
    if (value === null) threshold.value = String(last);
    else if (value !== last) actions.threshold(value);
  };
  threshold.addEventListener("change", take);
  threshold.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter") take();
  });
  measure.addEventListener("keydown", (event) => event.stopPropagation());
  const options = make("div", "kw-options");
  const time = make("label", "kw-option", "over time ");
  time.append(measure);
  const shaped = make("label", "kw-option", "SiLU-shaped: R² ≥ ");
  shaped.append(threshold);
  options.append(time, shaped);
  line.append(make("b", "kw-title", "Ranges of functions"), step, options);
  const verdict = make("div", "kw-verdict");
  const note = make("div", "kw-status");
  note.hidden = true;
  element.append(line, verdict, legend, note);
  return {
    element,
    draw(bar) {
      step.textContent = bar.step === void 0 ? "" : `step ${bar.step.toLocaleString("en")}`;
      verdict.textContent = bar.verdict ?? "";
      start.textContent = `median at step ${(bar.start ?? 0).toLocaleString("en")}`;
      seen.hidden = bar.observed !== true;
      unseen.hidden = bar.observed === true;
    },
    options(value, overTime) {
      last = value;
      if (!threshold.matches(":focus")) threshold.value = String(value);
      measure.value = overTime;
    },
    message(text) {
      note.textContent = text;
      note.hidden = text === "";
    }
  };
}

// src/layer_ranges/table.ts
var KEYS = "Enter selects the typical function, left and right those of smaller and larger range.";
function createTable(document, choose, step) {
  const element = document.createElement("div");
  element.className = "kw-ranges-table";
  const table = document.createElement("table");
  table.setAttribute("role", "grid");
  table.setAttribute("aria-label", "Ranges of the functions of each layer");
  const head = table.createTHead().insertRow();
  const body = table.createTBody();
  element.append(table);
  const lines = [];
  let rows = [];
  let selection = null;
  function draw({ heads = [], rows: given = [], row = 54, head: height = 46 }) {
    rows = given;
    element.style.setProperty("--kw-row-height", `${row}px`);
    element.style.setProperty("--kw-head-height", `${height}px`);
    fit(head, heads.length + 1, () => document.createElement("th"));
    twoLines(document, head.cells[0], "layer", "");
    heads.forEach(([title, below], k) => {
      twoLines(document, head.cells[k + 1], title, below);
    });
    while (lines.length > rows.length) lines.pop()?.remove();
    while (lines.length < rows.length) {
      lines.push(newRow(lines.length));
      body.append(lines[lines.length - 1]);
    }
    rows.forEach((content, k) => {
      drawRow(lines[k], content);
    });
    mark(selection);
  }
  function newRow(number) {
    const made = document.createElement("tr");
    made.tabIndex = 0;
    made.setAttribute("aria-description", KEYS);
    made.addEventListener("click", () => choose(rows[number]));
    made.addEventListener("keydown", (event) => {
      if (!plainKey(event)) return;
      const { key } = event;
      if (key === "Enter" || key === " ") choose(rows[number]);
      else if (key === "ArrowLeft") step(number, -1);
      else if (key === "ArrowRight") step(number, 1);
      else if (key === "ArrowUp") lines[number - 1]?.focus();
      else if (key === "ArrowDown") lines[number + 1]?.focus();
      else return;
      used(event);
    });
    return made;
  }
  function drawRow(line, row) {
    fit(line, row.cells.length + 1, (k) => document.createElement(k === 0 ? "th" : "td"));
    const name = line.cells[0];
    twoLines(document, name, row.title, row.aside || row.type);
    name.title = `${row.title}: ${row.type}${row.aside ? `, ${row.aside}` : ""}`;
    name.classList.toggle("kw-aside", row.aside !== "");
    line.title = row.aside;
    row.cells.forEach(([first, second], k) => {
      twoLines(document, line.cells[k + 1], first, second);
    });
    share(document, line.cells[2], row.splines);
  }
  function mark(chosen) {
    selection = chosen;
    const number = rowOf(rows, chosen);
    lines.forEach((line, k) => {
      line.classList.toggle("kw-chosen", k === number);
      line.setAttribute("aria-selected", String(k === number));
    });
  }
  return { element, draw, mark };
}
function fit(line, count, make) {
  while (line.cells.length > count) line.deleteCell(-1);
  while (line.cells.length < count) line.append(make(line.cells.length));
}
function twoLines(document, cell, first, second) {
  while (cell.querySelectorAll(".kw-line").length < 2) {
    const line = document.createElement("div");
    line.className = "kw-line";
    cell.append(line);
  }
  const lines = cell.querySelectorAll(".kw-line");
  [first, second].forEach((text, k) => {
    if (lines[k].textContent !== text) lines[k].textContent = text;
  });
}
function share(document, cell, splines) {
  let bar = cell.querySelector(".kw-share");
  if (!bar) {
    bar = document.createElement("div");
    bar.className = "kw-share";
    bar.append(document.createElement("i"), document.createElement("i"));
    cell.append(bar);
  }
  bar.hidden = splines === null;
  if (splines !== null) {
    bar.style.setProperty("--kw-splines", `${(100 * splines).toFixed(2)}%`);
    bar.title = `base ${Math.round(100 * (1 - splines))} %, splines ${Math.round(100 * splines)} %`;
  }
}

// src/layer_ranges/index.ts
function render({ model, el, host, signal }) {
  const document = el.ownerDocument;
  let store = null;
  let connection = new AbortController();
  const set = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };
  const bar = createBar(document, {
    threshold: (value) => set("threshold", value),
    overTime: (measure) => set("over_time", measure)
  });
  const table = createTable(
    document,
    (row) => store?.select(row.typical),
    (row, by) => model.send({ kind: "step", row, by })
  );
  const isBar = model.get("part") === "bar";
  el.append(isBar ? bar.element : table.element);
  keepKeys(el, signal);
  const draw = () => {
    if (isBar) bar.draw(model.get("content"));
    else {
      table.draw(model.get("content"));
      nameFigures();
    }
  };
  const nameFigures = () => {
    const box = el.closest(".kw-layer-ranges");
    const { rows = [] } = model.get("content");
    const layers = rows.map(({ title, cells }) => `${title} ${cells[0]?.[0] ?? ""}`).join(", ");
    const names = [
      [".kw-ranges-now", `Ranges of φ, a row for each layer. Medians: ${layers}`],
      [".kw-ranges-times", `Over the steps, a curve for each layer: ${model.get("over_time")}`]
    ];
    for (const [place, name] of names) {
      const figure = box?.querySelector(place);
      figure?.setAttribute("role", "img");
      if (figure) describe(figure, name, "");
    }
  };
  const options = () => bar.options(model.get("threshold"), model.get("over_time"));
  const mark = () => table.mark(store?.selection() ?? null);
  const connect = async () => {
    connection.abort();
    connection = new AbortController();
    const mine = connection.signal;
    if (!host?.getWidget) {
      bar.message("This view needs anywidget 0.11 or newer in the page.");
      return;
    }
    try {
      const { exports } = await host.getWidget(model.get("stream"));
      if (mine.aborted || signal.aborted || !exports?.subscribe) return;
      store = exports;
      store.subscribe((what) => what === "selection" && mark(), AbortSignal.any([mine, signal]));
      mark();
    } catch (error) {
      if (mine.aborted || signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      bar.message(`The stream of this view cannot be read: ${reason}`);
    }
  };
  const dress = () => {
    const box = el.closest(".kw-layer-ranges");
    if (!box) return;
    const chosen = model.get("theme");
    box.dataset.kwTheme = chosen === "auto" ? themeAround(el) : chosen;
    if (chosen === "auto" && inJupyter(document)) box.dataset.kwHost = "jupyter";
    else delete box.dataset.kwHost;
    if (!isBar) nameFigures();
  };
  const attached = new ResizeObserver(() => dress());
  attached.observe(el);
  watchTheme(el, dress, signal);
  const changes = [
    ["change:content", draw],
    ["change:threshold", options],
    ["change:over_time", options],
    ["change:theme", dress],
    ["change:stream", () => void connect()]
  ];
  for (const [event, call] of changes) model.on(event, call);
  signal.addEventListener(
    "abort",
    () => {
      for (const [event, call] of changes) model.off(event, call);
      attached.disconnect();
      connection.abort();
    },
    { once: true }
  );
  draw();
  options();
  dress();
  void connect();
}
var layer_ranges_default = { render };
export {
  layer_ranges_default as default
};
