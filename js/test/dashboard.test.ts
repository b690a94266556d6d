// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { arranged } from "../src/views/dashboard/arrange.ts";
import { VIEWS } from "../src/views/registry.ts";
import { initialize } from "../src/wire/stream.ts";
import { painted } from "./hurry.ts";
import { makeRun, RUNS } from "./made_up_run.ts";
import { FakeModel } from "./page_model.ts";

vi.mock("../src/shell/pace.ts", async () => (await import("./hurry.ts")).hurriedPace());

const PANELS = {
  training: "training_panel",
  kernels: "kernel_grid",
  function: "spline_inspector",
  response: "meshgrid_view",
};
const HEADLINE = { model: "KANCNN", loss: "train_loss", value: "1.0625" };
let life: AbortController;

beforeEach(() => {
  life = new AbortController();
  const canvas = document.createElement("canvas");
  const blank = new Proxy({ canvas } as Record<string, unknown>, {
    get: (target, name: string) => {
      if (name === "createImageData") {
        return (w: number, h: number) => ({ data: new Uint8ClampedArray(4 * w * h) });
      }
      return name in target ? target[name] : () => {};
    },
    set: (target, name: string, value) => {
      target[name] = value;
      return true;
    },
  });
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockImplementation(() => blank as never);
  for (const name of ["clientWidth", "offsetWidth"] as const) {
    vi.spyOn(HTMLElement.prototype, name, "get").mockReturnValue(900);
  }
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(300);
});

afterEach(() => {
  life.abort();
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

async function show(traits: Record<string, unknown> = {}) {
  const run = makeRun(RUNS.article);
  const stream = new FakeModel({
    layouts: [run.layout],
    initial: { layout: 1, step: 0, data: run.frame(0) },
    frame: {},
    selection: {},
    cursor: -1,
    ghost_step: -1,
    edits: {},
    status: { state: "idle", message: "" },
    training: "paused",
    left_out: ["norm (BatchNorm1d): no adapter knows BatchNorm1d"],
  });
  const store = initialize({ model: stream as never, signal: life.signal });
  const names = Object.keys(PANELS) as (keyof typeof PANELS)[];
  const layered = ["dashboard", ...names.slice(1)];
  const modelOf = (name: string, more: Record<string, unknown>) =>
    new FakeModel({
      stream: "anywidget:s",
      theme: "light",
      height: 300,
      ...(layered.includes(name) ? { layer: "conv1" } : {}),
      linked: layered.includes(name)
        ? layered.filter((other) => other !== name).map((other) => `anywidget:${other}`)
        : [],
      ...more,
    });
  const models: Record<string, FakeModel> = Object.fromEntries(
    names.map((name) => [name, modelOf(name, { kind: PANELS[name] })]),
  );
  models.dashboard = modelOf("dashboard", {
    kind: "dashboard",
    parts: names.map((name) => `anywidget:${name}`),
    panels_shown: names.map((name) => {
      return { name, title: `the ${name}`, wide: false, folds: name === "training" };
    }),
    headline: HEADLINE,
    folded: false,
    ...traits,
  });
  const render = vi.fn((kind: string, props: never) => VIEWS[kind].render(props));
  const host = {
    getWidget: async () => ({ exports: Object.assign(store, { render }) }),
    getModel: async (ref: string) => {
      const found = models[ref.replace("anywidget:", "")];
      if (!found) throw new Error(`no ${ref}`);
      return found;
    },
  };
  const el = document.body.appendChild(document.createElement("div"));
  VIEWS.dashboard.render({ model: models.dashboard, el, host, signal: life.signal } as never);
  await painted();
  const all = (selector: string) => Array.from(el.querySelectorAll<HTMLElement>(selector));
  return { el, all, models, store, layered };
}

describe("a dashboard", () => {
  it("has one timeline, one status, one line that is read and one place to save for all", async () => {
    const { all } = await show();
    expect(all(".kw-view").map(({ className }) => className.split(" ")[1])).toEqual([
      "kw-dashboard",
      "kw-training-panel",
      "kw-kernel-grid",
      "kw-spline-inspector",
      "kw-meshgrid-view",
    ]);
    for (const part of [".kw-scrubber", ".kw-status", ".kw-readout", ".kw-save"]) {
      expect(all(part), part).toHaveLength(1);
      expect(all(part)[0].closest("[data-kw-within]"), part).toBeNull();
    }
    expect(all("[data-kw-within]")).toHaveLength(4);
    expect(all(".kw-left-out").map(({ textContent, title }) => [textContent, title])).toEqual([
      [" · 1 layer is not shown", "norm (BatchNorm1d): no adapter knows BatchNorm1d"],
    ]);
  });

  it("says model, latest loss and how the training stands", async () => {
    const { all, models } = await show();
    const said = () =>
      all(".kw-dashboard > .kw-caption .kw-remark").map((part) => part.textContent);
    expect(said()).toEqual(["KANCNN", "train_loss 1.06"]);
    expect(all(".kw-status-text")[0].textContent).toBe("step 0 · paused");
    expect(all(".kw-dashboard > .kw-caption .kw-remark")[1].title).toContain("1.0625");
    models.dashboard.set("headline", { ...HEADLINE, value: "-inf" });
    await painted();
    expect(said()).toEqual(["KANCNN", "train_loss −∞"]);
  });

  it("says state and step once, and which function its panel shows", async () => {
    const { all, store } = await show();
    const said = (panel: string) =>
      all(`[data-panel="${panel}"] .kw-remark`).map(({ textContent }) => textContent);
    expect(said("training").join()).not.toMatch(/step|idle|paused/);
    expect(said("function")[0]).toBe("conv1 · output 0 · input 0 · row 0 · column 0");
    store.select({ layer: "conv1", out: 1, in: 0, row: 1, column: 1 });
    await painted();
    expect(said("function")[0]).toBe("conv1 · output 1 · input 0 · row 1 · column 1");
  });

  it("shows a layer in all panels that is chosen at the top", async () => {
    const { all, models, layered, store } = await show();
    store.select({ layer: "conv1", out: 1, in: 0, row: 1, column: 1 });
    const tab = all(".kw-dashboard > .kw-header .kw-tabs input")[1] as HTMLInputElement;
    expect(tab.value).toBe("conv2");
    tab.checked = true;
    tab.dispatchEvent(new Event("change", { bubbles: true }));
    await painted();
    expect(layered.map((name) => models[name].get("layer"))).toEqual(Array(4).fill("conv2"));
    expect(all(".kw-kernel-grid, .kw-meshgrid-view").map(({ dataset }) => dataset.layer)).toEqual([
      "conv2",
      "conv2",
    ]);
    expect(store.selection()?.layer).toBe("conv2");
  });

  it("shows the layer of what is selected in a panel at the top", async () => {
    const { all, store } = await show();
    store.select({ layer: "conv2", out: 1, in: 0, row: 1, column: 1 });
    await painted();
    const tabs = all(".kw-dashboard > .kw-header .kw-tabs input") as HTMLInputElement[];
    expect(tabs.find(({ checked }) => checked)?.value).toBe("conv2");
  });

  it("reads what the panel under the pointer says", async () => {
    const { all } = await show();
    const [line] = all(".kw-readout");
    const before = line.textContent;
    expect(before).toContain("Click a function");
    all('[data-panel="function"]')[0].dispatchEvent(new Event("pointerenter"));
    await painted();
    expect(line.textContent).not.toBe(before);
    expect(line.textContent).not.toBe("");
  });

  it("folds the training away, and shows it again", async () => {
    const { all, models } = await show();
    const [folder] = all(".kw-folder");
    const inside = folder.closest("section")?.querySelector(".kw-panel-inside") as HTMLElement;
    expect([inside.hidden, folder.getAttribute("aria-expanded")]).toEqual([false, "true"]);
    folder.click();
    await painted();
    expect([inside.hidden, folder.getAttribute("aria-expanded")]).toEqual([true, "false"]);
    expect(models.dashboard.get("folded")).toBe(true);
    folder.click();
    await painted();
    expect(inside.hidden).toBe(false);
  });

  it("saves the pictures of its panels below each other", async () => {
    const { all } = await show();
    const [save] = all(".kw-save") as unknown as { kwSave: { svg(): string } }[];
    const svg = save.kwSave.svg();
    expect(svg).toContain("Dashboard · KANCNN");
    const titles = ["Training", "KernelGrid · conv1", "MeshgridView · conv1"];
    const found = titles.map((title) => svg.indexOf(`>${title}`));
    expect(found.every((at) => at > 0)).toBe(true);
    expect([...found].sort((a, b) => a - b)).toEqual(found);
  });

  it("says which panel cannot be read", async () => {
    const { all } = await show({ parts: ["anywidget:gone", "anywidget:kernels"] });
    expect(all('[data-panel="training"] .kw-message')[0].textContent).toBe(
      "This panel cannot be read: no anywidget:gone",
    );
    expect(all(".kw-kernel-grid")).toHaveLength(1);
  });
});

describe("the panels in two columns", () => {
  const of = (...heights: number[]) => heights.map((height) => ({ height, wide: false }));
  const columns = (panels: { height: number; wide: boolean }[]) =>
    arranged(panels, new Map()).map(({ column }) => column);

  it("end as nearly at one height as their order allows", () => {
    expect(columns(of(300, 300, 500, 100))).toEqual(["1", "1", "2", "2"]);
    expect(columns(of(600, 200, 200, 200))).toEqual(["1", "2", "2", "2"]);
  });

  it("leave no column blank beside one tall panel", () => {
    expect(columns(of(140, 220, 470, 220))).toEqual(["1", "1", "2", "1"]);
  });

  it("leave no gap, and do not overlap", () => {
    const places = arranged([...of(301, 299, 500), { height: 90, wide: true }], new Map());
    for (const column of ["1", "2"]) {
      let next = 1;
      for (const place of places.filter((one) => one.column === column)) {
        expect(place.row).toBe(next);
        next += place.span;
      }
    }
    const ends = places.slice(0, 3).map(({ row, span }) => row + span);
    expect(places[3]).toMatchObject({ column: "1 / -1", row: Math.max(...ends) });
  });

  it("stand across both where they are alone or wide", () => {
    expect(columns(of(300))).toEqual(["1 / -1"]);
    const wide = { height: 300, wide: true };
    expect(columns([...of(1), wide, ...of(1, 1)])).toEqual(["1 / -1", "1 / -1", "1", "2"]);
  });

  it("do not change sides for little", () => {
    const before = new Map<number, number>();
    const sides = (...heights: number[]) =>
      arranged(of(...heights), before).map(({ column }) => column);
    expect(sides(300, 300, 500)).toEqual(["1", "1", "2"]);
    expect(sides(300, 500, 480)).toEqual(["1", "1", "2"]);
    expect(sides(300, 900, 300)).toEqual(["1", "2", "1"]);
    expect(sides(900, 300, 300)).toEqual(["1", "2", "2"]);
  });
});
