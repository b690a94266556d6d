/** The ramp: every φ of a layer over one input matrix, as small heat maps where the kernels have them. No DOM. */

import { type Curves, evaluateAll } from "../../phi/curves.ts";
import { basisOf, counted, entryText, layerSize, layerTitle } from "../../phi/entries.ts";
import { formatCount, number } from "../../phi/format.ts";
import {
  type Arrangement,
  arrange,
  blockOf,
  kernelsWithin,
  type Rect,
  rectOf,
  rowEnds,
} from "../../phi/geometry.ts";
import { exactAt } from "../../phi/interpolate.ts";
import { memory } from "../../phi/memory.ts";
import { colourise, paletteOf } from "../../phi/palette.ts";
import {
  makeRamp,
  placeIn,
  planOf,
  type Ramp,
  type Rise,
  type Spread,
  scalesOf,
  spreadOf,
} from "../../phi/ramp.ts";
import {
  brokenMarks,
  cellBoxes,
  cellSites,
  functionsWithin,
  labelMarks,
  markedIn,
  markedMarks,
  stuckHeadMarks,
} from "../../scene/cells.ts";
import type { Given } from "../../scene/drawing.ts";
import { sheetOf } from "../../scene/heat.ts";
import { keyed, type Mark, type Remark, type Scene } from "../../scene/marks.ts";
import { flat, grown, rects } from "../../scene/shapes.ts";
import type { Colours } from "../../scene/theme.ts";
import { colourRemarks, finite, type Scales, type Shown } from "./settings.ts";

export interface RampScene extends Scene, Shown {
  mode: "ramp";
  arrangement: Arrangement;
  ramp: Ramp;
  curves: Curves;
  /** Half the range of the colours of each function. */
  scaleOf(f: number): number;
  selected: number;
  hovered: number;
  /** The input under the pointer, or in the middle of the keyboard's cell. */
  x: number;
}

const WORDS: Record<Rise, string> = {
  horizontal: "left to right",
  vertical: "top to bottom",
  diagonal: "top left to bottom right",
  radial: "middle to corners",
};

/** Cells of so few kernels have so many pixels at least. */
const FEW_KERNELS = 8;
const ROOMY = 40;
/** In cells below this many pixels a matrix is drawn with few points, and small marks are left out. */
const SMALL = 28;
const FEW = 6;

interface Tile {
  width: number;
  height: number;
  /** Places in the ramp's values. */
  index: Uint16Array;
}

interface Evaluated {
  arrangement: Arrangement;
  ramp: Ramp;
  tile: Tile;
  curves: Curves;
  spread: Spread;
  scales: Scales & { of(f: number): number };
}

export function rampDrawing(): (given: Given, shown: Shown) => RampScene {
  const keep = memory();

  function evaluated({ width, height }: Given, { frame, layer, settings }: Shown): Evaluated {
    const [out, inputs, kh, kw] = layer.shape;
    const { direction, resolution, scale } = settings;
    const [lo, hi] = settings.limits;
    const arrangement = keep("arrangement", [layer, width, height], () => {
      // A few kernels are in two rows rather than small.
      const least = out * inputs <= FEW_KERNELS ? ROOMY : undefined;
      const { kind, names, inputNames } = layer;
      const shape = { kind, out, in: inputs, kh, kw, names, inputNames, least };
      return arrange(shape, width, null, height);
    });
    const ramp = keep("ramp", [direction, lo, hi, resolution], () =>
      makeRamp(direction, [lo, hi], resolution),
    );
    const tile = keep("tile", [ramp, arrangement.cell], () => tileOf(ramp, arrangement.cell));
    const plan = keep("plan", [layer, ramp], () => planOf(layer, ramp));
    const curves = keep<Curves>("curves", [frame, plan], (last) =>
      evaluateAll(frame, layer, plan, last ?? undefined),
    );
    const spread = keep("spread", [frame, plan], () => spreadOf(layer, curves));
    const scales = keep("scales", [spread, scale], () => scalesOf(layer, spread.most, scale));
    return { arrangement, ramp, tile, curves, spread, scales };
  }

  return (given, shown) => {
    const made = evaluated(given, shown);
    const { arrangement, ramp, curves, scales } = made;
    const { theme, pointed } = given;
    const { layer, settings, frame } = shown;
    const { colours } = theme;
    const marked = markedIn(layer, given);
    const { selected, hovered } = marked;
    const words = (f: number) => selectionText(shown, f);
    const box = (f: number) => rectOf(arrangement, f);
    const [lo, hi] = settings.limits;
    const axis = `${layer.variable} rises from ${number(lo)} to ${number(hi)}, ${WORDS[settings.direction]}`;
    const chosen = selected >= 0 ? `Selected: ${words(selected)}. ` : "";
    const under = [arrangement, theme.name, colours.surface];
    return {
      mode: "ramp",
      ...shown,
      arrangement,
      ramp,
      curves,
      scaleOf: scales.of,
      selected,
      hovered,
      x: hovered < 0 ? Number.NaN : inputAt(ramp, rectOf(arrangement, hovered), pointed.at),
      width: arrangement.width,
      height: arrangement.height,
      title: `MeshgridView · ${layerTitle(layer)}`,
      moment: `step ${formatCount(frame.step)}`,
      words:
        `Heat maps of layer ${layerTitle(layer)}, ${layerSize(layer)}: each square is one function: its values as ${axis}, ` +
        `colours ±${number(scales.largest)}. ${chosen}` +
        "Arrow keys move between functions; Enter selects, Escape clears.",
      about: JSON.stringify([layer.name, layer.shape, selected, axis, settings.scale]),
      caption: captionOf(given, shown, made, axis),
      cuts: rowEnds(arrangement),
      sheets: [
        { from: under, marks: (view) => labelMarks(arrangement, view, colours) },
        { marks: (view) => heatMarks(given, shown, made, view) },
        { marks: () => markedMarks(marked, box, colours.ink, colours) },
        { marks: (view) => stuckHeadMarks(arrangement, view, colours) },
      ],
      sites: cellSites(arrangement, layer.count, words),
    };
  };
}

/** The picture of one function: no more points than can be seen. */
function tileOf(ramp: Ramp, cell: number): Tile {
  const most = ramp.width > 1 && ramp.height > 1 && cell < SMALL ? FEW : 2 * cell;
  const [width, height] = [Math.min(ramp.width, most), Math.min(ramp.height, most)];
  const index = Uint16Array.from({ length: width * height }, (_, p) =>
    placeIn(ramp, ((p % width) + 0.5) / width, (Math.floor(p / width) + 0.5) / height),
  );
  return { width, height, index };
}

function inputAt(ramp: Ramp, cell: Rect, at: { x: number; y: number } | null): number {
  const { x, y } = at ?? { x: cell.x + cell.width / 2, y: cell.y + cell.height / 2 };
  return ramp.values[placeIn(ramp, (x - cell.x) / cell.width, (y - cell.y) / cell.height)];
}

function heatMarks({ theme }: Given, shown: Shown, made: Evaluated, view: Rect): Mark[] {
  const { arrangement, tile, curves, scales, spread } = made;
  const { colours } = theme;
  const visible = functionsWithin(arrangement, view);
  const palette = paletteOf(theme.name);
  const { width, height, index } = tile;
  const one = new Float32Array(width * height);
  const sheet = sheetOf(visible.length, width, height, (k, pixels) => {
    const start = visible[k] * curves.points;
    for (let p = 0; p < index.length; p++) one[p] = curves.y[start + index[p]];
    colourise(one, scales.of(visible[k]), palette, pixels, width);
  });
  const blocks = kernelsWithin(arrangement, view).flatMap((kernel) =>
    flat(grown(blockOf(arrangement, kernel), 0.5)),
  );
  const broken = visible.filter((f) => Number.isNaN(spread.most[f]));
  return [
    { kind: "tiles", boxes: cellBoxes(arrangement, visible), ...sheet },
    // A hairline keeps what is near zero apart from the page.
    rects(blocks, { stroke: colours.line }),
    ...curveMarks(shown, visible, made, colours),
    ...domainMarks(shown, arrangement, visible, colours),
    ...brokenMarks(arrangement, broken, colours.warn),
  ];
}

/** Whether φ is drawn over its stripes: where x rises to the right and there is room. */
function hasCurves({ direction }: Shown["settings"], { cell }: Arrangement): boolean {
  return direction === "horizontal" && cell >= SMALL;
}

/** φ as a line over the stripes that it is the heights of, zero in the middle. */
function curveMarks(
  { settings }: Shown,
  visible: readonly number[],
  { arrangement, ramp, curves, scales, spread }: Evaluated,
  { ink }: Colours,
): Mark[] {
  if (!hasCurves(settings, arrangement)) return [];
  const xy: number[] = [];
  const ends: number[] = [];
  for (const f of visible) {
    if (Number.isNaN(spread.most[f])) continue;
    const { x, y, width, height } = rectOf(arrangement, f);
    const scale = scales.of(f) || 1;
    for (let column = 0; column < ramp.width; column++) {
      const value = curves.y[f * curves.points + ramp.index[column]];
      const share = Math.max(-1, Math.min(1, value / scale));
      xy.push(x + ((column + 0.5) / ramp.width) * width, y + height / 2 - 0.46 * height * share);
    }
    ends.push(xy.length / 2);
  }
  return [{ kind: "lines", xy, ends, stroke: ink, width: 1, opacity: 0.75 }];
}

/** Whether the ramp runs beyond the grid and the ticks that say so can be drawn. */
function sticksOut({ layer, settings }: Shown, { cell }: Arrangement): boolean {
  const { limits, direction } = settings;
  if (cell < SMALL || direction === "diagonal" || direction === "radial") return false;
  return limits[0] < layer.domain[0] || limits[1] > layer.domain[1];
}

/** Small ticks at the edges of the cells where the grid's range ends. */
function domainMarks(
  shown: Shown,
  arrangement: Arrangement,
  visible: readonly number[],
  { ink }: Colours,
): Mark[] {
  if (!sticksOut(shown, arrangement)) return [];
  const { layer, settings } = shown;
  const [lo, hi] = settings.limits;
  const along = settings.direction === "horizontal";
  const boxes: number[] = [];
  for (const f of visible) {
    const { x, y, width, height } = rectOf(arrangement, f);
    for (const end of basisOf(layer, f).domain) {
      if (!(end > lo && end < hi)) continue;
      const at = Math.round(((end - lo) / (hi - lo)) * (along ? width : height)) - 0.5;
      for (const edge of [0, (along ? height : width) - 3]) {
        if (along) boxes.push(x + at, y + edge, 1, 3);
        else boxes.push(x + edge, y + at, 3, 1);
      }
    }
  }
  return [{ kind: "rects", boxes, fill: ink }];
}

function captionOf(
  { theme }: Given,
  shown: Shown,
  { arrangement, scales, spread }: Evaluated,
  axis: string,
): Remark[] {
  const reach = spread.low <= spread.high ? spread : null;
  const caption: Remark[] = [
    { text: `each square is one φ: ${axis}`, tone: "ink" },
    ...colourRemarks("φ", scales, reach, theme),
  ];
  if (spread.broken > 0) {
    const text = `${counted(spread.broken, "function")} not finite (×, grey)`;
    caption.push({ text, tone: "warn" });
  }
  if (hasCurves(shown.settings, arrangement)) {
    caption.push(keyed("the same as a curve", "line", theme.colours.ink));
  }
  if (sticksOut(shown, arrangement)) caption.push({ text: "ticks: the grid's range" });
  if (shown.layer.note) caption.push({ text: shown.layer.note });
  return caption;
}

function selectionText({ frame, layer, settings }: Shown, f: number): string {
  const [lo, hi] = settings.limits;
  const ends = (lo < 0 && hi > 0 ? [lo, 0, hi] : [lo, hi]).map(
    (x) => `φ(${number(x)}) ${finite(exactAt(layer, f, frame, x).phi)}`,
  );
  return `${layerTitle(layer)} · ${entryText(layer, f)} · ${ends.join(" · ")}`;
}
