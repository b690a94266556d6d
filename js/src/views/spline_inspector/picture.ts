/** What is drawn of a φ: lines with their colours, and the plane they lie in. */

import { basisOf, observedEntry, selectionOf } from "../../phi/entries.ts";
import type { Ends } from "../../phi/inputs.ts";
import { bandOver } from "../../phi/interpolate.ts";
import { memory } from "../../phi/memory.ts";
import type { ThemeName } from "../../phi/palette.ts";
import { type ColourName, type Theme, themeOf } from "../../scene/theme.ts";
import { samePlace } from "../../wire/protocol.ts";
import type { Frame, Observed } from "../../wire/types.ts";
import { handlesOf, heightOf, splineOrder } from "./handles.ts";
import type { Settings } from "./settings.ts";
import {
  curve,
  limits,
  type Phi,
  phiOf,
  phiRange,
  type Samples,
  sample,
  type Term,
} from "./terms.ts";

interface Named {
  name: string;
  x: Float64Array;
  y: Float64Array;
}

export interface PlotLine {
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  colour: string;
  width: number;
  dash?: readonly number[];
  /** Where the area that belongs to the line ends, if it has one, and its share of cover. */
  from?: ArrayLike<number>;
  fill?: number;
}

export type PlotPicture = ReturnType<typeof makePicture>;

export interface PlotIngredients {
  phi: Phi;
  ghost: Frame | null;
  /** While another step is shown: its axis has room for both, and stands still in a film. */
  newest: Frame | null;
  frame: Frame;
  observed: Observed | null;
  settings: Settings;
  x: Ends;
  points: number;
  theme: Theme;
}

/** Keeps the basis functions at the points drawn, one set for each role, while only coefficients change. */
export function sampler() {
  const keep = memory();
  return (role: string, phi: Pick<Phi, "layer" | "table">, x: Ends, count: number): Samples =>
    keep(role, [phi.layer, phi.table, ...x, count], () => sample(phi, x, count));
}

export function makePicture(from: PlotIngredients, samplesOf: ReturnType<typeof sampler>) {
  const { phi, settings, x, theme, observed, frame } = from;
  const { layer } = phi;
  const { show } = settings;
  const curves: Named[] = [];
  const lines: PlotLine[] = [];
  const others = layer.isBase.flatMap((base, b) => (base ? [] : [b]));
  const ramp = basisColours(others.length, theme.name);
  const colourOf = (b: number) => (layer.isBase[b] ? theme.colours.base : ramp[others.indexOf(b)]);
  const selected = selectionOf(layer, phi.f);

  // φ at the first step or at the one kept, unless that is the frame that is drawn.
  const kept = show.has("ghost") && from.ghost !== from.frame ? from.ghost : null;
  const ghost = kept && phiOf(kept, selected);
  const other = (name: string, of: Phi, look: Omit<PlotLine, "x" | "y">) => {
    const points = samplesOf(name, of, x, from.points);
    const y = curve(of, points, "phi");
    curves.push({ name, x: points.x, y });
    lines.push({ x: points.x, y, ...look });
  };
  if (ghost) other("ghost", ghost, { colour: theme.colours.ghost, width: 1.5, dash: [6, 4] });
  const { terms, whole } = termLines(from, samplesOf, colourOf, curves);
  lines.push(...terms);
  const pins = settings.pins.map((at, k) => ({
    at,
    phi: phiOf(frame, at),
    colour: pinColour(k, theme.name),
  }));
  pins.forEach(({ at, phi: pinned, colour }, k) => {
    if (pinned && !samePlace(at, selected)) other(`pin${k}`, pinned, { colour, width: 2 });
  });
  if (show.has("phi")) lines.push({ ...whole, colour: theme.colours.ink, width: 2.5 });
  const overlays = settings.overlays
    .map((overlay, k) => ({ k, overlay }))
    .filter(({ overlay }) => samePlace(overlay.at, selected))
    .map((own, n) => ({ ...own, colour: overlayColour(n, theme.name) }));
  const counting = lines.map(({ y }) => y);
  for (const { k, overlay, colour } of overlays) {
    if (!overlay.shown) continue;
    curves.push({ name: `overlay${k}`, x: overlay.x, y: Float64Array.from(overlay.y) });
    lines.push({ x: overlay.x, y: overlay.y, colour, width: 2, dash: [7, 5] });
    // Beyond what is shown of x it does not count.
    counting.push(overlay.y.filter((_, p) => covers(x, overlay.x[p])));
  }

  const band = show.has("band") ? bandOver(layer, phi.f, x) : null;
  if (band) counting.push(Float64Array.from(band.range.y));
  const handles = show.has("points") ? handlesOf(phi) : [];
  const inside = handles.filter((handle) => covers(x, handle.x));
  const heights = inside.map((handle) => heightOf(handle, phi.coefficients));
  const { domain, knots } = basisOf(layer, phi.f);
  const newest = from.newest && phiOf(from.newest, selected);
  return {
    phi,
    at: selected,
    frame,
    x,
    /** All values that are drawn, for the y axis. */
    held: limits(...counting, heights, (newest && phiRange(newest, x)) ?? []),
    /** Of φ; null where it is not finite. */
    range: phiRange(phi, x, (of, part, count) => samplesOf("range", of, part, count)),
    lines,
    band,
    curves,
    /** The curves that are named where they end. */
    named: namesOf(settings, layer.isBase),
    handles,
    order: splineOrder(phi),
    domain,
    knots: show.has("knots") ? knots : [],
    /** null: nothing observed; undefined: no strip, as of networks of which no inputs are known. */
    density:
      show.has("density") && (observed || !phi.layer.band) ? densityOf(phi, observed) : undefined,
    colourOf,
    ghost,
    /** The step that it is of, or would be: where the step shown is that one, nothing is drawn of it. */
    ghostStep: (from.ghost ?? frame).step,
    pins,
    /** Those of this function, with their number among all. */
    overlays,
  };
}

/** The lines of the terms that are shown; all curves of φ go into `curves`. */
function termLines(
  { phi, settings, x, theme, points }: PlotIngredients,
  samplesOf: ReturnType<typeof sampler>,
  colourOf: (b: number) => string,
  curves: Named[],
): { terms: PlotLine[]; whole: { x: Float64Array; y: Float64Array } } {
  const { layer } = phi;
  const { show } = settings;
  const { colours } = theme;
  const samples = samplesOf("phi", phi, x, points);
  const value = (name: string, term: Term) => {
    const y = curve(phi, samples, term);
    curves.push({ name, x: samples.x, y });
    return y;
  };
  const whole = value("phi", "phi");
  const base = value("base", "base");
  const spline = value("spline", "spline");
  const own = layer.labels.map((label, b) => value(label, b));
  const drawn = show.has("basis") ? layer.isBase.flatMap((is, b) => (is ? [] : [b])) : [];
  const zero = new Float64Array(samples.x.length);
  const terms: PlotLine[] = [];
  const add = (line: Omit<PlotLine, "x">) => terms.push({ x: samples.x, ...line });

  // Without the points that they are moved by, single terms stay behind what they add up to.
  const look = show.has("points") ? { fill: 0.1, width: 1.25 } : { fill: 0.06, width: 0.75 };
  for (const b of drawn) add({ y: own[b], from: zero, colour: colourOf(b), ...look });
  if (layer.isBase.includes(true) && layer.isBase.includes(false)) {
    if (show.has("spline")) add({ y: spline, colour: colours.spline, width: 2 });
    if (show.has("base")) add({ y: base, colour: colours.base, width: 2 });
  }
  return { terms, whole: { x: samples.x, y: whole } };
}

/** The thick lines of φ and of its two parts, where both are drawn. */
function namesOf({ show }: Settings, isBase: readonly boolean[]): ("phi" | "base" | "spline")[] {
  const both = isBase.includes(true) && isBase.includes(false);
  return [
    ...(show.has("phi") ? (["phi"] as const) : []),
    ...(both && show.has("base") ? (["base"] as const) : []),
    ...(both && show.has("spline") ? (["spline"] as const) : []),
  ];
}

const covers = ([low, high]: Ends, x: number) => x >= low && x <= high;

function densityOf(phi: Phi, observed: Observed | null) {
  if (!observed) return null;
  const entry = observedEntry(phi.layer, phi.f);
  if (entry >= observed.entries) return null;
  const { bins, edges, counts } = observed;
  return { edges, counts: counts.subarray(entry * bins, (entry + 1) * bins) };
}

/** Some stops of viridis, which rises evenly in lightness and holds for every kind of colour vision. */
const VIRIDIS_STOPS = [
  [72, 21, 104],
  [69, 55, 129],
  [51, 99, 141],
  [38, 130, 142],
  [31, 158, 137],
  [74, 193, 109],
  [149, 216, 64],
  [220, 227, 25],
];

/** On a light page the palest end is left out, on a dark one the darkest. */
const RAMP_PART = { light: [0, 0.78], dark: [0.3, 1] } as const;

/** How far basis functions go to grey, and from there to the page: what they make up is in full colours. */
const GREY_SHARE = 0.5;
const PALE_OF = { light: { to: 255, share: 0.2 }, dark: { to: 24, share: 0.1 } } as const;

function muted(colour: readonly number[], theme: ThemeName): number[] {
  const [red, green, blue] = colour;
  const grey = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  const { to, share } = PALE_OF[theme];
  return colour.map((part) => {
    const own = part + GREY_SHARE * (grey - part);
    return Math.round(own + share * (to - own));
  });
}

/** One colour for each of `count` basis functions, rising with their number. */
export function basisColours(count: number, theme: ThemeName): string[] {
  const [first, last] = RAMP_PART[theme];
  return Array.from({ length: count }, (_, k) => {
    const share = count > 1 ? k / (count - 1) : 0.5;
    const at = (first + share * (last - first)) * (VIRIDIS_STOPS.length - 1);
    const low = Math.min(VIRIDIS_STOPS.length - 2, Math.floor(at));
    const mixed = VIRIDIS_STOPS[low].map(
      (from, c) => from + (at - low) * (VIRIDIS_STOPS[low + 1][c] - from),
    );
    return `rgb(${muted(mixed, theme).join(", ")})`;
  });
}

/** Overlays are drawn dashed over φ, so they may have pins' colours: the first three, from the last on. */
export function overlayColour(number: number, theme: ThemeName): string {
  return pinColour(2 - (number % 3), theme);
}

export function pinColour(number: number, theme: ThemeName): string {
  return themeOf(theme).colours[`curve-${(number + 1) % 6}` as ColourName];
}
