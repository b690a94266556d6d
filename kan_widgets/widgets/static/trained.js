// src/wire/protocol.ts
var WireError = class extends Error {
  name = "WireError";
};
function float32(bytes, what) {
  return new Float32Array(copy(bytes, what));
}
function uint32(bytes, what) {
  return new Uint32Array(copy(bytes, what));
}
function uint8(bytes, what) {
  return new Uint8Array(bytesOf(bytes, what));
}
function copy(bytes, what) {
  const view = bytesOf(bytes, what);
  if (view.byteLength % 4 !== 0) {
    throw new WireError(`Got ${view.byteLength} bytes for ${what}; needed: a multiple of 4.`);
  }
  return new Uint8Array(view).buffer;
}
function bytesOf(bytes, what) {
  if (ArrayBuffer.isView(bytes)) {
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes);
  throw new WireError(`Got ${valueWords(bytes)} for ${what}; needed: bytes.`);
}
function record(value, what) {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value;
  }
  throw new WireError(`Got ${valueWords(value)} for ${what}; needed: an object.`);
}
function checkCount(got, needed, what) {
  if (got !== needed) throw new WireError(`Got ${got} entries in ${what}; needed: ${needed}.`);
}
function product(sizes) {
  return sizes.reduce((all, size) => all * size, 1);
}
function valueWords(value) {
  if (value === null || ["undefined", "number", "boolean", "bigint"].includes(typeof value)) {
    return String(value);
  }
  return typeof value === "string" ? `"${value.slice(0, 40)}"` : typeof value;
}
var PROTOCOL = 2;
var ProtocolMismatch = class extends WireError {
  name = "ProtocolMismatch";
  constructor(sent) {
    super(
      `This page's kan_widgets JavaScript speaks protocol ${PROTOCOL}, Python sent ${valueWords(sent)}. Reload the page; if this stays, restart the notebook kernel and run the cells again, so that page and Python use the same kan_widgets.`
    );
  }
};
function coefficientsOf(layers) {
  return Math.max(0, ...layers.map((layer) => layer.offset + layer.count * layer.nb));
}
function readLayout(value, ensemble) {
  const raw = record(value, "a layout");
  if (raw.protocol !== PROTOCOL) throw new ProtocolMismatch(raw.protocol);
  const layers = raw.layers.map((layer) => readLayer(layer, ensemble));
  const beside = /* @__PURE__ */ new Map();
  let offset = coefficientsOf(layers);
  for (const { name, size } of raw.beside ?? []) {
    beside.set(name, { offset, size });
    offset += size;
  }
  return { version: raw.version, layers, beside };
}
function readLayer(raw, ensemble) {
  const { is_base, conv, tables, table_of, input_names, ...others } = raw;
  const ofLayer = `of layer "${raw.name}"`;
  const count = product(raw.shape);
  const tableOf = table_of == null ? null : uint32(table_of, `the table numbers ${ofLayer}`);
  if (tableOf) checkCount(tableOf.length, count, `the table numbers ${ofLayer}`);
  return {
    ...others,
    isBase: is_base,
    conv: conv && convOf(conv),
    tables: tables.map(({ x, values }) => {
      const table = {
        x: float32(x, `a table ${ofLayer}`),
        values: float32(values, `a table ${ofLayer}`)
      };
      checkCount(table.values.length, table.x.length * raw.nb, `a table ${ofLayer}`);
      return table;
    }),
    // A table has from its layer what it does not state itself.
    bases: tables.map(({ domain = raw.domain, extent = raw.extent, knots = raw.knots }) => {
      return { domain, extent, knots };
    }),
    tableOf,
    count,
    band: raw.window ? null : readBand(ensemble, raw),
    ...input_names && { inputNames: input_names }
  };
}
function readBand(ensemble, { name, shape }) {
  const all = ensemble ?? {};
  const own = Object.entries(all.layers?.[name] ?? {});
  if (own.length === 0) return null;
  const read = own.map(([part, bytes]) => [part, float32(bytes, `the networks' ${part}`)]);
  const parts = Object.fromEntries(read);
  checkCount(parts.alive.length, product(shape), `the networks of layer "${name}"`);
  return { ...parts, count: all.count, points: parts.x.length / shape[1] };
}
function convOf({ padding_mode, pads_basis, ...conv }) {
  return { ...conv, paddingMode: padding_mode, padsBasis: pads_basis === true };
}

// src/page/saved.ts
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

// src/page/training_bar.ts
function createBar(root, { rows, settings }, actions, signal) {
  const part = (name) => root.querySelector(`[data-kw-part="${name}"]`);
  const [run, again] = [part("run"), part("again")];
  const fields = ["rate", "batch", "epochs", "seed"].map((name) => {
    const field = part(name);
    field.value = String(settings[name]);
    return field;
  });
  let state = "paused";
  const click = () => {
    if (state === "running") actions.pause();
    else if (state === "paused") actions.run();
    else restart();
  };
  run.addEventListener("click", click, { signal });
  again.addEventListener("click", restart, { signal });
  function restart() {
    if (!fields.every((field) => field.reportValidity())) return;
    const [rate, batch, epochs, seed] = fields.map(({ value }) => Number(value));
    actions.again({ rate, batch, epochs, seed });
    actions.run();
  }
  function stand(now) {
    state = now;
    run.textContent = { running: "Pause", paused: "Train" }[state] ?? "Train again";
  }
  return {
    stand,
    /** The `words` are said in place of its own on the score, which says so where the network is edited. */
    show(news, isEdited, words) {
      stand(news.state);
      run.disabled = again.disabled = false;
      const { step, steps, score, speed, classifies } = news;
      const at = `step ${step.toLocaleString("en")}`;
      part("said").textContent = `${at} of ${steps.toLocaleString("en")}`;
      const pace = `${Math.round(speed).toLocaleString("en")} ${rows} a second`;
      part("speed").textContent = speed > 0 ? ` · ${pace}` : "";
      if (score === null) return;
      const { value, of } = score;
      const others = `${of.toLocaleString("en")} test ${rows}`;
      const own = classifies ? `${(100 * value).toFixed(1)} % of ${others} right at ${at}` : `off by ${value.toPrecision(3)} on ${others} (RMS) at ${at}`;
      part("score").textContent = words ?? `${own}${isEdited ? ", edited" : ""}`;
    },
    /** Says why the network cannot train. */
    fail(words) {
      part("said").textContent = words;
      part("score").textContent = part("speed").textContent = "";
      run.disabled = true;
    }
  };
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
var BEGINS = "Press Train";
var MOST_VALUES = 800;
function courseOf({ streams: [stream] }, lesson) {
  const [first] = stream.runs.flatMap(framesOf);
  const recipes = Object.entries(lesson.recipe).map(([name, { scaler, ...own }]) => {
    return [name, { ...own, ...scaler && { scaler: float32(scaler, "the scaler") } }];
  });
  const description = {
    structure: stream.traits.structure,
    layout: readLayout(stream.traits.layouts[0]),
    recipe: Object.fromEntries(recipes)
  };
  const [train2, test] = [lesson.train, lesson.test].map((some) => examplesOf(some, lesson));
  const data = { train: train2, test, shift: lesson.shift };
  return {
    /** How the network begins. */
    first,
    description,
    data,
    /** What the examples are called. */
    rows: lesson.name,
    settings: lesson.settings,
    /** The worker's script, and the compiled kernels. */
    script: uint8(lesson.worker, "the worker"),
    code: uint8(lesson.code, "the kernels")
  };
}
function startWorker({ script, data, code }, description, hear, signal) {
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const worker = new Worker(address);
  worker.onmessage = ({ data: news }) => hear(news);
  const stop = () => worker.terminate();
  signal.addEventListener("abort", stop);
  const send = (one) => worker.postMessage(one);
  return {
    send,
    stop,
    begin: (frame, settings) => send({ kind: "begin", description, frame, data, settings, code }),
    run: (steps = Number.POSITIVE_INFINITY) => send({ kind: "run", steps })
  };
}
function train(saved, course, controls, signal, follower) {
  const bar = createBar(controls, course, { run, pause, again }, signal);
  const [stream] = saved.streams;
  const { first: firstFrame, description } = course;
  const initial = float32(firstFrame.data, "the first frame");
  const worker = startWorker(course, description, hear, signal);
  let settings = course.settings;
  let isReset = false;
  let isAsked = false;
  let curves = createCurves();
  function begin(frame) {
    curves = createCurves();
    edits.begin();
    isReset = true;
    isAsked = false;
    worker.begin(frame, settings);
  }
  function stand(state, loss = {}) {
    const known = model.get("training");
    model.set("training", { ...known, state, words: STATES[state], mend: "", ...loss });
  }
  function run(steps) {
    isAsked = true;
    bar.stand("running");
    stand("running");
    worker.run(steps);
  }
  function pause() {
    isAsked = false;
    worker.send({ kind: "pause" });
  }
  function again(chosen) {
    settings = chosen;
    follower?.begin(settings);
    begin(initial);
  }
  function answer(content) {
    const { kind, ...values } = content;
    if (kind === "shown") worker.send({ kind: "drawn" });
    else if (kind === "pause" || kind === "stop") pause();
    else if (kind === "resume") run();
    else if (kind === "step") run(values.steps ?? 1);
    else if (kind === "rate") worker.send({ kind, value: values.value });
    else edits.take(content);
  }
  const edits = createEdits(
    description.layout,
    initial,
    worker.send,
    (state) => model.set("edits", state)
  );
  const streamTraits = { ...stream.traits, status: { state: "live", message: "" } };
  const frames = { initial: firstFrame, frame: firstFrame };
  const model = new PageModel({ ...streamTraits, ...frames }, (content, reply) => {
    answer(content);
    const { id, kind } = content;
    const refused = HEARD.includes(kind) ? "" : "only a training in Python can do that";
    if (id) reply({ kind: "heard", id, refused });
  });
  const viewModels = saved.models.map(({ id, traits }) => {
    const viewModel = new PageModel(traits);
    if (viewModel.get("editable") !== void 0) viewModel.set("editable", true);
    const status = viewModel.get("status");
    if (viewModel.get("curves") !== void 0 && status !== void 0)
      viewModel.set("status", { ...status, begins: BEGINS });
    return [id, viewModel];
  });
  function hear(news) {
    if ("fault" in news) return bar.fail(news.fault);
    const { frame, step } = news;
    edits.now(frame);
    const tell = (message) => model.emit("msg:custom", message);
    if (isReset) tell({ kind: "reset", version: 0 });
    isReset = false;
    tell({ kind: "frame", layout: firstFrame.layout, step, data: frame, number: step });
    news.observed.forEach(tell);
    curves.take(news);
    const words = follower?.hear(news);
    const isNew = step === 0 && news.state === "paused";
    const state = isNew && isAsked ? "running" : news.state;
    const loss = step > 0 ? ["loss", String(news.loss), step] : void 0;
    stand(isNew && !isAsked ? "ready" : state, { loss });
    for (const [, viewModel] of viewModels) {
      const status = viewModel.get("status");
      if (status !== void 0 && viewModel.get("curves") !== void 0) {
        const others = follower?.curves() ?? [];
        viewModel.set("curves", [...curves.wire(news.classifies), ...others]);
        viewModel.set("status", {
          ...status,
          ...panelStatus(news, settings, state)
        });
      }
    }
    bar.show({ ...news, state }, edits.areDone(), words);
  }
  begin(initial);
  if (follower?.isEager) run();
  return new Map([[stream.id, model], ...viewModels]);
}
function createEdits({ layers }, initial, order, tell) {
  const [edits, undone] = [[], []];
  let openChange = null;
  let current = initial;
  const report = (message) => tell({ undo: edits.length, redo: undone.length, message });
  function changed({ kind, layer: name, coefficients = [], final = true, ...place }) {
    if (kind === "put")
      return { at: 0, before: current.slice(), after: Float32Array.from(coefficients) };
    const layer = layers.find((each) => each.name === name);
    if (!layer) return void 0;
    const [, inputs, height, width] = layer.shape;
    const f = ((place.out * inputs + place.in) * height + place.row) * width + place.column;
    const at = layer.offset + f * layer.nb;
    const part = (frame) => frame.slice(at, at + layer.nb);
    const after = kind === "edit" ? Float32Array.from(coefficients) : part(initial);
    if (kind === "zero") after.fill(0);
    const change = { at, before: openChange?.at === at ? openChange.before : part(current), after };
    openChange = final ? null : change;
    undone.length = 0;
    return change;
  }
  return {
    begin() {
      edits.length = undone.length = 0;
      current = initial;
    },
    now(frame) {
      current = frame;
    },
    areDone: () => edits.length > 0,
    take(edit) {
      const { kind, final = true } = edit;
      if (kind === "straighten" || kind === "form")
        report("only Python fits a line or a formula: here a curve is pulled");
      if (!EDITS.includes(kind)) return;
      const isBack = kind === "undo";
      const change = isBack ? edits.pop() : kind === "redo" ? undone.pop() : changed(edit);
      if (!change) return;
      if (final) (isBack ? undone : edits).push(change);
      order({ kind: "set", at: change.at, values: isBack ? change.before : change.after });
      report("");
    }
  };
}
var EDITS = ["put", "edit", "zero", "reset", "undo", "redo"];
var HEARD = ["pause", "resume", "stop", "step", "rate"];
function panelStatus({ step, steps, rate, speed }, { batch, epochs }, state) {
  const epoch = step > 0 ? Math.min(epochs, Math.floor(step * epochs / steps) + 1) : null;
  const left = speed > 0 ? Math.ceil((steps - step) * batch / speed) : 0;
  return {
    ...{ state, control: state === "paused" ? "paused" : "running", steered: true, closed: false },
    ...{ step, epoch, epochs },
    ...{ done: step, total: steps, rate: speed / batch, mean_rate: speed / batch },
    ...{ rates: [rate], recording: "", source: "", message: "", begins: BEGINS },
    remaining: left > 0 ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}` : ""
  };
}
function createCurves() {
  const loss = { x: [], y: [] };
  const score = { x: [], y: [] };
  let tested = 0;
  return {
    take({ step, loss: value, score: measured, state }) {
      if (step > 0 && loss.x.at(-1) !== step) {
        loss.x.push(step);
        loss.y.push(value);
      }
      if (measured && state === "running") {
        tested = measured.of;
        score.x.push(step);
        score.y.push(measured.value);
      }
      for (const curve of [loss, score])
        if (curve.x.length > MOST_VALUES) {
          curve.x = curve.x.filter((_, k) => k % 2 === 0);
          curve.y = curve.y.filter((_, k) => k % 2 === 0);
        }
    },
    /** As a training panel takes them; those of a network `beside` it have its name. */
    wire: (classifies, beside = "") => {
      const measured = classifies ? `right of ${tested}` : "test error";
      const wired = (panel, kind, { x, y }) => {
        const own = beside ? { name: beside, kind: beside } : { name: panel, kind };
        return { panel, ...own, sums: null, x: bytesOf2(x), y: bytesOf2(y) };
      };
      const all = [wired("loss", "train", loss), wired(measured, "test", score)];
      return all.filter(({ x }) => x.byteLength > 0);
    }
  };
}
var bytesOf2 = (values) => new DataView(Float64Array.from(values).buffer);
function examplesOf({ inputs, targets }, { bytes }) {
  return {
    inputs: bytes.inputs ? uint8(inputs, "inputs") : float32(inputs, "inputs"),
    targets: bytes.targets ? uint8(targets, "targets") : float32(targets, "targets")
  };
}
export {
  PageModel,
  courseOf,
  createCurves,
  startWorker,
  train
};
