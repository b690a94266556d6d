/** MeshgridView's pair: the sum of two functions over their two inputs, and where it lies. */

import { basisOf, inputName, observedEntry, outputName } from "../../phi/entries.ts";
import { formatNumber, percent, spanText } from "../../phi/format.ts";
import { type Ends, endsOrGrid, inputEnds } from "../../phi/inputs.ts";
import { bandLines, bandOver, phiAt } from "../../phi/interpolate.ts";
import { heldScale, type Keep } from "../../phi/memory.ts";
import {
  type Density,
  densityOf,
  functionIn,
  type Group,
  groupOf,
  levelsOf,
  pairEntries,
  shareAt,
  surfaceOf,
} from "../../phi/pair.ts";
import { mostOf, niceCeil, reachOf } from "../../phi/ranges.ts";
import { type Axis, evenLabels, leftRoom, linear, ticks } from "../../scene/axes.ts";
import type { Given } from "../../scene/drawing.ts";
import { cellOf, type Region } from "../../scene/regions.ts";
import type { LayerLayout } from "../../wire/types.ts";
import { finite, type MeshGiven } from "./settings.ts";

/** Points of the surface per axis. */
const SURFACE_POINTS = 65;
const DENSITY_BINS = 48;
const PAD = 8;
const TOP_PAD = 10;
const NARROW_WIDTH = 520;
/** On a page of its own the surface is larger than the height asked for, up to a share of the width. */
const SURFACE_SHARE = 0.42;
/** Where less of a page is seen, the surface is so large all the same. */
const LEAST_SEEN = 200;
/** The curves along it are less thick where all is to be seen at once. */
const LOW_CURVE = 64;
const LOW_TILES = 48;
/** How wide tiles are at most for the height of all. */
const WIDER = 2.2;
/** Over the kernel, for its name, and below it for those of both entries. */
const HEAD_HEIGHT = 18;
const NAMES_HEIGHT = 40;
/** Between the surface and the curves along it. */
const CURVE_GAP = 14;
/** Beyond the inputs seen, as a share of their range: dots at its ends do not lie on the axes. */
const RANGE_AIR = 0.04;
const AXIS_SIZE = 11;

/** Steps of the keyboard over the surface. */
export const READINGS = 41;

export type Pair = ReturnType<typeof pairOf>;
export type PairLayout = ReturnType<typeof layOut>;
/** Where the surface is read, the values of both functions there, and all of it in words. */
export type PairReading = ReturnType<typeof readPair>;

/** Two entries of one group, as they are drawn. */
export function pairOf({ store }: Given, { frame, layer, settings }: MeshGiven, keep: Keep) {
  const selection = store.selection();
  const group = groupOf(layer, selection);
  const observed = store.observed(layer.name);
  const { other } = settings;
  const points = group.count > 100 ? 16 : group.count > 25 ? 64 : 128;
  const strips = keep("strips", [frame, layer, group.out, group.in], () =>
    Array.from({ length: group.count }, (_, entry) => {
      const f = functionIn(group, entry);
      const [lo, hi] = layer.domain;
      return Float64Array.from({ length: points }, (_, k) => {
        return phiAt(layer, f, frame, lo + ((hi - lo) * (k + 0.5)) / points).phi;
      });
    }),
  );
  const entries = keep<readonly [number, number]>(
    "entries",
    [layer, observed, selection, other, strips],
    (last) => {
      const spreads = strips.map((strip) => Math.max(...strip) - Math.min(...strip) || 0);
      return pairEntries(layer, group, { selection, other, observed, spreads, last });
    },
  );
  const [i, j] = entries.map((entry) => functionIn(group, entry));
  const [placeX, placeY] = [i, j].map((one) => observedEntry(layer, one));
  const rangeOf = (place: number, f: number) =>
    endsOrGrid((observed && inputEnds(observed)[place]) ?? null, basisOf(layer, f).domain);
  const [across, up] = [rangeOf(placeX, i), rangeOf(placeY, j)];
  const [low, high] = [Math.min(across[0], up[0]), Math.max(across[1], up[1])];
  const air = observed ? RANGE_AIR * (high - low) : 0;
  // Further out than both functions are known there would be no sum.
  const known = [i, j].map((f) => layer.tables[layer.tableOf?.[f] ?? 0].x);
  const from = Math.max(low - air, ...known.map((x) => x[0]));
  const to = Math.min(high + air, ...known.map((x) => x[x.length - 1]));
  const range: Ends = from < to ? [from, to] : [low - air, high + air];
  const surface = keep("surface", [frame, layer, i, j, ...range], () =>
    surfaceOf(frame, layer, [i, j], [range, range], SURFACE_POINTS),
  );
  const bands = [i, j].map((f) => bandOver(layer, f, range));
  const spread = bands.flatMap((band) => band?.range.y ?? []);
  const reach = keep("reach", [surface], () => reachOf(surface.values));
  const alone = reachOf([...surface.across, ...surface.up, ...spread]);
  const scale = (name: string, own: number) =>
    heldScale(keep, name, [layer, i, j], store.cursor() >= 0, own);
  const density = keep("density", [observed, layer, placeX, placeY, ...range], () =>
    observed ? densityOf(observed, placeX, placeY, range, DENSITY_BINS) : null,
  );
  return {
    group,
    /** The functions that it is chosen from. */
    title: `functions of ${groupName(layer, group)}`,
    /** Along x and along y: places in the group, functions, and their names. */
    entries,
    functions: [i, j] as const,
    names: [entryName(layer, group, entries[0]), entryName(layer, group, entries[1])] as const,
    /** Where the inputs of both are, or their grids: one range, so that both axes have one scale. */
    range,
    surface,
    reach,
    /** Half the range of the colours, and of both functions alone. */
    most: scale("colours", niceCeil(mostOf(reach))),
    curveMost: scale("curves", niceCeil(mostOf(alone))),
    /** Of an ensemble, where its networks have both functions. */
    bands,
    // Around what is not finite there would be lines, too.
    levels: reach.broken > 0 ? [] : keep("levels", [reach], () => levelsOf(reach.low, reach.high)),
    density,
    /** φ of every entry of the group over the grid’s range. */
    strips,
    ends: spanText(layer.variable, layer.domain),
  };
}

/** The map of the kernel: beside the surface where there is room, above it otherwise. */
export function layOut(given: Given, { layer }: MeshGiven, pair: Pair) {
  const { width, height } = given;
  const { group, names, range } = pair;
  const rows = Math.ceil(group.count / group.columns);
  // Tiles in one row need the width.
  const narrow = width < (rows > 1 ? NARROW_WIDTH : 1.4 * NARROW_WIDTH);
  const seen = given.room === undefined ? given.seen : undefined;
  // That at the right costs no height.
  const thick = Math.round(Math.max(60, Math.min(110, 0.1 * width)));
  const strip = Math.min(seen ? LOW_CURVE : 110, thick);
  const bottom = 44;
  // By itself it is seen at once with all that is around it, if it can.
  const tallest = (top: number) =>
    seen
      ? Math.max(LEAST_SEEN, Math.min(Math.max(height, SURFACE_SHARE * width), seen - top - bottom))
      : height;
  const v = layer.variable === "x" ? "" : `${layer.variable}, `;
  const axis = (k: 0 | 1, start: number, end: number): Axis => {
    const ends = { from: range[0], to: range[1] };
    const at = ticks(ends, Math.max(3, Math.abs(end - start) / 60));
    const title = `${"xy"[k]}: ${v}${group.byInput ? "" : "input at "}${names[k]}`;
    return { scale: linear(ends, start, end), ticks: at, title, label: evenLabels(at) };
  };
  // The labels of another height may be others, of nearly the same width.
  const labels = Math.max(
    ...[axis(1, height, 0), curveAxis(pair, 0, 1)].map((one) => leftRoom(one, AXIS_SIZE)),
  );
  const around = labels + CURVE_GAP + thick + 2 * PAD;
  const high = TOP_PAD + strip + CURVE_GAP;
  const least = Math.max(150, 0.21 * width);
  // What a low window leaves is for the kernel, as high as surface and curve, tiles wider than high.
  const free = width - around - Math.min(width - around - least, tallest(high));
  const beside = high + tallest(high) - TOP_PAD - 3 - HEAD_HEIGHT - NAMES_HEIGHT;
  const tall = narrow && rows === 1 ? LOW_TILES : beside;
  const fitted = (tall * group.columns) / rows;
  const most = Math.min(free - 3 * PAD, WIDER * Math.min(fitted, tallest(high)));
  const room = Math.round(
    narrow ? (rows > 1 ? 0.2 : 0.55) * width : Math.max(least - 3 * PAD, most),
  );
  const gap = room / group.columns >= 16 ? 2 : 1;
  const pitch = Math.max(4, Math.floor((room + gap) / Math.max(3, group.columns)));
  const deep = rows * Math.max(4, Math.min(pitch, Math.floor((tall + gap) / rows))) - gap;
  const wide = group.columns * pitch - gap;
  const box = { x: PAD + 3, y: TOP_PAD + 3 + HEAD_HEIGHT, width: wide, height: deep };
  const kernel: Region = {
    name: "kernel",
    box,
    rows,
    columns: group.columns,
    count: group.count,
    gap,
    home: [Math.floor(pair.entries[0] / group.columns), pair.entries[0] % group.columns],
    words: (row, column) => entryName(layer, group, row * group.columns + column),
  };
  const foot = box.y + box.height;
  const place = narrow
    ? { x: box.x + box.width + 16, y: [box.y + 12, box.y + 32] }
    : { x: box.x, y: [foot + 34, foot + 54] };
  const below = Math.max(foot + 16, ...place.y) + 12;
  const top = narrow ? below + strip + CURVE_GAP : high;
  const side = narrow ? 0 : room + 3 * PAD;
  const size = Math.max(110, Math.min(width - around - side, tallest(top)));
  const x = side + PAD + labels;
  const plot = { x, y: top, width: size, height: size };
  const right = x + size + CURVE_GAP;
  const above = { ...plot, y: top - CURVE_GAP - strip, height: strip };
  return {
    kernel,
    /** Left and baseline of its head, and left and baselines of the names of both entries. */
    head: { x: box.x, y: TOP_PAD + 9 },
    names: place,
    plot,
    /** The functions alone: the first above the plot, the second beside it; and their values, upwards and to the right. */
    curves: [above, { ...plot, x: right, width: thick }] as const,
    sides: [
      curveAxis(pair, above.y + above.height - 2, above.y + 2),
      curveAxis(pair, right + 2, right + thick - 2),
    ] as const,
    axes: [axis(0, x, x + size), axis(1, top + size, top)] as const,
    width: Math.max(width, right + thick + PAD),
    height: Math.max(top + size + bottom, below),
  };
}

/** The values of the first function upwards, or of the second to the right, as an axis. */
function curveAxis({ curveMost }: Pair, start: number, end: number): Axis {
  const range = { from: -curveMost, to: curveMost };
  let at = ticks(range, 3);
  // Zero alone says nothing of the scale.
  for (let most = 4; at.length < 3 && most < 8; most++) at = ticks(range, most);
  return { scale: linear(range, start, end), ticks: at, title: "" };
}

/** The functions that a pair is chosen from: "kernel 0", "output 0 · input 1", "output 0". */
export function groupName(layer: LayerLayout, { byInput, out, in: input, single }: Group): string {
  const name = outputName(layer, out, single && !byInput ? "kernel" : "output");
  return byInput || single ? name : `${name} · ${inputName(layer, input)}`;
}

export function entryName(layer: LayerLayout, group: Group, entry: number): string {
  if (group.byInput) return inputName(layer, entry);
  return `row ${Math.floor(entry / group.columns)}, column ${entry % group.columns}`;
}

/** What the dots are: larger where more inputs came together. */
export function densityWords({ outside }: Density): string {
  const out = outside > 0 ? `; ${percent(outside)} lie outside` : "";
  return `dots: pairs of inputs seen, the larger the more often${out}`;
}

/** The inputs at a step of the keyboard; rows run down, y runs up. */
export function planePoint({ range: [lo, hi] }: Pair, row: number, column: number) {
  const share = (k: number) => k / (READINGS - 1);
  return [lo + (hi - lo) * share(column), hi - (hi - lo) * share(row)] as const;
}

/** What is read where the pointer or the keyboard is on the surface. */
export function readingOf(
  { pointed }: Given,
  shown: MeshGiven,
  pair: Pair,
  { plot }: PairLayout,
): PairReading | null {
  const cell = cellOf(pointed.id);
  if (cell?.name !== "plot") return null;
  if (!pointed.at) return readPair(shown, pair, ...planePoint(pair, cell.row, cell.column));
  const [lo, hi] = pair.range;
  const across = (pointed.at.x - plot.x) / plot.width;
  const down = (pointed.at.y - plot.y) / plot.height;
  return readPair(shown, pair, lo + (hi - lo) * across, hi - (hi - lo) * down);
}

export function readPair({ frame, layer }: MeshGiven, pair: Pair, x: number, y: number) {
  const [i, j] = pair.functions;
  const [a, b] = [phiAt(layer, i, frame, x).phi, phiAt(layer, j, frame, y).phi];
  const lines = [
    { label: "x", value: formatNumber(x) },
    { label: "y", value: formatNumber(y) },
    { label: "φ₁(x)", value: finite(a) },
    ...bandLines(layer, i, x),
    { label: "φ₂(y)", value: finite(b) },
    ...bandLines(layer, j, y),
    { label: "sum", value: finite(a + b) },
  ];
  if (pair.density) {
    const share = shareAt(pair.density, x, y);
    lines.push({ label: "inputs near here", value: share > 0 ? percent(share) : "none" });
  }
  return { x, y, values: [a, b] as const, lines };
}
