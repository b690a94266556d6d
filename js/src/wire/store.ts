/** The frames of one stream, as all views of a page share them. */
import { samePlace } from "./protocol.ts";
import {
  ALONE,
  type Commands,
  createCommands,
  type Standing,
  savedAs,
  silence,
  UNKNOWN,
} from "./standing.ts";
import { KeptSeries, PastActivations } from "./thinning.ts";
import type {
  Activations,
  Batch,
  Change,
  Command,
  Edits,
  Frame,
  Layout,
  Observed,
  Probe,
  Selection,
  Status,
  Store,
  Structure,
  Summary,
} from "./types.ts";

/** Where the store's own changes go: into traits, and so to Python and to other pages, and as messages. */
export interface Outlet {
  write(trait: "selection" | "held" | "cursor" | "ghost_step", value: unknown): void;
  send(message: { kind: string; [part: string]: unknown }): void;
}

/** Initial values of what is kept just as Python sends it. */
export const INITIAL_STATE = {
  edits: { undo: 0, redo: 0, message: "" } as Edits,
  batch: { seen: false, message: "" } as Batch,
  leftOut: [] as readonly string[],
  summaries: new Map() as ReadonlyMap<string, Summary>,
  structure: null as Structure | null,
  probe: null as Probe | null,
  status: { state: "idle", message: "" } as Status,
  training: UNKNOWN,
  /** Whether Python is behind the stream; milliseconds without a sign of Python, 0 where all is well. */
  connected: true,
  silent: 0,
  protocolError: null as string | null,
};

export type KeptState = typeof INITIAL_STATE;

/** The change that listeners are told of when one of these values changes; of all others "status". */
const CHANGE_OF: Partial<Record<keyof KeptState, Change>> = {
  edits: "edits",
  batch: "observed",
  summaries: "observed",
  structure: "network",
  probe: "network",
};

export const MAX_BYTES = 64 * 2 ** 20;

/** Keeps frames up to a budget of bytes, then thins them to half of it, evenly over steps; the first, the newest and the pinned stay. */
export class FrameStore implements Store {
  readonly #outlet: Outlet;
  readonly #subscribers = new Map<symbol, (what: Change) => void>();

  /** The initial frame first; a second frame of its step is a newer state of the model at that step. */
  readonly #frames: KeptSeries<Frame>;
  /** The binding was replaced: all kept frames go as soon as the new binding has one to show. */
  #replaced = false;
  #selection: Selection | null = null;
  #held: Readonly<Record<string, readonly number[]>> = {};
  readonly #steps = { cursor: -1, ghost: -1 };
  readonly #observed = new Map<string, Observed>();
  #askedObserved = false;
  readonly #activations = new PastActivations();
  #askedActivations = false;
  readonly #state: KeptState = { ...INITIAL_STATE };
  #fault: string | null = null;
  readonly steering: Commands;

  constructor(outlet: Outlet, maxBytes = MAX_BYTES) {
    this.#outlet = outlet;
    const changed = () => this.#notify("status");
    this.steering = createCommands((message) => outlet.send(message), changed);
    this.#frames = new KeptSeries((frame) => frame.data.byteLength, maxBytes);
  }

  // ---- what views see

  get protocolError(): string | null {
    return this.#state.protocolError;
  }

  readonly initial = () => this.#frames.all[0] ?? null;
  readonly latest = () => this.#frames.all.at(-1) ?? null;
  readonly at = (step: number) => this.#frames.at(step);
  readonly selection = () => this.#selection;
  readonly held = (name: string) => this.#held[name] ?? null;
  readonly cursor = () => this.#steps.cursor;
  readonly ghostStep = () => this.#steps.ghost;
  readonly awaitsObserved = () => this.#askedObserved && this.#observed.size === 0;
  readonly batch = () => this.#state.batch;
  readonly summary = (layer: string) => this.#state.summaries.get(layer) ?? null;
  readonly structure = () => this.#state.structure;
  readonly probe = () => this.#state.probe;
  readonly edits = () => this.#state.edits;
  readonly leftOut = () => this.#state.leftOut;
  readonly alone = () => !this.#state.connected || this.#state.status.state === "saved";

  current(): Frame | null {
    return this.#steps.cursor < 0 ? this.latest() : (this.at(this.#steps.cursor) ?? this.initial());
  }

  steps(): number[] {
    const steps = this.#frames.all.map((frame) => frame.step);
    return steps[0] === steps[1] ? steps.slice(1) : steps;
  }

  hold(name: string, choice: readonly number[]): void {
    this.#held = { ...this.#held, [name]: choice };
    this.#outlet.write("held", this.#held);
  }

  takeHeld(held: Readonly<Record<string, readonly number[]>>): void {
    this.#held = held;
  }

  select(selection: Selection | null): void {
    if (this.takeSelection(selection)) this.#outlet.write("selection", selection ?? {});
  }

  setCursor(step: number): void {
    if (this.takeStep("cursor", step)) this.#outlet.write("cursor", this.#steps.cursor);
  }

  setGhostStep(step: number): void {
    if (this.takeStep("ghost", step)) this.#outlet.write("ghost_step", this.#steps.ghost);
  }

  ghost(): Frame | null {
    // Networks of an ensemble are trained.
    if (this.latest()?.layout.layers.some(({ band }) => band)) return null;
    return (this.#steps.ghost < 0 ? null : this.at(this.#steps.ghost)) ?? this.initial();
  }

  observed(layer: string): Observed | null {
    const observation = this.#observed.get(layer) ?? null;
    if (!observation && !this.#askedObserved) {
      this.#askedObserved = true;
      this.#outlet.send({ kind: "observed?" });
    }
    return observation;
  }

  lookAt(layer: string, out: number, input: number): void {
    this.#outlet.send({ kind: "look", layer, out, in: input });
  }

  activations(frame = this.current()): Activations | null {
    if (this.#state.probe && !this.#askedActivations) {
      this.#askedActivations = true;
      const [first] = this.#activations.all;
      this.#outlet.send({ kind: "activations?", ...(first && { before: first.step }) });
    }
    return frame && this.#activations.at(frame.step);
  }

  edit(selection: Selection, coefficients: readonly number[], final: boolean): void {
    this.#outlet.send({ kind: "edit", ...selection, coefficients, final });
  }

  command(kind: Command, selection?: Selection): void {
    this.#outlet.send({ kind, ...selection });
  }

  standing(): Standing {
    const { protocolError, status, connected, silent, training } = this.#state;
    const fault = protocolError ?? this.#fault;
    if (fault !== null) return { ...UNKNOWN, state: "fault", words: fault, model: training.model };
    if (status.state === "saved") return savedAs(training);
    if (!connected) return { ...ALONE, model: training.model };
    return silent > 0 ? { ...silence(silent), model: training.model } : training;
  }

  status(): Status {
    const fault = this.protocolError ?? this.#fault;
    return fault === null ? this.#state.status : { state: "fault", message: fault };
  }

  subscribe(fn: (what: Change) => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    const key = Symbol();
    this.#subscribers.set(key, fn);
    signal.addEventListener("abort", () => this.#subscribers.delete(key), { once: true });
  }

  // ---- what the stream brings in

  /** Sets the first frame of the binding. */
  takeInitial(frame: Frame): void {
    let changed = false;
    this.#changeFrames(() => {
      const [earlier, ...others] = this.#frames.all;
      if (earlier && sameFrame(earlier, frame)) return false;
      const later = earlier && earlier.step > frame.step ? this.#frames.all : others;
      this.#frames.all = [frame, ...later.filter((kept) => kept.step >= frame.step)];
      changed = true;
      return true;
    });
    if (changed) this.#notify("history");
  }

  /** Takes what the model is now. A step lower than the newest means that the training went back to it: the frames after it go. */
  takeLive(frame: Frame): void {
    this.#clearFault();
    const last = this.latest();
    const isBack = last !== null && frame.step < last.step;
    if (isBack && this.#activations.cutAfter(frame.step)) this.#notify("network");
    this.#changeFrames(() => {
      const newest = this.latest();
      if (newest && sameFrame(newest, frame)) return false;
      const initial = this.initial();
      this.#frames.cutAfter(frame.step - 1);
      if (initial?.step === frame.step) this.#frames.all = [initial];
      if (!initial || !sameFrame(initial, frame)) this.#frames.append(frame, this.#steps.ghost);
      return true;
    });
  }

  /** Takes frames of the past; of two with one step the one that was here first stays. */
  takeHistory(frames: readonly Frame[]): void {
    if (frames.length === 0) return;
    let grew = false;
    this.#changeFrames(() => {
      const steps = new Set(this.steps());
      const sorted = [...frames].sort((a, b) => a.step - b.step);
      const added = sorted.filter((frame) => !steps.has(frame.step) && steps.add(frame.step));
      grew = added.length > 0;
      const firstStep = this.initial()?.step ?? -1;
      const later = added.filter((frame) => frame.step > firstStep);
      this.#frames.all = [...this.#frames.all, ...later].sort((a, b) => a.step - b.step);
      return grew;
    });
    if (grew) this.#notify("history");
  }

  /** Another binding took over the stream. Its first frame replaces all kept ones; nothing flickers until then. */
  reset(): void {
    this.#replaced = true;
    this.#clearFault();
    this.setState("protocolError", null);
    this.#activations.clear();
    this.#askedActivations = false;
    this.setCursor(-1);
    this.setGhostStep(-1);
  }

  /** The same binding looks at another part: all kept frames go as soon as there is one of that part. */
  moved(): void {
    this.#replaced = true;
  }

  takeSelection(selection: Selection | null): boolean {
    if (samePlace(this.#selection, selection)) return false;
    this.#selection = selection && { ...selection };
    this.#notify("selection");
    return true;
  }

  /** Takes the step at the time cursor, or the one that is pinned; returns whether it is another. */
  takeStep(which: "cursor" | "ghost", step: number): boolean {
    const taken = step >= 0 ? step : -1;
    if (taken === this.#steps[which]) return false;
    this.#steps[which] = taken;
    this.#notify(which);
    return true;
  }

  takeObserved(observed: Observed): void {
    this.#observed.set(observed.layer, observed);
    this.#notify("observed");
  }

  /** Takes what the network makes of the examples now; null where that is not known any more. */
  takeActivations(activations: Activations | null): void {
    if (activations) this.#activations.takeLive(activations);
    else if (!this.#activations.cutAfter(-1)) return;
    this.#notify("network");
  }

  /** Takes activations of a past step; of two with one step the one that was here first stays. */
  takePastActivations(activations: Activations): void {
    if (this.#activations.takePast(activations)) this.#notify("network");
  }

  /** Whether Python is to give a sign every few seconds. */
  get beats(): boolean {
    return this.#state.training.beats && !this.alone();
  }

  /** Sets one of the values that are kept just as Python sends them. */
  setState<K extends keyof KeptState>(what: K, value: KeptState[K]): void {
    if (what === "status") this.#fault = null;
    if (Object.is(value, this.#state[what])) return;
    this.#state[what] = value;
    this.#notify(CHANGE_OF[what] ?? "status");
  }

  /** Reports something unreadable; the next good frame clears the report. */
  fault(message: string): void {
    if (message === this.#fault) return;
    this.#fault = message;
    this.#notify("status");
  }

  /** The layouts that kept frames need. */
  layoutsInUse(): Set<Layout> {
    return new Set(this.#frames.all.map((frame) => frame.layout));
  }

  // ---- inside

  /** Runs a change of the frames, keeps them within the budget, and tells what became of the newest. */
  #changeFrames(change: () => boolean): void {
    const before = this.latest();
    if (this.#replaced) {
      this.#frames.clear();
      this.#replaced = false;
    }
    if (!change()) return;
    this.#frames.thin(this.#steps.ghost);
    const after = this.latest();
    if (after === before) return;
    if (after?.layout !== before?.layout) this.#notify("layout");
    this.#notify("frame");
  }

  #clearFault(): void {
    if (this.#fault === null) return;
    this.#fault = null;
    this.#notify("status");
  }

  #notify(what: Change): void {
    for (const [key, fn] of [...this.#subscribers]) {
      if (!this.#subscribers.has(key)) continue;
      try {
        fn(what);
      } catch (error) {
        console.error(`kan_widgets: a view failed on "${what}".`, error);
      }
    }
  }
}

/** Whether two frames are equal; NaN equals NaN. */
function sameFrame(a: Frame, b: Frame): boolean {
  return (
    a.step === b.step &&
    a.layout === b.layout &&
    a.data.length === b.data.length &&
    a.data.every((value, i) => Object.is(value, b.data[i]))
  );
}
