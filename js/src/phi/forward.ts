/** The forward pass of a network whose stations the page can compute itself. No DOM. */

import { product } from "../wire/checks.ts";
import type { Activations, Frame, LayerLayout, Layout, Station, Structure } from "../wire/types.ts";
import { layerTitle, windowText } from "./entries.ts";
import { imageOf, layerOutput, layerShape, PLAIN, termsOf } from "./layer_output.ts";
import { type Given, OPERATIONS, type Operation, sameShape } from "./operations.ts";
import { addResponse, sourcesOf, sweep } from "./response.ts";

type Extras = Activations["extras"];

/** A station with all that is known before there is an input. */
interface Step {
  station: Station;
  given: Given;
  /** Null for a layer of the frame and for the input. */
  operation: Operation | null;
  layer: LayerLayout | null;
  shape: readonly number[];
}

const ALL: Readonly<Record<string, Operation>> = { ...OPERATIONS, ...PLAIN };

/**
 * What a network computes with beside its functions, all as of a frame's step: what the frame has, and what was taken at
 * that very step. Null where not all of it is known.
 */
export function extrasAt(
  { stations }: Structure,
  { step, layout, data }: Frame,
  taken: Activations | null,
): Extras | null {
  const same = taken?.step === step ? taken.extras : null;
  const found: Extras = new Map(same);
  for (const [number, { beside }] of stations.entries()) {
    // In recordings of before nobody says what is needed.
    if (!beside && !same && taken?.extras.size !== 0) return null;
    for (const [name, path] of Object.entries(beside ?? {})) {
      const place = path === null ? undefined : layout.beside?.get(path);
      const own = place
        ? data.subarray(place.offset, place.offset + place.size)
        : same?.get(number)?.get(name);
      if (!own) return null;
      found.set(number, new Map(found.get(number)).set(name, own));
    }
  }
  return found;
}

/**
 * Why the page cannot compute the network, as a sentence; "" if it can. With extras: also whether those it needs are
 * there. Where a basis is not known beyond its table, and an input lies there, outputs are NaN all the same.
 */
export function obstacle(structure: Structure, layout: Layout, extras?: Extras): string {
  const part = layout.layers.find(({ window }) => window);
  if (part) return `Of ${layerTitle(part)} the page has ${windowText(part)}.`;
  const steps = stepsOf(structure, layout, extras ?? new Map());
  if (typeof steps === "string") return steps;
  const lacking = ({ operation, given }: Step) =>
    operation?.needs.some((name) => !given.extra(name));
  const first = extras && steps.find(lacking);
  return first ? `The numbers of ${nameOf(first.station)} have not come.` : "";
}

/**
 * The output of every station for one input, which has the input station's shape, row by row. Needs a network without
 * obstacle.
 */
export function forward(
  structure: Structure,
  frame: Frame,
  extras: Extras,
  input: Float32Array,
): Float32Array[] {
  const steps = stepsOf(structure, frame.layout, extras);
  if (typeof steps === "string") throw new Error(steps);
  const needed = product(steps[0].shape);
  if (input.length !== needed) {
    throw new Error(`Got ${input.length} numbers for the input; needed: ${needed}.`);
  }
  const outputs: Float32Array[] = [];
  for (const { station, given, operation, layer } of steps) {
    const inputs = station.sources.map((source) => outputs[source]);
    if (layer) outputs.push(layerOutput(layer, frame, given, inputs[0]));
    else outputs.push(operation ? operation.run(given, inputs) : input);
  }
  return outputs;
}

/**
 * What each input of a layer adds to one of its outputs, before bias. Of a linear layer one number for each feature,
 * φ_{o,i}(x_i); of a convolution one map of the output's size for each input channel, the sums over its kernel, and
 * nothing for channels that do not reach the output. `x` is the layer's input, of this shape.
 */
export function contributions(
  layer: LayerLayout,
  frame: Frame,
  x: Float32Array,
  shape: readonly number[],
  out: number,
): { channels: Float32Array[] } {
  if (layer.kind === "linear") {
    const phi = termsOf(layer, frame, x);
    const all = Float32Array.from({ length: layer.shape[1] }, (_, i) => phi(out, i));
    return { channels: Array.from(all, (_, i) => all.subarray(i, i + 1)) };
  }
  const swept = sweep(layer, imageOf(x, shape));
  const channels = Array.from({ length: swept.channels }, () => new Float32Array(0));
  for (const source of sourcesOf(swept, out)) {
    const sums = new Float64Array(swept.width * swept.height);
    addResponse(frame, swept, source, sums);
    channels[source.channel] = Float32Array.from(sums);
  }
  return { channels };
}

/** The stations made ready, the input first; a sentence where that is not possible. */
function stepsOf(structure: Structure, layout: Layout, extras: Extras): Step[] | string {
  if (!structure.traced) return structure.note || "How the layers are connected is not known.";
  const steps: Step[] = [];
  for (const [number, station] of structure.stations.entries()) {
    const given: Given = {
      compute: station.compute ?? { op: "" },
      shapes: station.sources.map((source) => steps[source].shape),
      shape: station.shape,
      extra: (name) => extras.get(number)?.get(name),
    };
    const step = stepOf(station, given, layout, number === 0);
    if (typeof step === "string") return step;
    if (station.shape.length > 0 && !sameShape(station.shape, step.shape)) {
      const [there, here] = [station.shape, step.shape].map((shape) => shape.join(" × "));
      return `${nameOf(station)} gives ${there} numbers in the model, and ${here} here.`;
    }
    steps.push(step);
  }
  return steps.length > 0 ? steps : "The network has no stations.";
}

function stepOf(station: Station, given: Given, layout: Layout, isFirst: boolean): Step | string {
  if (isFirst !== (station.kind === "input")) return "The network has not one input but several.";
  if (isFirst) {
    if (station.shape.length === 0) return "The shape of the input is not known.";
    return { station, given, operation: null, layer: null, shape: station.shape };
  }
  const { op } = given.compute;
  const only = `Only the model can compute ${nameOf(station)}.`;
  if (station.sums === false) return only;
  if (station.layer !== null && (op === "kan" || Object.hasOwn(PLAIN, op))) {
    const layer = layerOf(station.layer, layout);
    const shape = typeof layer === "string" ? layer : layerShape(layer, given);
    if (typeof layer === "string" || typeof shape === "string") return String(shape);
    return { station, given, operation: null, layer, shape };
  }
  const operation = Object.hasOwn(ALL, op) ? ALL[op] : null;
  const shape = operation?.shape(given);
  if (!operation || !shape) return only;
  return { station, given, operation, layer: null, shape };
}

function layerOf(name: string, layout: Layout): LayerLayout | string {
  const layer = layout.layers.find((other) => other.name === name);
  if (!layer) return `The functions of ${name} are not here.`;
  if (layer.variable === "x") return layer;
  return `The functions of ${name} take in ${layer.variable}, which only the model can compute.`;
}

function nameOf({ label, name }: Station): string {
  return label && name && label !== name ? `${label} (${name})` : label || name || "a station";
}
