/** NetworkView: the header and the hands on its scene. Everything but edits works without the kernel. */

import type { RenderProps } from "@anywidget/types";
import { selectionOf } from "../../phi/entries.ts";
import type { Given } from "../../scene/drawing.ts";
import type { Point, Rect } from "../../scene/marks.ts";
import { type Kind, mountView, type Parts, type Shell } from "../../shell/mount.ts";
import { createPad } from "../../shell/pad.ts";
import { createPen } from "../../shell/pen.ts";
import { createStage } from "../../shell/stage.ts";
import { takeWheel } from "../../shell/wheel.ts";
import type { Selection, Store } from "../../wire/types.ts";
import { createCamera } from "./camera.ts";
import { createHeader } from "./controls.ts";
import { WHOLE } from "./diagram.ts";
import { gridOf } from "./functions.ts";
import { drawing, type NetworkScene } from "./scene.ts";
import { settingsOf } from "./settings.ts";
import css from "./style.css";
import { editWords } from "./words.ts";

export { css, drawing };

const KIND: Kind = {
  name: "network_view",
  label: "Network",
  traits: ["relevance", "top", "example", "drawing", "drawn", "height", "evaluation", "notice"],
  above: true,
  fits: true,
  drawing,
};
/** Milliseconds that an answer of the model is waited for before it is asked again. */
const PATIENCE = 3000;
/** Milliseconds after which no other frame is about to come. */
const ALONE = 500;
/** Pixels of a drawing at most. */
const MOST = 4000;
/** Pixels from which on a hand can draw on the input itself. */
const ROOMY = 64;
const HINT =
  "Point at anything to see what feeds it; click a link or a unit to select its function.";

/** What tests may ask of a view, as `element.kwNetwork`. */
export interface NetworkElement extends HTMLElement {
  kwNetwork: {
    scene(): NetworkScene | null;
    place(id: string): { x: number; y: number; width: number; height: number } | null;
    drawLine(points: readonly [number, number][]): void;
  };
}

export function render(props: RenderProps): void {
  mountView(KIND, props, build);
}

function build(shell: Shell): Parts {
  const { document, signal } = shell;
  const draw = drawing();
  let scene: NetworkScene | null = null;
  const { zoom, turn, moveTo, drag } = createCamera(draw, () => scene, shell.schedule);
  const stage = createStage(
    document,
    {
      moved: shell.schedule,
      press,
      arrived: (id) => shell.speak(scene?.sites.words(id) ?? ""),
      key,
      grab: (id, at) => (id === "" && draw.window.scale > 1 ? drag(at) : null),
      cursor: (id) => (id === "" ? (draw.window.scale > 1 ? "grab" : "") : cursorOf(id)),
    },
    signal,
  );
  const pen = createPen(shell, stage, draw.sketch, () => roomy(scene?.pad ?? null));
  const pad = createPad(shell, stage.element, draw.sketch, stage.canvas);
  /** A drawing was begun: once its place is known it gets a pad, if that is too small. */
  let begins: "by hand" | "by keyboard" | null = null;
  const header = createHeader(
    document,
    {
      choose: shell.choose,
      zoom: (factor) => zoom(factor, null),
      whole: () => moveTo(WHOLE),
      clear: () => pen.clear(),
    },
    signal,
  );
  takeWheel(
    stage.element,
    (event) => turn(event, stage.at(event)),
    signal,
    (event) => (scene ? stage.at(event).y < scene.room.height : false),
  );

  let asked = "";
  let askedAt = 0;
  let later = 0;
  signal.addEventListener("abort", () => clearTimeout(later), { once: true });

  /** Draws once more where how strong links are is not that of the frame drawn, unless another frame comes before. */
  function comesLater(milliseconds: number) {
    clearTimeout(later);
    if (milliseconds > 0) later = window.setTimeout(shell.schedule, Math.max(ALONE, milliseconds));
  }

  /** Has the model run what was drawn, once at a time: while it trains there is something new with every frame. */
  function ask(what: string, store: Store) {
    const { state } = store.status();
    if (what === asked || state === "saved" || state === "recorded" || state === "closed") return;
    if (performance.now() - askedAt < PATIENCE) return;
    [asked, askedAt] = [what, performance.now()];
    shell.model.send({ kind: "run" });
  }

  function cursorOf(id: string): string {
    const isPad = scene?.pad && id === "u:0:0";
    return isPad ? "crosshair" : "pointer";
  }

  function press(id: string, event: MouseEvent | KeyboardEvent) {
    const store = shell.store();
    if (!scene || !store || id === "") return;
    const [kind, a, b] = id.split(":");
    const how = event.type === "keydown" ? "by keyboard" : "by hand";
    if (kind === "x") {
      if (Number(a) < 0) begins = how;
      shell.choose("example", Number(a));
      return;
    }
    if (scene.pad && id === "u:0:0") {
      begins = how;
      shell.schedule();
      return;
    }
    const selection =
      kind === "s" ? null : selectionAt(scene, kind, Number(a), Number(b), stage.pointed().at);
    if (!selection) return;
    store.select(selection);
    draw.looks = true; // after the selection has been told, which ends it
    shell.schedule();
    if (event.type === "keydown") shell.speak(`selected: ${scene.sites.words(id)}`);
  }

  function key(event: KeyboardEvent): boolean {
    const { window } = draw;
    if (event.key === "+" || event.key === "=") zoom(1.5, null);
    else if (event.key === "-") zoom(1 / 1.5, null);
    else if (event.key === "0") moveTo(WHOLE);
    else if (event.key === "Escape" && window.scale > 1) moveTo(WHOLE);
    else if (event.key === "Escape" && shell.store()?.selection()) shell.store()?.select(null);
    else return false;
    return true;
  }

  (shell.root as unknown as NetworkElement).kwNetwork = {
    scene: () => scene,
    place: (id) => stage.clientBox(id),
    drawLine: (points) => pen.through(points),
  };

  return {
    header: header.element,
    body: stage.element,
    width: stage.width,
    fileName: () => `network step ${scene?.diagram.frame.step ?? ""}`,
    changed(what) {
      if (what === "stream") draw.window = WHOLE;
      if (what === "stream" || what === "selection") draw.looks = false;
      if (what === "drawn") askedAt = 0;
    },
    cleared() {
      scene = null;
    },
    draw(given) {
      const pointed = stage.pointed();
      const make = (width: number) => draw({ ...given, width, pointed });
      const shown = stage.show(make, MOST, given.ratio);
      const omits = typeof shown !== "string" && shown.omits;
      header.show(settingsOf(given.get), given.store, draw.window.scale > 1.01, omits);
      if (typeof shown === "string") return shown;
      scene = shown;
      comesLater(shown.diagram.late);
      if (!shown.pad) pad.close();
      else if (begins === "by keyboard" || (begins && !roomy(shown.pad))) pad.open();
      begins = null;
      // Beside what one pressed, which is in the window.
      pad.show(shown.verdict, shown.height - shown.room.height + 6);
      if (shown.asks) ask(shown.asks, given.store);
      tell(shell, given, shown.sites.words(pointed.id));
      return shown;
    },
  };
}

/** Says what is pointed at, else what there is to say of the last edit, else what one can do. */
function tell(shell: Shell, { store, get }: Pick<Given, "store" | "get">, words: string) {
  const said = editWords(store.edits(), get);
  shell.read(words || said.text || HINT, false, !words && said.warns);
}

/** Where one can draw by hand, if it is large enough. */
function roomy(place: Rect | null): Rect | null {
  return place && Math.min(place.width, place.height) >= ROOMY ? place : null;
}

/** The function of what was clicked: of a thumbnail the one under the pointer, else the strongest. */
function selectionAt(
  scene: NetworkScene,
  kind: string,
  column: number,
  number: number,
  at: Point | null,
): Selection | null {
  const { graph, shown, relevances, layout, window, room } = scene.diagram;
  const { layer } = graph.columns[column] ?? {};
  if (!layer) return null;
  const { bundles } = shown[column];
  const n = kind === "u" ? strongestInto(bundles, relevances[column]?.sizes, number) : number;
  const bundle = bundles[n];
  if (!bundle) return null;
  const thumb = kind === "e" ? layout.columns[column].thumbs.get(n) : undefined;
  let entry = strongestOf(scene, column, bundle);
  if (thumb && at) {
    const [rows, columns] = gridOf(graph.columns[column]);
    const across = Math.floor(((at.x - room.x + window.x - thumb.x) / thumb.width) * columns);
    const down = Math.floor(((at.y - room.y + window.y - thumb.y) / thumb.height) * rows);
    entry = Math.max(0, Math.min(bundle.count - 1, down * columns + across));
  }
  return selectionOf(layer, bundle.first + entry);
}

function strongestInto(
  bundles: readonly { to: number }[],
  sizes: Float64Array | undefined,
  unit: number,
): number {
  let best = -1;
  bundles.forEach(({ to }, n) => {
    if (to === unit && (best < 0 || (sizes?.[n] ?? 0) > (sizes?.[best] ?? 0))) best = n;
  });
  return best;
}

function strongestOf(
  { diagram }: NetworkScene,
  column: number,
  { first, count }: { first: number; count: number },
): number {
  const own = diagram.pictures[column]?.importance.subarray(first, first + count);
  let best = 0;
  own?.forEach((value, k) => {
    if (value > own[best]) best = k;
  });
  return best;
}
