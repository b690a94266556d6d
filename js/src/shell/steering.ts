/** Beginning a training, holding it and letting it go on, step by step, from any view: the training panel has more. */

import { ENDED } from "../wire/standing.ts";
import type { Store } from "../wire/types.ts";
import { createKit, iconButton } from "./controls.ts";

export type Steering = ReturnType<typeof createSteering>;

/** How a run stands where it can be held, and where it is. */
const STEERED: readonly string[] = ["ready", "running", "paused", "still"];
const OVER: readonly string[] = [...ENDED, "saved", "closed"];
const HELD: readonly string[] = ["ready", "paused"];

/** `say` is given words where a click is not obeyed, "" where all are. */
export function createSteering(
  document: Document,
  store: () => Store | null,
  say: (words: string) => void,
  signal: AbortSignal,
) {
  const kit = createKit(document, signal);
  const stateNow = () => store()?.standing().state ?? "";
  const send = (kind: "pause" | "resume") => store()?.steering.send({ kind });
  /** Whether the run is held, or will be once the last click is heard. */
  const isHeld = () => {
    const wanted = store()?.steering.wantedState();
    return wanted ? wanted === "paused" : HELD.includes(stateNow());
  };
  const hold = iconButton(kit, () => send(isHeld() ? "resume" : "pause"));
  const step = iconButton(kit, () => store()?.steering.send({ kind: "step", steps: 1 }));
  step.show("step", "One step", "Take one optimizer step, then pause");
  const begin = kit.button("▶ Train", "Begin to train", "kw-train", () => send("resume"));
  let lastWords = "";
  return {
    boxes: [hold.button, step.button],
    /** `over`: where the one large button of a run that waits to begin is laid. */
    show(over?: HTMLElement) {
      const state = stateNow();
      if (state !== "ready") begin.remove();
      else if (over && begin.parentElement !== over) over.append(begin);
      hold.button.hidden = step.button.hidden = OVER.includes(state);
      if (!isHeld()) hold.show("pause", "Pause", "Pause training after the current step");
      else if (state === "ready") hold.show("play", "Train", "Begin to train");
      else hold.show("play", "Resume", "Resume training");
      hold.button.disabled = step.button.disabled = !STEERED.includes(state);
      const words = store()?.steering.words() ?? "";
      if (words !== lastWords) say(words);
      lastWords = words;
    },
  };
}
