/** NetworkView's scene: the whole network, what an example makes of it, and what one number is made of. No DOM. */

import { functionOf } from "../../phi/entries.ts";
import { formatCount } from "../../phi/format.ts";
import { imagesOf, type RawArray, rangeOf } from "../../phi/images.ts";
import { type Keep, memory } from "../../phi/memory.ts";
import { createSketch, type Sketch } from "../../phi/sketch.ts";
import type { Drawing, Given } from "../../scene/drawing.ts";
import { thumbnailsOf } from "../../scene/heat.ts";
import { type Mark, type Pixels, type Rect, type Scene, sitesOf } from "../../scene/marks.ts";
import { grown, inMiddle, line, rect, rects, words } from "../../scene/shapes.ts";
import { readActivationsTrait } from "../../wire/network.ts";
import type { Activations, Frame, Probe } from "../../wire/types.ts";
import { type CloseUp, closeUpOf } from "./close_up.ts";
import { closeUpMarks } from "./close_up_marks.ts";
import { type Diagram, diagramOf, type Focus, graphIn, WHOLE, type Window } from "./diagram.ts";
import { createFlow, type Flow } from "./flow.ts";
import { HEAD, thumbsOnce } from "./layout.ts";
import { chosenMarks, focusMarks, litMarks, namedMarks } from "./links.ts";
import { frontMarks, headMarks, linkMarks, miniMarks } from "./marks.ts";
import { scoreMarks } from "./score_marks.ts";
import { type Settings, settingsOf } from "./settings.ts";
import { strongestPath, strongestPathFrames, strongestPathLines } from "./strongest.ts";
import { captionOf, description, stationWords, thumbWords, unitWords, verdictOf } from "./words.ts";

export const CLOSEST = 12;

export interface NetworkScene extends Scene {
  diagram: Diagram;
  /** The room of the diagram in the scene. */
  room: Rect;
  settings: Settings;
  /** What only the model can compute: a drawing at a step; null where nothing is asked of it. */
  asks: string | null;
  /** Where a drawing is shown, and can be drawn on if it is large enough; null where none is. */
  pad: Rect | null;
  /** What the network says of the example. */
  verdict: string;
  /** Not all links are shown. */
  omits: boolean;
  /** What is shown closely below the diagram. */
  closeUp: CloseUp | null;
}

export interface NetworkDrawing extends Drawing<NetworkScene> {
  window: Window;
  /** The selected function was clicked here: it is shown closely, else only marked. */
  looks: boolean;
  /** What is drawn by hand on the input. */
  sketch: Sketch;
}

/** Below this width examples and the close-up stand one over the other; of networks compared, where one has the examples. */
const NARROW = { alone: 620, compared: 720 };
const STRIP = { least: 120, most: 158, share: 0.3 };
const EXAMPLES = 52;
const GAP = 8;
const ROOM = { least: 410, most: 600, narrow: 540, unit: 22 };
/** Of all together, where less is seen at once; and of the diagram, which else has the room of the close-up too. */
const LEAST = { all: 300, diagram: 165 };

export function drawing(): NetworkDrawing {
  const keep = memory();
  const flowOf = createFlow();
  const sketch = createSketch();
  const draw = (given: Given) => {
    const { store, get } = given;
    const frame = store.current();
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
  const made: NetworkDrawing = Object.assign(draw, { window: WHOLE, looks: false, sketch });
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

/** What is pointed at, else what is selected. */
function focusOf(
  { parts, settings }: Diagram,
  { store, pointed }: Given,
): { focus: Focus | null; isPointed: boolean } {
  const [kind, column, number] = pointed.id.split(":");
  const at = { column: Number(column), unit: Number(number), bundle: -1, entry: null };
  if (kind === "u") return { focus: at, isPointed: true };
  if (kind === "e") {
    const unit = parts[at.column].bundles[at.unit]?.to ?? -1;
    return { focus: { ...at, unit, bundle: at.unit }, isPointed: true };
  }
  const selection = settings.compared ? null : store.selection();
  const part = parts.find(({ column: { layer } }) => layer && layer.name === selection?.layer);
  if (!part?.column.layer) return { focus: null, isPointed: false };
  const f = functionOf(part.column.layer, selection);
  const bundle = part.bundles.findIndex(({ first, count }) => f >= first && f < first + count);
  const { to: unit, first } = part.bundles[bundle] ?? { to: -1, first: 0 };
  const focus = bundle < 0 ? null : { column: part.number, unit, bundle, entry: f - first };
  return { focus, isPointed: false };
}

function sceneOf(
  given: Given,
  asked: { frame: Frame; settings: Settings; flow: Flow | null },
  { window, looks }: Pick<NetworkDrawing, "window" | "looks">,
  keep: Keep,
): NetworkScene {
  const { store, theme, width, ratio, pointed } = given;
  const { frame, settings, flow } = asked;
  const { height, strip, below, narrow } = heightsOf(given, asked, keep);
  const room = { x: 0, y: 0, width, height: height - below };
  const diagram = diagramOf(given, { ...asked, room, window }, keep);
  const { graph, layout, parts, scores } = diagram;
  const { focus: marked, isPointed } = focusOf(diagram, given);
  const focus = isPointed || looks ? marked : null;
  const closeUp = closeUpOf(diagram, focus, pointed);
  const lit = !focus && closeUp?.kind === "unit" ? closeUp : null;
  const legs = lit ? strongestPath(diagram, lit) : [];
  const foot = stripOf(given, settings, { y: room.height, narrow, height: below });
  const { colours } = theme;
  const clip = { x: window.x, y: window.y, width: room.width, height: room.height };
  const moved = (marks: readonly Mark[]): Mark[] => [
    { kind: "group", at: [room.x - window.x, room.y - window.y], clip, marks },
  ];
  const place = [layout, theme.name, ratio, window.x, window.y];
  const sizes = parts.map(({ relevance }) => relevance?.sizes);
  const verdict = verdictOf(diagram);
  // What is pointed at stands out; what is selected has a frame.
  const strength = isPointed ? 0.4 : focus ? 0.85 : 1;
  const unfocused = () => [
    ...strongestPathFrames(diagram, legs, colours),
    ...(lit ? namedMarks(diagram, lit, theme) : []),
    ...(marked ? chosenMarks(diagram, marked, colours.accent) : []),
  ];

  return {
    diagram,
    room,
    settings,
    asks: null,
    pad: padOf(diagram),
    verdict,
    closeUp,
    omits: parts.some(({ bundles, links }) => links.length < bundles.length),
    width,
    height,
    title: "Network",
    moment: `step ${formatCount(frame.step)}`,
    words: description(diagram),
    about: JSON.stringify([graph.columns.map(({ name, units: n }) => [name, n]), settings.example]),
    caption: captionOf(diagram, verdict, lit ? legs.length : 0, theme),
    sheets: [
      {
        from: [...place, ...sizes, strength, lit?.column],
        marks: () => moved(linkMarks(diagram, theme, strength, lit?.column ?? -1)),
      },
      {
        marks: () =>
          moved([
            ...strongestPathLines(diagram, legs, colours),
            ...(lit ? litMarks(diagram, lit, theme) : []),
          ]),
      },
      {
        from: [...place, frame, flow, settings.example],
        marks: () =>
          moved([...frontMarks(diagram, theme), ...(scores ? scoreMarks(diagram, theme) : [])]),
      },
      {
        marks: () =>
          moved(focus ? focusMarks(diagram, focus, closeUp, isPointed, theme) : unfocused()),
      },
      { marks: () => moved(headMarks(diagram, theme)) },
      { marks: () => miniMarks(diagram, theme) },
      {
        marks: () => [
          rects([0, room.height, width, below], { fill: colours.surface }),
          line([0, room.height + 0.5, width, room.height + 0.5], colours.line),
          ...foot.marks(),
          ...(strip > 0 ? closeUpMarks(diagram, closeUp, foot.close, store.alone(), theme) : []),
        ],
      },
    ],
    sites: sitesOf([...diagramSites(diagram), ...foot.sites]),
  };
}

/** Pixels of all, of the close-up (0 where the diagram needs all), and of what stands below the diagram. */
function heightsOf(
  given: Given,
  { frame, settings }: { frame: Frame; settings: Settings },
  keep: Keep,
) {
  const { store, width, get, seen } = given;
  const narrow = width < (settings.compared ? NARROW.compared : NARROW.alone);
  // What stands below in a narrow page takes nothing from the diagram.
  const more = narrow && store.probe() !== null ? EXAMPLES : 0;
  // The units of a column are large enough to be seen, within bounds.
  const { columns } = graphIn(given, frame, keep);
  const most = Math.max(...columns.map(({ units, map }) => (map ? units : units / 2)));
  const wanted = Math.min(narrow ? ROOM.narrow : ROOM.most, ROOM.unit * most + HEAD);
  const asked = Number(get("height"));
  const own = more + (asked || STRIP.most + Math.max(ROOM.least, wanted));
  const height = given.room || Math.min(own, asked ? own : Math.max(LEAST.all, seen ?? own));
  const free = height - more;
  const room = Math.max(STRIP.least, Math.min(STRIP.most, Math.round(STRIP.share * free)));
  const strip = free - room >= LEAST.diagram ? room : 0;
  return { height, strip, narrow, below: more + (strip || Math.min(more, GAP)) };
}

/** Where one draws: the picture of the input. */
function padOf({ layout, room, window, settings }: Diagram): Rect | null {
  const [first] = layout.columns;
  if (settings.example >= 0 || !first?.column.map) return null;
  const box = first.units[0];
  return { ...box, x: box.x - window.x + room.x, y: box.y - window.y + room.y };
}

function diagramSites(diagram: Diagram) {
  const { parts, room, window, graph } = diagram;
  const sites: { id: string; box: Rect; words: string }[] = [];
  const add = (id: string, box: Rect, words: string) => {
    const [x, y] = [box.x - window.x, box.y - window.y];
    const top = Math.max(y, HEAD * 0.6);
    const bottom = Math.min(y + box.height, room.height);
    if (bottom - top < 2 || x + box.width < 0 || x > room.width) return;
    sites.push({ id, box: { ...box, x, y: top, height: bottom - top }, words });
  };
  for (const part of parts) {
    const { number } = part;
    for (const { stations, box } of part.slim) {
      const words = stations.map((station) => stationWords(graph.stations[station]));
      add(`s:${stations[0]}`, box, words.join(", then "));
    }
    for (const [n, box] of thumbsOnce(part)) add(`e:${number}:${n}`, box, thumbWords(part, n));
    for (const unit of part.units) {
      const box = part.bars > 0 ? { ...unit, width: unit.width + part.bars } : unit;
      add(`u:${number}:${unit.unit}`, box, unitWords(diagram, part, unit.unit));
    }
  }
  return sites;
}

const TILE = 34;
const BETWEEN = 6;
const LEFT = 10;

/** Small pictures of the examples; empty where they are no images. */
function picturesOf({ shape, inputs }: Probe): Pixels[] {
  const [count, channels, height, width] = shape;
  return shape.length === 4 ? thumbnailsOf({ count, channels, height, width, data: inputs }) : [];
}

export function canDraw(probe: Probe | null): boolean {
  return probe !== null && probe.shape.length === 4 && probe.shape[1] === 1;
}

/** `close` is the room for the close-up. */
export function stripOf(
  { store, width, still, theme: { colours } }: Given,
  { example, picker, compared }: Settings,
  { y, narrow, height }: { y: number; narrow: boolean; height: number },
): { sites: { id: string; box: Rect; words: string }[]; close: Rect; marks(): Mark[] } {
  // Of several diagrams that are narrow each has them: so what is below is as high in all of them.
  const probe = picker || narrow ? store.probe() : null;
  const count = probe ? probe.shape[0] : 0;
  const draws = canDraw(probe) && !still;
  const top = y + (narrow ? 20 : 24);
  const rows = narrow ? 1 : Math.max(1, Math.floor((y + height - top) / (TILE + BETWEEN)));
  const across = narrow ? 100 : Math.max(1, Math.min(6, Math.ceil((count + 1) / rows)));
  const tiles = Array.from({ length: count + (draws ? 1 : 0) }, (_, k) => ({
    number: k < count ? k : -1,
    box: {
      x: LEFT + (k % across) * (TILE + BETWEEN),
      y: top + Math.floor(k / across) * (TILE + BETWEEN),
      width: TILE,
      height: TILE,
    },
  })).filter(({ box }) => box.x + TILE < width);
  const used = narrow || count === 0 ? 0 : LEFT + across * (TILE + BETWEEN) + 10;
  const close =
    narrow && count > 0
      ? { x: LEFT, y: y + 62, width: width - 2 * LEFT, height: height - 66 }
      : { x: used + LEFT, y: y + 4, width: width - used - 2 * LEFT, height: height - 8 };
  return {
    close,
    sites: tiles.map(({ number, box }) => ({
      id: `x:${number}`,
      box,
      words:
        number < 0
          ? "Draw an example of your own on the input"
          : `Example ${number} of ${count}: click to send it through the network`,
    })),
    marks() {
      if (!probe || count === 0) return [];
      const pictures = picturesOf(probe);
      const heading = compared ? "examples, for all" : "examples";
      const marks: Mark[] = [words(LEFT, y + 15, heading, colours.muted)];
      for (const { number, box } of tiles) {
        const pixels = pictures[number];
        if (pixels) marks.push({ kind: "image", box, pixels });
        else {
          const text = number < 0 ? "draw" : String(number);
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
