/** The view's own traits as plain data, and what pressing the rows of the legend writes into them. */

import { curveAt } from "../../phi/interpolate.ts";
import { memory } from "../../phi/memory.ts";
import { float32, samePlace } from "../../wire/protocol.ts";
import type { Selection } from "../../wire/types.ts";

/** What can be drawn, in the order of the legend. */
export const PLOT_PARTS = [
  "phi",
  "band",
  "ghost",
  "base",
  "spline",
  "basis",
  "points",
  "knots",
  "density",
] as const;
/** What only those need who move weights. */
const FOR_EDITING: readonly string[] = ["points", "knots"];

export type PlotPart = (typeof PLOT_PARTS)[number];

/** A curve that Python has laid over one function, as the trait carries it. */
export interface WireOverlay extends Selection {
  label: string;
  /** The ends of the even x that the samples are at. */
  low: number;
  high: number;
  /** float32; NaN where the curve is not defined. */
  samples: DataView | ArrayBuffer;
  shown?: boolean;
}

type Overlay = ReturnType<typeof readOverlay>;
export type Settings = ReturnType<typeof settingsOf>;

const TRAITS = ["layer", "editable", "show", "height", "pins", "overlays", "form"] as const;

/** Reads the traits; the same ones give the same settings. */
export function settingsReader() {
  const keep = memory();
  return (get: (trait: string) => unknown): Settings =>
    keep(
      "settings",
      TRAITS.map((trait) => get(trait)),
      () => settingsOf(get),
    );
}

function settingsOf(get: (trait: string) => unknown) {
  const list = <T>(value: unknown) => (Array.isArray(value) ? (value as T[]) : []);
  const editable = get("editable") === true;
  const usual = PLOT_PARTS.filter((part) => editable || !FOR_EDITING.includes(part));
  const shown = list<string>(get("show") ?? usual);
  return {
    editable,
    show: new Set(PLOT_PARTS.filter((part) => shown.includes(part))),
    pins: list<Selection>(get("pins")),
    overlays: list<WireOverlay>(get("overlays")).map(readOverlay),
    /** Of an ensemble, what form a function has in most of its networks. */
    form: get("form") as Selection & { words: string },
  };
}

function readOverlay(wire: WireOverlay) {
  const { label, low, high, shown, samples, ...at } = wire;
  const y = float32(samples, `overlay ${label}`);
  const last = Math.max(1, y.length - 1);
  const x = Float64Array.from(y, (_, p) => low + ((high - low) * p) / last);
  return { at, label, x, y, shown: shown !== false };
}

/** The curve at x, straight between its samples; null beyond them or where it is not defined. */
export function overlayAt({ x, y }: Pick<Overlay, "x" | "y">, at: number): number | null {
  const value = at >= x[0] && at <= x[x.length - 1] ? curveAt(x, y, at) : Number.NaN;
  return Number.isFinite(value) ? value : null;
}

export interface Switches {
  settings(): Settings;
  overlays(): WireOverlay[];
  choose(trait: string, value: unknown): void;
  select(at: Selection): void;
}

const ordered = (parts: ReadonlySet<PlotPart>) => PLOT_PARTS.filter((part) => parts.has(part));
const numberOf = (key: string) => Number(key.slice(key.indexOf(":") + 1));

export function press(key: string, from: Switches): void {
  const { show, pins } = from.settings();
  if (key.startsWith("overlay:")) {
    const change = (one: WireOverlay) => ({ ...one, shown: one.shown === false });
    const changed = from.overlays().map((one, k) => (k === numberOf(key) ? change(one) : one));
    from.choose("overlays", changed);
  } else if (key.startsWith("pin:")) {
    const at = pins[numberOf(key)];
    if (at) from.select(at);
  } else {
    const part = key as PlotPart;
    const next = new Set(show);
    if (!next.delete(part)) next.add(part);
    from.choose("show", ordered(next));
  }
}

export function remove(key: string, from: Switches): void {
  const others = <T>(list: readonly T[]) => list.filter((_, k) => k !== numberOf(key));
  if (key.startsWith("overlay:")) from.choose("overlays", others(from.overlays()));
  else from.choose("pins", others(from.settings().pins));
}

export function togglePin(at: Selection, from: Switches): void {
  const { pins } = from.settings();
  const others = pins.filter((pin) => !samePlace(pin, at));
  from.choose("pins", others.length < pins.length ? others : [...pins, at]);
}
