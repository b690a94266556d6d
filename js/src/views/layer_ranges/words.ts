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
  if ((value > 0 && value < 10) || (value > 99 && value < 100)) {
    return `${Number(value.toFixed(1))} %`;
  }
  return `${formatCount(Math.round(value))} %`;
}

const known = (value: number | null) => (value === null ? UNKNOWN : number(value));
const roughly = (value: number | null) =>
  value === null ? UNKNOWN : number(Number(value.toPrecision(2)));

type Seen = Pick<Content, "rows" | "old" | "observed_step">;

/** Whether inputs of the model as it is were observed: what counts is then what is so over the inputs. */
export function anySeen({ rows, old }: Seen): boolean {
  return !old && rows.some(({ numbers }) => numbers.outside_grid !== null);
}

export const where = (seen: boolean) => (seen ? "over the inputs seen" : "on the grid");

/** Which inputs these are: "over the inputs seen at step 40". */
export function inputsText({ observed_step: step }: Pick<Content, "observed_step">): string {
  return typeof step === "number" ? `${where(true)} at step ${formatCount(step)}` : where(true);
}

export interface Column {
  title: string;
  /** What the two lines are. */
  below: string;
  /** Said on hovering. */
  about: string;
  lines(numbers: Numbers): [string, string];
}

/** The columns in their order; those that decide come first. */
export function columnsOf(content: Seen & Pick<Content, "threshold">, more: boolean): Column[] {
  const four = deciding(anySeen(content), content.threshold, more);
  return more ? [...four, ...OTHERS] : four;
}

function deciding(seen: boolean, threshold: number, more: boolean): Column[] {
  const what = "Median of max φ − min φ of the layer’s functions";
  return [
    {
      title: "range",
      below: seen && more ? "seen / grid" : "median",
      about:
        seen && more
          ? `${what}: over the inputs seen, and below it on the grid`
          : `${what} ${where(seen)}`,
      lines: (n) =>
        seen ? [known(n.observed_range), more ? known(n.range) : ""] : [known(n.range), ""],
    },
    {
      title: "splines",
      below: "of range",
      about:
        "Median share of the range on the grid that comes from the splines; the rest comes from the base",
      lines: (n) => [percent(n.spline_share), ""],
    },
    {
      title: "outside",
      below: more ? "grid / support" : "the grid",
      about: `Share of the inputs seen outside the grid, where splines fade out${more ? ", and outside the support, where none does" : ""}`,
      lines: (n) => {
        if (!seen) return [UNKNOWN, ""];
        return [percent(n.outside_grid), more ? percent(n.outside_support) : ""];
      },
    },
    {
      title: "like SiLU",
      below: more ? `R² ≥ ${number(threshold)}` : "of functions",
      about: `Share of the functions that are nearly the SiLU curve, ${where(seen)}: R² of the best a·SiLU + c is at least ${number(threshold)}`,
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

/** What is to be said of functions that count nowhere else, or were not measured; or nothing. */
export function aside({ numbers }: Row): string {
  const parts: string[] = [];
  const { measured, functions } = numbers;
  if (measured < functions) parts.push(`${formatCount(measured)} measured, at random`);
  if (numbers.constant) parts.push(`${formatCount(numbers.constant)} constant`);
  if (numbers.not_finite) parts.push(`${formatCount(numbers.not_finite)} not finite`);
  return parts.join(" · ");
}

/** What a layer is, how many of its functions are drawn, and which count nowhere; the longest words first. */
export function drawnNotes(row: Row): string[] {
  const { type, numbers, dots } = row;
  const { functions, constant, not_finite } = numbers;
  const some = dots.length < functions - constant - not_finite;
  const few = `${formatCount(dots.length)} of ${formatCount(functions)}`;
  const all = some ? `${few} functions shown` : counted(functions, "function");
  const warning = aside(row);
  if (warning)
    return some ? [`${all} · ${warning}`, `${few} shown · ${warning}`, warning] : [warning];
  return some ? [`${type}, ${all}`, all, `${few} shown`] : [`${type}, ${all}`];
}

/** A share of inputs outside a grid that leads, and one that is worth a sentence. */
const LARGE = 0.1;
const MANY = 0.05;

/**
 * What the rows say: which layer's functions vary least, and why. Where a layer gets a large part of its inputs from
 * outside its grid, that comes first: something can be done about it.
 */
export function sentences(content: Seen): [headline: string, why: string] {
  const { rows } = content;
  const seen = anySeen(content);
  const outside = seen ? outsideText(content) : "";
  const [first, ...others] = comparison(rows, seen);
  const leads = seen && Math.max(...rows.map(outsideOf)) > LARGE;
  const said = leads ? [outside, first, ...others] : [first, ...others, outside];
  const [headline = "", ...why] = said.filter((text) => text);
  return [headline, why.join(" ")];
}

function comparison(rows: readonly Row[], seen: boolean): string[] {
  const reach = ({ numbers }: Row) => (seen ? numbers.observed_range : numbers.range) ?? 0;
  const some = rows.filter((row) => reach(row) > 0);
  if (some.length === 0) return [];
  const least = some.reduce((a, b) => (reach(b) < reach(a) ? b : a));
  const most = some.reduce((a, b) => (reach(b) > reach(a) ? b : a));
  const ratio = reach(most) / reach(least);
  if (some.length === 1) {
    return [
      `A typical function of ${inSentence(least)} varies by ${number(reach(least))} ${where(seen)}.`,
    ];
  }
  if (ratio < 1.5) {
    const ends = `${number(reach(least))} to ${number(reach(most))}`;
    return [`The functions of all layers vary about as much: typically by ${ends} ${where(seen)}.`];
  }
  const headline =
    `Layer ${layerTitle(least)}: its functions vary least, typically by ${number(reach(least))} ` +
    `${where(seen)}, ${times(ratio)} less than those of ${inSentence(most)} (${number(reach(most))}).`;
  // These are known on the grid alone, and would be another measure than the inputs'.
  return seen ? [headline] : [headline, grownText(least), shareText(least)];
}

/** How much more a layer's functions vary than at the start, where they do. */
function grownText({ numbers: { range, range_at_start: then, change } }: Row): string {
  if (range === null || !then || !change) return "";
  return `That is ${times(range / then)} as much as at the start (${number(then)}).`;
}

function shareText({ numbers: { spline_share: share } }: Row): string {
  return share === null ? "" : `Splines make ${percent(share)} of the range, the base the rest.`;
}

const outsideOf = ({ numbers }: Row) => numbers.outside_grid ?? 0;

/** Which layer gets most of its inputs from outside its grid, if any gets many. */
function outsideText({
  rows,
  observed_step: step,
}: Pick<Content, "rows" | "observed_step">): string {
  const worst = rows.reduce((a, b) => (outsideOf(b) > outsideOf(a) ? b : a));
  const share = outsideOf(worst);
  if (!(share >= MANY)) return "";
  const when = typeof step === "number" ? ` (seen at step ${formatCount(step)})` : "";
  return `${percent(share)} of the inputs of ${inSentence(worst)}${when} lie outside its grid, where its splines fade out.`;
}

const inSentence = (row: Row) => `layer ${layerTitle(row)}`;

const times = (ratio: number) => `${roughly(ratio)} times`;

/** A row for those who cannot see it. */
export function rowWords(row: Row, content: Content, more: boolean): string {
  const cells = columnsOf(content, more).map(({ title, below, lines }) => {
    const [first, second] = lines(row.numbers);
    return `${title} (${below}) ${second ? `${first} / ${second}` : first}`;
  });
  const note = aside(row);
  const head = [layerTitle(row), row.type, counted(row.numbers.functions, "function")];
  return [...head, ...(note ? [note] : []), ...cells].join(", ");
}

/** What a click on a row does. */
export function rowHint({ name, type, numbers }: Row): string {
  const what = `${type}, ${counted(numbers.functions, "function")}`;
  return `${layerTitle({ name, type })} · ${what} · click to select its typical function`;
}

export function dotWords(row: Row, dot: number, content: Content): string {
  const f = row.functions[dot];
  const at = { ...selectionOf(row, f), layer: row.name };
  const range = `range ${number(row.dots[dot])} ${row.seen ? inputsText(content) : where(false)}`;
  return `${layerTitle(row)} · ${placeText(row, at)}: ${range}`;
}
