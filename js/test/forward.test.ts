/** The forward pass, against formulas written out; tests/widgets/test_forward.py holds it to torch. */

import { describe, expect, it } from "vitest";
import { contributions, extrasAt, forward, isComputable } from "../src/phi/forward.ts";
import type {
  Activations,
  Compute,
  ConvSettings,
  Frame,
  LayerLayout,
  Station,
  Structure,
} from "../src/wire/types.ts";
import { basis, frameOf, layer, randoms } from "./samples.ts";

const CONV: ConvSettings = {
  stride: [1, 1],
  padding: [0, 0, 0, 0],
  dilation: [1, 1],
  paddingMode: "zeros",
  groups: 1,
  shared: false,
};

function station(compute: Compute | null, changes: Partial<Station> = {}): Station {
  return {
    kind: "other",
    name: "it",
    label: compute?.op ?? "",
    layer: null,
    sources: [0],
    shape: [],
    compute,
    sums: null,
    ...changes,
  };
}

function network(input: number[], ...stations: Station[]): Structure {
  const first = station(null, { kind: "input", sources: [], shape: input });
  return { stations: [first, ...stations], traced: true, note: "" };
}

const none: Activations["extras"] = new Map();
const extrasOf = (named: Record<string, number[]>, at = 1): Activations["extras"] =>
  new Map([[at, new Map(Object.entries(named).map(([k, v]) => [k, Float32Array.from(v)]))]]);
const empty = frameOf([layer()]);

/** What one operation makes of the input. */
function run(
  compute: Compute,
  shape: number[],
  input: number[],
  extras = none,
  changes: Partial<Station> = {},
): number[] {
  const structure = network(shape, station(compute, { shape, ...changes }));
  expect(isComputable(structure, empty.layout, extras)).toBe(true);
  return Array.from(forward(structure, empty, extras, Float32Array.from(input))[1]);
}

function close(got: ArrayLike<number>, expected: ArrayLike<number>, digits = 5) {
  expect(got.length).toBe(expected.length);
  Array.from(expected).forEach((value, k) => {
    expect(got[k]).toBeCloseTo(value, digits);
  });
}

/** φ_f(x) from its formula. */
function phi(frame: Frame, { offset, nb }: LayerLayout, f: number, x: number): number {
  return basis(x).reduce((sum, b, k) => sum + b * frame.data[offset + f * nb + k], 0);
}

describe("a network of KAN layers", () => {
  const conv1 = layer({
    name: "conv1",
    shape: [2, 1, 3, 3],
    conv: { ...CONV, shared: true, padding: [1, 1, 1, 1] },
  });
  const conv2 = layer({
    name: "conv2",
    shape: [2, 2, 2, 2],
    offset: conv1.count * 9,
    conv: { ...CONV, groups: 2, stride: [2, 2] },
  });
  const fc = layer({
    name: "fc",
    kind: "linear",
    shape: [3, 8, 1, 1],
    offset: conv1.count * 9 + conv2.count * 9,
  });
  const frame = frameOf([conv1, conv2, fc]);
  for (let k = 0; k < frame.data.length; k++) frame.data[k] *= 0.3;
  const kan = (name: string, shape: number[], from: number) =>
    station({ op: "kan" }, { kind: "kan", layer: name, shape, sources: [from], sums: true });
  const structure = network(
    [2, 4, 4],
    kan("conv1", [4, 4, 4], 0),
    kan("conv2", [2, 2, 2], 1),
    station({ op: "flatten" }, { sources: [2], shape: [8] }),
    kan("fc", [3], 3),
    station({ op: "log_softmax" }, { sources: [4], shape: [3] }),
  );
  const input = randoms(32, 5);
  const bias: Activations["extras"] = new Map([
    [1, new Map([["bias", Float32Array.of(0.25, -0.5)]])],
    [4, new Map([["bias", Float32Array.of(1, 2, 3)]])],
  ]);
  const outputs = forward(structure, frame, bias, input);

  it("is one that the page can compute", () => {
    expect(isComputable(structure, frame.layout, none)).toBe(true);
    expect(outputs[0]).toBe(input);
  });

  it("has shared kernels on each channel, and borders of zeros", () => {
    const expected = [];
    for (let channel = 0; channel < 2; channel++) {
      for (let out = 0; out < 2; out++) {
        for (let at = 0; at < 16; at++) {
          let sum = [0.25, -0.5][out];
          for (let entry = 0; entry < 9; entry++) {
            const y = Math.floor(at / 4) + Math.floor(entry / 3) - 1;
            const x = (at % 4) + (entry % 3) - 1;
            const inside = y >= 0 && y < 4 && x >= 0 && x < 4;
            sum += phi(frame, conv1, out * 9 + entry, inside ? input[channel * 16 + y * 4 + x] : 0);
          }
          expected.push(sum);
        }
      }
    }
    close(outputs[1], expected);
  });

  it("has kernels in groups, with strides", () => {
    const expected = [];
    for (let out = 0; out < 2; out++) {
      for (let at = 0; at < 4; at++) {
        let sum = 0;
        for (let i = 0; i < 2; i++) {
          for (let entry = 0; entry < 4; entry++) {
            const y = 2 * Math.floor(at / 2) + Math.floor(entry / 2);
            const x = 2 * (at % 2) + (entry % 2);
            const value = outputs[1][(2 * out + i) * 16 + y * 4 + x];
            sum += phi(frame, conv2, (out * 2 + i) * 4 + entry, value);
          }
        }
        expected.push(sum);
      }
    }
    close(outputs[2], expected);
  });

  it("ends in sums and log-probabilities", () => {
    const sums = [0, 1, 2].map((o) =>
      outputs[3].reduce((sum, x, i) => sum + phi(frame, fc, o * 8 + i, x), o + 1),
    );
    close(outputs[4], sums);
    const all = Math.log(sums.reduce((sum, s) => sum + Math.exp(s), 0));
    close(
      outputs[5],
      sums.map((s) => s - all),
    );
  });

  it("is the sum of what its inputs contribute", () => {
    const own = contributions(fc, frame, outputs[3], 1);
    expect(own).toHaveLength(8);
    close([own.reduce((sum, value) => sum + value, 2)], [outputs[4][1]]);
    expect(own[5]).toBeCloseTo(phi(frame, fc, 8 + 5, outputs[3][5]), 5);
  });
});

describe("an operation", () => {
  it.each([
    ["relu", null, [0, 0, 2]],
    ["silu", null, [-0.2689414, 0, 1.7615942]],
    ["gelu", null, [-0.1586553, 0, 1.9544997]],
    ["tanh", null, [-0.7615942, 0, 0.9640276]],
    ["sigmoid", null, [0.2689414, 0.5, 0.8807971]],
    ["elu", 2, [-1.2642411, 0, 2]],
    ["leaky_relu", 0.2, [-0.2, 0, 2]],
    ["softplus", 2, [0.063464, 0.3465736, 2.009075]],
    ["hardtanh", null, [-1, 0, 1]],
    ["identity", null, [-1, 0, 2]],
  ])("%s goes number by number", (name, parameter, expected) => {
    close(run({ op: "elementwise", function: name, parameter }, [3], [-1, 0, 2]), expected);
  });

  it("norms and PReLU go by channel", () => {
    const shape = [2, 1, 2];
    const scales = extrasOf({ scale: [2, 3], shift: [1, -1] });
    close(run({ op: "affine" }, shape, [1, 2, 3, 4], scales), [3, 5, 8, 11]);
    const parts = { op: "affine", scale: 3, factor: -2 };
    const others = extrasOf({ divisor: [1, 2], shift: [5] });
    close(run(parts, shape, [1, 2, 3, 4], others), [-7, -4, -5.5, -4]);
    const moments = extrasOf({ mean: [1, 2], variance: [3.5, 8.5], scale: [2, 6] });
    close(run({ op: "batch_norm", eps: 0.5 }, shape, [1, 2, 3, 4], moments), [0, 1, 2, 4]);
    close(
      run({ op: "prelu" }, shape, [-1, 2, -3, -4], extrasOf({ slope: [0.5, 0.1] })),
      [-0.5, 2, -0.3, -0.4],
    );
    close(
      run({ op: "prelu" }, shape, [-1, 2, -3, 4], extrasOf({ slope: [0.5] })),
      [-0.5, 2, -1.5, 4],
    );
    const root = Math.sqrt(1 + 0.5);
    const norm = { op: "layer_norm", size: 2, eps: 0.5 };
    close(run(norm, [2, 2], [1, 3, 5, 7]), [-1 / root, 1 / root, -1 / root, 1 / root]);
    const scaled = extrasOf({ scale: [2, 1], shift: [0, 1] });
    close(run(norm, [2], [1, 3], scaled), [-2 / root, 1 / root + 1]);
  });

  it("pools windows, with and without what lies over the border", () => {
    const windows = { kernel: [2, 2], stride: [2, 2], padding: [1, 1] };
    const image = [1, 2, 3, -4, 5, 6, 7, 8, 9];
    const shape = [1, 3, 3];
    const pooled = (compute: Compute) =>
      run({ ...windows, ...compute }, shape, image, none, { shape: [1, 2, 2] });
    expect(pooled({ op: "max_pool" })).toEqual([1, 3, 7, 9]);
    expect(pooled({ op: "avg_pool", count_padding: true })).toEqual([0.25, 1.25, 0.75, 7]);
    expect(pooled({ op: "avg_pool", count_padding: false })).toEqual([1, 2.5, 1.5, 7]);
    const broken = run(
      { op: "max_pool", ...windows, padding: [0, 0] },
      [1, 2, 2],
      [3, Number.NaN, 1, 2],
      none,
      { shape: [1, 1, 1] },
    );
    expect(broken).toEqual([Number.NaN]);
    expect(run({ op: "global_avg_pool" }, [2, 1, 2], [1, 3, 5, 9])).toEqual([2, 7]);
  });

  it("joins, adds and multiplies branches, and nodes of one", () => {
    const double = station({ op: "add" }, { sources: [0, 0] });
    const square = station({ op: "multiply" }, { sources: [0, 1] });
    const joined = station({ op: "join" }, { sources: [1, 2], shape: [4, 1] });
    const flat = station({ op: "reshape", shape: [4] }, { sources: [3] });
    const nodes = station({ op: "products", factors: [[1], [0, 3]] }, { sources: [4] });
    const structure = network([2, 1], double, square, joined, flat, nodes);
    const outputs = forward(structure, empty, none, Float32Array.of(3, 5));
    expect(outputs.slice(1).map((output) => Array.from(output))).toEqual([
      [6, 10],
      [18, 50],
      [6, 10, 18, 50],
      [6, 10, 18, 50],
      [10, 300],
    ]);
  });

  it("is a plain layer, whose weights come beside the frame", () => {
    const linear = { op: "linear" };
    const weights = extrasOf({ weight: [1, 2, 3, 4, 5, 6], bias: [10, 20] });
    expect(run(linear, [3], [1, 0, -1], weights, { shape: [2] })).toEqual([8, 18]);
    expect(run(linear, [2, 3], [1, 0, -1, 0, 0, 2], weights, { shape: [2, 2] })).toEqual([
      8, 18, 16, 32,
    ]);
    const conv = {
      op: "conv2d",
      stride: [1, 1],
      padding: [0, 1, 0, 0],
      dilation: [1, 1],
      groups: 1,
    };
    const image = [1, 2, 3, 4];
    const square = extrasOf({ weight: [1, 10, 100, 1000], bias: [0.5] });
    expect(run(conv, [1, 2, 2], image, square, { shape: [1, 1, 2] })).toEqual([4321.5, 402.5]);
    const flat = extrasOf({ weight: [1, 10] });
    expect(run({ ...conv, kernel: [1, 2] }, [1, 2, 2], image, flat, { shape: [1, 2, 2] })).toEqual([
      21, 2, 43, 4,
    ]);
    expect(() => run(conv, [1, 2, 2], image, flat, { shape: [1, 1, 2] })).toThrow();
  });
});

describe("what a network computes with beside its functions", () => {
  const beside = new Map([["norm.mean", { offset: empty.data.length, size: 2 }]]);
  const at = (step: number): Frame => ({
    step,
    layout: { ...empty.layout, beside },
    data: Float32Array.of(...empty.data, step, step + 0.5),
  });
  const taken = (step: number): Activations => ({
    step,
    values: new Map(),
    extras: extrasOf({ variance: [10 * step, 1] }),
  });
  const norm = (names?: Station["beside"]): Structure => {
    const made = network([2], station({ op: "batch_norm" }));
    const [first, second] = made.stations;
    if (!names) return made;
    return {
      ...made,
      stations: [
        { ...first, beside: {} },
        { ...second, beside: names },
      ],
    };
  };

  it("is of the frame, or was taken at its very step", () => {
    const named = norm({ mean: "norm.mean", variance: null });
    expect(extrasAt(named, at(3), taken(3))?.get(1)).toEqual(
      new Map([
        ["mean", Float32Array.of(3, 3.5)],
        ["variance", Float32Array.of(30, 1)],
      ]),
    );
    expect(extrasAt(named, at(4), taken(3))).toBeNull();
    expect(extrasAt(named, at(3), null)).toBeNull();
    const all = norm({ mean: "norm.mean" });
    expect(extrasAt(all, at(4), taken(3))?.get(1)?.get("mean")).toEqual(Float32Array.of(4, 4.5));
    expect(extrasAt(norm({ mean: "gone" }), at(4), taken(3))).toBeNull();
  });

  it("is not guessed where nobody says what it is, as in a recording of before", () => {
    expect(extrasAt(norm(), at(3), taken(3))).toEqual(taken(3).extras);
    expect(extrasAt(norm(), at(4), taken(3))).toBeNull();
    expect(extrasAt(norm(), at(2), null)).toBeNull();
    expect(extrasAt(norm(), at(4), { ...taken(3), extras: none })).toEqual(none);
  });
});

describe("the page does not compute", () => {
  const kan = (changes: Partial<Station>) => station({ op: "kan" }, { layer: "conv1", ...changes });
  const layout = (changes: Partial<LayerLayout>) => ({ version: 0, layers: [layer(changes)] });
  const own = { shape: [2, 3, 2, 2] as LayerLayout["shape"], conv: CONV };

  it.each([
    ["an order that is not known", { ...network([3]), traced: false }],
    ["an input without a shape", network([])],
    ["a block", network([3], station(null, { label: "Attention" }))],
    ["an operation of tomorrow", network([3], station({ op: "fold" }))],
    [
      "a function without a name here",
      network([3], station({ op: "elementwise", function: "toString" })),
    ],
    ["a layer that is gone", network([3, 4, 4], kan({ layer: "conv9" }))],
    ["too few channels", network([1, 4, 4], kan({}))],
    ["numbers for maps", network([3], kan({}))],
    ["sums that are none", network([3, 4, 4], kan({ sums: false }))],
    ["two inputs", network([3], station(null, { kind: "input", sources: [], shape: [3] }))],
  ])("%s", (_what, structure) => {
    expect(isComputable(structure, layout(own), none)).toBe(false);
    expect(() => forward(structure, frameOf([layer(own)]), none, new Float32Array(3))).toThrow(
      "Only the model",
    );
  });

  it("functions of what only the model has", () => {
    const structure = network([3, 4, 4], kan({}));
    const known = (changes: object) =>
      isComputable(structure, layout({ ...own, ...changes }), none);
    expect(known({})).toBe(true);
    expect(known({ variable: "LayerNorm(x)" })).toBe(false);
    expect(known({ conv: null })).toBe(false);
  });

  it("numbers that have not come", () => {
    const structure = network([2], station({ op: "batch_norm" }));
    expect(isComputable(structure, empty.layout, none)).toBe(false);
    const extras: Activations["extras"] = new Map([
      [1, new Map(["mean", "variance"].map((name) => [name, Float32Array.of(1, 2)]))],
    ]);
    expect(isComputable(structure, empty.layout, extras)).toBe(true);
  });
});
