/** NetworkView's scene: the whole network, what an example makes of it, and what one number is made of. */

import { momentText } from "../../phi/format.ts";
import { imagesOf, type RawArray, rangeOf } from "../../phi/images.ts";
import { waitsForBatch } from "../../phi/inputs.ts";
import { largestDifference } from "../../phi/interpolate.ts";
import { type Keep, memory, memoryOf, type Steady, steadyChoice } from "../../phi/memory.ts";
import { lastFinite } from "../../phi/ranges.ts";
import { createSketch, type Sketch } from "../../phi/sketch.ts";
import type { Drawing, Given } from "../../scene/drawing.ts";
import { thumbnailsOf } from "../../scene/heat.ts";
import type { Mark, Rect, Scene, Sheet } from "../../scene/marks.ts";
import { grown, inMiddle, line, rect, rects, words } from "../../scene/shapes.ts";
import type { Theme } from "../../scene/theme.ts";
import { readActivationsTrait } from "../../wire/protocol.ts";
import { isUnderWay } from "../../wire/standing.ts";
import type { Activations, Probe } from "../../wire/types.ts";
import { type CloseUp, closelyOf, closeUpOf } from "./close_up.ts";
import { closeUpMarks } from "./close_up_marks.ts";
import {
  type Diagram,
  type DiagramWindow,
  diagramOf,
  drawnIn,
  type Focus,
  graphIn,
  type Leg,
  type Settings,
  settingsOf,
  WHOLE,
} from "./diagram.ts";
import { createFlow } from "./flow.ts";
import {
  diagramSites,
  entryMarks,
  focusAt,
  focusMarks,
  litMarks,
  type Site,
  selectedLink,
} from "./focus.ts";
import { FINE, once } from "./functions.ts";
import { COLUMN_HEAD, plotsIn, roomFor, SHELF } from "./layout.ts";
import { linkMarks } from "./links.ts";
import { canDraw, columnHeadMarks, frontMarks, padOf, scoreMarks } from "./marks.ts";
import { curvesOn } from "./rails.ts";
import {
  circuitPath,
  crossFading,
  largeMarks,
  pathKernels,
  pathLines,
  strongestPath,
} from "./strongest.ts";
import { description, exampleVerdict, networkCaption } from "./words.ts";

const TILE = 34;
const LEAST_TILE = 28;
const TILE_GAP = 6;
const LEFT = 10;
/** Pixels of one row of them, which needs no heading. */
const EXAMPLES_ROW = 42;

export const CLOSEST = 12;

export type NetworkScene = Scene & ReturnType<typeof sceneOf>;
export type NetworkDrawing = Drawing<NetworkScene> & Held;

/** What a drawing keeps of what was done in its view. */
interface Held {
  window: DiagramWindow;
  /** The selected function was clicked here: its link and the close-up, as they were then; null where it is only marked. */
  looks: { place: Focus; closeUp: CloseUp | null } | null;
  /** What is drawn by hand on the input. */
  sketch: Sketch;
}

type Asked = Pick<Diagram, "frame" | "settings" | "flow">;

/** Below this width examples and the close-up stand one over the other; of networks compared, where one has the examples. With less than the least it is scrolled. */
const NARROW = { alone: 540, compared: 720, least: 330 };
/** Pixels of the close-up, and of the diagram by itself. */
const STRIP = { least: 131, most: 204, share: 0.44, small: 0.32 };
const ROOM = { least: 366, most: 554, narrow: 494, unit: 22 };
/** Of all together, where less is seen at once; and of the diagram, which else has the room of the close-up too. */
const LEAST = { all: 300, diagram: 170, brief: 210, narrow: { all: 450, diagram: 220 } };

export function drawing(): NetworkDrawing {
  const keep = memory();
  const flowOf = createFlow();
  const sketch = createSketch();
  const draw = (asked: Given) => {
    const given = { ...asked, width: Math.max(NARROW.least, asked.width) };
    const { store, get } = asked;
    const frame = lastFinite(store);
    if (!frame) return "waiting for the first frame…";
    if (frame.layout.layers.length === 0) return "no layer to draw";
    const settings = settingsOf(get);
    const probe = store.probe();
    const drawn = settings.example < 0 && canDraw(probe) ? drawnOn(probe as Probe, get) : null;
    const kept = get("drawn");
    const modelled = keep<Activations | null>("modelled", [kept], () => readActivationsTrait(kept));
    const example = Math.max(0, settings.example);
    const { flow, asks } = flowOf(store, frame, example, drawn, modelled);
    const scene = sceneOf(given, { frame, settings, flow }, made, keep);
    scene.asks = asks ? `${sketch.version()} at ${frame.step}` : null;
    return scene;
  };
  const made: NetworkDrawing = Object.assign(draw, { window: WHOLE, looks: null, sketch });
  return made;

  /** The drawing, in the size and between the values of the examples; another array whenever it has changed. */
  function drawnOn(probe: Probe, get: Given["get"]): Float32Array {
    const [, , height, width] = probe.shape;
    const kept = get("drawing");
    keep("kept", [kept], () => sketch.take(imagesOf(kept as RawArray | null)));
    const [ground, full] = keep("ends", [probe], () => rangeOf(probe.inputs));
    sketch.fit(width, height, ground, full);
    return keep("drawn", [sketch.version(), probe], () => sketch.image().data.slice());
  }
}

type View = ReturnType<typeof viewOf>;
type Last = { closeUp: CloseUp | null };

/** What the scene is about: the path, what is looked at, and which function is shown with axes. */
function viewOf(given: Given, diagram: Diagram, looks: Held["looks"], last: Last) {
  const { parts, legs, selected } = diagram;
  const pointed = focusAt(diagram, given.pointed);
  const isPointed = pointed !== null;
  const chosen = looks && selected;
  const focus = pointed ?? chosen;
  // An input is made of nothing that could be looked at.
  const own = pointed && parts[pointed.column].column.layer ? pointed : chosen;
  const selection = given.store.selection();
  const rests = chosen || (!selection || selection.looks ? selected : null);
  const near = own ?? rests;
  const clicked = own === pointed ? null : looks?.closeUp;
  const closeUp = closeUpOf(diagram, near, given.pointed, clicked ?? null, last.closeUp);
  if (!given.pointed.id.startsWith("u:")) last.closeUp = closeUp;
  const { shown, bundle } = closelyOf(diagram, closeUp, near);
  const isResult = !near && closeUp?.kind === "unit";
  const link = closeUp && parts[closeUp.column].bundles[bundle];
  const place = link && shown ? { ...closeUp, bundle, entry: shown.f - link.first } : null;
  return {
    ...{ diagram, legs },
    /** The unit or link pointed at or selected, and the one in the close-up (perhaps the result), whose links are lit. */
    ...{ focus, isPointed, closeUp, isResult, shown, place, rests, isNamed: !selection },
    /** The unit that adds most to the number in the close-up; −1 if none does. */
    strongest: link?.from ?? -1,
  };
}

function sceneOf(given: Given, request: Asked, { window, looks }: Held, keep: Keep) {
  const { theme, width, ratio } = given;
  const { frame, settings, flow } = request;
  const { height, strip, foot: footHeight, isRow } = heightsOf(given, request, keep);
  /** The room of the diagram in the scene. */
  const room = { x: 0, y: 0, width, height: height - footHeight };
  const network = graphIn(given, frame, keep);
  const units = network.columns.map((column) => column.units).join();
  // Of a stream, so that all that show its network show the same path, or of a film, whose pictures each have a stream.
  const held = given.film ? keep : memoryOf(given.store);
  // Chosen anew when a run ends: at rest it is the strongest, as in a page that is loaded again.
  const from = [units, !flow, drawnIn(request), isUnderWay(given.store.standing())];
  const steady = held<Steady>("paths", from, () => steadyChoice());
  // By itself for each example, and while one looks back.
  const of = [settings.example, given.store.current() === given.store.latest()];
  const choose: Steady = (place, ...sizes) => steady(`${place} ${of}`, ...sizes);
  // Of an ensemble what its headline names is framed and shown closely until something is selected.
  const named = flow ? null : largestDifference(frame.layout.layers)?.selection;
  const chosen = looks?.place ?? selectedLink(network, given.store.selection() ?? named ?? null);
  const selected = settings.compared ? null : chosen;
  const asked = { ...request, room, window, selected, hasPlot: strip > 0 };
  const diagram = diagramOf(given, asked, keep, (drawing, scores) => {
    if (settings.path) return circuitPath(drawing.graph, settings.path);
    return strongestPath(drawing, scores, choose);
  });
  const last = keep("last", [units, settings.example], () => ({ closeUp: null }));
  const view = viewOf(given, diagram, looks, last);
  const { legs, closeUp, isPointed, focus, shown } = view;
  const { graph, layout, parts } = diagram;
  const foot = stripOf(given, settings, { y: room.height, isRow, height: footHeight });
  const { colours } = theme;
  const turn = crossFading(graph, legs);
  const fades = turn.fades && !given.still && !given.film;
  const pathOf: typeof turn.drawn = (draw) => (fades ? turn.drawn(draw) : draw(legs));
  const clip = { x: window.x, y: window.y, width: room.width, height: room.height };
  const moved = (marks: readonly Mark[]): Mark[] => [
    { kind: "group", at: [room.x - window.x, room.y - window.y], clip, marks },
  ];
  const path = legs.map(({ bundle }) => bundle).join();
  const ways = parts.map(({ large, isPassed, stand }) => stand && [large, isPassed].join()).join();
  const place = [layout, path, ways, theme.name, ratio, window.x, window.y];
  const lit = view.isResult ? (closeUp?.column ?? -1) : -1;
  const verdict = exampleVerdict(diagram);
  // The layer whose links are coloured while nothing is pointed at.
  const colouring = parts[view.rests?.column ?? parts.length - 1].column.layer;
  const looked = focus && (isPointed ? "pointed at" : "selected");
  // What is pointed at stands out; what is selected has a frame.
  const strength = isPointed ? 0.4 : focus ? 0.85 : 1;
  const below = once(() =>
    strip > 0
      ? closeUpMarks({ diagram, shown, framed: view.strongest, theme }, closeUp, foot.close)
      : null,
  );
  const sites = diagramSites(diagram, foot.sites, () => below()?.picture ?? null);
  const front: Sheet = {
    from: [...place, ...parts.map(({ picture }) => picture), frame, flow, settings.example, lit],
    marks: () =>
      moved([
        ...(lit >= 0 && closeUp?.kind === "unit" ? litMarks(diagram, closeUp, theme) : []),
        ...frontMarks(diagram, theme),
        ...scoreMarks(diagram, theme),
      ]),
  };

  return {
    ...{ diagram, room, settings, verdict, closeUp, shown, legs, fades, width, height },
    /** A drawing at a step that only the model can compute; null if nothing is asked of it. */
    asks: null as string | null,
    /** The place of a drawing, which can be drawn on if it is large enough; null if none is shown. */
    pad: padOf(diagram),
    title: "Network",
    moment: momentText(frame),
    words: description(diagram),
    about: JSON.stringify([
      graph.columns.map(({ name, units: n }) => [name, n]),
      waitsForBatch(given.store),
      settings.example,
    ]),
    caption: networkCaption(diagram, verdict, { colouring, looked }, given),
    sheets: [
      {
        from: [...place, ...parts.map(({ relevance }) => relevance?.sizes), strength, lit],
        marks: () => moved(linkMarks(diagram, theme, strength, lit)),
      },
      // Functions are what one looks at: what passes by is behind them.
      {
        marks: () =>
          moved(focus ? [] : pathOf((some) => pathLines(diagram, some, lit, colours.ink))),
      },
      front,
      { marks: () => moved(lookedAtMarks(view, pathOf, theme)) },
      { marks: () => moved(columnHeadMarks(diagram, theme)) },
      {
        marks: () => [
          rects([0, room.height, width, footHeight], { fill: colours.surface }),
          line([0, room.height + 0.5, width, room.height + 0.5], colours.line),
          ...foot.marks(),
          ...(below()?.parts ?? []),
        ],
      },
      { marks: () => below()?.axes ?? [] },
    ],
    sites,
  };
}

function lookedAtMarks(view: View, pathOf: ReturnType<typeof crossFading>["drawn"], theme: Theme) {
  const { diagram, focus, closeUp, isPointed, isNamed, place } = view;
  const { parts, selected, isTold } = diagram;
  const { ink, accent } = theme.colours;
  const chosen = isNamed ? ink : accent;
  // Of a unit that is looked at the link that the close-up speaks of; in its place stands no other.
  const within = focus && place?.column === focus.column ? place.bundle : (focus?.bundle ?? -1);
  const into = focus && within >= 0 ? parts[focus.column] : null;
  const own = into ? largeMarks(diagram, into, within, isPointed ? ink : accent, 2, theme) : [];
  const isOther = ({ column }: Leg | Focus) => column !== focus?.column || own.length === 0;
  const isBold = isTold && !focus;
  const marks = pathOf((some) => pathKernels(diagram, some.filter(isOther), isBold, theme));
  if (selected && isOther(selected)) {
    const part = parts[selected.column];
    marks.push(...largeMarks(diagram, part, selected.bundle, chosen, 2, theme));
  }
  if (focus) marks.push(...focusMarks(diagram, focus, closeUp, isPointed, theme));
  marks.push(...own);
  // Of functions that stand together the one in the close-up, and the selected one.
  const { kernels, large } = parts[place?.column ?? 0];
  if (place && [...kernels.keys(), large, within].includes(place.bundle))
    marks.push(...entryMarks(diagram, place, ink, theme));
  return [...marks, ...entryMarks(diagram, isPointed ? null : selected, chosen, theme)];
}

/** Pixels of the whole, of the close-up (0 without room for both), and of everything below the diagram. */
function heightsOf(given: Given, { frame, settings }: Asked, keep: Keep) {
  const { store, width, get, seen } = given;
  const graph = graphIn(given, frame, keep);
  const { columns } = graph;
  const narrow = width < (settings.compared ? NARROW.compared : NARROW.alone);
  const givenHeight = Number(get("height"));
  const most = given.room || givenHeight || seen || STRIP.most + ROOM.least;
  // Few functions, all with axes, fill the diagram and need no close-up.
  const hasBars = columns[columns.length - 1].units > 1;
  const isWhole =
    plotsIn(graph, { width, height: most - EXAMPLES_ROW, scale: 1, hasBars }) !== null;
  const isRow = narrow || isWhole || settings.compared !== null;
  // Of several networks in a narrow page the diagrams are to be seen together; before the first batch nothing is taken apart.
  const isBrief =
    (narrow && settings.compared !== null) || (!isWhole && waitsForBatch(store) && !given.still);
  // What stands below in a narrow page takes nothing from the diagram, nor from one beside it.
  const row = isRow && store.probe() !== null ? EXAMPLES_ROW : 0;
  const more = settings.picker ? row : 0;
  // The units of a column are large enough to be seen, within bounds.
  const [lane, two] = [width / graph.depths, settings.compared !== null];
  const rows = Math.max(...columns.map((c) => roomFor(c, ROOM.most, lane, two) / (c.map ? 1 : 2)));
  const wanted = Math.min(narrow ? ROOM.narrow : ROOM.most, ROOM.unit * rows + COLUMN_HEAD);
  const alone = givenHeight || (isBrief ? 0 : STRIP.most) + Math.max(ROOM.least, wanted);
  const own = row + (settings.compared?.tallest(alone) ?? alone);
  const least = narrow ? LEAST.narrow : LEAST;
  // Where the path's kernels stand under it there is room for both.
  const isCurved = columns.some((one) => curvesOn({ ...one, links: [0], units: [] }, one) > 1);
  const brief = LEAST.brief + (isCurved && lane < SHELF.below ? SHELF.most + SHELF.elbow : 0);
  const height =
    given.room ||
    Math.min(own, givenHeight ? own : Math.max(isBrief ? brief : least.all, seen ?? own)) -
      (row - more);
  const free = height - more;
  const isSmall = columns.every(({ map, bundles: { length } }) => !map && length <= FINE.most);
  const share = Math.round((isSmall || lane < SHELF.below ? STRIP.small : STRIP.share) * free);
  const room = Math.max(STRIP.least, Math.min(STRIP.most, share));
  const hasStrip = !isWhole && !isBrief && free - room >= least.diagram;
  const strip = hasStrip ? room : 0;
  return { height, strip, isRow, foot: more + strip };
}

/** `close` is the room for the close-up. */
function stripOf(
  { store, width, still, theme: { colours } }: Given,
  { example, picker }: Settings,
  { y, isRow, height }: { y: number; isRow: boolean; height: number },
): { sites: Site[]; close: Rect; marks(): Mark[] } {
  const probe = picker ? store.probe() : null;
  const count = probe ? probe.shape[0] : 0;
  const draws = canDraw(probe) && !still;
  const noun = probe?.shape.length === 4 ? "Image" : "Example";
  const top = y + (isRow ? 5 : 24);
  const rows = isRow ? 1 : Math.max(1, Math.floor((y + height - top) / (TILE + TILE_GAP)));
  const across = isRow ? 100 : Math.max(1, Math.min(6, Math.ceil((count + 1) / rows)));
  const more = draws ? 1 : 0;
  // In a row they are a little smaller before one of them has no place; the tile to draw on has one.
  const room = Math.floor((width - LEFT) / (count + more)) - TILE_GAP;
  const side = isRow ? Math.max(LEAST_TILE, Math.min(TILE, room)) : TILE;
  const fits = isRow ? Math.floor((width - LEFT) / (side + TILE_GAP)) : count + 1;
  const drawn = Math.min(count, fits - more);
  const tiles = Array.from({ length: drawn + more }, (_, k) => ({
    number: k < drawn ? k : -1,
    box: {
      x: LEFT + (k % across) * (side + TILE_GAP),
      y: top + Math.floor(k / across) * (side + TILE_GAP),
      width: side,
      height: side,
    },
  }));
  const used = isRow || count === 0 ? 0 : LEFT + across * (TILE + TILE_GAP) + 10;
  const close =
    isRow && count > 0
      ? { x: LEFT, y: y + EXAMPLES_ROW, width: width - 2 * LEFT, height: height - EXAMPLES_ROW - 4 }
      : { x: used + LEFT, y: y + 4, width: width - used - 2 * LEFT, height: height - 8 };
  return {
    close,
    sites: tiles.map(({ number, box }) => ({
      id: `x:${number}`,
      box,
      words:
        number < 0
          ? "Draw an example of your own on the input"
          : `${noun} ${number + 1} of ${count}: ${number === example ? "it runs" : "click to send it"} through the network`,
    })),
    marks() {
      if (!probe || count === 0) return [];
      const [images, channels, height, width] = probe.shape;
      const all = { count: images, channels, height, width, data: probe.inputs };
      const pictures = probe.shape.length === 4 ? thumbnailsOf(all) : [];
      const marks: Mark[] = [words(LEFT, y + 15, isRow ? "" : "examples", colours.muted)];
      for (const { number, box } of tiles) {
        const pixels = pictures[number];
        if (pixels) marks.push({ kind: "image", box, pixels });
        else {
          const text = number < 0 ? "draw" : String(number + 1);
          marks.push(rect(box, { fill: colours.cell, radius: 3 }));
          marks.push(inMiddle(box, text, colours.ink));
        }
        if (number < 0 ? example >= 0 : number !== example) continue;
        marks.push(rect(grown(box, 2), { stroke: colours.accent, width: 2, radius: 4 }));
      }
      return marks;
    },
  };
}
