/** Explain's scene: an image, maps beside it, and the functions and kernels that made the score of a class. No DOM. */

import { formatCount } from "../../phi/format.ts";
import { memory } from "../../phi/memory.ts";
import type { Drawing, Given, Pointed } from "../../scene/drawing.ts";
import { type Mark, NOWHERE, type Remark, type Scene } from "../../scene/marks.ts";
import { cellBox, cellOf as cellNamed, type Region, regionSites } from "../../scene/regions.ts";
import type { Theme } from "../../scene/theme.ts";
import type { Store } from "../../wire/types.ts";
import { rowAt } from "./bars.ts";
import { framed } from "./block.ts";
import { classesShown } from "./classes.ts";
import {
  type Content,
  cellOf,
  mapTitle,
  numberFor,
  type Part,
  partOf,
  readContent,
  type WireContent,
} from "./content.ts";
import { briefOf, type Section, type Shown, sectionOf } from "./layout.ts";
import { plateOf, tileNumbers } from "./pictures.ts";
import { classText, description } from "./words.ts";

export interface ExplainScene extends Scene {
  content: Content;
  part: Part;
  /** The share that is marked; −1 for none. */
  selected: number;
  /** The share that a site selects; −1 for none. */
  numberAt(id: string): number;
  /** The class that a site is of; −1 for none. */
  classAt(id: string): number;
}

/** A drawing that keeps what was chosen where the stream does not have it. */
export interface ExplainDrawing extends Drawing<ExplainScene> {
  chosen: number;
}

/** Whether the stream has the layer: only then its functions can be selected in the other views. */
export function isKnown(store: Store | null, layer: string): boolean {
  return store?.current()?.layout.layers.some(({ name }) => name === layer) ?? false;
}

export function drawing(): ExplainDrawing {
  const keep = memory();
  let last = "";

  function draw(given: Given): ExplainScene | string {
    const { store, get, width, theme } = given;
    const wire = get("content") as Partial<WireContent>;
    const content = keep("content", [wire], () => readContent(wire ?? {}));
    if (!content) return "nothing is explained yet";
    const layer = String(get("layer") ?? "");
    const part = partOf(content, layer);
    const selection = store.selection();
    if (part.layer !== last) draw.chosen = -1;
    last = part.layer;
    // What is only chosen here, because the stream does not have it, stays.
    if (isKnown(store, part.layer) || selection?.layer === part.layer) {
      draw.chosen = numberFor(part, selection, content.target, draw.chosen);
    }
    if (draw.chosen >= part.values.length) draw.chosen = -1;
    const selected = draw.chosen;
    const plate = keep("plate", [content], () => (content.image ? plateOf(content.image) : null));
    const top = Number(get("top")) || 30;
    const shown: Shown = { content, part, plate, selected, top, width, theme };
    const { surface, ink } = theme.colours;
    const from = [content, part, selected, top, width, theme.name, surface, ink];
    if (layer === "" && content.parts.length > 1) return overview(shown, given);
    const section = keep("section", from, () => sectionOf(shown));
    return sceneOf(shown, section, from, given);
  }
  draw.chosen = -1;
  return draw;
}

function sceneOf(
  { content, part, selected, width, theme }: Shown,
  section: Section,
  from: readonly unknown[],
  given: Given,
): ExplainScene {
  const { regions, rows, stand, bottom, cuts } = section;
  const start = regions.findIndex(({ name }) => name === "bars");
  const bars = rows.filter(({ kind }) => kind === "bar").length;
  const numberAt = (id: string) => {
    const cell = cellNamed(id);
    if (cell?.name === "bars") return rows[rowAt(stand, cell.row, cell.column)]?.number ?? -1;
    const tiles = regions.find(({ name }) => name === "tiles");
    if (cell?.name === "tiles" && tiles) {
      return tileNumbers(part)[cell.row * tiles.columns + cell.column] ?? -1;
    }
    return cell?.name === "map" ? placeNumber(part, selected, cell.row, cell.column) : -1;
  };
  return {
    content,
    part,
    selected,
    numberAt,
    classAt(id) {
      const cell = cellNamed(id);
      return cell?.name === "classes" ? (classesShown(content)[cell.row] ?? -1) : -1;
    },
    width,
    height: bottom,
    title: `Explain · class ${content.target} · ${part.layer}`,
    moment: momentOf(content),
    words: description(content, part, selected, bars),
    about: JSON.stringify([part.layer, content.target, content.step, selected]),
    caption: captionOf(content, given, { text: part.sentence, tone: "ink" }),
    cuts,
    sheets: [
      { from, marks: () => section.marks },
      { marks: () => markedMarks(part, selected, numberAt, regions, given.pointed, theme) },
    ],
    sites: regionSites(regions, Math.max(0, start)),
  };
}

/** All layers below each other, for pictures: nothing in it can be pointed at. */
function overview(shown: Shown, given: Given): ExplainScene {
  const { content, width, theme } = shown;
  const selection = given.store.selection();
  const marks: Mark[] = [];
  const cuts: number[] = [];
  const said: string[] = [];
  let y = 4;
  content.parts.forEach((part, k) => {
    const selected = numberFor(part, selection, content.target);
    const section = briefOf({ ...shown, part, selected }, y, k === 0);
    const bars = section.rows.filter(({ kind }) => kind === "bar").length;
    marks.push(
      ...section.marks,
      ...markedMarks(part, selected, numbersOf(section), section.regions, given.pointed, theme),
    );
    said.push(description(content, part, selected, bars));
    cuts.push(section.bottom);
    y = section.bottom + 4;
  });
  return {
    content,
    part: shown.part,
    selected: -1,
    numberAt: () => -1,
    classAt: () => -1,
    width,
    height: y,
    title: `Explain · class ${content.target}`,
    moment: momentOf(content),
    words: said.join(" "),
    about: "",
    caption: captionOf(content, given, { text: classText(content), tone: "ink" }),
    cuts,
    sheets: [{ marks: () => marks }],
    sites: NOWHERE,
  };
}

function numbersOf({ rows, stand }: Section): (id: string) => number {
  return (id) => {
    const cell = cellNamed(id);
    return cell?.name === "bars" ? (rows[rowAt(stand, cell.row, cell.column)]?.number ?? -1) : -1;
  };
}

/** The function whose share a place of the map shows: of the channel shown, or the largest of all channels there. */
function placeNumber(part: Part, selected: number, row: number, column: number): number {
  if (part.kind !== "functions" || !part.places) return -1;
  const [, height, width] = part.places;
  const [size, place] = [height * width, row * width + column];
  if (selected >= 0) return Math.floor(selected / size) * size + place;
  return part.order.find((k) => k % size === place) ?? -1;
}

function momentOf({ step }: Content): string {
  return `step ${formatCount(step)}`;
}

function captionOf(content: Content, { get }: Given, first: Remark): Remark[] {
  return [
    first,
    { text: String(get("message") ?? ""), tone: "warn" },
    ...content.notes.map((text): Remark => ({ text })),
  ].filter(({ text }) => text !== "") as Remark[];
}

/** Frames around what is selected, what is pointed at, and where the keyboard is. */
function markedMarks(
  part: Part,
  selected: number,
  numberAt: (id: string) => number,
  regions: readonly Region[],
  pointed: Pointed,
  { colours }: Theme,
): Mark[] {
  const marks: Mark[] = [];
  const region = (name: string) => regions.find((one) => one.name === name);
  const within = (name: string, k: number) => {
    const one = region(name);
    if (!one) return;
    for (let row = 0; row < one.rows; row++) {
      for (let column = 0; column < one.columns; column++) {
        if (numberAt(`${name}/${row}/${column}`) !== k) continue;
        marks.push(framed(padded(cellBox(one, row, column), name), colours.accent, 2));
        return;
      }
    }
  };
  if (selected >= 0) {
    within("bars", selected);
    const same = tileNumbers(part).find((k) => mapTitle(part, k) === mapTitle(part, selected));
    if (same !== undefined) within("tiles", same);
    const at = cellOf(part, selected);
    const map = region("map")?.box;
    if (at && map) {
      const box = {
        x: map.x + at.left * map.width,
        y: map.y + at.top * map.height,
        width: at.width * map.width,
        height: at.height * map.height,
      };
      marks.push(framed(box, colours.accent, 2));
    }
  }
  const cell = cellNamed(pointed.id);
  const over = cell && region(cell.name);
  if (!cell || !over || cell.name === "image") return marks;
  const box = padded(cellBox(over, cell.row, cell.column), cell.name);
  if (cell.name === "map") {
    // The same place in the image.
    const image = region("image")?.box;
    const shift = image ? image.x - over.box.x : 0;
    marks.push(framed(box, colours.surface, 3), framed(box, colours.ink, 1.5));
    if (image) {
      const there = { ...box, x: box.x + shift };
      marks.push(framed(there, colours.surface, 3), framed(there, colours.ink, 1.5));
    }
  } else marks.push(framed(box, pointed.keyboard ? colours.ink : colours.muted, 1));
  return marks;
}

/** Rows have air at their sides. */
function padded<B extends { x: number; width: number }>(box: B, name: string): B {
  return name === "tiles" || name === "map" ? box : { ...box, x: box.x - 3, width: box.width + 6 };
}
