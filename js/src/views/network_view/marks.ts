/** Draws the diagram. No DOM. */

import { counted, isPlain } from "../../phi/entries.ts";
import { rangeOf } from "../../phi/images.ts";
import { colourOf, paletteOf } from "../../phi/palette.ts";
import { sizeWithin } from "../../phi/ranges.ts";
import { cssOf, greyOf, heatOf } from "../../scene/heat.ts";
import type { Mark, Pixels } from "../../scene/marks.ts";
import { dot, flat, inMiddle, rect, rects, WORDS, words } from "../../scene/shapes.ts";
import { fitted, widthOf } from "../../scene/text.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import type { LayerLayout } from "../../wire/types.ts";
import { type Diagram, type Part, weightOf } from "./diagram.ts";
import { type Flow, isStale, unitValues } from "./flow.ts";
import { thumbMarks } from "./functions.ts";
import { type Column, inputNamed } from "./graph.ts";
import { HEAD, thumbsOnce, type UnitBox } from "./layout.ts";
import { lineMarks, linesOf } from "./links.ts";

/** What is long past is drawn as pale as this. */
const PALE = 0.45;
/** Links through shared kernels, each from all units and to many: not so bold that they hide where they go. */
const WEB = { strong: 0.45, wide: 1.1 };
const SMALL = 10;
/** What is no wider than its room and this is not shortened. */
const CLOSE = 10;

/** Links into `pale` are as a ground for those that are lit there. */
export function linkMarks(
  diagram: Diagram,
  { colours }: Theme,
  opacity: number,
  pale: number,
): Mark[] {
  const marks = diagram.parts.flatMap((part): Mark[] => {
    const { before, relevance, links, column, number } = part;
    if (!before) return [];
    if (!relevance || links.length === 0) return slab(before, part, colours);
    const lines = linesOf(part, links, (n) => weightOf(relevance, n));
    const own = lineMarks(lines, colours.ink, column.layer?.conv?.shared ? WEB : {});
    return number === pale ? [{ kind: "group", marks: own, opacity: 0.45 }] : own;
  });
  marks.push(...skipMarks(diagram, colours));
  return opacity < 1 ? [{ kind: "group", marks, opacity }] : marks;
}

/** Where the links are not known one by one: all of them as a field. */
function slab(before: Part, after: Part, { ink }: Colours): Mark[] {
  const [a, b] = [before.box, after.box];
  const [x0, x1] = [before.out + 2, after.box.x - 3];
  const d = `M${x0} ${a.y}L${x1} ${b.y}V${b.y + b.height}L${x0} ${a.y + a.height}Z`;
  return [{ kind: "path", d, fill: ink, opacity: 0.07 }];
}

/** What passes by some stations: an arc over them. */
function skipMarks({ graph, parts }: Diagram, { accent }: Colours): Mark[] {
  return graph.skips.map(({ station, column, from }): Mark => {
    const [source, target] = [parts[from], parts[column]];
    const at = target.slim.find(({ stations }) => stations.includes(station))?.box ?? target.box;
    const [x0, y0] = [source.out - 4, source.box.y - 3];
    const [x1, y1] = [at.x + at.width / 2, at.y - 2];
    const top = Math.max(HEAD - 6, Math.min(y0, y1) - 26);
    const d = `M${x0} ${y0}C${x0 + 14} ${top} ${x1 - 14} ${top} ${x1} ${y1}`;
    return { kind: "path", d, stroke: accent, width: 1.5, dash: [5, 3], opacity: 0.8 };
  });
}

/** Thumbnails, units and the stations between. */
export function frontMarks(diagram: Diagram, theme: Theme): Mark[] {
  const { flow, frame } = diagram;
  return diagram.parts.flatMap((part) => {
    const list = thumbsOnce(part).map(([n, box]) => ({ bundle: part.bundles[n], box }));
    const units = unitMarks(part, diagram, theme);
    // What an example made of the units is pale where that was long ago; the example itself is as it is.
    const isPale = part.column.kind !== "input" && isStale(flow, frame);
    return [
      ...slimMarks(part, diagram, theme.colours),
      ...thumbMarks(part, list, theme),
      ...(isPale ? [{ kind: "group", marks: units, opacity: PALE } as const] : units),
    ];
  });
}

function slimMarks({ slim }: Part, { graph }: Diagram, colours: Colours): Mark[] {
  return slim.flatMap(({ stations, box }): Mark[] => {
    const labels = stations.map((k) => graph.stations[k].label);
    const text = fitted(labels.join(" · "), box.height - 10, SMALL);
    return [
      rect(box, { fill: colours.surface, stroke: colours.line, radius: 4 }),
      inMiddle(box, text, colours.muted, { size: SMALL, turn: -90 }),
    ];
  });
}

const scales = new WeakMap<Float32Array, number>();

/** What all but a hundredth of a column's numbers stay within: the scale of its colours; 0 where they are not known. */
function mostOf({ station }: Column, flow: Flow | null): number {
  const values = flow?.values[station];
  if (!values) return 0;
  const known = scales.get(values) ?? sizeWithin(values, 0.99);
  scales.set(values, known);
  return known;
}

/** The map of a unit, as the example has it; null where that is not known. */
export function mapOf(
  column: Column,
  flow: Flow | null,
  unit: number,
  { name }: Theme,
): Pixels | null {
  const values = flow && unitValues(flow, column.station, unit);
  if (!values) return null;
  const across = flow.shapes[column.station].at(-1) || 1;
  if (column.kind === "input") return greyOf(values, across, rangeOf(values));
  return heatOf(values, across, mostOf(column, flow), paletteOf(name));
}

function unitMarks(part: Part, diagram: Diagram, theme: Theme): Mark[] {
  const { column, units } = part;
  const { colours } = theme;
  if (!column.map) {
    const dots = dotMarks(part, diagram, theme);
    return column.kind === "input" ? [...dots, ...inputMarks(part, diagram, colours)] : dots;
  }
  const boxes = units.flatMap(flat);
  return [
    rects(boxes, { fill: colours.cell }),
    ...units.flatMap((box): Mark[] => {
      const { unit, ...place } = box;
      const pixels = mapOf(column, diagram.flow, unit, theme);
      if (pixels) return [{ kind: "image", box: place, pixels }];
      return box.height >= 12 ? [numberMark(box, colours)] : [];
    }),
    rects(boxes, { stroke: colours.outline, width: 0.75 }),
  ];
}

function numberMark(box: UnitBox, { muted }: Colours): Mark {
  return inMiddle(box, String(box.unit), muted, { size: SMALL });
}

function dotMarks(
  { units, column, number }: Part,
  { flow, scores, parts }: Diagram,
  { name, colours }: Theme,
): Mark[] {
  const { bytes } = paletteOf(name);
  const most = mostOf(column, flow) || 1;
  // Of the last units the probabilities, where they are classes: those that lose are pale.
  const probabilities = number === parts.length - 1 ? scores?.probabilities : null;
  return units.flatMap((box): Mark[] => {
    const { x, y, width, height, unit } = box;
    const values = flow ? unitValues(flow, column.station, unit) : null;
    const value = values ? values.reduce((sum, each) => sum + each, 0) / values.length : Number.NaN;
    const known = Number.isFinite(value);
    const fill = known && !probabilities ? cssOf(bytes, colourOf(value / most, 1)) : colours.cell;
    const [middle, centre, r] = [x + width / 2, y + height / 2, width / 2];
    const marks: Mark[] = [dot(middle, centre, r, { fill, stroke: colours.muted, width: 1 })];
    // A probability is as full as its bar is long, and of its colour.
    const inside = { fill: colours.ink, opacity: probabilities?.[unit] };
    if (known && probabilities) marks.push(dot(middle, centre, r, inside));
    if (!known && width >= 16) marks.push(numberMark(box, colours));
    return marks;
  });
}

/** The names of the inputs, under their circles where they stand apart. */
function inputMarks({ units }: Part, { graph }: Diagram, { muted }: Colours): Mark[] {
  return units.flatMap(({ unit, x, y, width, height }, k): Mark[] => {
    const name = inputNamed(graph, unit);
    const below = units[k + 1]?.y ?? Number.POSITIVE_INFINITY;
    if (!name || below - (y + height) < SMALL + 4) return [];
    const text = fitted(name, 4 * width + 20, SMALL);
    return [words(x, y + height + SMALL + 1, text, muted, { size: SMALL })];
  });
}

/** Names over the columns, and what of them is not drawn. */
export function headMarks(diagram: Diagram, { colours }: Theme): Mark[] {
  const { parts, layout, window, room } = diagram;
  const { x: from, y: over } = window;
  const marks: Mark[] = [
    rects([from, over, room.width, HEAD - 4], { fill: colours.surface, opacity: 0.9 }),
  ];
  const taken: [number, number][] = [];
  const middleOf = ({ box }: Part) => box.x + box.width / 2;
  parts.forEach((part, k) => {
    const { column } = part;
    const [previous, next] = [parts[k - 1], parts[k + 1]];
    if (column.depth === previous?.column.depth) return;
    const middle = middleOf(part);
    const left = previous ? (middleOf(previous) + middle) / 2 : 0;
    const right = next ? (middleOf(next) + middle) / 2 : layout.width;
    // The first and the last have room to one side only.
    const free =
      (previous && next ? 2 * Math.min(middle - left, right - middle) : right - left) - 14;
    const add = (text: string, y: number, weight: 400 | 600, fill: string) => {
      if (text === "") return;
      // Rather close to the next than cut.
      const short = fitted(text, free + CLOSE, WORDS, weight);
      const half = widthOf(short, WORDS, weight) / 2;
      const start = Math.max(previous ? left + half + 7 : 0, from + half + 4);
      const x = Math.max(start, Math.min(middle, layout.width - half - 4));
      taken.push([x - half, x + half]);
      marks.push(words(x, y, short, fill, { weight, anchor: "middle" }));
    };
    const fits = (weight: 400 | 600) => (text: string) => widthOf(text, WORDS, weight) <= free;
    const { layer, name } = column;
    const kind = layer ? `${kindOf(layer)} · ` : "";
    add(fits(600)(kind + name) ? kind + name : name, over + 12, 600, colours.ink);
    const drawn = part.units.length;
    const sizes = sizeTexts(column, part.bundles[0]?.count ?? 1);
    const some = [...sizes.map((text) => `${drawn} of ${text}`), `${drawn}/${column.units}`];
    const texts = column.units > drawn ? some : sizes;
    add(texts.find(fits(400)) ?? texts[texts.length - 1], over + 25, 400, colours.muted);
  });
  return [...marks, ...kernelHeads(diagram, taken, over + 25, colours)];
}

/** How many kernels stand between two columns, where the words of these leave room. */
function kernelHeads(
  { parts }: Diagram,
  taken: readonly [number, number][],
  y: number,
  { muted }: Colours,
): Mark[] {
  return parts.flatMap((part): Mark[] => {
    const { layer } = part.column;
    const all = new Set(part.bundles.map(({ first }) => first)).size;
    const boxes = thumbsOnce(part).map(([, box]) => box);
    if (layer?.kind !== "conv" || boxes.length === 0) return [];
    const left = Math.min(...boxes.map((box) => box.x));
    const right = Math.max(...boxes.map((box) => box.x + box.width));
    const x = (left + right) / 2;
    const count = `${boxes.length < all ? `${boxes.length} of ` : ""}${counted(all, "kernel")}`;
    const isShared = layer.conv?.shared === true && all > 1;
    const shared = isShared ? [count.replace("kernels", "shared kernels")] : [];
    const size = `${layer.shape[2]}×${layer.shape[3]}`;
    const texts = [...shared, count].flatMap((one) => [`${one} ${size}`, one]);
    const text = texts.find((one) => {
      const half = widthOf(one, WORDS) / 2 + 5;
      return taken.every(([from, to]) => x + half < from || x - half > to);
    });
    return text ? [words(x, y, text, muted, { anchor: "middle" })] : [];
  });
}

function kindOf(layer: LayerLayout): string {
  const isConv = layer.kind === "conv";
  if (isPlain(layer)) return isConv ? "conv" : "dense";
  return isConv ? "KAN conv" : "KAN layer";
}

/** What a unit is. */
function unitOf({ kind, maps }: Column): string {
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
    const all = `${units} ${unitOf(column)}${units === 1 ? "" : "s"}`;
    const kernels = layer?.conv?.shared ? layer.shape[0] : units;
    const by = `by ${kernels} shared kernels`;
    const shared = [`${all} ${size} ${by}`, `${all} ${by}`, `${all}, ${kernels} kernels`];
    return [...(kernels < units ? shared : []), `${all} ${size}`, all, String(units)];
  }
  const count = counted(units, unitOf(column));
  if (together === 1) return [count, String(units)];
  const what = layer && isPlain(layer) ? "weights" : "functions";
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
    rects([x0, y0, w, h], { fill: colours.surface, stroke: colours.line, radius: 3 }),
    rects(columns, { fill: colours.ghost }),
    rects(seen, { stroke: colours.accent, width: 1.5 }),
  ];
}
