/** What a curve says at a step, and where steps lie. No DOM. */

export interface Curve {
  x: ArrayLike<number>;
  y: ArrayLike<number>;
}

/** bqplot holds one curve as an array and several as arrays in an array. */
export function curvesOf(x: unknown, y: unknown): Curve[] {
  const xs = rows(x);
  return rows(y).map((values, k) => ({ x: xs[k] ?? xs[0] ?? [], y: values }));
}

function rows(data: unknown): ArrayLike<number>[] {
  if (ArrayBuffer.isView(data)) return [data as unknown as ArrayLike<number>];
  if (!Array.isArray(data)) return [];
  return data.length > 0 && typeof data[0] === "number" ? [data] : data;
}

/** Curves that are nowhere, and what ends where it is not a number, have a point beyond this step. */
export const NOWHERE = 1e11;

/** How many points of a curve are somewhere. */
function countOf({ x }: Curve): number {
  let n = x.length;
  while (n > 0 && x[n - 1] > NOWHERE) n--;
  return n;
}

/** The point of a curve that is nearest to a step; null before its first and beyond its last, give or take `slack`. */
export function valueAt(
  curve: Curve,
  step: number,
  slack = 0,
): { step: number; value: number } | null {
  const { x, y } = curve;
  const n = countOf(curve);
  if (n === 0 || step < x[0] - slack || step > x[n - 1] + slack) return null;
  let low = 0;
  let high = n - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle] <= step) low = middle;
    else high = middle;
  }
  const k = step - x[low] <= x[high] - step ? low : high;
  return { step: x[k], value: y[k] };
}

export type Span = readonly [low: number, high: number];

/** Where a step lies between the ends of a span, as a share. */
export function shareOf([low, high]: Span, step: number): number {
  return high > low ? (step - low) / (high - low) : 0;
}

export function stepAt([low, high]: Span, share: number): number {
  return low + (high - low) * share;
}

/** The span that a drag from one share to another chooses, or null where it was hardly one. */
export function dragged(span: Span, from: number, to: number, least: number): Span | null {
  const [a, b] = [from, to].map((share) => Math.min(1, Math.max(0, share))).sort((p, q) => p - q);
  if (b - a < least) return null;
  return [stepAt(span, a), stepAt(span, b)];
}

/** A span around the same middle, `factor` times as long, at least two steps. */
export function scaled([low, high]: Span, factor: number): Span {
  const middle = (low + high) / 2;
  const half = Math.max(1, ((high - low) / 2) * factor);
  return [middle - half, middle + half];
}

/** Which labels, at these places and of these lengths, can be written without touching each other. */
export function fitting(places: readonly number[], lengths: readonly number[], end: number) {
  let free = Number.NEGATIVE_INFINITY;
  return places.map((place, k) => {
    const fits = place >= free && place + lengths[k] <= end;
    if (fits) free = place + lengths[k] + 6;
    return fits;
  });
}
