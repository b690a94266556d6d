/** What the playground builds by itself, beside what Python makes of the same settings: tests/nn/playground_cases.py. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expand, makeBasis, samplePoints, throughGrid } from "../src/playground/bases.ts";
import { descriptionOf, type Made, makeNetwork, makeTwin } from "../src/playground/network.ts";
import { makeProblem } from "../src/playground/problems.ts";
import { BASES, type State, stateOf } from "../src/playground/state.ts";
import { arraysOf } from "../src/playground/weights.ts";
import { Machine } from "../src/training/machine.ts";
import { Network } from "../src/training/network.ts";
import { type Data, Trainer } from "../src/training/trainer.ts";
import { readLayout } from "../src/wire/protocol.ts";

interface BasisCase {
  basis: State["basis"];
  grid: number;
  order: number;
  domain: [number, number];
  layout: { layers: [PythonLayer] };
  kernel: Record<string, number>;
  through?: DataView;
}

interface PythonLayer {
  labels: string[];
  extent: number[];
  knots: number[];
  tables: [{ x: DataView; values: DataView }];
}

interface NetworkCase {
  structure: Made["structure"];
  layout: { layers: (PythonLayer & { domain: number[] })[] };
  recipe: Record<string, { basis: Record<string, number>; base: string; scaled: boolean }>;
  parameters: number;
  names: string[];
}

const text = readFileSync(join(import.meta.dirname, "playground_cases.json"), "utf8");
const cases: { bases: BasisCase[]; networks: Record<string, NetworkCase> } = JSON.parse(
  text,
  (_, value) =>
    value?.bytes === undefined
      ? value
      : new DataView(Uint8Array.from(Buffer.from(value.bytes, "base64")).buffer),
);
const code = readFileSync(join(import.meta.dirname, "../../kan_widgets/nn/compiled/kernels.wasm"));
const machine = await Machine.from(code);

const floats = (view: DataView) =>
  Array.from(new Float32Array(view.buffer, view.byteOffset, view.byteLength / 4));
const off = (got: ArrayLike<number>, wanted: ArrayLike<number>) => {
  expect(got.length).toBe(wanted.length);
  return Math.max(...Array.from(got, (value, k) => Math.abs(value - wanted[k])));
};
const blank = { inputs: new Uint8Array(784), targets: Uint8Array.of(0) };
const digits: Data = { train: blank, test: blank, shift: 0 };
const problemOf = (state: State) => makeProblem(state, digits, "");
const made = (hash: string) => {
  const state = stateOf(hash);
  return makeNetwork(state, problemOf(state), machine);
};

describe.each(cases.bases)("$basis of $grid intervals, order $order, over $domain", (one) => {
  const basis = makeBasis(one.basis, one.grid, one.order, one.domain);
  const [layer] = one.layout.layers;

  it("is named, reaches and bends as Python's", () => {
    expect(basis.labels).toEqual(layer.labels.slice(1));
    expect(off(basis.extent, layer.extent)).toBeLessThan(1e-9);
    expect(off(basis.knots, layer.knots)).toBeLessThan(1e-9);
    expect(Object.keys(basis.kernel).sort()).toEqual(Object.keys(one.kernel).sort());
    for (const [name, value] of Object.entries(basis.kernel))
      expect(value, name).toBeCloseTo(one.kernel[name], 12);
  });

  it("is tabulated at Python's points, and has its values there", () => {
    const [{ x, values }] = layer.tables;
    const points = samplePoints(basis);
    expect(off(points, floats(x))).toBeLessThan(1e-6);
    const functions = basis.kernel.functions;
    const wanted = floats(values).filter((_, k) => k % (functions + 1) !== 0);
    expect(off(expand(machine, basis, floats(x)), wanted)).toBeLessThan(2e-5);
  });
});

it.each(cases.bases.filter(({ through }) => through))(
  "splines of order $order begin through numbers at $grid + 1 grid points by the same coefficients",
  ({ basis, grid, order, domain, through }) => {
    const got = throughGrid(machine, makeBasis(basis, grid, order, domain)).flatMap((row) => [
      ...row,
    ]);
    expect(off(got, floats(through as DataView))).toBeLessThan(1e-5);
  },
);

describe.each(Object.entries(cases.networks))("the network of “%s”", (hash, one) => {
  const own = made(hash);

  it("has the stations and the layout that Python describes", () => {
    expect(own.structure).toEqual(one.structure);
    expect(own.layout.layers.length).toBe(one.layout.layers.length);
    for (const [k, wanted] of one.layout.layers.entries()) {
      const { tables, table_of, input_names, ...layer } = own.layout.layers[k];
      const { extent, knots, ...rest } = wanted;
      expect(layer).toMatchObject(rest);
      expect(Object.keys(layer).sort()).toEqual(Object.keys(wanted).sort());
      expect(off(layer.extent as number[], extent)).toBeLessThan(1e-9);
      expect(off(layer.knots as number[], knots)).toBeLessThan(1e-9);
    }
    const { layers, ...beside } = own.layout;
    expect(one.layout).toMatchObject(beside);
  });

  it("has Python's parameters, by number and by name", () => {
    expect(own.parameters).toBe(one.parameters);
    expect([...arraysOf(own, own.frame).keys()].sort()).toEqual(one.names);
    const recipe = Object.entries(own.recipe).map(([name, { scaler, base }]) => [
      name,
      { base, scaled: scaler !== undefined },
    ]);
    expect(one.recipe).toMatchObject(Object.fromEntries(recipe));
  });
});

it("the networks of the article and of the package are as large as they say", () => {
  expect(made("").parameters).toBe(44_712);
  expect(made("#network=article").parameters).toBe(94_650);
});

describe("how a network begins", () => {
  it.each(BASES)("the functions of %s are noise of the size that is asked for", (basis) => {
    const noisy = made(`#basis=${basis}&start=2`);
    const [layer] = noisy.layout.layers.slice(-1);
    const spec = noisy.kept.get(layer.name)?.basis as ReturnType<typeof makeBasis>;
    const [low, high] = spec.domain;
    const isSpline = basis === "bspline";
    // Splines at their grid points; others all over their domain.
    const count = isSpline ? spec.gridSize + 1 : 257;
    const points = Array.from({ length: count }, (_, k) => low + ((high - low) * k) / (count - 1));
    const beta = expand(machine, spec, points);
    const functions = spec.kernel.functions;
    const total = layer.shape[0] * layer.shape[1];
    const values: number[] = [];
    for (let f = 0; f < total; f++)
      for (let k = 0; k < count; k++) {
        let sum = 0;
        for (let b = 0; b < functions; b++)
          sum += noisy.frame[layer.offset + f * layer.nb + 1 + b] * beta[k * functions + b];
        values.push(sum);
      }
    const intervals = isSpline ? spec.gridSize : functions - 1;
    // Uniform noise in ±1/intervals.
    const wanted = 1 / intervals / Math.sqrt(3);
    const size = Math.sqrt(values.reduce((all, one) => all + one ** 2, 0) / values.length);
    expect(size / wanted).toBeGreaterThan(0.95);
    expect(size / wanted).toBeLessThan(1.05);
    if (isSpline) expect(Math.max(...values.map(Math.abs))).toBeLessThan(1.0001 / intervals);
  });

  it("a seed decides it; base weights reach as far as those of torch", () => {
    expect(made("#seed=3").frame).toEqual(made("#seed=3").frame);
    expect(made("#seed=3").frame).not.toEqual(made("#seed=4").frame);
    const { layout, frame } = made("");
    for (const { shape, offset, nb } of layout.layers) {
      const count = shape.reduce((all, size) => all * size);
      const base = Array.from({ length: count }, (_, f) => Math.abs(frame[offset + f * nb]));
      const bound = (count / shape[0]) ** -0.5;
      expect(Math.max(...base)).toBeLessThanOrEqual(1.0001 * bound);
      expect(Math.max(...base)).toBeGreaterThan(0.9 * bound);
    }
  });

  it("the article's scalers multiply its splines, and are told to the training", () => {
    const { recipe, layout, frame, kept } = made("#network=article");
    for (const [k, { name, offset, nb, shape }] of layout.layers.entries()) {
      const scaler = recipe[name].scaler as Float32Array;
      const count = shape.reduce((all, size) => all * size);
      expect(scaler.length).toBe(count);
      const bound = (count / shape[0]) ** -0.5;
      expect(Math.max(...scaler.map(Math.abs))).toBeLessThanOrEqual(1.0001 * bound);
      const spec = kept.get(name)?.basis as ReturnType<typeof makeBasis>;
      const { gridSize, domain, kernel } = spec;
      const beta = expand(machine, spec, [domain[1]]);
      const most = (k === 2 ? 0.01 : 0.1) / 2 / gridSize;
      // The end of a grid is a grid point; without the scaler the noise there is uniform.
      const ends = Array.from(scaler, (scale, f) => {
        let sum = 0;
        for (let b = 0; b < kernel.functions; b++) sum += frame[offset + f * nb + 1 + b] * beta[b];
        return sum / scale / most;
      });
      expect(Math.max(...ends)).toBeLessThan(1.01);
      expect(Math.min(...ends)).toBeGreaterThan(-1.01);
      expect(Math.max(...ends)).toBeGreaterThan(0.8);
    }
  });
});

describe("a twin", () => {
  it.each(["", "#network=article", "#network=dense&widths=16", "#problem=moons&widths=20,20"])(
    "beside “%s” has as many parameters, within three per cent, and trains",
    (hash) => {
      const state = stateOf(hash);
      const problem = problemOf(state);
      const { parameters } = makeNetwork(state, problem, machine);
      const twin = makeTwin(state, problem, machine, parameters);
      expect(twin.parameters / parameters).toBeGreaterThan(0.97);
      expect(twin.parameters / parameters).toBeLessThan(1.03);
      const { structure, recipe, layout } = twin;
      expect(Object.values(recipe).every(({ basis }) => basis === undefined)).toBe(true);
      const network = new Network(machine, { structure, recipe, layout: readLayout(layout) }, 2);
      network.read(twin.frame, true);
      expect(network.forward(2, true) && network.backward(2)).toBe(true);
      const trained = network.weights.reduce((all, { count }) => all + count, 0);
      expect(trained).toBe(twin.parameters);
    },
  );

  it.each(["#problem=moons&widths=8,8", "#problem=product&widths=", "#problem=spirals&grid=1"])(
    "beside the small “%s” is the nearest that there is",
    (hash) => {
      const state = stateOf(hash);
      const problem = problemOf(state);
      const { parameters } = makeNetwork(state, problem, machine);
      const [inputs, outputs] = [problem.shape[0], problem.outputs.length];
      const deep = Math.max(1, state.widths.length);
      const sizes = Array.from({ length: 400 }, (_, k) => {
        const units = k + 1;
        return (inputs + 1) * units + (deep - 1) * (units + 1) * units + (units + 1) * outputs;
      });
      const off = (size: number) => Math.abs(size - parameters);
      const least = Math.min(...sizes.map(off));
      expect(off(makeTwin(state, problem, machine, parameters).parameters)).toBe(least);
    },
  );
});

describe("what a problem of numbers begins with", () => {
  it.each(["product", "moons", "spirals", "formula"])(
    "%s has no layer of more functions than can be read below each other",
    (problem) => {
      for (const { shape } of made(`#problem=${problem}`).layout.layers)
        expect(shape[0] * shape[1]).toBeLessThanOrEqual(12);
    },
  );

  it("learns the two spirals, whatever the seed", () => {
    for (let seed = 0; seed < 5; seed++) {
      const state = stateOf(`#problem=spirals&seed=${seed}`);
      const { data } = problemOf(state);
      const network = makeNetwork(state, problemOf(state), machine);
      const trainer = new Trainer(machine, descriptionOf(network), network.frame, data, state);
      while (trainer.step < trainer.steps) expect(trainer.advance()).toBe(true);
      expect(trainer.score(data.test), `seed ${seed}`).toBeGreaterThanOrEqual(0.995);
    }
  });
});
