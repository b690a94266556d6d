/** SplineInspector: its header, the hands on its scene, and what is said about it. */

import { placeText, selectionOf } from "../../phi/entries.ts";
import { formatNumber } from "../../phi/format.ts";
import type { Point } from "../../scene/marks.ts";
import { takeWheel } from "../../shell/chart_hands.ts";
import { createLayerView } from "../../shell/layer_view.ts";
import { type Kind, type Parts, type Shell, type ViewElement, viewOf } from "../../shell/mount.ts";
import { pointedPixelOf } from "../../shell/pointed_pixel.ts";
import { createPlaces, type Operable } from "../../shell/site_elements.ts";
import { createStage, type Hands, type Stage } from "../../shell/stage.ts";
import type { Selection } from "../../wire/types.ts";
import { createEditing, createMovement, type Movement } from "./editing.ts";
import { describeHandle } from "./handles.ts";
import { createHeader } from "./header.ts";
import { drawing, type InspectorScene, placeIn, type Touch } from "./scene.ts";
import {
  press,
  remove,
  type Switches,
  settingsReader,
  togglePin,
  type WireOverlay,
} from "./settings.ts";
import css from "./style.css";
import { phiOf } from "./terms.ts";
import { toX, toY } from "./window.ts";
import { footText, UNREAD } from "./words.ts";

export { css, drawing };

const KIND: Kind = {
  name: "spline_inspector",
  label: "Spline inspector",
  drawing,
};

export const render = viewOf(KIND, build);

function build(shell: Shell): Parts {
  const draw = drawing();
  const { touch } = draw;
  const readSettings = settingsReader();
  const settings = () => readSettings(shell.get);
  let seen: InspectorScene | null = null;
  let lastNews = "";
  const scene = () => seen;
  const place = () => {
    const store = shell.store();
    return store && placeIn(store, shell.get);
  };
  const editing = createEditing(shell, touch, scene);
  const movement = createMovement(touch, scene, shell);
  const switches: Switches = {
    settings,
    overlays: () => (shell.get("overlays") ?? []) as WireOverlay[],
    choose: shell.choose,
    select,
  };

  function select(at: Selection) {
    editing.end();
    shell.store()?.select(at);
    shell.schedule();
  }

  function selectFirst(name: unknown) {
    const layers = shell.store()?.current()?.layout.layers;
    const layer = layers?.find((other) => other.name === name);
    if (layer) select(selectionOf(layer, 0));
  }

  function neighbour(step: number) {
    const phi = phiOf(shell.store()?.current() ?? null, place());
    if (!phi) return;
    const { count } = phi.layer;
    const next = selectionOf(phi.layer, (phi.f + step + count) % count);
    select(next);
    shell.speak(placeText(phi.layer, next));
  }

  const board = createBoard(shell, { touch, scene, editing, movement, switches, neighbour });
  const { stage } = board;
  const actions = {
    layer(name: string) {
      shell.choose("layer", name);
      selectFirst(name);
    },
    select,
    neighbour,
    pin() {
      const at = place();
      if (at) togglePin(at, switches);
    },
    command: editing.command,
  };
  const header = createHeader(shell, movement, actions);
  const listen = listenToProbe(shell, touch);
  const view = createLayerView(shell, stage);

  return {
    forTests: forTests(scene, stage, view.drawn),
    header: header.element,
    stage,
    fileName() {
      const at = seen?.picture.at;
      const place = at ? `${at.layer} ${at.out}-${at.in}-${at.row}-${at.column}` : "";
      return `spline-inspector ${place} step ${seen?.picture.frame.step ?? ""}`;
    },
    still(given) {
      const saved = drawing();
      saved.touch = { ...touch, reading: null };
      return saved(given);
    },
    changed(what) {
      editing.changed(what);
      if (what === "stream") listen();
      const chosen = shell.store()?.selection();
      const layer = shell.get("layer");
      if (what === "layer" && chosen && chosen.layer !== layer) selectFirst(layer);
    },
    cleared() {
      seen = null;
      header.show(settings());
    },
    draw(given) {
      editing.settle();
      const shown = view.show(given, null, Number.POSITIVE_INFINITY, draw);
      if (typeof shown === "string") return shown;
      seen = shown;
      // The keyboard goes on from where the pointer reads.
      if (stage.pointed().at) touch.reading = shown.reading?.x ?? null;
      header.show(shown.settings);
      board.show(shown);
      lastNews = sayNews(shell, shown, editing.isLate(), lastNews);
      return shown;
    },
  };
}

/** Draws again when another view points at other inputs, of whichever stream is shown. */
function listenToProbe(shell: Shell, touch: Touch): () => void {
  let connection = new AbortController();
  shell.signal.addEventListener("abort", () => connection.abort(), { once: true });
  touch.pointedAt = (at) => {
    const store = shell.store();
    const other = store && pointedPixelOf(store).current();
    return other?.layer === at.layer ? other.valueFor(at) : null;
  };
  return () => {
    connection.abort();
    connection = new AbortController();
    const store = shell.store();
    if (store) pointedPixelOf(store).subscribe(shell.schedule, connection.signal);
  };
}

/** Writes the line below, and says aloud what is new of warnings. */
function sayNews(shell: Shell, shown: InspectorScene, late: boolean, said: string): string {
  const store = shell.store();
  if (!store) return said;
  const { settings, picture } = shown;
  const { text, warns } = footText(settings, picture.phi.layer.locked, store, late);
  shell.read(text || UNREAD, false, warns);
  const news = warns ? text : "";
  if (news && news !== said) shell.speak(news);
  return news;
}

interface Means {
  touch: Touch;
  scene(): InspectorScene | null;
  editing: ReturnType<typeof createEditing>;
  movement: Movement;
  switches: Switches;
  neighbour(step: number): void;
}

/** What lies under the hands: the canvas, the keyboard's places over it, and the wheel. */
function createBoard(shell: Shell, means: Means) {
  const { document, signal } = shell;
  const { touch, scene, editing, movement, switches } = means;

  function pressed(id: string) {
    if (id.startsWith("row:")) press(id.slice(4), switches);
    if (id.startsWith("remove:")) remove(id.slice(7), switches);
  }

  const inLegend = ({ x, y }: Point) => {
    const box = scene()?.legend.box;
    return box !== undefined && x >= box.x && y >= box.y;
  };
  const hands: Hands = {
    moved: shell.schedule,
    press: pressed,
    twice: (id, event) => id === "" && !inLegend(stage.at(event)) && movement.fit(),
    grab(id, at) {
      const held = editing.drag(id);
      if (!held) return id === "" && !inLegend(at) ? movement.pan(at) : null;
      points.remember(id);
      return { ...held, focus: points.of(id) };
    },
    holds: (id) => id.startsWith("point:") && scene()?.editable === true,
    left() {
      touch.reading = null;
    },
    keyFirst(event) {
      const way = { "[": -1, PageUp: -1, "]": 1, PageDown: 1 }[event.key];
      if (way === undefined) return movement.key(event);
      means.neighbour(way);
      return true;
    },
    cursor(id) {
      const { at } = stage.pointed();
      if (id.startsWith("point:")) return scene()?.editable ? "ns-resize" : "crosshair";
      return id ? "pointer" : at && inLegend(at) ? "default" : "crosshair";
    },
    title: (id) => scene()?.sites.words(id) ?? "",
  };
  const stage = createStage(document, hands, signal);
  const points = createPlaces(
    document,
    "Control points",
    "slider",
    { key: editing.key, released: editing.end },
    signal,
  );
  const rows = createPlaces(document, "What is drawn", "button", { press: pressed }, signal);
  stage.page.append(points.element, rows.element);
  takeWheel(
    stage.element,
    (event) => {
      const at = stage.at(event);
      return inLegend(at) ? null : movement.turn(event, at);
    },
    signal,
  );

  return {
    stage,
    /** Puts the keyboard's places where the scene has them. */
    show(shown: InspectorScene) {
      points.show(pointPlaces(shown), touch.held ? `point:${touch.held.b}` : "");
      rows.show(rowPlaces(shown));
    },
  };
}

function pointPlaces({ picture, sites, editable }: InspectorScene): Operable[] {
  const { phi, handles } = picture;
  return handles.map((handle) => {
    const id = `point:${handle.b}`;
    const value = phi.coefficients[handle.b];
    return {
      id,
      box: sites.box(id),
      label: describeHandle(phi.layer.variable, handle),
      disabled: !editable,
      value: { now: Number(value.toPrecision(4)), text: formatNumber(value) },
    };
  });
}

function rowPlaces({ legend, sites }: InspectorScene): Operable[] {
  return legend.rows.flatMap(({ row, box, remove: away }) => {
    const own = { id: `row:${row.key}`, box, label: row.label, pressed: row.on };
    const id = `remove:${row.key}`;
    return away ? [own, { id, box: away, label: sites.words(id) }] : [own];
  });
}

/** What tests and other tools may ask of it. */
export type InspectorElement = ViewElement<InspectorScene, ReturnType<typeof forTests>>;

function forTests(
  scene: () => InspectorScene | null,
  stage: Stage,
  drawn: () => { frames: number; milliseconds: number },
) {
  return {
    step: () => scene()?.picture.frame.step ?? null,
    selection: () => scene()?.picture.at ?? null,
    /** A curve as drawn: "phi", "base", "spline", "ghost", "pin0", "overlay0", or a basis function's label. */
    curve(name: string) {
      const found = scene()?.picture.curves.find((one) => one.name === name);
      return found ? { x: Array.from(found.x), y: Array.from(found.y) } : null;
    },
    /** Where a point of the plane lies, in client pixels. */
    point(x: number, y: number) {
      const now = scene();
      if (!now) return null;
      const { picture, y: up, places } = now;
      const at = { x: toX(picture.x, places.plot, x), y: toY(up, places.plot, y) };
      const { x: left, y: top } = stage.clientRect({ ...at, width: 0, height: 0 });
      return { x: left, y: top };
    },
    plot() {
      const plot = scene()?.places.plot;
      return plot ? stage.clientRect(plot) : null;
    },
    drawn,
  };
}
