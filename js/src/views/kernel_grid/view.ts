/** KernelGrid: the header, the tooltip and the hands on its scene. */

import type { Plan } from "../../phi/curves.ts";
import { functionText, layerNamed, layerTitle } from "../../phi/entries.ts";
import { blockOf } from "../../phi/geometry.ts";
import { svgOf } from "../../scene/svg.ts";
import type { Theme } from "../../scene/theme.ts";
import { encoderOf } from "../../shell/canvas.ts";
import { element } from "../../shell/element.ts";
import {
  clearedBy,
  createLayerView,
  pressFunction,
  type TipWords,
} from "../../shell/layer_view.ts";
import { type Kind, type Parts, type Shell, type ViewElement, viewOf } from "../../shell/mount.ts";
import { createOptions, entries, type Option } from "../../shell/options.ts";
import { createViewStage } from "../../shell/stage.ts";
import type { LayerLayout } from "../../wire/types.ts";
import { lookedAt } from "./map.ts";
import { boxOf, HEIGHT, magnified, WIDTH } from "./overview.ts";
import { drawing, type GridScene, mostIn } from "./scene.ts";
import {
  GRID_MODES,
  type GridMode,
  isFlat,
  isGrey,
  SCALES,
  type Settings,
  SORTS,
  scoreNames,
  settingsOf,
  togetherOf,
} from "./settings.ts";
import css from "./style.css";
import { pointsOf, type Subject } from "./subject.ts";
import { hoverLines, selectionText } from "./words.ts";

export { css, drawing };

const KIND: Kind = {
  name: "kernel_grid",
  label: "Kernel grid",
  fits: true,
  drawing,
};

const ON = "Click another function to select that one, or press Escape to select none.";

export const render = viewOf(KIND, build);

function build(shell: Shell<GridScene>): Parts<GridScene> {
  const draw = drawing();
  const stage = createViewStage(shell, { press, key });
  const header = createHeader(shell);

  function press(id: string, event: MouseEvent | KeyboardEvent) {
    const scene = shell.scene();
    if (!scene || id === "") return;
    const { layer } = scene.picture;
    const [seen, under] = [stage.view(), scene.map?.under ?? 0];
    const turned = scene.pages?.turned(id, { ...seen, y: seen.y - under });
    if (turned !== undefined) {
      stage.element.scrollTop = turned + under;
      return;
    }
    const place = scene.map && lookedAt(scene.map, id);
    if (place) shell.store()?.lookAt(layer.name, place.out, place.in);
    else pressFunction(shell, layer, id, event);
  }

  /** With Shift the arrows read along the function; Escape clears the selection. */
  function key(event: KeyboardEvent, id: string): boolean {
    if (clearedBy(event, shell)) return true;
    const scene = shell.scene();
    const sideways = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    if (!scene || !event.shiftKey || sideways === 0 || !/^\d+$/.test(id)) return false;
    const { picture } = scene;
    const [lo, hi] = picture.xRange;
    const within = (x: number) => Math.max(lo, Math.min(hi, x));
    draw.readingX = within(within(draw.readingX) + (sideways * (hi - lo)) / 20);
    const lines = hoverLines(picture, Number(id), draw.readingX);
    shell.speak(lines.map(({ label, value }) => `${label} ${value}`).join(", "));
    return true;
  }

  const view = createLayerView(shell, stage);
  const toldOf = createTip(shell);

  return {
    forTests: forTests(shell.scene, view),
    header: header.element,
    stage,
    fileName: () =>
      `kernel-grid ${shell.scene()?.picture.layer.name ?? ""} step ${view.step() ?? ""}`,
    changed: view.changed,
    draw(given) {
      const { store } = given;
      const layer = layerNamed(store.current(), given.get("layer"));
      const settings = settingsOf(given.get, layer);
      const layers = store.current()?.layout.layers ?? [];
      const isCompared = togetherOf(given.get) !== null;
      // Grids beside each other have one way to choose a layer.
      const room = isCompared ? 0 : shell.root.clientWidth;
      const hasStart = !layer?.band && store.ghost() !== null;
      const state = { ...settings, scores: scoreNames(given.get), hasStart, isCompared };
      header.show(state, layers, layer?.name ?? "", room);
      const shown = view.show(given, layer, mostIn(given), draw);
      if (typeof shown === "string") return shown;
      view.tell(toldOf(shown, given.theme));
      const { selected } = shown.marked;
      const hint = selected < 0 ? "Click a function to select it." : ON;
      // Beside other views its name and its numbers stand with its large curve.
      const isToldBeside = selected < 0 || given.room !== undefined;
      shell.read(isToldBeside ? hint : selectionText(shown.picture, selected), selected >= 0);
      return shown;
    },
  };
}

interface State extends Settings {
  scores: readonly string[];
  hasStart: boolean;
  isCompared: boolean;
}

const MODE_TITLES: Record<GridMode, string> = {
  curves: "Draw every function φ(x) as a curve",
  overview:
    "Draw every function as one cell, the stronger its colour the larger φ; what is pointed at is drawn as a curve",
  pattern:
    "Shade each cell from black to white: is φ larger at the lower or at the upper end of its grid?",
  change: "Draw how far every function has moved since the first frame: φ now − φ at the start",
};

const COMPARED_SCALES = [{ value: "layer", label: "each model" }, ...entries(SCALES.slice(1))];
const OPTIONS: readonly Option<State>[] = [
  {
    trait: "mode",
    label: "What is drawn",
    title: "",
    as: "segments",
    options: GRID_MODES.map((value) => ({ value, label: value, title: MODE_TITLES[value] })),
  },
  {
    trait: "scale",
    label: "scale",
    title: "One y axis for all functions of the layer, one for each, or one for all models",
    options: ({ isCompared }) => (isCompared ? COMPARED_SCALES : entries(SCALES.slice(0, 2))),
    shown: (state) => !isFlat(state) || (state.isCompared && !isGrey(state)),
  },
  {
    trait: "binarise",
    label: "binarise",
    title: "Show only black and white: at which end of its grid is φ larger?",
    shown: ({ mode }) => mode === "pattern",
  },
  {
    trait: "ghost",
    label: "show start",
    title:
      "Draw φ as it was at the start, or at the step kept for comparison, dashed behind the curves",
    shown: ({ mode, hasStart }) => hasStart && mode === "curves",
  },
  {
    trait: "sort",
    label: "sort",
    title:
      "Which kernels are drawn first; found once, so that nothing jumps during training: choose another order and then this one to sort them again",
    options: ({ scores }) => entries([...SORTS, ...scores]),
  },
  {
    trait: "shade",
    label: "shade",
    title: "Which score tints the ground behind the curves",
    options: ({ scores }) => [{ value: "", label: "none" }, ...entries(scores)],
    shown: (state) => state.scores.length > 0 && !isFlat(state),
  },
];

export function createHeader(shell: Parameters<typeof createOptions>[0]) {
  const { document, choose } = shell;
  const options = createOptions(shell, OPTIONS);
  const root = element(document, "div", "kw-header");
  const layers = options.kit.layers((name) => choose("layer", name));
  const [modes, ...others] = options.boxes;
  root.append(...layers.boxes, modes);
  element(document, "div", "kw-options", root).append(...others);
  return {
    element: root,
    show(state: State, all: readonly LayerLayout[], layer: string, width: number) {
      layers.show(all, layer, width);
      options.show(state);
    },
  };
}

/** A kernel that is wider is not left free of the tooltip, and a cell as wide as this is read without a plot in it. */
const WIDEST_SPARED = 260;
const LARGE_CELL = 48;

/** The tooltip: a function's numbers, and over them its plot where its cell is small and the view has none beside. */
function createTip({ document, tip }: Shell) {
  const plot = element(document, "div", "kw-magnified");
  tip.element.insertBefore(plot, tip.element.lastElementChild);
  return ({ picture, marked, sites, plot: beside }: GridScene, theme: Theme): TipWords | null => {
    const { hovered, x } = marked;
    const cell = sites.box(String(hovered));
    if (hovered < 0 || x === null || !cell) return null;
    const { arrangement: a, unit } = picture;
    const kernel = blockOf(a, Math.floor(hovered / (unit * a.kh * a.kw)));
    // What it is compared with stays in sight: the rest of its kernel.
    const spared = { ...kernel, y: kernel.y + cell.y - boxOf(picture, hovered).y };
    const box = kernel.width <= WIDEST_SPARED ? spared : cell;
    const large = beside || cell.width >= LARGE_CELL ? null : magnified(picture, hovered, x, theme);
    plot.hidden = large === null;
    if (large) {
      const paper = { width: WIDTH, height: HEIGHT, ground: theme.colours.surface };
      const unnamed = { ...paper, title: "", words: "" };
      plot.innerHTML = svgOf(large.marks, unnamed, encoderOf(document));
    }
    const { layer, shape } = picture;
    const title = `${layerTitle(layer)} · ${functionText(layer, hovered, shape.slice(1))}`;
    return { title, lines: hoverLines(picture, hovered, x), box };
  };
}

/** What tests and other tools may ask of it. */
export type GridElement = ViewElement<GridScene, ReturnType<typeof forTests>>;

function forTests(scene: () => GridScene | null, view: ReturnType<typeof createLayerView>) {
  const picture = () => scene()?.picture ?? null;
  const points = (subject: Subject, plan: Plan, f: number) => {
    const { x, y } = pointsOf(subject, plan, f);
    return { x: Array.from(x), y: Array.from(y) };
  };
  return {
    step: view.step,
    drawn: view.drawn,
    layer: () => picture()?.layer.name ?? null,
    curve(f: number) {
      const from = picture();
      return from && points(from.subject, from.plan, f);
    },
    /** The points of function f as they are drawn behind it; null where nothing is. */
    ghost(f: number) {
      const { ghost, initial } = picture() ?? {};
      if (!ghost || !initial) return null;
      return { step: initial.frame.step, ...points(ghost.subject, ghost.plan, f) };
    },
    selected: () => scene()?.marked.selected ?? -1,
  };
}
