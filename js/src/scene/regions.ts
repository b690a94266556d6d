/** Sites that lie in grids: the pixels of a map, the cells of a kernel. Their ids are `name/row/column`. */

import { least } from "d3-array";
import { STEPS } from "../phi/geometry.ts";
import type { Direction, Rect, Sites } from "./marks.ts";

/** Cells in rows and columns. */
interface CellGrid {
  box: Rect;
  rows: number;
  columns: number;
  /** Free pixels between cells. */
  gap?: number | undefined;
}

export interface Region extends CellGrid {
  name: string;
  /** How many cells there are, where the last row is not full. */
  count?: number | undefined;
  /** Row and column at which the keyboard comes in; the middle by default. */
  home?: readonly [number, number] | undefined;
  words(row: number, column: number): string;
  cursor?: string | undefined;
}

export type Cell = NonNullable<ReturnType<typeof cellOf>>;

const idOf = ({ name, row, column }: Cell) => `${name}/${row}/${column}`;

/** The cell that an id names; null where it names none. */
export function cellOf(id: string) {
  const parts = id.split("/");
  if (parts.length < 3) return null;
  const [row, column] = parts.slice(-2).map(Number);
  return { name: parts.slice(0, -2).join("/"), row, column };
}

/** The cell that holds a point of a region, in its rows and columns; null between cells and outside. */
function cellUnder(region: Region, x: number, y: number): [row: number, column: number] | null {
  const { box, rows, columns, gap = 0 } = region;
  const [across, down] = pitchOf(region);
  const column = Math.floor((x - box.x) / across);
  const row = Math.floor((y - box.y) / down);
  if (!hasCell(region, row, column) || row >= rows || column >= columns) return null;
  const right = x - box.x - column * across > across - gap;
  const below = y - box.y - row * down > down - gap;
  return right || below ? null : [row, column];
}

export function cellBox(region: CellGrid, row: number, column: number): Rect {
  const { box, gap = 0 } = region;
  const [across, down] = pitchOf(region);
  return {
    x: box.x + column * across,
    y: box.y + row * down,
    width: across - gap,
    height: down - gap,
  };
}

function pitchOf({ box, rows, columns, gap = 0 }: CellGrid): [number, number] {
  return [(box.width + gap) / columns, (box.height + gap) / rows];
}

function hasCell({ rows, columns, count = rows * columns }: Region, row: number, column: number) {
  return (
    row >= 0 && column >= 0 && row < rows && column < columns && row * columns + column < count
  );
}

/** The sites of all regions. Arrow keys move in a region and over its edge into the nearest; Home and End go to its first and last cell. */
export function regionSites(regions: readonly Region[], start = 0): Sites {
  const regionNamed = (id: string) => regions.find(({ name }) => name === id);
  const locate = (id: string) => {
    const cell = cellOf(id);
    const region = cell && regionNamed(cell.name);
    return region && hasCell(region, cell.row, cell.column) ? { ...cell, region } : null;
  };
  return {
    at(x, y) {
      for (const region of regions) {
        const place = cellUnder(region, x, y);
        if (place) return idOf({ name: region.name, row: place[0], column: place[1] });
      }
      return "";
    },
    box(id) {
      const cell = locate(id);
      return cell ? cellBox(cell.region, cell.row, cell.column) : (regionNamed(id)?.box ?? null);
    },
    words(id) {
      const cell = locate(id);
      return cell ? cell.region.words(cell.row, cell.column) : "";
    },
    next(id, direction) {
      const from = locate(id);
      if (!from) return regions[start] ? homeOf(regions[start]) : "";
      const { region, row, column } = from;
      const { name, rows, columns, count = rows * columns } = region;
      if (direction === "first") return idOf({ name, row: 0, column: 0 });
      if (direction === "last") {
        const last = count - 1;
        return idOf({ name, row: Math.floor(last / columns), column: last % columns });
      }
      const [across, down] = STEPS[direction];
      if (hasCell(region, row + down, column + across)) {
        return idOf({ name, row: row + down, column: column + across });
      }
      const beyond = neighbourOf(regions, region, cellBox(region, row, column), direction);
      return beyond ? entryCell(beyond, cellBox(region, row, column), direction) : id;
    },
    cursor: (id) => locate(id)?.region.cursor ?? (id ? "pointer" : ""),
  };
}

function homeOf({ name, rows, columns, count, home }: Region): string {
  const [row, column] = home ?? (count === undefined ? [rows >> 1, columns >> 1] : [0, 0]);
  return idOf({ name, row, column });
}

/** The region that lies next beyond an edge of this one. */
function neighbourOf(regions: readonly Region[], from: Region, cell: Rect, direction: Direction) {
  const distanceTo = ({ box }: Region) => {
    const ahead = {
      left: from.box.x - (box.x + box.width),
      right: box.x - (from.box.x + from.box.width),
      up: from.box.y - (box.y + box.height),
      down: box.y - (from.box.y + from.box.height),
    }[direction];
    if (ahead < -1) return undefined;
    const sideways = direction === "left" || direction === "right";
    const [low, high] = sideways ? [box.y, box.y + box.height] : [box.x, box.x + box.width];
    const centre = sideways ? cell.y + cell.height / 2 : cell.x + cell.width / 2;
    return ahead + 2 * Math.max(0, low - centre, centre - high);
  };
  return least(
    regions.filter((region) => region !== from),
    distanceTo,
  );
}

/** The cell at which arrow keys enter a region: at the facing edge, or at its `home` where it has one. */
function entryCell(region: Region, cell: Rect, direction: Direction): string {
  if (region.home) return homeOf(region);
  const { box, rows, columns, name } = region;
  const [across, down] = pitchOf(region);
  const inside = (value: number, size: number) => Math.max(0, Math.min(size - 1, value));
  let row = inside(Math.floor((cell.y + cell.height / 2 - box.y) / down), rows);
  let column = inside(Math.floor((cell.x + cell.width / 2 - box.x) / across), columns);
  if (direction === "left") column = columns - 1;
  else if (direction === "right") column = 0;
  else if (direction === "up") row = rows - 1;
  else row = 0;
  while (!hasCell(region, row, column) && row > 0) row--;
  return idOf({ name, row, column });
}
