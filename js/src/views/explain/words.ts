/** What Explain says in words. */

import { counted } from "../../phi/entries.ts";
import { chance, formatNumber } from "../../phi/format.ts";
import { reachOf } from "../../phi/ranges.ts";
import { softmax } from "../../phi/softmax.ts";
import {
  className,
  type Explanation,
  type LayerShares,
  type MapOf,
  mapTitle,
  shareMap,
  shareName,
  signed,
} from "./content.ts";

export function mapPixelText(map: MapOf, row: number, column: number): string {
  return `row ${row} · column ${column} of the map: ${signed(map.data[row * map.width + column])}`;
}

/** The selected share in one line; what to do where there is none. */
export function shareText(part: LayerShares, selected: number): string {
  if (selected < 0 && part.scores.length < 2) return "Click a row to select its function.";
  if (selected < 0) return "Click a row or the map to select a function, or a class to explain it.";
  return `${part.layer} · ${shareName(part, selected)} · ${signed(part.values[selected])}`;
}

/** What the network says of the image. */
export function verdict(part: LayerShares): string {
  const { scores, target, predicted } = part;
  if (!scores.every(Number.isFinite)) return "Some scores are not finite: no verdict";
  if (scores.length < 2) return `The output is ${formatNumber(scores[0])}`;
  const shares = softmax(scores);
  const named = (k: number) => `${className(part, k)} (${chance(shares[k])})`;
  if (target !== predicted) {
    return `The network says ${named(predicted)}; explained here: ${named(target)}`;
  }
  const others = scores.map((_, k) => k).filter((k) => k !== predicted);
  const next = others.reduce((a, b) => (scores[b] > scores[a] ? b : a));
  const then = shares[next] < SMALL_CHANCE ? className(part, next) : named(next);
  return `The network says ${named(predicted)}, then ${then}`;
}

/** A smaller probability is not worth a number. */
const SMALL_CHANCE = 0.001;

interface Shown {
  content: Explanation;
  part: LayerShares;
  selected: number;
  /** The share whose map is the large one; −1 for all together. */
  shown: number;
}

export function description({ content, part, selected, shown }: Shown, bars: number): string {
  const own = shareMap(part, shown);
  const map = content.image ? (own ?? part.total) : null;
  const chosen = selected >= 0 ? `Selected: ${shareText(part, selected)}. ` : "";
  return (
    `Explanation, ${part.moment}. ${verdict(part)}. ${part.sentence} ` +
    (map ? `${mapText(part, own ? shown : -1, map)}. ` : "") +
    `${counted(bars, "row")} of shares. ${chosen}` +
    "Arrow keys move between rows, classes and the places of the map; Enter selects, Escape clears."
  );
}

function mapText(part: LayerShares, k: number, map: MapOf): string {
  const { low, high } = reachOf(map.data);
  const size = `${map.height} × ${map.width}`;
  return `Map of layer ${part.layer}, ${mapTitle(part, k)}, ${size}, from ${signed(low)} to ${signed(high)}`;
}
