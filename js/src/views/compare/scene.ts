/** Compare's scene: the numbers of several models, their curves, where their parameters are, and in pictures their kernels. No DOM. */

import {
  type Chart,
  type ChartHands,
  type ChartLayout,
  chartMarks,
  entriesOf,
  handsMarks,
  layoutOf,
  tabulated,
} from "../../scene/chart.ts";
import type { Drawing, Given } from "../../scene/drawing.ts";
import { chartReader } from "../../scene/logged.ts";
import { type Remark, type Scene, sitesOf } from "../../scene/marks.ts";
import { words } from "../../scene/shapes.ts";
import { wrapped } from "../../scene/text.ts";
import { type Cards, cardsOf, growthMarks, layerId } from "./growth.ts";
import { kernelsOf, networksOf } from "./pictures.ts";
import { momentOf, rowWords, type Shown, shownIn } from "./shown.ts";
import { colourOfModel, idOf, type Table, tableMarks, tableOf } from "./table.ts";
import { modelsIn } from "./verdict.ts";

export interface CompareScene extends Scene {
  shown: Shown;
  table: Table;
  chart: Chart;
  layout: ChartLayout;
  /** What a site means, for who points at it. */
  meaning(id: string): string;
}

export interface CompareDrawing extends Drawing<CompareScene> {
  hands: ChartHands;
}

const PAD = 8;
const GAP = 24;
const TEXT = 11;
const PANEL = 190;
/** So wide, curves have room beside the numbers. */
const ROOM = 290;
/** Two panels of curves stand beside each other from this width of one on. */
const NARROWEST = 240;
/** Beside the numbers a panel below another one is at least so high. */
const LOW = 140;
const COMPARED =
  "Compared at the last step that all models have come to: on the data that is trained on by the mean of the last 30 steps, since each value is of one batch; on held-out data by the value measured last";
const AIRY = 1.4;
const EMPTY =
  "No curves yet: call live.log(loss=…) in each model's loop, for example live.log(loss=loss).";

export function drawing(): CompareDrawing {
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
function placed(shown: Shown, chart: Chart, width: number) {
  const inside = width - 2 * PAD;
  let table = tableOf(shown, { x: PAD, y: PAD }, inside);
  const beside = inside - table.width - 2 * GAP >= ROOM;
  const left = beside ? PAD + table.width + 2 * GAP : PAD;
  const top = beside ? PAD : PAD + table.height + GAP;
  const room = width - PAD - left;
  const { rows } = tabulated(chart.panels.length, room, NARROWEST);
  // Beside the numbers they end where these end, as far as they can be read so.
  const each = (table.height - (rows - 1) * GAP) / Math.max(1, rows);
  const high = beside ? Math.max(rows > 1 ? LOW : PANEL, each) : PANEL;
  const layout = layoutOf(chart, { x: left, y: top, width: room }, high, NARROWEST);
  // Numbers beside taller curves have air.
  const stretch = Math.min(AIRY, layout.height / table.height);
  if (beside && stretch > 1) table = tableOf(shown, { x: PAD, y: PAD }, inside, stretch);
  const empty = chart.panels.length === 0 ? wrapped(EMPTY, room, TEXT) : [];
  const curves = empty.length > 0 ? 16 * empty.length : layout.height;
  const under = Math.max(PAD + table.height, top + curves) + GAP;
  const cards = cardsOf(shown, { x: PAD, y: under }, inside);
  const height = cards.height > 0 ? under + cards.height + GAP : under;
  return { table, layout, empty: { lines: empty, x: left, y: top }, cards, height };
}

function sceneOf(shown: Shown, chart: Chart, given: Given, hands: ChartHands): CompareScene {
  const { width, theme, ratio, pointed, parts } = given;
  const { colours } = theme;
  const { table, layout, empty, cards, height } = placed(shown, chart, width);
  const draw = given.get("show") === "networks" ? networksOf : kernelsOf;
  const kernels = parts && draw(parts, shown.models, given);
  const sites = sitesIn(shown, table, cards);
  const steady = [chart.panels, chart.over, chart.marks, width, theme.name, colours.surface, ratio];
  const place = layout.places[0]?.box;
  return {
    shown,
    table,
    chart,
    layout,
    meaning: (id) => sites.find((site) => site.id === id)?.meaning ?? "",
    width,
    height: height + (kernels ? kernels.height + PAD : 0),
    title: `Compare · ${shown.models.join(", ")}`,
    moment: momentOf(shown),
    words: wordsOf(shown, chart, layout),
    about: shown.models.join(", "),
    caption: captionOf(shown),
    sheets: [
      { marks: () => tableMarks(table, shown, pointed.id, colours, ratio) },
      {
        from: [...steady, layout.steps.from, layout.steps.to, place?.x, place?.y, place?.height],
        marks: () => chartMarks(chart, layout, colours, ratio),
      },
      { marks: () => handsMarks(chart, layout, hands, colours, ratio) },
      {
        marks: () =>
          empty.lines.map((text, k) => words(empty.x, empty.y + 12 + 16 * k, text, colours.muted)),
      },
      { marks: () => growthMarks(cards, shown, pointed.id, colours, ratio) },
      { marks: () => (kernels ? [{ kind: "group", at: [0, height], marks: kernels.marks }] : []) },
    ],
    sites: { ...sitesOf(sites), cursor: () => "default" },
  };
}

function sitesIn(shown: Shown, table: Table, cards: Cards) {
  const rows = table.rows.map(({ row, box }) => {
    return { id: idOf(row), box, words: rowWords(row, shown.models), meaning: row.meaning };
  });
  const layers = cards.cards.flatMap(({ layers: listed }, k) =>
    listed.map(({ layer: { name, type, formula, parameters }, box }, n) => ({
      id: layerId(k, n),
      box,
      words: [shown.models[k], name, type, formula, parameters].filter(Boolean).join(", "),
      meaning: [type, formula].filter(Boolean).join(": "),
    })),
  );
  return [...rows, ...layers];
}

function captionOf({ hints, verdict, costs, note }: Shown): Remark[] {
  const remarks = hints.map((text): Remark => ({ text, tone: "warn" }));
  if (verdict) remarks.push({ text: verdict, tone: "ink", strong: true, title: COMPARED });
  if (costs) remarks.push({ text: costs, tone: "ink" });
  return note ? [...remarks, { text: note }] : remarks;
}

function wordsOf(shown: Shown, { panels }: Chart, { steps }: ChartLayout): string {
  const rows = shown.rows.map((row) => rowWords(row, shown.models));
  const curves = panels.map((panel) => {
    const values = entriesOf(panel, steps, null).map(({ name, value }) =>
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
