/** Where each model's parameters come from, layer by layer. No DOM. */

import type { Mark, Point } from "../../scene/marks.ts";
import { line, rect, words } from "../../scene/shapes.ts";
import { snapped } from "../../scene/snap.ts";
import { fitted, widthOf } from "../../scene/text.ts";
import type { Colours } from "../../scene/theme.ts";
import type { Growth, Shown } from "./shown.ts";
import { evenColumns, nameMarks } from "./table.ts";

const TEXT = 11;
const TITLE = 24;
const NAME = 20;
const LINE = 16;
const ROW = 18;
const GAP = 28;
const NARROWEST = 330;
/** More layers than this are counted, not listed. */
const MOST = 16;

export type Cards = ReturnType<typeof cardsOf>;

export function cardsOf({ growth }: Shown, at: Point, width: number) {
  const title = { x: at.x, y: at.y + 14 };
  const cards: ReturnType<typeof cardAt>[] = [];
  if (growth.length === 0) return { height: 0, cards, title };
  const columns = evenColumns(growth.length, width, NARROWEST, GAP);
  const room = (width - GAP * (columns - 1)) / columns;
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

function cardAt(growth: Growth, at: Point, width: number) {
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
  const { ink, muted } = colours;
  const heading = { size: 12, weight: 600 } as const;
  const marks: Mark[] = [words(title.x, title.y, "parameters by layer", ink, heading)];
  cards.forEach((card, k) => {
    const { x, y, width } = card.box;
    marks.push(...nameMarks(models[k], k, { x, y: y + 14, room: width }, colours));
    // One column for all names, so that formulas stand under each other.
    const names = card.layers.map(({ layer }) => widthOf(layer.name, TEXT));
    const named = Math.min(Math.max(0, ...names), width / 3);
    card.layers.forEach(({ layer, box }, n) => {
      if (pointed === layerId(k, n)) marks.push(rect(box, { fill: colours.hover }));
      const top = snapped(box.y, ratio);
      marks.push(line([x, top, x + width, top], colours.line));
      const at = box.y + box.height / 2;
      const middle = { middle: true } as const;
      const formula = width - named - widthOf(layer.parameters, TEXT) - 28;
      marks.push(
        words(x, at, fitted(layer.name, named, TEXT), muted, middle),
        words(x + named + 14, at, fitted(layer.formula, formula, TEXT), ink, middle),
        words(x + width, at, layer.parameters, ink, { ...middle, anchor: "end" }),
      );
    });
    if (card.more) marks.push(words(x, y + card.box.height - 5, card.more, muted));
  });
  return marks;
}
