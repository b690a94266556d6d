/** NetworkView: the header, the hands on its scene, and which part of it is seen. Everything but edits works without Python. */

import type { Point, Rect } from "../../scene/marks.ts";
import { takeWheel } from "../../shell/chart_hands.ts";
import { createKit } from "../../shell/controls.ts";
import { atEnd, element, putStyle } from "../../shell/element.ts";
import { type Kind, type Parts, type Shell, viewOf } from "../../shell/mount.ts";
import { createPad } from "../../shell/pad.ts";
import { createPen } from "../../shell/pen.ts";
import { createViewStage } from "../../shell/stage.ts";
import type { Store } from "../../wire/types.ts";
import { type DiagramWindow, settingsOf, WHOLE } from "./diagram.ts";
import { selectionAt } from "./focus.ts";
import { CLOSEST, drawing, type NetworkDrawing, type NetworkScene } from "./scene.ts";
import css from "./style.css";

export { css, drawing };

const KIND: Kind = {
  name: "network_view",
  label: "Network",
  above: true,
  keyBelow: true,
  fits: true,
  drawing,
};
/** Milliseconds that an answer of the model is waited for before it is asked again. */
const PATIENCE = 3000;
/** Milliseconds after which no other frame is about to come; and between two pictures of what cross-fades. */
const ALONE = 500;
const FADING = 50;
/** A notch of a wheel turns by no more than this, and makes the picture a sixth larger. */
const NOTCH = 30;
/** Pixels from which on a hand can draw on the input itself. */
const ROOMY = 64;
const HINT = "Point at a link to see its function. Click selects, Ctrl + wheel zooms.";

export const render = viewOf(KIND, build);

function build(shell: Shell<NetworkScene>): Parts<NetworkScene> {
  const { signal, scene } = shell;
  const draw = drawing();
  const camera = createCamera(draw, scene, shell.schedule);
  const { isZoomed } = camera;
  const { acts, key } = createActs(shell, camera, () => pen.clear());
  const isPad = (id: string) => scene()?.pad && id === "u:0:0";
  const stage = createViewStage(shell, {
    press,
    key,
    // Links lie everywhere: what is zoomed is dragged by any place but the one that is drawn on.
    grab: (id, at) => (isZoomed() && !isPad(id) && !id.startsWith("x:") ? camera.drag(at) : null),
    cursor: (id) => (id === "" ? (isZoomed() ? "grab" : "") : isPad(id) ? "crosshair" : "pointer"),
  });
  const pen = createPen(shell, stage, draw.sketch, () => roomy(scene()?.pad ?? null));
  const pad = createPad(shell, stage.element, draw.sketch, stage.canvas);
  /** How a drawing was begun, until its place is known: it gets a pad if that is too small. */
  let begins: "by hand" | "by keyboard" | null = null;
  const header = createHeader(shell, acts, stage.element);
  const ask = createAsking(shell);
  takeWheel(stage.element, (event) => camera.turn(event, stage.at(event)), signal);

  function press(id: string, event: MouseEvent | KeyboardEvent) {
    const [store, shown] = [shell.store(), scene()];
    if (!shown || !store || id === "") return;
    const [kind, a] = id.split(":");
    const isKey = event.type === "keydown";
    if (isPad(id) || (kind === "x" && Number(a) < 0)) begins = isKey ? "by keyboard" : "by hand";
    if (kind === "x") shell.choose("example", Number(a));
    else if (isPad(id)) shell.schedule();
    else {
      const pointed = { ...stage.pointed(), id };
      const chosen = selectionAt(shown.diagram, pointed, shown.closeUp);
      if (!chosen) return;
      store.select(chosen.selection);
      draw.looks = chosen; // after the selection has been told, which ends it
      shell.schedule();
      if (isKey) shell.speak(`selected: ${shown.sites.words(id)}`);
    }
  }

  return {
    forTests: { drawLine: pen.through },
    header: header.element,
    stage,
    fileName: () => `network step ${scene()?.diagram.frame.step ?? ""}`,
    changed(what) {
      if (what === "stream") draw.window = WHOLE;
      if (["stream", "layout", "selection"].includes(what)) draw.looks = null;
      if (what === "drawn") ask.answered();
    },
    draw(given) {
      const pointed = stage.pointed();
      const shown = stage.show(given, draw);
      header.show(draw.window.scale > 1.01, typeof shown === "string" ? null : shown);
      if (typeof shown === "string") return shown;
      const { late } = shown.diagram;
      ask.comesLater(shown.fades ? FADING : late && Math.max(ALONE, late));
      if (!shown.pad) pad.close();
      else if (begins === "by keyboard" || (begins && !roomy(shown.pad))) pad.open();
      begins = null;
      // Beside the button that was pressed, which is in the window.
      pad.show(shown.verdict, shown.room.height - 6);
      if (shown.asks) ask.run(shown.asks, given.store);
      // What is pointed at, else what went wrong, else what one can do.
      const words = shown.sites.words(pointed.id);
      const warning = given.store.edits().message || String(given.get("notice") ?? "");
      shell.read(words || warning || HINT, false, !words && warning !== "");
      return shown;
    },
  };
}

/** Buttons, left to right: what they do, what stands on them, and what that means. */
const BUTTONS = [
  ["back", "‹", "The path of the circuit before this one"],
  ["on", "›", "The next path of the circuit; after the last the strongest for the example"],
  ["clear", "clear", "Start the drawing over"],
  ["whole", "whole network", "Show the whole network again (Escape); + and − zoom, too"],
] as const;

/** The buttons of the zoom and the drawing lie on the plot: a row of their own would take its height from the network. */
function createHeader(
  { document, signal, get }: Shell,
  acts: Record<string, () => void>,
  plot: HTMLElement,
) {
  const kit = createKit(document, signal);
  const root = element(document, "div", "kw-header");
  const [back, on, clear, whole] = BUTTONS.map(([what, text, title]) =>
    kit.button(text, title, "kw-button", acts[what]),
  );
  root.append(back, on);
  clear.classList.add("kw-clear");
  whole.classList.add("kw-whole");
  plot.append(clear, whole);

  function show(zoomed: boolean, scene: NetworkScene | null) {
    const { pad, diagram } = scene ?? {};
    root.hidden = back.hidden = on.hidden = settingsOf(get).paths.length === 0;
    clear.hidden = !pad || diagram?.flow?.blank === true;
    // Below what it clears, where no link runs.
    if (pad)
      putStyle(clear, { left: `${pad.x + pad.width / 2}px`, top: `${pad.y + pad.height + 6}px` });
    whole.hidden = !zoomed;
  }
  return { element: root, show };
}

/** What buttons and keys do. */
function createActs(
  shell: Shell,
  { zoom, moveTo, isZoomed }: ReturnType<typeof createCamera>,
  clear: () => void,
) {
  const closer = () => zoom(1.5, null);
  const farther = () => zoom(1 / 1.5, null);
  const whole = () => moveTo(WHOLE);
  /** Through all paths and the strongest, which is −1. */
  const walk = (by: number) => {
    const count = settingsOf(shell.get).paths.length + 1;
    shell.choose("path", ((Number(shell.get("path")) + 1 + by + count) % count) - 1);
  };
  const keys: Record<string, () => void> = { "+": closer, "=": closer, "-": farther, "0": whole };

  function key({ key }: KeyboardEvent): boolean {
    if (key in keys) keys[key]();
    else if (key === "Escape" && isZoomed()) moveTo(WHOLE);
    else if (key === "Escape" && shell.store()?.selection()) shell.store()?.select(null);
    else return false;
    return true;
  }

  return { acts: { back: () => walk(-1), on: () => walk(1), clear, whole }, key };
}

/** What a drawing waits for: the model, and the strengths of links. */
function createAsking({ model, schedule, signal }: Shell) {
  let query = "";
  let askedAt = 0;
  let later = 0;
  atEnd(signal, () => clearTimeout(later));
  return {
    /** Draws once more, unless another frame comes first: what fades, and where strengths of links are not those of the frame drawn. */
    comesLater(milliseconds: number) {
      clearTimeout(later);
      if (milliseconds > 0) later = window.setTimeout(schedule, milliseconds);
    },
    /** Has the model run what was drawn, once at a time: while it trains there is something new with every frame. */
    run(what: string, store: Store) {
      const { state } = store.status();
      if (what === query || state === "saved" || state === "recorded" || state === "closed") return;
      if (performance.now() - askedAt < PATIENCE) return;
      [query, askedAt] = [what, performance.now()];
      model.send({ kind: "run" });
    },
    answered() {
      askedAt = 0;
    },
  };
}

/** Where one can draw by hand, if it is large enough. */
function roomy(place: Rect | null): Rect | null {
  return place && Math.min(place.width, place.height) >= ROOMY ? place : null;
}

function createCamera(draw: NetworkDrawing, seen: () => NetworkScene | null, schedule: () => void) {
  /** Makes the diagram larger around a place of the scene, by default the middle of what is seen. */
  function zoom(factor: number, place: Point | null) {
    const scene = seen();
    if (!scene) return;
    const { room } = scene;
    const { scale, x, y } = draw.window;
    const next = zoomedTo(scale * factor);
    const by = next / scale;
    const at = place ?? { x: room.x + room.width / 2, y: room.y + room.height / 2 };
    const [dx, dy] = [at.x - room.x, at.y - room.y];
    moveTo({ scale: next, x: (x + dx) * by - dx, y: (y + dy) * by - dy });
  }

  function moveTo(window: DiagramWindow) {
    const scene = seen();
    if (!scene) return;
    const { room } = scene;
    const most = (size: number) => Math.max(0, size * window.scale - size);
    const wide = Math.max(scene.diagram.layout.width, room.width * window.scale);
    draw.window = {
      scale: window.scale,
      x: Math.max(0, Math.min(wide - room.width, window.x)),
      y: Math.max(0, Math.min(most(room.height), window.y)),
    };
    schedule();
  }

  function drag(from: Point) {
    const { scale, x, y } = draw.window;
    return {
      move: (to: Point) => moveTo({ scale, x: x - (to.x - from.x), y: y - (to.y - from.y) }),
      end() {},
    };
  }

  /** What a turn of the wheel does; null at the closest and at the farthest. */
  function turn(event: WheelEvent, at: Point): (() => void) | null {
    const factor = Math.exp(-Math.max(-NOTCH, Math.min(NOTCH, event.deltaY)) / 200);
    const next = zoomedTo(draw.window.scale * factor);
    return next === draw.window.scale ? null : () => zoom(factor, at);
  }

  return { zoom, turn, moveTo, drag, isZoomed: () => draw.window.scale > 1 };
}

function zoomedTo(scale: number): number {
  const next = Math.max(1, Math.min(CLOSEST, scale));
  return next < 1.02 ? 1 : next;
}
