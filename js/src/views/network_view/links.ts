/** The links of a network as lines. No DOM. */

import type { LinesMark, Mark, Rect } from "../../scene/marks.ts";
import { segments } from "../../scene/shapes.ts";
import type { Part } from "./diagram.ts";

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
