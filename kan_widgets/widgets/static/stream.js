// src/shared/protocol.ts
var PROTOCOL = 1;
var WireError = class extends Error {
  name = "WireError";
};
var ProtocolMismatch = class extends WireError {
  name = "ProtocolMismatch";
  constructor(sent) {
    super(
      `This page's kan_widgets JavaScript speaks protocol ${PROTOCOL}, the kernel sent ${describe(sent)}. Reload the page; if this stays, restart the kernel and run the cells again, so that page and kernel use the same kan_widgets.`
    );
  }
};
function readMessage(content, buffers) {
  const message = record(content, "a message");
  switch (message.kind) {
    case "layout":
      return { kind: "layout", layout: readLayout(message.layout, (n) => numbered(buffers, n)) };
    case "frame":
      return { kind: "frame", frame: rawFrame(message, numbered(buffers, 0)) };
    case "history": {
      const entries = list(message.frames, "the frames of a history");
      const frames = entries.map(
        (entry, n) => rawFrame(record(entry, `frame ${n} of a history`), numbered(buffers, n))
      );
      return { kind: "history", frames };
    }
    case "observed":
      return { kind: "observed", observed: readObserved(message, buffers) };
    case "reset": {
      const { version } = message;
      return { kind: "reset", version: version == null ? null : whole(version, "the version") };
    }
    default:
      return { kind: "unknown" };
  }
}
function readFrameTrait(value) {
  if (value == null) return null;
  const raw = record(value, "a frame");
  return Object.keys(raw).length === 0 ? null : rawFrame(raw, raw.data);
}
function rawFrame(raw, bytes2) {
  return {
    layout: whole(raw.layout, "the layout version of a frame"),
    step: whole(raw.step, "the step of a frame"),
    bytes: bytes2
  };
}
function readFrame(raw, layout) {
  const data = float32(raw.bytes, `the frame of step ${raw.step}`);
  const expected = frameLength(layout);
  if (data.length !== expected) {
    throw new WireError(
      `The frame of step ${raw.step} has ${data.length} numbers; layout ${layout.version} needs ${expected}.`
    );
  }
  return { step: raw.step, layout, data };
}
function frameLength(layout) {
  return Math.max(0, ...layout.layers.map((layer) => layer.offset + layer.count * layer.nb));
}
function readLayout(value, bytes2 = (entry) => entry) {
  const raw = record(value, "a layout");
  if (raw.protocol !== PROTOCOL) throw new ProtocolMismatch(raw.protocol);
  const layers = list(raw.layers, "the layers of a layout");
  return {
    version: whole(raw.version, "the version of a layout"),
    layers: layers.map((layer) => readLayer(record(layer, "a layer"), bytes2))
  };
}
function readLayer(raw, bytes2) {
  const name = text(raw.name);
  const of = (what) => `the ${what} of layer "${name}"`;
  const shape = list(raw.shape, of("shape")).map((size) => positive(size, of("shape")));
  if (shape.length !== 4) {
    throw new WireError(`Got ${shape.length} sizes in ${of("shape")}; needed: out, in, kh, kw.`);
  }
  const nb = positive(raw.nb, of("number of basis functions"));
  const labels = list(raw.labels, of("labels")).map(text);
  const isBase = list(raw.is_base, of("base marks")).map(Boolean);
  same(labels.length, nb, of("labels"));
  same(isBase.length, nb, of("base marks"));
  const rawTables = list(raw.tables, of("tables")).map((table) => record(table, of("table")));
  const tables = rawTables.map((table) => readTable(table, nb, bytes2, of("table")));
  if (tables.length === 0)
    throw new WireError(`Got no table in ${of("tables")}; needed: one or more.`);
  const count = shape.reduce((product, size) => product * size, 1);
  const tableOf = raw.table_of == null ? null : uint32(bytes2(raw.table_of), of("table numbers"));
  if (tableOf) {
    same(tableOf.length, count, of("table numbers"));
    const wrong = tableOf.find((table) => table >= tables.length);
    if (wrong !== void 0) {
      throw new WireError(
        `Got table ${wrong} in ${of("table numbers")}; there are ${tables.length}.`
      );
    }
  }
  return {
    name,
    kind: raw.kind === "linear" ? "linear" : "conv",
    type: text(raw.type),
    shape,
    nb,
    offset: whole(raw.offset, of("offset")),
    labels,
    isBase,
    ...readRange(raw, of),
    variable: text(raw.variable),
    note: text(raw.note),
    conv: raw.conv == null ? null : readConv(record(raw.conv, of("convolution")), of),
    locked: text(raw.locked),
    tables,
    // What a table does not say of itself, its layer says.
    bases: rawTables.map((table) => readRange({ ...raw, ...table }, of)),
    tableOf,
    count
  };
}
function readTable(raw, nb, bytes2, what) {
  const x = float32(bytes2(raw.x), what);
  const values = float32(bytes2(raw.values), what);
  if (x.length < 2)
    throw new WireError(`Got ${x.length} sample points in ${what}; needed: 2 or more.`);
  same(values.length, x.length * nb, what);
  if (!x.every((point, p) => Number.isFinite(point) && (p === 0 || point >= x[p - 1]))) {
    throw new WireError(`The sample points in ${what} do not rise.`);
  }
  return { x, values };
}
function readRange(raw, of) {
  return {
    domain: interval(raw.domain, of("domain")),
    extent: interval(raw.extent, of("extent")),
    knots: list(raw.knots, of("knots")).map((knot) => finite(knot, of("knots")))
  };
}
function readConv(raw, of) {
  const numbers = (value, count, what) => {
    const all = list(value, of(what)).map((entry) => whole(entry, of(what)));
    same(all.length, count, of(what));
    return all;
  };
  const mode = text(raw.padding_mode);
  if (!["zeros", "reflect", "replicate", "circular"].includes(mode)) {
    throw new WireError(`Got ${describe(mode)} for ${of("padding mode")}.`);
  }
  return {
    stride: numbers(raw.stride, 2, "stride"),
    padding: numbers(raw.padding, 4, "padding"),
    dilation: numbers(raw.dilation, 2, "dilation"),
    paddingMode: mode,
    groups: positive(raw.groups, of("groups")),
    shared: Boolean(raw.shared),
    padsBasis: Boolean(raw.pads_basis)
  };
}
function readObserved(raw, buffers) {
  const layer = text(raw.layer);
  const of = (what) => `the ${what} observed at layer "${layer}"`;
  const numbers = record(raw.arrays, of("arrays"));
  const shapes = record(raw.shapes, of("shapes"));
  const array = (name, dimensions) => {
    const shape = list(shapes[name], of(name)).map((size) => whole(size, of(name)));
    same(shape.length, dimensions, of(`shape of the ${name}`));
    const data = float32(numbered(buffers, numbers[name]), of(name));
    same(
      data.length,
      shape.reduce((product, size) => product * size, 1),
      of(name)
    );
    return { data, shape };
  };
  const counts = array("counts", 2);
  const [entries, bins] = counts.shape;
  const edges = array("edges", 1).data;
  same(edges.length, bins + 1, of("edges"));
  const share = (name) => {
    const { data } = array(name, 1);
    same(data.length, entries, of(name));
    return data;
  };
  const patches = array("patches", 2);
  same(patches.shape[1], entries, of("entries of the patches"));
  const maps = numbers.maps == null ? null : array("maps", 4);
  return {
    layer,
    samples: whole(raw.samples, of("number of samples")),
    isImage: Boolean(raw.is_image),
    edges,
    counts: counts.data,
    outsideDomain: share("outside_domain"),
    outsideExtent: share("outside_extent"),
    entries,
    bins,
    patches: patches.data,
    patchCount: patches.shape[0],
    maps: maps ? maps.data : null,
    mapShape: maps ? maps.shape : null
  };
}
function readEdits(value) {
  const { undo, redo, message } = value ?? {};
  const count = (n) => Number.isSafeInteger(n) && n > 0 ? n : 0;
  return { undo: count(undo), redo: count(redo), message: text(message) };
}
function readSelection(value) {
  const raw = value ?? {};
  const { layer, out, in: input, row, column } = raw;
  if (typeof layer !== "string") return null;
  const numbers = [out, input, row, column];
  if (!numbers.every((n) => Number.isInteger(n) && n >= 0)) return null;
  const [o, i, r, c] = numbers;
  return { layer, out: o, in: i, row: r, column: c };
}
function readStatus(value) {
  const { state, message } = value ?? {};
  return { state: typeof state === "string" ? state : "idle", message: text(message) };
}
function float32(bytes2, what) {
  return new Float32Array(copy(bytes2, what));
}
function uint32(bytes2, what) {
  return new Uint32Array(copy(bytes2, what));
}
function copy(bytes2, what) {
  let view;
  if (ArrayBuffer.isView(bytes2)) {
    view = new Uint8Array(bytes2.buffer, bytes2.byteOffset, bytes2.byteLength);
  } else if (bytes2 instanceof ArrayBuffer) {
    view = new Uint8Array(bytes2);
  } else {
    throw new WireError(`Got ${describe(bytes2)} for ${what}; needed: bytes.`);
  }
  if (view.byteLength % 4 !== 0) {
    throw new WireError(`Got ${view.byteLength} bytes for ${what}; needed: a multiple of 4.`);
  }
  return new Uint8Array(view).buffer;
}
function numbered(buffers, n) {
  if (typeof n !== "number" || !(n in buffers)) {
    throw new WireError(`A message names buffer ${describe(n)} and has ${buffers.length}.`);
  }
  return buffers[n];
}
function record(value, what) {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value;
  }
  throw new WireError(`Got ${describe(value)} for ${what}; needed: an object.`);
}
function list(value, what) {
  if (Array.isArray(value)) return value;
  throw new WireError(`Got ${describe(value)} for ${what}; needed: a list.`);
}
function whole(value, what) {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new WireError(`Got ${describe(value)} for ${what}; needed: a whole number, 0 or more.`);
}
function positive(value, what) {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new WireError(`Got ${describe(value)} for ${what}; needed: a whole number, 1 or more.`);
}
function finite(value, what) {
  if (Number.isFinite(value)) return value;
  throw new WireError(`Got ${describe(value)} for ${what}; needed: a finite number.`);
}
function interval(value, what) {
  const ends = list(value, what).map((end) => finite(end, what));
  same(ends.length, 2, what);
  return [ends[0], ends[1]];
}
function same(got, needed, what) {
  if (got !== needed) throw new WireError(`Got ${got} entries in ${what}; needed: ${needed}.`);
}
function text(value) {
  return typeof value === "string" ? value : "";
}
function describe(value) {
  if (value === null || ["undefined", "number", "boolean", "bigint"].includes(typeof value)) {
    return String(value);
  }
  return typeof value === "string" ? `"${value.slice(0, 40)}"` : typeof value;
}

// src/shared/store.ts
var MAX_BYTES = 64 * 2 ** 20;
var FrameStore = class {
  #outlet;
  #maxBytes;
  #subscribers = /* @__PURE__ */ new Map();
  #initial = null;
  /** All later frames, by rising step. One of the initial step is a newer state of the model at that step. */
  #ring = [];
  /** Since the last thinning: the least distance in steps between kept frames, the newest excepted. */
  #gap = 0;
  /** The binding was replaced: what is kept goes as soon as the new one has a frame to show. */
  #replaced = false;
  #arrival = 0;
  #selection = null;
  #cursor = -1;
  #ghostStep = -1;
  #observed = /* @__PURE__ */ new Map();
  #askedObserved = false;
  #edits = { undo: 0, redo: 0, message: "" };
  #status = { state: "idle", message: "" };
  #fault = null;
  #protocolError = null;
  constructor(outlet, maxBytes = MAX_BYTES) {
    this.#outlet = outlet;
    this.#maxBytes = maxBytes;
  }
  // ---- what views see
  get protocolError() {
    return this.#protocolError;
  }
  initial() {
    return this.#initial;
  }
  latest() {
    return this.#ring.at(-1) ?? this.#initial;
  }
  current() {
    return this.#cursor < 0 ? this.latest() : this.at(this.#cursor) ?? this.#initial;
  }
  steps() {
    const steps = this.#ring.map((frame) => frame.step);
    if (this.#initial && this.#initial.step !== steps[0]) steps.unshift(this.#initial.step);
    return steps;
  }
  at(step) {
    let low = 0;
    let high = this.#ring.length;
    while (low < high) {
      const middle = low + high >> 1;
      if (this.#ring[middle].step <= step) low = middle + 1;
      else high = middle;
    }
    if (low > 0) return this.#ring[low - 1];
    return this.#initial && this.#initial.step <= step ? this.#initial : null;
  }
  selection() {
    return this.#selection;
  }
  select(selection) {
    if (this.takeSelection(selection)) this.#outlet.select(selection);
  }
  cursor() {
    return this.#cursor;
  }
  setCursor(step) {
    if (this.takeCursor(step)) this.#outlet.setCursor(this.#cursor);
  }
  ghostStep() {
    return this.#ghostStep;
  }
  setGhostStep(step) {
    if (this.takeGhostStep(step)) this.#outlet.setGhostStep(this.#ghostStep);
  }
  ghost() {
    if (this.#ghostStep < 0) return this.#initial;
    return this.at(this.#ghostStep) ?? this.#initial;
  }
  observed(layer) {
    const found = this.#observed.get(layer) ?? null;
    if (!found && !this.#askedObserved) {
      this.#askedObserved = true;
      this.#outlet.askObserved();
    }
    return found;
  }
  edits() {
    return this.#edits;
  }
  edit(selection, coefficients, final) {
    this.#outlet.edit(selection, coefficients, final);
  }
  command(kind, selection) {
    this.#outlet.command(kind, selection);
  }
  status() {
    const fault = this.#protocolError ?? this.#fault;
    return fault === null ? this.#status : { state: "fault", message: fault };
  }
  lastArrival() {
    return this.#arrival;
  }
  subscribe(fn, signal) {
    if (signal.aborted) return;
    const key = /* @__PURE__ */ Symbol();
    this.#subscribers.set(key, fn);
    signal.addEventListener("abort", () => this.#subscribers.delete(key), { once: true });
  }
  // ---- what the stream brings in
  /** Sets the first frame of the binding. */
  takeInitial(frame) {
    let changed = false;
    this.#edit(() => {
      const earlier = this.#initial;
      if (earlier && equal(earlier, frame)) return false;
      this.#initial = frame;
      if (earlier && earlier.step > frame.step) this.#ring.unshift(earlier);
      this.#ring = this.#ring.filter((kept) => kept.step >= frame.step);
      changed = true;
      return true;
    });
    if (changed) this.#notify("history");
  }
  /**
   * Takes what the model is now. A step lower than the newest means that the training went back to it (a checkpoint, a
   * count set anew): the frames after it are no longer its past, and go.
   */
  takeLive(frame, now) {
    this.#clearFault();
    this.#edit(() => {
      const newest = this.latest();
      if (newest && equal(newest, frame)) return false;
      this.#arrival = now;
      if (this.#initial && frame.step < this.#initial.step) this.#initial = null;
      while (this.#ring.length > 0 && this.#ring[this.#ring.length - 1].step >= frame.step) {
        this.#ring.pop();
      }
      if (!this.#initial) this.#initial = frame;
      else if (!equal(this.#initial, frame)) this.#append(frame);
      return true;
    });
  }
  /** Takes frames of the past; of two with one step the one that is already here stays. */
  takeHistory(frames) {
    if (frames.length === 0) return;
    let grew = false;
    this.#edit(() => {
      const known = new Set(this.steps());
      const rising = [...frames].sort((a, b) => a.step - b.step);
      const added = rising.filter((frame) => !known.has(frame.step) && known.add(frame.step));
      grew = added.length > 0;
      if (!this.#initial) this.#initial = added.shift() ?? null;
      const first = this.#initial?.step ?? 0;
      const later = added.filter((frame) => frame.step > first);
      this.#ring = [...this.#ring, ...later].sort((a, b) => a.step - b.step);
      return grew;
    });
    if (grew) this.#notify("history");
  }
  /** Another binding took over the stream. Its first frame replaces all that is kept; nothing flickers until then. */
  reset() {
    this.#replaced = true;
    this.#clearFault();
    this.setProtocolError(null);
    this.setCursor(-1);
    this.setGhostStep(-1);
  }
  /** Returns whether it is another selection than before. */
  takeSelection(selection) {
    if (same2(this.#selection, selection)) return false;
    this.#selection = selection && { ...selection };
    this.#notify("selection");
    return true;
  }
  /** Returns whether it is another cursor than before. */
  takeCursor(step) {
    const cursor = step >= 0 ? step : -1;
    if (cursor === this.#cursor) return false;
    this.#cursor = cursor;
    this.#notify("cursor");
    return true;
  }
  /** Returns whether it is another step than before. */
  takeGhostStep(step) {
    const pinned = step >= 0 ? step : -1;
    if (pinned === this.#ghostStep) return false;
    this.#ghostStep = pinned;
    this.#notify("ghost");
    return true;
  }
  takeObserved(observed) {
    this.#observed.set(observed.layer, observed);
    this.#notify("observed");
  }
  takeEdits(edits) {
    this.#edits = edits;
    this.#notify("edits");
  }
  takeStatus(status) {
    this.#status = status;
    this.#fault = null;
    this.#notify("status");
  }
  /** Reports something unreadable; the next good frame takes the report back. */
  fault(message) {
    if (message === this.#fault) return;
    this.#fault = message;
    this.#notify("status");
  }
  setProtocolError(message) {
    if (message === this.#protocolError) return;
    this.#protocolError = message;
    this.#notify("status");
  }
  /** The layouts that kept frames need. */
  layoutsInUse() {
    return new Set([...this.#initial ? [this.#initial] : [], ...this.#ring].map((f) => f.layout));
  }
  // ---- inside
  /** Runs a change of the frames, keeps them within the budget, and tells what became of the newest. */
  #edit(change) {
    const before = this.latest();
    if (this.#replaced) {
      this.#initial = null;
      this.#ring = [];
      this.#gap = 0;
      this.#replaced = false;
    }
    if (!change()) return;
    this.#thin();
    const after = this.latest();
    if (after === before) return;
    if (after?.layout !== before?.layout) this.#notify("layout");
    this.#notify("frame");
  }
  #append(frame) {
    const newest = this.#ring.at(-1);
    const previous = this.#ring.at(-2) ?? this.#initial;
    const tight = newest && previous && newest.step - previous.step < this.#gap;
    if (tight && newest.step !== this.#ghostStep) this.#ring.pop();
    this.#ring.push(frame);
  }
  #thin() {
    if (!this.#initial) return;
    const frames = [this.#initial, ...this.#ring];
    if (bytes(frames) <= this.#maxBytes) return;
    const steps = frames[frames.length - 1].step - frames[0].step;
    let kept = frames;
    for (let gap = Math.max(1, Math.ceil(2 * steps / frames.length)); kept.length > 2 && bytes(kept) > this.#maxBytes / 2; gap *= 2) {
      kept = spaced(frames, gap, this.#ghostStep);
      this.#gap = gap;
    }
    this.#ring = kept.slice(1);
  }
  #clearFault() {
    if (this.#fault === null) return;
    this.#fault = null;
    this.#notify("status");
  }
  #notify(what) {
    for (const [key, fn] of [...this.#subscribers]) {
      if (!this.#subscribers.has(key)) continue;
      try {
        fn(what);
      } catch (error) {
        console.error(`kan_widgets: a view failed on "${what}".`, error);
      }
    }
  }
};
function spaced(frames, gap, pinned) {
  const kept = [frames[0]];
  for (const frame of frames.slice(1, -1)) {
    const far = frame.step - kept[kept.length - 1].step >= gap;
    if (far || frame.step === pinned) kept.push(frame);
  }
  kept.push(frames[frames.length - 1]);
  return kept;
}
function bytes(frames) {
  return frames.reduce((sum, frame) => sum + frame.data.byteLength, 0);
}
function equal(a, b) {
  return a.step === b.step && a.layout === b.layout && a.data.length === b.data.length && a.data.every((value, i) => Object.is(value, b.data[i]));
}
function same2(a, b) {
  if (!a || !b) return a === b;
  return a.layer === b.layer && a.out === b.out && a.in === b.in && a.row === b.row && a.column === b.column;
}

// src/stream/index.ts
var HISTORY_BYTES = 32 * 2 ** 20;
function initialize({ model, signal }, maxBytes = MAX_BYTES) {
  const layouts = /* @__PURE__ */ new Map();
  let floor = 0;
  let asked = false;
  const store = new FrameStore(
    {
      select: (selection) => write("selection", selection ?? {}),
      setCursor: (step) => write("cursor", step),
      setGhostStep: (step) => write("ghost_step", step),
      edit: (selection, coefficients, final) => send({ kind: "edit", ...selection, coefficients, final }),
      command: (kind, selection) => send({ kind, ...selection }),
      askObserved: () => send({ kind: "observed?" })
    },
    maxBytes
  );
  function write(trait, value) {
    model.set(trait, value);
    model.save_changes();
  }
  function send(content) {
    try {
      model.send(content);
    } catch (error) {
      console.debug("kan_widgets: no kernel to send to.", error);
    }
  }
  function guarded(work) {
    try {
      work();
    } catch (error) {
      if (error instanceof ProtocolMismatch) store.setProtocolError(error.message);
      else if (error instanceof WireError) store.fault(error.message);
      else store.fault(`kan_widgets could not read what the kernel sent: ${error}`);
    }
  }
  function keepLayout(layout) {
    if (layout.version < floor || layouts.has(layout.version)) return;
    layouts.set(layout.version, layout);
    store.setProtocolError(null);
  }
  function forgetLayouts(before) {
    const inUse = store.layoutsInUse();
    for (const [version, layout] of layouts) {
      if (version < before.version && !inUse.has(layout)) layouts.delete(version);
    }
  }
  function readLayouts() {
    for (const raw of model.get("layouts") ?? []) {
      const version = raw?.version;
      if (typeof version === "number" && (version < floor || layouts.has(version))) continue;
      keepLayout(readLayout(raw));
    }
  }
  function complete(raw) {
    if (raw.layout < floor) return null;
    if (!layouts.has(raw.layout)) readLayouts();
    const layout = layouts.get(raw.layout);
    if (!layout) {
      throw new WireError(
        `The frame of step ${raw.step} needs layout ${raw.layout}, which has not arrived.`
      );
    }
    return readFrame(raw, layout);
  }
  function frameOf(trait) {
    const raw = readFrameTrait(model.get(trait));
    return raw && complete(raw);
  }
  function readInitial() {
    const frame = frameOf("initial");
    if (frame) store.takeInitial(frame);
  }
  function readLatest(live) {
    const frame = frameOf("frame");
    if (!frame) return;
    const newest = store.latest();
    if (live && !(newest && frame.step < newest.step)) store.takeLive(frame, performance.now());
    else if (newest === store.initial() && newest?.step === frame.step) store.takeLive(frame, 0);
    else store.takeHistory([frame]);
  }
  function readFrames() {
    guarded(readLayouts);
    guarded(readInitial);
    guarded(() => readLatest(false));
  }
  function onMessage(content, buffers = []) {
    const message = readMessage(content, buffers);
    switch (message.kind) {
      case "layout":
        keepLayout(message.layout);
        break;
      case "frame": {
        if (store.protocolError !== null) break;
        const frame = complete(message.frame);
        if (!frame) break;
        const isNew = frame.layout !== store.latest()?.layout;
        store.takeLive(frame, performance.now());
        if (isNew) forgetLayouts(frame.layout);
        if (!asked) askForHistory(frame.step);
        break;
      }
      case "history": {
        const frames = [];
        for (const raw of message.frames) {
          guarded(() => {
            const frame = complete(raw);
            if (frame) frames.push(frame);
          });
        }
        store.takeHistory(frames);
        break;
      }
      case "observed":
        store.takeObserved(message.observed);
        break;
      case "reset":
        floor = message.version ?? 0;
        layouts.clear();
        store.reset();
        readFrames();
        break;
    }
  }
  const readers = {
    status: () => store.takeStatus(readStatus(model.get("status"))),
    layouts: () => guarded(readLayouts),
    initial: () => guarded(readInitial),
    frame: () => guarded(() => readLatest(true)),
    selection: () => store.takeSelection(readSelection(model.get("selection"))),
    cursor: () => store.takeCursor(Number(model.get("cursor") ?? -1)),
    ghost_step: () => store.takeGhostStep(Number(model.get("ghost_step") ?? -1)),
    edits: () => store.takeEdits(readEdits(model.get("edits")))
  };
  readers.status();
  readFrames();
  readers.selection();
  readers.cursor();
  readers.ghost_step();
  readers.edits();
  const onCustom = (content, buffers) => guarded(() => onMessage(content, buffers));
  model.on("msg:custom", onCustom);
  for (const [trait, read] of Object.entries(readers)) model.on(`change:${trait}`, read);
  signal.addEventListener(
    "abort",
    () => {
      model.off("msg:custom", onCustom);
      for (const [trait, read] of Object.entries(readers)) model.off(`change:${trait}`, read);
    },
    { once: true }
  );
  function askForHistory(before) {
    asked = true;
    send({ kind: "history?", before, max_bytes: HISTORY_BYTES });
  }
  const first = store.initial();
  const latest = store.latest();
  if (store.status().state !== "live") {
    asked = true;
    if (first && latest && latest.step > first.step) askForHistory(latest.step);
  }
  return store;
}
var stream_default = { initialize };
export {
  stream_default as default,
  initialize
};
