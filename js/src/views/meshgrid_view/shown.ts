/** What the three ways of looking have in common: what they are drawn from, and the marks they share. No DOM. */

import { number } from "../../phi/format.ts";
import { type Palette, paletteOf } from "../../phi/palette.ts";
import type { Reach } from "../../phi/ramp.ts";
import { rampOf } from "../../scene/heat.ts";
import type { Mark, Rect, Remark } from "../../scene/marks.ts";
import type { Colours, ThemeName } from "../../scene/theme.ts";
import type { Frame, LayerLayout } from "../../wire/types.ts";
import type { Settings } from "./settings.ts";

/** All that a drawing is made from, beside what every view is given. */
export interface Shown {
  frame: Frame;
  layer: LayerLayout;
  settings: Settings;
}

export function paletteIn(theme: { name: ThemeName }): Palette {
  return paletteOf(theme.name);
}

/** Frames a cell. */
export function outline(
  { x, y, width, height }: Rect,
  stroke: string,
  thickness = 1,
  outset = 0.5,
  dash?: readonly number[],
): Mark {
  const boxes = [x - outset, y - outset, width + 2 * outset, height + 2 * outset];
  return { kind: "rects", boxes, stroke, width: thickness, dash };
}

/** Frames a chosen cell so that it stands out on any ground. */
export function framed(box: Rect, colour: string, { surface }: Colours): Mark[] {
  return [outline(box, surface, 4, 1), outline(box, colour, 2, 1)];
}

/** Where the keyboard is. */
export function cursorMark(box: Rect, { ink }: Colours, outset = 1): Mark {
  return outline(box, ink, 1.5, outset, [3, 2]);
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
  const swatch = { kind: "ramp", colours: rampOf(paletteIn(theme)) } as const;
  const text =
    smallest === largest
      ? `${what} ${number(-largest)} … ${number(largest)}`
      : `${what}, own scales ±${number(smallest)} … ±${number(largest)}`;
  const remarks: Remark[] = [{ text, swatch }];
  if (reach) remarks.push({ text: `${what} reaches ${number(reach.low)} … ${number(reach.high)}` });
  return remarks;
}
