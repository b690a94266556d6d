/** The line of words over a grid: what is drawn, on which scales, and what the reader must know. */

import { extent } from "d3-array";
import { counted, isPlain, layerInWords, layerSize, noteOf } from "../../phi/entries.ts";
import { formatCount, formatNumber, formatRange, spanText } from "../../phi/format.ts";
import { isScattered } from "../../phi/geometry.ts";
import { seenThen } from "../../phi/inputs.ts";
import { paletteOf } from "../../phi/palette.ts";
import type { Given } from "../../scene/drawing.ts";
import { rampOf } from "../../scene/heat.ts";
import { bandKey, keyed, type Remark } from "../../scene/marks.ts";
import type { Theme } from "../../scene/theme.ts";
import type { LayerLayout, Store } from "../../wire/types.ts";
import { beyondGrid } from "./marks.ts";
import { othersOf } from "./overview.ts";
import type { Picture } from "./picture.ts";
import { type Shade, tintRamp } from "./scores.ts";
import { isFlat, isGrey, togetherOf } from "./settings.ts";
import { selectionText } from "./words.ts";

const PLACES =
  "A dense layer whose inputs are a flattened image or feature map is folded back to its shape, which was observed";
const OUTSIDE =
  "Training sees these x, but there the splines fade out, and only the base term goes on";

export function gridCaption(
  picture: Picture,
  { store, theme, room, get }: Given,
  hasPlot: boolean,
): Remark[] {
  const { settings, initial, frame, shade, layer, arrangement, scales } = picture;
  const { colours } = theme;
  const note = noteOf(layer, store.observed(layer.name));
  const { warned, noted } = remarks(picture, note);
  const { mode } = settings;
  const overview = mode === "overview";
  const caption: Remark[] = [];
  const say = (text: string, title?: string) => {
    if (text) caption.push({ text, title });
  };
  const over = xTitle(picture);
  const squares = `Each square is ${picture.unit > 1 ? "a kernel" : "one function φ"}.`;
  // In a host, or beside others, there is room for what is needed to read it; the rest is said on hovering.
  const together = togetherOf(get);
  const isBrief = room !== undefined || together !== null;
  const isOfAll = !isPlain(layer) && settings.scale === "all models";
  const isCommon = together && !isGrey(settings) && (overview || settings.scale !== "function");
  const whose = !isCommon ? "" : isOfAll ? " for all models" : ", its own scale";
  const text = overview ? squares : axesText(picture, isBrief) + whose;
  caption.push({ text, tone: "ink", strong: true, title: overview ? PLACES : over });
  if (overview) {
    const ramp = rampOf(paletteOf(theme.name));
    const colouring = `falls / rises: ${sizesText(picture)}${whose}`;
    caption.push(keyed(colouring, "ramp", ramp, `${inputsText(picture)}. ${over}`));
    say(leadText(picture));
  }
  // Of an overview rows and columns are counted.
  const whole = [layerSize(layer), note].filter(Boolean).join(". ");
  const size = (isBrief || overview) && !isGrey(settings) ? whole : "";
  caption[0].title = [caption[0].title, size].filter(Boolean).join(". ");
  if (picture.pattern && !settings.binarise) {
    const ramp = [0, 128, 255].map((grey) => `rgb(${grey},${grey},${grey})`);
    const most = formatNumber(scales.largest);
    caption.push(keyed(`difference −${most} … ${most}`, "ramp", ramp));
  }
  const key = hasPlot || overview ? [] : curveKey(picture, store, theme, false);
  // Of models compared the step drawn stands over each: it does not wrap this line in a film.
  caption.push(...(together && initial && key[0]?.swatch?.kind === "line" ? key.slice(1) : key));
  if (initial && mode === "change") {
    caption.push(keyed("rose", "fill", colours.rise), keyed("fell", "fill", colours.fall));
  }
  if (shade && !overview) {
    const ramp = tintRamp(shade, paletteOf(theme.name));
    caption.push(shade.values ? keyed(shadeText(shade), "ramp", ramp) : { text: shadeText(shade) });
  }
  // Else the labels of rows and columns say it.
  const isFolded = picture.shape !== layer.shape;
  if (!overview && (isFolded || isScattered(arrangement))) say(leadText(picture), PLACES);
  else if (!isGrey(settings) && !isBrief && !overview) say(whole);
  const sorted = arrangement.order ? `sorted by ${settings.sort}, the largest first` : "";
  // Of models compared the choice of the order stands over all.
  if (sorted && together) caption[0].title += `. The kernels are ${sorted}`;
  else if (sorted) say(sorted);
  else if (settings.sort !== "position") say(`no ${settings.sort} of this layer to sort by`);
  if (warned) caption.push({ text: warned, tone: "warn" });
  say(cutText(picture));
  say(noted);
  const then = picture.xIsSeen ? seenThen(store.observed(layer.name), frame.step) : "";
  if (then && together) caption[0].title += `. Inputs seen${then}`;
  else if (then) say(`inputs seen${then}`);
  return caption;
}

/** What the lines and grounds of curves are; of a plot it stands over that. */
export function curveKey(picture: Picture, store: Store, { colours }: Theme, isPlot = true) {
  const { settings, initial, frame, layer } = picture;
  const { mode, ghost } = settings;
  const key: Remark[] = [];
  if (initial && (mode === "curves" || mode === "overview")) {
    const now = store.cursor() < 0 ? "now" : `step ${formatCount(frame.step)}`;
    key.push(keyed(now, "line", colours.ink));
    // At the start itself both are one.
    const then = `step ${formatCount(initial.frame.step)}`;
    if (ghost && then !== now) key.push(keyed(then, "dash", colours.ghost));
  }
  const hasOthers = isPlot && othersOf(picture, 0).length > 0;
  const kin = picture.shape === layer.shape ? "kernel" : "map";
  if (hasOthers) key.push(keyed(`its ${kin}`, "line", colours.zero));
  const short = ["most typical", `range of ${layer.band?.count} networks`, "median"];
  const band = mode === "curves" || hasOthers ? bandKey(layer.band, colours) : [];
  key.push(...band.map((one, k) => (isPlot ? { ...one, text: short[k] } : one)));
  const isOutside = (mode === "overview" || !isFlat(settings)) && beyondGrid(picture);
  if (isOutside) key.push(keyed("outside the grid", "fill", colours.outside, OUTSIDE));
  return key;
}

/** Which x are drawn. */
function xTitle({ layer, xIsSeen, settings }: Picture): string {
  if (isGrey(settings) || isPlain(layer)) return "";
  return xIsSeen ? "x runs over 98 % of the observed inputs" : "x runs over the layer's grid";
}

/** The x that are looked at: "x from −1 to 1 (inputs)". */
function inputsText({ layer, xIsSeen, xRange }: Picture): string {
  // A line w·x has no grid.
  const which = xIsSeen ? " (inputs)" : isPlain(layer) ? "" : " (grid)";
  return spanText(layer.variable, xRange) + which;
}

/** What the colours of an overview stand for. */
function sizesText({ sizes, scales, unit }: Picture): string {
  const what = unit > 1 ? "largest |φ| of the kernel" : "largest |φ|";
  const more = sizes.some((size) => size > scales.largest) ? " or more" : "";
  return `${what}, up to ${formatNumber(scales.largest)}${more}`;
}

/** What is seen in an overview: "rows: 10 outputs · columns: 625 inputs (5 strips)". */
function leadText({ layer, shape, arrangement, unit }: Picture): string {
  const [out, inputs, kh, kw] = shape;
  const folded = shape !== layer.shape;
  const size = `${kh} × ${kw} ${folded ? "block" : "kernel"}`;
  const single = kh * kw === 1;
  const { flowing, bands } = arrangement;
  const channel = folded ? "map" : layer.kind === "conv" ? "channel" : "input";
  const cell = single ? "function" : unit > 1 ? "kernel" : size;
  if (layer.kind === "elementwise") return `one ${cell} for each of ${counted(inputs, "group")}`;
  if (flowing && inputs === 1) return `one ${cell} for each of ${counted(out, "output")}`;
  if (isScattered(arrangement)) return `out,in: one ${cell} from each ${channel} to each output`;
  const each = single ? "" : unit > 1 ? ", a cell is a kernel" : `, ${size}s`;
  const strips = bands > 1 ? ` (${bands} strips)` : "";
  if (layer.window) return `rows: outputs · columns: ${channel}s${each}${strips}`;
  if (arrangement.rowsCut)
    return `each output takes ${bands} rows: ${counted(inputs, channel)}${each}`;
  return `rows: ${counted(out, "output")} · columns: ${counted(inputs, channel)}${each}${strips}`;
}

/** The axes of the drawing, in print: "each plot: φ(x), x from −1 to 1 (inputs), φ ±0.5"; in a panel without what that is. */
export function axesText(picture: Picture, isBrief = false): string {
  const { layer, settings, scales } = picture;
  const x = inputsText(picture);
  if (picture.pattern) return patternText(layer, picture.pattern.pixels);
  if (settings.mode === "overview") return `${leadText(picture)}; ${sizesText(picture)}, for ${x}`;
  const since = picture.initial ? ` since step ${formatCount(picture.initial.frame.step)}` : "";
  const changed = settings.mode === "change";
  const v = layer.variable;
  const one = isPlain(layer) ? `the line w·${v} of a weight` : `φ(${v})`;
  const shown = changed ? `the change of ${one}${since}` : one;
  const plotted = isBrief && !changed ? x : `each plot: ${shown}, ${x}`;
  const { smallest, largest } = scales;
  const value = changed ? "change" : isPlain(layer) ? `w·${v}` : "φ";
  if (settings.scale !== "function") return `${plotted}, ${value} ${formatRange(largest)}`;
  const own =
    smallest === largest
      ? formatRange(largest)
      : `${formatRange(smallest)} to ${formatRange(largest)}`;
  return `${plotted}; each function has its own scale of ${value}: ${own}`;
}

/** How many functions are cut at the edge of their cells. */
export function cutText({ cut, layer, scales }: Picture): string {
  if (cut === 0) return "";
  const which = `${formatCount(cut)} of ${counted(layer.count, "function")}`;
  return `▲ ${which} ${cut === 1 ? "goes" : "go"} beyond ${formatRange(scales.largest)}`;
}

/** The scale of the tints: "spread 0 … 0.0312 of y". */
export function shadeText({ name, units, signed, values, most, unknown }: Shade): string {
  if (!values) return `no ${name} of this layer`;
  const scale =
    `${name} ${formatNumber(signed ? -most : 0)} … ${formatNumber(most)} ${units}`.trimEnd();
  return unknown > 0 ? `${scale} · ${counted(unknown, "function")} without` : scale;
}

/** What the reader must know beside the axes. */
export function remarks(picture: Picture, note = ""): { warned: string; noted: string } {
  const { settings, broken, initial } = picture;
  const noted = isGrey(settings) ? [note] : [];
  if (settings.mode === "change" && !initial) noted.unshift("no first frame: φ itself is drawn");
  if (!isGrey(settings) && picture.sizes.every((size) => size === 0)) {
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
    change: "Changes",
  }[picture.settings.mode];
  return (
    `${what} of ${layerInWords(layer)}, ${layerSize(layer)}. ${axesText(picture)}. ${chosen}` +
    "Arrow keys move between functions, with Shift along x; Enter selects, Escape clears."
  );
}

/** What black and white stand for. */
function patternText({ variable, bases }: LayerLayout, pixels: boolean): string {
  const lows = bases.map(({ domain }) => domain[0]);
  const highs = bases.map(({ domain }) => domain[1]);
  const [low, high] = [spread(lows), spread(highs)];
  if (pixels) return "black: φ is larger for dark pixels (x = −1) · white: for bright (x = 1)";
  return `black: φ is larger at ${variable} = ${low} · white: at ${variable} = ${high}`;
}

/** The least of some numbers and the largest, or the one that all are. */
function spread(values: Iterable<number>): string {
  const [least = Number.NaN, most = Number.NaN] = extent(values);
  return least === most ? formatNumber(least) : `${formatNumber(least)} … ${formatNumber(most)}`;
}
