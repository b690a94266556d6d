// src/wire/protocol.ts
var WireError = class extends Error {
  name = "WireError";
};
function uint8(bytes, what) {
  return new Uint8Array(bytesOf(bytes, what));
}
function bytesOf(bytes, what) {
  if (ArrayBuffer.isView(bytes)) {
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes);
  throw new WireError(`Got ${valueWords(bytes)} for ${what}; needed: bytes.`);
}
function decodedBase64(text) {
  const { fromBase64 } = Uint8Array;
  const { buffer, byteOffset, byteLength } = fromBase64?.call(Uint8Array, text) ?? Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new DataView(buffer, byteOffset, byteLength);
}
function putBytes(into, path, bytes) {
  const holder = path.slice(0, -1).reduce((inside, key) => inside[key], into);
  holder[path[path.length - 1]] = bytes;
}
function valueWords(value) {
  if (value === null || ["undefined", "number", "boolean", "bigint"].includes(typeof value)) {
    return String(value);
  }
  return typeof value === "string" ? `"${value.slice(0, 40)}"` : typeof value;
}

// src/page/saved.ts
async function unpack(text, base64) {
  const saved = JSON.parse(text);
  const stream = new Blob([decodedBase64(base64.trim())]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = await new Response(stream).arrayBuffer();
  for (const [path, at, length] of saved.bytes) {
    putBytes(saved, path, new DataView(bytes, at, length));
  }
  return saved;
}
function framesOf(run) {
  const words = run.sizes ? widen(run) : unfold(run.data, run.steps.length);
  const length = words.byteLength / run.steps.length;
  return run.steps.map((step, n) => ({
    layout: run.layout,
    step,
    data: new DataView(words.buffer, n * length, length),
    /** The numbers are rounded. */
    rough: run.sizes !== void 0 && n < run.steps.length - 1
  }));
}
var FINE = 254;
function widen(run) {
  const { steps, data, counts, sizes, fine, beside } = run;
  const frames = steps.length;
  const coefficientsOfAll = data.byteLength / frames;
  const besideSize = (beside?.byteLength ?? 0) / 4 / frames;
  const frameSize = coefficientsOfAll + besideSize;
  const frameData = new Float32Array(frameSize * frames);
  for (let k = 0; k < besideSize * frames; k++) {
    const at = Math.floor(k / besideSize) * frameSize + coefficientsOfAll + k % besideSize;
    frameData[at] = beside?.getFloat32(4 * k, true) ?? 0;
  }
  let [index, first] = [0, 0];
  for (const [functions, coefficients] of counts ?? []) {
    for (let i = 0; i < functions * coefficients; i++, index++) {
      const step = sizes?.getFloat32(4 * (first + Math.floor(i / coefficients)), true) ?? 1;
      let at = 0;
      for (let frame = 0; frame < frames; frame++) {
        at = at + data.getInt8(index * frames + frame) << 24 >> 24;
        frameData[frame * frameSize + index] = at * step;
      }
      frameData[(frames - 1) * frameSize + index] = (at + (fine?.getInt8(index) ?? 0) / FINE) * step;
    }
    first += functions;
  }
  return frameData;
}
function unfold(folded, frames) {
  const bytes = new Uint8Array(folded.buffer, folded.byteOffset, folded.byteLength);
  const size = bytes.length / 4 / frames;
  const words = new Uint32Array(bytes.length / 4);
  for (let frame = 0; frame < frames; frame++) {
    const from = 4 * frame * size;
    for (let i = 0; i < size; i++) {
      const word = bytes[from + i] | bytes[from + size + i] << 8 | bytes[from + 2 * size + i] << 16 | bytes[from + 3 * size + i] << 24;
      const at = frame * size + i;
      words[at] = word + (frame > 0 ? words[at - size] : 0);
    }
  }
  return words;
}
async function prepare(document, lesson) {
  if (runsWebAssembly(uint8(lesson.code, "the kernels"))) return lesson;
  const zipped = new Blob([uint8(lesson.translated, "the kernels in JavaScript")]).stream();
  const text = await new Response(zipped.pipeThrough(new DecompressionStream("gzip"))).text();
  const script = document.createElement("script");
  script.textContent = text;
  document.head.append(script);
  const both = new Blob([text, "\n", uint8(lesson.worker, "the worker")]);
  return { ...lesson, worker: new DataView(await both.arrayBuffer()) };
}
function runsWebAssembly(code) {
  const nothing = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
  try {
    return WebAssembly.validate(code) && new WebAssembly.Module(nothing) !== null;
  } catch {
    return false;
  }
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

// src/page/index.ts
var SCHEMES = ["auto", "light", "dark"];
async function start(document, modules) {
  const places = [...document.querySelectorAll("[data-kw-place]")];
  try {
    const saved = await unpack(textOf(document, "kw-saved"), textOf(document, "kw-bytes"));
    applyTheme(document, saved.theme);
    if (saved.lesson) saved.lesson = await prepare(document, saved.lesson);
    const mount = (models, until) => {
      const widgets = widgetsOf(models, saved.streams, modules, until);
      for (const place of places) show(place, saved.places, widgets, modules, until);
    };
    const { Playground } = modules;
    if (Playground && saved.lesson) await Playground.play(document, saved, saved.lesson, mount);
    else mount(modelsOf(document, saved, modules), signal);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    for (const place of places) {
      place.textContent = `This view cannot be shown in this browser: ${message}`;
    }
    throw error;
  }
}
function textOf(document, id) {
  const text = document.getElementById(id)?.textContent;
  if (!text) throw new Error(`its part “${id}” is missing`);
  return text;
}
var { signal } = new AbortController();
function widgetsOf(models, savedStreams, modules, until) {
  const find = (ref) => models.get(ref.replace("anywidget:", ""));
  const { initialize } = modules.Stream;
  const streams = savedStreams.map(({ id }) => find(id));
  const stores = new Map(streams.map((model) => [model, initialize({ model, signal: until })]));
  const host = {
    getModel: async (ref) => find(ref),
    getWidget: async (ref) => ({ exports: stores.get(find(ref)) })
  };
  return { host, find };
}
function modelsOf(document, saved, modules) {
  if (saved.heard !== void 0) return liveModels(document, saved, modules);
  const { Trained } = modules;
  const bar = document.getElementById("kw-bar");
  return Trained && bar && saved.lesson ? Trained.train(saved, Trained.courseOf(saved, saved.lesson), bar, signal) : savedModels(saved);
}
function savedModels({ streams, models }) {
  return new Map([
    ...streams.map((stream) => [stream.id, streamModel(stream)]),
    ...models.map(({ id, traits }) => [id, new PageModel(traits)])
  ]);
}
function liveModels(document, saved, modules) {
  const connectionLine = document.getElementById("kw-connection");
  const { connect } = modules.Live;
  const models = [...saved.streams, ...saved.models];
  return connect({ ...saved, models }, document.baseURI, (words, lost) => {
    if (!connectionLine) return;
    connectionLine.textContent = words;
    connectionLine.toggleAttribute("data-lost", lost);
  });
}
function show(figure, places, { host, find }, modules, until) {
  const place = places[Number(figure.dataset.kwPlace)];
  figure.style.cssText = figure.dataset.kwStyle ?? "";
  const el = figure.querySelector("div");
  el.replaceChildren();
  const viewModule = modules.View?.default;
  if (viewModule) viewModule.render({ model: find(place.model), el, host, signal: until });
  else el.textContent = `${place.name} did not start in this browser.`;
}
function streamModel(saved) {
  const frames = saved.runs.flatMap(framesOf);
  const traits = { ...saved.traits, initial: frames[0], frame: frames[frames.length - 1] };
  return new PageModel(traits, (content, reply) => {
    const { kind, before } = content;
    if (kind === "history?") {
      const asked = frames.filter(({ step }) => before === void 0 || step < before);
      reply({ kind: "history", frames: asked });
    } else if (kind === "observed?") {
      saved.observed.forEach(reply);
    } else if (kind === "activations?") {
      for (const activations of saved.activations ?? []) reply({ ...activations, past: true });
    }
  });
}
function applyTheme(document, saved) {
  const root = document.documentElement;
  const select = document.querySelector("#kw-theme");
  if (!select) return;
  const asked = new URLSearchParams(document.defaultView?.location.search).get("theme");
  const choose = (theme2) => {
    if (theme2 === "auto") root.removeAttribute("data-theme");
    else root.dataset.theme = theme2;
  };
  const theme = SCHEMES.includes(asked) ? asked : saved;
  choose(theme);
  select.value = theme;
  select.addEventListener("change", () => choose(select.value));
}
var page_default = { start };
export {
  page_default as default,
  start,
  streamModel
};
