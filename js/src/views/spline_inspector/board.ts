/** What lies under the hands: the canvas, the keyboard's places over it, and the wheel. */

import { number } from "../../phi/format.ts";
import type { Point } from "../../scene/marks.ts";
import { putStyle } from "../../shell/element.ts";
import type { Shell } from "../../shell/mount.ts";
import { createPlaces, type Operable } from "../../shell/places.ts";
import { createStage, type Hands } from "../../shell/stage.ts";
import { takeWheel } from "../../shell/wheel.ts";
import type { Editing } from "./editing.ts";
import { describeHandle } from "./handles.ts";
import type { Movement } from "./movement.ts";
import type { InspectorScene, Touch } from "./scene.ts";
import { press, remove, type Switches } from "./settings.ts";

interface Means {
  touch: Touch;
  scene(): InspectorScene | null;
  editing: Editing;
  movement: Movement;
  switches: Switches;
  neighbour(step: number): void;
}

export function createBoard(shell: Shell, means: Means) {
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
    (event) => !inLegend(stage.at(event)),
  );

  return {
    stage,
    /** Puts the keyboard's places where the scene has them. */
    show(shown: InspectorScene) {
      points.show(pointPlaces(shown), touch.held ? `point:${touch.held.b}` : "");
      rows.show(rowPlaces(shown));
      placeHint(shell.root, shown);
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
      value: { now: Number(value.toPrecision(4)), text: number(value) },
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

/** What is said about the wheel stands over the plot, wherever that lies. */
function placeHint(root: HTMLElement, { places: { plot } }: InspectorScene) {
  const middle = `${Math.round(plot.x + plot.width / 2)}px`;
  putStyle(root, {
    "--kw-plot-middle": middle,
    "--kw-plot-end": `${Math.round(plot.y + plot.height)}px`,
  });
}
