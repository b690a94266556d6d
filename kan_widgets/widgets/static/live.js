// src/wire/protocol.ts
function decodedBase64(text) {
  const { fromBase64 } = Uint8Array;
  const { buffer, byteOffset, byteLength } = fromBase64?.call(Uint8Array, text) ?? Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new DataView(buffer, byteOffset, byteLength);
}
function putBytes(into, path, bytes) {
  const holder = path.slice(0, -1).reduce((inside, key) => inside[key], into);
  holder[path[path.length - 1]] = bytes;
}

// src/page/trained.ts
var PageModel = class {
  constructor(traits, answer = () => {
  }) {
    this.answer = answer;
    this.#traits = new Map(Object.entries(traits));
  }
  answer;
  #traits;
  handlers = /* @__PURE__ */ new Map();
  get(name) {
    return this.#traits.get(name);
  }
  set(name, value) {
    if (Object.is(this.#traits.get(name), value)) return;
    this.#traits.set(name, value);
    this.emit(`change:${name}`);
  }
  /** Nothing to do: all views of the page read the one model. */
  save_changes() {
  }
  /** Replies come later, as from Python. */
  send(content) {
    this.answer(content, (reply) => setTimeout(() => this.emit("msg:custom", reply)));
  }
  on(event, handler) {
    const handlers = this.handlers.get(event) ?? /* @__PURE__ */ new Set();
    this.handlers.set(event, handlers.add(handler));
  }
  off(event, handler) {
    for (const [name, handlers] of this.handlers) {
      if (event && name !== event) continue;
      if (handler) handlers.delete(handler);
      else handlers.clear();
    }
  }
  emit(event, ...args) {
    for (const handler of [...this.handlers.get(event) ?? []]) handler(...args);
  }
};
var STATES = {
  ...{ ready: "not started", running: "training", paused: "paused", finished: "finished" },
  diverged: "diverged: a number was not finite any more"
};

// src/page/live.ts
var LiveModel = class extends PageModel {
  constructor(id, traits, post) {
    super(traits);
    this.id = id;
    this.post = post;
  }
  id;
  post;
  #changed = /* @__PURE__ */ new Set();
  set(name, value) {
    this.#changed.add(name);
    super.set(name, value);
  }
  save_changes() {
    if (this.#changed.size === 0) return;
    const state = Object.fromEntries([...this.#changed].map((name) => [name, this.get(name)]));
    this.#changed.clear();
    const [plain, buffer_paths, buffers] = withoutBytes(state);
    const plainState = plain;
    this.post({ id: this.id, method: "update", state: plainState, buffer_paths, buffers });
  }
  send(content) {
    this.post({ id: this.id, method: "custom", content, buffers: [] });
  }
  /** Takes what Python says. */
  take({ method, state, content, buffer_paths, buffers }) {
    const bytes = buffers.map(decodedBase64);
    if (method === "custom") this.emit("msg:custom", content, bytes);
    if (method !== "update" || !state) return;
    (buffer_paths ?? []).forEach((path, n) => {
      putBytes(state, path, bytes[n]);
    });
    for (const [name, value] of Object.entries(state)) super.set(name, value);
  }
};
function connect({ heard = 0, models }, address, say) {
  let queue = Promise.resolve();
  const post = (message) => {
    queue = queue.then(async () => {
      try {
        const { ok } = await fetch(new URL("messages", address), {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify(message)
        });
        if (!ok) lost();
      } catch {
        lost();
      }
    });
  };
  const lost = () => say("Not connected: what follows the run has ended, or does not answer.", true);
  const modelById = new Map(models.map(({ id, traits }) => [id, new LiveModel(id, traits, post)]));
  const events = new EventSource(new URL(`events?from=${heard}`, address));
  events.addEventListener("open", () => say("", false));
  events.addEventListener("error", lost);
  events.addEventListener("message", ({ data }) => {
    const message = JSON.parse(data);
    if ("html" in message) renew(message);
    else modelById.get(message.id)?.take(message);
  });
  events.addEventListener("reload", () => globalThis.location.reload());
  return modelById;
}
function renew({ id, html }) {
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
function withoutBytes(value) {
  const paths = [];
  const buffers = [];
  const copy = (node, path) => {
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
function base64Of(value) {
  const view = value instanceof ArrayBuffer ? new DataView(value) : value;
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
export {
  LiveModel,
  connect,
  withoutBytes
};
