/** A plain network of as many parameters, trained on the same rows with the same settings in a worker of its own. */

import { type Course, createCurves, workerOf } from "../page/trained.ts";
import type { TrainingSettings } from "../training/trainer.ts";
import type { News } from "../training/worker.ts";
import { readLayout } from "../wire/protocol.ts";
import type { Made } from "./network.ts";

/** Begins with the network beside it, pauses with it, and begins anew with it. */
export function startTwin(network: Made, course: Course, signal: AbortSignal) {
  const { worker, send } = workerOf(course, signal);
  const { structure, recipe, frame } = network;
  const description = { structure, layout: readLayout(network.layout), recipe };
  let news: News | null = null;
  let scored: News | null = null;
  let isRunning = false;
  let curves = createCurves(course.rows);

  function begin(settings: TrainingSettings): void {
    news = scored = null;
    isRunning = false;
    curves = createCurves(course.rows);
    const { data, code } = course;
    send({ kind: "begin", description, frame, data, settings, code });
  }
  worker.onmessage = ({ data }: MessageEvent<News | { fault: string }>) => {
    if ("fault" in data) return;
    curves.take(data);
    news = data;
    if (data.score) scored = data;
    send({ kind: "drawn" });
  };
  begin(course.settings);

  return {
    network,
    begin,
    /** Runs while the other one does. */
    follow({ state, step }: News): void {
      if ((state === "running") === isRunning) return;
      isRunning = state === "running";
      if (isRunning) send({ kind: "run", steps: Number.POSITIVE_INFINITY });
      // After the last step it goes on to its own.
      else if (state === "paused" && step > 0) send({ kind: "pause" });
    },
    latest: () => news,
    /** The latest of which there is a score. */
    scored: () => scored,
    curves: () => (news ? curves.wire(news.classifies, network.name) : []),
  };
}
