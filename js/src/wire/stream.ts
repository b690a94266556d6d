/** The stream: no view of its own; turns what the kernel sends into the store that the views of the page share. */
import type { AnyModel } from "@anywidget/types";
import {
  ProtocolMismatch,
  type RawFrame,
  readEdits,
  readFrame,
  readFrameTrait,
  readLayout,
  readMessage,
  readSelection,
  readStatus,
  WireError,
} from "./protocol.ts";
import { FrameStore, MAX_BYTES } from "./store.ts";
import type { Frame, Layout, Store } from "./types.ts";

/** What one answer to a request for history may weigh. */
const HISTORY_BYTES = 32 * 2 ** 20;

export interface StreamContext {
  model: AnyModel;
  signal: AbortSignal;
}

/** Synchronous, because messages that arrive while a slow initialize runs would be lost. */
export function initialize({ model, signal }: StreamContext, maxBytes = MAX_BYTES): Store {
  const layouts = new Map<number, Layout>();
  /** Layouts below this version belong to a binding that was replaced. */
  let floor = 0;
  /** Whether the kernel was asked for the frames that this page has missed. */
  let asked = false;

  const store = new FrameStore(
    {
      select: (selection) => write("selection", selection ?? {}),
      setCursor: (step) => write("cursor", step),
      setGhostStep: (step) => write("ghost_step", step),
      edit: (selection, coefficients, final) =>
        send({ kind: "edit", ...selection, coefficients, final }),
      command: (kind, selection) => send({ kind, ...selection }),
      askObserved: () => send({ kind: "observed?" }),
    },
    maxBytes,
  );

  function write(trait: string, value: unknown): void {
    model.set(trait, value);
    model.save_changes();
  }

  /** Without a kernel a message goes nowhere; the page works on with what it has. */
  function send(content: object): void {
    try {
      model.send(content);
    } catch (error) {
      console.debug("kan_widgets: no kernel to send to.", error);
    }
  }

  /** Whatever arrives, the handlers of a page never throw: what cannot be read is dropped and reported. */
  function guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof ProtocolMismatch) store.setProtocolError(error.message);
      else if (error instanceof WireError) store.fault(error.message);
      else store.fault(`kan_widgets could not read what the kernel sent: ${error}`);
    }
  }

  function keepLayout(layout: Layout): void {
    if (layout.version < floor || layouts.has(layout.version)) return;
    layouts.set(layout.version, layout);
    store.setProtocolError(null);
  }

  /** Once frames of a layout come, older layouts are of use only to the frames that are kept. */
  function forgetLayouts(before: Layout): void {
    const inUse = store.layoutsInUse();
    for (const [version, layout] of layouts) {
      if (version < before.version && !inUse.has(layout)) layouts.delete(version);
    }
  }

  function readLayouts(): void {
    for (const raw of (model.get("layouts") ?? []) as { version?: unknown }[]) {
      const version = raw?.version;
      if (typeof version === "number" && (version < floor || layouts.has(version))) continue;
      keepLayout(readLayout(raw));
    }
  }

  /** The frame with its layout; null if it belongs to a replaced binding. */
  function complete(raw: RawFrame): Frame | null {
    if (raw.layout < floor) return null;
    if (!layouts.has(raw.layout)) readLayouts();
    const layout = layouts.get(raw.layout);
    if (!layout) {
      throw new WireError(
        `The frame of step ${raw.step} needs layout ${raw.layout}, which has not arrived.`,
      );
    }
    return readFrame(raw, layout);
  }

  function frameOf(trait: "initial" | "frame"): Frame | null {
    const raw = readFrameTrait(model.get(trait));
    return raw && complete(raw);
  }

  function readInitial(): void {
    const frame = frameOf("initial");
    if (frame) store.takeInitial(frame);
  }

  /** The trait is set rarely, from another place than the messages: it may be behind them. */
  function readLatest(live: boolean): void {
    const frame = frameOf("frame");
    if (!frame) return;
    const newest = store.latest();
    if (live && !(newest && frame.step < newest.step)) store.takeLive(frame, performance.now());
    // The model was changed before its first step.
    else if (newest === store.initial() && newest?.step === frame.step) store.takeLive(frame, 0);
    else store.takeHistory([frame]);
  }

  function readFrames(): void {
    guarded(readLayouts);
    guarded(readInitial);
    guarded(() => readLatest(false));
  }

  function onMessage(content: unknown, buffers: readonly unknown[] = []): void {
    const message = readMessage(content, buffers);
    switch (message.kind) {
      case "layout":
        keepLayout(message.layout);
        break;
      case "frame": {
        if (store.protocolError !== null) break;
        const frame = complete(message.frame);
        if (!frame) break;
        const isNew = frame.layout !== store.latest()?.layout;
        store.takeLive(frame, performance.now());
        if (isNew) forgetLayouts(frame.layout);
        if (!asked) askForHistory(frame.step);
        break;
      }
      case "history": {
        const frames: Frame[] = [];
        for (const raw of message.frames) {
          guarded(() => {
            const frame = complete(raw);
            if (frame) frames.push(frame);
          });
        }
        store.takeHistory(frames);
        break;
      }
      case "observed":
        store.takeObserved(message.observed);
        break;
      case "reset":
        // The traits of the new binding come before this message or, if it has a version, after it.
        floor = message.version ?? 0;
        layouts.clear();
        store.reset();
        readFrames();
        break;
    }
  }

  const readers = {
    status: () => store.takeStatus(readStatus(model.get("status"))),
    layouts: () => guarded(readLayouts),
    initial: () => guarded(readInitial),
    frame: () => guarded(() => readLatest(true)),
    selection: () => store.takeSelection(readSelection(model.get("selection"))),
    cursor: () => store.takeCursor(Number(model.get("cursor") ?? -1)),
    ghost_step: () => store.takeGhostStep(Number(model.get("ghost_step") ?? -1)),
    edits: () => store.takeEdits(readEdits(model.get("edits"))),
  };

  readers.status();
  readFrames();
  readers.selection();
  readers.cursor();
  readers.ghost_step();
  readers.edits();

  const onCustom = (content: unknown, buffers: readonly unknown[]) =>
    guarded(() => onMessage(content, buffers));
  model.on("msg:custom", onCustom);
  for (const [trait, read] of Object.entries(readers)) model.on(`change:${trait}`, read);
  signal.addEventListener(
    "abort",
    () => {
      model.off("msg:custom", onCustom);
      for (const [trait, read] of Object.entries(readers)) model.off(`change:${trait}`, read);
    },
    { once: true },
  );

  // After a reload the traits hold the first and the newest frame only; the kernel has those between. While it
  // trains, this page will have all from its first live frame on: it asks for those before.
  function askForHistory(before: number): void {
    asked = true;
    send({ kind: "history?", before, max_bytes: HISTORY_BYTES });
  }
  const first = store.initial();
  const latest = store.latest();
  if (store.status().state !== "live") {
    asked = true;
    if (first && latest && latest.step > first.step) askForHistory(latest.step);
  }
  return store;
}

export default { initialize };
