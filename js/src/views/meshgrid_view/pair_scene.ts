/** The pair: the surface φ_i(x) + φ_j(y) of two entries, chosen on a small map of their kernel beside it. */

import { layerTitle, noteOf } from "../../phi/entries.ts";
import { formatNumber, momentText } from "../../phi/format.ts";
import { seenThen } from "../../phi/inputs.ts";
import { memory } from "../../phi/memory.ts";
import { paletteOf } from "../../phi/palette.ts";
import { mostOf, reachOf } from "../../phi/ranges.ts";
import type { Given } from "../../scene/drawing.ts";
import { rampOf } from "../../scene/heat.ts";
import { bandKey, keyed, type Remark, type Scene } from "../../scene/marks.ts";
import { cellOf, type Region, regionSites } from "../../scene/regions.ts";
import { curveMarks, pairKernelMarks, pairReadingMarks, surfaceMarks } from "./pair_marks.ts";
import {
  densityWords,
  groupName,
  layOut,
  type Pair,
  pairOf,
  planePoint,
  READINGS,
  readingOf,
  readPair,
} from "./pair_picture.ts";
import type { MeshGiven } from "./settings.ts";

export type PairScene = Scene & Exclude<ReturnType<ReturnType<typeof pairDrawing>>, string>;

export function pairDrawing() {
  const keep = memory();

  return (given: Given, shown: MeshGiven) => {
    const { layer, frame } = shown;
    const { pointed, theme, ratio } = given;
    const pair = pairOf(given, shown, keep);
    if (pair.group.count < 2)
      return `A sum needs two functions: ${groupName(layer, pair.group)} has one. “each function” above draws it.`;
    const layout = layOut(given, shown, pair);
    const { names } = pair;
    const title = `${layerTitle(layer)} · ${groupName(layer, pair.group)}`;
    const plane: Region = {
      name: "plot",
      box: layout.plot,
      rows: READINGS,
      columns: READINGS,
      words: (row, column) => {
        const { lines } = readPair(shown, pair, ...planePoint(pair, row, column));
        return lines.map(({ label, value }) => `${label} ${value}`).join(", ");
      },
    };
    const cell = cellOf(pointed.id);
    const reading = readingOf(given, shown, pair, layout);
    const hovered = cell?.name === "kernel" ? cell.row * pair.group.columns + cell.column : -1;
    const marked = { hovered, keyboard: cellOf(pointed.keyboard) };
    return {
      mode: "pair" as const,
      ...shown,
      pair,
      layout,
      reading,
      /** Whether the first entry was selected, by whomever. */
      chosen: given.store.selection()?.layer === layer.name,
      width: layout.width,
      height: layout.height,
      title: `MeshgridView · ${title}`,
      moment: momentText(frame),
      words:
        `Sum of two functions of ${title}: φ₁ of ${names[0]} over x, φ₂ of ${names[1]} over y, ` +
        `from ${formatNumber(pair.reach.low)} to ${formatNumber(pair.reach.high)}. ` +
        `x is ${names[0]}, y is ${names[1]}. ` +
        "Arrow keys move between entries and over the surface; x or y sets an entry, Enter the next. " +
        `Page Up and Page Down go to another ${pair.group.byInput ? "output" : "kernel"}.`,
      about: JSON.stringify([layer.name, pair.functions]),
      caption: captionOf(given, shown, pair),
      sheets: [
        { marks: () => pairKernelMarks(pair, layout, marked, theme) },
        {
          from: [pair.surface, pair.density, JSON.stringify(layout), theme.name, ratio],
          marks: () => [
            ...curveMarks(pair, layout, theme),
            ...surfaceMarks(pair, layout, theme, ratio),
          ],
        },
        { marks: () => (reading ? pairReadingMarks(reading, layout, theme) : []) },
      ],
      sites: regionSites([layout.kernel, plane]),
    };
  };
}

function captionOf({ store, theme }: Given, { layer, frame }: MeshGiven, pair: Pair): Remark[] {
  const { reach, most, density, levels, strips } = pair;
  const ends = `${formatNumber(reach.low)} to ${formatNumber(reach.high)}`;
  const caption: Remark[] = [
    {
      text: `Two inputs add φ₁(x) + φ₂(y) to ${pair.group.byInput ? "the output" : "a pixel of the map"}: from ${ends}.`,
      tone: "ink",
      strong: true,
    },
    keyed(
      `sum ${formatNumber(-most)} … ${formatNumber(most)}`,
      "ramp",
      rampOf(paletteOf(theme.name)),
    ),
  ];
  if (levels.length > 1) {
    caption.push({ text: `contours every ${formatNumber(levels[1] - levels[0])}` });
  }
  const cut = strips.some((strip) => mostOf(reachOf(strip)) > most);
  caption.push({
    text: `tiles: each function alone, same colours${cut ? `, cut at ±${formatNumber(most)}` : ""}`,
  });
  if (reach.broken > 0) caption.push({ text: "not finite where grey", tone: "warn" });
  if (density) {
    const then = seenThen(store.observed(layer.name), frame.step);
    const text = `${densityWords(density)}${then && `, as seen${then}`}`;
    caption.push(keyed(text, "dot", theme.colours.ink));
  } else if (!store.alone() && !store.observed(layer.name)) {
    caption.push({ text: "live.observe(batch) adds dots for the pairs of inputs seen" });
  }
  caption.push(...bandKey(layer.band, theme.colours));
  const note = noteOf(layer, store.observed(layer.name));
  if (note) caption.push({ text: note });
  return caption;
}

/** The pair in one line. */
export function pairText({ layer, pair }: PairScene): string {
  const { group, names } = pair;
  return `${layerTitle(layer)} · ${groupName(layer, group)} · φ(${names[0]}) over x + φ(${names[1]}) over y`;
}
