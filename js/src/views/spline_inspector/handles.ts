/** Control points: where a coefficient can be taken hold of, and what moving it does. */

import { least, max, mean } from "d3-array";
import { basisOf } from "../../phi/entries.ts";
import { formatNumber } from "../../phi/format.ts";
import { basisAt } from "../../phi/interpolate.ts";
import type { Phi } from "./terms.ts";

export interface Handle {
  b: number;
  label: string;
  x: number;
  /** How far it moves up when the coefficient grows by one: height = coefficient · rise. */
  rise: number;
  control: boolean;
}

const SPLINE_LABEL = /^B(\d+)$/;
const HIGH_SHARE = 0.8;

/** The Greville abscissae of the B-splines on some knots: the mean of the knots inside each support. */
export function greville(knots: readonly number[], order: number): number[] {
  const splines = knots.length - order - 1;
  return Array.from({ length: Math.max(0, splines) }, (_, j) => {
    const own = order === 0 ? knots.slice(j, j + 2) : knots.slice(j + 1, j + 1 + order);
    return mean(own) ?? 0;
  });
}

/** The order of a layer's B-splines; -1 where its basis is another. */
export function splineOrder({ layer, f }: Pick<Phi, "layer" | "f">): number {
  const { knots } = basisOf(layer, f);
  const splines = layer.labels.filter((_, b) => !layer.isBase[b]);
  if (splines.length === 0 || splines.some((label, j) => label !== `B${j}`)) return -1;
  const order = knots.length - splines.length - 1;
  return order >= 0 && order < splines.length ? order : -1;
}

/**
 * A handle for every basis function. B-splines have theirs at the Greville abscissa, as high as the coefficient; any
 * other has it on its own curve, where that is large, spread over the domain so that they do not lie on each other.
 * They come from left to right.
 */
export function handlesOf(phi: Pick<Phi, "layer" | "table" | "f">): Handle[] {
  const { layer } = phi;
  const order = splineOrder(phi);
  const abscissae = order >= 0 ? greville(basisOf(layer, phi.f).knots, order) : [];
  const handles: Handle[] = [];
  layer.labels.forEach((label, b) => {
    const spline = SPLINE_LABEL.exec(label);
    if (order >= 0 && spline && !layer.isBase[b]) {
      handles.push({ b, label, x: abscissae[Number(spline[1])], rise: 1, control: true });
      return;
    }
    const place = highPlace(phi, b, abscissae);
    if (place) handles.push({ b, label, ...place, control: false });
  });
  return handles.sort((one, other) => one.x - other.x);
}

/** Where a basis function is large, not where a control point is: of two on each other only one can be taken hold of. */
function highPlace(
  { layer, table, f }: Pick<Phi, "layer" | "table" | "f">,
  b: number,
  taken: readonly number[],
) {
  const { domain } = basisOf(layer, f);
  const { nb } = layer;
  const { x, values } = layer.tables[table];
  const rows = Array.from(x, (at, p) => ({ x: at, value: values[p * nb + b] })).filter(
    (row) => row.x >= domain[0] - 1e-6 && row.x <= domain[1] + 1e-6 && Number.isFinite(row.value),
  );
  const most = max(rows, ({ value }) => Math.abs(value)) ?? 0;
  if (most === 0) return null;
  const others = layer.isBase.filter((base) => !base).length;
  const number = layer.isBase.slice(0, b).filter((base) => !base).length;
  const share = layer.isBase[b] ? 1 : (number + 0.5) / others;
  const wanted = domain[0] + share * (domain[1] - domain[0]);
  const apart = taken.length > 1 ? (taken[1] - taken[0]) / 4 : 0;
  const high = rows.filter(({ value }) => Math.abs(value) >= HIGH_SHARE * most);
  const free = high.filter((row) => taken.every((x) => Math.abs(row.x - x) >= apart * 0.99));
  const near = least(free.length > 0 ? free : high, (row) => Math.abs(row.x - wanted)) ?? high[0];
  const rise = basisAt(layer, table, near.x, new Float64Array(nb))[b];
  return { x: near.x, rise };
}

export function heightOf(handle: Handle, coefficients: ArrayLike<number>): number {
  return coefficients[handle.b] * handle.rise;
}

/** The coefficients when a handle has been moved to a height. */
export function moved(coefficients: ArrayLike<number>, handle: Handle, height: number) {
  const next = Float64Array.from(coefficients);
  next[handle.b] = height / handle.rise;
  return next;
}

export function describeHandle(variable: string, { control, label, x }: Handle): string {
  const name = control ? `control point ${label}` : `weight of ${label}`;
  return `${name} at ${variable} = ${formatNumber(x)}`;
}
