import { describe, expect, it } from "vitest";
import { evaluate, evaluateAll, firstShown, type Plan, samplePlan } from "../src/phi/curves.ts";
import { phiAt } from "../src/phi/interpolate.ts";
import type { Frame, LayerLayout } from "../src/wire/types.ts";
import { bandFor, basis, frameOf, KNOTS, layer, randoms, table } from "./samples.ts";

/** Σ_b C_b β_b(x), straight from the formula. */
function reference(frame: Frame, { offset, nb }: LayerLayout, f: number, x: number): number {
  return basis(x).reduce((sum, beta, b) => sum + frame.data[offset + f * nb + b] * beta, 0);
}

function points(plan: Plan): { x: Float32Array; y: Float32Array } {
  return { x: new Float32Array(plan.points), y: new Float32Array(plan.points) };
}

/** The widest distance between neighbours. */
function widest(x: Float32Array): number {
  return Math.max(...[...x.subarray(1)].map((point, i) => point - x[i]));
}

describe("samplePlan", () => {
  it("keeps every row of the range when there is room", () => {
    const conv = layer();
    const plan = samplePlan(conv, [-2.2, 2.2], 1000);
    expect(plan.tables[0].x).toEqual(conv.tables[0].x);
    expect(plan.points).toBe(conv.tables[0].x.length);
  });

  it.each([2, 3, 5, 8, 13, 24, 40])("never has more than %i points, and both ends", (most) => {
    for (const range of [
      [-1, 1],
      [-2.2, 2.2],
      [-0.93, 0.41],
    ] as [number, number][]) {
      const { x } = samplePlan(layer(), range, most).tables[0];
      expect(x.length).toBeLessThanOrEqual(most);
      expect(x[0]).toBe(Math.fround(range[0]));
      expect(x[x.length - 1]).toBe(Math.fround(range[1]));
      expect([...x].every((point, p) => p === 0 || point > x[p - 1])).toBe(true);
    }
  });

  it("uses all the room it has", () => {
    for (const most of [3, 8, 17, 24, 60]) {
      expect(samplePlan(layer(), [-2.2, 2.2], most).points).toBe(most);
    }
  });

  it("keeps all knots and 0 when they fit", () => {
    const { x } = samplePlan(layer(), [-2.2, 2.2], 12).tables[0];
    for (const bend of [...KNOTS, 0]) expect([...x]).toContain(Math.fround(bend));
  });

  it("keeps both rows of a jump at a knot", () => {
    const x = Float32Array.of(-1, -0.5, -1e-7, 0, 0.25, 0.5, 1);
    const steps = layer({ nb: 1, knots: [0], tables: [{ x, values: new Float32Array(7) }] });
    const plan = samplePlan(steps, [-1, 1], 4);
    expect([...plan.tables[0].x]).toEqual([-1, Math.fround(-1e-7), 0, 1]);
  });

  it("takes only knots when not all of them fit", () => {
    const { x } = samplePlan(layer(), [-2.2, 2.2], 6).tables[0];
    const bends = [...KNOTS, 0].map(Math.fround);
    expect(x.length).toBe(6);
    for (const point of x.subarray(1, 5)) expect(bends).toContain(point);
  });

  it("spreads its points evenly", () => {
    const { x } = samplePlan(layer(), [-2.2, 2.2], 24).tables[0];
    expect(widest(x)).toBeLessThan((2 * 4.4) / 23);
  });

  it("interpolates an end that falls between two rows", () => {
    const conv = layer();
    const frame = frameOf([conv]);
    const rows = conv.tables[0].x;
    const middle = (rows[10] + rows[11]) / 2;
    const plan = samplePlan(conv, [middle, 1], 24);
    const out = points(plan);
    evaluate(frame, conv, 4, plan, out);
    const [a, b] = [phiAt(conv, 4, frame, rows[10]).phi, phiAt(conv, 4, frame, rows[11]).phi];
    expect(out.x[0]).toBe(Math.fround(middle));
    expect(out.y[0]).toBeCloseTo((a + b) / 2, 6);
  });

  it("ends where the table ends", () => {
    const { x } = samplePlan(layer(), [-9, 9], 24).tables[0];
    expect([x[0], x[x.length - 1]]).toEqual([Math.fround(-2.2), Math.fround(2.2)]);
  });

  it("has no points for a range outside the table", () => {
    const conv = layer();
    const plan = samplePlan(conv, [3, 4], 24);
    expect(plan.points).toBe(0);
    expect(evaluateAll(frameOf([conv]), conv, plan).y.length).toBe(0);
  });

  it("plans each table by itself", () => {
    const conv = layer({ tables: [table(-1, 1, 11), table(0, 3, 41)] });
    const plan = samplePlan(conv, [-1, 2], 20);
    expect(plan.tables.map(({ x }) => [x[0], x[x.length - 1]])).toEqual([
      [-1, 1],
      [0, 2],
    ]);
    expect(plan.points).toBe(20);
  });
});

describe("evaluate", () => {
  it("is the sum of coefficients times basis functions at every point", () => {
    const first = layer();
    const second = layer({ name: "conv2", offset: first.count * 9, shape: [3, 1, 1, 2] });
    const frame = frameOf([first, second]);
    for (const part of [first, second]) {
      const plan = samplePlan(part, [-2.2, 2.2], 30);
      const out = points(plan);
      for (let f = 0; f < part.count; f++) {
        const n = evaluate(frame, part, f, plan, out);
        expect(n).toBe(30);
        for (let p = 0; p < n; p++) {
          expect(out.y[p]).toBeCloseTo(reference(frame, part, f, out.x[p]), 5);
        }
      }
    }
  });

  it.each([2, 3, 4, 5, 6, 7])("fills all of %i points", (most) => {
    const conv = layer();
    const frame = frameOf([conv]);
    const plan = samplePlan(conv, [-1, 1], most);
    const out = points(plan);
    evaluate(frame, conv, 1, plan, out);
    for (let p = 0; p < most; p++) {
      expect(out.y[p]).toBeCloseTo(reference(frame, conv, 1, out.x[p]), 5);
    }
  });
});

describe("evaluateAll", () => {
  const two = layer({
    shape: [2, 2, 1, 1],
    tables: [table(-1, 1, 11), table(-2.2, 2.2, 41)],
    tableOf: Uint32Array.of(1, 0, 0, 1),
  });

  it("agrees with evaluate for every function, over several tables and at an offset", () => {
    const shifted = { ...two, offset: 7 };
    const frame = { ...frameOf([shifted]), data: randoms(7 + 36) };
    const plan = samplePlan(shifted, [-2.2, 2.2], 30);
    const all = evaluateAll(frame, shifted, plan);
    const out = points(plan);
    for (let f = 0; f < 4; f++) {
      const n = evaluate(frame, shifted, f, plan, out);
      const at = f * all.points;
      expect(all.x[two.tableOf?.[f] ?? -1]).toEqual(out.x.slice(0, n));
      expect(all.y.slice(at, at + n)).toEqual(out.y.slice(0, n));
    }
  });

  it("writes into the memory of an earlier result, and leaves nothing of it", () => {
    const plan = samplePlan(two, [-2.2, 2.2], 30);
    const frame = frameOf([two], 1, 2);
    const fresh = evaluateAll(frame, two, plan);
    const earlier = evaluateAll(frameOf([two]), two, plan);
    earlier.y.fill(Number.NaN);
    const again = evaluateAll(frame, two, plan, earlier);
    expect(again.y).toBe(earlier.y);
    expect(again.y).toEqual(fresh.y);
  });

  it("lets a NaN coefficient spoil its own function only", () => {
    const frame = frameOf([two]);
    frame.data[2 * 9 + 3] = Number.NaN;
    const plan = samplePlan(two, [-1, 1], 11);
    const { y, points: n } = evaluateAll(frame, two, plan);
    const finite = [0, 1, 2, 3].map((f) => y.subarray(f * n, f * n + 11).every(Number.isFinite));
    expect(finite).toEqual([true, true, false, true]);
  });
});

describe("phiAt", () => {
  const conv = layer();
  const frame = frameOf([conv]);

  it("is exact at every sample point", () => {
    const plan = samplePlan(conv, [-2.2, 2.2], 1000);
    const out = points(plan);
    const n = evaluate(frame, conv, 5, plan, out);
    for (let p = 0; p < n; p++) {
      expect(phiAt(conv, 5, frame, out.x[p]).phi).toBeCloseTo(out.y[p], 6);
    }
    const lone = frameOf([conv]);
    lone.data.fill(0);
    lone.data[5 * 9 + 4] = 1;
    const { x, values } = conv.tables[0];
    x.forEach((at, p) => {
      expect(phiAt(conv, 5, lone, at).phi).toBe(values[p * 9 + 4]);
    });
  });

  it("splits φ into its base and its splines", () => {
    for (const x of [-2, -0.6, 0, 0.35, 1]) {
      const { phi, base, spline } = phiAt(conv, 7, frame, x);
      const silu = frame.data[7 * 9] * basis(x)[0];
      expect(base).toBeCloseTo(silu, 6);
      expect(spline).toBeCloseTo(reference(frame, conv, 7, x) - silu, 6);
      expect(phi).toBe(base + spline);
    }
  });

  it("is NaN outside the table and for NaN", () => {
    for (const x of [-2.3, 2.3, Number.NaN]) expect(phiAt(conv, 0, frame, x).phi).toBeNaN();
  });

  it("uses the function's own table", () => {
    const line = { x: Float32Array.of(-1, 1), values: Float32Array.of(-1, 1) };
    const square = { x: Float32Array.of(-1, 0, 1), values: Float32Array.of(1, 0, 1) };
    const two = layer({
      shape: [1, 2, 1, 1],
      nb: 1,
      isBase: [true],
      tables: [line, square],
      tableOf: Uint32Array.of(1, 0),
    });
    const ones = { ...frameOf([two]), data: Float32Array.of(1, 1) };
    expect(phiAt(two, 0, ones, -1).phi).toBe(1);
    expect(phiAt(two, 1, ones, -1).phi).toBe(-1);
  });
});

describe("the function that views begin with", () => {
  /** Frames of three functions, each a line through zero with one of these slopes at its ends. */
  const framesOf = (...steps: number[][]) => {
    const layers = [layer({ kind: "linear", shape: [3, 1, 1, 1] })];
    const layout = { version: 1, layers };
    return steps.map((weights, k): Frame => {
      const data = new Float32Array(3 * 9);
      weights.forEach((weight, f) => {
        data[9 * f] = weight;
      });
      return { step: 10 * k, layout, data };
    });
  };
  /** What is asked one after the other of a page that has what was held before. */
  const page = (held: Record<string, readonly number[]> = {}) => ({
    held,
    asked: (...frames: Frame[]) =>
      firstShown(
        {
          initial: () => frames[0],
          latest: () => frames[frames.length - 1],
          current: () => frames[frames.length - 1],
          observed: () => null,
          held: (name) => held[name] ?? null,
          hold: (name, choice) => {
            held[name] = choice;
          },
        },
        frames[0].layout.layers[0],
      ),
  });
  const asked = (...frames: Frame[]) => page().asked(...frames);

  it("is the one that varies most, and stays the same while it learns and when the page is loaded again", () => {
    const [start, later] = framesOf([0.1, 0.3, 0.2], [2, 0.3, 0.2]);
    const first = page();
    expect(first.asked(start)).toEqual({ f: 1, why: "largest φ range" });
    const then = { f: 1, why: `largest φ range at step ${start.step}` };
    expect(first.asked(start, later)).toEqual(then);
    expect(page(JSON.parse(JSON.stringify(first.held))).asked(start, later)).toEqual(then);
  });

  it("is the one in which the networks of an ensemble differ most", () => {
    const [start] = framesOf([0.1, 0.9, 0.2]);
    const [own] = start.layout.layers;
    const band = bandFor(own, 3, [3, 3, 3]);
    band.high[2 * band.points + 1] += 1;
    own.band = band;
    const why = "where the networks differ most";
    expect(asked(start)).toEqual({ f: 2, why });
  });

  it("is the one that varies most by then where a training is seen first when it is under way", () => {
    const [start, later] = framesOf([0.1, 0.2, 0.3], [0.1, 0.8, -0.4]);
    expect(asked(start, later)).toEqual({ f: 1, why: "largest φ range" });
  });
});
