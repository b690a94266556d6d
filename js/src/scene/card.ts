/** The card of a training that is out of sight: an example, what the network says of it, and a function that learns. */

import { maxIndex } from "d3-array";
import { firstShown } from "../phi/curves.ts";
import {
  entryText,
  functionOf,
  inputName,
  isPlain,
  layerTitle,
  outputName,
  selectionOf,
  shortened,
} from "../phi/entries.ts";
import { formatAlike, formatCount, toATenth } from "../phi/format.ts";
import { extrasAt, forward, isComputable, numbersTaken } from "../phi/forward.ts";
import { softmax } from "../phi/operations.ts";
import { lastFinite } from "../phi/ranges.ts";
import type { LayerLayout, Store } from "../wire/types.ts";
import { thumbnailsOf } from "./heat.ts";
import type { Mark, Rect } from "./marks.ts";
import { phiPlot } from "./phi_plot.ts";
import { rect, words } from "./shapes.ts";
import { fitting } from "./text.ts";
import type { Colours, Theme } from "./theme.ts";

export const CARD = { width: 340, height: 112 };
const IMAGE: Rect = { x: 0, y: 0, width: 112, height: 112 };
const BARS = { name: 18, full: 38, said: 34, row: 18, size: 10 };
const GAP = 10;
/** Of more outputs nothing is said. */
const MOST_OUTPUTS = 12;
const PLOT = { title: 14, size: 9 };

type Outputs = ReturnType<typeof outputsOf>;

export function cardMarks(store: Store, outputs: Outputs, { colours }: Theme): Mark[] {
  const image = imageMarks(store, colours);
  const left = image.length > 0 ? IMAGE.width + GAP : 0;
  const right = left + (outputs ? BARS.name + BARS.full + BARS.said + GAP : 0);
  return [
    ...image,
    ...barMarks(store, outputs, left, colours),
    ...functionMarks(store, right, colours),
  ];
}

/** The selected function, else the one of the last layer that views begin with; and what it was. */
function functionMarks(store: Store, x: number, colours: Colours): Mark[] {
  const [frame, ghost] = [lastFinite(store), store.ghost()];
  const selection = store.selection();
  const all = frame?.layout.layers ?? [];
  const own = all.find((one) => functionOf(one, selection) >= 0);
  const layer = own ?? all.filter((one) => !isPlain(one)).at(-1);
  if (!frame || !layer) return [];
  const f = own ? functionOf(own, selection) : firstShown(store, layer).f;
  const then = ghost?.layout === frame.layout ? ghost : null;
  const title = fitting(namesOf(store, layer, f), CARD.width - x, BARS.size);
  const box = { x, y: PLOT.title, width: CARD.width - x, height: CARD.height - PLOT.title };
  const plotted = { frame, layer, f, x: layer.domain, ghost: then };
  return [
    words(x, 9, title, colours.muted, { size: BARS.size }),
    ...phiPlot(plotted, null, box, colours).marks,
  ];
}

/** Of which layer a function is, and where it leads from and to, as the diagram has it. */
function namesOf(store: Store, layer: LayerLayout, f: number): string[] {
  const { out, in: input } = selectionOf(layer, f);
  const [, height, width] = store.observed(layer.name)?.fold ?? [1, 1, 1];
  const size = height * width;
  const from = size > 1 ? `map ${Math.floor(input / size)}` : inputName(layer, input);
  const isLink = layer.kind === "linear";
  const text = isLink ? `${from} to ${outputName(layer, out)}` : entryText(layer, f);
  return [`${layerTitle(layer)} · ${text}`, text, text.split(" · ")[0]];
}

/** The first example, where it is an image. */
function imageMarks(store: Store, colours: Colours): Mark[] {
  const probe = store.probe();
  if (probe?.shape.length !== 4) return [];
  const [count, channels, height, width] = probe.shape;
  const [pixels] = thumbnailsOf({ count, channels, height, width, data: probe.inputs });
  return [{ kind: "image", box: IMAGE, pixels }, rect(IMAGE, { stroke: colours.line })];
}

/** The network's outputs for the first example, of classes as probabilities, and their step; null where they are not known. */
export function outputsOf(store: Store) {
  const [structure, probe, frame] = [store.structure(), store.probe(), lastFinite(store)];
  const activations = store.activations(frame);
  if (!structure || !probe || !frame) return null;
  const last = structure.stations.length - 1;
  const size = probe.inputs.length / probe.shape[0];
  const extras = frame.rough ? null : extrasAt(structure, frame, activations);
  const isKnown = extras && isComputable(structure, frame.layout, extras);
  const raw = isKnown
    ? forward(structure, frame, extras, probe.inputs.subarray(0, size))[last]
    : activations && numbersTaken(activations, last, 0);
  if (!raw || raw.length < 2 || raw.length > MOST_OUTPUTS || !raw.every(Number.isFinite))
    return null;
  const isClasses = probe.labels !== null || /softmax/.test(structure.stations[last].label);
  const values = isClasses ? softmax(raw) : Array.from(raw);
  /** The value of a full bar. */
  const most = isClasses ? 1 : Math.max(...values.map(Math.abs)) || 1;
  const step = isKnown ? frame.step : (activations?.step ?? 0);
  return { values, most, best: maxIndex(values), isClasses, step };
}

/** Bars of all outputs, in their order. */
function barMarks(store: Store, outputs: Outputs, left: number, colours: Colours): Mark[] {
  if (!outputs) return [];
  const { values, most, best, step, isClasses } = outputs;
  const layer = store.current()?.layout.layers.at(-1) ?? {};
  const isNow = step === store.current()?.step;
  const room = isNow ? CARD.height : CARD.height - PLOT.title;
  const pitch = Math.min(BARS.row, room / values.length);
  const { size } = BARS;
  const format = formatAlike(values);
  const bars = values.flatMap((value, k): Mark[] => {
    const [fill, weight] = k === best ? [colours.ink, 600 as const] : [colours.ghost, 400 as const];
    const middle = (k + 0.5) * pitch;
    const name = shortened(outputName(layer, k, "").trim(), 3);
    const width = Math.max(1, (Math.abs(value) / most) * BARS.full);
    const said = isClasses ? toATenth(value) : format(value);
    const bar = { x: left + BARS.name, y: middle - 0.4 * pitch, width, height: 0.8 * pitch };
    return [
      words(left, middle, name, colours.ink, { weight, middle: true, size }),
      rect(bar, { fill, radius: 1 }),
      words(bar.x + width + 3, middle, said, colours.muted, { size: PLOT.size, middle: true }),
    ];
  });
  const late = `at step ${formatCount(step)}`;
  return isNow ? bars : [...bars, words(left, CARD.height - 2, late, colours.muted, { size: 9 })];
}
