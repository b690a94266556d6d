/** What can be pointed at in LayerRanges: rows "2", dots in them "2.14", heads of columns "c1". No DOM. */

import type { Range } from "../../scene/axes.ts";
import type { Rect, Sites } from "../../scene/marks.ts";
import type { Content, Row } from "./content.ts";
import { headAt, headHeight, type Layout, rowAt, rowTop } from "./layout.ts";
import { dotPlaces, rangeScale } from "./marks.ts";
import { dotWords, rowWords } from "./words.ts";

/** Pixels around a dot in which it is meant. */
const NEAR = 5;

/** Numbers of row, dot and column; -1 for none. */
export function siteOf(id: string): { row: number; dot: number; column: number } {
  const none = { row: -1, dot: -1, column: -1 };
  if (id === "") return none;
  if (id.startsWith("c")) return { ...none, column: Number(id.slice(1)) };
  const [row, dot] = id.split(".");
  return { ...none, row: Number(row), dot: dot === undefined ? -1 : Number(dot) };
}

export function sitesOf(content: Content, layout: Layout, axis: Range, more: boolean): Sites {
  const { rows } = content;
  const toX = rangeScale(axis, layout);
  const places = (k: number) => dotPlaces(rows[k], toX, layout, rowTop(layout, k));

  function columnAt(x: number, y: number, top: number): string {
    const line = (headHeight(layout) - 10) / layout.bands;
    const band = Math.min(layout.bands - 1, Math.max(0, Math.floor((y - top - 10) / line)));
    const k = layout.cells.findIndex(
      (cell) => cell.band === band && x <= cell.right && x > cell.right - cell.width,
    );
    return k < 0 ? "" : `c${k}`;
  }

  function nearestDot(k: number, x: number, y: number): number {
    const xy = places(k);
    let best = -1;
    let least = NEAR;
    for (let j = 0; j < xy.length / 2; j++) {
      const far = Math.hypot(xy[2 * j] - x, xy[2 * j + 1] - y);
      if (far < least) [best, least] = [j, far];
    }
    return best;
  }

  return {
    at(x, y, view) {
      const top = headAt(layout, view);
      if (y >= top && y < top + headHeight(layout)) return columnAt(x, y, top);
      const k = rowAt(layout, y);
      if (k < 0) return "";
      const dot = y - rowTop(layout, k) < layout.heights.height ? nearestDot(k, x, y) : -1;
      return dot < 0 ? String(k) : `${k}.${dot}`;
    },
    box(id): Rect | null {
      const { row, dot } = siteOf(id);
      if (!rows[row]) return null;
      const y = rowTop(layout, row);
      if (dot < 0) return { x: 0, y, width: layout.width, height: layout.rowHeight };
      if (dot >= rows[row].dots.length) return null;
      const [cx, cy] = places(row).slice(2 * dot);
      return { x: cx - 3, y: cy - 3, width: 6, height: 6 };
    },
    words(id) {
      const { row, dot, column } = siteOf(id);
      if (column >= 0) {
        const found = layout.cells[column]?.column;
        return found ? `${found.title} (${found.below}): ${found.about}` : "";
      }
      if (!rows[row]) return "";
      return dot < 0 ? rowWords(rows[row], content, more) : dotWords(rows[row], dot, content);
    },
    next(id, direction) {
      const last = rows.length - 1;
      if (direction === "last") return String(last);
      const { row, dot } = siteOf(id);
      if (direction === "first" || row < 0) return "0";
      if (direction === "up") return String(Math.max(0, row - 1));
      if (direction === "down") return String(Math.min(last, row + 1));
      const most = rows[row].dots.length - 1;
      if (most < 0) return id;
      const from = dot < 0 ? typicalDot(rows[row]) : dot;
      return `${row}.${Math.max(0, Math.min(most, from + (direction === "right" ? 1 : -1)))}`;
    },
  };
}

/** The dot of the typical function, or the one nearest to it. */
export function typicalDot({ functions, typical }: Row): number {
  const found = functions.indexOf(typical);
  return found >= 0 ? found : Math.floor(functions.length / 2);
}
