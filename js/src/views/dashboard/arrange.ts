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
/** Pixels that another split must gain: panels do not change sides for less. */
const WORTH = 120;

/**
 * Panels fill the left column and then the right one, so that both end as nearly at one height as their order allows; one
 * that has no neighbour stands across both. `before` holds how many of each run stood at the left, and is told anew.
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
      const left = splitOf(run, before.get(from));
      before.set(from, left);
      const ends = [top, top];
      run.forEach((panel, k) => {
        const side = k < left ? 0 : 1;
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

/** How many stand at the left. */
function splitOf(run: readonly Panel[], before: number | undefined): number {
  const sum = (part: readonly Panel[]) => part.reduce((all, { height }) => all + height, 0);
  const tallest = (left: number) => Math.max(sum(run.slice(0, left)), sum(run.slice(left)));
  let best = 1;
  for (let left = 2; left < run.length; left++) if (tallest(left) < tallest(best)) best = left;
  return before !== undefined && tallest(before) - tallest(best) < WORTH ? before : best;
}
