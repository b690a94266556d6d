// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NOT_POINTED } from "../src/scene/drawing.ts";
import type { Mark, TextMark } from "../src/scene/marks.ts";
import { themeOf } from "../src/scene/theme.ts";
import { type CompareScene, drawing } from "../src/views/compare/scene.ts";
import {
  comparisonName,
  crossingOf,
  type Deciding,
  type Model,
  perStep,
  shownIn,
} from "../src/views/compare/verdict.ts";
import { type CompareElement, render } from "../src/views/compare/view.ts";
import { initialize } from "../src/wire/stream.ts";
import { curve } from "./drawn_curves.ts";
import { FakeModel } from "./fake_model.ts";
import { makeRun, RUNS } from "./made_up_run.ts";
import { FakeModel as StreamModel } from "./page_model.ts";
import { said } from "./said.ts";

const VIEW = { x: 0, y: 0, width: 4000, height: 9000 };
const { colours } = themeOf("light");
function model(name: string, steps: number, more: Partial<Model> = {}) {
  return {
    name,
    steps,
    epochs: null,
    seconds_per_step: null,
    parameters: 450,
    data_source: "",
    ...more,
  };
}

const accuracy = (values: Deciding["values"]) => {
  return { quantity: "accuracy", first: 1, step: 3, values, errors: values.map(() => null) };
};

function shown(steps: number[], more: Partial<Model>[] = []) {
  const [kan, cnn] = [
    { parameters: 94650, ...more[0] },
    { parameters: 160, ...more[1] },
  ];
  return {
    models: [model("KAN", steps[0], kan), model("<b>CNN</b>", steps[1] ?? steps[0], cnn)],
    deciding: [accuracy([0.97, 0.95])],
  };
}

/** What is made of records in words. */
const told = (records: object, curves: object[] = []) =>
  shownIn((trait) => ({ content: records, curves })[trait]);

const CURVES = [
  curve("loss", "KAN", [0, 50, 100], [3, 2, 1]),
  curve("loss", "<b>CNN</b>", [0, 50, 100], [6, 5, 4]),
];

let life: AbortController;

beforeEach(() => {
  life = new AbortController();
});

afterEach(() => {
  life.abort();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
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
    training: said(state, state === "still" ? "waiting for its turn" : undefined),
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
  pointed: NOT_POINTED,
});

function sceneOf(traits: Record<string, unknown>, width = 900, parts = 0): CompareScene {
  const grid = given({ mode: "curves", scale: "layer", height: 120, layer: "" });
  const inside = parts > 0 ? { still: true, parts: Array.from({ length: parts }, () => grid) } : {};
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
    const scene = sceneOf({ content: shown([3, 4]) });
    const [first, second] = ["94,650", "160"].map((text) => written(scene, text));
    expect([first.x, second.x]).toEqual(scene.table.ends);
    expect(written(scene, "<b>CNN</b>").y).toBeLessThan(first.y);
    expect(written(scene, "steps").y).toBeGreaterThan(first.y);
  });

  it("that decide are larger, and the best of them strong", () => {
    const scene = sceneOf({ content: shown([3, 4]) });
    const [best, other, low] = ["97 %", "95 %", "3"].map((text) => written(scene, text));
    expect([best.weight, other.weight]).toEqual([600, 400]);
    expect(best.size).toBe(other.size);
    expect(low.size).toBeLessThan(best.size);
  });

  it("can be pointed at, and say what they mean", () => {
    const { sites, meaning } = sceneOf({ content: shown([3, 4]) });
    const { x, y } = sites.box("row parameters") ?? { x: 0, y: 0 };
    expect(sites.at(x + 1, y + 1, VIEW)).toBe("row parameters");
    expect(meaning("row parameters")).toBe("Trainable parameters. The better number is bold");
    expect(sites.words("row parameters")).toBe("parameters: KAN 94,650, <b>CNN</b> 160");
    expect(sites.next("row accuracy", "down")).toBe("row parameters");
  });

  it("stand in the words for those who cannot see them", () => {
    const { words } = sceneOf({ content: shown([3, 4]), curves: CURVES });
    expect(words).toContain("mean accuracy of steps 1 to 3: KAN 97 %, <b>CNN</b> 95 %");
    expect(words).toContain("Curves of loss, KAN 1, <b>CNN</b> 4");
  });

  it("are never shortened, down to 320 pixels for three models and 600 for seven", () => {
    const seven = ["a", "b", "c", "d", "e", "f", "g"];
    for (const [models, width] of [
      [["KAN", "CNN", "MLP"], 320],
      [seven, 600],
      [seven, 1600],
    ] as const) {
      const records = {
        models: models.map((name) => {
          return model(name, 3, { epochs: 12.5 });
        }),
        deciding: [accuracy(models.map(() => 0.9844))],
      };
      const scene = sceneOf({ content: records }, width);
      const said = texts(scene).map(({ text }) => text);
      for (const text of [...models, "98.4 %", "12.50", "epochs"]) {
        expect(said, `${width}`).toContain(text);
      }
      expect(scene.table.width).toBeLessThan(width - 15);
    }
  });
});

describe("the picture", () => {
  it("gives a model one colour in the numbers, the curves and over its kernels", () => {
    const scene = sceneOf({ content: shown([3, 4]), curves: CURVES }, 900, 2);
    const painted = (colour: string) =>
      marksOf(scene).filter((mark) => "fill" in mark && mark.fill === colour).length;
    // Over its column and its kernels, before its number over the curves, and the curve's own dots.
    expect([2, 3].map((k) => painted(colours[`curve-${k as 2 | 3}`]))).toEqual([4, 4]);
    expect(painted(colours["curve-4"])).toBe(0);
  });

  it("puts the curves beside the numbers where a panel has room, else below", () => {
    const traits = { content: shown([3, 4]), curves: CURVES };
    const top = ({ layout }: CompareScene) => layout.places[0].box.y;
    const [wide, narrow] = [900, 500].map((width) => sceneOf(traits, width));
    const other = CURVES.map((curve) => ({ ...curve, panel: "accuracy" }));
    const two = sceneOf({ ...traits, curves: [...CURVES, ...other] }, 800);
    expect(two.layout.places).toHaveLength(2);
    // A second panel that comes later moves nothing.
    expect(top(two)).toBe(top(sceneOf(traits, 800)));
    expect(sceneOf({ ...traits, curves: [] }, 900).height).toBe(wide.height);
    expect(top(wide)).toBeLessThan(20);
    expect(top(narrow)).toBeGreaterThan(narrow.table.height);
  });

  it("says how curves come to be where there are none", () => {
    const scene = sceneOf({ content: shown([3, 4]), curves: [] });
    expect(texts(scene).some(({ text }) => text.includes("live.log(loss=loss)"))).toBe(true);
  });

  it("has the kernels of all models, those of a row from one height on", () => {
    const scene = sceneOf({ content: shown([3, 4]) }, 1000, 2);
    const without = sceneOf({ content: shown([3, 4]) });
    expect(scene.height).toBeGreaterThan(without.height + 120);
    // None is cut, whatever height its cells are sized for.
    expect(texts(scene).filter(({ text }) => text.startsWith("the picture ends here"))).toEqual([]);
    const outputs = texts(scene).filter(({ text }) => text === "kernel 0");
    expect(outputs.map(({ y }) => y)).toEqual([outputs[0].y, outputs[0].y]);
    expect(texts(scene).filter(({ text }) => text === "KAN")).not.toHaveLength(0);
  });

  it("is called by its models and the steps that they have made", () => {
    expect(comparisonName(told(shown([1200])))).toBe("compare KAN <b>CNN</b> step 1200");
    expect(comparisonName(told(shown([3, 4])))).toBe("compare KAN <b>CNN</b> step 3 4");
    expect(sceneOf({ content: shown([1200]) }).moment).toBe("step 1,200");
    expect(sceneOf({ content: shown([3, 4]) }).moment).toBe("");
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
    content: shown([3, 4]),
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

describe("in a film", () => {
  const film = (step: number) => {
    const store = Object.assign(Object.create(streamOf()), { cursor: () => step });
    const loss = { ...accuracy([1, 4]), quantity: "loss", step: 100 };
    const content = { ...shown([100]), deciding: [loss] };
    const traits = { content, curves: CURVES, smoothing: 0 };
    const scene = drawing()({ ...given(traits), parts: [given(traits), { ...given({}), store }] });
    if (typeof scene === "string") throw new Error(scene);
    return scene;
  };
  const headline = ({ caption }: CompareScene) => caption.find(({ strong }) => strong)?.text;

  it("the headline and the heads of the curves have the numbers of its step, where a line stands", () => {
    const [end, then] = [film(-1), film(50)];
    expect(headline(end)).toContain("After 100 steps, KAN has the lower training loss");
    expect(headline(then)).toBe("At step 50: training loss KAN 2, <b>CNN</b> 5.");
    const said = (scene: CompareScene) => texts(scene).map(({ text }) => text);
    expect(said(then)).toContain("step 50");
    expect(said(end)).not.toContain("step 50");
    const lines = (scene: CompareScene) => marksOf(scene).filter(({ kind }) => kind === "lines");
    expect(lines(then).length).toBe(lines(end).length + 1);
    expect(then.height).toBe(end.height);
  });

  it("the headline is that of the end where nothing is known of its step", () => {
    expect(headline(film(2000))).toBe(headline(film(-1)));
  });
});

describe("in a page", () => {
  it("the kernels of each model stand under its name, in a view of their own", async () => {
    const { root } = await show();
    const names = [...root.querySelectorAll(".kw-model-name")].map((name) =>
      [...name.querySelectorAll(":scope > span")].map(({ textContent }) => textContent),
    );
    expect(names).toEqual([
      ["KAN", "step 0"],
      ["<b>CNN</b>", "step 0"],
    ]);
    expect(root.querySelectorAll(".kw-model > .kw-kernel-grid")).toHaveLength(2);
  });

  it("a model that trains out of sight has a card, by its name here, until the comparison is seen", async () => {
    let sight = (_pixels: number) => {};
    class Observer {
      constructor(tell: (entries: unknown[]) => void) {
        const before = sight;
        sight = (pixels) => {
          before(pixels);
          const [target] = document.querySelectorAll(".kw-compare");
          const [intersectionRect, boundingClientRect] = [{ height: pixels }, { height: 400 }];
          tell([{ target, intersectionRect, boundingClientRect }]);
        };
      }
      observe() {}
      unobserve() {}
      disconnect() {}
    }
    vi.stubGlobal("IntersectionObserver", Observer);
    await show({ content: shown([3, 4]) }, false, ["finished", "finished", "running"]);
    const cards = async (pixels: number) => {
      sight(pixels);
      await vi.advanceTimersByTimeAsync(500);
      const names = document.querySelectorAll(".kw-card:not([hidden]) .kw-card-name");
      return [...names].map(({ textContent }) => textContent);
    };
    expect(await cards(10)).toEqual(["<b>CNN</b>"]);
    expect(await cards(300)).toEqual([]);
  });

  it("a model that makes no steps while another does is not said to be training", async () => {
    const both = ["running", "running", "still"]; // its own stream first
    const { root } = await show({ content: shown([3, 4]) }, false, both);
    const steps = [...root.querySelectorAll(".kw-model-step")].map((step) => step.textContent);
    expect(steps).toEqual(["step 0 · training", "step 0 · waiting for its turn"]);
    expect(root.kwView.scene()?.shown.rows.find(({ key }) => key === "steps")?.values).toEqual([
      "3",
      "4",
    ]);
    expect(root.kwView.values()).toEqual(["KAN 1", "<b>CNN</b> 4"]);
  });

  it("says once over all of them who is ahead, and of each network its size", async () => {
    vi.stubGlobal("Path2D", class {});
    const { root, model } = await show({ show: "networks", diagrams: ["g0", "g1"] });
    model.set("content", shown([0, 0]));
    await vi.advanceTimersByTimeAsync(100);
    const steps = [...root.querySelectorAll('[data-of="networks"] .kw-model-step')];
    expect(steps.map((step) => step.textContent)).toEqual([
      "step 0 · 94,650 parameters",
      "step 0 · 160 parameters",
    ]);
  });

  it("one toolbar sets the way of looking of all grids, and each keeps its choice of layers", async () => {
    const { root, grids } = await show();
    const modes = [
      ...root.querySelectorAll<HTMLOptionElement>(
        'select[aria-label="What is drawn"] [value=change]',
      ),
    ];
    expect(modes).toHaveLength(1);
    expect(modes[0].closest(".kw-header")?.getAttribute("aria-label")).toBe("Kernels or networks");
    const menu = modes[0].parentElement as HTMLSelectElement;
    menu.value = "change";
    menu.dispatchEvent(new Event("change", { bubbles: true }));
    expect(grids.map((grid) => grid.get("mode"))).toEqual(["change", "change"]);
    expect(grids[1].saves).toBe(1);
    grids[0].set("layer", "conv1");
    expect(grids[1].get("layer")).toBe("");
    grids[0].set("sort", "a score of the first");
    expect(grids[1].get("sort")).toBe("position");
    grids[0].set("sort", "range");
    expect(grids[1].get("sort")).toBe("range");
    expect(root.querySelectorAll(".kw-model .kw-options")).toHaveLength(0);
  });

  it("kernels that cannot be read are told of, and keep nothing else away", async () => {
    const { root } = await show({}, true);
    expect(root.querySelectorAll(".kw-model > .kw-kernel-grid")).toHaveLength(1);
    expect(root.querySelector(".kw-model > .kw-message")?.textContent).toContain("it is gone");
    expect(root.kwView.scene()?.shown.rows.find(({ key }) => key === "steps")?.values).toEqual([
      "3",
      "4",
    ]);
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

  it("hints are shown and said once", async () => {
    const { model: view, root } = await show();
    const spoken = () => root.querySelector(":scope > .kw-spoken")?.textContent;
    const remarks = () => [...root.querySelectorAll(":scope > .kw-caption .kw-remark")];
    const sources = [{ data_source: "MNIST" }, { data_source: "digits" }];
    view.update({ content: shown([3, 9], sources) });
    await vi.advanceTimersByTimeAsync(100);
    const hint = "The models are trained on different data.";
    expect(spoken()).toBe(hint);
    expect(remarks().map((part) => part.textContent)).toEqual([
      hint,
      "KAN trained on: MNIST; <b>CNN</b> trained on: digits",
    ]);
  });

  it("leaves nothing behind", async () => {
    const { model, grids, root } = await show();
    life.abort();
    expect([model, ...grids].map(({ handlers }) => handlers)).toEqual([0, 0, 0]);
    expect(root.isConnected).toBe(false);
  });
});

describe("the verdict", () => {
  const loss = (values: Deciding["values"], step = 2, first = step) => {
    return { quantity: "loss", first, step, values, errors: values.map(() => null) };
  };
  const of = (models: object[], ...deciding: object[]) => told({ models, deciding });
  const two = (steps: number[] = [2, 2], more: Partial<Model>[] = []) => [
    model("KAN", steps[0], { parameters: 54, ...more[0] }),
    model("MLP", steps[1], { parameters: 26, ...more[1] }),
  ];

  it("says whose numbers are better, by what, and after how many steps", () => {
    const held = { ...accuracy([0.6, 0.7]), quantity: "eval_accuracy", first: 25, step: 25 };
    expect(of(two(), held).verdict).toBe(
      "After 25 steps, MLP has the higher eval accuracy here, 70 % against 60 %.",
    );
    expect(of(two(), held).rows[0].best).toEqual([1]);
    expect(of(two(), loss([0.75, 1], 1200, 1171)).verdict).toBe(
      "After 1,200 steps, KAN has the lower training loss here, 0.75 against 1.00 (means of the last 30 steps).",
    );
    const three = [...two(), model("CNN", 2)];
    expect(of(three, loss([0.5, 0.25, 0.25])).verdict).toBe(
      "After 2 steps, MLP and CNN have the lowest training loss here, 0.25 against 0.50 (KAN).",
    );
  });

  it("says nothing of whose are better where that is not known, or where one has gone on", () => {
    expect(of(two([0, 0])).verdict).toBe("Not trained yet.");
    const waiting = "At step 484: training loss KAN 0.5. MLP has not been trained yet.";
    expect(of(two([484, 0]), loss([0.5, null], 484, 455)).verdict).toBe(waiting);
    expect(of(two([80, 0])).verdict).toBe("MLP has not been trained yet.");
    expect(of(two([1, 0])).verdict).toBe(""); // they take turns
    expect(of(two([5, 5])).verdict).toBe("");
    expect(of(two(), loss([1, 1], 1)).verdict).toBe(
      "After 1 step, no model is ahead: training loss 1 for both.",
    );
    expect(of(two(), loss(["nan", 0.25] as never)).rows[0].best).toEqual([]);
    expect(of(two(), loss([null, 0.25])).verdict).toBe("");
    const ahead = told({ models: two([100, 40]), deciding: [loss([0.5, 0.25], 40, 11)] }, [
      curve("loss", "KAN", [0, 100], [2, 0.125]),
    ]);
    expect(ahead.verdict).toBe(
      "At step 40: training loss MLP 0.25, KAN 0.50 (means of the last 30 steps).",
    );
  });

  it("leads with what has diverged, and then calls no other better", () => {
    const lost = two([120, 120], [{ diverged: 40 }, { diverged: null }]);
    expect(of(lost, loss([106, 0.25], 120, 91)).verdict).toBe(
      "KAN diverged at step 40. After 120 steps: training loss MLP 0.25, KAN 106 (means of the last 30 steps).",
    );
    expect(of(lost, accuracy([1, 1]), loss([106, 0.25], 3, 2)).verdict).toBe(
      "KAN diverged at step 40. After 3 steps, no model is ahead: training accuracy 100 % for both (means of the last 3 steps).",
    );
  });

  it("leaves it to the loss where accuracies are equal", () => {
    const found = of(two(), accuracy([1, 1]), loss([0.25, 0.5], 3, 2));
    expect(found.verdict).toBe(
      "After 3 steps, KAN has the lower training loss here, 0.25 against 0.50 (means of the last 2 steps); training accuracy 100 % for both.",
    );
    expect(found.rows.slice(0, 2).map(({ key, best }) => [key, best])).toEqual([
      ["accuracy", []],
      ["loss", [0]],
    ]);
  });

  it("calls numbers equal that are printed alike", () => {
    const found = of(two([5, 5]), loss([0.05312, 0.053118], 5));
    expect(found.verdict).toMatch(
      /^After 5 steps, no model is ahead: training loss 0.0531 for both/,
    );
    expect(found.rows[0].best).toEqual([]);
    const three = [...two(), model("CNN", 2)];
    expect(of(three, loss([0.05312, 0.053118, 0.5])).rows[0].best).toEqual([0, 1]);
  });

  it("calls no lead of a loss that is within chance", () => {
    const near = { ...loss([0.5, 0.52], 30, 1), errors: [0.01, 0.01] as Deciding["errors"] };
    const found = of(two([30, 30]), near);
    expect(found.verdict).toBe(
      "After 30 steps, no model is ahead: the mean training losses, 0.50 and 0.52, are too close to call.",
    );
    expect(found.rows[0].best).toEqual([]);
    const apart = { ...near, errors: [0.005, 0.005] as Deciding["errors"] };
    expect(of(two([30, 30]), apart).verdict).toContain("KAN has the lower training loss");
  });

  it("leads with the loss where accuracies differ by no more than chance", () => {
    // As one image of a thousand: within twice the error of their difference.
    const level = { ...accuracy([0.999, 1]), errors: [0.001, 0] as Deciding["errors"] };
    const found = of(two(), level, loss([0.02, 0.002], 3, 2));
    expect(found.verdict).toBe(
      "After 3 steps, MLP has the lower training loss here, 0.002 against 0.02 (means of the last 2 steps); the mean training accuracies, 99.9 % and 100 %, are too close to call.",
    );
    expect(found.rows.slice(0, 2).map(({ key, best }) => [key, best])).toEqual([
      ["accuracy", []],
      ["loss", [1]],
    ]);
    expect(of(two(), level).verdict).toBe(
      "After 3 steps, no model is ahead: the mean training accuracies, 99.9 % and 100 %, are too close to call.",
    );
    for (const errors of [
      [0.0004, 0],
      [0.0003, 0.0003],
      [0.001, null],
    ]) {
      expect(of(two(), { ...level, errors }).verdict).toContain("MLP has the higher");
    }
    expect(of(two(), { ...level, quantity: "eval_accuracy" }).verdict).toContain(
      "MLP has the higher",
    );
  });

  it("names no winner where the trends have crossed since", () => {
    const models: Model[] = ["KAN", "MLP"].map((name) => ({ ...model(name, 3), last: new Map() }));
    const end = (one: Deciding, ends: (number | null)[], of = models) => crossingOf(of, one, ends);
    const right = accuracy([0.8, 0.9]);
    expect([end(right, [0.92, 0.98]), end(right, [0.93, 0.94])]).toEqual(["", ""]);
    // A line may end above all that there is.
    expect(end(right, [1.02, 0.99])).toBe(
      "After 3 steps, no model is clearly ahead: MLP has the higher training accuracy here, 90 % against 80 % (means of the last 3 steps), but the trends have crossed: MLP 99 %, KAN 100 %.",
    );
    expect(end(right, [1.02, 1.01])).toBe("");
    expect(end(loss([0.5, 1]), [0.4, 0.9])).toBe("");
    expect(end(loss([0.5, 1]), [0.5, 0.25])).toContain("crossed: KAN 0.50, MLP 0.25.");
    const three = ["A", "B", "C"].map((name) => ({ ...models[0], name }));
    expect(end(accuracy([0.9, 0.8, 0.7]), [0.9, 0.8, 0.95], three)).toContain("A 90 %, C 95 %.");
    expect([end(right, [null, 0.9]), end(loss([Number.NaN, 1]), [1, 1])]).toEqual(["", ""]);
    // Numbers of what has diverged, or goes on, are no lead to speak of.
    const [kan, mlp] = models;
    expect(end(right, [1, 0.9], [{ ...kan, diverged: 2 }, mlp])).toBe("");
    expect(end(right, [1, 0.9], [kan, { ...mlp, steps: 9 }])).toBe("");
  });

  it("is none of models that are trained on different data", () => {
    const found = of(
      two([2, 2], [{ data_source: "MNIST" }, { data_source: "digits" }]),
      loss([1, 2]),
    );
    expect(found.verdict).toBe("");
    expect(found.hints).toEqual(["The models are trained on different data."]);
    expect(found.rows.flatMap(({ best }) => best)).toEqual([]);
    expect(of(two([2, 2], [{ data_source: "MNIST" }])).note).toBe("KAN trained on: MNIST");
    const same = [{ data_source: "MNIST" }, { data_source: "MNIST" }];
    expect(of(two([2, 2], same)).note).toBe("Trained on: MNIST");
  });

  it("stands first in the table, which has nothing that the curves tell", () => {
    const curves = [
      curve("accuracy", "KAN", [0, 3], [0.5, 0.97]),
      curve("accuracy", "<b>CNN</b>", [0, 3], [0.5, 0.9]),
      curve("custom_score", "KAN", [0, 3], [1, 7]),
    ];
    const rows = told(shown([3, 4]), curves).rows;
    expect(rows.map(({ key }) => key)).toEqual(["accuracy", "parameters", "steps"]);
  });

  it("calls a time the best only where it is clearly shorter", () => {
    const best = (...seconds: number[]) => {
      const more = seconds.map((seconds_per_step) => ({ seconds_per_step }));
      return told(shown([3, 4], more)).rows.find(({ key }) => key === "seconds_per_step")?.best;
    };
    expect(best(0.0074, 0.0144)).toEqual([0]);
    expect(best(0.0074, 0.0078)).toEqual([]);
  });

  it("tells times in a unit that suits them", () => {
    expect([null, 0.0031, 7.5].map(perStep)).toEqual(["–", "3.1 ms", "7.5 s"]);
  });
});
