/** What Explain says in words. No DOM. */

import { counted } from "../../phi/entries.ts";
import { formatCount, formatRange, number } from "../../phi/format.ts";
import { fitted, widthOf } from "../../scene/text.ts";
import { SIZE } from "./block.ts";
import { type Content, type MapOf, mapOf, mapTitle, nameOf, type Part, signed } from "./content.ts";

/** The softmax of the scores. */
export function probabilities(scores: readonly number[]): number[] {
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const sum = powers.reduce((whole, power) => whole + power, 0);
  return powers.map((power) => power / sum);
}

/** "62.3 %", "< 0.1 %". */
export function percent(share: number): string {
  if (Number.isNaN(share)) return "";
  return share < 0.0005 ? "< 0.1 %" : `${(100 * share).toFixed(1)} %`;
}

/** "class 3 · score 4.21, 62.3 %, the highest". */
export function classText({ scores, target, predicted }: Content): string {
  const share = scores.length > 1 ? `, ${percent(probabilities(scores)[target])}` : "";
  const place = target === predicted ? "the highest" : `highest is class ${predicted}`;
  return `class ${target} · score ${number(scores[target])}${share}, ${place}`;
}

export function placeText(map: MapOf, row: number, column: number): string {
  return `row ${row} · column ${column} of the map: ${signed(map.data[row * map.width + column])}`;
}

/** The selected share in one line; what to do where there is none. */
export function selectionText(part: Part, selected: number): string {
  if (selected < 0) return "Click a bar or a small map to select its function.";
  return `${part.layer} · ${nameOf(part, selected)} · ${signed(part.values[selected])}`;
}

/** "largest kernels (out, in), all at ±0.12". */
export function tilesTitle(part: Part, most: number, room: number): string {
  const kernels = part.shared ? "kernels (out, channel)" : "kernels (out, in)";
  const kind = part.kind === "kernels" ? kernels : "channels";
  return fitting(
    [`largest ${kind}, all at ${formatRange(most)}`, `largest, at ${formatRange(most)}`],
    room,
  );
}

/** "shares by place · all channels". */
export function mapHeading(part: Part, k: number, room: number): string {
  return fitting([`shares by place · ${mapTitle(part, k)}`, mapTitle(part, k)], room);
}

/** The first that fits, or the last, shortened. */
export function fitting(texts: readonly string[], room: number): string {
  const found = texts.find((text) => widthOf(text, SIZE) <= room);
  return found ?? fitted(texts[texts.length - 1], room, SIZE);
}

/** "output 3 · input 2" becomes "3, 2" and "channel 4" becomes "4": small maps are narrow, and their heading says what they are. */
export function shortName(title: string): string {
  return title.replace(/[a-z]+ /g, "").replace(" ·", ",");
}

/** The text alternative of the drawing. */
export function description(content: Content, part: Part, selected: number, bars: number): string {
  const own = mapOf(part, selected);
  const map = content.image ? (own ?? part.total) : null;
  const chosen = selected >= 0 ? `Selected: ${selectionText(part, selected)}. ` : "";
  return (
    `Explanation of ${classText(content)}, at step ${formatCount(content.step)}. ${part.sentence} ` +
    (map ? `${mapText(part, own ? selected : -1, map)}. ` : "") +
    `${counted(bars, "bar")} of the largest shares. ${chosen}` +
    "Arrow keys move between bars, small maps and the places of the map; Enter selects, Escape clears."
  );
}

function mapText(part: Part, k: number, map: MapOf): string {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of map.data) [low, high] = [Math.min(low, value), Math.max(high, value)];
  const size = `${map.height} × ${map.width}`;
  return `Map of layer ${part.layer}, ${mapTitle(part, k)}, ${size}, from ${signed(low)} to ${signed(high)}`;
}
