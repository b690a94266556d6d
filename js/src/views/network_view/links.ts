/** The links of a network as lines, and what is looked at: the unit, what feeds it and what it feeds. No DOM. */

import type { LinesMark, Mark, Rect } from "../../scene/marks.ts";
import { rect, rects, segments, words } from "../../scene/shapes.ts";
import { widthOf } from "../../scene/text.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import type { CloseUp, PixelCloseUp, UnitCloseUp } from "./close_up.ts";
import { type Diagram, type Focus, type Part, weightOf } from "./diagram.ts";
import { cellOf, gridOf, outline, thumbMarks } from "./functions.ts";
import type { Bundle } from "./graph.ts";
import type { UnitBox } from "./layout.ts";

/** Pieces of a line; of thousands of faint ones fewer will do. */
const STEPS = 18;
const STEPS_OF_MANY = 9;
const MANY = 2000;
const LEVELS = 10;
/** Lines in a gap narrower than this run into each other. */
const GAP = 60;
/** More lines than this are drawn thin: see shell/canvas.ts. */
const FEW = 120;

/** Where a link begins, and where it goes on behind its thumbnail. */
interface Way {
  from: { x: number; y: number };
  /** Where it leaves the others of its unit. */
  leave: number;
  thumb: Rect | undefined;
  to: { x: number; y: number };
  /** Where the unit stands behind others, in the second rank: a thin line goes on so far. */
  behind: number | null;
}

export interface Line {
  way: Way;
  /** 0 to 1: how strong it is drawn. */
  weight: number;
}

/** Of bundle `n` that leads to a column; null where its units are not drawn. */
export function wayOf({ before, byUnit, bundles, box, thumbs }: Part, n: number): Way | null {
  const { from, to } = bundles[n];
  const [source, target] = [before?.byUnit.get(from), byUnit.get(to)];
  if (!before || !source || !target) return null;
  return {
    from: { x: source.x + source.width + 1, y: source.y + source.height / 2 },
    leave: before.out,
    thumb: thumbs.get(n),
    to: { x: box.x - 2, y: target.y + target.height / 2 },
    behind: target.x - box.x > target.width ? target.x - 2 : null,
  };
}

export function linesOf(
  part: Part,
  bundles: readonly number[],
  weight: (n: number) => number,
): Line[] {
  return bundles.flatMap((n): Line[] => {
    const way = wayOf(part, n);
    return way ? [{ way, weight: weight(n) }] : [];
  });
}

interface Points {
  xy: number[];
  ends: number[];
}

/** Adds the points of a way from where it leaves the others of its unit: smooth from left to right, level at its ends. */
function addWay({ from, leave, thumb, to }: Way, steps: number, { xy, ends }: Points) {
  const start = Math.max(from.x, leave);
  if (thumb) {
    const middle = thumb.y + thumb.height / 2;
    bend(start, from.y, thumb.x, middle, steps, xy);
    ends.push(xy.length / 2);
    bend(thumb.x + thumb.width, middle, to.x, to.y, steps, xy);
  } else bend(start, from.y, to.x, to.y, steps, xy);
  ends.push(xy.length / 2);
}

/** Adds points of the cubic with both control points half way. */
function bend(x0: number, y0: number, x1: number, y1: number, steps: number, xy: number[]) {
  if (Math.abs(y1 - y0) < 0.5) {
    xy.push(x0, y0, x1, y1);
    return;
  }
  const middle = (x0 + x1) / 2;
  for (let k = 0; k <= steps; k++) {
    const t = k / steps;
    const u = 1 - t;
    const x = u * u * u * x0 + 3 * u * t * middle + t * t * t * x1;
    xy.push(x, u * u * (1 + 2 * t) * y0 + t * t * (3 - 2 * t) * y1);
  }
}

/** Lines in a few strengths, the weak ones below; `among` is how many there are of which these are some. */
export function lineMarks(
  lines: readonly Line[],
  stroke: string,
  { faint = 0.05, strong = 0.9, wide = 2.4, among = lines.length } = {},
): Mark[] {
  const groups = Array.from({ length: LEVELS }, (): Points => ({ xy: [], ends: [] }));
  // What links of one unit have in common is drawn once, as strong as the strongest of them.
  const stems = new Map<number, { way: Way; level: number }>();
  const steps = lines.length > MANY ? STEPS_OF_MANY : STEPS;
  for (const { way, weight } of lines) {
    const level = Math.min(LEVELS - 1, Math.floor(LEVELS * Math.max(0, weight)));
    addWay(way, steps, groups[level]);
    if (level > (stems.get(way.from.y)?.level ?? -1)) stems.set(way.from.y, { way, level });
  }
  for (const { way, level } of stems.values()) {
    const { from, leave } = way;
    if (leave <= from.x + 1) continue;
    groups[level].xy.push(from.x, from.y, leave, from.y);
    groups[level].ends.push(groups[level].xy.length / 2);
  }
  const thin = among > FEW;
  const levels = groups.flatMap(({ xy, ends }, level): LinesMark[] => {
    if (ends.length === 0) return [];
    const share = level / (LEVELS - 1);
    // Many on top of each other are dark however faint each is, the more so in a narrow gap.
    const [{ way }] = lines;
    const gap = Math.min(1, Math.max(0.3, (way.to.x - way.leave) / GAP));
    const fade = Math.min(1, Math.sqrt((30 * gap) / among));
    const opacity = Math.max(0.03, (faint + (strong - faint) * share ** 1.5) * fade);
    const width = thin ? 1 : 0.8 + (wide - 0.8) * share * fade;
    return [{ kind: "lines", xy, ends, stroke, opacity, width }];
  });
  // To units in the second rank, once for all links that lead to one.
  const behinds = new Map(lines.map(({ way }) => [way.to.y, way]));
  const xy = [...behinds.values()].flatMap(({ to, behind }) =>
    behind === null ? [] : [to.x, to.y, behind, to.y],
  );
  const behind = segments(xy, stroke, { opacity: thin ? 0.3 : 0.6, width: 1 });
  return xy.length > 0 ? [behind, ...levels] : levels;
}

/** At most so many links of a unit are lit that are not drawn otherwise. */
const LIT = 40;
/** So many units with the largest parts have their numbers on them, as under the bars. */
const NAMED = 5;

/** `pointed`: what is looked at is pointed at, and not selected. */
export function focusMarks(
  diagram: Diagram,
  focus: Focus,
  closeUp: CloseUp | null,
  pointed: boolean,
  theme: Theme,
): Mark[] {
  const { parts } = diagram;
  const { colours } = theme;
  const stroke = pointed ? colours.ink : colours.accent;
  const marks: Mark[] = [];
  const part = parts[focus.column];
  const { before, bundles, thumbs } = part;
  if (before && part.relevance) {
    const into = strongest(part, ({ to }) => to === focus.unit);
    marks.push(...intoMarks(part, focus.bundle >= 0 ? [focus.bundle] : into, closeUp, colours));
    const list = into.flatMap((n) => {
      const box = thumbs.get(n);
      return box ? [{ bundle: bundles[n], box }] : [];
    });
    marks.push(...thumbMarks(part, list, theme));
  }
  for (const next of parts) {
    if (next.before !== part || !next.relevance || focus.bundle >= 0) continue;
    const out = strongest(next, ({ from }) => from === focus.unit);
    const lines = linesOf(next, out, (n) => weightOf(next.relevance, n));
    marks.push(...lineMarks(lines, colours.accent, { faint: 0.25 }));
  }
  const unit = part.byUnit.get(focus.unit);
  if (unit) marks.push(outline(unit, stroke, 2));
  marks.push(...chosenMarks(diagram, focus, stroke));
  const source = focus.bundle >= 0 && before?.byUnit.get(bundles[focus.bundle].from);
  if (source) marks.push(outline(source, stroke, 1.5));
  if (closeUp?.kind === "pixel" && closeUp.column === focus.column && unit) {
    marks.push(...pixelMarks(diagram, closeUp, unit, colours));
  }
  return marks;
}

/** The frame of a link and of the function in it. */
export function chosenMarks({ parts }: Diagram, focus: Focus, stroke: string): Mark[] {
  const { column, thumbs, bundles } = parts[focus.column];
  const thumb = thumbs.get(focus.bundle);
  if (!thumb) return [];
  const marks: Mark[] = [outline(thumb, stroke, 2)];
  if (focus.entry !== null && bundles[focus.bundle].count > 1) {
    const cell = cellOf(thumb, gridOf(column), focus.entry);
    marks.push(rect(cell, { stroke, width: 1.5, radius: 2 }));
  }
  return marks;
}

/** What an example adds to a number, as links: of the number that is shown closely, where nothing is pointed at. */
export function litMarks({ parts }: Diagram, closeUp: UnitCloseUp, { colours }: Theme): Mark[] {
  const part = parts[closeUp.column];
  const size = new Map(closeUp.parts.map(({ from, value }) => [from, Math.abs(value)]));
  const sizeOf = (n: number) => size.get(part.bundles[n].from) ?? 0;
  const order = part.bundles.flatMap(({ to }, n) => (to === closeUp.unit ? [n] : []));
  order.sort((a, b) => sizeOf(b) - sizeOf(a));
  return intoMarks(part, order.slice(0, LIT), closeUp, colours);
}

/** The numbers of the units that add most or take most away: on their maps, or where the links of what is too small begin. */
export function namedMarks({ parts }: Diagram, closeUp: UnitCloseUp, { colours }: Theme): Mark[] {
  const { before } = parts[closeUp.column];
  if (!before || before.column.kind === "input") return [];
  const order = [...closeUp.parts].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  return order.slice(0, NAMED).flatMap(({ from }): Mark[] => {
    const unit = before.byUnit.get(from);
    if (!unit) return [];
    const isLarge = unit.height >= 24;
    const x = isLarge ? unit.x + 1 : before.out + 2;
    const y = isLarge ? unit.y + 10 : unit.y + unit.height / 2 + 3.5;
    const ground = [x, y - 9, widthOf(String(from), 9) + 4, 11];
    return [
      rects(ground, { fill: colours.surface, opacity: 0.85, radius: 2 }),
      words(x + 2, y, String(from), colours.ink, { size: 9 }),
    ];
  });
}

function strongest({ bundles, relevance }: Part, wanted: (bundle: Bundle) => boolean): number[] {
  const found = bundles.flatMap((bundle, n) => (wanted(bundle) ? [n] : []));
  const size = (n: number) => relevance?.sizes[n] ?? 0;
  return found.sort((a, b) => size(b) - size(a)).slice(0, LIT);
}

/** Links into a unit: orange where they add to it for the example, blue where they take away; else by relevance. */
function intoMarks(
  part: Part,
  into: readonly number[],
  closeUp: CloseUp | null,
  { accent, more, less }: Colours,
): Mark[] {
  if (closeUp?.kind !== "unit" || closeUp.column !== part.number) {
    const lines = linesOf(part, into, (n) => weightOf(part.relevance, n));
    return lineMarks(lines, accent, { faint: 0.35 });
  }
  const values = new Map(closeUp.parts.map(({ from, value }) => [from, value]));
  const most = Math.max(...closeUp.parts.map(({ value }) => Math.abs(value))) || 1;
  const partOf = (n: number) => values.get(part.bundles[n].from) ?? 0;
  const weight = (n: number) => Math.abs(partOf(n)) / most;
  const options = { faint: 0.3, wide: 4, among: into.length };
  // The strongest on top, whichever way they go: what they end in has the colour of what adds most.
  const band = (n: number) => Math.min(3, Math.floor(4 * weight(n)));
  return [0, 1, 2, 3].flatMap((k) =>
    [-1, 1].flatMap((sign) => {
      const own = into.filter((n) => sign * partOf(n) > 0 && band(n) === k);
      return lineMarks(linesOf(part, own, weight), sign > 0 ? more : less, options);
    }),
  );
}

/** The pixel, and the patch that it comes from on the unit before. */
function pixelMarks(
  { graph, parts }: Diagram,
  { row, at, layer, channel, column }: PixelCloseUp,
  unit: UnitBox,
  { accent, surface }: Colours,
): Mark[] {
  // On colours like its own it is seen by what is around it.
  const mark = (box: Rect): Mark[] => [
    rect(box, { stroke: surface, width: 4 }),
    rect(box, { stroke: accent, width: 1.5 }),
  ];
  const marks: Mark[] = [];
  const { before, column: own } = parts[column];
  const source = before?.byUnit.get(channel);
  const shape = graph.stations[Math.max(...graph.stations[own.station].sources)]?.shape ?? [];
  const { conv } = layer;
  if (before?.column.map && source && conv && shape.length === 3) {
    // A pool between makes the patch as much larger there.
    const [w, h] = [source.width / shape[2], source.height / shape[1]];
    const [, , kh, kw] = layer.shape;
    marks.push(
      ...mark({
        x: source.x + (at * conv.stride[1] - conv.padding[0]) * w,
        y: source.y + (row * conv.stride[0] - conv.padding[2]) * h,
        width: (conv.dilation[1] * (kw - 1) + 1) * w,
        height: (conv.dilation[0] * (kh - 1) + 1) * h,
      }),
    );
  }
  if (!own.map) return marks;
  const [w, h] = [unit.width / own.map[1], unit.height / own.map[0]];
  // At least so large that it is found, around the pixel.
  const [width, height] = [Math.max(5, w), Math.max(5, h)];
  const x = unit.x + (at + 0.5) * w - width / 2;
  return [...marks, ...mark({ x, y: unit.y + (row + 0.5) * h - height / 2, width, height })];
}
