/** MeshgridView's pair: the sum of two functions over their two inputs, where it lies and where it is read. No DOM. */

import { inputName, outputName } from "../../phi/entries.ts";
import { number, percent } from "../../phi/format.ts";
import type { Ends } from "../../phi/inputs.ts";
import type { Density, Group, Surface } from "../../phi/pair.ts";
import type { Reach } from "../../phi/ranges.ts";
import type { Axis } from "../../scene/axes.ts";
import type { Rect } from "../../scene/marks.ts";
import type { Region } from "../../scene/regions.ts";
import type { LayerLayout } from "../../wire/types.ts";
import { finite } from "./settings.ts";

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
  /** The values of the first function upwards, and of the second to the right. */
  sides: [Axis, Axis];
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

/** Points at which a function alone is looked at. */
const POINTS = 129;
/** One input matters more where its function goes so many times as far. */
const MORE = 1.5;

/** In place of a space at which no line ends. */
export const LINKED = "\u00a0";

/** φ of one entry. */
export type Phi = (x: number) => number;

interface Extreme {
  at: number;
  value: number;
}

/** Where a function is smallest and largest over a range; null where it is not finite. */
function extremesOf(phi: Phi, [lo, hi]: Ends): { least: Extreme; most: Extreme } | null {
  const points = Array.from({ length: POINTS }, (_, k): Extreme => {
    const at = lo + ((hi - lo) * k) / (POINTS - 1);
    return { at, value: phi(at) };
  });
  if (!points.every(({ value }) => Number.isFinite(value))) return null;
  return {
    least: points.reduce((a, b) => (b.value < a.value ? b : a)),
    most: points.reduce((a, b) => (b.value > a.value ? b : a)),
  };
}

/** Where a sum of functions is largest and smallest, which of its inputs matters more, and what it is at the most frequent ones. */
export function sentencesOf(
  [first, second]: readonly [Phi, Phi],
  ends: Ends,
  density: Density | null,
): string[] {
  const [one, other] = [extremesOf(first, ends), extremesOf(second, ends)];
  if (!one || !other) return ["The sum is not finite everywhere."];
  const end = (a: Extreme, b: Extreme) => `${number(a.value + b.value)} at ${place(a.at, b.at)}`;
  const [alongX, alongY] = [one, other].map(({ least, most }) => most.value - least.value);
  const said = [
    `For inputs from ${number(ends[0])} to ${number(ends[1])} largest: ${end(one.most, other.most)}.`,
    `Smallest: ${end(one.least, other.least)}.`,
    `Along x the sum changes by ${number(alongX)}, along y by ${number(alongY)}: ${moreText(alongX, alongY)}.`,
  ];
  if (density && density.most > 0) {
    const [x, y] = [density.x[density.fullest], density.y[density.fullest]];
    const sum = finite(first(x) + second(y));
    said.push(
      `${percent(density.most)} of the inputs lie near ${place(x, y)}: there the sum is ${sum}.`,
    );
  }
  return said;
}

/** Its parts stay in a line: see `LINKED`. */
function place(x: number, y: number): string {
  return `x = ${number(x)}, y = ${number(y)}`.replaceAll(" ", LINKED).replace(`,${LINKED}`, ", ");
}

function moreText(alongX: number, alongY: number): string {
  if (alongX > MORE * alongY) return "x matters more";
  return alongY > MORE * alongX ? "y matters more" : "both matter about equally";
}

/** What the dots are: larger where more inputs came together. */
export function densityWords({ outside }: Density): string {
  const out = outside > 0 ? `; ${percent(outside)} lie outside` : "";
  return `dots: inputs that came together, larger where more often${out}`;
}
