/** How the shares of a layer add up, in words. No DOM. */

import { formatCount, number } from "../../phi/format.ts";

/** What the shares of a layer add up to the score with. */
export interface Sums {
  kind: "functions" | "kernels";
  rows: number;
  columns: number;
  /** What they are compared with, if anything. */
  beside: unknown;
  /** What the model said when this was found: layers are not all found at one step. */
  step: number;
  target: number;
  /** null where they are not finite. */
  scores: (number | null)[];
  /** Images that means are over, if any, and the step at which they were seen, where that is known. */
  samples: number | null;
  seen: number | null;
  /** Of functions the bias, the rounding and the other functions; of kernels the score with each at its usual response, and what is left over. */
  sums: Partial<Record<"bias" | "error" | "others" | "baseline" | "missing", number | null>>;
}

/** A part of a score so small is not worth a word. */
const LITTLE = 0.005;

/** What `beside` is; "" where there is nothing to be compared with. */
export function besideLabelOf(part: Sums): string {
  if (part.kind === "kernels") return "drop of the score without it";
  return part.beside ? `mean of ${samplesIn(part)}` : "";
}

/** How it adds up, for whoever looks once. `name`: of the class; `sum`: of all shares. */
export function sentenceOf(part: Sums, name: string, sum: number): string {
  const { rows, columns, kind, sums } = part;
  const score = part.scores[part.target] ?? null;
  if (score === null) return `The score of ${name} is not finite: there is nothing to divide.`;
  const scores = `Class ${name} scores ${number(score)}`;
  const count = rows * columns;
  if (kind === "functions") {
    const { bias, others = null } = sums;
    const pieces = count > 1 ? `${formatCount(count)} functions` : "one function";
    let terms = bias || others !== null ? `${number(sum)} from ${pieces}` : pieces;
    if (others !== null) terms += `${added(others)} from the other functions`;
    if (bias) terms += `${added(bias)} bias`;
    return `${scores}, the sum of ${terms}.`;
  }
  const { baseline, missing } = sums;
  const [pieces, make] = count > 1 ? ["these kernels", "make"] : ["this kernel", "makes"];
  const left = known(missing);
  const rest = Math.abs(left) >= LITTLE * Math.abs(score) ? `${added(left)} left over` : "";
  return (
    `${scores}: ${number(known(baseline))} with ${each(count)} at its usual response ` +
    `(its mean ${mean(part)})${added(sum)} from what ${pieces} ${make} of this image${rest}.`
  );
}

/** How that is computed, and what it leaves out. */
export function methodOf(part: Sums): string {
  const { kind, rows, columns, sums } = part;
  if (kind === "functions") {
    return `The last layer adds up its functions φ(x): these are its own terms, exact but for ${number(known(sums.error))} of rounding.`;
  }
  return (
    `The usual response is the mean ${mean(part)}: with ${each(rows * columns)} at it the score would be ` +
    `${number(known(sums.baseline))}. What differs is shared out by integrated gradients, which depend on that ` +
    `mean, and ${number(known(sums.missing))} is left over. The drop is how far the score falls where that kernel ` +
    "alone responds as usual."
  );
}

const known = (value: number | null | undefined) => value ?? Number.NaN;
const each = (count: number) => (count > 1 ? "each kernel" : "the kernel");
const mean = (part: Sums) => (part.samples ? `over ${samplesIn(part)}` : "over this image");

function samplesIn({ samples, seen, step }: Sums): string {
  const then = seen === null || seen === step ? "" : `, seen at step ${formatCount(seen)}`;
  return `${formatCount(samples ?? 0)} images${then}`;
}

/** A term of a sum with its sign. */
function added(value: number): string {
  return ` ${value < 0 ? "−" : "+"} ${number(Math.abs(value))}`;
}
