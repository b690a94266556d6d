/** Draws what one number is made of: functions with the inputs on them, and what each adds as a bar. No DOM. */

import { number } from "../../phi/format.ts";
import type { Palette } from "../../phi/palette.ts";
import { greyOf, heatOf } from "../../scene/heat.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { fitted, widthOf, wrapped } from "../../scene/text.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import type { CloseUp, FunctionsCloseUp, PixelCloseUp, UnitCloseUp } from "./close_up.ts";
import type { Flow } from "./flow.ts";

const WORDS = 11;
const HINT = "live.probe(images) sends examples through the network while it trains.";

export function closeUpMarks(
  closeUp: CloseUp | null,
  title: string,
  box: Rect,
  theme: Theme,
  palette: Palette,
  flow: Flow | null,
  step: number,
): Mark[] {
  const { colours } = theme;
  if (!closeUp) {
    const lines = wrapped(flow ? "" : HINT, box.width, WORDS);
    return lines.map((text, k) => {
      const place = { x: box.x, y: box.y + 15 + 16 * k };
      return { kind: "text", ...place, text, fill: colours.muted, size: WORDS } as const;
    });
  }
  const about = flow && flow.step !== step ? `${title} (as of step ${flow.step})` : title;
  const heading = {
    kind: "text",
    x: box.x,
    y: box.y + 13,
    text: fitted(about, box.width, WORDS, 600),
    fill: colours.ink,
    size: WORDS,
    weight: 600,
  } as const;
  const inside = { ...box, y: box.y + 22, height: box.height - 24 };
  if (closeUp.kind === "pixel") return [heading, ...pixelMarks(closeUp, inside, theme, palette)];
  if (closeUp.kind === "unit") return [heading, ...unitMarks(closeUp, inside, colours)];
  return [heading, ...functionMarks(closeUp, inside, flow ? "" : HINT, colours)];
}

function pixelMarks(
  { patch, layer, part, total, channels, greys }: PixelCloseUp,
  box: Rect,
  { colours }: Theme,
  palette: Palette,
): Mark[] {
  const [, , kh, kw] = layer.shape;
  const side = Math.min(66, box.height - 26, 0.16 * box.width);
  const inputs = Float32Array.from(patch.inputs ?? []);
  const ink = Math.max(...Array.from(inputs, Math.abs).filter(Number.isFinite), 1e-9);
  const at = { x: box.x, y: box.y + 12, width: side, height: (side * kh) / kw };
  const small = { size: 10, fill: colours.muted } as const;
  const marks: Mark[] = [
    { kind: "text", x: at.x, y: box.y + 8, text: "inputs", ...small },
    {
      kind: "image",
      box: at,
      pixels: greys ? greyOf(inputs, kw, greys) : heatOf(inputs, kw, ink, palette),
    },
    { kind: "rects", boxes: cellsOf(at, kh, kw), stroke: colours.outline, width: 0.75 },
  ];
  const count = kh * kw;
  const sumRoom = 84;
  const start = box.x + side + 26;
  const step = Math.min(84, (box.width - side - 26 - sumRoom) / count);
  const cell = Math.max(14, step - 8);
  const tall = Math.min(cell, box.height * 0.52);
  const [lo, hi] = patch.range;
  const values = patch.values ?? [];
  const base = box.y + 12 + tall;
  const most = Math.max(0, ...values);
  const least = Math.max(0, ...values.map((value) => -value));
  const barRoom = Math.max(8, box.height - tall - 40);
  const scale = barRoom / Math.max(1e-9, most + least);
  const zero = base + 14 + scale * most;
  marks.push(arrow(at.x + side + 5, box.y + 12 + tall / 2, colours));
  const line = { xy: [] as number[], ends: [] as number[] };
  const boxes: number[] = [];
  const zeros: number[] = [];
  const dots: number[] = [];
  const bars: Record<"more" | "less", number[]> = { more: [], less: [] };
  for (let e = 0; e < count; e++) {
    const x0 = start + e * step;
    const middle = box.y + 12 + tall / 2;
    boxes.push(x0, box.y + 12, cell, tall);
    zeros.push(x0, middle, x0 + cell, middle);
    const toX = (x: number) => x0 + (cell * (x - lo)) / (hi - lo);
    const toY = (y: number) => middle - ((tall / 2 - 2) * y) / patch.most;
    patch.curves[e].forEach((y, k) => {
      if (Number.isFinite(y))
        line.xy.push(toX(lo + ((hi - lo) * k) / (patch.curves[e].length - 1)), toY(y));
    });
    line.ends.push(line.xy.length / 2);
    if (Number.isFinite(inputs[e])) dots.push(toX(inputs[e]), toY(values[e]));
    const length = scale * values[e];
    const w = Math.min(16, cell);
    bars[length >= 0 ? "more" : "less"].push(
      x0 + cell / 2 - w / 2,
      Math.min(zero, zero - length),
      w,
      Math.max(0.75, Math.abs(length)),
    );
    const text = number(Number(values[e].toPrecision(2)));
    if (widthOf(text, small.size) + 3 <= step) {
      const y = length >= 0 ? zero - length - 4 : zero - length + 11;
      marks.push({ kind: "text", x: x0 + cell / 2, y, text, anchor: "middle", ...small });
    }
  }
  const end = start + count * step;
  marks.push(
    { kind: "rects", boxes, fill: colours.cell },
    {
      kind: "lines",
      xy: zeros,
      ends: boxes.flatMap((_, k) => (k % 4 === 0 ? [k / 2 + 2] : [])),
      stroke: colours.zero,
    },
    { kind: "lines", ...line, stroke: colours.ink, width: 1.3, round: true },
    { kind: "dots", xy: dots, r: 3, fill: colours.accent },
    { kind: "lines", xy: [start, zero, end - 8, zero], ends: [2], stroke: colours.zero },
    { kind: "rects", boxes: bars.more, fill: colours.more, radius: 1 },
    { kind: "rects", boxes: bars.less, fill: colours.less, radius: 1 },
    {
      kind: "text",
      x: end + 2,
      y: zero + 4,
      text: `Σ = ${number(part)}`,
      fill: colours.ink,
      size: 12,
      weight: 600,
    },
  );
  if (channels > 1) {
    const text = fitted(
      `all ${channels} channels: ${number(total)}`,
      box.x + box.width - end - 2,
      10,
    );
    marks.push({ kind: "text", x: end + 2, y: zero + 18, text, ...small });
  }
  return marks;
}

/** The cells of a box, flat: white ones next to each other are still seen one by one. */
function cellsOf({ x, y, width, height }: Rect, rows: number, columns: number): number[] {
  const [w, h] = [width / columns, height / rows];
  return Array.from({ length: rows * columns }, (_, k) => [
    x + (k % columns) * w,
    y + Math.floor(k / columns) * h,
    w,
    h,
  ]).flat();
}

/** The functions of a kernel side by side, without inputs on them. */
function functionMarks(
  { patch: { curves, range, most } }: FunctionsCloseUp,
  box: Rect,
  hint: string,
  colours: Colours,
): Mark[] {
  const foot = hint ? 34 : 16;
  const step = Math.min(150, box.width / curves.length);
  const [cell, tall] = [step - 6, box.height - foot - 2];
  const boxes: number[] = [];
  const zeros: number[] = [];
  const line = { xy: [] as number[], ends: [] as number[] };
  curves.forEach((curve, e) => {
    const [x, y] = [box.x + e * step, box.y];
    boxes.push(x, y, cell, tall);
    zeros.push(x, y + tall / 2, x + cell, y + tall / 2);
    curve.forEach((value, k) => {
      if (!Number.isFinite(value)) return;
      line.xy.push(x + (cell * k) / (curve.length - 1), y + (tall / 2) * (1 - value / most));
    });
    line.ends.push(line.xy.length / 2);
  });
  const small = { size: 10, fill: colours.muted } as const;
  const said = `each: x from ${number(range[0])} to ${number(range[1])}, φ ±${number(most)}`;
  const ends = curves.map((_, k) => 2 * k + 2);
  return [
    { kind: "rects", boxes, fill: colours.cell },
    { kind: "lines", xy: zeros, ends, stroke: colours.zero },
    { kind: "lines", ...line, stroke: colours.ink, width: 1.4, round: true },
    { kind: "text", x: box.x, y: box.y + tall + 14, text: said, ...small },
    { kind: "text", x: box.x, y: box.y + tall + 31, text: hint, ...small, size: WORDS },
  ];
}

function arrow(x: number, y: number, { muted }: Colours): Mark {
  return {
    kind: "path",
    d: `M${x} ${y}h12m-4 -4l4 4l-4 4`,
    stroke: muted,
    width: 1.25,
    round: true,
  };
}

/** What units before add, the strongest first; those that have no room together. */
function unitMarks({ parts, total }: UnitCloseUp, box: Rect, colours: Colours): Mark[] {
  const narrowest = 46;
  const fit = Math.max(2, Math.min(14, Math.floor((box.width - 90) / narrowest)));
  const order = [...parts].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const shown = order.length <= fit ? order : order.slice(0, fit - 1);
  const rest = order.slice(shown.length);
  const columns = shown.map(({ from, value }) => ({ name: String(from), value }));
  if (rest.length > 0) {
    const value = rest.reduce((sum, part) => sum + part.value, 0);
    columns.push({ name: `${rest.length} more`, value });
  }
  const step = Math.min(72, (box.width - 90) / columns.length);
  const most = Math.max(0, ...columns.map(({ value }) => value));
  const least = Math.max(0, ...columns.map(({ value }) => -value));
  // A number stands over or under each bar, the names below all of them.
  const room = box.height - 18 - (most > 0 ? 14 : 10) - (least > 0 ? 14 : 0);
  const scale = room / Math.max(1e-9, most + least);
  const zero = box.y + (most > 0 ? 14 : 10) + scale * most;
  const marks: Mark[] = [];
  const bars: Record<"more" | "less", number[]> = { more: [], less: [] };
  columns.forEach(({ name, value }, k) => {
    const middle = box.x + step * (k + 0.5);
    const length = scale * value;
    const w = Math.min(24, 0.55 * step);
    bars[value >= 0 ? "more" : "less"].push(
      middle - w / 2,
      Math.min(zero, zero - length),
      w,
      Math.max(0.75, Math.abs(length)),
    );
    const text = number(Number(value.toPrecision(2)));
    const y = value >= 0 ? zero - length - 4 : zero - length + 12;
    const words = { kind: "text", x: middle, anchor: "middle", size: 10 } as const;
    marks.push({ ...words, y, text, fill: colours.ink });
    const short = fitted(name, step - 4, 10);
    marks.push({ ...words, y: box.y + box.height - 2, text: short, fill: colours.muted });
  });
  const end = box.x + step * columns.length;
  const said = `Σ = ${number(total)}`;
  const x = Math.min(end + 8, box.x + box.width - widthOf(said, 12, 600));
  return [
    { kind: "lines", xy: [box.x, zero, end, zero], ends: [2], stroke: colours.zero },
    { kind: "rects", boxes: bars.more, fill: colours.more, radius: 1 },
    { kind: "rects", boxes: bars.less, fill: colours.less, radius: 1 },
    ...marks,
    { kind: "text", x, y: zero + 4, text: said, fill: colours.ink, size: 12, weight: 600 },
  ];
}
