/** The links of a network as lines. No DOM. */

import type { Mark, Rect } from "../../scene/marks.ts";
import type { Bundle } from "./graph.ts";
import type { PlacedColumn, UnitBox } from "./layout.ts";

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
export interface Way {
  from: { x: number; y: number };
  thumb: Rect | undefined;
  to: { x: number; y: number };
  /** Where the unit stands behind others, in the second rank: a thin line goes on so far. */
  behind: number | null;
}

export function wayOf(
  before: PlacedColumn,
  after: PlacedColumn,
  { from, to }: Bundle,
  number: number,
): Way | null {
  const source = before.byUnit.get(from);
  const target = after.byUnit.get(to);
  if (!source || !target) return null;
  return {
    from: { x: rightOf(source), y: source.y + source.height / 2 },
    thumb: after.thumbs.get(number),
    to: { x: after.box.x - 2, y: target.y + target.height / 2 },
    behind: target.x - after.box.x > target.width ? target.x - 2 : null,
  };
}

function rightOf({ x, width }: UnitBox): number {
  return x + width + 1;
}

/** Adds the points of a way from where it leaves the others of its unit: smooth from left to right, level at its ends. */
function pointsOf(
  { from, thumb, to }: Way,
  leave: number,
  steps: number,
  xy: number[],
  ends: number[],
) {
  const start = Math.max(from.x, leave);
  if (thumb) {
    bend(start, from.y, thumb.x, thumb.y + thumb.height / 2, steps, xy);
    ends.push(xy.length / 2);
    bend(thumb.x + thumb.width, thumb.y + thumb.height / 2, to.x, to.y, steps, xy);
  } else bend(start, from.y, to.x, to.y, steps, xy);
  ends.push(xy.length / 2);
}

function bend(x0: number, y0: number, x1: number, y1: number, steps: number, xy: number[]) {
  if (Math.abs(y1 - y0) < 0.5) {
    xy.push(x0, y0, x1, y1);
    return;
  }
  for (let k = 0; k <= steps; k++) through(x0, y0, x1, y1, k / steps, xy);
}

/** Adds a point of the cubic with both control points half way. */
function through(x0: number, y0: number, x1: number, y1: number, t: number, xy: number[]) {
  const u = 1 - t;
  const middle = (x0 + x1) / 2;
  const x = u * u * u * x0 + 3 * u * t * middle + t * t * t * x1;
  const y = u * u * (1 + 2 * t) * y0 + t * t * (3 - 2 * t) * y1;
  xy.push(x, y);
}

export interface Line {
  way: Way;
  /** 0 to 1: how strong it is drawn. */
  weight: number;
}

/** Lines in a few strengths, the weak ones below; `among` is how many there are of which these are some. */
export function lineMarks(
  lines: readonly Line[],
  leave: number,
  stroke: string,
  { faint = 0.05, strong = 0.9, wide = 2.4, among = lines.length } = {},
): Mark[] {
  const groups = Array.from({ length: LEVELS }, () => ({
    xy: [] as number[],
    ends: [] as number[],
  }));
  // What links of one unit have in common is drawn once, as strong as the strongest of them.
  const stems = new Map<number, { from: Way["from"]; level: number }>();
  const steps = lines.length > MANY ? STEPS_OF_MANY : STEPS;
  for (const { way, weight } of lines) {
    const level = Math.min(LEVELS - 1, Math.floor(LEVELS * Math.max(0, weight)));
    pointsOf(way, leave, steps, groups[level].xy, groups[level].ends);
    const known = stems.get(way.from.y)?.level ?? -1;
    if (level > known) stems.set(way.from.y, { from: way.from, level });
  }
  for (const { from, level } of stems.values()) {
    if (leave <= from.x + 1) continue;
    groups[level].xy.push(from.x, from.y, leave, from.y);
    groups[level].ends.push(groups[level].xy.length / 2);
  }
  const thin = among > FEW;
  const [xy, ends]: number[][] = [[], []];
  // Once for all that lead to a unit.
  const behinds = new Map(lines.map(({ way }) => [way.to.y, way]));
  for (const { to, behind } of behinds.values()) {
    if (behind === null) continue;
    xy.push(to.x, to.y, behind, to.y);
    ends.push(xy.length / 2);
  }
  const opacity = thin ? 0.3 : 0.6;
  const behind: Mark = { kind: "lines", xy, ends, stroke, opacity, width: 1 };
  const levels = groups.flatMap(({ xy, ends }, level): Mark[] => {
    if (ends.length === 0) return [];
    const share = level / (LEVELS - 1);
    // Many on top of each other are dark however faint each is, the more so in a narrow gap.
    const gap = Math.min(1, Math.max(0.3, (lines[0].way.to.x - leave) / GAP));
    const fade = Math.min(1, Math.sqrt((30 * gap) / among));
    const opacity = Math.max(0.03, (faint + (strong - faint) * share ** 1.5) * fade);
    const width = thin ? 1 : 0.8 + (wide - 0.8) * share * fade;
    return [{ kind: "lines", xy, ends, stroke, opacity, width }];
  });
  return ends.length > 0 ? [behind, ...levels] : levels;
}
