/** The path of what adds most to a number, back to the input, with its kernels drawn large. */

import { maxIndex } from "d3-array";
import { formatNumber } from "../../phi/format.ts";
import { memoryOf, type Steady } from "../../phi/memory.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { dot, line, rects, words } from "../../scene/shapes.ts";
import { widthOf } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import { partsInto, pointOf, towardsSum } from "./close_up.ts";
import {
  type CircuitPath,
  type Diagram,
  type Leg,
  type Part,
  type PathGiven,
  strongestInto,
} from "./diagram.ts";
import type { ClassScores } from "./flow.ts";
import { bundleMarks, rounded } from "./functions.ts";
import type { Column, Graph } from "./graph.ts";
import { heightAt, lineMarks, linesOf, UNTOLD, wayOf } from "./links.ts";

/** Width of the frame around what belongs to the path. */
export const FRAMED = 1.75;
/** Wider than any other link without a colour; and than one with a colour. */
const PATH = 2.6;
const EDGED = 6.5;
/** Above a box that stands aside, and the scale over it, its leader turns. */
const ELBOW = { from: 12, to: 20 };
/** Milliseconds in which a path gives way to another one. */
const FADE = 250;

/** Where a path ends: at the answer; without an example at what the link leads to that varies most. */
function endOf({ graph, relevances }: PathGiven, scores: ClassScores | null): number {
  if (scores) return scores.best;
  const { bundles } = graph.columns[graph.columns.length - 1];
  const most = strongestInto({ bundles, relevance: relevances.at(-1) ?? null }, null);
  return bundles[most]?.to ?? 0;
}

/** Back from the end along the link that adds most, to a number or to the largest pixel of a map; without an example along the one that varies most. */
export function strongestPath(input: PathGiven, scores: ClassScores | null, steady: Steady): Leg[] {
  const { columns } = input.graph;
  const legs: Leg[] = [];
  let [column, unit] = [columns.length - 1, endOf(input, scores)];
  while (column !== undefined) {
    const { bundles, from }: Column = columns[column];
    const strengths = strengthsInto(input, column, unit);
    const best = maxIndex(bundles, ({ to }, n) => (to === unit ? strengths.sizeOf(n) : undefined));
    if (best < 0) break;
    const place = `${column} ${unit} of ${bundles.length}`;
    const bundle = steady(place, { best, ...strengths }, input.frame.step);
    legs.push({ column, bundle, adds: strengths.adds });
    column = from[0];
    unit = bundles[bundle].from;
  }
  return legs;
}

/** How a path is drawn: for a moment after another one to the same answer what both have stays, and the rest cross-fades. */
export function crossFading(graph: Graph, legs: readonly Leg[]) {
  const now = performance.now();
  const names = legs.map(({ column, bundle }) => `${column} ${bundle}`).join();
  const end = ([leg]: readonly Leg[]) => leg && graph.columns[leg.column].bundles[leg.bundle].to;
  const turn = memoryOf(graph)<Turn>("path's turn", [names], (last) => {
    // Nothing stays where one change follows another.
    const fades = last && end(last.legs) === end(legs) && now - last.at >= FADE;
    return { legs, gone: fades ? last.legs : legs, at: now };
  });
  const share = (now - turn.at) / FADE;
  const fades = share < 1 && turn.gone !== turn.legs;
  const without = (all: readonly Leg[], some: readonly Leg[]) =>
    all.filter((a) => !some.some((b) => a.column === b.column && a.bundle === b.bundle));
  const come = without(legs, turn.gone);
  return {
    fades,
    drawn(draw: (some: readonly Leg[]) => Mark[]): Mark[] {
      if (!fades) return draw(legs);
      const seen = (opacity: number, some: readonly Leg[]): Mark[] =>
        some.length > 0 ? [{ kind: "group", opacity, marks: draw(some) }] : [];
      const [stays, goes] = [without(legs, come), without(turn.gone, legs)];
      return [...draw(stays), ...seen(1 - share, goes), ...seen(share, come)];
    },
  };
}

/** A path, the one before it, and since when. */
type Turn = { legs: readonly Leg[]; gone: readonly Leg[]; at: number };

/** The strength of each link into a unit: what it adds, signed by what all add together. */
function strengthsInto({ graph, flow, relevances }: PathGiven, number: number, unit: number) {
  const { bundles } = graph.columns[number];
  const made = flow?.frame && partsInto(graph, number, flow, flow.frame, unit);
  if (!made) return { sizeOf: (n: number) => relevances[number]?.sizes[n] ?? 0, adds: null };
  const values = made.map(({ value }) => value);
  // A sum that is NaN has no strongest link.
  if (!values.every(Number.isFinite)) return { sizeOf: () => undefined, adds: null };
  const sizes = towardsSum(values);
  const parts = new Map(made.map(({ from }, k) => [from, sizes[k]]));
  const adds = new Map(made.map(({ from, value }) => [from, Math.abs(value)]));
  return { sizeOf: (n: number) => parts.get(bundles[n].from), adds };
}

/** Back along a path of a circuit, as far as the diagram has its links. */
export function circuitPath({ columns }: Graph, { target, units }: CircuitPath): Leg[] {
  const legs: Leg[] = [];
  let [column, unit] = [columns.length - 1, target];
  for (let own = columns[column]; own?.layer; own = columns[column]) {
    const from = units[own.layer.name];
    const bundle = own.bundles.findIndex((one) => one.to === unit && one.from === from);
    if (bundle < 0) break;
    legs.push({ column, bundle, adds: null });
    [column, unit] = [own.from[0], from];
  }
  return legs;
}

/** Where the functions of a link are drawn large, also of a map that is not drawn: where they stand, else in the stand of their gap; null where there is no room. */
export function largeKernel({ layout, graph }: Diagram, part: Part, n: number) {
  const { picture, kernels, bundles, column, stand } = part;
  const bundle = bundles[n];
  const own = kernels.get(n);
  if (!picture) return null;
  const box = stand ?? own;
  if (box) return { bundle, box };
  const isOne = bundle.count === 1;
  const side = layout.shelf;
  if (isOne || side === 0) return null;
  const x = (layout.width * (column.depth - 0.5)) / (graph.depths - 1) - side / 2;
  return { bundle, box: { x, y: layout.height - side - 4, width: side, height: side } };
}

/** Its links, below those that are coloured: of the first, where that is one of them, the edge is seen. */
export function pathLines(diagram: Diagram, legs: readonly Leg[], lit: number, ink: string) {
  return legs.flatMap(({ column, bundle }): Mark[] => {
    const part = diagram.parts[column];
    const path = { wide: column === lit ? EDGED : PATH, strong: 0.85 };
    const lines = linesOf(part, [bundle], () => 1);
    return lineMarks(lines, ink, diagram.isTold ? path : UNTOLD);
  });
}

/** What it leads through: kernels, drawn large, and units, all with frames; if it is told, strong ones. */
export function pathKernels(
  diagram: Diagram,
  legs: readonly Leg[],
  isTold: boolean,
  theme: Theme,
): Mark[] {
  const { ink, muted } = theme.colours;
  const [stroke, width] = isTold ? [ink, FRAMED] : [muted, 1];
  return legs.flatMap(({ column: k, bundle }): Mark[] => {
    const part = diagram.parts[k];
    const { column, byUnit, bundles, kernels } = part;
    const unit = byUnit.get(bundles[bundle].to);
    // The networks of an ensemble have no path in common.
    if (!isTold && column.layer?.band && kernels.has(bundle)) return [];
    // Also those of a path that goes, where no other function is selected.
    const isLarge = part.large === part.leg;
    const marks = isLarge ? largeMarks(diagram, part, bundle, stroke, width, theme) : [];
    const isInside = unit && isTold && k < diagram.parts.length - 1;
    return isInside ? [...marks, unitFrame(column, unit, ink, FRAMED)] : marks;
  });
}

/** The functions of a link, drawn large, in a frame, with the example on one that stands alone. */
export function largeMarks(
  diagram: Diagram,
  part: Part,
  n: number,
  stroke: string,
  width: number,
  theme: Theme,
): Mark[] {
  const large = largeKernel(diagram, part, n);
  if (!large) return [];
  const list = [{ ...large, point: pointOf(diagram, part, n) }];
  const { bundle, box } = large;
  // Beside others they have one scale with these, alone their own, which is said.
  const isAlone = bundle.count > 1 && !part.kernels.has(n);
  const picture = (isAlone && part.picture?.closer(bundle)) || part.picture;
  const scale = isAlone && picture ? `±${formatNumber(picture.scale())}` : "";
  // Over the links it has a ground, beside the leader.
  const left = box.x + box.width / 2 + 3;
  const plate = [left, box.y - 13, widthOf(scale, 9) + 4, 11];
  return [
    ...leaderMarks(part, n, large.box, stroke),
    ...bundleMarks({ ...part, picture }, list, theme),
    ...(scale ? [rects(plate, { fill: theme.colours.surface, radius: 2 })] : []),
    words(left + 2, box.y - 4, scale, theme.colours.muted, { size: 9 }),
    rounded(large.box, stroke, width),
  ];
}

/** From a box beside its link to that; of a map that is not drawn to what it adds to. */
function leaderMarks(part: Part, n: number, box: Rect, stroke: string): Mark[] {
  if (part.kernels.has(n)) return [];
  const middle = box.x + box.width / 2;
  const way = wayOf(part, n);
  const target = part.byUnit.get(part.bundles[n].to);
  // Of a box that stands aside it goes down between the columns.
  const x = (way ? heightAt(way, middle) : part.stand) ? middle : part.between;
  const end = way ? heightAt(way, x)?.y : target?.port;
  if (!end || (way && end > box.y && end < box.y + box.height)) return [];
  const start = end < box.y ? box.y : box.y + box.height;
  const turn = x === middle ? [] : [middle, start - ELBOW.from, x, start - ELBOW.to];
  if (way)
    return [line([middle, start, ...turn, x, end], stroke), dot(x, end, 3, { fill: stroke })];
  const from = part.stand
    ? [box.x + box.width, box.y + box.height / 2]
    : [middle, start, ...turn, x, end];
  return [line([...from, (target?.x ?? 0) - 2, end], stroke, { width: 2 })];
}

/** A frame around a map, or a ring around a circle. */
export function unitFrame({ map }: Column, unit: Rect, stroke: string, width: number): Mark {
  if (map) return rounded(unit, stroke, width);
  const r = unit.width / 2 + 1.5;
  return dot(unit.x + unit.width / 2, unit.y + unit.height / 2, r, { stroke, width });
}
