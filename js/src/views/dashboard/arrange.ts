/** Which panels stand side by side, and how tall their drawings are so that both end at one height. No DOM. */

export interface Panel {
  /** It stands across both columns. */
  wide: boolean;
  /** Where its drawing takes any height, that of its neighbour, how many pixels at least; else 0. */
  fills: number;
  /** Pixels of all of it, and of its drawing in that; 0 where it is not drawn. */
  height: number;
  drawn: number;
  /** Of its drawing, where that has a height of its own; else 0. */
  own: number;
  /** To so many it shrinks where not all panels are seen at once; 0 where it does not. */
  least: number;
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
  const heights = panels.map(({ fills, own }) => own || (fills ? fills + ALONE : room));
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

/**
 * The same heights, or lower ones: so that all rows take no more than `free` pixels. What has a height of its own gives
 * up the last; where it is to fill them it takes what is left.
 */
export function fitted(
  heights: readonly number[],
  panels: readonly Panel[],
  /** Pixels of each panel beside its drawing. */
  around: readonly number[],
  rows: number[][],
  free: number,
  fills: boolean,
): number[] {
  const next = [...heights];
  const tall = (k: number) => around[k] + (panels[k].least ? next[k] : panels[k].drawn);
  const low = (k: number) => around[k] + (panels[k].least || panels[k].drawn);
  const most = (row: number[], of: (k: number) => number) => Math.max(0, ...row.map(of));
  let excess = rows.reduce((sum, row) => sum + most(row, tall), 0) - free;
  for (const isOwn of [false, true]) {
    const some = rows.filter((row) => row.some((k) => panels[k].own > 0) === isOwn);
    const spare = some.map((row) => most(row, tall) - most(row, low));
    const all = spare.reduce((sum, one) => sum + one, 0);
    const given = fills && isOwn && excess < 0 ? excess / some.length : 0;
    const share = Math.min(1, Math.max(0, excess) / Math.max(1, all));
    some.forEach((row, n) => {
      const end = most(row, tall) - (given || share * spare[n]);
      for (const k of row) {
        const grows = given !== 0 && panels[k].own + panels[k].fills > 0;
        next[k] = Math.floor(grows ? end - around[k] : Math.min(next[k], end - around[k]));
      }
    });
    excess -= share * all;
  }
  return next;
}

/** Panels show themselves together, when the last of those that are `here` has been drawn: so none moves another. */
export function createTogether(here: () => number[], all: (here: number[]) => void) {
  const [drawn, shown] = [new Set<number>(), new Set<number>()];
  return {
    isDrawn: (number: number) => drawn.has(number),
    /** One has been drawn: whether it waits for the others. */
    waits(number: number): boolean {
      if (shown.has(number)) return false;
      drawn.add(number);
      const those = here();
      if (!those.every((k) => drawn.has(k))) return true;
      for (const k of those) shown.add(k);
      all(those);
      return true;
    },
  };
}
