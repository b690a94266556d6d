import { describe, expect, it, vi } from "vitest";
import { evaluateAll, firstShown } from "../src/phi/curves.ts";
import { functionOf, observedEntry } from "../src/phi/entries.ts";
import { expandAt } from "../src/phi/expansion.ts";
import { type Images, imageAt, imagesOf, mapsOf, rangeOf } from "../src/phi/images.ts";
import { memory } from "../src/phi/memory.ts";
import {
  contour,
  densityOf,
  functionIn,
  groupOf,
  levelsOf,
  pairEntries,
  placeLabel,
  selectionIn,
  shareAt,
  surfaceOf,
  type XY,
} from "../src/phi/pair.ts";
import { ARM, colourise, colourOf, paletteOf } from "../src/phi/palette.ts";
import { reachOf } from "../src/phi/ranges.ts";
import {
  inputOf,
  patchAt,
  patchRect,
  refusal,
  respond,
  sourcesOf,
  sweep,
} from "../src/phi/response.ts";
import { brushRadius, stroke } from "../src/phi/sketch.ts";
import { NOT_POINTED } from "../src/scene/drawing.ts";
import type { Rect } from "../src/scene/marks.ts";
import { framed } from "../src/scene/shapes.ts";
import { themeOf } from "../src/scene/theme.ts";
import { pointedPixelOf } from "../src/shell/pointed_pixel.ts";
import {
  curvesOver,
  RAMP_POINTS,
  rampDrawing,
  rampPlan,
  rampReach,
} from "../src/views/meshgrid_view/ramp_scene.ts";
import {
  layOutResponse,
  responseOf,
  sourceOf,
} from "../src/views/meshgrid_view/response_picture.ts";
import { blankFor } from "../src/views/meshgrid_view/settings.ts";
import type { ConvSettings, Frame, LayerLayout, Observed, Store } from "../src/wire/types.ts";
import cases from "./palette_cases.json";
import { basis, bytes, frameOf, layer, randoms, table } from "./samples.ts";

const PLAIN: ConvSettings = {
  stride: [1, 1],
  padding: [0, 0, 0, 0],
  dilation: [1, 1],
  paddingMode: "zeros",
  groups: 1,
  shared: false,
};

/** φ_f(x) by the basis itself, without tables. */
/** What a store with one frame says of the function that views begin with. */
const begun = (frame: Frame) => ({
  initial: () => frame,
  latest: () => frame,
  current: () => frame,
  observed: () => null,
  held: () => null,
  hold: () => {},
});

function phi(frame: Frame, { offset, nb }: LayerLayout, f: number, x: number): number {
  return basis(x).reduce((sum, beta, b) => sum + frame.data[offset + f * nb + b] * beta, 0);
}

function image(channels: number, height: number, width: number, seed = 3): Images {
  return { count: 1, channels, height, width, data: randoms(channels * height * width, seed) };
}

const ALL_KNOTS = Array.from({ length: 12 }, (_, k) => -2.2 + 0.4 * k);
const WIDE = { domain: [-1, 1], extent: [-2.2, 2.2], knots: ALL_KNOTS } as LayerLayout["bases"][0];

describe("β at any x", () => {
  const one = layer({ tables: [table(-2.2, 2.2, 89, ALL_KNOTS)], bases: [WIDE] });
  const out = new Float64Array(9);

  it("is the basis inside the table", () => {
    for (const x of [-2.2, -1.31, -0.6, 0, 0.123, 1, 2.19]) {
      expandAt(one, 0, x, out);
      basis(x).forEach((value, b) => {
        expect(out[b], `B${b}(${x})`).toBeCloseTo(value, 5);
      });
    }
  });

  it("goes on beyond it: splines are 0, SiLU is SiLU", () => {
    for (const x of [-7, 2.5, 40]) {
      expandAt(one, 0, x, out);
      expect(out[0]).toBeCloseTo(x / (1 + Math.exp(-x)), 10);
      expect(Array.from(out.subarray(1))).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    }
  });

  it("is NaN beyond it where the base or the support is not known", () => {
    expandAt(layer({ labels: ["mystery", ...one.labels.slice(1)] }), 0, 3, out);
    expect(out[0]).toBeNaN();
    expect(out[1]).toBe(0);
    const smooth = layer({ bases: [{ domain: [-1, 1], extent: [-2.2, 2.2], knots: [] }] });
    expandAt(smooth, 0, 3, out);
    expect(out[1]).toBeNaN();
  });

  it.each([
    ["gelu", 1.7, 1.6242387],
    ["tanh", -2, -0.9640276],
    ["relu", -3, 0],
    ["identity", 5, 5],
  ])("knows %s", (name, x, value) => {
    const narrow = layer({ labels: [name, ...one.labels.slice(1)], tables: [table(-1, 1, 33)] });
    expandAt(narrow, 0, x, out);
    expect(out[0]).toBeCloseTo(value, 6);
  });
});

describe("a ramp", () => {
  it("shows φ of inputs that rise evenly from one limit to the other", () => {
    const one = layer({ shape: [2, 1, 3, 3] });
    const frame = frameOf([one]);
    const { y, points } = evaluateAll(frame, one, rampPlan(one, [-3, 2.5]));
    expect(points).toBe(RAMP_POINTS);
    for (const f of [0, 7, 17]) {
      for (let p = 0; p < points; p++) {
        const x = -3 + (5.5 * p) / (points - 1);
        expect(y[f * points + p]).toBeCloseTo(phi(frame, one, f, x), 4);
      }
    }
  });

  it("of many maps has those of one output: the one chosen, the selected function's, or else the one that varies most", () => {
    const [out, each] = [10, 16 * 9];
    const many = layer({ kind: "linear", shape: [out, each, 1, 1] });
    const frame = frameOf([many]);
    const rampOf = (output: number, selected: number, room?: number) => {
      const at = { layer: many.name, out: selected, in: 23, row: 0, column: 0 };
      const store = {
        ...begun(frame),
        observed: () => ({ fold: [16, 3, 3] }),
        cursor: () => -1,
        selection: () => (selected < 0 ? null : at),
      };
      const given = {
        store,
        get: (trait: string) => (trait === "linked" && room ? ["another"] : undefined),
        width: 560,
        height: 190,
        room,
        theme: themeOf("light"),
        pointed: NOT_POINTED,
      };
      const settings = { mode: "ramp", limits: [-1, 1], output };
      return rampDrawing()(given as never, { frame, layer: many, settings } as never);
    };
    const cells = (scene: ReturnType<typeof rampOf>) => {
      const { sites, width, height } = scene;
      const boxes = Array.from({ length: many.count }, (_, f) => sites.box(String(f)));
      const drawn = boxes.flatMap((box, f) => (box ? [f] : []));
      for (const f of [drawn[0], drawn[drawn.length - 1]]) {
        const { x, y, width: wide } = boxes[f] as Required<DOMRect>;
        expect(wide).toBeGreaterThan(5);
        expect(sites.at(x + 1, y + 1, { x: 0, y: 0, width, height })).toBe(String(f));
      }
      return [drawn[0], drawn.length];
    };
    expect(cells(rampOf(-1, 4))).toEqual([4 * each, each]);
    expect(cells(rampOf(7, 4))).toEqual([7 * each, each]);
    expect([rampOf(-1, 4).selected, rampOf(7, 4).selected]).toEqual([4 * each + 23, -1]);
    // Beside other views they are large enough to be read: those of one map.
    expect(cells(rampOf(-1, 4, 190))).toEqual([4 * each + 18, 9]);
    expect(rampOf(7, 4, 190).caption[0].text).toMatch(
      / of output 7 from map 2 over the grid, x from/,
    );
    const { f } = firstShown(begun(frame), many);
    const first = Math.floor(f / each);
    expect(cells(rampOf(-1, -1))).toEqual([first * each, each]);
    const framesOf = (scene: ReturnType<typeof rampOf>) =>
      scene.sheets
        .flatMap(({ marks }) => [...marks({ x: 0, y: 0, width: 560, height: scene.height })])
        .filter((mark) => mark.kind === "rects" && mark.stroke === themeOf("light").colours.accent);
    expect(framesOf(rampOf(-1, -1))).toEqual([]);
    const beside = rampOf(-1, -1, 190);
    expect(framesOf(beside)).toEqual(
      framed(beside.sites.box(String(f)) as Rect, themeOf("light").colours.accent, {
        surface: "",
      }).slice(1),
    );
    expect(rampOf(7, -1).caption[0].text).toMatch(
      /^Each tile is one function φ of output 7 over the grid, x from/,
    );
  });

  it("cuts the line of a tile off at its edge where φ goes beyond the colours", () => {
    const boxes = [100, 140].map((x) => ({ x, y: 50, width: 40, height: 20 }));
    const values = [
      [0, 0.5, 2, 3],
      [1, -1, -4, 0],
    ];
    const drawn = curvesOver(boxes, (k) => values[k], 1, themeOf("light").colours);
    expect(drawn).toHaveLength(2);
    drawn.forEach((mark, k) => {
      if (mark.kind !== "group") throw new Error("no group");
      expect(mark.clip).toEqual(boxes[k]);
      for (const line of mark.marks) {
        if (line.kind !== "lines") throw new Error("no line");
        const xy = values[k].flatMap((v, p) => [boxes[k].x + 5 + 10 * p, 60 - 0.46 * 20 * v]);
        expect(Array.from(line.xy)).toEqual(xy.map((each) => expect.closeTo(each, 9)));
      }
    });
  });

  it.each([358, 1250])(
    "has its colours below the numbers of its axis, under its first tile, and none in stripes: %d pixels wide",
    (width) => {
      const one = layer({ kind: "linear", shape: [5, 3, 1, 1] });
      const frame = frameOf([one]);
      const store = { ...begun(frame), cursor: () => -1, selection: () => null };
      const plain = { store, width, height: 480, theme: themeOf("light"), pointed: NOT_POINTED };
      const given = { ...plain, get: () => undefined };
      const settings = { mode: "ramp", limits: [-1, 1], output: -1 };
      const scene = rampDrawing()(given as never, { frame, layer: one, settings } as never);
      const whole = { x: 0, y: 0, width, height: scene.height };
      const foot = scene.sheets.flatMap((sheet) => sheet.marks(whole));
      const numbers = foot.filter((mark) => mark.kind === "text" && /^[−]?1$/.test(mark.text));
      const bar = foot.find((mark) => mark.kind === "image");
      if (bar?.kind !== "image") throw new Error("no colours");
      const lowest = numbers
        .map((mark) => (mark.kind === "text" ? mark.y : 0))
        .sort((a, b) => b - a)[0];
      expect(numbers.length).toBeGreaterThan(1);
      expect(bar.box.y).toBeGreaterThanOrEqual(lowest + 4);
      expect(bar.box.y + bar.box.height).toBeLessThan(scene.height);
      expect(bar.box.x).toBe(scene.arrangement.left);
      // A colour for each pixel of a screen of two to a pixel, that of φ there.
      const tiles = foot.find((mark) => mark.kind === "tiles");
      if (tiles?.kind !== "tiles") throw new Error("no tiles");
      const { across } = scene.arrangement;
      expect(tiles.size).toEqual([2 * across, 1]);
      const { rgba } = tiles.sheet;
      const colours = new Set(
        Array.from({ length: 2 * across }, (_, p) => rgba.slice(4 * p, 4 * p + 3).join()),
      );
      expect(colours.size).toBeGreaterThan(RAMP_POINTS);
    },
  );

  it("measures what is finite and counts what is not", () => {
    const one = layer({ shape: [1, 1, 1, 3] });
    const frame = frameOf([one]);
    frame.data[9] = Number.NaN;
    const curves = evaluateAll(frame, one, rampPlan(one, [-1, 1]));
    const reach = rampReach(one, curves);
    expect(reach.broken).toBe(1);
    expect(reach.most[1]).toBeNaN();
    const { y, points } = curves;
    const real = [0, 2].flatMap((f) => Array.from(y.subarray(f * points, (f + 1) * points)));
    expect([reach.low, reach.high]).toEqual([Math.min(...real), Math.max(...real)]);
    expect(Math.max(reach.most[0], reach.most[2])).toBe(Math.max(...real.map(Math.abs)));
  });
});

describe("the palette", () => {
  it.each(["light", "dark"] as const)("has zero in its middle: %s", (theme) => {
    const { bytes: all } = paletteOf(theme);
    expect(all.length).toBe(3 * (2 * ARM + 1));
    const middle = Array.from(all.subarray(3 * ARM, 3 * ARM + 3));
    expect(Math.max(...middle) - Math.min(...middle)).toBeLessThanOrEqual(1);
    expect(middle[0])[theme === "light" ? "toBeGreaterThan" : "toBeLessThan"](
      theme === "light" ? 240 : 40,
    );
    expect(colourOf(0, 3)).toBe(ARM);
    expect(colourOf(1, 0)).toBe(ARM);
    expect([colourOf(-3, 3), colourOf(3, 3), colourOf(-99, 3), colourOf(99, 3)]).toEqual([
      0,
      2 * ARM,
      0,
      2 * ARM,
    ]);
  });

  it.each(["light", "dark"] as const)("is even and symmetric to the eye: %s", (theme) => {
    const { bytes: all } = paletteOf(theme);
    const lab = Array.from({ length: 2 * ARM + 1 }, (_, k) =>
      oklab(all.subarray(3 * k, 3 * k + 3)),
    );
    const far = (a: number[], b: number[]) => Math.hypot(...a.map((v, k) => v - b[k]));
    // Over 15 colours at a time, so that the rounding to bytes does not matter.
    for (const arm of [-1, 1]) {
      const steps = Array.from({ length: 17 }, (_, n) =>
        far(lab[ARM + arm * 15 * n], lab[ARM + arm * 15 * (n + 1)]),
      );
      expect(Math.max(...steps) / Math.min(...steps)).toBeLessThan(1.12);
    }
    for (let k = 1; k <= ARM; k++) {
      expect(Math.abs(lab[ARM - k][0] - lab[ARM + k][0])).toBeLessThan(0.035);
    }
  });

  it.each(["light", "dark"] as const)("tells below from above to the colour-blind: %s", (theme) => {
    const { bytes: all } = paletteOf(theme);
    for (const k of [128, 200, 255]) {
      const [below, above] = [ARM - k, ARM + k].map((at) => all.subarray(3 * at, 3 * at + 3));
      for (const see of [deuteranope, protanope]) {
        const [a, b] = [oklab(see(below)), oklab(see(above))];
        expect(Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])).toBeGreaterThan(0.12);
      }
    }
  });

  it("has the colours that were written down when it was chosen", () => {
    for (const theme of ["light", "dark"] as const) {
      const { bytes: all } = paletteOf(theme);
      for (const [k, colour] of Object.entries(cases[theme])) {
        expect(Array.from(all.subarray(3 * Number(k), 3 * Number(k) + 3))).toEqual(colour);
      }
    }
  });

  it("gives what is not finite a grey of its own", () => {
    const palette = paletteOf("light");
    const out = new Uint32Array(4);
    colourise([0, Number.NaN, Number.POSITIVE_INFINITY, -2], 2, palette, out, 2);
    expect(out[0]).toBe(palette.pixels[ARM]);
    expect(palette.broken).toContain(out[1]);
    expect(palette.broken).toContain(out[2]);
    expect(out[3]).toBe(palette.pixels[0]);
  });
});

function linear(rgb: ArrayLike<number>): number[] {
  return Array.from(rgb, (v) => {
    const c = v / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
}

function oklab(rgb: ArrayLike<number>): number[] {
  const [r, g, b] = linear(rgb);
  const [l, m, s] = [
    0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b,
    0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b,
    0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b,
  ].map(Math.cbrt);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

/** Machado, Oliveira and Fernandes (2009), at full severity. */
const seenBy =
  (matrix: number[][]) =>
  (rgb: ArrayLike<number>): number[] => {
    const from = linear(rgb);
    return matrix.map((row) => {
      const c = Math.max(
        0,
        Math.min(
          1,
          row.reduce((sum, w, k) => sum + w * from[k], 0),
        ),
      );
      return 255 * (c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055);
    });
  };
const deuteranope = seenBy([
  [0.367322, 0.860646, -0.227968],
  [0.280085, 0.672501, 0.047413],
  [-0.01182, 0.04294, 0.968881],
]);
const protanope = seenBy([
  [0.152286, 1.052583, -0.204868],
  [0.114503, 0.786281, 0.099216],
  [-0.003882, -0.048116, 1.051998],
]);

describe("a contour", () => {
  it("of a plane is a straight line", () => {
    const n = 9;
    const plane = Array.from({ length: n * n }, (_, k) => (k % n) - Math.floor(k / n) / 2);
    const lines = contour(plane, n, n, 1.25);
    expect(lines.length).toBe(1);
    for (const [x, y] of lines[0]) expect(x - y / 2).toBeCloseTo(1.25, 9);
    const ends = [lines[0][0], lines[0].at(-1) as XY].map(([, y]) => y).sort();
    expect(ends).toEqual([0, 8]);
  });

  it("of a cone is a closed circle", () => {
    const n = 41;
    const cone = Array.from({ length: n * n }, (_, k) =>
      Math.hypot((k % n) - 20, Math.floor(k / n) - 20),
    );
    const lines = contour(cone, n, n, 12.3);
    expect(lines.length).toBe(1);
    expect(lines[0][0]).toEqual(lines[0].at(-1));
    for (const [x, y] of lines[0]) expect(Math.hypot(x - 20, y - 20)).toBeCloseTo(12.3, 1);
    expect(lines[0].length).toBeGreaterThan(60);
  });

  it("passes by a saddle without crossing itself", () => {
    const saddle = [1, 0, 0, 1];
    expect(contour(saddle, 2, 2, 0.4).length).toBe(2);
    expect(contour(saddle, 2, 2, 0.6).length).toBe(2);
    expect(contour([2, 2, 2, 2], 2, 2, 2)).toEqual([]);
  });

  it("has round levels with zero among them", () => {
    expect(levelsOf(-0.17, 0.2)).toEqual([-0.15, -0.1, -0.05, 0, 0.05, 0.1, 0.15, 0.2]);
    expect(levelsOf(3, 3)).toEqual([]);
    expect(levelsOf(Number.NaN, 1)).toEqual([]);
    for (const [lo, hi] of [
      [-1, 1],
      [1e-7, 3e-7],
      [-4000, 90],
      [-0.23, 0.19],
    ]) {
      const levels = levelsOf(lo, hi);
      expect(levels.length).toBeGreaterThan(4);
      expect(levels.length).toBeLessThan(12);
      expect(levels.every((level) => level >= lo && level <= hi)).toBe(true);
    }
  });

  it("has labels inside the box that keep away from each other", () => {
    const line = Array.from({ length: 200 }, (_, k): XY => [k, 50 + 10 * Math.sin(k / 30)]);
    const box = { x: 0, y: 0, width: 200, height: 100 };
    const size = { width: 30, height: 11 };
    const first = placeLabel(line, size, box, []);
    expect(first).not.toBeNull();
    const taken = first ? [first] : [];
    expect(Math.abs(taken[0].angle)).toBeLessThanOrEqual(Math.PI / 2);
    const second = placeLabel(line, size, box, taken);
    if (second)
      expect(Math.hypot(second.x - taken[0].x, second.y - taken[0].y)).toBeGreaterThan(40);
    expect(placeLabel(line.slice(0, 20), size, box, [])).toBeNull();
  });
});

describe("a pair", () => {
  const one = layer({ shape: [2, 3, 2, 3] });
  const frame = frameOf([one]);
  const chosen = { layer: "conv1", out: 1, in: 2, row: 1, column: 0 };
  const spreads = [0, 3, 1, 0, 4, 2, 0, 0, 0];
  const none = { selection: null, other: -1, observed: null, spreads, last: null };

  it("adds two functions of one kernel over the range of either", () => {
    const group = groupOf(one, chosen);
    const i = functionIn(group, pairEntries(one, group, { ...none, selection: chosen })[0]);
    const j = functionIn(group, 2);
    expect([i, j]).toEqual([33, 32]);
    const { x, y, values } = surfaceOf(
      frame,
      one,
      [i, j],
      [
        [-1, 1],
        [-0.5, 2],
      ],
      17,
    );
    expect([x[0], x[16], y[0], y[16]]).toEqual([-1, 1, -0.5, 2]);
    for (const [row, column] of [
      [0, 0],
      [3, 11],
      [16, 5],
    ]) {
      const sum = phi(frame, one, i, x[column]) + phi(frame, one, j, y[row]);
      expect(values[row * 17 + column]).toBeCloseTo(sum, 4);
    }
  });

  it("is of the two functions of the first kernel that vary most, where nothing is chosen", () => {
    const group = groupOf(one, { ...chosen, layer: "elsewhere" });
    expect([group.out, group.in, group.count, group.columns]).toEqual([0, 0, 6, 3]);
    expect(pairEntries(one, group, none)).toEqual([4, 1]);
    const middle = { ...none, selection: { ...chosen, column: 1 } };
    expect(pairEntries(one, group, middle)).toEqual([4, 1]);
    expect(pairEntries(one, group, { ...none, other: 3 })).toEqual([4, 3]);
    expect(pairEntries(one, group, { ...none, other: 99 })).toEqual([4, 1]);
    // What is drawn stays until others vary far more.
    expect(pairEntries(one, group, { ...none, last: [5, 1] })).toEqual([5, 1]);
    expect(pairEntries(one, group, { ...none, last: [2, 1] })).toEqual([4, 1]);
    expect(selectionIn(one, group, 4)).toEqual({
      layer: "conv1",
      out: 0,
      in: 0,
      row: 1,
      column: 1,
    });
  });

  it("of a linear layer is of two inputs of one output", () => {
    const linear = layer({ kind: "linear", shape: [3, 10, 1, 1] });
    const group = groupOf(linear, { ...chosen, in: 7, row: 0, column: 0 });
    expect(group).toMatchObject({ out: 1, count: 10, columns: 4, byInput: true });
    expect(functionIn(group, 7)).toBe(17);
    expect(selectionIn(linear, group, 7)).toMatchObject({ out: 1, in: 7, row: 0, column: 0 });
  });

  it("of a linear layer is of the two inputs that vary most, where nothing is chosen", () => {
    const linear = layer({ kind: "linear", shape: [2, 4, 1, 1] });
    const group = groupOf(linear, null);
    const seen = { ...none, observed: observed([9, 0, 1, 0, 9, 4, 3, 1, 9, 2, 2, 0], 4) };
    expect(pairEntries(linear, group, seen)).toEqual([1, 2]);
    const at = { ...chosen, out: 0, row: 0 };
    expect(pairEntries(linear, group, { ...seen, selection: { ...at, in: 1 } })).toEqual([1, 2]);
    expect(pairEntries(linear, group, { ...seen, selection: { ...at, in: 3 } })).toEqual([3, 1]);
  });

  const observed = (patches: number[], entries: number): Observed => ({
    layer: "conv1",
    samples: 1,
    isImage: true,
    fold: null,
    edges: new Float32Array(65),
    counts: new Float32Array(64 * entries),
    outsideDomain: new Float32Array(entries),
    outsideExtent: new Float32Array(entries),
    entries,
    bins: 64,
    patches: Float32Array.from(patches),
    patchCount: patches.length / entries,
    maps: null,
    mapShape: null,
  });

  it("has the density of the inputs that come together", () => {
    const seen = observed([-1, -1, 0.9, -1, -1, 0.9, 0.3, 1, 0, 5, 0, 0], 3);
    const density = densityOf(seen, 0, 1, [-1, 1], 4);
    expect(density?.shares[0]).toBeCloseTo(0.5);
    expect(density?.shares[3 * 4 + 2]).toBeCloseTo(0.25);
    expect(density?.most).toBeCloseTo(0.5);
    // Where the inputs are, not in the middle of their bin.
    expect([density?.x[0], density?.y[0]]).toEqual([-1, -1]);
    expect(density?.x[3 * 4 + 2]).toBeCloseTo(0.3);
    expect(density?.outside).toBeCloseTo(0.25);
    if (!density) throw new Error("no density");
    expect(shareAt(density, -0.8, -1)).toBeCloseTo(0.5);
    expect(shareAt(density, 0.3, 5)).toBeNaN();
    expect(densityOf(seen, 0, 3, [-1, 1], 4)).toBeNull();
  });

  it("finds the entries of the patches, over groups and where kernels are shared", () => {
    const grouped = layer({ shape: [4, 2, 2, 2], conv: { ...PLAIN, groups: 2 } });
    const at = { layer: "conv1", out: 3, in: 1, row: 1, column: 0 };
    expect(observedEntry(grouped, functionOf(grouped, at))).toBe((3 * 2 + 1) * 2);
    const shared = layer({ shape: [4, 1, 2, 2], conv: { ...PLAIN, shared: true } });
    expect(observedEntry(shared, functionOf(shared, { ...at, in: 0 }))).toBe(2);
    const linear = layer({ kind: "linear", shape: [3, 10, 1, 1] });
    expect(
      observedEntry(linear, functionOf(linear, { ...at, out: 0, in: 7, row: 0, column: 0 })),
    ).toBe(7);
  });
});

/** The definition, pixel by pixel; padding by an index of its own. */
function bruteForce(frame: Frame, one: LayerLayout, conv: ConvSettings, given: Images) {
  const [out, inputs, kh, kw] = one.shape;
  const [left, right, top, bottom] = conv.padding;
  const read = (channel: number, y: number, x: number): number => {
    const fold = (at: number, size: number): number => {
      let i = at;
      while (i < 0 || i >= size) {
        if (conv.paddingMode === "zeros") return -1;
        if (conv.paddingMode === "replicate") i = i < 0 ? 0 : size - 1;
        else if (conv.paddingMode === "circular") i += i < 0 ? size : -size;
        else i = i < 0 ? -i : 2 * size - 2 - i;
      }
      return i;
    };
    const [row, column] = [fold(y - top, given.height), fold(x - left, given.width)];
    if (row < 0 || column < 0) return conv.padsBasis ? Number.NaN : 0;
    const c = given.channels === 1 ? 0 : channel;
    return given.data[(c * given.height + row) * given.width + column];
  };
  const height = Math.floor(
    (given.height + top + bottom - conv.dilation[0] * (kh - 1) - 1) / conv.stride[0] + 1,
  );
  const width = Math.floor(
    (given.width + left + right - conv.dilation[1] * (kw - 1) - 1) / conv.stride[1] + 1,
  );
  const outputs = conv.shared ? out * given.channels : out;
  return Array.from({ length: outputs }, (_, k) =>
    Array.from({ length: height * width }, (_, p) => {
      let sum = 0;
      for (let i = 0; i < (conv.shared ? 1 : inputs); i++) {
        const channel = conv.shared
          ? Math.floor(k / out)
          : Math.floor((k * conv.groups) / out) * inputs + i;
        for (let r = 0; r < kh; r++) {
          for (let c = 0; c < kw; c++) {
            const y = Math.floor(p / width) * conv.stride[0] + r * conv.dilation[0];
            const x = (p % width) * conv.stride[1] + c * conv.dilation[1];
            const f = (((conv.shared ? k % out : k) * inputs + i) * kh + r) * kw + c;
            const value = read(channel, y, x);
            if (!Number.isNaN(value)) sum += phi(frame, one, f, value);
          }
        }
      }
      return sum;
    }),
  );
}

const SETTINGS: [string, LayerLayout["shape"], Partial<ConvSettings>, number][] = [
  ["plain", [2, 1, 3, 3], {}, 1],
  ["several channels", [3, 4, 3, 2], {}, 4],
  ["strides", [2, 1, 3, 3], { stride: [2, 3] }, 1],
  ["zeros around", [2, 1, 3, 3], { padding: [1, 2, 3, 0] }, 1],
  ["reflected", [2, 2, 3, 3], { padding: [2, 1, 1, 3], paddingMode: "reflect" }, 2],
  ["replicated", [2, 1, 3, 3], { padding: [3, 1, 0, 2], paddingMode: "replicate" }, 1],
  ["circular", [2, 1, 3, 3], { padding: [3, 2, 1, 4], paddingMode: "circular" }, 1],
  ["dilated", [2, 1, 3, 2], { dilation: [2, 3], padding: [1, 1, 1, 1] }, 1],
  ["groups", [6, 2, 2, 2], { groups: 3 }, 6],
  ["depthwise", [4, 1, 3, 3], { groups: 4, padding: [1, 1, 1, 1] }, 4],
  ["shared over three channels", [5, 1, 3, 3], { shared: true }, 3],
  ["one picture for all channels", [2, 3, 2, 2], {}, 1],
  ["β padded, not x", [2, 2, 3, 3], { padding: [1, 1, 2, 0], padsBasis: true }, 2],
  [
    "all at once",
    [4, 2, 3, 3],
    { stride: [2, 1], dilation: [1, 2], padding: [2, 1, 1, 2], groups: 2, paddingMode: "reflect" },
    4,
  ],
];

describe("a response", () => {
  it.each(SETTINGS)("is the sum over the patch: %s", (_, shape, changes, channels) => {
    const conv = { ...PLAIN, ...changes };
    const one = layer({ shape, conv });
    const frame = frameOf([one], 0, 7);
    const given = image(channels, 9, 8);
    expect(refusal(one, given)).toBe("");
    const swept = sweep(one, given);
    const expected = bruteForce(frame, one, conv, given);
    expect(swept.outputs).toBe(expected.length);
    expected.forEach((values, k) => {
      const { data, width, height } = respond(frame, swept, k);
      expect(data.length).toBe(values.length);
      expect(width * height).toBe(values.length);
      const worst = values.reduce((most, v, p) => Math.max(most, Math.abs(v - data[p])), 0);
      expect(worst).toBeLessThan(2e-5);
    });
  });

  it("follows the table of each function", () => {
    const other = table(-2.2, 2.2, 89, ALL_KNOTS);
    other.values.forEach((value, v) => {
      other.values[v] = 2 * value;
    });
    const one = layer({
      shape: [1, 1, 1, 2],
      conv: PLAIN,
      tables: [table(-2.2, 2.2, 89, ALL_KNOTS), other],
      bases: [WIDE, WIDE],
      tableOf: Uint32Array.of(0, 1),
    });
    const frame = frameOf([one]);
    const given = image(1, 1, 2);
    const [a, b] = given.data;
    const { data } = respond(frame, sweep(one, given), 0);
    expect(data[0]).toBeCloseTo(phi(frame, one, 0, a) + 2 * phi(frame, one, 1, b), 4);
  });

  it("evaluates the basis once for all frames of an image", () => {
    const one = layer({ shape: [5, 1, 3, 3], conv: { ...PLAIN, shared: true } });
    const swept = sweep(one, image(1, 28, 28));
    respond(frameOf([one]), swept, 0);
    // The basis was evaluated once: other frames of the same image find it there.
    const spent = swept.levels[0].beta[0];
    expect(spent).toBeDefined();
    respond(frameOf([one], 1, 2), swept, 4);
    expect(swept.levels[0].beta[0]).toBe(spent);
  });

  it("evaluates φ once for each distinct value of a channel", () => {
    const one = layer({ shape: [1, 2, 3, 3], conv: { ...PLAIN, padding: [1, 1, 1, 1] } });
    const given = image(2, 9, 9);
    given.data.fill(0.25, 0, 81);
    const swept = sweep(one, given);
    expect(swept.levels.map(({ values }) => values.length)).toEqual([2, 82]);
  });

  it("knows the patch of a pixel, and where it lies on the image", () => {
    const conv = { ...PLAIN, stride: [2, 1] as [number, number], padding: [1, 0, 2, 0] as never };
    const one = layer({ shape: [2, 2, 2, 3], conv });
    const given = image(2, 6, 7);
    const swept = sweep(one, given);
    const patch = patchAt(swept, 1, 2, 1);
    const at = (row: number, column: number) => given.data[(6 + row) * 7 + column];
    expect(Array.from(patch)).toEqual([at(0, 1), at(0, 2), at(0, 3), at(1, 1), at(1, 2), at(1, 3)]);
    expect(patchRect(swept, 1, 2)).toEqual({ row: 0, column: 1, width: 3, height: 2 });
    expect(Array.from(patchAt(swept, 0, 0, 0))).toEqual([0, 0, 0, 0, 0, 0]);
    const selection = { layer: "conv1", out: 0, in: 1, row: 1, column: 2 };
    expect(inputOf(swept, 1, 1, 2, selection)).toBe(at(1, 3));
    expect(sourcesOf(swept, 1)).toEqual([
      { out: 1, in: 0, channel: 0 },
      { out: 1, in: 1, channel: 1 },
    ]);
  });

  it("says in words why there is none", () => {
    const linear = layer({ kind: "linear", shape: [3, 10, 1, 1] });
    expect(refusal(linear, null)).toMatch(/linear layer.*no response map/);
    expect(refusal({ ...linear, name: "0" }, null)).toMatch(/^layer 0 is a linear layer/);
    expect(refusal(layer({ conv: null }), null)).toMatch(/stride and padding of .* are not known/);
    const one = layer({ shape: [2, 3, 3, 3], conv: PLAIN });
    expect(refusal(one, image(2, 9, 9))).toBe("The image has 2 channels, conv1 takes 3.");
    expect(refusal(one, image(3, 2, 9))).toMatch(/2 × 9, is too small/);
    const folded = { ...PLAIN, padding: [3, 0, 0, 0] as never, paddingMode: "reflect" as const };
    expect(refusal(layer({ shape: [1, 1, 1, 1], conv: folded }), image(1, 3, 3))).toMatch(
      /too small/,
    );
  });
});

it("a response fits the height that it is given, also where its maps stand above the rest", () => {
  const swept = { layer: layer({ shape: [1, 1, 3, 3] }), height: 26, width: 26, outputs: 1 };
  for (const width of [290, 320, 380, 430, 460, 520])
    for (const most of [380, 440, 500]) {
      const count = { count: 2, sample: 0 };
      const image = { width: 28, height: 28 };
      const { height } = layOutResponse(width, most, [0], swept as never, image, count);
      expect(height).toBeLessThanOrEqual(most);
    }
});

describe("the input of a response", () => {
  const settings = {
    mode: "response" as const,
    onGrid: false,
    limits: [-2, 2] as [number, number],
    input: "images" as const,
    sample: 1,
    output: -1,
    other: -1,
  };
  const one = layer({ shape: [2, 3, 2, 2], conv: PLAIN });
  const digits = { ...image(1, 4, 5), count: 2, data: randoms(40) };
  const blank = blankFor(digits, [-1, 1]);
  const drawing = image(1, 4, 5);
  const seen = (isImage: boolean): Observed =>
    ({
      isImage,
      maps: randoms(2 * 3 * 2 * 2),
      mapShape: [2, 3, 2, 2],
    }) as unknown as Observed;

  it("is one of the images where that is known to be the input, in all channels", () => {
    const source = sourceOf(one, seen(true), digits, drawing, blank, settings);
    expect(source.choices).toEqual(["images", "observed", "drawn"]);
    expect(source.image?.data).toEqual(digits.data.subarray(20));
    expect(source.note).toBe("the same image in all 3 channels");
  });

  it("is never an image without observation, unless the layer is the model", () => {
    const part = sourceOf(one, null, digits, drawing, blank, settings);
    expect(part.input).toBe("observed");
    expect(part.image).toBeNull();
    expect(part.missing).toMatch(
      /^Call live\.observe\(batch\) to see the response .+ is not known yet\.$/,
    );
    const drawn = { ...settings, input: "drawn" as const };
    expect(sourceOf(one, null, digits, drawing, blank, drawn).note).toMatch(/was not observed/);
    const alone = { ...one, name: one.type };
    expect(sourceOf(alone, null, digits, drawing, blank, settings).image?.data).toEqual(
      digits.data.subarray(20),
    );
    const normed = { ...alone, variable: "LayerNorm(x)" };
    expect(sourceOf(normed, null, digits, drawing, blank, settings).image).toBeNull();
  });

  it.each([
    [undefined, 9, 9],
    [190, 9, 1],
    [190, 8, 8],
  ])(
    "makes all maps, or beside other views that of the function shown: room %s",
    (room, out, drawn) => {
      const many = layer({ shape: [out, 3, 2, 2], conv: PLAIN });
      const frame = frameOf([many]);
      const at = { layer: many.name, out: 4, in: 0, row: 0, column: 0 };
      const store = { ...begun(frame), cursor: () => -1, selection: () => at };
      const source = sourceOf(many, seen(true), digits, drawing, blank, settings);
      const made = responseOf(
        { store, room, pointed: NOT_POINTED } as never,
        { frame, layer: many, settings } as never,
        { source, image: source.image as Images, pinned: null },
        memory(),
      );
      expect(made.outputs).toHaveLength(drawn);
      expect(made.outputs).toContain(4);
    },
  );

  it.each([
    [462, 187, 90],
    [454, 215, 90],
    [560, 200, 90],
    [300, 187, 70],
    [348, 178, 70],
  ])(
    "in a low host has all in sight, and the image chosen among some in one row: %s × %s",
    (width, most, least) => {
      const conv = layer({ shape: [5, 1, 3, 3], conv: PLAIN });
      const swept = sweep(conv, image(1, 28, 28));
      const lay = (sample: number) =>
        layOutResponse(width, most, [0, 1, 2, 3, 4], swept, swept, { count: 10, sample });
      for (const sample of [0, 5, 9]) {
        const { height, thumbnails, maps, cells } = lay(sample);
        expect(height).toBeLessThanOrEqual(most);
        for (const box of [...maps.values(), cells]) expect(box.y + box.height).toBeLessThan(most);
        expect(cells.width).toBeGreaterThan(least);
        const { rows = 0, columns = 0, first = 0 } = thumbnails ?? {};
        expect(rows).toBe(1);
        expect(sample).toBeGreaterThanOrEqual(first);
        expect(sample).toBeLessThan(first + columns);
      }
    },
  );

  it("is not the image where observing showed another", () => {
    const unseen = { ...seen(false), maps: null, mapShape: null } as unknown as Observed;
    const none = sourceOf(one, unseen, digits, drawing, blank, settings);
    expect(none.missing).toMatch(/^Call live\.observe\(batch\) to see .+ not the image itself\.$/);
    const first = sourceOf(one, seen(false), digits, drawing, blank, settings);
    expect(first.choices).toEqual(["observed", "drawn"]);
    expect(first.image).toMatchObject({ channels: 3, height: 2, width: 2 });
    expect(first.note).toMatch(/not the image but what the model computes from it/);
  });

  it("can be drawn, or the batch that was observed", () => {
    const drawn = sourceOf(one, seen(true), digits, drawing, blank, {
      ...settings,
      input: "drawn",
    });
    expect(drawn.image).toBe(drawing);
    expect(mapsOf(seen(true))).toMatchObject({ count: 2, channels: 3 });
    const batch = sourceOf(one, seen(true), digits, drawing, blank, {
      ...settings,
      input: "observed",
    });
    expect(batch.choices[1]).toBe("observed");
    expect(batch.image?.channels).toBe(3);
    const none = sourceOf(one, seen(true), null, drawing, blank, settings);
    expect(none.missing).toMatch(/no images/);
  });

  it("reads images sent as bytes", () => {
    const raw = { shape: [2, 1, 1, 3], data: bytes([1, 2, 3, 4, 5, 6]) };
    const images = imagesOf(raw);
    expect(images && imageAt(images, 1).data).toEqual(Float32Array.of(4, 5, 6));
    expect(imagesOf({})).toBeNull();
    expect(imagesOf({ ...raw, shape: [2, 1, 1, 4] })).toBeNull();
    expect(rangeOf(images?.data ?? [])).toEqual([1, 6]);
    expect(rangeOf([Number.NaN, 3, Number.NEGATIVE_INFINITY, 4])).toEqual([3, 4]);
    expect(rangeOf([])).toEqual([-1, 1]);
  });
});

describe("the brush", () => {
  it("covers pixels near the stroke and never takes ink away", () => {
    const page = { width: 28, height: 28, data: new Float32Array(784).fill(-1) };
    const radius = brushRadius(28, 28);
    stroke(page, [5, 14], [23, 14], radius, -1, 1);
    expect(page.data[13 * 28 + 14]).toBe(1);
    expect(page.data[20 * 28 + 14]).toBe(-1);
    const before = page.data.slice();
    stroke(page, [14, 5], [14, 5], radius, -1, 1);
    expect(page.data.every((value, k) => value >= before[k])).toBe(true);
    stroke(page, [14.5, 14.5], [14.5, 14.5], radius, 1, -1);
    expect(page.data[14 * 28 + 14]).toBe(-1);
  });

  it("may leave the page", () => {
    const page = { width: 4, height: 4, data: new Float32Array(16) };
    stroke(page, [-9, -9], [20, 20], 1, 0, 1);
    expect(page.data[0]).toBe(1);
    expect(page.data[3]).toBe(0);
  });
});

describe("the pointed pixel of a stream", () => {
  const made = () => ({
    layer: "conv1",
    output: 0,
    row: 1,
    column: 2,
    valueFor: () => 0.25,
  });

  it("gives the input of a function, and tells of changes", () => {
    const one = {} as Store;
    const pixel = pointedPixelOf(one);
    expect(pointedPixelOf(one)).toBe(pixel);
    expect(pixel.current()).toBeNull();
    const told = vi.fn();
    const life = new AbortController();
    pixel.subscribe(told, life.signal);
    const owner = {};
    pixel.point(owner, made());
    expect(told).toHaveBeenCalledTimes(1);
    const at = { layer: "conv1", out: 0, in: 0, row: 0, column: 0 };
    expect(pixel.current()?.valueFor(at)).toBe(0.25);
    pixel.point({}, null);
    expect(pixel.current()).not.toBeNull();
    pixel.point(owner, null);
    expect(pixel.current()).toBeNull();
    life.abort();
    pixel.point(owner, made());
    expect(told).toHaveBeenCalledTimes(2);
  });
});

it("tells how far numbers reach, and how many are not finite", () => {
  expect(reachOf([1, Number.NaN, -3])).toEqual({ low: -3, high: 1, broken: 1 });
});
