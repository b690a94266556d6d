/** The scrubber: the steps kept as a track, the same in every view of a stream. It needs no kernel. */

import { atEnd, hasKeyboard, listen } from "./element.ts";
import { plainKey, used } from "./keys.ts";
import { createPlayer } from "./player.ts";
import type { Timed } from "./timed.ts";
import { timelineParts } from "./timeline_parts.ts";

export type Scrubber = ReturnType<typeof mountScrubber>;

/** The least time between two drawings that only frames of the training ask for. */
const FRAME_TIME = 200;

/** How many kept steps a key goes further. */
const KEYS: Record<string, number> = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -10,
  PageUp: 10,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

/** Puts a scrubber at the end of `parent`, for as long as the signal lasts. Its place is kept while it has nothing to show. */
export function mountScrubber(parent: HTMLElement, store: Timed, signal: AbortSignal) {
  const document = parent.ownerDocument;
  const window = document.defaultView as Window & typeof globalThis;
  const parts = timelineParts(document, store.status().state === "saved");
  const { element, track, newest, pin, play } = parts;
  parent.append(element);
  const player = createPlayer(store, schedule, () => {
    moved = true;
    schedule();
  });

  let steps: number[] = [];
  let request = 0;
  /** Whether the step shown was chosen by hand since it was last told. */
  let moved = false;
  let dragging = false;
  let shownAt = Number.NEGATIVE_INFINITY;
  let later: ReturnType<typeof setTimeout> | undefined;

  function schedule() {
    if (!request) request = window.requestAnimationFrame(show);
  }

  function show() {
    request = 0;
    clearTimeout(later);
    later = undefined;
    shownAt = performance.now();
    steps = store.steps();
    // With the keyboard on it, a screen reader says every change: then only those made by hand.
    const aloud = moved || !hasKeyboard(track);
    parts.show({
      steps,
      step: store.current()?.step ?? 0,
      atNewest: store.cursor() < 0,
      first: store.initial()?.step ?? 0,
      ghost: store.ghostStep() < 0 ? null : (store.ghost()?.step ?? null),
      playing: player.playing(),
      aloud,
    });
    if (aloud) moved = false;
    if (store.cursor() >= 0) tell();
  }

  /** Writes the step that is shown: called by the view at each drawing, so that it has no other step than that. */
  function tell() {
    const step = store.current()?.step ?? 0;
    parts.tell(step, store.latest()?.step ?? step);
  }

  /** Shows the step under the pointer while it is held down. */
  function seek(event: PointerEvent) {
    if (!dragging) return;
    moved = true;
    store.setCursor(nearestTo(track, steps, event));
  }

  function toggle() {
    if (player.playing()) player.stop();
    else player.start();
  }

  function backToNewest() {
    player.stop();
    store.setCursor(-1);
  }

  function keydown(event: KeyboardEvent) {
    if (!plainKey(event)) return;
    if (event.key in KEYS) {
      player.stop();
      player.move(KEYS[event.key]);
    } else if (event.key === " ") toggle();
    else if (event.key === "Escape") backToNewest();
    else return;
    used(event);
  }

  function drop() {
    dragging = false;
  }

  listen(track, signal, {
    pointerdown(event) {
      if (event.button !== 0) return;
      dragging = true;
      player.stop();
      track.setPointerCapture?.(event.pointerId);
      seek(event);
      track.focus();
      event.preventDefault();
    },
    pointermove: seek,
    pointerup: drop,
    pointercancel: drop,
    keydown,
  });
  listen(play, signal, { click: toggle });
  listen(newest, signal, { click: backToNewest });
  listen(pin, signal, { click: () => togglePin(store) });
  store.subscribe((what) => {
    if (what === "cursor" || what === "ghost") schedule();
    else if (what === "frame" || what === "layout" || what === "history") {
      later ??= setTimeout(schedule, Math.max(0, shownAt + FRAME_TIME - performance.now()));
    }
  }, signal);
  atEnd(signal, () => {
    player.stop();
    clearTimeout(later);
    window.cancelAnimationFrame(request);
    element.remove();
  });
  show();
  tell();
  return { element, tell };
}

/** The kept step that is nearest to a place on the track. */
function nearestTo(track: HTMLElement, steps: readonly number[], { clientX }: PointerEvent) {
  const { left, width } = track.getBoundingClientRect();
  const [first, last] = [steps[0], steps[steps.length - 1]];
  const at = first + ((clientX - left) / width) * (last - first);
  return steps.reduce((best, step) => (Math.abs(step - at) <= Math.abs(best - at) ? step : best));
}

/** Keeps the step that is shown for comparison, or no longer. */
function togglePin(store: Timed) {
  const step = store.current()?.step;
  if (store.ghostStep() >= 0) store.setGhostStep(-1);
  else if (step !== undefined) store.setGhostStep(step);
}
