/** Keys of the views. */

import type { Direction } from "../phi/geometry.ts";
import { listen } from "./element.ts";

export const DIRECTIONS: Record<string, Direction> = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
};

export function plainKey(event: KeyboardEvent): boolean {
  return !event.ctrlKey && !event.metaKey && !event.altKey;
}

/** Keeps a key that was used here from everybody else. */
export function used(event: KeyboardEvent): void {
  event.preventDefault();
  event.stopPropagation();
}

/** Keep what is typed in a view from JupyterLab, where arrows and “d d” are commands. Shortcuts and what runs a cell pass. */
export function keepKeys(root: HTMLElement, signal: AbortSignal): void {
  listen(root, signal, {
    keydown(event) {
      const runs = event.key === "Enter" && event.shiftKey;
      const leaves = event.key === "Tab" || event.key === "Escape";
      if (plainKey(event) && !runs && !leaves) event.stopPropagation();
    },
  });
}
