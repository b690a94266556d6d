import { describe, expect, it } from "vitest";
import { evaluateAll, samplePlan, sizesAt } from "../src/phi/curves.ts";
import { largestFinite, niceCeil, sizeWithin } from "../src/phi/ranges.ts";
import { frameOf, layer, table } from "./samples.ts";

describe("niceCeil", () => {
  it.each([
    [1, 1],
    [1.0001, 1.2],
    [0.0031, 0.004],
    [0.003, 0.003],
    [0.0151, 0.02],
    [7, 8],
    [8.1, 10],
    [9.9999999999999, 10],
    [12, 12],
    [1e-7, 1e-7],
    [1.1e-12, 1.2e-12],
    [1000, 1000],
    [123456, 150000],
    [3e38, 3e38],
  ])("of %d is %d", (m, nice) => {
    expect(niceCeil(m)).toBe(nice);
  });

  it("is never below, and the next smaller nice number always is", () => {
    const steps = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8];
    const all = [];
    for (let k = -12; k <= 12; k++) for (const step of steps) all.push(Number(`${step}e${k}`));
    for (let i = 0; i < 2000; i++) {
      const m = 10 ** (-11 + 0.011 * i);
      expect(niceCeil(m)).toBe(all.find((nice) => nice >= m));
    }
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])(
    "of %d is 1: an axis needs a range",
    (m) => {
      expect(niceCeil(m)).toBe(1);
    },
  );
});

describe("sizes", () => {
  const conv = layer({ shape: [2, 3, 2, 2] });
  const frame = frameOf([conv]);
  const curves = evaluateAll(frame, conv, samplePlan(conv, [-1, 1], 24));
  const sizes = sizesAt(frame, conv, samplePlan(conv, [-1, 1], 24));

  it("of functions are the largest |φ| drawn", () => {
    for (let f = 0; f < conv.count; f++) {
      const own = [...curves.y.slice(f * curves.points, (f + 1) * curves.points)];
      expect(sizes[f]).toBe(Math.max(...own.map(Math.abs)));
    }
  });

  it("of the layer is the largest of its functions", () => {
    expect(largestFinite(sizes)).toBe(Math.max(...sizes));
  });

  it("leave out functions that are not finite", () => {
    const broken = { ...frame, data: frame.data.slice() };
    broken.data[0] = Number.NaN;
    broken.data[9] = Number.POSITIVE_INFINITY;
    const marked = sizesAt(broken, conv, samplePlan(conv, [-1, 1], 24));
    expect(marked[0]).toBeNaN();
    expect(marked[1]).toBeNaN();
    expect(marked.subarray(2)).toEqual(sizes.subarray(2));
    expect(largestFinite(marked)).toBe(Math.max(...marked.subarray(2)));
  });

  it("are 0 for a layer without a finite function", () => {
    const none = new Float32Array(conv.count).fill(Number.NaN);
    expect(largestFinite(none)).toBe(0);
  });

  it("look only at the points of the function's own table", () => {
    const two = layer({
      shape: [1, 2, 1, 1],
      tables: [table(-1, 1, 5), table(-1, 1, 31)],
      tableOf: Uint32Array.of(1, 0),
    });
    const frame = frameOf([two]);
    // The function before it has more points, and large values at them.
    frame.data.subarray(0, two.nb).fill(1000);
    const plan = samplePlan(two, [-1, 1], 40);
    const drawn = evaluateAll(frame, two, plan);
    const own = [...drawn.y.slice(drawn.points, drawn.points + drawn.x[0].length)];
    expect(sizesAt(frame, two, plan)[1]).toBe(Math.max(...own.map(Math.abs)));
  });
});

describe("sizeWithin", () => {
  it("is the one that stands at its place when all are sorted", () => {
    let seed = 1;
    const random = () => {
      seed = (seed * 16807) % 2147483647;
      return seed / 2147483647 - 0.5;
    };
    for (const count of [1, 2, 3, 10, 101, 1000]) {
      for (const digits of [1, 9]) {
        const values = Float32Array.from({ length: count }, () => Number(random().toFixed(digits)));
        const sorted = values.map(Math.abs).sort();
        for (const share of [0, 0.5, 0.98, 0.99, 1]) {
          expect(sizeWithin(values, share)).toBe(sorted[Math.ceil(share * (count - 1))]);
        }
      }
    }
  });

  it("leaves out what is not finite", () => {
    expect(sizeWithin(new Float32Array([NaN, -3, Infinity, 1]), 1)).toBe(3);
    expect(sizeWithin(new Float32Array([NaN]), 1)).toBe(0);
  });
});
