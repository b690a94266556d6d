/** Functions as small coloured cells, thousands in one picture, and one of them as a plot with axes. */

import { samplePlan } from "../../phi/curves.ts";
import { basisOf } from "../../phi/entries.ts";
import { formatNumber } from "../../phi/format.ts";
import { COL_LABEL, kernelAt, PAD, rectOf } from "../../phi/geometry.ts";
import { bandOver } from "../../phi/interpolate.ts";
import { memoryOf } from "../../phi/memory.ts";
import { colourise, paletteOf } from "../../phi/palette.ts";
import { reachOf } from "../../phi/ranges.ts";
import { curvesPlot, type StrokedCurve } from "../../scene/axes.ts";
import { AXIS_HEIGHT, columnLabels } from "../../scene/cells.ts";
import { greyPixels } from "../../scene/heat.ts";
import type { Mark, Rect, Remark } from "../../scene/marks.ts";
import { dot, words } from "../../scene/shapes.ts";
import { keyMarks } from "../../scene/still.ts";
import { fitting, widthOf } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import type { LayerLayout } from "../../wire/types.ts";
import { seenIn } from "./pages.ts";
import { withoutOutliers } from "./peaks.ts";
import {
  functionReach,
  furthest,
  type Picture,
  PLOT_HEAD,
  plotLeast,
  RANGE_POINTS,
  WIDE,
} from "./picture.ts";
import { isFlat, isGrey } from "./settings.ts";
import { pointsOf, type Start, type Subject, startOf, subjectOf } from "./subject.ts";
import { placeTexts } from "./words.ts";

export const WIDTH = 200;
export const HEIGHT = 112;
const PLOT_POINTS = 200;
/** Share of the height that stays free above and below. */
const PLOT_AIR = 0.06;

/** Function f with axes in a plot, with a dot at x and other functions faint behind; null where it cannot be drawn. */
export function magnified(
  picture: Picture,
  f: number,
  x: number,
  { colours }: Theme,
  { width, height } = { width: WIDTH, height: HEIGHT },
  others: readonly number[] = [],
  values: readonly number[] = [],
): { plot: Rect; marks: Mark[] } | null {
  const { layer, xRange, subject, settings, ghost, initial } = picture;
  if (isGrey(settings) || Number.isNaN(picture.sizes[f])) return null;
  const plottedOf = (of: Subject, its: LayerLayout, k: number) =>
    pointsOf(of, samplePlan(its, xRange, PLOT_POINTS), k);
  const lines = others
    .filter((other) => other !== f && !Number.isNaN(picture.sizes[other]))
    .map((k): StrokedCurve => ({ points: plottedOf(subject, layer, k), stroke: colours.zero }));
  if (ghost && initial) {
    const points = plottedOf(ghost.subject, initial.layer, f);
    lines.push({ points, stroke: colours.ghost, paint: { width: 1.5, dash: [3, 2.5] } });
  }
  lines.push({ points: plottedOf(subject, layer, f), stroke: colours.ink, paint: { width: 1.75 } });
  const yTitle = settings.mode === "change" ? "change of φ" : `φ(${layer.variable})`;
  const [from, to] = xRange;
  const box = { x: 0, y: 6, width, height: height - 6 };
  const drawn = curvesPlot(box, { from, to }, lines, colours, {
    titles: { x: layer.variable, y: yTitle },
    most: { x: 6, y: 5 },
    air: PLOT_AIR,
    values: [...values, ...filmEnds(picture, others.length > 0 ? others : [f])],
    band: settings.mode === "change" ? null : bandOver(layer, f, xRange),
    within: basisOf(layer, f).domain,
  });
  const [at, value] = [drawn.x.scale(x), subject.at(f, x)];
  const point = dot(at, drawn.y.scale(value), 3.5, { fill: colours.accent });
  const { plot, marks } = drawn;
  return { plot, marks: Number.isFinite(value) ? [...marks, point] : marks };
}

/** From where to where functions reach over all steps that are known, but for outliers: in a film their axis stays. */
function filmEnds(
  { history, layer, xRange, initial, settings }: Picture,
  functions: readonly number[],
) {
  const since = settings.mode === "change" ? initial : null;
  const made = [layer.name, ...xRange, since, functions.join()];
  const reaches = history.flatMap((frame) => {
    const at = startOf(frame, layer);
    const reach = ({ layer: its }: Start) => {
      const [subject, plan] = [subjectOf(frame, its, since), samplePlan(its, xRange, RANGE_POINTS)];
      return reachOf(functions.flatMap((f) => Array.from(pointsOf(subject, plan, f).y)));
    };
    return at ? memoryOf(frame)("plot's reach", made, () => reach(at)) : [];
  });
  const downs = reaches.map(({ low }) => -low);
  return [-withoutOutliers(downs), withoutOutliers(reaches.map(({ high }) => high))];
}

/** Limits of the plot's size, in CSS pixels. */
const LEAST_PLOT = 100;
const LEAST_PLOT_WIDTH = 180;
const LARGEST_PLOT = { width: 820, height: 340 };
/** Where several are compared more stands above. */
const COMPARED_HEIGHT = 150;
const PLOT_GAP = 24;
/** How tall it is at most for its width. */
const TALLEST = 1.5;
/** More of a kernel's curves would hide each other. */
const MOST_OTHERS = 32;

/** The cells as one image for each band: with the gaps between kernels, and empty there. */
export function cellsMarks(picture: Picture, view: Rect, theme: Theme): Mark[] {
  const { arrangement: a } = picture;
  const colours = coloursOf(picture, theme);
  const marks: Mark[] = [];
  // Without gaps, and below a pixel, each cell is one of the image, which is then drawn larger or smaller.
  const [wide, tall] = a.gap + a.cellGap === 0 ? [1, 1] : [a.across, a.cell];
  const [right, down] = [wide + a.cellGap, tall + a.cellGap];
  const [blockWidth, blockHeight] = [a.kw * right - a.cellGap, a.kh * down - a.cellGap];
  const [pitchX, pitchY] = [blockWidth + a.gap, blockHeight + a.gap];
  for (let band = 0; band < a.bands; band++) {
    const y = PAD + COL_LABEL + band * a.bandHeight;
    if (y > view.y + view.height || y + a.bandHeight < view.y) continue;
    const first = band * a.perBand;
    const columns = Math.min(a.perBand, a.columns - first);
    const width = columns * pitchX - a.gap;
    const height = a.rows * pitchY - a.gap;
    const pixels = new Uint32Array(width * height);
    for (let row = 0; row < a.rows; row++) {
      for (let k = 0; k < columns; k++) {
        const kernel = kernelAt(a, row, first + k);
        for (let line = 0; line < a.kh; line++) {
          const at = (kernel * a.kh + line) * a.kw;
          let from = (row * pitchY + line * down) * width + k * pitchX;
          for (let c = at; c < at + a.kw; c++, from += right) {
            for (let px = from; px < from + wide; px++) pixels[px] = colours[c];
          }
        }
      }
      for (let line = 0; line < a.kh; line++) {
        const from = (row * pitchY + line * down) * width;
        for (let again = 1; again < tall; again++) {
          pixels.copyWithin(from + again * width, from, from + width);
        }
      }
    }
    const box = {
      x: a.left,
      y,
      width: (a.across / wide) * width,
      height: (a.cell / tall) * height,
    };
    const rgba = new Uint8ClampedArray(pixels.buffer);
    marks.push({ kind: "image", box, pixels: { width, height, rgba }, smooth: a.cell < 1 });
  }
  return marks;
}

/** One colour, as four bytes, for each cell. */
function coloursOf(picture: Picture, { name }: Theme): Uint32Array {
  const { arrangement, cells, scales, settings } = picture;
  const width = arrangement.kw;
  if (isGrey(settings)) return new Uint32Array(greyPixels(cells, width, [0, 1]).rgba.buffer);
  const out = new Uint32Array(cells.length);
  colourise(cells, scales.largest, paletteOf(name), out, width);
  return out;
}

/** The function that is shown as a plot: the one pointed at, or selected, or else the largest one. */
export function shownOf({ sizes }: Picture, hovered: number, selected: number): number {
  if (hovered >= 0) return hovered;
  return selected >= 0 ? selected : furthest(sizes);
}

/** The functions of f's kernel or map, which are drawn behind it; none where they are too many. */
export function othersOf({ shape }: Picture, f: number): number[] {
  const size = shape[2] * shape[3];
  if (size === 1 || size > MOST_OTHERS) return [];
  return Array.from({ length: size }, (_, k) => f - (f % size) + k);
}

/** Where the plot lies: beside the cells, or below them in a narrow view; null where there is no room for it. */
export function plotBox(
  picture: Picture,
  width: number,
  height: number,
  scrolls = false,
  wide = WIDE,
) {
  const { arrangement: a } = picture;
  if (width < wide) {
    const flat = isFlat(picture.settings);
    const least = plotLeast(flat);
    const above = scrolls ? seenIn(a, height - least) : a.height + (flat ? 0 : AXIS_HEIGHT);
    const room = Math.min(PLOT_HEAD + LARGEST_PLOT.height, height - above - PAD);
    // Grids that are compared are as tall as they are: each shows a function.
    const tall = wide === WIDE ? room : Math.max(least, room);
    return tall + PAD < least ? null : { x: PAD, y: above, width: width - 2 * PAD, height: tall };
  }
  const right = a.left + a.perBand * (a.blockWidth + a.gap) - a.gap;
  const labels = columnLabels(a).map((label) => label.x + widthOf(label.text, 11) / 2 + PAD);
  const x = Math.max(right + PLOT_GAP, ...labels);
  const across = Math.min(LARGEST_PLOT.width, width - x - PAD);
  const high = wide === WIDE ? LARGEST_PLOT.height : COMPARED_HEIGHT;
  const tallest = Math.max(high, a.height - PLOT_HEAD);
  // Not much taller than wide, nor than the cells beside it, which it would leave a hole under.
  const cells = scrolls ? across : a.height + (isFlat(picture.settings) ? 0 : AXIS_HEIGHT);
  const tall = Math.max(200, Math.min(TALLEST * across, cells - PLOT_HEAD));
  const down = Math.min(tallest, height - PLOT_HEAD - 2 * PAD, tall);
  return across < LEAST_PLOT_WIDTH || down < LEAST_PLOT
    ? null
    : { x, y: PAD, width: across, height: PLOT_HEAD + down };
}

/** The plot of function f beside the cells, with the other functions of its kernel behind it. */
export function functionPlotMarks(
  picture: Picture,
  f: number,
  x: number,
  { how, key, values }: { how: string; key: readonly Remark[]; values: readonly number[] },
  { x: left, y, width, height }: Rect,
  theme: Theme,
): Mark[] {
  const { ink, muted } = theme.colours;
  const size = 12;
  const room = width - 12;
  const reach = Number.isNaN(picture.sizes[f])
    ? "not finite"
    : `${picture.settings.mode === "change" ? "change" : "|φ|"} up to ${formatNumber(functionReach(picture, f))}`;
  const named = placeTexts(picture, f).find((text) => widthOf(text, size, 600) <= room) ?? "";
  const space = { width, height: height - PLOT_HEAD };
  const { marks } = magnified(picture, f, x, theme, space, othersOf(picture, f), values) ?? {
    marks: [],
  };
  return [
    words(left + 12, y + 14, named, ink, { size, weight: 600 }),
    words(left + 12, y + 31, fitting([`${how} · ${reach}`, how, reach], room, size), muted, {
      size,
    }),
    ...keyMarks(key, { x: left + 12, y: y + 48 }, room, theme.colours),
    { kind: "group", at: [left, y + PLOT_HEAD], marks },
  ];
}

/** The box of function f: its own cell, or its kernel's where a cell is a whole kernel. */
export function boxOf({ arrangement, unit }: Picture, f: number): Rect {
  return rectOf(arrangement, Math.floor(f / unit));
}
