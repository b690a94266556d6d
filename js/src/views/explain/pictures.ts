/** The image, the map of shares beside it with its scale, smaller maps side by side, and functions as curves. */

import { extent } from "d3-array";
import { formatNumber } from "../../phi/format.ts";
import { paletteOf } from "../../phi/palette.ts";
import { linear, type Range } from "../../scene/axes.ts";
import { colourKey, heatOf, KEY_HEIGHT } from "../../scene/heat.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { exampleMarks } from "../../scene/phi_plot.ts";
import { cellBox, type Region } from "../../scene/regions.ts";
import { bandMarks, line as curve, outline, rect, segments } from "../../scene/shapes.ts";
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
import { type MapOf, mapTitle, type ShareCurves, shareMap, signed } from "./content.ts";
import type { List, Row } from "./rows.ts";

const MEANING = { below: ["lowers the score", "lowers"], above: ["raises it", "raises"] } as const;
/** Between maps, and below their heading, for the frame of a map. */
const MAP_GAP = 12;
const FRAME_AIR = 4;
/** Between the map of a kernel and its functions. */
const CURVES_GAP = 4;
/** Those are lower than the map is wide. */
const FLAT = 0.55;
/** Pixels of a map at least, and at most. */
const SMALLEST_MAP = { functions: 48, kernels: 60 };
const LARGEST_MAP = 224;

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
      words: (row, column) =>
        `row ${row} · column ${column} of the map: ${signed(map.data[row * map.width + column])}`,
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
  const least = Math.min(LARGEST_MAP, Math.max(SMALLEST_MAP[part.kind], ...names));
  const fit = Math.max(1, Math.floor((width + MAP_GAP) / (least + MAP_GAP)));
  const down = Math.ceil(rows.length / fit);
  const columns = Math.ceil(rows.length / down);
  const side = Math.min(LARGEST_MAP, Math.floor((width + MAP_GAP) / columns) - MAP_GAP);
  const size = boxIn(plate.image, side);
  // Under the map of a kernel stand its functions.
  const [tall, wide] = part.kernel;
  const hasCurves = part.kind === "kernels" && rows.some(({ curves }) => curves);
  const under = hasCurves
    ? Math.min(FLAT * size.width, (size.width * tall) / wide) + CURVES_GAP
    : 0;
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
  const which = left > 0 ? `maps of the first ${rows.length}, one by one` : "the map of each alone";
  const headings = hasCurves
    ? [`${which}, in the same colours, and functions`, "maps and functions"]
    : [`${which}, in the same colours`, which];
  const reach = curveReach(rows);
  // The numbers, which stand beside the bars too, where there is room for each.
  const isNumbered = rows.every(
    ({ name, text }) => widthOf(name, SIZE, 600) + 6 + widthOf(text, SIZE, 600) <= size.width,
  );
  const marks: Mark[] = [wordsAt(x, y, fitting(headings, width, SIZE), colours.muted)];
  rows.forEach((row, k) => {
    if (!row.map) return;
    const cell = cellBox(region, Math.floor(k / columns), k % columns);
    const weight = row.has(selected) ? 600 : 400;
    const text = fitted(row.name, size.width, SIZE, weight);
    marks.push(wordsAt(cell.x, cell.y, text, colours.ink, { weight }));
    if (isNumbered) {
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

/** Pixels of a plot's width at least, between two, and of its width at most and its height; of a few without pictures; from so many on they stand in two rows. */
const [LEAST_PLOT, GAP, USUAL, ROOMY, FEW_PLOTS, TWO_ROWS] = [80, 12, [180, 52], [300, 130], 6, 10];
/** Height of a name and what stands under it. */
const HEAD = 2 * LEADING - 4;
/** Size of what stands under a name and at the ends of an axis. */
const SMALL = 10;
/** Between the functions of a kernel, and over and under a curve. */
const [HAIR, AIR] = [4, 3];

/** The heights that functions of some rows have together, and zero. */
function curveReach(rows: readonly Row[]): Range {
  const heights = rows.flatMap(({ curves }) => [
    ...(curves?.ys ?? []).flatMap((ys) => [...ys]),
    ...(curves?.bands ?? []).flatMap((band) => band?.range.y ?? []),
  ]);
  const [from, to] = extent([0, ...heights]) as [number, number];
  return { from, to };
}

export function curvesBlock(
  { selected, theme, plate }: BlockStyle,
  { name, headings, rows }: List,
  [x, y]: Corner,
  width: number,
): Block {
  const { colours } = theme;
  const fit = Math.max(1, Math.floor((width + GAP) / (LEAST_PLOT + GAP)));
  const down = Math.max(rows.length < TWO_ROWS ? 1 : 2, Math.ceil(rows.length / fit));
  const columns = Math.ceil(rows.length / down);
  const [widest, tall] = plate || rows.length > FEW_PLOTS ? USUAL : ROOMY;
  const wide = Math.min(widest, (width + GAP) / columns - GAP);
  const height = HEAD + tall + SMALL + 3;
  const size = { width: columns * (wide + GAP) - GAP, height: down * (height + GAP) - GAP };
  const region: Region = {
    ...{ name, box: { x, y: y + LEADING + 2, ...size }, rows: down, columns, count: rows.length },
    gap: GAP,
    words(row, column) {
      const { words = "", curves } = rows[row * columns + column] ?? {};
      return curves ? `${words} · x = ${formatNumber(curves.at)}` : words;
    },
  };
  const reach = curveReach(rows);
  const goesOn = ({ curves }: Row) =>
    curves && (curves.x[0] < curves.domain[0] || curves.x[curves.x.length - 1] > curves.domain[1]);
  const scale = `φ from ${formatNumber(reach.from)} to ${formatNumber(reach.to)}`;
  const grey = rows.some(goesOn) ? ", grey outside the grid" : "";
  const all = [`; ${scale}${grey}`, `; ${scale}`, ""].flatMap((more) => {
    return headings.map((text) => text + more);
  });
  const marks: Mark[] = [wordsAt(x, y, fitting(all, width, SIZE), colours.muted)];
  // All are called alike.
  const isLong = rows.some(({ name, text }) => {
    return widthOf(name.split(" · ")[0], SIZE, 600) + widthOf(text, SIZE, 600) + 6 > wide;
  });
  rows.forEach(({ name: whole, value, text, curves, has }, k) => {
    const cell = cellBox(region, Math.floor(k / columns), k % columns);
    const weight = has(selected) ? 600 : 400;
    const room = cell.width - widthOf(text, SIZE, weight) - 6;
    // A place in a map stands under the map's name.
    const [first, ...rest] = whole.split(" · ");
    const name = isLong ? first.split(" of layer ")[0] : first;
    const under = rest.join(" · ") || (curves ? `x = ${formatNumber(curves.at)}` : "");
    const place = fitting([under, under.replace("column", "col.")], cell.width, SMALL);
    const end = { weight, anchor: "end" } as const;
    marks.push(
      wordsAt(cell.x, cell.y, fitted(name, room, SIZE, weight), colours.ink, { weight }),
      wordsAt(cell.x + cell.width, cell.y, text, colours.ink, end),
      wordsAt(cell.x, cell.y + LEADING - 3, place, colours.muted, { size: SMALL }),
    );
    const plot = { ...cell, y: cell.y + HEAD, height: tall };
    if (!curves) return;
    marks.push(...plotMarks(plot, curves, 0, reach, theme, value));
    const [low, high] = [curves.x[0], curves.x[curves.x.length - 1]].map(formatNumber);
    const base = plot.y + plot.height - 1;
    const look = { size: SMALL, anchor: "end" } as const;
    marks.push(wordsAt(plot.x, base, low, colours.muted, { size: SMALL }));
    marks.push(wordsAt(plot.x + plot.width, base, high, colours.muted, look));
  });
  return { marks, region, top: y, bottom: region.box.y + size.height };
}

/** The functions of a kernel, in its rows. */
function kernelMarks(
  box: Rect,
  curves: ShareCurves,
  [rows, columns]: readonly [number, number],
  reach: Range,
  theme: Theme,
): Mark[] {
  return curves.ys.flatMap((_, k) => {
    const cell = cellBox({ box, rows, columns, gap: HAIR }, Math.floor(k / columns), k % columns);
    return plotMarks(cell, curves, k, reach, theme);
  });
}

/** A function, and what it makes of its input, in the colour of its sign. */
function plotMarks(
  box: Rect,
  { x, ys, bands, at, domain }: ShareCurves,
  k: number,
  reach: Range,
  { colours }: Theme,
  value = Number.NaN,
): Mark[] {
  const { cell, outside, zero, ink } = colours;
  const across = linear({ from: x[0], to: x[x.length - 1] }, box.x, box.x + box.width);
  const up = linear(reach, box.y + box.height - AIR, box.y + AIR);
  const xy = Array.from(x).flatMap((one, p) =>
    Number.isFinite(ys[k][p]) ? [across(one), up(ys[k][p])] : [],
  );
  const [left, right] = domain.map((end) =>
    Math.max(box.x, Math.min(box.x + box.width, across(end))),
  );
  const marks: Mark[] = [
    rect(box, { fill: outside }),
    rect({ ...box, x: left, width: right - left }, { fill: cell }),
    segments([box.x, up(0), box.x + box.width, up(0)], zero),
    ...bandMarks([bands[k] && { ...bands[k], at: (x, y) => [across(x), up(y)] }], colours),
    curve(xy, ink, { width: 1.5, round: true }),
  ];
  if (!Number.isFinite(at + value)) return marks;
  return [...marks, ...exampleMarks([across(at), up(0), up(value)], value, 4, colours)];
}
