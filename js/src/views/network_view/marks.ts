/** Draws the units of the diagram, the kernels between them, the names over them, and bars that lie below each other. */

import { counted, isPlain, outputName } from "../../phi/entries.ts";
import { formatAlike, formatNumber, percent } from "../../phi/format.ts";
import { rangeOf } from "../../phi/images.ts";
import { memoryOf } from "../../phi/memory.ts";
import { colourOf, paletteOf } from "../../phi/palette.ts";
import { sizeWithin } from "../../phi/ranges.ts";
import { cssOf, greyPixels, heatOf } from "../../scene/heat.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { LOW } from "../../scene/phi_plot.ts";
import { dot, flat, grown, inMiddle, rects, SMALL, WORDS, words } from "../../scene/shapes.ts";
import { fitted, fitting, widthOf } from "../../scene/text.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import type { LayerLayout, Probe } from "../../wire/types.ts";
import { finer, pointOf } from "./close_up.ts";
import type { Diagram, Part } from "./diagram.ts";
import { lastLayer, unitValues } from "./flow.ts";
import { AROUND, bundleMarks, hasAxes, hasValues, type Pictured } from "./functions.ts";
import { type Column, inputNamed } from "./graph.ts";
import { COLUMN_HEAD } from "./layout.ts";
import { curvesOn, kernelsOnce } from "./rails.ts";
import { labelOf, outputSum, shareIn } from "./words.ts";

/** Where a column has less width than this, its name is written smaller. */
const CRAMPED = 80;
/** Words are shortened only if they exceed their room by more than this. */
const NEARLY = 15;
/** A circle as wide as this has its number in it, and a function as wide as this the example on it. */
const NUMBER_FROM = 26;
const POINT_FROM = 40;

/** Kernels and units. */
export function frontMarks(diagram: Diagram, theme: Theme): Mark[] {
  const isSummed = outputSum(diagram) !== null;
  return diagram.parts.flatMap((part, k) => {
    const list = kernelsOnce(part).map(([n, box]) => {
      const point = box.width >= POINT_FROM ? pointOf(diagram, part, n) : null;
      return { bundle: part.bundles[n], box, point };
    });
    return [
      ...rowMarks(part, list, theme, isSummed && k === diagram.parts.length - 1),
      ...bundleMarks(part, list, theme),
      ...unitMarks(part, diagram, theme),
    ];
  });
}

/** Functions with axes, and those of a unit in a row, which are added up: what each adds, unless the headline has the sum, and the signs between them. */
function rowMarks(
  part: Part,
  list: readonly Pictured[],
  { colours }: Theme,
  isSaid: boolean,
): Mark[] {
  if (!hasValues(part)) return [];
  const { rows, print } = part;
  const look = { anchor: "middle", size: SMALL } as const;
  return [
    rects(
      [...rows.values()].flatMap((row) => flat(grown(row, 1))),
      { fill: colours.cell, radius: 4 },
    ),
    ...list.flatMap(({ bundle: { to }, box, point }, k): Mark[] => {
      const { x, y, width, height } = box;
      const value = point && !isSaid ? print(point.value) : "";
      const next = list[k + 1];
      const [plus, end] = rows.size > 0 && next?.bundle.to === to ? ["+", next.box.x] : ["", x];
      const sign = { ...look, middle: true, size: 12 };
      return [
        words(x + width / 2, y + height + SMALL + 1, value, colours.ink, look),
        words((x + width + end) / 2, y + height / 2, plus, colours.muted, sign),
      ];
    }),
  ];
}

/** What all but a hundredth of a column's numbers stay within: the scale of its colours, through a film that of its end; 0 where they are not known. */
export function largestValue({ graph, flow, isFilm }: Diagram, { station }: Column): number {
  const values = flow?.values[station];
  if (!values) return 0;
  const own = memoryOf(values)("largest", [], () => sizeWithin(values, 0.99));
  return memoryOf(graph)<number>(`largest ${station}`, [values, isFilm], (last) =>
    isFilm ? Math.max(last ?? 0, own) : own,
  );
}

/** The map of a unit, as the example has it; null where that is not known. */
export function unitMap(diagram: Diagram, column: Column, unit: number, { name }: Theme) {
  const { flow } = diagram;
  const values = flow && unitValues(flow, column.station, unit);
  if (!values) return null;
  const across = flow.shapes[column.station].at(-1) || 1;
  if (column.kind === "input") return greyPixels(values, across, rangeOf(values));
  return heatOf(values, across, largestValue(diagram, column), paletteOf(name));
}

function unitMarks(part: Part, diagram: Diagram, theme: Theme): Mark[] {
  const { column, units } = part;
  const { colours } = theme;
  if (!column.map) {
    const circles = circleMarks(part, diagram, theme);
    return column.kind === "input" ? [...circles, ...inputMarks(part, diagram, colours)] : circles;
  }
  const boxes = units.flatMap(flat);
  return [
    rects(boxes, { fill: colours.cell }),
    ...units.flatMap(({ unit, x, y, width, height }): Mark[] => {
      const pixels = unitMap(diagram, column, unit, theme);
      return pixels ? [{ kind: "image", box: { x, y, width, height }, pixels }] : [];
    }),
    rects(boxes, { stroke: colours.outline, width: 0.75 }),
  ];
}

function circleMarks(
  { units, column, number, print }: Part,
  diagram: Diagram,
  { name, colours }: Theme,
): Mark[] {
  const { bytes } = paletteOf(name);
  const { graph, flow, scores, parts } = diagram;
  const most = largestValue(diagram, column) || 1;
  const isLast = number === parts.length - 1;
  const best = isLast && units.length > 1 && scores ? scores.best : -1;
  const values = units.map(({ unit }) => (flow ? unitValues(flow, column.station, unit) : null));
  const means = values.map((own) =>
    own ? own.reduce((sum, each) => sum + each, 0) / own.length : Number.NaN,
  );
  const printed = means.filter(Number.isFinite).map(print);
  const longest = (size: number) => Math.max(0, ...printed.map((text) => widthOf(text, size)));
  return units.flatMap((box, k): Mark[] => {
    const { x, y, width, height, unit } = box;
    const value = means[k];
    const isKnown = Number.isFinite(value);
    const hasBar = isLast && parts[number].bars > 0;
    const isWide = width >= NUMBER_FROM && !hasBar;
    // What has a bar is filled only where it is the largest. Numbers are written where there is room.
    const paint = {
      fill: isKnown && !isWide && !hasBar ? cssOf(bytes, colourOf(value / most, 1)) : colours.cell,
      stroke: colours.muted,
      width: 1,
    };
    if (unit === best) Object.assign(paint, { fill: colours.ink, stroke: colours.ink });
    const marks: Mark[] = [dot(x + width / 2, y + height / 2, width / 2, paint)];
    const text = isKnown ? print(value) : String(values[k] ? value : unit);
    const fill = unit === best ? colours.surface : isKnown ? colours.ink : colours.muted;
    // What has a bar has its name beside it.
    if (isKnown || hasBar ? !isWide : width < 16) return marks;
    // Numbers of a layer that are too long for a circle are all written smaller, or under their circles.
    const size = longest(SMALL) > width - 4 ? 8 : SMALL;
    const under = { anchor: "middle", size: 9 } as const;
    if (longest(size) <= width - 2) marks.push(inMiddle(box, text, fill, { size }));
    else marks.push(words(x + width / 2, y + height + 9, text, colours.ink, under));
    // Which of them it is stands beside a circle that has its value in it.
    const isCalled = !isKnown || (column.kind === "input" && inputNamed(graph, unit));
    if (!isCalled && units.length > 1)
      marks.push(words(x - 1, y + 2, String(unit), colours.muted, { anchor: "end", size: 9 }));
    return marks;
  });
}

/** The names of the inputs, under their circles where they stand apart. */
function inputMarks({ units }: Part, { graph }: Diagram, { ink }: Colours): Mark[] {
  return units.flatMap(({ unit, x, y, width, height }, k): Mark[] => {
    const name = inputNamed(graph, unit);
    const below = units[k + 1]?.y ?? Number.POSITIVE_INFINITY;
    if (!name || below - (y + height) < SMALL + 4) return [];
    const text = fitted(name, 4 * width + 20, SMALL);
    return [words(x, y + height + SMALL + 2, text, ink, { size: SMALL })];
  });
}

/** Under the middle of its head is a layer: what leads to its units, and these. */
function middleOf({ box, kernels, stand }: Part): number {
  const left = Math.min(box.x, stand?.x ?? box.x, ...[...kernels.values()].map(({ x }) => x));
  return (left + box.x + box.width) / 2;
}

/** Names over the columns, and what of them is not drawn. */
export function columnHeadMarks(diagram: Diagram, { colours }: Theme): Mark[] {
  const { graph, parts, layout, window, room } = diagram;
  const { x: from, y: over } = window;
  const marks: Mark[] = [
    rects([from, over, room.width, COLUMN_HEAD - 4], { fill: colours.surface, opacity: 0.9 }),
  ];
  const size = layout.width / graph.depths < CRAMPED ? SMALL : WORDS;
  const heads = parts.flatMap((part, k) => {
    const { layer, depth, name } = part.column;
    const [previous, next] = [parts[k - 1], parts[k + 1]];
    const isSeen = part.box.x + part.box.width > from && part.box.x < from + room.width;
    if (depth === previous?.column.depth || !isSeen) return [];
    const middle = middleOf(part);
    const left = previous ? (middleOf(previous) + middle) / 2 : 0;
    const right = next ? (middleOf(next) + middle) / 2 : layout.width;
    // The first and the last have room to one side only.
    const free =
      (previous && next ? 2 * Math.min(middle - left, right - middle) : right - left) - 14;
    const title = layer ? `${kindOf(layer)} · ${name}` : name;
    return [{ part, middle, least: previous ? left + 7 : 0, free, title }];
  });
  const isBrief = heads.some(({ title, free }) => widthOf(title, size, 600) > free);
  heads.forEach(({ part, middle, least, free, title }) => {
    const { column } = part;
    const add = (texts: string[], y: number, weight: 400 | 600, fill: string) => {
      const isShort = (text: string) => widthOf(text, size, weight) <= free;
      // Better close to the next than cut.
      const text = texts.find(isShort) ?? fitting(texts.slice(-1), free + NEARLY, size, weight);
      const half = widthOf(text, size, weight) / 2;
      const start = Math.max(least + half, from + half + 4);
      const x = Math.max(start, Math.min(middle, layout.width - half - 4));
      if (text) marks.push(words(x, y, text, fill, { weight, anchor: "middle", size }));
    };
    // All are called alike.
    add([isBrief ? column.name : title], over + 12, size < WORDS ? 400 : 600, colours.ink);
    const drawn = part.units.length;
    const sizes = sizeTexts(column, part.bundles[0]?.count ?? 1);
    // The numbers under the outputs of a grid have their name here.
    const scored = sizes[0].replace(" ·", " and their scores ·");
    if (part.pitch > 0 && labelOf(diagram) !== null) sizes.unshift(scored, scored.split(" ·")[0]);
    // Functions that are low have no numbers along x.
    const low = kernelsOnce(part).find(([n, { height }]) => {
      return part.bundles[n].count === 1 && height < LOW + 2 * AROUND;
    });
    if (low && part.picture) {
      const { x, ends } = part.picture;
      const [along, up] = [x, ends()].map((far) => far.map(formatAlike(far, 1)).join(" to "));
      const hasTicks = hasAxes({ bundle: part.bundles[low[0]], box: low[1] });
      const said = hasTicks ? [`inputs ${along}`] : [`inputs ${along}, φ ${up}`, `φ ${up}`];
      sizes.unshift(`${sizes[0]} · ${said[0]}`, ...said);
    }
    const after = column.after.map((station) => graph.stations[station].label);
    const pools = after.filter((label) => label.includes("pool"));
    const all = sizes.map((text) => (column.units > drawn ? `${drawn} of ${text}` : text));
    // That it is pooled is said before how large it is.
    const isPooled = pools.length > 0;
    const then = isPooled ? [after, pools, ["pool"]] : [after].filter(({ length }) => length > 0);
    const ways = all.slice(0, isPooled ? (column.units > drawn ? all.length : -1) : 1);
    const texts = ways.flatMap((text) => then.map((labels) => [text, ...labels].join(" → ")));
    // "12 of 59" cut in its middle would be a range.
    // Kernels that stand on every link have no scale written over them.
    const isScaled = part.kernels.size > 0 && curvesOn({ ...part, units: [] }, column) > 1;
    const scale = isScaled && part.picture ? ` · φ ±${formatNumber(part.picture.scale())}` : "";
    const scaled = [...texts, ...all].map((text) => text + scale);
    const isCut = widthOf(all[all.length - 1], size) > free + NEARLY;
    add(
      [...(scale ? scaled : []), ...texts, ...all, ...(isCut ? sizes.slice(-1) : [])],
      over + 25,
      400,
      colours.muted,
    );
  });
  return marks;
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
  const { units, kind, map, layer } = column;
  if (map) {
    const size = map.join("×");
    // Shortened in its middle it would be another size: nothing where there is no room.
    const what = column.isRow ? `${map[0] * map[1]} numbers as` : "image";
    if (kind === "input" && units === 1) return [`${what} ${size}`, size, ""];
    const all = `${units} ${unitOf(column)}${units === 1 ? "" : "s"}`;
    const kernels = layer?.conv?.shared ? layer.shape[0] : units;
    const shared = kernels < units ? [`${all} ${size} by ${kernels} shared kernels`] : [];
    return [...shared, `${all} ${size}`, all, String(units)];
  }
  const count = counted(units, unitOf(column));
  if (together === 1) return [count, String(units)];
  const what = layer && isPlain(layer) ? "weights" : "functions";
  return [`${count} · each link: ${together} ${what}`, count, String(units)];
}

/** Bars with less room than this stand below their numbers, where units stand so far apart. */
const LEAST_BAR = 60;
const FAR_APART = 16;
const BELOW = { by: 3, tall: 4 };
/** Of shorter ones the lengths could not be told from each other: numbers are enough. */
const SHORTEST_BAR = 24;
const BESIDE_TALL = 14;
const LIFT = 8;
/** Words stand no closer below each other. */
const LINE = 10;

/** The bars beside the last units. */
export function scoreMarks(diagram: Diagram, { colours }: Theme): Mark[] {
  const { parts, graph, scores } = diagram;
  const { units, bars, print, pitch: grid } = parts[parts.length - 1];
  if (bars === 0) return [];
  const { raw, probabilities, best } = scores ?? { raw: [], probabilities: null, best: -1 };
  const shown = probabilities ?? raw;
  const label = labelOf(diagram);
  const layer = lastLayer(graph);
  const widest = (texts: string[]) =>
    Math.max(0, ...texts.map((text) => widthOf(text, WORDS, 600)));
  // In a grid a name has a line to itself.
  const line = grid ? Math.max(bars, LINE) : bars / 3;
  const own = (unit: number) => fitted(outputName(layer, unit, "").trim(), line, WORDS, 600);
  const marked = (unit: number, sign: string) =>
    unit === label ? `${own(unit)} ${sign}` : own(unit);
  const precise = scores ? finer(print, raw) : String;
  // Where the next circle is near, with a digit less.
  const isTight = grid > 0 && widest(Array.from(raw, precise)) > bars - 6;
  const text = isTight ? formatAlike(Array.from(raw, (value) => 10 * value)) : precise;
  const saidOf = (unit: number) => (probabilities ? shareIn(diagram) : text)(shown[unit]);
  // The same width for every example, so that nothing jumps: that of the longer mark and the longest number.
  const names = grid ? 0 : widest(units.map(({ unit }) => marked(unit, "(true)"))) + 8;
  const said = probabilities ? [percent(1 - 1e-6)] : raw.map((_, unit) => saidOf(unit));
  const beside = Math.max(0, bars - names - widest(said) - 10);
  const least = Math.min(0, ...shown);
  const most = probabilities ? 1 : Math.max(1e-9, ...shown, -least);
  const [first] = units;
  const pitch = grid || (units.length > 1 ? units[1].y - first.y : 2 * FAR_APART);
  const isBelow = beside < LEAST_BAR && pitch >= FAR_APART;
  const room = isBelow ? Math.min(LEAST_BAR, bars - names) : beside;
  const marks: Mark[] = [];
  const what = probabilities ? "probability" : label === null ? "output" : "score";
  const over = isBelow ? first.y + first.height / 2 - 18 : first.y - 3;
  const begin = first.x + first.width + Math.min(6 + names, bars - widthOf(what, WORDS));
  // In a grid names stand over their numbers.
  const lift = grid ? LIFT : 0;
  if (!grid && scores) marks.push(words(begin, over, what, colours.muted));
  const labelled = [best, label].flatMap((one) => parts.at(-1)?.byUnit.get(one ?? -1)?.y ?? []);
  for (const { unit, x, y, width, height } of units) {
    const start = x + width + 6;
    const left = start + names;
    const zero = least < 0 ? left + room / 2 : left;
    const length = ((least < 0 ? room / 2 : room) * shown[unit]) / most;
    const middle = y + height / 2;
    const tall = isBelow ? BELOW.tall : Math.min(BESIDE_TALL, height);
    const top = isBelow ? middle + BELOW.by + lift : middle - tall / 2;
    const isBest = unit === best && raw.length > 1;
    const isRight = unit === label && label === best;
    const weight = isBest || unit === label ? 600 : 400;
    const name = marked(unit, label === best ? "✓" : isTight ? "true" : "(true)");
    const ink = isRight ? colours.live : colours.ink;
    // Of many that are close together some are named: the best, the right one, and others as far as they have room.
    const isNamed =
      grid > 0 || labelled.includes(y) || labelled.every((other) => Math.abs(other - y) >= LINE);
    if (isNamed) labelled.push(y);
    if (isNamed) marks.push(words(start, middle - lift, name, ink, { middle: true, weight }));
    if (!scores) continue;
    const how = { middle: true, weight: isBest ? 600 : 400 } as const;
    if (room < SHORTEST_BAR) {
      const end = x + width + bars + 2;
      // Over its circle a number could not be read.
      const isFree = !grid || widthOf(saidOf(unit), WORDS, how.weight) <= bars;
      if (isNamed && isFree)
        marks.push(words(end, middle, saidOf(unit), colours.muted, { ...how, anchor: "end" }));
      continue;
    }
    if (isBelow) marks.push(rects([left, top, room, tall], { fill: colours.cell }));
    const bar = [Math.min(zero, zero + length), top, Math.max(1, Math.abs(length)), tall];
    marks.push(rects(bar, { fill: isBest ? colours.ink : colours.ghost, radius: 1 }));
    const end = isBelow ? left : Math.max(zero, zero + length) + 4;
    const at = isBelow ? middle - BELOW.by + lift : middle;
    if (isNamed) marks.push(words(end, at, saidOf(unit), colours.muted, how));
  }
  return marks;
}

/** Where one draws: the picture of the input. */
export function padOf({ layout, room, window, settings }: Diagram): Rect | null {
  const [first] = layout.columns;
  if (settings.example >= 0 || !first?.column.map) return null;
  const box = first.units[0];
  return { ...box, x: box.x - window.x + room.x, y: box.y - window.y + room.y };
}

export function canDraw(probe: Probe | null): boolean {
  return probe !== null && probe.shape.length === 4 && probe.shape[1] === 1;
}
