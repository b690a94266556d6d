/** Compare's scene: the numbers of several models, their curves, and in pictures their kernels. */

import { formatCount } from "../../phi/format.ts";
import {
  type Chart,
  type ChartHands,
  type ChartLayout,
  chartLayout,
  chartMarks,
  handsMarks,
  legendEntries,
  nearestPoint,
  type Panel,
  tabulated,
} from "../../scene/chart.ts";
import type { Drawing, Given } from "../../scene/drawing.ts";
import { chartReader } from "../../scene/logged.ts";
import { type Mark, type Remark, type Scene, sitesOf } from "../../scene/marks.ts";
import { words } from "../../scene/shapes.ts";
import { wrapped } from "../../scene/text.ts";
import { picturesOf } from "./pictures.ts";
import { colourOfModel, rowId, tableMarks, tableOf } from "./table.ts";
import {
  DECIDED,
  inWords,
  modelsIn,
  modelsText,
  momentOf,
  type ShownModels,
  shownIn,
  trained,
} from "./verdict.ts";

export type CompareScene = Scene & ReturnType<typeof sceneOf>;

const PAD = 8;
const SECTION_GAP = 24;
const TEXT_SIZE = 11;
const PANEL_HEIGHT = 150;
/** As high as the numbers of a training mostly are. So much is theirs, and the curves', from the start: nothing below moves. */
const USUAL_HEIGHT = 136;
/** So wide, a panel of curves has room beside the numbers. */
const ROOM_FOR_CURVES = 250;
/** Two panels of curves stand beside each other from this width of one on. */
const NARROWEST_PANEL = 170;
const NO_CURVES = "The losses are drawn here: live.log(loss=loss) in each model's loop.";

export function drawing(): Drawing<CompareScene> & { hands: ChartHands } {
  const readChart = chartReader((get) => {
    return { kinds: modelsIn(get).map(({ name }) => name), colour: colourOfModel(0) };
  });
  const draw = (given: Given): CompareScene | string => {
    const shown = shownIn(given.get);
    if (shown.models.length === 0) return "no models to compare";
    return sceneOf(shown, readChart(given.get), given, draw.hands);
  };
  draw.hands = { step: null, band: null } as ChartHands;
  return draw;
}

/** Places of all parts: beside each other where that is wide enough, else one below the other. */
function placed(shown: ShownModels, chart: Chart, { width, still }: Given) {
  const inside = width - 2 * PAD;
  const table = tableOf(shown, { x: PAD, y: PAD }, inside);
  // Also of two panels, of which the second comes later: nothing moves then.
  const beside = inside - table.width - 2 * SECTION_GAP >= ROOM_FOR_CURVES;
  const left = beside ? PAD + table.width + 2 * SECTION_GAP : PAD;
  const top = beside ? PAD : PAD + table.height + SECTION_GAP;
  const room = width - PAD - left;
  const at = { x: left, y: top, width: room };
  // Beside the numbers curves are as tall as these: what sets them stands under both.
  const { rows } = tabulated(chart.panels.length, room, NARROWEST_PANEL);
  const usual = still ? PANEL_HEIGHT : USUAL_HEIGHT;
  const numbers = beside ? Math.max(usual, table.height) : table.height;
  const tall = beside && rows < 2 ? numbers : PANEL_HEIGHT;
  const layout = chartLayout(chart, at, tall, NARROWEST_PANEL);
  const hint = chart.said.join("; ") || NO_CURVES;
  const empty = chart.panels.length === 0 ? wrapped(hint, room, TEXT_SIZE) : [];
  const curves = empty.length > 0 ? 16 * empty.length : layout.height;
  const under = Math.max(PAD + numbers, top + curves) + PAD;
  return { table, layout, empty: { lines: empty, x: left, y: top }, height: under };
}

function sceneOf(shown: ShownModels, chart: Chart, given: Given, hands: ChartHands) {
  const { width, theme, ratio, pointed, parts = [] } = given;
  const { colours } = theme;
  const { table, layout, empty, height } = placed(shown, chart, given);
  const below = given.get("show") === "networks" ? "networks" : "kernels";
  // In a page they are views of their own.
  const kernels = given.still && parts[0] && picturesOf(below, parts, shown.models, given);
  /** The step that one looks back at; −1 for the newest. */
  const back = Math.max(-1, ...parts.map(({ store }) => store.cursor()));
  const step = hands.step ?? (back < 0 ? null : back);
  const sites = table.rows.map(({ row, box }) => {
    const bold = row.best.length > 0 ? ". The better number is bold" : "";
    return {
      id: rowId(row),
      box,
      words: modelsText(row, shown.models),
      meaning: row.meaning + bold,
    };
  });
  const steady = [chart.panels, chart.over, chart.marks, width, theme.name, colours.surface, ratio];
  const place = layout.places[0]?.box;
  return {
    shown,
    table,
    chart,
    layout,
    /** What a site means, for those who point at it. */
    meaning: (id: string) => sites.find((site) => site.id === id)?.meaning ?? "",
    width,
    height: height + (kernels ? kernels.height + PAD : 0),
    title: `Compare · ${shown.models.join(", ")}`,
    moment: momentOf(shown),
    words: wordsOf(shown, chart, layout),
    about: shown.models.join(", "),
    caption: captionOf(shown, chart, layout, back),
    sheets: [
      { marks: () => tableMarks(table, shown, pointed.id, colours, ratio) },
      {
        from: [...steady, layout.steps.from, layout.steps.to, place?.x, place?.y, place?.height],
        marks: () => chartMarks(chart, layout, colours, ratio),
      },
      // The numbers beside them are means: the latest ones would contradict them. In a film they are those of its step.
      { marks: () => handsMarks(chart, layout, { ...hands, step }, colours, ratio, false) },
      {
        marks: () =>
          empty.lines.map((text, k) => words(empty.x, empty.y + 12 + 16 * k, text, colours.muted)),
      },
      {
        marks: (): Mark[] =>
          kernels ? [{ kind: "group", at: [0, height], marks: kernels.marks }] : [],
      },
    ],
    sites: { ...sitesOf(sites), cursor: () => "default" },
  };
}

function captionOf(
  { hints, verdict, note, models, crossed, decided: [first] }: ShownModels,
  { panels }: Chart,
  { steps }: ChartLayout,
  back: number,
): Remark[] {
  const remarks = hints.map((text): Remark => ({ text, tone: "warn" }));
  const drawn = panels.find(({ title }) => first && title === inWords(first.quantity));
  const ends = models.map((name) => {
    const mean = drawn?.curves.find((curve) => curve.name === name)?.mean;
    return mean ? (nearestPoint(mean, first.step)?.value ?? null) : null;
  });
  const isThen = drawn && back >= 0 && back < first.step;
  const newest = (verdict && drawn && crossed(ends)) || verdict;
  const text = (isThen && valuesAt(drawn, steps, back)) || newest;
  if (text) remarks.push({ text, tone: "ink", strong: true, title: DECIDED });
  return [...remarks, { text: note }].filter(({ text }) => text !== "");
}

/** "At step 60: training loss KAN 0.41, CNN 0.62 (trends)."; "" where nothing is known of that step. */
function valuesAt(panel: Panel, steps: ChartLayout["steps"], back: number): string {
  const known = legendEntries(panel, steps, back).filter(({ step }) => step !== null);
  const values = known.map(({ name, value, mean }) => `${name} ${mean || value}`).join(", ");
  const at = `At step ${formatCount(known[0]?.step ?? back)}`;
  const how = known.some(({ mean }) => mean) ? " (trends)" : "";
  return values && `${at}: ${trained(panel.title)} ${values}${how}.`;
}

function wordsOf(shown: ShownModels, { panels }: Chart, { steps }: ChartLayout): string {
  const rows = shown.rows.map((row) => modelsText(row, shown.models));
  const curves = panels.map((panel) => {
    const values = legendEntries(panel, steps, null).map(({ name, value }) =>
      `${name} ${value}`.trim(),
    );
    return `${panel.title}, ${values.join(", ")}`;
  });
  const drawn = curves.length > 0 ? ` Curves of ${curves.join("; ")}.` : "";
  return (
    `Comparison of ${shown.models.join(", ")}. ${rows.join(". ")}.${drawn} ` +
    "Up and down arrow read the numbers, left and right arrow the curves, plus and minus zoom, 0 shows all steps."
  );
}
