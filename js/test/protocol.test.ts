import { describe, expect, it } from "vitest";
import {
  ProtocolMismatch,
  putBuffers,
  readFrame,
  readFrameTrait,
  readLayout,
  readObserved,
  readSelection,
  WireError,
} from "../src/wire/protocol.ts";
import { bytes, smallLayout, wholes, wireLayout } from "./samples.ts";

describe("readLayout", () => {
  it("reads a layout from the traits, bytes in place", () => {
    const layout = readLayout(
      wireLayout(4, {
        shape: [2, 3, 1, 2],
        nb: 2,
        offset: 5,
        labels: ["SiLU", "B0"],
        is_base: [true, false],
        domain: [-1, 1],
        extent: [-2.2, 2.2],
        knots: [-1, 0, 1],
        variable: "tanh x",
        note: "shared",
        conv: {
          stride: [1, 2],
          padding: [1, 1, 0, 0],
          dilation: [1, 1],
          padding_mode: "zeros",
          groups: 3,
          shared: false,
        },
        locked: "not here",
        tables: [
          { x: bytes([-1, 1], 3), values: bytes([1, 2, 3, 4], 2), domain: [-3, 3], knots: [0] },
          { x: bytes([0, 1, 2], 0), values: bytes([1, 2, 3, 4, 5, 6], 4) },
        ],
        table_of: wholes([0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]),
      }),
    );
    expect(layout.version).toBe(4);
    const [layer] = layout.layers;
    expect(layer).toMatchObject({
      name: "conv1",
      kind: "conv",
      type: "Conv2d",
      shape: [2, 3, 1, 2],
      count: 12,
      nb: 2,
      offset: 5,
      labels: ["SiLU", "B0"],
      isBase: [true, false],
      domain: [-1, 1],
      extent: [-2.2, 2.2],
      knots: [-1, 0, 1],
      variable: "tanh x",
      note: "shared",
      conv: {
        stride: [1, 2],
        padding: [1, 1, 0, 0],
        dilation: [1, 1],
        paddingMode: "zeros",
        groups: 3,
        shared: false,
      },
      locked: "not here",
    });
    expect(layer.tables[0].x).toEqual(Float32Array.of(-1, 1));
    expect(layer.tables[0].values).toEqual(Float32Array.of(1, 2, 3, 4));
    expect(layer.tables[1].values).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
    expect(layer.bases).toEqual([
      { domain: [-3, 3], extent: [-2.2, 2.2], knots: [0] },
      { domain: [-1, 1], extent: [-2.2, 2.2], knots: [-1, 0, 1] },
    ]);
    expect(layer.tableOf).toEqual(Uint32Array.of(0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1));
  });

  it("puts a message's buffers where their paths lead", () => {
    const layout = wireLayout(1, { tables: [{}] });
    const table = ["layout", "layers", 0, "tables", 0];
    const paths = [
      [...table, "values"],
      [...table, "x"],
      ["layout", "layers", 0, "table_of"],
    ];
    const buffers = [bytes([5, 6, 7]), bytes([-1, 0, 1]), wholes([0, 0])];
    const message = putBuffers({ kind: "layout", layout, bytes: paths }, buffers);
    expect(readLayout(message.layout).layers).toMatchObject([
      {
        tables: [{ x: Float32Array.of(-1, 0, 1), values: Float32Array.of(5, 6, 7) }],
        tableOf: Uint32Array.of(0, 0),
      },
    ]);
    for (const nothing of [null, 3, "frame", []]) {
      expect(() => putBuffers(nothing)).toThrow(WireError);
    }
  });

  it("names both protocols and the remedy when they differ", () => {
    const read = () => readLayout({ ...wireLayout(), protocol: 3 });
    expect(read).toThrow(ProtocolMismatch);
    expect(read).toThrow(
      /JavaScript speaks protocol 2, Python sent 3.*[Rr]eload the page.*restart the notebook kernel.*page and Python use the same kan_widgets\.$/,
    );
    expect(() => readLayout({ version: 1, layers: [] })).toThrow(/Python sent undefined/);
  });

  it.each([
    ["tables", { tables: [{ x: bytes([0, 1]), values: bytes([0]) }] }, /1 entries.*needed: 2/],
    ["tables", { tables: [{ x: "AAAA", values: "AAAA" }] }, /Got "AAAA".*needed: bytes/],
    ["table numbers", { table_of: wholes([0]) }, /1 entries in the table numbers/],
  ])("refuses wrong %s: %j", (_what, changes, text) => {
    const read = () => readLayout(wireLayout(0, changes));
    expect(read).toThrow(WireError);
    expect(read).toThrow(text);
  });
});

describe("readFrame", () => {
  const layout = smallLayout(3);

  it("copies numbers out of any kind of bytes, at any place in their buffer", () => {
    const view = bytes([0.5, -2], 3);
    const all = [
      view,
      bytes([0.5, -2], 4),
      new Uint8Array(view.buffer, view.byteOffset, view.byteLength),
      Float32Array.of(0.5, -2),
      Float32Array.of(0.5, -2).buffer,
    ];
    for (const data of all) {
      const frame = readFrame({ layout: 3, step: 7, bytes: data }, layout);
      expect(frame).toEqual({ step: 7, layout, data: Float32Array.of(0.5, -2) });
      expect(frame.data.buffer.byteLength).toBe(8);
    }
    view.setFloat32(0, 9, true);
    expect(readFrame({ layout: 3, step: 7, bytes: all[1] }, layout).data[0]).toBe(0.5);
  });

  it("refuses a frame of another length, and says both lengths", () => {
    const read = (data: unknown) => () => readFrame({ layout: 3, step: 7, bytes: data }, layout);
    expect(read(bytes([1]))).toThrow(/step 7 has 1 numbers; layout 3 needs 2/);
    expect(read(bytes([1, 2, 3]))).toThrow(/has 3 numbers/);
    expect(read(new Uint8Array(7))).toThrow(/7 bytes.*multiple of 4/);
    expect(read(undefined)).toThrow(/Got undefined.*needed: bytes/);
  });

  it("reads {} and nothing as no frame", () => {
    expect(readFrameTrait({})).toBeNull();
    expect(readFrameTrait(null)).toBeNull();
    expect(readFrameTrait(undefined)).toBeNull();
    expect(() => readFrameTrait([1])).toThrow(WireError);
  });
});

it("reads a selection, and anything else as none", () => {
  const selection = { layer: "", out: 1, in: 0, row: 2, column: 2 };
  expect(readSelection(selection)).toEqual(selection);
  for (const wrong of [
    {},
    null,
    undefined,
    { ...selection, row: -1 },
    { ...selection, out: "1" },
  ]) {
    expect(readSelection(wrong)).toBeNull();
  }
});

describe("what was observed", () => {
  const shapes = {
    edges: [3],
    counts: [4, 2],
    outside_domain: [4],
    outside_extent: [4],
    patches: [2, 4],
    maps: [2, 1, 1, 3],
  };
  const sizes = [3, 8, 4, 4, 8, 6];
  const arrays = sizes.map((size, n) => bytes(Array.from({ length: size }, (_, k) => 10 * n + k)));
  const message = (changes: object = {}, more: object = {}) => ({
    kind: "observed",
    layer: "conv1",
    samples: 2,
    is_image: false,
    shapes: { ...shapes, ...changes },
    arrays: {
      ...Object.fromEntries(Object.keys(shapes).map((name, n) => [name, arrays[n]])),
      ...more,
    },
  });

  it("is read with the maps into a convolution", () => {
    const observed = readObserved(message());
    expect(observed.entries).toBe(4);
    expect(observed.bins).toBe(2);
    expect(observed.patchCount).toBe(2);
    expect(observed.mapShape).toEqual([2, 1, 1, 3]);
    expect(observed.maps).toEqual(Float32Array.of(50, 51, 52, 53, 54, 55));
  });

  it("is read where no whole patch was seen, so that there are no bytes of them", () => {
    for (const nothing of [new ArrayBuffer(0), new DataView(new ArrayBuffer(8), 8, 0)]) {
      const observed = readObserved(message({ patches: [0, 4] }, { patches: nothing }));
      expect(observed.patchCount).toBe(0);
      expect(observed.patches).toEqual(new Float32Array());
    }
  });

  it.each([
    ["edges", [2]],
    ["counts", [8, 2]],
    ["outside_domain", [3]],
    ["maps", [2, 2, 3]],
  ])("is refused where the shape of %s does not fit: %j", (name, shape) => {
    expect(() => readObserved(message({ [name]: shape }))).toThrow(WireError);
  });
});
