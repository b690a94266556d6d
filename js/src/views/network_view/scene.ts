/** NetworkView's scene: the whole network, what an example makes of it, and what one number is made of. No DOM. */

import { functionOf, outputName } from "../../phi/entries.ts";
import { formatCount } from "../../phi/format.ts";
import { imagesOf, type RawArray, rangeOf } from "../../phi/images.ts";
import { type Keep, memory } from "../../phi/memory.ts";
import { paletteOf } from "../../phi/palette.ts";
import { createSketch, type Sketch } from "../../phi/sketch.ts";
import type { Drawing, Given } from "../../scene/drawing.ts";
import { type Mark, type Rect, type Scene, sitesOf } from "../../scene/marks.ts";
import { readActivationsTrait } from "../../wire/network.ts";
import type { Activations, Frame, Probe } from "../../wire/types.ts";
import {
  type CloseUp,
  closeUpTitles,
  functionsCloseUp,
  pixelCloseUp,
  unitCloseUp,
} from "./close_up.ts";
import { closeUpMarks } from "./close_up_marks.ts";
import { type Diagram, diagramOf, type Focus, graphIn, WHOLE, type Window } from "./diagram.ts";
import { createFlow, type Flow, isStale, unitValues } from "./flow.ts";
import { HEAD, thumbsOnce } from "./layout.ts";
import {
  chosenMarks,
  focusMarks,
  frontMarks,
  headMarks,
  linkMarks,
  litMarks,
  miniMarks,
  namedMarks,
} from "./marks.ts";
import { scoreMarks } from "./score_marks.ts";
import { scoresOf } from "./scores.ts";
import { type Settings, settingsOf } from "./settings.ts";
import { canDraw, stripOf } from "./strip.ts";
import { strongestPath, strongestPathFrames, strongestPathLines } from "./strongest_path.ts";
import {
  asOf,
  captionOf,
  description,
  stationWords,
  thumbWords,
  unitWords,
  verdictOf,
} from "./words.ts";

export const CLOSEST = 12;

export interface NetworkScene extends Scene {
  diagram: Diagram;
  /** The room of the diagram in the scene. */
  room: Rect;
  focus: Focus | null;
  closeUp: CloseUp | null;
  settings: Settings;
  /** What only the model can compute: a drawing at a step; null where nothing is asked of it. */
  asks: string | null;
  /** Where a drawing is shown, and can be drawn on if it is large enough; null where none is. */
  pad: Rect | null;
  /** What the network says of the example. */
  verdict: string;
  /** Not all links are shown. */
  omits: boolean;
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
  const units = new Map<string, number[]>();
  const sketch = createSketch();
  const draw: NetworkDrawing = (given) => {
    const frame = given.store.current();
    if (!frame) return "waiting for the first frame…";
    if (frame.layout.layers.length === 0) return "no layer to draw";
    const settings = settingsOf(given.get);
    const probe = given.store.probe();
    const drawn =
      settings.example < 0 && canDraw(probe) ? drawnOn(probe as Probe, given.get) : null;
    const kept = given.get("drawn");
    const modelled = keep<Activations | null>("modelled", [kept], () => readActivationsTrait(kept));
    const { flow, asks } = flowOf(
      given.store,
      frame,
      Math.max(0, settings.example),
      drawn,
      modelled,
    );
    const scene = sceneOf(given, frame, settings, flow, draw, keep, units);
    scene.asks = asks ? `${sketch.version()} at ${frame.step}` : null;
    return scene;
  };
  draw.window = WHOLE;
  draw.looks = false;
  draw.sketch = sketch;
  return draw;

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

function focusOf(
  diagram: Diagram,
  { store, pointed }: Given,
  { compared }: Settings,
): { focus: Focus | null; pointed: boolean } {
  const [kind, column, number] = pointed.id.split(":");
  if (kind === "u") {
    const focus = { column: Number(column), unit: Number(number), bundle: -1, entry: null };
    return { focus, pointed: true };
  }
  if (kind === "e") {
    const k = Number(column);
    const bundle = Number(number);
    const unit = diagram.shown[k].bundles[bundle]?.to ?? -1;
    return { focus: { column: k, unit, bundle, entry: null }, pointed: true };
  }
  const selection = compared ? null : store.selection();
  const { columns } = diagram.graph;
  const k = columns.findIndex(({ layer }) => layer !== null && layer.name === selection?.layer);
  const { layer } = columns[k] ?? {};
  if (!layer) return { focus: null, pointed: false };
  const f = functionOf(layer, selection);
  const bundle = diagram.shown[k].bundles.findIndex(
    ({ first, count }) => f >= first && f < first + count,
  );
  if (bundle < 0) return { focus: null, pointed: false };
  const unit = diagram.shown[k].bundles[bundle].to;
  const entry = f - diagram.shown[k].bundles[bundle].first;
  return { focus: { column: k, unit, bundle, entry }, pointed: false };
}

/** What is looked at closely: what is pointed at or selected, else what the network says. */
function closeUpOf(diagram: Diagram, focus: Focus | null, given: Given): CloseUp | null {
  const { graph, flow, layout } = diagram;
  const then = flow?.frame;
  if (!flow || !then) return functionsOf(diagram, focus);
  const last = graph.columns.length - 1;
  const scores = scoresOf(graph, flow);
  const at = focus ?? { column: last, unit: scores?.best ?? 0, bundle: -1, entry: null };
  const column = graph.columns[at.column];
  if (column.layer?.window) return functionsOf(diagram, focus);
  if (column.layer?.kind === "linear") {
    return unitCloseUp(graph, at.column, flow, then, at.unit);
  }
  if (!column.layer || !column.map) return functionsOf(diagram, focus);
  const box = layout.columns[at.column].byUnit.get(at.unit);
  const [rows, columns] = column.map;
  let place = strongest(unitValues(flow, column.station, at.unit), columns);
  const on = given.pointed.at;
  if (box && on && given.pointed.id.startsWith("u:")) {
    const [x, y] = inDiagram(diagram, on);
    place = {
      row: within(((y - box.y) / box.height) * rows, rows),
      at: within(((x - box.x) / box.width) * columns, columns),
    };
  }
  const wanted = at.bundle < 0 ? -1 : inputOfBundle(diagram, at);
  return pixelCloseUp(graph, at.column, flow, then, at.unit, place.row, place.at, wanted);
}

/** Of the unit or the link that is looked at, by itself of the strongest link of the first layer. */
function functionsOf({ graph, shown, relevances, pictures, frame }: Diagram, focus: Focus | null) {
  const first = graph.columns.findIndex(({ layer }) => layer !== null);
  const at = focus && graph.columns[focus.column].layer ? focus : null;
  const k = at?.column ?? first;
  const { layer } = graph.columns[k] ?? {};
  const { sizes } = relevances[k] ?? {};
  const { bundles } = shown[k] ?? { bundles: [] };
  let n = at && at.bundle >= 0 ? at.bundle : -1;
  bundles.forEach(({ to }, other) => {
    if (at && (at.bundle >= 0 || to !== at.unit)) return;
    if (n < 0 || (sizes?.[other] ?? 0) > (sizes?.[n] ?? 0)) n = other;
  });
  if (!layer || !bundles[n]) return null;
  const { first: f, count } = bundles[n];
  const own = pictures[k]?.importance.subarray(f, f + count);
  const entry = own ? own.reduce((best, value, e) => (value > own[best] ? e : best), 0) : 0;
  return functionsCloseUp(k, layer, bundles[n], entry, frame);
}

function inputOfBundle({ graph, shown }: Diagram, { column, bundle }: Focus): number {
  const { layer } = graph.columns[column];
  const { first } = shown[column].bundles[bundle];
  if (!layer) return -1;
  const [, inputs, kh, kw] = layer.shape;
  return Math.floor(first / (kh * kw)) % inputs;
}

/** The pixel with the largest size. */
function strongest(values: Float32Array | null, columns: number) {
  let best = 0;
  values?.forEach((value, k) => {
    if (Math.abs(value) > Math.abs(values[best])) best = k;
  });
  return { row: Math.floor(best / columns), at: best % columns };
}

function within(value: number, count: number): number {
  return Math.max(0, Math.min(count - 1, Math.floor(value)));
}

function inDiagram({ room, window }: Diagram, { x, y }: { x: number; y: number }) {
  return [x - room.x + window.x, y - room.y + window.y] as const;
}

function sceneOf(
  given: Given,
  frame: Frame,
  settings: Settings,
  flow: Flow | null,
  { window, looks }: Pick<NetworkDrawing, "window" | "looks">,
  keep: Keep,
  units: Map<string, number[]>,
): NetworkScene {
  const { store, theme, width, ratio } = given;
  const narrow = width < (settings.compared ? NARROW.compared : NARROW.alone);
  const more = narrow && store.probe() !== null ? EXAMPLES : 0;
  // What stands below in a narrow page takes nothing from the diagram.
  const asked = Number(given.get("height"));
  const own = more + (asked || STRIP.most + roomOf(given, frame, keep, narrow));
  const most = asked ? own : Math.max(LEAST.all, given.seen ?? own);
  const height = given.room || Math.min(own, most);
  const strip = closeRoom(height - more);
  const below = more + (strip || Math.min(more, GAP));
  const room = { x: 0, y: 0, width, height: height - below };
  const diagram = diagramOf(given, frame, settings, flow, room, window, keep, units);
  const { graph, layout } = diagram;
  const { focus: marked, pointed: isPointed } = focusOf(diagram, given, settings);
  const focus = isPointed || looks ? marked : null;
  const closeUp = closeUpOf(diagram, focus, given);
  const lit = !focus && closeUp?.kind === "unit" ? closeUp : null;
  const legs = lit ? strongestPath(diagram, lit) : [];
  const foot = stripOf(given, settings, { y: room.height, width, narrow, height: below });
  const palette = paletteOf(theme.name);
  const shift: [number, number] = [room.x - window.x, room.y - window.y];
  const clip = { x: window.x, y: window.y, width: room.width, height: room.height };
  const moved = (marks: readonly Mark[]): Mark[] => [{ kind: "group", at: shift, clip, marks }];
  const { colours } = theme;
  const steady = [layout, diagram.relevances.map((each) => each?.sizes), theme.name, ratio];
  const scores = scoresOf(graph, flow);
  const known = [layout, frame, flow, theme.name, ratio, window.x, window.y];
  const pad = padOf(diagram, settings);
  const verdict = verdictOf(diagram, scores, store.probe(), settings);
  // What is pointed at stands out; what is selected has a frame.
  const strength = isPointed ? 0.4 : focus ? 0.85 : 1;

  return {
    diagram,
    room,
    focus,
    closeUp,
    settings,
    asks: null,
    pad,
    verdict,
    omits: diagram.shown.some(({ bundles, links }) => links.length < bundles.length),
    width,
    height,
    title: "Network",
    moment: `step ${formatCount(frame.step)}`,
    words: description(diagram, scores, store.probe(), settings),
    about: JSON.stringify([graph.columns.map(({ name, units: n }) => [name, n]), settings.example]),
    caption: captionOf(diagram, verdict, settings, lit ? legs.length : 0, theme),
    sheets: [
      {
        from: [...steady.flat(), window.x, window.y, strength, lit?.column],
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
        from: [...known, settings.example],
        marks: () =>
          moved([...frontMarks(diagram, theme, palette), ...barMarks(diagram, given, settings)]),
      },
      {
        marks: () =>
          moved(
            focus
              ? focusMarks(diagram, focus, closeUp, isPointed, theme, palette)
              : [
                  ...strongestPathFrames(diagram, legs, colours),
                  ...(lit ? namedMarks(diagram, lit, theme) : []),
                  ...(marked ? chosenMarks(diagram, marked, colours.accent) : []),
                ],
          ),
      },
      { marks: () => moved(headMarks(diagram, theme)) },
      { marks: () => miniMarks(diagram, theme) },
      {
        marks: () => [
          { kind: "rects", boxes: [0, room.height, width, below], fill: colours.surface },
          {
            kind: "lines",
            xy: [0, room.height + 0.5, width, room.height + 0.5],
            ends: [2],
            stroke: colours.line,
          },
          ...foot.marks(theme),
          ...(strip > 0 ? closeMarks(foot.close) : []),
        ],
      },
    ],
    sites: sitesOf([...diagramSites(diagram, scores), ...foot.sites]),
  };

  function closeMarks(place: Rect): Mark[] {
    const titles = titlesOf(diagram, closeUp);
    const late = closeUp?.kind === "functions" ? "" : asOf(diagram);
    const { compared } = settings;
    const isAlone = store.alone();
    return closeUpMarks(
      ...([closeUp, titles, place, theme, palette, diagram, late, isAlone, compared] as const),
    );
  }

  function barMarks(of: Diagram, { store: from }: Given, chosen: Settings): Mark[] {
    const labels = from.probe()?.labels ?? null;
    const label = chosen.example >= 0 ? (labels?.[chosen.example] ?? null) : null;
    return scores ? scoreMarks(of, scores, label, isStale(flow, frame), theme) : [];
  }
}

/** Pixels of the close-up, of those that it has together with the diagram; 0 where that needs all. */
function closeRoom(height: number): number {
  const room = Math.max(STRIP.least, Math.min(STRIP.most, Math.round(STRIP.share * height)));
  return height - room >= LEAST.diagram ? room : 0;
}

/** Pixels of the diagram by itself: so that the units of a column are large enough to be seen, within bounds. */
function roomOf(given: Given, frame: Frame, keep: Keep, narrow: boolean): number {
  const { columns } = graphIn(given, frame, keep);
  const most = Math.max(...columns.map(({ units, map }) => (map ? units : units / 2)));
  return Math.max(ROOM.least, Math.min(narrow ? ROOM.narrow : ROOM.most, ROOM.unit * most + HEAD));
}

/** Where one draws: the picture of the input. */
function padOf({ layout, room, window }: Diagram, { example }: Settings): Rect | null {
  const [first] = layout.columns;
  if (example >= 0 || !first?.column.map) return null;
  const box = first.units[0];
  return { ...box, x: box.x - window.x + room.x, y: box.y - window.y + room.y };
}

function titlesOf({ graph, flow }: Diagram, closeUp: CloseUp | null): string[] {
  if (!closeUp) return [];
  const isLast = closeUp.column === graph.columns.length - 1;
  const { name: own, layer } = graph.columns[closeUp.column];
  const score = scoresOf(graph, flow)?.probabilities ? "the score of" : "output";
  const unit = outputName(layer ?? {}, closeUp.unit, isLast ? score : own);
  const name = isLast || !layer?.names ? unit : `${own} ${unit}`;
  return closeUpTitles(closeUp, name);
}

function diagramSites(diagram: Diagram, scores: ReturnType<typeof scoresOf>) {
  const { layout, room, window, graph } = diagram;
  const sites: { id: string; box: Rect; words: string }[] = [];
  const seen = (box: Rect): Rect | null => {
    const moved = { ...box, x: box.x - window.x, y: box.y - window.y };
    const top = Math.max(moved.y, HEAD * 0.6);
    const bottom = Math.min(moved.y + moved.height, room.height);
    if (bottom - top < 2 || moved.x + moved.width < 0 || moved.x > room.width) return null;
    return { ...moved, y: top, height: bottom - top };
  };
  const add = (id: string, box: Rect, words: string) => {
    const on = seen(box);
    if (on) sites.push({ id, box: on, words });
  };
  layout.columns.forEach((placed, k) => {
    for (const { stations, box } of placed.slim) {
      const words = stations.map((station) => stationWords(graph.stations[station]));
      add(`s:${stations[0]}`, box, words.join(", then "));
    }
    for (const [n, box] of thumbsOnce(placed)) add(`e:${k}:${n}`, box, thumbWords(diagram, k, n));
    for (const unit of placed.units) {
      const box = placed.bars > 0 ? { ...unit, width: unit.width + placed.bars } : unit;
      add(`u:${k}:${unit.unit}`, box, unitWords(diagram, k, unit.unit, scores));
    }
  });
  return sites;
}
