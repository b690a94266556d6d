import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { functionOf, observedEntry, selectionOf } from "../src/phi/entries.ts";
import { roundStep } from "../src/phi/ranges.ts";
import { widthOf } from "../src/scene/text.ts";
import { themeOf } from "../src/scene/theme.ts";
import { EDIT_PATIENCE, EDIT_PAUSE, Gesture } from "../src/views/spline_inspector/editing.ts";
import {
  greville,
  handlesOf,
  heightOf,
  moved,
  splineOrder,
} from "../src/views/spline_inspector/handles.ts";
import {
  legendBelow,
  legendBeside,
  legendMarks,
  legendWidth,
} from "../src/views/spline_inspector/legend.ts";
import { basisColours } from "../src/views/spline_inspector/picture.ts";
import { stripMarks } from "../src/views/spline_inspector/plot.ts";
import type { KeyRow } from "../src/views/spline_inspector/rows.ts";
import { overlayAt } from "../src/views/spline_inspector/settings.ts";
import {
  curve,
  limits,
  type Phi,
  phiOf,
  phiRange,
  readPhi,
  sample,
  wholeRange,
} from "../src/views/spline_inspector/terms.ts";
import {
  fromX,
  fromY,
  roomy,
  roundWindow,
  shiftedWithin,
  toX,
  toY,
  wheelFactor,
  zoomedWithin,
} from "../src/views/spline_inspector/window.ts";
import {
  courseText,
  formula,
  phiInputsText,
  rangeText,
} from "../src/views/spline_inspector/words.ts";
import type { LayerLayout, Observed } from "../src/wire/types.ts";
import { bandFor, frameOf, layer, table } from "./samples.ts";

const KNOTS = Array.from({ length: 12 }, (_, k) => -2.2 + 0.4 * k);
const spline = (changes: Partial<LayerLayout> = {}) =>
  layer({
    knots: KNOTS,
    tables: [table(-2.2, 2.2, 177, KNOTS)],
    bases: [{ domain: [-1, 1], extent: [-2.2, 2.2], knots: KNOTS }],
    ...changes,
  });

/** One basis function, β(x) = x: an ordinary weight. */
const line = () =>
  layer({
    nb: 1,
    labels: ["x"],
    isBase: [true],
    knots: [],
    tables: [{ x: Float32Array.of(-2, -1, 0, 1, 2), values: Float32Array.of(-2, -1, 0, 1, 2) }],
    bases: [{ domain: [-1, 1], extent: [-2, 2], knots: [] }],
  });

/** Bumps that no library of ours makes, without a base. */
const bumps = () => {
  const x = Float32Array.from({ length: 129 }, (_, p) => -3 + (6 * p) / 128);
  const centres = [-1, 0, 1];
  return layer({
    nb: 3,
    labels: ["left", "middle", "right"],
    isBase: [false, false, false],
    knots: [],
    tables: [
      {
        x,
        values: Float32Array.from(
          [...x].flatMap((at) => centres.map((c) => Math.exp(-((at - c) ** 2)))),
        ),
      },
    ],
    bases: [{ domain: [-1, 1], extent: [-3, 3], knots: [] }],
  });
};

function phi(of: LayerLayout, f = 0): Phi {
  const found = phiOf(frameOf([of], 7), selectionOf(of, f));
  if (!found) throw new Error("no such function");
  return found;
}

const places = { spline, line, bumps };

describe("the terms of a function", () => {
  for (const [name, make] of Object.entries(places)) {
    it(`sum to φ at every point drawn (${name})`, () => {
      const one = phi(make(), 3);
      const samples = sample(one, [-1.9, 1.7], 200);
      const whole = curve(one, samples, "phi");
      const parts = one.layer.labels.map((_, b) => curve(one, samples, b));
      const [base, rest] = [curve(one, samples, "base"), curve(one, samples, "spline")];
      expect(whole.length).toBeGreaterThan(190);
      whole.forEach((value, p) => {
        expect(parts.reduce((sum, y) => sum + y[p], 0)).toBeCloseTo(value, 12);
        expect(base[p] + rest[p]).toBeCloseTo(value, 12);
      });
    });
  }

  it("are the basis functions times the weights, between the table's rows too", () => {
    const one = phi(spline());
    const at = 0.3137;
    const silu = at / (1 + Math.exp(-at));
    // The cubic B-spline with the knots −0.6 … 1 at x, in closed form.
    const d = Math.abs((at - 0.2) / 0.4);
    const b4 = (Math.max(2 - d, 0) ** 3 - 4 * Math.max(1 - d, 0) ** 3) / 6;
    const read = readPhi(one, at);
    expect(read?.terms[0]).toBeCloseTo(one.coefficients[0] * silu, 5);
    expect(read?.terms[1 + 4]).toBeCloseTo(one.coefficients[5] * b4, 5);
    expect(read?.phi).toBeCloseTo(
      Array.from(read?.terms ?? []).reduce((sum, term) => sum + term, 0),
      12,
    );
  });

  it("have the slope that differences have", () => {
    const one = phi(spline(), 5);
    for (const x of [-1.5, -0.31, 0.5, 0.87]) {
      const h = 1e-3;
      const [low, high] = [readPhi(one, x - h), readPhi(one, x + h)];
      const slope = ((high?.phi ?? 0) - (low?.phi ?? 0)) / (2 * h);
      expect(readPhi(one, x)?.slope).toBeCloseTo(slope, 3);
    }
  });

  it("end where the table ends", () => {
    const one = phi(line());
    expect(readPhi(one, 2.5)).toBeNull();
    const { x } = sample(one, [-9, 9], 50);
    expect([x[0], x[x.length - 1]]).toEqual([-2, 2]);
    expect(sample(one, [5, 6], 50).x.length).toBe(0);
    expect(wholeRange(one)).toEqual([-2, 2]);
  });

  it("reach as far as a much finer look says, whatever is between the points", () => {
    for (const of of [spline(), bumps(), line()]) {
      const one = phi(of, 2);
      const [low, high] = phiRange(one, [-1.93, 1.71]) ?? [0, 0];
      const found = limits(curve(one, sample(one, [-1.93, 1.71], 200_000), "phi")) ?? [0, 0];
      // A float32 has seven digits.
      expect(Math.abs(low - found[0])).toBeLessThan(1e-7 * Math.abs(found[0]));
      expect(Math.abs(high - found[1])).toBeLessThan(1e-7 * Math.abs(found[1]));
    }
    const broken = phiOf(frameOf([line()]), selectionOf(line(), 2), [Number.NaN]);
    expect(broken && phiRange(broken, [-1, 1])).toBeNull();
  });

  it("are those of the coefficients given instead of the frame's", () => {
    const of = line();
    const one = phiOf(frameOf([of]), selectionOf(of, 2), [4]);
    expect(one && readPhi(one, 0.5)?.phi).toBe(2);
  });
});

describe("functions by name", () => {
  it("are numbered row by row, and back", () => {
    const of = spline({ shape: [2, 3, 2, 2] });
    for (let f = 0; f < of.count; f++) expect(functionOf(of, selectionOf(of, f))).toBe(f);
    expect(selectionOf(of, 23)).toEqual({ layer: "conv1", out: 1, in: 2, row: 1, column: 1 });
    expect(functionOf(of, { layer: "conv1", out: 2, in: 0, row: 0, column: 0 })).toBe(-1);
    expect(functionOf(of, { layer: "conv1", out: 0.5, in: 0, row: 0, column: 0 })).toBe(-1);
  });

  it("find their input: by group, alone where kernels are shared, by feature", () => {
    const conv = {
      stride: [1, 1] as [number, number],
      padding: [0, 0, 0, 0] as [number, number, number, number],
      dilation: [1, 1] as [number, number],
      paddingMode: "zeros" as const,
      groups: 2,
      shared: false,
    };
    const grouped = spline({ shape: [4, 3, 2, 2], conv });
    const at = (out: number, input: number, row: number, column: number) =>
      functionOf(grouped, { layer: "conv1", out, in: input, row, column });
    expect(observedEntry(grouped, at(1, 2, 0, 1))).toBe(2 * 4 + 1);
    expect(observedEntry(grouped, at(3, 2, 1, 0))).toBe((3 + 2) * 4 + 2);
    const shared = spline({ shape: [4, 1, 2, 2], conv: { ...conv, groups: 1, shared: true } });
    expect(observedEntry(shared, 15)).toBe(3);
    const linear = spline({ kind: "linear", shape: [2, 5, 1, 1] });
    expect(observedEntry(linear, 7)).toBe(2);
  });
});

describe("control points", () => {
  it("lie at the Greville abscissae, over which a straight line is its own control polygon", () => {
    for (const order of [1, 2, 3]) {
      const knots = [-1, -1, -0.7, -0.2, 0.4, 0.5, 1, 1.3, 2];
      const abscissae = greville(knots, order);
      expect(abscissae.length).toBe(knots.length - order - 1);
      // Σ ξ_j B_j(x) = x: what the Greville abscissae are.
      const x = 0.3;
      const sum = abscissae.reduce((total, xi, j) => total + xi * deBoor(knots, order, j, x), 0);
      expect(sum).toBeCloseTo(x, 12);
    }
    expect(greville([0, 1, 3], 0)).toEqual([0.5, 2]);
  });

  it("are as high as the coefficients, one for each B-spline", () => {
    const one = phi(spline());
    const handles = handlesOf(one).filter(({ control }) => control);
    expect(splineOrder(one)).toBe(3);
    expect(handles.map(({ label }) => label)).toEqual(one.layer.labels.slice(1));
    handles.forEach((handle, j) => {
      expect(handle.x).toBeCloseTo(-1.4 + 0.4 * j, 6);
      expect(heightOf(handle, one.coefficients)).toBe(one.coefficients[1 + j]);
    });
  });

  it("are not made where the knots do not fit the labels", () => {
    expect(splineOrder(phi(bumps()))).toBe(-1);
    expect(splineOrder(phi(layer()))).toBe(-1); // knots within the grid only
    const renamed = spline({ labels: ["SiLU", "B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8"] });
    expect(splineOrder(phi(renamed))).toBe(-1);
  });

  it("of other terms lie on their own curve, apart from each other", () => {
    for (const of of [bumps(), line()]) {
      const one = phi(of, 1);
      const handles = handlesOf(one);
      expect(handles.length).toBe(of.nb);
      expect(new Set(handles.map(({ x }) => x)).size).toBe(of.nb);
      for (const handle of handles) {
        const own = readPhi(one, handle.x)?.terms[handle.b] ?? Number.NaN;
        expect(heightOf(handle, one.coefficients)).toBeCloseTo(own, 6);
        expect(handle.control).toBe(false);
      }
    }
  });

  it("of a base are not hidden by a control point when both are zero", () => {
    const handles = handlesOf(phi(spline()));
    const base = handles.find(({ control }) => !control);
    for (const { x } of handles.filter(({ control }) => control)) {
      expect(Math.abs(x - (base?.x ?? x))).toBeGreaterThan(0.08);
    }
  });

  it("set their coefficient so that the point is where it was put, and no other", () => {
    for (const of of [spline(), bumps(), line()]) {
      const one = phi(of);
      for (const handle of handlesOf(one)) {
        const next = moved(one.coefficients, handle, 0.375);
        expect(heightOf(handle, next)).toBeCloseTo(0.375, 12);
        const others = [...next].filter((_, b) => b !== handle.b);
        expect(others).toEqual([...one.coefficients].filter((_, b) => b !== handle.b));
      }
    }
  });
});

function deBoor(knots: number[], order: number, j: number, x: number): number {
  if (order === 0) return x >= knots[j] && x < knots[j + 1] ? 1 : 0;
  const part = (a: number, b: number, value: number) => (a === b ? 0 : value / (a - b));
  return (
    part(knots[j + order], knots[j], x - knots[j]) * deBoor(knots, order - 1, j, x) +
    part(knots[j + order + 1], knots[j + 1], knots[j + order + 1] - x) *
      deBoor(knots, order - 1, j + 1, x)
  );
}

describe("the plane", () => {
  const box = { x: 50, y: 10, width: 400, height: 200 };

  it("stays under the pointer when zoomed", () => {
    const range = [-2, 3] as const;
    const at = fromX(range, box, 130);
    const next = zoomedWithin(range, at, 0.5, [-9, 9]) ?? range;
    expect(fromX(next, box, 130)).toBeCloseTo(at, 12);
    expect(next[1] - next[0]).toBeCloseTo(2.5, 12);
  });

  it("turns places into pixels and back", () => {
    expect(fromX([-1, 1], box, toX([-1, 1], box, 0.3))).toBeCloseTo(0.3, 12);
    expect(fromY([-4, 9], box, toY([-4, 9], box, 2))).toBeCloseTo(2, 12);
    expect(toY([0, 1], box, 1)).toBe(10);
  });

  it("does not leave what there is to see", () => {
    expect(shiftedWithin([-5, -1], 0, [-2, 2])).toEqual([-2, 2]);
    expect(shiftedWithin([0.5, 1.5], 1, [-2, 2])).toEqual([1, 2]);
    const closest = shiftedWithin([0, 0], 0, [-2, 2]);
    expect(closest[1] - closest[0]).toBeGreaterThan(0);
  });

  it("grows and shrinks by the same factor when the wheel goes there and back", () => {
    const turn = (deltaY: number, deltaMode = 0) => wheelFactor({ deltaY, deltaMode });
    expect(turn(100) * turn(-100)).toBeCloseTo(1, 12);
    expect(turn(100)).toBeGreaterThan(1);
    expect(turn(3, 1)).toBeGreaterThan(turn(3, 0));
    expect(turn(1e9)).toBeLessThan(2);
  });

  it("has round ends and steps", () => {
    for (const length of [1e-9, 0.037, 1, 12, 9e8]) {
      const step = roundStep(length / 7);
      expect(length / step).toBeLessThanOrEqual(7.000001);
      expect(length / step).toBeGreaterThan(2.7);
    }
  });

  it("holds all values and zero, between round ends", () => {
    const [low, high] = roomy([-0.673, 0.0785]);
    expect(low).toBeLessThan(-0.673);
    expect(high).toBeGreaterThan(0.0785);
    expect(roomy([0.5, 0.7])[0]).toBeLessThanOrEqual(0);
    expect(roomy(null)).toEqual([-1, 1]);
    expect(roomy([0, 0])).toEqual([-1, 1]);
    // A little training moves no axis.
    expect(roomy([-0.6731, 0.0784])).toEqual(roomy([-0.673, 0.0785]));
  });

  it("fits what is seen, without zero where that is far away", () => {
    const [low, high] = roundWindow([0.5, 0.7]);
    expect([low > 0.4 && low <= 0.5, high >= 0.7 && high < 0.8]).toEqual([true, true]);
    for (const constant of [0, 0.3, -2e6, 1e-12]) {
      const [below, above] = roundWindow([constant, constant]);
      expect(below < constant && constant < above, String(constant)).toBe(true);
    }
  });

  it("is not zoomed where there is nothing to zoom", () => {
    expect(zoomedWithin([-2, 2], 0, 1.2, [-2, 2])).toBeNull();
    expect(zoomedWithin([-2, 2], 0, 0.5, [-2, 2])).toEqual([-1, 1]);
    const inwards: (readonly [number, number])[] = [[-2, 2]];
    while (inwards.length < 1000) {
      const next = zoomedWithin(inwards[inwards.length - 1], 0.7, 0.8, [-2, 2]);
      if (!next) break;
      inwards.push(next);
    }
    expect(inwards.length).toBeLessThan(100);
    for (const [low, high] of inwards) expect(low < 0.7 && high > 0.7).toBe(true);
  });

  it("prints a range", () => {
    expect(rangeText([-0.125, 0.25])).toBe("φ from −0.125 to 0.25");
    const course = (...values: number[]) => courseText([-1, 2], values);
    expect(course(-1, 0, 2)).toBe("φ rises from −1 to 2");
    expect(course(2, 1.99, 2, 0, -1)).toBe("φ falls from 2 to −1");
    expect(course(0, -1, 0.5, 2)).toBe("φ falls from 0 to −1, then rises to 2");
    expect(course(-1, 1, 2, 1, 1.01, 0)).toBe("φ rises from −1 to 2, then falls to 0");
    expect(course(0, 2, -1, 2)).toBe("φ turns twice, between −1 and 2");
    expect(courseText([1, 1], [1, 1])).toBe("φ is 1 everywhere");
    expect(courseText(null, [0, 1])).toBe("φ is not finite");
    expect(rangeText(null)).toBe("φ is not finite");
  });
});

describe("the formula of φ", () => {
  const made = (labels: string[], bases = 1, variable = "x") =>
    formula({ labels, isBase: labels.map((_, b) => b < bases), variable });

  it("has every weight that the legend has", () => {
    expect(made(["silu", "B0", "B1"])).toBe("φ(x) = w·silu(x) + Σ c·B(x)");
    expect(made(["x", "R0"])).toBe("φ(x) = w·x + c·R0(x)");
    expect(made(["x", "sin πx", "cos πx"])).toBe("φ(x) = w·x + Σ c·β(x)");
    expect(made(["T0(tanh x)", "T1(tanh x)"], 0)).toBe("φ(x) = Σ c·T(tanh x)");
    expect(made(["T0(tanh 2x)", "T1(tanh 2x)"], 0)).toBe("φ(x) = Σ c·T(tanh 2x)");
    expect(made(["silu", "x", "B0", "B1"], 2)).toBe("φ(x) = base(x) + Σ c·B(x)");
  });

  it("is nothing of one term, and says a long name of x where it must", () => {
    expect(made(["x"])).toBe("");
    expect(made(["silu", "R0", "R1"], 1, "LayerNorm(x)")).toBe("φ = w·silu + Σ c·R");
    expect(made(["T0(tanh x)", "T1(tanh x)"], 0, "LayerNorm(x)")).toBe(
      "φ = Σ c·T(tanh LayerNorm(x))",
    );
  });
});

const ROW: KeyRow = {
  key: "basis",
  label: "B0",
  title: "",
  colours: ["#000000"],
  look: "ramp",
  on: true,
  coefficient: "−0.000123",
  value: "−0.000456",
  removable: false,
  wraps: false,
  parts: [],
};

describe("the legend", () => {
  const { colours } = themeOf("light");
  const base = { key: "base", label: "base · silu" };

  it.each([560, 900])(
    "keeps the longest numbers apart, and labels whole, at %i pixels",
    (width) => {
      const rows = [ROW, { ...ROW, ...base }, ...Array(14).fill({ ...ROW, removable: true })];
      for (const height of [380, 340]) {
        const legend = legendBeside(rows, { x: 0, width: legendWidth(width) }, height);
        if (!legend) throw new Error("no room");
        const said = { reading: null, variable: "x", sum: "", lit: "" };
        const ends = new Map<number, number>();
        const texts = legendMarks(legend, said, colours).filter((mark) => mark.kind === "text");
        expect(texts.map(({ text }) => text)).toContain("base · silu");
        for (const { x, y, text, size, anchor } of texts.sort((a, b) => a.x - b.x)) {
          const wide = widthOf(text, size);
          const left = anchor === "end" ? x - wide : anchor === "middle" ? x - wide / 2 : x;
          const before = ends.get(y) ?? Number.NEGATIVE_INFINITY;
          expect(left - before, `${text} at ${y}`).toBeGreaterThan(3);
          ends.set(y, left + wide);
        }
      }
    },
  );
});

describe("the legend of long labels", () => {
  const label = "each of cos 2π·x/1.5 … sin 16π·x/1.5";
  const rows = [{ ...ROW, label, wraps: true }, ROW];

  it.each([500, 850, 1200])("shows them whole below the plot, at %i pixels", (width) => {
    const [{ lines }] = legendBelow(rows, 0, width).rows;
    expect(lines.join(" ")).toBe(label);
  });

  it("lists each weight below the plot, two in a line, none over another", () => {
    const parts = Array.from({ length: 5 }, (_, k) => ({ label: `B${k}`, weight: `0.${k}123` }));
    const own = { ...ROW, label: "each", parts };
    const legend = legendBelow([own, ROW, ROW, ROW, ROW], 0, 530);
    const said = { reading: null, variable: "x", sum: "", lit: "" };
    const texts = legendMarks(legend, said, themeOf("light").colours).flatMap((mark) =>
      mark.kind === "text" && /^(B\d|0\.\d123)$/.test(mark.text) ? [mark] : [],
    );
    expect(texts.slice(0, 10).map(({ text }) => text)).toEqual(
      parts.flatMap(({ label, weight }) => [label, weight]),
    );
    expect(new Set(texts.slice(0, 10).map(({ y }) => y)).size).toBe(3);
    expect(legend.rows[1].box.y - legend.rows[0].box.y).toBe(18 + 3 * 15);
  });

  it("and beside it, where they take several lines", () => {
    const legend = legendBeside(rows, { x: 0, width: legendWidth(700) }, 380);
    const [{ lines, box }, next] = legend?.rows ?? [];
    expect(lines.join(" ")).toBe(label);
    expect(lines.length).toBeGreaterThan(1);
    expect(next.box.y).toBe(box.y + box.height);
  });
});

describe("an edit on its way", () => {
  const at = { layer: "conv1", out: 0, in: 1, row: 0, column: 0 };
  let sent: { value: number; final: boolean; at: number }[];
  let gesture: Gesture;
  const now = () => performance.now();
  const move = (value: number) => gesture.move(at, Float64Array.of(value), now());

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    sent = [];
    gesture = new Gesture((_, coefficients, final) => {
      sent.push({ value: coefficients[0], final, at: now() });
    });
  });

  afterEach(() => vi.useRealTimers());

  it("is sent 20 times a second at most, and always with the last value", () => {
    for (let k = 0; k < 100; k++) {
      move(k);
      vi.advanceTimersByTime(7);
    }
    gesture.end(now());
    const gaps = sent.slice(1, -1).map((one, k) => one.at - sent[k].at);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(EDIT_PAUSE - 1e-6);
    expect(sent.length).toBeGreaterThan(10);
    expect(sent.length).toBeLessThanOrEqual(700 / EDIT_PAUSE + 2);
    expect(sent.at(-1)).toMatchObject({ value: 99, final: true });
    expect(sent.filter(({ final }) => final).length).toBe(1);
    vi.advanceTimersByTime(1000);
    expect(sent.at(-1)?.final).toBe(true);
  });

  it("is sent at once at first, and its last value also when the pointer rests", () => {
    move(1);
    expect(sent.map(({ value }) => value)).toEqual([1]);
    move(2);
    move(3);
    vi.advanceTimersByTime(EDIT_PAUSE);
    expect(sent.map(({ value }) => value)).toEqual([1, 3]);
  });

  it("is drawn until the model has the value", () => {
    move(0.5);
    expect(gesture.compare([0.5], true, now())).toBe(false); // still held
    gesture.end(now());
    expect(gesture.compare([0.4], false, now())).toBe(false);
    expect(gesture.edited?.coefficients[0]).toBe(0.5);
    expect(gesture.compare([Math.fround(0.5000000001)], false, now())).toBe(true);
    expect(gesture.edited).toBeNull();
  });

  it("is let go after a while when training has moved on without it, and only then", () => {
    move(0.5);
    gesture.end(now());
    vi.advanceTimersByTime(EDIT_PATIENCE + 1);
    expect(gesture.compare([0.1], false, now())).toBe(false);
    expect(gesture.compare([0.1], true, now())).toBe(true);
  });

  it("sends nothing more once dropped", () => {
    move(1);
    move(2);
    gesture.drop();
    vi.advanceTimersByTime(1000);
    gesture.end(now());
    expect(sent.length).toBe(1);
  });
});

describe("words and colours", () => {
  it("tell the share of inputs outside", () => {
    const one = phi(spline());
    const observed = {
      samples: 1200,
      entries: 12,
      outsideDomain: new Float32Array(12).fill(0.1234),
      outsideExtent: new Float32Array(12),
    } as Observed;
    expect(phiInputsText(one, observed)).toBe(
      "12.3 % of the inputs seen (1,200 samples) lie outside the grid",
    );
    observed.outsideDomain.fill(1);
    observed.outsideExtent.fill(0.0001);
    expect(phiInputsText(one, observed)).toContain("100 % of the inputs seen");
    expect(phiInputsText(one, observed)).toContain("<0.1 % beyond every basis function");
    observed.outsideDomain.fill(0);
    expect(phiInputsText(one, observed)).toBe("all inputs seen (1,200 samples) lie on the grid");
    expect(phiInputsText(one, null)).toBe("live.observe(batch) shows its inputs");
    const band = bandFor(one.layer, 3, Array(one.layer.count).fill(3));
    expect(phiInputsText({ ...one, layer: { ...one.layer, band } }, null)).toBe("");
  });

  it("have an order that grey print keeps, on light and on dark", () => {
    for (const theme of ["light", "dark"] as const) {
      const grey = basisColours(13, theme).map((colour) => {
        const [r, g, b] = (colour.match(/\d+/g) ?? []).map(Number);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      });
      for (let k = 1; k < grey.length; k++) expect(grey[k]).toBeGreaterThan(grey[k - 1]);
    }
    expect(basisColours(1, "light").length).toBe(1);
  });

  it("find limits among finite values only", () => {
    expect(limits([1, Number.NaN, -2], [Number.POSITIVE_INFINITY])).toEqual([-2, 1]);
    expect(limits([Number.NaN])).toBeNull();
  });
});

describe("a curve laid over φ", () => {
  it("is read straight between its samples, and not beyond or where it is not defined", () => {
    const curve = { x: Float64Array.of(-1, 0, 1, 2), y: Float32Array.of(4, 2, 3, Number.NaN) };
    expect([-1, -0.5, 0.25, 1].map((x) => overlayAt(curve, x))).toEqual([4, 3, 2.25, 3]);
    expect([-1.01, 1.5, 2, 2.01].map((x) => overlayAt(curve, x))).toEqual([null, null, null, null]);
  });
});

it("the bars of the inputs are as high as the square root of their share, and the tallest has its number", () => {
  const strip = { x: 100, y: 0, width: 400, height: 42 };
  const density = { edges: [0, 1, 2, 3, 4], counts: [900, 0, 64, 36] };
  const marksOver = (x: number[]) =>
    stripMarks({ density, x, domain: [0, 3] } as never, strip, themeOf("light").colours);
  const heightsIn = (marks: ReturnType<typeof marksOver>) =>
    marks
      .flatMap((mark) =>
        mark.kind === "rects" ? Array.from(mark.boxes).filter((_, k) => k % 4 === 3) : [],
      )
      .slice(1);
  const textsIn = (marks: ReturnType<typeof marksOver>) =>
    marks.flatMap((mark) => (mark.kind === "text" ? mark.text : []));
  const whole = marksOver([0, 4]);
  expect(heightsIn(whole)).toEqual([40, (40 * 8) / 30, (40 * 6) / 30]);
  expect(textsIn(whole)).toEqual(["90 %", "inputs"]);
  // Of a part of x the tallest that is seen.
  const part = marksOver([1.5, 4]);
  expect(heightsIn(part)).toEqual([40, (40 * 6) / 8]);
  expect(textsIn(part)).toEqual(["6.4 %", "inputs"]);
});
