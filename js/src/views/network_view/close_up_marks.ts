/** Draws what one number is made of: functions with the inputs on them, and what each adds as a bar. No DOM. */

import { formatAlike, number } from "../../phi/format.ts";
import type { Palette } from "../../phi/palette.ts";
import { greyOf, heatOf } from "../../scene/heat.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { Curves, flat, line, rects, segments, WORDS, words } from "../../scene/shapes.ts";
import { fitted, widthOf, wrapped } from "../../scene/text.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import {
  type CloseUp,
  closeUpTitles,
  type FunctionsCloseUp,
  type PixelCloseUp,
} from "./close_up.ts";
import type { Diagram } from "./diagram.ts";
import { cellOf } from "./functions.ts";
import { Bars, mapsBefore, sumMarks, unitMarks } from "./part_bars.ts";
import { gridMarks, plotMarks, roomsOf, strongestLink } from "./strongest_link.ts";
import { asOf } from "./words.ts";

const HINT = "live.probe(images) sends examples through the network while it trains.";
const SMALL = 10;

/** `alone`: nobody is there who could follow examples. */
export function closeUpMarks(
  diagram: Diagram,
  closeUp: CloseUp | null,
  box: Rect,
  alone: boolean,
  theme: Theme,
  palette: Palette,
): Mark[] {
  const { colours } = theme;
  const hint = diagram.flow || alone ? "" : HINT;
  if (!closeUp) {
    const lines = wrapped(hint, box.width, WORDS);
    return lines.map((text, k) => words(box.x, box.y + 15 + 16 * k, text, colours.muted));
  }
  // Of when it is, where that is not the step drawn.
  const late = closeUp.kind === "functions" ? "" : asOf(diagram);
  const titles = closeUpTitles(diagram, closeUp).map((text) => (late ? `${text} (${late})` : text));
  const heading = (room: number) => {
    const text = fittingFirst(titles, room);
    return words(box.x, box.y + 13, text, colours.ink, { weight: 600 });
  };
  const inside = { ...box, y: box.y + 22, height: box.height - 24 };
  if (closeUp.kind === "pixel")
    return [heading(box.width), ...pixelMarks(closeUp, inside, colours, palette)];
  if (closeUp.kind === "functions")
    return [heading(box.width), ...functionMarks(closeUp, inside, hint, colours)];
  const link = strongestLink(diagram, closeUp);
  const rooms = link && roomsOf(link, inside);
  const pictures = mapsBefore(diagram, closeUp, palette);
  const framed = link && pictures ? link.bundle.from : -1;
  const over = { ...box, width: rooms?.heading ?? box.width };
  const sum = sumMarks(diagram, closeUp, widthOf(titles[0], WORDS, 600), over, colours);
  return [
    heading(sum.room),
    ...sum.marks,
    ...unitMarks(diagram, closeUp, rooms?.bars ?? inside, pictures, framed, colours),
    ...(link && rooms?.grid && !late ? gridMarks(link, rooms.grid, theme, palette) : []),
    ...(link && rooms ? plotMarks(link, rooms.plot, theme) : []),
  ];
}

/** The first that fits, or the first, shortened. */
function fittingFirst(texts: readonly string[], room: number): string {
  const found = texts.find((text) => widthOf(text, WORDS, 600) <= room);
  return found ?? fitted(texts[0], room, WORDS, 600);
}

/** The inputs of a patch, its functions with these on them, and what each adds. */
function pixelMarks(
  { patch, layer, part, total, channels, greys }: PixelCloseUp,
  box: Rect,
  colours: Colours,
  palette: Palette,
): Mark[] {
  const [, , kh, kw] = layer.shape;
  const side = Math.min(66, box.height - 26, 0.16 * box.width);
  const inputs = Float32Array.from(patch.inputs ?? []);
  const ink = Math.max(...Array.from(inputs, Math.abs).filter(Number.isFinite), 1e-9);
  const at = { x: box.x, y: box.y + 12, width: side, height: (side * kh) / kw };
  const pixels = greys ? greyOf(inputs, kw, greys) : heatOf(inputs, kw, ink, palette);
  // White cells next to each other are still seen one by one.
  const cells = Array.from(inputs, (_, k) => flat(cellOf(at, [kh, kw], k))).flat();
  const count = kh * kw;
  const start = box.x + side + 26;
  const step = Math.min(0.1 * box.width, (box.width - side - 26 - 84) / count);
  const cell = Math.max(14, step - 8);
  const tall = Math.min(cell, box.height * 0.42);
  const middle = at.y + tall / 2;
  const [lo, hi] = patch.range;
  const values = patch.values ?? [];
  const most = Math.max(0, ...values);
  const least = Math.max(0, ...values.map((value) => -value));
  const scale = Math.max(8, box.height - tall - 40) / Math.max(1e-9, most + least);
  const zero = at.y + tall + 14 + scale * most;
  const said = formatAlike(values);
  const texts: Mark[] = [];
  const curves = new Curves();
  const bars = new Bars(zero);
  const [boxes, zeros, dots]: number[][] = [[], [], []];
  const small = { size: SMALL } as const;
  patch.curves.forEach((curve, e) => {
    const x0 = start + e * step;
    boxes.push(x0, at.y, cell, tall);
    zeros.push(x0, middle, x0 + cell, middle);
    const toX = (x: number) => x0 + (cell * (x - lo)) / (hi - lo);
    const toY = (y: number) => middle - ((tall / 2 - 2) * y) / patch.most;
    curve.forEach((y, k) => {
      curves.point(toX(lo + ((hi - lo) * k) / (curve.length - 1)), toY(y));
    });
    curves.end();
    if (Number.isFinite(inputs[e])) dots.push(toX(inputs[e]), toY(values[e]));
    const length = scale * values[e];
    bars.add(x0 + cell / 2, Math.min(16, cell), length);
    const text = said(values[e]);
    if (widthOf(text, SMALL) + 1 > step) return;
    const y = length >= 0 ? zero - length - 4 : zero - length + 11;
    texts.push(words(x0 + cell / 2, y, text, colours.muted, { anchor: "middle", ...small }));
  });
  const end = start + count * step;
  const all = fitted(
    `all ${channels} channels: ${said(total)}`,
    box.x + box.width - end - 2,
    SMALL,
  );
  const arrow = `M${at.x + side + 5} ${middle}h12m-4 -4l4 4l-4 4`;
  return [
    words(at.x, box.y + 8, "inputs", colours.muted, small),
    { kind: "image", box: at, pixels },
    rects(cells, { stroke: colours.outline, width: 0.75 }),
    { kind: "path", d: arrow, stroke: colours.muted, width: 1.25, round: true },
    ...texts,
    rects(boxes, { fill: colours.cell }),
    segments(zeros, colours.zero),
    curves.mark(colours.ink, { width: 1.3 }),
    { kind: "dots", xy: dots, r: 3, fill: colours.accent },
    line([start, zero, end - 8, zero], colours.zero),
    ...bars.marks(colours),
    words(end + 2, zero + 4, `Σ = ${said(part)}`, colours.ink, { size: 12, weight: 600 }),
    ...(channels > 1 ? [words(end + 2, zero + 18, all, colours.muted, small)] : []),
  ];
}

/** The functions of a kernel side by side, without inputs on them. */
function functionMarks(
  { patch: { curves, range, most } }: FunctionsCloseUp,
  box: Rect,
  hint: string,
  colours: Colours,
): Mark[] {
  const step = Math.min(150, box.width / curves.length);
  const [cell, tall] = [step - 6, box.height - (hint ? 34 : 16) - 2];
  const drawn = new Curves();
  curves.forEach((curve, e) => {
    curve.forEach((value, k) => {
      const x = box.x + e * step + (cell * k) / (curve.length - 1);
      drawn.point(x, box.y + (tall / 2) * (1 - value / most));
    });
    drawn.end();
  });
  const lefts = curves.map((_, e) => box.x + e * step);
  const middle = box.y + tall / 2;
  const zeros = lefts.flatMap((x) => [x, middle, x + cell, middle]);
  const cells = lefts.flatMap((x) => [x, box.y, cell, tall]);
  const said = `each: x from ${number(range[0])} to ${number(range[1])}, φ ±${number(most)}`;
  return [
    rects(cells, { fill: colours.cell }),
    segments(zeros, colours.zero),
    drawn.mark(colours.ink, { width: 1.4 }),
    words(box.x, box.y + tall + 14, said, colours.muted, { size: SMALL }),
    words(box.x, box.y + tall + 31, hint, colours.muted),
  ];
}
