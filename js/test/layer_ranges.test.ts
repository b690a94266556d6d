// @vitest-environment happy-dom
import { describe, expect, it, vi } from "vitest";
import { createBar } from "../src/views/layer_ranges/bar.ts";
import { MEASURES, type Row, rowOf, thresholdOf } from "../src/views/layer_ranges/content.ts";
import { createTable } from "../src/views/layer_ranges/table.ts";

function row(layer: string, aside = ""): Row {
  return {
    layer,
    title: layer,
    type: "KANLinear, 6 φ",
    aside,
    typical: { layer, out: 1, in: 2, row: 0, column: 0 },
    cells: [
      ["0.1", "–"],
      ["20 %", ""],
    ],
    splines: 0.2,
  };
}

const HEADS: [string, string][] = [
  ["range", "grid / seen"],
  ["splines", "of the range"],
];

describe("a threshold as typed", () => {
  it("is a number from 0 to 1, with a point or a comma", () => {
    expect(["0.9", " 1 ", "0,5", "0"].map(thresholdOf)).toEqual([0.9, 1, 0.5, 0]);
  });

  it("is nothing else", () => {
    expect(["", "x", "1.1", "-0.1", "NaN"].map(thresholdOf)).toEqual([
      null,
      null,
      null,
      null,
      null,
    ]);
  });
});

describe("the table", () => {
  it("keeps its cells and writes only what has changed", () => {
    const table = createTable(
      document,
      () => {},
      () => {},
    );
    table.draw({ heads: HEADS, rows: [row("a"), row("b", "1 constant")] });
    const cell = table.element.querySelector("tbody tr td .kw-line");
    expect(cell?.textContent).toBe("0.1");
    expect(table.element.querySelector(".kw-aside .kw-line + .kw-line")?.textContent).toBe(
      "1 constant",
    );
    const next = row("a");
    next.cells[0][0] = "0.2";
    table.draw({ heads: HEADS, rows: [next] });
    expect(table.element.querySelector("tbody tr td .kw-line")).toBe(cell);
    expect(cell?.textContent).toBe("0.2");
    expect(table.element.querySelectorAll("tbody tr").length).toBe(1);
  });

  it("chooses the row that is clicked, or entered from the keyboard", () => {
    const chosen = vi.fn();
    const stepped = vi.fn();
    const table = createTable(document, (its) => chosen(its.layer), stepped);
    table.draw({ heads: HEADS, rows: [row("a"), row("b")] });
    const rows = table.element.querySelectorAll<HTMLElement>("tbody tr");
    rows[1].click();
    rows[0].dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
    rows[0].dispatchEvent(new KeyboardEvent("keydown", { key: "x" }));
    expect(chosen.mock.calls).toEqual([["b"], ["a"]]);
    rows[1].dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
    rows[1].dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft" }));
    expect(stepped.mock.calls).toEqual([
      [1, 1],
      [1, -1],
    ]);
  });

  it("marks the row of the selected function, also after it is drawn again", () => {
    const table = createTable(
      document,
      () => {},
      () => {},
    );
    const rows = [row("a"), row("b")];
    table.draw({ heads: HEADS, rows });
    table.mark({ layer: "b", out: 0, in: 0, row: 0, column: 0 });
    table.draw({ heads: HEADS, rows });
    const marked = [...table.element.querySelectorAll("tbody tr")].map((line) =>
      line.classList.contains("kw-chosen"),
    );
    expect(marked).toEqual([false, true]);
    expect(rowOf(rows, null)).toBe(-1);
    expect(rowOf(rows, { layer: "c", out: 0, in: 0, row: 0, column: 0 })).toBe(-1);
  });
});

describe("the bar", () => {
  it("hands on a threshold that is one, and puts back one that is not", () => {
    const threshold = vi.fn();
    const bar = createBar(document, { threshold, overTime: () => {} });
    bar.options(0.95, "range");
    const input = bar.element.querySelector("input") as HTMLInputElement;
    input.value = "2";
    input.dispatchEvent(new Event("change"));
    expect(input.value).toBe("0.95");
    input.value = "0.5";
    input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
    expect(threshold.mock.calls).toEqual([[0.5]]);
  });

  it("offers every measure and says what is not known without an observation", () => {
    const overTime = vi.fn();
    const bar = createBar(document, { threshold: () => {}, overTime });
    const select = bar.element.querySelector("select") as HTMLSelectElement;
    expect([...select.options].map((o) => o.value)).toEqual(MEASURES.map(([value]) => value));
    select.value = "update";
    select.dispatchEvent(new Event("change"));
    expect(overTime).toHaveBeenCalledWith("update");
    const hint = bar.element.querySelector(".kw-hint") as HTMLElement;
    bar.draw({ step: 1200, verdict: "a reaches least", observed: false, start: 0 });
    expect(hint.hidden).toBe(false);
    expect(bar.element.querySelector(".kw-step")?.textContent).toBe("step 1,200");
    bar.draw({ step: 1200, verdict: "", observed: true, start: 0 });
    expect(hint.hidden).toBe(true);
  });
});
