/** KernelGrid's scene: every function of a layer in a cell of its own. */

import { max } from "d3-array";
import { ALL_POINTS, firstShown, samplePlan } from "../../phi/curves.ts";
import { foldedShape, layerNamed, layerTitle } from "../../phi/entries.ts";
import { momentText } from "../../phi/format.ts";
import { type Arrangement, PAD, type Rect, rectOf } from "../../phi/geometry.ts";
import { memory } from "../../phi/memory.ts";
import {
  AXIS_HEIGHT,
  axisMarks,
  besideIn,
  cellSites,
  isLinked,
  markedIn,
  rowEnds,
  widthTaken,
} from "../../scene/cells.ts";
import type { Drawing, Given } from "../../scene/drawing.ts";
import type { Scene } from "../../scene/marks.ts";
import { framed } from "../../scene/shapes.ts";
import type { Frame, LayerLayout, Store } from "../../wire/types.ts";
import { curveKey, description, gridCaption } from "./caption.ts";
import { isOnMap, type LayerMap, layerMap, underMap } from "./map.ts";
import { cellGroundMarks, functionMarks, markedMarks, xAt } from "./marks.ts";
import { boxOf, functionPlotMarks, plotBox, shownOf } from "./overview.ts";
import { PAGES, pagesOf, seenIn } from "./pages.ts";
import {
  functionAt,
  type Ingredients,
  inputRange,
  type Picture,
  pictureMaker,
  wideFrom,
  xRangeOf,
} from "./picture.ts";
import { layerScores, scoresOf } from "./scores.ts";
import { isFlat, type Settings, settingsOf, TALLEST, togetherOf } from "./settings.ts";
import { startOf, subjectOf } from "./subject.ts";
import { selectionText } from "./words.ts";

/** A still whose cells fill less of its width is narrowed, but never below LEAST_PICTURE. */
const FILLED = 0.75;
const LEAST_PICTURE = 520;

export type GridScene = Scene & ReturnType<typeof sceneOf>;

interface GridDrawing extends Drawing<GridScene> {
  /** Where the keyboard reads the functions. */
  readingX: number;
}

/** Compared grids below each other take this share of the height, for more stands above; none has fewer pixels. */
const [SHARE_BELOW, LEAST_COMPARED] = [0.77, 200];

/** Pixels down for the cells and a plot: those asked for, or what is seen. */
function heightIn(given: Given): number {
  const asked = given.still || given.get("height") ? given.height : TALLEST;
  if (!togetherOf(given.get)) return Math.min(asked, mostIn(given));
  return Math.min(asked, Math.max(LEAST_COMPARED, given.seen ?? SHARE_BELOW * asked));
}

/** Pixels of the scene that are seen at once: in a host that scrolls twice as much as it gives, beside others all of it. */
export function mostIn(given: Given): number {
  if (togetherOf(given.get)) return TALLEST;
  const inside = given.room === undefined ? given.height : 2 * given.height;
  return Math.min(given.get("height") ? inside : TALLEST, given.seen ?? inside);
}

/** Whether one function is drawn with axes beside the cells: a view that is linked with another, or in a host, leaves that to others. */
function magnifies({ get, still, room }: Given, { mode }: Settings, { count }: LayerLayout) {
  const linked = isLinked(get);
  const isBound = linked || still === true || room !== undefined || togetherOf(get) !== null;
  return mode === "overview" ? !linked : mode !== "pattern" && count > 1 && !isBound;
}

export function drawing(): GridDrawing {
  const makePicture = pictureMaker();
  const keep = memory();

  function picked(given: Given, frame: Frame, layer: LayerLayout): Ingredients {
    const { store, get, width } = given;
    const observed = store.observed(layer.name);
    const settings = settingsOf(get, layer);
    const room = heightIn(given) - (isFlat(settings) ? 0 : AXIS_HEIGHT);
    return {
      ...{ frame, layer, width, room, observed, settings },
      fold: observed?.fold ?? null,
      initial: store.ghost(),
      scores: keep("scores", [get("scores")], () => scoresOf(get("scores"))),
      together: togetherOf(get),
      magnifies: magnifies(given, settings, layer),
      scrolls: given.still !== true,
    };
  }

  /** Found once for a choice, so that nothing jumps during training. */
  function orderOf(from: Ingredients): number[] | null {
    const { layer, scores = new Map(), settings, fold = null, initial } = from;
    const { sort } = settings;
    const shape = foldedShape(layer, fold);
    const scored = keep("scored", [scores, sort, layer], () => layerScores(scores, sort, layer));
    const { out, in: input } = layer.window ?? {};
    const hasStart = Boolean(initial);
    return keep("order", [layer.name, String(shape), sort, scored, out, input, hasStart], () =>
      sortedOrder(from, shape, scored),
    );
  }

  function pictureOf(from: Ingredients, store: Store): Picture {
    const { settings, together, fold = null, ...others } = from;
    const steps = store.steps();
    const order = orderOf(from);
    const made = [...Object.values(others), together?.version(), String(fold), order];
    return keep("picture", [...made, steps.length, steps[0], ...Object.values(settings)], () =>
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
    const map = layer.window ? layerMap(layer, store.summary(layer.name), width) : null;
    if (!map) return sceneOf(picture, given, draw.readingX);
    // The map has sites of its own.
    const number = (id: string) => (isOnMap(id) ? "" : id);
    const below = {
      id: number(pointed.id),
      keyboard: number(pointed.keyboard),
      at: pointed.at && { x: pointed.at.x, y: pointed.at.y - map.under },
    };
    const scene = sceneOf(picture, { ...given, pointed: below }, draw.readingX);
    return { ...underMap(scene, map, given.theme), map };
  }
  draw.readingX = 0;
  return draw;
}

/** Kernels from the largest to the smallest of their functions' values, unknown ones last; ties stay in place. */
export function orderBy([out, inputs, kh, kw]: Picture["shape"], values: Float32Array): number[] {
  const size = kh * kw;
  const largest = Array.from(
    { length: out * inputs },
    (_, kernel) => max(values.subarray(kernel * size, (kernel + 1) * size)) ?? -Infinity,
  );
  return [...largest.keys()].sort((a, b) =>
    largest[a] === largest[b] ? a - b : largest[b] - largest[a],
  );
}

/** The order that is asked for, by a score's numbers if it is one; null where kernels keep their positions. */
export function sortedOrder(
  { frame, layer, settings: { sort }, initial = null, observed = null }: Ingredients,
  shape: Picture["shape"],
  scored: Float32Array | null,
): number[] | null {
  if (sort !== "range" && sort !== "change") return scored && orderBy(shape, scored);
  const since = sort === "change" ? startOf(initial, layer) : null;
  if (sort === "change" && !since) return null;
  const plan = samplePlan(layer, xRangeOf(layer, inputRange(observed)), ALL_POINTS);
  return orderBy(shape, subjectOf(frame, layer, since).sizes(plan));
}

function framesOf(store: Store, steps: readonly number[]): Frame[] {
  const first = store.initial();
  const later = steps.flatMap((step) => store.at(step) ?? []);
  return first && later[0] !== first ? [first, ...later] : later;
}

function sceneOf(picture: Picture, given: Given, readingX: number) {
  const { theme, ratio, pointed } = given;
  const { arrangement, layer, settings, ghost, scales, xRange, initial, shade } = picture;
  const { colours } = theme;
  const cells = markedIn(layer, given);
  const { selected, hovered } = cells;
  const together = togetherOf(given.get);
  const flat = isFlat(settings);
  // What a few functions leave free of the width is for one of them, with axes.
  const hasPlot = magnifies(given, settings, layer);
  const room = heightIn(given);
  const tall = arrangement.height + (flat ? 0 : AXIS_HEIGHT);
  const most = given.still ? Number.POSITIVE_INFINITY : mostIn(given);
  const isHigh = tall > most;
  const seen = isHigh && given.width >= wideFrom(together) ? seenIn(arrangement, room) : room;
  const plot = hasPlot ? plotBox(picture, given.width, seen, isHigh, wideFrom(together)) : null;
  const isBelow = plot !== null && plot.y > PAD;
  const pages = isHigh ? pagesOf(arrangement, PAGES + (isBelow ? plot.height : 0)) : null;
  let x: number | null = null;
  if (hovered >= 0 && flat) x = readingX;
  else if (hovered >= 0) {
    const { at } = pointed;
    x = Math.max(xRange[0], Math.min(xRange[1], readingX));
    if (at) x = xAt(picture, at.x - rectOf(arrangement, hovered).x);
  }
  const marked = { ...cells, x };
  // A ghost drawn by scales of their own changes with every frame.
  const steady = !ghost || settings.scale !== "function";
  const under = [arrangement, layer, initial?.frame, shade, theme.name, colours.surface, ratio];
  const key = JSON.stringify([settings, ghost && scales, xRange]);
  const beside = besideIn(layer, given);
  const first = beside < 0 ? selected : beside;
  // Of layers of one shape the same function is shown, on the same axis; of a window the page has no others to compare with.
  const agreed = plot && together?.largest(String(layer.shape), picture.peak);
  const usual = plot && first < 0 && !layer.window ? firstShown(given.store, layer) : null;
  const opened = first < 0 ? (agreed?.f ?? usual?.f ?? first) : first;
  const shown = plot ? shownOf(picture, hovered, opened) : -1;
  const yEnd = settings.scale !== "function" ? scales.largest : undefined;
  const best = given.store.cursor() < 0 ? "largest of all" : "largest at the end";
  const compared = agreed?.f === picture.peak.f ? best : "same function";
  const which = agreed ? compared : usual?.why || "the largest of those drawn";
  const known = beside >= 0 ? "the one beside" : selected >= 0 ? "selected" : which;
  const how = hovered >= 0 ? "pointed at" : known;
  const curves = curveKey(picture, given.store, theme);
  const opensAt = plot ? shownOf(picture, -1, opened) : first;
  const scene = {
    picture,
    marked,
    /** Of a layer of which a window is drawn: all of it, above. */
    map: null as LayerMap | null,
    /** Where an overview has the plot of one function; null where it has none. */
    plot,
    width: plot ? given.width : widthOf(arrangement, given),
    height: pages ? pages.height : Math.max(tall, plot ? plot.y + plot.height + 8 : 0),
    foot: pages?.foot,
    opened:
      pages && opensAt >= 0
        ? (view: Rect) => pages.opened(boxOf(picture, opensAt), view)
        : undefined,
    /** Where the cells scroll. */
    pages,
    title: `KernelGrid · ${layerTitle(layer)}`,
    moment: momentText(picture.frame),
    words: description(picture, selected),
    about: JSON.stringify([layer.name, layer.shape, settings, selected]),
    caption: gridCaption(picture, given, plot !== null),
    cuts: plot && flat ? undefined : rowEnds(arrangement),
    sheets: [
      {
        from: steady ? [...under, key] : undefined,
        marks: (view: Rect) => [
          ...cellGroundMarks(picture, view, theme, ratio),
          ...(flat ? [] : axisMarks(arrangement, xRange, layer.variable, colours, yEnd)),
        ],
      },
      {
        from: flat ? [picture, theme.name, ratio] : undefined,
        marks: (view: Rect) => functionMarks(picture, view, theme),
      },
      {
        marks: () => [
          ...markedMarks(picture, { ...marked, selected: first }, theme),
          ...(plot && shown !== first ? framed(boxOf(picture, shown), colours.ink, colours) : []),
        ],
      },
      { marks: (view: Rect) => pages?.marks(view, colours) ?? [] },
      {
        marks(view: Rect) {
          if (!plot) return [];
          // Where the cells scroll it stays in sight.
          const bottom = view.y + view.height - plot.height;
          const { y } = boxOf(picture, shown);
          const isIn = y >= view.y && y < view.y + view.height - (pages?.foot ?? 0);
          const values = agreed ? [-agreed.size, agreed.size] : [];
          const legend = {
            how: `${how}, ${isIn ? "framed" : "not in sight"}`,
            key: curves,
            values,
          };
          const box = pages ? { ...plot, y: isBelow ? bottom : view.y + plot.y } : plot;
          return functionPlotMarks(picture, shown, x ?? Number.NaN, legend, box, theme);
        },
      },
    ],
    sites: cellSites(arrangement, layer.count, (f) => selectionText(picture, f), {
      size: picture.unit,
      functionAt: (cell) => functionAt(picture, cell),
    }),
  };
  if (pages) {
    const { at } = scene.sites;
    scene.sites.at = (x, y, view) => pages.at(x, y, view) ?? at(x, y, view);
  }
  return scene;
}

/** A view fills its width; a picture of which much would be blank ends beside its cells. */
function widthOf(arrangement: Arrangement, { still, width }: Given): number {
  const taken = widthTaken(arrangement);
  if (!still || taken > FILLED * width) return Math.max(width, arrangement.width);
  return Math.max(Math.min(width, LEAST_PICTURE), taken);
}
