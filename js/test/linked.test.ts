// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as grid from "../src/views/kernel_grid/view.ts";
import * as mesh from "../src/views/meshgrid_view/view.ts";
import * as inspector from "../src/views/spline_inspector/view.ts";
import { initialize } from "../src/wire/stream.ts";
import { blankPage, endPage, traitsOf } from "./blank_page.ts";
import { painted } from "./hurry.ts";
import { makeRun, RUNS } from "./made_up_run.ts";
import { FakeModel } from "./page_model.ts";

vi.mock("../src/shell/pace.ts", async () => (await import("./hurry.ts")).hurriedPace());

const VIEWS = { grid, inspector, mesh };
let life: AbortController;

beforeEach(() => {
  life = new AbortController();
  blankPage(900, 300);
});

afterEach(() => endPage(life));

/** Views of one stream, each linked to the others; those not `drawn` have a model and no place on the page. */
function show(drawn: (keyof typeof VIEWS)[]) {
  const run = makeRun(RUNS.article);
  const stream = new FakeModel({
    ...traitsOf(run),
  });
  const store = initialize({ model: stream as never, signal: life.signal });
  const names = Object.keys(VIEWS) as (keyof typeof VIEWS)[];
  const models = Object.fromEntries(
    names.map((name) => [
      name,
      new FakeModel({
        stream: "anywidget:s",
        layer: "conv1",
        theme: "light",
        height: 300,
        linked: names.filter((other) => other !== name).map((other) => `anywidget:${other}`),
      }),
    ]),
  );
  const host = {
    getWidget: async () => ({ exports: store }),
    getModel: async (ref: string) => models[ref.replace("anywidget:", "")],
  };
  const places = Object.fromEntries(
    drawn.map((name) => {
      const el = document.body.appendChild(document.createElement("div"));
      VIEWS[name].render({ model: models[name], el, host, signal: life.signal } as never);
      return [name, el];
    }),
  );
  const choose = async (name: string, layer: string) => {
    const menu = places[name].querySelector<HTMLSelectElement>(".kw-layer-menu select");
    if (!menu) throw new Error("no menu of layers");
    menu.value = layer;
    menu.dispatchEvent(new Event("change", { bubbles: true }));
    await painted();
  };
  const chosen = () => names.map((name) => models[name].get("layer"));
  return { store, models, choose, chosen };
}

describe("views that are linked", () => {
  it("show the layer that is chosen in any of them", async () => {
    const { store, choose, chosen } = show(["grid", "inspector", "mesh"]);
    await painted();
    store.select({ layer: "conv1", out: 1, in: 0, row: 1, column: 1 });
    await painted();
    for (const [name, layer] of [
      ["grid", "conv2"],
      ["inspector", "fc"],
      ["mesh", "conv1"],
    ]) {
      await choose(name, layer);
      expect(chosen(), name).toEqual([layer, layer, layer]);
      expect(store.selection()?.layer, name).toBe(layer);
    }
  });

  it("show it also when they come onto the page later", async () => {
    const { choose, chosen } = show(["grid"]);
    await painted();
    await choose("grid", "conv2");
    expect(chosen()).toEqual(["conv2", "conv2", "conv2"]);
  });

  it("follow a selection to its layer though another grid shows that", async () => {
    const { store, chosen } = show(["grid", "inspector", "mesh"]);
    const other = document.body.appendChild(document.createElement("div"));
    other.className = "kw-kernel-grid";
    Object.assign(other.dataset, { stream: "anywidget:s", layer: "conv2" });
    await painted();
    store.select({ layer: "conv2", out: 1, in: 0, row: 1, column: 1 });
    await painted();
    expect(chosen()).toEqual(["conv2", "conv2", "conv2"]);
    expect(store.selection()?.row).toBe(1);
  });
});
