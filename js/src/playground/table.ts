/** A table of comma-separated values that the reader drops on the page; it stays in the page. */

import { dsvFormat } from "d3-dsv";

interface TableRows {
  columns: string[];
  /** Numbers, row by row; the last of a row is what is learned: a class's number where these are classes. */
  rows: number[][];
  /** Whether the last column names classes: words, or at most ten different whole numbers. */
  isClasses: boolean;
  classNames: string[];
}

const LEAST_ROWS = 20;
const MOST_INPUTS = 32;
const MOST_CLASSES = 10;

/** Reads a table; rows with a gap are left out. Throws an Error that says what is expected. */
export function readTable(text: string): TableRows {
  const [heading] = text.split("\n", 1);
  const separator = [",", ";", "\t"].find((one) => heading.includes(one)) ?? ",";
  const cells = dsvFormat(separator)
    .parseRows(text, (row) => row.map((cell) => cell.trim()))
    .filter((row) => row.some(Boolean));
  if (cells.length === 0)
    throw new Error("Choose a file of comma-separated values, or drop one on the page.");
  const hasNames = cells[0].some((cell) => cell !== "" && Number.isNaN(Number(cell)));
  const columns = hasNames ? cells[0] : cells[0].map((_, k) => `column ${k + 1}`);
  const size = columns.length - 1;
  if (size < 1 || size > MOST_INPUTS)
    throw new Error(
      `The table has ${columns.length} columns: expected 2 to ${MOST_INPUTS + 1}, the last one to be learned.`,
    );
  const body = cells.slice(hasNames ? 1 : 0);
  const whole = body.filter((row) => row.length === columns.length && !row.includes(""));
  for (const row of whole)
    for (const [c, cell] of row.slice(0, size).entries())
      if (!Number.isFinite(Number(cell)))
        throw new Error(`Column “${columns[c]}” has “${cell}”: expected a number.`);
  if (whole.length < LEAST_ROWS)
    throw new Error(`The table has ${whole.length} whole rows: expected at least ${LEAST_ROWS}.`);
  const learned = whole.map((row) => row[size]);
  const classNames = [...new Set(learned)].sort(new Intl.Collator("en", { numeric: true }).compare);
  const areNumbers = learned.every((cell) => Number.isFinite(Number(cell)));
  const isClasses = classNames.length <= MOST_CLASSES && (!areNumbers || learned.every(isWhole));
  if (!isClasses && !areNumbers)
    throw new Error(
      `Column “${columns[size]}” has ${classNames.length} different words: expected numbers, or at most ${MOST_CLASSES} classes.`,
    );
  if (classNames.length < 2)
    throw new Error(`Column “${columns[size]}” is ${learned[0]} in every row: nothing to learn.`);
  const numberOf = (cell: string) => (isClasses ? classNames.indexOf(cell) : Number(cell));
  const rows = whole.map((row) => [...row.slice(0, size).map(Number), numberOf(row[size])]);
  return { columns, rows, isClasses, classNames: isClasses ? classNames : [] };
}

const isWhole = (cell: string) => Number.isInteger(Number(cell));
