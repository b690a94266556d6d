// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  curvesOf,
  dragged,
  fitting,
  scaled,
  shareOf,
  stepAt,
  valueAt,
} from "../src/views/chart/curves.ts";
import chart from "../src/views/chart/index.ts";
import { FakeModel } from "./fake_model.ts";

describe("curves", () => {
  const x = new Float64Array([1, 2, 4, 8]);
  const y = new Float64Array([10, 20, 40, 80]);

  it("come from one array or several", () => {
    expect(curvesOf(x, y)).toEqual([{ x, y }]);
    expect(curvesOf([x, x], [y, x])).toEqual([
      { x, y },
      { x, y: x },
    ]);
    expect(curvesOf(undefined, undefined)).toEqual([]);
  });

  it("give the value at the nearest step", () => {
    expect(valueAt({ x, y }, 2.9)).toEqual({ step: 2, value: 20 });
    expect(valueAt({ x, y }, 3.1)).toEqual({ step: 4, value: 40 });
    expect(valueAt({ x, y }, 8)).toEqual({ step: 8, value: 80 });
  });

  it("give none before their first step and beyond their last", () => {
    expect(valueAt({ x, y }, 0)).toBeNull();
    expect(valueAt({ x, y }, 8.5)).toBeNull();
    expect(valueAt({ x, y }, 8.5, 1)).toEqual({ step: 8, value: 80 });
  });

  it("do not count the point that is nowhere", () => {
    const curve = { x: [1, 2, 1e12, 1e12], y: [1, Number.NaN, 0, 0] };
    expect(valueAt(curve, 2)).toEqual({ step: 2, value: Number.NaN });
    expect(valueAt(curve, 1e12)).toBeNull();
    expect(valueAt({ x: [1e12], y: [0] }, 1e12)).toBeNull();
  });
});

describe("spans of steps", () => {
  it("turn places into steps and back", () => {
    expect(stepAt([100, 300], 0.25)).toBe(150);
    expect(shareOf([100, 300], 150)).toBe(0.25);
  });

  it("are chosen by a drag in either direction, within the ends", () => {
    expect(dragged([0, 100], 0.2, 0.5, 0.01)).toEqual([20, 50]);
    expect(dragged([0, 100], 0.5, -0.4, 0.01)).toEqual([0, 50]);
    expect(dragged([0, 100], 0.5, 0.501, 0.01)).toBeNull();
  });

  it("keep their middle when scaled, and two steps at least", () => {
    expect(scaled([0, 100], 0.5)).toEqual([25, 75]);
    expect(scaled([10, 11], 0.1)).toEqual([9.5, 11.5]);
  });

  it("have labels only where they do not touch", () => {
    expect(fitting([0, 10, 60, 95], [20, 20, 20, 20], 100)).toEqual([true, false, true, false]);
  });
});

describe("the chart", () => {
  let life: AbortController;

  beforeEach(() => {
    life = new AbortController();
  });

  afterEach(() => {
    life.abort();
    vi.restoreAllMocks();
    document.body.replaceChildren();
  });

  const settle = () => new Promise((done) => setTimeout(done, 80));

  async function show(traits: Record<string, unknown> = {}, connection: object = {}) {
    const steps = new FakeModel({ min: 0, max: 100 });
    Object.assign(steps, connection);
    // bqplot's scales take several values at once.
    Object.assign(steps, { set: (values: Record<string, unknown>) => steps.update(values) });
    const raw = new FakeModel({
      x: [new Float64Array([0, 50, 100]), new Float64Array([0, 50, 100])],
      y: [new Float64Array([3, 2, 1]), new Float64Array([6, 5, 4])],
    });
    const smooth = new FakeModel({ x: new Float64Array([1e12]), y: new Float64Array([0]) });
    const known: Record<string, unknown> = { s: steps, r: raw, m: smooth };
    const model = new FakeModel({
      panels: [
        {
          title: "loss",
          names: ["loss", "val_loss"],
          colours: [0, 1],
          raw: "r",
          smooth: "m",
          y: "y",
          figure: "f",
        },
      ],
      latest: [["1", "4"]],
      steps: "s",
      marks: [[50, "lr 0.1 → 0.01"]],
      zoom: [],
      scale: "linear",
      smoothing: 0,
      theme: "light",
      ...traits,
    });
    Object.assign(model, { widget_manager: { get_model: async (id: string) => known[id] } });
    const box = document.body.appendChild(document.createElement("div"));
    box.className = "kw-chart";
    const el = box.appendChild(document.createElement("div"));
    const figure = box.appendChild(document.createElement("div"));
    figure.className = "bqplot figure kw-figure-f";
    const plot = figure.appendChild(document.createElement("div"));
    plot.className = "plotarea_events";
    vi.spyOn(plot, "getBoundingClientRect").mockReturnValue({
      left: 40,
      top: 20,
      right: 240,
      bottom: 120,
      width: 200,
      height: 100,
      x: 40,
      y: 20,
    } as DOMRect);
    figure.setPointerCapture = () => {};
    chart.render({ model, el, signal: life.signal } as never);
    await settle();
    const point = async (type: string, clientX: number, clientY = 60) => {
      figure.dispatchEvent(new PointerEvent(type, { clientX, clientY, button: 0, bubbles: true }));
      await settle();
    };
    const head = () => box.querySelector(".kw-over-head")?.textContent ?? "";
    return { box, el, model, steps, raw, smooth, point, head };
  }

  it("writes the last value of every curve", async () => {
    const { head } = await show();
    expect(head()).toBe("loss 1val_loss 4");
  });

  it("writes the values at the step under the mouse, and draws a line there", async () => {
    const { head, box, point } = await show();
    await point("pointermove", 142);
    expect(head()).toBe("loss 2val_loss 5step 50");
    const line = box.querySelector(".kw-over-line") as HTMLElement;
    expect([line.hidden, line.style.transform]).toEqual([false, "translate(140px, 20px)"]);
    await point("pointerleave", 0);
    expect(head()).toBe("loss 1val_loss 4");
    expect(line.hidden).toBe(true);
  });

  it("zooms to what is dragged over, at once and for the kernel", async () => {
    const { model, steps, point } = await show();
    await point("pointerdown", 90);
    await point("pointermove", 140);
    await point("pointerup", 140);
    expect(model.get("zoom")).toEqual([25, 50]);
    expect(model.saves).toBe(1);
    expect([steps.get("min"), steps.get("max")]).toEqual([25, 50]);
  });

  it("keeps the zoom when the kernel sends the steps of before", async () => {
    const { steps } = await show({ zoom: [10, 20] });
    steps.update({ min: 0, max: 200 });
    expect([steps.get("min"), steps.get("max")]).toEqual([10, 20]);
  });

  it("shows all again on a double click", async () => {
    const { model, point } = await show({ zoom: [10, 20] });
    await point("dblclick", 100);
    expect(model.get("zoom")).toEqual([]);
  });

  it("takes a click for no zoom", async () => {
    const { model, point } = await show();
    await point("pointerdown", 90);
    await point("pointerup", 92);
    expect(model.get("zoom")).toEqual([]);
  });

  it("has controls with titles and labels that set the traits", async () => {
    const { el, model } = await show();
    const controls = [...el.querySelectorAll<HTMLInputElement>("input, select, button")];
    expect(controls.length).toBe(6);
    for (const control of controls) {
      expect(control.title, control.outerHTML).toBeTruthy();
      expect(control.getAttribute("aria-label"), control.outerHTML).toBeTruthy();
    }
    const log = el.querySelector<HTMLInputElement>('input[value="log"]') as HTMLInputElement;
    log.checked = true;
    log.dispatchEvent(new Event("change"));
    const select = el.querySelector("select") as HTMLSelectElement;
    select.value = "100";
    select.dispatchEvent(new Event("change"));
    (el.querySelector('[aria-label="Zoom in"]') as HTMLButtonElement).click();
    expect([model.get("scale"), model.get("smoothing"), model.get("zoom")]).toEqual([
      "log",
      100,
      [25, 75],
    ]);
  });

  it("writes what the marks mean", async () => {
    const { box } = await show();
    expect(box.querySelector(".kw-over-mark")?.textContent).toBe("lr 0.1 → 0.01");
  });

  it("writes what was logged, with the mean beside it under the mouse", async () => {
    const { head, smooth, point } = await show({ smoothing: 10 });
    smooth.update({
      x: [new Float64Array([0, 100]), new Float64Array([0, 100])],
      y: [new Float64Array([3, 1.5]), new Float64Array([6, 4.5])],
    });
    await settle();
    expect(head()).toBe("loss 1val_loss 4");
    await point("pointermove", 238);
    expect(head()).toBe("loss 1 (mean 1.5)val_loss 4 (mean 4.5)step 100");
  });

  it("writes the value logged last, also where other steps are drawn", async () => {
    const { head, model } = await show({ zoom: [10, 20], latest: [["0.592", "NaN"]] });
    expect(head()).toBe("loss 0.592val_loss NaN");
    model.update({ latest: [["0.31", "4"]] });
    await settle();
    expect(head()).toBe("loss 0.31val_loss 4");
  });

  it("does not offer what the kernel draws where there is none, and says why", async () => {
    const later = await show({}, { comm_live: false });
    for (const control of later.el.querySelectorAll<HTMLInputElement>("input, select")) {
      expect(control.disabled).toBe(true);
      expect(control.title).toMatch(/none behind/);
    }
    const zoom = later.el.querySelector('[aria-label="Zoom in"]') as HTMLButtonElement;
    expect(zoom.disabled).toBe(false);
  });

  it("leaves nothing behind", async () => {
    const { box, model, steps, raw, smooth } = await show();
    life.abort();
    expect([model, steps, raw, smooth].map((one) => one.handlers)).toEqual([0, 0, 0, 0]);
    expect(box.querySelector(".kw-over")).toBeNull();
  });
});
