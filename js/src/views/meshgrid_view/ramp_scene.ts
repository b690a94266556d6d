/** The ramp: every φ of a layer over rising inputs, as a small heat map where the kernel has it. */

import { range } from "d3-array";
import { type Curves, evaluateAll, firstShown, type Plan } from "../../phi/curves.ts";
import {
  counted,
  entryText,
  foldedShape,
  functionOf,
  isPlain,
  layerInWords,
  layerSize,
  layerTitle,
  outputName,
} from "../../phi/entries.ts";
import { expandAll } from "../../phi/expansion.ts";
import { formatNumber, momentText } from "../../phi/format.ts";
import { arrange, blockOf, kernelsWithin, PAD, type Rect, rectOf } from "../../phi/geometry.ts";
import { phiAt } from "../../phi/interpolate.ts";
import { heldScale, type Keep, memory } from "../../phi/memory.ts";
import { colourise, paletteOf } from "../../phi/palette.ts";
import { mostOf, niceCeil, reachOf, readableSize } from "../../phi/ranges.ts";
import {
  AXIS_HEIGHT,
  axisMarks,
  besideIn,
  brokenMarks,
  cellBoxes,
  cellFrames,
  cellSites,
  functionsWithin,
  labelMarks,
  markedIn,
  rowEnds,
} from "../../scene/cells.ts";
import type { Given } from "../../scene/drawing.ts";
import { colourKey, KEY_HEIGHT, sheetOf } from "../../scene/heat.ts";
import { keyed, type Mark, type Remark, type Scene } from "../../scene/marks.ts";
import { flat, grown, line, rects } from "../../scene/shapes.ts";
import type { Colours } from "../../scene/theme.ts";
import type { LayerLayout } from "../../wire/types.ts";
import { finite, type MeshGiven } from "./settings.ts";

export type RampScene = Scene & ReturnType<ReturnType<typeof rampDrawing>>;

/** Cells of at most FEW_KERNELS kernels have ROOMY_CELL pixels at least, in two rows if need be. */
const FEW_KERNELS = 8;
const ROOMY_CELL = 40;
/** In cells below this many pixels lines and small marks are left out. */
const SMALL_CELL = 20;
const WIDEST_KEY = 260;
/** Below the cells are the ends of their axis. */
const AIR = AXIS_HEIGHT;
/** Of a dense layer tiles are so many times as wide as high, where there is room. */
const WIDEST = 6;
/** Of maps with more functions in all those of one output are drawn. */
const MOST_TILES = 1000;
const FOOT = KEY_HEIGHT + AIR + PAD;

type Evaluated = ReturnType<typeof evaluated>;

function evaluated(given: Given, { frame, layer, settings }: MeshGiven, keep: Keep) {
  const { width, height, store } = given;
  const shape = foldedShape(layer, store.observed(layer.name)?.fold ?? null);
  const isOne = shape !== layer.shape && shape[1] > 1 && layer.count > MOST_TILES;
  const selected = functionOf(layer, store.selection());
  const f = selected < 0 ? firstShown(store, layer).f : selected;
  const each = layer.count / shape[0];
  const chosen = Math.min(settings.output, shape[0] - 1);
  const output = isOne ? (chosen < 0 ? Math.floor(f / each) : chosen) : -1;
  // Beside other views of one map, that of the function shown.
  const map = isOne && given.room !== undefined ? Math.floor(((f % each) * shape[1]) / each) : -1;
  const count = !isOne ? layer.count : map < 0 ? each : each / shape[1];
  const first = Math.max(0, output) * each + Math.max(0, map) * count;
  const arrangement = keep("arrangement", [layer, String(shape), width, height, first], () => {
    const [, maps, high, wide] = shape;
    const [inputs, kh, kw] = map < 0 ? [maps, high, wide] : [count, 1, 1];
    const out = isOne ? 1 : shape[0];
    const least = out * inputs <= FEW_KERNELS ? ROOMY_CELL : undefined;
    const { kind, names, inputNames } = layer;
    const corner = [Math.max(0, output), map < 0 ? 0 : map * count] as const;
    const cells = { out, in: inputs, kh, kw, names, corner, least, widest: WIDEST, tallest: 1.5 };
    const folded = { ...cells, kind: "conv", column: "map", output: "output" } as const;
    // Maps are seen whole, as KernelGrid has them.
    return shape === layer.shape || map >= 0
      ? arrange({ ...cells, kind, inputNames }, width, height - FOOT)
      : arrange(folded, width, height - FOOT, true);
  });
  const plan = keep("plan", [layer, ...settings.limits], () => rampPlan(layer, settings.limits));
  const curves = keep<Curves>("curves", [frame, plan], (last) =>
    evaluateAll(frame, layer, plan, last ?? undefined),
  );
  const reach = keep("reach", [frame, plan], () => rampReach(layer, curves));
  const own = niceCeil(readableSize(reach.most));
  const most = heldScale(keep, "colours", [plan, output, map], store.cursor() >= 0, own);
  const whole = output < 0 ? "" : ` of ${outputName(layer, output)}`;
  const of = map < 0 ? whole : `${whole} from map ${map}`;
  const isCut = Math.max(-reach.low, reach.high) > most;
  /** `first`: the first function that is drawn, and `count` how many are. */
  return { arrangement, output, of, first, count, curves, reach, most, isCut };
}

export function rampDrawing() {
  const keep = memory();

  return (given: Given, shown: MeshGiven) => {
    const values = evaluated(given, shown, keep);
    const { arrangement, curves, most, output, of, first, count } = values;
    const { theme, pointed } = given;
    const { layer, settings, frame } = shown;
    const { colours } = theme;
    const all = markedIn(layer, given);
    const isDrawn = (f: number) => f >= first && f < first + count;
    const marked = { ...all, selected: isDrawn(all.selected) ? all.selected : -1 };
    const { selected, hovered } = marked;
    const beside = besideIn(layer, given);
    const shownOne = isDrawn(beside) ? beside : selected;
    const words = (f: number) => selectionText(shown, f);
    const box = (f: number) => rectOf(arrangement, f - first);
    const { x, width: side } = box(Math.max(first, hovered));
    const [lo, hi] = settings.limits;
    const share = pointed.at ? Math.max(0, Math.min(1, (pointed.at.x - x) / side)) : 0.5;
    // Beside it functions are drawn over the inputs.
    const isGrid = !isPlain(layer) && layer.domain.every((end, k) => end === settings.limits[k]);
    const over = isGrid ? " over the grid" : "";
    const axis = `${of}${over}, ${layer.variable} from ${formatNumber(lo)} to ${formatNumber(hi)}`;
    const chosen = selected >= 0 ? `Selected: ${words(selected)}. ` : "";
    const under = [arrangement, theme.name, colours.surface];
    return {
      mode: "ramp" as const,
      ...shown,
      /** The output that is drawn, −1 for all; and half the range of the colours. */
      ...{ arrangement, output, curves, most, selected, hovered },
      /** The input under the pointer, or in the middle of the keyboard's cell. */
      input: lo + (hi - lo) * share,
      width: arrangement.width,
      height: arrangement.height + FOOT,
      title: `MeshgridView · ${layerTitle(layer)}`,
      moment: momentText(frame),
      words:
        `Heat maps of ${layerInWords(layer)}, ${layerSize(layer)}: each square is one function${axis}, left to right, ` +
        `colours ±${formatNumber(most)}. ${chosen}` +
        "Arrow keys move between functions; Enter selects, Escape clears.",
      about: JSON.stringify([layer.name, layer.shape, selected, axis]),
      caption: captionOf(given, values, axis),
      cuts: rowEnds(arrangement),
      sheets: [
        { from: under, marks: (view: Rect) => labelMarks(arrangement, view, colours) },
        {
          from: [...under, frame, first, most],
          marks: (view: Rect) => heatMarks(given, values, view),
        },
        { marks: () => cellFrames({ ...marked, selected: shownOne }, box, colours.ink, colours) },
        { marks: () => footMarks(given, shown, values) },
      ],
      sites: cellSites(arrangement, count, words, { size: 1, functionAt: Number, first }),
    };
  };
}

/** Below the cells: the axis of all, and what the colours are. */
function footMarks({ theme }: Given, { settings, layer }: MeshGiven, made: Evaluated): Mark[] {
  const { arrangement: a, most, isCut } = made;
  const at = [a.left, a.height + AIR, Math.min(WIDEST_KEY, a.width - PAD - a.left)] as const;
  const meaning = { most, cut: isCut, below: ["φ below 0"], above: ["φ above 0"] };
  return [
    ...axisMarks(a, settings.limits, layer.variable, theme.colours),
    ...colourKey(at, meaning, theme),
  ];
}

function heatMarks({ theme }: Given, values: Evaluated, view: Rect): Mark[] {
  const { arrangement, curves, most, reach, first } = values;
  const { points } = curves;
  const { colours } = theme;
  const cellsSeen = functionsWithin(arrangement, view);
  const visible = cellsSeen.map((cell) => first + cell);
  const palette = paletteOf(theme.name);
  const width = 2 * arrangement.across;
  const one = new Float32Array(width);
  const sheet = sheetOf(visible.length, width, 1, (k, pixels) => {
    for (let p = 0; p < width; p++) {
      const at = Math.max(0, Math.min(points - 1, ((p + 0.5) / width) * points - 0.5));
      const [from, share] = [visible[k] * points + Math.floor(at), at % 1];
      one[p] = curves.y[from] + (share && share * (curves.y[from + 1] - curves.y[from]));
    }
    colourise(one, most, palette, pixels, width);
  });
  const blocks = kernelsWithin(arrangement, view).flatMap((kernel) =>
    flat(grown(blockOf(arrangement, kernel), 0.5)),
  );
  const broken = visible.filter((f) => Number.isNaN(reach.most[f]));
  const known = visible.filter((f) => !Number.isNaN(reach.most[f]));
  const heights = (k: number) => curves.y.subarray(known[k] * points, (known[k] + 1) * points);
  const cells = known.map((f) => rectOf(arrangement, f - first));
  return [
    { kind: "tiles", boxes: cellBoxes(arrangement, cellsSeen), ...sheet },
    // A hairline keeps what is near zero apart from the page.
    rects(blocks, { stroke: colours.line }),
    ...(arrangement.cell < SMALL_CELL ? [] : curvesOver(cells, heights, most, colours)),
    ...brokenMarks(
      arrangement,
      broken.map((f) => f - first),
      colours.warn,
    ),
  ];
}

/** φ as a line over the colours that stand for its heights, zero in the middle; beyond them it is cut off by its tile. */
export function curvesOver(
  boxes: readonly Rect[],
  heights: (k: number) => ArrayLike<number>,
  most: number,
  { ink, surface }: Colours,
): Mark[] {
  return boxes.map((clip, k) => {
    const { x, y, width, height } = clip;
    const values = Array.from(heights(k));
    const xy = values.flatMap((value, p) => [
      x + ((p + 0.5) / values.length) * width,
      y + height * (0.5 - (0.46 * value) / most),
    ]);
    const halo = line(xy, surface, { width: 3.5, opacity: 0.45 });
    return { kind: "group", clip, marks: [halo, line(xy, ink, { width: 1.35 })] };
  });
}

function captionOf({ theme }: Given, { arrangement, reach, isCut }: Evaluated, axis: string) {
  const headline = `Each tile is one function φ${axis}.`;
  const caption: Remark[] = [{ text: headline, tone: "ink", strong: true }];
  if (reach.low <= reach.high) {
    const cut = isCut ? "; some beyond the colours" : "";
    caption.push({
      text: `φ from ${formatNumber(reach.low)} to ${formatNumber(reach.high)}${cut}`,
    });
  }
  if (reach.broken > 0) {
    const text = `${counted(reach.broken, "function")} not finite (×, grey)`;
    caption.push({ text, tone: "warn" });
  }
  if (arrangement.cell >= SMALL_CELL)
    caption.push(keyed("the same as a curve", "line", theme.colours.ink));
  return caption;
}

function selectionText({ frame, layer, settings }: MeshGiven, f: number): string {
  const [lo, hi] = settings.limits;
  const ends = (lo < 0 && hi > 0 ? [lo, 0, hi] : [lo, hi]).map(
    (x) => `φ(${formatNumber(x)}) ${finite(phiAt(layer, f, frame, x).phi)}`,
  );
  return `${layerTitle(layer)} · ${entryText(layer, f)} · ${ends.join(" · ")}`;
}

/** How many inputs a ramp has. */
export const RAMP_POINTS = 64;

/** The rising inputs in the basis of each table of a layer. */
export function rampPlan(layer: LayerLayout, [low, high]: readonly [number, number]): Plan {
  const step = (high - low) / (RAMP_POINTS - 1);
  const inputs = range(RAMP_POINTS).map((k) => low + k * step);
  const tables = layer.tables.map((_, table) => expandAll(layer, table, inputs));
  return { tables, points: RAMP_POINTS };
}

/** How far the functions reach, from what is finite of them; `broken` counts functions with values that are not. */
export function rampReach(layer: LayerLayout, { y, points }: Curves) {
  const ranges = range(layer.count).map((f) => reachOf(y.subarray(f * points, (f + 1) * points)));
  const finite = ranges.filter(({ broken }) => broken < points);
  return {
    /** Per function the largest distance from zero; NaN where nothing is finite. */
    most: Float32Array.from(ranges, (reach) =>
      reach.broken < points ? mostOf(reach) : Number.NaN,
    ),
    broken: ranges.filter(({ broken }) => broken > 0).length,
    low: finite.reduce((least, { low }) => Math.min(least, low), Number.POSITIVE_INFINITY),
    high: finite.reduce((most, { high }) => Math.max(most, high), Number.NEGATIVE_INFINITY),
  };
}
