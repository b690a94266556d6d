/** A layer of which the page has a window: its functions keep the names that they have in the whole layer. */

import { describe, expect, it, vi } from "vitest";
import { entryText, functionOf, layerSize, selectionOf } from "../src/phi/entries.ts";
import { isComputable } from "../src/phi/forward.ts";
import { functionIn, groupOf, pairEntries, selectionIn } from "../src/phi/pair.ts";
import { NOWHERE, type Scene } from "../src/scene/marks.ts";
import { themeOf } from "../src/scene/theme.ts";
import { layerMap, lookedAt, underMap } from "../src/views/kernel_grid/map.ts";
import { graphOf } from "../src/views/network_view/graph.ts";
import { readLayout, readSummaries } from "../src/wire/protocol.ts";
import { initialize } from "../src/wire/stream.ts";
import type { LayerLayout, Station, Summary } from "../src/wire/types.ts";
import { FakeModel } from "./fake_model.ts";
import { bytes, layer, wireFrame, wireLayout } from "./samples.ts";

/** Outputs 10, 11 and inputs 20 to 22 of 40 × 30 kernels. */
const part = layer({
  shape: [2, 3, 2, 2],
  window: { whole: [40, 30, 2, 2], out: 10, in: 20 },
});

describe("a window of a layer", () => {
  it("has functions that are called as in the whole layer", () => {
    const last = { layer: "conv1", out: 11, in: 22, row: 1, column: 1 };
    expect(selectionOf(part, 23)).toEqual(last);
    expect(functionOf(part, last)).toBe(23);
    expect(functionOf(part, { ...last, out: 9 })).toBe(-1);
    expect(entryText(part, 0)).toBe("output 10 · input 20 · row 0, column 0");
    expect(layerSize(part)).toBe(
      "24 of 4,800 functions: outputs 10 to 11 of 40, inputs 20 to 22 of 30",
    );
  });

  it("gives pairs of its own functions", () => {
    const at = { layer: "conv1", out: 11, in: 21, row: 1, column: 0 };
    const group = groupOf(part, at);
    const chosen = { selection: at, other: -1, observed: null, spreads: [1, 1, 1, 1], last: null };
    expect(pairEntries(part, group, chosen)[0]).toBe(2);
    expect(functionIn(group, 2)).toBe(functionOf(part, at));
    expect(selectionIn(part, group, 2)).toEqual(at);
    expect(groupOf(part, { ...at, out: 0 })).toMatchObject({ out: 0, in: 0 });
  });

  it("is no network that the page could compute", () => {
    const layout = { version: 0, layers: [part] };
    const input: Station = {
      kind: "input",
      name: "",
      label: "",
      layer: null,
      sources: [],
      shape: [3],
      compute: null,
      sums: null,
    };
    const structure = { stations: [input], traced: true, note: "" };
    const of = (layers: LayerLayout[]) => isComputable(structure, { ...layout, layers }, new Map());
    expect([of([part]), of([layer()])]).toEqual([false, true]);
  });

  it("has those bundles of the network that are whole", () => {
    const dense = layer({
      name: "dense",
      kind: "linear",
      shape: [2, 9, 1, 1],
      window: { whole: [5, 12, 1, 1], out: 3, in: 2 },
    });
    const before = layer({ name: "before", kind: "linear", shape: [3, 1, 1, 1] });
    const station = (kind: "input" | "kan", name: string, sources: number[], shape: number[]) => ({
      kind,
      name,
      label: name,
      layer: kind === "kan" ? name : null,
      sources,
      shape,
      compute: null,
      sums: null,
    });
    const stations = [station("input", "input", [], [3, 2, 2]), station("kan", "dense", [0], [5])];
    const graph = graphOf(
      { stations, traced: true, note: "" },
      { version: 0, layers: [before, dense] },
    );
    // Inputs 2 to 10 of three maps of four: of the first and the last not all are here.
    expect(graph.columns[1].bundles).toEqual([
      { from: 1, to: 3, first: 2, count: 4 },
      { from: 1, to: 4, first: 11, count: 4 },
    ]);
  });

  it("comes over the wire", () => {
    const raw = wireLayout(0) as { layers: Record<string, unknown>[] };
    const window = { whole: [9, 8, 7, 6], out: 5, in: 4 };
    const changed = { ...raw, layers: [{ ...raw.layers[0], window }] };
    expect(readLayout(changed).layers[0].window).toEqual(window);
    expect(readLayout(raw).layers[0].window).toBeUndefined();
  });
});

describe("the map of the whole layer", () => {
  const raw = {
    layer: "conv1",
    step: 7,
    shape: [2, 3],
    block: [20, 10],
    every: 1,
    broken: 0,
    reach: bytes([1, 2, 3, 4, 5, 6]),
  };
  const [summary] = [...readSummaries([raw]).values()] as [Summary];
  const inner: Scene = {
    width: 300,
    height: 100,
    title: "",
    moment: "",
    words: "",
    about: "",
    caption: [],
    sheets: [],
    sites: { ...NOWHERE, at: (x, y) => `${x},${y}`, next: (id) => id },
  };

  it("is there only where not all of the layer is", () => {
    expect(layerMap(layer(), summary, 600)).toBeNull();
    expect(layerMap(part, null, 600)).toBeNull();
  });

  it("says how many functions are not finite", () => {
    const [some] = [...readSummaries([{ ...raw, broken: 2 }]).values()] as [Summary];
    const map = layerMap(part, some, 600);
    if (!map) throw new Error("no map");
    const { sites, caption } = underMap(inner, map, themeOf("light"));
    expect(caption[0]?.text).toContain("2 functions are not finite");
    expect(sites.words("map/1/2")).toContain("largest |φ| 6;");
  });

  it("is above the kernels, and a place on it is looked at", () => {
    const map = layerMap(part, summary, 600);
    if (!map) throw new Error("no map");
    const { sites, height, caption } = underMap(inner, map, themeOf("light"));
    expect(height).toBe(100 + map.under);
    expect(caption[0]?.text).toContain("40 outputs (down) × 30 inputs (across) at step 7");
    const view = { x: 0, y: 0, width: 600, height: 400 };
    const id = sites.at(map.box.x + map.box.width - 1, map.box.y + map.box.height - 1, view);
    expect(lookedAt(map, id)).toEqual({ out: 30, in: 25 });
    expect(sites.words(id)).toContain("outputs 20 to 39, inputs 20 to 29: largest |φ| 6");
    expect(sites.at(5, map.under + 8, view)).toBe("5,8");
    expect(lookedAt(map, "12")).toBeNull();
    // From the uppermost functions the keyboard goes to the window's place, and on from there.
    expect(sites.next("12", "up")).toBe("map/0/2");
    expect(sites.next("map/0/2", "left")).toBe("map/0/1");
  });
});

describe("a page that looks elsewhere", () => {
  it("says where, and that a frame was drawn", async () => {
    vi.stubGlobal("requestAnimationFrame", (draw: () => void) => setTimeout(draw, 1));
    vi.stubGlobal("cancelAnimationFrame", clearTimeout);
    const kernel = new FakeModel({ layouts: [wireLayout(0)], initial: wireFrame(0) });
    const store = initialize({ model: kernel.model, signal: new AbortController().signal });
    store.lookAt("conv1", 3, 4);
    expect(kernel.sent).toEqual([{ kind: "look", layer: "conv1", out: 3, in: 4 }]);
    kernel.message({ kind: "frame", layout: 0, step: 1, number: 9, data: bytes([1, 2]) });
    expect(kernel.sent.length).toBe(1);
    await vi.waitFor(() => expect(kernel.sent.length).toBe(2));
    expect(kernel.sent[1]).toEqual({ kind: "shown", number: 9 });
  });

  it("forgets the frames of the window before, but not the moment that is shown", () => {
    const saved = { layouts: [wireLayout(0)], initial: wireFrame(0), frame: wireFrame(90) };
    const kernel = new FakeModel({ ...saved, cursor: 30 });
    const store = initialize({ model: kernel.model, signal: new AbortController().signal });
    kernel.message({ kind: "frame", layout: 0, step: 95, data: bytes([1, 2]) });
    kernel.sent.length = 0;
    kernel.update({
      layouts: [wireLayout(3)],
      initial: wireFrame(0, 3),
      frame: wireFrame(90, 3),
    });
    kernel.message({ kind: "reset", version: 3, moved: true });
    expect(store.steps()).toEqual([0, 90]);
    expect(store.cursor()).toBe(30);
    expect(store.latest()?.layout.version).toBe(3);
    expect(kernel.sent).toEqual([{ kind: "history?", before: 90 }]);
  });
});
