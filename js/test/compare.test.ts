// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NOTHING } from "../src/scene/drawing.ts";
import type { Mark, TextMark } from "../src/scene/marks.ts";
import { themeOf } from "../src/scene/theme.ts";
import { type CompareScene, drawing } from "../src/views/compare/scene.ts";
import { nameOf, type Shown } from "../src/views/compare/shown.ts";
import { type CompareElement, render } from "../src/views/compare/view.ts";
import { initialize } from "../src/wire/stream.ts";
import { curve } from "./drawn_curves.ts";
import { FakeModel } from "./fake_model.ts";
import { makeRun, RUNS } from "./made_up_run.ts";
import { FakeModel as StreamModel } from "./page_model.ts";
import { said } from "./said.ts";

const VIEW = { x: 0, y: 0, width: 4000, height: 9000 };
const { colours } = themeOf("light");
const row = (key: string, values: string[], more: object = {}) => {
  const meaning = `what ${key} means`;
  return { key, label: key, meaning, values, lead: false, best: [], more: false, ...more };
};

function shown(steps: string[], more: Partial<Shown> = {}): Shown {
  return {
    hints: [],
    verdict: "",
    costs: "",
    note: "",
    models: ["KAN", "<b>CNN</b>"],
    rows: [
      row("accuracy", ["0.97", "0.95"], { lead: true, best: [0] }),
      row("parameters", ["94,650", "160"], { lead: true, best: [1] }),
      row("steps", steps),
    ],
    growth: [
      {
        layers: [{ name: "convs.0", type: "KANConv2d", formula: "5·3·3·10", parameters: "450" }],
      },
      { layers: [] },
    ],
    ...more,
  };
}

const CURVES = [
  curve("loss", "KAN", [0, 50, 100], [3, 2, 1], { colour: 2 }),
  curve("loss", "<b>CNN</b>", [0, 50, 100], [6, 5, 4], { colour: 3 }),
];

let life: AbortController;

beforeEach(() => {
  life = new AbortController();
});

afterEach(() => {
  life.abort();
  vi.restoreAllMocks();
  vi.useRealTimers();
  document.body.replaceChildren();
});

function streamOf(state = "idle") {
  const run = makeRun(RUNS.article);
  const model = new StreamModel({
    layouts: [run.layout],
    initial: { layout: 1, step: 0, data: run.frame(0) },
    frame: {},
    selection: {},
    cursor: -1,
    status: { state: "idle", message: "" },
    training: said(state, state === "still" ? "stands still" : undefined),
  });
  return initialize({ model: model as never, signal: life.signal });
}

const given = (traits: Record<string, unknown>, width = 900) => ({
  store: streamOf(),
  get: (trait: string) => traits[trait],
  width,
  height: 300,
  theme: themeOf("light"),
  ratio: 1,
  pointed: NOTHING,
});

function sceneOf(traits: Record<string, unknown>, width = 900, parts = 0): CompareScene {
  const grid = given({ mode: "curves", scale: "layer", height: 120, layer: "" });
  const inside = parts > 0 ? { parts: Array.from({ length: parts }, () => grid) } : {};
  const scene = drawing()({ ...given(traits, width), ...inside });
  if (typeof scene === "string") throw new Error(scene);
  return scene;
}

/** All marks, those in groups too, where they are in the whole. */
function flat(marks: readonly Mark[], [dx, dy] = [0, 0]): Mark[] {
  return marks.flatMap((mark) => {
    if (mark.kind === "group") {
      const [x, y] = mark.at ?? [0, 0];
      return flat(mark.marks, [dx + x, dy + y]);
    }
    return mark.kind === "text" ? { ...mark, x: mark.x + dx, y: mark.y + dy } : mark;
  });
}

const marksOf = (scene: CompareScene) =>
  flat(scene.sheets.flatMap(({ marks }) => [...marks(VIEW)]));
const texts = (scene: CompareScene) =>
  marksOf(scene).filter((mark): mark is TextMark => mark.kind === "text");
const written = (scene: CompareScene, text: string) => {
  const found = texts(scene).find((mark) => mark.text === text);
  if (!found) throw new Error(`${text} is not written`);
  return found;
};

describe("the numbers", () => {
  it("have a column for each model, right under its name", () => {
    const scene = sceneOf({ shown: shown(["3", "4"]) });
    const [first, second] = ["94,650", "160"].map((text) => written(scene, text));
    expect([first.x, second.x]).toEqual(scene.table.ends);
    expect(written(scene, "<b>CNN</b>").y).toBeLessThan(first.y);
    expect(written(scene, "steps").y).toBeGreaterThan(first.y);
  });

  it("that decide are larger, and the best of them strong", () => {
    const scene = sceneOf({ shown: shown(["3", "4"]) });
    const [best, other, low] = ["0.97", "0.95", "3"].map((text) => written(scene, text));
    expect([best.weight, other.weight]).toEqual([600, 400]);
    expect(best.size).toBe(other.size);
    expect(low.size).toBeLessThan(best.size);
  });

  it("can be pointed at, and say what they mean", () => {
    const { sites, meaning } = sceneOf({ shown: shown(["3", "4"]) });
    const { x, y } = sites.box("row parameters") ?? { x: 0, y: 0 };
    expect(sites.at(x + 1, y + 1, VIEW)).toBe("row parameters");
    expect(meaning("row parameters")).toBe("what parameters means");
    expect(sites.words("row parameters")).toBe("parameters: KAN 94,650, <b>CNN</b> 160");
    expect(sites.next("row accuracy", "down")).toBe("row parameters");
  });

  it("stand in the words for those who cannot see them", () => {
    const { words } = sceneOf({ shown: shown(["3", "4"]), curves: CURVES });
    expect(words).toContain("accuracy: KAN 0.97, <b>CNN</b> 0.95");
    expect(words).toContain("Curves of loss, KAN 1, <b>CNN</b> 4");
  });

  it("are never shortened, down to 320 pixels for three models and 600 for seven", () => {
    const seven = ["a", "b", "c", "d", "e", "f", "g"];
    for (const [models, width] of [
      [["KAN", "CNN", "MLP"], 320],
      [seven, 600],
      [seven, 1600],
    ] as const) {
      const rows = [
        row(
          "accuracy",
          models.map(() => "0.9844"),
          { lead: true },
        ),
        row(
          "training time",
          models.map(() => "1:10:10"),
          { lead: true },
        ),
        row(
          "grow with width N, grid G as",
          models.map(() => "O(N²·G)"),
        ),
      ];
      const scene = sceneOf(
        { shown: { ...shown(["3"]), models: [...models], rows, growth: [] } },
        width,
      );
      const said = texts(scene).map(({ text }) => text);
      for (const text of [...models, "0.9844", "1:10:10", "O(N²·G)", "training time"]) {
        expect(said, `${width}`).toContain(text);
      }
      expect(scene.table.width).toBeLessThan(width - 15);
    }
  });
});

describe("the picture", () => {
  it("gives a model one colour in the numbers, the curves and over its kernels", () => {
    const scene = sceneOf({ shown: shown(["3", "4"]), curves: CURVES, more: true }, 900, 2);
    const painted = (colour: string) =>
      marksOf(scene).filter((mark) => "fill" in mark && mark.fill === colour).length;
    // Over its column, its layers and its kernels, before its number over the curves, and the curve's own dots.
    expect([2, 3].map((k) => painted(colours[`curve-${k as 2 | 3}`]))).toEqual([5, 5]);
    expect(painted(colours["curve-4"])).toBe(0);
  });

  it("puts the curves beside the numbers where there is room, else below", () => {
    const traits = { shown: shown(["3", "4"]), curves: CURVES };
    const [wide, narrow] = [900, 500].map((width) => sceneOf(traits, width));
    const top = ({ layout }: CompareScene) => layout.places[0].box.y;
    expect(top(wide)).toBeLessThan(20);
    expect(top(narrow)).toBeGreaterThan(narrow.table.height);
  });

  it("says how curves come to be where there are none", () => {
    const scene = sceneOf({ shown: shown(["3", "4"]), curves: [] });
    expect(texts(scene).some(({ text }) => text.includes("live.log(loss=…)"))).toBe(true);
  });

  it("lists layers under their model, and counts those that are too many", () => {
    const layer = { name: "convs.0", type: "KANConv2d", formula: "5·3·3·10", parameters: "450" };
    const many = { layers: Array.from({ length: 40 }, () => layer) };
    const scene = sceneOf({ shown: shown(["3"], { growth: [many, many] }), more: true });
    expect(texts(scene).filter(({ text }) => text === "and 24 more layers")).toHaveLength(2);
    expect(scene.meaning("layer 0 0")).toBe("KANConv2d: 5·3·3·10");
  });

  it("says how parameters grow where more is asked for, else not", () => {
    const rows = [
      row("parameters", ["450", "160"]),
      row("order", ["O(N²·G)", "O(N²)"], { more: true }),
    ];
    const [short, long] = [false, true].map((more) => {
      return texts(sceneOf({ shown: shown(["3"], { rows }), more })).map(({ text }) => text);
    });
    for (const text of ["O(N²·G)", "5·3·3·10", "parameters by layer"]) {
      expect(short).not.toContain(text);
      expect(long).toContain(text);
    }
  });

  it("has the kernels of all models, those of a row from one height on", () => {
    const scene = sceneOf({ shown: shown(["3", "4"]) }, 900, 2);
    const without = sceneOf({ shown: shown(["3", "4"]) });
    expect(scene.height).toBeGreaterThan(without.height + 120);
    // None is cut, whatever height its cells are sized for.
    expect(texts(scene).filter(({ text }) => text.startsWith("cut here"))).toEqual([]);
    const outputs = texts(scene).filter(({ text }) => text === "kernel 0");
    expect(outputs.map(({ y }) => y)).toEqual([outputs[0].y, outputs[0].y]);
    expect(texts(scene).filter(({ text }) => text === "KAN")).not.toHaveLength(0);
  });

  it("is called by its models and the steps that they have made", () => {
    expect(nameOf(shown(["1,200", "1,200"]))).toBe("compare KAN <b>CNN</b> step 1200");
    expect(nameOf(shown(["3", "4"]))).toBe("compare KAN <b>CNN</b> step 3 4");
    expect(sceneOf({ shown: shown(["1,200", "1,200"]) }).moment).toBe("step 1,200");
    expect(sceneOf({ shown: shown(["3", "4"]) }).moment).toBe("");
  });

  it("is none before Python has said anything", () => {
    expect(drawing()(given({}))).toBe("no models to compare");
  });
});

async function show(traits: Record<string, unknown> = {}, broken = false, states: string[] = []) {
  vi.useFakeTimers();
  const nothing = new Proxy({} as Record<string, unknown>, {
    get: (target, name: string) => target[name] ?? (() => {}),
  });
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(nothing as never);
  for (const name of ["clientWidth", "offsetWidth"] as const) {
    vi.spyOn(HTMLElement.prototype, name, "get").mockReturnValue(900);
  }
  const grids = ["s", "t"].map(
    (stream) =>
      new FakeModel({ stream, layer: "", mode: "curves", scale: "layer", sort: "position" }),
  );
  const model = new FakeModel({
    stream: "s",
    parts: ["g0", "g1"],
    shown: shown(["3", "4"]),
    curves: CURVES,
    marks: [],
    zoom: [],
    scale: "linear",
    smoothing: 0,
    theme: "light",
    ...traits,
  });
  const host = {
    getModel: async (ref: string) => {
      if (broken && ref === "g1") throw new Error("it is gone");
      return grids[Number(ref.slice(1))];
    },
    getWidget: async () => ({ exports: streamOf(states.shift()) }),
  };
  const el = document.body.appendChild(document.createElement("div"));
  render({ model, el, host, signal: life.signal } as never);
  await vi.advanceTimersByTimeAsync(100);
  const root = el.querySelector(".kw-compare") as CompareElement;
  return { model, grids, root };
}

describe("in a page", () => {
  it("the kernels of each model stand under its name, in a view of their own", async () => {
    const { root } = await show();
    const names = [...root.querySelectorAll(".kw-model-name")].map((name) =>
      [...name.children].map(({ textContent }) => textContent),
    );
    expect(names).toEqual([
      ["KAN", "not training"],
      ["<b>CNN</b>", "not training"],
    ]);
    expect(root.querySelectorAll(".kw-model > .kw-kernel-grid")).toHaveLength(2);
  });

  it("a model that makes no steps while another does is not said to be training", async () => {
    const both = ["running", "running", "still"]; // its own stream first
    const { root } = await show({ shown: shown(["3", "4"]) }, false, both);
    const steps = [...root.querySelectorAll(".kw-model-step")].map((step) => step.textContent);
    expect(steps).toEqual(["training", "stands still"]);
    expect(root.kwCompare.rows().steps).toEqual(["3", "4"]);
    expect(root.kwCompare.values()).toEqual(["KAN 1", "<b>CNN</b> 4"]);
  });

  it("one toolbar sets the way of looking of all grids, and each keeps its choice of layers", async () => {
    const { root, grids } = await show();
    const modes = [...root.querySelectorAll<HTMLInputElement>("input[type=radio][value=change]")];
    expect(modes).toHaveLength(1);
    expect(modes[0].closest(".kw-header")?.getAttribute("aria-label")).toBe("All kernel grids");
    modes[0].click();
    expect(grids.map((grid) => grid.get("mode"))).toEqual(["change", "change"]);
    expect(grids[1].saves).toBe(1);
    grids[0].set("layer", "conv1");
    expect(grids[1].get("layer")).toBe("");
    grids[0].set("sort", "a score of the first");
    expect(grids[1].get("sort")).toBe("position");
    expect(root.querySelectorAll(".kw-model .kw-options")).toHaveLength(0);
  });

  it("kernels that cannot be read are told of, and keep nothing else away", async () => {
    const { root } = await show({}, true);
    expect(root.querySelectorAll(".kw-model > .kw-kernel-grid")).toHaveLength(1);
    expect(root.querySelector(".kw-model > .kw-message")?.textContent).toContain("it is gone");
    expect(root.kwCompare.rows().steps).toEqual(["3", "4"]);
  });

  it("what is saved has the kernels too", async () => {
    const { root } = await show();
    const save = root.querySelector(":scope > .kw-readout-row .kw-save");
    const svg = (save as unknown as { kwSave: { svg(): string } }).kwSave.svg();
    const read = new DOMParser().parseFromString(svg, "text/xml");
    const words = [...read.querySelectorAll("text")].map(({ textContent }) => textContent);
    expect(words.filter((word) => word === "KAN")).not.toHaveLength(0);
    // The step, and that of the show start it, over each model's kernels.
    expect(words.filter((word) => word?.startsWith("step 0"))).toHaveLength(4);
  });

  it("hints are shown and said, and not again for every number in them", async () => {
    const { model, root } = await show();
    const spoken = () => root.querySelector(":scope > .kw-spoken")?.textContent;
    const remarks = () => [...root.querySelectorAll(":scope > .kw-caption .kw-remark")];
    const hinted = async (words: string[]) => {
      model.update({ shown: shown(["3", "9"], { hints: words }) });
      await vi.advanceTimersByTimeAsync(100);
    };
    expect(remarks()).toEqual([]);
    await hinted(["different steps: 3, 9"]);
    expect(spoken()).toBe("different steps: 3, 9");
    await hinted(["different steps: 3, 10"]);
    expect(spoken()).toBe("different steps: 3, 9");
    expect(remarks().map((part) => part.textContent)).toEqual(["different steps: 3, 10"]);
  });

  it("leaves nothing behind", async () => {
    const { model, grids, root } = await show();
    life.abort();
    expect([model, ...grids].map(({ handlers }) => handlers)).toEqual([0, 0, 0]);
    expect(root.isConnected).toBe(false);
  });
});
