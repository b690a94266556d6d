/** Compare: several models' numbers and curves, over the kernels of each. */

import type { Given } from "../../scene/drawing.ts";
import { type ChartControl, createChartBar, createChartHands } from "../../shell/chart_hands.ts";
import { element, putAttributes } from "../../shell/element.ts";
import { type Kind, type Parts, type Shell, type ViewElement, viewOf } from "../../shell/mount.ts";
import { createOptions, type Option } from "../../shell/options.ts";
import { createViewStage } from "../../shell/stage.ts";
import { createGrids, createNetworks, type Models } from "./models.ts";
import { type CompareScene, drawing } from "./scene.ts";
import css from "./style.css";
import { comparisonName, shownIn } from "./verdict.ts";

export type CompareElement = ViewElement<CompareScene, ReturnType<ChartControl["forTests"]>>;

const KIND: Kind = {
  name: "compare",
  label: "Comparison",
  timeless: true,
  drawing,
};
const OPTIONS: readonly Option<Shell["get"]>[] = [
  {
    trait: "show",
    label: "Below the numbers",
    title: "",
    as: "segments",
    options: [
      { value: "kernels", label: "kernels", title: "The kernels of one layer of each model" },
      {
        value: "networks",
        label: "networks",
        title: "The whole network of each model, with one example running through all",
      },
    ],
    value: (get) => (get("show") === "networks" ? "networks" : "kernels"),
  },
];

export { css, drawing };

export const render = viewOf(KIND, build);

function build(shell: Shell<CompareScene>): Parts<CompareScene> {
  const { document, scene } = shell;
  const draw = drawing();
  let lastKind = "";
  const hands = createChartHands(shell, scene, draw);
  const bar = createChartBar(shell, hands);
  const options = createOptions(shell, OPTIONS);
  const [what] = options.boxes;
  const below = element(document, "div", "kw-header");
  putAttributes(below, { role: "toolbar", "aria-label": "Kernels or networks" });
  below.append(what);
  const together = element(document, "span", "kw-together", below);
  bar.element.classList.add("kw-of-curves");
  below.append(bar.element);
  bar.element.prepend("loss");
  const grids = createGrids(shell, together);
  let networks: Models | null = null;
  const stage = createViewStage(shell, {
    ...hands.on(() => stage.pointed().at),
    cursor() {
      const { at } = stage.pointed();
      return at && hands.stepAt(at) !== null ? "crosshair" : "default";
    },
    title: (id) => scene()?.meaning(id) ?? "",
  });
  const body = element(document, "div", "kw-body");
  body.append(stage.element, grids.element);
  grids.element.before(below);

  /** What stands below the numbers; diagrams are made when they are asked for first. */
  function lower(given: Given): Models {
    const shows = given.get("show") === "networks";
    const made = ((given.get("diagrams") ?? []) as unknown[]).length > 0;
    if (shows && made && !networks) {
      networks = createNetworks(shell);
      body.append(networks.element);
    }
    const shown = shows && networks ? networks : grids;
    grids.element.hidden = together.hidden = shown !== grids;
    // Whole networks take the window.
    stage.element.classList.toggle("kw-gone", shown !== grids);
    if (networks) networks.element.hidden = shown !== networks;
    return shown;
  }

  /** Says a new hint; its numbers change with every frame and are not said again. */
  function tell({ shown: { hints } }: CompareScene) {
    const kind = hints.join(" ").replace(/\d[\d,.]*/g, "");
    if (kind && kind !== lastKind) shell.speak(hints.join(" "));
    lastKind = kind;
  }

  return {
    forTests: hands.forTests(stage),
    stage,
    body,
    fileName: () => comparisonName(shownIn(shell.get)),
    still: (given) => drawing()({ ...given, parts: lower(given).parts(given) }),
    draw(given) {
      bar.show(given.get);
      const hasCurves = ((given.get("curves") ?? []) as unknown[]).length > 0;
      bar.element.hidden = !hasCurves || given.get("show") === "networks";
      options.show(given.get);
      const below = lower(given);
      const shown = stage.show({ ...given, parts: below.parts(given) }, draw);
      if (typeof shown === "string") return shown;
      below.show(shown.shown, shown.width);
      tell(shown);
      return shown;
    },
  };
}
