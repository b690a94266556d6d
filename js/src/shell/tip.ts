/** The tooltip: where it goes, and its element. */

import type { Rect } from "../phi/geometry.ts";

export interface Line {
  label: string;
  value: string;
  /** Which colour the label's swatch has, if any. */
  swatch?: "base" | "spline" | "ink" | "ghost";
}

const DISTANCE = 8;
const EDGE = 4;

/**
 * A place for a tooltip of the given size inside a box, beside a cell and not
 * over it where there is room: right, left, below, above, else over it.
 */
export function placeTip(
  cell: Rect,
  tip: { width: number; height: number },
  box: { width: number; height: number },
): { x: number; y: number } {
  const within = (v: number, size: number, limit: number) =>
    Math.max(EDGE, Math.min(limit - size - EDGE, v));
  const beside = within(cell.y + cell.height / 2 - tip.height / 2, tip.height, box.height);
  const along = within(cell.x + cell.width / 2 - tip.width / 2, tip.width, box.width);
  const right = cell.x + cell.width + DISTANCE;
  if (right + tip.width + EDGE <= box.width) return { x: right, y: beside };
  const left = cell.x - DISTANCE - tip.width;
  if (left >= EDGE) return { x: left, y: beside };
  const below = cell.y + cell.height + DISTANCE;
  if (below + tip.height + EDGE <= box.height) return { x: along, y: below };
  const above = cell.y - DISTANCE - tip.height;
  if (above >= EDGE) return { x: along, y: above };
  return { x: along, y: within(below, tip.height, box.height) };
}

export interface Tip {
  element: HTMLElement;
  show(title: string, lines: Line[], cell: Rect, box: { width: number; height: number }): void;
  hide(): void;
}

export function createTip(document: Document): Tip {
  const element = document.createElement("div");
  element.className = "kw-tip";
  element.hidden = true;
  // The same facts are in the reading line; a screen reader should not hear every move.
  element.setAttribute("aria-hidden", "true");
  const title = element.appendChild(document.createElement("div"));
  title.className = "kw-tip-title";
  const list = element.appendChild(document.createElement("dl"));
  let shown = "";
  return {
    element,
    show(text, lines, cell, box) {
      const labels = lines.map(({ label, swatch }) => `${label}|${swatch ?? ""}`).join();
      if (labels !== shown) {
        shown = labels;
        list.replaceChildren(
          ...lines.flatMap(({ label, swatch }) => {
            const name = document.createElement("dt");
            name.textContent = label;
            if (swatch) name.className = `kw-swatch kw-swatch-${swatch}`;
            return [name, document.createElement("dd")];
          }),
        );
      }
      title.textContent = text;
      const values = list.querySelectorAll("dd");
      lines.forEach(({ value }, k) => {
        const cell = values[k];
        if (cell) cell.textContent = value;
      });
      element.hidden = false;
      const { x, y } = placeTip(
        cell,
        { width: element.offsetWidth, height: element.offsetHeight },
        box,
      );
      element.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
    },
    hide() {
      element.hidden = true;
    },
  };
}
