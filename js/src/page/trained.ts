/** A page in which a network trains: models of the views, fed by a worker in place of Python. */

import type { Description } from "../training/network.ts";
import type { Data, TrainingSettings } from "../training/trainer.ts";
import type { News, Order } from "../training/worker.ts";
import { float32, readLayout, uint8 } from "../wire/protocol.ts";
import type { Layout, Selection, Structure } from "../wire/types.ts";
import { framesOf, type Lesson, type Saved, type SavedExamples } from "./saved.ts";
import { createBar } from "./training_bar.ts";

type Handler = (...args: unknown[]) => void;

/** Answers a message that a model sends, from what the page has saved; in a live page Python answers. */
type Answer = (content: unknown, reply: (content: unknown) => void) => void;

export class PageModel {
  readonly #traits: Map<string, unknown>;
  protected readonly handlers = new Map<string, Set<Handler>>();

  constructor(
    traits: Readonly<Record<string, unknown>>,
    readonly answer: Answer = () => {},
  ) {
    this.#traits = new Map(Object.entries(traits));
  }

  get(name: string): unknown {
    return this.#traits.get(name);
  }

  set(name: string, value: unknown): void {
    if (Object.is(this.#traits.get(name), value)) return;
    this.#traits.set(name, value);
    this.emit(`change:${name}`);
  }

  /** Nothing to do: all views of the page read the one model. */
  save_changes(): void {}

  /** Replies come later, as from Python. */
  send(content: unknown): void {
    this.answer(content, (reply) => setTimeout(() => this.emit("msg:custom", reply)));
  }

  on(event: string, handler: Handler): void {
    const handlers = this.handlers.get(event) ?? new Set();
    this.handlers.set(event, handlers.add(handler));
  }

  off(event?: string | null, handler?: Handler | null): void {
    for (const [name, handlers] of this.handlers) {
      if (event && name !== event) continue;
      if (handler) handlers.delete(handler);
      else handlers.clear();
    }
  }

  emit(event: string, ...args: unknown[]): void {
    for (const handler of [...(this.handlers.get(event) ?? [])]) handler(...args);
  }
}

const STATES = {
  ...{ ready: "not started", running: "training", paused: "paused", finished: "finished" },
  diverged: "diverged: a number was not finite any more",
};

const BEGINS = "Press Train";

/** The most values of a curve that are drawn. */
const MOST_VALUES = 800;

/** What a worker is to train, and how. */
export type Course = ReturnType<typeof courseOf>;

/** Who follows a training beside its views. */
interface Follower {
  /** Whether it trains from the beginning, without the reader. */
  isEager: boolean;
  /** Returns the words on the score, where it has its own. */
  hear(news: News): string | undefined;
  /** The reader begins anew, with these settings. */
  begin(settings: TrainingSettings): void;
  /** Curves beside the network's own. */
  curves(): object[];
}

/** The course of a page that Python has written. */
export function courseOf({ streams: [stream] }: Saved, lesson: Lesson) {
  const [first] = stream.runs.flatMap(framesOf);
  const recipes = Object.entries(lesson.recipe).map(([name, { scaler, ...own }]) => {
    return [name, { ...own, ...(scaler && { scaler: float32(scaler, "the scaler") }) }] as const;
  });
  const description: Description = {
    structure: stream.traits.structure as Structure,
    layout: readLayout((stream.traits.layouts as unknown[])[0]),
    recipe: Object.fromEntries(recipes),
  };
  const [train, test] = [lesson.train, lesson.test].map((some) => examplesOf(some, lesson));
  const data: Data = { train, test, shift: lesson.shift };
  return {
    /** How the network begins. */
    first,
    description,
    data,
    /** What the examples are called. */
    rows: lesson.name,
    settings: lesson.settings,
    /** The worker's script, and the compiled kernels. */
    script: uint8(lesson.worker, "the worker"),
    code: uint8(lesson.code, "the kernels"),
  };
}

/** A worker that trains a network, and how it is asked; `hear` is told how that goes. */
export function startWorker(
  { script, data, code }: Course,
  description: Description,
  hear: (news: News | { fault: string }) => void,
  signal: AbortSignal,
) {
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const worker = new Worker(address);
  worker.onmessage = ({ data: news }) => hear(news);
  const stop = () => worker.terminate();
  signal.addEventListener("abort", stop);
  const send = (one: Order) => worker.postMessage(one);
  return {
    send,
    stop,
    begin: (frame: Float32Array, settings: TrainingSettings) =>
      send({ kind: "begin", description, frame, data, settings, code }),
    run: (steps = Number.POSITIVE_INFINITY) => send({ kind: "run", steps }),
  };
}

/** Starts the worker, and makes the page's models, until `signal`; `controls` are the page's own. */
export function train(
  saved: Pick<Saved, "streams" | "models">,
  course: Course,
  controls: HTMLElement,
  signal: AbortSignal,
  follower?: Follower,
): Map<string, PageModel> {
  const bar = createBar(controls, course, { run, pause, again }, signal);
  const [stream] = saved.streams;
  const { first: firstFrame, description } = course;
  const initial = float32(firstFrame.data, "the first frame");
  const worker = startWorker(course, description, hear, signal);
  let settings = course.settings;
  let isReset = false;
  /** Asked to train: it is under way before its first step. */
  let isAsked = false;
  let curves = createCurves();

  function begin(frame: Float32Array): void {
    curves = createCurves();
    edits.begin();
    isReset = true;
    isAsked = false;
    worker.begin(frame, settings);
  }

  function stand(state: keyof typeof STATES, loss: object = {}): void {
    const known = model.get("training") as object;
    model.set("training", { ...known, state, words: STATES[state], mend: "", ...loss });
  }

  function run(steps?: number): void {
    isAsked = true;
    bar.stand("running");
    stand("running");
    worker.run(steps);
  }

  function pause(): void {
    isAsked = false;
    worker.send({ kind: "pause" });
  }

  function again(chosen: TrainingSettings): void {
    settings = chosen;
    follower?.begin(settings);
    begin(initial);
  }

  function answer(content: unknown): void {
    const { kind, ...values } = content as { kind: string } & Record<string, number>;
    if (kind === "shown") worker.send({ kind: "drawn" });
    else if (kind === "pause" || kind === "stop") pause();
    else if (kind === "resume") run();
    else if (kind === "step") run(values.steps ?? 1);
    else if (kind === "rate") worker.send({ kind, value: values.value });
    else edits.take(content as Edit);
  }

  const edits = createEdits(description.layout, initial, worker.send, (state) =>
    model.set("edits", state),
  );

  const streamTraits = { ...stream.traits, status: { state: "live", message: "" } };
  const frames = { initial: firstFrame, frame: firstFrame };
  const model = new PageModel({ ...streamTraits, ...frames }, (content, reply) => {
    answer(content);
    const { id, kind } = content as { id?: string; kind: string };
    const refused = HEARD.includes(kind) ? "" : "only a training in Python can do that";
    if (id) reply({ kind: "heard", id, refused });
  });
  const viewModels = saved.models.map(({ id, traits }) => {
    const viewModel = new PageModel(traits);
    if (viewModel.get("editable") !== undefined) viewModel.set("editable", true);
    const status = viewModel.get("status");
    if (viewModel.get("curves") !== undefined && status !== undefined)
      viewModel.set("status", { ...status, begins: BEGINS });
    return [id, viewModel] as const;
  });

  function hear(news: News | { fault: string }) {
    if ("fault" in news) return bar.fail(news.fault);
    const { frame, step } = news;
    edits.now(frame);
    const tell = (message: object) => model.emit("msg:custom", message);
    if (isReset) tell({ kind: "reset", version: 0 });
    isReset = false;
    tell({ kind: "frame", layout: firstFrame.layout, step, data: frame, number: step });
    news.observed.forEach(tell);
    curves.take(news);
    // A follower may ask to train: after it, how it stands.
    const words = follower?.hear(news);
    const isNew = step === 0 && news.state === "paused";
    const state = isNew && isAsked ? "running" : news.state;
    const loss = step > 0 ? ["loss", String(news.loss), step] : undefined;
    stand(isNew && !isAsked ? "ready" : state, { loss });
    for (const [, viewModel] of viewModels) {
      const status = viewModel.get("status");
      if (status !== undefined && viewModel.get("curves") !== undefined) {
        const others = follower?.curves() ?? [];
        viewModel.set("curves", [...curves.wire(news.classifies), ...others]);
        viewModel.set("status", {
          ...(status as object),
          ...panelStatus(news, settings, state),
        });
      }
    }
    bar.show({ ...news, state }, edits.areDone(), words);
  }

  begin(initial);
  if (follower?.isEager) run();
  return new Map<string, PageModel>([[stream.id, model], ...viewModels]);
}

/** Changes by hand: those done, and those undone. */
function createEdits(
  { layers }: Layout,
  initial: Float32Array,
  order: (one: Order) => void,
  tell: (state: object) => void,
) {
  const [edits, undone]: [CoefficientChange[], CoefficientChange[]] = [[], []];
  let openChange: CoefficientChange | null = null;
  let current = initial;
  const report = (message: string) => tell({ undo: edits.length, redo: undone.length, message });

  function changed({ kind, layer: name, coefficients = [], final = true, ...place }: Edit) {
    if (kind === "put")
      return { at: 0, before: current.slice(), after: Float32Array.from(coefficients) };
    const layer = layers.find((each) => each.name === name);
    if (!layer) return undefined;
    const [, inputs, height, width] = layer.shape;
    const f = ((place.out * inputs + place.in) * height + place.row) * width + place.column;
    const at = layer.offset + f * layer.nb;
    const part = (frame: Float32Array) => frame.slice(at, at + layer.nb);
    const after = kind === "edit" ? Float32Array.from(coefficients) : part(initial);
    if (kind === "zero") after.fill(0);
    const change = { at, before: openChange?.at === at ? openChange.before : part(current), after };
    openChange = final ? null : change;
    undone.length = 0;
    return change;
  }

  return {
    begin() {
      edits.length = undone.length = 0;
      current = initial;
    },
    now(frame: Float32Array) {
      current = frame;
    },
    areDone: () => edits.length > 0,
    take(edit: Edit) {
      const { kind, final = true } = edit;
      if (kind === "straighten" || kind === "form")
        report("only Python fits a line or a formula: here a curve is pulled");
      if (!EDITS.includes(kind)) return;
      const isBack = kind === "undo";
      const change = isBack ? edits.pop() : kind === "redo" ? undone.pop() : changed(edit);
      if (!change) return;
      if (final) (isBack ? undone : edits).push(change);
      order({ kind: "set", at: change.at, values: isBack ? change.before : change.after });
      report("");
    },
  };
}

/** "put" sets the whole frame, as one change. */
type Edit = Selection & { kind: string; coefficients?: ArrayLike<number>; final?: boolean };

interface CoefficientChange {
  at: number;
  before: Float32Array;
  after: Float32Array;
}

const EDITS: readonly string[] = ["put", "edit", "zero", "reset", "undo", "redo"];
/** The commands to the training that a page obeys. */
const HEARD: readonly string[] = ["pause", "resume", "stop", "step", "rate"];

function panelStatus(
  { step, steps, rate, speed }: News,
  { batch, epochs }: TrainingSettings,
  state: string,
) {
  const epoch = step > 0 ? Math.min(epochs, Math.floor((step * epochs) / steps) + 1) : null;
  const left = speed > 0 ? Math.ceil(((steps - step) * batch) / speed) : 0;
  return {
    ...{ state, control: state === "paused" ? "paused" : "running", steered: true, closed: false },
    ...{ step, epoch, epochs },
    ...{ done: step, total: steps, rate: speed / batch, mean_rate: speed / batch },
    ...{ rates: [rate], recording: "", source: "", message: "", begins: BEGINS },
    remaining: left > 0 ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}` : "",
  };
}

/** Loss and score by step, thinned where there are many. */
export function createCurves() {
  const loss = { x: [] as number[], y: [] as number[] };
  const score = { x: [] as number[], y: [] as number[] };
  let tested = 0;
  return {
    take({ step, loss: value, score: measured, state }: News) {
      if (step > 0 && loss.x.at(-1) !== step) {
        loss.x.push(step);
        loss.y.push(value);
      }
      // A curve is of the same examples throughout: while it stands still, all of them are scored.
      if (measured && state === "running") {
        tested = measured.of;
        score.x.push(step);
        score.y.push(measured.value);
      }
      for (const curve of [loss, score])
        if (curve.x.length > MOST_VALUES) {
          curve.x = curve.x.filter((_, k) => k % 2 === 0);
          curve.y = curve.y.filter((_, k) => k % 2 === 0);
        }
    },
    /** As a training panel takes them; those of a network `beside` it have its name. */
    wire: (classifies: boolean, beside = "") => {
      const measured = classifies ? `right of ${tested}` : "test error";
      const wired = (panel: string, kind: string, { x, y }: typeof loss) => {
        // Curves of one kind have one colour.
        const own = beside ? { name: beside, kind: beside } : { name: panel, kind };
        return { panel, ...own, sums: null, x: bytesOf(x), y: bytesOf(y) };
      };
      const all = [wired("loss", "train", loss), wired(measured, "test", score)];
      return all.filter(({ x }) => x.byteLength > 0);
    },
  };
}

const bytesOf = (values: number[]) => new DataView(Float64Array.from(values).buffer);

function examplesOf({ inputs, targets }: SavedExamples, { bytes }: Lesson) {
  return {
    inputs: bytes.inputs ? uint8(inputs, "inputs") : float32(inputs, "inputs"),
    targets: bytes.targets ? uint8(targets, "targets") : float32(targets, "targets"),
  };
}
