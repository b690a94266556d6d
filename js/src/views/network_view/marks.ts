/** Draws the diagram. No DOM. */

import { counted, isPlain } from "../../phi/entries.ts";
import { rangeOf } from "../../phi/images.ts";
import { colourOf, type Palette } from "../../phi/palette.ts";
import { sizeWithin } from "../../phi/ranges.ts";
import { cssOf, greyOf, heatOf } from "../../scene/heat.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { fitted, widthOf } from "../../scene/text.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import type { LayerLayout } from "../../wire/types.ts";
import type { CloseUp, UnitCloseUp } from "./close_up.ts";
import type { Diagram, Focus } from "./diagram.ts";
import { type Flow, isStale, unitValues } from "./flow.ts";
import { cellOf, gridOf, thumbMarks } from "./functions.ts";
import { type Bundle, type Column, type Graph, inputNamed } from "./graph.ts";
import { HEAD, type NetworkLayout, type PlacedColumn, thumbsOnce, type UnitBox } from "./layout.ts";
import { type Line, lineMarks, wayOf } from "./links.ts";
import type { Relevance } from "./relevance.ts";
import { scoresOf } from "./scores.ts";

/** What is long past is drawn as pale as this. */
const PALE = 0.45;
/** Links through shared kernels, each from all units and to many: not so bold that they hide where they go. */
const WEB = { strong: 0.45, wide: 1.1 };
/** At most so many links of a unit are lit that are not drawn otherwise. */
const LIT = 40;
const SMALL = 10;
/** What is no wider than its room and this is not shortened. */
const CLOSE = 10;
/** So many units with the largest parts have their numbers on them, as under the bars. */
const NAMED = 5;

/** Links into `pale` are as a ground for those that are lit there. */
export function linkMarks(
  diagram: Diagram,
  { colours }: Theme,
  opacity: number,
  pale: number,
): Mark[] {
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
    const marks = lineMarks(
      lines,
      before.out,
      colours.ink,
      after.column.layer?.conv?.shared ? WEB : {},
    );
    return k === pale ? [{ kind: "group", marks, opacity: 0.45 }] : marks;
  });
  marks.push(...skipMarks(graph, layout, colours));
  return opacity < 1 ? [{ kind: "group", marks, opacity }] : marks;
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
    const list = thumbsOnce(placed).map(([n, box]) => ({ bundle: shown[k].bundles[n], box }));
    return [
      ...slimMarks(placed, graph, theme.colours),
      ...(picture ? thumbMarks(picture, placed.column, list, theme, palette) : []),
      ...dated(placed, diagram, unitMarks(placed, diagram, theme, palette)),
    ];
  });
}

/** What an example made of the units, pale where that was long ago; the example itself is as it is. */
function dated({ column }: PlacedColumn, { flow, frame }: Diagram, marks: Mark[]): Mark[] {
  const pale = column.kind !== "input" && isStale(flow, frame);
  return pale ? [{ kind: "group", marks, opacity: PALE }] : marks;
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
  const most = sizeWithin(values, 0.99);
  scales.set(values, most);
  return most;
}

function unitMarks(placed: PlacedColumn, diagram: Diagram, theme: Theme, palette: Palette): Mark[] {
  const { column, units } = placed;
  const { colours } = theme;
  const { flow } = diagram;
  const most = mostOf(column, flow);
  if (!column.map) {
    const dots = dotMarks(placed, flow, most, shares(diagram, placed), colours, palette);
    return column.kind === "input" ? [...dots, ...inputMarks(placed, diagram, colours)] : dots;
  }
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
    const middle = [x + width / 2, y + height / 2];
    const round = { kind: "dots", xy: middle, r: width / 2 } as const;
    const fill =
      known && !probabilities ? cssOf(bytes, colourOf(value / (most || 1), 1)) : colours.cell;
    marks.push({ ...round, fill, stroke: colours.muted, width: 1 });
    // A probability is as full as its bar is long, and of its colour.
    if (known && probabilities) {
      marks.push({ ...round, fill: colours.ink, opacity: probabilities[unit.unit] });
    }
    if (!known && width >= 16) marks.push(numberMark(unit, colours));
  }
  return marks;
}

/** The names of the inputs, under their circles where they stand apart. */
function inputMarks({ units }: PlacedColumn, { graph }: Diagram, colours: Colours): Mark[] {
  return units.flatMap(({ unit, x, y, width, height }, k): Mark[] => {
    const name = inputNamed(graph, unit);
    const below = units[k + 1]?.y ?? Number.POSITIVE_INFINITY;
    if (!name || below - (y + height) < SMALL + 4) return [];
    const text = fitted(name, 4 * width + 20, SMALL);
    const place = { x, y: y + height + SMALL + 1, size: SMALL };
    return [{ kind: "text", ...place, text, fill: colours.muted }];
  });
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
  const taken: [number, number][] = [];
  layout.columns.forEach((placed, k) => {
    const { column, box } = placed;
    const previous = layout.columns[k - 1];
    const next = layout.columns[k + 1];
    const middle = box.x + box.width / 2;
    const left = previous ? (previous.box.x + previous.box.width / 2 + middle) / 2 : 0;
    const right = next ? (next.box.x + next.box.width / 2 + middle) / 2 : layout.width;
    // The first and the last have room to one side only.
    const room =
      previous && next ? 2 * Math.min(middle - left, right - middle) - 14 : right - left - 14;
    const hidden = column.units - placed.units.length;
    const sizes = sizeTexts(column, diagram.shown[k].bundles[0]?.count ?? 1);
    const drawn = placed.units.length;
    const texts =
      hidden > 0
        ? [...sizes.map((text) => `${drawn} of ${text}`), `${drawn}/${column.units}`]
        : sizes;
    const some = texts.find((text) => widthOf(text, 11) <= room) ?? texts[texts.length - 1];
    const add = (text: string, y: number, weight: 400 | 600, fill: string) => {
      if (text === "") return;
      // Rather close to the next than cut.
      const short = fitted(text, room + CLOSE, 11, weight);
      const half = widthOf(short, 11, weight) / 2;
      const free = previous ? left + half + 7 : window.x + half + 4;
      const x = Math.max(free, window.x + half + 4, Math.min(middle, layout.width - half - 4));
      taken.push([x - half, x + half]);
      marks.push({ kind: "text", x, y, text: short, fill, size: 11, weight, anchor: "middle" });
    };
    if (column.depth !== previous?.column.depth) {
      const { layer, name } = column;
      const kind = layer ? kindOf(layer) : "";
      const all = kind ? [`${kind} · ${name}`, name] : [name];
      const named = all.find((one) => widthOf(one, 11, 600) <= room) ?? name;
      add(named, over + 12, 600, colours.ink);
      add(some, over + 25, 400, colours.muted);
    }
  });
  return [...marks, ...kernelHeads(diagram, taken, over + 25, colours)];
}

/** How many kernels stand between two columns, where the words of these leave room. */
function kernelHeads(
  { layout, shown }: Diagram,
  taken: readonly [number, number][],
  y: number,
  { muted: fill }: Colours,
): Mark[] {
  return layout.columns.flatMap((placed, k): Mark[] => {
    const { layer } = placed.column;
    const all = new Set(shown[k].bundles.map(({ first }) => first)).size;
    const boxes = thumbsOnce(placed).map(([, box]) => box);
    if (layer?.kind !== "conv" || boxes.length === 0) return [];
    const left = Math.min(...boxes.map((box) => box.x));
    const right = Math.max(...boxes.map((box) => box.x + box.width));
    const x = (left + right) / 2;
    const drawn = boxes.length < all ? `${boxes.length} of ` : "";
    const count = `${drawn}${counted(all, "kernel")}`;
    const isShared = layer.conv?.shared === true && all > 1;
    const shared = isShared ? [count.replace("kernels", "shared kernels")] : [];
    const size = `${layer.shape[2]}×${layer.shape[3]}`;
    const texts = [...shared, count].flatMap((one) => [`${one} ${size}`, one]);
    const text = texts.find((one) => {
      const half = widthOf(one, 11) / 2 + 5;
      return taken.every(([from, to]) => x + half < from || x - half > to);
    });
    return text ? [{ kind: "text", x, y, text, fill, size: 11, anchor: "middle" }] : [];
  });
}

function kindOf(layer: LayerLayout): string {
  const isConv = layer.kind === "conv";
  if (isPlain(layer)) return isConv ? "conv" : "dense";
  return isConv ? "KAN conv" : "KAN layer";
}

/** What a unit is. */
export function unitOf({ kind, maps }: Column): string {
  if (kind === "input") return maps ? "channel" : "number";
  return maps ? "map" : "output";
}

/** How many units there are and how large, the longest words first. */
export function sizeTexts(column: Column, together: number): string[] {
  const { units, kind, map, layer, fold } = column;
  if (map) {
    const size = map.join("×");
    // Shortened in its middle it would be another size: nothing where there is no room.
    if (kind === "input" && units === 1) return [`image ${size}`, size, ""];
    const name = `${unitOf(column)}${units === 1 ? "" : "s"}`;
    const kernels = layer?.conv?.shared ? layer.shape[0] : units;
    const shared =
      kernels < units
        ? [
            `${units} ${name} ${size} by ${kernels} shared kernels`,
            `${units} ${name} by ${kernels} shared kernels`,
            `${units} ${name}, ${kernels} kernels`,
          ]
        : [];
    return [...shared, `${units} ${name} ${size}`, `${units} ${name}`, String(units)];
  }
  const count = counted(units, unitOf(column));
  const what = layer && isPlain(layer) ? "weights" : "functions";
  if (together === 1) return [count, String(units)];
  const [rows, columns] = fold;
  const pixels = rows * columns === together && columns > 1;
  const each = `${count} · each link: `;
  return [
    ...(pixels ? [`${each}${rows}×${columns} ${what}, one for each pixel`] : []),
    `${each}${together} ${what}`,
    count,
    String(units),
  ];
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
  marks.push(...chosenMarks(diagram, focus, stroke));
  if (focus.bundle >= 0) {
    const source = before?.byUnit.get(shown[focus.column].bundles[focus.bundle].from);
    if (source) marks.push(outline(source, stroke, 1.5));
  }
  if (closeUp?.kind === "pixel" && closeUp.column === focus.column && unit) {
    marks.push(...pixelMarks(diagram, closeUp, unit, before, colours));
  }
  return marks;
}

/** The frame of a link and of the function in it. */
export function chosenMarks({ layout, shown }: Diagram, focus: Focus, stroke: string): Mark[] {
  if (focus.bundle < 0) return [];
  const { column, thumbs } = layout.columns[focus.column];
  const thumb = thumbs.get(focus.bundle);
  if (!thumb) return [];
  const { bundles } = shown[focus.column];
  const { count } = bundles[focus.bundle];
  const marks: Mark[] = [outline(thumb, stroke, 2)];
  if (focus.entry !== null && count > 1) {
    const { x, y, width, height } = cellOf(thumb, gridOf(column), focus.entry);
    marks.push({ kind: "rects", boxes: [x, y, width, height], stroke, width: 1.5, radius: 2 });
  }
  return marks;
}

/** What an example adds to a number, as links: of the number that is shown closely, where nothing is pointed at. */
export function litMarks(diagram: Diagram, closeUp: UnitCloseUp, theme: Theme): Mark[] {
  const { column, unit, parts } = closeUp;
  const { bundles } = diagram.shown[column];
  const size = new Map(parts.map(({ from, value }) => [from, Math.abs(value)]));
  const order = bundles.flatMap((bundle, n) => (bundle.to === unit ? [n] : []));
  order.sort((a, b) => (size.get(bundles[b].from) ?? 0) - (size.get(bundles[a].from) ?? 0));
  const focus = { column, unit, bundle: -1, entry: null };
  return intoMarks(diagram, focus, order.slice(0, LIT), closeUp, theme);
}

/** The numbers of the units that add most or take most away: on their maps, or where the links of what is too small begin. */
export function namedMarks(diagram: Diagram, { column, parts }: UnitCloseUp, theme: Theme): Mark[] {
  const after = diagram.layout.columns[column];
  const before = diagram.layout.columns[after.column.from[0]];
  if (!before || before.column.kind === "input") return [];
  const order = [...parts].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const { ink, surface } = theme.colours;
  return order.slice(0, NAMED).flatMap(({ from }) => {
    const unit = before.byUnit.get(from);
    if (!unit) return [];
    const { x, y, height } = unit;
    if (height >= 24) return tagMarks(String(from), x + 1, y + 10, ink, surface);
    return tagMarks(String(from), before.out + 2, y + height / 2 + 3.5, ink, surface);
  });
}

/** Small words on their own ground. */
function tagMarks(text: string, x: number, y: number, fill: string, ground: string): Mark[] {
  const boxes = [x, y - 9, widthOf(text, 9) + 4, 11];
  return [
    { kind: "rects", boxes, fill: ground, opacity: 0.85, radius: 2 },
    { kind: "text", x: x + 2, y, text, fill, size: 9 },
  ];
}

export function outline({ x, y, width, height }: Rect, stroke: string, wide: number): Mark {
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
  const partOf = (n: number) => parts.get(bundles[n].from) ?? 0;
  const weight = (n: number) => Math.abs(partOf(n)) / most;
  // The strongest on top, whichever way they go: what they end in has the colour of what adds most.
  const bands = [0, 1, 2, 3].map((k) => ({ low: k / 4, high: k < 3 ? (k + 1) / 4 : Infinity }));
  return bands.flatMap(({ low, high }) =>
    [-1, 1].flatMap((sign) => {
      const own = chosen.filter(
        (n) => sign * partOf(n) > 0 && weight(n) >= low && weight(n) < high,
      );
      const lines = linesOf(layout, bundles, own, from, column, weight);
      const options = { faint: 0.3, wide: 4, among: chosen.length };
      return lineMarks(lines, leave, sign > 0 ? colours.more : colours.less, options);
    }),
  );
}

/** The pixel, and the patch that it comes from on the unit before. */
function pixelMarks(
  { graph }: Diagram,
  { row, at, layer, channel, column }: CloseUp & { kind: "pixel" },
  unit: UnitBox,
  before: PlacedColumn | undefined,
  { accent, surface }: Colours,
): Mark[] {
  // On colours like its own it is seen by what is around it.
  const mark = ({ x, y, width, height }: Rect): Mark[] => {
    const boxes = [x, y, width, height];
    return [
      { kind: "rects", boxes, stroke: surface, width: 4 },
      { kind: "rects", boxes, stroke: accent, width: 1.5 },
    ];
  };
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
      ...mark({
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
  // At least so large that it is found, around the pixel.
  const [width, height] = [Math.max(5, w), Math.max(5, h)];
  return {
    x: unit.x + (at + 0.5) * w - width / 2,
    y: unit.y + (row + 0.5) * h - height / 2,
    width,
    height,
  };
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
