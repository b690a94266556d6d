/** The part of the plane that is shown, its round ends, and its pixels. */

import type { Ends } from "../../phi/inputs.ts";
import { roundStep } from "../../phi/ranges.ts";
import type { Rect } from "../../scene/marks.ts";

/** How far in one can zoom, as a share of the whole. */
const CLOSEST = 1e-4;

/** Zoomed around `at`, within limits; null where that changes nothing. */
export function zoomedWithin([low, high]: Ends, at: number, factor: number, limits: Ends) {
  const [length, whole] = [high - low, limits[1] - limits[0]];
  if (factor < 1 ? length <= 1.001 * CLOSEST * whole : length >= 0.999 * whole) return null;
  return shiftedWithin([at + (low - at) * factor, at + (high - at) * factor], 0, limits);
}

/** A range moved as far as limits let it, and made shorter if it must be. */
export function shiftedWithin([low, high]: Ends, by: number, [first, last]: Ends): Ends {
  const whole = last - first;
  const length = Math.min(whole, Math.max(CLOSEST * whole, high - low));
  const middle = (low + high) / 2 + by;
  const start = Math.max(first, Math.min(last - length, middle - length / 2));
  return [start, start + length];
}

/** The factor by which one turn of a wheel makes a range longer. */
export function wheelFactor(event: Pick<WheelEvent, "deltaY" | "deltaMode">): number {
  const pixels = event.deltaY * [1, 16, 240][event.deltaMode];
  return Math.exp(Math.max(-240, Math.min(240, pixels)) / 480);
}

export const toX = ([low, high]: Ends, box: Rect, x: number) =>
  box.x + ((x - low) / (high - low)) * box.width;

export const toY = ([low, high]: Ends, box: Rect, y: number) =>
  box.y + ((high - y) / (high - low)) * box.height;

export const fromX = ([low, high]: Ends, box: Rect, px: number) =>
  low + ((px - box.x) / box.width) * (high - low);

export const fromY = ([low, high]: Ends, box: Rect, py: number) =>
  high - ((py - box.y) / box.height) * (high - low);

/** A range with some air, its ends on round values: it stands still while what it holds moves a little. */
export function roundWindow(held: Ends | null): Ends {
  if (!held) return [-1, 1];
  const [low, high] = held;
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (high - low <= 1e-9 * size || size < 1e-30) {
    const room = size < 1e-30 ? 1 : size / 2;
    return [low - room, high + room];
  }
  const air = 0.06 * (high - low);
  const step = roundStep((high - low + 2 * air) / 8);
  return [Math.floor((low - air) / step) * step, Math.ceil((high + air) / step) * step];
}

/** Likewise, with zero in it. */
export function roomy(held: Ends | null): Ends {
  return roundWindow(held && [Math.min(0, held[0]), Math.max(0, held[1])]);
}

/** A range made longer, if it must be, so that a value is in it and not at its rim. */
export function reaching([low, high]: Ends, value: number): Ends {
  const rim = 0.03 * (high - low);
  if (value > high) return [low, value + rim];
  return value < low ? [value - rim, high] : [low, high];
}
