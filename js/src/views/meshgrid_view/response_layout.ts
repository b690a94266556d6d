/** Where input, response maps and patch lie on a page of a given width. No DOM. */

import type { Rect } from "../../phi/geometry.ts";
import type { Swept } from "./response.ts";

/** The largest side of a figure. */
const LARGEST = 260;
const GAP = 20;
/** The height of a label above a map. */
const LABEL = 15;

export interface ResponseLayout {
  /** How many figures stand side by side: 1, 2 or 3. */
  columns: number;
  /** The columns as CSS has them. */
  template: string;
  image: Rect;
  /** The side of the patch. */
  patch: number;
  maps: MapsLayout;
}

export interface MapsLayout {
  /** Maps side by side. */
  across: number;
  size: number;
  pitchX: number;
  pitchY: number;
  /** The height of the labels; 0 without. */
  labels: number;
}

/** Side by side where there is room; `drawing` is the size of the image while nothing is swept. */
export function layOutResponse(
  width: number,
  most: number,
  count: number,
  swept: Swept | null,
  drawing: { width: number; height: number },
): ResponseLayout {
  const inner = width - 16;
  const columns = inner >= 560 ? 3 : inner >= 400 ? 2 : 1;
  const tallest = Math.max(96, Math.min(LARGEST, most - 60));
  const column = Math.floor((inner - (columns - 1) * GAP) / columns);
  const small = Math.min(tallest, columns === 3 ? Math.min(column, 210) : column);
  const map = columns === 3 ? inner - 2 * small - 2 * GAP : column;
  return {
    columns,
    template: columns === 3 ? `${small}px ${map}px ${small}px` : `repeat(${columns}, ${column}px)`,
    image: imageRect(swept, small, drawing),
    patch: small,
    maps: bestMaps(count, swept, columns === 1 ? inner : map, most),
  };
}

function imageRect(
  swept: Swept | null,
  side: number,
  drawing: { width: number; height: number },
): Rect {
  const conv = swept?.conv.padding ?? [0, 0, 0, 0];
  const w = swept ? swept.padded.width - conv[0] - conv[1] : drawing.width;
  const h = swept ? swept.padded.height - conv[2] - conv[3] : drawing.height;
  const scale = side / Math.max(w, h, 1);
  return { x: 0, y: 0, width: Math.round(w * scale), height: Math.round(h * scale) };
}

/** The size of one map and how many lie side by side, so that the maps are as large as they can be. */
function bestMaps(count: number, swept: Swept | null, width: number, most: number): MapsLayout {
  const shape = swept ? swept.height / swept.width : 1;
  const labels = count > 1 ? LABEL : 0;
  if (count <= 1) {
    const size = Math.min(width, LARGEST, Math.floor((most - 60) / Math.max(shape, 0.2)));
    return { across: 1, size, pitchX: size, pitchY: size * shape, labels };
  }
  let best = { across: 1, size: 0 };
  const tallest = Math.max(LARGEST, most - 80);
  for (let across = 1; across <= count; across++) {
    const size = Math.min(LARGEST * 0.6, Math.floor((width - (across - 1) * 8) / across));
    const rows = Math.ceil(count / across);
    const fits = rows * (size * shape + labels + 4) <= tallest;
    if (size < 44) {
      if (best.size === 0) best = { across: Math.max(1, across - 1), size: 44 };
      break;
    }
    if (fits && size > best.size) best = { across, size };
    else if (!fits) best = best.size > 0 ? best : { across, size: 0 };
  }
  if (best.size === 0) {
    const across = Math.max(1, Math.floor((width + 8) / 56));
    best = { across, size: Math.floor((width - (across - 1) * 8) / across) };
  }
  const { across, size } = best;
  return {
    across,
    size,
    pitchX: size + 8,
    pitchY: Math.round(size * shape) + labels + 4,
    labels,
  };
}

/** The maps of these outputs, one after another. */
export function placeMaps(
  outputs: readonly number[],
  swept: Swept | null,
  { across, size, pitchX, pitchY, labels }: MapsLayout,
): Map<number, Rect> {
  const shape = swept ? swept.height / swept.width : 1;
  return new Map(
    outputs.map((output, k) => [
      output,
      {
        x: 3 + (k % across) * pitchX,
        y: 3 + Math.floor(k / across) * pitchY + labels,
        width: size - 6,
        height: Math.round((size - 6) * shape),
      },
    ]),
  );
}
