/** The kernels or the networks of all models beside each other, in a picture. In a page they are views of their own: see models.ts. */

import { tabulated } from "../../scene/chart.ts";
import type { Given } from "../../scene/drawing.ts";
import type { Mark } from "../../scene/marks.ts";
import { headOf, messageOf, pictureOf } from "../../scene/still.ts";
import { drawing as gridDrawing } from "../kernel_grid/scene.ts";
import { agreement, TALLEST } from "../kernel_grid/settings.ts";
import type { Compared } from "../network_view/diagram.ts";
import { drawing as networkDrawing } from "../network_view/scene.ts";
import { nameMarks } from "./table.ts";

const PICTURE_GAP = 16;
const NAME_HEIGHT = 22;
const TALLEST_NETWORK = 1200;
/** Narrower than this a grid, or a diagram, is not read at a glance. */
const NARROWEST_PICTURE = { kernels: 458, networks: 456 };

/** How many stand beside each other in a width. */
export const picturesAbreast = (
  what: keyof typeof NARROWEST_PICTURE,
  count: number,
  width: number,
): number => tabulated(count, width, NARROWEST_PICTURE[what]).columns;

/** What diagrams beside each other have in common; `changed` is called when all but the one drawn are to be drawn again. */
export function comparedOf(count: number, changed: (drawn: number) => void = () => {}) {
  const reaches: Compared["reaches"] = new Map();
  const agreed = agreement(count, changed);
  return (number: number): Compared => ({ number, reaches, tallest: agreed(number).y });
}

const saying = (given: Given, trait: string, said: unknown): Given => ({
  ...given,
  get: (name) => (name === trait ? said : given.get(name)),
});

/** Pictures of all models under their names, so many in a row; the drawings of a row begin at one height. */
export function picturesOf(
  pictured: keyof typeof NARROWEST_PICTURE,
  parts: readonly Given[],
  models: readonly string[],
  { theme, ratio, width }: Given,
) {
  const [agreed, compared] = [agreement(parts.length), comparedOf(parts.length)];
  const isGrid = pictured === "kernels";
  const tallest = isGrid ? TALLEST : TALLEST_NETWORK;
  const draw = (part: Given, number: number) =>
    isGrid
      ? gridDrawing()(saying(part, "together", agreed(number)))
      : networkDrawing()(saying(part, "compared", compared(number)));
  const columns = picturesAbreast(pictured, parts.length, width);
  const room = (width - PICTURE_GAP * (columns - 1)) / columns;
  const make = () => parts.map((part, k) => draw({ ...part, theme, ratio, width: room }, k));
  make(); // once for the ranges that they have in common
  const scenes = make().map((scene) =>
    typeof scene === "string"
      ? scene
      : { ...scene, title: scene.title.replace(/^KernelGrid · /, "") },
  );
  const marks: Mark[] = [];
  let top = 0;
  for (let from = 0; from < scenes.length; from += columns) {
    const row = scenes.slice(from, from + columns);
    const heads = row.map((scene) => (typeof scene === "string" ? 0 : headOf(scene, theme)));
    const head = Math.max(...heads);
    const heights = row.map((scene, k) => {
      const picture =
        typeof scene === "string"
          ? messageOf(scene, room, theme)
          : pictureOf(scene, theme, head + tallest, head);
      const x = k * (room + PICTURE_GAP);
      const name = { x: x + 8, y: top + 15, room: room - 8 };
      marks.push(...nameMarks(models[from + k] ?? "", from + k, name, theme.colours));
      marks.push({ kind: "group", at: [x, top + NAME_HEIGHT], marks: picture.marks });
      return picture.height;
    });
    top += NAME_HEIGHT + Math.max(...heights) + PICTURE_GAP;
  }
  return { marks, height: Math.max(0, top - PICTURE_GAP) };
}
