/** Steps of training in a page, beside those of torch: tests/nn/page_cases.py. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gunzipSync } from "node:zlib";
import { describe, expect, it, vi } from "vitest";
import { Machine, Random } from "../src/training/machine.ts";
import { type Description, Network, type Recipe } from "../src/training/network.ts";
import { observe } from "../src/training/observed.ts";
import { AdamW, oneCycle, Trainer } from "../src/training/trainer.ts";
import { type News, type Order, Worker } from "../src/training/worker.ts";
import { readLayout } from "../src/wire/protocol.ts";
import type { LayerLayout, Station } from "../src/wire/types.ts";

interface Case {
  structure: Description["structure"];
  layout: unknown;
  recipe: Record<string, Omit<Recipe[string], "scaler"> & { scaler?: DataView }>;
  frame: DataView;
  x: DataView;
  /** Classes, or what a model without a softmax is to give. */
  targets: DataView;
  output: DataView;
  loss: number;
  gradients: Record<string, DataView>;
  after: DataView;
  /** After four more steps of AdamW, by the gradients times −½, ¼, −⅛ and 1/16. */
  later: DataView;
  /** What Python says of the inputs of each layer, as it tells a page. */
  observed: Observed[];
}

interface Observed {
  layer: string;
  samples: number;
  is_image: boolean;
  fold: number[] | null;
  shapes: Record<string, number[]>;
  arrays: Record<string, DataView>;
}

const text = readFileSync(join(import.meta.dirname, "training_cases.json"), "utf8");
const cases: Record<string, Case> = JSON.parse(text, (_, value) =>
  value?.bytes === undefined
    ? value
    : new DataView(Uint8Array.from(Buffer.from(value.bytes, "base64")).buffer),
);
const code = readFileSync(join(import.meta.dirname, "../../kan_widgets/nn/compiled/kernels.wasm"));

/** The same kernels translated to JavaScript, as a page sets them in place of WebAssembly. */
const translated = runInNewContext(
  `${gunzipSync(readFileSync(join(import.meta.dirname, "../../kan_widgets/nn/compiled/kernels.js.gz")))};kanKernels`,
);

/** A machine by WebAssembly, or by JavaScript. */
function machineBy(kernels: string): Promise<Machine> {
  if (kernels === "JavaScript") vi.stubGlobal("kanKernels", translated);
  const machine = Machine.from(code);
  vi.unstubAllGlobals();
  return machine;
}

const floats = (view: DataView) => new Float32Array(view.buffer);

function describedBy({ structure, layout, recipe }: Case): Description {
  const own = Object.entries(recipe).map(([name, { scaler, ...rest }]) => {
    return [name, { ...rest, ...(scaler && { scaler: floats(scaler) }) }] as const;
  });
  return { structure, layout: readLayout(layout), recipe: Object.fromEntries(own) };
}

/** The largest difference beside the largest number that is expected. */
function off(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  const [all, other] = [Array.from(got), Array.from(wanted)];
  expect(all.length).toBe(other.length);
  const most = Math.max(...other.map(Math.abs), 1e-12);
  return Math.max(...all.map((value, k) => Math.abs(value - other[k]))) / most;
}

describe.each(["WebAssembly", "JavaScript"])("a network by %s", (kernels) => {
  it.each(Object.keys(cases))("a step of “%s” is torch's", async (name) => {
    const one = cases[name];
    const machine = await machineBy(kernels);
    const network = new Network(machine, describedBy(one), 4);
    network.read(floats(one.frame), true);
    expect(off(network.frame(), floats(one.frame))).toBeLessThan(1e-7);

    const targets = floats(one.targets);
    const n = floats(one.x).length / network.input.size;
    machine.floats(network.input.at, n * network.input.size).set(floats(one.x));
    expect(network.forward(n, true)).toBe(true);
    const size = network.output.size;
    const output = machine.floats(network.output.at, n * size);
    expect(off(output, floats(one.output))).toBeLessThan(1e-5);
    const given = machine.floats(network.output.grad, n * size).fill(0);
    if (network.isClassifier)
      for (const [k, label] of targets.entries()) given[k * size + label] = -1 / n;
    else given.set(output.map((y, k) => (2 * (y - targets[k])) / output.length));
    expect(network.backward(n)).toBe(true);

    const wanted = Object.values(one.gradients).map(floats);
    expect(network.weights.map(({ count }) => count)).toEqual(wanted.map(({ length }) => length));
    for (const [k, { grad, count }] of network.weights.entries()) {
      const own = machine.floats(grad, count);
      expect(off(own, wanted[k])).toBeLessThan(1e-4);
      // A gradient that is nothing but rounding has any sign, and AdamW's first step goes by it.
      own.set(wanted[k]);
    }
    const optimizer = new AdamW(machine, network.weights);
    optimizer.step(0.01);
    expect(off(network.frame(), floats(one.after))).toBeLessThan(1e-5);
    for (let power = 1; power <= 4; power++) {
      for (const [k, { grad, count }] of network.weights.entries())
        machine.floats(grad, count).set(wanted[k].map((value) => value * (-0.5) ** power));
      optimizer.step(0.01);
    }
    expect(off(network.frame(), floats(one.later))).toBeLessThan(1e-5);

    const data = { inputs: floats(one.x), targets };
    const settings = { batch: n, rate: 0.01, epochs: 1, seed: 0 };
    const all = { train: data, test: data, shift: 0 };
    const trainer = new Trainer(machine, describedBy(one), floats(one.frame), all, settings);
    expect(trainer.advance()).toBe(true);
    expect(trainer.loss).toBeCloseTo(one.loss, 5);
  });

  it("says where a number is not finite, and changes nothing", async () => {
    const one = cases.splines;
    const machine = await Machine.from(code);
    const data = { inputs: new Float32Array(64).fill(Number.NaN), targets: Uint8Array.of(1) };
    const settings = { batch: 1, rate: 0.01, epochs: 1, seed: 0 };
    const examples = { train: data, test: data, shift: 0 };
    const trainer = new Trainer(machine, describedBy(one), floats(one.frame), examples, settings);
    expect(trainer.advance()).toBe(false);
    expect(trainer.step).toBe(0);
    const { layers } = trainer.network.description.layout;
    const end = Math.max(...layers.map(({ offset, count, nb }) => offset + count * nb));
    expect(trainer.network.frame().slice(0, end)).toEqual(floats(one.frame).slice(0, end));
  });
});

it.each(Object.keys(cases))(
  "what reaches the layers of “%s” is told as Python tells it",
  async (name) => {
    const { structure, layout, observed } = cases[name];
    const machine = await Machine.from(code);
    expect(observed.length).toBeGreaterThan(0);
    for (const { shapes, arrays, samples, ...said } of observed) {
      const layer = readLayout(layout).layers.find((one) => one.name === said.layer) as LayerLayout;
      // The inputs, of maps channels last.
      const [, ...shape] = shapes.maps ?? shapes.patches;
      const x = floats(arrays.maps ?? arrays.patches);
      const [channels, area] = [shape[0], (shape[1] ?? 1) * (shape[2] ?? 1)];
      const from = { at: machine.take(x.length), grad: 0, shape, size: channels * area };
      const own = machine.floats(from.at, x.length);
      for (let k = 0; k < x.length; k++) {
        const [image, channel, place] = [
          Math.floor(k / from.size),
          Math.floor(k / area) % channels,
          k % area,
        ];
        own[image * from.size + place * channels + channel] = x[k];
      }
      const told = observe(machine, structure, layer, from, samples, 0) as Observed;
      expect(told).toMatchObject({ layer: said.layer, samples, fold: said.fold });
      expect([said.layer, told.is_image]).toEqual([said.layer, said.is_image]);
      expect(told.shapes).toEqual(shapes);
      for (const [array, values] of Object.entries(arrays))
        expect([array, off(floats(told.arrays[array]), floats(values))]).toEqual([array, 0]);
    }
  },
);

it.each(Object.keys(cases))("“%s” is the same by WebAssembly and by JavaScript", async (name) => {
  const one = cases[name];
  const [inputs, targets] = [floats(one.x), floats(one.targets)];
  const all = { train: { inputs, targets }, test: { inputs, targets }, shift: 0 };
  const settings = { batch: 3, rate: 0.01, epochs: 1, seed: 0 };
  const both = await Promise.all(
    ["WebAssembly", "JavaScript"].map(async (kernels) => {
      const machine = await machineBy(kernels);
      const trainer = new Trainer(machine, describedBy(one), floats(one.frame), all, settings);
      expect(trainer.advance()).toBe(true);
      const { output, weights } = trainer.network;
      const gradients = weights.map(({ grad, count }) => machine.floats(grad, count));
      return [machine.floats(output.at, 3 * output.size), ...gradients];
    }),
  );
  for (const [k, values] of both[1].entries()) expect(off(values, both[0][k])).toBeLessThan(1e-5);
});

it("a network learns", async () => {
  const one = cases["the article's"];
  const random = new Random(3);
  const inputs = Float32Array.from({ length: 100 * 60 }, () => 2 * random.uniform() - 1);
  // Whether the left is brighter than the right, than the middle.
  const targets = Uint8Array.from({ length: 60 }, (_, k) => {
    const image = inputs.subarray(100 * k, 100 * (k + 1));
    const part = (column: number) => image.filter((_, at) => (at % 10) >> 2 === column);
    const means = [0, 1, 2].map((c) => part(c).reduce((sum, v) => sum + v, 0) / part(c).length);
    return means.indexOf(Math.max(...means));
  });
  const data = { inputs, targets };
  const settings = { batch: 20, rate: 0.02, epochs: 30, seed: 1 };
  const all = { train: data, test: data, shift: 0 };
  const machine = await Machine.from(code);
  const trainer = new Trainer(machine, describedBy(one), floats(one.frame), all, settings);
  const losses: number[] = [];
  while (trainer.step < trainer.steps) {
    expect(trainer.advance()).toBe(true);
    losses.push(trainer.loss);
  }
  expect(losses.at(-1)).toBeLessThan(0.7 * losses[0]);
});

/** A dense network of plain layers, with ReLU between them: what a page says of one, without Python. */
function plainNetwork(sizes: number[]): { description: Description; numbers: number } {
  const layers: LayerLayout[] = [];
  const beside = new Map<string, { offset: number; size: number }>();
  const stations: Station[] = [];
  const add = (own: Pick<Station, "kind" | "shape" | "compute"> & Partial<Station>) => {
    const sources = stations.length > 0 ? [stations.length - 1] : [];
    stations.push({ name: "", label: "", layer: null, sums: null, sources, ...own });
  };
  let numbers = 0;
  add({ kind: "input", shape: [sizes[0]], compute: null });
  for (const [k, out] of sizes.slice(1).entries()) {
    const name = `layer ${k}`;
    const shape: LayerLayout["shape"] = [out, sizes[k], 1, 1];
    const range: [number, number] = [-1, 1];
    layers.push({
      ...{ name, kind: "linear", type: "Linear", shape, nb: 1, offset: numbers },
      ...{ count: out * sizes[k], labels: ["x"], isBase: [true], domain: range, extent: range },
      ...{ knots: [], variable: "x", note: "", conv: null, locked: "" },
      ...{ tables: [], tableOf: null, bases: [] },
    });
    beside.set(`${name}.bias`, { offset: numbers + out * sizes[k], size: out });
    numbers += out * sizes[k] + out;
    const bias = { beside: { bias: `${name}.bias` } };
    add({ kind: "plain", layer: name, shape: [out], compute: { op: "linear" }, ...bias });
    const compute = { op: "elementwise", function: "relu" };
    if (k < sizes.length - 2) add({ kind: "activation", shape: [out], compute });
  }
  const recipe = Object.fromEntries(layers.map(({ name }) => [name, { base: "identity" }]));
  const structure = { stations, traced: true, note: "" };
  return { description: { structure, layout: { version: 0, layers, beside }, recipe }, numbers };
}

it("a network of plain layers learns a product", async () => {
  const random = new Random(1);
  const { description, numbers } = plainNetwork([2, 16, 16, 1]);
  const frame = Float32Array.from({ length: numbers }, () => random.uniform() - 0.5);
  const rows = (count: number) => {
    const inputs = Float32Array.from({ length: 2 * count }, () => 2 * random.uniform() - 1);
    const product = (_: unknown, k: number) => inputs[2 * k] * inputs[2 * k + 1];
    return { inputs, targets: Float32Array.from({ length: count }, product) };
  };
  const data = { train: rows(500), test: rows(200), shift: 0 };
  const settings = { batch: 25, rate: 0.02, epochs: 40, seed: 1 };
  const trainer = new Trainer(await Machine.from(code), description, frame, data, settings);
  // Of numbers from −1 to 1 the product has a standard deviation of 1/3.
  expect(trainer.score(data.test)).toBeGreaterThan(0.3);
  while (trainer.step < trainer.steps) expect(trainer.advance()).toBe(true);
  expect(trainer.score(data.test)).toBeLessThan(0.03);
});

it("memory stays as it is over ten thousand steps", async () => {
  const { description, numbers } = plainNetwork([2, 3, 1]);
  const random = new Random(2);
  const inputs = Float32Array.from({ length: 50 }, () => random.uniform());
  const data = { inputs, targets: inputs.slice(0, 25) };
  const machine = await Machine.from(code);
  const frame = new Float32Array(numbers).fill(0.1);
  // The last batch of each epoch is smaller.
  const settings = { batch: 10, rate: 1e-3, epochs: 1e6, seed: 0 };
  const all = { train: data, test: data, shift: 0 };
  const trainer = new Trainer(machine, description, frame, all, settings);
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const heap = () => {
    collect();
    return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  };
  const advance = (steps: number) => {
    for (let k = 0; k < steps; k++) {
      if (!trainer.advance()) throw new Error("a number was not finite");
      if (trainer.step % 100 === 0) trainer.score(data);
    }
  };
  const kernels = () => machine.floats(0, 0).buffer.byteLength;
  advance(500);
  const before = { heap: heap(), kernels: kernels() };
  advance(10_000);
  expect(kernels()).toBe(before.kernels);
  // Were ten numbers kept of each step, it would be 800 kB.
  expect(heap() - before.heap).toBeLessThan(400_000);
});

it("the rate rises and falls as torch's OneCycleLR", () => {
  // torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=10).
  const wanted = [0.04, 0.52, 1, 0.950484, 0.811744, 0.61126, 0.38874, 0.188256, 0.049516, 4e-6];
  for (const [step, rate] of wanted.entries()) expect(oneCycle(step, 10, 1)).toBeCloseTo(rate, 4);
});

it("random numbers are the same for a seed, and spread evenly", () => {
  const [a, b] = [new Random(7), new Random(7)];
  const numbers = Array.from({ length: 4000 }, () => a.uniform());
  expect(Array.from({ length: 4000 }, () => b.uniform())).toEqual(numbers);
  const tenths = Array.from({ length: 10 }, (_, k) => {
    return numbers.filter((one) => Math.floor(10 * one) === k).length;
  });
  // 400 in each, with a standard deviation of 19.
  for (const count of tenths) expect(Math.abs(count - 400)).toBeLessThan(95);
  expect([...new Random(1).order(50)].sort((x, y) => x - y)).toEqual([...Array(50).keys()]);
});

it("an edit leaves the scalers what training has made of them", async () => {
  const one = cases["the article's"];
  const network = new Network(await Machine.from(code), describedBy(one), 4);
  network.read(floats(one.frame), true);
  const scalers = network.weights.filter((_, k) => k % 3 === 2);
  expect(scalers.length).toBe(3);
  for (const { at, count } of scalers) network.machine.floats(at, count).fill(0.5);
  const edited = network.frame();
  edited[1] += 1;
  network.read(edited);
  for (const { at, count } of scalers)
    expect(network.machine.floats(at, count)).toEqual(new Float32Array(count).fill(0.5));
  expect(off(network.frame(), edited)).toBeLessThan(1e-6);
});

it("what is asked of the next network comes after it is there, and a score says of how many", async () => {
  const one = cases.splines;
  const random = new Random(5);
  const rows = (count: number) => {
    const inputs = Float32Array.from({ length: 64 * count }, () => random.uniform());
    return { inputs, targets: Uint8Array.from({ length: count }, (_, k) => k % 3) };
  };
  const data = { train: rows(40), test: rows(300), shift: 0 };
  const begin = (seed: number): Order => ({
    kind: "begin",
    description: describedBy(one),
    frame: floats(one.frame),
    data,
    settings: { batch: 10, rate: 0.01, epochs: 5, seed },
    code: new Uint8Array(code),
  });
  const news: News[] = [];
  let time = 0;
  const worker = new Worker(
    (each) => {
      news.push(each);
      void worker.take({ kind: "drawn" });
    },
    async () => {},
    () => {
      time += 100;
      return time;
    },
  );
  await worker.take(begin(1));
  expect(news.at(-1)).toMatchObject({ step: 0, steps: 20, state: "paused" });
  expect(news.at(-1)?.score?.of).toBe(300);
  const first = worker.take({ kind: "run", steps: Number.POSITIVE_INFINITY });
  await Promise.resolve();
  const before = news.length;
  const again = worker.take(begin(2));
  const run = worker.take({ kind: "run", steps: 2 });
  await Promise.all([first, again, run]);
  const steps = news.slice(before).map(({ step }) => step);
  const from = steps.lastIndexOf(0);
  expect(from).toBeGreaterThanOrEqual(0);
  expect(Math.max(...steps.slice(from))).toBe(2);
  expect(news.at(-1)).toMatchObject({ step: 2, state: "paused" });
  await worker.take({ kind: "run", steps: Number.POSITIVE_INFINITY });
  expect(news.at(-1)).toMatchObject({ step: 20, state: "finished" });
  const running = news.filter(({ state, score }) => state === "running" && score);
  expect(running.length).toBeGreaterThan(0);
  expect(running.every(({ score }) => score?.of === 200)).toBe(true);
});

it("says what the browser lacks where the kernels do not run", async () => {
  const worker = new Worker(
    () => {},
    async () => {},
  );
  const order = { kind: "begin", code: Uint8Array.of(1, 2, 3) } as unknown as Order;
  await expect(worker.take(order)).rejects.toThrow("This browser cannot run WebAssembly");
});
