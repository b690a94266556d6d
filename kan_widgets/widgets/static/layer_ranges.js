// src/shell/alternative.ts
var keys = /* @__PURE__ */ new WeakMap();
function describe(element2, text, key) {
  if (keys.get(element2) === key && hasKeyboard(element2)) return;
  keys.set(element2, key);
  if (element2.getAttribute("aria-label") !== text) element2.setAttribute("aria-label", text);
}
function hasKeyboard(element2) {
  return element2.matches(":focus");
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
function formatCount(count) {
  return grouped(count);
}

// src/phi/entries.ts
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

// src/shell/element.ts
function element(document, tag, className, parent) {
  const made = document.createElement(tag);
  made.className = className;
  parent?.append(made);
  return made;
}

// src/shell/controls.ts
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
      const list = (entries, chosen, width) => {
        const text = JSON.stringify(entries);
        if (text !== listed) {
          listed = text;
          tabs.fill(entries);
          menu.fill(entries.map(({ value, title }) => ({ value, label: title })));
        }
        const room = entries.reduce((sum, { label }) => sum + 7 * label.length + 22, 0);
        const asTabs = entries.length <= 4 && room <= Math.max(160, 0.45 * width);
        tabs.box.hidden = !asTabs;
        menu.box.hidden = asTabs;
        tabs.set(chosen);
        menu.set(chosen);
      };
      return {
        boxes: [tabs.box, menu.box],
        list,
        show(layers, chosen, width) {
          const entries = layers.map((layer) => ({
            value: layer.name,
            label: layerTitle(layer),
            title: `${layerTitle(layer)} — ${layerSize(layer)}`
          }));
          list(entries, chosen, width);
        }
      };
    }
  };
  return kit;
}

// src/shell/record.ts
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
    const known = made.get(canvas);
    if (known) return known;
    const fresh = [];
    made.set(canvas, fresh);
    return fresh;
  };
  const stateOf = (context) => {
    const known = states.get(context);
    if (known) return known;
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

// src/shell/clip.ts
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

// src/shell/css.ts
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

// src/shell/box_shapes.ts
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
    const share2 = given.endsWith("%") ? (box2.right - box2.left) / 100 : 1;
    return (Number.parseFloat(given) || 0) * share2;
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
  const around = (out, stroke, width2) => {
    const { left, top, right, bottom } = box2;
    const line = { left: left - out, top: top - out, right: right + out, bottom: bottom + out };
    const d = pathOf(line, place.paper);
    const { opacity } = place;
    shapes.push({ kind: "path", d, stroke, width: width2, opacity, clip: edgeOf(place) });
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

// src/shell/inline_svg.ts
var GROUPS = ["svg", "g", "a"];
function svgShapes(svg, place, shift) {
  const window = svg.ownerDocument.defaultView;
  const page = svg.getRootNode();
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
      write(element2, clip, opacity);
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
      const share2 = numberOf(style.fillOpacity);
      shapes.push({ ...common, fill: style.fill, opacity: opacity * share2 });
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
  function write(element2, clip, opacity) {
    const style = window.getComputedStyle(element2);
    if (style.display === "none") return;
    const matrix = matrixOf(element2);
    const count = element2.getNumberOfChars();
    let next = 0;
    for (const child of element2.childNodes) {
      if (child instanceof window.Element) {
        const span = child;
        const share2 = numberOf(window.getComputedStyle(span).opacity);
        write(span, clip, opacity * share2);
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
        const share2 = { start: 0, middle: 0.5, end: 1 }[align];
        const font = fontIn(style);
        shapes.push({
          kind: "text",
          text,
          x: from.x + share2 * (to.x - from.x),
          y: from.y + share2 * (to.y - from.y) + baselineBelow2(style.dominantBaseline, font),
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
    const parts = [...id && page.getElementById(id)?.children || []];
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
      const points = element2.getAttribute("points")?.trim();
      if (!points) return "";
      return `M${points}${element2.localName === "polygon" ? "Z" : ""}`;
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
function isPaint(paint2) {
  return paint2 !== "" && paint2 !== "none" && !paint2.startsWith("url") && isInk(paint2);
}
function numberOf(text) {
  const value = Number.parseFloat(text);
  return Number.isNaN(value) ? 1 : value;
}

// src/shell/page_shapes.ts
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
      else if (child instanceof window.Text) write(child, style, inner);
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
  function write(node, style, clip) {
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
    const share2 = (Number(value) - Number(min)) / (Number(max) - Number(min) || 1);
    const r = rect.height / 2;
    const [x, y] = [rect.left - paper.left, rect.top - paper.top + r];
    const end = x + rect.width;
    const middle = x + r + share2 * (rect.width - 2 * r);
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
  return !pixels || new Uint32Array(pixels.buffer).every((pixel) => pixel === 0);
}
function groundOf(root, window) {
  for (let node = root; node; node = node.parentElement) {
    const { backgroundColor } = window.getComputedStyle(node);
    if (isInk(backgroundColor)) return backgroundColor;
  }
  return "#ffffff";
}

// src/shell/svg.ts
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
  const share2 = cover === void 0 ? "" : ` ${name}-opacity="${cover}"`;
  return ` ${name}="rgb(${red},${green},${blue})"${share2}`;
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

// src/shell/save.ts
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

// src/shell/theme.ts
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

// src/views/layer_ranges/content.ts
var MEASURES = [
  ["range", "range"],
  ["splines", "splines’ share"],
  ["silu", "SiLU-shaped on the grid"],
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

// src/views/layer_ranges/bar.ts
function createBar(document, actions) {
  const make = (tag, className, text = "") => {
    const element3 = document.createElement(tag);
    element3.className = className;
    element3.textContent = text;
    return element3;
  };
  const element2 = make("div", "kw-ranges-bar");
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
  element2.append(line, verdict, legend, note);
  return {
    element: element2,
    foot: legend,
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

// src/views/layer_ranges/table.ts
var KEYS = "Enter selects the typical function, left and right those of smaller and larger range.";
function createTable(document, choose, step) {
  const element2 = document.createElement("div");
  element2.className = "kw-ranges-table";
  const table = document.createElement("table");
  table.setAttribute("role", "grid");
  table.setAttribute("aria-label", "Ranges of the functions of each layer");
  const head = table.createTHead().insertRow();
  const body = table.createTBody();
  element2.append(table);
  const lines = [];
  let rows = [];
  let selection = null;
  function draw({ heads = [], rows: given = [], row = 54, head: height = 46 }) {
    rows = given;
    element2.style.setProperty("--kw-row-height", `${row}px`);
    element2.style.setProperty("--kw-head-height", `${height}px`);
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
  return { element: element2, draw, mark };
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

// src/views/layer_ranges/index.ts
function render({ model, el, host, signal }) {
  const document = el.ownerDocument;
  let store = null;
  let connection = new AbortController();
  const set = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };
  const save = createSave(
    document,
    {
      root: () => el.closest(".kw-layer-ranges") ?? el,
      name: () => `layer-ranges step ${model.get("content").step ?? ""}`,
      redraw() {
      }
    },
    signal
  );
  const bar = createBar(document, {
    threshold: (value) => set("threshold", value),
    overTime: (measure) => set("over_time", measure)
  });
  bar.foot.append(save);
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
    const box2 = el.closest(".kw-layer-ranges");
    const { rows = [] } = model.get("content");
    const layers = rows.map(({ title, cells }) => `${title} ${cells[0]?.[0] ?? ""}`).join(", ");
    const names = [
      [".kw-ranges-now", `Ranges of φ, a row for each layer. Medians: ${layers}`],
      [".kw-ranges-times", `Over the steps, a curve for each layer: ${model.get("over_time")}`]
    ];
    for (const [place, name] of names) {
      const figure = box2?.querySelector(place);
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
    const box2 = el.closest(".kw-layer-ranges");
    if (!box2) return;
    const chosen = model.get("theme");
    box2.dataset.kwTheme = chosen === "auto" ? themeAround(el) : chosen;
    if (chosen === "auto" && inJupyter(document)) box2.dataset.kwHost = "jupyter";
    else delete box2.dataset.kwHost;
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
