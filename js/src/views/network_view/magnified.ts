/** One function, large and with axes: what it is, what it was, and what it makes of the example. */

import { basisOf } from "../../phi/entries.ts";
import { expandAll } from "../../phi/expansion.ts";
import { formatAlike, formatCount } from "../../phi/format.ts";
import { type Axis, curvesPlot, type Range } from "../../scene/axes.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { dot, line, WORDS, words } from "../../scene/shapes.ts";
import { fitting } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import type { Frame, LayerLayout } from "../../wire/types.ts";
import type { CloseUp, ShownFunction } from "./close_up.ts";
import type { Diagram } from "./diagram.ts";
import { addArea, CHANGE_OPACITY, rounded } from "./functions.ts";
import { FRAMED } from "./strongest.ts";

const SIZE = 10;
const TITLE = { small: 16, high: 33, from: 123 };
const POINTS = 80;
/** Share of what is drawn that stays free at the ends of either axis. */
const AIR = 0.08;

/** Also beyond the table, where the example may lie; without what is not known there. */
function curveBeyondTable(frame: Frame, layer: LayerLayout, f: number, { from, to }: Range) {
  const { nb, offset, tableOf } = layer;
  const x = Array.from({ length: POINTS }, (_, k) => from + ((to - from) * k) / (POINTS - 1));
  const { values } = expandAll(layer, tableOf?.[f] ?? 0, x);
  const own = frame.data.subarray(offset + f * nb, offset + (f + 1) * nb);
  return { x, y: x.map((_, p) => own.reduce((sum, c, b) => sum + c * values[p * nb + b], 0)) };
}

type Curve = ReturnType<typeof curveBeyondTable>;

function finite({ x, y }: Curve): Curve {
  const isKnown = (_: number, p: number) => Number.isFinite(y[p]);
  return { x: x.filter(isKnown), y: y.filter(isKnown) };
}

/** The space between a curve and what it was. */
function changeMarks(now: Curve, then: Curve, x: Axis, y: Axis, { colours }: Theme): Mark[] {
  return [Math.max, Math.min].map((side, k): Mark => {
    const area = { xy: [] as number[], ends: [] as number[] };
    addArea(area, now, then, side, x.scale, y.scale);
    const fill = k === 0 ? colours.rise : colours.fall;
    return { kind: "lines", ...area, closed: true, fill, opacity: CHANGE_OPACITY };
  });
}

/** The plot in a box, under its title. */
export function magnifiedMarks(
  { parts, ghost, flow, frame: drawn }: Diagram,
  { column, layer }: CloseUp,
  { f, x, value, name, place, whole, together }: ShownFunction,
  box: Rect,
  theme: Theme,
): Mark[] {
  const { colours } = theme;
  const { picture, before } = parts[column];
  if (!picture) return [];
  const { told } = picture;
  const frame = flow?.frame ?? drawn;
  const [low, high] = picture.x;
  const edge = AIR * (high - low);
  const isKnown = Number.isFinite(x + value);
  const along = isKnown
    ? { from: Math.min(low, x - edge), to: Math.max(high, x + edge) }
    : { from: low, to: high };
  const now = curveBeyondTable(frame, layer, f, along);
  const then = ghost && ghost !== frame ? curveBeyondTable(ghost, layer, f, along) : null;
  const lines = [
    ...(then ? [{ points: finite(then), stroke: colours.ghost, paint: { width: 1.25 } }] : []),
    { points: finite(now), stroke: colours.ink, paint: { round: true, width: 2 } },
  ];
  const over = box.height < TITLE.from ? TITLE.small : TITLE.high;
  const inside = { ...box, y: box.y + over, height: box.height - over - 2 };
  const most = { x: box.width < 170 ? 3 : 5, y: box.height > 130 ? 5 : 4 };
  const made = curvesPlot(inside, along, lines, colours, {
    ...{
      most,
      air: AIR,
      size: SIZE,
      values: isKnown ? [value] : [],
      within: basisOf(layer, f).domain,
    },
    under: (toX, toY) => (then ? changeMarks(now, then, toX, toY, theme) : []),
  });
  const input = before && !before.column.map ? before.told(x) : formatAlike(picture.x)(x);
  // All functions of a map or a kernel together are its bar.
  const part = Number.isFinite(together) ? ` of ${whole}’s ${told(together)}` : "";
  const what = isKnown ? `φ(${input}) = ${told(value)}${part}` : "";
  const placed = what && place ? `${place}: ${what}` : what;
  const start = then && ghost ? `grey: step ${formatCount(ghost.step)}` : "";
  const joined = (...texts: string[]) => texts.filter(Boolean).join(" · ");
  const short = name.split(" · ").at(-1) ?? name;
  const isHigh = over === TITLE.high;
  const titles = [...(isHigh ? [] : [joined(name, what), joined(short, what)]), name, short];
  const second = [joined(placed, start), placed, joined(what, start), what, ""];
  const at = [made.x.scale(x), made.y.scale(value)];
  const fill = value < 0 ? colours.less : colours.more;
  // The input of the example on the curve, and what the function adds.
  const example: Mark[] = [
    line([at[0], made.y.scale(0), ...at], fill, { width: 2.5 }),
    dot(at[0], at[1], 4.5, { fill, stroke: colours.surface, width: 1 }),
  ];
  return [
    words(box.x, box.y + 9, fitting(titles, box.width, WORDS, 600), colours.ink, { weight: 600 }),
    ...(isHigh
      ? [words(box.x, box.y + 21, fitting(second, box.width, SIZE), colours.muted, { size: SIZE })]
      : []),
    ...made.marks,
    ...(isKnown ? example : []),
    rounded(made.plot, colours.ink, FRAMED),
  ];
}
