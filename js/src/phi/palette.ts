/**
 * A diverging palette centred on zero: blue below, orange to brown above, the ground's own lightness between.
 *
 * Both arms run through OKLab (Ottosson 2020) with the same lightness at the same distance from zero and in steps of
 * equal length, so that equal differences look equal. Blue and orange stay apart in every kind of colour blindness.
 */

export type ThemeName = "light" | "dark";
type Triple = [number, number, number];

/** Colours on either side of the middle one. */
export const ARM = 255;

interface Arm {
  /** OKLCH hue in degrees. */
  hue: number;
  /** Chroma at shares 0, 1/3, 2/3 and 1 of the arm's lightness. */
  chroma: [number, number, number, number];
}

const DESIGN: Record<ThemeName, { lightness: [number, number]; below: Arm; above: Arm }> = {
  light: {
    lightness: [0.975, 0.36],
    below: { hue: 250, chroma: [0, 0.075, 0.128, 0.1] },
    above: { hue: 58, chroma: [0, 0.088, 0.128, 0.08] },
  },
  dark: {
    lightness: [0.27, 0.865],
    below: { hue: 245, chroma: [0, 0.09, 0.128, 0.076] },
    above: { hue: 66, chroma: [0, 0.094, 0.13, 0.1] },
  },
};

export type Palette = ReturnType<typeof buildPalette>;

const palettes: Partial<Record<ThemeName, Palette>> = {};

export function paletteOf(theme: ThemeName): Palette {
  palettes[theme] ??= buildPalette(theme);
  return palettes[theme];
}

function buildPalette(theme: ThemeName) {
  const { lightness, below, above } = DESIGN[theme];
  /** 2·ARM + 1 colours as bytes r, g, b; the middle one stands for zero. */
  const bytes = new Uint8ClampedArray(3 * (2 * ARM + 1));
  for (const [arm, sign] of [
    [below, -1],
    [above, 1],
  ] as const) {
    armColours(lightness, arm).forEach((colour, k) => {
      bytes.set(colour, 3 * (ARM + sign * k));
    });
  }
  /** The same colours as 32-bit pixels of an image. */
  const pixels = new Uint32Array(2 * ARM + 1);
  for (let k = 0; k < pixels.length; k++) {
    pixels[k] = pixel(bytes[3 * k], bytes[3 * k + 1], bytes[3 * k + 2]);
  }
  /** Two shades, in turns, for what is not finite. */
  const broken =
    theme === "dark"
      ? [pixel(120, 120, 120), pixel(70, 70, 70)]
      : [pixel(150, 150, 150), pixel(205, 205, 205)];
  return { bytes, pixels, broken };
}

/** ARM + 1 colours along one arm, at equal distances in OKLab. */
function armColours([from, to]: [number, number], arm: Arm): Triple[] {
  const samples = 2048;
  const colourAt = (share: number): Triple => {
    const l = from + (to - from) * share;
    const c = cubic(arm.chroma, share);
    const h = (arm.hue * Math.PI) / 180;
    return [l, c * Math.cos(h), c * Math.sin(h)];
  };
  const length = [0];
  for (let k = 1; k <= samples; k++) {
    const [p, q] = [colourAt((k - 1) / samples), colourAt(k / samples)];
    length.push(length[k - 1] + Math.hypot(q[0] - p[0], q[1] - p[1], q[2] - p[2]));
  }
  const colours: Triple[] = [];
  let k = 0;
  for (let n = 0; n <= ARM; n++) {
    const target = (length[samples] * n) / ARM;
    while (k < samples && length[k] < target) k++;
    colours.push(srgb(colourAt(k / samples)));
  }
  return colours;
}

/** The cubic through four values at 0, 1/3, 2/3 and 1. */
function cubic([a, b, c, d]: Arm["chroma"], share: number): number {
  const t = 3 * share;
  return (
    (a * (t - 1) * (t - 2) * (t - 3)) / -6 +
    (b * t * (t - 2) * (t - 3)) / 2 +
    (c * t * (t - 1) * (t - 3)) / -2 +
    (d * t * (t - 1) * (t - 2)) / 6
  );
}

function srgb([l, a, b]: Triple): Triple {
  const [x, y, z] = [
    l + 0.3963377774 * a + 0.2158037573 * b,
    l - 0.1055613458 * a - 0.0638541728 * b,
    l - 0.0894841775 * a - 1.291485548 * b,
  ].map((v) => v ** 3);
  return [
    4.0767416621 * x - 3.3077115913 * y + 0.2309699292 * z,
    -1.2684380046 * x + 2.6097574011 * y - 0.3413193965 * z,
    -0.0041960863 * x - 0.7034186147 * y + 1.707614701 * z,
  ].map((v) => 255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055)) as Triple;
}

const littleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

function pixel(r: number, g: number, b: number): number {
  return littleEndian
    ? ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0
    : ((r << 24) | (g << 16) | (b << 8) | 255) >>> 0;
}

/** The number of the colour for a value on a scale of ±most; the middle where there is no scale. */
export function colourOf(value: number, most: number): number {
  if (!(most > 0)) return ARM;
  return ARM + Math.round(ARM * Math.max(-1, Math.min(1, value / most)));
}

/** Writes the pixels of an image `width` wide; places that are not finite get a chequered grey. */
export function colourise(
  values: ArrayLike<number>,
  most: number,
  { pixels, broken }: Palette,
  out: Uint32Array,
  width: number,
): void {
  const factor = most > 0 ? ARM / most : 0;
  for (let k = 0; k < values.length; k++) {
    const value = values[k];
    if (Math.abs(value) <= Number.MAX_VALUE) {
      const place = Math.max(-ARM, Math.min(ARM, Math.round(factor * value)));
      out[k] = pixels[ARM + place];
    } else {
      out[k] = broken[(k + Math.floor(k / width)) % 2];
    }
  }
}
