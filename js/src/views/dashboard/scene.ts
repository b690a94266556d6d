/** Dashboard's scene: the model and its loss in the caption; what is saved has the panels below each other, and how high they are. */

import { sum } from "d3-array";
import { formatCount, formatNumber, momentText } from "../../phi/format.ts";
import type { Drawing, Given } from "../../scene/drawing.ts";
import type { latestOf } from "../../scene/logged.ts";
import { NOWHERE, type Remark, type Scene } from "../../scene/marks.ts";
import { type Paged, stacked } from "../../scene/still.ts";
import { latestLoss } from "../../wire/standing.ts";

/** The latest value of a series up to a step as the panel of curves has it, and whether that panel is seen. */
type Latest = NonNullable<ReturnType<typeof latestOf>> & { isSeen: boolean };

export function drawing(): Drawing {
  return (given) => sceneOf(given, []);
}

/** With pictures of the panels for a saved picture. `drawn` gives the latest value as the curves show it: one number for one thing. */
export function sceneOf(
  { store, width, theme }: Given,
  pictures: readonly Paged[],
  drawn: (name: string, until: number) => Latest | null = () => null,
): Scene {
  const { model = "" } = store.standing();
  const frame = store.current();
  const step = frame?.step;
  const { marks, height } = stacked(pictures);
  const caption: Remark[] = [];
  if (model) caption.push({ text: model, tone: "ink", strong: true, title: "The model's class" });
  const loss = latestLoss(store.standing());
  const isBack = store.cursor() >= 0;
  const curve = loss && drawn(loss.name, isBack ? (step ?? 0) : Number.POSITIVE_INFINITY);
  // Beside its curve it is said there.
  if (loss && !curve?.isSeen && (curve || !isBack)) {
    // What was heard last: curves may come later.
    const counts = curve && (isBack || curve.at >= (loss.at ?? 0));
    const { value, at } = counts ? curve : loss;
    const logged = at === undefined ? "" : ` at step ${formatCount(at)}`;
    const title = `The latest ${loss.name} that was logged${isBack ? " by then" : ""}${logged}, not smoothed: ${value}`;
    // While it trains the headline has no step: see the shell's status.
    const when = at === step || (!isBack && store.standing().state === "running") ? "" : logged;
    const heights = curve?.heights ?? [];
    const swatch = { kind: "spark", colours: [theme.colours["curve-0"]], heights } as const;
    const text = `${loss.name} ${formatNumber(value)}${when}`;
    caption.push({ text, tone: "ink", title, swatch: heights.length > 0 ? swatch : undefined });
  }
  const said = caption.map(({ text }) => text).join(", ");
  return {
    width,
    height,
    title: model ? `Dashboard · ${model}` : "Dashboard",
    moment: frame ? momentText(frame) : "",
    words: [`Dashboard. ${said}.`, ...pictures.map(({ words }) => words)].join(" "),
    about: model,
    caption,
    sheets: [{ marks: () => marks }],
    sites: NOWHERE,
  };
}

/** Pixels of a panel: beside its drawing, and of the drawing at most and at least. */
export interface Size {
  around: number;
  most: number;
  least: number;
}

/** Numbers of the panels in each row: two, or one that is wide or has no neighbour. */
export function rowsOf(wide: readonly boolean[]): number[][] {
  const rows: number[][] = [];
  let open = false;
  wide.forEach((isWide, k) => {
    if (open && !isWide) rows[rows.length - 1].push(k);
    else rows.push([k]);
    open = !isWide && !open;
  });
  return rows;
}

/** The least that all rows take. */
export function leastOf(rows: readonly (readonly Size[])[]): number {
  return sum(rows.map((row) => Math.max(...row.map(({ around, least }) => around + least))));
}

/** Pixels of each row within `free`, each giving up the same share of what it can do without; where they fill it, with what is left. */
export function heightsOf(rows: readonly (readonly Size[])[], free: number, fills = false) {
  const tall = rows.map((row) => Math.max(...row.map(({ around, most }) => around + most)));
  const left = free - sum(tall);
  if (left >= 0) return tall.map((height) => height + (fills ? left / rows.length : 0));
  const share = Math.min(1, -left / Math.max(1, sum(tall) - leastOf(rows)));
  return tall.map((height, k) => height - share * (height - leastOf([rows[k]])));
}
