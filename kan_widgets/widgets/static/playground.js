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
  const { is_base, conv: conv2, tables, table_of, input_names, ...others } = raw;
  const ofLayer = `of layer "${raw.name}"`;
  const count2 = product(raw.shape);
  const tableOf3 = table_of == null ? null : uint32(table_of, `the table numbers ${ofLayer}`);
  if (tableOf3) checkCount(tableOf3.length, count2, `the table numbers ${ofLayer}`);
  return {
    ...others,
    isBase: is_base,
    conv: conv2 && convOf(conv2),
    tables: tables.map(({ x: x2, values }) => {
      const table = {
        x: float32(x2, `a table ${ofLayer}`),
        values: float32(values, `a table ${ofLayer}`)
      };
      checkCount(table.values.length, table.x.length * raw.nb, `a table ${ofLayer}`);
      return table;
    }),
    // A table has from its layer what it does not state itself.
    bases: tables.map(({ domain = raw.domain, extent: extent2 = raw.extent, knots = raw.knots }) => {
      return { domain, extent: extent2, knots };
    }),
    tableOf: tableOf3,
    count: count2,
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
function convOf({ padding_mode, pads_basis, ...conv2 }) {
  return { ...conv2, paddingMode: padding_mode, padsBasis: pads_basis === true };
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
    for (let i2 = 0; i2 < functions * coefficients; i2++, index++) {
      const step = sizes?.getFloat32(4 * (first + Math.floor(i2 / coefficients)), true) ?? 1;
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
    for (let i2 = 0; i2 < size; i2++) {
      const word = bytes[from + i2] | bytes[from + size + i2] << 8 | bytes[from + 2 * size + i2] << 16 | bytes[from + 3 * size + i2] << 24;
      const at = frame * size + i2;
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
  function changed({ kind, layer: name, coefficients = [], final = true, ...place2 }) {
    if (kind === "put")
      return { at: 0, before: current.slice(), after: Float32Array.from(coefficients) };
    const layer = layers.find((each) => each.name === name);
    if (!layer) return void 0;
    const [, inputs, height, width] = layer.shape;
    const f = ((place2.out * inputs + place2.in) * height + place2.row) * width + place2.column;
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
      const wired = (panel, kind, { x: x2, y }) => {
        const own = beside ? { name: beside, kind: beside } : { name: panel, kind };
        return { panel, ...own, sums: null, x: bytesOf2(x2), y: bytesOf2(y) };
      };
      const all = [wired("loss", "train", loss), wired(measured, "test", score)];
      return all.filter(({ x: x2 }) => x2.byteLength > 0);
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

// src/shell/element.ts
function element(document, tag, className, parent) {
  const node = document.createElement(tag);
  node.className = className;
  parent?.append(node);
  return node;
}
function listen(target, signal, handlers, how = {}) {
  for (const [kind, act] of Object.entries(handlers)) {
    target.addEventListener(kind, act, { ...how, signal });
  }
}
function putWords(element2, words) {
  if (element2.textContent !== words) element2.textContent = words;
}
function putAttributes(element2, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (element2.getAttribute(name) !== value) element2.setAttribute(name, value);
  }
}
function download(document, blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1e4);
}

// src/training/machine.ts
var WHOLE = 37;
var Machine = class _Machine {
  #exports;
  #memory;
  #problems = /* @__PURE__ */ new WeakMap();
  /** Throws where the page's browser cannot run it. */
  static async from(code) {
    const { kanKernels } = globalThis;
    if (kanKernels) return new _Machine(kanKernels.default());
    const { instance } = await WebAssembly.instantiate(code);
    return new _Machine(instance.exports);
  }
  constructor(exports) {
    this.#exports = exports;
    this.#memory = exports.memory;
  }
  /** The address of `numbers` new numbers, all 0. */
  take(numbers) {
    const at = this.#exports.kan_take_some(4 * numbers);
    if (at === 0) throw new Error("This page has no more memory: a smaller network needs less.");
    this.floats(at, numbers).fill(0);
    return at;
  }
  /** Numbers at an address, until more memory is taken or something is computed. */
  floats(at, numbers) {
    return new Float32Array(this.#memory.buffer, at, numbers);
  }
  /** Computes y from x; false where a number is not finite: then y means nothing. */
  forward(call) {
    const { x: x2, base, baseWeight, splineWeight, y, basis } = call;
    const problem = this.#problem(call);
    const run = this.#exports[`kan_forward_wasm_${basis.order}`];
    const knots = this.#knots(basis);
    return this.#succeeded(run(problem, knots, x2, base, baseWeight, splineWeight, y));
  }
  /** Writes the gradients of what has an address in `gradients`; false as for `forward`. */
  backward(call, gradients) {
    const { x: x2, base, slope, baseWeight, splineWeight, basis } = call;
    const run = this.#exports[`kan_backward_wasm_${basis.order}`];
    const inputs = [x2, base, slope, baseWeight, splineWeight, gradients.y];
    const outputs = [gradients.x, 0, gradients.baseWeight, gradients.splineWeight];
    return this.#succeeded(run(this.#problem(call), this.#knots(basis), ...inputs, ...outputs));
  }
  #succeeded(status) {
    if (status > 0) throw new Error(`This page has no ${status} bytes more of memory.`);
    return status === 0;
  }
  /** The address of a call's struct in memory, which is written once. */
  #problem({ sizes, basis }) {
    const known = this.#problems.get(sizes);
    if (known) return known;
    const after = WHOLE + WHOLE % 2;
    const address = this.take(after + 4);
    const { kernel, stride, dilation, xStrides, yStrides } = sizes;
    const { n, height, width, channels, out, groups } = sizes;
    const { outHeight, outWidth, innerHeight, innerWidth, top, left } = sizes;
    const numbers = [n, height, width, channels, out, groups, ...kernel, ...stride, ...dilation];
    numbers.push(outHeight, outWidth, innerHeight, innerWidth, top, left);
    numbers.push(...xStrides, ...xStrides, ...xStrides, ...yStrides);
    numbers.push(basis.functions, 1, basis.family);
    new Int32Array(this.#memory.buffer, address, WHOLE).set(numbers);
    const last = new Float64Array(this.#memory.buffer, address + 4 * after, 2);
    last.set([basis.shift, basis.factor]);
    this.#problems.set(sizes, address);
    return address;
  }
  #knotAddresses = /* @__PURE__ */ new WeakMap();
  #knots({ knots }) {
    if (!knots) return 0;
    const at = this.#knotAddresses.get(knots) ?? this.take(2 * knots.length);
    new Float64Array(this.#memory.buffer, at, knots.length).set(knots);
    this.#knotAddresses.set(knots, at);
    return at;
  }
};
var Random = class {
  #state;
  constructor(seed) {
    this.#state = [seed | 0, 2654435769, 608135816, 1];
    for (let k = 0; k < 15; k++) this.#next();
  }
  #next() {
    let [a, b, c, d] = this.#state;
    const t = (a + b | 0) + d | 0;
    d = d + 1 | 0;
    a = b ^ b >>> 9;
    b = c + (c << 3) | 0;
    c = c << 21 | c >>> 11;
    c = c + t | 0;
    this.#state.splice(0, 4, a, b, c, d);
    return t >>> 0;
  }
  /** A number from 0 to just below 1. */
  uniform() {
    return this.#next() / 2 ** 32;
  }
  /** A whole number below another. */
  below(limit) {
    return Math.floor(this.uniform() * limit);
  }
  /** The numbers 0 … count − 1 in random order. */
  order(count2) {
    const all = Uint32Array.from({ length: count2 }, (_, k) => k);
    for (let k = count2 - 1; k > 0; k--) {
      const other = this.below(k + 1);
      [all[k], all[other]] = [all[other], all[k]];
    }
    return all;
  }
};

// src/playground/state.ts
var PROBLEMS = ["digits", "product", "moons", "spirals", "formula", "table"];
var NETWORKS = ["kancnn", "article", "dense"];
var BASES = ["bspline", "rbf", "chebyshev", "fourier"];
var BASE_TERMS = ["silu", "tanh", "relu", "identity"];
var LIMITS = {
  grid: [1, 50, 1],
  order: [1, 5, 1],
  start: [0, 10, 0],
  noise: [0, 1, 0],
  rate: [1e-5, 1, 0],
  batch: [1, 1e3, 1],
  epochs: [1, 1e3, 1],
  seed: [0, 1e6, 1]
};
var DEPTHS = {
  ...{ kancnn: [1, 4], article: [0, 0], dense: [0, 6] }
};
var MOST_WIDTH = 64;
var COMMON = {
  formula: "exp(sin(pi*x) + y^2)",
  order: 3,
  basis: "bspline",
  base: "silu",
  start: 0.1,
  noise: 0,
  seed: 0,
  twin: false
};
function defaultsOf(problem, network) {
  if (problem !== "digits") {
    const widths2 = problem === "product" ? [4, 2] : [4];
    const own = { network: "dense", widths: widths2, grid: 5, rate: 0.02, batch: 50, epochs: 60 };
    return { ...COMMON, problem, ...own };
  }
  const learning = { rate: 7e-3, batch: 32, epochs: network === "article" ? 12 : 8 };
  const widths = { kancnn: [8, 16, 16], article: [], dense: [] }[network];
  return { ...COMMON, problem, network, widths, grid: 5, ...learning };
}
function stateOf(hash) {
  const query = new URLSearchParams(hash.replace(/^#/, ""));
  const one = (name, known) => known.find((each) => each === query.get(name)) ?? known[0];
  const problem = one("problem", PROBLEMS);
  const network = problem === "digits" ? one("network", NETWORKS) : "dense";
  const state = defaultsOf(problem, network);
  const isFixed = network === "article";
  if (query.has("basis") && !isFixed) state.basis = one("basis", BASES);
  if (query.has("base") && !isFixed) state.base = one("base", BASE_TERMS);
  if (query.has("twin")) state.twin = query.get("twin") === "1";
  state.formula = query.get("formula") ?? state.formula;
  const widths = query.has("widths") && !isFixed ? widthsOf(query.get("widths") ?? "", network) : null;
  if (widths) state.widths = widths;
  for (const name of Object.keys(LIMITS)) {
    if (isFixed && (name === "grid" || name === "order")) continue;
    const [least, most, step] = LIMITS[name];
    const value = Number(query.get(name) || Number.NaN);
    if (value >= least && value <= most && (step === 0 || Number.isInteger(value)))
      state[name] = value;
  }
  return state;
}
function hashOf(state) {
  const usual = defaultsOf(state.problem, state.network);
  const query = new URLSearchParams();
  if (state.problem !== PROBLEMS[0]) query.set("problem", state.problem);
  if (state.problem === "digits" && state.network !== NETWORKS[0])
    query.set("network", state.network);
  for (const [name, value] of Object.entries(state)) {
    if (["problem", "network"].includes(name)) continue;
    if (name === "formula" && state.problem !== "formula") continue;
    if (String(value) === String(usual[name])) continue;
    query.set(name, typeof value === "boolean" ? String(Number(value)) : String(value));
  }
  return query.size > 0 ? `#${query}` : "";
}
function widthsOf(text, network) {
  const parts = text.split(/[\s,]+/).filter(Boolean);
  const widths = parts.map(Number);
  const [least, most] = DEPTHS[network];
  const isFit = widths.every((w) => Number.isInteger(w) && w >= 1 && w <= MOST_WIDTH);
  return isFit && widths.length >= least && widths.length <= most ? widths : null;
}
function widthsExpected(network) {
  const [least, most] = DEPTHS[network];
  const count2 = least > 0 ? `${least} to ${most}` : `at most ${most}`;
  return `expected ${count2} whole numbers from 1 to ${MOST_WIDTH}, such as 5, 3`;
}

// src/playground/choices.ts
var PROBLEM_WORDS = {
  digits: "handwritten digits",
  product: "x · y · z",
  moons: "two moons",
  spirals: "two spirals",
  formula: "a formula of yours",
  table: "a table of yours (CSV)"
};
var NETWORK_WORDS = {
  kancnn: "KAN-CNN",
  article: "the article's KAN-CNN",
  dense: "dense layers"
};
var BASIS_WORDS = {
  bspline: "B-splines",
  rbf: "radial functions",
  chebyshev: "Chebyshev polynomials",
  fourier: "Fourier series"
};
var BASE_WORDS = {
  ...{ silu: "SiLU", tanh: "tanh", relu: "ReLU", identity: "x" }
};
var NUMBERS = {
  grid: "grid intervals",
  order: "spline order",
  start: "spread of splines at the start",
  noise: "noise in the data"
};
function createChoices(root, actions) {
  const document = root.ownerDocument;
  const { signal } = new AbortController();
  const { details, select: select2, field, button } = createMaker(document, signal);
  let state = defaultsOf("digits", "kancnn");
  const row = element(document, "div", "kw-play-row", root);
  const problem = select2(
    row,
    "learn",
    PROBLEM_WORDS,
    (value) => actions.choose(defaultsOf(value, value === "digits" ? "kancnn" : "dense"))
  );
  const formula = field(row, "formula", (text) => change({ formula: text }));
  const file = field(row, "file", () => {
    file.input.files?.[0]?.text().then(actions.drop);
  });
  file.input.type = "file";
  file.input.accept = ".csv,.tsv,.txt,text/csv";
  const network = select2(
    row,
    "with",
    NETWORK_WORDS,
    (value) => actions.choose({ ...defaultsOf("digits", value), noise: state.noise, twin: state.twin })
  );
  const more = details(row, "more");
  const widths = field(more, "hidden units", (text) => {
    const chosen = widthsOf(text, state.network);
    if (chosen) change({ widths: chosen });
    else refuse(`${widths.label.textContent?.trim()} “${text}”: ${widthsExpected(state.network)}.`);
  });
  const twinLabel = element(document, "label", "kw-play-check", more);
  const twin = element(document, "input", "", twinLabel);
  twin.type = "checkbox";
  const twinWords = element(document, "span", "", twinLabel);
  listen(twin, signal, { change: () => change({ twin: twin.checked }) });
  const basis = select2(more, "basis", BASIS_WORDS, (value) => change({ basis: value }));
  const base = select2(more, "base term", BASE_WORDS, (value) => change({ base: value }));
  const numbers = Object.entries(NUMBERS).map(([key, words]) => {
    const name = key;
    const [least, most, step] = LIMITS[name];
    const network2 = field(more, words, (text) => {
      if (network2.input.reportValidity()) change({ [name]: Number(text) });
    });
    Object.assign(network2.input, { type: "number", min: least, max: most, step: step || "any" });
    return [name, network2];
  });
  const bar = document.getElementById("kw-bar");
  more.append(...bar.querySelectorAll("details label, [data-kw-part=again]"));
  bar.querySelector("details")?.replaceWith(root);
  const take = details(row, "save or share");
  button(take, "Copy link", (self) => copy2(self, actions.link()));
  button(take, "Save weights (.npz)", actions.save);
  button(take, "Copy Python", (self) => copy2(self, actions.code()));
  const code = element(document, "pre", "kw-play-code", take);
  putAttributes(code, { tabindex: "0", role: "region", "aria-label": "Python" });
  const about = document.querySelector(".kw-page-about");
  const alarm = element(document, "p", "kw-play-alarm", root);
  alarm.setAttribute("role", "alert");
  listen(document.body, signal, {
    dragover: (event) => event.preventDefault(),
    drop(event) {
      event.preventDefault();
      event.dataTransfer?.files[0]?.text().then(actions.drop);
    }
  });
  function change(part) {
    actions.choose({ ...state, ...part });
  }
  function copy2(self, text) {
    const words = self.textContent ?? "";
    navigator.clipboard.writeText(text).then(
      () => {
        putWords(self, "Copied");
        setTimeout(() => putWords(self, words), 1500);
      },
      () => refuse(`This browser does not let a page copy. It would be: ${text}`)
    );
  }
  function refuse(words, isAsked = false) {
    putWords(alarm, words);
    alarm.classList.toggle("kw-play-asked", isAsked);
  }
  function put(next) {
    state = next;
    problem.input.value = state.problem;
    network.input.value = state.network;
    basis.input.value = state.basis;
    base.input.value = state.base;
    formula.input.value = state.formula;
    widths.input.value = state.widths.join(", ");
    twin.checked = state.twin;
    for (const [name, { input }] of numbers) input.value = String(state[name]);
    formula.label.hidden = state.problem !== "formula";
    file.label.hidden = state.problem !== "table";
    network.label.hidden = state.problem !== "digits";
    const isFixed = state.network === "article";
    widths.label.hidden = isFixed;
    putWords(widths.said, state.network === "kancnn" ? "channels " : "hidden units ");
    basis.input.disabled = base.input.disabled = isFixed;
    for (const [name, { input }] of numbers)
      input.disabled = isFixed && (name === "grid" || name === "order");
    putWords(twinWords, `beside ${state.network === "dense" ? "an MLP" : "a CNN"} of equal size`);
  }
  return {
    /** Says why a state cannot be, or what it asks for, and leaves what runs as it is. */
    refuse(next, words, isAsked) {
      put(next);
      refuse(words, isAsked);
    },
    /** Shows a state, and tells how its networks do. */
    show(next, { about: told }, network2, beside) {
      put(next);
      refuse("");
      const size = ({ name, parameters }) => `${name} with ${parameters.toLocaleString("en")} parameters`;
      const others = beside ? `, beside ${beside.name === "MLP" ? "an" : "a"} ${size(beside)}` : "";
      putWords(about, `${told} A ${size(network2)} trains in your browser${others}.`);
      putWords(code, actions.code());
      return {
        /** The words on the scores of both, where there are two. */
        hear(news, other) {
          if (!beside || !other || !news.score) return void 0;
          const words = [scoreWords(network2.name, news), scoreWords(beside.name, other)];
          return `Test: ${words.join(" · ")}`;
        }
      };
    }
  };
}
function createMaker(document, signal) {
  function labelled(parent, words, kind) {
    const label = element(document, "label", "", parent);
    const said = element(document, "span", "", label);
    putWords(said, `${words} `);
    return { label, said, input: element(document, kind, "", label) };
  }
  return {
    details(parent, words) {
      const own = element(document, "details", "kw-play-more", parent);
      putWords(element(document, "summary", "", own), words);
      return element(document, "div", "kw-play-row", own);
    },
    select(parent, words, values, chosen) {
      const network = labelled(parent, words, "select");
      for (const [value, named] of Object.entries(values))
        network.input.append(new Option(named, value));
      listen(network.input, signal, { change: () => chosen(network.input.value) });
      return network;
    },
    field(parent, words, chosen) {
      const network = labelled(parent, words, "input");
      listen(network.input, signal, { change: () => chosen(network.input.value) });
      return network;
    },
    button(parent, words, act) {
      const own = element(document, "button", "", parent);
      own.type = "button";
      putWords(own, words);
      listen(own, signal, { click: () => act(own) });
    }
  };
}
function scoreWords(name, { score, classifies, step }) {
  if (!score) return `${name}: not tested yet`;
  const value = classifies ? `${(100 * score.value).toFixed(1)} %` : `off by ${score.value.toPrecision(3)}`;
  return `${name} ${value} at step ${step.toLocaleString("en")}`;
}

// node_modules/d3-array/src/ascending.js
function ascending(a, b) {
  return a == null || b == null ? NaN : a < b ? -1 : a > b ? 1 : a >= b ? 0 : NaN;
}

// node_modules/d3-array/src/descending.js
function descending(a, b) {
  return a == null || b == null ? NaN : b < a ? -1 : b > a ? 1 : b >= a ? 0 : NaN;
}

// node_modules/d3-array/src/bisector.js
function bisector(f) {
  let compare1, compare2, delta;
  if (f.length !== 2) {
    compare1 = ascending;
    compare2 = (d, x2) => ascending(f(d), x2);
    delta = (d, x2) => f(d) - x2;
  } else {
    compare1 = f === ascending || f === descending ? f : zero;
    compare2 = f;
    delta = f;
  }
  function left(a, x2, lo = 0, hi = a.length) {
    if (lo < hi) {
      if (compare1(x2, x2) !== 0) return hi;
      do {
        const mid = lo + hi >>> 1;
        if (compare2(a[mid], x2) < 0) lo = mid + 1;
        else hi = mid;
      } while (lo < hi);
    }
    return lo;
  }
  function right(a, x2, lo = 0, hi = a.length) {
    if (lo < hi) {
      if (compare1(x2, x2) !== 0) return hi;
      do {
        const mid = lo + hi >>> 1;
        if (compare2(a[mid], x2) <= 0) lo = mid + 1;
        else hi = mid;
      } while (lo < hi);
    }
    return lo;
  }
  function center(a, x2, lo = 0, hi = a.length) {
    const i2 = left(a, x2, lo, hi - 1);
    return i2 > lo && delta(a[i2 - 1], x2) > -delta(a[i2], x2) ? i2 - 1 : i2;
  }
  return { left, center, right };
}
function zero() {
  return 0;
}

// node_modules/d3-array/src/number.js
function number(x2) {
  return x2 === null ? NaN : +x2;
}

// node_modules/d3-array/src/bisect.js
var ascendingBisect = bisector(ascending);
var bisectRight = ascendingBisect.right;
var bisectLeft = ascendingBisect.left;
var bisectCenter = bisector(number).center;

// node_modules/d3-array/src/count.js
function count(values, valueof) {
  let count2 = 0;
  if (valueof === void 0) {
    for (let value of values) {
      if (value != null && (value = +value) >= value) {
        ++count2;
      }
    }
  } else {
    let index = -1;
    for (let value of values) {
      if ((value = valueof(value, ++index, values)) != null && (value = +value) >= value) {
        ++count2;
      }
    }
  }
  return count2;
}

// node_modules/d3-array/src/extent.js
function extent(values, valueof) {
  let min;
  let max;
  if (valueof === void 0) {
    for (const value of values) {
      if (value != null) {
        if (min === void 0) {
          if (value >= value) min = max = value;
        } else {
          if (min > value) min = value;
          if (max < value) max = value;
        }
      }
    }
  } else {
    let index = -1;
    for (let value of values) {
      if ((value = valueof(value, ++index, values)) != null) {
        if (min === void 0) {
          if (value >= value) min = max = value;
        } else {
          if (min > value) min = value;
          if (max < value) max = value;
        }
      }
    }
  }
  return [min, max];
}

// node_modules/d3-array/src/ticks.js
var e10 = Math.sqrt(50);
var e5 = Math.sqrt(10);
var e2 = Math.sqrt(2);
function tickSpec(start, stop, count2) {
  const step = (stop - start) / Math.max(0, count2), power = Math.floor(Math.log10(step)), error = step / Math.pow(10, power), factor = error >= e10 ? 10 : error >= e5 ? 5 : error >= e2 ? 2 : 1;
  let i1, i2, inc;
  if (power < 0) {
    inc = Math.pow(10, -power) / factor;
    i1 = Math.round(start * inc);
    i2 = Math.round(stop * inc);
    if (i1 / inc < start) ++i1;
    if (i2 / inc > stop) --i2;
    inc = -inc;
  } else {
    inc = Math.pow(10, power) * factor;
    i1 = Math.round(start / inc);
    i2 = Math.round(stop / inc);
    if (i1 * inc < start) ++i1;
    if (i2 * inc > stop) --i2;
  }
  if (i2 < i1 && 0.5 <= count2 && count2 < 2) return tickSpec(start, stop, count2 * 2);
  return [i1, i2, inc];
}
function ticks(start, stop, count2) {
  stop = +stop, start = +start, count2 = +count2;
  if (!(count2 > 0)) return [];
  if (start === stop) return [start];
  const reverse = stop < start, [i1, i2, inc] = reverse ? tickSpec(stop, start, count2) : tickSpec(start, stop, count2);
  if (!(i2 >= i1)) return [];
  const n = i2 - i1 + 1, ticks2 = new Array(n);
  if (reverse) {
    if (inc < 0) for (let i3 = 0; i3 < n; ++i3) ticks2[i3] = (i2 - i3) / -inc;
    else for (let i3 = 0; i3 < n; ++i3) ticks2[i3] = (i2 - i3) * inc;
  } else {
    if (inc < 0) for (let i3 = 0; i3 < n; ++i3) ticks2[i3] = (i1 + i3) / -inc;
    else for (let i3 = 0; i3 < n; ++i3) ticks2[i3] = (i1 + i3) * inc;
  }
  return ticks2;
}
function tickIncrement(start, stop, count2) {
  stop = +stop, start = +start, count2 = +count2;
  return tickSpec(start, stop, count2)[2];
}

// node_modules/d3-array/src/nice.js
function nice(start, stop, count2) {
  let prestep;
  while (true) {
    const step = tickIncrement(start, stop, count2);
    if (step === prestep || step === 0 || !isFinite(step)) {
      return [start, stop];
    } else if (step > 0) {
      start = Math.floor(start / step) * step;
      stop = Math.ceil(stop / step) * step;
    } else if (step < 0) {
      start = Math.ceil(start * step) / step;
      stop = Math.floor(stop * step) / step;
    }
    prestep = step;
  }
}

// node_modules/d3-array/src/threshold/sturges.js
function thresholdSturges(values) {
  return Math.max(1, Math.ceil(Math.log(count(values)) / Math.LN2) + 1);
}

// node_modules/d3-contour/src/array.js
var array = Array.prototype;
var slice = array.slice;

// node_modules/d3-contour/src/ascending.js
function ascending_default(a, b) {
  return a - b;
}

// node_modules/d3-contour/src/area.js
function area_default(ring) {
  var i2 = 0, n = ring.length, area = ring[n - 1][1] * ring[0][0] - ring[n - 1][0] * ring[0][1];
  while (++i2 < n) area += ring[i2 - 1][1] * ring[i2][0] - ring[i2 - 1][0] * ring[i2][1];
  return area;
}

// node_modules/d3-contour/src/constant.js
var constant_default = (x2) => () => x2;

// node_modules/d3-contour/src/contains.js
function contains_default(ring, hole) {
  var i2 = -1, n = hole.length, c;
  while (++i2 < n) if (c = ringContains(ring, hole[i2])) return c;
  return 0;
}
function ringContains(ring, point) {
  var x2 = point[0], y = point[1], contains = -1;
  for (var i2 = 0, n = ring.length, j = n - 1; i2 < n; j = i2++) {
    var pi = ring[i2], xi = pi[0], yi = pi[1], pj = ring[j], xj = pj[0], yj = pj[1];
    if (segmentContains(pi, pj, point)) return 0;
    if (yi > y !== yj > y && x2 < (xj - xi) * (y - yi) / (yj - yi) + xi) contains = -contains;
  }
  return contains;
}
function segmentContains(a, b, c) {
  var i2;
  return collinear(a, b, c) && within(a[i2 = +(a[0] === b[0])], c[i2], b[i2]);
}
function collinear(a, b, c) {
  return (b[0] - a[0]) * (c[1] - a[1]) === (c[0] - a[0]) * (b[1] - a[1]);
}
function within(p, q, r) {
  return p <= q && q <= r || r <= q && q <= p;
}

// node_modules/d3-contour/src/noop.js
function noop_default() {
}

// node_modules/d3-contour/src/contours.js
var cases = [
  [],
  [[[1, 1.5], [0.5, 1]]],
  [[[1.5, 1], [1, 1.5]]],
  [[[1.5, 1], [0.5, 1]]],
  [[[1, 0.5], [1.5, 1]]],
  [[[1, 1.5], [0.5, 1]], [[1, 0.5], [1.5, 1]]],
  [[[1, 0.5], [1, 1.5]]],
  [[[1, 0.5], [0.5, 1]]],
  [[[0.5, 1], [1, 0.5]]],
  [[[1, 1.5], [1, 0.5]]],
  [[[0.5, 1], [1, 0.5]], [[1.5, 1], [1, 1.5]]],
  [[[1.5, 1], [1, 0.5]]],
  [[[0.5, 1], [1.5, 1]]],
  [[[1, 1.5], [1.5, 1]]],
  [[[0.5, 1], [1, 1.5]]],
  []
];
function contours_default() {
  var dx = 1, dy = 1, threshold = thresholdSturges, smooth = smoothLinear;
  function contours(values) {
    var tz = threshold(values);
    if (!Array.isArray(tz)) {
      const e = extent(values, finite);
      tz = ticks(...nice(e[0], e[1], tz), tz);
      while (tz[tz.length - 1] >= e[1]) tz.pop();
      while (tz[1] < e[0]) tz.shift();
    } else {
      tz = tz.slice().sort(ascending_default);
    }
    return tz.map((value) => contour2(values, value));
  }
  function contour2(values, value) {
    const v = value == null ? NaN : +value;
    if (isNaN(v)) throw new Error(`invalid value: ${value}`);
    var polygons = [], holes = [];
    isorings(values, v, function(ring) {
      smooth(ring, values, v);
      if (area_default(ring) > 0) polygons.push([ring]);
      else holes.push(ring);
    });
    holes.forEach(function(hole) {
      for (var i2 = 0, n = polygons.length, polygon; i2 < n; ++i2) {
        if (contains_default((polygon = polygons[i2])[0], hole) !== -1) {
          polygon.push(hole);
          return;
        }
      }
    });
    return {
      type: "MultiPolygon",
      value,
      coordinates: polygons
    };
  }
  function isorings(values, value, callback) {
    var fragmentByStart = new Array(), fragmentByEnd = new Array(), x2, y, t0, t1, t2, t3;
    x2 = y = -1;
    t1 = above(values[0], value);
    cases[t1 << 1].forEach(stitch);
    while (++x2 < dx - 1) {
      t0 = t1, t1 = above(values[x2 + 1], value);
      cases[t0 | t1 << 1].forEach(stitch);
    }
    cases[t1 << 0].forEach(stitch);
    while (++y < dy - 1) {
      x2 = -1;
      t1 = above(values[y * dx + dx], value);
      t2 = above(values[y * dx], value);
      cases[t1 << 1 | t2 << 2].forEach(stitch);
      while (++x2 < dx - 1) {
        t0 = t1, t1 = above(values[y * dx + dx + x2 + 1], value);
        t3 = t2, t2 = above(values[y * dx + x2 + 1], value);
        cases[t0 | t1 << 1 | t2 << 2 | t3 << 3].forEach(stitch);
      }
      cases[t1 | t2 << 3].forEach(stitch);
    }
    x2 = -1;
    t2 = values[y * dx] >= value;
    cases[t2 << 2].forEach(stitch);
    while (++x2 < dx - 1) {
      t3 = t2, t2 = above(values[y * dx + x2 + 1], value);
      cases[t2 << 2 | t3 << 3].forEach(stitch);
    }
    cases[t2 << 3].forEach(stitch);
    function stitch(line) {
      var start = [line[0][0] + x2, line[0][1] + y], end = [line[1][0] + x2, line[1][1] + y], startIndex = index(start), endIndex = index(end), f, g;
      if (f = fragmentByEnd[startIndex]) {
        if (g = fragmentByStart[endIndex]) {
          delete fragmentByEnd[f.end];
          delete fragmentByStart[g.start];
          if (f === g) {
            f.ring.push(end);
            callback(f.ring);
          } else {
            fragmentByStart[f.start] = fragmentByEnd[g.end] = { start: f.start, end: g.end, ring: f.ring.concat(g.ring) };
          }
        } else {
          delete fragmentByEnd[f.end];
          f.ring.push(end);
          fragmentByEnd[f.end = endIndex] = f;
        }
      } else if (f = fragmentByStart[endIndex]) {
        if (g = fragmentByEnd[startIndex]) {
          delete fragmentByStart[f.start];
          delete fragmentByEnd[g.end];
          if (f === g) {
            f.ring.push(end);
            callback(f.ring);
          } else {
            fragmentByStart[g.start] = fragmentByEnd[f.end] = { start: g.start, end: f.end, ring: g.ring.concat(f.ring) };
          }
        } else {
          delete fragmentByStart[f.start];
          f.ring.unshift(start);
          fragmentByStart[f.start = startIndex] = f;
        }
      } else {
        fragmentByStart[startIndex] = fragmentByEnd[endIndex] = { start: startIndex, end: endIndex, ring: [start, end] };
      }
    }
  }
  function index(point) {
    return point[0] * 2 + point[1] * (dx + 1) * 4;
  }
  function smoothLinear(ring, values, value) {
    ring.forEach(function(point) {
      var x2 = point[0], y = point[1], xt = x2 | 0, yt = y | 0, v1 = valid(values[yt * dx + xt]);
      if (x2 > 0 && x2 < dx && xt === x2) {
        point[0] = smooth1(x2, valid(values[yt * dx + xt - 1]), v1, value);
      }
      if (y > 0 && y < dy && yt === y) {
        point[1] = smooth1(y, valid(values[(yt - 1) * dx + xt]), v1, value);
      }
    });
  }
  contours.contour = contour2;
  contours.size = function(_) {
    if (!arguments.length) return [dx, dy];
    var _0 = Math.floor(_[0]), _1 = Math.floor(_[1]);
    if (!(_0 >= 0 && _1 >= 0)) throw new Error("invalid size");
    return dx = _0, dy = _1, contours;
  };
  contours.thresholds = function(_) {
    return arguments.length ? (threshold = typeof _ === "function" ? _ : Array.isArray(_) ? constant_default(slice.call(_)) : constant_default(_), contours) : threshold;
  };
  contours.smooth = function(_) {
    return arguments.length ? (smooth = _ ? smoothLinear : noop_default, contours) : smooth === smoothLinear;
  };
  return contours;
}
function finite(x2) {
  return isFinite(x2) ? x2 : NaN;
}
function above(x2, value) {
  return x2 == null ? false : +x2 >= value;
}
function valid(v) {
  return v == null || isNaN(v = +v) ? -Infinity : v;
}
function smooth1(x2, v0, v1, value) {
  const a = value - v0;
  const b = v1 - v0;
  const d = isFinite(a) || isFinite(b) ? a / b : Math.sign(a) / Math.sign(b);
  return isNaN(d) ? x2 : x2 + d - 0.5;
}

// node_modules/d3-format/dist/d3-format.mjs
function formatDecimal(x2) {
  return Math.abs(x2 = Math.round(x2)) >= 1e21 ? x2.toLocaleString("en").replace(/,/g, "") : x2.toString(10);
}
function formatDecimalParts(x2, p) {
  if (!isFinite(x2) || x2 === 0) return null;
  var i2 = (x2 = p ? x2.toExponential(p - 1) : x2.toExponential()).indexOf("e"), coefficient = x2.slice(0, i2);
  return [
    coefficient.length > 1 ? coefficient[0] + coefficient.slice(2) : coefficient,
    +x2.slice(i2 + 1)
  ];
}
function exponent(x2) {
  return x2 = formatDecimalParts(Math.abs(x2)), x2 ? x2[1] : NaN;
}
function formatGroup(grouping, thousands) {
  return function(value, width) {
    var i2 = value.length, t = [], j = 0, g = grouping[0], length = 0;
    while (i2 > 0 && g > 0) {
      if (length + g + 1 > width) g = Math.max(1, width - length);
      t.push(value.substring(i2 -= g, i2 + g));
      if ((length += g + 1) > width) break;
      g = grouping[j = (j + 1) % grouping.length];
    }
    return t.reverse().join(thousands);
  };
}
function formatNumerals(numerals) {
  return function(value) {
    return value.replace(/[0-9]/g, function(i2) {
      return numerals[+i2];
    });
  };
}
var re = /^(?:(.)?([<>=^]))?([+\-( ])?([$#])?(0)?(\d+)?(,)?(\.\d+)?(~)?([a-z%])?$/i;
function formatSpecifier(specifier) {
  if (!(match = re.exec(specifier))) throw new Error("invalid format: " + specifier);
  var match;
  return new FormatSpecifier({
    fill: match[1],
    align: match[2],
    sign: match[3],
    symbol: match[4],
    zero: match[5],
    width: match[6],
    comma: match[7],
    precision: match[8] && match[8].slice(1),
    trim: match[9],
    type: match[10]
  });
}
formatSpecifier.prototype = FormatSpecifier.prototype;
function FormatSpecifier(specifier) {
  this.fill = specifier.fill === void 0 ? " " : specifier.fill + "";
  this.align = specifier.align === void 0 ? ">" : specifier.align + "";
  this.sign = specifier.sign === void 0 ? "-" : specifier.sign + "";
  this.symbol = specifier.symbol === void 0 ? "" : specifier.symbol + "";
  this.zero = !!specifier.zero;
  this.width = specifier.width === void 0 ? void 0 : +specifier.width;
  this.comma = !!specifier.comma;
  this.precision = specifier.precision === void 0 ? void 0 : +specifier.precision;
  this.trim = !!specifier.trim;
  this.type = specifier.type === void 0 ? "" : specifier.type + "";
}
FormatSpecifier.prototype.toString = function() {
  return this.fill + this.align + this.sign + this.symbol + (this.zero ? "0" : "") + (this.width === void 0 ? "" : Math.max(1, this.width | 0)) + (this.comma ? "," : "") + (this.precision === void 0 ? "" : "." + Math.max(0, this.precision | 0)) + (this.trim ? "~" : "") + this.type;
};
function formatTrim(s) {
  out: for (var n = s.length, i2 = 1, i0 = -1, i1; i2 < n; ++i2) {
    switch (s[i2]) {
      case ".":
        i0 = i1 = i2;
        break;
      case "0":
        if (i0 === 0) i0 = i2;
        i1 = i2;
        break;
      default:
        if (!+s[i2]) break out;
        if (i0 > 0) i0 = 0;
        break;
    }
  }
  return i0 > 0 ? s.slice(0, i0) + s.slice(i1 + 1) : s;
}
var prefixExponent;
function formatPrefixAuto(x2, p) {
  var d = formatDecimalParts(x2, p);
  if (!d) return prefixExponent = void 0, x2.toPrecision(p);
  var coefficient = d[0], exponent2 = d[1], i2 = exponent2 - (prefixExponent = Math.max(-8, Math.min(8, Math.floor(exponent2 / 3))) * 3) + 1, n = coefficient.length;
  return i2 === n ? coefficient : i2 > n ? coefficient + new Array(i2 - n + 1).join("0") : i2 > 0 ? coefficient.slice(0, i2) + "." + coefficient.slice(i2) : "0." + new Array(1 - i2).join("0") + formatDecimalParts(x2, Math.max(0, p + i2 - 1))[0];
}
function formatRounded(x2, p) {
  var d = formatDecimalParts(x2, p);
  if (!d) return x2 + "";
  var coefficient = d[0], exponent2 = d[1];
  return exponent2 < 0 ? "0." + new Array(-exponent2).join("0") + coefficient : coefficient.length > exponent2 + 1 ? coefficient.slice(0, exponent2 + 1) + "." + coefficient.slice(exponent2 + 1) : coefficient + new Array(exponent2 - coefficient.length + 2).join("0");
}
var formatTypes = {
  "%": (x2, p) => (x2 * 100).toFixed(p),
  "b": (x2) => Math.round(x2).toString(2),
  "c": (x2) => x2 + "",
  "d": formatDecimal,
  "e": (x2, p) => x2.toExponential(p),
  "f": (x2, p) => x2.toFixed(p),
  "g": (x2, p) => x2.toPrecision(p),
  "o": (x2) => Math.round(x2).toString(8),
  "p": (x2, p) => formatRounded(x2 * 100, p),
  "r": formatRounded,
  "s": formatPrefixAuto,
  "X": (x2) => Math.round(x2).toString(16).toUpperCase(),
  "x": (x2) => Math.round(x2).toString(16)
};
function identity(x2) {
  return x2;
}
var map = Array.prototype.map;
var prefixes = ["y", "z", "a", "f", "p", "n", "µ", "m", "", "k", "M", "G", "T", "P", "E", "Z", "Y"];
function formatLocale(locale2) {
  var group = locale2.grouping === void 0 || locale2.thousands === void 0 ? identity : formatGroup(map.call(locale2.grouping, Number), locale2.thousands + ""), currencyPrefix = locale2.currency === void 0 ? "" : locale2.currency[0] + "", currencySuffix = locale2.currency === void 0 ? "" : locale2.currency[1] + "", decimal = locale2.decimal === void 0 ? "." : locale2.decimal + "", numerals = locale2.numerals === void 0 ? identity : formatNumerals(map.call(locale2.numerals, String)), percent2 = locale2.percent === void 0 ? "%" : locale2.percent + "", minus = locale2.minus === void 0 ? "−" : locale2.minus + "", nan = locale2.nan === void 0 ? "NaN" : locale2.nan + "";
  function newFormat(specifier, options) {
    specifier = formatSpecifier(specifier);
    var fill = specifier.fill, align = specifier.align, sign = specifier.sign, symbol = specifier.symbol, zero2 = specifier.zero, width = specifier.width, comma = specifier.comma, precision = specifier.precision, trim = specifier.trim, type = specifier.type;
    if (type === "n") comma = true, type = "g";
    else if (!formatTypes[type]) precision === void 0 && (precision = 12), trim = true, type = "g";
    if (zero2 || fill === "0" && align === "=") zero2 = true, fill = "0", align = "=";
    var prefix = (options && options.prefix !== void 0 ? options.prefix : "") + (symbol === "$" ? currencyPrefix : symbol === "#" && /[boxX]/.test(type) ? "0" + type.toLowerCase() : ""), suffix = (symbol === "$" ? currencySuffix : /[%p]/.test(type) ? percent2 : "") + (options && options.suffix !== void 0 ? options.suffix : "");
    var formatType = formatTypes[type], maybeSuffix = /[defgprs%]/.test(type);
    precision = precision === void 0 ? 6 : /[gprs]/.test(type) ? Math.max(1, Math.min(21, precision)) : Math.max(0, Math.min(20, precision));
    function format2(value) {
      var valuePrefix = prefix, valueSuffix = suffix, i2, n, c;
      if (type === "c") {
        valueSuffix = formatType(value) + valueSuffix;
        value = "";
      } else {
        value = +value;
        var valueNegative = value < 0 || 1 / value < 0;
        value = isNaN(value) ? nan : formatType(Math.abs(value), precision);
        if (trim) value = formatTrim(value);
        if (valueNegative && +value === 0 && sign !== "+") valueNegative = false;
        valuePrefix = (valueNegative ? sign === "(" ? sign : minus : sign === "-" || sign === "(" ? "" : sign) + valuePrefix;
        valueSuffix = (type === "s" && !isNaN(value) && prefixExponent !== void 0 ? prefixes[8 + prefixExponent / 3] : "") + valueSuffix + (valueNegative && sign === "(" ? ")" : "");
        if (maybeSuffix) {
          i2 = -1, n = value.length;
          while (++i2 < n) {
            if (c = value.charCodeAt(i2), 48 > c || c > 57) {
              valueSuffix = (c === 46 ? decimal + value.slice(i2 + 1) : value.slice(i2)) + valueSuffix;
              value = value.slice(0, i2);
              break;
            }
          }
        }
      }
      if (comma && !zero2) value = group(value, Infinity);
      var length = valuePrefix.length + value.length + valueSuffix.length, padding = length < width ? new Array(width - length + 1).join(fill) : "";
      if (comma && zero2) value = group(padding + value, padding.length ? width - valueSuffix.length : Infinity), padding = "";
      switch (align) {
        case "<":
          value = valuePrefix + value + valueSuffix + padding;
          break;
        case "=":
          value = valuePrefix + padding + value + valueSuffix;
          break;
        case "^":
          value = padding.slice(0, length = padding.length >> 1) + valuePrefix + value + valueSuffix + padding.slice(length);
          break;
        default:
          value = padding + valuePrefix + value + valueSuffix;
          break;
      }
      return numerals(value);
    }
    format2.toString = function() {
      return specifier + "";
    };
    return format2;
  }
  function formatPrefix2(specifier, value) {
    var e = Math.max(-8, Math.min(8, Math.floor(exponent(value) / 3))) * 3, k = Math.pow(10, -e), f = newFormat((specifier = formatSpecifier(specifier), specifier.type = "f", specifier), { suffix: prefixes[8 + e / 3] });
    return function(value2) {
      return f(k * value2);
    };
  }
  return {
    format: newFormat,
    formatPrefix: formatPrefix2
  };
}
var locale;
var format;
var formatPrefix;
defaultLocale({
  thousands: ",",
  grouping: [3],
  currency: ["$", ""]
});
function defaultLocale(definition) {
  locale = formatLocale(definition);
  format = locale.format;
  formatPrefix = locale.formatPrefix;
  return locale;
}

// src/phi/format.ts
var plain = format(".3~r");
var grouped = format(",d");
var scientific = format(".2~e");

// src/phi/entries.ts
function functionOf(layer, selection) {
  if (!selection || selection.layer !== layer.name) return -1;
  const [out, inputs, kh, kw] = layer.shape;
  const { row, column } = selection;
  const [o, i2] = [selection.out - (layer.window?.out ?? 0), selection.in - (layer.window?.in ?? 0)];
  const inside = (n, size) => Number.isInteger(n) && n >= 0 && n < size;
  if (!inside(o, out) || !inside(i2, inputs) || !inside(row, kh) || !inside(column, kw)) return -1;
  return ((o * inputs + i2) * kh + row) * kw + column;
}

// src/phi/curves.ts
var ALL_POINTS = 1 << 20;
function place(xs, x2) {
  const row = bisectRight(xs, x2) - 1;
  if (xs[row] === x2 || row === xs.length - 1) return row;
  return row + (x2 - xs[row]) / (xs[row + 1] - xs[row]);
}
function between(a, b, share) {
  return share === 0 ? a : a * (1 - share) + b * share;
}

// src/phi/interpolate.ts
var ROWS_OF_A_POLYNOMIAL = 6;
var weights = new Float64Array(ROWS_OF_A_POLYNOMIAL);
function curveAt(xs, y, x2) {
  const row = place(xs, x2);
  return between(y[Math.floor(row)], y[Math.floor(row) + 1], row % 1);
}
var scratchSpace = new Float64Array(16);

// src/phi/pair.ts
var LEVELS = 7;
function levelsOf(low, high) {
  return high > low && Number.isFinite(high - low) ? ticks(low, high, LEVELS) : [];
}
function contour(values, width, height, level) {
  const isInside = ([x2, y]) => x2 >= 0 && y >= 0 && x2 <= width - 1 && y <= height - 1;
  const areas = contours_default().size([width, height]).contour(values, level).coordinates;
  return areas.flat().flatMap((ring) => {
    const points = ring.map(([x2, y]) => [x2 - 0.5, y - 0.5]);
    const gap = points.findIndex((point) => !isInside(point));
    if (gap < 0) return [points];
    const lines = [[]];
    for (const point of [...points.slice(gap, -1), ...points.slice(0, gap)]) {
      if (isInside(point)) lines[lines.length - 1].push(point);
      else lines.push([]);
    }
    return lines.filter(({ length }) => length > 1);
  });
}

// src/training/between_layers.ts
var Operation = class {
  constructor(machine, from, to) {
    this.machine = machine;
    this.from = from;
    this.to = to;
  }
  machine;
  from;
  to;
  /** Input and output of n examples. */
  values(n) {
    return this.#both(n, this.from.at, this.to.at);
  }
  /** The gradients of the input and of the output. */
  gradients(n) {
    return this.#both(n, this.from.grad, this.to.grad);
  }
  #both(n, from, to) {
    const { machine } = this;
    return [machine.floats(from, n * this.from.size), machine.floats(to, n * this.to.size)];
  }
};
function takeValues(machine, maxBatch, shape) {
  const size = product(shape);
  return { at: machine.take(maxBatch * size), grad: machine.take(maxBatch * size), shape, size };
}
var MOMENTUM = 0.1;
var BatchNorm = class extends Operation {
  constructor(machine, from, to, stats, scale, shift, eps) {
    super(machine, from, to);
    this.stats = stats;
    this.scale = scale;
    this.shift = shift;
    this.eps = eps;
    this.#means = new Float64Array(from.shape[0]);
    this.#inverses = new Float64Array(from.shape[0]);
  }
  stats;
  scale;
  shift;
  eps;
  /** Of the last batch, by channel: means, and 1 / √(variance + eps). */
  #means;
  #inverses;
  forward(n, training) {
    const { machine, from } = this;
    const channels = from.shape[0];
    const [x2, y] = this.values(n);
    const [means, inverses] = [this.#means, this.#inverses];
    const stats = [this.stats.mean, this.stats.variance].map((at) => machine.floats(at, channels));
    if (training) this.#measure(x2, channels, stats);
    else {
      means.set(stats[0]);
      inverses.set(stats[1].map((variance2) => 1 / Math.sqrt(variance2 + this.eps)));
    }
    const scale = this.scale && machine.floats(this.scale.at, channels);
    const shift = this.shift && machine.floats(this.shift.at, channels);
    const factors = inverses.map((inverse, c) => inverse * (scale ? scale[c] : 1));
    const terms = factors.map((factor, c) => (shift ? shift[c] : 0) - means[c] * factor);
    for (let k = 0; k < x2.length; k += channels)
      for (let c = 0; c < channels; c++) y[k + c] = x2[k + c] * factors[c] + terms[c];
    return true;
  }
  #measure(x2, channels, [mean, variance2]) {
    const count2 = x2.length / channels;
    const means = this.#means.fill(0);
    const inverses = this.#inverses.fill(0);
    for (let k = 0; k < x2.length; k += channels)
      for (let c = 0; c < channels; c++) means[c] += x2[k + c];
    for (let c = 0; c < channels; c++) means[c] /= count2;
    for (let k = 0; k < x2.length; k += channels)
      for (let c = 0; c < channels; c++) inverses[c] += (x2[k + c] - means[c]) ** 2;
    for (let c = 0; c < channels; c++) {
      const batchVariance = inverses[c] / count2;
      mean[c] += MOMENTUM * (means[c] - mean[c]);
      variance2[c] += MOMENTUM * (batchVariance * count2 / Math.max(1, count2 - 1) - variance2[c]);
      inverses[c] = 1 / Math.sqrt(batchVariance + this.eps);
    }
  }
  backward(n) {
    const { machine, from } = this;
    const channels = from.shape[0];
    const [x2] = this.values(n);
    const [gradInput, gradOutput] = this.gradients(n);
    const scale = this.scale && machine.floats(this.scale.at, channels);
    const sums = new Float64Array(channels);
    const products = new Float64Array(channels);
    const [means, inverses] = [this.#means, this.#inverses];
    for (let k = 0; k < x2.length; k += channels)
      for (let c = 0; c < channels; c++) {
        sums[c] += gradOutput[k + c];
        products[c] += gradOutput[k + c] * (x2[k + c] - means[c]) * inverses[c];
      }
    if (this.scale) machine.floats(this.scale.grad, channels).set(products);
    if (this.shift) machine.floats(this.shift.grad, channels).set(sums);
    const count2 = x2.length / channels;
    const factors = inverses.map((inverse, c) => inverse * (scale ? scale[c] : 1));
    const slopes = factors.map((factor, c) => -factor * inverses[c] * products[c] / count2);
    const terms = factors.map((factor, c) => -factor * sums[c] / count2 - slopes[c] * means[c]);
    for (let k = 0; k < x2.length; k += channels)
      for (let c = 0; c < channels; c++)
        gradInput[k + c] = gradOutput[k + c] * factors[c] + x2[k + c] * slopes[c] + terms[c];
    return true;
  }
};
var MaxPool = class extends Operation {
  constructor(machine, from, to, kernel, stride) {
    super(machine, from, to);
    this.kernel = kernel;
    this.stride = stride;
  }
  kernel;
  stride;
  /** Where the largest number of each window came from. */
  #sources = new Int32Array(0);
  forward(n) {
    const { from, to } = this;
    const [channels, height, width] = from.shape;
    const [, outHeight, outWidth] = to.shape;
    const [x2, y] = this.values(n);
    if (this.#sources.length < y.length) this.#sources = new Int32Array(y.length);
    const sources = this.#sources;
    const [[rows, columns], [down, right]] = [this.kernel, this.stride];
    for (let image = 0, k = 0; image < n; image++)
      for (let row = 0; row < outHeight; row++)
        for (let column = 0; column < outWidth; column++) {
          const corner = ((image * height + row * down) * width + column * right) * channels;
          for (let c = 0; c < channels; c++, k++) {
            let best = corner + c;
            let most = x2[best];
            for (let h = 0; h < rows; h++)
              for (let w = 0; w < columns; w++) {
                const at = corner + (h * width + w) * channels + c;
                if (x2[at] > most) {
                  most = x2[at];
                  best = at;
                }
              }
            y[k] = most;
            sources[k] = best;
          }
        }
    return true;
  }
  backward(n) {
    const [gradInput, gradOutput] = this.gradients(n);
    gradInput.fill(0);
    const sources = this.#sources;
    for (let k = 0; k < gradOutput.length; k++) gradInput[sources[k]] += gradOutput[k];
    return true;
  }
};
var Flatten = class extends Operation {
  forward(n) {
    this.#move(n, this.from.at, this.to.at, false);
    return true;
  }
  backward(n) {
    this.#move(n, this.to.grad, this.from.grad, true);
    return true;
  }
  #move(n, source, target, back) {
    const { size } = this.from;
    const [channels] = this.from.shape;
    const area = size / channels;
    const x2 = this.machine.floats(source, n * size);
    const y = this.machine.floats(target, n * size);
    for (let image = 0; image < n * size; image += size)
      for (let place2 = 0; place2 < area; place2++)
        for (let c = 0; c < channels; c++) {
          const [inner, outer] = [image + place2 * channels + c, image + c * area + place2];
          if (back) y[inner] = x2[outer];
          else y[outer] = x2[inner];
        }
  }
};
var DIFFERENTIABLE = {
  identity: [(x2) => x2, () => 1],
  relu: [(x2) => Math.max(x2, 0), (x2) => x2 > 0 ? 1 : 0],
  tanh: [Math.tanh, (x2) => 1 - Math.tanh(x2) ** 2],
  silu: [
    (x2) => x2 / (1 + Math.exp(-x2)),
    (x2) => {
      const gate = 1 / (1 + Math.exp(-x2));
      return gate * (1 + x2 * (1 - gate));
    }
  ]
};
var Elementwise = class extends Operation {
  constructor(machine, from, to, f, slope) {
    super(machine, from, to);
    this.f = f;
    this.slope = slope;
  }
  f;
  slope;
  forward(n) {
    const [x2, y] = this.values(n);
    const { f } = this;
    for (let k = 0; k < x2.length; k++) y[k] = f(x2[k]);
    return true;
  }
  backward(n) {
    const [x2] = this.values(n);
    const [gradInput, gradOutput] = this.gradients(n);
    const { slope } = this;
    for (let k = 0; k < x2.length; k++) gradInput[k] = gradOutput[k] * slope(x2[k]);
    return true;
  }
};
var LogSoftmax = class extends Operation {
  forward(n) {
    const { size } = this.from;
    const [x2, y] = this.values(n);
    for (let row = 0; row < n * size; row += size) {
      let most = Number.NEGATIVE_INFINITY;
      for (let k = row; k < row + size; k++) most = Math.max(most, x2[k]);
      let sum = 0;
      for (let k = row; k < row + size; k++) sum += Math.exp(x2[k] - most);
      const log = most + Math.log(sum);
      for (let k = row; k < row + size; k++) y[k] = x2[k] - log;
    }
    return true;
  }
  backward(n) {
    const { size } = this.from;
    const [, y] = this.values(n);
    const [gradInput, gradOutput] = this.gradients(n);
    for (let row = 0; row < n * size; row += size) {
      let sum = 0;
      for (let k = row; k < row + size; k++) sum += gradOutput[k];
      for (let k = row; k < row + size; k++) gradInput[k] = gradOutput[k] - Math.exp(y[k]) * sum;
    }
    return true;
  }
};

// src/training/layer.ts
var NO_SPLINES = { order: 1, functions: 2, family: 0, shift: -1, factor: 0.5 };
var KanLayer = class extends Operation {
  constructor(machine, layer, recipe, from, to, bias, maxBatch) {
    super(machine, from, to);
    this.layer = layer;
    this.bias = bias;
    const { count: count2, conv: conv2 } = layer;
    this.#basis = recipe.basis ?? NO_SPLINES;
    this.#activation = recipe.base === "silu" ? null : DIFFERENTIABLE[recipe.base];
    this.#copies = conv2?.shared ? from.shape[0] : 1;
    const { functions } = this.#basis;
    const weight = (size) => {
      return { at: machine.take(size), grad: machine.take(size), count: size };
    };
    this.base = weight(count2);
    this.spline = recipe.basis ? weight(count2 * functions) : null;
    this.scaler = recipe.scaler ? weight(count2) : null;
    const isDirect = this.#copies === 1;
    this.#operands = {
      base: isDirect ? this.base : weight(count2 * this.#copies),
      spline: isDirect && this.spline && !this.scaler ? this.spline : weight(count2 * functions * this.#copies)
    };
    const takeRoom = () => this.#activation ? machine.take(maxBatch * from.size) : 0;
    this.#activations = { base: takeRoom(), slope: takeRoom() };
  }
  layer;
  bias;
  base;
  spline;
  scaler;
  #basis;
  /** The base function, null for SiLU: the compiled kernels have that themselves. */
  #activation;
  /** How many channels use each kernel. */
  #copies;
  /** The weights that the compiled kernels read: the parameters, or scaled copies of them for each channel. */
  #operands;
  #activations;
  #sizes = /* @__PURE__ */ new Map();
  forward(n) {
    this.#copyOperands();
    this.#activate(n);
    if (!this.machine.forward(this.#call(n))) return false;
    if (this.bias) {
      const bias = this.machine.floats(this.bias.at, this.bias.count);
      const [, y] = this.values(n);
      for (let k = 0; k < y.length; k += bias.length)
        for (let c = 0; c < bias.length; c++) y[k + c] += bias[c];
    }
    return true;
  }
  backward(n) {
    const done = this.machine.backward(this.#call(n), {
      y: this.to.grad,
      x: this.from.grad,
      baseWeight: this.#operands.base.grad,
      splineWeight: this.#operands.spline.grad
    });
    if (!done) return false;
    if (this.bias) {
      const sums = this.machine.floats(this.bias.grad, this.bias.count).fill(0);
      const [, gradOutput] = this.gradients(n);
      for (let k = 0; k < gradOutput.length; k += sums.length)
        for (let c = 0; c < sums.length; c++) sums[c] += gradOutput[k + c];
    }
    this.#sumGradients();
    return true;
  }
  /** Sets the parameters from a frame's coefficients; a scaler that is not given keeps its value. */
  read(frame, scaler) {
    if (this.scaler && scaler) this.machine.floats(this.scaler.at, this.scaler.count).set(scaler);
    this.#visit((at, values, k, scale) => {
      values[k] = scale === 0 ? 0 : frame[at] / scale;
    });
  }
  /** Writes the layer's coefficients to a frame. */
  write(frame) {
    this.#visit((at, values, k, scale) => {
      frame[at] = values[k] * scale;
    });
  }
  /** Calls with the place of each coefficient in a frame, the parameters that it is one of, its place there, and what scales it. */
  #visit(act) {
    const { layer, machine, spline } = this;
    const base = machine.floats(this.base.at, this.base.count);
    const { functions } = this.#basis;
    const splines = spline && machine.floats(spline.at, spline.count);
    const scales = this.scaler && machine.floats(this.scaler.at, this.scaler.count);
    for (let f = 0; f < layer.count; f++) {
      let k = 0;
      for (let b = 0; b < layer.nb; b++) {
        const at = layer.offset + f * layer.nb + b;
        if (layer.isBase[b]) act(at, base, f, 1);
        else if (splines) act(at, splines, f * functions + k++, scales ? scales[f] : 1);
      }
    }
  }
  /** Copies the parameters, scaled and for each channel, to where the compiled kernels read them. */
  #copyOperands() {
    const { machine, spline, scaler } = this;
    const { base: toBase, spline: toSpline } = this.#operands;
    if (toBase !== this.base) {
      const base = machine.floats(this.base.at, this.base.count);
      const to2 = machine.floats(toBase.at, toBase.count);
      for (let k = 0; k < to2.length; k++) to2[k] = base[k % base.length];
    }
    if (!spline || toSpline === spline) return;
    const splines = machine.floats(spline.at, spline.count);
    const scales = scaler && machine.floats(scaler.at, scaler.count);
    const to = machine.floats(toSpline.at, toSpline.count);
    const { functions } = this.#basis;
    for (let k = 0; k < to.length; k++) {
      const source = k % splines.length;
      to[k] = splines[source] * (scales ? scales[Math.floor(source / functions)] : 1);
    }
  }
  /** Sums the gradients of the parameters from those of the copies. */
  #sumGradients() {
    const { machine, spline, scaler } = this;
    const { base: fromBase, spline: fromSpline } = this.#operands;
    if (fromBase !== this.base) {
      const gradients2 = machine.floats(fromBase.grad, fromBase.count);
      const sums2 = machine.floats(this.base.grad, this.base.count).fill(0);
      for (let k = 0; k < gradients2.length; k++) sums2[k % sums2.length] += gradients2[k];
    }
    if (!spline || fromSpline === spline) return;
    const gradients = machine.floats(fromSpline.grad, fromSpline.count);
    const sums = machine.floats(spline.grad, spline.count).fill(0);
    for (let k = 0; k < gradients.length; k++) sums[k % sums.length] += gradients[k];
    if (!scaler) return;
    const { functions } = this.#basis;
    const splines = machine.floats(spline.at, spline.count);
    const scales = machine.floats(scaler.at, scaler.count);
    const toScales = machine.floats(scaler.grad, scaler.count).fill(0);
    for (let k = 0; k < sums.length; k++) {
      const f = Math.floor(k / functions);
      toScales[f] += sums[k] * splines[k];
      sums[k] *= scales[f];
    }
  }
  /** The base function of the input and its derivative, where the kernels have none of their own. */
  #activate(n) {
    if (!this.#activation) return;
    const [f, slope] = this.#activation;
    const [x2] = this.values(n);
    const base = this.machine.floats(this.#activations.base, x2.length);
    const slopes = this.machine.floats(this.#activations.slope, x2.length);
    for (let k = 0; k < x2.length; k++) {
      base[k] = f(x2[k]);
      slopes[k] = slope(x2[k]);
    }
  }
  #call(n) {
    let sizes = this.#sizes.get(n);
    if (!sizes) {
      sizes = sizesOf(this.layer, this.from, this.to, n);
      this.#sizes.set(n, sizes);
    }
    const { base, spline } = this.#operands;
    return {
      sizes,
      basis: this.#basis,
      x: this.from.at,
      ...this.#activations,
      baseWeight: base.at,
      splineWeight: spline.at,
      y: this.to.at
    };
  }
};
function sizesOf(layer, from, to, n) {
  const conv2 = layer.conv;
  if (!conv2) return denseSizes(n, layer.shape[1], layer.shape[0]);
  const [channels, height, width] = from.shape;
  const [out, outHeight, outWidth] = to.shape;
  const [left, right, top, bottom] = conv2.padding;
  return {
    ...{ n, height: height + top + bottom, width: width + left + right, channels, out },
    groups: groupsOf(conv2, channels),
    ...{ kernel: [layer.shape[2], layer.shape[3]], stride: conv2.stride, dilation: conv2.dilation },
    ...{ outHeight, outWidth, innerHeight: height, innerWidth: width, top, left },
    xStrides: [from.size, width * channels, channels, 1],
    yStrides: [to.size, outWidth * out, out, 1]
  };
}
function denseSizes(n, features, out) {
  return {
    ...{ n: 1, height: n, width: 1, channels: features, out, groups: 1 },
    ...{ kernel: [1, 1], stride: [1, 1], dilation: [1, 1] },
    ...{ outHeight: n, outWidth: 1, innerHeight: n, innerWidth: 1, top: 0, left: 0 },
    ...{ xStrides: [0, features, 0, 1], yStrides: [0, out, 0, 1] }
  };
}
var groupsOf = ({ shared, groups }, channels) => shared ? channels : groups;

// src/training/observed.ts
var BINS = 64;
var MOST_PATCH_NUMBERS = 2e4;
var MOST_MAPS = 8;
function observe(machine, { stations }, layer, from, n, step) {
  const x2 = machine.floats(from.at, n * from.size);
  const { columns, maps, mapShape } = layer.conv ? unfolded(layer, x2, from.shape, n) : flat(x2, from);
  const entries = columns.length;
  const [low, high] = layer.extent;
  const edges = Float32Array.from({ length: BINS + 1 }, (_, k) => low + (high - low) * k / BINS);
  const counts = new Float32Array(entries * BINS);
  const outside = ([from2, to]) => Float32Array.from(columns, (column) => {
    return column.filter((value) => value < from2 || value > to).length / column.length;
  });
  for (const [entry, column] of columns.entries())
    for (const value of column)
      if (value >= low && value <= high) {
        const bin = Math.floor(BINS * (value - low) / (high - low));
        counts[entry * BINS + Math.min(BINS - 1, bin)]++;
      }
  const rows = columns[0].length;
  const patchCount = Math.min(rows, Math.max(1, Math.floor(MOST_PATCH_NUMBERS / entries)));
  const patches = new Float32Array(patchCount * entries);
  for (let k = 0; k < patchCount; k++)
    for (let entry = 0; entry < entries; entry++)
      patches[k * entries + entry] = columns[entry][Math.floor(k * rows / patchCount)];
  const number2 = stations.findIndex((station) => station.layer === layer.name);
  const arrays = {
    ...{ edges, counts, outside_domain: outside(layer.domain) },
    ...{ outside_extent: outside(layer.extent), patches, ...maps && { maps } }
  };
  return {
    ...{ kind: "observed", layer: layer.name, samples: n, step },
    ...{ is_image: stations[number2].sources[0] === 0, fold: foldOf(stations, number2) },
    shapes: {
      ...{ edges: [BINS + 1], counts: [entries, BINS], outside_domain: [entries] },
      ...{ outside_extent: [entries], patches: [patchCount, entries] },
      ...mapShape && { maps: mapShape }
    },
    arrays: Object.fromEntries(
      Object.entries(arrays).map(([name, { buffer }]) => [name, new DataView(buffer)])
    )
  };
}
function foldOf(stations, number2) {
  let [at] = stations[number2].sources;
  while (stations[at].kind === "norm") [at] = stations[at].sources;
  if (stations[at].kind !== "reshape") return null;
  const { shape } = stations[stations[at].sources[0]];
  return shape.length === 3 ? shape : null;
}
function flat(x2, { size }) {
  const column = (entry) => Float32Array.from({ length: x2.length / size }, (_, k) => x2[k * size + entry]);
  const columns = Array.from({ length: size }, (_, entry) => column(entry));
  return { columns, maps: null, mapShape: null };
}
function unfolded(layer, x2, shape, n) {
  const [channels, height, width] = shape;
  const [, , kh, kw] = layer.shape;
  const { padding, stride, dilation, shared } = layer.conv;
  const [left, right, top, bottom] = padding;
  const rows = Math.floor((height + top + bottom - dilation[0] * (kh - 1) - 1) / stride[0]) + 1;
  const across2 = Math.floor((width + left + right - dilation[1] * (kw - 1) - 1) / stride[1]) + 1;
  const at = (image, channel, row, column) => row < 0 || row >= height || column < 0 || column >= width ? 0 : x2[((image * height + row) * width + column) * channels + channel];
  const group = shared ? channels : 1;
  const places = n * group * rows * across2;
  const columns = Array.from({ length: channels / group * kh * kw }, (_, entry) => {
    const [own, a, b] = [Math.floor(entry / kh / kw), Math.floor(entry / kw) % kh, entry % kw];
    return Float32Array.from({ length: places }, (_2, k) => {
      const [image, place2] = [Math.floor(k / rows / across2), k % (rows * across2)];
      const row = Math.floor(place2 / across2) * stride[0] + a * dilation[0] - top;
      const column = place2 % across2 * stride[1] + b * dilation[1] - left;
      return at(Math.floor(image / group), shared ? image % group : own, row, column);
    });
  });
  const mapShape = [Math.min(n, MOST_MAPS), channels, height, width];
  const area = height * width;
  const maps = Float32Array.from({ length: product(mapShape) }, (_, k) => {
    const [image, place2] = [Math.floor(k / area / channels), k % area];
    return at(image, Math.floor(k / area) % channels, Math.floor(place2 / width), place2 % width);
  });
  return { columns, maps, mapShape };
}

// src/training/network.ts
var Network = class {
  /** For batches of at most `maxBatch` examples. Python writes no page of a network that cannot be trained in one. */
  constructor(machine, description, maxBatch) {
    this.machine = machine;
    this.description = description;
    this.maxBatch = maxBatch;
    const { stations } = description.structure;
    let values = takeValues(machine, maxBatch, stations[0].shape);
    this.input = values;
    for (const station of stations.slice(1)) {
      const to = takeValues(machine, maxBatch, station.shape);
      this.#operations.push(this.#operation(station, values, to));
      values = to;
    }
    this.output = values;
    this.isClassifier = stations.at(-1)?.compute?.op === "log_softmax";
  }
  machine;
  description;
  maxBatch;
  input;
  output;
  /** All that is trained. */
  weights = [];
  #operations = [];
  #layers = [];
  #vectors = [];
  /** Whether the output is log-probabilities. */
  isClassifier;
  /** The output of the first n inputs; false where a number is not finite. */
  forward(n, training) {
    return this.#operations.every((operation) => operation.forward(n, training));
  }
  /** Computes the gradients of all that is trained from the output's; false where one is not finite. */
  backward(n) {
    return [...this.#operations].reverse().every((operation) => operation.backward(n));
  }
  /** Sets the network to a frame, and at its first to the scalers that it had in Python. */
  read(frame, isFirst = false) {
    const { recipe } = this.description;
    for (const layer of this.#layers)
      layer.read(frame, isFirst ? recipe[layer.layer.name].scaler : void 0);
    for (const { name, at, size } of this.#vectors) {
      const offset = this.description.layout.beside?.get(name)?.offset ?? 0;
      this.machine.floats(at, size).set(frame.subarray(offset, offset + size));
    }
  }
  /** The network as a frame. */
  frame() {
    const { layers, beside } = this.description.layout;
    const ends = layers.map(({ offset, count: count2, nb }) => offset + count2 * nb);
    const vectorEnds = Array.from(beside?.values() ?? [], ({ offset, size }) => offset + size);
    const frame = new Float32Array(Math.max(0, ...ends, ...vectorEnds));
    for (const layer of this.#layers) layer.write(frame);
    for (const { name, at, size } of this.#vectors)
      frame.set(this.machine.floats(at, size), beside?.get(name)?.offset);
    return frame;
  }
  /** What reaches its functions, once the outputs of `n` examples are computed. */
  observe(n, step) {
    const { structure } = this.description;
    return this.#layers.filter(({ spline }) => spline).map(({ layer, from }) => observe(this.machine, structure, layer, from, n, step));
  }
  #operation(station, from, to) {
    const { machine } = this;
    const { layer: name, compute } = station;
    const layer = this.description.layout.layers.find((each) => each.name === name);
    if (layer) {
      const bias = this.#weight(station, "bias");
      const layerRecipe = this.description.recipe[layer.name];
      const kanLayer = new KanLayer(machine, layer, layerRecipe, from, to, bias, this.maxBatch);
      this.#layers.push(kanLayer);
      this.#train(kanLayer.base, kanLayer.spline, kanLayer.scaler, bias);
      return kanLayer;
    }
    switch (compute?.op) {
      case "batch_norm": {
        const [mean, variance2] = ["mean", "variance"].map((one) => this.#vector(station, one));
        const stats = { mean: mean?.at ?? 0, variance: variance2?.at ?? 0 };
        const [scale, shift] = [this.#weight(station, "scale"), this.#weight(station, "shift")];
        this.#train(scale, shift);
        return new BatchNorm(machine, from, to, stats, scale, shift, Number(compute.eps));
      }
      case "max_pool": {
        const { kernel, stride } = compute;
        return new MaxPool(machine, from, to, kernel, stride);
      }
      case "flatten":
        return new Flatten(machine, from, to);
      case "log_softmax":
        return new LogSoftmax(machine, from, to);
      default:
        return new Elementwise(machine, from, to, ...DIFFERENTIABLE[String(compute?.function)]);
    }
  }
  #vector({ beside }, name) {
    const path = beside?.[name];
    const place2 = path ? this.description.layout.beside?.get(path) : void 0;
    if (!path || !place2) return null;
    const vector = { name: path, at: this.machine.take(place2.size), size: place2.size };
    this.#vectors.push(vector);
    return vector;
  }
  #weight(station, name) {
    const vector = this.#vector(station, name);
    return vector && { at: vector.at, grad: this.machine.take(vector.size), count: vector.size };
  }
  #train(...weights2) {
    this.weights.push(...weights2.filter((one) => one !== null));
  }
};

// src/playground/bases.ts
var FEWEST_POINTS = 128;
var manyEnough = (points) => Math.max(FEWEST_POINTS, points);
var FAMILIES = ["rbf", "chebyshev", "fourier"];
function makeBasis(basis, grid, order, domain) {
  const [low, high] = domain;
  const length = high - low;
  const numbered = (letter, count3) => Array.from({ length: count3 }, (_, b) => `${letter}${b}`);
  const own = { domain, knots: [], gridSize: grid, points: FEWEST_POINTS };
  const wider = (share) => [low - share * length, high + share * length];
  const family = FAMILIES.indexOf(basis);
  const count2 = grid + order;
  const centre = (low + high) / 2;
  const centred = { order: 0, functions: count2, family, shift: centre };
  if (basis === "rbf") {
    const width = length / (count2 - 1);
    const labels = numbered("R", count2);
    const kernel2 = { ...centred, shift: low, factor: 1 / width };
    const extent3 = [low - 2 * width, high + 2 * width];
    return { ...own, labels, extent: extent3, kernel: kernel2, points: manyEnough(16 * (count2 + 3)) };
  }
  if (basis === "chebyshev") {
    const factor = 4 / length;
    const labels = numbered("T", count2).map(
      (name) => `${name}(tanh ${Number(factor.toPrecision(3))}x)`
    );
    const kernel2 = { ...centred, factor };
    return { ...own, labels, extent: wider(1 / 2), kernel: kernel2, points: manyEnough(64 * (count2 - 1)) };
  }
  if (basis === "fourier") {
    const frequencies = Math.floor(count2 / 2);
    const argument = length === 2 ? "π·x" : `π·x/${Number((length / 2).toPrecision(3))}`;
    const waves = Array.from({ length: frequencies }, (_, k) => k ? k + 1 : "");
    const labels = ["1", ...waves.flatMap((n) => [`cos ${n}${argument}`, `sin ${n}${argument}`])];
    const kernel2 = { ...centred, functions: labels.length, factor: 1 / length };
    return { ...own, labels, extent: wider(1 / 4), kernel: kernel2, points: manyEnough(64 * frequencies) };
  }
  const knots = Array.from(
    { length: grid + 2 * order + 1 },
    (_, k) => low + (k - order) * length / grid
  );
  const kernel = { order, functions: count2, family: 0, shift: low, factor: grid / length };
  const extent2 = [knots[0], knots[knots.length - 1]];
  return { ...own, labels: numbered("B", count2), extent: extent2, knots, kernel };
}
function expand(machine, { kernel }, points) {
  const [n, functions] = [points.length, kernel.functions];
  const [x2, base] = [machine.take(n), machine.take(functions)];
  const splines = machine.take(functions * functions);
  const y = machine.take(n * functions);
  machine.floats(x2, n).set(points);
  const identity2 = machine.floats(splines, functions * functions);
  for (let b = 0; b < functions; b++) identity2[b * (functions + 1)] = 1;
  const sizes = denseSizes(n, 1, functions);
  const weights2 = { baseWeight: base, splineWeight: splines };
  machine.forward({ sizes, basis: kernel, x: x2, base: 0, slope: 0, ...weights2, y });
  return machine.floats(y, n * functions).slice();
}
var PER_INTERVAL = 16;
var MOST_POINTS = 400;
function samplePoints({ extent: extent2, domain, knots, kernel, points }) {
  const [low, high] = extent2;
  const inside = knots.filter((knot) => knot >= low && knot <= high);
  const sorted = [low, high, -1, 0, 1, ...domain, ...inside].map(Math.fround).sort((a, b) => a - b);
  const nearest = 1e-6 * (sorted[sorted.length - 1] - sorted[0]);
  const edges = sorted.filter((edge, k) => k === 0 || edge - sorted[k - 1] > nearest);
  const [first, last] = [edges[0], edges[edges.length - 1]];
  const fewest = Math.max(3, Math.min(kernel.order, 5));
  const even = Math.min(PER_INTERVAL, Math.floor(MOST_POINTS / (edges.length - 1)));
  const sampled = edges.slice(1).flatMap((edge, k) => {
    const width = edge - edges[k];
    const share = Math.round(points * width / (last - first));
    const divisions = knots.length > 0 ? Math.max(fewest, even) : Math.max(2, share);
    return Array.from({ length: divisions }, (_, d) => edges[k] + width / divisions * d);
  });
  return Float32Array.from(new Set([...sampled, last].map(Math.fround)));
}
function throughGrid(machine, basis) {
  const [low, high] = basis.domain;
  const size = basis.gridSize + 1;
  const grid = Array.from({ length: size }, (_, k) => low + (high - low) * k / basis.gridSize);
  const flat2 = expand(machine, basis, grid);
  const functions = basis.kernel.functions;
  const b = grid.map(
    (_, k) => Float64Array.from(flat2.subarray(k * functions, (k + 1) * functions))
  );
  const dot = (one, other) => one.reduce((sum, value, k) => sum + value * other[k], 0);
  const squares = b.map((row) => Float64Array.from(b, (other) => dot(row, other)));
  const solved = b.map((row) => row.slice());
  for (let k = 0; k < size; k++)
    for (let other = 0; other < size; other++) {
      const factor = other === k ? 1 - 1 / squares[k][k] : squares[other][k] / squares[k][k];
      const [from, to] = [squares[k].slice(), solved[k].slice()];
      squares[other].forEach((_, c) => {
        squares[other][c] -= factor * from[c];
      });
      solved[other].forEach((_, c) => {
        solved[other][c] -= factor * to[c];
      });
    }
  return solved;
}

// src/playground/network.ts
function makeNetwork(state, problem, machine) {
  const random = new Random(state.seed);
  const build = new Builder(machine, random, problem);
  const basis = (low, high, grid = state.grid) => makeBasis(state.basis, grid, state.order, [low, high]);
  const { base, start } = state;
  if (state.network === "kancnn") {
    const settings = { basis: basis(-3, 3), base, start };
    for (const [k, channels] of state.widths.entries()) {
      build.norm(`norms.${k}`);
      build.conv(`convs.${k}`, channels, 1, settings);
      build.pool();
    }
    build.flatten();
    build.norm("linear_norm");
    build.linear("linear", problem.outputs.length, settings);
  } else if (state.network === "article") {
    for (const k of [0, 1]) {
      const settings2 = { basis: basis(-1, 1), base, start, isScaled: true, isShared: true };
      build.conv(`convs.${k}`, 5, 0, settings2);
      build.pool();
    }
    build.flatten();
    const finer = basis(0, 1, 2 * state.grid);
    const settings = { basis: finer, base, start: start / 10, isScaled: true };
    build.linear("linear", problem.outputs.length, settings);
  } else {
    if (problem.shape.length > 1) build.flatten("flatten");
    for (const [k, units] of [...state.widths, problem.outputs.length].entries())
      build.linear(`layer${k + 1}`, units, { basis: basis(-1, 1), base, start });
  }
  if (problem.isClassification) build.softmax();
  return build.made(state.network === "dense" ? "KAN" : "KANCNN");
}
var MOST_TWIN = 1e3;
var PARAMETERS_OF_ONE = 175;
function makeTwin(state, problem, machine, parameters) {
  const isConv = state.network !== "dense";
  const channels = Math.max(1, Math.round(Math.sqrt(parameters / PARAMETERS_OF_ONE)));
  const depth = Math.max(1, state.widths.length);
  const shaped = (units) => {
    const build = new Builder(machine, new Random(state.seed), problem);
    for (let k = 0; isConv && k < 3; k++) {
      build.norm(`norms.${k}`);
      build.conv(`convs.${k}`, channels * (k + 1), 1);
      build.relu();
      build.pool();
    }
    if (problem.shape.length > 1) build.flatten();
    if (isConv) build.norm("hidden_norm");
    for (let k = 0; k < (isConv ? 1 : depth); k++) {
      build.linear(`hidden.${k}`, units);
      build.relu();
    }
    build.linear("linear", problem.outputs.length);
    if (problem.isClassification) build.softmax();
    return build;
  };
  let [least, most] = [1, MOST_TWIN];
  while (most - least > 1) {
    const middle = least + most >> 1;
    if (shaped(middle).parameters > parameters) most = middle;
    else least = middle;
  }
  const off = (units) => Math.abs(shaped(units).parameters - parameters);
  return shaped(off(least) <= off(most) ? least : most).made(isConv ? "CNN" : "MLP");
}
var Builder = class {
  constructor(machine, random, problem) {
    this.machine = machine;
    this.random = random;
    this.problem = problem;
    this.#shape = problem.shape;
    this.#station("input", "input", "input");
  }
  machine;
  random;
  problem;
  #stations = [];
  #layers = [];
  #recipe = {};
  #beside = [];
  #fills = [];
  #kept = /* @__PURE__ */ new Map();
  #shape;
  #offset = 0;
  parameters = 0;
  norm(name) {
    const [size] = this.#shape;
    const mean = this.#vector(`${name}.running_mean`, size, () => 0);
    const variance2 = this.#vector(`${name}.running_var`, size, () => 1);
    const compute = { op: "batch_norm", eps: 1e-5 };
    this.#station("norm", name, "BatchNorm", { compute, beside: { mean, variance: variance2 } });
  }
  /** Kernels of 3 × 3; a plain layer where there are no settings. */
  conv(name, channels, padding, settings) {
    const { isShared = false } = settings ?? {};
    const [inputs, ...sizes] = this.#shape;
    const convolved = sizes.map((size) => size - 2 + 2 * padding);
    this.#shape = [isShared ? channels * inputs : channels, ...convolved];
    this.#add(name, [channels, isShared ? 1 : inputs, 3, 3], conv(padding, isShared), settings);
  }
  linear(name, units, settings) {
    const [inputs] = this.#shape;
    this.#shape = [units];
    this.#add(name, [units, inputs, 1, 1], null, settings);
  }
  relu() {
    const compute = { op: "elementwise", function: "relu" };
    this.#station("activation", "relu", "ReLU", { compute });
  }
  pool() {
    const [channels, height, width] = this.#shape;
    this.#shape = [channels, height >> 1, width >> 1];
    const compute = { op: "max_pool", kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
    this.#station("pool", "max_pool2d", "max pool 2×2", { compute });
  }
  flatten(name = "reshape") {
    this.#shape = [product(this.#shape)];
    this.#station("reshape", name, "flatten", { compute: { op: "flatten" } });
  }
  softmax() {
    this.#station("activation", "log_softmax", "log-softmax", { compute: { op: "log_softmax" } });
  }
  made(name) {
    const vectors = this.#beside.map(({ size, fill }) => Float32Array.from({ length: size }, fill));
    const parts = [...this.#fills.map((fill) => fill()), ...vectors];
    const frame = Float32Array.from(parts.flatMap((part) => [...part]));
    const beside = this.#beside.map(({ name: path, size }) => ({ name: path, size }));
    const parameters = this.parameters;
    return {
      ...{ name, recipe: this.#recipe, frame, parameters, kept: this.#kept },
      layout: { protocol: PROTOCOL, version: 1, layers: this.#layers, beside },
      structure: { stations: this.#stations, traced: true, note: "" }
    };
  }
  #station(kind, name, label, more = {}) {
    const number2 = this.#stations.length;
    const own = { kind, name, label, layer: null, sources: number2 > 0 ? [number2 - 1] : [] };
    const usual = { shape: [...this.#shape], compute: null, sums: null, beside: {} };
    this.#stations.push({ ...own, ...usual, ...more });
  }
  /** Numbers beside the coefficients, at first as `fill` says; returns their path. */
  #vector(name, size, fill) {
    this.#beside.push({ name, size, fill });
    return name;
  }
  #add(name, four, geometry, settings) {
    if (settings) this.#kan(name, four, geometry, settings);
    else this.#plain(name, four, geometry);
  }
  #kan(name, four, geometry, settings) {
    const { basis, base, start, isScaled = false, isShared = false } = settings;
    const { machine, random } = this;
    const count2 = product(four);
    const bound = product(four.slice(1)) ** -0.5;
    const uniform = () => bound * (2 * random.uniform() - 1);
    const nb = 1 + basis.kernel.functions;
    const scaler = isScaled ? Float32Array.from({ length: count2 }, uniform) : void 0;
    const splines = splinesOf(machine, basis, start, random);
    this.#recipe[name] = { basis: basis.kernel, base, ...scaler && { scaler } };
    this.#kept.set(name, { basis, isScaled });
    this.#fills.push(() => {
      const coefficients = new Float32Array(count2 * nb);
      for (let f = 0; f < count2; f++) {
        const scale = scaler?.[f] ?? 1;
        coefficients[f * nb] = uniform();
        const scaled = splines().map((value) => scale * value);
        coefficients.set(scaled, f * nb + 1);
      }
      return coefficients;
    });
    const type = geometry ? `${isShared ? "Shared" : ""}KANConv2d` : "KANLinear";
    const labels = [base, ...basis.labels];
    const table = tableOf(machine, basis, base);
    this.#layer({ name, type, shape: four }, labels, basis, table, geometry);
    this.parameters += count2 * (nb + Number(isScaled));
    const label = geometry ? `${type} ${four[2]}×${four[3]}` : `KANLinear ${four[1]} → ${four[0]}`;
    this.#station("kan", name, label, { layer: name, compute: { op: "kan" }, sums: true });
  }
  #plain(name, four, geometry) {
    const count2 = product(four);
    const bound = product(four.slice(1)) ** -0.5;
    const uniform = () => bound * (2 * this.random.uniform() - 1);
    this.#recipe[name] = { base: "identity" };
    this.#fills.push(() => Float32Array.from({ length: count2 }, uniform));
    const type = geometry ? "Conv2d" : "Linear";
    this.#layer({ name, type, shape: four }, ["x"], STRAIGHT, STRAIGHT_TABLE, geometry);
    this.parameters += count2 + four[0];
    const bias = this.#vector(`${name}.bias`, four[0], uniform);
    const compute = { op: geometry ? "conv2d" : "linear" };
    this.#station("plain", name, name, { layer: name, compute, sums: true, beside: { bias } });
  }
  #layer(own, labels, { domain, extent: extent2, knots }, table, geometry) {
    const ends = { domain, extent: extent2, knots };
    const { inputs } = this.problem;
    const isNamed = this.#layers.length === 0 && inputs.length > 0;
    this.#layers.push({
      ...{ ...own, kind: geometry ? "conv" : "linear", nb: labels.length, offset: this.#offset },
      ...{ ...ends, labels, is_base: labels.map((_, k) => k === 0) },
      ...{ variable: "x", locked: "", note: "" },
      ...{ conv: geometry, tables: [{ ...ends, ...table }], table_of: null },
      ...isNamed && { input_names: [...inputs] }
    });
    this.#offset += product(own.shape) * labels.length;
  }
};
var conv = (padding, isShared) => ({
  ...{ stride: [1, 1], padding: Array(4).fill(padding), dilation: [1, 1], padding_mode: "zeros" },
  ...{ groups: 1, shared: isShared, pads_basis: false }
});
var descriptionOf = ({ structure, recipe, layout }) => {
  return { structure, recipe, layout: readLayout(layout) };
};
function evaluator(machine, made, most) {
  const network = new Network(machine, descriptionOf(made), most);
  return (frame, inputs) => {
    const { input, output } = network;
    const count2 = inputs.length / input.size;
    network.read(frame, true);
    machine.floats(input.at, inputs.length).set(inputs);
    network.forward(count2, false);
    return Array.from(
      { length: count2 },
      (_, k) => machine.floats(output.at + 4 * k * output.size, output.size).slice()
    );
  };
}
var STRAIGHT = { domain: [-1, 1], extent: [-2, 2], knots: [] };
function tableOf(machine, basis, base) {
  const x2 = samplePoints(basis);
  const beta = expand(machine, basis, x2);
  const functions = basis.kernel.functions;
  const [baseFunction] = DIFFERENTIABLE[base];
  const values = new Float32Array(x2.length * (1 + functions));
  for (const [k, point] of x2.entries()) {
    values[k * (1 + functions)] = baseFunction(point);
    values.set(beta.subarray(k * functions, (k + 1) * functions), k * (1 + functions) + 1);
  }
  return { x: bytesOf3(x2), values: bytesOf3(values) };
}
var bytesOf3 = ({ buffer, byteOffset, byteLength }) => new DataView(buffer, byteOffset, byteLength);
var STRAIGHT_POINTS = Float32Array.of(-2, -1, 0, 1, 2);
var STRAIGHT_TABLE = { x: bytesOf3(STRAIGHT_POINTS), values: bytesOf3(STRAIGHT_POINTS) };
function splinesOf(machine, basis, start, random) {
  const { functions, order } = basis.kernel;
  const noise = () => random.uniform() - 0.5;
  if (order > 0) {
    const through = throughGrid(machine, basis);
    return () => {
      const coefficients = new Float32Array(functions);
      for (const row of through) {
        const height = start / basis.gridSize * noise();
        for (let b = 0; b < functions; b++) coefficients[b] += height * row[b];
      }
      return coefficients;
    };
  }
  const [low, high] = basis.domain;
  const points = Array.from({ length: 257 }, (_, k) => low + (high - low) * k / 256);
  const squares = expand(machine, basis, points).reduce((sum, value) => sum + value ** 2, 0);
  const width = start / Math.max(functions - 1, 1) / Math.max(squares / points.length, 1e-12) ** 0.5;
  return () => Float32Array.from({ length: functions }, () => width * noise());
}

// src/playground/fit.ts
var SIZE = 320;
var LINE = 161;
var SIDE = 49;
var DOTS = 300;
function createFit(root) {
  const document = root.ownerDocument;
  const title = element(document, "h2", "", root);
  const canvas = element(document, "canvas", "", root);
  const key = element(document, "p", "", root);
  const context = canvas.getContext("2d");
  let run = null;
  let due = 0;
  return {
    /** For another network; hidden where there is no picture of it. */
    begin(machine, problem, network, twin) {
      const points = pointsOf(problem);
      root.hidden = !points;
      run = null;
      if (!points || !context) return;
      const count2 = points.length / problem.shape[0];
      const own = evaluator(machine, network, count2);
      const others = twin && evaluator(machine, twin, count2);
      const read = ([one, other]) => problem.isClassification ? Math.exp(other) : one;
      const paint = painterOf(problem, points);
      putWords(title, "Target and network");
      putWords(key, keyOf(problem, twin));
      canvas.setAttribute("role", "img");
      const shown = `${problem.outputs[0]} over ${problem.inputs.join(" and ")}: target and ${network.name}`;
      canvas.setAttribute("aria-label", shown);
      run = (frame, beside) => {
        const scale = document.defaultView?.devicePixelRatio ?? 1;
        if (canvas.width !== SIZE * scale) canvas.width = canvas.height = SIZE * scale;
        context.setTransform(scale, 0, 0, scale, 0, 0);
        context.clearRect(0, 0, SIZE, SIZE);
        const values = (rows) => Float32Array.from(rows, read);
        const other = beside && others && values(others(beside, points));
        paint(context, values(own(frame, points)), other);
      };
    },
    /** Draws the network as it is now, at the next turn. */
    show(frame, beside, signal) {
      cancelAnimationFrame(due);
      due = requestAnimationFrame(() => {
        if (!signal.aborted) run?.(frame, beside);
      });
    }
  };
}
function keyOf({ isClassification, outputs, inputs, truth }, twin) {
  const other = twin ? `, dashed: the ${twin.name}` : "";
  if (isClassification)
    return `dots: points of class ${outputs[0]} (hollow) and ${outputs[1]} (filled); shaded: where the network says ${outputs[1]}; line: where it is undecided${other}`;
  return inputs.length > 2 || !truth ? `each dot is a test point: on the grey line the network is right${other && ", pale: the twin"}` : `wide, grey: the target; thin: the network${other}`;
}
function pointsOf({ shape, inputs, truth, isClassification, data }) {
  const [size] = shape;
  if (shape.length > 1) return null;
  if (size === 1 && truth)
    return Float32Array.from({ length: LINE }, (_, k) => -1 + 2 * k / (LINE - 1));
  if (size === 2 && (truth || isClassification)) {
    const side = Array.from({ length: SIDE }, (_, k) => -1 + 2 * k / (SIDE - 1));
    return Float32Array.from(side.flatMap((y) => side.flatMap((x2) => [x2, y])));
  }
  if (isClassification || inputs.length < 1) return null;
  return data.test.inputs.slice(0, DOTS * size);
}
var across = (x2) => (x2 + 1) / 2 * SIZE;
var up = (y) => SIZE - across(y);
function painterOf(problem, points) {
  const [size] = problem.shape;
  if (problem.isClassification) return classPainter(problem);
  if (size > 2 || !problem.truth) return scatterPainter(problem);
  const { truth } = problem;
  const count2 = points.length / size;
  const wanted = Float32Array.from(
    { length: count2 },
    (_, k) => truth([...points.subarray(k * size, (k + 1) * size)])
  );
  return size === 1 ? linePainter(problem, points, wanted) : contourPainter(wanted);
}
function endsOf(values) {
  const [low = 0, high = 0] = extent(Array.from(values).filter(Number.isFinite));
  const room = 0.08 * (high - low || 1);
  return [low - room, high + room];
}
var colour = (context, name) => getComputedStyle(context.canvas).getPropertyValue(`--kw-page-${name}`);
function stroke(context, lines, name, width, dash = []) {
  context.strokeStyle = colour(context, name);
  context.lineWidth = width;
  context.setLineDash(dash);
  context.beginPath();
  for (const line of lines) {
    line.forEach(([x2, y], k) => {
      if (k === 0) context.moveTo(x2, y);
      else context.lineTo(x2, y);
    });
  }
  context.stroke();
  context.setLineDash([]);
}
function linePainter({ data }, points, wanted) {
  const [low, high] = endsOf([...wanted, ...data.train.targets]);
  const height = (value) => SIZE - (value - low) / (high - low) * SIZE;
  const line = (values) => [
    Array.from(values, (value, k) => [across(points[k]), height(value)])
  ];
  return (context, own, other) => {
    context.fillStyle = colour(context, "line");
    for (let k = 0; k < DOTS && k < data.train.inputs.length; k++)
      context.fillRect(across(data.train.inputs[k]) - 1, height(data.train.targets[k]) - 1, 2, 2);
    stroke(context, line(wanted), "muted", 4);
    if (other) stroke(context, line(other), "ink", 1.5, [4, 4]);
    stroke(context, line(own), "ink", 1.5);
  };
}
var toMap = ([x2, y]) => [
  x2 / (SIDE - 1) * SIZE,
  SIZE - y / (SIDE - 1) * SIZE
];
function contoursOf(values, level) {
  return contour(Array.from(values), SIDE, SIDE, level).map((line) => line.map(toMap));
}
function contourPainter(wanted) {
  const levels = levelsOf(...endsOf(wanted));
  const lines = (values) => levels.flatMap((level) => contoursOf(values, level));
  const targets = lines(wanted);
  return (context, own, other) => {
    stroke(context, targets, "muted", 4);
    if (other) stroke(context, lines(other), "ink", 1, [3, 3]);
    stroke(context, lines(own), "ink", 1.25);
  };
}
function paintShares(context, shares) {
  const small = context.canvas.ownerDocument.createElement("canvas");
  small.width = small.height = SIDE;
  const own = small.getContext("2d");
  if (!own) return;
  own.fillStyle = colour(context, "ink");
  for (const [k, share] of shares.entries()) {
    own.globalAlpha = 0.3 * share;
    own.fillRect(k % SIDE, SIDE - 1 - Math.floor(k / SIDE), 1, 1);
  }
  const cell = SIZE / (SIDE - 1);
  context.drawImage(small, -cell / 2, -cell / 2, SIZE + cell, SIZE + cell);
}
function classPainter({ data }) {
  const { inputs, targets } = data.train;
  return (context, own, other) => {
    paintShares(context, own);
    if (other) stroke(context, contoursOf(other, 0.5), "ink", 1.25, [4, 4]);
    stroke(context, contoursOf(own, 0.5), "ink", 1.75);
    for (let k = 0; k < DOTS; k++) {
      context.beginPath();
      context.arc(across(inputs[2 * k]), up(inputs[2 * k + 1]), 2.5, 0, 2 * Math.PI);
      context.fillStyle = colour(context, targets[k] ? "ink" : "surface");
      context.strokeStyle = colour(context, "ink");
      context.lineWidth = 1;
      context.fill();
      context.stroke();
    }
  };
}
function scatterPainter({ data }) {
  const wanted = data.test.targets;
  const [low, high] = endsOf(wanted);
  const at = (value) => (value - low) / (high - low) * SIZE;
  return (context, own, other) => {
    stroke(context, [[-1, 1].map((end) => [across(end), up(end)])], "muted", 2);
    for (const [values, alpha] of [
      [other, 0.35],
      [own, 1]
    ]) {
      context.fillStyle = colour(context, "ink");
      context.globalAlpha = alpha;
      values?.forEach((value, k) => {
        context.fillRect(at(wanted[k]) - 1.5, SIZE - at(value) - 1.5, 3, 3);
      });
    }
    context.globalAlpha = 1;
  };
}

// node_modules/d3-dsv/src/dsv.js
var EOL = {};
var EOF = {};
var QUOTE = 34;
var NEWLINE = 10;
var RETURN = 13;
function objectConverter(columns) {
  return new Function("d", "return {" + columns.map(function(name, i2) {
    return JSON.stringify(name) + ": d[" + i2 + '] || ""';
  }).join(",") + "}");
}
function customConverter(columns, f) {
  var object = objectConverter(columns);
  return function(row, i2) {
    return f(object(row), i2, columns);
  };
}
function inferColumns(rows) {
  var columnSet = /* @__PURE__ */ Object.create(null), columns = [];
  rows.forEach(function(row) {
    for (var column in row) {
      if (!(column in columnSet)) {
        columns.push(columnSet[column] = column);
      }
    }
  });
  return columns;
}
function pad(value, width) {
  var s = value + "", length = s.length;
  return length < width ? new Array(width - length + 1).join(0) + s : s;
}
function formatYear(year) {
  return year < 0 ? "-" + pad(-year, 6) : year > 9999 ? "+" + pad(year, 6) : pad(year, 4);
}
function formatDate(date) {
  var hours = date.getUTCHours(), minutes = date.getUTCMinutes(), seconds = date.getUTCSeconds(), milliseconds = date.getUTCMilliseconds();
  return isNaN(date) ? "Invalid Date" : formatYear(date.getUTCFullYear(), 4) + "-" + pad(date.getUTCMonth() + 1, 2) + "-" + pad(date.getUTCDate(), 2) + (milliseconds ? "T" + pad(hours, 2) + ":" + pad(minutes, 2) + ":" + pad(seconds, 2) + "." + pad(milliseconds, 3) + "Z" : seconds ? "T" + pad(hours, 2) + ":" + pad(minutes, 2) + ":" + pad(seconds, 2) + "Z" : minutes || hours ? "T" + pad(hours, 2) + ":" + pad(minutes, 2) + "Z" : "");
}
function dsv_default(delimiter) {
  var reFormat = new RegExp('["' + delimiter + "\n\r]"), DELIMITER = delimiter.charCodeAt(0);
  function parse(text, f) {
    var convert, columns, rows = parseRows(text, function(row, i2) {
      if (convert) return convert(row, i2 - 1);
      columns = row, convert = f ? customConverter(row, f) : objectConverter(row);
    });
    rows.columns = columns || [];
    return rows;
  }
  function parseRows(text, f) {
    var rows = [], N = text.length, I = 0, n = 0, t, eof = N <= 0, eol = false;
    if (text.charCodeAt(N - 1) === NEWLINE) --N;
    if (text.charCodeAt(N - 1) === RETURN) --N;
    function token() {
      if (eof) return EOF;
      if (eol) return eol = false, EOL;
      var i2, j = I, c;
      if (text.charCodeAt(j) === QUOTE) {
        while (I++ < N && text.charCodeAt(I) !== QUOTE || text.charCodeAt(++I) === QUOTE) ;
        if ((i2 = I) >= N) eof = true;
        else if ((c = text.charCodeAt(I++)) === NEWLINE) eol = true;
        else if (c === RETURN) {
          eol = true;
          if (text.charCodeAt(I) === NEWLINE) ++I;
        }
        return text.slice(j + 1, i2 - 1).replace(/""/g, '"');
      }
      while (I < N) {
        if ((c = text.charCodeAt(i2 = I++)) === NEWLINE) eol = true;
        else if (c === RETURN) {
          eol = true;
          if (text.charCodeAt(I) === NEWLINE) ++I;
        } else if (c !== DELIMITER) continue;
        return text.slice(j, i2);
      }
      return eof = true, text.slice(j, N);
    }
    while ((t = token()) !== EOF) {
      var row = [];
      while (t !== EOL && t !== EOF) row.push(t), t = token();
      if (f && (row = f(row, n++)) == null) continue;
      rows.push(row);
    }
    return rows;
  }
  function preformatBody(rows, columns) {
    return rows.map(function(row) {
      return columns.map(function(column) {
        return formatValue(row[column]);
      }).join(delimiter);
    });
  }
  function format2(rows, columns) {
    if (columns == null) columns = inferColumns(rows);
    return [columns.map(formatValue).join(delimiter)].concat(preformatBody(rows, columns)).join("\n");
  }
  function formatBody(rows, columns) {
    if (columns == null) columns = inferColumns(rows);
    return preformatBody(rows, columns).join("\n");
  }
  function formatRows(rows) {
    return rows.map(formatRow).join("\n");
  }
  function formatRow(row) {
    return row.map(formatValue).join(delimiter);
  }
  function formatValue(value) {
    return value == null ? "" : value instanceof Date ? formatDate(value) : reFormat.test(value += "") ? '"' + value.replace(/"/g, '""') + '"' : value;
  }
  return {
    parse,
    parseRows,
    format: format2,
    formatBody,
    formatRows,
    formatRow,
    formatValue
  };
}

// src/playground/problems.ts
var ROWS = 1e3;
var TEST_SHARE = 0.2;
var DATA_SEED = 1;
function makeProblem(state, digits, table) {
  switch (state.problem) {
    case "digits":
      return digitsOf(digits, state.noise);
    case "moons":
      return classes(state, "Two half moons: which one is a point from?", moon);
    case "spirals":
      return classes(state, "Two spirals, one wound into the other.", spiral);
    case "table":
      return tableOf2(table, state.noise);
    case "product":
      return formulaOf("x*y*z", state.noise);
    case "formula":
      return formulaOf(state.formula, state.noise);
  }
}
function digitsOf(digits, noise) {
  const names = Array.from("0123456789");
  const random = new Random(DATA_SEED);
  const targets = Uint8Array.from(
    digits.train.targets,
    (label) => random.uniform() < noise ? random.below(names.length) : label
  );
  return {
    data: { ...digits, train: { ...digits.train, targets } },
    ...{ rows: "digits", shape: [1, 28, 28], inputs: [], outputs: names, isClassification: true },
    about: "Handwritten digits of 28 × 28 pixels, from MNIST."
  };
}
function classes({ noise }, about, draw) {
  const random = new Random(DATA_SEED);
  const labels = Uint8Array.from({ length: ROWS }, (_, k) => k % 2);
  const inputs = Float32Array.from([...labels].flatMap((label) => draw(random, label)));
  const targets = labels.map((label) => random.uniform() < noise ? 1 - label : label);
  return {
    data: split(inputs, targets, 2),
    ...{ rows: "points", shape: [2], inputs: ["x", "y"], outputs: ["0", "1"] },
    isClassification: true,
    about
  };
}
var moon = (random, label) => {
  const angle = Math.PI * random.uniform();
  const [x2, y] = label ? [1 - Math.cos(angle), 0.5 - Math.sin(angle)] : [Math.cos(angle), Math.sin(angle)];
  return [(x2 - 0.5 + spread(random)) / 1.8, (y - 0.25 + spread(random)) / 1.8];
};
var spiral = (random, label) => {
  const way = 0.1 + 0.9 * Math.sqrt(random.uniform());
  const angle = 3.5 * Math.PI * way + (label ? Math.PI : 0);
  return [
    0.9 * way * Math.cos(angle) + spread(random) / 4,
    0.9 * way * Math.sin(angle) + spread(random) / 4
  ];
};
var spread = (random) => 0.08 * normal(random);
function normal(random) {
  const radius = Math.sqrt(-2 * Math.log(1 - random.uniform()));
  return radius * Math.cos(2 * Math.PI * random.uniform());
}
function formulaOf(text, noise) {
  const { variables, at } = readFormula(text);
  const random = new Random(DATA_SEED);
  const size = variables.length;
  const inputs = Float32Array.from({ length: ROWS * size }, () => 2 * random.uniform() - 1);
  const values = Array.from(
    { length: ROWS },
    (_, k) => at([...inputs.subarray(k * size, (k + 1) * size)])
  );
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    const where = variables.map((name, k) => `${name} = ${inputs[wrong * size + k].toFixed(2)}`);
    throw new Error(
      `${text} is no finite number at ${where.join(", ")}: expected one wherever all variables are between −1 and 1.`
    );
  }
  const { mean, deviation } = momentsOf(values);
  if (deviation === 0) throw new Error(`${text} is ${mean} everywhere: there is nothing to learn.`);
  const targets = Float32Array.from(values, (value) => value + noise * deviation * normal(random));
  return {
    data: split(inputs, targets, size),
    ...{ rows: "points", shape: [size], inputs: variables, outputs: [text.trim()] },
    ...{ isClassification: false, truth: at },
    about: `${ROWS.toLocaleString("en")} points, ${variables.join(", ")} between −1 and 1.`
  };
}
function tableOf2(text, noise) {
  const { columns, rows, isClasses, classNames } = readTable(text);
  const size = columns.length - 1;
  const random = new Random(DATA_SEED);
  const order = random.order(rows.length);
  const isTrained = (k) => k < rows.length - testRows(rows.length);
  const inputs = new Float32Array(rows.length * size);
  for (let c = 0; c < size; c++) {
    const column = Array.from(order, (row) => rows[row][c]);
    const [low = 0, high = 0] = extent(column.filter((_, k) => isTrained(k)));
    for (const [k, value] of column.entries())
      inputs[k * size + c] = high > low ? 2 * (value - low) / (high - low) - 1 : 0;
  }
  const values = Array.from(order, (row) => rows[row][size]);
  const { mean, deviation } = momentsOf(values);
  const scaled = (value) => (value - mean) / (deviation || 1) + noise * normal(random);
  const labels = classNames.length;
  const targets = isClasses ? Uint8Array.from(values, (value) => random.uniform() < noise ? random.below(labels) : value) : Float32Array.from(values, scaled);
  const learned = columns[size];
  const unit = isClasses ? "" : ", less its mean and divided by its standard deviation";
  return {
    data: split(inputs, targets, size),
    ...{ rows: "rows", shape: [size], inputs: columns.slice(0, size) },
    outputs: isClasses ? classNames : [learned],
    isClassification: isClasses,
    about: `${rows.length.toLocaleString("en")} rows of your table. The network learns ${learned}${unit}; inputs are scaled to −1 … 1.`
  };
}
function momentsOf(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(square) };
}
var testRows = (rows) => Math.max(1, Math.round(TEST_SHARE * rows));
function split(inputs, targets, size) {
  const at = inputs.length / size - testRows(inputs.length / size);
  const part = (from, to) => ({
    inputs: inputs.slice(from * size, to === void 0 ? void 0 : to * size),
    targets: targets.slice(from, to)
  });
  return { train: part(0, at), test: part(at), shift: 0 };
}
var LEAST_ROWS = 20;
var MOST_INPUTS = 32;
var MOST_CLASSES = 10;
function readTable(text) {
  const [heading] = text.split("\n", 1);
  const separator = [",", ";", "	"].find((one) => heading.includes(one)) ?? ",";
  const cells = dsv_default(separator).parseRows(text, (row) => row.map((cell) => cell.trim())).filter((row) => row.some(Boolean));
  if (cells.length === 0)
    throw new Error("Choose a file of comma-separated values, or drop one on the page.");
  const hasNames = cells[0].some((cell) => cell !== "" && Number.isNaN(Number(cell)));
  const columns = hasNames ? cells[0] : cells[0].map((_, k) => `column ${k + 1}`);
  const size = columns.length - 1;
  if (size < 1 || size > MOST_INPUTS)
    throw new Error(
      `The table has ${columns.length} columns: expected 2 to ${MOST_INPUTS + 1}, the last one to be learned.`
    );
  const body = cells.slice(hasNames ? 1 : 0);
  const whole = body.filter((row) => row.length === columns.length && !row.includes(""));
  for (const row of whole)
    for (const [c, cell] of row.slice(0, size).entries())
      if (!Number.isFinite(Number(cell)))
        throw new Error(`Column “${columns[c]}” has “${cell}”: expected a number.`);
  if (whole.length < LEAST_ROWS)
    throw new Error(`The table has ${whole.length} whole rows: expected at least ${LEAST_ROWS}.`);
  const learned = whole.map((row) => row[size]);
  const classNames = [...new Set(learned)].sort(new Intl.Collator("en", { numeric: true }).compare);
  const areNumbers = learned.every((cell) => Number.isFinite(Number(cell)));
  const isClasses = classNames.length <= MOST_CLASSES && (!areNumbers || learned.every(isWhole));
  if (!isClasses && !areNumbers)
    throw new Error(
      `Column “${columns[size]}” has ${classNames.length} different words: expected numbers, or at most ${MOST_CLASSES} classes.`
    );
  if (classNames.length < 2)
    throw new Error(`Column “${columns[size]}” is ${learned[0]} in every row: nothing to learn.`);
  const numberOf = (cell) => isClasses ? classNames.indexOf(cell) : Number(cell);
  const rows = whole.map((row) => [...row.slice(0, size).map(Number), numberOf(row[size])]);
  return { columns, rows, isClasses, classNames: isClasses ? classNames : [] };
}
var isWhole = (cell) => Number.isInteger(Number(cell));
var NAMES = ["sin", "cos", "tan", "tanh", "atan", "exp", "log", "sqrt", "abs", "sign"];
var FUNCTIONS = new Map(NAMES.map((name) => [name, Math[name]]));
var CONSTANTS = new Map(Object.entries({ pi: Math.PI, e: Math.E }));
var VARIABLES = ["x", "y", "z", "u", "v", "w"];
var KNOWN = [...VARIABLES, ...CONSTANTS.keys(), ...NAMES].join(", ");
var TOKEN = /\s*(?:(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+)|([a-z]+)|(\*\*|[-+*/^(),]))/iy;
function readFormula(text) {
  const tokens = tokensOf(text);
  const used = VARIABLES.filter((name) => tokens.includes(name));
  if (used.length === 0) throw new Error(`“${text}” has no variable: expected one of x, y, z.`);
  let next = 0;
  const take = (token) => tokens[next] === token && next++ >= 0;
  const expect = (token) => {
    if (!take(token)) throw new Error(`Expected “${token}” ${placeOf(tokens, next)}.`);
  };
  function sum() {
    let value = product2();
    for (; ; ) {
      const left = value;
      if (take("+")) value = both(left, product2(), (a, b) => a + b);
      else if (take("-")) value = both(left, product2(), (a, b) => a - b);
      else return value;
    }
  }
  function product2() {
    let value = signed();
    for (; ; ) {
      const left = value;
      if (take("*")) value = both(left, signed(), (a, b) => a * b);
      else if (take("/")) value = both(left, signed(), (a, b) => a / b);
      else if (/^[\d.(a-z]/i.test(tokens[next] ?? "")) value = both(left, power(), (a, b) => a * b);
      else return value;
    }
  }
  function signed() {
    if (take("+")) return signed();
    if (!take("-")) return power();
    const value = signed();
    return (x2) => -value(x2);
  }
  function power() {
    const base = atom();
    return take("^") || take("**") ? both(base, signed(), (a, b) => a ** b) : base;
  }
  function atom() {
    const token = tokens[next];
    if (take("(")) {
      const value = sum();
      expect(")");
      return value;
    }
    if (token === void 0) throw new Error("The formula ends too early.");
    next++;
    if (/^[\d.]/.test(token)) return () => Number(token);
    const constant = CONSTANTS.get(token);
    if (constant !== void 0) return () => constant;
    const index = used.indexOf(token);
    if (index >= 0) return (x2) => x2[index];
    const f = FUNCTIONS.get(token);
    if (!f) throw new Error(`Unknown: “${token}”. Known are ${KNOWN}.`);
    expect("(");
    const argument = sum();
    expect(")");
    return (x2) => f(argument(x2));
  }
  const at = sum();
  if (next < tokens.length) throw new Error(`Expected an operator ${placeOf(tokens, next)}.`);
  return { variables: used, at };
}
function tokensOf(text) {
  const tokens = [];
  TOKEN.lastIndex = 0;
  let end = 0;
  for (let found = TOKEN.exec(text); found; found = TOKEN.exec(text)) {
    tokens.push((found[1] ?? found[2] ?? found[3]).toLowerCase());
    end = TOKEN.lastIndex;
  }
  const rest = text.slice(end).trim();
  if (rest) throw new Error(`Unknown: “${rest[0]}”. Known are + − * / ^ ( ), ${KNOWN}.`);
  return tokens;
}
var placeOf = (tokens, next) => next < tokens.length ? `before “${tokens[next]}”` : "at the end";
function both(left, right, f) {
  return (x2) => f(left(x2), right(x2));
}

// src/playground/story_steps.ts
var SEEDS = 8;
var DIGITS = defaultsOf("digits", "kancnn");
var FORMULA = { ...defaultsOf("formula", "dense"), widths: [1], noise: 0 };
var PUSHED = 4;
var PRUNED = 1 / 3;
var SIDE2 = 28;
var percent = (share) => `${(100 * share).toFixed(1)} %`;
function normalised({ network: { layout }, frame }) {
  const behind = layout.layers.reduce((all, { shape, nb }) => all + product(shape) * nb, 0);
  const [mean, variance2] = frame.subarray(behind);
  const [black, white] = [-1, 1].map((pixel) => (pixel - mean) / Math.sqrt(variance2 + 1e-5));
  return [black, white];
}
function widest(present) {
  const [layer] = present.network.layout.layers;
  const heights = curvesOf(layer, present.frame, normalised(present)).map(heightOfCurve);
  return heights.indexOf(Math.max(...heights));
}
function select({ network, model }, f, layer = network.layout.layers[0]) {
  const { name, shape } = layer;
  const [, inputs, height, width] = shape;
  const [column, row] = [f % width, Math.floor(f / width) % height];
  const channel = Math.floor(f / width / height) % inputs;
  const out = Math.floor(f / width / height / inputs);
  model.set("selection", { layer: name, out, in: channel, row, column, looks: true });
}
var explained = (share) => `${(Math.floor(1e3 * share) / 10).toFixed(1)} %`;
function framed(present) {
  const { network, frame, model } = present;
  const { layers } = network.layout;
  const selection = model.get("selection");
  const layer = layers.find(({ name }) => name === selection?.layer);
  if (!layer) return null;
  const f = functionOf(layer, selection);
  const isFirst = layer === layers[0];
  const ends = isFirst ? normalised(present) : layer.domain;
  const [now, first] = [frame, network.frame].map((each) => readerOf(layer, each, ends)(f));
  return { now, first, ends, isFirst, whole: readerOf(layer, frame)(f) };
}
function whatItMakes(present) {
  const found = framed(present);
  if (!found?.isFirst) return "";
  const [black, white] = found.ends.map(
    (pixel) => `${short(pixel)}, into ${short(curveAt(found.whole.x, found.whole.y, pixel))}`
  );
  return `${stepWords(present)}, the framed function turns black, ${black}, and white, ${white}.`;
}
var stepWords = ({ news: { step, steps } }) => step > 0 ? `After ${step.toLocaleString("en")} of ${steps.toLocaleString("en")} steps` : "Untrained";
function digitsOf2({ problem }, pushed) {
  const { inputs } = problem.data.test;
  return Array.from({ length: problem.data.test.targets.length }, (_, n) => {
    const image = new Float32Array(SIDE2 * SIDE2).fill(-1);
    for (let row = pushed; row < SIDE2; row++)
      for (let column = pushed; column < SIDE2; column++)
        image[(row - pushed) * SIDE2 + column - pushed] = inputs[(n * SIDE2 + row) * SIDE2 + column] / 127.5 - 1;
    return image;
  });
}
var shareRight = ({ problem }, answers) => answers.filter(({ label }, k) => label === problem.data.test.targets[k]).length / answers.length;
var movedBy = (now, first) => Math.max(...now.y.map((value, k) => Math.abs(value - first.y[k])));
var FAR = 0.25;
var cameWith;
var usualProbe;
var prunedAt = -1;
var STORY = [
  {
    title: "What is φ?",
    words: "Each link carries a function φ: a number goes in, another comes out. The one framed in violet is larger below. Pixels are normalised first.",
    arrive(present) {
      select(present, widest(present));
    },
    follow: whatItMakes
  },
  {
    title: "Watch it grow",
    words: "Now it trains on handwritten digits, and each step changes every function a little. Where one has moved far from its start, the change is shaded.",
    arrive({ model }) {
      cameWith = model.get("selection");
      model.send({ kind: "resume" });
    },
    follow(present) {
      const { news, model, network, frame } = present;
      if (news.step === 0) return "";
      if (model.get("selection") === cameWith) {
        const layer = network.layout.layers.at(-1);
        const [all, start] = [frame, network.frame].map((each) => curvesOf(layer, each));
        const far = all.map((curve, f) => movedBy(curve, start[f]));
        const most = Math.max(...far);
        if (most < FAR * Math.max(...all.map(heightOfCurve)))
          return `${stepWords(present)}, no function of the last layer has moved far yet.`;
        select(present, far.indexOf(most), layer);
      }
      const found = framed(present);
      if (!found) return "";
      const { now, first, ends, isFirst } = found;
      const where = isFirst ? "black and white" : ends.map(short).join(" and ");
      return `${stepWords(present)}, between ${where} the framed function has moved by up to ${short(movedBy(now, first))}; from lowest to highest it spans ${short(heightOfCurve(now))}, at the start ${short(heightOfCurve(first))}.`;
    }
  },
  {
    title: "What a kernel sees",
    words: "A kernel is nine functions, one for each pixel of a 3 × 3 window. It slides over the image, and the sum of the nine is one pixel of a map, as below.",
    arrive(present) {
      select(present, 9 * Math.floor(widest(present) / 9) + 4);
    },
    leave({ model }) {
      model.set("selection", null);
    },
    follow: whatItMakes
  },
  {
    title: "What it never saw",
    words: "Training is paused. Here are an empty image, and digits moved four pixels up and to the left. It was trained on nothing like them.",
    atRest: true,
    async arrive(present) {
      const { frame, model, problem, machine, network } = present;
      const [digits, pushed] = [digitsOf2(present, 0), digitsOf2(present, PUSHED)];
      const blank = new Float32Array(SIDE2 * SIDE2).fill(-1);
      usualProbe ??= model.get("probe");
      const shown = [blank, ...pushed.slice(0, 7)];
      const inputs = Float32Array.from(shown.flatMap((image) => [...image]));
      const shape = [shown.length, 1, SIDE2, SIDE2];
      model.set("probe", { shape, inputs: bytesOf3(inputs), labels: null });
      const answer = createAnswers(machine, network);
      const right = shareRight(present, await answer(frame, digits));
      const rightPushed = shareRight(present, await answer(frame, pushed));
      const [empty] = await answer(frame, [blank]);
      const sentence = `${stepWords(present)}, it gets ${percent(right)} of ${digits.length.toLocaleString("en")} test digits right, and ${percent(rightPushed)} when they are moved. It calls the empty image a ${problem.outputs[empty.label]} (${percent(empty.share)}).`;
      if (right < 0.5) return `${sentence} It has hardly learned yet: train it longer.`;
      return `${sentence} Where a digit stands ${right - rightPushed > 0.1 ? "matters a lot" : "hardly matters"} to it.`;
    },
    leave({ model }) {
      if (usualProbe) model.set("probe", usualProbe);
      usualProbe = void 0;
    }
  },
  {
    title: "Prune",
    words: "Training is paused. In each layer, the third of the functions that vary least are set to zero. The score above is of what is left; Next puts them back.",
    atRest: true,
    async arrive(present, visit) {
      const { model, machine, network, frame } = present;
      const random = new Random(1);
      const weak = pruned(network, frame, PRUNED);
      const others = pruned(network, frame, PRUNED, () => random.uniform()).frame;
      const answer = createAnswers(machine, network);
      const digits = digitsOf2(present, 0);
      const all = [];
      for (const one of [frame, weak.frame, others])
        all.push(shareRight(present, await answer(one, digits)));
      const [before, after, chance] = all;
      if (visit.aborted) return "";
      model.send({ kind: "put", coefficients: weak.frame });
      prunedAt = present.news.step;
      const sentence = `${stepWords(present)}, it gets ${percent(before)} of ${digits.length.toLocaleString("en")} test digits right, ${percent(after)} without these ${weak.count.toLocaleString("en")} functions, and ${percent(chance)} without as many chosen at random.`;
      return before < 0.5 ? `${sentence} It has hardly learned yet: train it longer.` : sentence;
    },
    leave({ model, news }) {
      if (news.step === prunedAt) model.send({ kind: "undo" });
      prunedAt = -1;
    }
  },
  {
    title: "Formula",
    words: "Another network learns exp(sin πx + y²) from sample points with three functions: one of x, one of y, and one of their sum.",
    state: FORMULA,
    arrive(present) {
      select(present, 0);
      present.model.send({ kind: "resume" });
    },
    follow(present) {
      const { network, frame, news } = present;
      if (news.step === 0) return "";
      const [first, last] = network.layout.layers;
      const [ofX, ofY] = curvesOf(first, frame);
      const ends = (end) => end(...ofX.y) + end(...ofY.y);
      const range2 = [ends(Math.min), ends(Math.max)];
      const [ofSum] = curvesOf(last, frame, range2);
      const [x2, y, share] = [formOf(ofX), formOf(ofY), exponential(ofSum)];
      const sentence = `${stepWords(present)}: of ${Object.keys(FORMS).length} forms tried, the function of x is most like ${x2.form} (${explained(x2.explained)} of its variance) and that of y most like ${inY(y.form)} (${explained(y.explained)}); an exponential explains ${explained(share)} of the last.`;
      if (news.state !== "finished") return sentence;
      const isFound = x2.form === "sin πx" && y.form === "x²";
      const isClose = Math.min(x2.explained, y.explained, share) > 0.98;
      return `${sentence} ${isFound && isClose ? "These are the formula’s parts, up to factors and constants." : "These are not the formula’s parts."}`;
    }
  },
  {
    title: "Doubt",
    words: `The same network from ${SEEDS} other seeds. Left, the function of x in each. Right, the same, scaled to one height and flipped to point one way.`,
    state: FORMULA,
    arrive({ model }) {
      model.send({ kind: "pause" });
      return `The ${SEEDS} networks are training.`;
    }
  }
];
function curvesOf(...of) {
  const read = readerOf(...of);
  return Array.from({ length: product(of[0].shape) }, (_, f) => read(f));
}
function readerOf({ domain, nb, offset, tables }, frame, [low, high] = domain) {
  const [table] = tables;
  const [x2, beta] = [float32(table.x, "the table"), float32(table.values, "the table")];
  const points = Array.from(x2.keys()).filter((k) => x2[k] >= low && x2[k] <= high);
  return (f) => {
    const at = offset + f * nb;
    const y = points.map((k) => {
      let sum = 0;
      for (let b = 0; b < nb; b++) sum += frame[at + b] * beta[k * nb + b];
      return sum;
    });
    return { x: points.map((k) => x2[k]), y };
  };
}
var heightOfCurve = ({ y }) => Math.max(...y) - Math.min(...y);
function pruned({ layout: { layers } }, frame, share, chance) {
  const rest = frame.slice();
  let count2 = 0;
  for (const layer of layers) {
    const worth = curvesOf(layer, frame).map((curve) => chance ? chance() : heightOfCurve(curve));
    const order = Array.from(worth.keys()).sort((one, other) => worth[one] - worth[other]);
    for (const f of order.slice(0, Math.floor(share * worth.length))) {
      rest.fill(0, layer.offset + f * layer.nb, layer.offset + (f + 1) * layer.nb);
      count2++;
    }
  }
  return { frame: rest, count: count2 };
}
var AT_ONCE = 50;
function createAnswers(machine, described) {
  const compute = evaluator(machine, described, AT_ONCE);
  return async (frame, images) => {
    const answers = [];
    for (let from = 0; from < images.length; from += AT_ONCE) {
      const some = images.slice(from, from + AT_ONCE).flatMap((image) => [...image]);
      for (const row of compute(frame, some)) {
        const most = Math.max(...row);
        answers.push({ label: row.indexOf(most), share: Math.exp(most) });
      }
      await new Promise((resolve) => setTimeout(resolve));
    }
    return answers;
  };
}
var FORMS = {
  ...{ x: (x2) => x2, "x²": (x2) => x2 * x2, "x³": (x2) => x2 ** 3, "|x|": Math.abs },
  ...{ "sin πx": (x2) => Math.sin(Math.PI * x2), "cos πx": (x2) => Math.cos(Math.PI * x2) },
  ...{ "exp x": Math.exp, "tanh 3x": (x2) => Math.tanh(3 * x2) }
};
var inY = (form) => form.replace(/x(?!p)/, "y");
function formOf({ x: x2, y }) {
  const found = Object.entries(FORMS).map(([form, f]) => {
    return { form, explained: correlation(x2.map(f), y) ** 2 };
  });
  return found.reduce((best, one) => one.explained > best.explained ? one : best);
}
function exponential({ x: x2, y }) {
  const rates = Array.from({ length: 60 }, (_, k) => 0.1 * 1.07 ** k);
  const likeness = (k) => {
    const form = x2.map((value) => Math.exp(k * value));
    return correlation(form, y) ** 2;
  };
  return Math.max(...rates.flatMap((k) => [likeness(k), likeness(-k)]));
}
function standardised(values) {
  const { mean, deviation } = momentsOf(values);
  return values.map((one) => (one - mean) / (deviation || 1));
}
function correlation(one, other) {
  const [a, b] = [standardised(one), standardised(other)];
  return a.reduce((sum, value, k) => sum + value * b[k], 0) / a.length;
}
var short = (value) => String(Number(value.toPrecision(2))).replace("-", "−");

// src/playground/doubt.ts
var [WIDTH, HEIGHT] = [340, 85];
var [ROOM, TOP, BOTTOM] = [136, 18, 68];
function startDoubt(canvas, course, { state, problem, machine }, signal, tell) {
  const curves = [];
  const errors = [];
  const { settings } = course;
  for (let seed = 0; seed < SEEDS; seed++) {
    const network = makeNetwork({ ...state, seed: state.seed + 1 + seed }, problem, machine);
    const hear = (news) => {
      if ("fault" in news) return;
      [curves[seed]] = curvesOf(network.layout.layers[0], news.frame);
      drawDoubt(canvas, curves.filter(Boolean));
      worker.send({ kind: "drawn" });
      if (news.state !== "finished" && news.state !== "diverged") return;
      worker.stop();
      errors[seed] = news.state === "finished" ? news.score?.value ?? Number.NaN : Number.NaN;
      if (Object.keys(errors).length === SEEDS) tell(curves, errors);
    };
    const worker = startWorker(course, descriptionOf(network), hear, signal);
    worker.begin(network.frame, { ...settings, seed: settings.seed + 1 + seed });
    worker.run();
  }
}
function aligned(curves) {
  return curves.map(({ y }) => {
    const turn = correlation(y, curves[0].y) < 0 ? -1 : 1;
    return standardised(y).map((value) => turn * value);
  });
}
function doubtWords(curves, errors) {
  const shapes = aligned(curves);
  const alike = shapes.filter((shape) => {
    const same = shapes.filter((other) => correlation(shape, other) ** 2 > 0.95);
    return same.length > SEEDS / 2;
  });
  const told = `On test points, they are off by ${short(Math.min(...errors))} to ${short(Math.max(...errors))}.`;
  if (alike.length === SEEDS)
    return `${told} All ${SEEDS} shapes agree: height and direction depend on the seed, the shape does not.`;
  return `${told} ${alike.length > 0 ? `${alike.length} of ${SEEDS} shapes agree` : "No shape is shared by most"}: what one network shows may be due to its seed.`;
}
function drawDoubt(canvas, curves) {
  const context = canvas.getContext("2d");
  if (!context) return;
  const scale = canvas.ownerDocument.defaultView?.devicePixelRatio ?? 1;
  canvas.width = Math.round(WIDTH * scale);
  canvas.height = Math.round(HEIGHT * scale);
  context.scale(scale, scale);
  const style = getComputedStyle(canvas);
  context.font = `10.5px ${style.fontFamily}`;
  context.strokeStyle = context.fillStyle = style.getPropertyValue("--kw-page-muted");
  const write = (words, x3, y, side) => {
    context.textAlign = side;
    context.fillText(words, x3, y);
  };
  const [{ x: x2 }] = curves;
  const [first, last] = [x2[0], x2[x2.length - 1]];
  const plots = [
    { title: `φ(x) of ${curves.length} networks`, left: 34, all: curves.map(({ y }) => y) },
    { title: "scaled and flipped", left: WIDTH - ROOM - 6, all: aligned(curves) }
  ];
  for (const { title, left, all } of plots) {
    const [low, high] = [Math.min(...all.flat()), Math.max(...all.flat())];
    const down = (value) => TOP + (BOTTOM - TOP) * (high - value) / (high - low || 1);
    write(title, left, 10, "left");
    for (const [k, words] of [short(first), "x", short(last)].entries())
      write(words, left + k * ROOM / 2, HEIGHT - 2, "center");
    if (all !== plots[1].all)
      for (const value of [low, high]) write(short(value), left - 4, down(value) + 4, "right");
    context.lineWidth = 0.5;
    context.strokeRect(left, TOP - 2, ROOM, BOTTOM - TOP + 4);
    context.lineWidth = 1.2;
    for (const y of all) {
      context.beginPath();
      for (const [k, value] of y.entries())
        context.lineTo(left + ROOM * (x2[k] - first) / (last - first), down(value));
      context.stroke();
    }
  }
}

// src/playground/story.ts
var WAITS = "This is measured while training is paused.";
function createStory(place2, actions) {
  const document = place2.ownerDocument;
  const { signal } = new AbortController();
  const root = element(document, "section", "");
  root.id = "kw-story";
  root.setAttribute("aria-label", "Story");
  place2.before(root);
  const open = element(document, "button", "", root);
  putWords(open, "Show me round, in seven steps");
  const body = element(document, "div", "kw-story-told", root);
  const said = element(document, "p", "", body);
  said.setAttribute("aria-live", "polite");
  const title = element(document, "strong", "", said);
  const words = element(document, "span", "", said);
  const facts = element(document, "p", "kw-story-facts", body);
  const canvas = element(document, "canvas", "", body);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `The functions of x of ${SEEDS} networks`);
  const hands = element(document, "div", "kw-story-hands", body);
  const [back, next, close] = ["Back", "Next", "Close"].map((name) => {
    const button = element(document, "button", "", hands);
    putWords(button, name);
    return button;
  });
  for (const button of [open, back, next, close]) button.type = "button";
  let current = 0;
  let present = null;
  let isDue = false;
  let isOurs = false;
  let visit = new AbortController();
  const say = (text) => putWords(facts, text);
  async function go(step) {
    visit.abort();
    visit = new AbortController();
    if (present && current > 0) STORY[current - 1].leave?.(present);
    current = step;
    open.hidden = step > 0;
    body.hidden = step === 0;
    canvas.hidden = step !== STORY.length;
    actions.moved(step);
    isDue = step > 0;
    if (step === 0) return;
    const { title: name, words: text, state = DIGITS, atRest } = STORY[step - 1];
    putWords(title, `${step} of ${STORY.length}: ${name} `);
    putWords(words, atRest ? WAITS : text);
    say("");
    back.disabled = step === 1;
    next.disabled = step === STORY.length;
    if (!isSame(actions.state(), state)) {
      isOurs = true;
      present = null;
      await actions.begin(state);
      isOurs = false;
    } else if (atRest && present?.news.state === "running") present.model.send({ kind: "pause" });
    else if (present) await arrive(present);
  }
  async function arrive(present2) {
    isDue = false;
    const { signal: visited } = visit;
    const { arrive: come, follow } = STORY[current - 1];
    present2.turnToNetwork();
    const result = await come?.(present2, visited) ?? follow?.(present2);
    if (visited.aborted) return;
    putWords(words, STORY[current - 1].words);
    if (result) say(result);
    if (current < STORY.length) return;
    startDoubt(canvas, present2.course, present2, visited, (...found) => say(doubtWords(...found)));
  }
  function leads(button, to, focused) {
    const click = async () => {
      await go(to());
      (focused.matches(":disabled") ? close : focused).focus();
    };
    listen(button, signal, { click });
  }
  leads(open, () => 1, next);
  leads(back, () => current - 1, back);
  leads(next, () => current + 1, next);
  leads(close, () => 0, open);
  go(0);
  return {
    go,
    /** Another network comes: where the reader has chosen it, the story is over. */
    end() {
      if (!isOurs && current > 0) go(0);
      present = null;
    },
    hear(page, news) {
      present = { ...page, news, frame: news.frame.slice() };
      facts.setAttribute("aria-live", news.state === "running" ? "off" : "polite");
      const { follow, atRest } = STORY[current - 1] ?? {};
      const waits = atRest === true && news.state === "running";
      if (waits) {
        isDue = true;
        putWords(words, WAITS);
      } else if (isDue) arrive(present);
      if (follow) say(follow(present));
    }
  };
}
function storyOf(hash) {
  const query = new URLSearchParams(hash.replace(/^#/, ""));
  const step = query.has("story") ? Number(query.get("story")) : query.size === 0 ? 1 : 0;
  return Number.isInteger(step) && step >= 0 && step <= STORY.length ? step : 0;
}
function isSame(one, other) {
  const names = ["problem", "network", "widths", "basis", "grid", "order", "base"];
  const isOfFormula = other.problem === "formula";
  return names.every((name) => String(one[name]) === String(other[name])) && (!isOfFormula || one.formula === other.formula);
}

// node_modules/fflate/esm/browser.js
var u8 = Uint8Array;
var u16 = Uint16Array;
var i32 = Int32Array;
var fleb = new u8([
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  1,
  1,
  1,
  1,
  2,
  2,
  2,
  2,
  3,
  3,
  3,
  3,
  4,
  4,
  4,
  4,
  5,
  5,
  5,
  5,
  0,
  /* unused */
  0,
  0,
  /* impossible */
  0
]);
var fdeb = new u8([
  0,
  0,
  0,
  0,
  1,
  1,
  2,
  2,
  3,
  3,
  4,
  4,
  5,
  5,
  6,
  6,
  7,
  7,
  8,
  8,
  9,
  9,
  10,
  10,
  11,
  11,
  12,
  12,
  13,
  13,
  /* unused */
  0,
  0
]);
var clim = new u8([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);
var freb = function(eb, start) {
  var b = new u16(31);
  for (var i2 = 0; i2 < 31; ++i2) {
    b[i2] = start += 1 << eb[i2 - 1];
  }
  var r = new i32(b[30]);
  for (var i2 = 1; i2 < 30; ++i2) {
    for (var j = b[i2]; j < b[i2 + 1]; ++j) {
      r[j] = j - b[i2] << 5 | i2;
    }
  }
  return { b, r };
};
var _a = freb(fleb, 2);
var fl = _a.b;
var revfl = _a.r;
fl[28] = 258, revfl[258] = 28;
var _b = freb(fdeb, 0);
var fd = _b.b;
var revfd = _b.r;
var rev = new u16(32768);
for (i = 0; i < 32768; ++i) {
  x = (i & 43690) >> 1 | (i & 21845) << 1;
  x = (x & 52428) >> 2 | (x & 13107) << 2;
  x = (x & 61680) >> 4 | (x & 3855) << 4;
  rev[i] = ((x & 65280) >> 8 | (x & 255) << 8) >> 1;
}
var x;
var i;
var hMap = (function(cd, mb, r) {
  var s = cd.length;
  var i2 = 0;
  var l = new u16(mb);
  for (; i2 < s; ++i2) {
    if (cd[i2])
      ++l[cd[i2] - 1];
  }
  var le = new u16(mb);
  for (i2 = 1; i2 < mb; ++i2) {
    le[i2] = le[i2 - 1] + l[i2 - 1] << 1;
  }
  var co;
  if (r) {
    co = new u16(1 << mb);
    var rvb = 15 - mb;
    for (i2 = 0; i2 < s; ++i2) {
      if (cd[i2]) {
        var sv = i2 << 4 | cd[i2];
        var r_1 = mb - cd[i2];
        var v = le[cd[i2] - 1]++ << r_1;
        for (var m = v | (1 << r_1) - 1; v <= m; ++v) {
          co[rev[v] >> rvb] = sv;
        }
      }
    }
  } else {
    co = new u16(s);
    for (i2 = 0; i2 < s; ++i2) {
      if (cd[i2]) {
        co[i2] = rev[le[cd[i2] - 1]++] >> 15 - cd[i2];
      }
    }
  }
  return co;
});
var flt = new u8(288);
for (i = 0; i < 144; ++i)
  flt[i] = 8;
var i;
for (i = 144; i < 256; ++i)
  flt[i] = 9;
var i;
for (i = 256; i < 280; ++i)
  flt[i] = 7;
var i;
for (i = 280; i < 288; ++i)
  flt[i] = 8;
var i;
var fdt = new u8(32);
for (i = 0; i < 32; ++i)
  fdt[i] = 5;
var i;
var flm = /* @__PURE__ */ hMap(flt, 9, 0);
var fdm = /* @__PURE__ */ hMap(fdt, 5, 0);
var shft = function(p) {
  return (p + 7) / 8 | 0;
};
var slc = function(v, s, e) {
  if (s == null || s < 0)
    s = 0;
  if (e == null || e > v.length)
    e = v.length;
  return new u8(v.subarray(s, e));
};
var ec = [
  "unexpected EOF",
  "invalid block type",
  "invalid length/literal",
  "invalid distance",
  "stream finished",
  "no stream handler",
  ,
  // determined by compression function
  "no callback",
  "invalid UTF-8 data",
  "extra field too long",
  "date not in range 1980-2099",
  "filename too long",
  "stream finishing",
  "invalid zip data"
  // determined by unknown compression method
];
var err = function(ind, msg, nt) {
  var e = new Error(msg || ec[ind]);
  e.code = ind;
  if (Error.captureStackTrace)
    Error.captureStackTrace(e, err);
  if (!nt)
    throw e;
  return e;
};
var wbits = function(d, p, v) {
  v <<= p & 7;
  var o = p / 8 | 0;
  d[o] |= v;
  d[o + 1] |= v >> 8;
};
var wbits16 = function(d, p, v) {
  v <<= p & 7;
  var o = p / 8 | 0;
  d[o] |= v;
  d[o + 1] |= v >> 8;
  d[o + 2] |= v >> 16;
};
var hTree = function(d, mb) {
  var t = [];
  for (var i2 = 0; i2 < d.length; ++i2) {
    if (d[i2])
      t.push({ s: i2, f: d[i2] });
  }
  var s = t.length;
  var t2 = t.slice();
  if (!s)
    return { t: et, l: 0 };
  if (s == 1) {
    var v = new u8(t[0].s + 1);
    v[t[0].s] = 1;
    return { t: v, l: 1 };
  }
  t.sort(function(a, b) {
    return a.f - b.f;
  });
  t.push({ s: -1, f: 25001 });
  var l = t[0], r = t[1], i0 = 0, i1 = 1, i22 = 2;
  t[0] = { s: -1, f: l.f + r.f, l, r };
  while (i1 != s - 1) {
    l = t[t[i0].f < t[i22].f ? i0++ : i22++];
    r = t[i0 != i1 && t[i0].f < t[i22].f ? i0++ : i22++];
    t[i1++] = { s: -1, f: l.f + r.f, l, r };
  }
  var maxSym = t2[0].s;
  for (var i2 = 1; i2 < s; ++i2) {
    if (t2[i2].s > maxSym)
      maxSym = t2[i2].s;
  }
  var tr = new u16(maxSym + 1);
  var mbt = ln(t[i1 - 1], tr, 0);
  if (mbt > mb) {
    var i2 = 0, dt = 0;
    var lft = mbt - mb, cst = 1 << lft;
    t2.sort(function(a, b) {
      return tr[b.s] - tr[a.s] || a.f - b.f;
    });
    for (; i2 < s; ++i2) {
      var i2_1 = t2[i2].s;
      if (tr[i2_1] > mb) {
        dt += cst - (1 << mbt - tr[i2_1]);
        tr[i2_1] = mb;
      } else
        break;
    }
    dt >>= lft;
    while (dt > 0) {
      var i2_2 = t2[i2].s;
      if (tr[i2_2] < mb)
        dt -= 1 << mb - tr[i2_2]++ - 1;
      else
        ++i2;
    }
    for (; i2 >= 0 && dt; --i2) {
      var i2_3 = t2[i2].s;
      if (tr[i2_3] == mb) {
        --tr[i2_3];
        ++dt;
      }
    }
    mbt = mb;
  }
  return { t: new u8(tr), l: mbt };
};
var ln = function(n, l, d) {
  return n.s == -1 ? Math.max(ln(n.l, l, d + 1), ln(n.r, l, d + 1)) : l[n.s] = d;
};
var lc = function(c) {
  var s = c.length;
  while (s && !c[--s])
    ;
  var cl = new u16(++s);
  var cli = 0, cln = c[0], cls = 1;
  var w = function(v) {
    cl[cli++] = v;
  };
  for (var i2 = 1; i2 <= s; ++i2) {
    if (c[i2] == cln && i2 != s)
      ++cls;
    else {
      if (!cln && cls > 2) {
        for (; cls > 138; cls -= 138)
          w(32754);
        if (cls > 2) {
          w(cls > 10 ? cls - 11 << 5 | 28690 : cls - 3 << 5 | 12305);
          cls = 0;
        }
      } else if (cls > 3) {
        w(cln), --cls;
        for (; cls > 6; cls -= 6)
          w(8304);
        if (cls > 2)
          w(cls - 3 << 5 | 8208), cls = 0;
      }
      while (cls--)
        w(cln);
      cls = 1;
      cln = c[i2];
    }
  }
  return { c: cl.subarray(0, cli), n: s };
};
var clen = function(cf, cl) {
  var l = 0;
  for (var i2 = 0; i2 < cl.length; ++i2)
    l += cf[i2] * cl[i2];
  return l;
};
var wfblk = function(out, pos, dat) {
  var s = dat.length;
  var o = shft(pos + 2);
  out[o] = s & 255;
  out[o + 1] = s >> 8;
  out[o + 2] = out[o] ^ 255;
  out[o + 3] = out[o + 1] ^ 255;
  for (var i2 = 0; i2 < s; ++i2)
    out[o + i2 + 4] = dat[i2];
  return (o + 4 + s) * 8;
};
var wblk = function(dat, out, final, syms, lf, df, eb, li, bs, bl, p) {
  wbits(out, p++, final);
  ++lf[256];
  var _a2 = hTree(lf, 15), dlt = _a2.t, mlb = _a2.l;
  var _b2 = hTree(df, 15), ddt = _b2.t, mdb = _b2.l;
  var _c = lc(dlt), lclt = _c.c, nlc = _c.n;
  var _d = lc(ddt), lcdt = _d.c, ndc = _d.n;
  var lcfreq = new u16(19);
  for (var i2 = 0; i2 < lclt.length; ++i2)
    ++lcfreq[lclt[i2] & 31];
  for (var i2 = 0; i2 < lcdt.length; ++i2)
    ++lcfreq[lcdt[i2] & 31];
  var _e = hTree(lcfreq, 7), lct = _e.t, mlcb = _e.l;
  var nlcc = 19;
  for (; nlcc > 4 && !lct[clim[nlcc - 1]]; --nlcc)
    ;
  var flen = bl + 5 << 3;
  var ftlen = clen(lf, flt) + clen(df, fdt) + eb;
  var dtlen = clen(lf, dlt) + clen(df, ddt) + eb + 14 + 3 * nlcc + clen(lcfreq, lct) + 2 * lcfreq[16] + 3 * lcfreq[17] + 7 * lcfreq[18];
  if (bs >= 0 && flen <= ftlen && flen <= dtlen)
    return wfblk(out, p, dat.subarray(bs, bs + bl));
  var lm, ll, dm, dl;
  wbits(out, p, 1 + (dtlen < ftlen)), p += 2;
  if (dtlen < ftlen) {
    lm = hMap(dlt, mlb, 0), ll = dlt, dm = hMap(ddt, mdb, 0), dl = ddt;
    var llm = hMap(lct, mlcb, 0);
    wbits(out, p, nlc - 257);
    wbits(out, p + 5, ndc - 1);
    wbits(out, p + 10, nlcc - 4);
    p += 14;
    for (var i2 = 0; i2 < nlcc; ++i2)
      wbits(out, p + 3 * i2, lct[clim[i2]]);
    p += 3 * nlcc;
    var lcts = [lclt, lcdt];
    for (var it = 0; it < 2; ++it) {
      var clct = lcts[it];
      for (var i2 = 0; i2 < clct.length; ++i2) {
        var len = clct[i2] & 31;
        wbits(out, p, llm[len]), p += lct[len];
        if (len > 15)
          wbits(out, p, clct[i2] >> 5 & 127), p += clct[i2] >> 12;
      }
    }
  } else {
    lm = flm, ll = flt, dm = fdm, dl = fdt;
  }
  for (var i2 = 0; i2 < li; ++i2) {
    var sym = syms[i2];
    if (sym > 255) {
      var len = sym >> 18 & 31;
      wbits16(out, p, lm[len + 257]), p += ll[len + 257];
      if (len > 7)
        wbits(out, p, sym >> 23 & 31), p += fleb[len];
      var dst = sym & 31;
      wbits16(out, p, dm[dst]), p += dl[dst];
      if (dst > 3)
        wbits16(out, p, sym >> 5 & 8191), p += fdeb[dst];
    } else {
      wbits16(out, p, lm[sym]), p += ll[sym];
    }
  }
  wbits16(out, p, lm[256]);
  return p + ll[256];
};
var deo = /* @__PURE__ */ new i32([65540, 131080, 131088, 131104, 262176, 1048704, 1048832, 2114560, 2117632]);
var et = /* @__PURE__ */ new u8(0);
var dflt = function(dat, lvl, plvl, pre, post, st) {
  var s = st.z || dat.length;
  var o = new u8(pre + s + 5 * (1 + Math.ceil(s / 7e3)) + post);
  var w = o.subarray(pre, o.length - post);
  var lst = st.l;
  var pos = (st.r || 0) & 7;
  if (lvl) {
    if (pos)
      w[0] = st.r >> 3;
    var opt = deo[lvl - 1];
    var n = opt >> 13, c = opt & 8191;
    var msk_1 = (1 << plvl) - 1;
    var prev = st.p || new u16(32768), head = st.h || new u16(msk_1 + 1);
    var bs1_1 = Math.ceil(plvl / 3), bs2_1 = 2 * bs1_1;
    var hsh = function(i3) {
      return (dat[i3] ^ dat[i3 + 1] << bs1_1 ^ dat[i3 + 2] << bs2_1) & msk_1;
    };
    var syms = new i32(25e3);
    var lf = new u16(288), df = new u16(32);
    var lc_1 = 0, eb = 0, i2 = st.i || 0, li = 0, wi = st.w || 0, bs = 0;
    for (; i2 + 2 < s; ++i2) {
      var hv = hsh(i2);
      var imod = i2 & 32767, pimod = head[hv];
      prev[imod] = pimod;
      head[hv] = imod;
      if (wi <= i2) {
        var rem = s - i2;
        if ((lc_1 > 7e3 || li > 24576) && (rem > 423 || !lst)) {
          pos = wblk(dat, w, 0, syms, lf, df, eb, li, bs, i2 - bs, pos);
          li = lc_1 = eb = 0, bs = i2;
          for (var j = 0; j < 286; ++j)
            lf[j] = 0;
          for (var j = 0; j < 30; ++j)
            df[j] = 0;
        }
        var l = 2, d = 0, ch_1 = c, dif = imod - pimod & 32767;
        if (rem > 2 && hv == hsh(i2 - dif)) {
          var maxn = Math.min(n, rem) - 1;
          var maxd = Math.min(32767, i2);
          var ml = Math.min(258, rem);
          while (dif <= maxd && --ch_1 && imod != pimod) {
            if (dat[i2 + l] == dat[i2 + l - dif]) {
              var nl = 0;
              for (; nl < ml && dat[i2 + nl] == dat[i2 + nl - dif]; ++nl)
                ;
              if (nl > l) {
                l = nl, d = dif;
                if (nl > maxn)
                  break;
                var mmd = Math.min(dif, nl - 2);
                var md = 0;
                for (var j = 0; j < mmd; ++j) {
                  var ti = i2 - dif + j & 32767;
                  var pti = prev[ti];
                  var cd = ti - pti & 32767;
                  if (cd > md)
                    md = cd, pimod = ti;
                }
              }
            }
            imod = pimod, pimod = prev[imod];
            dif += imod - pimod & 32767;
          }
        }
        if (d) {
          syms[li++] = 268435456 | revfl[l] << 18 | revfd[d];
          var lin = revfl[l] & 31, din = revfd[d] & 31;
          eb += fleb[lin] + fdeb[din];
          ++lf[257 + lin];
          ++df[din];
          wi = i2 + l;
          ++lc_1;
        } else {
          syms[li++] = dat[i2];
          ++lf[dat[i2]];
        }
      }
    }
    for (i2 = Math.max(i2, wi); i2 < s; ++i2) {
      syms[li++] = dat[i2];
      ++lf[dat[i2]];
    }
    pos = wblk(dat, w, lst, syms, lf, df, eb, li, bs, i2 - bs, pos);
    if (!lst) {
      st.r = pos & 7 | w[pos / 8 | 0] << 3;
      pos -= 7;
      st.h = head, st.p = prev, st.i = i2, st.w = wi;
    }
  } else {
    for (var i2 = st.w || 0; i2 < s + lst; i2 += 65535) {
      var e = i2 + 65535;
      if (e >= s) {
        w[pos / 8 | 0] = lst;
        e = s;
      }
      pos = wfblk(w, pos + 1, dat.subarray(i2, e));
    }
    st.i = s;
  }
  return slc(o, 0, pre + shft(pos) + post);
};
var crct = /* @__PURE__ */ (function() {
  var t = new Int32Array(256);
  for (var i2 = 0; i2 < 256; ++i2) {
    var c = i2, k = 9;
    while (--k)
      c = (c & 1 && -306674912) ^ c >>> 1;
    t[i2] = c;
  }
  return t;
})();
var crc = function() {
  var c = -1;
  return {
    p: function(d) {
      var cr = c;
      for (var i2 = 0; i2 < d.length; ++i2)
        cr = crct[cr & 255 ^ d[i2]] ^ cr >>> 8;
      c = cr;
    },
    d: function() {
      return ~c;
    }
  };
};
var dopt = function(dat, opt, pre, post, st) {
  if (!st) {
    st = { l: 1 };
    if (opt.dictionary) {
      var dict = opt.dictionary.subarray(-32768);
      var newDat = new u8(dict.length + dat.length);
      newDat.set(dict);
      newDat.set(dat, dict.length);
      dat = newDat;
      st.w = dict.length;
    }
  }
  return dflt(dat, opt.level == null ? 6 : opt.level, opt.mem == null ? st.l ? Math.ceil(Math.max(8, Math.min(13, Math.log(dat.length))) * 1.5) : 20 : 12 + opt.mem, pre, post, st);
};
var mrg = function(a, b) {
  var o = {};
  for (var k in a)
    o[k] = a[k];
  for (var k in b)
    o[k] = b[k];
  return o;
};
var wbytes = function(d, b, v) {
  for (; v; ++b)
    d[b] = v, v >>>= 8;
};
function deflateSync(data, opts) {
  return dopt(data, opts || {}, 0, 0);
}
var fltn = function(d, p, t, o) {
  for (var k in d) {
    var val = d[k], n = p + k, op = o;
    if (Array.isArray(val))
      op = mrg(o, val[1]), val = val[0];
    if (ArrayBuffer.isView(val))
      t[n] = [val, op];
    else {
      t[n += "/"] = [new u8(0), op];
      fltn(val, n, t, o);
    }
  }
};
var te = typeof TextEncoder != "undefined" && /* @__PURE__ */ new TextEncoder();
var td = typeof TextDecoder != "undefined" && /* @__PURE__ */ new TextDecoder();
var tds = 0;
try {
  td.decode(et, { stream: true });
  tds = 1;
} catch (e) {
}
function strToU8(str, latin1) {
  if (latin1) {
    var ar_1 = new u8(str.length);
    for (var i2 = 0; i2 < str.length; ++i2)
      ar_1[i2] = str.charCodeAt(i2);
    return ar_1;
  }
  if (te)
    return te.encode(str);
  var l = str.length;
  var ar = new u8(str.length + (str.length >> 1));
  var ai = 0;
  var w = function(v) {
    ar[ai++] = v;
  };
  for (var i2 = 0; i2 < l; ++i2) {
    if (ai + 5 > ar.length) {
      var n = new u8(ai + 8 + (l - i2 << 1));
      n.set(ar);
      ar = n;
    }
    var c = str.charCodeAt(i2);
    if (c < 128 || latin1)
      w(c);
    else if (c < 2048)
      w(192 | c >> 6), w(128 | c & 63);
    else if (c > 55295 && c < 57344)
      c = 65536 + (c & 1023 << 10) | str.charCodeAt(++i2) & 1023, w(240 | c >> 18), w(128 | c >> 12 & 63), w(128 | c >> 6 & 63), w(128 | c & 63);
    else
      w(224 | c >> 12), w(128 | c >> 6 & 63), w(128 | c & 63);
  }
  return slc(ar, 0, ai);
}
var exfl = function(ex) {
  var le = 0;
  if (ex) {
    for (var k in ex) {
      var l = ex[k].length;
      if (l > 65535)
        err(9);
      le += l + 4;
    }
  }
  return le;
};
var wzh = function(d, b, f, fn, u, c, ce, co) {
  var fl2 = fn.length, ex = f.extra, col = co && co.length;
  var exl = exfl(ex);
  wbytes(d, b, ce != null ? 33639248 : 67324752), b += 4;
  if (ce != null)
    d[b++] = 20, d[b++] = f.os;
  d[b] = 20, b += 2;
  d[b++] = f.flag << 1 | (c < 0 && 8), d[b++] = u && 8;
  d[b++] = f.compression & 255, d[b++] = f.compression >> 8;
  var dt = new Date(f.mtime == null ? Date.now() : f.mtime), y = dt.getFullYear() - 1980;
  if (y < 0 || y > 119)
    err(10);
  wbytes(d, b, y << 25 | dt.getMonth() + 1 << 21 | dt.getDate() << 16 | dt.getHours() << 11 | dt.getMinutes() << 5 | dt.getSeconds() >> 1), b += 4;
  if (c != -1) {
    wbytes(d, b, f.crc);
    wbytes(d, b + 4, c < 0 ? -c - 2 : c);
    wbytes(d, b + 8, f.size);
  }
  wbytes(d, b + 12, fl2);
  wbytes(d, b + 14, exl), b += 16;
  if (ce != null) {
    wbytes(d, b, col);
    wbytes(d, b + 6, f.attrs);
    wbytes(d, b + 10, ce), b += 14;
  }
  d.set(fn, b);
  b += fl2;
  if (exl) {
    for (var k in ex) {
      var exf = ex[k], l = exf.length;
      wbytes(d, b, +k);
      wbytes(d, b + 2, l);
      d.set(exf, b + 4), b += 4 + l;
    }
  }
  if (col)
    d.set(co, b), b += col;
  return b;
};
var wzf = function(o, b, c, d, e) {
  wbytes(o, b, 101010256);
  wbytes(o, b + 8, c);
  wbytes(o, b + 10, c);
  wbytes(o, b + 12, d);
  wbytes(o, b + 16, e);
};
function zipSync(data, opts) {
  if (!opts)
    opts = {};
  var r = {};
  var files = [];
  fltn(data, "", r, opts);
  var o = 0;
  var tot = 0;
  for (var fn in r) {
    var _a2 = r[fn], file = _a2[0], p = _a2[1];
    var compression = p.level == 0 ? 0 : 8;
    var f = strToU8(fn), s = f.length;
    var com = p.comment, m = com && strToU8(com), ms = m && m.length;
    var exl = exfl(p.extra);
    if (s > 65535)
      err(11);
    var d = compression ? deflateSync(file, p) : file, l = d.length;
    var c = crc();
    c.p(file);
    files.push(mrg(p, {
      size: file.length,
      crc: c.d(),
      c: d,
      f,
      m,
      u: s != fn.length || m && com.length != ms,
      o,
      compression
    }));
    o += 30 + s + exl + l;
    tot += 76 + 2 * (s + exl) + (ms || 0) + l;
  }
  var out = new u8(tot + 22), oe = o, cdl = tot - o;
  for (var i2 = 0; i2 < files.length; ++i2) {
    var f = files[i2];
    wzh(out, f.o, f, f.f, f.u, f.c.length);
    var badd = 30 + f.f.length + exfl(f.extra);
    out.set(f.c, f.o + badd);
    wzh(out, o, f, f.f, f.u, f.c.length, f.o, f.m), o += 16 + badd + (f.m ? f.m.length : 0);
  }
  wzf(out, o, files.length, cdl, oe);
  return out;
}

// src/playground/weights.ts
function arraysOf({ layout, kept }, frame) {
  const arrays = /* @__PURE__ */ new Map();
  let end = 0;
  for (const { name, kind, shape, nb, offset } of layout.layers) {
    const count2 = shape.reduce((all, size) => all * size);
    const own = kind === "conv" ? shape : shape.slice(0, 2);
    const { isScaled = false, basis } = kept.get(name) ?? {};
    const base = new Float32Array(count2);
    const splines = new Float32Array(count2 * (nb - 1));
    for (let f = 0; f < count2; f++) {
      base[f] = frame[offset + f * nb];
      splines.set(frame.subarray(offset + f * nb + 1, offset + (f + 1) * nb), f * (nb - 1));
    }
    arrays.set(`${name}.base_weight`, { shape: own, values: base });
    arrays.set(`${name}.spline_weight`, { shape: [...own, nb - 1], values: splines });
    const ones = new Float32Array(count2).fill(1);
    if (isScaled) arrays.set(`${name}.spline_scaler`, { shape: own, values: ones });
    const knots = basis ? knotsOf(basis) : [];
    if (knots.length > 0)
      arrays.set(`${name}.knots`, { shape: [knots.length], values: Float32Array.from(knots) });
    end = offset + count2 * nb;
  }
  for (const { name, size } of layout.beside) {
    arrays.set(name, { shape: [size], values: frame.slice(end, end + size) });
    if (name.endsWith("running_mean")) {
      const batches = name.replace("running_mean", "num_batches_tracked");
      arrays.set(batches, { shape: [], values: new BigInt64Array(1) });
    }
    end += size;
  }
  return arrays;
}
function knotsOf({ knots, kernel: { family, order, functions } }) {
  const isWaves = order === 0 && FAMILIES[family] === "fourier";
  return isWaves ? Array.from({ length: functions }, (_, b) => b + 1 >> 1) : knots;
}
function archiveOf(made, frame) {
  const files = Array.from(arraysOf(made, frame), ([name, array2]) => [`${name}.npy`, npyOf(array2)]);
  return zipSync(Object.fromEntries(files), { level: 0 });
}
function npyOf({ shape, values }) {
  const kind = values instanceof Float32Array ? "<f4" : "<i8";
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const words = `{'descr': '${kind}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const length = Math.ceil((10 + words.length + 1) / 64) * 64 - 10;
  const magic = [147, 78, 85, 77, 80, 89, 1, 0];
  const header = strToU8(`${words.padEnd(length - 1)}
`);
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return Uint8Array.from([...magic, length & 255, length >> 8, ...header, ...bytes]);
}
function codeOf(state, { layout, structure }) {
  const { grid, order, basis, base } = state;
  const settings = [
    grid !== 5 && `grid_size=${grid}`,
    order !== 3 && `spline_order=${order}`,
    basis !== "bspline" && `basis="${basis}"`,
    base !== "silu" && `base_activation="${base}"`
  ].filter(Boolean);
  const call = (name, ...own) => `${name}(${[...own, ...settings].join(", ")})`;
  const heading = [
    "import numpy as np, torch, kan_widgets as kw",
    "",
    'weights = dict(np.load("kan.npz"))'
  ];
  const reading = "model.load_state_dict({name: torch.from_numpy(weights[name]) for name in weights})";
  if (state.network !== "dense") {
    const widths = state.widths.join(", ");
    const own = `channels=(${widths}${state.widths.length === 1 ? "," : ""})`;
    const isArticle = state.network === "article";
    const model = isArticle ? "kw.nn.KANCNN.article()" : call("kw.nn.KANCNN", own);
    return [...heading, `model = ${model}`, reading, "model.eval()"].join("\n");
  }
  const isFlat = structure.stations.some(({ kind }) => kind === "reshape");
  const isClassifier = structure.stations.at(-1)?.name === "log_softmax";
  const layers = layout.layers.map(({ name, shape }) => {
    return `    ("${name}", ${call("kw.nn.KANLinear", shape[1], shape[0])}),`;
  });
  return [
    "from collections import OrderedDict",
    ...heading,
    "model = torch.nn.Sequential(OrderedDict([",
    ...isFlat ? ['    ("flatten", torch.nn.Flatten()),'] : [],
    ...layers,
    ...isClassifier ? ['    ("log_softmax", torch.nn.LogSoftmax(-1)),'] : [],
    "]))",
    reading,
    "model.eval()"
  ].join("\n");
}

// src/playground/play.ts
function startTwin(network, course, signal) {
  const worker = startWorker(course, descriptionOf(network), hear, signal);
  let news = null;
  let scored = null;
  let isRunning = false;
  let curves = createCurves();
  function begin(settings) {
    news = scored = null;
    isRunning = false;
    curves = createCurves();
    worker.begin(network.frame, settings);
  }
  function hear(data) {
    if ("fault" in data) return;
    curves.take(data);
    news = data;
    if (data.score) scored = data;
    worker.send({ kind: "drawn" });
  }
  begin(course.settings);
  return {
    network,
    begin,
    /** Runs while the other one does. */
    follow({ state, step }) {
      if (state === "running" === isRunning) return;
      isRunning = state === "running";
      if (isRunning) worker.run();
      else if (state === "paused" && step > 0) worker.send({ kind: "pause" });
    },
    latest: () => news,
    /** The latest of which there is a score. */
    scored: () => scored,
    curves: () => news ? curves.wire(news.classifies, network.name) : []
  };
}
var SHOWN = 8;
async function play(document, saved, lesson, mount) {
  const window = document.defaultView;
  const byId = (id) => document.getElementById(id);
  const usual = courseOf(saved, lesson);
  let state = stateOf(window.location.hash);
  let table = "";
  let present = new AbortController();
  let frame = new Float32Array();
  let latest = null;
  let isRunning = false;
  const storyStep = storyOf(window.location.hash);
  let shownStep = 0;
  const mark = () => {
    const hash = new URLSearchParams(hashOf(state).slice(1));
    if (shownStep > 0 || hash.size === 0) hash.set("story", String(shownStep));
    window.history.replaceState(null, "", `#${hash}`);
  };
  const controls = createChoices(byId("kw-play"), {
    choose: (next) => begin(next),
    drop(text) {
      table = text;
      begin(state.problem === "table" ? state : defaultsOf("table", "dense"));
    },
    link: () => window.location.href,
    code: () => latest ? codeOf(state, latest) : "",
    save: () => latest && download(document, new Blob([archiveOf(latest, frame)]), "kan.npz")
  });
  const fit = createFit(byId("kw-fit"));
  document.querySelector("main")?.after(byId("kw-fit"));
  const story = createStory(document.querySelector("main"), {
    state: () => state,
    begin: (next) => begin(next),
    moved(step) {
      shownStep = step;
      mark();
    }
  });
  async function begin(next, isEager = isRunning) {
    let problem;
    try {
      problem = makeProblem(next, usual.data, table);
    } catch (error) {
      if (!latest) await begin(stateOf(""));
      const words = error instanceof Error ? error.message : String(error);
      controls.refuse(next, words, next.problem === "table" && table === "");
      return;
    }
    state = next;
    story.end();
    present.abort();
    present = new AbortController();
    const { signal } = present;
    const machine = await Machine.from(usual.code);
    if (signal.aborted) return;
    const network = makeNetwork(state, problem, machine);
    latest = network;
    frame = network.frame;
    const course = courseFor(usual, state, problem, network);
    const twin = state.twin ? startTwin(makeTwin(state, problem, machine, network.parameters), course, signal) : null;
    const shown = controls.show(state, problem, network, twin?.network ?? null);
    fit.begin(machine, problem, network, twin?.network ?? null);
    isRunning = false;
    const follower = {
      isEager,
      hear(news) {
        isRunning = news.state === "running";
        frame = news.frame.slice();
        twin?.follow(news);
        fit.show(frame, twin?.latest()?.frame ?? null, signal);
        const model = models.get(saved.streams[0].id);
        const own = { state, problem, network, machine, course, model, turnToNetwork };
        story.hear(own, news);
        return shown.hear(news, twin?.scored() ?? null);
      },
      begin({ rate, batch, epochs, seed }) {
        const isNew = seed !== state.seed;
        state = { ...state, rate, batch, epochs, seed };
        mark();
        twin?.begin({ rate, batch, epochs, seed });
        if (isNew) begin(state, true);
      },
      curves: () => twin?.curves() ?? []
    };
    mark();
    const views = modelsFor(saved, state, problem, network);
    const models = train(views, course, byId("kw-bar"), signal, follower);
    const turnToNetwork = () => {
      for (const each of models.values())
        if (each.get("page") !== void 0) each.set("page", "network");
    };
    mount(models, signal);
  }
  window.addEventListener("hashchange", async () => {
    const { hash } = window.location;
    const step = storyOf(hash);
    if (step === 0) await begin(stateOf(hash));
    await story.go(step);
  });
  await begin(state);
  await story.go(storyStep);
}
function courseFor(usual, state, { data, rows }, network) {
  const { rate, batch, epochs, seed } = state;
  const now = { step: 0, data: bytesOf3(network.frame), rough: false };
  return {
    ...usual,
    first: { layout: network.layout.version, ...now },
    description: descriptionOf(network),
    data,
    rows,
    settings: { rate, batch, epochs, seed }
  };
}
function modelsFor({ streams: [stream], models }, state, problem, { name, layout, structure }) {
  const probe = state.problem === "digits" ? stream.traits.probe : probeOf(problem);
  const training = { ...stream.traits.training, model: name };
  const traits = { ...stream.traits, layouts: [layout], structure, probe, training };
  const [{ name: layer }] = layout.layers;
  return {
    streams: [{ ...stream, traits, observed: [], activations: [] }],
    models: models.map((model) => ({
      ...model,
      traits: { ...model.traits, ..."layer" in model.traits && { layer } }
    }))
  };
}
function probeOf({ data: { test }, shape, isClassification }) {
  const size = shape.reduce((all, one) => all * one);
  const count2 = Math.min(SHOWN, test.inputs.length / size);
  const inputs = Float32Array.from(test.inputs.subarray(0, count2 * size));
  const labels = isClassification ? Array.from(test.targets.subarray(0, count2)) : null;
  return { shape: [count2, ...shape], inputs: bytesOf3(inputs), labels };
}
var play_default = { play };
export {
  play_default as default,
  play,
  startTwin
};

/*! d3-array 3.2.4

Copyright 2010-2023 Mike Bostock

Permission to use, copy, modify, and/or distribute this software for any purpose
with or without fee is hereby granted, provided that the above copyright notice
and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH
REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND
FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT,
INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS
OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER
TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF
THIS SOFTWARE.
*/

/*! d3-contour 4.0.2

Copyright 2012-2023 Mike Bostock

Permission to use, copy, modify, and/or distribute this software for any purpose
with or without fee is hereby granted, provided that the above copyright notice
and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH
REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND
FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT,
INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS
OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER
TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF
THIS SOFTWARE.
*/

/*! d3-dsv 3.0.1

Copyright 2013-2021 Mike Bostock

Permission to use, copy, modify, and/or distribute this software for any purpose
with or without fee is hereby granted, provided that the above copyright notice
and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH
REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND
FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT,
INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS
OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER
TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF
THIS SOFTWARE.
*/

/*! d3-format 3.1.3

Copyright 2010-2026 Mike Bostock

Permission to use, copy, modify, and/or distribute this software for any purpose
with or without fee is hereby granted, provided that the above copyright notice
and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH
REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND
FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT,
INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS
OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER
TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF
THIS SOFTWARE.
*/

/*! fflate 0.8.3

MIT License

Copyright (c) 2026 Arjun Barrett

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
*/
