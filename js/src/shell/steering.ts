/** Beginning a training, holding it and letting it go on, step by step, from any view: the training panel has more. */

import type { Store } from "../wire/types.ts";
import { createKit, iconButton } from "./controls.ts";
import { atEnd } from "./element.ts";

export type Steering = ReturnType<typeof createSteering>;

/** Milliseconds after which a click should have been heard. */
const PATIENCE = 2000;
const DEAF = "The kernel does not answer: the click takes effect when the running cell ends.";

/** `say` is given words where a click is not heard, "" once it is. */
export function createSteering(
  document: Document,
  store: () => Store | null,
  say: (words: string) => void,
  signal: AbortSignal,
) {
  const kit = createKit(document, signal);
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** How the run stood when something was asked for. */
  let before: string | null = null;
  const now = () => {
    const found = store();
    return `${found?.standing().state} ${found?.latest()?.step}`;
  };

  function ask(kind: "pause" | "resume" | "advance") {
    before = now();
    store()?.command(kind);
    clearTimeout(timer);
    timer = setTimeout(() => before === now() && say(DEAF), PATIENCE);
  }

  const isHeld = () => ["ready", "paused"].includes(store()?.standing().state ?? "");
  const hold = iconButton(kit, () => ask(isHeld() ? "resume" : "pause"));
  const step = iconButton(kit, () => ask("advance"));
  step.show("step", "One step", "Take one optimizer step, then pause");
  const begin = kit.button("▶ Train", "Begin to train", "kw-train", () => ask("resume"));
  atEnd(signal, () => clearTimeout(timer));
  return {
    boxes: [hold.button, step.button],
    /** `over`: where the one large button of a run that waits to begin is laid. */
    show(over?: HTMLElement) {
      const state = store()?.standing().state ?? "";
      const held = isHeld();
      if (state !== "ready") begin.remove();
      else if (over && begin.parentElement !== over) over.append(begin);
      hold.button.hidden = step.button.hidden = state === "saved";
      if (state === "ready") hold.show("play", "Train", "Begin to train");
      else if (held) hold.show("play", "Resume", "Resume training");
      else hold.show("pause", "Pause", "Pause training after the current step");
      hold.button.disabled = step.button.disabled = ![
        "ready",
        "running",
        "paused",
        "still",
      ].includes(state);
      if (before === null || before === now()) return;
      before = null;
      say("");
    },
  };
}
