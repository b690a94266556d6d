/** Where the cells lie in the room there is, and in an overview the plot beside or below them. No DOM. */

import { type Arrangement, arrange, GROUP } from "../../phi/geometry.ts";
import type { LayerLayout } from "../../wire/types.ts";
import { isFlat, MOST_CURVES, type Settings } from "./settings.ts";

/** A view at least so wide has room for a plot beside the cells. */
export const WIDE = 760;
/** Share of the width that is kept for the plot, and its least width. */
const SHARE = 0.34;
const LEAST = 260;

/** Between plots of a kernel: closer, the curves of a row are read as one line. */
const APART = 5;

/** Where grids are compared, plots of a kernel may be so small and so close that all fit the room: first the largest. */
const COMPACT = [22, 20, 18, 16, 14];
const CLOSE = 3;

/** Above the plot, for two lines of words; and the least height of the plot with them, below the cells. */
export const HEAD = 40;
export const PLOT = HEAD + 148;
/** Cells that are smaller are hard to point at: they get the plot's room, too. */
const LEAST_CELL = 3;

/** Pixels of the width that the cells get. */
function widthOfCells(width: number): number {
  return width < WIDE ? width : width - Math.max(LEAST, Math.round(SHARE * width));
}

/** What is to lie where. */
interface Space {
  layer: LayerLayout;
  settings: Settings;
  width: number;
  /** Pixels down. */
  room?: number;
  order?: readonly number[] | null;
  /** Another grid lies beside it. */
  compared: boolean;
}

/** Where the cells lie; where those of single functions would be too small, each is a kernel. */
export function arranged(
  { layer, settings, width, order = null, room = 0, compared }: Space,
  shape: readonly [number, number, number, number],
): { arrangement: Arrangement; unit: number } {
  const [out, inputs, kh, kw] = shape;
  const overview = settings.mode === "overview";
  const flat = isFlat(settings);
  const across = overview ? widthOfCells(width) : width;
  const tiny = overview || (flat && layer.count > MOST_CURVES);
  const folded = shape !== layer.shape;
  const cells = {
    kind: kh * kw > 1 ? ("conv" as const) : layer.kind,
    out,
    in: inputs,
    column: folded ? "channel" : layer.kind === "elementwise" ? GROUP : "input",
    names: layer.names,
    // A folded layer has a column for each channel, not for each input.
    inputNames: folded ? undefined : layer.inputNames,
    corner: layer.window ? ([layer.window.out, layer.window.in] as const) : undefined,
  };
  const of = (down: number, size: readonly [number, number], apart = APART, least?: number) => {
    const own = { ...cells, kh: size[0], kw: size[1], apart: flat ? undefined : apart, least };
    return arrange(own, across, order, down, tiny);
  };
  const within = (down: number, least: number) => {
    const usual = of(down, [kh, kw]);
    // Beside another grid it is as tall as that where its cells can be small enough.
    const smaller = compared && !flat && usual.height > down ? COMPACT : [];
    const compact = smaller.map((cell) => of(down, [kh, kw], CLOSE, cell));
    const arrangement = compact.find(({ height }) => height <= down) ?? usual;
    // A folded map is read as a picture: it scrolls rather than becoming one cell.
    const tooMany = arrangement.cell < least || arrangement.height > down;
    const small = overview && layer.kind === "conv" && kh * kw > 1 && tooMany;
    return small ? { arrangement: of(down, [1, 1]), unit: kh * kw } : { arrangement, unit: 1 };
  };
  if (!overview || width >= WIDE) return within(room, 1);
  // The plot lies below.
  const above = within(room - PLOT, LEAST_CELL);
  return above.arrangement.cell < LEAST_CELL ? within(room, 1) : above;
}
