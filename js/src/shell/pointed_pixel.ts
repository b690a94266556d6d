/** The pixel that a view points at: the inputs of its patch, for the other views of the same stream to mark. */

import { memoryOf } from "../phi/memory.ts";
import type { Selection, Store } from "../wire/types.ts";
import { atEnd } from "./element.ts";

interface PointedPixel {
  layer: string;
  /** The input that a function of this layer takes at the pixel; null where it takes none. */
  valueFor(selection: Selection): number | null;
}

/** The one pointed pixel of a stream on this page. */
export const pointedPixelOf = (store: Store) =>
  memoryOf(store)("pointed pixel", [], createPixelPointing);

function createPixelPointing() {
  const subscribers = new Set<() => void>();
  let holder: object | null = null;
  let pixel: PointedPixel | null = null;
  return {
    current: () => pixel,
    /** `owner` is the view that points; null clears only what that view pointed at. */
    point(owner: object, next: PointedPixel | null) {
      if (next === pixel || (next === null && owner !== holder)) return;
      holder = next && owner;
      pixel = next;
      for (const fn of [...subscribers]) fn();
    },
    subscribe(fn: () => void, signal: AbortSignal) {
      if (signal.aborted) return;
      subscribers.add(fn);
      atEnd(signal, () => subscribers.delete(fn));
    },
  };
}
