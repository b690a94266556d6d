/** Dashboard's scene: the headline of the model in its caption; what is saved has the panels below each other. No DOM. */

import { formatNumber } from "../../phi/format.ts";
import type { Drawing, Given } from "../../scene/drawing.ts";
import { type Mark, NOWHERE, type Remark, type Scene } from "../../scene/marks.ts";
import type { Paged } from "../../scene/still.ts";

/** What Python says of the model. */
export interface Headline {
  /** The model's class. */
  model: string;
  /** Name and latest value of the logged loss, the value as Python writes it; "" where there is none. */
  loss: string;
  value: string;
}

const EMPTY: Headline = { model: "", loss: "", value: "" };

export function drawing(): Drawing {
  return (given) => sceneOf(given, []);
}

/** With pictures of the panels for a saved picture; a live view has the panels themselves. */
export function sceneOf(
  given: Given,
  pictures: readonly Paged[],
  latest: (name: string) => number | null = () => null,
): Scene {
  const { get, store, width } = given;
  const headline = { ...EMPTY, ...(get("headline") as Partial<Headline>) };
  const step = store.current()?.step;
  const marks: Mark[] = [];
  let height = 0;
  for (const picture of pictures) {
    marks.push({ kind: "group", at: [0, height], marks: picture.marks });
    height += picture.height;
  }
  const value = latest(headline.loss) ?? numberOf(headline.value);
  const caption = captionOf(headline, value);
  const said = caption.map(({ text }) => text).join(", ");
  return {
    width,
    height,
    title: headline.model ? `Dashboard · ${headline.model}` : "Dashboard",
    moment: step === undefined ? "" : `step ${step}`,
    words: [`Dashboard. ${said}.`, ...pictures.map(({ words }) => words)].join(" "),
    about: headline.model,
    caption,
    sheets: [{ marks: () => marks }],
    sites: NOWHERE,
  };
}

function captionOf({ model, loss }: Headline, value: number): Remark[] {
  const remarks: Remark[] = [];
  if (model) remarks.push({ text: model, tone: "ink", strong: true, title: "The model's class" });
  if (loss) {
    const title = `The latest ${loss} that was logged, not smoothed: ${value}`;
    remarks.push({ text: `latest ${loss} ${formatNumber(value)}`, tone: "ink", title });
  }
  return remarks;
}

/** Of Python's way to write a number, which JSON has not for all of them. */
function numberOf(text: string): number {
  return Number(text.replace("inf", "Infinity"));
}
