/** The scrubber: a track along the steps kept, the same in every view of a stream. It needs no Python. */

import { formatCount } from "../phi/format.ts";
import { isUnderWay } from "../wire/standing.ts";
import { atEnd, hasKeyboard, listen, element as make, putAttributes, putWords } from "./element.ts";
import { plainKey, used } from "./keys.ts";
import { playerOf, seek, type Timed } from "./timeline.ts";

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
  const { element, track, newest, pin, play, readout } = parts;
  parent.append(element);
  const player = playerOf(store);

  let steps: number[] = [];
  let request = 0;
  /** Whether the step was chosen by hand since it was last read aloud. */
  let isByHand = false;
  let dragging = false;
  let shownAt = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function schedule() {
    if (!request) request = window.requestAnimationFrame(show);
  }

  function show() {
    request = 0;
    clearTimeout(timer);
    timer = undefined;
    shownAt = performance.now();
    steps = store.steps();
    // A screen reader says every change of a track that has the keyboard: then it gets only those made by hand.
    const aloud = isByHand || !hasKeyboard(track);
    parts.show(store, steps, player.playing(), aloud);
    if (aloud) isByHand = false;
    if (store.cursor() >= 0) tell();
  }

  /** Writes the step that is shown: called by the view at each drawing, so that it has no other step than that. */
  function tell() {
    const step = store.current()?.step ?? 0;
    const last = formatCount(store.latest()?.step ?? step);
    putWords(readout, `step ${formatCount(step)}`);
    readout.style.minWidth = `${last.length + 5}ch`;
  }

  function drag(event: PointerEvent) {
    if (!dragging) return;
    isByHand = true;
    seek(store, steps, nearestTo(track, steps, event));
  }

  function toggle() {
    if (player.playing()) player.stop();
    else player.start();
  }

  function backToNewest() {
    player.stop();
    store.setCursor(-1);
  }

  /** Keeps the step that is shown for comparison, or no longer. */
  function toggleGhost() {
    store.setGhostStep(store.ghostStep() >= 0 ? -1 : (store.current()?.step ?? -1));
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
      drag(event);
      track.focus();
      event.preventDefault();
    },
    pointermove: drag,
    pointerup: drop,
    pointercancel: drop,
    keydown,
  });
  listen(play, signal, { click: toggle });
  listen(newest, signal, { click: backToNewest });
  listen(pin, signal, { click: toggleGhost });
  store.subscribe((what) => {
    if (what === "cursor" || what === "ghost") schedule();
    else if (["frame", "layout", "history", "status"].includes(what)) {
      timer ??= setTimeout(schedule, Math.max(0, shownAt + FRAME_TIME - performance.now()));
    }
  }, signal);
  player.watch((isOver) => {
    isByHand ||= isOver;
    schedule();
  }, signal);
  atEnd(signal, () => {
    clearTimeout(timer);
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

function timelineParts(document: Document, saved: boolean) {
  const button = (className: string) => {
    const made = make(document, "button", `kw-time-button ${className}`, bar);
    made.type = "button";
    return made;
  };
  const element = make(document, "div", "kw-scrubber");
  putAttributes(element, { role: "group", "aria-label": "Time" });
  const bar = make(document, "div", "kw-time", element);
  const play = button("kw-play");
  const icon = make(document, "span", "kw-play-icon", play);
  const track = make(document, "div", "kw-track", bar);
  const ticks = make(document, "span", "kw-ticks", track);
  const pinned = make(document, "span", "kw-pinned", track);
  const head = make(document, "span", "kw-head", track);
  const readout = make(document, "span", "kw-time-step", bar);
  const newest = button("kw-newest");
  const pin = button("kw-pin");
  const pinWords = make(document, "span", "kw-pin-words", pin);
  const pinShort = make(document, "span", "kw-pin-short", pin);
  newest.textContent = "newest";
  putAttributes(newest, { "aria-label": "Back to the newest step" });
  const liveWords = saved ? "" : ", and each new one as it comes";
  track.tabIndex = 0;
  putAttributes(track, { role: "slider", "aria-label": "Training step shown" });
  /** A tick at each step that was marked, with its words. */
  function showMarks(store: Timed, steps: readonly number[]) {
    const seen = (store.standing().marks ?? []).filter(
      ([step]) => step >= steps[0] && step <= steps[steps.length - 1],
    );
    while (ticks.children.length > seen.length) ticks.lastChild?.remove();
    seen.forEach(([step, text], k) => {
      const tick = (ticks.children[k] as HTMLElement) ?? make(document, "span", "kw-tick", ticks);
      tick.style.left = `${100 * shareOf(step, steps)}%`;
      tick.title = `step ${formatCount(step)}: ${text}`;
    });
  }

  /** `aloud`: those who listen are told. */
  function show(store: Timed, steps: readonly number[], playing: boolean, aloud: boolean) {
    const step = store.current()?.step ?? 0;
    const atNewest = store.cursor() < 0;
    const ghost = store.ghostStep() < 0 ? null : (store.ghost()?.step ?? null);
    const origin = `step ${formatCount(store.initial()?.step ?? 0)}`;
    element.toggleAttribute("data-blank", steps.length < 2);
    element.toggleAttribute("data-newest", atNewest);
    putAttributes(track, { "data-steps": String(new Set(steps).size) });
    const [first, last] = [steps[0] ?? 0, steps[steps.length - 1] ?? 0];
    showMarks(store, steps);
    head.style.left = `${100 * (atNewest ? 1 : shareOf(step, steps))}%`;
    pinned.hidden = ghost === null;
    if (ghost !== null) pinned.style.left = `${100 * shareOf(ghost, steps)}%`;
    newest.disabled = atNewest;
    newest.title = `${atNewest ? "The newest step is shown" : "Show the newest step again"}${liveWords}`;
    putAttributes(newest, { "aria-pressed": String(atNewest) });
    const words = ghost === null ? "compare with this step" : `compare with ${origin} again`;
    putWords(pinWords, words);
    putWords(pinShort, ghost === null ? "compare" : origin);
    putAttributes(pin, { "aria-pressed": String(ghost !== null), "aria-label": words });
    pin.title =
      ghost === null
        ? `Draw step ${formatCount(step)} dashed behind the others, in place of ${origin}`
        : `Draw ${origin} dashed behind the others again, in place of step ${formatCount(ghost)}`;
    if (aloud) {
      const place = `step ${formatCount(step)} of ${formatCount(last)}${atNewest ? ", newest" : ""}`;
      const ends = { "aria-valuemin": String(first), "aria-valuemax": String(last) };
      putAttributes(track, { ...ends, "aria-valuenow": String(step), "aria-valuetext": place });
    }
    icon.toggleAttribute("data-playing", playing);
    play.title = playing ? "Pause" : "Play the history";
    play.toggleAttribute("data-invites", !isUnderWay(store.standing()));
    play.setAttribute("aria-label", play.title);
  }

  return { element, play, track, newest, pin, readout, show };
}

/** The place of a step on the track, 0 to 1. */
function shareOf(step: number, steps: readonly number[]): number {
  const first = steps[0] ?? 0;
  const span = (steps[steps.length - 1] ?? 0) - first;
  return span > 0 ? Math.max(0, Math.min(1, (step - first) / span)) : 1;
}
