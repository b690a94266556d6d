import { describe, expect, it } from "vitest";
import { axesText, reachText, remarks } from "../src/views/kernel_grid/caption.ts";
import { boundsOf, greysOf, preferredOf, reached } from "../src/views/kernel_grid/greys.ts";
import { pictureMaker } from "../src/views/kernel_grid/picture.ts";
import { settingsOf } from "../src/views/kernel_grid/settings.ts";
import { hoverLines, selectionText } from "../src/views/kernel_grid/words.ts";
import type { LayerLayout, Observed } from "../src/wire/types.ts";
import { basis, frameOf, layer, randoms } from "./samples.ts";

/** φ_f(x) by the definition of the basis, not by a table. */
function phi(made: LayerLayout, data: Float32Array, f: number, x: number): number {
  return basis(x).reduce((sum, v, b) => sum + data[made.offset + f * made.nb + b] * v, 0);
}

function observedOf(made: LayerLayout, patches: Float32Array, entries: number): Observed {
  return {
    layer: made.name,
    samples: 6,
    isImage: false,
    fold: null,
    edges: Float32Array.of(-1, 1),
    counts: new Float32Array(entries),
    outsideDomain: new Float32Array(entries),
    outsideExtent: new Float32Array(entries),
    entries,
    bins: 1,
    patches,
    patchCount: patches.length / entries,
    maps: null,
    mapShape: null,
  };
}

function pictureOf(traits: Record<string, unknown>, observed: Observed | null = null) {
  const made = layer();
  const frame = frameOf([made]);
  const settings = settingsOf(((name: string) => traits[name]) as never);
  return {
    made,
    frame,
    picture: pictureMaker()({ frame, layer: made, settings, width: 700, observed }),
  };
}

describe("the preferred patch", () => {
  const made = layer();
  const frame = frameOf([made]);

  it("is never beaten within the bounds, nor is the suppressed one", () => {
    for (const [suppressed, sign] of [
      [false, 1],
      [true, -1],
    ] as const) {
      const found = preferredOf(frame, made, boundsOf(made, null), suppressed);
      for (let f = 0; f < made.count; f++) {
        expect(found.x[f]).toBeGreaterThanOrEqual(-1);
        expect(found.x[f]).toBeLessThanOrEqual(1);
        expect(found.value[f]).toBeCloseTo(phi(made, frame.data, f, found.x[f]), 4);
        for (let k = 0; k <= 1000; k++) {
          // By no more than φ can bulge between two rows, 0.05 apart.
          const at = -1 + k / 500;
          const y = phi(made, frame.data, f, at);
          const around = phi(made, frame.data, f, at - 0.05) + phi(made, frame.data, f, at + 0.05);
          const bulge = Math.abs(around - 2 * y) / 8;
          expect(sign * y).toBeLessThanOrEqual(sign * found.value[f] + 1.1 * bulge + 1e-6);
        }
      }
    }
  });

  it("adds up to what the output reaches", () => {
    const found = preferredOf(frame, made, boundsOf(made, null), false);
    const { output, entries, sum } = reached(made, found, 14);
    expect([output, entries]).toEqual([1, 12]);
    expect(sum).toBeCloseTo(
      found.value.slice(12, 24).reduce((total, v) => total + v, 0),
      9,
    );
  });

  it("of a layer too large for all rows is the same, or nearly", () => {
    const large = layer({ shape: [400, 4, 4, 4] });
    const many = frameOf([large]);
    const bounds = boundsOf(large, null);
    const found = preferredOf(many, large, bounds, false);
    const few = preferredOf(
      { ...many, data: many.data.subarray(0, 24 * 9) },
      made,
      boundsOf(made, null),
      false,
    );
    for (let f = 0; f < 24; f++) expect(found.value[f]).toBeCloseTo(few.value[f], 2);
  });

  it("is grey where φ is constant and not a number where it is not finite", () => {
    const data = frame.data.slice();
    data.fill(0, 0, 9);
    data[9] = Number.NaN;
    const found = preferredOf({ ...frame, data }, made, boundsOf(made, null), false);
    const greys = greysOf(found);
    expect([found.x[0], greys[0]]).toEqual([0, 0.5]);
    expect([found.x[1], greys[1]]).toEqual([Number.NaN, Number.NaN]);
  });
});

describe("bounds", () => {
  it("are the quantiles of each entry's inputs, over groups too", () => {
    const conv = {
      stride: [1, 1],
      padding: [0, 0, 0, 0],
      dilation: [1, 1],
      paddingMode: "zeros",
      groups: 2,
      shared: false,
    } as LayerLayout["conv"];
    const made = layer({ shape: [2, 1, 1, 2], conv });
    const n = 201;
    const patches = Float32Array.from(
      { length: 4 * n },
      (_, k) => (k % 4) * 10 + Math.floor(k / 4),
    );
    const { low, high, samples } = boundsOf(made, observedOf(made, patches, 4));
    // 0.5 % of 200 steps is one step.
    expect(Array.from(low)).toEqual([1, 11, 21, 31]);
    expect(Array.from(high)).toEqual([199, 209, 219, 229]);
    expect(samples).toBe(6);
  });

  it("beyond the table count the base alone", () => {
    const made = layer();
    const frame = frameOf([made]);
    frame.data.fill(0);
    for (let f = 0; f < made.count; f++) frame.data[9 * f] = 1;
    const patches = Float32Array.from(
      { length: 12 * 101 },
      (_, k) => -9 + (6 * Math.floor(k / 12)) / 100,
    );
    const found = preferredOf(frame, made, boundsOf(made, observedOf(made, patches, 12)), true);
    // SiLU falls towards its smallest value, so it is smallest at the high end.
    expect(found.x[0]).toBeCloseTo(-3.03, 1);
    expect(found.value[0]).toBeCloseTo(-0.14, 2);
  });

  it("of another shape are not taken", () => {
    const made = layer();
    expect(boundsOf(made, observedOf(made, randoms(50), 5)).samples).toBe(0);
  });
});

describe("the words", () => {
  it("say bounds, what was found and what the selected kernel reaches", () => {
    const { picture } = pictureOf({ mode: "preferred" });
    expect(axesText(picture)).toBe(
      "black: φ is largest at the low end, x = −1 · white: at the high end, 1",
    );
    expect(reachText(picture, 3)).toMatch(/^output 0 reaches [\d.]+ at most, with 12 functions$/);
    expect(reachText(picture, -1)).toBe("");
    expect(hoverLines(picture, 3, 0).map(({ label }) => label)).toEqual([
      "largest at",
      "φ there",
      "within",
    ]);
    expect(selectionText(picture, 3)).toMatch(/φ is largest at x = −?[\d.]+: −?[\d.]+$/);
    const other = pictureOf({ mode: "preferred", suppressed: true }).picture;
    expect(axesText(other)).toContain("φ is smallest");
    expect(reachText(other, 3)).toContain("at least");
  });

  it("say whether a batch was observed", () => {
    const traits = { mode: "preferred", bounds: "observed" };
    expect(remarks(pictureOf(traits).picture).noted).toContain("call live.observe(batch)");
    const alone = remarks(pictureOf(traits).picture, true).noted;
    expect(alone).toBe("no inputs observed, so within the grid's range");
    const observed = observedOf(layer(), randoms(12 * 40), 12);
    const { picture } = pictureOf(traits, observed);
    expect(remarks(picture).noted).toBe("");
    expect(axesText(picture)).toContain("quantiles 0.5 % and 99.5 % of 6 images");
  });
});
