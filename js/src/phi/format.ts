/** Numbers as the views print them. */
import { format } from "d3-format";
import type { Layout } from "../wire/types.ts";

const plain = format(".3~r");
const grouped = format(",d");
const scientific = format(".2~e");

/** Up to 3 significant digits, with true minus signs: "0.0031", "12.5", "1.2e−7". "0" means zero itself and nothing else. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 1e-4 && size < 1e5
    ? plain(value)
    : scientific(value).replace("+", "").replaceAll("-", "−");
}

/** Numbers of a column, all with as many decimals: three digits of the largest, or `small` after its zeros; of one that is far larger no more than four digits. */
export function formatAlike(values: readonly number[], small = 2): (value: number) => string {
  const most = Math.max(...values.map(Math.abs).filter(Number.isFinite), 0);
  const size = Math.floor(Math.log10(most));
  if (most === 0 || size < -4 || size > 4) return formatNumber;
  const decimals = Math.max(0, size < 0 ? small - 1 - size : 2 - size);
  return (value) => {
    const own = Math.log10(Math.abs(value));
    if (value === 0 || !(own < 4)) return formatNumber(value);
    const text = value.toFixed(Math.min(decimals, Math.max(0, 3 - Math.floor(own))));
    return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
  };
}

export function formatRange(largest: number): string {
  return `±${formatNumber(Math.abs(largest))}`;
}

/** A training step or another whole number: "12,340". */
export function formatCount(count: number): string {
  return grouped(count);
}

/** A share: "62.3 %"; "0 %" and "100 %" are exact. */
export function percent(share: number): string {
  if (Number.isNaN(share)) return "";
  if (share > 0 && share < 0.001) return "<0.1 %";
  if (share < 1 && share > 0.999) return ">99.9 %";
  return `${formatNumber(Number((100 * share).toFixed(1)))} %`;
}

/** Likewise, as many digits for all: "10.0 %" beside "9.8 %". */
export function toATenth(share: number): string {
  return share > 0 && share < 1 ? percent(share).replace(/^(\d+) %$/, "$1.0 %") : percent(share);
}

/** A share where whole per cent are enough, but near 0 and 100; "–" where it is not known. */
export function roughPercent(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return "–";
  const isNearEnd = share < 0.1 || share > 0.99;
  return isNearEnd ? percent(share) : `${formatCount(Math.round(100 * share))} %`;
}

/** The probability of a class, which is never quite 0 or 1, whatever numbers can hold. */
export function chance(share: number): string {
  return percent(Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, share)));
}

/** "x from −1 to 1". */
export function spanText(variable: string, [low, high]: readonly [number, number]): string {
  return `${variable} from ${formatNumber(low)} to ${formatNumber(high)}`;
}

/** "step 1,240"; "5 trained networks" of an ensemble, which has no steps. */
export function momentText({ step, layout }: { step: number; layout: Layout | undefined }): string {
  const band = layout?.layers.find((layer) => layer.band)?.band;
  return band ? `${band.count} trained networks` : `step ${formatCount(step)}`;
}
