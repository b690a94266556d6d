/** What the view says in words. No DOM. */

import { number } from "../../phi/format.ts";

export function percent(share: number): string {
  const points = 100 * share;
  if (points > 0 && points < 0.1) return "< 0.1 %";
  return `${points >= 10 || Number.isInteger(points) ? Math.round(points) : points.toFixed(1)} %`;
}

export function finite(value: number): string {
  return Number.isFinite(value) ? number(value) : "not finite";
}
