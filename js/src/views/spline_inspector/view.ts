/** SplineInspector: its header, the hands on its scene, and what is said about it. */

import type { RenderProps } from "@anywidget/types";
import { placeText, selectionOf } from "../../phi/entries.ts";
import { scoreText } from "../../phi/evaluation.ts";
import { type Kind, mountView, type Parts, type Shell } from "../../shell/mount.ts";
import { probeOf } from "../../shell/probe.ts";
import type { Selection } from "../../wire/types.ts";
import { createBoard } from "./board.ts";
import { createEditing } from "./editing.ts";
import { createHeader } from "./header.ts";
import { createMovement } from "./movement.ts";
import { type InspectorElement, probe } from "./probe.ts";
import { drawing, type InspectorScene, placeIn } from "./scene.ts";
import { type Switches, settingsReader, TRAITS, togglePin, type WireOverlay } from "./settings.ts";
import css from "./style.css";
import { phiOf } from "./terms.ts";
import { footText, UNREAD } from "./words.ts";

export type { InspectorElement } from "./probe.ts";
export { css, drawing };

const KIND: Kind = {
  name: "spline_inspector",
  label: "Spline inspector",
  traits: TRAITS,
  drawing,
};

export function render(props: RenderProps): void {
  mountView(KIND, props, build);
}

function build(shell: Shell): Parts {
  const draw = drawing();
  const { touch } = draw;
  const readSettings = settingsReader();
  const settings = () => readSettings(shell.get);
  let seen: InspectorScene | null = null;
  let said = "";
  const drawn = { frames: 0, milliseconds: 0 };
  const scene = () => seen;
  const here = () => {
    const store = shell.store();
    return store && placeIn(store, shell.get("layer"));
  };
  const editing = createEditing(shell, touch, scene);
  const movement = createMovement(touch, scene, shell);
  const switches: Switches = {
    settings,
    layer: () => seen?.picture.phi.layer ?? null,
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
    const phi = phiOf(shell.store()?.current() ?? null, here());
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
      const at = here();
      if (at) togglePin(at, switches);
    },
    command: editing.command,
  };
  const header = createHeader(shell, movement, actions);
  const listen = listenToProbe(shell, touch);
  (shell.root as unknown as InspectorElement).kwView = probe(scene, stage, drawn);

  return {
    header: header.element,
    body: stage.element,
    width: stage.width,
    fileName() {
      const at = seen?.picture.at;
      const place = at ? `${at.layer} ${at.out}-${at.in}-${at.row}-${at.column}` : "";
      return `spline-inspector ${place} step ${seen?.picture.frame.step ?? ""}`;
    },
    still(given) {
      const saved = drawing();
      saved.touch = { ...touch, reading: null, wheel: false };
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
      const start = performance.now();
      editing.settle();
      touch.wheel = stage.element.hasAttribute("data-wheel");
      const pointed = stage.pointed();
      const make = (width: number) => draw({ ...given, width, pointed });
      const shown = stage.show(make, Number.POSITIVE_INFINITY, given.ratio);
      if (typeof shown === "string") return shown;
      if (shown.picture.frame !== seen?.picture.frame) drawn.frames++;
      seen = shown;
      // The keyboard goes on from where the pointer reads.
      if (pointed.at) touch.reading = shown.reading?.x ?? null;
      header.show(shown.settings);
      board.show(shown);
      said = sayNews(shell, shown, editing.isLate(), said);
      drawn.milliseconds = performance.now() - start;
      return shown;
    },
  };
}

/** Draws again when another view points at other inputs, of whichever stream is shown. */
function listenToProbe(shell: Shell, touch: ReturnType<typeof drawing>["touch"]): () => void {
  let connection = new AbortController();
  shell.signal.addEventListener("abort", () => connection.abort(), { once: true });
  touch.pointedAt = (at) => {
    const store = shell.store();
    const other = store && probeOf(store).current();
    return other?.layer === at.layer ? other.valueFor(at) : null;
  };
  return () => {
    connection.abort();
    connection = new AbortController();
    const store = shell.store();
    if (store) probeOf(store).subscribe(shell.schedule, connection.signal);
  };
}

/** Writes the line below, and says aloud what is new of warnings and scores. */
function sayNews(shell: Shell, shown: InspectorScene, late: boolean, said: string): string {
  const store = shell.store();
  if (!store) return said;
  const { settings, picture } = shown;
  const { text, warns } = footText(settings, picture.phi.layer.locked, store, late);
  shell.read(text || UNREAD, false, warns);
  const score = settings.evaluation.state ? scoreText(settings.evaluation) : "";
  const news = warns ? text : score;
  if (news && news !== said) shell.speak(news);
  return news;
}
