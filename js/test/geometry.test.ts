import { describe, expect, it } from "vitest";
import {
  type Arrangement,
  arrange,
  blockOf,
  cellAt,
  GROUP,
  kernelsWithin,
  PAD,
  rectOf,
  type Shape,
} from "../src/phi/geometry.ts";
import {
  columnLabels,
  cornerLabels,
  type Label,
  neighbour,
  rowEnds,
  rowLabels,
} from "../src/scene/cells.ts";
import written from "./geometry_cases.json";

function arrangementOf(input: (typeof written.cases)[number]["input"]): Arrangement {
  return arrange({ ...input, kind: input.kind as Shape["kind"] }, input.width);
}

describe.each(written.cases)("the arrangement of $name", ({ input, expected }) => {
  const a = arrangementOf(input);
  const count = input.out * input.in * input.kh * input.kw;

  it("has the size and the bands of the written formula", () => {
    expect({
      flowing: a.flowing,
      rows: a.rows,
      columns: a.columns,
      cell: a.cell,
      per_band: a.perBand,
      bands: a.bands,
      width: a.width,
      height: a.height,
      label_step: a.labelStep,
    }).toEqual({
      flowing: expected.flowing,
      rows: expected.rows,
      columns: expected.columns,
      cell: expected.cell,
      per_band: expected.per_band,
      bands: expected.bands,
      width: expected.width,
      height: expected.height,
      label_step: expected.label_step,
    });
  });

  it("places blocks and cells where the formula says", () => {
    for (const { kernel, ...rect } of expected.blocks) expect(blockOf(a, kernel)).toEqual(rect);
    for (const { f, x, y, size } of expected.cells) {
      expect(rectOf(a, f)).toEqual({ x, y, width: size, height: size });
    }
  });

  it("labels columns, rows and corners as written", () => {
    const brief = (labels: Label[]) => ({
      count: labels.length,
      first: labels.slice(0, 6),
      last: labels.slice(-1),
    });
    expect(brief(columnLabels(a))).toEqual(expected.column_labels);
    expect(brief(rowLabels(a))).toEqual(expected.row_labels);
    expect(brief(cornerLabels(a))).toEqual(expected.corner_labels);
  });

  it("keeps column labels apart and on the page", () => {
    const lines = new Map<number, Label[]>();
    for (const label of columnLabels(a)) {
      lines.set(label.y, [...(lines.get(label.y) ?? []), label]);
    }
    for (const line of lines.values()) {
      let end = 0;
      for (const { text, x } of line) {
        const half = 3 * text.length;
        expect(x - half).toBeGreaterThanOrEqual(end);
        end = x + half;
      }
      expect(end).toBeLessThanOrEqual(a.width);
    }
  });

  it("finds a cell from a point inside it and nothing between cells", () => {
    const stride = Math.max(1, Math.floor(count / 97));
    for (let f = 0; f < count; f += stride) {
      const { x, y, width, height } = rectOf(a, f);
      expect(cellAt(a, x, y)).toBe(f);
      expect(cellAt(a, x + width - 0.01, y + height - 0.01)).toBe(f);
      expect(cellAt(a, x - 0.5, y)).not.toBe(f);
      expect(cellAt(a, x + width + 0.5, y)).not.toBe(f);
      expect(cellAt(a, x, y + height + 0.5)).not.toBe(f);
    }
    expect(cellAt(a, 0, 0)).toBe(-1);
    expect(cellAt(a, a.width + 500, a.height + 500)).toBe(-1);
  });

  it("keeps every cell inside the page and no two on each other", () => {
    const seen = new Set<string>();
    for (let f = 0; f < count; f++) {
      const { x, y, width, height } = rectOf(a, f);
      seen.add(`${x},${y}`);
      if (x < 8 || y < 8 || x + width > a.width - 8 || y + height > a.height - 8) {
        throw new Error(`function ${f} lies outside the page`);
      }
    }
    expect(seen.size).toBe(count);
  });

  it("finds exactly the kernels that a window touches", () => {
    const window = { x: a.width / 3, y: a.height / 3, width: 200, height: 120 };
    const expectedKernels: number[] = [];
    for (let kernel = 0; kernel < input.out * input.in; kernel++) {
      const b = blockOf(a, kernel);
      const touches =
        b.x < window.x + window.width &&
        b.x + b.width > window.x &&
        b.y < window.y + window.height &&
        b.y + b.height > window.y;
      if (touches) expectedKernels.push(kernel);
    }
    const found = kernelsWithin(a, window);
    expect(found).toEqual(expect.arrayContaining(expectedKernels));
    // A block whose trailing gap is touched may come too, never more than that.
    expect(found.length - expectedKernels.length).toBeLessThanOrEqual(
      2 * (a.rows + a.perBand) * a.bands,
    );
  });
});

describe("moving with the arrow keys", () => {
  it("crosses from a kernel into its neighbour and stops at the edges", () => {
    const a = arrange({ kind: "conv", out: 2, in: 2, kh: 3, kw: 3 }, 700);
    expect(neighbour(a, 0, "right")).toBe(1);
    expect(neighbour(a, 2, "right")).toBe(9);
    expect(neighbour(a, 9, "left")).toBe(2);
    expect(neighbour(a, 6, "down")).toBe(18);
    expect(neighbour(a, 18, "up")).toBe(6);
    expect(neighbour(a, 0, "left")).toBe(0);
    expect(neighbour(a, 0, "up")).toBe(0);
    expect(neighbour(a, 35, "right")).toBe(35);
    expect(neighbour(a, 35, "down")).toBe(35);
  });

  it("goes down into the next band, to the last kernel where the band is short", () => {
    const a = arrange({ kind: "conv", out: 5, in: 1, kh: 3, kw: 3 }, 360);
    expect(a.perBand).toBe(3);
    expect(neighbour(a, 6, "down")).toBe(27);
    expect(neighbour(a, 2 * 9 + 6, "down")).toBe(4 * 9);
    expect(neighbour(a, 27, "up")).toBe(6);
  });

  it("follows the sorted order", () => {
    const shape = { kind: "linear", out: 1, in: 4, kh: 1, kw: 1 } as const;
    const a = arrange({ ...shape, order: [2, 0, 3, 1] }, 400);
    expect(neighbour(a, 2, "right")).toBe(0);
    expect(neighbour(a, 3, "right")).toBe(1);
    expect(neighbour(a, 3, "left")).toBe(0);
  });
});

describe("a layer that is small for its page", () => {
  const filled = (out: number, inputs: number, k: number, width: number, room: number) => {
    const kind = k > 1 ? "conv" : "linear";
    const a = arrange({ kind, out, in: inputs, kh: k, kw: k }, width, room);
    return { ...a, used: a.perBand * (a.blockWidth + a.gap) - a.gap };
  };

  it("fills its width, unless it would be higher than the page or its cells too large to be of use", () => {
    for (const width of [400, 600, 1000, 1600, 2400]) {
      for (const [out, inputs, k] of [
        [5, 1, 3],
        [1, 1, 1],
        [16, 1, 3],
        [2, 3, 3],
        [4, 10, 1],
        [3, 2, 5],
      ]) {
        const a = filled(out, inputs, k, width, 480);
        const before = arrange({ kind: a.kind, out, in: inputs, kh: k, kw: k }, width);
        // Cells are smaller than they could be only where all of them fit the page by that.
        if (a.cell < before.cell) {
          expect(before.height).toBeGreaterThan(480);
          expect(a.height).toBeLessThanOrEqual(480);
        }
        const count = out * inputs * k * k;
        const largest = count > 4 ? 150 : count > 1 ? 260 : 420;
        expect(a.cell).toBeLessThanOrEqual(largest);
        if (a.cell > before.cell) expect(a.height).toBeLessThanOrEqual(480);
        expect(a.width).toBe(Math.max(width, before.width));
        const wider = a.used + a.perBand * k > width - 2 * PAD - 34;
        const higher = a.height + a.bands * a.rows * k > 480;
        expect(wider || higher || a.cell === largest).toBe(true);
      }
    }
    expect(filled(5, 1, 3, 1200, 480).cell).toBe(75);
    expect(filled(1, 1, 1, 1200, 480).cell).toBe(420);
  });

  it("has smaller cells where that makes all of it fit the page", () => {
    const [scrolls, fits] = [filled(5, 1, 3, 404, 0), filled(5, 1, 3, 404, 240)];
    expect(scrolls.height).toBeGreaterThan(240);
    expect(fits.height).toBeLessThanOrEqual(240);
    expect(fits.cell).toBeLessThan(scrolls.cell);
    // Not where they would be too small and scroll all the same.
    expect(filled(16, 8, 3, 404, 240).cell).toBe(filled(16, 8, 3, 404, 0).cell);
  });

  it("takes more bands where these make its cells larger", () => {
    const [one, two] = [filled(6, 1, 3, 600, 200), filled(6, 1, 3, 600, 900)];
    expect(one.bands).toBe(1);
    expect(two.bands).toBeGreaterThan(1);
    expect(two.cell).toBeGreaterThan(1.5 * one.cell);
  });

  it("stands in one row rather than in two of which one is not full", () => {
    for (const width of [812, 1412]) {
      const a = filled(5, 1, 3, width, 480);
      expect([a.bands, a.perBand]).toEqual([1, 5]);
      expect(a.cell).toBeGreaterThanOrEqual(24);
    }
    expect(filled(6, 1, 3, 600, 900).perBand).toBe(3);
    // A room that is nearly square would stay empty below.
    expect(filled(5, 1, 3, 512, 480).perBand).toBe(3);
  });

  it("is no other where the page has no room for more", () => {
    const large = { kind: "linear", out: 128, in: 1024, kh: 1, kw: 1 } as const;
    expect(arrange(large, 700, 480)).toEqual(arrange(large, 700));
  });
});

describe("rows that are cut", () => {
  // 10 outputs of 16 maps of 3 × 3: more than the page is high.
  const shape = { kind: "conv", out: 10, in: 16, kh: 3, kw: 3 } as const;
  const a = arrange(shape, 700, 480);

  it("have all strips of an output together, each with its labels", () => {
    expect(a.rowsCut).toBe(true);
    expect(a.bands).toBeGreaterThan(1);
    expect(a.unit).toBe(a.bands);
    const ends = rowEnds(a);
    expect(ends).toHaveLength(10);
    for (const [out, end] of ends.entries()) {
      const boxes = Array.from({ length: 16 }, (_, map) => blockOf(a, 16 * out + map));
      const bottoms = boxes.map(({ y, height }) => y + height);
      expect(Math.max(...bottoms)).toBe(end - 2);
      if (out > 0) expect(Math.min(...boxes.map(({ y }) => y))).toBeGreaterThan(ends[out - 1]);
    }
    expect(ends[0]).toBeLessThanOrEqual(480);
    const labels = columnLabels(a).filter(({ text }) => text === "input 3");
    expect(labels).toHaveLength(10);
    expect(cornerLabels(a)).toHaveLength(10 * a.bands);
  });

  it("are found by their place, and are all of the layer", () => {
    for (let f = 0; f < 1440; f += 7) {
      const { x, y, width, height } = rectOf(a, f);
      expect(cellAt(a, x + width / 2, y + height / 2)).toBe(f);
    }
    const all = kernelsWithin(a, { x: 0, y: 0, width: 700, height: a.height });
    expect(all.sort((p, q) => p - q)).toEqual(Array.from({ length: 160 }, (_, k) => k));
    const { y } = blockOf(a, 16 * 4);
    const seen = kernelsWithin(a, { x: 0, y, width: 700, height: 10 });
    expect(seen).toEqual(Array.from({ length: a.perBand }, (_, k) => 16 * 4 + k));
  });

  it("are gone through from strip to strip by the arrow keys", () => {
    const below = neighbour(a, 6, "down");
    expect(below).toBe(9 * a.perBand);
    expect(neighbour(a, below, "up")).toBe(6);
    const last = (a.bands - 1) * a.perBand;
    expect(neighbour(a, 9 * last + 6, "down")).toBe(9 * 16);
    expect(neighbour(a, 9 * 16, "up")).toBe(9 * last + 6);
    expect(neighbour(a, 0, "up")).toBe(0);
    expect(neighbour(a, 1439, "down")).toBe(1439);
  });

  it("are none where the page is high enough, or an output has very many strips", () => {
    expect(arrange(shape, 700, 9000).rowsCut).toBe(false);
    expect(arrange({ ...shape, in: 512 }, 700, 480).rowsCut).toBe(false);
  });
});

it("lets no pair of a sorted layer run into what the corner says", () => {
  const order = Array.from({ length: 128 * 1024 }, (_, k) => 128 * 1024 - 1 - k);
  const a = arrange({ kind: "linear", out: 128, in: 1024, kh: 1, kw: 1, order }, 700);
  const corner = cornerLabels(a)[0];
  const first = columnLabels(a)[0];
  expect(first.text).toBe("127,1023");
  expect(first.x - 3 * first.text.length).toBeGreaterThan(corner.x);
});

it("names sorted kernels by what they belong to where that is one number", () => {
  const names = ["red", "green", "blue"];
  const order = [2, 0, 1];
  const texts = (shape: Partial<Shape>) => {
    const whole = { kind: "linear", out: 1, in: 1, kh: 1, kw: 1, order, ...shape } as const;
    return columnLabels(arrange(whole, 400)).map(({ text }) => text);
  };
  expect(texts({ out: 3, names })).toEqual(["blue", "red", "green"]);
  expect(texts({ in: 3, column: GROUP, kind: "elementwise" })).toEqual([
    "group 2",
    "group 0",
    "group 1",
  ]);
  expect(texts({ in: 3, corner: [4, 8] })).toEqual(["4,10", "4,8", "4,9"]);
});
