/** The link that adds most to a number: its functions, and the strongest of them as a plot with axes. No DOM. */

import { isPlain, outputName } from "../../phi/entries.ts";
import { expandAll } from "../../phi/expansion.ts";
import { number } from "../../phi/format.ts";
import type { Palette } from "../../phi/palette.ts";
import { axesMarks, fittedAxes, type Range } from "../../scene/axes.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { dot, line, rect, words } from "../../scene/shapes.ts";
import { widthOf } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import type { Frame, LayerLayout } from "../../wire/types.ts";
import type { UnitCloseUp } from "./close_up.ts";
import type { Diagram, Part } from "./diagram.ts";
import { cellOf, gridOf, type LayerPicture, thumbMarks } from "./functions.ts";
import type { Bundle } from "./graph.ts";
import { outline } from "./marks.ts";

interface StrongestLink {
  part: Part;
  picture: LayerPicture;
  bundle: Bundle;
  /** The functions that the example runs through, and what they were before; null where that is not known. */
  frame: Frame;
  ghost: Frame | null;
  /** "map 13 → 7". */
  name: string;
  entry: number;
  x: number;
  value: number;
}

/** What belongs to it has such a frame. */
export const FRAMED = 1.75;
const WORDS = 10;
const TITLE = 16;
const POINTS = 80;
const AIR = 0.08;
const GAP = 22;
/** Below this width there is room for the one function alone. */
const WIDE = 560;
const PLOT = { narrow: 112, least: 170, most: 250, share: 0.2 };

/** Of a plain layer none: its straight lines say no more than their links. */
export function strongestLink(
  { parts, ghost, flow, frame: now }: Diagram,
  { column, unit, source, strongest }: UnitCloseUp,
): StrongestLink | null {
  const part = parts[column];
  const { picture } = part;
  if (!picture || isPlain(picture.layer)) return null;
  const { from } = strongest;
  const bundle = part.bundles.find((one) => one.from === from && one.to === unit);
  if (!bundle) return null;
  const start = source === "map" ? `map ${from}` : from;
  const name = `${start} → ${outputName(picture.layer, unit, "").trim()}`;
  return { part, picture, bundle, frame: flow?.frame ?? now, ghost, name, ...strongest };
}

/**
 * Parts a box into the room of the bars, that of the link's functions where there are several, and that of the one; and
 * how wide the heading over them is.
 */
export function roomsOf(
  { bundle }: StrongestLink,
  box: Rect,
): { bars: Rect; grid: Rect | null; plot: Rect; heading: number } {
  const isWide = box.width >= WIDE;
  const plot = isWide
    ? Math.max(PLOT.least, Math.min(PLOT.most, PLOT.share * box.width))
    : PLOT.narrow;
  const side = isWide && bundle.count > 1 ? Math.min(104, box.height - TITLE - 4) : 0;
  const right = box.x + box.width;
  const used = plot + (side > 0 ? side + GAP : 0) + (isWide ? GAP : 8);
  return {
    bars: { ...box, width: box.width - used },
    grid:
      side > 0
        ? { x: right - plot - GAP - side, y: box.y + TITLE, width: side, height: side }
        : null,
    plot: { ...box, x: right - plot, width: plot },
    heading: isWide ? box.width - used : box.width,
  };
}

/** All functions of the link, the strongest in a frame. */
export function gridMarks(
  { part, bundle, entry, name }: StrongestLink,
  box: Rect,
  theme: Theme,
  palette: Palette,
): Mark[] {
  const { ink } = theme.colours;
  return [
    titleMark([`${name}: ${bundle.count} functions`, `${name}: ${bundle.count} φ`], box, theme),
    ...thumbMarks(part, [{ bundle, box }], theme, palette),
    outline(box, ink, FRAMED),
    outline(cellOf(box, gridOf(part.column), entry), ink, FRAMED),
  ];
}

interface Curve {
  x: number[];
  y: number[];
}

/** Also beyond the table, where the example may lie; without what is not known there. */
function curveOf(frame: Frame, layer: LayerLayout, f: number, { from, to }: Range): Curve {
  const { nb, offset, tableOf } = layer;
  const even = Array.from({ length: POINTS }, (_, k) => from + ((to - from) * k) / (POINTS - 1));
  const { values } = expandAll(layer, tableOf?.[f] ?? 0, even);
  const own = frame.data.subarray(offset + f * nb, offset + (f + 1) * nb);
  const y = even.map((_, p) => own.reduce((sum, c, b) => sum + c * values[p * nb + b], 0));
  const known = even.flatMap((_, p) => (Number.isFinite(y[p]) ? [p] : []));
  return { x: known.map((p) => even[p]), y: known.map((p) => y[p]) };
}

/** The strongest function with axes, what it was, and the example on it. */
export function plotMarks(link: StrongestLink, box: Rect, theme: Theme): Mark[] {
  const { picture, frame, bundle, entry, ghost, x, value, name } = link;
  const { colours } = theme;
  const [low, high] = picture.x;
  const edge = AIR * (high - low);
  const along = Number.isFinite(x)
    ? { from: Math.min(low, x - edge), to: Math.max(high, x + edge) }
    : { from: low, to: high };
  const [now, then] = [frame, ghost === frame ? null : ghost].map((of) =>
    of ? curveOf(of, picture.layer, bundle.first + entry, along) : { x: [], y: [] },
  );
  const inside = { ...box, y: box.y + TITLE, height: box.height - TITLE - 2 };
  const most = { x: box.width < PLOT.least ? 3 : 5, y: 4 };
  const fitting = { most, air: AIR, size: WORDS };
  const {
    plot,
    x: across,
    y: up,
  } = fittedAxes(inside, along, [value, ...now.y, ...then.y], fitting);
  const curve = (of: Curve, stroke: string, width: number) =>
    line(
      of.x.flatMap((at, p) => [across.scale(at), up.scale(of.y[p])]),
      stroke,
      { round: true, width },
    );
  const zero = up.scale(0);
  const at = [across.scale(x), up.scale(value)];
  const fill = value < 0 ? colours.less : colours.more;
  // The input of the example on the curve, and what the function adds.
  const example: Mark[] = [
    line([at[0], zero, ...at], fill, { width: 2.5 }),
    dot(at[0], at[1], 4, { fill, stroke: colours.surface, width: 1 }),
  ];
  const [input, said] = [x, value].map((one) => number(Number(one.toPrecision(2))));
  const what = `φ(${input}) = ${said}`;
  const isOne = bundle.count === 1;
  const isNamed = isOne || box.width < PLOT.least;
  const names = [name, name.replace("map ", "")];
  const named = isOne
    ? names.flatMap((of) => [`${of}: ${what}`, `${of}: φ = ${said}`])
    : [...names.map((of) => `${of}, strongest φ: ${said}`), `strongest φ: ${said}`];
  const titles = isNamed ? named : [`its strongest: ${what}`, `strongest φ: ${said}`];
  return [
    titleMark(titles, isNamed ? { ...box, y: plot.y } : { ...plot, width: plot.width + 10 }, theme),
    rect(plot, { fill: colours.plot }),
    ...axesMarks(plot, across, up, colours, { size: WORDS }),
    line([plot.x, zero, plot.x + plot.width, zero], colours.muted),
    curve(then, colours.ghost, 1.75),
    curve(now, colours.ink, 2),
    ...(at.every(Number.isFinite) ? example : []),
    outline(plot, colours.ink, FRAMED),
  ];
}

function titleMark(texts: string[], { x, y, width }: Rect, { colours }: Theme): Mark {
  const text = texts.find((one) => widthOf(one, WORDS) <= width) ?? texts[texts.length - 1];
  return words(x, y - 6, text, colours.ink, { size: WORDS });
}
