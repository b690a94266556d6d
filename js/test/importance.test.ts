import { expect, it } from "vitest";
import { importance } from "../src/phi/importance.ts";
import type { ConvSettings, Observed } from "../src/wire/types.ts";
import { basis, frameOf, layer, randoms, table } from "./samples.ts";

const CONV: ConvSettings = {
  stride: [1, 1],
  padding: [0, 0, 0, 0],
  dilation: [1, 1],
  paddingMode: "zeros",
  groups: 1,
  shared: false,
};
const BINS = 8;

function observedOf(entries: number, seed = 3): Observed {
  return {
    layer: "conv1",
    samples: 1,
    isImage: true,
    fold: null,
    edges: Float32Array.from({ length: BINS + 1 }, (_, k) => -2 + (4 * k) / BINS),
    counts: randoms(entries * BINS, seed).map((value) => Math.max(0, Math.round(10 * value))),
    outsideDomain: new Float32Array(entries),
    outsideExtent: new Float32Array(entries),
    entries,
    bins: BINS,
    patches: new Float32Array(0),
    patchCount: 0,
    maps: null,
    mapShape: null,
  };
}

/** The standard deviation of one function, from its formula. */
function spread(coefficients: Float32Array, counts: Float32Array): number {
  const phi = Array.from({ length: BINS }, (_, k) =>
    basis(-2 + (4 * (k + 0.5)) / BINS).reduce((sum, b, n) => sum + b * coefficients[n], 0),
  );
  const total = counts.reduce((a, b) => a + b);
  const mean = phi.reduce((sum, value, k) => sum + counts[k] * value, 0) / total;
  return Math.sqrt(phi.reduce((sum, value, k) => sum + counts[k] * (value - mean) ** 2, 0) / total);
}

it.each([
  ["a convolution", layer({ shape: [2, 3, 2, 2], conv: CONV }), 12],
  ["one in groups", layer({ shape: [4, 3, 2, 2], conv: { ...CONV, groups: 2 } }), 24],
  ["shared kernels", layer({ shape: [3, 1, 2, 2], conv: { ...CONV, shared: true } }), 4],
  ["a linear layer", layer({ kind: "linear", shape: [4, 5, 1, 1] }), 5],
])("a function of %s matters as much as it spreads over its entry's inputs", (_, own, entries) => {
  const frame = frameOf([own]);
  const observed = observedOf(entries);
  const values = importance(frame, own, observed);
  const [out, inputs, kh, kw] = own.shape;
  const groups = own.conv?.groups ?? 1;
  for (let f = 0; f < own.count; f++) {
    const [o, rest] = [Math.floor(f / (inputs * kh * kw)), f % (inputs * kh * kw)];
    const channel = Math.floor(o / (out / groups)) * inputs + Math.floor(rest / (kh * kw));
    const entry = channel * kh * kw + (rest % (kh * kw));
    const counts = observed.counts.subarray(entry * BINS, (entry + 1) * BINS);
    const expected = spread(frame.data.subarray(f * 9, (f + 1) * 9), counts);
    expect(values[f]).toBeCloseTo(expected, 5);
  }
});

it("a function whose inputs were not seen matters by its range on its own grid", () => {
  const tables = [table(-2.2, 2.2, 89), table(-2.2, 2.2, 89)];
  const grid = { extent: [-2.2, 2.2] as [number, number], knots: [] };
  const own = layer({
    kind: "linear",
    shape: [1, 2, 1, 1],
    tables,
    bases: [
      { domain: [-1, 1], ...grid },
      { domain: [0, 2], ...grid },
    ],
    tableOf: Uint32Array.of(0, 1),
  });
  const frame = frameOf([own]);
  frame.data.fill(0);
  frame.data[0] = frame.data[9] = 2; // 2·SiLU
  const silu = (x: number) => x / (1 + Math.exp(-x));
  const expected = [
    (2 * (silu(1) - silu(-1))) / Math.sqrt(12),
    (2 * (silu(2) - silu(0))) / Math.sqrt(12),
  ];
  for (const seen of [null, observedOf(7)]) {
    const values = importance(frame, own, seen);
    expected.forEach((value, f) => {
      expect(values[f]).toBeCloseTo(value, 5);
    });
  }
  const half = observedOf(2);
  half.counts.fill(0, 0, BINS);
  const values = importance(frame, own, half);
  expect(values[0]).toBeCloseTo(expected[0], 5);
  expect(values[1]).toBeCloseTo(spread(frame.data.subarray(9), half.counts.subarray(BINS)), 5);
});

it("a function that is not finite matters nothing, seen or not", () => {
  const own = layer({ kind: "linear", shape: [1, 3, 1, 1] });
  const frame = frameOf([own]);
  frame.data[4] = Number.NaN;
  frame.data[12] = Number.POSITIVE_INFINITY;
  for (const seen of [null, observedOf(3)]) {
    const values = importance(frame, own, seen);
    expect([values[0], values[1]]).toEqual([0, 0]);
    expect(values[2]).toBeGreaterThan(0);
  }
});
