import { describe, expect, it } from "vitest";
import { isPlain } from "../src/phi/entries.ts";
import { ARM, paletteOf } from "../src/phi/palette.ts";
import { shadeText } from "../src/views/kernel_grid/caption.ts";
import { pictureMaker } from "../src/views/kernel_grid/picture.ts";
import { orderBy } from "../src/views/kernel_grid/scene.ts";
import {
  layerScores,
  type Scores,
  scoresOf,
  shadeOf,
  tintOf,
  tintRamp,
  weightsOf,
} from "../src/views/kernel_grid/scores.ts";
import { settingsOf } from "../src/views/kernel_grid/settings.ts";
import { hoverLines, selectionText } from "../src/views/kernel_grid/words.ts";
import { frameOf, layer } from "./samples.ts";

/** Half of an arm of the palette: curves must stand out on the strongest tint. */
const TINT = 0.5;

const made = layer();
const frame = frameOf([made]);

function given(values: number[], signed: boolean, units = ""): Scores {
  // Not at the start of its buffer, as messages have it.
  const bytes = new Uint8Array(4 * values.length + 3);
  bytes.set(new Uint8Array(Float32Array.from(values).buffer), 3);
  const view = new DataView(bytes.buffer, 3);
  return scoresOf({ drop: { signed, units, layers: { [made.name]: view } } });
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
  it("are read from the bytes of each layer", () => {
    const value = { a: { signed: true, units: "s", layers: { x: Float32Array.of(1, 2) } } };
    expect([...(scoresOf(value).get("a")?.layers.get("x") ?? [])]).toEqual([1, 2]);
    expect(scoresOf(undefined).size).toBe(0);
  });

  it("of a whole layer are known in a window of it", () => {
    const window = { whole: [4, 3, 1, 1], out: 1, in: 1 };
    const part = { ...layer({ kind: "linear", shape: [2, 2, 1, 1], count: 4 }), window } as never;
    const values = Array.from({ length: 12 }, (_, f) => f);
    expect([...(layerScores(given(values, false), "drop", part) ?? [])]).toEqual([4, 5, 7, 8]);
    expect(layerScores(given([1, 2, 3, 4], false), "drop", part)).toBeNull();
  });

  it("tint from the page's ground to half the palette's arm, both ways where signed", () => {
    const values = falling.map((v) => v - 1);
    values[3] = Number.NaN;
    values[4] = -2 * made.count;
    const shade = shadeOf(given(values, true), "drop", made);
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
    const stops = tintRamp(shade, paletteOf("light"));
    expect(stops[0]).toBe(colour(Math.round(-TINT * ARM)));
    expect(stops[8]).toBe(colour(0));
    expect(stops[16]).toBe(colour(Math.round(TINT * ARM)));
  });

  it("have a scale from 0 where they are not signed", () => {
    const shade = shadeOf(given(falling, false, "of y"), "drop", made);
    if (!shade) throw new Error("no shade");
    expect(shadeText(shade)).toBe(`drop 0 … ${made.count} of y`);
    expect(tintRamp(shade, paletteOf("light"))[0]).toBe(colour(0));
    expect(tintOf(shade, 0, paletteOf("light"))).toBe(colour(Math.round(TINT * ARM)));
  });

  it("all zero tint nothing", () => {
    const shade = shadeOf(given(Array(made.count).fill(0), false), "drop", made);
    expect(shade && tintOf(shade, 0, paletteOf("light"))).toBe(colour(0));
  });

  it("that do not fit the layer are none", () => {
    const scores = given([1, 2, 3], false);
    expect(layerScores(scores, "drop", made)).toBeNull();
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
    const scored = layerScores(given(values, true), "drop", made);
    const expected = Array.from({ length: kernels }, (_, k) => k).sort((a, b) => {
      const key = (k: number) => (k === 1 ? Number.NEGATIVE_INFINITY : -10 * ((2 * k) % kernels));
      return key(b) - key(a) || a - b;
    });
    expect(scored && orderBy(made.shape, scored)).toEqual(expected);
    expect(expected).not.toEqual([...expected].sort((a, b) => a - b));
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
    const scores = given(values, false, "of y");
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
