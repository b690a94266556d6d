/** The rooms of the browser's code, and what may import what. Circles are the checker's (biome.json). */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
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
  playground: ["page", "training", "shell", "phi", "wire"],
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

it("what lies below the shell and every scene work without a page", () => {
  const below = /^(?:wire|phi|scene|training)\/|^views\/\w+\/scene\.ts$/;
  // A plain `window` may be the part of a large layer that is shown.
  const page = /\bdocument\.|\bwindow\.(?:add|remove|device|inner|match|request|set|location)/;
  const found = texts(SOURCES)
    .map(([path, text]) => [relative(SOURCES, path), text] as const)
    .filter(([file]) => below.test(file));
  expect(found.length).toBeGreaterThan(50);
  expect(found.filter(([, text]) => page.test(text)).map(([file]) => file)).toEqual([]);
});

it("a view imports no other view but those that it is composed of", () => {
  const composed = ["views/compare", "views/dashboard", "views/registry.ts"];
  const wrong = IMPORTS.filter(
    ({ file, imported }) =>
      room(imported) === "views" && view(imported) !== view(file) && !composed.includes(view(file)),
  );
  expect(wrong).toEqual([]);
});

/** Outside of them nothing need import what these export: bundles and their pages begin there. */
const ENTRIES = [
  "main.ts",
  "entry.ts",
  "still.ts",
  "views/registry.ts",
  "page/index.ts",
  "playground/play.ts",
];

/** What every view exports, each of itself. */
const OF_EACH_VIEW = ["createHeader", "description", "drawing", "render", "Settings", "settingsOf"];

const texts = (root: string) =>
  readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => [join(root, file), readFileSync(join(root, file), "utf8")] as const);

/** "shell/tip.ts placeTip" of all that is exported where it is declared. */
const EXPORTED = texts(SOURCES).flatMap(([path, text]) => {
  const declared = /^export (?:async )?(?:const|let|function|class|interface|type|enum)\*? (\w+)/gm;
  return [...text.matchAll(declared)].map(([, name]) => ({ file: relative(SOURCES, path), name }));
});

/** What only tests import: others go through what the file does for the views. */
const FOR_TESTS = `
  arraysOf BASES BASE_TERMS NETWORKS PROBLEMS axesText basisColours brushRadius change cornerLabels cutText EDIT_PATIENCE
  EDIT_PAUSE fileName Gesture greville Label LiveModel MOST_LINKS neighbour orderBy outlineOf
  wordsOf readTable readFormula contrastGrey contrastOf seesPixels unitCloseUp rowsOf heightsOf smoothed rampPlan rampReach overlayColour PATIENCE PAUSE perStep pinColour placeTip PLOT_PARTS pointPlace RAMP_POINTS
  rangeText remarks rowLabels sameBasis SaveElement shadeText Shape SILENT sizeTexts sortedOrder
  AdamW createAnswers crossingOf Deciding drawDoubt exponential formOf heightOfCurve inY Model oneCycle pruned stripMarks
  shareWithModel strip stroke themeAround unfold widen withoutBytes withoutOutliers
`.split(/\s+/);

/** "shell/tip.ts placeTip" of all that files below a root import. */
function importedBy(root: string): Set<string> {
  const imported = new Set<string>();
  for (const [path, text] of texts(root)) {
    const take = (from: string, name: string) =>
      imported.add(`${relative(SOURCES, join(dirname(path), from))} ${name}`);
    for (const [, names, from] of text.matchAll(/import (?:type )?\{([^}]*)\} from "(\..*?)"/g))
      for (const [, name] of names.matchAll(/(?:^|,)\s*(?:type )?(\w+)/g)) take(from, name);
    for (const [, all, from] of text.matchAll(/import \* as (\w+) from "(\..*?)"/g))
      for (const { name } of EXPORTED)
        if (new RegExp(`\\b${all}(\\.${name}\\b|,)`).test(text)) take(from, name);
  }
  return imported;
}

it("what is exported is imported from there by another file, or by a test and is listed", () => {
  const [bySources, byTests] = [SOURCES, import.meta.dirname].map(importedBy);
  const unused = EXPORTED.filter(({ file, name }) => {
    const isForTests = FOR_TESTS.includes(name) && byTests.has(`${file} ${name}`);
    return !ENTRIES.includes(file) && !bySources.has(`${file} ${name}`) && !isForTests;
  });
  expect(unused).toEqual([]);
});

it("an exported name means one thing, those of every view one of each", () => {
  const homes = new Map<string, Set<string>>();
  for (const { file, name } of EXPORTED) {
    if (ENTRIES.includes(file)) continue;
    const home =
      file.startsWith("views/") && OF_EACH_VIEW.includes(name) ? name : `${file} ${name}`;
    homes.set(name, (homes.get(name) ?? new Set()).add(home));
  }
  expect([...homes.values()].filter(({ size }) => size > 1).map((all) => [...all])).toEqual([]);
});

/** What could stand for anything: a value that lives for more lines has the noun of what it is. */
const PRONOUNS =
  "asked done each found here it known made one said there these those told what which";
const SHORT_LIFE = 8;

it("a value that lives for some lines is named by a noun", () => {
  const within = (node: ts.Node): ts.Node[] => {
    const nodes = [node];
    node.forEachChild((child) => void nodes.push(...within(child)));
    return nodes;
  };
  const isScope = (node: ts.Node) =>
    [ts.isFunctionLike, ts.isForOfStatement, ts.isBlock, ts.isSourceFile].some((is) => is(node));
  const vague = texts(SOURCES).flatMap(([path, text]) => {
    const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    const lineOf = (node: ts.Node) => source.getLineAndCharacterOfPosition(node.getStart()).line;
    const pronouns = within(source).filter(
      (node) => ts.isIdentifier(node) && PRONOUNS.split(" ").includes(node.text),
    ) as ts.Identifier[];
    return pronouns.flatMap((bound) => {
      const { parent } = bound;
      const binds = [ts.isVariableDeclaration, ts.isParameter, ts.isBindingElement];
      if (!binds.some((is) => is(parent) && parent.name === bound)) return [];
      const scope = ts.findAncestor(parent, isScope) ?? source;
      const uses = pronouns.filter(
        ({ text, parent: of, pos }) =>
          text === bound.text &&
          scope.pos <= pos &&
          pos < scope.end &&
          !(ts.isPropertyAccessExpression(of) && of.name.pos === pos),
      );
      const life = Math.max(...uses.map(lineOf)) - lineOf(bound);
      return life < SHORT_LIFE ? [] : `${relative(SOURCES, path)}: ${bound.text}, ${life} lines`;
    });
  });
  expect(vague).toEqual([]);
});
