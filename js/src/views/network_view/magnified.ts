/** One function, large and with axes, under its title. */

import { formatAlike } from "../../phi/format.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { phiPlot } from "../../scene/phi_plot.ts";
import { WORDS, words } from "../../scene/shapes.ts";
import { fitting } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import type { CloseUp, ShownFunction } from "./close_up.ts";
import type { Diagram } from "./diagram.ts";
import { rounded } from "./functions.ts";
import { FRAMED } from "./strongest.ts";

const SIZE = 10;
/** Room of the two lines of a title. */
const TITLE = 33;

/** The plot in a box, under its title. */
export function magnifiedMarks(
  { parts, ghost, flow, frame: drawn }: Diagram,
  { column }: CloseUp,
  { f, x, value, name, place, whole, together }: ShownFunction,
  box: Rect,
  { colours }: Theme,
): Mark[] {
  const { picture, before } = parts[column];
  if (!picture) return [];
  const { print } = picture;
  const frame = flow?.frame ?? drawn;
  const inside = { ...box, y: box.y + TITLE, height: box.height - TITLE - 2 };
  const plotted = { ...picture, f, frame, ghost };
  const { plot, marks } = phiPlot(plotted, { x, value }, inside, colours);
  const input = before && !before.column.map ? before.print(x) : formatAlike(picture.x)(x);
  // All functions of a map or a kernel together are its bar.
  const all = Number.isFinite(together) ? `; ${whole} add ${print(together)}` : "";
  const what = Number.isFinite(x + value) ? `φ(${input}) = ${print(value)}${all}` : "";
  const placed = what && place ? `${place}: ${what}` : what;
  const first = fitting([name, name.split(" · ").at(-1) ?? ""], box.width, WORDS, 600);
  const second = fitting([placed, what, ""], box.width, SIZE);
  return [
    words(box.x, box.y + 9, first, colours.ink, { weight: 600 }),
    words(box.x, box.y + 21, second, colours.muted, { size: SIZE }),
    ...marks,
    rounded(plot, colours.ink, FRAMED),
  ];
}
