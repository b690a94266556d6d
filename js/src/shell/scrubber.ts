/** The scrubber: the steps kept as a track, the same in every view of a stream. It needs no kernel. */

import { hasKeyboard } from "./alternative.ts";
import { createPlayer } from "./player.ts";
import type { Timed } from "./timed.ts";
import { timelineParts } from "./timeline_parts.ts";

export interface Scrubber {
  element: HTMLElement;
  /** Writes the step that is shown: called by the view at each drawing, so that it has no other step than that. */
  tell(): void;
}

/** The least time between two drawings that only frames of the training ask for. */
const FRAME_TIME = 200;

/** Puts a scrubber at the end of `parent`, for as long as the signal lasts. Its place is kept while it has nothing to show. */
export function mountScrubber(parent: HTMLElement, store: Timed, signal: AbortSignal): Scrubber {
  const document = parent.ownerDocument;
  const window = document.defaultView as Window & typeof globalThis;
  const saved = store.status().state === "saved";
  const parts = timelineParts(document, saved);
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
  let shownAt = Number.NEGATIVE_INFINITY;
  let later: ReturnType<typeof setTimeout> | undefined;

  function schedule() {
    if (!request) request = window.requestAnimationFrame(show);
  }

  function scheduleLater() {
    later ??= setTimeout(schedule, Math.max(0, shownAt + FRAME_TIME - performance.now()));
  }

  function show() {
    request = 0;
    clearTimeout(later);
    later = undefined;
    shownAt = performance.now();
    steps = store.steps();
    parts.show({
      steps,
      step: store.current()?.step ?? 0,
      atNewest: store.cursor() < 0,
      first: store.initial()?.step ?? 0,
      ghost: store.ghostStep() < 0 ? null : (store.ghost()?.step ?? null),
      playing: player.playing(),
      // With the keyboard on it, a screen reader says every change: then only those made by hand.
      aloud: moved || !hasKeyboard(track),
    });
    if (moved || !hasKeyboard(track)) moved = false;
    if (store.cursor() >= 0) tell();
  }

  /** Shows the kept step that is nearest to a place on the track. */
  function seek(event: PointerEvent) {
    const box = track.getBoundingClientRect();
    const [first, last] = [steps[0], steps[steps.length - 1]];
    const at = first + ((event.clientX - box.left) / box.width) * (last - first);
    let nearest = first;
    for (const step of steps) {
      if (Math.abs(step - at) <= Math.abs(nearest - at)) nearest = step;
    }
    moved = true;
    store.setCursor(nearest);
  }

  function toggle() {
    if (player.playing()) player.stop();
    else player.start();
  }

  function backToNewest() {
    player.stop();
    store.setCursor(-1);
  }

  function togglePin() {
    const step = store.current()?.step;
    if (store.ghostStep() >= 0) store.setGhostStep(-1);
    else if (step !== undefined) store.setGhostStep(step);
  }

  function onKey(event: KeyboardEvent) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const by: Record<string, number> = {
      ArrowLeft: -1,
      ArrowDown: -1,
      ArrowRight: 1,
      ArrowUp: 1,
      PageDown: -10,
      PageUp: 10,
      Home: Number.NEGATIVE_INFINITY,
      End: Number.POSITIVE_INFINITY,
    };
    if (event.key in by) {
      player.stop();
      player.move(by[event.key]);
    } else if (event.key === " ") {
      toggle();
    } else if (event.key === "Escape") {
      backToNewest();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  watchDrag(track, { start: player.stop, seek }, signal);
  play.addEventListener("click", toggle, { signal });
  newest.addEventListener("click", backToNewest, { signal });
  pin.addEventListener("click", togglePin, { signal });
  track.addEventListener("keydown", onKey, { signal });
  store.subscribe((what) => {
    if (what === "cursor" || what === "ghost") schedule();
    else if (what === "frame" || what === "layout" || what === "history") scheduleLater();
  }, signal);
  signal.addEventListener(
    "abort",
    () => {
      player.stop();
      clearTimeout(later);
      window.cancelAnimationFrame(request);
      element.remove();
    },
    { once: true },
  );
  function tell() {
    const step = store.current()?.step ?? 0;
    parts.tell(step, store.latest()?.step ?? step);
  }

  show();
  tell();
  return { element, tell };
}

/** Calls `seek` wherever the pointer is while it is held down. */
function watchDrag(
  track: HTMLElement,
  { start, seek }: { start: () => void; seek: (event: PointerEvent) => void },
  signal: AbortSignal,
) {
  let dragging = false;
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    dragging = true;
    start();
    track.setPointerCapture?.(event.pointerId);
    seek(event);
    track.focus();
    event.preventDefault();
  };
  const move = (event: PointerEvent) => {
    if (dragging) seek(event);
  };
  const up = () => {
    dragging = false;
  };
  track.addEventListener("pointerdown", down, { signal });
  track.addEventListener("pointermove", move, { signal });
  for (const end of ["pointerup", "pointercancel"] as const) {
    track.addEventListener(end, up, { signal });
  }
}
