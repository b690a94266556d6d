import { describe, expect, it, vi } from "vitest";
import { initialize } from "../src/wire/stream.ts";
import { FakeModel } from "./fake_model.ts";
import { bytes, wireFrame, wireLayout } from "./samples.ts";

function start(state: Record<string, unknown> = {}, maxBytes?: number) {
  const kernel = new FakeModel(state);
  const controller = new AbortController();
  const store = initialize({ model: kernel.model, signal: controller.signal }, maxBytes);
  const frame = (step: number, layout = 0, value = step) =>
    kernel.message({ kind: "frame", layout, step, data: bytes([value, -value]) });
  return { kernel, controller, store, frame };
}

/** What a notebook saved after training has. */
const saved = { layouts: [wireLayout(0)], initial: wireFrame(0), frame: wireFrame(90) };

describe("start-up", () => {
  it("is synchronous and works with nothing there yet", () => {
    const { store, kernel } = start();
    expect(store.latest()).toBeNull();
    expect(store.protocolError).toBeNull();
    expect(kernel.sent).toEqual([]);
  });

  it("brings everything back from the traits alone", () => {
    const selection = { layer: "conv1", out: 0, in: 1, row: 0, column: 0 };
    const status = { state: "closed", message: "done" };
    const { store } = start({ ...saved, selection, cursor: 3, status });
    expect(store.initial()?.step).toBe(0);
    expect(store.latest()?.data).toEqual(Float32Array.of(90, -90));
    expect(store.latest()?.layout.layers[0].name).toBe("conv1");
    expect(store.selection()).toEqual(selection);
    expect(store.cursor()).toBe(3);
    expect(store.status()).toEqual(status);
  });

  it("shows a model that was changed before its first step", () => {
    const { store } = start({ ...saved, frame: wireFrame(0, 0, 7) });
    expect(store.initial()?.data).toEqual(Float32Array.of(0, -0));
    expect(store.latest()?.data).toEqual(Float32Array.of(7, -7));
  });

  it("asks for the history once, and only when there is one", () => {
    const { kernel, frame } = start(saved);
    frame(100);
    kernel.update({ frame: wireFrame(110) });
    expect(kernel.sent).toEqual([{ kind: "history?", before: 90 }]);
    expect(start({ ...saved, frame: wireFrame(0) }).kernel.sent).toEqual([]);
  });

  it("asks a training kernel only for what came before this page's first live frame", () => {
    const { kernel, frame } = start({ ...saved, status: { state: "live", message: "" } });
    expect(kernel.sent).toEqual([]);
    frame(100);
    frame(110);
    expect(kernel.sent).toEqual([{ kind: "history?", before: 100 }]);
  });

  it("goes on without a kernel to ask", () => {
    const log = vi.spyOn(console, "debug").mockImplementation(() => {});
    const kernel = new FakeModel(saved);
    kernel.send = () => {
      throw new Error("no comm");
    };
    const store = initialize({ model: kernel.model, signal: new AbortController().signal });
    expect(store.latest()?.step).toBe(90);
    expect(log).toHaveBeenCalledOnce();
    log.mockRestore();
  });

  it("shows the good frame when the other trait is broken", () => {
    const { store } = start({ ...saved, frame: { layout: 0, step: 90, data: bytes([1]) } });
    expect(store.latest()?.step).toBe(0);
    expect(store.status()).toMatchObject({ state: "fault", message: /./ });
  });
});

describe("live", () => {
  it("takes a layout and then frames from messages", () => {
    const { kernel, store, frame } = start();
    kernel.message({ kind: "layout", layout: wireLayout(0) });
    frame(0);
    frame(10);
    expect(store.steps()).toEqual([0, 10]);
  });

  it("takes the frame trait as a live frame, unless it is behind the messages", () => {
    const { kernel, store, frame } = start(saved);
    kernel.update({ frame: wireFrame(100) });
    expect(store.latest()?.step).toBe(100);
    frame(120);
    kernel.update({ frame: wireFrame(110) });
    expect(store.latest()?.step).toBe(120);
    expect(store.steps()).toEqual([0, 90, 100, 110, 120]);
  });

  it("finds a layout in the traits, whatever the order of one update's events", () => {
    const { kernel, store } = start(saved);
    kernel.update({ frame: wireFrame(95, 1), layouts: [wireLayout(0), wireLayout(1)] });
    expect(store.latest()).toMatchObject({ step: 95, layout: { version: 1 } });
  });

  it("keeps one object per layout, so that views can compare by identity", () => {
    const { kernel, store, frame } = start(saved);
    const before = store.latest()?.layout;
    kernel.update({ layouts: [wireLayout(0)] });
    frame(100);
    expect(store.latest()?.layout).toBe(before);
  });

  it("merges the answer to the history request, of several layouts", () => {
    const { kernel, store } = start({ ...saved, layouts: [wireLayout(0), wireLayout(1)] });
    const frames = [
      { layout: 0, step: 0 },
      { layout: 0, step: 40 },
      { layout: 1, step: 60 },
      { layout: 0, step: 90 },
    ];
    const filled = frames.map((frame) => ({ ...frame, data: bytes([frame.step + 1, 0]) }));
    kernel.message({ kind: "history", frames: filled });
    expect(store.steps()).toEqual([0, 40, 60, 90]);
    expect(store.at(60)?.layout.version).toBe(1);
    expect(store.at(90)?.data[0]).toBe(90);
  });

  it("takes layouts of the past that come before a history and are older than all it has", () => {
    const { kernel, store } = start({
      layouts: [wireLayout(3)],
      initial: wireFrame(0, 3),
      frame: wireFrame(90, 3),
    });
    for (const version of [1, 2]) {
      kernel.message({ kind: "layout", layout: wireLayout(version) });
    }
    const data = bytes([1, 2]);
    const frames = [1, 2].map((layout) => ({ layout, step: 10 * layout, data }));
    kernel.message({ kind: "history", frames });
    expect(store.steps()).toEqual([0, 10, 20, 90]);
  });

  it("passes status changes on", () => {
    const { kernel, store } = start();
    const heard = vi.fn();
    store.subscribe(heard, new AbortController().signal);
    kernel.update({ status: { state: "live", message: "" } });
    expect(store.status().state).toBe("live");
    expect(heard.mock.calls).toEqual([["status"]]);
  });
});

describe("what cannot be read", () => {
  it.each([
    ["a frame of the wrong length", { kind: "frame", layout: 0, step: 95, data: bytes([1]) }],
    ["half a number", { kind: "frame", layout: 0, step: 95, data: new Uint8Array(7) }],
    ["a frame without bytes", { kind: "frame", layout: 0, step: 95 }],
    ["a frame without a step", { kind: "frame", layout: 0, data: bytes([1, 2]) }],
    ["a frame of an unknown layout", { kind: "frame", layout: 9, step: 95, data: bytes([1, 2]) }],
    ["a broken layout", { kind: "layout", layout: { protocol: 2, version: 1 } }],
    ["a broken history", { kind: "history", frames: 3 }],
    ["no message at all", null],
  ])("%s is dropped and reported", (_what, content) => {
    const { kernel, store, frame } = start(saved);
    kernel.message(content);
    expect(store.steps()).toEqual([0, 90]);
    expect(store.status().state).toBe("fault");
    expect(store.status().message).toMatch(/\w/);
    frame(100);
    expect(store.latest()?.step).toBe(100);
    expect(store.status().state).toBe("idle");
  });

  it("is no message of a kind that only newer pages know", () => {
    const { kernel, store } = start(saved);
    kernel.message({ kind: "observation" });
    expect(store.status().state).toBe("idle");
  });

  it("costs a history only the frame concerned", () => {
    const { kernel, store } = start(saved);
    const frames = [[1, 2], [1], [3, 4]].map((numbers, n) => {
      return { layout: 0, step: 10 * n + 10, data: bytes(numbers) };
    });
    kernel.message({ kind: "history", frames });
    expect(store.steps()).toEqual([0, 10, 30, 90]);
  });

  it("because the kernel speaks another protocol is told in words, once frames can no longer be read", () => {
    const { store } = start({ ...saved, layouts: [{ protocol: 3, version: 0, anything: [] }] });
    expect(store.protocolError).toMatch(/protocol 2, Python sent 3/);
    expect(store.status()).toEqual({ state: "fault", message: store.protocolError });
    expect(store.latest()).toBeNull();
  });

  it("is forgiven when a layout of the right protocol comes", () => {
    const { kernel, store } = start({ layouts: [{ protocol: 3, version: 0, layers: [] }] });
    kernel.update({ layouts: [wireLayout(1)], initial: wireFrame(0, 1) });
    expect(store.protocolError).toBeNull();
    expect(store.latest()?.step).toBe(0);
  });
});

describe("a new binding on the same stream", () => {
  const again = {
    layouts: [wireLayout(1)],
    initial: wireFrame(0, 1, 7),
    frame: {},
  };

  it("replaces everything, the reset coming before its traits", () => {
    const { kernel, store, frame } = start(saved);
    kernel.message({ kind: "reset", version: 1 });
    kernel.update(again);
    expect(store.steps()).toEqual([0]);
    expect(store.latest()).toMatchObject({ step: 0, layout: { version: 1 } });
    frame(5, 1);
    expect(store.steps()).toEqual([0, 5]);
  });

  it("replaces everything, the reset coming after its traits", () => {
    const { kernel, store } = start(saved);
    kernel.update(again);
    kernel.message({ kind: "reset", version: 1 });
    expect(store.steps()).toEqual([0]);
    expect(store.latest()).toMatchObject({ step: 0, layout: { version: 1 } });
    expect(store.status().state).toBe("idle");
  });

  it("may use a layout version again, the reset without a version coming after its traits", () => {
    const { kernel, store, frame } = start(saved);
    const tables = [{ x: bytes([0, 2]), values: bytes([0, 4]) }];
    kernel.update({
      layouts: [wireLayout(0, { tables })],
      initial: wireFrame(0, 0, 7),
      frame: wireFrame(0, 0, 7),
    });
    kernel.message({ kind: "reset" });
    expect(store.steps()).toEqual([0]);
    expect(store.latest()?.data[0]).toBe(7);
    expect(store.latest()?.layout.layers[0].tables[0].x).toEqual(Float32Array.of(0, 2));
    frame(5);
    expect(store.steps()).toEqual([0, 5]);
  });

  it("that says just what the old one said leaves the page as it is", () => {
    const { kernel, store } = start({ ...saved, frame: wireFrame(0) });
    kernel.message({ kind: "reset" });
    expect(store.steps()).toEqual([0]);
    expect(store.status().state).toBe("idle");
  });

  it("is not mixed with frames of the old one that are still on their way", () => {
    const { kernel, store, frame } = start(saved);
    kernel.message({ kind: "reset", version: 1 });
    frame(95);
    kernel.message({ kind: "history", frames: [{ layout: 0, step: 40, data: bytes([1, 2]) }] });
    kernel.update(again);
    frame(96);
    expect(store.steps()).toEqual([0]);
    expect(store.status().state).toBe("idle");
  });

  it("goes back to live, in all pages", () => {
    const { kernel, store } = start({ ...saved, cursor: 40 });
    kernel.message({ kind: "reset", version: 1 });
    expect(store.cursor()).toBe(-1);
    expect(kernel.get("cursor")).toBe(-1);
  });
});

describe("selection and cursor", () => {
  const selection = { layer: "conv1", out: 0, in: 1, row: 0, column: 0 };

  it("set by a view reach the trait and the other views, each once", () => {
    const { kernel, store } = start(saved);
    const heard = vi.fn();
    store.subscribe(heard, new AbortController().signal);
    store.select(selection);
    expect(kernel.get("selection")).toEqual(selection);
    expect(kernel.saves).toBe(1);
    store.setCursor(40);
    expect(kernel.get("cursor")).toBe(40);
    expect(heard.mock.calls).toEqual([["selection"], ["cursor"]]);
    store.select(null);
    expect(kernel.get("selection")).toEqual({});
  });

  it("set by the kernel reach the views and are not sent back", () => {
    const { kernel, store } = start(saved);
    const heard = vi.fn();
    store.subscribe(heard, new AbortController().signal);
    kernel.update({ selection, cursor: 10 });
    expect(store.selection()).toEqual(selection);
    expect(store.cursor()).toBe(10);
    expect(heard.mock.calls).toEqual([["selection"], ["cursor"]]);
    expect(kernel.saves).toBe(0);
    kernel.update({ selection: {} });
    expect(store.selection()).toBeNull();
  });
});

describe("the ghost, edits and what was observed", () => {
  const selection = { layer: "conv1", out: 0, in: 1, row: 0, column: 0 };

  it("keep the pinned step in the trait, both ways", () => {
    const { kernel, store } = start({ ...saved, ghost_step: 90 });
    expect(store.ghost()?.step).toBe(90);
    store.setGhostStep(-1);
    expect(kernel.get("ghost_step")).toBe(-1);
    expect(kernel.saves).toBe(1);
    kernel.update({ ghost_step: 90 });
    expect(store.ghost()?.step).toBe(90);
    expect(kernel.saves).toBe(1);
  });

  it("go to the kernel as messages", () => {
    const { kernel, store } = start();
    store.edit(selection, [1, 2], true);
    store.command("straighten", selection);
    store.command("redo");
    store.observed("conv1");
    expect(kernel.sent).toEqual([
      { kind: "edit", ...selection, coefficients: [1, 2], final: true },
      { kind: "straighten", ...selection },
      { kind: "redo" },
      { kind: "observed?" },
    ]);
  });

  it("come back from the kernel", () => {
    const { kernel, store } = start();
    kernel.update({ edits: { undo: 2, redo: 0, message: "locked" } });
    expect(store.edits()).toEqual({ undo: 2, redo: 0, message: "locked" });
    kernel.message({
      kind: "observed",
      layer: "conv1",
      samples: 3,
      is_image: true,
      shapes: {
        edges: [3],
        counts: [1, 2],
        outside_domain: [1],
        outside_extent: [1],
        patches: [2, 1],
      },
      arrays: {
        edges: bytes([-1, 0, 1]),
        counts: bytes([5, 6]),
        outside_domain: bytes([0.25]),
        outside_extent: bytes([0.125]),
        patches: bytes([7, 8]),
      },
    });
    expect(store.observed("conv1")).toEqual({
      layer: "conv1",
      samples: 3,
      isImage: true,
      fold: null,
      edges: Float32Array.of(-1, 0, 1),
      counts: Float32Array.of(5, 6),
      outsideDomain: Float32Array.of(0.25),
      outsideExtent: Float32Array.of(0.125),
      entries: 1,
      bins: 2,
      patches: Float32Array.of(7, 8),
      patchCount: 2,
      maps: null,
      mapShape: null,
    });
    expect(kernel.sent).toEqual([]);
  });
});

describe("the end", () => {
  it("takes every listener off the model", () => {
    const { kernel, controller, store, frame } = start(saved);
    expect(kernel.handlers).toBeGreaterThan(0);
    controller.abort();
    expect(kernel.handlers).toBe(0);
    frame(100);
    expect(store.latest()?.step).toBe(90);
  });
});

describe("layouts that change all the while", () => {
  function train(maxBytes: number) {
    const all = start({ layouts: [wireLayout(0)] }, maxBytes);
    for (let step = 0; step < 100; step++) {
      if (step > 0) {
        all.kernel.message({ kind: "layout", layout: wireLayout(step) });
      }
      all.frame(step, step);
    }
    return all;
  }

  it("stay with their frames", () => {
    const { store } = train(80);
    expect(store.steps().length).toBeLessThanOrEqual(10);
    for (const step of store.steps()) expect(store.at(step)?.layout.version).toBe(step);
  });

  it("are kept while a kept frame needs them, and no longer", () => {
    const { store, frame } = train(80);
    const kept = store.steps();
    frame(100, kept[1]);
    expect(store.status().state).toBe("idle");
    expect(store.at(100)?.layout).toBe(store.at(kept[1])?.layout);
    const gone = Array.from({ length: 98 }, (_, step) => step).find((s) => !kept.includes(s));
    frame(101, gone);
    expect(store.status().message).toMatch(/which has not arrived/);
  });
});
