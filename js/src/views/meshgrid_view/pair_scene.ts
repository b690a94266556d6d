/** The pair: the surface φ_i(x) + φ_j(y) of two entries, chosen on a small map of their kernel beside it. No DOM. */

import { levelsOf } from "../../phi/contours.ts";
import { basisOf, inputName, layerTitle, observedEntry } from "../../phi/entries.ts";
import { formatCount, number, percent } from "../../phi/format.ts";
import { type Ends, endsOrGrid, inputEnds, seenThen } from "../../phi/inputs.ts";
import { exactAt } from "../../phi/interpolate.ts";
import { memory } from "../../phi/memory.ts";
import {
  densityOf,
  entryIn,
  functionIn,
  type Group,
  groupOf,
  partnerOf,
  shareAt,
  surfaceOf,
} from "../../phi/pair.ts";
import { mostOf, niceCeil, reachOf } from "../../phi/ranges.ts";
import { type Axis, evenLabels, leftRoom, linear, ticks } from "../../scene/axes.ts";
import type { Given } from "../../scene/drawing.ts";
import { keyed, type Remark, type Scene } from "../../scene/marks.ts";
import { cellOf, type Region, regionSites } from "../../scene/regions.ts";
import { wrapped } from "../../scene/text.ts";
import type { LayerLayout } from "../../wire/types.ts";
import {
  densityWords,
  groupName,
  kernelName,
  LINKED,
  type Pair,
  type PairLayout,
  type Reading,
  sentencesOf,
} from "./pair.ts";
import { curveMarks, kernelMarks, plotMarks, readingMarks } from "./pair_marks.ts";
import { colourRemarks, finite, type Shown } from "./settings.ts";

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
/** Room for the sentences at the right. */
const WIDE = 1200;
const SENTENCES = 300;
/** The curve beside the surface is never broader. */
const BROADEST = 220;
/** On a wide page of its own the surface is larger than the height asked for, up to a share of the width. */
const GROWN = 1.25;
const SHARE = 0.42;
/** Over the kernel, for its name; and the head and the lines of what is said. */
const HEAD = 18;
const SAID = "what the sum says";
const LINE = 16;
/** Between the surface and the curves along it. */
const GAP = 14;
/** Beyond the inputs seen, as a share of their range: dots at its ends do not lie on the axes. */
const AIR = 0.04;
const WORDS = 11;

export function pairDrawing(): (given: Given, shown: Shown) => PairScene {
  const keep = memory();

  function pairOf({ store }: Given, { frame, layer, settings }: Shown): Pair {
    const selection = store.selection();
    const group = groupOf(layer, selection);
    const entryX = entryIn(layer, group, selection);
    const entryY = partnerOf(group, entryX, settings.other);
    const [i, j] = [entryX, entryY].map((entry) => functionIn(layer, group, entry));
    const observed = store.observed(layer.name);
    const [placeX, placeY] = [i, j].map((one) => observedEntry(layer, one));
    const rangeOf = (place: number, f: number) =>
      endsOrGrid((observed && inputEnds(observed)[place]) ?? null, basisOf(layer, f).domain);
    const [across, up] = [rangeOf(placeX, i), rangeOf(placeY, j)];
    const [low, high] = [Math.min(across[0], up[0]), Math.max(across[1], up[1])];
    const air = observed ? AIR * (high - low) : 0;
    const range: Ends = [low - air, high + air];
    const surface = keep("surface", [frame, layer, i, j, ...range], () =>
      surfaceOf(frame, layer, [i, j], [range, range], POINTS),
    );
    const reach = keep("reach", [surface], () => reachOf(surface.values));
    const density = keep("density", [observed, layer, placeX, placeY, ...range], () =>
      observed ? densityOf(observed, placeX, placeY, range, range, BINS) : null,
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
      title: kernelName(layer, group),
      names: [entryName(layer, group, entryX), entryName(layer, group, entryY)],
      range,
      surface,
      reach,
      most: niceCeil(mostOf(reach)),
      curveMost: niceCeil(mostOf(reachOf([...surface.across, ...surface.up]))),
      levels: keep("levels", [reach], () => levelsOf(reach.low, reach.high)),
      density,
      said: keep("said", [surface, density], () =>
        sentencesOf(
          [(x) => exactAt(layer, i, frame, x).phi, (x) => exactAt(layer, j, frame, x).phi],
          [low, high],
          density,
        ),
      ),
      strips,
    };
  }

  return (given, shown) => {
    const { layer, frame } = shown;
    const { pointed, theme, ratio } = given;
    const pair = pairOf(given, shown);
    const layout = layOut(given, shown, pair);
    const { names } = pair;
    const title = `${layerTitle(layer)} · ${groupName(layer, pair.group)}`;
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
        `Sum of two functions of ${title}: φ₁ of ${names[0]} over x, φ₂ of ${names[1]} over y, ` +
        `from ${number(pair.reach.low)} to ${number(pair.reach.high)}. ` +
        `x is ${names[0]}, y is ${names[1]}. ` +
        "Arrow keys move between entries and over the surface; x or y sets an entry, Enter the next.",
      about: JSON.stringify([layer.name, pair.functions]),
      caption: captionOf(given, shown, pair),
      sheets: [
        { marks: () => kernelMarks(pair, layout, marked, theme) },
        {
          from: [pair.surface, pair.density, JSON.stringify(layout), theme.name, ratio],
          marks: () => [
            ...curveMarks(pair, layout, theme),
            ...plotMarks(pair, layout, theme, ratio),
          ],
        },
        { marks: () => (reading ? readingMarks(reading, layout, theme) : []) },
      ],
      sites: regionSites([layout.kernel, plane]),
    };
  };
}

/** The map of the kernel: beside the surface where there is room, above it otherwise. */
function layOut(given: Given, { layer }: Shown, pair: Pair): PairLayout {
  const { width, height } = given;
  const { group, names, range } = pair;
  const narrow = width < NARROW;
  const rows = Math.ceil(group.count / group.columns);
  const wide = width >= WIDE;
  const side = narrow ? 0 : within((wide ? 0.2 : 0.23) * width, 150, 300);
  const room = narrow ? within(0.3 * width, 72, 132) : side - 3 * PAD;
  const gap = room / group.columns >= 16 ? 2 : 1;
  const pitch = Math.max(4, Math.floor((room + gap) / Math.max(3, group.columns)));
  const box = {
    x: PAD + 3,
    y: TOP + 3 + HEAD,
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
    words: (row, column) => entryName(layer, group, row * group.columns + column),
  };
  const foot = box.y + box.height;
  const beside = box.x + box.width + 16;
  const place: PairLayout["names"] = narrow
    ? { x: beside, y: [box.y + 12, box.y + 32] }
    : { x: box.x, y: [foot + 20, foot + 40] };
  const v = layer.variable === "x" ? "" : `${layer.variable}, `;
  const bottom = 44;
  const axis = (k: 0 | 1, start: number, end: number): Axis => {
    const ends = { from: range[0], to: range[1] };
    const at = ticks(ends, Math.max(3, Math.abs(end - start) / 60));
    const title = `${"xy"[k]}: ${v}${group.byInput ? "" : "input at "}${names[k]}`;
    return { scale: linear(ends, start, end), ticks: at, title, label: evenLabels(at) };
  };
  const strip = within(0.1 * width, 44, 110);
  const said = sentencesIn(pair, place.x, place.y[1] + 26, (narrow ? width : side) - place.x - PAD);
  const below = Math.max(foot, place.y[1], narrow ? said.y : 0) + 12;
  const top = (narrow ? below : TOP) + strip + GAP;
  // The labels of another height may be others, of nearly the same width.
  const x =
    side +
    PAD +
    Math.max(leftRoom(axis(1, height, 0), WORDS), leftRoom(curveAxis(pair, 0, 1), WORDS));
  const across = width - x - GAP - strip - PAD;
  const grown =
    wide && given.room === undefined
      ? Math.max(height, Math.min(GROWN * height, SHARE * width))
      : height;
  const size = Math.max(110, Math.min(across, grown));
  const plot = { x, y: top, width: size, height: size };
  const right = x + size + GAP;
  // What is left over makes the curve at the side larger, and then holds the sentences.
  const breadth = within(width - right - PAD - (wide ? SENTENCES : 0), strip, BROADEST);
  const end = right + breadth;
  const above = { ...plot, y: top - GAP - strip, height: strip };
  return {
    kernel,
    head: { x: box.x, y: TOP + 9 },
    names: place,
    said: wide ? sentencesIn(pair, end + 2 * GAP, top + 9, width - end - 2 * GAP - PAD) : said,
    plot,
    curves: [above, { ...plot, x: right, width: breadth }],
    sides: [
      curveAxis(pair, above.y + above.height - 2, above.y + 2),
      curveAxis(pair, right + 2, right + breadth - 2),
    ],
    axes: [axis(0, x, x + size), axis(1, top + size, top)],
    width: Math.max(width, end + PAD),
    height: Math.max(top + size + bottom, narrow || wide ? 0 : said.y + 12, below),
  };
}

/** The values of the first function upwards, or of the second to the right, as an axis. */
function curveAxis({ curveMost }: Pair, start: number, end: number): Axis {
  const range = { from: -curveMost, to: curveMost };
  let at = ticks(range, 3);
  // Zero alone says nothing of the scale.
  for (let most = 4; at.length < 3 && most < 8; most++) at = ticks(range, most);
  return { scale: linear(range, start, end), ticks: at, title: "", label: evenLabels(at) };
}

/** The sentences under their head, in lines; `y` is the last baseline. */
function sentencesIn({ said }: Pair, x: number, y: number, width: number) {
  const lines = [{ text: SAID, y }];
  let at = y;
  for (const sentence of said) {
    at += 4;
    for (const text of wrapped(sentence, width, 12)) {
      at += LINE;
      lines.push({ text: text.replaceAll(LINKED, " "), y: at });
    }
  }
  return { x, y: at, lines };
}

function within(value: number, least: number, most: number): number {
  return Math.round(Math.max(least, Math.min(most, value)));
}

function placeOf({ columns }: Group, entry: number): [number, number] {
  return [Math.floor(entry / columns), entry % columns];
}

/** The inputs at a step of the keyboard; rows run down, y runs up. */
function planePoint({ range: [lo, hi] }: Pair, row: number, column: number): [number, number] {
  const share = (k: number) => k / (READINGS - 1);
  return [lo + (hi - lo) * share(column), hi - (hi - lo) * share(row)];
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
  const [lo, hi] = pair.range;
  const across = (pointed.at.x - plot.x) / plot.width;
  const down = (pointed.at.y - plot.y) / plot.height;
  return readAt(shown, pair, lo + (hi - lo) * across, hi - (hi - lo) * down);
}

function readAt({ frame, layer }: Shown, pair: Pair, x: number, y: number): Reading {
  const [i, j] = pair.functions;
  const [a, b] = [exactAt(layer, i, frame, x).phi, exactAt(layer, j, frame, y).phi];
  const lines = [
    { label: "x", value: number(x) },
    { label: "y", value: number(y) },
    { label: "φ₁(x)", value: finite(a) },
    { label: "φ₂(y)", value: finite(b) },
    { label: "sum", value: finite(a + b) },
  ];
  if (pair.density) {
    const share = shareAt(pair.density, x, y, pair.range, pair.range);
    lines.push({ label: "inputs near here", value: share > 0 ? percent(share) : "none" });
  }
  return { x, y, values: [a, b], lines };
}

function captionOf({ store, theme }: Given, { layer, frame }: Shown, pair: Pair): Remark[] {
  const { reach, most, density, levels, strips } = pair;
  const caption: Remark[] = [
    { text: "colour is the sum φ₁(x) + φ₂(y) of two functions", tone: "ink" },
    ...colourRemarks("sum", { smallest: most, largest: most }, null, theme),
  ];
  if (levels.length > 1) {
    caption.push({ text: `contours every ${number(levels[1] - levels[0])}` });
  }
  const cut = strips.some((strip) => mostOf(reachOf(strip)) > most);
  caption.push({
    text: `tiles: each function alone, same colours${cut ? `, cut at ±${number(most)}` : ""}`,
  });
  if (reach.broken > 0) caption.push({ text: "not finite where grey", tone: "warn" });
  if (density) {
    const then = seenThen(store.observed(layer.name), frame.step);
    const text = `${densityWords(density)}${then && `, as seen${then}`}`;
    caption.push(keyed(text, "dot", theme.colours.ink));
  } else if (!store.alone() && !store.observed(layer.name)) {
    caption.push({ text: "live.observe(batch) adds a dot wherever two inputs came together" });
  }
  if (layer.note) caption.push({ text: layer.note });
  return caption;
}

/** The pair in one line. */
export function pairText({ layer, pair }: PairScene): string {
  const { group, names } = pair;
  return `${layerTitle(layer)} · ${groupName(layer, group)} · φ(${names[0]}) over x + φ(${names[1]}) over y`;
}

export function entryName(layer: LayerLayout, group: Group, entry: number): string {
  if (group.byInput) return inputName(layer, entry);
  return `row ${Math.floor(entry / group.columns)}, column ${entry % group.columns}`;
}
