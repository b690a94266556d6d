// How long evaluating every function of a layer takes, and a large layer's first picture:  node bench.mjs
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const { outputFiles } = await build({
  stdin: {
    contents: `
      export { evaluateAll, rangesAt, samplePlan } from "./phi/curves.ts";
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
const { samplePlan, evaluateAll, rangesAt, drawing, themeOf } = await import(
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
    store: { ...store, observed: nothing, selection: nothing, cursor: () => -1 },
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
