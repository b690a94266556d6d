/** A view's way to its stream, and to the next one when its trait names another. */

import type { RenderProps } from "@anywidget/types";
import { hear } from "../wire/hear.ts";
import type { Store } from "../wire/types.ts";
import { atEnd } from "./element.ts";

interface Connected {
  /** There is no stream yet, or no longer. */
  lost(): void;
  /** The signal ends with the view or when another stream takes its place. */
  found(store: Store, signal: AbortSignal): void;
  failed(words: string): void;
}

/** `stream` is the reference of the stream. */
export function createConnection(
  { model, host, signal }: Pick<RenderProps, "model" | "host" | "signal">,
  { lost, found, failed }: Connected,
): { stream(): string; start(): void } {
  let stream = "";
  let current = new AbortController();

  async function connect() {
    current.abort();
    current = new AbortController();
    const own = AbortSignal.any([current.signal, signal]);
    stream = String(model.get("stream"));
    lost();
    try {
      const { exports } = await host.getWidget<Store>(stream);
      if (own.aborted) return;
      // What is no stream has other exports, or none.
      if (typeof exports?.subscribe === "function") found(exports, own);
      else failed("The stream of this view did not start. In a notebook, run its cell again.");
    } catch (error) {
      if (own.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      failed(`The stream of this view cannot be read: ${reason}`);
    }
  }

  hear(model, { "change:stream": connect }, signal);
  atEnd(signal, () => current.abort());
  return { stream: () => stream, start: () => void connect() };
}
