// @vitest-environment happy-dom

import { expect, test } from "vitest";
import { createTable, nameOf, type Shown } from "../src/views/compare/table.ts";

function shown(steps: string[], more: Partial<Shown> = {}): Shown {
  return {
    hints: [],
    note: "",
    models: [
      { name: "KAN", colours: ["#0072b2", "#56b4e9"] },
      { name: "<b>CNN</b>", colours: ["#d55e00", "#e69f00"] },
    ],
    rows: [
      { key: "parameters", label: "parameters", meaning: "Trainable", values: ["94,650", "160"] },
      { key: "steps", label: "steps", meaning: "Made", values: steps },
    ],
    growth: [
      {
        summary: "450 parameters",
        layers: [{ name: "convs.0", type: "KANConv2d", formula: "5·3·3·10", parameters: "450" }],
      },
      { summary: "160 parameters", layers: [] },
    ],
    ...more,
  };
}

const cells = (root: HTMLElement, key: string) =>
  [...root.querySelectorAll(`[data-key="${key}"] td`)].map((cell) => cell.textContent);

test("each model has a column, and each number a row", () => {
  const { element, show } = createTable(document);
  show(shown(["3", "4"]));
  expect(cells(element, "parameters")).toEqual(["94,650", "160"]);
  expect(cells(element, "steps")).toEqual(["3", "4"]);
  const names = [...element.querySelectorAll("thead .kw-model-name")];
  expect(names.map((name) => name.textContent)).toEqual(["KAN", "<b>CNN</b>"]);
  expect((names[1] as HTMLElement).style.getPropertyValue("--kw-on-dark")).toBe("#e69f00");
});

test("a number that changes touches no other cell", () => {
  const { element, show } = createTable(document);
  show(shown(["3", "4"]));
  const table = element.querySelector("table");
  const [parameters, steps] = ["parameters", "steps"].map(
    (key) => element.querySelector(`[data-key="${key}"] td`)?.firstChild,
  );
  show(shown(["5", "4"]));
  expect(element.querySelector("table")).toBe(table);
  expect(element.querySelector('[data-key="parameters"] td')?.firstChild).toBe(parameters);
  expect(element.querySelector('[data-key="steps"] td')?.firstChild).not.toBe(steps);
  expect(cells(element, "steps")).toEqual(["5", "4"]);
});

test("a new row comes without losing the others", () => {
  const { element, show } = createTable(document);
  const first = shown(["3", "4"]);
  show(first);
  const loss = { key: "loss", label: "last loss", meaning: "", values: ["0.5", "–"] };
  show({ ...first, rows: [...first.rows, loss] });
  expect(cells(element, "loss")).toEqual(["0.5", "–"]);
  expect(cells(element, "steps")).toEqual(["3", "4"]);
});

test("hints and the note are there only while there is something to say", () => {
  const { element, show } = createTable(document);
  const hints = element.querySelector<HTMLElement>(".kw-hints");
  const note = element.querySelector<HTMLElement>(".kw-note");
  show(shown(["3", "4"]));
  expect([hints?.hidden, note?.hidden]).toEqual([true, true]);
  show(shown(["3", "9"], { hints: ["different steps"], note: "Trained on: MNIST" }));
  expect([hints?.hidden, note?.hidden]).toEqual([false, false]);
  expect(hints?.textContent).toBe("different steps");
  show(shown(["9", "9"]));
  expect([hints?.hidden, hints?.textContent, note?.hidden]).toEqual([true, "", true]);
});

test("layers stand under their model with formula and number", () => {
  const { element, show } = createTable(document);
  show(shown(["3", "4"]));
  const rows = [...element.querySelectorAll(".kw-card:first-child .kw-layers tr")];
  expect(rows.map((row) => [...row.children].map((cell) => cell.textContent))).toEqual([
    ["convs.0", "5·3·3·10", "450"],
  ]);
});

test("nothing is drawn before Python has said anything", () => {
  const { element, show } = createTable(document);
  show({} as Shown);
  expect(element.querySelector("table")).toBeNull();
});

test("a picture is called by its models and the steps that they have made", () => {
  const named = (steps: string[]) => nameOf(shown(steps));
  expect(named(["1,200", "1,200"])).toBe("compare KAN <b>CNN</b> step 1200");
  expect(named(["3", "4"])).toBe("compare KAN <b>CNN</b> step 3 4");
  expect(nameOf({})).toBe("compare step");
});
