/** Stands in for a widget's model: traits, change events, messages. No kernel. */

type Handler = (...args: unknown[]) => void;

export class FakeModel {
  readonly sent: unknown[] = [];
  readonly #traits: Map<string, unknown>;
  readonly #handlers = new Map<string, Set<Handler>>();

  constructor(traits: Record<string, unknown>) {
    this.#traits = new Map(Object.entries(traits));
  }

  get(name: string): unknown {
    return this.#traits.get(name);
  }

  set(name: string, value: unknown): void {
    if (Object.is(this.#traits.get(name), value)) return;
    this.#traits.set(name, value);
    this.#emit(`change:${name}`);
  }

  save_changes(): void {}

  send(content: unknown): void {
    this.sent.push(content);
  }

  on(event: string, handler: Handler): void {
    const handlers = this.#handlers.get(event) ?? new Set();
    this.#handlers.set(event, handlers.add(handler));
  }

  off(event: string, handler: Handler): void {
    this.#handlers.get(event)?.delete(handler);
  }

  /** A message as if from Python. */
  receive(content: unknown, buffers: unknown[]): void {
    this.#emit("msg:custom", content, buffers);
  }

  listeners(): number {
    let n = 0;
    for (const handlers of this.#handlers.values()) n += handlers.size;
    return n;
  }

  #emit(event: string, ...args: unknown[]): void {
    for (const handler of [...(this.#handlers.get(event) ?? [])]) handler(...args);
  }
}
