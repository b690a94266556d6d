// How long evaluating every function of a layer takes, how much each matters, the forward pass of a network, and a
// large layer's first picture:  node bench.mjs
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const { outputFiles } = await build({
  stdin: {
    contents: `
      export { evaluateAll, rangesAt, samplePlan } from "./phi/curves.ts";
      export { forward } from "./phi/forward.ts";
      export { importance } from "./phi/importance.ts";
      export { drawing } from "./views/kernel_grid/scene.ts";
      export { themeOf } from "./scene/theme.ts";
    `,
    resolveDir: fileURLToPath(new URL("src", import.meta.url)),
  },
  bundle: true,
  format: "esm",
  write: false,
});
const code = Buffer.from(outputFiles[0].contents).toString("base64");
const { samplePlan, evaluateAll, rangesAt, forward, importance, drawing, themeOf } = await import(
  `data:text/javascript;base64,${code}`
);

const nb = 9;
const rows = 65;
const table = {
  x: Float32Array.from({ length: rows }, (_, p) => -1 + (2 * p) / (rows - 1)),
  values: Float32Array.from({ length: rows * nb }, () => Math.random()),
};
const knots = [-1, -0.6, -0.2, 0.2, 0.6, 1];

console.log(`${nb} basis functions; median and 95th percentile of 200 frames, milliseconds`);
console.log("functions  points  evaluateAll     rangesAt");
for (const count of [90, 1000, 10_000]) {
  for (const points of [24, 64]) {
    const layer = {
      shape: [count, 1, 1, 1],
      nb,
      offset: 0,
      count,
      tables: [table],
      tableOf: null,
      knots,
    };
    const data = Float32Array.from({ length: count * nb }, () => Math.random() - 0.5);
    const frame = { step: 0, layout: { version: 0, layers: [layer] }, data };
    const plan = samplePlan(layer, [-1, 1], points);
    const times = { evaluateAll: [], rangesAt: [] };
    let curves;
    for (let n = 0; n < 200; n++) {
      const start = performance.now();
      curves = evaluateAll(frame, layer, plan, curves);
      const between = performance.now();
      rangesAt(frame, layer, plan);
      times.evaluateAll.push(between - start);
      times.rangesAt.push(performance.now() - between);
    }
    const cells = Object.values(times).map((taken) => {
      taken.sort((a, b) => a - b);
      return `${taken[100].toFixed(2)} / ${taken[190].toFixed(2)}`.padEnd(16);
    });
    console.log(String(count).padEnd(11) + String(plan.points).padEnd(8) + cells.join(""));
  }
}

function layerOf(name, shape, offset, conv) {
  const [out, inputs, kh, kw] = shape;
  return {
    name,
    kind: conv ? "conv" : "linear",
    type: "KAN",
    shape,
    nb,
    offset,
    count: out * inputs * kh * kw,
    labels: ["SiLU"],
    isBase: Array.from({ length: nb }, (_, b) => b === 0),
    domain: [-1, 1],
    extent: [-1, 1],
    knots,
    variable: "x",
    note: "",
    conv,
    locked: "",
    tables: [table],
    bases: [{ domain: [-1, 1], extent: [-1, 1], knots }],
    tableOf: null,
  };
}

function frameOf(layers) {
  const size = Math.max(...layers.map(({ offset, count }) => offset + count * nb));
  const data = Float32Array.from({ length: size }, () => Math.random() - 0.5);
  return { step: 0, layout: { version: 0, layers }, data };
}

function timed(what, work) {
  const times = Array.from({ length: 100 }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  console.log(`${what.padEnd(52)}${times[50].toFixed(1)} / ${times[95].toFixed(1)}`);
}

console.log("\nMedian and 95th percentile of 100, milliseconds");
{
  const layer = layerOf("fc", [100, 100, 1, 1], 0, null);
  const bins = 64;
  const observed = {
    entries: 100,
    bins,
    edges: Float32Array.from({ length: bins + 1 }, (_, k) => -1 + (2 * k) / bins),
    counts: Float32Array.from({ length: 100 * bins }, () => Math.round(9 * Math.random())),
  };
  const frame = frameOf([layer]);
  timed("importance of 10,000 functions, inputs observed", () =>
    importance(frame, layer, observed),
  );
  timed("importance of 10,000 functions, none observed", () => importance(frame, layer, null));
}
{
  const conv = {
    stride: [1, 1],
    padding: [0, 0, 0, 0],
    dilation: [1, 1],
    paddingMode: "zeros",
    groups: 1,
    shared: true,
  };
  const layers = [
    layerOf("conv1", [5, 1, 3, 3], 0, conv),
    layerOf("conv2", [5, 1, 3, 3], 45 * nb, conv),
    layerOf("fc", [10, 625, 1, 1], 90 * nb, null),
  ];
  const station = (compute, shape, layer = null) => ({ kind: "other", layer, shape, compute });
  const pool = { op: "max_pool", kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
  const stations = [
    { ...station(null, [1, 28, 28]), kind: "input" },
    station({ op: "kan" }, [5, 26, 26], "conv1"),
    station(pool, [5, 13, 13]),
    station({ op: "kan" }, [25, 11, 11], "conv2"),
    station(pool, [25, 5, 5]),
    station({ op: "flatten" }, [625]),
    station({ op: "kan" }, [10], "fc"),
    station({ op: "log_softmax" }, [10]),
  ].map((own, n) => ({ ...own, name: own.layer ?? "", sources: n > 0 ? [n - 1] : [] }));
  const frame = frameOf(layers);
  const input = Float32Array.from({ length: 784 }, () => 2 * Math.random() - 1);
  const structure = { stations, traced: true, note: "" };
  timed("forward pass of the article's network, 28 × 28", () =>
    forward(structure, frame, new Map(), input),
  );
}

console.log("\nKernelGrid's overview, first picture once the data is there, milliseconds");
for (const side of [64, 512]) {
  const count = 9 * side * side;
  const layer = {
    name: "conv",
    kind: "conv",
    type: "Conv",
    shape: [side, side, 3, 3],
    nb,
    offset: 0,
    count,
    labels: [],
    isBase: Array(nb).fill(false),
    domain: [-1, 1],
    extent: [-1, 1],
    knots,
    variable: "x",
    note: "",
    conv: null,
    locked: "",
    tables: [table],
    bases: [{ domain: [-1, 1], extent: [-1, 1], knots }],
    tableOf: null,
  };
  const data = Float32Array.from({ length: count * nb }, () => Math.random() - 0.5);
  const frame = { step: 0, layout: { version: 0, layers: [layer] }, data };
  const same = () => frame;
  const nothing = () => null;
  const store = { current: same, initial: same, at: same, ghost: same, steps: () => [0] };
  const given = {
    store: {
      ...store,
      observed: nothing,
      selection: nothing,
      summary: nothing,
      alone: () => false,
      cursor: () => -1,
    },
    get: () => undefined,
    width: 1200,
    height: 480,
    theme: themeOf("light"),
    ratio: 1,
    pointed: { id: "", at: null, keyboard: "" },
  };
  const start = performance.now();
  const scene = drawing()(given);
  for (const { marks } of scene.sheets) marks({ x: 0, y: 0, width: 1200, height: 480 });
  const functions = `${side} × ${side} × 3 × 3`.padEnd(18);
  console.log(functions + (performance.now() - start).toFixed(0));
}
