// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { firstShown } from "../src/phi/curves.ts";
import { layerNamed, selectionOf } from "../src/phi/entries.ts";
import { patchAt } from "../src/phi/response.ts";
import { pointedPixelOf } from "../src/shell/pointed_pixel.ts";
import type { SaveElement } from "../src/shell/saving.ts";
import { settingsOf } from "../src/views/meshgrid_view/settings.ts";
import { type MeshElement, render } from "../src/views/meshgrid_view/view.ts";
import { initialize } from "../src/wire/stream.ts";
import type { LayerLayout, Store } from "../src/wire/types.ts";
import { blankPage, endPage, traitsOf } from "./blank_page.ts";
import { painted } from "./hurry.ts";
import { makeRun, RUNS } from "./made_up_run.ts";
import { FakeModel } from "./page_model.ts";
import { bytes, randoms } from "./samples.ts";

const TRAITS = {
  stream: "anywidget:s",
  layer: "",
  mode: "ramp",
  limits: [-2, 2],
  direction: "horizontal",
  scale: "layer",
  resolution: 16,
  input: "images",
  sample: 0,
  output: -1,
  other: -1,
  height: 480,
  theme: "light",
  images: { shape: [2, 1, 12, 12], data: bytes(randoms(288)) },
  drawing: {},
};

const WHOLE = { x: 0, y: 0, width: 700, height: 700 };

/** The values of function f from left to right. */
function heatOf(view: MeshElement["kwView"], f: number) {
  const scene = view.scene();
  if (scene?.mode !== "ramp") throw new Error("no ramp");
  const { y, points } = scene.curves;
  return Array.from(y.subarray(f * points, (f + 1) * points));
}

function inputOf(view: MeshElement["kwView"]) {
  const scene = view.scene();
  const image = scene?.mode === "response" ? scene.response.image : null;
  return image && { ...image, data: Array.from(image.data) };
}

/** The numbers of the two functions, and the ends of the surface. */
function pairOf(view: MeshElement["kwView"]) {
  const scene = view.scene();
  if (scene?.mode !== "pair") return null;
  const { functions, surface } = scene.pair;
  return { i: functions[0], j: functions[1], x: Array.from(surface.x), y: Array.from(surface.y) };
}

/** The pixels of a map. */
function responseOf(view: MeshElement["kwView"], output: number) {
  const scene = view.scene();
  const grid = scene?.mode === "response" ? scene.response.grids.get(output) : null;
  return grid ? { width: grid.width, data: Array.from(grid.data) } : null;
}

/** The pixel that is pointed at or kept, and the patch under it. */
function probeOf(view: MeshElement["kwView"]) {
  const scene = view.scene();
  if (scene?.mode !== "response" || scene.response.by === "itself") return null;
  const { place, swept, grids, kernel } = scene.response;
  const patch = Array.from(patchAt(swept, place.row, place.column, kernel.channel));
  const value = grids.get(place.output)?.data[place.row * swept.width + place.column];
  return { ...place, patch, value };
}

/** The words in place of a drawing. */
function messageIn(root: HTMLElement) {
  const message = root.querySelector<HTMLElement>(".kw-message");
  return message && !message.hidden ? (message.textContent ?? "") : "";
}

vi.mock("../src/shell/pace.ts", async () => (await import("./hurry.ts")).hurriedPace());

let life: AbortController;

beforeEach(() => {
  life = new AbortController();
  blankPage(700, 300);
});

afterEach(() => endPage(life));

function makeStream(name = "article") {
  const run = makeRun(RUNS[name]);
  const conv = {
    stride: [1, 1],
    padding: [0, 0, 0, 0],
    dilation: [1, 1],
    padding_mode: "zeros",
    groups: 1,
    shared: name === "article",
  };
  const layers = run.layout.layers.map((one) => (one.kind === "conv" ? { ...one, conv } : one));
  const model = new FakeModel({
    ...traitsOf(run),
    layouts: [{ ...run.layout, layers }],
  });
  const store = initialize({ model: model as never, signal: life.signal });
  const send = (step: number) =>
    model.receive({ kind: "frame", layout: 1, step, data: run.frame(step) });
  /** The kernel has seen a batch: it is the input of the first layer. */
  const observe = () => {
    const shapes = {
      edges: [2],
      counts: [9, 1],
      outside_domain: [9],
      outside_extent: [9],
      patches: [1, 9],
    };
    const [ones, zeros] = [1, 0].map((value) => bytes(Array(9).fill(value)));
    const outside = { outside_domain: zeros, outside_extent: zeros };
    const arrays = { edges: bytes([-1, 1]), counts: ones, ...outside, patches: zeros };
    model.receive({
      kind: "observed",
      layer: "conv1",
      samples: 9,
      is_image: true,
      arrays,
      shapes,
    });
  };
  return { run, model, store, send, observe };
}

function show(
  getWidget: () => Promise<unknown>,
  traits: Record<string, unknown> = {},
  signal = life.signal,
) {
  const model = new FakeModel({ ...TRAITS, ...traits });
  const el = document.body.appendChild(document.createElement("div"));
  render({ model, el, host: { getWidget }, signal } as never);
  const root = el.querySelector(".kw-meshgrid-view") as MeshElement;
  const one = <T extends HTMLElement>(selector: string) => root.querySelector<T>(selector) as T;
  const press = (...keys: string[]) => {
    for (const key of keys) {
      one(".kw-canvas").dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    }
  };
  return { model, el, root, one, press, view: root.kwView };
}

const showing = (store: Store, traits: Record<string, unknown> = {}, signal = life.signal) =>
  show(async () => ({ exports: store }), traits, signal);

describe("the view", () => {
  it("has a title and a label on every control and a text for every canvas, in every mode", async () => {
    const { store } = makeStream();
    for (const mode of ["ramp", "pair", "response"]) {
      const { root } = showing(store, { mode });
      await painted();
      const controls = root.querySelectorAll(
        ".kw-meshgrid-view > :not(.kw-time-place) :is(input, select, button)",
      );
      expect(controls.length).toBeGreaterThan(5);
      for (const control of controls) {
        expect(control.getAttribute("title"), control.outerHTML).toBeTruthy();
        const name = control.getAttribute("aria-label") || control.textContent;
        expect(name, control.outerHTML).toBeTruthy();
      }
      for (const canvas of root.querySelectorAll<HTMLElement>(".kw-canvas")) {
        if (canvas.closest("[hidden]")) continue;
        expect(canvas.getAttribute("aria-label"), canvas.className).toBeTruthy();
        expect(canvas.tabIndex).toBe(0);
      }
    }
  });

  it("shows the newest frame, and with the time cursor an earlier one", async () => {
    const { store, send } = makeStream();
    const { view } = showing(store);
    await painted();
    const start = heatOf(view, 4);
    send(100);
    send(200);
    await painted();
    expect(view.step()).toBe(200);
    expect(heatOf(view, 4)).not.toEqual(start);
    store.setCursor(0);
    await painted();
    expect(view.step()).toBe(0);
    expect(heatOf(view, 4)).toEqual(start);
  });

  it("follows a selection into its layer", async () => {
    const { store } = makeStream();
    const { model, view } = showing(store);
    await painted();
    store.select({ layer: "conv2", out: 1, in: 0, row: 0, column: 1 });
    await painted();
    expect(model.get("layer")).toBe("conv2");
    expect(view.layer()).toBe("conv2");
  });

  it("says what is missing", async () => {
    const { root: lost } = show(async () => {
      throw new Error("gone");
    });
    await painted();
    expect(messageIn(lost)).toMatch(/cannot be read: gone/);
    const empty = initialize({
      model: new FakeModel({ layouts: [], initial: {}, frame: {} }) as never,
      signal: life.signal,
    });
    const { root: waiting } = showing(empty);
    await painted();
    expect(messageIn(waiting)).toMatch(/waiting for the first frame/);
  });

  it("leaves nothing behind", async () => {
    const { store, observe } = makeStream();
    observe();
    const own = new AbortController();
    const { model, root, view } = showing(store, { mode: "response" }, own.signal);
    await painted();
    expect(responseOf(view, 0)).not.toBeNull();
    own.abort();
    expect(model.listeners()).toBe(0);
    expect(root.isConnected).toBe(false);
    store.select({ layer: "conv1", out: 0, in: 0, row: 0, column: 0 });
    await painted();
  });

  it("goes on where a function is not finite", async () => {
    const { store, observe } = makeStream("broken");
    observe();
    for (const mode of ["ramp", "pair", "response"]) {
      const { root } = showing(store, { mode });
      await painted();
      expect(messageIn(root)).toBe("");
      if (mode === "ramp") expect(root.textContent).toMatch(/2 functions not finite/);
    }
  });
});

describe("the ramp", () => {
  it("goes over the grid, or over the limits that are given", async () => {
    const { store } = makeStream();
    const { model, one } = showing(store);
    await painted();
    expect(one(".kw-facts").textContent).not.toContain("x from −5 to 5");
    model.set("limits", [-5, 5]);
    await painted();
    expect(one(".kw-facts").textContent).toContain("x from −5 to 5");
  });

  it("is chosen by keys", async () => {
    const { store } = makeStream();
    const { press } = showing(store);
    await painted();
    press("Home", "ArrowRight", "ArrowDown", "Enter");
    expect(store.selection()).toMatchObject({ layer: "conv1", out: 0, row: 1, column: 1 });
    press("Escape");
    expect(store.selection()).toBeNull();
  });
});

describe("what is drawn where nothing was chosen", () => {
  it("is the ramp until it is known what reaches the layer, and the response from then on", async () => {
    const { store, observe } = makeStream();
    const { view, model, root } = showing(store, { mode: "auto" });
    const { view: chosen } = showing(store, { mode: "ramp" });
    const pressed = () => root.querySelector<HTMLInputElement>(".kw-segments :checked[value=ramp]");
    await painted();
    expect(view.mode()).toBe("ramp");
    expect(pressed()).not.toBeNull();
    observe();
    await painted();
    expect([view.mode(), chosen.mode()]).toEqual(["response", "ramp"]);
    expect(responseOf(view, 0)).not.toBeNull();
    expect(model.get("mode")).toBe("auto");
    model.set("layer", "fc");
    await painted();
    expect(view.mode()).toBe("ramp");
  });

  it("is the response to the reader's own images where the layer is the whole model", () => {
    const alone = { kind: "conv", name: "Conv2d", type: "Conv2d", variable: "x" } as LayerLayout;
    const modeOf = (layer: LayerLayout, given: boolean) =>
      settingsOf((name) => (name === "images" ? { given } : "auto"), layer).mode;
    expect(modeOf(alone, true)).toBe("response");
    expect(modeOf(alone, false)).toBe("ramp");
    expect(modeOf({ ...alone, name: "convs.0" }, true)).toBe("ramp");
  });
});

describe("the pair", () => {
  it.each([300, 480, 700, 1400])("is square, with one scale for both inputs: %d", async (wide) => {
    for (const name of ["clientWidth", "offsetWidth"] as const) {
      vi.spyOn(HTMLElement.prototype, name, "get").mockReturnValue(wide);
    }
    const { store } = makeStream();
    const { view } = showing(store, { mode: "pair" });
    await painted();
    const plot = view.at("plot");
    expect(plot?.width).toBe(plot?.height);
    expect(plot?.width).toBeGreaterThan(wide < 1200 ? Math.min(430, 0.5 * wide) : 0.41 * wide);
    expect(pairOf(view)?.x).toEqual(pairOf(view)?.y);
    // The surface is the subject: the kernel is no higher, and the function that costs height is the less thick one.
    const scene = view.scene();
    if (scene?.mode !== "pair") throw new Error("no pair");
    const { curves, kernel } = scene.layout;
    expect(curves[1].width).toBe(Math.max(60, Math.min(110, Math.round(0.1 * wide))));
    expect(curves[0].height).toBe(Math.min(64, curves[1].width));
    const [least, below] = [kernel.box, plot ?? kernel.box];
    expect(least.width).toBeLessThanOrEqual(1.6 * below.width);
    expect(least.height).toBeLessThanOrEqual(below.y + below.height);
    expect(curves[1].x + curves[1].width).toBeLessThanOrEqual(scene.width);
  });

  it("stands beside the functions of its kernel, with nothing empty between them", async () => {
    for (const name of ["clientWidth", "offsetWidth"] as const) {
      vi.spyOn(HTMLElement.prototype, name, "get").mockReturnValue(1400);
    }
    const { store } = makeStream();
    const { view } = showing(store, { mode: "pair", height: 200 });
    await painted();
    const scene = view.scene();
    if (scene?.mode !== "pair") throw new Error("no pair");
    const { plot, kernel } = scene.layout;
    const between = plot.x - kernel.box.x - kernel.box.width;
    expect(between).toBeGreaterThan(20);
    expect(between).toBeLessThan(0.1 * scene.width);
    // The curve at its right has numbers at zero and at both ends of its axis, as far from it.
    const texts = scene.sheets[1].marks(WHOLE).filter((mark) => mark.kind === "text");
    const [, beside] = scene.layout.curves;
    const under = texts.filter(({ x, y }) => x > beside.x && y > plot.y + plot.height);
    const ends = under.sort((a, b) => a.x - b.x).map(({ text }) => text);
    expect(ends).toHaveLength(3);
    expect(ends[1]).toBe("0");
    expect(ends[2]).toBe(ends[0].replace("−", ""));
  });

  it.each([300, 480])("has a number at the zero of the curve beside it: %d", async (wide) => {
    for (const name of ["clientWidth", "offsetWidth"] as const) {
      vi.spyOn(HTMLElement.prototype, name, "get").mockReturnValue(wide);
    }
    const { view } = showing(makeStream().store, { mode: "pair" });
    await painted();
    const scene = view.scene();
    if (scene?.mode !== "pair") throw new Error("no pair");
    const { plot, curves, sides } = scene.layout;
    const texts = scene.sheets[1].marks(WHOLE).filter((mark) => mark.kind === "text");
    const under = texts.filter(({ x, y }) => x > curves[1].x && y > plot.y + plot.height);
    const zero = under.find(({ text }) => text === "0");
    expect(zero?.x).toBeCloseTo(sides[1].scale(0));
    expect(under.length).toBeGreaterThan(1);
  });

  it("goes from kernel to kernel by its menu, and by Page Up and Page Down", async () => {
    const { store } = makeStream();
    const { press, view, one } = showing(store, { mode: "pair" });
    await painted();
    const menu = one<HTMLSelectElement>("select[aria-label=show]");
    const names = Array.from(menu.options, ({ text }) => text);
    expect(names.slice(0, 2)).toEqual(["kernel 0", "kernel 1"]);
    for (const key of ["PageDown", "PageDown", "PageUp"]) {
      press(key);
      await painted();
    }
    expect(store.selection()).toMatchObject({ layer: "conv1", out: 1 });
    const before = pairOf(view)?.i ?? -1;
    expect([Math.floor(before / 9), menu.selectedOptions[0].text]).toEqual([1, "kernel 1"]);
    expect(view.scene()?.sheets[0].marks(WHOLE)).toContainEqual(
      expect.objectContaining({ text: "functions of kernel 1" }),
    );
    menu.value = "0";
    menu.dispatchEvent(new Event("change", { bubbles: true }));
    await painted();
    expect(pairOf(view)?.i).toBe(before - 9);
    press("PageUp");
    await painted();
    expect(pairOf(view)?.i).toBe(before - 9);
  });

  it("takes x, then y, by keys; the first is the stream's selection", async () => {
    const { store } = makeStream();
    const { model, press, view } = showing(store, { mode: "pair" });
    await painted();
    press("ArrowRight", "Home", "ArrowRight", "Enter", "ArrowDown", "Enter");
    await painted();
    expect(store.selection()).toMatchObject({ row: 0, column: 1 });
    expect(model.get("other")).toBe(4);
    expect([pairOf(view)?.i, pairOf(view)?.j]).toEqual([1, 4]);
  });
});

describe("the response", () => {
  it("is to no image before a batch was observed, and says what to call", async () => {
    const { store, observe } = makeStream();
    const { root, view } = showing(store, { mode: "response" });
    await painted();
    expect(responseOf(view, 0)).toBeNull();
    expect(root.textContent).toMatch(/Call live\.observe\(batch\) to see the response/);
    observe();
    await painted();
    expect(responseOf(view, 0)).not.toBeNull();
  });

  it("offers to observe the batch that the kernel saw, by one click, until it is done", async () => {
    const { store, model, observe } = makeStream();
    const { root } = showing(store, { mode: "response" });
    const button = () =>
      [...root.querySelectorAll("button")].find((one) => one.textContent === "observe a batch");
    await painted();
    expect(button()?.hidden).toBe(true);
    model.set("batch", { seen: true, message: "" });
    await painted();
    expect(button()?.hidden).toBe(false);
    expect(root.textContent).toMatch(/Press “observe a batch” to see the response/);
    button()?.click();
    expect(model.sent).toContainEqual({ kind: "observe" });
    model.set("batch", { seen: true, message: "the last batch is gone" });
    await painted();
    expect(root.textContent).toMatch(/the last batch is gone/);
    observe();
    await painted();
    expect(button()?.hidden).toBe(true);
  });

  it("keeps a pixel chosen by keys and tells the other views its inputs", async () => {
    const { store, observe } = makeStream();
    observe();
    const { press, view } = showing(store, { mode: "response" });
    await painted();
    expect(pointedPixelOf(store).current()).toBeNull();
    press("ArrowDown", "ArrowRight");
    for (const key of ["PageDown", "PageDown", "Enter"]) {
      press(key);
      await painted();
    }
    const probe = probeOf(view);
    expect(probe).toMatchObject({ output: 1, row: 5, column: 6 });
    expect(store.selection()).toMatchObject({ layer: "conv1", out: 1 });
    const image = inputOf(view)?.data ?? [];
    const at = { layer: "conv1", out: 1, in: 0, row: 2, column: 1 };
    expect(pointedPixelOf(store).current()?.valueFor(at)).toBe(image[7 * 12 + 7]);
  });

  it("shows the pixel farthest from zero, of the kernel that views beside it show, and tells nobody, until one is kept", async () => {
    const { run, store, model, observe } = makeStream();
    const moved = run.frame(10);
    moved.setFloat32(4 * 9 * (9 * 3 + 2), 9, true); // of kernel 3
    model.receive({ kind: "frame", layout: 1, step: 10, data: moved });
    observe();
    const { one, press, view } = showing(store, { mode: "response" });
    await painted();
    const layer = layerNamed(store.current(), "conv1") as LayerLayout;
    const { out } = selectionOf(layer, firstShown(store, layer).f);
    expect(out).toBe(3);
    const { data, width } = responseOf(view, out) as { data: number[]; width: number };
    const sizes = data.map(Math.abs);
    const most = sizes.indexOf(Math.max(...sizes));
    const svg = () => one<SaveElement>(".kw-save").kwSave.svg() ?? "";
    expect(svg()).toContain(
      `row ${Math.floor(most / width)}, column ${most % width}: the dots add`,
    );
    expect(probeOf(view)).toBeNull();
    expect(pointedPixelOf(store).current()).toBeNull();
    press("ArrowDown", "Enter", "ArrowDown");
    await painted();
    // What is saved is what was kept, wherever the keyboard is.
    expect(probeOf(view)).toMatchObject({ row: 6, column: 5 });
    expect(svg()).toContain("row 5, column 5: the dots add");
    press("Escape");
    await painted();
    expect(svg()).not.toContain("row 5, column 5: the dots add");
  });

  it("of one map alone goes on to the next one by Page Down, and before the first to all", async () => {
    const { store, observe } = makeStream();
    observe();
    const { model, press, view, one } = showing(store, { mode: "response", output: 0 });
    await painted();
    const menu = one<HTMLSelectElement>("select[aria-label=show]");
    expect(Array.from(menu.options, ({ text }) => text).slice(0, 2)).toEqual(["all maps", "map 0"]);
    press("PageDown");
    await painted();
    expect([model.get("output"), menu.selectedOptions[0].text]).toEqual([1, "map 1"]);
    expect(view.words()).toContain("response: map 1");
    for (let times = 0; times < 3; times++) {
      press("PageUp");
      await painted();
    }
    expect(model.get("output")).toBe(-1);
    expect(view.words()).toEqual(expect.arrayContaining(["responses", "map 0", "map 1"]));
  });

  it("has the maps first, as wide as a narrow page, and close below them the image with the words beside it", async () => {
    for (const name of ["clientWidth", "offsetWidth"] as const) {
      vi.spyOn(HTMLElement.prototype, name, "get").mockReturnValue(358);
    }
    const { store, observe } = makeStream();
    observe();
    const { view } = showing(store, { mode: "response" });
    await painted();
    const scene = view.scene();
    if (scene?.mode !== "response") throw new Error("no response");
    const texts = scene.sheets.flatMap((sheet) => sheet.marks(WHOLE));
    const found = texts.filter((mark) => mark.kind === "text");
    expect(found.some(({ text }) => /the dots add/.test(text))).toBe(true);
    const title = found.find(({ text }) => text === "responses");
    expect(title?.y).toBe(Math.min(...found.map(({ y }) => y)));
    const { maps, image } = scene.layout;
    const boxes = [...maps.values()];
    const end = Math.max(...boxes.map(({ y, height }) => y + height));
    expect(Math.max(...boxes.map(({ x, width }) => x + width))).toBeGreaterThan(0.75 * 358);
    expect(image.y - end).toBeGreaterThan(15);
    expect(image.y - end).toBeLessThan(40);
  });

  it("has image, maps and functions side by side from some 500 pixels on", async () => {
    for (const name of ["clientWidth", "offsetWidth"] as const) {
      vi.spyOn(HTMLElement.prototype, name, "get").mockReturnValue(520);
    }
    const { store, observe } = makeStream();
    observe();
    const { view } = showing(store, { mode: "response" });
    await painted();
    const scene = view.scene();
    if (scene?.mode !== "response") throw new Error("no response");
    const { maps, image, cells } = scene.layout;
    for (const map of maps.values()) {
      expect(map.x).toBeGreaterThan(image.x + image.width);
      expect(map.x + map.width).toBeLessThan(cells.x);
    }
    expect(cells.x + cells.width).toBeGreaterThan(0.85 * 520);
  });

  it("has whole titles where its parts have little room side by side", async () => {
    for (const name of ["clientWidth", "offsetWidth"] as const) {
      vi.spyOn(HTMLElement.prototype, name, "get").mockReturnValue(278);
    }
    const { store, observe } = makeStream();
    observe();
    const { view } = showing(store, { mode: "response", output: 1, height: 96 });
    await painted();
    const words = view.words();
    expect(words).toContain("map 1");
    expect(words.filter((text) => /\S…/.test(text))).toEqual([]);
  });

  it("is taken back when the view shows something else", async () => {
    const { store, observe } = makeStream();
    observe();
    const { model, press } = showing(store, { mode: "response" });
    await painted();
    press("ArrowDown");
    await painted();
    expect(pointedPixelOf(store).current()).not.toBeNull();
    model.set("mode", "ramp");
    await painted();
    expect(pointedPixelOf(store).current()).toBeNull();
  });

  it("of a drawing follows each stroke, and the drawing is kept in the model", async () => {
    const { store } = makeStream();
    const { model, view, one } = showing(store, { mode: "response", input: "drawn" });
    await painted();
    const blank = responseOf(view, 0)?.data;
    view.draw([
      [2, 2],
      [9, 9],
    ]);
    await painted();
    expect(responseOf(view, 0)?.data).not.toEqual(blank);
    expect(model.get("drawing")).toMatchObject({ shape: [1, 1, 12, 12] });
    const drawn = inputOf(view);
    const other = showing(store, {
      mode: "response",
      input: "drawn",
      drawing: model.get("drawing"),
    });
    await painted();
    expect(inputOf(other.view)).toEqual(drawn);
    one<HTMLButtonElement>(".kw-button[title='Clear the drawing']").click();
    await painted();
    expect(responseOf(view, 0)?.data).toEqual(blank);
  });

  it("is drawn by keys too", async () => {
    const { store } = makeStream();
    const { view, press, model } = showing(store, { mode: "response", input: "drawn" });
    await painted();
    const before = inputOf(view)?.data ?? [];
    // From the middle of the first map over its left edge into the image.
    press(...Array(7).fill("ArrowLeft"));
    press(" ");
    await painted();
    const drawn = inputOf(view)?.data ?? [];
    const changed = drawn.flatMap((value, p) => (value > before[p] ? [p % 12] : []));
    expect(changed).toContain(11);
    expect(model.get("drawing")).toMatchObject({ shape: [1, 1, 12, 12] });
    const under = drawn.indexOf(Math.max(...drawn));
    press("Backspace");
    await painted();
    expect(inputOf(view)?.data[under]).toBe(before[under]);
  });

  it("of a linear layer is refused in words", async () => {
    const { store } = makeStream();
    const { root } = showing(store, { mode: "response", layer: "fc" });
    await painted();
    expect(messageIn(root)).toMatch(/linear layer.*no response map/);
  });
});
