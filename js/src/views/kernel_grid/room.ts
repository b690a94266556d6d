/** How the room of an overview is shared by the cells and the plot beside or below them. No DOM. */

/** A view at least so wide has room for a plot beside the cells. */
export const WIDE = 760;
/** Share of the width that is kept for the plot, and its least width. */
const SHARE = 0.34;
const LEAST = 260;

/** Between plots of a kernel: closer, the curves of a row are read as one line. */
export const APART = 5;

/** Where grids are compared, plots of a kernel may be so small and so close that all fit the room: first the largest. */
export const COMPACT = [22, 20, 18, 16, 14];
export const CLOSE = 3;

/** Above the plot, for two lines of words; and the least height of the plot with them, below the cells. */
export const HEAD = 40;
export const PLOT = HEAD + 148;
/** Cells that are smaller are hard to point at: they get the plot's room, too. */
export const LEAST_CELL = 3;

/** Pixels of the width that the cells get. */
export function widthOfCells(width: number): number {
  return width < WIDE ? width : width - Math.max(LEAST, Math.round(SHARE * width));
}
