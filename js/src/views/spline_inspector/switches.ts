/** What the rows of the legend do when they are pressed: they write traits. */

import type { Selection } from "../../wire/types.ts";
import type { Picture } from "./picture.ts";
import { PARTS, type Part, type Settings, samePlace, type WireOverlay } from "./settings.ts";

export interface Switches {
  settings(): Settings;
  picture(): Picture | null;
  overlays(): WireOverlay[];
  choose(trait: string, value: unknown): void;
  select(at: Selection): void;
}

const ordered = (parts: ReadonlySet<Part>) => PARTS.filter((part) => parts.has(part));
const numberOf = (key: string) => Number(key.slice(key.indexOf(":") + 1));

export function press(key: string, from: Switches): void {
  const { show, hidden, pins } = from.settings();
  if (key.startsWith("overlay:")) {
    const change = (one: WireOverlay) => ({ ...one, shown: one.shown === false });
    const changed = from.overlays().map((one, k) => (k === numberOf(key) ? change(one) : one));
    from.choose("overlays", changed);
  } else if (key.startsWith("pin:")) {
    const at = pins[numberOf(key)];
    if (at) from.select(at);
  } else if (key.startsWith("b:")) {
    pressTerm(key.slice(2), from);
  } else {
    const part = key as Part;
    const next = new Set(show);
    if (part === "basis" && next.has(part) && hidden.size > 0) {
      from.choose("hidden", []);
      return;
    }
    if (!next.delete(part)) next.add(part);
    if (part === "basis" && next.has(part)) from.choose("hidden", []);
    from.choose("show", ordered(next));
  }
}

function pressTerm(label: string, from: Switches): void {
  const { show, hidden } = from.settings();
  if (show.has("basis")) {
    const next = new Set(hidden);
    if (!next.delete(label)) next.add(label);
    from.choose("hidden", [...next]);
    return;
  }
  // Of those that are all off, this one comes.
  const layer = from.picture()?.phi.layer;
  const others = layer?.labels.filter((other, b) => !layer.isBase[b] && other !== label) ?? [];
  from.choose("hidden", others);
  from.choose("show", ordered(new Set([...show, "basis" as Part])));
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
