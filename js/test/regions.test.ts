import { describe, expect, it } from "vitest";
import { sheetOf } from "../src/scene/heat.ts";
import { cellOf, type Region, regionSites } from "../src/scene/regions.ts";
import { svgOf } from "../src/scene/svg.ts";

const EVERYWHERE = { x: 0, y: 0, width: 1000, height: 1000 };
const region = (name: string, x: number, y: number, more: Partial<Region> = {}): Region => ({
  name,
  box: { x, y, width: 40, height: 30 },
  rows: 3,
  columns: 4,
  words: (row, column) => `${name} ${row} ${column}`,
  ...more,
});

describe("regions", () => {
  const sites = regionSites([
    region("a", 0, 0),
    region("b/1", 60, 0),
    region("c", 0, 50, { count: 9, gap: 2, box: { x: 0, y: 50, width: 38, height: 28 } }),
  ]);

  it("name the cell under a point, and none between or beyond cells", () => {
    expect(sites.at(11, 29, EVERYWHERE)).toBe("a/2/1");
    expect(sites.at(99, 1, EVERYWHERE)).toBe("b/1/0/3");
    expect(sites.at(50, 10, EVERYWHERE)).toBe("");
    expect(sites.at(9, 51, EVERYWHERE)).toBe("");
    expect(sites.at(1, 71, EVERYWHERE)).toBe("c/2/0");
    expect(sites.at(11, 71, EVERYWHERE)).toBe("");
    expect(cellOf("b/1/0/3")).toEqual({ name: "b/1", row: 0, column: 3 });
    expect(cellOf("plot")).toBeNull();
  });

  it("have boxes and words", () => {
    expect(sites.box("a/1/2")).toEqual({ x: 20, y: 10, width: 10, height: 10 });
    expect(sites.box("c/0/1")).toEqual({ x: 10, y: 50, width: 8, height: 8 });
    expect(sites.box("b/1")).toEqual({ x: 60, y: 0, width: 40, height: 30 });
    expect(sites.box("a/3/0")).toBeNull();
    expect(sites.words("a/1/2")).toBe("a 1 2");
  });

  it("let the keyboard through, and over an edge into the next one", () => {
    expect(sites.next("", "first")).toBe("a/1/2");
    expect(sites.next("a/1/2", "right")).toBe("a/1/3");
    expect(sites.next("a/1/3", "right")).toBe("b/1/1/0");
    expect(sites.next("b/1/1/0", "left")).toBe("a/1/3");
    expect(sites.next("a/2/1", "down")).toBe("c/0/1");
    expect(sites.next("c/2/0", "right")).toBe("b/1/2/0");
    expect(sites.next("a/0/0", "up")).toBe("a/0/0");
    expect(sites.next("c/0/0", "last")).toBe("c/2/0");
    expect(sites.next("c/1/1", "first")).toBe("c/0/0");
  });
});

describe("tiles", () => {
  it("are the pictures of their sheet, each in its box", () => {
    const sheet = sheetOf(2000, 3, 2, (k, pixels) => pixels.fill(0xff000000 + k));
    const boxes = Array.from({ length: 2000 }, (_, k) => [k, 2 * k, 9, 6]).flat();
    const paper = { width: 10, height: 10, ground: "#fff", title: "", words: "" };
    const svg = svgOf([{ kind: "tiles", boxes, ...sheet }], paper, ({ width, height, rgba }) =>
      [width, height, ...rgba].join(),
    );
    const images = svg.match(/<image [^>]*>/g) ?? [];
    expect(images.length).toBe(2000);
    for (const k of [0, 1, 1365, 1366, 1999]) {
      expect(images[k]).toContain(`x="${k}" y="${2 * k}" width="9" height="6"`);
      const pixels = Array(6)
        .fill([k & 255, k >> 8, 0, 255])
        .flat();
      expect(images[k]).toContain(`href="${[3, 2, ...pixels].join()}"`);
    }
  });
});
