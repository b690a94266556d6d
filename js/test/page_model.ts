/** Stands in for a widget's model in tests: keeps what was sent, and says what Python would. */

import { PageModel } from "../src/page/trained.ts";

export class FakeModel extends PageModel {
  readonly sent: unknown[] = [];

  constructor(traits: Readonly<Record<string, unknown>>) {
    super({ drawn_from: [...Object.keys(traits), "theme"], ...traits });
  }

  override send(content: unknown): void {
    this.sent.push(content);
  }

  /** A message as if from Python. */
  receive(content: unknown): void {
    this.emit("msg:custom", content);
  }

  listeners(): number {
    let n = 0;
    for (const handlers of this.handlers.values()) n += handlers.size;
    return n;
  }
}
