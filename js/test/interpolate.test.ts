import { describe, expect, it } from "vitest";
import { basisAt, bySlopes, phiAt, tableNumber } from "../src/phi/interpolate.ts";
import type { Frame, LayerLayout } from "../src/wire/types.ts";
import { bspline, frameOf, layer, randoms } from "./samples.ts";

type Basis = (x: number) => number[];

/** φ_f′ from the slopes of its basis functions. */
function slopeAt(made: LayerLayout, f: number, { data }: Frame, x: number): number {
  const slopes = basisAt(made, tableNumber(made, f), x, Array(made.nb).fill(0), bySlopes);
  return slopes.reduce((sum, slope, b) => sum + data[made.offset + f * made.nb + b] * slope, 0);
}

/** The next float32 above or below. */
function beside(x: number, up: boolean): number {
  const number = new Float32Array([x]);
  new Int32Array(number.buffer)[0] += up === x > 0 ? 1 : -1;
  return number[0];
}

/** A table as the kernel makes it: each interval between marks divided evenly; both sides of each jump. */
function tabulate(basis: Basis, marks: number[], divisions: number, jumps: number[] = []) {
  // Marks and knots that agree but for rounding are one.
  const edges = Array.from(Float32Array.from(marks).sort()).filter(
    (edge, i, all) => i === 0 || edge - all[i - 1] > 1e-6,
  );
  const x = edges.slice(0, -1).flatMap((a, i) => {
    const h = (edges[i + 1] - a) / divisions;
    return Array.from({ length: divisions }, (_, k) => a + k * h);
  });
  const sides = jumps.flatMap((jump) => [false, true].map((up) => beside(jump, up)));
  const xs = Float32Array.from(
    new Set(Float32Array.from([...x, edges[edges.length - 1], ...sides])),
  ).sort();
  return { x: xs, values: Float32Array.from([...xs].flatMap(basis)) };
}

/** A layer of splines of one order, grid size 5 on [lo, hi]. */
function splines(order: number, lo = -1, hi = 1) {
  const h = (hi - lo) / 5;
  const count = 5 + order;
  const start = lo - order * h;
  const knots = Array.from({ length: count + order + 1 }, (_, k) => start + k * h);
  const extent: [number, number] = [knots[0], knots[knots.length - 1]];
  // The end itself belongs to the last interval, as in the kernel.
  const basis: Basis = (x) =>
    Array.from({ length: count }, (_, j) =>
      bspline(Math.min(x, extent[1] - 1e-12), order, j, start, h),
    );
  const marks = [...knots, -1, 0, 1].filter((x) => x >= extent[0] && x <= extent[1]);
  const table = tabulate(basis, marks, 16, order === 0 ? knots.slice(1, -1) : []);
  const made = layer({
    nb: count,
    labels: Array.from({ length: count }, (_, j) => `B${j}`),
    isBase: Array(count).fill(false),
    domain: [lo, hi],
    extent,
    knots,
    tables: [table],
    bases: [{ domain: [lo, hi], extent, knots }],
  });
  return { made, basis, knots, extent };
}

function smooth(basis: Basis, divisions = 128, changes: Partial<LayerLayout> = {}): LayerLayout {
  const nb = basis(0).length;
  const table = tabulate(basis, [-2, -1, 0, 1, 2], divisions / 4);
  return layer({
    nb,
    labels: Array(nb).fill("b"),
    isBase: Array(nb).fill(false),
    domain: [-1, 1],
    extent: [-2, 2],
    knots: [],
    tables: [table],
    bases: [{ domain: [-1, 1], extent: [-2, 2], knots: [] }],
    ...changes,
  });
}

/** Places all over an interval, none of them a row or a knot. */
function places([lo, hi]: readonly [number, number], n = 400): number[] {
  return Array.from(randoms(n, 7), (r) => lo + ((r + 1) / 2) * (hi - lo));
}

const silu = (x: number) => x / (1 + Math.exp(-x));

describe("splines between the rows", () => {
  it.each([0, 1, 2, 3, 4, 5])("of order %i are exact but for the table's rounding", (order) => {
    for (const [lo, hi] of [
      [-1, 1],
      [0, 1],
      [-3.3, 0.7],
    ]) {
      const { made, basis, extent } = splines(order, lo, hi);
      const out = new Float64Array(made.nb);
      for (const x of places(extent)) {
        const expected = basis(x);
        basisAt(made, 0, x, out);
        for (let b = 0; b < made.nb; b++) {
          expect(Math.abs(out[b] - expected[b])).toBeLessThan(1e-6);
        }
      }
    }
  });

  it("of order 0 jump at the knots, on either side of them", () => {
    const { made, basis, knots } = splines(0);
    for (const knot of knots.slice(1, -1)) {
      for (const x of [knot - 1e-5, knot + 1e-5]) {
        const expected = basis(x);
        basisAt(made, 0, x, []).forEach((value, b) => {
          expect(value).toBeCloseTo(expected[b], 12);
        });
      }
    }
  });

  it("meet the rows themselves", () => {
    for (const order of [0, 1, 3]) {
      const { made } = splines(order);
      const { x, values } = made.tables[0];
      for (let row = 0; row < x.length; row++) {
        const here = Array.from(basisAt(made, 0, x[row], []));
        here.forEach((value, b) => {
          expect(Math.fround(value)).toBe(values[row * made.nb + b]);
        });
      }
    }
  });

  it.each([1, 2, 3, 4, 5])("of order %i have the slopes of the recursion", (order) => {
    const { made, extent, knots } = splines(order);
    const h = 0.4;
    for (const x of places(extent)) {
      if (knots.some((knot) => Math.abs(knot - x) < 1e-4)) continue;
      const slopes = basisAt(made, 0, x, [], bySlopes);
      for (let b = 0; b < made.nb; b++) {
        // B_k′ = (B_{k−1, j} − B_{k−1, j+1}) / h on even knots
        const lower = (j: number) => bspline(x, order - 1, j, knots[0], h);
        expect(Math.abs(slopes[b] - (lower(b) - lower(b + 1)) / h)).toBeLessThan(5e-5);
      }
    }
  });
});

describe("smooth bases between the rows", () => {
  const bases: Record<string, Basis> = {
    SiLU: (x) => [silu(x)],
    Gaussians: (x) => [-1, 0, 1].map((centre) => Math.exp(-(((x - centre) / 0.6) ** 2))),
    Chebyshev: (x) => [0, 1, 2, 3, 4].map((n) => Math.cos(n * Math.acos(Math.tanh(x)))),
    Fourier: (x) => [1, 2, 3].flatMap((k) => [Math.cos(k * x), Math.sin(k * x)]),
  };

  it.each(Object.keys(bases))("of %s are within 5e-7", (name) => {
    const basis = bases[name];
    const made = smooth(basis);
    for (const x of places([-2, 2])) {
      const expected = basis(x);
      Array.from(basisAt(made, 0, x, [])).forEach((value, b) => {
        expect(Math.abs(value - expected[b])).toBeLessThan(5e-7);
      });
    }
  });

  it("may bend at 0", () => {
    const made = smooth((x) => [Math.max(0, x)]);
    for (const x of [-0.01, -1e-4, 1e-4, 0.01]) {
      expect(basisAt(made, 0, x, [])[0]).toBeCloseTo(Math.max(0, x), 8);
    }
    expect(basisAt(made, 0, -1e-4, [], bySlopes)[0]).toBeCloseTo(0, 6);
    expect(basisAt(made, 0, 1e-4, [], bySlopes)[0]).toBeCloseTo(1, 6);
  });

  it("with few rows use the rows there are", () => {
    const made = smooth((x) => [1 + 2 * x], 4);
    expect(basisAt(made, 0, 0.3, [])[0]).toBeCloseTo(1.6, 6);
    expect(basisAt(made, 0, 0.3, [], bySlopes)[0]).toBeCloseTo(2, 6);
  });
});

describe("φ between the rows", () => {
  const { made: cubic, basis } = splines(3);
  const both: Basis = (x) => [silu(x), ...basis(x)];
  const marks = [...cubic.knots, -1, 0, 1];
  const table = tabulate(both, marks, 16);
  const made = layer({ tables: [table], knots: cubic.knots, bases: cubic.bases });

  it("is within 2e-6 of Σ|C| of the sum in double precision, and so are its terms", () => {
    const frame = frameOf([made], 3, 5);
    for (let f = 0; f < made.count; f++) {
      const c = frame.data.subarray(f * 9, f * 9 + 9);
      const tolerance = 2e-6 * c.reduce((sum, value) => sum + Math.abs(value), 0);
      for (const x of places([-2.2, 2.2], 60)) {
        const beta = both(x);
        const spline = beta.slice(1).reduce((sum, value, b) => sum + c[b + 1] * value, 0);
        const value = phiAt(made, f, frame, x);
        expect(Math.abs(value.base - c[0] * beta[0])).toBeLessThan(tolerance);
        expect(Math.abs(value.spline - spline)).toBeLessThan(tolerance);
        expect(value.phi).toBe(value.base + value.spline);
      }
    }
  });

  it("has the slope of small differences", () => {
    const frame = frameOf([made], 3, 5);
    const h = 1e-3;
    for (const x of places([-2.1, 2.1], 60)) {
      if (cubic.knots.some((knot) => Math.abs(knot - x) < 2 * h)) continue;
      const slope = (phiAt(made, 4, frame, x + h).phi - phiAt(made, 4, frame, x - h).phi) / (2 * h);
      expect(slopeAt(made, 4, frame, x)).toBeCloseTo(slope, 3);
    }
  });

  it("uses the table and the knots of the function's group", () => {
    const one = splines(3, -1, 1);
    const other = splines(3, 0, 4);
    const grouped = layer({
      ...one.made,
      shape: [2, 2, 1, 1],
      count: 4,
      tables: [one.made.tables[0], other.made.tables[0]],
      bases: [one.made.bases[0], other.made.bases[0]],
      tableOf: Uint32Array.of(0, 1, 0, 1),
    });
    const frame = frameOf([grouped], 0, 9);
    for (let f = 0; f < 4; f++) {
      const { basis: own, extent } = f % 2 ? other : one;
      expect(tableNumber(grouped, f)).toBe(f % 2);
      for (const x of places(extent, 50)) {
        const expected = own(x).reduce((sum, v, b) => sum + frame.data[f * 8 + b] * v, 0);
        expect(Math.abs(phiAt(grouped, f, frame, x).phi - expected)).toBeLessThan(8e-6);
      }
    }
  });

  it("is not a number outside the table, and is one at its very ends", () => {
    const frame = frameOf([made]);
    expect(phiAt(made, 0, frame, 2.3).phi).toBeNaN();
    expect(phiAt(made, 0, frame, -2.3).phi).toBeNaN();
    expect(slopeAt(made, 0, frame, 2.3)).toBeNaN();
    for (const x of [-2.2, 2.2]) expect(phiAt(made, 0, frame, x).phi).not.toBeNaN();
  });
});
