/** A page that stays connected with Python over HTTP: see kan_widgets/cli/serving.py. */

import { decodedBase64, type Path, putBytes } from "../wire/protocol.ts";
import type { Saved } from "./saved.ts";
import { PageModel } from "./trained.ts";

/** A message of a widget, as Jupyter has it; bytes are in buffers, and their places in paths. */
interface Message {
  id: string;
  method: "update" | "custom";
  state?: Record<string, unknown>;
  content?: unknown;
  buffer_paths?: Path[];
  /** The bytes in base64. */
  buffers: string[];
}

/** A part of the page, as Python writes it; without text for one that goes. */
interface PagePart {
  id: string;
  html: string;
}

type Post = (message: Message) => void;

/** The model of a widget that lives in Python. */
export class LiveModel extends PageModel {
  readonly #changed = new Set<string>();

  constructor(
    readonly id: string,
    traits: Readonly<Record<string, unknown>>,
    readonly post: Post,
  ) {
    super(traits);
  }

  override set(name: string, value: unknown): void {
    this.#changed.add(name);
    super.set(name, value);
  }

  override save_changes(): void {
    if (this.#changed.size === 0) return;
    const state = Object.fromEntries([...this.#changed].map((name) => [name, this.get(name)]));
    this.#changed.clear();
    const [plain, buffer_paths, buffers] = withoutBytes(state);
    const plainState = plain as Record<string, unknown>;
    this.post({ id: this.id, method: "update", state: plainState, buffer_paths, buffers });
  }

  override send(content: unknown): void {
    this.post({ id: this.id, method: "custom", content, buffers: [] });
  }

  /** Takes what Python says. */
  take({ method, state, content, buffer_paths, buffers }: Message): void {
    const bytes = buffers.map(decodedBase64);
    if (method === "custom") this.emit("msg:custom", content, bytes);
    if (method !== "update" || !state) return;
    (buffer_paths ?? []).forEach((path, n) => {
      putBytes(state, path, bytes[n]);
    });
    for (const [name, value] of Object.entries(state)) super.set(name, value);
  }
}

/** Connects the models of a page, as kan_widgets/widgets/pages/live_page.py writes it, with Python; `say` is told in words how that goes. */
export function connect(
  { heard = 0, models }: Pick<Saved, "heard" | "models">,
  address: string,
  say: (words: string, lost: boolean) => void,
): Map<string, LiveModel> {
  // One after the other: what is clicked later comes later.
  let queue = Promise.resolve();
  const post: Post = (message) => {
    queue = queue.then(async () => {
      try {
        const { ok } = await fetch(new URL("messages", address), {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify(message),
        });
        if (!ok) lost();
      } catch {
        lost();
      }
    });
  };
  const lost = () =>
    say("Not connected: what follows the run has ended, or does not answer.", true);
  const modelById = new Map(models.map(({ id, traits }) => [id, new LiveModel(id, traits, post)]));
  const events = new EventSource(new URL(`events?from=${heard}`, address));
  events.addEventListener("open", () => say("", false));
  events.addEventListener("error", lost);
  events.addEventListener("message", ({ data }: MessageEvent<string>) => {
    const message = JSON.parse(data) as Message | PagePart;
    if ("html" in message) renew(message);
    else modelById.get(message.id)?.take(message);
  });
  events.addEventListener("reload", () => globalThis.location.reload());
  return modelById;
}

/** Brings a part of the page up to date; cells that are the same stay, a new row comes first. */
function renew({ id, html }: PagePart): void {
  const template = document.createElement("template");
  template.innerHTML = html;
  const part = template.content.firstElementChild ?? "";
  const current = document.getElementById(id);
  if (!current) document.querySelector("tbody")?.prepend(part);
  else if (part instanceof HTMLTableRowElement && current instanceof HTMLTableRowElement) {
    current.dataset.state = part.dataset.state;
    for (const [n, cell] of [...part.cells].entries())
      if (!current.cells[n]?.isEqualNode(cell)) current.cells[n]?.replaceWith(cell);
  } else current.replaceWith(part);
}

/** Takes bytes out of a value: a copy without them, where they belong, and the bytes in base64. */
export function withoutBytes(value: unknown): [plain: unknown, paths: Path[], buffers: string[]] {
  const paths: Path[] = [];
  const buffers: string[] = [];
  const copy = (node: unknown, path: Path): unknown => {
    if (node instanceof ArrayBuffer || ArrayBuffer.isView(node)) {
      paths.push(path);
      buffers.push(base64Of(node));
      return null;
    }
    if (Array.isArray(node)) return node.map((each, n) => copy(each, [...path, n]));
    if (node === null || typeof node !== "object") return node;
    const entries = Object.entries(node).map(([name, each]) => [name, copy(each, [...path, name])]);
    return Object.fromEntries(entries);
  };
  return [copy(value, []), paths, buffers];
}

function base64Of(value: ArrayBuffer | ArrayBufferView): string {
  const view = value instanceof ArrayBuffer ? new DataView(value) : value;
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
