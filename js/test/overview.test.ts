import { describe, expect, it } from "vitest";
import { arrange, cellAt, rectOf } from "../src/phi/geometry.ts";
import { paletteOf } from "../src/phi/palette.ts";
import { columnLabels } from "../src/scene/cells.ts";
import { type Given, NOT_POINTED } from "../src/scene/drawing.ts";
import type { ImageMark, Mark, Rect, RectsMark, TextMark } from "../src/scene/marks.ts";
import { themeOf } from "../src/scene/theme.ts";
import { drawing, type GridScene } from "../src/views/kernel_grid/scene.ts";
import { settingsOf } from "../src/views/kernel_grid/settings.ts";
import type { Frame, LayerLayout, Observed, Selection } from "../src/wire/types.ts";
import { frameOf, layer } from "./samples.ts";

interface Asked {
  traits?: Record<string, unknown>;
  width?: number;
  observed?: Partial<Observed> | null;
  selection?: Selection | null;
  pointed?: Given["pointed"];
  /** Pixels that are seen of it at once. */
  seen?: number;
}

function sceneOf(
  frame: Frame,
  {
    traits = {},
    width = 1000,
    observed = null,
    selection = null,
    pointed = NOT_POINTED,
    seen,
  }: Asked = {},
): GridScene {
  const store = {
    current: () => frame,
    latest: () => frame,
    initial: () => frame,
    at: () => frame,
    ghost: () => frame,
    steps: () => [frame.step],
    observed: () => observed,
    selection: () => selection,
    cursor: () => -1,
    alone: () => false,
    held: () => null,
    hold: () => {},
  };
  const scene = drawing()({
    store: store as never,
    get: (trait) => traits[trait],
    width,
    height: 480,
    theme: themeOf("light"),
    ratio: 1,
    pointed,
    seen,
  });
  if (typeof scene === "string") throw new Error(scene);
  return scene;
}

/** A frame of many functions, of which one of output 14 varies most. */
function largeFrame(): Frame {
  const frame = frameOf([layer({ kind: "conv", shape: [16, 8, 3, 3] })]);
  const { nb } = frame.layout.layers[0];
  const at = (14 * 72 + 5) * nb;
  frame.data.subarray(at, at + nb).forEach((value, b, own) => {
    own[b] = 12 * value;
  });
  return frame;
}

const textOf = (mark: Mark): string[] =>
  mark.kind === "text" ? [mark.text] : mark.kind === "group" ? mark.marks.flatMap(textOf) : [];

function marksOf(scene: GridScene): Mark[] {
  const view = { x: 0, y: 0, width: scene.width, height: scene.height };
  return scene.sheets.flatMap((sheet) => [...sheet.marks(view)]);
}

/** A layer whose functions have no coefficient but these. */
function layerWith(shape: LayerLayout["shape"], kind: LayerLayout["kind"], ones: number[]): Frame {
  const one = layer({ shape, kind });
  const frame = frameOf([one]);
  frame.data.fill(0);
  for (const f of ones) frame.data.fill(1, f * one.nb, (f + 1) * one.nb);
  return frame;
}

/** The colour of a place of the scene, of the image that lies there. */
function colourAt(scene: GridScene, x: number, y: number): number {
  const image = marksOf(scene).find(
    (mark): mark is ImageMark =>
      mark.kind === "image" &&
      x >= mark.box.x &&
      x < mark.box.x + mark.box.width &&
      y >= mark.box.y &&
      y < mark.box.y + mark.box.height,
  );
  if (!image) return 0;
  const { width, height, rgba } = image.pixels;
  const column = Math.floor(((x - image.box.x) / image.box.width) * width);
  const row = Math.floor(((y - image.box.y) / image.box.height) * height);
  return new Uint32Array(rgba.buffer)[row * width + column];
}

function colourOf(scene: GridScene, f: number): number {
  const { x, y, width, height } = scene.sites.box(String(f)) as NonNullable<
    ReturnType<GridScene["sites"]["box"]>
  >;
  return colourAt(scene, x + width / 2, y + height / 2);
}

const { pixels } = paletteOf("light");
const NONE = pixels[(pixels.length - 1) / 2];

describe("a layer of many functions", () => {
  it("opens in the overview, a small one in curves, unless told otherwise", () => {
    const modeOf = (count: number, mode?: string) =>
      settingsOf(
        ((name: string) => (name === "mode" ? mode : undefined)) as never,
        {
          count,
        } as LayerLayout,
      ).mode;
    expect(modeOf(6250)).toBe("overview");
    expect(modeOf(6250, "auto")).toBe("overview");
    expect(modeOf(1080, "auto")).toBe("curves");
    expect(modeOf(6250, "curves")).toBe("curves");
    expect(modeOf(45, "overview")).toBe("overview");
  });

  it.each<[LayerLayout["shape"], LayerLayout["kind"], number, number]>([
    [[64, 64, 3, 3], "conv", 1000, 1],
    [[64, 64, 3, 3], "conv", 560, 9],
    [[10, 625, 1, 1], "linear", 1000, 1],
    [[64, 784, 1, 1], "linear", 1000, 1],
    [[128, 128, 3, 3], "conv", 1000, 9],
  ])("of shape %s (%s) is whole in %d pixels", (shape, kind, width, unit) => {
    const last = shape[0] * shape[1] * shape[2] * shape[3] - 1;
    const scene = sceneOf(layerWith(shape, kind, [7, last]), { width });
    expect(scene.picture.unit).toBe(unit);
    expect(scene.height).toBeLessThanOrEqual(480);
    expect(scene.width).toBeLessThanOrEqual(width);
    for (const f of [7, last]) expect(colourOf(scene, f)).not.toBe(NONE);
    for (const f of [40, last - 20]) expect(colourOf(scene, f)).toBe(NONE);
  });

  it("can be pointed at, cell by cell; a cell of a kernel stands for its furthest function", () => {
    const shape: LayerLayout["shape"] = [128, 128, 3, 3];
    const scene = sceneOf(layerWith(shape, "conv", [9 * 300 + 4]));
    const box = scene.sites.box(String(9 * 300 + 8));
    const view = { x: 0, y: 0, width: scene.width, height: scene.height };
    const at = (x: number, y: number) => scene.sites.at(x, y, view);
    expect(box && at(box.x + box.width / 2, box.y + box.height / 2)).toBe(String(9 * 300 + 4));
    const single = sceneOf(layerWith([64, 64, 3, 3], "conv", []));
    for (const f of [0, 5, 4444, 36863]) {
      const cell = single.sites.box(String(f));
      expect(cell && single.sites.at(cell.x + cell.width / 2, cell.y + cell.height / 2, view)).toBe(
        String(f),
      );
    }
  });

  it("has the curves of one function and its kernel beside the cells, where there is room", () => {
    const frame = layerWith([64, 64, 3, 3], "conv", [4321]);
    const titles = (scene: GridScene) =>
      marksOf(scene)
        .filter((mark): mark is TextMark => mark.kind === "text")
        .map(({ text }) => text);
    const scene = sceneOf(frame);
    expect(scene.plot).not.toBeNull();
    expect(
      titles(scene).some((text) => text.includes("output 7 · input 32 · row 0, column 1")),
    ).toBe(true);
    const selection = { layer: frame.layout.layers[0].name, out: 3, in: 4, row: 2, column: 0 };
    const chosen = titles(sceneOf(frame, { selection }));
    expect(chosen.some((text) => text.includes("output 3 · input 4 · row 2, column 0"))).toBe(true);
    expect(chosen.some((text) => text.startsWith("selected"))).toBe(true);
    const plot = marksOf(scene)
      .filter((mark) => mark.kind === "group")
      .at(-1);
    const lines =
      plot?.kind === "group"
        ? plot.marks.filter((mark) => mark.kind === "lines" && mark.ends[0] > 20)
        : [];
    expect(lines.length).toBeGreaterThanOrEqual(9);
    const narrow = sceneOf(frame, { width: 480 });
    expect(narrow.plot?.y).toBeGreaterThanOrEqual(narrow.picture.arrangement.height);
    expect(narrow.height).toBeLessThanOrEqual(480);
    expect(titles(narrow).some((text) => text.startsWith("largest φ range, framed · "))).toBe(true);
  });

  it("frames the cell of the function that is plotted", () => {
    const frame = layerWith([10, 625, 1, 1], "linear", [4321]);
    for (const width of [480, 1000]) {
      const scene = sceneOf(frame, { width });
      const cell = scene.sites.box("4321") as { x: number; y: number; width: number };
      const frames = marksOf(scene).filter(
        (mark) => mark.kind === "rects" && mark.stroke === themeOf("light").colours.ink,
      );
      const [x, y, wide] = Array.from((frames[0] as RectsMark).boxes);
      expect(frames.length).toBe(1);
      expect([x + wide / 2, y + wide / 2]).toEqual([
        cell.x + cell.width / 2,
        cell.y + cell.width / 2,
      ]);
    }
  });

  it("has functions that rise from end to end in orange, those that fall in blue", () => {
    const frame = layerWith([10, 625, 1, 1], "linear", []);
    const { nb, offset } = frame.layout.layers[0];
    // The base term alone: SiLU rises.
    frame.data[offset + 7 * nb] = 1;
    frame.data[offset + 8 * nb] = -1;
    const scene = sceneOf(frame);
    const [rising, falling] = [7, 8].map((f) => scene.picture.cells[f]);
    expect(rising).toBeGreaterThan(0);
    expect(falling).toBe(-rising);
    const [headline, key] = scene.caption;
    expect(headline.text).toBe("Each square is one function φ.");
    expect(key.text).toMatch(/^falls \/ rises: largest \|φ\|, up to /);
    const [r, , b] = Array.from(new Uint8Array(Uint32Array.of(colourOf(scene, 7)).buffer));
    expect(r).toBeGreaterThan(b);
    const [r2, , b2] = Array.from(new Uint8Array(Uint32Array.of(colourOf(scene, 8)).buffer));
    expect(b2).toBeGreaterThan(r2);
  });

  it("of many small kernels uses the width: cells are broader than high, each of one colour", () => {
    const frame = layerWith([20, 25, 5, 5], "conv", [3120]);
    const scene = sceneOf(frame, { width: 700 });
    const [lit, dark] = [3120, 3121].map((f) => scene.sites.box(String(f)) as Rect);
    expect(lit.width).toBeGreaterThan(lit.height);
    expect(scene.picture.arrangement.width).toBeLessThanOrEqual(700);
    const edge = (box: Rect) => colourAt(scene, box.x + box.width - 0.5, box.y + box.height - 0.5);
    expect(edge(lit)).toBe(colourAt(scene, lit.x + 0.5, lit.y + 0.5));
    expect(edge(lit)).not.toBe(edge(dark));
  });

  it("has a place for functions that are not finite", () => {
    const frame = layerWith([64, 64, 3, 3], "conv", [4321]);
    frame.data.fill(Number.NaN, 9 * frame.layout.layers[0].nb, 18 * frame.layout.layers[0].nb);
    const scene = sceneOf(frame);
    expect(scene.caption.map(({ text }) => text)).toContain("9 functions not finite (×)");
    expect(colourOf(scene, 9)).not.toBe(NONE);
    expect(colourOf(scene, 4321)).not.toBe(NONE);
    expect(scene.words).not.toContain("NaN");
  });
});

describe("a dense layer that reads a flattened map", () => {
  const frame = layerWith([10, 625, 1, 1], "linear", [625 * 3 + 88]);
  const folded = { fold: [25, 5, 5] as [number, number, number], patches: new Float32Array(0) };

  it("is folded as the forward pass says", () => {
    const { picture, sites, caption } = sceneOf(frame, { observed: folded });
    expect(picture.shape).toEqual([10, 25, 5, 5]);
    const places = [0, 1, 5, 24].map((f) => sites.box(String(625 * 3 + 75 + f)));
    const [first, right, below, last] = places as { x: number; y: number; width: number }[];
    expect(right.x - first.x).toBeCloseTo(first.width);
    expect(right.y).toBe(first.y);
    expect(below.x).toBe(first.x);
    expect(below.y - first.y).toBeCloseTo(first.width);
    expect(last.x - first.x).toBeCloseTo(4 * first.width);
    expect(caption.some(({ text }) => text.includes("columns: 25 maps, 5 × 5 blocks"))).toBe(true);
    // What is drawn large beside it is not drawn here again.
    expect(sceneOf(frame, { observed: folded, width: 440 }).plot).not.toBeNull();
    const linked = { observed: folded, width: 440, traits: { linked: ["id"] } };
    expect(sceneOf(frame, linked).plot).toBeNull();
    expect(sites.words(String(625 * 3 + 88))).toContain(
      "output 3 · input 88 (map 3, row 2, column 3)",
    );
  });

  it("has columns that are outputs, not kernels, where the map is one channel", () => {
    const digits = layerWith([10, 784, 1, 1], "linear", []);
    const one = { ...folded, fold: [1, 28, 28] as [number, number, number] };
    const { picture } = sceneOf(digits, { observed: one });
    expect(columnLabels(picture.arrangement)[3].text).toBe("output 3");
  });

  it("is drawn as maps in the other modes too", () => {
    for (const mode of ["curves", "pattern", "change"]) {
      const { picture } = sceneOf(frame, { traits: { mode }, observed: folded });
      expect([picture.arrangement.kh, picture.arrangement.kw]).toEqual([5, 5]);
    }
  });

  it("stays as it is where the fold has another number of inputs", () => {
    const { picture } = sceneOf(frame, { observed: { ...folded, fold: [1, 28, 28] } });
    expect(picture.shape).toEqual([10, 625, 1, 1]);
  });
});

describe("tiny cells", () => {
  it("are as large as fit, and never where cells of the usual size fit", () => {
    const shape = { kind: "conv", out: 5, in: 1, kh: 3, kw: 3 } as const;
    expect(arrange(shape, 1000, 480, true)).toEqual(arrange(shape, 1000, 480));
    const large = arrange({ ...shape, out: 32, in: 32 }, 640, 480, true);
    expect(large.height).toBeLessThanOrEqual(480);
    expect(large.cellGap).toBe(0);
    for (let f = 0; f < 9 * 1024; f += 101) {
      const { x, y, width } = rectOf(large, f);
      expect(cellAt(large, x + width / 2, y + width / 2)).toBe(f);
    }
  });
});

describe("a layer of one function", () => {
  const frame = layerWith([1, 1, 1, 1], "linear", [0]);

  it.each([400, 1000, 1600])("is one large cell that can be read, %i pixels wide", (width) => {
    const scene = sceneOf(frame, { width });
    const box = scene.sites.box("0") as Required<DOMRect>;
    expect(scene.plot).toBeNull();
    expect(box.width).toBeGreaterThanOrEqual(Math.min(900, width - 60));
    expect(scene.height).toBeLessThanOrEqual(480);
    const readings = [0.2, 0.5, 0.8].map((share) => {
      const at = { x: box.x + share * box.width, y: 100 };
      return sceneOf(frame, { width, pointed: { id: "0", keyboard: "", at } }).marked.x ?? NaN;
    });
    const [from, to] = scene.picture.xRange;
    expect(readings.every((x) => x > from && x < to)).toBe(true);
    expect(readings[2] - readings[1]).toBeCloseTo(readings[1] - readings[0], 9);
  });

  it("keeps a cell where that is a shade", () => {
    expect(sceneOf(frame, { traits: { mode: "pattern" } }).plot).toBeNull();
  });
});

describe("a small layer of curves", () => {
  const few = frameOf([layer({ kind: "linear", shape: [5, 3, 1, 1] })]);
  const many = frameOf([layer({ kind: "linear", shape: [10, 60, 1, 1] })]);

  it("has plots wider than high, and one of them large with axes in what is left of the width", () => {
    const { picture, plot, sites } = sceneOf(few, { width: 1186 });
    const { width, height } = sites.box("14") ?? { width: 0, height: 0 };
    expect(width).toBeGreaterThan(2 * height);
    expect(height).toBeGreaterThanOrEqual(75);
    expect(plot?.x).toBeGreaterThan(picture.arrangement.left + 3 * width);
    expect((plot?.x ?? 0) + (plot?.width ?? 0)).toBeGreaterThan(1186 - 20);
    for (const f of [0, 7, 14]) {
      const { x, y, width: wide, height: high } = sites.box(String(f)) as Required<DOMRect>;
      const view = { x: 0, y: 0, width: 1186, height: 480 };
      expect(sites.at(x + wide - 1, y + high - 1, view)).toBe(String(f));
    }
  });

  it("has the large plot below its cells in a narrow page, all in its height, and a host has none", () => {
    const { plot, picture, height } = sceneOf(few, { width: 440 });
    expect(plot?.y).toBeGreaterThanOrEqual(picture.arrangement.height);
    expect(height).toBeLessThanOrEqual(480);
    expect(sceneOf(few, { width: 1186, traits: { linked: ["id"] } }).plot).toBeNull();
  });

  it("of a flattened image has one large below the pictures of a phone, whatever height is left", () => {
    const flat = frameOf([layer({ kind: "linear", shape: [10, 784, 1, 1] })]);
    const fold: [number, number, number] = [1, 28, 28];
    const asked = { width: 348, traits: { mode: "overview" }, observed: { fold } };
    const [tall, low] = [446, 416].map((seen) => sceneOf(flat, { ...asked, seen }));
    expect(tall.plot).not.toBeNull();
    expect(low.picture.arrangement).toEqual(tall.picture.arrangement);
  });

  it("of a flattened image has larger pictures where the plot can be lower, or stands beside them", () => {
    const flat = frameOf([layer({ kind: "linear", shape: [10, 784, 1, 1] })]);
    const observed = { fold: [1, 28, 28] as [number, number, number] };
    const asked = { traits: { mode: "overview" }, observed, seen: 396 };
    for (const width of [470, 820]) {
      const { picture, plot, height } = sceneOf(flat, { ...asked, width });
      expect(picture.arrangement.cell).toBe(3);
      expect(picture.arrangement.perBand).toBe(5);
      expect(plot && plot.y > picture.arrangement.height - 1).toBe(width === 470);
      expect(plot?.height).toBeGreaterThanOrEqual(150);
      expect(height).toBeLessThanOrEqual(396);
    }
  });

  it("of many functions has at least a row of one output, whole, over the plot in a low page", () => {
    const flat = frameOf([layer({ kind: "linear", shape: [10, 144, 1, 1] })]);
    const observed = { fold: [16, 3, 3] as [number, number, number] };
    for (const seen of [334, 346, 362]) {
      const { plot, foot = 0, cuts = [] } = sceneOf(flat, { observed, seen, width: 470 });
      expect(plot).not.toBeNull();
      expect(Math.min(...cuts) + foot).toBeLessThanOrEqual(seen);
    }
  });

  it("of many functions shows whole outputs and says which, with the plot in sight as it scrolls", () => {
    const large = largeFrame();
    for (const width of [440, 1186]) {
      const scene = sceneOf(large, { width });
      const { foot = 0, plot, pages, cuts = [] } = scene;
      expect(plot).not.toBeNull();
      const most = Math.max(...cuts.filter((cut) => cut + foot <= 480));
      const view = (y: number) => ({ x: 0, y, width, height: most + foot });
      const textsIn = (y: number) =>
        scene.sheets.flatMap(({ marks }) => [...marks(view(y))]).flatMap(textOf);
      const end = (y: number) => textsIn(y).find((text) => text.includes("φ| up to"));
      expect(end(0)).toBeDefined();
      if (width === 440) {
        expect(textsIn(0)).toContain("output 0");
        continue;
      }
      expect(textsIn(0)).toEqual(expect.arrayContaining(["outputs 0–2", "▼ 13 more"]));
      const next = pages?.turned("down", view(0)) ?? 0;
      expect(textsIn(next)).toEqual(
        expect.arrayContaining(["▲ 3 more", "outputs 3–5", "▼ 10 more"]),
      );
      expect(pages?.turned("up", view(next))).toBe(0);
      const { y, height } = scene.sites.box(String(3 * 72)) as Required<DOMRect>;
      expect(y).toBeGreaterThanOrEqual(next);
      expect(scene.sites.at(60, y + height / 2, view(next))).toBe(String(3 * 72));
      expect(scene.sites.at(15, next + most + 8, view(next))).toBe("up");
      expect(end(next)).toBe(end(0));
      expect(scene.height - foot).toBeCloseTo(cuts[15], 6);
    }
  });

  it("of many functions opens where the largest, or the selected one, is in sight, and shows no fewer outputs on a wider page", () => {
    const large = largeFrame();
    const rowsSeen = [1000, 1186, 1420, 1800].map((width) => {
      const scene = sceneOf(large, { width });
      const { foot = 0, cuts = [], opened = () => -1 } = scene;
      const most = Math.max(...cuts.filter((cut) => cut + foot <= 480));
      const view = { x: 0, y: 0, width, height: most + foot };
      const y = opened(view);
      const seen = { ...view, y };
      expect(y).toBeGreaterThan(0);
      expect(opened(seen)).toBe(y);
      const said = scene.sheets.flatMap(({ marks }) => [...marks(seen)]).flatMap(textOf);
      expect(said.find((text) => text.includes("φ| up to"))).toMatch(/^largest φ range, framed/);
      return cuts.filter((cut) => cut <= most).length;
    });
    expect(rowsSeen).toEqual([...rowsSeen].sort());
    expect(sceneOf(few, { width: 1186 }).opened).toBeUndefined();
  });

  it("opens on whole rows, also where another width has moved them, and stays where a reader has scrolled", () => {
    const large = largeFrame();
    const { opened = () => -1, foot = 0, cuts = [] } = sceneOf(large, { width: 1186 });
    const view = { x: 0, y: 0, width: 1186, height: 480 + foot };
    const apart = cuts[1] - cuts[0];
    expect((opened({ ...view, y: 13 * apart - 11 }) / apart) % 1).toBeCloseTo(0, 6);
    expect(opened({ ...view, y: 13 * apart - 11 })).toBe(13 * apart - 11);
  });

  it("says over how many rows an output goes, and of a change that it is one", () => {
    const flat = frameOf([layer({ kind: "linear", shape: [10, 144, 1, 1] })]);
    const asked = { observed: { fold: [16, 3, 3] as [number, number, number] } };
    const said = ({ caption }: GridScene) => caption.map(({ text }) => text);
    const scene = sceneOf(flat, asked);
    const { bands } = scene.picture.arrangement;
    expect(bands).toBeGreaterThan(1);
    expect(said(scene)).toContain(`each output takes ${bands} rows: 16 maps, 3 × 3 blocks`);
    const texts = marksOf(scene).flatMap(textOf);
    expect(texts).toContain("its map");
    expect(texts.some((text) => text.includes("|φ| up to"))).toBe(true);
    const change = marksOf(sceneOf(flat, { ...asked, traits: { mode: "change" } })).flatMap(textOf);
    expect(change.some((text) => text.includes("· change up to"))).toBe(true);
    expect(change.some((text) => text.includes("|φ| up to"))).toBe(false);
  });

  it("has the ends of the axis of y in a large cell, in a small one not", () => {
    const textsOf = (frame: Frame) =>
      marksOf(sceneOf(frame, { width: 1186 })).flatMap((m) => (m.kind === "text" ? m.text : []));
    const end = (frame: Frame) => String(sceneOf(frame, { width: 1186 }).picture.scales.largest);
    expect(textsOf(few)).toContain(end(few));
    expect(textsOf(many)).not.toContain(end(many));
  });
});
