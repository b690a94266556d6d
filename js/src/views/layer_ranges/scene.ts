/** LayerRanges' scene: a row for each layer, with the ranges of its functions, their past and their numbers. */

import { minIndex } from "d3-array";
import { functionOf, layerTitle } from "../../phi/entries.ts";
import { formatCount } from "../../phi/format.ts";
import { heldScale, type Keep, memory } from "../../phi/memory.ts";
import { type Drawing, type Given, oneOf } from "../../scene/drawing.ts";
import type { Mark, Rect, Remark, Scene, Sites } from "../../scene/marks.ts";
import { cursorMark, dot as dotAt } from "../../scene/shapes.ts";
import type { Selection, Store } from "../../wire/types.ts";
import { contentReader, MEASURES, type RangesContent, type RangesRow } from "./content.ts";
import { headAt, headHeight, rangesLayout, rowAt, rowTop } from "./layout.ts";
import {
  dotPlaces,
  groundMarks,
  headMarks,
  type RangesDrawing,
  rangeAxis,
  rangeScale,
  rowMarks,
} from "./marks.ts";
import { readRow, stepAt, type Times, timesHead, timesMarks, timesOf } from "./times.ts";
import { anySeen, dotWords, inputsText, roughly, rowWords, sentences, where } from "./words.ts";

export type RangesScene = Scene & ReturnType<typeof sceneOf>;

export function drawing(): Drawing<RangesScene> {
  const read = contentReader();
  const keep = memory();
  return (given) => {
    const { content, past } = read(given.get);
    if (!content) return "waiting for the first numbers…";
    if (content.rows.length === 0) return "no layer to measure";
    return sceneOf(content, timesOf(past, oneOf(MEASURES, given.get("over_time"))), given, keep);
  };
}

function sceneOf(content: RangesContent, times: Times, given: Given, keep: Keep) {
  const { store, theme, ratio, pointed, width } = given;
  const { colours } = theme;
  const layout = rangesLayout(content, width);
  const own = rangeAxis(content.rows);
  const end = (name: string, value: number) =>
    heldScale(keep, name, [content.rows.length], store.cursor() >= 0, value);
  const axis = { from: 1 / end("least", 1 / own.from), to: end("most", own.to) };
  const toX = rangeScale(axis, layout);
  const drawn: RangesDrawing = { content, layout, axis, toX, colours, ratio };
  const selection = store.selection();
  const chosen = rowOf(content.rows, selection);
  const hovered = siteOf(pointed.id).row;
  const { at } = pointed;
  const over = at && hovered >= 0 ? stepAt(times, layout, at.x, at.y) : null;
  const reading = over === null ? { words: "", marks: [] } : readRow(times, drawn, hovered, over);
  const now = shownStep(given, content, times);
  const [headline, why] = sentences(content);
  return {
    content,
    layout,
    times,
    /** Number of the row whose layer is selected, or -1. */
    chosen,
    /** What the curves say under the pointer; or empty. */
    reading: reading.words,
    width,
    height: layout.height,
    stuck: headHeight(layout),
    title: "Ranges of functions",
    moment: `step ${formatCount(content.step)}`,
    words: wordsOf(content, times, [headline, why]),
    about: JSON.stringify([selection, times.measure, content.rows.length]),
    caption: captionOf(content, given, [headline, why]),
    cuts: content.rows.map((_, k) => rowTop(layout, k + 1)),
    sheets: [
      { marks: (view: Rect) => groundMarks(drawn, view, chosen, hovered) },
      { marks: (view: Rect) => rowMarks(drawn, view) },
      { marks: (view: Rect) => timesMarks(times, drawn, view, now) },
      { marks: () => [...reading.marks, ...markedMarks(drawn, given)] },
      {
        marks: (view: Rect) => headMarks(drawn, view, (bottom) => timesHead(times, drawn, bottom)),
      },
    ],
    sites: sitesOf(drawn),
  };
}

/** The row of a selected function, -1 where it is in none. */
function rowOf(rows: readonly { name: string }[], selection: Selection | null): number {
  return selection === null ? -1 : rows.findIndex(({ name }) => name === selection.layer);
}

/** The step to mark on the curves: the one looked at, or that of numbers that are not the latest; else -1. */
function shownStep({ store }: Given, { step }: RangesContent, { steps }: Times): number {
  if (store.cursor() >= 0) return store.cursor();
  return step < steps.to && step < (store.latest()?.step ?? step) ? step : -1;
}

/** The selected function, the dot pointed at, and the keyboard's place. */
function markedMarks(drawn: RangesDrawing, { store, pointed }: Given): Mark[] {
  const { content, layout, colours } = drawn;
  const marks: Mark[] = [];
  const ring = (row: number, dot: number, stroke: string) => {
    const [x, y] = dotPlaces(drawn, row).slice(2 * dot);
    marks.push(dotAt(x, y, 4, { stroke, fill: colours.surface, width: 2 }));
    marks.push(dotAt(x, y, 1.8, { fill: stroke }));
  };
  const chosen = rowOf(content.rows, store.selection());
  if (chosen >= 0) {
    const row = content.rows[chosen];
    const dot = row.functions.indexOf(functionOf(row, store.selection()));
    if (dot >= 0) ring(chosen, dot, colours.accent);
  }
  const { row, dot } = siteOf(pointed.id);
  if (dot >= 0 && content.rows[row]) ring(row, dot, colours.ink);
  const keyboard = siteOf(pointed.keyboard);
  if (keyboard.row >= 0 && keyboard.dot < 0) {
    const y = rowTop(layout, keyboard.row);
    const row = { x: 0, y, width: layout.width, height: layout.rowHeight };
    marks.push(cursorMark(row, colours, -1));
  }
  return marks;
}

function captionOf(
  content: RangesContent,
  { store, theme: { colours } }: Given,
  [headline, why]: readonly string[],
): Remark[] {
  const { observed, step, old } = content;
  const seen = anySeen(content);
  const fill = (colour: string) => ({ kind: "fill", colours: [colour] }) as const;
  const caption: Remark[] = [
    { text: headline, tone: "ink", strong: true },
    // Said all the time, as a line that comes and goes would move what is below.
    { text: `Measured at step ${formatCount(step)}${ageText(step, store)}. ${why}`.trim() },
    {
      text: "one function",
      swatch: { kind: "dot", colours: [seen ? colours.seen : colours.dot] },
      title: `A dot for each function: max φ − min φ ${seen ? inputsText(content) : where(false)}; in large layers, 100 of them evenly by rank`,
    },
    {
      text: "a layer: median, middle half, 5 to 95 %",
      swatch: fill(seen ? colours["seen-box"] : colours.box),
      title: "Box: the middle half of the functions. Line: from 5 to 95 %. Bar: the median",
    },
    { text: "base", swatch: fill(colours.base) },
    { text: "splines", swatch: fill(colours.spline) },
    { text: "grid: the x that splines cover" },
    { text: "SiLU-like: nearly x·sigmoid(x)" },
  ];
  if (!observed || old) caption.push({ text: howToObserve(content, store) });
  caption.push({ text: store.batch().message, tone: "warn" });
  return caption.filter(({ text }) => text !== "");
}

/** How far the training, or the slider, is from the step measured. */
function ageText(step: number, store: Store): string {
  if (store.alone()) return ", when this page was saved";
  const now = store.current()?.step ?? step;
  if (now === step) return "";
  if (store.cursor() >= 0) return `; the slider is at step ${formatCount(now)}`;
  return ` of ${formatCount(now)} so far`;
}

/** Functions of now over inputs of another step would say nothing about the model. */
function howToObserve({ old, observed_step: step }: RangesContent, store: Store): string {
  const then = old ? `The inputs were last seen at step ${formatCount(step ?? 0)}` : "";
  if (store.alone()) return then ? `${then}.` : "The ranges over the inputs were not measured.";
  const look = store.batch().seen
    ? `Press “observe ${old ? "again" : "a batch"}”`
    : "Call live.observe(batch)";
  return `${then && `${then}. `}${look} to see the ranges over the inputs.`;
}

function wordsOf(content: RangesContent, { words }: Times, lead: readonly string[]): string {
  const { rows, step } = content;
  const seen = anySeen(content);
  const medians = rows.map((row) => {
    const range = seen ? row.numbers.observed_range : row.numbers.range;
    return `${layerTitle(row)} ${range === null ? "not known" : roughly(range)}`;
  });
  return [
    `Ranges of φ at step ${formatCount(step)}, a row for each of ${formatCount(rows.length)} layers.`,
    ...lead.filter((words) => words !== ""),
    `Medians ${where(seen)}: ${medians.slice(0, 12).join(", ")}${medians.length > 12 ? ", …" : ""}.`,
    `Over the steps: ${words}.`,
    "Up and down arrow move between layers; Enter selects the typical function, left and right arrow those of smaller and larger range.",
  ].join(" ");
}

/** Pixels around a dot in which it is meant. */
const DOT_REACH = 5;

/** Numbers of row, dot and column; -1 for none. */
export function siteOf(id: string): { row: number; dot: number; column: number } {
  const none = { row: -1, dot: -1, column: -1 };
  if (id === "") return none;
  if (id.startsWith("c")) return { ...none, column: Number(id.slice(1)) };
  const [row, dot] = id.split(".");
  return { ...none, row: Number(row), dot: dot === undefined ? -1 : Number(dot) };
}

function sitesOf(drawn: RangesDrawing): Sites {
  const { content, layout } = drawn;
  const { rows } = content;

  function nearestDot(k: number, x: number, y: number): number {
    const xy = dotPlaces(drawn, k);
    const far = content.rows[k].dots.map((_, j) => Math.hypot(xy[2 * j] - x, xy[2 * j + 1] - y));
    const best = minIndex(far);
    return far[best] < DOT_REACH ? best : -1;
  }

  return {
    at(x, y, view) {
      const top = headAt(layout, view);
      if (y >= top && y < top + headHeight(layout)) {
        const at = layout.cells.findIndex(({ right, width }) => x <= right && x > right - width);
        return at < 0 || layout.bands > 0 ? "" : `c${at}`;
      }
      const k = rowAt(layout, y);
      if (k < 0) return "";
      const dot = y - rowTop(layout, k) < layout.heights.height ? nearestDot(k, x, y) : -1;
      return dot < 0 ? String(k) : `${k}.${dot}`;
    },
    box(id): Rect | null {
      const { row, dot } = siteOf(id);
      if (!rows[row]) return null;
      const y = rowTop(layout, row);
      if (dot < 0) return { x: 0, y, width: layout.width, height: layout.rowHeight };
      if (dot >= rows[row].dots.length) return null;
      const [cx, cy] = dotPlaces(drawn, row).slice(2 * dot);
      return { x: cx - 3, y: cy - 3, width: 6, height: 6 };
    },
    words(id) {
      const { row, dot, column } = siteOf(id);
      if (column >= 0) {
        const found = layout.cells[column]?.column;
        return found ? `${found.title} ${found.below}: ${found.about}` : "";
      }
      if (!rows[row]) return "";
      return dot < 0 ? rowWords(rows[row], content) : dotWords(rows[row], dot, content);
    },
    next(id, direction) {
      const last = rows.length - 1;
      if (direction === "last") return String(last);
      const { row, dot } = siteOf(id);
      if (direction === "first" || row < 0) return "0";
      if (direction === "up") return String(Math.max(0, row - 1));
      if (direction === "down") return String(Math.min(last, row + 1));
      const most = rows[row].dots.length - 1;
      if (most < 0) return id;
      const from = dot < 0 ? typicalDot(rows[row]) : dot;
      return `${row}.${Math.max(0, Math.min(most, from + (direction === "right" ? 1 : -1)))}`;
    },
  };
}

/** The dot of the typical function, or the one nearest to it. */
export function typicalDot({ functions, typical }: RangesRow): number {
  const found = functions.indexOf(typical);
  return found >= 0 ? found : Math.floor(functions.length / 2);
}
