/** MeshgridView's pair: the sum of two functions over their two inputs, where it lies and where it is read. No DOM. */

import { inputName, outputName } from "../../phi/entries.ts";
import type { Ends } from "../../phi/inputs.ts";
import type { Density, Group, Surface } from "../../phi/pair.ts";
import type { Reach } from "../../phi/ramp.ts";
import type { Axis } from "../../scene/axes.ts";
import type { Rect } from "../../scene/marks.ts";
import type { Region } from "../../scene/regions.ts";
import type { LayerLayout } from "../../wire/types.ts";

/** Two entries of one group, as they are drawn. */
export interface Pair {
  group: Group;
  /** The functions that it is chosen from. */
  title: string;
  /** Along x and along y: places in the group, functions, names and inputs. */
  entries: [number, number];
  functions: [number, number];
  names: [string, string];
  /** Where the inputs of both are, or their grids: one range, so that both axes have one scale. */
  range: Ends;
  surface: Surface;
  reach: Reach;
  /** Half the range of the colours. */
  most: number;
  levels: number[];
  /** Half the range of both functions alone. */
  curveMost: number;
  density: Density | null;
  /** What is seen, in sentences. */
  said: string[];
  /** φ of every entry of the group over the grid’s range. */
  strips: Float64Array[];
}

/** The functions that a pair is chosen from: "kernel 0", "kernel of output 0 · input 1", "functions of output 0". */
export function kernelName(layer: LayerLayout, group: Group): string {
  const name = groupName(layer, group);
  if (group.byInput) return `functions of ${name}`;
  return group.single ? name : `kernel of ${name}`;
}

export function groupName(layer: LayerLayout, { byInput, out, in: input, single }: Group): string {
  const name = outputName(layer, out, single && !byInput ? "kernel" : "output");
  return byInput || single ? name : `${name} · ${inputName(layer, input)}`;
}

export interface PairLayout {
  narrow: boolean;
  kernel: Region;
  /** The head of the kernel: left and baseline. */
  head: { x: number; y: number };
  /** Where the names of both entries begin: left and baselines. */
  names: { x: number; y: [number, number] };
  /** Where the sentences stand: left and baselines of their lines. */
  said: { x: number; lines: { text: string; y: number }[] };
  plot: Rect;
  /** The functions alone: the first above the plot, the second beside it. */
  curves: [Rect, Rect];
  axes: [Axis, Axis];
  width: number;
  height: number;
}

/** Where the surface is read. */
export interface Reading {
  x: number;
  y: number;
  /** Of both functions. */
  values: [number, number];
  lines: { label: string; value: string }[];
}
