/** What the grid draws of a layer: φ at one step, or how φ moved since the start. */

import { evaluate, type Plan, rangesAt, valueAt } from "../../phi/curves.ts";
import type { Frame, LayerLayout } from "../../wire/types.ts";

export interface Points {
  x: Float32Array;
  y: Float32Array;
}

export interface Subject {
  /** max |value| of each function over the plan's points; NaN where not finite. */
  ranges(plan: Plan): Float32Array;
  /** Fills `out` with function f at the plan's points and returns how many there are. */
  curve(f: number, plan: Plan, out: Points): number;
  /** The value of function f at x. */
  at(f: number, x: number): number;
}

export function layerOf(frame: Frame | null, name: string): LayerLayout | null {
  return frame?.layout.layers.find((layer) => layer.name === name) ?? null;
}

/** φ itself. */
export function phi(frame: Frame, layer: LayerLayout): Subject {
  return {
    ranges: (plan) => rangesAt(frame, layer, plan),
    curve: (f, plan, out) => evaluate(frame, layer, f, plan, out),
    at: (f, x) => valueAt(frame, layer, f, x).phi,
  };
}

/**
 * φ now − φ at the start. Where both steps share a basis the coefficients are
 * subtracted; after a change of grid the curves are.
 */
export function change(
  frame: Frame,
  layer: LayerLayout,
  initial: Frame,
  initialLayer: LayerLayout,
): Subject {
  if (sameBasis(layer, initialLayer)) {
    const length = layer.count * layer.nb;
    const data = new Float32Array(frame.data.length);
    for (let k = 0; k < length; k++) {
      data[layer.offset + k] =
        (frame.data[layer.offset + k] as number) -
        (initial.data[initialLayer.offset + k] as number);
    }
    return phi({ step: frame.step, layout: frame.layout, data }, layer);
  }
  const curve = (f: number, plan: Plan, out: Points) => {
    const n = evaluate(frame, layer, f, plan, out);
    for (let p = 0; p < n; p++) {
      out.y[p] = (out.y[p] as number) - valueAt(initial, initialLayer, f, out.x[p] as number).phi;
    }
    return n;
  };
  return {
    curve,
    at: (f, x) => valueAt(frame, layer, f, x).phi - valueAt(initial, initialLayer, f, x).phi,
    ranges(plan) {
      const out = { x: new Float32Array(plan.points), y: new Float32Array(plan.points) };
      const ranges = new Float32Array(layer.count);
      for (let f = 0; f < layer.count; f++) {
        const n = curve(f, plan, out);
        let most = 0;
        for (let p = 0; p < n; p++) {
          const size = Math.abs(out.y[p] as number);
          if (!(size <= Number.MAX_VALUE)) most = Number.NaN;
          else if (size > most) most = size;
        }
        ranges[f] = most;
      }
      return ranges;
    },
  };
}

/** Whether the same functions of both layers are combinations of the same basis. */
export function sameBasis(a: LayerLayout, b: LayerLayout): boolean {
  if (a === b) return true;
  if (a.count !== b.count || a.nb !== b.nb || a.tables.length !== b.tables.length) return false;
  return (
    sameNumbers(a.tableOf, b.tableOf) &&
    a.tables.every((table, t) => {
      const other = b.tables[t];
      return (
        other !== undefined &&
        sameNumbers(table.x, other.x) &&
        sameNumbers(table.values, other.values)
      );
    })
  );
}

function sameNumbers(
  a: Float32Array | Uint32Array | null,
  b: Float32Array | Uint32Array | null,
): boolean {
  if (a === b) return true;
  if (!a || !b || a.length !== b.length) return false;
  return a.every((value, k) => value === b[k]);
}

/** Whether two layers hold the same functions, whatever their bases. */
export function sameShape(a: LayerLayout, b: LayerLayout): boolean {
  return a.kind === b.kind && a.shape.every((n, k) => n === b.shape[k]);
}

/** A frame with its own of a layer. */
export interface Start {
  frame: Frame;
  layer: LayerLayout;
}

/** The start that is compared with, where it has a layer in the same shape. */
export function startOf(initial: Frame | null, layer: LayerLayout): Start | null {
  const its = layerOf(initial, layer.name);
  return initial && its && sameShape(its, layer) ? { frame: initial, layer: its } : null;
}

/** φ, or its change since a start. */
export function subjectOf(frame: Frame, layer: LayerLayout, since: Start | null): Subject {
  return since ? change(frame, layer, since.frame, since.layer) : phi(frame, layer);
}
