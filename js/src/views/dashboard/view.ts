/** Dashboard: the views of a stream as one, with one choice of layers, one timeline and one line that is read. */

import { layerNamed } from "../../phi/entries.ts";
import { createKit, createMenu, TABS } from "../../shell/controls.ts";
import { element, putAttributes } from "../../shell/element.ts";
import { showSelectedLayer } from "../../shell/layer_view.ts";
import { type Kind, type Parts, type Shell, viewOf } from "../../shell/mount.ts";
import { createPanels } from "./panels.ts";
import { drawing, sceneOf } from "./scene.ts";
import css from "./style.css";

const KIND: Kind = {
  name: "dashboard",
  label: "Dashboard",
  above: true,
  drawing,
};

const PAGES: Record<string, string> = {
  network: "The whole network, with an example running through it",
  functions: "The functions of one layer: all, the selected one, and what the layer answers",
};

export { css, drawing };

export const render = viewOf(KIND, build);

function build(shell: Shell): Parts {
  const { document, root, signal } = shell;
  const kit = createKit(document, signal);
  const panels = createPanels(shell, shell.host);
  const layers = kit.layers((name) => shell.choose("layer", name));
  const header = element(document, "div", "kw-header");
  const tools = element(document, "span", "kw-tools");
  const more = "More: all controls, full screen, save a picture";
  const menu = createMenu(document, more, signal);
  menu.inside.append(...menuOf(shell, panels.whole));
  tools.append(...shell.steering.boxes, menu.box);
  const pages = kit.segments("Page", (page) => shell.choose("page", page));
  pages.fill(panels.pages.map((page) => ({ value: page, label: page, title: PAGES[page] ?? "" })));
  pages.box.hidden = panels.pages.length < 2;
  header.append(pages.box, ...layers.boxes, tools);
  /** Layers are tabs where these, which are narrow here, fit beside the tools: see how much of a view's width tabs may take. */
  const room = (tabs: number) =>
    (header.clientWidth - tools.offsetWidth - pages.box.offsetWidth - 32 + 12 * tabs) / TABS;

  return {
    header,
    menu: menu.inside,
    tools,
    body: panels.element,
    train: panels.train,
    width: () => panels.element.clientWidth,
    fileName: () => `dashboard ${root.dataset.layer ?? ""}`,
    still: (given) => sceneOf(given, panels.pictures(), panels.latest),
    changed(what) {
      if (what === "selection") showSelectedLayer(shell);
    },
    draw(given) {
      const frame = given.store.current();
      const layer = layerNamed(frame, given.get("layer"));
      const page = panels.pages.length > 0 ? String(given.get("page") ?? panels.pages[0]) : "";
      const all = frame?.layout.layers ?? [];
      if (header.clientWidth > 0) layers.show(all, layer?.name ?? "", room(all.length));
      if (layer && root.dataset.layer !== layer.name) root.dataset.layer = layer.name;
      pages.set(page);
      for (const box of layers.boxes) box.toggleAttribute("data-kw-off", page === "network");
      panels.turn(page);
      const { words, chosen, warns } = panels.line();
      // The layer is the one that is chosen above.
      const own = `${layer?.name} · `;
      const said = words.startsWith(own) ? words.slice(own.length) : words;
      const alarm =
        page === "functions" && !chosen && !warns ? panels.alarmOf(layer?.name ?? "") : "";
      shell.read(alarm || said, chosen, warns || alarm !== "");
      return sceneOf(given, [], panels.latest);
    },
  };
}

/** All controls of the panels, and the whole screen. */
function menuOf({ document, root, signal }: Shell, showAll: (all: boolean) => void) {
  const kit = createKit(document, signal);
  const options = kit.button(
    "all controls",
    "Show all controls of the panels, or only those used most",
    "kw-button",
    () => {
      const all = root.toggleAttribute("data-options");
      putAttributes(options, { "aria-pressed": String(all) });
      showAll(all);
    },
  );
  putAttributes(options, { "aria-pressed": "false" });
  const isWhole = () => document.fullscreenElement === root;
  const whole = kit.button("full screen", "Show this in full screen", "kw-button", () => {
    const turned = isWhole() ? document.exitFullscreen() : root.requestFullscreen();
    turned.catch((error) => console.warn("kan_widgets: no full screen here", error));
  });
  whole.hidden = !document.fullscreenEnabled;
  const say = () => {
    whole.textContent = isWhole() ? "leave full screen" : "full screen";
  };
  document.addEventListener("fullscreenchange", say, { signal });
  return [options, whole];
}
