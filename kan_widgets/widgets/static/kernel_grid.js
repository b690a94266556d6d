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
  const inside = (n, size) => Number.isInteger(n) && n >= 0 && n < size;
  if (!inside(o, out) || !inside(i, inputs) || !inside(row, kh) || !inside(column, kw)) return -1;
  return ((o * inputs + i) * kh + row) * kw + column;
}
function entryText(layer, f) {
  return placeText(layer, selectionOf(layer, f));
}
function placeText(layer, at2) {
  const entry = layer.kind === "conv" ? ` · row ${at2.row} · column ${at2.column}` : "";
  return `out ${at2.out} · in ${at2.in}${entry}`;
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
  const place2 = a.position ? a.position[kernel] : kernel;
  const row = a.flowing ? 0 : Math.floor(place2 / a.in);
  const column = a.flowing ? place2 : place2 % a.in;
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
  const place2 = a.position ? a.position[kernel] : kernel;
  let r = a.flowing ? 0 : Math.floor(place2 / a.in);
  let column = a.flowing ? place2 : place2 % a.in;
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
        fill(entries2) {
          box2.replaceChildren();
          inputs = entries2.map(({ value, label, title = "" }) => {
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
        fill(entries2) {
          input.replaceChildren(
            ...entries2.map(({ value, label: words }) => {
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
          const entries2 = layers.map((layer) => ({
            value: layer.name,
            label: layerTitle(layer),
            title: `${layerTitle(layer)} — ${layerSize(layer)}`
          }));
          const list = JSON.stringify(entries2);
          if (list !== listed) {
            listed = list;
            tabs.fill(entries2);
            menu.fill(entries2.map(({ value, title }) => ({ value, label: title })));
          }
          const room = entries2.reduce((sum, { label }) => sum + 7 * label.length + 22, 0);
          const asTabs = entries2.length <= 4 && room <= Math.max(160, 0.45 * width);
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
    const whole = given.length < 6;
    const [sx, sy, sw, sh] = whole ? [0, 0, source.width, source.height] : given.slice(1, 5);
    const place2 = given.slice(whole ? 1 : 5);
    const [x, y, w = sw, h = sh] = place2;
    const { a, d, e, f } = context.getTransform();
    const to = [e + a * x, f + d * y, a * w, d * h];
    const own = made2.get(source);
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
function boxShapes(box2, style, place2) {
  const radii = CORNERS.map((corner) => {
    const given = style[`border${corner}Radius`];
    const share = given.endsWith("%") ? (box2.right - box2.left) / 100 : 1;
    return (Number.parseFloat(given) || 0) * share;
  });
  const edges = SIDES.map((side) => edgeAt(style, side));
  if (radii.some((radius) => radius > 0)) return rounded(box2, radii, edges, style, place2);
  const { opacity } = place2;
  const shapes = [];
  const fill = (part, ink2) => {
    if (part.right <= part.left || part.bottom <= part.top || !isInk(ink2)) return;
    shapes.push({ kind: "path", d: pathOf(part, place2.paper), fill: ink2, opacity, clip: "" });
  };
  fill(meet(place2.clip, box2), style.backgroundColor);
  const width = box2.right - box2.left;
  const bands = bandsOf(style.backgroundImage, width);
  bands.forEach(({ ink: ink2, from, to }, k) => {
    const hair = k < bands.length - 1 && isInk(bands[k + 1].ink) ? 0.5 : 0;
    const right = Math.min(box2.right, box2.left + to * width + hair);
    fill(meet(place2.clip, { ...box2, left: box2.left + from * width, right }), ink2);
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
    const [x, y] = [place2.paper.left, place2.paper.top];
    const d = `M${short(left - x)} ${short(top - y)}L${short(right - x)} ${short(bottom - y)}`;
    const dash = dashed ? dashesOf(width2, right - left + bottom - top) : [];
    shapes.push({ kind: "path", d, stroke: ink2, width: width2, dash, opacity, clip: edgeOf(place2) });
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
function frameShapes(box2, style, place2) {
  const shapes = [];
  const around = (out, stroke, width2) => {
    const { left, top, right, bottom } = box2;
    const line = { left: left - out, top: top - out, right: right + out, bottom: bottom + out };
    const d = pathOf(line, place2.paper);
    const { opacity } = place2;
    shapes.push({ kind: "path", d, stroke, width: width2, opacity, clip: edgeOf(place2) });
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
function rounded(box2, radii, edges, style, place2) {
  const common = { kind: "path", opacity: place2.opacity, clip: edgeOf(place2) };
  const shapes = [];
  const ground = style.backgroundColor;
  if (isInk(ground)) {
    const d = along(box2, radii, edges, [0, 1, 2, 3], place2.paper, true);
    shapes.push({ ...common, d, fill: ground });
  }
  const gap = edges.findIndex((edge2, k) => edge2 && !edges[(k + 3) % 4]);
  const sides = [0, 1, 2, 3].map((k) => (k + Math.max(0, gap)) % 4).filter((k) => edges[k]);
  const edge = edges[sides[0]];
  if (edge) {
    const { width, ink: ink2, dashed } = edge;
    const d = along(box2, radii, edges, sides, place2.paper, sides.length === 4);
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
function svgShapes(svg, place2, shift) {
  const window = svg.ownerDocument.defaultView;
  const page = svg.getRootNode();
  const measure = svg.ownerDocument.createElement("canvas").getContext("2d");
  const shapes = [];
  visit(svg, place2.clip, place2.opacity);
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
    const matrix = d && matrixOf(element2);
    if (!matrix) return;
    const common = { kind: "path", d, matrix, clip: edgeOf({ ...place2, clip }) };
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
    const matrix = matrixOf(element2);
    const count = element2.getNumberOfChars();
    let next = 0;
    for (const child of element2.childNodes) {
      if (child instanceof window.Element) {
        const span2 = child;
        const share = numberOf(window.getComputedStyle(span2).opacity);
        write3(span2, clip, opacity * share);
        next += span2.getNumberOfChars();
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
          clip: edgeOf({ ...place2, clip })
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
    const { left, top } = place2.paper;
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
      if (seen) place2(element2, rect, clip);
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
  function place2(canvas, rect, clip) {
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
    const place3 = edgeOf({ paper, clip, opacity });
    drawn.shapes.push({ kind: "path", d, fill: style.color, opacity, clip: place3 });
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
    const place3 = (px, py) => `${x + px * w} ${y + py * h}`;
    const paths = [`M${place3(0.1, 0.1)}L${place3(0.9, 0.1)}L${place3(0.9, 0.9)}L${place3(0.1, 0.9)}Z`];
    if (element2.checked) paths.push(`M${place3(0.25, 0.5)}L${place3(0.45, 0.7)}L${place3(0.78, 0.3)}`);
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
  const copy2 = canvas.ownerDocument.createElement("canvas");
  [copy2.width, copy2.height] = [canvas.width, canvas.height];
  const paper = copy2.getContext("2d");
  paper?.drawImage(canvas, 0, 0);
  const pixels = paper?.getImageData(0, 0, copy2.width, copy2.height).data;
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
    const place2 = plain2 ? `x="${short(e + a * shape.x)}" y="${short(f + d * shape.y)}"` : `x="${short(shape.x)}" y="${short(shape.y)}"${transform(shape.matrix)}`;
    const other = family === usual ? "" : ` font-family="${escaped(family)}"`;
    const kind = `font-size="${short(size * (plain2 ? a : 1))}"${other}`;
    const heavy = weight === "400" || weight === "normal" ? "" : ` font-weight="${weight}"`;
    const leaning = style === "normal" ? "" : ` font-style="${style}"`;
    const anchor = shape.align === "start" ? "" : ` text-anchor="${shape.align}"`;
    const spaced = shape.text === shape.text.trim() ? "" : ' xml:space="preserve"';
    return `<text ${place2} ${kind}${heavy}${leaning}${anchor}${spaced}${ink("fill", shape.fill)}${faint}`;
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
    const span2 = (steps[steps.length - 1] ?? 0) - first;
    return span2 > 0 ? Math.max(0, Math.min(1, (step - first) / span2)) : 1;
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
  const within2 = (v, size, limit) => Math.max(EDGE, Math.min(limit - size - EDGE, v));
  const beside = within2(cell.y + cell.height / 2 - tip.height / 2, tip.height, box2.height);
  const along2 = within2(cell.x + cell.width / 2 - tip.width / 2, tip.width, box2.width);
  const right = cell.x + cell.width + DISTANCE;
  if (right + tip.width + EDGE <= box2.width) return { x: right, y: beside };
  const left = cell.x - DISTANCE - tip.width;
  if (left >= EDGE) return { x: left, y: beside };
  const below = cell.y + cell.height + DISTANCE;
  if (below + tip.height + EDGE <= box2.height) return { x: along2, y: below };
  const above = cell.y - DISTANCE - tip.height;
  if (above >= EDGE) return { x: along2, y: above };
  return { x: along2, y: within2(below, tip.height, box2.height) };
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

// src/kernel_grid/scores.ts
var TINT = 0.5;
function scoresReader() {
  let read;
  let scores = /* @__PURE__ */ new Map();
  return (value) => {
    if (value === read) return scores;
    read = value;
    scores = /* @__PURE__ */ new Map();
    for (const [name, raw] of Object.entries(value ?? {})) {
      const layers = /* @__PURE__ */ new Map();
      for (const [layer, bytes] of Object.entries(raw.layers ?? {})) {
        layers.set(layer, float32(bytes, `the ${name} of layer "${layer}"`));
      }
      scores.set(name, {
        signed: Boolean(raw.signed),
        units: typeof raw.units === "string" ? raw.units : "",
        layers
      });
    }
    return scores;
  };
}
function valuesOf(scores, name, layer) {
  const values = scores.get(name)?.layers.get(layer.name);
  return values?.length === layer.count ? values : null;
}
function shadeOf(scores, name, layer) {
  const score = scores.get(name);
  if (!score) return null;
  const values = valuesOf(scores, name, layer);
  let most = 0;
  let unknown = 0;
  for (const value of values ?? []) {
    if (Number.isNaN(value)) unknown++;
    else most = Math.max(most, Math.abs(value));
  }
  return { name, units: score.units, signed: score.signed, values, most, unknown };
}
function tintOf({ values, most }, f, palette) {
  const value = values ? values[f] : Number.NaN;
  return Number.isNaN(value) ? null : tint(most > 0 ? value / most : 0, palette);
}
function tint(share, { bytes }) {
  const at2 = 3 * colourOf(TINT * share, 1);
  return `rgb(${bytes[at2]},${bytes[at2 + 1]},${bytes[at2 + 2]})`;
}
function scaleOf({ signed }, palette) {
  const stops = Array.from({ length: 17 }, (_, k) => tint(signed ? k / 8 - 1 : k / 16, palette));
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

// src/kernel_grid/settings.ts
var MODES = ["curves", "pattern", "preferred", "change"];
var SCALES = ["layer", "kernel", "function"];
var X_RANGES = ["domain", "wide"];
var BOUNDS = ["domain", "observed"];
var SORTS = ["position", "range", "change"];
function oneOf(allowed, value) {
  return allowed.includes(value) ? value : allowed[0];
}
function settingsOf(get) {
  const scores = Object.keys(get("scores") ?? {});
  return {
    mode: oneOf(MODES, get("mode")),
    binarise: Boolean(get("binarise")),
    suppressed: Boolean(get("suppressed")),
    bounds: oneOf(BOUNDS, get("bounds")),
    scale: oneOf(SCALES, get("scale")),
    ghost: get("ghost") !== false,
    xRange: oneOf(X_RANGES, get("x_range")),
    sort: oneOf([...SORTS, ...scores], get("sort")),
    shade: oneOf(["", ...scores], get("shade"))
  };
}
function isGrey({ mode }) {
  return mode === "pattern" || mode === "preferred";
}

// src/shared/curves.ts
function samplePlan(layer, xRange, maxPoints) {
  const tables = layer.tables.map((table) => tablePlan(layer, table, xRange, maxPoints));
  return { tables, points: Math.max(0, ...tables.map((table) => table.x.length)) };
}
function tablePlan({ nb, knots }, table, [from, to], maxPoints) {
  const last = table.x.length - 1;
  const lo = Math.max(Math.fround(from), table.x[0]);
  const hi = Math.min(Math.fround(to), table.x[last]);
  if (!(lo <= hi)) return { x: new Float32Array(0), values: new Float64Array(0) };
  if (lo === hi) return gather(table, nb, [place(table.x, lo)]);
  const start = place(table.x, lo);
  const end = place(table.x, hi);
  const first = Math.floor(start) + 1;
  const stop = Math.ceil(end);
  const room = Math.max(0, Math.floor(maxPoints) - 2);
  const rows = stop - first <= room ? span(first, stop) : chooseRows(table.x, first, stop, room, [...knots, 0]);
  return gather(table, nb, [start, ...rows, end]);
}
function place(xs, x) {
  let low = 0;
  let high = xs.length - 1;
  while (low < high) {
    const middle = low + high + 1 >> 1;
    if (xs[middle] <= x) low = middle;
    else high = middle - 1;
  }
  if (xs[low] === x || low === xs.length - 1) return low;
  return low + (x - xs[low]) / (xs[low + 1] - xs[low]);
}
function gather(table, nb, places) {
  const x = new Float32Array(places.length);
  const values = new Float64Array(places.length * nb);
  places.forEach((at2, p) => {
    const row = Math.floor(at2);
    const share = at2 - row;
    x[p] = between(table.x[row], table.x[row + 1], share);
    for (let b = 0; b < nb; b++) {
      const v = row * nb + b;
      values[p * nb + b] = between(table.values[v], table.values[v + nb], share);
    }
  });
  return { x, values };
}
function between(a, b, share) {
  return share === 0 ? a : a * (1 - share) + b * share;
}
function span(first, stop) {
  return Array.from({ length: Math.max(0, stop - first) }, (_, i) => first + i);
}
function chooseRows(xs, first, stop, room, bends) {
  if (room === 0) return [];
  const fixed = rowsAt(xs, first, stop, bends);
  if (fixed.length >= room) return evenly2(fixed, room);
  const gaps = [first - 1, ...fixed, stop].slice(0, -1).map((before, i) => {
    const after = fixed[i] ?? stop;
    return { before, free: after - before - 1, extra: 0, width: xs[after] - xs[before] };
  });
  for (let left = room - fixed.length; left > 0; left--) {
    let widest;
    for (const gap of gaps) {
      if (gap.extra >= gap.free) continue;
      if (!widest || gap.width / (gap.extra + 1) > widest.width / (widest.extra + 1)) widest = gap;
    }
    if (!widest) break;
    widest.extra++;
  }
  return gaps.flatMap(({ before, free, extra }, i) => {
    const spread2 = span(1, extra + 1).map(
      (k) => before + Math.round(k * (free + 1) / (extra + 1))
    );
    return i < fixed.length ? [...spread2, fixed[i]] : spread2;
  });
}
function rowsAt(xs, first, stop, bends) {
  const near = 1e-6 * (xs[xs.length - 1] - xs[0]);
  return span(first, stop).filter((row) => bends.some((bend) => Math.abs(xs[row] - bend) <= near));
}
function evenly2(rows, n) {
  return span(0, n).map((k) => rows[Math.floor((k + 0.5) * rows.length / n)]);
}
function evaluate(frame, layer, f, plan, out) {
  const { nb, offset, tableOf } = layer;
  const table = plan.tables[tableOf ? tableOf[f] : 0];
  const start = offset + f * nb;
  const coefficients = new Float64Array(frame.data.subarray(start, start + nb));
  out.x.set(table.x);
  combine(coefficients, table, out.y, 0);
  return table.x.length;
}
function evaluateAll(frame, layer, plan, reuse) {
  const { nb, count, tableOf, offset } = layer;
  const { points: points2, tables } = plan;
  const size = count * points2;
  const y = reuse?.y.length === size ? reuse.y : new Float32Array(size);
  const coefficients = new Float64Array(nb);
  for (let f = 0, c = offset; f < count; f++) {
    for (let b = 0; b < nb; b++, c++) coefficients[b] = frame.data[c];
    const table = tables[tableOf ? tableOf[f] : 0];
    combine(coefficients, table, y, f * points2);
    if (table.x.length < points2) y.fill(0, f * points2 + table.x.length, (f + 1) * points2);
  }
  return { x: tables.map((table) => table.x), y, points: points2 };
}
function combine(coefficients, { x, values }, y, at2) {
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
function valueAt(frame, layer, f, x) {
  const { nb, isBase, offset, tableOf } = layer;
  const table = layer.tables[tableOf ? tableOf[f] : 0];
  const rounded2 = Math.fround(x);
  if (!(rounded2 >= table.x[0] && rounded2 <= table.x[table.x.length - 1])) {
    return { phi: Number.NaN, base: Number.NaN, spline: Number.NaN };
  }
  const at2 = place(table.x, rounded2);
  const row = Math.floor(at2);
  let base = 0;
  let spline = 0;
  for (let b = 0, v = row * nb; b < nb; b++, v++) {
    const beta = between(table.values[v], table.values[v + nb], at2 - row);
    const term = frame.data[offset + f * nb + b] * beta;
    if (isBase[b]) base += term;
    else spline += term;
  }
  return { phi: base + spline, base, spline };
}

// src/kernel_grid/pattern.ts
var NEAR = 1e-3;
function endsOf({ bases, tableOf }, f) {
  return bases[tableOf ? tableOf[f] : 0].domain;
}
function contrastOf(subject, layer) {
  const contrast = new Float32Array(layer.count);
  for (let f = 0; f < layer.count; f++) {
    const [low, high] = endsOf(layer, f);
    const v = subject.at(f, high) - subject.at(f, low);
    contrast[f] = Math.abs(v) <= Number.MAX_VALUE ? v : Number.NaN;
  }
  return contrast;
}
function greyOf(contrast, most, binarise) {
  if (Number.isNaN(contrast)) return contrast;
  if (binarise) return contrast < 0 ? 0 : 1;
  return most > 0 ? 0.5 + 0.5 * contrast / most : 0.5;
}
function seesPixels(layer, observed) {
  const whole = layer.bases.every(({ domain: [low, high] }) => low === -1 && high === 1);
  if (!whole || layer.kind !== "conv" || layer.variable !== "x") return false;
  if (!observed?.isImage || !observed.maps) return false;
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of observed.maps)
    [least, most] = [Math.min(least, value), Math.max(most, value)];
  return Math.abs(least + 1) <= NEAR && most <= 1 + NEAR;
}
function patternText(layer, pixels, largest2, binarise) {
  const { variable, bases } = layer;
  const lows = bases.map(({ domain }) => domain[0]);
  const highs = bases.map(({ domain }) => domain[1]);
  const alike = new Set(lows).size === 1 && new Set(highs).size === 1;
  const [low, high] = [spread(lows), spread(highs)];
  let words = `black: φ is larger at ${variable} = ${low} · white: at ${variable} = ${high}`;
  if (pixels) words = "black: prefers dark (−1) · white: prefers bright (+1)";
  if (!alike) {
    words = `black: φ is larger at the low end, ${variable} = ${low} · white: at the high end, ${high}`;
  }
  if (binarise) return words;
  const difference = alike ? `φ(${high}) − φ(${low}) = ` : "a difference of ";
  return `${words} · full at ${difference}${formatRange(largest2)}`;
}
function spread(values) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return least === most ? number(least) : `${number(least)} … ${number(most)}`;
}

// src/shared/interpolate.ts
var POINTS = 6;
var known = /* @__PURE__ */ new WeakMap();
var weights = new Float64Array(POINTS);
function basisAt(layer, table, x, out) {
  return combine2(layer, table, x, out, lagrange);
}
var memory = new Float64Array(16);
function combine2(layer, number2, x, out, weigh) {
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

// src/kernel_grid/preferred.ts
var TAIL = 5e-3;
var BEYOND = 64;
var PRODUCTS = 12e6;
var FLAT = 1e-6;
function boundsOf(layer, observed) {
  const { count, tableOf, bases } = layer;
  const low = new Float64Array(count);
  const high = new Float64Array(count);
  const seen = observed && observed.patchCount > 0 && entriesOf(layer) === observed.entries;
  if (!seen) {
    for (let f = 0; f < count; f++) {
      [low[f], high[f]] = bases[tableOf ? tableOf[f] : 0].domain;
    }
    return { low, high, samples: 0 };
  }
  const ends = Array.from({ length: observed.entries }, (_, entry) => quantiles(observed, entry));
  for (let f = 0; f < count; f++) [low[f], high[f]] = ends[columnOf(layer, f)];
  return { low, high, samples: observed.samples };
}
function entriesOf({ shape: [, inputs, kh, kw], conv }) {
  return inputs * kh * kw * (conv?.groups ?? 1);
}
function columnOf({ shape: [out, inputs, kh, kw], conv }, f) {
  const perOutput = inputs * kh * kw;
  const output = Math.floor(f / perOutput);
  const group = Math.floor(output / Math.max(1, out / (conv?.groups ?? 1)));
  return group * perOutput + f % perOutput;
}
function quantiles({ patches, patchCount, entries: entries2 }, entry) {
  const values = new Float64Array(patchCount);
  for (let p = 0; p < patchCount; p++) values[p] = patches[p * entries2 + entry];
  values.sort();
  const at2 = (share) => {
    const place2 = share * (patchCount - 1);
    const before = Math.floor(place2);
    const after = Math.min(patchCount - 1, before + 1);
    return values[before] + (place2 - before) * (values[after] - values[before]);
  };
  return [at2(TAIL), at2(1 - TAIL)];
}
function windowOf(layer, table, low, high) {
  const { nb, tables } = layer;
  const rows = tables[table].x;
  const [from, to] = [rows[0], rows[rows.length - 1]];
  const x = [low, high];
  for (let k = 1; k <= BEYOND; k++) {
    const share = k / (BEYOND + 1);
    if (low < from) x.push(low + (Math.min(from, high) - low) * share);
    if (high > to) x.push(Math.max(to, low) + (high - Math.max(to, low)) * share);
  }
  const values = new Float64Array(x.length * nb);
  x.forEach((at2, p) => {
    expandAt(layer, table, at2, values.subarray(p * nb, (p + 1) * nb));
  });
  let first = 0;
  while (first < rows.length && rows[first] <= low) first++;
  let stop = first;
  while (stop < rows.length && rows[stop] < high) stop++;
  return { first, stop, x: Float64Array.from(x), values };
}
function preferredOf(frame, layer, bounds, suppressed) {
  const { count, nb, offset, tableOf, tables } = layer;
  const sign = suppressed ? -1 : 1;
  const x = new Float64Array(count);
  const value = new Float64Array(count);
  const windows = /* @__PURE__ */ new Map();
  const c = new Float64Array(nb);
  const sum = (values, row) => {
    let total = 0;
    for (let b = 0, v = row * nb; b < nb; b++, v++) total += c[b] * values[v];
    return total;
  };
  for (let f = 0; f < count; f++) {
    const table = tableOf ? tableOf[f] : 0;
    const [low, high] = [bounds.low[f], bounds.high[f]];
    const key = `${table}|${low}|${high}`;
    const window = windows.get(key) ?? windowOf(layer, table, low, high);
    windows.set(key, window);
    for (let b = 0; b < nb; b++) c[b] = frame.data[offset + f * nb + b];
    let [best, worst, at2, total] = [-Infinity, Infinity, Number.NaN, 0];
    const take = (y, where) => {
      total += y;
      if (sign * y > best) [best, at2] = [sign * y, where];
      if (sign * y < worst) worst = sign * y;
    };
    for (let p = 0; p < window.x.length; p++) take(sum(window.values, p), window.x[p]);
    const { x: rows, values } = tables[table];
    const { first, stop } = window;
    const gap = Math.max(1, Math.ceil((stop - first) * count * nb / PRODUCTS));
    let near = -1;
    for (let row = first; row < stop; row += gap) {
      const before = best;
      take(sum(values, row), rows[row]);
      if (best > before) near = row;
    }
    if (near >= 0 && gap > 1) {
      const end = Math.min(stop, near + gap);
      for (let row = Math.max(first, near - gap + 1); row < end; row++) {
        take(sum(values, row), rows[row]);
      }
    }
    const finite = Math.abs(total) <= Number.MAX_VALUE;
    const constant = best - worst <= FLAT * Math.max(Math.abs(best), Math.abs(worst));
    x[f] = !finite ? Number.NaN : constant ? (low + high) / 2 : at2;
    value[f] = finite ? sign * best : Number.NaN;
  }
  return { bounds, x, value };
}
function greysOf({ bounds: { low, high }, x }) {
  return Float32Array.from(
    x,
    (at2, f) => high[f] > low[f] ? (at2 - low[f]) / (high[f] - low[f]) : at2 * 0 + 0.5
  );
}
function reached({ shape: [, inputs, kh, kw] }, found, f) {
  const entries2 = inputs * kh * kw;
  const output = Math.floor(f / entries2);
  let sum = 0;
  for (let e = output * entries2; e < (output + 1) * entries2; e++) sum += found.value[e];
  return { output, entries: entries2, sum };
}

// src/kernel_grid/words.ts
function axesText(picture) {
  const { layer, xRange, settings, scales } = picture;
  const x = `${layer.variable} ${number(xRange[0])} … ${number(xRange[1])}`;
  if (picture.pattern) {
    return patternText(layer, picture.pattern.pixels, scales.largest, settings.binarise);
  }
  if (picture.preferred) return preferredText(picture);
  const since = picture.initial ? ` since step ${formatCount(picture.initial.frame.step)}` : "";
  const what = settings.mode === "change" ? `change${since}` : "φ";
  const { smallest, largest: largest2 } = scales;
  if (settings.scale === "layer") return `${what} ${formatRange(largest2)} · ${x}`;
  const own = smallest === largest2 ? formatRange(largest2) : `${formatRange(smallest)} … ${formatRange(largest2)}`;
  return `${what}, own scales ${own} · ${x}`;
}
function preferredText({ layer, settings, preferred }) {
  if (!preferred) return "";
  const { low, high, samples } = preferred.bounds;
  const which = settings.suppressed ? "smallest" : "largest";
  const ends = (values) => {
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const value of values) [least, most] = [Math.min(least, value), Math.max(most, value)];
    return least === most ? number(least) : `${number(least)} … ${number(most)}`;
  };
  const v = layer.variable;
  const words = `black: φ is ${which} at the low end, ${v} = ${ends(low)} · white: at the high end, ${ends(high)}`;
  const of = samples > 0 ? ` (each entry's quantiles 0.5 % and 99.5 % of ${counted(samples, "image")})` : "";
  return words + of;
}
function reachText({ layer, preferred, settings }, f) {
  if (!preferred || f < 0) return "";
  const { output, entries: entries2, sum } = reached(layer, preferred, f);
  if (Number.isNaN(sum)) return "";
  const which = settings.suppressed ? "at least" : "at most";
  return `out ${output} reaches ${number(sum)} ${which}, with ${counted(entries2, "function")}`;
}
function shadeText({ name, units, signed, values, most, unknown }) {
  if (!values) return `no ${name} of this layer`;
  const scale = `${name} ${number(signed ? -most : 0)} … ${number(most)} ${units}`.trimEnd();
  return unknown > 0 ? `${scale} · ${counted(unknown, "function")} without` : scale;
}
function scoreText({ shade }, f) {
  const value = shade?.values ? shade.values[f] : Number.NaN;
  return !shade || Number.isNaN(value) ? "" : `${number(value)} ${shade.units}`.trimEnd();
}
function remarks(picture) {
  const { layer, settings, broken, initial } = picture;
  const noted = [layer.note];
  if (settings.mode === "change" && !initial) noted.unshift("no first frame: φ itself is drawn");
  if (settings.mode === "preferred" && settings.bounds === "observed" && !picture.preferred?.bounds.samples) {
    noted.unshift("no inputs observed: within the grid's range. Call live.observe(batch)");
  }
  if (!isGrey(settings) && picture.ranges.every((range) => range === 0)) {
    noted.unshift(settings.mode === "change" ? "nothing has changed yet" : "every φ is zero");
  }
  return {
    warned: broken > 0 ? `${counted(broken, "function")} not finite (×)` : "",
    noted: noted.filter((text) => text).join(" · ")
  };
}
function hoverLines(picture, f, x) {
  const score = scoreText(picture, f);
  const lines = ownLines(picture, f, x);
  return score ? [...lines, { label: picture.shade?.name ?? "", value: score }] : lines;
}
function ownLines(picture, f, x) {
  const { frame, layer, settings, initial } = picture;
  const v = layer.variable;
  if (!isFiniteFunction(picture, f)) return [{ label: "φ", value: "not finite" }];
  if (picture.pattern) {
    const [low, high] = endsOf(layer, f);
    const [one, other] = [low, high].map((end) => valueAt(frame, layer, f, end).phi);
    const { pixels } = picture.pattern;
    const ends = pixels ? ["dark", "bright"] : [`${v} = ${number(low)}`, `${v} = ${number(high)}`];
    return [
      { label: `φ(${number(low)})`, value: number(one) },
      { label: `φ(${number(high)})`, value: number(other) },
      { label: "difference", value: number(other - one) },
      {
        label: pixels ? "prefers" : "larger at",
        value: other < one ? ends[0] : other > one ? ends[1] : "neither"
      }
    ];
  }
  if (picture.preferred) {
    const { bounds, value, x: places } = picture.preferred;
    return [
      {
        label: settings.suppressed ? "smallest at" : "largest at",
        value: `${v} = ${number(places[f])}`
      },
      { label: "φ there", value: number(value[f]) },
      { label: "within", value: `${number(bounds.low[f])} … ${number(bounds.high[f])}` }
    ];
  }
  const now = valueAt(frame, layer, f, x);
  if (settings.mode === "change" && initial) {
    const before = valueAt(initial.frame, initial.layer, f, x).phi;
    return [
      { label: v, value: number(x) },
      { label: "change", value: number(now.phi - before) },
      { label: "φ now", value: number(now.phi), swatch: "ink" },
      {
        label: `φ at step ${formatCount(initial.frame.step)}`,
        value: number(before),
        swatch: "ghost"
      }
    ];
  }
  const lines = [
    { label: v, value: number(x) },
    { label: `φ(${v})`, value: number(now.phi), swatch: "ink" }
  ];
  if (!layer.isBase.some((is) => is)) return lines;
  const whole = Math.abs(now.base) + Math.abs(now.spline);
  const share = (part) => whole > 0 ? `${number(part)}  (${Math.round(100 * Math.abs(part) / whole)} %)` : number(part);
  lines.push({ label: "base", value: share(now.base), swatch: "base" });
  if (layer.isBase.some((is) => !is)) {
    lines.push({ label: "splines", value: share(now.spline), swatch: "spline" });
  }
  return lines;
}
function isFiniteFunction(picture, f) {
  const measured = isGrey(picture.settings) ? picture.greys : picture.ranges;
  return !Number.isNaN(measured[f]);
}
function selectionText(picture, f) {
  const { layer, subject, settings } = picture;
  const name = `${layerTitle(layer)} · ${entryText(layer, f)}`;
  if (!isFiniteFunction(picture, f)) return `${name} · not finite`;
  if (picture.pattern) {
    const [low, high] = endsOf(layer, f);
    const difference = subject.at(f, high) - subject.at(f, low);
    return `${name} · φ(${number(high)}) − φ(${number(low)}) = ${number(difference)}`;
  }
  if (picture.preferred) {
    const which = settings.suppressed ? "smallest" : "largest";
    const at2 = `${layer.variable} = ${number(picture.preferred.x[f])}`;
    return `${name} · φ is ${which} at ${at2}: ${number(picture.preferred.value[f])}`;
  }
  const what = settings.mode === "change" ? "largest change" : "largest |φ|";
  const [lo, hi] = picture.xRange;
  const ends = (lo < 0 && hi > 0 ? [lo, 0, hi] : [lo, hi]).map(
    (x) => `${settings.mode === "change" ? "Δφ" : "φ"}(${number(x)}) ${number(subject.at(f, x))}`
  );
  const score = scoreText(picture, f);
  const scored = score ? ` · ${picture.shade?.name} ${score}` : "";
  return `${name} · ${what} ${formatNumber(picture.ranges[f])} · ${ends.join(" · ")}${scored}`;
}
function description(picture, selected) {
  const { layer } = picture;
  const chosen = selected >= 0 ? `Selected: ${selectionText(picture, selected)}. ` : "";
  const what = {
    curves: "Functions",
    pattern: "Pattern",
    preferred: "Preferred patches",
    change: "Changes"
  }[picture.settings.mode];
  return `${what} of layer ${layerTitle(layer)}, ${layerSize(layer)}. ${axesText(picture)}. ${chosen}Arrow keys move between functions, with Shift along x; Enter selects, Escape clears.`;
}

// src/kernel_grid/caption.ts
function createCaption(document, status, choose, signal) {
  const root = element(document, "div", "kw-caption");
  root.append(status);
  const facts = element(document, "span", "kw-facts", root);
  const axes = element(document, "span", "kw-axes", facts);
  const key = element(document, "span", "kw-key", facts);
  const shading = element(document, "span", "kw-shade", facts);
  const scale = element(document, "span", "kw-shade-scale", shading);
  const shaded = element(document, "span", "kw-shade-text", shading);
  const size = element(document, "span", "kw-size", facts);
  const warning = element(document, "span", "kw-warning", facts);
  const note = element(document, "span", "kw-note", facts);
  const now = element(document, "span", "kw-key-ink", key);
  const ghost = element(document, "label", "kw-check", key);
  ghost.title = "Draw the functions of this step behind, dashed";
  const box2 = element(document, "input", "kw-checkbox", ghost);
  box2.type = "checkbox";
  box2.title = ghost.title;
  box2.setAttribute("aria-label", "functions at the start");
  box2.addEventListener("change", () => choose("ghost", box2.checked), { signal });
  const first = element(document, "span", "kw-key-ghost", ghost);
  element(document, "span", "kw-key-rise", key).textContent = "rose";
  element(document, "span", "kw-key-fall", key).textContent = "fell";
  const [rose, fell] = key.querySelectorAll(".kw-key-rise, .kw-key-fall");
  const hold = holdHeight(facts);
  let ramp = "";
  return {
    element: root,
    show(picture, cursor, selected, palette) {
      const { settings, initial, layer, frame, shade } = picture;
      const { warned, noted } = remarks(picture);
      const step = initial ? `step ${formatCount(initial.frame.step)}` : "";
      facts.hidden = false;
      putOrHide(axes, axesText(picture));
      putOrHide(size, isGrey(settings) ? reachText(picture, selected) : layerSize(layer));
      shading.hidden = !shade;
      scale.hidden = !shade?.values;
      if (shade) {
        put(shaded, shadeText(shade));
        const next = scaleOf(shade, palette);
        if (next !== ramp) scale.style.backgroundImage = ramp = next;
      }
      putOrHide(warning, warned);
      putOrHide(note, noted);
      putOrHide(first, step);
      putOrHide(now, cursor < 0 ? "now" : `step ${formatCount(frame.step)}`);
      box2.checked = settings.ghost;
      const curves = settings.mode === "curves";
      key.hidden = !initial || isGrey(settings);
      now.hidden = !curves;
      ghost.hidden = !curves;
      rose.hidden = curves;
      fell.hidden = curves;
      hold(JSON.stringify([layer.name, settings, picture.arrangement.width]));
    },
    clear() {
      facts.hidden = true;
    }
  };
}

// src/kernel_grid/controls.ts
var MODE_TITLES = {
  curves: "Draw every function φ(x) as a curve",
  pattern: "Each entry from black to white: is φ larger at the lower or at the upper end of its grid?",
  preferred: "Each entry from black to white: the input at which φ is largest, together the patch that a kernel prefers most",
  change: "Draw how far every function moved since the first frame: φ now − φ at the start"
};
var entries = (values) => values.map((value) => ({ value, label: value }));
function createHeader(document, choose, again, signal) {
  const kit = createKit(document, signal);
  const root = element(document, "div", "kw-header");
  root.setAttribute("role", "toolbar");
  root.setAttribute("aria-label", "Kernel grid");
  const layerChoice = kit.layers((name) => choose("layer", name));
  const modes = kit.segments("What is drawn", (value) => choose("mode", value));
  modes.fill(MODES.map((value) => ({ value, label: value, title: MODE_TITLES[value] })));
  const scale = kit.select(
    "scale",
    "Which functions share one y scale",
    (value) => choose("scale", value)
  );
  scale.fill(entries(SCALES));
  const xRange = kit.select(
    "x",
    "How far x runs: over the grid's range, or as far as the splines reach",
    (value) => choose("x_range", value)
  );
  xRange.fill(entries(X_RANGES));
  const binarise = kit.check(
    "binarise",
    "Only black and white: at which end of its grid is φ larger?",
    (value) => choose("binarise", value)
  );
  const bounds = kit.select(
    "within",
    "Which inputs count: the grid's range, or what was observed of each entry's inputs, 0.5 % to 99.5 %",
    (value) => choose("bounds", value)
  );
  bounds.fill(entries(BOUNDS));
  const suppressed = kit.check(
    "suppressed",
    "The input at which φ is smallest instead: the patch that a kernel is suppressed by most",
    (value) => choose("suppressed", value)
  );
  const sort = kit.select(
    "sort",
    "The order of the kernels; it is found once, so that nothing jumps while training",
    (value) => choose("sort", value)
  );
  const shade = kit.select(
    "shade",
    "Which numbers tint the ground behind the curves: those given with grid.score",
    (value) => choose("shade", value)
  );
  let named = "";
  const repeat = kit.button("↻", "Sort again, by the functions as they are now", "kw-again", again);
  sort.box.append(repeat);
  root.append(...layerChoice.boxes, modes.box);
  const options = element(document, "div", "kw-options", root);
  options.append(
    scale.box,
    xRange.box,
    binarise.box,
    bounds.box,
    suppressed.box,
    sort.box,
    shade.box
  );
  return {
    element: root,
    show(choices, layers, width, scores) {
      const names = JSON.stringify(scores);
      if (names !== named) {
        named = names;
        sort.fill(entries([...SORTS, ...scores]));
        shade.fill([{ value: "", label: "none" }, ...entries(scores)]);
      }
      layerChoice.show(layers, choices.layer, width);
      modes.set(choices.mode);
      scale.set(choices.scale);
      xRange.set(choices.xRange);
      binarise.set(choices.binarise);
      sort.set(choices.sort);
      shade.set(choices.shade);
      shade.box.hidden = scores.length === 0 || isGrey(choices);
      bounds.set(choices.bounds);
      suppressed.set(choices.suppressed);
      scale.box.hidden = isGrey(choices);
      xRange.box.hidden = isGrey(choices);
      binarise.box.hidden = choices.mode !== "pattern";
      bounds.box.hidden = choices.mode !== "preferred";
      suppressed.box.hidden = choices.mode !== "preferred";
      repeat.hidden = choices.sort !== "range" && choices.sort !== "change";
    }
  };
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

// src/kernel_grid/draw.ts
var COLOURS = [
  "ink",
  "ghost",
  "zero",
  "cell",
  "outside",
  "muted",
  "accent",
  "surface",
  "warn",
  "rise",
  "fall"
];
var INSET = 2;
var FEW_CURVES = 150;
var PATH_CURVES = 64;
function createGround(document) {
  return { canvas: document.createElement("canvas"), key: "", from: [] };
}
function paint2(context, picture, marks, page, ground) {
  const { view, colours } = page;
  const visible = functionsWithin(picture, view);
  if (!copyGround(context, picture, visible, page, ground)) {
    paintGround(context, picture, visible, page);
  }
  if (isGrey(picture.settings)) paintGreys(context, picture, visible, colours);
  else paintCurves(context, picture, visible, page);
  paintMarks(context, picture, marks, colours);
  paintStuckHead(context, picture.arrangement, page);
}
function copyGround(context, picture, visible, page, ground) {
  const { arrangement, layer, initial, ghost, settings, scales, shade, xRange } = picture;
  if (ghost && settings.scale !== "layer") return false;
  const { canvas } = ground;
  const { view, ratio, font, colours, palette } = page;
  const from = [arrangement, layer, initial?.frame, shade, palette];
  const key = JSON.stringify([settings, ghost && scales, xRange, view, ratio, font, colours]);
  if (key !== ground.key || from.some((part, k) => part !== ground.from[k])) {
    const under = canvas.getContext("2d");
    if (!under) return false;
    canvas.width = context.canvas.width;
    canvas.height = context.canvas.height;
    paintGround(under, picture, visible, page);
    ground.key = key;
    ground.from = from;
  }
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.drawImage(canvas, 0, 0);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.translate(-view.x, -view.y);
  return true;
}
function paintGround(context, picture, visible, page) {
  const { view, ratio } = page;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, view.width, view.height);
  context.translate(-view.x, -view.y);
  paintLabels(context, picture.arrangement, page);
  if (!isGrey(picture.settings)) paintCells(context, picture, visible, page);
}
function functionsWithin(picture, view) {
  const size = picture.arrangement.kh * picture.arrangement.kw;
  const functions = [];
  for (const kernel of kernelsWithin(picture.arrangement, view)) {
    for (let entry = 0; entry < size; entry++) functions.push(kernel * size + entry);
  }
  return functions;
}
function paintGreys(context, picture, visible, colours) {
  const { arrangement, greys } = picture;
  for (const f of visible) {
    const { x, y, width, height } = rectOf(arrangement, f);
    if (Number.isNaN(greys[f])) {
      context.fillStyle = colours.cell;
      context.fillRect(x, y, width, height);
      continue;
    }
    const level = Math.round(255 * greys[f]);
    context.fillStyle = `rgb(${level},${level},${level})`;
    context.fillRect(x, y, width, height);
  }
  context.strokeStyle = colours.zero;
  context.lineWidth = 1;
  context.beginPath();
  for (const f of visible) {
    const { x, y, width, height } = rectOf(arrangement, f);
    context.rect(x + 0.5, y + 0.5, width - 1, height - 1);
  }
  context.stroke();
  paintBroken(context, picture, visible, (f) => Number.isNaN(greys[f]), colours);
}
function paintCells(context, picture, visible, page) {
  const { arrangement, layer, xRange, ghost, shade } = picture;
  const { colours, palette, ratio } = page;
  const rects = visible.map((f) => rectOf(arrangement, f));
  const toX = xMapping(picture);
  const [lo, hi] = [Math.max(layer.domain[0], xRange[0]), Math.min(layer.domain[1], xRange[1])];
  const wide = lo > xRange[0] || hi < xRange[1];
  context.fillStyle = wide ? colours.outside : colours.cell;
  context.beginPath();
  for (const { x, y, width, height } of rects) context.rect(x, y, width, height);
  context.fill();
  if (wide && lo < hi) {
    context.fillStyle = colours.cell;
    context.beginPath();
    for (const { x, y, height } of rects) {
      context.rect(x + toX(lo), y, toX(hi) - toX(lo), height);
    }
    context.fill();
  }
  if (shade?.values) {
    const [from, to] = wide ? [toX(lo), toX(hi)] : [0, arrangement.cell];
    visible.forEach((f, k) => {
      const tint2 = tintOf(shade, f, palette);
      if (tint2 === null || from >= to) return;
      context.fillStyle = tint2;
      context.fillRect(rects[k].x + from, rects[k].y, to - from, rects[k].height);
    });
  }
  context.strokeStyle = colours.zero;
  context.lineWidth = 1;
  context.beginPath();
  for (const { x, y, width, height } of rects) {
    const zero = (Math.floor((y + height / 2) * ratio) + 0.5) / ratio;
    context.moveTo(x, zero);
    context.lineTo(x + width, zero);
  }
  context.stroke();
  if (ghost) {
    context.lineJoin = "round";
    context.lineCap = "butt";
    context.strokeStyle = colours.ghost;
    context.lineWidth = 1;
    context.setLineDash(arrangement.cell < 28 ? [2, 2] : [3, 2.5]);
    strokeAll(context, picture, ghost.subject, ghost.plan, visible);
    context.setLineDash([]);
  }
}
function paintCurves(context, picture, visible, { colours }) {
  const { arrangement, ranges, settings } = picture;
  context.lineJoin = "round";
  context.lineCap = "butt";
  if (settings.mode === "change") fillToZero(context, picture, visible, colours);
  context.strokeStyle = colours.ink;
  context.lineWidth = arrangement.cell < 28 || visible.length > FEW_CURVES ? 1 : 1.35;
  const flat = strokeAll(context, picture, picture.subject, picture.plan, visible);
  context.fillStyle = colours.muted;
  for (const f of flat) {
    const { x, y, width } = rectOf(arrangement, f);
    context.fillRect(x + width - 5, y + 2, 3, 3);
  }
  paintBroken(context, picture, visible, (f) => Number.isNaN(ranges[f]), colours);
}
function strokeAll(context, picture, subject, plan, visible) {
  const { arrangement } = picture;
  const points2 = pointsFor(plan);
  const toX = xMapping(picture);
  const half = arrangement.cell / 2;
  const flat = [];
  const together = context.lineWidth > 1 ? 1 : PATH_CURVES;
  let pending = 0;
  context.beginPath();
  for (const f of visible) {
    const n = subject.curve(f, plan, points2);
    const { x, y } = rectOf(arrangement, f);
    const middle = y + half;
    const scale = (half - INSET) / axisOf(picture, f);
    let least = points2.y[0];
    let most = least;
    let sum = 0;
    for (let p = 0; p < n; p++) {
      const value = points2.y[p];
      sum += value;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    if (n === 0 || !Number.isFinite(sum)) continue;
    if (most - least <= 1e-6 * Math.max(Math.abs(least), Math.abs(most))) flat.push(f);
    context.moveTo(x + toX(points2.x[0]), middle - scale * points2.y[0]);
    for (let p = 1; p < n; p++) context.lineTo(x + toX(points2.x[p]), middle - scale * points2.y[p]);
    if (++pending === together) {
      context.stroke();
      context.beginPath();
      pending = 0;
    }
  }
  context.stroke();
  return flat;
}
function fillToZero(context, picture, visible, colours) {
  const { arrangement, subject, plan } = picture;
  const points2 = pointsFor(plan);
  const toX = xMapping(picture);
  const half = arrangement.cell / 2;
  for (const sign of [1, -1]) {
    context.fillStyle = sign > 0 ? colours.rise : colours.fall;
    let pending = 0;
    context.beginPath();
    for (const f of visible) {
      if (Number.isNaN(picture.ranges[f])) continue;
      const n = subject.curve(f, plan, points2);
      if (n < 2) continue;
      const { x, y } = rectOf(arrangement, f);
      const middle = y + half;
      const scale = (half - INSET) / axisOf(picture, f);
      context.moveTo(x + toX(points2.x[0]), middle);
      for (let p = 0; p < n; p++) {
        const value = points2.y[p];
        const before = p > 0 ? points2.y[p - 1] : value;
        if (value * before < 0) {
          const share = before / (before - value);
          const zero = points2.x[p - 1] + share * (points2.x[p] - points2.x[p - 1]);
          context.lineTo(x + toX(zero), middle);
        }
        context.lineTo(x + toX(points2.x[p]), middle - scale * Math.max(0, sign * value) * sign);
      }
      context.lineTo(x + toX(points2.x[n - 1]), middle);
      context.closePath();
      if (++pending === PATH_CURVES) {
        context.fill();
        context.beginPath();
        pending = 0;
      }
    }
    context.fill();
  }
}
function paintBroken(context, picture, visible, broken, colours) {
  if (picture.broken === 0) return;
  const arm = Math.min(5, picture.arrangement.cell / 5);
  context.strokeStyle = colours.warn;
  context.lineWidth = 1.5;
  context.beginPath();
  for (const f of visible) {
    if (!broken(f)) continue;
    const { x, y, width, height } = rectOf(picture.arrangement, f);
    const [cx, cy] = [x + width / 2, y + height / 2];
    context.moveTo(cx - arm, cy - arm);
    context.lineTo(cx + arm, cy + arm);
    context.moveTo(cx - arm, cy + arm);
    context.lineTo(cx + arm, cy - arm);
  }
  context.stroke();
}
function paintMarks(context, picture, marks, colours) {
  const outline = (f, colour2, width, outset) => {
    const r = rectOf(picture.arrangement, f);
    context.strokeStyle = colour2;
    context.lineWidth = width;
    context.strokeRect(r.x - outset, r.y - outset, r.width + 2 * outset, r.height + 2 * outset);
  };
  const { hovered, selected, cursor, x } = marks;
  if (hovered >= 0 && hovered !== selected && hovered !== cursor)
    outline(hovered, colours.muted, 1, 0.5);
  if (selected >= 0) {
    outline(selected, colours.surface, 4, 1);
    outline(selected, colours.accent, 2, 1);
  }
  if (cursor >= 0) {
    context.setLineDash([3, 2]);
    outline(cursor, colours.ink, 1.5, cursor === selected ? 3.5 : 1);
    context.setLineDash([]);
  }
  if (hovered >= 0 && x !== null && !isGrey(picture.settings)) {
    const r = rectOf(picture.arrangement, hovered);
    const value = picture.subject.at(hovered, x);
    if (!Number.isFinite(value)) return;
    const [cx, cy] = placeOf(picture, hovered, x, value);
    context.strokeStyle = colours.accent;
    context.lineWidth = 1;
    context.globalAlpha = 0.45;
    context.beginPath();
    context.moveTo(cx, r.y);
    context.lineTo(cx, r.y + r.height);
    context.stroke();
    context.globalAlpha = 1;
    context.fillStyle = colours.accent;
    context.beginPath();
    context.arc(cx, cy, 2.75, 0, 2 * Math.PI);
    context.fill();
  }
}
function placeOf(picture, f, x, value) {
  const r = rectOf(picture.arrangement, f);
  const scale = (r.height / 2 - INSET) / axisOf(picture, f);
  return [r.x + xMapping(picture)(x), r.y + r.height / 2 - scale * value];
}
function xAt(picture, insideX) {
  const [lo, hi] = picture.xRange;
  const share = (insideX - INSET) / (picture.arrangement.cell - 2 * INSET);
  return lo + (hi - lo) * Math.max(0, Math.min(1, share));
}
function xMapping(picture) {
  const [lo, hi] = picture.xRange;
  const slope = (picture.arrangement.cell - 2 * INSET) / (hi - lo);
  return (x) => INSET + (x - lo) * slope;
}
function axisOf(picture, f) {
  const scale = picture.scaleOf(f);
  return scale > 0 ? scale : 1;
}
function pointsFor(plan) {
  return { x: new Float32Array(plan.points), y: new Float32Array(plan.points) };
}

// src/shared/memory.ts
function memory2() {
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
function functionRanges(layer, curves) {
  const { x, y, points: points2 } = curves;
  const ranges = new Float32Array(layer.count);
  for (let f = 0; f < layer.count; f++) {
    const start = f * points2;
    const stop = start + x[layer.tableOf ? layer.tableOf[f] : 0].length;
    let largest2 = 0;
    let sum = 0;
    for (let i = start; i < stop; i++) {
      const size = Math.abs(y[i]);
      if (size > largest2) largest2 = size;
      sum += size;
    }
    ranges[f] = Number.isFinite(sum) ? largest2 : Number.NaN;
  }
  return ranges;
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

// src/kernel_grid/subject.ts
function layerOf(frame, name) {
  return frame?.layout.layers.find((layer) => layer.name === name) ?? null;
}
function phi(frame, layer) {
  return {
    ranges(plan, scratch = {}) {
      scratch.curves = evaluateAll(frame, layer, plan, scratch.curves);
      return functionRanges(layer, scratch.curves);
    },
    curve: (f, plan, out) => evaluate(frame, layer, f, plan, out),
    at: (f, x) => valueAt(frame, layer, f, x).phi
  };
}
function change(frame, layer, initial, initialLayer) {
  if (sameBasis(layer, initialLayer)) {
    const length = layer.count * layer.nb;
    const data = new Float32Array(frame.data.length);
    for (let k = 0; k < length; k++) {
      data[layer.offset + k] = frame.data[layer.offset + k] - initial.data[initialLayer.offset + k];
    }
    return phi({ step: frame.step, layout: frame.layout, data }, layer);
  }
  const curve = (f, plan, out) => {
    const n = evaluate(frame, layer, f, plan, out);
    for (let p = 0; p < n; p++) {
      out.y[p] = out.y[p] - valueAt(initial, initialLayer, f, out.x[p]).phi;
    }
    return n;
  };
  return {
    curve,
    at: (f, x) => valueAt(frame, layer, f, x).phi - valueAt(initial, initialLayer, f, x).phi,
    ranges(plan) {
      const out = { x: new Float32Array(plan.points), y: new Float32Array(plan.points) };
      const ranges = new Float32Array(layer.count);
      for (let f = 0; f < layer.count; f++) {
        const n = curve(f, plan, out);
        let most = 0;
        for (let p = 0; p < n; p++) {
          const size = Math.abs(out.y[p]);
          if (!(size <= Number.MAX_VALUE)) most = Number.NaN;
          else if (size > most) most = size;
        }
        ranges[f] = most;
      }
      return ranges;
    }
  };
}
function sameBasis(a, b) {
  if (a === b) return true;
  if (a.count !== b.count || a.nb !== b.nb || a.tables.length !== b.tables.length) return false;
  return sameNumbers(a.tableOf, b.tableOf) && a.tables.every((table, t) => {
    const other = b.tables[t];
    return other !== void 0 && sameNumbers(table.x, other.x) && sameNumbers(table.values, other.values);
  });
}
function sameNumbers(a, b) {
  if (a === b) return true;
  if (!a || !b || a.length !== b.length) return false;
  return a.every((value, k) => value === b[k]);
}
function sameShape(a, b) {
  return a.kind === b.kind && a.shape.every((n, k) => n === b.shape[k]);
}

// src/kernel_grid/picture.ts
var ALL_POINTS = 1 << 20;
var RANGE_VALUES = 2e5;
function xRangeOf(layer, choice) {
  let lo = Number.POSITIVE_INFINITY;
  let hi = Number.NEGATIVE_INFINITY;
  for (const { x } of layer.tables) {
    lo = Math.min(lo, x[0]);
    hi = Math.max(hi, x[x.length - 1]);
  }
  const wide = [
    Math.max(lo, Math.min(layer.extent[0], layer.domain[0])),
    Math.min(hi, Math.max(layer.extent[1], layer.domain[1]))
  ];
  const [from, to] = choice === "wide" ? wide : layer.domain;
  return from < to ? [from, to] : [lo, hi];
}
function orderBy(layer, perFunction) {
  const perKernel = kernelRanges(layer, perFunction);
  const key = (kernel) => {
    const value = perKernel[kernel];
    return Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value;
  };
  return Array.from(perKernel, (_, kernel) => kernel).sort((a, b) => {
    const [ka, kb] = [key(a), key(b)];
    return ka === kb ? a - b : kb - ka;
  });
}
function sortedOrder(sort, xRange, frame, layer, initial, scored = null) {
  if (sort !== "range" && sort !== "change") return scored && orderBy(layer, scored);
  const plan = samplePlan(layer, xRangeOf(layer, xRange), ALL_POINTS);
  if (sort === "range") return orderBy(layer, phi(frame, layer).ranges(plan));
  const start = startOf(initial, layer);
  if (!start) return orderBy(layer, new Float32Array(layer.count));
  return orderBy(layer, change(frame, layer, start.frame, start.layer).ranges(plan));
}
function startOf(initial, layer) {
  const its = layerOf(initial, layer.name);
  return initial && its && sameShape(its, layer) ? { frame: initial, layer: its } : null;
}
function pictureMaker() {
  const keep = memory2();
  const scratch = {};
  return (frame, layer, initial, settings, width, order, observed = null, scores) => {
    const [out, inputs, kh, kw] = layer.shape;
    const { mode, scale } = settings;
    const arrangement = keep(
      "arrangement",
      [layer, width, order],
      () => arrange({ kind: layer.kind, out, in: inputs, kh, kw }, width, order)
    );
    const xRange = keep("xRange", [layer, settings.xRange], () => xRangeOf(layer, settings.xRange));
    const points2 = Math.max(12, arrangement.cell);
    const plan = keep("plan", [layer, xRange, points2], () => samplePlan(layer, xRange, points2));
    const start = keep("start", [initial, layer], () => startOf(initial, layer));
    const subject = mode === "change" && start ? change(frame, layer, start.frame, start.layer) : phi(frame, layer);
    const picture = {
      frame,
      layer,
      settings,
      arrangement,
      xRange,
      subject,
      ghost: null,
      initial: start,
      plan,
      ranges: new Float32Array(0),
      scaleOf: () => 1,
      scales: { smallest: 1, largest: 1 },
      pattern: null,
      preferred: null,
      greys: new Float32Array(0),
      shade: null,
      broken: 0
    };
    if (mode === "pattern") {
      const contrast = contrastOf(subject, layer);
      const pixels = keep("pixels", [layer, observed], () => seesPixels(layer, observed));
      picture.pattern = { contrast, pixels };
      picture.broken = contrast.reduce((n, v) => n + (Number.isNaN(v) ? 1 : 0), 0);
      const most2 = layerRange(contrast.map(Math.abs));
      picture.scales = { smallest: most2, largest: most2 };
      picture.scaleOf = () => most2;
      picture.greys = contrast.map((v) => greyOf(v, most2, settings.binarise));
      return picture;
    }
    if (mode === "preferred") {
      const seen = settings.bounds === "observed" ? observed : null;
      const bounds = keep("bounds", [layer, seen], () => boundsOf(layer, seen));
      picture.preferred = preferredOf(frame, layer, bounds, settings.suppressed);
      picture.greys = greysOf(picture.preferred);
      picture.broken = picture.greys.reduce((n, v) => n + (Number.isNaN(v) ? 1 : 0), 0);
      return picture;
    }
    picture.shade = keep(
      "shade",
      [layer, scores, settings.shade],
      () => scores ? shadeOf(scores, settings.shade, layer) : null
    );
    const most = Math.max(points2, Math.floor(RANGE_VALUES / layer.count));
    const every = keep("every", [layer, xRange, most], () => samplePlan(layer, xRange, most));
    const ranges = subject.ranges(every, scratch);
    picture.ranges = ranges;
    picture.broken = ranges.reduce((n, v) => n + (Number.isNaN(v) ? 1 : 0), 0);
    let spread2 = ranges;
    if (mode === "curves" && settings.ghost && start) {
      const before = phi(start.frame, start.layer);
      picture.ghost = {
        subject: before,
        plan: keep("ghost", [start, xRange, points2], () => samplePlan(start.layer, xRange, points2))
      };
      const initialRanges = keep(
        "initial",
        [start, xRange],
        () => before.ranges(samplePlan(start.layer, xRange, ALL_POINTS))
      );
      spread2 = ranges.map((value, f) => larger(value, initialRanges[f]));
    }
    if (scale === "layer") {
      const most2 = niceCeil(layerRange(spread2));
      picture.scales = { smallest: most2, largest: most2 };
      picture.scaleOf = () => most2;
      return picture;
    }
    const own = (scale === "kernel" ? kernelRanges(layer, spread2) : spread2).map(
      (m) => Number.isNaN(m) ? m : niceCeil(m)
    );
    const size = scale === "kernel" ? kh * kw : 1;
    picture.scaleOf = (f) => own[Math.floor(f / size)];
    picture.scales = extremes(own);
    return picture;
  };
}
function larger(a, b) {
  if (Number.isNaN(a)) return b;
  return Number.isNaN(b) || a > b ? a : b;
}
function extremes(values) {
  let smallest = Number.POSITIVE_INFINITY;
  let largest2 = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    smallest = Math.min(smallest, value);
    largest2 = Math.max(largest2, value);
  }
  return smallest <= largest2 ? { smallest, largest: largest2 } : { smallest: 0, largest: 0 };
}

// src/kernel_grid/view.ts
var TRAITS = [
  "layer",
  "mode",
  "binarise",
  "suppressed",
  "bounds",
  "scale",
  "ghost",
  "x_range",
  "sort",
  "shade",
  "scores",
  "height",
  "theme"
];
function createView(model, el, signal, host) {
  const document = el.ownerDocument;
  const window = document.defaultView;
  const make = (tag, className) => element(document, tag, className);
  const root = make("div", "kw-view kw-kernel-grid");
  keepKeys(root, signal);
  const viewport = make("div", "kw-viewport");
  const page = viewport.appendChild(make("div", "kw-page"));
  const canvas = page.appendChild(make("canvas", "kw-canvas"));
  const message = viewport.appendChild(make("div", "kw-message"));
  const time = make("div", "kw-time-place");
  const readout = make("div", "kw-readout");
  const spoken = make("div", "kw-spoken");
  const tip = createTip(document);
  const status = createStatus(document, schedule);
  const caption = createCaption(document, status.element, choose, signal);
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", "Kernel grid, waiting for the kernel");
  message.setAttribute("role", "status");
  spoken.setAttribute("aria-live", "polite");
  const header = createHeader(document, choose, sortAgain, signal);
  const foot = make("div", "kw-readout-row");
  foot.append(
    readout,
    createSave(
      document,
      {
        root: () => root,
        name: () => `kernel-grid ${picture?.layer.name ?? ""} step ${drawnFrame?.step ?? ""}`,
        redraw() {
          ground.key = "";
          draw();
        }
      },
      signal
    )
  );
  root.append(header.element, caption.element, viewport, time, foot, spoken, tip.element);
  let store = null;
  let stream = "";
  let picture = null;
  let made2 = [];
  let order = null;
  let pointer = null;
  let hovered = -1;
  let cursor = -1;
  let keyboard = false;
  let readingX = 0;
  let drawnFrame = null;
  let frames = 0;
  let milliseconds = 0;
  let onScreen = true;
  let waiting = false;
  const makePicture = pictureMaker();
  const readScores = scoresReader();
  const ground = createGround(document);
  const context = canvas.getContext("2d");
  const pace = createPace(window, draw);
  const unseen = createUnseen(schedule);
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
  function sortAgain() {
    order = null;
    schedule();
  }
  function layers() {
    return store?.current()?.layout.layers ?? [];
  }
  function currentLayer() {
    const all = layers();
    return all.find(({ name }) => name === model.get("layer")) ?? all[0] ?? null;
  }
  function say(text, tone) {
    message.hidden = text === "";
    message.dataset.tone = tone;
    put(message, text);
    if (text) {
      canvas.hidden = true;
      tip.hide();
      caption.clear();
      readout.textContent = "";
    }
  }
  function draw() {
    waiting = false;
    const theme = model.get("theme");
    const followed = theme !== "light" && theme !== "dark";
    setData("kwTheme", followed ? themeAround(el) : theme);
    setData("kwHost", followed && inJupyter(document) ? "jupyter" : null);
    if (!store) return;
    status.show(store);
    const settings = settingsOf((name) => model.get(name));
    const layer = currentLayer();
    const scores = readScores(model.get("scores"));
    const choices = { ...settings, layer: layer?.name ?? "" };
    header.show(choices, layers(), root.clientWidth, [...scores.keys()]);
    const frame = store.current();
    if (store.protocolError) {
      say(store.protocolError, "warn");
      return;
    }
    if (!frame || !layer) {
      say(frame ? "no layer to draw" : "waiting for the first frame…", "calm");
      return;
    }
    setData("layer", layer.name);
    if (viewport.clientWidth === 0 || !context) {
      unseen.hidden();
      return;
    }
    unseen.shown();
    say("", "calm");
    canvas.hidden = false;
    const start = performance.now();
    const width = layOut(frame, layer, settings, scores);
    const ghost = store.ghost();
    const asked = settings.bounds === "observed" || settings.mode === "pattern";
    const observed = asked ? store.observed(layer.name) : null;
    const from = [frame, ghost, observed, scores, layer, width, order, ...Object.values(settings)];
    if (!picture || !same2(made2, from)) {
      made2 = from;
      const kernels = order?.kernels ?? null;
      picture = makePicture(frame, layer, ghost, settings, width, kernels, observed, scores);
    }
    const { arrangement } = picture;
    const { scrollLeft, scrollTop, clientHeight } = viewport;
    const ratio = window.devicePixelRatio || 1;
    const [w, h] = [viewport.clientWidth, clientHeight];
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
      canvas.width = Math.round(w * ratio);
      canvas.height = Math.round(h * ratio);
      canvas.style.width = `${w}px`;
      canvas.style.height = `${h}px`;
    }
    const selected = functionOf(layer, store.selection());
    const spot = pointer && { x: pointer.x + scrollLeft, y: pointer.y + scrollTop };
    const byKey = keyboard && !spot && cursor >= 0 && cursor < layer.count;
    const view = { x: scrollLeft, y: scrollTop, width: w, height: h };
    const covered = spot !== null && underHead(arrangement, view, spot.y);
    hovered = spot && !covered ? cellAt(arrangement, spot.x, spot.y) : byKey ? cursor : -1;
    let x = null;
    if (hovered >= 0) {
      x = spot ? xAt(picture, spot.x - rectOf(arrangement, hovered).x) : within(picture.xRange, readingX);
    }
    paint2(
      context,
      picture,
      { hovered, selected, cursor: keyboard ? cursor : -1, x },
      {
        view,
        ratio,
        font: `10px ${getComputedStyle(root).fontFamily || "sans-serif"}`,
        colours: readColours(root, COLOURS),
        palette: palette()
      },
      ground
    );
    canvas.style.cursor = hovered >= 0 ? "pointer" : "";
    showTip(picture, x);
    showWords(picture, selected);
    if (frame !== drawnFrame) {
      drawnFrame = frame;
      frames++;
    }
    milliseconds = performance.now() - start;
  }
  function layOut(frame, layer, settings, scores) {
    const key = `${layer.name}|${layer.shape}|${settings.sort}`;
    const scored = valuesOf(scores, settings.sort, layer);
    if (order?.key !== key || order.scored !== scored) {
      const ghost = store?.ghost() ?? null;
      const kernels = sortedOrder(settings.sort, settings.xRange, frame, layer, ghost, scored);
      order = { key, scored, kernels };
    }
    const [out, inputs, kh, kw] = layer.shape;
    const shape = { kind: layer.kind, out, in: inputs, kh, kw };
    const most = Math.max(96, Number(model.get("height")) || 480);
    const whole = viewport.offsetWidth;
    const scrolls = arrange(shape, whole, order.kernels).height > most;
    setStyle(viewport, "overflowY", scrolls ? "scroll" : "hidden");
    viewport.toggleAttribute("data-scrolls", scrolls);
    const width = viewport.clientWidth;
    const arrangement = arrange(shape, width, order.kernels);
    setStyle(viewport, "overflowX", arrangement.width > width ? "auto" : "hidden");
    setStyle(viewport, "height", `${Math.min(arrangement.height, most)}px`);
    setStyle(page, "height", `${arrangement.height}px`);
    setStyle(page, "width", `${arrangement.width}px`);
    return width;
  }
  function palette() {
    return paletteOf(root.dataset.kwTheme === "dark" ? "dark" : "light");
  }
  function showTip(from, x) {
    if (hovered < 0 || x === null) {
      tip.hide();
      return;
    }
    const { arrangement, layer } = from;
    const cell = rectOf(arrangement, hovered);
    tip.show(
      `${layerTitle(layer)} · ${entryText(layer, hovered)}`,
      hoverLines(from, hovered, x),
      {
        ...cell,
        x: cell.x - viewport.scrollLeft + viewport.offsetLeft,
        y: cell.y - viewport.scrollTop + viewport.offsetTop
      },
      { width: root.clientWidth, height: time.offsetTop }
    );
  }
  function showWords(from, selected) {
    caption.show(from, store?.cursor() ?? -1, selected, palette());
    const text = selected >= 0 ? selectionText(from, selected) : "Click a function to select it, or use the arrow keys and Enter.";
    if (readout.textContent !== text) {
      readout.textContent = text;
      readout.title = selected >= 0 ? text : "";
    }
    readout.toggleAttribute("data-selected", selected >= 0);
    const key = JSON.stringify([from.layer.name, from.layer.shape, from.settings, selected]);
    describe(canvas, description(from, selected), key);
  }
  function select(f) {
    if (!picture || f < 0) return;
    cursor = f;
    store?.select(selectionOf(picture.layer, f));
    schedule();
  }
  function onKey(event) {
    if (!picture || !plainKey(event)) return;
    const { arrangement, layer } = picture;
    const selected = functionOf(layer, store?.selection() ?? null);
    const direction = DIRECTIONS[event.key];
    const sideways = direction === "left" || direction === "right";
    if (event.shiftKey && sideways && cursor >= 0) {
      const [lo, hi] = picture.xRange;
      const step = (hi - lo) / 20 * (direction === "left" ? -1 : 1);
      readingX = within(picture.xRange, within(picture.xRange, readingX) + step);
      spoken.textContent = hoverLines(picture, cursor, readingX).map(({ label, value }) => `${label} ${value}`).join(", ");
    } else if (direction || event.key === "Home" || event.key === "End") {
      const from = cursor >= 0 && cursor < layer.count ? cursor : selected;
      if (event.key === "Home") cursor = 0;
      else if (event.key === "End") cursor = layer.count - 1;
      else if (!direction || from < 0) cursor = Math.max(0, from);
      else cursor = neighbour(arrangement, from, direction);
      keyboard = true;
      reveal(arrangement, cursor);
      spoken.textContent = selectionText(picture, cursor);
    } else if ((event.key === "Enter" || event.key === " ") && cursor >= 0) {
      select(cursor);
      spoken.textContent = `selected: ${entryText(layer, cursor)}`;
    } else if (event.key === "Escape" && store?.selection()) {
      store.select(null);
      spoken.textContent = "selection cleared";
    } else return;
    pointer = null;
    used(event);
    schedule();
  }
  function reveal(arrangement, f) {
    const r = rectOf(arrangement, f);
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
  function onStore(what) {
    if (what === "selection") follow();
    if (what === "frame" && onScreen) pace.soon();
    else schedule();
  }
  function follow() {
    const layer = store?.selection()?.layer;
    if (layer === void 0 || layer === currentLayer()?.name) return;
    if (!layers().some(({ name }) => name === layer)) return;
    const grids = document.querySelectorAll(".kw-kernel-grid");
    const shown = Array.from(grids).some(
      ({ dataset }) => dataset.stream === stream && dataset.layer === layer
    );
    if (!shown || isLinked(model)) choose("layer", layer);
  }
  function setData(name, value) {
    if (value === null) delete root.dataset[name];
    else if (root.dataset[name] !== value) root.dataset[name] = value;
  }
  const onLayer = () => {
    viewport.scrollTop = 0;
    cursor = -1;
    schedule();
  };
  for (const trait of TRAITS) model.on(`change:${trait}`, trait === "layer" ? onLayer : schedule);
  const here = (event) => {
    const box2 = canvas.getBoundingClientRect();
    return { x: event.clientX - box2.left, y: event.clientY - box2.top };
  };
  canvas.addEventListener(
    "pointermove",
    (event) => {
      pointer = event.pointerType === "touch" ? null : here(event);
      schedule();
    },
    { signal }
  );
  canvas.addEventListener(
    "pointerleave",
    () => {
      pointer = null;
      schedule();
    },
    { signal }
  );
  canvas.addEventListener(
    "click",
    (event) => {
      const at2 = here(event);
      keyboard = false;
      const { scrollLeft: x, scrollTop: y, clientWidth: width, clientHeight: height } = viewport;
      if (!picture || underHead(picture.arrangement, { x, y, width, height }, at2.y + y)) return;
      select(cellAt(picture.arrangement, at2.x + x, at2.y + y));
    },
    { signal }
  );
  canvas.addEventListener("keydown", onKey, { signal });
  canvas.addEventListener(
    "blur",
    () => {
      keyboard = false;
      schedule();
    },
    { signal }
  );
  viewport.addEventListener("scroll", schedule, { signal, passive: true });
  window.addEventListener("resize", schedule, { signal });
  watchTheme(el, schedule, signal);
  const sizes = new ResizeObserver(schedule);
  sizes.observe(root);
  const sight = new IntersectionObserver(
    (entries2) => {
      onScreen = entries2[entries2.length - 1].isIntersecting;
      if (onScreen && waiting) schedule();
    },
    { rootMargin: "200px" }
  );
  sight.observe(root);
  signal.addEventListener(
    "abort",
    () => {
      for (const trait of TRAITS) {
        model.off(`change:${trait}`, trait === "layer" ? onLayer : schedule);
      }
      sizes.disconnect();
      sight.disconnect();
      pace.stop();
      unseen.stop();
      status.stop();
      store = null;
      root.remove();
    },
    { once: true }
  );
  root.kwGrid = {
    step: () => drawnFrame?.step ?? null,
    layer: () => picture?.layer.name ?? null,
    arrangement: () => picture?.arrangement ?? null,
    curve: (f) => picture && points(picture.subject, picture.plan, f),
    ghost(f) {
      if (!picture?.ghost || !picture.initial) return null;
      const { subject, plan } = picture.ghost;
      return { step: picture.initial.frame.step, ...points(subject, plan, f) };
    },
    rectOf(f) {
      if (!picture) return null;
      const box2 = canvas.getBoundingClientRect();
      const r = rectOf(picture.arrangement, f);
      return {
        ...r,
        x: box2.left + r.x - viewport.scrollLeft,
        y: box2.top + r.y - viewport.scrollTop
      };
    },
    yScale: (f = 0) => picture?.scaleOf(f) ?? null,
    preferred(f) {
      if (!picture?.preferred) return null;
      const { x, value } = picture.preferred;
      return { x: x[f], value: value[f], grey: picture.greys[f] };
    },
    hovered: () => hovered,
    selected: () => picture ? functionOf(picture.layer, store?.selection() ?? null) : -1,
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
    connect(next, name, mine) {
      store = next;
      stream = name;
      picture = null;
      order = null;
      drawnFrame = null;
      setData("stream", name);
      const both = AbortSignal.any([mine, signal]);
      next.subscribe(onStore, both);
      mountScrubber(time, next, both);
      schedule();
    }
  };
}
function points(subject, plan, f) {
  const out = { x: new Float32Array(plan.points), y: new Float32Array(plan.points) };
  const n = subject.curve(f, plan, out);
  return { x: Array.from(out.x.subarray(0, n)), y: Array.from(out.y.subarray(0, n)) };
}
function setStyle(element2, name, value) {
  if (element2.style[name] !== value) element2.style[name] = value;
}
function within([lo, hi], x) {
  return Math.max(lo, Math.min(hi, x));
}
function same2(a, b) {
  return a.length === b.length && a.every((value, k) => Object.is(value, b[k]));
}

// src/kernel_grid/index.ts
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
      view.connect(exports, stream, mine);
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
var kernel_grid_default = { render };
export {
  kernel_grid_default as default
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
