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
    const { x, base, baseWeight, splineWeight, y, basis } = call;
    const problem = this.#problem(call);
    const run = this.#exports[`kan_forward_wasm_${basis.order}`];
    const knots = this.#knots(basis);
    return this.#succeeded(run(problem, knots, x, base, baseWeight, splineWeight, y));
  }
  /** Writes the gradients of what has an address in `gradients`; false as for `forward`. */
  backward(call, gradients) {
    const { x, base, slope, baseWeight, splineWeight, basis } = call;
    const run = this.#exports[`kan_backward_wasm_${basis.order}`];
    const inputs = [x, base, slope, baseWeight, splineWeight, gradients.y];
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
  order(count) {
    const all = Uint32Array.from({ length: count }, (_, k) => k);
    for (let k = count - 1; k > 0; k--) {
      const other = this.below(k + 1);
      [all[k], all[other]] = [all[other], all[k]];
    }
    return all;
  }
};

// src/wire/protocol.ts
function product(sizes) {
  return sizes.reduce((all, size) => all * size, 1);
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
    const [x, y] = this.values(n);
    const [means, inverses] = [this.#means, this.#inverses];
    const stats = [this.stats.mean, this.stats.variance].map((at) => machine.floats(at, channels));
    if (training) this.#measure(x, channels, stats);
    else {
      means.set(stats[0]);
      inverses.set(stats[1].map((variance) => 1 / Math.sqrt(variance + this.eps)));
    }
    const scale = this.scale && machine.floats(this.scale.at, channels);
    const shift = this.shift && machine.floats(this.shift.at, channels);
    const factors = inverses.map((inverse, c) => inverse * (scale ? scale[c] : 1));
    const terms = factors.map((factor, c) => (shift ? shift[c] : 0) - means[c] * factor);
    for (let k = 0; k < x.length; k += channels)
      for (let c = 0; c < channels; c++) y[k + c] = x[k + c] * factors[c] + terms[c];
    return true;
  }
  #measure(x, channels, [mean, variance]) {
    const count = x.length / channels;
    const means = this.#means.fill(0);
    const inverses = this.#inverses.fill(0);
    for (let k = 0; k < x.length; k += channels)
      for (let c = 0; c < channels; c++) means[c] += x[k + c];
    for (let c = 0; c < channels; c++) means[c] /= count;
    for (let k = 0; k < x.length; k += channels)
      for (let c = 0; c < channels; c++) inverses[c] += (x[k + c] - means[c]) ** 2;
    for (let c = 0; c < channels; c++) {
      const batchVariance = inverses[c] / count;
      mean[c] += MOMENTUM * (means[c] - mean[c]);
      variance[c] += MOMENTUM * (batchVariance * count / Math.max(1, count - 1) - variance[c]);
      inverses[c] = 1 / Math.sqrt(batchVariance + this.eps);
    }
  }
  backward(n) {
    const { machine, from } = this;
    const channels = from.shape[0];
    const [x] = this.values(n);
    const [gradInput, gradOutput] = this.gradients(n);
    const scale = this.scale && machine.floats(this.scale.at, channels);
    const sums = new Float64Array(channels);
    const products = new Float64Array(channels);
    const [means, inverses] = [this.#means, this.#inverses];
    for (let k = 0; k < x.length; k += channels)
      for (let c = 0; c < channels; c++) {
        sums[c] += gradOutput[k + c];
        products[c] += gradOutput[k + c] * (x[k + c] - means[c]) * inverses[c];
      }
    if (this.scale) machine.floats(this.scale.grad, channels).set(products);
    if (this.shift) machine.floats(this.shift.grad, channels).set(sums);
    const count = x.length / channels;
    const factors = inverses.map((inverse, c) => inverse * (scale ? scale[c] : 1));
    const slopes = factors.map((factor, c) => -factor * inverses[c] * products[c] / count);
    const terms = factors.map((factor, c) => -factor * sums[c] / count - slopes[c] * means[c]);
    for (let k = 0; k < x.length; k += channels)
      for (let c = 0; c < channels; c++)
        gradInput[k + c] = gradOutput[k + c] * factors[c] + x[k + c] * slopes[c] + terms[c];
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
    const [x, y] = this.values(n);
    if (this.#sources.length < y.length) this.#sources = new Int32Array(y.length);
    const sources = this.#sources;
    const [[rows, columns], [down, right]] = [this.kernel, this.stride];
    for (let image = 0, k = 0; image < n; image++)
      for (let row = 0; row < outHeight; row++)
        for (let column = 0; column < outWidth; column++) {
          const corner = ((image * height + row * down) * width + column * right) * channels;
          for (let c = 0; c < channels; c++, k++) {
            let best = corner + c;
            let most = x[best];
            for (let h = 0; h < rows; h++)
              for (let w = 0; w < columns; w++) {
                const at = corner + (h * width + w) * channels + c;
                if (x[at] > most) {
                  most = x[at];
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
    const x = this.machine.floats(source, n * size);
    const y = this.machine.floats(target, n * size);
    for (let image = 0; image < n * size; image += size)
      for (let place = 0; place < area; place++)
        for (let c = 0; c < channels; c++) {
          const [inner, outer] = [image + place * channels + c, image + c * area + place];
          if (back) y[inner] = x[outer];
          else y[outer] = x[inner];
        }
  }
};
var DIFFERENTIABLE = {
  identity: [(x) => x, () => 1],
  relu: [(x) => Math.max(x, 0), (x) => x > 0 ? 1 : 0],
  tanh: [Math.tanh, (x) => 1 - Math.tanh(x) ** 2],
  silu: [
    (x) => x / (1 + Math.exp(-x)),
    (x) => {
      const gate = 1 / (1 + Math.exp(-x));
      return gate * (1 + x * (1 - gate));
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
    const [x, y] = this.values(n);
    const { f } = this;
    for (let k = 0; k < x.length; k++) y[k] = f(x[k]);
    return true;
  }
  backward(n) {
    const [x] = this.values(n);
    const [gradInput, gradOutput] = this.gradients(n);
    const { slope } = this;
    for (let k = 0; k < x.length; k++) gradInput[k] = gradOutput[k] * slope(x[k]);
    return true;
  }
};
var LogSoftmax = class extends Operation {
  forward(n) {
    const { size } = this.from;
    const [x, y] = this.values(n);
    for (let row = 0; row < n * size; row += size) {
      let most = Number.NEGATIVE_INFINITY;
      for (let k = row; k < row + size; k++) most = Math.max(most, x[k]);
      let sum = 0;
      for (let k = row; k < row + size; k++) sum += Math.exp(x[k] - most);
      const log = most + Math.log(sum);
      for (let k = row; k < row + size; k++) y[k] = x[k] - log;
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
    const { count, conv } = layer;
    this.#basis = recipe.basis ?? NO_SPLINES;
    this.#activation = recipe.base === "silu" ? null : DIFFERENTIABLE[recipe.base];
    this.#copies = conv?.shared ? from.shape[0] : 1;
    const { functions } = this.#basis;
    const weight = (size) => {
      return { at: machine.take(size), grad: machine.take(size), count: size };
    };
    this.base = weight(count);
    this.spline = recipe.basis ? weight(count * functions) : null;
    this.scaler = recipe.scaler ? weight(count) : null;
    const isDirect = this.#copies === 1;
    this.#operands = {
      base: isDirect ? this.base : weight(count * this.#copies),
      spline: isDirect && this.spline && !this.scaler ? this.spline : weight(count * functions * this.#copies)
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
    const [x] = this.values(n);
    const base = this.machine.floats(this.#activations.base, x.length);
    const slopes = this.machine.floats(this.#activations.slope, x.length);
    for (let k = 0; k < x.length; k++) {
      base[k] = f(x[k]);
      slopes[k] = slope(x[k]);
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
  const conv = layer.conv;
  if (!conv) return denseSizes(n, layer.shape[1], layer.shape[0]);
  const [channels, height, width] = from.shape;
  const [out, outHeight, outWidth] = to.shape;
  const [left, right, top, bottom] = conv.padding;
  return {
    ...{ n, height: height + top + bottom, width: width + left + right, channels, out },
    groups: groupsOf(conv, channels),
    ...{ kernel: [layer.shape[2], layer.shape[3]], stride: conv.stride, dilation: conv.dilation },
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
  const x = machine.floats(from.at, n * from.size);
  const { columns, maps, mapShape } = layer.conv ? unfolded(layer, x, from.shape, n) : flat(x, from);
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
  const number = stations.findIndex((station) => station.layer === layer.name);
  const arrays = {
    ...{ edges, counts, outside_domain: outside(layer.domain) },
    ...{ outside_extent: outside(layer.extent), patches, ...maps && { maps } }
  };
  return {
    ...{ kind: "observed", layer: layer.name, samples: n, step },
    ...{ is_image: stations[number].sources[0] === 0, fold: foldOf(stations, number) },
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
function foldOf(stations, number) {
  let [at] = stations[number].sources;
  while (stations[at].kind === "norm") [at] = stations[at].sources;
  if (stations[at].kind !== "reshape") return null;
  const { shape } = stations[stations[at].sources[0]];
  return shape.length === 3 ? shape : null;
}
function flat(x, { size }) {
  const column = (entry) => Float32Array.from({ length: x.length / size }, (_, k) => x[k * size + entry]);
  const columns = Array.from({ length: size }, (_, entry) => column(entry));
  return { columns, maps: null, mapShape: null };
}
function unfolded(layer, x, shape, n) {
  const [channels, height, width] = shape;
  const [, , kh, kw] = layer.shape;
  const { padding, stride, dilation, shared } = layer.conv;
  const [left, right, top, bottom] = padding;
  const rows = Math.floor((height + top + bottom - dilation[0] * (kh - 1) - 1) / stride[0]) + 1;
  const across = Math.floor((width + left + right - dilation[1] * (kw - 1) - 1) / stride[1]) + 1;
  const at = (image, channel, row, column) => row < 0 || row >= height || column < 0 || column >= width ? 0 : x[((image * height + row) * width + column) * channels + channel];
  const group = shared ? channels : 1;
  const places = n * group * rows * across;
  const columns = Array.from({ length: channels / group * kh * kw }, (_, entry) => {
    const [own, a, b] = [Math.floor(entry / kh / kw), Math.floor(entry / kw) % kh, entry % kw];
    return Float32Array.from({ length: places }, (_2, k) => {
      const [image, place] = [Math.floor(k / rows / across), k % (rows * across)];
      const row = Math.floor(place / across) * stride[0] + a * dilation[0] - top;
      const column = place % across * stride[1] + b * dilation[1] - left;
      return at(Math.floor(image / group), shared ? image % group : own, row, column);
    });
  });
  const mapShape = [Math.min(n, MOST_MAPS), channels, height, width];
  const area = height * width;
  const maps = Float32Array.from({ length: product(mapShape) }, (_, k) => {
    const [image, place] = [Math.floor(k / area / channels), k % area];
    return at(image, Math.floor(k / area) % channels, Math.floor(place / width), place % width);
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
    const ends = layers.map(({ offset, count, nb }) => offset + count * nb);
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
        const [mean, variance] = ["mean", "variance"].map((one) => this.#vector(station, one));
        const stats = { mean: mean?.at ?? 0, variance: variance?.at ?? 0 };
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
    const place = path ? this.description.layout.beside?.get(path) : void 0;
    if (!path || !place) return null;
    const vector = { name: path, at: this.machine.take(place.size), size: place.size };
    this.#vectors.push(vector);
    return vector;
  }
  #weight(station, name) {
    const vector = this.#vector(station, name);
    return vector && { at: vector.at, grad: this.machine.take(vector.size), count: vector.size };
  }
  #train(...weights) {
    this.weights.push(...weights.filter((one) => one !== null));
  }
};

// src/training/trainer.ts
var BETA_1 = 0.9;
var BETA_2 = 0.999;
var EPS = 1e-8;
var AdamW = class {
  constructor(machine, weights, decay = 0.01) {
    this.machine = machine;
    this.weights = weights;
    this.decay = decay;
    this.#moments = weights.map(({ count }) => {
      return { mean: new Float32Array(count), square: new Float32Array(count) };
    });
  }
  machine;
  weights;
  decay;
  #step = 0;
  #moments;
  step(rate) {
    this.#step++;
    const size = rate / (1 - BETA_1 ** this.#step);
    const correction = Math.sqrt(1 - BETA_2 ** this.#step);
    for (const [k, { at, grad, count }] of this.weights.entries()) {
      const { mean, square } = this.#moments[k];
      const w = this.machine.floats(at, count);
      const g = this.machine.floats(grad, count);
      for (let j = 0; j < count; j++) {
        mean[j] += (1 - BETA_1) * (g[j] - mean[j]);
        square[j] = BETA_2 * square[j] + (1 - BETA_2) * g[j] * g[j];
        const root = Math.sqrt(square[j]) / correction + EPS;
        w[j] = w[j] * (1 - rate * this.decay) - size * mean[j] / root;
      }
    }
  }
};
function oneCycle(step, steps, most) {
  const rise = 0.3 * steps - 1;
  const [from, to, share] = step <= rise ? [most / 25, most, step / rise] : [most, most / 25e4, Math.min(1, (step - rise) / (steps - 1 - rise))];
  return to + (from - to) / 2 * (1 + Math.cos(Math.PI * share));
}
var OBSERVED = 200;
var OBSERVED_NUMBERS = 25e3;
var Trainer = class {
  constructor(machine, description, frame, data, settings) {
    this.machine = machine;
    this.data = data;
    this.settings = settings;
    this.network = new Network(machine, description, settings.batch);
    this.network.read(frame, true);
    this.#optimizer = new AdamW(machine, this.network.weights);
    this.#random = new Random(settings.seed);
    this.#order = this.#random.order(this.count(data.train));
  }
  machine;
  data;
  settings;
  network;
  /** Steps made. */
  step = 0;
  loss = Number.NaN;
  /** The rate that the reader chose, in place of the schedule. */
  rate = null;
  #optimizer;
  #random;
  #order;
  #position = 0;
  count({ inputs }) {
    return inputs.length / this.network.input.size;
  }
  /** Steps of all epochs; the last batch of each may be smaller. */
  get steps() {
    return Math.ceil(this.#order.length / this.settings.batch) * this.settings.epochs;
  }
  /** The rate of the next step. */
  get nextRate() {
    const { rate } = this.settings;
    return this.rate ?? oneCycle(Math.min(this.step, this.steps - 1), this.steps, rate);
  }
  /** Makes one step; false where a number was not finite: then no weight was changed. */
  advance() {
    const { train, shift } = this.data;
    const indices = this.#order.subarray(this.#position, this.#position + this.settings.batch);
    this.#loadInputs(train, indices, shift);
    const n = indices.length;
    if (!this.network.forward(n, true)) return false;
    this.loss = this.#computeLoss(train, indices);
    if (!Number.isFinite(this.loss) || !this.network.backward(n)) return false;
    this.#optimizer.step(this.nextRate);
    this.step++;
    this.#position += n;
    if (this.#position >= this.#order.length) {
      this.#position = 0;
      this.#order = this.#random.order(this.#order.length);
    }
    return true;
  }
  /** The share of examples that are right, or the root of the mean squared error, over `most` of them, spread evenly. */
  score(examples, most = Number.POSITIVE_INFINITY) {
    const total = this.count(examples);
    const count = Math.min(most, total);
    const { output, isClassifier, maxBatch } = this.network;
    let sum = 0;
    for (let from = 0; from < count; from += maxBatch) {
      const indices = Uint32Array.from(
        { length: Math.min(maxBatch, count - from) },
        (_, k) => Math.floor((from + k) * total / count)
      );
      this.#loadInputs(examples, indices, 0);
      if (!this.network.forward(indices.length, false)) return Number.NaN;
      const y = this.machine.floats(output.at, indices.length * output.size);
      for (const [k, index] of indices.entries()) {
        const row = y.subarray(k * output.size, (k + 1) * output.size);
        if (isClassifier) sum += row.indexOf(Math.max(...row)) === examples.targets[index] ? 1 : 0;
        else
          row.forEach((value, o) => {
            sum += (value - examples.targets[index * output.size + o]) ** 2 / output.size;
          });
      }
    }
    return isClassifier ? sum / count : Math.sqrt(sum / count);
  }
  /** What reaches the network's functions from some of the examples. */
  observe(examples) {
    const { maxBatch, input } = this.network;
    const few = Math.min(OBSERVED, Math.ceil(OBSERVED_NUMBERS / input.size));
    const n = Math.min(few, this.count(examples), maxBatch);
    const indices = Uint32Array.from({ length: n }, (_, k) => k);
    this.#loadInputs(examples, indices, 0);
    return this.network.forward(n, false) ? this.network.observe(n, this.step) : [];
  }
  /** Puts examples where the network reads them, channels last. */
  #loadInputs({ inputs }, indices, shift) {
    const { size, shape, at } = this.network.input;
    const x = this.machine.floats(at, indices.length * size);
    const [channels, height, width] = shape.length === 3 ? shape : [size, 1, 1];
    const isWhole = inputs instanceof Uint8Array;
    const blank = isWhole ? -1 : 0;
    for (const [k, index] of indices.entries()) {
      const down = shift ? this.#random.below(2 * shift + 1) - shift : 0;
      const right = shift ? this.#random.below(2 * shift + 1) - shift : 0;
      for (let c = 0; c < channels; c++)
        for (let row = 0; row < height; row++)
          for (let column = 0; column < width; column++) {
            const [h, w] = [row - down, column - right];
            const to = k * size + (row * width + column) * channels + c;
            if (h < 0 || h >= height || w < 0 || w >= width) x[to] = blank;
            else {
              const value = inputs[index * size + (c * height + h) * width + w];
              x[to] = isWhole ? value / 127.5 - 1 : value;
            }
          }
    }
  }
  /** The loss of the output, whose gradient it writes: the mean negative log-likelihood, or squared error. */
  #computeLoss({ targets }, indices) {
    const { output, isClassifier } = this.network;
    const { size } = output;
    const n = indices.length;
    const y = this.machine.floats(output.at, n * size);
    const grad = this.machine.floats(output.grad, n * size).fill(0);
    let sum = 0;
    for (const [k, index] of indices.entries())
      if (isClassifier) {
        const at = k * size + targets[index];
        sum -= y[at] / n;
        grad[at] = -1 / n;
      } else
        for (let o = 0; o < size; o++) {
          const error = y[k * size + o] - targets[index * size + o];
          sum += error ** 2 / (n * size);
          grad[k * size + o] = 2 * error / (n * size);
        }
    return sum;
  }
};

// src/training/worker.ts
var FRAME = 25;
var SCORE = 1e3;
var WATCHED = 8e3;
var LATE = 5;
var GLANCE = 200;
var Worker = class {
  constructor(say, breathe2, now = () => performance.now()) {
    this.say = say;
    this.breathe = breathe2;
    this.now = now;
  }
  say;
  breathe;
  now;
  #trainer = null;
  /** Steps still to be made. */
  #due = 0;
  #isDrawn = true;
  #sentAt = 0;
  #scoredAt = 0;
  #diverged = false;
  #dueAt = 0;
  #looping = false;
  #beginning = Promise.resolve();
  #times = [];
  async take(order) {
    if (order.kind === "begin") this.#beginning = this.#begin(order);
    await this.#beginning;
    const trainer = this.#trainer;
    if (order.kind === "begin") return;
    if (order.kind === "drawn") this.#isDrawn = true;
    else if (!trainer) return;
    else if (order.kind === "pause") this.#due = 0;
    else if (order.kind === "rate") trainer.rate = order.value;
    else if (order.kind === "set") {
      const frame = trainer.network.frame();
      frame.set(order.values, order.at);
      trainer.network.read(frame);
      this.#tell(true);
    } else {
      this.#due = order.steps;
      if (!this.#looping) await this.#loop();
    }
  }
  async #begin({ description, frame, data, settings, code }) {
    this.#due = 0;
    this.#trainer = null;
    const machine = await Machine.from(code).catch(() => {
      throw new Error("This browser cannot run WebAssembly, by which the network trains here.");
    });
    this.#trainer = new Trainer(machine, description, frame, data, settings);
    this.#diverged = false;
    this.#times.length = 0;
    this.#tell(true);
  }
  async #loop() {
    this.#looping = true;
    for (let trainer = this.#trainer; trainer && this.#due > 0; trainer = this.#trainer) {
      this.#due--;
      if (!trainer.advance()) {
        this.#diverged = true;
        this.#due = 0;
      }
      this.#times.push({ at: this.now(), examples: trainer.settings.batch });
      if (this.#times.length > 50) this.#times.shift();
      const isOver = this.#due === 0 || trainer.step >= trainer.steps;
      if (isOver) this.#due = 0;
      this.#tell(isOver);
      await this.breathe(this.#early(trainer.steps));
    }
    this.#looping = false;
    this.#tell(true);
  }
  /** Milliseconds that the next step is too early, where all are quicker than can be watched. */
  #early(steps) {
    const now = this.now();
    this.#dueAt = Math.max(this.#dueAt, now - LATE) + WATCHED / steps;
    return this.#dueAt > now + LATE ? this.#dueAt - now : 0;
  }
  #tell(always) {
    const trainer = this.#trainer;
    const now = this.now();
    if (!trainer) return;
    if (!always && (!this.#isDrawn || now - this.#sentAt < FRAME)) return;
    this.#isDrawn = false;
    this.#sentAt = now;
    let score = null;
    let observed = [];
    if (always || now - this.#scoredAt > SCORE) {
      this.#scoredAt = now;
      const all = trainer.count(trainer.data.test);
      const of = this.#due > 0 ? Math.min(GLANCE, all) : all;
      score = { value: trainer.score(trainer.data.test, of), of };
      observed = trainer.observe(trainer.data.test);
    }
    const { step, steps, loss, nextRate: rate } = trainer;
    const [frame, classifies] = [trainer.network.frame(), trainer.network.isClassifier];
    const progress = { speed: this.#speed(), state: this.#state() };
    this.say({ frame, step, steps, loss, rate, score, observed, classifies, ...progress });
  }
  #speed() {
    const [first, last] = [this.#times[0], this.#times.at(-1)];
    if (!first || !last || last.at === first.at) return 0;
    const all = this.#times.slice(1).reduce((sum, { examples }) => sum + examples, 0);
    return 1e3 * all / (last.at - first.at);
  }
  #state() {
    if (this.#diverged) return "diverged";
    if (this.#due > 0) return "running";
    const { step, steps } = this.#trainer;
    return step >= steps ? "finished" : "paused";
  }
};

// src/training/entry.ts
var scope = globalThis;
var { port1, port2 } = new MessageChannel();
var breathe = (milliseconds) => new Promise((resolve) => {
  if (milliseconds > 0) setTimeout(resolve, milliseconds);
  else {
    port2.onmessage = () => resolve();
    port1.postMessage(null);
  }
});
var worker = new Worker((news) => scope.postMessage(news, [news.frame.buffer]), breathe);
scope.onmessage = ({ data }) => worker.take(data).catch((error) => scope.postMessage({ fault: error.message }, []));
