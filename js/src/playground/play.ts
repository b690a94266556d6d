/** The playground: a page whose reader chooses what is learned, and by which network. */

import type { Mount } from "../page/index.ts";
import type { Lesson, Saved } from "../page/saved.ts";
import {
  type Course,
  courseOf,
  createCurves,
  type PageModel,
  startWorker,
  train,
} from "../page/trained.ts";
import { download } from "../shell/element.ts";
import { Machine } from "../training/machine.ts";
import type { TrainingSettings } from "../training/trainer.ts";
import type { News } from "../training/worker.ts";
import { createChoices } from "./choices.ts";
import { createFit } from "./fit.ts";
import { bytesOf, descriptionOf, type Made, makeNetwork, makeTwin } from "./network.ts";
import { makeProblem, type Problem } from "./problems.ts";
import { defaultsOf, hashOf, type State, stateOf } from "./state.ts";
import { createStory, storyOf } from "./story.ts";
import { archiveOf, codeOf } from "./weights.ts";

/** Begins with the network beside it, pauses with it, and begins anew with it. */
export function startTwin(network: Made, course: Course, signal: AbortSignal) {
  const worker = startWorker(course, descriptionOf(network), hear, signal);
  let news: News | null = null;
  let scored: News | null = null;
  let isRunning = false;
  let curves = createCurves();

  function begin(settings: TrainingSettings): void {
    news = scored = null;
    isRunning = false;
    curves = createCurves();
    worker.begin(network.frame, settings);
  }
  function hear(data: News | { fault: string }): void {
    if ("fault" in data) return;
    curves.take(data);
    news = data;
    if (data.score) scored = data;
    worker.send({ kind: "drawn" });
  }
  begin(course.settings);

  return {
    network,
    begin,
    /** Runs while the other one does. */
    follow({ state, step }: News): void {
      if ((state === "running") === isRunning) return;
      isRunning = state === "running";
      if (isRunning) worker.run();
      // After the last step it goes on to its own.
      else if (state === "paused" && step > 0) worker.send({ kind: "pause" });
    },
    latest: () => news,
    /** The latest of which there is a score. */
    scored: () => scored,
    curves: () => (news ? curves.wire(news.classifies, network.name) : []),
  };
}

/** Examples that run through the diagram. */
const SHOWN = 8;

/** Starts the playground in a page that Python has written: its digits, and the traits of its views. */
export async function play(document: Document, saved: Saved, lesson: Lesson, mount: Mount) {
  const window = document.defaultView as Window;
  const byId = (id: string) => document.getElementById(id) as HTMLElement;
  const usual = courseOf(saved, lesson);
  let state = stateOf(window.location.hash);
  let table = "";
  let present = new AbortController();
  let frame: Float32Array = new Float32Array();
  let latest: Made | null = null;
  let isRunning = false;
  const storyStep = storyOf(window.location.hash);
  let shownStep = 0;
  /** Puts into the address what is chosen, and where the story stands. */
  const mark = () => {
    const hash = new URLSearchParams(hashOf(state).slice(1));
    if (shownStep > 0 || hash.size === 0) hash.set("story", String(shownStep));
    window.history.replaceState(null, "", `#${hash}`);
  };

  const controls = createChoices(byId("kw-play"), {
    choose: (next) => begin(next),
    drop(text) {
      table = text;
      begin(state.problem === "table" ? state : defaultsOf("table", "dense"));
    },
    link: () => window.location.href,
    code: () => (latest ? codeOf(state, latest) : ""),
    save: () => latest && download(document, new Blob([archiveOf(latest, frame)]), "kan.npz"),
  });
  const fit = createFit(byId("kw-fit"));
  // In a narrow page the network comes first.
  document.querySelector("main")?.after(byId("kw-fit"));

  const story = createStory(document.querySelector("main") as HTMLElement, {
    state: () => state,
    begin: (next) => begin(next),
    moved(step) {
      shownStep = step;
      mark();
    },
  });

  /** Begins with a state, and trains at once where the one before it did. */
  async function begin(next: State, isEager = isRunning): Promise<void> {
    let problem: Problem;
    try {
      problem = makeProblem(next, usual.data, table);
    } catch (error) {
      // An address that asks for what cannot be begins as any other.
      if (!latest) await begin(stateOf(""));
      const words = error instanceof Error ? error.message : String(error);
      controls.refuse(next, words, next.problem === "table" && table === "");
      return;
    }
    state = next;
    story.end();
    present.abort();
    present = new AbortController();
    const { signal } = present;
    const machine = await Machine.from(usual.code);
    if (signal.aborted) return;
    const network = makeNetwork(state, problem, machine);
    latest = network;
    frame = network.frame;
    const course = courseFor(usual, state, problem, network);
    const twin = state.twin
      ? startTwin(makeTwin(state, problem, machine, network.parameters), course, signal)
      : null;
    const shown = controls.show(state, problem, network, twin?.network ?? null);
    fit.begin(machine, problem, network, twin?.network ?? null);
    isRunning = false;
    const follower = {
      isEager,
      hear(news: News) {
        isRunning = news.state === "running";
        frame = news.frame.slice();
        twin?.follow(news);
        fit.show(frame, twin?.latest()?.frame ?? null, signal);
        const model = models.get(saved.streams[0].id) as PageModel;
        const own = { state, problem, network, machine, course, model, turnToNetwork };
        story.hear(own, news);
        return shown.hear(news, twin?.scored() ?? null);
      },
      begin({ rate, batch, epochs, seed }: TrainingSettings) {
        const isNew = seed !== state.seed;
        state = { ...state, rate, batch, epochs, seed };
        mark();
        twin?.begin({ rate, batch, epochs, seed });
        // Another seed is another start, too.
        if (isNew) begin(state, true);
      },
      curves: () => twin?.curves() ?? [],
    };
    mark();
    const views = modelsFor(saved, state, problem, network);
    const models = train(views, course, byId("kw-bar"), signal, follower);
    const turnToNetwork = () => {
      for (const each of models.values())
        if (each.get("page") !== undefined) each.set("page", "network");
    };
    mount(models, signal);
  }

  window.addEventListener("hashchange", async () => {
    const { hash } = window.location;
    const step = storyOf(hash);
    // A step of the story has a network of its own.
    if (step === 0) await begin(stateOf(hash));
    await story.go(step);
  });
  await begin(state);
  await story.go(storyStep);
}

function courseFor(usual: Course, state: State, { data, rows }: Problem, network: Made): Course {
  const { rate, batch, epochs, seed } = state;
  const now = { step: 0, data: bytesOf(network.frame), rough: false };
  return {
    ...usual,
    first: { layout: network.layout.version, ...now },
    description: descriptionOf(network),
    data,
    rows,
    settings: { rate, batch, epochs, seed },
  };
}

/** The models that Python has written, with another network in them. */
function modelsFor(
  { streams: [stream], models }: Saved,
  state: State,
  problem: Problem,
  { name, layout, structure }: Made,
): Pick<Saved, "streams" | "models"> {
  const probe = state.problem === "digits" ? stream.traits.probe : probeOf(problem);
  const training = { ...(stream.traits.training as object), model: name };
  const traits = { ...stream.traits, layouts: [layout], structure, probe, training };
  const [{ name: layer }] = layout.layers;
  return {
    streams: [{ ...stream, traits, observed: [], activations: [] }],
    models: models.map((model) => ({
      ...model,
      traits: { ...model.traits, ...("layer" in model.traits && { layer }) },
    })),
  };
}

/** The first rows for testing, as examples. */
function probeOf({ data: { test }, shape, isClassification }: Problem) {
  const size = shape.reduce((all, one) => all * one);
  const count = Math.min(SHOWN, test.inputs.length / size);
  const inputs = Float32Array.from(test.inputs.subarray(0, count * size));
  const labels = isClassification ? Array.from(test.targets.subarray(0, count)) : null;
  return { shape: [count, ...shape], inputs: bytesOf(inputs), labels };
}

export default { play };
