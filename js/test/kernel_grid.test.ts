import { describe, expect, it } from "vitest";
import {
  basisOf,
  entryText,
  functionOf,
  functionText,
  layerSize,
  noteOf,
  selectionOf,
} from "../src/phi/entries.ts";
import { PAD, rectOf } from "../src/phi/geometry.ts";
import { phiAt } from "../src/phi/interpolate.ts";
import { axisMarks } from "../src/scene/cells.ts";
import { themeOf } from "../src/scene/theme.ts";
import { statusText } from "../src/shell/status.ts";
import { placeTip } from "../src/shell/tip.ts";
import { axesText, description, remarks } from "../src/views/kernel_grid/caption.ts";
import { pointPlace, xAt } from "../src/views/kernel_grid/marks.ts";
import { magnified, plotBox } from "../src/views/kernel_grid/overview.ts";
import {
  contrastGrey,
  contrastOf,
  type Picture,
  PLOT_HEAD,
  pictureMaker,
  seesPixels,
  xRangeOf,
} from "../src/views/kernel_grid/picture.ts";
import { orderBy, sortedOrder } from "../src/views/kernel_grid/scene.ts";
import {
  agreement,
  type Settings,
  settingsOf,
  type Together,
} from "../src/views/kernel_grid/settings.ts";
import { change, phi, sameBasis } from "../src/views/kernel_grid/subject.ts";
import { hoverLines, selectionText } from "../src/views/kernel_grid/words.ts";
import { readFrame, readLayout } from "../src/wire/protocol.ts";
import type { Frame, LayerLayout, Observed } from "../src/wire/types.ts";
import { makeRun, RUNS } from "./made_up_run.ts";
import { said } from "./said.ts";
import { frameOf, layer } from "./samples.ts";

const PLAIN: Settings = {
  mode: "curves",
  binarise: false,
  scale: "layer",
  ghost: false,
  sort: "position",
  shade: "",
};

function runOf(name: string) {
  const run = makeRun(RUNS[name]);
  const layout = readLayout(run.layout);
  const at = (step: number) => readFrame({ layout: 1, step, bytes: run.frame(step) }, layout);
  return { layout, layer: layout.layers[0], at };
}

function pictureOf(
  frame: Frame,
  initial: Frame | null,
  settings: Partial<Settings> = {},
  width = 700,
): Picture {
  const layer = frame.layout.layers[0];
  return pictureMaker()({ frame, layer, initial, settings: { ...PLAIN, ...settings }, width });
}

/** A frame of the article's first layer, whose functions have grids of these ranges by turns. */
function withDomains(domains: [number, number][]): Frame {
  const run = runOf("article");
  const { layer } = run;
  const now = run.at(400);
  const its: LayerLayout = {
    ...layer,
    domain: domains[0],
    tables: domains.map(() => layer.tables[0]),
    bases: domains.map((domain) => ({ ...layer.bases[0], domain })),
    tableOf: Uint32Array.from({ length: layer.count }, (_, f) => f % domains.length),
  };
  return { ...now, layout: { version: 99, layers: [its] } };
}

/** What was observed of a first layer that saw these pixels. */
function observedImage(pixels: number[]): Observed {
  return {
    layer: "0",
    samples: 1,
    isImage: true,
    fold: null,
    edges: new Float32Array(2),
    counts: new Float32Array(9),
    outsideDomain: new Float32Array(9),
    outsideExtent: new Float32Array(9),
    entries: 9,
    bins: 1,
    patches: new Float32Array(9),
    patchCount: 1,
    maps: Float32Array.from(pixels),
    mapShape: [1, 1, 2, 2],
  };
}

/** φ_f at row p of its table, by the definition. */
function valueInTable(frame: Frame, layer: LayerLayout, f: number, p: number): number {
  const { values } = layer.tables[0];
  let sum = 0;
  for (let b = 0; b < layer.nb; b++) {
    sum += frame.data[layer.offset + f * layer.nb + b] * values[p * layer.nb + b];
  }
  return sum;
}

/** max |φ_f| over the rows of the table inside [lo, hi], by the definition. */
function largestOf(frame: Frame, layer: LayerLayout, f: number, lo: number, hi: number): number {
  let most = 0;
  layer.tables[0].x.forEach((x, p) => {
    if (x >= lo - 1e-7 && x <= hi + 1e-7) {
      most = Math.max(most, Math.abs(valueInTable(frame, layer, f, p)));
    }
  });
  return most;
}

function rowAt(layer: LayerLayout, x: number): number {
  return layer.tables[0].x.findIndex((at) => Math.abs(at - x) < 1e-6);
}

describe("the scales of a drawing", () => {
  const { layer, at } = runOf("article");
  const now = at(400);
  const start = at(0);
  const all = Array.from({ length: layer.count }, (_, f) => f);

  it("the layer's scale is the next round number over the largest |φ| in sight", () => {
    const most = Math.max(...all.map((f) => largestOf(now, layer, f, -1, 1)));
    const { scales, scaleOf } = pictureOf(now, start);
    expect(scales.largest).toBeGreaterThanOrEqual(most);
    expect(scales.largest).toBeLessThanOrEqual(1.34 * most);
    expect(all.every((f) => scaleOf(f) === scales.largest)).toBe(true);
  });

  it("every curve fits into its cell, for every scale", () => {
    for (const scale of ["layer", "function"] as const) {
      const picture = pictureOf(now, start, { scale });
      const out = {
        x: new Float32Array(picture.plan.points),
        y: new Float32Array(picture.plan.points),
      };
      for (const f of all) {
        const n = picture.subject.curve(f, picture.plan, out);
        const cell = rectOf(picture.arrangement, f);
        for (let p = 0; p < n; p++) {
          const [x, y] = pointPlace(picture, f, out.x[p], out.y[p]);
          expect(x).toBeGreaterThanOrEqual(cell.x + 2 - 1e-3);
          expect(x).toBeLessThanOrEqual(cell.x + cell.width - 2 + 1e-3);
          expect(y).toBeGreaterThanOrEqual(cell.y + 2 - 1e-3);
          expect(y).toBeLessThanOrEqual(cell.y + cell.height - 2 + 1e-3);
        }
      }
    }
  });

  it("a function's own scale is the next round number over its largest |φ|", () => {
    const { scaleOf } = pictureOf(now, start, { scale: "function" });
    for (const f of all) {
      const most = largestOf(now, layer, f, -1, 1);
      expect(scaleOf(f)).toBeGreaterThanOrEqual(most);
      expect(scaleOf(f)).toBeLessThanOrEqual(1.34 * most);
    }
  });

  it("the ghost counts where it is drawn", () => {
    const late = at(0);
    const big = at(0);
    big.data.forEach((value, k) => {
      big.data[k] = 50 * value;
    });
    const without = pictureOf(late, big).scales.largest;
    const withGhost = pictureOf(late, big, { ghost: true }).scales.largest;
    expect(withGhost).toBeGreaterThan(20 * without);
  });

  it("x runs where the inputs are that were observed, rounded out, and not beyond the support", () => {
    const inputs = Array.from({ length: 1001 }, (_, k) => -0.43 + (1.9 * k) / 1000);
    const drawn = (values: number[]) => {
      const patches = Float32Array.from(values);
      const observed = { ...observedImage([]), patches, patchCount: values.length / 9 };
      return pictureMaker()({ frame: now, layer, settings: PLAIN, width: 700, observed });
    };
    expect(drawn([...inputs, 1000, -1000]).xRange).toEqual([-0.6, 1.6]);
    expect(axesText(drawn(inputs))).toMatch(/, x from −0\.6 to 1\.6 \(inputs\), φ /);
    expect(drawn(inputs.map((x) => 10 * x)).xRange[1]).toBeCloseTo(2.2, 5);
    for (const nothing of [[], [0.5, 0.5, 0.5]]) {
      expect(drawn(nothing).xRange).toEqual([-1, 1]);
      expect(axesText(drawn(nothing))).toMatch(/, x from −1 to 1 \(grid\), φ /);
    }
  });

  it("x runs over the grid's range where no inputs were seen", () => {
    expect(xRangeOf(layer)).toEqual([-1, 1]);
  });
});

describe("functions that are not finite", () => {
  const { at } = runOf("broken");
  const now = at(400);
  const healthy = runOf("article").at(400);

  it("leave the others' curves and the scale as they were", () => {
    const picture = pictureOf(now, null);
    const reference = pictureOf(healthy, null);
    expect(Number.isNaN(picture.sizes[3])).toBe(true);
    expect(Number.isNaN(picture.sizes[13])).toBe(true);
    expect(picture.broken).toBe(2);
    expect(picture.scales.largest).toBeGreaterThan(0);
    expect(picture.scales.largest).toBeLessThanOrEqual(reference.scales.largest);
    expect(picture.sizes[5]).toBe(reference.sizes[5]);
  });

  it("are said in words", () => {
    const picture = pictureOf(now, null);
    expect(remarks(picture).warned).toBe("2 functions not finite (×)");
    expect(hoverLines(picture, 3, 0)).toEqual([{ label: "φ", value: "not finite" }]);
    expect(selectionText(picture, 13)).toBe("conv1 · kernel 1 · row 1, column 1 · not finite");
  });

  it("do not colour the pattern of the others", () => {
    const picture = pictureOf(now, null, { mode: "pattern" });
    expect(Number.isNaN(picture.pattern?.contrast[3])).toBe(true);
    expect(Number.isFinite(picture.scales.largest)).toBe(true);
  });
});

describe("the pattern", () => {
  const { layer, at } = runOf("article");
  const now = at(400);

  it("is φ(+1) − φ(−1), from black to white", () => {
    const contrast = contrastOf(phi(now, layer), layer);
    const [dark, bright] = [rowAt(layer, -1), rowAt(layer, 1)];
    for (let f = 0; f < layer.count; f++) {
      const expected = valueInTable(now, layer, f, bright) - valueInTable(now, layer, f, dark);
      expect(contrast[f]).toBeCloseTo(expected, 5);
    }
  });

  it("compares the ends of each function's own grid, and names them", () => {
    const moved = withDomains([[0, 1]]);
    const its = moved.layout.layers[0];
    const contrast = contrastOf(phi(moved, its), its);
    for (let f = 0; f < its.count; f++) {
      expect(basisOf(its, f).domain).toEqual([0, 1]);
      const expected = phiAt(its, f, moved, 1).phi - phiAt(its, f, moved, 0).phi;
      expect(contrast[f]).toBeCloseTo(expected, 6);
    }
    const picture = pictureOf(moved, null, { mode: "pattern" });
    expect(axesText(picture)).toBe("black: φ is larger at x = 0 · white: at x = 1");
    const lines = hoverLines(picture, 4, 0.3);
    expect(lines.map(({ label }) => label)).toEqual(["φ(0)", "φ(1)", "difference"]);
    expect(selectionText(picture, 4)).toContain("φ(1) − φ(0) = ");
    expect(description(picture, 4)).not.toMatch(/dark|bright/);
  });

  it("tells the spread of the ends where functions have grids of their own", () => {
    const many = withDomains([
      [0, 1],
      [-2, 2],
    ]);
    const its = many.layout.layers[0];
    expect([0, 1].map((f) => basisOf(its, f).domain)).toEqual([
      [0, 1],
      [-2, 2],
    ]);
    const contrast = contrastOf(phi(many, its), its);
    const expected = phiAt(its, 1, many, 2).phi - phiAt(its, 1, many, -2).phi;
    expect(contrast[1]).toBeCloseTo(expected, 6);
    expect(axesText(pictureOf(many, null, { mode: "pattern", binarise: true }))).toBe(
      "black: φ is larger at x = −2 … 0 · white: at x = 1 … 2",
    );
  });

  it("speaks of dark and bright only where images from −1 to 1 were observed", () => {
    const images = observedImage([-1, 0.2, 1, -1]);
    const drawn = (observed: Observed | null) =>
      pictureMaker()({
        frame: now,
        layer,
        settings: { ...PLAIN, mode: "pattern" },
        width: 700,
        observed,
      });
    expect(axesText(drawn(images))).toContain(
      "black: φ is larger for dark pixels (x = −1) · white: for bright",
    );
    expect(hoverLines(drawn(images), 0, 0)[0].label).toBe("φ(−1)");
    for (const unknown of [
      null,
      { ...images, isImage: false },
      observedImage([0, 0.5, 1, 1]),
      observedImage([-1, 0, 3, 1]),
    ]) {
      expect(axesText(drawn(unknown))).toContain("black: φ is larger at x = −1 · white: at x = 1");
      expect(hoverLines(drawn(unknown), 0, 0)[0].label).toBe("φ(−1)");
    }
    const moved = withDomains([[0, 1]]).layout.layers[0];
    expect(seesPixels(moved, images)).toBe(false);
    expect(seesPixels({ ...layer, variable: "tanh x" }, images)).toBe(false);
    expect(seesPixels({ ...layer, kind: "linear" }, images)).toBe(false);
  });

  it("maps the strongest preference for the low end to black and for the high end to white", () => {
    expect(contrastGrey(-2, 2, false)).toBe(0);
    expect(contrastGrey(2, 2, false)).toBe(1);
    expect(contrastGrey(0, 2, false)).toBe(0.5);
    expect(contrastGrey(0, 0, false)).toBe(0.5);
    expect([contrastGrey(-1e-9, 2, true), contrastGrey(0, 2, true)]).toEqual([0, 1]);
  });
});

describe("the change", () => {
  const { layer, at } = runOf("article");
  const [now, start] = [at(400), at(0)];

  it("is φ now − φ at the start", () => {
    const subject = change(now, layer, start, layer);
    const row = rowAt(layer, 1);
    for (const f of [0, 7, 44]) {
      const expected = valueInTable(now, layer, f, row) - valueInTable(start, layer, f, row);
      expect(subject.at(f, 1)).toBeCloseTo(expected, 5);
    }
  });

  it("is right after the grid changed to another basis", () => {
    const finer = makeRun([{ name: "conv1", kind: "conv", shape: [5, 1, 3, 3], grid: 9 }]);
    const layout = readLayout({ ...finer.layout, version: 2 });
    const frame = readFrame({ layout: 2, step: 9, bytes: finer.frame(9) }, layout);
    const other = layout.layers[0];
    expect(sameBasis(other, layer)).toBe(false);
    const subject = change(frame, other, start, layer);
    for (const x of [-1, 0, 1]) {
      const expected =
        valueInTable(frame, other, 11, rowAt(other, x)) -
        valueInTable(start, layer, 11, rowAt(layer, x));
      expect(subject.at(11, x)).toBeCloseTo(expected, 5);
    }
    const picture = pictureOf(frame, start, { mode: "change" });
    const out = { x: new Float32Array(99), y: new Float32Array(99) };
    const n = picture.subject.curve(11, picture.plan, out);
    expect(out.y[n - 1]).toBeCloseTo(subject.at(11, 1), 5);
    expect(picture.sizes[11]).toBeGreaterThanOrEqual(Math.abs(out.y[n - 1]) - 1e-6);
  });

  it("is zero at the first frame", () => {
    const picture = pictureOf(start, start, { mode: "change" });
    expect(Math.max(...picture.sizes)).toBe(0);
    expect(remarks(picture).noted).toBe("nothing has changed yet");
    expect(axesText(picture)).toMatch(
      /^each plot: the change of φ\(x\) since step 0, .+, change ±1$/,
    );
  });
});

describe("sorting", () => {
  const { layer, at } = runOf("article");
  const [now, start] = [at(400), at(0)];
  const sorted = (sort: string, frame = now, initial: Frame | null = start) => {
    const from = { frame, layer, initial, settings: { ...PLAIN, sort }, width: 700 };
    return sortedOrder(from, layer.shape, null);
  };

  it("puts the kernel with the largest range or change first", () => {
    const range = (kernel: number) =>
      Math.max(
        ...Array.from({ length: 9 }, (_, e) => largestOf(now, layer, 9 * kernel + e, -1, 1)),
      );
    expect(sorted("position")).toBeNull();
    expect(sorted("range")).toEqual([0, 1, 2, 3, 4].sort((a, b) => range(b) - range(a)));
    const moved = at(0);
    moved.data[layer.offset + 30 * layer.nb] += 5;
    expect(sorted("change", moved)).toEqual([3, 0, 1, 2, 4]);
    // Without a start nothing is known to have changed.
    expect(sorted("change", moved, null)).toBeNull();
  });

  it("puts kernels of functions that are not finite last", () => {
    const ranges = new Float32Array(layer.count).fill(1);
    ranges.fill(Number.NaN, 0, 9);
    ranges[40] = 2;
    expect(orderBy(layer.shape, ranges)).toEqual([4, 1, 2, 3, 0]);
  });
});

describe("the words", () => {
  const { layer, at } = runOf("article");
  const [now, start] = [at(400), at(0)];

  it("print the range in full, and say when scales are not shared", () => {
    const small = at(0);
    small.data.forEach((value, k) => {
      small.data[k] = 0.01 * value;
    });
    expect(axesText(pictureOf(small, null))).toMatch(
      /^each plot: φ\(x\), x from −1 to 1 \(grid\), φ ±0\.00\d+$/,
    );
    expect(axesText(pictureOf(now, null, { scale: "function" }))).toMatch(
      /; each function has its own scale of φ: ±\S+ to ±\S+$/,
    );
    expect(axesText(pictureOf(now, null, { mode: "pattern" }))).toContain(
      "black: φ is larger at x = −1 · white: at x = 1",
    );
  });

  it("count kernels and functions", () => {
    expect(layerSize(layer)).toBe("5 kernels of 3 × 3 functions");
    expect(layerSize(runOf("linear").layer)).toBe("6,250 functions: 10 outputs × 625 inputs");
    const narrow = { ...runOf("linear").layer, shape: [4, 1, 1, 1], count: 4 } as LayerLayout;
    expect(layerSize(narrow)).toBe("4 functions: 4 outputs × 1 input");
  });

  it("call a learned activation one, with a function for each group", () => {
    const groups = { ...layer, kind: "elementwise", shape: [1, 4, 1, 1], count: 4 } as LayerLayout;
    expect(layerSize(groups)).toBe(
      "learned activation: 4 functions, one for each group of channels",
    );
    expect(entryText(groups, 2)).toBe("group 2");
  });

  it("name an entry by the numbers that find it again", () => {
    const { layer: wide } = runOf("conv16x8");
    for (let f = 0; f < wide.count; f += 7) expect(functionOf(wide, selectionOf(wide, f))).toBe(f);
    expect(selectionOf(wide, 1151)).toEqual({
      layer: "features.3",
      out: 15,
      in: 7,
      row: 2,
      column: 2,
    });
    expect(functionOf(wide, { layer: "features.3", out: 16, in: 0, row: 0, column: 0 })).toBe(-1);
    expect(functionOf(wide, { layer: "other", out: 0, in: 0, row: 0, column: 0 })).toBe(-1);
  });

  it("split φ(x) under the pointer into base and splines", () => {
    const lines = hoverLines(pictureOf(now, start), 4, 1);
    expect(lines.map(({ label }) => label)).toEqual(["x", "φ(x)", "base", "splines"]);
    const row = rowAt(layer, 1);
    const base = now.data[layer.offset + 4 * layer.nb] * layer.tables[0].values[row * layer.nb];
    const printed = Number((lines[2].value.split(" ")[0] as string).replace("−", "-"));
    expect(printed).toBeCloseTo(base, 3);
  });

  it("tell the step and the state", () => {
    expect(statusText(1240, said("running"))).toBe("step 1,240 · training");
    expect(statusText(null, said("idle"))).toBe("not training");
    const fault = said("fault", "no longer watched: no memory");
    expect(statusText(7, fault)).toBe("no longer watched: no memory");
    expect(statusText(60, said("paused"), true)).toBe("paused · step 60");
    const uncounted = said(
      "uncounted",
      "200 steps not counted",
      "live = kw.bind(model, optimizer)",
    );
    expect(statusText(60, uncounted)).toBe(
      "step 60 · 200 steps not counted: live = kw.bind(model, optimizer)",
    );
  });

  it("describe the drawing without the step, which changes with every frame", () => {
    const text = description(pictureOf(now, start), 4);
    expect(text).toContain("layer conv1, 5 kernels of 3 × 3 functions");
    expect(text).toContain("Selected: conv1 · kernel 0 · row 1, column 1 · largest |φ| 0.152");
    expect(text).not.toContain("400");
  });
});

describe("the tooltip's place", () => {
  const tip = { width: 200, height: 100 };

  it("is inside the container for every cell, and off the cell where there is room", () => {
    const box = { width: 700, height: 260 };
    for (let x = 0; x <= 660; x += 20) {
      for (let y = 0; y <= 220; y += 20) {
        const cell = { x, y, width: 40, height: 40 };
        const place = placeTip(cell, tip, box);
        expect(place.x).toBeGreaterThanOrEqual(0);
        expect(place.y).toBeGreaterThanOrEqual(0);
        expect(place.x + tip.width).toBeLessThanOrEqual(box.width);
        expect(place.y + tip.height).toBeLessThanOrEqual(box.height);
        const covers =
          place.x < x + 40 && place.x + 200 > x && place.y < y + 40 && place.y + 100 > y;
        expect(covers).toBe(false);
      }
    }
  });

  it("stays inside a container hardly larger than itself", () => {
    const place = placeTip({ x: 100, y: 60, width: 40, height: 40 }, tip, {
      width: 210,
      height: 120,
    });
    expect(place.x).toBeGreaterThanOrEqual(0);
    expect(place.x + 200).toBeLessThanOrEqual(210);
    expect(place.y + 100).toBeLessThanOrEqual(120);
  });
});

it("the x under the pointer runs from end to end of the cell and no further", () => {
  const { at } = runOf("article");
  const picture = pictureOf(at(0), null);
  expect(xAt(picture, 2)).toBe(-1);
  expect(xAt(picture, picture.arrangement.across / 2)).toBeCloseTo(0, 6);
  expect(xAt(picture, picture.arrangement.across - 2)).toBe(1);
  expect(xAt(picture, -5)).toBe(-1);
  expect(xAt(picture, 500)).toBe(1);
});

it("a trait with an unknown value falls back to its first choice", () => {
  const settings = settingsOf(((name: string) => ({ mode: "paint", ghost: true })[name]) as never);
  expect(settings).toEqual({ ...PLAIN, ghost: true });
});

describe("a grid among others", () => {
  const made = layer({ shape: [16, 1, 3, 3] });
  const frame = frameOf([made]);
  const tall = (room: number, together: Together | null) =>
    pictureMaker()({ frame, layer: made, settings: PLAIN, width: 430, room, together }).arrangement;

  it("has smaller cells, so that all of them are seen", () => {
    const compared = agreement(2)(0);
    expect(tall(360, null).height).toBeGreaterThan(360);
    expect(tall(260, compared).height).toBeLessThanOrEqual(260);
    expect(tall(260, compared).cell).toBeGreaterThanOrEqual(14);
  });

  it("names x clear of the numbers at the ends of its axis, so that no product is read", () => {
    const { colours } = themeOf("light");
    const wide = tall(360, null);
    const textsOf = (across: number, left = wide.left) =>
      axisMarks({ ...wide, across, left }, [-3, 3], "x", colours).flatMap((mark) =>
        mark.kind === "text" ? mark : [],
      );
    const texts = (across: number, left?: number) => textsOf(across, left).map((mark) => mark.text);
    expect(texts(120)).toEqual(["−3", "3", "x"]);
    const [low, high, name] = textsOf(120);
    expect(name.x - low.x).toBeGreaterThan(40);
    expect(high.x - name.x).toBeGreaterThan(30);
    expect(texts(60)).toEqual(["x: −3 … 3"]);
    expect(texts(16)).toEqual(["x: −3 … 3"]); // under all cells of a kernel
    // Beside rows there is room before the axis.
    expect(texts(40, 42)).toEqual(["−3", "3", "x"]);
    const [first, , beside] = textsOf(40, 42);
    expect(beside.x).toBeLessThan(42);
    expect(beside.anchor).toBe("end");
    expect(first.x).toBeGreaterThanOrEqual(42);
    expect(texts(16, 42)).toEqual(["x: −3 … 3"]);
  });

  it("has the largest function of all where layers are alike", () => {
    const agreed = agreement(2);
    const version = agreed(0).version();
    expect(agreed(0).largest("a", { f: 3, size: 0.1 })).toEqual({ f: 3, size: 0.1, shape: "a" });
    expect(agreed(1).largest("a", { f: 5, size: 0.2 }).f).toBe(5);
    expect(agreed(0).largest("a", { f: 3, size: 0.1 }).f).toBe(5);
    expect(agreed(0).version()).toBeGreaterThan(version);
    expect(agreed(0).largest("b", { f: 3, size: 0.1 }).f).toBe(3);
  });

  /** A frame in which function f is so many times as large as it would be. */
  const sized = (its: LayerLayout, step: number, ...sizes: number[]) => {
    const same = frameOf([its], step);
    const first = same.data.slice(0, its.nb);
    return {
      ...same,
      data: Float32Array.from(sizes.flatMap((size) => [...first.map((v) => v * size)])),
    };
  };

  it("has the scale of its own functions, or where that is chosen the one of all", () => {
    const agreed = agreement(2);
    const its = layer({ shape: [1, 1, 1, 1] });
    const scaleOf = (grid: number, largest: number, scale: Settings["scale"]) =>
      pictureMaker()({
        ...{ frame: sized(its, 0, largest), layer: its, width: 430, room: 360 },
        ...{ settings: { ...PLAIN, scale }, together: agreed(grid) },
      }).scales.largest;
    const both = (scale: Settings["scale"]) =>
      [0.2, 1, 0.2].map((largest, k) => scaleOf(k % 2, largest, scale));
    const [small, large, again] = both("layer");
    expect(small).toBeLessThan(large);
    expect(again).toBe(small);
    expect(both("all models").slice(1)).toEqual([large, large]);
  });

  it("keeps the function that is largest at the end through a film, on one scale", () => {
    const its = layer({ shape: [2, 1, 1, 1] });
    const history = [sized(its, 0, 0.5, 0.1), sized(its, 10, 0.2, 0.9)];
    const make = pictureMaker();
    const peaks = [1, 0, 1].map(
      (k) => make({ frame: history[k], layer: its, settings: PLAIN, width: 430, history }).peak,
    );
    expect(peaks.map(({ f }) => f)).toEqual([1, 1, 1]);
    expect(new Set(peaks.map(({ size }) => size)).size).toBe(1);
  });

  it("keeps the axes of its large plot through a film", () => {
    const its = layer({ shape: [2, 1, 1, 1] });
    const history = [0.1, 0.5, 2].map((size, k) => sized(its, 10 * k, size, 0.1));
    const make = pictureMaker();
    const axes = history.map((frame) => {
      const picture = make({ frame, layer: its, settings: PLAIN, width: 430, history });
      const marks = magnified(picture, 0, 0, themeOf("light"))?.marks ?? [];
      return marks.flatMap((mark) =>
        mark.kind === "text" && mark.anchor === "end" ? `${mark.text} at ${mark.y}` : [],
      );
    });
    expect(axes[0].length).toBeGreaterThan(2);
    expect(axes).toEqual([axes[0], axes[0], axes[0]]);
  });

  it("leaves a plot below it a readable height in a narrow page", () => {
    const its = layer({ shape: [5, 1, 3, 3] });
    const from = { frame: frameOf([its]), layer: its, settings: PLAIN, magnifies: true };
    for (const [width, room] of [
      [332, 482],
      [530, 500],
    ]) {
      const picture = pictureMaker()({ ...from, width, room: room - 14 });
      const plot = plotBox(picture, width, room);
      expect(plot?.y).toBeGreaterThan(PAD);
      // Over it two lines of words and a key, under it numbers and a name.
      expect((plot?.height ?? 0) - PLOT_HEAD - 39).toBeGreaterThan(110);
      expect(picture.arrangement.cell).toBeGreaterThanOrEqual(24);
    }
  });
});

it("that kernels are shared is said where several channels were seen", () => {
  const conv = { shared: true } as LayerLayout["conv"];
  const shared = layer({ shape: [5, 1, 3, 3], conv, note: "Scaled by 2." });
  const seen = (channels: number) => ({ mapShape: [1, channels, 9, 9] }) as unknown as Observed;
  expect(noteOf(shared, null)).toBe("Scaled by 2.");
  expect(noteOf(shared, seen(1))).toBe("Scaled by 2.");
  expect(noteOf(shared, seen(5))).toBe("Scaled by 2. Each kernel is used on all 5 input channels.");
  expect(noteOf({ ...shared, conv: null }, seen(5))).toBe("Scaled by 2.");
});

it("an input of a flattened map is named by where it lies there", () => {
  const dense = layer({ kind: "linear", shape: [10, 144, 1, 1] });
  const f = 5 * 144 + 13 * 9 + 1 * 3 + 2;
  const at = "(map 13, row 1, column 2)";
  expect(functionText(dense, f, [16, 3, 3])).toBe(`output 5 · input 122 ${at}`);
  expect(functionText(dense, f, [1, 12, 12])).toBe("output 5 · input 122 (row 10, column 2)");
  for (const none of [[], [144, 1, 1], [16, 3, 4]])
    expect(functionText(dense, f, none)).toBe("output 5 · input 122");
});
