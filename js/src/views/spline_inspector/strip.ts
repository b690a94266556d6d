/** The strip below the plot: how many inputs fell where. */

import { max, sum } from "d3-array";
import { percent } from "../../phi/format.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { inMiddle, line, rects, words } from "../../scene/shapes.ts";
import { fitted } from "../../scene/text.ts";
import type { Colours } from "../../scene/theme.ts";
import type { Histogram, PlotPicture } from "./picture.ts";
import { toX } from "./window.ts";
import { unseenText } from "./words.ts";

const LABEL_SIZE = 11;
/** In a lower strip there is no room for numbers. */
const LOW = 30;

export function stripMarks(picture: PlotPicture, strip: Rect, colours: Colours): Mark[] {
  const { density, isAlone } = picture;
  const { beyond, muted } = colours;
  const ground = rects([strip.x, strip.y + strip.height, strip.width, 1], { fill: beyond });
  if (density) return [ground, ...barMarks(density, picture, strip, colours)];
  return [ground, inMiddle(strip, fitted(unseenText(isAlone), strip.width, LABEL_SIZE), muted)];
}

function barMarks(
  { edges, counts }: Histogram,
  { x, domain }: PlotPicture,
  strip: Rect,
  colours: Colours,
): Mark[] {
  const all = Array.from(counts);
  const [most, total] = [max(all) || 1, sum(all)];
  const floor = strip.y + strip.height;
  const room = strip.height - 2;
  const inside: number[] = [];
  const outside: number[] = [];
  const place = (edge: number) => {
    return Math.max(strip.x, Math.min(strip.x + strip.width, toX(x, strip, edge)));
  };
  for (let k = 0; k < counts.length; k++) {
    const [left, right] = [place(edges[k]), place(edges[k + 1])];
    if (counts[k] === 0 || left === right) continue;
    // By the square root: of a background that most inputs have, the rest would be flat.
    const tall = Math.max(1, Math.sqrt(counts[k] / most) * room);
    const middle = (edges[k] + edges[k + 1]) / 2;
    const bins = middle < domain[0] || middle > domain[1] ? outside : inside;
    bins.push(left, floor - tall, Math.max(0.5, right - left - 0.5), tall);
  }
  const beside = strip.x - 8;
  const top = floor - room;
  // Below the lowest number of the plot's axis, which may stand at its very end.
  const high = Math.max(top, strip.y + 12);
  return [
    rects(inside, { fill: colours.density }),
    rects(outside, { fill: colours.density, opacity: 0.5 }),
    words(beside, high, strip.height < LOW ? "" : percent(most / total), colours.muted, {
      anchor: "end",
      middle: true,
    }),
    line([strip.x - 4, top, strip.x, top], colours.line),
    words(beside, floor, "inputs", colours.muted, { anchor: "end" }),
  ];
}
