// Builds the browser bundles that ship inside the Python package.
//   node build.mjs           one build
//   node build.mjs --watch   rebuild on every change
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const outdir = join(here, "..", "kan_widgets", "widgets", "static");

/** Ends each bundle with the licences of the packages in it, and writes it. */
const write = {
  name: "write-with-licences",
  setup(build) {
    build.onEnd(({ metafile, outputFiles = [] }) => {
      mkdirSync(outdir, { recursive: true });
      for (const [path, { inputs }] of Object.entries(metafile?.outputs ?? {})) {
        const file = outputFiles.find((output) => output.path === join(here, path));
        const text = [file.text, ...packagesOf(inputs).map(licence)].join("\n");
        writeFileSync(file.path, text);
        const kilobytes = (Buffer.byteLength(text) / 1000).toFixed(1);
        console.log(`${path.replace(/^(\.\.\/)+/, "")}  ${kilobytes} kB`);
      }
    });
  },
};

function packagesOf(inputs) {
  const used = Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  const names = used.map(([path]) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
  return [...new Set(names.filter(Boolean))].sort();
}

function licence(name) {
  const folder = join(here, "node_modules", name);
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const text = readFileSync(join(folder, "LICENSE"), "utf8").trim();
  return `/*! ${name} ${version}\n\n${text}\n*/\n`;
}

/** @type {esbuild.BuildOptions} */
const options = {
  absWorkingDir: here,
  // The page's own script and style sheet.
  entryPoints: [
    { in: "src/page/index.ts", out: "page" },
    { in: "src/page/style.css", out: "page" },
    // What connects a page that Python serves.
    { in: "src/page/live.ts", out: "live" },
    // Of a page in which a network trains, and of the worker that makes the steps.
    { in: "src/page/trained.ts", out: "trained" },
    { in: "src/training/entry.ts", out: "trainer" },
    // Of a page whose reader chooses what is learned.
    { in: "src/playground/play.ts", out: "playground" },
    { in: "src/playground/style.css", out: "playground" },
  ],
  outdir,
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  minify: false,
  treeShaking: true,
  legalComments: "eof",
  metafile: true,
  write: false,
  logLevel: "warning",
  plugins: [write],
};

/** Style sheets as text, without what only people need. */
const sheets = {
  name: "sheets-as-text",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { outputFiles } = await esbuild.build({
        entryPoints: [path],
        bundle: true,
        minify: true,
        write: false,
      });
      return { contents: outputFiles[0].text, loader: "text" };
    });
  },
};

/** The one bundle that a stream carries. @type {esbuild.BuildOptions} */
const main = {
  ...options,
  entryPoints: [
    { in: "src/main.ts", out: "main" },
    { in: "src/entry.ts", out: "view" },
  ],
  minify: true,
  loader: { ".woff2": "base64" },
  plugins: [sheets, write],
};

if (process.argv.includes("--watch")) {
  for (const one of [options, main]) {
    const context = await esbuild.context({ ...one, logLevel: "info" });
    await context.watch();
  }
} else {
  await esbuild.build(options);
  await esbuild.build(main);
}
