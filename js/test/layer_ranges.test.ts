// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Given } from "../src/scene/drawing.ts";
import { NOT_POINTED } from "../src/scene/drawing.ts";
import type { Mark, Rect } from "../src/scene/marks.ts";
import { fitted, fittedApart, widthOf } from "../src/scene/text.ts";
import { themeOf } from "../src/scene/theme.ts";
import {
  contentReader,
  type Numbers,
  type RangesContent,
  type RangesRow,
} from "../src/views/layer_ranges/content.ts";
import { headHeight, rowTop } from "../src/views/layer_ranges/layout.ts";
import { rangeAxis, strip } from "../src/views/layer_ranges/marks.ts";
import { drawing, type RangesScene } from "../src/views/layer_ranges/scene.ts";
import { type RangesElement, render } from "../src/views/layer_ranges/view.ts";
import {
  aside,
  drawnNotes,
  type NumberColumn,
  numberColumns,
  roughly,
  sentences,
} from "../src/views/layer_ranges/words.ts";
import { initialize } from "../src/wire/stream.ts";
import { painted } from "./hurry.ts";
import { FakeModel } from "./page_model.ts";

vi.mock("../src/shell/pace.ts", async () => (await import("./hurry.ts")).hurriedPace());

const NUMBERS: Numbers = {
  functions: 6,
  measured: 6,
  constant: 0,
  not_finite: 0,
  range: 0.1,
  observed_range: null,
  spline_share: 0.2,
  outside_grid: null,
  silu_shaped: 0.5,
  observed_silu_shaped: null,
  base: "silu",
  base_shaped: 0.5,
  observed_base_shaped: null,
  change: 0.01,
};
/** Bytes at an address that is no multiple of four, as they may come. */
function bytes(values: ArrayLike<number>, kind: "Float32" | "Int32"): DataView {
  const view = new DataView(new ArrayBuffer(4 * values.length + 1), 1);
  for (let k = 0; k < values.length; k++) view[`set${kind}`](4 * k, values[k], true);
  return view;
}
const floats = (values: ArrayLike<number>) => bytes(values, "Float32");
const integers = (values: ArrayLike<number>) => bytes(values, "Int32");

function wireRow(name: string, numbers: Partial<Numbers> = {}) {
  return {
    name,
    type: "KANLinear",
    kind: "linear",
    shape: [2, 3, 1, 1],
    numbers: { ...NUMBERS, ...numbers },
    grid: [0.02, 0.05, 0.1, 0.2, 0.4],
    seen: null,
    typical: 4,
    dots: floats([0.02, 0.1, 0.4]),
    functions: integers([2, 4, 1]),
  };
}

function wirePast() {
  const steps = integers([0, 10, 20]);
  const values = (...some: number[]) => floats(some);
  return {
    steps,
    range: values(0.1, 0.15, 0.2),
    lower: values(0.05, 0.08, 0.1),
    upper: values(0.2, 0.3, 0.4),
    splines: values(0, 0.1, 0.2),
    silu: values(1, 0.8, 0.5),
    change: values(0, 0.01, 0.02),
    sizes: {
      steps: integers([5, 15]),
      gradient_base: values(0.1, 0.2),
      gradient_splines: values(Number.NaN, Number.NaN),
      update_base: values(0.001, 0.002),
      update_splines: values(0.01, 0.02),
    },
  };
}

function traitsOf(names: readonly string[], rows: Partial<Numbers>[] = []) {
  return {
    stream: "anywidget:s",
    content: {
      step: 20,
      threshold: 0.95,
      observed: false,
      rows: names.map((name, k) => wireRow(name, rows[k])),
    },
    past: names.map(wirePast),
    over_time: "range",
    height: 300,
    theme: "light",
  } as Record<string, unknown>;
}

let life: AbortController;
beforeEach(() => {
  life = new AbortController();
});
afterEach(() => {
  life.abort();
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

function storeOf(traits: Record<string, unknown> = {}) {
  const model = new FakeModel({
    layouts: [],
    initial: {},
    frame: {},
    selection: {},
    cursor: -1,
    status: { state: "idle", message: "" },
    ...traits,
  });
  return { model, store: initialize({ model: model as never, signal: life.signal }) };
}

function sceneFrom(
  traits: Record<string, unknown>,
  given: Partial<Given> = {},
  stream: Record<string, unknown> = {},
): RangesScene {
  const scene = drawing()({
    store: storeOf(stream).store,
    get: (trait) => traits[trait],
    width: 800,
    height: 300,
    theme: themeOf("light"),
    ratio: 2,
    pointed: NOT_POINTED,
    ...given,
  });
  if (typeof scene === "string") throw new Error(scene);
  return scene;
}

const marksOf = (scene: RangesScene, view: Rect): Mark[] =>
  scene.sheets.flatMap((sheet) => [...sheet.marks(view)]);
const whole = (scene: RangesScene): Rect => ({
  x: 0,
  y: 0,
  width: scene.width,
  height: scene.height,
});
function textsOf(scene: RangesScene, view = whole(scene)) {
  return marksOf(scene, view).flatMap((mark) => (mark.kind === "text" && mark.text ? [mark] : []));
}

describe("the heads", () => {
  it.each([460, 500, 800])("say first and last step, and what is logarithmic: %d", (width) => {
    const texts = textsOf(sceneFrom(traitsOf(["a"]), { width })).map(({ text }) => text);
    expect(texts.filter((text) => text.includes("…"))).toEqual([]);
    expect(texts.some((text) => /^range of φ/.test(text))).toBe(true);
    expect(texts.filter((text) => text.includes("log scale")).length).toBe(2);
    expect(texts).toEqual(expect.arrayContaining(["0", "20"]));
  });
});

describe("the words", () => {
  it("lead with the layer whose functions are the smallest", () => {
    const rows = traitsOf(["a", "b"], [{ range: 0.4 }, { range: 0.1 }]);
    const { content } = contentReader()((trait) => rows[trait]);
    const [headline] = sentences(content as RangesContent);
    expect(headline).toBe(
      "The functions of b vary least, typically by 0.10 on the grid; those of a vary most, by 0.40.",
    );
  });

  it("are of the inputs once some were seen, and lead with many that lie outside the grid", () => {
    const traits = traitsOf(
      ["a", "b"],
      [
        { range: 0.4, observed_range: 0.1, outside_grid: 0.4 },
        { range: 0.1, observed_range: 0.3, outside_grid: 0 },
      ],
    );
    const scene = sceneFrom(traits);
    expect(sentences(scene.content)).toEqual([
      "40 % of the inputs of layer a lie outside its grid, where its splines fade out.",
      "The functions of a vary least, typically by 0.10 over the inputs seen; those of b vary most, by 0.30.",
    ]);
    scene.content.rows[0].numbers.outside_grid = 0.06;
    expect(sentences(scene.content)[0]).toMatch(/^The functions of a vary least/);
    expect(sentences(scene.content)[1]).toMatch(/^6 % of the inputs of layer a lie outside/);
    const [range] = scene.layout.cells;
    expect(range.column.lines(scene.content.rows[0].numbers)).toEqual(["0.10", ""]);
    scene.content.rows[0].numbers.observed_range = 0.0425;
    expect(range.column.lines(scene.content.rows[0].numbers)[0]).toBe("0.043");
    expect(sentences(scene.content)[0]).toContain("typically by 0.043 over the inputs seen");
  });

  it("call a layer that is named by a number a layer", () => {
    const rows = traitsOf(["0", "4"], [{ range: 0.4 }, { range: 0.1 }]);
    const [headline] = sentences(contentReader()((trait) => rows[trait]).content as RangesContent);
    expect(headline).toBe(
      "The functions of layer 4 vary least, typically by 0.10 on the grid; those of layer 0 vary most, by 0.40.",
    );
  });

  it("say so where all layers reach about as far, and nothing where no range is known", () => {
    const said = (...ranges: (number | null)[]) => {
      const names = ranges.map((_, k) => `l${k}`);
      const traits = traitsOf(
        names,
        ranges.map((range) => ({ range })),
      );
      return sentences(contentReader()((trait) => traits[trait]).content as RangesContent)[0];
    };
    expect(said(0.1, 0.11)).toMatch(/vary about as much: typically by 0\.10 to 0\.11 on the grid/);
    expect(said(0.1)).toBe("A typical function of layer l0 varies by 0.10 on the grid.");
    expect(said(null, 0)).toBe("");
  });

  it("count shapes over the inputs once there are some, and name a base of another kind", () => {
    const numbers = { ...NUMBERS, observed_silu_shaped: 0.25, base: "x", base_shaped: 1 };
    const row = (outside: number | null) => ({ numbers: { outside_grid: outside } }) as RangesRow;
    const column = (seen: boolean) =>
      numberColumns({ rows: [row(seen ? 0 : null)], threshold: 0.9 }).at(-1) as NumberColumn;
    expect(column(false).about).toContain("at least 0.9");
    expect(column(false).about).toContain("on the grid");
    expect(column(true).about).toContain("over the inputs seen");
    expect(column(false).lines(numbers)).toEqual(["50 %", "line 100 %"]);
    expect(column(true).lines({ ...numbers, observed_base_shaped: 0.5 })).toEqual([
      "25 %",
      "line 50 %",
    ]);
  });

  it("name functions that count nowhere else", () => {
    const row = (numbers: Partial<Numbers>) =>
      ({ numbers: { ...NUMBERS, ...numbers } }) as RangesRow;
    expect(aside(row({ constant: 1200, not_finite: 1 }))).toBe("1,200 constant · 1 not finite");
    const part = row({ functions: 3_000_000, measured: 99_856, not_finite: 1 });
    expect(aside(part)).toBe("99,856 measured, at random · 1 not finite");
    expect(aside(row({}))).toBe("");
  });
});

describe("the plots", () => {
  it("keep dots apart that lie together", () => {
    expect(strip([0, 0, 0, 0, 0], 5).sort()).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(strip([0, 20, 40], 5)).toEqual([0.5, 0.5, 0.5]);
  });

  it("have an axis that holds what is drawn, also where a median is zero", () => {
    const traits = traitsOf(["a"]);
    const rows = contentReader()((trait) => traits[trait]).content?.rows ?? [];
    const { from, to } = rangeAxis(rows);
    expect(from).toBeLessThanOrEqual(0.02);
    expect(to).toBeGreaterThanOrEqual(0.4);
    rows[0].grid = [0, 0, 0, 0.2, 0.4];
    expect(rangeAxis(rows).from).toBeGreaterThan(0);
  });

  it("has an arrow in place of each dot that the axis does not reach, and says below what", () => {
    const traits = traitsOf(["a", "b"]);
    const many = Array.from({ length: 100 }, (_, k) => (k === 0 ? 1e-6 : 0.02 + 0.001 * k));
    const [first] = (traits.content as { rows: ReturnType<typeof wireRow>[] }).rows;
    Object.assign(first, { dots: floats(many), functions: integers(many.map((_, k) => k)) });
    const scene = sceneFrom(traits);
    const marks = marksOf(scene, whole(scene));
    const arrows = marks.flatMap((mark) =>
      mark.kind === "lines" && mark.closed && mark.fill === themeOf("light").colours.dot
        ? [mark]
        : [],
    );
    expect(arrows.map(({ ends }) => Array.from(ends))).toEqual([[3]]);
    expect(arrows[0].xy[0]).toBeLessThan(scene.layout.plot.x);
    expect(marks.flatMap((mark) => (mark.kind === "dots" ? [mark.xy.length] : []))).toContain(198);
    const { from } = rangeAxis(scene.content.rows);
    expect(textsOf(scene).map(({ text }) => text)).toContain(
      `max − min, log scale, arrows: below ${roughly(from)}`,
    );
  });

  it("join over steps that were not measured by dashes alone", () => {
    const traits = traitsOf(["a"]);
    const [past] = traits.past as ReturnType<typeof wirePast>[];
    const gap = (from: number) =>
      floats([from, from, Number.NaN, Number.NaN, Number.NaN, from, from]);
    Object.assign(past, {
      steps: integers([0, 10, 20, 30, 40, 50, 60]),
      range: gap(0.1),
      lower: gap(0.05),
      upper: gap(0.2),
    });
    const scene = sceneFrom(traits);
    const lines = marksOf(scene, whole(scene)).flatMap((mark) =>
      mark.kind === "lines" ? [mark] : [],
    );
    const dashed = lines.filter(({ dash }) => dash);
    expect(dashed.map(({ ends }) => Array.from(ends))).toEqual([[2]]);
    expect(lines.filter(({ width }) => width === 2).length).toBe(2);
    const bands = lines.filter(({ closed }) => closed).map(({ xy }) => Array.from(xy));
    expect(bands.map(({ length }) => length)).toEqual([8, 8]);
    // Along below, and back above.
    for (const [x0, y0, x1, , x2, y2, x3] of bands) {
      expect([x0, x1]).toEqual([x3, x2]);
      expect(y2).toBeLessThan(y0);
    }
    const head = textsOf(scene).map(({ text }) => text);
    expect(head.some((text) => text.includes("dots: steps measured"))).toBe(true);
    const at = { x: scene.layout.times.x + 0.45 * scene.layout.times.width, y: 80 };
    const read = sceneFrom(traits, { pointed: { id: "0", at, keyboard: "" } });
    expect(read.reading).toMatch(/^step (10|50): grid range \(median\) 0.1$/);
  });

  it("keep the column of inputs of another step, empty", () => {
    const traits = traitsOf(["a"], [{ outside_grid: 0.3, observed_range: 0.2 }]);
    Object.assign(traits.content as object, { observed: true, observed_step: 3, old: true });
    const { content, layout } = sceneFrom(traits);
    const outside = layout.cells.find(({ column }) => column.title === "outside")?.column;
    expect(outside?.lines(content.rows[0].numbers)).toEqual(["–", ""]);
  });

  it("leave out what a logarithmic axis has no place for", () => {
    const traits = { ...traitsOf(["a"]), over_time: "change" };
    const scene = sceneFrom(traits);
    const curves = marksOf(scene, whole(scene)).flatMap((mark) =>
      mark.kind === "lines" && mark.width === 2 ? [mark] : [],
    );
    expect(curves.map(({ ends }) => Array.from(ends))).toEqual([[2]]);
    expect(scene.times.values.from).toBeGreaterThan(0);
  });

  it("have a dot at each measured step where these lie apart, and say so", () => {
    const dotsAt = (steps: number, over_time = "range") => {
      const from = traitsOf(["a"]);
      const [one] = from.past as Record<string, DataView>[];
      const numbers = Float32Array.from({ length: steps }, (_, k) => 0.1 + k / steps);
      const values = new DataView(numbers.buffer);
      const all = new DataView(Int32Array.from(numbers, (_, k) => k).buffer);
      const measured = { range: values, lower: values, upper: values, splines: values };
      const past = [{ ...one, steps: all, ...measured }];
      const scene = sceneFrom({ ...from, past, over_time }, { width: 1000 });
      const said = textsOf(scene).some(({ text }) => text.includes("dots: steps measured"));
      const marks = scene.sheets[2].marks(whole(scene));
      return [marks.flatMap((mark) => (mark.kind === "dots" ? [mark.xy.length / 2] : [])), said];
    };
    expect(dotsAt(4)).toEqual([[4], true]);
    expect(dotsAt(400)).toEqual([[], false]);
    // Of shares, which have no logarithmic axis and no band, there is nothing else to say.
    expect(dotsAt(400, "splines")).toEqual([[], false]);
  });

  it("have all measures without the kernel", () => {
    for (const [measure, curves] of [
      ["range", [3, 0]],
      ["splines", [0, 3]],
      ["silu", [3, 0]],
      ["gradient", [2, 0]],
      ["update", [2, 2]],
    ] as const) {
      const scene = sceneFrom({ ...traitsOf(["a"]), over_time: measure });
      const [{ first, splines }] = scene.times.rows;
      const known = [first, splines].map(
        ({ values }) => Array.from(values).filter(Number.isFinite).length,
      );
      expect([measure, known]).toEqual([measure, curves]);
    }
  });

  it("mark the step that is looked at", () => {
    const accents = (stream: Record<string, unknown>) =>
      sceneFrom(traitsOf(["a", "b"]), {}, stream)
        .sheets[2].marks({ x: 0, y: 0, width: 800, height: 300 })
        .filter((mark) => mark.kind === "lines" && mark.stroke === themeOf("light").colours.accent)
        .length;
    expect(accents({})).toBe(0);
    expect(accents({ cursor: 10 })).toBe(2);
  });
});

it("says why no function of a layer is drawn", () => {
  const traits = traitsOf(["a"], [{ outside_grid: 0, observed_range: 0 }]);
  const rows = contentReader()((trait) => traits[trait]).content?.rows ?? [];
  expect(drawnNotes({ ...rows[0], dots: new Float32Array(0) })).toEqual([
    "constant over the inputs seen, which are all alike",
  ]);
});

describe("the scene", () => {
  it("has three columns at every width within it, and one more once inputs are seen", () => {
    for (const width of [320, 600, 1000, 1600]) {
      const scene = sceneFrom(traitsOf(["a", "b"]), { width });
      expect(scene.layout.cells.length).toBe(3);
      for (const { text, x, size, weight, anchor } of textsOf(scene)) {
        const wide = widthOf(text, size, weight);
        const left = x - wide * { start: 0, middle: 0.5, end: 1 }[anchor ?? "start"];
        expect([text, left >= 0, left + wide <= width]).toEqual([text, true, true]);
      }
    }
    const seen = sceneFrom(traitsOf(["a"], [{ outside_grid: 0.1, observed_range: 1 }]));
    expect(seen.layout.cells.map(({ column }) => `${column.title} ${column.below}`)).toEqual([
      "median range over the inputs",
      "splines’ part on the grid",
      "outside the grid",
      "SiLU-like functions",
    ]);
  });

  it("has curves beside the ranges, and the numbers below both where it is narrow", () => {
    const at = (width: number) => sceneFrom(traitsOf(["a", "b"]), { width });
    for (const [width, bands] of [
      [260, 2],
      [440, 1],
      [900, 0],
    ]) {
      const scene = at(width);
      const { plot, times, cells, heights } = scene.layout;
      expect([width, scene.layout.bands]).toEqual([width, bands]);
      expect(times.x).toBeGreaterThanOrEqual(plot.x + plot.width);
      const texts = textsOf(scene);
      const heads = texts.filter(({ text }) => /^range/.test(text));
      expect(new Set(heads.map(({ y }) => y)).size).toBe(1);
      const share = texts.find(({ text }) => text === "20 %");
      const under = scene.layout.top + heights.height;
      expect([width, (share?.y ?? 0) > under, cells.length]).toEqual([width, bands > 0, 3]);
      expect(Math.min(...texts.map(({ size }) => size))).toBeGreaterThanOrEqual(11);
      // Each row names values within the axis, at their heights, and they do not touch.
      const { from, to } = scene.times.values;
      const right = texts.filter(({ x }) => x === times.x + times.width + 5);
      for (const k of [0, 1]) {
        const top = rowTop(scene.layout, k);
        const own = right.filter(({ y }) => y > top && y < top + heights.height);
        const values = own.map(({ text }) => Number(text));
        expect(own.length).toBeGreaterThanOrEqual(2);
        expect(values.every((value) => value >= from && value <= to)).toBe(true);
        const ys = own.map(({ y }) => y).sort((a, b) => a - b);
        expect(Math.min(...ys.slice(1).map((y, n) => y - ys[n]))).toBeGreaterThan(11);
      }
    }
  });

  it("shortens long names in the middle, so that they stay different", () => {
    const long = (k: number) => `encoder.of_a_very_long_name.block_${k}.attention.projection_kan`;
    const scene = sceneFrom(traitsOf([long(1), `${long(2)}_out`]), { width: 600 });
    const names = textsOf(scene).filter(({ text }) => text.startsWith("encoder"));
    expect(new Set(names.map(({ text }) => text)).size).toBe(2);
    for (const { text } of names) expect(text).toContain("…");
    expect(scene.sites.words("0")).toContain(long(1));
  });

  it("says what is wrong with functions beside a name, and under the numbers where that is long", () => {
    const name = "encoder.of_a_very_long_name.block_1.attention";
    const traits = traitsOf(["a", name], [{ not_finite: 1 }, { not_finite: 2 }]);
    const texts = textsOf(sceneFrom(traits, { width: 560 }));
    const [beside, under] = texts.filter(({ text }) => text.endsWith("not finite"));
    expect([beside.text, beside.anchor ?? "start"]).toEqual([
      "3 of 6 functions shown · 1 not finite",
      "start",
    ]);
    expect([under.text, under.anchor]).toEqual(["2 not finite", "end"]);
  });

  it("says how many functions of a layer are drawn, where these are not all", () => {
    const traits = traitsOf(
      ["a", "b", "c"],
      [
        { functions: 6250, measured: 6250 },
        { functions: 3, measured: 3 },
        { functions: 4, measured: 4, constant: 1 },
      ],
    );
    const notes = (width: number) =>
      textsOf(sceneFrom(traits, { width }))
        .map(({ text }) => text)
        .filter((text) => /functions?$|shown|constant$/.test(text));
    expect(notes(1000)).toEqual([
      "KANLinear, 3 of 6,250 functions shown",
      "KANLinear, 3 functions",
      "1 constant",
      "functions",
    ]);
    expect(notes(340)[0]).toBe("3 of 6,250 functions shown");
  });

  it("draws of a hundred layers what is seen, under a head that stays", () => {
    const names = Array.from({ length: 100 }, (_, k) => `layer${k}`);
    const scene = sceneFrom(traitsOf(names));
    const view = { x: 0, y: 3000, width: 800, height: 300 };
    const texts = textsOf(scene, view);
    expect(texts.filter(({ text }) => text.startsWith("layer")).length).toBeLessThan(9);
    const head = texts.filter(({ text }) => text === "splines’ part");
    expect(head.map(({ y }) => y > 3000 && y < 3000 + headHeight(scene.layout))).toEqual([true]);
    expect(scene.sites.at(10, 3010, view)).toBe("");
    expect(scene.sites.at(10, 3000 + headHeight(scene.layout) + 60, view)).toMatch(/^6\d$/);
    expect(scene.stuck).toBe(headHeight(scene.layout));
  });

  it("leads from row to row, and in a row from function to function by their ranges", () => {
    const { sites } = sceneFrom(traitsOf(["a", "b"]));
    expect(sites.next("", "first")).toBe("0");
    expect(sites.next("0", "down")).toBe("1");
    expect(sites.next("1", "down")).toBe("1");
    expect(sites.next("1", "right")).toBe("1.2");
    expect(sites.next("1.2", "right")).toBe("1.2");
    expect(sites.next("1.2", "left")).toBe("1.1");
    expect(sites.next("1.1", "up")).toBe("0");
    expect(sites.words("1.2")).toBe("b · output 0 · input 1: range 0.4 on the grid");
  });

  it("finds a dot where it is drawn, and explains the head of a column", () => {
    const scene = sceneFrom(traitsOf(["a", "b"]));
    const { x, y, width, height } = scene.sites.box("1.2") as Rect;
    expect(scene.sites.at(x + width / 2, y + height / 2, whole(scene))).toBe("1.2");
    const { right } = scene.layout.cells[1];
    const id = scene.sites.at(right - 5, scene.layout.top - 8, whole(scene));
    expect(scene.sites.words(id)).toMatch(/^splines’ part on the grid: /);
  });

  it("reads the curves under the pointer", () => {
    const traits = traitsOf(["a"]);
    const { layout } = sceneFrom(traits);
    const at = { x: layout.times.x + layout.times.width / 2, y: layout.top + 20 };
    const scene = sceneFrom(traits, { pointed: { id: "0", at, keyboard: "" } });
    expect(scene.reading).toBe("step 10: grid range (median) 0.15");
  });

  it("says what to do for the inputs, and on a page that numbers stay", () => {
    const said = (scene: RangesScene) => scene.caption.map(({ text }) => text).join(" ");
    const traits = traitsOf(["a"]);
    expect(said(sceneFrom(traits))).toContain("live.observe(batch)");
    (traits.content as { observed: boolean }).observed = true;
    expect(
      said(sceneFrom({ ...traits, content: { ...(traits.content as object) } })),
    ).not.toContain("live.observe");
    const saved = { status: { state: "saved", message: "" }, cursor: 10 };
    expect(said(sceneFrom(traits, {}, saved))).toContain(
      "Measured at step 20, when this page was saved.",
    );
    const { store } = storeOf();
    vi.spyOn(store, "latest").mockReturnValue({ step: 30 } as ReturnType<typeof store.latest>);
    // While a training goes on no line is said that was not, so that nothing moves.
    const [later, now] = [sceneFrom(traits, { store }), sceneFrom(traits)];
    expect(said(later)).toContain("Measured at step 20 of 30 so far.");
    expect(said(later).replace(" of 30 so far", "")).toBe(said(now));
    vi.spyOn(store, "cursor").mockReturnValue(30);
    expect(said(sceneFrom(traits, { store }))).toContain("20; the slider is at step 30.");
  });
});

describe("the view", () => {
  async function show(changes: Record<string, unknown> = {}, state = "idle") {
    const context = new Proxy({} as Record<string, unknown>, {
      get: (target, name: string) => (name in target ? target[name] : () => {}),
    });
    vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(context as never);
    for (const name of ["clientWidth", "offsetWidth"] as const) {
      vi.spyOn(HTMLElement.prototype, name, "get").mockReturnValue(800);
    }
    vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(300);
    const { store, model: stream } = storeOf({ status: { state, message: "" } });
    const model = new FakeModel({ ...traitsOf(["a", "b"]), ...changes });
    const el = document.body.appendChild(document.createElement("div"));
    const host = { getWidget: async () => ({ exports: store }), getModel: async () => model };
    render({ model: model as never, el, host, signal: life.signal } as never);
    await painted();
    const root = el.querySelector(".kw-layer-ranges") as unknown as RangesElement;
    const canvas = root.querySelector("canvas") as HTMLCanvasElement;
    const click = async (id: string) => {
      const { x, y } = root.kwView.at(id) as Rect;
      const place = { clientX: x + 3, clientY: y + 3 };
      canvas.dispatchEvent(new MouseEvent("click", { ...place, bubbles: true }));
      await painted();
    };
    const key = async (name: string) => {
      canvas.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
      await painted();
    };
    return { root, model, store, stream, click, key };
  }

  it("selects the typical function of a row, once, and the function of a dot", async () => {
    const { root, store, click } = await show();
    await click("1");
    expect(store.selection()).toEqual({ layer: "b", out: 1, in: 1, row: 0, column: 0 });
    expect(root.kwView.scene()?.chosen).toBe(1);
    await click("1.2");
    const dot = { layer: "b", out: 0, in: 1, row: 0, column: 0 };
    expect(store.selection()).toEqual(dot);
    await click("1");
    expect(store.selection()).toEqual(dot);
  });

  it("goes with the arrow keys from the selected function to the next by its range", async () => {
    const { store, key } = await show();
    const at = () => [store.selection()?.out, store.selection()?.in];
    await key("ArrowDown");
    await key("ArrowDown");
    await key("Enter");
    expect([store.selection()?.layer, ...at()]).toEqual(["b", 1, 1]);
    await key("ArrowRight");
    expect(at()).toEqual([0, 1]);
    await key("ArrowLeft");
    await key("ArrowLeft");
    expect(at()).toEqual([0, 2]);
    await key("Escape");
    expect(store.selection()).toBeNull();
  });

  it("offers to observe the batch that the kernel saw, and again: inputs grow old", async () => {
    const { root, stream, model } = await show();
    const button = root.querySelector("button.kw-button") as HTMLButtonElement;
    expect(button.hidden).toBe(true);
    stream.set("batch", { seen: true, message: "" });
    await painted();
    expect([button.hidden, button.textContent]).toEqual([false, "observe a batch"]);
    expect(root.textContent).toContain("Press “observe a batch”");
    button.click();
    expect(stream.sent).toContainEqual({ kind: "observe" });
    const seen = traitsOf(["a", "b"], [{ outside_grid: 0 }]).content as object;
    model.set("content", { ...seen, observed: true, observed_step: 12 });
    await painted();
    expect([button.hidden, button.textContent]).toEqual([false, "observe again"]);
    const [dots] = root.querySelectorAll<HTMLElement>('[title^="A dot for each function"]');
    expect(dots.title).toContain("over the inputs seen at step 12");
  });

  it("shows other curves on a saved page, too", async () => {
    const { root, model } = await show({}, "saved");
    const select = root.querySelector("select") as HTMLSelectElement;
    select.value = "update";
    select.dispatchEvent(new Event("change"));
    await painted();
    expect(model.get("over_time")).toBe("update");
    expect(root.kwView.scene()?.times.measure).toBe("update");
  });

  it("is as high as its rows on a saved page, where nothing would say that it scrolls", async () => {
    const many = traitsOf(["a", "b", "c", "d", "e", "f"]);
    for (const state of ["idle", "saved"]) {
      const { root } = await show(many, state);
      const part = root.querySelector(".kw-viewport") as HTMLElement;
      const height = root.kwView.scene()?.height ?? 0;
      expect(height).toBeGreaterThan(300);
      expect(part.style.height).toBe(`${state === "saved" ? height : 300}px`);
      expect(part.hasAttribute("data-scrolls")).toBe(state !== "saved");
    }
  });

  it("has a title and a name for its control", async () => {
    const { root } = await show();
    const controls = root.querySelectorAll(".kw-header :is(select, input)");
    expect(controls.length).toBe(1);
    for (const control of controls) {
      expect(control.getAttribute("title")).toBeTruthy();
      expect(control.getAttribute("aria-label")).toBeTruthy();
    }
  });
});

describe("long names", () => {
  it("stay different wherever it is that they differ, and fit", () => {
    const made = (middle: (k: number) => string) => Array.from({ length: 30 }, (_, k) => middle(k));
    const series = [
      made((k) => `model.encoder.blocks.${k}.attention.projection.kan.layers`),
      made((k) => `block${k}.encoder.attention.projection.kan.layers.spline.convs`),
      made((k) => `model.encoder.attention.projection.kan.layers.spline.convs.${k}`),
    ];
    for (const names of series) {
      const short = fittedApart(names, 190, 11.5);
      expect(new Set(short).size).toBe(30);
      for (const name of short) expect(widthOf(name, 11.5, 600)).toBeLessThanOrEqual(190);
    }
    // A gap in the middle of each would make some alike.
    expect(new Set(series[0].map((name) => fitted(name, 190, 11.5, 600))).size).toBeLessThan(30);
  });

  it("are whole where there is room", () => {
    expect(fittedApart(["convs.0", "convs.1"], 190, 11.5)).toEqual(["convs.0", "convs.1"]);
  });
});
