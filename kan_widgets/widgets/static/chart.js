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
  var group = locale2.grouping === void 0 || locale2.thousands === void 0 ? identity : formatGroup(map.call(locale2.grouping, Number), locale2.thousands + ""), currencyPrefix = locale2.currency === void 0 ? "" : locale2.currency[0] + "", currencySuffix = locale2.currency === void 0 ? "" : locale2.currency[1] + "", decimal = locale2.decimal === void 0 ? "." : locale2.decimal + "", numerals = locale2.numerals === void 0 ? identity : formatNumerals(map.call(locale2.numerals, String)), percent = locale2.percent === void 0 ? "%" : locale2.percent + "", minus = locale2.minus === void 0 ? "−" : locale2.minus + "", nan = locale2.nan === void 0 ? "NaN" : locale2.nan + "";
  function newFormat(specifier, options) {
    specifier = formatSpecifier(specifier);
    var fill = specifier.fill, align = specifier.align, sign = specifier.sign, symbol = specifier.symbol, zero = specifier.zero, width = specifier.width, comma = specifier.comma, precision = specifier.precision, trim = specifier.trim, type = specifier.type;
    if (type === "n") comma = true, type = "g";
    else if (!formatTypes[type]) precision === void 0 && (precision = 12), trim = true, type = "g";
    if (zero || fill === "0" && align === "=") zero = true, fill = "0", align = "=";
    var prefix = (options && options.prefix !== void 0 ? options.prefix : "") + (symbol === "$" ? currencyPrefix : symbol === "#" && /[boxX]/.test(type) ? "0" + type.toLowerCase() : ""), suffix = (symbol === "$" ? currencySuffix : /[%p]/.test(type) ? percent : "") + (options && options.suffix !== void 0 ? options.suffix : "");
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

// src/phi/format.ts
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

// src/shell/alternative.ts
var keys = /* @__PURE__ */ new WeakMap();
function describe(element, text, key) {
  if (keys.get(element) === key && hasKeyboard(element)) return;
  keys.set(element, key);
  if (element.getAttribute("aria-label") !== text) element.setAttribute("aria-label", text);
}
function hasKeyboard(element) {
  return element.matches(":focus");
}

// src/shell/kernel.ts
async function watchKernel(model, id, changed, signal) {
  let own;
  try {
    own = await model.widget_manager?.get_model(String(id));
  } catch {
  }
  if (signal.aborted) return;
  const tell = () => changed(own?.comm_live !== false);
  own?.on("comm_live_update", tell);
  signal.addEventListener("abort", () => own?.off("comm_live_update", tell), { once: true });
  tell();
}

// src/shell/keys.ts
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

// src/shell/theme.ts
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

// src/views/chart/bar.ts
var SMOOTHINGS = [0, 10, 30, 100, 300, 1e3];
var SMOOTH = "Draw the mean over so many steps around each step as a thin line; the values stay behind it";
var ALONE = "The kernel draws this, and there is none behind these curves any more";
var groups = 0;
function createBar(document, ask, signal) {
  const make = (tag, name, parent) => {
    const element2 = document.createElement(tag);
    element2.className = name;
    parent?.appendChild(element2);
    return element2;
  };
  const element = make("div", "kw-header");
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", "Curves");
  const scales = make("div", "kw-segments", element);
  scales.setAttribute("role", "radiogroup");
  scales.setAttribute("aria-label", "Scale of the values");
  const group = `kw-chart-scale-${++groups}-${Math.random().toString(36).slice(2)}`;
  const inputs = ["linear", "log"].map((value) => {
    const holder = make("label", "kw-segment", scales);
    const input = make("input", "kw-hidden", holder);
    input.type = "radio";
    input.name = group;
    input.value = value;
    input.setAttribute("aria-label", value);
    make("span", "kw-segment-text", holder).textContent = value;
    input.addEventListener("change", () => ask.scale(value), { signal });
    return input;
  });
  const smooth = make("label", "kw-option", element);
  make("span", "kw-option-label", smooth).textContent = "smooth";
  const select = make("select", "kw-select", smooth);
  select.setAttribute("aria-label", "smooth");
  select.addEventListener("change", () => ask.smoothing(Number(select.value)), { signal });
  let listed = "";
  const zoom = make("span", "kw-zoom", element);
  const button = (text, label, title, act) => {
    const made = make("button", "kw-again", zoom);
    made.type = "button";
    made.textContent = text;
    made.title = title;
    made.setAttribute("aria-label", label);
    made.addEventListener("click", act, { signal });
    return made;
  };
  button(
    "+",
    "Zoom in",
    "Show half as many steps; or drag over the steps to see",
    () => ask.zoom(0.5)
  );
  const out = button("−", "Zoom out", "Show twice as many steps", () => ask.zoom(2));
  const all = button("all steps", "Show all steps", "Show all steps; or double-click", ask.all);
  return {
    element,
    show({ scale, smoothing, connected, zoomed }) {
      for (const input of inputs) {
        input.checked = input.value === scale;
        input.disabled = !connected;
        const title = `Draw the values on a ${input.value === "log" ? "logarithmic" : "linear"} scale`;
        input.title = connected ? title : ALONE;
        if (input.parentElement) input.parentElement.title = input.title;
      }
      select.disabled = !connected;
      select.title = connected ? SMOOTH : ALONE;
      const values = [.../* @__PURE__ */ new Set([...SMOOTHINGS, smoothing])].sort((a, b) => a - b);
      if (values.join() !== listed) {
        listed = values.join();
        select.replaceChildren(
          ...values.map((steps) => {
            const option = document.createElement("option");
            option.value = String(steps);
            option.textContent = steps > 1 ? `${formatCount(steps)} steps` : "off";
            return option;
          })
        );
      }
      if (select.value !== String(smoothing)) select.value = String(smoothing);
      out.disabled = all.disabled = !zoomed;
    }
  };
}

// src/views/chart/curves.ts
function curvesOf(x, y) {
  const xs = rows(x);
  return rows(y).map((values, k) => ({ x: xs[k] ?? xs[0] ?? [], y: values }));
}
function rows(data) {
  if (ArrayBuffer.isView(data)) return [data];
  if (!Array.isArray(data)) return [];
  return data.length > 0 && typeof data[0] === "number" ? [data] : data;
}
var NOWHERE = 1e11;
function countOf({ x }) {
  let n = x.length;
  while (n > 0 && x[n - 1] > NOWHERE) n--;
  return n;
}
function valueAt(curve, step, slack = 0) {
  const { x, y } = curve;
  const n = countOf(curve);
  if (n === 0 || step < x[0] - slack || step > x[n - 1] + slack) return null;
  let low = 0;
  let high = n - 1;
  while (high - low > 1) {
    const middle = low + high >> 1;
    if (x[middle] <= step) low = middle;
    else high = middle;
  }
  const k = step - x[low] <= x[high] - step ? low : high;
  return { step: x[k], value: y[k] };
}
function shareOf([low, high], step) {
  return high > low ? (step - low) / (high - low) : 0;
}
function stepAt([low, high], share) {
  return low + (high - low) * share;
}
function dragged(span, from, to, least) {
  const [a, b] = [from, to].map((share) => Math.min(1, Math.max(0, share))).sort((p, q) => p - q);
  if (b - a < least) return null;
  return [stepAt(span, a), stepAt(span, b)];
}
function scaled([low, high], factor) {
  const middle = (low + high) / 2;
  const half = Math.max(1, (high - low) / 2 * factor);
  return [middle - half, middle + half];
}
function fitting(places, lengths, end) {
  let free = Number.NEGATIVE_INFINITY;
  return places.map((place, k) => {
    const fits = place >= free && place + lengths[k] <= end;
    if (fits) free = place + lengths[k] + 6;
    return fits;
  });
}

// src/views/chart/overlay.ts
function createOverlay(figure) {
  const document = figure.ownerDocument;
  const make = (name, parent) => {
    const made = document.createElement("div");
    made.className = name;
    parent?.appendChild(made);
    return made;
  };
  const element = make("kw-over");
  const head = make("kw-over-head", element);
  const line = make("kw-over-line", element);
  const band = make("kw-over-band", element);
  const texts = make("kw-over-marks", element);
  line.hidden = band.hidden = true;
  figure.appendChild(element);
  let written = "";
  let said = "";
  function plot() {
    const rect = figure.querySelector(".plotarea_events")?.getBoundingClientRect();
    return rect && rect.width > 0 ? rect : null;
  }
  function paint(content) {
    const { title, names, colours, curves, means, step, span } = content;
    const slack = 0.02 * (span[1] - span[0]);
    const entries = names.map((name, k) => {
      const at2 = (of) => step === null || !of[k] ? null : valueAt(of[k], step, slack);
      const [point, mean] = [at2(curves), at2(means)];
      const here = step === null ? content.latest[k] : point && formatNumber(point.value);
      return {
        name: name === title ? "" : name,
        colour: colours[k],
        value: here || "–",
        mean: mean ? `(mean ${formatNumber(mean.value)})` : "",
        at: point?.step
      };
    });
    const at = step === null ? void 0 : entries.find((entry) => entry.at !== void 0)?.at;
    const where = at === void 0 ? "" : `step ${formatCount(Math.round(at))}`;
    const values = entries.map(({ name, value }) => `${name || title} ${value}`);
    said = [where, ...values].filter((text) => text).join(", ");
    const state = JSON.stringify([title, entries, where]);
    if (state !== written) {
      written = state;
      const name = document.createElement("b");
      name.textContent = title;
      head.replaceChildren(
        name,
        ...entries.map((entry) => {
          const item = make("kw-over-entry");
          item.style.setProperty("--kw-own", `var(--kw-curve-${entry.colour})`);
          item.append(`${entry.name} `);
          const value = document.createElement("span");
          value.className = "kw-over-value";
          value.textContent = entry.value;
          item.append(value);
          if (entry.mean) item.append(` ${entry.mean}`);
          return item;
        })
      );
      if (where) make("kw-over-step", head).textContent = where;
      head.title = values.join("\n");
    }
    const area = plot();
    const own = element.getBoundingClientRect();
    line.hidden = !area || at === void 0 || shareOf(span, at) < 0 || shareOf(span, at) > 1;
    band.hidden = !area || !content.band;
    texts.hidden = !area;
    if (!area) return;
    const [left, top] = [area.left - own.left, area.top - own.top];
    if (!line.hidden && at !== void 0) {
      line.style.transform = `translate(${left + shareOf(span, at) * area.width}px, ${top}px)`;
      line.style.height = `${area.height}px`;
    }
    if (content.band) {
      const [a, b] = [...content.band].sort((p, q) => p - q);
      band.style.transform = `translate(${left + a * area.width}px, ${top}px)`;
      band.style.width = `${(b - a) * area.width}px`;
      band.style.height = `${area.height}px`;
    }
    paintMarks(content, left, top, area.width);
  }
  function paintMarks({ marks, span }, left, top, width) {
    const shown = marks.filter(([step]) => step >= span[0] && step <= span[1]);
    const places = shown.map(([step]) => left + shareOf(span, step) * width + 3);
    const fits = fitting(
      places,
      shown.map(([, text]) => 5.6 * text.length),
      left + width
    );
    const wanted = shown.flatMap(([, text], k) => fits[k] ? [{ text, x: places[k] }] : []);
    while (texts.children.length > wanted.length) texts.lastChild?.remove();
    wanted.forEach(({ text, x }, k) => {
      const item = texts.children[k] ?? make("kw-over-mark", texts);
      if (item.textContent !== text) item.textContent = text;
      item.style.transform = `translate(${x}px, ${top + 1}px)`;
    });
  }
  return { element, paint, words: () => said, plot };
}

// src/views/chart/index.ts
var TRAITS = ["latest", "marks", "zoom", "scale", "smoothing", "theme"];
var LEAST = 5;
var RELAYOUT = 450;
var TRIES = 100;
function render({ model, el, signal }) {
  const document = el.ownerDocument;
  const window = document.defaultView;
  const root = document.createElement("div");
  root.className = "kw-chart-tools";
  keepKeys(root, signal);
  const bar = createBar(
    document,
    {
      scale: (value) => choose("scale", value),
      smoothing: (value) => choose("smoothing", value),
      zoom: (factor) => zoomTo(scaled(span(), factor)),
      all: () => zoomTo(null)
    },
    signal
  );
  const spoken = document.createElement("div");
  spoken.className = "kw-spoken";
  spoken.setAttribute("aria-live", "polite");
  root.append(bar.element, spoken);
  el.append(root);
  let steps = null;
  let panels = [];
  let connection = new AbortController();
  let request = 0;
  let tries = 0;
  let connected = true;
  let pointed = null;
  let read = null;
  let drag = null;
  const sizes = new ResizeObserver(() => setTimeout(schedule, RELAYOUT));
  const box = () => el.closest(".kw-chart");
  function choose(trait, value) {
    model.set(trait, value);
    model.save_changes();
    schedule();
  }
  function zoomed() {
    const zoom = model.get("zoom") ?? [];
    return zoom.length === 2 && zoom[0] < zoom[1] ? [zoom[0], zoom[1]] : null;
  }
  function span() {
    return [Number(steps?.get("min") ?? 0), Number(steps?.get("max") ?? 1)];
  }
  function zoomTo(next) {
    choose("zoom", next ? [...next] : []);
    enforce();
  }
  function enforce() {
    const wanted = zoomed();
    const [low, high] = span();
    if (!steps || !wanted || low === wanted[0] && high === wanted[1]) return;
    const scale = steps;
    scale.set({ min: wanted[0], max: wanted[1] });
  }
  function schedule() {
    if (!request && !signal.aborted) request = window.requestAnimationFrame(paint);
  }
  function paint() {
    request = 0;
    const place = box();
    if (!place) {
      if (tries++ < TRIES) schedule();
      return;
    }
    const theme = model.get("theme");
    place.dataset.kwTheme = theme === "light" || theme === "dark" ? theme : themeAround(el);
    if (theme === "auto" && inJupyter(document)) place.dataset.kwHost = "jupyter";
    else delete place.dataset.kwHost;
    bar.show({
      scale: model.get("scale"),
      smoothing: model.get("smoothing"),
      connected,
      zoomed: zoomed() !== null
    });
    root.hidden = panels.length === 0;
    panels.forEach((panel, k) => {
      attach(panel, place);
      panel.overlay?.paint({
        ...panel.trait,
        latest: model.get("latest")?.[k] ?? [],
        curves: curvesOf(panel.raw.get("x"), panel.raw.get("y")),
        means: curvesOf(panel.smooth.get("x"), panel.smooth.get("y")),
        marks: model.get("marks") ?? [],
        span: span(),
        step: drag ? null : pointed,
        band: drag && [drag.from, drag.to]
      });
      if (panel.figure && panel.overlay) name(panel.figure, panel.trait.title, panel.overlay);
    });
    if (read) spoken.textContent = read.words();
    read = null;
  }
  function name(figure, title, overlay) {
    const [low, high] = span().map((step) => formatCount(Math.round(step)));
    describe(
      figure,
      `Curves of ${title}, steps ${low} to ${high}; ${overlay.words()}. Left and right arrow read them out, plus and minus zoom, 0 shows all steps.`,
      title
    );
  }
  function attach(panel, place) {
    const figure = place.querySelector(`.kw-figure-${panel.trait.figure}`);
    if (figure === panel.figure && panel.overlay) return;
    panel.overlay?.element.remove();
    panel.figure = figure;
    panel.overlay = null;
    if (!figure) {
      if (tries++ < TRIES) setTimeout(schedule, 100);
      return;
    }
    tries = 0;
    figure.tabIndex = 0;
    figure.setAttribute("role", "application");
    const overlay = createOverlay(figure);
    panel.overlay = overlay;
    sizes.observe(figure);
    listen(figure, overlay, connection.signal);
    setTimeout(schedule, RELAYOUT);
  }
  function listen(figure, overlay, mine) {
    const share = (event) => {
      const area = overlay.plot();
      return area ? (event.clientX - area.left) / area.width : Number.NaN;
    };
    const inside = (event) => {
      const area = overlay.plot();
      const at = share(event);
      return area && at >= 0 && at <= 1 && event.clientY >= area.top && event.clientY <= area.bottom;
    };
    const options = { signal: mine };
    figure.addEventListener(
      "pointermove",
      (event) => {
        if (drag) drag.to = Math.min(1, Math.max(0, share(event)));
        pointed = inside(event) ? stepAt(span(), share(event)) : null;
        schedule();
      },
      options
    );
    figure.addEventListener(
      "pointerleave",
      () => {
        pointed = null;
        schedule();
      },
      options
    );
    figure.addEventListener(
      "pointerdown",
      (event) => {
        if (event.button !== 0 || !inside(event)) return;
        const from = share(event);
        drag = { from, to: from, on: overlay };
        figure.setPointerCapture(event.pointerId);
        event.preventDefault();
      },
      options
    );
    figure.addEventListener(
      "pointerup",
      () => {
        if (!drag) return;
        const area = overlay.plot();
        const next = area && dragged(span(), drag.from, drag.to, LEAST / area.width);
        drag = null;
        if (next) zoomTo(next);
        schedule();
      },
      options
    );
    figure.addEventListener(
      "pointercancel",
      () => {
        drag = null;
        schedule();
      },
      options
    );
    figure.addEventListener(
      "keydown",
      (event) => {
        if (!plainKey(event)) return;
        const [low, high] = span();
        const sign = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (sign) {
          const by = sign * Math.max(1, (high - low) * (event.shiftKey ? 10 : 2) / 100);
          const to = pointed === null ? (low + high) / 2 : pointed + by;
          if (zoomed() && (to < low || to > high)) zoomTo([low + by, high + by]);
          const [least, most] = span();
          pointed = Math.round(Math.max(least, Math.min(most, to)));
        } else if (event.key === "+" || event.key === "=") zoomTo(scaled([low, high], 0.5));
        else if (event.key === "-" && zoomed()) zoomTo(scaled([low, high], 2));
        else if (event.key === "0") zoomTo(null);
        else if (event.key === "Escape") pointed = null;
        else return;
        read = overlay;
        used(event);
        schedule();
      },
      options
    );
    figure.addEventListener(
      "blur",
      () => {
        pointed = null;
        schedule();
      },
      options
    );
    figure.addEventListener(
      "dblclick",
      (event) => {
        if (inside(event)) zoomTo(null);
      },
      options
    );
  }
  async function connect() {
    connection.abort();
    connection = new AbortController();
    const mine = connection.signal;
    const find = (id) => model.widget_manager.get_model(id);
    const traits = model.get("panels") ?? [];
    const scale = await find(model.get("steps"));
    const found = await Promise.all(
      traits.map(async (trait) => ({
        trait,
        raw: await find(trait.raw),
        smooth: await find(trait.smooth),
        overlay: null,
        figure: null
      }))
    );
    if (mine.aborted || signal.aborted) return;
    for (const { overlay } of panels) overlay?.element.remove();
    steps = scale;
    panels = found;
    tries = 0;
    const meet = (there) => {
      connected = there;
      schedule();
    };
    void watchKernel(model, model.get("steps"), meet, mine);
    hear(scale, ["change:min", "change:max"], enforceAndSchedule, mine);
    for (const { raw, smooth } of found) {
      hear(raw, ["change:y", "change:x"], schedule, mine);
      hear(smooth, ["change:y", "change:x"], schedule, mine);
    }
    enforceAndSchedule();
  }
  function enforceAndSchedule() {
    enforce();
    schedule();
  }
  function hear(from, events, fn, mine) {
    for (const event of events) {
      from.on(event, fn);
      mine.addEventListener("abort", () => from.off(event, fn), { once: true });
    }
  }
  const reconnect = () => {
    connect().catch((error) => {
      if (!signal.aborted) console.warn("kan_widgets: the curves cannot be read", error);
    });
  };
  hear(model, ["change:panels", "change:steps"], reconnect, signal);
  hear(
    model,
    TRAITS.map((trait) => `change:${trait}`),
    enforceAndSchedule,
    signal
  );
  watchTheme(el, schedule, signal);
  signal.addEventListener(
    "abort",
    () => {
      connection.abort();
      sizes.disconnect();
      window.cancelAnimationFrame(request);
      for (const { overlay } of panels) overlay?.element.remove();
    },
    { once: true }
  );
  schedule();
  reconnect();
}
var chart_default = { render };
export {
  chart_default as default
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
