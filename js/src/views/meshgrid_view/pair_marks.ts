/** Draws a pair: the map of its kernel, the surface with contours and the density of the inputs, and its axes. No DOM. */

import { contour, type LabelPlace, type Point, placeLabel } from "../../phi/contours.ts";
import { number } from "../../phi/format.ts";
import type { Density } from "../../phi/pair.ts";
import { colourise, colourOf } from "../../phi/palette.ts";
import { type Axis, axesMarks, evenLabels, linear, ticks } from "../../scene/axes.ts";
import { cssOf, heatOf, sheetOf } from "../../scene/heat.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { type Cell, cellBox } from "../../scene/regions.ts";
import { widthOf } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import type { Pair, PairLayout, Reading } from "./pair.ts";
import { cursorMark, framed, outline, paletteIn } from "./shown.ts";

const LABEL = 11;
const HEAD = 12;
const TICK = 4;

/** Every entry as its own φ from the low end of the grid to the high one, in the colours of the surface. */
export function kernelMarks(
  { group, title, strips, most, entries, names }: Pair,
  { kernel, head, names: place, said }: PairLayout,
  { hovered, keyboard }: { hovered: number; keyboard: Cell | null },
  theme: Theme,
): Mark[] {
  const { colours } = theme;
  const palette = paletteIn(theme);
  const box = (entry: number) =>
    cellBox(kernel, Math.floor(entry / group.columns), entry % group.columns);
  const points = strips[0].length;
  const sheet = sheetOf(strips.length, points, 1, (k, pixels) =>
    colourise(strips[k], most, palette, pixels, points),
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
    const inner = text === "x" ? cell.x + 8 : cell.x + cell.width - 8;
    if (cell.width >= 18) marks.push(...badge(text, inner, cell.y + 9, colour, colours.surface));
  }
  if (keyboard?.name === kernel.name) {
    marks.push(cursorMark(cellBox(kernel, keyboard.row, keyboard.column), colours, -2));
  }
  axes.forEach(({ text, colour, name }, k) => {
    const y = place.y[k];
    marks.push(...badge(text, place.x + 6, y - 4, colour, colours.surface));
    const words = { kind: "text", x: place.x + 20, y, text: name } as const;
    marks.push({ ...words, fill: colours.ink, size: 11 });
  });
  const words = { kind: "text", fill: colours.ink, size: HEAD } as const;
  marks.push({ ...words, ...head, text: title, weight: 600 });
  said.lines.forEach(({ text, y }, k) => {
    marks.push({ ...words, x: said.x, y, text, weight: k === 0 ? 600 : 400 });
  });
  return marks;
}

function badge(text: string, x: number, y: number, fill: string, paper: string): Mark[] {
  return [
    { kind: "dots", xy: [x, y], r: 7, fill },
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
  const contours = contourMarks(pair, plot, theme);
  const ends = Array.from({ length: xy.length / 4 }, (_, k) => 2 * k + 2);
  return [
    ...axesMarks(plot, x, y, colours, { size: 11, ratio, grid: false }),
    { kind: "lines", xy, ends, stroke: colours.muted },
    {
      kind: "group",
      clip: plot,
      marks: [
        { kind: "image", box: ground, pixels, smooth: reach.broken === 0 },
        ...contours.lines,
      ],
    },
    outline(plot, colours.line),
    ...(density ? densityMarks(density, plot, axes, theme) : []),
    { kind: "group", clip: plot, marks: contours.labels },
  ];
}

/** The values of the first function upwards, or of the second to the right, as an axis. */
export function curveAxis({ curveMost }: Pair, start: number, end: number): Axis {
  const range = { from: -curveMost, to: curveMost };
  let at = ticks(range, 3);
  // Zero alone says nothing of the scale.
  for (let most = 4; at.length < 3 && most < 8; most++) at = ticks(range, most);
  return { scale: linear(range, start, end), ticks: at, title: "", label: evenLabels(at) };
}

/** Both functions alone, along the axes of the surface that is their sum. */
export function curveMarks(
  pair: Pair,
  { curves: [above, beside], axes, width }: PairLayout,
  { colours }: Theme,
): Mark[] {
  const { surface } = pair;
  const up = curveAxis(pair, above.y + above.height - 2, above.y + 2);
  const right = curveAxis(pair, beside.x + 2, beside.x + beside.width - 2);
  const first = Array.from(
    surface.x,
    (x, k): Point => [axes[0].scale(x), up.scale(surface.across[k])],
  );
  const second = Array.from(
    surface.y,
    (y, k): Point => [right.scale(surface.up[k]), axes[1].scale(y)],
  );
  const zeros = [above.x, up.scale(0), above.x + above.width, up.scale(0)];
  zeros.push(right.scale(0), beside.y, right.scale(0), beside.y + beside.height);
  const [xs, ys] = [first, second].map(finiteParts);
  const words = { kind: "text", fill: colours.muted, size: LABEL } as const;
  return [
    {
      kind: "rects",
      boxes: [above, beside].flatMap(({ x, y, width, height }) => [x, y, width, height]),
      fill: colours.cell,
    },
    { kind: "lines", xy: zeros, ends: [2, 4], stroke: colours.zero },
    ...[xs, ys].map((part): Mark => ({ kind: "lines", ...part, stroke: colours.ink, width: 1.5 })),
    ...up.ticks.map(
      (tick): Mark => ({
        ...words,
        x: above.x - 5,
        y: up.scale(tick),
        text: up.label?.(tick) ?? "",
        anchor: "end",
        middle: true,
      }),
    ),
    ...labelled(right, beside.x, width).map(
      ({ text, x }): Mark => ({
        ...words,
        x,
        y: beside.y + beside.height + LABEL + 3,
        text,
        anchor: "middle",
      }),
    ),
    { ...words, fill: colours.ink, ...freeCorner("φ₁(x)", above, first) },
    { ...words, fill: colours.ink, ...freeCorner("φ₂(y)", beside, second) },
  ];
}

/** Where the labels of an axis stand: all of them, or the outer two where there is no room between. */
function labelled(axis: Axis, start: number, end: number): { text: string; x: number }[] {
  const all = axis.ticks.map((tick) => {
    const text = axis.label?.(tick) ?? "";
    const half = widthOf(text, LABEL) / 2;
    return { text, half, x: Math.max(start + half, Math.min(axis.scale(tick), end - half - 1)) };
  });
  const apart = all.every(
    ({ x, half }, k) => k === 0 || x - half > all[k - 1].x + all[k - 1].half + 4,
  );
  return apart ? all : all.filter((_, k) => k === 0 || k === all.length - 1);
}

/** Where in a box a name is not crossed by a curve: the first such corner, from the upper left. */
function freeCorner(text: string, { x, y, width, height }: Rect, curve: readonly Point[]) {
  const [wide, high] = [widthOf(text, LABEL) + 8, LABEL + 7];
  const corners = [
    [x, y],
    [x + width - wide, y],
    [x, y + height - high],
    [x + width - wide, y + height - high],
  ];
  const crossed = ([left, top]: readonly number[]) =>
    curve.some(([px, py]) => px >= left && px <= left + wide && py >= top && py <= top + high);
  const [left, top] = corners.find((corner) => !crossed(corner)) ?? corners[0];
  return { text, x: left + 4, y: top + LABEL + 2 };
}

/** The parts of a curve between points that are not finite. */
function finiteParts(points: readonly Point[]): { xy: number[]; ends: number[] } {
  const found = { xy: [] as number[], ends: [] as number[] };
  for (const [x, y] of points) {
    const here = found.xy.length / 2;
    if (Number.isFinite(x + y)) found.xy.push(x, y);
    else if (here > (found.ends.at(-1) ?? 0)) found.ends.push(here);
  }
  found.ends.push(found.xy.length / 2);
  return found;
}

/** The lines, and their numbers, which stand over the dots of the inputs too. */
function contourMarks(
  { surface, levels, most }: Pair,
  plot: Rect,
  theme: Theme,
): { lines: Mark[]; labels: Mark[] } {
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
  return { lines: marks, labels };
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
  const small = { xy: [] as number[], r: [] as number[] };
  const large = { xy: [] as number[], r: [] as number[] };
  for (let bin = 0; bin < shares.length; bin++) {
    if (shares[bin] <= 0) continue;
    const r = Math.max(0.8, 0.47 * size * Math.sqrt(Math.sqrt(shares[bin] / most)));
    const to = r > 2 ? large : small;
    to.xy.push(axes[0].scale(x[bin]), axes[1].scale(y[bin]));
    to.r.push(r);
  }
  const paint = { fill: colours.ink, opacity: 0.75 };
  return [
    { kind: "dots", ...small, ...paint },
    { kind: "dots", ...large, ...paint, stroke: colours.surface },
  ];
}

/** Where the surface is read, and where both functions are. */
export function readingMarks(
  { x, y, values }: Reading,
  pair: Pair,
  { plot, axes, curves: [above, beside] }: PairLayout,
  theme: Theme,
): Mark[] {
  const { ink, accent, surface } = theme.colours;
  const [cx, cy] = [axes[0].scale(x), axes[1].scale(y)];
  const bottom = plot.y + plot.height;
  const xy = [cx, above.y, cx, bottom, plot.x, cy, beside.x + beside.width, cy];
  const up = curveAxis(pair, above.y + above.height - 2, above.y + 2).scale(values[0]);
  const right = curveAxis(pair, beside.x + 2, beside.x + beside.width - 2).scale(values[1]);
  const dots = [
    ...(Number.isFinite(up) ? [cx, up] : []),
    ...(Number.isFinite(right) ? [right, cy] : []),
  ];
  return [
    { kind: "lines", xy, ends: [2, 4], stroke: ink, opacity: 0.6 },
    { kind: "dots", xy: dots, r: 3.5, fill: accent },
    { kind: "dots", xy: [cx, cy], r: 3, fill: ink, stroke: surface },
  ];
}
