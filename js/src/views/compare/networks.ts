/** The whole network of each model, in the page and in a picture, with one example running through all. */

import type { Host } from "@anywidget/types";
import type { Given } from "../../scene/drawing.ts";
import { headOf, messageOf, pictureOf } from "../../scene/still.ts";
import type { Mounted, Shell } from "../../shell/mount.ts";
import { drawing } from "../network_view/scene.ts";
import type { Compared } from "../network_view/settings.ts";
import { render } from "../network_view/view.ts";
import { evenColumns } from "./columns.ts";
import { GAP, type Kernels, stacked } from "./kernels.ts";
import { createModels, type Models, saying } from "./models.ts";

/** Narrower than this a diagram is not read at a glance. */
const NARROWEST = 560;
const TALLEST = 1200;

const columnsOf = (count: number, width: number): number =>
  evenColumns(count, width, NARROWEST, GAP);

export function createNetworks(shell: Shell, host: Host): Models {
  const reaches: Compared["reaches"] = new Map();
  return createModels(shell, host, (shell.get("diagrams") ?? []) as string[], {
    label: "Network",
    columns: columnsOf,
    render(props, number) {
      const model = saying(props.model, "compared", { number, reaches });
      render({ ...props, model } as unknown as Mounted);
    },
    alike: ["example", "drawing", "relevance"],
  });
}

export function networksOf(
  parts: readonly Given[],
  models: readonly string[],
  width: number,
  { theme, ratio }: Given,
): Kernels {
  const columns = columnsOf(parts.length, width);
  const reaches: Compared["reaches"] = new Map();
  const make = () =>
    stacked(models, columns, width, theme, (room, row) => {
      const scenes = row.map((number) => {
        const compared: Compared = { number, reaches };
        const get = (trait: string) => (trait === "compared" ? compared : parts[number].get(trait));
        return drawing()({ ...parts[number], get, theme, ratio, width: room });
      });
      const heads = scenes.map((scene) => (typeof scene === "string" ? 0 : headOf(scene, theme)));
      const head = Math.max(...heads);
      return scenes.map((scene) =>
        typeof scene === "string"
          ? messageOf(scene, room, theme)
          : pictureOf(scene, theme, head + TALLEST, head),
      );
    });
  make(); // once, so that the reaches of all are known
  return make();
}
