/** Keys of the views. */

import type { Direction } from "./geometry.ts";

export const DIRECTIONS: Record<string, Direction> = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
};

export function plainKey(event: KeyboardEvent): boolean {
  return !event.ctrlKey && !event.metaKey && !event.altKey;
}

/** A key that was used here is nobody else's. */
export function used(event: KeyboardEvent): void {
  event.preventDefault();
  event.stopPropagation();
}
