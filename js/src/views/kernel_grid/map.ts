/** The whole of a layer of which only a window is drawn: a small map over the kernels, to look elsewhere. */

import { wholeOf } from "../../phi/entries.ts";
import { formatCount, formatNumber } from "../../phi/format.ts";
import { PAD, type Rect } from "../../phi/geometry.ts";
import { largestFinite } from "../../phi/ranges.ts";
import { greyPixels } from "../../scene/heat.ts";
import type { Mark, Scene, Sites } from "../../scene/marks.ts";
import { cellOf, regionSites } from "../../scene/regions.ts";
import { rect } from "../../scene/shapes.ts";
import type { Theme } from "../../scene/theme.ts";
import type { LayerLayout, Summary } from "../../wire/types.ts";

const TALLEST_MAP = 132;
const LARGEST_MAP_CELL = 8;
const MAP_GAP = 10;
/** A frame around a window is never smaller. */
const SMALLEST_FRAME = 4;

export type LayerMap = NonNullable<ReturnType<typeof layerMap>>;

/** The map of a layer, in a view so wide; null where all of the layer is drawn, or nothing is known of the rest. */
export function layerMap(layer: LayerLayout, summary: Summary | null, width: number) {
  if (!layer.window || !summary) return null;
  const { rows, columns } = summary;
  const cell = Math.min(LARGEST_MAP_CELL, TALLEST_MAP / rows, (width - 2 * PAD) / columns);
  const box = { x: PAD, y: PAD, width: columns * cell, height: rows * cell };
  /** What lies under the map begins `under` pixels down. */
  return { summary, layer, box, under: box.height + PAD + MAP_GAP };
}

const MAP = "map";

export function isOnMap(id: string): boolean {
  return cellOf(id)?.name === MAP;
}

/** Where a click on the map looks: the middle of a block; null for other sites. */
export function lookedAt({ summary }: LayerMap, id: string): { out: number; in: number } | null {
  const cell = cellOf(id);
  if (cell?.name !== MAP) return null;
  const [down, across] = summary.block;
  return {
    out: cell.row * down + Math.floor(down / 2),
    in: cell.column * across + Math.floor(across / 2),
  };
}

function mapText({ summary, layer }: LayerMap): string {
  const [out, inputs] = wholeOf(layer);
  const [down, across] = summary.block;
  const { reach, every, broken } = summary;
  const most = largestFinite(reach);
  const block = down * across > 1 ? `a block of ${down} × ${across}` : "one output and one input";
  const part = every > 1 ? `, of every ${formatCount(every)}th input` : "";
  return (
    `map of all ${formatCount(out)} outputs (down) × ${formatCount(inputs)} inputs (across) at step ` +
    `${formatCount(summary.step)}: each cell is ${block}, the stronger the larger its |φ|${part}, 0 to ${formatNumber(most)}; ` +
    (broken > 0 ? `${formatCount(broken)} functions are not finite; ` : "") +
    "below it, the kernels in the frame: click the map to see others"
  );
}

export function underMap<S extends Scene>(scene: S, map: LayerMap, theme: Theme): S {
  const { under, box } = map;
  const up = (view: Rect) => ({ ...view, y: view.y - under });
  return {
    ...scene,
    width: Math.max(scene.width, box.x + box.width + PAD),
    height: scene.height + under,
    cuts: scene.cuts?.map((y) => y + under),
    opened: scene.opened && ((view) => (scene.opened?.(up(view)) ?? 0) + under),
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
  const most = largestFinite(reach);
  const [none, all] = theme.name === "light" ? [most, 0] : [0, most];
  const pixels = greyPixels(reach, columns, [none, all]);
  return [
    { kind: "image", box, pixels },
    rect(windowBox(layer, box, summary), { stroke: theme.colours.accent, width: 2 }),
  ];
}

function windowBox({ shape, window }: LayerLayout, box: Rect, { rows, columns, block }: Summary) {
  const corner = window ?? { out: 0, in: 0 };
  // The last blocks may be smaller, and are drawn as large as the others.
  const [down, across] = [box.height / (rows * block[0]), box.width / (columns * block[1])];
  return {
    x: box.x + corner.in * across,
    y: box.y + corner.out * down,
    width: Math.max(SMALLEST_FRAME, shape[1] * across),
    height: Math.max(SMALLEST_FRAME, shape[0] * down),
  };
}

/** The map is a region over the sites of what lies under it. */
function sitesUnder(inner: Sites, { box, under, summary, layer }: LayerMap): Sites {
  const { rows, columns, block, reach } = summary;
  const [out, inputs] = wholeOf(layer);
  const span = (k: number, size: number, of: number) =>
    `${formatCount(k * size)} to ${formatCount(Math.min(of, (k + 1) * size) - 1)}`;
  const words = (row: number, column: number) => {
    const far = reach[row * columns + column];
    const size = Number.isNaN(far) ? "not finite" : `largest |φ| ${formatNumber(far)}`;
    return `outputs ${span(row, block[0], out)}, inputs ${span(column, block[1], inputs)}: ${size}; Enter looks there`;
  };
  const corner = layer.window ?? { out: 0, in: 0 };
  const home = [Math.floor(corner.out / block[0]), Math.floor(corner.in / block[1])] as const;
  const map = regionSites([{ name: MAP, box, rows, columns, home, words }]);
  return {
    ...inner,
    at: (x, y, view) =>
      y < under ? map.at(x, y, view) : inner.at(x, y - under, { ...view, y: view.y - under }),
    box(id) {
      const found = inner.box(id);
      return isOnMap(id) ? map.box(id) : found && { ...found, y: found.y + under };
    },
    words: (id) => (isOnMap(id) ? map : inner).words(id),
    next(id, direction) {
      if (!isOnMap(id)) {
        const found = inner.next(id, direction);
        // From the uppermost functions one comes to the map.
        return direction === "up" && found === id ? map.next("", "first") : found;
      }
      if (direction === "first" || direction === "last") return inner.next("", direction);
      const found = map.next(id, direction);
      return direction === "down" && found === id ? inner.next("", "first") : found;
    },
  };
}
