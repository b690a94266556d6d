// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import * as kernelGrid from "../src/views/kernel_grid/view.ts";
import * as meshgridView from "../src/views/meshgrid_view/view.ts";
import * as splineInspector from "../src/views/spline_inspector/view.ts";
import { initialize } from "../src/wire/stream.ts";
import { makeRun, RUNS } from "./made_up_run.ts";
import { FakeModel } from "./page_model.ts";

const asked = vi.hoisted(() => ({ now: 0, soon: 0 }));

vi.mock("../src/shell/pace.ts", () => ({
  createPace: () => ({
    now: () => {
      asked.now++;
    },
    soon: () => {
      asked.soon++;
    },
    stop: () => {},
  }),
}));

let life: AbortController;

beforeEach(() => {
  life = new AbortController();
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue({} as never);
});

afterEach(() => {
  life.abort();
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

it.each([
  ["KernelGrid", kernelGrid, "scale"],
  ["SplineInspector", splineInspector, "show"],
  ["MeshgridView", meshgridView, "mode"],
] as const)(
  "%s leaves time between frames of the training, and none for a person",
  async (...given) => {
    const [, widget, trait] = given;
    const run = makeRun(RUNS.article);
    const model = new FakeModel({
      layouts: [run.layout],
      initial: { layout: 1, step: 0, data: run.frame(0) },
      frame: {},
      selection: {},
      cursor: -1,
      status: { state: "idle", message: "" },
    });
    const store = initialize({ model: model as never, signal: life.signal });
    const traits = new FakeModel({ stream: "anywidget:s", drawn_from: [trait] });
    const el = document.body.appendChild(document.createElement("div"));
    const host = { getWidget: async () => ({ exports: store }) };
    widget.render({ model: traits, el, host, signal: life.signal } as never);
    await new Promise((done) => setTimeout(done, 50));

    Object.assign(asked, { now: 0, soon: 0 });
    model.receive({ kind: "frame", layout: 1, step: 10, data: run.frame(10) });
    expect(asked).toEqual({ now: 0, soon: 1 });
    traits.set(trait, "another");
    expect(asked).toEqual({ now: 1, soon: 1 });
    store.select({ layer: "conv1", out: 1, in: 0, row: 0, column: 0 });
    expect(asked.now).toBeGreaterThan(1);
  },
);
