/** NetworkView below the picture: columns, bundles, what is shown, where it lies. */

import { describe, expect, it, vi } from "vitest";
import { heldScale, memory, type Steady, steadyChoice } from "../src/phi/memory.ts";
import { type Given, NOT_POINTED } from "../src/scene/drawing.ts";
import type { Rect } from "../src/scene/marks.ts";
import { themeOf } from "../src/scene/theme.ts";
import { pointOf, unitCloseUp } from "../src/views/network_view/close_up.ts";
import { diagramOf, type Leg, type Settings, WHOLE } from "../src/views/network_view/diagram.ts";
import { hasSquares } from "../src/views/network_view/functions.ts";
import {
  asDrawn,
  type Bundle,
  type Column,
  type Graph,
  graphOf,
  MOST_LINKS,
  relevanceOf,
} from "../src/views/network_view/graph.ts";
import { layoutOf, roomFor } from "../src/views/network_view/layout.ts";
import { linkAt, wayOf } from "../src/views/network_view/links.ts";
import { sizeTexts } from "../src/views/network_view/marks.ts";
import {
  crossFading,
  largeKernel,
  pathKernels,
  pathLines,
  strongestPath,
} from "../src/views/network_view/strongest.ts";
import type { LayerLayout, Station, Structure } from "../src/wire/types.ts";
import { basis, frameOf, layer, randoms } from "./samples.ts";

/** The strongest at once. */
const atOnce: Steady = (_, { best }) => best;

const CONV = {
  stride: [1, 1] as [number, number],
  padding: [0, 0, 0, 0] as [number, number, number, number],
  dilation: [1, 1] as [number, number],
  paddingMode: "zeros" as const,
  groups: 1,
  shared: false,
};

function station(kind: Station["kind"], label: string, sources: number[], shape: number[]) {
  const own = kind === "kan" ? label : null;
  return { kind, name: label, label, layer: own, sources, shape, compute: null, sums: null };
}

function structure(stations: Station[]): Structure {
  return { stations, traced: true, note: "" };
}

const dense = (name: string, out: number, inputs: number): LayerLayout =>
  layer({ name, kind: "linear", shape: [out, inputs, 1, 1] });

/** The article's network: two layers of shared kernels, and 625 features to ten classes. */
function article(): Graph {
  const shared = { ...CONV, shared: true };
  const layers = [
    layer({ name: "a", shape: [5, 1, 3, 3], conv: shared }),
    layer({ name: "b", shape: [5, 1, 3, 3], conv: shared }),
    dense("c", 10, 625),
  ];
  const stations = [
    station("input", "input", [], [1, 28, 28]),
    station("kan", "a", [0], [5, 26, 26]),
    station("pool", "max pool 2×2", [1], [5, 13, 13]),
    station("kan", "b", [2], [25, 11, 11]),
    station("pool", "max pool 2×2", [3], [25, 5, 5]),
    station("reshape", "flatten", [4], [625]),
    station("kan", "c", [5], [10]),
    station("activation", "log-softmax", [6], [10]),
  ];
  return graphOf(structure(stations), { version: 1, layers });
}

/** Nothing is selected, and there is no close-up. */
const RESTS = { selected: null, hasPlot: false };

describe("columns", () => {
  it("are the units of layers; what stands between belongs to the one before", () => {
    const { columns, depths } = article();
    expect(columns.map(({ units }) => units)).toEqual([1, 5, 25, 10]);
    expect(columns.map(({ after }) => after)).toEqual([[], [2], [4, 5], [7]]);
    expect(columns.map(({ map }) => map)).toEqual([[28, 28], [26, 26], [11, 11], null]);
    expect(columns[3].fold).toEqual([5, 5]);
    expect(depths).toBe(4);
  });

  it("say their size whole or not at all", () => {
    const [input, first] = article().columns;
    expect(sizeTexts(input, 1)).toEqual(["image 28×28", "28×28", ""]);
    expect(sizeTexts(first, 1)).toEqual(["5 maps 26×26", "5 maps", "5"]);
  });

  it("stand in the order of the modules where nothing was followed", () => {
    const layers = [dense("a", 4, 3), dense("b", 2, 4)];
    const { columns, traced } = graphOf(null, { version: 1, layers });
    expect(traced).toBe(false);
    expect(columns.map(({ units }) => units)).toEqual([3, 4, 2]);
    expect(columns.map(({ from }) => from)).toEqual([[], [0], [1]]);
    const stations = [station("input", "input", [], []), station("kan", "a", [0], [4])];
    const known = { stations, traced: false, note: "in the order of the modules" };
    const graph = graphOf(known, { version: 1, layers: [dense("a", 4, 3)] });
    expect(graph.columns.map(({ units }) => units)).toEqual([3, 4]);
  });

  it("before a convolution are channels, and behind it maps, also where their sizes are not known", () => {
    const first = layer({ name: "a", shape: [5, 1, 3, 3], conv: { ...CONV, shared: true } });
    const layers = [first, dense("b", 2, 5)];
    const stations = [station("input", "input", [], []), station("kan", "a", [0], [5])];
    const known = { stations, traced: false, note: "" };
    for (const graph of [
      graphOf(null, { version: 1, layers }),
      graphOf(known, { version: 1, layers }),
    ]) {
      const [input, maps] = graph.columns;
      expect(sizeTexts(input, 1)[0]).toBe("1 channel");
      expect(sizeTexts(maps, 1)[0]).toBe("5 maps");
    }
    const [numbers] = graphOf(null, { version: 1, layers: [dense("a", 4, 3)] }).columns;
    expect(sizeTexts(numbers, 1)[0]).toBe("3 numbers");
  });

  it("are one picture where examples are drawn as pictures and the network takes rows", () => {
    const rows = structure([station("input", "input", [], [64]), station("kan", "c", [0], [10])]);
    const probe = { shape: [2, 1, 8, 8], inputs: new Float32Array(128), labels: null };
    const layout = { version: 1, layers: [dense("c", 10, 64)] };
    const [drawn, plain] = [probe, null].map((one) => graphOf(asDrawn(rows, one), layout));
    expect(drawn.columns[0]).toMatchObject({ units: 1, map: [8, 8], isRow: true });
    expect(sizeTexts(drawn.columns[0], 1)[0]).toBe("64 numbers as 8×8");
    expect(drawn.columns[1].bundles).toHaveLength(10);
    expect(plain.columns[0]).toMatchObject({ units: 64, map: null, isRow: false });
  });

  it("know what passes by", () => {
    const stations = [
      station("input", "input", [], [4]),
      station("kan", "a", [0], [4]),
      station("kan", "b", [1], [4]),
      station("add", "add", [1, 2], [4]),
    ];
    const graph = graphOf(structure(stations), {
      version: 1,
      layers: [dense("a", 4, 4), dense("b", 4, 4)],
    });
    expect(graph.columns).toHaveLength(3);
    expect(graph.skips).toEqual([{ station: 3, column: 2, from: 1 }]);
  });

  it("have units of their own behind what is no layer and changes their number", () => {
    const stations = [
      station("input", "input", [], [6, 8]),
      station("block", "attention", [0], [6, 16]),
      station("kan", "a", [1], [6, 3]),
    ];
    const graph = graphOf(structure(stations), { version: 1, layers: [dense("a", 3, 16)] });
    expect(graph.columns.map(({ kind, units }) => [kind, units])).toEqual([
      ["input", 8],
      ["other", 16],
      ["layer", 3],
    ]);
    expect(graph.columns[1].bundles).toEqual([]);
    expect(graph.columns[2].bundles).toHaveLength(48);
  });
});

describe("bundles", () => {
  it("of shared kernels lead from each channel to its own outputs", () => {
    const graph = article();
    const bundles = graph.columns[2].bundles;
    expect(bundles).toHaveLength(25);
    expect(bundles[7]).toEqual({ from: 1, to: 7, first: 18, count: 9 });
  });

  it("of flattened maps hold the functions of one channel and class", () => {
    const graph = article();
    const bundles = graph.columns[3].bundles;
    expect(bundles).toHaveLength(250);
    expect(bundles[3 * 25 + 2]).toEqual({ from: 2, to: 3, first: 3 * 625 + 50, count: 25 });
  });

  it("of a grouped convolution stay within their group", () => {
    const layers = [layer({ name: "a", shape: [4, 2, 3, 3], conv: { ...CONV, groups: 2 } })];
    const stations = [
      station("input", "input", [], [4, 8, 8]),
      station("kan", "a", [0], [4, 6, 6]),
    ];
    const graph = graphOf(structure(stations), { version: 1, layers });
    const pairs = graph.columns[1].bundles.map(({ from, to }) => [to, from]);
    expect(pairs).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
      [2, 2],
      [2, 3],
      [3, 2],
      [3, 3],
    ]);
  });

  it("hold every function of a layer once", () => {
    const graph = article();
    const seen = new Uint8Array(6250);
    for (const { first, count } of graph.columns[3].bundles) {
      for (let f = first; f < first + count; f++) seen[f]++;
    }
    expect(seen.every((times) => times === 1)).toBe(true);
  });
});

describe("relevance", () => {
  const bundles: Bundle[] = [0, 1, 2, 3].map((k) => ({
    from: k,
    to: k % 2,
    first: 2 * k,
    count: 2,
  }));
  const values = Float32Array.of(3, 4, 0, 1, 0, 0, Number.NaN, 2);

  it("is the root of the sum of squares, and of many links the strongest are shown", () => {
    const all = relevanceOf(bundles, values);
    expect(Array.from(all.sizes)).toEqual([5, 1, 0, 2]);
    expect([all.most, all.shown]).toEqual([5, [0, 1, 2, 3]]);
    expect(relevanceOf(bundles, values, 2).shown).toEqual([0, 3]);
  });

  it("shows no more than can be told apart", () => {
    const many = Array.from({ length: 3000 }, (_, k) => ({ from: k, to: 0, first: k, count: 1 }));
    const sizes = Float32Array.from({ length: 3000 }, (_, k) => k);
    const { shown } = relevanceOf(many, sizes);
    expect(shown).toHaveLength(MOST_LINKS);
    expect(shown[0]).toBe(3000 - MOST_LINKS);
  });
});

/** KANCNN: three convolutions with kernels of their own, of 8, 16 and 16 maps. */
function deeper(): Graph {
  const layers = [
    layer({ name: "a", shape: [8, 1, 3, 3], conv: CONV }),
    layer({ name: "b", shape: [16, 8, 3, 3], conv: CONV }),
    layer({ name: "c", shape: [16, 16, 3, 3], conv: CONV }),
    dense("d", 10, 144),
  ];
  const stations = [
    station("input", "input", [], [1, 28, 28]),
    station("kan", "a", [0], [8, 28, 28]),
    station("kan", "b", [1], [16, 14, 14]),
    station("kan", "c", [2], [16, 7, 7]),
    station("reshape", "flatten", [3], [144]),
    station("kan", "d", [4], [10]),
  ];
  return graphOf(structure(stations), { version: 1, layers });
}

describe("the layout", () => {
  function placed(width: number, height: number, scale = 1, graph = article()) {
    const shown = graph.columns.map((column) => {
      const bundles = column.bundles;
      const units = Array.from({ length: column.units }, (_, unit) => unit);
      return { bundles, units, links: Array.from(bundles.keys()) };
    });
    return layoutOf(graph, shown, { width, height, scale, hasBars: true });
  }

  it.each([
    [600, 440],
    [1000, 440],
    [1600, 500],
  ])("has a shared kernel once, at %i × %i", (width, height) => {
    const { kernels, byUnit } = placed(width, height).columns[2];
    expect(kernels.size).toBe(25);
    const places = new Set(kernels.values());
    expect(places.size).toBe(5);
    // Kernel k makes the maps k, 5 + k, …; they stand as one reads, those of one map before in a row.
    const maps = [...byUnit].sort(([, one], [, other]) => one.y - other.y || one.x - other.x);
    expect(maps.map(([n]) => n)).toEqual(Array.from({ length: 25 }, (_, n) => n));
    for (const [n, place] of kernels) {
      expect(place).toBe(kernels.get(n % 5));
      expect(byUnit.get(n)?.y).toBe(byUnit.get(n - (n % 5))?.y);
      expect(byUnit.get(n)?.x).toBeGreaterThan(place.x + place.width);
    }
    const [first, second] = [...places];
    expect(second.y).toBeGreaterThanOrEqual(first.y + first.height);
    expect(first.width).toBeGreaterThan(24);
  });

  it("drawn larger has larger parts, not only larger gaps", () => {
    const [whole, closer] = [placed(1000, 440), placed(3000, 1320, 3)];
    for (const k of [1, 2]) {
      const [small, large] = [whole, closer].map(({ columns }) => {
        const [kernel] = columns[k].kernels.values();
        const [map] = columns[k].units;
        return { kernel: kernel.width, map: map.width, gap: map.x - kernel.x - kernel.width };
      });
      expect(large.gap / small.gap).toBeLessThanOrEqual(large.map / small.map);
      expect(large.kernel / small.kernel).toBeGreaterThan(2);
      expect(large.map / small.map).toBeGreaterThan(2);
    }
  });

  it.each([[400], [480], [600], [1000], [1600]])(
    "has everything within %i pixels and nothing on another",
    (width) => {
      const { columns, width: whole } = placed(width, 440);
      expect(whole).toBe(width);
      let right = 0;
      for (const { units, kernels, bars, box: around } of columns) {
        const boxes = [...kernels.values()];
        for (const box of boxes) expect(box.x).toBeGreaterThanOrEqual(right);
        if (boxes.length > 0) right = Math.max(...boxes.map((box) => box.x + box.width));
        for (const box of units) {
          expect(box.x).toBeGreaterThanOrEqual(right);
          expect(box.y).toBeGreaterThanOrEqual(0);
          expect(box.y + box.height).toBeLessThanOrEqual(440);
        }
        units.forEach((box, k) => {
          for (const other of units.slice(0, k)) {
            const isAside = box.x >= other.x + other.width || other.x >= box.x + box.width;
            const isBelow = box.y >= other.y + other.height || other.y >= box.y + box.height;
            expect(isAside || isBelow).toBe(true);
          }
        });
        right = Math.max(...units.map((box) => box.x + box.width));
        expect(around.x + around.width).toBeGreaterThanOrEqual(right);
        right = around.x + around.width + bars;
        expect(right).toBeLessThanOrEqual(width);
      }
    },
  );

  it.each([[600], [650], [712], [760], [806], [900]])(
    "of more layers, low as in a dashboard, is within %i pixels",
    (width) => {
      const { columns, width: whole } = placed(width, 216, 1, deeper());
      expect(whole).toBe(width);
      expect(columns).toHaveLength(5);
    },
  );

  it.each([
    [340, 440, 100],
    [376, 277, 96],
    [430, 357, 100],
  ])(
    "leaves the kernels of the path a place under everything else in %i by %i pixels",
    (width, height, large) => {
      const { columns, shelf } = placed(width, height);
      expect(shelf).toBeGreaterThan(large);
      expect(columns.flatMap(({ kernels }) => [...kernels])).toEqual([]);
      for (const { units } of columns)
        for (const { y, height: tall } of units) expect(y + tall).toBeLessThan(height - shelf);
      expect(placed(1000, height).shelf).toBe(0);
    },
  );

  it("has one large kernel where all would be much smaller: none becomes so when drawn larger", () => {
    const [low, high, closer] = [placed(1300, 380), placed(1300, 620), placed(1820, 532, 1.4)];
    const sizes = [low, high, closer].map(({ columns: [, { kernels, stand }] }) => [
      kernels.size,
      stand?.width ?? 0,
    ]);
    expect(sizes).toEqual([
      [0, expect.closeTo(112, 0)],
      [5, 0],
      [0, expect.closeTo(157, 0)],
    ]);
    const [largest] = placed(2600, 760, 2).columns[1].kernels.values();
    expect(largest.width).toBeGreaterThan(112);
  });

  it("has room for more units where it is higher", () => {
    const { columns } = article();
    expect(roomFor(columns[2], 100, 200, false)).toBeLessThan(roomFor(columns[2], 600, 200, false));
  });
});

describe("the diagram of the next frame", () => {
  it("lies as the last one did, so that links need not be drawn again", () => {
    const layers = [dense("a", 3, 4)];
    const layout = { version: 1, layers };
    const size = layers[0].count * layers[0].nb;
    const frameAt = (step: number) => ({ step, layout, data: new Float32Array(size).fill(step) });
    const own = structure([station("input", "input", [], [4]), station("kan", "a", [0], [3])]);
    const store = {
      structure: () => own,
      observed: () => null,
      status: () => ({ state: "live", message: "" }),
      standing: () => ({ state: "running" }),
      current: () => null,
      latest: () => null,
      cursor: () => -1,
      ghost: () => first,
      probe: () => null,
    };
    const first = frameAt(0);
    const given = { store, get: () => undefined, pointed: NOT_POINTED } as unknown as Given;
    const keep = memory();
    const settings = { example: 0 } as unknown as Settings;
    const room = { x: 0, y: 0, width: 600, height: 300 };
    const [one, two] = [1, 2].map((step) =>
      diagramOf(
        given,
        { frame: frameAt(step), settings, flow: null, room, window: WHOLE, ...RESTS },
        keep,
      ),
    );
    expect(two.frame.step).toBe(2);
    expect(two.parts[1].picture).not.toBe(one.parts[1].picture);
    expect(two.layout).toBe(one.layout);
    // What the functions were is drawn, too, but not on itself.
    expect(two.parts[1].picture?.ghost).toBe(first);
    expect(two.ghost).toBe(first);
    expect(hasSquares(two.parts)).toBe(false);
    const asked = { frame: first, settings, flow: null, room, window: WHOLE, ...RESTS };
    const zero = diagramOf(given, asked, keep);
    expect(zero.parts[1].picture?.ghost).toBeNull();
    expect(zero.ghost).toBe(first);
  });
});

describe("the close-up of a unit", () => {
  it("adds its bias to what the units before it add", () => {
    const stations = [station("input", "input", [], [3]), station("kan", "c", [0], [2])];
    const layers = [dense("c", 2, 3)];
    const graph = graphOf(structure(stations), { version: 1, layers });
    const flow = (bias: number[]) => ({
      values: [Float32Array.of(0.5, -0.25, 1), Float32Array.of(0, 0)],
      shapes: [[3], [2]],
      step: 0,
      frame: frameOf(layers),
      extras: new Map(bias.length ? [[1, new Map([["bias", Float32Array.from(bias)]])]] : []),
    });
    const bare = unitCloseUp(graph, 1, flow([]), frameOf(layers), 1);
    const full = unitCloseUp(graph, 1, flow([4, -2]), frameOf(layers), 1);
    expect([bare?.bias, full?.bias]).toEqual([0, -2]);
    expect(full?.parts).toEqual(bare?.parts);
    expect(full?.total).toBeCloseTo((bare?.total ?? Number.NaN) - 2, 12);
  });
});

describe("a narrow page", () => {
  it("has few maps of each layer, so that the functions between them can be read", () => {
    const maps = { map: [7, 7], units: 16 } as unknown as Column;
    expect(roomFor(maps, 300, 96, false)).toBe(6);
    expect(roomFor(maps, 300, 200, false)).toBeGreaterThanOrEqual(16);
  });
});

describe("the strongest path", () => {
  const layers = [dense("a", 3, 4), dense("b", 2, 3)].map((own, k) => ({
    ...own,
    offset: k * 108,
  }));
  const layout = { version: 1, layers };
  const data = randoms(18 * 9, 7);
  const frame = { step: 0, layout, data };
  const input = Float32Array.of(0.5, -0.25, 0.9, -0.7);
  /** What each input adds to each output, by the functions themselves. */
  const added = (k: number, x: ArrayLike<number>) => {
    const { shape, offset, nb } = layers[k];
    return Array.from({ length: shape[0] }, (_, out) =>
      Array.from(x, (value, i) => {
        const at = offset + (out * shape[1] + i) * nb;
        return basis(value).reduce((sum, beta, b) => sum + beta * data[at + b], 0);
      }),
    );
  };
  const outputs = (parts: number[][]) =>
    Float32Array.from(parts, (own) => own.reduce((sum, part) => sum + part, 0));
  const hidden = outputs(added(0, input));
  const stations = [
    station("input", "input", [], [4]),
    station("kan", "a", [0], [3]),
    station("kan", "b", [1], [2]),
  ];
  const values = [input, hidden, outputs(added(1, hidden))];
  const flow = { values, shapes: [[4], [3], [2]], step: 0, frame, extras: new Map() };
  const store = {
    structure: () => structure(stations),
    observed: () => null,
    status: () => ({ state: "live", message: "" }),
    standing: () => ({ state: "running" }),
    current: () => frame,
    cursor: () => -1,
    latest: () => frame,
    ghost: () => null,
    probe: () => null,
  };
  const given = { store, get: () => undefined, pointed: NOT_POINTED } as unknown as Given;
  const settings = { example: 0 } as unknown as Settings;
  const room = { x: 0, y: 0, width: 600, height: 300 };
  const diagram = diagramOf(
    given,
    { frame, settings, flow, room, window: WHOLE, ...RESTS },
    memory(),
  );
  const told = { ...diagram, relevances: diagram.parts.map(({ relevance }) => relevance) };
  /** Scores by which the path ends at a unit. */
  const ending = (best: number) => ({ raw: [0, 0], probabilities: null, best });
  /** Takes another link than the best to the same unit. */
  const second: Steady = (place, { best }) => {
    const { bundles } = told.graph.columns[Number(String(place).split(" ")[0])];
    return bundles.findIndex(({ to }, n) => n !== best && to === bundles[best].to);
  };
  /** The one that adds most, in the direction of the sum. */
  const largest = (own: number[]) => {
    const sign = Math.sign(own.reduce((sum, part) => sum + part, 0));
    return own.reduce((best, part, k) => (sign * part > sign * own[best] ? k : best), 0);
  };

  it.each([[0], [1]])("leads back along what adds most to each number, from %i", (unit) => {
    const legs = strongestPath(told, ending(unit), atOnce);
    const middle = largest(added(1, hidden)[unit]);
    const first = largest(added(0, input)[middle]);
    const ends = legs.map(({ column, bundle }) => {
      const { from, to } = diagram.parts[column].bundles[bundle];
      return [column, from, to];
    });
    expect(ends).toEqual([
      [2, middle, unit],
      [1, first, middle],
    ]);
    // Of the first, which lies under one with a colour, the edge is seen; what they lead through has a frame.
    const lines = pathLines(diagram, legs, 2, "ink");
    expect(lines.map((mark) => mark.kind)).toEqual(["lines", "lines"]);
    const widths = lines.map((mark) => (mark.kind === "lines" ? (mark.width ?? 0) : 0));
    expect(widths[0]).toBeGreaterThan(widths[1] + 2);
    const box = diagram.layout.columns[1].byUnit.get(middle);
    if (!box) throw new Error("no unit");
    const circle = [box.x + box.width / 2, box.y + box.height / 2];
    const dots = pathKernels(diagram, legs, true, themeOf("light")).flatMap((mark) =>
      mark.kind === "dots" ? [Array.from(mark.xy)] : [],
    );
    expect(dots).toContainEqual(circle);
  });

  /** The links of a path as they are drawn now, each with how much of it is seen, of 1. */
  const seenOf = (graph: typeof told.graph, legs: readonly Leg[]) => {
    const { fades, drawn } = crossFading(graph, legs);
    const marks = drawn((some) =>
      some.map(({ column, bundle }) => ({ kind: "lines", id: `${column} ${bundle}` }) as never),
    ) as unknown as { opacity?: number; id?: string; marks?: { id: string }[] }[];
    const seen = marks.flatMap(({ id, opacity = 1, marks: group = [] }) =>
      (id ? [{ id }] : group).map((one) => [one.id, opacity.toFixed(2)] as const),
    );
    return { fades, seen: new Map(seen) };
  };
  const idsOf = (legs: readonly Leg[]) => legs.map(({ column, bundle }) => `${column} ${bundle}`);

  it("cross-fades with the one before to the same answer: what both have stays", () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const graph = { ...told.graph };
    const [one, other] = [atOnce, second].map((steady) => strongestPath(told, ending(0), steady));
    const all = (legs: readonly Leg[]) => new Map(idsOf(legs).map((id) => [id, "1.00"]));
    expect(seenOf(graph, one)).toEqual({ fades: false, seen: all(one) });
    vi.advanceTimersByTime(300);
    expect(seenOf(graph, other).fades).toBe(true);
    vi.advanceTimersByTime(100);
    const half = seenOf(graph, other).seen;
    for (const id of new Set([...idsOf(one), ...idsOf(other)])) {
      const [was, is] = [one, other].map((legs) => idsOf(legs).includes(id));
      expect(half.get(id)).toBe(was && is ? "1.00" : is ? "0.40" : "0.60");
    }
    vi.advanceTimersByTime(200);
    expect(seenOf(graph, other)).toEqual({ fades: false, seen: all(other) });
    vi.useRealTimers();
  });

  it("ends at the answer of the frame drawn, however fast answers and paths change", () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const graph = { ...told.graph };
    const [one, two, other] = [
      strongestPath(told, ending(0), atOnce),
      strongestPath(told, ending(1), atOnce),
      strongestPath(told, ending(1), second),
    ];
    for (const legs of [one, two, one, two, other, two, other]) {
      const { fades, seen } = seenOf(graph, legs);
      expect([fades, ...seen.keys()]).toEqual([false, ...idsOf(legs)]);
      vi.advanceTimersByTime(90);
    }
    vi.useRealTimers();
  });

  it("has bars on a scale that stays while they fill it, and gives its room back", () => {
    const { picture } = diagram.parts[1];
    const scales = [0.5, 0.4, 0.21, 0.1, 1e-9].map((wanted) => picture?.held("bars", wanted));
    expect(scales).toEqual([0.5, 0.5, 0.5, 0.1, 1e-9]);
  });

  it("is none where a training has left no numbers", () => {
    const left = { ...flow, frame: { ...frame, data: data.map(() => Number.NaN) } };
    expect(strongestPath({ ...told, flow: left }, ending(0), atOnce)).toEqual([]);
  });

  it("shows its functions with the example on them, and hides none beside them", () => {
    const legs = strongestPath(told, ending(0), atOnce);
    const middleOf = ({ x, y, width, height }: Rect) => ({ x: x + width / 2, y: y + height / 2 });
    const found = legs.map(({ column, bundle }) => {
      const { kernels } = diagram.parts[column];
      const large = largeKernel(diagram, diagram.parts[column], bundle);
      const box = large?.box ?? { x: 0, y: 0, width: 0, height: 0 };
      const others = [...kernels].filter(([n]) => n !== bundle).map(([, other]) => other);
      return {
        width: box.width,
        hidden: others.filter(
          (other) =>
            Math.abs(middleOf(other).x - middleOf(box).x) < (other.width + box.width) / 2 &&
            Math.abs(middleOf(other).y - middleOf(box).y) < (other.height + box.height) / 2,
        ).length,
        point: pointOf(diagram, diagram.parts[column], bundle),
      };
    });
    expect(Math.min(...found.map(({ width }) => width))).toBeGreaterThan(40);
    expect(found.map(({ hidden }) => hidden)).toEqual([0, 0]);
    const middle = largest(added(1, hidden)[0]);
    expect(found[0].point?.x).toBeCloseTo(hidden[middle], 5);
    expect(found[0].point?.value).toBeCloseTo(added(1, hidden)[0][middle], 5);
  });

  it("is answered by the link under the pointer, and by none between links", () => {
    for (const part of diagram.parts) {
      for (const n of part.links) {
        const way = wayOf(part, n);
        const kernel = way?.stops.at(-1);
        if (!way || !kernel) throw new Error("no kernel on the link");
        const { to } = way;
        const at = { x: (kernel.x + kernel.width + to.x) / 2, y: 0 };
        at.y = (kernel.y + kernel.height / 2 + to.y) / 2;
        // Behind a row of functions the links to a unit are one.
        const { column, bundle } = linkAt(diagram, at) ?? { column: -1, bundle: -1 };
        expect([column, part.bundles[bundle]?.to]).toEqual([part.number, part.bundles[n].to]);
        if (part.rows.size === 0) expect(bundle).toBe(n);
      }
    }
    expect(linkAt(diagram, { x: 300, y: 1 })).toBeNull();
  });
});

describe("the choice of the strongest", () => {
  const chooser = () => {
    const choose = steadyChoice();
    return (step: number, one: number, other: number) => {
      const best = other > one ? 1 : 0;
      return choose("a", { best, sizeOf: (n) => [one, other][n] }, step);
    };
  };

  it("changes where another is clearly stronger for some steps on end", () => {
    const at = chooser();
    expect(at(0, 1, 0.9)).toBe(0);
    // A little stronger, by turns, as long as it goes on.
    for (let step = 1; step < 21; step++) expect(at(step, 1, step % 2 ? 1.4 : 0.8)).toBe(0);
    // Clearly stronger, but not for long.
    for (let step = 21; step < 28; step++) expect(at(step, 1, 1.8)).toBe(0);
    expect(at(28, 1, 1)).toBe(0);
    // The same frame drawn again is no other frame.
    for (let times = 0; times < 20; times++) expect(at(29, 1, 1.8)).toBe(0);
    for (let step = 30; step < 37; step++) expect(at(step, 1, 1.8)).toBe(0);
    expect(at(37, 1, 1.8)).toBe(1);
    // It is held as the one before was.
    for (let step = 38; step < 50; step++) expect(at(step, 1.4, 1)).toBe(1);
    // Another time begins anew.
    expect(at(3, 1, 0.9)).toBe(0);
  });

  it("changes later where another leads by less, and never for a tenth", () => {
    const [little, less] = [chooser(), chooser()];
    for (let step = 0; step < 50; step++) expect(little(step, 1, step ? 1.2 : 0.9)).toBe(0);
    expect(little(52, 1, 1.2)).toBe(1);
    for (let step = 0; step < 400; step++) expect(less(step, 1, step ? 1.05 : 0.9)).toBe(0);
  });

  it("does not wait for many frames where these are many steps apart", () => {
    const at = chooser();
    expect([at(0, 1, 0.9), at(10, 1, 1.8), at(20, 1, 1.8)]).toEqual([0, 0, 1]);
  });

  it("leaves at once what adds less than half of another, or takes away", () => {
    const at = chooser();
    expect([at(24, 0.05, 0.04), at(25, 0.05, 0.11), at(26, 0.05, -0.01)]).toEqual([0, 1, 0]);
  });
});

describe("the scale of a film", () => {
  it("is that of the newest step, grows where more is drawn, and is forgotten at its end", () => {
    const keep = memory();
    const at = (isFilm: boolean, own: number, of = "a layer") =>
      heldScale(keep, "colours", [of], isFilm, own);
    const scales = [at(false, 0.4), at(true, 0.1), at(true, 0.5), at(true, 0.2), at(false, 0.3)];
    expect(scales).toEqual([0.4, 0.4, 0.5, 0.5, 0.3]);
    expect(at(true, 0.1, "another layer")).toBe(0.1);
  });
});
