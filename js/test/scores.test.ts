import { describe, expect, it } from "vitest";
import { isPlain } from "../src/phi/entries.ts";
import { ARM, paletteOf } from "../src/phi/palette.ts";
import { shadeText } from "../src/views/kernel_grid/caption.ts";
import { pictureMaker } from "../src/views/kernel_grid/picture.ts";
import {
  rampOf,
  type Scores,
  scoresReader,
  shadeOf,
  TINT,
  tintOf,
  valuesOf,
  weightsOf,
} from "../src/views/kernel_grid/scores.ts";
import { settingsOf } from "../src/views/kernel_grid/settings.ts";
import { sortedOrder } from "../src/views/kernel_grid/subject.ts";
import { hoverLines, selectionText } from "../src/views/kernel_grid/words.ts";
import { frameOf, layer } from "./samples.ts";

const made = layer();
const frame = frameOf([made]);

function scoresOf(values: number[], signed: boolean, units = ""): Scores {
  // Not at the start of its buffer, as messages have it.
  const bytes = new Uint8Array(4 * values.length + 3);
  bytes.set(new Uint8Array(Float32Array.from(values).buffer), 3);
  const view = new DataView(bytes.buffer, 3);
  return scoresReader()({ drop: { signed, units, layers: { [made.name]: view } } });
}

const colour = (place: number, theme: "light" | "dark" = "light") => {
  const [r, g, b] = paletteOf(theme).bytes.subarray(3 * (ARM + place), 3 * (ARM + place) + 3);
  return `rgb(${r},${g},${b})`;
};

describe("the weights of a plain layer", () => {
  const plain = layer({ nb: 1, labels: ["x"], isBase: [true] });

  it("are its coefficients, and tint it as long as no score was chosen", () => {
    expect([isPlain(plain), isPlain(made)]).toEqual([true, false]);
    const shown = frameOf([plain]);
    const data = shown.data.slice();
    data.fill(-0.25, plain.offset, plain.offset + plain.count);
    data[plain.offset] = 0.5;
    data[plain.offset + 1] = Number.NaN;
    const shade = weightsOf({ ...shown, data }, plain, 2);
    const palette = paletteOf("light");
    expect(tintOf(shade, 0, palette)).toBe(colour(Math.round((ARM * TINT) / 4)));
    expect(tintOf(shade, 1, palette)).toBeNull();
    expect(tintOf(shade, 2, palette)).toBe(colour(Math.round((-ARM * TINT) / 8)));
    expect(shadeText(shade)).toBe("weight w −2 … 2");
  });
});

const falling = Array.from({ length: made.count }, (_, f) => made.count - f);

describe("scores", () => {
  it("are read once for each value of the trait", () => {
    const read = scoresReader();
    const value = { a: { signed: true, units: "s", layers: { x: Float32Array.of(1, 2) } } };
    const first = read(value);
    expect(read(value)).toBe(first);
    expect([...(first.get("a")?.layers.get("x") ?? [])]).toEqual([1, 2]);
    expect(read({ ...value })).not.toBe(first);
    expect(read(undefined).size).toBe(0);
  });

  it("tint from the page's ground to half the palette's arm, both ways where signed", () => {
    const values = falling.map((v) => v - 1);
    values[3] = Number.NaN;
    values[4] = -2 * made.count;
    const shade = shadeOf(scoresOf(values, true), "drop", made);
    if (!shade) throw new Error("no shade");
    expect(shade.most).toBe(2 * made.count);
    expect(shade.unknown).toBe(1);
    for (const theme of ["light", "dark"] as const) {
      const palette = paletteOf(theme);
      expect(tintOf(shade, 3, palette)).toBeNull();
      expect(tintOf(shade, 4, palette)).toBe(colour(Math.round(-TINT * ARM), theme));
      expect(tintOf(shade, made.count - 1, palette)).toBe(colour(0, theme));
      const half = (ARM * TINT * (made.count - 1)) / (2 * made.count);
      expect(tintOf(shade, 0, palette)).toBe(colour(Math.round(half), theme));
    }
    const stops = rampOf(shade, paletteOf("light"));
    expect(stops[0]).toBe(colour(Math.round(-TINT * ARM)));
    expect(stops[8]).toBe(colour(0));
    expect(stops[16]).toBe(colour(Math.round(TINT * ARM)));
  });

  it("have a scale from 0 where they are not signed", () => {
    const shade = shadeOf(scoresOf(falling, false, "of y"), "drop", made);
    if (!shade) throw new Error("no shade");
    expect(shadeText(shade)).toBe(`drop 0 … ${made.count} of y`);
    expect(rampOf(shade, paletteOf("light"))[0]).toBe(colour(0));
    expect(tintOf(shade, 0, paletteOf("light"))).toBe(colour(Math.round(TINT * ARM)));
  });

  it("all zero tint nothing", () => {
    const shade = shadeOf(scoresOf(Array(made.count).fill(0), false), "drop", made);
    expect(shade && tintOf(shade, 0, paletteOf("light"))).toBe(colour(0));
  });

  it("that do not fit the layer are none", () => {
    const scores = scoresOf([1, 2, 3], false);
    expect(valuesOf(scores, "drop", made)).toBeNull();
    const shade = shadeOf(scores, "drop", made);
    expect(shade && shadeText(shade)).toBe("no drop of this layer");
    expect(shadeOf(scores, "other", made)).toBeNull();
  });

  it("sort the kernels from the largest, signed or not, and what is unknown last", () => {
    const [out, inputs, kh, kw] = made.shape;
    const kernels = out * inputs;
    const values = Array.from({ length: made.count }, (_, f) => {
      const kernel = Math.floor(f / (kh * kw));
      return kernel === 1 ? Number.NaN : -10 * ((kernel * 2) % kernels) - (f % (kh * kw));
    });
    const scored = valuesOf(scoresOf(values, true), "drop", made);
    const expected = Array.from({ length: kernels }, (_, k) => k).sort((a, b) => {
      const key = (k: number) => (k === 1 ? Number.NEGATIVE_INFINITY : -10 * ((2 * k) % kernels));
      return key(b) - key(a) || a - b;
    });
    expect(sortedOrder({ frame, layer: made }, "drop", [-1, 1], made.shape, scored)).toEqual(
      expected,
    );
    expect(expected).not.toEqual([...expected].sort((a, b) => a - b));
    // A layer without numbers keeps its order.
    expect(sortedOrder({ frame, layer: made }, "drop", [-1, 1], made.shape, null)).toBeNull();
  });

  it("are taken by name only while they are there", () => {
    const traits: Record<string, unknown> = { sort: "drop", shade: "drop", scores: { drop: {} } };
    const get = ((name: string) => traits[name]) as never;
    expect(settingsOf(get)).toMatchObject({ sort: "drop", shade: "drop" });
    traits.scores = {};
    expect(settingsOf(get)).toMatchObject({ sort: "position", shade: "" });
  });

  it("are said of the function under the pointer and of the one selected", () => {
    const values = [...falling];
    values[1] = Number.NaN;
    const scores = scoresOf(values, false, "of y");
    const traits: Record<string, unknown> = { shade: "drop", scores: { drop: {} } };
    const settings = settingsOf(((name: string) => traits[name]) as never);
    const picture = pictureMaker()({ frame, layer: made, settings, width: 700, scores });
    const last = hoverLines(picture, 0, 0).pop();
    expect(last).toEqual({ label: "drop", value: `${made.count} of y` });
    expect(selectionText(picture, 0)).toContain(`· drop ${made.count} of y`);
    expect(hoverLines(picture, 1, 0).some(({ label }) => label === "drop")).toBe(false);
    expect(selectionText(picture, 1)).not.toContain("drop");
  });
});
