/** A network built from a state: what the views draw and what the worker trains, as Python would describe it. */

import { DIFFERENTIABLE } from "../training/between_layers.ts";
import { type Machine, Random } from "../training/machine.ts";
import { type Description, Network, type Recipe } from "../training/network.ts";
import { PROTOCOL, product, readLayout } from "../wire/protocol.ts";
import type { Station, Structure } from "../wire/types.ts";
import { type BasisSpec, expand, makeBasis, samplePoints, throughGrid } from "./bases.ts";
import type { Problem } from "./problems.ts";
import type { State } from "./state.ts";

/** A network of the playground. */
export interface Made {
  name: string;
  /** As traits of a stream hold them: see wire/protocol.ts. */
  layout: WireLayout;
  structure: Structure;
  recipe: Recipe;
  /** How it begins. */
  frame: Float32Array<ArrayBuffer>;
  parameters: number;
  /** The layers' bases and whether their splines are scaled, by name. */
  kept: Map<string, { basis: BasisSpec; isScaled: boolean }>;
}

interface WireLayout {
  protocol: number;
  version: number;
  layers: WireLayer[];
  beside: { name: string; size: number }[];
}

type Four = [out: number, inputs: number, height: number, width: number];

export interface WireLayer {
  name: string;
  kind: "conv" | "linear";
  shape: Four;
  nb: number;
  offset: number;
  [more: string]: unknown;
}

/** What a KAN layer is made with. */
interface KanSettings {
  basis: BasisSpec;
  base: State["base"];
  start: number;
  isScaled?: boolean;
  /** Whether each kernel is used on every channel. */
  isShared?: boolean;
}

/** Makes the network of a state for a problem. */
export function makeNetwork(state: State, problem: Problem, machine: Machine): Made {
  const random = new Random(state.seed);
  const build = new Builder(machine, random, problem);
  const basis = (low: number, high: number, grid = state.grid) =>
    makeBasis(state.basis, grid, state.order, [low, high]);
  const { base, start } = state;
  if (state.network === "kancnn") {
    const settings = { basis: basis(-3, 3), base, start };
    for (const [k, channels] of state.widths.entries()) {
      build.norm(`norms.${k}`);
      build.conv(`convs.${k}`, channels, 1, settings);
      build.pool();
    }
    build.flatten();
    build.norm("linear_norm");
    build.linear("linear", problem.outputs.length, settings);
  } else if (state.network === "article") {
    for (const k of [0, 1]) {
      const settings = { basis: basis(-1, 1), base, start, isScaled: true, isShared: true };
      build.conv(`convs.${k}`, 5, 0, settings);
      build.pool();
    }
    build.flatten();
    // The original's dense layer: twice the grid over [0, 1], a tenth of the noise.
    const finer = basis(0, 1, 2 * state.grid);
    const settings = { basis: finer, base, start: start / 10, isScaled: true };
    build.linear("linear", problem.outputs.length, settings);
  } else {
    if (problem.shape.length > 1) build.flatten("flatten");
    for (const [k, units] of [...state.widths, problem.outputs.length].entries())
      build.linear(`layer${k + 1}`, units, { basis: basis(-1, 1), base, start });
  }
  if (problem.isClassification) build.softmax();
  return build.made(state.network === "dense" ? "KAN" : "KANCNN");
}

/** The most hidden units that a layer of a twin has. */
const MOST_TWIN = 1000;

/** Parameters of kan_widgets.nn.CNN by the square of its first channels: 44,819 with 16. */
const PARAMETERS_OF_ONE = 175;

/** A plain network with about as many parameters: beside convolutions kan_widgets.nn.CNN, else an MLP of as many layers. */
export function makeTwin(state: State, problem: Problem, machine: Machine, parameters: number) {
  const isConv = state.network !== "dense";
  const channels = Math.max(1, Math.round(Math.sqrt(parameters / PARAMETERS_OF_ONE)));
  const depth = Math.max(1, state.widths.length);
  const shaped = (units: number) => {
    const build = new Builder(machine, new Random(state.seed), problem);
    for (let k = 0; isConv && k < 3; k++) {
      build.norm(`norms.${k}`);
      build.conv(`convs.${k}`, channels * (k + 1), 1);
      build.relu();
      build.pool();
    }
    if (problem.shape.length > 1) build.flatten();
    if (isConv) build.norm("hidden_norm");
    for (let k = 0; k < (isConv ? 1 : depth); k++) {
      build.linear(`hidden.${k}`, units);
      build.relu();
    }
    build.linear("linear", problem.outputs.length);
    if (problem.isClassification) build.softmax();
    return build;
  };
  // Parameters rise with the units: the number nearest to those asked for is found by halving.
  let [least, most] = [1, MOST_TWIN];
  while (most - least > 1) {
    const middle = (least + most) >> 1;
    if (shaped(middle).parameters > parameters) most = middle;
    else least = middle;
  }
  const off = (units: number) => Math.abs(shaped(units).parameters - parameters);
  return shaped(off(least) <= off(most) ? least : most).made(isConv ? "CNN" : "MLP");
}

/** Puts layers one after the other. */
class Builder {
  readonly #stations: Structure["stations"] = [];
  readonly #layers: WireLayer[] = [];
  readonly #recipe: Recipe = {};
  readonly #beside: { name: string; size: number; fill: () => number }[] = [];
  readonly #fills: (() => Float32Array)[] = [];
  readonly #kept: Made["kept"] = new Map();
  #shape: readonly number[];
  #offset = 0;
  parameters = 0;

  constructor(
    readonly machine: Machine,
    readonly random: Random,
    readonly problem: Problem,
  ) {
    this.#shape = problem.shape;
    this.#station("input", "input", "input");
  }

  norm(name: string): void {
    const [size] = this.#shape;
    const mean = this.#vector(`${name}.running_mean`, size, () => 0);
    const variance = this.#vector(`${name}.running_var`, size, () => 1);
    const compute = { op: "batch_norm", eps: 1e-5 };
    this.#station("norm", name, "BatchNorm", { compute, beside: { mean, variance } });
  }

  /** Kernels of 3 × 3; a plain layer where there are no settings. */
  conv(name: string, channels: number, padding: number, settings?: KanSettings): void {
    const { isShared = false } = settings ?? {};
    const [inputs, ...sizes] = this.#shape;
    const convolved = sizes.map((size) => size - 2 + 2 * padding);
    this.#shape = [isShared ? channels * inputs : channels, ...convolved];
    this.#add(name, [channels, isShared ? 1 : inputs, 3, 3], conv(padding, isShared), settings);
  }

  linear(name: string, units: number, settings?: KanSettings): void {
    const [inputs] = this.#shape;
    this.#shape = [units];
    this.#add(name, [units, inputs, 1, 1], null, settings);
  }

  relu(): void {
    const compute = { op: "elementwise", function: "relu" };
    this.#station("activation", "relu", "ReLU", { compute });
  }

  pool(): void {
    const [channels, height, width] = this.#shape;
    this.#shape = [channels, height >> 1, width >> 1];
    const compute = { op: "max_pool", kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
    this.#station("pool", "max_pool2d", "max pool 2×2", { compute });
  }

  flatten(name = "reshape"): void {
    this.#shape = [product(this.#shape)];
    this.#station("reshape", name, "flatten", { compute: { op: "flatten" } });
  }

  softmax(): void {
    this.#station("activation", "log_softmax", "log-softmax", { compute: { op: "log_softmax" } });
  }

  made(name: string): Made {
    const vectors = this.#beside.map(({ size, fill }) => Float32Array.from({ length: size }, fill));
    const parts = [...this.#fills.map((fill) => fill()), ...vectors];
    const frame = Float32Array.from(parts.flatMap((part) => [...part]));
    const beside = this.#beside.map(({ name: path, size }) => ({ name: path, size }));
    const parameters = this.parameters;
    return {
      ...{ name, recipe: this.#recipe, frame, parameters, kept: this.#kept },
      layout: { protocol: PROTOCOL, version: 1, layers: this.#layers, beside },
      structure: { stations: this.#stations, traced: true, note: "" },
    };
  }

  #station(kind: Station["kind"], name: string, label: string, more: Partial<Station> = {}): void {
    const number = this.#stations.length;
    const own = { kind, name, label, layer: null, sources: number > 0 ? [number - 1] : [] };
    const usual = { shape: [...this.#shape], compute: null, sums: null, beside: {} };
    this.#stations.push({ ...own, ...usual, ...more });
  }

  /** Numbers beside the coefficients, at first as `fill` says; returns their path. */
  #vector(name: string, size: number, fill: () => number): string {
    this.#beside.push({ name, size, fill });
    return name;
  }

  #add(name: string, four: Four, geometry: object | null, settings?: KanSettings): void {
    if (settings) this.#kan(name, four, geometry, settings);
    else this.#plain(name, four, geometry);
  }

  #kan(name: string, four: Four, geometry: object | null, settings: KanSettings): void {
    const { basis, base, start, isScaled = false, isShared = false } = settings;
    const { machine, random } = this;
    const count = product(four);
    const bound = product(four.slice(1)) ** -0.5;
    const uniform = () => bound * (2 * random.uniform() - 1);
    const nb = 1 + basis.kernel.functions;
    const scaler = isScaled ? Float32Array.from({ length: count }, uniform) : undefined;
    const splines = splinesOf(machine, basis, start, random);
    this.#recipe[name] = { basis: basis.kernel, base, ...(scaler && { scaler }) };
    this.#kept.set(name, { basis, isScaled });
    this.#fills.push(() => {
      const coefficients = new Float32Array(count * nb);
      for (let f = 0; f < count; f++) {
        const scale = scaler?.[f] ?? 1;
        coefficients[f * nb] = uniform();
        const scaled = splines().map((value) => scale * value);
        coefficients.set(scaled, f * nb + 1);
      }
      return coefficients;
    });
    const type = geometry ? `${isShared ? "Shared" : ""}KANConv2d` : "KANLinear";
    const labels = [base, ...basis.labels];
    const table = tableOf(machine, basis, base);
    this.#layer({ name, type, shape: four }, labels, basis, table, geometry);
    this.parameters += count * (nb + Number(isScaled));
    const label = geometry ? `${type} ${four[2]}×${four[3]}` : `KANLinear ${four[1]} → ${four[0]}`;
    this.#station("kan", name, label, { layer: name, compute: { op: "kan" }, sums: true });
  }

  #plain(name: string, four: Four, geometry: object | null): void {
    const count = product(four);
    const bound = product(four.slice(1)) ** -0.5;
    const uniform = () => bound * (2 * this.random.uniform() - 1);
    this.#recipe[name] = { base: "identity" };
    this.#fills.push(() => Float32Array.from({ length: count }, uniform));
    const type = geometry ? "Conv2d" : "Linear";
    this.#layer({ name, type, shape: four }, ["x"], STRAIGHT, STRAIGHT_TABLE, geometry);
    this.parameters += count + four[0];
    const bias = this.#vector(`${name}.bias`, four[0], uniform);
    const compute = { op: geometry ? "conv2d" : "linear" };
    this.#station("plain", name, name, { layer: name, compute, sums: true, beside: { bias } });
  }

  #layer(
    own: { name: string; type: string; shape: Four },
    labels: string[],
    { domain, extent, knots }: Pick<BasisSpec, "domain" | "extent" | "knots">,
    table: { x: DataView; values: DataView },
    geometry: object | null,
  ): void {
    const ends = { domain, extent, knots };
    const { inputs } = this.problem;
    const isNamed = this.#layers.length === 0 && inputs.length > 0;
    this.#layers.push({
      ...{ ...own, kind: geometry ? "conv" : "linear", nb: labels.length, offset: this.#offset },
      ...{ ...ends, labels, is_base: labels.map((_, k) => k === 0) },
      ...{ variable: "x", locked: "", note: "" },
      ...{ conv: geometry, tables: [{ ...ends, ...table }], table_of: null },
      ...(isNamed && { input_names: [...inputs] }),
    });
    this.#offset += product(own.shape) * labels.length;
  }
}

/** The geometry of a 3 × 3 convolution. */
const conv = (padding: number, isShared: boolean) => ({
  ...{ stride: [1, 1], padding: Array(4).fill(padding), dilation: [1, 1], padding_mode: "zeros" },
  ...{ groups: 1, shared: isShared, pads_basis: false },
});

/** What there is to train, as `train` and workers take it. */
export const descriptionOf = ({ structure, recipe, layout }: Made): Description => {
  return { structure, recipe, layout: readLayout(layout) };
};

/** Computes a network at up to `most` rows of inputs: what it gives for each. */
export function evaluator(machine: Machine, made: Made, most: number) {
  const network = new Network(machine, descriptionOf(made), most);
  return (frame: Float32Array, inputs: ArrayLike<number>): Float32Array[] => {
    const { input, output } = network;
    const count = inputs.length / input.size;
    network.read(frame, true);
    machine.floats(input.at, inputs.length).set(inputs);
    network.forward(count, false);
    return Array.from({ length: count }, (_, k) =>
      machine.floats(output.at + 4 * k * output.size, output.size).slice(),
    );
  };
}

/** What a plain layer has in place of a basis: x itself. */
const STRAIGHT = { domain: [-1, 1], extent: [-2, 2], knots: [] as number[] } as const;

/** A basis at its sample points, the base term first, as bytes of float32. */
function tableOf(machine: Machine, basis: BasisSpec, base: State["base"]) {
  const x = samplePoints(basis);
  const beta = expand(machine, basis, x);
  const functions = basis.kernel.functions;
  const [baseFunction] = DIFFERENTIABLE[base];
  const values = new Float32Array(x.length * (1 + functions));
  for (const [k, point] of x.entries()) {
    values[k * (1 + functions)] = baseFunction(point);
    values.set(beta.subarray(k * functions, (k + 1) * functions), k * (1 + functions) + 1);
  }
  return { x: bytesOf(x), values: bytesOf(values) };
}

export const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  new DataView(buffer, byteOffset, byteLength);

const STRAIGHT_POINTS = Float32Array.of(-2, -1, 0, 1, 2);
const STRAIGHT_TABLE = { x: bytesOf(STRAIGHT_POINTS), values: bytesOf(STRAIGHT_POINTS) };

/** Draws the coefficients of splines that run through noise, or others of the same size. */
function splinesOf(machine: Machine, basis: BasisSpec, start: number, random: Random) {
  const { functions, order } = basis.kernel;
  const noise = () => random.uniform() - 0.5;
  if (order > 0) {
    const through = throughGrid(machine, basis);
    return () => {
      const coefficients = new Float32Array(functions);
      for (const row of through) {
        const height = (start / basis.gridSize) * noise();
        for (let b = 0; b < functions; b++) coefficients[b] += height * row[b];
      }
      return coefficients;
    };
  }
  const [low, high] = basis.domain;
  const points = Array.from({ length: 257 }, (_, k) => low + ((high - low) * k) / 256);
  const squares = expand(machine, basis, points).reduce((sum, value) => sum + value ** 2, 0);
  const width =
    start / Math.max(functions - 1, 1) / Math.max(squares / points.length, 1e-12) ** 0.5;
  return () => Float32Array.from({ length: functions }, () => width * noise());
}
