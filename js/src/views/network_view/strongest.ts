/** What adds most to a number: its strongest link, and the path of such links back to the input. No DOM. */

import { maxIndex } from "d3-array";
import { isPlain, outputName } from "../../phi/entries.ts";
import { expandAll } from "../../phi/expansion.ts";
import { number } from "../../phi/format.ts";
import { curvesPlot, type Range } from "../../scene/axes.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { dot, line, words } from "../../scene/shapes.ts";
import { fitting } from "../../scene/text.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import type { Frame, LayerLayout } from "../../wire/types.ts";
import { type UnitCloseUp, unitCloseUp } from "./close_up.ts";
import type { Diagram, Part } from "./diagram.ts";
import { cellOf, gridOf, type LayerPicture, outline, thumbMarks } from "./functions.ts";
import type { Bundle } from "./graph.ts";
import { lineMarks, wayOf } from "./links.ts";

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
): Mark[] {
  const { ink } = theme.colours;
  return [
    titleMark([`${name}: ${bundle.count} functions`, `${name}: ${bundle.count} φ`], box, theme),
    ...thumbMarks(part, [{ bundle, box }], theme),
    outline(box, ink, FRAMED),
    outline(cellOf(box, gridOf(part.column), entry), ink, FRAMED),
  ];
}

/** Also beyond the table, where the example may lie; without what is not known there. */
function curveOf(frame: Frame, layer: LayerLayout, f: number, { from, to }: Range) {
  const { nb, offset, tableOf } = layer;
  const even = Array.from({ length: POINTS }, (_, k) => from + ((to - from) * k) / (POINTS - 1));
  const { values } = expandAll(layer, tableOf?.[f] ?? 0, even);
  const own = frame.data.subarray(offset + f * nb, offset + (f + 1) * nb);
  const y = even.map((_, p) => own.reduce((sum, c, b) => sum + c * values[p * nb + b], 0));
  const isKnown = (_: number, p: number) => Number.isFinite(y[p]);
  return { x: even.filter(isKnown), y: y.filter(isKnown) };
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
  const curve = (of: Frame, stroke: string, width: number) => ({
    points: curveOf(of, picture.layer, bundle.first + entry, along),
    stroke,
    paint: { round: true, width },
  });
  const then = ghost && ghost !== frame ? [curve(ghost, colours.ghost, 1.75)] : [];
  const lines = [...then, curve(frame, colours.ink, 2)];
  const inside = { ...box, y: box.y + TITLE, height: box.height - TITLE - 2 };
  const most = { x: box.width < PLOT.least ? 3 : 5, y: 4 };
  const made = curvesPlot(inside, along, lines, colours, {
    most,
    air: AIR,
    size: WORDS,
    values: [value],
  });
  const { plot } = made;
  const at = [made.x.scale(x), made.y.scale(value)];
  const fill = value < 0 ? colours.less : colours.more;
  // The input of the example on the curve, and what the function adds.
  const example: Mark[] = [
    line([at[0], made.y.scale(0), ...at], fill, { width: 2.5 }),
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
    ...made.marks,
    ...(at.every(Number.isFinite) ? example : []),
    outline(plot, colours.ink, FRAMED),
  ];
}

function titleMark(texts: string[], { x, y, width }: Rect, { colours }: Theme): Mark {
  return words(x, y - 6, fitting(texts, width, WORDS), colours.ink, { size: WORDS });
}

/** A link on the path: the number of a bundle that leads to a column. */
interface Leg {
  column: number;
  bundle: number;
}

/** Wider than any other link without a colour; and than one with a colour. */
const PATH = 2.6;
const EDGED = 6.5;

/**
 * Back along the link that adds most to each number for the example; between maps along the one whose functions vary
 * most, as links are drawn. It ends where links are not known or not drawn.
 */
export function strongestPath(diagram: Diagram, closeUp: UnitCloseUp): Leg[] {
  const legs: Leg[] = [];
  let part: Part | undefined = diagram.parts[closeUp.column];
  let { unit } = closeUp;
  while (part) {
    const { bundles, before, number }: Part = part;
    const sizeOf = strengths(diagram, part, unit, closeUp);
    const best = maxIndex(bundles, ({ to, from }, n) =>
      to === unit && before?.byUnit.has(from) ? sizeOf(n) : undefined,
    );
    if (best < 0) break;
    legs.push({ column: number, bundle: best });
    part = before;
    unit = bundles[best].from;
  }
  return legs;
}

/** How strong each link into a unit is. */
function strengths(
  { graph, flow }: Diagram,
  { number, bundles, relevance }: Part,
  unit: number,
  closeUp: UnitCloseUp,
): (n: number) => number {
  const isFirst = number === closeUp.column && unit === closeUp.unit;
  const made = isFirst
    ? closeUp
    : flow?.frame && unitCloseUp(graph, number, flow, flow.frame, unit);
  if (!made) return (n) => relevance?.sizes[n] ?? 0;
  const parts = new Map(made.parts.map(({ from, value }) => [from, Math.abs(value)]));
  return (n) => parts.get(bundles[n].from) ?? 0;
}

/** Its links, below those that are coloured: of the first, which is one of them, the edge is seen. */
export function strongestPathLines(
  { parts }: Diagram,
  legs: readonly Leg[],
  { ink }: Colours,
): Mark[] {
  return legs.flatMap(({ column, bundle }, k): Mark[] => {
    const way = wayOf(parts[column], bundle);
    if (!way) return [];
    const wide = k === 0 ? EDGED : PATH;
    const lines = lineMarks([{ way, weight: 1 }], ink, { wide, strong: 0.85 });
    const { to, behind } = way;
    if (behind === null) return lines;
    // As wide as before on its way through the first rank.
    return [...lines, line([to.x, to.y, behind, to.y], ink, { width: wide, opacity: 0.85 })];
  });
}

/** Frames of what it leads through. */
export function strongestPathFrames(
  { parts }: Diagram,
  legs: readonly Leg[],
  { ink }: Colours,
): Mark[] {
  return legs.slice(1).flatMap(({ column: k, bundle }): Mark[] => {
    const { column, thumbs, byUnit, bundles } = parts[k];
    const unit = byUnit.get(bundles[bundle].to);
    const framed = [thumbs.get(bundle), column.map ? unit : undefined];
    const marks: Mark[] = framed.flatMap((box) => (box ? outline(box, ink, FRAMED) : []));
    if (column.map || !unit) return marks;
    const { x, y, width, height } = unit;
    const paint = { stroke: ink, width: FRAMED };
    return [...marks, dot(x + width / 2, y + height / 2, width / 2 + 1.5, paint)];
  });
}
