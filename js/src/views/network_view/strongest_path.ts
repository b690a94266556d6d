/** The strongest path of an example through the network, from a number at its end back to the input. No DOM. */

import type { Mark } from "../../scene/marks.ts";
import type { Colours } from "../../scene/theme.ts";
import { type UnitCloseUp, unitCloseUp } from "./close_up.ts";
import type { Diagram } from "./diagram.ts";
import { lineMarks, wayOf } from "./links.ts";
import { outline } from "./marks.ts";
import { FRAMED } from "./strongest_link.ts";

/** A link on the path: the number of a bundle that leads to a column. */
export interface Leg {
  column: number;
  bundle: number;
}

/** Wider than any other link without a colour; and than one with a colour. */
const WIDE = 2.6;
const EDGED = 6.5;

/**
 * Back along the link that adds most to each number for the example; between maps along the one whose functions vary
 * most, as links are drawn. It ends where links are not known or not drawn.
 */
export function strongestPath(diagram: Diagram, closeUp: UnitCloseUp): Leg[] {
  const { graph, layout, shown } = diagram;
  const legs: Leg[] = [];
  let [column, unit] = [closeUp.column, closeUp.unit];
  while (column >= 0) {
    const { bundles } = shown[column];
    const sizeOf = strengths(diagram, column, unit, closeUp);
    const from = graph.columns[column].from[0] ?? -1;
    let best = -1;
    bundles.forEach(({ to, from: source }, n) => {
      if (to !== unit || !layout.columns[from]?.byUnit.has(source)) return;
      if (best < 0 || sizeOf(n) > sizeOf(best)) best = n;
    });
    if (best < 0) break;
    legs.push({ column, bundle: best });
    [column, unit] = [from, bundles[best].from];
  }
  return legs;
}

/** How strong each link into a unit is. */
function strengths(
  { graph, flow, shown, relevances }: Diagram,
  column: number,
  unit: number,
  closeUp: UnitCloseUp,
): (n: number) => number {
  const { bundles } = shown[column];
  const isFirst = column === closeUp.column && unit === closeUp.unit;
  const made = isFirst
    ? closeUp
    : flow?.frame && unitCloseUp(graph, column, flow, flow.frame, unit);
  if (!made) return (n) => relevances[column]?.sizes[n] ?? 0;
  const parts = new Map(made.parts.map(({ from, value }) => [from, Math.abs(value)]));
  return (n) => parts.get(bundles[n].from) ?? 0;
}

/** Its links, below those that are coloured: of the first, which is one of them, the edge is seen. */
export function strongestPathLines(
  { layout, shown }: Diagram,
  legs: readonly Leg[],
  { ink }: Colours,
): Mark[] {
  return legs.flatMap(({ column, bundle }, k): Mark[] => {
    const after = layout.columns[column];
    const before = layout.columns[after.column.from[0]];
    const way = wayOf(before, after, shown[column].bundles[bundle], bundle);
    if (!way) return [];
    const wide = k === 0 ? EDGED : WIDE;
    const lines = lineMarks([{ way, weight: 1 }], before.out, ink, { wide, strong: 0.85 });
    const { to, behind } = way;
    if (behind === null) return lines;
    // As wide as before on its way through the first rank.
    const xy = [to.x, to.y, behind, to.y];
    return [...lines, { kind: "lines", xy, ends: [2], stroke: ink, width: wide, opacity: 0.85 }];
  });
}

/** Frames of what it leads through. */
export function strongestPathFrames(
  { layout, shown }: Diagram,
  legs: readonly Leg[],
  { ink }: Colours,
): Mark[] {
  return legs.slice(1).flatMap(({ column: k, bundle }): Mark[] => {
    const { column, thumbs, byUnit } = layout.columns[k];
    const unit = byUnit.get(shown[k].bundles[bundle].to);
    const framed = [thumbs.get(bundle), column.map ? unit : undefined];
    const marks = framed.flatMap((box) => (box ? outline(box, ink, FRAMED) : []));
    if (column.map || !unit) return marks;
    const { x, y, width, height } = unit;
    const ring = { xy: [x + width / 2, y + height / 2], r: width / 2 + 1.5 };
    return [...marks, { kind: "dots", ...ring, stroke: ink, width: FRAMED }];
  });
}
