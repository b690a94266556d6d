// @vitest-environment happy-dom

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { paletteOf } from "../src/phi/palette.ts";
import {
  barsOf,
  cellOf,
  mapOf,
  mapTitle,
  nameOf,
  numberFor,
  readContent,
  restText,
  selectionFor,
  tilesOf,
} from "../src/views/explain/content.ts";
import explain, { type ExplainElement } from "../src/views/explain/index.ts";
import { overlayPixels } from "../src/views/explain/pixels.ts";
import { FrameStore } from "../src/wire/store.ts";
import type { Selection } from "../src/wire/types.ts";
import { FakeModel } from "./fake_model.ts";
import { bytes, layer } from "./samples.ts";

const functions = {
  layer: "linear",
  kind: "functions",
  rows: 1,
  columns: 12,
  // 3 channels of 2 × 2
  values: bytes([0, 0, 0.5, 0, 0, -2, 0, 1, 0.25, 0, 0, 0]),
  beside: null,
  besideLabel: "",
  kernel: [1, 1],
  shared: false,
  places: [3, 2, 2],
  mapped: [],
  maps: null,
  mapShape: [2, 2],
  total: bytes([0.25, -2, 0.5, 1]),
  sentence: "exact",
};
const kernels = {
  layer: "conv1",
  kind: "kernels",
  rows: 2,
  columns: 3,
  values: bytes([1, -3, 0, 2, 0.5, -0.5]),
  beside: bytes([1.5, -2, 0, Number.NaN, 0, 0]),
  besideLabel: "alone",
  kernel: [2, 2],
  shared: false,
  places: null,
  mapped: [1, 3],
  maps: bytes([-1, -2, 1, 1]),
  mapShape: [1, 2],
  total: bytes([0, -1]),
  sentence: "integrated gradients",
};
const wire = {
  step: 40,
  target: 1,
  predicted: 0,
  scores: [3, -0.25],
  image: { shape: [1, 2, 4], data: bytes([0, 1, 0, 1, 0, 1, 0, 1]) },
  parts: [functions, kernels],
  notes: ["a note"],
};
const content = readContent(wire as never);
if (!content) throw new Error("nothing was read");
const [last, conv] = content.parts;

describe("the shares", () => {
  it("are named by their place, and the function they select is one of theirs", () => {
    expect(nameOf(last, 5)).toBe("channel 1 · row 0 · column 1");
    expect(nameOf({ ...last, places: null }, 5)).toBe("input 5");
    expect(nameOf(conv, 4)).toBe("out 1 · in 1");
    expect(selectionFor(last, 5, 1)).toEqual({ layer: "linear", out: 1, in: 5, row: 0, column: 0 });
    expect(selectionFor(conv, 4, 1)).toEqual({ layer: "conv1", out: 1, in: 1, row: 1, column: 1 });
    for (const part of [last, conv]) {
      for (let k = 0; k < part.values.length; k++) {
        expect(numberFor(part, selectionFor(part, k, 1), 1)).toBe(k);
      }
    }
  });

  it("of another class or layer are not marked", () => {
    expect(numberFor(last, selectionFor(last, 5, 0), 1)).toBe(-1);
    expect(numberFor(conv, selectionFor(last, 5, 1), 1)).toBe(-1);
    expect(numberFor(conv, { ...selectionFor(conv, 5, 1), in: 9 }, 1)).toBe(-1);
    expect(numberFor(conv, null, 1)).toBe(-1);
  });

  it("of a shared kernel are one for each channel: the one chosen, or else the largest", () => {
    const shared = { ...conv, shared: true };
    expect(nameOf(shared, 4)).toBe("out 1 · channel 1");
    const selection = selectionFor(shared, 4, 1);
    expect(selection.in).toBe(0);
    expect(numberFor(shared, selection, 1)).toBe(3);
    expect(numberFor(shared, selection, 1, 4)).toBe(4);
    expect(numberFor(shared, selection, 1, 1)).toBe(3);
  });

  it("are listed from the largest, the selected one after them, and the rest is added up", () => {
    const bars = barsOf(conv, 2, 5);
    expect(bars.map(({ number }) => number)).toEqual([1, 3, 5]);
    expect(bars.map(({ value }) => value)).toEqual([-3, 2, -0.5]);
    expect(bars[1].beside).toBeNaN();
    expect(restText(conv, bars)).toBe("3 others together +1.5");
    expect(restText(conv, barsOf(conv, 6, -1))).toBe("");
    expect(restText(conv, barsOf(conv, 5, -1))).toBe("1 other 0");
  });
});

describe("the maps", () => {
  it("are a kernel's own, a function's channel, or the whole", () => {
    expect(Array.from(mapOf(conv, 3)?.data ?? [])).toEqual([1, 1]);
    expect(mapOf(conv, 0)).toBeNull();
    expect(Array.from(mapOf(conv, -1)?.data ?? [])).toEqual([0, -1]);
    expect(Array.from(mapOf(last, 5)?.data ?? [])).toEqual([0, -2, 0, 1]);
    expect(mapTitle(last, 5)).toBe("channel 1");
    expect(cellOf(last, 7)).toEqual({ left: 0.5, top: 0.5, width: 0.5, height: 0.5 });
    expect(cellOf(conv, 3)).toBeNull();
  });

  it("in small are those of the largest shares", () => {
    expect(tilesOf(conv, 12).map(({ number }) => number)).toEqual([1, 3]);
    const channels = tilesOf(last, 2);
    expect(channels.map(({ title, number, value }) => [title, number, value])).toEqual([
      ["channel 1", 5, -1],
      ["channel 0", 2, 0.5],
    ]);
  });

  it("cover the image the more the larger they are", () => {
    const image = content.image as NonNullable<typeof content.image>;
    const palette = paletteOf("light");
    const map = { height: 1, width: 2, data: Float32Array.of(0, 2) };
    const pixels = overlayPixels(image, map, 2, palette, "light");
    const at = (row: number, column: number) =>
      Array.from(pixels.slice(4 * (4 * row + column), 4 * (4 * row + column) + 3));
    // The left half shows the image faintly, black and white; the right half the last colour.
    expect(at(0, 0)).toEqual([178, 178, 178].map((v) => expect.closeTo(v, -1)));
    expect(at(0, 1)).toEqual([255, 255, 255]);
    const end = Array.from(palette.bytes.slice(-3));
    expect([at(0, 2), at(1, 3)]).toEqual([end, end]);
  });
});

describe("the view", () => {
  let life: AbortController;
  let selected: (Selection | null)[];
  let store: FrameStore;

  beforeEach(() => {
    life = new AbortController();
    selected = [];
    store = new FrameStore({
      select: (selection) => selected.push(selection),
      setCursor() {},
      setGhostStep() {},
      edit() {},
      command() {},
      askObserved() {},
    });
    const layers = [
      layer({ shape: [2, 3, 2, 2] }),
      layer({ name: "linear", shape: [2, 12, 1, 1] }),
    ];
    const data = new Float32Array(2 * 12 * 9);
    store.takeLive({ step: 40, layout: { version: 0, layers }, data }, 0);
  });
  afterEach(() => life.abort());

  async function show(traits: Record<string, unknown> = {}) {
    const model = new FakeModel({
      stream: "s",
      content: wire,
      message: "",
      layer: "linear",
      target: null,
      top: 30,
      theme: "light",
      ...traits,
    });
    const el = document.body.appendChild(document.createElement("div"));
    const host = { getWidget: async () => ({ exports: store }) };
    explain.render({ model: model.model, el, host, signal: life.signal } as never);
    await new Promise((resolve) => setTimeout(resolve));
    const root = el.querySelector(".kw-explain") as ExplainElement;
    const texts = (selector: string) =>
      Array.from(root.querySelectorAll(selector), (node) => node.textContent);
    return { model, root, texts };
  }

  it("shows a tab for each layer, the classes, how it adds up, and a bar for each share", async () => {
    const { root, texts } = await show();
    expect(texts(".kw-segment")).toEqual(["linear", "conv1"]);
    expect(texts(".kw-options option")).toEqual(["0: 3 (highest)", "1: −0.25"]);
    expect(root.querySelector<HTMLSelectElement>("select")?.value).toBe("1");
    expect(texts(".kw-sentence")).toEqual(["exact"]);
    expect(texts(".kw-note")).toEqual(["a note"]);
    expect(texts(".kw-bar-value").slice(0, 4)).toEqual(["−2", "+1", "+0.5", "+0.25"]);
    const controls = root.querySelectorAll("input, select, button");
    for (const control of controls) expect(control.getAttribute("title")).toBeTruthy();
  });

  it("selects what is clicked and marks what is selected, in the layer that has it", async () => {
    const { model, root, texts } = await show();
    root.querySelectorAll<HTMLElement>(".kw-bar")[0].click();
    expect(selected).toEqual([{ layer: "linear", out: 1, in: 5, row: 0, column: 0 }]);
    expect(root.kwExplain.selected()).toBe(5);
    expect(texts(".kw-bar.kw-chosen .kw-bar-name")).toEqual(["channel 1 · row 0 · column 1"]);
    expect(root.querySelector<HTMLElement>(".kw-place")?.hidden).toBe(false);
    store.takeSelection({ layer: "conv1", out: 1, in: 0, row: 0, column: 1 });
    expect(model.get("layer")).toBe("conv1");
    expect(root.kwExplain.selected()).toBe(3);
    expect(texts(".kw-map .kw-picture-title")).toEqual(["out 1 · in 0"]);
    root.querySelectorAll<HTMLElement>(".kw-tile")[0].click();
    expect(selected.at(-1)).toEqual({ layer: "conv1", out: 0, in: 1, row: 1, column: 1 });
    store.takeSelection(null);
    expect(root.kwExplain.selected()).toBe(-1);
  });

  it("asks Python for another class, and for the model as it is now", async () => {
    const { model, root, texts } = await show();
    const select = root.querySelector("select") as HTMLSelectElement;
    select.value = "0";
    select.dispatchEvent(new Event("change", { bubbles: true }));
    expect(model.get("target")).toBe(0);
    expect(texts(".kw-again")).toEqual(["↻"]);
    const frame = store.latest();
    if (frame) store.takeLive({ ...frame, step: 1200 }, 0);
    expect(texts(".kw-again")).toEqual(["↻ step 1,200"]);
    root.querySelector<HTMLElement>(".kw-again")?.click();
    expect(model.sent).toEqual([{ kind: "explain" }]);
    model.update({ message: "waiting" });
    expect(texts(".kw-warning")).toEqual(["waiting"]);
  });

  it("keeps what is chosen where the stream does not have the layer", async () => {
    store.takeLive(
      {
        step: 41,
        layout: { version: 1, layers: [layer({ name: "other" })] },
        data: new Float32Array(216),
      },
      0,
    );
    const { root } = await show();
    root.querySelectorAll<HTMLElement>(".kw-bar")[1].click();
    expect(selected).toEqual([]);
    expect(root.kwExplain.selected()).toBe(7);
  });

  it("has no pictures where the input is no image", async () => {
    const image = { shape: [8], data: bytes([0, 1, 0, 1, 0, 1, 0, 1]) };
    const { root } = await show({ content: { ...wire, image } });
    expect(root.querySelector<HTMLElement>(".kw-pictures")?.hidden).toBe(true);
    expect(root.querySelectorAll(".kw-bar").length).toBe(12);
  });

  it("lets go of everything at its end", async () => {
    const { model, root } = await show();
    expect(model.handlers).toBeGreaterThan(0);
    const drawn = vi.spyOn(root, "toggleAttribute");
    life.abort();
    expect(model.handlers).toBe(0);
    store.takeSelection({ layer: "conv1", out: 1, in: 0, row: 0, column: 1 });
    expect(drawn).not.toHaveBeenCalled();
    expect(root.isConnected).toBe(false);
  });
});
