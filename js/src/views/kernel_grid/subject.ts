/** What the grid draws of a layer: φ at one step, or how φ moved since the start. */

import { evaluate, type Plan, sizesAt } from "../../phi/curves.ts";
import { phiAt } from "../../phi/interpolate.ts";
import { allSame } from "../../phi/memory.ts";
import { mostOf, reachOf } from "../../phi/ranges.ts";
import type { Frame, LayerLayout } from "../../wire/types.ts";

export interface Subject {
  /** max |value| of each function over the plan's points; NaN where not finite. */
  sizes(plan: Plan): Float32Array;
  /** Fills `out` with function f at the plan's points and returns how many there are. */
  curve(f: number, plan: Plan, out: ReturnType<typeof roomOf>): number;
  at(f: number, x: number): number;
}

export const roomOf = ({ points }: Plan) => ({
  x: new Float32Array(points),
  y: new Float32Array(points),
});

/** Function f at the plan's points. */
export function pointsOf(subject: Subject, plan: Plan, f: number) {
  const out = roomOf(plan);
  const n = subject.curve(f, plan, out);
  return { x: out.x.subarray(0, n), y: out.y.subarray(0, n) };
}

/** max |value|; NaN where one is not finite. */
export function sizeOf(values: Float32Array): number {
  const reach = reachOf(values);
  return reach.broken > 0 ? Number.NaN : mostOf(reach);
}

export function phi(frame: Frame, layer: LayerLayout): Subject {
  return {
    sizes: (plan) => sizesAt(frame, layer, plan),
    curve: (f, plan, out) => evaluate(frame, layer, f, plan, out),
    at: (f, x) => phiAt(layer, f, frame, x).phi,
  };
}

/** φ now − φ at the start: of coefficients where both steps share a basis, else of curves. */
export function change(
  frame: Frame,
  layer: LayerLayout,
  initial: Frame,
  initialLayer: LayerLayout,
): Subject {
  if (sameBasis(layer, initialLayer)) {
    const data = new Float32Array(frame.data.length);
    const [now, then] = [layer.offset, initialLayer.offset];
    for (let k = 0; k < layer.count * layer.nb; k++) {
      data[now + k] = frame.data[now + k] - initial.data[then + k];
    }
    return phi({ step: frame.step, layout: frame.layout, data }, layer);
  }
  const before = (f: number, x: number) => phiAt(initialLayer, f, initial, x).phi;
  const subject: Subject = {
    curve(f, plan, out) {
      const n = evaluate(frame, layer, f, plan, out);
      for (let p = 0; p < n; p++) out.y[p] -= before(f, out.x[p]);
      return n;
    },
    at: (f, x) => phiAt(layer, f, frame, x).phi - before(f, x),
    sizes: (plan) =>
      Float32Array.from({ length: layer.count }, (_, f) => sizeOf(pointsOf(subject, plan, f).y)),
  };
  return subject;
}

/** True if the same functions of both layers are combinations of the same basis. */
export function sameBasis(a: LayerLayout, b: LayerLayout): boolean {
  if (a === b) return true;
  if (a.count !== b.count || a.nb !== b.nb || a.tables.length !== b.tables.length) return false;
  const isAlike = ({ x, values }: LayerLayout["tables"][number], t: number) =>
    allSame(x, b.tables[t].x) && allSame(values, b.tables[t].values);
  return allSame(a.tableOf ?? [], b.tableOf ?? []) && a.tables.every(isAlike);
}

/** A frame with its own version of a layer. */
export interface Start {
  frame: Frame;
  layer: LayerLayout;
}

/** The same layer of another frame, where that has it in the same shape. */
export function startOf(frame: Frame | null, layer: LayerLayout): Start | null {
  const its = frame?.layout.layers.find(({ name }) => name === layer.name);
  const isAlike = its?.kind === layer.kind && allSame(its.shape, layer.shape);
  return frame && isAlike ? { frame, layer: its } : null;
}

/** φ, or its change since a start. */
export function subjectOf(frame: Frame, layer: LayerLayout, since: Start | null): Subject {
  return since ? change(frame, layer, since.frame, since.layer) : phi(frame, layer);
}
