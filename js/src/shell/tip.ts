/** The tooltip: where it goes, and its element. */

import type { Rect } from "../phi/geometry.ts";
import type { Point } from "../scene/marks.ts";
import { element } from "./element.ts";

export interface TipLine {
  label: string;
  value: string;
  /** Which colour the label's swatch has, if any. */
  swatch?: "base" | "spline" | "ink" | "ghost" | undefined;
}

type BoxSize = Pick<Rect, "width" | "height">;

const DISTANCE = 8;
const EDGE = 4;

/** A place for a tooltip inside a box, beside a cell: right, left, below, above, else over it. */
export function placeTip(cell: Rect, tip: BoxSize, box: BoxSize): { x: number; y: number } {
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

export function createTip(document: Document) {
  const root = element(document, "div", "kw-tip");
  root.hidden = true;
  // The line under the drawing says the same; a screen reader should not hear every move.
  root.setAttribute("aria-hidden", "true");
  const title = element(document, "div", "kw-tip-title", root);
  const list = root.appendChild(document.createElement("dl"));
  let lastLabels = "";
  return {
    element: root,
    /** Beside a cell of a box that begins at `origin` of the view: what is over the box stays in sight, if the tip is no higher. */
    show(text: string, lines: readonly TipLine[], cell: Rect, box: BoxSize, origin: Point) {
      const labels = lines.map(({ label, swatch }) => `${label}|${swatch ?? ""}`).join();
      if (labels !== lastLabels) {
        list.replaceChildren(
          ...lines.flatMap(({ label, swatch }) => {
            const name = document.createElement("dt");
            name.textContent = label;
            if (swatch) name.className = `kw-swatch kw-swatch-${swatch}`;
            return [name, document.createElement("dd")];
          }),
        );
      }
      lastLabels = labels;
      title.textContent = text;
      list.querySelectorAll("dd").forEach((place, k) => {
        place.textContent = lines[k].value;
      });
      root.hidden = false;
      const { offsetWidth: width, offsetHeight: height } = root;
      const { x, y } = placeTip(cell, { width, height }, box);
      const top = Math.max(0, Math.min(y, box.height - height) + origin.y);
      root.style.transform = `translate(${Math.round(x + origin.x)}px, ${Math.round(top)}px)`;
    },
    hide() {
      root.hidden = true;
    },
  };
}
