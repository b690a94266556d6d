/** One φ taken apart: φ(x) = Σ_b C_b · β_b(x), its base term, its spline term and every C_b · β_b. */

import { extent, maxIndex } from "d3-array";
import { basisOf, functionOf, observedEntry } from "../../phi/entries.ts";
import { allInputEnds, type Ends, endsOrGrid, inputEnds, roundedOut } from "../../phi/inputs.ts";
import { basisAt, bySlopes, tableNumber } from "../../phi/interpolate.ts";
import type { Frame, LayerLayout, Observed, Selection } from "../../wire/types.ts";

const NEGLIGIBLE = 1e-12;

export type Phi = NonNullable<ReturnType<typeof phiOf>>;

/** Points along x with every basis function there. */
export type Samples = ReturnType<typeof sample>;

/** What can be drawn of a φ: itself, two partial sums, or one basis function by its number. */
export type Term = "phi" | "base" | "spline" | number;

export type PhiReading = NonNullable<ReturnType<typeof readPhi>>;

/** The function that a selection names in a frame, perhaps with other coefficients than the frame's. */
export function phiOf(
  frame: Frame | null,
  at: Selection | null,
  coefficients?: ArrayLike<number> | null,
) {
  const layer = frame?.layout.layers.find(({ name }) => name === at?.layer);
  if (!frame || !layer || !at) return null;
  const f = functionOf(layer, at);
  if (f < 0) return null;
  const start = layer.offset + f * layer.nb;
  const own =
    coefficients?.length === layer.nb ? coefficients : frame.data.subarray(start, start + layer.nb);
  return {
    layer,
    f,
    /** The table that its basis is in, by number. */
    table: tableNumber(layer, f),
    coefficients: Float64Array.from(own),
    step: frame.step,
  };
}

/** As far as x can be drawn. */
export function tableRange({ layer, table }: Pick<Phi, "layer" | "table">): Ends {
  const { x } = layer.tables[table];
  return [x[0], x[x.length - 1]];
}

/** The part of x that is shown at first: where the inputs are, or the grid's range where none were observed. */
export function dataRange(
  phi: Pick<Phi, "layer" | "table" | "f">,
  observed: Observed | null,
): Ends {
  const [first, last] = tableRange(phi);
  const clipped = ([low, high]: Ends): Ends => [Math.max(first, low), Math.min(last, high)];
  // Those of a convolution are looked at over one part of x, which stands still from one to the next; an input of a dense layer has its own.
  const isOwn = phi.layer.tableOf || phi.layer.kind === "linear";
  const own = isOwn ? observedEntry(phi.layer, phi.f) : -1;
  const ends = observed && (own < 0 ? allInputEnds(observed) : inputEnds(observed)[own]);
  const seen = ends ?? null;
  const round = seen && seen[0] < seen[1] ? clipped(roundedOut(seen)) : seen;
  const [low, high] = endsOrGrid(
    round && clipped(round),
    clipped(basisOf(phi.layer, phi.f).domain),
  );
  return low < high ? [low, high] : [first, last];
}

/** All of x: the support and the grid's range, as far as the table has them. */
export function wholeRange(phi: Pick<Phi, "layer" | "table" | "f">): Ends {
  const { domain, extent: support } = basisOf(phi.layer, phi.f);
  const [first, last] = tableRange(phi);
  const low = Math.max(first, Math.min(domain[0], support[0]));
  const high = Math.min(last, Math.max(domain[1], support[1]));
  return low < high ? [low, high] : [first, last];
}

/** Even points over the visible part of the table, and its own rows between, where φ may bend or jump. */
export function sample(phi: Pick<Phi, "layer" | "table">, range: Ends, count: number) {
  const { layer, table } = phi;
  const [first, last] = tableRange(phi);
  const low = Math.max(first, range[0]);
  const high = Math.min(last, range[1]);
  if (!(low <= high)) return { x: new Float64Array(0), beta: new Float64Array(0) };
  const points = new Set<number>([low, high]);
  for (let p = 1; p + 1 < count; p++) points.add(low + ((high - low) * p) / (count - 1));
  for (const x of layer.tables[table].x) if (x > low && x < high) points.add(x);
  const x = Float64Array.from(points).sort();
  const beta = new Float64Array(x.length * layer.nb);
  const at = new Float64Array(layer.nb);
  x.forEach((value, p) => {
    beta.set(basisAt(layer, table, value, at), p * layer.nb);
  });
  /** beta[p·nb + b] */
  return { x, beta };
}

function belongs(layer: LayerLayout, term: Term, b: number): boolean {
  if (term === "phi") return true;
  if (term === "base") return layer.isBase[b];
  if (term === "spline") return !layer.isBase[b];
  return term === b;
}

export function curve({ layer, coefficients }: Phi, { x, beta }: Samples, term: Term) {
  const { nb } = layer;
  const y = new Float64Array(x.length);
  for (let b = 0; b < nb; b++) {
    if (!belongs(layer, term, b)) continue;
    for (let p = 0; p < x.length; p++) y[p] += coefficients[b] * beta[p * nb + b];
  }
  return y;
}

/** φ, its slope and all its terms at x; null outside the table. */
export function readPhi({ layer, table, coefficients }: Phi, x: number) {
  const { nb } = layer;
  const beta = basisAt(layer, table, x, new Float64Array(nb));
  if (Number.isNaN(beta[0])) return null;
  // Where a local function ends, what interpolation leaves is nothing.
  const terms = beta.map((value, b) =>
    Math.abs(value) < NEGLIGIBLE ? 0 : coefficients[b] * value,
  );
  const [base, spline] = [true, false].map((isBase) =>
    terms.reduce((sum, term, b) => (layer.isBase[b] === isBase ? sum + term : sum), 0),
  );
  basisAt(layer, table, x, beta, bySlopes);
  const slope = beta.reduce((sum, value, b) => sum + coefficients[b] * value, 0);
  return { x, phi: base + spline, slope, base, spline, terms };
}

/** The least and the largest finite value; null where there is none. */
export function limits(...rows: ArrayLike<number>[]): [number, number] | null {
  const [low, high] = extent(rows.flatMap((row) => Array.from(row).filter(Number.isFinite)));
  return low === undefined ? null : [low, high];
}

/** Points along x on which the range rests, whatever the width of the drawing. */
const RANGE = 513;

/** The least and the largest φ over a part of x, between the points too; null where φ is not finite. */
export function phiRange(phi: Phi, x: Ends, samplesOf = sample): [number, number] | null {
  const samples = samplesOf(phi, x, RANGE);
  const y = curve(phi, samples, "phi");
  if (y.length === 0 || !y.every(Number.isFinite)) return null;
  const end = (sign: 1 | -1) => {
    const best = maxIndex(y, (value) => sign * value);
    const top = best > 0 && best + 1 < y.length ? vertex(samples.x, y, best) : null;
    const there = top === null ? null : (readPhi(phi, top)?.phi ?? null);
    return there !== null && sign * there > sign * y[best] ? there : y[best];
  };
  return [end(-1), end(1)];
}

/** Where the parabola through a point and its neighbours turns. */
function vertex(x: Float64Array, y: Float64Array, p: number): number | null {
  const [a, b] = [x[p] - x[p - 1], x[p + 1] - x[p]];
  const [left, right] = [(y[p] - y[p - 1]) / a, (y[p + 1] - y[p]) / b];
  const bend = right - left;
  return bend === 0 ? null : x[p] - (left * b + right * a) / (2 * bend);
}
