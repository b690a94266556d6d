/** The table of LayerRanges: a row for each layer, as high as those of the figures beside it. */

import { plainKey, used } from "../../shell/keys.ts";
import type { Selection } from "../../wire/types.ts";
import { type Row, rowOf, type Table } from "./content.ts";

const KEYS =
  "Enter selects the typical function, left and right those of smaller and larger range.";

export interface TableView {
  element: HTMLElement;
  draw(table: Partial<Table>): void;
  mark(selection: Selection | null): void;
}

export function createTable(
  document: Document,
  choose: (row: Row) => void,
  step: (number: number, by: 1 | -1) => void,
): TableView {
  const element = document.createElement("div");
  element.className = "kw-ranges-table";
  const table = document.createElement("table");
  // Its rows are chosen: a grid, of which the keyboard reaches the rows.
  table.setAttribute("role", "grid");
  table.setAttribute("aria-label", "Ranges of the functions of each layer");
  const head = table.createTHead().insertRow();
  const body = table.createTBody();
  element.append(table);
  const lines: HTMLTableRowElement[] = [];
  let rows: Row[] = [];
  let selection: Selection | null = null;

  function draw({ heads = [], rows: given = [], row = 54, head: height = 46 }: Partial<Table>) {
    rows = given;
    element.style.setProperty("--kw-row-height", `${row}px`);
    element.style.setProperty("--kw-head-height", `${height}px`);
    fit(head, heads.length + 1, () => document.createElement("th"));
    twoLines(document, head.cells[0], "layer", "");
    heads.forEach(([title, below], k) => {
      twoLines(document, head.cells[k + 1], title, below);
    });
    while (lines.length > rows.length) lines.pop()?.remove();
    while (lines.length < rows.length) {
      lines.push(newRow(lines.length));
      body.append(lines[lines.length - 1]);
    }
    rows.forEach((content, k) => {
      drawRow(lines[k], content);
    });
    mark(selection);
  }

  function newRow(number: number): HTMLTableRowElement {
    const made = document.createElement("tr");
    made.tabIndex = 0;
    made.setAttribute("aria-description", KEYS);
    made.addEventListener("click", () => choose(rows[number]));
    made.addEventListener("keydown", (event) => {
      if (!plainKey(event)) return;
      const { key } = event;
      if (key === "Enter" || key === " ") choose(rows[number]);
      else if (key === "ArrowLeft") step(number, -1);
      else if (key === "ArrowRight") step(number, 1);
      else if (key === "ArrowUp") lines[number - 1]?.focus();
      else if (key === "ArrowDown") lines[number + 1]?.focus();
      else return;
      used(event);
    });
    return made;
  }

  function drawRow(line: HTMLTableRowElement, row: Row) {
    fit(line, row.cells.length + 1, (k) => document.createElement(k === 0 ? "th" : "td"));
    const name = line.cells[0];
    twoLines(document, name, row.title, row.aside || row.type);
    name.title = `${row.title}: ${row.type}${row.aside ? `, ${row.aside}` : ""}`;
    name.classList.toggle("kw-aside", row.aside !== "");
    line.title = row.aside;
    row.cells.forEach(([first, second], k) => {
      twoLines(document, line.cells[k + 1], first, second);
    });
    share(document, line.cells[2], row.splines);
  }

  function mark(chosen: Selection | null) {
    selection = chosen;
    const number = rowOf(rows, chosen);
    lines.forEach((line, k) => {
      line.classList.toggle("kw-chosen", k === number);
      line.setAttribute("aria-selected", String(k === number));
    });
  }

  return { element, draw, mark };
}

function fit(line: HTMLTableRowElement, count: number, make: (k: number) => HTMLElement): void {
  while (line.cells.length > count) line.deleteCell(-1);
  while (line.cells.length < count) line.append(make(line.cells.length));
}

/** Writes two lines into a cell, and only what is another text than before. */
function twoLines(document: Document, cell: HTMLElement, first: string, second: string): void {
  while (cell.querySelectorAll(".kw-line").length < 2) {
    const line = document.createElement("div");
    line.className = "kw-line";
    cell.append(line);
  }
  const lines = cell.querySelectorAll<HTMLElement>(".kw-line");
  [first, second].forEach((text, k) => {
    if (lines[k].textContent !== text) lines[k].textContent = text;
  });
}

/** Draws base and splines as a bar of two colours into a cell. */
function share(document: Document, cell: HTMLElement, splines: number | null): void {
  let bar = cell.querySelector<HTMLElement>(".kw-share");
  if (!bar) {
    bar = document.createElement("div");
    bar.className = "kw-share";
    bar.append(document.createElement("i"), document.createElement("i"));
    cell.append(bar);
  }
  bar.hidden = splines === null;
  if (splines !== null) {
    bar.style.setProperty("--kw-splines", `${(100 * splines).toFixed(2)}%`);
    bar.title = `base ${Math.round(100 * (1 - splines))} %, splines ${Math.round(100 * splines)} %`;
  }
}
