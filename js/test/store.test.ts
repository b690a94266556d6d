import { describe, expect, it, vi } from "vitest";
import { FrameStore } from "../src/wire/store.ts";
import type { Change, Observed } from "../src/wire/types.ts";
import { smallFrame, smallLayout } from "./samples.ts";

const layout = smallLayout();
const FRAME = 8; // bytes of a small frame

function newStore(maxBytes = 1000 * FRAME) {
  const outlet = { write: vi.fn(), send: vi.fn() };
  const store = new FrameStore(outlet, maxBytes);
  const heard: Change[] = [];
  store.subscribe((what) => heard.push(what), new AbortController().signal);
  const live = (...steps: number[]) => {
    for (const step of steps) store.takeLive(smallFrame(step, layout));
  };
  return { store, outlet, heard, live };
}

function gaps(steps: number[]): number[] {
  return steps.slice(1).map((step, i) => step - steps[i]);
}

describe("frames", () => {
  it("are none at first", () => {
    const { store } = newStore();
    expect([store.initial(), store.latest(), store.current(), store.at(5)]).toEqual(
      Array(4).fill(null),
    );
    expect(store.steps()).toEqual([]);
  });

  it("come in by rising step; the first is the initial one unless another is set", () => {
    const { store, live } = newStore();
    live(10, 20);
    expect(store.initial()?.step).toBe(10);
    store.takeInitial(smallFrame(0, layout));
    expect(store.initial()?.step).toBe(0);
    expect(store.steps()).toEqual([0, 10, 20]);
    expect(store.latest()?.step).toBe(20);
  });

  it("are found at or before a step", () => {
    const { store, live } = newStore();
    live(5, 10, 20, 40);
    expect([4, 5, 9, 10, 39, 40, 99].map((step) => store.at(step)?.step)).toEqual([
      undefined,
      5,
      5,
      10,
      20,
      40,
      40,
    ]);
  });

  it("tell of another initial one, for the views that draw it", () => {
    const { store, heard, live } = newStore();
    live(10, 20);
    heard.length = 0;
    store.takeInitial(smallFrame(0, layout));
    expect(heard).toEqual(["history"]);
  });

  it("keep the initial one beside a newer state at the same step", () => {
    const { store } = newStore();
    store.takeInitial(smallFrame(0, layout, 1));
    store.takeLive(smallFrame(0, layout, 2));
    expect(store.initial()?.data[0]).toBe(1);
    expect(store.latest()?.data[0]).toBe(2);
    expect(store.steps()).toEqual([0]);
  });

  it("that say nothing new change nothing", () => {
    const { store, heard, live } = newStore();
    live(0, 1);
    const before = [...heard];
    store.takeLive(smallFrame(1, layout));
    store.takeInitial(smallFrame(0, layout));
    expect(heard).toEqual(before);
  });

  it("with new coefficients at the newest step take its place", () => {
    const { store, live } = newStore();
    live(0, 1);
    store.takeLive(smallFrame(1, layout, 7));
    expect(store.latest()?.data[0]).toBe(7);
    expect(store.steps()).toEqual([0, 1]);
  });

  it("with a lower step than the newest take back what came after them", () => {
    const { store, live } = newStore();
    live(0, 10, 20, 30, 15);
    expect(store.steps()).toEqual([0, 10, 15]);
    expect(store.latest()?.step).toBe(15);
  });

  it("tell of a new layout before the frame that brings it", () => {
    const { store, heard, live } = newStore();
    live(0, 1);
    expect(heard).toEqual(["layout", "frame", "frame"]);
    store.takeLive(smallFrame(2, smallLayout(1)));
    expect(heard.slice(3)).toEqual(["layout", "frame"]);
    expect(store.at(1)?.layout).toBe(layout);
  });
});

describe("the budget", () => {
  it("holds, with the first and the newest frame always there", () => {
    const { store } = newStore(100 * FRAME);
    store.takeInitial(smallFrame(0, layout));
    for (let step = 1; step <= 5000; step++) {
      store.takeLive(smallFrame(step, layout));
      const steps = store.steps();
      expect(steps.length).toBeLessThanOrEqual(100);
      expect([steps[0], steps[steps.length - 1]]).toEqual([0, step]);
    }
    expect(store.steps().length).toBeGreaterThanOrEqual(50);
  });

  it("is spent evenly over the steps", () => {
    const { store, live } = newStore(100 * FRAME);
    live(...Array.from({ length: 3334 }, (_, n) => 3 * n));
    const between = gaps(store.steps()).slice(0, -1);
    expect(new Set(between).size).toBe(1);
  });

  it("is spent evenly also when frames come in bursts", () => {
    const { store, live } = newStore(100 * FRAME);
    const steps = Array.from({ length: 4000 }, (_, n) => (n < 2000 ? n : 2000 + 10 * (n - 2000)));
    live(...steps);
    const between = gaps(store.steps()).slice(0, -1);
    expect(Math.max(...between)).toBeLessThan(2 * Math.min(...between));
  });

  it("smaller than two frames still keeps the first and the newest", () => {
    const { store, live } = newStore(1);
    live(0, 1, 2, 3);
    expect(store.steps()).toEqual([0, 3]);
  });

  it("tells a scrubbed view nothing false: its frame is the nearest one kept before the cursor", () => {
    const { store, live } = newStore(10 * FRAME);
    live(...Array.from({ length: 5 }, (_, n) => n));
    store.setCursor(3);
    live(...Array.from({ length: 95 }, (_, n) => 5 + n));
    const kept = store.steps().filter((step) => step <= 3);
    expect(store.current()?.step).toBe(kept[kept.length - 1]);
  });
});

describe("history", () => {
  it("fills in between; the frames already here stay", () => {
    const { store, heard, live } = newStore();
    store.takeInitial(smallFrame(0, layout));
    live(30);
    const mine = store.at(30);
    store.takeHistory([20, 0, 30, 10].map((step) => smallFrame(step, layout, 1000 + step)));
    expect(store.steps()).toEqual([0, 10, 20, 30]);
    expect(store.at(30)).toBe(mine);
    expect(store.initial()?.data[0]).toBe(0);
    expect(heard.slice(-1)).toEqual(["history"]);
  });

  it("with nothing new is silent", () => {
    const { store, heard, live } = newStore();
    live(0, 10);
    const before = [...heard];
    store.takeHistory([smallFrame(10, layout)]);
    store.takeHistory([]);
    expect(heard).toEqual(before);
  });

  it("can bring the newest frame, which is then no live arrival", () => {
    const { store, heard } = newStore();
    store.takeHistory([smallFrame(5, layout), smallFrame(0, layout)]);
    expect(store.initial()?.step).toBe(0);
    expect(store.latest()?.step).toBe(5);
    expect(heard).toEqual(["layout", "frame", "history"]);
  });

  it("from before the initial frame is not the binding's", () => {
    const { store, live } = newStore();
    live(10, 20);
    store.takeHistory([5, 15].map((step) => smallFrame(step, layout)));
    expect(store.steps()).toEqual([10, 15, 20]);
  });

  it("over the budget is thinned", () => {
    const { store } = newStore(50 * FRAME);
    store.takeHistory(Array.from({ length: 400 }, (_, step) => smallFrame(step, layout)));
    expect(store.steps().length).toBeLessThanOrEqual(50);
    expect(store.initial()?.step).toBe(0);
    expect(store.latest()?.step).toBe(399);
  });
});

describe("reset", () => {
  it("lets the first frame of the new binding replace everything", () => {
    const { store, heard, live } = newStore();
    live(0, 10, 20);
    store.setCursor(10);
    store.reset();
    expect(store.cursor()).toBe(-1);
    expect(store.latest()?.step).toBe(20); // still drawn, until there is something else
    heard.length = 0;
    store.takeInitial(smallFrame(0, smallLayout(1), 5));
    expect(store.steps()).toEqual([0]);
    expect(store.latest()?.data[0]).toBe(5);
    expect(heard).toEqual(["layout", "frame", "history"]);
  });

  it("starts the thinning anew", () => {
    const { store, live } = newStore(10 * FRAME);
    live(...Array.from({ length: 100 }, (_, n) => n));
    store.reset();
    live(0, 1, 2, 3);
    expect(store.steps()).toEqual([0, 1, 2, 3]);
  });

  it("keeps the selection: the same model bound again shows the same function", () => {
    const { store } = newStore();
    const selection = { layer: "conv1", out: 0, in: 1, row: 0, column: 0 };
    store.select(selection);
    store.reset();
    expect(store.selection()).toEqual(selection);
  });
});

describe("the ghost", () => {
  it("is the initial frame until a step is pinned, and again after", () => {
    const { store, outlet, heard, live } = newStore();
    live(0, 10, 20);
    expect([store.ghostStep(), store.ghost()?.step]).toEqual([-1, 0]);
    heard.length = 0;
    store.setGhostStep(10);
    store.setGhostStep(10);
    expect([store.ghostStep(), store.ghost()?.step]).toEqual([10, 10]);
    store.setGhostStep(-5);
    expect([store.ghostStep(), store.ghost()?.step]).toEqual([-1, 0]);
    expect(heard).toEqual(["ghost", "ghost"]);
    expect(outlet.write.mock.calls).toEqual([
      ["ghost_step", 10],
      ["ghost_step", -1],
    ]);
  });

  it("keeps its frame however the others are thinned", () => {
    const { store, live } = newStore(20 * FRAME);
    live(...Array.from({ length: 8 }, (_, n) => n));
    store.setGhostStep(7);
    live(...Array.from({ length: 500 }, (_, n) => 8 + n));
    expect(store.ghost()?.step).toBe(7);
    expect(store.steps().length).toBeLessThanOrEqual(20);
  });

  it("is the initial frame again for another binding", () => {
    const { store, live } = newStore();
    live(0, 10);
    store.setGhostStep(10);
    store.reset();
    live(0, 5, 10);
    expect([store.ghostStep(), store.ghost()?.step]).toEqual([-1, 0]);
  });
});

describe("what was observed, and edits", () => {
  const seen = { layer: "conv1", entries: 1, bins: 1 } as Observed;
  const selection = { layer: "conv1", out: 0, in: 1, row: 0, column: 0 };

  it("is asked for once, when a view first wants it and it is not there", () => {
    const { store, outlet, heard } = newStore();
    expect(outlet.send).not.toHaveBeenCalled();
    expect(store.observed("conv1")).toBeNull();
    expect(store.observed("conv2")).toBeNull();
    expect(outlet.send.mock.calls).toEqual([[{ kind: "observed?" }]]);
    store.takeObserved(seen);
    expect(store.observed("conv1")).toBe(seen);
    expect(heard).toEqual(["observed"]);
  });

  it("is not asked for where it is", () => {
    const { store, outlet } = newStore();
    store.takeObserved(seen);
    store.observed("conv1");
    expect(outlet.send).not.toHaveBeenCalled();
  });

  it("go to the kernel, and the kernel says what can be undone", () => {
    const { store, outlet, heard } = newStore();
    store.edit(selection, [1, 2], false);
    store.command("zero", selection);
    store.command("undo");
    expect(outlet.send.mock.calls).toEqual([
      [{ kind: "edit", ...selection, coefficients: [1, 2], final: false }],
      [{ kind: "zero", ...selection }],
      [{ kind: "undo" }],
    ]);
    expect(store.edits()).toEqual({ undo: 0, redo: 0, message: "" });
    store.setState("edits", { undo: 2, redo: 1, message: "no" });
    expect(store.edits().undo).toBe(2);
    expect(heard).toEqual(["edits"]);
  });
});

describe("cursor, selection, status", () => {
  it("shows the frame at the cursor, the first one before the first step, and the newest when live", () => {
    const { store, outlet, live } = newStore();
    live(5, 10, 20);
    store.setCursor(12);
    expect(store.current()?.step).toBe(10);
    store.setCursor(1);
    expect(store.current()?.step).toBe(5);
    store.setCursor(-7);
    expect(store.cursor()).toBe(-1);
    expect(store.current()?.step).toBe(20);
    expect(outlet.write.mock.calls).toEqual([
      ["cursor", 12],
      ["cursor", 1],
      ["cursor", -1],
    ]);
  });

  it("passes a selection on once, and tells of it once", () => {
    const { store, outlet, heard } = newStore();
    const selection = { layer: "conv1", out: 0, in: 1, row: 0, column: 0 };
    store.select(selection);
    store.select({ ...selection });
    expect(outlet.write.mock.calls).toEqual([["selection", selection]]);
    expect(heard).toEqual(["selection"]);
    store.select(null);
    expect(outlet.write).toHaveBeenLastCalledWith("selection", {});
    expect(store.selection()).toBeNull();
  });

  it("does not send back what came from the kernel", () => {
    const { store, outlet, heard } = newStore();
    store.takeSelection({ layer: "conv1", out: 0, in: 0, row: 0, column: 0 });
    store.takeStep("cursor", 4);
    expect(heard).toEqual(["selection", "cursor"]);
    expect(outlet.write).not.toHaveBeenCalled();
  });

  it("reports a fault until a good frame or a newer status comes", () => {
    const { store, live } = newStore();
    store.setState("status", { state: "live", message: "" });
    store.fault("bad frame");
    expect(store.status()).toEqual({ state: "fault", message: "bad frame" });
    live(1);
    expect(store.status().state).toBe("live");
    store.fault("bad frame");
    store.setState("status", { state: "closed", message: "" });
    expect(store.status().state).toBe("closed");
  });
});

describe("subscribers", () => {
  it("stop hearing when their signal aborts, also in the middle of a round", () => {
    const { store, live } = newStore();
    const [first, second] = [new AbortController(), new AbortController()];
    const late = vi.fn();
    store.subscribe(() => second.abort(), first.signal);
    store.subscribe(late, second.signal);
    live(0);
    expect(late).not.toHaveBeenCalled();
    const never = vi.fn();
    store.subscribe(never, second.signal);
    live(1);
    expect(never).not.toHaveBeenCalled();
  });

  it("that throw do not keep the others from hearing", () => {
    const { store, live } = newStore();
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const signal = new AbortController().signal;
    store.subscribe(() => {
      throw new Error("broken view");
    }, signal);
    const other = vi.fn();
    store.subscribe(other, signal);
    live(0);
    expect(other).toHaveBeenCalledWith("frame");
    expect(store.latest()?.step).toBe(0);
    expect(log).toHaveBeenCalled();
    log.mockRestore();
  });

  it("may be one function twice, with two signals", () => {
    const { store, live } = newStore();
    const fn = vi.fn();
    const [a, b] = [new AbortController(), new AbortController()];
    store.subscribe(fn, a.signal);
    store.subscribe(fn, b.signal);
    a.abort();
    live(0);
    expect(fn.mock.calls).toEqual([["layout"], ["frame"]]);
  });
});
