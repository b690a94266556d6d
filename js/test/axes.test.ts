import { describe, expect, it } from "vitest";
import { evenLabels, ticks } from "../src/scene/axes.ts";

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
    expect(printed([0, 500_000])).toEqual(["0", "5e+5"]);
  });
});
