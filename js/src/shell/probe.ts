/** The pixel that a view points at: the inputs of its patch, for the other views of the same stream to mark. */
import type { Selection, Store } from "../wire/types.ts";
import { atEnd } from "./element.ts";

export interface Probe {
  layer: string;
  /** Which output channel the pixel belongs to. */
  output: number;
  row: number;
  column: number;
  /** The input that a function of this layer takes at the pixel; null where it takes none. */
  valueFor(selection: Selection): number | null;
}

type ProbePoint = ReturnType<typeof makePoint>;

const points = new WeakMap<Store, ProbePoint>();

/** The one probe of a stream on this page. */
export function probeOf(store: Store): ProbePoint {
  const known = points.get(store);
  if (known) return known;
  const made = makePoint();
  points.set(store, made);
  return made;
}

function makePoint() {
  const subscribers = new Set<() => void>();
  let pointing: object | null = null;
  let probe: Probe | null = null;
  return {
    current: () => probe,
    /** `owner` is the view that points; null takes back only its own. */
    point(owner: object, next: Probe | null) {
      if (next === probe || (next === null && owner !== pointing)) return;
      pointing = next && owner;
      probe = next;
      for (const fn of [...subscribers]) fn();
    },
    subscribe(fn: () => void, signal: AbortSignal) {
      if (signal.aborted) return;
      subscribers.add(fn);
      atEnd(signal, () => subscribers.delete(fn));
    },
  };
}
