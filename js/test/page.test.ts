// @vitest-environment happy-dom
import { deflateSync } from "node:zlib";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Modules, start, streamModel } from "../src/page/index.ts";
import { framesOf, type SavedStream, unfold, unpack, widen } from "../src/page/saved.ts";
import { createCurves, PageModel } from "../src/page/trained.ts";
import type { News } from "../src/training/worker.ts";
import { initialize } from "../src/wire/stream.ts";
import { bytes, wireLayout } from "./samples.ts";

/** Frames of float32 folded as Python folds them: differences of words, then bytes by their place. */
function folded(frames: number[][]): DataView {
  const words = frames.map((frame) => new Uint32Array(Float32Array.from(frame).buffer));
  const out: number[] = [];
  words.forEach((frame, n) => {
    const less = Array.from(frame, (word, i) => (n ? word - words[n - 1][i] : word) >>> 0);
    for (const shift of [0, 8, 16, 24]) out.push(...less.map((word) => (word >>> shift) & 255));
  });
  return new DataView(Uint8Array.from([7, ...out]).buffer, 1);
}

const floats = (words: Uint32Array<ArrayBuffer>) => Array.from(new Float32Array(words.buffer));

function savedStream(changes: Partial<SavedStream> = {}): SavedStream {
  return {
    id: "stream",
    traits: {
      layouts: [wireLayout(4), wireLayout(5)],
      selection: {},
      cursor: -1,
      ghost_step: -1,
      status: { state: "saved", message: "" },
      edits: {},
    },
    runs: [
      {
        layout: 4,
        steps: [0, 10],
        data: folded([
          [1, -1],
          [1.5, -2],
        ]),
      },
      { layout: 5, steps: [20], data: folded([[3, -3]]) },
    ],
    observed: [],
    ...changes,
  };
}

it("a curve of scores says of how many examples it is, and keeps to these", () => {
  const curves = createCurves();
  const news = (step: number, of: number, state: string) =>
    curves.take({ step, loss: 1, score: { value: 0.5, of }, state } as News);
  news(0, 1000, "paused");
  news(1, 200, "running");
  news(2, 1000, "finished");
  expect(curves.wire(true).map(({ panel, x }) => [panel, x.byteLength / 8])).toEqual([
    ["loss", 2],
    ["right of 200", 1],
  ]);
});

describe("saved frames", () => {
  it("are what they were, to the last bit", () => {
    const frames = [
      [0, 1, -2.5],
      [-0, 1.0000001, 3e-39],
      [Number.NaN, Number.POSITIVE_INFINITY, 7],
    ];
    expect(floats(unfold(folded(frames), 3))).toEqual(
      frames.flatMap((frame) => Array.from(Float32Array.from(frame))),
    );
  });

  it("know their steps and layout", () => {
    const [first, second] = framesOf({ layout: 2, steps: [0, 7], data: folded([[1], [2]]) });
    expect([first.layout, first.step, first.data.getFloat32(0, true)]).toEqual([2, 0, 1]);
    expect([second.layout, second.step, second.data.getFloat32(0, true)]).toEqual([2, 7, 2]);
  });

  it("that were rounded are whole steps of their functions, and the last one has parts of a step", () => {
    const int8 = (...numbers: number[]) => new DataView(Int8Array.from(numbers).buffer);
    const run = {
      layout: 1,
      steps: [0, 5, 9],
      // One function of two coefficients, then two of one; the last moves from 64 to -64 and on.
      counts: [[1, 2] as [number, number], [2, 1] as [number, number]],
      sizes: new DataView(Float32Array.of(0.5, 2, 0.25).buffer),
      data: int8(1, 2, -4, 0, 0, 1, 3, 0, 0, 64, -128, 1),
      fine: int8(0, 127, -127, 0),
    };
    expect(Array.from(widen(run))).toEqual(
      [0.5, 0, 6, 16, 1.5, 0, 6, -16, -0.5, 0.75, 5, -15.75].map(Math.fround),
    );
    expect(framesOf(run).map(({ data }) => data.getFloat32(12, true))).toEqual([16, -16, -15.75]);
    expect(framesOf(run).map(({ rough }) => rough)).toEqual([true, true, false]);
    // What stands beside coefficients is as it was.
    const beside = new DataView(Float32Array.of(0.1, 1.1, 0.2, 1.2, 0.3, 1.3).buffer);
    const more = framesOf({ ...run, beside });
    expect(more.map(({ data }) => data.byteLength / 4)).toEqual([6, 6, 6]);
    expect(more.map(({ data }) => data.getFloat32(12, true))).toEqual([16, -16, -15.75]);
    expect(more.map(({ data }) => [data.getFloat32(16, true), data.getFloat32(20, true)])).toEqual(
      [
        [0.1, 1.1],
        [0.2, 1.2],
        [0.3, 1.3],
      ].map((own) => own.map(Math.fround)),
    );
  });

  it("are unpacked to where they belong", async () => {
    const text = JSON.stringify({
      streams: [{ traits: { a: [null] }, runs: [] }],
      bytes: [
        [["streams", 0, "traits", "a", 0], 1, 3],
        [["models"], 0, 2],
      ],
    });
    const packed = deflateSync(Uint8Array.of(9, 8, 7, 6)).toString("base64");
    const saved = await unpack(text, `\n${packed}\n`);
    const read = (view: unknown) =>
      Array.from({ length: (view as DataView).byteLength }, (_, i) =>
        (view as DataView).getUint8(i),
      );
    expect(read((saved.streams[0].traits.a as unknown[])[0])).toEqual([8, 7, 6]);
    expect(read(saved.models)).toEqual([9, 8]);
  });
});

describe("the model of a page", () => {
  it("tells of a trait that becomes another, until its listener goes", () => {
    const model = new PageModel({ mode: "curves" });
    const heard = vi.fn();
    model.on("change:mode", heard);
    model.set("mode", "curves");
    expect(heard).not.toHaveBeenCalled();
    model.set("mode", "pattern");
    model.save_changes();
    expect(model.get("mode")).toBe("pattern");
    expect(heard).toHaveBeenCalledOnce();
    model.off("change:mode", heard);
    model.set("mode", "change");
    model.on("change:mode", heard);
    model.off();
    model.set("mode", "curves");
    expect(heard).toHaveBeenCalledOnce();
  });

  it("drops what only a kernel could answer", () => {
    expect(() => new PageModel({}).send({ kind: "edit" })).not.toThrow();
  });
});

describe("the stream of a page", () => {
  const open = (saved: SavedStream) => {
    const { signal } = new AbortController();
    return initialize({ model: streamModel(saved) as never, signal });
  };

  it("has the whole history, over a change of layout", async () => {
    const store = open(savedStream());
    expect(store.latest()?.data).toEqual(Float32Array.of(3, -3));
    await vi.waitFor(() => expect(store.steps()).toEqual([0, 10, 20]), { timeout: 20_000 });
    expect(store.at(10)?.data).toEqual(Float32Array.of(1.5, -2));
    expect([store.at(10)?.layout.version, store.at(20)?.layout.version]).toEqual([4, 5]);
    expect(store.status().state).toBe("saved");
  });

  it("has a model that was changed before its first step", () => {
    const data = folded([
      [1, -1],
      [8, -8],
    ]);
    const store = open(savedStream({ runs: [{ layout: 4, steps: [0, 0], data }] }));
    expect(store.initial()?.data).toEqual(Float32Array.of(1, -1));
    expect(store.latest()?.data).toEqual(Float32Array.of(8, -8));
  });

  it("answers with what was observed when a view asks for it", async () => {
    const content = {
      kind: "observed",
      layer: "conv1",
      samples: 1,
      is_image: true,
      shapes: {
        edges: [2],
        counts: [1, 1],
        outside_domain: [1],
        outside_extent: [1],
        patches: [1, 1],
      },
      arrays: {
        edges: bytes([-1, 1]),
        counts: bytes([1]),
        outside_domain: bytes([0]),
        outside_extent: bytes([0]),
        patches: bytes([0.5]),
      },
    };
    const store = open(savedStream({ observed: [content] }));
    expect(store.observed("conv1")).toBeNull();
    await vi.waitFor(() => expect(store.observed("conv1")?.patches[0]).toBe(0.5), {
      timeout: 20_000,
    });
  });

  it("answers with past activations when a view looks at them", async () => {
    const content = {
      kind: "activations",
      step: 10,
      values: [{ station: 1, shape: [1, 1], low: [0], high: [1] }],
      extras: [],
      data: new DataView(Uint8Array.of(255).buffer),
    };
    const traits = {
      ...savedStream().traits,
      structure: { stations: [], traced: true, note: "" },
      probe: { shape: [1, 2], inputs: bytes([1, 2]), labels: null },
      activations: {},
    };
    const store = open(savedStream({ traits, activations: [content] }));
    expect(store.structure()?.traced).toBe(true);
    expect(store.activations()).toBeNull();
    await vi.waitFor(() => expect(store.activations()?.step).toBe(10), { timeout: 20_000 });
    store.setCursor(5);
    expect(store.activations()).toBeNull();
  });
});

describe("a page", () => {
  const hostile = "</script><script>window.broken = true</script><img src=x onerror=alert(1)>";

  beforeEach(() => {
    document.documentElement.removeAttribute("data-theme");
    document.body.innerHTML =
      '<select id="kw-theme"><option>auto</option><option>light</option><option>dark</option></select>' +
      '<main></main><script type="application/json" id="kw-saved"></script>' +
      '<script type="text/plain" id="kw-bytes"></script>';
  });

  function fill(places: object[], theme = "auto") {
    const traits = { mode: "curves", stream: "anywidget:stream", parts: ["anywidget:some"] };
    const saved = {
      streams: [savedStream({ runs: [{ layout: 4, steps: [0], data: null as never }] })],
      models: [{ id: "some", traits }],
      places,
      theme,
      bytes: [
        [["streams", 0, "runs", 0, "data"], 0, 8],
        ...[4, 5].flatMap((_, n) => [
          [["streams", 0, "traits", "layouts", n, "layers", 0, "tables", 0, "x"], 8, 8],
          [["streams", 0, "traits", "layouts", n, "layers", 0, "tables", 0, "values"], 8, 8],
        ]),
      ],
    };
    (document.querySelector("main") as HTMLElement).innerHTML = places
      .map((_, n) => `<figure data-kw-place="${n}"><div>Opening…</div></figure>`)
      .join("");
    const data = new Uint8Array(16);
    new DataView(data.buffer).setFloat32(12, 1, true);
    const put = (id: string, text: string) => {
      (document.getElementById(id) as HTMLElement).textContent = text;
    };
    put("kw-saved", JSON.stringify(saved));
    put("kw-bytes", deflateSync(data).toString("base64"));
  }

  it("gives each view its model and the stream by reference", async () => {
    fill([
      { name: "Some", model: "some" },
      { name: "Some", model: "some" },
    ]);
    // biome-ignore lint/suspicious/noExplicitAny: whatever a view is given
    const given: any[] = [];
    const modules: Modules = {
      Stream: { initialize },
      View: { default: { render: (context: object) => given.push(context) } },
    };
    await start(document, modules);
    expect(given).toHaveLength(2);
    const [{ model, el, host }, other] = given;
    expect(other.model).toBe(model);
    const { exports } = await host.getWidget(model.get("stream"));
    expect(exports.latest().step).toBe(0);
    expect((await host.getModel(model.get("stream"))).get("status").state).toBe("saved");
    const figures = [...document.querySelectorAll("figure")];
    expect([el, other.el].map((each) => figures.indexOf(each.closest("figure")))).toEqual([0, 1]);
    expect(el.textContent).toBe("");
  });

  it("gives a view those that are drawn in it", async () => {
    fill([{ name: "Some", model: "some" }]);
    // biome-ignore lint/suspicious/noExplicitAny: whatever a view is given
    let given: any;
    const render = (context: object) => {
      given = context;
    };
    await start(document, { Stream: { initialize }, View: { default: { render } } });
    const [ref] = given.model.get("parts");
    expect(await given.host.getModel(ref)).toBe(given.model);
  });

  it("shows names as text", async () => {
    fill([{ name: hostile, model: "some" }]);
    await start(document, { Stream: { initialize } });
    expect(document.querySelectorAll("main script, main [onerror]")).toHaveLength(0);
    expect(document.querySelector("main div")?.textContent).toContain(hostile);
  });

  it("follows the theme of the page until the reader chooses another", async () => {
    fill([], "dark");
    await start(document, { Stream: { initialize } });
    const select = document.querySelector("select") as HTMLSelectElement;
    expect([document.documentElement.dataset.theme, select.value]).toEqual(["dark", "dark"]);
    for (const [theme, shown] of [
      ["light", "light"],
      ["auto", undefined],
    ] as const) {
      select.value = theme;
      select.dispatchEvent(new Event("change"));
      expect(document.documentElement.dataset.theme).toBe(shown);
    }
  });

  it("leaves the theme to a page that has no switch of ours", async () => {
    fill([], "dark");
    document.querySelector("select")?.remove();
    await start(document, { Stream: { initialize } });
    expect(document.documentElement.dataset.theme).toBeUndefined();
  });

  it("says in words what goes wrong", async () => {
    fill([{ name: "Some", model: "some" }]);
    await start(document, { Stream: { initialize } });
    expect(document.querySelector("main")?.textContent).toContain("Some did not start");
    (document.getElementById("kw-bytes") as HTMLElement).textContent = "";
    await expect(start(document, {})).rejects.toThrow();
    expect(document.querySelector("main")?.textContent).toContain("cannot be shown");
  });
});
