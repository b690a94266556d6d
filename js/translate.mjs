// Translates the compiled kernels, compiled without SIMD, to plain JavaScript for browsers without WebAssembly:
//   node translate.mjs kernels.wasm kernels.js.gz
// The script it writes sets `kanKernels.default`, which makes what an instance of the module would export.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { transformSync } from "esbuild";

// Not among the packages that everybody installs: it has a hundred megabytes.
const BINARYEN = "binaryen@132.0.0";

const [source, target] = process.argv.slice(2);
const hash = createHash("sha256").update(readFileSync(source)).digest("hex");
const scratch = mkdtempSync(join(tmpdir(), "kernels-"));
try {
  const made = join(scratch, "kernels.js");
  const options = ["-O2", "--enable-bulk-memory", source, "-o", made];
  execFileSync("npx", ["--yes", "--package", BINARYEN, "wasm2js", ...options], {
    stdio: "inherit",
  });
  // It makes one instance; a page wants one for every network.
  const [body] = readFileSync(made, "utf8").split("\nvar retasmFunc");
  const module = `${body}\nexport default () => asmFunc({});`;
  const { code } = transformSync(module, {
    minify: true,
    format: "iife",
    globalName: "kanKernels",
  });
  writeFileSync(target, gzipSync(`// ${hash}\n${code}`, { level: 9 }));
} finally {
  rmSync(scratch, { recursive: true });
}
