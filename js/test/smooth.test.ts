import { describe, expect, it } from "vitest";
import { smoothed } from "../src/scene/logged.ts";

/** Each value of its own. */
function whole(x: readonly number[], y: readonly number[]) {
  return { x, count: y.map((value) => (Number.isFinite(value) ? 1 : 0)), sum: y };
}

/** The same numbers in every run. */
function random(count: number): number[] {
  let state = 1;
  return Array.from({ length: count }, () => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647 - 0.5;
  });
}

const steps = (count: number) => Array.from({ length: count }, (_, k) => k);

/** As a sum that is written out: the mean of what is near, near the start the line that fits it best, at the end that of the last `over`. */
function byDefinition(y: readonly number[], over: number): number[] {
  return y.map((_, k) => {
    const whole = over < 2 ? k : y.length - 1 - over;
    const from = Math.min(k - over / 2, whole);
    const near = steps(y.length).filter((j) => j >= from && j <= k + over / 2);
    const mean = (of: (j: number) => number) => near.reduce((s, j) => s + of(j), 0) / near.length;
    const [x, v] = [mean((j) => j - k), mean((j) => y[j])];
    const spread = mean((j) => (j - k - x) ** 2);
    const slope = spread ? mean((j) => (j - k - x) * (y[j] - v)) / spread : 0;
    const atEnd = k < over / 2 || y.length - 1 - k < over / 2;
    return atEnd ? v - slope * x : v;
  });
}

describe("a smoothed curve", () => {
  it.each([1, 2, 10, 300])("is the mean of its definition over %i steps", (over) => {
    const y = random(150);
    const found = smoothed(whole(steps(150), y), over).y;
    const expected = byDefinition(y, over);
    for (const k of y.keys()) expect(found[k]).toBeCloseTo(expected[k], 10);
  });

  it("is neither behind nor ahead of a trend", () => {
    const line = steps(500).map((k) => 3 - 0.005 * k);
    const { y } = smoothed(whole(steps(500), line), 100);
    for (const k of line.keys()) expect(y[k]).toBeCloseTo(line[k], 9);
  });

  it("stays within the values that it fits, also at an end to which they rise", () => {
    const rising = Array.from({ length: 40 }, (_, k) => Math.min(1, 0.5 + 0.02 * k));
    const { y } = smoothed(whole(steps(40), rising), 30);
    expect(Math.max(...y)).toBeLessThanOrEqual(1);
    expect(y[39]).toBeGreaterThan(0.97);
  });

  it("is nearly as calm at its end as in its middle", () => {
    const noisy = steps(300).map((k) => 1 - 0.001 * k + 0.5 * (-1) ** k);
    const { y } = smoothed(whole(steps(300), noisy), 30);
    const off = y.map((v, k) => Math.abs(v - (1 - 0.001 * k)));
    expect(Math.max(...off)).toBeLessThan(0.15);
    expect(Math.max(...off.slice(270))).toBeLessThan(0.07);
  });

  it("does not bend with the last few values", () => {
    const level = steps(200).map((k) => (k < 190 ? 1 : 0.6));
    const { y } = smoothed(whole(steps(200), level), 30);
    const rises = steps(14).map((k) => y[199 - k] - y[198 - k]);
    for (const rise of rises) expect(rise).toBeCloseTo(rises[0], 9);
  });

  it("does not begin anew where steps jump", () => {
    const noisy = steps(200).map((k) => 2 + 0.5 * (-1) ** k);
    const jumped = steps(200).map((k) => (k < 100 ? k : k + 900));
    const found = smoothed(whole(jumped, noisy), 30);
    expect(found.x).toEqual(jumped);
    expect(found.y).toEqual(smoothed(whole(steps(200), noisy), 30).y);
  });

  it("has no part of what is not finite, and one huge value in the means that it is in alone", () => {
    const y = steps(400).map(() => 0.25);
    y[100] = Number.NaN;
    y[300] = 1e30;
    const found = smoothed(whole(steps(400), y), 30);
    expect(found.x).toHaveLength(399);
    expect(found.y.filter((v) => v !== 0.25)).toHaveLength(31);
  });

  it("leaves values far apart as they are", () => {
    const y = [1, 5, 2, 8, 3];
    const far = y.map((_, k) => 1000 * k);
    expect(smoothed(whole(far, y), 10)).toEqual({ x: far, y });
  });

  it("of points that stand for many is the mean of all of these values, wherever they are thinned", () => {
    const y = random(10_000).map((v, k) => v + k / 1000);
    // Of each 20 the first and the last, as it might be, but for some in full.
    const kept = steps(10_000).filter(
      (k) => k % 20 === 0 || k % 20 === 19 || (k > 4000 && k < 4200),
    );
    const run = (k: number) => (k > 3999 && k < 4200 ? -k : Math.floor(k / 20));
    const sums = kept.map((k) => {
      const all = steps(20).map((j) => 20 * Math.floor(k / 20) + j);
      const own = run(k) < 0 ? [k] : all;
      return {
        count: own.length / (own.length > 1 ? 2 : 1),
        sum: own.reduce((s, j) => s + y[j], 0),
      };
    });
    const thinned = {
      x: kept,
      count: sums.map(({ count }) => count),
      sum: sums.map(({ count, sum }) => (count > 1 ? sum / 2 : sum)),
    };
    const exact = smoothed(whole(steps(10_000), y), 200).y;
    const found = smoothed(thinned, 200).y;
    // In full they are the same; else the edges of what they are over are those of runs.
    expect(found[kept.indexOf(4100)]).toBeCloseTo(exact[4100], 1);
    for (const [n, k] of kept.entries()) expect(Math.abs(found[n] - exact[k])).toBeLessThan(0.1);
  });
});
