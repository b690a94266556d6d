/** What a pair says, in sentences. No DOM. */

import { number } from "../../phi/format.ts";
import type { Ends } from "../../phi/inputs.ts";
import type { Density } from "../../phi/pair.ts";
import { finite, percent } from "./words.ts";

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
