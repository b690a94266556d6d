/** The whole of a layer of which only a window is drawn: a small map over the kernels, to look elsewhere. No DOM. */

import { wholeOf } from "../../phi/entries.ts";
import { formatCount, number } from "../../phi/format.ts";
import { PAD, type Rect, STEPS } from "../../phi/geometry.ts";
import { paletteOf } from "../../phi/palette.ts";
import { heatOf } from "../../scene/heat.ts";
import type { Mark, Scene, Sites } from "../../scene/marks.ts";
import { rect } from "../../scene/shapes.ts";
import type { Theme } from "../../scene/theme.ts";
import type { LayerLayout, Summary } from "../../wire/types.ts";

const TALLEST = 132;
const LARGEST_CELL = 8;
const GAP = 10;
/** A frame around a window is never smaller. */
const LEAST = 4;

/** Where a layer is looked at. */
export interface Place {
  out: number;
  in: number;
}

export interface LayerMap {
  summary: Summary;
  layer: LayerLayout;
  box: Rect;
  /** What lies under the map begins so far down. */
  under: number;
}

/** The map of a layer, in a view so wide; null where all of the layer is drawn, or nothing is known of the rest. */
export function mapOf(layer: LayerLayout, summary: Summary | null, width: number): LayerMap | null {
  if (!layer.window || !summary) return null;
  const { rows, columns } = summary;
  const cell = Math.min(LARGEST_CELL, TALLEST / rows, (width - 2 * PAD) / columns);
  const box = { x: PAD, y: PAD, width: columns * cell, height: rows * cell };
  return { summary, layer, box, under: box.height + PAD + GAP };
}

/** What a click on the map looks at: the middle of a block; null for other sites. */
export function placeOf({ summary }: LayerMap, id: string): Place | null {
  const found = /^map:(\d+):(\d+)$/.exec(id);
  if (!found) return null;
  const [down, across] = summary.block;
  return {
    out: Number(found[1]) * down + Math.floor(down / 2),
    in: Number(found[2]) * across + Math.floor(across / 2),
  };
}

function mostOf(reach: Float32Array): number {
  return Math.max(0, ...reach.filter(Number.isFinite));
}

/** Whether there is a change to speak of: not from a frame to itself. */
function hasMoved(summary: Summary): summary is Summary & { change: Float32Array } {
  return summary.change !== null && summary.step > summary.since;
}

/** What the map shows, in words. */
export function mapText({ summary, layer }: LayerMap): string {
  const [out, inputs] = wholeOf(layer);
  const [down, across] = summary.block;
  const { reach, every, broken } = summary;
  const most = mostOf(reach);
  const block = down * across > 1 ? `a block of ${down} × ${across}` : "an output and input";
  const part = every > 1 ? `, of every ${formatCount(every)}th input` : "";
  return (
    `map of all ${formatCount(out)} outputs (down) × ${formatCount(inputs)} inputs (across) at step ` +
    `${formatCount(summary.step)}: a cell is ${block}, coloured by its largest |φ|${part}, 0 to ${number(most)}; ` +
    (broken > 0 ? `${formatCount(broken)} functions are not finite; ` : "") +
    (hasMoved(summary)
      ? `since step ${formatCount(summary.since)} φ has moved by up to ${number(mostOf(summary.change))}; `
      : "") +
    "below it, the kernels in the frame: click the map to look elsewhere"
  );
}

/** The scene with the map above it. */
export function underMap<S extends Scene>(scene: S, map: LayerMap, theme: Theme): S {
  const { under, box } = map;
  const up = (view: Rect) => ({ ...view, y: view.y - under });
  return {
    ...scene,
    width: Math.max(scene.width, box.x + box.width + PAD),
    height: scene.height + under,
    cuts: scene.cuts?.map((y) => y + under),
    words: `${scene.words} ${mapText(map)}.`,
    caption: [{ text: mapText(map), tone: "ink" }, ...scene.caption],
    sheets: [
      ...scene.sheets.map(({ from, marks }) => ({
        from: from && [...from, under],
        marks: (view: Rect): Mark[] => [{ kind: "group", at: [0, under], marks: marks(up(view)) }],
      })),
      { from: [map.summary, map.layer, theme.name, box.width], marks: () => mapMarks(map, theme) },
    ],
    sites: sitesUnder(scene.sites, map),
  };
}

function mapMarks({ summary, layer, box }: LayerMap, theme: Theme): Mark[] {
  const { reach, columns } = summary;
  const most = mostOf(reach);
  const pixels = heatOf(reach, columns, most, paletteOf(theme.name));
  return [
    { kind: "image", box, pixels },
    rect(windowBox(layer, box, summary), { stroke: theme.colours.accent, width: 2 }),
  ];
}

/** Where the window lies on the map. */
function windowBox(
  { shape, window }: LayerLayout,
  box: Rect,
  { rows, columns, block }: Summary,
): Rect {
  const corner = window ?? { out: 0, in: 0 };
  // The last blocks may be smaller, and are drawn as large as the others.
  const [down, across] = [box.height / (rows * block[0]), box.width / (columns * block[1])];
  return {
    x: box.x + corner.in * across,
    y: box.y + corner.out * down,
    width: Math.max(LEAST, shape[1] * across),
    height: Math.max(LEAST, shape[0] * down),
  };
}

function sitesUnder(inner: Sites, map: LayerMap): Sites {
  const { box, under, summary, layer } = map;
  const { rows, columns, block, reach } = summary;
  const isMap = (id: string) => id.startsWith("map:");
  const [cellWidth, cellHeight] = [box.width / columns, box.height / rows];
  const partsOf = (id: string) => id.split(":").slice(1).map(Number) as [number, number];
  const idOf = (row: number, column: number) =>
    `map:${Math.max(0, Math.min(rows - 1, row))}:${Math.max(0, Math.min(columns - 1, column))}`;
  const here = () =>
    idOf(
      Math.floor((layer.window?.out ?? 0) / block[0]),
      Math.floor((layer.window?.in ?? 0) / block[1]),
    );
  return {
    at(x, y, view) {
      if (y >= under) return inner.at(x, y - under, { ...view, y: view.y - under });
      const row = Math.floor((y - box.y) / cellHeight);
      const column = Math.floor((x - box.x) / cellWidth);
      return row >= 0 && row < rows && column >= 0 && column < columns ? idOf(row, column) : "";
    },
    box(id) {
      if (!isMap(id)) {
        const found = inner.box(id);
        return found && { ...found, y: found.y + under };
      }
      const [row, column] = partsOf(id);
      const [x, y] = [box.x + column * cellWidth, box.y + row * cellHeight];
      return { x, y, width: cellWidth, height: cellHeight };
    },
    words(id) {
      if (!isMap(id)) return inner.words(id);
      const [row, column] = partsOf(id);
      const [out, inputs] = wholeOf(layer);
      const span = (k: number, size: number, of: number) =>
        `${formatCount(k * size)} to ${formatCount(Math.min(of, (k + 1) * size) - 1)}`;
      const far = reach[row * columns + column];
      const size = Number.isNaN(far) ? "not finite" : `largest |φ| ${number(far)}`;
      const moved = hasMoved(summary) ? summary.change[row * columns + column] : Number.NaN;
      const change = Number.isNaN(moved)
        ? ""
        : `, moved by up to ${number(moved)} since step ${formatCount(summary.since)}`;
      return `outputs ${span(row, block[0], out)}, inputs ${span(column, block[1], inputs)}: ${size}${change}; Enter looks there`;
    },
    next(id, direction) {
      if (!isMap(id)) {
        const found = inner.next(id, direction);
        // From the uppermost functions one comes to the map.
        return direction === "up" && found === id ? here() : found;
      }
      const [row, column] = partsOf(id);
      if (direction === "first" || direction === "last") return inner.next("", direction);
      if (direction === "down" && row === rows - 1) return inner.next("", "first");
      const [dx, dy] = STEPS[direction];
      return idOf(row + dy, column + dx);
    },
    ...(inner.cursor && { cursor: inner.cursor }),
  };
}
