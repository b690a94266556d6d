// A page with KernelGrid and a made-up training run, without Jupyter and without Python.
//   node dev/serve.mjs             serve it on http://127.0.0.1:8010 and rebuild on every change
//   node dev/serve.mjs --out DIR   write it to DIR
import { copyFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const at = process.argv.indexOf("--out");
const options = {
  absWorkingDir: dirname(here),
  entryPoints: [
    { in: "dev/page.ts", out: "page" },
    { in: "src/kernel_grid/style.css", out: "kernel_grid" },
  ],
  bundle: true,
  format: "iife", // a file:// page may not load modules
  target: "es2022",
  charset: "utf8",
  logLevel: "info",
};

if (at >= 0) {
  const outdir = process.argv[at + 1];
  mkdirSync(outdir, { recursive: true });
  await esbuild.build({ ...options, outdir });
  copyFileSync(join(here, "index.html"), join(outdir, "index.html"));
} else {
  const context = await esbuild.context({ ...options, outdir: here, write: false });
  const { hosts, port } = await context.serve({ servedir: here, host: "127.0.0.1", port: 8010 });
  console.log(`http://${hosts[0]}:${port}/?layers=article&fps=20`);
}
