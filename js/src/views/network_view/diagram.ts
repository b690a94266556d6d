/** The diagram: the graph, what of it is shown, where it lies, and what an example makes of it. */

import { least, max, maxIndex, sum } from "d3-array";
import { formatAlike } from "../../phi/format.ts";
import { importance } from "../../phi/importance.ts";
import { allSame, type Keep } from "../../phi/memory.ts";
import type { Given } from "../../scene/drawing.ts";
import type { Rect } from "../../scene/marks.ts";
import { isUnderWay } from "../../wire/standing.ts";
import type { Frame, Probe } from "../../wire/types.ts";
import { type ClassScores, classScores, columnInput, type Flow } from "./flow.ts";
import {
  type Inputs,
  type LayerPicture,
  layerInputs,
  layerPicture,
  newReach,
  type ScaleReach,
  widenInputs,
} from "./functions.ts";
import {
  asDrawn,
  type Bundle,
  chosenUnits,
  type Graph,
  graphOf,
  type HeldUnits,
  noUnits,
  type Relevance,
  relevanceOf,
} from "./graph.ts";
import { layoutOf, type NetworkLayout, type PlacedColumn, roomFor } from "./layout.ts";
import { ranksOf, type ShownColumn } from "./rails.ts";

/** How one of several diagrams is like the others. */
export interface Compared {
  number: number;
  /** How far the bars of each reach, by its number: they have one scale. */
  reaches: Map<number, { most: number; least: number }>;
  /** Tells how high this one would be without examples below, and gives how high all are. */
  tallest(own: number): number;
}

export type Settings = ReturnType<typeof settingsOf>;

export function settingsOf(get: (trait: string) => unknown) {
  /** One of several diagrams, which are looked at for the same, on the same scale: no function is selected. */
  const compared = (get("compared") ?? null) as Compared | null;
  /** Number of the example; −1 for what was drawn. */
  const example = Math.round(Number(get("example") ?? 0));
  /** Whether the examples to choose from stand below the diagram: of several diagrams below one. */
  const picker = compared === null || compared.number === 0;
  /** The paths of a circuit, and the one that is drawn in place of the strongest. */
  const paths = (get("paths") ?? []) as CircuitPath[];
  const path = paths[Number(get("path"))] ?? null;
  const order = get("order") as Record<string, number[]> | null | undefined;
  return { example, picker, compared, paths, path, order };
}

/** A path that Python has found: its result, the unit before each layer, and what is said of it. */
export interface CircuitPath {
  target: number;
  units: Record<string, number>;
  words: string;
  title: string;
}

/** Which part of the diagram is seen: it is `scale` times as large as its room, and moved. */
export interface DiagramWindow {
  scale: number;
  x: number;
  y: number;
}

export const WHOLE: DiagramWindow = { scale: 1, x: 0, y: 0 };

/** A single object, so that what is memoized by it is found again. */
const NONE: number[] = [];

/** A column with the links that lead to it. */
export interface Part extends PlacedColumn, Omit<ShownColumn, "units"> {
  number: number;
  /** The column that its links come from. */
  before: Part | undefined;
  /** Whose functions are drawn large: those of the selected link, which have no place of their own, else of the path's; −1 if of none. */
  large: number;
  /** Which runs through them, the path's; −1 where those of another are drawn there, as while that is pointed at. */
  leg: number;
  isPassed: boolean;
  /** Null where no functions lead to it. */
  picture: LayerPicture | null;
  relevance: Relevance | null;
  /** Writes its numbers, all with as many decimals. */
  print(value: number): string;
}

/** What a diagram is drawn for. */
interface Asked {
  frame: Frame;
  settings: Settings;
  flow: Flow | null;
  room: Rect;
  window: DiagramWindow;
  /** What is selected, also while something else is pointed at. */
  selected: Focus | null;
  /** There is room for the close-up. */
  hasPlot: boolean;
}

/** What the strongest path goes by. */
export interface PathGiven extends Pick<Asked, "frame" | "flow"> {
  graph: Graph;
  relevances: readonly (Relevance | null)[];
}

/** A link on the path: the number of a bundle that leads to a column. */
export interface Leg {
  column: number;
  bundle: number;
  /** How much each unit before adds or subtracts for the example; null where that is not known. */
  adds: ReadonlyMap<number, number> | null;
}

export interface Diagram extends Asked {
  graph: Graph;
  /** The strongest path, from its end. */
  legs: readonly Leg[];
  parts: Part[];
  layout: NetworkLayout;
  probe: Probe | null;
  scores: ClassScores | null;
  /** The earlier frame whose functions are drawn as pale curves; null where none are. */
  ghost: Frame | null;
  /** Milliseconds until the strengths of links, now those of an earlier frame, can be computed again; else 0. */
  late: number;
  /** One looks back, or a film is made: scales stay. */
  isFilm: boolean;
  /** Whether the strengths of links mean something: an example has run through, or something was learnt. */
  isTold: boolean;
}

/** A unit that is looked at; `bundle` is one that leads to it, or −1. */
export interface Focus {
  column: number;
  unit: number;
  bundle: number;
  /** Number of the selected function in its bundle; null where none is. */
  entry: number | null;
}

/** While frames come in, strengths of links take at most this share of the time; of more than FEW, not before REST milliseconds. */
const SHARE = 0.1;
const FEW = 1000;
const REST = 250;

/** Frames of a film that are measured, of more functions than so many; of fewer all. */
const IN_FILM = { frames: 16, few: 100 };

interface Pace {
  /** When strengths were computed last, how many milliseconds that took, and for which frame. */
  at: number;
  took: number;
  frame: Frame | null;
}

/** Milliseconds until strengths may be computed again; 0 if they may be now. */
function waits({ at, took, frame: last }: Pace, frame: Frame, { store }: Given): number {
  const isLive = store.status().state === "live" && store.cursor() < 0;
  if (!isLive || last === null || last === frame) return 0;
  const rest = last.layout.layers.reduce((n, { count }) => n + count, 0) > FEW ? REST : 0;
  return Math.max(0, at + Math.max(rest, took / SHARE) - performance.now());
}

/** Frames over which scales stay, whichever is shown: some of those kept while one looks back; of a film those drawn first, its start, middle and end. From where a run has diverged each frame has a scale of its own: on that of the largest all others would be flat. */
function filmOf({ store, film }: Given, frame: Frame, keep: Keep): readonly Frame[] {
  const since = store.standing().diverged ?? Number.POSITIVE_INFINITY;
  if (frame.step >= since) return [];
  if (film) return keep<Frame[]>("film", [frame], (last) => [...(last ?? []), frame].slice(0, 3));
  const steps = store.cursor() < 0 ? [] : store.steps().filter((step) => step < since);
  const count = sum(frame.layout.layers, (layer) => layer.count);
  const every = count > IN_FILM.few ? Math.ceil(steps.length / IN_FILM.frames) : 1;
  const some = steps.filter((_, k) => k % every === 0);
  const frames = [...some, ...steps.slice(-1)].flatMap((step) => store.at(step) ?? []);
  return frames.filter(({ layout }) => layout === frame.layout);
}

function picturesOf(graph: Graph, request: Asked, given: Given, keep: Keep) {
  const { frame, flow } = request;
  const pace = keep<Pace>("pace", [graph], () => ({ at: 0, took: 0, frame: null }));
  const late = waits(pace, frame, given);
  const start = performance.now();
  const ghost = given.store.ghost();
  const film = filmOf(given, frame, keep);
  // At rest scales begin anew: a page that is loaded again, or saved, has the same, and so has one after a film.
  const moves = given.film || isUnderWay(given.store.standing());
  const isFilm = film.length > 0;
  const rest = moves ? null : isFilm ? "film" : frame;
  const pictures = graph.columns.map(({ layer }, k): LayerPicture | null => {
    if (!layer) return null;
    const observed = given.store.observed(layer.name);
    const of = late > 0 ? pace.frame : frame;
    const own = [layer.name, layer.count, observed !== null, rest];
    const reach = keep<ScaleReach>(`reach ${k}`, own, (last) => newReach(isFilm ? last : null));
    const inputs = keep<Inputs>(`inputs ${k}`, [layer, observed, rest], (last) =>
      // A film begins with the inputs of what was drawn before it, the newest.
      last && isFilm ? last : layerInputs(layer, observed, rest ? null : last),
    );
    widenInputs(inputs, layer, (flow && columnInput(graph, k, flow)?.values) ?? []);
    const strengths = keep<Float32Array>(`strengths ${k}`, [of, layer, observed], () =>
      importance(frame, layer, observed),
    );
    return keep<LayerPicture>(`picture ${k}`, [frame, reach, inputs.ends, strengths, ghost], () =>
      layerPicture(frame, layer, inputs.ends, strengths, ghost, reach, film),
    );
  });
  if (late === 0 && pace.frame !== frame) {
    const now = performance.now();
    Object.assign(pace, { at: now, took: now - start, frame });
  }
  return { pictures, late, isFilm };
}

/** How much each unit adds to what the path leads to, as bars have it; else what it has to give and take. The one on the path comes first. */
function weightsOf(
  { columns }: Graph,
  number: number,
  relevances: readonly (Relevance | null)[],
  legs: readonly Leg[],
  onPath: number | undefined,
): Float64Array {
  const weight = new Float64Array(columns[number].units);
  const adds = legs.find(({ column }) => columns[column].from[0] === number)?.adds;
  for (const [unit, size] of adds ?? []) weight[unit] = size;
  columns.forEach((other, k) => {
    const relevance = relevances[k];
    if (adds || !relevance || (k !== number && other.from[0] !== number)) return;
    other.bundles.forEach(({ from, to }, n) => {
      weight[k === number ? to : from] += weightOf(relevance, n);
    });
  });
  if (onPath !== undefined) weight[onPath] = Number.POSITIVE_INFINITY;
  return weight;
}

/** What is drawn by hand; null where an example runs. */
export const drawnIn = ({ settings: { example }, flow }: Pick<Asked, "settings" | "flow">) =>
  example < 0 ? flow?.values[0] : null;

export function graphIn({ store }: Given, frame: Frame, keep: Keep): Graph {
  const structure = store.structure();
  const probe = store.probe();
  return keep<Graph>("graph", [structure, frame.layout, probe], () =>
    graphOf(structure && asDrawn(structure, probe), frame.layout),
  );
}

/** `pathIn` finds the strongest path. */
export function diagramOf(
  given: Given,
  request: Asked,
  keep: Keep,
  pathIn: (given: PathGiven, scores: ClassScores | null) => Leg[] = () => [],
): Diagram {
  const { store } = given;
  const { frame, flow, room, window, selected } = request;
  const graph = graphIn(given, frame, keep);
  const scores = classScores(graph, flow);
  const { pictures, late, isFilm } = picturesOf(graph, request, given, keep);
  const relevances = graph.columns.map((column, k): Relevance | null => {
    const strengths = pictures[k]?.importance;
    if (!strengths) return null;
    return keep<Relevance>(`relevance ${k}`, [strengths, graph], () =>
      relevanceOf(column.bundles, strengths),
    );
  });
  const legs = pathIn({ graph, flow, frame, relevances }, scores);
  const onPath = new Map<number, number>();
  for (const { column, bundle } of legs) {
    const { bundles, from } = graph.columns[column];
    onPath.set(column, bundles[bundle].to).set(from[0], bundles[bundle].from);
  }
  const looksBack = !given.film && store.current() !== store.latest();
  const [width, height] = [room.width * window.scale, Math.round(room.height * window.scale)];
  const { order, compared, example } = request.settings;
  const ranks = order && keep<number[][]>("ranks", [graph, order], () => ranksOf(graph, order));
  const shown = graph.columns.map((column, k): ShownColumn => {
    const most = roomFor(column, height, width / graph.depths, compared !== null);
    const of = [graph, most, example, drawnIn(request), flow === null];
    const held = keep<HeldUnits>(`held ${k}`, of, noUnits);
    const end = onPath.get(k);
    const weight = () => weightsOf(graph, k, relevances, legs, end);
    // Whoever looks back sees the same as at rest, with what is on the path then.
    const from = looksBack ? [] : [end, ...legs.map(({ adds }) => adds), ...relevances];
    const chosen = keep<readonly number[]>(`units ${k}`, [held, ...from], () =>
      looksBack && held.units ? held.units : chosenUnits(weight(), most, held, frame.step),
    );
    if (!looksBack) held.units = chosen;
    const units = keep<readonly number[]>(`units drawn ${k}`, [chosen, end, order], (last) => {
      const weakest = least(chosen, (unit) => weight()[unit]);
      const isIn = end === undefined || chosen.includes(end);
      const own = chosen.map((unit) => (unit === weakest && !isIn ? end : unit));
      if (ranks) own.sort((a, b) => ranks[k][a] - ranks[k][b]);
      return last && allSame(own, last) ? last : own;
    });
    return { bundles: column.bundles, links: NONE, units };
  });
  shown.forEach((own, k) => {
    const before = shown[graph.columns[k].from[0]];
    const relevance = relevances[k];
    if (!before || !relevance) return;
    own.links = keep<number[]>(`links ${k}`, [relevance, before.units, own.units], (last) => {
      const links = linksOf(own, before, relevance);
      return last && allSame(links, last) ? last : links;
    });
  });
  const drawn = shown.flatMap(({ links, units }) => [links, units]);
  // Also while nothing is drawn yet: what is made of a drawing has its place.
  const made = flow?.blank ? graph.columns[graph.columns.length - 1].units : scores?.raw.length;
  const inside = { width, height, scale: window.scale, hasBars: (made ?? 0) > 1 };
  const from = [graph, ...Object.values(inside), ...drawn];
  const layout = keep<NetworkLayout>("layout", from, () => layoutOf(graph, shown, inside));
  const parts: Part[] = [];
  const fedBy = (number: number) =>
    pictures[graph.columns.findIndex(({ from: [k] }) => k === number)];
  layout.columns.forEach((placed, number) => {
    const leg = legs.find(({ column }) => column === number)?.bundle ?? -1;
    const own = selected?.column === number ? selected.bundle : -1;
    const large = own >= 0 && !placed.kernels.has(own) ? own : leg;
    const [kind, at, n] = given.pointed.id.split(":");
    parts.push({
      ...placed,
      ...shown[number],
      units: placed.units,
      number,
      before: parts[placed.column.from[0]],
      large,
      leg: large === leg ? leg : -1,
      isPassed: kind === "e" && Number(at) === number && Number(n) !== leg,
      picture: pictures[number],
      relevance: relevances[number],
      print: pictures[number]?.print ?? formatAlike(fedBy(number)?.x ?? []),
    });
  });
  const ghost = store.ghost()?.layout === frame.layout ? store.ghost() : null;
  return {
    ...request,
    ...{ graph, parts, layout, scores, ghost, late, legs, isFilm },
    probe: store.probe(),
    isTold: flow !== null || (ghost !== null && ghost !== frame),
  };
}

/** The links that matter, between units that are drawn. */
function linksOf({ bundles, units }: ShownColumn, before: ShownColumn, relevance: Relevance) {
  const [sources, targets] = [new Set(before.units), new Set(units)];
  if (sources.size * targets.size >= bundles.length) return relevance.shown;
  return relevance.shown.filter((n) => sources.has(bundles[n].from) && targets.has(bundles[n].to));
}

/** How strong a link is, of the strongest of its layer. */
export function weightOf(relevance: Relevance | null, n: number): number {
  return relevance ? relevance.sizes[n] / (relevance.most || 1) : 0;
}

/** How bold a link is: the share of an ensemble's networks that have its commonest function, or its strength. */
export function boldness({ column, bundles, relevance }: Part, n: number): number {
  const { first, count } = bundles[n];
  const band = column.layer?.band;
  if (!band) return weightOf(relevance, n);
  return (max(band.alive.subarray(first, first + count)) ?? 0) / band.count;
}

/** The strongest link into a unit, or of all of them; −1 where there is none. */
export function strongestInto(
  { bundles, relevance }: Pick<Part, "bundles" | "relevance">,
  unit: number | null,
): number {
  return maxIndex(bundles, ({ to }, n) =>
    unit === null || to === unit ? (relevance?.sizes[n] ?? 0) : undefined,
  );
}

/** The function of a bundle that varies most. */
export function strongestOf(
  { picture }: Part,
  { first, count }: Pick<Bundle, "first" | "count">,
): number {
  return Math.max(0, maxIndex(picture?.importance.subarray(first, first + count) ?? []));
}

/** Turns a place of the scene into one of the diagram. */
export function inDiagram({ room, window }: Diagram, { x, y }: { x: number; y: number }) {
  return { x: x - room.x + window.x, y: y - room.y + window.y };
}
