/** A grid that is higher than what is seen of it: which outputs are seen, and buttons that go on to others. */

import { leastIndex } from "d3-array";
import { formatCount } from "../../phi/format.ts";
import { type Arrangement, isScattered, PAD, stripAt } from "../../phi/geometry.ts";
import { rowEnds } from "../../scene/cells.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { inMiddle, outline, rect, words } from "../../scene/shapes.ts";
import { cutOf } from "../../scene/still.ts";
import { widthOf } from "../../scene/text.ts";
import type { Colours } from "../../scene/theme.ts";

/** Pixels of the line under the cells. */
export const PAGES = 26;
const SIZE = 12;
const BUTTON = 22;
/** Cells to which was scrolled: they stay where they are. */
const SCROLLED = new WeakSet<Arrangement>();

/** How high is seen of cells that scroll in so much room, with the line: whole rows. */
export const seenIn = (a: Arrangement, room: number) =>
  cutOf({ cuts: rowEnds(a), height: a.height }, room - PAGES) + PAGES;

/** `foot`: pixels of all that stays in sight below the cells, this line first. */
export function pagesOf(a: Arrangement, foot: number) {
  const ends = rowEnds(a);
  // How far is scrolled where a row is the uppermost.
  const starts = ends.map((end) => end - ends[0]);
  const [corner] = a.corner ?? [0];

  /** The first row that is seen, and the one after the last. */
  function rowsIn({ y, height }: Rect): [number, number] {
    const first = leastIndex(starts, (p, q) => Math.abs(p - y) - Math.abs(q - y)) ?? 0;
    return [first, Math.max(first + 1, ends.filter((end) => end < y + height - foot + 2).length)];
  }

  /** What is seen, and how many there are before and after it. */
  function wordsOf(first: number, next: number): [name: string, before: string, after: string] {
    const isKernel = isScattered(a) || (a.flowing && a.kind === "conv");
    const noun = isKernel ? "kernel" : a.flowing || a.rowsCut ? "output" : "row";
    const spanOf = (what: string, from: number, to: number, base = 0) => {
      const [one, last] = [base + from, base + to - 1].map(formatCount);
      return `${what}${to - from > 1 ? `s ${one}–${last}` : ` ${one}`}`;
    };
    const ofAll = (count: number) => `, ${formatCount(count)} in all`;
    const more = (n: number) => (n > 0 ? `${formatCount(n)} more` : "");
    const [rows, count] = a.flowing ? [a.perBand, a.columns] : [1, ends.length];
    if (a.rowsCut && a.unit < a.bands) {
      const [from, to] = [stripAt(a, first), stripAt(a, next - 1)];
      if (from.row < to.row)
        return [spanOf("output", from.row, to.row + 1, corner) + ofAll(a.rows), "", ""];
      const end = Math.min(a.columns, to.column + a.perBand);
      const part = spanOf(a.column ?? "input", from.column, end) + ofAll(a.columns);
      return [`output ${corner + from.row}: ${part}`, "", ""];
    }
    const last = Math.min(count, next * rows);
    const name = spanOf(noun, first * rows, last, isScattered(a) ? 1 : corner);
    return [name, more(first * rows), more(count - last)];
  }

  function lineIn(view: Rect) {
    const [first, next] = rowsIn(view);
    const [name, before, after] = wordsOf(first, next);
    const y = view.y + view.height - foot;
    const width = BUTTON + widthOf(before, SIZE);
    const up = { x: PAD, y: y + 3, width, height: PAGES - 6 };
    const x = up.x + width + 16 + widthOf(name, SIZE, 600);
    const down = { ...up, x, width: BUTTON + widthOf(after, SIZE) };
    return { y, name, before, after, first, next, up, down };
  }

  return {
    foot,
    height: ends[ends.length - 1] + foot,
    marks(view: Rect, { surface, ink, line, zero }: Colours): Mark[] {
      const { y, name, before, after, up, down, first, next } = lineIn(view);
      const how = { size: SIZE };
      return [
        rect({ x: view.x, y, width: view.width, height: foot }, { fill: surface }),
        outline(up, line),
        inMiddle(up, `▲ ${before}`.trim(), first > 0 ? ink : zero, how),
        words(up.x + up.width + 8, y + 17, name, ink, { ...how, weight: 600 }),
        outline(down, line),
        inMiddle(down, `▼ ${after}`.trim(), next < ends.length ? ink : zero, how),
      ];
    },
    /** Of a place under the cells its button; null where cells are seen. */
    at(x: number, y: number, view: Rect): string | null {
      const { y: top, up, down } = lineIn(view);
      const isIn = (box: Rect) => x >= box.x && x < box.x + box.width && y < top + PAGES;
      return y < top ? null : isIn(up) ? "up" : isIn(down) ? "down" : "";
    },
    /** How far is scrolled to the page of a box; where it is in sight and the cells have not moved, not at all. */
    opened({ y, height }: Rect, view: Rect): number {
      const [first, next] = rowsIn(view);
      const row = ends.findIndex((end) => end >= y + height);
      const isMoved = !SCROLLED.has(a) && SCROLLED.add(a);
      if (row >= first && row < next) return isMoved ? starts[first] : view.y;
      const [, rows] = rowsIn({ ...view, y: 0 });
      return starts[Math.floor(row / rows) * rows];
    },
    /** How far is scrolled after a press; undefined for what is no button. */
    turned(id: string, view: Rect): number | undefined {
      const [first, next] = rowsIn(view);
      if (id === "down") return starts[Math.min(next, ends.length - 1)];
      return id === "up" ? starts[Math.max(0, 2 * first - next)] : undefined;
    },
  };
}
