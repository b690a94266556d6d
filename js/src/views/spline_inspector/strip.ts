/** The strip below the plot: how many inputs fell where. */

import { percent } from "../../phi/format.ts";
import type { Mark, Rect } from "../../scene/marks.ts";
import { inMiddle, line, rects, segments, words } from "../../scene/shapes.ts";
import { fitted, widthOf } from "../../scene/text.ts";
import type { Colours } from "../../scene/theme.ts";
import type { Histogram, PlotPicture } from "./picture.ts";
import { toX } from "./window.ts";
import { unseenText } from "./words.ts";

const LABEL_SIZE = 11;
/** Pixels above the bars where some are cut, for how much they are. */
const ROOM_ABOVE = 14;
/** In a lower strip there is no room for numbers, and less above. */
const LOW = { height: 30, above: 5 };
/** A bar is cut that is this many times as tall as those beside it and as all that are not cut: a background of zeros. */
const SPIKE_FACTOR = 4;
const MOST_CUT = 3;

/** Which bars are cut, by the numbers of their bins, so that the others are seen; and the count of the tallest of these. */
export function barsOf(counts: ArrayLike<number>) {
  const bins = Array.from(counts, (count, k) => ({ count, k }));
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  const tall = [...bins].sort((a, b) => b.count - a.count);
  const stands = ({ count, k }: (typeof bins)[0]) =>
    count > SPIKE_FACTOR * Math.max(counts[k - 1] ?? 0, counts[k + 1] ?? 0);
  let cut = 0;
  for (let n = 1; n <= MOST_CUT && n < tall.length && stands(tall[n - 1]); n++) {
    if (tall[n].count > 0 && tall[n - 1].count > SPIKE_FACTOR * tall[n].count) cut = n;
  }
  return { most: tall[cut]?.count ?? 0, cut: tall.slice(0, cut).map(({ k }) => k), total };
}

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
  const { most, cut, total } = barsOf(counts);
  const floor = strip.y + strip.height;
  const isLow = strip.height < LOW.height;
  const room = strip.height - (cut.length > 0 ? (isLow ? LOW.above : ROOM_ABOVE) : 2);
  const inside: number[] = [];
  const outside: number[] = [];
  const over: Mark[] = [];
  const place = (edge: number) => {
    return Math.max(strip.x, Math.min(strip.x + strip.width, toX(x, strip, edge)));
  };
  for (let k = 0; k < counts.length; k++) {
    const [left, right] = [place(edges[k]), place(edges[k + 1])];
    if (counts[k] === 0 || left === right) continue;
    const isCut = cut.includes(k);
    // Bins are equally wide: a count is a height.
    const tall = isCut ? strip.height : Math.max(1, (counts[k] / most) * room);
    const middle = (edges[k] + edges[k + 1]) / 2;
    const bins = middle < domain[0] || middle > domain[1] ? outside : inside;
    bins.push(left, floor - tall, Math.max(0.5, right - left - 0.5), tall);
    if (isCut) over.push(...cutMarks(left, right, percent(counts[k] / total), strip, colours));
  }
  const beside = strip.x - 8;
  const top = floor - room;
  // Below the lowest number of the plot's axis, which may stand at its very end.
  const high = Math.max(top, strip.y + 12);
  return [
    rects(inside, { fill: colours.density }),
    rects(outside, { fill: colours.density, opacity: 0.5 }),
    ...over,
    words(beside, high, isLow ? "" : percent(most / total), colours.muted, {
      ...{ anchor: "end", middle: true },
    }),
    line([strip.x - 4, top, strip.x, top], colours.line),
    words(beside, floor, "inputs", colours.muted, { anchor: "end" }),
  ];
}

function cutMarks(
  left: number,
  right: number,
  share: string,
  strip: Rect,
  { surface, muted }: Colours,
): Mark[] {
  const isLow = strip.height < LOW.height;
  const y = strip.y + (isLow ? LOW.above + 2 : ROOM_ABOVE + 3);
  const xy = [0, 4].flatMap((down) => [left - 1, y + down + 2, right + 1, y + down - 2]);
  const fits = right + 4 + widthOf(share, LABEL_SIZE) <= strip.x + strip.width;
  const place = fits ? { x: right + 4 } : ({ x: left - 4, anchor: "end" } as const);
  const said = isLow ? "" : share;
  return [segments(xy, surface, { width: 1.5 }), words(0, strip.y + 10, said, muted, place)];
}
