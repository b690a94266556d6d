/** What the story says of a network: its curves, what it gets right, and which formula a curve is like. */

import type { Machine } from "../training/machine.ts";
import { Network } from "../training/network.ts";
import { float32, product } from "../wire/checks.ts";
import { readLayout } from "../wire/protocol.ts";
import type { Made, WireLayer } from "./network.ts";

export interface Curve {
  x: readonly number[];
  y: readonly number[];
}

/** Functions of a layer, where its basis is tabulated, from `low` to `high`. */
export function curvesOf(
  { domain, nb, offset, shape, tables }: WireLayer,
  frame: Float32Array,
  [low, high] = domain as readonly [number, number],
): Curve[] {
  const [table] = tables as { x: DataView; values: DataView }[];
  const [x, beta] = [float32(table.x, "the table"), float32(table.values, "the table")];
  const points = Array.from(x.keys()).filter((k) => x[k] >= low && x[k] <= high);
  return Array.from({ length: product(shape) }, (_, f) => {
    const at = offset + f * nb;
    const y = points.map((k) => {
      let sum = 0;
      for (let b = 0; b < nb; b++) sum += frame[at + b] * beta[k * nb + b];
      return sum;
    });
    return { x: points.map((k) => x[k]), y };
  });
}

/** How far a curve reaches, from its lowest to its highest. */
export const heightOfCurve = ({ y }: Curve) => Math.max(...y) - Math.min(...y);

/** The share of functions of each layer that vary least, or as many by chance, set to zero. */
export function pruned(
  { layout: { layers } }: Made,
  frame: Float32Array,
  share: number,
  chance?: () => number,
): { frame: Float32Array; count: number } {
  const rest = frame.slice();
  let count = 0;
  for (const layer of layers) {
    const worth = curvesOf(layer, frame).map((curve) => (chance ? chance() : heightOfCurve(curve)));
    const order = Array.from(worth.keys()).sort((one, other) => worth[one] - worth[other]);
    for (const f of order.slice(0, Math.floor(share * worth.length))) {
      rest.fill(0, layer.offset + f * layer.nb, layer.offset + (f + 1) * layer.nb);
      count++;
    }
  }
  return { frame: rest, count };
}

const AT_ONCE = 50;

/** What a network answers to images: of each, the class and its probability. The page stays awake. */
export function createAnswers(machine: Machine, described: Made) {
  const { structure, recipe, layout } = described;
  const description = { structure, recipe, layout: readLayout(layout) };
  const network = new Network(machine, description, AT_ONCE);
  return async (frame: Float32Array, images: readonly Float32Array[]) => {
    const answers: { label: number; share: number }[] = [];
    for (let from = 0; from < images.length; from += AT_ONCE) {
      const some = images.slice(from, from + AT_ONCE);
      network.read(frame, true);
      const { input, output } = network;
      for (const [k, image] of some.entries())
        machine.floats(input.at + 4 * k * input.size, input.size).set(image);
      network.forward(some.length, false);
      for (const k of some.keys()) {
        const row = machine.floats(output.at + 4 * k * output.size, output.size);
        const most = Math.max(...row);
        answers.push({ label: row.indexOf(most), share: Math.exp(most) });
      }
      await new Promise((resolve) => setTimeout(resolve));
    }
    return answers;
  };
}

/** The forms that a learned curve is held beside; a factor and a constant are fitted to each. */
const FORMS: Record<string, (x: number) => number> = {
  ...{ x: (x) => x, "x²": (x) => x * x, "x³": (x) => x ** 3, "|x|": Math.abs },
  ...{ "sin πx": (x) => Math.sin(Math.PI * x), "cos πx": (x) => Math.cos(Math.PI * x) },
  ...{ "exp x": Math.exp, "tanh 3x": (x) => Math.tanh(3 * x) },
};
export const FORM_COUNT = Object.keys(FORMS).length;

/** The form that is most like a curve, and the share of the curve's variance that it explains. */
export function formOf({ x, y }: Curve): { form: string; explained: number } {
  const found = Object.entries(FORMS).map(([form, f]) => {
    return { form, explained: correlation(x.map(f), y) ** 2 };
  });
  return found.reduce((best, one) => (one.explained > best.explained ? one : best));
}

/** The share of a curve's variance that exp(k·x) explains, for the best k of either sign. */
export function exponential({ x, y }: Curve): number {
  const rates = Array.from({ length: 60 }, (_, k) => 0.1 * 1.07 ** k);
  const explained = [...rates, ...rates.map((k) => -k)].map((k) => {
    return (
      correlation(
        x.map((value) => Math.exp(k * value)),
        y,
      ) ** 2
    );
  });
  return Math.max(...explained);
}

/** Brought to mean 0 and standard deviation 1. */
export function standardised(values: readonly number[]): number[] {
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const square = values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / values.length;
  return values.map((one) => (one - mean) / Math.sqrt(square || 1));
}

export function correlation(one: readonly number[], other: readonly number[]): number {
  const [a, b] = [standardised(one), standardised(other)];
  return a.reduce((sum, value, k) => sum + value * b[k], 0) / a.length;
}

/** A number in two digits. */
export const short = (value: number) => String(Number(value.toPrecision(2))).replace("-", "−");
