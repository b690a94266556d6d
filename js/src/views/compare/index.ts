/** The table below the kernels and curves of several models, and the theme of what stands around it. */

import type { RenderProps } from "@anywidget/types";
import { createSave } from "../../shell/save.ts";
import { inJupyter, themeAround, watchTheme } from "../../shell/theme.ts";
import { createTable, nameOf, type Shown } from "./table.ts";

interface Traits {
  shown: Shown;
  theme: "auto" | "light" | "dark";
  [name: string]: unknown;
}

/** The page may put this view in before the box it belongs to. */
const TRIES = 100;

function render({ model, el, signal }: RenderProps<Traits>): void {
  const save = createSave(
    el.ownerDocument,
    {
      root: () => el.closest<HTMLElement>(".kw-compare") ?? el,
      name: () => nameOf(model.get("shown")),
      redraw() {},
    },
    signal,
  );
  const table = createTable(el.ownerDocument);
  table.foot.append(save);
  el.append(table.element);

  const show = () => table.show(model.get("shown"));

  let tries = 0;
  function dress() {
    const chosen = model.get("theme");
    const theme = chosen === "light" || chosen === "dark" ? chosen : themeAround(el);
    const box = el.closest<HTMLElement>(".kw-compare");
    for (const element of [table.element, box]) {
      if (!element) continue;
      element.dataset.kwTheme = theme;
      if (chosen === "auto" && inJupyter(el.ownerDocument)) element.dataset.kwHost = "jupyter";
      else delete element.dataset.kwHost;
    }
    if (!box && !signal.aborted && tries++ < TRIES) requestAnimationFrame(dress);
  }

  model.on("change:shown", show);
  model.on("change:theme", dress);
  signal.addEventListener(
    "abort",
    () => {
      model.off("change:shown", show);
      model.off("change:theme", dress);
    },
    { once: true },
  );
  watchTheme(el, dress, signal);
  dress();
  show();
}

export default { render };
