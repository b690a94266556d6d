/** The kernels of each model in the page: a kernel grid under each name, with one toolbar and one scale for all. */

import type { Host } from "@anywidget/types";
import { element } from "../../shell/element.ts";
import type { Mounted, Shell } from "../../shell/mount.ts";
import { SORTS } from "../kernel_grid/settings.ts";
import { agreement } from "../kernel_grid/together.ts";
import { render } from "../kernel_grid/view.ts";
import { columnsOf, MOST } from "./kernels.ts";
import { createModels, type Models, saying } from "./models.ts";

/** What the one toolbar sets for all grids. The layer is each grid's own, and so are scores: other models have others. */
const ALIKE = ["mode", "binarise", "suppressed", "bounds", "scale", "ghost", "x_range", "sort"];

export function createGrids(shell: Shell, host: Host): Models {
  const refs = (shell.get("parts") ?? []) as string[];
  const bar = element(shell.document, "div", "kw-header kw-together");
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "All kernel grids");
  bar.hidden = true;
  const agreed = agreement(refs.length, MOST, (drawn) => {
    refs.forEach((_, number) => {
      if (number !== drawn) models.again(number);
    });
  });

  const models = createModels(
    shell,
    host,
    refs,
    {
      label: "Kernels",
      columns: columnsOf,
      render(props, number) {
        const model = saying(props.model, "together", agreed(number));
        render({ ...props, model } as unknown as Mounted);
      },
      mounted(_, number, place) {
        share(number, place, bar);
      },
      alike: ALIKE,
      passes: (trait, value) => trait !== "sort" || (SORTS as readonly unknown[]).includes(value),
    },
    [bar],
  );
  return models;
}

/** Each grid keeps its choice of layers; the rest of the first one's header stands over all and is for all. */
function share(number: number, place: HTMLElement, bar: HTMLElement) {
  const header = place.querySelector<HTMLElement>(".kw-header");
  if (!header) return;
  const rest = [...header.children].slice(2);
  if (number > 0) {
    for (const box of rest) box.remove();
    return;
  }
  bar.append(...rest);
  bar.hidden = false;
}
