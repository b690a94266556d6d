// src/shared/keys.ts
function plainKey(event) {
  return !event.ctrlKey && !event.metaKey && !event.altKey;
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
    if (node.classList.contains("dark") || node.classList.contains("vscode-dark")) return "dark";
    if (node.classList.contains("light") || node.classList.contains("vscode-light")) return "light";
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

// src/training_panel/status.ts
var EMPTY = {
  state: "idle",
  control: "running",
  holding: false,
  closed: false,
  fault: "",
  step: 0,
  epoch: null,
  epochs: null,
  done: 0,
  total: null,
  rate: 0,
  elapsed: 0,
  remaining: null,
  share: 0,
  source: "",
  message: "",
  traceback: "",
  output: "",
  every: 1,
  rates: [],
  reports: []
};
function statusOf(value) {
  return { ...EMPTY, ...value };
}

// src/training_panel/commands.ts
var PATIENCE = 2e3;
function createCommands(post, changed) {
  const own = Math.random().toString(36).slice(2);
  let sent = 0;
  let pending = [];
  let updates = 0;
  let late = false;
  let refusal = "";
  let timer;
  return {
    send(command) {
      const id = `${own}:${++sent}`;
      pending.push({ id, command, newsBefore: updates });
      refusal = "";
      post({ ...command, id });
      if (timer === void 0 && !late) timer = setTimeout(overdue, PATIENCE);
      changed();
    },
    take(content) {
      const message = content;
      if (message.kind !== "heard") return null;
      const at = pending.findIndex(({ id }) => id === message.id);
      if (at < 0) return null;
      pending = pending.slice(at + 1);
      refusal = message.refused ?? "";
      late = false;
      clearTimeout(timer);
      timer = pending.length > 0 ? setTimeout(overdue, PATIENCE) : void 0;
      return statusOf(message.status);
    },
    news() {
      updates++;
    },
    wanted() {
      for (const { command } of [...pending].reverse()) {
        if (command.kind === "pause" || command.kind === "advance") return "paused";
        if (command.kind === "resume") return "running";
      }
      return null;
    },
    waiting: () => pending.flatMap(({ command }) => word(command)),
    hearing() {
      if (!late || pending.length === 0) return "well";
      return updates > pending[0].newsBefore ? "deaf" : "silent";
    },
    refused: () => refusal,
    stop: () => clearTimeout(timer)
  };
  function overdue() {
    timer = void 0;
    late = pending.length > 0;
    changed();
  }
}
function word(command) {
  switch (command.kind) {
    case "hello":
      return [];
    case "advance":
      return [command.steps === 1 ? "one step" : `${command.steps} steps`];
    case "every":
      return [`every ${command.value}`];
    case "rate":
      return [`learning rate ${command.value}`];
    default:
      return [command.kind];
  }
}

// ../../../main/js/node_modules/d3-format/dist/d3-format.mjs
function formatDecimal(x) {
  return Math.abs(x = Math.round(x)) >= 1e21 ? x.toLocaleString("en").replace(/,/g, "") : x.toString(10);
}
function formatDecimalParts(x, p) {
  if (!isFinite(x) || x === 0) return null;
  var i = (x = p ? x.toExponential(p - 1) : x.toExponential()).indexOf("e"), coefficient = x.slice(0, i);
  return [
    coefficient.length > 1 ? coefficient[0] + coefficient.slice(2) : coefficient,
    +x.slice(i + 1)
  ];
}
function exponent(x) {
  return x = formatDecimalParts(Math.abs(x)), x ? x[1] : NaN;
}
function formatGroup(grouping, thousands) {
  return function(value, width) {
    var i = value.length, t = [], j = 0, g = grouping[0], length = 0;
    while (i > 0 && g > 0) {
      if (length + g + 1 > width) g = Math.max(1, width - length);
      t.push(value.substring(i -= g, i + g));
      if ((length += g + 1) > width) break;
      g = grouping[j = (j + 1) % grouping.length];
    }
    return t.reverse().join(thousands);
  };
}
function formatNumerals(numerals) {
  return function(value) {
    return value.replace(/[0-9]/g, function(i) {
      return numerals[+i];
    });
  };
}
var re = /^(?:(.)?([<>=^]))?([+\-( ])?([$#])?(0)?(\d+)?(,)?(\.\d+)?(~)?([a-z%])?$/i;
function formatSpecifier(specifier) {
  if (!(match = re.exec(specifier))) throw new Error("invalid format: " + specifier);
  var match;
  return new FormatSpecifier({
    fill: match[1],
    align: match[2],
    sign: match[3],
    symbol: match[4],
    zero: match[5],
    width: match[6],
    comma: match[7],
    precision: match[8] && match[8].slice(1),
    trim: match[9],
    type: match[10]
  });
}
formatSpecifier.prototype = FormatSpecifier.prototype;
function FormatSpecifier(specifier) {
  this.fill = specifier.fill === void 0 ? " " : specifier.fill + "";
  this.align = specifier.align === void 0 ? ">" : specifier.align + "";
  this.sign = specifier.sign === void 0 ? "-" : specifier.sign + "";
  this.symbol = specifier.symbol === void 0 ? "" : specifier.symbol + "";
  this.zero = !!specifier.zero;
  this.width = specifier.width === void 0 ? void 0 : +specifier.width;
  this.comma = !!specifier.comma;
  this.precision = specifier.precision === void 0 ? void 0 : +specifier.precision;
  this.trim = !!specifier.trim;
  this.type = specifier.type === void 0 ? "" : specifier.type + "";
}
FormatSpecifier.prototype.toString = function() {
  return this.fill + this.align + this.sign + this.symbol + (this.zero ? "0" : "") + (this.width === void 0 ? "" : Math.max(1, this.width | 0)) + (this.comma ? "," : "") + (this.precision === void 0 ? "" : "." + Math.max(0, this.precision | 0)) + (this.trim ? "~" : "") + this.type;
};
function formatTrim(s) {
  out: for (var n = s.length, i = 1, i0 = -1, i1; i < n; ++i) {
    switch (s[i]) {
      case ".":
        i0 = i1 = i;
        break;
      case "0":
        if (i0 === 0) i0 = i;
        i1 = i;
        break;
      default:
        if (!+s[i]) break out;
        if (i0 > 0) i0 = 0;
        break;
    }
  }
  return i0 > 0 ? s.slice(0, i0) + s.slice(i1 + 1) : s;
}
var prefixExponent;
function formatPrefixAuto(x, p) {
  var d = formatDecimalParts(x, p);
  if (!d) return prefixExponent = void 0, x.toPrecision(p);
  var coefficient = d[0], exponent2 = d[1], i = exponent2 - (prefixExponent = Math.max(-8, Math.min(8, Math.floor(exponent2 / 3))) * 3) + 1, n = coefficient.length;
  return i === n ? coefficient : i > n ? coefficient + new Array(i - n + 1).join("0") : i > 0 ? coefficient.slice(0, i) + "." + coefficient.slice(i) : "0." + new Array(1 - i).join("0") + formatDecimalParts(x, Math.max(0, p + i - 1))[0];
}
function formatRounded(x, p) {
  var d = formatDecimalParts(x, p);
  if (!d) return x + "";
  var coefficient = d[0], exponent2 = d[1];
  return exponent2 < 0 ? "0." + new Array(-exponent2).join("0") + coefficient : coefficient.length > exponent2 + 1 ? coefficient.slice(0, exponent2 + 1) + "." + coefficient.slice(exponent2 + 1) : coefficient + new Array(exponent2 - coefficient.length + 2).join("0");
}
var formatTypes = {
  "%": (x, p) => (x * 100).toFixed(p),
  "b": (x) => Math.round(x).toString(2),
  "c": (x) => x + "",
  "d": formatDecimal,
  "e": (x, p) => x.toExponential(p),
  "f": (x, p) => x.toFixed(p),
  "g": (x, p) => x.toPrecision(p),
  "o": (x) => Math.round(x).toString(8),
  "p": (x, p) => formatRounded(x * 100, p),
  "r": formatRounded,
  "s": formatPrefixAuto,
  "X": (x) => Math.round(x).toString(16).toUpperCase(),
  "x": (x) => Math.round(x).toString(16)
};
function identity(x) {
  return x;
}
var map = Array.prototype.map;
var prefixes = ["y", "z", "a", "f", "p", "n", "µ", "m", "", "k", "M", "G", "T", "P", "E", "Z", "Y"];
function formatLocale(locale2) {
  var group = locale2.grouping === void 0 || locale2.thousands === void 0 ? identity : formatGroup(map.call(locale2.grouping, Number), locale2.thousands + ""), currencyPrefix = locale2.currency === void 0 ? "" : locale2.currency[0] + "", currencySuffix = locale2.currency === void 0 ? "" : locale2.currency[1] + "", decimal = locale2.decimal === void 0 ? "." : locale2.decimal + "", numerals = locale2.numerals === void 0 ? identity : formatNumerals(map.call(locale2.numerals, String)), percent2 = locale2.percent === void 0 ? "%" : locale2.percent + "", minus = locale2.minus === void 0 ? "−" : locale2.minus + "", nan = locale2.nan === void 0 ? "NaN" : locale2.nan + "";
  function newFormat(specifier, options) {
    specifier = formatSpecifier(specifier);
    var fill = specifier.fill, align = specifier.align, sign = specifier.sign, symbol = specifier.symbol, zero = specifier.zero, width = specifier.width, comma = specifier.comma, precision = specifier.precision, trim = specifier.trim, type = specifier.type;
    if (type === "n") comma = true, type = "g";
    else if (!formatTypes[type]) precision === void 0 && (precision = 12), trim = true, type = "g";
    if (zero || fill === "0" && align === "=") zero = true, fill = "0", align = "=";
    var prefix = (options && options.prefix !== void 0 ? options.prefix : "") + (symbol === "$" ? currencyPrefix : symbol === "#" && /[boxX]/.test(type) ? "0" + type.toLowerCase() : ""), suffix = (symbol === "$" ? currencySuffix : /[%p]/.test(type) ? percent2 : "") + (options && options.suffix !== void 0 ? options.suffix : "");
    var formatType = formatTypes[type], maybeSuffix = /[defgprs%]/.test(type);
    precision = precision === void 0 ? 6 : /[gprs]/.test(type) ? Math.max(1, Math.min(21, precision)) : Math.max(0, Math.min(20, precision));
    function format2(value) {
      var valuePrefix = prefix, valueSuffix = suffix, i, n, c;
      if (type === "c") {
        valueSuffix = formatType(value) + valueSuffix;
        value = "";
      } else {
        value = +value;
        var valueNegative = value < 0 || 1 / value < 0;
        value = isNaN(value) ? nan : formatType(Math.abs(value), precision);
        if (trim) value = formatTrim(value);
        if (valueNegative && +value === 0 && sign !== "+") valueNegative = false;
        valuePrefix = (valueNegative ? sign === "(" ? sign : minus : sign === "-" || sign === "(" ? "" : sign) + valuePrefix;
        valueSuffix = (type === "s" && !isNaN(value) && prefixExponent !== void 0 ? prefixes[8 + prefixExponent / 3] : "") + valueSuffix + (valueNegative && sign === "(" ? ")" : "");
        if (maybeSuffix) {
          i = -1, n = value.length;
          while (++i < n) {
            if (c = value.charCodeAt(i), 48 > c || c > 57) {
              valueSuffix = (c === 46 ? decimal + value.slice(i + 1) : value.slice(i)) + valueSuffix;
              value = value.slice(0, i);
              break;
            }
          }
        }
      }
      if (comma && !zero) value = group(value, Infinity);
      var length = valuePrefix.length + value.length + valueSuffix.length, padding = length < width ? new Array(width - length + 1).join(fill) : "";
      if (comma && zero) value = group(padding + value, padding.length ? width - valueSuffix.length : Infinity), padding = "";
      switch (align) {
        case "<":
          value = valuePrefix + value + valueSuffix + padding;
          break;
        case "=":
          value = valuePrefix + padding + value + valueSuffix;
          break;
        case "^":
          value = padding.slice(0, length = padding.length >> 1) + valuePrefix + value + valueSuffix + padding.slice(length);
          break;
        default:
          value = padding + valuePrefix + value + valueSuffix;
          break;
      }
      return numerals(value);
    }
    format2.toString = function() {
      return specifier + "";
    };
    return format2;
  }
  function formatPrefix2(specifier, value) {
    var e = Math.max(-8, Math.min(8, Math.floor(exponent(value) / 3))) * 3, k = Math.pow(10, -e), f = newFormat((specifier = formatSpecifier(specifier), specifier.type = "f", specifier), { suffix: prefixes[8 + e / 3] });
    return function(value2) {
      return f(k * value2);
    };
  }
  return {
    format: newFormat,
    formatPrefix: formatPrefix2
  };
}
var locale;
var format;
var formatPrefix;
defaultLocale({
  thousands: ",",
  grouping: [3],
  currency: ["$", ""]
});
function defaultLocale(definition) {
  locale = formatLocale(definition);
  format = locale.format;
  formatPrefix = locale.formatPrefix;
  return locale;
}

// src/shared/format.ts
var plain = format(".3~r");
var grouped = format(",d");
var scientific = format(".2~e");
function formatNumber(value) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 1e-4 && size < 1e5 ? plain(value) : scientific(value);
}
function formatCount(count) {
  return grouped(count);
}

// src/training_panel/words.ts
function duration(seconds) {
  const whole = Math.round(seconds);
  const two = (n) => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = two(whole % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}
function numbers(status) {
  const found = [
    ["step", formatCount(status.step), "Optimizer steps since the model was bound"]
  ];
  if (status.epoch !== null) {
    const of = status.epochs ? ` of ${status.epochs}` : "";
    found.push(["epoch", `${status.epoch}${of}`, "The pass over the data that is going on"]);
  }
  if (status.rate > 0) {
    found.push(["steps/s", formatNumber(status.rate), "Over the last seconds, pauses left out"]);
  }
  if (status.elapsed > 0) {
    found.push(["elapsed", duration(status.elapsed), "Since the first step, pauses left out"]);
  }
  if (status.remaining !== null) {
    found.push(["remaining", duration(status.remaining), "At the present rate"]);
  }
  if (status.share > 0) {
    found.push([
      "watching",
      percent(status.share),
      "Share of the training time that watching takes"
    ]);
  }
  if (status.source) found.push(["data", status.source, "What the model is trained on"]);
  return found;
}
function percent(share) {
  return `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
}
function stateWord({ state, control, closed, fault }) {
  if (fault) return "not watched any more";
  if (closed) return "closed";
  if (control === "stopping") return "stopping";
  return state;
}
function deafWords(news, waiting) {
  const list = waiting.length > 0 ? ` Waiting: ${waiting.join(", ")}.` : "";
  const why = news ? "Clicks reach the training only when the cell ends." : "The kernel does not answer: a click acts when the cell that is running ends.";
  return why + list;
}
function rateRange(rate) {
  const power = rate > 0 ? Math.log10(rate) : -6;
  return [Math.min(-6, Math.floor(power)), Math.max(0, Math.ceil(power))];
}
function rateAt(power) {
  return Number((10 ** power).toPrecision(3));
}
function rateText(rate) {
  return formatNumber(rate);
}

// src/training_panel/rate.ts
function createRate(document, set, signal) {
  const make = (tag, name, parent) => {
    const element2 = document.createElement(tag);
    element2.className = name;
    parent?.appendChild(element2);
    return element2;
  };
  const element = make("span", "kw-option kw-rate");
  make("span", "kw-option-label", element).textContent = "learning rate";
  const groups = make("select", "kw-select", element);
  groups.title = "Of which parameter group; “all” keeps their proportions";
  groups.setAttribute("aria-label", "parameter group");
  const slider = make("input", "kw-slider", element);
  slider.type = "range";
  slider.step = "0.01";
  slider.title = "The learning rate, on a logarithmic scale; takes effect after the next step";
  slider.setAttribute("aria-label", "learning rate");
  const text = make("input", "kw-number kw-rate-text", element);
  text.type = "text";
  text.inputMode = "decimal";
  text.title = "The learning rate; takes effect after the next step";
  text.setAttribute("aria-label", "learning rate as a number");
  let rates = [];
  let dragging = false;
  const group = () => rates.length > 1 && groups.value !== "all" ? Number(groups.value) : null;
  const current = () => rates[group() ?? 0] ?? 0;
  slider.addEventListener(
    "input",
    () => {
      dragging = true;
      text.value = rateText(rateAt(Number(slider.value)));
      slider.setAttribute("aria-valuetext", text.value);
    },
    { signal }
  );
  slider.addEventListener(
    "change",
    () => {
      dragging = false;
      set(rateAt(Number(slider.value)), group());
    },
    { signal }
  );
  text.addEventListener(
    "change",
    () => {
      const value = Number(text.value.replace(",", "."));
      if (text.value.trim() !== "" && Number.isFinite(value) && value >= 0) set(value, group());
      else text.value = rateText(current());
    },
    { signal }
  );
  groups.addEventListener("change", write, { signal });
  function write() {
    const rate = current();
    const [low, high] = rateRange(rate);
    if (!dragging) {
      slider.min = String(low);
      slider.max = String(high);
      const value = String(rate > 0 ? Number(Math.log10(rate).toFixed(2)) : low);
      if (slider.value !== value) slider.value = value;
      slider.setAttribute("aria-valuetext", rateText(rate));
      if (document.activeElement !== text) text.value = rateText(rate);
    }
  }
  return {
    element,
    show(now, disabled) {
      if (now.length !== rates.length) {
        groups.replaceChildren(
          ...["all", ...now.keys()].map((value) => {
            const option = document.createElement("option");
            option.value = String(value);
            option.textContent = value === "all" ? "all groups" : `group ${value}`;
            return option;
          })
        );
      }
      rates = now;
      element.hidden = now.length === 0;
      groups.hidden = now.length < 2;
      for (const input of [groups, slider, text]) input.disabled = disabled;
      write();
    }
  };
}

// src/training_panel/view.ts
var ICONS = {
  pause: "M4 2h3v12H4zM9 2h3v12H9z",
  play: "M4 2l9 6-9 6z",
  step: "M3 2l7 6-7 6zM11 2h2v12h-2z",
  stop: "M3 3h10v10H3z"
};
function createView(model, el, signal) {
  const document = el.ownerDocument;
  const make = (tag, name, parent) => {
    const element = document.createElement(tag);
    element.className = name;
    parent?.appendChild(element);
    return element;
  };
  const commands = createCommands((content) => model.send(content), show);
  let status = statusOf(model.get("status"));
  const root = make("div", "kw-training");
  keepKeys(root, signal);
  const header = make("div", "kw-header", root);
  header.setAttribute("role", "group");
  header.setAttribute("aria-label", "Training");
  const state = make("span", "kw-status", header);
  state.setAttribute("role", "status");
  make("span", "kw-dot", state);
  const word2 = make("span", "kw-state", state);
  const buttons = make("span", "kw-buttons", header);
  const hold = button("pause", "", "", () => {
    const paused = (commands.wanted() ?? status.control) === "paused";
    commands.send({ kind: paused ? "resume" : "pause" });
  });
  const one = button(
    "step",
    "One step",
    "One optimizer step, then hold (key: s)",
    () => commands.send({ kind: "advance", steps: 1 })
  );
  const many = make("span", "kw-many", buttons);
  const count = field("number of steps", "How many steps", "10", many);
  const several = make("button", "kw-button kw-words", many);
  several.type = "button";
  several.textContent = "steps";
  label(several, "Several steps", "So many optimizer steps, then hold");
  several.addEventListener("click", advance, { signal });
  count.addEventListener(
    "keydown",
    (event) => {
      if (event.key === "Enter") advance();
    },
    { signal }
  );
  const end = button(
    "stop",
    "Stop",
    "End the training after the step that is going on",
    () => commands.send({ kind: "stop" })
  );
  const rate = createRate(document, (value, group) => send({ kind: "rate", value, group }), signal);
  header.append(rate.element);
  const everyBox = make("label", "kw-option", header);
  make("span", "kw-option-label", everyBox).textContent = "draw every";
  const every = field("draw every so many steps", "Steps between two frames", "1", everyBox);
  make("span", "kw-option-label", everyBox).textContent = "steps";
  every.addEventListener(
    "change",
    () => {
      const value = whole(every);
      if (value === null) every.value = String(status.every);
      else send({ kind: "every", value });
    },
    { signal }
  );
  const facts = make("dl", "kw-facts", root);
  const bar = make("div", "kw-bar", root);
  const done = make("div", "kw-done", bar);
  bar.setAttribute("role", "progressbar");
  bar.setAttribute("aria-label", "Progress");
  const words = make("div", "kw-notes", root);
  words.setAttribute("aria-live", "polite");
  const trace = folded("traceback", "Where it went wrong");
  const output = folded("output", "What the training printed");
  el.append(root);
  function button(icon, name, title, act) {
    const made = make("button", "kw-button", buttons);
    made.type = "button";
    made.dataset.icon = icon;
    draw(made, icon);
    label(made, name, title);
    made.addEventListener("click", act, { signal });
    return made;
  }
  function draw(on, icon) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 16 16");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", ICONS[icon]);
    svg.append(path);
    on.replaceChildren(svg);
  }
  function label(on, name, title) {
    if (on.title !== title) on.title = title;
    if (on.getAttribute("aria-label") !== name) on.setAttribute("aria-label", name);
  }
  function field(name, title, value, parent) {
    const input = make("input", "kw-number", parent);
    input.type = "number";
    input.min = "1";
    input.step = "1";
    input.value = value;
    label(input, name, title);
    return input;
  }
  function folded(name, title) {
    const box = make("details", `kw-${name}`, root);
    const summary = make("summary", "kw-summary", box);
    summary.textContent = name;
    summary.title = title;
    const text = make("pre", "kw-text", box);
    text.tabIndex = 0;
    text.setAttribute("aria-label", name);
    return {
      show(content) {
        box.hidden = content === "";
        if (text.textContent === content) return;
        const atEnd = text.scrollHeight - text.scrollTop - text.clientHeight < 4;
        text.textContent = content;
        if (atEnd) text.scrollTop = text.scrollHeight;
      },
      open: () => {
        box.open = true;
      }
    };
  }
  function whole(input) {
    const value = Number(input.value);
    return Number.isInteger(value) && value >= 1 ? value : null;
  }
  function send(command) {
    commands.send(command);
  }
  function advance() {
    const steps = whole(count);
    if (steps === null) count.value = "10";
    else send({ kind: "advance", steps });
  }
  function show() {
    const theme = model.get("theme");
    root.dataset.kwTheme = theme === "light" || theme === "dark" ? theme : themeAround(el);
    if (theme === "auto" && inJupyter(document)) root.dataset.kwHost = "jupyter";
    else delete root.dataset.kwHost;
    const hearing = commands.hearing();
    const wanted = commands.wanted();
    const paused = (wanted ?? status.control) === "paused";
    const active = status.state === "running" || status.state === "paused";
    state.dataset.state = status.fault ? "fault" : status.state;
    write(word2, stateWord(status));
    const icon = paused ? "play" : "pause";
    if (hold.dataset.icon !== icon) {
      hold.dataset.icon = icon;
      draw(hold, icon);
    }
    if (paused) label(hold, "Resume", "Let the training go on (key: p)");
    else {
      const when = active ? "the step that is going on" : "the first step of the next training";
      label(hold, "Pause", `Hold after ${when} (key: p)`);
    }
    hold.toggleAttribute("data-waiting", wanted !== null && hearing !== "well");
    for (const element of [hold, one, several, count, every]) element.disabled = status.closed;
    end.disabled = status.closed || !active;
    rate.show(status.rates, status.closed);
    if (document.activeElement !== every && every.value !== String(status.every)) {
      every.value = String(status.every);
    }
    showFacts(status);
    showNotes(hearing);
    trace.show(status.traceback);
    output.show(status.output);
  }
  function showFacts(now) {
    const wanted = numbers(now);
    while (facts.children.length > wanted.length) facts.lastChild?.remove();
    wanted.forEach(([name, value, title], k) => {
      let item = facts.children[k];
      if (!item) {
        item = make("div", "kw-fact", facts);
        make("dt", "", item);
        make("dd", "", item);
      }
      if (item.title !== title) item.title = title;
      item.dataset.name = name;
      write(item.children[0], name);
      write(item.children[1], value);
    });
    bar.hidden = now.total === null;
    if (now.total) {
      const share = Math.min(1, now.done / now.total);
      done.style.width = `${100 * share}%`;
      bar.setAttribute("aria-valuenow", String(Math.round(100 * share)));
      bar.title = `${now.done} of ${now.total} batches`;
    }
  }
  function showNotes(hearing) {
    const notes = [];
    if (hearing !== "well") notes.push([deafWords(hearing === "deaf", commands.waiting()), "warn"]);
    if (commands.refused()) notes.push([commands.refused(), "warn"]);
    if (status.message) notes.push([status.message, "warn"]);
    if (status.fault) notes.push([status.fault, "warn"]);
    for (const report of status.reports) notes.push([report, "warn"]);
    words.hidden = notes.length === 0;
    while (words.children.length > notes.length) words.lastChild?.remove();
    notes.forEach(([text, tone], k) => {
      const line = words.children[k] ?? make("div", "kw-note", words);
      line.dataset.tone = tone;
      write(line, text);
    });
  }
  function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }
  root.addEventListener(
    "keydown",
    (event) => {
      const typing = event.target.closest("input, select, pre");
      if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "p") hold.click();
      else if (event.key === "s") one.click();
      else return;
      event.preventDefault();
    },
    { signal }
  );
  const updated = () => {
    const before = status;
    status = statusOf(model.get("status"));
    commands.news();
    if (status.traceback && !before.traceback) trace.open();
    if (status.output && !before.output) output.open();
    show();
  };
  const heard = (content) => {
    const answered = commands.take(content);
    if (answered) status = answered;
    show();
  };
  model.on("change:status", updated);
  model.on("change:theme", show);
  model.on("msg:custom", heard);
  watchTheme(el, show, signal);
  signal.addEventListener(
    "abort",
    () => {
      model.off("change:status", updated);
      model.off("change:theme", show);
      model.off("msg:custom", heard);
      commands.stop();
    },
    { once: true }
  );
  if (status.output) output.open();
  show();
  commands.send({ kind: "hello" });
}

// src/training_panel/index.ts
function render({ model, el, signal }) {
  createView(model, el, signal);
}
var training_panel_default = { render };
export {
  training_panel_default as default
};

/*! d3-format 3.1.3

Copyright 2010-2026 Mike Bostock

Permission to use, copy, modify, and/or distribute this software for any purpose
with or without fee is hereby granted, provided that the above copyright notice
and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH
REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND
FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT,
INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS
OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER
TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF
THIS SOFTWARE.
*/
