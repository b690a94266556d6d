/** A network in training, made of what Python says of it: its structure, its layout, its recipe. */

import type { Layout, Station, Structure } from "../wire/types.ts";
import {
  BatchNorm,
  DIFFERENTIABLE,
  Elementwise,
  Flatten,
  LogSoftmax,
  MaxPool,
  type Operation,
  takeValues,
  type Values,
  type Weight,
} from "./between_layers.ts";
import { KanLayer, type LayerRecipe } from "./layer.ts";
import type { Machine } from "./machine.ts";
import { type ObservedMessage, observe } from "./observed.ts";

/** What is needed to train a network beside its structure and its layout. */
export type Recipe = Record<string, LayerRecipe>;

export interface Description {
  structure: Structure;
  layout: Layout;
  recipe: Recipe;
}

/** A vector beside the coefficients. */
interface Vector {
  name: string;
  at: number;
  size: number;
}

export class Network {
  readonly input: Values;
  readonly output: Values;
  /** All that is trained. */
  readonly weights: Weight[] = [];
  readonly #operations: Operation[] = [];
  readonly #layers: KanLayer[] = [];
  readonly #vectors: Vector[] = [];
  /** Whether the output is log-probabilities. */
  readonly isClassifier: boolean;

  /** For batches of at most `maxBatch` examples. Python writes no page of a network that cannot be trained in one. */
  constructor(
    readonly machine: Machine,
    readonly description: Description,
    readonly maxBatch: number,
  ) {
    const { stations } = description.structure;
    let values = takeValues(machine, maxBatch, stations[0].shape);
    this.input = values;
    for (const station of stations.slice(1)) {
      const to = takeValues(machine, maxBatch, station.shape);
      this.#operations.push(this.#operation(station, values, to));
      values = to;
    }
    this.output = values;
    this.isClassifier = stations.at(-1)?.compute?.op === "log_softmax";
  }

  /** The output of the first n inputs; false where a number is not finite. */
  forward(n: number, training: boolean): boolean {
    return this.#operations.every((operation) => operation.forward(n, training));
  }

  /** Computes the gradients of all that is trained from the output's; false where one is not finite. */
  backward(n: number): boolean {
    return [...this.#operations].reverse().every((operation) => operation.backward(n));
  }

  /** Sets the network to a frame, and at its first to the scalers that it had in Python. */
  read(frame: Float32Array, isFirst = false): void {
    const { recipe } = this.description;
    for (const layer of this.#layers)
      layer.read(frame, isFirst ? recipe[layer.layer.name].scaler : undefined);
    for (const { name, at, size } of this.#vectors) {
      const offset = this.description.layout.beside?.get(name)?.offset ?? 0;
      this.machine.floats(at, size).set(frame.subarray(offset, offset + size));
    }
  }

  /** The network as a frame. */
  frame(): Float32Array<ArrayBuffer> {
    const { layers, beside } = this.description.layout;
    const ends = layers.map(({ offset, count, nb }) => offset + count * nb);
    const vectorEnds = Array.from(beside?.values() ?? [], ({ offset, size }) => offset + size);
    const frame = new Float32Array(Math.max(0, ...ends, ...vectorEnds));
    for (const layer of this.#layers) layer.write(frame);
    for (const { name, at, size } of this.#vectors)
      frame.set(this.machine.floats(at, size), beside?.get(name)?.offset);
    return frame;
  }

  /** What reaches its functions, once the outputs of `n` examples are computed. */
  observe(n: number, step: number): ObservedMessage[] {
    const { structure } = this.description;
    return this.#layers
      .filter(({ spline }) => spline)
      .map(({ layer, from }) => observe(this.machine, structure, layer, from, n, step));
  }

  #operation(station: Station, from: Values, to: Values): Operation {
    const { machine } = this;
    const { layer: name, compute } = station;
    const layer = this.description.layout.layers.find((each) => each.name === name);
    if (layer) {
      const bias = this.#weight(station, "bias");
      const layerRecipe = this.description.recipe[layer.name];
      const kanLayer = new KanLayer(machine, layer, layerRecipe, from, to, bias, this.maxBatch);
      this.#layers.push(kanLayer);
      this.#train(kanLayer.base, kanLayer.spline, kanLayer.scaler, bias);
      return kanLayer;
    }
    switch (compute?.op) {
      case "batch_norm": {
        const [mean, variance] = ["mean", "variance"].map((one) => this.#vector(station, one));
        const stats = { mean: mean?.at ?? 0, variance: variance?.at ?? 0 };
        const [scale, shift] = [this.#weight(station, "scale"), this.#weight(station, "shift")];
        this.#train(scale, shift);
        return new BatchNorm(machine, from, to, stats, scale, shift, Number(compute.eps));
      }
      case "max_pool": {
        const { kernel, stride } = compute as unknown as Record<string, [number, number]>;
        return new MaxPool(machine, from, to, kernel, stride);
      }
      case "flatten":
        return new Flatten(machine, from, to);
      case "log_softmax":
        return new LogSoftmax(machine, from, to);
      default:
        return new Elementwise(machine, from, to, ...DIFFERENTIABLE[String(compute?.function)]);
    }
  }

  #vector({ beside }: Station, name: string): Vector | null {
    const path = beside?.[name];
    const place = path ? this.description.layout.beside?.get(path) : undefined;
    if (!path || !place) return null;
    const vector = { name: path, at: this.machine.take(place.size), size: place.size };
    this.#vectors.push(vector);
    return vector;
  }

  #weight(station: Station, name: string): Weight | null {
    const vector = this.#vector(station, name);
    return vector && { at: vector.at, grad: this.machine.take(vector.size), count: vector.size };
  }

  #train(...weights: (Weight | null)[]): void {
    this.weights.push(...weights.filter((one) => one !== null));
  }
}
