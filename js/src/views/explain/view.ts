/** Explain: the header and the hands on its scene. */

import { titleOf } from "../../phi/entries.ts";
import { formatCount, formatNumber } from "../../phi/format.ts";
import { element, putWords } from "../../shell/element.ts";
import { type Kind, type Parts, type Shell, viewOf } from "../../shell/mount.ts";
import { createOptions, type Option } from "../../shell/options.ts";
import { createViewStage } from "../../shell/stage.ts";
import { className, type LayerShares, partOf, selectionFor, shareText } from "./content.ts";
import { drawing, type ExplainScene, streamHasLayer } from "./scene.ts";
import css from "./style.css";

export { css, drawing };

const KIND: Kind = {
  name: "explain",
  label: "Explain",
  drawing,
  timeless: true,
  lists: true,
  fits: true,
};

export const render = viewOf(KIND, build);

function build(shell: Shell): Parts {
  const draw = drawing();
  let scene: ExplainScene | null = null;
  /** In a page saved for itself no model is there to explain another class. */
  const isSaved = () => shell.store()?.status().state === "saved";
  const stage = createViewStage(shell, {
    press(id) {
      if (!scene) return;
      const { target, share, whole } = scene.meant(id);
      if (target >= 0 && !isSaved() && shell.get("target") !== target)
        shell.choose("target", target);
      if (share >= 0) select(scene, share);
      else if (whole) showWhole();
    },
    key(event) {
      if (event.key !== "Escape" || !scene || scene.selected < 0) return false;
      draw.chosen = -1;
      draw.here = false;
      if (streamHasLayer(shell.store(), scene.part.layer)) shell.store()?.select(null);
      shell.speak("selection cleared");
      return true;
    },
  });
  const header = createHeader(shell);

  function select({ part }: ExplainScene, number: number) {
    draw.chosen = number;
    draw.here = true;
    const store = shell.store();
    if (streamHasLayer(store, part.layer)) store?.select(selectionFor(part, number));
    shell.speak(`selected: ${shareText(part, number)}`);
    shell.schedule();
  }

  /** The large map is that of all together again. */
  function showWhole() {
    draw.here = false;
    shell.speak("the map of all together");
    shell.schedule();
  }

  /** Shows the layer of what was selected, here or elsewhere. */
  function showSelectedLayer() {
    const layer = shell.store()?.selection()?.layer;
    if (!scene?.content.parts.some((part) => part.layer === layer)) return;
    if (partOf(scene.content, String(shell.get("layer"))).layer !== layer) {
      shell.choose("layer", layer);
    }
  }

  return {
    header: header.element,
    stage,
    fileName: () =>
      `explain class ${scene?.part.target ?? ""} ${scene?.part.layer ?? ""} ${scene?.part.moment ?? ""}`,
    changed(what) {
      if (what === "selection" || what === "stream") showSelectedLayer();
      if (what === "layer") stage.keyboardAt("");
    },
    cleared() {
      scene = null;
    },
    still: draw,
    draw(given) {
      const pointed = stage.pointed();
      const shown = stage.show(given, draw);
      if (typeof shown === "string") return shown;
      const first = scene === null;
      scene = shown;
      // What was selected before the view was there.
      if (first) showSelectedLayer();
      header.show(shown);
      const { selected, part } = shown;
      const over = pointed.id ? shown.sites.words(pointed.id) : "";
      shell.read(over || shareText(part, selected, isSaved()), !over && selected >= 0);
      return shown;
    },
  };
}

const TITLE =
  "The step of the model that is explained: while it trains, again as often as takes 1 % of the time, and when it rests";

const CLASS: Option<LayerShares> = {
  trait: "target",
  label: "class",
  title: "The class whose score is explained",
  options: (part) =>
    part.scores.map((score, k) => ({
      value: String(k),
      label: `${className(part, k)}: ${formatNumber(score)}${k === part.predicted && Number.isFinite(score) ? " (highest)" : ""}`,
    })),
  value: ({ target }) => String(target),
  chosen: Number,
  shown: ({ scores }) => scores.length > 1,
};

function createHeader(shell: Shell) {
  const { document, model, choose, store, root } = shell;
  const classes = createOptions(shell, [CLASS]);
  const { kit } = classes;
  const [box] = classes.boxes;
  const header = element(document, "div", "kw-header");
  const layers = kit.layers((name) => choose("layer", name));
  const again = () => model.send({ kind: "explain" });
  const repeat = kit.button(
    "explain now",
    "Explain with the model as it is now",
    "kw-plain kw-again",
    again,
  );
  const options = element(document, "div", "kw-options");
  const step = element(document, "span", "kw-explained");
  options.append(box, step, repeat);
  header.append(...layers.boxes, options);

  function show({ content, part }: ExplainScene) {
    const from = store();
    if (!from) return;
    const titles = content.parts.map(({ layer, kind }) => ({
      value: layer,
      label: titleOf(layer),
      title: `${layer} — ${kind === "kernels" ? "shares of the kernels" : "contributions of the functions"}`,
    }));
    layers.list(titles, part.layer, root.clientWidth);
    classes.show(part);
    const newest = from.latest()?.step ?? part.step;
    const { state } = from.status();
    const behind = newest > part.step;
    const now = state === "live" && behind ? `, the training is at ${formatCount(newest)}` : "";
    putWords(step, part.band ? part.moment : `explained at ${part.moment}${now}`);
    step.title = state === "saved" ? "" : TITLE;
    // At rest the view follows by itself, soon: what stays behind longer is asked for (see style.css).
    repeat.hidden = !(behind && state === "idle");
    // In a page saved for itself no model is there to explain again.
    for (const choice of box.querySelectorAll("select")) choice.disabled = state === "saved";
  }
  return { element: header, show };
}
