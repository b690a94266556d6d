/** The worker of a page in which a network trains: it makes steps, and tells the page of them. */

import { Machine } from "./machine.ts";
import type { Description } from "./network.ts";
import type { ObservedMessage } from "./observed.ts";
import { type Data, Trainer, type TrainingSettings } from "./trainer.ts";

/** What a page asks the worker for. */
export type Order =
  | {
      kind: "begin";
      description: Description;
      frame: Float32Array;
      data: Data;
      settings: TrainingSettings;
      /** The compiled kernels. */
      code: Uint8Array<ArrayBuffer>;
    }
  | { kind: "run"; steps: number }
  | { kind: "pause" }
  | { kind: "rate"; value: number | null }
  | { kind: "set"; at: number; values: Float32Array }
  /** The page has drawn what came last. */
  | { kind: "drawn" };

/** What the worker tells the page. */
export interface News {
  frame: Float32Array<ArrayBuffer>;
  step: number;
  steps: number;
  loss: number;
  rate: number;
  /** What reaches the functions at this step; mostly none. */
  observed: ObservedMessage[];
  /** The score on `of` test examples at this step; mostly null. */
  score: { value: number; of: number } | null;
  /** Whether the score is the share of examples that are right; else it is the root of the mean squared error. */
  classifies: boolean;
  /** Examples a second of late. */
  speed: number;
  /** Whether it makes steps; if not, whether it was told to wait, has come to its end, or has diverged. */
  state: "running" | "paused" | "finished" | "diverged";
}

/** Milliseconds between two frames, and between two looks at the test examples. */
const FRAME = 25;
const SCORE = 1000;
/** Milliseconds that a whole training takes at least, and by which a step may be off. */
const WATCHED = 8000;
const LATE = 5;
/** Test examples that are looked at while it trains. */
const GLANCE = 200;

export class Worker {
  #trainer: Trainer | null = null;
  /** Steps still to be made. */
  #due = 0;
  #isDrawn = true;
  #sentAt = 0;
  #scoredAt = 0;
  #diverged = false;
  #dueAt = 0;
  #looping = false;
  #beginning: Promise<void> = Promise.resolve();
  readonly #times: { at: number; examples: number }[] = [];

  constructor(
    readonly say: (news: News) => void,
    /** Lets orders come in, and goes on after `milliseconds`. */
    readonly breathe: (milliseconds: number) => Promise<void>,
    readonly now: () => number = () => performance.now(),
  ) {}

  async take(order: Order): Promise<void> {
    if (order.kind === "begin") this.#beginning = this.#begin(order);
    // Orders for the next network wait until it is there.
    await this.#beginning;
    const trainer = this.#trainer;
    if (order.kind === "begin") return;
    if (order.kind === "drawn") this.#isDrawn = true;
    else if (!trainer) return;
    else if (order.kind === "pause") this.#due = 0;
    else if (order.kind === "rate") trainer.rate = order.value;
    else if (order.kind === "set") {
      const frame = trainer.network.frame();
      frame.set(order.values, order.at);
      trainer.network.read(frame);
      this.#tell(true);
    } else {
      this.#due = order.steps;
      if (!this.#looping) await this.#loop();
    }
  }

  async #begin({ description, frame, data, settings, code }: Order & { kind: "begin" }) {
    this.#due = 0;
    this.#trainer = null;
    const machine = await Machine.from(code).catch(() => {
      throw new Error("This browser cannot run WebAssembly, by which the network trains here.");
    });
    this.#trainer = new Trainer(machine, description, frame, data, settings);
    this.#diverged = false;
    this.#times.length = 0;
    this.#tell(true);
  }

  async #loop(): Promise<void> {
    this.#looping = true;
    for (let trainer = this.#trainer; trainer && this.#due > 0; trainer = this.#trainer) {
      this.#due--;
      if (!trainer.advance()) {
        this.#diverged = true;
        this.#due = 0;
      }
      this.#times.push({ at: this.now(), examples: trainer.settings.batch });
      if (this.#times.length > 50) this.#times.shift();
      const isOver = this.#due === 0 || trainer.step >= trainer.steps;
      if (isOver) this.#due = 0;
      this.#tell(isOver);
      await this.breathe(this.#early(trainer.steps));
    }
    this.#looping = false;
    this.#tell(true);
  }

  /** Milliseconds that the next step is too early, where all are quicker than can be watched. */
  #early(steps: number): number {
    const now = this.now();
    this.#dueAt = Math.max(this.#dueAt, now - LATE) + WATCHED / steps;
    return this.#dueAt > now + LATE ? this.#dueAt - now : 0;
  }

  #tell(always: boolean): void {
    const trainer = this.#trainer;
    const now = this.now();
    if (!trainer) return;
    if (!always && (!this.#isDrawn || now - this.#sentAt < FRAME)) return;
    this.#isDrawn = false;
    this.#sentAt = now;
    let score: News["score"] = null;
    let observed: ObservedMessage[] = [];
    if (always || now - this.#scoredAt > SCORE) {
      this.#scoredAt = now;
      const all = trainer.count(trainer.data.test);
      const of = this.#due > 0 ? Math.min(GLANCE, all) : all;
      score = { value: trainer.score(trainer.data.test, of), of };
      observed = trainer.observe(trainer.data.test);
    }
    const { step, steps, loss, nextRate: rate } = trainer;
    const [frame, classifies] = [trainer.network.frame(), trainer.network.isClassifier];
    const progress = { speed: this.#speed(), state: this.#state() };
    this.say({ frame, step, steps, loss, rate, score, observed, classifies, ...progress });
  }

  #speed(): number {
    const [first, last] = [this.#times[0], this.#times.at(-1)];
    if (!first || !last || last.at === first.at) return 0;
    const all = this.#times.slice(1).reduce((sum, { examples }) => sum + examples, 0);
    return (1000 * all) / (last.at - first.at);
  }

  #state(): News["state"] {
    if (this.#diverged) return "diverged";
    if (this.#due > 0) return "running";
    const { step, steps } = this.#trainer as Trainer;
    return step >= steps ? "finished" : "paused";
  }
}
