/** The elements of the timeline: play, the track with its ticks, the step, the way to the newest, and what is kept for comparison. */

import { formatCount } from "../phi/format.ts";
import { element as make, put, putAttributes } from "./element.ts";

/** The track's length in units of its drawing, and the least distance of two ticks. */
const LENGTH = 1000;
const TICK_GAP = 6;

/** What a timeline shows. */
interface Moment {
  /** Those kept, ascending. */
  steps: readonly number[];
  step: number;
  /** Whether each new step is shown as it comes. */
  atNewest: boolean;
  /** The step drawn behind, where one was chosen. */
  ghost: number | null;
  /** The one that is drawn behind else. */
  first: number;
  playing: boolean;
  /** Whether those who listen are told. */
  aloud: boolean;
}

export function timelineParts(document: Document, saved: boolean) {
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
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const stretched = { viewBox: `0 0 ${LENGTH} 1`, preserveAspectRatio: "none" };
  putAttributes(svg, { class: "kw-ticks", ...stretched, "aria-hidden": "true" });
  const ticks = svg.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  track.append(svg);
  const pinned = make(document, "span", "kw-pinned", track);
  const head = make(document, "span", "kw-head", track);
  const readout = make(document, "span", "kw-time-step", bar);
  const newest = button("kw-newest");
  const pin = button("kw-pin");
  const pinWords = make(document, "span", "kw-pin-words", pin);
  const pinShort = make(document, "span", "kw-pin-short", pin);
  newest.textContent = "newest";
  putAttributes(newest, { "aria-label": "Back to the newest step" });
  // A page saved for itself has no training.
  const goes = saved ? "" : ", and each new one as it comes";
  track.tabIndex = 0;
  putAttributes(track, { role: "slider", "aria-label": "Training step shown" });
  let ticked = "";

  function drawTicks(steps: readonly number[]) {
    const key = `${steps.length} ${steps[0]} ${steps[steps.length - 1]}`;
    if (key === ticked) return;
    ticked = key;
    let path = "";
    let before = Number.NEGATIVE_INFINITY;
    for (const step of steps) {
      const x = Math.round(LENGTH * placeOf(step, steps));
      if (x - before < TICK_GAP) continue;
      before = x;
      path += `M${x} 0v1`;
    }
    ticks.setAttribute("d", path);
  }

  /** Writes the step: at the moment that a view draws it. */
  function tell(step: number, last: number) {
    put(readout, `step ${formatCount(step)}`);
    readout.style.minWidth = `${formatCount(last).length + 5}ch`;
  }

  function show({ steps, step, atNewest, ghost, first: start, playing, aloud }: Moment) {
    bar.style.visibility = steps.length > 1 ? "" : "hidden";
    element.toggleAttribute("data-newest", atNewest);
    const [first, last] = [steps[0] ?? 0, steps[steps.length - 1] ?? 0];
    head.style.left = `${100 * (atNewest ? 1 : placeOf(step, steps))}%`;
    pinned.hidden = ghost === null;
    if (ghost !== null) pinned.style.left = `${100 * placeOf(ghost, steps)}%`;
    newest.disabled = atNewest;
    newest.title = `${atNewest ? "The newest step is shown" : "Show the newest step again"}${goes}`;
    putAttributes(newest, { "aria-pressed": String(atNewest) });
    const origin = `step ${formatCount(start)}`;
    const words = ghost === null ? "keep for comparison" : `compare with ${origin} again`;
    put(pinWords, words);
    put(pinShort, ghost === null ? "keep" : origin);
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
    play.setAttribute("aria-label", play.title);
    drawTicks(steps);
  }

  return { element, play, track, newest, pin, show, tell };
}

/** The place of a step on the track, 0 to 1. */
function placeOf(step: number, steps: readonly number[]): number {
  const first = steps[0] ?? 0;
  const span = (steps[steps.length - 1] ?? 0) - first;
  return span > 0 ? Math.max(0, Math.min(1, (step - first) / span)) : 1;
}
