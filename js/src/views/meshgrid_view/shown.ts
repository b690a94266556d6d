/** What the three ways of looking have in common: what they are drawn from, and words. No DOM. */

import { number } from "../../phi/format.ts";
import { paletteOf } from "../../phi/palette.ts";
import type { Reach } from "../../phi/ranges.ts";
import { rampOf } from "../../scene/heat.ts";
import { keyed, type Remark } from "../../scene/marks.ts";
import type { ThemeName } from "../../scene/theme.ts";
import type { Frame, LayerLayout } from "../../wire/types.ts";
import type { Settings } from "./settings.ts";

/** All that a drawing is made from, beside what every view is given. */
export interface Shown {
  frame: Frame;
  layer: LayerLayout;
  settings: Settings;
}

export interface Scales {
  smallest: number;
  largest: number;
}

/** The colours with the numbers at their ends, and what the values really reach. */
export function colourRemarks(
  what: string,
  scales: Scales,
  reach: Pick<Reach, "low" | "high"> | null,
  theme: { name: ThemeName },
): Remark[] {
  const { smallest, largest } = scales;
  const text =
    smallest === largest
      ? `${what} ${number(-largest)} … ${number(largest)}`
      : `${what}, own scales ±${number(smallest)} … ±${number(largest)}`;
  const remarks = [keyed(text, "ramp", rampOf(paletteOf(theme.name)))];
  if (reach) remarks.push({ text: `${what} reaches ${number(reach.low)} … ${number(reach.high)}` });
  return remarks;
}

export function finite(value: number): string {
  return Number.isFinite(value) ? number(value) : "not finite";
}
