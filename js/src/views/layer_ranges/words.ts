/** Everything that LayerRanges says of its numbers. No DOM. */

import { counted, layerTitle, placeText, selectionOf } from "../../phi/entries.ts";
import { formatCount, number } from "../../phi/format.ts";
import type { Content, Numbers, Row } from "./content.ts";

const UNKNOWN = "–";

/** A share as per cent; 0 % and 100 % only where they are exact. */
export function percent(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return UNKNOWN;
  const value = 100 * share;
  if (value > 0 && value < 0.1) return "<0.1 %";
  if (value > 99.9 && value < 100) return ">99.9 %";
  if ((value > 0 && value < 10) || (value > 99 && value < 100)) return `${value.toFixed(1)} %`;
  return `${formatCount(Math.round(value))} %`;
}

const known = (value: number | null) => (value === null ? UNKNOWN : number(value));
const roughly = (value: number | null) =>
  value === null ? UNKNOWN : number(Number(value.toPrecision(2)));

/** Whether inputs of any layer were observed: shapes are then measured over the inputs. */
export function anySeen({ rows }: Pick<Content, "rows">): boolean {
  return rows.some(({ numbers }) => numbers.outside_grid !== null);
}

export const where = (seen: boolean) => (seen ? "over the inputs" : "on the grid");

export interface Column {
  title: string;
  /** What the two lines are. */
  below: string;
  /** Said on hovering. */
  about: string;
  lines(numbers: Numbers): [string, string];
}

/** The columns in their order; those that decide come first. */
export function columnsOf(seen: boolean, more: boolean): Column[] {
  return more ? [...deciding(seen), ...OTHERS] : deciding(seen);
}

function deciding(seen: boolean): Column[] {
  return [
    {
      title: "range",
      below: "grid / seen",
      about: "Median of max φ − min φ: on the grid, and below it over the inputs seen",
      lines: (n) => [known(n.range), known(n.observed_range)],
    },
    {
      title: "splines",
      below: "of the range",
      about: "Median share of the range that comes from the splines; the rest comes from the base",
      lines: (n) => [percent(n.spline_share), ""],
    },
    {
      title: "outside",
      below: "grid / support",
      about:
        "Share of the inputs seen outside the grid, where few splines reach, and outside the support, where none does",
      lines: (n) => [percent(n.outside_grid), percent(n.outside_support)],
    },
    {
      title: "SiLU-shaped",
      below: where(seen),
      about: `Functions whose R² with the best a·SiLU + c, ${where(seen)}, reaches the threshold`,
      lines: (n) => [percent(seen ? n.observed_silu_shaped : n.silu_shaped), ownShape(n, seen)],
    },
  ];
}

const OTHERS: readonly Column[] = [
  {
    title: "changed",
    below: "φ / of start",
    about: "Median of the largest |φ − φ at the start|, and of its share of the range at the start",
    lines: (n) => [known(n.change), percent(n.relative_change)],
  },
  {
    title: "gradient",
    below: "base / splines",
    about: "Root mean square of ∂loss/∂coefficient",
    lines: (n) => [roughly(n.gradient_base), roughly(n.gradient_splines)],
  },
  {
    title: "update",
    below: "base / splines",
    about: "Root mean square of the change in the coefficients at the last step measured",
    lines: (n) => [roughly(n.update_base), roughly(n.update_splines)],
  },
];

/** How many functions have the shape of a base that is not SiLU. */
function ownShape(n: Numbers, seen: boolean): string {
  if (["silu", ""].includes(n.base.toLowerCase())) return "";
  const shape = ["x", "identity"].includes(n.base) ? "line" : n.base;
  return `${shape} ${percent(seen ? n.observed_base_shaped : n.base_shaped)}`;
}

/** What is to be said of functions that count nowhere else; or nothing. */
export function aside({ numbers }: Row): string {
  const parts: string[] = [];
  if (numbers.constant) parts.push(`${formatCount(numbers.constant)} constant`);
  if (numbers.not_finite) parts.push(`${formatCount(numbers.not_finite)} not finite`);
  return parts.join(" · ");
}

/** What the rows say in one sentence: which layer's functions are the smallest; and why, in another. */
export function sentences(rows: readonly Row[]): [headline: string, why: string] {
  const some = rows.filter(({ numbers }) => (numbers.range ?? 0) > 0);
  if (some.length === 0) return ["", ""];
  const range = (row: Row) => row.numbers.range as number;
  const least = some.reduce((a, b) => (range(b) < range(a) ? b : a));
  const most = some.reduce((a, b) => (range(b) > range(a) ? b : a));
  const [small, large] = [inSentence(least), inSentence(most)];
  const ratio = range(most) / range(least);
  if (some.length === 1) {
    return [`A typical function of ${small} has a range of ${number(range(least))}.`, ""];
  }
  if (ratio < 1.5) {
    const factor = roughly(ratio);
    return [`The functions of all layers reach about as far: medians differ ${factor}-fold.`, ""];
  }
  const headline =
    `The functions of ${small} are the smallest: a typical range of ` +
    `${number(range(least))} on the grid is ${times(ratio)} smaller than in ${large} (${number(range(most))}).`;
  const { range_at_start: then, spline_share: share, change } = least.numbers;
  const parts: string[] = [];
  if (then !== null && then > 0) {
    const other = most.numbers.range_at_start;
    const behind =
      other !== null && other > 0 ? `, ${times(other / then)} smaller than in ${large}` : "";
    const since =
      change !== null && change > 0 ? `; since then ×${number(range(least) / then)}` : "";
    parts.push(`At the start it was ${number(then)}${behind}${since}.`);
  }
  if (share !== null) parts.push(`Splines make up ${percent(share)} of the range.`);
  parts.push(...outsideText(rows));
  return [headline, parts.join(" ")];
}

/** Worth a sentence. */
const MANY = 0.05;

/** Which layer gets most of its inputs from outside its grid, if any gets many. */
function outsideText(rows: readonly Row[]): string[] {
  const share = ({ numbers }: Row) => numbers.outside_grid ?? 0;
  const worst = rows.reduce((a, b) => (share(b) > share(a) ? b : a));
  if (!(share(worst) >= MANY)) return [];
  return [`${percent(share(worst))} of the inputs of ${inSentence(worst)} lie outside its grid.`];
}

/** A name that is only a number, as in a Sequential, is not read as one. */
function inSentence(row: Row): string {
  const name = layerTitle(row);
  return /^\d/.test(name) ? `layer ${name}` : name;
}

const times = (ratio: number) => `${roughly(ratio)} times`;

/** A row for those who cannot see it. */
export function rowWords(row: Row, content: Content, more: boolean): string {
  const seen = anySeen(content);
  const cells = columnsOf(seen, more).map(({ title, below, lines }) => {
    const [first, second] = lines(row.numbers);
    return `${title} (${below}) ${second ? `${first} / ${second}` : first}`;
  });
  const note = aside(row);
  const head = [layerTitle(row), row.type, counted(row.numbers.functions, "function")];
  return [...head, ...(note ? [note] : []), ...cells].join(", ");
}

export function dotWords(row: Row, dot: number): string {
  const f = row.functions[dot];
  const at = { ...selectionOf(row, f), layer: row.name };
  return `${layerTitle(row)} · ${placeText(row, at)}: range ${number(row.dots[dot])}`;
}
