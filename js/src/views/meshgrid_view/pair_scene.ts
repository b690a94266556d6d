/** The pair: the surface φ_i(x) + φ_j(y) of two entries, chosen on a small map of their kernel beside it. No DOM. */

import { levelsOf } from "../../phi/contours.ts";
import { layerTitle } from "../../phi/entries.ts";
import { formatCount, number } from "../../phi/format.ts";
import { endsOrGrid, inputEnds } from "../../phi/inputs.ts";
import { exactAt } from "../../phi/interpolate.ts";
import { memory } from "../../phi/memory.ts";
import {
  type Density,
  densityOf,
  domainOf,
  entryIn,
  functionIn,
  type Group,
  groupOf,
  observedEntry,
  partnerOf,
  selectionIn,
  shareAt,
  surfaceOf,
} from "../../phi/pair.ts";
import { mostOf, reachOf } from "../../phi/ramp.ts";
import { niceCeil } from "../../phi/ranges.ts";
import { type Axis, evenLabels, leftRoom, linear, ticks } from "../../scene/axes.ts";
import type { Given } from "../../scene/drawing.ts";
import type { Remark, Scene } from "../../scene/marks.ts";
import { cellOf, type Region, regionSites } from "../../scene/regions.ts";
import type { Pair, PairLayout, Reading } from "./pair.ts";
import { kernelMarks, plotMarks, readingMarks } from "./pair_marks.ts";
import { colourRemarks, type Shown } from "./shown.ts";
import { finite, percent } from "./words.ts";

export interface PairScene extends Scene, Shown {
  mode: "pair";
  pair: Pair;
  layout: PairLayout;
  reading: Reading | null;
  /** Whether the first entry was selected, by whomever. */
  chosen: boolean;
}

/** Points of the surface per axis. */
const POINTS = 65;
const BINS = 24;
/** Steps of the keyboard over the surface. */
export const READINGS = 41;
const PAD = 8;
const TOP = 10;
const NARROW = 520;
const SIDE = 176;
/** The surface is at most so much wider than high. */
const WIDEST = 2;

export function pairDrawing(): (given: Given, shown: Shown) => PairScene {
  const keep = memory();

  function pairOf({ store }: Given, { frame, layer, settings }: Shown): Pair {
    const selection = store.selection();
    const group = groupOf(layer, selection);
    const entryX = entryIn(layer, group, selection);
    const entryY = partnerOf(group, entryX, settings.other);
    const [i, j] = [entryX, entryY].map((entry) => functionIn(layer, group, entry));
    const observed = store.observed(layer.name);
    const [placeX, placeY] = [entryX, entryY].map((entry) =>
      observedEntry(layer, selectionIn(layer, group, entry)),
    );
    const rangeOf = (place: number, f: number) =>
      endsOrGrid((observed && inputEnds(observed)[place]) ?? null, domainOf(layer, f));
    const ranges: Pair["ranges"] = [rangeOf(placeX, i), rangeOf(placeY, j)];
    const surface = keep("surface", [frame, layer, i, j, ...ranges.flat()], () =>
      surfaceOf(frame, layer, [i, j], ranges, POINTS),
    );
    const reach = keep("reach", [surface], () => reachOf(surface.values));
    const density = keep("density", [observed, layer, placeX, placeY], () =>
      observed ? densityOf(observed, placeX, placeY, ...ranges, BINS) : null,
    );
    const points = group.count > 100 ? 4 : 20;
    const strips = keep("strips", [frame, layer, group.out, group.in], () =>
      Array.from({ length: group.count }, (_, entry) => {
        const f = functionIn(layer, group, entry);
        const [lo, hi] = layer.domain;
        return Float64Array.from({ length: points }, (_, k) => {
          return exactAt(layer, f, frame, lo + ((hi - lo) * (k + 0.5)) / points).phi;
        });
      }),
    );
    return {
      group,
      entries: [entryX, entryY],
      functions: [i, j],
      names: [entryName(group, entryX), entryName(group, entryY)],
      ranges,
      surface,
      reach,
      most: niceCeil(mostOf(reach)),
      levels: keep("levels", [reach], () => levelsOf(reach.low, reach.high)),
      density,
      strips,
      stripMost: Math.max(...strips.map((strip) => mostOf(reachOf(strip)))),
    };
  }

  return (given, shown) => {
    const { layer, frame } = shown;
    const { pointed, theme, ratio } = given;
    const pair = pairOf(given, shown);
    const layout = layOut(given, shown, pair);
    const { names } = pair;
    const title = `${layerTitle(layer)} · ${groupName(pair.group)}`;
    const plane: Region = {
      name: "plot",
      box: layout.plot,
      rows: READINGS,
      columns: READINGS,
      words: (row, column) => {
        const { lines } = readAt(shown, pair, ...planePoint(pair, row, column));
        return lines.map(({ label, value }) => `${label} ${value}`).join(", ");
      },
    };
    const cell = cellOf(pointed.id);
    const reading = readingOf(given, shown, pair, layout);
    const hovered = cell?.name === "kernel" ? cell.row * pair.group.columns + cell.column : -1;
    const marked = { hovered, keyboard: cellOf(pointed.keyboard) };
    return {
      mode: "pair",
      ...shown,
      pair,
      layout,
      reading,
      chosen: given.store.selection()?.layer === layer.name,
      width: layout.width,
      height: layout.height,
      title: `MeshgridView · ${title}`,
      moment: `step ${formatCount(frame.step)}`,
      words:
        `Sum of two functions of ${title}: φ of ${names[0]} over x, φ of ${names[1]} over y, ` +
        `from ${number(pair.reach.low)} to ${number(pair.reach.high)}. ` +
        `x is ${names[0]}, y is ${names[1]}. ` +
        "Arrow keys move between entries and over the surface; x or y sets an entry, Enter the next.",
      about: JSON.stringify([layer.name, pair.functions]),
      caption: captionOf(given, shown, pair),
      sheets: [
        { marks: () => kernelMarks(pair, layout, marked, theme) },
        {
          from: [pair.surface, pair.density, JSON.stringify(layout), theme.name, ratio],
          marks: () => plotMarks(pair, layout, theme, ratio),
        },
        { marks: () => (reading ? readingMarks(reading, layout, theme) : []) },
      ],
      sites: regionSites([layout.kernel, plane]),
    };
  };
}

/** The map of the kernel: beside the surface where there is room, above it otherwise. */
function layOut({ width, height }: Given, { layer }: Shown, pair: Pair): PairLayout {
  const { group, names, ranges } = pair;
  const narrow = width < NARROW;
  const rows = Math.ceil(group.count / group.columns);
  const room = Math.min(150, width - 2 * PAD);
  const gap = room / group.columns >= 16 ? 2 : 1;
  const pitch = Math.max(4, Math.min(44, Math.floor((room + gap) / group.columns)));
  const box = {
    x: PAD + 3,
    y: TOP + 3,
    width: group.columns * pitch - gap,
    height: rows * pitch - gap,
  };
  const kernel: Region = {
    name: "kernel",
    box,
    rows,
    columns: group.columns,
    count: group.count,
    gap,
    home: placeOf(group, pair.entries[0]),
    words: (row, column) => entryName(group, row * group.columns + column),
  };
  const below = box.y + box.height + 20;
  const v = layer.variable === "x" ? "" : `${layer.variable}, `;
  const top = narrow ? below + 38 : TOP;
  const left = narrow ? 0 : SIDE;
  const bottom = 44;
  const across = width - left - 80;
  const tall = Math.max(120, Math.min(460, 1.1 * across, (narrow ? width : height) - TOP - bottom));
  const axis = (k: 0 | 1, start: number, end: number): Axis => {
    const range = { from: ranges[k][0], to: ranges[k][1] };
    const at = ticks(range, Math.max(3, Math.abs(end - start) / 60));
    const title = `${"xy"[k]}: ${v}${names[k]}`;
    return { scale: linear(range, start, end), ticks: at, title, label: evenLabels(at) };
  };
  const up = axis(1, top + tall, top);
  const x = left + PAD + leftRoom(up, 11);
  const wide = Math.max(120, Math.min(WIDEST * tall, width - x - 2 * PAD));
  const plot = { x, y: top, width: Math.floor(wide), height: tall };
  return {
    narrow,
    kernel,
    names: { x: PAD + 3, y: [below, below + 18] },
    plot,
    axes: [axis(0, plot.x, plot.x + plot.width), up],
    width: Math.max(width, plot.x + plot.width + PAD),
    height: Math.max(plot.y + tall + bottom, below + 30),
  };
}

function placeOf({ columns }: Group, entry: number): [number, number] {
  return [Math.floor(entry / columns), entry % columns];
}

/** The inputs at a step of the keyboard; rows run down, y runs up. */
function planePoint({ ranges }: Pair, row: number, column: number): [number, number] {
  const [[x0, x1], [y0, y1]] = ranges;
  const share = (k: number) => k / (READINGS - 1);
  return [x0 + (x1 - x0) * share(column), y1 - (y1 - y0) * share(row)];
}

/** What is read where the pointer or the keyboard is on the surface. */
function readingOf(
  { pointed }: Given,
  shown: Shown,
  pair: Pair,
  { plot }: PairLayout,
): Reading | null {
  const cell = cellOf(pointed.id);
  if (cell?.name !== "plot") return null;
  if (!pointed.at) return readAt(shown, pair, ...planePoint(pair, cell.row, cell.column));
  const [[x0, x1], [y0, y1]] = pair.ranges;
  const across = (pointed.at.x - plot.x) / plot.width;
  const down = (pointed.at.y - plot.y) / plot.height;
  return readAt(shown, pair, x0 + (x1 - x0) * across, y1 - (y1 - y0) * down);
}

function readAt({ frame, layer }: Shown, pair: Pair, x: number, y: number): Reading {
  const [i, j] = pair.functions;
  const [a, b] = [exactAt(layer, i, frame, x).phi, exactAt(layer, j, frame, y).phi];
  const lines = [
    { label: "x", value: number(x) },
    { label: "y", value: number(y) },
    { label: "φ(x)", value: finite(a) },
    { label: "φ(y)", value: finite(b) },
    { label: "sum", value: finite(a + b) },
  ];
  if (pair.density) {
    const share = shareAt(pair.density, x, y, ...pair.ranges);
    lines.push({ label: "inputs", value: share > 0 ? percent(share) : "none" });
  }
  return { x, y, lines };
}

function captionOf({ store, theme }: Given, { layer }: Shown, pair: Pair): Remark[] {
  const { reach, most, density, levels, surface } = pair;
  const known = reach.broken < surface.values.length ? reach : null;
  const caption: Remark[] = colourRemarks(
    "φ₁(x) + φ₂(y)",
    { smallest: most, largest: most },
    known,
    theme,
  );
  if (levels.length > 1) {
    caption.push({ text: `contours every ${number(levels[1] - levels[0])}` });
  }
  if (reach.broken > 0) caption.push({ text: "not finite where grey", tone: "warn" });
  if (density) {
    const swatch = { kind: "dot", colours: [theme.colours.ink] } as const;
    caption.push({ text: densityWords(density), swatch });
  } else if (!store.observed(layer.name)) {
    caption.push({ text: "live.observe(batch) shows where inputs fall" });
  }
  if (layer.note) caption.push({ text: layer.note });
  return caption;
}

/** The pair in one line. */
export function pairText({ layer, pair }: PairScene): string {
  const { group, names } = pair;
  return `${layerTitle(layer)} · ${groupName(group)} · φ(${names[0]}) over x + φ(${names[1]}) over y`;
}

export function entryName(group: Group, entry: number): string {
  if (group.byInput) return `input ${entry}`;
  return `row ${Math.floor(entry / group.columns)}, column ${entry % group.columns}`;
}

function groupName(group: Group): string {
  return group.byInput ? `output ${group.out}` : `output ${group.out} · input ${group.in}`;
}

function densityWords(density: Density): string {
  const out = density.outside > 0 ? `, ${percent(density.outside)} lie outside` : "";
  return `inputs seen, by bin: the largest dot ${percent(density.most)}${out}`;
}
