// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { formatNumber as printed } from "../src/phi/format.ts";
import { pointedPixelOf } from "../src/shell/pointed_pixel.ts";
import type { SaveElement } from "../src/shell/saving.ts";
import { heightOf } from "../src/views/spline_inspector/handles.ts";
import { PLOT_PARTS } from "../src/views/spline_inspector/settings.ts";
import { type InspectorElement, render } from "../src/views/spline_inspector/view.ts";
import { initialize } from "../src/wire/stream.ts";
import type { Store } from "../src/wire/types.ts";
import { blankPage, endPage, traitsOf } from "./blank_page.ts";
import { painted } from "./hurry.ts";
import { makeRun, RUNS } from "./made_up_run.ts";
import { FakeModel } from "./page_model.ts";

const TRAITS = {
  stream: "anywidget:s",
  layer: "",
  editable: true,
  show: [...PLOT_PARTS],
  height: 300,
  theme: "light",
  pins: [],
  overlays: [],
};

/** What is shown: the ends of its axes, the coefficients, the rows of its legend, and what is read at a point. */
const windowOf = ({ kwView }: InspectorElement) => {
  const scene = kwView.scene();
  return scene && { x: scene.picture.x, y: scene.y };
};
const coefficientsOf = ({ kwView }: InspectorElement) =>
  Array.from(kwView.scene()?.picture.phi.coefficients ?? []);
const rowsOf = ({ kwView }: InspectorElement) =>
  kwView.scene()?.legend.rows.map(({ row }) => row) ?? [];
/** Where a control point is seen, and its coefficient. */
function controlPointOf({ kwView }: InspectorElement, label: string) {
  const { handles, phi } = kwView.scene()?.picture ?? {};
  const handle = handles?.find((one) => one.label === label);
  if (!handle || !phi) return null;
  const place = kwView.point(handle.x, heightOf(handle, phi.coefficients));
  return place && { ...place, value: phi.coefficients[handle.b] };
}
const readoutOf = ({ kwView }: InspectorElement) => kwView.scene()?.reading ?? null;

vi.mock("../src/shell/pace.ts", async () => (await import("./hurry.ts")).hurriedPace());

let life: AbortController;
let drawings: ReturnType<typeof vi.fn>;

beforeEach(() => {
  life = new AbortController();
  drawings = vi.fn();
  blankPage(700, 300).context.clearRect = drawings;
});

afterEach(() => endPage(life));

function makeStream(name = "article", traits: Record<string, unknown> = {}) {
  const run = makeRun(RUNS[name]);
  const model = new FakeModel({
    ...traitsOf(run),
    edits: { undo: 0, redo: 0, message: "" },
    ...traits,
  });
  const store = initialize({ model: model as never, signal: life.signal });
  const send = (step: number, data = run.frame(step)) =>
    model.receive({ kind: "frame", layout: 1, step, data: data });
  return { run, model, store, send };
}

/** What the kernel sends of a layer's inputs: a quarter outside the grid, and these patches. */
function seen(entries: number, patches: Float32Array): Record<string, unknown> {
  return {
    kind: "observed",
    layer: "conv1",
    samples: 8,
    is_image: true,
    shapes: {
      edges: [65],
      counts: [entries, 64],
      outside_domain: [entries],
      outside_extent: [entries],
      patches: [patches.length / entries, entries],
    },
    arrays: {
      edges: Float32Array.from({ length: 65 }, (_, k) => k),
      counts: new Float32Array(entries * 64).fill(1),
      outside_domain: new Float32Array(entries).fill(0.25),
      outside_extent: new Float32Array(entries),
      patches,
    },
  };
}

function show(store: Store, traits: Record<string, unknown> = {}, signal = life.signal) {
  const model = new FakeModel({ ...TRAITS, ...traits });
  const el = document.body.appendChild(document.createElement("div"));
  const host = { getWidget: async () => ({ exports: store }) };
  render({ model, el, host, signal } as never);
  const root = el.querySelector(".kw-spline-inspector") as InspectorElement;
  const one = <T extends HTMLElement>(selector: string) => root.querySelector<T>(selector) as T;
  const press = (target: HTMLElement, key: string, type = "keydown") =>
    target.dispatchEvent(new KeyboardEvent(type, { key, bubbles: true, cancelable: true }));
  const site = (id: string) => root.querySelector<HTMLButtonElement>(`[data-site="${id}"]`);
  const row = (key: string) => site(`row:${key}`);
  const shown = (key: string) => rowsOf(root).find((one) => one.key === key);
  /** The pointer on the canvas, somewhere on the page. */
  const pointer = (type: string, x: number, y: number, buttons = 1) =>
    one(".kw-canvas").dispatchEvent(
      new PointerEvent(type, { clientX: x, clientY: y, button: 0, buttons, bubbles: true }),
    );
  const click = (id: string) => {
    const { x = 0, y = 0, width = 0, height = 0 } = root.kwView.at(id) ?? {};
    const [clientX, clientY] = [x + width / 2, y + height / 2];
    one(".kw-canvas").dispatchEvent(new MouseEvent("click", { clientX, clientY, bubbles: true }));
  };
  const caption = () =>
    Array.from(root.querySelectorAll(".kw-remark-text"), (part) => part.textContent);
  const button = (text: string) =>
    Array.from(root.querySelectorAll<HTMLButtonElement>(".kw-button")).find(
      (candidate) => candidate.textContent === text,
    ) as HTMLButtonElement;
  const handle = (label: string) =>
    root.querySelector<HTMLButtonElement>(
      `.kw-place[role="slider"][aria-label*="${label} "]`,
    ) as HTMLButtonElement;
  const parts = { one, press, site, row, shown, button, handle, pointer, click, caption };
  return { model, el, root, ...parts };
}

const weightOf = (edit: Record<string, unknown> | undefined, b: number) =>
  ((edit?.coefficients ?? []) as number[])[b];

const edits = (sent: unknown[]) =>
  (sent as Record<string, unknown>[]).filter(({ kind }) => kind === "edit");

describe("which function is shown", () => {
  it("is one that says something, the same while it learns, and then the one that is selected", async () => {
    const { store, send } = makeStream();
    const { root, one, model } = show(store, { layer: "conv2" });
    await painted();
    const first = root.kwView.selection();
    expect(first?.layer).toBe("conv2");
    send(100);
    await painted();
    expect(root.kwView.selection()).toEqual(first);
    const chosen = { layer: "conv1", out: 3, in: 0, row: 2, column: 1 };
    store.select(chosen);
    await painted();
    expect(root.kwView.selection()).toEqual(chosen);
    expect(one(".kw-canvas").getAttribute("aria-label")).toContain(
      "layer conv1, kernel 3 · row 2, column 1",
    );
    model.set("layer", "fc");
    await painted();
    expect(store.selection()).toEqual({ layer: "fc", out: 0, in: 0, row: 0, column: 0 });
  });

  it("changes by buttons, keys and numbers, for all views", async () => {
    const { store } = makeStream();
    store.select({ layer: "conv1", out: 0, in: 0, row: 0, column: 0 });
    const { root, one, press, button } = show(store);
    await painted();
    button("›").click();
    expect(store.selection()).toMatchObject({ layer: "conv1", row: 0, column: 1 });
    press(one(".kw-canvas"), "[");
    press(one(".kw-canvas"), "[");
    expect(store.selection()).toMatchObject({ out: 4, row: 2, column: 2 });
    await painted();
    const out = one<HTMLInputElement>('input[aria-label="output"]');
    expect(out.value).toBe("4");
    out.value = "17";
    out.dispatchEvent(new Event("input", { bubbles: true }));
    out.dispatchEvent(new Event("change", { bubbles: true }));
    expect(store.selection()).toMatchObject({ out: 4 });
    expect(out.value).toBe("4");
    out.value = "2";
    out.dispatchEvent(new Event("input", { bubbles: true }));
    out.dispatchEvent(new Event("change", { bubbles: true }));
    await painted();
    expect(root.kwView.selection()).toMatchObject({ out: 2 });
  });
});

describe("the legend", () => {
  it("has a row for each part that can be drawn, and each is a labelled switch", async () => {
    const { store } = makeStream();
    const { root, row } = show(store);
    await painted();
    const keys = rowsOf(root).map(({ key }) => key);
    // The band is of an ensemble alone, and bars have no key before inputs were observed.
    expect(keys).toEqual(PLOT_PARTS.filter((key) => key !== "band" && key !== "density"));
    for (const key of keys) {
      expect(row(key)?.getAttribute("aria-pressed")).toBe("true");
      expect(row(key)?.getAttribute("aria-label")).toBeTruthy();
      expect(root.kwView.scene()?.sites.words(`row:${key}`)).toBeTruthy();
    }
  });

  it("is pressed where its rows are drawn", async () => {
    const { store } = makeStream();
    const { root, model, click } = show(store);
    await painted();
    for (const { key } of rowsOf(root)) {
      const before = JSON.stringify(model.get("show"));
      click(`row:${key}`);
      expect(JSON.stringify(model.get("show")), key).not.toBe(before);
      await painted();
      click(`row:${key}`);
      await painted();
    }
  });

  it("lies beside a wide plot and below a narrow one, and below where it would be too long", async () => {
    const { store } = makeStream();
    const { root, model } = show(store);
    await painted();
    const overlaps = () => {
      const [plot, first] = [root.kwView.plot(), root.kwView.at("row:phi")];
      const last = root.kwView.at(`row:${rowsOf(root).at(-1)?.key}`);
      if (!plot || !first || !last) return null;
      const beside = first.x >= plot.x + plot.width;
      const below = first.y >= plot.y + plot.height;
      return { beside, below, end: last.y + last.height };
    };
    model.set("height", 380);
    await painted();
    expect(overlaps()).toMatchObject({ beside: true, below: false });
    expect(overlaps()?.end).toBeLessThanOrEqual(380);
    // The rows have no room in 160 pixels.
    model.set("height", 160);
    await painted();
    expect(overlaps()).toMatchObject({ beside: false, below: true });
    model.set("height", 380);
    vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(400);
    await painted();
    expect(overlaps()).toMatchObject({ beside: false, below: true });
    for (const { key } of rowsOf(root)) {
      const box = root.kwView.at(`row:${key}`);
      expect(box && box.x >= 0 && box.x + box.width <= 400, key).toBe(true);
    }
  });

  it("switches parts, and all basis functions at once, in the trait", async () => {
    const { store } = makeStream();
    const { model, row, shown, root } = show(store);
    await painted();
    row("base")?.click();
    expect(model.get("show")).toEqual(PLOT_PARTS.filter((part) => part !== "base"));
    await painted();
    expect(row("base")?.getAttribute("aria-pressed")).toBe("false");
    // Their row says the weight of each.
    const [base, ...weights] = coefficientsOf(root);
    expect(base).not.toBe(weights[0]);
    const said = shown("basis")?.title.match(/B\d+ [−\d.]+/g) ?? [];
    expect(said.length).toBe(weights.length);
    said.forEach((text, b) => {
      const [name, value] = text.replace("−", "-").split(" ");
      expect(name).toBe(`B${b}`);
      expect(Number(value)).toBeCloseTo(weights[b], 2);
    });
    row("basis")?.click();
    expect(model.get("show")).not.toContain("basis");
    await painted();
    expect(row("basis")?.getAttribute("aria-pressed")).toBe("false");
    row("basis")?.click();
    expect(model.get("show")).toContain("basis");
  });

  it("can be walked through with the arrow keys", async () => {
    const { store } = makeStream();
    const { row, press } = show(store);
    await painted();
    row("phi")?.focus();
    press(row("phi") as HTMLElement, "ArrowDown");
    expect(document.activeElement).toBe(row("ghost"));
    press(document.activeElement as HTMLElement, "ArrowUp");
    expect(document.activeElement).toBe(row("phi"));
  });

  it("names φ and its parts where their lines end, as long as they are drawn", async () => {
    const { store } = makeStream();
    const { model, one } = show(store);
    const words = () => {
      const svg = one<SaveElement>(".kw-save").kwSave.svg() ?? "";
      const read = new DOMParser().parseFromString(svg, "text/xml");
      const texts = [...read.querySelectorAll("text")].map(({ textContent }) => textContent);
      return ["φ", "base", "splines"].map((name) => texts.filter((text) => text === name).length);
    };
    await painted();
    // The legend has rows of φ and of the splines; that of the base names its function too.
    expect(words()).toEqual([2, 1, 2]);
    model.set(
      "show",
      PLOT_PARTS.filter((part) => part !== "base"),
    );
    await painted();
    expect(words()).toEqual([2, 0, 2]);
  });

  it("names the terms of any basis, and the parts it has not got are not there", async () => {
    const run = makeRun(RUNS.article);
    const first = run.layout.layers[0];
    first.labels = first.labels.map((_, b) => `T${b}`);
    first.is_base = first.is_base.map(() => false);
    const { store } = makeStream("article", { layouts: [run.layout] });
    const { row, root, shown } = show(store);
    await painted();
    expect(row("base")).toBeNull();
    expect(shown("basis")?.label).toBe(`basis functions T0–T${first.labels.length - 1}`);
    const sum = run.layout.layers[0].labels
      .map((label) => root.kwView.curve(label)?.y ?? [])
      .reduce((total, y) => total.map((value, p) => value + y[p]));
    root.kwView.curve("phi")?.y.forEach((value, p) => {
      expect(sum[p]).toBeCloseTo(value, 10);
    });
  });
});

describe("the drawing", () => {
  it("shows the newest frame once, however many came, and changes with it", async () => {
    const { store, send } = makeStream();
    const { root } = show(store);
    await painted();
    const before = root.kwView.curve("phi")?.y ?? [];
    const { frames } = root.kwView.drawn();
    for (let step = 1; step <= 200; step++) send(step);
    await painted();
    expect(root.kwView.step()).toBe(200);
    expect(root.kwView.drawn().frames).toBe(frames + 1);
    expect(root.kwView.curve("phi")?.y).not.toEqual(before);
    expect(root.kwView.curve("ghost")?.y).toEqual(before);
  });

  it("follows the time cursor and the pinned step", async () => {
    const { store, send } = makeStream();
    const { root } = show(store);
    for (const step of [100, 200, 300]) send(step);
    await painted();
    const newest = root.kwView.curve("phi")?.y;
    store.setCursor(100);
    await painted();
    expect(root.kwView.step()).toBe(100);
    const then = root.kwView.curve("phi")?.y;
    expect(then).not.toEqual(newest);
    store.setCursor(-1);
    store.setGhostStep(100);
    await painted();
    expect(root.kwView.curve("phi")?.y).toEqual(newest);
    expect(root.kwView.curve("ghost")?.y).toEqual(then);
  });

  it("says what is not finite, and draws the other terms", async () => {
    const { store, send } = makeStream("broken");
    const { root, one, caption } = show(store);
    send(10);
    store.select({ layer: "conv1", out: 0, in: 0, row: 1, column: 0 });
    await painted();
    expect(caption()[0]).toBe("φ is not finite");
    expect(one(".kw-remark").className).toContain("kw-tone-warn");
    expect(root.kwView.curve("base")?.y.every(Number.isFinite)).toBe(true);
    expect(root.kwView.curve("B0")?.y.every(Number.isFinite)).toBe(true);
  });

  it("prints ranges, and what was observed", async () => {
    const { store, model } = makeStream();
    const { caption } = show(store);
    await painted();
    expect(caption()[0]).toMatch(
      /^φ (rises|falls) from −?\d\.\d{1,4} to −?\d\.\d{1,4}(, then (rises|falls) to −?\d\.\d{1,4})?$/,
    );
    expect(caption().join()).toContain("live.observe(batch) shows its inputs");
    model.receive(seen(9, new Float32Array(9)));
    await painted();
    expect(caption().join()).toContain("25 % of the inputs seen (8 samples) lie outside the grid");
  });

  it("keeps pinned functions to compare with", async () => {
    const { store } = makeStream();
    const { root, model, button, row, shown, site } = show(store);
    store.select({ layer: "conv1", out: 1, in: 0, row: 1, column: 1 });
    await painted();
    button("keep curve for comparison").click();
    const first = root.kwView.curve("phi")?.y;
    store.select({ layer: "conv2", out: 0, in: 0, row: 0, column: 0 });
    await painted();
    expect(root.kwView.curve("pin0")?.y).toEqual(first);
    expect(shown("pin:0")?.label).toBe("conv1 · kernel 1 · row 1, column 1");
    row("pin:0")?.click();
    expect(store.selection()).toMatchObject({ layer: "conv1", out: 1 });
    await painted();
    site("remove:pin:0")?.click();
    expect(model.get("pins")).toEqual([]);
  });

  it("draws the curves laid over its function, over their own x, and hides and removes them", async () => {
    const { store } = makeStream();
    const samples = Float32Array.from({ length: 5 }, (_, p) => (p === 4 ? Number.NaN : 10 * p));
    const place = { layer: "conv1", out: 1, in: 0, row: 1, column: 1 };
    const one = { ...place, label: "10·x", low: -0.5, high: 0.5 };
    const overlays = [
      { ...one, column: 0, samples: new DataView(samples.slice().buffer) },
      // Bytes that do not begin where their buffer does.
      { ...one, samples: new DataView(Float32Array.of(9, ...samples).buffer, 4) },
    ];
    const { root, model, row, shown, site } = show(store, { overlays });
    store.select({ ...place, row: 0 });
    await painted();
    expect(root.querySelectorAll('[data-site^="row:overlay:"]').length).toBe(0);
    const before = windowOf(root);
    store.select(place);
    await painted();
    expect(root.kwView.curve("overlay0")).toBeNull();
    const drawn = root.kwView.curve("overlay1");
    expect(drawn?.x).toEqual([-0.5, -0.25, 0, 0.25, 0.5]);
    expect(drawn?.y).toEqual([0, 10, 20, 30, Number.NaN]);
    expect(windowOf(root)?.y[1]).toBeGreaterThanOrEqual(30);
    expect(before?.y[1]).toBeLessThan(30);
    expect(row("overlay:0")).toBeNull();
    expect(shown("overlay:1")?.label).toBe("10·x");
    row("overlay:1")?.click();
    await painted();
    expect(root.kwView.curve("overlay1")).toBeNull();
    expect(row("overlay:1")?.getAttribute("aria-pressed")).toBe("false");
    row("overlay:1")?.click();
    await painted();
    expect(root.kwView.curve("overlay1")?.y[1]).toBe(10);
    expect(site("remove:overlay:1")?.getAttribute("aria-label")).toBe("Remove 10·x from the plot");
    site("remove:overlay:1")?.click();
    expect(model.get("overlays")).toEqual([overlays[0]]);
  });

  it("marks the input that another view points at", async () => {
    const { store } = makeStream();
    const { root, one } = show(store);
    await painted();
    const svg = () => one<SaveElement>(".kw-save").kwSave.svg() ?? "";
    const diamond = /fill="#6f42c1" stroke="#ffffff"/;
    expect(svg()).not.toMatch(diamond);
    pointedPixelOf(store).point({}, { layer: "conv1", valueFor: () => 0.5 });
    await painted();
    expect(svg()).toMatch(diamond);
    expect(readoutOf(root)).toBeNull();
  });
});

describe("what is not shown", () => {
  it("is named in the line over the drawing", async () => {
    const left_out = ["conv (Conv1d): no adapter knows Conv1d", "norm (BatchNorm1d): likewise"];
    const { store, model } = makeStream("article", { left_out });
    const { one } = show(store);
    await painted();
    expect(one(".kw-left-out").textContent).toBe(" · 2 layers are not shown");
    expect(one(".kw-left-out").title).toBe(left_out.join("\n"));
    model.set("left_out", []);
    await painted();
    expect(one(".kw-left-out").textContent).toBe("");
  });
});

describe("reading", () => {
  it("gives φ, its slope and its parts under the pointer, and nothing elsewhere", async () => {
    const { store } = makeStream();
    const { root, one, shown } = show(store);
    await painted();
    expect(readoutOf(root)).toBeNull();
    const place = root.kwView.point(0.5, 0);
    const move = (x: number, y: number) =>
      one(".kw-canvas").dispatchEvent(
        new PointerEvent("pointermove", { clientX: x, clientY: y, bubbles: true }),
      );
    move(place?.x ?? 0, place?.y ?? 0);
    await painted();
    const read = readoutOf(root);
    expect(read?.x).toBeCloseTo(0.5, 6);
    expect(Array.from(read?.terms ?? []).reduce((a, b) => a + b)).toBeCloseTo(read?.phi ?? 0, 12);
    expect(rowsOf(root)[0].value).toBe(printed(read?.phi ?? 0));
    expect(shown("base")?.value).toBe(printed(read?.base ?? 0));
    expect(shown("spline")?.value).toBe(printed(read?.spline ?? 0));
    one(".kw-canvas").dispatchEvent(new PointerEvent("pointerleave"));
    await painted();
    expect(readoutOf(root)).toBeNull();
  });

  it("goes along x with the arrow keys", async () => {
    const { store } = makeStream();
    const { root, one, press } = show(store);
    await painted();
    press(one(".kw-canvas"), "ArrowRight");
    press(one(".kw-canvas"), "ArrowRight");
    await painted();
    expect(readoutOf(root)?.x).toBeCloseTo(0.02, 6);
    expect(one(".kw-spoken").textContent).toContain("slope");
  });
});

describe("zooming and moving", () => {
  /** Turns the wheel; gives whether the page still scrolls. */
  const wheel = (
    target: HTMLElement,
    x: number,
    y: number,
    deltaY: number,
    how: WheelEventInit = { ctrlKey: true },
  ) => {
    const event = new WheelEvent("wheel", { deltaY, bubbles: true, cancelable: true });
    for (const [name, value] of Object.entries({ clientX: x, clientY: y, ...how })) {
      Object.defineProperty(event, name, { value });
    }
    target.dispatchEvent(event);
    return !event.defaultPrevented;
  };
  const pointer = (target: HTMLElement, type: string, x: number, y: number) =>
    target.dispatchEvent(
      new PointerEvent(type, { clientX: x, clientY: y, button: 0, bubbles: true }),
    );
  const length = (range?: readonly [number, number]) => (range ? range[1] - range[0] : Number.NaN);

  it("shows the grid at first, where the inputs are once they were observed, and all x by one click", async () => {
    const { store, model, run } = makeStream();
    const { root, one } = show(store);
    const choose = (range: string) => one<HTMLInputElement>(`input[value=${range}]`).click();
    await painted();
    expect(windowOf(root)?.x).toEqual([-1, 1]);
    const entries = run.layout.layers[0].shape.slice(1).reduce((a, b) => a * b, 1);
    const patches = Float32Array.from({ length: 1001 * entries }, (_, k) => {
      const p = Math.floor(k / entries);
      return p < 1 ? -2 : p > 999 ? 2 : (p - 1) / 1000;
    });
    model.receive(seen(entries, patches));
    await painted();
    const [low, high] = windowOf(root)?.x ?? [];
    // One input in a thousand is far out on either side; the rest lie between 0.004 and 0.994: rounded out.
    expect(low).toBe(0);
    expect(high).toBe(1);
    choose("all");
    await painted();
    expect(windowOf(root)?.x[0]).toBeCloseTo(-2.2, 6);
    expect(windowOf(root)?.x[1]).toBeCloseTo(2.2, 6);
    expect(one<HTMLInputElement>("input[value=all]").checked).toBe(true);
    choose("fit");
    await painted();
    expect(windowOf(root)?.x).toEqual([low, high]);
  });

  it("keeps the grid where the inputs do not vary", async () => {
    const { store, model, run } = makeStream();
    const { root } = show(store);
    const entries = run.layout.layers[0].shape.slice(1).reduce((a, b) => a * b, 1);
    model.receive(seen(entries, new Float32Array(50 * entries).fill(-1)));
    await painted();
    expect(windowOf(root)?.x).toEqual([-1, 1]);
  });

  it("keeps the place under the pointer, moves with it, and a double click shows all", async () => {
    const { store } = makeStream();
    const { root, one } = show(store);
    await painted();
    const whole = windowOf(root);
    const place = root.kwView.point(0.25, 0.05);
    wheel(one(".kw-canvas"), place?.x ?? 0, place?.y ?? 0, -240);
    await painted();
    expect(length(windowOf(root)?.x)).toBeLessThan(2 * 0.7);
    const before = root.kwView.point(0.25, 0.05);
    expect(before?.x).toBeCloseTo(place?.x ?? 0, 6);
    pointer(one(".kw-canvas"), "pointerdown", 300, 100);
    pointer(one(".kw-canvas"), "pointermove", 330, 90);
    pointer(one(".kw-canvas"), "pointerup", 330, 90);
    await painted();
    expect(root.kwView.point(0.25, 0.05)?.x).toBeCloseTo((before?.x ?? 0) + 30, 4);
    one(".kw-canvas").dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
    await painted();
    expect(windowOf(root)).toEqual(whole);
  });

  it("keeps what was zoomed to while training goes on", async () => {
    const { store, send } = makeStream();
    const { root, one } = show(store);
    await painted();
    const whole = windowOf(root);
    wheel(one(".kw-canvas"), 300, 100, -240);
    await painted();
    const closer = windowOf(root);
    expect(length(closer?.x)).toBeLessThan(length(whole?.x));
    send(300);
    await painted();
    expect(windowOf(root)?.x).toEqual(closer?.x);
  });

  it("leaves the wheel to the page, but with Ctrl or ⌘ zooms", async () => {
    const { store } = makeStream();
    const { root, one } = show(store);
    await painted();
    const turn = (how: WheelEventInit) => wheel(one(".kw-canvas"), 300, 100, -240, how);
    let before = windowOf(root);
    expect(turn({})).toBe(true);
    await painted();
    expect(windowOf(root)).toEqual(before);
    expect(one(".kw-readout").textContent).toContain("Ctrl + wheel zooms");
    for (const how of [{ ctrlKey: true }, { metaKey: true }]) {
      before = windowOf(root);
      expect(turn(how)).toBe(false);
      await painted();
      expect(length(windowOf(root)?.x)).toBeLessThan(length(before?.x));
    }
  });

  it("fits y to what is seen of the curves, and never shows an empty plot", async () => {
    const { store, send } = makeStream();
    const { root, one, press } = show(store, { show: ["phi"] });
    await painted();
    const canvas = one(".kw-canvas");
    const visible = () => {
      const { x, y } = root.kwView.curve("phi") ?? { x: [], y: [] };
      const { x: across, y: up } = windowOf(root) ?? { x: [0, 0], y: [0, 0] };
      return y.filter((v, p) => x[p] >= across[0] && x[p] <= across[1] && v >= up[0] && v <= up[1]);
    };
    wheel(canvas, 400, 20, -240);
    wheel(canvas, 400, 20, -240);
    await painted();
    const { y } = root.kwView.curve("phi") ?? { y: [] };
    expect(visible().length).toBe(y.length);
    const spread = Math.max(...y) - Math.min(...y);
    expect(length(windowOf(root)?.y)).toBeLessThan(2 * spread);
    // Whatever is done, in a fixed order that looks like none.
    let seed = 1;
    const chance = () => {
      seed = (seed * 16807) % 2147483647;
      return seed / 2147483647;
    };
    for (let k = 0; k < 50; k++) {
      const [px, py] = [10 + 410 * chance(), 10 + 280 * chance()];
      const what = chance();
      if (what < 0.6) wheel(canvas, what < 0.3 ? 20 : px, py, 480 * (chance() - 0.6));
      else if (what < 0.8) {
        pointer(canvas, "pointerdown", px, py);
        pointer(canvas, "pointermove", 700 * chance(), 3000 * (chance() - 0.5));
        pointer(canvas, "pointerup", 0, 0);
      } else if (what < 0.9) press(canvas, chance() < 0.5 ? "ArrowUp" : "ArrowDown");
      else send(k);
      await painted();
      const { x, y } = root.kwView.curve("phi") ?? { x: [], y: [] };
      const { y: up } = windowOf(root) ?? { y: [0, 0] };
      const crosses = x.some(
        (_, p) => p > 0 && Math.max(y[p - 1], y[p]) >= up[0] && Math.min(y[p - 1], y[p]) <= up[1],
      );
      expect(crosses, `after ${k + 1} moves`).toBe(true);
    }
  });
});

describe("editing", () => {
  it("draws what the pointer says at once and sends it, the last value always", async () => {
    const { store, model } = makeStream();
    store.select({ layer: "conv1", out: 0, in: 0, row: 0, column: 0 });
    const { root, pointer } = show(store);
    await painted();
    const from = controlPointOf(root, "B3");
    const wanted = root.kwView.point(0, 0.1);
    pointer("pointerdown", from?.x ?? 0, from?.y ?? 0);
    pointer("pointermove", from?.x ?? 0, (from?.y ?? 0) - 3);
    pointer("pointermove", from?.x ?? 0, wanted?.y ?? 0);
    await painted(25);
    expect(controlPointOf(root, "B3")?.value).toBeCloseTo(0.1, 6);
    expect(coefficientsOf(root)?.[4]).toBeCloseTo(0.1, 6);
    pointer("pointerup", from?.x ?? 0, wanted?.y ?? 0);
    const sent = edits(model.sent);
    expect(sent.at(-1)).toMatchObject({
      layer: "conv1",
      out: 0,
      in: 0,
      row: 0,
      column: 0,
      final: true,
    });
    expect(weightOf(sent.at(-1), 4)).toBeCloseTo(0.1, 6);
    expect(sent.filter(({ final }) => final).length).toBe(1);
  });

  it("goes on when the pointer leaves the axis: a point that is held is never hidden", async () => {
    const { store } = makeStream();
    const { root, handle, pointer } = show(store);
    await painted();
    const from = controlPointOf(root, "B3");
    const above = 3 * (windowOf(root)?.y[1] ?? 0);
    pointer("pointerdown", from?.x ?? 0, from?.y ?? 0);
    pointer("pointermove", from?.x ?? 0, root.kwView.point(0, above)?.y ?? 0);
    await painted();
    expect(handle("B3").hidden).toBe(false);
    const plot = root.kwView.plot();
    const drawn = controlPointOf(root, "B3")?.y ?? 0;
    expect(drawn).toBeGreaterThan(plot?.y ?? 0);
    expect(drawn).toBeLessThan((plot?.y ?? 0) + (plot?.height ?? 0));
    const held = windowOf(root);
    expect(held?.y[1]).toBeGreaterThan(above);
    pointer("pointerup", from?.x ?? 0, 0);
    pointer("pointerleave", from?.x ?? 0, 0);
    await painted();
    expect(coefficientsOf(root)?.[4]).toBeCloseTo(above, 6);
    expect(windowOf(root), "nothing moves when it is let go of").toEqual(held);
  });

  it("holds the curve until the model's frame has the value", async () => {
    const { store, model, run, send } = makeStream();
    store.select({ layer: "conv1", out: 0, in: 0, row: 0, column: 0 });
    const { root, handle, press } = show(store);
    await painted();
    press(handle("B1"), "ArrowUp");
    press(handle("B1"), "ArrowUp", "keyup");
    const mine = (edits(model.sent).at(-1)?.coefficients ?? []) as number[];
    send(10); // training knows nothing of it yet
    await painted();
    expect(coefficientsOf(root)?.[2]).toBeCloseTo(mine[2], 6);
    const data = run.frame(20);
    mine.forEach((value, b) => {
      data.setFloat32(4 * b, value, true);
    });
    send(20, data);
    send(30); // so soon that the frame before is never drawn
    await vi.waitFor(() => expect(root.kwView.step()).toBe(30), { timeout: 20_000 });
    expect(coefficientsOf(root)?.[2]).not.toBeCloseTo(mine[2], 6);
  });

  it("moves a point by a hundredth of the range with up and down, and between points sideways", async () => {
    const { store, model } = makeStream();
    const { root, handle, press } = show(store);
    await painted();
    const [low, high] = windowOf(root)?.y ?? [0, 0];
    const before = coefficientsOf(root) ?? [];
    handle("B2").focus();
    press(handle("B2"), "ArrowRight");
    expect(document.activeElement).toBe(handle("B3"));
    for (let k = 0; k < 3; k++) press(handle("B3"), "ArrowDown");
    press(handle("B3"), "ArrowDown", "keyup");
    const after = edits(model.sent).at(-1)?.coefficients as number[];
    expect(after[4]).toBeCloseTo(before[4] - 0.03 * (high - low), 6);
    expect(edits(model.sent).filter(({ final }) => final).length).toBe(1);
  });

  it("is taken back by Escape while the point is held", async () => {
    const { store, model } = makeStream();
    const { root, handle, press } = show(store);
    await painted();
    const before = coefficientsOf(root) ?? [];
    press(handle("B2"), "ArrowUp");
    press(handle("B2"), "Escape");
    expect(edits(model.sent).at(-1)).toMatchObject({ final: true, coefficients: before });
  });

  it("has buttons for the kernel's commands, as far as there is anything to do", async () => {
    const { store, model } = makeStream();
    store.select({ layer: "conv1", out: 0, in: 0, row: 0, column: 0 });
    const { button } = show(store);
    await painted();
    expect([button("↶ undo").disabled, button("↷ redo").disabled]).toEqual([true, true]);
    // No input was seen that a formula could be fitted to.
    expect(button("formula").disabled).toBe(true);
    expect(button("formula").title).toContain("Observe a batch first");
    model.set("edits", { undo: 2, redo: 1, message: "" });
    await painted();
    expect([button("↶ undo").disabled, button("↷ redo").disabled]).toEqual([false, false]);
    for (const text of ["↶ undo", "↷ redo", "step 0", "straight line", "zero"])
      button(text).click();
    const at = { layer: "conv1", out: 0, in: 0, row: 0, column: 0 };
    expect((model.sent as { kind: string }[]).filter(({ kind }) => !kind.endsWith("?"))).toEqual([
      { kind: "undo" },
      { kind: "redo" },
      { kind: "reset", ...at },
      { kind: "straighten", ...at },
      { kind: "zero", ...at },
    ]);
  });

  it("says what was refused, and draws the model's function again", async () => {
    const { store, model } = makeStream();
    const { root, handle, press, one } = show(store);
    await painted();
    const before = coefficientsOf(root);
    press(handle("B2"), "ArrowUp");
    press(handle("B2"), "ArrowUp", "keyup");
    model.set("edits", { undo: 0, redo: 0, message: "the scaler is 0" });
    await painted();
    expect(one(".kw-readout").textContent).toBe("the scaler is 0");
    expect(coefficientsOf(root)).toEqual(before);
  });

  it("is not offered where a layer is locked, and says why; nor while looking back", async () => {
    const run = makeRun(RUNS.article);
    run.layout.layers[0].locked = "Its functions share a table.";
    const { store, send } = makeStream("article", { layouts: [run.layout] });
    const { one, button, handle, caption } = show(store);
    send(50);
    await painted();
    expect(one(".kw-readout").textContent).toBe("Its functions share a table.");
    expect(button("zero").disabled).toBe(true);
    expect(handle("B1").disabled).toBe(true);
    store.select({ layer: "conv2", out: 0, in: 0, row: 0, column: 0 });
    await painted();
    expect(handle("B1").disabled).toBe(false);
    expect(caption().join()).toContain("same kernels");
    store.setCursor(0);
    await painted();
    expect(handle("B1").disabled).toBe(true);
    expect(button("zero").disabled).toBe(true);
    expect(one(".kw-readout").textContent).toContain("an earlier step");
  });

  it("is not there at all in a view that only looks", async () => {
    const { store } = makeStream();
    const { one, handle } = show(store, { editable: false });
    await painted();
    expect(one(".kw-editing").hidden).toBe(true);
    expect(handle("B1").disabled).toBe(true);
  });
});

describe("a view", () => {
  it("has a label on every control", async () => {
    const { root } = show(makeStream().store, {
      pins: [{ layer: "fc", out: 0, in: 0, row: 0, column: 0 }],
    });
    await painted();
    const controls = root.querySelectorAll(
      ".kw-header :is(input, select, button), .kw-save button",
    );
    const places = root.querySelectorAll(".kw-place");
    expect(controls.length).toBeGreaterThan(15);
    expect(places.length).toBeGreaterThan(15);
    for (const place of places) expect(place.getAttribute("aria-label")).toBeTruthy();
    for (const control of controls) {
      const name = control.getAttribute("aria-label") || control.textContent;
      expect(name, control.outerHTML).toBeTruthy();
      expect(control.getAttribute("title"), control.outerHTML).toBeTruthy();
    }
  });

  it("waits in words without a stream or a frame", async () => {
    const el = document.body.appendChild(document.createElement("div"));
    const model = new FakeModel(TRAITS);
    const host = { getWidget: () => Promise.reject(new Error("no such model")) };
    render({ model, el, host, signal: life.signal } as never);
    await painted();
    expect(el.querySelector(".kw-message")?.textContent).toContain("no such model");
    const { one } = show(makeStream("article", { initial: {}, layouts: [] }).store);
    await painted();
    expect(one(".kw-message").textContent).toBe("waiting for the first frame…");
  });

  it("does not talk on every frame", async () => {
    const { store, send } = makeStream();
    const { one } = show(store);
    await painted();
    one(".kw-canvas").focus();
    const said = one(".kw-canvas").getAttribute("aria-label");
    send(300);
    await painted();
    expect(one(".kw-canvas").getAttribute("aria-label")).toBe(said);
    one(".kw-canvas").blur();
    await painted();
    expect(one(".kw-canvas").getAttribute("aria-label")).not.toBe(said);
    expect(one(".kw-remark").closest("[aria-live], [role=status]")).toBeNull();
  });

  it("removes its listeners when it closes, and leaves another of the same widget alive", async () => {
    const { store, send } = makeStream();
    const ends = [new AbortController(), new AbortController()];
    const first = show(store, {}, ends[0].signal);
    const el = document.body.appendChild(document.createElement("div"));
    const host = { getWidget: async () => ({ exports: store }) };
    render({ model: first.model, el, host, signal: ends[1].signal } as never);
    const other = el.querySelector(".kw-spline-inspector") as InspectorElement;
    await painted();
    const both = first.model.listeners();
    ends[0].abort();
    expect(first.el.childElementCount).toBe(0);
    expect(first.model.listeners()).toBe(both / 2);
    send(30);
    await painted();
    expect(other.kwView.step()).toBe(30);
    ends[1].abort();
    expect(first.model.listeners()).toBe(0);
  });

  it("lets go of a point that is held when it closes: the last value is sent", async () => {
    const { store, model } = makeStream();
    const end = new AbortController();
    const { handle, press } = show(store, {}, end.signal);
    await painted();
    press(handle("B2"), "ArrowUp");
    end.abort();
    expect(edits(model.sent).at(-1)).toMatchObject({ final: true });
  });
});

describe("the theme", () => {
  it("is drawn although the page had no width at the moment when it changed", async () => {
    const { model } = show(makeStream().store);
    await painted();
    const width = vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(0);
    model.set("theme", "dark");
    await painted();
    drawings.mockClear();
    width.mockReturnValue(700);
    await vi.waitFor(() => expect(drawings).toHaveBeenCalled(), { timeout: 20_000 });
  });
});
