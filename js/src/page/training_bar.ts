/** The controls of a page in which a network trains; Python writes them: kan_widgets/widgets/training_page.py. */

import type { TrainingSettings } from "../training/trainer.ts";
import type { News } from "../training/worker.ts";

/** What the controls ask for. */
interface Actions {
  run(): void;
  pause(): void;
  again(settings: TrainingSettings): void;
}

/** The bar until `signal`; `rows` is what the examples are called. */
export function createBar(
  root: HTMLElement,
  { rows, settings }: { rows: string; settings: TrainingSettings },
  actions: Actions,
  signal: AbortSignal,
) {
  const part = <E extends HTMLElement>(name: string) =>
    root.querySelector<E>(`[data-kw-part="${name}"]`) as E;
  const [run, again] = [part<HTMLButtonElement>("run"), part<HTMLButtonElement>("again")];
  const fields = (["rate", "batch", "epochs", "seed"] as const).map((name) => {
    const field = part<HTMLInputElement>(name);
    field.value = String(settings[name]);
    return field;
  });
  let state: News["state"] = "paused";
  const click = () => {
    if (state === "running") actions.pause();
    else if (state === "paused") actions.run();
    else restart();
  };
  run.addEventListener("click", click, { signal });
  again.addEventListener("click", restart, { signal });

  function restart(): void {
    if (!fields.every((field) => field.reportValidity())) return;
    const [rate, batch, epochs, seed] = fields.map(({ value }) => Number(value));
    actions.again({ rate, batch, epochs, seed });
    actions.run();
  }

  function stand(now: News["state"]): void {
    state = now;
    run.textContent = { running: "Pause", paused: "Train" }[state as string] ?? "Train again";
  }

  return {
    stand,
    /** The `words` are said in place of its own on the score, which says so where the network is edited. */
    show(news: News, isEdited: boolean, words?: string) {
      stand(news.state);
      run.disabled = again.disabled = false;
      const { step, steps, score, speed, classifies } = news;
      const at = `step ${step.toLocaleString("en")}`;
      part("said").textContent = `${at} of ${steps.toLocaleString("en")}`;
      const pace = `${Math.round(speed).toLocaleString("en")} ${rows} a second`;
      part("speed").textContent = speed > 0 ? ` · ${pace}` : "";
      if (score === null) return;
      const { value, of } = score;
      const others = `${of.toLocaleString("en")} test ${rows}`;
      const own = classifies
        ? `${(100 * value).toFixed(1)} % of ${others} right at ${at}`
        : `off by ${value.toPrecision(3)} on ${others} (RMS) at ${at}`;
      part("score").textContent = words ?? `${own}${isEdited ? ", edited" : ""}`;
    },
    /** Says why the network cannot train. */
    fail(words: string) {
      part("said").textContent = words;
      part("score").textContent = part("speed").textContent = "";
      run.disabled = true;
    },
  };
}
