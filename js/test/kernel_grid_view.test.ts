// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createSteadyHeight } from "../src/shell/in_sight.ts";
import { type GridElement, render } from "../src/views/kernel_grid/view.ts";
import { UNKNOWN } from "../src/wire/standing.ts";
import type { FrameStore } from "../src/wire/store.ts";
import { initialize } from "../src/wire/stream.ts";
import type { Store } from "../src/wire/types.ts";
import { blankPage, endPage } from "./blank_page.ts";
import { painted } from "./hurry.ts";
import { makeRun, RUNS } from "./made_up_run.ts";
import { FakeModel } from "./page_model.ts";
import { bspline, frameOf, layer } from "./samples.ts";

const TRAITS = {
  stream: "anywidget:s",
  layer: "",
  mode: "curves",
  binarise: false,
  scale: "layer",
  ghost: true,
  sort: "position",
  shade: "",
  height: 480,
  scores: {},
  theme: "light",
};

vi.mock("../src/shell/pace.ts", async () => (await import("./hurry.ts")).hurriedPace());

let life: AbortController;
let calls: Record<string, number>;

beforeEach(() => {
  life = new AbortController();
  calls = blankPage(700, 300).calls;
});

afterEach(() => endPage(life));

function makeStream(name = "article", traits: Record<string, unknown> = {}) {
  const run = makeRun(RUNS[name]);
  const model = new FakeModel({
    layouts: [run.layout],
    initial: { layout: 1, step: 0, data: run.frame(0) },
    frame: {},
    selection: {},
    cursor: -1,
    status: { state: "idle", message: "" },
    ...traits,
  });
  const store = initialize({ model: model as never, signal: life.signal });
  return { run, model, store };
}

function show(
  getWidget: () => Promise<unknown>,
  traits: Record<string, unknown> = {},
  signal = life.signal,
) {
  const model = new FakeModel({ ...TRAITS, ...traits });
  const el = document.body.appendChild(document.createElement("div"));
  render({ model, el, host: { getWidget }, signal } as never);
  const root = el.querySelector(".kw-kernel-grid") as GridElement;
  const one = <T extends HTMLElement>(selector: string) => root.querySelector<T>(selector) as T;
  return { model, el, root, one };
}

const showing = (store: Store, traits: Record<string, unknown> = {}, signal = life.signal) =>
  show(async () => ({ exports: store }), traits, signal);

function change(input: HTMLInputElement | HTMLSelectElement) {
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

describe("the controls", () => {
  it("each have a title and a label", async () => {
    const { root } = showing(makeStream("deep").store);
    await painted();
    const controls = root.querySelectorAll("input, select, button");
    expect(controls.length).toBeGreaterThan(8);
    for (const control of controls) {
      expect(control.getAttribute("title"), control.outerHTML).toBeTruthy();
      const name = control.getAttribute("aria-label") ?? control.textContent ?? "";
      expect(name, control.outerHTML).toMatch(/\w/);
    }
  });

  it("are tabs for a few layers and a menu with sizes for many", async () => {
    const few = showing(makeStream("article").store);
    const many = showing(makeStream("deep").store);
    await painted();
    expect(few.one(".kw-tabs").hidden).toBe(false);
    expect(few.one(".kw-layer-menu").hidden).toBe(true);
    expect(many.one(".kw-tabs").hidden).toBe(true);
    const options = Array.from(many.root.querySelectorAll(".kw-layer-menu option"));
    expect(options[1].textContent).toBe("block1.conv — 16 kernels of 3 × 3 functions");
  });

  it("name layers in whole words where sizes would not fit beside them", async () => {
    vi.restoreAllMocks();
    blankPage(300, 300);
    const { root } = showing(makeStream("deep").store);
    await painted();
    const options = Array.from(root.querySelectorAll(".kw-layer-menu option"));
    expect(options[1].textContent).toBe("block1.conv");
  });

  it("write the trait that they name", async () => {
    const { model, one } = showing(makeStream().store);
    await painted();
    const save = vi.spyOn(model, "save_changes");
    const pick = (selector: string, trait: string) => {
      const input = one<HTMLInputElement>(selector);
      input.checked = !input.checked;
      change(input);
      return model.get(trait);
    };
    expect(pick('.kw-tabs input[value="conv2"]', "layer")).toBe("conv2");
    expect(pick('input[aria-label="show start"]', "ghost")).toBe(false);
    expect(pick('input[value="pattern"]', "mode")).toBe("pattern");
    expect(pick('input[aria-label="binarise"]', "binarise")).toBe(true);
    const select = one<HTMLSelectElement>('select[aria-label="scale"]');
    select.value = "function";
    change(select);
    expect(model.get("scale")).toBe("function");
    const sort = one<HTMLSelectElement>('select[aria-label="sort"]');
    sort.value = "range";
    change(sort);
    expect(model.get("sort")).toBe("range");
    expect(save).toHaveBeenCalledTimes(6);
  });

  it("offer the scores that there are, to sort and to shade by", async () => {
    const { model, one, root } = showing(makeStream().store);
    await painted();
    const words = (label: string) =>
      Array.from(one(`select[aria-label="${label}"]`).querySelectorAll("option"), (o) => o.value);
    const box = () => one('select[aria-label="shade"]').parentElement as HTMLElement;
    expect(box().hidden).toBe(true);
    const score = (first: number) => ({
      signed: false,
      units: "of y",
      layers: {
        conv1: new DataView(Float32Array.from({ length: 45 }, (_, f) => f * first).buffer),
      },
    });
    model.set("scores", { spread: score(1), drop: score(-1) });
    await painted();
    expect(box().hidden).toBe(false);
    expect(words("sort")).toEqual(["position", "range", "change", "spread", "drop"]);
    expect(words("shade")).toEqual(["", "spread", "drop"]);
    for (const label of ["sort", "shade"]) {
      const select = one<HTMLSelectElement>(`select[aria-label="${label}"]`);
      select.value = "spread";
      change(select);
      expect(model.get(label)).toBe("spread");
    }
    await painted();
    // The kernel with the largest number stands first.
    const first = () => {
      const { x, y } = root.kwView.at("36") as { x: number; y: number };
      const other = root.kwView.at("0") as { x: number; y: number };
      return y < other.y || (y === other.y && x < other.x);
    };
    expect(first()).toBe(true);
    expect(one(".kw-facts").textContent).toContain("spread 0 … 44 of y");
    expect(one(".kw-facts .kw-swatch-ramp").style.backgroundImage).toContain("linear-gradient");
    expect(one(".kw-facts").textContent).toContain("sorted by spread, the largest first");
    // Other numbers under the same name are shown at once.
    model.set("scores", { spread: score(-0.5) });
    await painted();
    expect(first()).toBe(false);
    expect(one(".kw-facts").textContent).toContain("spread 0 … 22 of y");
    model.set("layer", "conv2");
    await painted();
    expect(one(".kw-facts").textContent).toContain("no spread of this layer");
    expect(one(".kw-facts .kw-swatch-ramp")).toBe(null);
    model.set("mode", "pattern");
    await painted();
    // Nothing is tinted there, but kernels are sorted.
    const said = one(".kw-facts").textContent ?? "";
    expect(said.match(/spread[^·]*?(?= of)/g)).toEqual(["spread"]);
    expect(said).toContain("no spread of this layer to sort by");
    expect(box().hidden).toBe(true);
  });

  it("sort once for a choice, and anew for another", async () => {
    const { run, model: stream, store } = makeStream();
    const { model, root } = showing(store, { sort: "change" });
    await painted();
    const order = () => root.kwView.scene()?.picture.arrangement?.order;
    const first = order();
    expect(first).toEqual([0, 1, 2, 3, 4]);
    stream.set("frame", { layout: 1, step: 9, data: run.frame(9) });
    await painted();
    expect(root.kwView.step()).toBe(9);
    expect(order()).toBe(first);
    model.set("sort", "position");
    await painted();
    expect(order()).toBeUndefined();
    model.set("sort", "change");
    await painted();
    expect(order()).not.toEqual(first);
  });

  it("follow traits that are set from elsewhere", async () => {
    const { model, one, root } = showing(makeStream().store);
    await painted();
    model.set("mode", "pattern");
    model.set("layer", "conv2");
    await painted();
    expect(one<HTMLInputElement>('input[value="pattern"]').checked).toBe(true);
    expect(root.kwView.layer()).toBe("conv2");
    expect(one(".kw-facts").textContent).toContain("black: φ is larger at x = −1");
  });
});

describe("time", () => {
  /** One layer with splines of a grid of its own; the bends are rows, the rows are close. */
  function splineLayer(lo: number, hi: number, size: number) {
    const h = (hi - lo) / size;
    const knots = Array.from({ length: size + 7 }, (_, k) => lo + (k - 3) * h);
    const extent: [number, number] = [knots[0], knots[size + 6]];
    const basis = (x: number) =>
      Array.from({ length: size + 3 }, (_, j) => bspline(x, 3, j, knots[0], h));
    const x = Float32Array.from(
      { length: 801 },
      (_, p) => extent[0] + ((extent[1] - extent[0]) * p) / 800,
    );
    const range = { domain: [lo, hi] as [number, number], extent, knots };
    const made = layer({
      ...range,
      nb: size + 3,
      labels: Array(size + 3).fill("B"),
      isBase: Array(size + 3).fill(false),
      tables: [{ x, values: Float32Array.from([...x].flatMap(basis)) }],
      bases: [range],
    });
    return { made, basis };
  }

  it("shows every step by the basis of that step, and so does the ghost, whatever the grid was", async () => {
    const grids = [splineLayer(-1, 1, 5), splineLayer(-1, 1, 9), splineLayer(0, 2, 4)];
    const { store } = makeStream("article", { initial: {}, layouts: [] });
    const frames = store as FrameStore;
    const layouts = grids.map(({ made }, version) => ({ version, layers: [made] }));
    const kept = [0, 10, 20, 30, 40, 50].map((step, k) => {
      const grid = grids[k >> 1];
      const frame = { ...frameOf([grid.made], step, 11 + k), layout: layouts[k >> 1] };
      frames.takeLive(frame);
      return { ...frame, ...grid };
    });
    const { root } = showing(store);
    await painted();
    const check = (drawn: { x: number[]; y: number[] }, at: (typeof kept)[number], f: number) => {
      const { nb } = at.made;
      expect([drawn.x[0], drawn.x[drawn.x.length - 1]]).toEqual(at.made.domain);
      drawn.x.forEach((x, p) => {
        const expected = at.basis(x).reduce((sum, v, b) => sum + at.data[f * nb + b] * v, 0);
        expect(Math.abs(drawn.y[p] - expected)).toBeLessThan(1e-3);
      });
    };
    for (const shown of [...kept, kept[1]]) {
      store.setCursor(shown.step);
      for (const behind of [kept[0], kept[3], kept[5]]) {
        store.setGhostStep(behind.step);
        await painted();
        expect(root.kwView.step()).toBe(shown.step);
        for (const f of [0, 23]) {
          check(root.kwView.curve(f) as { x: number[]; y: number[] }, shown, f);
          const ghost = root.kwView.ghost(f);
          expect(ghost?.step).toBe(behind.step);
          const { x, y } = ghost as { x: number[]; y: number[] };
          const { nb } = behind.made;
          x.forEach((at, p) => {
            const beta = behind.basis(at);
            const expected = beta.reduce((sum, v, b) => sum + behind.data[f * nb + b] * v, 0);
            expect(Math.abs(y[p] - expected)).toBeLessThan(1e-3);
          });
        }
      }
    }
  });

  it("is in the key: the step shown and the ghost's", async () => {
    const { run, model, store } = makeStream();
    for (const step of [10, 20]) {
      model.receive({ kind: "frame", layout: 1, step, data: run.frame(step) });
    }
    const { one, root } = showing(store);
    await painted();
    // It stands over the large plot.
    const key = () =>
      root.kwView
        .words()
        .filter((text) => /^(now|step \d+)$/.test(text))
        .slice(-2);
    expect(key()).toEqual(["now", "step 0"]);
    // The line of the time has the step.
    const said = () => [one(".kw-status-text").textContent, one(".kw-time-step").textContent];
    expect(said()).toEqual(["not training", "step 20"]);
    store.setCursor(10);
    store.setGhostStep(20);
    await painted();
    expect(key()).toEqual(["step 10", "step 20"]);
    expect(said()).toEqual(["earlier", "step 10"]);
    const state = () => one(".kw-status").dataset.state;
    model.set("training", { ...UNKNOWN, state: "diverged", words: "", diverged: 11 });
    await painted();
    expect([...said(), state()]).toEqual(["earlier", "step 10", "idle"]);
    model.set("training", {
      ...UNKNOWN,
      state: "diverged",
      words: "diverged since step 10",
      diverged: 10,
    });
    await painted();
    const lost = "diverged since step 10";
    expect([...said(), state()]).toEqual([lost, "step 10", "diverged"]);
    // At the start itself both are one, and have one entry.
    store.setCursor(20);
    await painted();
    const same = root.kwView.words().filter((text) => text === "step 20");
    expect(same).toEqual(["step 20", "step 20"]); // over the drawing, and in the key
  });

  it("stands still for a view that looks back while frames come in", async () => {
    const { run, model, store } = makeStream();
    model.receive({ kind: "frame", layout: 1, step: 10, data: run.frame(10) });
    const { root } = showing(store);
    store.setCursor(10);
    await painted();
    const before = root.kwView.curve(3);
    model.receive({ kind: "frame", layout: 1, step: 50, data: run.frame(50) });
    await painted();
    expect([root.kwView.step(), root.kwView.curve(3)]).toEqual([10, before]);
  });
});

describe("the drawing", () => {
  it("shows the newest frame once, however many came", async () => {
    const { run, model, store } = makeStream();
    const { root } = showing(store);
    await painted();
    expect(root.kwView.step()).toBe(0);
    const before = root.kwView.drawn().frames;
    for (let step = 1; step <= 20; step++) {
      model.receive({ kind: "frame", layout: 1, step, data: run.frame(step) });
    }
    await painted();
    expect(root.kwView.step()).toBe(20);
    expect(root.kwView.drawn().frames).toBe(before + 1);
    expect(calls.lineTo).toBeGreaterThan(45 * 10);
  });

  it("draws only functions in sight", async () => {
    const { store } = makeStream("linear");
    const { root } = showing(store);
    await vi.waitFor(() => expect(root.kwView.step()).not.toBeNull(), { timeout: 20_000 });
    // 300 of more than 3,000 px are seen: at most 3 of the 20 bands, with at most 16 points a curve.
    expect(root.kwView.scene()?.picture.arrangement?.bands).toBe(20);
    expect(calls.moveTo).toBeLessThan(3 * (3 * 350));
  });

  it("waits in words while there is no stream and no frame", async () => {
    const pending = show(() => new Promise(() => {}));
    await painted();
    expect(pending.one(".kw-message").textContent).toBe("waiting for Python…");
    const empty = showing(makeStream("article", { initial: {}, layouts: [] }).store);
    await painted();
    expect(empty.one(".kw-message").textContent).toBe("waiting for the first frame…");
    expect(empty.one(".kw-viewport").hidden).toBe(true);
  });

  it("says why a stream cannot be read", async () => {
    const { one } = show(() => Promise.reject(new Error("no such model")));
    await painted();
    expect(one(".kw-message").textContent).toContain("no such model");
  });

  it("says so when kernel and page speak different protocols", async () => {
    const run = makeRun(RUNS.article);
    const { store } = makeStream("article", { layouts: [{ ...run.layout, protocol: 99 }] });
    const { one } = showing(store);
    await painted();
    expect(store.protocolError).toBeTruthy();
    expect(one(".kw-message").textContent).toBe(store.protocolError);
  });

  it("draws the stream of the next binding after a swap", async () => {
    const first = makeStream().store;
    const second = makeStream("conv16x8").store;
    const { model, root } = show((async (ref: string) => ({
      exports: ref === "anywidget:s" ? first : second,
    })) as never);
    await painted();
    expect(root.kwView.layer()).toBe("conv1");
    model.set("stream", "anywidget:next");
    await painted();
    expect(root.kwView.layer()).toBe("features.3");
  });
});

describe("selecting", () => {
  it("by the keyboard moves, selects and clears", async () => {
    const { store } = makeStream();
    const { one, root } = showing(store);
    await painted();
    const canvas = one(".kw-canvas");
    const press = (key: string) =>
      canvas.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    press("ArrowRight");
    press("ArrowRight");
    press("ArrowDown");
    press("Enter");
    expect(store.selection()).toEqual({ layer: "conv1", out: 0, in: 0, row: 1, column: 1 });
    await painted();
    expect(root.kwView.selected()).toBe(4);
    expect(canvas.getAttribute("aria-label")).toContain(
      "Selected: conv1 · kernel 0 · row 1, column 1 · largest |φ| 0.0208",
    );
    expect(one(".kw-readout").textContent).toContain("conv1 · kernel 0 · row 1, column 1");
    press("Escape");
    expect(store.selection()).toBeNull();
  });

  it("by a click takes the function under the pointer", async () => {
    const { store } = makeStream();
    const { one, root } = showing(store);
    await painted();
    const cell = root.kwView.at("22");
    if (!cell) throw new Error("nothing drawn");
    one(".kw-canvas").dispatchEvent(
      new MouseEvent("click", { clientX: cell.x + 5, clientY: cell.y + 5, bubbles: true }),
    );
    expect(store.selection()).toEqual({ layer: "conv1", out: 2, in: 0, row: 1, column: 1 });
  });

  it("elsewhere brings up the selection's layer", async () => {
    const { store } = makeStream();
    const { root, model } = showing(store);
    await painted();
    store.select({ layer: "fc", out: 1, in: 2, row: 0, column: 0 });
    await painted();
    expect(root.kwView.layer()).toBe("fc");
    expect(model.get("layer")).toBe("fc");
  });

  it("leaves a grid alone when another of the same stream shows that layer", async () => {
    const { store } = makeStream();
    const one = showing(store, { layer: "conv1" });
    const two = showing(store, { layer: "conv2" });
    await painted();
    store.select({ layer: "conv2", out: 1, in: 0, row: 0, column: 0 });
    await painted();
    expect([one.root.kwView.layer(), two.root.kwView.layer()]).toEqual(["conv1", "conv2"]);
  });

  it("does not let the text alternative talk on every frame, and has it up to date", async () => {
    const { run, model, store } = makeStream();
    const { one } = showing(store);
    await painted();
    one(".kw-canvas").focus();
    const said = one(".kw-canvas").getAttribute("aria-label");
    model.receive({ kind: "frame", layout: 1, step: 500, data: run.frame(500) });
    await painted();
    expect(one(".kw-canvas").getAttribute("aria-label")).toBe(said);
    store.select({ layer: "conv1", out: 1, in: 0, row: 2, column: 0 });
    await painted();
    expect(one(".kw-canvas").getAttribute("aria-label")).toContain("largest |φ| 0.32 ·");
    one(".kw-canvas").blur();
    model.receive({ kind: "frame", layout: 1, step: 501, data: run.frame(0) });
    await painted();
    expect(one(".kw-canvas").getAttribute("aria-label")).toContain("largest |φ| 0.233 ·");
    expect(one(".kw-status").closest("[aria-live]")).toBeNull();
  });
});

it("a height that another window brought is none that goes to and fro by itself", async () => {
  showing(makeStream().store);
  await painted();
  const steady = createSteadyHeight();
  const heights = [200, 254, 200].map((height) => {
    window.dispatchEvent(new Event("resize"));
    return steady(height);
  });
  expect(heights).toEqual([200, 254, 200]);
});

describe("closing a view", () => {
  it("removes its listeners and leaves the other view of the same model alive", async () => {
    const { run, model: stream, store } = makeStream();
    const first = new AbortController();
    const second = new AbortController();
    const one = showing(store, {}, first.signal);
    const el = document.body.appendChild(document.createElement("div"));
    const host = { getWidget: async () => ({ exports: store }) };
    render({ model: one.model, el, host, signal: second.signal } as never);
    const other = el.querySelector(".kw-kernel-grid") as GridElement;
    await painted();
    const both = one.model.listeners();
    first.abort();
    expect(one.el.childElementCount).toBe(0);
    expect(one.model.listeners()).toBe(both / 2);
    stream.receive({ kind: "frame", layout: 1, step: 30, data: run.frame(30) });
    await painted();
    expect(other.kwView.step()).toBe(30);
    expect(one.root.kwView.step()).toBe(0);
    second.abort();
    expect(one.model.listeners()).toBe(0);
  });
});

describe("the theme", () => {
  it("is the trait's, and else the page's", async () => {
    const { model, root } = showing(makeStream().store);
    await painted();
    expect(root.dataset.kwTheme).toBe("light");
    model.set("theme", "dark");
    await painted();
    expect(root.dataset.kwTheme).toBe("dark");
    model.set("theme", "auto");
    document.body.dataset.jpThemeLight = "true";
    await painted();
    expect([root.dataset.kwTheme, root.dataset.kwHost]).toEqual(["light", "jupyter"]);
    document.body.dataset.jpThemeLight = "false";
    await painted();
    expect(root.dataset.kwTheme).toBe("dark");
    delete document.body.dataset.jpThemeLight;
    document.documentElement.classList.add("dark");
    await painted();
    expect([root.dataset.kwTheme, root.dataset.kwHost]).toEqual(["dark", undefined]);
    document.documentElement.classList.remove("dark");
  });

  it("is drawn although the page had no width at the moment when it changed", async () => {
    const { model } = showing(makeStream().store);
    await painted();
    const width = vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(0);
    model.set("theme", "dark");
    await painted();
    const before = calls.setTransform;
    width.mockReturnValue(700);
    await vi.waitFor(() => expect(calls.setTransform).toBeGreaterThan(before), { timeout: 20_000 });
  });
});
