/** What the view says in words. No DOM. */

import { formatRange, number } from "../../phi/format.ts";
import type { Facts } from "./panel.ts";

/** What the colours really reach: "φ reaches −0.21 … 0.19". */
export function reachText({ what, reach }: Facts): string {
  return reach ? `${what} reaches ${number(reach.low)} … ${number(reach.high)}` : "";
}

/** The ends of the colour bar. */
export function barText({ scales }: Facts): { low: string; high: string; own: string } {
  if (!scales) return { low: "", high: "", own: "" };
  const { smallest, largest } = scales;
  if (smallest === largest) return { low: number(-largest), high: number(largest), own: "" };
  return {
    low: "−",
    high: "+",
    own: `own scales ${formatRange(smallest)} … ${formatRange(largest)}`,
  };
}

export function percent(share: number): string {
  const points = 100 * share;
  if (points > 0 && points < 0.1) return "< 0.1 %";
  return `${points >= 10 || Number.isInteger(points) ? Math.round(points) : points.toFixed(1)} %`;
}
