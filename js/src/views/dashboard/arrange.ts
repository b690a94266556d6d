/** Where panels of different heights stand in two columns without gaps. No DOM. */

export interface Panel {
  /** Pixels. */
  height: number;
  /** It stands across both columns. */
  wide: boolean;
}

export interface Place {
  column: string;
  /** First row, from 1. */
  row: number;
  span: number;
}

/** Pixels of a row of the grid, and between panels. */
export const ROW = 4;
const GAP = 12;
/** Pixels that another way must gain: panels do not change sides for less. */
const WORTH = 240;

/**
 * Panels are spread so that both columns end as nearly at one height as can be, in their order within each; one that has
 * no neighbour stands across both. `before` holds which of each run stood at the right, bit by bit, and is told anew.
 */
export function arranged(panels: readonly Panel[], before: Map<number, number>): Place[] {
  const places: Place[] = [];
  let top = 1;
  for (let from = 0; from < panels.length; ) {
    let to = from;
    while (to < panels.length && !panels[to].wide) to++;
    const run = panels.slice(from, Math.max(to, from + 1));
    if (run.length === 1) {
      places.push({ column: "1 / -1", row: top, span: rowsOf(run[0]) });
      top += rowsOf(run[0]);
    } else {
      const right = sidesOf(run, before.get(from));
      before.set(from, right);
      const ends = [top, top];
      run.forEach((panel, k) => {
        const side = (right >> k) & 1;
        places.push({ column: String(side + 1), row: ends[side], span: rowsOf(panel) });
        ends[side] += rowsOf(panel);
      });
      top = Math.max(...ends);
    }
    from += run.length;
  }
  return places;
}

function rowsOf({ height }: Panel): number {
  return Math.max(1, Math.ceil((height + GAP) / ROW));
}

/** Which stand at the right, bit by bit; the first one is at the left. There are few panels: all ways are tried. */
function sidesOf(run: readonly Panel[], before: number | undefined): number {
  const tallest = (right: number) => {
    const ends = [0, 0];
    run.forEach(({ height }, k) => {
      ends[(right >> k) & 1] += height;
    });
    return Math.max(...ends);
  };
  let best = 2;
  for (let right = 4; right < 1 << run.length; right += 2) {
    if (tallest(right) < tallest(best)) best = right;
  }
  return before !== undefined && tallest(before) - tallest(best) < WORTH ? before : best;
}
