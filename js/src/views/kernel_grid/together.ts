/** What grids that are compared have in common. No DOM. */

/** How a grid is one of several: the host gives it as the trait "together". */
export interface Together {
  /** A layer of more functions opens in the overview, so that no grid is cut. */
  most: number;
  /** Changes with the ranges. */
  version(): number;
  /** Tells the x of this grid, and gives the x of all. */
  x(own: readonly [number, number]): [number, number];
  /** Likewise for how far φ reaches. */
  y(own: number): number;
}

/** A grid among others is as tall as it is. */
export const TALLEST = 6000;

export function togetherOf(get: (trait: string) => unknown): Together | null {
  return (get("together") as Together | undefined) ?? null;
}

/** The ranges that `count` grids have in common; `changed` is called when they are others for all but the grid that is drawn. */
export function agreement(
  count: number,
  most: number,
  changed: (drawn: number) => void = () => {},
): (grid: number) => Together {
  const xs: (readonly [number, number])[] = Array(count).fill([]);
  const ys: number[] = Array(count).fill(0);
  let x: [number, number] = [0, 0];
  let y = 0;
  let version = 0;
  const news = (grid: number) => {
    version++;
    changed(grid);
  };
  return (grid) => ({
    most,
    version: () => version,
    x(own) {
      xs[grid] = own;
      const [low, high] = [Math.min(...xs.flat()), Math.max(...xs.flat())];
      if (low !== x[0] || high !== x[1]) {
        x = [low, high];
        news(grid);
      }
      return x;
    },
    y(own) {
      ys[grid] = own;
      const all = Math.max(...ys);
      if (all !== y) {
        y = all;
        news(grid);
      }
      return y;
    },
  });
}
