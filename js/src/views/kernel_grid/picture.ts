/** Everything about one drawing that is not pixels: the layer, where its cells lie, sample points, sizes and scales. */

import { extent, max, maxIndex } from "d3-array";
import { ALL_POINTS, type Plan, risesAt, samplePlan } from "../../phi/curves.ts";
import { basisOf, type Fold, foldedShape, isPlain } from "../../phi/entries.ts";
import { type Arrangement, arrange, GROUP } from "../../phi/geometry.ts";
import { allInputEnds, type Ends, roundedOut } from "../../phi/inputs.ts";
import { type Keep, memory, memoryOf } from "../../phi/memory.ts";
import { largestFinite, niceCeil, readableSize } from "../../phi/ranges.ts";
import type { Frame, LayerLayout, Observed } from "../../wire/types.ts";
import { functionPeaks, type Peaks, peaksReader, withoutOutliers } from "./peaks.ts";
import { type Scores, type Shade, shadeOf, weightsOf } from "./scores.ts";
import { isFlat, isGrey, OVERVIEW_BEYOND, type Settings, type Together } from "./settings.ts";
import { phi, pointsOf, type Subject, sizeOf, startOf, subjectOf } from "./subject.ts";

/** At least about this many values of φ are computed for the sizes of one frame: all rows for some hundred functions. */
const RANGE_VALUES = 40_000;
/** Their points per function are a multiple of this, so that a scale does not depend on the width. */
export const RANGE_POINTS = 64;
/** At most about this many values of φ are computed for an overview, but never from fewer points per function than these. */
const OVERVIEW_VALUES = 2_000_000;
const [OVERVIEW_POINTS, OVERVIEW_MOST] = [8, 32];

export type Picture = ReturnType<typeof groundOf>;

/** Where the inputs of a layer are, rounded out; null where none were seen, or all are the same. */
export function inputRange(observed: Observed | null): [number, number] | null {
  const ends = observed && allInputEnds(observed);
  return ends && ends[0] < ends[1] ? roundedOut(ends) : null;
}

/** The x that is drawn: where the inputs are as far as the tables reach, or the grid's range where none were seen. */
export function xRangeOf({ tables, domain }: LayerLayout, inputs: Ends | null = null): Ends {
  const lo = Math.min(...tables.map(({ x }) => x[0]));
  const hi = Math.max(...tables.map(({ x }) => x[x.length - 1]));
  const [from, to] = inputs ? [Math.max(lo, inputs[0]), Math.min(hi, inputs[1])] : domain;
  if (from < to) return [from, to];
  return domain[0] < domain[1] ? [domain[0], domain[1]] : [lo, hi];
}

export interface Ingredients {
  frame: Frame;
  layer: LayerLayout;
  /** The start that is compared with. */
  initial?: Frame | null;
  settings: Settings;
  width: number;
  /** Pixels down that it is to fit, where it can. */
  room?: number;
  observed?: Observed | null;
  history?: readonly Frame[];
  fold?: Fold | null;
  scores?: Scores;
  /** Which kernel is at each place; null where they are not sorted. */
  order?: readonly number[] | null;
  together?: Together | null;
  /** Whether one function is drawn large beside the cells, or below them. */
  magnifies?: boolean;
  /** Whether what is too high scrolls: no picture does. */
  scrolls?: boolean;
}

const NO_NUMBERS: Float32Array = new Float32Array(0);

/** A picture before its functions are measured. */
function groundOf(from: Ingredients, keep: Keep) {
  const { frame, layer, initial = null, settings, width, order } = from;
  const { room = 0, fold = null, history = [] } = from;
  const shape = keep("shape", [layer, fold], () => foldedShape(layer, fold));
  const { mode } = settings;
  const { arrangement, unit } = keep(
    "arrangement",
    [layer, shape, width, order, room, mode, from.magnifies, from.scrolls],
    () => arranged(from, shape),
  );
  // A line is the same everywhere: from −1 to 1 it ends at its weight.
  const observed = (!isPlain(layer) && from.observed) || null;
  const seen = keep("inputs", [observed], () => inputRange(observed));
  const xRange = keep("xRange", [layer, seen], () => xRangeOf(layer, seen));
  const points = drawnPoints(arrangement);
  const start = keep("start", [initial, layer], () => startOf(initial, layer));
  return {
    frame,
    layer,
    settings,
    /** The frames over which a scale stays. */
    history,
    /** Out, in, kh, kw of the drawing: as the layer has it, or with the inputs of a dense layer folded to maps. */
    shape,
    arrangement,
    /** Functions that one cell stands for: 1, or a whole kernel of a layer that is too large. */
    unit,
    xRange,
    /** The start that is compared with: the first frame or the pinned one, where it has this layer in this shape. */
    initial: start,
    /** Whether x is drawn where inputs were observed; else it is the grid. */
    xIsSeen: seen !== null,
    /** φ, or the change of φ. */
    subject: subjectOf(frame, layer, mode === "change" ? start : null),
    /** Points per curve matched to the cell's pixels. */
    plan: keep("plan", [layer, xRange, points], () => samplePlan(layer, xRange, points)),
    /** Per cell of one colour what is coloured: how far φ reaches, negative where it falls, or a grey. Empty where cells are curves. */
    cells: NO_NUMBERS,
    /** max |value| per function, NaN where not finite. Empty where a cell is a grey. */
    sizes: NO_NUMBERS,
    /** The function that reaches furthest at the newest step, and how far it does over all steps: in a film it stays. */
    peak: { f: 0, size: 0 },
    /** 0 black … 1 white per function where a cell is one grey; NaN where not finite. */
    greys: NO_NUMBERS,
    /** φ at the start, when it is drawn behind. */
    ghost: null as { subject: Subject; plan: Plan } | null,
    /** What a cell's grey is made of: φ(high) − φ(low) per function, NaN where not finite; and whether the ends are dark and bright pixels. */
    pattern: null as { contrast: Float32Array; pixels: boolean } | null,
    /** The numbers that tint the cells of curves: a score, or the weights of a plain layer. */
    shade: null as Shade | null,
    /** Half the height of function f's axis: it runs from −scaleOf(f) to +scaleOf(f). */
    scaleOf: (_: number) => 1,
    /** The smallest and the largest scale in use; equal where all share one. */
    scales: { smallest: 1, largest: 1 },
    /** Functions that reach beyond their scale. */
    cut: 0,
    broken: 0,
  };
}

/** Makes pictures one after another and keeps what does not change between frames. */
export function pictureMaker(): (from: Ingredients) => Picture {
  const keep = memory();
  const readPeaks = peaksReader();

  function shadeGreys(picture: Picture, observed: Observed | null) {
    const { layer, settings } = picture;
    const contrast = contrastOf(picture.subject, layer);
    const pixels = keep("pixels", [layer, observed], () => seesPixels(layer, observed));
    picture.pattern = { contrast, pixels };
    const most = largestFinite(contrast.map(Math.abs));
    shareScale(picture, most);
    picture.greys = contrast.map((v) => contrastGrey(v, most, settings.binarise));
    picture.cells = picture.greys;
    picture.broken = unknownIn(picture.greys);
  }

  function measure(picture: Picture, { scores, history = [], together }: Ingredients) {
    const { frame, layer, settings, xRange, initial, arrangement } = picture;
    const { mode } = settings;
    // Of colours, weights and curves that are too many the height of each one is not read.
    const isRead = mode !== "overview" && !isPlain(layer) && layer.count <= OVERVIEW_BEYOND;
    const scaleFor = isRead ? readableSize : withoutOutliers;
    const { each, planFor } = planner(picture);
    const since = mode === "change" ? initial : null;
    const behind = mode !== "change" && settings.ghost ? initial : null;
    const frames = behind && !history.includes(behind.frame) ? [behind.frame, ...history] : history;
    const { now, all } = readPeaks(frames, frame, layer, {
      valuesOfOne: layer.count * planFor(layer).points,
      made: [xRange, each, since],
      scaleFor,
      measure: (one, its) => subjectOf(one, its, since).sizes(planFor(its)),
    });
    picture.sizes = now.sizes;
    picture.broken = unknownIn(now.sizes);
    const f = furthest((all.at(-1) ?? now).sizes);
    picture.peak = { f, size: max([now, ...all], ({ sizes }) => sizes[f]) ?? 0 };
    if (behind) {
      const points = drawnPoints(arrangement);
      const plan = keep("ghost", [behind, xRange, points], () =>
        samplePlan(behind.layer, xRange, points),
      );
      picture.ghost = { subject: phi(behind.frame, behind.layer), plan };
    }
    const { sizes } = (mode === "curves" && layer.band) || {};
    const { step } = frame;
    const spread = sizes ? [{ step, sizes, most: scaleFor(sizes) }] : [];
    setScales(picture, now, [...all, ...spread], together ?? null);
    picture.shade = keep("shade", [layer, scores, settings.shade], () =>
      scores ? shadeOf(scores, settings.shade, layer) : null,
    );
    // The numbers that a plain layer is known by lie under its lines.
    if (mode === "curves" && !picture.shade && isPlain(layer)) {
      const far = Math.max(Math.abs(xRange[0]), Math.abs(xRange[1]));
      picture.shade = weightsOf(frame, layer, picture.scales.largest / far);
    }
  }

  return (from) => {
    const picture = groundOf(from, keep);
    if (isGrey(from.settings)) shadeGreys(picture, from.observed ?? null);
    else measure(picture, from);
    return picture;
  };
}

/** Points of a curve as it is drawn: one for each pixel of its cell's width, at least 12. */
const drawnPoints = ({ across }: Arrangement) => Math.max(12, across);

const unknownIn = (values: Float32Array) =>
  values.reduce((n, value) => n + (Number.isNaN(value) ? 1 : 0), 0);

/** The points at which a layer is measured for the scales. */
function planner({ layer, settings: { mode }, xRange, arrangement }: Picture) {
  // Never fewer points than are drawn, so that a curve leaves its cell only where it says so.
  const most = RANGE_POINTS * Math.ceil(drawnPoints(arrangement) / RANGE_POINTS);
  const least = mode === "overview" ? Math.min(OVERVIEW_MOST, OVERVIEW_VALUES / layer.count) : most;
  const each = Math.floor(Math.max(OVERVIEW_POINTS, least, RANGE_VALUES / layer.count));
  const planFor = (its: LayerLayout) =>
    memoryOf(its)(`${each} points`, xRange, () => samplePlan(its, xRange, each));
  return { each, planFor };
}

/** How far one function reaches, at all points there are; NaN where it is not finite. */
export function functionReach({ layer, xRange, subject }: Picture, f: number): number {
  return sizeOf(pointsOf(subject, samplePlan(layer, xRange, ALL_POINTS), f).y);
}

function shareScale(picture: Picture, most: number): void {
  picture.scales = { smallest: most, largest: most };
  picture.scaleOf = () => most;
}

/** Sets the scales, from how far the functions reach now and at all steps that are known. */
function setScales(picture: Picture, now: Peaks, all: readonly Peaks[], together: Together | null) {
  const { mode, scale } = picture.settings;
  if (mode === "overview" || scale !== "function") {
    // Over all steps but for outliers, and at this step in any case.
    const own = niceCeil(Math.max(now.most, withoutOutliers(all.map((one) => one.most))));
    const isShared = scale === "all models" && !isPlain(picture.layer); // Lines of weights would press φ flat.
    const most = (isShared && together?.y(own)) || own;
    shareScale(picture, most);
    if (mode === "overview") picture.cells = signedCells(picture);
    else picture.cut = now.sizes.filter((size) => size > most).length;
    return;
  }
  const own = functionPeaks(now, all).map((m) => (Number.isNaN(m) ? m : niceCeil(m)));
  picture.scaleOf = (f) => own[f];
  const [smallest = 0, largest = 0] = extent(own);
  picture.scales = { smallest, largest };
}

/** Of each cell how far φ reaches, below zero where φ falls from end to end; of a kernel its largest function. */
function signedCells({ frame, layer, plan, sizes, unit }: Picture): Float32Array {
  const rises = risesAt(frame, layer, plan);
  return Float32Array.from({ length: layer.count / unit }, (_, cell) => {
    const f = functionAt({ sizes, unit }, cell);
    return rises[f] < 0 ? -sizes[f] : sizes[f];
  });
}

/** The function that a cell stands for: of a kernel the largest one. */
export function functionAt({ unit, sizes }: Pick<Picture, "unit" | "sizes">, cell: number): number {
  return unit === 1 || cell < 0 ? cell : furthest(sizes, cell * unit, (cell + 1) * unit);
}

/** The function that reaches furthest, of those from one to before another. */
export function furthest(sizes: Float32Array, from = 0, to = sizes.length): number {
  return from + Math.max(0, maxIndex(sizes.subarray(from, to)));
}

/** A view at least so wide has room for a plot beside the cells; of one of several that are compared less will do. */
export const WIDE = 760;
const WIDE_COMPARED = 440;
export const wideFrom = (together: unknown): number => (together ? WIDE_COMPARED : WIDE);
/** Share of the width that is kept for the plot, and its least width. */
const PLOT_SHARE = 0.25;
const LEAST_PLOT_WIDTH = 260;
const SHARE_OF_COMPARED = 0.4;

/** Between plots of a kernel: closer, the curves of a row are read as one line. */
const CELL_GAP = 4;

/** In a narrow view as on a telephone the plot below needs height that cells would take. */
const NARROW = 440;
/** Plots of single functions are so many times as wide as high, in a narrow view more, and those of a kernel higher than wide, where there is room, or over a plot flatter; where grids are compared they may be small, too. */
const [WIDEST, WIDEST_NARROW, TALLEST_BESIDE, TALLEST_ABOVE] = [2.2, 3.5, 1.4, 0.9];
const COMPARED = { least: 14, widest: 10, tallest: 2.2, broadest: 2.4 };
/** In so few pixels from left to right the plots of a kernel may be so small: all are to be seen. */
const SMALL = { below: 330, least: 17 };

/** Above the plot, for two lines of words; and the least height of the plot with them, below the cells: below pictures it gives way. */
export const PLOT_HEAD = 56;
export const plotLeast = (isFlat: boolean) => PLOT_HEAD + (isFlat ? 100 : 132);
/** Cells that are smaller are hard to point at: they get the plot's room, too. */
const LEAST_CELL = 2;

/** Where the cells lie; where those of single functions would be too small, each is a kernel. */
function arranged(
  { layer, settings, width, order, room = 0, together, magnifies = false, scrolls }: Ingredients,
  shape: readonly [number, number, number, number],
): { arrangement: Arrangement; unit: number } {
  const [out, inputs, kh, kw] = shape;
  const overview = settings.mode === "overview";
  const flat = isFlat(settings);
  const isWide = width >= wideFrom(together);
  const plot = together
    ? SHARE_OF_COMPARED * width
    : Math.max(LEAST_PLOT_WIDTH, Math.round(PLOT_SHARE * width));
  const across = magnifies && isWide ? Math.floor(width - plot) : width;
  const tiny = overview || (flat && layer.count > OVERVIEW_BEYOND);
  const folded = shape !== layer.shape;
  const cells = {
    kind: kh * kw > 1 ? ("conv" as const) : layer.kind,
    out,
    in: inputs,
    column: folded ? "map" : layer.kind === "elementwise" ? GROUP : "input",
    output: folded ? "output" : undefined,
    names: layer.names,
    // A folded layer has a column for each map, not for each input.
    inputNames: folded ? undefined : layer.inputNames,
    order: order ?? undefined,
    corner: layer.window ? ([layer.window.out, layer.window.in] as const) : undefined,
  };
  const of = (down: number, size: readonly [number, number]) => {
    const isAbove = magnifies && width < NARROW && down < room;
    const own = {
      least: width < SMALL.below ? SMALL.least : undefined,
      widest: width < WIDE ? WIDEST_NARROW : WIDEST,
      tallest: isAbove ? TALLEST_ABOVE : magnifies || scrolls ? TALLEST_BESIDE : undefined,
    };
    const plots = flat ? {} : { apart: CELL_GAP, ...(together ? COMPARED : own) };
    return arrange({ ...cells, ...plots, kh: size[0], kw: size[1] }, across, down, tiny);
  };
  const within = (down: number, least: number) => {
    const arrangement = of(down, [kh, kw]);
    // A folded map is read as a picture: it scrolls rather than becoming one cell.
    const tooMany = arrangement.cell < least || arrangement.height > down;
    const small = overview && layer.kind === "conv" && kh * kw > 1 && tooMany;
    return small ? { arrangement: of(down, [1, 1]), unit: kh * kw } : { arrangement, unit: 1 };
  };
  if (together || !magnifies || isWide) return within(room, 1);
  // The plot lies below, if it does not take more than half of the cells' height, or hide some of them.
  const down = Math.max(1, room - plotLeast(flat));
  const [above, whole] = [within(down, LEAST_CELL), within(room, 1)];
  const [small, large] = [above.arrangement, whole.arrangement];
  if (flat || large.height > room) return small.cell < LEAST_CELL ? whole : above;
  const sizeOf = ({ cell, across }: Arrangement) => (kh * kw > 1 ? across : cell);
  return small.height > down || 2 * sizeOf(small) <= sizeOf(large) ? whole : above;
}

/** How near the darkest pixel has to be to −1, and none beyond ±1. */
const PIXEL_TOLERANCE = 1e-3;

/** φ(high) − φ(low) of every function. */
export function contrastOf(subject: Subject, layer: LayerLayout): Float32Array {
  return Float32Array.from({ length: layer.count }, (_, f) => {
    const [low, high] = basisOf(layer, f).domain;
    const v = subject.at(f, high) - subject.at(f, low);
    return Math.abs(v) <= Number.MAX_VALUE ? v : Number.NaN;
  });
}

/** 0 black … 1 white. */
export function contrastGrey(contrast: number, most: number, binarise: boolean): number {
  if (Number.isNaN(contrast)) return contrast;
  if (binarise) return contrast < 0 ? 0 : 1;
  return most > 0 ? 0.5 + (0.5 * contrast) / most : 0.5;
}

/** Whether x is known to be the pixels of images with −1 for dark and +1 for bright. */
export function seesPixels(layer: LayerLayout, observed: Observed | null): boolean {
  const whole = layer.bases.every(({ domain: [low, high] }) => low === -1 && high === 1);
  if (!whole || layer.kind !== "conv" || layer.variable !== "x") return false;
  if (!observed?.isImage || !observed.maps) return false;
  const [least = 0, most = 0] = extent(observed.maps);
  return Math.abs(least + 1) <= PIXEL_TOLERANCE && most <= 1 + PIXEL_TOLERANCE;
}
