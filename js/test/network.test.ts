/** A network's structure, examples and activations: as they arrive, and as the store keeps them. */

import { describe, expect, it, vi } from "vitest";
import { readActivationsTrait, readProbe, WireError } from "../src/wire/protocol.ts";
import { initialize } from "../src/wire/stream.ts";
import { PastActivations } from "../src/wire/thinning.ts";
import type { Activations, Change } from "../src/wire/types.ts";
import { FakeModel } from "./fake_model.ts";
import { bytes, wireFrame, wireLayout } from "./samples.ts";

const station = (changes: Record<string, unknown> = {}) => ({
  kind: "kan",
  name: "conv1",
  label: "KANConv2d",
  layer: "conv1",
  sources: [],
  shape: [2, 3, 3],
  compute: { op: "kan" },
  sums: true,
  ...changes,
});
const structure = (changes: Record<string, unknown> = {}) => ({
  stations: [station({ kind: "input", layer: null, compute: null, sums: null }), station(changes)],
  traced: true,
  note: "",
});
const probe = { shape: [2, 3], inputs: bytes([1, 2, 3, 4, 5, 6]), labels: [7, 1] };

/** Two examples at two stations, and two extras; all that is in them says the step. */
function message(step: number, changes: Record<string, unknown> = {}) {
  return {
    kind: "activations",
    step,
    values: [
      { station: 1, shape: [2, 2], low: [-1, null], high: [1, step] },
      { station: 3, shape: [2, 1], low: [0, 0], high: [2, 2] },
    ],
    extras: [
      { station: 1, name: "scale", shape: [2] },
      { station: 1, name: "shift", shape: [1] },
    ],
    ...changes,
  };
}
const values = (step: number) => new DataView(Uint8Array.of(9, 0, 1, 254, 255, 3, step).buffer, 1);
const extras = (step: number) => bytes([step, 0.5, -1]);
const joined = (step: number) => {
  const [a, b] = [values(step), extras(step)].map(
    (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength),
  );
  return { ...message(step), data: new DataView(Uint8Array.of(...a, ...b).buffer) };
};

describe("what is read", () => {
  it("is nothing where there is nothing", () => {
    for (const none of [undefined, null, {}]) {
      expect([readProbe(none), readActivationsTrait(none)]).toEqual([null, null]);
    }
  });

  it("is the examples and their labels", () => {
    const inputs = Float32Array.of(1, 2, 3, 4, 5, 6);
    expect(readProbe(probe)).toEqual({ shape: [2, 3], inputs, labels: [7, 1] });
    expect(readProbe({ ...probe, labels: null })?.labels).toBeNull();
  });

  it("is all activations of a trait, from the bytes that are joined", () => {
    const read = readActivationsTrait(joined(5)) as Activations;
    expect(read.step).toBe(5);
    expect(read.values.get(1)).toEqual({
      shape: [2, 2],
      data: Uint8Array.of(0, 1, 254, 255),
      low: Float32Array.of(-1, Number.NaN),
      high: Float32Array.of(1, 5),
    });
    expect(read.values.get(3)?.data).toEqual(Uint8Array.of(3, 5));
    expect(read.extras.get(1)?.get("scale")).toEqual(Float32Array.of(5, 0.5));
    expect(read.extras.get(1)?.get("shift")).toEqual(Float32Array.of(-1));
  });

  it.each([
    ["examples of another size", () => readProbe({ ...probe, shape: [2, 4] })],
    ["activations without bytes", () => readActivationsTrait({ ...joined(1), data: undefined })],
    ["a value too many", () => readActivationsTrait({ ...joined(1), values: [] })],
    ["an extra too few", () => readActivationsTrait({ ...joined(1), extras: [] })],
  ])("is not %s", (_what, read) => {
    expect(read).toThrow(WireError);
  });
});

const at = (step: number, size = 100): Activations => ({
  step,
  values: new Map([
    [
      0,
      {
        shape: [1, size],
        data: new Uint8Array(size),
        low: new Float32Array(0),
        high: new Float32Array(0),
      },
    ],
  ]),
  extras: new Map(),
});

describe("past activations", () => {
  it("stay within the budget, evenly, the first and the newest among them", () => {
    const past = new PastActivations(2000);
    for (let step = 0; step <= 500; step++) past.takeLive(at(step));
    const kept = Array.from({ length: 501 }, (_, step) => past.at(step)?.step ?? -1);
    const steps = [...new Set(kept)];
    expect([steps[0], steps.at(-1)]).toEqual([0, 500]);
    expect(steps.length).toBeLessThanOrEqual(20);
    expect(steps.length).toBeGreaterThanOrEqual(10);
    const gaps = steps.slice(1, -1).map((step, n) => step - steps[n]);
    expect(Math.max(...gaps) / Math.min(...gaps)).toBeLessThan(1.2);
  });
});

function start(state: Record<string, unknown> = {}) {
  const kernel = new FakeModel({
    layouts: [wireLayout(0)],
    initial: wireFrame(0),
    frame: wireFrame(90),
    ...state,
  });
  const { signal } = new AbortController();
  const store = initialize({ model: kernel.model, signal });
  const heard: Change[] = [];
  store.subscribe((what) => heard.push(what), signal);
  const asked = () =>
    kernel.sent.filter((sent) => (sent as { kind: string }).kind === "activations?");
  const tell = (step: number, past = false) =>
    kernel.message({ ...joined(step), ...(past ? { past } : {}) });
  return { kernel, store, heard, asked, tell };
}
const network = { structure: structure(), probe, activations: joined(90) };

describe("a stream with a network", () => {
  it("has all from its traits after a reload, and asks for the past when it is looked at", () => {
    const { store, asked, tell, heard } = start(network);
    expect(store.structure()?.stations).toHaveLength(2);
    expect(store.probe()?.labels).toEqual([7, 1]);
    expect(asked()).toEqual([]);
    expect(store.activations()?.step).toBe(90);
    tell(10, true);
    tell(50, true);
    expect(heard).toEqual(["network", "network"]);
    store.setCursor(0);
    expect(store.activations()).toBeNull();
    expect(store.current()?.step).toBe(0);
    expect(asked()).toEqual([{ kind: "activations?", before: 90 }]);
  });

  it("shows those at or before the frame that is drawn", () => {
    const { store, kernel, tell } = start(network);
    const frame = (step: number) =>
      kernel.message({ kind: "frame", layout: 0, step, data: bytes([step, 1]) });
    tell(50, true);
    for (const step of [100, 110, 120]) frame(step);
    tell(110);
    expect(store.activations()?.step).toBe(110);
    store.setCursor(100);
    expect(store.activations()?.step).toBe(90);
    store.setCursor(-1);
    frame(60);
    expect(store.activations()?.step).toBe(50);
    expect(store.latest()?.step).toBe(60);
  });

  it("takes what the kernel sets while it goes on, and forgets what it empties", () => {
    const { store, kernel, heard, tell } = start();
    expect([store.structure(), store.probe(), store.activations()]).toEqual([null, null, null]);
    kernel.update({ structure: structure(), probe });
    tell(90);
    kernel.update({ activations: joined(80) });
    expect(heard).toEqual(["network", "network", "network", "network"]);
    expect(store.activations()?.step).toBe(90);
    kernel.update({ probe: {}, activations: {} });
    expect([store.probe(), store.activations()]).toEqual([null, null]);
  });

  it("keeps nothing of a binding that was replaced, but what the new one's traits say", () => {
    const { store, kernel, asked, tell } = start(network);
    tell(20, true);
    store.activations();
    kernel.update({
      layouts: [wireLayout(1)],
      initial: wireFrame(0, 1),
      frame: wireFrame(30, 1),
      activations: joined(30),
    });
    kernel.message({ kind: "reset", version: 1 });
    expect(store.latest()?.step).toBe(30);
    expect(store.activations()?.step).toBe(30);
    store.setCursor(25);
    expect(store.activations()).toBeNull();
    expect(asked()).toHaveLength(2);
  });

  it("says what it cannot read, and goes on with the frames", () => {
    const log = vi.spyOn(console, "error");
    const { store, kernel } = start(network);
    kernel.message(message(95));
    expect(store.status()).toMatchObject({ state: "fault", message: /needed: bytes/ });
    expect(store.activations()?.step).toBe(90);
    const broken = start({ structure: { stations: 1 }, probe: { shape: [] } });
    expect(broken.store.status().state).toBe("fault");
    expect(broken.store.latest()?.step).toBe(90);
    expect(log).not.toHaveBeenCalled();
  });
});
