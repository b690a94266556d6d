/** The kernels of all models beside each other, in a picture. In a page they are views of their own: see grids.ts. No DOM. */

import type { Given } from "../../scene/drawing.ts";
import type { Mark } from "../../scene/marks.ts";
import { headOf, messageOf, type Paged, pictureOf } from "../../scene/still.ts";
import type { Theme } from "../../scene/theme.ts";
import { drawing as gridDrawing } from "../kernel_grid/scene.ts";
import { agreement, TALLEST } from "../kernel_grid/together.ts";
import { evenColumns } from "./columns.ts";
import { nameMarks } from "./table.ts";

export const GAP = 16;
const NARROWEST = 290;
const NAME = 22;
/** A layer of more functions than these is an overview, so that no grid is cut. */
export const MOST = 400;

export const columnsOf = (count: number, width: number): number =>
  evenColumns(count, width, NARROWEST, GAP);

/** Pictures of all models. */
export interface Kernels {
  marks: Mark[];
  height: number;
}

export function kernelsOf(
  parts: readonly Given[],
  models: readonly string[],
  width: number,
  { theme, ratio }: Given,
): Kernels {
  const columns = columnsOf(parts.length, width);
  const room = (width - GAP * (columns - 1)) / columns;
  const agreed = agreement(parts.length, MOST);
  const all = parts.map((part, k) => {
    const together = agreed(k);
    const get = (trait: string) => (trait === "together" ? together : part.get(trait));
    return { ...part, theme, ratio, get };
  });
  // Once for the ranges that they have in common.
  for (const part of all) gridDrawing()({ ...part, width: room });
  return stacked(models, columns, width, theme, (room, row) =>
    aligned(
      row.map((number) => all[number]),
      room,
      theme,
    ),
  );
}

/** Pictures of all models under their names, so many in a row. */
export function stacked(
  models: readonly string[],
  columns: number,
  width: number,
  theme: Theme,
  draw: (room: number, row: readonly number[]) => readonly Paged[],
): Kernels {
  const room = (width - GAP * (columns - 1)) / columns;
  const numbers = Array.from(models.keys());
  const marks: Mark[] = [];
  let top = 0;
  for (let from = 0; from < numbers.length; from += columns) {
    const row = numbers.slice(from, from + columns);
    const pictures = draw(room, row);
    pictures.forEach((picture, k) => {
      const x = k * (room + GAP);
      const name = { x: x + 8, y: top + 15, room: room - 8 };
      marks.push(...nameMarks(models[row[k]] ?? "", row[k], name, theme.colours));
      marks.push({ kind: "group", at: [x, top + NAME], marks: picture.marks });
    });
    top += NAME + Math.max(...pictures.map(({ height }) => height)) + GAP;
  }
  return { marks, height: Math.max(0, top - GAP) };
}

/** Pictures whose drawings begin at one height. */
function aligned(row: readonly Given[], width: number, theme: Theme): Paged[] {
  const scenes = row.map((part) => {
    const scene = gridDrawing()({ ...part, width });
    if (typeof scene === "string") return scene;
    return { ...scene, title: scene.title.replace(/^KernelGrid · /, "") };
  });
  const heads = scenes.map((scene) => (typeof scene === "string" ? 0 : headOf(scene, theme)));
  const head = Math.max(...heads);
  return scenes.map((scene) => {
    if (typeof scene === "string") return messageOf(scene, width, theme);
    return pictureOf(scene, theme, head + TALLEST, head);
  });
}
