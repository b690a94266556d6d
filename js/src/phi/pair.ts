/** The surface φ_i(x) + φ_j(y) of two entries of one kernel. */

import { range, ticks, variance } from "d3-array";
import { contours } from "d3-contour";
import type { Frame, LayerLayout, Observed, Selection } from "../wire/types.ts";
import { functionOf, observedEntry, selectionOf } from "./entries.ts";
import type { Ends } from "./inputs.ts";
import { phiAt } from "./interpolate.ts";

/** The entries that a pair is taken from: those of a kernel, or all inputs of an output where a kernel has one entry. */
export type Group = ReturnType<typeof groupAt>;

/** More inputs than these are folded into several rows. */
const MOST_IN_A_ROW = 6;

/**
 * Number `number` of `groups`. Entries lie in rows of `columns`; `byInput`: entry e is input e, not a place in the kernel;
 * `single`: the only input.
 */
export function groupAt({ shape }: LayerLayout, number: number) {
  const [outputs, inputs, kh, kw] = shape;
  const byInput = kh * kw === 1;
  const [out, input] = byInput ? [number, 0] : [Math.floor(number / inputs), number % inputs];
  const folded = inputs <= MOST_IN_A_ROW ? inputs : Math.ceil(Math.sqrt(inputs));
  const groups = byInput ? outputs : outputs * inputs;
  const of = { columns: byInput ? folded : kw, count: byInput ? inputs : kh * kw };
  return { number, groups, out, in: input, ...of, byInput, single: inputs === 1 };
}

/** The group of the selected function, else the first. */
export function groupOf(layer: LayerLayout, selection: Selection | null) {
  const f = Math.max(0, functionOf(layer, selection));
  return groupAt(layer, Math.floor(f / groupAt(layer, 0).count));
}

/** The number of the function that an entry of a group is. */
export const functionIn = ({ number, count }: Group, entry: number) => number * count + entry;

export function selectionIn(layer: LayerLayout, group: Group, entry: number): Selection {
  return selectionOf(layer, functionIn(group, entry));
}

/** By what the entries of a pair are chosen. */
interface PairChoice {
  selection: Selection | null;
  /** The number of the second entry; −1: none. */
  other: number;
  observed: Observed | null;
  /** How far the function of each entry varies. */
  spreads: readonly number[];
  /** The pair that was drawn last. */
  last: readonly [number, number] | null;
}

/** The pair drawn stays until others vary so many times as much: a picture does not jump while its model trains. */
const FAR_MORE = 2;

/** Both entries: the selected one and the one set beside it. Else the two whose inputs vary most in a batch, or whose functions do in a kernel. */
export function pairEntries(
  layer: LayerLayout,
  group: Group,
  { selection, other, observed, spreads, last }: PairChoice,
): readonly [x: number, y: number] {
  const variation = group.byInput && observed ? inputSpreads(layer, group, observed) : spreads;
  const order = [...variation.keys()].sort((a, b) => variation[b] - variation[a] || a - b);
  const stays = last?.every((entry) => FAR_MORE * variation[entry] >= variation[order[1]]);
  const candidates = last && stays ? last : order;
  const f = functionOf(layer, selection);
  const x = f < 0 ? candidates[0] : f % group.count;
  if (other >= 0 && other < group.count) return [x, other];
  return [x, candidates.find((entry) => entry !== x) ?? x];
}

/** How much each input of an output varies. */
function inputSpreads(layer: LayerLayout, group: Group, observed: Observed): number[] {
  const { patches, patchCount, entries } = observed;
  return Array.from({ length: group.count }, (_, entry) => {
    const place = observedEntry(layer, functionIn(group, entry));
    return variance(range(patchCount), (p) => patches[p * entries + place]) ?? 0;
  });
}

/** The sum over a range of either entry, at n × n points. */
export function surfaceOf(
  frame: Frame,
  layer: LayerLayout,
  [i, j]: readonly [number, number],
  ranges: readonly [Ends, Ends],
  n: number,
) {
  const [x, y] = ranges.map(([lo, hi]) =>
    Float64Array.from({ length: n }, (_, k) => lo + ((hi - lo) * k) / (n - 1)),
  );
  const across = x.map((at) => phiAt(layer, i, frame, at).phi);
  const up = y.map((at) => phiAt(layer, j, frame, at).phi);
  const values = new Float64Array(n * n);
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < n; column++) values[row * n + column] = across[column] + up[row];
  }
  /** `across` and `up` are φ_i and φ_j alone; values[row·n + column] = φ_i(x[column]) + φ_j(y[row]). */
  return { x, y, across, up, values };
}

/** The inputs that two entries really get together. */
export type Density = NonNullable<ReturnType<typeof densityOf>>;

/** How often inputs come together; null where the patches do not tell. */
export function densityOf(
  observed: Observed,
  entryX: number,
  entryY: number,
  range: Ends,
  bins: number,
) {
  const { patches, patchCount, entries } = observed;
  if (entryX >= entries || entryY >= entries || patchCount === 0) return null;
  const counts = new Uint32Array(bins * bins);
  const [x, y] = [new Float64Array(bins * bins), new Float64Array(bins * bins)];
  let outside = 0;
  for (let p = 0; p < patchCount; p++) {
    const [across, up] = [patches[p * entries + entryX], patches[p * entries + entryY]];
    const [column, row] = [binOf(across, range, bins), binOf(up, range, bins)];
    if (column < 0 || row < 0) {
      outside++;
      continue;
    }
    const bin = row * bins + column;
    counts[bin]++;
    x[bin] += across;
    y[bin] += up;
  }
  for (let bin = 0; bin < counts.length; bin++) {
    x[bin] /= counts[bin];
    y[bin] /= counts[bin];
  }
  const shares = Float32Array.from(counts, (count) => count / patchCount);
  const most = Math.max(...shares);
  const fullest = shares.indexOf(most);
  return {
    bins,
    /** Of either axis. */
    range,
    /** shares[row·bins + column] of all patches. */
    shares,
    /** Where the inputs of each bin lie: the mean of either, NaN where there are none. */
    x,
    y,
    /** The largest share in a bin, and which. */
    most,
    fullest,
    /** The share of patches with either input beyond the axes. */
    outside: outside / patchCount,
  };
}

/** The share of the inputs in the bin of a point; NaN beyond the axes. */
export function shareAt({ bins, range, shares }: Density, x: number, y: number): number {
  const [column, row] = [binOf(x, range, bins), binOf(y, range, bins)];
  return column < 0 || row < 0 ? Number.NaN : shares[row * bins + column];
}

/** The share of a range beyond its end at which float32 may put a number that lies at the very end. */
const ROUNDING = 1e-6;

/** The bin of a value; -1 beyond the range. */
function binOf(value: number, [lo, hi]: Ends, bins: number): number {
  const share = (value - lo) / (hi - lo);
  if (!(share >= -ROUNDING && share <= 1 + ROUNDING)) return -1;
  return Math.max(0, Math.min(bins - 1, Math.floor(share * bins)));
}

/** x and y in grid units: 0 … width − 1, 0 … height − 1. */
export type XY = [number, number];

/** About how many lines show the shape of a surface. */
const LEVELS = 7;

/** Round levels that cut a range; zero is among them if it is inside. */
export function levelsOf(low: number, high: number): number[] {
  return high > low && Number.isFinite(high - low) ? ticks(low, high, LEVELS) : [];
}

/** The lines at which a piecewise linear surface takes a level. Closed lines end where they start. */
export function contour(values: number[], width: number, height: number, level: number): XY[][] {
  const isInside = ([x, y]: XY) => x >= 0 && y >= 0 && x <= width - 1 && y <= height - 1;
  const areas = contours().size([width, height]).contour(values, level).coordinates;
  return areas.flat().flatMap((ring): XY[][] => {
    // d3 puts points in the middle of pixels; where an area ends at the border it goes around outside.
    const points = ring.map(([x, y]): XY => [x - 0.5, y - 0.5]);
    const gap = points.findIndex((point) => !isInside(point));
    if (gap < 0) return [points];
    const lines: XY[][] = [[]];
    for (const point of [...points.slice(gap, -1), ...points.slice(0, gap)]) {
      if (isInside(point)) lines[lines.length - 1].push(point);
      else lines.push([]);
    }
    return lines.filter(({ length }) => length > 1);
  });
}

/** A label on a line: its middle and the direction of the line there, to be read from left to right. */
export interface LabelPlace {
  x: number;
  y: number;
  angle: number;
}

/**
 * Where a label of the given size fits on a line in pixels: on its straightest stretch that keeps away from the edges
 * of the box and from the labels that are there already. Null where no stretch does.
 */
export function placeLabel(
  line: readonly XY[],
  size: { width: number; height: number },
  box: { x: number; y: number; width: number; height: number },
  labels: readonly LabelPlace[],
): LabelPlace | null {
  let best: LabelPlace | null = null;
  let leastBend = 0.22; // how much longer than straight the line may be under a label
  const half = size.width / 2 + 4;
  for (let start = 0; start < line.length - 1; start += Math.max(1, line.length >> 5)) {
    let end = start;
    let length = 0;
    while (end + 1 < line.length && length < size.width) {
      length += Math.hypot(line[end + 1][0] - line[end][0], line[end + 1][1] - line[end][1]);
      end++;
    }
    if (length < size.width) break;
    const [x0, y0] = line[start];
    const [x1, y1] = line[end];
    const middle = line[(start + end) >> 1];
    const bend = length / Math.hypot(x1 - x0, y1 - y0) - 1;
    if (!(bend < leastBend)) continue;
    const [x, y] = [(middle[0] + (x0 + x1) / 2) / 2, (middle[1] + (y0 + y1) / 2) / 2];
    const inside =
      x - half > box.x &&
      y - half > box.y &&
      x + half < box.x + box.width &&
      y + half < box.y + box.height;
    const free = labels.every(
      (other) => Math.hypot(other.x - x, other.y - y) > size.width + 2 * size.height,
    );
    if (!inside || !free) continue;
    let angle = Math.atan2(y1 - y0, x1 - x0);
    if (angle > Math.PI / 2) angle -= Math.PI;
    if (angle <= -Math.PI / 2) angle += Math.PI;
    leastBend = bend;
    best = { x, y, angle };
  }
  return best;
}
