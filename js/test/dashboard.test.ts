// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createSteady } from "../src/shell/room.ts";
import { fitted, heightsOf, rowsOf } from "../src/views/dashboard/arrange.ts";
import { VIEWS } from "../src/views/registry.ts";
import { initialize } from "../src/wire/stream.ts";
import { painted } from "./hurry.ts";
import { makeRun, RUNS } from "./made_up_run.ts";
import { FakeModel } from "./page_model.ts";
import { said } from "./said.ts";

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
  // A drawing, and a panel with all that is around it.
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(190);
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(230);
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
    training: said("paused"),
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
      const fills = { training: 130, function: 190 }[name as string] ?? 0;
      const words = { title: name, about: `the ${name}` };
      return { name, ...words, fills, wide: false, folds: name === "training" };
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
    expect(said()).toEqual(["KANCNN", "latest train_loss 1.06"]);
    expect(all(".kw-status-text")[0].textContent).toBe("paused · step 0");
    expect(all(".kw-dashboard > .kw-caption .kw-remark")[1].title).toContain("1.0625");
    models.dashboard.set("headline", { ...HEADLINE, value: "-inf" });
    await painted();
    expect(said()).toEqual(["KANCNN", "latest train_loss −∞"]);
  });

  it("says state and step once, and which function its panel shows", async () => {
    const { all, store } = await show();
    const said = (panel: string) =>
      all(`[data-panel="${panel}"] .kw-remark`).map(({ textContent }) => textContent);
    expect(said("training").join()).not.toMatch(/step|idle|paused/);
    expect(said("function")[0]).toBe("conv1 · kernel 0 · row 1, column 2");
    store.select({ layer: "conv1", out: 1, in: 0, row: 1, column: 1 });
    await painted();
    expect(said("function")[0]).toBe("conv1 · kernel 1 · row 1, column 1");
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
    expect(before).toMatch(/^kernel 0 · row 1, column 2/);
    all('[data-panel="function"]')[0].dispatchEvent(new Event("pointerenter"));
    await painted();
    expect(line.textContent).not.toBe(before);
    expect(line.textContent).not.toBe("");
  });

  it("marks the function that it shows in all panels, from the beginning", async () => {
    const { store, models } = await show();
    // The largest of the layer.
    const first = { layer: "conv1", out: 0, in: 0, row: 1, column: 2 };
    expect(store.selection()).toEqual(first);
    expect(models.kernels.get("layer")).toBe("conv1");
    store.select(null);
    await painted();
    expect(store.selection()).toEqual(first);
  });

  it("has the heights of its panels at hand, and shows all of them with the options", async () => {
    const { all } = await show();
    const words = () => all('[data-panel="function"] .kw-remark').map((one) => one.textContent);
    // What the lines are stands over the plot where there is no legend.
    expect(words()).toContain("splines");
    all(".kw-dashboard > .kw-header button")[0].click();
    await painted();
    expect(words()).not.toContain("splines");
  });

  it("says once what is so for the whole layer", async () => {
    const { all, store } = await show();
    store.select({ layer: "conv2", out: 1, in: 0, row: 1, column: 1 });
    await painted();
    const note = "the same kernels on every input channel";
    const remarks = all(".kw-remark");
    expect(remarks.filter(({ textContent }) => textContent?.includes(note))).toEqual([]);
    const [said] = remarks.filter(({ title }) => title.includes(note));
    expect(said.closest("section")?.dataset.panel).toBe("kernels");
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
  const rows = (...wide: boolean[]) => rowsOf(wide.map((one) => ({ wide: one })));

  it("stand in pairs, and across both where they are wide or have no neighbour", () => {
    expect(rows(false, false, false, false)).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(rows(true, false, false, false)).toEqual([[0], [1, 2], [3]]);
    expect(rows(false, true, false, false)).toEqual([[0], [1], [2, 3]]);
  });

  const panel = (height: number, drawn: number, fills = 0) => {
    return { wide: false, height, drawn, fills, own: 0, least: 0 };
  };

  it("end at one height where one of them can be of any", () => {
    // 70 and 100 pixels around the drawings: 330 − 100 are left for the second.
    expect(heightsOf([panel(330, 260), panel(200, 100, 150)], [[0, 1]], 240)).toEqual([240, 230]);
    const again = heightsOf([panel(330, 260), panel(330, 230, 150)], [[0, 1]], 240);
    expect(again).toEqual([240, 230]);
  });

  it("do not become too low to be read, nor fill what is not drawn yet", () => {
    expect(heightsOf([panel(120, 50), panel(200, 100, 150)], [[0, 1]], 240)[1]).toBe(150);
    expect(heightsOf([panel(40, 0), panel(200, 100, 150)], [[0, 1]], 240)[1]).toBe(150);
  });

  it("share the room where both can be of any height, and are low where they are alone", () => {
    expect(heightsOf([panel(9, 9, 130), panel(9, 9, 190)], [[0, 1]], 240)).toEqual([240, 240]);
    expect(heightsOf([panel(9, 9, 130), panel(9, 9)], [[0], [1]], 240)).toEqual([194, 240]);
  });

  it("shrink until all are seen at once: what has a height of its own after the others, none below its least", () => {
    const own = { ...panel(600, 520), wide: true, own: 520, least: 290 };
    const low = { ...panel(230, 190), least: 136 };
    const shrunk = (free: number) =>
      fitted([520, 190], [own, low], [80, 40], [[0], [1]], free, false);
    expect(shrunk(900)).toEqual([520, 190]);
    expect(shrunk(800)).toEqual([520, 160]); // 80 + 520 + 40 + 160
    expect(shrunk(700)).toEqual([444, 136]);
    expect(shrunk(100)).toEqual([290, 136]);
  });

  it("fill the whole screen: what has a height of its own takes what is left", () => {
    const own = { ...panel(600, 520), wide: true, own: 520, least: 290 };
    const low = { ...panel(230, 190), least: 136 };
    expect(fitted([520, 190], [own, low], [80, 40], [[0], [1]], 1000, true)).toEqual([690, 190]);
  });

  it("do not go to and fro between two heights", () => {
    const steady = createSteady();
    expect([254, 227, 254, 227, 227, 254].map(steady)).toEqual([254, 227, 254, 254, 254, 254]);
    expect([200, 254, 200].map(steady)).toEqual([200, 254, 254]);
  });
});
