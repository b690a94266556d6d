/** What grids that are compared have in common. */

/** How a grid is one of several: the host gives it as the trait "together". */
export interface Together {
  /** A layer of more functions opens in the overview, so that no grid is cut. */
  most: number;
  /** Changes with the range. */
  version(): number;
  /** Tells how far φ reaches in this grid, and gives how far in all; each has the x of its own inputs. */
  y(own: number): number;
  /** Whether others have that range, too. */
  isShared(): boolean;
}

/** A grid among others is as tall as it is. */
export const TALLEST = 6000;

export function togetherOf(get: (trait: string) => unknown): Together | null {
  return (get("together") as Together | undefined) ?? null;
}

/** The range that `count` grids have in common; `changed` is called when it is another for all but the grid that is drawn. */
export function agreement(
  count: number,
  most: number,
  changed: (drawn: number) => void = () => {},
): (grid: number) => Together {
  const ys: number[] = Array(count).fill(0);
  let y = 0;
  let version = 0;
  return (grid) => ({
    most,
    version: () => version,
    y(own) {
      const isNew = ys[grid] === 0;
      ys[grid] = own;
      const all = Math.max(...ys);
      if (all !== y || isNew) {
        y = all;
        version++;
        changed(grid);
      }
      return y;
    },
    isShared: () => ys.filter((one) => one > 0).length > 1,
  });
}
