/** What is looked at: the unit or the link, what feeds it and what it feeds. */

import { functionOf, selectionOf } from "../../phi/entries.ts";
import { formatAlike } from "../../phi/format.ts";
import type { Pointed } from "../../scene/drawing.ts";
import { type Mark, type Point, type Rect, type Sites, sitesOf } from "../../scene/marks.ts";
import { phiPlot } from "../../scene/phi_plot.ts";
import { framed, SMALL, WORDS, words } from "../../scene/shapes.ts";
import { fitting } from "../../scene/text.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import type { Selection } from "../../wire/types.ts";
import {
  type CloseUp,
  closelyOf,
  closeUpOf,
  finer,
  type PictureIn,
  type PixelCloseUp,
  pointOf,
  type ShownFunction,
  type UnitCloseUp,
} from "./close_up.ts";
import {
  type Diagram,
  type Focus,
  inDiagram,
  type Part,
  strongestOf,
  weightOf,
} from "./diagram.ts";
import { bundleMarks, cellFrame, gridOf, rounded } from "./functions.ts";
import type { Bundle, Graph } from "./graph.ts";
import { COLUMN_HEAD, type UnitBox } from "./layout.ts";
import { lineMarks, linesOf, linkAt } from "./links.ts";
import { kernelsOnce } from "./rails.ts";
import { FRAMED, largeKernel, unitFrame } from "./strongest.ts";
import { linkWords, unitWords } from "./words.ts";

/** Most links of a unit that are lit though they are not drawn otherwise. */
const MOST_LIT = 40;
const LEAST_POINTED = 0.5;
/** So many bars have room each, whatever the size. */
const FEW_BARS = 6;
/** Room of the two lines of a title. */
const TITLE = 33;

/** The link of a selected function, and its number among those of the link; null where no link has it. */
export function selectedLink({ columns }: Graph, selection: Selection | null): Focus | null {
  const column = columns.findIndex(({ layer }) => layer && layer.name === selection?.layer);
  const { layer, bundles } = columns[column] ?? {};
  if (!layer || !bundles) return null;
  const f = functionOf(layer, selection);
  const bundle = bundles.findIndex(({ first, count }) => f >= first && f < first + count);
  const { to: unit, first } = bundles[bundle] ?? { to: -1, first: 0 };
  return bundle < 0 ? null : { column, unit, bundle, entry: f - first };
}

/** What is pointed at. */
export function focusAt(diagram: Diagram, { id, at: place }: Pointed): Focus | null {
  const [kind, column, number, entry] = id.split(":");
  const at = { column: Number(column), unit: Number(number), bundle: -1, entry: null };
  if (kind === "u") return at;
  if (kind !== "e") return null;
  const part = diagram.parts[at.column];
  const unit = part.bundles[at.unit]?.to ?? -1;
  const own = entry ? Number(entry) : entryAt(diagram, part, at.unit, place);
  return { ...at, unit, bundle: at.unit, entry: own };
}

/** What a click on it selects: the link and the function that are shown while it is pointed at, in the close-up that was `shown`. */
export function selectionAt(diagram: Diagram, pointed: Pointed, shown: CloseUp | null) {
  const focus = focusAt(diagram, pointed);
  if (!focus) return null;
  const part = diagram.parts[focus.column];
  const { layer } = part.column;
  const closeUp = closeUpOf(diagram, focus, pointed, null, shown);
  const { shown: closely, bundle } = closelyOf(diagram, closeUp, focus);
  const own = part.bundles[bundle];
  if (!layer || own?.to !== focus.unit) return null;
  const f = closely?.f ?? own.first + strongestOf(part, own);
  const place: Focus = { ...focus, bundle, entry: f - own.first };
  return { selection: selectionOf(layer, f), place, closeUp };
}

/** Which function of a bundle lies at a place; −1 where none does. */
function cellAt(box: Rect, [rows, columns]: readonly [number, number], at: Point): number {
  const across = Math.floor(((at.x - box.x) / box.width) * columns);
  const down = Math.floor(((at.y - box.y) / box.height) * rows);
  const isInside = across >= 0 && down >= 0 && across < columns && down < rows;
  return isInside ? down * columns + across : -1;
}

/** The function of a link under the pointer, where its kernel stands there; else null. */
function entryAt(diagram: Diagram, part: Part, n: number, pointer: Point | null): number | null {
  const kernel = largeKernel(diagram, part, n);
  if (!kernel || !pointer) return null;
  const entry = cellAt(kernel.box, gridOf(part.column), inDiagram(diagram, pointer));
  return entry < 0 ? null : Math.min(kernel.bundle.count - 1, entry);
}

/** `isPointed`: what is looked at is pointed at, and not selected. */
export function focusMarks(
  diagram: Diagram,
  focus: Focus,
  closeUp: CloseUp | null,
  isPointed: boolean,
  theme: Theme,
): Mark[] {
  const { parts } = diagram;
  const { colours } = theme;
  const stroke = isPointed ? colours.ink : colours.accent;
  const marks: Mark[] = [];
  const part = parts[focus.column];
  const { before, bundles, kernels } = part;
  if (before && part.relevance) {
    const into = strongest(part, ({ to }) => to === focus.unit);
    const own = focus.bundle >= 0 ? [focus.bundle] : into;
    marks.push(...intoMarks(part, own, closeUp, focus.bundle, colours));
    const list = own.flatMap((n) => {
      const box = kernels.get(n);
      return box ? [{ bundle: bundles[n], box, point: pointOf(diagram, part, n) }] : [];
    });
    marks.push(...bundleMarks(part, list, theme));
  }
  for (const next of parts) {
    if (next.before !== part || !next.relevance || focus.bundle >= 0) continue;
    const out = strongest(next, ({ from }) => from === focus.unit);
    const lines = linesOf(next, out, (n) => weightOf(next.relevance, n));
    marks.push(...lineMarks(lines, colours.ink, { faint: 0.25 }));
  }
  const unit = part.byUnit.get(focus.unit);
  if (unit) marks.push(unitFrame(part.column, unit, stroke, 2));
  const source = focus.bundle >= 0 && before?.byUnit.get(bundles[focus.bundle].from);
  if (before && source) marks.push(unitFrame(before.column, source, stroke, 1.5));
  if (closeUp?.kind === "pixel" && closeUp.column === focus.column && unit)
    marks.push(...pixelMarks(diagram, closeUp, unit, colours));
  return marks;
}

/** A frame around one of the functions of a link that stand together. */
export function entryMarks(
  diagram: Diagram,
  place: Focus | null,
  stroke: string,
  theme: Theme,
): Mark[] {
  if (!place || place.entry === null) return [];
  const part = diagram.parts[place.column];
  const large = largeKernel(diagram, part, place.bundle);
  if (!large || large.bundle.count === 1) return [];
  return cellFrame(large.box, gridOf(part.column), place.entry, stroke, theme.colours);
}

/** What an example adds to a number, as links: of the number that is shown closely, where nothing is pointed at. */
export function litMarks(diagram: Diagram, closeUp: UnitCloseUp, { colours }: Theme): Mark[] {
  const part = diagram.parts[closeUp.column];
  const size = new Map(closeUp.parts.map(({ from, value }) => [from, Math.abs(value)]));
  const sizeOf = (n: number) => size.get(part.bundles[n].from) ?? 0;
  const lit = strongest(part, ({ to }) => to === closeUp.unit, sizeOf);
  return intoMarks(part, lit, closeUp, -1, colours);
}

function strongest(
  { bundles, relevance }: Part,
  wanted: (bundle: Bundle) => boolean,
  size = (n: number) => relevance?.sizes[n] ?? 0,
): number[] {
  const found = bundles.flatMap((bundle, n) => (wanted(bundle) ? [n] : []));
  return found.sort((a, b) => size(b) - size(a)).slice(0, MOST_LIT);
}

/** Links into a unit: orange where they add to it for the example, blue where they subtract; else by relevance. `pointed` is looked at by itself. */
function intoMarks(
  part: Part,
  into: readonly number[],
  closeUp: CloseUp | null,
  pointed: number,
  { ink, more, less }: Colours,
): Mark[] {
  // What is pointed at is seen, however weak it is.
  const linesTo = (own: readonly number[], weight: (n: number) => number) =>
    linesOf(part, own, (n) => (n === pointed ? Math.max(LEAST_POINTED, weight(n)) : weight(n)));
  if (closeUp?.kind !== "unit" || closeUp.column !== part.number) {
    const lines = linesTo(into, (n) => weightOf(part.relevance, n));
    return lineMarks(lines, ink, { faint: 0.35 });
  }
  const values = new Map(closeUp.parts.map(({ from, value }) => [from, value]));
  const most = Math.max(...closeUp.parts.map(({ value }) => Math.abs(value))) || 1;
  const partOf = (n: number) => values.get(part.bundles[n].from) ?? 0;
  const weight = (n: number) => Math.abs(partOf(n)) / most;
  const options = { faint: 0.3, wide: 4, among: into.length };
  // The strongest on top, of either sign: their end has the colour of the one that adds most.
  const band = (n: number) => Math.min(3, Math.floor(4 * weight(n)));
  return [0, 1, 2, 3].flatMap((k) =>
    [-1, 1].flatMap((sign) => {
      const own = into.filter((n) => sign * partOf(n) > 0 && band(n) === k);
      return lineMarks(linesTo(own, weight), sign > 0 ? more : less, options);
    }),
  );
}

/** The pixel, and the patch that it comes from on the unit before. */
function pixelMarks(
  { graph, parts }: Diagram,
  { row, at, patch, channel, column }: PixelCloseUp,
  unit: UnitBox,
  colours: Colours,
): Mark[] {
  const { accent } = colours;
  const marks: Mark[] = [];
  const { before, column: own } = parts[column];
  const source = before?.byUnit.get(channel);
  const shape = graph.stations[Math.max(...graph.stations[own.station].sources)]?.shape ?? [];
  if (before?.column.map && source && shape.length === 3) {
    // A pool between makes the patch as much larger there.
    const [w, h] = [source.width / shape[2], source.height / shape[1]];
    const [x, y] = [source.x + patch.column * w, source.y + patch.row * h];
    const box = { x, y, width: patch.width * w, height: patch.height * h };
    marks.push(...framed(box, accent, colours));
  }
  const { map } = own;
  return map ? [...marks, ...cellFrame(unit, map, row * map[1] + at, accent, colours)] : marks;
}

/** One function, large and with axes, in a box under its title. */
export function magnifiedMarks(
  { parts, ghost, flow, frame: drawn, isFilm }: Diagram,
  closeUp: CloseUp,
  { f, x, value, name, place, whole }: ShownFunction,
  box: Rect,
  { colours }: Theme,
): Mark[] {
  const { picture, before } = parts[closeUp.column];
  if (!picture) return [];
  const own = picture.closer({ first: f, count: 1 });
  const print = finer(picture.print, [own.scale() / 2]); // a twentieth of its axis is not 0
  const frame = flow?.frame ?? drawn;
  const inside = { ...box, y: box.y + TITLE, height: box.height - TITLE - 2 };
  // In a film the path may lead through other functions than at its end: the axes of that stay.
  const held = (name: string, wanted: number) => {
    const large = picture.held(`${name.split(" of ")[0]} of what is large`, wanted);
    return isFilm ? large : picture.held(name, wanted);
  };
  const plotted = { ...picture, f, frame, ghost, y: own.ends(), held };
  const { plot, marks } = phiPlot(plotted, { x, value }, inside, colours);
  const input = before && !before.column.map ? before.print(x) : formatAlike(picture.x)(x);
  // What all of them add stands beside it.
  const among = whole ? [`, one of ${whole}`, ""] : [""];
  // Of few functions, one for each bar, that has the value.
  const count = closeUp.kind === "unit" && closeUp.group === 1 ? closeUp.parts.length : 0;
  const isBar = count > 1 && count <= FEW_BARS;
  const given = isBar ? `at the input ${input}` : `φ(${input}) = ${print(value)}`;
  const what = Number.isFinite(x + value) ? given : "";
  const placed = what && place ? `${place}: ${what}` : what;
  const last = name.split(" · ").at(-1) ?? "";
  const short = last.replace("column", "col").replace(" to output ", " → ");
  const first = fitting([name, last, short], box.width, WORDS, 600);
  const told = what ? [...among.map((of) => placed + of), what] : [];
  const second = fitting([...told, ""], box.width, SMALL);
  return [
    words(box.x, box.y + 9, first, colours.ink, { weight: 600 }),
    words(box.x, box.y + 21, second, colours.muted, { size: SMALL }),
    ...marks,
    rounded(plot, colours.ink, FRAMED),
  ];
}

export type Site = Parameters<typeof sitesOf>[0][number];

function boxesOf(diagram: Diagram): Site[] {
  const { parts, room, window } = diagram;
  const sites: Site[] = [];
  const add = (id: string, box: Rect, words: string) => {
    const [x, y] = [box.x - window.x, box.y - window.y];
    const top = Math.max(y, COLUMN_HEAD * 0.6);
    const bottom = Math.min(y + box.height, room.height);
    if (bottom - top < 2 || x + box.width < 0 || x > room.width) return;
    sites.push({ id, box: { ...box, x, y: top, height: bottom - top }, words });
  };
  for (const part of parts) {
    const { number } = part;
    const own = kernelsOnce(part);
    const large = part.large >= 0 ? largeKernel(diagram, part, part.large) : null;
    if (large && !part.kernels.has(part.large)) own.push([part.large, large.box]);
    for (const [n, box] of own) add(`e:${number}:${n}`, box, linkWords(diagram, part, n));
    for (const unit of part.units) {
      const width = unit.width + part.bars;
      add(`u:${number}:${unit.unit}`, { ...unit, width }, unitWords(diagram, part, unit.unit));
    }
  }
  return sites;
}

/** Between its boxes the diagram answers with the link that runs there, a large picture with the function that lies there. */
export function diagramSites(diagram: Diagram, foot: readonly Site[], own: () => PictureIn): Sites {
  const { parts, room, window } = diagram;
  const sites = sitesOf([...boxesOf(diagram), ...foot]);
  const linkOf = (id: string) => {
    const [kind, column, n] = id.split(":");
    const part = parts[Number(column)];
    return kind === "e" && part?.bundles[Number(n)] ? { part, n: Number(n) } : null;
  };
  return {
    ...sites,
    at(x, y, view) {
      const picture = y > room.height ? own() : null;
      const cell = picture ? cellAt(picture.box, picture.grid, { x, y }) : -1;
      if (cell >= 0) return `${picture?.id}:${cell}`;
      const id = sites.at(x, y, view);
      if (id || y > room.height || y < COLUMN_HEAD) return id;
      const link = linkAt(diagram, inDiagram(diagram, { x, y }));
      return link ? `e:${link.column}:${link.bundle}` : "";
    },
    box(id) {
      const box = sites.box(id);
      const link = box ? null : linkOf(id);
      const large = link && largeKernel(diagram, link.part, link.n)?.box;
      return large ? { ...large, x: large.x - window.x, y: large.y - window.y } : box;
    },
    words(id) {
      const link = linkOf(id);
      return sites.words(id) || (link ? linkWords(diagram, link.part, link.n) : "");
    },
  };
}
