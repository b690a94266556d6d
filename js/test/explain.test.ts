// @vitest-environment happy-dom

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { softmax } from "../src/phi/operations.ts";
import { NOT_POINTED } from "../src/scene/drawing.ts";
import type { LinesMark, Mark, Pixels, Rect, TextMark } from "../src/scene/marks.ts";
import { svgOf } from "../src/scene/svg.ts";
import { widthOf } from "../src/scene/text.ts";
import { themeOf } from "../src/scene/theme.ts";
import type { ViewElement } from "../src/shell/mount.ts";
import { outlineOf } from "../src/views/explain/block.ts";
import {
  functionCell,
  mapTitle,
  numberFor,
  readContent,
  selectionFor,
  shareMap,
  shareName,
  verdict,
} from "../src/views/explain/content.ts";
import { curvesBlock } from "../src/views/explain/pictures.ts";
import { listsOf } from "../src/views/explain/rows.ts";
import type { ExplainScene } from "../src/views/explain/scene.ts";
import { drawing, render } from "../src/views/explain/view.ts";
import { FrameStore } from "../src/wire/store.ts";
import type { Selection } from "../src/wire/types.ts";
import { FakeModel } from "./fake_model.ts";
import { painted } from "./hurry.ts";
import { bytes, layer } from "./samples.ts";

const said = {
  step: 40,
  target: 1,
  predicted: 0,
  scores: [3, -0.25],
  notes: ["a note"],
};
const functions = {
  ...said,
  layer: "linear",
  kind: "functions",
  rows: 1,
  columns: 12,
  // 3 channels of 2 × 2
  values: bytes([0, 0, 0.5, 0, 0, -2, 0, 1, 0.25, 0, 0, 0]),
  beside: null,
  kernel: [1, 1],
  shared: false,
  places: [3, 2, 2],
  mapped: [],
  maps: null,
  mapShape: [2, 2],
  total: bytes([0.25, -2, 0.5, 1]),
  // Of the three largest: straight lines on the grid, and to an input beyond it.
  curves: {
    which: [5, 7, 2],
    domain: [-1, 1],
    at: bytes([1, 2, 0.5]),
    x: bytes([-1, 1, -1, 2.2, -1, 1]),
    y: bytes([2, -2, -1, 1.1, 0, 0.7]),
  },
  samples: null,
  sums: { bias: 0, error: 1e-7, others: null },
};
const kernels = {
  ...said,
  layer: "conv1",
  kind: "kernels",
  rows: 2,
  columns: 3,
  values: bytes([1, -3, 0, 2, 0.5, -0.5]),
  beside: bytes([1.5, -2, 0, Number.NaN, 0, 0]),
  kernel: [2, 2],
  shared: false,
  places: null,
  mapped: [1, 3],
  maps: bytes([-1, -2, 1, 1]),
  mapShape: [1, 2],
  total: bytes([0, -1]),
  curves: {
    which: [1, 3],
    domain: [-1, 1],
    at: bytes([Number.NaN, Number.NaN]),
    x: bytes([-1, 1, -1, 1]),
    y: bytes([0, 1, 0, 2, 0, 3, 0, 4, 0, -1, 0, -2, 0, -3, 0, -4]),
  },
  samples: 16,
  sums: { baseline: 1, missing: 0.2 },
};
const wire = {
  image: { shape: [1, 2, 4], data: bytes([0, 1, 0, 1, 0, 1, 0, 1]) },
  parts: [functions, kernels],
};
const content = readContent(wire as never);
if (!content) throw new Error("nothing was read");
const [last, conv] = content.parts;

/** The words of all sites of a kind, row by row: "groups", "bars", "curves", "classes". */
function sitesOf(root: ViewElement<ExplainScene>, name: string): string[] {
  const { sites } = root.kwView.scene() as ExplainScene;
  const found: string[] = [];
  for (let row = 0; sites.words(`${name}/${row}/0`); row++) {
    for (let column = 0; sites.words(`${name}/${row}/${column}`); column++) {
      found.push(sites.words(`${name}/${row}/${column}`));
    }
  }
  return found;
}

describe("the shares", () => {
  it("are named by their place, and the function they select is one of theirs", () => {
    expect(shareName(last, 5)).toBe("map 1 · row 0 · column 1");
    expect(shareName({ ...last, places: null }, 5)).toBe("input 5");
    expect(shareName(conv, 4)).toBe("kernel 1 → 1");
    expect(selectionFor(last, 5)).toEqual({ layer: "linear", out: 1, in: 5, row: 0, column: 0 });
    expect(selectionFor(conv, 4)).toEqual({ layer: "conv1", out: 1, in: 1, row: 1, column: 1 });
    for (const part of [last, conv]) {
      for (let k = 0; k < part.values.length; k++) {
        expect(numberFor(part, selectionFor(part, k))).toBe(k);
      }
    }
  });

  it.each([420, 700])(
    "of hidden units are called alike over their plots, in %i pixels",
    (width) => {
      const rows = ["+0.153", "−0.0751", "+0.2"].map((text, k) => {
        const own = { name: `output ${k} of layer 0`, text, value: Number.NaN, beside: Number.NaN };
        const none = { number: k, has: () => false, map: null, curves: undefined, words: "" };
        return { kind: "share", ...own, ...none } as const;
      });
      const list = { name: "curves", headings: ["the functions"], rows } as const;
      const style = { selected: -1, theme: themeOf("light"), plate: {} };
      const { marks } = curvesBlock(style as never, list as never, [0, 0], width);
      const names = marks.flatMap((mark) => (mark.kind === "text" ? [mark.text] : []));
      const end = width < 500 ? "" : " of layer 0";
      expect(names).toEqual(expect.arrayContaining([0, 1, 2].map((k) => `output ${k}${end}`)));
    },
  );

  it("of an input without a picture are high plots where they are few", () => {
    const heightOf = (count: number, plate: object | null) => {
      const curves = { x: [-1, 1], ys: [[0, 1]], bands: [], at: 0, domain: [-1, 1] };
      const row = { name: "input 0", text: "+1", value: 1, words: "", has: () => false, curves };
      const list = { name: "curves", headings: ["the functions"], rows: Array(count).fill(row) };
      const style = { selected: -1, theme: themeOf("light"), plate };
      const { bottom, top } = curvesBlock(style as never, list as never, [0, 0], 900);
      return bottom - top;
    };
    expect(heightOf(5, null)).toBeGreaterThan(150);
    expect(heightOf(5, {})).toBeLessThan(120);
    expect(heightOf(7, null)).toBeLessThan(120);
  });

  it("of another class or layer are not marked", () => {
    expect(numberFor(last, { ...selectionFor(last, 5), out: 0 })).toBe(-1);
    expect(numberFor(conv, selectionFor(last, 5))).toBe(-1);
    expect(numberFor(conv, { ...selectionFor(conv, 5), in: 9 })).toBe(-1);
    expect(numberFor(conv, null)).toBe(-1);
  });

  it("of a shared kernel are one for each channel: the one chosen, or else the largest", () => {
    const shared = { ...conv, shared: true };
    expect(shareName(shared, 4)).toBe("kernel 1 · channel 1");
    const selection = selectionFor(shared, 4);
    expect(selection.in).toBe(0);
    expect(numberFor(shared, selection)).toBe(3);
    expect(numberFor(shared, selection, 4)).toBe(4);
    expect(numberFor(shared, selection, 1)).toBe(3);
  });

  it("are listed from the largest, the selected one after them, and the others by their sign", () => {
    const [{ name, rows }, ...more] = listsOf({ ...conv, rows: 6, columns: 1 }, 2, 9, 5);
    expect([name, more]).toEqual(["bars", []]);
    expect(rows.map(({ kind, name: own, value }) => [kind, own, value])).toEqual([
      ["share", "kernel 1", -3],
      ["share", "kernel 3", 2],
      ["share", "kernel 5", -0.5],
      ["others", "3 others that raise it", 1.5],
      ["total", "all 6 kernels together", 0],
    ]);
    expect(rows[1].beside).toBeNaN();
    expect(rows[0].words).toBe("conv1 · kernel 1 · −3 · drop of the score without it −2");
    const whole = listsOf(conv, 6, 9, -1)[0].rows;
    expect(whole.map(({ kind }) => kind)).toEqual([...Array(6).fill("share"), "total"]);
  });
});

describe("the maps", () => {
  it("are a kernel's own, a function's channel, or the whole", () => {
    expect(Array.from(shareMap(conv, 3)?.data ?? [])).toEqual([1, 1]);
    expect(shareMap(conv, 0)).toBeNull();
    expect(Array.from(shareMap(conv, -1)?.data ?? [])).toEqual([0, -1]);
    expect(Array.from(shareMap(last, 5)?.data ?? [])).toEqual([0, -2, 0, 1]);
    expect(mapTitle(last, 5)).toBe("map 1");
    expect(functionCell(last, 7)).toEqual({ left: 0.5, top: 0.5, width: 0.5, height: 0.5 });
    expect(functionCell(conv, 3)).toBeNull();
  });

  it("of a row are its channel's, its kernel's, or those of all kernels of its output", () => {
    const [channels, single] = listsOf(last, 4, 9, -1).map(({ rows }) => rows);
    expect(channels.map(({ map }) => map && Array.from(map.data))).toEqual([
      [0, -2, 0, 1],
      [0, 0, 0.5, 0],
      [0.25, 0, 0, 0],
      null,
    ]);
    expect(single.map(({ map }) => map)).toEqual([null, null, null, null]);
    const mapped = { ...conv, mapped: [0, 1, 2], maps: Float32Array.from([1, 2, 3, 4, 5, 6]) };
    const [outputs, kernel] = listsOf(mapped, 2, 9, -1).map(({ rows }) => rows);
    expect(outputs.map(({ name, map }) => [name, map && Array.from(map.data)])).toEqual([
      ["to channel 0", [9, 12]],
      ["to channel 1", null],
      ["all 6 kernels together", null],
    ]);
    expect(Array.from(kernel[0].map?.data ?? [])).toEqual([3, 4]);
  });
});

describe("what has no row of its own", () => {
  it.each([1, 2, 3, 16, 64])(
    "is added up in others, so that the rows come to the whole, of %i channels",
    (channels) => {
      const count = channels * 25;
      const shares = Float32Array.from({ length: count }, (_, k) => Math.sin((k + 1) ** 2) ** 3);
      const order = [...shares.keys()].sort((a, b) => Math.abs(shares[b]) - Math.abs(shares[a]));
      const places = [channels, 5, 5] as never;
      const sum = shares.reduce((whole, value) => whole + value, 0);
      const part = { ...last, columns: count, values: shares, order, sum, places };
      const lists = listsOf(part, 10, 25, order[count - 1]);
      expect(lists.map(({ name }) => name)).toEqual([channels > 1 ? "groups" : "bars", "curves"]);
      const rows = lists[0].rows.filter(({ kind }) => kind !== "total");
      const together = (some: typeof rows) => some.reduce((all, { value }) => all + value, 0);
      expect(together(rows)).toBeCloseTo(sum, 5);
      // What raises the score is not hidden behind what lowers it.
      for (const { name, value } of rows.filter(({ kind }) => kind === "others")) {
        expect(/that raises? it/.test(name), name).toBe(value > 0);
      }
      // The selected one has a row in each list, however small it is.
      for (const { rows: all } of lists) {
        expect(all.filter((row) => row.has(order[count - 1]))).toHaveLength(1);
      }
    },
  );
});

describe("words", () => {
  it("give probabilities that add up to one, however large the scores", () => {
    expect(softmax([0, Math.log(3)])).toEqual([0.25, 0.75].map((p) => expect.closeTo(p)));
    expect(softmax([1000, 1000])).toEqual([0.5, 0.5]);
  });

  it("say first what the network says", () => {
    const [sure, torn] = [9, 1].map((score) =>
      verdict({ ...last, scores: [0, 0, score], predicted: 2, target: 2 }),
    );
    expect(sure).toBe("The network says 2 (>99.9 %), then 0");
    expect(torn).toBe("The network says 2 (57.6 %), then 0 (21.2 %)");
    expect(verdict(last)).toBe("The network says 0 (96.3 %); explained here: 1 (3.7 %)");
    const broken = verdict({ ...last, scores: [0, Number.NaN] });
    expect(broken).toBe("Some scores are not finite: no verdict");
    expect(verdict({ ...last, scores: [-0.5], target: 0 })).toBe("The output is −0.5");
  });

  it("name the numbers of an input that is no image, of many their count", () => {
    const inputOf = (count: number, layout?: object) => {
      const data = bytes(Array.from({ length: count }, (_, k) => 0.5 - 0.25 * k));
      const of = { ...wire, image: { shape: [count], data } };
      return readContent(of as never, layout as never)?.input;
    };
    expect(inputOf(3)).toBe("0.5, 0.25, 0");
    expect(inputOf(2, { layers: [{ inputNames: ["width", "height"] }] })).toBe(
      "width 0.5, height 0.25",
    );
    expect(inputOf(9)).toBe("of 9 numbers");
    expect(content.input).toBe("");
    const one = { ...last, scores: [-0.5], target: 0 };
    expect(verdict(one, "0.5, 0.25")).toBe("For the input 0.5, 0.25 the output is −0.5");
    expect(verdict(last, "1")).toMatch(/^For the input 1 the network says 0 /);
  });

  it("print what functions add to an output alike: a column that adds up", () => {
    const values = Float32Array.from([0.255, 0.17, -0.0576]);
    const part = { ...last, scores: [0.3674], target: 0, columns: 3, values, order: [0, 1, 2] };
    const [{ rows }] = listsOf({ ...part, places: null, sum: 0.3674 }, 9, 9, -1);
    expect(rows.map(({ text }) => text)).toEqual(["+0.255", "+0.170", "−0.058", "+0.367"]);
  });
});

function storeOf(select: (selection: Selection | null) => void = () => {}): FrameStore {
  const store = new FrameStore({
    write(trait, value) {
      const selection = value as Selection;
      if (trait === "selection") select(selection.layer === undefined ? null : selection);
    },
    send() {},
  });
  const layers = [layer({ shape: [2, 3, 2, 2] }), layer({ name: "linear", shape: [2, 12, 1, 1] })];
  const data = new Float32Array(2 * 12 * 9);
  store.takeLive({ step: 40, layout: { version: 0, layers }, data });
  return store;
}

describe("how shares add up", () => {
  const read = (part: object, more: object = {}) => {
    const found = readContent({ ...wire, parts: [{ ...part, ...more }] } as never);
    if (!found) throw new Error("nothing was read");
    return found.parts[0];
  };

  it("is said of functions with the bias and those of other layers", () => {
    expect(last.sentence).toBe("Class 1 scores −0.25, the sum of 12 functions.");
    expect(last.method).toContain("exact but for 1e−7 of rounding");
    const sums = { bias: -0.5, error: 0, others: 0.25 };
    expect(read(functions, { sums }).sentence).toBe(
      "Class 1 scores −0.25, the sum of −0.25 from 12 functions + 0.25 from the other functions − 0.5 bias.",
    );
    const one = { columns: 1, values: bytes([2]), classes: ["no", "yes"] };
    expect(read(functions, one).sentence).toBe("Class yes scores −0.25, the sum of one function.");
  });

  it("is said of kernels from their usual response on", () => {
    expect(conv.sentence).toBe(
      "Class 1 scores −0.25. With each kernel of this layer at its mean over 16 examples it would score 1; what they make of this image adds 0; 0.2 is left over.",
    );
    expect(conv.method).toContain("it the score would be 1. ");
    const one = { rows: 1, columns: 1, values: bytes([-1.25]), beside: bytes([0]), samples: null };
    const little = { sums: { baseline: 1, missing: 1e-4 } };
    expect(read(kernels, { ...one, ...little }).sentence).toBe(
      "Class 1 scores −0.25. With the kernel of this layer at its mean over this image it would score 1; what it makes of this image subtracts 1.25.",
    );
  });

  it("says when the images were seen, where the model was another", () => {
    expect(read(kernels, { seen: 40 }).method).toContain("over 16 examples:");
    expect(read(kernels, {}).method).toContain("over 16 examples:");
    const usual = read(functions, { beside: functions.values, samples: 16 });
    expect(usual.besideLabel).toBe("mean of 16 examples");
    expect(last.besideLabel).toBe("");
  });

  it("is nothing where the score is not finite", () => {
    expect(read(kernels, { scores: [3, null] }).sentence).toBe(
      "The score of 1 is not finite: there is nothing to divide.",
    );
  });
});

describe("the scene", () => {
  function scene(
    traits: Record<string, unknown> = {},
    width = 900,
    theme = themeOf("light"),
    seen?: number,
  ) {
    const all: Record<string, unknown> = { content: wire, layer: "linear", top: 30, ...traits };
    const made = drawing()({
      store: storeOf(),
      get: (trait) => all[trait],
      width,
      height: 480,
      theme,
      ratio: 1,
      pointed: NOT_POINTED,
      seen,
    });
    if (typeof made === "string") throw new Error(made);
    const view: Rect = { x: 0, y: 0, width, height: made.height };
    const marks = made.sheets.flatMap((sheet) => [...sheet.marks(view)]);
    return { made, marks };
  }
  const imagesOf = (marks: readonly Mark[]) => marks.filter((mark) => mark.kind === "image");
  const textsOf = (marks: readonly Mark[]) => marks.filter((mark) => mark.kind === "text");
  const pixel = ({ rgba, width }: Pixels, row: number, column: number) =>
    Array.from(rgba.subarray(4 * (row * width + column), 4 * (row * width + column) + 3));

  it.each(["light", "dark"] as const)(
    "has the same colour for a value on the map and on the scale, zero too, in %s",
    (name) => {
      const { marks } = scene({}, 900, themeOf(name));
      const [, map, scale] = imagesOf(marks).map(({ pixels }) => pixels);
      // The whole map is 0.25, −2 and 0.5, 1, of ±2 on all maps of the layer.
      const at = (value: number) => pixel(scale, 0, 255 + Math.round((255 * value) / 2));
      expect([map.width, map.height, scale.width]).toEqual([2, 2, 511]);
      expect(pixel(map, 0, 0)).toEqual(at(0.25));
      expect(pixel(map, 0, 1)).toEqual(at(-2));
      expect(pixel(map, 1, 1)).toEqual(at(1));
      const kernels = imagesOf(scene({ layer: "conv1" }, 900, themeOf(name)).marks);
      expect(pixel(kernels[1].pixels, 0, 0)).toEqual(pixel(kernels[2].pixels, 0, 255));
      const words = textsOf(marks).map(({ text }) => text);
      expect(words).toEqual(expect.arrayContaining(["−2", "0", "+2", "lowers the score"]));
    },
  );

  it("has the functions and the sum in a narrow window's first screen, below image and scores side by side", () => {
    const { made } = scene({ layer: "linear" }, 530);
    const box = (name: string) => made.sites.box(`${name}/0/0`) as Rect;
    const [image, classes] = [box("image"), box("classes")];
    expect(classes.x).toBeGreaterThan(image.x + image.width);
    expect(classes.y).toBeLessThan(image.y + image.height);
    const [sum, curves] = [box("bars"), box("curves")];
    expect(curves.y).toBeGreaterThan(image.y + image.height);
    expect(sum.y).toBeGreaterThan(curves.y + curves.height);
    expect(sum.y + sum.height).toBeLessThan(600);
  });

  it.each([240, 470, 530, 620, 900, 1400])("cuts no word and no bar at %d pixels", (width) => {
    const long = [1, -3, 0, 2, 0.5, -0.5].map((value) => value * 1.2345e-4);
    const small = { ...wire, parts: [functions, { ...kernels, values: bytes(long) }] };
    for (const [name, what, top = 30] of [
      ["linear", wire],
      ["linear", wire, 3],
      ["conv1", wire, 2],
      ["conv1", wire],
      ["conv1", small],
      ["", wire],
    ] as const) {
      const { made, marks } = scene({ layer: name, content: what, top }, width);
      const boxes = marks.flatMap((mark) => {
        if (mark.kind === "text") return [boxOf(mark)];
        if (mark.kind === "image") return [mark.box];
        if (mark.kind !== "rects") return [];
        return Array.from({ length: mark.boxes.length / 4 }, (_, k) => {
          const [x, y, w, h] = [0, 1, 2, 3].map((part) => mark.boxes[4 * k + part]);
          return { x, y, width: w, height: h };
        });
      });
      for (const { x, y, width: w, height } of boxes) {
        expect(x).toBeGreaterThanOrEqual(0);
        expect(x + w).toBeLessThanOrEqual(width);
        expect(y + height).toBeLessThanOrEqual(made.height);
      }
      const said = textsOf(marks);
      said.forEach((a, k) => {
        expect(a.text).not.toMatch(/…/);
        const box = boxOf(a);
        for (const b of said.slice(k + 1)) {
          const other = boxOf(b);
          const across =
            Math.min(box.x + box.width, other.x + other.width) - Math.max(box.x, other.x);
          const down =
            Math.min(box.y + box.height, other.y + other.height) - Math.max(box.y, other.y);
          expect(across <= 0 || down <= 0, `${a.text} | ${b.text}`).toBe(true);
        }
      });
      // Where a picture may end no word and no picture goes on.
      expect(made.cuts?.length).toBeGreaterThan(1);
      for (const cut of made.cuts ?? []) {
        for (const { y, height } of [...said.map(boxOf), ...imagesOf(marks).map((m) => m.box)]) {
          expect(y >= cut || y + height <= cut, `${cut} in ${y} + ${height}`).toBe(true);
        }
      }
    }
  });

  it("has a site with words for each bar, small map, class and place of the map", () => {
    const { made } = scene();
    const { sites } = made;
    expect(sites.words("bars/0/0")).toBe("linear · map 1 · row 0 · column 1 · −2");
    expect(sites.words("classes/1/0")).toMatch(/^class 1 · score −0.25 · probability 3.7 %$/);
    expect(sites.words("map/0/1")).toBe("row 0 · column 1 of the map: −2");
    for (const id of ["bars/0/0", "bars/11/0", "classes/1/0", "map/1/1", "image/0/0"]) {
      const box = sites.box(id) as Rect;
      expect(sites.at(box.x + box.width / 2, box.y + box.height / 2, box)).toBe(id);
    }
    expect(made.meant("bars/0/0").share).toBe(5);
    expect(made.meant("bars/12/0").share).toBe(-1); // all together
    // The largest of all channels at that place.
    expect(made.meant("map/0/1").share).toBe(5);
    expect(made.meant("classes/1/0").target).toBe(1);
    expect(sites.next("", "first")).toBe("bars/0/0");
    expect(sites.next("bars/0/0", "left")).toMatch(/^map/);
    expect(sites.next("map/1/1", "right")).toMatch(/^bars/);
    expect(sites.next("bars/0/0", "right")).toMatch(/^classes/);
    expect(sites.next("classes/0/0", "left")).toMatch(/^bars/);
  });

  it("lists channels first where there are more functions than rows, each with its map", () => {
    const { made, marks } = scene({ top: 3 });
    expect(made.sites.words("groups/0/0")).toBe("linear · map 1, 4 functions · −1");
    expect(made.meant("groups/0/0").share).toBe(5);
    expect(made.sites.words("curves/0/2")).toBe(
      "linear · map 0 · row 1 · column 0 · +0.5 · x = 0.5",
    );
    // The image, the map, its scale and three channels.
    expect(imagesOf(marks)).toHaveLength(6);
  });

  it("draws the functions that count most, with the dot where their input and its value are", () => {
    const { made, marks } = scene({ top: 3 }, 1200);
    const box = made.sites.box("curves/0/1") as Rect;
    const inside = ({ xy }: { xy: ArrayLike<number> }) =>
      xy[0] >= box.x && xy[0] <= box.x + box.width && xy[1] >= box.y && xy[1] <= box.y + box.height;
    const [at] = marks.filter((mark) => mark.kind === "dots").filter(inside);
    const [curve] = marks
      .filter((mark) => mark.kind === "lines" && mark.round)
      .filter(inside as never);
    // y = x / 2 from −1 to 2.2, at the input 2; all three on the scale from −2 to 2.
    const [left, low, right, high] = (curve as LinesMark).xy as number[];
    expect((at.xy[0] - left) / (right - left)).toBeCloseTo(3 / 3.2);
    expect((at.xy[1] - low) / (high - low)).toBeCloseTo(2 / 2.1);
    expect(at.fill).toBe(themeOf("light").colours.more);
    const texts = textsOf(marks).map(({ text }) => text);
    const how = "a dot at the input; φ from −2 to 2, grey outside the grid";
    expect(texts).toContain(`the largest of the 12 functions: ${how}`);
  });

  it.each([740, 934, 1400])(
    "has ten functions, maps and classes in a laptop's window, %d pixels wide",
    (width) => {
      const shares = Array.from({ length: 625 }, (_, k) => Math.sin((k + 1) ** 2) ** 3);
      const own = { columns: 625, values: bytes(shares), places: [25, 5, 5], mapShape: [5, 5] };
      const part = {
        ...functions,
        ...own,
        total: bytes(Array(25).fill(1)),
        scores: Array(10).fill(1),
      };
      const image = { shape: [1, 28, 28], data: bytes(Array(784).fill(0)) };
      const given = { content: { image, parts: [part] }, top: 10 };
      const { made } = scene(given, width, themeOf("light"), 480);
      expect(made.height).toBeLessThanOrEqual(480);
      for (const id of ["curves/1/4", "maps/0/2", "classes/9/0", "groups/10/0"]) {
        expect(made.sites.words(id), id).not.toBe("");
      }
    },
  );

  it("has as many functions as are seen at once", () => {
    const { height } = scene({}, 800).made;
    const fitted = scene({}, 800, themeOf("light"), height - 20).made;
    expect(fitted.height).toBeLessThanOrEqual(height - 20);
    expect(scene({}, 800, themeOf("light"), 50).made.height).toBe(height);
  });

  it("draws under the map of a kernel all of its functions", () => {
    const curves = (layer: string) =>
      scene({ layer, top: 2 }).marks.filter((mark) => mark.kind === "lines" && mark.round);
    expect(curves("conv1")).toHaveLength(2 * 4);
    const { marks } = scene({ layer: "", top: 3 });
    const inside = marks.flatMap((mark) => (mark.kind === "group" ? mark.marks : []));
    // The image, and the scores of the classes, stand once.
    const heads = textsOf(inside).filter(({ text }) => /^(class: score|the input)/.test(text));
    expect(heads).toHaveLength(2);
  });

  it("names the step of each layer in a picture of layers that were found at several", () => {
    const parts = [functions, { ...kernels, step: 30 }];
    const { made, marks } = scene({ layer: "", content: { ...wire, parts } });
    const words = textsOf(marks).map(({ text }) => text);
    expect(words).toEqual(expect.arrayContaining(["linear · step 40", "conv1 · step 30"]));
    expect(made.moment).toBe("");
  });

  it("shows all layers below each other where none is named, each with its own sentence", () => {
    const { made, marks } = scene({ layer: "" });
    const words = textsOf(marks).map(({ text }) => text);
    for (const text of ["linear", "conv1", "Class 1 scores −0.25, the sum of 12 functions."]) {
      expect(words).toContain(text);
    }
    expect(made.caption[0].text).toBe("The network says 0 (96.3 %); explained here: 1 (3.7 %)");
  });

  it("has the same shapes and words in light and dark", () => {
    const svg = (name: "light" | "dark") => {
      const { made, marks } = scene({}, 900, themeOf(name));
      return svgOf(marks, { ...made, ground: "#fff" }, () => "");
    };
    const plain = (text: string) => text.replace(/#[0-9a-f]+|href="[^"]*"|rgb\([^)]*\)/g, "");
    expect(plain(svg("dark"))).toBe(plain(svg("light")));
  });

  function boxOf({ x, y, text, size, weight, anchor }: TextMark): Rect {
    const width = widthOf(text, size, weight);
    const left = anchor === "end" ? x - width : anchor === "middle" ? x - width / 2 : x;
    return { x: left, y: y - 0.75 * size, width, height: size };
  }
});

describe("the outline of an image", () => {
  const pixels = (bright: number[], width: number): Pixels => ({
    width,
    height: bright.length / width,
    rgba: Uint8ClampedArray.from(bright.flatMap((v) => [255 * v, 255 * v, 255 * v, 255])),
  });

  it("runs between dark and bright pixels", () => {
    const one = [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const edges = outlineOf(pixels(one, 6));
    expect(edges.length / 4).toBe(4);
    expect(edges).toEqual(expect.arrayContaining([1, 2]));
  });

  it("is left out of an image that is all edges", () => {
    const chequered = Array.from({ length: 36 }, (_, k) => (k + Math.floor(k / 6)) % 2);
    expect(outlineOf(pixels(chequered, 6))).toEqual([]);
  });
});

vi.mock("../src/shell/pace.ts", async () => (await import("./hurry.ts")).hurriedPace());

describe("the view", () => {
  let life: AbortController;
  let selected: (Selection | null)[];
  let store: FrameStore;

  beforeEach(() => {
    life = new AbortController();
    selected = [];
    store = storeOf((selection) => selected.push(selection));
    // A 2D context that draws nothing.
    const known: Record<string, unknown> = {
      canvas: { ownerDocument: document },
      createImageData: () => null,
    };
    const get = (_: object, name: string) => known[name] ?? (() => {});
    const blank = new Proxy({}, { get, set: () => true });
    vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(blank as never);
    vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(900);
    vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(2000);
  });
  afterEach(() => {
    life.abort();
    vi.restoreAllMocks();
    document.body.replaceChildren();
  });

  async function show(traits: Record<string, unknown> = {}) {
    const model = new FakeModel({
      stream: "s",
      content: wire,
      message: "",
      layer: "linear",
      target: null,
      top: 30,
      theme: "light",
      ...traits,
    });
    const el = document.body.appendChild(document.createElement("div"));
    const host = { getWidget: async () => ({ exports: store }) };
    render({ model: model.model, el, host, signal: life.signal } as never);
    const root = el.querySelector(".kw-explain") as ViewElement<ExplainScene>;
    await painted();
    const texts = (selector: string) =>
      Array.from(root.querySelectorAll<HTMLElement>(selector), (node) => node.textContent);
    const canvas = root.querySelector("canvas") as HTMLCanvasElement;
    const click = async (id: string) => {
      const box = root.kwView.at(id) as Rect;
      const at = { clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 };
      canvas.dispatchEvent(new MouseEvent("click", { bubbles: true, ...at }));
      await painted();
    };
    const press = async (key: string) => {
      canvas.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      await painted();
    };
    return { model, root, texts, click, press };
  }

  it("shows a tab for each layer, the classes, how it adds up, and a bar for each share", async () => {
    const { root, texts } = await show();
    expect(texts(".kw-segment")).toEqual(["linear", "conv1"]);
    expect(texts("select[aria-label='class'] option")).toEqual(["0: 3 (highest)", "1: −0.25"]);
    expect(root.querySelector<HTMLSelectElement>("select[aria-label='class']")?.value).toBe("1");
    const remarks = [verdict(last), last.sentence, "a note"];
    expect(texts(".kw-remark")).toEqual(remarks);
    expect(root.querySelectorAll<HTMLElement>(".kw-remark")[1].title).toBe(last.method);
    expect(texts(".kw-explained")).toEqual(["explained at step 40"]);
    const bars = sitesOf(root, "bars").map((words) => words.split(" · ").at(-1));
    expect(bars.slice(0, 4)).toEqual(["−2", "+1", "+0.5", "+0.25"]);
    const controls = root.querySelectorAll("input, select, button");
    for (const control of controls) expect(control.getAttribute("title")).toBeTruthy();
    expect(root.querySelector(".kw-scrubber")).toBeNull();
  });

  it("selects what is clicked and marks what is selected, in the layer that has it", async () => {
    const { model, root, texts, click } = await show();
    await click("bars/0/0");
    expect(selected).toEqual([{ layer: "linear", out: 1, in: 5, row: 0, column: 0 }]);
    expect(root.kwView.scene()?.selected).toBe(5);
    expect(texts(".kw-readout")).toEqual(["linear · map 1 · row 0 · column 1 · −2"]);
    store.takeSelection({ layer: "conv1", out: 1, in: 0, row: 0, column: 1 });
    await painted();
    expect(model.get("layer")).toBe("conv1");
    expect(root.kwView.scene()?.selected).toBe(3);
    expect(root.querySelector("canvas")?.getAttribute("aria-label")).toContain(
      "Map of layer conv1, all kernels, 1 × 2, from −1 to 0.",
    );
    // What is chosen here has the large map, until all together are.
    const map = () => root.querySelector("canvas")?.getAttribute("aria-label")?.split("Map of ")[1];
    await click("bars/1/0");
    expect(map()).toMatch(/^layer conv1, kernel 0 → 1, 1 × 2, from \+1 to \+1\./);
    await click("bars/6/0");
    expect(map()).toMatch(/^layer conv1, all kernels/);
    expect(root.kwView.scene()?.selected).toBe(3);
    await click("bars/0/0");
    expect(selected.at(-1)).toEqual({ layer: "conv1", out: 0, in: 1, row: 1, column: 1 });
    store.takeSelection(null);
    await painted();
    expect(root.kwView.scene()?.selected).toBe(-1);
  });

  it("selects the function of a place of the map", async () => {
    const { click } = await show();
    await click("map/1/1");
    expect(selected).toEqual([{ layer: "linear", out: 1, in: 7, row: 0, column: 0 }]);
  });

  it("is read with the keyboard: bars, then the map place by place", async () => {
    const { root, texts, press } = await show();
    await press("ArrowDown");
    expect(texts(".kw-spoken")).toEqual([sitesOf(root, "bars")[0]]);
    await press("ArrowDown");
    expect(texts(".kw-spoken")).toEqual([sitesOf(root, "bars")[1]]);
    await press("Enter");
    expect(selected).toEqual([{ layer: "linear", out: 1, in: 7, row: 0, column: 0 }]);
    await press("Escape");
    expect(selected.at(-1)).toBeNull();
    await press("ArrowLeft");
    expect(texts(".kw-spoken")).toEqual(["row 1 · column 1 of the map: +1"]);
    await press("ArrowUp");
    expect(texts(".kw-spoken")).toEqual(["row 0 · column 1 of the map: −2"]);
  });

  it("asks Python for another class, and for the model as it is now", async () => {
    const { model, root, texts, click } = await show();
    const select = root.querySelector("select[aria-label='class']") as HTMLSelectElement;
    select.value = "0";
    select.dispatchEvent(new Event("change", { bubbles: true }));
    expect(model.get("target")).toBe(0);
    await click("classes/1/0");
    expect(model.get("target")).toBe(1);
    const again = root.querySelector(".kw-again") as HTMLElement;
    expect(again.hidden).toBe(true);
    const frame = store.latest();
    if (frame) store.takeLive({ ...frame, step: 1200 });
    store.setState("status", { state: "live", message: "" });
    await painted();
    expect(texts(".kw-explained")).toEqual(["explained at step 40, the training is at 1,200"]);
    expect(again.hidden).toBe(true);
    store.setState("status", { state: "idle", message: "" });
    await painted();
    expect(again.hidden).toBe(false);
    again.click();
    expect(model.sent).toEqual([{ kind: "explain" }]);
    model.update({ message: "waiting" });
    await painted();
    expect(texts(".kw-tone-warn")).toEqual(["waiting"]);
  });

  it("does not ask for another class in a page without a model", async () => {
    store.setState("status", { state: "saved", message: "" });
    const { model, root, click } = await show();
    await click("classes/0/0");
    expect(model.get("target")).toBeNull();
    expect(root.querySelector<HTMLElement>(".kw-again")?.hidden).toBe(true);
  });

  it("says so where the model is gone", async () => {
    store.setState("status", { state: "closed", message: "" });
    const { texts } = await show();
    expect(texts(".kw-tone-warn")).toEqual([
      "closed: the model this showed is gone; what was explained last stays",
    ]);
  });

  it("keeps what is chosen where the stream does not have the layer, in what is saved too", async () => {
    const layers = [layer({ name: "other" })];
    const data = new Float32Array(216);
    store.takeLive({ step: 41, layout: { version: 1, layers }, data });
    const { root, click } = await show();
    await click("bars/1/0");
    expect(selected).toEqual([]);
    expect(root.kwView.scene()?.selected).toBe(7);
    const saving = root.querySelector(".kw-save") as HTMLElement & { kwSave: { svg(): string } };
    expect(saving.kwSave.svg()).toMatch(/font-weight="600"[^>]*>map 1 · row 1 · column 1</);
  });

  it("has no pictures where the input is no image", async () => {
    const image = { shape: [8], data: bytes([0, 1, 0, 1, 0, 1, 0, 1]) };
    const { root } = await show({ content: { ...wire, image } });
    expect(sitesOf(root, "image")).toEqual([]);
    expect(sitesOf(root, "map")).toEqual([]);
    // All twelve, and what they come to.
    expect(sitesOf(root, "bars").length).toBe(13);
  });

  it("lets go of everything at its end", async () => {
    const { model, root } = await show();
    expect(model.handlers).toBeGreaterThan(0);
    life.abort();
    expect(model.handlers).toBe(0);
    expect(root.isConnected).toBe(false);
    store.takeSelection({ layer: "conv1", out: 1, in: 0, row: 0, column: 1 });
    await painted();
    expect(model.get("layer")).toBe("linear");
  });
});
