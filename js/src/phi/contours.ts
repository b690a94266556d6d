/** Contour lines of a surface on a grid of points, with places for labels. */

import { ticks } from "d3-array";
import { contours } from "d3-contour";

/** x and y in grid units: 0 … width − 1, 0 … height − 1. */
export type XY = [number, number];

/** About how many lines show the shape of a surface. */
const LEVELS = 7;

/** Round levels that cut a range; zero is among them if it is inside. */
export function levelsOf(low: number, high: number): number[] {
  return high > low && Number.isFinite(high - low) ? ticks(low, high, LEVELS) : [];
}

/** The lines at which a piecewise linear surface takes a level. Closed lines end where they start. */
export function contour(values: number[], width: number, height: number, level: number): XY[][] {
  const isInside = ([x, y]: XY) => x >= 0 && y >= 0 && x <= width - 1 && y <= height - 1;
  const areas = contours().size([width, height]).contour(values, level).coordinates;
  return areas.flat().flatMap((ring): XY[][] => {
    // d3 puts points in the middle of pixels; where an area ends at the border it goes around outside.
    const points = ring.map(([x, y]): XY => [x - 0.5, y - 0.5]);
    const gap = points.findIndex((point) => !isInside(point));
    if (gap < 0) return [points];
    const lines: XY[][] = [[]];
    for (const point of [...points.slice(gap, -1), ...points.slice(0, gap)]) {
      if (isInside(point)) lines[lines.length - 1].push(point);
      else lines.push([]);
    }
    return lines.filter(({ length }) => length > 1);
  });
}

/** A label on a line: its middle and the direction of the line there, to be read from left to right. */
export interface LabelPlace {
  x: number;
  y: number;
  angle: number;
}

/**
 * Where a label of the given size fits on a line in pixels: on its straightest stretch that keeps away from the edges
 * of the box and from the labels that are there already. Null where no stretch does.
 */
export function placeLabel(
  line: readonly XY[],
  size: { width: number; height: number },
  box: { x: number; y: number; width: number; height: number },
  labels: readonly LabelPlace[],
): LabelPlace | null {
  let best: LabelPlace | null = null;
  let leastBend = 0.22; // how much longer than straight the line may be under a label
  const half = size.width / 2 + 4;
  for (let start = 0; start < line.length - 1; start += Math.max(1, line.length >> 5)) {
    let end = start;
    let length = 0;
    while (end + 1 < line.length && length < size.width) {
      length += Math.hypot(line[end + 1][0] - line[end][0], line[end + 1][1] - line[end][1]);
      end++;
    }
    if (length < size.width) break;
    const [x0, y0] = line[start];
    const [x1, y1] = line[end];
    const middle = line[(start + end) >> 1];
    const bend = length / Math.hypot(x1 - x0, y1 - y0) - 1;
    if (!(bend < leastBend)) continue;
    const [x, y] = [(middle[0] + (x0 + x1) / 2) / 2, (middle[1] + (y0 + y1) / 2) / 2];
    const inside =
      x - half > box.x &&
      y - half > box.y &&
      x + half < box.x + box.width &&
      y + half < box.y + box.height;
    const free = labels.every(
      (other) => Math.hypot(other.x - x, other.y - y) > size.width + 2 * size.height,
    );
    if (!inside || !free) continue;
    let angle = Math.atan2(y1 - y0, x1 - x0);
    if (angle > Math.PI / 2) angle -= Math.PI;
    if (angle <= -Math.PI / 2) angle += Math.PI;
    leastBend = bend;
    best = { x, y, angle };
  }
  return best;
}
