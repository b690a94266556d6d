/** Stands in for a widget's model where there is no Python: traits, change events, messages. */

type Handler = (...args: unknown[]) => void;

/** Answers a message that a model sends, from what the page has saved; in a live page Python answers. */
type Answer = (content: unknown, reply: (content: unknown) => void) => void;

export class PageModel {
  readonly #traits: Map<string, unknown>;
  protected readonly handlers = new Map<string, Set<Handler>>();
  readonly #answer: Answer;

  constructor(traits: Readonly<Record<string, unknown>>, answer: Answer = () => {}) {
    this.#traits = new Map(Object.entries(traits));
    this.#answer = answer;
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
    this.#answer(content, (reply) => setTimeout(() => this.emit("msg:custom", reply)));
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

  protected emit(event: string, ...args: unknown[]): void {
    for (const handler of [...(this.handlers.get(event) ?? [])]) handler(...args);
  }
}
