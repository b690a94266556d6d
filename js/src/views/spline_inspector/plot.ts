/** The marks of the plot: the plane with its curves, the control points, what is read, and the strip below. */

import { greatest, max, sum } from "d3-array";
import { roughPercent } from "../../phi/format.ts";
import type { Ends } from "../../phi/inputs.ts";
import { axesMarks, evenLabels, leftRoom, linear, ticks } from "../../scene/axes.ts";
import type { LinesMark, Mark, Paint, Rect } from "../../scene/marks.ts";
import {
  bandMarks,
  dot,
  grown,
  inMiddle,
  interrupted,
  line,
  rect,
  rects,
  segments,
  snapped,
  words,
} from "../../scene/shapes.ts";
import { widthOf } from "../../scene/text.ts";
import type { Colours, Theme } from "../../scene/theme.ts";
import { type Handle, heightOf } from "./handles.ts";
import type { PlotLine, PlotPicture } from "./picture.ts";
import { span } from "./rows.ts";
import { type PhiReading, readPhi } from "./terms.ts";
import { fromX, toX, toY } from "./window.ts";

/** Where the plot lies, and below it the strip with the inputs. */
export type Places = ReturnType<typeof placesIn>;

export interface Plane {
  picture: PlotPicture;
  y: Ends;
  places: Places;
  theme: Theme;
  ratio: number;
}

const LABEL_SIZE = 11;
const OUTSIDE = "outside the grid";
const NAME_GAP = 9;
const LEFT_ROOM = 60;
const TOP_ROOM = 8;
const BOTTOM_ROOM = 38;
/** Of what is low, as in a host, the curves have the most. */
const STRIP_HEIGHT = { usual: 44, low: 20, below: 300 };
const STRIP_GAP = 3;
/** Pixels by which a point may lie outside the plot and still be drawn. */
const POINT_SLACK = 1;
/** Canvas coordinates are cut off here: nothing so far out is seen. */
const FURTHEST_PIXEL = 1e5;

/** Room at the right of the plot for the names of lines. */
const NAMES_ROOM = 52;
/** Pixels beside the plot at least: labels of y that are wider take more. */
export const BESIDE_PLOT = LEFT_ROOM + NAMES_ROOM;

export function placesIn(box: Rect, y: Ends, strip: boolean) {
  const tall = box.height < STRIP_HEIGHT.below ? STRIP_HEIGHT.low : STRIP_HEIGHT.usual;
  const foot = BOTTOM_ROOM + (strip ? tall + STRIP_GAP : 0);
  const height = Math.max(40, box.height - TOP_ROOM - foot);
  const left = Math.max(LEFT_ROOM, leftRoom(upAxis(y, { ...box, height }), LABEL_SIZE));
  const plot = {
    x: box.x + left,
    y: box.y + TOP_ROOM,
    width: Math.max(40, box.width - left - NAMES_ROOM),
    height,
  };
  return {
    plot,
    strip: strip ? { ...plot, y: plot.y + height + STRIP_GAP, height: tall } : null,
    /** Where the names of lines end. */
    right: box.x + box.width,
  };
}

function upAxis([from, to]: Ends, plot: Rect, title = "φ") {
  const values = ticks({ from, to }, Math.max(5, Math.min(10, plot.height / 40 + 1)));
  const scale = linear({ from, to }, plot.y + plot.height, plot.y);
  return { scale, ticks: values, title, label: evenLabels(values) };
}

/** Everything that changes with the frame or the window, and not with what is pointed at. */
export function planeMarks(plane: Plane): Mark[] {
  const { picture, places, theme } = plane;
  const { plot, strip } = places;
  const { lines, band, x } = picture;
  const at = (from: number, value: number) =>
    [toX(x, plot, from), bounded(toY(plane.y, plot, value))] as const;
  return [
    ...groundMarks(plane),
    {
      kind: "group",
      clip: plot,
      marks: [
        ...bandMarks([band && { ...band, at }], theme.colours),
        ...lines.flatMap((line) => areaMark(line, plane)),
        ...lines.map((line) => lineMark(line, plane)),
      ],
    },
    ...(strip ? stripMarks(picture, strip, theme.colours) : []),
    ...axisMarks(plane),
    ...nameMarks(plane),
  ];
}

function hairlines(
  xs: readonly number[],
  top: number,
  bottom: number,
  stroke: string,
  paint: Paint = {},
): LinesMark {
  return segments(
    xs.flatMap((x) => [x, top, x, bottom]),
    stroke,
    paint,
  );
}

function groundMarks({ picture, y, places: { plot }, theme, ratio }: Plane): Mark[] {
  const { x, domain, knots } = picture;
  const { colours } = theme;
  const [right, bottom] = [plot.x + plot.width, plot.y + plot.height];
  const low = Math.max(plot.x, Math.min(right, toX(x, plot, domain[0])));
  const high = Math.max(low, Math.min(right, toX(x, plot, domain[1])));
  const seen = knots.filter((knot) => knot >= x[0] && knot <= x[1]);
  const lines = seen.map((knot) => snapped(toX(x, plot, knot), ratio));
  // The first band that has room says what the bands are, at its top or bottom, clear of φ and its parts.
  const room = widthOf(OUTSIDE, LABEL_SIZE) + 8;
  const left = low - plot.x > room ? plot.x : right - high > room ? high : null;
  const at = left === null ? null : readPhi(picture.phi, fromX(x, plot, left + room / 2));
  const parts = [at?.phi ?? 0, at?.base ?? 0, at?.spline ?? 0].map((v) => toY(y, plot, v));
  const clear = (up: number) => Math.min(...parts.map((part) => Math.abs(part - up)));
  const up = greatest([plot.y + 9, bottom - 15], clear) ?? 0;
  const marks: Mark[] = [
    rect(plot, { fill: colours.beyond }),
    rect({ ...plot, x: low, width: high - low }, { fill: colours.plot }),
    ...(left === null ? [] : [words(left + 4, up + 4, OUTSIDE, colours.muted)]),
    hairlines(lines, plot.y, bottom, colours.zero, { opacity: 0.6 }),
  ];
  if (y[0] <= 0 && y[1] >= 0) {
    const zero = snapped(toY(y, plot, 0), ratio);
    marks.push(line([plot.x, zero, right, zero], colours.ghost));
  }
  return marks;
}

/** Whether a term that is drawn from somewhere is more than that at, or beside, a point. */
function adds({ y, from }: PlotLine, p: number): boolean {
  if (!from) return true;
  for (let k = Math.max(0, p - 1); k <= Math.min(y.length - 1, p + 1); k++) {
    if (y[k] !== from[k]) return true;
  }
  return false;
}

const bounded = (pixel: number) => Math.max(-FURTHEST_PIXEL, Math.min(FURTHEST_PIXEL, pixel));

function lineMark(drawn: PlotLine, { picture, y, places: { plot } }: Plane): LinesMark {
  const { colour: stroke, width, dash } = drawn;
  const lines = interrupted(
    drawn.x.length,
    (p) => toX(picture.x, plot, drawn.x[p]),
    // A term that adds nothing here leaves no line on the axis.
    (p) => (adds(drawn, p) ? bounded(toY(y, plot, drawn.y[p])) : Number.NaN),
  );
  return { ...lines, stroke, width, dash };
}

/** Names at the right ends of the thick lines, as far as they end in sight; pushed apart where they end together. */
function nameMarks({ picture, y, places: { plot, right }, theme }: Plane): Mark[] {
  const edge = plot.x + plot.width;
  const texts = { phi: "φ", base: "base", spline: span(picture).name };
  const ends = picture.named.flatMap((name) => {
    const text = texts[name];
    const curve = picture.curves.find((one) => one.name === name);
    const last = (curve?.x.length ?? 0) - 1;
    if (!curve || last < 0 || widthOf(text, LABEL_SIZE) > right - edge - NAME_GAP) return [];
    const at = toY(y, plot, curve.y[last]);
    const there = Math.abs(toX(picture.x, plot, curve.x[last]) - edge) < 2;
    return there && at >= plot.y && at <= plot.y + plot.height ? [{ text, at }] : [];
  });
  let free = Number.NEGATIVE_INFINITY;
  return ends
    .sort((a, b) => a.at - b.at)
    .map(({ text, at }) => {
      const height = Math.max(at, free);
      free = height + LABEL_SIZE + 2;
      return words(edge + NAME_GAP, height, text, theme.colours.ink, { middle: true });
    });
}

function areaMark(line: PlotLine, { picture, y, places: { plot } }: Plane): LinesMark[] {
  const { fill, from } = line;
  if (!fill || !from) return [];
  const points: number[] = [];
  for (let p = 0; p < line.x.length; p++) {
    if (!Number.isFinite(line.y[p]) || !Number.isFinite(from[p])) return [];
    if (adds(line, p)) points.push(p);
  }
  const point = (p: number, height: ArrayLike<number>) => [
    toX(picture.x, plot, line.x[p]),
    bounded(toY(y, plot, height[p])),
  ];
  const xy = [
    ...points.flatMap((p) => point(p, line.y)),
    ...points.reverse().flatMap((p) => point(p, from)),
  ];
  const ends = [xy.length / 2];
  return [{ kind: "lines", xy, ends, closed: true, fill: line.colour, opacity: fill }];
}

function axisMarks({ picture, y, places, theme, ratio }: Plane): Mark[] {
  const { x, knots, domain, phi } = picture;
  const { plot, strip } = places;
  const { colours } = theme;
  const { variable } = phi.layer;
  const floor = (strip ? strip.y + strip.height : plot.y + plot.height) + 1;
  const none = { scale: (value: number) => value, ticks: [], title: "" };
  const values = ticks({ from: x[0], to: x[1] }, Math.max(3, Math.min(11, plot.width / 70 + 1)));
  const scale = linear({ from: x[0], to: x[1] }, plot.x, plot.x + plot.width);
  const across = { scale, ticks: values, title: variable, label: evenLabels(values) };
  const up = upAxis(y, plot, `φ(${variable})`);
  const look = { size: LABEL_SIZE, ratio, grid: false };
  const base = plot.y + plot.height;
  const seen = knots.filter((knot) => knot >= x[0] - 1e-9 && knot <= x[1] + 1e-9);
  const at = (value: number) => snapped(toX(x, plot, value), ratio);
  const isEnd = (knot: number) => domain.some((end) => Math.abs(knot - end) < 1e-6);
  const rungs = up.ticks.map((value) => snapped(up.scale(value), ratio));
  return [
    ...axesMarks(plot, none, up, colours, look),
    ...axesMarks({ ...plot, height: floor - plot.y }, across, none, colours, look),
    hairlines(values.map(at), floor, floor + 4, colours.line),
    segments(
      rungs.flatMap((rung) => [plot.x - 4, rung, plot.x, rung]),
      colours.line,
    ),
    // Knots stand on the axis; the two ends of the grid are longer.
    hairlines(seen.map(at), base, base - 5, colours.ink),
    hairlines(seen.filter(isEnd).map(at), base, base - 9, colours.ink),
  ];
}

/** A diamond on φ at the input that another view points at, with a line down to the axis. */
export function pointerMarks(
  { picture, y, places: { plot }, theme, ratio }: Plane,
  at: PhiReading,
) {
  if (!Number.isFinite(at.phi)) return [];
  const [px, py] = [toX(picture.x, plot, at.x), bounded(toY(y, plot, at.phi))];
  const { accent, surface } = theme.colours;
  const down = hairlines([snapped(px, ratio)], py, plot.y + plot.height, accent, { dash: [2, 2] });
  const corners = [px, py - 6, px + 6, py, px, py + 6, px - 6, py];
  const diamond = { ...line(corners, surface, { fill: accent }), closed: true };
  return [{ kind: "group", clip: plot, marks: [down, diamond] } satisfies Mark];
}

export function phiReadingMarks(
  { picture, y, places, theme, ratio }: Plane,
  x: number,
  dots: readonly { y: number; colour: string }[],
): Mark[] {
  const { plot, strip } = places;
  const { muted, surface } = theme.colours;
  const at = snapped(toX(picture.x, plot, x), ratio);
  const marks: Mark[] = [hairlines([at], plot.y, plot.y + plot.height, muted)];
  for (const { y: value, colour } of dots) {
    if (!Number.isFinite(value)) continue;
    marks.push(dot(at, bounded(toY(y, plot, value)), 3, { fill: colour, stroke: surface }));
  }
  const group: Mark = { kind: "group", clip: plot, marks };
  return strip ? [group, hairlines([at], strip.y, strip.y + strip.height, muted)] : [group];
}

/** Where a control point lies; null outside the plot, unless it is held. */
export function handlePoint(
  { picture, y, places: { plot } }: Pick<Plane, "picture" | "y" | "places">,
  handle: Handle,
  held: boolean,
): { x: number; y: number } | null {
  const height = heightOf(handle, picture.phi.coefficients);
  const [px, py] = [toX(picture.x, plot, handle.x), toY(y, plot, height)];
  if (!Number.isFinite(py)) return null;
  const { x, y: top, width, height: tall } = grown(plot, POINT_SLACK);
  const inside = px >= x && px <= x + width && py >= top && py <= top + tall;
  return inside || held ? { x: px, y: py } : null;
}

/** A control point is round, the weight of any other term square; what can be dragged is larger. */
export function pointMarks(
  at: { x: number; y: number },
  { control }: Handle,
  { colour, editable, lit }: { colour: string; editable: boolean; lit: boolean },
  { surface }: Pick<Colours, "surface">,
): Mark[] {
  const r = editable ? 4 : 2.25;
  const width = editable ? 2 : 1.5;
  const fill = lit ? colour : surface;
  const shape = (size: number, paint: Paint) =>
    control
      ? dot(at.x, at.y, size, paint)
      : rect(grown({ ...at, width: 0, height: 0 }, size), { radius: 1, ...paint });
  const ground = editable ? [shape(r + 2, { fill: surface })] : [];
  return [...ground, shape(r, { fill, stroke: colour, width })];
}

/** In a lower strip there is no room for numbers. */
const LOW = 30;

export function stripMarks(picture: PlotPicture, strip: Rect, colours: Colours): Mark[] {
  const { density } = picture;
  const { beyond, muted } = colours;
  const ground = rects([strip.x, strip.y + strip.height, strip.width, 1], { fill: beyond });
  if (density) return [ground, ...barMarks(density, picture, strip, colours)];
  return [ground, inMiddle(strip, "inputs not observed", muted)];
}

function barMarks(
  { edges, counts }: NonNullable<PlotPicture["density"]>,
  { x, domain }: PlotPicture,
  strip: Rect,
  colours: Colours,
): Mark[] {
  const floor = strip.y + strip.height;
  const room = strip.height - 2;
  const inside: number[] = [];
  const outside: number[] = [];
  const place = (edge: number) => {
    return Math.max(strip.x, Math.min(strip.x + strip.width, toX(x, strip, edge)));
  };
  // A bar that is out of sight makes none low.
  const isSeen = (_: number, k: number) => place(edges[k]) < place(edges[k + 1]);
  const all = Array.from(counts);
  const [most, total] = [max(all.filter(isSeen)) || 1, sum(all)];
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
    words(beside, high, strip.height < LOW ? "" : roughPercent(most / total), colours.muted, {
      anchor: "end",
      middle: true,
    }),
    line([strip.x - 4, top, strip.x, top], colours.line),
    words(beside, strip.height < LOW ? floor : high + 16, "inputs", colours.muted, {
      anchor: "end",
    }),
  ];
}
