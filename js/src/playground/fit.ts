/** What is to be learned, and what the network makes of it: the target wide and grey, the network thin. */

import { extent } from "d3-array";
import { contour, levelsOf } from "../phi/pair.ts";
import { element, putWords } from "../shell/element.ts";
import type { Machine } from "../training/machine.ts";
import { evaluator, type Made } from "./network.ts";
import type { Problem } from "./problems.ts";

const SIZE = 320;
/** Points of a line; and of each side of a map. */
const LINE = 161;
const SIDE = 49;
/** Rows that are drawn as dots. */
const DOTS = 300;

type Painter = (
  context: CanvasRenderingContext2D,
  own: Float32Array,
  other: Float32Array | null,
) => void;

export function createFit(root: HTMLElement) {
  const document = root.ownerDocument;
  const title = element(document, "h2", "", root);
  const canvas = element(document, "canvas", "", root);
  const key = element(document, "p", "", root);
  const context = canvas.getContext("2d");
  let run: ((frame: Float32Array, beside: Float32Array | null) => void) | null = null;
  let due = 0;

  return {
    /** For another network; hidden where there is no picture of it. */
    begin(machine: Machine, problem: Problem, network: Made, twin: Made | null) {
      const points = pointsOf(problem);
      root.hidden = !points;
      run = null;
      if (!points || !context) return;
      const count = points.length / problem.shape[0];
      const own = evaluator(machine, network, count);
      const others = twin && evaluator(machine, twin, count);
      // The probability of the second class, or the number.
      const read = ([one, other]: Float32Array) =>
        problem.isClassification ? Math.exp(other) : one;
      const paint = painterOf(problem, points);
      putWords(title, "Target and network");
      putWords(key, keyOf(problem, twin));
      canvas.setAttribute("role", "img");
      const shown = `${problem.outputs[0]} over ${problem.inputs.join(" and ")}: target and ${network.name}`;
      canvas.setAttribute("aria-label", shown);
      run = (frame, beside) => {
        const scale = document.defaultView?.devicePixelRatio ?? 1;
        if (canvas.width !== SIZE * scale) canvas.width = canvas.height = SIZE * scale;
        context.setTransform(scale, 0, 0, scale, 0, 0);
        context.clearRect(0, 0, SIZE, SIZE);
        const values = (rows: Float32Array[]) => Float32Array.from(rows, read);
        const other = beside && others && values(others(beside, points));
        paint(context, values(own(frame, points)), other);
      };
    },
    /** Draws the network as it is now, at the next turn. */
    show(frame: Float32Array, beside: Float32Array | null, signal: AbortSignal) {
      cancelAnimationFrame(due);
      due = requestAnimationFrame(() => {
        if (!signal.aborted) run?.(frame, beside);
      });
    },
  };
}

function keyOf({ isClassification, outputs, inputs, truth }: Problem, twin: Made | null): string {
  const other = twin ? `, dashed: the ${twin.name}` : "";
  if (isClassification)
    return `dots: points of class ${outputs[0]} (hollow) and ${outputs[1]} (filled); shaded: where the network says ${outputs[1]}; line: where it is undecided${other}`;
  return inputs.length > 2 || !truth
    ? `each dot is a test point: on the grey line the network is right${other && ", pale: the twin"}`
    : `wide, grey: the target; thin: the network${other}`;
}

/** The inputs at which a problem is drawn, row by row; null where it is not. */
function pointsOf({ shape, inputs, truth, isClassification, data }: Problem): Float32Array | null {
  const [size] = shape;
  if (shape.length > 1) return null;
  if (size === 1 && truth)
    return Float32Array.from({ length: LINE }, (_, k) => -1 + (2 * k) / (LINE - 1));
  if (size === 2 && (truth || isClassification)) {
    const at = (k: number) => -1 + (2 * k) / (SIDE - 1);
    const all = Array.from({ length: SIDE * SIDE }, (_, k) => [
      at(k % SIDE),
      at(Math.floor(k / SIDE)),
    ]);
    return Float32Array.from(all.flat());
  }
  if (isClassification || inputs.length < 1) return null;
  return data.test.inputs.slice(0, DOTS * size) as Float32Array;
}

const across = (x: number) => ((x + 1) / 2) * SIZE;
const up = (y: number) => SIZE - across(y);

function painterOf(problem: Problem, points: Float32Array): Painter {
  const [size] = problem.shape;
  if (problem.isClassification) return classPainter(problem);
  if (size > 2 || !problem.truth) return scatterPainter(problem);
  const { truth } = problem;
  const count = points.length / size;
  const wanted = Float32Array.from({ length: count }, (_, k) =>
    truth([...points.subarray(k * size, (k + 1) * size)]),
  );
  return size === 1 ? linePainter(problem, points, wanted) : contourPainter(wanted);
}

/** The ends of numbers, with a little room. */
function endsOf(values: ArrayLike<number>): [number, number] {
  const [low = 0, high = 0] = extent(Array.from(values).filter(Number.isFinite));
  const room = 0.08 * (high - low || 1);
  return [low - room, high + room];
}

const colour = (context: CanvasRenderingContext2D, name: string) =>
  getComputedStyle(context.canvas).getPropertyValue(`--kw-page-${name}`);

function stroke(
  context: CanvasRenderingContext2D,
  lines: readonly (readonly (readonly [number, number])[])[],
  name: string,
  width: number,
  dash: number[] = [],
) {
  context.strokeStyle = colour(context, name);
  context.lineWidth = width;
  context.setLineDash(dash);
  context.beginPath();
  for (const line of lines) {
    line.forEach(([x, y], k) => {
      if (k === 0) context.moveTo(x, y);
      else context.lineTo(x, y);
    });
  }
  context.stroke();
  context.setLineDash([]);
}

function linePainter({ data }: Problem, points: Float32Array, wanted: Float32Array): Painter {
  const [low, high] = endsOf([...wanted, ...data.train.targets]);
  const height = (value: number) => SIZE - ((value - low) / (high - low)) * SIZE;
  const line = (values: Float32Array) => [
    Array.from(values, (value, k) => [across(points[k]), height(value)] as const),
  ];
  return (context, own, other) => {
    context.fillStyle = colour(context, "line");
    for (let k = 0; k < DOTS && k < data.train.inputs.length; k++)
      context.fillRect(across(data.train.inputs[k]) - 1, height(data.train.targets[k]) - 1, 2, 2);
    stroke(context, line(wanted), "muted", 4);
    if (other) stroke(context, line(other), "ink", 1.5, [4, 4]);
    stroke(context, line(own), "ink", 1.5);
  };
}

const toMap = ([x, y]: readonly [number, number]): [number, number] => [
  (x / (SIDE - 1)) * SIZE,
  SIZE - (y / (SIDE - 1)) * SIZE,
];

function contoursOf(values: Float32Array, level: number) {
  return contour(Array.from(values), SIDE, SIDE, level).map((line) => line.map(toMap));
}

function contourPainter(wanted: Float32Array): Painter {
  const levels = levelsOf(...endsOf(wanted));
  const lines = (values: Float32Array) => levels.flatMap((level) => contoursOf(values, level));
  const targets = lines(wanted);
  return (context, own, other) => {
    stroke(context, targets, "muted", 4);
    if (other) stroke(context, lines(other), "ink", 1, [3, 3]);
    stroke(context, lines(own), "ink", 1.25);
  };
}

/** Fills the map: the darker, the surer is the second class. */
function paintShares(context: CanvasRenderingContext2D, shares: Float32Array): void {
  const small = context.canvas.ownerDocument.createElement("canvas");
  small.width = small.height = SIDE;
  const own = small.getContext("2d");
  if (!own) return;
  own.fillStyle = colour(context, "ink");
  for (const [k, share] of shares.entries()) {
    own.globalAlpha = 0.3 * share;
    own.fillRect(k % SIDE, SIDE - 1 - Math.floor(k / SIDE), 1, 1);
  }
  const cell = SIZE / (SIDE - 1);
  context.drawImage(small, -cell / 2, -cell / 2, SIZE + cell, SIZE + cell);
}

function classPainter({ data }: Problem): Painter {
  const { inputs, targets } = data.train;
  return (context, own, other) => {
    paintShares(context, own);
    if (other) stroke(context, contoursOf(other, 0.5), "ink", 1.25, [4, 4]);
    stroke(context, contoursOf(own, 0.5), "ink", 1.75);
    for (let k = 0; k < DOTS; k++) {
      context.beginPath();
      context.arc(across(inputs[2 * k]), up(inputs[2 * k + 1]), 2.5, 0, 2 * Math.PI);
      context.fillStyle = colour(context, targets[k] ? "ink" : "surface");
      context.strokeStyle = colour(context, "ink");
      context.lineWidth = 1;
      context.fill();
      context.stroke();
    }
  };
}

/** The network's numbers over the right ones. */
function scatterPainter({ data }: Problem): Painter {
  const wanted = data.test.targets;
  const [low, high] = endsOf(wanted);
  const at = (value: number) => ((value - low) / (high - low)) * SIZE;
  return (context, own, other) => {
    stroke(context, [[-1, 1].map((end) => [across(end), up(end)] as const)], "muted", 2);
    for (const [values, alpha] of [
      [other, 0.35],
      [own, 1],
    ] as const) {
      context.fillStyle = colour(context, "ink");
      context.globalAlpha = alpha;
      values?.forEach((value, k) => {
        context.fillRect(at(wanted[k]) - 1.5, SIZE - at(value) - 1.5, 3, 3);
      });
    }
    context.globalAlpha = 1;
  };
}
