/** Explain: the header and the hands on its scene. */

import type { RenderProps } from "@anywidget/types";
import type { Rect } from "../../scene/marks.ts";
import { type Kind, mountView, type Parts, type Shell } from "../../shell/mount.ts";
import { createStage } from "../../shell/stage.ts";
import { type Content, type Part, partOf, selectionFor } from "./content.ts";
import { createHeader } from "./controls.ts";
import { drawing, type ExplainScene, isKnown } from "./scene.ts";
import css from "./style.css";
import { selectionText } from "./words.ts";

/** What tests may ask of a view, as `element.kwExplain`. */
export interface ExplainElement extends HTMLElement {
  kwExplain: {
    content(): Content | null;
    part(): Part | null;
    selected(): number;
    /** The words of all sites of a kind: "groups", "bars", "classes". */
    sites(name: string): string[];
    /** Where a site lies in client pixels. */
    rectOf(id: string): Rect | null;
  };
}

export { css, drawing };

const KIND: Kind = {
  name: "explain",
  label: "Explain",
  traits: ["content", "message", "layer", "target", "top"],
  drawing,
  timeless: true,
  lists: true,
};

/** A drawing taller than this scrolls: canvases have an end. */
const MOST = 4000;

export function render(props: RenderProps): void {
  mountView(KIND, props, build);
}

function build(shell: Shell): Parts {
  const { document, signal } = shell;
  const draw = drawing();
  let scene: ExplainScene | null = null;
  const stage = createStage(
    document,
    {
      moved: shell.schedule,
      press(id) {
        if (!scene) return;
        const { target, share, whole } = scene.meant(id);
        const isSaved = shell.store()?.status().state === "saved";
        if (target >= 0 && !isSaved && shell.get("target") !== target)
          shell.choose("target", target);
        if (share >= 0) select(scene, share);
        else if (whole) showWhole();
      },
      arrived: (id) => shell.speak(scene?.sites.words(id) ?? ""),
      key(event) {
        if (event.key !== "Escape" || !scene || scene.selected < 0) return false;
        draw.chosen = -1;
        draw.here = false;
        if (isKnown(shell.store(), scene.part.layer)) shell.store()?.select(null);
        shell.speak("selection cleared");
        return true;
      },
    },
    signal,
  );
  const header = createHeader(shell, (how) => {
    draw.how = how;
    shell.schedule();
  });

  function select({ part }: ExplainScene, number: number) {
    draw.chosen = number;
    draw.here = true;
    const store = shell.store();
    if (isKnown(store, part.layer)) store?.select(selectionFor(part, number));
    shell.speak(`selected: ${selectionText(part, number)}`);
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

  (shell.root as unknown as ExplainElement).kwExplain = {
    content: () => scene?.content ?? null,
    part: () => scene?.part ?? null,
    selected: () => scene?.selected ?? -1,
    sites(name) {
      const found: string[] = [];
      for (let column = 0; scene?.sites.words(`${name}/0/${column}`); column++) {
        for (let row = 0; scene.sites.words(`${name}/${row}/${column}`); row++) {
          found.push(scene.sites.words(`${name}/${row}/${column}`));
        }
      }
      return found;
    },
    rectOf: (id) => stage.clientBox(id),
  };

  return {
    header: header.element,
    body: stage.element,
    width: stage.width,
    fileName() {
      const { part } = scene ?? {};
      return `explain class ${part?.target ?? ""} ${part?.layer ?? ""} step ${part?.step ?? ""}`;
    },
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
      const shown = stage.show((width) => draw({ ...given, width, pointed }), MOST, given.ratio);
      if (typeof shown === "string") return shown;
      const first = scene === null;
      scene = shown;
      // What was selected before the view was there.
      if (first) showSelectedLayer();
      header.show(shown);
      const { selected, part } = shown;
      const over = pointed.id ? shown.sites.words(pointed.id) : "";
      shell.read(over || selectionText(part, selected), !over && selected >= 0);
      return shown;
    },
  };
}
