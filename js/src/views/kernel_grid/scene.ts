/** KernelGrid's scene: every function of a layer in a cell of its own. No DOM. */

import { functionOf, layerNamed, layerTitle } from "../../phi/entries.ts";
import { formatCount } from "../../phi/format.ts";
import { type Arrangement, type Rect, rectOf, rowEnds } from "../../phi/geometry.ts";
import { seenThen } from "../../phi/inputs.ts";
import { widthTaken } from "../../phi/labels.ts";
import { memory } from "../../phi/memory.ts";
import { paletteOf } from "../../phi/palette.ts";
import { cellSites, stuckHeadMarks } from "../../scene/cells.ts";
import type { Drawing, Given } from "../../scene/drawing.ts";
import { rampOf } from "../../scene/heat.ts";
import type { Remark, Scene } from "../../scene/marks.ts";
import type { Frame, LayerLayout, Store } from "../../wire/types.ts";
import { type LayerMap, mapOf, underMap } from "./map.ts";
import { beyondGrid, functionMarks, groundMarks, type Marked, markedMarks, xAt } from "./marks.ts";
import { sortedOrder } from "./order.ts";
import { functionAt, othersOf, plotBox, plotMarks, plottedMarks, shownOf } from "./overview.ts";
import {
  type Fold,
  foldedShape,
  type Ingredients,
  inputsOf,
  type Picture,
  pictureMaker,
  xRangeOf,
} from "./picture.ts";
import { rampOf as scoreRamp, scoresReader, valuesOf } from "./scores.ts";
import { isFlat, isGrey, settingsOf } from "./settings.ts";
import { togetherOf } from "./together.ts";
import {
  axesText,
  COVERED_TITLE,
  coveredText,
  cutText,
  description,
  kinText,
  leadText,
  OUTSIDE_TITLE,
  overviewText,
  PLACES_TITLE,
  placesText,
  reachText,
  remarks,
  selectionText,
  shadeText,
  sizeText,
  xTitle,
} from "./words.ts";

/** A picture of which less is taken by cells is made narrower, but not so that its words would be crowded. */
const FILLED = 0.75;
const LEAST_PICTURE = 520;

export interface GridScene extends Scene {
  picture: Picture;
  marked: Marked;
  /** Of a layer of which a window is drawn: all of it, above. */
  map: LayerMap | null;
  /** Where an overview has the plot of one function; null where it has none. */
  plot: Rect | null;
}

/** A drawing of the grid, which sorts once and keeps that order until told to sort again. */
export interface GridDrawing extends Drawing<GridScene> {
  sortAgain(): void;
  /** Where the keyboard reads the functions. */
  readingX: number;
}

export function drawing(): GridDrawing {
  const makePicture = pictureMaker();
  const readScores = scoresReader();
  const keep = memory();
  let sorting = 0;

  function picked(given: Given, frame: Frame, layer: LayerLayout): Ingredients {
    const { store, get, width, height: room } = given;
    const settings = settingsOf(get, layer);
    const { xRange, bounds, mode } = settings;
    const dense = layer.kind === "linear";
    const asked = dense || xRange === "inputs" || bounds === "observed" || mode === "pattern";
    const observed = asked ? store.observed(layer.name) : null;
    const fold = (get("fold") as Fold | null) ?? observed?.fold ?? null;
    const from = { frame, layer, settings, width, room, observed, fold, initial: store.ghost() };
    return { ...from, scores: readScores(get("scores")), together: togetherOf(get) };
  }

  function pictureOf(from: Ingredients, store: Store): Picture {
    const { frame, layer, settings, scores = new Map(), together, fold = null, ...others } = from;
    const shape = foldedShape(layer, fold);
    const scored = valuesOf(scores, settings.sort, layer);
    const order = keep("order", [layer.name, String(shape), settings.sort, scored, sorting], () => {
      const x = xRangeOf(layer, settings.xRange, inputsOf(others.observed ?? null));
      return sortedOrder(from, settings.sort, x, shape, scored);
    });
    const steps = store.steps();
    const known = [frame, layer, scores, together?.version(), String(fold), order];
    const made = [...known, ...Object.values(others), steps.length, steps[0]];
    return keep("picture", [...made, ...Object.values(settings)], () =>
      makePicture({ ...from, order, history: framesOf(store, steps) }),
    );
  }

  function draw(given: Given): GridScene | string {
    const { store, get, width, pointed } = given;
    const frame = store.current();
    if (!frame) return "waiting for the first frame…";
    const layer = layerNamed(frame, get("layer"));
    if (!layer) return "no layer to draw";
    const picture = pictureOf(picked(given, frame, layer), store);
    const map = layer.window ? mapOf(layer, store.summary(layer.name), width) : null;
    if (!map) return sceneOf(picture, given, draw.readingX);
    // The map has sites of its own.
    const number = (id: string) => (id.startsWith("map:") ? "" : id);
    const below = {
      id: number(pointed.id),
      keyboard: number(pointed.keyboard),
      at: pointed.at && { x: pointed.at.x, y: pointed.at.y - map.under },
    };
    const scene = sceneOf(picture, { ...given, pointed: below }, draw.readingX);
    return { ...underMap(scene, map, given.theme), map };
  }
  draw.readingX = 0;
  draw.sortAgain = () => {
    sorting++;
  };
  return draw;
}

function framesOf(store: Store, steps: readonly number[]): Frame[] {
  const first = store.initial();
  const later = steps.flatMap((step) => store.at(step) ?? []);
  return first && later[0] !== first ? [first, ...later] : later;
}

function sceneOf(picture: Picture, given: Given, readingX: number): GridScene {
  const { store, theme, ratio, pointed } = given;
  const { arrangement, layer, settings, ghost, scales, xRange, initial, shade } = picture;
  const { colours } = theme;
  const selected = functionOf(layer, store.selection());
  const hovered = pointed.id === "" ? -1 : Number(pointed.id);
  let x: number | null = null;
  if (hovered >= 0 && isFlat(settings)) x = readingX;
  else if (hovered >= 0) {
    const { at } = pointed;
    const within = Math.max(xRange[0], Math.min(xRange[1], readingX));
    x = at ? xAt(picture, at.x - rectOf(arrangement, hovered).x) : within;
  }
  const cursor = pointed.keyboard === "" ? -1 : Number(pointed.keyboard);
  const marked = { hovered, selected, cursor, x };
  // A ghost drawn by scales of their own changes with every frame.
  const steady = !ghost || settings.scale === "layer";
  const under = [arrangement, layer, initial?.frame, shade, theme.name, colours.surface, ratio];
  const key = JSON.stringify([settings, ghost && scales, xRange]);
  const plot = settings.mode === "overview" ? plotBox(picture, given.width, given.height) : null;
  const shown = plot ? shownOf(picture, hovered, selected) : -1;
  const most = layer.window ? "largest of those drawn" : "largest of the layer";
  const how = hovered >= 0 ? "pointed at" : selected >= 0 ? "selected" : most;
  return {
    picture,
    marked,
    map: null,
    plot,
    width: plot ? given.width : widthOf(arrangement, given),
    height: Math.max(arrangement.height, plot ? plot.y + plot.height + 8 : 0),
    title: `KernelGrid · ${layerTitle(layer)}`,
    moment: `step ${formatCount(picture.frame.step)}`,
    words: description(picture, selected),
    about: JSON.stringify([layer.name, layer.shape, settings, selected]),
    caption: captionOf(picture, given, selected, plot !== null),
    cuts: plot ? undefined : rowEnds(arrangement),
    sheets: [
      {
        from: steady ? [...under, key] : undefined,
        marks: (view) => groundMarks(picture, view, theme, ratio),
      },
      {
        from: isFlat(settings) ? [picture, theme.name, ratio] : undefined,
        marks: (view) => functionMarks(picture, view, theme),
      },
      { marks: () => markedMarks(picture, marked, theme) },
      {
        marks: () => {
          if (!plot) return [];
          const frame = shown === selected ? [] : plottedMarks(picture, shown, theme);
          return [...frame, ...plotMarks(picture, shown, how, plot, theme)];
        },
      },
      { marks: (view) => stuckHeadMarks(arrangement, view, colours) },
    ],
    sites: cellSites(arrangement, layer.count, (f) => selectionText(picture, f), {
      size: picture.unit,
      functionAt: (cell) => functionAt(picture, cell),
    }),
  };
}

/** A view fills its width; a picture of which much would be blank ends beside its cells. */
function widthOf(arrangement: Arrangement, { still, width }: Given): number {
  const taken = widthTaken(arrangement);
  if (!still || taken > FILLED * width) return Math.max(width, arrangement.width);
  return Math.max(Math.min(width, LEAST_PICTURE), taken);
}

function captionOf(
  picture: Picture,
  { store, theme, room }: Given,
  selected: number,
  hasPlot: boolean,
): Remark[] {
  const { settings, initial, frame, shade } = picture;
  const { colours } = theme;
  const { warned, noted } = remarks(picture, store.alone());
  const { mode } = settings;
  const overview = mode === "overview";
  const caption: Remark[] = [];
  if (overview) {
    caption.push({ text: leadText(picture), tone: "ink", title: PLACES_TITLE });
    const ramp = rampOf(paletteOf(theme.name)).slice(15);
    const swatch = { kind: "ramp", colours: ramp } as const;
    caption.push({ text: overviewText(picture), swatch, title: xTitle(picture, store.alone()) });
  } else
    caption.push({ text: axesText(picture), tone: "ink", title: xTitle(picture, store.alone()) });
  // In a host there is room for what is needed to read it; the rest is said on hovering.
  const rest = [coveredText(picture), ...(isGrey(settings) ? [] : [sizeText(picture)])];
  if (room === undefined) caption.push({ text: coveredText(picture), title: COVERED_TITLE });
  else caption[0].title = [caption[0].title, ...rest].filter(Boolean).join(". ");
  if (initial && (mode === "curves" || (overview && hasPlot))) {
    const now = store.cursor() < 0 ? "now" : `step ${formatCount(frame.step)}`;
    caption.push({ text: now, swatch: { kind: "line", colours: [colours.ink] } });
    if (settings.ghost) {
      const then = `step ${formatCount(initial.frame.step)}`;
      caption.push({ text: then, swatch: { kind: "dash", colours: [colours.ghost] } });
    }
    if (overview && othersOf(picture, 0).length > 0) {
      caption.push({ text: kinText(picture), swatch: { kind: "line", colours: [colours.zero] } });
    }
  }
  if ((!isFlat(settings) || hasPlot) && beyondGrid(picture)) {
    const swatch = { kind: "fill", colours: [colours.outside] } as const;
    caption.push({ text: "outside the grid", swatch, title: OUTSIDE_TITLE });
  }
  if (initial && settings.mode === "change") {
    caption.push({ text: "rose", swatch: { kind: "fill", colours: [colours.rise] } });
    caption.push({ text: "fell", swatch: { kind: "fill", colours: [colours.fall] } });
  }
  if (shade) {
    const ramp = scoreRamp(shade, paletteOf(theme.name));
    const swatch = shade.values ? ({ kind: "ramp", colours: ramp } as const) : undefined;
    caption.push({ text: shadeText(shade), swatch });
  }
  if (isGrey(settings)) caption.push({ text: reachText(picture, selected) });
  else if (room === undefined) caption.push({ text: sizeText(picture) });
  if (!overview) caption.push({ text: placesText(picture), title: PLACES_TITLE });
  caption.push({ text: warned, tone: "warn" }, { text: cutText(picture) }, { text: noted });
  const bySeen = picture.xIs === "inputs" || picture.preferred?.bounds.samples;
  const then = bySeen ? seenThen(store.observed(picture.layer.name), frame.step) : "";
  if (then) caption.push({ text: `inputs as seen${then}` });
  return caption.filter(({ text }) => text !== "");
}
