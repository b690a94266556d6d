/** The maps of the shares in a list, side by side, as large as there is room for. No DOM. */

import type { Mark } from "../../scene/marks.ts";
import { cellBox, type Region } from "../../scene/regions.ts";
import { fitted, widthOf } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import { type Block, LINE, line, SIZE } from "./block.ts";
import { boxIn, mapMarks, type Plate } from "./pictures.ts";
import type { Row } from "./rows.ts";
import { fitting } from "./words.ts";

const GAP = 12;
/** Below the heading, for the frame of a map. */
const AIR = 4;
/** Pixels of height that a free place in the last row weighs as much as. */
const EMPTY = 20;
/** Pixels of a map at least, for the number over it, and at most. */
const [LEAST, LARGEST] = [60, 224];

/** As many columns as make the block about so tall. */
function columnsFor(count: number, width: number, tall: number): number {
  const most = Math.max(1, Math.min(count, Math.floor((width + GAP) / (LEAST + GAP))));
  let [best, least] = [most, Number.POSITIVE_INFINITY];
  for (let columns = most; columns > 0; columns--) {
    const rows = Math.ceil(count / columns);
    const empty = rows * columns - count;
    const off = Math.abs(rows * (sideIn(columns, width) + LINE + GAP) - tall) + EMPTY * empty;
    if (off < least) [best, least] = [columns, off];
  }
  return best;
}

const sideIn = (columns: number, width: number) =>
  Math.min(LARGEST, Math.floor((width - (columns - 1) * GAP) / columns));

/** Maps of rows; `left`: so many other rows have one too. */
export function mapsBlock(
  rows: readonly Row[],
  left: number,
  plate: Plate,
  most: number,
  selected: number,
  [x, y]: readonly [number, number],
  [width, tall]: readonly [number, number],
  theme: Theme,
): Block {
  const { colours } = theme;
  const columns = columnsFor(rows.length, width, tall - LINE);
  const side = sideIn(columns, width);
  const size = boxIn(plate.image, side);
  const down = Math.ceil(rows.length / columns);
  const region: Region = {
    name: "maps",
    box: {
      x,
      y: y + LINE + AIR,
      width: columns * (side + GAP) - GAP,
      height: down * (LINE + size.height + GAP) - GAP,
    },
    rows: down,
    columns,
    count: rows.length,
    gap: GAP,
    words: (row, column) => rows[row * columns + column]?.words ?? "",
  };
  const which = left > 0 ? `the first ${rows.length} come` : "each comes";
  const heading = fitting(
    [`where ${which} from, on the same scale`, `where ${which} from`, "from where"],
    width,
  );
  const marks: Mark[] = [line(x, y, heading, colours.muted)];
  rows.forEach((row, k) => {
    if (!row.map) return;
    const cell = cellBox(region, Math.floor(k / columns), k % columns);
    const weight = row.has(selected) ? 600 : 400;
    const value = row.text;
    const [name, number] = [row.name, value].map((text) => widthOf(text, SIZE, weight));
    // Both where there is room; the number stands beside its bar too.
    const named = name <= size.width;
    if (named) marks.push(line(cell.x, cell.y, row.name, colours.ink, { weight }));
    if (!named || name + 6 + number <= size.width) {
      const text = fitted(value, size.width, SIZE, weight);
      const at = cell.x + size.width;
      marks.push(line(at, cell.y, text, colours.muted, { weight, anchor: "end" }));
    }
    const box = { x: cell.x, y: cell.y + LINE, ...size };
    marks.push(...mapMarks(plate, row.map, most, box, theme));
  });
  return { marks, regions: [region], top: y, bottom: region.box.y + region.box.height };
}
