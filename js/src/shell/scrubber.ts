/** The scrubber: the steps kept as a track, the same in every view of a stream. It needs no kernel. */

import { formatCount } from "../phi/format.ts";
import type { Store } from "../wire/types.ts";
import { hasKeyboard } from "./alternative.ts";

export interface Scrubber {
  element: HTMLElement;
}

/** A whole history plays in about this long, in milliseconds, unless that were more than one frame a time. */
const PLAY_TIME = 10_000;
/** The least time between two steps of a playing history. */
const BEAT = 40;
/** The track's length in units of its drawing, and the least distance of two ticks. */
const LENGTH = 1000;
const TICK_GAP = 6;
/** The least time between two drawings that only frames of the training ask for. */
const FRAME_TIME = 200;

/** Puts a scrubber at the end of `parent`, for as long as the signal lasts. Its place is kept while it has nothing to show. */
export function mountScrubber(parent: HTMLElement, store: Store, signal: AbortSignal): Scrubber {
  const document = parent.ownerDocument;
  const window = document.defaultView as Window & typeof globalThis;
  const make = (className: string, to: HTMLElement, tag = "span") => {
    const element = to.appendChild(document.createElement(tag));
    element.className = className;
    return element;
  };
  const button = (className: string, act: () => void) => {
    const element = make(`kw-time-button ${className}`, bar, "button") as HTMLButtonElement;
    element.type = "button";
    element.addEventListener("click", act, { signal });
    return element;
  };

  const element = make("kw-scrubber", parent, "div");
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", "Time");
  const bar = make("kw-time", element, "div");
  const play = button("kw-play", () => (timer === undefined ? start() : pause()));
  const icon = make("kw-play-icon", play);
  const track = make("kw-track", bar, "div");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "kw-ticks");
  svg.setAttribute("viewBox", `0 0 ${LENGTH} 1`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const ticks = svg.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  track.append(svg);
  const pinned = make("kw-pinned", track);
  const head = make("kw-head", track);
  const readout = make("kw-time-step", bar);
  const live = button("kw-back-to-live", () => {
    pause();
    store.setCursor(-1);
  });
  const pin = button("kw-pin", () => {
    const step = store.current()?.step;
    if (store.ghostStep() >= 0) store.setGhostStep(-1);
    else if (step !== undefined) store.setGhostStep(step);
  });
  const pinWord = make("kw-pin-word", pin);
  make("kw-pin-what", pin).textContent = " ghost";
  // A page saved for itself has no training to follow.
  const saved = store.status().state === "saved";
  const newest = saved ? "latest" : "live";
  live.textContent = newest;
  live.setAttribute("aria-label", saved ? "Back to the latest step" : "Back to live");
  live.title = saved ? "Show the latest step again" : "Follow the training again";
  track.tabIndex = 0;
  track.setAttribute("role", "slider");
  track.setAttribute("aria-label", "Training step shown");

  let steps: number[] = [];
  let request = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  /** Whether the step shown was chosen by hand since it was last told. */
  let moved = false;
  let drawn = "";
  let shownAt = Number.NEGATIVE_INFINITY;
  let later: ReturnType<typeof setTimeout> | undefined;

  function schedule() {
    if (!request) request = window.requestAnimationFrame(show);
  }

  function scheduleLater() {
    later ??= setTimeout(schedule, Math.max(0, shownAt + FRAME_TIME - performance.now()));
  }

  /** The place of a step on the track, 0 to 1. */
  function placeOf(step: number): number {
    const first = steps[0] ?? 0;
    const span = (steps[steps.length - 1] ?? 0) - first;
    return span > 0 ? Math.max(0, Math.min(1, (step - first) / span)) : 1;
  }

  function show() {
    request = 0;
    clearTimeout(later);
    later = undefined;
    shownAt = performance.now();
    steps = store.steps();
    const here = steps.length > 1;
    bar.style.visibility = here ? "" : "hidden";
    const step = store.current()?.step ?? 0;
    const following = store.cursor() < 0;
    element.toggleAttribute("data-live", following);
    const first = steps[0] ?? 0;
    const last = steps[steps.length - 1] ?? 0;
    head.style.left = `${100 * (following ? 1 : placeOf(step))}%`;
    const ghost = store.ghostStep() < 0 ? null : (store.ghost()?.step ?? null);
    pinned.hidden = ghost === null;
    if (ghost !== null) pinned.style.left = `${100 * placeOf(ghost)}%`;
    write(readout, `step ${formatCount(step)}`);
    readout.style.minWidth = `${formatCount(last).length + 5}ch`;
    live.disabled = following;
    live.setAttribute("aria-pressed", String(following));
    pin.setAttribute("aria-pressed", String(ghost !== null));
    write(pinWord, ghost === null ? "pin" : "unpin");
    pin.setAttribute("aria-label", ghost === null ? "Pin ghost" : "Unpin ghost");
    pin.title =
      ghost === null
        ? `Draw step ${formatCount(step)} behind, dashed, in place of the first step`
        : `The ghost is step ${formatCount(ghost)}; draw the first step behind again`;
    const playing = timer !== undefined;
    // With the keyboard on it, a screen reader says every change: then only those made by hand.
    if (moved || !hasKeyboard(track)) {
      moved = false;
      const words = `step ${formatCount(step)} of ${formatCount(last)}${following ? `, ${newest}` : ""}`;
      track.setAttribute("aria-valuemin", String(first));
      track.setAttribute("aria-valuemax", String(last));
      track.setAttribute("aria-valuenow", String(step));
      track.setAttribute("aria-valuetext", words);
    }
    icon.toggleAttribute("data-playing", playing);
    play.title = playing ? "Pause" : "Play the history";
    play.setAttribute("aria-label", play.title);
    drawTicks();
  }

  function drawTicks() {
    const key = `${steps.length} ${steps[0]} ${steps[steps.length - 1]}`;
    if (key === drawn) return;
    drawn = key;
    let path = "";
    let before = Number.NEGATIVE_INFINITY;
    for (const step of steps) {
      const x = Math.round(LENGTH * placeOf(step));
      if (x - before < TICK_GAP) continue;
      before = x;
      path += `M${x} 0v1`;
    }
    ticks.setAttribute("d", path);
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

  /** The place in `steps` of the frame shown. */
  function index(): number {
    const step = store.current()?.step ?? 0;
    const at = steps.indexOf(step);
    return at >= 0 ? at : steps.filter((kept) => kept < step).length - 1;
  }

  function move(by: number) {
    steps = store.steps();
    if (steps.length === 0) return;
    store.setCursor(steps[Math.max(0, Math.min(steps.length - 1, index() + by))]);
  }

  function start() {
    steps = store.steps();
    if (store.cursor() < 0 || index() >= steps.length - 1) store.setCursor(steps[0]);
    const stride = Math.max(1, Math.ceil((steps.length * BEAT) / PLAY_TIME));
    const beat = Math.max(BEAT, Math.min(250, PLAY_TIME / Math.max(1, steps.length)));
    timer = setInterval(() => {
      if (store.cursor() < 0) pause();
      else move(stride);
      if (index() >= steps.length - 1) pause();
    }, beat);
    schedule();
  }

  function pause() {
    moved = true;
    clearInterval(timer);
    timer = undefined;
    schedule();
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
      pause();
      move(by[event.key]);
    } else if (event.key === " ") {
      if (timer === undefined) start();
      else pause();
    } else if (event.key === "Escape") {
      pause();
      store.setCursor(-1);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  let dragging = false;
  track.addEventListener(
    "pointerdown",
    (event) => {
      if (event.button !== 0) return;
      dragging = true;
      pause();
      track.setPointerCapture?.(event.pointerId);
      seek(event);
      track.focus();
      event.preventDefault();
    },
    { signal },
  );
  track.addEventListener(
    "pointermove",
    (event) => {
      if (dragging) seek(event);
    },
    { signal },
  );
  for (const end of ["pointerup", "pointercancel"]) {
    track.addEventListener(
      end,
      () => {
        dragging = false;
      },
      { signal },
    );
  }
  track.addEventListener("keydown", onKey, { signal });
  store.subscribe((what) => {
    if (what === "cursor" || what === "ghost") schedule();
    else if (what === "frame" || what === "layout" || what === "history") scheduleLater();
  }, signal);
  signal.addEventListener(
    "abort",
    () => {
      clearInterval(timer);
      clearTimeout(later);
      window.cancelAnimationFrame(request);
      element.remove();
    },
    { once: true },
  );
  show();
  return { element };
}

/** Touches the page only where the words are others. */
function write(element: HTMLElement, words: string): void {
  if (element.textContent !== words) element.textContent = words;
}
