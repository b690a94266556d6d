/** A network's structure, its examples, and what they made of it, checked as they arrive. */

import {
  describe,
  filled,
  float32,
  list,
  numbers,
  positive,
  product,
  record,
  same,
  shapeOf,
  text,
  uint8,
  WireError,
  whole,
} from "./checks.ts";
import {
  type Activations,
  type Compute,
  type Probe,
  STATION_KINDS,
  type Station,
  type StationKind,
  type Structure,
  type Taken,
} from "./types.ts";

const KINDS: ReadonlySet<string> = new Set<string>(STATION_KINDS);

/** Reads a structure; null for {} and nothing. */
export function readStructure(value: unknown): Structure | null {
  const raw = filled(value, "a structure");
  if (!raw) return null;
  return {
    stations: list(raw.stations, "the stations of a structure").map((station, n) =>
      readStation(record(station, `station ${n}`), n),
    ),
    traced: raw.traced === true,
    note: text(raw.note),
  };
}

/** A kind that this page does not know yet is "other". */
function readStation(raw: Record<string, unknown>, n: number): Station {
  const of = (what: string) => `the ${what} of station ${n}`;
  const sources = list(raw.sources, of("sources")).map((source) => {
    if (whole(source, of("sources")) < n) return source as number;
    throw new WireError(`Got ${describe(source)} in ${of("sources")}; needed: an earlier station.`);
  });
  return {
    kind: KINDS.has(text(raw.kind)) ? (raw.kind as StationKind) : "other",
    name: text(raw.name),
    label: text(raw.label),
    layer: typeof raw.layer === "string" ? raw.layer : null,
    sources,
    shape: numbers(raw.shape, of("shape"), positive),
    compute: raw.compute == null ? null : readCompute(raw.compute, of("computation")),
    sums: typeof raw.sums === "boolean" ? raw.sums : null,
    ...(raw.beside == null
      ? {}
      : { beside: record(raw.beside, of("extras")) as Record<string, string | null> }),
  };
}

function readCompute(value: unknown, what: string): Compute {
  const raw = record(value, what);
  if (typeof raw.op === "string") return raw as Compute;
  throw new WireError(`Got ${describe(raw.op)} for the operation in ${what}; needed: its name.`);
}

/** Reads the examples; null for {} and nothing. */
export function readProbe(value: unknown): Probe | null {
  const raw = filled(value, "the examples");
  if (!raw) return null;
  const shape = shapeOf(raw.shape, "the shape of the examples");
  if (shape.length === 0) throw new WireError("The examples have no shape.");
  const inputs = float32(raw.inputs, "the examples");
  same(inputs.length, product(shape), "the examples");
  if (raw.labels == null) return { shape, inputs, labels: null };
  const labels = shapeOf(raw.labels, "the labels of the examples");
  same(labels.length, shape[0], "the labels of the examples");
  return { shape, inputs, labels };
}

/** Reads activations as a trait holds them, all bytes in one: the values, then the extras; null for {} and nothing. */
export function readActivationsTrait(value: unknown): Activations | null {
  const raw = filled(value, "the activations");
  if (!raw) return null;
  const data = uint8(raw.data, "the activations");
  const values = list(raw.values, "the values").map((entry) => record(entry, "a value"));
  const at = values.reduce(
    (sum, { shape }) => sum + product(shapeOf(shape, "the shape of a value")),
    0,
  );
  return readActivations(raw, data.subarray(0, at), data.subarray(at));
}

/** Reads activations; `data` holds all values one after another, `more` all extras. */
export function readActivations(
  raw: Record<string, unknown>,
  data: unknown,
  more: unknown,
): Activations {
  const step = whole(raw.step, "the step of activations");
  const of = (what: string) => `${what} at step ${step}`;
  const values = new Map<number, Taken>();
  const bytes = uint8(data, of("the activations"));
  let at = 0;
  for (const entry of list(raw.values, of("the list of activations"))) {
    const value = record(entry, of("an activation"));
    const station = whole(value.station, of("the station of an activation"));
    const own = (what: string) => of(`the ${what} of station ${station}`);
    const shape = shapeOf(value.shape, own("shape"));
    if (shape.length === 0)
      throw new WireError(`There is no number of examples in ${own("shape")}.`);
    const low = ends(value.low, shape[0], own("lows"));
    const high = ends(value.high, shape[0], own("highs"));
    const size = product(shape);
    values.set(station, { shape, data: bytes.subarray(at, at + size), low, high });
    at += size;
  }
  same(bytes.length, at, of("the activations"));
  return { step, values, extras: readExtras(raw.extras, more, of) };
}

function readExtras(
  raw: unknown,
  data: unknown,
  of: (what: string) => string,
): Activations["extras"] {
  const extras: Activations["extras"] = new Map();
  const floats = float32(data, of("the extras"));
  let at = 0;
  for (const entry of list(raw, of("the list of extras"))) {
    const extra = record(entry, of("an extra"));
    const station = whole(extra.station, of("the station of an extra"));
    const size = product(shapeOf(extra.shape, of("the shape of an extra")));
    const named = extras.get(station) ?? new Map<string, Float32Array>();
    extras.set(station, named.set(text(extra.name), floats.subarray(at, at + size)));
    at += size;
  }
  same(floats.length, at, of("the extras"));
  return extras;
}

/** JSON has no NaN: null stands for it. */
function ends(value: unknown, count: number, what: string): Float32Array {
  const all = list(value, what).map((end) => {
    if (end === null || typeof end === "number") return end ?? Number.NaN;
    throw new WireError(`Got ${describe(end)} in ${what}; needed: a number.`);
  });
  same(all.length, count, what);
  return Float32Array.from(all);
}
