/** What a network of the playground learns: rows for training and for testing. */

import { extent } from "d3-array";
import { dsvFormat } from "d3-dsv";
import { Random } from "../training/machine.ts";
import type { Data } from "../training/trainer.ts";
import type { State } from "./state.ts";

export interface Problem {
  data: Data;
  /** What the rows are called. */
  rows: string;
  /** Of one input: [channels, height, width], or [numbers]. */
  shape: readonly number[];
  /** The names of an input's numbers; none where it is an image. */
  inputs: readonly string[];
  /** The name of what is learned, or of each class. */
  outputs: readonly string[];
  isClassification: boolean;
  /** What is to be learned, without noise, where that is known everywhere; numbers run from −1 to 1. */
  truth?: (x: readonly number[]) => number;
  /** A sentence for the reader. */
  about: string;
}

/** Rows of made-up problems; a fifth of them is for testing. */
const ROWS = 1000;
const TEST_SHARE = 0.2;
/** The data stays the same whatever seed the training has. */
const DATA_SEED = 1;

/** Makes the problem of a state; throws an Error in words for the reader. */
export function makeProblem(state: State, digits: Data, table: string): Problem {
  switch (state.problem) {
    case "digits":
      return digitsOf(digits, state.noise);
    case "moons":
      return classes(state, "Two half moons: which one is a point from?", moon);
    case "spirals":
      return classes(state, "Two spirals, one wound into the other.", spiral);
    case "table":
      return tableOf(table, state.noise);
    case "product":
      return formulaOf("x*y*z", state.noise);
    case "formula":
      return formulaOf(state.formula, state.noise);
  }
}

function digitsOf(digits: Data, noise: number): Problem {
  const names = Array.from("0123456789");
  const random = new Random(DATA_SEED);
  const targets = Uint8Array.from(digits.train.targets, (label) =>
    random.uniform() < noise ? random.below(names.length) : label,
  );
  return {
    data: { ...digits, train: { ...digits.train, targets } },
    ...{ rows: "digits", shape: [1, 28, 28], inputs: [], outputs: names, isClassification: true },
    about: "Handwritten digits of 28 × 28 pixels, from MNIST.",
  };
}

type Draw = (random: Random, label: number) => [number, number];

function classes({ noise }: State, about: string, draw: Draw): Problem {
  const random = new Random(DATA_SEED);
  const labels = Uint8Array.from({ length: ROWS }, (_, k) => k % 2);
  const inputs = Float32Array.from([...labels].flatMap((label) => draw(random, label)));
  const targets = labels.map((label) => (random.uniform() < noise ? 1 - label : label));
  return {
    data: split(inputs, targets, 2),
    ...{ rows: "points", shape: [2], inputs: ["x", "y"], outputs: ["0", "1"] },
    isClassification: true,
    about,
  };
}

const moon: Draw = (random, label) => {
  const angle = Math.PI * random.uniform();
  const [x, y] = label
    ? [1 - Math.cos(angle), 0.5 - Math.sin(angle)]
    : [Math.cos(angle), Math.sin(angle)];
  return [(x - 0.5 + spread(random)) / 1.8, (y - 0.25 + spread(random)) / 1.8];
};

const spiral: Draw = (random, label) => {
  const way = 0.1 + 0.9 * Math.sqrt(random.uniform());
  const angle = 3.5 * Math.PI * way + (label ? Math.PI : 0);
  return [
    0.9 * way * Math.cos(angle) + spread(random) / 4,
    0.9 * way * Math.sin(angle) + spread(random) / 4,
  ];
};

/** Roughly normal, of standard deviation 0.08. */
const spread = (random: Random) => 0.08 * normal(random);

function normal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.uniform()));
  return radius * Math.cos(2 * Math.PI * random.uniform());
}

function formulaOf(text: string, noise: number): Problem {
  const { variables, at } = readFormula(text);
  const random = new Random(DATA_SEED);
  const size = variables.length;
  const inputs = Float32Array.from({ length: ROWS * size }, () => 2 * random.uniform() - 1);
  const values = Array.from({ length: ROWS }, (_, k) =>
    at([...inputs.subarray(k * size, (k + 1) * size)]),
  );
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    const where = variables.map((name, k) => `${name} = ${inputs[wrong * size + k].toFixed(2)}`);
    throw new Error(
      `${text} is no finite number at ${where.join(", ")}: expected one wherever all variables are between −1 and 1.`,
    );
  }
  const { mean, deviation } = momentsOf(values);
  if (deviation === 0) throw new Error(`${text} is ${mean} everywhere: there is nothing to learn.`);
  const targets = Float32Array.from(values, (value) => value + noise * deviation * normal(random));
  return {
    data: split(inputs, targets, size),
    ...{ rows: "points", shape: [size], inputs: variables, outputs: [text.trim()] },
    ...{ isClassification: false, truth: at },
    about: `${ROWS.toLocaleString("en")} points, ${variables.join(", ")} between −1 and 1.`,
  };
}

/** A table's last column is learned from its others, each brought to −1 … 1. */
function tableOf(text: string, noise: number): Problem {
  const { columns, rows, isClasses, classNames } = readTable(text);
  const size = columns.length - 1;
  const random = new Random(DATA_SEED);
  const order = random.order(rows.length);
  const isTrained = (k: number) => k < rows.length - testRows(rows.length);
  const inputs = new Float32Array(rows.length * size);
  for (let c = 0; c < size; c++) {
    const column = Array.from(order, (row) => rows[row][c]);
    const [low = 0, high = 0] = extent(column.filter((_, k) => isTrained(k)));
    for (const [k, value] of column.entries())
      inputs[k * size + c] = high > low ? (2 * (value - low)) / (high - low) - 1 : 0;
  }
  const values = Array.from(order, (row) => rows[row][size]);
  const { mean, deviation } = momentsOf(values);
  const scaled = (value: number) => (value - mean) / (deviation || 1) + noise * normal(random);
  const labels = classNames.length;
  const targets = isClasses
    ? Uint8Array.from(values, (value) => (random.uniform() < noise ? random.below(labels) : value))
    : Float32Array.from(values, scaled);
  const learned = columns[size];
  const unit = isClasses ? "" : ", less its mean and divided by its standard deviation";
  return {
    data: split(inputs, targets, size),
    ...{ rows: "rows", shape: [size], inputs: columns.slice(0, size) },
    outputs: isClasses ? classNames : [learned],
    isClassification: isClasses,
    about: `${rows.length.toLocaleString("en")} rows of your table. The network learns ${learned}${unit}; inputs are scaled to −1 … 1.`,
  };
}

export function momentsOf(values: readonly number[]) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(square) };
}

const testRows = (rows: number) => Math.max(1, Math.round(TEST_SHARE * rows));

function split(inputs: Float32Array, targets: Uint8Array | Float32Array, size: number): Data {
  const at = inputs.length / size - testRows(inputs.length / size);
  const part = (from: number, to?: number) => ({
    inputs: inputs.slice(from * size, to === undefined ? undefined : to * size),
    targets: targets.slice(from, to),
  });
  return { train: part(0, at), test: part(at), shift: 0 };
}

const LEAST_ROWS = 20;
const MOST_INPUTS = 32;
const MOST_CLASSES = 10;

/** Reads a table; rows with a gap are left out. Throws an Error that says what is expected. */
export function readTable(text: string) {
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
  /** Whether the last column names classes: words, or at most ten different whole numbers. */
  const isClasses = classNames.length <= MOST_CLASSES && (!areNumbers || learned.every(isWhole));
  if (!isClasses && !areNumbers)
    throw new Error(
      `Column “${columns[size]}” has ${classNames.length} different words: expected numbers, or at most ${MOST_CLASSES} classes.`,
    );
  if (classNames.length < 2)
    throw new Error(`Column “${columns[size]}” is ${learned[0]} in every row: nothing to learn.`);
  const numberOf = (cell: string) => (isClasses ? classNames.indexOf(cell) : Number(cell));
  /** Numbers; the last of a row is what is learned: a class's number where these are classes. */
  const rows = whole.map((row) => [...row.slice(0, size).map(Number), numberOf(row[size])]);
  return { columns, rows, isClasses, classNames: isClasses ? classNames : [] };
}

const isWhole = (cell: string) => Number.isInteger(Number(cell));

type Value = (variables: readonly number[]) => number;

const NAMES = ["sin", "cos", "tan", "tanh", "atan", "exp", "log", "sqrt", "abs", "sign"] as const;
const FUNCTIONS = new Map<string, (x: number) => number>(NAMES.map((name) => [name, Math[name]]));
const CONSTANTS = new Map(Object.entries({ pi: Math.PI, e: Math.E }));

/** Names of variables in the order of a formula's arguments. */
const VARIABLES = ["x", "y", "z", "u", "v", "w"];
const KNOWN = [...VARIABLES, ...CONSTANTS.keys(), ...NAMES].join(", ");

const TOKEN = /\s*(?:(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+)|([a-z]+)|(\*\*|[-+*/^(),]))/iy;

/** Reads a formula such as "exp(sin(pi*x) + y^2)": those of x, y, z, u, v, w that occur, in this order, and its value at numbers for them. Throws an Error that says where and why it is none. */
export function readFormula(text: string): { variables: string[]; at: Value } {
  const tokens = tokensOf(text);
  const used = VARIABLES.filter((name) => tokens.includes(name));
  if (used.length === 0) throw new Error(`“${text}” has no variable: expected one of x, y, z.`);
  let next = 0;

  const take = (token: string) => tokens[next] === token && next++ >= 0;
  const expect = (token: string) => {
    if (!take(token)) throw new Error(`Expected “${token}” ${placeOf(tokens, next)}.`);
  };

  function sum(): Value {
    let value = product();
    for (;;) {
      const left = value;
      if (take("+")) value = both(left, product(), (a, b) => a + b);
      else if (take("-")) value = both(left, product(), (a, b) => a - b);
      else return value;
    }
  }

  function product(): Value {
    let value = signed();
    for (;;) {
      const left = value;
      if (take("*")) value = both(left, signed(), (a, b) => a * b);
      else if (take("/")) value = both(left, signed(), (a, b) => a / b);
      // 2x and 3 sin(x): a factor may stand beside another.
      else if (/^[\d.(a-z]/i.test(tokens[next] ?? "")) value = both(left, power(), (a, b) => a * b);
      else return value;
    }
  }

  function signed(): Value {
    if (take("+")) return signed();
    if (!take("-")) return power();
    const value = signed();
    return (x) => -value(x);
  }

  function power(): Value {
    const base = atom();
    return take("^") || take("**") ? both(base, signed(), (a, b) => a ** b) : base;
  }

  function atom(): Value {
    const token = tokens[next];
    if (take("(")) {
      const value = sum();
      expect(")");
      return value;
    }
    if (token === undefined) throw new Error("The formula ends too early.");
    next++;
    if (/^[\d.]/.test(token)) return () => Number(token);
    const constant = CONSTANTS.get(token);
    if (constant !== undefined) return () => constant;
    const index = used.indexOf(token);
    if (index >= 0) return (x) => x[index];
    const f = FUNCTIONS.get(token);
    if (!f) throw new Error(`Unknown: “${token}”. Known are ${KNOWN}.`);
    expect("(");
    const argument = sum();
    expect(")");
    return (x) => f(argument(x));
  }

  const at = sum();
  if (next < tokens.length) throw new Error(`Expected an operator ${placeOf(tokens, next)}.`);
  return { variables: used, at };
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  let end = 0;
  for (let found = TOKEN.exec(text); found; found = TOKEN.exec(text)) {
    tokens.push((found[1] ?? found[2] ?? found[3]).toLowerCase());
    end = TOKEN.lastIndex;
  }
  const rest = text.slice(end).trim();
  if (rest) throw new Error(`Unknown: “${rest[0]}”. Known are + − * / ^ ( ), ${KNOWN}.`);
  return tokens;
}

const placeOf = (tokens: readonly string[], next: number) =>
  next < tokens.length ? `before “${tokens[next]}”` : "at the end";

function both(left: Value, right: Value, f: (a: number, b: number) => number): Value {
  return (x) => f(left(x), right(x));
}
