/** The functions of a grid in words. */

import { basisOf, functionText, layerTitle, selectionOf } from "../../phi/entries.ts";
import { formatCount, formatNumber } from "../../phi/format.ts";
import { bandLines, phiAt } from "../../phi/interpolate.ts";
import type { TipLine } from "../../shell/tip.ts";
import { functionReach, type Picture } from "./picture.ts";
import { isGrey } from "./settings.ts";

/** The same as a title, the shorter the later. */
export function placeTexts(picture: Picture, f: number): string[] {
  const { layer, shape } = picture;
  const place = functionText(layer, f, shape.slice(1));
  const { out, in: input } = selectionOf(layer, f);
  return [
    `${layerTitle(layer)} · ${place}`,
    place,
    ...(shape === layer.shape ? [] : [place.replace(/ · input \d+ \((.*)\)$/, " · $1")]),
    `${out}, ${input}`,
  ];
}

/** The number that a function is tinted by; empty where it has none. */
function shadeValue({ shade }: Picture, f: number): string {
  const value = shade?.values ? shade.values[f] : Number.NaN;
  return shade && Number.isFinite(value) ? `${formatNumber(value)} ${shade.units}`.trimEnd() : "";
}

export function hoverLines(picture: Picture, f: number, x: number): TipLine[] {
  const value = shadeValue(picture, f);
  const lines = linesAt(picture, f, x);
  return value ? [...lines, { label: picture.shade?.name ?? "", value }] : lines;
}

const numbered = (label: string, value: number, swatch?: TipLine["swatch"]): TipLine => ({
  label,
  value: formatNumber(value),
  swatch,
});

function linesAt(picture: Picture, f: number, x: number): TipLine[] {
  const { frame, layer, settings, initial } = picture;
  const v = layer.variable;
  if (!isFiniteFunction(picture, f)) return [{ label: "φ", value: "not finite" }];
  if (picture.pattern) {
    const [low, high] = basisOf(layer, f).domain;
    const [atLow, atHigh] = [low, high].map((end) => phiAt(layer, f, frame, end).phi);
    return [
      numbered(`φ(${formatNumber(low)})`, atLow),
      numbered(`φ(${formatNumber(high)})`, atHigh),
      numbered("difference", atHigh - atLow),
    ];
  }
  if (settings.mode === "overview") return [numbered("largest |φ|", functionReach(picture, f))];
  const now = phiAt(layer, f, frame, x);
  if (settings.mode === "change" && initial) {
    const before = phiAt(initial.layer, f, initial.frame, x).phi;
    return [
      numbered(v, x),
      numbered("change", now.phi - before),
      numbered("φ now", now.phi, "ink"),
      numbered(`φ at step ${formatCount(initial.frame.step)}`, before, "ghost"),
    ];
  }
  const [at, value] = [numbered(v, x), numbered(`φ(${v})`, now.phi, "ink")];
  const lines: TipLine[] = [at, value, ...bandLines(layer, f, x)];
  if (!layer.isBase.some((is) => is)) return lines;
  const whole = Math.abs(now.base) + Math.abs(now.spline);
  const share = (part: number) =>
    whole > 0
      ? `${formatNumber(part)}  (${Math.round((100 * Math.abs(part)) / whole)} %)`
      : formatNumber(part);
  lines.push({ label: "base", value: share(now.base), swatch: "base" });
  if (layer.isBase.some((is) => !is)) {
    lines.push({ label: "splines", value: share(now.spline), swatch: "spline" });
  }
  return lines;
}

function isFiniteFunction(picture: Picture, f: number): boolean {
  const measured = isGrey(picture.settings) ? picture.greys : picture.sizes;
  return !Number.isNaN(measured[f]);
}

/** The selected function in one line. */
export function selectionText(picture: Picture, f: number): string {
  const { layer, shape, subject, settings } = picture;
  const name = `${layerTitle(layer)} · ${functionText(layer, f, shape.slice(1))}`;
  if (!isFiniteFunction(picture, f)) return `${name} · not finite`;
  if (picture.pattern) {
    const [low, high] = basisOf(layer, f).domain;
    const difference = subject.at(f, high) - subject.at(f, low);
    return `${name} · φ(${formatNumber(high)}) − φ(${formatNumber(low)}) = ${formatNumber(difference)}`;
  }
  const measure = settings.mode === "change" ? "largest change" : "largest |φ|";
  const [lo, hi] = picture.xRange;
  const ends = (lo < 0 && hi > 0 ? [lo, 0, hi] : [lo, hi]).map(
    (x) =>
      `${settings.mode === "change" ? "Δφ" : "φ"}(${formatNumber(x)}) ${formatNumber(subject.at(f, x))}`,
  );
  const shade = shadeValue(picture, f);
  const shaded = shade ? ` · ${picture.shade?.name} ${shade}` : "";
  return `${name} · ${measure} ${formatNumber(functionReach(picture, f))} · ${ends.join(" · ")}${shaded}`;
}
