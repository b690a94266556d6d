/** TrainingPanel's scene: the numbers of a training in its caption, its curves below. */

import { formatCount } from "../../phi/format.ts";
import { WITHOUT } from "../../phi/inputs.ts";
import {
  type Chart,
  type ChartHands,
  type ChartLayout,
  chartLayout,
  chartMarks,
  handsMarks,
  legendEntries,
  tabulated,
} from "../../scene/chart.ts";
import type { Drawing, Given } from "../../scene/drawing.ts";
import { chartReader } from "../../scene/logged.ts";
import { type Mark, NOWHERE, type Rect, type Remark, type Scene } from "../../scene/marks.ts";
import { inMiddle, rect } from "../../scene/shapes.ts";
import { wrapped } from "../../scene/text.ts";
import type { ColourName, Colours } from "../../scene/theme.ts";
import { hintText, isUnderWay, lookOf, type Standing, standingText } from "../../wire/standing.ts";
import { numbers, type RunStatus, standingAt, statusIn } from "./status.ts";

export type PanelScene = Scene & ReturnType<typeof sceneOf>;

const PAD = 8;
const BAR = 4;
const SIZE = 12;
const LINE = 17;
/** A panel of curves is at least so high; wider ones are higher, and all rows together fit a laptop's window. */
const LEAST = 190;
const SLOPE = 0.45;
const MOST = 440;
/** Quantities for which there is room before any is known: a loss, and how often it is right. */
const EXPECTED = 2;
/** In a host: of a row of curves, and how narrow a panel of them may be. */
const LEAST_ROW = 120;
const NARROW = 170;
/** How each state is marked. */
const DOTS: Readonly<Record<string, ["dot" | "ring", ColourName]>> = {
  running: ["dot", "live"],
  paused: ["dot", "ink"],
  stopping: ["dot", "ink"],
  finished: ["ring", "live"],
  stopped: ["ring", "ink"],
  interrupted: ["ring", "warn"],
  closed: ["ring", "ghost"],
};
const WRONG = ["failed", "diverged", "fault", "silent", "unheard", "uncounted"];

export function drawing(): Drawing<PanelScene> & { hands: ChartHands } {
  const readChart = chartReader();
  const draw = (given: Given): PanelScene => {
    const chart = readChart(given.get);
    const status = statusIn(given.get);
    // A page that trains draws both curves that it will have where they will be.
    const count = Math.max(chart.panels.length, status.begins ? EXPECTED : 0);
    return sceneOf(chart, status, count, inRoom(count, given), draw.hands);
  };
  draw.hands = { step: null, band: null } as ChartHands;
  return draw;
}

/** In a host the rows of curves share the room that it has for all of them. */
function inRoom(count: number, given: Given): Given {
  const { room, width } = given;
  if (room === undefined) return given;
  const table = tabulated(count || 1, width - 2 * PAD, narrowest(count, given));
  const each = Math.max(LEAST_ROW, (room - 2 * PAD - table.between) / table.rows);
  return { ...given, get: (trait) => (trait === "height" ? each : given.get(trait)) };
}

/** Beside each other they may be narrow, where there is no room for all below each other. */
function narrowest(count: number, { room }: Given): number | undefined {
  if (room === undefined) return undefined;
  const stacked = count * (LEAST_ROW + PAD) <= room;
  return stacked ? undefined : NARROW;
}

function sceneOf(chart: Chart, status: RunStatus, count: number, given: Given, hands: ChartHands) {
  const { width, theme, ratio } = given;
  const { colours } = theme;
  const standing = standingAt(status, given.store.standing());
  const top = shareDone(status) !== null ? PAD + BAR + PAD : PAD;
  const length = width - 2 * PAD;
  const high = Number(given.get("height")) || panelHeight(Math.max(count, EXPECTED), length);
  const least = narrowest(count, given);
  const { rows, between } = tabulated(count || 1, length, least);
  const whole = rows * high + between;
  const inside = { x: PAD, y: top, width: length };
  const layout = chartLayout(chart, inside, high, least);
  const isEmpty = chart.panels.length === 0;
  // As high as the curves to come, so that nothing moves when they do; of none that come one line is left.
  const isEarly = status.step < WITHOUT && given.store.standing().state !== "finished";
  const comes = isEarly && !status.recording && !given.store.alone();
  // A run that waits to begin logs its loss by itself; that of one that has begun may be on its way.
  const isBegun = standing.state === "ready" && !status.begins;
  const isComing = isUnderWay(standing) && status.step > 0;
  const isBare = isBegun || (comes && isEmpty && (standing.loss || isComing));
  const hint = isBare ? "The loss is drawn here." : emptyWords(status, comes, chart);
  const empty = emptyMarks(hint, comes, { ...inside, height: whole }, colours);
  const below = isEmpty ? empty.height : whole;
  // Back in time the curves are read at the step that is shown.
  const back = given.store.cursor() < 0 ? null : (given.store.current()?.step ?? null);
  const held = () => ({ ...hands, step: hands.step ?? back });
  const steady = [chart.panels, chart.over, chart.marks, width, theme.name, colours.surface, ratio];
  return {
    chart,
    layout,
    status,
    standing,
    width,
    height: top + below + PAD,
    title: "Training",
    moment: String(given.get("ensemble") || ""),
    words: wordsOf(chart, layout, status, standing),
    about: standing.words,
    caption: captionOf(status, standing, given.store.standing().state, chart, colours),
    sheets: [
      { marks: () => barMarks(status, given) },
      {
        from: [...steady, layout.steps.from, layout.steps.to],
        marks: () => chartMarks(chart, layout, colours, ratio),
      },
      { marks: () => handsMarks(chart, layout, held(), colours, ratio) },
      { marks: () => (isEmpty ? empty.marks : []) },
    ],
    sites: NOWHERE,
  };
}

/** Pixels of one of `count` panels. */
function panelHeight(count: number, width: number): number {
  const { rows, width: each } = tabulated(count, width);
  return Math.round(Math.max(LEAST, Math.min(MOST / rows, SLOPE * each)));
}

/** Where the curves will be, and what to do so that they come. */
function emptyMarks(words: string, comes: boolean, box: Rect, colours: Colours) {
  const { x, y, width } = box;
  const lines = wrapped(words, width - 4 * PAD, SIZE);
  const height = comes ? box.height : lines.length * LINE;
  const first = y + height / 2 - ((lines.length - 1) * LINE) / 2;
  const marks: Mark[] = [
    ...(comes ? [rect(box, { radius: 4, fill: colours.plot })] : []),
    ...lines.map((text, k) =>
      inMiddle({ x, y: first + k * LINE, width, height: 0 }, text, colours.muted, { size: SIZE }),
    ),
  ];
  return { height, marks };
}

/** Share of the training that is done; null where its end is not known. */
export function shareDone({ done, total }: RunStatus): number | null {
  return total ? Math.min(1, done / total) : null;
}

function barMarks(status: RunStatus, { width, theme }: Given): Mark[] {
  const share = shareDone(status);
  if (share === null) return [];
  const whole = { x: PAD, y: PAD, width: width - 2 * PAD, height: BAR };
  const filled = { ...whole, width: share && Math.max(BAR, share * whole.width) };
  const { outside, accent } = theme.colours;
  return [whole, filled].map((bar, k) =>
    rect(bar, { fill: k === 0 ? outside : accent, radius: BAR / 2 }),
  );
}

/** The state, with a dot that says as much by its colour. */
function stateRemark(standing: Standing, colours: Colours): Remark {
  const look = lookOf(standing);
  const [kind, colour] = DOTS[look] ?? ["dot", WRONG.includes(look) ? "warn" : "ghost"];
  return {
    text: standingText(standing),
    title: hintText(standing),
    tone: kind === "dot" && colour === "warn" ? "warn" : "ink",
    strong: true,
    shared: true,
    swatch: { kind, colours: [colours[colour]] },
  };
}

/** `heard` is how it stands by what came last. */
function captionOf(
  status: RunStatus,
  standing: Standing,
  heard: string,
  { said: single }: Chart,
  colours: Colours,
): Remark[] {
  const state = stateRemark(standing, colours);
  const facts = numbers(status, heard).map(([name, value, title]): Remark => {
    return { text: `${name} ${value}`.trim(), title, shared: name === "step" };
  });
  const { message } = status;
  const said = message === "" || standing.words.includes(message);
  const values = single.map((text): Remark => ({ text, tone: "ink" }));
  return [state, ...facts, ...values, ...(said ? [] : [{ text: message, tone: "warn" } as const])];
}

function emptyWords({ recording, begins }: RunStatus, comes: boolean, { said }: Chart): string {
  if (said.length > 0) return comes ? "A curve begins with its second value." : "";
  if (recording) return "No loss was logged in this run.";
  if (begins) return `${begins}: the loss is drawn here.`;
  const log = "live.log(loss=loss) after optimizer.step()";
  return comes ? `The loss is drawn here: ${log}.` : `No loss was logged. For its curve: ${log}.`;
}

function wordsOf(
  { panels }: Chart,
  { steps }: ChartLayout,
  status: RunStatus,
  standing: Standing,
): string {
  const values = panels.flatMap((panel) =>
    legendEntries(panel, steps, null).map(({ name, value }) => `${name || panel.title} ${value}`),
  );
  const latest = values.length > 0 ? ` Latest values: ${values.join(", ")}.` : "";
  return (
    `Training panel: ${standingText(standing)}, step ${formatCount(status.step)}.${latest} ` +
    "Left and right arrow read the curves, plus and minus zoom, 0 shows all steps."
  );
}
