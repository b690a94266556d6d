/** Draws what is looked at: the unit, what feeds it and what it feeds. No DOM. */

import type { Mark, Rect } from "../../scene/marks.ts";
import { rect, rects, words } from "../../scene/shapes.ts";
import { widthOf } from "../../scene/text.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import type { CloseUp, PixelCloseUp, UnitCloseUp } from "./close_up.ts";
import { type Diagram, type Focus, type Part, weightOf } from "./diagram.ts";
import { cellOf, gridOf, outline, thumbMarks } from "./functions.ts";
import type { Bundle } from "./graph.ts";
import type { UnitBox } from "./layout.ts";
import { lineMarks, linesOf } from "./links.ts";

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
