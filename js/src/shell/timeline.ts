/** A timeline: the steps of a stream, or of several at once, and going through them by itself. */

import { memoryOf } from "../phi/memory.ts";
import { isUnderWay, type Standing, UNKNOWN } from "../wire/standing.ts";
import type { Frame, Store } from "../wire/types.ts";
import { atEnd } from "./element.ts";

/** A whole history plays in about this long, in milliseconds; and the time between two of its steps at least and at most. */
const PLAY_TIME = 6_000;
const BEAT = { least: 40, most: 1_000 };

/** The one player of a timeline, for all views of it. */
export const playerOf = (store: Timed) => memoryOf(store)("player", [], () => createPlayer(store));

function createPlayer(store: Timed) {
  const views = new Set<(isOver: boolean) => void>();
  const tell = (isOver: boolean) => {
    for (const heard of views) heard(isOver);
  };
  let timer: ReturnType<typeof setInterval> | undefined;
  let steps: number[] = [];

  /** The place in `steps` of the frame shown. */
  function index(): number {
    const step = store.current()?.step ?? 0;
    const at = steps.indexOf(step);
    return at >= 0 ? at : steps.filter((kept) => kept < step).length - 1;
  }

  /** Shows the kept step that is so many further. */
  function move(by: number) {
    steps = store.steps();
    if (steps.length === 0) return;
    seek(store, steps, steps[Math.max(0, Math.min(steps.length - 1, index() + by))]);
  }

  function stop() {
    clearInterval(timer);
    timer = undefined;
    tell(true);
  }

  return {
    playing: () => timer !== undefined,
    stop,
    move,
    start() {
      steps = store.steps();
      if (store.cursor() < 0 || index() >= steps.length - 1) store.setCursor(steps[0]);
      const stride = Math.max(1, Math.ceil((steps.length * BEAT.least) / PLAY_TIME));
      const beat = Math.max(BEAT.least, Math.min(BEAT.most, PLAY_TIME / steps.length));
      timer = setInterval(() => {
        if (store.cursor() < 0) stop();
        else move(stride);
        if (index() >= steps.length - 1) stop();
      }, beat);
      tell(false);
    },
    /** A view hears when a film begins and when it is over; the film ends with the last of them. */
    watch(heard: (isOver: boolean) => void, signal: AbortSignal) {
      views.add(heard);
      atEnd(signal, () => {
        views.delete(heard);
        if (views.size === 0) stop();
      });
    },
  };
}

/** Shows a kept step; the last one of a run that is over is its end, which looks the same however one came there. */
export function seek(store: Timed, steps: readonly number[], step: number): void {
  const isEnd = step === steps.at(-1) && !isUnderWay(store.standing());
  store.setCursor(isEnd ? -1 : step);
}

type AtStep = Pick<Frame, "step">;

/** What a timeline goes through: a stream, or several. */
export type Timed = ReturnType<typeof together>;

/** Fewer steps would be no film. */
const FEW_STEPS = 5;

/** Steps that all have kept which have come so far, so that all are seen at the same one; all steps where these are few. */
function sharedSteps(kept: readonly (readonly number[])[]): number[] {
  const all = [...new Set(kept.flat())].sort((a, b) => a - b);
  const isShared = (step: number) =>
    kept.every((own) => own.includes(step) || step > (own.at(-1) ?? -1));
  const shared = all.filter(isShared);
  return shared.length >= FEW_STEPS ? shared : all;
}

/** One timeline for several streams: the steps of all, and each stream at its newest step up to the one looked at. */
export function together(stores: readonly Store[]) {
  const newestOf = (frames: readonly (AtStep | null)[]): AtStep | null =>
    frames.reduce((best, at) => (at && (!best || at.step > best.step) ? at : best), null);
  const stepBy = (store: Store, step: number): number => {
    const steps = store.steps();
    return steps.filter((kept) => kept <= step).at(-1) ?? steps[0] ?? -1;
  };
  const ghost = () => newestOf(stores.map((store) => store.ghost()));
  const current = () => newestOf(stores.map((store) => store.current()));
  const hasAny = (read: (store: Store) => number) => stores.some((store) => read(store) >= 0);
  return {
    initial: () => newestOf(stores.map((store) => store.initial())),
    latest: () => newestOf(stores.map((store) => store.latest())),
    current,
    status: () => stores[0]?.status() ?? { state: "idle", message: "" },
    standing: (): Standing => ({
      ...UNKNOWN,
      marks: stores.flatMap((store) => store.standing().marks ?? []),
    }),
    steps: () => sharedSteps(stores.map((store) => store.steps())),
    cursor: () => (hasAny((store) => store.cursor()) ? (current()?.step ?? -1) : -1),
    setCursor(step: number) {
      for (const store of stores) store.setCursor(step < 0 ? -1 : stepBy(store, step));
    },
    ghost,
    ghostStep: () => (hasAny((store) => store.ghostStep()) ? (ghost()?.step ?? -1) : -1),
    setGhostStep(step: number) {
      for (const store of stores) store.setGhostStep(step < 0 ? -1 : stepBy(store, step));
    },
    subscribe(...how: Parameters<Store["subscribe"]>) {
      for (const store of stores) store.subscribe(...how);
    },
  };
}
