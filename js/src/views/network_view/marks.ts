/** Draws the diagram. No DOM. */

import { rangeOf } from "../../phi/images.ts";
import { colourOf, type Palette } from "../../phi/palette.ts";
import { cssOf, greyOf, heatOf } from "../../scene/heat.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { fitted, widthOf } from "../../scene/text.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import type { CloseUp } from "./close_up.ts";
import type { Diagram, Focus } from "./diagram.ts";
import { type Flow, unitValues } from "./flow.ts";
import { cellOf, gridOf, thumbMarks } from "./functions.ts";
import type { Bundle, Column, Graph } from "./graph.ts";
import { HEAD, type NetworkLayout, type PlacedColumn, type UnitBox } from "./layout.ts";
import { type Line, lineMarks, wayOf } from "./links.ts";
import type { Relevance } from "./relevance.ts";
import { scoresOf } from "./scores.ts";

/** At most so many links of a unit are lit that are not drawn otherwise. */
const LIT = 40;
const SMALL = 10;

export function linkMarks(diagram: Diagram, { colours }: Theme, dimmed: boolean): Mark[] {
  const { graph, layout, shown, relevances } = diagram;
  const marks = layout.columns.flatMap((after, k): Mark[] => {
    const before = layout.columns[after.column.from[0]];
    if (!before) return [];
    const relevance = relevances[k];
    if (!relevance || shown[k].links.length === 0) return slab(before, after, colours);
    const lines = shown[k].links.flatMap((n): Line[] => {
      const way = wayOf(before, after, shown[k].bundles[n], n);
      return way ? [{ way, weight: relevance.sizes[n] / (relevance.most || 1) }] : [];
    });
    return lineMarks(lines, before.out, colours.ink);
  });
  marks.push(...skipMarks(graph, layout, colours));
  return dimmed ? [{ kind: "group", marks, opacity: 0.4 }] : marks;
}

/** Where the links are not known one by one: all of them as a field. */
function slab(before: PlacedColumn, after: PlacedColumn, { ink }: Colours): Mark[] {
  const [a, b] = [before.box, after.box];
  const [x0, x1] = [before.out + 2, after.box.x - 3];
  const d = `M${x0} ${a.y}L${x1} ${b.y}V${b.y + b.height}L${x0} ${a.y + a.height}Z`;
  return [{ kind: "path", d, fill: ink, opacity: 0.07 }];
}

/** What passes by some stations: an arc over them. */
function skipMarks({ skips }: Graph, { columns }: NetworkLayout, { accent }: Colours): Mark[] {
  return skips.flatMap(({ station, column, from }): Mark[] => {
    const source = columns[from];
    const target = columns[column];
    const at = target.slim.find(({ stations }) => stations.includes(station))?.box ?? target.box;
    const [x0, y0] = [source.out - 4, source.box.y - 3];
    const [x1, y1] = [at.x + at.width / 2, at.y - 2];
    const top = Math.max(HEAD - 6, Math.min(y0, y1) - 26);
    const d = `M${x0} ${y0}C${x0 + 14} ${top} ${x1 - 14} ${top} ${x1} ${y1}`;
    return [{ kind: "path", d, stroke: accent, width: 1.5, dash: [5, 3], opacity: 0.8 }];
  });
}

/** Thumbnails, units and the stations between. */
export function frontMarks(diagram: Diagram, theme: Theme, palette: Palette): Mark[] {
  const { graph, layout, shown, pictures } = diagram;
  return layout.columns.flatMap((placed, k) => {
    const picture = pictures[k];
    const list = [...placed.thumbs].map(([n, box]) => ({ bundle: shown[k].bundles[n], box }));
    return [
      ...slimMarks(placed, graph, theme.colours),
      ...(picture ? thumbMarks(picture, placed.column, list, theme, palette) : []),
      ...unitMarks(placed, diagram, theme, palette),
    ];
  });
}

function slimMarks({ slim }: PlacedColumn, { stations }: Graph, colours: Colours): Mark[] {
  return slim.flatMap(({ stations: own, box }): Mark[] => {
    const { x, y, width, height } = box;
    const text = fitted(own.map((k) => stations[k].label).join(" · "), height - 10, SMALL);
    const boxes = [x, y, width, height];
    return [
      { kind: "rects", boxes, fill: colours.surface, stroke: colours.line, radius: 4 },
      {
        kind: "text",
        x: x + width / 2,
        y: y + height / 2,
        text,
        fill: colours.muted,
        size: SMALL,
        anchor: "middle",
        middle: true,
        turn: -90,
      },
    ];
  });
}

const scales = new WeakMap<Float32Array, number>();

/** What all but a hundredth of a column's numbers stay within: the scale of its colours; 0 where they are not known. */
export function mostOf(column: Column, flow: Flow | null): number {
  const values = flow?.values[column.station];
  if (!values) return 0;
  const known = scales.get(values);
  if (known !== undefined) return known;
  const sizes = values.map(Math.abs).filter(Number.isFinite).sort();
  const most = sizes.length > 0 ? sizes[Math.floor(0.99 * (sizes.length - 1))] : 0;
  scales.set(values, most);
  return most;
}

function unitMarks(placed: PlacedColumn, diagram: Diagram, theme: Theme, palette: Palette): Mark[] {
  const { column, units } = placed;
  const { colours } = theme;
  const { flow } = diagram;
  const most = mostOf(column, flow);
  if (!column.map) return dotMarks(placed, flow, most, shares(diagram, placed), colours, palette);
  const isInput = column.kind === "input";
  const flat = units.flatMap(({ x, y, width, height }) => [x, y, width, height]);
  const marks: Mark[] = [{ kind: "rects", boxes: flat, fill: colours.cell }];
  for (const unit of units) {
    const values = flow ? unitValues(flow, column.station, unit.unit) : null;
    const { x, y, width, height } = unit;
    if (!values) {
      if (height >= 12) marks.push(numberMark(unit, colours));
      continue;
    }
    const across = acrossOf(flow as Flow, column);
    const pixels = isInput
      ? greyOf(values, across, rangeOf(values))
      : heatOf(values, across, most, palette);
    marks.push({ kind: "image", box: { x, y, width, height }, pixels });
  }
  marks.push({ kind: "rects", boxes: flat, stroke: colours.outline, width: 0.75 });
  return marks;
}

/** Of the last units the probabilities, where they are classes: those that lose are pale. */
function shares({ graph, layout, flow }: Diagram, placed: PlacedColumn): readonly number[] | null {
  const isLast = placed === layout.columns[layout.columns.length - 1];
  return isLast ? (scoresOf(graph, flow)?.probabilities ?? null) : null;
}

function acrossOf({ shapes }: Flow, { station }: Column): number {
  return shapes[station][shapes[station].length - 1] || 1;
}

function numberMark({ x, y, width, height, unit }: UnitBox, { muted }: Colours): Mark {
  return {
    kind: "text",
    x: x + width / 2,
    y: y + height / 2,
    text: String(unit),
    fill: muted,
    size: SMALL,
    anchor: "middle",
    middle: true,
  };
}

function dotMarks(
  { units, column }: PlacedColumn,
  flow: Flow | null,
  most: number,
  probabilities: readonly number[] | null,
  colours: Colours,
  { bytes }: Palette,
): Mark[] {
  const marks: Mark[] = [];
  for (const unit of units) {
    const { x, y, width, height } = unit;
    const values = flow ? unitValues(flow, column.station, unit.unit) : null;
    const value = values ? values.reduce((sum, each) => sum + each, 0) / values.length : Number.NaN;
    const known = Number.isFinite(value);
    const share = probabilities ? probabilities[unit.unit] : value / (most || 1);
    const fill = known ? cssOf(bytes, colourOf(share, 1)) : colours.cell;
    const middle = [x + width / 2, y + height / 2];
    marks.push({ kind: "dots", xy: middle, r: width / 2, fill, stroke: colours.muted, width: 1 });
    if (!known && width >= 16) marks.push(numberMark(unit, colours));
  }
  return marks;
}

/** Names over the columns, and what of them is not drawn. */
export function headMarks(diagram: Diagram, { colours }: Theme): Mark[] {
  const { layout, window, room } = diagram;
  const over = window.y;
  const marks: Mark[] = [
    {
      kind: "rects",
      boxes: [window.x, over, room.width, HEAD - 4],
      fill: colours.surface,
      opacity: 0.9,
    },
  ];
  layout.columns.forEach((placed, k) => {
    const { column, box } = placed;
    const previous = layout.columns[k - 1];
    const next = layout.columns[k + 1];
    const middle = box.x + box.width / 2;
    const left = previous ? (previous.box.x + previous.box.width / 2 + middle) / 2 : 0;
    const right = next ? (next.box.x + next.box.width / 2 + middle) / 2 : layout.width;
    // The first and the last have room to one side only.
    const room =
      previous && next ? 2 * Math.min(middle - left, right - middle) - 8 : right - left - 8;
    const hidden = column.units - placed.units.length;
    const sizes = sizeTexts(column);
    const texts = hidden > 0 ? sizes.map((text) => `${placed.units.length} of ${text}`) : sizes;
    const some = texts.find((text) => widthOf(text, 11) <= room) ?? sizes[sizes.length - 1];
    const add = (text: string, y: number, weight: 400 | 600, fill: string) => {
      const half = widthOf(fitted(text, room, 11, weight), 11, weight) / 2;
      const x = Math.max(window.x + half + 4, Math.min(middle, layout.width - half - 4));
      const short = fitted(text, room, 11, weight);
      marks.push({ kind: "text", x, y, text: short, fill, size: 11, weight, anchor: "middle" });
    };
    if (column.depth !== previous?.column.depth) {
      add(column.name, over + 12, 600, colours.ink);
      add(some, over + 25, 400, colours.muted);
    }
  });
  return marks;
}

/** How many units there are and how large, the longest words first. */
function sizeTexts({ units, kind, map, layer }: Column): string[] {
  if (map) {
    const size = map.join("×");
    if (kind === "input" && units === 1) return [`image ${size}`, size];
    const name = `${kind === "input" ? "channel" : "map"}${units === 1 ? "" : "s"}`;
    const kernels = layer?.conv?.shared ? layer.shape[0] : units;
    const by = kernels < units ? [`${units} ${name} ${size} by ${kernels} kernels`] : [];
    return [...by, `${units} ${name} ${size}`, `${units} × ${size}`, String(units)];
  }
  const name = kind === "input" ? "number" : "output";
  return [units === 1 ? `1 ${name}` : `${units} ${name}s`, String(units)];
}

/** What is looked at: the unit, what feeds it and what it feeds. */
export function focusMarks(
  diagram: Diagram,
  focus: Focus,
  closeUp: CloseUp | null,
  isPointed: boolean,
  theme: Theme,
  palette: Palette,
): Mark[] {
  const { layout, shown, relevances, graph, pictures } = diagram;
  const { colours } = theme;
  const marks: Mark[] = [];
  const after = layout.columns[focus.column];
  const before = layout.columns[after.column.from[0]];
  const relevance = relevances[focus.column];
  const stroke = isPointed ? colours.ink : colours.accent;
  if (before && relevance) {
    const into = strongestOf(shown[focus.column].bundles, relevance, ({ to }) => to === focus.unit);
    marks.push(...intoMarks(diagram, focus, into, closeUp, theme));
    const list = into.flatMap((n) => {
      const box = after.thumbs.get(n);
      return box ? [{ bundle: shown[focus.column].bundles[n], box }] : [];
    });
    const picture = pictures[focus.column];
    if (picture) marks.push(...thumbMarks(picture, after.column, list, theme, palette));
  }
  graph.columns.forEach((column, k) => {
    const next = relevances[k];
    if (column.from[0] !== focus.column || !next || focus.bundle >= 0) return;
    const out = strongestOf(shown[k].bundles, next, ({ from }) => from === focus.unit);
    const lines = linesOf(
      layout,
      shown[k].bundles,
      out,
      focus.column,
      k,
      (n) => next.sizes[n] / (next.most || 1),
    );
    marks.push(...lineMarks(lines, after.out, colours.accent, { faint: 0.25 }));
  });
  const unit = after.byUnit.get(focus.unit);
  if (unit) marks.push(outline(unit, stroke, 2));
  if (focus.bundle >= 0) {
    const thumb = after.thumbs.get(focus.bundle);
    if (thumb) {
      marks.push(outline(thumb, stroke, 2));
      const { count } = shown[focus.column].bundles[focus.bundle];
      if (focus.entry !== null && count > 1) {
        const { x, y, width, height } = cellOf(thumb, gridOf(after.column), focus.entry);
        marks.push({ kind: "rects", boxes: [x, y, width, height], stroke, width: 1.5, radius: 2 });
      }
    }
    const source = before?.byUnit.get(shown[focus.column].bundles[focus.bundle].from);
    if (source) marks.push(outline(source, stroke, 1.5));
  }
  if (closeUp?.kind === "pixel" && closeUp.column === focus.column && unit) {
    marks.push(...pixelMarks(diagram, closeUp, unit, before, colours));
  }
  return marks;
}

function outline({ x, y, width, height }: Rect, stroke: string, wide: number): Mark {
  const boxes = [x - 1.5, y - 1.5, width + 3, height + 3];
  return { kind: "rects", boxes, stroke, width: wide, radius: 3 };
}

function strongestOf(
  bundles: readonly Bundle[],
  { sizes }: Relevance,
  wanted: (bundle: Bundle) => boolean,
): number[] {
  const found = bundles.flatMap((bundle, n) => (wanted(bundle) ? [n] : []));
  return found.sort((a, b) => sizes[b] - sizes[a]).slice(0, LIT);
}

function linesOf(
  layout: NetworkLayout,
  bundles: readonly Bundle[],
  numbers: readonly number[],
  before: number,
  after: number,
  weight: (n: number) => number,
): Line[] {
  return numbers.flatMap((n): Line[] => {
    const way = wayOf(layout.columns[before], layout.columns[after], bundles[n], n);
    return way ? [{ way, weight: weight(n) }] : [];
  });
}

/** Links into the unit: orange where they add to it for the example, blue where they take away; else by relevance. */
function intoMarks(
  { layout, shown, relevances }: Diagram,
  { column, bundle }: Focus,
  into: readonly number[],
  closeUp: CloseUp | null,
  { colours }: Theme,
): Mark[] {
  const after = layout.columns[column];
  const from = after.column.from[0];
  const { bundles } = shown[column];
  const relevance = relevances[column] as Relevance;
  const chosen = bundle >= 0 ? [bundle] : into;
  const leave = layout.columns[from].out;
  if (closeUp?.kind !== "unit" || closeUp.column !== column) {
    const weight = (n: number) => relevance.sizes[n] / (relevance.most || 1);
    const lines = linesOf(layout, bundles, chosen, from, column, weight);
    return lineMarks(lines, leave, colours.accent, { faint: 0.35 });
  }
  const parts = new Map(closeUp.parts.map(({ from: unit, value }) => [unit, value]));
  const most = Math.max(...closeUp.parts.map(({ value }) => Math.abs(value))) || 1;
  return [1, -1].flatMap((sign) => {
    const own = chosen.filter((n) => sign * (parts.get(bundles[n].from) ?? 0) > 0);
    const weight = (n: number) => Math.abs(parts.get(bundles[n].from) ?? 0) / most;
    const lines = linesOf(layout, bundles, own, from, column, weight);
    return lineMarks(lines, leave, sign > 0 ? colours.more : colours.less, { faint: 0.2, wide: 3 });
  });
}

/** The pixel, and the patch that it comes from on the unit before. */
function pixelMarks(
  { graph }: Diagram,
  { row, at, layer, channel, column }: CloseUp & { kind: "pixel" },
  unit: UnitBox,
  before: PlacedColumn | undefined,
  { accent }: Colours,
): Mark[] {
  const mark = (box: Rect): Mark => ({
    kind: "rects",
    boxes: [box.x, box.y, box.width, box.height],
    stroke: accent,
    width: 1.5,
  });
  const marks: Mark[] = [];
  const source = before?.byUnit.get(channel);
  const { sources } = graph.stations[graph.columns[column].station];
  const shape = graph.stations[Math.max(...sources)]?.shape ?? [];
  const { conv } = layer;
  if (before?.column.map && source && conv && shape.length === 3) {
    // A pool between makes the patch as much larger there.
    const [w, h] = [source.width / shape[2], source.height / shape[1]];
    const [kh, kw] = [layer.shape[2], layer.shape[3]];
    marks.push(
      mark({
        x: source.x + (at * conv.stride[1] - conv.padding[0]) * w,
        y: source.y + (row * conv.stride[0] - conv.padding[2]) * h,
        width: (conv.dilation[1] * (kw - 1) + 1) * w,
        height: (conv.dilation[0] * (kh - 1) + 1) * h,
      }),
    );
  }
  const own = graph.columns[column].map;
  return own ? marks.concat(mark(pixelBox(unit, row, at, own))) : marks;
}

function pixelBox(unit: UnitBox, row: number, at: number, [rows, columns]: [number, number]): Rect {
  const [w, h] = [unit.width / columns, unit.height / rows];
  return { x: unit.x + at * w, y: unit.y + row * h, width: Math.max(3, w), height: Math.max(3, h) };
}

/** The whole network in small, where only a part is seen. */
export function miniMarks({ layout, window, room }: Diagram, { colours }: Theme): Mark[] {
  if (window.scale <= 1.01 && layout.width <= room.width + 1) return [];
  const factor = Math.min(150 / layout.width, 70 / layout.height);
  const [w, h] = [layout.width * factor, layout.height * factor];
  const [x0, y0] = [room.width - w - 8, room.y + room.height - h - 8];
  const columns = layout.columns.flatMap(({ box }) => [
    x0 + box.x * factor,
    y0 + box.y * factor,
    Math.max(1.5, box.width * factor),
    Math.max(1.5, box.height * factor),
  ]);
  const [vx, vy] = [x0 + window.x * factor, y0 + window.y * factor];
  const seen = [vx, vy, Math.min(room.width * factor, w), Math.min(room.height * factor, h)];
  return [
    {
      kind: "rects",
      boxes: [x0, y0, w, h],
      fill: colours.surface,
      stroke: colours.line,
      radius: 3,
    },
    { kind: "rects", boxes: columns, fill: colours.ghost },
    { kind: "rects", boxes: seen, stroke: colours.accent, width: 1.5 },
  ];
}
