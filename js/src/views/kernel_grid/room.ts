/** How the width of an overview is shared by the cells and the plot beside them. No DOM. */

/** A view at least so wide has room for a plot beside the cells. */
export const WIDE = 760;
/** Share of the width that is kept for the plot, and its least width. */
const SHARE = 0.34;
const LEAST = 260;

/** Pixels of the width that the cells get. */
export function widthOfCells(width: number): number {
  return width < WIDE ? width : width - Math.max(LEAST, Math.round(SHARE * width));
}
