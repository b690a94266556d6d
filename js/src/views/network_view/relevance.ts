/** Which bundles matter, and which are shown. No DOM. */

import type { Bundle } from "./graph.ts";

/** At most so many links of one layer are drawn; by itself fewer, of which one still sees each. */
const MOST_LINKS = 10000;
export const FEW_LINKS = 800;

export interface Relevance {
  /** Of each bundle: the root of the sum of squares over its functions. */
  sizes: Float64Array;
  most: number;
  /** Numbers of the bundles that are shown. */
  shown: number[];
  /** The share of the sum of all sizes that those have. */
  share: number;
}

/** `keep` is the share of the total that the shown ones have at least, null to show those that can be told apart; `top` limits how many lead to each unit. */
export function relevanceOf(
  bundles: readonly Bundle[],
  perFunction: Float32Array,
  keep: number | null,
  top: number,
): Relevance {
  const sizes = new Float64Array(bundles.length);
  let most = 0;
  let total = 0;
  bundles.forEach(({ first, count }, k) => {
    let sum = 0;
    for (let f = first; f < first + count; f++) {
      const value = perFunction[f];
      if (Number.isFinite(value)) sum += value * value;
    }
    sizes[k] = Math.sqrt(sum);
    total += sizes[k];
    if (sizes[k] > most) most = sizes[k];
  });
  const order = Array.from(bundles.keys());
  const room = keep === null ? FEW_LINKS : MOST_LINKS;
  const all = order.length <= room && top === Number.POSITIVE_INFINITY;
  if (all && (keep === null || keep >= 1)) return { sizes, most, shown: order, share: 1 };
  order.sort((a, b) => sizes[b] - sizes[a] || a - b);
  const shown: number[] = [];
  const into = new Map<number, number>();
  let sum = 0;
  for (const k of order) {
    if (shown.length >= room) break;
    if (keep !== null && keep < 1 && sum >= keep * total && shown.length > 0) break;
    const { to } = bundles[k];
    const already = into.get(to) ?? 0;
    if (already >= top) continue;
    into.set(to, already + 1);
    shown.push(k);
    sum += sizes[k];
  }
  shown.sort((a, b) => a - b);
  return { sizes, most, shown, share: total > 0 ? sum / total : 1 };
}
