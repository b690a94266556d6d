import { defineConfig } from "vitest/config";

export default defineConfig({
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
