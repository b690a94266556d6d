import { describe, expect, it } from "vitest";
import { rectOf } from "../src/phi/geometry.ts";
import { readableSize } from "../src/phi/ranges.ts";
import type { LinesMark, Mark } from "../src/scene/marks.ts";
import { themeOf } from "../src/scene/theme.ts";
import { cutText } from "../src/views/kernel_grid/caption.ts";
import { functionMarks } from "../src/views/kernel_grid/marks.ts";
import { peaksReader, withoutOutliers } from "../src/views/kernel_grid/peaks.ts";
import { pictureMaker } from "../src/views/kernel_grid/picture.ts";
import { type Settings, settingsOf } from "../src/views/kernel_grid/settings.ts";
import { readFrame, readLayout } from "../src/wire/protocol.ts";
import type { Frame } from "../src/wire/types.ts";
import { makeRun, RUNS } from "./made_up_run.ts";

const PLAIN: Settings = { ...settingsOf((() => undefined) as never), ghost: false };
const run = makeRun(RUNS.article);
const layout = readLayout(run.layout);
const layer = layout.layers[0];
const WHOLE = { x: 0, y: 0, width: 2000, height: 2000 };

/** The first layer at a step, with all of its functions so many times as large. */
function frameAt(step: number, times = 1): Frame {
  const frame = readFrame({ layout: 1, step, bytes: run.frame(0) }, layout);
  frame.data.forEach((value, k) => {
    frame.data[k] = times * value;
  });
  return frame;
}

/** Likewise, with one function a hundred times as large again. */
function withOutlier(f: number): Frame {
  const frame = frameAt(0);
  for (let b = 0; b < layer.nb; b++) frame.data[layer.offset + f * layer.nb + b] *= 100;
  return frame;
}

const picture = (frame: Frame, history: Frame[], settings: Partial<Settings> = {}) =>
  pictureMaker()({ frame, layer, settings: { ...PLAIN, ...settings }, width: 700, history });

describe("the scale", () => {
  it("is that of all steps, so that growth is seen from one to the next", () => {
    const history = [1, 2, 3, 4, 5].map((times) => frameAt(10 * times, times));
    for (const scale of ["layer", "function"] as const) {
      const make = pictureMaker();
      const scales = history.map((frame) =>
        make({ frame, layer, settings: { ...PLAIN, scale }, width: 700, history }).scaleOf(7),
      );
      expect(new Set(scales).size).toBe(1);
      expect(scales[0]).toBe(picture(history[4], [], { scale }).scaleOf(7));
      expect(scales[0]).toBeGreaterThan(3 * picture(history[0], [], { scale }).scaleOf(7));
    }
  });

  it("is not that of a step that blew up, but at that step", () => {
    const history = Array.from({ length: 20 }, (_, k) => frameAt(k, k === 12 ? 1e6 : 1));
    const calm = picture(history[3], history.slice(0, 12)).scales.largest;
    expect(picture(history[3], history).scales.largest).toBe(calm);
    expect(picture(history[12], history).scales.largest).toBeGreaterThan(1e5 * calm);
  });

  it("leaves out few functions that reach far further than all others", () => {
    const even = Array.from({ length: 200 }, (_, k) => 1 + k / 200);
    expect(withoutOutliers(even)).toBe(Math.max(...even));
    expect(withoutOutliers([...even, 50, 900])).toBe(Math.max(...even));
    // What is frequent is no outlier; of few functions none is, nor where all others are zero.
    expect(withoutOutliers([...even, ...Array(10).fill(50)])).toBe(50);
    expect(withoutOutliers([1, 1, 1, 50])).toBe(50);
    expect(withoutOutliers([...Array(99).fill(0), 3])).toBe(3);
    expect(withoutOutliers([Number.NaN, ...even, 50])).toBe(Math.max(...even));
    expect(withoutOutliers([Number.NaN])).toBe(0);
  });
});

it("a scale of curves leaves out a tenth of them where those would press the others flat", () => {
  const sizeOf = (sizes: number[]) => readableSize(Float32Array.from(sizes));
  const even = Array.from({ length: 100 }, (_, k) => (k + 1) / 100);
  expect(sizeOf(even)).toBe(1);
  const few = even.map((size, k) => (k < 92 ? size : 3 * size));
  // Up to a quarter further than the others: so no little change makes it another.
  expect(sizeOf(few)).toBeCloseTo(1.25 * 0.91);
  const far = (by: number) => sizeOf(even.map((size, k) => (k < 92 ? size : by * size)));
  expect(far(1.3)).toBeCloseTo(1.25 * 0.91);
  expect(far(1.13)).toBeCloseTo(1.13);
  // More of them are not left out, nor one of a few.
  expect(sizeOf(even.map((size, k) => (k < 80 ? size : 3 * size)))).toBe(3);
  expect(sizeOf([1, 1, 1, 50])).toBe(50);
  expect(sizeOf([Number.NaN, ...few])).toBeCloseTo(1.25 * 0.91);
  expect(sizeOf([Number.NaN])).toBe(0);
});

describe("a function that reaches further", () => {
  const now = withOutlier(20);
  const drawn = picture(now, []);
  const marks = functionMarks(drawn, WHOLE, themeOf("light"));
  const lines = (mark: Mark) => mark.kind === "lines";
  const cell = rectOf(drawn.arrangement, 20);

  it("leaves the scale to the others, and is counted", () => {
    // A quarter more than the others' 0.24, where it is 0.25 without it.
    expect(picture(frameAt(0), []).scales.largest).toBe(0.25);
    expect(drawn.scales.largest).toBe(0.3);
    expect(drawn.cut).toBe(1);
    expect(cutText(drawn)).toBe("▲ 1 of 45 functions goes beyond ±0.3");
    expect(cutText(picture(frameAt(0), []))).toBe("");
    expect(picture(now, [], { scale: "function" }).cut).toBe(0);
  });

  it("is drawn as far as its cell goes, with a triangle in it", () => {
    const [curves, triangle] = marks.filter(lines) as LinesMark[];
    expect(triangle.ends).toEqual([3]);
    for (let k = 0; k < 6; k += 2) {
      expect(triangle.xy[k]).toBeGreaterThanOrEqual(cell.x);
      expect(triangle.xy[k]).toBeLessThanOrEqual(cell.x + cell.width);
      expect(triangle.xy[k + 1]).toBeGreaterThanOrEqual(cell.y);
      expect(triangle.xy[k + 1]).toBeLessThanOrEqual(cell.y + cell.height);
    }
    // 44 whole curves, and the one by itself, cut off by its cell.
    expect(curves.ends.length).toBe(44);
    const [own, ...others] = marks.filter((mark) => mark.kind === "group");
    expect(others).toEqual([]);
    expect(own.clip).toEqual(cell);
    const [curve] = own.marks as LinesMark[];
    const heights = Array.from(curve.xy).filter((_, k) => k % 2 === 1);
    expect(heights.some((y) => y < cell.y || y > cell.y + cell.height)).toBe(true);
    const whole = Array.from(curves.xy).filter((_, k) => k % 2 === 1);
    expect(whole.every((y) => y > 0 && y < drawn.arrangement.height)).toBe(true);
  });
});

it("each step is measured once, and of many only some for each picture", () => {
  const read = peaksReader();
  const history = Array.from({ length: 100 }, (_, k) => frameAt(k));
  let measured = 0;
  const measure = () => {
    measured++;
    return new Float32Array(45).fill(1);
  };
  const now = history[99];
  const how = { valuesOfOne: 100_000, made: [], measure, scaleFor: withoutOutliers };
  read(history, now, layer, how);
  expect(measured).toBeLessThanOrEqual(16);
  for (let k = 0; k < 20; k++) read(history, now, layer, how);
  expect(measured).toBe(100);
  expect(read(history, now, layer, how).all.map(({ step }) => step)).toEqual(
    history.map(({ step }) => step),
  );
  expect(measured).toBe(100);
  read(history, now, layer, { ...how, made: ["another x"] });
  expect(measured).toBeGreaterThan(100);
});
