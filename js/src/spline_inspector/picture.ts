/** What is drawn of a φ: lines with their colours, the plane they lie in, and the rows of the legend. No DOM. */

import { placeText, selectionOf } from "../shared/entries.ts";
import { number } from "../shared/format.ts";
import type { Theme } from "../shared/theme.ts";
import type { Frame, LayerLayout, Observed, Selection } from "../shared/types.ts";
import type { Colours, Density, Line } from "./draw.ts";
import { type Handle, handlesOf, heightOf, splineOrder } from "./handles.ts";
import type { Row } from "./legend.ts";
import { basisColours, overlayColour, pinColour } from "./palette.ts";
import { type Overlay, overlayAt, type Part, type Settings, samePlace } from "./settings.ts";
import {
  basisRange,
  curve,
  entryOf,
  limits,
  type Phi,
  phiOf,
  type Range,
  type Reading,
  readAt,
  type Samples,
  sample,
  stack,
  type Term,
} from "./terms.ts";
import { pinText } from "./words.ts";

/** A curve as it is drawn, by the name that the legend has for it. */
export interface Named {
  name: string;
  x: Float64Array;
  y: Float64Array;
}

export interface Picture {
  phi: Phi;
  at: Selection;
  x: Range;
  /** All values that are drawn, for the y axis. */
  held: Range | null;
  /** How far each line that is drawn reaches up and down. */
  reaches: Range[];
  whole: Float64Array;
  lines: Line[];
  curves: Named[];
  handles: Handle[];
  order: number;
  domain: Range;
  knots: readonly number[];
  density: Density | null | undefined;
  colourOf: (b: number) => string;
  ghost: Phi | null;
  pins: { at: Selection; phi: Phi | null; colour: string }[];
  /** Those of this function, with their number among all. */
  overlays: { k: number; overlay: Overlay; colour: string }[];
}

export interface Ingredients {
  phi: Phi;
  ghost: Frame | null;
  frame: Frame;
  observed: Observed | null;
  settings: Settings;
  x: Range;
  width: number;
  theme: Theme;
  colours: Colours;
}

/** Keeps the basis functions at the points drawn, one set for each role, while only coefficients change. */
export function sampler() {
  const kept = new Map<string, { layer: LayerLayout; key: string; made: Samples }>();
  return (role: string, phi: Pick<Phi, "layer" | "table">, x: Range, count: number): Samples => {
    const key = `${x}|${count}|${phi.table}`;
    const known = kept.get(role);
    if (known?.layer === phi.layer && known.key === key) return known.made;
    const made = sample(phi, x, count);
    kept.set(role, { layer: phi.layer, key, made });
    return made;
  };
}

export function makePicture(from: Ingredients, samplesOf: ReturnType<typeof sampler>): Picture {
  const { phi, settings, x, theme, colours, observed, frame } = from;
  const { layer } = phi;
  const { show } = settings;
  const count = Math.max(64, Math.min(900, Math.round(from.width)));
  const samples = samplesOf("phi", phi, x, count);
  const curves: Named[] = [];
  const lines: Line[] = [];
  const shownLines: Line[] = [];

  const value = (name: string, term: Term) => {
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
  const colourOf = (b: number) => (layer.isBase[b] ? colours.base : ramp[others.indexOf(b)]);
  const zero = new Float64Array(samples.x.length);
  const drawn = others.filter((b) => show.has("basis") && !settings.hidden.has(layer.labels[b]));
  for (const b of parts) value(layer.labels[b], b);
  const own = (b: number) => curves.find(({ name }) => name === layer.labels[b])?.y ?? zero;
  const add = (line: Omit<Line, "x">) => {
    const made = { x: samples.x, ...line };
    lines.push(made);
    shownLines.push(made);
  };

  const ghost = show.has("ghost") ? ghostOf(from) : null;
  if (ghost) {
    const points = samplesOf("ghost", ghost, x, count);
    const y = curve(ghost, points, "phi");
    curves.push({ name: "ghost", x: points.x, y });
    const line = { x: points.x, y, colour: colours.ghost, width: 1.5, dash: [6, 4] };
    lines.push(line);
    shownLines.push(line);
  }

  if (settings.stacked) {
    const laid = [...(show.has("base") ? bases : []), ...drawn];
    const layers = stack(phi, samples, laid);
    for (const { b, from: low, to } of layers) {
      add({ y: to, from: low, fill: 0.34, colour: colourOf(b), width: 1 });
    }
    let top = layers.at(-1)?.to ?? zero;
    if (!show.has("basis") && show.has("spline") && others.length > 0) {
      const low = top;
      top = low.map((at, p) => at + spline[p]);
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
  const pins = settings.pins.map((at, k) => ({
    at,
    phi: phiOf(frame, at),
    colour: pinColour(k, theme),
  }));
  pins.forEach(({ at, phi: pinned, colour }, k) => {
    if (!pinned || samePlace(at, here)) return;
    const points = samplesOf(`pin${k}`, pinned, x, count);
    const y = curve(pinned, points, "phi");
    curves.push({ name: `pin${k}`, x: points.x, y });
    const line = { x: points.x, y, colour, width: 2 };
    lines.push(line);
    shownLines.push(line);
  });
  if (show.has("phi")) add({ y: whole, colour: colours.ink, width: 2.5 });
  const overlays = settings.overlays
    .map((overlay, k) => ({ k, overlay }))
    .filter(({ overlay }) => samePlace(overlay.at, here))
    .map((own, n) => ({ ...own, colour: overlayColour(n, theme) }));
  for (const { k, overlay, colour } of overlays) {
    if (!overlay.shown) continue;
    curves.push({ name: `overlay${k}`, x: overlay.x, y: Float64Array.from(overlay.y) });
    const line = { x: overlay.x, y: overlay.y, colour, width: 2, dash: [7, 5] };
    lines.push(line);
    // Beyond what is shown of x it does not count.
    shownLines.push({ ...line, y: overlay.y.filter((_, p) => covers(x, overlay.x[p])) });
  }

  // Stacked, a point would lie nowhere near its term.
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
    density: show.has("density") ? densityOf(phi, observed) : undefined,
    colourOf,
    ghost,
    pins,
    overlays,
  };
}

const covers = ([low, high]: Range, x: number) => x >= low && x <= high;

/** The initial or pinned φ, unless that is the frame that is drawn. */
function ghostOf({ phi, ghost, frame }: Ingredients): Phi | null {
  if (!ghost || ghost === frame) return null;
  return phiOf(ghost, selectionOf(phi.layer, phi.f));
}

function densityOf(phi: Phi, observed: Observed | null): Density | null {
  if (!observed) return null;
  const entry = entryOf(phi.layer, phi.f);
  if (entry >= observed.entries) return null;
  const { bins, edges, counts } = observed;
  return { edges, counts: counts.subarray(entry * bins, (entry + 1) * bins) };
}

/** The rows of the legend, with what is read at x. */
export function legendRows(
  picture: Picture,
  settings: Settings,
  reading: Reading | null,
  colours: Colours,
): Row[] {
  const { phi, ghost, pins, overlays } = picture;
  const { layer, coefficients } = phi;
  const { show } = settings;
  const printed = (value: number | null | undefined) =>
    value === null || value === undefined ? "" : number(value);
  const rows: Row[] = [];
  const row = (key: Part, label: string, title: string, more: Partial<Row>) =>
    rows.push({
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
      ...more,
    });
  const parts = layer.labels.map((label, b) => ({ label, b }));
  const bases = parts.filter(({ b }) => layer.isBase[b]);
  const others = parts.filter(({ b }) => !layer.isBase[b]);
  const many = others.length > 0 ? `${others[0].label} … ${others[others.length - 1].label}` : "";

  row("phi", "φ", "φ, the sum of all terms", { value: printed(reading?.phi) });
  for (const { k, overlay, colour } of overlays) {
    const [low, high] = [overlay.x[0], overlay.x[overlay.x.length - 1]];
    rows.push({
      key: `overlay:${k}`,
      label: overlay.label,
      title: `${overlay.label}, drawn from ${number(low)} to ${number(high)}`,
      colour,
      look: "dashes",
      on: overlay.shown,
      nested: false,
      coefficient: "",
      value: printed(reading && overlayAt(overlay, reading.x)),
      removable: true,
      wraps: true,
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
        value: printed(reading?.base),
      },
    );
  }
  if (others.length > 0) {
    const name = picture.order >= 0 ? "splines" : many;
    if (bases.length > 0 && !(settings.stacked && show.has("basis"))) {
      row("spline", name, `the spline term: the sum of ${many}`, {
        colour: colours.spline,
        value: printed(reading?.spline),
      });
    }
    row("basis", "each one", `every basis function times its weight: ${many}`, {
      look: "none",
      colour: colours.muted,
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
        value: printed(reading?.terms[b]),
        removable: false,
      });
    }
  }
  const then = ghost && reading ? (readAt(ghost, reading.x)?.phi ?? null) : null;
  const step = ghost ? `step ${ghost.step.toLocaleString("en")}` : "initial";
  row("ghost", step, "φ at the start, or at the step that is pinned", {
    look: "dashes",
    colour: colours.ghost,
    value: printed(then),
  });
  pins.forEach(({ at, phi: pinned, colour }, k) => {
    const text = pinned ? pinText(pinned.layer, at) : `${at.layer} · gone`;
    rows.push({
      key: `pin:${k}`,
      label: text,
      title: pinned
        ? `pinned: ${at.layer}, ${placeText(pinned.layer, at)}; show it here`
        : `pinned: ${text}`,
      colour,
      look: "line",
      on: true,
      nested: false,
      coefficient: "",
      value: printed(pinned && reading ? readAt(pinned, reading.x)?.phi : null),
      removable: true,
    });
  });
  if (!settings.stacked)
    row(
      "points",
      picture.order >= 0 ? "control points" : "handles",
      "the points by which the terms are held",
      { look: "point", colour: colours.muted },
    );
  if ((layer.bases[phi.table]?.knots ?? layer.knots).length > 0) {
    row("knots", "knots", "where the pieces of the splines meet", {
      look: "knot",
      colour: colours.muted,
    });
  }
  row("density", "inputs", "the inputs that reached this function", {
    look: "bars",
    colour: colours.density,
  });
  return rows;
}
