/** Colours that every reader can tell apart and read, and movement only for those who want it. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ARM, paletteOf, type ThemeName } from "../src/phi/palette.ts";
import { themeOf } from "../src/scene/theme.ts";
import { basisColours, overlayColour, pinColour } from "../src/views/spline_inspector/picture.ts";

type Triple = [number, number, number];

const SOURCES = join(import.meta.dirname, "..", "src");
const SHEETS = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".css"))
  .map((name) => ({ name, css: readFileSync(join(SOURCES, name), "utf8") }));

/** Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB. */
const SIMULATIONS: Record<string, Triple[]> = {
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

function linear(colour: readonly number[]): Triple {
  return colour.map((byte) => {
    const v = byte / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  }) as Triple;
}

function seen(colour: readonly number[], kind: string): Triple {
  const rgb = linear(colour);
  return SIMULATIONS[kind].map((row) =>
    Math.max(0, Math.min(1, row[0] * rgb[0] + row[1] * rgb[1] + row[2] * rgb[2])),
  ) as Triple;
}

/** CIELAB of linear sRGB, white D65. */
function lab([r, g, b]: Triple): Triple {
  const f = (t: number) => (t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116);
  const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** CIE 1976 colour difference, as someone with that kind of colour blindness sees it. */
function difference(a: readonly number[], b: readonly number[], kind: string): number {
  const [p, q] = [lab(seen(a, kind)), lab(seen(b, kind))];
  return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
}

function hex(text: string): Triple {
  const digits = text.slice(1);
  return [0, 2, 4].map((k) => Number.parseInt(digits.slice(k, k + 2), 16)) as Triple;
}

/** WCAG 2.2 contrast ratio. */
function contrast(a: readonly number[], b: readonly number[]): number {
  const [p, q] = [a, b].map((colour) => {
    const [r, g, blue] = linear(colour);
    return 0.2126 * r + 0.7152 * g + 0.0722 * blue + 0.05;
  });
  return Math.max(p, q) / Math.min(p, q);
}

/** The colours that a sheet gives in one theme, by the name after "--kw-". */
function tokens(css: string, theme: ThemeName): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, selector, body] of css.matchAll(/([^{}]+)\{([^{}]*)\}/g)) {
    if (/data-kw-host/.test(selector)) continue;
    if (theme === "light" && /data-kw-theme="dark"/.test(selector)) continue;
    for (const [, name, value] of body.matchAll(/--kw-([\w-]+):\s*(#[0-9a-f]{6})\s*;/g)) {
      found[name] = value;
    }
  }
  return found;
}

const THEMES: ThemeName[] = ["light", "dark"];
const KINDS = Object.keys(SIMULATIONS);
/** The colours of the shared sheet and of one view's own. */
function colours(name: string, theme: ThemeName): Record<string, string> {
  const shared = SHEETS.find((sheet) => sheet.name === join("shell", "view.css"));
  const own = SHEETS.find((sheet) => sheet.name === name);
  const base = own?.css.includes("shell/view.css") ? tokens(shared?.css ?? "", theme) : {};
  return { ...base, ...tokens(own?.css ?? "", theme) };
}

describe("under each kind of colour blindness", () => {
  describe.each(KINDS)("%s", (kind) => {
    it.each(THEMES)("above and below zero stay apart on the diverging palette, %s", (theme) => {
      const { bytes } = paletteOf(theme);
      const at = (place: number) => Array.from(bytes.subarray(3 * place, 3 * place + 3));
      let before = 0;
      for (let k = 16; k <= ARM; k += 16) {
        const apart = difference(at(ARM + k), at(ARM - k), kind);
        // A twentieth of the scale can be seen, and a fifth is plain.
        expect(apart).toBeGreaterThan(k < 52 ? 2.3 : 10);
        if (k <= ARM / 2) expect(apart).toBeGreaterThan(before);
        before = apart;
      }
    });

    it.each(THEMES)("so do the curves of a chart, %s", (theme) => {
      const all = Object.entries(themeOf(theme).colours);
      const curves = all.flatMap(([name, colour]) => (/^curve-/.test(name) ? [hex(colour)] : []));
      expect(curves.length).toBe(7);
      expect(closest(curves, kind)).toBeGreaterThan(10);
    });

    it.each(THEMES)("so do base, splines and the function, %s", (theme) => {
      const all = themeOf(theme).colours;
      const three = [all.ink, all.base, all.spline, all.surface].map(hex);
      expect(closest(three, kind)).toBeGreaterThan(20);
    });

    it.each(THEMES)(
      "so do pinned functions, overlays, and neighbouring basis functions, %s",
      (theme) => {
        const pins = Array.from({ length: 6 }, (_, k) => hex(pinColour(k, theme)));
        expect(closest(pins, kind)).toBeGreaterThan(10);
        const overlays = Array.from({ length: 3 }, (_, k) => hex(overlayColour(k, theme)));
        expect(closest(overlays, kind)).toBeGreaterThan(10);
        const bases = basisColours(8, theme).map((text) => (text.match(/\d+/g) ?? []).map(Number));
        expect(closest(bases as Triple[], kind)).toBeGreaterThan(5);
      },
    );

    it.each(THEMES)("so do the two signs of a bar, %s", (theme) => {
      const all = themeOf(theme).colours;
      expect(closest([all.more, all.less, all.surface].map(hex), kind)).toBeGreaterThan(20);
    });
  });

  it("and a test that cannot tell red from green says so", () => {
    expect(difference([0x8a, 0x6a, 0], [0x5a, 0x80, 0], "deuteranopia")).toBeLessThan(10);
    expect(difference([0x8a, 0x6a, 0], [0x5a, 0x80, 0], "tritanopia")).toBeGreaterThan(20);
  });
});

function closest(all: readonly Triple[], kind: string): number {
  let least = Number.POSITIVE_INFINITY;
  all.forEach((a, k) => {
    for (const b of all.slice(k + 1)) least = Math.min(least, difference(a, b, kind));
  });
  return least;
}

describe("text", () => {
  it.each(THEMES)("stands out from every ground it is on, %s", (theme) => {
    let counted = 0;
    for (const { name } of SHEETS.filter((sheet) => sheet.name.endsWith("style.css"))) {
      const all = { ...themeOf(theme).colours, ...colours(name, theme) };
      for (const ink of ["ink", "muted", "accent", "warn"] as const) {
        for (const ground of ["surface", "hover", "cell"] as const) {
          // Warnings and links are never on a control.
          if (["accent", "warn"].includes(ink) && ground !== "surface") continue;
          const ratio = contrast(hex(all[ink]), hex(all[ground]));
          expect(ratio, `${ink} on ${ground} in ${name}`).toBeGreaterThanOrEqual(4.5);
          counted++;
        }
      }
    }
    expect(counted).toBeGreaterThan(30);
  });
});

describe("movement", () => {
  it("is only for those who have not asked for less", () => {
    let moving = 0;
    for (const { name, css } of SHEETS) {
      const calm = css.replace(
        /@media \(prefers-reduced-motion: no-preference\) \{(?:[^{}]|\{[^{}]*\})*\}/g,
        () => {
          moving++;
          return "";
        },
      );
      expect(calm, name).not.toMatch(/[\s;{](animation|transition|scroll-behavior)(-\w+)*\s*:/);
    }
    expect(moving).toBeGreaterThan(0);
  });
});
