/** The card of a training that is out of sight: an example, and what the network says of it. No DOM. */

import { maxIndex } from "d3-array";
import { outputName, shortened } from "../phi/entries.ts";
import { formatCount, number, percent } from "../phi/format.ts";
import { extrasAt, forward, isComputable } from "../phi/forward.ts";
import { softmax } from "../phi/softmax.ts";
import type { Store, Taken } from "../wire/types.ts";
import { thumbnailsOf } from "./heat.ts";
import type { Mark, Rect } from "./marks.ts";
import { rect, words } from "./shapes.ts";
import type { Colours, Theme } from "./theme.ts";

export const CARD = { width: 240, height: 66 };
const IMAGE: Rect = { x: 0, y: 0, width: 66, height: 66 };
const BARS = { name: 22, full: 96, row: 18, most: 3 };
const GAP = 12;
/** Of more outputs nothing is said. */
const MOST_OUTPUTS = 12;

type Outputs = ReturnType<typeof outputsOf>;

export function cardMarks(store: Store, outputs: Outputs, { colours }: Theme): Mark[] {
  const image = imageMarks(store, colours);
  const left = image.length > 0 ? IMAGE.width + GAP : 0;
  return [...image, ...barMarks(store, outputs, left, colours)];
}

/** The first example, where it is an image. */
function imageMarks(store: Store, colours: Colours): Mark[] {
  const probe = store.probe();
  if (probe?.shape.length !== 4) return [];
  const [count, channels, height, width] = probe.shape;
  const [pixels] = thumbnailsOf({ count, channels, height, width, data: probe.inputs });
  return [{ kind: "image", box: IMAGE, pixels }, rect(IMAGE, { stroke: colours.line })];
}

/** What comes out of the network for the first example, of classes probabilities, and at which step; null where it is not known. */
export function outputsOf(store: Store) {
  const [structure, probe, frame] = [store.structure(), store.probe(), store.current()];
  const taken = store.activations();
  if (!structure || !probe || !frame) return null;
  const last = structure.stations.length - 1;
  const size = probe.inputs.length / probe.shape[0];
  const extras = frame.rough ? null : extrasAt(structure, frame, taken);
  const isKnown = extras && isComputable(structure, frame.layout, extras);
  const raw = isKnown
    ? forward(structure, frame, extras, probe.inputs.subarray(0, size))[last]
    : decoded(taken?.values.get(last));
  if (!raw || raw.length < 2 || raw.length > MOST_OUTPUTS || !raw.every(Number.isFinite))
    return null;
  const isClasses = probe.labels !== null || /softmax/.test(structure.stations[last].label);
  const values = isClasses ? softmax(raw) : Array.from(raw);
  /** That of a full bar. */
  const most = isClasses ? 1 : Math.max(...values.map(Math.abs)) || 1;
  const step = isKnown ? frame.step : (taken?.step ?? 0);
  return { values, most, best: maxIndex(values), isClasses, step };
}

/** The numbers that the model made of the first example. */
function decoded(taken: Taken | undefined): Float32Array | null {
  if (taken?.shape.length !== 2) return null;
  const { shape, data, low, high } = taken;
  const numbers = Float32Array.from(data.subarray(0, shape[1]));
  return numbers.map((value) => low[0] + (value / 255) * (high[0] - low[0]));
}

/** The largest outputs, in their order. */
function barMarks(store: Store, outputs: Outputs, left: number, colours: Colours): Mark[] {
  if (!outputs) return [];
  const { values, most, best, step, isClasses } = outputs;
  const layer = store.current()?.layout.layers.at(-1) ?? {};
  const order = [...values.keys()].sort((a, b) => values[b] - values[a]);
  const shown = order.slice(0, BARS.most).sort((a, b) => a - b);
  const bars = shown.flatMap((k, row): Mark[] => {
    const [fill, weight] = k === best ? [colours.ink, 600 as const] : [colours.ghost, 400 as const];
    const middle = (row + 0.5) * BARS.row;
    const name = shortened(outputName(layer, k, "").trim(), 4);
    const width = Math.max(2, (Math.abs(values[k]) / most) * BARS.full);
    const said = isClasses ? percent(values[k]) : number(values[k]);
    const bar = { x: left + BARS.name, y: middle - 6, width, height: 12 };
    return [
      words(left, middle, name, colours.ink, { weight, middle: true }),
      rect(bar, { fill, radius: 2 }),
      words(bar.x + width + 4, middle, said, colours.muted, { size: 10, middle: true }),
    ];
  });
  if (step === store.current()?.step) return bars;
  return [
    ...bars,
    words(left, CARD.height - 2, `at step ${formatCount(step)}`, colours.muted, { size: 9 }),
  ];
}
