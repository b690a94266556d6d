import { describe, expect, it } from "vitest";
import { evenLabels, logTicks, stepExtent, ticks, valueExtent } from "../src/scene/axes.ts";

describe("ticks", () => {
  it("are round values, as many as asked for at most", () => {
    expect(ticks({ from: -1, to: 1 }, 5)).toEqual([-1, -0.5, 0, 0.5, 1]);
    expect(ticks({ from: 0.1, to: 0.7 }, 7)).toEqual([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]);
    expect(ticks({ from: 0.1, to: 0.7 }, 6)).toEqual([0.2, 0.4, 0.6]);
    expect(ticks({ from: 1, to: 1 }, 5)).toEqual([]);
  });

  it("have labels with equal places, and others where those would be too long", () => {
    const printed = (values: number[]) => values.map(evenLabels(values));
    expect(printed(ticks({ from: -0.02, to: 0.031 }, 6))).toEqual([
      "−0.02",
      "−0.01",
      "0.00",
      "0.01",
      "0.02",
      "0.03",
    ]);
    expect(printed([0, 2e-7])).toEqual(["0", "2e−7"]);
    expect(printed([0, 500_000])).toEqual(["0", "5e5"]);
  });
});

describe("a logarithmic axis", () => {
  it("has a tick or more, and few", () => {
    for (const [from, to] of [
      [1e-9, 1e3],
      [0.2, 0.9],
      [3e-7, 3e-6],
      [1, 10],
    ]) {
      const found = logTicks({ from, to }, 4);
      expect(found.length, `${from} to ${to}`).toBeGreaterThanOrEqual(1);
      expect(found.length, `${from} to ${to}`).toBeLessThanOrEqual(5);
      expect(Math.min(...found)).toBeGreaterThanOrEqual(from);
      expect(Math.max(...found)).toBeLessThanOrEqual(to);
    }
  });
});

describe("a logarithmic axis of a few times", () => {
  it.each([
    [0.9, 6, [1, 2, 5]],
    [0.18, 2.4, [0.2, 0.5, 1, 2]],
    [0.09, 6, [0.1, 0.3, 1, 3]],
    [2.2, 4.6, [2.5, 3, 3.5, 4, 4.5]],
  ])("has ticks that span it from %d to %d", (from, to, expected) => {
    expect(logTicks({ from, to }, 5)).toEqual(expected);
  });
});

it("a logarithmic axis with room for two numbers has two", () => {
  for (const from of [0.018, 0.03, 0.056, 0.1, 0.18, 0.32, 0.56])
    for (const times of [3.2, 5.6, 10, 18, 32, 56]) {
      const found = logTicks({ from, to: from * times }, 2);
      expect(found.length, `${from} to ${from * times}`).toBe(2);
      expect(found[1] / found[0]).toBeGreaterThan(1.4);
    }
  expect(logTicks({ from: 0.28, to: 4 }, 2)).toEqual([0.5, 2]);
});

describe("the ends of an axis", () => {
  const some = [0.31, -2.5, 1.25, 0.007, 3.5, -0.001, 2.29];

  it("hold all that can be shown on it", () => {
    for (const log of [false, true]) {
      for (const scale of [1e-9, 1e-3, 1, 1e6]) {
        const values = [Number.NaN, Number.POSITIVE_INFINITY, ...some.map((v) => scale * v)];
        const shown = values.filter((v) => Number.isFinite(v) && (!log || v > 0));
        const { from, to } = valueExtent(values, log);
        const slack = 1e-12 * (to - from);
        expect(from).toBeLessThanOrEqual(Math.min(...shown) + slack);
        expect(to).toBeGreaterThanOrEqual(Math.max(...shown) - slack);
      }
    }
    expect(valueExtent([0.31, 2.29], false)).toEqual({ from: 0, to: 2.4 });
    // No accuracy is above 1.
    expect(valueExtent([1, 1, 1], false)).toEqual({ from: 0.5, to: 1 });
    expect(valueExtent([0.98, 0.99], true).to).toBe(1);
    expect(valueExtent([1, 1.01], true).to).toBeGreaterThan(1);
  });

  it("are never the same", () => {
    for (const log of [false, true]) {
      for (const values of [[], [Number.NaN], [0], [-1], [3, 3]]) {
        const { from, to } = valueExtent(values, log);
        expect(to - from).toBeGreaterThan(0);
        expect(Number.isFinite(to - from)).toBe(true);
      }
    }
  });

  it("of steps stand still while few are added", () => {
    const ends = Array.from({ length: 50 }, (_, k) => stepExtent(1, 901 + k).to);
    expect(new Set(ends)).toEqual(new Set([950]));
  });
});
