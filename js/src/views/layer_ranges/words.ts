/** Everything that LayerRanges says of its numbers. */

import { counted, layerInWords, layerTitle, placeText, selectionOf } from "../../phi/entries.ts";
import { formatCount, formatNumber, roughPercent } from "../../phi/format.ts";
import type { Numbers, RangesContent, RangesRow } from "./content.ts";

/** Of many functions, a number to two places: the same in sentences and columns. */
export function roughly(value: number): string {
  const text = value.toPrecision(2);
  return value >= 0.001 && value < 10 ? text : formatNumber(Number(text));
}
const numberOr = (value: number | null) => (value === null ? "–" : roughly(value));

type Seen = Pick<RangesContent, "rows" | "old" | "observed_step">;

/** Whether inputs of the model as it is were observed: what counts is then what is so over the inputs. */
export function anySeen({ rows, old }: Seen): boolean {
  return !old && rows.some(({ numbers }) => numbers.outside_grid !== null);
}

export const where = (seen: boolean) => (seen ? "over the inputs seen" : "on the grid");

/** Which inputs these are: "over the inputs seen at step 40". */
export function inputsText({ observed_step: step }: Pick<RangesContent, "observed_step">): string {
  return typeof step === "number" ? `${where(true)} at step ${formatCount(step)}` : where(true);
}

export interface NumberColumn {
  title: string;
  /** What the two lines are. */
  below: string;
  /** Said on hovering. */
  about: string;
  lines(numbers: Numbers): [string, string];
  splineBar?(numbers: Numbers): number | null;
}

export function numberColumns(
  content: Seen & Pick<RangesContent, "threshold"> & { observed?: boolean },
): NumberColumn[] {
  const { threshold } = content;
  const seen = anySeen(content);
  const outside: NumberColumn = {
    title: "outside",
    below: "the grid",
    about:
      "Share of the inputs outside the grid, where splines fade out: one of order k is zero from k steps of the grid beyond it on",
    lines: (n) => [roughPercent(seen ? n.outside_grid : null), ""],
  };
  return [
    {
      // The lines beside it are of the grid in any case: what is over the inputs has another name.
      title: seen ? "median range" : "grid range",
      below: seen ? "over the inputs" : "median",
      about: `Median of max φ − min φ of the layer’s functions ${where(seen)}; of an ensemble below it from the least to the largest of its networks`,
      lines: (n) => [numberOr(seen ? n.observed_range : n.range), n.spread ?? ""],
    },
    {
      title: "splines’ part",
      below: "on the grid",
      about:
        "Median share of the range on the grid that comes from the splines; the rest comes from the base",
      lines: (n) => [roughPercent(n.spline_share), ""],
      splineBar: (n) => n.spline_share,
    },
    // What has been observed keeps its column: all others stay where they are.
    ...(seen || content.observed ? [outside] : []),
    {
      title: "SiLU-like",
      below: "functions",
      about: `Share of the functions that are nearly the SiLU curve, ${where(seen)}: R² of the best a·SiLU + c is at least ${formatNumber(threshold)}. SiLU, x·sigmoid(x), is the usual base, with which functions begin`,
      lines: (n) => [
        roughPercent(seen ? n.observed_silu_shaped : n.silu_shaped),
        ownShape(n, seen),
      ],
    },
  ];
}

/** How many functions have the shape of a base that is not SiLU. */
function ownShape(n: Numbers, seen: boolean): string {
  if (["silu", ""].includes(n.base.toLowerCase())) return "";
  const shape = ["x", "identity"].includes(n.base) ? "line" : n.base;
  return `${shape} ${roughPercent(seen ? n.observed_base_shaped : n.base_shaped)}`;
}

/** What is to be said of functions that count nowhere else, or were not measured; or nothing. */
export function aside({ numbers }: RangesRow): string {
  const parts: string[] = [];
  const { measured, functions } = numbers;
  if (measured < functions) parts.push(`${formatCount(measured)} measured, at random`);
  if (numbers.constant) parts.push(`${formatCount(numbers.constant)} constant`);
  if (numbers.not_finite) parts.push(`${formatCount(numbers.not_finite)} not finite`);
  if (numbers.observed_range === 0)
    parts.push("constant over the inputs seen, which are all alike");
  return parts.join(" · ");
}

/** What a layer is, how many of its functions are drawn, and which count nowhere; the longest words first. */
export function drawnNotes(row: RangesRow): string[] {
  const { type, numbers, dots } = row;
  const { functions, constant, not_finite } = numbers;
  const some = dots.length < functions - constant - not_finite;
  const few = `${formatCount(dots.length)} of ${formatCount(functions)}`;
  const all = some ? `${few} functions shown` : counted(functions, "function");
  const warning = aside(row);
  if (!warning) return some ? [`${type}, ${all}`, all, `${few} shown`] : [`${type}, ${all}`, all];
  const isSaid = some && dots.length > 0;
  return isSaid ? [`${all} · ${warning}`, `${few} shown · ${warning}`, warning] : [warning];
}

/** A share of inputs outside a grid that leads, and one that is worth a sentence. */
const LEADING_SHARE = 0.1;
const TOLD_SHARE = 0.05;

/**
 * What the rows say: which layer's functions vary least. Where a layer gets a large part of its inputs from
 * outside its grid, that comes first: something can be done about it.
 */
export function sentences(content: Seen): [headline: string, why: string] {
  const { rows } = content;
  const seen = anySeen(content);
  const outside = seen ? outsideText(content) : "";
  const first = comparison(rows, seen);
  const leads = seen && Math.max(...rows.map(outsideOf)) > LEADING_SHARE;
  const [headline = "", why = ""] = (leads ? [outside, first] : [first, outside]).filter(Boolean);
  return [headline, why];
}

function comparison(rows: readonly RangesRow[], seen: boolean): string {
  const reach = ({ numbers }: RangesRow) => (seen ? numbers.observed_range : numbers.range) ?? 0;
  const some = rows.filter((row) => reach(row) > 0);
  if (some.length === 0) {
    const broken = rows.every(({ numbers }) => numbers.not_finite === numbers.measured);
    return broken ? "None of the functions is finite." : "";
  }
  const least = some.reduce((a, b) => (reach(b) < reach(a) ? b : a));
  const most = some.reduce((a, b) => (reach(b) > reach(a) ? b : a));
  const ratio = reach(most) / reach(least);
  if (some.length === 1) {
    const whose = least.numbers.functions > 1 ? "A typical function" : "The function";
    return `${whose} of ${layerInWords(least)} varies by ${roughly(reach(least))} ${where(seen)}.`;
  }
  if (ratio < 1.5) {
    const ends = `${roughly(reach(least))} to ${roughly(reach(most))}`;
    return `The functions of all layers vary about as much: typically by ${ends} ${where(seen)}.`;
  }
  return (
    `The functions of ${shortly(least)} vary least, typically by ${roughly(reach(least))} ${where(seen)}; ` +
    `those of ${shortly(most)} vary most, by ${roughly(reach(most))}.`
  );
}

/** A layer by its name, where that is more than a number. */
const shortly = (row: RangesRow) => (/^\d*$/.test(row.name) ? layerInWords(row) : row.name);

const outsideOf = ({ numbers }: RangesRow) => numbers.outside_grid ?? 0;

/** Which layer gets most of its inputs from outside its grid, if any gets many. */
function outsideText({
  rows,
  observed_step: step,
}: Pick<RangesContent, "rows" | "observed_step">): string {
  const worst = rows.reduce((a, b) => (outsideOf(b) > outsideOf(a) ? b : a));
  const share = outsideOf(worst);
  if (!(share >= TOLD_SHARE)) return "";
  const when = typeof step === "number" ? ` (seen at step ${formatCount(step)})` : "";
  return `${roughPercent(share)} of the inputs of ${layerInWords(worst)}${when} lie outside its grid, where its splines fade out.`;
}

/** A row for those who cannot see it. */
export function rowWords(row: RangesRow, content: RangesContent): string {
  const cells = numberColumns(content).map(({ title, below, lines }) => {
    const [first, second] = lines(row.numbers);
    return `${title} ${below} ${second ? `${first} / ${second}` : first}`;
  });
  const head = [layerTitle(row), row.type, counted(row.numbers.functions, "function"), aside(row)];
  return [...head, ...cells].filter(Boolean).join(", ");
}

/** What a click on a row does. */
export function rowHint({ name, type, numbers }: RangesRow): string {
  const what = `${type}, ${counted(numbers.functions, "function")}`;
  return `${layerTitle({ name, type })} · ${what} · click to select its typical function`;
}

export function dotWords(row: RangesRow, dot: number, content: RangesContent): string {
  const f = row.functions[dot];
  const at = { ...selectionOf(row, f), layer: row.name };
  const range = `range ${formatNumber(row.dots[dot])} ${row.seen ? inputsText(content) : where(false)}`;
  return `${layerTitle(row)} · ${placeText(row, at)}: ${range}`;
}
