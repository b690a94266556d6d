/** Where each model's parameters come from, layer by layer. No DOM. */

import type { Mark, Rect } from "../../scene/marks.ts";
import { snapped } from "../../scene/snap.ts";
import { fitted, widthOf } from "../../scene/text.ts";
import type { Colours } from "../../scene/theme.ts";
import { evenColumns } from "./columns.ts";
import type { Growth, LayerLine, Shown } from "./shown.ts";
import { nameMarks } from "./table.ts";

const TEXT = 11;
const TITLE = 24;
const NAME = 20;
const LINE = 16;
const ROW = 18;
const GAP = 28;
const NARROWEST = 330;
/** More layers than this are counted, not listed. */
const MOST = 16;

export interface Card {
  box: Rect;
  growth: Growth;
  layers: { layer: LayerLine; box: Rect }[];
  /** "and 30 more layers"; "" where all are listed. */
  more: string;
}

export interface Cards {
  height: number;
  cards: Card[];
  title: { x: number; y: number };
}

export function cardsOf({ growth }: Shown, at: { x: number; y: number }, width: number): Cards {
  const title = { x: at.x, y: at.y + 14 };
  if (growth.length === 0) return { height: 0, cards: [], title };
  const columns = evenColumns(growth.length, width, NARROWEST, GAP);
  const room = (width - GAP * (columns - 1)) / columns;
  const cards: Card[] = [];
  let top = at.y + TITLE;
  for (let from = 0; from < growth.length; from += columns) {
    const row = growth
      .slice(from, from + columns)
      .map((each, k) => cardAt(each, { x: at.x + k * (room + GAP), y: top }, room));
    cards.push(...row);
    top += Math.max(...row.map(({ box }) => box.height)) + LINE;
  }
  return { height: top - LINE - at.y, cards, title };
}

function cardAt(growth: Growth, at: { x: number; y: number }, width: number): Card {
  const listed = growth.layers.length > MOST + 1 ? MOST : growth.layers.length;
  const left = growth.layers.length - listed;
  const top = at.y + NAME + 4;
  const layers = growth.layers.slice(0, listed).map((layer, k) => {
    return { layer, box: { x: at.x, y: top + ROW * k, width, height: ROW } };
  });
  const more = left > 0 ? `and ${left} more layers` : "";
  const height = top - at.y + ROW * (listed + (more ? 1 : 0));
  return { box: { ...at, width, height }, growth, layers, more };
}

export const layerId = (card: number, layer: number) => `layer ${card} ${layer}`;

export function growthMarks(
  { cards, title }: Cards,
  { models }: Shown,
  pointed: string,
  colours: Colours,
  ratio: number,
): Mark[] {
  if (cards.length === 0) return [];
  const words = (text: string, x: number, y: number, more: Partial<Mark> = {}): Mark => {
    return { kind: "text", x, y, text, fill: colours.muted, size: TEXT, ...more } as Mark;
  };
  const heading = { fill: colours.ink, size: 12, weight: 600 } as const;
  const marks: Mark[] = [words("parameters by layer", title.x, title.y, heading)];
  cards.forEach((card, k) => {
    const { x, y, width } = card.box;
    marks.push(...nameMarks(models[k], k, { x, y: y + 14, room: width }, colours));
    // One column for all names, so that formulas stand under each other.
    const names = card.layers.map(({ layer }) => widthOf(layer.name, TEXT));
    const named = Math.min(Math.max(0, ...names), width / 3);
    card.layers.forEach(({ layer, box }, n) => {
      if (pointed === layerId(k, n)) {
        const boxes = [box.x, box.y, box.width, box.height];
        marks.push({ kind: "rects", boxes, fill: colours.hover });
      }
      const top = snapped(box.y, ratio);
      marks.push({
        kind: "lines",
        xy: [x, top, x + width, top],
        ends: [2],
        stroke: colours.line,
      });
      const middle = box.y + box.height / 2;
      const end = widthOf(layer.parameters, TEXT);
      const formula = fitted(layer.formula, width - named - end - 28, TEXT);
      marks.push(
        words(fitted(layer.name, named, TEXT), x, middle, { middle: true }),
        words(formula, x + named + 14, middle, { middle: true, fill: colours.ink }),
        words(layer.parameters, x + width, middle, {
          middle: true,
          anchor: "end",
          fill: colours.ink,
        }),
      );
    });
    if (card.more) marks.push(words(card.more, x, y + card.box.height - 5));
  });
  return marks;
}
