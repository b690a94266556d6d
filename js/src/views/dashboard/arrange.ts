/** Which panels stand side by side, and how tall their drawings are so that both end at one height. No DOM. */

export interface Panel {
  /** It stands across both columns. */
  wide: boolean;
  /** Where its drawing takes any height, that of its neighbour, how many pixels at least; else 0. */
  fills: number;
  /** Pixels of all of it, and of its drawing in that; 0 where it is not drawn. */
  height: number;
  drawn: number;
}

/** Pixels of a drawing at most that fills the height of its neighbour. */
const MOST = 520;
/** So many pixels more than at least it has where it has no neighbour: nothing beside it needs the room. */
const ALONE = 64;

/** Numbers of the panels in each row: two, or one that is wide or has no neighbour. */
export function rowsOf(panels: readonly Pick<Panel, "wide">[]): number[][] {
  const rows: number[][] = [];
  let open = false;
  panels.forEach(({ wide }, k) => {
    if (open && !wide) rows[rows.length - 1].push(k);
    else rows.push([k]);
    open = !wide && !open;
  });
  return rows;
}

/**
 * Heights of the drawings, where each row has about `room` for them. What has a height of its own takes up to that much;
 * what fills ends where its neighbour ends.
 */
export function heightsOf(panels: readonly Panel[], rows: number[][], room: number): number[] {
  const heights = panels.map(({ fills }) => (fills ? fills + ALONE : room));
  for (const row of rows.filter(({ length }) => length === 2)) {
    const [one, other] = row.map((k) => panels[k]);
    row.forEach((k, side) => {
      const [panel, beside] = side === 0 ? [one, other] : [other, one];
      if (!panel.fills) return;
      if (beside.fills) heights[k] = room;
      else {
        // Until both are drawn it is low: what is below them moves once at most.
        const rest = beside.height - (panel.height - panel.drawn);
        const known = panel.drawn > 0 && beside.drawn > 0;
        heights[k] = known ? Math.max(panel.fills, Math.min(MOST, rest)) : panel.fills;
      }
    });
  }
  return heights;
}
