import { readFileSync } from "node:fs";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** As in the bundle: style sheets are text, fonts base64. */
const assets: Plugin = {
  name: "assets",
  enforce: "pre",
  load(id) {
    if (/\.css$/.test(id)) return `export default ${JSON.stringify(readFileSync(id, "utf8"))}`;
    if (/\.woff2$/.test(id)) {
      return `export default ${JSON.stringify(readFileSync(id).toString("base64"))}`;
    }
    return null;
  },
};

export default defineConfig({
  plugins: [assets],
  test: {
    include: ["test/**/*.test.ts"],
    // Maths needs no DOM; a test of DOM code asks for it: // @vitest-environment happy-dom
    environment: "node",
    // A forgotten `.only` must not hide the other tests, and a file without tests is a mistake.
    allowOnly: false,
    passWithNoTests: false,
    // Against a test that hangs; the default of 5 s also ends ones on a busy machine.
    testTimeout: 60_000,
  },
});
