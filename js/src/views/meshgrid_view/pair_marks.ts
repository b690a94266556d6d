/** Draws a pair: the map of its kernel, the surface with contours and the density of the inputs, and its axes. */

import { formatNumber } from "../../phi/format.ts";
import { contour, type Density, type LabelPlace, placeLabel, type XY } from "../../phi/pair.ts";
import { colourise, colourOf, paletteOf } from "../../phi/palette.ts";
import { axesMarks, numbersAlong } from "../../scene/axes.ts";
import { cssOf, heatOf, sheetOf } from "../../scene/heat.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { type Cell, cellBox } from "../../scene/regions.ts";
import {
  bandMarks,
  cursorMark,
  dot,
  flat,
  framed,
  grown,
  interrupted,
  line,
  outline,
  rects,
  segments,
  words,
} from "../../scene/shapes.ts";
import { widthOf } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import type { Pair, PairLayout, PairReading } from "./pair_picture.ts";
import { curvesOver } from "./ramp_scene.ts";

const LABEL_SIZE = 11;
const HEAD_SIZE = 12;
const TICK_LENGTH = 4;
/** Pixels across of the smallest tiles with a curve, and with a letter on them. */
const [LEAST_WITH_CURVE, LEAST_WITH_BADGE] = [24, 60];
/** No dot hides the map under it. */
const LARGEST_DOT = 2.5;

/** Every entry as its own φ from the low end of the grid to the high one, in the colours of the surface. */
export function pairKernelMarks(
  { group, title, strips, most, entries, names, ends }: Pair,
  { kernel, head, names: place }: PairLayout,
  { hovered, keyboard }: { hovered: number; keyboard: Cell | null },
  theme: Theme,
): Mark[] {
  const { colours } = theme;
  const { ink, accent, surface } = colours;
  const palette = paletteOf(theme.name);
  const box = (entry: number) =>
    cellBox(kernel, Math.floor(entry / group.columns), entry % group.columns);
  const points = strips[0].length;
  const sheet = sheetOf(strips.length, points, 1, (k, pixels) =>
    colourise(strips[k], most, palette, pixels, points),
  );
  const cells = strips.map((_, k) => box(k));
  const boxes = cells.flatMap(flat);
  const marks: Mark[] = [
    { kind: "tiles", boxes, ...sheet },
    rects(boxes, { stroke: colours.line }),
  ];
  if (cells[0].width >= LEAST_WITH_CURVE) {
    const { x, y, height } = kernel.box;
    marks.push(...curvesOver(cells, (k) => strips[k], most, colours));
    marks.push(words(x, y + height + LABEL_SIZE + 3, ends, colours.muted));
  }
  if (hovered >= 0) marks.push(outline(box(hovered), ink));
  // That along x lies over that along y.
  for (const k of [1, 0]) {
    const cell = box(entries[k]);
    const [text, colour] = k === 0 ? ["x", accent] : ["y", ink];
    marks.push(...framed(cell, colour, colours));
    const inner = k === 0 ? cell.x + 8 : cell.x + cell.width - 8;
    if (cell.width >= LEAST_WITH_BADGE)
      marks.push(...badge(text, inner, cell.y + 9, colour, surface));
  }
  if (keyboard?.name === kernel.name) {
    marks.push(cursorMark(cellBox(kernel, keyboard.row, keyboard.column), colours, -2));
  }
  names.forEach((name, k) => {
    const y = place.y[k];
    marks.push(...badge("xy"[k], place.x + 6, y - 4, k === 0 ? accent : ink, surface));
    marks.push(words(place.x + 20, y, name, ink));
  });
  return [...marks, words(head.x, head.y, title, ink, { size: HEAD_SIZE, weight: 600 })];
}

function badge(text: string, x: number, y: number, fill: string, paper: string): Mark[] {
  const look = { anchor: "middle", middle: true } as const;
  return [dot(x, y, 7, { fill }), words(x, y, text, paper, look)];
}

export function surfaceMarks(
  pair: Pair,
  { plot, axes }: PairLayout,
  theme: Theme,
  ratio: number,
): Mark[] {
  const { surface, most, reach, density } = pair;
  const { colours } = theme;
  const points = surface.x.length;
  // The picture's rows run down, y runs up.
  const turned = new Float64Array(points * points);
  for (let row = 0; row < points; row++) {
    const from = (points - 1 - row) * points;
    turned.set(surface.values.subarray(from, from + points), row * points);
  }
  // Each value fills a cell around its point; half a cell at every edge lies outside.
  const box = grown(plot, plot.width / (points - 1) / 2);
  const pixels = heatOf(turned, points, most, paletteOf(theme.name));
  const [x, y] = axes;
  const bottom = plot.y + plot.height;
  const tips = [
    ...x.ticks.flatMap((tick) => [x.scale(tick), bottom, x.scale(tick), bottom + TICK_LENGTH]),
    ...y.ticks.flatMap((tick) => [plot.x - TICK_LENGTH, y.scale(tick), plot.x, y.scale(tick)]),
  ];
  const contours = contourMarks(pair, plot, theme);
  const image: Mark = { kind: "image", box, pixels, smooth: reach.broken === 0 };
  return [
    ...axesMarks(plot, x, y, colours, { size: 11, ratio, grid: false }),
    segments(tips, colours.muted),
    { kind: "group", clip: plot, marks: [image, ...contours.lines] },
    outline(plot, colours.line),
    ...(density ? densityMarks(density, plot, axes, theme) : []),
    { kind: "group", clip: plot, marks: contours.labels },
  ];
}

/** Both functions alone, along the axes of the surface that is their sum. */
export function curveMarks(
  pair: Pair,
  { curves: [above, beside], axes, sides: [toY, toX], width }: PairLayout,
  { colours }: Theme,
): Mark[] {
  const { x, y, across, up } = pair.surface;
  const { muted, ink, zero } = colours;
  const first = Array.from(x, (at, k): XY => [axes[0].scale(at), toY.scale(across[k])]);
  const second = Array.from(y, (at, k): XY => [toX.scale(up[k]), axes[1].scale(at)]);
  const [left, top] = [toX.scale(0), toY.scale(0)];
  const [ofX, ofY] = pair.bands;
  const zeros = [above.x, top, above.x + above.width, top];
  zeros.push(left, beside.y, left, beside.y + beside.height);
  const look = { stroke: ink, width: 1.5 };
  const curve = (points: readonly XY[]) =>
    interrupted(
      points.length,
      (k) => points[k][0],
      (k) => points[k][1],
    );
  const foot = beside.y + beside.height + LABEL_SIZE + 3;
  const few = toX.ticks.filter((_, k, { length }) => k % ((length - 1) / 2) === 0);
  const along = (some: readonly number[]) => {
    const right = some.map((tick) => ({ x: toX.scale(tick), text: formatNumber(tick) }));
    return numbersAlong(right, { ...beside, width: width - beside.x }, foot, muted, 4);
  };
  // The line at zero has its number in any case.
  const all = along(few);
  const numbers = all.length < few.length ? along(few.slice(1)) : all;
  return [
    rects([...flat(above), ...flat(beside)], { fill: colours.cell }),
    segments(zeros, zero),
    ...bandMarks(
      [
        ofX && { ...ofX, at: (x, y) => [axes[0].scale(x), toY.scale(y)] },
        ofY && { ...ofY, at: (y, x) => [toX.scale(x), axes[1].scale(y)] },
      ],
      colours,
    ),
    { ...curve(first), ...look },
    { ...curve(second), ...look },
    ...toY.ticks.map((tick) => {
      const look = { anchor: "end", middle: true } as const;
      return words(above.x - 5, toY.scale(tick), formatNumber(tick), muted, look);
    }),
    ...numbers,
    // In the corner between both no curve crosses them.
    words(beside.x, above.y + LABEL_SIZE, "φ₁(x)", ink),
    words(beside.x, beside.y - 5, "φ₂(y)", ink),
  ];
}

/** The lines, and their numbers, which stand over the dots of the inputs too. */
function contourMarks({ surface, levels, most }: Pair, plot: Rect, theme: Theme) {
  const { ink } = theme.colours;
  const { bytes } = paletteOf(theme.name);
  const points = surface.x.length;
  const [w, h] = [plot.width / (points - 1), plot.height / (points - 1)];
  const values = Array.from(surface.values);
  const taken: LabelPlace[] = [];
  const marks: Mark[] = [];
  const labels: Mark[] = [];
  for (const level of levels) {
    const lines = contour(values, points, points, level).map((line) =>
      line.map(([x, y]): XY => [plot.x + x * w, plot.y + plot.height - y * h]),
    );
    let end = 0;
    const ends = lines.map((line) => {
      end += line.length;
      return end;
    });
    const zero = level === 0;
    const paint = { stroke: ink, width: zero ? 1.6 : 0.8, opacity: zero ? 0.9 : 0.55 };
    marks.push({ kind: "lines", xy: lines.flat(2), ends, ...paint });
    const text = formatNumber(level);
    const size = { width: widthOf(text, LABEL_SIZE) + 6, height: LABEL_SIZE + 1 };
    const halo = cssOf(bytes, colourOf(level, most));
    for (const line of lines) {
      const place = placeLabel(line, size, plot, taken);
      if (!place) continue;
      taken.push(place);
      labels.push(...labelMarks(text, place, size.width, halo));
    }
  }
  return { lines: marks, labels };
}

/** The ground's own colour under the number breaks the line, as on a map. */
function labelMarks(text: string, { x, y, angle }: LabelPlace, width: number, halo: string) {
  const half = (width - LABEL_SIZE) / 2;
  const [dx, dy] = [half * Math.cos(angle), half * Math.sin(angle)];
  const turn = (angle * 180) / Math.PI;
  return [
    line([x - dx, y - dy, x + dx, y + dy], halo, { width: LABEL_SIZE, round: true }),
    words(x, y, text, readable(halo), { anchor: "middle", middle: true, turn }),
  ];
}

/** Black or white, whichever stands out more. */
function readable(colour: string): string {
  const [red, green, blue] = colour.match(/\d+/g)?.map(Number) ?? [0, 0, 0];
  return 0.299 * red + 0.587 * green + 0.114 * blue > 125 ? "#111418" : "#f4f6f8";
}

/**
 * One dot per bin, in the middle of the inputs there, its area by the square root of the share: rare inputs stay
 * visible beside frequent ones.
 */
function densityMarks(
  { bins, shares, most, x, y }: Density,
  plot: Rect,
  axes: PairLayout["axes"],
  { colours }: Theme,
): Mark[] {
  const size = plot.width / bins;
  const [xy, radii]: [number[], number[]] = [[], []];
  for (let bin = 0; bin < shares.length; bin++) {
    if (shares[bin] <= 0) continue;
    const large = Math.min(LARGEST_DOT, 0.47 * size);
    const r = Math.max(0.8, large * Math.sqrt(Math.sqrt(shares[bin] / most)));
    xy.push(axes[0].scale(x[bin]), axes[1].scale(y[bin]));
    radii.push(r);
  }
  return [{ kind: "dots", xy, r: radii, fill: colours.ink, opacity: 0.5 }];
}

/** Where the surface is read, and where both functions are. */
export function pairReadingMarks(
  { x, y, values }: PairReading,
  { plot, axes, sides, curves: [above, beside] }: PairLayout,
  theme: Theme,
): Mark[] {
  const { ink, accent, surface } = theme.colours;
  const [cx, cy] = [axes[0].scale(x), axes[1].scale(y)];
  const bottom = plot.y + plot.height;
  const xy = [cx, above.y, cx, bottom, plot.x, cy, beside.x + beside.width, cy];
  const [up, right] = sides.map(({ scale }, k) => scale(values[k]));
  const dots = [
    ...(Number.isFinite(up) ? [cx, up] : []),
    ...(Number.isFinite(right) ? [right, cy] : []),
  ];
  return [
    segments(xy, ink, { opacity: 0.6 }),
    { kind: "dots", xy: dots, r: 3.5, fill: accent },
    dot(cx, cy, 3, { fill: ink, stroke: surface }),
  ];
}
