/** Which image a layer is shown: one of the user's, one observed, a ramp, or one drawn here. No DOM. */

import { type Images, imageAt, mapsOf, rangeOf } from "../../phi/images.ts";
import { makeRamp, rampImage } from "../../phi/ramp.ts";
import type { LayerLayout, Observed, Store } from "../../wire/types.ts";
import { type Input, type Settings, takesImage } from "./settings.ts";

export interface Source {
  /** What can be chosen for this layer, the usual one first. */
  choices: Input[];
  input: Input;
  /** Null where there is none yet; `missing` then says why. */
  image: Images | null;
  missing: string;
  /** How many images there are to choose from, and which is shown. */
  count: number;
  sample: number;
  /** The images to choose from. */
  images: Images | null;
  /** Black and white of the picture. */
  range: [number, number];
  /** What the reader must know about the input. */
  note: string;
}

/** The size of a blank to draw on: that of the images the layer gets. */
export interface Blank {
  width: number;
  height: number;
  ground: number;
  ink: number;
}

export function blankFor(images: Images | null, range: readonly [number, number]): Blank {
  const { width, height } = images ?? { width: 28, height: 28 };
  return { width, height, ground: range[0], ink: range[1] };
}

function unseen(name: string, direct: boolean | null): string {
  return direct === null
    ? `Whether ${name} gets the image itself or something computed from it is not known yet.`
    : `The input of ${name} is not the image itself.`;
}

/** What can be said where there is no kernel to ask. */
export const NOT_OBSERVED = "What reaches this layer was not observed before this was saved.";

/** Whether a click can show what reaches a layer: a kernel has a batch, and nobody has looked yet. */
export function offersObserving(store: Store | null, layer: string): boolean {
  return store?.batch().seen === true && !store.alone() && store.observed(layer) === null;
}

/** How to see the response of a layer that was not observed; where there is no kernel, that it was not. */
export function howToObserve(store: Store, layer: string): string {
  if (store.alone()) return NOT_OBSERVED;
  const { message } = store.batch();
  const how = offersObserving(store, layer)
    ? "Press “observe a batch” to see the response to the last batch of the training."
    : "Call live.observe(batch) to see the response to a batch.";
  return message ? `${how} (${message})` : how;
}

const OTHERWISE = "“draw” and “ramp” above take an input of your own.";

export function sourceOf(
  layer: LayerLayout,
  observed: Observed | null,
  given: Images | null,
  drawing: Images,
  blank: Blank,
  settings: Settings,
  how = "Call live.observe(batch) to see the response to a batch.",
): Source {
  const maps = mapsOf(observed);
  const name = layer.name || layer.type;
  const direct = takesImage(layer, observed);
  const choices: Input[] = direct ? ["images", "drawn", "ramp"] : ["observed", "drawn", "ramp"];
  if (direct && maps) choices.splice(1, 0, "observed");
  const input = choices.includes(settings.input) ? settings.input : choices[0];
  const images = input === "images" ? given : input === "observed" ? maps : null;
  const count = images?.count ?? 0;
  const sample = Math.min(settings.sample, Math.max(0, count - 1));
  const notes: string[] = [];
  let missing = "";
  let image: Images | null = null;
  let range: [number, number] = [blank.ground, blank.ink];
  if (direct === false)
    notes.push(`the input of ${name} is not the image but what the model computes from it`);
  else if (direct === null)
    notes.push(
      how === NOT_OBSERVED
        ? `what reaches ${name} in the model was not observed`
        : `what reaches ${name} in the model is not known without live.observe(batch)`,
    );
  if (input === "ramp") {
    image = rampImage(makeRamp(settings.direction, settings.limits, settings.resolution));
    range = settings.limits;
  } else if (input === "drawn") image = drawing;
  else if (images) {
    image = imageAt(images, sample);
    range = rangeOf(image.data);
  } else {
    missing =
      input === "observed"
        ? `${how} ${OTHERWISE} ${unseen(name, direct)}`
        : how === NOT_OBSERVED
          ? `There are no images here. ${OTHERWISE}`
          : "There are no images: give some with images=...";
  }
  const channels = layer.conv && !layer.conv.shared ? layer.shape[1] * layer.conv.groups : 1;
  if (image && image.channels === 1 && channels > 1)
    notes.push(`the same image in all ${channels} channels`);
  return {
    choices,
    input,
    image,
    missing,
    count,
    sample,
    images,
    range,
    note: notes.join(" · "),
  };
}
