import { describe, expect, it } from "vitest";
import {
  type Chart,
  chartLayout,
  chartMarks,
  handsMarks,
  legendEntries,
  nearestPoint,
} from "../src/scene/chart.ts";
import { chartReader } from "../src/scene/logged.ts";
import type { Mark } from "../src/scene/marks.ts";
import { themeOf } from "../src/scene/theme.ts";
import { curve } from "./drawn_curves.ts";

const { colours } = themeOf("light");
const steps = Array.from({ length: 100 }, (_, k) => k + 1);
const falling = steps.map((step) => 1 / step);

type WireCurve = ReturnType<typeof curve>;

function chartOf(curves: readonly WireCurve[], traits: Record<string, unknown> = {}): Chart {
  const all: Record<string, unknown> = { curves, ...traits };
  return chartReader()((trait) => all[trait]);
}

const layOut = (chart: Chart, width = 600) => chartLayout(chart, { x: 8, y: 8, width }, 190);

/** All marks, those in groups too. */
function flat(marks: readonly Mark[]): Mark[] {
  return marks.flatMap((mark) => (mark.kind === "group" ? flat(mark.marks) : [mark]));
}

function drawn(chart: Chart) {
  const layout = layOut(chart);
  const marks = flat(chartMarks(chart, layout, colours, 1));
  /** What is drawn in a curve's colour. */
  const of = (colour: string) =>
    marks.filter((mark) => mark.kind !== "text" && mark.kind !== "image" && paint(mark) === colour);
  return { layout, marks, of };
}

const paint = (mark: Mark) => ("stroke" in mark && mark.stroke) || ("fill" in mark && mark.fill);
const words = (marks: readonly Mark[]) =>
  flat(marks).flatMap((mark) => (mark.kind === "text" && mark.text ? [mark.text] : []));

describe("curves", () => {
  it("lie where their steps and values are", () => {
    const chart = chartOf([curve("loss", "loss", steps, falling)]);
    const { layout, of } = drawn(chart);
    const [line] = of(colours["curve-0"]);
    if (line.kind !== "lines") throw new Error("no line");
    const { plot } = layout.places[0];
    expect(layout.steps).toEqual({ from: 0, to: 100 });
    expect(line.xy[0]).toBeCloseTo(plot.x + plot.width / 100);
    expect(line.xy[198]).toBeCloseTo(plot.x + plot.width);
    // 1 is the top of the axis, with some air above, as below 0.
    expect(line.xy[1]).toBeCloseTo(plot.y + 6);
    expect(line.xy[199]).toBeCloseTo(plot.y + 6 + 0.99 * (plot.height - 12));
  });

  it("have a mean with their values faint behind", () => {
    const chart = chartOf([curve("loss", "loss", steps, falling)], { smoothing: 30 });
    const [values, mean] = drawn(chart).of(colours["curve-0"]) as Required<Mark>[];
    expect(values.opacity).toBeLessThan(0.5);
    expect([values, mean].map((line) => line.kind === "lines" && line.width)).toEqual([1.25, 1.5]);
  });

  it("say below which line is the mean, and how many steps it is over", () => {
    const chart = (smoothing: number, thinned = false) =>
      chartOf([curve("loss", "loss", steps, falling, { thinned })], { smoothing });
    const said = (of: Chart, width = 600) => words(chartMarks(of, layOut(of, width), colours, 1));
    const fit = "trend, a line fitted to";
    expect(said(chart(30))).toEqual(expect.arrayContaining(["logged", `${fit} 30 steps`]));
    expect(said(chart(30), 290)).toContain("trend over 30 steps");
    expect(said(chart(30, true))).toContain(`${fit} at least 30 steps`);
    expect(said(chart(30), 200)).toEqual(expect.arrayContaining(["logged", "trend"]));
    expect(said(chart(0))).not.toContain("logged");
  });

  it("have no mean in a panel of few values", () => {
    const means = (n: number) =>
      chartOf([curve("loss", "loss", steps.slice(0, n), falling.slice(0, n))], { smoothing: 10 })
        .panels[0].curves[0].mean;
    expect([means(12) === null, means(13) === null]).toEqual([true, false]);
  });

  it.each([false, true])("have the mean of logarithms on a logarithmic axis", (thinned) => {
    const at = (scale: string) => {
      const curves = [curve("loss", "loss", steps, falling, { thinned })];
      return chartOf(curves, { smoothing: 10, scale }).panels[0].curves[0].mean?.y[50] ?? 0;
    };
    const near = falling.slice(45, 56);
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length;
    if (thinned) expect(at("log")).toBeLessThan(at("linear"));
    else {
      expect(at("linear")).toBeCloseTo(mean(near), 10);
      expect(at("log")).toBeCloseTo(Math.exp(mean(near.map(Math.log))), 10);
    }
  });

  it("have a logarithmic axis that says so, by choice or where they are of a loss that has logarithms", () => {
    const said = (panel: string, y: readonly number[], scale: string) => {
      const chart = chartOf([curve(panel, panel, steps.slice(0, y.length), y)], { scale });
      return words(drawn(chart).marks).includes("log scale");
    };
    expect(said("loss", falling, "auto")).toBe(true);
    expect(said("eval loss", falling.slice(0, 2), "auto")).toBe(true);
    expect(said("loss", [2, 4e3, 5e30, Number.NaN], "auto")).toBe(true);
    expect(said("loss", [2, 1, 0], "auto")).toBe(false);
    expect(said("loss", [2, 1, -1], "auto")).toBe(false);
    expect(said("accuracy", falling, "auto")).toBe(false);
    expect(said("accuracy", falling, "log")).toBe(true);
    expect(said("loss", falling, "linear")).toBe(false);
  });

  it("are dots too where they have few values", () => {
    const dots = (n: number) =>
      drawn(chartOf([curve("loss", "loss", steps.slice(0, n), falling.slice(0, n))]))
        .of(colours["curve-0"])
        .some(({ kind }) => kind === "dots");
    expect([2, 12, 13].map(dots)).toEqual([true, true, false]);
  });

  it("begin with a second value: one alone is said", () => {
    const one = chartOf([
      curve("loss", "loss", steps, falling),
      curve("accuracy", "KAN", [100], [0.97]),
      curve("accuracy", "CNN", [90], [Number.NaN]),
    ]);
    expect(one.panels.map(({ title }) => title)).toEqual(["loss"]);
    expect(one.said).toEqual(["accuracy KAN 97 % at step 100, CNN not a number at step 90"]);
    const never = chartOf([curve("loss", "loss", [3, 4], [Number.NaN, Number.NaN])]);
    expect(never.said).toEqual(["loss not a number since step 3"]);
    const two = chartOf([curve("accuracy", "KAN", [100, 200], [0.97, 0.98])]);
    expect([two.panels.length, two.said.length]).toEqual([1, 0]);
  });

  it("of how many are right of a few are written as shares, and one more is no leap", () => {
    const right = (y: number[]) => drawn(chartOf([curve("right of 200", "score", [1, 30], y)]));
    const { of, layout, marks } = right([0.1, 0.105]);
    const [line] = of(colours["curve-0"]).filter(({ kind }) => kind === "lines");
    if (line.kind !== "lines") throw new Error("no line");
    const rise = line.xy[1] - line.xy[3];
    expect(rise).toBeGreaterThan(0);
    expect(rise).toBeLessThan(0.2 * layout.places[0].plot.height);
    expect(words(marks).some((text) => /^1\d(\.\d)? %$/.test(text))).toBe(true);
    // Nothing is above all of them.
    const tops = words(right([0.99, 0.995]).marks).filter((text) => text.endsWith(" %"));
    expect(Math.max(...tops.map((text) => Number.parseFloat(text)))).toBeLessThanOrEqual(100);
  });

  it("say from when on they are not a number, over that part of the plot", () => {
    const chart = chartOf([curve("loss", "loss", [0, 1, 2, 3, 4], [1, 5, 9, NaN, NaN])]);
    const { layout, of, marks } = drawn(chart);
    expect(words(marks)).toContain("not a number since step 3");
    const [lost] = of(colours.outside);
    const { plot } = layout.places[0];
    if (lost.kind !== "rects") throw new Error("no area");
    expect(lost.boxes[0]).toBeCloseTo(plot.x + 0.75 * plot.width);
    expect(
      words(drawn(chartOf([curve("loss", "loss", [0, 1, 2], [1, NaN, 3])])).marks),
    ).not.toContain("not a number since step 1");
  });

  it("do not leave most of the axis to what is not a number, unless another model goes on", () => {
    const x = Array.from({ length: 30 }, (_, k) => k);
    const lost = curve(
      "loss",
      "a",
      x,
      x.map((k) => (k < 9 ? 1 : Number.NaN)),
    );
    const other = curve(
      "loss",
      "b",
      x,
      x.map((k) => 1 / (k + 1)),
    );
    expect(drawn(chartOf([lost])).layout.steps.to).toBe(12);
    expect(drawn(chartOf([lost, other])).layout.steps.to).toBeGreaterThanOrEqual(29);
    expect(drawn(chartOf([lost], { zoom: [0, 29] })).layout.steps.to).toBe(29);
  });

  it("have a gap at what is not finite, and at what a logarithm lacks", () => {
    const ends = (y: readonly number[], scale: string) => {
      const chart = chartOf([curve("loss", "loss", [0, 1, 2, 3], y)], { scale });
      const [line] = drawn(chart).of(colours["curve-0"]);
      return line.kind === "lines" ? [...(line.ends as number[])] : [];
    };
    expect(ends([1, Number.NaN, 2, 3], "linear")).toEqual([1, 3]);
    expect(ends([1, 0, -1, 0.01], "log")).toEqual([1, 2]);
  });

  it("of one quantity share a panel, and all panels their steps", () => {
    const chart = chartOf([
      curve("loss", "loss", steps, falling),
      curve("loss", "val_loss", [10, 20], [1, 2]),
      curve("accuracy", "accuracy", [100, 200], [0, 1]),
    ]);
    expect(chart.panels.map(({ title, curves }) => [title, curves.length])).toEqual([
      ["loss", 2],
      ["accuracy", 1],
    ]);
    expect(layOut(chart).steps).toEqual({ from: 0, to: 200 });
  });
});

describe("panels", () => {
  const three = ["a", "b", "c"].map((name) => curve(name, name, steps, falling));

  it("stand side by side as far as there is room", () => {
    const tops = (width: number) => layOut(chartOf(three), width).places.map(({ box }) => box.y);
    expect(new Set(tops(900)).size).toBe(1);
    expect(new Set(tops(300)).size).toBe(3);
  });

  it("stand in even rows: four are never three and one", () => {
    const four = chartOf([...three, curve("d", "d", steps, falling)]);
    const tops = (width: number) => layOut(four, width).places.map(({ box }) => box.y);
    expect(new Set(tops(1000)).size).toBe(2);
    expect(tops(1000)[1]).toBe(tops(1000)[0]);
    expect(tops(1000)[2]).toBe(tops(1000)[3]);
    expect(new Set(tops(1300)).size).toBe(1);
  });

  it("show the steps of a zoom", () => {
    const chart = chartOf(three, { zoom: [20, 40] });
    expect(layOut(chart).steps).toEqual({ from: 20, to: 40 });
  });

  it("have two ticks or more on the axis of steps, however narrow", () => {
    for (const last of [3, 7, 12, 19, 34, 45, 49, 350, 480]) {
      const some = steps.map((step) => (step * last) / 100);
      const chart = chartOf([curve("loss", "loss", some, falling)]);
      const layout = layOut(chart, 130);
      const { plot } = layout.places[0];
      const under = flat(chartMarks(chart, layout, colours, 1)).filter(
        (mark) => mark.kind === "text" && mark.y > plot.y + plot.height && !mark.turn,
      );
      const numbers = words(under).filter((text) => /^[\d,]+$/.test(text));
      expect(numbers.length, `${last} steps`).toBeGreaterThan(1);
    }
  });

  it("have a line and words at what was marked, where the words do not touch", () => {
    const marks = [
      [50, "lr 0.1 → 0.01"],
      [51, "too near"],
      [500, "outside"],
    ];
    const texts = words(drawn(chartOf([three[0]], { marks })).marks);
    expect(texts).toContain("lr 0.1 → 0.01");
    expect(texts).not.toContain("too near");
    expect(texts).not.toContain("outside");
  });
});

describe("values over a panel", () => {
  const alternating = Array.from({ length: 101 }, (_, k) => (k % 2 ? 1 : 2));
  const many = Array.from({ length: 101 }, (_, k) => k);
  const noisy = curve("loss", "loss", many, alternating);
  const read = (chart: Chart, step: number | null) => {
    const layout = layOut(chart);
    return words(handsMarks(chart, layout, { step, band: null }, colours, 1)).join(" ");
  };

  it("are written as the axis is, in one way however far that goes, and the plot stays", () => {
    const [short, long] = [1e-3, 1e-6].map((least) => {
      const falling = many.map((k) => 10 ** ((k / 100) * Math.log10(least)));
      const chart = chartOf([curve("loss", "loss", many, falling)], { scale: "log" });
      return { texts: words(chartMarks(chart, layOut(chart), colours, 1)), layout: layOut(chart) };
    });
    expect(short.texts).toContain("0.001");
    expect(long.texts.filter((text) => /⁻|^1e/.test(text))).toEqual(["1e−6"]);
    expect(layOut(chartOf([noisy], { scale: "log" })).places[0].plot.x).toBe(
      short.layout.places[0].plot.x,
    );
  });

  it("are those logged last, with the trend beside them", () => {
    expect(read(chartOf([noisy], { smoothing: 2 }), null)).toBe("loss 2  (trend 1.67) step 100");
    expect(read(chartOf([noisy], { smoothing: 2, zoom: [0, 11] }), null)).toBe(
      "loss 2  (trend 1.67) step 100",
    );
  });

  it("have the colour of the value's line, and of the mean's where no value is told", () => {
    const chart = chartOf([noisy], { smoothing: 4 });
    const strengths = (tellsLatest: boolean) =>
      handsMarks(chart, layOut(chart), { step: null, band: null }, colours, 1, tellsLatest).flatMap(
        (mark) => (mark.kind === "rects" ? [mark.opacity ?? 1] : []),
      );
    expect(strengths(true).every((opacity) => opacity < 1)).toBe(true);
    expect(strengths(false)).toEqual([1]);
  });

  it("are those at the step that is read, with the mean beside it", () => {
    expect(read(chartOf([noisy], { smoothing: 4 }), 48.2)).toBe("loss 2  (trend 1.6) step 48");
  });

  it("lose means and then names where there is no room, but stay", () => {
    const y = many.map(() => 0.222);
    const all = ["KAN", "CNN", "MLP"].map((name) => curve("eval accuracy", name, many, y));
    const at = (width: number) => {
      const chart = chartOf(all, { smoothing: 4 });
      const layout = layOut(chart, width);
      return words(handsMarks(chart, layout, { step: 50, band: null }, colours, 1)).join(" ");
    };
    expect(at(700)).toContain("MLP  22.2 %  (trend 22.2 %)");
    expect(at(400)).toContain("KAN  22.2 % CNN  22.2 % MLP  22.2 %");
    expect(at(300)).toContain("eval accuracy 22.2 % 22.2 % 22.2 %");
  });

  it("are none before the first step and beyond the last", () => {
    const { panels } = chartOf([curve("loss", "loss", [40, 60], [3, 2])]);
    const at = (step: number) => legendEntries(panels[0], { from: 0, to: 100 }, step)[0].value;
    expect([30, 41, 59, 70].map(at)).toEqual(["–", "3", "2", "–"]);
  });

  it("are at the nearest step", () => {
    const points = { x: [1, 2, 4, 8], y: [10, 20, 40, 80] };
    expect(nearestPoint(points, 2.9)).toEqual({ step: 2, value: 20 });
    expect(nearestPoint(points, 3.1)).toEqual({ step: 4, value: 40 });
    expect(nearestPoint(points, 0)).toBeNull();
    expect(nearestPoint(points, 8.5)).toBeNull();
    expect(nearestPoint(points, 8.5, 1)).toEqual({ step: 8, value: 80 });
  });
});
