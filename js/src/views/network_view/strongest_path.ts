/** The strongest path of an example through the network, from a number at its end back to the input. No DOM. */

import type { Mark } from "../../scene/marks.ts";
import { dot, line } from "../../scene/shapes.ts";
import type { Colours } from "../../scene/theme.ts";
import { type UnitCloseUp, unitCloseUp } from "./close_up.ts";
import type { Diagram, Part } from "./diagram.ts";
import { lineMarks, wayOf } from "./links.ts";
import { outline } from "./marks.ts";
import { FRAMED } from "./strongest_link.ts";

/** A link on the path: the number of a bundle that leads to a column. */
interface Leg {
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
  const legs: Leg[] = [];
  let part: Part | undefined = diagram.parts[closeUp.column];
  let { unit } = closeUp;
  while (part) {
    const { bundles, before, number }: Part = part;
    const sizeOf = strengths(diagram, part, unit, closeUp);
    let best = -1;
    bundles.forEach(({ to, from }, n) => {
      if (to !== unit || !before?.byUnit.has(from)) return;
      if (best < 0 || sizeOf(n) > sizeOf(best)) best = n;
    });
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
    const wide = k === 0 ? EDGED : WIDE;
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
