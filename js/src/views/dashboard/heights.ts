/** How high the rows of panels are. */

import { sum } from "d3-array";

/** Pixels of a panel: beside its drawing, and of the drawing at most and at least. */
export interface Size {
  around: number;
  most: number;
  least: number;
}

/** Numbers of the panels in each row: two, or one that is wide or has no neighbour. */
export function rowsOf(wide: readonly boolean[]): number[][] {
  const rows: number[][] = [];
  let open = false;
  wide.forEach((isWide, k) => {
    if (open && !isWide) rows[rows.length - 1].push(k);
    else rows.push([k]);
    open = !isWide && !open;
  });
  return rows;
}

/** The least that all rows take. */
export function leastOf(rows: readonly (readonly Size[])[]): number {
  return sum(rows.map((row) => Math.max(...row.map(({ around, least }) => around + least))));
}

/** Pixels of each row within `free`, each giving up the same share of what it can do without; where they fill it, with what is left. */
export function heightsOf(
  rows: readonly (readonly Size[])[],
  free: number,
  fills = false,
): number[] {
  const tall = rows.map((row) => Math.max(...row.map(({ around, most }) => around + most)));
  const left = free - sum(tall);
  if (left >= 0) return tall.map((height) => height + (fills ? left / rows.length : 0));
  const share = Math.min(1, -left / Math.max(1, sum(tall) - leastOf(rows)));
  return tall.map((height, k) => height - share * (height - leastOf([rows[k]])));
}
