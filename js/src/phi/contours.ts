/** Contour lines of a surface on a grid of points: marching squares, joined to lines, with places for labels. No DOM. */

/** x and y in grid units: 0 … width − 1, 0 … height − 1. */
export type Point = [number, number];

/** Fewer lines show no shape. */
const LEAST_LEVELS = 5;

/** Round levels that cut a range into about `parts`, or more for enough of them; zero is among them if it is inside. */
export function levelsOf(low: number, high: number, parts = 8): number[] {
  if (!(high > low) || !Number.isFinite(high - low)) return [];
  const raw = (high - low) / parts;
  const decade = 10 ** Math.floor(Math.log10(raw));
  const step = decade * ([1, 2, 2.5, 5, 10].find((n) => n * decade >= raw * 0.999) ?? 10);
  const levels: number[] = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) {
    // Digits beyond those of the step are rounding.
    levels.push(k === 0 ? 0 : Number((k * step).toPrecision(12)));
  }
  return levels.length < LEAST_LEVELS ? levelsOf(low, high, parts + 1) : levels;
}

/**
 * The lines at which a surface of straight pieces takes a level. Closed ones end where they start. Cells with a corner
 * that is not finite have no line.
 */
export function contour(
  values: ArrayLike<number>,
  width: number,
  height: number,
  level: number,
): Point[][] {
  // Each crossing lies on an edge of the grid, which two cells share: edges are what lines are joined by.
  const across = (row: number, column: number) => row * width + column;
  const down = (row: number, column: number) => width * height + row * width + column;
  const next = new Map<number, number[]>();
  const join = (a: number, b: number) => {
    next.set(a, [...(next.get(a) ?? []), b]);
    next.set(b, [...(next.get(b) ?? []), a]);
  };
  for (let row = 0; row + 1 < height; row++) {
    for (let column = 0; column + 1 < width; column++) {
      const at = row * width + column;
      const corners = [values[at], values[at + 1], values[at + width + 1], values[at + width]];
      const sum = corners[0] + corners[1] + corners[2] + corners[3];
      if (!Number.isFinite(sum)) continue;
      const [a, b, c, d] = corners.map((value) => value >= level);
      const top = across(row, column);
      const right = down(row, column + 1);
      const bottom = across(row + 1, column);
      const left = down(row, column);
      const cut = [a !== b && top, b !== c && right, c !== d && bottom, d !== a && left].filter(
        (edge) => edge !== false,
      );
      if (cut.length === 2) join(cut[0], cut[1]);
      else if (cut.length === 4) {
        // A saddle: the middle decides which corners hang together.
        if (sum / 4 >= level === a) {
          join(top, right);
          join(bottom, left);
        } else {
          join(left, top);
          join(right, bottom);
        }
      }
    }
  }

  const pointOf = (edge: number): Point => {
    const vertical = edge >= width * height;
    const at = vertical ? edge - width * height : edge;
    const [first, second] = [values[at], values[at + (vertical ? width : 1)]];
    const share = (level - first) / (second - first);
    const [column, row] = [at % width, Math.floor(at / width)];
    return vertical ? [column, row + share] : [column + share, row];
  };
  const lines: Point[][] = [];
  const trace = (start: number) => {
    const line = [start];
    for (let at = start; ; ) {
      const to = next.get(at)?.pop();
      if (to === undefined) break;
      const back = next.get(to);
      back?.splice(back.indexOf(at), 1);
      line.push(to);
      at = to;
    }
    if (line.length > 1) lines.push(line.map(pointOf));
  };
  for (const [edge, to] of next) if (to.length === 1) trace(edge);
  for (const [edge, to] of next) if (to.length > 0) trace(edge);
  return lines;
}

/** A label on a line: its middle and the direction of the line there, to be read from left to right. */
export interface LabelPlace {
  x: number;
  y: number;
  angle: number;
}

/**
 * Where a label of the given size fits on a line in pixels: on its straightest stretch that keeps away from the edges
 * of the box and from the labels that are there already. Null where there is none.
 */
export function placeLabel(
  line: readonly Point[],
  size: { width: number; height: number },
  box: { x: number; y: number; width: number; height: number },
  taken: readonly LabelPlace[],
): LabelPlace | null {
  let best: LabelPlace | null = null;
  let least = 0.22; // how much longer than straight the line may be under a label
  const reach = size.width / 2 + 4;
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
    if (!(bend < least)) continue;
    const [x, y] = [(middle[0] + (x0 + x1) / 2) / 2, (middle[1] + (y0 + y1) / 2) / 2];
    const inside =
      x - reach > box.x &&
      y - reach > box.y &&
      x + reach < box.x + box.width &&
      y + reach < box.y + box.height;
    const free = taken.every(
      (other) => Math.hypot(other.x - x, other.y - y) > size.width + 2 * size.height,
    );
    if (!inside || !free) continue;
    let angle = Math.atan2(y1 - y0, x1 - x0);
    if (angle > Math.PI / 2) angle -= Math.PI;
    if (angle <= -Math.PI / 2) angle += Math.PI;
    least = bend;
    best = { x, y, angle };
  }
  return best;
}
