/** The stream, which has no view: it turns what Python sends into the store that the views of the page share. */

import type { AnyModel } from "@anywidget/types";
import { hear } from "./hear.ts";
import { watchPython } from "./jupyter_kernel.ts";
import {
  nonEmpty,
  ProtocolMismatch,
  putBuffers,
  type RawFrame,
  rawFrame,
  readActivations,
  readActivationsTrait,
  readFrame,
  readFrameTrait,
  readLayout,
  readObserved,
  readProbe,
  readSelection,
  readSummaries,
  WireError,
} from "./protocol.ts";
import { watchSilence } from "./standing.ts";
import { FrameStore, INITIAL_STATE, type KeptState, MAX_BYTES, type Outlet } from "./store.ts";
import type { Frame, Layout, Store, Structure } from "./types.ts";

/** Where nothing is drawn a page says after this many milliseconds that it has a frame. */
const UNSEEN = 250;

export interface StreamContext {
  model: AnyModel;
  signal: AbortSignal;
}

/** Synchronous, because messages that arrive while a slow initialize runs would be lost. */
export function initialize({ model, signal }: StreamContext, maxBytes = MAX_BYTES): Store {
  /** Whether Python was asked for the frames that this page has missed. */
  let hasAsked = false;

  const store = watchedStore(model, signal, maxBytes);

  const layouts = createLayouts(model, () => store.setState("protocolError", null));

  const guarded = (work: () => void) => guard(store, work);
  const reportDrawn = createDrawnReport(model);

  function frameOf(trait: "initial" | "frame"): Frame | null {
    const raw = readFrameTrait(model.get(trait));
    return raw && layouts.complete(raw);
  }

  function readInitial(): void {
    const frame = frameOf("initial");
    if (frame) store.takeInitial(frame);
  }

  function readLatest(live: boolean): void {
    const frame = frameOf("frame");
    if (frame) takeLatest(store, frame, live);
  }

  function readFrames(): void {
    guarded(layouts.read);
    guarded(readInitial);
    guarded(() => readLatest(false));
  }

  function onMessage(content: unknown, buffers: readonly unknown[] = []): void {
    const message = putBuffers(content, buffers);
    switch (message.kind) {
      case "layout":
        layouts.keep(message.layout);
        break;
      case "frame": {
        reportDrawn(message.number as number | undefined);
        if (store.protocolError !== null) break;
        const frame = layouts.complete(rawFrame(message));
        if (!frame) break;
        const isNew = frame.layout !== store.latest()?.layout;
        store.takeLive(frame);
        if (isNew) layouts.forget(frame.layout, store.layoutsInUse());
        if (!hasAsked) askForHistory(frame.step);
        break;
      }
      case "history": {
        const frames: Frame[] = [];
        for (const raw of message.frames as Record<string, unknown>[]) {
          guarded(() => {
            const frame = layouts.complete(rawFrame(raw));
            if (frame) frames.push(frame);
          });
        }
        store.takeHistory(frames);
        break;
      }
      case "observed":
        store.takeObserved(readObserved(message));
        break;
      case "activations":
        if (message.past) store.takePastActivations(readActivations(message));
        else store.takeActivations(readActivations(message));
        break;
      case "heard":
        store.steering.take(message);
        break;
      case "reset":
        // Another binding took over, or the same one looks at another part. Its traits come before this message or, if
        // the message has a version, after it: then its layouts have that version or a higher one.
        layouts.restart(Number(message.version ?? 0));
        if (message.moved) {
          store.moved();
          readFrames();
          askForMissed();
          break;
        }
        store.reset();
        readFrames();
        for (const trait of ["structure", "probe", "activations"]) readTrait[trait]();
        break;
    }
  }

  const readTrait = plainReaders(model, store);

  const { status, training, ...rest } = readTrait;
  status();
  training();
  readFrames();
  for (const read of Object.values(rest)) read();

  const readers = {
    ...readTrait,
    layouts: () => guarded(layouts.read),
    initial: () => guarded(readInitial),
    frame: () => guarded(() => readLatest(true)),
  };
  const changes = Object.entries(readers).map(([trait, read]) => [`change:${trait}`, read]);
  const custom = (content: unknown, buffers: readonly unknown[]) =>
    guarded(() => onMessage(content, buffers));
  hear(model, { ...Object.fromEntries(changes), "msg:custom": custom }, signal);

  // After a reload the traits hold the first and the newest frame only; Python has the frames between. During
  // training the page gets every frame from its first live one on: it asks for the earlier ones.
  function askForHistory(before: number): void {
    hasAsked = true;
    tell(model, { kind: "history?", before });
  }
  function askForMissed() {
    hasAsked = store.status().state !== "live";
    const [first, latest] = [store.initial(), store.latest()];
    if (hasAsked && first && latest && latest.step > first.step) askForHistory(latest.step);
  }
  askForMissed();
  return store;
}

/** Takes the frame of a trait, which is set rarely and apart from the messages: it may be behind them. */
function takeLatest(store: FrameStore, frame: Frame, live: boolean): void {
  const newest = store.latest();
  if (live && !(newest && frame.step < newest.step)) store.takeLive(frame);
  // The model was changed before its first step.
  else if (newest === store.initial() && newest?.step === frame.step) store.takeLive(frame);
  else store.takeHistory([frame]);
}

function outletTo(model: AnyModel): Outlet {
  return {
    write(trait, value) {
      model.set(trait, value);
      model.save_changes();
    },
    send: (message) => tell(model, message),
  };
}

/** Readers of the traits that can be read by themselves. */
function plainReaders(model: AnyModel, store: FrameStore): Record<string, () => void> {
  const guarded = (work: () => void) => () => guard(store, work);
  const stepIn = (trait: string) => Number(model.get(trait) ?? -1);
  const take = <K extends keyof KeptState>(
    trait: string,
    what: K,
    read: (value: unknown) => KeptState[K],
  ) => guarded(() => store.setState(what, read(model.get(trait))));
  /** Entries that the trait leaves out have their initial values. */
  const withInitial = <K extends "status" | "training" | "batch" | "edits">(what: K) =>
    take(what, what, (value) => ({ ...INITIAL_STATE[what], ...(value as object) }));
  return {
    status: withInitial("status"),
    training: withInitial("training"),
    selection: () => store.takeSelection(readSelection(model.get("selection"))),
    held: () => store.takeHeld((model.get("held") ?? {}) as Record<string, number[]>),
    cursor: () => store.takeStep("cursor", stepIn("cursor")),
    ghost_step: () => store.takeStep("ghost", stepIn("ghost_step")),
    batch: withInitial("batch"),
    edits: withInitial("edits"),
    summaries: take("summaries", "summaries", readSummaries),
    left_out: take("left_out", "leftOut", (value) => (value ?? []) as string[]),
    structure: take("structure", "structure", (value) => nonEmpty<Structure>(value, "a structure")),
    probe: take("probe", "probe", readProbe),
    // This trait is set rarely, so it may be behind the messages: they say what is live.
    activations: guarded(() => {
      const activations = readActivationsTrait(model.get("activations"));
      if (activations) store.takePastActivations(activations);
      else store.takeActivations(null);
    }),
  };
}

/** Tells Python, where it asks, the frame that was drawn last: so the page is sent no more than it draws. */
function createDrawnReport(model: AnyModel): (number: number | undefined) => void {
  let unreported: number | null = null;
  let request = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  function report() {
    globalThis.cancelAnimationFrame?.(request);
    clearTimeout(timer);
    timer = undefined;
    if (unreported === null) return;
    tell(model, { kind: "shown", number: unreported });
    unreported = null;
  }
  return (number) => {
    unreported = number ?? unreported;
    if (timer !== undefined) return;
    request = globalThis.requestAnimationFrame?.(report) ?? 0;
    timer = setTimeout(report, globalThis.document?.hidden ? 0 : UNSEEN);
  };
}

function watchedStore(model: AnyModel, signal: AbortSignal, maxBytes: number): FrameStore {
  const store = new FrameStore(outletTo(model), maxBytes);
  void watchPython(model, model.get("_own"), (there) => store.setState("connected", there), signal);
  const tellSilence = (silent: number) => store.setState("silent", silent);
  watchSilence(model, () => store.beats, tellSilence, signal);
  signal.addEventListener("abort", store.steering.stop, { once: true });
  return store;
}

/** Without Python a message goes nowhere; the page works on with what it has. */
function tell(model: AnyModel, content: object): void {
  try {
    model.send(content);
  } catch (error) {
    console.debug("kan_widgets: no Python to send to.", error);
  }
}

/** Whatever arrives, the handlers of a page never throw: what cannot be read is dropped and reported. */
function guard(store: FrameStore, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (error instanceof ProtocolMismatch) store.setState("protocolError", error.message);
    else if (error instanceof WireError) store.fault(error.message);
    else store.fault(`kan_widgets could not read what Python sent: ${error}`);
  }
}

function createLayouts(model: AnyModel, onKept: () => void) {
  const layouts = new Map<number, Layout>();
  let floor = 0;

  function keep(raw: unknown): void {
    const layout = readLayout(raw, model.get("ensemble"));
    if (layout.version < floor || layouts.has(layout.version)) return;
    layouts.set(layout.version, layout);
    onKept();
  }

  /** Takes the layouts of the stream's trait. */
  function read(): void {
    for (const raw of (model.get("layouts") ?? []) as { version?: unknown }[]) {
      const version = raw?.version;
      if (typeof version === "number" && (version < floor || layouts.has(version))) continue;
      keep(raw);
    }
  }

  return {
    keep,
    read,
    /** The frame with its layout; null if it belongs to a replaced binding. */
    complete(raw: RawFrame): Frame | null {
      if (raw.layout < floor) return null;
      if (!layouts.has(raw.layout)) read();
      const layout = layouts.get(raw.layout);
      if (!layout) {
        throw new WireError(
          `The frame of step ${raw.step} needs layout ${raw.layout}, which has not arrived.`,
        );
      }
      return readFrame(raw, layout);
    },
    /** Once frames of a layout come, older layouts serve only the frames that are kept. */
    forget(before: Layout, inUse: ReadonlySet<Layout>) {
      for (const [version, layout] of layouts) {
        if (version < before.version && !inUse.has(layout)) layouts.delete(version);
      }
    },
    /** Layouts below the version belong to a binding that was replaced. */
    restart(version: number) {
      floor = version;
      layouts.clear();
    },
  };
}
