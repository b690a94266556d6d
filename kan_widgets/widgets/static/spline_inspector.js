// src/shared/alternative.ts
var keys = /* @__PURE__ */ new WeakMap();
function describe(element2, text, key) {
  if (keys.get(element2) === key && hasKeyboard(element2)) return;
  keys.set(element2, key);
  if (element2.getAttribute("aria-label") !== text) element2.setAttribute("aria-label", text);
}
function hasKeyboard(element2) {
  return element2.matches(":focus");
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

// node_modules/d3-format/dist/d3-format.mjs
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
function number(value) {
  return formatNumber(value).replace(/-/g, "−");
}
function formatCount(count) {
  return grouped(count);
}

// src/shared/entries.ts
function counted(n, one) {
  return `${formatCount(n)} ${one}${n === 1 ? "" : "s"}`;
}
function layerTitle(layer) {
  return layer.name || layer.type;
}
function layerSize(layer) {
  const [out, inputs, kh, kw] = layer.shape;
  if (layer.kind === "linear") return `${out} × ${inputs}, ${counted(layer.count, "function")}`;
  return `${counted(out * inputs, "kernel")} ${kh} × ${kw}, ${counted(layer.count, "function")}`;
}
function selectionOf(layer, f) {
  const [, inputs, kh, kw] = layer.shape;
  const kernel = Math.floor(f / (kh * kw));
  const entry = f - kernel * kh * kw;
  return {
    layer: layer.name,
    out: Math.floor(kernel / inputs),
    in: kernel % inputs,
    row: Math.floor(entry / kw),
    column: entry % kw
  };
}
function functionOf(layer, selection) {
  if (!selection || selection.layer !== layer.name) return -1;
  const [out, inputs, kh, kw] = layer.shape;
  const { out: o, in: i, row, column } = selection;
  const inside = (n, size) => Number.isInteger(n) && n >= 0 && n < size;
  if (!inside(o, out) || !inside(i, inputs) || !inside(row, kh) || !inside(column, kw)) return -1;
  return ((o * inputs + i) * kh + row) * kw + column;
}
function placeText(layer, at2) {
  const entry = layer.kind === "conv" ? ` · row ${at2.row} · column ${at2.column}` : "";
  return `out ${at2.out} · in ${at2.in}${entry}`;
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

// src/shared/linked.ts
function chooseInLinked(model, host, layer) {
  for (const ref of refs(model)) {
    host?.getModel(ref).then((other) => {
      if (other.get("layer") === layer) return;
      other.set("layer", layer);
      other.save_changes();
    }).catch((error) => console.warn("kan_widgets: a linked view cannot be reached", error));
  }
}
function refs(model) {
  const found = model.get("linked");
  return Array.isArray(found) ? found : [];
}

// src/shared/pace.ts
function createPace(window, draw) {
  let request = 0;
  let timer;
  let ended = Number.NEGATIVE_INFINITY;
  let took = 0;
  function run() {
    request = 0;
    clearTimeout(timer);
    timer = void 0;
    const start = performance.now();
    try {
      draw();
    } finally {
      ended = performance.now();
      took = ended - start;
    }
  }
  function now() {
    if (!request) request = window.requestAnimationFrame(run);
  }
  return {
    now,
    soon() {
      if (request || timer !== void 0) return;
      const wait = ended + took / 2 - performance.now();
      if (wait <= 0) now();
      else timer = setTimeout(now, wait);
    },
    stop() {
      window.cancelAnimationFrame(request);
      clearTimeout(timer);
    }
  };
}

// src/shared/probe.ts
var PAGE = /* @__PURE__ */ Symbol.for("kan_widgets.probes");
var page = globalThis;
page[PAGE] ??= /* @__PURE__ */ new WeakMap();
var points = page[PAGE];
function probeOf(store) {
  const known2 = points.get(store);
  if (known2) return known2;
  const made = makePoint(store);
  points.set(store, made);
  return made;
}
function makePoint(store) {
  const subscribers = /* @__PURE__ */ new Set();
  let pointing = null;
  let probe = null;
  return {
    current: () => probe,
    valueForSelection() {
      const selection = store.selection();
      if (!probe || !selection || selection.layer !== probe.layer) return null;
      return probe.valueFor(selection);
    },
    point(owner, next) {
      if (next === probe || next === null && owner !== pointing) return;
      pointing = next && owner;
      probe = next;
      for (const fn of [...subscribers]) fn();
    },
    subscribe(fn, signal) {
      if (signal.aborted) return;
      subscribers.add(fn);
      signal.addEventListener("abort", () => subscribers.delete(fn), { once: true });
    }
  };
}

// src/shared/controls.ts
function radioName() {
  return `kw-${Math.random().toString(36).slice(2)}`;
}
function createKit(document, signal) {
  const kit = {
    segments(name, choose) {
      const box2 = element(document, "div", "kw-segments");
      box2.setAttribute("role", "radiogroup");
      box2.setAttribute("aria-label", name);
      const group = radioName();
      let inputs = [];
      box2.addEventListener("change", (event) => choose(event.target.value), {
        signal
      });
      return {
        box: box2,
        fill(entries) {
          box2.replaceChildren();
          inputs = entries.map(({ value, label, title = "" }) => {
            const holder = element(document, "label", "kw-segment", box2);
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
        set(value) {
          for (const input of inputs) input.checked = input.value === value;
        }
      };
    },
    select(label, title, choose) {
      const box2 = element(document, "label", "kw-option");
      element(document, "span", "kw-option-label", box2).textContent = label;
      const input = element(document, "select", "kw-select", box2);
      input.title = title;
      input.setAttribute("aria-label", label);
      input.addEventListener("change", () => choose(input.value), { signal });
      return {
        box: box2,
        fill(entries) {
          input.replaceChildren(
            ...entries.map(({ value, label: words }) => {
              const option = document.createElement("option");
              option.value = value;
              option.textContent = words;
              return option;
            })
          );
        },
        set(value) {
          if (input.value !== value) input.value = value;
        }
      };
    },
    check(label, title, choose) {
      const box2 = element(document, "label", "kw-option kw-check");
      box2.title = title;
      const input = element(document, "input", "kw-checkbox", box2);
      input.type = "checkbox";
      input.title = title;
      input.setAttribute("aria-label", label);
      input.addEventListener("change", () => choose(input.checked), { signal });
      element(document, "span", "kw-option-label", box2).textContent = label;
      return {
        box: box2,
        set(value) {
          input.checked = value;
        }
      };
    },
    button(text, title, className, act) {
      const made = element(document, "button", className);
      made.type = "button";
      made.textContent = text;
      made.title = title;
      if (!/[a-z]{2}/i.test(text)) made.setAttribute("aria-label", title);
      made.addEventListener("click", act, { signal });
      return made;
    },
    layers(choose) {
      const tabs = kit.segments("Layer", choose);
      tabs.box.classList.add("kw-tabs");
      const menu = kit.select("layer", "Which layer is drawn", choose);
      menu.box.classList.add("kw-layer-menu");
      let listed = "";
      return {
        boxes: [tabs.box, menu.box],
        show(layers, chosen, width) {
          const entries = layers.map((layer) => ({
            value: layer.name,
            label: layerTitle(layer),
            title: `${layerTitle(layer)} — ${layerSize(layer)}`
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
          tabs.set(chosen);
          menu.set(chosen);
        }
      };
    }
  };
  return kit;
}

// src/shared/record.ts
var NAMES = [
  "beginPath",
  "closePath",
  "moveTo",
  "lineTo",
  "rect",
  "arc",
  "fill",
  "stroke",
  "clip",
  "save",
  "restore",
  "fillRect",
  "strokeRect",
  "clearRect",
  "fillText",
  "drawImage"
];
function record(window, draw) {
  const made = /* @__PURE__ */ new Map();
  const states = /* @__PURE__ */ new Map();
  const prototype = window.CanvasRenderingContext2D?.prototype;
  if (!prototype) {
    draw();
    return made;
  }
  const shapesOf2 = (canvas) => {
    const known2 = made.get(canvas);
    if (known2) return known2;
    const fresh = [];
    made.set(canvas, fresh);
    return fresh;
  };
  const stateOf = (context) => {
    const known2 = states.get(context);
    if (known2) return known2;
    const fresh = { path: "", clip: "", kept: [] };
    states.set(context, fresh);
    return fresh;
  };
  let noting = false;
  const originals = NAMES.map((name) => [name, prototype[name]]);
  for (const [name, original] of originals) {
    const note = NOTES[name];
    prototype[name] = function(...given) {
      if (!noting) {
        noting = true;
        try {
          note(this, stateOf(this), shapesOf2(this.canvas), given, made);
        } finally {
          noting = false;
        }
      }
      return original.apply(this, given);
    };
  }
  try {
    draw();
  } finally {
    for (const [name, original] of originals) prototype[name] = original;
  }
  return made;
}
var NOTES = {
  beginPath(_, state) {
    state.path = "";
  },
  closePath(_, state) {
    state.path += "Z";
  },
  moveTo(context, state, _, [x, y]) {
    state.path += `M${at(context, x, y)}`;
  },
  lineTo(context, state, _, [x, y]) {
    state.path += `${state.path ? "L" : "M"}${at(context, x, y)}`;
  },
  rect(context, state, _, [x, y, w, h]) {
    state.path += box(context, x, y, w, h);
  },
  arc(context, state, _, [x, y, radius, from, to, back]) {
    const turn = Math.min(2 * Math.PI, Math.abs(to - from)) * (back ? -1 : 1);
    const pieces = Math.max(8, Math.ceil(Math.abs(turn) * 8));
    for (let k = 0; k <= pieces; k++) {
      const angle = from + turn * k / pieces;
      const point = at(context, x + radius * Math.cos(angle), y + radius * Math.sin(angle));
      state.path += `${k === 0 && !/[ML]/.test(state.path) ? "M" : "L"}${point}`;
    }
  },
  fill(context, state, shapes) {
    if (state.path) shapes.push(filled(context, state, state.path));
  },
  stroke(context, state, shapes) {
    if (state.path) shapes.push(stroked(context, state, state.path));
  },
  clip(_, state) {
    state.clip = state.path;
  },
  save(_, state) {
    state.kept.push(state.clip);
  },
  restore(_, state) {
    state.clip = state.kept.pop() ?? "";
  },
  fillRect(context, state, shapes, [x, y, w, h]) {
    shapes.push(filled(context, state, box(context, x, y, w, h)));
  },
  strokeRect(context, state, shapes, [x, y, w, h]) {
    shapes.push(stroked(context, state, box(context, x, y, w, h)));
  },
  clearRect(_, __, shapes) {
    shapes.length = 0;
  },
  fillText(context, state, shapes, [text, x, y]) {
    const { a, b, c, d, e, f } = context.getTransform();
    const align = context.textAlign;
    shapes.push({
      kind: "text",
      text: String(text),
      x,
      y: y + baselineBelow(context, text),
      matrix: [a, b, c, d, e, f],
      font: context.font,
      fill: colour(context.fillStyle),
      align: align === "center" ? "middle" : align === "right" || align === "end" ? "end" : "start",
      opacity: context.globalAlpha,
      clip: state.clip
    });
  },
  drawImage(context, state, shapes, given, made) {
    const [source] = given;
    const whole = given.length < 6;
    const [sx, sy, sw, sh] = whole ? [0, 0, source.width, source.height] : given.slice(1, 5);
    const place = given.slice(whole ? 1 : 5);
    const [x, y, w = sw, h = sh] = place;
    const { a, d, e, f } = context.getTransform();
    const to = [e + a * x, f + d * y, a * w, d * h];
    const own = made.get(source);
    if (whole && own && own.length > 0) {
      const [kx, ky] = [to[2] / source.width, to[3] / source.height];
      for (const shape of own) shapes.push(moved(shape, kx, ky, to[0], to[1]));
      return;
    }
    shapes.push({
      kind: "image",
      href: pixelsOf(source, sx, sy, sw, sh),
      box: to,
      smooth: context.imageSmoothingEnabled,
      opacity: context.globalAlpha,
      clip: state.clip
    });
  }
};
function baselineBelow(context, text) {
  const baseline = context.textBaseline;
  const before = context.measureText(text).actualBoundingBoxAscent;
  context.textBaseline = "alphabetic";
  const lower = context.measureText(text).actualBoundingBoxAscent - before;
  context.textBaseline = baseline;
  return lower;
}
function filled(context, { clip }, d) {
  return { kind: "path", d, fill: colour(context.fillStyle), opacity: context.globalAlpha, clip };
}
function stroked(context, { clip }, d) {
  const { a, b } = context.getTransform();
  const scale = Math.hypot(a, b);
  return {
    kind: "path",
    d,
    stroke: colour(context.strokeStyle),
    width: context.lineWidth * scale,
    dash: context.getLineDash().map((length) => length * scale),
    join: context.lineJoin,
    opacity: context.globalAlpha,
    clip
  };
}
function colour(style) {
  return typeof style === "string" ? style : "#888";
}
function at(context, x, y) {
  const { a, b, c, d, e, f } = context.getTransform();
  return `${short(a * x + c * y + e)} ${short(b * x + d * y + f)}`;
}
function box(context, x, y, w, h) {
  const corners = [
    at(context, x, y),
    at(context, x + w, y),
    at(context, x + w, y + h),
    at(context, x, y + h)
  ];
  return `M${corners.join("L")}Z`;
}
function pixelsOf(source, x, y, w, h) {
  const part = source.ownerDocument.createElement("canvas");
  part.width = Math.max(1, Math.round(w));
  part.height = Math.max(1, Math.round(h));
  const paper = part.getContext("2d");
  if (paper) paper.imageSmoothingEnabled = false;
  paper?.drawImage(source, x, y, w, h, 0, 0, part.width, part.height);
  return part.toDataURL("image/png");
}
function moved(shape, kx, ky, x, y) {
  const clip = movedPath(shape.clip, kx, ky, x, y);
  const movedMatrix = ([a, b, c, d, e, f]) => [
    a * kx,
    b * ky,
    c * kx,
    d * ky,
    e * kx + x,
    f * ky + y
  ];
  if (shape.kind === "path") {
    if (shape.matrix) return { ...shape, matrix: movedMatrix(shape.matrix), clip };
    const d = movedPath(shape.d, kx, ky, x, y);
    const width = shape.width === void 0 ? void 0 : shape.width * kx;
    return { ...shape, d, width, dash: shape.dash?.map((length) => length * kx), clip };
  }
  if (shape.kind === "text") {
    return { ...shape, matrix: movedMatrix(shape.matrix), clip };
  }
  const [left, top, w, h] = shape.box;
  return { ...shape, box: [left * kx + x, top * ky + y, w * kx, h * ky], clip };
}
function movedPath(d, kx, ky, x, y) {
  return d.replace(
    /(-?[\d.]+(?:e-?\d+)?) (-?[\d.]+(?:e-?\d+)?)/g,
    (_, px, py) => `${short(Number(px) * kx + x)} ${short(Number(py) * ky + y)}`
  );
}
function short(value) {
  return String(Math.round(value * 100) / 100);
}

// src/shared/clip.ts
function meet(a, b) {
  return {
    left: Math.max(a.left, b.left),
    top: Math.max(a.top, b.top),
    right: Math.min(a.right, b.right),
    bottom: Math.min(a.bottom, b.bottom)
  };
}
function pathOf({ left, top, right, bottom }, paper) {
  const [l, r] = [short(left - paper.left), short(right - paper.left)];
  const [t, b] = [short(top - paper.top), short(bottom - paper.top)];
  return `M${l} ${t}L${r} ${t}L${r} ${b}L${l} ${b}Z`;
}
function edgeOf({ clip, paper }) {
  const whole = clip.left <= paper.left && clip.top <= paper.top && clip.right >= paper.right && clip.bottom >= paper.bottom;
  return whole ? "" : pathOf(clip, paper);
}

// src/shared/css.ts
function fontIn(style) {
  return `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
}
function isInk(colour2) {
  return colour2 !== "transparent" && !/^rgba\(.*, 0\)$/.test(colour2);
}
function bandsOf(image, width) {
  const inside = /^linear-gradient\((?:to right|90deg), (.*)\)$/.exec(image)?.[1];
  if (!inside) return [];
  const stops = [];
  for (const [, ink2, places] of inside.matchAll(
    /((?:rgba?|oklch|color)\([^)]*\)|#[0-9a-f]+)([^,]*)/gi
  )) {
    const found = [...places.matchAll(/([\d.]+)(px|%)/g)].map(
      ([, value, unit]) => Number(value) / (unit === "%" ? 100 : width)
    );
    if (found.length === 0) stops.push({ ink: ink2, at: null });
    for (const at3 of found) stops.push({ ink: ink2, at: at3 });
  }
  const count = stops.length;
  if (stops.every(({ at: at3 }) => at3 === null)) {
    return stops.map(({ ink: ink2 }, k) => ({ ink: ink2, from: k / count, to: (k + 1) / count }));
  }
  const at2 = stops.map((stop) => stop.at ?? 0);
  const bands = stops.map(({ ink: ink2 }, k) => ({
    ink: ink2,
    from: k === 0 ? 0 : at2[k],
    to: k === count - 1 ? 1 : at2[k + 1]
  }));
  return bands.filter(({ from, to }) => to > from);
}

// src/shared/box_shapes.ts
var SIDES = ["Top", "Right", "Bottom", "Left"];
var CORNERS = ["TopLeft", "TopRight", "BottomRight", "BottomLeft"];
var WAYS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1]
];
function boxShapes(box2, style, place) {
  const radii = CORNERS.map((corner) => {
    const given = style[`border${corner}Radius`];
    const share = given.endsWith("%") ? (box2.right - box2.left) / 100 : 1;
    return (Number.parseFloat(given) || 0) * share;
  });
  const edges = SIDES.map((side) => edgeAt(style, side));
  if (radii.some((radius) => radius > 0)) return rounded(box2, radii, edges, style, place);
  const { opacity } = place;
  const shapes = [];
  const fill = (part, ink2) => {
    if (part.right <= part.left || part.bottom <= part.top || !isInk(ink2)) return;
    shapes.push({ kind: "path", d: pathOf(part, place.paper), fill: ink2, opacity, clip: "" });
  };
  fill(meet(place.clip, box2), style.backgroundColor);
  const width = box2.right - box2.left;
  const bands = bandsOf(style.backgroundImage, width);
  bands.forEach(({ ink: ink2, from, to }, k) => {
    const hair = k < bands.length - 1 && isInk(bands[k + 1].ink) ? 0.5 : 0;
    const right = Math.min(box2.right, box2.left + to * width + hair);
    fill(meet(place.clip, { ...box2, left: box2.left + from * width, right }), ink2);
  });
  edges.forEach((edge, k) => {
    if (!edge) return;
    const { width: width2, ink: ink2, dashed } = edge;
    const half2 = width2 / 2;
    const line = {
      Top: { ...box2, top: box2.top + half2, bottom: box2.top + half2 },
      Right: { ...box2, left: box2.right - half2, right: box2.right - half2 },
      Bottom: { ...box2, top: box2.bottom - half2, bottom: box2.bottom - half2 },
      Left: { ...box2, left: box2.left + half2, right: box2.left + half2 }
    }[SIDES[k]];
    const { left, top, right, bottom } = line;
    const [x, y] = [place.paper.left, place.paper.top];
    const d = `M${short(left - x)} ${short(top - y)}L${short(right - x)} ${short(bottom - y)}`;
    const dash = dashed ? dashesOf(width2, right - left + bottom - top) : [];
    shapes.push({ kind: "path", d, stroke: ink2, width: width2, dash, opacity, clip: edgeOf(place) });
  });
  return shapes;
}
function edgeAt(style, side) {
  const width = Number.parseFloat(style[`border${side}Width`]);
  const [ink2, kind] = [style[`border${side}Color`], style[`border${side}Style`]];
  if (!(width > 0) || kind === "none" || kind === "hidden" || !isInk(ink2)) return null;
  return { width, ink: ink2, dashed: kind === "dashed" };
}
function dashesOf(width, length) {
  const [dash, gap] = width < 3 ? [3 * width, 2 * width] : [2 * width, width];
  const few = Math.floor((length + gap) / (dash + gap));
  if (few < 2) return [dash, gap];
  const gaps = [few, few + 1].map((count) => (length - count * dash) / (count - 1));
  const [wide, tight] = gaps;
  return [dash, tight <= 0 || Math.abs(wide - gap) < Math.abs(tight - gap) ? wide : tight];
}
function frameShapes(box2, style, place) {
  const shapes = [];
  const around = (out, stroke2, width2) => {
    const { left, top, right, bottom } = box2;
    const line = { left: left - out, top: top - out, right: right + out, bottom: bottom + out };
    const d = pathOf(line, place.paper);
    const { opacity } = place;
    shapes.push({ kind: "path", d, stroke: stroke2, width: width2, opacity, clip: edgeOf(place) });
  };
  const width = Number.parseFloat(style.outlineWidth);
  if (style.outlineStyle === "solid" && width > 0) {
    around(width / 2 + (Number.parseFloat(style.outlineOffset) || 0), style.outlineColor, width);
  }
  const shadow = /^(rgba?\([^)]*\)) 0px 0px 0px ([\d.]+)px( inset)?$/.exec(style.boxShadow);
  if (shadow && isInk(shadow[1])) {
    const wide = Number(shadow[2]);
    around(shadow[3] ? -wide / 2 : wide / 2, shadow[1], wide);
  }
  return shapes;
}
function rounded(box2, radii, edges, style, place) {
  const common = { kind: "path", opacity: place.opacity, clip: edgeOf(place) };
  const shapes = [];
  const ground2 = style.backgroundColor;
  if (isInk(ground2)) {
    const d = along(box2, radii, edges, [0, 1, 2, 3], place.paper, true);
    shapes.push({ ...common, d, fill: ground2 });
  }
  const gap = edges.findIndex((edge2, k) => edge2 && !edges[(k + 3) % 4]);
  const sides = [0, 1, 2, 3].map((k) => (k + Math.max(0, gap)) % 4).filter((k) => edges[k]);
  const edge = edges[sides[0]];
  if (edge) {
    const { width, ink: ink2, dashed } = edge;
    const d = along(box2, radii, edges, sides, place.paper, sides.length === 4);
    const dash = dashed ? dashesOf(width, 0) : [];
    shapes.push({ ...common, d, stroke: ink2, width, dash });
  }
  return shapes;
}
function along(box2, radii, edges, sides, paper, closed) {
  const [up, right, down, left] = edges.map((edge) => (edge?.width ?? 0) / 2);
  const [l, r] = [box2.left + left, box2.right - right];
  const [t, b] = [box2.top + up, box2.bottom - down];
  const corners = [
    [l, t],
    [r, t],
    [r, b],
    [l, b]
  ];
  const widest = Math.max(up, right, down, left);
  const turns = radii.map(
    (radius) => Math.min(Math.max(0, radius - widest), (r - l) / 2, (b - t) / 2)
  );
  const at2 = (corner, side, by) => {
    const [x, y] = corners[corner];
    const [dx, dy] = WAYS[side];
    return `${short(x + by * dx - paper.left)} ${short(y + by * dy - paper.top)}`;
  };
  const parts = sides.flatMap((side, n) => {
    const [before, after] = [sides[n - 1], sides[n + 1]];
    const next = (side + 1) % 4;
    const [from, to] = [turns[side], turns[next]];
    const joined = before !== void 0 && (before + 1) % 4 === side;
    const turning = to > 0 && (after === next || closed && after === void 0);
    return [
      joined ? "" : `M${at2(side, side, from)}`,
      `L${at2(next, side, -to)}`,
      turning ? `A${short(to)} ${short(to)} 0 0 1 ${at2(next, next, to)}` : ""
    ];
  });
  return parts.join("") + (closed ? "Z" : "");
}

// src/shared/inline_svg.ts
var GROUPS = ["svg", "g", "a"];
function svgShapes(svg, place, shift) {
  const window = svg.ownerDocument.defaultView;
  const page2 = svg.getRootNode();
  const measure = svg.ownerDocument.createElement("canvas").getContext("2d");
  const shapes = [];
  visit(svg, place.clip, place.opacity);
  return shapes;
  function visit(element2, outer, around) {
    const style = window.getComputedStyle(element2);
    if (style.display === "none") return;
    const opacity = element2 === svg ? around : around * numberOf(style.opacity);
    const clip = clipOf(element2, style, outer);
    if (opacity === 0 || clip.right <= clip.left || clip.bottom <= clip.top) return;
    if (GROUPS.includes(element2.localName)) {
      for (const child of element2.children) visit(child, clip, opacity);
    } else if (element2.localName === "text") {
      write2(element2, clip, opacity);
    } else if (style.visibility !== "hidden") {
      draw(element2, style, clip, opacity);
    }
  }
  function draw(element2, style, clip, opacity) {
    const d = outlineOf(element2);
    const matrix = d && matrixOf(element2);
    if (!matrix) return;
    const common = { kind: "path", d, matrix, clip: edgeOf({ ...place, clip }) };
    if (isPaint(style.fill) && element2.localName !== "line") {
      const share = numberOf(style.fillOpacity);
      shapes.push({ ...common, fill: style.fill, opacity: opacity * share });
    }
    const width = numberOf(style.strokeWidth);
    if (isPaint(style.stroke) && width > 0) {
      shapes.push({
        ...common,
        stroke: style.stroke,
        width,
        dash: (style.strokeDasharray.match(/[\d.]+/g) ?? []).map(Number),
        join: style.strokeLinejoin || "miter",
        cap: style.strokeLinecap || "butt",
        crisp: style.shapeRendering === "crispedges",
        opacity: opacity * numberOf(style.strokeOpacity)
      });
    }
  }
  function write2(element2, clip, opacity) {
    const style = window.getComputedStyle(element2);
    if (style.display === "none") return;
    const matrix = matrixOf(element2);
    const count = element2.getNumberOfChars();
    let next = 0;
    for (const child of element2.childNodes) {
      if (child instanceof window.Element) {
        const span = child;
        const share = numberOf(window.getComputedStyle(span).opacity);
        write2(span, clip, opacity * share);
        next += span.getNumberOfChars();
        continue;
      }
      let text = (child.textContent ?? "").replace(/\s+/g, " ");
      if (next === 0) text = text.trimStart();
      text = text.slice(0, count - next);
      if (text.trim() && matrix && style.visibility !== "hidden" && isPaint(style.fill)) {
        const from = element2.getStartPositionOfChar(next);
        const to = element2.getEndPositionOfChar(next + text.length - 1);
        const align = ANCHORS[style.textAnchor] ?? "start";
        const share = { start: 0, middle: 0.5, end: 1 }[align];
        const font = fontIn(style);
        shapes.push({
          kind: "text",
          text,
          x: from.x + share * (to.x - from.x),
          y: from.y + share * (to.y - from.y) + baselineBelow2(style.dominantBaseline, font),
          matrix,
          font,
          fill: style.fill,
          align,
          opacity: opacity * numberOf(style.fillOpacity),
          clip: edgeOf({ ...place, clip })
        });
      }
      next += text.length;
    }
  }
  function baselineBelow2(which, font) {
    if (!measure || !(which in BASELINES)) return 0;
    measure.font = font;
    const x = measure.measureText("x");
    const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = x;
    return BASELINES[which](up, down, x.actualBoundingBoxAscent);
  }
  function matrixOf(element2) {
    const found = toScreen(element2);
    const { left, top } = place.paper;
    return found && [found.a, found.b, found.c, found.d, found.e - left, found.f - top];
  }
  function toScreen(element2) {
    const found = element2.getScreenCTM();
    if (!found) return null;
    const { a, b, c, d, e, f } = found;
    return { a, b, c, d, e: e + shift.x, f: f + shift.y };
  }
  function clipOf(element2, style, clip) {
    let inner = clip;
    const id = /^url\("?#([^")]+)"?\)$/.exec(style.clipPath)?.[1];
    const ours = toScreen(element2);
    const parts = [...id && page2.getElementById(id)?.children || []];
    if (ours && parts.length > 0) {
      inner = meet(inner, boxAround(parts.map((part) => boxIn(ours, part.getBBox()))));
    }
    if (element2 !== svg && element2.localName === "svg" && style.overflow !== "visible") {
      const { x, y, width, height } = element2;
      const [left, top, wide, high] = [x, y, width, height].map(({ baseVal }) => baseVal.value);
      const parent = toScreen(element2.parentElement);
      if (parent)
        inner = meet(inner, boxIn(parent, { x: left, y: top, width: wide, height: high }));
    }
    return inner;
  }
}
var ANCHORS = { middle: "middle", end: "end" };
var BASELINES = {
  middle: (_, __, x) => x / 2,
  central: (up, down) => (up - down) / 2,
  hanging: (up) => 0.8 * up,
  "text-before-edge": (up) => up,
  "text-after-edge": (_, down) => -down
};
function boxIn({ a, b, c, d, e, f }, box2) {
  const corners = [0, 1, 2, 3].map((k) => {
    const x = box2.x + (k & 1) * box2.width;
    const y = box2.y + (k >> 1) * box2.height;
    const [left, top] = [a * x + c * y + e, b * x + d * y + f];
    return { left, top, right: left, bottom: top };
  });
  return boxAround(corners);
}
function boxAround(boxes) {
  return {
    left: Math.min(...boxes.map(({ left }) => left)),
    top: Math.min(...boxes.map(({ top }) => top)),
    right: Math.max(...boxes.map(({ right }) => right)),
    bottom: Math.max(...boxes.map(({ bottom }) => bottom))
  };
}
function outlineOf(element2) {
  const of = (name) => element2[name]?.baseVal.value ?? 0;
  switch (element2.localName) {
    case "path":
      return shortened(element2.getAttribute("d") ?? "");
    case "line":
      return `M${of("x1")} ${of("y1")}L${of("x2")} ${of("y2")}`;
    case "rect":
      return rectangle(of("x"), of("y"), of("width"), of("height"), of("rx"), of("ry"));
    case "circle":
      return ellipse(of("cx"), of("cy"), of("r"), of("r"));
    case "ellipse":
      return ellipse(of("cx"), of("cy"), of("rx"), of("ry"));
    case "polyline":
    case "polygon": {
      const points2 = element2.getAttribute("points")?.trim();
      if (!points2) return "";
      return `M${points2}${element2.localName === "polygon" ? "Z" : ""}`;
    }
    default:
      return "";
  }
}
function rectangle(x, y, w, h, rx, ry) {
  if (!(w > 0) || !(h > 0)) return "";
  const [a, b] = [Math.min(rx || ry, w / 2), Math.min(ry || rx, h / 2)];
  if (a === 0) return `M${x} ${y}L${x + w} ${y}L${x + w} ${y + h}L${x} ${y + h}Z`;
  const turn = (to) => `A${a} ${b} 0 0 1 ${to}`;
  return [
    `M${x + a} ${y}L${x + w - a} ${y}`,
    turn(`${x + w} ${y + b}`),
    `L${x + w} ${y + h - b}`,
    turn(`${x + w - a} ${y + h}`),
    `L${x + a} ${y + h}`,
    turn(`${x} ${y + h - b}`),
    `L${x} ${y + b}`,
    turn(`${x + a} ${y}`),
    "Z"
  ].join("");
}
function ellipse(cx, cy, rx, ry) {
  if (!(rx > 0) || !(ry > 0)) return "";
  const half2 = (to) => `A${rx} ${ry} 0 0 1 ${to} ${cy}`;
  return `M${cx - rx} ${cy}${half2(cx + rx)}${half2(cx - rx)}Z`;
}
function shortened(d) {
  return d.replace(/(\.\d{3})\d+(?![\d.]*e)/gi, "$1");
}
function isPaint(paint3) {
  return paint3 !== "" && paint3 !== "none" && !paint3.startsWith("url") && isInk(paint3);
}
function numberOf(text) {
  const value = Number.parseFloat(text);
  return Number.isNaN(value) ? 1 : value;
}

// src/shared/page_shapes.ts
var LEFT_OUT = [
  ".kw-save, .kw-hidden, .kw-spoken, .kw-tip, .kw-time-place, .kw-when, .kw-again",
  ".kw-over-line, .kw-over-band"
].join();
var NATIVE = ["checkbox", "radio", "range"];
function shapesOf(root, recorded) {
  const document = root.ownerDocument;
  const window = document.defaultView;
  const ratio = window.devicePixelRatio || 1;
  const paper = wholePixels(root.getBoundingClientRect(), ratio);
  const drawn = {
    width: paper.right - paper.left,
    height: paper.bottom - paper.top,
    ground: groundOf(root, window),
    shapes: [],
    canvases: []
  };
  const measure = document.createElement("canvas").getContext("2d");
  let opacity = 1;
  visit(root, paper);
  return drawn;
  function visit(element2, clip) {
    if (element2 !== root && element2.matches(LEFT_OUT)) return;
    const style = window.getComputedStyle(element2);
    if (style.display === "none" || style.visibility === "hidden" || style.opacity === "0") return;
    const outer = opacity;
    opacity *= Number(style.opacity);
    show(element2, style, clip);
    opacity = outer;
  }
  function show(element2, style, clip) {
    const rect = element2.getBoundingClientRect();
    const seen = rect.right > clip.left && rect.left < clip.right && rect.width > 0;
    const native = element2 instanceof window.HTMLInputElement && NATIVE.includes(element2.type);
    if (seen && element2 !== root && !native) decorate(rect, style, clip);
    if (element2 instanceof window.HTMLCanvasElement) {
      if (seen) place(element2, rect, clip);
      return;
    }
    if (element2 instanceof window.SVGSVGElement) {
      const inner2 = style.overflowX === "visible" ? clip : meet(clip, rect);
      const there = snapped(rect);
      const shift = { x: there.left - rect.left, y: there.top - rect.top };
      drawn.shapes.push(...svgShapes(element2, { paper, clip: inner2, opacity }, shift));
      return;
    }
    if (element2 instanceof window.HTMLSelectElement) {
      field(element2.selectedOptions[0]?.textContent ?? "", rect, style, clip);
      return;
    }
    if (element2 instanceof window.HTMLInputElement) {
      input(element2, rect, style, clip);
      return;
    }
    const inner = style.overflowX === "visible" ? clip : meet(clip, rect);
    sign(element2, rect, inner);
    if (style.display === "list-item" && element2.matches("summary")) {
      triangle(element2.parentElement?.hasAttribute("open") ?? false, rect, style, inner);
    }
    const closed = element2 instanceof window.HTMLDetailsElement && !element2.open;
    for (const child of element2.childNodes) {
      if (closed && !(child instanceof window.Element && child.matches("summary"))) continue;
      if (child instanceof window.Element) visit(child, inner);
      else if (child instanceof window.Text) write2(child, style, inner);
    }
  }
  function place(canvas, rect, clip) {
    const before = drawn.shapes.length;
    const there = snapped(rect);
    const [x, y] = [there.left - paper.left, there.top - paper.top];
    const [wide, high] = [there.right - there.left, there.bottom - there.top];
    const shapes = recorded.get(canvas) ?? [];
    const cover = edgeOf({ paper, opacity, clip: meet(clip, rect) });
    if (shapes.length > 0 && canvas.width > 0) {
      const [kx, ky] = [wide / canvas.width, high / canvas.height];
      for (const shape of shapes) {
        const here = moved(shape, kx, ky, x, y);
        drawn.shapes.push(here.clip ? here : { ...here, clip: cover });
      }
    } else if (!isBlank(canvas)) {
      drawn.shapes.push({
        kind: "image",
        href: pixelsOf(canvas, 0, 0, canvas.width, canvas.height),
        box: [x, y, wide, high],
        smooth: false,
        opacity,
        clip: cover
      });
    }
    const count = drawn.shapes.length - before;
    if (count === 0) return;
    const box2 = new window.DOMRect(x, y, wide, high);
    drawn.canvases.push({ canvas, box: box2, before, count });
  }
  function decorate(rect, style, clip) {
    const at2 = { paper, clip, opacity };
    drawn.shapes.push(...boxShapes(snapped(rect), style, at2));
    drawn.shapes.push(...frameShapes(snapped(rect), style, at2));
  }
  function snapped({ left, top, right, bottom }) {
    const snap = (value) => Math.round(value * ratio) / ratio;
    return { left: snap(left), top: snap(top), right: snap(right), bottom: snap(bottom) };
  }
  function sign(element2, rect, clip) {
    const style = window.getComputedStyle(element2, "::before");
    if (style.content === "none" || style.content === "normal" || style.content === "") return;
    const around = style.boxSizing === "border-box" ? 0 : 1;
    const across = edge(style, "Left") + edge(style, "Right");
    const down = edge(style, "Top") + edge(style, "Bottom");
    const wide = Math.max(across, Number.parseFloat(style.width) + around * across);
    const high = Math.max(down, Number.parseFloat(style.height) + around * down);
    if (!(wide > 0) || !(high > 0)) return;
    const own = window.getComputedStyle(element2);
    let left = rect.left + Number.parseFloat(own.paddingLeft) + edge(own, "Left");
    let top = rect.top;
    if (style.position === "absolute") {
      left = rect.left + edge(own, "Left") + (Number.parseFloat(style.left) || 0);
      top = rect.top + edge(own, "Top") + (Number.parseFloat(style.top) || 0);
    } else {
      const rise = Number.parseFloat(style.verticalAlign) || 0;
      top = rect.top + firstBaseline(rect, own) - rise - high;
      if (style.display !== "inline-block") top = rect.top + (rect.height - high) / 2;
    }
    const outer = opacity;
    opacity *= Number(style.opacity);
    decorate(new window.DOMRect(left, top, wide, high), style, clip);
    opacity = outer;
  }
  function firstBaseline({ height }, style) {
    const line = Number.parseFloat(style.lineHeight);
    if (style.display.startsWith("inline") || !(line > 0)) return baselineIn(height, style);
    return edge(style, "Top") + Number.parseFloat(style.paddingTop) + baselineIn(line, style);
  }
  function triangle(open, rect, style, clip) {
    const size = 0.62 * Number.parseFloat(style.fontSize);
    const left = rect.left - paper.left + Number.parseFloat(style.paddingLeft);
    const bottom = rect.top - paper.top + firstBaseline(rect, style);
    const [right, top] = [left + size, bottom - size];
    const [x, y] = [left + size / 2, bottom - size / 2];
    const d = open ? `M${left} ${top}L${right} ${top}L${x} ${bottom}Z` : `M${left} ${top}L${right} ${y}L${left} ${bottom}Z`;
    const place2 = edgeOf({ paper, clip, opacity });
    drawn.shapes.push({ kind: "path", d, fill: style.color, opacity, clip: place2 });
  }
  function edge(style, side) {
    return Number.parseFloat(style[`border${side}Width`]) || 0;
  }
  function write2(node, style, clip) {
    const words = node.data;
    if (!words.trim()) return;
    const range = document.createRange();
    let start = 0;
    let line = null;
    const flush = (end) => {
      if (line) text(words.slice(start, end), line, style, clip);
    };
    range.selectNodeContents(node);
    const rects = range.getClientRects();
    if (rects.length === 1) {
      text(words, rects[0], style, clip);
      return;
    }
    for (let k = 0; k < words.length; k++) {
      range.setStart(node, k);
      range.setEnd(node, k + 1);
      const rect = range.getClientRects()[0];
      if (!rect || rect.width === 0) continue;
      if (!line || Math.abs(rect.top - line.top) > 2) {
        flush(k);
        start = k;
        line = rect;
      } else line = new window.DOMRect(line.left, line.top, rect.right - line.left, line.height);
    }
    flush(words.length);
  }
  function field(words, rect, style, clip) {
    const left = rect.left + Number.parseFloat(style.paddingLeft) + edge(style, "Left");
    let start = left;
    if (measure && (style.textAlign === "right" || style.textAlign === "end")) {
      measure.font = fontIn(style);
      const end = rect.right - Number.parseFloat(style.paddingRight) - edge(style, "Right");
      start = Math.max(left, end - measure.measureText(words).width);
    }
    const line = new window.DOMRect(start, rect.top, 0, rect.height);
    text(words, line, style, meet(clip, rect));
  }
  function input(element2, rect, style, clip) {
    if (element2.type === "range") {
      slider(element2, rect, style, clip);
      return;
    }
    if (!NATIVE.includes(element2.type)) {
      field(element2.value, rect, style, clip);
      return;
    }
    const [x, y] = [rect.left - paper.left, rect.top - paper.top];
    const [w, h] = [rect.width, rect.height];
    const place2 = (px, py) => `${x + px * w} ${y + py * h}`;
    const paths = [`M${place2(0.1, 0.1)}L${place2(0.9, 0.1)}L${place2(0.9, 0.9)}L${place2(0.1, 0.9)}Z`];
    if (element2.checked) paths.push(`M${place2(0.25, 0.5)}L${place2(0.45, 0.7)}L${place2(0.78, 0.3)}`);
    for (const d of paths) {
      drawn.shapes.push({
        kind: "path",
        d,
        stroke: style.color,
        width: 1,
        opacity,
        clip: edgeOf({ paper, clip, opacity })
      });
    }
  }
  function slider({ value, min, max, disabled }, rect, style, clip) {
    const share = (Number(value) - Number(min)) / (Number(max) - Number(min) || 1);
    const r = rect.height / 2;
    const [x, y] = [rect.left - paper.left, rect.top - paper.top + r];
    const end = x + rect.width;
    const middle = x + r + share * (rect.width - 2 * r);
    const ink2 = disabled || style.accentColor === "auto" ? style.color : style.accentColor;
    const common = { kind: "path", clip: edgeOf({ paper, clip, opacity }) };
    const line = { ...common, width: r / 2, cap: "round" };
    const half2 = `A${r} ${r} 0 0 1`;
    drawn.shapes.push(
      {
        ...line,
        d: `M${x + r / 4} ${y}L${end - r / 4} ${y}`,
        stroke: style.color,
        opacity: 0.2 * opacity
      },
      { ...line, d: `M${x + r / 4} ${y}L${middle} ${y}`, stroke: ink2, opacity },
      {
        ...common,
        d: `M${middle - r} ${y}${half2} ${middle + r} ${y}${half2} ${middle - r} ${y}Z`,
        fill: ink2,
        opacity
      }
    );
  }
  function text(given, line, style, clip) {
    let words = given.replace(/\s+/g, " ");
    if (!words.trim() || line.right < clip.left || line.left >= clip.right) return;
    if (line.top >= clip.bottom || line.bottom <= clip.top) return;
    const font = fontIn(style);
    const cut = line.right > clip.right + 1;
    if (measure && cut && style.textOverflow === "ellipsis") {
      measure.font = font;
      const room = clip.right - line.left;
      while (words && measure.measureText(`${words}…`).width > room) words = words.slice(0, -1);
      words += "…";
    }
    if (style.textTransform === "uppercase") words = words.toUpperCase();
    drawn.shapes.push({
      kind: "text",
      text: words,
      x: 0,
      y: 0,
      matrix: [
        1,
        0,
        0,
        1,
        line.left - paper.left,
        line.top - paper.top + baselineIn(line.height, style)
      ],
      font,
      fill: style.color,
      align: "start",
      opacity,
      clip: cut ? edgeOf({ paper, clip, opacity }) : ""
    });
  }
  function baselineIn(height, style) {
    if (!measure) return 0.8 * height;
    measure.font = fontIn(style);
    const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = measure.measureText("x");
    return (height - up - down) / 2 + up;
  }
}
function wholePixels({ left, top, right, bottom }, ratio) {
  const down = (value) => Math.floor(value * ratio) / ratio;
  const up = (value) => Math.ceil(value * ratio) / ratio;
  return { left: down(left), top: down(top), right: up(right), bottom: up(bottom) };
}
function isBlank(canvas) {
  if (canvas.width === 0 || canvas.height === 0) return true;
  const copy2 = canvas.ownerDocument.createElement("canvas");
  [copy2.width, copy2.height] = [canvas.width, canvas.height];
  const paper = copy2.getContext("2d");
  paper?.drawImage(canvas, 0, 0);
  const pixels = paper?.getImageData(0, 0, copy2.width, copy2.height).data;
  return !pixels || new Uint32Array(pixels.buffer).every((pixel) => pixel === 0);
}
function groundOf(root, window) {
  for (let node = root; node; node = node.parentElement) {
    const { backgroundColor } = window.getComputedStyle(node);
    if (isInk(backgroundColor)) return backgroundColor;
  }
  return "#ffffff";
}

// src/shared/svg.ts
function svgOf(shapes, paper) {
  const clips = /* @__PURE__ */ new Map();
  const clipOf = (d) => {
    if (!d) return "";
    if (!clips.has(d)) clips.set(d, `clip${clips.size}`);
    return ` clip-path="url(#${clips.get(d)})"`;
  };
  const usual = usualFamily(shapes);
  const parts = shapes.map((shape) => {
    const [own, clip] = [written(shape, usual), clipOf(shape.clip)];
    if (clip && own.includes(" transform=")) return `<g${clip}>${own}${ending(shape)}</g>`;
    return own + clip + ending(shape);
  });
  const defs = [...clips].map(([d, name]) => `<clipPath id="${name}"><path d="${d}"/></clipPath>`);
  const [w, h] = [short(paper.width), short(paper.height)];
  const title = escaped(paper.title);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" role="img" aria-label="${title}" font-family="${escaped(usual)}">`,
    `<title>${title}</title>`,
    defs.length ? `<defs>${defs.join("")}</defs>` : "",
    `<rect width="${w}" height="${h}"${ink("fill", paper.ground)}/>`,
    ...parts,
    "</svg>",
    ""
  ].filter((line, k, all) => line || k === all.length - 1).join("\n");
}
function usualFamily(shapes) {
  const counts = /* @__PURE__ */ new Map();
  for (const shape of shapes) {
    if (shape.kind !== "text") continue;
    const { family } = fontOf(shape.font);
    counts.set(family, (counts.get(family) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "sans-serif";
}
function written(shape, usual) {
  const faint = shape.opacity < 1 ? ` opacity="${short(shape.opacity)}"` : "";
  if (shape.kind === "path") {
    const turned = shape.matrix ? transform(shape.matrix) : "";
    if (shape.stroke === void 0) {
      return `<path d="${shape.d}"${turned}${ink("fill", shape.fill ?? "none")}${faint}`;
    }
    const dash = shape.dash?.length ? ` stroke-dasharray="${shape.dash.map(short).join(" ")}"` : "";
    const join = shape.join && shape.join !== "miter" ? ` stroke-linejoin="${shape.join}"` : "";
    const cap = shape.cap && shape.cap !== "butt" ? ` stroke-linecap="${shape.cap}"` : "";
    const crisp = shape.crisp ? ' shape-rendering="crispEdges"' : "";
    const width = ` stroke-width="${short(shape.width ?? 1)}"`;
    const line = `${ink("stroke", shape.stroke)}${width}${dash}${join}${cap}${crisp}`;
    return `<path d="${shape.d}"${turned} fill="none"${line}${faint}`;
  }
  if (shape.kind === "text") {
    const [a, b, c, d, e, f] = shape.matrix;
    const { size, family, weight, style } = fontOf(shape.font);
    const plain2 = a === d && b === 0 && c === 0;
    const place = plain2 ? `x="${short(e + a * shape.x)}" y="${short(f + d * shape.y)}"` : `x="${short(shape.x)}" y="${short(shape.y)}"${transform(shape.matrix)}`;
    const other = family === usual ? "" : ` font-family="${escaped(family)}"`;
    const kind = `font-size="${short(size * (plain2 ? a : 1))}"${other}`;
    const heavy = weight === "400" || weight === "normal" ? "" : ` font-weight="${weight}"`;
    const leaning = style === "normal" ? "" : ` font-style="${style}"`;
    const anchor = shape.align === "start" ? "" : ` text-anchor="${shape.align}"`;
    const spaced = shape.text === shape.text.trim() ? "" : ' xml:space="preserve"';
    return `<text ${place} ${kind}${heavy}${leaning}${anchor}${spaced}${ink("fill", shape.fill)}${faint}`;
  }
  const [x, y, w, h] = shape.box.map(short);
  const hard = shape.smooth ? "" : ' style="image-rendering:pixelated"';
  return `<image x="${x}" y="${y}" width="${w}" height="${h}" preserveAspectRatio="none"${hard}${faint} href="${shape.href}"`;
}
function transform(matrix) {
  const [a, b, c, d, e, f] = matrix.map((value) => Number(value.toFixed(5)));
  const plain2 = a === 1 && b === 0 && c === 0 && d === 1;
  const how = plain2 ? `translate(${e} ${f})` : `matrix(${[a, b, c, d, e, f].join(" ")})`;
  return ` transform="${how}"`;
}
function ending(shape) {
  return shape.kind === "text" ? `>${escaped(shape.text)}</text>` : "/>";
}
function ink(name, colour2) {
  const parts = /^rgba?\((.*)\)$/.exec(colour2)?.[1].split(/[\s,/]+/);
  if (!parts) return ` ${name}="${escaped(colour2)}"`;
  const [red, green, blue, cover] = parts;
  const share = cover === void 0 ? "" : ` ${name}-opacity="${cover}"`;
  return ` ${name}="rgb(${red},${green},${blue})"${share}`;
}
function fontOf(font) {
  const found = /^(.*?)([\d.]+)px(?:\/\S+)?\s+(.*)$/.exec(font);
  if (!found) return { size: 10, family: "sans-serif", weight: "400", style: "normal" };
  const [, before, size, family] = found;
  const weight = /\b(bold|[1-9]00)\b/.exec(before)?.[1] ?? "400";
  const style = /\b(italic|oblique)\b/.exec(before)?.[1] ?? "normal";
  return { size: Number(size), family, weight, style };
}
function escaped(text) {
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/gu, "�").replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

// src/shared/save.ts
function createSave(document, saved, signal) {
  const window = document.defaultView;
  const kit = createKit(document, signal);
  const box2 = element(document, "span", "kw-save");
  box2.setAttribute("role", "group");
  box2.setAttribute("aria-label", "Save what is shown");
  const redraw = () => {
    const parts = saved.root().querySelectorAll(".kw-save");
    for (const { kwSave } of parts) kwSave.redraw();
  };
  const svg = () => {
    const drawn = shapesOf(saved.root(), record(window, redraw));
    return svgOf(drawn.shapes, { ...drawn, title: saved.name() });
  };
  const png = () => pngOf(document, shapesOf(saved.root(), /* @__PURE__ */ new Map()));
  box2.append(
    kit.button("PNG", "Save what is shown as a PNG", "kw-save-button", async () => {
      const blob = await png();
      if (blob) download(document, blob, `${fileName(saved.name())}.png`);
    }),
    kit.button("SVG", "Save what is shown as an SVG", "kw-save-button", () => {
      const blob = new Blob([svg()], { type: "image/svg+xml" });
      download(document, blob, `${fileName(saved.name())}.svg`);
    })
  );
  box2.kwSave = { svg, png, redraw: () => saved.redraw() };
  return box2;
}
function fileName(name) {
  return name.normalize("NFC").replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[-.]+|[-.]+$/g, "").slice(0, 100) || "kan-widgets";
}
function download(document, blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1e4);
}
function pngOf(document, drawn) {
  const ratio = document.defaultView?.devicePixelRatio || 1;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(drawn.width * ratio);
  canvas.height = Math.round(drawn.height * ratio);
  const context = canvas.getContext("2d");
  if (!context) return Promise.resolve(null);
  context.scale(ratio, ratio);
  context.fillStyle = drawn.ground;
  context.fillRect(0, 0, drawn.width, drawn.height);
  let next = 0;
  drawn.shapes.forEach((shape, k) => {
    const taken = drawn.canvases[next];
    if (taken && k === taken.before + taken.count - 1 && taken.count > 0) {
      const { x, y, width, height } = taken.box;
      context.save();
      if (shape.clip) context.clip(new Path2D(shape.clip));
      context.globalAlpha = shape.opacity;
      context.imageSmoothingEnabled = false;
      context.drawImage(taken.canvas, x, y, width, height);
      context.restore();
      next++;
    } else if (!taken || k < taken.before) paint(context, shape);
  });
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}
function paint(context, shape) {
  context.save();
  if (shape.clip) context.clip(new Path2D(shape.clip));
  context.globalAlpha = shape.opacity;
  if (shape.kind === "path") {
    if (shape.matrix) context.transform(...shape.matrix);
    const path = new Path2D(shape.d);
    if (shape.fill !== void 0) {
      context.fillStyle = shape.fill;
      context.fill(path);
    }
    if (shape.stroke !== void 0) {
      context.strokeStyle = shape.stroke;
      context.lineWidth = shape.width ?? 1;
      context.setLineDash([...shape.dash ?? []]);
      context.lineJoin = shape.join ?? "miter";
      context.lineCap = shape.cap ?? "butt";
      context.miterLimit = 4;
      context.stroke(path);
    }
  } else if (shape.kind === "text") {
    context.transform(...shape.matrix);
    context.font = shape.font;
    context.fillStyle = shape.fill;
    context.textAlign = shape.align === "middle" ? "center" : shape.align;
    context.fillText(shape.text, shape.x, shape.y);
  }
  context.restore();
}

// src/shared/scrubber.ts
var PLAY_TIME = 1e4;
var BEAT = 40;
var LENGTH = 1e3;
var TICK_GAP = 6;
var FRAME_TIME = 200;
function mountScrubber(parent, store, signal) {
  const document = parent.ownerDocument;
  const window = document.defaultView;
  const make = (className, to, tag = "span") => {
    const element3 = to.appendChild(document.createElement(tag));
    element3.className = className;
    return element3;
  };
  const button = (className, act) => {
    const element3 = make(`kw-time-button ${className}`, bar, "button");
    element3.type = "button";
    element3.addEventListener("click", act, { signal });
    return element3;
  };
  const element2 = make("kw-scrubber", parent, "div");
  element2.setAttribute("role", "group");
  element2.setAttribute("aria-label", "Time");
  const bar = make("kw-time", element2, "div");
  const play = button("kw-play", () => timer === void 0 ? start() : pause());
  const icon = make("kw-play-icon", play);
  const track = make("kw-track", bar, "div");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "kw-ticks");
  svg.setAttribute("viewBox", `0 0 ${LENGTH} 1`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const ticks2 = svg.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  track.append(svg);
  const pinned = make("kw-pinned", track);
  const head = make("kw-head", track);
  const readout = make("kw-time-step", bar);
  const live = button("kw-back-to-live", () => {
    pause();
    store.setCursor(-1);
  });
  const pin = button("kw-pin", () => {
    const step = store.current()?.step;
    if (store.ghostStep() >= 0) store.setGhostStep(-1);
    else if (step !== void 0) store.setGhostStep(step);
  });
  const pinWord = make("kw-pin-word", pin);
  make("kw-pin-what", pin).textContent = " ghost";
  const saved = store.status().state === "saved";
  const newest = saved ? "latest" : "live";
  live.textContent = newest;
  live.setAttribute("aria-label", saved ? "Back to the latest step" : "Back to live");
  live.title = saved ? "Show the latest step again" : "Follow the training again";
  track.tabIndex = 0;
  track.setAttribute("role", "slider");
  track.setAttribute("aria-label", "Training step shown");
  let steps = [];
  let request = 0;
  let timer;
  let moved3 = false;
  let drawn = "";
  let shownAt = Number.NEGATIVE_INFINITY;
  let later;
  function schedule() {
    if (!request) request = window.requestAnimationFrame(show);
  }
  function scheduleLater() {
    later ??= setTimeout(schedule, Math.max(0, shownAt + FRAME_TIME - performance.now()));
  }
  function placeOf(step) {
    const first = steps[0] ?? 0;
    const span = (steps[steps.length - 1] ?? 0) - first;
    return span > 0 ? Math.max(0, Math.min(1, (step - first) / span)) : 1;
  }
  function show() {
    request = 0;
    clearTimeout(later);
    later = void 0;
    shownAt = performance.now();
    steps = store.steps();
    const here = steps.length > 1;
    bar.style.visibility = here ? "" : "hidden";
    const step = store.current()?.step ?? 0;
    const following = store.cursor() < 0;
    element2.toggleAttribute("data-live", following);
    const first = steps[0] ?? 0;
    const last = steps[steps.length - 1] ?? 0;
    head.style.left = `${100 * (following ? 1 : placeOf(step))}%`;
    const ghost = store.ghostStep() < 0 ? null : store.ghost()?.step ?? null;
    pinned.hidden = ghost === null;
    if (ghost !== null) pinned.style.left = `${100 * placeOf(ghost)}%`;
    write(readout, `step ${formatCount(step)}`);
    readout.style.minWidth = `${formatCount(last).length + 5}ch`;
    live.disabled = following;
    live.setAttribute("aria-pressed", String(following));
    pin.setAttribute("aria-pressed", String(ghost !== null));
    write(pinWord, ghost === null ? "pin" : "unpin");
    pin.setAttribute("aria-label", ghost === null ? "Pin ghost" : "Unpin ghost");
    pin.title = ghost === null ? `Draw step ${formatCount(step)} behind, dashed, in place of the first step` : `The ghost is step ${formatCount(ghost)}; draw the first step behind again`;
    const playing = timer !== void 0;
    if (moved3 || !hasKeyboard(track)) {
      moved3 = false;
      const words = `step ${formatCount(step)} of ${formatCount(last)}${following ? `, ${newest}` : ""}`;
      track.setAttribute("aria-valuemin", String(first));
      track.setAttribute("aria-valuemax", String(last));
      track.setAttribute("aria-valuenow", String(step));
      track.setAttribute("aria-valuetext", words);
    }
    icon.toggleAttribute("data-playing", playing);
    play.title = playing ? "Pause" : "Play the history";
    play.setAttribute("aria-label", play.title);
    drawTicks();
  }
  function drawTicks() {
    const key = `${steps.length} ${steps[0]} ${steps[steps.length - 1]}`;
    if (key === drawn) return;
    drawn = key;
    let path = "";
    let before = Number.NEGATIVE_INFINITY;
    for (const step of steps) {
      const x = Math.round(LENGTH * placeOf(step));
      if (x - before < TICK_GAP) continue;
      before = x;
      path += `M${x} 0v1`;
    }
    ticks2.setAttribute("d", path);
  }
  function seek(event) {
    const box2 = track.getBoundingClientRect();
    const [first, last] = [steps[0], steps[steps.length - 1]];
    const at2 = first + (event.clientX - box2.left) / box2.width * (last - first);
    let nearest = first;
    for (const step of steps) {
      if (Math.abs(step - at2) <= Math.abs(nearest - at2)) nearest = step;
    }
    moved3 = true;
    store.setCursor(nearest);
  }
  function index() {
    const step = store.current()?.step ?? 0;
    const at2 = steps.indexOf(step);
    return at2 >= 0 ? at2 : steps.filter((kept) => kept < step).length - 1;
  }
  function move(by) {
    steps = store.steps();
    if (steps.length === 0) return;
    store.setCursor(steps[Math.max(0, Math.min(steps.length - 1, index() + by))]);
  }
  function start() {
    steps = store.steps();
    if (store.cursor() < 0 || index() >= steps.length - 1) store.setCursor(steps[0]);
    const stride = Math.max(1, Math.ceil(steps.length * BEAT / PLAY_TIME));
    const beat = Math.max(BEAT, Math.min(250, PLAY_TIME / Math.max(1, steps.length)));
    timer = setInterval(() => {
      if (store.cursor() < 0) pause();
      else move(stride);
      if (index() >= steps.length - 1) pause();
    }, beat);
    schedule();
  }
  function pause() {
    moved3 = true;
    clearInterval(timer);
    timer = void 0;
    schedule();
  }
  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const by = {
      ArrowLeft: -1,
      ArrowDown: -1,
      ArrowRight: 1,
      ArrowUp: 1,
      PageDown: -10,
      PageUp: 10,
      Home: Number.NEGATIVE_INFINITY,
      End: Number.POSITIVE_INFINITY
    };
    if (event.key in by) {
      pause();
      move(by[event.key]);
    } else if (event.key === " ") {
      if (timer === void 0) start();
      else pause();
    } else if (event.key === "Escape") {
      pause();
      store.setCursor(-1);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
  let dragging = false;
  track.addEventListener(
    "pointerdown",
    (event) => {
      if (event.button !== 0) return;
      dragging = true;
      pause();
      track.setPointerCapture?.(event.pointerId);
      seek(event);
      track.focus();
      event.preventDefault();
    },
    { signal }
  );
  track.addEventListener(
    "pointermove",
    (event) => {
      if (dragging) seek(event);
    },
    { signal }
  );
  for (const end of ["pointerup", "pointercancel"]) {
    track.addEventListener(
      end,
      () => {
        dragging = false;
      },
      { signal }
    );
  }
  track.addEventListener("keydown", onKey, { signal });
  store.subscribe((what) => {
    if (what === "cursor" || what === "ghost") schedule();
    else if (what === "frame" || what === "layout" || what === "history") scheduleLater();
  }, signal);
  signal.addEventListener(
    "abort",
    () => {
      clearInterval(timer);
      clearTimeout(later);
      window.cancelAnimationFrame(request);
      element2.remove();
    },
    { once: true }
  );
  show();
  return { element: element2 };
}
function write(element2, words) {
  if (element2.textContent !== words) element2.textContent = words;
}

// src/shared/status.ts
var FRESH = 1e3;
function statusText(step, cursor, status) {
  if (status.state === "fault") return status.message || "the binding stopped on a fault";
  const at2 = step === null ? "" : `step ${formatCount(step)} · `;
  return at2 + (cursor >= 0 ? "looking back" : status.state || "idle");
}
function createStatus(document, again) {
  const root = element(document, "span", "kw-status");
  const dot = element(document, "span", "kw-dot", root);
  const said = element(document, "span", "kw-status-text", root);
  let calm;
  return {
    element: root,
    show(store) {
      const status = store.status();
      const age = performance.now() - store.lastArrival();
      const arriving = store.lastArrival() > 0 && age < FRESH;
      put(said, statusText(store.current()?.step ?? null, store.cursor(), status));
      const state = status.state || "idle";
      if (root.dataset.state !== state) root.dataset.state = state;
      dot.classList.toggle("kw-arriving", arriving);
      if (!arriving) return;
      clearTimeout(calm);
      calm = setTimeout(again, FRESH - age + 50);
    },
    stop() {
      clearTimeout(calm);
    }
  };
}

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
function readColours(element2, names) {
  const style = getComputedStyle(element2);
  const colours = {};
  for (const name of names) colours[name] = style.getPropertyValue(`--kw-${name}`).trim() || "#888";
  return colours;
}

// src/shared/unseen.ts
var PAUSE = 100;
var TRIES = 30;
function createUnseen(draw) {
  let tries = 0;
  let timer;
  return {
    hidden() {
      clearTimeout(timer);
      if (++tries < TRIES) timer = setTimeout(draw, PAUSE);
    },
    shown() {
      clearTimeout(timer);
      tries = 0;
    },
    stop() {
      clearTimeout(timer);
    }
  };
}

// src/shared/wheel.ts
var HINT = 2500;
function takeWheel(plot, zoom, signal) {
  const document = plot.ownerDocument;
  const hint = element(document, "div", "kw-wheel-hint", plot);
  hint.hidden = true;
  hint.setAttribute("aria-hidden", "true");
  const key = /mac/i.test(document.defaultView?.navigator.platform ?? "") ? "⌘" : "Ctrl";
  let mine = false;
  let timer;
  function say(text) {
    clearTimeout(timer);
    put(hint, text);
    hint.hidden = text === "";
    if (text) timer = setTimeout(() => say(""), HINT);
  }
  function own(now) {
    if (mine === now) return;
    mine = now;
    plot.toggleAttribute("data-wheel", now);
    say(now ? "The wheel zooms. Escape: it scrolls the page again." : "");
  }
  plot.addEventListener(
    "wheel",
    (event) => {
      const asked = event.ctrlKey || event.metaKey;
      const turn = zoom(event);
      if (!asked && !mine) {
        if (turn) say(`${key} + wheel zooms, or click into the plot first.`);
        return;
      }
      if (!turn && !asked) return;
      event.preventDefault();
      event.stopPropagation();
      turn?.();
    },
    { signal, passive: false }
  );
  plot.addEventListener(
    "pointerdown",
    (event) => {
      if (event.button === 0) own(true);
    },
    { signal }
  );
  plot.addEventListener(
    "keydown",
    (event) => {
      if (event.key === "Escape") own(false);
    },
    // Before the plot itself has used the key.
    { signal, capture: true }
  );
  plot.addEventListener(
    "focusout",
    (event) => {
      if (!plot.contains(event.relatedTarget)) own(false);
    },
    { signal }
  );
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
}

// src/shared/interpolate.ts
var POINTS = 6;
var known = /* @__PURE__ */ new WeakMap();
var weights = new Float64Array(POINTS);
function basisAt(layer, table, x, out) {
  return combine(layer, table, x, out, lagrange);
}
function basisDerivativeAt(layer, table, x, out) {
  return combine(layer, table, x, out, lagrangeSlope);
}
function tableNumber(layer, f) {
  return layer.tableOf ? layer.tableOf[f] : 0;
}
var memory = new Float64Array(16);
function combine(layer, number2, x, out, weigh) {
  const { nb } = layer;
  const table = layer.tables[number2];
  const { x: xs, values } = table;
  const end = xs.length - 1;
  const rounded2 = Math.fround(x);
  if (!(rounded2 >= xs[0] && rounded2 <= xs[end])) {
    for (let b = 0; b < nb; b++) out[b] = Number.NaN;
    return out;
  }
  const at2 = Math.max(xs[0], Math.min(xs[end], x));
  const row = rowBefore(xs, at2);
  const { first, last } = piecesOf(layer, number2);
  const n = Math.min(POINTS, last[row] - first[row] + 1);
  const start = Math.max(first[row], Math.min(row - (n >> 1) + 1, last[row] - n + 1));
  weigh(xs, start, n, at2);
  for (let b = 0; b < nb; b++) {
    let sum = 0;
    for (let i = 0, v = start * nb + b; i < n; i++, v += nb) sum += weights[i] * values[v];
    out[b] = sum;
  }
  return out;
}
function rowBefore(xs, x) {
  let low = 0;
  let high = xs.length - 2;
  while (low < high) {
    const middle = low + high + 1 >> 1;
    if (xs[middle] <= x) low = middle;
    else high = middle - 1;
  }
  return low;
}
function piecesOf(layer, number2) {
  const table = layer.tables[number2];
  const made = known.get(table);
  if (made) return made;
  const { x } = table;
  const rows = x.length;
  const near = 1e-6 * (x[rows - 1] - x[0]);
  const knots = layer.bases[number2]?.knots ?? layer.knots;
  const bends = [...knots, 0].sort((a, b) => a - b);
  const bendsAt = new Uint8Array(rows);
  for (let row = 0, k = 0; row < rows; row++) {
    while (k < bends.length && bends[k] < x[row] - near) k++;
    if (k < bends.length && bends[k] <= x[row] + near) bendsAt[row] = 1;
  }
  const first = new Uint32Array(rows);
  const last = new Uint32Array(rows);
  const jumps = (row) => x[row + 1] - x[row] <= near;
  for (let row = 0; row + 1 < rows; ) {
    let end = row + 1;
    if (jumps(row)) {
      first[row] = last[row] = row;
    } else {
      while (end + 1 < rows && !bendsAt[end] && !jumps(end)) end++;
      first.fill(row, row, end);
      last.fill(end, row, end);
    }
    row = end;
  }
  first[rows - 1] = last[rows - 1] = rows - 1;
  const pieces = { first, last };
  known.set(table, pieces);
  return pieces;
}
function lagrange(xs, first, n, x) {
  for (let i = 0; i < n; i++) {
    let weight = 1;
    for (let k = 0; k < n; k++) {
      if (k !== i) weight *= (x - xs[first + k]) / (xs[first + i] - xs[first + k]);
    }
    weights[i] = weight;
  }
}
function lagrangeSlope(xs, first, n, x) {
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let j = 0; j < n; j++) {
      if (j === i) continue;
      let product = 1 / (xs[first + i] - xs[first + j]);
      for (let k = 0; k < n; k++) {
        if (k !== i && k !== j) product *= (x - xs[first + k]) / (xs[first + i] - xs[first + k]);
      }
      sum += product;
    }
    weights[i] = sum;
  }
}

// src/spline_inspector/terms.ts
var NOTHING = 1e-12;
function phiOf(frame, at2, coefficients) {
  const layer = frame?.layout.layers.find(({ name }) => name === at2?.layer);
  if (!frame || !layer || !at2) return null;
  const f = functionOf(layer, at2);
  if (f < 0) return null;
  const start = layer.offset + f * layer.nb;
  const own = coefficients?.length === layer.nb ? coefficients : frame.data.subarray(start, start + layer.nb);
  return {
    layer,
    f,
    table: tableNumber(layer, f),
    coefficients: Float64Array.from(own),
    step: frame.step
  };
}
function basisRange({ layer, table }) {
  return layer.bases[table] ?? layer;
}
function tableRange({ layer, table }) {
  const { x } = layer.tables[table];
  return [x[0], x[x.length - 1]];
}
function wholeRange(phi) {
  const { domain, extent } = basisRange(phi);
  const [first, last] = tableRange(phi);
  const low = Math.max(first, Math.min(domain[0], extent[0]));
  const high = Math.min(last, Math.max(domain[1], extent[1]));
  return low < high ? [low, high] : [first, last];
}
function sample(phi, range, count) {
  const { layer, table } = phi;
  const [first, last] = tableRange(phi);
  const low = Math.max(first, range[0]);
  const high = Math.min(last, range[1]);
  if (!(low <= high)) return { x: new Float64Array(0), beta: new Float64Array(0) };
  const points2 = /* @__PURE__ */ new Set([low, high]);
  for (let p = 1; p + 1 < count; p++) points2.add(low + (high - low) * p / (count - 1));
  for (const x2 of layer.tables[table].x) if (x2 > low && x2 < high) points2.add(x2);
  const x = Float64Array.from(points2).sort();
  const beta = new Float64Array(x.length * layer.nb);
  const at2 = new Float64Array(layer.nb);
  x.forEach((value, p) => {
    beta.set(basisAt(layer, table, value, at2), p * layer.nb);
  });
  return { x, beta };
}
function belongs(layer, term, b) {
  if (term === "phi") return true;
  if (term === "base") return layer.isBase[b];
  if (term === "spline") return !layer.isBase[b];
  return term === b;
}
function curve({ layer, coefficients }, { x, beta }, term) {
  const { nb } = layer;
  const y = new Float64Array(x.length);
  for (let b = 0; b < nb; b++) {
    if (!belongs(layer, term, b)) continue;
    for (let p = 0; p < x.length; p++) y[p] += coefficients[b] * beta[p * nb + b];
  }
  return y;
}
function stack(phi, samples, shown) {
  let sum = new Float64Array(samples.x.length);
  return shown.map((b) => {
    const own = curve(phi, samples, b);
    const from = sum;
    const to = from.map((value, p) => value + own[p]);
    sum = to;
    return { b, from, to };
  });
}
function readAt({ layer, table, coefficients }, x) {
  const { nb } = layer;
  const beta = basisAt(layer, table, x, new Float64Array(nb));
  if (Number.isNaN(beta[0])) return null;
  const terms = beta.map((value, b) => Math.abs(value) < NOTHING ? 0 : coefficients[b] * value);
  let base = 0;
  let spline = 0;
  for (let b = 0; b < nb; b++) {
    if (layer.isBase[b]) base += terms[b];
    else spline += terms[b];
  }
  basisDerivativeAt(layer, table, x, beta);
  const slope = beta.reduce((sum, value, b) => sum + coefficients[b] * value, 0);
  return { x, phi: base + spline, slope, base, spline, terms };
}
function limits(...rows) {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const row of rows) {
    for (let p = 0; p < row.length; p++) {
      if (!Number.isFinite(row[p])) continue;
      if (row[p] < low) low = row[p];
      if (row[p] > high) high = row[p];
    }
  }
  return low <= high ? [low, high] : null;
}
function entryOf(layer, f) {
  const [out, inputs, kh, kw] = layer.shape;
  const at2 = selectionOf(layer, f);
  if (layer.kind === "linear") return at2.in;
  const groups = layer.conv?.groups ?? 1;
  const group = Math.floor(at2.out / (out / groups));
  const channel = layer.conv?.shared ? 0 : group * inputs + at2.in;
  return (channel * kh + at2.row) * kw + at2.column;
}

// src/spline_inspector/handles.ts
var SPLINE_LABEL = /^B(\d+)$/;
var MIDDLE = 0.8;
function greville(knots, order) {
  const splines = knots.length - order - 1;
  return Array.from({ length: Math.max(0, splines) }, (_, j) => {
    if (order === 0) return (knots[j] + knots[j + 1]) / 2;
    let sum = 0;
    for (let k = 1; k <= order; k++) sum += knots[j + k];
    return sum / order;
  });
}
function splineOrder({ layer, table }) {
  const { knots } = basisRange({ layer, table });
  const splines = layer.labels.filter((_, b) => !layer.isBase[b]);
  if (splines.length === 0 || splines.some((label, j) => label !== `B${j}`)) return -1;
  const order = knots.length - splines.length - 1;
  return order >= 0 && order < splines.length ? order : -1;
}
function handlesOf(phi) {
  const { layer } = phi;
  const order = splineOrder(phi);
  const abscissae = order >= 0 ? greville(basisRange(phi).knots, order) : [];
  const handles = [];
  layer.labels.forEach((label, b) => {
    const spline = SPLINE_LABEL.exec(label);
    if (order >= 0 && spline && !layer.isBase[b]) {
      handles.push({ b, label, x: abscissae[Number(spline[1])], rise: 1, control: true });
      return;
    }
    const place = highPlace(phi, b, abscissae);
    if (place) handles.push({ b, label, ...place, control: false });
  });
  return handles.sort((one, other) => one.x - other.x);
}
function highPlace({ layer, table }, b, taken) {
  const { domain } = basisRange({ layer, table });
  const { nb } = layer;
  const { x, values } = layer.tables[table];
  const rows = [];
  let most = 0;
  for (let p = 0; p < x.length; p++) {
    const value = values[p * nb + b];
    if (x[p] < domain[0] - 1e-6 || x[p] > domain[1] + 1e-6 || !Number.isFinite(value)) continue;
    rows.push({ x: x[p], value });
    most = Math.max(most, Math.abs(value));
  }
  if (most === 0) return null;
  const others = layer.isBase.filter((base) => !base).length;
  const number2 = layer.isBase.slice(0, b).filter((base) => !base).length;
  const share = layer.isBase[b] ? 1 : (number2 + 0.5) / others;
  const wanted = domain[0] + share * (domain[1] - domain[0]);
  const apart = taken.length > 1 ? (taken[1] - taken[0]) / 4 : 0;
  const high = rows.filter(({ value }) => Math.abs(value) >= MIDDLE * most);
  const free = high.filter((row) => taken.every((x2) => Math.abs(row.x - x2) >= apart * 0.99));
  const near = (free.length > 0 ? free : high).sort(
    (one, other) => Math.abs(one.x - wanted) - Math.abs(other.x - wanted)
  )[0];
  const rise = basisAt(layer, table, near.x, new Float64Array(nb))[b];
  return { x: near.x, rise };
}
function heightOf(handle, coefficients) {
  return coefficients[handle.b] * handle.rise;
}
function moved2(coefficients, handle, height) {
  const next = Float64Array.from(coefficients);
  next[handle.b] = height / handle.rise;
  return next;
}
function describeHandle(variable, { control, label, x }) {
  const name = control ? `control point ${label}` : `weight of ${label}`;
  return `${name} at ${variable} = ${formatNumber(x)}`;
}

// src/spline_inspector/window.ts
var CLOSEST = 1e-4;
function zoomed([low, high], at2, factor) {
  return [at2 + (low - at2) * factor, at2 + (high - at2) * factor];
}
function zoomedWithin(range, at2, factor, limits2) {
  const [length, whole] = [range[1] - range[0], limits2[1] - limits2[0]];
  if (factor < 1 ? length <= 1.001 * CLOSEST * whole : length >= 0.999 * whole) return null;
  return within(zoomed(range, at2, factor), limits2);
}
function within([low, high], [first, last]) {
  const whole = last - first;
  const length = Math.min(whole, Math.max(CLOSEST * whole, high - low));
  const middle = (low + high) / 2;
  const start = Math.max(first, Math.min(last - length, middle - length / 2));
  return [start, start + length];
}
function shifted([low, high], by) {
  return [low + by, high + by];
}
function wheelFactor(event) {
  const pixels = event.deltaY * [1, 16, 240][event.deltaMode];
  return Math.exp(Math.max(-240, Math.min(240, pixels)) / 480);
}
var toX = ([low, high], box2, x) => box2.x + (x - low) / (high - low) * box2.width;
var toY = ([low, high], box2, y) => box2.y + (high - y) / (high - low) * box2.height;
var fromX = ([low, high], box2, px) => low + (px - box2.x) / box2.width * (high - low);
var fromY = ([low, high], box2, py) => high - (py - box2.y) / box2.height * (high - low);
function roundStep(length, count) {
  if (!(length > 0) || !Number.isFinite(length)) return 1;
  const rough = length / Math.max(1, count);
  const power = Math.floor(Math.log10(rough));
  for (const digit of [1, 2, 5, 10]) {
    const step = Number(`${digit}e${power}`);
    if (step >= rough * (1 - 1e-9)) return step;
  }
  return Number(`1e${power + 1}`);
}
function ticks([low, high], count) {
  const step = roundStep(high - low, count);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const found = [];
  for (let k = first; k <= last && found.length < 100; k++) {
    found.push(Number((k * step).toPrecision(12)) || 0);
  }
  return found;
}
function tickTexts(values) {
  const largest = Math.max(0, ...values.map(Math.abs));
  if (largest >= 1e5 || largest > 0 && largest < 1e-4) return values.map(formatNumber);
  const step = values.length > 1 ? values[1] - values[0] : largest || 1;
  const places = Math.max(0, Math.min(12, -Math.floor(Math.log10(step) + 1e-9)));
  return values.map((value) => value.toFixed(places).replace("-", "−"));
}
function fitted(held) {
  if (!held) return [-1, 1];
  const [low, high] = held;
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (high - low <= 1e-9 * size || size < 1e-30) {
    const room = size < 1e-30 ? 1 : size / 2;
    return [low - room, high + room];
  }
  const air = 0.06 * (high - low);
  const step = roundStep(high - low + 2 * air, 8);
  return [Math.floor((low - air) / step) * step, Math.ceil((high + air) / step) * step];
}
function roomy(held) {
  return fitted(held && [Math.min(0, held[0]), Math.max(0, held[1])]);
}
function inSight(range, things) {
  const rim = 0.05 * (range[1] - range[0]);
  const moves = things.map(
    ([low, high]) => Math.min(0, high - rim - range[0]) || Math.max(0, low + rim - range[1])
  );
  const by = moves.reduce((a, b) => Math.abs(b) < Math.abs(a) ? b : a, moves[0] ?? 0);
  return by === 0 ? range : shifted(range, by);
}
function inFull(value) {
  if (!Number.isFinite(value) || value === 0) return formatNumber(value);
  const digits = Number(value.toPrecision(7));
  const size = Math.abs(digits);
  const text = size >= 1e-4 && size < 1e7 ? String(digits) : digits.toExponential().replace(/\.?0+e/, "e");
  return text.replace(/-/g, (_, at2) => at2 === 0 ? "−" : "-");
}

// src/spline_inspector/dots.ts
var FAR = 1;
function createDots(document) {
  const root = element(document, "div", "kw-handles");
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "Control points");
  let dots = [];
  let focused = 0;
  let labelled = "";
  function build({ handles }) {
    const labels = handles.map(({ b, label, control }) => `${b}|${label}|${control}`).join();
    if (labels === labelled) return;
    labelled = labels;
    focused = 0;
    dots = handles.map((handle, k) => {
      const dot = element(document, "button", "kw-handle");
      dot.type = "button";
      dot.setAttribute("role", "slider");
      dot.setAttribute("aria-orientation", "vertical");
      dot.toggleAttribute("data-weight", !handle.control);
      dot.dataset.number = String(k);
      return dot;
    });
    root.replaceChildren(...dots);
  }
  return {
    element: root,
    show(picture, plot, y, editable, held) {
      build(picture);
      const { phi, x, handles } = picture;
      root.toggleAttribute("data-editable", editable);
      handles.forEach((handle, k) => {
        const dot = dots[k];
        const value = phi.coefficients[handle.b];
        const height = heightOf(handle, phi.coefficients);
        const [px, py] = [toX(x, plot, handle.x), toY(y, plot, height)];
        const out = !Number.isFinite(height) || px < plot.x - FAR || px > plot.x + plot.width + FAR || py < plot.y - FAR || py > plot.y + plot.height + FAR;
        dot.hidden = out && held !== handle.b;
        if (!dot.hidden) dot.style.transform = `translate(${px}px, ${py}px)`;
        dot.style.setProperty("--kw-dot-colour", picture.colourOf(handle.b));
        dot.disabled = !editable;
        dot.tabIndex = editable && k === focused ? 0 : -1;
        const text = describeHandle(phi.layer.variable, handle);
        if (dot.getAttribute("aria-label") !== text) dot.setAttribute("aria-label", text);
        const hint = editable ? ": drag, or arrow up and down" : "";
        const title = `${handle.label} = ${number(value)}${hint}`;
        if (dot.title !== title) dot.title = title;
        if (held === handle.b || !dot.hasAttribute("aria-valuenow")) {
          dot.setAttribute("aria-valuenow", String(Number(value.toPrecision(4))));
          dot.setAttribute("aria-valuetext", number(value));
        }
      });
    },
    numberOf(event) {
      const dot = event.target.closest(".kw-handle");
      return dot ? Number(dot.dataset.number) : -1;
    },
    remember(number2) {
      focused = number2;
    },
    step(from, by) {
      let next = from;
      do
        next = (next + by + dots.length) % dots.length;
      while (dots[next].hidden && next !== from);
      focused = next;
      dots[next].focus();
    }
  };
}

// src/spline_inspector/draw.ts
var COLOURS = [
  "surface",
  "ink",
  "muted",
  "line",
  "cell",
  "outside",
  "zero",
  "ghost",
  "accent",
  "warn",
  "base",
  "spline",
  "density"
];
var LEFT = 58;
var RIGHT = 10;
var TOP = 8;
var BOTTOM = 34;
var STRIP = 34;
var GAP = 3;
function placesIn(width, height, strip) {
  const foot = BOTTOM + (strip ? STRIP + GAP : 0);
  const plot = {
    x: LEFT,
    y: TOP,
    width: Math.max(40, width - LEFT - RIGHT),
    height: Math.max(40, height - TOP - foot)
  };
  const below = { ...plot, y: plot.y + plot.height + GAP, height: STRIP };
  return { plot, strip: strip ? below : null };
}
function paint2(context, scene, places, paper) {
  const { colours, ratio, width, height } = paper;
  const { plot, strip } = places;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = paper.font;
  context.lineJoin = "round";
  ground(context, scene, plot, colours);
  context.save();
  context.beginPath();
  context.rect(plot.x, plot.y, plot.width, plot.height);
  context.clip();
  for (const line of scene.lines) area(context, scene, plot, line);
  for (const line of scene.lines) stroke(context, scene, plot, line);
  polygon(context, scene, plot, colours);
  if (scene.mark) mark(context, scene, plot, scene.mark, colours);
  if (scene.reading) reading(context, scene, plot, scene.reading, colours);
  context.restore();
  if (strip) density(context, scene, strip, colours);
  axes(context, scene, places, colours);
}
function ground(context, { x, y, domain, knots }, plot, colours) {
  context.fillStyle = colours.outside;
  context.fillRect(plot.x, plot.y, plot.width, plot.height);
  const left = Math.max(plot.x, toX(x, plot, domain[0]));
  const right = Math.min(plot.x + plot.width, toX(x, plot, domain[1]));
  context.fillStyle = colours.cell;
  if (right > left) context.fillRect(left, plot.y, right - left, plot.height);
  context.strokeStyle = colours.zero;
  context.lineWidth = 1;
  context.globalAlpha = 0.6;
  context.beginPath();
  for (const knot of knots) {
    if (knot < x[0] || knot > x[1]) continue;
    const at2 = half(toX(x, plot, knot));
    context.moveTo(at2, plot.y);
    context.lineTo(at2, plot.y + plot.height);
  }
  context.stroke();
  context.globalAlpha = 1;
  if (y[0] <= 0 && y[1] >= 0) {
    const zero = half(toY(y, plot, 0));
    context.beginPath();
    context.moveTo(plot.x, zero);
    context.lineTo(plot.x + plot.width, zero);
    context.strokeStyle = colours.ghost;
    context.stroke();
  }
}
function area(context, { x, y }, plot, line) {
  if (!line.fill || !line.from) return;
  context.beginPath();
  let open = false;
  const n = line.x.length;
  for (let p = 0; p < n; p++) {
    if (!Number.isFinite(line.y[p])) return;
    const [px, py] = [toX(x, plot, line.x[p]), toY(y, plot, line.y[p])];
    if (open) context.lineTo(px, py);
    else context.moveTo(px, py);
    open = true;
  }
  for (let p = n - 1; p >= 0; p--) {
    context.lineTo(toX(x, plot, line.x[p]), toY(y, plot, line.from[p]));
  }
  context.closePath();
  context.globalAlpha = line.fill;
  context.fillStyle = line.colour;
  context.fill();
  context.globalAlpha = 1;
}
function stroke(context, { x, y }, plot, line) {
  context.beginPath();
  let open = false;
  for (let p = 0; p < line.x.length; p++) {
    if (!Number.isFinite(line.y[p]) || !adds(line, p)) {
      open = false;
      continue;
    }
    const [px, py] = [toX(x, plot, line.x[p]), toY(y, plot, line.y[p])];
    if (open) context.lineTo(px, py);
    else context.moveTo(px, py);
    open = true;
  }
  context.globalAlpha = line.alpha ?? 1;
  context.strokeStyle = line.colour;
  context.lineWidth = line.width;
  context.setLineDash(line.dash ?? []);
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
}
function adds({ y, from }, p) {
  if (!from) return true;
  for (let k = Math.max(0, p - 1); k <= Math.min(y.length - 1, p + 1); k++) {
    if (y[k] !== from[k]) return true;
  }
  return false;
}
function polygon(context, { x, y, polygon: corners }, plot, colours) {
  if (corners.length < 2) return;
  context.beginPath();
  corners.forEach((corner, k) => {
    const [px, py] = [toX(x, plot, corner.x), toY(y, plot, corner.y)];
    if (k === 0) context.moveTo(px, py);
    else context.lineTo(px, py);
  });
  context.strokeStyle = colours.spline;
  context.globalAlpha = 0.45;
  context.lineWidth = 1;
  context.setLineDash([1.5, 3]);
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
}
function reading(context, { x, y }, plot, at2, colours) {
  const px = half(toX(x, plot, at2.x));
  context.beginPath();
  context.moveTo(px, plot.y);
  context.lineTo(px, plot.y + plot.height);
  context.strokeStyle = colours.muted;
  context.lineWidth = 1;
  context.stroke();
  for (const mark2 of at2.marks) {
    if (!Number.isFinite(mark2.y)) continue;
    context.beginPath();
    context.arc(px, toY(y, plot, mark2.y), 3, 0, 2 * Math.PI);
    context.fillStyle = mark2.colour;
    context.fill();
    context.strokeStyle = colours.surface;
    context.stroke();
  }
}
function mark(context, { x, y }, plot, at2, colours) {
  if (!Number.isFinite(at2.y)) return;
  const px = toX(x, plot, at2.x);
  const py = toY(y, plot, at2.y);
  context.beginPath();
  context.moveTo(half(px), py);
  context.lineTo(half(px), plot.y + plot.height);
  context.strokeStyle = colours.accent;
  context.lineWidth = 1;
  context.setLineDash([2, 2]);
  context.stroke();
  context.setLineDash([]);
  context.beginPath();
  context.moveTo(px, py - 6);
  context.lineTo(px + 6, py);
  context.lineTo(px, py + 6);
  context.lineTo(px - 6, py);
  context.closePath();
  context.fillStyle = colours.accent;
  context.fill();
  context.strokeStyle = colours.surface;
  context.stroke();
}
function density(context, { x, domain, density: inputs, hint, reading: at2 }, strip, colours) {
  const floor = strip.y + strip.height;
  context.fillStyle = colours.outside;
  context.fillRect(strip.x, floor, strip.width, 1);
  if (!inputs) {
    context.fillStyle = colours.muted;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(hint, strip.x + strip.width / 2, strip.y + strip.height / 2, strip.width);
    return;
  }
  const { edges, counts } = inputs;
  let most = 0;
  for (let k = 0; k < counts.length; k++) if (counts[k] > most) most = counts[k];
  if (most === 0) return;
  context.save();
  context.beginPath();
  context.rect(strip.x, strip.y, strip.width, strip.height + 1);
  context.clip();
  context.fillStyle = colours.density;
  for (let k = 0; k < counts.length; k++) {
    if (counts[k] === 0) continue;
    const left = toX(x, strip, edges[k]);
    const right = toX(x, strip, edges[k + 1]);
    const tall = Math.max(1, counts[k] / most * (strip.height - 2));
    const middle = (edges[k] + edges[k + 1]) / 2;
    context.globalAlpha = middle < domain[0] || middle > domain[1] ? 0.5 : 1;
    context.fillRect(left, floor - tall, Math.max(0.5, right - left - 0.5), tall);
  }
  context.globalAlpha = 1;
  if (at2) {
    const px = half(toX(x, strip, at2.x));
    context.beginPath();
    context.moveTo(px, strip.y);
    context.lineTo(px, floor);
    context.strokeStyle = colours.muted;
    context.lineWidth = 1;
    context.stroke();
  }
  context.restore();
}
function axes(context, scene, { plot, strip }, colours) {
  const { x, y, variable, knots, domain } = scene;
  context.fillStyle = colours.muted;
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  const across = ticks(x, Math.max(2, Math.min(10, plot.width / 70)));
  const down = ticks(y, Math.max(2, Math.min(9, plot.height / 40)));
  context.textAlign = "right";
  context.textBaseline = "middle";
  tickTexts(down).forEach((text, k) => {
    const at2 = toY(y, plot, down[k]);
    if (at2 < plot.y - 1 || at2 > plot.y + plot.height + 1) return;
    context.fillText(text, plot.x - 8, at2, LEFT - 10);
    context.beginPath();
    context.moveTo(plot.x - 5, half(at2));
    context.lineTo(plot.x, half(at2));
    context.stroke();
  });
  const floor = (strip ? strip.y + strip.height : plot.y + plot.height) + 1;
  context.textAlign = "center";
  context.textBaseline = "top";
  tickTexts(across).forEach((text, k) => {
    const at2 = toX(x, plot, across[k]);
    context.fillText(text, at2, floor + 6);
    context.beginPath();
    context.moveTo(half(at2), floor);
    context.lineTo(half(at2), floor + 4);
    context.stroke();
  });
  context.textAlign = "center";
  context.fillText(variable, plot.x + plot.width / 2, floor + 19);
  context.strokeStyle = colours.ink;
  const base = plot.y + plot.height;
  for (const knot of knots) {
    if (knot < x[0] - 1e-9 || knot > x[1] + 1e-9) continue;
    const at2 = half(toX(x, plot, knot));
    const end = Math.abs(knot - domain[0]) < 1e-6 || Math.abs(knot - domain[1]) < 1e-6;
    context.beginPath();
    context.moveTo(at2, base);
    context.lineTo(at2, base - (end ? 9 : 5));
    context.stroke();
  }
}
var half = (at2) => Math.round(at2 - 0.5) + 0.5;

// src/spline_inspector/gesture.ts
var PAUSE2 = 50;
var PATIENCE = 2e3;
var NEAR = 2e-6;
var Gesture = class {
  #send;
  #at = null;
  #coefficients = null;
  #open = false;
  #sentAt = Number.NEGATIVE_INFINITY;
  #endedAt = 0;
  #timer;
  constructor(send) {
    this.#send = send;
  }
  /** The function that is changed here, and not yet, or not surely, in the model. */
  at() {
    return this.#at;
  }
  /** What to draw instead of a frame's coefficients. */
  coefficients() {
    return this.#coefficients;
  }
  /** Whether the pointer is still down. */
  isOpen() {
    return this.#open;
  }
  /** Takes another value of a gesture that goes on. */
  move(at2, coefficients, now) {
    this.#at = at2;
    this.#coefficients = coefficients;
    this.#open = true;
    if (this.#timer !== void 0) return;
    const wait = Math.max(0, this.#sentAt + PAUSE2 - now);
    if (wait === 0) this.#post(now, false);
    else {
      this.#timer = setTimeout(() => {
        this.#timer = void 0;
        if (this.#open) this.#post(now + wait, false);
      }, wait);
    }
  }
  /** The value stands: it is sent whatever was sent before. */
  end(now) {
    clearTimeout(this.#timer);
    this.#timer = void 0;
    if (!this.#open) return;
    this.#open = false;
    this.#endedAt = now;
    this.#post(now, true);
  }
  /** Looks at a frame's coefficients; returns whether the model has the value, or has gone on without it. */
  compare(present, live, now) {
    const mine = this.#coefficients;
    if (!mine || this.#open) return false;
    const agrees = present !== null && present.length === mine.length && mine.every((value, b) => Math.abs(value - present[b]) <= NEAR * Math.max(1, Math.abs(value)));
    if (!agrees && !(live && now - this.#endedAt > PATIENCE)) return false;
    this.drop();
    return true;
  }
  /** Milliseconds since the value was final. */
  waited(now) {
    return this.#coefficients && !this.#open ? now - this.#endedAt : 0;
  }
  /** Forgets the value: the model's counts. */
  drop() {
    clearTimeout(this.#timer);
    this.#timer = void 0;
    this.#open = false;
    this.#at = null;
    this.#coefficients = null;
  }
  #post(now, final) {
    if (!this.#at || !this.#coefficients) return;
    this.#sentAt = now;
    this.#send(this.#at, Array.from(this.#coefficients), final);
  }
};

// src/spline_inspector/header.ts
var COMMANDS = [
  ["undo", "↶ undo", "Take the last edit back"],
  ["redo", "↷ redo", "Do the last undone edit again"],
  ["reset", "initial", "Set this function to what it was in the first frame"],
  ["straighten", "line", "Set this function to the straight line that fits it best"],
  ["zero", "zero", "Set this function to zero everywhere: prune it"]
];
var INDEX = ["out", "in", "row", "column"];
function createHeader(document, actions, signal) {
  const kit = createKit(document, signal);
  const root = element(document, "div", "kw-header");
  root.setAttribute("role", "toolbar");
  root.setAttribute("aria-label", "Which function");
  const layers = kit.select("layer", "Which layer", actions.layer);
  layers.box.classList.add("kw-layer-menu");
  const type = element(document, "span", "kw-type");
  const walk = element(document, "span", "kw-walk");
  const back = kit.button(
    "‹",
    "Previous function of the layer ( [ )",
    "kw-button kw-step",
    () => actions.neighbour(-1)
  );
  const on = kit.button(
    "›",
    "Next function of the layer ( ] )",
    "kw-button kw-step",
    () => actions.neighbour(1)
  );
  const typing = /* @__PURE__ */ new Set();
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
        { signal }
      );
    }
    input.addEventListener("keydown", (event) => event.stopPropagation(), { signal });
    label.append(input);
    return { label, input };
  });
  walk.append(back, ...fields.map(({ label }) => label), on);
  root.append(layers.box, type, walk);
  const tools = element(document, "div", "kw-options", root);
  tools.setAttribute("role", "group");
  tools.setAttribute("aria-label", "View and edit");
  const way = kit.segments(
    "How the terms are drawn",
    (value) => actions.stacked(value === "stacked")
  );
  way.fill([
    { value: "overlay", label: "overlay", title: "Draw every term from zero" },
    {
      value: "stacked",
      label: "stacked",
      title: "Draw every term on top of those before it: the last edge is φ"
    }
  ]);
  const fit = kit.button(
    "fit",
    "Show all of it again ( 0, or a double click )",
    "kw-button",
    () => actions.fit()
  );
  const pin = kit.button(
    "pin",
    "Keep this function in the drawing to compare",
    "kw-button",
    () => actions.pin()
  );
  const editing = element(document, "span", "kw-editing");
  const commands = COMMANDS.map(([kind, text, title]) => {
    const made = kit.button(text, title, "kw-button", () => actions.command(kind));
    if (kind === "reset")
      editing.appendChild(element(document, "span", "kw-set-to")).textContent = "set to";
    editing.append(made);
    return { kind, made };
  });
  tools.append(way.box, fit, pin, editing);
  let listed = "";
  let shown = null;
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
  function show(state) {
    shown = state;
    const list = JSON.stringify(state.layers.map(({ name, type: kind2 }) => [name, kind2]));
    if (list !== listed) {
      listed = list;
      layers.fill(state.layers.map((one) => ({ value: one.name, label: layerTitle(one) })));
    }
    const { layer, at: at2 } = state;
    if (layer) layers.set(layer.name);
    const kind = layer?.name ? layer.type : "";
    put(type, kind);
    layers.box.title = kind;
    walk.hidden = !layer;
    if (layer && at2) {
      const values = [at2.out, at2.in, at2.row, at2.column];
      fields.forEach(({ label, input }, k) => {
        label.hidden = layer.kind === "linear" && k > 1;
        input.max = String(layer.shape[k] - 1);
        input.title = `${INDEX[k]}: 0 to ${layer.shape[k] - 1}`;
        input.disabled = layer.shape[k] === 1;
        const digits = `${Math.max(1, String(layer.shape[k] - 1).length)}ch`;
        if (input.style.getPropertyValue("--kw-digits") !== digits) {
          input.style.setProperty("--kw-digits", digits);
        }
        const text = String(values[k]);
        if (!typing.has(input) && input.value !== text) input.value = text;
      });
      back.disabled = layer.count < 2;
      on.disabled = layer.count < 2;
    }
    way.set(state.stacked ? "stacked" : "overlay");
    fit.disabled = !state.moved;
    const pressed = String(state.pinned);
    if (pin.getAttribute("aria-pressed") !== pressed) pin.setAttribute("aria-pressed", pressed);
    editing.hidden = !state.editable;
    for (const { kind: what, made } of commands) {
      const history = what === "undo" || what === "redo";
      const none = history && state.edits[what] === 0;
      made.disabled = !state.open || none || !history && state.locked !== "";
    }
  }
  return {
    element: root,
    show
  };
}

// src/spline_inspector/legend.ts
var MOST_COLUMNS = 3;
function createLegend(document, toggle, remove, signal) {
  const make = (tag, className) => element(document, tag, className);
  const root = make("div", "kw-legend");
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "What is drawn");
  const heads = root.appendChild(make("div", "kw-legend-heads"));
  const ats = Array.from({ length: MOST_COLUMNS }, () => {
    const head = heads.appendChild(make("div", "kw-legend-head"));
    for (const text of ["term", "weight"]) {
      element(document, "span", "kw-legend-cell", head).textContent = text;
    }
    return element(document, "span", "kw-legend-cell", head);
  });
  const list = root.appendChild(make("div", "kw-legend-rows"));
  let keys2 = "";
  let parts = [];
  list.addEventListener(
    "click",
    (event) => {
      const target = event.target;
      const away = target.closest(".kw-legend-remove");
      if (away) return remove(away.dataset.key ?? "");
      const button = target.closest(".kw-legend-row");
      if (button) toggle(button.dataset.key ?? "");
    },
    { signal }
  );
  list.addEventListener(
    "keydown",
    (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      const here = parts.findIndex(({ button }) => button === event.target);
      const next = parts[here + step];
      if (here < 0 || !next) return;
      event.preventDefault();
      event.stopPropagation();
      next.button.focus();
    },
    { signal }
  );
  function build(rows) {
    const focused = root.querySelector(":focus")?.dataset.key;
    parts = rows.map((row) => {
      const button = make("button", "kw-legend-row");
      button.type = "button";
      button.dataset.key = row.key;
      button.toggleAttribute("data-nested", row.nested);
      button.toggleAttribute("data-wraps", row.wraps === true);
      const swatch = button.appendChild(make("span", "kw-legend-swatch"));
      button.appendChild(make("span", "kw-legend-label")).textContent = row.label;
      const coefficient = button.appendChild(make("span", "kw-legend-number"));
      const value = button.appendChild(make("span", "kw-legend-number"));
      for (const one of [coefficient, value]) one.setAttribute("aria-hidden", "true");
      return { button, swatch, coefficient, value };
    });
    list.replaceChildren(
      ...rows.map((row, k) => {
        if (!row.removable) return parts[k].button;
        const holder = make("div", "kw-legend-pin");
        const away = make("button", "kw-legend-remove");
        away.type = "button";
        away.dataset.key = row.key;
        away.textContent = "×";
        away.title = `${row.key.startsWith("pin:") ? "Unpin" : "Remove"} ${row.label}`;
        away.setAttribute("aria-label", away.title);
        holder.append(parts[k].button, away);
        return holder;
      })
    );
    if (focused) parts.find(({ button }) => button.dataset.key === focused)?.button.focus();
  }
  return {
    element: root,
    show(rows, x) {
      const now = JSON.stringify(rows.map(({ key, label, nested }) => [key, label, nested]));
      if (now !== keys2) {
        keys2 = now;
        build(rows);
      }
      for (const at2 of ats) put(at2, x);
      rows.forEach((row, k) => {
        const { button, swatch, coefficient, value } = parts[k];
        const on = String(row.on);
        if (button.getAttribute("aria-pressed") !== on) button.setAttribute("aria-pressed", on);
        if (button.title !== row.title) button.title = row.title;
        if (swatch.dataset.look !== row.look) swatch.dataset.look = row.look;
        if (swatch.dataset.colour !== row.colour) {
          swatch.dataset.colour = row.colour;
          swatch.style.color = row.colour;
        }
        button.toggleAttribute("data-wide", row.coefficient === "");
        put(coefficient, row.coefficient);
        put(value, row.value);
      });
    }
  };
}

// src/spline_inspector/palette.ts
var STOPS = [
  [72, 21, 104],
  [69, 55, 129],
  [51, 99, 141],
  [38, 130, 142],
  [31, 158, 137],
  [74, 193, 109],
  [149, 216, 64],
  [220, 227, 25]
];
var PART = { light: [0, 0.78], dark: [0.3, 1] };
var PINS = {
  light: ["#cc79a7", "#009e73", "#d55e00", "#56b4e9", "#5a4600", "#7a5195"],
  dark: ["#e39fc4", "#2fc79b", "#f08a45", "#8fd0f7", "#f0e442", "#b48ad6"]
};
var OVERLAYS = {
  light: ["#d55e00", "#009e73", "#cc79a7"],
  dark: ["#f08a45", "#2fc79b", "#e39fc4"]
};
function basisColours(count, theme) {
  const [first, last] = PART[theme];
  return Array.from({ length: count }, (_, k) => {
    const share = count > 1 ? k / (count - 1) : 0.5;
    const at2 = (first + share * (last - first)) * (STOPS.length - 1);
    const low = Math.min(STOPS.length - 2, Math.floor(at2));
    const mixed = STOPS[low].map(
      (from, c) => Math.round(from + (at2 - low) * (STOPS[low + 1][c] - from))
    );
    return `rgb(${mixed.join(", ")})`;
  });
}
function overlayColour(number2, theme) {
  return OVERLAYS[theme][number2 % OVERLAYS[theme].length];
}
function pinColour(number2, theme) {
  return PINS[theme][number2 % PINS[theme].length];
}

// src/shared/protocol.ts
var WireError = class extends Error {
  name = "WireError";
};
function float32(bytes, what) {
  return new Float32Array(copy(bytes, what));
}
function copy(bytes, what) {
  let view;
  if (ArrayBuffer.isView(bytes)) {
    view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } else if (bytes instanceof ArrayBuffer) {
    view = new Uint8Array(bytes);
  } else {
    throw new WireError(`Got ${describe2(bytes)} for ${what}; needed: bytes.`);
  }
  if (view.byteLength % 4 !== 0) {
    throw new WireError(`Got ${view.byteLength} bytes for ${what}; needed: a multiple of 4.`);
  }
  return new Uint8Array(view).buffer;
}
function describe2(value) {
  if (value === null || ["undefined", "number", "boolean", "bigint"].includes(typeof value)) {
    return String(value);
  }
  return typeof value === "string" ? `"${value.slice(0, 40)}"` : typeof value;
}

// src/spline_inspector/settings.ts
var PARTS = [
  "phi",
  "base",
  "spline",
  "basis",
  "ghost",
  "points",
  "knots",
  "density"
];
var TRAITS = [
  "layer",
  "editable",
  "show",
  "hidden",
  "stacked",
  "height",
  "theme",
  "pins",
  "overlays",
  "evaluation",
  "notice"
];
function settingsOf(get) {
  const list = (value) => Array.isArray(value) ? value : [];
  const shown = list(get("show") ?? PARTS);
  const evaluation = get("evaluation") ?? {};
  return {
    editable: get("editable") === true,
    show: new Set(PARTS.filter((part) => shown.includes(part))),
    hidden: new Set(list(get("hidden"))),
    stacked: get("stacked") === true,
    pins: list(get("pins")),
    overlays: list(get("overlays")).map(readOverlay),
    evaluation: {
      state: evaluation.state ?? "",
      before: evaluation.before ?? null,
      after: evaluation.after ?? null
    },
    notice: String(get("notice") ?? "")
  };
}
function readOverlay(wire) {
  const { label, low, high, shown, samples, ...at2 } = wire;
  const y = float32(samples, `overlay ${label}`);
  const last = Math.max(1, y.length - 1);
  const x = Float64Array.from(y, (_, p) => low + (high - low) * p / last);
  return { at: at2, label, x, y, shown: shown !== false };
}
function overlayAt({ x, y }, at2) {
  const last = x.length - 1;
  const place = (at2 - x[0]) / (x[last] - x[0]) * last;
  if (!(place >= 0 && place <= last)) return null;
  const left = Math.min(last - 1, Math.floor(place));
  const share = place - left;
  const value = share === 0 ? y[left] : y[left] + share * (y[left + 1] - y[left]);
  return Number.isFinite(value) ? value : null;
}
function samePlace(a, b) {
  if (!a || !b) return a === b;
  return a.layer === b.layer && a.out === b.out && a.in === b.in && a.row === b.row && a.column === b.column;
}

// src/spline_inspector/words.ts
var UNSEEN = "live.observe(batch) shows the inputs";
function pinText(layer, at2) {
  const entry = layer.kind === "conv" ? ` · ${at2.row},${at2.column}` : "";
  return `${layer.name || layer.type} · ${at2.out},${at2.in}${entry}`;
}
function rangeText(values) {
  const found = values.every(Number.isFinite) ? limits(values) : null;
  return found ? `φ from ${inFull(found[0])} to ${inFull(found[1])}` : "φ is not finite";
}
function windowText(variable, [low, high]) {
  return `${variable} from ${number(low)} to ${number(high)}`;
}
function percent(share) {
  if (!(share > 0)) return "none";
  if (share < 1e-3) return "under 0.1 %";
  if (share >= 0.9995) return "all";
  return `${number(100 * share).split("e").join("·10^").replace(/(\.\d)\d+$/, "$1")} %`;
}
function inputsText(phi, observed) {
  if (!observed) return "";
  const entry = entryOf(phi.layer, phi.f);
  if (entry >= observed.entries) return "";
  const grid = observed.outsideDomain[entry];
  const support = observed.outsideExtent[entry];
  const of = `of the inputs (${formatCount(observed.samples)} samples)`;
  return `${percent(grid)} ${of} outside the grid, ${percent(support)} outside the support`;
}
function evaluationText(value) {
  if (value === null) return "…";
  const text = value.toFixed(4);
  return Math.abs(value) <= 100 && Number(text) !== 0 ? text.replace("-", "−") : number(value);
}

// src/spline_inspector/picture.ts
function sampler() {
  const kept = /* @__PURE__ */ new Map();
  return (role, phi, x, count) => {
    const key = `${x}|${count}|${phi.table}`;
    const known2 = kept.get(role);
    if (known2?.layer === phi.layer && known2.key === key) return known2.made;
    const made = sample(phi, x, count);
    kept.set(role, { layer: phi.layer, key, made });
    return made;
  };
}
function makePicture(from, samplesOf) {
  const { phi, settings, x, theme, colours, observed, frame } = from;
  const { layer } = phi;
  const { show } = settings;
  const count = Math.max(64, Math.min(900, Math.round(from.width)));
  const samples = samplesOf("phi", phi, x, count);
  const curves = [];
  const lines = [];
  const shownLines = [];
  const value = (name, term) => {
    const y = curve(phi, samples, term);
    curves.push({ name, x: samples.x, y });
    return y;
  };
  const whole = value("phi", "phi");
  const base = value("base", "base");
  const spline = value("spline", "spline");
  const parts = layer.isBase.map((_, b) => b);
  const bases = parts.filter((b) => layer.isBase[b]);
  const others = parts.filter((b) => !layer.isBase[b]);
  const ramp = basisColours(others.length, theme);
  const colourOf = (b) => layer.isBase[b] ? colours.base : ramp[others.indexOf(b)];
  const zero = new Float64Array(samples.x.length);
  const drawn = others.filter((b) => show.has("basis") && !settings.hidden.has(layer.labels[b]));
  for (const b of parts) value(layer.labels[b], b);
  const own = (b) => curves.find(({ name }) => name === layer.labels[b])?.y ?? zero;
  const add = (line) => {
    const made = { x: samples.x, ...line };
    lines.push(made);
    shownLines.push(made);
  };
  const ghost = show.has("ghost") ? ghostOf(from) : null;
  if (ghost) {
    const points2 = samplesOf("ghost", ghost, x, count);
    const y = curve(ghost, points2, "phi");
    curves.push({ name: "ghost", x: points2.x, y });
    const line = { x: points2.x, y, colour: colours.ghost, width: 1.5, dash: [6, 4] };
    lines.push(line);
    shownLines.push(line);
  }
  if (settings.stacked) {
    const laid = [...show.has("base") ? bases : [], ...drawn];
    const layers = stack(phi, samples, laid);
    for (const { b, from: low, to } of layers) {
      add({ y: to, from: low, fill: 0.34, colour: colourOf(b), width: 1 });
    }
    let top = layers.at(-1)?.to ?? zero;
    if (!show.has("basis") && show.has("spline") && others.length > 0) {
      const low = top;
      top = low.map((at2, p) => at2 + spline[p]);
      add({ y: top, from: low, fill: 0.34, colour: colours.spline, width: 1 });
    }
    curves.push({ name: "stack", x: samples.x, y: top });
  } else {
    for (const b of drawn) {
      add({ y: own(b), from: zero, fill: 0.1, colour: colourOf(b), width: 1.25 });
    }
    if (show.has("spline") && others.length > 0 && bases.length > 0) {
      add({ y: spline, colour: colours.spline, width: 2 });
    }
    if (show.has("base") && bases.length > 0 && others.length > 0) {
      add({ y: base, colour: colours.base, width: 2 });
    }
  }
  const here = selectionOf(layer, phi.f);
  const pins = settings.pins.map((at2, k) => ({
    at: at2,
    phi: phiOf(frame, at2),
    colour: pinColour(k, theme)
  }));
  pins.forEach(({ at: at2, phi: pinned, colour: colour2 }, k) => {
    if (!pinned || samePlace(at2, here)) return;
    const points2 = samplesOf(`pin${k}`, pinned, x, count);
    const y = curve(pinned, points2, "phi");
    curves.push({ name: `pin${k}`, x: points2.x, y });
    const line = { x: points2.x, y, colour: colour2, width: 2 };
    lines.push(line);
    shownLines.push(line);
  });
  if (show.has("phi")) add({ y: whole, colour: colours.ink, width: 2.5 });
  const overlays = settings.overlays.map((overlay, k) => ({ k, overlay })).filter(({ overlay }) => samePlace(overlay.at, here)).map((own2, n) => ({ ...own2, colour: overlayColour(n, theme) }));
  for (const { k, overlay, colour: colour2 } of overlays) {
    if (!overlay.shown) continue;
    curves.push({ name: `overlay${k}`, x: overlay.x, y: Float64Array.from(overlay.y) });
    const line = { x: overlay.x, y: overlay.y, colour: colour2, width: 2, dash: [7, 5] };
    lines.push(line);
    shownLines.push({ ...line, y: overlay.y.filter((_, p) => covers(x, overlay.x[p])) });
  }
  const handles = show.has("points") && !settings.stacked ? handlesOf(phi) : [];
  const inside = handles.filter((handle) => handle.x >= x[0] && handle.x <= x[1]);
  const heights = inside.map((handle) => heightOf(handle, phi.coefficients));
  const held = limits(...shownLines.map(({ y }) => y), heights);
  const reaches = shownLines.map(({ y }) => limits(y)).filter((reach) => reach !== null);
  const { domain, knots } = basisRange(phi);
  return {
    phi,
    at: here,
    x,
    held,
    reaches,
    whole,
    lines,
    curves,
    handles,
    order: splineOrder(phi),
    domain,
    knots: show.has("knots") ? knots : [],
    density: show.has("density") ? densityOf(phi, observed) : void 0,
    colourOf,
    ghost,
    pins,
    overlays
  };
}
var covers = ([low, high], x) => x >= low && x <= high;
function ghostOf({ phi, ghost, frame }) {
  if (!ghost || ghost === frame) return null;
  return phiOf(ghost, selectionOf(phi.layer, phi.f));
}
function densityOf(phi, observed) {
  if (!observed) return null;
  const entry = entryOf(phi.layer, phi.f);
  if (entry >= observed.entries) return null;
  const { bins, edges, counts } = observed;
  return { edges, counts: counts.subarray(entry * bins, (entry + 1) * bins) };
}
function legendRows(picture, settings, reading2, colours) {
  const { phi, ghost, pins, overlays } = picture;
  const { layer, coefficients } = phi;
  const { show } = settings;
  const printed = (value) => value === null || value === void 0 ? "" : number(value);
  const rows = [];
  const row = (key, label, title, more) => rows.push({
    key,
    label,
    title,
    colour: colours.ink,
    look: "line",
    on: show.has(key),
    nested: false,
    coefficient: "",
    value: "",
    removable: false,
    ...more
  });
  const parts = layer.labels.map((label, b) => ({ label, b }));
  const bases = parts.filter(({ b }) => layer.isBase[b]);
  const others = parts.filter(({ b }) => !layer.isBase[b]);
  const many = others.length > 0 ? `${others[0].label} … ${others[others.length - 1].label}` : "";
  row("phi", "φ", "φ, the sum of all terms", { value: printed(reading2?.phi) });
  for (const { k, overlay, colour: colour2 } of overlays) {
    const [low, high] = [overlay.x[0], overlay.x[overlay.x.length - 1]];
    rows.push({
      key: `overlay:${k}`,
      label: overlay.label,
      title: `${overlay.label}, drawn from ${number(low)} to ${number(high)}`,
      colour: colour2,
      look: "dashes",
      on: overlay.shown,
      nested: false,
      coefficient: "",
      value: printed(reading2 && overlayAt(overlay, reading2.x)),
      removable: true,
      wraps: true
    });
  }
  if (bases.length > 0) {
    const single = bases.length === 1 ? bases[0] : null;
    row(
      "base",
      single ? `base · ${single.label}` : "base",
      single ? `the base term: ${single.label} with its weight` : "the base term",
      {
        colour: colours.base,
        coefficient: single ? printed(coefficients[single.b]) : "",
        value: printed(reading2?.base)
      }
    );
  }
  if (others.length > 0) {
    const name = picture.order >= 0 ? "splines" : many;
    if (bases.length > 0 && !(settings.stacked && show.has("basis"))) {
      row("spline", name, `the spline term: the sum of ${many}`, {
        colour: colours.spline,
        value: printed(reading2?.spline)
      });
    }
    row("basis", "each one", `every basis function times its weight: ${many}`, {
      look: "none",
      colour: colours.muted
    });
    for (const { label, b } of others) {
      rows.push({
        key: `b:${label}`,
        label,
        title: `${label} times its weight`,
        colour: picture.colourOf(b),
        look: "thin",
        on: show.has("basis") && !settings.hidden.has(label),
        nested: true,
        coefficient: printed(coefficients[b]),
        value: printed(reading2?.terms[b]),
        removable: false
      });
    }
  }
  const then = ghost && reading2 ? readAt(ghost, reading2.x)?.phi ?? null : null;
  const step = ghost ? `step ${ghost.step.toLocaleString("en")}` : "initial";
  row("ghost", step, "φ at the start, or at the step that is pinned", {
    look: "dashes",
    colour: colours.ghost,
    value: printed(then)
  });
  pins.forEach(({ at: at2, phi: pinned, colour: colour2 }, k) => {
    const text = pinned ? pinText(pinned.layer, at2) : `${at2.layer} · gone`;
    rows.push({
      key: `pin:${k}`,
      label: text,
      title: pinned ? `pinned: ${at2.layer}, ${placeText(pinned.layer, at2)}; show it here` : `pinned: ${text}`,
      colour: colour2,
      look: "line",
      on: true,
      nested: false,
      coefficient: "",
      value: printed(pinned && reading2 ? readAt(pinned, reading2.x)?.phi : null),
      removable: true
    });
  });
  if (!settings.stacked)
    row(
      "points",
      picture.order >= 0 ? "control points" : "handles",
      "the points by which the terms are held",
      { look: "point", colour: colours.muted }
    );
  if ((layer.bases[phi.table]?.knots ?? layer.knots).length > 0) {
    row("knots", "knots", "where the pieces of the splines meet", {
      look: "knot",
      colour: colours.muted
    });
  }
  row("density", "inputs", "the inputs that reached this function", {
    look: "bars",
    colour: colours.density
  });
  return rows;
}

// src/spline_inspector/score.ts
var WAITING = {
  waiting: "evaluated when the training rests",
  running: "evaluating…"
};
function createScore(document) {
  const root = element(document, "div", "kw-score");
  root.setAttribute("role", "status");
  return {
    element: root,
    show({ state, before, after }) {
      root.hidden = state === "";
      if (!state) return;
      const text = `held out  ${evaluationText(before)} → ${evaluationText(after)}`;
      put(root, WAITING[state] ?? text);
      const better = after !== null && before !== null ? Math.sign(after - before) : 0;
      root.dataset.change = state === "done" ? ["worse", "same", "better"][better + 1] : "same";
    }
  };
}

// src/spline_inspector/view.ts
var SLOW = 600;
var CLOSEST2 = 1e-4;
var FURTHEST = 20;
var BESIDE = 560;
function createView(model, el, signal, host) {
  const document = el.ownerDocument;
  const window = document.defaultView;
  const make = (tag, className) => element(document, tag, className);
  const root = make("div", "kw-view kw-spline-inspector");
  keepKeys(root, signal);
  const header = createHeader(
    document,
    {
      layer: (name2) => {
        write2("layer", name2);
        chooseInLinked(model, host, name2);
        const layer = layers().find((other) => other.name === name2);
        if (layer) select(selectionOf(layer, 0));
      },
      select,
      neighbour,
      stacked: (value) => write2("stacked", value),
      fit,
      pin: togglePin,
      command
    },
    signal
  );
  const caption = make("div", "kw-caption");
  const facts = caption.appendChild(make("span", "kw-facts"));
  const range = facts.appendChild(make("span", "kw-range"));
  const where = facts.appendChild(make("span", "kw-window"));
  const inputs = facts.appendChild(make("span", "kw-inputs"));
  const note = facts.appendChild(make("span", "kw-note"));
  const status = createStatus(document, schedule);
  caption.prepend(status.element);
  const body = make("div", "kw-body");
  const plot = body.appendChild(make("div", "kw-plot"));
  const canvas = plot.appendChild(make("canvas", "kw-canvas"));
  const dots = createDots(document);
  const handleLayer = plot.appendChild(dots.element);
  const message = plot.appendChild(make("div", "kw-message"));
  const side = body.appendChild(make("div", "kw-side"));
  const readout = side.appendChild(make("div", "kw-reading"));
  const readX = readout.appendChild(make("span", "kw-read"));
  const readPhi = readout.appendChild(make("span", "kw-read"));
  const readSlope = readout.appendChild(make("span", "kw-read"));
  const legend = createLegend(document, toggle, remove, signal);
  const score = createScore(document);
  side.append(legend.element, score.element);
  const foot = make("div", "kw-foot");
  const time = make("div", "kw-when");
  const spoken = make("div", "kw-spoken");
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", "Spline inspector, waiting for the kernel");
  message.setAttribute("role", "status");
  foot.setAttribute("role", "status");
  spoken.setAttribute("aria-live", "polite");
  const name = () => {
    const at2 = picture?.at;
    const place2 = at2 ? `${at2.layer} ${at2.out}-${at2.in}-${at2.row}-${at2.column}` : "";
    return `spline-inspector ${place2} step ${drawnFrame?.step ?? ""}`;
  };
  const footRow = make("div", "kw-readout-row");
  footRow.append(foot, createSave(document, { root: () => root, name, redraw: draw }, signal));
  root.append(header.element, caption, body, footRow, time, spoken);
  let store = null;
  let picture = null;
  let places = null;
  let colours = null;
  let yShown = [-1, 1];
  let xChosen = null;
  let yChosen = null;
  let reading2 = null;
  let shown = null;
  let dragged = null;
  let panned = null;
  let layerSeen = "";
  let drawnFrame = null;
  let frames = 0;
  let milliseconds = 0;
  let onScreen = true;
  let waiting = false;
  let later;
  const samplesOf = sampler();
  const context = canvas.getContext("2d");
  const pace = createPace(window, draw);
  const unseen = createUnseen(schedule);
  const gesture = new Gesture((at2, coefficients, final) => store?.edit(at2, coefficients, final));
  function schedule() {
    if (onScreen) pace.now();
    else waiting = true;
  }
  function again(milliseconds2) {
    clearTimeout(later);
    later = setTimeout(schedule, milliseconds2);
  }
  function write2(trait, value) {
    model.set(trait, value);
    model.save_changes();
    schedule();
  }
  function layers() {
    return store?.current()?.layout.layers ?? [];
  }
  function place() {
    const frame = store?.current() ?? null;
    const chosen = store?.selection() ?? null;
    if (chosen && phiOf(frame, chosen)) return chosen;
    const all = layers();
    const layer = all.find(({ name: name2 }) => name2 === model.get("layer")) ?? all[0];
    return layer ? selectionOf(layer, 0) : null;
  }
  function select(at2) {
    endDrag();
    store?.select(at2);
    schedule();
  }
  function neighbour(step) {
    const at2 = place();
    const phi = phiOf(store?.current() ?? null, at2);
    if (!phi) return;
    const { count } = phi.layer;
    const next = selectionOf(phi.layer, (phi.f + step + count) % count);
    select(next);
    spoken.textContent = placeText(phi.layer, next);
  }
  function toggle(key) {
    if (key.startsWith("overlay:")) {
      const number2 = Number(key.slice(8));
      const change = (one) => ({ ...one, shown: one.shown === false });
      write2(
        "overlays",
        model.get("overlays").map((one, k) => k === number2 ? change(one) : one)
      );
      return;
    }
    if (key.startsWith("pin:")) {
      const at2 = settings().pins[Number(key.slice(4))];
      if (at2) select(at2);
      return;
    }
    if (key.startsWith("b:")) {
      const label = key.slice(2);
      const { show: show3, hidden: hidden2 } = settings();
      const others = picture?.phi.layer.labels.filter((_, b) => !picture?.phi.layer.isBase[b]) ?? [];
      if (!show3.has("basis")) {
        model.set(
          "hidden",
          others.filter((other) => other !== label)
        );
        write2("show", ordered(/* @__PURE__ */ new Set([...show3, "basis"])));
        return;
      }
      const next2 = new Set(hidden2);
      if (!next2.delete(label)) next2.add(label);
      write2("hidden", [...next2]);
      return;
    }
    const { show: show2, hidden } = settings();
    const next = new Set(show2);
    const part = key;
    if (part === "basis" && next.has(part) && hidden.size > 0) {
      write2("hidden", []);
      return;
    }
    if (!next.delete(part)) next.add(part);
    if (part === "basis" && next.has(part)) model.set("hidden", []);
    write2("show", ordered(next));
  }
  const ordered = (parts) => PARTS.filter((part) => parts.has(part));
  function settings() {
    return settingsOf((name2) => model.get(name2));
  }
  function togglePin() {
    const at2 = place();
    if (!at2) return;
    const { pins } = settings();
    const others = pins.filter((pin) => !samePlace(pin, at2));
    write2("pins", others.length < pins.length ? others : [...pins, at2]);
  }
  function remove(key) {
    const number2 = Number(key.slice(key.indexOf(":") + 1));
    if (key.startsWith("overlay:")) {
      write2(
        "overlays",
        model.get("overlays").filter((_, k) => k !== number2)
      );
      return;
    }
    write2(
      "pins",
      settings().pins.filter((_, k) => k !== number2)
    );
  }
  function command(kind) {
    const at2 = place();
    if (!store || !at2) return;
    endDrag();
    gesture.drop();
    if (kind === "undo" || kind === "redo") store.command(kind);
    else store.command(kind, at2);
    schedule();
  }
  function canEdit(layer) {
    return settings().editable && layer.locked === "" && isOpen() && (store?.cursor() ?? -1) < 0;
  }
  function isOpen() {
    const state = store?.status().state;
    return state === "live" || state === "idle";
  }
  function take(handle) {
    if (!picture) return;
    dragged = { handle, from: picture.phi.coefficients.slice(), moved: false };
  }
  function pull(height) {
    if (!dragged || !picture || !Number.isFinite(height)) return;
    dragged.moved = true;
    const next = moved2(picture.phi.coefficients, dragged.handle, height);
    gesture.move(picture.at, next, performance.now());
    schedule();
  }
  function endDrag() {
    if (!dragged) return;
    dragged = null;
    gesture.end(performance.now());
    schedule();
  }
  function nudge(handle, share) {
    if (!picture) return;
    if (!dragged) take(handle);
    const step = (yShown[1] - yShown[0]) * 0.01 * share;
    const height = heightOf(handle, picture.phi.coefficients) + step;
    pull(height);
    const next = gesture.coefficients();
    if (next) picture.phi.coefficients = next;
    spoken.textContent = `${handle.label} ${number(height / handle.rise)}`;
  }
  function say(text, tone) {
    message.hidden = text === "";
    message.dataset.tone = tone;
    put(message, text);
    if (!text) return;
    canvas.hidden = true;
    handleLayer.hidden = true;
    picture = null;
  }
  function draw() {
    waiting = false;
    const asked = model.get("theme");
    const followed = asked !== "light" && asked !== "dark";
    const theme = followed ? themeAround(el) : asked;
    setData("kwTheme", theme);
    setData("kwHost", followed && inJupyter(document) ? "jupyter" : null);
    plot.style.height = `${Math.max(160, Number(model.get("height")) || 380)}px`;
    setData("kwNarrow", root.clientWidth < BESIDE ? "true" : null);
    if (!store) return;
    const now = performance.now();
    status.show(store);
    const given = settings();
    const at2 = place();
    const frame = store.current();
    if (store.protocolError || !frame || !at2) {
      showHeader(null, null, given);
      if (store.protocolError) say(store.protocolError, "warn");
      else say(frame ? "no layer to draw" : "waiting for the first frame…", "calm");
      return;
    }
    const phi = presentPhi(frame, at2, now);
    if (!phi) return;
    showHeader(phi.layer, at2, given);
    if (plot.clientWidth === 0 || !context) {
      unseen.hidden();
      return;
    }
    unseen.shown();
    say("", "calm");
    canvas.hidden = false;
    handleLayer.hidden = false;
    const key = `${phi.layer.name}|${phi.layer.shape}|${tableRange(phi)}`;
    if (key !== layerSeen) {
      layerSeen = key;
      xChosen = null;
      yChosen = null;
    }
    const width = plot.clientWidth;
    const height = plot.clientHeight;
    const ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    places = placesIn(width, height, given.show.has("density"));
    colours = readColours(root, COLOURS);
    const x = xChosen ?? wholeRange(phi);
    picture = makePicture(
      {
        phi,
        frame,
        x,
        theme,
        colours,
        settings: given,
        ghost: store.ghost(),
        observed: given.show.has("density") ? store.observed(phi.layer.name) : null,
        width: places.plot.width
      },
      samplesOf
    );
    if (!dragged) yShown = yRange(picture);
    shown = reading2 === null ? null : readAt(phi, reading2);
    const corners = picture.handles.filter(({ control }) => control).map((handle) => ({ x: handle.x, y: heightOf(handle, phi.coefficients) }));
    paint2(
      context,
      {
        x,
        y: yShown,
        variable: phi.layer.variable,
        domain: picture.domain,
        knots: picture.knots,
        lines: picture.lines,
        polygon: corners,
        density: picture.density,
        hint: UNSEEN,
        mark: markOf(phi, at2),
        reading: shown && { x: shown.x, marks: marks(shown, given.show, colours) }
      },
      places,
      {
        width,
        height,
        ratio,
        font: `11px ${getComputedStyle(root).fontFamily || "sans-serif"}`,
        colours
      }
    );
    dots.show(picture, places.plot, yShown, canEdit(phi.layer), dragged?.handle.b ?? -1);
    legend.show(legendRows(picture, given, shown, colours), shown ? "at x" : "");
    showWords(picture, given);
    if (frame !== drawnFrame) {
      drawnFrame = frame;
      frames++;
    }
    milliseconds = performance.now() - now;
  }
  function settle(now) {
    const edited = gesture.at();
    if (!store || !edited) return;
    const newest = phiOf(store.latest(), edited);
    gesture.compare(newest?.coefficients ?? null, store.status().state === "live", now);
  }
  function presentPhi(frame, at2, now) {
    const plain2 = phiOf(frame, at2);
    if (!store || !plain2 || store.cursor() >= 0) return plain2;
    settle(now);
    if (gesture.coefficients()) again(SLOW);
    return samePlace(gesture.at(), at2) ? phiOf(frame, at2, gesture.coefficients()) : plain2;
  }
  function marks(at2, show2, inks) {
    const layer = picture?.phi.layer;
    const found = [];
    if (settings().stacked) return show2.has("phi") ? [{ y: at2.phi, colour: inks.ink }] : [];
    const both = layer?.isBase.some((is) => is) && layer.isBase.some((is) => !is);
    if (both && show2.has("spline")) found.push({ y: at2.spline, colour: inks.spline });
    if (both && show2.has("base")) found.push({ y: at2.base, colour: inks.base });
    if (show2.has("phi")) found.push({ y: at2.phi, colour: inks.ink });
    return found;
  }
  function markOf(phi, at2) {
    const probe = store && probeOf(store).current();
    const x = probe?.layer === phi.layer.name ? probe.valueFor(at2) : null;
    const read = x === null ? null : readAt(phi, x);
    return read && { x: read.x, y: read.phi };
  }
  function showHeader(layer, at2, given = settings()) {
    header.show({
      layers: layers(),
      layer,
      at: at2,
      stacked: given.stacked,
      editable: given.editable,
      locked: layer?.locked ?? "",
      open: isOpen() && (store?.cursor() ?? -1) < 0,
      edits: store?.edits() ?? { undo: 0, redo: 0, message: "" },
      pinned: given.pins.some((pin) => samePlace(pin, at2)),
      moved: xChosen !== null || yChosen !== null
    });
  }
  function showWords(from, given = settings()) {
    const { phi, at: at2 } = from;
    const { layer } = phi;
    put(range, rangeText(from.whole));
    range.dataset.tone = phi.coefficients.every(Number.isFinite) ? "calm" : "warn";
    put(where, windowText(layer.variable, from.x));
    const seen = store?.observed(layer.name) ?? null;
    put(inputs, inputsText(phi, seen));
    put(note, layer.note);
    const v = layer.variable;
    put(readX, shown ? `${v} ${number(shown.x)}` : "");
    put(readPhi, shown ? `φ ${number(shown.phi)}` : "point at the curve to read it");
    put(readSlope, shown ? `φ′ ${number(shown.slope)}` : "");
    readout.toggleAttribute("data-reading", shown !== null);
    score.show(given.evaluation);
    const edits = store?.edits();
    const warning = given.notice || (edits?.message ?? "");
    const late = gesture.waited(performance.now()) > SLOW ? "waiting for the model…" : "";
    const locked = given.editable && layer.locked ? layer.locked : "";
    const back = given.editable && !locked && (store?.cursor() ?? -1) >= 0 ? "Looking back: editing starts again at “live”." : "";
    const help = given.editable && !locked ? "Drag a point to change its weight." : "";
    put(foot, warning || late || locked || back || help);
    foot.dataset.tone = warning ? "warn" : "calm";
    describe(
      canvas,
      `Function of layer ${layer.name || layer.type}, ${placeText(layer, at2)}. ${rangeText(from.whole)}, ${windowText(v, from.x)}. Left and right arrow read it out, plus and minus zoom, up and down arrow move the view, as left and right do at its edge, 0 shows all, square brackets go to the previous and the next function.`,
      JSON.stringify([layer.name, at2, given.stacked, given.editable])
    );
  }
  function fit() {
    xChosen = null;
    yChosen = null;
    schedule();
  }
  function yRange({ held, reaches }) {
    if (yChosen) return inSight(yChosen, reaches);
    return xChosen ? fitted(held) : roomy(held);
  }
  function show(x, y) {
    if (!picture) return;
    if (x) xChosen = within(x, tableRange(picture.phi));
    if (y) yChosen = inSight(y, picture.reaches);
    schedule();
  }
  function acrossBy(factor, at2) {
    if (!picture) return null;
    const { phi } = picture;
    const next = zoomedWithin(xChosen ?? wholeRange(phi), at2, factor, tableRange(phi));
    return next && (() => {
      xChosen = next;
      yChosen = null;
      schedule();
    });
  }
  function upBy(factor, at2) {
    if (!picture) return null;
    const [low, high] = roomy(picture.held);
    const share = (yShown[1] - yShown[0]) / (high - low);
    if (factor < 1 ? share <= CLOSEST2 : share >= FURTHEST) return null;
    const next = zoomed(yShown, at2, factor);
    return () => show(null, next);
  }
  function spot(event) {
    const box2 = canvas.getBoundingClientRect();
    return { px: event.clientX - box2.left, py: event.clientY - box2.top };
  }
  function onWheel(event) {
    if (!picture || !places || dragged) return null;
    const { px, py } = spot(event);
    const { plot: box2 } = places;
    const factor = wheelFactor(event);
    if (px < box2.x) return upBy(factor, fromY(yShown, box2, py));
    return acrossBy(factor, fromX(picture.x, box2, px));
  }
  function onMove(event) {
    if (!picture || !places) return;
    const { px, py } = spot(event);
    const { plot: box2 } = places;
    if (panned) {
      const dx = (panned.px - px) / box2.width * (panned.x[1] - panned.x[0]);
      const dy = (py - panned.py) / box2.height * (panned.y[1] - panned.y[0]);
      if (Math.abs(panned.px - px) + Math.abs(panned.py - py) > 2) {
        show(shifted(panned.x, dx), shifted(panned.y, dy));
      }
    }
    const inside = px >= box2.x && px <= box2.x + box2.width;
    reading2 = inside ? fromX(picture.x, box2, px) : null;
    schedule();
  }
  function onDown(event) {
    if (!picture || event.button !== 0) return;
    const { px, py } = spot(event);
    panned = { px, py, x: picture.x, y: yShown };
    canvas.setPointerCapture?.(event.pointerId);
    canvas.toggleAttribute("data-panning", true);
  }
  function onUp() {
    panned = null;
    canvas.removeAttribute("data-panning");
  }
  function onKey(event) {
    if (!picture || !plainKey(event)) return;
    const x = xChosen ?? wholeRange(picture.phi);
    const y = yRange(picture);
    const [low, high] = x;
    const middle = reading2 ?? (low + high) / 2;
    const { key } = event;
    if (key === "ArrowLeft" || key === "ArrowRight") {
      const step = (high - low) / (event.shiftKey ? 20 : 100) * (key === "ArrowLeft" ? -1 : 1);
      const to = reading2 === null ? middle : reading2 + step;
      if (xChosen && (to < low || to > high)) show(shifted(x, step), null);
      const [least, most] = xChosen ?? x;
      reading2 = Math.max(least, Math.min(most, to));
      const at2 = readAt(picture.phi, reading2);
      if (at2)
        spoken.textContent = `x ${number(at2.x)}, φ ${number(at2.phi)}, slope ${number(at2.slope)}`;
    } else if (key === "ArrowUp" || key === "ArrowDown") {
      const step = (y[1] - y[0]) * (event.shiftKey ? 0.25 : 0.05);
      show(null, shifted(y, key === "ArrowUp" ? step : -step));
    } else if (key === "+" || key === "=") {
      acrossBy(0.8, middle)?.();
    } else if (key === "-") {
      acrossBy(1.25, middle)?.();
    } else if (key === "0") fit();
    else if (key === "[" || key === "PageUp") neighbour(-1);
    else if (key === "]" || key === "PageDown") neighbour(1);
    else if (key === "Escape") reading2 = null;
    else return;
    used(event);
    schedule();
  }
  function handleOf(event) {
    return picture?.handles[dots.numberOf(event)] ?? null;
  }
  function onHandleDown(event) {
    const handle = handleOf(event);
    if (!handle || !picture || event.button !== 0 || !canEdit(picture.phi.layer)) return;
    event.stopPropagation();
    const dot = event.target;
    dot.setPointerCapture?.(event.pointerId);
    dots.remember(dots.numberOf(event));
    take(handle);
  }
  function onHandleMove(event) {
    if (!dragged || !places || !picture) return;
    const { px, py } = spot(event);
    reading2 = fromX(picture.x, places.plot, px);
    if (event.buttons !== 0) pull(fromY(yShown, places.plot, py));
    schedule();
  }
  function onHandleUp() {
    if (dragged && !dragged.moved) dragged = null;
    else endDrag();
  }
  function onHandleKey(event) {
    const handle = handleOf(event);
    if (!handle || !picture || !plainKey(event)) return;
    const { key } = event;
    if (key === "ArrowUp" || key === "ArrowDown") {
      if (!canEdit(picture.phi.layer)) return;
      nudge(handle, (key === "ArrowUp" ? 1 : -1) * (event.shiftKey ? 10 : 1));
    } else if (key === "ArrowLeft" || key === "ArrowRight") {
      dots.step(dots.numberOf(event), key === "ArrowLeft" ? -1 : 1);
    } else if (key === "Escape" && dragged) {
      gesture.move(picture.at, dragged.from, performance.now());
      endDrag();
    } else return;
    used(event);
    schedule();
  }
  function onStore(what) {
    if (what === "edits" && store?.edits().message) gesture.drop();
    if (what === "selection" && dragged && !samePlace(place(), gesture.at())) endDrag();
    if (what === "frame") settle(performance.now());
    if (what === "frame" && onScreen) pace.soon();
    else schedule();
  }
  function onLayer() {
    const name2 = model.get("layer");
    const layer = layers().find((other) => other.name === name2);
    const chosen = store?.selection();
    if (layer && chosen && chosen.layer !== name2) store?.select(selectionOf(layer, 0));
    schedule();
  }
  function setData(name2, value) {
    if (value === null) delete root.dataset[name2];
    else if (root.dataset[name2] !== value) root.dataset[name2] = value;
  }
  for (const trait of TRAITS) model.on(`change:${trait}`, trait === "layer" ? onLayer : schedule);
  takeWheel(plot, onWheel, signal);
  canvas.addEventListener("pointermove", onMove, { signal });
  canvas.addEventListener("pointerdown", onDown, { signal });
  canvas.addEventListener(
    "mousedown",
    (event) => {
      event.preventDefault();
      canvas.focus({ preventScroll: true });
    },
    { signal }
  );
  canvas.addEventListener("pointerup", onUp, { signal });
  canvas.addEventListener("pointercancel", onUp, { signal });
  canvas.addEventListener("dblclick", fit, { signal });
  canvas.addEventListener(
    "pointerleave",
    () => {
      reading2 = null;
      schedule();
    },
    { signal }
  );
  canvas.addEventListener("keydown", onKey, { signal });
  canvas.addEventListener("blur", schedule, { signal });
  handleLayer.addEventListener("pointerdown", onHandleDown, { signal });
  handleLayer.addEventListener("pointermove", onHandleMove, { signal });
  handleLayer.addEventListener("pointerup", onHandleUp, { signal });
  handleLayer.addEventListener("pointercancel", onHandleUp, { signal });
  handleLayer.addEventListener("keydown", onHandleKey, { signal });
  handleLayer.addEventListener("keyup", endDrag, { signal });
  handleLayer.addEventListener("focusout", onHandleUp, { signal });
  window.addEventListener("resize", schedule, { signal });
  watchTheme(el, schedule, signal);
  const sizes = new ResizeObserver(schedule);
  sizes.observe(root);
  const sight = new IntersectionObserver(
    (entries) => {
      onScreen = entries[entries.length - 1].isIntersecting;
      if (onScreen && waiting) schedule();
    },
    { rootMargin: "200px" }
  );
  sight.observe(root);
  signal.addEventListener(
    "abort",
    () => {
      endDrag();
      for (const trait of TRAITS) {
        model.off(`change:${trait}`, trait === "layer" ? onLayer : schedule);
      }
      sizes.disconnect();
      sight.disconnect();
      pace.stop();
      unseen.stop();
      status.stop();
      clearTimeout(later);
      gesture.drop();
      store = null;
      root.remove();
    },
    { once: true }
  );
  root.kwView = {
    step: () => drawnFrame?.step ?? null,
    selection: () => picture?.at ?? null,
    curve(name2) {
      const found = picture?.curves.find((one) => one.name === name2);
      return found ? { x: Array.from(found.x), y: Array.from(found.y) } : null;
    },
    controlPoints() {
      if (!picture || !places) return [];
      const { phi, x } = picture;
      const { plot: box2 } = places;
      const page2 = canvas.getBoundingClientRect();
      return picture.handles.map((handle) => ({
        label: handle.label,
        x: page2.left + toX(x, box2, handle.x),
        y: page2.top + toY(yShown, box2, heightOf(handle, phi.coefficients)),
        value: phi.coefficients[handle.b]
      }));
    },
    readout() {
      if (!shown || !picture) return null;
      const { labels } = picture.phi.layer;
      const { terms } = shown;
      return {
        ...shown,
        terms: Object.fromEntries(labels.map((label, b) => [label, terms[b]]))
      };
    },
    window: () => picture && { x: picture.x, y: yShown },
    place(x, y) {
      if (!picture || !places) return null;
      const page2 = canvas.getBoundingClientRect();
      return {
        x: page2.left + toX(picture.x, places.plot, x),
        y: page2.top + toY(yShown, places.plot, y)
      };
    },
    coefficients: () => picture ? Array.from(picture.phi.coefficients) : null,
    drawn: () => ({ frames, milliseconds })
  };
  el.append(root);
  setData("kwTheme", themeAround(el));
  return {
    message(text, tone) {
      store = null;
      say(text, tone);
      schedule();
    },
    connect(next, name2, mine) {
      store = next;
      picture = null;
      drawnFrame = null;
      gesture.drop();
      setData("stream", name2);
      time.replaceChildren();
      mountScrubber(time, next, mine);
      next.subscribe(onStore, mine);
      probeOf(next).subscribe(schedule, mine);
      schedule();
    }
  };
}

// src/spline_inspector/index.ts
function render({ model, el, host, signal }) {
  const view = createView(model, el, signal, host);
  let connection = new AbortController();
  const connect = async () => {
    connection.abort();
    connection = new AbortController();
    const mine = connection.signal;
    const stream = model.get("stream");
    if (!host?.getWidget) {
      view.message("This view needs anywidget 0.11 or newer in the page.", "warn");
      return;
    }
    view.message("waiting for the kernel…", "calm");
    try {
      const { exports } = await host.getWidget(stream);
      if (mine.aborted || signal.aborted) return;
      if (!exports?.subscribe) {
        view.message("The stream of this view did not start: run its cell again.", "warn");
        return;
      }
      view.connect(exports, stream, AbortSignal.any([mine, signal]));
    } catch (error) {
      if (mine.aborted || signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      view.message(`The stream of this view cannot be read: ${reason}`, "warn");
    }
  };
  model.on("change:stream", connect);
  signal.addEventListener(
    "abort",
    () => {
      model.off("change:stream", connect);
      connection.abort();
    },
    { once: true }
  );
  void connect();
}
var spline_inspector_default = { render };
export {
  spline_inspector_default as default
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
