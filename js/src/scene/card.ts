/** The card of a training that is out of sight: an example, what the network says of it, and a function that learns. */

import { firstShown } from "../phi/curves.ts";
import { entryText, functionOf, layerNamed, layerTitle, outputName } from "../phi/entries.ts";
import { formatAlike, formatCount, toATenth } from "../phi/format.ts";
import type { Ends } from "../phi/inputs.ts";
import type { Frame, LayerLayout, Probe, Store } from "../wire/types.ts";
import { thumbnailsOf } from "./heat.ts";
import type { Mark, Rect, Scene } from "./marks.ts";
import { phiPlot } from "./phi_plot.ts";
import { rect, words } from "./shapes.ts";
import { fitted, fitting } from "./text.ts";
import type { Colours, Theme } from "./theme.ts";

export const CARD = { width: 362, height: 166 };
const IMAGE: Rect = { x: 0, y: 0, width: 112, height: 112 };
const BARS = { name: 18, full: 34, said: 34, row: 16.6, size: 10 };
const GAP = 8;
/** Of more outputs nothing is said. */
const MOST_OUTPUTS = 12;
const PLOT = { title: 16, size: 9 };

/** What a network's diagram has of an example: all outputs, and the function that it shows closely. */
export interface Told extends Scene {
  diagram: {
    frame: Frame;
    ghost: Frame | null;
    flow: { step: number; values: (Float32Array | null)[]; frame: Frame | null } | null;
    probe: Probe | null;
    scores: { raw: number[]; probabilities: number[] | null; best: number } | null;
    parts: { picture: { x: Ends; print(value: number): string } | null }[];
  };
  closeUp: { column: number; layer: LayerLayout } | null;
  verdict: string;
  shown: { f: number; x: number; value: number; name: string } | null;
}

export function cardMarks(store: Store, scene: Told, { colours }: Theme): Mark[] {
  const image = imageMarks(scene, colours);
  const left = image.length > 0 ? IMAGE.width + GAP : 0;
  const bars = barMarks(store, scene, left, colours);
  const right = left + (bars.length > 0 ? BARS.name + BARS.full + BARS.said + GAP : 0);
  return [...image, ...bars, ...functionMarks(store, scene, right, colours)];
}

/** The selected function, else the one that the diagram shows closely, or views begin with; and what it was. */
function functionMarks(store: Store, scene: Told, x: number, colours: Colours): Mark[] {
  const { frame: current, flow, ghost, parts } = scene.diagram;
  const selection = store.selection();
  const own = current.layout.layers.find((one) => functionOf(one, selection) >= 0);
  const shown = own ? null : scene.shown;
  const layer = own ?? (shown ? scene.closeUp?.layer : layerNamed(current, ""));
  if (!layer) return [];
  const f = shown?.f ?? (own ? functionOf(own, selection) : firstShown(store, layer).f);
  const name = shown?.name ?? `${layerTitle(layer)} · ${entryText(layer, f)}`;
  const width = CARD.width - x;
  const title = fitting([name, name.replace(/^.*? · /, "")], width, BARS.size, 600);
  const picture = shown && parts[scene.closeUp?.column ?? -1]?.picture;
  const isKnown = picture && Number.isFinite(shown.x + shown.value);
  const value = isKnown && `φ(${formatAlike(picture.x)(shown.x)}) = ${picture.print(shown.value)}`;
  const height = CARD.height - PLOT.title * (value ? 2 : 1);
  const frame = (shown && flow?.frame) || current;
  const plotted = { frame, layer, f, x: picture?.x ?? layer.domain, ghost };
  return [
    words(x, 9, title, colours.ink, { size: BARS.size, weight: 600 }),
    ...phiPlot(plotted, shown, { x, y: PLOT.title, width, height }, colours).marks,
    words(x, CARD.height - 3, value || "", colours.muted, { size: BARS.size }),
  ];
}

/** The example, where it is an image. */
function imageMarks({ diagram: { probe, flow } }: Told, colours: Colours): Mark[] {
  if (probe?.shape.length !== 4) return [];
  const [, channels, height, width] = probe.shape;
  const data = flow?.values[0] ?? probe.inputs.subarray(0, channels * height * width);
  const [pixels] = thumbnailsOf({ count: 1, channels, height, width, data });
  return [{ kind: "image", box: IMAGE, pixels }, rect(IMAGE, { stroke: colours.line })];
}

/** Bars of all outputs, in their order, as the diagram has them. */
function barMarks(store: Store, { diagram }: Told, left: number, colours: Colours): Mark[] {
  const { scores, flow } = diagram;
  const { raw = [], probabilities = null, best = 0 } = scores ?? {};
  const values = probabilities ?? raw;
  if (!flow || values.length < 2 || values.length > MOST_OUTPUTS) return [];
  /** The value of a full bar. */
  const most = probabilities ? 1 : Math.max(...values.map(Math.abs)) || 1;
  const layer = store.current()?.layout.layers.at(-1) ?? {};
  const isNow = flow.step === store.current()?.step;
  const room = isNow ? CARD.height : CARD.height - PLOT.title;
  const pitch = Math.min(BARS.row, room / values.length);
  const format = probabilities ? toATenth : formatAlike(values);
  const bars = values.flatMap((value, k): Mark[] => {
    const [fill, weight] = k === best ? [colours.ink, 600 as const] : [colours.ghost, 400 as const];
    const middle = (k + 0.5) * pitch;
    const name = fitted(outputName(layer, k, "").trim(), BARS.name - 3, BARS.size);
    const width = Math.max(1, (Math.abs(value) / most) * BARS.full);
    const bar = { x: left + BARS.name, y: middle - 0.4 * pitch, width, height: 0.8 * pitch };
    const [main, side] = [BARS.size, PLOT.size].map((size) => ({ size, middle: true }));
    return [
      words(left, middle, name, colours.ink, { ...main, weight }),
      rect(bar, { fill, radius: 1 }),
      words(bar.x + width + 3, middle, format(value), colours.muted, side),
    ];
  });
  const late = `at step ${formatCount(flow.step)}`;
  return isNow ? bars : [...bars, words(left, CARD.height - 2, late, colours.muted, { size: 9 })];
}
