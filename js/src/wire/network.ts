/** A network's structure, its examples, and what they made of it, as they arrive. */

import { filled, float32, product, same, uint8 } from "./checks.ts";
import {
  type Activations,
  type Probe,
  STATION_KINDS,
  type Station,
  type Structure,
  type Taken,
} from "./types.ts";

const KINDS: ReadonlySet<string> = new Set<string>(STATION_KINDS);

/** Reads a structure; null for {} and nothing. A kind that this page does not know yet is "other". */
export function readStructure(value: unknown): Structure | null {
  const raw = filled<Structure>(value, "a structure");
  if (!raw) return null;
  const stations = raw.stations.map(({ beside, ...station }): Station => {
    const kind = KINDS.has(station.kind) ? station.kind : "other";
    return { ...station, kind, ...(beside && { beside }) };
  });
  return { ...raw, stations };
}

/** Reads the examples; null for {} and nothing. */
export function readProbe(value: unknown): Probe | null {
  const raw = filled<Omit<Probe, "inputs"> & { inputs: unknown }>(value, "the examples");
  if (!raw) return null;
  const { shape, labels } = raw;
  const inputs = float32(raw.inputs, "the examples");
  same(inputs.length, product(shape), "the examples");
  return { shape, inputs, labels: labels ?? null };
}

/** Activations but for their numbers; JSON has no NaN: null stands for it. */
export interface WireActivations {
  step: number;
  values: { station: number; shape: number[]; low: (number | null)[]; high: (number | null)[] }[];
  extras: { station: number; name: string; shape: number[] }[];
}

/** Reads activations as a trait holds them, all bytes in one: the values, then the extras; null for {} and nothing. */
export function readActivationsTrait(value: unknown): Activations | null {
  const raw = filled<WireActivations & { data: unknown }>(value, "the activations");
  if (!raw) return null;
  const data = uint8(raw.data, "the activations");
  const at = raw.values.reduce((sum, { shape }) => sum + product(shape), 0);
  return readActivations(raw, data.subarray(0, at), data.subarray(at));
}

/** Reads activations; `data` holds all values one after another, `more` all extras. */
export function readActivations(
  { step, values, extras }: WireActivations,
  data: unknown,
  more: unknown,
): Activations {
  const bytes = uint8(data, `the activations at step ${step}`);
  const floats = float32(more, `the extras at step ${step}`);
  const taken = new Map<number, Taken>();
  let at = 0;
  for (const { station, shape, low, high } of values) {
    const size = product(shape);
    const own = bytes.subarray(at, at + size);
    taken.set(station, { shape, data: own, low: ends(low), high: ends(high) });
    at += size;
  }
  same(bytes.length, at, `the activations at step ${step}`);
  const named: Activations["extras"] = new Map();
  at = 0;
  for (const { station, name, shape } of extras) {
    const size = product(shape);
    const own = named.get(station) ?? new Map<string, Float32Array>();
    named.set(station, own.set(name, floats.subarray(at, at + size)));
    at += size;
  }
  same(floats.length, at, `the extras at step ${step}`);
  return { step, values: taken, extras: named };
}

const ends = (all: readonly (number | null)[]) =>
  Float32Array.from(all, (end) => end ?? Number.NaN);
