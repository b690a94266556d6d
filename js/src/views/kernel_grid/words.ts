/** What the grid says in words. No DOM. */

import { extent } from "d3-array";
import { valueAt } from "../../phi/curves.ts";
import {
  counted,
  entryText,
  layerSize,
  layerTitle,
  outputName,
  selectionOf,
} from "../../phi/entries.ts";
import { formatCount, formatNumber, formatRange, number } from "../../phi/format.ts";
import type { Line } from "../../shell/tip.ts";
import { endsOf, patternText } from "./pattern.ts";
import { type Picture, reachOf } from "./picture.ts";
import { reached } from "./preferred.ts";
import type { Shade } from "./scores.ts";
import { isGrey, type XRange } from "./settings.ts";

const X_WORDS: Record<XRange, string> = {
  inputs: "inputs",
  domain: "grid",
  wide: "all that the splines reach",
};

/** Which x are drawn, and how to see others. */
export function xTitle({ xIs, settings }: Picture, isAlone = false): string {
  if (isGrey(settings)) return "";
  if (xIs === "inputs") return "x runs over 98 % of the observed inputs";
  if (xIs === "wide") return "x runs as far as the splines reach; the grid's range is marked";
  const observe =
    settings.xRange === "inputs" && !isAlone ? "; live.observe(batch) shows where inputs fall" : "";
  return `x runs over the range of the layer's grid${observe}`;
}

/** Which function it is; of a folded layer also where in the map its input lies. */
export function placeText({ layer, shape }: Picture, f: number): string {
  if (shape === layer.shape) return entryText(layer, f);
  const [, , height, width] = shape;
  const place = f % (height * width);
  const row = Math.floor(place / width);
  const channel = Math.floor((f % layer.shape[1]) / (height * width));
  const map = shape[1] > 1 ? `channel ${channel}, ` : "";
  return `${entryText(layer, f)} (${map}row ${row}, column ${place % width})`;
}

/** The same as a title, the shorter the later. */
export function placeTexts(picture: Picture, f: number): string[] {
  const { layer, shape } = picture;
  const place = placeText(picture, f);
  const { out, in: input } = selectionOf(layer, f);
  return [
    `${layerTitle(layer)} · ${place}`,
    place,
    ...(shape === layer.shape ? [] : [place.replace(/ · input \d+ \((.*)\)$/, " · $1")]),
    `${out}, ${input}`,
  ];
}

/** What the colours of an overview stand for. */
export function overviewText(picture: Picture): string {
  const { ranges, scales, unit } = picture;
  const what = unit > 1 ? "the kernel's largest φ" : "φ";
  const more = ranges.some((reach) => reach > scales.largest) ? " or more" : "";
  return `how far ${what} gets from zero: 0 to ${number(scales.largest)}${more}, for ${inputsText(picture)}`;
}

/** The x that are looked at: "x from −1 to 1 (inputs)". */
function inputsText({ layer, xIs, xRange: [low, high] }: Picture): string {
  return `${layer.variable} from ${number(low)} to ${number(high)} (${X_WORDS[xIs]})`;
}

/** What is seen in an overview: "rows: 10 outputs · columns: 625 inputs (5 strips)". */
export function leadText({ layer, shape, arrangement, unit }: Picture): string {
  const [out, inputs, kh, kw] = shape;
  const folded = shape !== layer.shape;
  const size = `${kh} × ${kw} ${folded ? "map" : "kernel"}`;
  const single = kh * kw === 1;
  const { order, flowing, bands } = arrangement;
  const channel = layer.kind === "conv" || folded ? "channel" : "input";
  const cell = single ? "cell" : unit > 1 ? "kernel" : size;
  if (layer.kind === "elementwise") return `one ${cell} for each of ${counted(inputs, "group")}`;
  if (flowing && inputs === 1) return `one ${cell} for each of ${counted(out, "output")}`;
  if (order) return `one ${cell} for every output and ${channel}, sorted`;
  const each = single ? "" : unit > 1 ? ", a cell is a kernel" : `, ${size}s`;
  const strips = bands > 1 ? ` (${bands} strips)` : "";
  if (layer.window) return `rows: outputs · columns: ${channel}s${each}${strips}`;
  return `rows: ${counted(out, "output")} · columns: ${counted(inputs, channel)}${each}${strips}`;
}

/** What lies where, for a reader who has never seen such a grid. */
export function placesText({ layer, shape, arrangement }: Picture): string {
  const [, channels, height, width] = shape;
  if (shape !== layer.shape) {
    const size = `${height} × ${width}`;
    if (channels === 1) return `each map: the ${size} functions from all inputs to one output`;
    return `each map: the ${size} functions from one channel to one output`;
  }
  if (layer.kind === "elementwise") return "";
  const inputs = layer.kind === "conv" ? "input channels" : "inputs";
  if (arrangement.order && channels > 1)
    return `out,in: from which of the ${inputs} to which output`;
  if (arrangement.flowing) return "";
  return `rows: outputs · columns: ${inputs}`;
}

export const PLACES_TITLE =
  "A dense layer whose inputs are a flattened image or feature map is folded back to its shape, which was observed or given as fold=(channels, height, width)";

/** The axes of the drawing, in print: "each plot: a function φ(x), x from −1 to 1 (inputs), φ from −0.5 to 0.5". */
export function axesText(picture: Picture): string {
  const { layer, settings, scales } = picture;
  const x = inputsText(picture);
  if (picture.pattern) {
    return patternText(layer, picture.pattern.pixels, scales.largest, settings.binarise);
  }
  if (picture.preferred) return preferredText(picture);
  if (settings.mode === "overview") return `${leadText(picture)}; ${overviewText(picture)}`;
  const since = picture.initial ? ` since step ${formatCount(picture.initial.frame.step)}` : "";
  const changed = settings.mode === "change";
  const one = `a function φ(${layer.variable})`;
  const what = `each plot: ${changed ? `the change of ${one}${since}` : one}, ${x}`;
  const { smallest, largest } = scales;
  const value = changed ? "change" : "φ";
  if (settings.scale === "layer") {
    return `${what}, ${value} from ${number(-largest)} to ${number(largest)}`;
  }
  const own =
    smallest === largest
      ? formatRange(largest)
      : `${formatRange(smallest)} to ${formatRange(largest)}`;
  return `${what}; each ${settings.scale} has its own scale of ${value}: ${own}`;
}

export const OUTSIDE_TITLE =
  "Training sees these x, but few splines or none reach them: there φ is mostly its base";

export const COVERED_TITLE =
  "The scale stays the same over all steps that the page has, so that growth is seen while scrubbing";

/** Which steps the scale holds for: "scale fixed over steps 0 to 30". */
export function coveredText({ covered: { first, last, steps }, settings }: Picture): string {
  if (isGrey(settings)) return "";
  // From the first step on: a line that came later would move what is below it.
  if (steps < 2) return `scale of step ${formatCount(first)}`;
  return `scale fixed over steps ${formatCount(first)} ${steps > 2 ? "to" : "and"} ${formatCount(last)}`;
}

/** How many functions are cut at the edge of their cells. */
export function cutText({ cut }: Picture): string {
  if (cut === 0) return "";
  return `${counted(cut, "function")} ${cut === 1 ? "reaches" : "reach"} further: cut, with a triangle`;
}

/** What black and white stand for: "black: φ is largest at x −1 · white: at 1". */
function preferredText({ layer, settings, preferred }: Picture): string {
  if (!preferred) return "";
  const { low, high, samples } = preferred.bounds;
  const which = settings.suppressed ? "smallest" : "largest";
  const ends = (values: Float64Array) => {
    const [least = Number.NaN, most = Number.NaN] = extent(values);
    return least === most ? number(least) : `${number(least)} … ${number(most)}`;
  };
  const v = layer.variable;
  const words = `black: φ is ${which} at the low end, ${v} = ${ends(low)} · white: at the high end, ${ends(high)}`;
  const of =
    samples > 0 ? ` (each entry's quantiles 0.5 % and 99.5 % of ${counted(samples, "image")})` : "";
  return words + of;
}

/** What the kernel of function f adds up to at the patch shown; empty in other modes. */
export function reachText({ layer, preferred, settings }: Picture, f: number): string {
  // Of a window the other inputs are not known.
  if (!preferred || f < 0 || layer.window) return "";
  const { output, entries, sum } = reached(layer, preferred, f);
  if (Number.isNaN(sum)) return "";
  const which = settings.suppressed ? "at least" : "at most";
  return `${outputName(layer, output)} reaches ${number(sum)} ${which}, with ${counted(entries, "function")}`;
}

/** The scale of the tints: "spread 0 … 0.0312 of y". */
export function shadeText({ name, units, signed, values, most, unknown }: Shade): string {
  if (!values) return `no ${name} of this layer`;
  const scale = `${name} ${number(signed ? -most : 0)} … ${number(most)} ${units}`.trimEnd();
  return unknown > 0 ? `${scale} · ${counted(unknown, "function")} without` : scale;
}

/** The number that a function is tinted by; empty where it has none. */
function scoreText({ shade }: Picture, f: number): string {
  const value = shade?.values ? shade.values[f] : Number.NaN;
  return !shade || Number.isNaN(value) ? "" : `${number(value)} ${shade.units}`.trimEnd();
}

/** How many functions there are, and what is said of them: "5 kernels of 3 × 3 functions. Each kernel is used on every input channel.". */
export function sizeText({ layer, settings }: Picture): string {
  // What leads an overview counts its rows and columns.
  const size =
    settings.mode === "overview" && !layer.window
      ? counted(layer.count, "function")
      : layerSize(layer);
  return [size, layer.note].filter((text) => text).join(". ");
}

/** What is drawn behind the plot of one function. */
export function kinText({ layer, shape }: Picture): string {
  return `the other functions of its ${shape === layer.shape ? "kernel" : "map"}`;
}

/** What the reader must know beside the axes. */
export function remarks(picture: Picture, isAlone = false): { warned: string; noted: string } {
  const { layer, settings, broken, initial } = picture;
  const noted = isGrey(settings) ? [layer.note] : [];
  if (settings.mode === "change" && !initial) noted.unshift("no first frame: φ itself is drawn");
  if (
    settings.mode === "preferred" &&
    settings.bounds === "observed" &&
    !picture.preferred?.bounds.samples
  ) {
    const how = isAlone ? "" : "; call live.observe(batch)";
    noted.unshift(`no inputs observed, so within the grid's range${how}`);
  }
  if (!isGrey(settings) && picture.ranges.every((range) => range === 0)) {
    noted.unshift(settings.mode === "change" ? "nothing has changed yet" : "every φ is zero");
  }
  return {
    warned: broken > 0 ? `${counted(broken, "function")} not finite (×)` : "",
    noted: noted.filter((text) => text).join(" · "),
  };
}

/** The lines of the tooltip for function f at x. */
export function hoverLines(picture: Picture, f: number, x: number): Line[] {
  const score = scoreText(picture, f);
  const lines = ownLines(picture, f, x);
  return score ? [...lines, { label: picture.shade?.name ?? "", value: score }] : lines;
}

function ownLines(picture: Picture, f: number, x: number): Line[] {
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
        value: other < one ? ends[0] : other > one ? ends[1] : "neither",
      },
    ];
  }
  if (picture.preferred) {
    const { bounds, value, x: places } = picture.preferred;
    return [
      {
        label: settings.suppressed ? "smallest at" : "largest at",
        value: `${v} = ${number(places[f])}`,
      },
      { label: "φ there", value: number(value[f]) },
      { label: "within", value: `${number(bounds.low[f])} … ${number(bounds.high[f])}` },
    ];
  }
  if (settings.mode === "overview") {
    return [{ label: "largest |φ|", value: number(reachOf(picture, f)) }];
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
        swatch: "ghost",
      },
    ];
  }
  const lines: Line[] = [
    { label: v, value: number(x) },
    { label: `φ(${v})`, value: number(now.phi), swatch: "ink" },
  ];
  if (!layer.isBase.some((is) => is)) return lines;
  const whole = Math.abs(now.base) + Math.abs(now.spline);
  const share = (part: number) =>
    whole > 0 ? `${number(part)}  (${Math.round((100 * Math.abs(part)) / whole)} %)` : number(part);
  lines.push({ label: "base", value: share(now.base), swatch: "base" });
  if (layer.isBase.some((is) => !is)) {
    lines.push({ label: "splines", value: share(now.spline), swatch: "spline" });
  }
  return lines;
}

export function isFiniteFunction(picture: Picture, f: number): boolean {
  const measured = isGrey(picture.settings) ? picture.greys : picture.ranges;
  return !Number.isNaN(measured[f]);
}

/** The selected function in one line. */
export function selectionText(picture: Picture, f: number): string {
  const { layer, subject, settings } = picture;
  const name = `${layerTitle(layer)} · ${placeText(picture, f)}`;
  if (!isFiniteFunction(picture, f)) return `${name} · not finite`;
  if (picture.pattern) {
    const [low, high] = endsOf(layer, f);
    const difference = subject.at(f, high) - subject.at(f, low);
    return `${name} · φ(${number(high)}) − φ(${number(low)}) = ${number(difference)}`;
  }
  if (picture.preferred) {
    const which = settings.suppressed ? "smallest" : "largest";
    const at = `${layer.variable} = ${number(picture.preferred.x[f])}`;
    return `${name} · φ is ${which} at ${at}: ${number(picture.preferred.value[f])}`;
  }
  const what = settings.mode === "change" ? "largest change" : "largest |φ|";
  const [lo, hi] = picture.xRange;
  const ends = (lo < 0 && hi > 0 ? [lo, 0, hi] : [lo, hi]).map(
    (x) => `${settings.mode === "change" ? "Δφ" : "φ"}(${number(x)}) ${number(subject.at(f, x))}`,
  );
  const score = scoreText(picture, f);
  const scored = score ? ` · ${picture.shade?.name} ${score}` : "";
  return `${name} · ${what} ${formatNumber(reachOf(picture, f))} · ${ends.join(" · ")}${scored}`;
}

/** The text alternative of the drawing. */
export function description(picture: Picture, selected: number): string {
  const { layer } = picture;
  const chosen = selected >= 0 ? `Selected: ${selectionText(picture, selected)}. ` : "";
  const what = {
    curves: "Functions",
    overview: "Overview of functions",
    pattern: "Pattern",
    preferred: "Preferred patches",
    change: "Changes",
  }[picture.settings.mode];
  return (
    `${what} of layer ${layerTitle(layer)}, ${layerSize(layer)}. ${axesText(picture)}. ${chosen}` +
    "Arrow keys move between functions, with Shift along x; Enter selects, Escape clears."
  );
}
