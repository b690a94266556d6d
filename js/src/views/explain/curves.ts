/** Functions as curves: single ones with a dot at the input that they have here, or all those of a kernel. */

import { extent } from "d3-array";
import { formatNumber } from "../../phi/format.ts";
import { linear, type Range } from "../../scene/axes.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { cellBox, type Region } from "../../scene/regions.ts";
import { bandMarks, line as curve, dot, rect, segments } from "../../scene/shapes.ts";
import { fitted, fitting, widthOf } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import { type Block, type BlockStyle, type Corner, LEADING, SIZE, wordsAt } from "./block.ts";
import type { ShareCurves } from "./content.ts";
import type { List, Row } from "./rows.ts";

/** Pixels of a plot's width at least and at most, of its height, and between two. */
const [LEAST_PLOT, WIDEST_PLOT, PLOT_HEIGHT, GAP] = [88, 180, 60, 12];
/** Height of a name and what stands under it. */
const HEAD = 2 * LEADING - 4;
/** Size of what stands under a name and at the ends of an axis. */
const SMALL = 10;
/** Between the functions of a kernel, and over and under a curve. */
const [HAIR, AIR] = [4, 3];

/** The heights that functions of some rows have together, and zero. */
export function curveReach(rows: readonly Row[]): Range {
  const heights = rows.flatMap(({ curves }) => [
    ...(curves?.ys ?? []).flatMap((ys) => [...ys]),
    ...(curves?.bands ?? []).flatMap((band) => band?.range.y ?? []),
  ]);
  const [from, to] = extent([0, ...heights]) as [number, number];
  return { from, to };
}

export function curvesBlock(
  { selected, theme }: BlockStyle,
  { name, headings, rows }: List,
  [x, y]: Corner,
  width: number,
): Block {
  const { colours } = theme;
  const fit = Math.max(1, Math.floor((width + GAP) / (LEAST_PLOT + GAP)));
  const down = Math.ceil(rows.length / fit);
  const columns = Math.ceil(rows.length / down);
  const wide = Math.min(WIDEST_PLOT, (width + GAP) / columns - GAP);
  const height = HEAD + PLOT_HEIGHT + SMALL + 3;
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
  rows.forEach(({ name: whole, value, text, curves, has }, k) => {
    const cell = cellBox(region, Math.floor(k / columns), k % columns);
    const weight = has(selected) ? 600 : 400;
    const room = cell.width - widthOf(text, SIZE, weight) - 6;
    // A place in a map stands under the map's name.
    const [first, ...rest] = whole.split(" · ");
    const under = rest.join(" · ") || (curves ? `x = ${formatNumber(curves.at)}` : "");
    const place = fitting([under, under.replace("column", "col.")], cell.width, SMALL);
    const end = { weight, anchor: "end" } as const;
    marks.push(
      wordsAt(cell.x, cell.y, fitted(first, room, SIZE, weight), colours.ink, { weight }),
      wordsAt(cell.x + cell.width, cell.y, text, colours.ink, end),
      wordsAt(cell.x, cell.y + LEADING - 3, place, colours.muted, { size: SMALL }),
    );
    const plot = { ...cell, y: cell.y + HEAD, height: PLOT_HEIGHT };
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
export function kernelMarks(
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
  const { cell, outside, zero, ink, more, less, surface } = colours;
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
  const fill = value < 0 ? less : more;
  const stem = curve([across(at), up(0), across(at), up(value)], fill, { width: 2.5 });
  return [...marks, stem, dot(across(at), up(value), 4, { fill, stroke: surface, width: 1 })];
}
