/** A widget model as the front end hands it out, with the kernel's side of it to play with. */
import type { AnyModel } from "@anywidget/types";

// biome-ignore lint/suspicious/noExplicitAny: as in the type of the real model
type Handler = (...args: any[]) => void;

export class FakeModel {
  readonly sent: unknown[] = [];
  saves = 0;
  #state: Record<string, unknown>;
  #handlers: [string, Handler][] = [];

  constructor(state: Record<string, unknown> = {}) {
    this.#state = {
      layouts: [],
      initial: {},
      frame: {},
      selection: {},
      cursor: -1,
      status: { state: "idle", message: "" },
      drawn_from: [...Object.keys(state), "theme"],
      ...state,
    };
  }

  /** The same object, as the widget code sees it. */
  get model(): AnyModel {
    return this as unknown as AnyModel;
  }

  get handlers(): number {
    return this.#handlers.length;
  }

  get(name: string): unknown {
    return this.#state[name];
  }

  set(name: string, value: unknown): void {
    this.update({ [name]: value });
  }

  save_changes(): void {
    this.saves++;
  }

  send(content: unknown): void {
    this.sent.push(content);
  }

  on(name: string, handler: Handler): void {
    this.#handlers.push([name, handler]);
  }

  off(name: string, handler: Handler): void {
    this.#handlers = this.#handlers.filter(([n, h]) => n !== name || h !== handler);
  }

  /** A state update from the kernel: all values first, then an event for each. */
  update(values: Record<string, unknown>): void {
    Object.assign(this.#state, values);
    for (const name of Object.keys(values)) this.#fire(`change:${name}`);
  }

  /** A custom message from the kernel. */
  message(content: unknown, buffers: unknown[] = []): void {
    this.#fire("msg:custom", content, buffers);
  }

  #fire(name: string, ...args: unknown[]): void {
    for (const [n, handler] of [...this.#handlers]) if (n === name) handler(...args);
  }
}
