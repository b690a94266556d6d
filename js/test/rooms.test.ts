/** The rooms of the browser's code, and what may import what. Circles are the checker's (biome.json). */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, it } from "vitest";

const SOURCES = join(import.meta.dirname, "..", "src");

/** Room → the rooms below it. */
const BELOW: Record<string, string[]> = {
  wire: [],
  phi: ["wire"],
  scene: ["phi", "wire"],
  shell: ["scene", "phi", "wire"],
  views: ["shell", "scene", "phi", "wire"],
  training: ["wire"],
  page: ["training", "wire"],
};

/** Files, the files that they import from other rooms, and those of other views. */
const IMPORTS = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && file.includes("/"))
  .flatMap((file) => {
    const text = readFileSync(join(SOURCES, file), "utf8");
    return [...text.matchAll(/(?:from|import) "(\.[^"]+)"/g)].map(([, name]) => ({
      file,
      imported: relative(SOURCES, join(SOURCES, dirname(file), name)),
    }));
  });

const room = (file: string) => file.split("/")[0];
const view = (file: string) => file.split("/").slice(0, 2).join("/");

it("rooms import only what is below them", () => {
  expect(IMPORTS.length).toBeGreaterThan(300);
  const wrong = IMPORTS.filter(
    ({ file, imported }) =>
      !imported.startsWith("..") && // the font beside the sources
      room(imported) !== room(file) &&
      !BELOW[room(file)].includes(room(imported)),
  );
  expect(wrong).toEqual([]);
});

it("a view imports no other view but those that it is composed of", () => {
  const composed = ["views/compare", "views/dashboard", "views/registry.ts"];
  const wrong = IMPORTS.filter(
    ({ file, imported }) =>
      room(imported) === "views" && view(imported) !== view(file) && !composed.includes(view(file)),
  );
  expect(wrong).toEqual([]);
});

it("what is exported is imported by another file, of the sources or the tests", () => {
  const read = (root: string) =>
    readdirSync(root, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => [join(root, file), readFileSync(join(root, file), "utf8")] as const);
  const entries = ["main.ts", "entry.ts", "still.ts", "views/registry.ts", "page/index.ts"];
  const files = [...read(SOURCES), ...read(import.meta.dirname)];
  const unused = read(SOURCES).flatMap(([path, text]) => {
    if (entries.includes(relative(SOURCES, path))) return [];
    const names = text.matchAll(
      /^export (?:async )?(?:const|let|function|class|interface|type) (\w+)/gm,
    );
    return [...names].flatMap(([, name]) => {
      const used = new RegExp(`\\b${name}\\b`);
      return files.some(([other, words]) => other !== path && used.test(words))
        ? []
        : [`${relative(SOURCES, path)}: ${name}`];
    });
  });
  expect(unused).toEqual([]);
});
