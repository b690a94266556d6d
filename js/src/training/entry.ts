/** The module that runs in a page's worker. */

import type { Translated } from "./machine.ts";
import { type News, type Order, Worker } from "./worker.ts";

/** A worker's own globals, as far as they are used here. */
interface Scope {
  /** Set by the page where the browser refuses WebAssembly. */
  kanKernels?: { default: Translated };
  postMessage(message: unknown, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent<Order>) => unknown) | null;
}

const scope = globalThis as unknown as Scope;

// A message to itself comes after those that wait already, and sooner than a timer.
const { port1, port2 } = new MessageChannel();
const breathe = (milliseconds: number) =>
  new Promise<void>((resolve) => {
    if (milliseconds > 0) setTimeout(resolve, milliseconds);
    else {
      port2.onmessage = () => resolve();
      port1.postMessage(null);
    }
  });

const say = (news: News) => scope.postMessage(news, [news.frame.buffer]);
const worker = new Worker(say, breathe, undefined, scope.kanKernels?.default);
scope.onmessage = ({ data }) =>
  worker.take(data).catch((error: Error) => scope.postMessage({ fault: error.message }, []));
