/** SplineInspector's scene: one function with its terms, and the legend that reads them. */

import { greatest } from "d3-array";
import { firstShown } from "../../phi/curves.ts";
import { functionText, layerNamed, layerTitle, noteOf, selectionOf } from "../../phi/entries.ts";
import { formatNumber, momentText, spanText } from "../../phi/format.ts";
import type { Ends } from "../../phi/inputs.ts";
import { memory } from "../../phi/memory.ts";
import type { Drawing, Given } from "../../scene/drawing.ts";
import { type Mark, type Point, type Remark, type Scene, sitesOf } from "../../scene/marks.ts";
import { grown, rect, WORDS, words } from "../../scene/shapes.ts";
import { widthOf } from "../../scene/text.ts";
import type { Colours } from "../../scene/theme.ts";
import { samePlace } from "../../wire/protocol.ts";
import type { Selection, Store } from "../../wire/types.ts";
import { describeHandle, heightOf } from "./handles.ts";
import {
  type Legend,
  legendBelow,
  legendBeside,
  legendMarks,
  legendSites,
  legendWidth,
  NO_LEGEND,
} from "./legend.ts";
import { makePicture, type PlotIngredients, type PlotPicture, sampler } from "./picture.ts";
import {
  BESIDE_PLOT,
  handlePoint,
  type Places,
  type Plane,
  phiReadingMarks,
  placesIn,
  planeMarks,
  pointerMarks,
  pointMarks,
} from "./plot.ts";
import { type KeyRow, legendRows } from "./rows.ts";
import { type Settings, settingsReader } from "./settings.ts";
import { dataRange, type Phi, type PhiReading, phiOf, readPhi, tableRange } from "./terms.ts";
import { fromX, reaching, roomy, roundWindow, toY } from "./window.ts";
import { courseText, description, formula, phiInputsText } from "./words.ts";

/** What somebody has done to a view beside its traits. A still has none of it. */
export interface Touch {
  /** The x that was chosen, and for which functions; null is where the inputs are. */
  chosen: { of: string; x: Ends } | null;
  /** Where x is read without a pointer. */
  reading: number | null;
  /** Coefficients that are being edited, and which function's. */
  edited: { at: Selection; coefficients: ArrayLike<number> } | null;
  /** A point is held, or was let go of (−1): y stays as it is, as far as it can. */
  held: { b: number; y: Ends } | null;
  /** The input of a function that another view points at. */
  pointedAt(at: Selection): number | null;
}

export type InspectorScene = Scene & ReturnType<typeof sceneOf>;

/** Narrower than this, the legend is below the plot. */
const WIDTH_BESIDE = 560;
const LEGEND_GAP = 8;
const LOWEST_PLOT = 160;
/** In a lower host, or a narrower one, all of the width is the plot's. */
const HOST = { low: 260, narrow: 800 };
/** Where no height is asked for, the plot grows with its width, and with all that is around it fits a laptop's window. */
const [USUAL_HEIGHTS, LOW] = [[380, 440], 290] as const;
const HEIGHT_SHARE = 0.45;

/** The function that is shown: the selected one, or else the one of the layer that views begin with. */
export function placeIn(store: Store, get: Given["get"]): Selection | null {
  const frame = store.current();
  const chosen = store.selection();
  if (chosen && phiOf(frame, chosen)) return chosen;
  const layer = layerNamed(frame, get("layer"));
  return layer && selectionOf(layer, firstShown(store, layer).f);
}

/** Functions whose planes are looked at alike. */
export function kindOf(phi: Phi): string {
  return `${phi.layer.name}|${phi.layer.shape}|${tableRange(phi)}`;
}

export function isOpen(store: Store): boolean {
  const { state } = store.status();
  return (state === "live" || state === "idle") && store.cursor() < 0;
}

export function drawing(): Drawing<InspectorScene> & { touch: Touch } {
  const samplesOf = sampler();
  const readSettings = settingsReader();
  const keep = memory();

  /** The same picture again while it would be made of the same. */
  function pictureOf(from: PlotIngredients): PlotPicture {
    const { phi, theme, x, ...others } = from;
    const own = [phi.layer, phi.f, theme.name, theme.colours.ink, ...x, ...phi.coefficients];
    const parts = [...own, ...Object.values(others)];
    return keep("picture", parts, () => makePicture(from, samplesOf));
  }

  function draw(given: Given): InspectorScene | string {
    const { store, get, theme } = given;
    const frame = store.current();
    if (!frame) return "waiting for the first frame…";
    const at = placeIn(store, get);
    const { touch } = draw;
    const isEdited = store.cursor() < 0 && samePlace(touch.edited?.at ?? null, at);
    const phi = at && phiOf(frame, at, isEdited ? touch.edited?.coefficients : null);
    if (!phi) return "no layer to draw";
    const settings = readSettings(get);
    const chosen = chosenX(touch, phi);
    const narrow = given.width < WIDTH_BESIDE;
    const wide = given.width - (narrow ? 0 : legendWidth(given.width) + LEGEND_GAP) - BESIDE_PLOT;
    const observed = store.observed(phi.layer.name);
    const from = pictureOf({
      phi,
      frame,
      x: chosen ?? dataRange(phi, observed),
      theme,
      settings,
      ghost: store.ghost(),
      newest: store.cursor() < 0 ? null : store.latest(),
      observed: settings.show.has("density") ? observed : null,
      points: Math.max(64, Math.min(900, Math.round(wide))),
    });
    const free = chosen ? roundWindow(from.held) : roomy(from.held);
    // Once a point was held the plane stands still, but for what would leave it; a film has its own.
    const kept = store.cursor() < 0 ? touch.held?.y : null;
    const y = kept ? (from.held ?? []).reduce<Ends>(reaching, kept) : free;
    return sceneOf(from, settings, y, given, touch);
  }
  draw.touch = {
    chosen: null,
    reading: null,
    edited: null,
    held: null,
    pointedAt: () => null,
  } as Touch;
  return draw;
}

/** The x that was chosen, where that was for functions like this one. */
export function chosenX({ chosen }: Touch, phi: Phi): Ends | null {
  return chosen?.of === kindOf(phi) ? chosen.x : null;
}

/** Plot and legend in a width: beside each other where there is room for all rows. */
function layout(
  { width, get, room }: Given,
  rows: readonly KeyRow[],
  y: Ends,
  strip: boolean,
): { places: Places; legend: Legend; height: number } {
  const side = legendWidth(width);
  const isSmall = room !== undefined && (room < HOST.low || width < HOST.narrow);
  const isWhole = width < WIDTH_BESIDE || isSmall;
  const free = isWhole ? width : width - side - LEGEND_GAP;
  const own = Math.round(
    Math.max(isWhole ? LOW : USUAL_HEIGHTS[0], Math.min(USUAL_HEIGHTS[1], HEIGHT_SHARE * free)),
  );
  const height = Math.max(LOWEST_PLOT, Number(get("height")) || own);
  const beside = isWhole ? null : legendBeside(rows, { x: width - side, width: side }, height);
  if (beside) {
    const box = { x: 0, y: 0, width: free, height };
    return { places: placesIn(box, y, strip), legend: beside, height };
  }
  const places = placesIn({ x: 0, y: 0, width, height }, y, strip);
  if (room !== undefined) return { places, legend: NO_LEGEND, height };
  const legend = legendBelow(rows, height, width);
  return { places, legend, height: height + legend.box.height + 4 };
}

/** Where x is read: under the pointer, or where the keyboard has put it. */
function readingOf({ phi, x }: PlotPicture, { plot, strip }: Places, given: Given, touch: Touch) {
  const { at } = given.pointed;
  if (!at) return touch.reading === null ? null : readPhi(phi, touch.reading);
  const floor = strip ? strip.y + strip.height : plot.y + plot.height;
  const inside = at.x >= plot.x && at.x <= plot.x + plot.width && at.y <= floor;
  return inside ? readPhi(phi, fromX(x, plot, at.x)) : null;
}

function sceneOf(picture: PlotPicture, settings: Settings, y: Ends, given: Given, touch: Touch) {
  const { store, theme, ratio, pointed } = given;
  const { colours } = theme;
  const { phi, at, frame } = picture;
  const { layer } = phi;
  const strip = picture.density !== undefined;
  // Where the rows lie does not depend on what is read.
  const arranged = layout(given, legendRows(picture, settings, null, colours), y, strip);
  const { places, height } = arranged;
  const reading = readingOf(picture, places, given, touch);
  const rows = legendRows(picture, settings, reading, colours);
  const key = arranged.legend.columns.length > 0 ? [] : keyOf(rows, picture);
  const [name, ...remarks] = captionOf(picture, settings, given);
  const legend = {
    ...arranged.legend,
    rows: arranged.legend.rows.map((placed, k) => ({ ...placed, row: rows[k] })),
  };
  const editable = settings.editable && layer.locked === "" && isOpen(store);
  const plane: Plane = { picture, y, places, theme, ratio };
  const points = pointsOf(plane, editable, touch);
  const elsewhere = touch.pointedAt(at);
  const mark = elsewhere === null ? null : readPhi(phi, elsewhere);
  const readout = {
    reading,
    variable: layer.variable,
    sum: formula(phi.layer),
    lit: pointed.id,
  };
  const over = (): Mark[] => [
    ...(mark ? pointerMarks(plane, mark) : []),
    ...(reading ? phiReadingMarks(plane, reading.x, dotsAt(reading, picture, colours)) : []),
    ...pointNames(points, plane),
    ...points.flatMap(({ handle, id, spot, held }) =>
      pointMarks(
        spot,
        handle,
        {
          colour: picture.colourOf(handle.b),
          editable,
          lit: editable && (held || id === pointed.id),
        },
        colours,
      ),
    ),
  ];
  const { plot } = places;
  const boxes = [plot.x, plot.y, plot.width, plot.height, ...y];
  return {
    picture,
    settings,
    y,
    places,
    reading,
    legend,
    editable,
    width: given.width,
    height,
    title: `SplineInspector · ${layerTitle(layer)} · ${name.text}`,
    moment: momentText(frame),
    words: description(picture),
    about: JSON.stringify([layer.name, at, settings.editable]),
    caption: [name, ...key, ...remarks],
    sheets: [
      {
        from: [picture, ...boxes, theme.name, colours.surface, ratio],
        marks: () => planeMarks(plane),
      },
      { marks: over },
      { marks: () => legendMarks(legend, readout, colours) },
    ],
    sites: sitesOf([
      ...points.map(({ id, spot, words }) => ({ id, box: pointBox(spot), words })),
      ...legendSites(legend),
    ]),
  };
}

const POINT_REACH = 9;

const pointBox = (at: Point) => grown({ ...at, width: 0, height: 0 }, POINT_REACH);

function pointsOf(plane: Plane, editable: boolean, touch: Touch) {
  const { picture } = plane;
  const { phi, handles } = picture;
  return handles.flatMap((handle) => {
    const held = touch.held?.b === handle.b;
    const spot = handlePoint(plane, handle, held);
    if (!spot) return [];
    const hint = editable ? ": drag, or arrow up and down" : "";
    const value = formatNumber(phi.coefficients[handle.b]);
    const words = `${describeHandle(phi.layer.variable, handle)}, ${value}${hint}`;
    return [{ handle, id: `point:${handle.b}`, spot, held, words }];
  });
}

/** In a lower plot the names of points would hide the curves. */
const LEAST_NAMED = 230;

/** Pixels beside the middle of a point that are its own. */
const POINT_ROOM = 8;

/** The names of points beside them, from left to right, where one does not lie on the one before; under them no line is seen. */
function pointNames(
  points: ReturnType<typeof pointsOf>,
  { picture: { phi, domain }, y, places: { plot }, theme }: Plane,
): Mark[] {
  const { muted, plot: within, beyond } = theme.colours;
  const { isBase } = phi.layer;
  const single = isBase.filter(Boolean).length === 1;
  let free = Number.NEGATIVE_INFINITY;
  return points.flatMap(({ handle, spot }) => {
    const { b, label } = handle;
    // As the formula has it.
    const text = isBase[b] && single ? "w" : label;
    const half = widthOf(text, WORDS) / 2;
    const x = Math.max(plot.x + half + 2, Math.min(plot.x + plot.width - half - 2, spot.x));
    if (x - half < free || plot.height < LEAST_NAMED) return [];
    free = x + half + 4;
    const at = readPhi(phi, handle.x);
    // On the side away from the curve that it pulls, where no thick line is in the way.
    const isBelow = handle.control && heightOf(handle, phi.coefficients) < (at?.spline ?? 0);
    const lines = [at?.phi ?? 0, at?.base ?? 0, at?.spline ?? 0].map((v) => toY(y, plot, v));
    // Clear of the ring around a point that is held.
    const sides = isBelow ? [18, -17, 30, -29] : [-17, 18, -29, 30];
    const middles = sides.map((side) => spot.y + side);
    const others = points.filter((one) => Math.abs(one.spot.x - x) < half + POINT_ROOM);
    const taken = [...lines, ...others.map((one) => one.spot.y)];
    const clear = (middle: number) => Math.min(10, ...taken.map((at) => Math.abs(at - middle)));
    const inside = middles.filter((m) => m > plot.y + 5 && m < plot.y + plot.height - 5);
    const best = greatest(inside, clear) ?? middles[0];
    const ground = { x: x - half - 2, y: best - 6, width: 2 * half + 4, height: 13 };
    const fill = handle.x < domain[0] || handle.x > domain[1] ? beyond : within;
    return [
      rect(ground, { fill, opacity: 0.85, radius: 3 }),
      words(x, best + 4, text, muted, { anchor: "middle" }),
    ];
  });
}

/** On the thick lines, φ's the last. */
function dotsAt(at: PhiReading, { named }: PlotPicture, { ink, base, spline }: Colours) {
  const fills = { phi: ink, base, spline };
  return [...named].reverse().map((name) => ({ y: at[name], colour: fills[name] }));
}

/** The name of the function is the first. */
function captionOf(picture: PlotPicture, { form }: Settings, { store, room }: Given): Remark[] {
  const { at, phi, range, x, curves } = picture;
  const { layer } = phi;
  const values = curves.find(({ name }) => name === "phi")?.y ?? [];
  const course = (layer.band ? "the most typical network: " : "") + courseText(range, values);
  const why = store.selection() || layer.count === 1 ? "" : firstShown(store, layer).why;
  const observed = store.observed(layer.name);
  const name = functionText(layer, phi.f, observed?.fold ?? []);
  const caption: Remark[] = [
    { text: name, tone: "ink", inside: true, title: why && `Shown first: ${why}` },
    { text: course, tone: range ? "ink" : "warn", strong: true },
    // In a host there is little room, and the axis says it.
    { text: room === undefined ? spanText(layer.variable, x) : "" },
    { text: room === undefined && why ? `shown first: ${why}` : "" },
    { text: samePlace(at, form) ? form.words : "" },
    { text: phiInputsText(phi, observed, store) },
    { text: noteOf(layer, observed) },
  ];
  return caption.filter(({ text }) => text !== "");
}

/** What the lines and points are that have no name where they end, where there is no legend that says it. */
function keyOf(rows: readonly KeyRow[], { named }: PlotPicture): Remark[] {
  const kinds = { line: "line", ramp: "ramp", dashes: "dash", point: "ring" } as const;
  return rows.flatMap(({ look, key, label, colours, on }): Remark[] => {
    if (!on || look === "knot" || look === "bars" || named.some((name) => name === key)) return [];
    // Shorter than in a legend: it has a line with the name.
    const text = label.replace(/^basis functions/, "basis");
    return [{ text, swatch: { kind: kinds[look], colours } }];
  });
}
