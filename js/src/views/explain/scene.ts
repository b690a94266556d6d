/** Explain's scene: an image, maps beside it, and the functions and kernels that made the score of a class. */

import { titleOf } from "../../phi/entries.ts";
import { PAD } from "../../phi/geometry.ts";
import { memory } from "../../phi/memory.ts";
import type { Drawing, Given, Pointed } from "../../scene/drawing.ts";
import {
  bandKey,
  type Mark,
  NOWHERE,
  type Rect,
  type Remark,
  type Scene,
} from "../../scene/marks.ts";
import { cellBox, cellOf, type Region, regionSites } from "../../scene/regions.ts";
import { outline } from "../../scene/shapes.ts";
import { wrapped } from "../../scene/text.ts";
import type { Theme } from "../../scene/theme.ts";
import type { Store } from "../../wire/types.ts";
import { classesShown } from "./bars.ts";
import { LEADING, plateOf, SIZE, wordsAt } from "./block.ts";
import {
  className,
  description,
  functionCell,
  type LayerShares,
  numberFor,
  partOf,
  readContent,
  verdict,
  type WireContent,
} from "./content.ts";
import { type Section, type Shown, sectionOf } from "./layout.ts";
import type { Row } from "./rows.ts";

export type ExplainScene = Scene & ReturnType<typeof sceneOf>;

/** A drawing that keeps what was chosen where the stream does not have it. */
interface ExplainDrawing extends Drawing<ExplainScene> {
  chosen: number;
  /** Whether it was chosen in this view: then the large map is its own, else that of all together. */
  here: boolean;
}

/** Whether the stream has the layer: only then its functions can be selected in the other views. */
export function streamHasLayer(store: Store | null, layer: string): boolean {
  return store?.current()?.layout.layers.some(({ name }) => name === layer) ?? false;
}

/** Rows of a list of single shares at most, where all layers are drawn. */
const ROWS = 6;

/** Functions that are drawn where there is no room for those asked for: whole rows of three. */
const FEWER = [9, 6, 3];
const CLOSED = "closed: the model this showed is gone; what was explained last stays";

export function drawing(): ExplainDrawing {
  const keep = memory();
  let last = "";

  function draw(given: Given): ExplainScene | string {
    const { store, get, width, theme } = given;
    const wire = get("content") as Partial<WireContent>;
    const layout = store.current()?.layout;
    const content = keep("content", [wire, layout], () => readContent(wire ?? {}, layout));
    if (!content) return "nothing is explained yet";
    const layer = String(get("layer") ?? "");
    const part = partOf(content, layer);
    const selection = store.selection();
    if (part.layer !== last) draw.chosen = -1;
    last = part.layer;
    const before = draw.chosen;
    // What is only chosen here, because the stream does not have it, stays.
    if (streamHasLayer(store, part.layer) || selection?.layer === part.layer) {
      draw.chosen = numberFor(part, selection, draw.chosen);
    }
    if (draw.chosen >= part.values.length) draw.chosen = -1;
    const selected = draw.chosen;
    if (selected !== before || selected < 0) draw.here = false;
    const plate = keep("plate", [content], () => (content.image ? plateOf(content.image) : null));
    const top = Number(get("top")) || 10;
    const chosen = draw.here ? selected : -1;
    const large = { shown: chosen, below: false };
    const shown: Shown = { content, part, plate, selected, ...large, top, width, theme };
    if (layer === "" && content.parts.length > 1) return overview(shown, given);
    const { surface, ink } = theme.colours;
    const { seen = Number.POSITIVE_INFINITY } = given;
    const from = [content, part, selected, chosen, top, width, theme.name, surface, ink, seen];
    const section = keep("section", from, () => inSight(shown, seen));
    return sceneOf(shown, section, from, given);
  }
  draw.chosen = -1;
  draw.here = false;
  return draw;
}

/** With as many functions as are seen at once; where fewer do not help, with all. */
function inSight(shown: Shown, seen: number): Section {
  const whole = sectionOf(shown);
  if (whole.bottom <= seen) return whole;
  const fewer = FEWER.filter((top) => top < shown.top).map((top) => sectionOf({ ...shown, top }));
  return fewer.find(({ bottom }) => bottom <= seen) ?? whole;
}

function sceneOf(shown: Shown, section: Section, from: readonly unknown[], given: Given) {
  const { content, part, selected, width, theme } = shown;
  const { regions, bottom, cuts } = section;
  const start = regions.findIndex(({ name }) => name === "groups" || name === "bars");
  return {
    /** `selected` is the share that is marked; −1 for none. */
    ...{ content, part, selected, width, cuts },
    /** What a site stands for. */
    meant: (id: string) => meantBy(id, shown, section),
    height: bottom,
    title: `${titleFor(part)} · ${titleOf(part.layer)}`,
    moment: part.moment,
    words: description(shown, rowsIn(section)),
    about: JSON.stringify([part.layer, part.target, part.step, selected]),
    caption: captionOf(shown, given, [{ text: part.sentence, tone: "ink", title: part.method }]),
    sheets: [
      { from, marks: () => section.marks },
      { marks: () => markedMarks(part, selected, section, given.pointed, theme) },
    ],
    sites: regionSites(regions, Math.max(0, start)),
  };
}

/** All layers below each other, for pictures: nothing in it can be pointed at. */
function overview(shown: Shown, given: Given): ExplainScene {
  const { content, part: first, width, theme } = shown;
  const { ink } = theme.colours;
  const selection = given.store.selection();
  const marks: Mark[] = [];
  const cuts: number[] = [];
  const sentences: string[] = [];
  const isOne = new Set(content.parts.map(({ step }) => step)).size === 1;
  let y = 4;
  content.parts.forEach((part) => {
    const selected = numberFor(part, selection);
    const top = Math.min(shown.top, ROWS);
    const own = { ...shown, part, selected, shown: -1, below: part !== first, top };
    const name = isOne ? part.layer : `${part.layer} · ${part.moment}`;
    marks.push(wordsAt(PAD, y, name, ink, { weight: 600, size: SIZE + 1 }));
    const sentence = wrapped(part.sentence, width - 2 * PAD, SIZE);
    marks.push(...sentence.map((text, k) => wordsAt(PAD, y + (k + 1) * LEADING + 2, text, ink)));
    const head = y + (sentence.length + 1) * LEADING + 4;
    const section = sectionOf(own);
    const marked = markedMarks(part, selected, section, given.pointed, theme);
    marks.push({ kind: "group", at: [0, head], marks: [...section.marks, ...marked] });
    sentences.push(description(own, rowsIn(section)));
    cuts.push(...section.cuts.map((cut) => head + cut));
    y = head + section.bottom + 4;
  });
  return {
    ...{ content, part: first, selected: -1, width, cuts },
    meant: () => ({ share: -1, target: -1, whole: false }),
    height: y,
    title: titleFor(first),
    moment: isOne ? first.moment : "",
    words: sentences.join(" "),
    about: "",
    caption: captionOf(shown, given, []),
    sheets: [{ marks: () => marks }],
    sites: NOWHERE,
  };
}

const titleFor = (part: LayerShares): string =>
  part.scores.length < 2 ? "Explain" : `Explain · class ${className(part, part.target)}`;

function meantBy(id: string, { part, shown }: Shown, section: Section) {
  const cell = cellOf(id);
  const row = rowOf(section, id);
  const isMap = cell?.name === "map";
  const target = cell?.name === "classes" ? (classesShown(part)[cell.row] ?? -1) : -1;
  const share = isMap ? placeNumber(part, shown, cell.row, cell.column) : (row?.number ?? -1);
  /** The share that it selects, and the class that it is of, −1 for none; and whether it is of all together. */
  return { share, target, whole: row?.kind === "total" };
}

function rowOf({ lists, regions }: Section, id: string): Row | undefined {
  const cell = cellOf(id);
  const columns = regions.find(({ name }) => name === cell?.name)?.columns ?? 1;
  const list = lists.find(({ name }) => name === cell?.name);
  return cell ? list?.rows[cell.row * columns + cell.column] : undefined;
}

function rowsIn({ lists }: Section): number {
  const bars = lists.filter(({ name }) => name !== "maps");
  return bars.reduce((count, { rows }) => count + rows.length, 0);
}

/** The function whose share a place of the map shows: of the channel shown, or the largest of all channels there. */
function placeNumber(part: LayerShares, selected: number, row: number, column: number): number {
  if (part.kind !== "functions" || !part.places) return -1;
  const [, height, width] = part.places;
  const [size, place] = [height * width, row * width + column];
  if (selected >= 0) return Math.floor(selected / size) * size + place;
  return part.order.find((k) => k % size === place) ?? -1;
}

function captionOf(
  { content, part }: Shown,
  { get, store, theme }: Given,
  sentences: readonly Remark[],
): Remark[] {
  const closed = store.status().state === "closed" ? CLOSED : "";
  const remarks: Remark[] = [
    { text: verdict(part, content.input), tone: "ink", strong: true },
    ...sentences,
    { text: closed, tone: "warn" },
    { text: String(get("message") ?? ""), tone: "warn" },
    ...part.notes.map((text) => ({ text })),
    { text: part.band ? `shares are of the most typical of ${part.band.count} networks` : "" },
    ...(part.curves.size > 0 ? bandKey(part.band, theme.colours) : []),
  ];
  return remarks.filter(({ text }) => text !== "");
}

/** Frames around what is selected, what is pointed at, and where the keyboard is. */
function markedMarks(
  part: LayerShares,
  selected: number,
  { lists, regions }: Section,
  pointed: Pointed,
  { colours }: Theme,
): Mark[] {
  const { accent, surface, ink, muted } = colours;
  const region = (name: string) => regions.find((one) => one.name === name);
  const marks: Mark[] = [];
  const mark = (over: Region | undefined, rows: readonly Row[]) => {
    const place = rows.findIndex((one) => one.has(selected));
    if (!over || place < 0) return;
    const box = padded(over, Math.floor(place / over.columns), place % over.columns);
    marks.push(outline(box, accent, 2, 1));
  };
  if (selected >= 0) {
    for (const { name, rows } of lists) mark(region(name), rows);
    const at = functionCell(part, selected);
    const map = region("map")?.box;
    if (at && map) {
      const [x, y] = [map.x + at.left * map.width, map.y + at.top * map.height];
      const box = { x, y, width: at.width * map.width, height: at.height * map.height };
      marks.push(outline(box, accent, 2, 1));
    }
  }
  const cell = cellOf(pointed.id);
  const over = cell && region(cell.name);
  if (!cell || !over || cell.name === "image") return marks;
  const box = padded(over, cell.row, cell.column);
  if (cell.name !== "map") return [...marks, outline(box, pointed.keyboard ? ink : muted)];
  // The same place in the image.
  const image = region("image")?.box;
  const boxes = image ? [box, { ...box, x: box.x + (image.x - over.box.x) }] : [box];
  return [
    ...marks,
    ...boxes.flatMap((at) => [outline(at, surface, 3, 1.5), outline(at, ink, 1.5, 0.75)]),
  ];
}

/** A cell: rows have air at their sides, and small maps around them. */
function padded(over: Region, row: number, column: number): Rect {
  const box = cellBox(over, row, column);
  if (over.name === "map") return box;
  const { x, y, width, height } = box;
  const down = over.gap ? 3 : 0;
  return { x: x - 3, y: y - down, width: width + 6, height: height + 2 * down };
}
