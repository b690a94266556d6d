/** The header: the layer, the class, the step that is explained, and explaining again where that does not come by itself. */

import { formatCount, number } from "../../phi/format.ts";
import { element, put } from "../../shell/element.ts";
import type { Shell } from "../../shell/mount.ts";
import { createOptions, type Option } from "../../shell/options.ts";
import { className, type Part } from "./content.ts";
import type { ExplainScene } from "./scene.ts";

/** What the step that is explained means, by the state of the stream. */
const TITLES: Record<string, string> = {
  idle: "The step of the model that is explained: the newest, as soon as the training rests",
  live: "The step of the model that is explained; while it trains the layer shown is explained again as often as takes 1 % of the time, and all layers when it rests",
  saved: "The step of the model that is explained",
};

const CLASS: Option<Part> = {
  trait: "target",
  label: "class",
  title: "The class whose score is explained",
  options: (part) =>
    part.scores.map((score, k) => ({
      value: String(k),
      label: `${className(part, k)}: ${number(score)}${k === part.predicted ? " (highest)" : ""}`,
    })),
  value: ({ target }) => String(target),
  chosen: Number,
};

/** `explain` says how the shares are computed, or no longer. */
export function createHeader(shell: Shell, explain: (how: boolean) => void) {
  const { document, signal, model, choose, store, root } = shell;
  const classes = createOptions(document, [CLASS], choose, signal);
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
  const title = "Say how the shares are computed, and what they leave out";
  const how = kit.button("how this is computed", title, "kw-plain", () => {
    const said = how.getAttribute("aria-pressed") !== "true";
    how.setAttribute("aria-pressed", String(said));
    explain(said);
  });
  how.setAttribute("aria-pressed", "false");
  const options = element(document, "div", "kw-options");
  const step = element(document, "span", "kw-explained");
  options.append(box, step, repeat, how);
  header.append(...layers.boxes, options);

  function show({ content, part }: ExplainScene) {
    const from = store();
    if (!from) return;
    const titles = content.parts.map(({ layer, kind }) => ({
      value: layer,
      label: layer,
      title: `${layer} — ${kind === "kernels" ? "shares of the kernels" : "contributions of the functions"}`,
    }));
    layers.list(titles, part.layer, root.clientWidth);
    classes.show(part);
    const newest = from.latest()?.step ?? part.step;
    const { state } = from.status();
    const behind = newest > part.step;
    const now = state === "live" && behind ? `, the training is at ${formatCount(newest)}` : "";
    put(step, `explained at step ${formatCount(part.step)}${now}`);
    step.title = TITLES[state] ?? TITLES.idle;
    // At rest the view follows by itself, soon: what stays behind longer is asked for (see style.css).
    repeat.hidden = !(behind && state === "idle");
    // In a page saved for itself no model is there to explain again.
    for (const choice of box.querySelectorAll("select")) choice.disabled = state === "saved";
  }
  return { element: header, show };
}
