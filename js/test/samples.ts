/** Layers and frames to test with, made without the code under test. */
import type { Band, Frame, LayerLayout, Layout } from "../src/wire/types.ts";

/** Numbers in [-1, 1), the same in every run. */
export function randoms(n: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: n }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 1073741824 - 1;
  });
}

export const KNOTS = [-1, -0.6, -0.2, 0.2, 0.6, 1];

/** The B-spline of a given order on uniform knots, by Cox and de Boor's recursion. */
export function bspline(x: number, order: number, j: number, start: number, h: number): number {
  const t = start + j * h;
  if (order === 0) return x >= t && x < start + (j + 1) * h ? 1 : 0;
  const left = ((x - t) / (order * h)) * bspline(x, order - 1, j, start, h);
  const end = t + (order + 1) * h;
  return left + ((end - x) / (order * h)) * bspline(x, order - 1, j + 1, start, h);
}

/** β_0 = SiLU, β_1 … β_8 = cubic B-splines, grid size 5 on [-1, 1]. */
export function basis(x: number): number[] {
  const splines = Array.from({ length: 8 }, (_, j) => bspline(x, 3, j, -2.2, 0.4));
  return [x / (1 + Math.exp(-x)), ...splines];
}

/** A table at even points from lo to hi, and at the knots. */
export function table(lo: number, hi: number, points: number, knots: number[] = KNOTS) {
  const even = Array.from({ length: points }, (_, p) => lo + ((hi - lo) * p) / (points - 1));
  const inside = knots.filter((knot) => knot > lo && knot < hi);
  const x = Float32Array.from(new Set(Float32Array.from([...even, ...inside]))).sort();
  return { x, values: Float32Array.from([...x].flatMap(basis)) };
}

export function layer(changes: Partial<LayerLayout> = {}): LayerLayout {
  const shape = changes.shape ?? [2, 3, 2, 2];
  return {
    name: "conv1",
    kind: "conv",
    type: "KANConv2d",
    shape,
    nb: 9,
    offset: 0,
    labels: ["SiLU", "B0", "B1", "B2", "B3", "B4", "B5", "B6", "B7"],
    isBase: [true, false, false, false, false, false, false, false, false],
    domain: [-1, 1],
    extent: [-2.2, 2.2],
    knots: KNOTS,
    variable: "x",
    note: "",
    conv: null,
    locked: "",
    tables: [table(-2.2, 2.2, 89)],
    bases: [{ domain: [-1, 1], extent: [-2.2, 2.2], knots: KNOTS }],
    tableOf: null,
    count: shape[0] * shape[1] * shape[2] * shape[3],
    ...changes,
  };
}

export function frameOf(layers: LayerLayout[], step = 0, seed = 1): Frame {
  const size = layers.reduce((end, l) => Math.max(end, l.offset + l.count * l.nb), 0);
  return { step, layout: { version: 0, layers }, data: randoms(size, seed) };
}

/** Each function f of so many networks between f − 1 and f + 2, with the median f, at −1, 0 and 1. */
export function bandFor({ count, shape }: LayerLayout, networks: number, alive: number[]): Band {
  const points = 3;
  const by = (more: number) =>
    Float32Array.from({ length: count * points }, (_, k) => Math.floor(k / points) + more);
  const x = Float32Array.from({ length: shape[1] * points }, (_, k) => (k % points) - 1);
  const sizes = Float32Array.from({ length: count }, (_, f) => f + 2);
  const band = { points, x, low: by(-1), middle: by(0), high: by(2), sizes };
  return { ...band, count: networks, alive: Float32Array.from(alive) };
}

/** A layout and frames of a few numbers each, for tests of bookkeeping. */
export function smallLayout(version = 0): Layout {
  const line = { x: Float32Array.of(-1, 1), values: Float32Array.of(-1, 1) };
  const small = layer({
    shape: [1, 2, 1, 1],
    nb: 1,
    labels: ["x"],
    isBase: [true],
    tables: [line],
    bases: [{ domain: [-1, 1], extent: [-1, 1], knots: [] }],
  });
  return { version, layers: [small] };
}

export function smallFrame(step: number, layout: Layout, value = step): Frame {
  return { step, layout, data: Float32Array.of(value, -value) };
}

/** A layout as Python's traits hold it. */
export function wireLayout(version = 0, changes: Record<string, unknown> = {}) {
  return {
    protocol: 2,
    version,
    layers: [
      {
        name: "conv1",
        kind: "conv",
        type: "Conv2d",
        shape: [1, 2, 1, 1],
        nb: 1,
        offset: 0,
        labels: ["x"],
        is_base: [true],
        domain: [-1, 1],
        extent: [-1, 1],
        knots: [],
        variable: "x",
        note: "",
        conv: null,
        locked: "",
        tables: [{ x: bytes([-1, 0, 1]), values: bytes([-1, 0, 1]) }],
        table_of: null,
        ...changes,
      },
    ],
  };
}

/** Little-endian float32 at an odd place of a larger buffer, as a message brings it. */
export function bytes(numbers: ArrayLike<number>, before = 3): DataView {
  const view = new DataView(
    new ArrayBuffer(before + 4 * numbers.length + 5),
    before,
    4 * numbers.length,
  );
  Array.from(numbers).forEach((number, i) => {
    view.setFloat32(4 * i, number, true);
  });
  return view;
}

export function wholes(numbers: ArrayLike<number>): DataView {
  const view = new DataView(new ArrayBuffer(4 * numbers.length + 2), 1, 4 * numbers.length);
  Array.from(numbers).forEach((number, i) => {
    view.setUint32(4 * i, number, true);
  });
  return view;
}

export function wireFrame(step: number, layout = 0, value = step) {
  return { layout, step, data: bytes([value, -value]) };
}
