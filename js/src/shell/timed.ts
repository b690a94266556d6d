/** What a timeline goes through: the steps of a stream, or of several at once. No DOM. */

import type { Store } from "../wire/types.ts";

interface At {
  step: number;
}

export interface Timed
  extends Pick<
    Store,
    "status" | "steps" | "cursor" | "setCursor" | "ghostStep" | "setGhostStep" | "subscribe"
  > {
  initial(): At | null;
  latest(): At | null;
  current(): At | null;
  ghost(): At | null;
}

/** The steps of all, and each at the newest step that it has by the one looked at. */
export function together(stores: readonly Store[]): Timed {
  const last = (frames: readonly (At | null)[]): At | null =>
    frames.reduce((best, at) => (at && (!best || at.step > best.step) ? at : best), null);
  const by = (store: Store, step: number): number => {
    const steps = store.steps();
    return steps.filter((kept) => kept <= step).at(-1) ?? steps[0] ?? -1;
  };
  const current = () => last(stores.map((store) => store.current()));
  const any = (of: (store: Store) => number) => stores.some((store) => of(store) >= 0);
  return {
    initial: () => last(stores.map((store) => store.initial())),
    latest: () => last(stores.map((store) => store.latest())),
    current,
    status: () => stores[0]?.status() ?? { state: "idle", message: "" },
    steps: () => [...new Set(stores.flatMap((store) => store.steps()))].sort((a, b) => a - b),
    cursor: () => (any((store) => store.cursor()) ? (current()?.step ?? -1) : -1),
    setCursor(step) {
      for (const store of stores) store.setCursor(step < 0 ? -1 : by(store, step));
    },
    ghost: () => last(stores.map((store) => store.ghost())),
    ghostStep: () =>
      any((store) => store.ghostStep())
        ? (last(stores.map((store) => store.ghost()))?.step ?? -1)
        : -1,
    setGhostStep(step) {
      for (const store of stores) store.setGhostStep(step < 0 ? -1 : by(store, step));
    },
    subscribe(fn, signal) {
      for (const store of stores) store.subscribe(fn, signal);
    },
  };
}
