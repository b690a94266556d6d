/** The module that runs in a page's worker. */

import { type Order, Worker } from "./worker.ts";

/** A worker's own globals, as far as they are used here. */
interface Scope {
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

const worker = new Worker((news) => scope.postMessage(news, [news.frame.buffer]), breathe);
scope.onmessage = ({ data }) =>
  worker.take(data).catch((error: Error) => scope.postMessage({ fault: error.message }, []));
