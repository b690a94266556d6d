// How long evaluating every function of a layer takes:  node bench.mjs
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const { outputFiles } = await build({
  stdin: {
    contents: 'export * from "./curves.ts"; export * from "./ranges.ts";',
    resolveDir: fileURLToPath(new URL("src/phi", import.meta.url)),
  },
  bundle: true,
  format: "esm",
  write: false,
});
const code = Buffer.from(outputFiles[0].contents).toString("base64");
const { samplePlan, evaluateAll, functionRanges } = await import(
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
console.log("functions  points  evaluateAll     + functionRanges");
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
    let curves;
    const evaluating = [];
    const both = [];
    for (let n = 0; n < 200; n++) {
      const start = performance.now();
      curves = evaluateAll(frame, layer, plan, curves);
      evaluating.push(performance.now() - start);
      functionRanges(layer, curves);
      both.push(performance.now() - start);
    }
    const cells = [evaluating, both].map((times) => {
      times.sort((a, b) => a - b);
      return `${times[100].toFixed(2)} / ${times[190].toFixed(2)}`.padEnd(16);
    });
    console.log(String(count).padEnd(11) + String(plan.points).padEnd(8) + cells.join(""));
  }
}
