/** Where the networks of an ensemble have the functions of the one that is drawn. */

import { describe, expect, it } from "vitest";
import { bandLines, bandOver, widestText } from "../src/phi/interpolate.ts";
import { linear } from "../src/scene/axes.ts";
import { bandKey, type LinesMark, type Mark } from "../src/scene/marks.ts";
import { phiPlot } from "../src/scene/phi_plot.ts";
import { bandMarks } from "../src/scene/shapes.ts";
import { themeOf } from "../src/scene/theme.ts";
import { readLayout } from "../src/wire/protocol.ts";
import { FrameStore } from "../src/wire/store.ts";
import { bandFor, bytes, frameOf, layer, smallFrame, wireLayout } from "./samples.ts";

const { colours } = themeOf("light");
/** Two functions of two inputs. */
const two = layer({ kind: "linear", shape: [1, 2, 1, 1] });
const banded = { ...two, band: bandFor(two, 5, [5, 4]) };
const linesIn = (marks: readonly Mark[]) =>
  marks.filter((mark): mark is LinesMark => mark.kind === "lines");

/** As Python sends it: two functions, three places of x, for each input its own. */
const SENT = {
  count: 3,
  layers: {
    conv1: {
      x: bytes([-1, 0, 1, -2, 0, 2]),
      low: bytes([0, 1, 2, -9, 0, 0]),
      middle: bytes([1, 2, 3, 0, 1, 0]),
      high: bytes([1, 4, 3, 1, 1, 8]),
      alive: bytes([3, 2]),
      sizes: bytes([4, 9]),
    },
  },
};

describe("the band of a layer", () => {
  it("is read with the layout that it belongs to, each function at the x of its input", () => {
    const [own] = readLayout(wireLayout(), SENT).layers;
    expect([own.band?.count, own.band?.points, ...(own.band?.alive ?? [])]).toEqual([3, 3, 3, 2]);
    // At −0.5 half-way from −1 to 0; the second at −1, half-way from −2 to 0.
    expect(bandOver(own, 0, [-0.5, 5])).toEqual({
      range: { x: [-0.5, 0, 1, 1, 0, -0.5], y: [2.5, 4, 3, 2, 1, 0.5] },
      median: { x: [-0.5, 0, 1], y: [1.5, 2, 3] },
    });
    expect(bandOver(own, 1, [-1, -1])?.range.y).toEqual([1, 1, -4.5, -4.5]);
    expect(bandOver(own, 0, [1.5, 2])).toBeNull();
    expect(bandOver(readLayout(wireLayout()).layers[0], 0, [-1, 1])).toBeNull();
  });

  it("is refused where it counts other functions than the layer has", () => {
    const alive = bytes([3, 2, 1]);
    const wrong = { ...SENT, layers: { conv1: { ...SENT.layers.conv1, alive } } };
    expect(() => readLayout(wireLayout(), wrong)).toThrow(/networks of layer "conv1"/);
  });

  it("takes the place of what functions were before: networks of an ensemble are trained", () => {
    const store = new FrameStore({ write: () => {}, send: () => {} });
    const layout = readLayout(wireLayout(), SENT);
    store.takeInitial(smallFrame(0, layout));
    expect(store.ghost()).toBeNull();
  });
});

describe("a drawing of bands", () => {
  it("fills from the least to the largest and draws the median, each function by itself", () => {
    // The second is turned: its x run upwards.
    const places = [0, 1].map((f) => {
      const band = bandOver(banded, f, [-1, 1]);
      if (!band) throw new Error("no band");
      const toX = linear({ from: -1, to: 1 }, 0, 10);
      const at = (x: number, y: number) =>
        (f === 0 ? [toX(x), -y] : [-y, toX(x)]) as [number, number];
      return { ...band, at };
    });
    const [area, median] = linesIn(bandMarks(places, colours));
    expect([area.fill, area.closed, median.stroke]).toEqual([colours.range, true, colours.median]);
    const first = [0, -2, 5, -2, 5, -2, 10, -2, 10, 1, 5, 1, 5, 1, 0, 1];
    const points = (xy: ArrayLike<number>) =>
      new Set(Array.from({ length: xy.length / 2 }, (_, k) => `${xy[2 * k]},${xy[2 * k + 1]}`));
    expect(points(Array.from(area.xy).slice(0, 2 * area.ends[0]))).toEqual(points(first));
    const second = [-3, 0, -3, 5, -3, 10, 0, 0, 0, 5, 0, 10];
    expect(points(Array.from(area.xy).slice(2 * area.ends[0]))).toEqual(points(second));
    expect(points(Array.from(median.xy).slice(0, 2 * median.ends[0]))).toEqual(
      points([0, 0, 5, 0, 10, 0]),
    );
    expect(bandMarks([], colours)).toEqual([]);
  });

  it("is in a plot of one function, which has room for it, and is said in its key and tips", () => {
    const frame = frameOf([banded]);
    const box = { x: 0, y: 0, width: 300, height: 200 };
    const plotted = { frame, layer: banded, f: 1, x: [-1, 1] as const, ghost: null };
    const { marks, plot } = phiPlot(plotted, null, box, colours);
    const area = linesIn(marks).find(({ fill }) => fill === colours.range);
    const heights = Array.from(area?.xy ?? []).filter((_, k) => k % 2 === 1);
    expect(Math.min(...heights)).toBeGreaterThanOrEqual(plot.y);
    expect(Math.max(...heights)).toBeLessThanOrEqual(plot.y + plot.height);
    expect(linesIn(marks).some(({ stroke }) => stroke === colours.median)).toBe(true);
    const plain = phiPlot({ ...plotted, layer: two }, null, box, colours);
    expect(linesIn(plain.marks).some(({ stroke }) => stroke === colours.median)).toBe(false);
    expect(bandKey(banded.band, colours).map(({ text }) => text)).toEqual([
      "the most typical network",
      "range of all 5 networks",
      "their median",
    ]);
    expect(bandLines(banded, 1, 0.5)).toEqual([
      { label: "median of 5 networks", value: "1 (0 to 3)" },
    ]);
    expect([bandKey(two.band, colours), bandLines(two, 1, 0.5)]).toEqual([[], []]);
    const own = bandFor(two, 5, Array(two.count).fill(5));
    own.high[own.points + 2] = 4;
    expect(widestText({ ...two, band: own }, 1)).toBe("furthest apart at x = 1: 0 to 4, median 1");
  });
});
