// src/shared/element.ts
function element(document, tag, className, parent) {
  const made2 = document.createElement(tag);
  made2.className = className;
  parent?.append(made2);
  return made2;
}
function put(element2, words) {
  if (element2.textContent !== words) element2.textContent = words;
}
function putOrHide(element2, words) {
  put(element2, words);
  element2.hidden = words === "";
}

// src/shared/keys.ts
var DIRECTIONS = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down"
};
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
function isLinked(model) {
  return refs(model).length > 0;
}
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

// src/shared/memory.ts
function memory() {
  const kept = /* @__PURE__ */ new Map();
  return (name, from, make) => {
    const last = kept.get(name);
    if (last && same(from, last.from)) return last.value;
    const value = make(last ? last.value : null);
    kept.set(name, { from, value });
    return value;
  };
}
function same(a, b) {
  return a.length === b.length && a.every((part, k) => Object.is(part, b[k]));
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

// src/shared/palette.ts
var ARM = 255;
var DESIGN = {
  light: {
    lightness: [0.975, 0.36],
    below: { hue: 250, chroma: [0, 0.075, 0.128, 0.1] },
    above: { hue: 58, chroma: [0, 0.088, 0.128, 0.08] }
  },
  dark: {
    lightness: [0.235, 0.86],
    below: { hue: 245, chroma: [0, 0.08, 0.122, 0.075] },
    above: { hue: 66, chroma: [0, 0.08, 0.128, 0.1] }
  }
};
var made = {};
function paletteOf(theme) {
  made[theme] ??= build(theme);
  return made[theme];
}
function build(theme) {
  const { lightness, below, above } = DESIGN[theme];
  const bytes = new Uint8ClampedArray(3 * (2 * ARM + 1));
  for (const [arm, sign] of [
    [below, -1],
    [above, 1]
  ]) {
    evenly(lightness, arm).forEach((colour2, k) => {
      bytes.set(colour2, 3 * (ARM + sign * k));
    });
  }
  const pixels = new Uint32Array(2 * ARM + 1);
  for (let k = 0; k < pixels.length; k++) {
    pixels[k] = pixel(bytes[3 * k], bytes[3 * k + 1], bytes[3 * k + 2]);
  }
  const broken = theme === "dark" ? [pixel(120, 120, 120), pixel(70, 70, 70)] : [pixel(150, 150, 150), pixel(205, 205, 205)];
  return { bytes, pixels, broken };
}
function evenly([from, to], arm) {
  const fine = 2048;
  const at2 = (share) => {
    const l = from + (to - from) * share;
    const c = smooth(arm.chroma, share);
    const h = arm.hue * Math.PI / 180;
    return [l, c * Math.cos(h), c * Math.sin(h)];
  };
  const length = [0];
  for (let k2 = 1; k2 <= fine; k2++) {
    const [p, q] = [at2((k2 - 1) / fine), at2(k2 / fine)];
    length.push(length[k2 - 1] + Math.hypot(q[0] - p[0], q[1] - p[1], q[2] - p[2]));
  }
  const colours = [];
  let k = 0;
  for (let n = 0; n <= ARM; n++) {
    const wanted = length[fine] * n / ARM;
    while (k < fine && length[k] < wanted) k++;
    colours.push(srgb(at2(k / fine)));
  }
  return colours;
}
function smooth([a, b, c, d], share) {
  const t = 3 * share;
  return a * (t - 1) * (t - 2) * (t - 3) / -6 + b * t * (t - 2) * (t - 3) / 2 + c * t * (t - 1) * (t - 3) / -2 + d * t * (t - 1) * (t - 2) / 6;
}
function srgb([l, a, b]) {
  const [x, y, z] = [
    l + 0.3963377774 * a + 0.2158037573 * b,
    l - 0.1055613458 * a - 0.0638541728 * b,
    l - 0.0894841775 * a - 1.291485548 * b
  ].map((v) => v ** 3);
  return [
    4.0767416621 * x - 3.3077115913 * y + 0.2309699292 * z,
    -1.2684380046 * x + 2.6097574011 * y - 0.3413193965 * z,
    -0.0041960863 * x - 0.7034186147 * y + 1.707614701 * z
  ].map((v) => 255 * (v <= 31308e-7 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055));
}
var littleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
function pixel(r, g, b) {
  return littleEndian ? (255 << 24 | b << 16 | g << 8 | r) >>> 0 : (r << 24 | g << 16 | b << 8 | 255) >>> 0;
}
function colourOf(value, most) {
  if (!(most > 0)) return ARM;
  return ARM + Math.round(ARM * Math.max(-1, Math.min(1, value / most)));
}
function colourise(values, most, { pixels, broken }, out, width) {
  const factor = most > 0 ? ARM / most : 0;
  for (let k = 0; k < values.length; k++) {
    const value = values[k];
    if (Math.abs(value) <= Number.MAX_VALUE) {
      const place = Math.max(-ARM, Math.min(ARM, Math.round(factor * value)));
      out[k] = pixels[ARM + place];
    } else {
      out[k] = broken[(k + Math.floor(k / width)) % 2];
    }
  }
}
function gradient({ bytes }) {
  const stops = [];
  for (let k = 0; k <= 2 * ARM; k += ARM / 15) {
    stops.push(`rgb(${bytes[3 * k]} ${bytes[3 * k + 1]} ${bytes[3 * k + 2]})`);
  }
  return `linear-gradient(to right, ${stops.join(", ")})`;
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
function formatRange(largest2) {
  return `±${formatNumber(Math.abs(largest2))}`;
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
  const inside2 = (n, size) => Number.isInteger(n) && n >= 0 && n < size;
  if (!inside2(o, out) || !inside2(i, inputs) || !inside2(row, kh) || !inside2(column, kw)) return -1;
  return ((o * inputs + i) * kh + row) * kw + column;
}
function entryText(layer, f) {
  return placeText(layer, selectionOf(layer, f));
}
function placeText(layer, at2) {
  const entry = layer.kind === "conv" ? ` · row ${at2.row} · column ${at2.column}` : "";
  return `out ${at2.out} · in ${at2.in}${entry}`;
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
      const made2 = element(document, "button", className);
      made2.type = "button";
      made2.textContent = text;
      made2.title = title;
      if (!/[a-z]{2}/i.test(text)) made2.setAttribute("aria-label", title);
      made2.addEventListener("click", act, { signal });
      return made2;
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
  const made2 = /* @__PURE__ */ new Map();
  const states = /* @__PURE__ */ new Map();
  const prototype = window.CanvasRenderingContext2D?.prototype;
  if (!prototype) {
    draw();
    return made2;
  }
  const shapesOf2 = (canvas) => {
    const known2 = made2.get(canvas);
    if (known2) return known2;
    const fresh = [];
    made2.set(canvas, fresh);
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
          note(this, stateOf(this), shapesOf2(this.canvas), given, made2);
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
  return made2;
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
  drawImage(context, state, shapes, given, made2) {
    const [source] = given;
    const whole2 = given.length < 6;
    const [sx, sy, sw, sh] = whole2 ? [0, 0, source.width, source.height] : given.slice(1, 5);
    const place = given.slice(whole2 ? 1 : 5);
    const [x, y, w = sw, h = sh] = place;
    const { a, d, e, f } = context.getTransform();
    const to = [e + a * x, f + d * y, a * w, d * h];
    const own = made2.get(source);
    if (whole2 && own && own.length > 0) {
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
  const whole2 = clip.left <= paper.left && clip.top <= paper.top && clip.right >= paper.right && clip.bottom >= paper.bottom;
  return whole2 ? "" : pathOf(clip, paper);
}

// src/shared/css.ts
function fontIn(style) {
  return `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
}
function isInk(colour2) {
  return colour2 !== "transparent" && !/^rgba\(.*, 0\)$/.test(colour2);
}
function bandsOf(image, width) {
  const inside2 = /^linear-gradient\((?:to right|90deg), (.*)\)$/.exec(image)?.[1];
  if (!inside2) return [];
  const stops = [];
  for (const [, ink2, places] of inside2.matchAll(
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
    const half = width2 / 2;
    const line = {
      Top: { ...box2, top: box2.top + half, bottom: box2.top + half },
      Right: { ...box2, left: box2.right - half, right: box2.right - half },
      Bottom: { ...box2, top: box2.bottom - half, bottom: box2.bottom - half },
      Left: { ...box2, left: box2.left + half, right: box2.left + half }
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
  const ground = style.backgroundColor;
  if (isInk(ground)) {
    const d = along(box2, radii, edges, [0, 1, 2, 3], place.paper, true);
    shapes.push({ ...common, d, fill: ground });
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
      write3(element2, clip, opacity);
    } else if (style.visibility !== "hidden") {
      draw(element2, style, clip, opacity);
    }
  }
  function draw(element2, style, clip, opacity) {
    const d = outlineOf(element2);
    const matrix = d && matrixOf2(element2);
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
  function write3(element2, clip, opacity) {
    const style = window.getComputedStyle(element2);
    if (style.display === "none") return;
    const matrix = matrixOf2(element2);
    const count = element2.getNumberOfChars();
    let next = 0;
    for (const child of element2.childNodes) {
      if (child instanceof window.Element) {
        const span = child;
        const share = numberOf(window.getComputedStyle(span).opacity);
        write3(span, clip, opacity * share);
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
  function matrixOf2(element2) {
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
  const half = (to) => `A${rx} ${ry} 0 0 1 ${to} ${cy}`;
  return `M${cx - rx} ${cy}${half(cx + rx)}${half(cx - rx)}Z`;
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
      else if (child instanceof window.Text) write3(child, style, inner);
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
  function write3(node, style, clip) {
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
    const half = `A${r} ${r} 0 0 1`;
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
        d: `M${middle - r} ${y}${half} ${middle + r} ${y}${half} ${middle - r} ${y}Z`,
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
  const copy = canvas.ownerDocument.createElement("canvas");
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const paper = copy.getContext("2d");
  paper?.drawImage(canvas, 0, 0);
  const pixels = paper?.getImageData(0, 0, copy.width, copy.height).data;
  return !pixels || new Uint32Array(pixels.buffer).every((pixel2) => pixel2 === 0);
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
  const ticks = svg.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "path"));
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
  let moved2 = false;
  let drawn = "";
  let shownAt = Number.NEGATIVE_INFINITY;
  let later;
  function schedule() {
    if (!request) request = window.requestAnimationFrame(show);
  }
  function scheduleLater() {
    later ??= setTimeout(schedule, Math.max(0, shownAt + FRAME_TIME - performance.now()));
  }
  function placeOf2(step) {
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
    head.style.left = `${100 * (following ? 1 : placeOf2(step))}%`;
    const ghost = store.ghostStep() < 0 ? null : store.ghost()?.step ?? null;
    pinned.hidden = ghost === null;
    if (ghost !== null) pinned.style.left = `${100 * placeOf2(ghost)}%`;
    write(readout, `step ${formatCount(step)}`);
    readout.style.minWidth = `${formatCount(last).length + 5}ch`;
    live.disabled = following;
    live.setAttribute("aria-pressed", String(following));
    pin.setAttribute("aria-pressed", String(ghost !== null));
    write(pinWord, ghost === null ? "pin" : "unpin");
    pin.setAttribute("aria-label", ghost === null ? "Pin ghost" : "Unpin ghost");
    pin.title = ghost === null ? `Draw step ${formatCount(step)} behind, dashed, in place of the first step` : `The ghost is step ${formatCount(ghost)}; draw the first step behind again`;
    const playing = timer !== void 0;
    if (moved2 || !hasKeyboard(track)) {
      moved2 = false;
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
      const x = Math.round(LENGTH * placeOf2(step));
      if (x - before < TICK_GAP) continue;
      before = x;
      path += `M${x} 0v1`;
    }
    ticks.setAttribute("d", path);
  }
  function seek(event) {
    const box2 = track.getBoundingClientRect();
    const [first, last] = [steps[0], steps[steps.length - 1]];
    const at2 = first + (event.clientX - box2.left) / box2.width * (last - first);
    let nearest = first;
    for (const step of steps) {
      if (Math.abs(step - at2) <= Math.abs(nearest - at2)) nearest = step;
    }
    moved2 = true;
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
    moved2 = true;
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

// src/shared/tip.ts
var DISTANCE = 8;
var EDGE = 4;
function placeTip(cell, tip, box2) {
  const within = (v, size, limit) => Math.max(EDGE, Math.min(limit - size - EDGE, v));
  const beside = within(cell.y + cell.height / 2 - tip.height / 2, tip.height, box2.height);
  const along2 = within(cell.x + cell.width / 2 - tip.width / 2, tip.width, box2.width);
  const right = cell.x + cell.width + DISTANCE;
  if (right + tip.width + EDGE <= box2.width) return { x: right, y: beside };
  const left = cell.x - DISTANCE - tip.width;
  if (left >= EDGE) return { x: left, y: beside };
  const below = cell.y + cell.height + DISTANCE;
  if (below + tip.height + EDGE <= box2.height) return { x: along2, y: below };
  const above = cell.y - DISTANCE - tip.height;
  if (above >= EDGE) return { x: along2, y: above };
  return { x: along2, y: within(below, tip.height, box2.height) };
}
function createTip(document) {
  const element2 = document.createElement("div");
  element2.className = "kw-tip";
  element2.hidden = true;
  element2.setAttribute("aria-hidden", "true");
  const title = element2.appendChild(document.createElement("div"));
  title.className = "kw-tip-title";
  const list = element2.appendChild(document.createElement("dl"));
  let shown = "";
  return {
    element: element2,
    show(text, lines, cell, box2) {
      const labels = lines.map(({ label, swatch }) => `${label}|${swatch ?? ""}`).join();
      if (labels !== shown) {
        shown = labels;
        list.replaceChildren(
          ...lines.flatMap(({ label, swatch }) => {
            const name = document.createElement("dt");
            name.textContent = label;
            if (swatch) name.className = `kw-swatch kw-swatch-${swatch}`;
            return [name, document.createElement("dd")];
          })
        );
      }
      title.textContent = text;
      const values = list.querySelectorAll("dd");
      lines.forEach(({ value }, k) => {
        const cell2 = values[k];
        if (cell2) cell2.textContent = value;
      });
      element2.hidden = false;
      const { x, y } = placeTip(
        cell,
        { width: element2.offsetWidth, height: element2.offsetHeight },
        box2
      );
      element2.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
    },
    hide() {
      element2.hidden = true;
    }
  };
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

// src/shared/hold.ts
function holdHeight(element2) {
  let held = "";
  return (key) => {
    if (key !== held) {
      held = key;
      element2.style.minHeight = "";
    }
    const height = `${element2.offsetHeight}px`;
    if (element2.style.minHeight !== height) element2.style.minHeight = height;
  };
}

// src/meshgrid_view/words.ts
function reachText({ what, reach }) {
  return reach ? `${what} reaches ${number(reach.low)} … ${number(reach.high)}` : "";
}
function barText({ scales }) {
  if (!scales) return { low: "", high: "", own: "" };
  const { smallest, largest: largest2 } = scales;
  if (smallest === largest2) return { low: number(-largest2), high: number(largest2), own: "" };
  return {
    low: "−",
    high: "+",
    own: `own scales ${formatRange(smallest)} … ${formatRange(largest2)}`
  };
}
function percent(share) {
  const points2 = 100 * share;
  if (points2 > 0 && points2 < 0.1) return "< 0.1 %";
  return `${points2 >= 10 || Number.isInteger(points2) ? Math.round(points2) : points2.toFixed(1)} %`;
}

// src/meshgrid_view/caption.ts
function createCaption(document, status) {
  const root = element(document, "div", "kw-caption");
  root.append(status);
  const facts = element(document, "span", "kw-facts", root);
  const bar = element(document, "span", "kw-bar", facts);
  bar.setAttribute("role", "img");
  const low = element(document, "span", "kw-bar-end", bar);
  const colours = element(document, "span", "kw-bar-colours", bar);
  const reached = element(document, "span", "kw-bar-reach", colours);
  const high = element(document, "span", "kw-bar-end", bar);
  const own = element(document, "span", "kw-own", facts);
  const reach = element(document, "span", "kw-reach", facts);
  const axis = element(document, "span", "kw-axis-words", facts);
  const warning = element(document, "span", "kw-warning", facts);
  const note = element(document, "span", "kw-note", facts);
  const hold = holdHeight(facts);
  return {
    element: root,
    show(what, gradient2, held) {
      facts.hidden = false;
      bar.hidden = !what.scales;
      const words = barText(what);
      putOrHide(low, words.low);
      putOrHide(high, words.high);
      putOrHide(own, words.own);
      putOrHide(reach, reachText(what));
      putOrHide(axis, what.axis);
      putOrHide(warning, what.warned);
      putOrHide(note, what.noted);
      if (colours.style.backgroundImage !== gradient2) colours.style.backgroundImage = gradient2;
      const label = `colours of ${what.what} from ${words.low} to ${words.high}`;
      if (bar.getAttribute("aria-label") !== label) bar.setAttribute("aria-label", label);
      const { scales, reach: real } = what;
      const shared = scales !== null && scales.smallest === scales.largest && scales.largest > 0;
      reached.hidden = !shared || !real;
      if (shared && real) {
        const place = (value) => 50 + 50 * value / scales.largest;
        reached.style.left = `${place(real.low)}%`;
        reached.style.right = `${100 - place(real.high)}%`;
      }
      hold(held);
    },
    clear() {
      facts.hidden = true;
    }
  };
}

// src/meshgrid_view/settings.ts
var MODES = ["ramp", "pair", "response"];
var DIRECTIONS2 = ["horizontal", "vertical", "diagonal", "radial"];
var SCALES = ["layer", "kernel", "function"];
var INPUTS = ["images", "observed", "drawn", "ramp"];
var TRAITS = [
  "layer",
  "mode",
  "limits",
  "direction",
  "scale",
  "resolution",
  "input",
  "sample",
  "output",
  "other",
  "height",
  "theme",
  "images",
  "drawing"
];
var oneOf = (allowed, value) => allowed.includes(value) ? value : allowed[0];
var whole = (value, otherwise, lo, hi) => Number.isInteger(value) ? Math.max(lo, Math.min(hi, value)) : otherwise;
function settingsOf(get) {
  return {
    mode: oneOf(MODES, get("mode")),
    limits: limitsOf(get("limits")),
    direction: oneOf(DIRECTIONS2, get("direction")),
    scale: oneOf(SCALES, get("scale")),
    resolution: whole(get("resolution"), 32, 2, 256),
    input: oneOf(INPUTS, get("input")),
    sample: whole(get("sample"), 0, 0, 1e9),
    output: whole(get("output"), -1, -1, 1e9),
    other: whole(get("other"), -1, -1, 1e9),
    height: whole(get("height"), 480, 96, 1e5)
  };
}
function limitsOf(value) {
  const [lo, hi] = Array.isArray(value) ? value.map(Number) : [];
  return Number.isFinite(lo) && Number.isFinite(hi) && lo < hi ? [lo, hi] : [-2, 2];
}
function imagesOf(raw) {
  const shape = raw?.shape;
  const data = raw?.data;
  if (!Array.isArray(shape) || shape.length !== 4 || !data) return null;
  const [count, channels, height, width] = shape;
  const bytes = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
  const size = count * channels * height * width;
  if (!(size > 0) || bytes.byteLength !== 4 * size) return null;
  return { count, channels, height, width, data: new Float32Array(new Uint8Array(bytes).buffer) };
}
function imageAt(images, index) {
  const size = images.channels * images.height * images.width;
  const at2 = Math.min(index, images.count - 1) * size;
  return { ...images, count: 1, data: images.data.subarray(at2, at2 + size) };
}

// src/meshgrid_view/controls.ts
var MODE_TITLES = {
  ramp: "Every φ over an input matrix that rises from one limit to the other",
  pair: "The sum of two φ of one kernel over both their inputs",
  response: "The kernels swept over an image"
};
var RESOLUTIONS = [8, 16, 32, 64, 128];
function createHeader(document, choose, signal) {
  const kit = createKit(document, signal);
  const root = element(document, "div", "kw-header");
  root.setAttribute("role", "toolbar");
  root.setAttribute("aria-label", "Meshgrid view");
  const layerChoice = kit.layers((name) => choose("layer", name));
  const modes = kit.segments("What is drawn", (value) => choose("mode", value));
  modes.fill(MODES.map((value) => ({ value, label: value, title: MODE_TITLES[value] })));
  const direction = kit.select(
    "ramp",
    "Which way the input matrix rises",
    (value) => choose("direction", value)
  );
  direction.fill(DIRECTIONS2.map((value) => ({ value, label: value })));
  const limits = createLimits(document, (range) => choose("limits", range), signal);
  const scale = kit.select(
    "scale",
    "What shares one colour scale",
    (value) => choose("scale", value)
  );
  const resolution = kit.select(
    "points",
    "Points of the ramp from end to end",
    (value) => choose("resolution", Number(value))
  );
  root.append(...layerChoice.boxes, modes.box);
  const options = element(document, "div", "kw-options", root);
  options.append(direction.box, limits.box, resolution.box, scale.box);
  let scaleWords = "";
  let resolutions = "";
  return {
    element: root,
    show(settings, layer, layers, width) {
      layerChoice.show(layers, layer, width);
      const { mode, input } = settings;
      modes.set(mode);
      const ramp = mode === "ramp" || mode === "response" && input === "ramp";
      direction.box.hidden = !ramp;
      limits.box.hidden = !ramp;
      resolution.box.hidden = !ramp;
      scale.box.hidden = mode === "pair";
      options.hidden = mode === "pair";
      const words = mode === "response" ? "maps" : "functions";
      if (words !== scaleWords) {
        scaleWords = words;
        const values2 = mode === "response" ? ["layer", "function"] : SCALES;
        const label = (value) => mode === "response" ? value === "layer" ? "all maps" : "each map" : value;
        scale.fill(values2.map((value) => ({ value, label: label(value) })));
      }
      scale.set(mode === "response" && settings.scale === "kernel" ? "function" : settings.scale);
      const values = [.../* @__PURE__ */ new Set([...RESOLUTIONS, settings.resolution])].sort((a, b) => a - b);
      if (values.join() !== resolutions) {
        resolutions = values.join();
        resolution.fill(values.map((n) => ({ value: String(n), label: String(n) })));
      }
      direction.set(settings.direction);
      limits.set(settings.limits);
      resolution.set(String(settings.resolution));
    }
  };
}
function createLimits(document, choose, signal) {
  const box2 = element(document, "span", "kw-option kw-limits");
  let shown = [-2, 2];
  const ends = ["from", "to"].map((word) => {
    const holder = element(document, "label", "kw-limit", box2);
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
    if (Number.isFinite(lo) && Number.isFinite(hi) && lo < hi) choose([lo, hi]);
    else write3(shown);
  }
  function write3(limits) {
    ends.forEach((input, k) => {
      if (Number.parseFloat(input.value) !== limits[k]) input.value = String(limits[k]);
    });
  }
  return {
    box: box2,
    set(limits) {
      if (limits[0] === shown[0] && limits[1] === shown[1] && ends[0].value !== "") return;
      shown = limits;
      write3(limits);
    }
  };
}

// src/shared/interpolate.ts
var POINTS = 6;
var known = /* @__PURE__ */ new WeakMap();
var weights = new Float64Array(POINTS);
function basisAt(layer, table, x, out) {
  return combine(layer, table, x, out, lagrange);
}
function exactAt(layer, f, frame, x) {
  return split(layer, f, frame, basisAt(layer, tableNumber(layer, f), x, scratch(layer.nb)));
}
function tableNumber(layer, f) {
  return layer.tableOf ? layer.tableOf[f] : 0;
}
var memory2 = new Float64Array(16);
function scratch(length) {
  if (memory2.length < length) memory2 = new Float64Array(length);
  return memory2;
}
function split(layer, f, frame, beta) {
  const { nb, offset, isBase } = layer;
  let base = 0;
  let spline = 0;
  for (let b = 0; b < nb; b++) {
    const term = frame.data[offset + f * nb + b] * beta[b];
    if (isBase[b]) base += term;
    else spline += term;
  }
  return { phi: base + spline, base, spline };
}
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
  const made2 = known.get(table);
  if (made2) return made2;
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

// src/shared/ranges.ts
var STEPS = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8];
function niceCeil(m) {
  if (!(m > 0) || !Number.isFinite(m)) return 1;
  for (let k = Math.floor(Math.log10(m)) - 1; ; k++) {
    for (const step of STEPS) {
      const nice = Number(`${step}e${k}`);
      if (nice >= m) return nice;
    }
  }
}
function kernelRanges(layer, perFunction) {
  const [out, inputs, kh, kw] = layer.shape;
  const size = kh * kw;
  const ranges = new Float32Array(out * inputs);
  for (let kernel = 0; kernel < ranges.length; kernel++) {
    ranges[kernel] = largest(perFunction.subarray(kernel * size, (kernel + 1) * size));
  }
  return ranges;
}
function layerRange(perFunction) {
  const range = largest(perFunction);
  return Number.isNaN(range) ? 0 : range;
}
function largest(ranges) {
  let most = Number.NaN;
  for (const range of ranges) if (Number.isFinite(range) && !(range <= most)) most = range;
  return most;
}

// src/meshgrid_view/contours.ts
function levelsOf(low, high, parts = 8) {
  if (!(high > low) || !Number.isFinite(high - low)) return [];
  const raw = (high - low) / parts;
  const decade = 10 ** Math.floor(Math.log10(raw));
  const step = decade * ([1, 2, 2.5, 5, 10].find((n) => n * decade >= raw * 0.999) ?? 10);
  const levels = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) {
    levels.push(k === 0 ? 0 : Number((k * step).toPrecision(12)));
  }
  return levels;
}
function contour(values, width, height, level) {
  const across = (row, column) => row * width + column;
  const down = (row, column) => width * height + row * width + column;
  const next = /* @__PURE__ */ new Map();
  const join = (a, b) => {
    next.set(a, [...next.get(a) ?? [], b]);
    next.set(b, [...next.get(b) ?? [], a]);
  };
  for (let row = 0; row + 1 < height; row++) {
    for (let column = 0; column + 1 < width; column++) {
      const at2 = row * width + column;
      const corners = [values[at2], values[at2 + 1], values[at2 + width + 1], values[at2 + width]];
      const sum = corners[0] + corners[1] + corners[2] + corners[3];
      if (!Number.isFinite(sum)) continue;
      const [a, b, c, d] = corners.map((value) => value >= level);
      const top = across(row, column);
      const right = down(row, column + 1);
      const bottom = across(row + 1, column);
      const left = down(row, column);
      const cut = [a !== b && top, b !== c && right, c !== d && bottom, d !== a && left].filter(
        (edge) => edge !== false
      );
      if (cut.length === 2) join(cut[0], cut[1]);
      else if (cut.length === 4) {
        if (sum / 4 >= level === a) {
          join(top, right);
          join(bottom, left);
        } else {
          join(left, top);
          join(right, bottom);
        }
      }
    }
  }
  const pointOf = (edge) => {
    const vertical = edge >= width * height;
    const at2 = vertical ? edge - width * height : edge;
    const [first, second] = [values[at2], values[at2 + (vertical ? width : 1)]];
    const share = (level - first) / (second - first);
    const [column, row] = [at2 % width, Math.floor(at2 / width)];
    return vertical ? [column, row + share] : [column + share, row];
  };
  const lines = [];
  const follow = (start) => {
    const line = [start];
    for (let at2 = start; ; ) {
      const to = next.get(at2)?.pop();
      if (to === void 0) break;
      const back = next.get(to);
      back?.splice(back.indexOf(at2), 1);
      line.push(to);
      at2 = to;
    }
    if (line.length > 1) lines.push(line.map(pointOf));
  };
  for (const [edge, to] of next) if (to.length === 1) follow(edge);
  for (const [edge, to] of next) if (to.length > 0) follow(edge);
  return lines;
}
function placeLabel(line, size, box2, taken) {
  let best = null;
  let least = 0.22;
  const reach = size.width / 2 + 4;
  for (let start = 0; start < line.length - 1; start += Math.max(1, line.length >> 5)) {
    let end = start;
    let length = 0;
    while (end + 1 < line.length && length < size.width) {
      length += Math.hypot(line[end + 1][0] - line[end][0], line[end + 1][1] - line[end][1]);
      end++;
    }
    if (length < size.width) break;
    const [x0, y0] = line[start];
    const [x1, y1] = line[end];
    const middle = line[start + end >> 1];
    const bend = length / Math.hypot(x1 - x0, y1 - y0) - 1;
    if (!(bend < least)) continue;
    const [x, y] = [(middle[0] + (x0 + x1) / 2) / 2, (middle[1] + (y0 + y1) / 2) / 2];
    const inside2 = x - reach > box2.x && y - reach > box2.y && x + reach < box2.x + box2.width && y + reach < box2.y + box2.height;
    const free = taken.every(
      (other) => Math.hypot(other.x - x, other.y - y) > size.width + 2 * size.height
    );
    if (!inside2 || !free) continue;
    let angle = Math.atan2(y1 - y0, x1 - x0);
    if (angle > Math.PI / 2) angle -= Math.PI;
    if (angle <= -Math.PI / 2) angle += Math.PI;
    least = bend;
    best = { x, y, angle };
  }
  return best;
}

// src/meshgrid_view/heat.ts
var WIDEST = 4096;
function createAtlas(document) {
  const canvas = document.createElement("canvas");
  let across = 1;
  let [w, h] = [1, 1];
  let image = null;
  return {
    load(count, width, height, fill) {
      [w, h] = [width, height];
      across = Math.max(1, Math.min(count, Math.floor(WIDEST / width)));
      const down = Math.max(1, Math.ceil(count / across));
      const context = canvas.getContext("2d");
      if (!context) return;
      if (canvas.width !== across * w || canvas.height !== down * h || !image) {
        canvas.width = across * w;
        canvas.height = down * h;
        image = context.createImageData(canvas.width, canvas.height);
      }
      if (!image?.data) return;
      const sheet = new Uint32Array(image.data.buffer);
      const one = new Uint32Array(w * h);
      for (let k = 0; k < count; k++) {
        fill(k, one);
        const corner = Math.floor(k / across) * h * canvas.width + k % across * w;
        for (let row = 0; row < h; row++) {
          sheet.set(one.subarray(row * w, (row + 1) * w), corner + row * canvas.width);
        }
      }
      context.putImageData(image, 0, 0);
    },
    draw(context, index, to, smooth2 = false) {
      const [x, y] = [index % across * w, Math.floor(index / across) * h];
      context.imageSmoothingEnabled = smooth2;
      context.drawImage(canvas, x, y, w, h, to.x, to.y, to.width, to.height);
    }
  };
}

// src/meshgrid_view/pair.ts
function groupOf(layer, selection) {
  const [out, inputs, kh, kw] = layer.shape;
  const chosen = selection?.layer === layer.name ? selection : null;
  const o = Math.min(chosen?.out ?? 0, out - 1);
  if (kh * kw > 1) {
    const i = Math.min(chosen?.in ?? 0, inputs - 1);
    return { out: o, in: i, columns: kw, count: kh * kw, byInput: false };
  }
  return { out: o, in: 0, columns: Math.ceil(Math.sqrt(inputs)), count: inputs, byInput: true };
}
function functionIn(layer, group, entry) {
  const [, inputs, kh, kw] = layer.shape;
  if (group.byInput) return group.out * inputs + entry;
  return (group.out * inputs + group.in) * kh * kw + entry;
}
function selectionIn(layer, group, entry) {
  const { out, columns } = group;
  const place = { layer: layer.name, out };
  if (group.byInput) return { ...place, in: entry, row: 0, column: 0 };
  const row = Math.floor(entry / columns);
  return { ...place, in: group.in, row, column: entry - row * columns };
}
function entryIn(layer, group, selection) {
  if (selection?.layer !== layer.name) return 0;
  const entry = group.byInput ? selection.in : selection.row * group.columns + selection.column;
  return entry >= 0 && entry < group.count ? entry : 0;
}
function partnerOf(group, entry, other) {
  if (other >= 0 && other < group.count) return other;
  const opposite = group.count - 1 - entry;
  return opposite !== entry ? opposite : Math.min(group.count - 1, entry + 1);
}
function surfaceOf(frame, layer, i, j, n) {
  const pointsOf = (f) => {
    const [lo, hi] = domainOf(layer, f);
    return Float64Array.from({ length: n }, (_, k) => lo + (hi - lo) * k / (n - 1));
  };
  const [x, y] = [pointsOf(i), pointsOf(j)];
  const across = x.map((at2) => exactAt(layer, i, frame, at2).phi);
  const up = y.map((at2) => exactAt(layer, j, frame, at2).phi);
  const values = new Float64Array(n * n);
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < n; column++) values[row * n + column] = across[column] + up[row];
  }
  return { x, y, across, up, values };
}
function domainOf(layer, f) {
  const base = layer.bases[layer.tableOf ? layer.tableOf[f] : 0];
  const [lo, hi] = base?.domain ?? layer.domain;
  return lo < hi ? [lo, hi] : layer.domain;
}
function densityOf(observed, entryX, entryY, xRange, yRange, bins) {
  const { patches, patchCount, entries } = observed;
  if (entryX >= entries || entryY >= entries || patchCount === 0) return null;
  const shares = new Float32Array(bins * bins);
  const near = 1e-6;
  const binOf = (value, [lo, hi]) => {
    const share = (value - lo) / (hi - lo);
    if (!(share >= -near && share <= 1 + near)) return -1;
    return Math.max(0, Math.min(bins - 1, Math.floor(share * bins)));
  };
  let outside = 0;
  for (let p = 0; p < patchCount; p++) {
    const column = binOf(patches[p * entries + entryX], xRange);
    const row = binOf(patches[p * entries + entryY], yRange);
    if (column < 0 || row < 0) outside++;
    else shares[row * bins + column] += 1 / patchCount;
  }
  return { bins, shares, most: Math.max(...shares), outside: outside / patchCount };
}
function observedEntry(layer, selection) {
  const [out, inputs, kh, kw] = layer.shape;
  const { conv } = layer;
  if (conv?.shared) return selection.row * kw + selection.column;
  const groups = conv?.groups ?? 1;
  const group = Math.floor(selection.out / (out / groups));
  const channel = group * inputs + selection.in;
  return (channel * kh + selection.row) * kw + selection.column;
}

// src/meshgrid_view/pair_drawing.ts
function badge(context, text, r, colour2, paper, left) {
  const [x, y] = [left ? r.x + 6 : r.x + r.width - 6, r.y + 7];
  context.fillStyle = colour2;
  context.beginPath();
  context.arc(x, y, 6, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = paper;
  context.fillText(text, x, y);
}
function drawContours(context, { look }, surface, levels, plot, most) {
  const { colours } = look;
  const taken = [];
  context.font = look.font(10);
  context.textAlign = "center";
  context.textBaseline = "middle";
  const points2 = surface.x.length;
  const step = plot.width / (points2 - 1);
  const labels = [];
  for (const level of levels) {
    const lines = contour(surface.values, points2, points2, level).map(
      (line) => line.map(([x, y]) => [plot.x + x * step, plot.y + plot.height - y * step])
    );
    context.strokeStyle = colours.ink;
    context.lineWidth = level === 0 ? 1.6 : 0.8;
    context.globalAlpha = level === 0 ? 0.9 : 0.55;
    context.lineJoin = "round";
    context.beginPath();
    for (const line of lines) {
      line.forEach(([x, y], k) => {
        if (k === 0) context.moveTo(x, y);
        else context.lineTo(x, y);
      });
    }
    context.stroke();
    context.globalAlpha = 1;
    const text = number(level);
    const size = { width: 6 * text.length + 4, height: 11 };
    const at2 = 3 * colourOf(level, most);
    const [red, green, blue] = look.palette.bytes.subarray(at2, at2 + 3);
    for (const line of lines) {
      const place = placeLabel(line, size, plot, taken);
      if (!place) continue;
      taken.push(place);
      labels.push({ text, place, halo: `rgb(${red} ${green} ${blue})` });
    }
  }
  for (const { text, place, halo } of labels) {
    context.save();
    context.translate(place.x, place.y);
    context.rotate(place.angle);
    context.lineWidth = 5;
    context.lineJoin = "round";
    context.strokeStyle = halo;
    context.strokeText(text, 0, 0);
    context.fillStyle = readable(halo);
    context.fillText(text, 0, 0);
    context.restore();
  }
}
function readable(colour2) {
  const [red, green, blue] = colour2.match(/\d+/g)?.map(Number) ?? [0, 0, 0];
  return 0.299 * red + 0.587 * green + 0.114 * blue > 125 ? "#111418" : "#f4f6f8";
}
function drawDensity(context, { look }, { bins, shares, most }, plot) {
  const { colours } = look;
  const size = plot.width / bins;
  context.fillStyle = colours.ink;
  context.strokeStyle = colours.surface;
  context.lineWidth = 1;
  context.globalAlpha = 0.75;
  for (let row = 0; row < bins; row++) {
    for (let column = 0; column < bins; column++) {
      const share = shares[row * bins + column];
      if (share <= 0) continue;
      const radius = Math.max(0.8, 0.47 * size * Math.sqrt(Math.sqrt(share / most)));
      const [x, y] = [plot.x + (column + 0.5) * size, plot.y + plot.height - (row + 0.5) * size];
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
      if (radius > 2) context.stroke();
    }
  }
  context.globalAlpha = 1;
}
function drawAxes(context, { layer, look }, plot, xRange, yRange, names) {
  const { colours } = look;
  const { x, y, width, height } = plot;
  context.font = look.font(10);
  context.strokeStyle = colours.muted;
  context.fillStyle = colours.muted;
  context.lineWidth = 1;
  const ticks = (range) => levelsOf(range[0], range[1], width < 220 ? 4 : 5);
  context.beginPath();
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const tick of ticks(xRange)) {
    const at2 = x + width * (tick - xRange[0]) / (xRange[1] - xRange[0]);
    context.moveTo(at2, y + height);
    context.lineTo(at2, y + height + 4);
    context.fillText(number(tick), at2, y + height + 6);
  }
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const tick of ticks(yRange)) {
    const at2 = y + height - height * (tick - yRange[0]) / (yRange[1] - yRange[0]);
    context.moveTo(x, at2);
    context.lineTo(x - 4, at2);
    context.fillText(number(tick), x - 6, at2);
  }
  context.stroke();
  context.fillStyle = colours.ink;
  context.font = look.font(11);
  const v = layer.variable === "x" ? "" : `${layer.variable}, `;
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  context.fillText(`x: ${v}${names[0]}`, x + width / 2, y + height + 30);
  context.save();
  context.translate(11, y + height / 2);
  context.rotate(-Math.PI / 2);
  context.fillText(`y: ${v}${names[1]}`, 0, 0);
  context.restore();
}

// src/meshgrid_view/panel.ts
var COLOURS = [
  "ink",
  "muted",
  "line",
  "zero",
  "cell",
  "surface",
  "accent",
  "warn",
  "ghost"
];
var NO_FACTS = {
  what: "φ",
  scales: null,
  reach: null,
  axis: "",
  warned: "",
  noted: "",
  readout: "",
  selected: false,
  label: "",
  message: ""
};
var MOVES = {
  left: [-1, 0],
  right: [1, 0],
  up: [0, -1],
  down: [0, 1]
};
function followPointer(canvas, desk) {
  const pointer = { at: null };
  canvas.addEventListener(
    "pointermove",
    (event) => {
      pointer.at = event.pointerType === "touch" ? null : placeOf(event, canvas);
      desk.schedule();
    },
    { signal: desk.signal }
  );
  canvas.addEventListener(
    "pointerleave",
    () => {
      pointer.at = null;
      desk.schedule();
    },
    { signal: desk.signal }
  );
  return pointer;
}
function placeOf(event, canvas) {
  const box2 = canvas.getBoundingClientRect();
  return { x: event.clientX - box2.left, y: event.clientY - box2.top };
}
function activeCanvas(document, className) {
  const canvas = element(document, "canvas", `kw-canvas ${className}`);
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  return canvas;
}
function prepare(canvas, width, height, ratio) {
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  context?.clearRect(0, 0, width, height);
  return context;
}
function outline(context, r, colour2, width, outset) {
  context.strokeStyle = colour2;
  context.lineWidth = width;
  context.strokeRect(r.x - outset, r.y - outset, r.width + 2 * outset, r.height + 2 * outset);
}
function frameSelected(context, r, { surface, accent }) {
  outline(context, r, surface, 4, 1);
  outline(context, r, accent, 2, 1);
}
function inside({ x, y, width, height }, at2) {
  return at2.x >= x && at2.x < x + width && at2.y >= y && at2.y < y + height;
}

// src/shared/curves.ts
function evaluateAll(frame, layer, plan, reuse) {
  const { nb, count, tableOf, offset } = layer;
  const { points: points2, tables } = plan;
  const size = count * points2;
  const y = reuse?.y.length === size ? reuse.y : new Float32Array(size);
  const coefficients = new Float64Array(nb);
  for (let f = 0, c = offset; f < count; f++) {
    for (let b = 0; b < nb; b++, c++) coefficients[b] = frame.data[c];
    const table = tables[tableOf ? tableOf[f] : 0];
    combine2(coefficients, table, y, f * points2);
    if (table.x.length < points2) y.fill(0, f * points2 + table.x.length, (f + 1) * points2);
  }
  return { x: tables.map((table) => table.x), y, points: points2 };
}
function combine2(coefficients, { x, values }, y, at2) {
  const nb = coefficients.length;
  const points2 = x.length;
  let p = 0;
  for (; p + 4 <= points2; p += 4) {
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let i = 0, v = p * nb; i < nb; i++, v++) {
      const coefficient = coefficients[i];
      a += coefficient * values[v];
      b += coefficient * values[v + nb];
      c += coefficient * values[v + 2 * nb];
      d += coefficient * values[v + 3 * nb];
    }
    y[at2 + p] = a;
    y[at2 + p + 1] = b;
    y[at2 + p + 2] = c;
    y[at2 + p + 3] = d;
  }
  for (; p < points2; p++) {
    let sum = 0;
    for (let i = 0, v = p * nb; i < nb; i++, v++) sum += coefficients[i] * values[v];
    y[at2 + p] = sum;
  }
}

// src/shared/expansion.ts
var ACTIVATIONS = {
  silu: (x) => x / (1 + Math.exp(-x)),
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  relu: (x) => Math.max(x, 0),
  tanh: Math.tanh,
  identity: (x) => x,
  x: (x) => x
};
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - series * Math.exp(-x * x));
}
function expandAt(layer, table, x, out) {
  basisAt(layer, table, x, out);
  const xs = layer.tables[table].x;
  const rounded2 = Math.fround(x);
  if (rounded2 >= xs[0] && rounded2 <= xs[xs.length - 1] || !Number.isFinite(x)) return;
  const { knots, extent } = layer.bases[table];
  const gone = knots.length > 0 && (x <= extent[0] || x >= extent[1]);
  for (let b = 0; b < layer.nb; b++) {
    if (layer.isBase[b]) out[b] = ACTIVATIONS[layer.labels[b]?.toLowerCase()]?.(x) ?? Number.NaN;
    else out[b] = gone ? 0 : Number.NaN;
  }
}
function expandAll(layer, table, points2) {
  const { nb } = layer;
  const x = Float32Array.from(points2);
  const values = new Float64Array(x.length * nb);
  for (let p = 0; p < x.length; p++) {
    expandAt(layer, table, points2[p], values.subarray(p * nb, (p + 1) * nb));
  }
  return { x, values };
}

// src/meshgrid_view/ramp.ts
function makeRamp(direction, limits, n) {
  const [lo, hi] = limits;
  const made2 = (shares2, width, height, index) => ({
    direction,
    limits,
    n,
    values: Float64Array.from(shares2, (share) => lo + (hi - lo) * share),
    width,
    height,
    index: Uint16Array.from(index)
  });
  const line = Array.from({ length: n }, (_, k) => k);
  if (direction === "horizontal" || direction === "vertical") {
    const shares2 = line.map((k) => k / (n - 1));
    return direction === "horizontal" ? made2(shares2, n, 1, line) : made2(shares2, 1, n, line);
  }
  const cells = line.flatMap((row) => line.map((column) => [row, column]));
  if (direction === "diagonal") {
    const shares2 = Array.from({ length: 2 * n - 1 }, (_, k) => k / (2 * n - 2));
    return made2(
      shares2,
      n,
      n,
      cells.map(([row, column]) => row + column)
    );
  }
  const squares = cells.map(([row, column]) => (2 * row - n + 1) ** 2 + (2 * column - n + 1) ** 2);
  const distinct = [...new Set(squares)].sort((a, b) => a - b);
  const [first, last] = [Math.sqrt(distinct[0]), Math.sqrt(distinct[distinct.length - 1])];
  const place = new Map(distinct.map((square, k) => [square, k]));
  const shares = distinct.map((d) => last > first ? (Math.sqrt(d) - first) / (last - first) : 0);
  return made2(
    shares,
    n,
    n,
    squares.map((square) => place.get(square) ?? 0)
  );
}
function placeIn(ramp, across, down) {
  const within = (share, size) => Math.max(0, Math.min(size - 1, Math.floor(share * size)));
  return ramp.index[within(down, ramp.height) * ramp.width + within(across, ramp.width)];
}
function planOf(layer, ramp) {
  const tables = layer.tables.map((_, t) => expandAll(layer, t, ramp.values));
  return { tables, points: ramp.values.length };
}
function evaluateRamp(frame, layer, plan, reuse) {
  return evaluateAll(frame, layer, plan, reuse ?? void 0);
}
function matrixOf(ramp, curves, f) {
  const { n, width, height, index } = ramp;
  const matrix = new Float32Array(n * n);
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < n; column++) {
      const at2 = (height === 1 ? 0 : row * width) + (width === 1 ? 0 : column);
      matrix[row * n + column] = curves.y[f * curves.points + index[at2]];
    }
  }
  return matrix;
}
function reachOf(values) {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let broken = 0;
  for (let k = 0; k < values.length; k++) {
    const value = values[k];
    if (!(Math.abs(value) <= Number.MAX_VALUE)) broken++;
    else {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? { low, high, broken } : { low: 0, high: 0, broken };
}
function mostOf({ low, high }) {
  return Math.max(Math.abs(low), Math.abs(high));
}

// src/meshgrid_view/pair_panel.ts
var POINTS2 = 65;
var BINS = 24;
var LEFT = 46;
var BOTTOM = 34;
var TOP = 8;
var RIGHT = 12;
var LARGEST = 460;
var NARROW = 520;
function createPairPanel(desk) {
  const { document, signal } = desk;
  const root = element(document, "div", "kw-pair");
  const side = element(document, "div", "kw-side", root);
  const axes = element(document, "div", "kw-axes-choice", side);
  axes.setAttribute("role", "radiogroup");
  axes.setAttribute("aria-label", "Which entry the next click on the kernel sets");
  const name = radioName();
  const radios = ["x", "y"].map((axis) => {
    const holder = element(document, "label", "kw-axis", axes);
    const radio = element(document, "input", "kw-radio", holder);
    radio.type = "radio";
    radio.name = name;
    radio.value = axis;
    radio.title = `The next click on the kernel sets the entry along ${axis}`;
    radio.setAttribute("aria-label", `entry along ${axis}`);
    radio.checked = axis === "x";
    const text = element(document, "span", "kw-axis-text", holder);
    return { radio, text };
  });
  const mapCanvas = activeCanvas(document, "kw-kernel-map");
  side.append(mapCanvas);
  const hint = element(document, "div", "kw-hint", side);
  hint.textContent = "Click two entries: the first is x, the second y.";
  const plotCanvas = activeCanvas(document, "kw-surface-plot");
  root.append(plotCanvas);
  const atlas = createAtlas(document);
  const mapPointer = followPointer(mapCanvas, desk);
  const plotPointer = followPointer(plotCanvas, desk);
  const keep = memory();
  let scene = null;
  let drawn = null;
  let cursor = -1;
  let reading = null;
  function draw(next) {
    scene = next;
    const { store, frame, layer, settings, look, width } = next;
    const { colours, palette, ratio } = look;
    const selection = store.selection();
    const group = groupOf(layer, selection);
    const entryX = entryIn(layer, group, selection);
    const entryY = partnerOf(group, entryX, settings.other);
    const i = functionIn(layer, group, entryX);
    const j = functionIn(layer, group, entryY);
    const surface = keep(
      "surface",
      [frame, layer, i, j],
      () => surfaceOf(frame, layer, i, j, POINTS2)
    );
    const reach = keep("reach", [surface], () => reachOf(surface.values));
    const finite = reach.broken < surface.values.length;
    const most = niceCeil(mostOf(reach));
    const levels = keep("levels", [reach], () => levelsOf(reach.low, reach.high));
    const observed = store.observed(layer.name);
    const [placeX, placeY] = [entryX, entryY].map(
      (e) => observedEntry(layer, selectionIn(layer, group, e))
    );
    const [rangeX, rangeY] = [domainOf(layer, i), domainOf(layer, j)];
    const density = keep(
      "density",
      [observed, layer, placeX, placeY],
      () => observed ? densityOf(observed, placeX, placeY, rangeX, rangeY, BINS) : null
    );
    const narrow = width < NARROW;
    root.toggleAttribute("data-narrow", narrow);
    const rows = Math.ceil(group.count / group.columns);
    const room = narrow ? Math.min(150, width - 32) : 150;
    const cell = Math.max(4, Math.min(44, Math.floor((room - 4) / group.columns)));
    const gap = cell >= 16 ? 2 : 1;
    const cells = Array.from({ length: group.count }, (_, e) => ({
      x: 3 + e % group.columns * cell,
      y: 3 + Math.floor(e / group.columns) * cell,
      width: cell - gap,
      height: cell - gap
    }));
    const whole2 = { width: group.columns * cell + 6, height: rows * cell + 6 };
    const sideWidth = narrow ? 0 : 176;
    const size = Math.max(
      120,
      Math.min(LARGEST, settings.height - TOP - BOTTOM, width - sideWidth - LEFT - RIGHT - 24)
    );
    const plot = { x: LEFT, y: TOP, width: size, height: size };
    drawn = { group, i, j, surface, levels, density, plot, cells };
    const names = [entryX, entryY].map((e) => entryName(group, e));
    radios.forEach(({ text }, k) => {
      const words = `${"xy"[k]}: ${names[k]}`;
      if (text.textContent !== words) text.textContent = words;
    });
    drawMap(next, drawn, whole2, entryX, entryY);
    const context = prepare(plotCanvas, LEFT + size + RIGHT, TOP + size + BOTTOM, ratio);
    if (!context) return NO_FACTS;
    atlas.load(1, POINTS2, POINTS2, (_, pixels) => {
      const turned = new Float64Array(POINTS2 * POINTS2);
      for (let row = 0; row < POINTS2; row++) {
        const from = (POINTS2 - 1 - row) * POINTS2;
        turned.set(surface.values.subarray(from, from + POINTS2), row * POINTS2);
      }
      colourise(turned, most, palette, pixels, POINTS2);
    });
    const half = size / (POINTS2 - 1) / 2;
    context.save();
    context.beginPath();
    context.rect(plot.x, plot.y, size, size);
    context.clip();
    const ground = {
      x: plot.x - half,
      y: plot.y - half,
      width: size + 2 * half,
      height: size + 2 * half
    };
    atlas.draw(context, 0, ground, reach.broken === 0);
    if (density) drawDensity(context, next, density, plot);
    drawContours(context, next, surface, levels, plot, most);
    context.restore();
    drawAxes(context, next, plot, rangeX, rangeY, names);
    const place = readingPlace(plot);
    if (place) {
      const [across, up] = place;
      const x = rangeX[0] + (rangeX[1] - rangeX[0]) * across;
      const y = rangeY[0] + (rangeY[1] - rangeY[0]) * up;
      const [cx, cy] = [plot.x + across * size, plot.y + (1 - up) * size];
      context.strokeStyle = colours.ink;
      context.lineWidth = 1;
      context.globalAlpha = 0.6;
      context.beginPath();
      context.moveTo(cx, plot.y);
      context.lineTo(cx, plot.y + size);
      context.moveTo(plot.x, cy);
      context.lineTo(plot.x + size, cy);
      context.stroke();
      context.globalAlpha = 1;
      const box2 = plotCanvas.getBoundingClientRect();
      const lines = readOut(frame, layer, i, j, x, y, density);
      desk.showTip(`${names[0]} and ${names[1]}`, lines, {
        x: box2.left + cx - 4,
        y: box2.top + cy - 4,
        width: 8,
        height: 8
      });
    }
    plotCanvas.style.cursor = "crosshair";
    const title = `${layerTitle(layer)} · ${groupName(group)}`;
    describe(
      plotCanvas,
      `Sum of two functions of ${title}: φ of ${names[0]} over x, φ of ${names[1]} over y, from ${number(reach.low)} to ${number(reach.high)}. Arrow keys read the surface.`,
      JSON.stringify([layer.name, i, j])
    );
    describe(
      mapCanvas,
      `The entries of ${title}. x is ${names[0]}, y is ${names[1]}. Arrow keys move between entries; x or y sets one, Enter the next.`,
      JSON.stringify([layer.name, i, j])
    );
    const noted = [density ? densityWords(density) : "", layer.note].filter((text) => text);
    if (!observed) noted.unshift("live.observe(batch) adds the real inputs");
    return {
      ...NO_FACTS,
      what: "φ + φ",
      scales: { smallest: most, largest: most },
      reach: finite ? { low: reach.low, high: reach.high } : null,
      axis: `${layer.variable} ${number(rangeX[0])} … ${number(rangeX[1])}`,
      warned: reach.broken > 0 ? "not finite where grey" : "",
      noted: noted.join(" · "),
      readout: `${title} · φ(${names[0]}) over x + φ(${names[1]}) over y`,
      selected: selection?.layer === layer.name,
      label: title
    };
  }
  function drawMap({ frame, layer, look }, { group, cells }, whole2, entryX, entryY) {
    const { colours, palette, ratio } = look;
    const context = prepare(mapCanvas, whole2.width, whole2.height, ratio);
    if (!context) return;
    const hovered = mapPointer.at ? cells.findIndex((r) => inside(r, mapPointer.at)) : -1;
    const [lo, hi] = layer.domain;
    const columns = Math.max(4, Math.min(20, Math.floor(cells[0]?.width ?? 4)));
    const values = keep(
      "map",
      [frame, layer, group.out, group.in, columns],
      () => cells.map((_, e) => {
        const f = functionIn(layer, group, e);
        return Float64Array.from({ length: columns }, (_2, k) => {
          const x = lo + (hi - lo) * (k + 0.5) / columns;
          return exactAt(layer, f, frame, x).phi;
        });
      })
    );
    const most = Math.max(...values.map((row) => mostOf(reachOf(row))));
    cells.forEach((r, e) => {
      values[e].forEach((phi, k) => {
        const at2 = 3 * (Number.isFinite(phi) ? colourOf(phi, most) : ARM);
        const [red, green, blue] = palette.bytes.subarray(at2, at2 + 3);
        context.fillStyle = `rgb(${red} ${green} ${blue})`;
        const left = r.x + Math.round(k * r.width / columns);
        const right = r.x + Math.round((k + 1) * r.width / columns);
        context.fillRect(left, r.y, right - left, r.height);
      });
    });
    if (hovered >= 0) outline(context, cells[hovered], colours.ink, 1, 0.5);
    context.font = look.font(10);
    context.textAlign = "center";
    context.textBaseline = "middle";
    [
      { entry: entryY, text: "y", colour: colours.ink },
      { entry: entryX, text: "x", colour: colours.accent }
    ].forEach(({ entry, text, colour: colour2 }) => {
      const r = cells[entry];
      outline(context, r, colours.surface, 4, 1);
      outline(context, r, colour2, 2, 1);
      if (r.width >= 14) badge(context, text, r, colour2, colours.surface, text === "x");
    });
    if (cursor >= 0 && cursor < cells.length && hasKeyboard(mapCanvas)) {
      context.setLineDash([3, 2]);
      outline(context, cells[cursor], colours.ink, 1.5, -2);
      context.setLineDash([]);
    }
    mapCanvas.style.cursor = hovered >= 0 ? "pointer" : "";
  }
  function readingPlace(plot) {
    const at2 = plotPointer.at;
    if (at2) {
      if (!inside(plot, at2)) return null;
      return [(at2.x - plot.x) / plot.width, 1 - (at2.y - plot.y) / plot.height];
    }
    return hasKeyboard(plotCanvas) ? reading : null;
  }
  function readOut(frame, layer, i, j, x, y, density) {
    const [a, b] = [exactAt(layer, i, frame, x).phi, exactAt(layer, j, frame, y).phi];
    const print = (value) => Number.isFinite(value) ? number(value) : "not finite";
    const lines = [
      { label: "x", value: number(x) },
      { label: "y", value: number(y) },
      { label: "φ(x)", value: print(a) },
      { label: "φ(y)", value: print(b) },
      { label: "sum", value: print(a + b) }
    ];
    if (density) {
      const bin = (value, f) => {
        const [lo, hi] = domainOf(layer, f);
        return Math.max(0, Math.min(BINS - 1, Math.floor((value - lo) / (hi - lo) * BINS)));
      };
      const share = density.shares[bin(y, j) * BINS + bin(x, i)];
      lines.push({ label: "inputs", value: share > 0 ? percent(share) : "none" });
    }
    return lines;
  }
  function setEntry(axis, entry) {
    if (!scene || !drawn || entry < 0) return;
    const { layer, store, settings } = scene;
    const { group } = drawn;
    if (axis === "x") {
      const before = entryIn(layer, group, store.selection());
      const partner = partnerOf(group, before, settings.other);
      if (settings.other < 0) desk.choose("other", partner === entry ? before : partner);
      store.select(selectionIn(layer, group, entry));
    } else {
      desk.choose("other", entry);
      if (store.selection()?.layer !== layer.name) {
        store.select(selectionIn(layer, group, entryIn(layer, group, null)));
      }
    }
    const next = axis === "x" ? 1 : 0;
    radios[next].radio.checked = true;
    desk.say(`${axis} is ${entryName(group, entry)}`);
    desk.schedule();
  }
  const active = () => radios[0].radio.checked ? "x" : "y";
  mapCanvas.addEventListener(
    "click",
    (event) => {
      const at2 = placeOf(event, mapCanvas);
      const entry = drawn?.cells.findIndex((r) => inside(r, at2)) ?? -1;
      cursor = entry;
      setEntry(active(), entry);
    },
    { signal }
  );
  mapCanvas.addEventListener(
    "keydown",
    (event) => {
      if (!scene || !drawn || !plainKey(event)) return;
      const { group } = drawn;
      const direction = DIRECTIONS[event.key];
      if (direction) {
        const from = cursor >= 0 ? cursor : entryIn(scene.layer, group, scene.store.selection());
        const [across, down] = MOVES[direction];
        const column = from % group.columns + across;
        const to = from + across + down * group.columns;
        if (column >= 0 && column < group.columns && to >= 0 && to < group.count) cursor = to;
        else cursor = from;
        desk.say(entryName(group, cursor));
      } else if (event.key === "Enter" || event.key === " ") setEntry(active(), cursor);
      else if (event.key === "x" || event.key === "y") setEntry(event.key, cursor);
      else return;
      used(event);
      desk.schedule();
    },
    { signal }
  );
  plotCanvas.addEventListener(
    "keydown",
    (event) => {
      const direction = DIRECTIONS[event.key];
      if (!scene || !drawn || !direction || !plainKey(event)) return;
      const step = event.shiftKey ? 0.1 : 0.025;
      const [across, down] = MOVES[direction];
      const [x, y] = reading ?? [0.5, 0.5];
      const within = (v) => Math.max(0, Math.min(1, v));
      reading = [within(x + step * across), within(y - step * down)];
      const { i, j } = drawn;
      const at2 = (f, share) => {
        const [lo, hi] = domainOf(scene.layer, f);
        return lo + (hi - lo) * share;
      };
      const lines = readOut(
        scene.frame,
        scene.layer,
        i,
        j,
        at2(i, reading[0]),
        at2(j, reading[1]),
        drawn.density
      );
      desk.say(lines.map(({ label, value }) => `${label} ${value}`).join(", "));
      plotPointer.at = null;
      used(event);
      desk.schedule();
    },
    { signal }
  );
  for (const canvas of [mapCanvas, plotCanvas]) {
    for (const event of ["focus", "blur"]) {
      canvas.addEventListener(event, desk.schedule, { signal });
    }
  }
  const client = (canvas, r) => {
    if (!r) return null;
    const box2 = canvas.getBoundingClientRect();
    return { ...r, x: box2.left + r.x, y: box2.top + r.y };
  };
  return {
    element: root,
    draw,
    pair() {
      if (!drawn) return null;
      const { i, j, surface, levels, density } = drawn;
      return {
        i,
        j,
        x: Array.from(surface.x),
        y: Array.from(surface.y),
        values: Array.from(surface.values),
        levels,
        density: density && { most: density.most, outside: density.outside }
      };
    },
    entryRect: (entry) => client(mapCanvas, drawn?.cells[entry]),
    plotRect: () => client(plotCanvas, drawn?.plot)
  };
}
function entryName(group, entry) {
  if (group.byInput) return `input ${entry}`;
  return `row ${Math.floor(entry / group.columns)}, column ${entry % group.columns}`;
}
function groupName(group) {
  return group.byInput ? `out ${group.out}` : `out ${group.out} · in ${group.in}`;
}
function densityWords(density) {
  const out = density.outside > 0 ? `, ${percent(density.outside)} lie outside` : "";
  return `dots: real inputs, the largest ${percent(density.most)}${out}`;
}

// src/shared/geometry.ts
var PAD = 8;
var CELL_GAP = 1;
var ROW_LABEL = 34;
var COL_LABEL = 16;
var BAND_GAP = 10;
var SPACING = {
  conv: { gap: 12, min: 24, max: 56 },
  linear: { gap: 2, min: 16, max: 48 }
};
var LABEL_CHARACTER = 6;
function arrange(shape, width, order = null) {
  const { kind, kh, kw } = shape;
  const { gap, min, max } = SPACING[kind];
  const kernels = shape.out * shape.in;
  if (order && order.length !== kernels) {
    throw new RangeError(`the order names ${order.length} kernels, the layer has ${kernels}`);
  }
  const flowing = order !== null || shape.in === 1;
  const rows = flowing ? 1 : shape.out;
  const columns = flowing ? kernels : shape.in;
  const across = (cell2) => kw * cell2 + (kw - 1) * CELL_GAP;
  const down = (cell2) => kh * cell2 + (kh - 1) * CELL_GAP;
  const available = width - 2 * PAD - ROW_LABEL;
  const fit = (n) => Math.floor((available - (n - 1) * gap - n * (kw - 1) * CELL_GAP) / (n * kw));
  let perBand = columns;
  if (fit(columns) < min) {
    const most = Math.max(1, Math.floor((available + gap) / (across(min) + gap)));
    perBand = Math.ceil(columns / Math.ceil(columns / most));
  }
  const bands = Math.ceil(columns / perBand);
  const cell = Math.max(min, Math.min(max, fit(perBand)));
  const blockWidth = across(cell);
  const blockHeight = down(cell);
  const bandHeight = COL_LABEL + rows * (blockHeight + gap) - gap + BAND_GAP;
  let position = null;
  if (order) {
    position = new Array(kernels);
    for (let p = 0; p < kernels; p++) position[order[p]] = p;
  }
  const arrangement = {
    kind,
    out: shape.out,
    in: shape.in,
    kh,
    kw,
    flowing,
    rows,
    columns,
    cell,
    gap,
    perBand,
    bands,
    bandHeight,
    blockWidth,
    blockHeight,
    width: Math.max(width, PAD + ROW_LABEL + perBand * (blockWidth + gap) - gap + PAD),
    height: PAD + bands * bandHeight - BAND_GAP + PAD,
    labelStep: 1,
    order,
    position
  };
  const widest = LABEL_CHARACTER * longestColumnText(arrangement).length + LABEL_CHARACTER;
  arrangement.labelStep = roundStep(widest / (blockWidth + gap));
  return arrangement;
}
function roundStep(least) {
  for (let decade = 1; ; decade *= 10) {
    for (const n of [1, 2, 5]) if (n * decade >= least) return n * decade;
  }
}
function columnText(a, column) {
  if (!a.flowing) return `in ${column}`;
  const kernel = a.order ? a.order[column] : column;
  return a.in === 1 ? `out ${kernel}` : `${Math.floor(kernel / a.in)},${kernel % a.in}`;
}
function longestColumnText(a) {
  if (!a.flowing) return `in ${a.in - 1}`;
  return a.in === 1 ? `out ${a.out - 1}` : `${a.out - 1},${a.in - 1}`;
}
function blockOf(a, kernel) {
  const place = a.position ? a.position[kernel] : kernel;
  const row = a.flowing ? 0 : Math.floor(place / a.in);
  const column = a.flowing ? place : place % a.in;
  return blockAt(a, row, column);
}
function blockAt(a, row, column) {
  const band = Math.floor(column / a.perBand);
  const k = column - band * a.perBand;
  return {
    x: PAD + ROW_LABEL + k * (a.blockWidth + a.gap),
    y: PAD + band * a.bandHeight + COL_LABEL + row * (a.blockHeight + a.gap),
    width: a.blockWidth,
    height: a.blockHeight
  };
}
function kernelAt(a, row, column) {
  if (!a.flowing) return row * a.in + column;
  return a.order ? a.order[column] : column;
}
function rectOf(a, f) {
  const size = a.kh * a.kw;
  const kernel = Math.floor(f / size);
  const entry = f - kernel * size;
  const row = Math.floor(entry / a.kw);
  const block = blockOf(a, kernel);
  return {
    x: block.x + (entry - row * a.kw) * (a.cell + CELL_GAP),
    y: block.y + row * (a.cell + CELL_GAP),
    width: a.cell,
    height: a.cell
  };
}
function cellAt(a, x, y) {
  const band = Math.floor((y - PAD) / a.bandHeight);
  if (band < 0 || band >= a.bands) return -1;
  const inX = x - PAD - ROW_LABEL;
  const inY = y - PAD - band * a.bandHeight - COL_LABEL;
  if (inX < 0 || inY < 0) return -1;
  const k = Math.floor(inX / (a.blockWidth + a.gap));
  const r = Math.floor(inY / (a.blockHeight + a.gap));
  const column = band * a.perBand + k;
  if (k >= a.perBand || column >= a.columns || r >= a.rows) return -1;
  const dx = inX - k * (a.blockWidth + a.gap);
  const dy = inY - r * (a.blockHeight + a.gap);
  if (dx >= a.blockWidth || dy >= a.blockHeight) return -1;
  const col = Math.floor(dx / (a.cell + CELL_GAP));
  const row = Math.floor(dy / (a.cell + CELL_GAP));
  if (dx - col * (a.cell + CELL_GAP) >= a.cell || dy - row * (a.cell + CELL_GAP) >= a.cell) {
    return -1;
  }
  return (kernelAt(a, r, column) * a.kh + row) * a.kw + col;
}
function kernelsWithin(a, view) {
  const found = [];
  const clamp = (v, hi) => Math.max(0, Math.min(hi, v));
  const pitchX = a.blockWidth + a.gap;
  const pitchY = a.blockHeight + a.gap;
  const left = view.x - PAD - ROW_LABEL;
  const k0 = clamp(Math.floor(left / pitchX), a.perBand);
  const k1 = clamp(Math.ceil((left + view.width) / pitchX), a.perBand);
  const b0 = clamp(Math.floor((view.y - PAD) / a.bandHeight), a.bands);
  const b1 = clamp(Math.ceil((view.y + view.height - PAD) / a.bandHeight), a.bands);
  for (let band = b0; band < b1; band++) {
    const top = view.y - PAD - band * a.bandHeight - COL_LABEL;
    const r0 = clamp(Math.floor(top / pitchY), a.rows);
    const r1 = clamp(Math.ceil((top + view.height) / pitchY), a.rows);
    for (let r = r0; r < r1; r++) {
      for (let k = k0; k < k1; k++) {
        const column = band * a.perBand + k;
        if (column < a.columns) found.push(kernelAt(a, r, column));
      }
    }
  }
  return found;
}
function columnLabels(a) {
  const labels = [];
  for (let column = 0; column < a.columns; column++) {
    const band = Math.floor(column / a.perBand);
    const first = column % a.perBand === 0 && a.perBand < a.labelStep;
    if (column % a.labelStep !== 0 && !first) continue;
    const text = columnText(a, column);
    const half = LABEL_CHARACTER / 2 * text.length;
    const left = blockAt(a, 0, column).x;
    let x = left + a.blockWidth / 2;
    if (hasCorner(a)) x = Math.max(x, left + half);
    if (x + half > a.width) continue;
    labels.push({ text, x, y: PAD + band * a.bandHeight + COL_LABEL - 5 });
  }
  return labels;
}
function hasCorner(a) {
  return a.order !== null && a.in > 1;
}
function stuckHead(a, view) {
  const band = Math.floor((view.y - PAD) / a.bandHeight);
  if (view.y <= PAD || band < 0 || band >= a.bands) return null;
  const top = PAD + band * a.bandHeight;
  const end = top + a.bandHeight - BAND_GAP;
  const y = Math.min(view.y, end - COL_LABEL);
  if (y + COL_LABEL <= view.y || y <= top) return null;
  return { band, strip: { x: view.x, y, width: view.width, height: COL_LABEL }, shift: y - top };
}
function inStuckBand(a, head, labels) {
  return labels.filter(({ y }) => Math.floor((y - PAD) / a.bandHeight) === head.band).map((label) => ({ ...label, y: label.y + head.shift }));
}
function underHead(a, view, y) {
  const head = stuckHead(a, view);
  return head !== null && y < head.strip.y + head.strip.height;
}
function rowLabels(a) {
  const labels = [];
  if (a.flowing) return labels;
  for (let band = 0; band < a.bands; band++) {
    for (let row = 0; row < a.rows; row++) {
      const block = blockAt(a, row, band * a.perBand);
      const text = a.out <= 100 ? `out ${row}` : `${row}`;
      labels.push({ text, x: PAD + ROW_LABEL - 6, y: block.y + block.height / 2 });
    }
  }
  return labels;
}
function cornerLabels(a) {
  if (!hasCorner(a)) return [];
  return Array.from({ length: a.bands }, (_, band) => ({
    text: "out,in",
    x: PAD + ROW_LABEL - 6,
    y: PAD + band * a.bandHeight + COL_LABEL - 5
  }));
}
function neighbour(a, f, direction) {
  const size = a.kh * a.kw;
  const kernel = Math.floor(f / size);
  const entry = f - kernel * size;
  let row = Math.floor(entry / a.kw);
  let col = entry - row * a.kw;
  const place = a.position ? a.position[kernel] : kernel;
  let r = a.flowing ? 0 : Math.floor(place / a.in);
  let column = a.flowing ? place : place % a.in;
  if (direction === "left") {
    col -= 1;
    if (col < 0) {
      column -= 1;
      col = a.kw - 1;
    }
  } else if (direction === "right") {
    col += 1;
    if (col === a.kw) {
      column += 1;
      col = 0;
    }
  } else if (direction === "up") {
    row -= 1;
    if (row < 0) {
      row = a.kh - 1;
      r -= 1;
      if (r < 0) {
        r = a.rows - 1;
        column -= a.perBand;
      }
    }
  } else {
    row += 1;
    if (row === a.kh) {
      row = 0;
      r += 1;
      if (r === a.rows) {
        r = 0;
        column += a.perBand;
        const band = Math.floor(column / a.perBand);
        if (band === a.bands - 1) column = Math.min(column, a.columns - 1);
      }
    }
  }
  if (column < 0 || column >= a.columns || r < 0) return f;
  return (kernelAt(a, r, column) * a.kh + row) * a.kw + col;
}

// src/shared/heads.ts
function paintLabels(context, arrangement, { view, font, colours }) {
  context.font = font;
  context.fillStyle = colours.muted;
  paintHeads(context, columnLabels(arrangement), cornerLabels(arrangement), view);
  context.textBaseline = "middle";
  write2(context, rowLabels(arrangement), view);
}
function paintStuckHead(context, arrangement, { view, font, colours }) {
  const head = stuckHead(arrangement, view);
  if (!head) return;
  const { strip } = head;
  context.fillStyle = colours.surface;
  context.fillRect(strip.x, strip.y, strip.width, strip.height);
  context.font = font;
  context.fillStyle = colours.muted;
  const [columns, corners] = [columnLabels(arrangement), cornerLabels(arrangement)].map(
    (labels) => inStuckBand(arrangement, head, labels)
  );
  paintHeads(context, columns, corners, view);
}
function paintHeads(context, columns, corners, view) {
  context.textBaseline = "alphabetic";
  context.textAlign = "center";
  write2(context, columns, view);
  context.textAlign = "right";
  write2(context, corners, view);
}
function write2(context, labels, view) {
  for (const { text, x, y } of labels) {
    if (y > view.y - 20 && y < view.y + view.height + 20) context.fillText(text, x, y);
  }
}

// src/meshgrid_view/ramp_panel.ts
function spreadOf(layer, { y, points: points2 }) {
  const most = new Float32Array(layer.count);
  let broken = 0;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let f = 0; f < layer.count; f++) {
    let least = Number.POSITIVE_INFINITY;
    let largest2 = Number.NEGATIVE_INFINITY;
    let whole2 = true;
    for (let p = f * points2; p < (f + 1) * points2; p++) {
      const value = y[p];
      if (!(Math.abs(value) <= Number.MAX_VALUE)) whole2 = false;
      else {
        if (value < least) least = value;
        if (value > largest2) largest2 = value;
      }
    }
    if (!whole2) broken++;
    most[f] = least <= largest2 ? Math.max(-least, largest2) : Number.NaN;
    if (least < low) low = least;
    if (largest2 > high) high = largest2;
  }
  return { most, broken, low, high };
}
function scalesOf(layer, most, scale) {
  const size = layer.shape[2] * layer.shape[3];
  if (scale === "layer") {
    const all = niceCeil(layerRange(most));
    return { of: (_) => all, smallest: all, largest: all };
  }
  const own = Array.from(scale === "kernel" ? kernelRanges(layer, most) : most, niceCeil);
  const finite = own.filter((_, k) => scale === "kernel" || !Number.isNaN(most[k]));
  const step = scale === "kernel" ? size : 1;
  return {
    of: (f) => own[Math.floor(f / step)],
    smallest: finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    largest: finite.reduce((a, b) => Math.max(a, b), 0)
  };
}
var WORDS = {
  horizontal: "from left to right",
  vertical: "from top to bottom",
  diagonal: "from the top left to the bottom right",
  radial: "from the middle to the corners"
};
function createRampPanel(desk) {
  const { document, signal } = desk;
  const viewport = element(document, "div", "kw-viewport");
  const page2 = element(document, "div", "kw-page", viewport);
  const canvas = activeCanvas(document, "kw-ramp");
  page2.append(canvas);
  const atlas = createAtlas(document);
  const pointer = followPointer(canvas, desk);
  const keep = memory();
  let scene = null;
  let arrangement = null;
  let ramp = null;
  let curves = null;
  let scaleOf = () => 1;
  let hovered = -1;
  let cursor = -1;
  let keyboard = false;
  function draw(next) {
    scene = next;
    const { store, frame, layer, settings, look } = next;
    const { colours, palette, ratio } = look;
    const [out, inputs, kh, kw] = layer.shape;
    const shape = { kind: layer.kind, out, in: inputs, kh, kw };
    const width = layOut(shape, settings.height);
    if (width <= 0) return NO_FACTS;
    const places = keep("places", [layer, width], () => arrange(shape, width));
    arrangement = places;
    const [lo, hi] = settings.limits;
    const matrix = keep(
      "ramp",
      [settings.direction, lo, hi, settings.resolution],
      () => makeRamp(settings.direction, [lo, hi], settings.resolution)
    );
    ramp = matrix;
    const plan = keep("plan", [layer, matrix], () => planOf(layer, matrix));
    const values = keep(
      "curves",
      [frame, plan],
      (last) => evaluateRamp(frame, layer, plan, last)
    );
    curves = values;
    const spread = keep("spread", [frame, plan], () => spreadOf(layer, values));
    const scales = keep(
      "scales",
      [spread, settings.scale],
      () => scalesOf(layer, spread.most, settings.scale)
    );
    scaleOf = scales.of;
    const view = viewOf();
    const context = prepare(canvas, view.width, view.height, ratio);
    if (!context) return NO_FACTS;
    context.translate(-view.x, -view.y);
    const heads = { view, font: look.font(10), colours };
    paintLabels(context, places, heads);
    const size = kh * kw;
    const shown = kernelsWithin(places, view);
    const visible = shown.flatMap(
      (kernel) => Array.from({ length: size }, (_, entry) => kernel * size + entry)
    );
    const { width: w, height: h, index } = matrix;
    const one = new Float32Array(w * h);
    atlas.load(visible.length, w, h, (k, pixels) => {
      const start = visible[k] * values.points;
      for (let p = 0; p < index.length; p++) one[p] = values.y[start + index[p]];
      colourise(one, scales.of(visible[k]), palette, pixels, w);
    });
    visible.forEach((f, k) => {
      atlas.draw(context, k, rectOf(places, f));
    });
    for (const kernel of shown) outline(context, blockOf(places, kernel), colours.line, 1, 0.5);
    markDomain(context, next, places, visible);
    markBroken(context, places, visible, spread.most, colours.warn);
    const spot = pointer.at && { x: pointer.at.x + view.x, y: pointer.at.y + view.y };
    const byKey = keyboard && !spot && cursor < layer.count;
    const covered = spot !== null && underHead(places, view, spot.y);
    hovered = spot && !covered ? cellAt(places, spot.x, spot.y) : byKey ? cursor : -1;
    const selected = functionOf(layer, store.selection());
    if (hovered >= 0 && hovered !== selected) {
      outline(context, rectOf(places, hovered), colours.ink, 1, 0.5);
    }
    if (selected >= 0) frameSelected(context, rectOf(places, selected), colours);
    if (byKey && cursor >= 0) {
      context.setLineDash([3, 2]);
      outline(context, rectOf(places, cursor), colours.ink, 1.5, cursor === selected ? 3.5 : 1);
      context.setLineDash([]);
    }
    paintStuckHead(context, places, heads);
    canvas.style.cursor = hovered >= 0 ? "pointer" : "";
    if (hovered >= 0) {
      const cell = rectOf(places, hovered);
      const at2 = spot ?? { x: cell.x + cell.width / 2, y: cell.y + cell.height / 2 };
      const place = placeIn(matrix, (at2.x - cell.x) / cell.width, (at2.y - cell.y) / cell.height);
      const box2 = canvas.getBoundingClientRect();
      desk.showTip(
        `${layerTitle(layer)} · ${entryText(layer, hovered)}`,
        tipLines(layer, hovered, matrix.values[place]),
        { ...cell, x: cell.x - view.x + box2.left, y: cell.y - view.y + box2.top }
      );
    }
    const axis = `${layer.variable} ${number(lo)} … ${number(hi)} ${WORDS[settings.direction]}`;
    const chosen = selected >= 0 ? `Selected: ${selectionText(next, selected)}. ` : "";
    describe(
      canvas,
      `Heat maps of layer ${layerTitle(layer)}, ${layerSize(layer)}: each function over inputs ${axis}, colours ±${number(scales.largest)}. ${chosen}Arrow keys move between functions; Enter selects, Escape clears.`,
      JSON.stringify([layer.name, layer.shape, selected, axis, settings.scale])
    );
    return {
      ...NO_FACTS,
      scales,
      reach: spread.low <= spread.high ? { low: spread.low, high: spread.high } : null,
      axis,
      warned: spread.broken > 0 ? `${counted(spread.broken, "function")} not finite (×, grey)` : "",
      noted: [sticksOut(next, places) ? "ticks: the grid's range" : "", layer.note].filter((text) => text).join(" · "),
      readout: selected >= 0 ? selectionText(next, selected) : "",
      selected: selected >= 0,
      label: axis
    };
  }
  function viewOf() {
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = viewport;
    return { x: scrollLeft, y: scrollTop, width: clientWidth, height: clientHeight };
  }
  function layOut(shape, most) {
    const scrolls = arrange(shape, viewport.offsetWidth).height > most;
    viewport.style.overflowY = scrolls ? "scroll" : "hidden";
    viewport.toggleAttribute("data-scrolls", scrolls);
    const width = viewport.clientWidth;
    const places = arrange(shape, width);
    viewport.style.overflowX = places.width > width ? "auto" : "hidden";
    viewport.style.height = `${Math.min(places.height, most)}px`;
    page2.style.height = `${places.height}px`;
    page2.style.width = `${places.width}px`;
    return width;
  }
  function tipLines(layer, f, x) {
    if (!scene || !curves || !ramp) return [];
    const place = ramp.values.indexOf(x);
    const phi = curves.y[f * curves.points + place];
    const v = layer.variable;
    return [
      { label: v, value: number(x) },
      { label: `φ(${v})`, value: Number.isFinite(phi) ? number(phi) : "not finite" },
      { label: "colours", value: `±${number(scaleOf(f))}` }
    ];
  }
  function selectionText({ layer, frame, settings }, f) {
    const [lo, hi] = settings.limits;
    const ends = (lo < 0 && hi > 0 ? [lo, 0, hi] : [lo, hi]).map((x) => {
      const place = ramp?.values.indexOf(x) ?? -1;
      const phi = place >= 0 && curves ? curves.y[f * curves.points + place] : exactAt(layer, f, frame, x).phi;
      return `φ(${number(x)}) ${number(phi)}`;
    });
    return `${layerTitle(layer)} · ${entryText(layer, f)} · ${ends.join(" · ")}`;
  }
  function select(f) {
    if (!scene || f < 0) return;
    cursor = f;
    scene.store.select(selectionOf(scene.layer, f));
    desk.schedule();
  }
  function onKey(event) {
    if (!scene || !arrangement || !plainKey(event)) return;
    const { layer, store } = scene;
    const direction = DIRECTIONS[event.key];
    if (direction || event.key === "Home" || event.key === "End") {
      const from = cursor >= 0 && cursor < layer.count ? cursor : functionOf(layer, store.selection());
      if (event.key === "Home") cursor = 0;
      else if (event.key === "End") cursor = layer.count - 1;
      else if (!direction || from < 0) cursor = Math.max(0, from);
      else cursor = neighbour(arrangement, from, direction);
      keyboard = true;
      reveal(arrangement, cursor);
      desk.say(selectionText(scene, cursor));
    } else if ((event.key === "Enter" || event.key === " ") && cursor >= 0) {
      select(cursor);
      desk.say(`selected: ${entryText(layer, cursor)}`);
    } else if (event.key === "Escape" && store.selection()) {
      store.select(null);
      desk.say("selection cleared");
    } else return;
    pointer.at = null;
    used(event);
    desk.schedule();
  }
  function reveal(places, f) {
    const r = rectOf(places, f);
    const margin = 24;
    const { scrollTop, clientHeight, scrollLeft, clientWidth } = viewport;
    if (r.y - margin < scrollTop) viewport.scrollTop = r.y - margin;
    else if (r.y + r.height + margin > scrollTop + clientHeight) {
      viewport.scrollTop = r.y + r.height + margin - clientHeight;
    }
    if (r.x - margin < scrollLeft) viewport.scrollLeft = r.x - margin;
    else if (r.x + r.width + margin > scrollLeft + clientWidth) {
      viewport.scrollLeft = r.x + r.width + margin - clientWidth;
    }
  }
  canvas.addEventListener(
    "click",
    (event) => {
      const at2 = placeOf(event, canvas);
      keyboard = false;
      const [x, y] = [at2.x + viewport.scrollLeft, at2.y + viewport.scrollTop];
      if (!arrangement || underHead(arrangement, viewOf(), y)) return;
      select(cellAt(arrangement, x, y));
    },
    { signal }
  );
  canvas.addEventListener("keydown", onKey, { signal });
  canvas.addEventListener(
    "blur",
    () => {
      keyboard = false;
      desk.schedule();
    },
    { signal }
  );
  viewport.addEventListener("scroll", desk.schedule, { signal, passive: true });
  return {
    element: viewport,
    draw,
    heat(f) {
      if (!ramp || !curves) return null;
      return { width: ramp.n, height: ramp.n, data: Array.from(matrixOf(ramp, curves, f)) };
    },
    rectOf(f) {
      if (!arrangement) return null;
      const box2 = canvas.getBoundingClientRect();
      const r = rectOf(arrangement, f);
      return {
        ...r,
        x: box2.left + r.x - viewport.scrollLeft,
        y: box2.top + r.y - viewport.scrollTop
      };
    },
    scaleOf: (f) => scaleOf(f),
    hovered: () => hovered,
    forget() {
      viewport.scrollTop = 0;
      cursor = -1;
    }
  };
}
function sticksOut({ layer, settings }, places) {
  const { limits, direction } = settings;
  if (places.cell < 28) return false;
  const straight = direction === "horizontal" || direction === "vertical";
  return straight && (limits[0] < layer.domain[0] || limits[1] > layer.domain[1]);
}
function markDomain(context, scene, places, visible) {
  if (!sticksOut(scene, places)) return;
  const { layer, settings, look } = scene;
  const [lo, hi] = settings.limits;
  const along2 = settings.direction === "horizontal";
  context.fillStyle = look.colours.ink;
  for (const f of visible) {
    const { x, y, width, height } = rectOf(places, f);
    const range = layer.bases[layer.tableOf ? layer.tableOf[f] : 0]?.domain ?? layer.domain;
    for (const end of range) {
      if (!(end > lo && end < hi)) continue;
      const at2 = Math.round((end - lo) / (hi - lo) * (along2 ? width : height)) - 0.5;
      for (const edge of [0, (along2 ? height : width) - 3]) {
        if (along2) context.fillRect(x + at2, y + edge, 1, 3);
        else context.fillRect(x + edge, y + at2, 3, 1);
      }
    }
  }
}
function markBroken(context, places, visible, most, colour2) {
  const arm = Math.min(5, places.cell / 5);
  context.strokeStyle = colour2;
  context.lineWidth = 1.5;
  context.beginPath();
  for (const f of visible) {
    if (!Number.isNaN(most[f])) continue;
    const { x, y, width, height } = rectOf(places, f);
    const [cx, cy] = [x + width / 2, y + height / 2];
    context.moveTo(cx - arm, cy - arm);
    context.lineTo(cx + arm, cy + arm);
    context.moveTo(cx - arm, cy + arm);
    context.lineTo(cx + arm, cy - arm);
  }
  context.stroke();
}

// src/shared/probe.ts
var PAGE = /* @__PURE__ */ Symbol.for("kan_widgets.probes");
var page = globalThis;
page[PAGE] ??= /* @__PURE__ */ new WeakMap();
var points = page[PAGE];
function probeOf(store) {
  const known2 = points.get(store);
  if (known2) return known2;
  const made2 = makePoint(store);
  points.set(store, made2);
  return made2;
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

// src/meshgrid_view/grey.ts
function greyPixel(value, low, high) {
  const share = (value - low) / (high - low);
  return greys[Number.isFinite(share) ? Math.round(255 * Math.max(0, Math.min(1, share))) : 128];
}
var littleEndian2 = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
var greys = Uint32Array.from(
  { length: 256 },
  (_, v) => littleEndian2 ? 255 << 24 | v << 16 | v << 8 | v : v << 24 | v << 16 | v << 8 | 255
);

// src/meshgrid_view/patch.ts
function patchCells(rows, columns, side) {
  const size = Math.max(18, Math.floor((Math.min(side, 240) - 8) / Math.max(rows, columns)) - 3);
  const pitch = size + 3;
  const cells = Array.from({ length: rows * columns }, (_, e) => ({
    x: 4 + e % columns * pitch,
    y: 4 + Math.floor(e / columns) * pitch,
    width: size,
    height: size
  }));
  return { cells, width: columns * pitch + 6, height: rows * pitch + 6 };
}
function patchOf(frame, layer, kernel, inputs, border, points2) {
  const [, channels, kh, kw] = layer.shape;
  let [lo, hi] = layer.domain;
  for (const value of Array.from(inputs ?? [])) {
    if (value < lo) lo = value;
    if (value > hi) hi = value;
  }
  const beta = new Float64Array(layer.nb);
  const phi = (f, x) => {
    expandAt(layer, layer.tableOf ? layer.tableOf[f] : 0, x, beta);
    let value = 0;
    for (let b = 0; b < layer.nb; b++)
      value += frame.data[layer.offset + f * layer.nb + b] * beta[b];
    return value;
  };
  const first = (kernel.out * channels + kernel.in) * kh * kw;
  const curves = Array.from(
    { length: kh * kw },
    (_, e) => Float64Array.from(
      { length: points2 },
      (_2, k) => phi(first + e, lo + (hi - lo) * k / (points2 - 1))
    )
  );
  const values = inputs && Array.from(inputs, (x, e) => border && Number.isNaN(x) ? 0 : phi(first + e, x));
  let most = 0;
  for (const value of [...curves.flatMap((curve) => Array.from(curve)), ...values ?? []]) {
    if (Math.abs(value) > most && Number.isFinite(value)) most = Math.abs(value);
  }
  return { range: [lo, hi], curves, inputs, values, most: niceCeil(most) };
}
function paintPatch(context, { range: [lo, hi], curves, inputs, values, most }, cells, colours) {
  cells.forEach((r, e) => {
    context.fillStyle = colours.cell;
    context.fillRect(r.x, r.y, r.width, r.height);
    const middle = r.y + r.height / 2;
    const toX = (x) => r.x + 2 + (r.width - 4) * (x - lo) / (hi - lo);
    const toY = (y) => middle - (r.height / 2 - 3) * y / most;
    context.strokeStyle = colours.zero;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(r.x, Math.round(middle) + 0.5);
    context.lineTo(r.x + r.width, Math.round(middle) + 0.5);
    context.stroke();
    context.strokeStyle = colours.ink;
    context.lineWidth = 1.3;
    context.beginPath();
    let pen = false;
    curves[e].forEach((y, k) => {
      if (!Number.isFinite(y)) {
        pen = false;
        return;
      }
      const x = toX(lo + (hi - lo) * k / (curves[e].length - 1));
      if (pen) context.lineTo(x, toY(y));
      else context.moveTo(x, toY(y));
      pen = true;
    });
    context.stroke();
    if (inputs && values && Number.isFinite(inputs[e]) && Number.isFinite(values[e])) {
      const [cx, cy] = [toX(inputs[e]), toY(values[e])];
      context.strokeStyle = colours.accent;
      context.globalAlpha = 0.5;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(cx, r.y);
      context.lineTo(cx, r.y + r.height);
      context.stroke();
      context.globalAlpha = 1;
      context.fillStyle = colours.accent;
      context.beginPath();
      context.arc(cx, cy, 3, 0, 2 * Math.PI);
      context.fill();
    }
  });
}

// src/meshgrid_view/response.ts
function channelsOf(layer) {
  if (!layer.conv || layer.conv.shared) return null;
  return layer.shape[1] * layer.conv.groups;
}
function workPerOutput(swept) {
  const [, inputs, kh, kw] = swept.layer.shape;
  return swept.width * swept.height * inputs * kh * kw * swept.layer.nb;
}
function refusal(layer, image) {
  const { conv } = layer;
  const name = layer.name || layer.type;
  if (layer.kind === "linear") {
    return `${name} is a linear layer: its inputs have no places, so it has no response map.`;
  }
  if (!conv) {
    return `How ${name} moves its kernels is not known here, so it has no response map.`;
  }
  if (!image) return "";
  const channels = channelsOf(layer);
  if (channels !== null && image.channels !== channels && image.channels !== 1) {
    return `The image has ${image.channels} channels, ${name} takes ${channels}.`;
  }
  const [left, right, top, bottom] = conv.padding;
  const tooFar = conv.paddingMode === "reflect" && (Math.max(left, right) >= image.width || Math.max(top, bottom) >= image.height) || conv.paddingMode === "circular" && (Math.max(left, right) > image.width || Math.max(top, bottom) > image.height);
  const { width, height } = outputSize(layer, conv, image);
  if (width < 1 || height < 1 || tooFar) {
    return `The image, ${image.height} × ${image.width}, is too small for the kernels of ${name}.`;
  }
  return "";
}
function outputSize(layer, conv, image) {
  const [, , kh, kw] = layer.shape;
  const [left, right, top, bottom] = conv.padding;
  const size = (length, kernel, dilation, stride) => Math.floor((length - dilation * (kernel - 1) - 1) / stride) + 1;
  return {
    width: size(image.width + left + right, kw, conv.dilation[1], conv.stride[1]),
    height: size(image.height + top + bottom, kh, conv.dilation[0], conv.stride[0])
  };
}
function sourceOf(at2, size, mode) {
  if (at2 >= 0 && at2 < size) return at2;
  switch (mode) {
    case "zeros":
      return -1;
    case "replicate":
      return at2 < 0 ? 0 : size - 1;
    case "circular":
      return (at2 % size + size) % size;
    case "reflect":
      return at2 < 0 ? -at2 : 2 * (size - 1) - at2;
  }
}
function sweep(layer, image) {
  const conv = layer.conv;
  if (!conv) throw new Error(refusal(layer, image));
  const channels = channelsOf(layer) ?? image.channels;
  const [left, right, top, bottom] = conv.padding;
  const padded = { width: image.width + left + right, height: image.height + top + bottom };
  const area = padded.width * padded.height;
  const pixels = new Float32Array(channels * area);
  const border = conv.padsBasis ? new Uint8Array(pixels.length).fill(1) : null;
  if (border) pixels.fill(Number.NaN);
  for (let row = 0; row < padded.height; row++) {
    const fromRow = sourceOf(row - top, image.height, conv.paddingMode);
    for (let column = 0; column < padded.width; column++) {
      const fromColumn = sourceOf(column - left, image.width, conv.paddingMode);
      if (fromRow < 0 || fromColumn < 0) continue;
      for (let channel = 0; channel < channels; channel++) {
        const from = image.channels === 1 ? 0 : channel;
        const at2 = channel * area + row * padded.width + column;
        pixels[at2] = image.data[(from * image.height + fromRow) * image.width + fromColumn];
        if (border) border[at2] = 0;
      }
    }
  }
  const out = layer.shape[0];
  return {
    layer,
    conv,
    channels,
    padded,
    ...outputSize(layer, conv, image),
    outputs: conv.shared ? out * channels : out,
    pixels,
    border,
    beta: []
  };
}
function betaOf(swept, table) {
  const known2 = swept.beta[table];
  if (known2) return known2;
  const { layer, pixels, border } = swept;
  const { nb } = layer;
  const beta = new Float64Array(pixels.length * nb);
  const seen = /* @__PURE__ */ new Map();
  for (let p = 0; p < pixels.length; p++) {
    if (border?.[p]) continue;
    const before = seen.get(pixels[p]);
    if (before !== void 0) beta.copyWithin(p * nb, before * nb, (before + 1) * nb);
    else {
      expandAt(layer, table, pixels[p], beta.subarray(p * nb, (p + 1) * nb));
      seen.set(pixels[p], p);
    }
  }
  swept.beta[table] = beta;
  return beta;
}
function sourcesOf(swept, output) {
  const [out, inputs] = swept.layer.shape;
  const { shared, groups } = swept.conv;
  if (shared) return [{ out: output % out, in: 0, channel: Math.floor(output / out) }];
  const first = Math.floor(output / (out / groups)) * inputs;
  return Array.from({ length: inputs }, (_, i) => ({ out: output, in: i, channel: first + i }));
}
function respond(frame, swept, output) {
  const { layer, conv, padded, width, height } = swept;
  const [, inputs, kh, kw] = layer.shape;
  const { nb } = layer;
  const [down, across] = conv.stride;
  const sums = new Float64Array(width * height);
  const c = new Float64Array(nb);
  for (const source of sourcesOf(swept, output)) {
    const kernel = (source.out * inputs + source.in) * kh * kw;
    for (let entry = 0; entry < kh * kw; entry++) {
      const f = kernel + entry;
      const at2 = layer.offset + f * nb;
      for (let b = 0; b < nb; b++) c[b] = frame.data[at2 + b];
      const beta = betaOf(swept, layer.tableOf ? layer.tableOf[f] : 0);
      const row0 = Math.floor(entry / kw) * conv.dilation[0];
      const column0 = entry % kw * conv.dilation[1];
      for (let y = 0, o = 0; y < height; y++) {
        const line = (source.channel * padded.height + y * down + row0) * padded.width + column0;
        for (let x = 0, v = line * nb; x < width; x++, o++, v += across * nb) {
          let sum = 0;
          for (let b = 0; b < nb; b++) sum += c[b] * beta[v + b];
          sums[o] += sum;
        }
      }
    }
  }
  return { width, height, data: Float32Array.from(sums) };
}
function patchAt(swept, row, column, channel) {
  const { layer, conv, padded, pixels } = swept;
  const [, , kh, kw] = layer.shape;
  return Float32Array.from({ length: kh * kw }, (_, entry) => {
    const y = row * conv.stride[0] + Math.floor(entry / kw) * conv.dilation[0];
    const x = column * conv.stride[1] + entry % kw * conv.dilation[1];
    return pixels[(channel * padded.height + y) * padded.width + x];
  });
}
function patchRect(swept, row, column) {
  const { layer, conv } = swept;
  const [, , kh, kw] = layer.shape;
  return {
    row: row * conv.stride[0] - conv.padding[2],
    column: column * conv.stride[1] - conv.padding[0],
    height: conv.dilation[0] * (kh - 1) + 1,
    width: conv.dilation[1] * (kw - 1) + 1
  };
}
function inputOf(swept, output, row, column, { out, in: input, row: r, column: c }) {
  const [outs] = swept.layer.shape;
  const like = swept.conv.shared ? Math.floor(output / outs) * outs + out : out;
  const source = sourcesOf(swept, like).find((s) => s.in === input);
  if (!source || source.channel >= swept.channels) return null;
  const value = patchAt(swept, row, column, source.channel)[r * swept.layer.shape[3] + c];
  return Number.isFinite(value) ? value : null;
}
function rampImage(ramp) {
  const { n, width, height, index, values } = ramp;
  const data = new Float32Array(n * n);
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < n; column++) {
      const at2 = (height === 1 ? 0 : row * width) + (width === 1 ? 0 : column);
      data[row * n + column] = values[index[at2]];
    }
  }
  return { count: 1, channels: 1, height: n, width: n, data };
}

// src/meshgrid_view/response_layout.ts
var LARGEST2 = 260;
var GAP = 20;
var LABEL = 15;
function layOutResponse(width, most, count, swept, drawing) {
  const inner = width - 16;
  const columns = inner >= 560 ? 3 : inner >= 400 ? 2 : 1;
  const tallest = Math.max(96, Math.min(LARGEST2, most - 60));
  const column = Math.floor((inner - (columns - 1) * GAP) / columns);
  const small = Math.min(tallest, columns === 3 ? Math.min(column, 210) : column);
  const map2 = columns === 3 ? inner - 2 * small - 2 * GAP : column;
  return {
    columns,
    template: columns === 3 ? `${small}px ${map2}px ${small}px` : `repeat(${columns}, ${column}px)`,
    image: imageRect(swept, small, drawing),
    patch: small,
    maps: bestMaps(count, swept, columns === 1 ? inner : map2, most)
  };
}
function imageRect(swept, side, drawing) {
  const conv = swept?.conv.padding ?? [0, 0, 0, 0];
  const w = swept ? swept.padded.width - conv[0] - conv[1] : drawing.width;
  const h = swept ? swept.padded.height - conv[2] - conv[3] : drawing.height;
  const scale = side / Math.max(w, h, 1);
  return { x: 0, y: 0, width: Math.round(w * scale), height: Math.round(h * scale) };
}
function bestMaps(count, swept, width, most) {
  const shape = swept ? swept.height / swept.width : 1;
  const labels = count > 1 ? LABEL : 0;
  if (count <= 1) {
    const size2 = Math.min(width, LARGEST2, Math.floor((most - 60) / Math.max(shape, 0.2)));
    return { across: 1, size: size2, pitchX: size2, pitchY: size2 * shape, labels };
  }
  let best = { across: 1, size: 0 };
  const tallest = Math.max(LARGEST2, most - 80);
  for (let across2 = 1; across2 <= count; across2++) {
    const size2 = Math.min(LARGEST2 * 0.6, Math.floor((width - (across2 - 1) * 8) / across2));
    const rows = Math.ceil(count / across2);
    const fits = rows * (size2 * shape + labels + 4) <= tallest;
    if (size2 < 44) {
      if (best.size === 0) best = { across: Math.max(1, across2 - 1), size: 44 };
      break;
    }
    if (fits && size2 > best.size) best = { across: across2, size: size2 };
    else if (!fits) best = best.size > 0 ? best : { across: across2, size: 0 };
  }
  if (best.size === 0) {
    const across2 = Math.max(1, Math.floor((width + 8) / 56));
    best = { across: across2, size: Math.floor((width - (across2 - 1) * 8) / across2) };
  }
  const { across, size } = best;
  return {
    across,
    size,
    pitchX: size + 8,
    pitchY: Math.round(size * shape) + labels + 4,
    labels
  };
}
function placeMaps(outputs, swept, { across, size, pitchX, pitchY, labels }) {
  const shape = swept ? swept.height / swept.width : 1;
  return new Map(
    outputs.map((output, k) => [
      output,
      {
        x: 3 + k % across * pitchX,
        y: 3 + Math.floor(k / across) * pitchY + labels,
        width: size - 6,
        height: Math.round((size - 6) * shape)
      }
    ])
  );
}

// src/meshgrid_view/brush.ts
function brushRadius(width, height) {
  return Math.max(0.7, 1.15 * Math.min(width, height) / 28);
}
function stroke(image, from, to, radius, ground, target) {
  const { width, height, data } = image;
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const square = dx * dx + dy * dy;
  const reach = radius + 0.5;
  const first = (a, b) => Math.max(0, Math.floor(Math.min(a, b) - reach));
  const last = (a, b, size) => Math.min(size - 1, Math.ceil(Math.max(a, b) + reach));
  for (let row = first(from[1], to[1]); row <= last(from[1], to[1], height); row++) {
    for (let column = first(from[0], to[0]); column <= last(from[0], to[0], width); column++) {
      const [x, y] = [column + 0.5 - from[0], row + 0.5 - from[1]];
      const along2 = square > 0 ? Math.max(0, Math.min(1, (x * dx + y * dy) / square)) : 0;
      const distance = Math.hypot(x - along2 * dx, y - along2 * dy);
      const cover = Math.max(0, Math.min(1, reach - distance));
      const value = ground + (target - ground) * cover;
      const at2 = row * width + column;
      if (target >= ground ? value > data[at2] : value < data[at2]) data[at2] = value;
    }
  }
}

// src/meshgrid_view/sketch.ts
function createSketch(desk, canvas, active, box2, keep) {
  const { signal } = desk;
  let drawing = { count: 1, channels: 1, height: 0, width: 0, data: new Float32Array(0) };
  let version = 0;
  let kept = null;
  let ink2 = [-1, 1];
  let held = null;
  let pen = null;
  function line(from, to, erase) {
    const [ground, full] = ink2;
    const radius = brushRadius(drawing.width, drawing.height);
    if (erase) stroke(drawing, from, to, 1.6 * radius, full, ground);
    else stroke(drawing, from, to, radius, ground, full);
    version++;
    desk.schedule();
  }
  function finish() {
    kept = { ...drawing, data: drawing.data.slice() };
    keep(kept);
  }
  function onImage(event) {
    const at2 = placeOf(event, canvas);
    const { width, height } = box2() ?? { width: 1, height: 1 };
    return [(at2.x - 1) / width * drawing.width, (at2.y - 1) / height * drawing.height];
  }
  canvas.addEventListener(
    "pointerdown",
    (event) => {
      if (!active() || event.button !== 0 && event.button !== 2) return;
      const at2 = onImage(event);
      held = { at: at2, erase: event.shiftKey || event.button === 2 };
      canvas.setPointerCapture?.(event.pointerId);
      line(at2, at2, held.erase);
      event.preventDefault();
      canvas.focus({ preventScroll: true });
    },
    { signal }
  );
  canvas.addEventListener(
    "pointermove",
    (event) => {
      if (!held) return;
      const moves = event.getCoalescedEvents?.() ?? [];
      for (const move of moves.length > 0 ? moves : [event]) {
        const to = onImage(move);
        line(held.at, to, held.erase);
        held.at = to;
      }
    },
    { signal }
  );
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(
      end,
      () => {
        if (!held) return;
        held = null;
        finish();
      },
      { signal }
    );
  }
  canvas.addEventListener(
    "contextmenu",
    (event) => {
      if (active()) event.preventDefault();
    },
    { signal }
  );
  canvas.addEventListener(
    "keydown",
    (event) => {
      if (!active() || !plainKey(event)) return;
      const direction = DIRECTIONS[event.key];
      const [x, y] = pen ?? [drawing.width >> 1, drawing.height >> 1];
      pen = [x, y];
      if (direction) {
        const [across, down] = MOVES[direction];
        pen = [
          Math.max(0, Math.min(drawing.width - 1, x + across)),
          Math.max(0, Math.min(drawing.height - 1, y + down))
        ];
        desk.say(`row ${pen[1]}, column ${pen[0]}`);
      } else if (event.key === " " || event.key === "Enter" || event.key === "Backspace") {
        const at2 = [x + 0.5, y + 0.5];
        line(at2, at2, event.key === "Backspace");
        finish();
      } else return;
      used(event);
      desk.schedule();
    },
    { signal }
  );
  return {
    image: () => drawing,
    version: () => version,
    pen: () => pen,
    fit(width, height, ground, full) {
      ink2 = [ground, full];
      if (drawing.width === width && drawing.height === height) return;
      const data = new Float32Array(width * height).fill(ground);
      if (kept && kept.width === width && kept.height === height) data.set(kept.data);
      drawing = { count: 1, channels: 1, height, width, data };
      version++;
    },
    drawLine(points2) {
      points2.forEach((to, k) => {
        line(points2[Math.max(0, k - 1)], to, false);
      });
      finish();
    },
    clear() {
      drawing.data.fill(ink2[0]);
      version++;
      finish();
      desk.schedule();
    },
    take(raw) {
      const images = imagesOf(raw);
      if (!images || held) return;
      if (kept && same2(kept, images)) return;
      kept = images;
      if (images.width !== drawing.width || images.height !== drawing.height) return;
      drawing = { ...drawing, data: images.data.slice(0, images.width * images.height) };
      version++;
      desk.schedule();
    }
  };
}
function same2(a, b) {
  return a.width === b.width && a.height === b.height && a.data.length === b.data.length && a.data.every((value, k) => Object.is(value, b.data[k]));
}

// src/meshgrid_view/source.ts
function mapsOf(observed) {
  if (!observed?.maps || !observed.mapShape) return null;
  const [count, channels, height, width] = observed.mapShape;
  return count > 0 ? { count, channels, height, width, data: observed.maps } : null;
}
function takesImage(layer, observed) {
  if (observed) return observed.isImage;
  return layer.name === layer.type && layer.variable === "x" ? true : null;
}
function blankFor(images, range) {
  const { width, height } = images ?? { width: 28, height: 28 };
  return { width, height, ground: range[0], ink: range[1] };
}
function rangeOf(image) {
  let lo = Number.POSITIVE_INFINITY;
  let hi = Number.NEGATIVE_INFINITY;
  for (const value of image?.data ?? []) {
    if (value < lo) lo = value;
    if (value > hi && value <= Number.MAX_VALUE) hi = value;
  }
  return lo < hi ? [lo, hi] : [-1, 1];
}
function unseen(name, direct) {
  return direct === null ? `Whether ${name} gets the image itself, or what the model makes of it, is not known yet.` : `The input of ${name} is not the image itself.`;
}
function sourceOf2(layer, observed, given, drawing, blank, settings) {
  const maps = mapsOf(observed);
  const direct = takesImage(layer, observed);
  const name = layer.name || layer.type;
  const choices = direct ? ["images", "drawn", "ramp"] : ["observed", "drawn", "ramp"];
  if (direct && maps) choices.splice(1, 0, "observed");
  const input = choices.includes(settings.input) ? settings.input : choices[0];
  const images = input === "images" ? given : input === "observed" ? maps : null;
  const count = images?.count ?? 0;
  const sample = Math.min(settings.sample, Math.max(0, count - 1));
  const notes = [];
  let missing = "";
  let image = null;
  let range = [blank.ground, blank.ink];
  if (direct === false)
    notes.push(`the input of ${name} is not the image but what the model makes of it`);
  else if (direct === null)
    notes.push(`what reaches ${name} in the model is not known without live.observe(batch)`);
  if (input === "ramp") {
    image = rampImage(makeRamp(settings.direction, settings.limits, settings.resolution));
    range = settings.limits;
  } else if (input === "drawn") image = drawing;
  else if (images) {
    image = imageAt(images, sample);
    range = rangeOf(image);
  } else {
    missing = input === "observed" ? `${unseen(name, direct)} Call live.observe(batch) to see what reaches it.` : "There are no images: give some with images=...";
  }
  const channels = layer.conv && !layer.conv.shared ? layer.shape[1] * layer.conv.groups : 1;
  if (image && image.channels === 1 && channels > 1)
    notes.push(`the same picture in all ${channels} channels`);
  return {
    choices,
    input,
    image,
    missing,
    count,
    sample,
    images,
    range,
    note: notes.join(" · ")
  };
}

// src/meshgrid_view/thumbnails.ts
var MOST = 64;
function createThumbnails(desk) {
  const { document, signal } = desk;
  const strip = element(document, "div", "kw-strip");
  strip.setAttribute("role", "group");
  strip.setAttribute("aria-label", "Images");
  let listed = null;
  return {
    element: strip,
    show({ images, sample, input }) {
      strip.hidden = input !== "images" && input !== "observed";
      if (images !== listed) {
        listed = images;
        const count = Math.min(images?.count ?? 0, MOST);
        strip.replaceChildren(
          ...Array.from({ length: count }, (_, k) => {
            const button = element(document, "button", "kw-thumbnail");
            button.type = "button";
            button.title = `Image ${k}`;
            button.setAttribute("aria-label", `image ${k}`);
            button.addEventListener("click", () => desk.choose("sample", k), { signal });
            paint2(element(document, "canvas", "kw-thumbnail-canvas", button), images, k);
            return button;
          })
        );
      }
      strip.querySelectorAll("button").forEach((button, k) => {
        button.setAttribute("aria-pressed", String(k === sample && input !== "drawn"));
      });
    }
  };
}
function paint2(canvas, images, index) {
  const { channels, width, height, data } = images;
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context?.createImageData(width, height);
  if (!context || !image?.data) return;
  const pixels = new Uint32Array(image.data.buffer);
  const start = index * channels * width * height;
  const values = data.subarray(start, start + width * height);
  const [low, high] = rangeOf({ ...images, count: 1, channels: 1, data: values });
  values.forEach((value, p) => {
    pixels[p] = greyPixel(value, low, high);
  });
  context.putImageData(image, 0, 0);
}

// src/meshgrid_view/response_panel.ts
var BUDGET = 6e7;
var INPUT_WORDS = {
  images: ["images", "One of the images given to the view"],
  observed: ["observed", "What really reached this layer, from live.observe(batch)"],
  drawn: ["draw", "Draw with the mouse"],
  ramp: ["ramp", "The ramp between the limits"]
};
function createResponsePanel(desk, keepDrawing) {
  const { document, signal } = desk;
  const root = element(document, "div", "kw-response");
  const figure = (name, title) => {
    const box2 = element(document, "figure", `kw-figure kw-figure-${name}`, root);
    const head = element(document, "figcaption", "kw-figure-head", box2);
    element(document, "span", "kw-figure-title", head).textContent = title;
    const canvas = activeCanvas(document, `kw-${name}-canvas`);
    box2.append(canvas);
    const foot = element(document, "div", "kw-figure-foot", box2);
    return { box: box2, head, canvas, foot };
  };
  const given = figure("input", "input");
  const made2 = figure("map", "response");
  const close = figure("patch", "patch");
  const kit = createKit(document, signal);
  const kinds = kit.segments("Input", (value) => desk.choose("input", value));
  kinds.box.classList.add("kw-small");
  given.head.append(kinds.box);
  const strip = createThumbnails(desk);
  given.foot.append(strip.element);
  const clear = kit.button("clear", "Clear the drawing", "kw-button", () => sketch.clear());
  given.foot.append(clear);
  const brushHint = element(document, "span", "kw-hint", given.foot);
  brushHint.textContent = "Draw with the mouse; Shift erases.";
  const choice = element(document, "select", "kw-select kw-output", made2.head);
  choice.title = "Which output channel is shown";
  choice.setAttribute("aria-label", "Output channel");
  choice.addEventListener("change", () => desk.choose("output", Number(choice.value)), { signal });
  const sum = element(document, "div", "kw-sum", close.foot);
  const mapFoot = element(document, "div", "kw-hint", made2.foot);
  const atlas = createAtlas(document);
  const picture = createAtlas(document);
  const overMap = followPointer(made2.canvas, desk);
  const overPatch = followPointer(close.canvas, desk);
  const keep = memory();
  const owner = {};
  const sketch = createSketch(
    desk,
    given.canvas,
    () => drawn?.source.input === "drawn",
    () => drawn?.image ?? null,
    keepDrawing
  );
  let drawn = null;
  let scene = null;
  let pinned = null;
  let published = null;
  let cellCursor = -1;
  let readEntry = () => "";
  let listedKinds = "";
  let listedOutputs = "";
  function draw(next) {
    scene = next;
    const { store, frame, layer, settings, images } = next;
    const observed = store.observed(layer.name);
    const refused = refusal(layer, null);
    if (refused) {
      leave();
      drawn = null;
      return { ...NO_FACTS, message: refused };
    }
    const usual = observed && !observed.isImage ? mapsOf(observed) : images;
    const usualRange = keep("range", [usual], () => rangeOf(usual));
    const blank = blankFor(usual, usualRange);
    sketch.fit(blank.width, blank.height, blank.ground, blank.ink);
    const drawing = sketch.image();
    const source = keep(
      "source",
      [
        ...[layer, observed, images, drawing, sketch.version()],
        ...[settings.input, settings.sample, ...settings.limits],
        ...[settings.direction, settings.resolution]
      ],
      () => sourceOf2(layer, observed, images, drawing, blank, settings)
    );
    const { image } = source;
    const problem = image ? refusal(layer, image) : source.missing;
    const swept = keep(
      "swept",
      [layer, source],
      () => image && !problem ? sweep(layer, image) : null
    );
    const selection = store.selection()?.layer === layer.name ? store.selection() : null;
    const total = swept?.outputs ?? 0;
    const limit = swept ? Math.max(1, Math.floor(BUDGET / Math.max(1, workPerOutput(swept)))) : 0;
    const single = settings.output >= 0 && settings.output < total ? settings.output : -1;
    const outputs = single >= 0 ? [single] : Array.from({ length: Math.min(total, limit) }, (_, k) => k);
    const grids = keep(
      "grids",
      [frame, swept, single],
      () => new Map(swept ? outputs.map((k) => [k, respond(frame, swept, k)]) : [])
    );
    const reaches = keep(
      "reaches",
      [grids],
      () => new Map(outputs.map((k) => [k, reachOf(grids.get(k)?.data ?? [])]))
    );
    const wide = layOutResponse(next.width, settings.height, outputs.length, swept, sketch.image());
    root.dataset.columns = String(wide.columns);
    root.style.gridTemplateColumns = wide.template;
    const rects = placeMaps(outputs, swept, wide.maps);
    const place = placeNow(rects, swept);
    const output = place?.output ?? (single >= 0 ? single : outputOf(swept, selection));
    const kernels = swept ? sourcesOf(swept, output) : [{ out: 0, in: 0, channel: 0 }];
    const kernel = kernels.find((k) => k.in === selection?.in) ?? kernels[0];
    drawn = {
      store,
      layer,
      source,
      swept,
      outputs,
      grids,
      rects,
      image: wide.image,
      cells: [],
      output,
      kernel
    };
    publish(place);
    showKinds(source);
    showOutputs(layer, total, single);
    strip.show(source);
    clear.hidden = source.input !== "drawn";
    brushHint.hidden = source.input !== "drawn";
    drawImage(next, drawn, place);
    const most = drawMaps(next, drawn, reaches, place, selection, wide.maps, problem);
    drawPatch(next, drawn, place, selection, wide.patch);
    const low = Math.min(...[...reaches.values()].map((r) => r.low));
    const high = Math.max(...[...reaches.values()].map((r) => r.high));
    const broken = [...reaches.values()].reduce((n, r) => n + r.broken, 0);
    const title = `${layerTitle(layer)} · out ${output}`;
    describe(
      made2.canvas,
      `Response of layer ${layerTitle(layer)}, ${counted(outputs.length, "output")}${swept ? `, from ${number(low)} to ${number(high)}` : ""}. ${place ? `${readoutOf(drawn, place, `out ${output}`)}. ` : ""}${selection ? `Selected: ${entryText(layer, functionOf(layer, selection))}. ` : ""}Arrow keys move between pixels, Page Up and Page Down between outputs; Enter selects the kernel.`,
      JSON.stringify([layer.name, outputs.length, place, selection])
    );
    describe(
      given.canvas,
      source.input === "drawn" ? "The drawing. Draw with the mouse; with the keyboard, arrows move the pen, Space draws, Backspace erases." : `The input, ${source.input}${source.count > 1 ? ` ${source.sample} of ${source.count}` : ""}.`,
      JSON.stringify([layer.name, source.input, source.sample])
    );
    const cut = total > outputs.length && single < 0;
    mapFoot.textContent = cut ? `The first ${outputs.length} of ${total} outputs; choose another above.` : "";
    return {
      ...NO_FACTS,
      what: "response",
      scales: swept ? most : null,
      reach: swept ? { low, high } : null,
      axis: image ? `input ${number(source.range[0])} (black) … ${number(source.range[1])} (white)` : "",
      warned: broken > 0 ? `${counted(broken, "pixel")} not finite (grey)` : "",
      noted: [source.note, layer.note].filter((text) => text).join(" · "),
      readout: readoutOf(drawn, place, title),
      selected: pinned !== null && place !== null,
      label: title
    };
  }
  function placeNow(rects, swept) {
    if (!swept) return null;
    const { at: at2 } = overMap;
    if (at2) {
      for (const [output, r] of rects) {
        if (inside(r, at2)) {
          const column = Math.floor((at2.x - r.x) / r.width * swept.width);
          const row = Math.floor((at2.y - r.y) / r.height * swept.height);
          return { output, row, column };
        }
      }
    }
    if (pinned && pinned.row < swept.height && pinned.column < swept.width) {
      if (pinned.output < swept.outputs) return pinned;
    }
    return null;
  }
  function publish(place) {
    if (!drawn) return;
    const { store, swept, layer } = drawn;
    const key = place && swept ? JSON.stringify([place, sketch.version(), layer.name]) : null;
    const probe = probeOf(store);
    if (place && swept) {
      if (key === published && probe.current()?.layer === layer.name) {
        if (lastSwept === swept) return;
      }
      lastSwept = swept;
      published = key;
      const { output, row, column } = place;
      probe.point(owner, {
        layer: layer.name,
        output,
        row,
        column,
        valueFor: (selection) => selection.layer === layer.name ? inputOf(swept, output, row, column, selection) : null
      });
    } else if (published !== null) {
      published = null;
      probe.point(owner, null);
    }
  }
  let lastSwept = null;
  function leave() {
    if (drawn && published !== null) probeOf(drawn.store).point(owner, null);
    published = null;
  }
  function drawImage({ look }, now, place) {
    const { source, swept, image: box2, kernel } = now;
    const { colours, ratio } = look;
    const margin = 1;
    const context = prepare(given.canvas, box2.width + 2 * margin, box2.height + 2 * margin, ratio);
    const { image } = source;
    if (!context) return;
    const to = { x: margin, y: margin, width: box2.width, height: box2.height };
    if (!image) {
      context.strokeStyle = colours.line;
      context.strokeRect(0.5, 0.5, box2.width + 1, box2.height + 1);
      return;
    }
    const channel = Math.min(image.channels - 1, image.channels === 1 ? 0 : kernel.channel);
    const [lo, hi] = source.range;
    picture.load(1, image.width, image.height, (_, pixels) => {
      const start = channel * image.width * image.height;
      for (let p = 0; p < pixels.length; p++) {
        pixels[p] = greyPixel(image.data[start + p], lo, hi);
      }
    });
    picture.draw(context, 0, to);
    outline(context, to, colours.line, 1, 0.5);
    if (place && swept) {
      const r = patchRect(swept, place.row, place.column);
      const [sx, sy] = [box2.width / image.width, box2.height / image.height];
      context.save();
      context.beginPath();
      context.rect(0, 0, box2.width + 2, box2.height + 2);
      context.clip();
      const at2 = {
        x: margin + r.column * sx,
        y: margin + r.row * sy,
        width: r.width * sx,
        height: r.height * sy
      };
      outline(context, at2, "#000000", 3, 0);
      outline(context, at2, colours.accent, 1.5, 0);
      context.restore();
    }
    if (source.input === "drawn" && sketch.pen() && hasKeyboard(given.canvas)) {
      const [x, y] = sketch.pen() ?? [0, 0];
      const [sx, sy] = [box2.width / image.width, box2.height / image.height];
      const at2 = { x: margin + x * sx, y: margin + y * sy, width: sx, height: sy };
      outline(context, at2, "#000000", 3, 0);
      outline(context, at2, colours.accent, 1.5, 0);
    }
    given.canvas.style.cursor = source.input === "drawn" ? "crosshair" : "";
  }
  function drawMaps({ look, settings }, now, reaches, place, selection, { labels }, problem) {
    const { outputs, grids, rects, swept } = now;
    const { colours, palette, ratio } = look;
    let [right, bottom] = [0, 0];
    for (const r of rects.values()) {
      right = Math.max(right, r.x + r.width + 4);
      bottom = Math.max(bottom, r.y + r.height + 4);
    }
    made2.box.toggleAttribute("data-empty", !swept);
    if (!swept) {
      mapMessage(problem);
      return { smallest: 1, largest: 1 };
    }
    mapMessage("");
    const context = prepare(made2.canvas, right, bottom, ratio);
    const own = new Map(outputs.map((k) => [k, mostOf(reaches.get(k))]));
    const shared = niceCeil(Math.max(...own.values()));
    const scaleOf = (k) => settings.scale === "layer" ? shared : niceCeil(own.get(k));
    const scales = outputs.map(scaleOf);
    const range = { smallest: Math.min(...scales), largest: Math.max(...scales) };
    if (!context) return range;
    const { width, height } = swept;
    atlas.load(outputs.length, width, height, (k, pixels) => {
      const values = grids.get(outputs[k])?.data ?? [];
      colourise(values, scaleOf(outputs[k]), palette, pixels, width);
    });
    context.font = look.font(10);
    context.textAlign = "left";
    context.textBaseline = "alphabetic";
    const chosen = selection ? likeSelection(swept, selection) : () => false;
    outputs.forEach((output, k) => {
      const r = rects.get(output);
      atlas.draw(context, k, r);
      outline(context, r, colours.line, 1, 0.5);
      if (labels > 0) {
        context.fillStyle = chosen(output) ? colours.accent : colours.muted;
        context.fillText(`out ${output}`, r.x, r.y - 4);
        if (chosen(output)) frameSelected(context, r, colours);
      }
      if (place) {
        const at2 = {
          x: r.x + place.column * r.width / width,
          y: r.y + place.row * r.height / height,
          width: Math.max(3, r.width / width),
          height: Math.max(3, r.height / height)
        };
        const mine = output === place.output;
        if (mine) outline(context, at2, colours.surface, 3, 0.5);
        outline(context, at2, mine ? colours.ink : colours.muted, mine ? 1.5 : 1, 0.5);
      }
    });
    made2.canvas.style.cursor = "crosshair";
    return range;
  }
  const mapNote = element(document, "div", "kw-figure-message", made2.box);
  mapNote.setAttribute("role", "status");
  function mapMessage(text) {
    if (mapNote.textContent !== text) mapNote.textContent = text;
    mapNote.hidden = text === "";
    made2.canvas.hidden = text !== "";
  }
  function drawPatch({ frame, layer, look }, now, place, selection, side) {
    const { swept, kernel, output, grids } = now;
    const [, inputs, kh, kw] = layer.shape;
    const { colours, ratio } = look;
    const laid = patchCells(kh, kw, side);
    const { cells } = laid;
    now.cells = cells;
    const context = prepare(close.canvas, laid.width, laid.height, ratio);
    if (!context) return;
    const given2 = place && swept ? patchAt(swept, place.row, place.column, kernel.channel) : null;
    const points2 = Math.max(12, Math.min(48, cells[0].width));
    const patch = patchOf(frame, layer, kernel, given2, Boolean(swept?.border), points2);
    const hovered = overPatch.at ? cells.findIndex((r) => inside(r, overPatch.at)) : -1;
    readEntry = (entry) => patch.inputs && patch.values ? `, ${layer.variable} ${number(patch.inputs[entry])}, φ ${number(patch.values[entry])}` : "";
    paintPatch(context, patch, cells, colours);
    if (hovered >= 0) outline(context, now.cells[hovered], colours.muted, 1, 0.5);
    const same3 = selection?.out === kernel.out && selection.in === kernel.in;
    if (selection && same3)
      frameSelected(context, now.cells[selection.row * kw + selection.column], colours);
    if (cellCursor >= 0 && cellCursor < kh * kw && hasKeyboard(close.canvas)) {
      context.setLineDash([3, 2]);
      outline(context, now.cells[cellCursor], colours.ink, 1.5, -1);
      context.setLineDash([]);
    }
    close.canvas.style.cursor = hovered >= 0 ? "pointer" : "";
    const name = inputs > 1 || (swept?.channels ?? 1) > 1;
    const which = `out ${output}${name ? `, channel ${kernel.channel}` : ""}`;
    const part = patch.values?.reduce((a, b) => a + b, 0) ?? 0;
    const total = place ? grids.get(place.output)?.data[place.row * (swept?.width ?? 0) + place.column] : void 0;
    const more = swept && sourcesOf(swept, output).length > 1 ? `; all channels ${number(total ?? 0)}` : "";
    const words = place ? `${which}: Σ φ = ${Number.isFinite(part) ? number(part) : "not finite"}${more} · φ ±${number(patch.most)}` : `${which}: point at a pixel · φ ±${number(patch.most)}`;
    if (sum.textContent !== words) sum.textContent = words;
    describe(
      close.canvas,
      `The functions of the kernel ${which} of layer ${layerTitle(layer)}, φ ±${number(patch.most)}${place ? ", with the inputs of the patch" : ""}. ${selection && same3 ? `Selected: row ${selection.row}, column ${selection.column}. ` : ""}Arrow keys move between entries; Enter selects.`,
      JSON.stringify([layer.name, which, place, selection])
    );
    if (hovered >= 0) {
      const box2 = close.canvas.getBoundingClientRect();
      const r = now.cells[hovered];
      const lines = patch.inputs && patch.values ? [
        { label: layer.variable, value: number(patch.inputs[hovered]) },
        {
          label: "φ",
          value: Number.isFinite(patch.values[hovered]) ? number(patch.values[hovered]) : "not finite"
        }
      ] : [{ label: "φ", value: "point at a pixel of the response" }];
      desk.showTip(
        `out ${kernel.out} · in ${kernel.in} · row ${Math.floor(hovered / kw)} · column ${hovered % kw}`,
        lines,
        { ...r, x: box2.left + r.x, y: box2.top + r.y }
      );
    }
  }
  function readoutOf({ grids, swept, source }, place, title) {
    if (!place || !swept) {
      return source.image ? "Point at a pixel of a response; click to keep it." : "";
    }
    const value = grids.get(place.output)?.data[place.row * swept.width + place.column];
    const text = value !== void 0 && Number.isFinite(value) ? number(value) : "not finite";
    const keeps = pinned === place ? " · kept" : "";
    return `${title} · row ${place.row} · column ${place.column} · response ${text}${keeps}`;
  }
  function showKinds(source) {
    const list = source.choices.join();
    if (list !== listedKinds) {
      listedKinds = list;
      kinds.fill(
        source.choices.map((value) => {
          const [label, title] = INPUT_WORDS[value];
          return { value, label, title };
        })
      );
    }
    kinds.set(source.input);
  }
  function showOutputs(layer, total, single) {
    const list = `${layer.name}|${total}`;
    if (list !== listedOutputs) {
      listedOutputs = list;
      const options = [-1, ...Array.from({ length: Math.min(total, 4096) }, (_, k) => k)];
      choice.replaceChildren(
        ...options.map((value) => {
          const option = document.createElement("option");
          option.value = String(value);
          option.textContent = value < 0 ? "all outputs" : `out ${value}`;
          return option;
        })
      );
    }
    choice.hidden = total < 2;
    if (choice.value !== String(single)) choice.value = String(single);
  }
  made2.canvas.addEventListener(
    "click",
    (event) => {
      if (!drawn?.swept) return;
      overMap.at = placeOf(event, made2.canvas);
      const place = placeNow(drawn.rects, drawn.swept);
      const again = pinned && place && pinned.row === place.row && pinned.column === place.column && pinned.output === place.output;
      pinned = again ? null : place;
      if (place && !again) selectKernel(place.output);
      desk.schedule();
    },
    { signal }
  );
  made2.canvas.addEventListener(
    "keydown",
    (event) => {
      if (!drawn?.swept || !plainKey(event)) return;
      const { swept, outputs } = drawn;
      const direction = DIRECTIONS[event.key];
      const at2 = pinned ?? {
        output: drawn.output,
        row: swept.height >> 1,
        column: swept.width >> 1
      };
      const index = Math.max(0, outputs.indexOf(at2.output));
      if (direction) {
        const [across, down] = MOVES[direction];
        pinned = {
          output: outputs[index] ?? 0,
          row: Math.max(0, Math.min(swept.height - 1, at2.row + (pinned ? down : 0))),
          column: Math.max(0, Math.min(swept.width - 1, at2.column + (pinned ? across : 0)))
        };
      } else if (event.key === "PageDown" || event.key === "PageUp") {
        const to = index + (event.key === "PageDown" ? 1 : -1);
        pinned = { ...at2, output: outputs[Math.max(0, Math.min(outputs.length - 1, to))] };
      } else if (event.key === "Enter" || event.key === " ") {
        pinned = at2;
        selectKernel(at2.output);
      } else if (event.key === "Escape" && pinned) pinned = null;
      else return;
      overMap.at = null;
      if (pinned) desk.say(readoutOf(drawn, pinned, `out ${pinned.output}`));
      used(event);
      desk.schedule();
    },
    { signal }
  );
  function selectKernel(output) {
    if (!drawn?.swept) return;
    const { store, layer, swept } = drawn;
    const before = store.selection();
    const mine = before?.layer === layer.name ? before : null;
    const kernels = sourcesOf(swept, output);
    const kernel = kernels.find((k) => k.in === mine?.in) ?? kernels[0];
    const [row, column] = [mine?.row ?? 0, mine?.column ?? 0];
    ownSelection = true;
    store.select({ layer: layer.name, out: kernel.out, in: kernel.in, row, column });
    ownSelection = false;
  }
  let ownSelection = false;
  function selectEntry(entry) {
    if (!drawn || entry < 0) return;
    const { store, layer, kernel } = drawn;
    const kw = layer.shape[3];
    const row = Math.floor(entry / kw);
    ownSelection = true;
    store.select({
      layer: layer.name,
      out: kernel.out,
      in: kernel.in,
      row,
      column: entry - row * kw
    });
    ownSelection = false;
    desk.schedule();
  }
  close.canvas.addEventListener(
    "click",
    (event) => {
      const at2 = placeOf(event, close.canvas);
      selectEntry(drawn?.cells.findIndex((r) => inside(r, at2)) ?? -1);
    },
    { signal }
  );
  close.canvas.addEventListener(
    "keydown",
    (event) => {
      if (!drawn || !plainKey(event)) return;
      const [, , kh, kw] = drawn.layer.shape;
      const direction = DIRECTIONS[event.key];
      const from = Math.max(0, cellCursor);
      if (direction) {
        const [across, down] = MOVES[direction];
        const column = Math.max(0, Math.min(kw - 1, from % kw + (cellCursor < 0 ? 0 : across)));
        const row = Math.floor(from / kw) + (cellCursor < 0 ? 0 : down);
        cellCursor = Math.max(0, Math.min(kh - 1, row)) * kw + column;
        const place = `row ${Math.floor(cellCursor / kw)}, column ${cellCursor % kw}`;
        desk.say(place + readEntry(cellCursor));
      } else if ((event.key === "Enter" || event.key === " ") && cellCursor >= 0) {
        selectEntry(cellCursor);
      } else return;
      used(event);
      desk.schedule();
    },
    { signal }
  );
  for (const canvas of [given.canvas, made2.canvas, close.canvas]) {
    for (const event of ["focus", "blur"])
      canvas.addEventListener(event, desk.schedule, { signal });
  }
  signal.addEventListener("abort", leave, { once: true });
  const client = (canvas, r) => {
    if (!r) return null;
    const box2 = canvas.getBoundingClientRect();
    return { ...r, x: box2.left + r.x, y: box2.top + r.y };
  };
  return {
    element: root,
    draw,
    leave,
    response(output) {
      if (!drawn?.swept || !scene || output >= drawn.swept.outputs) return null;
      const grid = drawn.grids.get(output) ?? respond(scene.frame, drawn.swept, output);
      return { width: grid.width, height: grid.height, data: Array.from(grid.data) };
    },
    input() {
      const image = drawn?.source.image;
      if (!image) return null;
      const { channels, height, width, data } = image;
      return { channels, height, width, data: Array.from(data) };
    },
    drawLine: sketch.drawLine,
    probe() {
      if (!drawn?.swept) return null;
      const place = placeNow(drawn.rects, drawn.swept);
      const grid = place && drawn.grids.get(place.output);
      if (!place || !grid) return null;
      const patch = patchAt(drawn.swept, place.row, place.column, drawn.kernel.channel);
      const value = grid.data[place.row * grid.width + place.column];
      return { ...place, patch: Array.from(patch), value };
    },
    inputRect: () => client(given.canvas, drawn ? { ...drawn.image, x: 1, y: 1 } : void 0),
    mapRect: (output) => client(made2.canvas, drawn?.rects.get(output)),
    patchCell: (entry) => client(close.canvas, drawn?.cells[entry]),
    takeDrawing: sketch.take,
    follow() {
      if (ownSelection || !drawn?.swept || !scene) return;
      const selection = drawn.store.selection();
      if (selection?.layer !== drawn.layer.name) return;
      const output = outputOf(drawn.swept, selection, drawn.output);
      if (pinned) pinned = { ...pinned, output };
      if (scene.settings.output >= 0 && scene.settings.output !== output) {
        desk.choose("output", output);
      }
    }
  };
}
function outputOf(swept, selection, like = 0) {
  if (!swept || !selection) return Math.min(like, Math.max(0, (swept?.outputs ?? 1) - 1));
  const [out] = swept.layer.shape;
  return swept.conv.shared ? Math.floor(like / out) * out + selection.out : selection.out;
}
function likeSelection(swept, selection) {
  const [out] = swept.layer.shape;
  return (output) => (swept.conv.shared ? output % out : output) === selection.out;
}

// src/meshgrid_view/view.ts
function createView(model, el, signal, host) {
  const document = el.ownerDocument;
  const window = document.defaultView;
  const root = element(document, "div", "kw-view kw-meshgrid-view");
  keepKeys(root, signal);
  const header = createHeader(document, choose, signal);
  const status = createStatus(document, schedule);
  const caption = createCaption(document, status.element);
  const body = element(document, "div", "kw-body");
  const message = element(document, "div", "kw-message");
  message.setAttribute("role", "status");
  const time = element(document, "div", "kw-time-place");
  const readout = element(document, "div", "kw-readout");
  const spoken = element(document, "div", "kw-spoken");
  spoken.setAttribute("aria-live", "polite");
  const tip = createTip(document);
  let store = null;
  let stream = "";
  let tipShown = false;
  let drawnFrame = null;
  let drawnLayer = null;
  let frames = 0;
  let milliseconds = 0;
  let onScreen = true;
  let waiting = false;
  const keep = memory();
  const pace = createPace(window, draw);
  const unseen2 = createUnseen(schedule);
  const desk = {
    document,
    signal,
    schedule,
    choose,
    say(text) {
      spoken.textContent = text;
    },
    showTip(title, lines, cell) {
      tipShown = true;
      const box2 = root.getBoundingClientRect();
      tip.show(
        title,
        lines,
        { ...cell, x: cell.x - box2.left, y: cell.y - box2.top },
        { width: root.clientWidth, height: time.offsetTop }
      );
    }
  };
  const ramp = createRampPanel(desk);
  const pair = createPairPanel(desk);
  const response = createResponsePanel(desk, ({ data, width, height }) => {
    choose("drawing", { shape: [1, 1, height, width], data: new DataView(data.slice().buffer) });
  });
  const panels = { ramp, pair, response };
  body.append(ramp.element, pair.element, response.element, message);
  const name = () => `meshgrid-view ${root.dataset.mode ?? ""} ${drawnLayer?.name ?? ""} step ${drawnFrame?.step ?? ""}`;
  const foot = element(document, "div", "kw-readout-row");
  foot.append(readout, createSave(document, { root: () => root, name, redraw: draw }, signal));
  root.append(header.element, caption.element, body, time, foot, spoken, tip.element);
  function schedule() {
    if (onScreen) pace.now();
    else waiting = true;
  }
  function choose(trait, value) {
    model.set(trait, value);
    model.save_changes();
    if (trait === "layer") chooseInLinked(model, host, String(value));
    schedule();
  }
  function layers() {
    return store?.current()?.layout.layers ?? [];
  }
  function currentLayer() {
    const all = layers();
    return all.find(({ name: name2 }) => name2 === model.get("layer")) ?? all[0] ?? null;
  }
  function say(text, tone) {
    message.hidden = text === "";
    message.dataset.tone = tone;
    put(message, text);
    if (text) {
      for (const panel of Object.values(panels)) panel.element.hidden = true;
      tip.hide();
      caption.clear();
      readout.textContent = "";
    }
  }
  function draw() {
    waiting = false;
    const theme = model.get("theme");
    const followed = theme !== "light" && theme !== "dark";
    const dark = (followed ? themeAround(el) : theme) === "dark";
    setData("kwTheme", dark ? "dark" : "light");
    setData("kwHost", followed && inJupyter(document) ? "jupyter" : null);
    if (!store) return;
    status.show(store);
    const settings = settingsOf((name2) => model.get(name2));
    const layer = currentLayer();
    header.show(settings, layer?.name ?? "", layers(), root.clientWidth);
    if (store.protocolError) {
      say(store.protocolError, "warn");
      return;
    }
    const frame = store.current();
    if (!frame || !layer) {
      say(frame ? "no layer to draw" : "waiting for the first frame…", "calm");
      return;
    }
    setData("layer", layer.name);
    setData("mode", settings.mode);
    if (root.clientWidth === 0) {
      unseen2.hidden();
      return;
    }
    unseen2.shown();
    const start = performance.now();
    if (drawnLayer && drawnLayer.name !== layer.name) ramp.forget();
    drawnLayer = layer;
    say("", "calm");
    const panel = panels[settings.mode];
    for (const other of Object.values(panels)) other.element.hidden = other !== panel;
    if (panel !== response) response.leave();
    const palette = paletteOf(dark ? "dark" : "light");
    const family = getComputedStyle(root).fontFamily || "sans-serif";
    const look = {
      ratio: window.devicePixelRatio || 1,
      font: (size) => `${size}px ${family}`,
      colours: readColours(root, COLOURS),
      palette,
      dark
    };
    const raw = model.get("images");
    tipShown = false;
    const facts = panel.draw({
      store,
      frame,
      layer,
      settings,
      look,
      width: root.clientWidth,
      images: keep("images", [raw], () => imagesOf(raw))
    });
    if (!tipShown) tip.hide();
    if (facts.message) {
      say(facts.message, "calm");
    } else {
      const held = JSON.stringify([settings, layer.name, root.clientWidth]);
      caption.show(facts, gradient(palette), held);
      showReadout(facts, settings.mode);
    }
    if (frame !== drawnFrame) {
      drawnFrame = frame;
      frames++;
    }
    milliseconds = performance.now() - start;
  }
  function showReadout(facts, mode) {
    const hint = mode === "ramp" ? "Click a function to select it, or use the arrow keys and Enter." : "";
    const text = facts.readout || hint;
    if (readout.textContent !== text) {
      readout.textContent = text;
      readout.title = facts.readout;
    }
    readout.toggleAttribute("data-selected", facts.selected && facts.readout !== "");
  }
  function onStore(what) {
    if (what === "selection") {
      follow();
      response.follow();
    }
    if (what === "frame" && onScreen) pace.soon();
    else if (what !== "edits" && what !== "ghost") schedule();
  }
  function follow() {
    const layer = store?.selection()?.layer;
    if (layer === void 0 || layer === currentLayer()?.name) return;
    if (!layers().some(({ name: name2 }) => name2 === layer)) return;
    const others = document.querySelectorAll(".kw-meshgrid-view");
    const shown = Array.from(others).some(
      ({ dataset }) => dataset.stream === stream && dataset.layer === layer
    );
    if (!shown || isLinked(model)) choose("layer", layer);
  }
  function setData(name2, value) {
    if (value === null) delete root.dataset[name2];
    else if (root.dataset[name2] !== value) root.dataset[name2] = value;
  }
  const onTrait = (trait) => () => {
    if (trait === "drawing") response.takeDrawing(model.get("drawing"));
    schedule();
  };
  const listeners = TRAITS.map((trait) => [`change:${trait}`, onTrait(trait)]);
  for (const [event, listener] of listeners) model.on(event, listener);
  response.takeDrawing(model.get("drawing"));
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
      for (const [event, listener] of listeners) model.off(event, listener);
      sizes.disconnect();
      sight.disconnect();
      pace.stop();
      status.stop();
      unseen2.stop();
      store = null;
      root.remove();
    },
    { once: true }
  );
  root.kwView = {
    mode: () => settingsOf((name2) => model.get(name2)).mode,
    step: () => drawnFrame?.step ?? null,
    layer: () => drawnLayer?.name ?? null,
    message: () => message.hidden ? "" : message.textContent ?? "",
    heat: ramp.heat,
    rectOf: ramp.rectOf,
    scaleOf: ramp.scaleOf,
    hovered: ramp.hovered,
    pair: pair.pair,
    entryRect: pair.entryRect,
    plotRect: pair.plotRect,
    response: response.response,
    input: response.input,
    probe: response.probe,
    inputRect: response.inputRect,
    mapRect: response.mapRect,
    patchCell: response.patchCell,
    draw: response.drawLine,
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
      stream = name2;
      drawnFrame = null;
      setData("stream", name2);
      const both = AbortSignal.any([mine, signal]);
      next.subscribe(onStore, both);
      mountScrubber(time, next, both);
      schedule();
    }
  };
}

// src/meshgrid_view/index.ts
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
var meshgrid_view_default = { render };
export {
  meshgrid_view_default as default
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
