// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createSteadyHeight, noteHand } from "../src/shell/in_sight.ts";
import { heightsOf, rowsOf } from "../src/views/dashboard/scene.ts";
import { VIEWS } from "../src/views/registry.ts";
import { initialize } from "../src/wire/stream.ts";
import { blankPage, endPage, traitsOf } from "./blank_page.ts";
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
const PANELS_SHOWN = Object.keys(PANELS).map((name) => {
  return { name, title: name, about: `the ${name}`, wide: false };
});
const LOSS = ["train_loss", "1.0625"] as const;
let life: AbortController;

beforeEach(() => {
  life = new AbortController();
  blankPage(900, 190, 230);
});

afterEach(() => endPage(life));

async function show(traits: Record<string, unknown> = {}) {
  const run = makeRun(RUNS.article);
  const stream = new FakeModel({
    ...traitsOf(run),
    training: { ...said("paused"), loss: LOSS, model: "KANCNN" },
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
    panels_shown: PANELS_SHOWN,
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
  return { el, all, models, store, stream, layered };
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

  it("has one large button while a run waits to begin, and none once it trains", async () => {
    const { all, stream } = await show();
    const large = () => all(".kw-train");
    expect(large()).toHaveLength(0);
    stream.set("training", said("ready"));
    await painted();
    expect(large().map(({ textContent }) => textContent)).toEqual(["▶ Train"]);
    expect(large()[0].closest<HTMLElement>(".kw-panel")?.dataset.panel).toBe("training");
    large()[0].click();
    expect(stream.sent.at(-1)).toMatchObject({ kind: "resume" });
    stream.set("training", said("running"));
    await painted();
    expect(large()).toHaveLength(0);
  });

  it("goes beside the notebook in JupyterLab by one button, and says what is missing", async () => {
    const beside = (shown: Awaited<ReturnType<typeof show>>) =>
      shown.all("button").filter(({ textContent }) => textContent === "beside");
    expect(beside(await show())).toHaveLength(0);
    document.body.append(
      Object.assign(document.createElement("div"), { id: "jp-main-dock-panel" }),
    );
    const lab = await show();
    const [button, ...more] = beside(lab);
    expect(more).toEqual([]); // the panels have none of their own
    button.click();
    expect(lab.models.dashboard.sent).toEqual([{ kind: "dock" }]);
    lab.models.dashboard.receive("run `pip install sidecar`");
    await painted();
    const [line] = lab.all(".kw-readout");
    expect([line.textContent, "warns" in line.dataset]).toEqual([
      "run `pip install sidecar`",
      true,
    ]);
  });

  it("says model, latest loss and how the training stands", async () => {
    const { all, stream } = await show();
    const remarks = () =>
      all(".kw-dashboard > .kw-caption .kw-remark").map((part) => part.textContent);
    expect(remarks()).toEqual(["KANCNN", "train_loss 1.06"]);
    expect(all(".kw-status-text")[0].textContent).toBe("paused · step 0");
    expect(all(".kw-dashboard > .kw-caption .kw-remark")[1].title).toContain("1.0625");
    stream.set("training", {
      ...said("paused"),
      loss: ["train_loss", "-inf", 7],
      model: "KANCNN",
    });
    await painted();
    // The step is that of the loss, not the one that is shown.
    expect(remarks()).toEqual(["KANCNN", "train_loss −∞ at step 7"]);
    stream.set("status", { state: "saved", message: "" });
    await painted();
    expect(remarks()).toEqual(["KANCNN", "train_loss −∞ at step 7"]);
  });

  it("says back in time the loss of the step that is shown, as its curve has it, where that is not seen", async () => {
    const { all, models, store } = await show();
    const remark = () => all(".kw-dashboard > .kw-caption .kw-remark")[1]?.textContent;
    const bytes = (...all: number[]) => new DataView(Float64Array.from(all).buffer);
    const curve = { panel: "loss", name: "train_loss", kind: "train", sums: null };
    const steps = store.steps();
    const [x, y] = [bytes(...steps), bytes(...steps.map((step) => 10 + step))];
    models.training.set("curves", [{ ...curve, x, y }]);
    store.setCursor(steps[0]);
    await painted();
    expect(remark()).toBeUndefined();
    all('[data-panel="training"]')[0].toggleAttribute("data-kw-crowded", true);
    store.setCursor(-1);
    store.setCursor(steps[0]);
    await painted();
    expect(remark()).toBe(`train_loss ${10 + steps[0]}`);
  });

  it("says state and step once, and which function its panel shows", async () => {
    const { all, store } = await show();
    const said = (panel: string) =>
      all(`[data-panel="${panel}"] .kw-remark`).map(({ textContent }) => textContent);
    expect(said("training").join()).not.toMatch(/step|idle|paused/);
    const first = "kernel 0 · row 1, column 2";
    expect(said("function")[0]).toBe(first);
    store.select({ layer: "conv1", out: 1, in: 0, row: 1, column: 1 });
    await painted();
    expect(said("function")[0]).toBe("kernel 1 · row 1, column 1");
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
    expect(before).not.toBe("");
    all('[data-panel="function"]')[0].dispatchEvent(new Event("pointerenter"));
    await painted();
    expect(line.textContent).not.toBe(before);
    expect(line.textContent).not.toBe("");
  });

  it.each(["network", "functions"])("selects nothing by itself on the page %s", async (page) => {
    const [first, ...others] = PANELS_SHOWN;
    const { store } = await show({
      page,
      panels_shown: [{ ...first, page: "network" }, ...others],
    });
    expect(store.selection()).toBeNull();
  });

  it("has the heights of its panels at hand, and shows all of them with all controls", async () => {
    const { all } = await show();
    const [drawing] = all('[data-panel="function"] .kw-viewport');
    const height = () => Number.parseFloat(drawing.style.height);
    expect(height()).toBe(340); // beside it the response is lower
    all(".kw-menu-inside button")[0].click();
    await painted();
    expect(height()).toBeGreaterThanOrEqual(300); // what the view itself asks for
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

  it("has its rarely used controls in one menu, and those that hold the training in sight", async () => {
    const { all } = await show();
    const words = (where: string) => all(`${where} button`).map((one) => one.textContent);
    expect(words(".kw-menu-inside")).toEqual(["all controls", "full screen", "PNG", "SVG"]);
    const outside = all(".kw-tools > button").map((one) => one.getAttribute("aria-label"));
    expect(outside.slice(0, 2)).toEqual(["Resume", "One step"]);
  });

  it("asks for what is clicked, and says so where that is not heard", async () => {
    const { all, stream } = await show();
    const [resume, step] = all(".kw-tools > button") as HTMLButtonElement[];
    vi.useFakeTimers();
    step.click();
    resume.click();
    const asked = stream.sent.slice(-2);
    expect(asked).toMatchObject([{ kind: "step", steps: 1 }, { kind: "resume" }]);
    vi.advanceTimersByTime(3000);
    vi.useRealTimers();
    await painted();
    expect(all(".kw-readout")[0].textContent).toContain("Python does not answer");
    stream.set("training", said("running"));
    const { id } = stream.sent.at(-1) as { id: string };
    stream.receive({ kind: "heard", id, refused: "" });
    await painted();
    expect(all(".kw-readout")[0].textContent).not.toContain("Python does not answer");
    expect(resume.getAttribute("aria-label")).toBe("Pause");
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
  it("stand in pairs, and across both where they are wide or have no neighbour", () => {
    expect(rowsOf([false, false, false, false])).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(rowsOf([true, false, false, false])).toEqual([[0], [1, 2], [3]]);
    expect(rowsOf([false, true, false, false])).toEqual([[0], [1], [2, 3]]);
  });

  const network = { around: 80, most: 520, least: 290 };
  const training = { around: 40, most: 190, least: 90 };

  it("end at one height, that of the tallest in a row", () => {
    expect(heightsOf([[training, network]], 1000)).toEqual([600]);
    expect(heightsOf([[training], [network]], 1000)).toEqual([230, 600]);
  });

  it("shrink until all are seen at once, by one share of what each can do without", () => {
    expect(heightsOf([[network], [training]], 830)).toEqual([600, 230]);
    // 330 pixels could be done without: half of them.
    expect(heightsOf([[network], [training]], 665)).toEqual([485, 180]);
    expect(heightsOf([[network], [training]], 100)).toEqual([370, 130]);
  });

  it("fill the whole screen", () => {
    expect(heightsOf([[network], [training]], 930, true)).toEqual([650, 280]);
  });

  it("do not go to and fro between two heights", () => {
    const steady = createSteadyHeight();
    expect([254, 227, 254, 227, 227, 254].map(steady)).toEqual([254, 227, 254, 254, 254, 254]);
    expect([200, 254, 200].map(steady)).toEqual([200, 254, 254]);
  });

  it("are what they would be at first after a reader has done something", () => {
    const steady = createSteadyHeight();
    const heights = [200, 254, 200].map((height) => {
      noteHand();
      return steady(height);
    });
    expect(heights).toEqual([200, 254, 200]);
  });
});
