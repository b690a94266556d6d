/** Dashboard: the views of a stream as one, with one choice of layers, one timeline and one line that is read. */

import type { Host, RenderProps } from "@anywidget/types";
import { largestOf } from "../../phi/curves.ts";
import { layerNamed, selectionOf } from "../../phi/entries.ts";
import { createKit, type Kit, TABS } from "../../shell/controls.ts";
import { element } from "../../shell/element.ts";
import { type Kind, mountView, type Parts, type Shell } from "../../shell/mount.ts";
import { showSelectedLayer } from "../../shell/selected_layer.ts";
import { createPanels } from "./panels.ts";
import { drawing, sceneOf } from "./scene.ts";
import css from "./style.css";

const KIND: Kind = {
  name: "dashboard",
  label: "Dashboard",
  traits: ["layer", "headline", "folded", "page"],
  above: true,
  drawing,
};

const PAGES: Record<string, string> = {
  network: "The whole network, with an example running through it",
  functions: "The functions of one layer: all, the selected one, and what the layer answers",
};

export { css, drawing };

export function render(props: RenderProps): void {
  mountView(KIND, props, (shell) => build(shell, props.host));
}

function build(shell: Shell, host: Host): Parts {
  const { document, root, signal } = shell;
  const kit = createKit(document, signal);
  const panels = createPanels(shell, host);
  const layers = kit.layers((name) => shell.choose("layer", name));
  const options = kit.button(
    "options",
    "Show all that can be chosen in the panels, or the most used alone",
    "kw-button",
    () => {
      const all = root.toggleAttribute("data-options");
      options.setAttribute("aria-pressed", String(all));
      panels.whole(all);
    },
  );
  options.setAttribute("aria-pressed", "false");
  const header = element(document, "div", "kw-header");
  const tools = element(document, "span", "kw-tools");
  tools.append(options, fullScreen(shell, kit));
  const pages = kit.segments("Page", (page) => shell.choose("page", page));
  pages.fill(panels.pages.map((page) => ({ value: page, label: page, title: PAGES[page] ?? "" })));
  pages.box.hidden = panels.pages.length < 2;
  header.append(pages.box, ...layers.boxes, tools);
  /** Layers are tabs while these fit beside the tools: see how much of a view's width tabs may take. */
  const room = () => (header.clientWidth - tools.offsetWidth - pages.box.offsetWidth - 28) / TABS;

  return {
    header,
    body: panels.element,
    width: () => panels.element.clientWidth,
    fileName: () => `dashboard ${root.dataset.layer ?? ""}`,
    still: (given) => sceneOf(given, panels.pictures(), panels.latest),
    changed(what) {
      if (what === "selection") showSelectedLayer(shell);
    },
    draw(given) {
      const frame = given.store.current();
      const layer = layerNamed(frame, given.get("layer"));
      layers.show(frame?.layout.layers ?? [], layer?.name ?? "", room());
      if (layer && root.dataset.layer !== layer.name) root.dataset.layer = layer.name;
      // Whatever shows a function shows this one: it is marked in all panels.
      if (frame && layer && !given.store.selection()) {
        given.store.select(selectionOf(layer, largestOf(frame, layer)));
      }
      const page = String(given.get("page") ?? panels.pages[0] ?? "");
      pages.set(page);
      for (const box of layers.boxes) box.toggleAttribute("data-kw-off", page === "network");
      panels.turn(page);
      panels.fold(given.get("folded") === true);
      const { words, chosen, warns } = panels.line();
      // The layer is the one that is chosen above.
      const own = `${layer?.name} · `;
      shell.read(words.startsWith(own) ? words.slice(own.length) : words, chosen, warns);
      return sceneOf(given, [], panels.latest);
    },
  };
}

const OPEN = ["full screen", "Show this on the whole screen; Escape leaves it"] as const;
const LEAVE = ["leave full screen", "Back to the page"] as const;

/** The button that gives a view the whole screen, where the page may. */
function fullScreen({ document, root, signal }: Shell, kit: Kit): HTMLButtonElement {
  const isWhole = () => document.fullscreenElement === root;
  const button = kit.button(...OPEN, "kw-button kw-full-screen", () => {
    const turned = isWhole() ? document.exitFullscreen() : root.requestFullscreen();
    turned.catch((error) => console.warn("kan_widgets: no full screen here", error));
  });
  button.hidden = !document.fullscreenEnabled;
  const say = () => {
    [button.textContent, button.title] = isWhole() ? LEAVE : OPEN;
  };
  document.addEventListener("fullscreenchange", say, { signal });
  return button;
}
