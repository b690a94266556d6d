/** The line of words over a grid: what is drawn, on which scales, and what the reader must know. No DOM. */

import { counted, layerSize, layerTitle, outputName } from "../../phi/entries.ts";
import { formatCount, formatRange, number } from "../../phi/format.ts";
import { seenThen } from "../../phi/inputs.ts";
import { paletteOf } from "../../phi/palette.ts";
import type { Given } from "../../scene/drawing.ts";
import { rampOf } from "../../scene/heat.ts";
import { keyed, type Remark } from "../../scene/marks.ts";
import { patternText, reached, spread } from "./greys.ts";
import { beyondGrid } from "./marks.ts";
import { othersOf } from "./overview.ts";
import type { Picture } from "./picture.ts";
import { type Shade, rampOf as scoreRamp } from "./scores.ts";
import { isFlat, isGrey, type XRange } from "./settings.ts";
import { selectionText } from "./words.ts";

const PLACES =
  "A dense layer whose inputs are a flattened image or feature map is folded back to its shape, which was observed or given as fold=(channels, height, width)";
const OUTSIDE =
  "Training sees these x, but few splines or none reach them: there φ is mostly its base";
const COVERED =
  "The scale stays the same over all steps that the page has, so that growth is seen while scrubbing";

export function captionOf(
  picture: Picture,
  { store, theme, room }: Given,
  selected: number,
  hasPlot: boolean,
): Remark[] {
  const { settings, initial, frame, shade, layer } = picture;
  const { colours } = theme;
  const palette = paletteOf(theme.name);
  const { warned, noted } = remarks(picture, store.alone());
  const { mode } = settings;
  const overview = mode === "overview";
  const caption: Remark[] = [];
  const say = (text: string, title?: string) => {
    if (text) caption.push({ text, title });
  };
  const over = xTitle(picture, store.alone());
  if (overview) {
    caption.push({ text: leadText(picture), tone: "ink", title: PLACES });
    caption.push(keyed(overviewText(picture), "ramp", rampOf(palette).slice(15), over));
  } else caption.push({ text: axesText(picture), tone: "ink", title: over });
  // In a host there is room for what is needed to read it; the rest is said on hovering.
  const rest = [coveredText(picture), ...(isGrey(settings) ? [] : [sizeText(picture)])];
  if (room === undefined) say(coveredText(picture), COVERED);
  else caption[0].title = [caption[0].title, ...rest].filter(Boolean).join(". ");
  if (initial && (mode === "curves" || (overview && hasPlot))) {
    const now = store.cursor() < 0 ? "now" : `step ${formatCount(frame.step)}`;
    caption.push(keyed(now, "line", colours.ink));
    const then = `step ${formatCount(initial.frame.step)}`;
    if (settings.ghost) caption.push(keyed(then, "dash", colours.ghost));
    const kin = picture.shape === layer.shape ? "kernel" : "map";
    if (overview && othersOf(picture, 0).length > 0) {
      caption.push(keyed(`the other functions of its ${kin}`, "line", colours.zero));
    }
  }
  if ((!isFlat(settings) || hasPlot) && beyondGrid(picture)) {
    caption.push(keyed("outside the grid", "fill", colours.outside, OUTSIDE));
  }
  if (initial && mode === "change") {
    caption.push(keyed("rose", "fill", colours.rise), keyed("fell", "fill", colours.fall));
  }
  if (shade?.values) caption.push(keyed(shadeText(shade), "ramp", scoreRamp(shade, palette)));
  else if (shade) say(shadeText(shade));
  if (isGrey(settings)) say(reachText(picture, selected));
  else if (room === undefined) say(sizeText(picture));
  if (!overview) say(placesText(picture), PLACES);
  if (warned) caption.push({ text: warned, tone: "warn" });
  say(cutText(picture));
  say(noted);
  const bySeen = picture.xIs === "inputs" || picture.preferred?.bounds.samples;
  const then = bySeen ? seenThen(store.observed(layer.name), frame.step) : "";
  if (then) say(`inputs as seen${then}`);
  return caption;
}

const X_WORDS: Record<XRange, string> = {
  inputs: "inputs",
  domain: "grid",
  wide: "all that the splines reach",
};

/** Which x are drawn, and how to see others. */
function xTitle({ xIs, settings }: Picture, isAlone = false): string {
  if (isGrey(settings)) return "";
  if (xIs === "inputs") return "x runs over 98 % of the observed inputs";
  if (xIs === "wide") return "x runs as far as the splines reach; the grid's range is marked";
  const observe =
    settings.xRange === "inputs" && !isAlone ? "; live.observe(batch) shows where inputs fall" : "";
  return `x runs over the range of the layer's grid${observe}`;
}

/** The x that are looked at: "x from −1 to 1 (inputs)". */
function inputsText({ layer, xIs, xRange: [low, high] }: Picture): string {
  return `${layer.variable} from ${number(low)} to ${number(high)} (${X_WORDS[xIs]})`;
}

/** What the colours of an overview stand for. */
function overviewText(picture: Picture): string {
  const { ranges, scales, unit } = picture;
  const what = unit > 1 ? "the kernel's largest φ" : "φ";
  const more = ranges.some((reach) => reach > scales.largest) ? " or more" : "";
  return `how far ${what} gets from zero: 0 to ${number(scales.largest)}${more}, for ${inputsText(picture)}`;
}

/** What is seen in an overview: "rows: 10 outputs · columns: 625 inputs (5 strips)". */
function leadText({ layer, shape, arrangement, unit }: Picture): string {
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
function placesText({ layer, shape, arrangement }: Picture): string {
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
  const v = layer.variable;
  const words = `black: φ is ${which} at the low end, ${v} = ${spread(low)} · white: at the high end, ${spread(high)}`;
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

/** How many functions there are, and what is said of them: "5 kernels of 3 × 3 functions. Each kernel is used on every input channel.". */
function sizeText({ layer, settings }: Picture): string {
  // What leads an overview counts its rows and columns.
  const size =
    settings.mode === "overview" && !layer.window
      ? counted(layer.count, "function")
      : layerSize(layer);
  return [size, layer.note].filter((text) => text).join(". ");
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
