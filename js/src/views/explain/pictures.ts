/** The image, the map of shares beside it with its scale, and smaller maps side by side. */

import { paletteOf } from "../../phi/palette.ts";
import { colourKey, heatOf, KEY_HEIGHT } from "../../scene/heat.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { cellBox, type Region } from "../../scene/regions.ts";
import { segments } from "../../scene/shapes.ts";
import { outline } from "../../scene/strokes.ts";
import { fitted, fitting, widthOf } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import {
  type Block,
  type BlockStyle,
  boxIn,
  type Corner,
  LEADING,
  type Plate,
  SIZE,
  wordsAt,
} from "./block.ts";
import { type MapOf, mapTitle, shareMap } from "./content.ts";
import { curveReach, kernelMarks } from "./curves.ts";
import type { Row } from "./rows.ts";
import { mapPixelText } from "./words.ts";

const MEANING = { below: ["lowers the score", "lowers"], above: ["raises it", "raises"] } as const;
/** Between maps, and below their heading, for the frame of a map. */
const MAP_GAP = 12;
const FRAME_AIR = 4;
/** Between the map of a kernel and its functions. */
const CURVES_GAP = 4;
/** Pixels of a map at least, and at most. */
const [SMALLEST_MAP, LARGEST_MAP] = [60, 224];

export function imageBlock(
  { image, pixels }: Plate,
  [x, y]: Corner,
  side: number,
  theme: Theme,
): Block {
  const { muted, line: stroke } = theme.colours;
  const box = { x, y: y + LEADING, ...boxIn(image, side) };
  const title = `the input, ${image.height} × ${image.width}`;
  const words = () => `${title} pixels`;
  return {
    marks: [
      wordsAt(x, y, fitted(title, side, SIZE), muted),
      { kind: "image", box, pixels },
      outline(box, stroke),
    ],
    region: { name: "image", box, rows: 1, columns: 1, cursor: "", words },
    top: y,
    bottom: box.y + box.height,
  };
}

/** The map of a share, or else of all together, on a scale that stands under it: the same call for the palette's colours. */
export function mapBlock(
  { part, plate, span, theme }: BlockStyle,
  shown: number,
  [x, y]: Corner,
  side: number,
): Block | null {
  const own = shareMap(part, shown);
  const map = own ?? part.total;
  if (!map || !plate) return null;
  const box = { x, y: y + LEADING, ...boxIn(plate.image, side) };
  const title = mapTitle(part, own ? shown : -1);
  const titles = [`where it comes from: ${title}`, `where from: ${title}`, title];
  return {
    marks: [
      wordsAt(x, y, fitting(titles, side, SIZE), theme.colours.muted),
      ...mapMarks(plate, map, span.most, box, theme),
      ...colourKey([box.x, box.y + box.height + 6, box.width], { ...span, ...MEANING }, theme),
    ],
    region: {
      name: "map",
      box,
      rows: map.height,
      columns: map.width,
      home: [map.height >> 1, map.width >> 1],
      cursor: part.kind === "functions" ? "pointer" : "crosshair",
      words: (row, column) => mapPixelText(map, row, column),
    },
    top: y,
    bottom: box.y + box.height + 6 + KEY_HEIGHT,
  };
}

/** A map with its frame, and the outline of the image over it. */
function mapMarks(
  { image, edges }: Plate,
  map: MapOf,
  most: number,
  box: Rect,
  theme: Theme,
): Mark[] {
  const { outline: edge, line: stroke } = theme.colours;
  const pixels = heatOf(map.data, map.width, most, paletteOf(theme.name));
  const unit = box.width / image.width;
  const xy = edges.map((place, k) => (k % 2 ? box.y : box.x) + unit * place);
  const over = xy.length > 0 ? [segments(xy, edge)] : [];
  return [{ kind: "image", box, pixels }, ...over, outline(box, stroke)];
}

/** The maps of rows side by side, as large as there is room for; `left` is how many other rows have one too. */
export function mapsBlock(
  { part, selected, span, theme }: BlockStyle,
  plate: Plate,
  rows: readonly Row[],
  left: number,
  [x, y]: Corner,
  width: number,
): Block {
  const { colours } = theme;
  // Each has its name over it.
  const names = rows.map(({ name }) => Math.ceil(widthOf(name, SIZE, 600)));
  const least = Math.min(LARGEST_MAP, Math.max(SMALLEST_MAP, ...names));
  const fit = Math.max(1, Math.floor((width + MAP_GAP) / (least + MAP_GAP)));
  const down = Math.ceil(rows.length / fit);
  const columns = Math.ceil(rows.length / down);
  const side = Math.min(LARGEST_MAP, Math.floor((width + MAP_GAP) / columns) - MAP_GAP);
  const size = boxIn(plate.image, side);
  // Under the map of a kernel stand its functions.
  const [tall, wide] = part.kernel;
  const hasCurves = part.kind === "kernels" && rows.some(({ curves }) => curves);
  const under = hasCurves ? Math.min(size.width, (size.width * tall) / wide) + CURVES_GAP : 0;
  const region: Region = {
    name: "maps",
    box: {
      x,
      y: y + LEADING + FRAME_AIR,
      width: columns * (side + MAP_GAP) - MAP_GAP,
      height: down * (LEADING + size.height + under + MAP_GAP) - MAP_GAP,
    },
    rows: down,
    columns,
    count: rows.length,
    gap: MAP_GAP,
    words: (row, column) => rows[row * columns + column]?.words ?? "",
  };
  const which = left > 0 ? `each of the first ${rows.length}` : "each";
  const headings = hasCurves
    ? [
        `the map of ${which} alone, in the same colours, and its functions`,
        `${which}: map, functions`,
      ]
    : [`the map of ${which} alone, in the same colours`, `the map of ${which} alone`];
  const reach = curveReach(rows);
  const marks: Mark[] = [wordsAt(x, y, fitting(headings, width, SIZE), colours.muted)];
  rows.forEach((row, k) => {
    if (!row.map) return;
    const cell = cellBox(region, Math.floor(k / columns), k % columns);
    const weight = row.has(selected) ? 600 : 400;
    const [name, value] = [row.name, row.text].map((text) => widthOf(text, SIZE, weight));
    const text = fitted(row.name, size.width, SIZE, weight);
    marks.push(wordsAt(cell.x, cell.y, text, colours.ink, { weight }));
    // The number, which stands beside its bar too, where there is room for both.
    if (name + 6 + value <= size.width) {
      const how = { weight, anchor: "end" } as const;
      marks.push(wordsAt(cell.x + size.width, cell.y, row.text, colours.muted, how));
    }
    const box = { x: cell.x, y: cell.y + LEADING, ...size };
    marks.push(...mapMarks(plate, row.map, span.most, box, theme));
    if (!row.curves || !hasCurves) return;
    const below = { x: box.x, y: box.y + box.height + CURVES_GAP, width: box.width };
    const height = under - CURVES_GAP;
    marks.push(...kernelMarks({ ...below, height }, row.curves, part.kernel, reach, theme));
  });
  return { marks, region, top: y, bottom: region.box.y + region.box.height };
}
