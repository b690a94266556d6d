/** Layers with B-spline and SiLU bases, and coefficients that move as in training. */

export interface Made {
  name: string;
  kind: "conv" | "linear";
  shape: [number, number, number, number];
  domain?: [number, number];
  grid?: number;
  note?: string;
  broken?: boolean;
}

export const RUNS: Record<string, Made[]> = {
  article: [
    { name: "conv1", kind: "conv", shape: [5, 1, 3, 3] },
    {
      name: "conv2",
      kind: "conv",
      shape: [5, 1, 3, 3],
      note: "the same kernels on every input channel",
    },
    { name: "fc", kind: "linear", shape: [10, 625, 1, 1], domain: [0, 1], grid: 10 },
  ],
  conv16x8: [{ name: "features.3", kind: "conv", shape: [16, 8, 3, 3] }],
  linear: [{ name: "fc", kind: "linear", shape: [10, 625, 1, 1], domain: [0, 1], grid: 10 }],
  many: [{ name: "wide", kind: "linear", shape: [100, 100, 1, 1] }],
  thousand: [{ name: "wide", kind: "linear", shape: [25, 40, 1, 1] }],
  deep: ["stem", "block1.conv", "block2.conv", "block3.conv", "block4.conv", "head"].map(
    (name, k) => ({ name, kind: "conv", shape: [4, k ? 4 : 1, 3, 3] }),
  ),
  broken: [{ name: "conv1", kind: "conv", shape: [5, 1, 3, 3], broken: true }],
  plain: [{ name: "root", kind: "conv", shape: [6, 3, 3, 5] }],
};

const ORDER = 3;
const POINTS = 65;

export function makeRun(layers: readonly Made[]) {
  let offset = 0;
  const made = layers.map((layer) => {
    const [lo, hi] = layer.domain ?? [-1, 1];
    const size = layer.grid ?? 5;
    const h = (hi - lo) / size;
    const knots = Array.from({ length: size + 2 * ORDER + 1 }, (_, k) => lo + (k - ORDER) * h);
    const extent: [number, number] = [knots[0], knots[knots.length - 1]];
    const ends = [Math.min(extent[0], -1), Math.max(extent[1], 1)];
    const nb = size + ORDER + 1;
    const marks = [...knots, -1, 0, 1];
    for (let p = 0; p < POINTS; p++) marks.push(ends[0] + ((ends[1] - ends[0]) * p) / (POINTS - 1));
    const x = Float32Array.from(new Set(marks.map(Math.fround))).sort();
    const values = new Float32Array(x.length * nb);
    x.forEach((at, p) => {
      values[p * nb] = at / (1 + Math.exp(-at));
      splines(knots, at).forEach((b, k) => {
        values[p * nb + 1 + k] = b;
      });
    });
    const count = layer.shape.reduce((a, b) => a * b);
    const start = offset;
    offset += count * nb;
    return { layer, nb, count, start, knots, extent, domain: [lo, hi], x, values };
  });
  const total = offset;

  const layout = {
    protocol: 2,
    version: 1,
    layers: made.map(({ layer, nb, start, knots, extent, domain, x, values }) => ({
      name: layer.name,
      kind: layer.kind,
      type: layer.kind === "conv" ? "KANConv2d" : "KANLinear",
      shape: layer.shape,
      nb,
      offset: start,
      labels: ["SiLU", ...Array.from({ length: nb - 1 }, (_, k) => `B${k}`)],
      is_base: Array.from({ length: nb }, (_, k) => k === 0),
      domain,
      extent,
      knots,
      variable: "x",
      note: layer.note ?? "",
      conv: null,
      locked: "",
      tables: [{ x: view(x), values: view(values) }],
      table_of: null,
    })),
  };

  /** The coefficients at a step. */
  function frame(step: number): DataView {
    const data = new Float32Array(total);
    const random = generator(7);
    const learned = 1 - Math.exp(-step / 300);
    for (const { layer, nb, count, start } of made) {
      const [, inputs, kh, kw] = layer.shape;
      const bound = 1 / Math.sqrt(inputs * kh * kw);
      for (let f = 0; f < count; f++) {
        const at = start + f * nb;
        const pull = random() - 0.5;
        data[at] = bound * (2 * random() - 1) + 0.4 * bound * learned * pull;
        const lean = (random() - 0.5) * 1.6 * bound;
        const bend = (random() - 0.5) * 2 * bound;
        for (let b = 1; b < nb; b++) {
          const u = (2 * (b - 1)) / (nb - 2) - 1;
          const wiggle = 0.25 * bound * (random() - 0.5);
          data[at + b] =
            0.04 * bound * (random() - 0.5) + learned * (lean * u + bend * (u * u - 0.4) + wiggle);
        }
      }
      if (layer.broken) {
        data[start + 3 * nb + 2] = Number.NaN;
        data[start + 13 * nb] = Number.POSITIVE_INFINITY;
        data.fill(0, start + 20 * nb, start + 21 * nb);
        data.fill(0.15, start + 31 * nb + 1, start + 32 * nb);
        data[start + 31 * nb] = 0;
      }
    }
    return view(data);
  }

  return { layout, frame };
}

function view(numbers: Float32Array): DataView {
  return new DataView(numbers.buffer);
}

/** All B-splines on the knots at x, by the recursion of Cox and de Boor. */
function splines(knots: readonly number[], x: number): number[] {
  let values: number[] = knots
    .slice(0, -1)
    .map((knot, k) => (x >= knot && x < knots[k + 1] ? 1 : 0));
  for (let d = 1; d <= ORDER; d++) {
    values = values
      .slice(0, -1)
      .map(
        (value, k) =>
          ((x - knots[k]) / (knots[k + d] - knots[k])) * value +
          ((knots[k + d + 1] - x) / (knots[k + d + 1] - knots[k + 1])) * values[k + 1],
      );
  }
  return values;
}

/** A small pseudo-random generator (mulberry32), 0 … 1. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
