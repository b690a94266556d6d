// @vitest-environment happy-dom
/** How much work a frame is, counted: drawings, strokes, and what has the page laid out or styled anew. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { putStyle } from "../src/shell/element.ts";
import { VIEWS } from "../src/views/registry.ts";
import { initialize } from "../src/wire/stream.ts";
import { painted } from "./hurry.ts";
import { makeRun, RUNS } from "./made_up_run.ts";
import { FakeModel } from "./page_model.ts";
import { said } from "./said.ts";

vi.mock("../src/shell/pace.ts", async () => (await import("./hurry.ts")).hurriedPace());

const STEPS = [10, 20, 30, 40, 50];
const LATER = STEPS.map((step) => step + 45);
let life: AbortController;
let calls: Record<string, number>;

beforeEach(() => {
  life = new AbortController();
  calls = {};
  const count = (name: string) => {
    calls[name] = (calls[name] ?? 0) + 1;
  };
  const canvas = document.createElement("canvas");
  const context = new Proxy({ canvas } as Record<string, unknown>, {
    get: (target, name: string) => (name in target ? target[name] : () => count(name)),
    set: (target, name: string, value) => {
      target[name] = value;
      return true;
    },
  });
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockImplementation(() => context as never);
  for (const name of ["clientWidth", "offsetWidth"] as const) {
    vi.spyOn(HTMLElement.prototype, name, "get").mockReturnValue(700);
  }
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(300);
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockImplementation(() => {
    count("offsetHeight");
    return 20;
  });
  const styled = getComputedStyle.bind(globalThis);
  vi.spyOn(globalThis, "getComputedStyle").mockImplementation((...given) => {
    count("getComputedStyle");
    return styled(...given);
  });
});

afterEach(() => {
  life.abort();
  vi.restoreAllMocks();
  document.body.replaceChildren();
  delete document.body.dataset.jpThemeLight;
});

async function show(kind: string, traits: Record<string, unknown>) {
  document.body.dataset.jpThemeLight = "true";
  const run = makeRun(RUNS.article);
  const stream = new FakeModel({
    layouts: [run.layout],
    initial: { layout: 1, step: 0, data: run.frame(0) },
    frame: {},
    selection: {},
    cursor: -1,
    status: { state: "live", message: "" },
    training: said("running"),
  });
  const store = initialize({ model: stream as never, signal: life.signal });
  const model = new FakeModel({ stream: "anywidget:s", theme: "auto", height: 300, ...traits });
  const el = document.body.appendChild(document.createElement("div"));
  const host = { getWidget: async () => ({ exports: store }) };
  VIEWS[kind].render({ model, el, host, signal: life.signal } as never);
  await painted();
  const train = async (steps: readonly number[]) => {
    for (const step of steps) {
      stream.receive({ kind: "frame", layout: 1, step, data: run.frame(step) });
      await painted(20);
    }
  };
  return { model, train };
}

it("a grid is drawn once a frame, and has the page neither laid out nor styled", async () => {
  const { train } = await show("kernel_grid", { layer: "conv1", mode: "curves", scale: "layer" });
  await train(STEPS); // the ground is copied, words have taken their room
  calls = {};
  await train(LATER);
  expect(calls.clearRect).toBe(STEPS.length);
  // 45 curves, which are wide; all else seldom changes, and is copied.
  expect(calls.stroke).toBe(45 * STEPS.length);
  expect(calls.drawImage).toBe(STEPS.length);
  expect(calls.fillText ?? 0).toBe(0);
  expect(calls.offsetHeight ?? 0).toBe(0);
  expect(calls.getComputedStyle ?? 0).toBe(0);
});

it("news of a training are drawn once, and have the page neither laid out nor styled", async () => {
  const { model } = await show("training_panel", { status: {}, curves: [], marks: [] });
  const tell = async (steps: readonly number[]) => {
    for (const step of steps) {
      model.set("status", { step });
      await painted(20);
    }
  };
  await tell(STEPS);
  calls = {};
  await tell(LATER);
  expect(calls.clearRect).toBe(LATER.length);
  expect(calls.offsetHeight ?? 0).toBe(0);
  expect(calls.getComputedStyle ?? 0).toBe(0);
});

it("sets a style once, though browsers hand back another number", () => {
  const element = document.createElement("canvas");
  const set = vi.spyOn(element.style, "setProperty");
  vi.spyOn(element.style, "getPropertyValue").mockReturnValue("333.333px");
  for (const width of ["333.3333333px", "333.3333333px", "100px"]) putStyle(element, { width });
  expect(set.mock.calls.map(([, value]) => value)).toEqual(["333.3333333px", "100px"]);
});
