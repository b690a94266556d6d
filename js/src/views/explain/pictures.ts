/** The image, the map of shares beside it with its scale, and smaller maps side by side. No DOM. */

import { number } from "../../phi/format.ts";
import { ARM, paletteOf } from "../../phi/palette.ts";
import { heatOf } from "../../scene/heat.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { cellBox, type Region } from "../../scene/regions.ts";
import { segments } from "../../scene/shapes.ts";
import { fitted, fitting, widthOf } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import {
  type Block,
  boxIn,
  type Drawn,
  framed,
  GAP,
  LINE,
  line,
  type Place,
  type Plate,
  SIZE,
} from "./block.ts";
import { type MapOf, mapOf, mapTitle, type Span } from "./content.ts";
import type { Row } from "./rows.ts";
import { placeText } from "./words.ts";

const SCALE = 9;
/** Between maps, and below their heading, for the frame of a map. */
const BETWEEN = 12;
const AIR = 4;
/** Pixels of height that a free place in the last row weighs as much as. */
const EMPTY = 20;
/** Pixels of a map at least, for the number over it, and at most. */
const [LEAST, LARGEST] = [60, 224];

export function imageBlock(
  { image, pixels }: Plate,
  [x, y]: Place,
  side: number,
  theme: Theme,
): Block {
  const { muted, line: stroke } = theme.colours;
  const box = { x, y: y + LINE, ...boxIn(image, side) };
  const title = `the image, ${image.height} × ${image.width}`;
  const words = () => `${title} pixels`;
  return {
    marks: [
      line(x, y, fitted(title, side, SIZE), muted),
      { kind: "image", box, pixels },
      framed(box, stroke),
    ],
    region: { name: "image", box, rows: 1, columns: 1, cursor: "", words },
    top: y,
    bottom: box.y + box.height,
  };
}

/** The map of a share, or else of all together, on a scale that stands under it: the same call for the palette's colours. */
export function mapBlock(
  { part, plate, span, theme }: Drawn,
  shown: number,
  [x, y]: Place,
  side: number,
): Block | null {
  const own = mapOf(part, shown);
  const map = own ?? part.total;
  if (!map || !plate) return null;
  const box = { x, y: y + LINE, ...boxIn(plate.image, side) };
  const title = mapTitle(part, own ? shown : -1);
  const titles = [`where it comes from: ${title}`, `from where: ${title}`, title];
  return {
    marks: [
      line(x, y, fitting(titles, side, SIZE), theme.colours.muted),
      ...mapMarks(plate, map, span.most, box, theme),
      ...scaleMarks(box.x, box.y + box.height + 6, box.width, span, theme),
    ],
    region: {
      name: "map",
      box,
      rows: map.height,
      columns: map.width,
      home: [map.height >> 1, map.width >> 1],
      cursor: part.kind === "functions" ? "pointer" : "crosshair",
      words: (row, column) => placeText(map, row, column),
    },
    top: y,
    bottom: box.y + box.height + 6 + SCALE + 2 * LINE,
  };
}

/** A map with its frame, and the outline of the image over it. */
export function mapMarks(
  { image, edges }: Plate,
  map: MapOf,
  most: number,
  box: Rect,
  theme: Theme,
): Mark[] {
  const { outline, line: stroke } = theme.colours;
  const pixels = heatOf(map.data, map.width, most, paletteOf(theme.name));
  const unit = box.width / image.width;
  const xy = edges.map((place, k) => (k % 2 ? box.y : box.x) + unit * place);
  const over = xy.length > 0 ? [segments(xy, outline)] : [];
  return [{ kind: "image", box, pixels }, ...over, framed(box, stroke)];
}

/** From −most to +most in the colours of the map, with its ends, its zero, and what they mean. */
function scaleMarks(
  x: number,
  y: number,
  width: number,
  { most, cut }: Span,
  theme: Theme,
): Mark[] {
  const { muted, line: stroke } = theme.colours;
  const steps = 2 * ARM + 1;
  const values = Float64Array.from({ length: steps }, (_, k) => (most * (k - ARM)) / ARM);
  const box = { x, y, width, height: SCALE };
  const pixels = heatOf(values, steps, most, paletteOf(theme.name));
  const [first, second] = [y + SCALE + 2, y + SCALE + LINE - 1];
  const long = widthOf("lowers the score", SIZE) + widthOf("raises it", SIZE) + GAP <= width;
  const end = { anchor: "end" } as const;
  return [
    { kind: "image", box, pixels, smooth: true },
    framed(box, stroke),
    line(x, first, `${cut ? "≤ " : ""}${number(-most)}`, muted),
    line(x + width / 2, first, "0", muted, { anchor: "middle" }),
    line(x + width, first, `${cut ? "≥ " : ""}+${number(most)}`, muted, end),
    line(x, second, long ? "lowers the score" : "lowers", muted),
    line(x + width, second, long ? "raises it" : "raises", muted, end),
  ];
}

const sideIn = (columns: number, width: number) =>
  Math.min(LARGEST, Math.floor((width - (columns - 1) * BETWEEN) / columns));

/** As many columns as make the block about so tall. */
function columnsFor(count: number, width: number, tall: number): number {
  const most = Math.max(1, Math.min(count, Math.floor((width + BETWEEN) / (LEAST + BETWEEN))));
  let [best, least] = [most, Number.POSITIVE_INFINITY];
  for (let columns = most; columns > 0; columns--) {
    const rows = Math.ceil(count / columns);
    const empty = rows * columns - count;
    const height = rows * (sideIn(columns, width) + LINE + BETWEEN);
    const off = Math.abs(height - tall) + EMPTY * empty;
    if (off < least) [best, least] = [columns, off];
  }
  return best;
}

/** The maps of rows side by side, as large as there is room for; `left`: so many other rows have one too. */
export function mapsBlock(
  { selected, span, theme }: Drawn,
  plate: Plate,
  rows: readonly Row[],
  left: number,
  [x, y]: Place,
  [width, tall]: readonly [number, number],
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
      width: columns * (side + BETWEEN) - BETWEEN,
      height: down * (LINE + size.height + BETWEEN) - BETWEEN,
    },
    rows: down,
    columns,
    count: rows.length,
    gap: BETWEEN,
    words: (row, column) => rows[row * columns + column]?.words ?? "",
  };
  const which = left > 0 ? `the first ${rows.length} come` : "each comes";
  const headings = [`where ${which} from, on the same scale`, `where ${which} from`, "from where"];
  const marks: Mark[] = [line(x, y, fitting(headings, width, SIZE), colours.muted)];
  rows.forEach((row, k) => {
    if (!row.map) return;
    const cell = cellBox(region, Math.floor(k / columns), k % columns);
    const weight = row.has(selected) ? 600 : 400;
    const [name, value] = [row.name, row.text].map((text) => widthOf(text, SIZE, weight));
    // Both where there is room; the number stands beside its bar too.
    const named = name <= size.width;
    if (named) marks.push(line(cell.x, cell.y, row.name, colours.ink, { weight }));
    if (!named || name + 6 + value <= size.width) {
      const text = fitted(row.text, size.width, SIZE, weight);
      marks.push(line(cell.x + size.width, cell.y, text, colours.muted, { weight, anchor: "end" }));
    }
    const box = { x: cell.x, y: cell.y + LINE, ...size };
    marks.push(...mapMarks(plate, row.map, span.most, box, theme));
  });
  return { marks, region, top: y, bottom: region.box.y + region.box.height };
}
