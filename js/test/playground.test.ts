/** What a reader chooses in the playground: the address, a formula, the rows of a problem, a table. */

import { describe, expect, it } from "vitest";
import { makeProblem, readFormula, readTable } from "../src/playground/problems.ts";
import {
  BASE_TERMS,
  BASES,
  defaultsOf,
  hashOf,
  LIMITS,
  NETWORKS,
  PROBLEMS,
  type State,
  stateOf,
  widthsExpected,
  widthsOf,
} from "../src/playground/state.ts";
import type { Data } from "../src/training/trainer.ts";

const stateFor = (problem: State["problem"], more: Partial<State> = {}): State => ({
  ...defaultsOf(problem, problem === "digits" ? "kancnn" : "dense"),
  ...more,
});
const images = {
  inputs: new Uint8Array(784 * 2000).map((_, k) => k % 251),
  targets: new Uint8Array(2000).map((_, k) => k % 10),
};
const digits: Data = { train: images, test: images, shift: 1 };
const problemOf = (state: State, table = "") => makeProblem(state, digits, table);

describe("the address", () => {
  it("says nothing of what a problem begins with", () => {
    expect(hashOf(defaultsOf("digits", "kancnn"))).toBe("");
    for (const problem of PROBLEMS.slice(1))
      expect(hashOf(stateFor(problem))).toBe(`#problem=${problem}`);
    expect(hashOf(defaultsOf("digits", "article"))).toBe("#network=article");
  });

  const changes: Partial<State>[] = [
    ...PROBLEMS.map((problem) => ({ problem })),
    ...NETWORKS.map((network) => ({ ...defaultsOf("digits", network) })),
    ...BASES.map((basis) => ({ basis })),
    ...BASE_TERMS.map((base) => ({ base })),
    { problem: "formula", formula: "x & y = 100 % + #?" },
    { widths: [3] },
    { widths: [64, 1, 2, 7] },
    { problem: "moons", widths: [] },
    { problem: "moons", widths: [1, 2, 3, 4, 5, 6] },
    ...Object.entries(LIMITS).flatMap(([name, [least, most]]) => [
      { [name]: least },
      { [name]: most },
    ]),
    { start: 0.123 },
    { noise: 0.05 },
    { rate: 3e-4 },
    { twin: true },
  ];
  it.each(changes)("brings back %j", (change) => {
    const { problem = "digits", network = "kancnn" } = change;
    const usual = defaultsOf(problem, problem === "digits" ? network : "dense");
    const state = { ...usual, ...change };
    expect(stateOf(hashOf(state))).toEqual(state);
  });

  it.each([
    "#",
    "#problem=",
    "#problem=constructor&network=__proto__",
    "#basis=toString&base=valueOf",
    "#grid=0&order=6&start=-1&noise=2&rate=0&batch=1e9&epochs=0&seed=-1",
    "#grid=5.5&order=NaN&start=Infinity&noise=a&rate=&batch=1.5&epochs=%00&seed=true",
    "#widths=0",
    "#widths=65",
    "#widths=2,x",
    "#widths=",
    "#widths=2,2,2,2,2",
    "#twin=yes",
    "#nonsense=1&&&=",
    "#%E0%A4%A",
  ])("takes no nonsense: %s", (hash) => {
    expect(stateOf(hash)).toEqual(defaultsOf("digits", "kancnn"));
  });

  it("the article's network stays the article's, and other problems have dense layers", () => {
    const asked = stateOf("#network=article&grid=9&order=1&widths=3&basis=rbf&base=tanh&seed=4");
    expect(asked).toEqual({ ...defaultsOf("digits", "article"), seed: 4 });
    expect(stateOf("#problem=moons&network=kancnn").network).toBe("dense");
  });

  it("numbers of units are read from a list", () => {
    expect(widthsOf(" 5, 3  2 ", "dense")).toEqual([5, 3, 2]);
    expect(widthsOf("", "dense")).toEqual([]);
    for (const text of ["", "1,1,1,1,1", "1.5", "-2", "a"])
      expect(widthsOf(text, "kancnn"), text).toBeNull();
    expect(widthsOf("1,1,1,1,1,1,1", "dense")).toBeNull();
    expect(widthsExpected("kancnn")).toContain("1 to 4 whole numbers from 1 to 64");
    expect(widthsExpected("dense")).toContain("at most 6");
  });
});

describe("a formula", () => {
  const { sin, cos, tan, tanh, atan, exp, log, sqrt, abs, sign, PI, E } = Math;
  const written: [text: string, wanted: (x: number, y: number, z: number) => number][] = [
    ["x*y*z", (x, y, z) => x * y * z],
    ["x - y - z", (x, y, z) => x - y - z],
    ["x / y / z", (x, y, z) => x / y / z],
    ["x - (y - z)", (x, y, z) => x - (y - z)],
    ["x + y * z", (x, y, z) => x + y * z],
    ["-x^2 + y + z", (x, y, z) => -(x ** 2) + y + z],
    ["(-x)**2 + y + z", (x, y, z) => x ** 2 + y + z],
    ["2^-x * y z", (x, y, z) => 2 ** -x * y * z],
    ["2^3^x + y + z", (x, y, z) => 2 ** (3 ** x) + y + z],
    ["x*-y - -z", (x, y, z) => x * -y - -z],
    ["2x^2y + 3(z)", (x, y, z) => 2 * x ** 2 * y + 3 * z],
    ["1/2x + y/2 z", (x, y, z) => 0.5 * x + (y / 2) * z],
    ["+x + 1.5e-1 + .5y + 2.z", (x, y, z) => x + 0.15 + 0.5 * y + 2 * z],
    ["2e x + pi y + e^z", (x, y, z) => 2 * E * x + PI * y + E ** z],
    ["SIN(PI*X) + Cos(y) + z", (x, y, z) => sin(PI * x) + cos(y) + z],
    ["tan(x) + tanh(y) + atan(z)", (x, y, z) => tan(x) + tanh(y) + atan(z)],
    ["exp(x) + log(y) + sqrt(z)", (x, y, z) => exp(x) + log(y) + sqrt(z)],
    ["abs(x - 1) + sign(y - 1) + z", (x, y, z) => abs(x - 1) + sign(y - 1) + z],
    ["exp(sin(pi*x) + y^2) * z", (x, y, z) => exp(sin(PI * x) + y ** 2) * z],
  ];
  it.each(written)("%s is what it says", (text, wanted) => {
    const { variables, at } = readFormula(text);
    expect(variables).toEqual(["x", "y", "z"]);
    const points: [number, number, number][] = [
      [0.3, 0.7, 0.2],
      [0.9, 0.1, 1],
      [0.05, 1.3, 0.6],
    ];
    for (const point of points) expect(at(point)).toBeCloseTo(wanted(...point), 12);
  });

  it("takes the variables that occur, in their own order", () => {
    expect(readFormula("w + x").variables).toEqual(["x", "w"]);
    expect(readFormula("w - x").at([1, 3])).toBe(2);
  });

  it.each([
    ["", "no variable"],
    ["2 + 3", "no variable"],
    ["constructor", "no variable"],
    ["x + constructor", "Unknown: “constructor”. Known are x, y, z"],
    ["x.constructor", "Unknown: “.”"],
    ["__proto__ + x", "Unknown: “_”"],
    ["x + tostring(y)", "Unknown: “tostring”"],
    ["alert(x)", "Unknown: “alert”"],
    ["x + 'y'", "Unknown: “'”"],
    ["xy + x", "Unknown: “xy”"],
    ["sin x", "Expected “(” before “x”"],
    ["sin(x", "Expected “)” at the end"],
    ["(x + y", "Expected “)” at the end"],
    ["x + y)", "Expected an operator before “)”"],
    ["x +", "ends too early"],
    ["x, y", "Expected an operator before “,”"],
    ["* x", "Unknown: “*”"],
  ])("%s is none: %s", (text, words) => {
    expect(() => readFormula(text)).toThrow(words);
  });
});

describe("a problem", () => {
  it.each(["moons", "spirals", "product", "formula"] as const)("%s has its rows", (name) => {
    const { data, shape, inputs, outputs, isClassification } = problemOf(stateFor(name));
    const [size] = shape;
    expect(inputs.length).toBe(size);
    for (const [part, rows] of [
      [data.train, 800],
      [data.test, 200],
    ] as const) {
      expect(part.inputs.length).toBe(rows * size);
      expect(part.targets.length).toBe(rows);
      expect(Math.max(...Array.from(part.inputs, Math.abs))).toBeLessThan(1.3);
      expect([...part.inputs, ...part.targets].every(Number.isFinite)).toBe(true);
    }
    expect(outputs.length).toBe(isClassification ? 2 : 1);
    expect(data.train.targets).toBeInstanceOf(isClassification ? Uint8Array : Float32Array);
  });

  it.each(["moons", "spirals", "product", "formula"] as const)(
    "%s is the same whatever the seed",
    (name) => {
      const [one, other] = [0, 5].map((seed) => problemOf(stateFor(name, { seed })).data);
      expect(one).toEqual(other);
    },
  );

  it("the targets of a formula are its values", () => {
    const { data, truth } = problemOf(stateFor("product"));
    const { inputs, targets } = data.train;
    for (let k = 0; k < 50; k++) {
      const [x, y, z] = inputs.subarray(3 * k, 3 * k + 3);
      expect(targets[k]).toBeCloseTo(x * y * z, 6);
      expect(truth?.([x, y, z])).toBeCloseTo(x * y * z, 6);
    }
  });

  it("the two spirals and the two moons are apart, and each is one line", () => {
    for (const name of ["moons", "spirals"] as const) {
      const { inputs, targets } = problemOf(stateFor(name)).data.train;
      const apart = (k: number, other: number) =>
        Math.hypot(inputs[2 * k] - inputs[2 * other], inputs[2 * k + 1] - inputs[2 * other + 1]);
      const same = Array.from(targets, (label, k) => {
        const others = Array.from(targets.keys()).filter((other) => other !== k);
        const nearest = others.reduce((a, b) => (apart(k, a) < apart(k, b) ? a : b));
        return targets[nearest] === label;
      });
      expect(same.filter(Boolean).length / same.length, name).toBeGreaterThan(0.97);
    }
  });

  it("noise is the share of the targets that is asked for", () => {
    const spreadOf = (values: readonly number[]) => {
      const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
      return Math.sqrt(values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / values.length);
    };
    const [clean, noisy] = [0, 0.5].map((noise) => {
      const { train, test } = problemOf(stateFor("product", { noise })).data;
      return [...train.targets, ...test.targets];
    });
    const added = noisy.map((value, k) => value - clean[k]);
    // 1,000 numbers: their spread is off by 2 % or so.
    expect(Math.abs(spreadOf(added) / (0.5 * spreadOf(clean)) - 1)).toBeLessThan(0.1);

    const wrong = (name: "moons" | "digits", noise: number) => {
      const [one, other] = [0, noise].map(
        (each) => problemOf(stateFor(name, { noise: each })).data,
      );
      expect(name === "digits" ? one.test : null).toEqual(name === "digits" ? other.test : null);
      const off = one.train.targets.filter((label, k) => label !== other.train.targets[k]);
      return off.length / one.train.targets.length;
    };
    // With a standard deviation of 0.016; of ten digits one in ten stays what it was.
    expect(Math.abs(wrong("moons", 0.3) - 0.3)).toBeLessThan(0.07);
    expect(Math.abs(wrong("digits", 0.3) - 0.27)).toBeLessThan(0.05);
    expect(wrong("moons", 1)).toBe(1);
  });

  it.each([
    ["log(x)", /log\(x\) is no finite number at x = -0\.\d\d: expected/],
    ["1/(x-x)", /is no finite number/],
    ["(x*y)^0.5", /is no finite number at x = \S+, y = /],
    ["x - x + 2", /is 2 everywhere: there is nothing to learn/],
    ["x +", /ends too early/],
  ])("%s cannot be learned", (formula, words) => {
    expect(() => problemOf(stateFor("formula", { formula }))).toThrow(words);
  });

  it("a table's inputs run from −1 to 1 where it trains, and numbers to learn are of size 1", () => {
    const rows = Array.from({ length: 100 }, (_, k) => `${k},${1000 - k},7,${3 * k + 1}`);
    const { data, shape, inputs, outputs, truth } = problemOf(
      stateFor("table"),
      ["a,b,same,y", ...rows].join("\n"),
    );
    expect(shape).toEqual([3]);
    expect([inputs, outputs]).toEqual([["a", "b", "same"], ["y"]]);
    expect(truth).toBeUndefined();
    expect(data.test.targets.length).toBe(20);
    const column = (c: number) => data.train.inputs.filter((_, k) => k % 3 === c);
    for (const c of [0, 1])
      expect([Math.min(...column(c)), Math.max(...column(c))]).toEqual([-1, 1]);
    expect(new Set(column(2))).toEqual(new Set([0]));
    const all = [...data.train.targets, ...data.test.targets];
    const mean = all.reduce((sum, one) => sum + one, 0) / 100;
    expect(mean).toBeCloseTo(0, 5);
    expect(all.reduce((sum, one) => sum + one ** 2, 0) / 100).toBeCloseTo(1, 5);
    // The rows are mixed, and stay whole.
    expect(new Set([...column(0)].slice(0, 20).map(Math.sign)).size).toBe(2);
    const [a, b] = [column(0), column(1)];
    const order = Array.from(a.keys()).sort((one, other) => a[one] - a[other]);
    expect(order.every((k) => Math.abs(a[k] + b[k]) < 1e-5)).toBe(true);
    const targets = order.map((k) => data.train.targets[k]);
    expect(targets.every((value, k) => k === 0 || value > targets[k - 1])).toBe(true);
  });

  it("a table of classes has their names", () => {
    const rows = Array.from({ length: 40 }, (_, k) => `${k};${k < 20 ? "low" : "high"}`);
    const { outputs, isClassification, data } = problemOf(
      stateFor("table"),
      ["x;kind", ...rows].join("\n"),
    );
    expect(isClassification).toBe(true);
    expect(outputs).toEqual(["high", "low"]);
    const { inputs, targets } = data.train;
    expect(Array.from(targets)).toEqual(Array.from(inputs, (x) => (x < 0 ? 1 : 0)));
  });
});

describe("a table", () => {
  const body = (row: (k: number) => string, count = 30) =>
    Array.from({ length: count }, (_, k) => row(k)).join("\n");

  it.each([",", ";", "\t"])("is parted by “%s”", (by) => {
    const { columns, rows } = readTable(`a${by}b\n${body((k) => `${k}${by}${k / 2}`)}`);
    expect(columns).toEqual(["a", "b"]);
    expect(rows.length).toBe(30);
    expect(rows[3]).toEqual([3, 1.5]);
  });

  it("has quotes, ends of lines of Windows, and spaces", () => {
    const text = `"length, in ""cm""",b\r\n${body((k) => `"${k}", ${k / 4} \r`)}`;
    const { columns, rows } = readTable(text);
    expect(columns).toEqual(['length, in "cm"', "b"]);
    expect(rows[4]).toEqual([4, 1]);
  });

  it("has names of its own where it says none", () => {
    const { columns, rows } = readTable(body((k) => `${k},${k / 8}`));
    expect(columns).toEqual(["column 1", "column 2"]);
    expect(rows.length).toBe(30);
  });

  it("leaves out rows with a gap, and empty lines", () => {
    const text = `a,b\n1,\n,2\n\n3\n4,5,6\n${body((k) => `${k},${k / 2}`)}\n\n`;
    expect(readTable(text).rows.length).toBe(30);
  });

  it("takes words and few whole numbers for classes, other numbers for numbers", () => {
    const words = readTable(`x,y\n${body((k) => `${k},${"abc"[k % 3]}`)}`);
    expect(words).toMatchObject({ isClasses: true, classNames: ["a", "b", "c"] });
    expect(words.rows[4]).toEqual([4, 1]);
    const few = readTable(`x,y\n${body((k) => `${k},${5 + (k % 10)}`)}`);
    expect(few.isClasses).toBe(true);
    expect(few.classNames).toEqual(["5", "6", "7", "8", "9", "10", "11", "12", "13", "14"]);
    const many = readTable(`x,y\n${body((k) => `${k},${k % 11}`)}`);
    expect(many).toMatchObject({ isClasses: false, classNames: [] });
    const halves = readTable(`x,y\n${body((k) => `${k},${(k % 2) / 2}`)}`);
    expect(halves.isClasses).toBe(false);
  });

  it.each([
    ["", /Choose a file/],
    ["\n \n", /Choose a file/],
    [`a\n${body((k) => `${k}`)}`, /has 1 columns: expected 2 to 33/],
    [`${"a,".repeat(33)}b\n${body(() => `${"1,".repeat(33)}2`)}`, /has 34 columns/],
    [`a,b\n${body((k) => `${k},${k}`, 19)}`, /has 19 whole rows: expected at least 20/],
    [`a,b\n${body((k) => `${k === 7 ? "n/a" : k},${k}`)}`, /Column “a” has “n\/a”/],
    [`a,b\n${body((k) => `${k},word ${k}`)}`, /Column “b” has 30 different words/],
    [`a,b\n${body((k) => `${k},4`)}`, /Column “b” is 4 in every row/],
  ])("is refused where it is none (%#)", (text, words) => {
    expect(() => readTable(text)).toThrow(words);
  });
});
