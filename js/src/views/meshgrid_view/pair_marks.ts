/** Draws a pair: the map of its kernel, the surface with contours and the density of the inputs, and its axes. No DOM. */

import { contour, type LabelPlace, type Point, placeLabel } from "../../phi/contours.ts";
import { number } from "../../phi/format.ts";
import type { Density } from "../../phi/pair.ts";
import { colourise, colourOf } from "../../phi/palette.ts";
import { axesMarks } from "../../scene/axes.ts";
import { cssOf, heatOf, sheetOf } from "../../scene/heat.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { type Cell, cellBox } from "../../scene/regions.ts";
import { widthOf } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import type { Pair, PairLayout, Reading } from "./pair.ts";
import { cursorMark, framed, outline, paletteIn } from "./shown.ts";

const LABEL = 10;
const TICK = 4;

/** Every entry as its own φ from the low end of the grid to the high one, on the kernel's own scale. */
export function kernelMarks(
  { group, strips, stripMost, entries, names }: Pair,
  { kernel, names: place }: PairLayout,
  { hovered, keyboard }: { hovered: number; keyboard: Cell | null },
  theme: Theme,
): Mark[] {
  const { colours } = theme;
  const palette = paletteIn(theme);
  const box = (entry: number) =>
    cellBox(kernel, Math.floor(entry / group.columns), entry % group.columns);
  const points = strips[0].length;
  const sheet = sheetOf(strips.length, points, 1, (k, pixels) =>
    colourise(strips[k], stripMost, palette, pixels, points),
  );
  const boxes = strips.flatMap((_, k) => {
    const { x, y, width, height } = box(k);
    return [x, y, width, height];
  });
  const marks: Mark[] = [{ kind: "tiles", boxes, ...sheet }];
  if (hovered >= 0) marks.push(outline(box(hovered), colours.ink));
  const axes = [
    { text: "x", colour: colours.accent, at: entries[0], name: names[0] },
    { text: "y", colour: colours.ink, at: entries[1], name: names[1] },
  ];
  for (const { text, colour, at } of [...axes].reverse()) {
    const cell = box(at);
    marks.push(...framed(cell, colour, colours));
    const inner = text === "x" ? cell.x + 7 : cell.x + cell.width - 7;
    if (cell.width >= 16) marks.push(...badge(text, inner, cell.y + 8, colour, colours.surface));
  }
  if (keyboard?.name === kernel.name) {
    marks.push(cursorMark(cellBox(kernel, keyboard.row, keyboard.column), colours, -2));
  }
  axes.forEach(({ text, colour, name }, k) => {
    const y = place.y[k];
    marks.push(...badge(text, place.x + 6, y - 4, colour, colours.surface));
    const words = { kind: "text", x: place.x + 18, y, text: name } as const;
    marks.push({ ...words, fill: colours.ink, size: 11 });
  });
  return marks;
}

function badge(text: string, x: number, y: number, fill: string, paper: string): Mark[] {
  return [
    { kind: "dots", xy: [x, y], r: 6, fill },
    { kind: "text", x, y, text, fill: paper, size: LABEL, anchor: "middle", middle: true },
  ];
}

export function plotMarks(
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
  const [w, h] = [plot.width / (points - 1), plot.height / (points - 1)];
  const ground = {
    x: plot.x - w / 2,
    y: plot.y - h / 2,
    width: plot.width + w,
    height: plot.height + h,
  };
  const pixels = heatOf(turned, points, most, paletteIn(theme));
  const [x, y] = axes;
  const right = x.ticks.flatMap((tick) => {
    const at = x.scale(tick);
    return [at, plot.y + plot.height, at, plot.y + plot.height + TICK];
  });
  const left = y.ticks.flatMap((tick) => [plot.x - TICK, y.scale(tick), plot.x, y.scale(tick)]);
  const xy = [...right, ...left];
  const ends = Array.from({ length: xy.length / 4 }, (_, k) => 2 * k + 2);
  return [
    ...axesMarks(plot, x, y, colours, { size: 11, ratio, grid: false }),
    { kind: "lines", xy, ends, stroke: colours.muted },
    {
      kind: "group",
      clip: plot,
      marks: [
        { kind: "image", box: ground, pixels, smooth: reach.broken === 0 },
        ...(density ? densityMarks(density, plot, theme) : []),
        ...contourMarks(pair, plot, theme),
      ],
    },
    outline(plot, colours.line),
  ];
}

function contourMarks({ surface, levels, most }: Pair, plot: Rect, theme: Theme): Mark[] {
  const { ink } = theme.colours;
  const { bytes } = paletteIn(theme);
  const points = surface.x.length;
  const [w, h] = [plot.width / (points - 1), plot.height / (points - 1)];
  const taken: LabelPlace[] = [];
  const marks: Mark[] = [];
  const labels: Mark[] = [];
  for (const level of levels) {
    const lines = contour(surface.values, points, points, level).map((line) =>
      line.map(([x, y]): Point => [plot.x + x * w, plot.y + plot.height - y * h]),
    );
    let end = 0;
    const ends = lines.map((line) => {
      end += line.length;
      return end;
    });
    const zero = level === 0;
    const paint = { stroke: ink, width: zero ? 1.6 : 0.8, opacity: zero ? 0.9 : 0.55 };
    marks.push({ kind: "lines", xy: lines.flat(2), ends, ...paint });
    const text = number(level);
    const size = { width: widthOf(text, LABEL) + 6, height: LABEL + 1 };
    const halo = cssOf(bytes, colourOf(level, most));
    for (const line of lines) {
      const place = placeLabel(line, size, plot, taken);
      if (!place) continue;
      taken.push(place);
      labels.push(...labelMarks(text, place, size.width, halo));
    }
  }
  return [...marks, ...labels];
}

/** The ground's own colour under the number breaks the line, as on a map. */
function labelMarks(
  text: string,
  { x, y, angle }: LabelPlace,
  width: number,
  halo: string,
): Mark[] {
  const [dx, dy] = [
    ((width - LABEL) / 2) * Math.cos(angle),
    ((width - LABEL) / 2) * Math.sin(angle),
  ];
  return [
    {
      kind: "lines",
      xy: [x - dx, y - dy, x + dx, y + dy],
      ends: [2],
      stroke: halo,
      width: LABEL,
      round: true,
    },
    {
      kind: "text",
      x,
      y,
      text,
      fill: readable(halo),
      size: LABEL,
      anchor: "middle",
      middle: true,
      turn: (angle * 180) / Math.PI,
    },
  ];
}

/** Black or white, whichever stands out more. */
function readable(colour: string): string {
  const [red, green, blue] = colour.match(/\d+/g)?.map(Number) ?? [0, 0, 0];
  return 0.299 * red + 0.587 * green + 0.114 * blue > 125 ? "#111418" : "#f4f6f8";
}

/** One dot per bin, its area by the square root of the share: rare inputs stay visible beside frequent ones. */
function densityMarks({ bins, shares, most }: Density, plot: Rect, { colours }: Theme): Mark[] {
  const [w, h] = [plot.width / bins, plot.height / bins];
  const size = Math.min(w, h);
  const small = { xy: [] as number[], r: [] as number[] };
  const large = { xy: [] as number[], r: [] as number[] };
  for (let bin = 0; bin < shares.length; bin++) {
    if (shares[bin] <= 0) continue;
    const r = Math.max(0.8, 0.47 * size * Math.sqrt(Math.sqrt(shares[bin] / most)));
    const to = r > 2 ? large : small;
    const [row, column] = [Math.floor(bin / bins), bin % bins];
    to.xy.push(plot.x + (column + 0.5) * w, plot.y + plot.height - (row + 0.5) * h);
    to.r.push(r);
  }
  const paint = { fill: colours.ink, opacity: 0.75 };
  return [
    { kind: "dots", ...small, ...paint },
    { kind: "dots", ...large, ...paint, stroke: colours.surface },
  ];
}

export function readingMarks({ x, y }: Reading, { plot, axes }: PairLayout, theme: Theme): Mark[] {
  const { ink } = theme.colours;
  const [cx, cy] = [axes[0].scale(x), axes[1].scale(y)];
  const xy = [cx, plot.y, cx, plot.y + plot.height, plot.x, cy, plot.x + plot.width, cy];
  return [
    { kind: "lines", xy, ends: [2, 4], stroke: ink, opacity: 0.6 },
    { kind: "dots", xy: [cx, cy], r: 3, fill: ink, stroke: theme.colours.surface },
  ];
}
